//! The writer: takes entries, and acknowledges each only once it is published under a signed root.

use tlog_tiles::{Hash, Tile};

use crate::bundle::check_entry;
use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::cosigner::Cosigner;
use crate::error::{Error, Result};
use crate::growth::{Growth, grow};
use crate::keyring::{Keyring, LogKeys};
use crate::layout::{
    CHECKPOINT, TILE_HEIGHT, TILE_WIDTH, TILES, VKEY, bundle_of, full, parent, parse_tile_path,
    tile_path,
};
use crate::lock::{Lock, Locked};
use crate::proof::InclusionProof;
use crate::staged::Staged;
use crate::storage::{Storage, damaged, failed, read, read_required};
use crate::tiles::Tiles;

/// How far the clock may be behind the last signature before nothing more is signed, in seconds:
/// what a time service may put right at once.
const CLOCK_SLACK_SECONDS: u64 = 300;

/// All that a writer needs.
pub struct Parts {
    /// Where the log is published.
    pub storage: Box<dyn Storage>,
    /// What it has decided; kept apart from what is published.
    pub lock: Box<dyn Lock>,
    /// What signs its checkpoints.
    pub keys: LogKeys,
    /// The public keys that the log has and had, from where nobody else writes: a key that is listed
    /// only where the log is published is not believed.
    pub known: Keyring,
    /// Who has to cosign a checkpoint before it is published; `None` when nobody has to.
    pub cosigner: Option<Box<dyn Cosigner>>,
    /// The time, in seconds since 1970 UTC.
    pub clock: Box<dyn Fn() -> u64 + Send>,
}

/// A log open for appending. Its [`Lock`] sees to it that there is one at a time.
///
/// An append that returns an error may still be in the log after the next [`Ledger::open`]: whoever
/// retries should look first, or accept to log the entry twice. What never happens is that an
/// acknowledged entry is missing, or that two checkpoints contradict each other.
pub struct Ledger {
    storage: Box<dyn Storage>,
    lock: Box<dyn Lock>,
    keys: LogKeys,
    keyring: Keyring,
    cosigner: Option<Box<dyn Cosigner>>,
    clock: Box<dyn Fn() -> u64 + Send>,
    /// The latest checkpoint that was signed.
    locked: Checkpoint,
    /// The latest checkpoint that was published: the same, or the one before it.
    published: Checkpoint,
    /// Set by a failed write and never cleared: after a failed fsync the disk's content is unknown,
    /// and a second fsync would report success without having written.
    is_poisoned: bool,
}

/// The acknowledgement of one entry: it will be in the log at this index for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    proof: InclusionProof,
    checkpoint: Checkpoint,
}

impl Receipt {
    /// The entry's index.
    pub fn index(&self) -> u64 {
        self.proof.index
    }

    /// The proof of inclusion, which needs no log to check; printed, it is a
    /// `c2sp.org/tlog-proof@v1` text.
    pub fn proof(&self) -> &InclusionProof {
        &self.proof
    }

    /// The checkpoint that the proof leads to.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl Ledger {
    /// Makes an empty log: its `vkey` file, and a signed checkpoint of size 0.
    ///
    /// A create that was cut short may be repeated.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] when there is a log already, or the remains of one: a new empty
    /// log under the same key would be a fork.
    pub fn create(parts: Parts) -> Result<Self> {
        let locked = parts.lock.load()?;
        refuse_remains(&parts, &locked)?;
        // 1. The keys. A crash here: there is a file with keys and no log; create again.
        write_vkey(&*parts.storage, &parts.keys.keyring())?;
        // 2. Sign the empty tree and lock it. A crash here: create again, which finds it signed.
        if locked.checkpoint.is_none() {
            let empty = parts
                .keys
                .sign(0, tlog_tiles::EMPTY_HASH.0, (parts.clock)())?;
            parts.lock.swap(None, empty.as_str())?;
        }
        // 3. Publish, as recovery does.
        Self::open(parts)
    }

