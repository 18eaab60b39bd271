//! One entry of every kind, made by its constructor: the test vectors of `docs/ledger.md`.

use chancery_ledger::{SigningKey, VerifierKey};
use chancery_model::{Decision, Digest, LawUsed, Outcome, Request};
use chancery_release::Fixed;
use chancery_release::entry::{
    AbortReason, ApprovalOf, By, CommittedPeople, Disclosure, Entry, Label, LookUpReason, Onward,
    Pseudonym, RecallReason, Recorded, ReleaseId, ReleaseRef, Role, RotationReason, Sanitisation,
    Scope, SignOff, SignOffAct, Signing, Statement, Suspended, SuspensionReason, Url, Verdict,
    Verification, Version2, Vkey,
};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

pub(crate) const RELEASE: &str = "2026-01-10-dhs-ice-5d6b1a90";

pub(crate) fn clock() -> Fixed {
    Fixed("2026-01-10T12:00:00.5Z".parse().unwrap())
}

pub(crate) fn label(text: &str) -> Label {
    text.parse().unwrap()
}

/// The digest of a text that stands for a document.
pub(crate) fn digest_of(document: &str) -> Digest {
    Digest::from_bytes(Sha256::digest(document).into())
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn by(agency: &str, role: Role) -> By {
    By {
        agency: label(agency),
        role,
    }
}

fn key(name: &str, seed: u8) -> SigningKey {
    SigningKey::generate(name, chancery_ledger::Algorithm::Ed25519, [seed; 32]).unwrap()
}

pub(crate) fn vkey(key: &VerifierKey) -> Vkey {
    key.to_string().parse().unwrap()
}

/// A vkey line of the form of an ML-DSA-44 key.
pub(crate) fn ml_dsa_vkey(name: &str, seed: u8) -> Vkey {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let blocks = (0_u8..41).flat_map(|block| Sha256::digest([seed, block]));
    let key: Vec<u8> = [0x06].into_iter().chain(blocks).take(1313).collect();
    let id = Sha256::digest([name.as_bytes(), b"\n", &key].concat());
    let id: String = id
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{name}+{id}+{}", BASE64_STANDARD.encode(key))
        .parse()
        .unwrap()
}

/// The decision on a request of the immigration authorities.
pub(crate) fn decision(outcome: Outcome) -> Decision {
    let text = "recipient = \"dhs/ice\"\npurpose = \"immigration-enforcement/civil\"\n\
                custodian = \"hhs/cms\"\ndataset = \"tmsis-2025-12\"\n";
    Decision {
        request: Request::parse("request.toml", text).unwrap(),
        on: day("2026-01-10"),
        law: LawUsed {
            pack: "us-medicaid".to_owned(),
            digest: digest_of("a law pack"),
            in_force: Vec::new(),
            layers: Vec::new(),
        },
        outcome,
        total: 0,
        released: 0,
        elements: Vec::new(),
        classes: Vec::new(),
        tables: Vec::new(),
        interpretations: Vec::new(),
        obligations: Vec::new(),
    }
}

fn released() -> ReleaseRef {
    ReleaseRef {
        release: RELEASE.parse().unwrap(),
        manifest: digest_of("a manifest"),
        recipient: label("dhs/ice"),
    }
}

/// Whom a release of the samples is about.
pub(crate) fn people() -> CommittedPeople {
    CommittedPeople {
        root: digest_of("people"),
        key: chancery_register::SecretKey::derive(&[5; 32])
            .unwrap()
            .public(),
    }
}

/// The first form of a release's entry, as it was written before there was a register.
fn first_release() -> Entry {
    let manifest = digest_of("a manifest");
    let entry = Entry::release(
        RELEASE,
        &decision(Outcome::Partial),
        manifest,
        people(),
        &clock(),
    );
    let Entry::Release(fact) = entry.unwrap() else {
        panic!("another entry")
    };
    Entry::Release(Disclosure {
        version: Version2::One,
        people: None,
        ..fact
    })
}

fn disclosures() -> Vec<(&'static str, Entry)> {
    let custodian = key("agency.example/ledger/custodian", 1).verifier();
    let manifest = digest_of("a manifest");
    vec![
        ("workspace", Entry::workspace(&custodian, &clock()).unwrap()),
        ("release", first_release()),
        (
            "release-2",
            Entry::release(
                RELEASE,
                &decision(Outcome::Partial),
                manifest,
                people(),
                &clock(),
            )
            .unwrap(),
        ),
        (
            "refusal",
            Entry::refusal(RELEASE, &decision(Outcome::Denied), &clock()).unwrap(),
        ),
        (
            "abort",
            Entry::abort(RELEASE, AbortReason::DatasetChanged, &clock()),
        ),
    ]
}

fn sign_off() -> Entry {
    let (instrument, by) = (
        label("us/cand/3-25-cv-05536/order-2025-12-29"),
        by("hhs/cms", Role::Counsel),
    );
    let key = key("agency.example/counsel", 2);
    let digest = digest_of("an instrument");
    let signature = key
        .sign(SignOff::message(&instrument, digest, &by).as_bytes())
        .unwrap();
    Entry::sign_off(
        instrument,
        digest,
        by,
        &key.verifier(),
        &signature,
        &clock(),
    )
    .unwrap()
}

fn signing(instrument: &str, by: By) -> Signing {
    Signing {
        log: label("agency.example/ledger"),
        after: 17,
        unit: label(instrument),
        digest: digest_of("an instrument"),
        by,
    }
}

fn sign_off_2() -> Entry {
    let by = by("hhs/cms", Role::Counsel);
    let signing = signing("us/cand/3-25-cv-05536/order-2025-12-29", by);
    let (key, act) = (key("agency.example/counsel", 2), SignOffAct::Sign);
    let signature = key.sign(signing.sign_off(act).as_bytes()).unwrap();
    Entry::sign_off_in_log(signing, act, &key.verifier(), &signature, &clock()).unwrap()
}

fn suspension_2() -> Entry {
    let by = by("hhs/cms", Role::Counsel);
    let signing = signing("us/hhs/cms-ice-exchange-agreement-2025-07", by);
    let (key, reason) = (
        key("agency.example/counsel", 2),
        SuspensionReason::CourtOrder,
    );
    let from = day("2026-01-10");
    let signature = key
        .sign(signing.suspension(reason, from).as_bytes())
        .unwrap();
    let key = key.verifier();
    Entry::suspension_in_log(signing, reason, from, &key, &signature, &clock()).unwrap()
}

fn approvals_and_use() -> Vec<(&'static str, Entry)> {
    let approval = Entry::approval(
        ApprovalOf::Release,
        RELEASE.parse::<ReleaseId>().unwrap(),
        digest_of("a manifest"),
        Verdict::Approved,
        by("hhs/cms", Role::PrivacyOfficer),
        &clock(),
    );
    let used = Entry::use_statement(
        released(),
        label("immigration-enforcement/civil"),
        (day("2026-01-10"), day("2026-03-31")),
        14,
        Onward::None,
        digest_of("a statement of use"),
        &clock(),
    );
    vec![
        ("sign_off", sign_off()),
        ("sign_off-2", sign_off_2()),
        ("approval", approval.unwrap()),
        ("use_statement", used.unwrap()),
    ]
}

fn end_of_use() -> Vec<(&'static str, Entry)> {
    let recall = |instrument| {
        Entry::recall(
            released(),
            RecallReason::CourtOrder,
            instrument,
            Scope::ReleaseAndDerivatives,
            day("2026-02-10"),
            &clock(),
        )
    };
    let order = label("us/cand/3-25-cv-05536/order-2025-12-29");
    let destruction = Entry::destruction(
        released(),
        Sanitisation::Purge,
        Verification::Full,
        Scope::ReleaseAndDerivatives,
        day("2026-02-03"),
        digest_of("a certificate"),
        &clock(),
    );
    vec![
        ("recall", recall(Some(order)).unwrap()),
        ("recall-without-instrument", recall(None).unwrap()),
        ("destruction", destruction.unwrap()),
    ]
}

fn accounting() -> Vec<(&'static str, Entry)> {
    let person = Pseudonym::from_mac(Sha256::digest("stands for an HMAC").into());
    let instrument = Suspended::Instrument {
        id: label("us/hhs/cms-ice-exchange-agreement-2025-07"),
        digest: digest_of("an instrument"),
        reason: SuspensionReason::UnderReview,
    };
    let account = Suspended::Accounting {
        person,
        agency: label("hhs/oig"),
        basis: Statement::Oral,
        statement: digest_of("a note of what was said"),
    };
    let (from, until) = (day("2026-01-10"), day("2026-02-09"));
    let (security, privacy) = (Role::SecurityOfficer, Role::PrivacyOfficer);
    vec![
        (
            "suspension",
            Entry::suspension(instrument, by("hhs/cms", security), from, None, &clock()).unwrap(),
        ),
        ("suspension-2", suspension_2()),
        (
            "suspension-of-an-accounting",
            Entry::suspension(account, by("hhs/cms", privacy), from, Some(until), &clock())
                .unwrap(),
        ),
        (
            "look_up",
            Entry::look_up(
                person,
                LookUpReason::IndividualRequest,
                by("hhs/cms", privacy),
                &clock(),
            )
            .unwrap(),
        ),
        (
            "look_up-2",
            Entry::look_up_for(
                person,
                digest_of("the reason"),
                by("hhs/cms", privacy),
                &clock(),
            )
            .unwrap(),
        ),
    ]
}

fn law_and_keys() -> Vec<(&'static str, Entry)> {
    let url = "https://www.federalregister.gov/documents/2025/11/25/2025-21024/notice";
    let fetched = "2026-01-09T08:30:00Z".parse().unwrap();
    let snapshot = Entry::snapshot(
        label("us/fr/90-53324"),
        url.parse::<Url>().unwrap(),
        digest_of("a notice"),
        Recorded::at(fetched),
        &clock(),
    );
    let log = "agency.example/ledger";
    let (old, new) = (key(log, 3).verifier(), key(log, 4).verifier());
    let rotated = |reason, added, retired| {
        Entry::key_rotation(label(log), reason, added, retired, &clock()).unwrap()
    };
    vec![
        ("snapshot", snapshot.unwrap()),
        (
            "key_rotation",
            rotated(
                RotationReason::Scheduled,
                vec![vkey(&new)],
                vec![vkey(&old)],
            ),
        ),
        (
            "key_rotation-ml-dsa-44",
            rotated(RotationReason::Algorithm, vec![ml_dsa_vkey(log, 5)], vec![]),
        ),
    ]
}

/// Every kind, by the name of its vector; what follows a kind's name is a variant of it.
pub(crate) fn every_kind() -> Vec<(&'static str, Entry)> {
    let parts = [
        disclosures(),
        approvals_and_use(),
        end_of_use(),
        accounting(),
        law_and_keys(),
    ];
    parts.concat()
}

/// Bytes that are no entry of this version, and what is wrong with them.
pub(crate) fn refused() -> Vec<(&'static str, Vec<u8>)> {
    let bytes = |kind: &str| {
        let kinds = every_kind();
        let (_, entry) = kinds.iter().find(|(name, _)| *name == kind).unwrap();
        String::from_utf8(entry.to_bytes().unwrap()).unwrap()
    };
    let abort = bytes("abort");
    let spoilt = [
        ("white-space", abort.replace(",\"", ", \"")),
        ("line-end", abort.clone() + "\n"),
        (
            "other-order",
            abort.replace(
                r#""type":"abort","version":1"#,
                r#""version":1,"type":"abort""#,
            ),
        ),
        ("more-fields", abort.replace('}', r#","note":"x"}"#)),
        (
            "field-missing",
            abort.replace(r#","reason":"the dataset has changed""#, ""),
        ),
        (
            "field-twice",
            abort.replace(r#""version":1"#, r#""version":1,"version":1"#),
        ),
        ("escape", abort.replace("dataset", r"dat\u0061set")),
        (
            "unknown-code",
            abort.replace("the dataset has changed", "no reason"),
        ),
        (
            "version-as-text",
            abort.replace(r#""version":1"#, r#""version":"1""#),
        ),
        (
            "upper-case-digest",
            bytes("release").replacen("sha256:f", "sha256:F", 1),
        ),
        ("local-time", abort.replace("12:00:00Z", "12:00:00+00:00")),
        (
            "release-without-manifest",
            bytes("refusal").replace("refusal", "release"),
        ),
        (
            "later-version",
            abort.replace(r#""version":1"#, r#""version":2"#),
        ),
        (
            "later-type",
            r#"{"type":"erratum","version":1,"of":17}"#.to_owned(),
        ),
        ("no-json", "released to hhs/oig".to_owned()),
    ];
    spoilt
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect()
}
