//! Reads tiles and bundles, and believes none before its hashes lead up to the checkpoint's root.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use tlog_tiles::{Hash, HashReader, Tile};

use crate::bundle::parse_bundle;
use crate::error::{Error, Result};
use crate::layout::{TILE_HEIGHT, TILE_WIDTH, bundle_of, full, tile_in_tree, tile_path};
use crate::storage::{Storage, damaged, read};

/// The width of a tile's row of children, as a count of entries' indices.
const WIDTH: u64 = TILE_WIDTH as u64;

type Verified = BTreeMap<(u8, u64), Arc<Vec<u8>>>;

/// The tiles of the tree of one size and root; every hash handed out has been verified.
///
/// Stands in for `tlog_tiles::TileHashReader`, which leaves some full tiles unverified: it starts
/// checking at the number of subtrees on the right edge, but several of them can share one tile.
pub(crate) struct Tiles<'a> {
    storage: &'a dyn Storage,
    size: u64,
    /// Verified tiles by level and number. Bundles' leaves stay out, to bound its size.
    verified: RefCell<Verified>,
    /// Verified hashes by their number, because `tlog_tiles` hashes half a tile to get some of them,
    /// and the proofs of a batch share most of theirs.
    hashes: RefCell<BTreeMap<u64, Hash>>,
    /// What went wrong inside a call of [`HashReader`], whose errors cannot name a file.
    failure: RefCell<Option<Error>>,
}

impl<'a> Tiles<'a> {
    /// Reads the tiles on the right edge and verifies that together they give the root.
    pub(crate) fn open(storage: &'a dyn Storage, size: u64, root: [u8; 32]) -> Result<Self> {
        let mut edge = Verified::new();
        let mut level = 0;
        let mut lowest = None;
        while let Some(tile) = rightmost(size, level) {
            // A full rightmost tile is one hash in the level above, which is on the edge.
            if tile.width() < TILE_WIDTH {
                edge.insert(
                    (level, tile.level_index()),
                    Arc::new(read_hashes(storage, &tile)?),
                );
                lowest = lowest.or(Some(tile));
            }
            level += 1;
        }
        let tiles = Self {
            storage,
            size,
            verified: RefCell::new(edge),
            hashes: RefCell::default(),
            failure: RefCell::default(),
        };
        if tiles.root_at(size)? != Hash(root) {
            // Which file of the edge is wrong cannot be told from hashes alone: name the lowest.
            let file = lowest
                .as_ref()
                .map_or_else(|| "checkpoint".to_owned(), tile_path);
            let problem = "the right edge of the tree does not hash to the checkpoint's root";
            return Err(damaged(storage, &file, problem));
        }
        Ok(tiles)
    }

    /// The root that the tree had at an earlier size.
    pub(crate) fn root_at(&self, size: u64) -> Result<Hash> {
        self.explain(tlog_tiles::tree_hash(size, self))
    }

    /// The inclusion proof of an entry, from its sibling up.
    pub(crate) fn prove(&self, index: u64) -> Result<Vec<[u8; 32]>> {
        self.explain(tlog_tiles::prove_record(self.size, index, self))
            .map(plain)
    }

    /// The consistency proof from a smaller tree to this one.
    pub(crate) fn prove_consistency(&self, older: u64) -> Result<Vec<[u8; 32]>> {
        self.explain(tlog_tiles::prove_tree(self.size, older, self))
            .map(plain)
    }

    /// The entries of a bundle, each verified against its leaf hash.
    pub(crate) fn bundle(&self, number: u64) -> Result<Vec<Vec<u8>>> {
        let Some(tile) = tile_in_tree(self.size, 0, number) else {
            return Ok(Vec::new());
        };
        let (file, content) = read_tile(self.storage, &bundle_of(&tile))?;
        let entries =
            parse_bundle(&content).map_err(|e| damaged(self.storage, &file, e.to_string()))?;
        let leaves = self.verified_hashes(0, number)?;
        let mut wanted = leaves.chunks_exact(tlog_tiles::HASH_SIZE);
        let mut verified = Vec::with_capacity(entries.len());
        for entry in entries.into_iter().take(width_of(&tile)) {
            let index = number * WIDTH + verified.len() as u64;
            if wanted.next() != Some(tlog_tiles::record_hash(entry).0.as_slice()) {
                let problem = format!("entry {index} does not hash to its leaf in the tree");
                return Err(damaged(self.storage, &file, problem));
            }
            verified.push(entry.to_vec());
        }
        if wanted.next().is_some() {
            let problem = format!("it ends after {} entries", verified.len());
            return Err(damaged(self.storage, &file, problem));
        }
        Ok(verified)
    }

