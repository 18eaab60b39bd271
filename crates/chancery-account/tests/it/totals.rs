//! The figures are those of the files that left, and of the entries that they name.

use std::collections::{BTreeMap, BTreeSet};

use chancery_account::{About, Account, Amount, Copy, Group, Law, Sources};
use chancery_dataset::Silent;
use chancery_release::entry::{
    AbortReason, By, LookUpReason, RecallReason, ReleaseRef, Role, Sanitisation, Scope,
    Verification,
};
use chancery_release::{Entry, write_ledger};

use crate::case::{Case, Left, ORDER, clock, exactly};

fn find<'a>(groups: &'a [Group], key: &str) -> &'a Group {
    let mut groups = groups.iter();
    groups
        .find(|group| group.key == key)
        .unwrap_or_else(|| panic!("no `{key}`"))
}

#[test]
fn totals_are_those_of_the_released_files() {
    let case = Case::with_releases(3_000);
    let books = case.counted();
    let account = books.everything(Copy::Custodian);
    assert!(account.complete, "{:?}", account.incomplete);
    let left: BTreeMap<&str, Left> = account
        .releases
        .iter()
        .map(|listed| (listed.id.as_str(), Left::read(&case.folder_of(&listed.id))))
        .collect();
    assert_eq!(left.len(), 4);
    for listed in &account.releases {
        let left = &left[listed.id.as_str()];
        assert_eq!(listed.people, Amount::Exactly(left.people.len() as u64));
        assert_eq!(listed.rows, Some(left.rows));
    }
    let sum = |of: &dyn Fn(&str, &Left) -> usize| {
        let parts = left.iter().map(|(id, left)| of(id, left) as u64);
        parts.sum::<u64>()
    };
    assert_eq!(exactly(&account.total), sum(&|_, left| left.people.len()));
    for (recipient, part) in [("dhs/ice", "-dhs-ice-"), ("hhs/oig", "-hhs-oig-")] {
        let own = sum(&|id, left| {
            if id.contains(part) {
                left.people.len()
            } else {
                0
            }
        });
        assert_eq!(exactly(find(&account.by_recipient, recipient)), own);
    }
    for month in ["2025-07", "2025-09", "2026-01"] {
        let own = sum(&|id, left| {
            if id.starts_with(month) {
                left.people.len()
            } else {
                0
            }
        });
        assert_eq!(exactly(find(&account.by_month, month)), own);
    }
    for origin in ["06", "48"] {
        let own = sum(&|_, left| {
            left.people
                .iter()
                .filter(|person| person.0 == origin)
                .count()
        });
        assert_eq!(exactly(find(&account.by_origin, origin)), own);
    }
    let columns = [
        ("address", "eligible_city"),
        ("name", "eligible_first_name"),
        ("birth_date", "date_of_birth"),
    ];
    for (element, column) in columns {
        let own = sum(&|_, left| left.with(column).len());
        assert_eq!(
            exactly(find(&account.by_element, element)),
            own,
            "{element}"
        );
    }
    let by_class: u64 = account.by_class.iter().map(exactly).sum();
    assert_eq!(by_class, exactly(&account.total));
}

#[test]
fn every_figure_names_the_entries_that_prove_it() {
    let case = Case::with_releases(600);
    let account = case.books().everything(Copy::Custodian);
    let reader = case.workspace.ledger_reader().unwrap();
    for group in &account.by_recipient {
        assert_eq!(
            Amount::Exactly(group.releases.entries.len() as u64),
            group.releases.count
        );
        for index in &group.disclosures.entries {
            let entry = Entry::from_bytes(&reader.entry(*index).unwrap()).known();
            let Some(Entry::Release(entry)) = entry else {
                panic!("entry {index} is no release");
            };
            assert_eq!(entry.recipient.as_str(), group.key);
        }
    }
    let [refused] = account.refused.as_slice() else {
        panic!("{:?}", account.refused);
    };
    let entry = Entry::from_bytes(&reader.entry(refused.entry).unwrap()).known();
    assert!(matches!(entry, Some(Entry::Refusal(_))));
    let barred_by = refused.barred_by.as_ref().unwrap();
    assert!(
        barred_by
            .iter()
            .any(|cite| cite.starts_with("us/usc/8/1360-b#"))
    );
    assert!(!account.interpretations.is_empty());
}

