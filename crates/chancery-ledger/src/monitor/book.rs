//! What a monitor keeps: every checkpoint that the log signed and it saw, and the log's hashes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tlog_tiles::{HASH_SIZE, Hash, Tile};

use crate::checkpoint::UnverifiedCheckpoint;
use crate::error::{Error, Result};
use crate::layout::parse_tile_path;
use crate::lock::commit_durably;
use crate::storage::Storage;
use crate::tiles::width_of;

/// A second monitor on one book has to wait, and is refused.
const BUSY: Duration = Duration::from_secs(1);

/// Says whose database it is, so that no other is taken for one.
const APPLICATION: i32 = 0x6368_6d6f;

const SCHEMA: &str = "
    -- Tree heads under the log's signature. Nothing is ever removed.
    CREATE TABLE IF NOT EXISTS seen (
        size INTEGER NOT NULL,
        root BLOB NOT NULL CHECK (length(root) = 32),
        note TEXT NOT NULL,
        -- When it was seen first.
        time INTEGER NOT NULL,
        -- Whether every other one that is so continues it, or is continued by it.
        is_consistent INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (size, root)
    ) STRICT, WITHOUT ROWID;
    -- Pairs that contradict each other.
    CREATE TABLE IF NOT EXISTS fork (
        size INTEGER NOT NULL,
        root BLOB NOT NULL,
        other_size INTEGER NOT NULL,
        other_root BLOB NOT NULL,
        PRIMARY KEY (size, root, other_size, other_root)
    ) STRICT, WITHOUT ROWID;
    -- The hashes of the tree over the entries that were read.
    CREATE TABLE IF NOT EXISTS tile (
        level INTEGER NOT NULL,
        number INTEGER NOT NULL,
        hashes BLOB NOT NULL,
        PRIMARY KEY (level, number)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS entries (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        read INTEGER NOT NULL,
        root BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS unreadable (entry INTEGER PRIMARY KEY) STRICT;";

/// A tree head that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) root: [u8; 32],
    pub(super) note: String,
    pub(super) time: u64,
}

/// Entries that were read, to be written at once with the tree that they give.
pub(super) struct Progress {
    pub(super) read: u64,
    pub(super) root: [u8; 32],
    pub(super) tiles: Vec<(Tile, Vec<u8>)>,
    pub(super) unreadable: Vec<u64>,
}

/// The database.
#[derive(Debug)]
pub(super) struct Book {
    path: PathBuf,
    database: Mutex<Connection>,
}

impl Book {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |reason| failed("open", path, reason);
        let database = connect(path).map_err(failed)?;
        let owner = database.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0));
        match owner.map_err(failed)? {
            APPLICATION => {}
            0 => database
                .execute_batch(SCHEMA)
                .and_then(|()| database.pragma_update(None, "application_id", APPLICATION))
                .map_err(failed)?,
            _ => {
                let problem = "it is not the database of a monitor".to_owned();
                let file = path.display().to_string();
                return Err(Error::Damaged { file, problem });
            }
        }
        Ok(Self {
            path: path.to_owned(),
            database: Mutex::new(database),
        })
    }

    /// Keeps a tree head that the log signed; of one that is known, the newest note.
    pub(super) fn keep(&self, seen: &UnverifiedCheckpoint, now: u64) -> Result<()> {
        let sql = "INSERT INTO seen (size, root, note, time) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (size, root) DO UPDATE SET note = excluded.note";
        let values = params![
            integer(seen.size()),
            seen.root(),
            seen.as_str(),
            integer(now)
        ];
        self.write(|database| database.execute(sql, values).map(drop))
    }

    /// The largest tree that continues all others found consistent.
    pub(super) fn latest(&self) -> Result<Option<Seen>> {
        let sql = "SELECT size, root, note, time FROM seen WHERE is_consistent ORDER BY size DESC";
        self.read(|database| database.query_row(sql, [], seen).optional())
    }

    /// A tree head that was seen.
    pub(super) fn find(&self, size: u64, root: [u8; 32]) -> Result<Option<Seen>> {
        let sql = "SELECT size, root, note, time FROM seen WHERE size = ?1 AND root = ?2";
        self.read(|database| {
            let found = database.query_row(sql, params![integer(size), root], seen);
            found.optional()
        })
    }

    /// What has not been compared with a tree of `size`, as far as the tree can tell: all that is
    /// not known to be consistent or forked.
    pub(super) fn to_compare(&self, size: u64) -> Result<Vec<Seen>> {
        let sql = "SELECT size, root, note, time FROM seen WHERE size <= ?1 AND NOT is_consistent
            AND NOT EXISTS (SELECT 1 FROM fork WHERE
                (fork.size, fork.root) = (seen.size, seen.root)
                OR (other_size, other_root) = (seen.size, seen.root))
            ORDER BY size";
        self.read(|database| {
            let mut statement = database.prepare(sql)?;
            statement.query_map([integer(size)], seen)?.collect()
        })
    }

    /// Tree heads of one size with different roots.
    pub(super) fn contradictions(&self) -> Result<Vec<(Seen, Seen)>> {
        let sql = "SELECT a.size, a.root, a.note, a.time, b.size, b.root, b.note, b.time
            FROM seen a JOIN seen b ON a.size = b.size AND a.root < b.root";
        self.pairs(sql)
    }

    /// The forks that were ever found.
    pub(super) fn forks(&self) -> Result<Vec<(Seen, Seen)>> {
        let sql = "SELECT a.size, a.root, a.note, a.time, b.size, b.root, b.note, b.time
            FROM fork
            JOIN seen a ON (a.size, a.root) = (fork.size, fork.root)
            JOIN seen b ON (b.size, b.root) = (other_size, other_root)";
        self.pairs(sql)
    }

    pub(super) fn add_fork(&self, one: &Seen, other: &Seen) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO fork VALUES (?1, ?2, ?3, ?4)";
        let (first, second) = if (one.size, one.root) <= (other.size, other.root) {
            (one, other)
        } else {
            (other, one)
        };
        let sizes = [first, second].map(|seen| integer(seen.size));
        let values = params![sizes.first(), first.root, sizes.last(), second.root];
        self.write(|database| database.execute(sql, values).map(drop))
    }

    pub(super) fn mark_consistent(&self, size: u64, root: [u8; 32]) -> Result<()> {
        let sql = "UPDATE seen SET is_consistent = 1 WHERE size = ?1 AND root = ?2";
        let values = params![integer(size), root];
        self.write(|database| database.execute(sql, values).map(drop))
    }

    /// How many entries were read, and the root over them.
    pub(super) fn read_entries(&self) -> Result<(u64, [u8; 32])> {
        let sql = "SELECT read, root FROM entries";
        let read = self.read(|database| {
            let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?));
            database.query_row(sql, [], row).optional()
        })?;
        Ok(read.unwrap_or((0, tlog_tiles::EMPTY_HASH.0)))
    }

    /// Writes what was read, all or nothing.
    pub(super) fn advance(&self, progress: &Progress) -> Result<()> {
        let tile = "INSERT OR REPLACE INTO tile (level, number, hashes) VALUES (?1, ?2, ?3)";
        let unreadable = "INSERT OR IGNORE INTO unreadable (entry) VALUES (?1)";
        let entries = "INSERT OR REPLACE INTO entries (id, read, root) VALUES (0, ?1, ?2)";
        self.write(|database| {
            let transaction = database.transaction()?;
            for (place, hashes) in &progress.tiles {
                let values = params![place.level(), integer(place.level_index()), hashes];
                transaction.execute(tile, values)?;
            }
            for entry in &progress.unreadable {
                transaction.execute(unreadable, [integer(*entry)])?;
            }
            transaction.execute(entries, params![integer(progress.read), progress.root])?;
            transaction.commit()
        })
    }

    /// The first entries that could not be read, and how many there are.
    pub(super) fn unreadable(&self, limit: u32) -> Result<(Vec<u64>, u64)> {
        let first = "SELECT entry FROM unreadable ORDER BY entry LIMIT ?1";
        self.read(|database| {
            let mut statement = database.prepare(first)?;
            let entry = |row: &Row<'_>| Ok(row.get::<_, i64>(0)?.unsigned_abs());
            let entries: rusqlite::Result<_> = statement.query_map([limit], entry)?.collect();
            let count = "SELECT count(*) FROM unreadable";
            let count: i64 = database.query_row(count, [], |row| row.get(0))?;
            Ok((entries?, count.unsigned_abs()))
        })
    }

    /// An entry that could not be read can be read now.
    pub(super) fn became_readable(&self, entry: u64) -> Result<()> {
        let sql = "DELETE FROM unreadable WHERE entry = ?1";
        self.write(|database| database.execute(sql, [integer(entry)]).map(drop))
    }

    fn pairs(&self, sql: &str) -> Result<Vec<(Seen, Seen)>> {
        self.read(|database| {
            let mut statement = database.prepare(sql)?;
            let pair = |row: &Row<'_>| Ok((seen_at(row, 0)?, seen_at(row, 4)?));
            statement.query_map([], pair)?.collect()
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        read(&self.database()).map_err(|reason| failed("read", &self.path, reason))
    }

    fn write(&self, write: impl FnOnce(&mut Connection) -> rusqlite::Result<()>) -> Result<()> {
        write(&mut self.database()).map_err(|reason| failed("write", &self.path, reason))
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        // A panic while it was held rolled any transaction back.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hashes(&self, tile: &Tile) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT hashes FROM tile WHERE level = ?1 AND number = ?2";
        let place = params![tile.level(), integer(tile.level_index())];
        self.read(|database| database.query_row(sql, place, |row| row.get(0)).optional())
    }
}

/// The tiles, as the log serves them: of the tree over the entries that were read, or a smaller one.
impl Storage for Book {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(tile) = parse_tile_path(path).filter(|tile| !tile.is_data()) else {
            return Ok(None);
        };
        let mut hashes = match self.hashes(&tile).map_err(io::Error::other)? {
            Some(hashes) if hashes.len() >= width_of(&tile) * HASH_SIZE => hashes,
            _ => return Ok(None),
        };
        hashes.truncate(width_of(&tile) * HASH_SIZE);
        Ok(Some(hashes))
    }

    fn list(&self, _: &str) -> io::Result<Vec<String>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn create(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn replace(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn locate(&self, path: &str) -> String {
        format!("{}: {path}", self.path.display())
    }
}

/// The hashes of the leaves of a bundle.
pub(super) fn leaf_hashes(entries: &[Vec<u8>]) -> Vec<u8> {
    let hashes = entries.iter().map(|entry| tlog_tiles::record_hash(entry));
    hashes.flat_map(|Hash(hash)| hash).collect()
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let database = Connection::open(path)?;
    database.busy_timeout(BUSY)?;
    database.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    commit_durably(&database)?;
    Ok(database)
}

fn seen(row: &Row<'_>) -> rusqlite::Result<Seen> {
    seen_at(row, 0)
}

fn seen_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Seen> {
    Ok(Seen {
        size: row.get::<_, i64>(column)?.unsigned_abs(),
        root: row.get(column + 1)?,
        note: row.get(column + 2)?,
        time: row.get::<_, i64>(column + 3)?.unsigned_abs(),
    })
}

/// No size, time or tile number gets near the largest integer of `SQLite`.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn failed(action: &'static str, path: &Path, reason: rusqlite::Error) -> Error {
    Error::Database {
        action,
        file: path.display().to_string(),
        reason,
    }
}
