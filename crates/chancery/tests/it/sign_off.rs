//! Sign-off as people do it at the command: roles, two signers, a release, and each way not to count.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::workbench::{Bench, INTEGRITY, Ran, chancery};

const ID: &str = "us/routine/program-integrity";
const BASE: &str = "us-medicaid";

/// A workspace that is no demonstration, with the people of the corpus and two who sign off.
struct Desk {
    bench: Bench,
}

impl Desk {
    fn new() -> Self {
        let bench = Bench::empty();
        let mut init = chancery();
        init.arg("init").arg(bench.workspace());
        Ran::of(init).expect(0);
        bench.add_people("tmsis");
        bench.file("r.toml", INTEGRITY);
        let desk = Self { bench };
        let mut people = String::from("valid_months = 12\n");
        for (name, role) in [("counsel", "counsel"), ("privacy", "privacy_officer")] {
            people += &desk.person(name, role);
        }
        desk.write_people(&people);
        desk.sign("roles", &desk.bench.workspace().join("keys/custodian.key"))
            .expect(0);
        desk
    }

    /// One in which two have signed what the inspector general's request rests on.
    fn signed() -> Self {
        let desk = Self::new();
        for id in [BASE, ID] {
            desk.sign(id, &desk.key("counsel")).expect(0);
            desk.sign(id, &desk.key("privacy")).expect(0);
        }
        desk
    }

    fn key(&self, name: &str) -> PathBuf {
        self.bench.path().join(format!("{name}.key"))
    }

    fn person(&self, name: &str, role: &str) -> String {
        self.person_with(name, role, &[])
    }

    fn person_with(&self, name: &str, role: &str, options: &[&str]) -> String {
        let key = self.key(name);
        let key = key.to_str().unwrap();
        let office = format!("hhs/cms/{name}");
        let make = ["law", "key", key, "--name", &office];
        let vkey = self.run(&[&make[..], options].concat()).expect(0).stdout;
        format!(
            "[[person]]\nname = \"{office}\"\nagency = \"hhs/cms\"\nroles = [\"{role}\"]\n\
             vkey = \"{}\"\nfrom = \"2020-01-01\"\n",
            vkey.trim()
        )
    }

    fn write_people(&self, text: &str) {
        let path = self.bench.workspace().join("roles/people.toml");
        std::fs::write(path, text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.bench.run(args)
    }

    fn status(&self, id: &str) -> Value {
        let args = ["law", "status", id, "--format", "json"];
        self.run(&args).expect(0).json()["units"][0].clone()
    }

    fn state(&self, id: &str) -> String {
        self.status(id)["state"].as_str().unwrap().to_owned()
    }

    fn act(&self, act: &str, id: &str, key: &Path) -> Ran {
        let status = self.status(id);
        let (key, digest) = (key.to_str().unwrap(), status["digest"].as_str().unwrap());
        self.run(&["law", act, id, "--key", key, "--digest", digest])
    }

    fn sign(&self, id: &str, key: &Path) -> Ran {
        self.act("sign", id, key)
    }

    /// One more person in the roles, which those of before sign.
    fn join(&self, people: &[String]) {
        let path = self.bench.workspace().join("roles/people.toml");
        let before = std::fs::read_to_string(path).unwrap();
        self.write_people(&(before + &people.concat()));
        for who in ["counsel", "privacy"] {
            self.sign("roles", &self.key(who)).expect(0);
        }
    }

    /// What the person of a key does, without being shown anything.
    fn does(&self, who: &str, args: &[&str]) -> Ran {
        let key = self.key(who);
        let key = ["--key", key.to_str().unwrap()];
        self.run(&[&["law"][..], args, &key].concat())
    }

    fn edit(&self, change: impl Fn(String) -> String) {
        let path = "law/us-medicaid/instruments/routine-program-integrity/provisions.cedar";
        let path = self.bench.workspace().join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(text)).unwrap();
    }

