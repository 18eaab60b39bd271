//! Where things are in the ledger's folder, as `c2sp.org/tlog-tiles` lays them out.

use tlog_tiles::Tile;

/// A tile has 2^8 = 256 hashes.
pub(crate) const TILE_HEIGHT: u8 = 8;
/// The number of hashes in a full tile, and of entries in a full bundle.
pub(crate) const TILE_WIDTH: u32 = 1 << TILE_HEIGHT;

/// The latest signed checkpoint: the one file that is replaced.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The log's public keys.
pub(crate) const VKEY: &str = "vkey";
/// The folder of all tiles and entry bundles.
pub(crate) const TILES: &str = "tile";
/// The tile of `level` and `number`, as wide as it is in a tree of `size` entries.
///
/// `None` when the tree has no such tile.
pub(crate) fn tile_in_tree(size: u64, level: u8, number: u64) -> Option<Tile> {
    let hashes = size
        .checked_shr(u32::from(TILE_HEIGHT) * u32::from(level))
        .unwrap_or(0);
    let start = number.checked_mul(u64::from(TILE_WIDTH))?;
    let rest = hashes.checked_sub(start)?.min(u64::from(TILE_WIDTH));
    let width = u32::try_from(rest).ok().filter(|width| *width > 0)?;
    Some(Tile::new(TILE_HEIGHT, level, number, width, false))
}

/// The entry bundle next to a level-0 tile.
pub(crate) fn bundle_of(tile: &Tile) -> Tile {
    Tile::new(TILE_HEIGHT, 0, tile.level_index(), tile.width(), true)
}

/// The full tile (or bundle) that a partial one grows into.
pub(crate) fn full(tile: &Tile) -> Tile {
    Tile::new(
        TILE_HEIGHT,
        tile.level(),
        tile.level_index(),
        TILE_WIDTH,
        tile.is_data(),
    )
}

/// The file of a tile or bundle, from the ledger's folder.
///
/// `tlog_tiles` prints Go's older paths (`tile/8/0/001`, `tile/8/data/001`); the C2SP ones have no
/// height and say `entries`.
pub(crate) fn tile_path(tile: &Tile) -> String {
    let path = tile.path();
    match path.strip_prefix("tile/8/data/") {
        Some(rest) => format!("tile/entries/{rest}"),
        None => path.replacen("tile/8/", "tile/", 1),
    }
}

/// The tile or bundle of a file; `None` when no tile has that path.
pub(crate) fn parse_tile_path(path: &str) -> Option<Tile> {
    let rest = path.strip_prefix("tile/")?;
    let go = match rest.strip_prefix("entries/") {
        Some(rest) => format!("tile/8/data/{rest}"),
        None => format!("tile/8/{rest}"),
    };
    // `from_path` panics on these two, so they must not reach it.
    if has_zero_width(rest) || has_impossible_level(rest) {
        return None;
    }
    Tile::from_path(&go)
        .ok()
        .filter(|tile| tile_path(tile) == path)
}

fn has_zero_width(rest: &str) -> bool {
    let width = rest
        .rsplit_once('/')
        .filter(|(head, _)| head.strip_suffix(".p").is_some());
    width.is_some_and(|(_, width)| width.parse::<u32>() == Ok(0))
}

fn has_impossible_level(rest: &str) -> bool {
    let level = rest
        .split('/')
        .next()
        .and_then(|level| level.parse::<u8>().ok());
    level.is_some_and(|level| level >= 64)
}

/// The folder of a file; the ledger's own folder is the empty string.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a path is one of [`temporary`].
pub(crate) fn is_temporary(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hidden = name.strip_prefix('.');
    hidden.is_some_and(|name| name.strip_suffix(".tmp").is_some())
}

/// The temporary file for a file: in the same folder, so that a rename is atomic.
pub(crate) fn temporary(path: &str) -> String {
    let folder = parent(path);
    let name = path
        .strip_prefix(folder)
        .unwrap_or(path)
        .trim_start_matches(['/', '.']);
    if folder.is_empty() {
        format!(".{name}.tmp")
    } else {
        format!("{folder}/.{name}.tmp")
    }
}
