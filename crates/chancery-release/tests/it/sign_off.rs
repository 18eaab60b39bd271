//! Sign-off: what counts, what does not and why, and what an attacker may try.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chancery_dataset::Silent;
use chancery_law::{LawPack, State, Unit, UnitKind, Why};
use chancery_ledger::{Algorithm, SigningKey, keyfile};
use chancery_model::Request;
use chancery_release::entry::{Recorded, SignOffAct, SuspensionReason};
use chancery_release::{
    Answer, Entry, Error, Fixed, Keys, Known, Outcome, Workspace, ask, decide, recover, release,
    replay, sign, suspend, verify, write_ledger,
};
use jiff::civil::Date;

use crate::gate::Case;

const INTEGRITY: &str = "us/routine/program-integrity";
const BASE: &str = "us-medicaid";
const FOLDER: &str = "law/instruments/routine-program-integrity";

fn clock() -> Fixed {
    at("2026-01-10T12:00:00Z")
}

fn at(instant: &str) -> Fixed {
    Fixed(instant.parse().unwrap())
}

fn key(name: &str) -> SigningKey {
    let seed = name.bytes().fold(7_u8, u8::wrapping_add);
    let name = format!("example/{name}");
    SigningKey::generate(&name, Algorithm::Ed25519, [seed; 32]).unwrap()
}

fn person(name: &str, role: &str, until: Option<&str>) -> String {
    let until = until.map_or(String::new(), |until| format!("until = \"{until}\"\n"));
    format!(
        "[[person]]\nname = \"example/{name}\"\nagency = \"hhs/cms\"\nroles = [\"{role}\"]\n\
         vkey = \"{}\"\nfrom = \"2026-01-01\"\n{until}\n",
        key(name).verifier()
    )
}

fn people(persons: &[String]) -> String {
    format!("valid_months = 12\n\n{}", persons.concat())
}

/// A workspace with roles, in which two people have signed the base and one instrument.
struct Desk {
    #[expect(dead_code, reason = "removed with it")]
    folder: tempfile::TempDir,
    workspace: Workspace,
}

fn template() -> &'static (Case, PathBuf) {
    static TEMPLATE: OnceLock<(Case, PathBuf)> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let case = Case::new(false);
        let root = case.workspace.root().to_owned();
        let desk = Borrowed(&case.workspace);
        desk.write_people(&[
            person("counsel", "counsel", None),
            person("privacy", "privacy_officer", None),
            person("reviewer", "reviewer", Some("2026-01-31")),
            person("operator", "operator", None),
        ]);
        let custodian = keyfile::read(&root.join("keys/custodian.key"), None).unwrap();
        desk.sign("roles", &custodian[0], &clock()).unwrap();
        for id in [BASE, INTEGRITY] {
            desk.sign(id, &key("counsel"), &clock()).unwrap();
            desk.sign(id, &key("privacy"), &clock()).unwrap();
        }
        (case, root)
    })
}

/// What is done to a workspace, whoever holds it.
struct Borrowed<'a>(&'a Workspace);

impl Borrowed<'_> {
    fn write_people(&self, persons: &[String]) {
        std::fs::write(self.0.roles_dir().join("people.toml"), people(persons)).unwrap();
    }

    fn unit(&self, id: &str) -> Unit {
        let units = self.0.units().unwrap().into_iter();
        let mut units = units.filter(|unit| unit.id == id);
        units.next().unwrap_or_else(|| {
            Unit::new(id, UnitKind::Instrument, std::collections::BTreeMap::new())
        })
    }

    fn act(
        &self,
        id: &str,
        key: &SigningKey,
        act: SignOffAct,
        clock: &Fixed,
    ) -> Result<u64, Error> {
        let unit = self.unit(id);
        let mut book = write_ledger(self.0, clock, &Silent).unwrap();
        sign(self.0, &mut book, key, (&unit, act), unit.digest(), clock)
    }

    fn sign(&self, id: &str, key: &SigningKey, clock: &Fixed) -> Result<u64, Error> {
        self.act(id, key, SignOffAct::Sign, clock)
    }
}

impl Desk {
    fn new() -> Self {
        let (_, root) = template();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("w");
        copy(root, &to);
        let workspace = Workspace::find(&to).unwrap();
        Self { folder, workspace }
    }