    /// Nothing leaves, for this reason, which text and JSON say, decision and refusal.
    #[track_caller]
    fn expect_denied(&self, state: &str, words: &str) {
        let decided = self.run(&["decide", "r.toml"]).expect(2).stdout;
        assert!(decided.contains(words), "{decided}");
        let refused = self.run(&["release", "r.toml"]).expect(2).stdout;
        assert!(refused.contains(words), "{refused}");
        let json = self
            .run(&["decide", "r.toml", "--format", "json"])
            .expect(2)
            .json();
        let idle = json["not_counting"].as_array().unwrap();
        assert!(idle.iter().any(|one| one["state"] == state), "{idle:?}");
        let checked = self.run(&["law", "check"]).expect(0).stdout;
        assert!(checked.contains(words), "{checked}");
        assert_eq!(self.state(ID), state);
    }
}

#[test]
fn two_people_sign_and_then_it_is_released() {
    let desk = Desk::new();
    desk.expect_denied("unsigned", "is unsigned: nobody has signed it off");
    desk.sign(BASE, &desk.key("counsel")).expect(0);
    desk.sign(BASE, &desk.key("privacy")).expect(0);
    desk.sign(ID, &desk.key("counsel")).expect(0);
    desk.expect_denied(
        "singly_signed",
        "is singly signed: it takes the sign-off of a second",
    );
    let again = desk.sign(ID, &desk.key("counsel")).expect_error(1);
    assert!(again.contains("has signed this already"), "{again}");
    desk.sign(ID, &desk.key("privacy")).expect(0);
    let released = desk
        .run(&["release", "r.toml", "--format", "json"])
        .expect(0)
        .json();
    let id = released["id"].as_str().unwrap();
    // What is suspended after a release does not change what the release was.
    let key = desk.key("counsel");
    let key = key.to_str().unwrap();
    desk.run(&[
        "law",
        "suspend",
        ID,
        "--key",
        key,
        "--reason",
        "court_order",
    ])
    .expect(0);
    desk.run(&["verify", id, "--replay"]).expect(0);
    let known = ["decide", "r.toml", "--as-known", "2020-01-01"];
    desk.run(&known).expect(2);
    desk.bench.expect_sound();
}

#[test]
fn what_is_signed_is_shown_first() {
    let desk = Desk::new();
    let key = desk.key("counsel");
    let ran = desk
        .run(&["law", "sign", ID, "--key", key.to_str().unwrap()])
        .expect(1);
    assert!(ran.stdout.contains("cms-to-inspector-general"), "{ran:?}");
    let digest = desk.status(ID)["digest"].as_str().unwrap().to_owned();
    assert!(
        ran.stdout.contains(&digest) && ran.stderr.contains(&digest),
        "{ran:?}"
    );
    let other = format!("sha256:{}", "0".repeat(64));
    let args = [
        "law",
        "sign",
        ID,
        "--key",
        key.to_str().unwrap(),
        "--digest",
        &other,
    ];
    let error = desk.run(&args).expect_error(1);
    assert!(error.contains("is not what was shown"), "{error}");
    let error = desk.run(&["law", "status", "us/usc/9"]).expect_error(3);
    assert!(error.contains("unknown instrument"), "{error}");
}

#[test]
fn what_was_changed_is_tampered_with_until_it_is_signed() {
    let desk = Desk::signed();
    desk.edit(|text| text + "\n// changed\n");
    desk.expect_denied("tampered", "was tampered with");
    let key = desk.key("counsel");
    let shown = desk
        .run(&["law", "sign", ID, "--key", key.to_str().unwrap()])
        .expect(1)
        .stdout;
    assert!(shown.contains("+ // changed"), "{shown}");
    desk.sign(ID, &key).expect(0);
    assert_eq!(desk.state(ID), "edited");
    let decided = desk.run(&["decide", "r.toml"]).expect(0).stdout;
    assert!(decided.contains("both editions apply"), "{decided}");
    assert!(
        decided.contains("#cms-to-inspector-general@signed]"),
        "{decided}"
    );
    desk.sign(ID, &desk.key("privacy")).expect(0);
    assert_eq!(desk.state(ID), "signed");
}

