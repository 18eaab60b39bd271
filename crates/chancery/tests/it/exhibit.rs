//! `chancery exhibit`, as a user runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workbench::{Bench, CIVIL, INTEGRITY, Ran, repository};

const ORDER: &str = "us/cand/3-25-cv-05536/order-2025-12-29";

/// The caption that the documentation begins with.
fn caption() -> String {
    let guide = std::fs::read_to_string(repository().join("docs/account.md")).unwrap();
    let (_, rest) = guide.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Releases before the order and after it.
fn bench() -> Bench {
    let bench = Bench::with_people();
    bench.file("caption.toml", caption());
    let civil = bench.file("civil.toml", CIVIL);
    let integrity = bench.file("integrity.toml", INTEGRITY);
    for (request, on) in [
        (&civil, "2025-07-20"),
        (&civil, "2026-01-10"),
        (&integrity, "2026-01-12"),
    ] {
        let request = request.to_str().unwrap();
        bench.run(&["release", request, "--on", on]).expect(0);
    }
    bench
}

fn exhibit(bench: &Bench, of: &[&str], more: &[&str]) -> Ran {
    bench.run(&[&["exhibit"], of, &["--on", "2026-04-20"], more].concat())
}

/// The exhibit of the order, as a file of this name.
fn order(bench: &Bench, name: &str, more: &[&str]) -> PathBuf {
    let ran = exhibit(bench, &["order", ORDER], &[&["-o", name], more].concat());
    ran.expect(0);
    bench.path().join(name)
}

fn text(file: &Path) -> String {
    let output = Command::new("pdftotext").arg(file).arg("-").output();
    let output = output.expect("`pdftotext` is not here; `make prerequisites` installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_exhibit_suppresses_and_a_sealed_one_says_that_it_does_not() {
    let bench = bench();
    let open = text(&order(&bench, "open.pdf", &[]));
    let sealed = text(&order(&bench, "sealed.pdf", &["--sealed"]));
    for said in [
        "EXHIBIT A",
        "Dated April 20, 2026",
        "DEMONSTRATION",
        "Everybody else",
        "Page 1 of",
        "28 U.S.C. § 1746",
    ] {
        assert!(
            open.contains(said) && sealed.contains(said),
            "{said}: {open}"
        );
    }
    assert!(
        open.contains("No count from 1 to 10 people is shown"),
        "{open}"
    );
    assert!(!open.contains("FILED UNDER SEAL"));
    // Of so few people nothing is left to draw.
    let chart = "People by what left about them, by month";
    assert!(sealed.contains(chart) && !open.contains(chart));
    assert!(
        sealed.contains("FILED UNDER SEAL") && !sealed.contains("suppressed"),
        "{sealed}"
    );
}

#[test]
fn the_same_exhibit_is_the_same_bytes() {
    let bench = bench();
    for (first, second) in [("1.pdf", "2.pdf"), ("1.zip", "2.zip")] {
        let [first, second] = [first, second].map(|name| order(&bench, name, &[]));
        assert!(std::fs::read(first).unwrap() == std::fs::read(second).unwrap());
    }
}

/// Both kinds of bundle pass their own check, and the sealed one brings every manifest along.
#[test]
fn a_bundle_passes_its_own_check() {
    let bench = bench();
    for (name, more) in [("open.zip", &[][..]), ("sealed.zip", &["--sealed"])] {
        let zip = order(&bench, name, more);
        let folder = bench.path().join(format!("{name}-unpacked"));
        let python = |arguments: &[&str]| {
            let output = Command::new("python3").args(arguments).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{said}");
            said
        };
        let (from, to) = (zip.to_str().unwrap(), folder.to_str().unwrap());
        python(&["-m", "zipfile", "-e", from, to]);
        let said = python(&[folder.join("check.py").to_str().unwrap()]);
        let all = "recipient and people of 2 of them";
        assert_eq!(said.contains(all), name == "sealed.zip", "{said}");
    }
}

#[cfg(unix)]
#[test]
fn files_about_people_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = crate::person::bench();
    bench.file("caption.toml", caption());
    // One that was there before, for everybody to read.
    let known = bench.file("exhibit.pdf", "");
    std::fs::set_permissions(&known, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (origin, id) = crate::person::somebody(&bench);
    let person = [
        "account",
        "person",
        "--origin",
        &origin,
        "--id",
        &id,
        "--reason",
        "individual_request",
    ];
    let letter = [
        "--letter",
        "letter.pdf",
        "--unknown-id",
        "--prove",
        "--absence",
        "--proof",
        "proof.json",
        "--calendar",
        "due.ics",
    ];
    bench.run(&[&person[..], &letter].concat()).expect(0);
    order(&bench, "sealed.zip", &["--sealed"]);
    order(&bench, "exhibit.pdf", &[]);
    for name in [
        "letter.pdf",
        "proof.json",
        "due.ics",
        "sealed.zip",
        "exhibit.pdf",
    ] {
        let metadata = bench.path().join(name).metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn an_exhibit_of_nothing_is_refused() {
    let bench = bench();
    let error = exhibit(&bench, &["order", "us/usc/8/1360"], &[]).expect_error(3);
    assert!(error.contains("us/usc/8/1360-b"), "{error}");
    let error = exhibit(&bench, &["period", "2024-01-01", "2024-12-31"], &[]).expect_error(3);
    assert!(error.contains("the ledger holds nothing"), "{error}");
    let error = exhibit(&bench, &["recipient", "dhs"], &["--caption", "none.toml"]);
    assert!(error.expect_error(1).contains("docs/account.md"));
    let error = bench.file("wrong.toml", caption().replace("case_number", "case_no"));
    let error = exhibit(
        &bench,
        &["recipient", "dhs"],
        &["--caption", error.to_str().unwrap()],
    );
    assert!(error.expect_error(3).contains("case_no"));
    for name in ["exhibit.docx", "exhibit"] {
        let error = exhibit(&bench, &["recipient", "dhs"], &["-o", name]).expect_error(3);
        assert!(error.contains(".pdf") && error.contains(".zip"), "{error}");
        assert!(!bench.path().join(name).exists());
    }
    assert!(!bench.path().join("exhibit.pdf").exists());
}
