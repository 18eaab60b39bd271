use std::path::{Path, PathBuf};

use chancery_ledger::{Checkpoint, Ledger, LedgerReader, UnverifiedCheckpoint, VerifierKey};

use crate::staging::{RECEIPT, durable};
use crate::{Entry, Error, Workspace};

/// The ledger, opened for writing, and what this workspace has seen of it.
///
/// A folder that was put back to an older copy is a sound ledger: nothing in it says that it was
/// longer once, and appending to it would sign two trees of one size. So the last checkpoint that
/// was seen is kept outside it, and a ledger that does not continue it takes no entry.
pub struct Book {
    ledger: Ledger,
    seen: PathBuf,
}

impl Book {
    /// Opens the ledger of a workspace; it is also the lock that keeps out a second writer.
    pub(crate) fn open(workspace: &Workspace) -> Result<Self, Error> {
        let ledger = Ledger::open(&workspace.ledger_dir(), &workspace.secret_key("ledger")?)?;
        let seen = seen_file(workspace);
        let text = std::fs::read(&seen).map_err(Error::io("read", &seen))?;
        continues(
            &workspace.ledger_reader()?,
            &text,
            &workspace.public_key("ledger")?,
            &seen,
        )?;
        Ok(Self { ledger, seen })
    }

    /// Enters a fact, durably.
    pub(crate) fn append(&mut self, entry: &Entry) -> Result<chancery_ledger::Receipt, Error> {
        let receipt = self.ledger.append(&entry.to_bytes()?)?;
        // A crash before this leaves an older checkpoint, which the ledger continues all the same.
        durable(&self.seen, receipt.checkpoint().as_str().as_bytes())?;
        Ok(receipt)
    }

    /// Notes the checkpoint of a new ledger.
    pub(crate) fn begin(workspace: &Workspace, checkpoint: &Checkpoint) -> Result<(), Error> {
        durable(&seen_file(workspace), checkpoint.as_str().as_bytes())
    }
}

fn seen_file(workspace: &Workspace) -> PathBuf {
    workspace.root().join("keys").join("ledger.seen")
}

/// Whether the ledger holds the tree of a checkpoint that was seen of it.
fn continues(
    reader: &LedgerReader,
    checkpoint: &[u8],
    key: &VerifierKey,
    file: &Path,
) -> Result<(), Error> {
    let seen = UnverifiedCheckpoint::parse(checkpoint)?.verify(key)?;
    if seen.size() <= reader.size() && reader.root_at(seen.size())? == seen.root() {
        return Ok(());
    }
    Err(Error::RolledBack {
        file: file.display().to_string(),
    })
}

/// Whether the ledger of a workspace still holds the tree that a release's receipt speaks of.
///
/// # Errors
///
/// [`Error::RolledBack`] when it does not.
pub fn still_held(workspace: &Workspace, release: &Path) -> Result<(), Error> {
    let receipt = release.join(RECEIPT);
    let proof = std::fs::read_to_string(&receipt).map_err(Error::io("read", &receipt))?;
    let proof: chancery_ledger::InclusionProof = proof.parse()?;
    let checkpoint = proof.checkpoint.as_str().as_bytes();
    let key = workspace.public_key("ledger")?;
    continues(&workspace.ledger_reader()?, checkpoint, &key, &receipt)
}

/// What the workspace has seen of its ledger that the ledger does not continue: the last checkpoint,
/// and the receipt of every release.
///
/// # Errors
///
/// When the releases cannot be listed.
pub fn rolled_back(workspace: &Workspace) -> Result<Vec<Error>, Error> {
    let key = workspace.public_key("ledger")?;
    let seen = seen_file(workspace);
    let last = std::fs::read(&seen)
        .map_err(Error::io("read", &seen))
        .and_then(|text| continues(&workspace.ledger_reader()?, &text, &key, &seen));
    let mut problems: Vec<Error> = last.err().into_iter().collect();
    let releases = workspace.releases_dir();
    for entry in std::fs::read_dir(&releases).map_err(Error::io("read", &releases))? {
        let release = entry.map_err(Error::io("read", &releases))?.path();
        if release.join(RECEIPT).exists() {
            problems.extend(still_held(workspace, &release).err());
        }
    }
    Ok(problems)
}
