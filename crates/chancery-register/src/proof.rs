//! That a person was, or was not, among those a release was about.
//!
//! A proof is against the root in the release's ledger entry. It shows that the custodian, when the release was entered,
//! bound itself to a list with this person on it (and with these elements), or to one without. It does not show that the list is
//! the file: whoever has the files, the recipient or a court, counts them, and the custodian's replay computes the list again.

use chancery_model::Digest;
use serde::{Deserialize, Serialize};

use crate::commitment::{self, Buckets, Leaf, bucket_leaf, buckets, leaf};
use crate::key::Pseudonym;
use crate::tree;
use crate::{Person, PseudonymProof, PublicKey};

/// What shows that a person was, or was not, in a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseProof {
    /// The release.
    pub release: String,
    /// The origins of the people it was about.
    pub origins: Vec<Buckets>,
    /// The person's bucket, unless nobody of their origin was in the release.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bucket: Option<BucketProof>,
    /// The root of the tree over the buckets, if it leads there by no path.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top: Option<Digest>,
}

/// A bucket, and what is in it where the person would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketProof {
    /// How many leaves it has: a multiple of 16, some of them nobody's.
    pub size: u32,
    /// Its path in the tree over the buckets.
    pub path: Vec<Digest>,
    /// What is there.
    #[serde(flatten)]
    pub found: Found,
}

/// What is in a bucket where a person would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// The person.
    Present(Present),
    /// The neighbours of a leaf that is not there.
    Absent(Absent),
}

/// A person's leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Present {
    /// Which of the bucket it is.
    pub index: u32,
    /// What left about them.
    pub elements: Vec<String>,
    /// Its path in the bucket.
    pub path: Vec<Digest>,
}

/// The leaves between which a person's would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    /// The one before, unless theirs would be the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Neighbour>,
    /// The one after, unless theirs would be the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Neighbour>,
}

/// A leaf that is somebody else's, or nobody's: nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// Which of the bucket it is.
    pub index: u32,
    /// Its label.
    pub label: Digest,
    /// Its class.
    pub class: Digest,
    /// Its path in the bucket.
    pub path: Vec<Digest>,
}

/// Why a proof shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The pseudonym is not the person's under the key of the release.
    #[error("the pseudonym is not this person's")]
    Pseudonym,
    /// The proof is of another release.
    #[error("the proof is of another release")]
    Release,
    /// The list of origins is not one.
    #[error("its origins are not in order")]
    Origins,
    /// The leaves do not lead to the root in the ledger.
    #[error("it does not lead to the root that the ledger holds")]
    Root,
    /// The neighbours do not stand on both sides of where the person would be.
    #[error("its leaves do not stand next to where the person would be")]
    Neighbours,
}

/// What a ledger entry says of the people in a release.
#[derive(Clone, Copy, Debug)]
pub struct Committed<'a> {
    /// The release.
    pub release: &'a str,
    /// The root.
    pub root: Digest,
    /// The key.
    pub key: PublicKey,
}

impl ReleaseProof {
    /// The elements that left about a person, or nothing if they were not in the release.
    ///
    /// # Errors
    ///
    /// [`Unproven`] when it shows neither.
    pub fn check(
        &self,
        committed: &Committed<'_>,
        person: &Person<'_>,
        pseudonym: &PseudonymProof,
    ) -> Result<Option<&[String]>, Unproven> {
        let pseudonym = committed
            .key
            .pseudonym(person, pseudonym)
            .ok_or(Unproven::Pseudonym)?;
        if self.release != committed.release {
            return Err(Unproven::Release);
        }
        let names: Vec<&str> = self.origins.iter().map(|one| one.origin.as_str()).collect();
        let plain = |name: &&str| !name.is_empty() && !name.contains('\0');
        if !names.is_sorted_by(|a, b| a < b) || !names.iter().all(plain) {
            return Err(Unproven::Origins);
        }
        let buckets = buckets(&self.origins).ok_or(Unproven::Origins)?;
        let index = commitment::index(&self.origins, person.origin(), person.place());
        let (top, found) = match (index, &self.bucket, self.top) {
            (Some(index), Some(bucket), None) => {
                let (leaf, elements) = bucket.check(committed.release, &pseudonym)?;
                let path = hashes(&bucket.path);
                let top = tree::leads_to(leaf, index, buckets, &path).ok_or(Unproven::Root)?;
                (top, elements)
            }
            // Nobody of the origin: the list of origins alone says so.
            (None, None, Some(top)) => (*top.as_bytes(), None),
            _ => return Err(Unproven::Origins),
        };
        if commitment::root(&self.origins, &top) == committed.root {
            Ok(found)
        } else {
            Err(Unproven::Root)
        }
    }
}

