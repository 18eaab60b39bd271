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

mod round_trips;

mod page;

use chancery_ledger::LogKeys;

/// The keys of most tests.
fn key() -> LogKeys {
    LogKeys::generate("agency.example/ledger", &[7; 32]).unwrap()
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
