//! The signed tree head: `c2sp.org/tlog-checkpoint` in a `c2sp.org/signed-note`.

use std::fmt;
use std::sync::Arc;

use signed_note::{Note, Signature};
use tlog_tiles::Hash;

use crate::cosignature;
use crate::error::{Error, Result};
use crate::key::{SigningKey, VerifierKey};
use crate::keyring::Trust;

/// A tree size that this crate handles: seven levels of tiles, far over any ledger's life.
///
/// It keeps the arithmetic of hash positions in `tlog_tiles` free of overflow.
const MAX_TREE_SIZE: u64 = (1 << 56) - 1;

/// Room for more than 16 signatures by ML-DSA-44 keys.
const MAX_NOTE: usize = 64 * 1024;

/// The state of the ledger at one size, with signatures that have been verified.
///
/// Got only by verifying or by signing, so whoever holds one need not ask whether it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    unverified: UnverifiedCheckpoint,
    timestamp: Option<u64>,
}

impl Checkpoint {
    /// The name of the log, which is also the name of its keys.
    pub fn origin(&self) -> &str {
        self.unverified.origin()
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.unverified.size
    }

    /// The root of the Merkle tree over the entries, as in RFC 6962 section 2.1.
    pub fn root(&self) -> [u8; 32] {
        self.unverified.root
    }

    /// When the log signed it, in seconds since 1970: the newest time that its keys state.
    ///
    /// Plain Ed25519 signatures state none, and other logs may state none with ML-DSA-44 either.
    pub fn timestamp(&self) -> Option<u64> {
        self.timestamp
    }

    /// The text of the note, without the signatures. See [`UnverifiedCheckpoint::body`].
    pub fn body(&self) -> &str {
        self.unverified.body()
    }

    /// The signed note as it is on disk, signatures included.
    pub fn as_str(&self) -> &str {
        self.unverified.as_str()
    }

    /// The same checkpoint with more signature lines, as witnesses answer with them.
    ///
    /// A line that is there already is not repeated. The lines are not verified here: the caller
    /// has done so with [`verify_cosignature`](crate::verify_cosignature), or a policy will.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when a line is no signature line, when it is in the name of the log,
    /// whose signatures have been verified, or when the note gets longer than 64 KiB.
    pub fn with_cosignatures(&self, lines: &str) -> Result<Self> {
        let mut note = self.as_str().to_owned();
        for line in lines.split_inclusive('\n') {
            let signature = cosignature::parse_line(line.strip_suffix('\n').unwrap_or(line))?;
            if signature.name() == self.origin() {
                let problem = "it is in the name of the log itself";
                return Err(Error::malformed("cosignature", problem));
            }
            if !self.unverified.signatures()?.contains(&signature) {
                note.push_str(line.strip_suffix('\n').unwrap_or(line));
                note.push('\n');
            }
        }
        Ok(Self {
            unverified: UnverifiedCheckpoint::parse(note.as_bytes())?,
            timestamp: self.timestamp,
        })
    }

