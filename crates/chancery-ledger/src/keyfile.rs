//! Files of secret keys: private, written so that they last, and encrypted with a passphrase.
//!
//! A key file holds one line per key, `PRIVATE+KEY+<name>+<key id>+<base64>`, in the form of Go's
//! `x/mod/sumdb/note`; the base64 is of the signature type byte and a seed of 32 bytes. Encrypted,
//! it is an armored [age](https://age-encryption.org/v1) file for a passphrase, which the `age`
//! command opens, too. A file that is not encrypted is for demonstrations.
//!
//! Keep it in a folder of its own, never in the ledger's, which may be copied and published.
//!
//! # Example
//!
//! ```
//! use chancery_ledger::{Error, LogKeys, keyfile, keyfile::Passphrase};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("ledger.key");
//! let passphrase = Passphrase::new("granite otter violet staple")?;
//! let keys = LogKeys::random("agency.example/ledger")?;
//! keyfile::write_new(&path, keys.keys(), Some(&passphrase))?;
//!
//! let ask = || Passphrase::new("granite otter violet staple");
//! let read = LogKeys::from_keys(keyfile::read(&path, Some(&ask))?)?;
//! assert_eq!(read.keyring(), keys.keyring());
//!
//! let ask = || Passphrase::new("granite otter violet stable");
//! let refused = keyfile::read(&path, Some(&ask));
//! assert!(matches!(refused, Err(Error::WrongPassphrase { .. })));
//! # Ok::<(), Error>(())
//! ```

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use age::armor::ArmoredReader;
use age::scrypt;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::key::SigningKey;

/// The first line of an armored age file.
const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// The work to try one passphrase: scrypt with N = 2^17, 128 MiB and a fraction of a second.
///
/// Fixed, as the work that `age` measures for itself is less on a busy machine.
const WORK_FACTOR: u8 = 17;

/// The most work that a file may ask for: 1 GiB.
const MAX_WORK_FACTOR: u8 = 20;

/// Far more than any number of keys takes.
const MAX_FILE: u64 = 64 * 1024;

/// What a key file is encrypted with. It is wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes a passphrase as it was typed, without its line end.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyPassphrase`].
    pub fn new(passphrase: impl Into<String>) -> Result<Self> {
        let passphrase = Zeroizing::new(passphrase.into());
        if passphrase.is_empty() {
            return Err(Error::EmptyPassphrase);
        }
        Ok(Self(passphrase))
    }

    fn to_secret(&self) -> SecretString {
        SecretString::from(self.0.as_str())
    }
}

