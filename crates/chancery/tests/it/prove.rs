//! `law prove`: what it says when assertions hold, break, or cannot be proved.

use crate::workbench::Bench;

const ORDER: &str = "us/cand/3-25-cv-05536/order-2025-08-12";

/// Replaces words of a file of the workspace's law pack.
fn change(bench: &Bench, file: &str, from: &str, to: &str) {
    let path = bench.workspace().join("law/us-medicaid").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&path, text.replace(from, to)).unwrap();
}

#[test]
fn the_shipped_pack_holds_and_the_report_overstates_nothing() {
    let bench = Bench::new();
    let said = bench.run(&["law", "prove"]).expect(0).stdout;
    for words in [
        "HOLDS: all ",
        "Only enumeration was run",
        "Nothing in their scope is ever permitted",
        " periods of unchanging law",
        "is for a person to judge",
    ] {
        assert!(
            said.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .contains(words.trim()),
            "{words}\n{said}"
        );
    }
    let report = bench
        .run(&["law", "prove", "--on", "2026-01-10", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(report["periods"], 1);
    assert_eq!(report["provers"], serde_json::json!(["enumeration"]));
    bench
        .run(&["law", "prove", "--instrument", "us/nothing"])
        .expect_error(3);
}

#[test]
fn a_broken_assertion_is_shown_with_a_record_and_its_permits() {
    let bench = Bench::new();
    change(
        &bench,
        "instruments/order-2025-08-12/provisions.cedar",
        "context.custodian in Agency::\"hhs\"",
        "context.custodian in Agency::\"ssa\"",
    );
    let ran = bench
        .run(&["law", "prove", "--instrument", ORDER])
        .expect(1);
    assert!(
        ran.stdout
            .starts_with("BROKEN: 2 of 5 assertions, on every day\n"),
        "{}",
        ran.stdout
    );
    let broken = ran
        .stdout
        .split("\n\n")
        .filter(|part| part.starts_with("Broken: "));
    insta::assert_snapshot!("prove_broken", broken.collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn what_asserts_nothing_proves_nothing() {
    let bench = Bench::new();
    let args = ["law", "prove", "--instrument", "us/usc/5/552a-c"];
    let said = bench.run(&args).expect(4).stdout;
    assert!(said.starts_with("NOTHING ASSERTED"), "{said}");
    assert!(
        said.contains("has no provision: it permits and bars nothing"),
        "{said}"
    );
    assert!(
        !said.contains("HOLDS") && !said.contains("Covered"),
        "{said}"
    );
    let report = bench.run(&[&args[..], &["--format", "json"]].concat());
    let report = report.expect(4).json();
    assert_eq!(
        report["unasserted"],
        serde_json::json!([{ "instrument": "us/usc/5/552a-c", "why": "no-provision" }])
    );
    let whole = bench
        .run(&["law", "prove", "--on", "2026-01-10"])
        .expect(0)
        .stdout;
    assert!(whole.contains("us/cfr/45/164.528 ") && whole.contains("us/cfr/45/164-subpart-d "));
    // A pack without any assertion.
    let instruments = bench.workspace().join("law/us-medicaid/instruments");
    for folder in std::fs::read_dir(instruments).unwrap() {
        let _ = std::fs::remove_file(folder.unwrap().path().join("assertions.toml"));
    }
    let said = bench.run(&["law", "prove"]).expect(4).stdout;
    assert!(said.starts_with("NOTHING ASSERTED"), "{said}");
    assert!(
        said.contains("has provisions, and no assertions.toml"),
        "{said}"
    );
}

#[test]
fn what_is_not_in_force_that_day_is_not_idle() {
    let bench = Bench::new();
    let notice = "us/fr/90-53324#";
    for on in ["2025-09-01", "2026-01-10"] {
        let args = ["law", "prove", "--on", on, "--format", "json"];
        let report = bench.run(&args).expect(0).json();
        let idle = [&report["provisions"], &report["interpretations"]].map(ToString::to_string);
        let is_there = idle.iter().any(|idle| idle.contains(notice));
        assert!(on == "2026-01-10" || !is_there, "{on}: {idle:?}");
        let said = bench.run(&["law", "prove", "--on", on]).expect(0).stdout;
        assert!(!said.contains("on any day"), "{said}");
    }
}

#[cfg(not(feature = "symbolic"))]
#[test]
fn a_prover_that_is_not_built_in_proves_nothing() {
    let bench = Bench::new();
    let args = ["law", "prove", "--instrument", ORDER, "--symbolic"];
    let ran = bench.run(&args).expect(4);
    assert!(
        ran.stdout.starts_with("UNPROVEN: 5 of 5 assertions"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("built without the feature `symbolic`"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("by which 5 of 5 hold") && !ran.stdout.contains("Both provers"),
        "{}",
        ran.stdout
    );
    let report = bench.run(&[&args[..], &["--format", "json"]].concat());
    let report = report.expect(4).json();
    assert_eq!(report["provers"], serde_json::json!(["enumeration"]));
    assert!(
        report["not_asked"]
            .as_str()
            .unwrap()
            .contains("--features symbolic")
    );
    assert!(!ran.stdout.contains("HOLDS"), "{}", ran.stdout);
    // What enumeration breaks is broken, whoever else could not be asked.
    change(
        &bench,
        "instruments/order-2025-08-12/provisions.cedar",
        "context.custodian in Agency::\"hhs\"",
        "context.custodian in Agency::\"ssa\"",
    );
    bench.run(&args).expect(1);
}
