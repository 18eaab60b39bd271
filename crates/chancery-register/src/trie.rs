//! A binary trie over leaves by the bits of their labels. Where a label stands follows from the label alone, so a root says
//! one thing of each label, whoever made it.

use crate::tree::{self, Hash, node};

/// A leaf: 32 bytes of label and 32 of class.
pub(crate) type Leaf = [u8; 64];
/// Stands for a part without leaves.
const EMPTY: Hash = [0; 32];
const DEPTH: usize = 256;

/// What is where a label would be: a leaf, the label's own or another, or nothing.
pub(crate) fn terminal(leaf: Option<&Leaf>) -> Hash {
    leaf.map_or(EMPTY, |leaf| tree::leaf(leaf))
}

/// The root over leaves in the order of their labels; nothing if two have one label.
pub(crate) fn root(leaves: &[Leaf]) -> Option<Hash> {
    below(leaves, 0)
}

fn below(leaves: &[Leaf], depth: usize) -> Option<Hash> {
    match leaves {
        [] => Some(EMPTY),
        [one] => Some(tree::leaf(one)),
        many => {
            let (left, right) = halves(many, depth)?;
            Some(node(&below(left, depth + 1)?, &below(right, depth + 1)?))
        }
    }
}

fn halves(leaves: &[Leaf], depth: usize) -> Option<(&[Leaf], &[Leaf])> {
    (depth < DEPTH).then_some(())?;
    leaves.split_at_checked(leaves.partition_point(|leaf| !bit(leaf, depth)))
}

fn bit(label: &[u8], depth: usize) -> bool {
    let byte = label.get(depth / 8).copied().unwrap_or_default();
    byte >> (7 - depth % 8) & 1 == 1
}

/// The leaf where a label would be, and its path from there up.
pub(crate) fn path(leaves: &[Leaf], label: &Hash) -> Option<(Option<Leaf>, Vec<Hash>)> {
    let (mut rest, mut path) = (leaves, Vec::new());
    while rest.len() > 1 {
        let depth = path.len();
        let (left, right) = halves(rest, depth)?;
        let (on, off) = if bit(label, depth) {
            (right, left)
        } else {
            (left, right)
        };
        path.push(below(off, depth + 1)?);
        rest = on;
    }
    path.reverse();
    Some((rest.first().copied(), path))
}

/// The root that what is where a label would be leads to by its path.
pub(crate) fn leads_to(terminal: Hash, label: &Hash, path: &[Hash]) -> Option<Hash> {
    (path.len() <= DEPTH).then_some(())?;
    let depths = (0..path.len()).rev();
    Some(depths.zip(path).fold(terminal, |hash, (depth, beside)| {
        if bit(label, depth) {
            node(beside, &hash)
        } else {
            node(&hash, beside)
        }
    }))
}

/// Whether a label is the same as another in its first bits.
pub(crate) fn shares(label: &[u8], other: &[u8], bits: usize) -> bool {
    (0..bits).all(|depth| bit(label, depth) == bit(other, depth))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn leaves(count: u32) -> Vec<Leaf> {
        let leaf = |number: u32| {
            let label = Sha256::digest(number.to_be_bytes());
            let mut leaf = [7; 64];
            leaf[..32].copy_from_slice(&label);
            leaf
        };
        let mut leaves: Vec<Leaf> = (0..count).map(leaf).collect();
        leaves.sort_unstable();
        leaves
    }

    /// Of every label, a root says that it is there or that it is not, and by one path only.
    #[test]
    fn a_root_says_one_thing_of_each_label() {
        for count in [0, 1, 2, 3, 16, 47] {
            let leaves = leaves(count);
            let root = root(&leaves).unwrap();
            for number in 0..60_u32 {
                let label: Hash = Sha256::digest(number.to_be_bytes()).into();
                let (found, path) = path(&leaves, &label).unwrap();
                let there = found.is_some_and(|leaf| leaf[..32] == label);
                assert_eq!(there, number < count);
                let hash = terminal(found.as_ref());
                assert_eq!(leads_to(hash, &label, &path), Some(root));
                // Neither that nothing is there, nor a leaf elsewhere on the way, leads to it.
                for length in 0..path.len() {
                    for hash in [hash, EMPTY] {
                        assert_ne!(leads_to(hash, &label, &path[length + 1..]), Some(root));
                    }
                }
                if there {
                    assert_ne!(leads_to(EMPTY, &label, &path), Some(root));
                }
                let mut longer = vec![EMPTY];
                longer.extend(&path);
                assert_ne!(leads_to(hash, &label, &longer), Some(root));
            }
        }
    }

    #[test]
    fn two_of_one_label_have_no_root() {
        let mut twice = leaves(1);
        twice.push(twice[0]);
        assert_eq!(root(&twice), None);
        assert_eq!(path(&twice, &[0; 32]), None);
    }
}