impl fmt::Debug for Passphrase {
    /// Shows nothing of it, its length neither.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Gets a passphrase when one is needed, from a terminal or a file for instance.
pub type Ask<'a> = &'a dyn Fn() -> Result<Passphrase>;

/// Writes keys to a new file, which only its owner may read, and makes it last.
///
/// Without a passphrase the keys are not encrypted, which is for demonstrations.
///
/// # Errors
///
/// [`Error::AlreadyExists`] when the file is there: a key is never overwritten. [`Error::Io`] when
/// it cannot be written.
pub fn write_new(path: &Path, keys: &[SigningKey], passphrase: Option<&Passphrase>) -> Result<()> {
    // Tell before the work of encrypting; the link below decides.
    if fs::symlink_metadata(path).is_ok() {
        return Err(Error::AlreadyExists {
            file: path.display().to_string(),
        });
    }
    let content = content(path, keys, passphrase)?;
    let temporary = write_temporary(path, &content)?;
    // A link, unlike a rename, does not overwrite.
    let linked = fs::hard_link(&temporary, path).map_err(|reason| failed("create", path, reason));
    let removed = fs::remove_file(&temporary);
    linked?;
    removed.map_err(|reason| failed("remove", &temporary, reason))?;
    sync_folder(path)
}

/// Puts other keys into a key file, as rotation does: a crash leaves the old file or the new one.
///
/// # Errors
///
/// [`Error::Missing`] when there is no such file, [`Error::Unencrypted`] when the file is encrypted
/// and no passphrase is given, [`Error::ExposedKeyFile`] as for [`read`], and [`Error::Io`].
pub fn replace(path: &Path, keys: &[SigningKey], passphrase: Option<&Passphrase>) -> Result<()> {
    let old = read_private(path)?;
    if passphrase.is_none() && is_encrypted(&old) {
        return Err(Error::Unencrypted {
            file: path.display().to_string(),
        });
    }
    let content = content(path, keys, passphrase)?;
    let temporary = write_temporary(path, &content)?;
    fs::rename(&temporary, path).map_err(|reason| {
        // The failure to rename is the one to tell; the next write removes what is left.
        let _ = fs::remove_file(&temporary);
        failed("replace", path, reason)
    })?;
    sync_folder(path)
}

/// Reads the keys of a file, and asks for a passphrase only if it is encrypted.
///
/// # Errors
///
/// [`Error::Missing`] when there is no file, [`Error::ExposedKeyFile`] when its group or others
/// have any access to it, [`Error::PassphraseNeeded`] when it is encrypted and there is nobody to
/// ask, [`Error::WrongPassphrase`], [`Error::KeyFile`] when it is damaged or cut short, and
/// whatever `ask` returns.
pub fn read(path: &Path, ask: Option<Ask<'_>>) -> Result<Vec<SigningKey>> {
    let content = read_private(path)?;
    if !is_encrypted(&content) {
        return parse(&content).map_err(|problem| unsound(path, problem));
    }
    let lines = decrypt(path, &content, ask)?;
    parse(&lines).map_err(|problem| unsound(path, problem))
}

/// Whether a key file is encrypted, for a command that has to say so before it asks.
///
/// # Errors
///
/// As for [`read`], as far as it does not concern the passphrase or the keys.
pub fn is_file_encrypted(path: &Path) -> Result<bool> {
    read_private(path).map(|content| is_encrypted(&content))
}

/// The bytes to write. Nothing unencrypted reaches the disk when there is a passphrase.
fn content(
    path: &Path,
    keys: &[SigningKey],
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<Vec<u8>>> {
    if keys.is_empty() {
        return Err(unsound(path, "it would hold no key"));
    }
    let length = keys.iter().map(|key| key.to_line().len() + 1).sum();
    // With room for all, so that no copy is left behind by growing.
    let mut lines = Zeroizing::new(Vec::with_capacity(length));
    for key in keys {
        lines.extend_from_slice(key.to_line().as_bytes());
        lines.push(b'\n');
    }
    let Some(passphrase) = passphrase else {
        return Ok(lines);
    };
    let mut recipient = scrypt::Recipient::new(passphrase.to_secret());
    recipient.set_work_factor(WORK_FACTOR);
    let encrypted = age::encrypt_and_armor(&recipient, &lines)
        .map_err(|_| unsound(path, "it cannot be encrypted"))?;
    Ok(Zeroizing::new(encrypted.into_bytes()))
}

fn decrypt(path: &Path, content: &[u8], ask: Option<Ask<'_>>) -> Result<Zeroizing<Vec<u8>>> {
    let damaged = || unsound(path, "its encrypted content is damaged or cut short");
    // Nobody is asked for the passphrase of a file that cannot be opened anyway.
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(content)).map_err(|_| damaged())?;
    if !decryptor.is_scrypt() {
        return Err(unsound(path, "it is not encrypted with a passphrase"));
    }
    let ask = ask.ok_or_else(|| Error::PassphraseNeeded {
        file: path.display().to_string(),
    })?;
    let mut identity = scrypt::Identity::new(ask()?.to_secret());
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let identity: &dyn age::Identity = &identity;
    let mut reader =
        decryptor
            .decrypt(std::iter::once(identity))
            .map_err(|problem| match problem {
                DecryptError::DecryptionFailed => Error::WrongPassphrase {
                    file: path.display().to_string(),
                },
                DecryptError::ExcessiveWork { .. } => {
                    unsound(path, "its passphrase would take too much work to try")
                }
                _ => damaged(),
            })?;
    // With room for all, so that no copy is left behind by growing.
    let mut lines = Zeroizing::new(Vec::with_capacity(content.len()));
    reader.read_to_end(&mut lines).map_err(|_| damaged())?;
    Ok(lines)
}

fn parse(content: &[u8]) -> std::result::Result<Vec<SigningKey>, &'static str> {
    let text = std::str::from_utf8(content).map_err(|_| "it is not text")?;
    let lines = text
        .strip_suffix('\n')
        .ok_or("its last line has no end, so it may be cut short")?;
    lines.split('\n').map(SigningKey::from_line).collect()
}

fn is_encrypted(content: &[u8]) -> bool {
    content.starts_with(ARMOR)
}

fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path).map_err(|reason| failed("read", path, reason))?;
    // Asked of the open file, which nobody can exchange for another.
    let metadata = file
        .metadata()
        .map_err(|reason| failed("read", path, reason))?;
    if !metadata.is_file() {
        return Err(unsound(path, "it is not a file"));
    }
    refuse_exposed(path, &metadata)?;
    if metadata.len() > MAX_FILE {
        return Err(unsound(path, "it is longer than 64 KiB"));
    }
    let length = usize::try_from(metadata.len()).unwrap_or_default();
    let mut content = Zeroizing::new(Vec::with_capacity(length + 1));
    file.take(MAX_FILE)
        .read_to_end(&mut content)
        .map_err(|reason| failed("read", path, reason))?;
    Ok(content)
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    Err(Error::ExposedKeyFile {
        file: path.display().to_string(),
        mode,
    })
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<()> {
    Ok(())
}

/// Writes and syncs a file next to `path`.
fn write_temporary(path: &Path, content: &[u8]) -> Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    // What a crash has left is in nobody's use.
    match fs::remove_file(&temporary) {
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove", &temporary, reason));
        }
        _ => {}
    }
    let written = write_synced(&temporary, content);
    written.map_err(|reason| {
        let _ = fs::remove_file(&temporary);
        failed("write", &temporary, reason)
    })?;
    Ok(temporary)
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A key that signs a checkpoint and then is gone would orphan the ledger: sync its folder.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|reason| failed("sync the folder of", path, reason))
}

fn unsound(path: &Path, problem: &'static str) -> Error {
    Error::KeyFile {
        file: path.display().to_string(),
        problem,
    }
}

fn failed(action: &'static str, path: &Path, reason: io::Error) -> Error {
    let file = path.display().to_string();
    match reason.kind() {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { file },
        io::ErrorKind::NotFound if action == "read" => Error::Missing { file },
        _ => Error::Io {
            action,
            file,
            reason,
        },
    }
}
