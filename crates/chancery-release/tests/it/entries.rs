//! Every kind of entry: its one form, what it refuses, and that documentation, vectors and code
//! are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chancery_release::entry::{
    AbortReason, ApprovalOf, By, Entry, Label, LookUpReason, MOST_BYTES, Onward, Pseudonym,
    Reading, RecallReason, ReleaseId, ReleaseRef, Role, RotationReason, Sanitisation, Scope,
    SignOffAct, Statement, Suspended, SuspensionReason, Url, Verdict, Verification, Vkey,
    leaf_hash,
};
use jiff::ToSpan as _;
use jiff::civil::date;

use crate::samples::{
    RELEASE, clock, decision, digest_of, every_kind, label, ml_dsa_vkey, people, refused,
};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

#[test]
fn every_kind_is_read_back_as_it_was_written() {
    for (name, entry) in every_kind() {
        let bytes = entry.to_bytes().unwrap();
        assert!(bytes.len() <= MOST_BYTES, "{name}");
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(
            text.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{name}"
        );
        assert!(!text.contains('\\'), "{name} has an escape");
        let head = format!(
            r#"{{"type":"{}","version":{},"recorded":"2026-01-10T12:00:00Z","#,
            entry.kind(),
            if name.ends_with("-2") { 2 } else { 1 }
        );
        assert!(text.starts_with(&head), "{text}");
        assert_eq!(entry.recorded().to_string(), "2026-01-10T12:00:00Z");
        assert_eq!(Entry::from_bytes(&bytes), Reading::from(entry), "{name}");
    }
}

#[test]
fn every_kind_has_a_sample() {
    let sampled: BTreeSet<&str> = every_kind().iter().map(|(_, entry)| entry.kind()).collect();
    assert_eq!(sampled, BTreeSet::from(Entry::KINDS));
}

