//! What each algorithm signs of a checkpoint, and cosignatures: `c2sp.org/tlog-cosignature`.

use signed_note::Signature;

use crate::checkpoint::UnverifiedCheckpoint;
use crate::error::{Error, Result};
use crate::key::{Algorithm, SigningKey, VerifierKey};

/// Begins what an ML-DSA-44 key signs, and keeps it apart from anything else that it may sign.
const SUBTREE: &[u8; 12] = b"subtree/v1\n\0";

/// Cosigns a checkpoint at `time`, in seconds since 1970: makes the line to append to its note.
///
/// It is a statement that, at that time, this is the largest tree of its log that the key's owner
/// has seen, and that it continues every tree seen before. The caller has checked that.
///
/// # Errors
///
/// [`Error::KeyAlgorithm`] when the key is a plain Ed25519 one, which states no time, and
/// [`Error::Time`] when `time` is 0 or over 2^63 - 1.
///
/// # Example
///
/// ```
/// use chancery_ledger::{Algorithm, Error, LogKeys, SigningKey, cosign, verify_cosignature};
///
/// let log = LogKeys::generate("agency.example/ledger", &[7; 32])?;
/// let checkpoint = log.sign(1, [3; 32], 1_790_000_000)?.into();
/// let witness = SigningKey::generate("witness.example/w1", Algorithm::MlDsa44, [8; 32])?;
/// let line = cosign(&witness, &checkpoint, 1_790_000_001)?;
/// assert_eq!(verify_cosignature(&witness.verifier(), &checkpoint, &line)?, 1_790_000_001);
///
/// let other = log.sign(2, [4; 32], 1_790_000_002)?.into();
/// let refused = verify_cosignature(&witness.verifier(), &other, &line);
/// assert!(matches!(refused, Err(Error::BadSignature { .. })));
/// # Ok::<(), Error>(())
/// ```
pub fn cosign(key: &SigningKey, checkpoint: &UnverifiedCheckpoint, time: u64) -> Result<String> {
    expect_cosigner(key.public())?;
    sign_line(key, checkpoint, time)
}

/// Verifies a line that [`cosign`] or another cosigner has made, and gives its time.
///
/// # Errors
///
/// [`Error::Malformed`] when it is not one signature line, [`Error::BadSignature`] when it is not
/// the key's cosignature of this checkpoint, and [`Error::KeyAlgorithm`] when the key is a plain
/// Ed25519 one.
pub fn verify_cosignature(
    key: &VerifierKey,
    checkpoint: &UnverifiedCheckpoint,
    line: &str,
) -> Result<u64> {
    expect_cosigner(key)?;
    let signature = parse_line(line.strip_suffix('\n').unwrap_or(line))?;
    if !is_by(key, &signature) {
        return Err(key.bad_signature());
    }
    let time = verify(key, checkpoint, signature.signature())?;
    // Without a time it does not say that the tree was the largest.
    time.ok_or_else(|| key.bad_signature())
}

/// Signs a checkpoint with a key of any algorithm: makes the line to append to its note.
pub(crate) fn sign_line(
    key: &SigningKey,
    checkpoint: &UnverifiedCheckpoint,
    time: u64,
) -> Result<String> {
    let public = key.public();
    let mut signature = public.id().to_be_bytes().to_vec();
    if key.algorithm() == Algorithm::Ed25519 {
        signature.extend(key.sign_bytes(checkpoint.body().as_bytes())?);
    } else {
        if !is_time(time) {
            return Err(Error::Time { time });
        }
        signature.extend(time.to_be_bytes());
        signature.extend(key.sign_bytes(&timed_message(public, checkpoint, time)?)?);
    }
    let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, signature);
    Ok(format!("— {} {base64}\n", key.name()))
}

/// Verifies the signature part of a line, and gives its time if it states one.
pub(crate) fn verify(
    key: &VerifierKey,
    checkpoint: &UnverifiedCheckpoint,
    signature: &[u8],
) -> Result<Option<u64>> {
    if key.algorithm() == Algorithm::Ed25519 {
        key.verify_bytes(checkpoint.body().as_bytes(), signature)?;
        return Ok(None);
    }
    let (time, signature) = signature
        .split_first_chunk()
        .ok_or_else(|| key.bad_signature())?;
    let time = u64::from_be_bytes(*time);
    // Other logs sign with ML-DSA-44 and state no time.
    if !is_time(time) && (time, key.algorithm()) != (0, Algorithm::MlDsa44) {
        return Err(key.bad_signature());
    }
    key.verify_bytes(&timed_message(key, checkpoint, time)?, signature)?;
    Ok(Some(time).filter(|time| *time != 0))
}

/// Parses one signature line of a note, without its line end.
pub(crate) fn parse_line(line: &str) -> Result<Signature> {
    let malformed = || Error::malformed("signature line", "it is not `— <name> <base64>`");
    let signature = Signature::from_bytes(line.as_bytes()).map_err(|_| malformed())?;
    if signature.to_bytes() == format!("{line}\n").as_bytes() {
        Ok(signature)
    } else {
        Err(malformed())
    }
}

/// Whether a line names this key. It may still not verify.
pub(crate) fn is_by(key: &VerifierKey, signature: &Signature) -> bool {
    (signature.name(), signature.id()) == (key.name(), key.id())
}

/// What the two cosignature algorithms sign.
fn timed_message(
    key: &VerifierKey,
    checkpoint: &UnverifiedCheckpoint,
    time: u64,
) -> Result<Vec<u8>> {
    if key.algorithm() == Algorithm::Ed25519Cosignature {
        let body = checkpoint.body();
        return Ok(format!("cosignature/v1\ntime {time}\n{body}").into_bytes());
    }
    let mut message = SUBTREE.to_vec();
    push_text(&mut message, key.name())?;
    message.extend(time.to_be_bytes());
    push_text(&mut message, checkpoint.origin())?;
    message.extend(0_u64.to_be_bytes());
    message.extend(checkpoint.size().to_be_bytes());
    message.extend(checkpoint.root());
    Ok(message)
}

fn push_text(message: &mut Vec<u8>, text: &str) -> Result<()> {
    let length = u8::try_from(text.len())
        .map_err(|_| Error::malformed("checkpoint", "its origin is longer than 255 bytes"))?;
    message.push(length);
    message.extend(text.as_bytes());
    Ok(())
}

pub(crate) fn expect_cosigner(key: &VerifierKey) -> Result<()> {
    match key.algorithm() {
        Algorithm::Ed25519 => Err(key.wrong_algorithm("a cosigning key")),
        Algorithm::Ed25519Cosignature | Algorithm::MlDsa44 => Ok(()),
    }
}

fn is_time(time: u64) -> bool {
    time != 0 && i64::try_from(time).is_ok()
}