    /// A tile's hashes, verified, from memory if they were needed before.
    fn tile(&self, level: u8, number: u64) -> Result<Arc<Vec<u8>>> {
        if let Some(hashes) = self.verified.borrow().get(&(level, number)) {
            return Ok(Arc::clone(hashes));
        }
        let hashes = self.verified_hashes(level, number)?;
        self.verified
            .borrow_mut()
            .insert((level, number), Arc::clone(&hashes));
        Ok(hashes)
    }

    /// A tile's hashes, verified against the tile above it.
    pub(crate) fn verified_hashes(&self, level: u8, number: u64) -> Result<Arc<Vec<u8>>> {
        // INVARIANT: every partial tile is on the right edge, which `open` has put into `verified`.
        if let Some(hashes) = self.verified.borrow().get(&(level, number)) {
            return Ok(Arc::clone(hashes));
        }
        let tile = full(&Tile::new(TILE_HEIGHT, level, number, 1, false));
        if tile_in_tree(self.size, level, number) != Some(tile) {
            return Err(Error::NoSuchEntry {
                index: number * WIDTH,
                size: self.size,
            });
        }
        let hashes = read_hashes(self.storage, &tile)?;
        let above = self.tile(level + 1, number / WIDTH)?;
        let place = usize::try_from(number % WIDTH).unwrap_or_default();
        let wanted = above.chunks_exact(tlog_tiles::HASH_SIZE).nth(place);
        if wanted != Some(Tile::subtree_hash(&hashes).0.as_slice()) {
            let problem = "it does not hash to its place in the tile above it";
            return Err(damaged(self.storage, &tile_path(&tile), problem));
        }
        Ok(Arc::new(hashes))
    }

    /// Turns the library's error into ours, which was put aside when it happened.
    fn explain<T>(&self, outcome: std::result::Result<T, tlog_tiles::Error>) -> Result<T> {
        outcome.map_err(|problem| {
            let put_aside = self.failure.borrow_mut().take();
            put_aside.unwrap_or_else(|| damaged(self.storage, "tile", problem.to_string()))
        })
    }
}

impl HashReader for Tiles<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> std::result::Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |index: &u64| {
            if let Some(hash) = self.hashes.borrow().get(index) {
                return Ok(*hash);
            }
            let tile = Tile::from_index(TILE_HEIGHT, *index);
            let row = self
                .tile(tile.level(), tile.level_index())
                .map_err(|error| {
                    *self.failure.borrow_mut() = Some(error);
                    tlog_tiles::Error::InvalidTile
                })?;
            let hash = tile.hash_at_index(&row, *index)?;
            self.hashes.borrow_mut().insert(*index, hash);
            Ok(hash)
        };
        indexes.iter().map(read).collect()
    }
}

/// The last tile of a level; `None` above the top.
pub(crate) fn rightmost(size: u64, level: u8) -> Option<Tile> {
    let hashes = size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(level))?;
    tile_in_tree(size, level, hashes.checked_sub(1)? / WIDTH)
}

/// The number of hashes or entries in a tile or bundle.
pub(crate) fn width_of(tile: &Tile) -> usize {
    usize::try_from(tile.width()).unwrap_or_default()
}

/// Reads exactly the hashes of a tile; they are not verified yet.
pub(crate) fn read_hashes(storage: &dyn Storage, tile: &Tile) -> Result<Vec<u8>> {
    let (file, mut hashes) = read_tile(storage, tile)?;
    let needed = width_of(tile) * tlog_tiles::HASH_SIZE;
    let is_whole = hashes.len() == needed || file != tile_path(tile) && hashes.len() > needed;
    if !is_whole {
        let problem = format!("it has {} bytes, not {needed}", hashes.len());
        return Err(damaged(storage, &file, problem));
    }
    hashes.truncate(needed);
    Ok(hashes)
}

/// Reads a tile or bundle, and from which file: a partial one may be gone once the full one exists.
pub(crate) fn read_tile(storage: &dyn Storage, tile: &Tile) -> Result<(String, Vec<u8>)> {
    let own = tile_path(tile);
    for path in [&own, &tile_path(&full(tile))] {
        if let Some(content) = read(storage, path)? {
            return Ok((path.clone(), content));
        }
    }
    Err(Error::Missing {
        file: storage.locate(&own),
    })
}

fn plain(hashes: Vec<Hash>) -> Vec<[u8; 32]> {
    hashes.into_iter().map(|hash| hash.0).collect()
}
