use std::path::Path;

use chancery_ledger::{
    InclusionProof, Keyring, Ledger, LedgerReader, LogKeys, Receipt, VerifierKey,
};
use chancery_model::{Fault, Place};

use crate::entry::{KeyRotation, Label, RotationReason, Vkey};
use crate::staging::{RECEIPT, durable, sync};
use crate::{Clock, Entry, Error, Workspace};

/// The ledger, opened for writing.
///
/// Its lock, beside the keys, holds the last checkpoint that was signed: a folder `ledger` that was
/// put back to an older copy takes no entry.
pub struct Book {
    ledger: Ledger,
}

impl Book {
    /// Opens the ledger of a workspace, and finishes a change of its keys that was cut short. Its
    /// lock keeps out a second writer.
    pub(crate) fn open(workspace: &Workspace, clock: &dyn Clock) -> Result<Self, Error> {
        let ledger = Ledger::open(workspace.ledger_parts(clock)?)?;
        let mut book = Self { ledger };
        book.recover_change(workspace)?;
        Ok(book)
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

    /// Carries out a change of keys that is announced, from wherever a crash left it.
    ///
    /// The announcement is the entry to be logged, in a file beside the keys. It is written before
    /// anything else is done and removed after everything is, so that a change of keys is in the
    /// ledger if and only if it is made.
    fn carry_out(
        &mut self,
        workspace: &Workspace,
        change: &[u8],
        all: &LogKeys,
    ) -> Result<(), Error> {
        // 1. Log it, signed by the keys of before and of after. A crash here: logged or not, and
        //    the next start looks.
        if !self.holds(workspace, change)? {
            self.ledger.append(change)?;
        }
        // 2. Destroy the secrets of keys that are retired. A crash here: the next start has only
        //    the newest keys to sign with.
        if retires(change) {
            let newest = all.retired()?;
            workspace.replace_keys("ledger", newest.keys())?;
            self.ledger.change_keys(newest)?;
        }
        // 3. Tell readers, who may rely on the newest keys having signed. A crash here: again.
        let known = self.ledger.keyring().to_string();
        durable(&workspace.public_file("ledger"), known.as_bytes())?;
        withdraw(workspace)
    }

    /// Finishes a change of keys that was announced, or withdraws it when its keys never were made.
    fn recover_change(&mut self, workspace: &Workspace) -> Result<(), Error> {
        let file = workspace.change_file();
        let change = match std::fs::read(&file) {
            Ok(change) => change,
            Err(reason) if reason.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(reason) => return Err(Error::io("read", &file)(reason)),
        };
        let all = workspace.log_keys()?;
        // Once more, for what a crash left of the last time: it may not last, or lie beside.
        workspace.replace_keys("ledger", all.keys())?;
        let here = |key: &Vkey| all.keyring().keys().any(|own| *key == own.to_string());
        let made = rotation_of(&change).is_some_and(|change| change.added.iter().all(here));
        if !made {
            return withdraw(workspace);
        }
        self.ledger.refresh()?;
        self.carry_out(workspace, &change, &all)
    }

    /// Whether an entry is in the ledger; from the end, as it was to be the last.
    fn holds(&self, workspace: &Workspace, wanted: &[u8]) -> Result<bool, Error> {
        let reader = LedgerReader::open_with(workspace.ledger_storage()?, self.keyring())?;
        let mut end = reader.size();
        while end > 0 {
            let start = (end - 1) / 256 * 256;
            for entry in reader.entries(start..end)? {
                if entry?.1 == wanted {
                    return Ok(true);
                }
            }
            end = start;
        }
        Ok(false)
    }
}

/// What an announcement says, if it is whole.
fn rotation_of(change: &[u8]) -> Option<KeyRotation> {
    match Entry::from_bytes(change).known()? {
        Entry::KeyRotation(rotation) => Some(rotation),
        _ => None,
    }
}

fn retires(change: &[u8]) -> bool {
    rotation_of(change).is_some_and(|change| !change.retired.is_empty())
}

/// Writes down what is about to be done to the keys.
fn announce(workspace: &Workspace, change: &Entry) -> Result<Vec<u8>, Error> {
    let change = change.to_bytes()?;
    durable(&workspace.change_file(), &change)?;
    Ok(change)
}

fn withdraw(workspace: &Workspace) -> Result<(), Error> {
    let file = workspace.change_file();
    std::fs::remove_file(&file).map_err(Error::io("remove", &file))?;
    sync(file.parent().unwrap_or(&file))
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
    let before = workspace.log_keys()?;
    let all = before.rotated()?;
    let (old, new) = (before.keyring(), all.keyring());
    let added = new.keys().filter(|key| !old.keys().any(|old| old == *key));
    let entry = rotation(&new, reason, vkeys(added)?, Vec::new(), clock)?;
    // A crash here: there are no such keys, and the next start withdraws the announcement.
    let change = announce(workspace, &entry)?;
    // A crash here: the next start signs with the new keys as well, and finishes.
    workspace.replace_keys("ledger", all.keys())?;
    book.ledger
        .change_keys(LogKeys::from_keys(all.keys().to_vec())?)?;
    book.carry_out(workspace, &change, &all)?;
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
    let all = workspace.log_keys()?;
    let (old, new) = (all.keyring(), all.keyring());
    let gone = old.keys().filter(|key| !new.current().contains(key));
    let gone = vkeys(gone)?;
    if gone.is_empty() {
        let place = Place::file(workspace.public_file("ledger").display().to_string());
        let fault = Fault::new(place, "there is no older key to retire");
        return Err(fault
            .hint("`chancery ledger keys rotate` adds new keys first")
            .into());
    }
    // A crash here: the next start finishes.
    let change = announce(workspace, &rotation(&old, reason, Vec::new(), gone, clock)?)?;
    book.carry_out(workspace, &change, &all)?;
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
    held_by(&workspace.ledger_reader()?, release)
}

/// Whether a ledger that is open already holds the tree that a release's receipt speaks of.
pub(crate) fn held_by(ledger: &LedgerReader, release: &Path) -> Result<(), Error> {
    let file = release.join(RECEIPT);
    let proof = std::fs::read_to_string(&file).map_err(Error::io("read", &file))?;
    let proof: InclusionProof = proof.parse()?;
    let seen = ledger.keys().verify(proof.checkpoint)?;
    if seen.size() <= ledger.size() && ledger.root_at(seen.size())? == seen.root() {
        return Ok(());
    }
    Err(Error::RolledBack {
        file: file.display().to_string(),
    })
}
