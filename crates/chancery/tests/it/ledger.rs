//! What people see of the ledger: every kind of entry, the filters, and what the program cannot
//! read.

use std::collections::BTreeMap;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use crate::workbench::{Bench, CIVIL, Ran, chancery, files, repository};

/// Appends entries to a workspace's ledger, as another program would.
fn append(bench: &Bench, entries: &[Vec<u8>]) {
    let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    bench.ledger().append_batch(&entries).unwrap();
}

/// The test vectors of the documentation, which know one entry of every kind.
fn vectors() -> BTreeMap<String, Vec<u8>> {
    let found = files(&repository().join("docs/vectors/ledger"));
    let read = |(name, path): (String, _)| (name, std::fs::read::<&Path>(path).unwrap());
    found
        .iter()
        .map(|(name, path)| read((name.clone(), path.as_path())))
        .collect()
}

/// A ledger with every vector, and with entries that are made to mislead a terminal.
fn full() -> (Bench, Vec<Vec<u8>>) {
    let bench = Bench::new();
    let mut entries: Vec<Vec<u8>> = vectors().into_values().collect();
    entries.extend([
        b"{\"type\":\"\\u001b[2Jcleared\\u202e\",\"version\":7}".to_vec(),
        "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}desrever\r\n".into(),
        b"\xff\xfe\x00\x1b[31m".to_vec(),
        Vec::new(),
    ]);
    append(&bench, &entries);
    (bench, entries)
}

/// Without the first entry's time, which is that of the run.
fn without_first_time(text: &str) -> String {
    let mut lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
    for line in lines
        .iter_mut()
        .filter(|line| line.trim_start().starts_with("0 "))
    {
        let (before, after) = line.split_once("20").unwrap();
        *line = format!("{before}[time]{}", after.split_once('Z').unwrap().1);
    }
    lines.join("\n")
}

#[test]
fn every_kind_is_listed_and_what_cannot_be_read_as_well() {
    let (bench, entries) = full();
    let shown = bench.run(&["ledger", "show"]).expect(0).stdout;
    insta::assert_snapshot!("ledger_show", without_first_time(&shown));
    for index in 0..=entries.len() {
        let begins = |line: &str| line.trim_start().starts_with(&format!("{index} "));
        assert!(shown.lines().any(begins), "{index} is not shown");
    }
}

#[test]
fn nothing_in_an_entry_drives_the_terminal() {
    let (bench, _) = full();
    for args in [
        &["ledger", "show"][..],
        &["ledger", "show", "--format", "json"],
        &["ledger", "show", "--type", "unreadable"],
        &["ledger", "export"],
    ] {
        let shown = bench.run(args).expect(0).stdout;
        let plain =
            |c: char| c == '\n' || c == '–' || c == '─' || c == '…' || (' '..='~').contains(&c);
        let bad: Vec<char> = shown.chars().filter(|c| !plain(*c)).collect();
        assert!(bad.is_empty(), "{args:?}: {bad:?}");
    }
}

