//! The writer: takes entries, and acknowledges each only once it is on disk under a signed root.

use std::collections::BTreeSet;
use std::path::Path;

use tlog_tiles::Hash;

use crate::bundle::check_entry;
use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::error::{Error, Result};
use crate::growth::{Growth, grow};
use crate::keyring::{Keyring, LogKeys};
use crate::layout::{CHECKPOINT, STAGED, TILE_WIDTH, TILES, VKEY, parent, temporary};
use crate::proof::InclusionProof;
use crate::staged::Staged;
use crate::storage::{Folder, Storage, damaged, failed, read, read_required};
use crate::tiles::Tiles;

/// A ledger open for appending. There is at most one per folder at any time.
///
/// An append that returns an error may still be in the ledger after the next
/// [`Ledger::open`]: whoever retries should look first, or accept to log the entry twice. What
/// never happens is that an acknowledged entry is missing.
pub struct Ledger {
    storage: Box<dyn Storage>,
    key: LogKeys,
    checkpoint: Checkpoint,
    /// Folders known to be on disk, because this writer has synced the folder above them.
    lasting_dirs: BTreeSet<String>,
    /// Set by a failed write and never cleared: after a failed fsync the disk's content is unknown,
    /// and a second fsync would report success without having written.
    is_poisoned: bool,
}

/// The acknowledgement of one entry: it will be in the ledger at this index for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    index: u64,
    proof: String,
    checkpoint: Checkpoint,
}

impl Receipt {
    /// The entry's index.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The proof of inclusion, as `c2sp.org/tlog-proof@v1` text; it needs no ledger to check.
    pub fn proof(&self) -> &str {
        &self.proof
    }

    /// The checkpoint that the proof leads to.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl Ledger {
    /// Makes an empty ledger: `vkey`, and a signed checkpoint of size 0.
    ///
    /// The folder is made if it is not there. A create that was cut short may be repeated.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] when there is a ledger already, or the remains of one: a new empty
    /// ledger under the same key would be a fork.
    pub fn create(dir: &Path, key: &LogKeys) -> Result<()> {
        std::fs::create_dir_all(dir).map_err(|reason| Error::Io {
            action: "create",
            file: dir.display().to_string(),
            reason,
        })?;
        Self::create_on(&Folder::for_writing(dir)?, key)
    }

    /// Makes an empty ledger on any storage.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::create`].
    pub fn create_on(storage: &dyn Storage, key: &LogKeys) -> Result<()> {
        refuse_remains(storage)?;
        let vkey = key.keyring().to_string();
        match read(storage, VKEY)? {
            None => replace(storage, VKEY, vkey.as_bytes())?,
            Some(found) if found == vkey.as_bytes() => {}
            Some(_) => {
                return Err(Error::AlreadyExists {
                    file: storage.locate(VKEY),
                });
            }
        }
        let empty = key.sign(0, tlog_tiles::EMPTY_HASH.0, 1)?;
        replace(storage, CHECKPOINT, empty.as_str().as_bytes())
    }

    /// Opens the ledger for appending, and finishes an append that a crash has cut short.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when another process has it open, [`Error::WrongKey`] or
    /// [`Error::BadSignature`] when it is not this key's, and [`Error::Damaged`] or
    /// [`Error::Missing`] when the right edge of the tree does not fit the checkpoint.
    pub fn open(dir: &Path, key: &LogKeys) -> Result<Self> {
        // Ask for the checkpoint before the lock, which would be made in any folder.
        read_required(&Folder::for_reading(dir), CHECKPOINT)?;
        Self::open_on(Box::new(Folder::for_writing(dir)?), key)
    }

    /// Opens a ledger on any storage; the caller sees to it that there is one writer.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::open`], without [`Error::Busy`].
    pub fn open_on(storage: Box<dyn Storage>, key: &LogKeys) -> Result<Self> {
        expect_vkey(&*storage, &key.keyring())?;
        // A crash may have come between a rename and its sync. What is acted on below must last.
        sync_dir(&*storage, "")?;
        let checkpoint = read_checkpoint(&*storage, &key.keyring())?;
        let mut ledger = Self {
            storage,
            key: key.clone(),
            checkpoint,
            lasting_dirs: BTreeSet::new(),
            is_poisoned: false,
        };
        // An append that did not get as far as being staged was never decided: forget its entries.
        ledger.remove(&temporary(STAGED))?;
        ledger.finish_staged()?;
        ledger.check_right_edge()?;
        Ok(ledger)
    }

    /// Appends one entry. When this returns, the entry will survive a crash.
    ///
    /// # Errors
    ///
    /// [`Error::EntryTooLarge`]; [`Error::Poisoned`] after any earlier failure to write; or the
    /// failure itself.
    pub fn append(&mut self, entry: &[u8]) -> Result<Receipt> {
        let mut receipts = self.append_batch(&[entry])?;
        receipts.pop().ok_or(Error::Poisoned)
    }

