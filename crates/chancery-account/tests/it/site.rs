//! The report to the public says nothing that it may not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chancery_account::suppress::SMALL;
use chancery_account::{About, Account, Amount, Copy, Group, PublishError, Site, publish};
use chancery_law::Standing;
use serde_json::Value;

use crate::case::{Books, Case, ORDER};

pub(crate) fn pages(books: &Books<'_>) -> BTreeMap<String, Vec<u8>> {
    let site = Site {
        sources: books.sources(),
        standing: &Standing::demonstration(),
        on: "2026-02-28".parse().unwrap(),
        ledger_url: Some("https://agency.example/ledger"),
        demonstration: true,
    };
    site.pages().unwrap()
}

/// Whether a file is a page of the report's own.
pub(crate) fn is_page(name: &str) -> bool {
    name != "verify.html" && Path::new(name).extension().is_some_and(|end| end == "html")
}

/// Few enough people that many counts are small.
fn few() -> Case {
    let case = Case::with_releases(260);
    let exact = case.counted().everything(Copy::Custodian);
    let small =
        |group: &Group| matches!(group.disclosures.count, Amount::Exactly(n) if SMALL.contains(&n));
    assert!(exact.by_class.iter().any(small), "{:?}", exact.by_class);
    case
}

/// Every figure about people of an account: what it is, what it rests on, and how many.
fn figures(account: &Account) -> Vec<(String, BTreeSet<u64>, Amount)> {
    let groups = [
        std::slice::from_ref(&account.total),
        &account.by_recipient,
        &account.by_purpose,
        &account.by_dataset,
        &account.by_permitting_instrument,
        &account.by_barring_instrument,
        &account.by_element,
        &account.by_class,
        &account.by_origin,
        &account.by_month,
    ];
    let spans = account.order.iter().flat_map(|order| &order.spans);
    let spans = spans.flat_map(|span| {
        let total = std::slice::from_ref(&span.total);
        [
            total,
            &span.covered_elements,
            &span.covered_classes,
            &span.covered_origins,
        ]
    });
    let groups = groups.into_iter().chain(spans).flatten();
    let groups = groups.map(|group| {
        let entries = group.disclosures.entries.iter().copied().collect();
        (group.key.clone(), entries, group.disclosures.count)
    });
    let releases = account.releases.iter();
    let releases = releases.map(|listed| {
        (
            listed.id.clone(),
            BTreeSet::from([listed.entry]),
            listed.people,
        )
    });
    groups.chain(releases).collect()
}

/// Every account that somebody could ask for.
fn accounts(books: &Books<'_>) -> Vec<Account> {
    let mut abouts = vec![About::Order {
        instrument: ORDER.to_owned(),
    }];
    for agency in ["dhs", "dhs/ice", "hhs/oig"] {
        let agency = agency.to_owned();
        abouts.push(About::Recipient { agency });
    }
    for release in &books.facts.releases {
        let id = release.id().to_owned();
        abouts.push(About::Release { id });
    }
    let days = [
        "2025-01-01",
        "2025-08-01",
        "2026-01-01",
        "2026-01-11",
        "2026-12-31",
    ];
    for (at, from) in days.iter().enumerate() {
        for to in &days[at..] {
            abouts.push(About::Period {
                from: from.parse().unwrap(),
                to: to.parse().unwrap(),
            });
        }
    }
    let accounts = abouts.iter();
    accounts
        .map(|about| books.account(about, Copy::Others))
        .collect()
}

#[test]
fn no_account_for_others_has_a_small_count_or_two_that_differ_by_one() {
    let case = few();
    for books in [case.books(), case.counted()] {
        let figures: Vec<_> = accounts(&books).iter().flat_map(figures).collect();
        for (key, _, amount) in &figures {
            let small = amount.number().is_some_and(|n| SMALL.contains(&n));
            assert!(!small, "{key}: {amount:?}");
        }
        // Two figures that rest on the same releases, or one on those of the other and more.
        for (key, entries, amount) in &figures {
            for (other, more, larger) in &figures {
                let (Amount::Exactly(amount), Amount::Exactly(larger)) = (amount, larger) else {
                    continue;
                };
                let difference = larger.abs_diff(*amount);
                assert!(
                    !(entries.is_subset(more) && SMALL.contains(&difference)),
                    "{key} ({amount}) and {other} ({larger})"
                );
            }
        }
    }
}

