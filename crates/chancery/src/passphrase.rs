//! Where the passphrases of the secret keys come from: files, or the person at the terminal.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chancery_ledger::Error;
use chancery_ledger::keyfile::Passphrase;

use crate::failure::Failure;

/// Names a file with the passphrase in its first line, where `--passphrase-file` does not.
const VARIABLE: &str = "CHANCERY_PASSPHRASE_FILE";

/// The same of the key of who signs off, where `--key-passphrase-file` does not.
const OWN_VARIABLE: &str = "CHANCERY_KEY_PASSPHRASE_FILE";

/// How this run gets passphrases.
#[derive(Clone)]
pub(crate) struct Passphrases {
    file: Option<PathBuf>,
    /// By key file, as each has its own.
    got: Arc<Mutex<BTreeMap<PathBuf, Got>>>,
}

/// What was got for one key file.
struct Got {
    /// What was typed, so that it is asked for once.
    typed: Option<Passphrase>,
    /// The file it was read from.
    from: Option<PathBuf>,
    /// Whether the key is that of who signs off.
    is_own: bool,
}

impl Passphrases {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self {
            file: file.or_else(|| named(VARIABLE)),
            got: Arc::default(),
        }
    }

    /// Whether a file was named.
    pub(crate) fn is_named(&self) -> bool {
        self.file.is_some()
    }

    /// The passphrase of the workspace's keys, if they are encrypted.
    pub(crate) fn get(&self, keys: &Path) -> Result<Passphrase, Error> {
        self.from(keys, self.file.as_deref(), false)
    }

    /// The passphrase of the key of who signs off: their own, or else that of the other keys.
    pub(crate) fn get_own(&self, key: &Path, file: Option<&Path>) -> Result<Passphrase, Error> {
        let file = file.map(Path::to_owned).or_else(|| named(OWN_VARIABLE));
        let file = file.as_deref().or(self.file.as_deref());
        self.from(key, file, true)
    }

    fn from(&self, keys: &Path, file: Option<&Path>, is_own: bool) -> Result<Passphrase, Error> {
        let mut all = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        let got = all.entry(keys.to_owned()).or_insert_with(|| Got {
            typed: None,
            from: file.map(Path::to_owned),
            is_own,
        });
        if let Some(file) = file {
            return read(file);
        }
        if let Some(passphrase) = &got.typed {
            return Ok(passphrase.clone());
        }
        if !std::io::stdin().is_terminal() {
            let file = keys.display().to_string();
            return Err(Error::PassphraseNeeded { file });
        }
        let passphrase = Passphrase::new(prompt(&format!("Passphrase for {}: ", keys.display()))?)?;
        got.typed = Some(passphrase.clone());
        Ok(passphrase)
    }

    /// Where the passphrase came from that was not that of a key file, and what to do.
    pub(crate) fn hint(&self, keys: &Path) -> Option<String> {
        let all = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        let got = all.get(keys)?;
        let option = if got.is_own {
            "--key-passphrase-file"
        } else {
            "--passphrase-file"
        };
        Some(match (&got.from, &got.typed) {
            (Some(file), _) => format!(
                "it came from the first line of `{}`; `{option} FILE` names another file",
                file.display()
            ),
            (None, Some(_)) => {
                "it was typed: type it again; nobody can open the file without it".to_owned()
            }
            (None, None) => format!("name a file with it: `{option} FILE`"),
        })
    }

    /// A passphrase for keys that are to be made; `None` when nobody is there to give one.
    pub(crate) fn offered(&self) -> Result<Option<Passphrase>, Failure> {
        offered(self.file.as_deref())
    }

    /// The same for the key of who signs off.
    pub(crate) fn offered_own(&self, file: Option<&Path>) -> Result<Option<Passphrase>, Failure> {
        let file = file.map(Path::to_owned).or_else(|| named(OWN_VARIABLE));
        offered(file.as_deref().or(self.file.as_deref()))
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

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

fn offered(file: Option<&Path>) -> Result<Option<Passphrase>, Failure> {
    if let Some(file) = file {
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
