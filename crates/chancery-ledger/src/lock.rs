//! What the log has decided: the one place where a checkpoint counts as signed.
//!
//! Two checkpoints of one size and different roots would be a fork, which no later repair undoes. So
//! every checkpoint is first put here, in exchange for the one before it, and only then anywhere
//! else. The lock is kept apart from the published files: a backup of them that is put back does not
//! put back the lock, and is found out.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use crate::error::{Error, Result};

/// What a lock holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locked {
    /// The latest signed checkpoint, as a note; `None` before the log was made.
    pub checkpoint: Option<String>,
    /// The latest staged append, whether or not a checkpoint was signed for it.
    pub staged: Option<Vec<u8>>,
}

/// Keeps the latest signed checkpoint, and the append that leads to it until its files are written.
pub trait Lock: Send {
    /// What was put here last.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] when it cannot be read.
    fn load(&self) -> Result<Locked>;

    /// Puts a staged append here, in place of the one before it. It lasts once this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] when it may not last.
    fn stage(&self, staged: &[u8]) -> Result<()>;

    /// Puts a checkpoint here if `old` is the one that is here now. It lasts once this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when another one is here; [`Error::Database`] when it may not last.
    fn swap(&self, old: Option<&str>, new: &str) -> Result<()>;

    /// Where it is kept, as a message should show it.
    fn locate(&self) -> String;
}

/// A lock in an `SQLite` database, with a lock file beside it that lets in one writer.
#[derive(Debug)]
pub struct SqliteLock {
    path: PathBuf,
    database: Connection,
    /// Held for its lock, which the operating system drops with the process.
    _writer: Option<File>,
}

/// How often the writer's lock is asked for: a process that is just ending may still hold it, or one
/// that another thread has just begun to start.
const ATTEMPTS: u32 = 10;
const BETWEEN_ATTEMPTS: std::time::Duration = std::time::Duration::from_millis(20);

/// One row: the columns are NULL until they are first written.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS log (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        checkpoint TEXT,
        staged BLOB
    ) STRICT;
    INSERT OR IGNORE INTO log (id) VALUES (0);";

impl SqliteLock {
    /// Makes a lock for a new log, or opens the lock of one whose making was cut short.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when another process holds it, [`Error::Database`] when it cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let writer = lone_writer(path)?;
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        // SQLite gives its journal the same permissions.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(path)
            .and_then(|file| file.sync_all())
            .map_err(|reason| Error::io("create", path, reason))?;
        let database = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        database
            .execute_batch(SCHEMA)
            .map_err(|reason| failed("make", path, reason))?;
        sync_folder(path).map_err(|reason| Error::io("sync the folder of", path, reason))?;
        Ok(Self {
            path: path.to_owned(),
            database,
            _writer: Some(writer),
        })
    }

    /// Opens the lock for the one writer.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when it is not there: without it nobody can tell whether a later
    /// checkpoint was signed. [`Error::Busy`] when another process holds it.
    pub fn open(path: &Path) -> Result<Self> {
        require(path)?;
        let writer = lone_writer(path)?;
        Ok(Self {
            path: path.to_owned(),
            database: connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?,
            _writer: Some(writer),
        })
    }

    /// Opens the lock to look at it, while somebody else may be writing.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when it is not there.
    pub fn for_reading(path: &Path) -> Result<Self> {
        require(path)?;
        let reader = |database| Self {
            path: path.to_owned(),
            database,
            _writer: None,
        };
        // A reader of a write-ahead log may have to write its index.
        let lock = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY))
            .map(reader)?;
        // It cannot on a disk that is read-only, and need not where there is no such log.
        if lock.load().is_err() && !has_journal(path) {
            return connect_unchanging(path).map(reader);
        }
        Ok(lock)
    }

    fn changed(&self, action: &'static str, changed: rusqlite::Result<usize>) -> Result<usize> {
        changed.map_err(|reason| failed(action, &self.path, reason))
    }
}

impl Lock for SqliteLock {
    fn load(&self) -> Result<Locked> {
        self.database
            .query_row(
                "SELECT checkpoint, staged FROM log WHERE id = 0",
                [],
                |row| {
                    Ok(Locked {
                        checkpoint: row.get(0)?,
                        staged: row.get(1)?,
                    })
                },
            )
            .optional()
            .map(Option::unwrap_or_default)
            .map_err(|reason| failed("read", &self.path, reason))
    }

    fn stage(&self, staged: &[u8]) -> Result<()> {
        let sql = "UPDATE log SET staged = ?1 WHERE id = 0";
        match self.changed("write", self.database.execute(sql, [staged]))? {
            1 => Ok(()),
            _ => Err(Error::Damaged {
                file: self.locate(),
                problem: "it has no row".to_owned(),
            }),
        }
    }

    fn swap(&self, old: Option<&str>, new: &str) -> Result<()> {
        let sql = "UPDATE log SET checkpoint = ?2 WHERE id = 0 AND checkpoint IS ?1";
        match self.changed("write", self.database.execute(sql, params![old, new]))? {
            1 => Ok(()),
            _ => Err(Error::Conflict {
                file: self.locate(),
            }),
        }
    }

    fn locate(&self) -> String {
        self.path.display().to_string()
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let database = Connection::open_with_flags(path, flags)?;
        database.busy_timeout(std::time::Duration::from_secs(5))?;
        if access == OpenFlags::SQLITE_OPEN_READ_WRITE {
            commit_durably(&database)?;
        }
        Ok(database)
    };
    open().map_err(|reason| failed("open", path, reason))
}

/// Sees to it that a commit is on disk before it is reported: that takes FULL, as NORMAL may lose
/// the last ones.
pub(crate) fn commit_durably(database: &Connection) -> rusqlite::Result<()> {
    let mode: String =
        database.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    // Told in no other way; and with the journal of before, a power cut could take back a commit.
    if mode != "wal" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR);
        let problem = "its write-ahead log cannot be made".to_owned();
        return Err(rusqlite::Error::SqliteFailure(code, Some(problem)));
    }
    database.pragma_update(None, "synchronous", "FULL")
}

/// Opens a database that nobody changes, not even to look at it.
fn connect_unchanging(path: &Path) -> Result<Connection> {
    let name = path.display().to_string();
    let name = name
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
        .map_err(|reason| failed("open", path, reason))
}

/// Whether there is a write-ahead log that the database is not to be read without.
fn has_journal(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    fs::metadata(&name).map_or_else(
        |reason| reason.kind() != io::ErrorKind::NotFound,
        |journal| journal.len() > 0,
    )
}

/// Takes the writer's lock, which is a file of its own: `SQLite` has uses of its own for its files.
fn lone_writer(path: &Path) -> Result<File> {
    let name = path.with_extension("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|reason| Error::io("open", &name, reason))?;
    for _ in 0..ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_ATTEMPTS),
            Err(fs::TryLockError::Error(reason)) => return Err(Error::io("lock", &name, reason)),
        }
    }
    Err(Error::Busy {
        file: name.display().to_string(),
    })
}

fn require(path: &Path) -> Result<()> {
    match path.try_exists() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::LockMissing {
            file: path.display().to_string(),
        }),
        Err(reason) => Err(Error::io("read", path, reason)),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn failed(action: &'static str, path: &Path, reason: rusqlite::Error) -> Error {
    Error::Database {
        action,
        file: path.display().to_string(),
        reason,
    }
}