    /// Marks a checkpoint as verified. The caller has done so.
    pub(crate) fn verified(unverified: UnverifiedCheckpoint, timestamp: Option<u64>) -> Self {
        Self {
            unverified,
            timestamp,
        }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A checkpoint that has the right form, signed by nobody knows whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedCheckpoint {
    /// Shared, as each receipt of a batch has it.
    note: Arc<str>,
    body_length: usize,
    origin: Arc<str>,
    size: u64,
    root: [u8; 32],
}

impl UnverifiedCheckpoint {
    /// Parses a signed note with a checkpoint in it.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when it is no note, no checkpoint, not in canonical form, or longer
    /// than 64 KiB.
    pub fn parse(note: &[u8]) -> Result<Self> {
        let malformed = |problem: &str| Error::malformed("checkpoint", problem);
        if note.len() > MAX_NOTE {
            return Err(malformed("longer than 64 KiB"));
        }
        let parsed = Note::from_bytes(note).map_err(|_| malformed("not a signed note"))?;
        let body = tlog_tiles::Checkpoint::from_bytes(parsed.text())
            .map_err(|_| malformed("not an origin, a size and a root hash"))?;
        if body.to_bytes() != parsed.text() || parsed.to_bytes() != note {
            return Err(malformed("not in canonical form"));
        }
        if body.size() > MAX_TREE_SIZE {
            return Err(malformed("the tree size is out of range"));
        }
        let note = std::str::from_utf8(note).map_err(|_| malformed("not text"))?;
        Ok(Self {
            note: note.into(),
            body_length: parsed.text().len(),
            origin: body.origin().into(),
            size: body.size(),
            root: body.hash().0,
        })
    }

    /// Checks origin and signatures against the keys that the caller trusts.
    ///
    /// Signatures by unknown keys, such as those of witnesses, are ignored. A bad one by a known
    /// key is not.
    ///
    /// # Errors
    ///
    /// [`Error::WrongOrigin`] or [`Error::BadSignature`]; with a policy also [`Error::NoQuorum`].
    pub fn verify(self, trust: &impl Trust) -> Result<Checkpoint> {
        trust.verify(self)
    }

    /// The name of the log that the checkpoint claims to be of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The number of entries that the checkpoint claims.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root hash that the checkpoint claims.
    pub fn root(&self) -> [u8; 32] {
        self.root
    }

    /// The text of the note: origin, size, root and extension lines, with the last line end.
    ///
    /// Signatures of ML-DSA-44 keys do not cover extension lines.
    pub fn body(&self) -> &str {
        self.note.get(..self.body_length).unwrap_or_default()
    }

    /// The note, verbatim.
    pub fn as_str(&self) -> &str {
        &self.note
    }

    /// Puts together what a log signs, and lets each of its keys sign it.
    pub(crate) fn sign<'a>(
        origin: &str,
        size: u64,
        root: [u8; 32],
        time: u64,
        keys: impl Iterator<Item = &'a SigningKey>,
    ) -> Result<Self> {
        let body = tlog_tiles::Checkpoint::new(origin, size, Hash(root), "")
            .ok()
            .and_then(|body| String::from_utf8(body.to_bytes()).ok())
            .ok_or_else(|| Error::malformed("checkpoint", "it cannot be put into a note"))?;
        let unsigned = Self {
            body_length: body.len(),
            note: body.as_str().into(),
            origin: origin.into(),
            size,
            root,
        };
        let lines = keys
            .map(|key| cosignature::sign_line(key, &unsigned, time))
            .collect::<Result<String>>()?;
        Self::parse(format!("{body}\n{lines}").as_bytes())
    }

    /// The signature lines, in their order.
    pub(crate) fn signatures(&self) -> Result<Vec<Signature>> {
        let lines = self.note.get(self.body_length + 1..).unwrap_or_default();
        lines.lines().map(cosignature::parse_line).collect()
    }

    /// Verifies every signature by one of `keys`, and gives each key that has signed, with the
    /// time it states.
    ///
    /// One bad signature by one of them refuses the whole note.
    pub(crate) fn verify_known<'a>(
        &self,
        keys: &[&'a VerifierKey],
    ) -> Result<Vec<(&'a VerifierKey, Option<u64>)>> {
        let mut signed = Vec::new();
        for signature in self.signatures()? {
            for key in keys
                .iter()
                .filter(|key| cosignature::is_by(key, &signature))
            {
                let time = cosignature::verify(key, self, signature.signature())?;
                signed.push((*key, time));
            }
        }
        Ok(signed)
    }
}

impl From<Checkpoint> for UnverifiedCheckpoint {
    /// Forgets that the signatures were checked, as when a checkpoint goes into a proof.
    fn from(checkpoint: Checkpoint) -> Self {
        checkpoint.unverified
    }
}

impl fmt::Display for UnverifiedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.note)
    }
}
