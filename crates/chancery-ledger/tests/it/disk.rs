//! A disk in memory that forgets what was not synced, and that fails when told to.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use chancery_ledger::{Error, FileSystem, Folder, Lock, Locked};

/// How one call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing happens, and the call fails.
    NotPersisted,
    /// It happens, and the call fails all the same.
    PersistedButReportedFailed,
    /// A write gets half of its bytes onto the disk, and fails.
    Torn,
    /// Nothing happens, and the call succeeds: a disk that lies.
    Lost,
    /// It happens to another file than the one meant, and the call succeeds.
    Misdirected,
}

/// What a disk may do that says so when it fails.
pub(crate) const HONEST: [Fault; 3] = [
    Fault::NotPersisted,
    Fault::PersistedButReportedFailed,
    Fault::Torn,
];

/// Cloning it gives the same disk, as seen by the next process.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    /// What a running process sees.
    files: BTreeMap<String, Vec<u8>>,
    dirs: BTreeSet<String>,
    /// What a power failure leaves.
    lasting_files: BTreeMap<String, Vec<u8>>,
    lasting_dirs: BTreeSet<String>,
    /// Counts the calls that change something.
    calls: usize,
    fault: Option<(usize, Fault)>,
    /// Every call from this one on fails, as if the process had been killed.
    killed_at: Option<usize>,
    /// Every checkpoint that a reader could have seen, or that the lock has held.
    signed: BTreeSet<Vec<u8>>,
    /// What the lock held at each of its swaps: the checkpoint, and the append that was staged.
    decided: Vec<(String, Vec<u8>)>,
    /// The lock: a database, whose changes are whole and last, or are not there.
    lock: Locked,
}

impl Disk {
    pub(crate) fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    /// A copy of its own, with call counting started anew.
    pub(crate) fn fork(&self) -> Self {
        let mut state = self.0.lock().unwrap().clone();
        (state.calls, state.fault, state.killed_at) = (0, None, None);
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn fail_at(&self, call: usize, fault: Fault) {
        self.0.lock().unwrap().fault = Some((call, fault));
    }

    pub(crate) fn kill_at(&self, call: usize) {
        self.0.lock().unwrap().killed_at = Some(call);
    }

    /// The process is gone and a new one sees all that it did.
    pub(crate) fn restart(&self) {
        let mut state = self.0.lock().unwrap();
        (state.calls, state.fault, state.killed_at) = (0, None, None);
    }

    /// The power is gone: of what was not synced, each change lasts or not as `choice` says.
    pub(crate) fn lose_power(&self, mut choice: impl FnMut() -> bool) {
        self.restart();
        let mut state = self.0.lock().unwrap();
        let State {
            files,
            dirs,
            lasting_files,
            lasting_dirs,
            ..
        } = &mut *state;
        dirs.retain(|dir| lasting_dirs.contains(dir) || choice());
        let exists = |path: &str| parent(path).is_empty() || dirs.contains(parent(path));
        let paths: BTreeSet<String> = files.keys().chain(lasting_files.keys()).cloned().collect();
        for path in paths {
            let (seen, lasting) = (files.get(&path).cloned(), lasting_files.get(&path).cloned());
            let left = if seen == lasting || choice() {
                seen
            } else {
                lasting
            };
            match left.filter(|_| exists(&path)) {
                Some(content) => files.insert(path, content),
                None => files.remove(&path),
            };
        }
        // A folder whose own entry was lost takes all in it along.
        let gone: Vec<String> = files
            .keys()
            .filter(|path| !is_reachable(path, dirs))
            .cloned()
            .collect();
        for path in gone {
            files.remove(&path);
        }
        (*lasting_files, *lasting_dirs) = (files.clone(), dirs.clone());
    }

    pub(crate) fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().files.get(path).cloned()
    }

    /// Every checkpoint that was ever in place or in the lock.
    pub(crate) fn signed(&self) -> BTreeSet<Vec<u8>> {
        self.0.lock().unwrap().signed.clone()
    }

    /// Writes a file as somebody else would, past the ledger.
    pub(crate) fn put(&self, path: &str, content: &[u8]) {
        let mut state = self.0.lock().unwrap();
        state.files.insert(path.to_owned(), content.to_vec());
        state
            .lasting_files
            .insert(path.to_owned(), content.to_vec());
    }

    pub(crate) fn delete(&self, path: &str) {
        let mut state = self.0.lock().unwrap();
        state.files.remove(path);
        state.lasting_files.remove(path);
    }

    /// Every checkpoint that got into the lock, with the append that was staged for it.
    pub(crate) fn decided(&self) -> Vec<(String, Vec<u8>)> {
        self.0.lock().unwrap().decided.clone()
    }

    pub(crate) fn set_lock(&self, lock: Locked) {
        self.0.lock().unwrap().lock = lock;
    }

    /// The log on this disk.
    pub(crate) fn folder(&self) -> Folder<Disk> {
        Folder::on(self.clone())
    }

    /// Some other file than this one, for a write that goes astray.
    fn astray(state: &State, path: &str) -> Option<String> {
        let mut others = state.files.keys().filter(|other| *other != path);
        others.nth(state.calls % state.files.len().max(1)).cloned()
    }

