//! Stand-in until the keys are there.
use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::error::Result;
use crate::key::{SigningKey, VerifierKey};
use std::fmt;
use std::str::FromStr;
/// Secret.
#[derive(Clone, Debug)]
pub struct LogKeys(Vec<SigningKey>);
impl LogKeys {
    /// G.
    pub fn generate(name: &str, seed: &[u8; 32]) -> Result<Self> {
        Ok(Self(vec![SigningKey::generate(name, *seed)?]))
    }
    /// K.
    pub fn keyring(&self) -> Keyring {
        Keyring(self.0.iter().map(SigningKey::verifier).collect())
    }
    /// S.
    pub fn sign(&self, size: u64, root: [u8; 32], _time: u64) -> Result<Checkpoint> {
        Checkpoint::sign(&self.0[0], size, tlog_tiles::Hash(root))
    }
}
/// Public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring(Vec<VerifierKey>);
impl Keyring {
    /// N.
    pub fn name(&self) -> &str {
        self.0[0].name()
    }
    /// K.
    pub fn keys(&self) -> impl Iterator<Item = &VerifierKey> {
        self.0.iter()
    }
    /// W.
    pub fn with_older(&self, other: &Keyring) -> Keyring {
        let mut all = self.0.clone();
        all.extend(other.0.iter().filter(|k| !self.0.contains(k)).cloned());
        Keyring(all)
    }
    /// V.
    pub fn verify(&self, note: UnverifiedCheckpoint) -> Result<Checkpoint> {
        note.verify(&self.0[0])
    }
    /// V.
    pub fn verify_current(&self, note: UnverifiedCheckpoint) -> Result<Checkpoint> {
        note.verify(&self.0[0])
    }
}
impl fmt::Display for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|key| writeln!(f, "{key}"))
    }
}
impl FromStr for Keyring {
    type Err = crate::Error;
    fn from_str(s: &str) -> Result<Self> {
        Ok(Self(s.lines().map(str::parse).collect::<Result<_>>()?))
    }
}
