//! What can go wrong, in one enum, each case with the file it concerns and a hint for the operator.

use std::io;

use crate::key::Algorithm;

/// The result of every fallible call in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that the ledger refuses or fails to do.
///
/// Messages name the file; [`Error::hint`] says what to do next, where that is known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("cannot {action} `{file}`: {reason}")]
    Io {
        /// What was tried, such as `write` or `rename`.
        action: &'static str,
        /// The file or folder.
        file: String,
        /// The operating system's answer.
        reason: io::Error,
    },

    /// A ledger was to be created where one already is.
    #[error("`{file}` already exists")]
    AlreadyExists {
        /// The file that shows it.
        file: String,
    },

    /// A file which every ledger has is not there.
    #[error("`{file}` is missing")]
    Missing {
        /// The file.
        file: String,
    },

    /// Another writer holds the lock.
    #[error("another process is writing to the ledger: `{file}` is locked")]
    Busy {
        /// The lock file.
        file: String,
    },

    /// An earlier write failed, so what is on disk is not known.
    #[error("the ledger stopped after a failed write and takes no more entries")]
    Poisoned,

    /// A file's content does not fit the signed checkpoint.
    #[error("`{file}` is damaged: {problem}")]
    Damaged {
        /// The file.
        file: String,
        /// What does not fit.
        problem: String,
    },

    /// A file that never changes, or only in turn, has other content than expected.
    #[error("`{file}` has other content than expected")]
    Conflict {
        /// The file, which was left as it is.
        file: String,
    },

    /// The lock is not there, so nobody can tell what was signed last.
    #[error("`{file}` is missing: the log's lock, which holds the last checkpoint that was signed")]
    LockMissing {
        /// The database.
        file: String,
    },

    /// The published log is longer than the lock knows of.
    #[error(
        "`{file}` is older than the log: it knows of {locked} entries, and {published} are published"
    )]
    LockBehind {
        /// The database.
        file: String,
        /// The size that it holds.
        locked: u64,
        /// The size that is published.
        published: u64,
    },

    /// The published log was put back to an older state.
    #[error("`{file}` is of an older log: it has {published} entries, and {locked} were signed")]
    RolledBack {
        /// The checkpoint's file.
        file: String,
        /// The size that is published.
        published: u64,
        /// The size that was signed.
        locked: u64,
    },

    /// Two checkpoints of one size contradict each other.
    #[error("`{file}` is of another log of {size} entries than the one that was signed last")]
    Forked {
        /// The checkpoint's file.
        file: String,
        /// The size of both.
        size: u64,
    },

    /// The clock has gone back to before the last signature.
    #[error(
        "the clock says {now}, which is before the last signature at {last} (seconds since 1970)"
    )]
    ClockBehind {
        /// The time now, in seconds since 1970 UTC.
        now: u64,
        /// The time of the last signature.
        last: u64,
    },

    /// An append of several entries failed; each of them gets the same answer.
    #[error(transparent)]
    Batch(std::sync::Arc<Error>),

    /// A text or byte string is not of its form.
    #[error("malformed {what}: {problem}")]
    Malformed {
        /// The kind of text: `checkpoint`, `proof`, `entry bundle`, `verifier key`, …
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },

    /// A key name has a space, a plus or a control character, is empty or over 255 bytes long.
    #[error("`{name}` cannot name a key")]
    KeyName {
        /// The name as given.
        name: String,
    },

    /// Keys that do not go together.
    #[error("these are not the keys of one log: {problem}")]
    Keys {
        /// Which rule they break.
        problem: String,
    },

    /// A key signs in another way than it is asked to.
    #[error("`{key}` is an {found} key, not {expected}")]
    KeyAlgorithm {
        /// The key, as `name+id`.
        key: String,
        /// How it signs.
        found: Algorithm,
        /// What is needed.
        expected: &'static str,
    },

    /// The operating system gave no random bytes for a new key.
    #[error("cannot get random bytes: {reason}")]
    Random {
        /// The operating system's answer.
        reason: io::Error,
    },

    /// A time that no signature can state.
    #[error("a signature cannot state the time {time}")]
    Time {
        /// The time, in seconds since 1970.
        time: u64,
    },

    /// The ledger belongs to another key.
    #[error("`{file}` holds the keys {found}, and known are {expected}")]
    WrongKey {
        /// The file with the key.
        file: String,
        /// The keys that were expected, by name and id.
        expected: String,
        /// The keys that were found.
        found: String,
    },

    /// Too few of the witnesses that a policy names have cosigned a checkpoint.
    #[error("the quorum `{quorum}` has not cosigned: {lacking} did not")]
    NoQuorum {
        /// The witness or group that the policy asks for.
        quorum: String,
        /// The witnesses of the policy whose cosignatures are lacking, each in backticks.
        lacking: String,
    },

    /// A policy is not of the form of `c2sp.org/tlog-policy`.
    #[error("line {line} of the policy: {problem}")]
    Policy {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },

    /// A key file holds no keys, or is damaged.
    #[error("`{file}` is not a sound key file: {problem}")]
    KeyFile {
        /// The file.
        file: String,
        /// What is wrong with it. Nothing of its content is shown.
        problem: &'static str,
    },

    /// Others than the owner may read or change a file of secret keys.
    #[error("`{file}` is open to others than its owner: its mode is {mode:03o}")]
    ExposedKeyFile {
        /// The file.
        file: String,
        /// Its permission bits.
        mode: u32,
    },

    /// A key file is encrypted and no passphrase was given.
    #[error("`{file}` is encrypted, and there is no passphrase for it")]
    PassphraseNeeded {
        /// The file.
        file: String,
    },

    /// A passphrase does not decrypt a key file.
    #[error("the passphrase does not open `{file}`")]
    WrongPassphrase {
        /// The file.
        file: String,
    },

    /// A passphrase with nothing in it.
    #[error("the passphrase is empty")]
    EmptyPassphrase,

    /// An encrypted key file was to be replaced by one that is not.
    #[error("`{file}` is encrypted and would be replaced by a file that is not")]
    Unencrypted {
        /// The file, which was left as it is.
        file: String,
    },

    /// A signature is absent or does not verify.
    #[error("no valid signature by `{key}`")]
    BadSignature {
        /// The key, as `name+id`.
        key: String,
    },

    /// A checkpoint names another log than the key does.
    #[error("the checkpoint is of the log `{found}`, not `{expected}`")]
    WrongOrigin {
        /// The log that was expected.
        expected: String,
        /// The checkpoint's own origin line.
        found: String,
    },

    /// An entry does not fit the 16-bit length prefix of an entry bundle.
    #[error("an entry of {size} bytes is over the limit of 65535 bytes")]
    EntryTooLarge {
        /// The entry's size in bytes.
        size: usize,
    },

    /// No such entry.
    #[error("there is no entry {index}: the ledger has {size}")]
    NoSuchEntry {
        /// The index asked for.
        index: u64,
        /// The number of entries.
        size: u64,
    },

    /// A database could not be read or written.
    #[error("cannot {action} the database `{file}`: {reason}")]
    Database {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The database.
        file: String,
        /// What it answered.
        reason: rusqlite::Error,
    },

    /// A witness has cosigned a larger tree of this log than the log itself has.
    #[error("the witness `{witness}` has seen {size} entries of this log, which has {own}")]
    AheadOfLog {
        /// The witness, as the policy calls it.
        witness: String,
        /// The size that it has seen.
        size: u64,
        /// The size of the checkpoint that it was to cosign.
        own: u64,
    },

    /// A witness has cosigned a tree of this log that the log's own tree does not continue.
    #[error("the witness `{witness}` has seen another history of this log, of {size} entries")]
    Diverged {
        /// The witness, as the policy calls it.
        witness: String,
        /// The size of the tree that it has seen.
        size: u64,
    },

    /// An object store does not refuse the writes that it has to refuse.
    #[error("`{store}` cannot hold a ledger: {problem}")]
    UnfitStore {
        /// The store's address.
        store: String,
        /// What it did.
        problem: &'static str,
    },

    /// A well-formed, signed proof that does not show what it should.
    #[error("the proof does not hold: {problem}")]
    NotProven {
        /// Which step failed.
        problem: &'static str,
    },
}

