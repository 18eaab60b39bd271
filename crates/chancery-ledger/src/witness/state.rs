//! What a witness remembers: for each log the latest checkpoint that it cosigned.
//!
//! A witness that forgets could cosign two histories. So the comparison with what is remembered and
//! the change to it are one transaction, which is on disk before anybody learns of the outcome.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params,
};

use crate::error::{Error, Result};
use crate::lock::commit_durably;

/// How long to wait for another process that is writing to the same database.
const BUSY: Duration = Duration::from_secs(5);

/// Says whose database it is, so that no other is taken for one.
const APPLICATION: i32 = 0x6368_7769;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS latest (
        origin TEXT PRIMARY KEY,
        size INTEGER NOT NULL CHECK (size >= 0),
        root BLOB NOT NULL CHECK (length(root) = 32),
        time INTEGER NOT NULL CHECK (time > 0),
        note TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// The latest checkpoint of a log that a witness cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Latest {
    pub(crate) size: u64,
    pub(crate) root: [u8; 32],
    /// When it was cosigned, in seconds since 1970 UTC.
    pub(crate) time: u64,
    /// The note with the log's signatures and the witness's.
    pub(crate) note: String,
}

/// The database.
#[derive(Debug)]
pub(crate) struct State {
    path: PathBuf,
    database: Mutex<Connection>,
    /// Set by a failed commit and never cleared: what is on disk is not known any more.
    failed: AtomicBool,
}

impl State {
    /// Makes the database of a new witness; one that remembers nothing yet is fine.
    pub(crate) fn create(path: &Path) -> Result<()> {
        let make = || {
            let database = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
            database.execute_batch(SCHEMA)?;
            database.pragma_update(None, "application_id", APPLICATION)?;
            database.query_row("SELECT count(*) FROM latest", [], |row| {
                row.get::<_, i64>(0)
            })
        };
        match make().map_err(|reason| failed("make", path, reason))? {
            0 => Ok(()),
            _ => Err(Error::AlreadyExists {
                file: path.display().to_string(),
            }),
        }
    }

    /// Opens the database, which has to be there: a witness without memory would cosign anything.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = || path.display().to_string();
        if !path.exists() {
            return Err(Error::Missing { file: file() });
        }
        let failed = |reason| failed("open", path, reason);
        let database = connect(path, OpenFlags::empty()).map_err(failed)?;
        let owner = database.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0));
        if owner.map_err(failed)? != APPLICATION {
            let problem = "it is not the database of a witness".to_owned();
            return Err(Error::Damaged {
                file: file(),
                problem,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            database: Mutex::new(database),
            failed: AtomicBool::new(false),
        })
    }

    /// Whether a commit failed, so that nothing is cosigned until a new start.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    /// The latest checkpoint of a log.
    pub(crate) fn latest(&self, origin: &str) -> Result<Option<Latest>> {
        read(&self.database(), origin).map_err(|reason| failed("read", &self.path, reason))
    }

    /// Lets `decide` say what follows on the latest checkpoint, remembers that, and gives what may
    /// then be told.
    ///
    /// INVARIANT: nobody else, in this process or another, writes between the two, and what is told
    /// lasts before it is told.
    pub(crate) fn advance<T, E: From<Error>>(
        &self,
        origin: &str,
        decide: impl FnOnce(Option<&Latest>) -> std::result::Result<(Latest, T), E>,
    ) -> std::result::Result<T, E> {
        if self.has_failed() {
            return Err(Error::Poisoned.into());
        }
        let mut database = self.database();
        let failed = |action| move |reason| failed(action, &self.path, reason);
        // 1. Lock the database against every other writer. A crash up to step 4: nothing happened.
        let transaction = database
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed("lock"))?;
        // 2. Read what is remembered.
        let latest = read(&transaction, origin).map_err(failed("read"))?;
        // 3. Decide; a refusal rolls back.
        let (next, told) = decide(latest.as_ref())?;
        // 4. Write and commit, which syncs. A crash in it: the checkpoint is remembered or not, and
        //    the log was not told. It asks again and is told the size that is remembered.
        let written = write(&transaction, origin, &next).and_then(|()| transaction.commit());
        if let Err(reason) = written {
            // Remembered or not: only what is read from the disk after a new start can tell.
            self.failed.store(true, Ordering::SeqCst);
            return Err(failed("write")(reason).into());
        }
        // 5. Only now the caller gets what it may tell.
        Ok(told)
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        // A panic while it was held rolled the transaction back.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path, create: OpenFlags) -> rusqlite::Result<Connection> {
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, access | create)?;
    database.busy_timeout(BUSY)?;
    commit_durably(&database)?;
    Ok(database)
}

fn read(database: &Connection, origin: &str) -> rusqlite::Result<Option<Latest>> {
    let sql = "SELECT size, root, time, note FROM latest WHERE origin = ?1";
    database
        .query_row(sql, [origin], |row| {
            Ok(Latest {
                size: row.get::<_, i64>(0)?.unsigned_abs(),
                root: row.get(1)?,
                time: row.get::<_, i64>(2)?.unsigned_abs(),
                note: row.get(3)?,
            })
        })
        .optional()
}

fn write(transaction: &Transaction<'_>, origin: &str, next: &Latest) -> rusqlite::Result<()> {
    let sql = "INSERT INTO latest (origin, size, root, time, note) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (origin) DO UPDATE SET
            size = excluded.size, root = excluded.root, time = excluded.time, note = excluded.note";
    // Neither gets near the largest integer of SQLite; one that did would be refused by a CHECK.
    let [size, time] = [next.size, next.time].map(|number| i64::try_from(number).unwrap_or(-1));
    transaction
        .execute(sql, params![origin, size, next.root, time, next.note])
        .map(drop)
}

fn failed(action: &'static str, path: &Path, reason: rusqlite::Error) -> Error {
    Error::Database {
        action,
        file: path.display().to_string(),
        reason,
    }
}
