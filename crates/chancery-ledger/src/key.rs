//! Keys with a name, in the text forms of `c2sp.org/signed-note`, which other log tools read too.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::Signer as _;
use ml_dsa::{KeyInit as _, Keypair as _, MlDsa44};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The longest name that fits the one-byte length in what an ML-DSA-44 key signs.
const MAX_NAME: usize = 255;

/// How a key signs, as the signature type byte of `c2sp.org/signed-note` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Plain Ed25519 over the text of a note, type 0x01: logs sign with it.
    Ed25519,
    /// Ed25519 over a time and the text of a checkpoint, type 0x04: witnesses sign with it.
    Ed25519Cosignature,
    /// ML-DSA-44 over a time and the tree of a checkpoint, type 0x06: logs and witnesses sign
    /// with it.
    MlDsa44,
}

impl Algorithm {
    /// The signature type byte.
    pub fn signature_type(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Ed25519Cosignature => 0x04,
            Self::MlDsa44 => 0x06,
        }
    }

    fn from_signature_type(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::Ed25519Cosignature),
            0x06 => Some(Self::MlDsa44),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "Ed25519",
            Self::Ed25519Cosignature => "Ed25519 cosignature",
            Self::MlDsa44 => "ML-DSA-44",
        })
    }
}

/// A secret key with a name.
///
/// The secret is wiped from memory when the key is dropped. It is written only to key files
/// ([`keyfile`](crate::keyfile)) and never shown.
///
/// # Example
///
/// ```
/// use chancery_ledger::{Algorithm, Error, SigningKey};
///
/// let key = SigningKey::generate("agency.example/custodian", Algorithm::Ed25519, [7; 32])?;
/// let signature = key.sign(b"a message")?;
/// key.verifier().verify(b"a message", &signature)?;
///
/// let other = key.verifier().verify(b"another message", &signature);
/// assert!(matches!(other, Err(Error::BadSignature { .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    secret: Secret,
    verifier: VerifierKey,
}

/// Both libraries wipe their secret on drop.
#[derive(Clone)]
enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    MlDsa44(Box<ml_dsa::SigningKey<MlDsa44>>),
}

impl SigningKey {
    /// Makes the key that belongs to `seed`; the same seed gives the same key.
    ///
    /// # Errors
    ///
    /// [`Error::KeyName`] when `name` is empty, longer than 255 bytes, or has a space, a plus or a
    /// control character.
    pub fn generate(name: &str, algorithm: Algorithm, seed: [u8; 32]) -> Result<Self> {
        Self::from_seed(name, algorithm, &Zeroizing::new(seed))
    }