    /// Appends entries in their order, all under one checkpoint: all of them or none.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::append`].
    pub fn append_batch(&mut self, entries: &[&[u8]]) -> Result<Vec<Receipt>> {
        if self.is_poisoned {
            return Err(Error::Poisoned);
        }
        entries
            .iter()
            .try_for_each(|entry| check_entry(entry).map(drop))?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.is_poisoned = true;
        let receipts = self.sequence(entries.iter().map(|entry| entry.to_vec()).collect())?;
        self.is_poisoned = false;
        Ok(receipts)
    }

    /// The latest checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    /// Decides the entries' places and makes the decision last; then finishes as recovery does.
    fn sequence(&mut self, entries: Vec<Vec<u8>>) -> Result<Vec<Receipt>> {
        // 1. Assign indices and compute the new root, over a right edge that is read and verified
        //    again. A crash here: nothing has happened.
        let (old_size, old_root) = (self.size(), self.checkpoint.root());
        let tiles = Tiles::open(&*self.storage, old_size, old_root)?;
        let Growth {
            size: new_size,
            root: new_root,
            ..
        } = grow(&tiles, old_size, &entries)?;

        // 2. Stage the entries. A crash before the rename lasts: the caller has no receipt, and the
        //    entries are not in the ledger. A crash after it: `open` finishes the append. Nothing
        //    is signed yet, so no two checkpoints can ever be signed for one size: whatever gets
        //    signed comes from a staged file that lasts.
        let staged = Staged {
            old_size,
            old_root: Hash(old_root),
            new_size,
            new_root,
            entries,
        };
        replace(&*self.storage, STAGED, &staged.to_bytes()?)?;

        self.finish_staged()
    }

    /// Brings a staged append to its end; does nothing when there is none.
    ///
    /// INVARIANT: the happy path and recovery both come through here, with all they know read from
    /// the disk, so that recovery cannot rot.
    fn finish_staged(&mut self) -> Result<Vec<Receipt>> {
        // 3. Read the staged append. In the happy path this reads back what was just written: a
        //    bit that flipped on the way leads to another root and stops us before signing.
        let Some(content) = read(&*self.storage, STAGED)? else {
            return Ok(Vec::new());
        };
        let staged = Staged::parse(&content).map_err(|e| self.bad_stage(e.to_string()))?;
        if self.is_published(&staged) {
            // The crash came between steps 6 and 7.
            self.remove(STAGED)?;
            return Ok(Vec::new());
        }
        let growth = self.regrow(&staged)?;

        // 4. Write bundles and tiles. A crash here: some are there, none is under the published
        //    checkpoint, and `open` writes the same bytes again.
        for (path, content) in &growth.files {
            self.write_once(path, content)?;
        }

        // 5. Read back every file of the new edge, hash it, and only then sign. A crash here:
        //    `open` signs again, and Ed25519 gives the same signature for the same text.
        let receipts = self.verify_and_sign(&staged)?;

        // 6. Publish. A crash before the rename lasts: as in step 5. After it: the entries are in
        //    the ledger, and `open` only has to clean up.
        if let Some(receipt) = receipts.last() {
            let checkpoint = receipt.checkpoint.clone();
            replace(&*self.storage, CHECKPOINT, checkpoint.as_str().as_bytes())?;
            self.checkpoint = checkpoint;
        }

        // 7. Remove the staged file. A crash here: it may come back, and `open` sees that its
        //    entries are published.
        self.remove(STAGED)?;

        // 8. Acknowledge. A crash before the caller hears of it: the entries are in the ledger.
        Ok(receipts)
    }

    fn is_published(&self, staged: &Staged) -> bool {
        (staged.new_size, staged.new_root.0) == (self.size(), self.checkpoint.root())
    }

    /// Computes the files of a staged append, and refuses one that does not fit the ledger.
    fn regrow(&self, staged: &Staged) -> Result<Growth> {
        if (staged.old_size, staged.old_root.0) != (self.size(), self.checkpoint.root()) {
            return Err(self.bad_stage("it does not continue the checkpoint"));
        }
        let tiles = Tiles::open(&*self.storage, staged.old_size, staged.old_root.0)?;
        let growth = grow(&tiles, staged.old_size, &staged.entries)?;
        if staged.entries.is_empty()
            || (growth.size, growth.root) != (staged.new_size, staged.new_root)
        {
            return Err(self.bad_stage("its entries do not hash to its new root"));
        }
        Ok(growth)
    }

    fn verify_and_sign(&self, staged: &Staged) -> Result<Vec<Receipt>> {
        let tiles = Tiles::open(&*self.storage, staged.new_size, staged.new_root.0)?;
        let width = u64::from(TILE_WIDTH);
        for number in staged.old_size / width..staged.new_size.div_ceil(width) {
            tiles.bundle(number)?;
        }
        let checkpoint = self.key.sign(staged.new_size, staged.new_root.0, 1)?;
        (staged.old_size..staged.new_size)
            .map(|index| {
                let proof = prove(&tiles, index, &checkpoint)?.to_string();
                Ok(Receipt {
                    index,
                    proof,
                    checkpoint: checkpoint.clone(),
                })
            })
            .collect()
    }

