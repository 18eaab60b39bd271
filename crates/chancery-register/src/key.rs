use std::hash::Hasher as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};
use siphasher::sip128::{Hasher128 as _, SipHasher24};
use zeroize::Zeroizing;

use crate::{Error, Person};

/// `c2sp.org/vrf-r255`.
const SUITE: &[u8] = b"\xFFc2sp.org/vrf-r255";

/// A person under a key: 12 bytes of the output of a verifiable random function.
pub(crate) type Pseudonym = [u8; 12];

/// What makes pseudonyms: whoever has it can find out who is in the register.
///
/// Pseudonyms are outputs of the verifiable random function `c2sp.org/vrf-r255` (RFC 9381 over
/// ristretto255). Ids can be guessed, so a hash without a key would tell them to everybody; a hash
/// with a key proves nothing to the person, who cannot tell whether a pseudonym is theirs. This one
/// can be checked with the public key by whoever is shown the proof, and computed by nobody else.
#[derive(Clone)]
pub struct SecretKey {
    scalar: Zeroizing<[u8; 32]>,
    tags: Zeroizing<[u8; 16]>,
    padding: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

/// What pseudonyms are checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicKey([u8; 32]);

/// The proof that a pseudonym is a person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PseudonymProof([u8; 80]);

impl SecretKey {
    /// The key that 32 or more secret bytes give.
    ///
    /// ```
    /// use chancery_register::{Person, SecretKey};
    /// let key = SecretKey::derive(&[7; 32])?;
    /// let person = Person::new("06", "CA900123456").unwrap();
    /// let proof = key.prove(&person)?;
    /// assert!(key.public().check(&person, &proof));
    /// let other = Person::new("06", "CA900123457").unwrap();
    /// assert!(!key.public().check(&other, &proof));
    /// // Too few to be secret.
    /// assert!(SecretKey::derive(&[7; 16]).is_err());
    /// # Ok::<(), chancery_register::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Key`] when they are fewer.
    pub fn derive(secret: &[u8]) -> Result<Self, Error> {
        if secret.len() < 32 {
            return Err(Error::Key);
        }
        let wide = |label: &[u8]| -> [u8; 64] {
            let mut hash = Sha512::new_with_prefix(b"chancery/register/key/v1\0");
            hash.update(label);
            hash.update([0]);
            hash.update(secret);
            hash.finalize().into()
        };
        let scalar = Scalar::from_bytes_mod_order_wide(&wide(b"vrf")).to_bytes();
        let key: Option<vrf_r255::SecretKey> = vrf_r255::SecretKey::from_bytes(scalar).into();
        let public = vrf_r255::PublicKey::from(key.ok_or(Error::Key)?);
        let mut tags = [0; 16];
        let mut padding = [0; 32];
        tags.iter_mut()
            .zip(wide(b"tags"))
            .for_each(|(to, from)| *to = from);
        padding
            .iter_mut()
            .zip(wide(b"padding"))
            .for_each(|(to, from)| *to = from);
        Ok(Self {
            scalar: Zeroizing::new(scalar),
            tags: Zeroizing::new(tags),
            padding: Zeroizing::new(padding),
            public: PublicKey(public.to_bytes()),
        })
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// A person's pseudonym, with the proof that it is theirs.
    ///
    /// # Errors
    ///
    /// [`Error::Key`]: never, for a key that [`SecretKey::derive`] made.
    pub fn prove(&self, person: &Person<'_>) -> Result<PseudonymProof, Error> {
        let key: Option<vrf_r255::SecretKey> = vrf_r255::SecretKey::from_bytes(*self.scalar).into();
        let proof = key.ok_or(Error::Key)?.prove(&person.alpha());
        Ok(PseudonymProof(proof.to_bytes()))
    }

    /// A person's pseudonym: what [`PublicKey::pseudonym`] finds in the proof, without the proof, which
    /// is most of the work.
    pub(crate) fn pseudonym(&self, person: &Person<'_>) -> Pseudonym {
        let mut hash = Sha512::new_with_prefix(SUITE);
        hash.update([0x82]);
        hash.update(self.public.0);
        hash.update(person.alpha());
        let point = RistrettoPoint::from_uniform_bytes(&hash.finalize().into());
        let gamma = Scalar::from_bytes_mod_order(*self.scalar) * point;
        let mut output = Sha512::new_with_prefix(SUITE);
        output.update([0x03]);
        output.update(gamma.compress().as_bytes());
        output.update([0x00]);
        shortened(&output.finalize().into())
    }

    /// What a person is found again by: a keyed hash of 64 bits, far quicker than a pseudonym.
    pub(crate) fn tag(&self, person: &Person<'_>) -> u64 {
        let mut hash = SipHasher24::new_with_key(&self.tags);
        hash.write(person.origin().as_bytes());
        hash.write(&[0]);
        hash.write(person.id().as_bytes());
        hash.finish128().h1
    }

    /// What stands for a person in an entry of the ledger: a keyed hash that nobody but the key's holder
    /// can compute, of which no proof is ever shown. It is another in an entry of another type, or of
    /// another time, so that nobody else can tell which entries are about the same person.
    ///
    /// ```
    /// use chancery_register::{Person, SecretKey};
    /// let key = SecretKey::derive(&[7; 32])?;
    /// let person = Person::new("06", "CA900123456").unwrap();
    /// let mark = key.mark("look_up", "2026-01-10T12:00:00Z", &person);
    /// assert_ne!(mark, key.mark("look_up", "2026-01-10T12:00:01Z", &person));
    /// assert_ne!(mark, key.mark("suspension", "2026-01-10T12:00:00Z", &person));
    /// # Ok::<(), chancery_register::Error>(())
    /// ```
    pub fn mark(&self, entry: &str, recorded: &str, person: &Person<'_>) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(b"chancery/register/mark/v1\0");
        hash.update(self.padding.as_slice());
        for part in [entry, recorded] {
            hash.update(part);
            hash.update([0]);
        }
        hash.update(person.alpha());
        // Hashed again, so that nothing can be appended to what is hashed.
        Sha256::digest(hash.finalize()).into()
    }

    /// A leaf that is nobody's, so that the number of leaves does not tell the number of people.
    pub(crate) fn padding(&self, release: &str, bucket: u32, number: u32) -> [u8; 64] {
        let half = |half: u8| -> [u8; 32] {
            let mut hash = Sha256::new_with_prefix(b"chancery/register/padding/v1\0");
            hash.update(self.padding.as_slice());
            hash.update(release.as_bytes());
            hash.update([0, half]);
            hash.update(bucket.to_be_bytes());
            hash.update(number.to_be_bytes());
            hash.finalize().into()
        };
        let mut leaf = [0; 64];
        let halves = half(0).into_iter().chain(half(1));
        leaf.iter_mut()
            .zip(halves)
            .for_each(|(to, from)| *to = from);
        leaf
    }
}

impl std::fmt::Debug for SecretKey {
    /// Shows its public half alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({})", String::from(self.public))
    }
}

impl PublicKey {
    /// Whether the proof is of this person's pseudonym.
    pub fn check(&self, person: &Person<'_>, proof: &PseudonymProof) -> bool {
        self.pseudonym(person, proof).is_some()
    }

