//! How the command speaks: exit codes, what goes where, and whole commands as they are seen.

use serde_json::Value;

use crate::workbench::{Bench, CIVIL, INTEGRITY, Ran, chancery};

fn bare(args: &[&str]) -> Ran {
    let mut command = chancery();
    command.args(args);
    Ran::of(command)
}

/// A run as a reader sees it, without what differs from one run to the next.
fn seen(bench: &Bench, ran: &Ran) -> String {
    let text = format!(
        "exit {}\n--- stdout\n{}--- stderr\n{}",
        ran.code.unwrap(),
        ran.stdout,
        ran.stderr
    );
    let text = text.replace(bench.path().to_str().unwrap(), "[folder]");
    // A digest is 64 digits, or the first 12 of them.
    let mut parts = text.split("sha256:");
    let mut clean = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        clean = clean + "sha256:[digest]" + rest;
    }
    clean
}

#[test]
fn the_first_page_lists_the_commands() {
    let help = bare(&["--help"]).expect(0);
    insta::assert_snapshot!("help", help.stdout);
    assert_eq!(help.stderr, "");
    // Not 2, which says that a request was denied.
    let nothing = bare(&[]).expect(1);
    assert_eq!(nothing.stdout, "");
    bare(&["decide"]).expect(1);
    bare(&["--version"]).expect(0);
}

#[test]
fn shells_and_manuals_are_served() {
    for shell in ["bash", "zsh", "fish"] {
        let script = bare(&["completions", shell]).expect(0).stdout;
        assert!(
            script.contains("chancery") && script.contains("decide"),
            "{shell}"
        );
    }
    let page = bare(&["man"]).expect(0).stdout;
    assert!(page.contains(".TH chancery 1") && page.contains("release"));
    let folder = tempfile::tempdir().unwrap();
    bare(&["man", folder.path().to_str().unwrap()]).expect(0);
    assert!(folder.path().join("chancery-decide.1").exists());
}

#[test]
fn a_valid_law_pack_is_said_to_be_valid() {
    let bench = Bench::new();
    let ran = bench.run(&["law", "check", "--on", "2026-01-10"]).expect(0);
    insta::assert_snapshot!("law_check", seen(&bench, &ran));
}

#[test]
fn exported_law_is_a_folder_that_was_not_there() {
    let bench = Bench::with_people();
    let civil = bench.file("civil.toml", CIVIL);
    let folder = bench.path().join("bundle");
    let (civil, bundle) = (civil.to_str().unwrap(), folder.to_str().unwrap());
    let export = ["law", "export", civil, "--on", "2026-01-10", "-o", bundle];
    let ran = bench.run(&export).expect(0);
    assert!(ran.stdout.contains("25 policies"), "{ran:?}");
    let table = std::fs::read_to_string(folder.join("decisions.csv")).unwrap();
    assert!(table.contains(",ALLOW,us/fr/90-53324#biographical-contact-location,yes\n"));
    // Nothing is overwritten, and nothing is written for a record that cannot be.
    assert!(bench.run(&export).expect_error(1).contains("already there"));
    let other = bench.path().join("other");
    let record = [
        "law",
        "export",
        "--on",
        "2026-01-10",
        "--record",
        "origin=CA",
        "-o",
    ];
    let record = [&record[..], &[other.to_str().unwrap()]].concat();
    let said = bench.run(&record).expect_error(3);
    assert!(said.contains("`origin` has no such value"), "{said}");
    assert!(!other.exists());
}

#[test]
fn a_denial_is_data_and_ends_with_two() {
    let bench = Bench::with_people();
    let civil = bench.file("civil.toml", CIVIL);
    let civil = civil.to_str().unwrap();
    let ran = bench
        .run(&["decide", civil, "--on", "2025-06-01"])
        .expect(2);
    insta::assert_snapshot!("decide_denied", seen(&bench, &ran));
    let ran = bench
        .run(&["release", civil, "--on", "2025-06-01"])
        .expect(2);
    assert!(ran.stdout.contains("Nothing was released"), "{ran:?}");
    assert_eq!(bench.logged(), ["workspace", "refusal"]);
    bench.expect_nothing_left();
}

