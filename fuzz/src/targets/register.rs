//! The register's record, and the proofs that a person was or was not in a release.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chancery_register::{
    Committed, Listed, Person, PseudonymProof, Recorded, Register, ReleaseProof, SecretKey,
};
use sha2::{Digest as _, Sha256};

use super::Target;

pub(super) const REGISTER: [Target; 2] = [
    Target {
        name: "record",
        rounds: 2_000,
        sound: || {
            shelf()
                .map(|shelf| vec![shelf.bytes.clone()])
                .unwrap_or_default()
        },
        words: &[
            b"\"offset\":",
            b"\"length\":18446744073709551615",
            b"\"newcomers\":4294967295",
            b"\"bits\":255",
            b"\"base\":1",
            b"{\"release\"",
            b"\"elements\":[]",
            b"\x3b\x30\x00\x00",
            b"\xff\xff\xff\xff",
            b"chancery-reg-v1\n",
        ],
        check: record,
    },
    Target {
        name: "person_proof",
        rounds: 2_000,
        sound: || {
            shelf()
                .map(|shelf| shelf.proofs.clone())
                .unwrap_or_default()
        },
        words: &[
            b"\"nothing\"",
            b"{\"elements\":[\"name\"]}",
            b"\"bits\":16",
            b"\"bits\":0",
            b"{\"origin\":\"06\",\"bits\":0}",
            b"\"path\":[]",
            b"\"top\":[]",
            b"\"bucket\":null",
            b"sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ],
        check: proof,
    },
];

const RELEASE: &str = "2026-01-10-dhs-ice-1";
const THERE: &str = "P3";
const NOT_THERE: &str = "P30";
/// Of the digest of a record's header, its length, and the magic.
const TRAILER: usize = 32 + 8 + 16;

/// A release about twenty people, and what was said of one of them and of somebody else.
struct Shelf {
    dir: tempfile::TempDir,
    keys: [SecretKey; 1],
    recorded: Recorded,
    bytes: Vec<u8>,
    proofs: Vec<Vec<u8>>,
    pseudonyms: [PseudonymProof; 2],
}

fn shelf() -> Result<&'static Shelf, String> {
    static SHELF: OnceLock<Result<Shelf, String>> = OnceLock::new();
    SHELF.get_or_init(make).as_ref().map_err(Clone::clone)
}

fn make() -> Result<Shelf, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let dir = tempfile::tempdir().map_err(|e| text(&e))?;
    let (index, path) = (dir.path().join("index"), dir.path().join("record"));
    let made = || -> Result<_, chancery_register::Error> {
        let key = SecretKey::derive(&[7; 32])?;
        let empty = Register::open(&index, &[])?;
        let elements = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let classes = vec![elements(&["address", "phone"]), elements(&["phone"])];
        let mut recording = empty.record(&key, RELEASE, &path, classes, 1)?;
        let mut people = recording.origin("06")?;
        for number in 0..20_usize {
            people.add(&format!("P{number}"), number % 2)?;
        }
        people.finish()?;
        let recorded = recording.finish()?;
        let register = Register::open(&index, &listed(recorded, path.clone()))?;
        let mut proofs = Vec::new();
        let mut prove = |id: &str| -> Result<_, chancery_register::Error> {
            let person = Person::new("06", id).ok_or(chancery_register::Error::Key)?;
            let (pseudonym, proof) =
                register.prove(std::slice::from_ref(&key), &person, RELEASE)?;
            proofs.push(serde_json::to_vec(&proof).unwrap_or_default());
            Ok(pseudonym)
        };
        let pseudonyms = [prove(THERE)?, prove(NOT_THERE)?];
        Ok((key, recorded, proofs, pseudonyms))
    };
    let (key, recorded, proofs, pseudonyms) = made().map_err(|e| text(&e))?;
    let bytes = std::fs::read(&path).map_err(|e| text(&e))?;
    Ok(Shelf {
        dir,
        keys: [key],
        recorded,
        bytes,
        proofs,
        pseudonyms,
    })
}

fn listed(people: Recorded, record: PathBuf) -> Vec<Listed> {
    vec![Listed {
        release: RELEASE.to_owned(),
        people: Some(people),
        record,
    }]
}

/// Whatever stands in a record, also under a header that is sealed again: what is held against the root is the truth, or an
/// error.
fn record(input: &[u8]) -> Result<bool, String> {
    let shelf = shelf()?;
    let taken = told(shelf, input)?;
    Ok(sealed(input).map_or(Ok(false), |again| told(shelf, &again))? || taken)
}

/// A record with its header's digest and length as they should be.
fn sealed(input: &[u8]) -> Option<Vec<u8>> {
    let end = input.len().checked_sub(TRAILER)?;
    let mark = b"{\"release\"";
    let at = input.windows(mark.len()).rposition(|one| one == mark)?;
    let header = input.get(at..end)?;
    let mut again = input.get(..end)?.to_vec();
    again.extend_from_slice(&Sha256::digest(header));
    again.extend_from_slice(&(header.len() as u64).to_le_bytes());
    again.extend_from_slice(b"chancery-reg-v1\n");
    Some(again)
}

fn told(shelf: &Shelf, bytes: &[u8]) -> Result<bool, String> {
    let path = shelf.dir.path().join("mutated");
    let index = shelf.dir.path().join("mutated-index");
    clear(&index);
    std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
    let Ok(register) = Register::open(&index, &listed(shelf.recorded, path)) else {
        return Ok(false);
    };
    // Reads all of it, and may refuse.
    let _ = (register.check(), register.counts(RELEASE));
    for (id, there) in [(THERE, true), (NOT_THERE, false)] {
        let person = Person::new("06", id).ok_or("no person")?;
        let _ = register.find(&shelf.keys, &person);
        if let Ok(answer) = register.confirm(&shelf.keys, &person) {
            let said: Vec<&[String]> = answer.presences.iter().map(|one| one.elements).collect();
            let phone = ["phone".to_owned()];
            let truth: &[&[String]] = if there { &[&phone] } else { &[] };
            if said != truth {
                return Err(format!("of {id} it says {said:?}"));
            }
        }
    }
    Ok(true)
}

fn clear(index: &Path) {
    if index.exists() {
        let _ = std::fs::remove_dir_all(index);
    }
}

/// Whatever a proof is made into, it shows the truth or nothing.
fn proof(input: &[u8]) -> Result<bool, String> {
    let shelf = shelf()?;
    let Ok(proof) = serde_json::from_slice::<ReleaseProof>(input) else {
        return Ok(false);
    };
    let committed = Committed {
        release: RELEASE,
        root: shelf.recorded.root,
        key: shelf.recorded.key,
    };
    let phone = ["phone".to_owned()];
    let truths: [(&str, Option<&[String]>); 2] = [(THERE, Some(&phone)), (NOT_THERE, None)];
    let mut shown = false;
    for ((id, truth), pseudonym) in truths.into_iter().zip(&shelf.pseudonyms) {
        let person = Person::new("06", id).ok_or("no person")?;
        if let Ok(said) = proof.check(&committed, &person, pseudonym) {
            if said != truth {
                return Err(format!("of {id} it shows {said:?}"));
            }
            shown = true;
        }
    }
    Ok(shown)
}
