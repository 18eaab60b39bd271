//! Accounts as exhibits: what of them is in charts and the matrix, and what a sealed one says.

use std::collections::BTreeMap;

use chancery_account::exhibit::{Caption, Cell, ExhibitData, Fate, Matrix, exhibit};
use chancery_account::{About, Account, Amount, Copy, Filing, Sources, bundle};

use crate::case::{Case, ORDER, exactly};
use crate::pages::Pages;

/// Enough for a class of each kind.
const PEOPLE: u64 = 1500;

type Filed = (ExhibitData, BTreeMap<String, Vec<u8>>);

fn everything() -> About {
    About::Period {
        from: "2025-01-01".parse().unwrap(),
        to: "2026-12-31".parse().unwrap(),
    }
}

fn account(about: &About, copy: Copy, sources: Sources<'_>) -> Account {
    Account::of(about, copy, sources).unwrap()
}

fn filed(case: &Case, about: &About, copy: Copy, sources: Sources<'_>) -> Filed {
    let caption = Caption {
        counsel: Vec::new(),
        court: vec!["A court".to_owned()],
        plaintiffs: "A".to_owned(),
        defendants: "B".to_owned(),
        case_number: "1".to_owned(),
        exhibit: "A".to_owned(),
        title: "What left".to_owned(),
    };
    let filing = Filing {
        date: "2026-04-20".parse().unwrap(),
        caption,
        declaration: None,
        mark: None,
    };
    let account = account(about, copy, sources);
    filing.exhibit(&case.workspace, sources, &account).unwrap()
}

fn sum(cells: &[Cell]) -> u64 {
    let counts = cells.iter().map(|cell| match cell {
        Cell::Count(count) => *count,
        Cell::Hidden(words) => panic!("{words}"),
    });
    counts.sum()
}

#[test]
fn charts_have_four_bars_at_most_and_the_accounts_figures() {
    let case = Case::with_releases(PEOPLE);
    case.immigration_for(&["medicaid_id", "phone"], "2025-07-21");
    case.immigration_for(&["medicaid_id", "name"], "2025-07-22");
    let books = case.counted();
    let account = account(&everything(), Copy::Custodian, books.sources());
    let (data, _) = filed(&case, &everything(), Copy::Custodian, books.sources());
    let months: Vec<u64> = account.by_month.iter().map(exactly).collect();
    assert!(account.by_class.len() > 4 && months.len() > 2, "{months:?}");
    let titles: Vec<&str> = data
        .charts
        .iter()
        .map(|chart| chart.title.as_str())
        .collect();
    assert_eq!(
        titles,
        [
            "People by what left about them, by month",
            "People by origin, by month"
        ]
    );
    for chart in &data.charts {
        assert!(chart.classes.len() <= 4, "{:?}", chart.classes);
        let sums: Vec<u64> = chart
            .periods
            .iter()
            .map(|period| sum(&period.counts))
            .collect();
        assert_eq!(sums, months, "{}", chart.title);
        assert!(chart.periods[0].label.contains("July 2025"));
        for period in &chart.periods {
            assert!(chart.alternative.contains(&period.label));
        }
    }
    let classes = &data.charts[0].classes;
    assert!(classes[0].starts_with("Class 1: ") && classes[3].starts_with("All others: "));
    assert!(
        data.charts[1]
            .classes
            .iter()
            .any(|name| name == "California (06)")
    );
}

/// A bar that others see is a sum of counts that the account shows others.
#[test]
fn what_is_suppressed_in_the_account_has_no_bar() {
    let case = Case::with_releases(300);
    let books = case.counted();
    let shown = account(&everything(), Copy::Others, books.sources());
    let (data, _) = filed(&case, &everything(), Copy::Others, books.sources());
    let mut hidden = 0;
    for (month, period) in shown.over_time.iter().zip(&data.charts[0].periods) {
        let (mut left, mut all_shown) = (0, true);
        for group in &month.by_class {
            left += group.disclosures.count.number().unwrap_or(0);
            all_shown &= matches!(group.disclosures.count, Amount::Exactly(_));
        }
        let bars = period.counts.iter().filter_map(|cell| match cell {
            Cell::Count(count) => Some(count),
            Cell::Hidden(_) => None,
        });
        let drawn: u64 = bars.sum();
        assert!(drawn <= left);
        assert!(!all_shown || drawn == left);
        hidden += period
            .counts
            .iter()
            .filter(|cell| matches!(cell, Cell::Hidden(_)))
            .count();
    }
    assert!(hidden > 0, "nothing was suppressed");
}

