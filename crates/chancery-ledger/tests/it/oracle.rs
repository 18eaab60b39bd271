//! RFC 6962 section 2.1, word for word and as slow as that is.

use sha2::{Digest, Sha256};

/// MTH(D[n]) of the RFC.
pub(crate) fn root(entries: &[Vec<u8>]) -> [u8; 32] {
    match entries {
        [] => Sha256::digest([]).into(),
        [only] => Sha256::new()
            .chain_update([0])
            .chain_update(only)
            .finalize()
            .into(),
        _ => {
            let (left, right) = entries.split_at(largest_power_of_two_below(entries.len()));
            node(root(left), root(right))
        }
    }
}

/// PATH(m, D[n]) of the RFC.
pub(crate) fn path(index: usize, entries: &[Vec<u8>]) -> Vec<[u8; 32]> {
    if entries.len() <= 1 {
        return Vec::new();
    }
    let split = largest_power_of_two_below(entries.len());
    let (left, right) = entries.split_at(split);
    let (mut path, sibling) = if index < split {
        (path(index, left), root(right))
    } else {
        (path(index - split, right), root(left))
    };
    path.push(sibling);
    path
}

/// All roots of the prefixes of `entries`, from leaf hashes that are computed once.
pub(crate) fn prefix_roots(entries: &[Vec<u8>]) -> Vec<[u8; 32]> {
    // A frontier of perfect subtrees, an algorithm of its own: neither the RFC's nor the crate's.
    let mut frontier: Vec<(u32, [u8; 32])> = Vec::new();
    let mut roots = vec![root(&[])];
    for entry in entries {
        frontier.push((0, root(std::slice::from_ref(entry))));
        while let [.., (left_height, left), (height, right)] = frontier[..]
            && left_height == height
        {
            frontier.truncate(frontier.len() - 2);
            frontier.push((height + 1, node(left, right)));
        }
        let whole = frontier
            .iter()
            .rev()
            .map(|(_, hash)| *hash)
            .reduce(|right, left| node(left, right));
        roots.push(whole.unwrap());
    }
    roots
}

fn node(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

fn largest_power_of_two_below(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// PROOF(m, D[n]) of section 2.1.2.
pub(crate) fn consistency(older: usize, entries: &[Vec<u8>]) -> Vec<[u8; 32]> {
    subproof(older, entries, true)
}

fn subproof(older: usize, entries: &[Vec<u8>], is_whole: bool) -> Vec<[u8; 32]> {
    if older == entries.len() {
        return if is_whole {
            Vec::new()
        } else {
            vec![root(entries)]
        };
    }
    let split = largest_power_of_two_below(entries.len());
    let (left, right) = entries.split_at(split);
    let (mut proof, sibling) = if older <= split {
        (subproof(older, left, is_whole), root(right))
    } else {
        (subproof(older - split, right, false), root(left))
    };
    proof.push(sibling);
    proof
}
