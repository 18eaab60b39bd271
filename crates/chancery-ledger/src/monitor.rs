//! A monitor: follows a log, keeps what the log signed, and raises an alarm when that contradicts
//! itself.
//!
//! A witness makes sure that there is one history; a monitor reads it. It needs nothing but the
//! log's public files, over HTTP or from a folder, and the log's public keys or a policy.

mod alarm;

mod book;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tlog_tiles::{HASH_SIZE, Hash, Tile};

use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::error::{Error, Result};
use crate::keyring::Keyring;
use crate::layout::{CHECKPOINT, TILE_HEIGHT, TILE_WIDTH};
use crate::policy::Policy;
use crate::source::Source;
use crate::storage::Storage;
use crate::tiles::{Tiles, width_of};
use crate::witness::hash_origin;

pub use self::alarm::Alarm;
use self::book::{Book, Progress, Seen, leaf_hashes};

/// The database in a monitor's folder.
const DATABASE: &str = "monitor.sqlite";
/// The folder for the evidence of forks, in a monitor's folder.
const EVIDENCE: &str = "evidence";

/// How far the log's clock may be ahead of ours, in seconds.
const CLOCK_SLACK_SECONDS: u64 = 300;

/// How many bundles are read before what was read is written down.
const BUNDLES_AT_ONCE: u64 = 256;

/// How many of the entries that cannot be read are named, and looked at again each time.
const MAX_UNREADABLE: u32 = 100;

/// Who has to have signed.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The log itself, with all keys of one generation.
    Keys(Keyring),
    /// The log itself, and the quorum of witnesses that the policy asks for.
    Policy(Policy),
}

/// Follows one log.
///
/// # Example
///
/// ```
/// use chancery_ledger::monitor::{Alarm, Expected, Monitor};
/// use chancery_ledger::{Ledger, LogKeys, Parts, Folder, SqliteLock, Source};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let dir = folder.path();
/// # let (log, lock, own) = (dir.join("log"), dir.join("lock.sqlite"), dir.join("monitor"));
/// let keys = LogKeys::generate("agency.example/ledger", &[7; 32])?;
/// let mut ledger = Ledger::create(Parts {
///     storage: Box::new(Folder::new(&log)),
///     lock: Box::new(SqliteLock::create(&lock)?),
///     keys: keys.clone(),
///     known: keys.keyring(),
///     cosigner: None,
///     clock: Box::new(|| 1_800_000_000),
/// })?;
/// ledger.append(b"released: 3 tables to hhs/oig")?;
///
/// let source = Source::open(log.to_str().unwrap());
/// let mut monitor = Monitor::open(&own, Box::new(source), Expected::Keys(keys.keyring()))?;
/// let report = monitor.follow_once(1_800_000_060, None, &|_| true)?;
/// assert_eq!((report.size, report.read, report.alarms.len()), (1, 1, 0));
///
/// // An hour later nothing has been signed, and somebody should ask why.
/// let report = monitor.follow_once(1_800_003_600, Some(600), &|_| true)?;
/// assert!(matches!(report.alarms[..], [Alarm::Stale { age: 3_600, .. }]));
/// # Ok::<(), chancery_ledger::Error>(())
/// ```
pub struct Monitor {
    dir: PathBuf,
    log: Box<dyn Storage>,
    expected: Expected,
    book: Book,
}

/// What a monitor found, this time and ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The largest tree of the log that continues all that was seen of it.
    pub size: u64,
    /// How many of its entries were read.
    pub read: u64,
    /// How many entries cannot be read; the first hundred are among the alarms.
    pub unreadable: u64,
    /// What is wrong. A fork stays here for good, and an unreadable entry until it can be read.
    pub alarms: Vec<Alarm>,
}

impl Monitor {
    /// Opens a monitor on what it keeps in its folder, which is made if need be.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] when the folder cannot be used, or another monitor uses it.
    pub fn open(dir: &Path, log: Box<dyn Storage>, expected: Expected) -> Result<Self> {
        let evidence = dir.join(EVIDENCE);
        fs::create_dir_all(&evidence).map_err(|reason| Error::io("create", &evidence, reason))?;
        Ok(Self {
            dir: dir.to_owned(),
            log,
            expected,
            book: Book::open(&dir.join(DATABASE))?,
        })
    }

