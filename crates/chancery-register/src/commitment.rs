//! What a release's entry in the ledger commits to about the people in it: one root.
//!
//! People of an origin fall into 2^`bits` buckets by the first bits of their places, some 4,096 to a bucket. A bucket is a
//! trie over leaves by the bits of their labels:
//!
//! - label: SHA-256 of the release and the person's pseudonym, so that no two releases can be linked by it;
//! - class: SHA-256 of the release, the pseudonym and the elements that left.
//!
//! Leaves that are nobody's fill each bucket up to a multiple of 16, so that its depth does not tell a small count. Over the
//! buckets of all origins, in order, stands a Merkle tree (RFC 6962); the root is SHA-256 of the list of origins and that
//! tree's root. So a root says one thing of each person, whoever made it.

use std::sync::atomic::{AtomicUsize, Ordering};

use chancery_model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::SecretKey;
use crate::bitmap::Bitmap;
use crate::key::Pseudonym;
use crate::record::Damage;
use crate::segment::Segment;
use crate::tree::{self, Hash};
use crate::trie::{self, Leaf};

/// About how many people are in a bucket at most.
const BUCKET: u64 = 4_096;
const MOST_BITS: u8 = 16;
/// A bucket has a multiple of so many leaves, and so many at least.
const PADDED_TO: usize = 16;
const STORED: usize = 32;

/// The bits that tell apart the buckets of an origin with so many people in a release.
pub(crate) fn bits(subjects: u64) -> u8 {
    (0..MOST_BITS)
        .find(|bits| subjects >> bits <= BUCKET)
        .unwrap_or(MOST_BITS)
}

/// The bucket of a place.
pub(crate) fn bucket(place: u16, bits: u8) -> usize {
    usize::from(u16::try_from(u32::from(place) >> (16 - u32::from(bits))).unwrap_or_default())
}

/// The places of a bucket.
fn places(bucket: usize, bits: u8) -> Option<std::ops::RangeInclusive<u16>> {
    let width = 1_usize << (16 - u32::from(bits));
    let first = bucket.checked_mul(width)?;
    let last = first + (width - 1);
    Some(u16::try_from(first).ok()?..=u16::try_from(last).ok()?)
}

pub(crate) fn label(release: &str, pseudonym: &Pseudonym) -> Hash {
    let mut hash = Sha256::new_with_prefix(b"chancery/register/label/v1\0");
    hash.update(release.as_bytes());
    hash.update([0]);
    hash.update(pseudonym);
    hash.finalize().into()
}

