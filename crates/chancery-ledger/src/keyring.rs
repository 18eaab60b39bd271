//! All the keys of one log, and which of them have to sign: rotation with overlap.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::error::{Error, Result};
use crate::key::{Algorithm, SigningKey, VerifierKey};

/// How many generations may sign at once: their lines have to leave room for those of witnesses.
const MAX_SIGNING_GENERATIONS: usize = 4;

/// Decides whether a checkpoint can be relied on: a key, a keyring or a policy.
pub trait Trust {
    /// Verifies a checkpoint.
    ///
    /// # Errors
    ///
    /// [`Error::WrongOrigin`] or [`Error::BadSignature`]; with a policy also [`Error::NoQuorum`].
    fn verify(&self, checkpoint: UnverifiedCheckpoint) -> Result<Checkpoint>;
}

/// The secret keys that sign a log's checkpoints: one or more generations, newest first.
///
/// A generation is an Ed25519 key and an ML-DSA-44 key with the log's name. To rotate, put a new
/// generation in front ([`LogKeys::rotated`]): both sign, so that verifiers with the old keys and
/// those with the new ones agree. Once everyone has the new keys, retire the older generations
/// ([`LogKeys::retired`]).
///
/// # Example
///
/// ```
/// use chancery_ledger::LogKeys;
///
/// let old = LogKeys::generate("agency.example/ledger", &[7; 32])?;
/// let both = old.rotated()?;
/// let checkpoint = both.sign(1, [3; 32], 1_790_000_000)?;
/// old.keyring().verify(checkpoint.clone().into())?;
/// both.keyring().verify(checkpoint.into())?;
///
/// // The old keys know nothing of what the new ones sign alone.
/// let alone = both.retired()?.sign(2, [4; 32], 1_790_000_001)?;
/// assert!(old.keyring().verify(alone.into()).is_err());
/// # Ok::<(), chancery_ledger::Error>(())
/// ```
#[derive(Clone)]
pub struct LogKeys {
    /// Of each generation the Ed25519 key and the ML-DSA-44 key.
    keys: Vec<SigningKey>,
    /// INVARIANT: the public halves of `keys`, in the same order.
    keyring: Keyring,
}

impl LogKeys {
    /// Makes the generation that belongs to `seed`; the same seed gives the same keys.
    ///
    /// # Errors
    ///
    /// [`Error::KeyName`] when `name` cannot name a key.
    pub fn generate(name: &str, seed: &[u8; 32]) -> Result<Self> {
        let key = |algorithm: Algorithm| {
            // The two keys share no secret, so that a broken algorithm does not give away the other.
            let hash = Sha256::new()
                .chain_update(b"chancery log key\n")
                .chain_update([algorithm.signature_type()])
                .chain_update(seed)
                .finalize();
            let seed = Zeroizing::new(<[u8; 32]>::from(hash));
            SigningKey::from_seed(name, algorithm, &seed)
        };
        Self::from_keys(vec![key(Algorithm::Ed25519)?, key(Algorithm::MlDsa44)?])
    }

    /// Makes a new random generation.
    ///
    /// # Errors
    ///
    /// [`Error::KeyName`] when `name` cannot name a key, [`Error::Random`] when the operating
    /// system has no random bytes.
    pub fn random(name: &str) -> Result<Self> {
        Self::from_keys(vec![
            SigningKey::random(name, Algorithm::Ed25519)?,
            SigningKey::random(name, Algorithm::MlDsa44)?,
        ])
    }

    /// Takes the keys as a key file lists them: pairs of Ed25519 and ML-DSA-44, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Keys`] when they are not such pairs, of one name, with no key twice, or more than
    /// four pairs.
    pub fn from_keys(keys: Vec<SigningKey>) -> Result<Self> {
        let is_pair = |pair: &[SigningKey]| {
            let mut algorithms = pair.iter().map(SigningKey::algorithm);
            algorithms.next() == Some(Algorithm::Ed25519)
                && algorithms.next() == Some(Algorithm::MlDsa44)
        };
        if keys.is_empty() || !keys.chunks(2).all(is_pair) {
            return Err(bad_keys(
                "a log signs with pairs of an Ed25519 key and an ML-DSA-44 key",
            ));
        }
        if keys.len() > 2 * MAX_SIGNING_GENERATIONS {
            return Err(bad_keys("more than four generations sign at once"));
        }
        let keyring = Keyring::from_keys(keys.iter().map(SigningKey::verifier))?;
        Ok(Self { keys, keyring })
    }

    /// The keys in the order of a key file.
    pub fn keys(&self) -> &[SigningKey] {
        &self.keys
    }

