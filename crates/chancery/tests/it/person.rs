//! `chancery account person`, held against the files that left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::workbench::{Bench, CIVIL, INTEGRITY, Ran};

/// Releases as CSV, under law that changes between them.
fn bench() -> Bench {
    let bench = Bench::with_people();
    let csv = |text: &str| format!("{text}format = \"csv\"\n");
    let civil = bench.file("civil.toml", csv(CIVIL));
    let some = CIVIL.replace(
        "tmsis\"",
        "tmsis\"\nelements = [\"medicaid_id\", \"phone\"]",
    );
    let some = bench.file("some.toml", csv(&some));
    let integrity = bench.file("integrity.toml", csv(INTEGRITY));
    for (request, on) in [
        (&civil, "2025-07-20"),
        (&civil, "2025-08-20"),
        (&some, "2025-12-01"),
        (&civil, "2026-01-10"),
        (&integrity, "2026-01-12"),
        (&civil, "2026-04-01"),
    ] {
        bench
            .run(&["release", request.to_str().unwrap(), "--on", on])
            .expect(0);
    }
    bench
}

/// By person, the releases with a row about them, by every file of every release.
fn scanned(bench: &Bench) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut all: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for release in bench.published() {
        let data = bench.releases().join(&release).join("data");
        for table in std::fs::read_dir(data).unwrap() {
            for file in std::fs::read_dir(table.unwrap().path()).unwrap() {
                for person in people(&file.unwrap().path()) {
                    all.entry(person).or_default().insert(release.clone());
                }
            }
        }
    }
    all
}

fn people(file: &Path) -> Vec<(String, String)> {
    let origin = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let Some(id) = header
        .iter()
        .position(|name| *name == "msis_identification_num")
    else {
        return Vec::new();
    };
    // The synthetic people's ids have no commas, and stand before any text that has.
    let ids = lines.map(|line| line.split(',').nth(id).unwrap().trim().to_owned());
    ids.filter(|id| !id.is_empty())
        .map(|id| (origin.clone(), id))
        .collect()
}

fn asked(bench: &Bench, origin: &str, id: &str, more: &[&str]) -> Ran {
    let person = ["account", "person", "--origin", origin, "--id", id];
    let reason = ["--reason", "individual_request"];
    bench.run(&[&person[..], &reason, more].concat())
}

fn json(bench: &Bench, origin: &str, id: &str) -> Value {
    asked(bench, origin, id, &["--format", "json"])
        .expect(0)
        .json()
}

