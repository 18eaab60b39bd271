//! Ed25519 keys in the text forms of `c2sp.org/signed-note`, which other log tools read too.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::Signer as _;

use crate::error::{Error, Result};

/// The signature type byte of plain Ed25519 in `c2sp.org/signed-note`.
const ED25519: u8 = 0x01;

/// A secret key with a name, which signs checkpoints and, for callers, other messages.
///
/// Kept in a file of its own, never in the ledger's folder, which may be copied and published.
/// The file holds one line in the form of Go's `x/mod/sumdb/note`:
/// `PRIVATE+KEY+<name>+<key id>+<base64>`.
#[derive(Clone)]
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// Makes the key that belongs to `seed`; the same seed gives the same key.
    ///
    /// # Errors
    ///
    /// [`Error::KeyName`] when `name` is empty or has a space or a plus.
    pub fn generate(name: &str, seed: [u8; 32]) -> Result<Self> {
        // Control characters would break the lines of a note.
        if !signed_note::is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(Error::KeyName {
                name: name.to_owned(),
            });
        }
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        Ok(Self {
            name: name.to_owned(),
            key,
        })
    }

    /// Makes a new random key and keeps it in a new file which only its owner may read.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] when the file is there: a key is never overwritten.
    pub fn create_file(path: &Path, name: &str) -> Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|reason| Error::Io {
            action: "get random bytes for",
            file: path.display().to_string(),
            reason: reason.into(),
        })?;
        let key = Self::generate(name, seed)?;
        write_secret(path, &key.to_line())?;
        Ok(key)
    }

    /// Reads a key that [`SigningKey::create_file`] or another C2SP tool has written.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read, [`Error::Malformed`] when it holds no key.
    pub fn load(path: &Path) -> Result<Self> {
        let line = fs::read_to_string(path).map_err(|reason| Error::Io {
            action: "read",
            file: path.display().to_string(),
            reason,
        })?;
        Self::parse(line.strip_suffix('\n').unwrap_or(&line)).map_err(|problem| {
            Error::malformed("signing key", format!("{problem} in `{}`", path.display()))
        })
    }

    /// The public half, which anyone may have.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// Signs any message; [`VerifierKey::verify`] checks it.
    ///
    /// The caller keeps kinds of messages apart: use one key for checkpoints and another for
    /// anything else.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    fn parse(line: &str) -> std::result::Result<Self, String> {
        // The library checks the form and the key id; it does not hand out the seed.
        signed_note::StandardSigner::new(line).map_err(|problem| problem.to_string())?;
        let name = line.split('+').nth(2).unwrap_or_default();
        let seed = last_field(line, 5).ok_or("no 32-byte Ed25519 seed")?;
        Self::generate(name, seed).map_err(|problem| problem.to_string())
    }

    fn to_line(&self) -> String {
        let secret = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        let (name, id) = (&self.name, self.verifier().key_id());
        format!("PRIVATE+KEY+{name}+{id}+{}", BASE64_STANDARD.encode(secret))
    }
}

impl fmt::Debug for SigningKey {
    /// Shows the public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier())
    }
}

/// A public key with a name, printed and parsed as a vkey line: `<name>+<key id>+<base64>`.
///
/// # Example
///
/// ```
/// use chancery_ledger::VerifierKey;
///
/// let line = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// let key: VerifierKey = line.parse()?;
/// assert_eq!(key.name(), "PeterNeumann");
/// assert_eq!(key.to_string(), line);
///
/// // The key id is a hash over name and key, so another name is noticed.
/// assert!(line.replace("Peter", "Paul").parse::<VerifierKey>().is_err());
/// # Ok::<(), chancery_ledger::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// The key's name; for a ledger's key also the origin line of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name, LF, 0x01, public key), in lower-case hex.
    pub fn key_id(&self) -> String {
        format!("{:08x}", self.id())
    }

    /// The 32 bytes of the Ed25519 public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// Checks a signature made by [`SigningKey::sign`].
    ///
    /// # Errors
    ///
    /// [`Error::BadSignature`] when it is not this key's signature of this message.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<()> {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        // Strict, so that one signature cannot be turned into a second valid one.
        self.key
            .verify_strict(message, &signature)
            .map_err(|_| self.bad_signature())
    }

    pub(crate) fn bad_signature(&self) -> Error {
        Error::BadSignature {
            key: format!("{}+{}", self.name, self.key_id()),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        signed_note::key_id(
            &self.name,
            &[&[ED25519], self.key.as_bytes().as_slice()].concat(),
        )
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&signed_note::new_ed25519_verifier_key(
            &self.name, &self.key,
        ))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    /// Parses a vkey line, without a line end.
    fn from_str(line: &str) -> Result<Self> {
        let malformed = |problem: &str| Error::malformed("verifier key", problem);
        // The library checks the form and the key id; it does not hand out the key.
        signed_note::StandardVerifier::new(line)
            .map_err(|problem| malformed(&problem.to_string()))?;
        let name = line.split('+').next().unwrap_or_default();
        let bytes = last_field(line, 3).ok_or_else(|| malformed("no 32-byte Ed25519 key"))?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes)
            .map_err(|_| malformed("not an Ed25519 key"))?;
        if key.is_weak() || name.chars().any(char::is_control) {
            return Err(malformed("a weak key or a control character in its name"));
        }
        let key = Self {
            name: name.to_owned(),
            key,
        };
        if key.to_string() != line {
            return Err(malformed("not in canonical form"));
        }
        Ok(key)
    }
}

/// The 32 key bytes after the type byte in the last of `fields` fields.
///
/// Base64 itself has `+`, so the fields are counted from the left.
fn last_field(line: &str, fields: usize) -> Option<[u8; 32]> {
    let bytes = BASE64_STANDARD
        .decode(line.splitn(fields, '+').last()?)
        .ok()?;
    bytes.strip_prefix(&[ED25519])?.try_into().ok()
}

fn write_secret(path: &Path, line: &str) -> Result<()> {
    let failed = |action, reason: std::io::Error| {
        let file = path.display().to_string();
        if reason.kind() == std::io::ErrorKind::AlreadyExists {
            return Error::AlreadyExists { file };
        }
        Error::Io {
            action,
            file,
            reason,
        }
    };
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);

    let mut file = options
        .open(path)
        .map_err(|reason| failed("create", reason))?;
    file.write_all(format!("{line}\n").as_bytes())
        .map_err(|reason| failed("write", reason))?;
    file.sync_all().map_err(|reason| failed("sync", reason))?;
    // A key that signs a checkpoint and then is gone would orphan the ledger: sync its folder.
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(|reason| failed("sync the folder of", reason))
}
