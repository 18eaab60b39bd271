//! The one seam to where the log is kept, so that tests can fail each call and forget what was not
//! synced, and so that a bucket will do as well as a folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::layout::{parent, temporary};

/// What the ledger asks of the place it is kept in.
///
/// Paths are relative to the ledger's folder, with `/`; the folder itself is the empty string.
/// What [`Storage::create`] and [`Storage::replace`] have written lasts once they return, and is
/// whole or not there at all whenever they do not.
pub trait Storage: Send + Sync {
    /// The file's content, or `None` when there is no such file.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// Every file in the folder and below it, sorted; none when there is no such folder.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;

    /// Writes a file that is not there yet.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] when it is there: a tile is never overwritten.
    fn create(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Writes a file, or replaces it in one step.
    fn replace(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Makes sure that a file which is there lasts: a crash may have come before it was synced.
    fn sync(&self, path: &str) -> io::Result<()>;

    /// Removes a file; one that is not there is fine.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// The path as a message should show it.
    fn locate(&self, path: &str) -> String;
}

/// The calls of a file system that a [`Folder`] is made of, so that tests can fail each of them.
///
/// Nothing may be trusted after a crash but what [`FileSystem::write_synced`] wrote, and names only
/// once [`FileSystem::sync_dir`] was called on their folder.
pub trait FileSystem: Send + Sync {
    /// The file's content, or `None` when there is no such file.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// Every file in the folder and below it, in any order; none when there is no such folder.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;

    /// Makes a folder; one that is there already is fine.
    fn create_dir(&self, dir: &str) -> io::Result<()>;

    /// Writes and syncs a file that is not there yet.
    ///
    /// One call, not two, because a failed write-back is reported reliably only to the file handle
    /// that wrote.
    fn write_synced(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Gives a file a second name in its folder, which must be free.
    fn link(&self, from: &str, to: &str) -> io::Result<()>;

    /// Moves a file within its folder, replacing what is there.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes the folder's names last: links, renames, removals and new folders.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;

    /// Removes a file; one that is not there is fine.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// The path as a message should show it.
    fn locate(&self, path: &str) -> String;
}

/// A log in a folder, which any web server can serve as it is.
#[derive(Debug)]
pub struct Folder<F = Os> {
    files: F,
    /// Folders known to last, because the folder above them was synced.
    lasting: Mutex<BTreeSet<String>>,
}

impl Folder {
    /// The folder at `path` of the local file system; the first write makes it if need be.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::on(Os { root: path.into() })
    }
}

impl<F: FileSystem> Folder<F> {
    /// A folder of another file system.
    pub fn on(files: F) -> Self {
        Self {
            files,
            lasting: Mutex::default(),
        }
    }

    /// Writes and syncs a new temporary file next to `path`.
    fn write_temporary(&self, path: &str, content: &[u8]) -> io::Result<String> {
        self.make_dir(parent(path))?;
        let temporary = temporary(path);
        // One left by a crash is unlinked, not truncated: it may be a second name of a finished file.
        self.files.remove(&temporary)?;
        self.files.write_synced(&temporary, content)?;
        Ok(temporary)
    }

    /// Makes a folder and those above it, and makes them last.
    fn make_dir(&self, dir: &str) -> io::Result<()> {
        if self.lasting().contains(dir) {
            return Ok(());
        }
        if !dir.is_empty() {
            self.make_dir(parent(dir))?;
        }
        self.files.create_dir(dir)?;
        if !dir.is_empty() {
            // Also for a folder that was there: a crash may have come before it was synced.
            self.files.sync_dir(parent(dir))?;
        }
        self.lasting().insert(dir.to_owned());
        Ok(())
    }

    fn lasting(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.lasting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: FileSystem> Storage for Folder<F> {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.files.read(path)
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let mut files = self.files.list(dir)?;
        files.sort();
        Ok(files)
    }

    fn create(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let temporary = self.write_temporary(path, content)?;
        // A link, unlike a rename, fails when the name is taken. A crash before the folder is
        // synced: the file is there or not, and whole if it is.
        self.files.link(&temporary, path)?;
        self.files.remove(&temporary)?;
        self.files.sync_dir(parent(path))
    }

    fn replace(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let temporary = self.write_temporary(path, content)?;
        self.files.rename(&temporary, path)?;
        self.files.sync_dir(parent(path))
    }

    fn sync(&self, path: &str) -> io::Result<()> {
        // A file gets its name only after its content was synced: what may be lost is the name.
        self.make_dir(parent(path))?;
        // The crash may have left it a second one.
        self.files.remove(&temporary(path))?;
        self.files.sync_dir(parent(path))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.files.remove(path)
    }

    fn locate(&self, path: &str) -> String {
        self.files.locate(path)
    }
}

/// The operating system's file system, below one folder.
#[derive(Debug)]
pub struct Os {
    root: PathBuf,
}

impl Os {
    fn list_below(&self, dir: &str, files: &mut Vec<String>) -> io::Result<()> {
        let listing = match fs::read_dir(self.root.join(dir)) {
            Ok(listing) => listing,
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(reason) => return Err(reason),
        };
        for child in listing {
            let child = child?;
            let name = child.file_name().to_string_lossy().into_owned();
            let path = if dir.is_empty() {
                name
            } else {
                format!("{dir}/{name}")
            };
            if child.file_type()?.is_dir() {
                self.list_below(&path, files)?;
            } else {
                files.push(path);
            }
        }
        Ok(())
    }
}

impl FileSystem for Os {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.root.join(path)) {
            Ok(content) => Ok(Some(content)),
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(reason) => Err(reason),
        }
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let mut files = Vec::new();
        self.list_below(dir, &mut files)?;
        Ok(files)
    }

    fn create_dir(&self, dir: &str) -> io::Result<()> {
        if dir.is_empty() {
            return fs::create_dir_all(&self.root);
        }
        // One folder at a time: what is above has been made, and synced, before.
        match fs::create_dir(self.root.join(dir)) {
            Err(reason) if reason.kind() != io::ErrorKind::AlreadyExists => Err(reason),
            _ => Ok(()),
        }
    }

    fn write_synced(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let mut options = File::options();
        let mut file = options
            .write(true)
            .create_new(true)
            .open(self.root.join(path))?;
        file.write_all(content)?;
        file.sync_all()
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        fs::hard_link(self.root.join(from), self.root.join(to))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.root.join(from), self.root.join(to))
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        File::open(self.root.join(dir))?.sync_all()
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match fs::remove_file(self.root.join(path)) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(reason),
            _ => Ok(()),
        }
    }

    fn locate(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }
}

/// Reads a file, with errors that name it.
pub(crate) fn read(storage: &dyn Storage, path: &str) -> Result<Option<Vec<u8>>> {
    storage
        .read(path)
        .map_err(|reason| failed(storage, "read", path, reason))
}

/// Reads a file that has to be there.
pub(crate) fn read_required(storage: &dyn Storage, path: &str) -> Result<Vec<u8>> {
    read(storage, path)?.ok_or_else(|| Error::Missing {
        file: storage.locate(path),
    })
}

pub(crate) fn failed(
    storage: &dyn Storage,
    action: &'static str,
    path: &str,
    reason: io::Error,
) -> Error {
    Error::Io {
        action,
        file: storage.locate(path),
        reason,
    }
}

pub(crate) fn damaged(storage: &dyn Storage, path: &str, problem: impl Into<String>) -> Error {
    Error::Damaged {
        file: storage.locate(path),
        problem: problem.into(),
    }
}