    /// The pseudonym of a person, if the proof is of it.
    pub(crate) fn pseudonym(
        &self,
        person: &Person<'_>,
        proof: &PseudonymProof,
    ) -> Option<Pseudonym> {
        let key = vrf_r255::PublicKey::from_bytes(self.0)?;
        let proof = vrf_r255::Proof::from_bytes(proof.0)?;
        let output: Option<[u8; 64]> = key.verify(&person.alpha(), &proof).into();
        output.map(|output| shortened(&output))
    }
}

fn shortened(output: &[u8; 64]) -> Pseudonym {
    let mut short = [0; 12];
    short
        .iter_mut()
        .zip(output)
        .for_each(|(to, from)| *to = *from);
    short
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        BASE64_STANDARD.encode(key.0)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes: Option<[u8; 32]> = exactly(&text);
        let key = bytes.filter(|bytes| vrf_r255::PublicKey::from_bytes(*bytes).is_some());
        key.map(Self)
            .ok_or_else(|| "expected a public key of vrf-r255: 32 bytes in base64".to_owned())
    }
}

impl From<PseudonymProof> for String {
    fn from(proof: PseudonymProof) -> Self {
        BASE64_STANDARD.encode(proof.0)
    }
}

impl TryFrom<String> for PseudonymProof {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        exactly(&text)
            .map(Self)
            .ok_or_else(|| "expected a proof of vrf-r255: 80 bytes in base64".to_owned())
    }
}

fn exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}