    fn call<T>(
        &self,
        done: T,
        act: impl FnOnce(&mut State) -> io::Result<T>,
        torn: impl FnOnce(&mut State),
        astray: impl FnOnce(&mut State),
    ) -> io::Result<T> {
        let mut state = self.0.lock().unwrap();
        let call = state.calls;
        state.calls += 1;
        if state.killed_at.is_some_and(|killed_at| call >= killed_at) {
            return Err(io::Error::other("the process is dead"));
        }
        let fault = state
            .fault
            .filter(|(at, _)| *at == call)
            .map(|(_, fault)| fault);
        match fault {
            None => return act(&mut state),
            Some(Fault::NotPersisted) => {}
            Some(Fault::PersistedButReportedFailed) => drop(act(&mut state)?),
            Some(Fault::Torn) => torn(&mut state),
            Some(Fault::Lost) => return Ok(done),
            Some(Fault::Misdirected) => {
                astray(&mut state);
                return Ok(done);
            }
        }
        Err(io::Error::other("injected fault"))
    }
}

impl FileSystem for Disk {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.file(path))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let below = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let state = self.0.lock().unwrap();
        let files = state.files.keys().filter(|path| path.starts_with(&below));
        Ok(files.cloned().collect())
    }

    fn create_dir(&self, dir: &str) -> io::Result<()> {
        let create = |state: &mut State| {
            if !parent(dir).is_empty() && !state.dirs.contains(parent(dir)) {
                return Err(io::ErrorKind::NotFound.into());
            }
            state.dirs.insert(dir.to_owned());
            Ok(())
        };
        self.call((), create, |_| {}, |_| {})
    }

    fn write_synced(&self, path: &str, content: &[u8]) -> io::Result<()> {
        assert!(
            path.strip_suffix(".tmp").is_some(),
            "only temporary files are written: {path}"
        );
        let write = |state: &mut State, content: &[u8]| {
            let folder = parent(path);
            if !folder.is_empty() && !state.dirs.contains(folder) {
                return Err(io::ErrorKind::NotFound.into());
            }
            if state.files.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.files.insert(path.to_owned(), content.to_vec());
            Ok(())
        };
        let torn = |state: &mut State| {
            let _ = write(state, &content[..content.len() / 2]);
        };
        let astray = |state: &mut State| {
            if let Some(other) = Self::astray(state, path) {
                state.files.insert(other.clone(), content.to_vec());
                state.lasting_files.insert(other, content.to_vec());
            }
        };
        self.call((), |state| write(state, content), torn, astray)
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let link = |state: &mut State| {
            let content = state.files.get(from).ok_or(io::ErrorKind::NotFound)?;
            if state.files.contains_key(to) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.files.insert(to.to_owned(), content.clone());
            Ok(())
        };
        self.call((), link, |_| {}, |_| {})
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let rename = |state: &mut State| {
            let content = state.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
            let replaced = state.files.insert(to.to_owned(), content.clone());
            assert!(
                replaced.is_none() || ["checkpoint", "vkey"].contains(&to),
                "{to} was overwritten"
            );
            if to == "checkpoint" {
                state.signed.insert(content);
            }
            Ok(())
        };
        self.call((), rename, |_| {}, |_| {})
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let sync = |state: &mut State| {
            let State {
                files,
                dirs,
                lasting_files,
                lasting_dirs,
                ..
            } = state;
            lasting_files.retain(|path, _| parent(path) != dir || files.contains_key(path));
            let here = files.iter().filter(|(path, _)| parent(path) == dir);
            lasting_files.extend(here.map(|(path, content)| (path.clone(), content.clone())));
            lasting_dirs.extend(dirs.iter().filter(|path| parent(path) == dir).cloned());
            Ok(())
        };
        self.call((), sync, |_| {}, |_| {})
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let remove = |state: &mut State| {
            state.files.remove(path);
            Ok(())
        };
        self.call((), remove, |_| {}, |_| {})
    }

    fn locate(&self, path: &str) -> String {
        format!("disk/{path}")
    }
}

impl Lock for Disk {
    fn load(&self) -> Result<Locked, Error> {
        Ok(self.0.lock().unwrap().lock.clone())
    }

    fn stage(&self, staged: &[u8]) -> Result<(), Error> {
        let stage = |state: &mut State| {
            state.lock.staged = Some(staged.to_vec());
            Ok(())
        };
        self.call((), stage, |_| {}, |_| {}).map_err(lock_failed)
    }

    fn swap(&self, old: Option<&str>, new: &str) -> Result<(), Error> {
        let swap = |state: &mut State| {
            if state.lock.checkpoint.as_deref() != old {
                return Ok(false);
            }
            state.lock.checkpoint = Some(new.to_owned());
            let staged = state.lock.staged.clone().unwrap_or_default();
            state.decided.push((new.to_owned(), staged));
            state.signed.insert(new.as_bytes().to_vec());
            Ok(true)
        };
        if self.call(true, swap, |_| {}, |_| {}).map_err(lock_failed)? {
            return Ok(());
        }
        Err(Error::Conflict {
            file: Lock::locate(self),
        })
    }

    fn locate(&self) -> String {
        "disk/lock".to_owned()
    }
}

fn lock_failed(reason: io::Error) -> Error {
    Error::Io {
        action: "write",
        file: "disk/lock".to_owned(),
        reason,
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

fn is_reachable(path: &str, dirs: &BTreeSet<String>) -> bool {
    let dir = parent(path);
    dir.is_empty() || dirs.contains(dir) && is_reachable(dir, dirs)
}
