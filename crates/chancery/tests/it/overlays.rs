//! A state's own law on the shipped pack: as the documentation writes it, in releases, and when it is
//! not as it should be.

use std::path::Path;

use crate::readme::shell;
use crate::workbench::{Bench, Ran, chancery, files, repository};

/// Goes through a page: writes each file that it shows under a line with the file's name, runs each
/// session and holds it against what the page shows.
fn walk(page: &str, outside: &Path) -> usize {
    let text = std::fs::read_to_string(repository().join(page)).unwrap();
    let folder = outside.join("case");
    let (mut named, mut shown, mut lines) = (None, String::new(), text.lines());
    let mut files = 0;
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            let name = line
                .strip_prefix('`')
                .and_then(|rest| rest.strip_suffix("`:"));
            named = name.or(named.filter(|_| line.is_empty()));
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some(name) = named.take() {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, block.join("\n") + "\n").unwrap();
            files += 1;
            continue;
        }
        assert_eq!(kind, "console", "a block without a file's name: {block:?}");
        for line in block {
            match line.strip_prefix("$ ") {
                Some(line) if folder.exists() => shown = shell(line, &folder),
                Some(line) => shown = shell(line, outside),
                None => assert!(
                    shown.contains(line),
                    "the page shows `{line}`, not:\n{shown}"
                ),
            }
        }
    }
    files
}

#[test]
fn the_overlay_that_the_documentation_writes_is_one() {
    let outside = tempfile::tempdir().unwrap();
    assert_eq!(walk("docs/overlays.md", outside.path()), 5);
}

/// A workspace with the sample and a file of people whom its county knows.
fn california() -> Bench {
    let bench = Bench::empty();
    let mut init = chancery();
    init.arg("init")
        .arg(bench.workspace())
        .args(["--demo", "--overlay", "ca-dhcs"]);
    let made = Ran::of(init).expect(0).stdout;
    assert!(made.contains("law/overlays/ca-dhcs"), "{made}");
    bench
}

/// What immigration enforcement is given, as data.
fn civil(bench: &Bench) -> Ran {
    bench.file(
        "ice.toml",
        request("hhs/cms", "dhs/ice", "immigration-enforcement/civil"),
    );
    let decide = ["decide", "ice.toml", "--on", "2026-01-10"];
    bench.run(&[&decide[..], &["--format", "json"]].concat())
}

const MAP: &str = r#"table = "CASES"
id = "person"
origin_is = "06"
[constants]
funding = "federal"
[[column]]
name = "person"
element = "medicaid_id"
key = true
[[column]]
name = "citizen"
element = "citizenship"
plays = "citizenship_ind"
[[column]]
name = "plan"
element = "program"
plays = "chip_code"
[[column]]
name = "case"
element = "household"
plays = "case_num"
[[column]]
name = "prucol"
element = "immigration_status"
plays = "ca_prucol"
[[column]]
name = "street"
element = "address"
[[column]]
name = "worker"
element = "county_case"
[[column]]
name = "real_street"
element = "confidential_address"
"#;
const CASES: &str = "person,citizen,plan,case,prucol,street,worker,real_street\n\
                     P1,0,1,C1,,1 Elm St,W1,\nP2,0,1,C2,1,2 Elm St,W1,\nP3,0,1,C3,,3 Elm St,W2,\n\
                     P4,0,1,C3,1,3 Elm St,W2,9 Oak St\nP5,1,1,C5,,5 Elm St,W2,\n";
const FOUND: &str = "origin,msis_id,determination,source,determined_on\n\
                     06,P1,not_lawfully_present,invented,2025-01-01\n\
                     06,P2,not_lawfully_present,invented,2025-01-01\n\
                     06,P3,not_lawfully_present,invented,2025-01-01\n\
                     06,P4,not_lawfully_present,invented,2025-01-01\n";

fn add(bench: &Bench, map: &str) -> Ran {
    let path = |name: &str, text: &str| bench.file(name, text).to_str().unwrap().to_owned();
    let (cases, map, found) = (
        path("cases.csv", CASES),
        path("map.toml", map),
        path("found.csv", FOUND),
    );
    bench.run(&[
        "dataset",
        "add",
        "cases",
        &cases,
        "--kind",
        "table",
        "--map",
        &map,
        "--determinations",
        &found,
    ])
}

fn request(custodian: &str, recipient: &str, purpose: &str) -> String {
    format!(
        "recipient = \"{recipient}\"\npurpose = \"{purpose}\"\ncustodian = \"{custodian}\"\n\
         dataset = \"cases\"\nformat = \"csv\"\n"
    )
}

