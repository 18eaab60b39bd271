//! Re-hashes everything, and reports every file that does not fit instead of stopping at the first.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use tlog_tiles::{HASH_SIZE, Tile, record_hash};

use crate::bundle::parse_bundle;
use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::error::{Error, Result};
use crate::keyring::Keyring;
use crate::layout::{
    CHECKPOINT, TILE_WIDTH, VKEY, bundle_of, is_temporary, parse_tile_path, tile_in_tree, tile_path,
};
use crate::ledger::{expect_known, read_locked, read_vkey};
use crate::lock::Lock;
use crate::staged::Staged;
use crate::storage::{Storage, failed, read, read_required};
use crate::tiles::{Tiles, read_hashes, read_tile, rightmost, width_of};

const RESTORE: &str = "restore the file from a copy, which the checkpoint shows to be right; what \
                       can be computed from other files, `fsck --repair` writes";
const RECOVER: &str = "open the ledger for writing (any command that logs does): it finishes the \
                       append; then run fsck again";
const TEMPORARY: &str = "it does no harm; `fsck --repair` removes it";
const UNKNOWN: &str = "move the file away: nothing in the ledger refers to it";
const REPLACED: &str = "if keys were being changed, any command that logs finishes that; otherwise somebody has \
                        put a key there, or replaced the ledger: compare with whoever gave you the keys";
const ROLLED_BACK: &str = "if an older copy was put back, restore the newer one, and compare with a \
                           witness; nothing can be logged until then";
const LOCK_BEHIND: &str = "if an older copy of the lock was put back, compare with a witness, then run \
                           `fsck --repair`";
const FORKED: &str = "keep both checkpoints as evidence, and find out who else has the key";

/// What fsck found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FsckReport {
    /// Everything that is not as it should be, in the order found.
    pub problems: Vec<Problem>,
    /// The number of entries under the checkpoint.
    pub entries: u64,
    /// The number of entries that were read and hash to their leaf.
    pub entries_verified: u64,
    /// The number of entry bundles that were read, without superseded partial ones.
    pub bundles: u64,
    /// The number of tiles that were read, without superseded partial ones.
    pub tiles: u64,
    /// The number of partial tiles and bundles left from smaller sizes, which are fine to have.
    pub superseded: u64,
}

impl FsckReport {
    /// Whether the whole ledger is as the signed checkpoint says.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether all that is wrong is what a crash left of an append: every entry under the signed
    /// checkpoint is right, and the next writer finishes or forgets the rest.
    pub fn is_unfinished(&self) -> bool {
        !self.problems.is_empty()
            && self
                .problems
                .iter()
                .all(|problem| problem.hint == RECOVER || problem.hint == TEMPORARY)
    }
}

/// One file that is not as it should be.
///
/// A damaged tile shows up more than once: against its entries and against the tile above it. The
/// file that all of them name is the damaged one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.file, self.what)
    }
}

/// Checks a whole log: every file against the signed checkpoint, and the checkpoint against the
/// lock, if there is one at hand.
///
/// `keys` are the log's if they are known from elsewhere; without them, those that the log itself
/// publishes are taken. It keeps nobody from writing: an append that is under way may show as one
/// that was cut short.
///
/// # Errors
///
/// [`Error::Missing`] when there is no log at all, [`Error::Io`] when files cannot be read. All else
/// is in the report.
pub fn fsck(
    storage: &dyn Storage,
    keys: Option<&Keyring>,
    lock: Option<&dyn Lock>,
) -> Result<FsckReport> {
    let mut check = Check {
        storage,
        report: FsckReport::default(),
    };
    let keys = check.keys(keys)?;
    let published = check.checkpoint(keys.as_ref())?;
    let unfinished = match (lock, &published, &keys) {
        (Some(lock), Some(published), Some(keys)) => check.lock(lock, published, keys)?,
        _ => None,
    };
    if let Some(checkpoint) = published {
        let size = checkpoint.size();
        check.report.entries = size;
        check.bundles(size)?;
        check.tiles(size)?;
        check.root(&checkpoint)?;
        check.other_files(size, unfinished.unwrap_or(size))?;
    }
    Ok(check.report)
}

struct Check<'a> {
    storage: &'a dyn Storage,
    report: FsckReport,
}