    /// The public halves.
    pub fn keyring(&self) -> Keyring {
        self.keyring.clone()
    }

    /// The name of the log.
    pub fn name(&self) -> &str {
        self.keyring.name()
    }

    /// Signs a tree with every key, at `time` in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Error::Time`] when `time` is 0 or over 2^63 - 1, [`Error::Malformed`] when `size` is out
    /// of range, and [`Error::BadSignature`] when what was just signed does not verify.
    pub fn sign(&self, size: u64, root: [u8; 32], time: u64) -> Result<Checkpoint> {
        let keys = self.keys.iter();
        let signed = UnverifiedCheckpoint::sign(self.name(), size, root, time, keys)?;
        // A signature that a fault has bent can give away an Ed25519 key. It does not leave here.
        self.keyring.verify_current(signed)
    }

    /// These keys with a new random generation in front.
    ///
    /// # Errors
    ///
    /// [`Error::Keys`] when four generations sign already: retire the older ones first.
    pub fn rotated(&self) -> Result<Self> {
        let mut keys = Self::random(self.name())?.keys;
        keys.extend_from_slice(&self.keys);
        Self::from_keys(keys)
    }

    /// The newest generation alone.
    ///
    /// Their keyring knows the newest keys only: publish it with the older ones behind it
    /// ([`Keyring::with_older`]), so that older checkpoints can still be verified.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn retired(&self) -> Result<Self> {
        Self::from_keys(self.keys.iter().take(2).cloned().collect())
    }
}

impl fmt::Debug for LogKeys {
    /// Shows the public halves only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogKeys").field(&self.keyring).finish()
    }
}

/// The public keys of one log: one or more generations, the current one first.
///
/// The text form is the `vkey` file, one vkey line per key. An Ed25519 line begins a generation,
/// and the line of a cosigning algorithm after it, ML-DSA-44, belongs to it. A single vkey line is
/// a keyring, too.
///
/// # Example
///
/// ```
/// use chancery_ledger::{Error, Keyring, LogKeys};
///
/// let keys = LogKeys::generate("agency.example/ledger", &[7; 32])?;
/// let vkey = keys.keyring().to_string();
/// let keyring: Keyring = vkey.parse()?;
/// assert_eq!((keyring.name(), keyring.keys().count()), ("agency.example/ledger", 2));
///
/// // Both keys have to sign.
/// let checkpoint = keys.sign(1, [3; 32], 1_790_000_000)?;
/// let without_last_line = checkpoint.as_str().trim_end().rsplit_once('\n').unwrap().0;
/// let half = format!("{without_last_line}\n").into_bytes();
/// let half = chancery_ledger::UnverifiedCheckpoint::parse(&half)?;
/// assert!(matches!(keyring.verify(half), Err(Error::BadSignature { .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
    name: String,
    current: Vec<VerifierKey>,
    older: Vec<Vec<VerifierKey>>,
}

impl Keyring {
    /// Sorts keys into generations, and refuses keys that cannot be one log's.
    fn from_keys(keys: impl IntoIterator<Item = VerifierKey>) -> Result<Self> {
        let mut generations: Vec<Vec<VerifierKey>> = Vec::new();
        for key in keys {
            if let Some(earlier) = generations.iter().flatten().find(|k| clash(k, &key)) {
                let (earlier, key) = (earlier.label(), key.label());
                return Err(bad_keys(format!(
                    "`{earlier}` and `{key}` are one key, or have one id"
                )));
            }
            if let Some(first) = generations.iter().flatten().next()
                && first.name() != key.name()
            {
                let (first, key) = (first.label(), key.label());
                return Err(bad_keys(format!("`{first}` and `{key}` differ in name")));
            }
            match (key.algorithm(), generations.last_mut()) {
                (Algorithm::Ed25519, _) | (_, None) => generations.push(vec![key]),
                (_, Some(generation)) if is_pairable(generation) => generation.push(key),
                _ => {
                    return Err(bad_keys(format!(
                        "`{}` does not follow the Ed25519 key of its generation",
                        key.label()
                    )));
                }
            }
        }
        let mut generations = generations.into_iter();
        let current = generations
            .next()
            .ok_or_else(|| bad_keys("no key is given"))?;
        Ok(Self {
            name: current
                .first()
                .map(VerifierKey::name)
                .unwrap_or_default()
                .to_owned(),
            current,
            older: generations.collect(),
        })
    }

    /// The name of the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All keys, the current ones first.
    pub fn keys(&self) -> impl Iterator<Item = &VerifierKey> + Clone {
        self.generations().flatten()
    }

    /// The keys of the newest generation.
    pub fn current(&self) -> &[VerifierKey] {
        &self.current
    }

