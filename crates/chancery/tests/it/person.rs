//! `chancery account person`, held against the files that left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::workbench::{Bench, CIVIL, INTEGRITY, Ran};

/// Releases as CSV, under law that changes between them.
pub(crate) fn bench() -> Bench {
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
    let prove = ["--prove", "--absence", "--proof", &proof];
    asked(&bench, origin, id, &prove).expect(0);
    // Somebody else's machine: no workspace.
    let check = |proof: &str| {
        let mut command = crate::workbench::chancery();
        command.current_dir(elsewhere.path());
        command.args(["verify-proof", proof, "--keys", &keys, "--format", "json"]);
        Ran::of(command)
    };
    let shown = check(&proof).expect(0).json();
    assert_eq!(
        (&shown["origin"], &shown["id"]),
        (&Value::from(origin.as_str()), &Value::from(id.as_str()))
    );
    let size = bench.entries().len();
    assert_eq!(shown["tree_size"], size);
    assert!(shown["time"].is_u64() && shown["root"].is_string() && shown["log"].is_string());
    assert_eq!(
        (&shown["trusted"], &shown["scope"]),
        (
            &"the log's keys".into(),
            &format!("It speaks of these releases only; the log has {size} entries.").into()
        )
    );
    let shown = shown["releases"].as_array().unwrap();
    assert_eq!(shown.len(), 6);
    let present = shown.iter().filter(|one| !one["elements"].is_null());
    let present = present.map(|one| one["release"].as_str().unwrap().to_owned());
    assert_eq!(&present.collect::<BTreeSet<_>>(), there);

    // For people: of whom, of which log, and no more than that.
    let mut command = crate::workbench::chancery();
    command.args(["verify-proof", &proof, "--keys", &keys]);
    let text = Ran::of(command).expect(0).stdout;
    let about =
        format!("about the person `{id}` of origin `{origin}`, in its tree of {size} entries");
    assert!(
        text.starts_with("VERIFIED: of 6 releases") && text.contains(&about),
        "{text}"
    );
    assert!(
        text.contains(", signed at 20") && text.contains("these releases only"),
        "{text}"
    );

    // Without `--absence`: what the account lists.
    let listed = file("listed");
    asked(&bench, origin, id, &["--prove", "--proof", &listed]).expect(0);
    let shown = check(&listed).expect(0).json();
    let present = shown["releases"].as_array().unwrap().iter();
    let present = present.map(|one| one["release"].as_str().unwrap().to_owned());
    assert_eq!(&present.collect::<BTreeSet<_>>(), there);

    let genuine = std::fs::read_to_string(&proof).unwrap();
    // As many releases as take over a megabyte, but not anything.
    let mut long = genuine.clone() + &"\n".repeat(1 << 20);
    std::fs::write(file("long"), &long).unwrap();
    check(&file("long")).expect(0);
    long.push_str(&"\n".repeat(16 << 20));
    std::fs::write(file("long"), long).unwrap();
    check(&file("long")).expect_error(3);
    for junk in ["{}", "{\"format\": \"chancery-person-proof/v1\"}", "junk"] {
        std::fs::write(file("junk"), junk).unwrap();
        check(&file("junk")).expect_error(3);
    }
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
    let ((origin, id), _) = in_most(&everybody);
    let before = releases(&json(&bench, origin, id));
    let statement = bench.file(
        "statement.txt",
        "Telling the person would impede the inquiry.",
    );
    let today = chancery_release::Clock::today(&chancery_release::System);
    let suspend = |until: jiff::civil::Date, more: &[&str]| {
        suspended(&bench, (origin, id), "dhs", &statement, until, more)
    };
    let later = today.saturating_add(jiff::Span::new().days(20));
    // The custodian and the people themselves cannot ask for one.
    for agency in ["hhs/cms", "individual"] {
        let refused = suspended(&bench, (origin, id), agency, &statement, later, &[]);
        let refused = refused.expect_error(3);
        assert!(refused.contains("45 CFR 164.528(a)(2)(i)"), "{refused}");
    }
    // A day that is past, and a statement that says nothing.
    suspend(today.yesterday().unwrap(), &[]).expect_error(3);
    let blank = bench.file("blank.txt", " \n");
    suspended(&bench, (origin, id), "dhs", &blank, later, &[]).expect_error(3);
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
    let proven = proof["proof"]["releases"].as_array().unwrap().iter();
    let proven = proven.map(|one| one["people"]["release"].as_str().unwrap().to_owned());
    assert_eq!(proven.collect::<BTreeSet<_>>(), told);
    // What is not in it would tell: refused before anything is written.
    let entries = bench.entries().len();
    let hint = asked(&bench, origin, id, &["--prove", "--absence"]).expect_error(1);
    assert!(hint.contains("leave out `--absence`"), "{hint}");
    assert_eq!(bench.entries().len(), entries);
    // Another person is told as before.
    let other = everybody
        .keys()
        .find(|one| *one != &(origin.clone(), id.clone()))
        .unwrap();
    assert_eq!(json(&bench, &other.0, &other.1)["suspended"], false);

    // By word of mouth for 30 days at most.
    let late = today.saturating_add(jiff::Span::new().days(31));
    suspend(late, &["--oral"]).expect_error(3);
    // With today's date it ends with this day.
    let said = suspend(today, &[]).expect(0).stdout;
    assert!(said.contains("ends with this day"), "{said}");
    assert_eq!(json(&bench, origin, id)["suspended"], true);
    let workspace = chancery_release::Workspace::find(&bench.workspace()).unwrap();
    let facts = chancery_account::Facts::read(&workspace).unwrap();
    let keys = workspace.register_keys().unwrap();
    let person = chancery_register::Person::new(origin, id).unwrap();
    let suspensions = facts.suspensions_of(&keys, &person);
    let on = |day| chancery_account::withheld(&suspensions, day).len();
    assert_eq!((on(today), on(today.tomorrow().unwrap())), (1, 0));
}

