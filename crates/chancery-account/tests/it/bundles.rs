//! Bundles, checked as a stranger would: with Python and OpenSSL, or with coreutils.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use std::process::{Command, Output};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chancery_account::bundle;
use chancery_account::exhibit::{Cell, ExhibitData};
use sha2::{Digest, Sha256};

use crate::samples;

type Files = BTreeMap<String, Vec<u8>>;
/// Makes an exhibit say something else.
type Swap = fn(&mut ExhibitData);

/// A key of OpenSSL's, in a folder of its own.
struct Key {
    folder: tempfile::TempDir,
    name: &'static str,
}

impl Key {
    fn new(name: &'static str) -> Self {
        let key = Self {
            folder: tempfile::tempdir().unwrap(),
            name,
        };
        key.openssl(&[
            "genpkey",
            "-algorithm",
            "ed25519",
            "-outform",
            "DER",
            "-out",
            "key",
        ]);
        key
    }

    fn openssl(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("`openssl` is not here; `make prerequisites` installs it");
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }

    fn public(&self) -> Vec<u8> {
        let given = [
            "pkey", "-inform", "DER", "-in", "key", "-pubout", "-outform", "DER",
        ];
        let der = self.openssl(&given);
        [&[1], &der[der.len() - 32..]].concat()
    }

    fn id(&self) -> Vec<u8> {
        let named = [self.name.as_bytes(), b"\n", &self.public()].concat();
        Sha256::digest(named)[..4].to_vec()
    }

    fn vkey(&self) -> String {
        format!(
            "{}+{}+{}\n",
            self.name,
            hex(&self.id()),
            BASE64_STANDARD.encode(self.public())
        )
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        std::fs::write(self.folder.path().join("message"), message).unwrap();
        let key = [
            "-inkey", "key", "-keyform", "DER", "-rawin", "-in", "message",
        ];
        self.openssl(&[&["pkeyutl", "-sign"], &key[..]].concat())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The release of the evidence.
const RELEASE: &str = "2026-01-10-dhs-ice-0732b3bd";

/// An exhibit that cites one entry: a release, if it has a manifest.
fn citing(files: &Files) -> ExhibitData {
    let mut data = samples::exhibit();
    let (_, proof) = files
        .iter()
        .find(|(path, _)| path.starts_with("proofs/"))
        .unwrap();
    let proof = String::from_utf8(proof.clone()).unwrap();
    let lines: Vec<&str> = proof.lines().collect();
    let entry = BASE64_STANDARD.decode(&lines[1][6..]).unwrap();
    let index = lines[2][6..].parse().unwrap();
    let note = lines.iter().position(|line| line.is_empty()).unwrap() + 1;
    data.appendix.size = lines[note + 1].parse().unwrap();
    lines[note + 2].clone_into(&mut data.appendix.root);
    data.appendix.entries.truncate(1);
    data.appendix.entries[0].index = index;
    data.appendix.entries[0].leaf = hex(&Sha256::digest([&[0], &entry[..]].concat()));
    let said: serde_json::Value = serde_json::from_slice(&entry).unwrap();
    let manifest = said["manifest"].as_str();
    let manifest = manifest.filter(|_| said["type"] == "release");
    data.releases.truncate(usize::from(manifest.is_some()));
    if let Some(manifest) = manifest {
        data.releases[0].entry = index;
        let digest = manifest.trim_start_matches("sha256:");
        digest.clone_into(&mut data.releases[0].manifest);
        said["id"]
            .as_str()
            .unwrap()
            .clone_into(&mut data.releases[0].id);
        data.releases[0].date = said["on"].as_str().unwrap().parse().unwrap();
    }
    data.matrices[0].entries = vec![index];
    for section in &mut data.sections {
        for paragraph in &mut section.paragraphs {
            paragraph.entries.clear();
        }
    }
    data
}

/// A ledger of one release, with its manifest, its proof and both keys.
fn evidence() -> Files {
    let (ledger, custodian) = (
        Key::new("cms.example/ledger"),
        Key::new("cms.example/custodian"),
    );
    let payload = br#"{"_type":"https://in-toto.io/Statement/v1","predicate":{"on":"2026-01-10",
        "recipient":{"agency":"dhs/ice","name":"U.S. Immigration and Customs Enforcement"},
        "subjects":{"released":525}}}"#;
    let kind = "application/vnd.in-toto+json";
    let message = [
        format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).as_bytes(),
        payload,
    ]
    .concat();
    let manifest = serde_json::json!({
        "payloadType": kind,
        "payload": BASE64_STANDARD.encode(payload),
        "signatures": [{
            "keyid": hex(&custodian.id()),
            "sig": BASE64_STANDARD.encode(custodian.sign(&message)),
        }],
    });
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let digest = hex(&Sha256::digest(&manifest));
    let entry = format!(
        r#"{{"type":"release","version":1,"id":"{RELEASE}","on":"2026-01-10","recipient":"dhs/ice","manifest":"sha256:{digest}"}}"#
    );
    let root = Sha256::digest([&[0], entry.as_bytes()].concat());
    let note = format!("cms.example/ledger\n1\n{}\n", BASE64_STANDARD.encode(root));
    let signature = [ledger.id(), ledger.sign(note.as_bytes())].concat();
    let proof = format!(
        "c2sp.org/tlog-proof@v1\nextra {}\nindex 0\n\n{note}\n— cms.example/ledger {}\n",
        BASE64_STANDARD.encode(entry),
        BASE64_STANDARD.encode(signature),
    );
    [
        ("keys/ledger.vkey", ledger.vkey().into_bytes()),
        ("keys/custodian.vkey", custodian.vkey().into_bytes()),
        ("proofs/0.tlog-proof", proof.into_bytes()),
        (MANIFEST, manifest),
    ]
    .map(|(path, bytes)| (path.to_owned(), bytes))
    .into()
}

