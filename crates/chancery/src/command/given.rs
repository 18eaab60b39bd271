//! The small files that a verifier is given: proofs, entries, keys and policies. Whoever sent one
//! may have sent anything, so none is read beyond what it may hold.

use std::io::Read as _;
use std::path::Path;

use chancery_ledger::{Keyring, Policy, VerifierKey};

use super::Result;
use crate::failure::Failure;
use crate::text;

/// The most that a proof of an entry, a file of keys or a policy may hold.
const MOST_OF_A_TEXT: u64 = 1 << 20;
/// The most that a proof about a person may hold: some thousands of releases.
const MOST_ABOUT_A_PERSON: u64 = 16 << 20;
/// The most that an entry may hold.
const MOST_OF_AN_ENTRY: u64 = 65_535;

pub(crate) fn text(file: &Path) -> Result<String> {
    decoded(file, limited(file, MOST_OF_A_TEXT)?)
}

/// A proof of an entry, or about a person: what is neither is an invalid request.
pub(crate) fn proof(file: &Path) -> Result<String> {
    let proof = read(file, MOST_ABOUT_A_PERSON)?;
    let most = if proof.trim_ascii_start().starts_with(b"{") {
        MOST_ABOUT_A_PERSON
    } else {
        MOST_OF_A_TEXT
    };
    if proof.len() as u64 > most {
        return Err(too_large(file, most).invalid());
    }
    decoded(file, proof).map_err(Failure::invalid)
}

fn decoded(file: &Path, content: Vec<u8>) -> Result<String> {
    String::from_utf8(content).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(format!("`{}` is not text: byte {at}", file.display()))
            .hint("check that this is the file that was meant")
    })
}

pub(crate) fn entry(file: &Path) -> Result<Vec<u8>> {
    limited(file, MOST_OF_AN_ENTRY)
}

pub(crate) fn keyring(file: &Path) -> Result<Keyring> {
    let parsed = text(file)?.parse();
    parsed.map_err(|error| refused(file, &error, "give the log's `vkey` file: a line `<name>+<id>+<base64>` for each key, got from somewhere you trust"))
}

pub(crate) fn key(file: &Path) -> Result<VerifierKey> {
    let parsed = text(file)?.trim().parse();
    parsed.map_err(|error| {
        refused(
            file,
            &error,
            "give a file of one line `<name>+<id>+<base64>`, such as `keys/custodian.vkey`",
        )
    })
}

pub(crate) fn policy(file: &Path) -> Result<Policy> {
    let parsed = Policy::parse(&limited(file, MOST_OF_A_TEXT)?);
    parsed.map_err(|error| refused(file, &error, "the form is that of `c2sp.org/tlog-policy`"))
}

/// What the ledger says of a file's content, with the file's name and what to do.
pub(crate) fn refused(file: &Path, error: &chancery_ledger::Error, hint: &str) -> Failure {
    let hint = match error.hint() {
        Some(own) if own != hint => format!("{own}; {hint}"),
        _ => hint.to_owned(),
    };
    Failure::new(format!("`{}`: {error}", file.display())).hint(hint)
}

fn limited(file: &Path, most: u64) -> Result<Vec<u8>> {
    let content = read(file, most)?;
    if content.len() as u64 > most {
        return Err(too_large(file, most));
    }
    Ok(content)
}

/// Reads no more than a byte over the limit.
fn read(file: &Path, most: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let open = std::fs::File::open(file).map_err(|error| Failure::file("open", file, &error))?;
    open.take(most + 1)
        .read_to_end(&mut content)
        .map_err(|error| Failure::file("read", file, &error))?;
    Ok(content)
}

fn too_large(file: &Path, most: u64) -> Failure {
    let (file, most) = (file.display(), text::count(most));
    Failure::new(format!("`{file}` is over the limit of {most} bytes"))
        .hint("check that this is the file that was meant")
}