    fn on(&self) -> Borrowed<'_> {
        Borrowed(&self.workspace)
    }

    fn law(&self) -> LawPack {
        self.workspace.law().unwrap()
    }

    fn state(&self, on: &str) -> State {
        let on = on.parse().unwrap();
        let standing = self.workspace.standing(&self.law(), on, Known::Now);
        standing.unwrap().state(INTEGRITY)
    }

    fn edit(&self, change: impl Fn(String) -> String) {
        let path = self.workspace.root().join(FOLDER).join("provisions.cedar");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, change(text)).unwrap();
    }

    /// The decision on a request of the inspector general, and why permits do not count.
    fn decide(&self, on: &str) -> (Answer, Vec<Why>) {
        let law = self.law();
        let on: Date = on.parse().unwrap();
        let standing = self.workspace.standing(&law, on, Known::Now).unwrap();
        let in_force = law
            .in_force(on, self.workspace.sign_off(&standing))
            .unwrap();
        let dataset = self.workspace.dataset("people", &law).unwrap();
        let text = "recipient = \"hhs/oig\"\npurpose = \"program-administration/integrity\"\n\
                    custodian = \"hhs/cms\"\ndataset = \"people\"\n";
        let request = Request::parse("r.toml", text).unwrap();
        let question = ask("r.toml", text, request, &law, &dataset).unwrap();
        let answer = decide(question, &in_force, &dataset).unwrap();
        let why = answer.idle().iter().map(|cite| in_force.why_not(cite));
        let mut why: Vec<Why> = why.collect();
        why.dedup();
        (answer, why)
    }

    fn release_after(&self, meanwhile: impl Fn()) -> Result<Outcome, Error> {
        let law = self.law();
        let on: Date = "2026-01-10".parse().unwrap();
        let standing = self.workspace.standing(&law, on, Known::Now)?;
        let in_force = law
            .in_force(on, self.workspace.sign_off(&standing))
            .unwrap();
        let dataset = self.workspace.dataset("people", &law).unwrap();
        let text = "recipient = \"hhs/oig\"\npurpose = \"program-administration/integrity\"\n\
                    custodian = \"hhs/cms\"\ndataset = \"people\"\n";
        let request = Request::parse("r.toml", text).unwrap();
        let question = ask("r.toml", text, request, &law, &dataset).unwrap();
        meanwhile();
        release(
            &self.workspace,
            question,
            &in_force,
            &dataset,
            &clock(),
            &Silent,
        )
    }

    fn release(&self) -> Outcome {
        self.release_after(|| ()).unwrap()
    }

    fn suspend(&self, id: &str) -> u64 {
        let unit = self.on().unit(id);
        let reason = SuspensionReason::CourtOrder;
        suspend(
            &self.workspace,
            &key("operator"),
            &unit,
            reason,
            &clock(),
            &Silent,
        )
        .unwrap()
    }

    #[track_caller]
    fn expect(&self, state: State) {
        assert_eq!(self.state("2026-01-10"), state);
        let (answer, why) = self.decide("2026-01-10");
        if state == State::Signed {
            assert!(answer.decision().released > 0);
            assert_eq!(why, []);
        } else {
            assert_eq!(answer.decision().released, 0);
            assert_eq!(why, [Why::Instrument(state)]);
        }
    }

    /// Enters bytes as a fact that somebody else wrote.
    fn append(&self, entry: &Entry) {
        let mut book = write_ledger(&self.workspace, &clock(), &Silent).unwrap();
        book.append(entry).unwrap();
    }

    fn sign_offs(&self) -> Vec<chancery_release::entry::SignOff> {
        let reader = self.workspace.ledger_reader().unwrap();
        let entries = reader.entries(0..reader.size()).unwrap();
        let entries = entries.map(|entry| Entry::from_bytes(&entry.unwrap().1).known().unwrap());
        let sign_off = |entry| match entry {
            Entry::SignOff(fact) => Some(fact),
            _ => None,
        };
        entries.filter_map(sign_off).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn what_two_people_signed_is_released_and_the_manifest_says_who() {
    let desk = Desk::new();
    let Outcome::Released(_, released) = desk.release() else {
        panic!("denied");
    };
    let keys = Keys {
        custodian: desk.workspace.custodian_key().unwrap(),
        ledger: desk.workspace.ledger_keys().unwrap(),
    };
    let verified = verify(&released.folder, &keys, &Silent).unwrap();
    let law = &verified.statement.predicate.law;
    let signed: Vec<(&str, &str)> = law
        .sign_offs
        .iter()
        .map(|one| (one.instrument.as_str(), one.role.as_str()))
        .collect();
    let (counsel, privacy) = ("counsel", "privacy_officer");
    assert_eq!(
        signed,
        [
            (BASE, counsel),
            (BASE, privacy),
            (INTEGRITY, counsel),
            (INTEGRITY, privacy)
        ]
    );
    assert_eq!(law.suspended, []);
    // It can be run again with what was known when it was made, whatever was recorded since.
    desk.suspend(INTEGRITY);
    desk.expect(State::Suspended);
    replay(&desk.workspace, &verified, &Silent).unwrap();
}

#[test]
fn one_signature_is_not_enough_nor_two_of_one_person() {
    let desk = Desk::new();
    let other = "us/routine/state-return";
    let on: Date = "2026-01-10".parse().unwrap();
    let state = || {
        let standing = desk.workspace.standing(&desk.law(), on, Known::Now);
        standing.unwrap().state(other)
    };
    assert_eq!(state(), State::Unsigned);
    desk.on().sign(other, &key("counsel"), &clock()).unwrap();
    assert_eq!(state(), State::SinglySigned);
    let again = desk.on().sign(other, &key("counsel"), &clock());
    assert!(matches!(again, Err(Error::NotEntitled { .. })), "{again:?}");
    for who in ["operator", "nobody"] {
        let refused = desk.on().sign(other, &key(who), &clock());
        assert!(
            matches!(refused, Err(Error::NotEntitled { .. })),
            "{refused:?}"
        );
    }
    desk.on().sign(other, &key("privacy"), &clock()).unwrap();
    assert_eq!(state(), State::Signed);
}

#[test]
fn only_what_was_shown_is_signed() {
    let desk = Desk::new();
    let unit = desk.on().unit(INTEGRITY);
    desk.edit(|text| text + "\n// another text\n");
    let mut book = write_ledger(&desk.workspace, &clock(), &Silent).unwrap();
    let act = (&unit, SignOffAct::Sign);
    let refused = sign(
        &desk.workspace,
        &mut book,
        &key("counsel"),
        act,
        unit.digest(),
        &clock(),
    );
    assert!(
        matches!(refused, Err(Error::NotShown { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_change_that_nobody_signed_is_tampering_and_one_that_somebody_signed_an_edition() {
    let desk = Desk::new();
    let whole = desk.decide("2026-01-10").0.decision().released;
    // Loosened: what the new text lets go beside the old is for nobody.
    desk.edit(|text| {
        text + "@id(\"more\")\n@clause(\"none\")\n@reason(\"none\")\npermit (principal, action == \
                Action::\"disclose\", resource is Record);\n"
    });
    desk.expect(State::Tampered);
    desk.on()
        .sign(INTEGRITY, &key("counsel"), &clock())
        .unwrap();
    assert_eq!(desk.state("2026-01-10"), State::Signed);
    let (answer, why) = desk.decide("2026-01-10");
    assert_eq!(answer.decision().released, whole);
    assert_eq!(why, []);
    let cited = &answer.decision().elements[0].permitted_by;
    let ids = [
        "us/routine/program-integrity#cms-to-inspector-general",
        "us/routine/program-integrity#more",
    ];
    let signed = format!("{}@signed", ids[0]);
    assert_eq!(cited, &[ids[0], &signed, ids[1]]);
    // Put back to what it was, it is as it was signed.
    desk.edit(|text| text[..text.find("@id(\"more\")").unwrap()].to_owned());
    desk.expect(State::Signed);
}

#[test]
fn an_edit_that_holds_back_counts_at_once() {
    let desk = Desk::new();
    let forbid = "@id(\"less\")\n@clause(\"none\")\n@reason(\"none\")\nforbid (principal, action == \
                  Action::\"disclose\", resource is Record) unless { resource.origin == \
                  Origin::\"06\" };\n";
    let whole = desk.decide("2026-01-10").0.decision().released;
    desk.edit(|text| text + forbid);
    desk.on()
        .sign(INTEGRITY, &key("privacy"), &clock())
        .unwrap();
    let part = desk.decide("2026-01-10").0.decision().released;
    assert!(0 < part && part < whole, "{part} of {whole}");
    desk.on()
        .sign(INTEGRITY, &key("counsel"), &clock())
        .unwrap();
    assert_eq!(desk.decide("2026-01-10").0.decision().released, part);
    // Signed by two, the forbid goes only when two people have signed that it does.
    desk.edit(|text| text.replace(forbid, ""));
    desk.expect(State::Tampered);
    desk.on()
        .sign(INTEGRITY, &key("privacy"), &clock())
        .unwrap();
    assert_eq!(desk.decide("2026-01-10").0.decision().released, part);
    desk.on()
        .sign(INTEGRITY, &key("counsel"), &clock())
        .unwrap();
    assert_eq!(desk.decide("2026-01-10").0.decision().released, whole);
}

#[test]
fn a_removed_instrument_holds_back_until_two_people_signed_that_it_is_gone() {
    let desk = Desk::new();
    let order = "us/cand/3-25-cv-05536/order-2025-08-12";
    let folder = desk
        .workspace
        .law_dir()
        .join("instruments/order-2025-08-12");
    for who in ["counsel", "privacy"] {
        desk.on().sign(order, &key(who), &clock()).unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let law = desk.law();
    let on: Date = "2025-09-01".parse().unwrap();
    let forbids = |desk: &Desk| {
        let standing = desk.workspace.standing(&law, on, Known::Now).unwrap();
        let in_force = law
            .in_force(on, desk.workspace.sign_off(&standing))
            .unwrap();
        let used = in_force.law_used().in_force;
        used.iter().any(|id| id.starts_with(order))
    };
    assert!(forbids(&desk));
    desk.on().sign(order, &key("counsel"), &clock()).unwrap();
    assert!(forbids(&desk));
    desk.on().sign(order, &key("privacy"), &clock()).unwrap();
    assert!(!forbids(&desk));
}

#[test]
fn a_base_that_was_changed_lets_nothing_go() {
    let desk = Desk::new();
    let path = desk.workspace.law_dir().join("elements.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + "\n# changed\n").unwrap();
    let (answer, why) = desk.decide("2026-01-10");
    assert_eq!(answer.decision().released, 0);
    let (id, state) = (BASE.to_owned(), State::Tampered);
    assert_eq!(why, [Why::Base { id, state }]);
    desk.on().sign(BASE, &key("counsel"), &clock()).unwrap();
    assert_eq!(desk.decide("2026-01-10").0.decision().released, 0);
    desk.on().sign(BASE, &key("privacy"), &clock()).unwrap();
    assert!(desk.decide("2026-01-10").0.decision().released > 0);
}

#[test]
fn a_suspension_takes_one_and_its_end_two() {
    let desk = Desk::new();
    desk.suspend(INTEGRITY);
    desk.expect(State::Suspended);
    assert!(matches!(desk.release(), Outcome::Denied(..)));
    // A sign-off is not a reinstatement.
    desk.edit(|text| text + "\n// reviewed\n");
    for who in ["counsel", "privacy"] {
        desk.on().sign(INTEGRITY, &key(who), &clock()).unwrap();
    }
    desk.expect(State::Suspended);
    let reinstate = |who: &str| {
        let act = SignOffAct::Reinstate;
        desk.on().act(INTEGRITY, &key(who), act, &clock()).unwrap();
    };
    reinstate("counsel");
    desk.expect(State::Suspended);
    let again = SignOffAct::Reinstate;
    let again = desk.on().act(INTEGRITY, &key("counsel"), again, &clock());
    assert!(matches!(again, Err(Error::NotEntitled { .. })), "{again:?}");
    desk.expect(State::Suspended);
    // Who withdrew lifts nothing any more, and who withdraws later is one who does not sign.
    let revoke = SignOffAct::Revoke;
    desk.on()
        .act(INTEGRITY, &key("counsel"), revoke, &clock())
        .unwrap();
    reinstate("privacy");
    desk.expect(State::Suspended);
    reinstate("counsel");
    desk.expect(State::Signed);
    desk.on()
        .act(INTEGRITY, &key("counsel"), revoke, &clock())
        .unwrap();
    desk.expect(State::Revoked);
    desk.on()
        .sign(INTEGRITY, &key("counsel"), &clock())
        .unwrap();
    desk.expect(State::Signed);
    desk.suspend(BASE);
    assert_eq!(desk.decide("2026-01-10").0.decision().released, 0);
}

#[test]
fn who_withdraws_is_not_counted_any_more() {
    let desk = Desk::new();
    let revoke = SignOffAct::Revoke;
    desk.on()
        .act(INTEGRITY, &key("privacy"), revoke, &clock())
        .unwrap();
    desk.expect(State::Revoked);
    // A second time, and whoever never signed it: there is nothing to withdraw.
    for who in ["privacy", "reviewer"] {
        let refused = desk.on().act(INTEGRITY, &key(who), revoke, &clock());
        let problem = refused.unwrap_err().to_string();
        assert!(problem.contains("nothing to withdraw"), "{problem}");
    }
    let all = desk.workspace.sign_offs(Known::Now).unwrap();
    let revocations = all.revocations(INTEGRITY);
    let [(revoked, withdrawn)] = revocations.as_slice() else {
        panic!("{revocations:?}");
    };
    assert!(revoked.person.name.contains("privacy"), "{revoked:?}");
    let digest = desk.on().unit(INTEGRITY).digest();
    assert!(withdrawn.len() == 1 && withdrawn[0].digest == digest);
    desk.on()
        .sign(INTEGRITY, &key("reviewer"), &clock())
        .unwrap();
    desk.expect(State::Signed);
}

#[test]
fn sign_offs_lapse() {
    let desk = Desk::new();
    assert_eq!(desk.state("2027-01-09"), State::Signed);
    assert_eq!(desk.state("2027-01-10"), State::Expired);
    let (answer, why) = desk.decide("2027-01-10");
    assert_eq!(answer.decision().released, 0);
    let (id, state) = (BASE.to_owned(), State::Expired);
    assert!(
        why == [Why::Instrument(State::Expired)] || why == [Why::Base { id, state }],
        "{why:?}"
    );
}

#[test]
fn a_suspension_recorded_while_a_request_is_decided_stops_the_release() {
    let desk = Desk::new();
    let error = desk.release_after(|| {
        desk.suspend(INTEGRITY);
    });
    assert!(matches!(error, Err(Error::LawChanged)), "{error:?}");
    let releases = std::fs::read_dir(desk.workspace.releases_dir()).unwrap();
    assert_eq!(
        releases
            .filter(|e| e.as_ref().unwrap().file_name() != ".staging")
            .count(),
        0
    );
    // Something else that is recorded meanwhile does not.
    let outcome = desk.release_after(|| {
        let mut book = write_ledger(&desk.workspace, &clock(), &Silent).unwrap();
        book.refresh().unwrap();
    });
    assert!(matches!(outcome.unwrap(), Outcome::Denied(..)));
}

#[test]
fn a_release_that_a_crash_left_is_undone_when_its_law_is_suspended_meanwhile() {
    let desk = Desk::new();
    let Outcome::Released(_, released) = desk.release() else {
        panic!("denied");
    };
    // As if it had crashed after the ledger held it and before it left.
    let staged = desk.workspace.staging_dir().join(&released.id);
    std::fs::create_dir_all(desk.workspace.staging_dir()).unwrap();
    std::fs::rename(&released.folder, &staged).unwrap();
    std::fs::remove_file(staged.join("receipt.tlog-proof")).unwrap();
    desk.suspend(INTEGRITY);
    assert!(!released.folder.exists());
    assert!(!staged.exists());
    let mut book = write_ledger(&desk.workspace, &clock(), &Silent).unwrap();
    let (finished, undone) = recover(&desk.workspace, &mut book, &clock(), &Silent).unwrap();
    assert!(finished.is_empty() && undone.is_empty());
}

#[test]
fn what_somebody_else_writes_into_the_ledger_does_not_count() {
    let desk = Desk::new();
    desk.suspend(INTEGRITY);
    // A copy of an old sign-off, recorded anew, as a sign-off and as a reinstatement.
    let old: Vec<_> = desk.sign_offs();
    for mut fact in old.into_iter().filter(|fact| fact.instrument == *INTEGRITY) {
        fact.recorded = Recorded::at("2026-01-11T12:00:00Z".parse().unwrap());
        desk.append(&Entry::SignOff(fact.clone()));
        fact.act = Some(SignOffAct::Reinstate);
        desk.append(&Entry::SignOff(fact));
    }
    desk.expect(State::Suspended);
    let all = desk.workspace.sign_offs(Known::Now).unwrap();
    let why: Vec<&str> = all.ignored().iter().map(|one| one.why).collect();
    assert_eq!(
        why,
        [
            "it is a copy of an earlier one",
            "its signature is not its key's",
            "it is a copy of an earlier one",
            "its signature is not its key's",
        ]
    );
    // A key that is nobody's, with a signature of its own.
    for who in ["stranger", "stranger2"] {
        let unit = desk.on().unit(INTEGRITY);
        let signing = chancery_release::entry::Signing {
            log: "example/ledger".parse().unwrap(),
            after: 1,
            unit: INTEGRITY.parse().unwrap(),
            digest: unit.digest(),
            by: chancery_release::entry::By {
                agency: "hhs/cms".parse().unwrap(),
                role: chancery_release::entry::Role::Counsel,
            },
        };
        let act = SignOffAct::Reinstate;
        let signature = key(who).sign(signing.sign_off(act).as_bytes()).unwrap();
        let entry =
            Entry::sign_off_in_log(signing, act, &key(who).verifier(), &signature, &clock());
        desk.append(&entry.unwrap());
    }
    desk.expect(State::Suspended);
}

#[test]
fn a_role_counts_on_the_day_of_signing() {
    let desk = Desk::new();
    let other = "us/routine/state-return";
    let later = at("2026-02-01T12:00:00Z");
    let refused = desk.on().sign(other, &key("reviewer"), &later);
    assert!(
        matches!(refused, Err(Error::NotEntitled { .. })),
        "{refused:?}"
    );
    // Whoever goes round the command: the entry is there, and does not count.
    let unit = desk.on().unit(other);
    let signing = chancery_release::entry::Signing {
        log: "example/ledger".parse().unwrap(),
        after: 1,
        unit: other.parse().unwrap(),
        digest: unit.digest(),
        by: chancery_release::entry::By {
            agency: "hhs/cms".parse().unwrap(),
            role: chancery_release::entry::Role::Reviewer,
        },
    };
    let act = SignOffAct::Sign;
    let key = key("reviewer");
    let signature = key.sign(signing.sign_off(act).as_bytes()).unwrap();
    let entry = Entry::sign_off_in_log(signing, act, &key.verifier(), &signature, &later);
    desk.append(&entry.unwrap());
    let all = desk.workspace.sign_offs(Known::Now).unwrap();
    assert!(
        all.ignored()[0].why.contains("on that day"),
        "{:?}",
        all.ignored()
    );
}

#[test]
fn roles_that_two_people_of_before_did_not_sign_do_not_apply() {
    let desk = Desk::new();
    let other = "us/routine/state-return";
    desk.on().write_people(&[
        person("counsel", "counsel", None),
        person("privacy", "privacy_officer", None),
        person("stranger", "counsel", None),
    ]);
    let refused = desk.on().sign(other, &key("stranger"), &clock());
    assert!(
        matches!(refused, Err(Error::NotEntitled { .. })),
        "{refused:?}"
    );
    // The custodian signs the first roles, and no others.
    let root = desk.workspace.root();
    let custodian = keyfile::read(&root.join("keys/custodian.key"), None).unwrap();
    let refused = desk.on().sign("roles", &custodian[0], &clock());
    assert!(
        matches!(refused, Err(Error::NotEntitled { .. })),
        "{refused:?}"
    );
    desk.on().sign("roles", &key("counsel"), &clock()).unwrap();
    assert!(desk.on().sign(other, &key("stranger"), &clock()).is_err());
    // A reviewer signs law, not roles.
    assert!(desk.on().sign("roles", &key("reviewer"), &clock()).is_err());
    desk.on().sign("roles", &key("privacy"), &clock()).unwrap();
    desk.on().sign(other, &key("stranger"), &clock()).unwrap();
    // Who is in the roles no more: what they signed before still counts.
    assert_eq!(desk.state("2026-01-10"), State::Signed);
    assert!(desk.on().sign(other, &key("reviewer"), &clock()).is_err());
}

#[test]
fn the_text_that_was_signed_is_what_applies_or_nothing_is_decided() {
    let desk = Desk::new();
    let digest = desk.on().unit(INTEGRITY).digest();
    desk.edit(|text| text + "\n// edited\n");
    desk.on()
        .sign(INTEGRITY, &key("counsel"), &clock())
        .unwrap();
    let kept = desk.workspace.signed_dir(digest).join("provisions.cedar");
    let text = std::fs::read_to_string(&kept).unwrap();
    std::fs::write(&kept, format!("{text}\n// looser\n")).unwrap();
    let on: Date = "2026-01-10".parse().unwrap();
    let refused = desk.workspace.standing(&desk.law(), on, Known::Now);
    assert!(
        matches!(refused, Err(Error::SignedText { .. })),
        "{refused:?}"
    );
    std::fs::remove_dir_all(desk.workspace.signed_dir(digest)).unwrap();
    let refused = desk.workspace.standing(&desk.law(), on, Known::Now);
    assert!(
        matches!(refused, Err(Error::SignedText { .. })),
        "{refused:?}"
    );
}

#[test]
fn what_was_recorded_later_was_not_known() {
    let desk = Desk::new();
    let before = Known::At("2026-01-10T12:00:00Z".parse().unwrap());
    let unit = desk.on().unit(INTEGRITY);
    let later = at("2026-01-12T12:00:00Z");
    let reason = SuspensionReason::CourtOrder;
    suspend(
        &desk.workspace,
        &key("operator"),
        &unit,
        reason,
        &later,
        &Silent,
    )
    .unwrap();
    let on: Date = "2026-01-10".parse().unwrap();
    let state = |known| {
        let standing = desk.workspace.standing(&desk.law(), on, known).unwrap();
        standing.state(INTEGRITY)
    };
    assert_eq!(state(before), State::Signed);
    assert_eq!(state(Known::Now), State::Suspended);
    let never = Known::At("2026-01-09T12:00:00Z".parse().unwrap());
    assert_eq!(state(never), State::Unsigned);
}

/// Two people signed that the instrument is gone: one person's signature of another text in its place
/// makes no edition of it.
#[test]
fn what_comes_back_after_its_removal_takes_two_people_again() {
    let desk = Desk::new();
    let folder = desk.workspace.root().join(FOLDER);
    let kept = desk.workspace.root().join("kept");
    std::fs::rename(&folder, &kept).unwrap();
    for name in ["counsel", "privacy"] {
        desk.on().sign(INTEGRITY, &key(name), &clock()).unwrap();
    }
    std::fs::rename(&kept, &folder).unwrap();
    desk.edit(|text| text.replace("Agency::\"hhs/oig\"", "Agency::\"hhs\""));
    assert_eq!(desk.state("2026-01-10"), State::Tampered);
    desk.on()
        .sign(INTEGRITY, &key("counsel"), &clock())
        .unwrap();
    assert_eq!(desk.state("2026-01-10"), State::SinglySigned);
    assert!(matches!(desk.release(), Outcome::Denied(..)));
    desk.on()
        .sign(INTEGRITY, &key("privacy"), &clock())
        .unwrap();
    assert_eq!(desk.state("2026-01-10"), State::Signed);
}

/// An overlay that is no longer listed takes its bars with it, so nothing leaves until two people sign
/// that it is gone.
#[test]
fn an_overlay_that_is_unlisted_stops_everything_until_two_people_signed_so() {
    for suspended in [false, true] {
        let desk = Desk::new();
        let root = desk.workspace.root();
        std::fs::create_dir_all(root.join("law/overlays/st")).unwrap();
        let overlay =
            "name = \"st\"\ntitle = \"A state\"\nversion = \"1\"\nover = \"us-medicaid\"\n";
        let moved = root.join("st");
        std::fs::create_dir_all(&moved).unwrap();
        std::fs::write(moved.join("overlay.toml"), overlay).unwrap();
        std::fs::remove_dir_all(root.join("law/overlays")).unwrap();
        let config = root.join("chancery.toml");
        let without = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("overlays = [\"st\"]\n{without}")).unwrap();
        let desk = Desk {
            workspace: Workspace::find(root).unwrap(),
            ..desk
        };
        for name in ["counsel", "privacy"] {
            desk.on().sign("st", &key(name), &clock()).unwrap();
        }
        assert!(matches!(desk.release(), Outcome::Released(..)));
        if suspended {
            desk.suspend("st");
            assert!(matches!(desk.release(), Outcome::Denied(..)));
        }
        std::fs::write(&config, &without).unwrap();
        let desk = Desk {
            workspace: Workspace::find(desk.workspace.root()).unwrap(),
            ..desk
        };
        let (_, why) = desk.decide("2026-01-10");
        assert!(
            matches!(&why[..], [Why::Base { id, .. }] if id == "st"),
            "{why:?}"
        );
        assert!(matches!(desk.release(), Outcome::Denied(..)));
        if !suspended {
            desk.on().sign("st", &key("counsel"), &clock()).unwrap();
            assert!(matches!(desk.release(), Outcome::Denied(..)));
            desk.on().sign("st", &key("privacy"), &clock()).unwrap();
            assert!(matches!(desk.release(), Outcome::Released(..)));
        }
    }
}

/// A ledger with sign-offs is no demonstration's, whatever the configuration says.
#[test]
fn nobody_makes_a_demonstration_of_a_ledger_with_sign_offs() {
    let desk = Desk::new();
    desk.suspend(BASE);
    let config = desk.workspace.root().join("chancery.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let flipped = text.replace("demonstration = false", "demonstration = true");
    assert_ne!(flipped, text);
    std::fs::write(&config, flipped).unwrap();
    let desk = Desk {
        workspace: Workspace::find(desk.workspace.root()).unwrap(),
        ..desk
    };
    assert_eq!(desk.state("2026-01-10"), State::Signed);
    assert!(matches!(desk.release(), Outcome::Denied(..)));
}

/// What stops data from leaving is not to be stopped by a broken file.
#[test]
fn a_pack_that_cannot_be_read_can_be_suspended() {
    let desk = Desk::new();
    let file = desk.workspace.root().join(FOLDER).join("instrument.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[")).unwrap();
    let unit = desk.workspace.suspendable(INTEGRITY).unwrap();
    let reason = SuspensionReason::CourtOrder;
    suspend(
        &desk.workspace,
        &key("operator"),
        &unit,
        reason,
        &clock(),
        &Silent,
    )
    .unwrap();
    std::fs::write(&file, text).unwrap();
    assert_eq!(desk.state("2026-01-10"), State::Suspended);
    assert!(desk.workspace.suspendable("us/not/there").is_err());
}

/// Two people never signed it, so no edition of it is kept: what it barred is lost with its folder, and one
/// person's signature does not change that.
#[test]
fn what_is_suspended_and_gone_stops_everything_whoever_signed_it_alone() {
    let desk = Desk::new();
    let root = desk.workspace.root().to_owned();
    let folder = root.join(FOLDER);
    let other = root.join("law/instruments/other");
    std::fs::create_dir_all(&other).unwrap();
    let id = "us/routine/other";
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace(INTEGRITY, id);
        if path.ends_with("assertions.toml") {
            continue;
        }
        std::fs::write(other.join(path.file_name().unwrap()), text).unwrap();
    }
    assert!(matches!(desk.release(), Outcome::Released(..)));
    desk.on().sign(id, &key("counsel"), &clock()).unwrap();
    desk.suspend(id);
    std::fs::rename(&other, root.join("kept")).unwrap();
    let (_, why) = desk.decide("2026-01-10");
    assert!(
        matches!(&why[..], [Why::Gone { id: gone }] if gone == id),
        "{why:?}"
    );
    assert!(matches!(desk.release(), Outcome::Denied(..)));
    // Back in its place, two people reinstate it.
    std::fs::rename(root.join("kept"), &other).unwrap();
    for name in ["counsel", "privacy"] {
        let act = SignOffAct::Reinstate;
        desk.on().act(id, &key(name), act, &clock()).unwrap();
    }
    assert!(matches!(desk.release(), Outcome::Released(..)));
}

/// The next roles take two people of these, so roles without them would be the last.
#[test]
fn roles_that_would_lock_everybody_out_are_refused() {
    let case = Case::new(false);
    let desk = Borrowed(&case.workspace);
    let file = case.workspace.root().join("keys/custodian.key");
    let custodian = keyfile::read(&file, None).unwrap();
    let one = person("counsel", "counsel", None);
    let other = person("privacy", "privacy_officer", None);
    for (people, problem) in [
        (vec![], "has no two people"),
        (vec![one.clone()], "has no two people"),
        (
            vec![one.clone(), person("operator", "operator", None)],
            "has no two people",
        ),
        (
            vec![
                one.clone(),
                person("privacy", "privacy_officer", Some("2026-01-02")),
            ],
            "has no two people",
        ),
        (
            vec![one.clone(), other.replace("privacy_officer", "officer")],
            "has a role `officer` that there is not",
        ),
        (
            vec![one.clone(), other.replace("vkey = \"", "vkey = \"x")],
            "has a vkey that is no verifier key",
        ),
    ] {
        desk.write_people(&people);
        let refused = desk.sign("roles", &custodian[0], &clock()).unwrap_err();
        let said = refused.to_string();
        assert!(said.contains(problem), "{said}");
    }
    desk.write_people(&[one, other]);
    desk.sign("roles", &custodian[0], &clock()).unwrap();
}
