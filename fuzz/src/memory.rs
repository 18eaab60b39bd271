use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chancery_ledger::{Error, FileSystem, Folder, Lock, Locked, Result};

/// A folder in memory; cloning it gives another handle to the same one.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Memory {
    /// A folder with these files.
    pub(crate) fn with(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self(Arc::new(Mutex::new(files)))
    }

    /// All files.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().clone()
    }

    /// The log in it.
    pub(crate) fn folder(&self) -> Folder<Self> {
        Folder::on(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileSystem for Memory {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.lock().get(path).cloned())
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let below = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let files = self.lock();
        let paths = files.keys().filter(|path| path.starts_with(&below));
        Ok(paths.cloned().collect())
    }

    fn create_dir(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn write_synced(&self, path: &str, content: &[u8]) -> io::Result<()> {
        self.lock().insert(path.to_owned(), content.to_vec());
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.lock();
        if files.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let content = files.get(from).cloned();
        files.insert(to.to_owned(), content.ok_or(io::ErrorKind::NotFound)?);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.lock();
        let content = files.remove(from);
        files.insert(to.to_owned(), content.ok_or(io::ErrorKind::NotFound)?);
        Ok(())
    }

    fn sync_dir(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.lock().remove(path);
        Ok(())
    }

    fn locate(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// A lock in memory.
#[derive(Clone, Default)]
pub(crate) struct MemoryLock(Arc<Mutex<Locked>>);

impl MemoryLock {
    /// A lock that holds this.
    pub(crate) fn with(locked: Locked) -> Self {
        Self(Arc::new(Mutex::new(locked)))
    }

    /// What it holds.
    pub(crate) fn held(&self) -> Locked {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Locked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lock for MemoryLock {
    fn load(&self) -> Result<Locked> {
        Ok(self.held())
    }

    fn stage(&self, staged: &[u8]) -> Result<()> {
        self.lock().staged = Some(staged.to_vec());
        Ok(())
    }

    fn swap(&self, old: Option<&str>, new: &str) -> Result<()> {
        let mut held = self.lock();
        if held.checkpoint.as_deref() != old {
            let file = self.locate();
            return Err(Error::Conflict { file });
        }
        held.checkpoint = Some(new.to_owned());
        Ok(())
    }

    fn locate(&self) -> String {
        "lock".to_owned()
    }
}
