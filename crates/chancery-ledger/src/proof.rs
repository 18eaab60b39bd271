//! Proofs that stand alone: `c2sp.org/tlog-proof`, checked offline with nothing but the vkey.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use tlog_tiles::Hash;

use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::error::{Error, Result};
use crate::keyring::Trust;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// More hashes than any tree size has levels.
const MAX_HASHES: usize = 64;

/// The text of a proof, taken apart; nothing in it has been verified.
///
/// Printing gives back the parsed text, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// Opaque data of the application. It is not authenticated.
    pub extra: Option<Vec<u8>>,
    /// The index that the entry is claimed to have.
    pub index: u64,
    /// The hashes from the leaf's sibling up to the root's child.
    pub hashes: Vec<[u8; 32]>,
    /// The checkpoint of the tree that the entry is claimed to be in.
    pub checkpoint: UnverifiedCheckpoint,
}

/// What a proof has shown: this entry is in that tree, under a signature of the log's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedInclusion {
    /// The entry's index.
    pub index: u64,
    /// The size of the tree that includes it.
    pub tree_size: u64,
    /// The root of that tree.
    pub root: [u8; 32],
}

/// Verifies that `entry` is in a log that the caller trusts, from the proof's text alone.
///
/// Trust is a [`Keyring`](crate::Keyring), which knows one log's keys, or a
/// [`Policy`](crate::Policy), which also asks for witnesses.
///
/// # Errors
///
/// [`Error::Malformed`] when the text is no proof, [`Error::WrongOrigin`] or
/// [`Error::BadSignature`] when its checkpoint is not the log's, [`Error::NoQuorum`] when too few
/// witnesses have cosigned it, [`Error::NotProven`] when the entry is not at that index in that
/// tree.
pub fn verify_proof(proof: &str, entry: &[u8], trust: &impl Trust) -> Result<VerifiedInclusion> {
    let proof: InclusionProof = proof.parse()?;
    let checkpoint = trust.verify(proof.checkpoint)?;
    verify_inclusion(&checkpoint, entry, proof.index, &proof.hashes)
}

/// Verifies that `entry` is at an index of a checkpoint's tree: for many entries of one tree.
///
/// # Errors
///
/// [`Error::NotProven`] when it is not.
pub fn verify_inclusion(
    checkpoint: &Checkpoint,
    entry: &[u8],
    index: u64,
    hashes: &[[u8; 32]],
) -> Result<VerifiedInclusion> {
    let (tree_size, root) = (checkpoint.size(), checkpoint.root());
    if index >= tree_size {
        return Err(Error::NotProven {
            problem: "the index is not in the tree",
        });
    }
    if hashes.len() > MAX_HASHES {
        return Err(Error::NotProven {
            problem: "more hashes than any tree needs",
        });
    }
    let hashes = hashes.iter().copied().map(Hash).collect();
    let leaf = tlog_tiles::record_hash(entry);
    tlog_tiles::check_record(&hashes, tree_size, Hash(root), index, leaf).map_err(|_| {
        Error::NotProven {
            problem: "entry, index and hashes do not give the root",
        }
    })?;
    Ok(VerifiedInclusion {
        index,
        tree_size,
        root,
    })
}

/// Verifies that the tree of `newer` begins with the very entries of the tree of `older`.
///
/// # Errors
///
/// [`Error::NotProven`] when it does not, or when `older` is the larger one.
pub fn verify_consistency(
    older: &Checkpoint,
    newer: &Checkpoint,
    hashes: &[[u8; 32]],
) -> Result<()> {
    if older.size() == 0 {
        // RFC 6962 leaves this case out: every tree begins with the empty one.
        return match hashes {
            [] => Ok(()),
            _ => Err(Error::NotProven {
                problem: "hashes where none are needed",
            }),
        };
    }
    let hashes = hashes.iter().copied().map(Hash).collect();
    let (old_root, new_root) = (Hash(older.root()), Hash(newer.root()));
    tlog_tiles::check_tree(&hashes, newer.size(), new_root, older.size(), old_root).map_err(|_| {
        Error::NotProven {
            problem: "the newer tree does not begin with the older",
        }
    })
}

impl fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64_STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", BASE64_STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for InclusionProof {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // The first empty line ends the proof's own part; a checkpoint's body has none before it.
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| malformed("no checkpoint in it"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(malformed("the first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra.map(parse_extra).transpose()?;
        let index = parse_index(lines.next().unwrap_or_default())?;
        let hashes = lines.map(parse_hash).collect::<Result<Vec<_>>>()?;
        if hashes.len() > MAX_HASHES {
            return Err(malformed("more hashes than any tree needs"));
        }
        let checkpoint = UnverifiedCheckpoint::parse(checkpoint.as_bytes())?;
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint,
        })
    }
}

fn parse_extra(line: &str) -> Result<Vec<u8>> {
    let data = line
        .strip_prefix("extra ")
        .and_then(|data| BASE64_STANDARD.decode(data).ok());
    data.ok_or_else(|| malformed("the extra data is not base64"))
}

fn parse_index(line: &str) -> Result<u64> {
    let digits = line
        .strip_prefix("index ")
        .ok_or_else(|| malformed("no index line"))?;
    let index = digits
        .parse::<u64>()
        .ok()
        .filter(|index| index.to_string() == digits);
    index.ok_or_else(|| malformed("the index is not a plain decimal number"))
}

fn parse_hash(line: &str) -> Result<[u8; 32]> {
    let hash = Hash::parse_hash(line).map_err(|_| malformed("a line is not a base64 hash"))?;
    Ok(hash.0)
}

fn malformed(problem: &str) -> Error {
    Error::malformed("proof", problem)
}
