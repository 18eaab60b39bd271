use std::path::Path;

use chancery_model::{Fault, Place};

/// Why a dataset could not be added, opened or trusted.
///
/// An error names files, lines, fields and columns. It never carries a value of a person's record.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input is wrong: the place, the field, and what to do.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The caller asked to stop; nothing is left behind.
    #[error("cancelled")]
    Cancelled,
    /// The name could be taken for a path.
    #[error("`{name}` cannot be the name of a dataset")]
    Name {
        /// The name asked for.
        name: String,
    },
    /// There is such a dataset already.
    #[error("dataset `{name}` exists already")]
    Exists {
        /// Its name.
        name: String,
    },
    /// There is no such dataset.
    #[error("no dataset is called `{name}`")]
    Absent {
        /// The name asked for.
        name: String,
    },
    /// The operating system refused.
    #[error("{file}: {action}: {source}")]
    Io {
        /// The file or folder.
        file: String,
        /// What was attempted.
        action: &'static str,
        /// Its answer.
        source: std::io::Error,
    },
    /// A file is no longer what it was when the dataset was added.
    #[error("{file} has changed since dataset `{dataset}` was added")]
    Changed {
        /// The file.
        file: String,
        /// The dataset.
        dataset: String,
    },
    /// A file that this crate wrote cannot be read back.
    #[error("{file}: {problem}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Fault(fault) => fault.hint.as_deref(),
            Self::Name { .. } => {
                Some("use letters, digits, `.`, `_` and `-`, and begin with a letter or a digit")
            }
            Self::Exists { .. } => Some("datasets are never overwritten: choose another name"),
            Self::Absent { .. } => Some("`chancery dataset add` adds one"),
            Self::Changed { .. } => Some("add the changed file as a new dataset"),
            Self::Damaged { .. } => Some("add the dataset again from its sources"),
            Self::Io { .. } => Some("check the disk and its permissions, then run it again"),
            Self::Cancelled => None,
        }
    }

    /// An I/O error on `path`.
    pub(crate) fn io(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        Self::Io {
            file: path.display().to_string(),
            action,
            source,
        }
    }

    /// A source file that is not what its kind promises.
    pub(crate) fn source(path: &Path, problem: impl Into<String>) -> Fault {
        Fault::new(Place::file(path.display().to_string()), problem)
    }
}
