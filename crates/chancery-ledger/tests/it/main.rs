//! One binary, one module per promise that the ledger makes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy.toml allows these in test functions; here the helpers are tests too"
)]

// What the others stand on: disks that fail, and the tree by the definition.
mod disk;
mod oracle;

mod keys;

mod keyring;

mod keyfile;

mod policy;

mod notes;

mod tree;

mod proofs;

mod opening;

mod damage;

mod faults;

mod simulation;

mod cosigned;

mod round_trips;

// Who watches the log.
mod child;
mod quorum;
mod witness;

mod monitor;

// Strangers: other implementations, and what they publish.
mod go;
mod page;
#[cfg(feature = "s3")]
mod s3;
mod vectors;

use std::path::Path;
use std::sync::LazyLock;

use chancery_ledger::{
    Error, Folder, FsckReport, Keyring, Ledger, LedgerReader, LogKeys, Parts, SqliteLock, fsck,
};

use crate::disk::Disk;

/// What most tests sign with.
fn keys() -> LogKeys {
    static KEYS: LazyLock<LogKeys> =
        LazyLock::new(|| LogKeys::generate("agency.example/ledger", &[7; 32]).unwrap());
    KEYS.clone()
}

fn keyring() -> Keyring {
    static KEYRING: LazyLock<Keyring> = LazyLock::new(|| keys().keyring());
    KEYRING.clone()
}

/// A clock that stands still, as it must not matter.
const NOW: u64 = 1_800_000_000;

/// A writer's parts on a disk in memory.
fn parts(disk: &Disk) -> Parts {
    Parts {
        storage: Box::new(disk.folder()),
        lock: Box::new(disk.clone()),
        keys: keys(),
        known: keyring(),
        cosigner: None,
        clock: Box::new(|| NOW),
    }
}

/// Makes an empty log on a disk in memory.
fn create(disk: &Disk) -> Result<Ledger, Error> {
    Ledger::create(parts(disk))
}

/// Opens the log on a disk in memory.
fn open(disk: &Disk) -> Result<Ledger, Error> {
    Ledger::open(parts(disk))
}

/// Reads the log on a disk in memory.
fn reader(disk: &Disk) -> LedgerReader {
    LedgerReader::open_with(Box::new(disk.folder()), &keyring()).unwrap()
}

/// Checks the log on a disk in memory.
fn check(disk: &Disk) -> FsckReport {
    fsck(&disk.folder(), Some(&keyring()), Some(disk)).unwrap()
}

/// A writer's parts in a folder: the log below `ledger`, its lock beside it.
fn folder_parts(dir: &Path, lock: SqliteLock) -> Parts {
    Parts {
        storage: Box::new(Folder::new(dir.join("ledger"))),
        lock: Box::new(lock),
        keys: keys(),
        known: keyring(),
        cosigner: None,
        clock: Box::new(|| NOW),
    }
}

/// Makes a log in a folder.
fn create_in(dir: &Path) -> Result<Ledger, Error> {
    Ledger::create(folder_parts(
        dir,
        SqliteLock::create(&dir.join("lock.sqlite"))?,
    ))
}

/// Opens the log in a folder.
fn open_in(dir: &Path) -> Result<Ledger, Error> {
    Ledger::open(folder_parts(
        dir,
        SqliteLock::open(&dir.join("lock.sqlite"))?,
    ))
}

/// A short entry that differs from every other.
fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// The entries of a range.
fn entries(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(entry).collect()
}

/// Borrows entries in the form that a batch takes.
fn slices(entries: &[Vec<u8>]) -> Vec<&[u8]> {
    entries.iter().map(Vec::as_slice).collect()
}