    /// Writes a tile or bundle that never changes again.
    fn write_once(&mut self, path: &str, content: &[u8]) -> Result<()> {
        self.make_dir(parent(path))?;
        match read(&*self.storage, path)? {
            None => replace(&*self.storage, path, content),
            // A crash may have come before its folder was synced.
            Some(found) if found == content => sync_dir(&*self.storage, parent(path)),
            Some(_) => Err(Error::Conflict {
                file: self.storage.locate(path),
            }),
        }
    }

    /// Makes a folder and those above it, and makes them last.
    fn make_dir(&mut self, dir: &str) -> Result<()> {
        if dir.is_empty() || self.lasting_dirs.contains(dir) {
            return Ok(());
        }
        self.make_dir(parent(dir))?;
        self.storage
            .create_dir(dir)
            .map_err(|reason| failed(&*self.storage, "create", dir, reason))?;
        // Also for a folder that was there: a crash may have come before it was synced.
        sync_dir(&*self.storage, parent(dir))?;
        self.lasting_dirs.insert(dir.to_owned());
        Ok(())
    }

    fn remove(&self, path: &str) -> Result<()> {
        self.storage
            .remove(path)
            .map_err(|reason| failed(&*self.storage, "remove", path, reason))
    }

    fn check_right_edge(&self) -> Result<()> {
        let (size, root) = (self.size(), self.checkpoint.root());
        let tiles = Tiles::open(&*self.storage, size, root)?;
        tiles
            .bundle(size.saturating_sub(1) / u64::from(TILE_WIDTH))
            .map(drop)
    }

    fn bad_stage(&self, problem: impl Into<String>) -> Error {
        damaged(&*self.storage, STAGED, problem)
    }
}

/// The proof of one entry in the tree of `checkpoint`.
pub(crate) fn prove(
    tiles: &Tiles<'_>,
    index: u64,
    checkpoint: &Checkpoint,
) -> Result<InclusionProof> {
    let hashes = tiles.prove(index)?;
    Ok(InclusionProof {
        extra: None,
        index,
        hashes,
        checkpoint: checkpoint.clone().into(),
    })
}

/// Reads the published checkpoint and verifies its signature.
pub(crate) fn read_checkpoint(storage: &dyn Storage, key: &Keyring) -> Result<Checkpoint> {
    let note = read_required(storage, CHECKPOINT)?;
    UnverifiedCheckpoint::parse(&note)
        .and_then(|checkpoint| checkpoint.verify(key))
        .map_err(|problem| damaged(storage, CHECKPOINT, problem.to_string()))
}

/// Reads the key that the ledger says is its own.
pub(crate) fn read_vkey(storage: &dyn Storage) -> Result<Keyring> {
    let line = read_required(storage, VKEY)?;
    let not_a_key = || damaged(storage, VKEY, "it is not one vkey line");
    let line = std::str::from_utf8(&line).map_err(|_| not_a_key())?;
    line.strip_suffix('\n')
        .unwrap_or(line)
        .parse()
        .map_err(|_| not_a_key())
}

/// Refuses a ledger that says it is another key's.
pub(crate) fn expect_vkey(storage: &dyn Storage, key: &Keyring) -> Result<()> {
    let found = read_vkey(storage)?;
    if found == *key {
        return Ok(());
    }
    let file = storage.locate(VKEY);
    Err(Error::WrongKey {
        file,
        expected: key.to_string(),
        found: found.to_string(),
    })
}

fn refuse_remains(storage: &dyn Storage) -> Result<()> {
    let tiles = storage
        .list(TILES)
        .map_err(|reason| failed(storage, "list", TILES, reason))?;
    for path in [CHECKPOINT, STAGED] {
        if read(storage, path)?.is_some() {
            return Err(Error::AlreadyExists {
                file: storage.locate(path),
            });
        }
    }
    match tiles.first() {
        Some(path) => Err(Error::AlreadyExists {
            file: storage.locate(path),
        }),
        None => Ok(()),
    }
}

/// Puts a file in its place so that a crash leaves the old one or the new one, whole.
fn replace(storage: &dyn Storage, path: &str, content: &[u8]) -> Result<()> {
    let temporary = temporary(path);
    storage
        .write_synced(&temporary, content)
        .map_err(|reason| failed(storage, "write", &temporary, reason))?;
    storage
        .rename(&temporary, path)
        .map_err(|reason| failed(storage, "rename to", path, reason))?;
    sync_dir(storage, parent(path))
}

fn sync_dir(storage: &dyn Storage, dir: &str) -> Result<()> {
    storage
        .sync_dir(dir)
        .map_err(|reason| failed(storage, "sync", dir, reason))
}
