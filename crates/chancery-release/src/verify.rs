use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chancery_dataset::Progress;
use chancery_ledger::{Keyring, VerifierKey};
use chancery_model::{Digest, Request};
use chancery_register::Register;
use sha2::{Digest as _, Sha256};

use crate::entry::Disclosure;
use crate::history::History;
use crate::manifest::digest;
use crate::people::CUSTODY;
use crate::staging::{From, MANIFEST, RECEIPT, Staged, receipt_entry};
use crate::workspace::private_folder;
use crate::{Entry, Envelope, Error, Known, Statement, Workspace, ask, decide};

/// The keys that a verifier trusts; nothing else of the custodian is taken at its word.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The custodian's, for the manifest.
    pub custodian: VerifierKey,
    /// The ledger's, for the receipt.
    pub ledger: Keyring,
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
    let text = std::fs::read(&manifest).map_err(Error::io("read", &manifest))?;
    let statement = Envelope::open(&manifest.display().to_string(), &text, &keys.custodian)?;
    let manifest = digest(&text);
    let receipt = folder.join(RECEIPT);
    let proof = std::fs::read_to_string(&receipt).map_err(Error::io("read", &receipt))?;
    let entry = receipt_entry(&proof, &keys.ledger)?;
    named_by(&entry, &statement, manifest)?;
    let bytes = check_files(folder, &statement, progress)?;
    Ok(Verified {
        statement,
        manifest,
        entry,
        bytes,
    })
}

/// The signed manifest of a release, held against the release's entry; the files are not looked at.
///
/// # Errors
///
/// When it cannot be read, is not signed by the key, or is not the one of the entry.
pub fn read_manifest(
    folder: &Path,
    entry: &Disclosure,
    key: &VerifierKey,
) -> Result<Statement, Error> {
    let manifest = folder.join(MANIFEST);
    let text = std::fs::read(&manifest).map_err(Error::io("read", &manifest))?;
    if entry.manifest != Some(digest(&text)) {
        return Err(unverified(MANIFEST, "is not the manifest of the entry"));
    }
    let statement = Envelope::open(&manifest.display().to_string(), &text, key)?;
    says_the_same(entry, &statement, MANIFEST)?;
    Ok(statement)
}

/// The ledger's entry must say of the release what the manifest says.
fn named_by(entry: &Entry, statement: &Statement, manifest: Digest) -> Result<(), Error> {
    let Entry::Release(entry) = entry else {
        return Err(unverified(RECEIPT, "is not the receipt of a release"));
    };
    if entry.manifest != Some(manifest) {
        return Err(unverified(RECEIPT, "is the receipt of another manifest"));
    }
    says_the_same(entry, statement, RECEIPT)
}

fn says_the_same(entry: &Disclosure, statement: &Statement, file: &str) -> Result<(), Error> {
    let request = &statement.predicate.request;
    let same = [
        entry.custodian == request.custodian,
        entry.recipient == request.recipient,
        entry.purpose == request.purpose,
        entry.dataset == request.dataset,
        entry.on == statement.predicate.on,
        entry.law == statement.predicate.law.digest,
        entry.outcome.as_str() == statement.predicate.outcome,
    ];
    if same.contains(&false) {
        let problem = match file {
            RECEIPT => "says something else of the release than its manifest",
            _ => "says something else of the release than its entry",
        };
        return Err(unverified(file, problem));
    }
    Ok(())
}

/// Every file of the statement is there and is what it says, and nothing else is there.
pub(crate) fn check_files(
    folder: &Path,
    statement: &Statement,
    progress: &dyn Progress,
) -> Result<u64, Error> {
    let named: BTreeMap<&str, Option<&str>> = statement
        .subject
        .iter()
        .map(|subject| {
            let sha256 = subject.digest.get("sha256").map(String::as_str);
            (subject.name.as_str(), sha256)
        })
        .collect();
    let there = files(folder)?;
    if let Some(file) = there.iter().find(|file| !named.contains_key(file.as_str())) {
        return Err(unverified(file, "is not in the manifest"));
    }
    let lengths = there
        .iter()
        .filter_map(|file| folder.join(file).metadata().ok());
    let total = lengths.map(|metadata| metadata.len()).sum();
    progress.begin("hashing the release", total);
    for (file, expected) in named {
        if !there.contains(file) {
            return Err(unverified(file, "is missing"));
        }
        if expected != Some(hash(&folder.join(file), progress)?.hex().as_str()) {
            return Err(unverified(file, "is not what the manifest says it is"));
        }
    }
    Ok(total)
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
    let known = known_then(workspace, verified)?;
    let standing = workspace.standing(&law, manifest.on, known)?;
    let in_force = law.in_force(manifest.on, workspace.sign_off(&standing))?;
    let answer = decide(question, &in_force, &dataset)?;
    answer.verify_inputs(&dataset, progress)?;
    let Entry::Release(entry) = &verified.entry else {
        return Err(unverified(RECEIPT, "is not the receipt of a release"));
    };
    let scratch = Scratch::new(workspace)?;
    // Whom the register knew before does not change what a release commits to.
    let register = Register::open(&scratch.parent.join("register"), &[])?;
    let recorded = entry.people.map(|people| (entry.id.as_str(), people.key));
    let key = workspace.register_key(recorded)?;
    let staged = Staged::write(
        workspace,
        &scratch.parent.join(REPLAY),
        entry.id.as_str(),
        &From {
            answer: &answer,
            law: &law,
            dataset: &dataset,
            register: &register,
            key: &key,
        },
        progress,
    )?;
    if entry.people.is_some_and(|people| people != staged.people()) {
        return Err(unverified(
            RECEIPT,
            "commits to other people than it comes out to be about when run again",
        ));
    }
    let again = crate::Manifest::new(&answer, &in_force, &dataset, staged.files());
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

/// What was signed and suspended when a release was made: what the ledger held before it.
fn known_then(workspace: &Workspace, verified: &Verified) -> Result<Known, Error> {
    let Entry::Release(entry) = &verified.entry else {
        return Err(unverified(RECEIPT, "is not the receipt of a release"));
    };
    let history = History::read(&workspace.ledger_reader()?)?;
    let logged = history.find(entry.id.as_str(), verified.manifest);
    let logged = logged.ok_or_else(|| unverified(RECEIPT, "is not of the workspace's ledger"))?;
    Ok(Known::First(logged.index))
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

/// The files of a release but for manifest, receipt and the custodian's own, by path below it. A link is never followed,
/// and a folder without a file, whose name alone could say something, is refused.
fn files(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    let mut pending = vec![String::new()];
    while let Some(below) = pending.pop() {
        let dir = folder.join(&below);
        let mut empty = true;
        for entry in std::fs::read_dir(&dir).map_err(Error::io("read", &dir))? {
            let entry = entry.map_err(Error::io("read", &dir))?;
            empty = false;
            let kind = entry.file_type().map_err(Error::io("read", &dir))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() {
                name
            } else {
                format!("{below}/{name}")
            };
            if path == CUSTODY {
                // The custodian's own, which the manifest does not speak of.
            } else if kind.is_dir() {
                pending.push(path);
            } else if !kind.is_file() {
                return Err(unverified(&path, "is neither a file nor a folder"));
            } else if path != MANIFEST && path != RECEIPT {
                found.insert(path);
            }
        }
        if empty {
            return Err(unverified(&below, "is an empty folder"));
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
