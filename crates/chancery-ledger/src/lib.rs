//! A tamper-evident ledger: a transparency log of opaque entries in a local folder.
//!
//! Whoever keeps a copy of a checkpoint can later show that an entry was removed, changed or
//! slipped in, and whoever keeps a receipt can show that an entry is in the ledger, offline and
//! without this crate: the formats are those of [tlog-tiles], [tlog-checkpoint], [signed-note] and
//! [tlog-proof], with SHA-256 trees as in RFC 6962, so stock tools check them.
//!
//! Read the modules in this order: a key signs checkpoints; proofs lead from an entry to a
//! checkpoint; bundles and tiles keep entries and hashes on disk; [`Ledger::append`] adds to them
//! and [`Ledger::open`] recovers; [`LedgerReader`] reads; [`fsck`] re-hashes everything.
//!
//! # Example
//!
//! ```
//! use chancery_ledger::{Error, Ledger, LedgerReader, LogKeys, fsck, verify_proof};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let dir = folder.path().join("ledger");
//! # let dir = dir.as_path();
//! let key = LogKeys::generate("agency.example/ledger", &[7; 32])?;
//! Ledger::create(dir, &key)?;
//! let mut ledger = Ledger::open(dir, &key)?;
//! let receipt = ledger.append(b"released: 3 tables to hhs/oig")?;
//!
//! // Years later, with the receipt and the public key alone:
//! let shown = verify_proof(receipt.proof(), b"released: 3 tables to hhs/oig", &key.keyring())?;
//! assert_eq!((shown.index, shown.tree_size), (0, 1));
//!
//! // The same receipt shows nothing about any other entry.
//! let other = verify_proof(receipt.proof(), b"released: 2 tables to hhs/oig", &key.keyring());
//! assert!(matches!(other, Err(Error::NotProven { .. })));
//!
//! assert_eq!(LedgerReader::open(dir)?.entry(0)?, b"released: 3 tables to hhs/oig");
//! assert!(fsck(dir, Some(&key.keyring()))?.is_sound());
//! # Ok::<(), Error>(())
//! ```
//!
//! # What is borrowed and what is not
//!
//! `signed_note` parses, signs and verifies notes, and `tlog_tiles` computes tile coordinates,
//! roots and proofs; both are ports of Go's `x/mod`. Own code stands in where they do not fit:
//!
//! - reading tiles (`tiles`), as `tlog_tiles::TileHashReader` leaves some full tiles unverified
//!   and its errors cannot name a file;
//! - the C2SP file names (`layout`), as `tlog_tiles` prints Go's older ones;
//! - the proof text and entry bundles, which neither has.
//!
//! # What it does not do
//!
//! It reads no clock, asks no witness and cannot tell that the whole folder was put back to an
//! older copy: that takes someone else who has seen a newer checkpoint.
//!
//! [tlog-tiles]: https://c2sp.org/tlog-tiles
//! [tlog-checkpoint]: https://c2sp.org/tlog-checkpoint
//! [signed-note]: https://c2sp.org/signed-note
//! [tlog-proof]: https://c2sp.org/tlog-proof

// In reading order. The blank lines keep rustfmt from sorting it.

// What is signed and shown.
mod key;

pub mod keyfile;

mod keyring;

mod checkpoint;

mod cosignature;

mod policy;

mod proof;

// What is on disk.
mod bundle;
mod layout;
mod storage;

#[cfg(feature = "s3")]
mod s3;

mod tiles;

// What is decided, and how the log grows.
mod lock;

mod growth;
mod staged;

mod cosigner;

mod ledger;

mod appender;

// How it is read and checked.
mod web;

mod source;

mod reader;

mod fsck;
mod repair;

// Who watches it.
pub mod witness;

pub mod monitor;

mod error;

pub use crate::appender::{Appender, Writer};
pub use crate::bundle::{parse_bundle, write_bundle};
pub use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
pub use crate::cosignature::{cosign, verify_cosignature};
pub use crate::cosigner::Cosigner;
pub use crate::error::{Error, Result};
pub use crate::fsck::{FsckReport, Problem, fsck};
pub use crate::key::{Algorithm, SigningKey, VerifierKey};
pub use crate::keyring::{Keyring, LogKeys, Trust};
pub use crate::ledger::{Ledger, Parts, Receipt};
pub use crate::lock::{Lock, Locked, SqliteLock};
pub use crate::policy::{Policy, PolicyLog, PolicyWitness};
pub use crate::proof::{InclusionProof, VerifiedInclusion, verify_consistency, verify_proof};
pub use crate::reader::{Entries, LedgerReader};
pub use crate::repair::{Repair, repair};
#[cfg(feature = "s3")]
pub use crate::s3::{S3, S3Options};
pub use crate::source::Source;
pub use crate::storage::{FileSystem, Folder, Os, Storage};
