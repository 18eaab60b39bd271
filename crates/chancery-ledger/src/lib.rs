//! A tamper-evident ledger: a transparency log of opaque entries, in a folder or a bucket.
//!
//! Whoever keeps a copy of a checkpoint can later show that an entry was removed, changed or
//! slipped in, and whoever keeps a receipt can show that an entry is in the log, offline and
//! without this crate: the formats are those of [tlog-tiles], [tlog-checkpoint], [signed-note],
//! [tlog-cosignature], [tlog-witness], [tlog-policy] and [tlog-proof], with SHA-256 trees as in
//! RFC 6962, so stock tools check them.
//!
//! Read the modules in this order: keys sign checkpoints; proofs lead from an entry to a
//! checkpoint; bundles and tiles keep entries and hashes; the lock holds what is decided;
//! [`Ledger::append`] and [`Ledger::open`] share one function that finishes what is decided;
//! [`Appender`] lets many threads append; [`LedgerReader`] reads; [`fsck`] re-hashes everything and
//! [`repair`] computes what can be computed; [`witness`] and [`monitor`] are run by others.
//!
//! # Example
//!
//! ```
//! use chancery_ledger::{
//!     Error, Folder, Ledger, LedgerReader, LogKeys, Parts, SqliteLock, fsck, verify_proof,
//! };
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let dir = folder.path();
//! let keys = LogKeys::generate("agency.example/ledger", &[7; 32])?;
//! let mut ledger = Ledger::create(Parts {
//!     storage: Box::new(Folder::new(dir.join("ledger"))),
//!     lock: Box::new(SqliteLock::create(&dir.join("ledger.sqlite"))?),
//!     keys: keys.clone(),
//!     known: keys.keyring(),
//!     cosigner: None,
//!     clock: Box::new(|| 1_800_000_000),
//! })?;
//! let receipt = ledger.append(b"released: 3 tables to hhs/oig")?;
//!
//! // Years later, with the receipt and the public keys alone:
//! let (proof, trusted) = (receipt.proof().to_string(), keys.keyring());
//! let shown = verify_proof(&proof, b"released: 3 tables to hhs/oig", &trusted)?;
//! assert_eq!((shown.index, shown.tree_size), (0, 1));
//!
//! // The same receipt shows nothing about any other entry.
//! let other = verify_proof(&proof, b"released: 2 tables to hhs/oig", &trusted);
//! assert!(matches!(other, Err(Error::NotProven { .. })));
//!
//! let published = dir.join("ledger");
//! assert_eq!(LedgerReader::open(&published)?.entry(0)?, b"released: 3 tables to hhs/oig");
//! assert!(fsck(&Folder::new(&published), Some(&trusted), None)?.is_sound());
//! # Ok::<(), Error>(())
//! ```
//!
//! # What is borrowed and what is not
//!
//! `signed_note` parses notes, `tlog_tiles` computes tile coordinates, roots and proofs (both are
//! ports of Go's `x/mod`), `ed25519-dalek` and `ml-dsa` sign, `age` encrypts keys at rest, `SQLite`
//! keeps what must change in one step. Own code stands in where they do not fit:
//!
//! - reading tiles (`tiles`), as `tlog_tiles::TileHashReader` leaves some full tiles unverified
//!   and its errors cannot name a file;
//! - the C2SP file names (`layout`), as `tlog_tiles` prints Go's older ones;
//! - cosignatures, policies, the proof text and entry bundles, which neither has.
//!
//! # What it does not do
//!
//! It reads no clock of its own. Without a witness or a monitor it cannot tell that the published
//! files and the lock were both put back to older copies: that takes somebody else who has seen
//! a newer checkpoint.
//!
//! [tlog-tiles]: https://c2sp.org/tlog-tiles
//! [tlog-checkpoint]: https://c2sp.org/tlog-checkpoint
//! [signed-note]: https://c2sp.org/signed-note
//! [tlog-cosignature]: https://c2sp.org/tlog-cosignature
//! [tlog-witness]: https://c2sp.org/tlog-witness
//! [tlog-policy]: https://c2sp.org/tlog-policy
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
pub use crate::proof::{
    InclusionProof, VerifiedInclusion, verify_consistency, verify_inclusion, verify_proof,
};
pub use crate::reader::{Entries, LedgerReader};
pub use crate::repair::{Repair, repair};
#[cfg(feature = "s3")]
pub use crate::s3::{S3, S3Options};
pub use crate::source::Source;
pub use crate::storage::{FileSystem, Folder, Os, Storage};