#[test]
fn one_suspends_two_reinstate_and_one_withdraws() {
    let desk = Desk::signed();
    let key = desk.key("counsel");
    let key = key.to_str().unwrap();
    desk.run(&["law", "suspend", ID, "--key", key, "--reason", "incident"])
        .expect(0);
    desk.expect_denied(
        "suspended",
        "is suspended: it takes two people to reinstate it",
    );
    desk.act("reinstate", ID, &desk.key("counsel")).expect(0);
    assert_eq!(desk.state(ID), "suspended");
    desk.act("reinstate", ID, &desk.key("privacy")).expect(0);
    assert_eq!(desk.state(ID), "signed");
    desk.run(&["law", "revoke", ID, "--key", key]).expect(0);
    desk.expect_denied("revoked", "is revoked");
    desk.bench.expect_sound();
}

#[test]
fn sign_offs_lapse_with_time() {
    let desk = Desk::signed();
    let decided = desk
        .run(&["decide", "r.toml", "--on", "2099-01-01"])
        .expect(2)
        .stdout;
    assert!(
        decided.contains("is expired: its sign-offs have lapsed"),
        "{decided}"
    );
}

#[test]
fn a_key_without_a_role_signs_nothing() {
    let desk = Desk::signed();
    let stranger = desk.person("stranger", "counsel");
    let path = desk.bench.workspace().join("roles/people.toml");
    let people = std::fs::read_to_string(path).unwrap();
    desk.write_people(&(people + &stranger));
    assert_eq!(desk.state("roles"), "tampered");
    let error = desk.sign(ID, &desk.key("stranger")).expect_error(1);
    assert!(
        error.contains("is nobody's in the roles that were signed last"),
        "{error}"
    );
    let custodian = desk.bench.workspace().join("keys/custodian.key");
    desk.sign("roles", &custodian).expect_error(1);
    desk.run(&["release", "r.toml"]).expect(0);
}

#[test]
fn each_key_has_a_passphrase_of_its_own() {
    let desk = Desk::new();
    let file = |name: &str| {
        let file = desk.bench.file(name, format!("{name} otter violet\n"));
        file.to_str().unwrap().to_owned()
    };
    let (general, ana, ben) = (file("general"), file("ana"), file("ben"));
    let people = [("ana", "counsel", &ana), ("ben", "privacy_officer", &ben)];
    let people = people.map(|(name, role, passphrase)| {
        desk.person_with(name, role, &["--key-passphrase-file", passphrase])
    });
    desk.join(&people);
    let general = ["--passphrase-file", &general];
    desk.run(&[&["ledger", "keys", "encrypt"][..], &general].concat())
        .expect(0);
    let digest = desk.status(ID)["digest"].as_str().unwrap().to_owned();
    let sign = [&["sign", ID, "--digest", &digest][..], &general].concat();
    // Whose passphrase was tried is said, and what names another.
    let wrong = desk.does("ana", &sign).expect_error(1);
    assert!(
        wrong.contains("general`") && wrong.contains("`--key-passphrase-file FILE`"),
        "{wrong}"
    );
    let with = |args: &[&str], file: &str| {
        let mut all: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        all.extend(["--key-passphrase-file".to_owned(), file.to_owned()]);
        all
    };
    let run = |who: &str, args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        desk.does(who, &args)
    };
    run("ana", &with(&sign, &ana)).expect(0);
    let key = desk.key("ben");
    let mut second = desk.bench.command(&["law"]);
    second.args(&sign).arg("--key").arg(key);
    second.env("CHANCERY_KEY_PASSPHRASE_FILE", &ben);
    Ran::of(second).expect(0);
    assert_eq!(desk.state(ID), "signed");
    let suspend = [&["suspend", ID][..], &general].concat();
    let wrong = run("ben", &with(&suspend, &ana)).expect_error(1);
    assert!(wrong.contains("ana`"), "{wrong}");
    run("ben", &with(&suspend, &ben)).expect(0);
    assert_eq!(desk.state(ID), "suspended");
    // The workspace's keys have theirs.
    let alone = run("ben", &with(&["suspend", ID], &ben)).expect_error(1);
    assert!(alone.contains("`--passphrase-file FILE`"), "{alone}");
}

