//! Writes again what other files show to be right, and nothing else.

use tlog_tiles::{Hash, Tile, node_hash, record_hash};

use crate::bundle::parse_bundle;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::keyring::Keyring;
use crate::layout::{
    CHECKPOINT, TILE_HEIGHT, TILE_WIDTH, VKEY, bundle_of, is_temporary, tile_in_tree, tile_path,
};
use crate::ledger::{entries_beyond, read_checkpoint, read_locked};
use crate::lock::Lock;
use crate::storage::{Storage, damaged, failed, read};
use crate::tiles::{read_tile, width_of};

/// One thing that was put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The file.
    pub file: String,
    /// What was done to it, such as `computed from the entries`.
    pub what: &'static str,
}

/// Puts right what can be computed, and says what it did:
///
/// - the `vkey` file, from the log's keys;
/// - a `checkpoint` that is gone or damaged, from the lock;
/// - tiles, from the entries, if these hash to the signed root;
/// - a lock that is behind, from a published checkpoint that is signed and continues it;
/// - temporary files, which are removed.
///
/// An entry that is gone or damaged cannot be computed from anything: that takes a copy. The caller
/// holds the writer's lock.
///
/// # Errors
///
/// [`Error::Forked`] when lock and log contradict each other; a failure to read or write.
pub fn repair(storage: &dyn Storage, lock: &dyn Lock, keys: &Keyring) -> Result<Vec<Repair>> {
    let mut work = Work {
        storage,
        done: Vec::new(),
    };
    work.write(
        VKEY,
        keys.to_string().as_bytes(),
        "written from the log's keys",
    )?;
    let locked = read_locked(lock, keys)?;
    let published = match read_checkpoint(storage, |note| keys.verify(note)) {
        Ok(published) => Some(published),
        Err(Error::Missing { .. } | Error::Damaged { .. }) => None,
        Err(other) => return Err(other),
    };
    if let Some(published) = &published
        && published.size() == locked.size()
        && published.root() != locked.root()
    {
        return Err(Error::Forked {
            file: storage.locate(CHECKPOINT),
            size: published.size(),
        });
    }
    // With entries beyond it, the lock is the older one, and its checkpoint is not the latest.
    if published.is_none()
        && let Some(published) = entries_beyond(storage, locked.size())?
    {
        let (file, locked) = (lock.locate(), locked.size());
        return Err(Error::LockBehind {
            file,
            locked,
            published,
        });
    }
    // Of a locked checkpoint the files may not be written yet: then opening finishes the append.
    let latest = match &published {
        Some(published) if published.size() >= locked.size() => published,
        _ => &locked,
    };
    let older = published.as_ref().unwrap_or(&locked);
    for checkpoint in [latest, older] {
        let Some(tree) = hash_entries(storage, checkpoint.size(), locked.size())? else {
            continue;
        };
        if tree.root != checkpoint.root() {
            continue;
        }
        work.tiles(checkpoint.size())?;
        if published.is_none() {
            let note = checkpoint.as_str().as_bytes();
            work.write(CHECKPOINT, note, "written from the lock")?;
        }
        work.move_lock(lock, keys, [&locked, checkpoint], &tree)?;
        break;
    }
    work.remove_temporary()?;
    Ok(work.done)
}

struct Work<'a> {
    storage: &'a dyn Storage,
    done: Vec<Repair>,
}