impl Check<'_> {
    fn problem(&mut self, path: &str, what: impl Into<String>, hint: &str) {
        let file = self.storage.locate(path);
        self.report.problems.push(Problem {
            file,
            what: what.into(),
            hint: hint.to_owned(),
        });
    }

    /// Puts damage into the report, and lets through only what prevents checking.
    fn note<T>(&mut self, outcome: Result<T>) -> Result<Option<T>> {
        let (file, what) = match outcome {
            Ok(value) => return Ok(Some(value)),
            Err(Error::Damaged { file, problem }) => (file, problem),
            Err(Error::Missing { file }) => (file, "it is missing".to_owned()),
            Err(other) => return Err(other),
        };
        self.report.problems.push(Problem {
            file,
            what,
            hint: RESTORE.to_owned(),
        });
        Ok(None)
    }

    /// The keys to verify with: the caller's rather than the log's own.
    fn keys(&mut self, expected: Option<&Keyring>) -> Result<Option<Keyring>> {
        let outcome = read_vkey(self.storage);
        let found = self.note(outcome)?;
        if let (Some(found), Some(expected)) = (&found, expected)
            && let Err(problem) = expect_known(expected, found, self.storage)
        {
            self.problem(VKEY, problem.to_string(), REPLACED);
        }
        Ok(expected.cloned().or(found))
    }

    /// Reports a bad signature, and yet goes on with the size, to find what else is wrong.
    fn checkpoint(&mut self, keys: Option<&Keyring>) -> Result<Option<UnverifiedCheckpoint>> {
        let note = read_required(self.storage, CHECKPOINT)?;
        let parsed = match UnverifiedCheckpoint::parse(&note) {
            Ok(parsed) => parsed,
            Err(problem) => {
                self.problem(CHECKPOINT, problem.to_string(), RESTORE);
                return Ok(None);
            }
        };
        if let Some(keys) = keys
            && let Err(problem) = keys.verify_current(parsed.clone())
        {
            self.problem(CHECKPOINT, problem.to_string(), RESTORE);
        }
        Ok(Some(parsed))
    }

    /// The published checkpoint against the one that was signed last; gives back the size that an
    /// unfinished append leads to.
    fn lock(
        &mut self,
        lock: &dyn Lock,
        published: &UnverifiedCheckpoint,
        keys: &Keyring,
    ) -> Result<Option<u64>> {
        let locked = match read_locked(lock, keys) {
            Ok(locked) => locked,
            Err(problem @ (Error::Damaged { .. } | Error::LockMissing { .. })) => {
                self.report.problems.push(Problem {
                    file: lock.locate(),
                    what: problem.to_string(),
                    hint: problem.hint().unwrap_or(RESTORE).to_owned(),
                });
                return Ok(None);
            }
            Err(other) => return Err(other),
        };
        let (here, there) = (published.size(), locked.size());
        let what = format!("{here} entries are published, and {there} were signed");
        match here.cmp(&there) {
            Ordering::Equal if published.root() == locked.root() => {}
            Ordering::Equal => {
                self.problem(CHECKPOINT, "another tree of this size was signed", FORKED);
            }
            Ordering::Greater => self.report.problems.push(Problem {
                file: lock.locate(),
                what,
                hint: LOCK_BEHIND.to_owned(),
            }),
            Ordering::Less if leads(lock, published, &locked)? => {
                self.problem(CHECKPOINT, "an append was cut short", RECOVER);
                return Ok(Some(there));
            }
            Ordering::Less => self.problem(CHECKPOINT, what, ROLLED_BACK),
        }
        Ok(None)
    }

    /// Every entry against the leaf hash in its level-0 tile.
    fn bundles(&mut self, size: u64) -> Result<()> {
        for number in 0.. {
            let Some(tile) = tile_in_tree(size, 0, number) else {
                break;
            };
            let bundle = read_tile(self.storage, &bundle_of(&tile));
            let Some((file, content)) = self.note(bundle)? else {
                continue;
            };
            self.report.bundles += 1;
            // The tile's own absence is reported with the tiles.
            if let Ok(leaves) = read_hashes(self.storage, &tile) {
                self.bundle(&file, &content, &tile, &leaves);
            }
        }
        Ok(())
    }

    fn bundle(&mut self, file: &str, content: &[u8], tile: &Tile, leaves: &[u8]) {
        let entries = match parse_bundle(content) {
            Ok(entries) => entries,
            Err(problem) => return self.problem(file, problem.to_string(), RESTORE),
        };
        let is_own = file == tile_path(&bundle_of(tile));
        if entries.len() < width_of(tile) || is_own && entries.len() > width_of(tile) {
            let what = format!("it has {} entries, not {}", entries.len(), tile.width());
            self.problem(file, what, RESTORE);
        }
        let first = tile.level_index() * u64::from(TILE_WIDTH);
        for ((index, entry), leaf) in (first..).zip(entries).zip(leaves.chunks_exact(HASH_SIZE)) {
            if record_hash(entry).0 == leaf {
                self.report.entries_verified += 1;
            } else {
                let leaves = self.storage.locate(&tile_path(tile));
                let what = format!("entry {index} does not hash to its leaf in `{leaves}`");
                self.problem(file, what, RESTORE);
            }
        }
    }

    /// Every full tile of every level against its one hash in the tile above it.
    fn tiles(&mut self, size: u64) -> Result<()> {
        for level in 0.. {
            if rightmost(size, level).is_none() {
                break;
            }
            let mut above = Above::default();
            for number in 0.. {
                let Some(tile) = tile_in_tree(size, level, number) else {
                    break;
                };
                let hashes = read_hashes(self.storage, &tile);
                let Some(hashes) = self.note(hashes)? else {
                    continue;
                };
                self.report.tiles += 1;
                if tile.width() == TILE_WIDTH {
                    self.full_tile(size, &tile, &hashes, &mut above);
                }
            }
        }
        Ok(())
    }

    fn full_tile(&mut self, size: u64, tile: &Tile, hashes: &[u8], above: &mut Above) {
        let width = u64::from(TILE_WIDTH);
        let number = tile.level_index() / width;
        let Some(parent) = tile_in_tree(size, tile.level() + 1, number) else {
            return;
        };
        // A missing parent is reported on its own level.
        let Some(row) = above.read(self.storage, &parent) else {
            return;
        };
        let place = usize::try_from(tile.level_index() % width).unwrap_or_default();
        let wanted = row.chunks_exact(HASH_SIZE).nth(place);
        if wanted != Some(Tile::subtree_hash(hashes).0.as_slice()) {
            let parent = self.storage.locate(&tile_path(&parent));
            let what = format!("it does not hash to its place in `{parent}`");
            self.problem(&tile_path(tile), what, RESTORE);
        }
    }

    /// The right edge against the root.
    fn root(&mut self, checkpoint: &UnverifiedCheckpoint) -> Result<()> {
        match Tiles::open(self.storage, checkpoint.size(), checkpoint.root()) {
            // Missing tiles are in the report already.
            Ok(_) | Err(Error::Missing { .. }) => Ok(()),
            Err(error) => self.note::<()>(Err(error)).map(drop),
        }
    }

    /// What else is in the folder: older partial tiles are fine, anything unknown is not.
    fn other_files(&mut self, size: u64, unfinished: u64) -> Result<()> {
        let files = self.storage.list("");
        let files = files.map_err(|reason| failed(self.storage, "list", "", reason))?;
        for path in files {
            let Some(tile) = parse_tile_path(&path) else {
                if is_temporary(&path) {
                    self.problem(&path, "a temporary file was left by a crash", TEMPORARY);
                } else if path != CHECKPOINT && path != VKEY {
                    self.problem(&path, "it is no tile and no entry bundle", UNKNOWN);
                }
                continue;
            };
            match tile_in_tree(size, tile.level(), tile.level_index()) {
                Some(current) if tile.width() < current.width() => {
                    self.superseded(&path, &current, tile.is_data())?;
                }
                Some(current) if tile.width() == current.width() => {}
                _ => {
                    // An append writes its tiles before the checkpoint that covers them.
                    let expected = tile_in_tree(unfinished, tile.level(), tile.level_index());
                    let hint = match expected {
                        Some(later) if tile.width() <= later.width() => RECOVER,
                        _ => ROLLED_BACK,
                    };
                    self.problem(&path, format!("it is beyond the {size} entries"), hint);
                }
            }
        }
        Ok(())
    }

    /// A partial tile of a smaller size has to be the beginning of the present one.
    fn superseded(&mut self, path: &str, current: &Tile, is_bundle: bool) -> Result<()> {
        self.report.superseded += 1;
        let current = if is_bundle {
            bundle_of(current)
        } else {
            *current
        };
        let Some(older) = read(self.storage, path)? else {
            return Ok(());
        };
        // The present one's absence is reported already.
        let Ok((file, newer)) = read_tile(self.storage, &current) else {
            return Ok(());
        };
        let has_width = parse_tile_path(path).is_some_and(|tile| {
            let count = if is_bundle {
                parse_bundle(&older).map_or(0, |entries| entries.len())
            } else {
                older.len() / HASH_SIZE
            };
            count == width_of(&tile) && (is_bundle || older.len() % HASH_SIZE == 0)
        });
        if !has_width || !newer.starts_with(&older) {
            let file = self.storage.locate(&file);
            self.problem(
                path,
                format!("it is not the beginning of `{file}`"),
                UNKNOWN,
            );
        }
        Ok(())
    }
}

/// Whether the staged append leads from the published checkpoint to the locked one.
fn leads(lock: &dyn Lock, published: &UnverifiedCheckpoint, locked: &Checkpoint) -> Result<bool> {
    let Some(staged) = lock.load()?.staged else {
        return Ok(false);
    };
    Ok(Staged::parse(&staged).is_ok_and(|staged| {
        (staged.old_size, staged.old_root.0) == (published.size(), published.root())
            && (staged.new_size, staged.new_root.0) == (locked.size(), locked.root())
    }))
}

/// The tile above a run of tiles, read once for all 256 of them.
#[derive(Default)]
struct Above(BTreeMap<u64, Option<Vec<u8>>>);

impl Above {
    fn read(&mut self, storage: &dyn Storage, tile: &Tile) -> Option<&[u8]> {
        let number = tile.level_index();
        self.0.retain(|kept, _| *kept == number);
        self.0
            .entry(number)
            .or_insert_with(|| read_hashes(storage, tile).ok())
            .as_deref()
    }
}
