use std::path::Path;

/// Why the register cannot answer. None says whom it was about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("cannot {action} `{file}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not as this program writes it.
    #[error("`{file}` {problem}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The key is too short.
    #[error("the key of the register has too few bytes")]
    Key,
    /// A release was recorded under a key that is not there.
    #[error("the key of the register with which `{release}` was recorded is not there")]
    KeyMissing {
        /// The release.
        release: String,
    },
    /// Nothing is known of a release.
    #[error("the register does not hold who was in `{release}`")]
    Unrecorded {
        /// The release.
        release: String,
    },
    /// A record is not there, and people are numbered on from it.
    #[error("the record of who was in `{release}` is not there, and none can be added after it")]
    Lost {
        /// The release.
        release: String,
    },
    /// The records of releases do not follow each other.
    #[error("the record of `{release}` does not follow those before it")]
    OutOfOrder {
        /// The release.
        release: String,
    },
    /// Two people cannot be told apart, or a name cannot be taken.
    #[error("{problem} among the people of origin `{origin}`")]
    People {
        /// The origin.
        origin: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check the disk and its permissions, then run it again",
            Self::Damaged { .. } => {
                "put the release's `custody` folder back from a copy, then `chancery account rebuild`"
            }
            Self::Key | Self::KeyMissing { .. } => "put `keys/register.key` back from a copy",
            Self::Unrecorded { .. } => "put the release's `custody` folder back from a copy",
            Self::Lost { .. } => {
                "put the release's `custody` folder back from a copy; if there is none, `chancery account rotate-key` \
                 goes on without it, and of releases until then nobody can be told all"
            }
            Self::OutOfOrder { .. } => {
                "put the records of the releases before it back, then `chancery account rebuild`"
            }
            Self::People { .. } => "nothing has left; look at the dataset's ids",
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> Self {
        let file = path.display().to_string();
        move |source| Self::Io {
            action,
            file: file.clone(),
            source,
        }
    }

    pub(crate) fn damaged(path: &Path, problem: &'static str) -> Self {
        Self::Damaged {
            file: path.display().to_string(),
            problem,
        }
    }
}
