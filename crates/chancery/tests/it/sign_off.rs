//! Sign-off as people do it at the command: roles, two signers, a release, and each way not to count.

use std::path::PathBuf;

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
        desk.sign("roles", desk.bench.workspace().join("keys/custodian.key"))
            .expect(0);
        desk
    }

    /// One in which two have signed what the inspector general's request rests on.
    fn signed() -> Self {
        let desk = Self::new();
        for id in [BASE, ID] {
            desk.sign(id, desk.key("counsel")).expect(0);
            desk.sign(id, desk.key("privacy")).expect(0);
        }
        desk
    }

    fn key(&self, name: &str) -> PathBuf {
        self.bench.path().join(format!("{name}.key"))
    }

    fn person(&self, name: &str, role: &str) -> String {
        let key = self.key(name);
        let key = key.to_str().unwrap();
        let office = format!("hhs/cms/{name}");
        let vkey = self
            .run(&["law", "key", key, "--name", &office])
            .expect(0)
            .stdout;
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

    fn act(&self, act: &str, id: &str, key: PathBuf) -> Ran {
        let status = self.status(id);
        let (key, digest) = (key.to_str().unwrap(), status["digest"].as_str().unwrap());
        self.run(&["law", act, id, "--key", key, "--digest", digest])
    }

    fn sign(&self, id: &str, key: PathBuf) -> Ran {
        self.act("sign", id, key)
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
    desk.sign(BASE, desk.key("counsel")).expect(0);
    desk.sign(BASE, desk.key("privacy")).expect(0);
    desk.sign(ID, desk.key("counsel")).expect(0);
    desk.expect_denied(
        "singly_signed",
        "is singly signed: it takes the sign-off of a second",
    );
    let again = desk.sign(ID, desk.key("counsel")).expect_error(1);
    assert!(again.contains("has signed this already"), "{again}");
    desk.sign(ID, desk.key("privacy")).expect(0);
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
    desk.sign(ID, key).expect(0);
    assert_eq!(desk.state(ID), "edited");
    let decided = desk.run(&["decide", "r.toml"]).expect(0).stdout;
    assert!(decided.contains("both editions apply"), "{decided}");
    assert!(
        decided.contains("#cms-to-inspector-general@signed]"),
        "{decided}"
    );
    desk.sign(ID, desk.key("privacy")).expect(0);
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
    desk.act("reinstate", ID, desk.key("counsel")).expect(0);
    assert_eq!(desk.state(ID), "suspended");
    desk.act("reinstate", ID, desk.key("privacy")).expect(0);
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
    let error = desk.sign(ID, desk.key("stranger")).expect_error(1);
    assert!(
        error.contains("is nobody's in the roles that were signed last"),
        "{error}"
    );
    let custodian = desk.bench.workspace().join("keys/custodian.key");
    desk.sign("roles", custodian).expect_error(1);
    desk.run(&["release", "r.toml"]).expect(0);
}