    /// Looks at the log once, at the time `now` in seconds since 1970.
    ///
    /// A checkpoint that is older than `max_age` seconds is stale. `readable` says whether an entry
    /// can be read: to this crate entries are bytes.
    ///
    /// It may be interrupted anywhere, and goes on from there the next time.
    ///
    /// # Errors
    ///
    /// When the monitor itself fails. What is wrong with the log is an alarm.
    pub fn follow_once(
        &mut self,
        now: u64,
        max_age: Option<u64>,
        readable: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Report> {
        let mut alarms = Vec::new();
        let fetched = self.fetch(&mut alarms)?;
        // 1. Keep what the log signed, before anything else. An interruption later: it is there.
        if let Some(checkpoint) = &fetched {
            self.book.keep(&checkpoint.clone().into(), now)?;
            self.keep_what_witnesses_show(checkpoint.origin(), now)?;
        }
        // 2. Hold all that was ever signed against each other.
        for (one, other) in self.book.contradictions()? {
            self.book.add_fork(&one, &other)?;
        }
        if let Some(checkpoint) = &fetched {
            self.compare(checkpoint, readable, &mut alarms)?;
        }
        self.check_age(fetched.as_ref(), now, max_age, &mut alarms)?;
        // 3. A fork is never forgotten.
        for (one, other) in self.book.forks()? {
            alarms.push(self.keep_evidence(&one, &other)?);
        }
        let (entries, unreadable) = self.book.unreadable(MAX_UNREADABLE)?;
        alarms.extend(
            entries
                .into_iter()
                .map(|index| Alarm::UnreadableEntry { index }),
        );
        Ok(Report {
            size: self.book.latest()?.map_or(0, |latest| latest.size),
            read: self.book.read_entries()?.0,
            unreadable,
            alarms,
        })
    }

    /// Gets the published checkpoint; what is signed by somebody else is not one.
    fn fetch(&self, alarms: &mut Vec<Alarm>) -> Result<Option<Checkpoint>> {
        let place = self.log.locate(CHECKPOINT);
        let content = match self.log.read(CHECKPOINT) {
            Ok(Some(content)) => content,
            Ok(None) => {
                let reason = "it is not there".to_owned();
                alarms.push(Alarm::Unreachable { place, reason });
                return Ok(None);
            }
            Err(reason) => {
                let reason = reason.to_string();
                alarms.push(Alarm::Unreachable { place, reason });
                return Ok(None);
            }
        };
        let bad = |error: Error| Alarm::BadSignature {
            place: place.clone(),
            reason: error.to_string(),
        };
        let unverified = match UnverifiedCheckpoint::parse(&content) {
            Ok(unverified) => unverified,
            Err(error) => {
                alarms.push(bad(error));
                return Ok(None);
            }
        };
        let checkpoint = match self
            .check_origin(&unverified)
            .and_then(|()| self.verify(&unverified))
        {
            Ok(checkpoint) => checkpoint,
            Err(error @ (Error::Database { .. } | Error::Damaged { .. })) => return Err(error),
            Err(error) => {
                alarms.push(bad(error));
                return Ok(None);
            }
        };
        match self.check_witnesses(&unverified) {
            Ok(()) => {}
            Err(error @ Error::NoQuorum { .. }) => alarms.push(Alarm::NotWitnessed {
                reason: error.to_string(),
            }),
            Err(error) => alarms.push(bad(error)),
        }
        Ok(Some(checkpoint))
    }

    /// A policy may list several logs; a monitor follows one.
    fn check_origin(&self, checkpoint: &UnverifiedCheckpoint) -> Result<()> {
        let Some(latest) = self.book.latest()? else {
            return Ok(());
        };
        let expected = latest.note.lines().next().unwrap_or_default().to_owned();
        if checkpoint.origin() == expected {
            return Ok(());
        }
        let found = checkpoint.origin().to_owned();
        Err(Error::WrongOrigin { expected, found })
    }

    /// Checks the log's own signatures.
    fn verify(&self, checkpoint: &UnverifiedCheckpoint) -> Result<Checkpoint> {
        match &self.expected {
            Expected::Keys(keys) => keys.verify(checkpoint.clone()),
            Expected::Policy(policy) => policy.check_log(checkpoint),
        }
    }

    fn check_witnesses(&self, checkpoint: &UnverifiedCheckpoint) -> Result<()> {
        match &self.expected {
            // There is one empty tree: nothing to witness.
            _ if checkpoint.size() == 0 => Ok(()),
            Expected::Keys(_) => Ok(()),
            Expected::Policy(policy) => policy.check_quorum(checkpoint),
        }
    }

    /// Keeps what the witnesses saw of the log: it could show them another tree than us.
    fn keep_what_witnesses_show(&self, origin: &str, now: u64) -> Result<()> {
        let Expected::Policy(policy) = &self.expected else {
            return Ok(());
        };
        let path = format!("{}/{CHECKPOINT}", hash_origin(origin));
        let urls = policy
            .witnesses()
            .iter()
            .filter_map(|witness| witness.url.as_deref());
        for url in urls {
            // A witness that is not there, or shows what the log did not sign, says nothing.
            let shown = Source::open_quick(url).read(&path).ok().flatten();
            let shown = shown.and_then(|note| UnverifiedCheckpoint::parse(&note).ok());
            if let Some(shown) = shown.filter(|shown| shown.origin() == origin)
                && self.verify(&shown).is_ok()
            {
                self.book.keep(&shown, now)?;
            }
        }
        Ok(())
    }

    /// Compares a checkpoint with all that was seen before, and reads what it adds.
    fn compare(
        &self,
        checkpoint: &Checkpoint,
        readable: &dyn Fn(&[u8]) -> bool,
        alarms: &mut Vec<Alarm>,
    ) -> Result<()> {
        let latest = self.book.latest()?;
        if let Some(latest) = latest.filter(|latest| latest.size > checkpoint.size()) {
            return self.roll_back(checkpoint, &latest, alarms);
        }
        let outcome = Tiles::open(&*self.log, checkpoint.size(), checkpoint.root())
            .and_then(|tiles| self.grow(checkpoint, &tiles, readable));
        match outcome {
            Err(error @ (Error::Damaged { .. } | Error::Missing { .. } | Error::Io { .. })) => {
                alarms.push(Alarm::Damaged {
                    reason: error.to_string(),
                });
                Ok(())
            }
            other => other,
        }
    }

    /// The log shows a smaller tree than before: an older one, or another one.
    fn roll_back(
        &self,
        checkpoint: &Checkpoint,
        latest: &Seen,
        alarms: &mut Vec<Alarm>,
    ) -> Result<()> {
        alarms.push(Alarm::RollBack {
            from: latest.size,
            to: checkpoint.size(),
        });
        let (read, root) = self.book.read_entries()?;
        if checkpoint.size() > read {
            // The tree there has not been read; what the log signs next will tell.
            return Ok(());
        }
        // The log need not help to find out: its hashes are in the book.
        let known = Tiles::open(&self.book, read, root)?.root_at(checkpoint.size())?;
        if known == Hash(checkpoint.root()) {
            return self
                .book
                .mark_consistent(checkpoint.size(), checkpoint.root());
        }
        match self.book.find(checkpoint.size(), checkpoint.root())? {
            Some(other) => self.book.add_fork(latest, &other),
            None => Ok(()),
        }
    }

    /// Checks that a tree continues all that was seen, and reads its new entries.
    fn grow(
        &self,
        checkpoint: &Checkpoint,
        tiles: &Tiles<'_>,
        readable: &dyn Fn(&[u8]) -> bool,
    ) -> Result<()> {
        let (size, root) = (checkpoint.size(), checkpoint.root());
        let Some(own) = self.book.find(size, root)? else {
            return Ok(());
        };
        if let Some(latest) = self.book.latest()?
            && tiles.root_at(latest.size)? != Hash(latest.root)
        {
            return self.book.add_fork(&latest, &own);
        }
        for other in self.book.to_compare(size)? {
            if tiles.root_at(other.size)? == Hash(other.root) {
                self.book.mark_consistent(other.size, other.root)?;
            } else {
                self.book.add_fork(&other, &own)?;
            }
        }
        self.book.mark_consistent(size, root)?;
        self.read_entries(tiles, size, readable)?;
        self.read_again(tiles, readable)
    }

    /// Reads the entries that were not read yet, up to `size`.
    fn read_entries(
        &self,
        tiles: &Tiles<'_>,
        size: u64,
        readable: &dyn Fn(&[u8]) -> bool,
    ) -> Result<()> {
        let width = u64::from(TILE_WIDTH);
        loop {
            let (read, _) = self.book.read_entries()?;
            if read >= size {
                return Ok(());
            }
            let end = ((read / width + BUNDLES_AT_ONCE) * width).min(size);
            // An interruption before this is written: the same entries are read again.
            self.book
                .advance(&read_range(tiles, read, end, readable)?)?;
        }
    }

    /// Looks again at entries that could not be read: a newer version may know them.
    fn read_again(&self, tiles: &Tiles<'_>, readable: &dyn Fn(&[u8]) -> bool) -> Result<()> {
        let width = u64::from(TILE_WIDTH);
        for index in self.book.unreadable(MAX_UNREADABLE)?.0 {
            let place = usize::try_from(index % width).unwrap_or_default();
            if tiles
                .bundle(index / width)?
                .get(place)
                .is_some_and(|entry| readable(entry))
            {
                self.book.became_readable(index)?;
            }
        }
        Ok(())
    }

    /// Whether the log has signed anything of late.
    fn check_age(
        &self,
        fetched: Option<&Checkpoint>,
        now: u64,
        max_age: Option<u64>,
        alarms: &mut Vec<Alarm>,
    ) -> Result<()> {
        let latest = self.book.latest()?;
        let signed = match fetched {
            Some(checkpoint) => self.signed_at(checkpoint)?,
            // A log that cannot be asked gets old, too.
            None => latest.map(|latest| self.last_signed_at(&latest)),
        };
        let Some(signed) = signed else { return Ok(()) };
        if signed > now.saturating_add(CLOCK_SLACK_SECONDS) {
            alarms.push(Alarm::FromTheFuture { by: signed - now });
        }
        let age = now.saturating_sub(signed);
        if let Some(max_age) = max_age.filter(|max_age| age > *max_age) {
            alarms.push(Alarm::Stale { age, max_age });
        }
        Ok(())
    }

    /// When a checkpoint was signed, or was seen first if its keys state no time.
    fn signed_at(&self, checkpoint: &Checkpoint) -> Result<Option<u64>> {
        if let Some(time) = checkpoint.timestamp() {
            return Ok(Some(time));
        }
        let seen = self.book.find(checkpoint.size(), checkpoint.root())?;
        Ok(seen.map(|seen| seen.time))
    }

    fn last_signed_at(&self, latest: &Seen) -> u64 {
        let note = UnverifiedCheckpoint::parse(latest.note.as_bytes());
        let checkpoint = note.and_then(|note| self.verify(&note)).ok();
        let time = checkpoint.and_then(|checkpoint| checkpoint.timestamp());
        time.unwrap_or(latest.time)
    }

    /// Writes both checkpoints of a fork to files, for others to verify.
    fn keep_evidence(&self, one: &Seen, other: &Seen) -> Result<Alarm> {
        let write = |seen: &Seen| {
            let root: String = seen
                .root
                .iter()
                .take(8)
                .map(|b| format!("{b:02x}"))
                .collect();
            let name = format!("{}-{root}.checkpoint", seen.size);
            let path = self.dir.join(EVIDENCE).join(name);
            if !path.exists() {
                write_whole(&path, seen.note.as_bytes())
                    .map_err(|reason| Error::io("write", &path, reason))?;
            }
            Ok(path.display().to_string())
        };
        Ok(Alarm::Fork {
            sizes: [one.size, other.size],
            evidence: [write(one)?, write(other)?],
        })
    }
}

/// Reads and judges entries, and puts together the hashes of the tree that they give.
fn read_range(
    tiles: &Tiles<'_>,
    start: u64,
    end: u64,
    readable: &dyn Fn(&[u8]) -> bool,
) -> Result<Progress> {
    let width = u64::from(TILE_WIDTH);
    let mut progress = Progress {
        read: end,
        root: tiles.root_at(end)?.0,
        tiles: Vec::new(),
        unreadable: Vec::new(),
    };
    for tile in Tile::new_tiles(TILE_HEIGHT, start, end) {
        let hashes = if tile.level() == 0 {
            let mut entries = tiles.bundle(tile.level_index())?;
            entries.truncate(width_of(&tile));
            let indices = tile.level_index() * width..;
            let unreadable = indices.zip(&entries).filter(|(_, entry)| !readable(entry));
            let unreadable = unreadable
                .map(|(index, _)| index)
                .filter(|index| *index >= start);
            progress.unreadable.extend(unreadable);
            leaf_hashes(&entries)
        } else {
            let mut hashes = tiles
                .verified_hashes(tile.level(), tile.level_index())?
                .to_vec();
            hashes.truncate(width_of(&tile) * HASH_SIZE);
            hashes
        };
        progress.tiles.push((tile, hashes));
    }
    Ok(progress)
}

/// Writes a file such that it is whole or not there, and lasts.
fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = fs::File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