#[test]
fn an_order_divides_what_left_before_it_from_what_left_after() {
    let case = Case::with_releases(3_000);
    let about = About::Order {
        instrument: ORDER.to_owned(),
    };
    let account = case.counted().account(&about, Copy::Custodian);
    assert!(account.complete);
    let ids: Vec<&str> = account
        .releases
        .iter()
        .map(|listed| listed.id.as_str())
        .collect();
    assert!(ids.iter().all(|id| id.contains("-dhs-ice-")), "{ids:?}");
    let order = account.order.unwrap();
    let [before, issued, effective] = order.spans.as_slice() else {
        panic!("{:?}", order.spans);
    };
    assert_eq!((before.from, before.in_force), (None, false));
    assert_eq!(
        (issued.total.releases.count, issued.in_force),
        (Amount::Exactly(0), false)
    );
    assert!(effective.in_force && effective.until.is_none());
    // Names of the plaintiff's people left before the order, and do not since.
    let files = |at: usize| Left::read(&case.folder_of(ids[at]));
    let names = |left: &Left, origin: &str| {
        let named = left.with("eligible_first_name");
        named.iter().filter(|person| person.0 == origin).count() as u64
    };
    let (then, since) = (files(0), files(1));
    assert!(names(&then, "06") > 0 && names(&since, "06") == 0);
    let left_by_name =
        |span: &chancery_account::Span| exactly(find(&span.covered_elements, "name"));
    assert_eq!(
        left_by_name(before),
        names(&then, "06") + names(&then, "48")
    );
    assert_eq!(left_by_name(effective), names(&since, "48"));
    // Of the order's parties alone.
    let plaintiffs = |left: &Left| left.people.iter().filter(|p| p.0 == "06").count() as u64;
    let keys: Vec<&str> = before
        .covered_origins
        .iter()
        .map(|g| g.key.as_str())
        .collect();
    assert_eq!(keys, ["06"]);
    assert_eq!(exactly(&before.covered_origins[0]), plaintiffs(&then));
    assert_eq!(exactly(&effective.covered_origins[0]), plaintiffs(&since));
}

#[test]
fn a_manifest_that_is_missing_or_changed_leaves_its_release_in_the_account() {
    let case = Case::with_releases(600);
    let whole = case.books().everything(Copy::Custodian);
    let (gone, changed) = (&whole.releases[0], &whole.releases[1]);
    std::fs::remove_dir_all(case.folder_of(&gone.id)).unwrap();
    let manifest = case.folder_of(&changed.id).join("manifest.dsse.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"sig\": \"", "\"sig\": \"A")).unwrap();

    let account = case.books().everything(Copy::Custodian);
    assert!(!account.complete);
    let gaps: Vec<u64> = account.incomplete.iter().map(|gap| gap.entry).collect();
    assert_eq!(gaps, [gone.entry, changed.entry]);
    assert_eq!(account.total.releases.count, Amount::Exactly(4));
    let known: u64 = whole.releases[2..]
        .iter()
        .filter_map(|listed| listed.people.number())
        .sum();
    assert_eq!(account.total.disclosures.count, Amount::AtLeast(known));
    assert_eq!(account.releases[0].people, Amount::Unknown);
    assert_eq!(account.releases[0].recipient.agency, "dhs/ice");
    // Neither is what others see.
    assert!(!case.books().everything(Copy::Others).complete);
}

#[test]
fn a_release_that_was_given_up_is_not_one_that_left() {
    let case = Case::with_releases(600);
    let whole = case.books().everything(Copy::Custodian);
    let id = &whole.releases[3].id;
    let mut book = write_ledger(&case.workspace, &clock(), &Silent).unwrap();
    let abort = Entry::abort(id, AbortReason::NotCarriedOut, &clock());
    book.append(&abort).unwrap();
    drop(book);
    let account = case.books().everything(Copy::Custodian);
    assert_eq!(account.total.releases.count, Amount::Exactly(3));
    assert_eq!(account.aborted[0].id, *id);
}