fn suspended(
    bench: &Bench,
    (origin, id): (&str, &str),
    agency: &str,
    statement: &Path,
    until: jiff::civil::Date,
    more: &[&str],
) -> Ran {
    let until = until.to_string();
    let person = ["account", "suspend", "--origin", origin, "--id", id];
    let statement = ["--statement", statement.to_str().unwrap()];
    let what = ["--agency", agency, "--until", &until];
    bench.run(&[&person[..], &statement, &what, more].concat())
}

/// Who is in most releases, and in which.
fn in_most(
    everybody: &BTreeMap<(String, String), BTreeSet<String>>,
) -> (&(String, String), &BTreeSet<String>) {
    let most = everybody.iter().max_by_key(|(_, there)| there.len());
    most.unwrap()
}

/// Who is in most releases.
pub(crate) fn somebody(bench: &Bench) -> (String, String) {
    in_most(&scanned(bench)).0.clone()
}

/// Nobody but the custodian can tell which entries of the ledger are about the same person.
#[test]
fn the_ledger_does_not_tell_who_has_a_suspension() {
    let bench = bench();
    let (origin, id) = somebody(&bench);
    let statement = bench.file("statement.txt", "It would impede the inquiry.");
    let today = chancery_release::Clock::today(&chancery_release::System);
    let later = today.saturating_add(jiff::Span::new().days(20));
    json(&bench, &origin, &id);
    // An entry has the second in which it was recorded.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    json(&bench, &origin, &id);
    let whom = (origin.as_str(), id.as_str());
    suspended(&bench, whom, "dhs", &statement, later, &[]).expect(0);
    let marks: Vec<String> = bench
        .entries()
        .iter()
        .filter_map(|entry| {
            let suspended = &entry["of"]["accounting"]["person"];
            let mark = entry["person"].as_str().or_else(|| suspended.as_str())?;
            Some(mark.to_owned())
        })
        .collect();
    let distinct: BTreeSet<&String> = marks.iter().collect();
    assert_eq!((marks.len(), distinct.len()), (3, 3), "{marks:?}");
    // It applies, and does so under another key.
    assert_eq!(json(&bench, &origin, &id)["suspended"], true);
    bench.run(&["account", "rotate-key"]).expect(0);
    assert_eq!(json(&bench, &origin, &id)["suspended"], true);
    let refused = asked(&bench, &origin, &id, &["--prove", "--absence"]).expect_error(1);
    assert!(refused.contains("is not shown"), "{refused}");
}

