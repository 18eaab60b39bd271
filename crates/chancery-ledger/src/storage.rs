//! The one seam to the disk, so that tests can fail each write and forget what was not synced.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::layout::LOCK;

/// What the ledger asks of the place it is kept in.
///
/// Paths are relative to the ledger's folder, with `/`; the folder itself is the empty string.
/// Nothing but [`Storage::write_synced`], [`Storage::rename`] and [`Storage::sync_dir`] may be
/// trusted after a crash, and a rename only once its folder is synced.
pub trait Storage: Send + Sync {
    /// The file's content, or `None` when there is no such file.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// Every file in the folder and below it, sorted; none when there is no such folder.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;

    /// Makes a folder; one that is there already is fine.
    fn create_dir(&self, dir: &str) -> io::Result<()>;

    /// Writes and syncs a file, replacing what is there; the caller gives only temporary names.
    ///
    /// One call, not two, because a failed write-back is reported reliably only to the file handle
    /// that wrote.
    fn write_synced(&self, path: &str, content: &[u8]) -> io::Result<()>;

    /// Moves a file within its folder, replacing what is there.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes the folder's renames, removals and new folders last.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;

    /// Removes a file; one that is not there is fine.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// The path as a message should show it.
    fn locate(&self, path: &str) -> String;
}

/// A folder of the local file system, with its lock if this is the writer.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Held for its lock, which the operating system drops with the process.
    _lock: Option<File>,
}

impl Folder {
    pub(crate) fn for_reading(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            _lock: None,
        }
    }

    /// Takes the writer's lock.
    pub(crate) fn for_writing(path: &Path) -> Result<Self> {
        let lock = path.join(LOCK);
        let name = lock.display().to_string();
        let failed = |action, reason| Error::Io {
            action,
            file: name.clone(),
            reason,
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .map_err(|reason| failed("open", reason))?;
        match file.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: Some(file),
            }),
            Err(fs::TryLockError::WouldBlock) => Err(Error::Busy { file: name }),
            Err(fs::TryLockError::Error(reason)) => Err(failed("lock", reason)),
        }
    }
}

impl Storage for Folder {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(path)) {
            Ok(content) => Ok(Some(content)),
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(reason) => Err(reason),
        }
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let mut files = Vec::new();
        let mut folders = vec![dir.to_owned()];
        while let Some(folder) = folders.pop() {
            let listing = match fs::read_dir(self.path.join(&folder)) {
                Ok(listing) => listing,
                Err(reason) if reason.kind() == io::ErrorKind::NotFound => continue,
                Err(reason) => return Err(reason),
            };
            for child in listing {
                let child = child?;
                let name = child.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() {
                    name
                } else {
                    format!("{folder}/{name}")
                };
                let place = if child.file_type()?.is_dir() {
                    &mut folders
                } else {
                    &mut files
                };
                place.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn create_dir(&self, dir: &str) -> io::Result<()> {
        fs::create_dir_all(self.path.join(dir))
    }

    fn write_synced(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.path.join(path))?;
        file.write_all(content)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        File::open(self.path.join(dir))?.sync_all()
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(path)) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(reason),
            _ => Ok(()),
        }
    }

    fn locate(&self, path: &str) -> String {
        self.path.join(path).display().to_string()
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