#[test]
fn an_element_that_few_have_a_row_of_is_hidden() {
    let case = Case::new(260);
    case.all_oversight("2026-01-12");
    let books = case.books();
    let small = |group: &&Group| matches!(group.disclosures.count, Amount::Exactly(n) if SMALL.contains(&n));
    let exact = books.everything(Copy::Custodian);
    let few: Vec<&str> = exact
        .by_element
        .iter()
        .filter(small)
        .map(|g| g.key.as_str())
        .collect();
    assert!(!few.is_empty(), "{:?}", exact.by_element);
    let others = books.everything(Copy::Others);
    for group in &others.by_element {
        let hidden = group.disclosures.count == Amount::Suppressed;
        assert!(hidden || !few.contains(&group.key.as_str()), "{group:?}");
        let by_few = |count: u64| SMALL.contains(&count.abs_diff(260));
        assert!(
            !group.disclosures.count.number().is_some_and(by_few),
            "{group:?}"
        );
    }
    // Everybody's elements are everybody's.
    assert_eq!(others.total.disclosures.count, Amount::Exactly(260));
    let all = others
        .by_element
        .iter()
        .filter(|g| g.disclosures.count == Amount::Exactly(260));
    assert!(all.count() > 10);
    // The same once more is as many once more.
    case.all_oversight("2026-01-13");
    let again = case.books().everything(Copy::Others);
    for (once, twice) in others.by_element.iter().zip(&again.by_element) {
        let doubled = match once.disclosures.count {
            Amount::Exactly(count) => Amount::Exactly(2 * count),
            other => other,
        };
        assert_eq!(twice.disclosures.count, doubled, "{}", once.key);
    }
}

#[test]
fn what_others_see_is_true() {
    let case = few();
    let books = case.counted();
    let exact: BTreeMap<(String, BTreeSet<u64>), Amount> =
        figures(&books.everything(Copy::Custodian))
            .into_iter()
            .map(|(key, entries, amount)| ((key, entries), amount))
            .collect();
    for (key, entries, amount) in figures(&books.everything(Copy::Others)) {
        let Amount::Exactly(true_count) = exact[&(key.clone(), entries)] else {
            panic!("{key} is not exact for the custodian");
        };
        match amount {
            Amount::Exactly(count) => assert_eq!(count, true_count, "{key}"),
            Amount::AtLeast(count) => assert!(count < true_count, "{key}"),
            Amount::Suppressed => {}
            Amount::Unknown => panic!("{key} is known"),
        }
    }
}

#[test]
fn nothing_is_suppressed_where_nothing_is_small() {
    let case = Case::new(3_000);
    case.oversight("2026-01-12");
    let books = case.counted();
    let (own, others) = (
        books.everything(Copy::Custodian),
        books.everything(Copy::Others),
    );
    assert_eq!(figures(&own), figures(&others));
}

#[test]
fn a_release_that_differs_by_few_from_an_earlier_one_is_hidden() {
    // Out of the same records, everybody and all but a few: who knows both knows how many are few.
    let case = Case::new(260);
    case.oversight("2026-01-12");
    case.immigration("2026-01-10");
    let books = case.books();
    let [everybody, some] = books.facts.releases.as_slice() else {
        panic!("two releases");
    };
    let (all, some) = (everybody.people().unwrap(), some.people().unwrap());
    assert!(all - some > 10, "the case is of another kind");
    let mut facts = books.facts.clone();
    let manifest = facts.releases[1].manifest.as_mut().unwrap();
    manifest.subjects.released = all - 4;
    let showing = chancery_account::Showing::of(&facts, &books.counts);
    let sources = chancery_account::Sources {
        facts: &facts,
        showing: &showing,
        ..books.sources()
    };
    let about = About::Recipient {
        agency: "dhs/ice".to_owned(),
    };
    let account = Account::of(&about, Copy::Others, sources).unwrap();
    assert_eq!(account.releases[0].people, Amount::Suppressed);
}

#[test]
fn months_name_the_entries_of_refusals_and_items_have_titles() {
    let case = Case::with_releases(260);
    let books = case.counted();
    let pages = pages(&books);
    let page = |name: &str| std::str::from_utf8(&pages[name]).unwrap();
    let all = books.everything(Copy::Others);
    let index = page("index.html");
    for refused in &all.refused {
        let month = refused.on.strftime("class=\"month\">%b %Y<").to_string();
        let row = index
            .split("<tr>")
            .find(|row| row.contains(&month))
            .unwrap();
        let (_, entries) = row.rsplit_once("entries\">").unwrap();
        assert!(entries.contains(&refused.entry.to_string()), "{row}");
    }
    assert!(!all.refused.is_empty());
    let page_of_one = page("recipients/dhs-ice.html");
    assert!(page_of_one.contains("; Medicaid identification number"));
    assert!(!page_of_one.contains(", medicaid id"), "{page_of_one}");
    let data: Value = serde_json::from_str(page("account.json")).unwrap();
    assert_eq!(data["of"], "period");
    assert!(data["from"].is_null() && data["to"].is_null(), "{data}");
    assert!(data.as_object().unwrap().contains_key("from"));
}

/// The cells of each column called “People”.
fn people_cells(html: &str) -> Vec<String> {
    let text = |cell: &str| {
        let mut plain = String::new();
        let mut in_tag = true;
        for c in cell.chars() {
            match c {
                '<' => in_tag = true,
                '>' => in_tag = false,
                c if !in_tag => plain.push(c),
                _ => {}
            }
        }
        plain
    };
    let mut found = Vec::new();
    for table in html.split("<table").skip(1) {
        let table = table.split("</table>").next().unwrap();
        let rows: Vec<Vec<String>> = table
            .split("<tr")
            .skip(1)
            .map(|row| {
                let row = row.replace("<th", "<td");
                row.split("<td").skip(1).map(text).collect()
            })
            .collect();
        let Some(column) = rows[0].iter().position(|head| head == "People") else {
            continue;
        };
        found.extend(rows[1..].iter().map(|row| row[column].clone()));
    }
    found
}

