//! That a person was, or was not, among those a release was about.
//!
//! A proof is against the root in the release's ledger entry. It shows that the custodian, when the release was entered,
//! bound itself to a list with this person on it (and with these elements), or to one without: of one root and one person only one
//! of these can be shown. It does not show that the list is the file: whoever has the files, the recipient or a court, counts
//! them, and the custodian's replay computes the list again.

use chancery_model::Digest;
use serde::{Deserialize, Serialize};

use crate::commitment::{self, Buckets, bucket_leaf, buckets, leaf};
use crate::key::Pseudonym;
use crate::tree::{self, Hash};
use crate::trie::{self, Leaf};
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
    /// What is there.
    pub found: Found,
    /// The path from there to the bucket's root.
    pub path: Vec<Digest>,
    /// The bucket's path in the tree over the buckets.
    pub top: Vec<Digest>,
}

/// What is in a bucket where a person would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// The person, and what left about them.
    Elements(Vec<String>),
    /// Another leaf.
    Other(Other),
    /// Nothing.
    Nothing,
}

/// A leaf that is somebody else's, or nobody's: nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// Its label.
    pub label: Digest,
    /// Its class.
    pub class: Digest,
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
    /// Another's leaf does not stand where the person's would be.
    #[error("its leaf does not stand where the person's would be")]
    Other,
    /// An element has no name, or one that might be read as two.
    #[error("its elements are not names")]
    Elements,
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
                let path = hashes(&bucket.top);
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
    ) -> Result<(Hash, Option<&[String]>), Unproven> {
        let label = commitment::label(release, pseudonym);
        let (terminal, elements) = match &self.found {
            Found::Elements(elements) => {
                let plain = |name: &String| !name.is_empty() && !name.contains(char::is_control);
                if elements.is_empty() || !elements.iter().all(plain) {
                    return Err(Unproven::Elements);
                }
                let class = commitment::class(release, pseudonym, elements);
                let own = trie::terminal(Some(&leaf(&label, &class)));
                (own, Some(elements.as_slice()))
            }
            Found::Other(other) => {
                let theirs = other.label.as_bytes();
                if *theirs == label || !trie::shares(theirs, &label, self.path.len()) {
                    return Err(Unproven::Other);
                }
                let leaf = leaf(theirs, other.class.as_bytes());
                (trie::terminal(Some(&leaf)), None)
            }
            Found::Nothing => (trie::terminal(None), None),
        };
        let root = trie::leads_to(terminal, &label, &hashes(&self.path));
        Ok((bucket_leaf(&root.ok_or(Unproven::Root)?), elements))
    }
}

fn hashes(path: &[Digest]) -> Vec<Hash> {
    path.iter().map(|digest| *digest.as_bytes()).collect()
}

pub(crate) fn digests(path: Vec<Hash>) -> Vec<Digest> {
    path.into_iter().map(Digest::from_bytes).collect()
}

/// What is where a label would be among the leaves of a bucket, and the path from there. Nothing if it is not there and
/// elements left, or the other way round.
pub(crate) fn found(
    leaves: &[Leaf],
    label: &Hash,
    elements: Option<&[String]>,
) -> Option<(Found, Vec<Digest>)> {
    let (leaf, path) = trie::path(leaves, label)?;
    let parts = leaf.as_ref().and_then(|leaf| leaf.split_first_chunk());
    let found = match (parts, elements) {
        (Some((theirs, _)), Some(elements)) if theirs == label => {
            Found::Elements(elements.to_vec())
        }
        (Some((theirs, class)), None) if theirs != label => Found::Other(Other {
            label: Digest::from_bytes(*theirs),
            class: Digest::from_bytes(class.try_into().ok()?),
        }),
        (None, None) => Found::Nothing,
        _ => return None,
    };
    Some((found, digests(path)))
}
