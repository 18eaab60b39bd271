//! The record of a release: who it was about, by pseudonym. It is the custodian's, and stays when the data is gone.
//!
//! A file, written once: the newcomers origin by origin, a bitmap per class, the roots of the buckets, then a header in JSON,
//! the header's digest, its length, and [`MAGIC`]. The header has the digest of all that is before it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chancery_model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::bitmap::Bitmap;
use crate::commitment::Commitment;
use crate::map::Mapped;
use crate::segment::{PSEUDONYM_BYTES, Segment, TAG_BYTES, places_bytes};
use crate::{Error, PublicKey};

pub(crate) const MAGIC: &[u8; 16] = b"chancery-reg-v1\n";
/// Of the header's digest, its length and the magic.
const TRAILER: usize = 32 + 8 + 16;

/// Some bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) release: String,
    pub(crate) key: PublicKey,
    /// How many people the register knew under this key.
    pub(crate) base: u32,
    pub(crate) origins: Vec<OriginPart>,
    pub(crate) classes: Vec<ClassPart>,
    pub(crate) root: Digest,
    pub(crate) body: Digest,
}

/// What is in the file about an origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OriginPart {
    pub(crate) origin: String,
    pub(crate) newcomers: u32,
    pub(crate) places: Section,
    pub(crate) tags: Section,
    pub(crate) pseudonyms: Section,
    /// How many of the bits of a place tell the buckets apart.
    pub(crate) bits: u8,
    pub(crate) buckets: Section,
}

/// What is in the file about a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassPart {
    pub(crate) elements: Vec<String>,
    pub(crate) numbers: Section,
    pub(crate) subjects: BTreeMap<String, u64>,
}

/// A record, mapped.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
    mapped: Mapped,
    pub(crate) header: Header,
}

impl Record {
    /// Opens a record and holds its header against the header's digest.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mapped = Mapped::open(path)?;
        let header = header(mapped.bytes())
            .ok_or_else(|| Error::damaged(path, "is not a record of a release"))?;
        Ok(Self {
            path: path.to_owned(),
            mapped,
            header,
        })
    }

    pub(crate) fn damaged(&self) -> Error {
        Error::damaged(&self.path, "is damaged")
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.mapped.bytes()
    }

    /// Reads all of it, and holds it against its digest.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let bytes = self.bytes();
        let header = header_range(bytes).ok_or_else(|| self.damaged())?;
        let body = bytes.get(..header.start).unwrap_or_default();
        let mut hash = Sha256::new();
        body.chunks(1 << 20).for_each(|chunk| hash.update(chunk));
        if Digest::from_bytes(hash.finalize().into()) != self.header.body {
            return Err(self.damaged());
        }
        Ok(())
    }

    /// How many people the register knew after it.
    pub(crate) fn after(&self) -> u64 {
        let newcomers = self
            .header
            .origins
            .iter()
            .map(|part| u64::from(part.newcomers));
        u64::from(self.header.base) + newcomers.sum::<u64>()
    }

    /// The newcomers of an origin.
    pub(crate) fn segment(&self, origin: &str) -> Result<Option<Segment<'_>>, Error> {
        segment(&self.header, self.bytes(), origin).map_err(|Damage| self.damaged())
    }

    /// Who is in a class.
    pub(crate) fn class(&self, class: &ClassPart) -> Result<Bitmap<'_>, Error> {
        section(self.bytes(), class.numbers)
            .and_then(Bitmap::new)
            .ok_or_else(|| self.damaged())
    }

    /// The classes, by the elements that leave, with who is in them.
    pub(crate) fn classes(&self) -> Result<Vec<(&[String], Bitmap<'_>)>, Error> {
        let classes = self.header.classes.iter();
        classes
            .map(|class| Ok((class.elements.as_slice(), self.class(class)?)))
            .collect()
    }

    /// The commitment, as it was stored.
    pub(crate) fn commitment(&self) -> Result<Commitment, Error> {
        let mut commitment = Commitment::default();
        for part in &self.header.origins {
            let stored = section(self.bytes(), part.buckets).ok_or_else(|| self.damaged())?;
            commitment
                .push(&part.origin, part.bits, stored)
                .ok_or_else(|| self.damaged())?;
        }
        if commitment.root() != self.header.root {
            return Err(self.damaged());
        }
        Ok(commitment)
    }
}

/// That some bytes are not as they should be.
pub(crate) struct Damage;

pub(crate) fn segment<'a>(
    header: &Header,
    bytes: &'a [u8],
    origin: &str,
) -> Result<Option<Segment<'a>>, Damage> {
    let mut first = header.base;
    for part in &header.origins {
        if part.origin == origin {
            let people = part.newcomers as usize;
            let sized = |of: Section, length: usize| {
                section(bytes, of)
                    .filter(|bytes| bytes.len() == length)
                    .ok_or(Damage)
            };
            return Ok(Some(Segment {
                first,
                people: part.newcomers,
                places: sized(part.places, places_bytes(people))?,
                tags: sized(part.tags, TAG_BYTES * people)?,
                pseudonyms: sized(part.pseudonyms, PSEUDONYM_BYTES * people)?,
            }));
        }
        first = first.checked_add(part.newcomers).ok_or(Damage)?;
    }
    Ok(None)
}

pub(crate) fn section(bytes: &[u8], section: Section) -> Option<&[u8]> {
    let from = usize::try_from(section.offset).ok()?;
    let length = usize::try_from(section.length).ok()?;
    bytes.get(from..from.checked_add(length)?)
}

fn header_range(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let end = bytes.len().checked_sub(TRAILER)?;
    let length = bytes.get(end + 32..end + 40)?.try_into().ok()?;
    let length = usize::try_from(u64::from_le_bytes(length)).ok()?;
    (bytes.get(end + 40..)? == MAGIC).then_some(())?;
    Some(end.checked_sub(length)?..end)
}

fn header(bytes: &[u8]) -> Option<Header> {
    let range = header_range(bytes)?;
    let digest = bytes.get(range.end..range.end + 32)?;
    let text = bytes.get(range)?;
    (Sha256::digest(text).as_slice() == digest).then_some(())?;
    serde_json::from_slice(text).ok()
}

/// The end of the file.
pub(crate) fn trailer(header: &Header) -> Option<Vec<u8>> {
    let text = serde_json::to_vec(header).ok()?;
    let mut bytes = text.clone();
    bytes.extend_from_slice(&Sha256::digest(&text));
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(MAGIC);
    Some(bytes)
}
