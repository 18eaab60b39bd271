//! Entry bundles of `c2sp.org/tlog-tiles`: entries one after another, each behind its length.

use crate::error::{Error, Result};

/// Checks that an entry fits the 16-bit length prefix.
pub(crate) fn check_entry(entry: &[u8]) -> Result<u16> {
    u16::try_from(entry.len()).map_err(|_| Error::EntryTooLarge { size: entry.len() })
}

/// Writes entries as a bundle.
///
/// # Errors
///
/// [`Error::EntryTooLarge`] when an entry is over 65,535 bytes.
///
/// # Example
///
/// ```
/// use chancery_ledger::{parse_bundle, write_bundle};
///
/// let bundle = write_bundle(&[b"one".as_slice(), b""])?;
/// assert_eq!(bundle, b"\0\x03one\0\0");
/// assert_eq!(parse_bundle(&bundle)?, [b"one".as_slice(), b""]);
/// assert!(parse_bundle(b"\0\x09too short").is_ok());
/// assert!(parse_bundle(b"\0\x0atoo short").is_err());
/// # Ok::<(), chancery_ledger::Error>(())
/// ```
pub fn write_bundle<T: AsRef<[u8]>>(entries: &[T]) -> Result<Vec<u8>> {
    let mut bundle = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        bundle.extend(check_entry(entry)?.to_be_bytes());
        bundle.extend(entry);
    }
    Ok(bundle)
}

/// Splits a bundle into its entries.
///
/// # Errors
///
/// [`Error::Malformed`] when the last entry is cut off.
pub fn parse_bundle(mut bundle: &[u8]) -> Result<Vec<&[u8]>> {
    let cut_off = || Error::malformed("entry bundle", "the last entry is cut off");
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk().ok_or_else(cut_off)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or_else(cut_off)?;
        entries.push(entry);
        bundle = rest;
    }
    Ok(entries)
}
