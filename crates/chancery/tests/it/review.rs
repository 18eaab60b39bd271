//! `law review` as an officer runs it: what is printed, and the files that other programs read.

use crate::workbench::{Bench, CIVIL, Ran, chancery};

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
    assert_eq!(one["findings"].as_array().unwrap().len(), 18);
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
    let hostile = "<script>alert(1)</script>\\\"'&x\\nEND:VEVENT;[31m,";
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
    assert!(ran.stdout.contains("<script>"), "{}", ran.stdout);
    let page = written(&bench, "r.html");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("<script"));
    let calendar = written(&bench, "r.ics");
    let lines: Vec<&str> = calendar.split("\r\n").collect();
    let count = |line: &str| lines.iter().filter(|l| **l == line).count();
    assert_eq!(count("BEGIN:VEVENT"), count("END:VEVENT"));
    assert_eq!(count("BEGIN:VEVENT"), 4);
    assert!(lines.iter().all(|line| line.len() <= 75));
    assert!(lines.iter().all(|line| !line.contains(['\n', '\r'])));
    let results = written(&bench, "r.json");
    assert!(
        results
            .chars()
            .all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic())
    );
}

#[test]
fn every_form_says_by_what_was_known_and_that_permits_count() {
    let bench = Bench::new();
    let files = [
        "--html",
        "r.html",
        "--calendar",
        "r.ics",
        "--oscal",
        "r.json",
    ];
    let mut args = vec!["law", "review", "--on", "2026-04-01", JULY];
    args.extend(files);
    let plain = bench.run(&args).expect(0);
    assert!(!plain.stdout.contains("as known"), "{}", plain.stdout);
    let unknown = written(&bench, "r.json");
    args.extend(["--as-known", "2026-01-31"]);
    let text = bench.run(&args).expect(0).stdout;
    assert!(text.contains("as known on 31 January 2026"), "{text}");
    let signed = "Permits count as if they were signed off";
    assert!(text.contains(signed), "{text}");
    let page = written(&bench, "r.html");
    assert!(page.contains("as known on 31 January 2026") && page.contains(signed));
    let calendar = written(&bench, "r.ics").replace("\r\n ", "");
    assert!(calendar.contains("As known on 2026-01-31"));
    let known = written(&bench, "r.json");
    let oscal: serde_json::Value = serde_json::from_str(&known).unwrap();
    let root = &oscal["assessment-results"];
    let props = root["metadata"]["props"].as_array().unwrap();
    let prop = props
        .iter()
        .find(|prop| prop["name"] == "as-known")
        .unwrap();
    assert_eq!(prop["value"], "2026-01-31");
    assert!(
        root["metadata"]["remarks"]
            .as_str()
            .unwrap()
            .contains(signed)
    );
    assert!(
        root["results"][0]["remarks"]
            .as_str()
            .unwrap()
            .contains(signed)
    );
    let before: serde_json::Value = serde_json::from_str(&unknown).unwrap();
    assert_ne!(root["uuid"], before["assessment-results"]["uuid"]);
    args.extend(["--format", "json"]);
    let json = bench.run(&args).expect(0).json();
    assert_eq!(json["as_known"], "2026-01-31");
    // Every resource is referred to.
    let resources = root["back-matter"]["resources"].as_array().unwrap();
    for resource in resources {
        let uuid = resource["uuid"].as_str().unwrap();
        assert!(
            known.contains(&format!("\"href\": \"#{uuid}\"")),
            "{resource}"
        );
    }
}

#[test]
fn a_page_sums_up_the_overlaps_first_and_says_each_once() {
    let bench = Bench::new();
    reviewed(&bench, "2026-04-01");
    let page = written(&bench, "r.html");
    let at = |text: &str| page.find(text).unwrap();
    assert!(at("id=\"overlaps\"") < at("id=\"summary\""));
    // The order bars the same in the first term and in a renewal.
    let both = "2025-08-12 to 2025-09-15; 2025-09-16 to 2026-01-05 if renewed";
    assert_eq!(page.matches(both).count(), 1);
    assert!(page.contains("immigration-enforcement itself, not /civil or /criminal"));
}

#[test]
fn where_law_is_signed_off_the_review_shows_how_far() {
    let bench = Bench::empty();
    let mut init = chancery();
    init.arg("init").arg(bench.workspace());
    assert!(init.output().unwrap().status.success());
    let ran = reviewed(&bench, "2026-04-01");
    let row = ran
        .stdout
        .lines()
        .find(|line| line.contains("lapsed "))
        .unwrap();
    assert!(row.ends_with("unsigned"), "{row}");
    assert!(written(&bench, "r.html").contains("<td>unsigned</td>"));
    assert!(written(&bench, "r.json").contains("\"sign-off\""));
    let demo = Bench::new();
    assert!(!reviewed(&demo, "2026-04-01").stdout.contains("unsigned"));
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
    let words: Vec<&str> = ran.stdout.split_whitespace().collect();
    let words = words.join(" ");
    assert!(words.contains("the request requests/civil.toml"), "{words}");
    assert!(words.contains("high: it lapsed on 15 September 2025 and is still relied upon"));
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