#[test]
fn an_export_has_every_entry_byte_for_byte() {
    let (bench, entries) = full();
    let export = bench.run(&["ledger", "export"]).expect(0).stdout;
    assert_eq!(export.lines().count(), entries.len() + 1);
    for (at, line) in export.lines().enumerate().skip(1) {
        let expected = &entries[at - 1];
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["index"], at);
        // What is known stands there in its own form.
        let own = || line.split_once(r#""entry":"#).unwrap().1;
        let own = || own().strip_suffix('}').unwrap().into();
        let bytes = value["bytes"]
            .as_str()
            .map(|bytes| BASE64_STANDARD.decode(bytes).unwrap());
        let bytes = bytes.unwrap_or_else(own);
        assert_eq!(bytes, *expected, "{line}");
        if let Some(text) = value["text"].as_str() {
            assert_eq!(text.as_bytes(), expected);
        }
        let hash = chancery_release::entry::leaf_hash(expected).hex();
        assert_eq!(value["leaf_hash"], hash);
    }
    let count = |field: &str| export.matches(&format!(r#","{field}":"#)).count();
    assert_eq!(count("unknown"), 3);
    assert_eq!(count("unreadable"), 16);
}

/// The indices of what a filter shows, and how many may fit as well.
fn shown(bench: &Bench, filter: &[&str]) -> (Vec<Value>, u64) {
    let args = [&["ledger", "show", "--format", "json"], filter].concat();
    let report = bench.run(&args).expect(0).json();
    let entries = report["entries"].as_array().unwrap().clone();
    (entries, report["untold"].as_u64().unwrap())
}

#[test]
fn filters_narrow_and_own_up_to_what_they_cannot_tell() {
    let (bench, _) = full();
    let kinds = |filter: &[&str]| {
        let (entries, untold) = shown(&bench, filter);
        let kind = |line: &Value| line["entry"]["type"].as_str().unwrap_or("–").to_owned();
        (entries.iter().map(kind).collect::<Vec<_>>(), untold)
    };
    let cannot_tell = 19;
    assert_eq!(
        kinds(&["--type", "recall"]),
        (vec!["recall".to_owned(); 2], 0)
    );
    assert_eq!(kinds(&["--type", "erratum"]), (vec!["–".to_owned()], 0));
    assert_eq!(kinds(&["--type", "unreadable"]).0.len(), 16);
    assert_eq!(kinds(&["--type", "nothing"]), (vec![], 0));
    let dhs = [
        "destruction",
        "recall",
        "recall",
        "refusal",
        "release",
        "release",
        "use_statement",
    ];
    assert_eq!(
        kinds(&["--recipient", "dhs"]),
        (dhs.map(str::to_owned).into(), cannot_tell)
    );
    assert_eq!(kinds(&["--recipient", "dh"]).0, [""; 0]);
    let from = kinds(&["--dataset", "tmsis-2025-12"]).0;
    assert_eq!(from, ["refusal", "release", "release"]);
    let order = kinds(&["--id", "us/cand/3-25-cv-05536/order-2025-12-29"]).0;
    assert_eq!(order, ["recall", "sign_off", "sign_off"]);
    let release = kinds(&["--id", "2026-01-10-dhs-ice-5d6b1a90", "--type", "abort"]).0;
    assert_eq!(release, ["abort"]);
    // The vectors are of 10 January 2026, and the workspace is of today.
    let that_day = kinds(&["--since", "2026-01-10", "--until", "2026-01-10"]).0;
    assert_eq!(that_day.len(), 20);
    assert_eq!(kinds(&["--until", "2026-01-09"]), (vec![], cannot_tell));
    let last = kinds(&["--until", "2026-01-10", "--last", "2"]).0;
    assert_eq!(last, ["use_statement", "workspace"]);
    assert_eq!(kinds(&["--last", "0"]).0, [""; 0]);
    let text = bench.run(&["ledger", "show", "--recipient", "dhs/ice", "--last", "1"]);
    insta::assert_snapshot!("ledger_show_filtered", text.expect(0).stdout);
    let none = bench.run(&["ledger", "show", "--type", "none"]).expect(0);
    assert_eq!(none.stdout, "None of 40 entries fits.\n");
}

#[test]
fn a_bad_day_is_refused() {
    let bench = Bench::new();
    bench
        .run(&["ledger", "show", "--since", "yesterday"])
        .expect(1);
}

/// What a release writes is found again by the words of its request.
#[test]
fn a_refusal_is_found_by_its_recipient() {
    let bench = Bench::with_people();
    let civil = bench.file("civil.toml", CIVIL);
    let civil = civil.to_str().unwrap();
    bench
        .run(&["release", civil, "--on", "2025-06-01"])
        .expect(2);
    let (entries, untold) = shown(&bench, &["--recipient", "dhs/ice", "--dataset", "tmsis"]);
    assert_eq!((entries.len(), untold), (1, 0));
    assert_eq!(entries[0]["entry"]["outcome"], "denied");
    let recorded = entries[0]["entry"]["recorded"].as_str().unwrap();
    assert_eq!(
        recorded.len(),
        "2026-01-10T12:00:00Z".len(),
        "whole seconds"
    );
}

#[test]
fn a_ledger_whose_name_cannot_stand_in_it_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("w");
    for name in ["caf\u{e9}/ledger", "member-900123456"] {
        let mut init = chancery();
        init.arg("init").arg(&dir).args(["--ledger", name]);
        let error = Ran::of(init).expect_error(3);
        assert!(
            error.contains("`ledger`") && !error.contains("900123456"),
            "{error}"
        );
        assert!(!dir.join("keys").exists(), "no key is made for it");
    }
}

/// A name that must not stand in a ledger is refused before anything is decided.
#[test]
fn a_request_for_a_dataset_named_like_a_person_is_refused() {
    let bench = Bench::new();
    bench.add_people("member-900123456");
    bench.file("r.toml", CIVIL.replace("\"tmsis\"", "\"member-900123456\""));
    let error = bench.run(&["decide", "r.toml"]).expect_error(3);
    assert!(error.contains("cannot stand in the ledger"), "{error}");
    bench.run(&["release", "r.toml"]).expect_error(3);
    assert_eq!(bench.logged(), ["workspace"]);
    bench.expect_nothing_left();
}