#[test]
fn only_what_one_signed_is_withdrawn_and_it_is_listed() {
    let desk = Desk::signed();
    desk.join(&[desk.person("third", "counsel")]);
    let refused = desk.does("third", &["revoke", ID]).expect_error(1);
    assert!(refused.contains("has nothing to withdraw"), "{refused}");
    let first = desk.status(ID)["digest"].as_str().unwrap().to_owned();
    desk.edit(|text| text + "\n// changed\n");
    desk.sign(ID, &desk.key("counsel")).expect(0);
    let second = desk.status(ID)["digest"].as_str().unwrap().to_owned();
    let said = desk.does("counsel", &["revoke", ID]).expect(0).stdout;
    assert!(said.contains(&first) && said.contains(&second), "{said}");
    let again = desk.does("counsel", &["revoke", ID]).expect_error(1);
    assert!(again.contains("has nothing to withdraw"), "{again}");
    let status = desk.status(ID);
    let revoked = &status["revocations"][0];
    assert_eq!(revoked["person"], "hhs/cms/counsel");
    assert_eq!(revoked["withdrawn"].as_array().unwrap().len(), 2);
    let shown = desk.run(&["law", "status", ID]).expect(0).stdout;
    assert!(
        shown.contains("hhs/cms/counsel withdrew as counsel"),
        "{shown}"
    );
    let all = desk.run(&["law", "status"]).expect(0).stdout;
    assert!(all.contains("hhs/cms/counsel from us/routine"), "{all}");
    desk.bench.expect_sound();
}

#[test]
fn the_status_tells_editions_apart_and_what_was_lifted() {
    let desk = Desk::signed();
    desk.edit(|text| text + "\n// changed\n");
    let decided = desk.run(&["decide", "r.toml"]).expect(2).stdout;
    let decided = decided.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!decided.contains("both editions apply"), "{decided}");
    assert!(
        decided.contains("none of its permits counts until one does"),
        "{decided}"
    );
    desk.sign(ID, &desk.key("counsel")).expect(0);
    let status = desk.status(ID);
    let names = |edition: usize| {
        let people = status["editions"][edition]["people"]
            .as_array()
            .unwrap()
            .clone();
        people
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(0), ["hhs/cms/counsel"]);
    assert_eq!(names(1), ["hhs/cms/counsel", "hhs/cms/privacy"]);
    assert_eq!(status["editions"][1]["edition"], "signed last");
    desk.does("counsel", &["suspend", ID]).expect(0);
    desk.act("reinstate", ID, &desk.key("counsel")).expect(0);
    let again = desk
        .act("reinstate", ID, &desk.key("counsel"))
        .expect_error(1);
    assert!(again.contains("has reinstated this already"), "{again}");
    let shown = desk.run(&["law", "status", ID]).expect(0).stdout;
    assert!(shown.contains("(under_review), not lifted"), "{shown}");
    desk.act("reinstate", ID, &desk.key("privacy")).expect(0);
    let shown = desk.run(&["law", "status", ID]).expect(0).stdout;
    assert!(shown.contains("(under_review), lifted on"), "{shown}");
    let over = desk
        .act("reinstate", ID, &desk.key("privacy"))
        .expect_error(1);
    assert!(over.contains("is not suspended"), "{over}");

    let people = desk.bench.workspace().join("roles/people.toml");
    let people = std::fs::read_to_string(people).unwrap();
    desk.write_people(&(people + "# edited\n"));
    let shown = desk.run(&["law", "status", "roles"]).expect(0).stdout;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("still apply until two people"), "{shown}");
}

