//! `law review` as an officer runs it: what is printed, and the files that other programs read.

use crate::workbench::{Bench, CIVIL, Ran};

const JULY: &str = "us/hhs/cms-ice-exchange-agreement-2025-07";
const TERMS: &str = "law/us-medicaid/instruments/cms-ice-exchange-agreement-2025-07/agreement.toml";

/// A workspace's file with one change.
fn edit(bench: &Bench, file: &str, from: &str, to: &str) {
    let path = bench.workspace().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&path, text.replace(from, to)).unwrap();
}

fn written(bench: &Bench, name: &str) -> String {
    std::fs::read_to_string(bench.path().join(name)).unwrap()
}

fn reviewed(bench: &Bench, on: &str) -> Ran {
    bench
        .run(&[
            "law",
            "review",
            "--on",
            on,
            "--html",
            "r.html",
            "--calendar",
            "r.ics",
            "--oscal",
            "r.json",
            JULY,
        ])
        .expect(0)
}

#[test]
fn a_review_is_read_by_people_and_by_programs() {
    let bench = Bench::new();
    let ran = reviewed(&bench, "2026-04-01");
    insta::assert_snapshot!("review", ran.stdout);
    assert_eq!(ran.stderr, "");
    let calendar = written(&bench, "r.ics").replace("\r\n", "\n");
    let digest = calendar.find("DESCRIPTION:us-medicaid").unwrap();
    let after = digest + calendar[digest..].find("CATEGORIES").unwrap();
    let calendar = format!("{}[digest]\n{}", &calendar[..digest], &calendar[after..]);
    insta::assert_snapshot!("review_calendar", calendar);
    // The same review gives the same bytes.
    let names = ["r.html", "r.ics", "r.json"];
    let first = names.map(|name| written(&bench, name));
    assert_eq!(reviewed(&bench, "2026-04-01").stdout, ran.stdout);
    assert_eq!(names.map(|name| written(&bench, name)), first);
    // And the files carry no path of this machine.
    let here = bench.path().to_str().unwrap();
    assert!(first.iter().all(|content| !content.contains(here)));

    let json = bench.run(&[
        "law",
        "review",
        "--on",
        "2026-04-01",
        "--format",
        "json",
        JULY,
    ]);
    let json = json.expect(0).json();
    let one = &json["agreements"][0];
    assert_eq!(one["state"], "lapsed");
    assert_eq!(one["findings"][0]["severity"], "high");
    assert_eq!(one["findings"].as_array().unwrap().len(), 17);
    assert_eq!(one["overlaps"][0]["from"], "2025-08-12");
    assert_eq!(one["overlaps"][0]["until"], "2025-09-15");
    let oscal: serde_json::Value = serde_json::from_str(&first[2]).unwrap();
    let results = &oscal["assessment-results"]["results"];
    let findings = results[0]["findings"].as_array().unwrap();
    let not =
        |finding: &&serde_json::Value| finding["target"]["status"]["state"] == "not-satisfied";
    let rules: std::collections::BTreeSet<&str> = one["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert_eq!(findings.iter().filter(not).count(), rules.len());
}

#[test]
fn what_a_law_pack_says_cannot_break_out_of_a_page_or_a_calendar() {
    let bench = Bench::new();
    let hostile = "<script>alert(1)</script>\\\"'&\\u202Ex\\r\\nEND:VEVENT;\\u001b[31m,";
    let instrument = TERMS.replace("agreement.toml", "instrument.toml");
    let short = "short = \"CMS-ICE agreement of July 2025\"";
    edit(
        &bench,
        &instrument,
        short,
        &format!("short = \"{hostile}\""),
    );
    edit(
        &bench,
        TERMS,
        "words = \"bank data\"",
        &format!("words = \"{hostile}\""),
    );
    edit(
        &bench,
        TERMS,
        "name = \"one list\"",
        &format!("name = \"{hostile}\""),
    );
    let ran = reviewed(&bench, "2026-04-01");
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stdout.contains('\u{202e}'));
    let page = written(&bench, "r.html");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("<script") && !page.contains('\u{202e}') && !page.contains('\u{1b}'));
    let calendar = written(&bench, "r.ics");
    let lines: Vec<&str> = calendar.split("\r\n").collect();
    let count = |line: &str| lines.iter().filter(|l| **l == line).count();
    assert_eq!(count("BEGIN:VEVENT"), count("END:VEVENT"));
    assert_eq!(count("BEGIN:VEVENT"), 4);
    assert!(lines.iter().all(|line| line.len() <= 75));
    assert!(
        lines
            .iter()
            .all(|line| !line.contains(['\n', '\r', '\u{1b}']))
    );
    let results = written(&bench, "r.json");
    assert!(
        results
            .chars()
            .all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic())
    );
}

#[test]
fn a_request_that_relies_on_what_has_lapsed_is_named() {
    let bench = Bench::new();
    let request = format!("authority = [\"{JULY}\"]\n{CIVIL}");
    let path = bench.workspace().join("requests/civil.toml");
    std::fs::write(path, request).unwrap();
    let ran = bench
        .run(&["law", "review", "--on", "2026-04-01", JULY])
        .expect(0);
    assert!(
        ran.stdout.contains("the request requests/civil.toml"),
        "{}",
        ran.stdout
    );
}

#[test]
fn only_what_is_an_agreement_can_be_reviewed() {
    let bench = Bench::new();
    let unknown = bench
        .run(&["law", "review", "us/hhs/cms-ice"])
        .expect_error(3);
    assert!(unknown.contains("unknown instrument"), "{unknown}");
    let statute = bench
        .run(&["law", "review", "us/usc/8/1360-b"])
        .expect_error(3);
    assert!(statute.contains("is a statute"), "{statute}");
    let nowhere = bench
        .run(&["law", "review", JULY, "--html", "none/r.html"])
        .expect_error(1);
    assert!(nowhere.contains("cannot write"), "{nowhere}");
}
