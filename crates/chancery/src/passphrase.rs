//! Where the passphrase of the secret keys comes from: a file, or the person at the terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chancery_ledger::Error;
use chancery_ledger::keyfile::Passphrase;

use crate::failure::Failure;

/// Names a file with the passphrase in its first line, where `--passphrase-file` does not.
const VARIABLE: &str = "CHANCERY_PASSPHRASE_FILE";

/// How this run gets a passphrase.
#[derive(Clone)]
pub(crate) struct Passphrases {
    file: Option<PathBuf>,
    /// What was typed, so that it is asked for once.
    typed: Arc<Mutex<Option<Passphrase>>>,
}

impl Passphrases {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self {
            file: file.or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from)),
            typed: Arc::default(),
        }
    }

    /// Whether a file was named.
    pub(crate) fn is_named(&self) -> bool {
        self.file.is_some()
    }

    /// The passphrase of keys that are encrypted.
    pub(crate) fn get(&self, keys: &Path) -> Result<Passphrase, Error> {
        if let Some(file) = &self.file {
            return read(file);
        }
        let mut typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(passphrase) = &*typed {
            return Ok(passphrase.clone());
        }
        if !std::io::stdin().is_terminal() {
            let file = keys.display().to_string();
            return Err(Error::PassphraseNeeded { file });
        }
        let passphrase = Passphrase::new(prompt(&format!("Passphrase for {}: ", keys.display()))?)?;
        *typed = Some(passphrase.clone());
        Ok(passphrase)
    }

    /// A passphrase for keys that are to be made; `None` when nobody is there to give one.
    pub(crate) fn offered(&self) -> Result<Option<Passphrase>, Failure> {
        if let Some(file) = &self.file {
            return Ok(Some(read(file)?));
        }
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        let typed = prompt("Passphrase for the new keys: ")?;
        if typed != prompt("The same once more: ")? {
            return Err(Failure::new("the two passphrases differ").hint("type the same twice"));
        }
        Ok(Some(Passphrase::new(typed)?))
    }

    /// A new passphrase, without which nothing can go on.
    pub(crate) fn choose(&self) -> Result<Passphrase, Failure> {
        self.offered()?.ok_or_else(|| {
            Failure::new("no passphrase was given").hint(format!(
                "name a file with it: `--passphrase-file FILE`, or {VARIABLE}"
            ))
        })
    }
}

fn prompt(question: &str) -> Result<String, Error> {
    rpassword::prompt_password(question).map_err(|reason| Error::Io {
        action: "read the passphrase from",
        file: "the terminal".to_owned(),
        reason,
    })
}

fn read(file: &Path) -> Result<Passphrase, Error> {
    let content = std::fs::read_to_string(file).map_err(|reason| Error::Io {
        action: "read",
        file: file.display().to_string(),
        reason,
    })?;
    Passphrase::new(content.lines().next().unwrap_or_default())
}
