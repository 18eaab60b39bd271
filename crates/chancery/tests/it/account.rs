//! `chancery account`, as a user runs it.

use serde_json::Value;

use crate::workbench::{Bench, CIVIL, INTEGRITY};

const ORDER: &str = "us/cand/3-25-cv-05536/order-2025-12-29";

/// A release before the order and one after, one to the inspector general, and a refusal.
fn bench() -> Bench {
    let bench = Bench::with_people();
    let civil = bench.file("civil.toml", CIVIL);
    let integrity = bench.file("integrity.toml", INTEGRITY);
    let release = |request: &std::path::Path, on: &str, code| {
        let request = request.to_str().unwrap();
        bench.run(&["release", request, "--on", on]).expect(code);
    };
    release(&civil, "2025-06-01", 2);
    release(&civil, "2025-07-20", 0);
    release(&civil, "2026-01-10", 0);
    release(&integrity, "2026-01-12", 0);
    bench
}

#[test]
fn an_account_says_what_left_and_what_proves_it() {
    let bench = bench();
    let account = bench.run(&["account", "recipient", "dhs", "--format", "json"]);
    let account = account.expect(0).json();
    assert_eq!(account["complete"], true);
    assert_eq!(account["total"]["releases"]["count"], 2);
    assert_eq!(account["refused"].as_array().unwrap().len(), 1);
    let entries = bench.entries();
    for listed in account["releases"].as_array().unwrap() {
        let entry = &entries[usize::try_from(listed["entry"].as_u64().unwrap()).unwrap()];
        assert_eq!(
            (&entry["type"], &entry["id"]),
            (&"release".into(), &listed["id"])
        );
        assert_eq!(entry["manifest"], listed["manifest"]);
    }

    let order = bench.run(&["account", "order", ORDER, "--format", "json"]);
    let order = order.expect(0).json();
    let spans = order["order"]["spans"].as_array().unwrap();
    let left: Vec<&Value> = spans
        .iter()
        .map(|span| &span["total"]["releases"]["count"])
        .collect();
    assert_eq!(left, [1, 0, 1]);

    let period = ["account", "period", "2026-01-01", "2026-12-31", "--csv"];
    let csv = bench.run(&period).expect(0).stdout;
    assert!(
        csv.starts_with("section,key,measure,count,bound,entries\r\n"),
        "{csv}"
    );
    assert!(
        csv.contains("recipient,hhs/oig,releases,1,exact,4\r\n"),
        "{csv}"
    );

    assert!(
        csv.contains("month 2026-01 class,\"enrollment, medicaid_id"),
        "{csv}"
    );

    let id = account["releases"][1]["id"].as_str().unwrap();
    let others = bench.run(&["account", "release", id, "--for-others", "--format", "json"]);
    let others = others.expect(0).json();
    assert_eq!(
        (&others["copy"], &others["releases"][0]["rows"]),
        (&"others".into(), &Value::Null)
    );

    let text = bench.run(&["account", "release", id]).expect(0).stdout;
    assert!(
        text.contains("us/fr/90-53324") && text.contains("Interpretations relied on"),
        "{text}"
    );
    bench.expect_sound();
}

#[test]
fn an_id_that_the_ledger_does_not_have_is_refused() {
    let bench = bench();
    let error = bench.run(&["account", "release", "x"]).expect_error(3);
    assert!(error.contains("chancery account period"), "{error}");
    // A refusal has an id as well, and can be asked for by it.
    let period = ["account", "period", "2025-01-01", "2026-12-31"];
    let said = bench.run(&period).expect(0).stdout;
    let refusal = bench.entries();
    let refusal = refusal.iter().find(|entry| entry["type"] == "refusal");
    let id = refusal.unwrap()["id"].as_str().unwrap();
    assert!(said.contains(id), "{said}");
    bench.run(&["account", "release", id]).expect(0);
}

#[test]
fn an_account_without_a_manifest_is_incomplete() {
    let bench = bench();
    let id = &bench.published()[0];
    std::fs::remove_file(bench.releases().join(id).join("manifest.dsse.json")).unwrap();
    let ran = bench.run(&["account", "recipient", "dhs/ice"]).expect(4);
    assert!(ran.stdout.contains("INCOMPLETE"), "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains(&format!("(release {id}): its manifest is not here"))
    );
    // Whom it does not concern is complete.
    bench.run(&["account", "recipient", "hhs/oig"]).expect(0);
    let site = bench.path().join("site");
    let ran = bench
        .run(&["account", "publish", site.to_str().unwrap()])
        .expect(4);
    assert!(ran.stderr.contains("incomplete"), "{}", ran.stderr);
    let index = std::fs::read_to_string(site.join("index.html")).unwrap();
    assert!(index.contains("This report is incomplete"));
}

/// Records that are all gone are missing, not a register that never was.
#[test]
fn an_account_without_any_record_is_incomplete() {
    let bench = bench();
    for id in bench.published() {
        std::fs::remove_dir_all(bench.releases().join(id).join("custody")).unwrap();
    }
    std::fs::remove_dir_all(bench.workspace().join("index/register")).unwrap();
    let account = bench.run(&["account", "recipient", "dhs", "--format", "json"]);
    let account = account.expect(4).json();
    assert_eq!(account["complete"], false);
    let gaps = account["incomplete"].as_array().unwrap();
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    let site = bench.path().join("site");
    let publish = [
        "account",
        "publish",
        site.to_str().unwrap(),
        "--format",
        "json",
    ];
    let published = bench.run(&publish).expect(4).json();
    assert_eq!(published["incomplete"].as_array().unwrap().len(), 3);
    let index = std::fs::read_to_string(site.join("index.html")).unwrap();
    assert!(index.contains("This report is incomplete"));
}

#[test]
fn a_report_is_written_into_its_own_folder_alone() {
    let bench = bench();
    let site = bench.path().join("site");
    let publish = [
        "account",
        "publish",
        site.to_str().unwrap(),
        "--on",
        "2026-02-01",
    ];
    bench.run(&publish).expect(0);
    let first = std::fs::read(site.join("index.html")).unwrap();
    bench.run(&publish).expect(0);
    assert_eq!(std::fs::read(site.join("index.html")).unwrap(), first);
    for page in [
        "recipients/dhs-ice.html",
        "recipients/hhs-oig.html",
        "verify.html",
        "ledger.vkey",
    ] {
        assert!(site.join(page).exists(), "{page}");
    }
    let json = bench
        .run(&[&publish[..], &["--format", "json"]].concat())
        .expect(0)
        .json();
    assert_eq!(
        (&json["complete"], &json["incomplete"]),
        (&true.into(), &Value::Array(Vec::new()))
    );
    let error = bench.run(&["account", "publish", bench.workspace().to_str().unwrap()]);
    assert!(error.expect_error(1).contains("is not of a report"));
}

#[test]
fn what_nobody_knows_is_refused_with_what_is_near() {
    let bench = bench();
    let error = bench
        .run(&["account", "recipient", "dhs/icee"])
        .expect_error(3);
    assert!(error.contains("dhs/ice"), "{error}");
    let error = bench
        .run(&["account", "order", "us/usc/8/1360"])
        .expect_error(3);
    assert!(error.contains("us/usc/8/1360-b"), "{error}");
    bench
        .run(&["account", "release", "2026-01-10-dhs-ice-00000000"])
        .expect_error(3);
    bench
        .run(&["account", "period", "2026-02-01", "2026-01-01"])
        .expect_error(3);
}
