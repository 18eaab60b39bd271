use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::passphrase::Passphrases;
use crate::text;

/// Why a command ended without its result: a message, faults, a hint and an exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    hint: Option<String>,
    /// The key file that a passphrase did not open.
    locked: Option<PathBuf>,
}

/// Exit code: a failure.
const FAILED: u8 = 1;
/// Exit code: a denial.
pub(crate) const DENIED: u8 = 2;
/// Exit code: an invalid law pack or request.
const INVALID: u8 = 3;

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            code: FAILED,
            message: message.into(),
            hint: None,
            locked: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same; where a passphrase is at fault, the hint says where that came from.
    pub(crate) fn knowing(mut self, passphrases: &Passphrases) -> Self {
        let known = self
            .locked
            .as_deref()
            .and_then(|keys| passphrases.hint(keys));
        self.hint = known.or(self.hint);
        self
    }

    /// The same, as an invalid law pack or request.
    pub(crate) fn invalid(mut self) -> Self {
        self.code = INVALID;
        self
    }

    /// The same, as a failure: what is wrong is neither law pack nor request.
    pub(crate) fn failed(mut self) -> Self {
        self.code = FAILED;
        self
    }

    /// What could not be done to a file, and what to do then.
    pub(crate) fn file(action: &str, file: &Path, reason: &std::io::Error) -> Self {
        let hint = match reason.kind() {
            ErrorKind::NotFound => "check the path",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "check who may read and write there, or give another path"
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free space, then run it again",
            _ => "check the disk, then run it again",
        };
        Self::new(format!("cannot {action} `{}`: {reason}", file.display())).hint(hint)
    }

    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Prints the failure to stderr.
    pub(crate) fn report(&self) -> ExitCode {
        text::tell(&format!("error: {}", text::safe(&self.message)));
        if let Some(hint) = &self.hint {
            text::tell(&format!("hint: {}", text::safe(hint)));
        }
        ExitCode::from(self.code)
    }
}

impl From<chancery_model::Fault> for Failure {
    fn from(fault: chancery_model::Fault) -> Self {
        Self {
            code: INVALID,
            message: fault.to_string(),
            hint: fault.hint,
            locked: None,
        }
    }
}

impl From<chancery_law::Error> for Failure {
    fn from(error: chancery_law::Error) -> Self {
        let mut message = error.to_string();
        let mut hint = Some(error.hint().to_owned());
        let mut code = INVALID;
        match &error {
            chancery_law::Error::Invalid(faults) => {
                for fault in faults {
                    message.push_str(&format!("\n\n{fault}"));
                    if let Some(hint) = &fault.hint {
                        message.push_str(&format!("\n  hint: {hint}"));
                    }
                }
                if let [fault] = faults.as_slice() {
                    message = fault.to_string();
                    hint = fault.hint.clone().or(hint);
                }
            }
            chancery_law::Error::Untranslatable { place, .. } => {
                message.push_str(&format!("\n  at {place}"));
            }
            chancery_law::Error::Schema(_) => {}
            chancery_law::Error::Disagreement { .. } => code = FAILED,
        }
        Self {
            code,
            message,
            hint,
            locked: None,
        }
    }
}

impl From<chancery_release::Error> for Failure {
    fn from(error: chancery_release::Error) -> Self {
        match error {
            chancery_release::Error::Input(fault) => fault.into(),
            chancery_release::Error::Law(error) => error.into(),
            chancery_release::Error::Dataset(error) => error.into(),
            chancery_release::Error::SignedEdition(_) => {
                let hint = error.hint();
                let chancery_release::Error::SignedEdition(inner) = error else {
                    return Self::new("");
                };
                let inner = Self::from(inner);
                Self {
                    code: INVALID,
                    message: format!(
                        "the editions signed last do not fit the law pack as recorded\n{}",
                        inner.message
                    ),
                    hint,
                    locked: None,
                }
            }
            chancery_release::Error::NotToday { .. } => {
                let hint = error.hint();
                Self {
                    code: INVALID,
                    message: error.to_string(),
                    hint,
                    locked: None,
                }
            }
            other => {
                let hint = other.hint();
                let locked = match &other {
                    chancery_release::Error::Ledger(
                        chancery_ledger::Error::WrongPassphrase { file }
                        | chancery_ledger::Error::PassphraseNeeded { file },
                    ) => Some(PathBuf::from(file)),
                    _ => None,
                };
                Self {
                    code: FAILED,
                    message: other.to_string(),
                    hint,
                    locked,
                }
            }
        }
    }
}

impl From<chancery_dataset::Error> for Failure {
    fn from(error: chancery_dataset::Error) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self {
            code: FAILED,
            message: error.to_string(),
            hint,
            locked: None,
        }
    }
}

impl From<chancery_dataset::synth::Error> for Failure {
    fn from(error: chancery_dataset::synth::Error) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self {
            code: FAILED,
            message: error.to_string(),
            hint,
            locked: None,
        }
    }
}

impl From<chancery_ledger::Error> for Failure {
    fn from(error: chancery_ledger::Error) -> Self {
        chancery_release::Error::from(error).into()
    }
}
