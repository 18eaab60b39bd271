//! The signed tree head: `c2sp.org/tlog-checkpoint` in a `c2sp.org/signed-note`.

use std::fmt;

use signed_note::Note;
use tlog_tiles::Hash;

use crate::error::{Error, Result};
use crate::key::{SigningKey, VerifierKey};

/// A tree size that this crate handles: seven levels of tiles, far over any ledger's life.
///
/// It keeps the arithmetic of hash positions in `tlog_tiles` free of overflow.
const MAX_TREE_SIZE: u64 = (1 << 56) - 1;

/// The state of the ledger at one size, with a signature that has been verified.
///
/// Got only from [`UnverifiedCheckpoint::verify`] or by signing, so whoever holds one need not ask
/// whether it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint(UnverifiedCheckpoint);

impl Checkpoint {
    /// The name of the log, which is also the name of its key.
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// The root of the Merkle tree over the entries, as in RFC 6962 section 2.1.
    pub fn root(&self) -> [u8; 32] {
        self.0.root
    }

    /// The signed note as it is on disk, signatures included.
    pub fn as_str(&self) -> &str {
        &self.0.note
    }

    /// T.
    pub fn timestamp(&self) -> Option<u64> {
        None
    }

    pub(crate) fn sign(key: &SigningKey, size: u64, root: Hash) -> Result<Self> {
        let internal = || Error::malformed("checkpoint", "it cannot be put into a note");
        let name = key.verifier().name().to_owned();
        let body = tlog_tiles::Checkpoint::new(&name, size, root, "").map_err(|_| internal())?;
        let mut note = Note::new(&body.to_bytes(), &[]).map_err(|_| internal())?;
        note.add_sigs(&[&NoteSigner { name, key }])
            .map_err(|_| internal())?;
        UnverifiedCheckpoint::parse(&note.to_bytes())?.verify(&key.verifier())
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
    note: String,
    origin: String,
    size: u64,
    root: [u8; 32],
}

impl UnverifiedCheckpoint {
    /// Parses a signed note with a checkpoint in it.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when it is no note, no checkpoint, or not in canonical form.
    pub fn parse(note: &[u8]) -> Result<Self> {
        let malformed = |problem: &str| Error::malformed("checkpoint", problem);
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
            note: note.to_owned(),
            origin: body.origin().to_owned(),
            size: body.size(),
            root: body.hash().0,
        })
    }

    /// Checks origin and signature against the log's key.
    ///
    /// Signatures by unknown keys, such as those of witnesses, are ignored.
    ///
    /// # Errors
    ///
    /// [`Error::WrongOrigin`] or [`Error::BadSignature`].
    pub fn verify(self, key: &VerifierKey) -> Result<Checkpoint> {
        if self.origin != key.name() {
            let (expected, found) = (key.name().to_owned(), self.origin);
            return Err(Error::WrongOrigin { expected, found });
        }
        let known = signed_note::VerifierList::new(vec![Box::new(NoteVerifier(key.clone()))]);
        Note::from_bytes(self.note.as_bytes())
            .and_then(|note| note.verify(&known))
            .map_err(|_| key.bad_signature())?;
        Ok(Checkpoint(self))
    }

    /// The number of entries that the checkpoint claims.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root hash that the checkpoint claims.
    pub fn root(&self) -> [u8; 32] {
        self.root
    }

    /// The note, verbatim.
    pub fn as_str(&self) -> &str {
        &self.note
    }
}

impl From<Checkpoint> for UnverifiedCheckpoint {
    /// Forgets that the signature was checked, as when a checkpoint goes into a proof.
    fn from(checkpoint: Checkpoint) -> Self {
        checkpoint.0
    }
}

impl fmt::Display for UnverifiedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.note)
    }
}

struct NoteSigner<'a> {
    name: String,
    key: &'a SigningKey,
}

impl signed_note::Signer for NoteSigner<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.key.verifier().id()
    }

    fn sign(&self, text: &[u8]) -> std::result::Result<Vec<u8>, ed25519_dalek::SignatureError> {
        Ok(self.key.sign(text).to_vec())
    }
}

struct NoteVerifier(VerifierKey);

impl signed_note::Verifier for NoteVerifier {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn key_id(&self) -> u32 {
        self.0.id()
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        signature
            .try_into()
            .is_ok_and(|signature| self.0.verify(text, signature).is_ok())
    }
}