    /// This keyring with the generations of an older one behind its own.
    ///
    /// Generations that both have are kept once.
    ///
    /// # Errors
    ///
    /// [`Error::Keys`] when the other is of another log, or when generations overlap in part.
    pub fn with_older(&self, older: &Self) -> Result<Self> {
        let is_new =
            |generation: &&[VerifierKey]| !self.generations().any(|own| own == *generation);
        let added: Vec<&[VerifierKey]> = older.generations().filter(is_new).collect();
        let merged = Self::from_keys(self.keys().chain(added.iter().copied().flatten()).cloned())?;
        // A lone ML-DSA-44 key would have joined the generation before it.
        if merged.generations().count() != self.generations().count() + added.len() {
            return Err(bad_keys("an older generation has no Ed25519 key"));
        }
        Ok(merged)
    }

    /// Verifies a checkpoint of any time: every key of some generation has signed it.
    ///
    /// Signatures by keys that are not in the keyring are ignored. A bad signature by one that is
    /// refuses the whole note.
    ///
    /// # Errors
    ///
    /// [`Error::WrongOrigin`] when it is another log's, [`Error::BadSignature`] when a signature
    /// is bad or lacking.
    pub fn verify(&self, checkpoint: UnverifiedCheckpoint) -> Result<Checkpoint> {
        self.verify_by(checkpoint, self.generations())
    }

    /// Verifies a checkpoint of the present: every key of the newest generation has signed it.
    ///
    /// # Errors
    ///
    /// As for [`Keyring::verify`].
    pub fn verify_current(&self, checkpoint: UnverifiedCheckpoint) -> Result<Checkpoint> {
        self.verify_by(checkpoint, std::iter::once(self.current()))
    }

    fn verify_by<'a>(
        &self,
        checkpoint: UnverifiedCheckpoint,
        mut accepted: impl Iterator<Item = &'a [VerifierKey]>,
    ) -> Result<Checkpoint> {
        if checkpoint.origin() != self.name {
            return Err(Error::WrongOrigin {
                expected: self.name.clone(),
                found: checkpoint.origin().to_owned(),
            });
        }
        let signed = checkpoint.verify_known(&self.keys().collect::<Vec<_>>())?;
        let has_signed = |key: &VerifierKey| signed.iter().any(|(by, _)| *by == key);
        if accepted.any(|generation| generation.iter().all(has_signed)) {
            let timestamp = signed.iter().filter_map(|(_, time)| *time).max();
            return Ok(Checkpoint::verified(checkpoint, timestamp));
        }
        let absent = self.current.iter().find(|key| !has_signed(key));
        Err(absent.map_or_else(
            || bad_keys("no generation is accepted"),
            VerifierKey::bad_signature,
        ))
    }

    fn generations(&self) -> impl Iterator<Item = &[VerifierKey]> + Clone {
        std::iter::once(self.current()).chain(self.older.iter().map(Vec::as_slice))
    }
}

impl Trust for Keyring {
    fn verify(&self, checkpoint: UnverifiedCheckpoint) -> Result<Checkpoint> {
        Self::verify(self, checkpoint)
    }
}

impl Trust for VerifierKey {
    /// Trusts what this one key has signed, whatever other keys the log has.
    fn verify(&self, checkpoint: UnverifiedCheckpoint) -> Result<Checkpoint> {
        Keyring::from(self.clone()).verify(checkpoint)
    }
}

impl From<VerifierKey> for Keyring {
    fn from(key: VerifierKey) -> Self {
        Self {
            name: key.name().to_owned(),
            current: vec![key],
            older: Vec::new(),
        }
    }
}

impl fmt::Display for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keys().try_for_each(|key| writeln!(f, "{key}"))
    }
}

impl FromStr for Keyring {
    type Err = Error;

    /// Parses vkey lines. The last line may lack its line end.
    fn from_str(text: &str) -> Result<Self> {
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        Self::from_keys(lines.map(str::parse).collect::<Result<Vec<_>>>()?)
    }
}

/// Whether two keys cannot both be known, as one would stand for the other.
fn clash(a: &VerifierKey, b: &VerifierKey) -> bool {
    a.has_same_public_key(b) || (a.name(), a.id()) == (b.name(), b.id())
}

/// Whether a generation is a plain Ed25519 key that another key may join.
fn is_pairable(generation: &[VerifierKey]) -> bool {
    matches!(generation, [key] if key.algorithm() == Algorithm::Ed25519)
}

fn bad_keys(problem: impl Into<String>) -> Error {
    Error::Keys {
        problem: problem.into(),
    }
}