#[test]
fn the_pages_hold_no_small_count_and_nothing_from_elsewhere() {
    let case = few();
    let books = case.counted();
    let pages = pages(&books);
    let mut cells = 0;
    for (name, bytes) in pages.iter().filter(|(name, _)| is_page(name)) {
        let html = std::str::from_utf8(bytes).unwrap();
        for cell in people_cells(html) {
            cells += 1;
            let number = cell
                .replace(',', "")
                .replace("at least ", "")
                .parse::<u64>();
            let small = number.is_ok_and(|number| SMALL.contains(&number));
            assert!(!small, "{name}: {cell}");
        }
        assert!(
            !html.contains("<script") && !html.contains(" src="),
            "{name}"
        );
        assert!(
            !html.contains("<link") && !html.contains("@import"),
            "{name}"
        );
        assert!(html.contains("<html lang=\"en\">") && html.contains("<main id=\"main\""));
    }
    assert!(cells > 20);
    let index = std::str::from_utf8(&pages["index.html"]).unwrap();
    assert!(index.contains("suppressed"));
    let data: Value = serde_json::from_slice(&pages["account.json"]).unwrap();
    assert_eq!(data["copy"], "others");
    assert!(data["releases"][0]["rows"].is_null());
}

#[test]
fn the_report_is_the_same_each_time() {
    let case = few();
    assert_eq!(pages(&case.books()), pages(&case.books()));
}

#[test]
fn a_report_takes_the_place_of_a_report_and_of_nothing_else() {
    let case = few();
    let pages = pages(&case.books());
    let folder = case.folder.path().join("report");
    publish(&folder, &pages).unwrap();
    // A page that is no more goes.
    let fewer: BTreeMap<_, _> = pages
        .iter()
        .filter(|(name, _)| !name.starts_with("recipients/"))
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect();
    publish(&folder, &fewer).unwrap();
    assert!(folder.join("index.html").exists() && !folder.join("recipients").exists());

    let own = folder.join("recipients");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("mine.txt"), "mine").unwrap();
    let refused = publish(&folder, &pages).unwrap_err();
    assert!(
        matches!(&refused, PublishError::Foreign { file, .. } if file == "recipients/mine.txt")
    );
    assert_eq!(std::fs::read(own.join("mine.txt")).unwrap(), b"mine");
    assert!(publish(case.workspace.root(), &pages).is_err());
    let beside: Vec<_> = std::fs::read_dir(case.folder.path()).unwrap().collect();
    assert_eq!(beside.len(), 3, "{beside:?}");
}

fn small_report(text: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([("index.html".to_owned(), text.as_bytes().to_vec())])
}

/// Whatever stands under a name that a report takes for a while is somebody's own, if it is no report.
#[test]
fn what_is_beside_a_report_is_removed_only_if_it_is_one() {
    for name in [".report.next", ".report.before"] {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("report");
        publish(&folder, &small_report("first")).unwrap();
        let own = parent.path().join(name);
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("mine.txt"), "mine").unwrap();
        let refused = publish(&folder, &small_report("second")).unwrap_err();
        assert!(matches!(&refused, PublishError::Foreign { file, .. } if file == "mine.txt"));
        assert_eq!(std::fs::read(own.join("mine.txt")).unwrap(), b"mine");
        assert_eq!(std::fs::read(folder.join("index.html")).unwrap(), b"first");
        // What a crash left of a report, whole or not, is in nobody's way.
        std::fs::remove_dir_all(&own).unwrap();
        publish(&own, &small_report("left")).unwrap();
        std::fs::remove_file(own.join("index.html")).unwrap();
        publish(&folder, &small_report("second")).unwrap();
        assert!(!own.exists());
        assert_eq!(std::fs::read(folder.join("index.html")).unwrap(), b"second");
    }
}

/// A crash between the two moves leaves the old report beside its place alone.
#[test]
fn the_report_of_before_is_not_lost_in_a_crash() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("report");
    publish(&folder, &small_report("first")).unwrap();
    let before = parent.path().join(".report.before");
    std::fs::rename(&folder, &before).unwrap();
    // The next report cannot be written: a name in it is a folder's and a file's.
    let mut broken = small_report("second");
    broken.insert("index.html/x".to_owned(), Vec::new());
    publish(&folder, &broken).unwrap_err();
    assert_eq!(std::fs::read(folder.join("index.html")).unwrap(), b"first");
    publish(&folder, &small_report("second")).unwrap();
    assert_eq!(std::fs::read(folder.join("index.html")).unwrap(), b"second");
    assert!(!before.exists());
}