#[test]
fn a_release_is_accounted_for_with_what_came_after_it() {
    let case = Case::with_releases(3_000);
    let whole = case.books().everything(Copy::Custodian);
    let listed = &whole.releases[2];
    let of = || ReleaseRef {
        release: listed.id.parse().unwrap(),
        manifest: listed.manifest.as_ref().unwrap().parse().unwrap(),
        recipient: listed.recipient.agency.parse().unwrap(),
    };
    let order = Some(ORDER.parse().unwrap());
    let (all, due) = (Scope::ReleaseAndDerivatives, "2026-03-01".parse().unwrap());
    let recall = Entry::recall(of(), RecallReason::CourtOrder, order, all, due, &clock());
    let digest = listed.manifest.as_ref().unwrap().parse().unwrap();
    let (method, verification) = (Sanitisation::Purge, Verification::Full);
    let destroyed = Entry::destruction(of(), method, verification, all, due, digest, &clock());
    let by = By {
        agency: "hhs/cms".parse().unwrap(),
        role: Role::PrivacyOfficer,
    };
    let person = format!("pseudonym:{}", "15".repeat(32)).parse().unwrap();
    let look_up = Entry::look_up(person, LookUpReason::IndividualRequest, by, &clock());
    let mut book = write_ledger(&case.workspace, &clock(), &Silent).unwrap();
    for entry in [recall, destroyed, look_up] {
        book.append(&entry.unwrap()).unwrap();
    }
    drop(book);

    let about = About::Release {
        id: listed.id.clone(),
    };
    let books = case.counted();
    let account = books.account(&about, Copy::Custodian);
    let [release] = account.releases.as_slice() else {
        panic!("{:?}", account.releases);
    };
    let after: Vec<_> = release
        .afterwards
        .iter()
        .map(|one| (one.kind, one.entry))
        .collect();
    assert_eq!(after, [("recall", 6), ("destruction", 7)]);
    assert_eq!(
        release.afterwards[0].said,
        "court_order, release_and_derivatives, due 2026-03-01"
    );
    // Its people, by origin and class, are all of its people.
    let cells: Option<u64> = release.cells.iter().map(|cell| cell.people.number()).sum();
    assert_eq!(cells, release.people.number());
    let looked_up = |copy| books.everything(copy).looked_up;
    assert_eq!(looked_up(Copy::Custodian).unwrap().entries, [8]);
    assert_eq!(looked_up(Copy::Others), None);
}

#[test]
fn a_refusal_under_another_edition_of_the_law_is_not_guessed_at() {
    let case = Case::with_releases(260);
    let about = About::Order {
        instrument: ORDER.to_owned(),
    };
    assert!(case.books().account(&about, Copy::Custodian).complete);
    let file = case.workspace.law_dir().join("purposes.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n# Another edition.\n")).unwrap();
    let law = case.workspace.law().unwrap();
    let books = case.books();
    let law = Law::new(&law);
    let sources = Sources {
        law: &law,
        ..books.sources()
    };
    let account = Account::of(&about, Copy::Custodian, sources).unwrap();
    assert!(!account.complete && account.refused.is_empty());
    assert!(
        account.incomplete[0]
            .problem
            .contains("another edition of the law pack")
    );
    let whole = About::Recipient {
        agency: "dhs/ice".to_owned(),
    };
    let account = Account::of(&whole, Copy::Custodian, sources).unwrap();
    assert!(account.complete);
    assert_eq!(account.refused[0].barred_by, None);
}

#[test]
fn a_recipient_is_accounted_for_with_what_is_within_it() {
    let case = Case::with_releases(600);
    let of = |agency: &str| {
        let agency = agency.to_owned();
        let about = About::Recipient { agency };
        case.books().account(&about, Copy::Custodian)
    };
    let entries = |account: &Account| -> BTreeSet<u64> {
        account.releases.iter().map(|listed| listed.entry).collect()
    };
    assert_eq!(entries(&of("dhs")), entries(&of("dhs/ice")));
    assert_eq!(of("dhs/ice").refused.len(), 1);
    assert!(of("dhs/i").is_empty());
}