#[test]
fn a_folder_that_is_gone_is_removed_and_not_edited() {
    let desk = Desk::signed();
    let folder = "law/us-medicaid/instruments/routine-program-integrity";
    std::fs::remove_dir_all(desk.bench.workspace().join(folder)).unwrap();
    let checked = desk.run(&["law", "check"]).expect(0).stdout;
    assert!(
        checked.contains("Removed since it was signed off"),
        "{checked}"
    );
    assert!(!checked.contains("Edited"), "{checked}");
    let json = desk
        .run(&["law", "check", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(json["removed"][0], ID);
    assert_eq!(json["edited"].as_array().unwrap().len(), 0);
    assert_eq!(desk.state(ID), "removed");
    desk.sign(ID, &desk.key("counsel")).expect(0);
    desk.sign(ID, &desk.key("privacy")).expect(0);
    assert_eq!(desk.state(ID), "removed");
}

#[test]
fn a_refusal_to_sign_is_short_and_comes_first() {
    let desk = Desk::new();
    desk.person("stranger", "counsel");
    let error = desk.does("stranger", &["sign", BASE]).expect_error(1);
    assert!(error.contains("is nobody's in the roles"), "{error}");
    let ran = desk.does("counsel", &["sign", BASE]).expect(1);
    assert!(ran.stdout.lines().count() < 20, "{}", ran.stdout);
    let digest = desk.status(BASE)["digest"].as_str().unwrap().to_owned();
    assert!(ran.stderr.contains(&digest), "{ran:?}");
    let ran = desk.run(&["law", "sign", "roles"]).expect(1);
    assert!(ran.stderr.contains("keys/custodian.key"), "{ran:?}");
    let help = desk.run(&["law", "suspend", "--help"]).expect(0).stdout;
    assert!(
        help.contains("court_order") && help.contains("[default: under_review]"),
        "{help}"
    );
}

#[test]
fn everything_is_signed_at_once() {
    let desk = Desk::new();
    let counsel = desk.does("counsel", &["sign", "--all"]).expect(1);
    let lines = counsel.stderr.lines().map(str::trim);
    let given = lines.filter(|line| line.starts_with("--digest "));
    let mut digests: Vec<&str> = given.flat_map(|line| line.split(' ')).collect();
    assert!(digests.len() > 20, "{}", counsel.stderr);
    // The order is of no account; one for each is.
    let short = [&["sign", "--all"][..], &digests[2..]].concat();
    desk.does("counsel", &short).expect_error(1);
    digests.reverse();
    let digests: Vec<&str> = digests
        .chunks(2)
        .flat_map(|pair| [pair[1], pair[0]])
        .collect();
    let all = [&["sign", "--all"][..], &digests].concat();
    desk.does("counsel", &all).expect(0);
    desk.does("privacy", &all).expect(0);
    let status = desk
        .run(&["law", "status", "--format", "json"])
        .expect(0)
        .json();
    for unit in status["units"].as_array().unwrap() {
        assert_eq!(unit["state"], "signed", "{unit}");
    }
    let error = desk.does("counsel", &["sign", "--all"]).expect_error(1);
    assert!(error.contains("nothing waits"), "{error}");
    desk.run(&["release", "r.toml"]).expect(0);

    // Two by their ids, and a digest that is of neither.
    for id in [BASE, ID] {
        desk.does("counsel", &["suspend", id]).expect(0);
    }
    let digest = |id: &str| desk.status(id)["digest"].as_str().unwrap().to_owned();
    let (base, other) = (digest(BASE), digest(ID));
    let two = ["reinstate", ID, BASE, "--digest", &base, "--digest", &other];
    let spare = [&two[..], &["--digest", &base]].concat();
    let error = desk.does("counsel", &spare).expect_error(1);
    assert!(error.contains("is the digest of nothing"), "{error}");
    let done = desk.does("counsel", &[&two[..], &["--format", "json"]].concat());
    assert_eq!(done.expect(0).json().as_array().unwrap().len(), 2);
    desk.does("privacy", &two).expect(0);
    desk.run(&["release", "r.toml"]).expect(0);
    desk.bench.expect_sound();
}

#[test]
fn a_refusal_and_a_release_have_ids_of_their_own() {
    let desk = Desk::new();
    desk.run(&["release", "r.toml"]).expect(2);
    desk.run(&["release", "r.toml"]).expect(2);
    for id in [BASE, ID] {
        desk.sign(id, &desk.key("counsel")).expect(0);
        desk.sign(id, &desk.key("privacy")).expect(0);
    }
    desk.run(&["release", "r.toml"]).expect(0);
    let entries = desk.bench.entries();
    let ids = entries
        .iter()
        .filter(|entry| ["refusal", "release"].contains(&entry["type"].as_str().unwrap()))
        .map(|entry| entry["id"].as_str().unwrap().to_owned());
    let ids: Vec<String> = ids.collect();
    let [first, second, released] = ids.as_slice() else {
        panic!("{ids:?}");
    };
    assert_eq!(*second, format!("{first}-2"));
    assert_eq!(*released, format!("{first}-3"));
}
