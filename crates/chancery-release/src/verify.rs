use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chancery_dataset::Progress;
use chancery_ledger::VerifierKey;
use chancery_model::{Digest, Request};
use sha2::{Digest as _, Sha256};

use crate::manifest::digest;
use crate::staging::{MANIFEST, RECEIPT, Staged, receipt_entry};
use crate::workspace::private_folder;
use crate::{Entry, Envelope, Error, Statement, Workspace, ask, decide};

/// The keys that a verifier trusts; nothing else of the custodian is taken at its word.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The custodian's, for the manifest.
    pub custodian: VerifierKey,
    /// The ledger's, for the receipt.
    pub ledger: VerifierKey,
}

/// A release that is what its manifest says and that the ledger holds.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The manifest's statement.
    pub statement: Statement,
    /// The digest of the manifest.
    pub manifest: Digest,
    /// The release's entry in the ledger.
    pub entry: Entry,
    /// How many bytes were hashed.
    pub bytes: u64,
}

/// Checks a release with nothing but its folder and the keys: the manifest's signature, the digest
/// of every file and that there is no other, and the receipt's inclusion proof.
///
/// # Errors
///
/// [`Error::Unverified`] naming the first file that is not what it should be.
pub fn verify(folder: &Path, keys: &Keys, progress: &dyn Progress) -> Result<Verified, Error> {
    let manifest = folder.join(MANIFEST);
    let bytes = std::fs::read(&manifest).map_err(Error::io("read", &manifest))?;
    let statement = Envelope::open(&manifest.display().to_string(), &bytes, &keys.custodian)?;
    let manifest = digest(&bytes);
    let receipt = folder.join(RECEIPT);
    let proof = std::fs::read_to_string(&receipt).map_err(Error::io("read", &receipt))?;
    let entry = receipt_entry(&proof, &keys.ledger)?;
    let logged = match &entry {
        Entry::Release(entry) => entry.manifest,
        Entry::Workspace { .. } | Entry::Refusal(_) | Entry::Abort { .. } => None,
    };
    if logged != Some(manifest) {
        return Err(unverified(RECEIPT, "is the receipt of another manifest"));
    }
    let named: BTreeMap<&str, Option<&str>> = statement
        .subject
        .iter()
        .map(|subject| {
            (
                subject.name.as_str(),
                subject.digest.get("sha256").map(String::as_str),
            )
        })
        .collect();
    let there = files(folder)?;
    if let Some(file) = there.iter().find(|file| !named.contains_key(file.as_str())) {
        return Err(unverified(file, "is not in the manifest"));
    }
    let total = there
        .iter()
        .filter_map(|file| folder.join(file).metadata().ok())
        .map(|m| m.len());
    let total = total.sum();
    progress.begin("hashing the release", total);
    for (file, expected) in named {
        if !there.contains(file) {
            return Err(unverified(file, "is missing"));
        }
        if expected != Some(hash(&folder.join(file), progress)?.hex().as_str()) {
            return Err(unverified(file, "is not what the manifest says it is"));
        }
    }
    Ok(Verified {
        statement,
        manifest,
        entry,
        bytes: total,
    })
}

/// Runs a release again from its manifest and compares every byte: files and statement.
///
/// # Errors
///
/// [`Error::Unverified`] naming what came out differently, or why it could not be run again.
pub fn replay(
    workspace: &Workspace,
    verified: &Verified,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let manifest = &verified.statement.predicate;
    let law = workspace.law()?;
    if law.digest != manifest.law.digest {
        return Err(unverified(
            MANIFEST,
            "was decided under another law pack than the workspace's",
        ));
    }
    let request: Request = manifest.request.clone();
    let dataset = workspace.dataset(&request.dataset, &law)?;
    let text = toml::to_string(&request).unwrap_or_default();
    let question = ask(MANIFEST, &text, request, &law, &dataset)?;
    let names: Vec<&str> = question.tables.iter().map(String::as_str).collect();
    dataset.verify_digests(&names, progress)?;
    let in_force = law.in_force(manifest.on, workspace.sign_off())?;
    let answer = decide(question, &in_force, &dataset)?;
    let scratch = Scratch::new(workspace)?;
    let staged = Staged::write(
        workspace,
        &scratch.parent,
        REPLAY,
        &answer,
        &law,
        &dataset,
        progress,
    )?;
    let again = crate::Manifest::new(&answer, &law, &dataset, staged.files());
    let again = again.statement(staged.files());
    for (before, after) in verified.statement.subject.iter().zip(&again.subject) {
        if before != after {
            return Err(unverified(
                &before.name,
                "comes out differently when run again",
            ));
        }
    }
    if again != verified.statement {
        return Err(unverified(MANIFEST, "comes out differently when run again"));
    }
    Ok(())
}

const REPLAY: &str = "replay";

/// A private folder that is removed whatever happens: a replay never leaves anything behind. It is
/// not among the stagings, so that a writer that starts meanwhile does not take it for a crash.
struct Scratch {
    parent: std::path::PathBuf,
}

impl Scratch {
    fn new(workspace: &Workspace) -> Result<Self, Error> {
        let parent = workspace
            .root()
            .join("index")
            .join(format!(".replay-{}", std::process::id()));
        let scratch = Self { parent };
        scratch.remove();
        private_folder(&scratch.parent)?;
        Ok(scratch)
    }

    fn remove(&self) {
        drop(std::fs::remove_dir_all(&self.parent));
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The files of a release but for manifest and receipt, by path below it. A link is never followed.
fn files(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    let mut pending = vec![String::new()];
    while let Some(below) = pending.pop() {
        let dir = folder.join(&below);
        for entry in std::fs::read_dir(&dir).map_err(Error::io("read", &dir))? {
            let entry = entry.map_err(Error::io("read", &dir))?;
            let kind = entry.file_type().map_err(Error::io("read", &dir))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() {
                name
            } else {
                format!("{below}/{name}")
            };
            if kind.is_dir() {
                pending.push(path);
            } else if !kind.is_file() {
                return Err(unverified(&path, "is neither a file nor a folder"));
            } else if path != MANIFEST && path != RECEIPT {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

fn hash(file: &Path, progress: &dyn Progress) -> Result<Digest, Error> {
    use std::io::Read as _;
    let mut open = std::fs::File::open(file).map_err(Error::io("read", file))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = open.read(&mut buffer).map_err(Error::io("read", file))?;
        if read == 0 {
            return Ok(Digest::from_bytes(hash.finalize().into()));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
        progress.advance(read as u64);
        if progress.cancelled() {
            return Err(chancery_dataset::Error::Cancelled.into());
        }
    }
}

fn unverified(file: &str, problem: &str) -> Error {
    Error::Unverified {
        file: file.to_owned(),
        problem: problem.to_owned(),
    }
}