    /// Makes a new random key.
    ///
    /// # Errors
    ///
    /// As for [`SigningKey::generate`], and [`Error::Random`] when the operating system has no
    /// random bytes.
    pub fn random(name: &str, algorithm: Algorithm) -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|reason| Error::Random {
            reason: reason.into(),
        })?;
        Self::from_seed(name, algorithm, &seed)
    }

    pub(crate) fn from_seed(name: &str, algorithm: Algorithm, seed: &[u8; 32]) -> Result<Self> {
        if !is_name(name) {
            return Err(Error::KeyName {
                name: name.to_owned(),
            });
        }
        let (secret, public) = match algorithm {
            Algorithm::Ed25519 | Algorithm::Ed25519Cosignature => {
                let key = ed25519_dalek::SigningKey::from_bytes(seed);
                let public = Public::Ed25519(key.verifying_key());
                (Secret::Ed25519(Box::new(key)), public)
            }
            Algorithm::MlDsa44 => {
                let key = ml_dsa::SigningKey::<MlDsa44>::from_seed(seed.into());
                let public = Public::MlDsa44(key.verifying_key());
                (Secret::MlDsa44(Box::new(key)), public)
            }
        };
        let verifier = VerifierKey::new(name, algorithm, public);
        Ok(Self { secret, verifier })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// How the key signs.
    pub fn algorithm(&self) -> Algorithm {
        self.verifier.algorithm
    }

    /// The public half, which anyone may have.
    pub fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    /// Signs any message with plain Ed25519; [`VerifierKey::verify`] checks it.
    ///
    /// The caller keeps kinds of messages apart: use one key for checkpoints and another for
    /// anything else.
    ///
    /// # Errors
    ///
    /// [`Error::KeyAlgorithm`] when the key is not a plain Ed25519 one.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64]> {
        match (&self.secret, self.algorithm()) {
            (Secret::Ed25519(key), Algorithm::Ed25519) => Ok(key.sign(message).to_bytes()),
            _ => Err(self.verifier.wrong_algorithm("a plain Ed25519 key")),
        }
    }

    /// Signs bytes as the algorithm's own notes do; the caller has put the right ones together.
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>> {
        match &self.secret {
            Secret::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
            // The deterministic variant of FIPS 204, with the empty context: no random number
            // generator can leak the key, and a repeated signature is the same.
            Secret::MlDsa44(key) => key
                .expanded_key()
                .sign_deterministic(message, &[])
                .map(|signature| signature.encode().to_vec())
                // It gives up after hundreds of rejected tries, which does not happen.
                .map_err(|_| self.verifier.bad_signature()),
        }
    }

    pub(crate) fn public(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The line of a key file: `PRIVATE+KEY+<name>+<key id>+<base64>`.
    pub(crate) fn to_line(&self) -> Zeroizing<String> {
        let mut secret = Zeroizing::new([0; 33]);
        let seed: &[u8] = match &self.secret {
            Secret::Ed25519(key) => key.as_bytes(),
            Secret::MlDsa44(key) => key.as_seed(),
        };
        for (to, from) in secret.iter_mut().skip(1).zip(seed) {
            *to = *from;
        }
        if let Some(first) = secret.first_mut() {
            *first = self.algorithm().signature_type();
        }
        let base64 = Zeroizing::new(BASE64_STANDARD.encode(secret.as_slice()));
        let (name, id) = (self.name(), self.verifier.key_id());
        Zeroizing::new(format!("PRIVATE+KEY+{name}+{id}+{}", &*base64))
    }

    /// Parses a line of a key file. The problem that it returns shows nothing of the line.
    pub(crate) fn from_line(line: &str) -> std::result::Result<Self, &'static str> {
        const NO_KEY: &str = "it is not a `PRIVATE+KEY+` line";
        let rest = line.strip_prefix("PRIVATE+KEY+").ok_or(NO_KEY)?;
        let (name, rest) = rest.split_once('+').ok_or(NO_KEY)?;
        let (_, base64) = rest.split_once('+').ok_or(NO_KEY)?;
        let bytes = BASE64_STANDARD.decode(base64).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| "its secret is not base64")?;
        let (algorithm, seed) = bytes.split_first().ok_or("its secret is empty")?;
        let algorithm = Algorithm::from_signature_type(*algorithm)
            .ok_or("its type byte is none of 0x01, 0x04 and 0x06")?;
        let seed = seed
            .try_into()
            .map_err(|_| "its secret is not a seed of 32 bytes")?;
        let key = Self::from_seed(name, algorithm, seed).map_err(|_| "its name is not sound")?;
        if *key.to_line() != line {
            return Err("its key id is not that of its name and secret");
        }
        Ok(key)
    }
}

impl fmt::Debug for SigningKey {
    /// Shows the public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier.label())
    }
}

/// A public key with a name, printed and parsed as a vkey line: `<name>+<key id>+<base64>`.
///
/// # Example
///
/// ```
/// use chancery_ledger::{Algorithm, VerifierKey};
///
/// let line = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// let key: VerifierKey = line.parse()?;
/// assert_eq!((key.name(), key.algorithm()), ("PeterNeumann", Algorithm::Ed25519));
/// assert_eq!(key.to_string(), line);
///
/// // The key id is a hash over name and key, so another name is noticed.
/// assert!(line.replace("Peter", "Paul").parse::<VerifierKey>().is_err());
/// # Ok::<(), chancery_ledger::Error>(())
/// ```
#[derive(Clone)]
pub struct VerifierKey {
    name: String,
    algorithm: Algorithm,
    public: Public,
    id: u32,
}

#[derive(Clone, PartialEq)]
enum Public {
    Ed25519(ed25519_dalek::VerifyingKey),
    MlDsa44(ml_dsa::VerifyingKey<MlDsa44>),
}

impl VerifierKey {
    fn new(name: &str, algorithm: Algorithm, public: Public) -> Self {
        let typed = [vec![algorithm.signature_type()], public.to_bytes()].concat();
        Self {
            name: name.to_owned(),
            algorithm,
            id: signed_note::key_id(name, &typed),
            public,
        }
    }

    /// The key's name; for a log's key also the origin line of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the key signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The first four bytes of SHA-256(name, LF, type byte, public key), in lower-case hex.
    pub fn key_id(&self) -> String {
        format!("{:08x}", self.id)
    }

    /// The public key as its algorithm encodes it: 32 bytes for Ed25519, 1312 for ML-DSA-44.
    pub fn public_key(&self) -> Vec<u8> {
        self.public.to_bytes()
    }

