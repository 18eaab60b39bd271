//! Folders that appear whole or not at all, and files that know their digest.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use chancery_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::progress::step;
use crate::{Error, Progress};

/// How much of a file is read at a time.
pub(crate) const CHUNK_BYTES: usize = 8 << 20;

/// A dataset under construction in a hidden sibling of its folder; dropped unless published.
pub(crate) struct Build {
    parent: PathBuf,
    name: String,
    published: bool,
}

impl Build {
    /// Starts afresh; what an interrupted run left behind is removed.
    pub(crate) fn start(parent: &Path, name: &str) -> Result<Self, Error> {
        check_name(name)?;
        if !parent.is_dir() {
            create_dir(parent)?;
        }
        let build = Self {
            parent: parent.to_owned(),
            name: name.to_owned(),
            published: false,
        };
        let dir = build.dir();
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(|error| Error::io(&dir, "remove", error))?;
        }
        create_dir(&dir)?;
        Ok(build)
    }

    /// The folder to fill.
    pub(crate) fn dir(&self) -> PathBuf {
        self.parent.join(format!(".{}.tmp", self.name))
    }

    /// Makes the folder durable and gives it its name. A crash before the rename leaves only the
    /// hidden folder, which the next run removes.
    pub(crate) fn publish(mut self) -> Result<(), Error> {
        sync_folders(&self.dir())?;
        rename(&self.dir(), &self.parent.join(&self.name))?;
        self.published = true;
        sync_folder(&self.parent)
    }

    /// Like [`Build::publish`], in place of a dataset of that name. A crash between the two
    /// renames leaves the old folder under its hidden name, and [`recover`] gives it back.
    pub(crate) fn replace(mut self) -> Result<(), Error> {
        sync_folders(&self.dir())?;
        let (current, old) = (
            self.parent.join(&self.name),
            retired(&self.parent, &self.name),
        );
        rename(&current, &old)?;
        rename(&self.dir(), &current)?;
        self.published = true;
        sync_folder(&self.parent)?;
        fs::remove_dir_all(&old).map_err(|error| Error::io(&old, "remove", error))
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        if !self.published {
            // Nothing more can be done about a folder that cannot be removed; the next run tries.
            let _ = fs::remove_dir_all(self.dir());
        }
    }
}

/// Undoes or completes a [`Build::replace`] that a crash interrupted.
pub(crate) fn recover(parent: &Path, name: &str) -> Result<(), Error> {
    check_name(name)?;
    let (current, old) = (parent.join(name), retired(parent, name));
    if !old.exists() {
        return Ok(());
    }
    if current.exists() {
        return fs::remove_dir_all(&old).map_err(|error| Error::io(&old, "remove", error));
    }
    rename(&old, &current)
}

fn retired(parent: &Path, name: &str) -> PathBuf {
    parent.join(format!(".{name}.old"))
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(|error| Error::io(to, "rename", error))
}

fn check_name(name: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(Error::Name {
        name: name.to_owned(),
    })
}

/// Creates a folder, and those above it, that only the owner may enter.
pub(crate) fn create_dir(path: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| Error::io(path, "create", error))
}

/// Creates a file that only the owner may read.
pub(crate) fn create_file(path: &Path) -> Result<File, Error> {
    if let Some(folder) = path.parent() {
        create_dir(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map_err(|error| Error::io(path, "create", error))
}

/// Opens a file for reading.
pub(crate) fn open_file(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| Error::io(path, "open", error))
}

/// Writes a whole small file and makes it durable.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut file = create_file(path)?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(|error| Error::io(path, "write", error))
}

/// Puts the file `from` at `to` as well, without copying its content where the file system can.
pub(crate) fn link_file(from: &Path, to: &Path) -> Result<(), Error> {
    if let Some(folder) = to.parent() {
        create_dir(folder)?;
    }
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)
        .map(|_| ())
        .map_err(|error| Error::io(to, "copy", error))
}

fn sync_folders(path: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(path).map_err(|error| Error::io(path, "list", error))?;
    for entry in entries {
        let inner = entry
            .map_err(|error| Error::io(path, "list", error))?
            .path();
        if inner.is_dir() {
            sync_folders(&inner)?;
        }
    }
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<(), Error> {
    open_file(path)?
        .sync_all()
        .map_err(|error| Error::io(path, "sync", error))
}

/// Counts and digests what passes through it, either way.
pub(crate) struct Hashing<T> {
    inner: T,
    hasher: Sha256,
    bytes: u64,
}

impl<T> Hashing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            bytes: 0,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What passed through, and where it went to or came from.
    pub(crate) fn finish(self) -> (T, u64, Digest) {
        (
            self.inner,
            self.bytes,
            Digest::from_bytes(self.hasher.finalize().into()),
        )
    }

    fn pass(&mut self, content: &[u8]) {
        self.hasher.update(content);
        self.bytes += content.len() as u64;
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.pass(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(content)?;
        self.pass(content.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The length and digest of a file.
pub(crate) fn digest_file(path: &Path, progress: &dyn Progress) -> Result<(u64, Digest), Error> {
    let mut reader = Hashing::new(open_file(path)?);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = reader
            .read(&mut buffer)
            .map_err(|error| Error::io(path, "read", error))?;
        if count == 0 {
            let (_, bytes, digest) = reader.finish();
            return Ok((bytes, digest));
        }
        step(progress, count as u64)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_between_the_renames_of_a_replacement_is_undone() {
        let parent = tempfile::tempdir().unwrap();
        create_dir(&parent.path().join(".d.old")).unwrap();
        recover(parent.path(), "d").unwrap();
        assert!(parent.path().join("d").is_dir());
    }

    #[test]
    fn names_that_are_paths_are_refused() {
        for name in ["", ".", "..", "a/b", ".hidden", "a b"] {
            assert!(
                matches!(check_name(name), Err(Error::Name { .. })),
                "{name}"
            );
        }
    }
}
