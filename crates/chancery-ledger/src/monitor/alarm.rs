//! What a monitor raises an alarm about.

use std::fmt;

/// Something that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alarm {
    /// The log cannot be asked.
    Unreachable {
        /// What was asked for.
        place: String,
        /// What came back.
        reason: String,
    },
    /// What is published as the checkpoint is not signed as it should be.
    BadSignature {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Too few witnesses cosigned the checkpoint.
    NotWitnessed {
        /// Which did not.
        reason: String,
    },
    /// The log shows a smaller tree than it did before.
    RollBack {
        /// The size that it had.
        from: u64,
        /// The size that it shows now.
        to: u64,
    },
    /// The log signed two trees, of which neither continues the other.
    Fork {
        /// Their sizes.
        sizes: [u64; 2],
        /// The files with the two signed checkpoints.
        evidence: [String; 2],
    },
    /// The log does not serve the tree that it signed.
    Damaged {
        /// Which file is wrong, and how.
        reason: String,
    },
    /// The log has not signed anything for too long.
    Stale {
        /// How old the checkpoint is, in seconds.
        age: u64,
        /// How old it may be.
        max_age: u64,
    },
    /// The checkpoint states a time that has not come yet.
    FromTheFuture {
        /// How far ahead it is, in seconds.
        by: u64,
    },
    /// An entry is in the log and cannot be read.
    UnreadableEntry {
        /// Its index.
        index: u64,
    },
}

impl Alarm {
    /// One word for it, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::BadSignature { .. } => "bad-signature",
            Self::NotWitnessed { .. } => "not-witnessed",
            Self::RollBack { .. } => "roll-back",
            Self::Fork { .. } => "fork",
            Self::Damaged { .. } => "damaged",
            Self::Stale { .. } => "stale",
            Self::FromTheFuture { .. } => "from-the-future",
            Self::UnreadableEntry { .. } => "unreadable-entry",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "check the address and the network, then ask the custodian",
            Self::BadSignature { .. } => {
                "compare the keys with those that the custodian published: were they changed?"
            }
            Self::NotWitnessed { .. } => {
                "ask the witnesses named here, and do not rely on this checkpoint until then"
            }
            Self::RollBack { .. } => {
                "an old copy was put back, or a cache is old: ask the custodian, and keep your \
                 receipts"
            }
            Self::Fork { .. } => {
                "the log has shown two histories: keep the two files, and show them to whoever \
                 relies on the log"
            }
            Self::Damaged { .. } => {
                "the custodian should run `chancery ledger fsck` and restore the file from a copy"
            }
            Self::Stale { .. } => {
                "ask the custodian whether the log still runs: it might show others a newer one"
            }
            Self::FromTheFuture { .. } => "compare the clocks of this machine and of the log",
            Self::UnreadableEntry { .. } => {
                "a newer version may read it; if not, ask the custodian what was logged there"
            }
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { place, reason } => write!(f, "cannot read `{place}`: {reason}"),
            Self::BadSignature { place, reason } => {
                write!(f, "`{place}` is not signed as it should be: {reason}")
            }
            Self::NotWitnessed { reason } => write!(f, "the checkpoint is not witnessed: {reason}"),
            Self::RollBack { from, to } => {
                write!(f, "the log had {from} entries before and shows {to} now")
            }
            Self::Fork {
                sizes: [one, other],
                evidence: [first, second],
            } => write!(
                f,
                "the log signed two trees, of {one} and of {other} entries, that contradict each \
                 other: see `{first}` and `{second}`"
            ),
            Self::Damaged { reason } => {
                write!(
                    f,
                    "the log does not serve the tree that it signed: {reason}"
                )
            }
            Self::Stale { age, max_age } => write!(
                f,
                "the checkpoint is {age} seconds old, and should be at most {max_age}"
            ),
            Self::FromTheFuture { by } => {
                write!(f, "the checkpoint is from {by} seconds in the future")
            }
            Self::UnreadableEntry { index } => write!(f, "the entry {index} cannot be read"),
        }
    }
}