#[test]
fn one_bar_is_no_chart() {
    let case = Case::new(PEOPLE);
    case.oversight("2026-01-12");
    let books = case.books();
    let (data, _) = filed(&case, &everything(), Copy::Custodian, books.sources());
    assert!(data.charts.is_empty(), "{:?}", data.charts);
}

fn fates(matrix: &Matrix, part: &str) -> Vec<Fate> {
    let mut rows = matrix.rows.iter();
    rows.find(|row| row.element.contains(part))
        .unwrap()
        .fates
        .clone()
}

#[test]
fn what_was_lawful_and_not_asked_for_is_allowed() {
    let case = Case::new(PEOPLE);
    case.oversight("2026-01-12");
    let books = case.books();
    let (mut data, _) = filed(&case, &everything(), Copy::Custodian, books.sources());
    let matrix = data.matrices.pop().unwrap();
    assert_eq!(fates(&matrix, "date of birth")[0], Fate::Released);
    assert_eq!(
        fates(&matrix, "Social Security number (not asked for)")[0],
        Fate::Allowed
    );
    let text = Pages::of(
        &exhibit(&ExhibitData {
            matrices: vec![matrix],
            ..data
        })
        .unwrap(),
    )
    .text();
    assert!(
        text.contains("“Allowed”: it was lawful and did not leave."),
        "{text}"
    );
    assert!(!text.contains("“Withheld”"), "{text}");

    // Of a request for everything there is nothing that was not asked for.
    case.immigration("2026-01-13");
    let books = case.books();
    let (mut data, _) = filed(&case, &everything(), Copy::Custodian, books.sources());
    let rows = data.matrices.pop().unwrap().rows;
    assert!(
        rows.iter()
            .all(|row| !row.element.contains("not asked for")),
        "{rows:?}"
    );
}

#[test]
fn groups_are_said_by_who_they_are() {
    let case = Case::with_releases(PEOPLE);
    let about = About::Order {
        instrument: ORDER.to_owned(),
    };
    let books = case.books();
    let (mut data, _) = filed(&case, &about, Copy::Custodian, books.sources());
    let matrix = data.matrices.pop().unwrap();
    let before = data.matrices.pop().unwrap();
    assert!(before.title.contains("July 20, 2025") && matrix.title.contains("January 10, 2026"));
    assert_eq!(
        fates(&before, "middle and last name"),
        [Fate::Released, Fate::Withheld]
    );
    assert_eq!(matrix.groups.len(), 4);
    let who: Vec<&str> = matrix
        .groups
        .iter()
        .map(|group| group.who.as_str())
        .collect();
    assert!(who[0].ends_with("(citizenship: noncitizen)."), "{who:?}");
    assert!(who[1].contains("presence: not lawful"), "{who:?}");
    assert!(who[3].starts_with("Everybody else"), "{who:?}");
    assert!(
        matrix
            .notes
            .iter()
            .any(|note| note.contains("California (06)"))
    );
    assert_eq!(
        fates(&matrix, "middle and last name")[..2],
        [Fate::Released, Fate::Withheld]
    );
    assert!(matrix.rows.iter().all(|row| row.fates[3] == Fate::Withheld));
}