    /// Opens a log for appending, and finishes an append that was cut short.
    ///
    /// # Errors
    ///
    /// [`Error::WrongKey`] when it is not the log of these keys; [`Error::RolledBack`] or
    /// [`Error::LockBehind`] when the published files and the lock tell of different pasts;
    /// [`Error::Damaged`] or [`Error::Missing`] when the right edge of the tree does not fit;
    /// [`Error::AheadOfLog`] when a witness has seen more than there is.
    pub fn open(parts: Parts) -> Result<Self> {
        let Parts {
            storage,
            lock,
            keys,
            known,
            cosigner,
            clock,
        } = parts;
        let keyring = keys.keyring().with_older(&known)?;
        if read(&*storage, VKEY)?.is_some() {
            expect_known(&keyring, &read_vkey(&*storage)?, &*storage)?;
        }
        // A change of keys may have been cut short.
        write_vkey(&*storage, &keyring)?;
        // What was signed last has to be signed by the secret keys at hand: retired ones that were put
        // back do not go on.
        let locked = read_locked(&*lock, &keys.keyring())?;
        let published = match read(&*storage, CHECKPOINT)? {
            Some(note) if note == locked.as_str().as_bytes() => locked.clone(),
            Some(_) => read_checkpoint(&*storage, |note| keyring.verify(note))?,
            // `create` was cut short. Of a log with entries, the checkpoint has gone missing.
            None if locked.size() == 0 => locked.clone(),
            None => return Err(missing(&*storage, CHECKPOINT)),
        };
        storage
            .sync(CHECKPOINT)
            .map_err(|reason| failed(&*storage, "sync", CHECKPOINT, reason))?;
        let mut ledger = Self {
            storage,
            lock,
            keys,
            keyring,
            cosigner,
            clock,
            locked,
            published,
            is_poisoned: false,
        };
        ledger.finish()?;
        ledger.refuse_later_entries()?;
        ledger.check_right_edge()?;
        ledger.ask_witnesses()?;
        Ok(ledger)
    }

