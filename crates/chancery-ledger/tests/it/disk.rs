//! A disk in memory that forgets what was not synced, and that fails when told to.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use chancery_ledger::Storage;

/// How one call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing happens, and the call fails.
    NotPersisted,
    /// It happens, and the call fails all the same.
    PersistedButReportedFailed,
    /// A write gets half of its bytes onto the disk, and fails.
    Torn,
}

pub(crate) const FAULTS: [Fault; 3] = [
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
    /// Every checkpoint that a reader could have seen.
    published: BTreeSet<Vec<u8>>,
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

    /// Every checkpoint that was ever in place.
    pub(crate) fn published(&self) -> BTreeSet<Vec<u8>> {
        self.0.lock().unwrap().published.clone()
    }

    fn call(
        &self,
        act: impl FnOnce(&mut State) -> io::Result<()>,
        torn: impl FnOnce(&mut State),
    ) -> io::Result<()> {
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
            Some(Fault::PersistedButReportedFailed) => act(&mut state)?,
            Some(Fault::Torn) => torn(&mut state),
        }
        Err(io::Error::other("injected fault"))
    }
}

impl Storage for Disk {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.file(path))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let below = format!("{dir}/");
        let state = self.0.lock().unwrap();
        Ok(state
            .files
            .keys()
            .filter(|path| path.starts_with(&below))
            .cloned()
            .collect())
    }

    fn create_dir(&self, dir: &str) -> io::Result<()> {
        let create = |state: &mut State| {
            assert!(parent(dir).is_empty() || state.dirs.contains(parent(dir)));
            state.dirs.insert(dir.to_owned());
            Ok(())
        };
        self.call(create, |_| {})
    }

    fn write_synced(&self, path: &str, content: &[u8]) -> io::Result<()> {
        assert!(
            path.strip_suffix(".tmp").is_some(),
            "only temporary files are written: {path}"
        );
        let write = |state: &mut State, content: &[u8]| {
            assert!(
                parent(path).is_empty() || state.dirs.contains(parent(path)),
                "{path}"
            );
            state.files.insert(path.to_owned(), content.to_vec());
            Ok(())
        };
        let torn = |state: &mut State| {
            write(state, &content[..content.len() / 2]).unwrap();
        };
        self.call(|state| write(state, content), torn)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let rename = |state: &mut State| {
            let content = state.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
            let replaced = state.files.insert(to.to_owned(), content.clone());
            let may_be_replaced = ["checkpoint", ".staged"].contains(&to);
            assert!(
                replaced.is_none() || may_be_replaced,
                "{to} was overwritten"
            );
            if to == "checkpoint" {
                state.published.insert(content);
            }
            Ok(())
        };
        self.call(rename, |_| {})
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
        self.call(sync, |_| {})
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let remove = |state: &mut State| {
            state.files.remove(path);
            Ok(())
        };
        self.call(remove, |_| {})
    }

    fn locate(&self, path: &str) -> String {
        format!("disk/{path}")
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

fn is_reachable(path: &str, dirs: &BTreeSet<String>) -> bool {
    let dir = parent(path);
    dir.is_empty() || dirs.contains(dir) && is_reachable(dir, dirs)
}