fn releases(account: &Value) -> BTreeSet<String> {
    let disclosures = account["disclosures"].as_array().unwrap().iter();
    disclosures
        .map(|one| one["release"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_person_is_told_of_the_releases_that_have_a_row_about_them() {
    let bench = bench();
    let scanned = scanned(&bench);
    assert!(scanned.len() > 20, "{}", scanned.len());
    let mut counts = BTreeSet::new();
    for ((origin, id), expected) in scanned.iter().step_by(scanned.len() / 12) {
        let account = json(&bench, origin, id);
        assert_eq!(&releases(&account), expected, "{origin}");
        assert_eq!(account["complete"], true);
        assert_eq!(account["suspended"], false);
        counts.insert(expected.len());
    }
    assert!(counts.len() > 1, "{counts:?}");
    assert!(
        json(&bench, "06", "nobody")["disclosures"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    asked(&bench, "99", "x", &[]).expect_error(3);
    let look_ups = bench
        .logged()
        .into_iter()
        .filter(|kind| kind == "look_up")
        .count();
    assert!(look_ups > 12, "every look-up is entered: {look_ups}");
    let entries = bench.run(&["ledger", "export"]).expect(0).stdout;
    for (_, id) in scanned.keys() {
        assert!(!entries.contains(id), "no id is in the ledger");
    }
}

/// The register is made anew from the releases alone: without the index, and without the dataset.
#[test]
fn the_register_is_made_anew_from_the_releases() {
    let bench = bench();
    let everybody = scanned(&bench);
    let (origin, id) = everybody.keys().next().unwrap();
    let before = json(&bench, origin, id);
    let index = bench.workspace().join("index/register");
    std::fs::remove_dir_all(&index).unwrap();
    std::fs::remove_dir_all(bench.workspace().join("datasets/tmsis")).unwrap();
    let said = bench.run(&["account", "rebuild"]).expect(0).stdout;
    assert!(said.contains("6 releases"), "{said}");
    let after = json(&bench, origin, id);
    assert_eq!(after["disclosures"], before["disclosures"]);

    // A record that is gone is said with every answer.
    let gone = bench.published().into_iter().next().unwrap();
    std::fs::remove_dir_all(bench.releases().join(&gone).join("custody")).unwrap();
    std::fs::remove_dir_all(&index).unwrap();
    let partly = asked(&bench, origin, id, &["--format", "json"])
        .expect(4)
        .json();
    assert_eq!(partly["complete"], false);
    let fsck = bench.run(&["ledger", "fsck"]).expect(1);
    assert!(
        fsck.stdout.contains("the record of who it is about"),
        "{}",
        fsck.stdout
    );
    assert!(
        partly["gaps"].to_string().contains(&gone),
        "{}",
        partly["gaps"]
    );
    let letter = bench.path().join("letter.pdf");
    let letter = ["--letter", letter.to_str().unwrap()];
    asked(&bench, origin, id, &letter).expect_error(1);
}

#[test]
fn presence_and_absence_are_shown_by_the_ledgers_keys_alone() {
    let bench = bench();
    let everybody = scanned(&bench);
    let ((origin, id), there) = everybody
        .iter()
        .min_by_key(|(_, there)| there.len())
        .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = |name: &str| elsewhere.path().join(name).to_str().unwrap().to_owned();
    std::fs::copy(bench.workspace().join("keys/ledger.vkey"), file("keys")).unwrap();
    let (proof, keys) = (file("proof"), file("keys"));
    asked(&bench, origin, id, &["--prove", "--proof", &proof]).expect(0);
    // Somebody else's machine: no workspace.
    let check = |proof: &str| {
        let mut command = crate::workbench::chancery();
        command.current_dir(elsewhere.path());
        command.args(["verify-proof", proof, "--keys", &keys, "--format", "json"]);
        Ran::of(command)
    };
    let shown = check(&proof).expect(0).json();
    let shown = shown.as_array().unwrap();
    assert_eq!(shown.len(), 6);
    let present = shown.iter().filter(|one| !one["elements"].is_null());
    let present = present.map(|one| one["release"].as_str().unwrap().to_owned());
    assert_eq!(&present.collect::<BTreeSet<_>>(), there);

    let genuine = std::fs::read_to_string(&proof).unwrap();
    let forged = [
        genuine.replacen(id.as_str(), "CA000000001", 1),
        genuine.replacen("\"phone\"", "\"name\"", 1),
        genuine.replacen("\"origin\": \"", "\"origin\": \"0", 1),
    ];
    for (number, forged) in forged.iter().enumerate() {
        assert_ne!(forged, &genuine, "{number}");
        std::fs::write(file("forged"), forged).unwrap();
        check(&file("forged")).expect_error(1);
    }
}

#[test]
fn what_an_agency_asked_to_withhold_is_withheld_until_its_last_day() {
    let bench = bench();
    let everybody = scanned(&bench);
    let (origin, id) = everybody
        .iter()
        .max_by_key(|(_, there)| there.len())
        .unwrap()
        .0;
    let before = releases(&json(&bench, origin, id));
    let statement = bench.file(
        "statement.txt",
        "Telling the person would impede the inquiry.",
    );
    let today = chancery_release::Clock::today(&chancery_release::System);
    let suspend = |until: jiff::civil::Date, more: &[&str]| {
        let until = until.to_string();
        let args = [
            &[
                "account", "suspend", "--origin", origin, "--id", id, "--agency", "dhs",
            ][..],
            &[
                "--statement",
                statement.to_str().unwrap(),
                "--until",
                &until,
            ],
            more,
        ];
        bench.run(&args.concat())
    };
    let later = today.saturating_add(jiff::Span::new().days(20));
    suspend(later, &[]).expect(0);
    let account = json(&bench, origin, id);
    assert_eq!(account["suspended"], true);
    let told = releases(&account);
    assert!(
        told.len() < before.len() && told.iter().all(|id| id.contains("hhs-oig")),
        "{told:?}"
    );
    let proof = asked(&bench, origin, id, &["--prove", "--format", "json"])
        .expect(0)
        .json();
    assert!(proof["proof"].is_null());
    // Another person is told as before.
    let other = everybody
        .keys()
        .find(|one| *one != &(origin.clone(), id.clone()))
        .unwrap();
    assert_eq!(json(&bench, &other.0, &other.1)["suspended"], false);

    // By word of mouth for 30 days at most.
    let late = today.saturating_add(jiff::Span::new().days(31));
    suspend(late, &["--oral"]).expect_error(3);
    // Ended: everything is told again.
    suspend(today.yesterday().unwrap(), &[]).expect(0);
    let account = json(&bench, origin, id);
    assert_eq!(
        (releases(&account), &account["suspended"]),
        (before, &Value::Bool(false))
    );
}

#[test]
fn a_new_key_gives_new_pseudonyms_and_forgets_nothing() {
    let bench = bench();
    let everybody = scanned(&bench);
    let (origin, id) = everybody
        .iter()
        .max_by_key(|(_, there)| there.len())
        .unwrap()
        .0;
    let before = releases(&json(&bench, origin, id));
    bench.run(&["account", "rotate-key"]).expect(0);
    let civil = bench.file("again.toml", CIVIL);
    bench
        .run(&["release", civil.to_str().unwrap(), "--on", "2026-05-01"])
        .expect(0);
    let after = releases(&json(&bench, origin, id));
    assert_eq!(after.len(), before.len() + 1);
    assert!(after.is_superset(&before));
    let keys: BTreeSet<String> = bench
        .entries()
        .iter()
        .filter_map(|entry| Some(entry["people"]["key"].as_str()?.to_owned()))
        .collect();
    assert_eq!(keys.len(), 2);
    // What was recorded under the old key comes out the same when it is run again.
    for release in bench.published().iter().take(1).chain(&after) {
        let folder = bench.releases().join(release);
        let replay = ["verify", folder.to_str().unwrap(), "--replay"];
        bench.run(&replay).expect(0);
    }
    bench.expect_sound();
}

/// Whom a release would be about that the register has lost would be somebody new to it: nothing leaves until the record is
/// back, and afterwards everybody is told all.
#[test]
fn nothing_is_released_after_a_record_that_is_lost_or_damaged() {
    let bench = bench();
    let everybody = scanned(&bench);
    let ((origin, id), there) = everybody
        .iter()
        .max_by_key(|(_, there)| there.len())
        .unwrap();
    let again = bench.file("again.toml", format!("{CIVIL}format = \"csv\"\n"));
    let release = ["release", again.to_str().unwrap(), "--on", "2026-05-01"];
    let index = bench.workspace().join("index");
    for lost in [there.first().unwrap(), bench.published().last().unwrap()] {
        let record = bench.releases().join(lost).join("custody/register");
        let genuine = std::fs::read(&record).unwrap();
        let _ = std::fs::remove_dir_all(&index);
        std::fs::remove_file(&record).unwrap();
        let refused = bench.run(&release).expect_error(1);
        assert!(refused.contains(lost.as_str()), "{refused}");

        let mut damaged = genuine.clone();
        let header = damaged
            .windows(10)
            .rposition(|at| at == b"{\"release\"")
            .unwrap();
        damaged[..header].iter_mut().for_each(|byte| *byte ^= 1);
        std::fs::write(&record, &damaged).unwrap();
        let refused = bench.run(&release).expect_error(1);
        assert!(refused.contains("is damaged"), "{refused}");
        let letter = bench.path().join("letter.pdf");
        let letter = ["--letter", letter.to_str().unwrap()];
        asked(&bench, origin, id, &letter).expect_error(1);
        assert!(!bench.path().join("letter.pdf").exists());

        let _ = std::fs::remove_dir_all(&index);
        std::fs::write(&record, &genuine).unwrap();
    }
    bench.run(&release).expect(0);
    let everybody = scanned(&bench);
    let account = json(&bench, origin, id);
    assert_eq!(account["complete"], true);
    assert_eq!(
        &releases(&account),
        &everybody[&(origin.clone(), id.clone())]
    );
}
