//! What a log asks of a witness: `add-checkpoint` of `c2sp.org/tlog-witness`.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::checkpoint::UnverifiedCheckpoint;
use crate::error::{Error, Result};

/// More proof lines than this no client may send.
pub const MAX_PROOF_LINES: usize = 63;

/// The body of an `add-checkpoint` request, taken apart; nothing in it has been verified.
///
/// [`AddCheckpoint::to_bytes`] gives back the parsed bytes.
///
/// ```
/// use chancery_ledger::witness::AddCheckpoint;
///
/// let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
/// let body = format!("old 0\n\nagency.example/ledger\n0\n{root}\n\n— agency.example/ledger AAAAAGE=\n");
/// let request = AddCheckpoint::parse(body.as_bytes())?;
/// assert_eq!((request.old_size, request.checkpoint.size()), (0, 0));
/// assert_eq!(request.to_bytes(), body.as_bytes());
///
/// // A number has one way to be written.
/// assert!(AddCheckpoint::parse(body.replacen("old 0", "old 00", 1).as_bytes()).is_err());
/// # Ok::<(), chancery_ledger::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the witness is believed to have cosigned last.
    pub old_size: u64,
    /// The consistency proof from that size to the checkpoint's.
    pub proof: Vec<[u8; 32]>,
    /// The checkpoint to cosign.
    pub checkpoint: UnverifiedCheckpoint,
}

impl AddCheckpoint {
    /// Takes a request's body apart.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when it is not of the form.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let body = std::str::from_utf8(body).map_err(|_| malformed("not text"))?;
        // Neither the size line nor a proof line is empty, so the first empty line ends them.
        let (head, checkpoint) = body
            .split_once("\n\n")
            .ok_or_else(|| malformed("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old_size = parse_size(lines.next().unwrap_or_default())?;
        let proof = lines
            .map(parse_hash)
            .take(MAX_PROOF_LINES + 1)
            .collect::<Result<Vec<_>>>()?;
        if proof.len() > MAX_PROOF_LINES {
            return Err(malformed("more than 63 proof lines"));
        }
        Ok(Self {
            old_size,
            proof,
            checkpoint: UnverifiedCheckpoint::parse(checkpoint.as_bytes())?,
        })
    }

    /// The body, as it is sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            body.push_str(&BASE64_STANDARD.encode(hash));
            body.push('\n');
        }
        body.push('\n');
        body.push_str(self.checkpoint.as_str());
        body.into_bytes()
    }
}

fn parse_size(line: &str) -> Result<u64> {
    let digits = line
        .strip_prefix("old ")
        .ok_or_else(|| malformed("the first line does not begin with `old `"))?;
    parse_decimal(digits).ok_or_else(|| malformed("the old size is not a plain decimal number"))
}

/// A number without sign and leading zeros, as all of these formats write it.
pub(crate) fn parse_decimal(digits: &str) -> Option<u64> {
    let number = digits.parse::<u64>().ok()?;
    Some(number).filter(|number| number.to_string() == digits)
}

fn parse_hash(line: &str) -> Result<[u8; 32]> {
    BASE64_STANDARD
        .decode(line)
        .ok()
        .and_then(|hash| hash.try_into().ok())
        .ok_or_else(|| malformed("a proof line is not a hash in base64"))
}

fn malformed(problem: &str) -> Error {
    Error::malformed("witness request", problem)
}
