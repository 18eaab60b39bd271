//! The append that is under way, as kept on disk until it is done.

use tlog_tiles::Hash;

use crate::bundle::{parse_bundle, write_bundle};
use crate::error::{Error, Result};

const HEADER: &str = "chancery staged append v1";

/// Entries with their place in the tree decided: they go between these two tree heads.
///
/// It needs no checksum of its own, because the entries have to lead from the old root to the new.
#[derive(PartialEq)]
pub(crate) struct Staged {
    pub(crate) old_size: u64,
    pub(crate) old_root: Hash,
    pub(crate) new_size: u64,
    pub(crate) new_root: Hash,
    pub(crate) entries: Vec<Vec<u8>>,
}

impl Staged {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let Self {
            old_size,
            old_root,
            new_size,
            new_root,
            entries,
        } = self;
        let head = format!("{HEADER}\n{old_size}\n{old_root}\n{new_size}\n{new_root}\n\n");
        Ok([head.into_bytes(), write_bundle(entries)?].concat())
    }

    pub(crate) fn parse(content: &[u8]) -> Result<Self> {
        let malformed = || Error::malformed("staged append", "its head or its entries are cut off");
        let mut rest = content;
        let mut line = || {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let (line, after) = rest.split_at_checked(end)?;
            rest = after.strip_prefix(b"\n")?;
            std::str::from_utf8(line).ok()
        };
        let size = |line: Option<&str>| line?.parse::<u64>().ok();
        let root = |line: Option<&str>| Hash::parse_hash(line?).ok();
        line()
            .filter(|line| *line == HEADER)
            .ok_or_else(malformed)?;
        let old_size = size(line()).ok_or_else(malformed)?;
        let old_root = root(line()).ok_or_else(malformed)?;
        let new_size = size(line()).ok_or_else(malformed)?;
        let new_root = root(line()).ok_or_else(malformed)?;
        line()
            .filter(|line| line.is_empty())
            .ok_or_else(malformed)?;
        let entries = parse_bundle(rest)?
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect();
        Ok(Self {
            old_size,
            old_root,
            new_size,
            new_root,
            entries,
        })
    }
}