    /// Checks a signature made by [`SigningKey::sign`].
    ///
    /// # Errors
    ///
    /// [`Error::BadSignature`] when it is not this key's signature of this message,
    /// [`Error::KeyAlgorithm`] when the key is not a plain Ed25519 one.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<()> {
        if self.algorithm != Algorithm::Ed25519 {
            return Err(self.wrong_algorithm("a plain Ed25519 key"));
        }
        self.verify_bytes(message, signature)
    }

    /// Checks a signature made by [`SigningKey::sign_bytes`].
    pub(crate) fn verify_bytes(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        if self.public.is_signed(message, signature) {
            Ok(())
        } else {
            Err(self.bad_signature())
        }
    }

    pub(crate) fn bad_signature(&self) -> Error {
        Error::BadSignature { key: self.label() }
    }

    pub(crate) fn wrong_algorithm(&self, expected: &'static str) -> Error {
        Error::KeyAlgorithm {
            key: self.label(),
            found: self.algorithm,
            expected,
        }
    }

    /// The key as messages show it: `name+id`.
    pub(crate) fn label(&self) -> String {
        format!("{}+{:08x}", self.name, self.id)
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Whether two keys wrap the same public key, whatever their names and algorithms.
    pub(crate) fn has_same_public_key(&self, other: &Self) -> bool {
        self.public == other.public
    }
}

impl Public {
    fn parse(algorithm: Algorithm, bytes: &[u8]) -> std::result::Result<Self, &'static str> {
        match algorithm {
            Algorithm::Ed25519 | Algorithm::Ed25519Cosignature => {
                Self::parse_ed25519(bytes).map(Self::Ed25519)
            }
            Algorithm::MlDsa44 => ml_dsa::VerifyingKey::new_from_slice(bytes)
                .map(Self::MlDsa44)
                .map_err(|_| "an ML-DSA-44 key has 1312 bytes"),
        }
    }

    fn parse_ed25519(
        bytes: &[u8],
    ) -> std::result::Result<ed25519_dalek::VerifyingKey, &'static str> {
        let bytes = bytes
            .try_into()
            .map_err(|_| "an Ed25519 key has 32 bytes")?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map_err(|_| "its bytes are no Ed25519 key")?;
        if key.is_weak() {
            return Err("a weak key, for which anybody can sign");
        }
        // A point has one encoding as far as we care; otherwise one key could have two ids.
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err("its Ed25519 key is not in canonical form");
        }
        Ok(key)
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.as_bytes().to_vec(),
            Self::MlDsa44(key) => key.encode().to_vec(),
        }
    }

    fn is_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            // Strict, so that one signature cannot be turned into a second valid one.
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::MlDsa44(key) => ml_dsa::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify_with_context(message, &[], &signature)),
        }
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        (self.algorithm, &self.name) == (other.algorithm, &other.name)
            && self.public == other.public
    }
}

impl Eq for VerifierKey {}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({})", self.label())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [
            vec![self.algorithm.signature_type()],
            self.public.to_bytes(),
        ];
        let base64 = BASE64_STANDARD.encode(typed.concat());
        write!(f, "{}+{base64}", self.label())
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    /// Parses a vkey line, without a line end.
    fn from_str(line: &str) -> Result<Self> {
        parse_vkey(line).map_err(|problem| Error::malformed("verifier key", problem))
    }
}

fn parse_vkey(line: &str) -> std::result::Result<VerifierKey, &'static str> {
    const NO_VKEY: &str = "it is not `<name>+<key id>+<base64>`";
    // Base64 itself has `+`, so the fields are counted from the left.
    let (name, rest) = line.split_once('+').ok_or(NO_VKEY)?;
    let (_, base64) = rest.split_once('+').ok_or(NO_VKEY)?;
    if !is_name(name) {
        return Err("its name is empty, too long, or has a space or a control character");
    }
    let bytes = BASE64_STANDARD.decode(base64);
    let bytes = bytes.map_err(|_| "its key is not base64")?;
    let (algorithm, public) = bytes.split_first().ok_or("its key is empty")?;
    let algorithm = Algorithm::from_signature_type(*algorithm)
        .ok_or("its type byte is none of 0x01, 0x04 and 0x06")?;
    let key = VerifierKey::new(name, algorithm, Public::parse(algorithm, public)?);
    // This compares the key id, too.
    if key.to_string() != line {
        return Err("its key id is not that of its name and key, in eight lower-case hex digits");
    }
    Ok(key)
}

/// Whether a name can stand in a note and in what an ML-DSA-44 key signs.
fn is_name(name: &str) -> bool {
    // Control characters would break the lines of a note.
    signed_note::is_key_name_valid(name)
        && !name.chars().any(char::is_control)
        && name.len() <= MAX_NAME
}
