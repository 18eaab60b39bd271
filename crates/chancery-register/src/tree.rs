//! Merkle trees as of RFC 6962, section 2.1: the root, the path of a leaf, and what a path leads to.

use sha2::{Digest as _, Sha256};

pub(crate) type Hash = [u8; 32];

pub(crate) fn leaf(data: &[u8]) -> Hash {
    let mut hash = Sha256::new_with_prefix([0]);
    hash.update(data);
    hash.finalize().into()
}

pub(crate) fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new_with_prefix([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// Where a tree of more than one leaf divides: the largest power of two below its size.
fn half(size: usize) -> usize {
    size.div_ceil(2).next_power_of_two()
}

/// The root over leaves.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        many => {
            let (left, right) = many
                .split_at_checked(half(many.len()))
                .unwrap_or((many, &[]));
            node(&root(left), &root(right))
        }
    }
}

/// The path of the leaf at `index`, from the leaf up.
pub(crate) fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let middle = half(leaves.len());
    let (left, right) = leaves.split_at_checked(middle).unwrap_or((leaves, &[]));
    let mut below;
    if index < middle {
        below = path(left, index);
        below.push(root(right));
    } else {
        below = path(right, index - middle);
        below.push(root(left));
    }
    below
}

/// The root that a leaf at `index` of `size` leaves leads to by its path, if the path has the right length.
pub(crate) fn leads_to(leaf: Hash, index: usize, size: usize, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    if size == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (last, below) = path.split_last()?;
    let middle = half(size);
    if index < middle {
        Some(node(&leads_to(leaf, index, middle, below)?, last))
    } else {
        Some(node(
            last,
            &leads_to(leaf, index - middle, size - middle, below)?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_leads_to_the_root_and_no_other_does() {
        for size in 1..70_u8 {
            let leaves: Vec<Hash> = (0..size).map(|i| leaf(&[i])).collect();
            let size = leaves.len();
            let root = root(&leaves);
            for index in 0..size {
                let path = path(&leaves, index);
                assert_eq!(leads_to(leaves[index], index, size, &path), Some(root));
                let elsewhere = (index + 1) % size;
                if size > 1 {
                    assert_ne!(leads_to(leaves[index], elsewhere, size, &path), Some(root));
                    assert_eq!(leads_to(leaves[index], index, size, &path[1..]), None);
                }
                let mut longer = path.clone();
                longer.push([0; 32]);
                assert_eq!(leads_to(leaves[index], index, size, &longer), None);
                assert_eq!(leads_to(leaves[index], size, size, &path), None);
            }
        }
    }

    /// The reference values of Go's and of Google's Certificate Transparency: the roots over the first of these leaves.
    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let inputs: [&[u8]; 8] = [
            b"",
            b"\0",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let leaves: Vec<Hash> = inputs.iter().map(|input| leaf(input)).collect();
        let hex = |hash: Hash| -> String { hash.iter().map(|b| format!("{b:02x}")).collect() };
        assert_eq!(
            hex(root(&leaves[..1])),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            hex(root(&leaves[..3])),
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
        );
        assert_eq!(
            hex(root(&leaves)),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }
}
