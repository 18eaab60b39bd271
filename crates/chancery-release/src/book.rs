use std::path::Path;

use chancery_ledger::{
    InclusionProof, Keyring, Ledger, LedgerReader, LogKeys, Receipt, UnverifiedCheckpoint, keyfile,
};

use crate::staging::{RECEIPT, durable};
use crate::{Clock, Entry, Error, Workspace};

/// The ledger, opened for writing.
///
/// Its lock, beside the keys, holds the last checkpoint that was signed: a folder `ledger` that was
/// put back to an older copy takes no entry.
pub struct Book {
    ledger: Ledger,
}

impl Book {
    /// Opens the ledger of a workspace; its lock keeps out a second writer.
    pub(crate) fn open(workspace: &Workspace, clock: &dyn Clock) -> Result<Self, Error> {
        let ledger = Ledger::open(workspace.ledger_parts(clock)?)?;
        Ok(Self { ledger })
    }

    /// Enters a fact, durably.
    ///
    /// # Errors
    ///
    /// When the entry is not one that the ledger takes, or it cannot be written.
    pub fn append(&mut self, entry: &Entry) -> Result<Receipt, Error> {
        Ok(self.ledger.append(&entry.to_bytes())?)
    }

    /// Signs the tree as it is once more, with the time of now.
    ///
    /// # Errors
    ///
    /// As for [`Book::append`].
    pub fn refresh(&mut self) -> Result<(), Error> {
        Ok(self.ledger.refresh()?)
    }

    /// The keys that the ledger has and had.
    pub fn keyring(&self) -> &Keyring {
        self.ledger.keyring()
    }

    /// Signs with these keys from now on.
    fn change_keys(&mut self, workspace: &Workspace, keys: LogKeys) -> Result<(), Error> {
        // The secret keys first: a crash after this leaves keys that sign from the next start on.
        let passphrase = workspace.passphrase_of("ledger")?;
        keyfile::replace(
            &workspace.secret_file("ledger"),
            keys.keys(),
            passphrase.as_ref(),
        )?;
        self.ledger.change_keys(keys)?;
        let known = self.ledger.keyring().to_string();
        durable(&workspace.public_file("ledger"), known.as_bytes())
    }
}

/// Adds new keys to those that sign the ledger. Until the older ones are retired, all of them sign,
/// so that whoever knows only the older ones has time to learn of the new.
///
/// # Errors
///
/// When the keys cannot be read or written.
pub fn rotate(workspace: &Workspace, book: &mut Book) -> Result<Keyring, Error> {
    let keys = workspace.log_keys()?.rotated()?;
    book.change_keys(workspace, keys)?;
    Ok(book.keyring().clone())
}

/// Lets only the newest keys sign the ledger, and destroys the older secrets. What they signed can
/// still be verified: the older public keys stay listed.
///
/// # Errors
///
/// When the keys cannot be read or written.
pub fn retire(workspace: &Workspace, book: &mut Book) -> Result<Keyring, Error> {
    let keys = workspace.log_keys()?.retired()?;
    book.change_keys(workspace, keys)?;
    Ok(book.keyring().clone())
}

/// Whether the ledger of a workspace still holds the tree that a release's receipt speaks of.
///
/// # Errors
///
/// [`Error::RolledBack`] when it does not.
pub fn still_held(workspace: &Workspace, release: &Path) -> Result<(), Error> {
    let file = release.join(RECEIPT);
    let proof = std::fs::read_to_string(&file).map_err(Error::io("read", &file))?;
    let proof: InclusionProof = proof.parse()?;
    let keys = workspace.ledger_keys()?;
    continues(&workspace.ledger_reader()?, proof.checkpoint, &keys, &file)
}

/// Whether the ledger holds the tree of a checkpoint that was seen of it.
fn continues(
    reader: &LedgerReader,
    seen: UnverifiedCheckpoint,
    keys: &Keyring,
    file: &Path,
) -> Result<(), Error> {
    let seen = keys.verify(seen)?;
    if seen.size() <= reader.size() && reader.root_at(seen.size())? == seen.root() {
        return Ok(());
    }
    Err(Error::RolledBack {
        file: file.display().to_string(),
    })
}