#[test]
fn an_unknown_agency_is_pointed_at() {
    let bench = Bench::with_people();
    bench.file("r.toml", CIVIL.replace("dhs/ice", "dhs/ise"));
    let ran = bench.run(&["decide", "r.toml"]);
    insta::assert_snapshot!("unknown_agency", seen(&bench, &ran));
    ran.expect_error(3);
}

#[test]
fn every_command_has_a_json_face() {
    let bench = Bench::with_people();
    bench.file("integrity.toml", INTEGRITY);
    let on = ["--on", "2026-01-10"];
    let json = |args: &[&str]| -> Value {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        let ran = bench.run(&all).expect(0);
        // A new workspace without a passphrase is warned of, and nothing else says a word.
        let is_quiet = ran.stderr.is_empty() || args[0] == "init";
        assert!(is_quiet, "{args:?}: {}", ran.stderr);
        ran.json()
    };
    let id = json(&["release", "integrity.toml", on[0], on[1]])["id"].clone();
    let id = id.as_str().unwrap();
    for args in [
        &["dataset", "show", "tmsis"][..],
        &["dataset", "profile", "tmsis"],
        &["law", "list", on[0], on[1]],
        &["law", "show", "us/usc/8/1360-b"],
        &["law", "check"],
        &["law", "prove", on[0], on[1]],
        &["decide", "integrity.toml", on[0], on[1]],
        &["verify", id],
        &["ledger", "fsck"],
    ] {
        let value = json(args);
        assert!(value.is_object() || value.is_array(), "{args:?}: {value}");
    }
    let out = bench.path().join("out");
    json(&[
        "synth",
        out.to_str().unwrap(),
        "--kind",
        "tmsis",
        "--people",
        "20",
        "--states",
        "06",
    ]);
    let other = bench.path().join("other");
    json(&["init", other.to_str().unwrap()]);
    for line in bench.run(&["ledger", "export"]).expect(0).stdout.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    bench.run(&["ledger", "checkpoint"]).expect(0);
    bench.run(&["ledger", "prove", id]).expect(0);
    bench
        .run(&["ledger", "prove", "no-such-release"])
        .expect_error(1);
}

#[test]
fn a_failure_ends_with_one_and_a_hint() {
    let outside = tempfile::tempdir().unwrap();
    let mut command = chancery();
    command
        .arg("-C")
        .arg(outside.path())
        .args(["ledger", "fsck"]);
    let error = Ran::of(command).expect_error(1);
    assert!(error.contains("no workspace"), "{error}");
    let bench = Bench::new();
    let again = bare(&["init", bench.workspace().to_str().unwrap()]);
    again.expect_error(3);
    bench.run(&["verify", "no-such-release"]).expect(1);
    bench.run(&["dataset", "show", "nobody"]).expect_error(1);
    bench.run(&["law", "show", "us/nothing"]).expect(3);
}

/// Outside a demonstration unsigned law lets nothing go, and only today's law is released under.
#[test]
fn a_workspace_of_record_releases_under_signed_law_of_today_alone() {
    let bench = Bench::with_people();
    let config = bench.workspace().join("chancery.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace("demonstration = true", "demonstration = false"),
    )
    .unwrap();
    bench.file("integrity.toml", INTEGRITY);
    let error = bench.run(&["release", "integrity.toml", "--on", "2026-01-10"]);
    let error = error.expect_error(3);
    assert!(error.contains("2026-01-10"), "{error}");
    bench
        .run(&["decide", "integrity.toml", "--on", "2026-01-10"])
        .expect(2);
    bench.run(&["release", "integrity.toml"]).expect(2);
    bench.expect_nothing_left();
}