#[test]
fn of_many_groups_the_largest_six_have_a_column() {
    let case = Case::with_releases(PEOPLE);
    let books = case.books();
    let mut facts = books.facts.clone();
    let release = facts.releases.last_mut().unwrap();
    let manifest = release.manifest.as_mut().unwrap();
    let everybody = manifest.classes[0].clone();
    for people in 1..=7 {
        let mut few = everybody.clone();
        few.subjects = chancery_release::Shown::Count(people);
        few.elements.truncate(1);
        manifest.classes.push(few);
    }
    let sources = Sources {
        facts: &facts,
        ..books.sources()
    };
    let (mut data, _) = filed(&case, &everything(), Copy::Custodian, sources);
    let matrix = data.matrices.pop().unwrap();
    let people: Vec<&Cell> = matrix.groups.iter().map(|group| &group.people).collect();
    assert_eq!(people.len(), 6);
    assert_eq!(people[0], &Cell::Count(PEOPLE));
    assert!(
        people[1..]
            .iter()
            .all(|people| matches!(people, Cell::Count(3..=7)))
    );
    let note = "2 groups of fewer people are not shown.";
    assert!(
        matrix.notes.iter().any(|said| said == note),
        "{:?}",
        matrix.notes
    );
}

/// Nothing is made up of a release whose law is not here.
#[test]
fn another_law_pack_says_nothing_of_what_was_lawful() {
    let case = Case::with_releases(PEOPLE);
    let mut other = case.law.clone();
    other.digest = chancery_model::Digest::from_bytes([7; 32]);
    let law = chancery_account::Law::new(&other);
    let books = case.books();
    let sources = Sources {
        law: &law,
        ..books.sources()
    };
    let (mut data, _) = filed(&case, &everything(), Copy::Custodian, sources);
    let matrix = data.matrices.pop().unwrap();
    assert!(
        matrix
            .rows
            .iter()
            .all(|row| !row.fates.contains(&Fate::Allowed))
    );
    assert!(
        matrix.notes[0].contains("is not known here"),
        "{:?}",
        matrix.notes
    );
}

fn archived(zip: &[u8], name: &str) -> String {
    use std::io::Read as _;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut text = String::new();
    let mut file = archive.by_name(name).unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_sealed_exhibit_says_so_on_every_page() {
    let case = Case::with_releases(300);
    let books = case.counted();
    let texts = [Copy::Custodian, Copy::Others].map(|copy| {
        let (data, _) = filed(&case, &everything(), copy, books.sources());
        let readme = archived(&bundle(&data, &BTreeMap::new()).unwrap(), "README.txt");
        assert_eq!(readme.contains("FILED UNDER SEAL"), copy == Copy::Custodian);
        let pages = Pages::of(&exhibit(&data).unwrap());
        let count: usize = pages.info("Pages").parse().unwrap();
        (pages.text(), count)
    });
    let [(sealed, pages), (open, _)] = texts;
    assert_eq!(sealed.matches("FILED UNDER SEAL").count(), pages);
    assert!(
        sealed.contains("Every count of people is exact"),
        "{sealed}"
    );
    assert!(!sealed.contains("No count from 1 to 10"), "{sealed}");
    assert!(
        open.contains("No count from 1 to 10 people is shown"),
        "{open}"
    );
    assert!(
        !open.contains("FILED UNDER SEAL") && !open.contains("is exact"),
        "{open}"
    );
}

/// A manifest has the counts of its release as they are.
#[test]
fn an_open_bundle_has_no_manifest_that_tells_what_it_suppresses() {
    let case = Case::with_releases(300);
    let books = case.counted();
    let manifests = |copy| {
        let (_, evidence) = filed(&case, &everything(), copy, books.sources());
        let paths = evidence
            .into_keys()
            .filter(|path| path.ends_with("manifest.dsse.json"));
        paths.count()
    };
    assert_eq!(manifests(Copy::Custodian), books.facts.releases.len());
    assert!(manifests(Copy::Others) < books.facts.releases.len());
}

#[test]
fn the_same_account_is_the_same_bundle() {
    let case = Case::with_releases(300);
    let books = case.counted();
    let bundles = [(); 2].map(|()| {
        let (data, evidence) = filed(&case, &everything(), Copy::Others, books.sources());
        bundle(&data, &evidence).unwrap()
    });
    assert!(bundles[0] == bundles[1]);
}
