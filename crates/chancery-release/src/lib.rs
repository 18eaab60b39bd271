//! The gate: from a request to a lawful, signed, logged release.
//!
//! The steps, in order; each arrow is a type that only the step before can make:
//!
//! request ─▶ [`Question`] ─▶ [`Answer`] (decided, confirmed by the second evaluator, counted)
//! ─▶ [`Staged`] (written, nothing has left) ─▶ [`Signed`] (the manifest) ─▶ [`Receipt`] (ledger
//! inclusion) ─▶ [`Released`].
//!
//! [`release`] reads as those steps. [`Signed::publish`] takes a [`Receipt`] that names the digest
//! of this manifest: nothing leaves unlogged, by type. [`recover`] finishes or undoes what a crash
//! left, by the same calls.

mod clock;

mod workspace;

mod question;

mod answer;

mod audit;

mod suppress;

pub mod manifest;

pub mod entry;

mod book;

mod history;

mod sign_off;

mod signing;

mod people;

mod staging;

mod gate;

mod verify;

mod check;

pub use answer::{Answer, answer, decide};
pub use audit::{Audit, AuditedElement, AuditedPeople, audit};
pub use book::{Book, retire, rotate, still_held};
pub use check::{Problem, ReleaseCheck, check_releases};
pub use clock::{Clock, Fixed, System};
pub use entry::{Entry, Reading};
pub use gate::{Outcome, recover, release, write_ledger};
pub use history::{History, Logged};
pub use manifest::{Envelope, Manifest, Statement};
pub use people::Kept;
pub use question::{Question, ask};
pub use sign_off::{Ignored, Known, SignOffs, Signed as SignedOff, Stand, Suspending};
pub use signing::{Proposal, entitled, sign, suspend};
pub use staging::{Receipt, Released, Signed, Staged};
pub use suppress::Shown;
pub use verify::{Keys, Verified, read_manifest, replay, verify};
pub use workspace::{
    AskPassphrase, Bucket, Config, PrivacyOffice, Workspace, dataset_law, elements, pack_files,
    write_pack,
};

use chancery_model::Fault;

/// Why a step of the gate refused or failed. A denial is not an error: see [`Outcome::Denied`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A request, a configuration or a manifest is wrong.
    #[error(transparent)]
    Input(#[from] Fault),
    /// The law pack is refused, or the evaluators disagree.
    #[error(transparent)]
    Law(#[from] chancery_law::Error),
    /// The dataset is refused.
    #[error(transparent)]
    Dataset(#[from] chancery_dataset::Error),
    /// The plan failed.
    #[error(transparent)]
    Plan(#[from] chancery_plan::Error),
    /// The ledger is refused.
    #[error(transparent)]
    Ledger(#[from] chancery_ledger::Error),
    /// The register of who was in which release is refused.
    #[error(transparent)]
    Register(#[from] chancery_register::Error),
    /// A file of the workspace could not be read or written.
    #[error("cannot {action} `{file}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        file: String,
        /// Why not.
        source: std::io::Error,
    },
    /// There is no workspace here.
    #[error("no workspace: `{0}` and its parents have no chancery.toml")]
    NoWorkspace(String),
    /// A release on another day than today, outside a demonstration.
    #[error("a release is decided under the law of the day it is made, {today}, not of {asked}")]
    NotToday {
        /// The day of the clock.
        today: jiff::civil::Date,
        /// The day asked for.
        asked: jiff::civil::Date,
    },
    /// The dataset was classified under another table than the law pack's.
    #[error("dataset `{0}` was classified under another classification table or other attributes")]
    Stale(String),
    /// The ledger is not, or no longer, the one that was seen.
    #[error("the ledger does not continue what was seen of it in `{file}`")]
    RolledBack {
        /// The checkpoint or receipt that was seen.
        file: String,
    },
    /// What is staged has the id of a release that the ledger holds, and is not that release.
    #[error("`{folder}` is not the release of this id that the ledger holds")]
    Stray {
        /// The folder in which it is staged.
        folder: String,
    },
    /// The text of something that was signed off is not there to be applied.
    #[error("the text of `{unit}` that was signed off, in `{folder}`, {problem}")]
    SignedText {
        /// What was signed.
        unit: String,
        /// Where its text is kept.
        folder: String,
        /// What is wrong.
        problem: String,
    },
    /// The edition of an instrument that was signed last cannot be read beside what is recorded.
    #[error("the editions signed last do not fit the law pack as recorded: {0}")]
    SignedEdition(chancery_law::Error),
    /// Somebody may not do what they tried.
    #[error("the key `{key}` {problem}")]
    NotEntitled {
        /// The key's name.
        key: String,
        /// Why not.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// What is to be signed is not what was shown.
    #[error("`{unit}` is not what was shown: its digest is {digest}")]
    NotShown {
        /// The unit.
        unit: String,
        /// Its digest.
        digest: chancery_model::Digest,
    },
    /// A sign-off or a suspension was recorded after the request was decided.
    #[error("a sign-off or a suspension was recorded while the request was decided")]
    LawChanged,
    /// A release is not what its manifest says.
    #[error("`{file}` {problem}")]
    Unverified {
        /// The file of the release.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

impl Error {
    /// What to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Input(fault) => fault.hint.clone(),
            Self::Law(error) => Some(error.hint().to_owned()),
            Self::Dataset(error) => error.hint().map(str::to_owned),
            Self::Plan(error) => Some(error.hint().to_owned()),
            Self::Ledger(error) => error.hint().map(str::to_owned),
            Self::Register(error) => Some(error.hint().to_owned()),
            Self::Io { source, .. } => Some(io_hint(source).to_owned()),
            Self::NoWorkspace(_) => {
                Some("`chancery init` makes one; `-C DIR` names one".to_owned())
            }
            Self::NotToday { .. } => Some(
                "`chancery decide --on` answers for any day; `chancery init --demo` makes a \
                 demonstration workspace, which may release on any day"
                    .to_owned(),
            ),
            Self::Stale(name) => Some(format!(
                "`chancery dataset classify {name}` derives them anew"
            )),
            Self::RolledBack { .. } => Some(
                "the ledger was put back to an older copy, or changed: put the newest copy in its \
                 place; nothing is entered until then"
                    .to_owned(),
            ),
            Self::Stray { .. } => Some(
                "move that folder away, and restore the release from a copy if it is missing; \
                 nothing is entered until then"
                    .to_owned(),
            ),
            Self::SignedText { .. } => {
                Some("restore that folder from a copy; nothing is decided until then".to_owned())
            }
            Self::SignedEdition(_) => Some(
                "sign the edited instruments, or put them or the pack's base back as signed; \
                 `chancery law status` shows which they are"
                    .to_owned(),
            ),
            Self::NotEntitled { hint, .. } => Some(hint.clone()),
            Self::NotShown { .. } => Some(
                "read it again: without `--digest` the same command shows it, and takes only what it showed"
                    .to_owned(),
            ),
            Self::LawChanged => Some("nothing has left; run it again".to_owned()),
            Self::Unverified { .. } => Some(
                "do not rely on this release; ask the custodian for what its ledger holds".into(),
            ),
        }
    }

    pub(crate) fn io(
        action: &'static str,
        file: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.display().to_string();
        move |source| Self::Io {
            action,
            file,
            source,
        }
    }
}

fn io_hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "the disk is full: free space, then run it again"
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            "the workspace must be writable for this step"
        }
        std::io::ErrorKind::NotFound => "check the path, or restore the file from a copy",
        _ => "check the disk, then run it again: what was begun is then finished or undone",
    }
}
