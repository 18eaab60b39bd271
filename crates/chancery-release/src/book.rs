use std::path::Path;

use chancery_ledger::{
    InclusionProof, Keyring, Ledger, LedgerReader, LogKeys, Receipt, UnverifiedCheckpoint,
    VerifierKey,
};
use chancery_model::{Fault, Place};

use crate::entry::{Label, RotationReason, Vkey};
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
        Ok(self.ledger.append(&entry.to_bytes()?)?)
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

    /// Signs with these keys from now on, and publishes which they are.
    fn change_keys(&mut self, workspace: &Workspace, keys: LogKeys) -> Result<(), Error> {
        // The secret keys first: a crash after this leaves keys that sign from the next start on.
        workspace.replace_keys("ledger", keys.keys())?;
        self.ledger.change_keys(keys)?;
        let known = self.ledger.keyring().to_string();
        durable(&workspace.public_file("ledger"), known.as_bytes())
    }
}

/// Adds a new pair of keys to those that sign the ledger. Until the older ones are retired, all of
/// them sign, so that whoever knows only the older ones has time to learn of the new.
///
/// # Errors
///
/// When the keys cannot be read or written.
pub fn rotate(
    workspace: &Workspace,
    book: &mut Book,
    reason: RotationReason,
    clock: &dyn Clock,
) -> Result<Keyring, Error> {
    let before = book.keyring().clone();
    book.change_keys(workspace, workspace.log_keys()?.rotated()?)?;
    let added = book.keyring().current().iter();
    let added = added.filter(|key| !before.keys().any(|old| old == *key));
    let entry = rotation(&before, reason, vkeys(added)?, Vec::new(), clock)?;
    book.append(&entry)?;
    Ok(book.keyring().clone())
}

/// Lets only the newest keys sign the ledger, and destroys the older secrets. What they signed can
/// still be verified: the older public keys stay listed.
///
/// # Errors
///
/// When there is no older key, or the keys cannot be read or written.
pub fn retire(
    workspace: &Workspace,
    book: &mut Book,
    reason: RotationReason,
    clock: &dyn Clock,
) -> Result<Keyring, Error> {
    let (all, newest) = (workspace.log_keys()?, workspace.log_keys()?.retired()?);
    let (all, newest) = (all.keyring(), (newest.keyring(), newest));
    let gone: Vec<_> = all
        .keys()
        .filter(|key| !newest.0.keys().any(|new| new == *key))
        .collect();
    if gone.is_empty() {
        let place = Place::file(workspace.public_file("ledger").display().to_string());
        let fault = Fault::new(place, "there is no older key to retire");
        return Err(fault
            .hint("`chancery ledger keys rotate` adds new keys first")
            .into());
    }
    // Still signed by all: whoever knows only the older keys hears of their end.
    let entry = rotation(&all, reason, Vec::new(), vkeys(gone.into_iter())?, clock)?;
    book.append(&entry)?;
    book.change_keys(workspace, newest.1)?;
    Ok(book.keyring().clone())
}

fn rotation(
    keys: &Keyring,
    reason: RotationReason,
    added: Vec<Vkey>,
    retired: Vec<Vkey>,
    clock: &dyn Clock,
) -> Result<Entry, Error> {
    let log = Label::of("log", keys.name())?;
    Ok(Entry::key_rotation(log, reason, added, retired, clock)?)
}

fn vkeys<'a>(keys: impl Iterator<Item = &'a VerifierKey>) -> Result<Vec<Vkey>, Error> {
    let vkeys = keys.map(|key| Vkey::of("added", &key.to_string()));
    Ok(vkeys.collect::<Result<_, _>>()?)
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