/// No byte of an entry can be changed, and none added or taken away, with it still being read as the
/// same entry; and what is read is always what is written again.
#[test]
fn an_entry_has_one_form_of_bytes() {
    for (name, entry) in every_kind() {
        let bytes = entry.to_bytes().unwrap();
        for at in 0..bytes.len() {
            for byte in [b' ', b'"', b'\\', b'0', b'A', b'a', b',', 0x00, 0xff] {
                let (mut changed, mut longer) = (bytes.clone(), bytes.clone());
                changed[at] = byte;
                longer.insert(at, byte);
                for other in [changed, longer] {
                    if other == bytes {
                        continue;
                    }
                    if let Reading::Known(read) = Entry::from_bytes(&other) {
                        assert_ne!(*read, entry, "{name} at {at}");
                        assert_eq!(read.to_bytes().unwrap(), other, "{name} at {at}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_not_in_the_one_form_is_kept_apart() {
    for (name, bytes) in refused() {
        match (name, Entry::from_bytes(&bytes)) {
            ("later-version", Reading::Unknown { kind, version: 2 }) => assert_eq!(kind, "abort"),
            ("later-type", Reading::Unknown { kind, version: 1 }) => assert_eq!(kind, "erratum"),
            ("later-version" | "later-type", other) => panic!("{name}: {other:?}"),
            (_, Reading::Unreadable { problem }) => {
                assert!(
                    !problem.is_empty() && !problem.contains("no reason"),
                    "{problem}"
                );
            }
            (_, other) => panic!("{name}: {other:?}"),
        }
    }
}

/// What workspaces have in their ledgers from before there were more kinds.
#[test]
fn entries_with_a_fraction_of_a_second_are_still_read() {
    let abort = r#"{"type":"abort","version":1,"recorded":"2026-01-10T12:00:00.123456789Z","id":"2026-01-10-hhs-oig","reason":"cancelled"}"#;
    assert!(Entry::from_bytes(abort.as_bytes()).known().is_some());
    let zeros = abort.replace("123456789", "120");
    assert!(Entry::from_bytes(zeros.as_bytes()).known().is_none());
}

#[test]
fn an_entry_over_the_limit_is_refused_with_the_limit() {
    let keys = (0..40).map(|seed| ml_dsa_vkey("agency.example/ledger", seed));
    let (log, reason) = (label("agency.example/ledger"), RotationReason::Scheduled);
    let error = Entry::key_rotation(log, reason, keys.collect(), vec![], &clock()).unwrap_err();
    assert!(error.to_string().contains("65535 at most"), "{error}");
    assert!(error.hint.is_some());
    let oversized = format!(
        r#"{{"type":"x","version":1,"x":"{}"}}"#,
        "x".repeat(MOST_BYTES)
    );
    let reading = Entry::from_bytes(oversized.as_bytes());
    assert!(matches!(reading, Reading::Unreadable { problem } if problem.contains("65535")));
}

#[test]
fn a_disclosure_says_what_was_decided() {
    use chancery_model::Outcome;
    let manifest = digest_of("a manifest");
    let denied = decision(Outcome::Denied);
    assert!(Entry::release(RELEASE, &denied, manifest, people(), &clock()).is_err());
    assert!(Entry::refusal(RELEASE, &decision(Outcome::Full), &clock()).is_err());
    let mut named = decision(Outcome::Full);
    named.request.dataset = "enrollee 900-12-3456".to_owned();
    let error = Entry::release(RELEASE, &named, manifest, people(), &clock()).unwrap_err();
    assert!(error.to_string().contains("`dataset`"), "{error}");
    assert!(
        !error.to_string().contains("900"),
        "a refusal repeats nothing"
    );
}

/// The gate makes an id from a day, a recipient and a digest; every recipient that may stand in an
/// entry gives one that may.
#[test]
fn every_recipient_has_release_ids() {
    use chancery_model::Outcome;
    let recipients = [
        "hhs",
        "dhs/ice",
        "state/06/medicaid",
        "court/cand-3.25",
        "research/20251231",
        "research/12-3456",
        "1/2",
        "a-b-c-1234x/9",
    ];
    for recipient in recipients {
        assert!(recipient.parse::<Label>().is_ok(), "{recipient}");
        for end in [
            "-5d6b1a90",
            "-12345678",
            "-deadbeef-2",
            "-00000000-123456",
            "",
        ] {
            let id = format!("2026-01-10-{}{end}", recipient.replace('/', "-"));
            let mut decision = decision(Outcome::Partial);
            decision.request.recipient = recipient.to_owned();
            let entry = Entry::release(&id, &decision, digest_of("a manifest"), people(), &clock());
            entry.unwrap_or_else(|error| panic!("{id}: {error}"));
        }
    }
}

#[test]
fn a_sign_off_is_signed_by_its_key() {
    let key = chancery_ledger::SigningKey::generate(
        "agency.example/counsel",
        chancery_ledger::Algorithm::Ed25519,
        [2; 32],
    )
    .unwrap();
    let by = By {
        agency: label("hhs/cms"),
        role: Role::Counsel,
    };
    let (id, digest) = (label("us/usc/8/1360-b"), digest_of("an instrument"));
    let signature = key.sign(b"something else").unwrap();
    let refused = Entry::sign_off(id, digest, by, &key.verifier(), &signature, &clock());
    assert!(refused.unwrap_err().to_string().contains("`signature`"));
    for (_, entry) in every_kind() {
        if let Entry::SignOff(mut sign_off) = entry {
            sign_off.verify().unwrap();
            sign_off.role = Role::Reviewer;
            sign_off.verify().unwrap_err();
        }
    }
}

#[test]
fn an_accounting_is_suspended_as_long_as_the_law_allows() {
    let suspend = |basis, days: Option<i32>| {
        let of = Suspended::Accounting {
            person: Pseudonym::from_mac([7; 32]),
            agency: label("dhs/ice"),
            basis,
            statement: digest_of("a statement"),
        };
        let by = By {
            agency: label("hhs/cms"),
            role: Role::PrivacyOfficer,
        };
        let from = date(2026, 1, 10);
        let until = days.map(|days| from.checked_add(days.days()).unwrap());
        Entry::suspension(of, by, from, until, &clock())
    };
    suspend(Statement::Oral, Some(30)).unwrap();
    suspend(Statement::Oral, Some(31)).unwrap_err();
    suspend(Statement::Written, Some(400)).unwrap();
    suspend(Statement::Written, Some(-1)).unwrap_err();
    suspend(Statement::Written, None).unwrap_err();
}

/// A number of users and a day could carry an identification number and a date of birth.
#[test]
fn numbers_and_days_have_to_do_with_what_they_are_of() {
    let used = |users, from, to| {
        let of = ReleaseRef {
            release: RELEASE.parse().unwrap(),
            manifest: digest_of("a manifest"),
            recipient: label("dhs/ice"),
        };
        let (purpose, statement) = (label("research"), digest_of("a statement of use"));
        let days = (from, to);
        Entry::use_statement(of, purpose, days, users, Onward::None, statement, &clock())
    };
    let (first, last) = (date(2026, 1, 1), date(2026, 3, 31));
    used(999_999, first, last).unwrap();
    let refused = [
        used(900_123_456, first, last),
        used(14, last, first),
        used(14, date(1980, 5, 17), last),
    ];
    for (refused, field) in refused.into_iter().zip(["users", "to", "from"]) {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains(&format!("`{field}`")), "{error}");
    }
}

#[test]
fn a_rotation_names_each_key_of_the_log_once() {
    let key = ml_dsa_vkey("agency.example/ledger", 1);
    let rotate = |log: &str, added: &[&Vkey], retired: &[&Vkey]| {
        let own = |keys: &[&Vkey]| keys.iter().map(|key| (*key).clone()).collect();
        let reason = RotationReason::Scheduled;
        Entry::key_rotation(label(log), reason, own(added), own(retired), &clock())
    };
    rotate("agency.example/ledger", &[&key], &[]).unwrap();
    rotate("agency.example/ledger", &[], &[]).unwrap_err();
    rotate("agency.example/ledger", &[&key], &[&key]).unwrap_err();
    rotate("agency.example/ledger", &[&key, &key], &[]).unwrap_err();
    rotate("other.example/ledger", &[&key], &[]).unwrap_err();
}

#[test]
fn the_forms_of_texts_take_names_and_no_numbers_of_people() {
    let names = [
        "hhs/cms",
        "state/06/medicaid",
        "court/cand",
        "us/cfr/45/164.512",
        "us/fr/90-53324",
        "us/usc/42/1396a-a-7",
        "us/cand/3-25-cv-05536/order-2025-12-29#six-elements",
        "tmsis-2025-12",
        "tmsis_20251231",
        "agency.example/ledger",
    ];
    for name in names {
        assert!(name.parse::<Label>().is_ok(), "{name}");
    }
    let others = [
        "",
        "-a",
        "two words",
        "a\"b",
        "a\\b",
        "a\nb",
        "caf\u{e9}",
        "900123456",
        "900-12-3456",
        "900/12/3456",
        "9.0.0.1.2.3.4.5.6",
        "x(559)000-0001",
        "x559-000-0001",
        "ca1234567",
        "p12345678",
        "x2026-13-45-1",
    ];
    for other in others {
        assert!(other.parse::<Label>().is_err(), "{other}");
    }
    assert!("x".repeat(129).parse::<Label>().is_err());
    let ids = [
        RELEASE,
        "2026-01-10-hhs-oig",
        "2026-01-10-state-06-12345678-17",
    ];
    for id in ids {
        assert!(id.parse::<ReleaseId>().is_ok(), "{id}");
    }
    for id in [
        "",
        "2026-02-30-hhs",
        "2026-01-10-",
        "2026-01-10-900-12-3456",
        "2026-01-10-a/b",
    ] {
        assert!(id.parse::<ReleaseId>().is_err(), "{id}");
        assert_eq!(ReleaseId::of_folder(id), "unrecognised");
    }
    for url in [
        "http://example.gov/",
        "https://user@example.gov/",
        "https://localhost/",
        "https://example.gov/a b",
        "https://example.gov/%4a",
        "https://example.gov/#f",
        "https://example.gov/900123456",
        "https://example.gov/?phone=559-000-0001",
    ] {
        assert!(url.parse::<Url>().is_err(), "{url}");
    }
}

/// Compares a file with what it should be, or writes it when `CHANCERY_VECTORS=write`.
fn same(file: &Path, content: &[u8]) {
    if std::env::var("CHANCERY_VECTORS").is_ok_and(|mode| mode == "write") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    let found = std::fs::read(file).unwrap_or_default();
    let equal = found == content;
    assert!(
        equal,
        "{} is not what the code writes; look at the difference and run the tests again with \
         CHANCERY_VECTORS=write",
        file.display()
    );
}

const BEGIN: &str = "<!-- vectors: written by the tests -->\n";
const END: &str = "<!-- end of vectors -->\n";

fn vector_table() -> String {
    let mut text = String::new();
    for (name, entry) in every_kind() {
        let bytes = entry.to_bytes().unwrap();
        text.push_str(&format!(
            "\n`{name}.json`: {} bytes  \nSHA-256 `{}`  \nleaf hash `{}`\n",
            bytes.len(),
            sha256(&bytes),
            leaf_hash(&bytes).hex()
        ));
        if bytes.len() < 1_500 {
            let shown = String::from_utf8(bytes).unwrap();
            text.push_str(&format!("\n```json\n{shown}\n```\n"));
        }
    }
    text.push_str("\n| `refused/…` | what a reader makes of it |\n|---|---|\n");
    for (name, bytes) in refused() {
        let reading = match Entry::from_bytes(&bytes) {
            Reading::Known(_) => panic!("{name} is read"),
            Reading::Unknown { kind, version } => {
                format!("unknown: type `{kind}`, version {version}")
            }
            Reading::Unreadable { problem } => format!("unreadable: {problem}"),
        };
        text.push_str(&format!("| `{name}.json` | {reading} |\n"));
    }
    text
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    chancery_model::Digest::from_bytes(sha2::Sha256::digest(bytes).into()).hex()
}

#[test]
fn the_vectors_are_what_the_code_writes() {
    let folder = docs().join("vectors/ledger");
    let mut expected = BTreeSet::new();
    for (name, entry) in every_kind() {
        expected.insert(format!("{name}.json"));
        same(
            &folder.join(format!("{name}.json")),
            &entry.to_bytes().unwrap(),
        );
    }
    for (name, bytes) in refused() {
        same(&folder.join(format!("refused/{name}.json")), &bytes);
    }
    let found = std::fs::read_dir(&folder).unwrap();
    let found = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = found.filter(|name| name != "refused").collect();
    assert_eq!(found, expected);
}

#[test]
fn the_documentation_has_the_vectors() {
    let page = docs().join("ledger.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("where vectors begin");
    let (_, after) = rest.split_once(END).expect("where they end");
    let expected = format!("{before}{BEGIN}{}\n{END}{after}", vector_table());
    same(&page, expected.as_bytes());
}

/// The fields of each kind in the documentation, in their order, with those of its nested objects
/// as `outer.inner`.
fn documented() -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(docs().join("ledger.md")).unwrap();
    let mut kinds = BTreeMap::new();
    for section in text.split("\n### `").skip(1) {
        let (kind, body) = section.split_once('`').unwrap();
        let body = body.split("\n## ").next().unwrap();
        let rows = body.lines().filter_map(|line| line.strip_prefix("| `"));
        let fields = rows.map(|row| row.split('`').next().unwrap().to_owned());
        kinds.insert(kind.to_owned(), fields.collect());
    }
    kinds
}

/// The names of an object's fields in the order of its text, which has no escapes.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let parts: Vec<&str> = text.split('"').collect();
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 0 {
            for c in part.chars() {
                match c {
                    '{' => path.push(names.last().cloned().unwrap_or_default()),
                    '}' => drop(path.pop()),
                    _ => {}
                }
            }
        } else if parts[at + 1].starts_with(':') {
            let outer = path.last().filter(|outer| !outer.is_empty());
            names.push(outer.map_or_else(|| (*part).to_owned(), |outer| format!("{outer}.{part}")));
        }
    }
    names
}

#[test]
fn the_documentation_has_every_field_in_its_order() {
    let documented = documented();
    for (name, entry) in every_kind() {
        let fields = &documented[entry.kind()];
        let text = String::from_utf8(entry.to_bytes().unwrap()).unwrap();
        let mut rest = fields.iter();
        for field in names(&text) {
            if ["type", "version", "recorded"].contains(&field.as_str()) {
                continue;
            }
            assert!(
                rest.any(|documented| *documented == field),
                "{name}: `{field}` is not documented, or not in its place: {fields:?}"
            );
        }
    }
}

#[test]
fn the_documentation_has_every_code() {
    let text = std::fs::read_to_string(docs().join("ledger.md")).unwrap();
    let mut codes: Vec<&str> = Vec::new();
    codes.extend(AbortReason::ALL.iter().map(|code| code.as_str()));
    codes.extend(ApprovalOf::ALL.iter().map(|code| code.as_str()));
    codes.extend(LookUpReason::ALL.iter().map(|code| code.as_str()));
    codes.extend(Onward::ALL.iter().map(|code| code.as_str()));
    codes.extend(RecallReason::ALL.iter().map(|code| code.as_str()));
    codes.extend(Role::ALL.iter().map(|code| code.as_str()));
    codes.extend(RotationReason::ALL.iter().map(|code| code.as_str()));
    codes.extend(Sanitisation::ALL.iter().map(|code| code.as_str()));
    codes.extend(Scope::ALL.iter().map(|code| code.as_str()));
    codes.extend(SignOffAct::ALL.iter().map(|code| code.as_str()));
    codes.extend(Statement::ALL.iter().map(|code| code.as_str()));
    codes.extend(SuspensionReason::ALL.iter().map(|code| code.as_str()));
    codes.extend(Verdict::ALL.iter().map(|code| code.as_str()));
    codes.extend(Verification::ALL.iter().map(|code| code.as_str()));
    for code in codes {
        assert!(text.contains(&format!("`{code}`")), "`{code}`");
    }
}