/// What is handed over looks the same with a suspension as without.
#[test]
fn nothing_that_is_handed_over_tells_of_a_suspension() {
    let bench = bench();
    let (origin, id) = somebody(&bench);
    let unconcerned = scanned(&bench)
        .keys()
        .find(|one| **one != (origin.clone(), id.clone()))
        .unwrap()
        .clone();
    let statement = bench.file("statement.txt", "It would impede the inquiry.");
    let today = chancery_release::Clock::today(&chancery_release::System);
    let later = today.saturating_add(jiff::Span::new().days(20));
    let whom = (origin.as_str(), id.as_str());
    suspended(&bench, whom, "dhs", &statement, later, &[]).expect(0);
    let file = |name: &str| bench.path().join(name).to_str().unwrap().to_owned();
    let handed = |(origin, id): (&str, &str), name: &str| {
        let (letter, proof) = (file(&format!("{name}.pdf")), file(&format!("{name}.json")));
        let more = ["--csv", "--letter", &letter, "--prove", "--proof", &proof];
        let ran = asked(&bench, origin, id, &more).expect(0);
        let proof: Value = serde_json::from_str(&std::fs::read_to_string(proof).unwrap()).unwrap();
        (ran, proof)
    };
    let (with, proof) = handed(whom, "with");
    let (without, other) = handed((&unconcerned.0, &unconcerned.1), "without");
    assert_eq!(with.stderr, without.stderr);
    assert!(
        with.stdout.contains("hhs/oig") && !with.stdout.contains("dhs/ice"),
        "{with:?}"
    );
    assert_eq!(with.stdout.lines().next(), without.stdout.lines().next());
    // The letters: who each is to, and nothing of whom the person is not told of.
    let letter = |name: &str| {
        let mut command = std::process::Command::new("pdftotext");
        command.arg(file(name)).arg("-");
        Ran::of(command).expect(0).stdout
    };
    let (to, other_letter) = (letter("with.pdf"), letter("without.pdf"));
    for (letter, (origin, id)) in [
        (&to, whom),
        (&other_letter, (&unconcerned.0, &unconcerned.1)),
    ] {
        let state = chancery_account::letter::state(origin).unwrap();
        assert!(letter.contains(state) && !letter.contains(id), "{letter}");
    }
    assert!(!to.contains("Immigration and Customs"), "{to}");
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&proof), keys(&other));
    let rows = with.stdout.lines().count() - 1;
    assert_eq!(proof["releases"].as_array().unwrap().len(), rows);
    // For programs: the same fields; `suspended` is the custodian's own.
    let account = |(origin, id): (&str, &str)| json(&bench, origin, id);
    let (with, without) = (account(whom), account((&unconcerned.0, &unconcerned.1)));
    assert_eq!(keys(&with), keys(&without));

    // With everything suspended, as somebody about whom nothing left.
    suspended(&bench, whom, "hhs", &statement, later, &[]).expect(0);
    let nothing = Bench::with_people();
    let more = ["--csv", "--prove", "--proof", &file("nothing")];
    let with = asked(&bench, &origin, &id, &more).expect(0);
    let without = asked(&nothing, &origin, &id, &more).expect(0);
    assert_eq!((with.stdout, with.stderr), (without.stdout, without.stderr));
    assert!(!Path::new(&file("nothing")).exists());
}

#[test]
fn a_second_suspension_by_word_of_mouth_is_refused() {
    let bench = bench();
    let (origin, id) = somebody(&bench);
    let whom = (origin.as_str(), id.as_str());
    let statement = bench.file("statement.txt", "It would impede the inquiry.");
    let today = chancery_release::Clock::today(&chancery_release::System);
    let after = |days: i64| today.saturating_add(jiff::Span::new().days(days));
    let suspend =
        |agency, until, more: &[&str]| suspended(&bench, whom, agency, &statement, until, more);
    suspend("dhs", after(20), &["--oral"]).expect(0);
    let refused = suspend("dhs", after(25), &["--oral"]).expect_error(3);
    assert!(refused.contains("written statement"), "{refused}");
    // Of another agency, to end it sooner, and in writing it is not.
    suspend("hhs", after(20), &["--oral"]).expect(0);
    suspend("dhs", after(10), &["--oral"]).expect(0);
    suspend("dhs", after(200), &[]).expect(0);
}