impl BucketProof {
    /// The bucket's leaf in the tree over the buckets, and what left about the person.
    fn check(
        &self,
        release: &str,
        pseudonym: &Pseudonym,
    ) -> Result<(tree::Hash, Option<&[String]>), Unproven> {
        let label = commitment::label(release, pseudonym);
        let (root, elements) = match &self.found {
            Found::Present(present) => {
                let class = commitment::class(release, pseudonym, &present.elements);
                let leaf = leaf(&label, &class);
                let root = self.root(&leaf, present.index, &present.path)?;
                (root, Some(present.elements.as_slice()))
            }
            Found::Absent(absent) => (self.without(&label, absent)?, None),
        };
        Ok((bucket_leaf(self.size, &root), elements))
    }

    fn root(&self, leaf: &Leaf, index: u32, path: &[Digest]) -> Result<tree::Hash, Unproven> {
        let (index, size) = (index as usize, self.size as usize);
        tree::leads_to(tree::leaf(leaf), index, size, &hashes(path)).ok_or(Unproven::Root)
    }

    /// The root of a bucket whose leaves go past a label.
    fn without(&self, label: &tree::Hash, absent: &Absent) -> Result<tree::Hash, Unproven> {
        let root = |one: &Neighbour| {
            let leaf = leaf(one.label.as_bytes(), one.class.as_bytes());
            self.root(&leaf, one.index, &one.path)
        };
        let last = self.size.checked_sub(1).ok_or(Unproven::Neighbours)?;
        match (&absent.before, &absent.after) {
            (Some(before), Some(after)) => {
                let next = before.index.checked_add(1) == Some(after.index);
                let between = before.label.as_bytes() < label && label < after.label.as_bytes();
                let root = (root(before)?, root(after)?);
                (next && between && root.0 == root.1).then_some(root.0)
            }
            (Some(before), None) => {
                let is_last = before.index == last && before.label.as_bytes() < label;
                is_last.then(|| root(before)).transpose()?
            }
            (None, Some(after)) => {
                let is_first = after.index == 0 && label < after.label.as_bytes();
                is_first.then(|| root(after)).transpose()?
            }
            (None, None) => None,
        }
        .ok_or(Unproven::Neighbours)
    }
}

fn hashes(path: &[Digest]) -> Vec<tree::Hash> {
    path.iter().map(|digest| *digest.as_bytes()).collect()
}

pub(crate) fn digests(path: Vec<tree::Hash>) -> Vec<Digest> {
    path.into_iter().map(Digest::from_bytes).collect()
}

/// What shows where a label is, or would be, among the leaves of a bucket.
pub(crate) fn found(
    leaves: &[Leaf],
    label: &tree::Hash,
    elements: Option<&[String]>,
) -> Option<Found> {
    let hashes: Vec<tree::Hash> = leaves.iter().map(|leaf| tree::leaf(leaf)).collect();
    let at = leaves.partition_point(|leaf| leaf.get(..32) < Some(label.as_slice()));
    let path = |at: usize| digests(tree::path(&hashes, at));
    if let Some(elements) = elements {
        (leaves.get(at)?.get(..32)? == label).then_some(())?;
        return Some(Found::Present(Present {
            index: u32::try_from(at).ok()?,
            elements: elements.to_vec(),
            path: path(at),
        }));
    }
    let neighbour = |at: usize| -> Option<Neighbour> {
        let (label, class) = leaves.get(at)?.split_at_checked(32)?;
        Some(Neighbour {
            index: u32::try_from(at).ok()?,
            label: Digest::from_bytes(label.try_into().ok()?),
            class: Digest::from_bytes(class.try_into().ok()?),
            path: path(at),
        })
    };
    let is_there = leaves.get(at).and_then(|leaf| leaf.get(..32)) == Some(label.as_slice());
    (!is_there).then_some(())?;
    Some(Found::Absent(Absent {
        before: at.checked_sub(1).and_then(neighbour),
        after: neighbour(at),
    }))
}