impl Error {
    /// What the operator can do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Io { reason, .. } => Some(io_hint(reason.kind())),
            Self::AlreadyExists { .. } => {
                Some("use the ledger that is there, or give a folder of its own")
            }
            Self::Missing { .. } => {
                Some("check the path; if the ledger was here before, restore the file from a copy")
            }
            Self::Busy { .. } => {
                Some("wait for the other command to end, or find it with `fuser` on the lock file")
            }
            Self::Poisoned => {
                Some("check the disk, then start again: opening finishes or drops the last append")
            }
            Self::Damaged { .. } => Some(
                "run `chancery ledger fsck` for the full list, and restore the file from a copy",
            ),
            Self::Conflict { .. } => {
                Some("was an older checkpoint restored? compare with a witness before going on")
            }
            Self::Database { reason, .. } => Some(database_hint(reason)),
            Self::LockMissing { .. } => Some(
                "restore it from the latest copy, and compare with a witness: `chancery ledger fsck --repair` moves a lock that is behind",
            ),
            Self::LockBehind { .. } => Some(
                "an older copy of the lock was put back: compare with a witness or a monitor, then run `chancery ledger fsck --repair`",
            ),
            Self::RolledBack { .. } => Some(
                "an older copy of the log was put back: restore the latest one, or fetch its files from a mirror; nothing is logged until then",
            ),
            Self::Forked { .. } => Some(
                "keep both checkpoints as evidence, and find out who else has the key; nothing is logged until then",
            ),
            Self::ClockBehind { .. } => Some("set the clock, then try again"),
            Self::Batch(error) => error.hint(),
            Self::KeyName { .. } => {
                Some("use a name like `agency.example/ledger`, without spaces or `+`")
            }
            Self::Keys { .. }
            | Self::KeyAlgorithm { .. }
            | Self::KeyFile { .. }
            | Self::ExposedKeyFile { .. }
            | Self::PassphraseNeeded { .. }
            | Self::WrongPassphrase { .. }
            | Self::EmptyPassphrase
            | Self::Unencrypted { .. } => self.key_hint(),
            Self::Random { .. } => Some("check that the system's random number generator works"),
            Self::Time { .. } => Some("set the machine's clock"),
            Self::NoQuorum { .. } => Some(
                "ask the witnesses named here; what waits for them stays where it is, and the \
                     next command that logs publishes it",
            ),
            Self::Policy { .. } => Some("the form is that of `c2sp.org/tlog-policy`"),
            Self::WrongKey { .. } => Some("give the key that this ledger was created with"),
            Self::BadSignature { .. } | Self::WrongOrigin { .. } => {
                Some("check that the verifier key is this ledger's own")
            }
            Self::AheadOfLog { .. } | Self::Diverged { .. } => Some(
                "the log was put back to an older copy: append nothing, restore the newest copy, \
                 and keep what the witness shows",
            ),
            Self::EntryTooLarge { .. } => Some("log a digest and keep the content in a file"),
            Self::UnfitStore { .. } => Some(
                "use a store that honours `If-None-Match` and `If-Match` on PUT, or a local folder",
            ),
            Self::Malformed { .. } => {
                Some("it was changed or cut short on its way: get it again from where it is from")
            }
            Self::NoSuchEntry { .. } => Some("`chancery ledger show` lists the entries"),
            Self::NotProven { .. } => {
                Some("do not rely on it: ask for a proof from the log itself, and keep this one")
            }
        }
    }

    /// Whether a failed append leaves the log as it was, so that it may be tried again as it is.
    ///
    /// After any other failure the content of the disk is not known.
    pub fn may_be_tried_again(&self) -> bool {
        match self {
            Self::EntryTooLarge { .. } | Self::ClockBehind { .. } | Self::NoQuorum { .. } => true,
            Self::Batch(error) => error.may_be_tried_again(),
            _ => false,
        }
    }

    pub(crate) fn io(action: &'static str, file: &std::path::Path, reason: io::Error) -> Self {
        Self::Io {
            action,
            file: file.display().to_string(),
            reason,
        }
    }

    fn key_hint(&self) -> Option<&str> {
        match self {
            Self::Keys { .. } => Some(
                "list the newest Ed25519 key, then its ML-DSA-44 key, then older pairs; retire old \
                 ones",
            ),
            Self::KeyAlgorithm { .. } => Some("give a key that was made for this use"),
            Self::KeyFile { .. } => Some("restore the key file from a copy"),
            Self::ExposedKeyFile { .. } => Some(
                "run `chmod 600` on it; if others may have read it, make new keys and retire these",
            ),
            Self::PassphraseNeeded { .. } => Some("give the passphrase that it was encrypted with"),
            Self::WrongPassphrase { .. } => {
                Some("type it again; nobody can open the file without its passphrase")
            }
            Self::EmptyPassphrase => Some("choose a passphrase of several random words"),
            Self::Unencrypted { .. } => Some("give a passphrase for the new file, too"),
            _ => None,
        }
    }

    pub(crate) fn malformed(what: &'static str, problem: impl Into<String>) -> Self {
        Self::Malformed {
            what,
            problem: problem.into(),
        }
    }
}

/// What to do when a disk fails in a way that nobody here can tell the cause of.
const CHECK_DISK: &str =
    "check the disk, then start again: opening finishes or drops the last append";

fn database_hint(reason: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode;
    match reason.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "free some disk space, then start again",
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "the user running this command needs write access to the database's folder"
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "restore it from the latest copy, and compare with a witness before going on"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "wait for the other command to end, or find it with `fuser` on the database"
        }
        Some(ErrorCode::SystemIoFailure) => {
            "check the disk, and that there is room on it, then start again: opening finishes or \
             drops the last append"
        }
        _ => CHECK_DISK,
    }
}

fn io_hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "the user running this command needs write access to the ledger's folder"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some disk space, then start again"
        }
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::ResourceBusy => {
            "stop the other writer, and compare with a witness before going on"
        }
        _ => CHECK_DISK,
    }
}