impl Work<'_> {
    fn write(&mut self, path: &str, content: &[u8], what: &'static str) -> Result<()> {
        if read(self.storage, path)?.as_deref() == Some(content) {
            return Ok(());
        }
        self.storage
            .replace(path, content)
            .map_err(|reason| failed(self.storage, "write", path, reason))?;
        let file = self.storage.locate(path);
        self.done.push(Repair { file, what });
        Ok(())
    }

    /// Computes every tile from the entries, which are known to hash to the root.
    fn tiles(&mut self, size: u64) -> Result<()> {
        let mut row: Vec<Hash> = Vec::new();
        for level in 0.. {
            let mut above = Vec::new();
            for number in 0.. {
                let Some(tile) = tile_in_tree(size, level, number) else {
                    break;
                };
                let hashes = match level {
                    0 => leaves(self.storage, &tile)?.unwrap_or_default(),
                    _ => chunk(&row, number).to_vec(),
                };
                let content: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
                self.write(&tile_path(&tile), &content, "computed from the entries")?;
                if tile.width() == TILE_WIDTH {
                    above.push(Tile::subtree_hash(&content));
                }
            }
            if above.is_empty() {
                return Ok(());
            }
            row = above;
        }
        Ok(())
    }

    /// Moves a lock that is behind forward, to a checkpoint that continues it.
    fn move_lock(
        &mut self,
        lock: &dyn Lock,
        keys: &Keyring,
        [locked, published]: [&Checkpoint; 2],
        tree: &Tree,
    ) -> Result<()> {
        if published.size() <= locked.size() {
            return Ok(());
        }
        // Whoever holds a retired key could have signed it: the lock follows the current keys alone.
        keys.verify_current(published.clone().into())
            .map_err(|problem| damaged(self.storage, CHECKPOINT, problem.to_string()))?;
        if tree.root_at_locked != Some(locked.root()) {
            return Err(Error::Forked {
                file: lock.locate(),
                size: locked.size(),
            });
        }
        lock.swap(Some(locked.as_str()), published.as_str())?;
        self.done.push(Repair {
            file: lock.locate(),
            what: "moved forward to the published checkpoint",
        });
        Ok(())
    }

    fn remove_temporary(&mut self) -> Result<()> {
        let files = self.storage.list("");
        let files = files.map_err(|reason| failed(self.storage, "list", "", reason))?;
        for path in files.iter().filter(|path| is_temporary(path)) {
            self.storage
                .remove(path)
                .map_err(|reason| failed(self.storage, "remove", path, reason))?;
            let file = self.storage.locate(path);
            let what = "removed: a crash left it";
            self.done.push(Repair { file, what });
        }
        Ok(())
    }
}

/// What the entries alone hash to.
struct Tree {
    root: [u8; 32],
    /// The root at the lock's size, if the tree is that large.
    root_at_locked: Option<[u8; 32]>,
}

/// Hashes all entries; `None` when one cannot be read.
fn hash_entries(storage: &dyn Storage, size: u64, locked: u64) -> Result<Option<Tree>> {
    let mut frontier = Frontier::default();
    let mut root_at_locked = (locked == 0).then(|| frontier.root());
    for number in 0.. {
        let Some(tile) = tile_in_tree(size, 0, number) else {
            break;
        };
        let Some(leaves) = leaves(storage, &tile)? else {
            return Ok(None);
        };
        for leaf in leaves {
            frontier.push(leaf);
            if frontier.size == locked {
                root_at_locked = Some(frontier.root());
            }
        }
    }
    Ok(Some(Tree {
        root: frontier.root(),
        root_at_locked,
    }))
}

/// The leaf hashes of the entries beside a level-0 tile; `None` when they are not all there.
fn leaves(storage: &dyn Storage, tile: &Tile) -> Result<Option<Vec<Hash>>> {
    let content = match read_tile(storage, &bundle_of(tile)) {
        Ok((_, content)) => content,
        Err(Error::Missing { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    let Ok(entries) = parse_bundle(&content) else {
        return Ok(None);
    };
    let leaves = entries.into_iter().map(record_hash).take(width_of(tile));
    let leaves: Vec<Hash> = leaves.collect();
    Ok(Some(leaves).filter(|leaves| leaves.len() == width_of(tile)))
}

fn chunk(row: &[Hash], number: u64) -> &[Hash] {
    let width = 1_usize << TILE_HEIGHT;
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    row.chunks(width).nth(number).unwrap_or_default()
}

/// The roots of the perfect subtrees that a tree is made of, from the largest: RFC 6962, 2.1.
#[derive(Default)]
struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    fn push(&mut self, leaf: Hash) {
        let mut root = leaf;
        // As many subtrees are completed as the size has trailing ones in binary.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                root = node_hash(left, root);
            }
        }
        self.roots.push(root);
        self.size += 1;
    }

    fn root(&self) -> [u8; 32] {
        let roots = self.roots.iter().rev().copied();
        roots
            .reduce(|right, left| node_hash(left, right))
            .unwrap_or(tlog_tiles::EMPTY_HASH)
            .0
    }
}