const MANIFEST: &str = "releases/2026-01-10-dhs-ice-0732b3bd/manifest.dsse.json";

/// The log that stands beside the documentation, with a proof of its entry 258.
fn shipped() -> Files {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors/log");
    let read = |name: &str| std::fs::read(log.join(name)).unwrap();
    let mut rest = &read("tile/entries/001.p/4")[..];
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let mut length = [0; 2];
        rest.read_exact(&mut length).unwrap();
        let (entry, after) = rest.split_at(usize::from(u16::from_be_bytes(length)));
        entries.push(entry);
        rest = after;
    }
    let proof = String::from_utf8(read("258.tlog-proof")).unwrap();
    let extra = format!("extra {}\nindex 258", BASE64_STANDARD.encode(entries[2]));
    let proof = proof.replacen("index 258", &extra, 1).into_bytes();
    [
        ("keys/ledger.vkey", read("vkey")),
        ("proofs/258.tlog-proof", proof),
    ]
    .map(|(path, bytes)| (path.to_owned(), bytes))
    .into()
}

fn unpack(bundle: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bundle)).unwrap();
    archive.extract(folder.path()).unwrap();
    folder
}

fn run(folder: &Path, command: &[&str]) -> Output {
    Command::new(command[0])
        .args(&command[1..])
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Whether the bundle's own script finds it sound, and what it says.
fn check(folder: &Path) -> (bool, String) {
    let output = run(folder, &["python3", "check.py"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), said)
}

#[test]
fn a_stranger_can_check_a_bundle() {
    for evidence in [evidence(), shipped()] {
        let folder = unpack(&bundle(&citing(&evidence), &evidence).unwrap());
        let (sound, said) = check(folder.path());
        assert!(sound && !said.contains("WRONG"), "{said}");
        assert!(said.contains("the ledger signed that tree"), "{said}");
        let sums = run(
            folder.path(),
            &["sha256sum", "--check", "--strict", "SHA256SUMS"],
        );
        assert!(sums.status.success(), "{sums:?}");
    }
}

#[test]
fn a_stranger_finds_what_was_tampered_with() {
    let sound = evidence();
    let swap = |path: &str, from: &str, to: &str| {
        let mut files = sound.clone();
        let text = String::from_utf8(files[path].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
        files
    };
    let other = Key::new("cms.example/ledger");
    let mut keys = sound.clone();
    keys.insert("keys/ledger.vkey".to_owned(), other.vkey().into_bytes());
    for (files, problem) in [
        (
            swap("proofs/0.tlog-proof", "\n1\n", "\n2\n"),
            "the ledger signed that tree",
        ),
        (
            swap("proofs/0.tlog-proof", "index 0", "index 1"),
            "is in the tree",
        ),
        (
            swap("proofs/0.tlog-proof", "extra e", "extra f"),
            "is in the tree",
        ),
        (
            swap("proofs/0.tlog-proof", "tlog-proof@v1", "other@v1"),
            "not a proof",
        ),
        (
            swap(MANIFEST, "\"payload\":\"e", "\"payload\":\"f"),
            "the custodian signed it",
        ),
        (
            swap(MANIFEST, "{\"payload", "{ \"payload"),
            "is in an entry",
        ),
        (keys, "the ledger signed that tree"),
    ] {
        let folder = unpack(&bundle(&citing(&sound), &files).unwrap());
        let (sound, said) = check(folder.path());
        let found = |line: &str| line.starts_with("WRONG") && line.contains(problem);
        assert!(
            !sound && said.lines().any(found),
            "{problem} is not in {said}"
        );
    }
    // An exhibit that says what the ledger does not.
    let swaps: [(Swap, &str); 8] = [
        (|data| data.appendix.size += 1, "the ledger of its appendix"),
        (
            |data| data.appendix.entries[0].index += 1,
            "entry 1 is proved",
        ),
        (
            |data| data.releases[0].manifest = "00".repeat(32),
            "has the manifest of",
        ),
        (
            |data| data.sections[0].paragraphs[0].entries = vec![7],
            "entry 7 is cited",
        ),
        (
            |data| data.releases[0].people = Cell::Count(325),
            "says that it is about 325 people",
        ),
        (
            |data| data.releases[0].date = "2026-01-11".parse().unwrap(),
            "says that it is of the day 2026-01-11",
        ),
        (
            |data| data.releases[0].recipient = "Social Security Administration".to_owned(),
            "says that it went to Social Security Administration",
        ),
        (
            |data| data.releases[0].id.push('0'),
            "is the release 2026-01-10-dhs-ice-0732b3bd0",
        ),
    ];
    for (swap, problem) in swaps {
        let mut data = citing(&sound);
        swap(&mut data);
        let folder = unpack(&bundle(&data, &sound).unwrap());
        let (sound, said) = check(folder.path());
        let found = |line: &str| line.starts_with("WRONG") && line.contains(problem);
        assert!(
            !sound && said.lines().any(found),
            "{problem} is not in {said}"
        );
    }
    // A file that was changed, or put in, after the bundle was made.
    let folder = unpack(&bundle(&citing(&sound), &sound).unwrap());
    std::fs::write(folder.path().join("exhibit.json"), "{}").unwrap();
    std::fs::write(folder.path().join("more.txt"), "more").unwrap();
    let (sound, said) = check(folder.path());
    assert!(
        !sound && said.contains("WRONG  digest of exhibit.json"),
        "{said}"
    );
    assert!(
        said.contains("WRONG  more.txt is not in SHA256SUMS"),
        "{said}"
    );
}

/// Without the manifest the ledger's entry is what there is, and what is not in it is said to be the maker's.
#[test]
fn what_cannot_be_held_against_the_evidence_is_said() {
    let mut files = evidence();
    let checked = |files: &Files, swap: Swap| {
        let mut data = citing(files);
        swap(&mut data);
        check(unpack(&bundle(&data, files).unwrap()).path())
    };
    let (sound, said) = checked(&files, |_| ());
    assert!(
        sound && said.contains("The paragraphs and charts are the maker's words"),
        "{said}"
    );
    assert!(said.contains("recipient and people of 1 of them"), "{said}");
    files.remove(MANIFEST);
    let (sound, said) = checked(&files, |data| data.releases[0].people = Cell::Count(325));
    assert!(
        sound && said.contains("recipient and people of 0 of them"),
        "{said}"
    );
    assert!(said.contains("the entry says dhs/ice"), "{said}");
    let (sound, said) = checked(&files, |data| {
        data.releases[0].date = "2026-01-11".parse().unwrap();
    });
    assert!(
        !sound && said.contains("WRONG  exhibit: entry 0 is of the day"),
        "{said}"
    );
}

#[test]
fn the_same_evidence_is_the_same_bundle() {
    let files = shipped();
    let once = bundle(&samples::exhibit(), &files).unwrap();
    assert_eq!(once, bundle(&samples::exhibit(), &files).unwrap());
    // What the exhibit is set from is in it, and sets the same exhibit.
    let folder = unpack(&once);
    let json = std::fs::read(folder.path().join("exhibit.json")).unwrap();
    let data = serde_json::from_slice(&json).unwrap();
    let set = chancery_account::exhibit::exhibit(&data).unwrap();
    assert_eq!(
        set,
        std::fs::read(folder.path().join("exhibit.pdf")).unwrap()
    );
}

#[test]
fn every_file_is_explained_and_its_digest_printed() {
    let files = shipped();
    let folder = unpack(&bundle(&samples::exhibit(), &files).unwrap());
    let readme = std::fs::read_to_string(folder.path().join("README.txt")).unwrap();
    let exhibit = std::fs::read(folder.path().join("exhibit.pdf")).unwrap();
    let text = crate::pages::Pages::of(&exhibit).text();
    for (path, bytes) in &files {
        assert!(readme.contains(path), "{path} is not in {readme}");
        assert!(text.contains(&hex(&Sha256::digest(bytes))), "{path}");
    }
    assert!(readme.lines().all(|line| line.len() <= 100), "{readme}");
}

#[test]
fn a_path_that_leads_elsewhere_is_refused() {
    for path in [
        "../x",
        "/x",
        "a//b",
        "a/../b",
        "",
        "C:\\x",
        "a b",
        ".hidden",
        "exhibit.pdf",
        "SHA256SUMS",
        "check.py",
        "a/\u{202e}b",
        "con./x",
    ] {
        let files = Files::from([(path.to_owned(), Vec::new())]);
        let refused = bundle(&samples::exhibit(), &files).unwrap_err().to_string();
        assert!(refused.starts_with("cannot bundle `"), "{refused}");
    }
}
