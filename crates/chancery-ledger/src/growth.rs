//! What an append adds to the tree: pure arithmetic over what has been verified and what is new.

use tlog_tiles::{Hash, HashReader, Tile};

use crate::bundle::write_bundle;
use crate::error::{Error, Result};
use crate::layout::{TILE_HEIGHT, TILE_WIDTH, bundle_of, tile_path};
use crate::tiles::{Tiles, width_of};

/// The tree after an append, and the files that it needs and the tree before it did not.
pub(crate) struct Growth {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    /// Bundles and tiles, each with its path, in the order to write them.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// Computes what `entries` add to the tree of `size` entries.
///
/// The last bundle, if partial, is read and verified here, so a damaged entry never gets copied
/// into a wider bundle.
pub(crate) fn grow(tiles: &Tiles<'_>, size: u64, entries: &[Vec<u8>]) -> Result<Growth> {
    let tree = hash_entries(tiles, size, entries)?;
    let new_size = size + entries.len() as u64;
    let root = tlog_tiles::tree_hash(new_size, &tree).map_err(internal)?;

    let first_bundle = size / u64::from(TILE_WIDTH);
    let mut unfilled = tiles.bundle(first_bundle)?;
    unfilled.extend_from_slice(entries);
    let mut bundles = unfilled.as_slice();

    let mut files = Vec::new();
    for tile in Tile::new_tiles(TILE_HEIGHT, size, new_size) {
        if tile.level() == 0 {
            let (bundle, rest) = bundles
                .split_at_checked(width_of(&tile))
                .unwrap_or((bundles, &[]));
            files.push((tile_path(&bundle_of(&tile)), write_bundle(bundle)?));
            bundles = rest;
        }
        files.push((tile_path(&tile), tile.read_data(&tree).map_err(internal)?));
    }
    Ok(Growth {
        size: new_size,
        root,
        files,
    })
}

fn hash_entries<'a>(tiles: &'a Tiles<'a>, size: u64, entries: &[Vec<u8>]) -> Result<GrownTree<'a>> {
    let start = tlog_tiles::stored_hash_index(0, size);
    let mut tree = GrownTree {
        tiles,
        start,
        added: Vec::new(),
    };
    for (index, entry) in (size..).zip(entries) {
        let hashes = tlog_tiles::stored_hashes(index, entry, &tree).map_err(internal)?;
        tree.added.extend(hashes);
    }
    Ok(tree)
}

/// The verified tree with the new hashes after it, in the order in which `tlog_tiles` numbers them.
struct GrownTree<'a> {
    tiles: &'a Tiles<'a>,
    start: u64,
    added: Vec<Hash>,
}

impl HashReader for GrownTree<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> std::result::Result<Vec<Hash>, tlog_tiles::Error> {
        let mut hashes = Vec::with_capacity(indexes.len());
        for index in indexes {
            match index.checked_sub(self.start) {
                None => hashes.extend(self.tiles.read_hashes(&[*index])?),
                Some(added) => {
                    let hash = usize::try_from(added).ok().and_then(|i| self.added.get(i));
                    hashes.push(*hash.ok_or(tlog_tiles::Error::IndexesNotInTree)?);
                }
            }
        }
        Ok(hashes)
    }
}

/// The needed tiles are all on the right edge, which has been read: this does not happen.
#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
fn internal(problem: tlog_tiles::Error) -> Error {
    Error::malformed("tree", problem.to_string())
}
