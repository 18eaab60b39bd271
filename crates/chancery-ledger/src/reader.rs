//! The reader: entries and proofs from a ledger that somebody else may be writing to.

use std::ops::Range;
use std::path::Path;
use std::vec;

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::keyring::Keyring;
use crate::layout::TILE_WIDTH;
use crate::ledger::{expect_vkey, prove, read_checkpoint, read_vkey};
use crate::storage::{Folder, Storage};
use crate::tiles::Tiles;

/// The ledger as it was when it was opened; it takes no lock and sees no later entries.
///
/// All that it hands out has been verified against the checkpoint's root.
pub struct LedgerReader {
    storage: Box<dyn Storage>,
    vkey: Keyring,
    checkpoint: Checkpoint,
}

impl LedgerReader {
    /// Reads `vkey` and `checkpoint`, and verifies the signature.
    ///
    /// This trusts the key in the folder. Whoever has the key from elsewhere should compare it with
    /// [`LedgerReader::vkey`], or use [`LedgerReader::open_with`].
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is no ledger, [`Error::Damaged`] when the two do not fit.
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_on(Box::new(Folder::for_reading(dir)))
    }

    /// As [`LedgerReader::open`], for the ledger of a key that is already known.
    ///
    /// # Errors
    ///
    /// Also [`Error::WrongKey`] when the ledger is another key's.
    pub fn open_with(dir: &Path, vkey: &Keyring) -> Result<Self> {
        let folder = Folder::for_reading(dir);
        expect_vkey(&folder, vkey)?;
        Self::open_on(Box::new(folder))
    }

    /// As [`LedgerReader::open`], on any storage.
    ///
    /// # Errors
    ///
    /// As for [`LedgerReader::open`].
    pub fn open_on(storage: Box<dyn Storage>) -> Result<Self> {
        let vkey = read_vkey(&*storage)?;
        let checkpoint = read_checkpoint(&*storage, &vkey)?;
        Ok(Self {
            storage,
            vkey,
            checkpoint,
        })
    }

    /// The ledger's public key.
    pub fn vkey(&self) -> &Keyring {
        &self.vkey
    }

    /// The checkpoint, its signature verified.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    /// One entry.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchEntry`] beyond the end, [`Error::Damaged`] when it is not what was logged.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>> {
        self.check_index(index)?;
        let (_, entry) = self
            .entries(index..index + 1)?
            .next()
            .ok_or_else(|| self.none(index))??;
        Ok(entry)
    }

    /// The entries of a range with their indices, in order, read a bundle at a time.
    ///
    /// A range that goes past the end stops at the end. After an error the iterator ends.
    ///
    /// # Errors
    ///
    /// When the right edge of the tree does not fit the checkpoint.
    pub fn entries(&self, range: Range<u64>) -> Result<Entries<'_>> {
        let end = range.end.min(self.size());
        Ok(Entries {
            tiles: self.tiles()?,
            next: range.start,
            end,
            bundle: Vec::new().into_iter(),
        })
    }

    /// The proof of one entry's inclusion, as `c2sp.org/tlog-proof@v1` text.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchEntry`] beyond the end, [`Error::Damaged`] when a tile does not fit.
    pub fn prove(&self, index: u64) -> Result<String> {
        self.check_index(index)?;
        Ok(prove(&self.tiles()?, index, &self.checkpoint)?.to_string())
    }

    /// The hashes that show that this tree begins with the tree it was at `older_size`.
    ///
    /// [`verify_consistency`](crate::verify_consistency) checks them.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchEntry`] when `older_size` is larger than this tree.
    pub fn prove_consistency(&self, older_size: u64) -> Result<Vec<[u8; 32]>> {
        if older_size > self.size() {
            return Err(self.none(older_size));
        }
        match older_size {
            0 => Ok(Vec::new()),
            _ => self.tiles()?.prove_consistency(older_size),
        }
    }

    /// The root that the tree had when it was `size` entries long.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchEntry`] when `size` is larger than this tree.
    pub fn root_at(&self, size: u64) -> Result<[u8; 32]> {
        if size > self.size() {
            return Err(self.none(size));
        }
        Ok(self.tiles()?.root_at(size)?.0)
    }

    fn tiles(&self) -> Result<Tiles<'_>> {
        Tiles::open(&*self.storage, self.size(), self.checkpoint.root())
    }

    fn check_index(&self, index: u64) -> Result<()> {
        if index < self.size() {
            Ok(())
        } else {
            Err(self.none(index))
        }
    }

    fn none(&self, index: u64) -> Error {
        Error::NoSuchEntry {
            index,
            size: self.size(),
        }
    }
}

/// The iterator of [`LedgerReader::entries`].
pub struct Entries<'a> {
    tiles: Tiles<'a>,
    next: u64,
    end: u64,
    bundle: vec::IntoIter<Vec<u8>>,
}

impl Entries<'_> {
    /// Reads the bundle that the next entry is in, and passes over the entries before it.
    fn read_bundle(&mut self) -> Result<Option<Vec<u8>>> {
        let width = u64::from(TILE_WIDTH);
        self.bundle = self.tiles.bundle(self.next / width)?.into_iter();
        Ok(self
            .bundle
            .nth(usize::try_from(self.next % width).unwrap_or_default()))
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<(u64, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let read = self
            .bundle
            .next()
            .map_or_else(|| self.read_bundle(), |entry| Ok(Some(entry)));
        match read {
            Ok(entry) => {
                let index = self.next;
                self.next += 1;
                entry.map(|entry| Ok((index, entry)))
            }
            Err(error) => {
                self.next = self.end;
                Some(Err(error))
            }
        }
    }
}