    /// Appends one entry. When this returns, the entry will survive a crash.
    ///
    /// # Errors
    ///
    /// [`Error::EntryTooLarge`]; [`Error::Poisoned`] after any earlier failure to write;
    /// [`Error::NoQuorum`] when the entry is in the log, and not published; or the failure itself.
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
        entries
            .iter()
            .try_for_each(|entry| check_entry(entry).map(drop))?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let entries = entries.iter().map(|entry| entry.to_vec()).collect();
        self.unless_poisoned(|ledger| ledger.sequence(entries))
    }

    /// Signs the tree as it is once more, with the time of now, for those who ask how old it is.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::append`].
    pub fn refresh(&mut self) -> Result<()> {
        self.unless_poisoned(|ledger| {
            ledger.finish()?;
            let time = ledger.time()?;
            let (size, root) = (ledger.locked.size(), ledger.locked.root());
            let checkpoint = ledger.keys.sign(size, root, time)?;
            ledger.decide(checkpoint)?;
            ledger.finish().map(drop)
        })
    }

    /// The latest published checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.published
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.published.size()
    }

    /// The keys that the log has and had.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Signs with other keys from the next checkpoint on: those with one more, or with the older
    /// ones retired. The keys' file has to last before this is called.
    ///
    /// # Errors
    ///
    /// [`Error::WrongKey`] when the new keys have none in common with the old; a failure to write.
    pub fn change_keys(&mut self, keys: LogKeys) -> Result<()> {
        self.unless_poisoned(|ledger| {
            let keyring = keys.keyring().with_older(&ledger.keyring)?;
            if !ledger
                .keyring
                .keys()
                .any(|old| keys.keyring().keys().any(|key| key == old))
            {
                return Err(wrong_key(
                    &ledger.keyring,
                    &keys.keyring(),
                    &*ledger.storage,
                ));
            }
            ledger.keyring = keyring;
            ledger.keys = keys;
            // A crash before this lasts: `open` knows the keys, and writes the file.
            write_vkey(&*ledger.storage, &ledger.keyring)
        })?;
        self.refresh()
    }

    /// Lets nothing through after a failure that leaves the disk's content unknown.
    fn unless_poisoned<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.is_poisoned {
            return Err(Error::Poisoned);
        }
        let outcome = act(self);
        self.is_poisoned = outcome
            .as_ref()
            .is_err_and(|error| !error.may_be_tried_again());
        outcome
    }

    /// Gives entries their places, and makes the decision last; then finishes as recovery does.
    fn sequence(&mut self, entries: Vec<Vec<u8>>) -> Result<Vec<Receipt>> {
        // 1. Publish what is signed and not published yet: an append that found no quorum.
        self.finish()?;
        let (time, old) = (self.time()?, self.locked.clone());

        // 2. Assign indices and compute the new root, over a right edge that is read and verified
        //    again. A crash here: nothing has happened.
        let tiles = Tiles::open(&*self.storage, old.size(), old.root())?;
        let growth = grow(&tiles, old.size(), &entries)?;
        let staged = Staged {
            old_size: old.size(),
            old_root: Hash(old.root()),
            new_size: growth.size,
            new_root: growth.root,
            entries,
        };

        // 3. Stage the entries. A crash here: no checkpoint was signed for them, so they are not in
        //    the log, and the next append takes their place. The caller has no receipt.
        self.lock.stage(&staged.to_bytes()?)?;

        // 4. Read them back and hash again: a bit that flipped on the way leads to another root and
        //    stops us before anything is signed. A crash here: as in step 3.
        let sent = staged;
        let staged = self.staged()?.ok_or_else(|| self.bad_stage("it is gone"))?;
        if staged != sent {
            return Err(self.bad_stage("it is not what was put there"));
        }
        self.regrow(&staged, &old)?;
        let checkpoint = self.keys.sign(staged.new_size, staged.new_root.0, time)?;

        // 5. Put the checkpoint into the lock, if the one before it is still there. A crash before
        //    this lasts: as in step 3. After it: the entries are in the log, no other checkpoint
        //    can ever be signed for their places, and `open` finishes.
        self.decide(checkpoint)?;

        self.finish()
    }

    /// Publishes what is signed and not published yet; does nothing when there is none.
    ///
    /// INVARIANT: the happy path and recovery both come through here, with all they know read from
    /// the lock and the storage, so that recovery cannot rot.
    fn finish(&mut self) -> Result<Vec<Receipt>> {
        self.published_fits()?;
        if same_tree(&self.published, &self.locked) {
            return self.finish_same_tree().map(|()| Vec::new());
        }
        let staged = self.staged()?.ok_or_else(|| self.rolled_back())?;
        if (staged.new_size, staged.new_root.0) != (self.locked.size(), self.locked.root())
            || (staged.old_size, staged.old_root.0)
                != (self.published.size(), self.published.root())
        {
            return Err(self.rolled_back());
        }
        let growth = self.regrow(&staged, &self.published)?;

        // 6. Write bundles and tiles. A crash here: some are there, none is under the published
        //    checkpoint, and `open` comes here again and writes the same bytes.
        for (path, content) in &growth.files {
            self.write_once(path, content)?;
        }

        // 7. Read back every file of the new edge and hash it. A crash here: as in step 6.
        let tiles = Tiles::open(&*self.storage, staged.new_size, staged.new_root.0)?;
        let width = u64::from(TILE_WIDTH);
        for number in staged.old_size / width..staged.new_size.div_ceil(width) {
            tiles.bundle(number)?;
        }

        // 8. Cosign. A crash here: as in step 6; witnesses that have cosigned do so again. Without
        //    a quorum the entries are in the log and not published, and the next append or `open`
        //    tries again.
        let checkpoint = self.cosign(&self.locked, &tiles)?;
        let receipts = (staged.old_size..staged.new_size)
            .map(|index| {
                Ok(Receipt {
                    proof: prove_inclusion(&tiles, index, &checkpoint)?,
                    checkpoint: checkpoint.clone(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        drop(tiles);

        // 9. Publish. A crash before the rename lasts: as in step 8. After it: done, but that the
        //    caller does not hear of it.
        self.publish(checkpoint)?;

        // 10. Acknowledge.
        Ok(receipts)
    }

    /// Step 5: from here on, this is the log.
    fn decide(&mut self, checkpoint: Checkpoint) -> Result<()> {
        self.lock
            .swap(Some(self.locked.as_str()), checkpoint.as_str())?;
        self.locked = checkpoint;
        Ok(())
    }

    fn publish(&mut self, checkpoint: Checkpoint) -> Result<()> {
        self.is_published()?;
        let storage = &*self.storage;
        storage
            .replace(CHECKPOINT, checkpoint.as_str().as_bytes())
            .map_err(|reason| failed(storage, "write", CHECKPOINT, reason))?;
        if read(storage, CHECKPOINT)?.as_deref() != Some(checkpoint.as_str().as_bytes()) {
            return Err(damaged(storage, CHECKPOINT, "it is not what was written"));
        }
        self.published = checkpoint;
        Ok(())
    }

    /// Whether the checkpoint is in place that this writer believes to be; none is, of a new log.
    ///
    /// Another one was put there by a writer with another copy of the lock. On a folder this is no
    /// safeguard against one that writes at the same moment; that is what the lock is for.
    fn is_published(&self) -> Result<bool> {
        match read(&*self.storage, CHECKPOINT)? {
            None if self.published.size() == 0 => Ok(false),
            Some(found) if found == self.published.as_str().as_bytes() => Ok(true),
            _ => Err(Error::Conflict {
                file: self.storage.locate(CHECKPOINT),
            }),
        }
    }

    /// The staged append, if there is one; read from the lock, not remembered.
    fn staged(&self) -> Result<Option<Staged>> {
        let Locked { checkpoint, staged } = self.lock.load()?;
        if checkpoint.as_deref() != Some(self.locked.as_str()) {
            let file = self.lock.locate();
            return Err(Error::Conflict { file });
        }
        let staged = staged.map(|content| Staged::parse(&content)).transpose();
        staged.map_err(|problem| self.bad_stage(&problem.to_string()))
    }

    /// Computes the files of a staged append again, and refuses one that does not lead to its root.
    fn regrow(&self, staged: &Staged, old: &Checkpoint) -> Result<Growth> {
        if (staged.old_size, staged.old_root.0) != (old.size(), old.root()) {
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

    /// Writes a tile or bundle that never changes again.
    fn write_once(&self, path: &str, content: &[u8]) -> Result<()> {
        let storage = &*self.storage;
        let outcome = match read(storage, path)? {
            None => storage.create(path, content),
            // A crash may have come before its folder was synced.
            Some(found) if found == content => storage.sync(path),
            Some(_) => {
                let file = storage.locate(path);
                return Err(Error::Conflict { file });
            }
        };
        outcome.map_err(|reason| failed(storage, "write", path, reason))
    }

    /// The published checkpoint is the locked one or one before it: the lock hears of each first.
    fn published_fits(&self) -> Result<()> {
        let (published, locked) = (&self.published, &self.locked);
        if published.size() > locked.size() {
            return Err(Error::LockBehind {
                file: self.lock.locate(),
                locked: locked.size(),
                published: published.size(),
            });
        }
        if published.size() == locked.size() && published.root() != locked.root() {
            return Err(Error::Forked {
                file: self.storage.locate(CHECKPOINT),
                size: published.size(),
            });
        }
        Ok(())
    }

    /// The time to sign with: it never goes back.
    fn time(&self) -> Result<u64> {
        let (now, last) = ((self.clock)(), self.locked.timestamp().unwrap_or_default());
        if now.saturating_add(CLOCK_SLACK_SECONDS) < last {
            return Err(Error::ClockBehind { now, last });
        }
        Ok(now.max(last))
    }

    /// Bundles are written only under a signed checkpoint. One beyond the last says that an older
    /// copy of log and lock was put back, and that its place is taken.
    fn refuse_later_entries(&self) -> Result<()> {
        let published = self.published.size();
        match entries_beyond(&*self.storage, published)? {
            None => Ok(()),
            Some(locked) => Err(Error::RolledBack {
                file: self.storage.locate(CHECKPOINT),
                published,
                locked,
            }),
        }
    }

    fn check_right_edge(&self) -> Result<()> {
        let (size, root) = (self.published.size(), self.published.root());
        let tiles = Tiles::open(&*self.storage, size, root)?;
        tiles
            .bundle(size.saturating_sub(1) / u64::from(TILE_WIDTH))
            .map(drop)
    }

    /// Whether somebody has seen more of this log than there is: then it was put back, lock and all.
    fn ask_witnesses(&self) -> Result<()> {
        let Some(cosigner) = &self.cosigner else {
            return Ok(());
        };
        let published = &self.published;
        let tiles = Tiles::open(&*self.storage, published.size(), published.root())?;
        cosigner.look(published, &|older| prove_since(&tiles, older))
    }

    /// Steps 8 and 9 for a checkpoint of the tree that is published already: one that was signed once
    /// more, or that was published before its witnesses were asked for.
    fn finish_same_tree(&mut self) -> Result<()> {
        let is_published = self.is_published()?;
        // Two of one second are told apart by their text: cosignatures are put at its end.
        let is_of_locked = self.published.as_str().starts_with(self.locked.as_str());
        let newest = if is_of_locked || self.locked.timestamp() < self.published.timestamp() {
            &self.published
        } else {
            &self.locked
        };
        let tiles = Tiles::open(&*self.storage, newest.size(), newest.root())?;
        let checkpoint = self.cosign(newest, &tiles)?;
        drop(tiles);
        if is_published && checkpoint == self.published {
            return Ok(());
        }
        self.publish(checkpoint)
    }

    /// The checkpoint with the cosignatures that it needs, if any, and that it has not got yet.
    fn cosign(&self, checkpoint: &Checkpoint, tiles: &Tiles<'_>) -> Result<Checkpoint> {
        match &self.cosigner {
            Some(cosigner) => cosigner.cosign(checkpoint, &|older| prove_since(tiles, older)),
            None => Ok(checkpoint.clone()),
        }
    }

    fn rolled_back(&self) -> Error {
        Error::RolledBack {
            file: self.storage.locate(CHECKPOINT),
            published: self.published.size(),
            locked: self.locked.size(),
        }
    }

    fn bad_stage(&self, problem: &str) -> Error {
        Error::Damaged {
            file: self.lock.locate(),
            problem: format!("the staged append: {problem}"),
        }
    }
}

/// The number of entries that the bundles next to the right edge speak of, if it is over `size`.
pub(crate) fn entries_beyond(storage: &dyn Storage, size: u64) -> Result<Option<u64>> {
    let number = size / u64::from(TILE_WIDTH);
    let partial = bundle_of(&Tile::new(TILE_HEIGHT, 0, number, 1, false));
    let dir = tile_path(&partial);
    let dir = parent(&dir);
    let files = storage
        .list(dir)
        .map_err(|reason| failed(storage, "list", dir, reason))?;
    let widths = files.iter().filter_map(|file| parse_tile_path(file));
    let mut width = widths.map(|tile| tile.width()).max().unwrap_or_default();
    if read(storage, &tile_path(&full(&partial)))?.is_some() {
        width = TILE_WIDTH;
    }
    let entries = number * u64::from(TILE_WIDTH) + u64::from(width);
    Ok(Some(entries).filter(|entries| *entries > size))
}

/// The consistency proof from an older size. Every tree begins with the empty one.
fn prove_since(tiles: &Tiles<'_>, older: u64) -> Result<Vec<[u8; 32]>> {
    match older {
        0 => Ok(Vec::new()),
        _ => tiles.prove_consistency(older),
    }
}

fn same_tree(one: &Checkpoint, other: &Checkpoint) -> bool {
    (one.size(), one.root()) == (other.size(), other.root())
}

/// The proof of one entry in the tree of `checkpoint`.
pub(crate) fn prove_inclusion(
    tiles: &Tiles<'_>,
    index: u64,
    checkpoint: &Checkpoint,
) -> Result<InclusionProof> {
    Ok(InclusionProof {
        extra: None,
        index,
        hashes: tiles.prove(index)?,
        checkpoint: checkpoint.clone().into(),
    })
}

/// Reads the published checkpoint and verifies its signatures.
pub(crate) fn read_checkpoint(
    storage: &dyn Storage,
    verify: impl Fn(UnverifiedCheckpoint) -> Result<Checkpoint>,
) -> Result<Checkpoint> {
    let note = read_required(storage, CHECKPOINT)?;
    UnverifiedCheckpoint::parse(&note)
        .and_then(verify)
        .map_err(|problem| damaged(storage, CHECKPOINT, problem.to_string()))
}

/// Reads the checkpoint in the lock and verifies its signatures.
pub(crate) fn read_locked(lock: &dyn Lock, keys: &Keyring) -> Result<Checkpoint> {
    let file = lock.locate();
    let Some(note) = lock.load()?.checkpoint else {
        return Err(Error::LockMissing { file });
    };
    UnverifiedCheckpoint::parse(note.as_bytes())
        .and_then(|checkpoint| keys.verify(checkpoint))
        .map_err(|problem| Error::Damaged {
            file,
            problem: problem.to_string(),
        })
}

/// Reads the keys that the log says are its own.
pub(crate) fn read_vkey(storage: &dyn Storage) -> Result<Keyring> {
    let text = read_required(storage, VKEY)?;
    std::str::from_utf8(&text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| damaged(storage, VKEY, "it is not a list of vkey lines"))
}

/// Publishes the keys, if they are not there already.
fn write_vkey(storage: &dyn Storage, keys: &Keyring) -> Result<()> {
    if read(storage, VKEY)?.as_deref() == Some(keys.to_string().as_bytes()) {
        return Ok(());
    }
    storage
        .replace(VKEY, keys.to_string().as_bytes())
        .map_err(|reason| failed(storage, "write", VKEY, reason))
}

/// Refuses keys where the log is published that are not known from elsewhere.
pub(crate) fn expect_known(known: &Keyring, found: &Keyring, storage: &dyn Storage) -> Result<()> {
    if found.keys().all(|key| known.keys().any(|own| own == key)) {
        return Ok(());
    }
    Err(wrong_key(known, found, storage))
}

fn wrong_key(expected: &Keyring, found: &Keyring, storage: &dyn Storage) -> Error {
    Error::WrongKey {
        file: storage.locate(VKEY),
        expected: named(expected),
        found: named(found),
    }
}

/// Keys by their names and ids: their own text is long.
fn named(keys: &Keyring) -> String {
    let ids = keys
        .keys()
        .map(|key| format!("{}+{}", key.name(), key.key_id()));
    ids.collect::<Vec<_>>().join(", ")
}

fn refuse_remains(parts: &Parts, locked: &Locked) -> Result<()> {
    let storage = &*parts.storage;
    let exists = |file: String| Err(Error::AlreadyExists { file });
    if read(storage, CHECKPOINT)?.is_some() {
        return exists(storage.locate(CHECKPOINT));
    }
    let tiles = storage
        .list(TILES)
        .map_err(|reason| failed(storage, "list", TILES, reason))?;
    if let Some(tile) = tiles.first() {
        return exists(storage.locate(tile));
    }
    if read(storage, VKEY)?.is_some() && read_vkey(storage)? != parts.keys.keyring() {
        return exists(storage.locate(VKEY));
    }
    let Some(note) = &locked.checkpoint else {
        return Ok(());
    };
    match UnverifiedCheckpoint::parse(note.as_bytes())?.size() {
        0 => Ok(()),
        _ => exists(parts.lock.locate()),
    }
}

fn missing(storage: &dyn Storage, path: &str) -> Error {
    Error::Missing {
        file: storage.locate(path),
    }
}