pub(crate) fn class(release: &str, pseudonym: &Pseudonym, elements: &[String]) -> Hash {
    let mut hash = Sha256::new_with_prefix(b"chancery/register/class/v1\0");
    hash.update(release.as_bytes());
    hash.update([0]);
    hash.update(pseudonym);
    for element in elements {
        hash.update(element.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}

pub(crate) fn leaf(label: &Hash, class: &Hash) -> Leaf {
    let mut leaf = [0; 64];
    let both = label.iter().chain(class);
    leaf.iter_mut().zip(both).for_each(|(to, from)| *to = *from);
    leaf
}

/// An origin and how many bits tell its buckets apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buckets {
    /// The origin.
    pub origin: String,
    /// It has 2^`bits` buckets.
    pub bits: u8,
}

/// The buckets' roots, and in what order they stand.
#[derive(Default)]
pub(crate) struct Commitment {
    pub(crate) origins: Vec<Buckets>,
    pub(crate) roots: Vec<Hash>,
}

impl Commitment {
    /// The next origin with its buckets as they are stored; nothing if those are not so many.
    pub(crate) fn push(&mut self, origin: &str, bits: u8, stored: &[u8]) -> Option<()> {
        if bits > MOST_BITS || stored.len() != STORED << bits {
            return None;
        }
        self.origins.push(Buckets {
            origin: origin.to_owned(),
            bits,
        });
        for one in stored.chunks_exact(STORED) {
            self.roots.push(one.try_into().ok()?);
        }
        Some(())
    }

    /// Where the bucket of a place among the people of an origin stands.
    pub(crate) fn index(&self, origin: &str, place: u16) -> Option<usize> {
        index(&self.origins, origin, place)
    }

    pub(crate) fn leaves(&self) -> Vec<Hash> {
        self.roots.iter().map(bucket_leaf).collect()
    }

    pub(crate) fn root(&self) -> Digest {
        root(&self.origins, &tree::root(&self.leaves()))
    }
}

/// Where the bucket of a place among the people of an origin stands.
pub(crate) fn index(origins: &[Buckets], origin: &str, place: u16) -> Option<usize> {
    let mut before = 0;
    for one in origins {
        if one.bits > MOST_BITS {
            return None;
        }
        if one.origin == origin {
            return Some(before + bucket(place, one.bits));
        }
        before += 1_usize << one.bits;
    }
    None
}

/// How many buckets there are.
pub(crate) fn buckets(origins: &[Buckets]) -> Option<usize> {
    let mut sizes = origins
        .iter()
        .map(|one| (one.bits <= MOST_BITS).then(|| 1_usize << one.bits));
    sizes.try_fold(0, |sum, size| Some(sum + size?))
}

pub(crate) fn bucket_leaf(root: &Hash) -> Hash {
    tree::leaf(root)
}

pub(crate) fn root(origins: &[Buckets], top: &Hash) -> Digest {
    let mut hash = Sha256::new_with_prefix(b"chancery/register/root/v1\0");
    for one in origins {
        hash.update(one.origin.as_bytes());
        hash.update([0, one.bits]);
    }
    hash.update([0]);
    hash.update(top);
    Digest::from_bytes(hash.finalize().into())
}

/// Who a release is about, in a form from which its leaves can be made.
pub(crate) struct Members<'a> {
    pub(crate) release: &'a str,
    pub(crate) key: &'a SecretKey,
    pub(crate) classes: Vec<(&'a [String], Bitmap<'a>)>,
}

impl Members<'_> {
    /// The leaves of a bucket in their order.
    pub(crate) fn leaves(
        &self,
        segments: &[Segment<'_>],
        bits: u8,
        bucket: usize,
        index: usize,
    ) -> Result<Vec<Leaf>, Damage> {
        let places = places(bucket, bits).ok_or(Damage)?;
        let mut leaves = Vec::new();
        for segment in segments {
            let range = segment.within(&places).ok_or(Damage)?;
            for (elements, numbers) in &self.classes {
                let mut whole = true;
                let mut tell = |number| match segment.pseudonym(number) {
                    Some(pseudonym) => {
                        let label = label(self.release, &pseudonym);
                        leaves.push(leaf(&label, &class(self.release, &pseudonym, elements)));
                    }
                    None => whole = false,
                };
                numbers.each(range.clone(), &mut tell).ok_or(Damage)?;
                if !whole {
                    return Err(Damage);
                }
            }
        }
        let size = leaves.len().max(1).next_multiple_of(PADDED_TO);
        let index = u32::try_from(index).map_err(|_| Damage)?;
        for number in 0..size - leaves.len() {
            let number = u32::try_from(number).map_err(|_| Damage)?;
            leaves.push(self.key.padding(self.release, index, number));
        }
        leaves.sort_unstable();
        Ok(leaves)
    }

    /// The roots of an origin's buckets, the first of which stands at `first`.
    pub(crate) fn roots(
        &self,
        segments: &[Segment<'_>],
        bits: u8,
        first: usize,
        workers: usize,
    ) -> Result<Vec<Hash>, Damage> {
        let count = 1_usize << bits;
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let bucket = next.fetch_add(1, Ordering::Relaxed);
                if bucket >= count {
                    return Ok(done);
                }
                let leaves = self.leaves(segments, bits, bucket, first + bucket)?;
                done.push((bucket, trie::root(&leaves).ok_or(Damage)?));
            }
        };
        let mut all = std::thread::scope(|scope| -> Result<Vec<_>, Damage> {
            let workers = workers.clamp(1, count);
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let mut all = Vec::with_capacity(count);
            for thread in threads {
                all.extend(thread.join().map_err(|_| Damage)??);
            }
            Ok(all)
        })?;
        all.sort_unstable_by_key(|(bucket, _)| *bucket);
        Ok(all.into_iter().map(|(_, root)| root).collect())
    }
}
