use chancery_account::exhibit::{Period, exhibit};

use crate::pages::Pages;
use crate::samples;

#[test]
fn an_exhibit_is_an_archival_and_accessible_document() {
    let data = samples::exhibit();
    let pages = Pages::of(&exhibit(&data).unwrap());
    pages.check(&format!("Exhibit A: {}", data.caption.title), "en-US");
    let structure = pages.structure();
    for tag in ["H1", "H2", "TH", "TD", "Figure", "Caption", "LBody"] {
        assert!(structure.contains(tag), "{tag} is not in {structure}");
    }
    let text = pages.text();
    let count: usize = pages.info("Pages").parse().unwrap();
    for page in 1..=count {
        assert!(text.contains(&format!("Page {page} of {count}")), "{text}");
    }
    assert!(text.matches("Exhibit A").count() >= count, "{text}");
}

#[test]
fn an_exhibit_says_what_it_was_given() {
    let data = samples::exhibit();
    let text = Pages::of(&exhibit(&data).unwrap()).text();
    for part in [
        "Case No. 3:25-cv-05536",
        "5. No release to that agency has been recalled",
        "[Ledger entries 7–9, 12, 15–18, 22, 27, 31]",
        "suppressed",
        "11,187",
        "Released",
        "Withheld",
        "Interpretation 2: 8 USC 1360(b)",
        "28 U.S.C. § 1746",
        &data.charts[0].alternative,
        &data.releases[0].manifest,
        &data.appendix.entries[0].leaf,
        &data.appendix.root,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn the_same_exhibit_is_the_same_bytes() {
    let data = samples::exhibit();
    assert_eq!(exhibit(&data).unwrap(), exhibit(&data).unwrap());
}

#[test]
fn what_is_not_there_has_no_heading() {
    let mut data = samples::exhibit();
    data.releases.clear();
    data.charts.clear();
    data.matrices.clear();
    data.instruments.clear();
    data.interpretations.clear();
    data.declaration = None;
    data.caption.counsel.clear();
    data.appendix.entries.clear();
    let pages = Pages::of(&exhibit(&data).unwrap());
    pages.check(&format!("Exhibit A: {}", data.caption.title), "en-US");
    let text = pages.text();
    for heading in [
        "Releases",
        "Elements and groups",
        "Interpretations",
        "Declaration",
    ] {
        assert!(!text.contains(heading), "{heading} is in {text}");
    }
    // Appendices are lettered as they are there.
    assert!(text.contains("Appendix B. Public keys"), "{text}");
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let mut data = samples::exhibit();
    data.charts[0].periods.push(Period {
        label: "x".to_owned(),
        counts: Vec::new(),
    });
    assert_eq!(
        exhibit(&data).unwrap_err().to_string(),
        "cannot typeset: a chart's period has not one count for each class"
    );
    let mut data = samples::exhibit();
    data.matrices[0].rows[0].fates.pop();
    assert!(exhibit(&data).is_err());
    let mut data = samples::exhibit();
    data.charts[0].classes = vec![String::new(); 5];
    assert!(exhibit(&data).is_err());
}

#[test]
fn long_tables_repeat_their_headers() {
    let mut data = samples::exhibit();
    let row = data.releases[0].clone();
    data.releases = vec![row; 60];
    let pages = Pages::of(&exhibit(&data).unwrap());
    pages.check(&format!("Exhibit A: {}", data.caption.title), "en-US");
    let headers = pages.text().matches("Recipient").count();
    assert!(headers >= 6, "{headers}");
}
