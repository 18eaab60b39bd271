//! An exhibit with its evidence in one file, for a stranger who is offline.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::Error;
use crate::exhibit::{ExhibitData, FileRow, exhibit};
use crate::tally::Copy;

/// A zip archive of an exhibit, the data it is set from, the evidence and how to check all of it.
///
/// The evidence goes in under its paths; these are the ones that the exhibit and its `check.py`
/// speak of: `keys/ledger.vkey`, `keys/custodian.vkey`, `proofs/<index>.tlog-proof`, and
/// `manifest.dsse.json` and `receipt.tlog-proof` in `releases/<id>/`. The exhibit's Appendix B is
/// filled in with each file and its digest. The same data and evidence give the same bytes.
///
/// # Errors
///
/// Fails if a path leads out of the archive, is one of the archive's own or cannot be had
/// everywhere, or as [`exhibit`] does.
///
/// # Example
///
/// ```
/// use std::collections::BTreeMap;
/// use chancery_account::bundle;
/// use chancery_account::exhibit::ExhibitData;
///
/// # let json = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/samples/exhibit.json"));
/// let data: ExhibitData = serde_json::from_str(json)?;
/// let evidence = |path: &str| BTreeMap::from([(path.to_owned(), b"...".to_vec())]);
/// assert!(bundle(&data, &evidence("proofs/27.tlog-proof"))?.starts_with(b"PK"));
/// assert!(bundle(&data, &evidence("../27.tlog-proof")).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bundle(data: &ExhibitData, evidence: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Error> {
    for path in evidence.keys() {
        check_path(path)?;
    }
    let mut data = data.clone();
    data.appendix.files = evidence
        .iter()
        .map(|(path, bytes)| row(path, bytes))
        .collect();
    let mut files = evidence.clone();
    files.insert(EXHIBIT.to_owned(), exhibit(&data)?);
    let mut json = serde_json::to_vec_pretty(&data).map_err(Error::Data)?;
    json.push(b'\n');
    files.insert(DATA.to_owned(), json);
    files.insert(CHECK.to_owned(), include_bytes!("bundle/check.py").to_vec());
    files.insert(README.to_owned(), readme(&data, &files).into_bytes());
    let sums: String = files
        .iter()
        .map(|(path, bytes)| format!("{}  {path}\n", sha256(bytes)))
        .collect();
    files.insert(SUMS.to_owned(), sums.into_bytes());
    archive(&files)
}

const EXHIBIT: &str = "exhibit.pdf";
const DATA: &str = "exhibit.json";
const CHECK: &str = "check.py";
const README: &str = "README.txt";
const SUMS: &str = "SHA256SUMS";

/// Sorted by path, without times, so that the same files are the same archive.
fn archive(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Error> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        archive.start_file(path, options)?;
        archive
            .write_all(bytes)
            .map_err(zip::result::ZipError::Io)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// Whether a path can be unpacked anywhere, below the folder it is unpacked into.
fn check_path(path: &str) -> Result<(), Error> {
    let refuse = |problem| {
        Err(Error::Path {
            path: path.escape_default().to_string(),
            problem,
        })
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+@".contains(c);
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && !name.ends_with('.')
            && name.chars().all(plain)
    };
    if !path.split('/').all(is_name) {
        return refuse("a path is names of letters, digits and `._-+@`, with `/` between them");
    }
    if [EXHIBIT, DATA, CHECK, README, SUMS].contains(&path) {
        return refuse("the bundle has a file of its own there");
    }
    Ok(())
}

fn row(path: &str, bytes: &[u8]) -> FileRow {
    FileRow {
        path: path.to_owned(),
        what: what(path).to_owned(),
        digest: sha256(bytes),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a file is, by where it lies.
fn what(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit('.').next().unwrap_or_default();
    match (path, name, ending) {
        (EXHIBIT, ..) => "The exhibit: PDF/A-2a, PDF/UA-1.",
        (DATA, ..) => "What the exhibit says, as data; exhibit.pdf is set from it.",
        (CHECK, ..) => "Checks the digests, proofs and signatures with Python and OpenSSL alone.",
        (README, ..) => "This file.",
        ("keys/ledger.vkey", ..) => "The ledger's public keys (Ed25519 and ML-DSA-44).",
        ("keys/custodian.vkey", ..) => {
            "The custodian's public key, which signs manifests (Ed25519)."
        }
        (_, "manifest.dsse.json", _) => "A release's signed manifest (in-toto Statement in DSSE).",
        (_, "receipt.tlog-proof", _) => "The ledger's receipt for a release's manifest.",
        (_, "checkpoint", _) => "The ledger's signed size and root.",
        (.., "tlog-proof") => "The proof that an entry is in the ledger; it has the entry in it.",
        (.., "vkey") => "A public key.",
        (.., "jsonl") => "Entries of the ledger, one a line.",
        _ => "Evidence.",
    }
}

fn readme(data: &ExhibitData, files: &BTreeMap<String, Vec<u8>>) -> String {
    let caption = &data.caption;
    let mut text = format!(
        "EXHIBIT {}\n{}\n\n{}\n{} v. {}\nCase No. {}\n{}\n\n",
        caption.exhibit,
        caption.title,
        caption.court.join("\n"),
        caption.plaintiffs,
        caption.defendants,
        caption.case_number,
        data.date,
    );
    let sealed = (data.copy == Copy::Custodian).then_some("FILED UNDER SEAL");
    for mark in sealed.into_iter().chain(data.mark.as_deref()) {
        text.push_str(&format!("{mark}\n\n"));
    }
    text.push_str("WHAT IS HERE\n\n");
    for path in files.keys().map(String::as_str).chain([README]) {
        text.push_str(&format!("  {path}\n      {}\n", what(path)));
    }
    text.push_str(&format!(
        "  {SUMS}\n      The SHA-256 of every other file.\n"
    ));
    text.push_str(HOW);
    text
}

/// How to check a bundle; kept apart from what is in it.
const HOW: &str = include_str!("bundle/how.txt");