#[test]
fn an_overlay_lets_its_own_go_and_holds_back_what_the_pack_lets_go() {
    let bench = california();
    add(&bench, MAP).expect(0);
    let county = "ca-county/alameda";
    bench.file(
        "county.toml",
        request(
            "state/06/medicaid",
            county,
            "program-administration/eligibility",
        ),
    );
    let ran = bench.run(&[
        "release",
        "county.toml",
        "--on",
        "2026-01-10",
        "--format",
        "json",
    ]);
    let report = ran.expect(0).json();
    let release = Path::new(report["path"].as_str().unwrap());
    let data = files(&release.join("data"));
    let rows = std::fs::read_to_string(&data["CASES/06.csv"]).unwrap();
    insta::assert_snapshot!("county_cases", rows);
    let id = report["id"].as_str().unwrap();
    bench.run(&["verify", id, "--replay"]).expect(0);
    // What the pack lets go, the state holds back, and says which of its clauses does.
    let decision = civil(&bench).expect(2).json();
    let barred = decision["classes"][0]["barred_by"].to_string();
    assert!(
        barred.contains("us/ca/wic/14100-2#program-purposes-only"),
        "{barred}"
    );
    let layers = decision["law"]["layers"].as_array().unwrap();
    assert_eq!(layers[1]["name"], "ca-dhcs");
    // The pack's own flow of everything leaves out what the overlay alone knows.
    bench.file(
        "cms.toml",
        request("state/06/medicaid", "hhs/cms", "program-administration"),
    );
    let decision = bench
        .run(&["decide", "cms.toml", "--format", "json"])
        .expect(0)
        .json();
    let elements = decision["classes"][0]["elements"].to_string();
    assert!(
        elements.contains("address") && !elements.contains("county_case"),
        "{elements}"
    );
    // Under another law than it was decided under nothing is replayed.
    let overlay = bench.workspace().join("law/overlays/ca-dhcs/elements.toml");
    let text = std::fs::read_to_string(&overlay).unwrap();
    std::fs::write(&overlay, text + "# later\n").unwrap();
    let refused = bench.run(&["verify", id, "--replay"]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
}

/// The state's code speaks against a finding: for the person, and for who shares the household.
#[test]
fn a_correction_protects_the_person_and_the_household() {
    let presence = |bench: &Bench| {
        let profile = bench.run(&["dataset", "profile", "cases", "--format", "json"]);
        let separability = profile.expect(0).json()["separability"]["rows"].clone();
        let rows = separability.as_array().unwrap().iter();
        let found = rows.filter(|row| row["values"][1] == "not_lawful");
        found
            .map(|row| row["subjects"].as_u64().unwrap())
            .sum::<u64>()
    };
    let released = |bench: &Bench| {
        let decision = civil(bench).expect(0).json();
        let elements = decision["elements"].as_array().unwrap().iter();
        let address = elements
            .filter(|e| e["element"] == "address")
            .map(|e| e["subjects"].as_u64().unwrap());
        (
            decision["subjects"]["released"].as_u64().unwrap(),
            address.sum::<u64>(),
        )
    };
    // Without the overlay's statute, which would bar everything, with its classification alone.
    let bench = california();
    std::fs::remove_dir_all(bench.workspace().join("law/overlays/ca-dhcs/instruments")).unwrap();
    add(&bench, MAP).expect(0);
    assert_eq!(presence(&bench), 2);
    // P1 and P3; the address of P3 is that of P4 too.
    assert_eq!(released(&bench), (2, 1));
    let config = bench.workspace().join("chancery.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let without: String = text
        .lines()
        .filter(|line| !line.starts_with("overlays"))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&config, without).unwrap();
    // The table is another one now, and the map speaks of what no layer knows.
    let stale = bench
        .run(&["decide", "ice.toml", "--on", "2026-01-10"])
        .expect_error(1);
    assert!(stale.contains("classif"), "{stale}");
    bench.run(&["dataset", "classify", "cases"]).expect(0);
    assert_eq!(presence(&bench), 4);
    assert_eq!(released(&bench), (4, 4));
}

#[test]
fn an_overlay_that_is_not_there_stops_every_decision() {
    let bench = california();
    add(&bench, MAP).expect(0);
    let overlay = bench.workspace().join("law/overlays/ca-dhcs");
    std::fs::rename(&overlay, bench.workspace().join("away")).unwrap();
    bench.file(
        "r.toml",
        request("hhs/cms", "hhs/oig", "program-administration/integrity"),
    );
    for args in [
        &["decide", "r.toml"][..],
        &["release", "r.toml"],
        &["law", "check"],
    ] {
        let error = bench.run(args).expect_error(3);
        assert!(
            error.contains("chancery.toml") && error.contains("`overlays`"),
            "{error}"
        );
        assert!(error.contains("there is no folder"), "{error}");
    }
    bench.expect_nothing_left();
}

#[test]
fn an_element_of_no_layer_is_no_element() {
    let bench = Bench::new();
    let error = add(&bench, &MAP.replace("ca_prucol", "immigration_status")).expect_error(1);
    assert!(error.contains("no such element"), "{error}");
}

/// Whoever reads what the law is sees which layers it has.
#[test]
fn every_report_names_the_overlays() {
    let bench = california();
    let layer = "with the overlay";
    let prove = ["law", "prove", "--instrument", "us/usc/5/552a-c"];
    let said = bench.run(&prove).expect(4).stdout;
    assert!(
        said.contains(layer) && said.contains("(ca-dhcs 0."),
        "{said}"
    );
    let impact = ["law", "impact", "2026-01-10", "2026-01-10"];
    let said = bench.run(&impact).expect(0).stdout;
    assert_eq!(said.matches("(ca-dhcs 0.").count(), 2, "{said}");
    let bundle = bench.path().join("bundle");
    let export = [
        "law",
        "export",
        "--on",
        "2026-01-10",
        "-o",
        bundle.to_str().unwrap(),
    ];
    bench.run(&export).expect(0);
    let page = std::fs::read_to_string(bundle.join("README.md")).unwrap();
    assert!(page.contains("| with the overlay | ca-dhcs 0."), "{page}");
}