/// Nobody who has the ledger can try words until one has the digest.
#[test]
fn the_words_of_a_reason_and_of_a_statement_cannot_be_guessed() {
    let bench = bench();
    let (origin, id) = somebody(&bench);
    let reason = "The person asked by telephone.";
    let person = ["account", "person", "--origin", &origin, "--id", &id];
    bench
        .run(&[&person[..], &["--reason", reason]].concat())
        .expect(0);
    let statement = bench.file("statement.txt", "It would impede the inquiry.\n");
    let today = chancery_release::Clock::today(&chancery_release::System);
    suspended(&bench, (&origin, &id), "dhs", &statement, today, &[]).expect(0);
    let entries = bench.entries();
    let of = |entry: &Value| {
        let suspended = &entry["of"]["accounting"]["statement"];
        let digest = entry["statement"].as_str().or_else(|| suspended.as_str());
        digest.map(str::to_owned)
    };
    let digests: Vec<String> = entries.iter().filter_map(of).collect();
    let words = [reason, "It would impede the inquiry.\n"];
    assert_eq!(digests.len(), words.len());
    let sha256 = |bytes: &[u8]| {
        use sha2::Digest as _;
        chancery_model::Digest::from_bytes(sha2::Sha256::digest(bytes).into()).to_string()
    };
    for (digest, words) in digests.iter().zip(words) {
        assert_ne!(*digest, sha256(words.as_bytes()));
        let name = digest.strip_prefix("sha256:").unwrap();
        let file = bench.workspace().join(format!("reasons/{name}.txt"));
        let kept = std::fs::read_to_string(file).unwrap();
        assert_eq!(*digest, sha256(kept.as_bytes()));
        let (salt, rest) = kept.split_once('\n').unwrap();
        assert_eq!((salt.len(), rest), (64, words));
    }
    // Without words, and with what is nearly a code.
    for near in [
        " ",
        "individual-request",
        "Audit",
        "court order",
        "complant",
    ] {
        bench
            .run(&[&person[..], &["--reason", near]].concat())
            .expect_error(3);
    }
    let wrong = bench.run(&[&person[..], &["--reason", "audit", "--role", "boss"]].concat());
    assert!(wrong.expect_error(3).contains("privacy_officer"));
}

#[test]
fn an_id_that_nobody_knows_is_said_and_gets_no_letter() {
    let bench = bench();
    let (origin, id) = somebody(&bench);
    for hidden in [
        "",
        " ",
        " x",
        "x ",
        "CA\t9",
        "CA\u{200b}9",
        "CA9\u{feff}",
        "\u{a0}CA9",
    ] {
        asked(&bench, &origin, hidden, &[]).expect_error(3);
    }
    let nobody = json(&bench, "06", "nobody");
    assert_eq!(
        (&nobody["known"], &nobody["disclosures"]),
        (&false.into(), &Value::Array(vec![]))
    );
    let said = asked(&bench, "06", "nobody", &[]).expect(0);
    assert!(said.stdout.contains("leading zeros"), "{said:?}");
    assert!(!said.stdout.contains(&id), "nobody else is named");
    let letter = bench.path().join("letter.pdf");
    let to = ["--letter", letter.to_str().unwrap()];
    let refused = asked(&bench, "06", "nobody", &to).expect_error(3);
    assert!(refused.contains("--unknown-id"), "{refused}");
    assert!(!letter.exists());
    asked(
        &bench,
        "06",
        "nobody",
        &[&to[..], &["--unknown-id"]].concat(),
    )
    .expect(0);
    assert!(letter.exists());

    let statement = bench.file("statement.txt", "It would impede the inquiry.");
    let today = chancery_release::Clock::today(&chancery_release::System);
    let suspend =
        |more: &[&str]| suspended(&bench, ("06", "nobody"), "dhs", &statement, today, more);
    suspend(&[]).expect_error(3);
    assert!(!bench.logged().contains(&"suspension".to_owned()));
    suspend(&["--unknown-id"]).expect(0);

    // A dataset knows somebody about whom nothing left.
    let nothing = Bench::with_people();
    let config = nothing.workspace().join("chancery.toml");
    let settings = std::fs::read_to_string(&config).unwrap();
    let settings = format!("{settings}\n[privacy_office]\nagency = \"hhs/cms\"\n");
    std::fs::write(config, settings).unwrap();
    let known = json(&nothing, &origin, &id);
    assert_eq!(
        (&known["known"], &known["disclosures"]),
        (&true.into(), &Value::Array(vec![]))
    );
    asked(&nothing, &origin, &id, &to).expect(0);
}

#[test]
fn a_new_key_gives_new_pseudonyms_and_forgets_nothing() {
    let bench = bench();
    let (origin, id) = &somebody(&bench);
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
    let ((origin, id), there) = in_most(&everybody);
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
