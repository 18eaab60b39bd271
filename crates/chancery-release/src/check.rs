use std::collections::{BTreeMap, BTreeSet};

use chancery_dataset::Progress;
use chancery_model::Digest;

use crate::{Entry, Error, Keys, Workspace, still_held, verify};

/// A release that is not as the ledger says, or that the ledger knows nothing of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The release's folder.
    pub file: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// What a check of all releases found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseCheck {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Releases that the ledger holds and a crash has left staged: the next start publishes them.
    pub unfinished: Vec<String>,
}

/// Checks every release against its entry in the ledger, and every entry against its release: the
/// manifest's signature, the digest of every file, the receipt, and that none is missing.
///
/// # Errors
///
/// When the ledger or the folder of the releases cannot be read; what is wrong with a release is in
/// the answer.
pub fn check_releases(
    workspace: &Workspace,
    progress: &dyn Progress,
) -> Result<ReleaseCheck, Error> {
    let keys = Keys {
        custodian: workspace.custodian_key()?,
        ledger: workspace.ledger_keys()?,
    };
    let logged = logged(workspace)?;
    let there = folders(workspace)?;
    let (mut problems, mut unfinished) = (Vec::new(), Vec::new());
    let mut problem = |id: &str, what: String, hint: &str| {
        let file = workspace.releases_dir().join(id).display().to_string();
        let hint = hint.to_owned();
        problems.push(Problem { file, what, hint });
    };
    for id in &there {
        let folder = workspace.releases_dir().join(id);
        let outcome = verify(&folder, &keys, progress)
            .and_then(|verified| still_held(workspace, &folder).map(|()| verified));
        match outcome {
            Err(Error::Dataset(chancery_dataset::Error::Cancelled)) => {
                return Err(chancery_dataset::Error::Cancelled.into());
            }
            Err(error) => problem(id, error.to_string(), &error.hint().unwrap_or_default()),
            Ok(verified) if logged.get(id) != Some(&Some(verified.manifest)) => problem(
                id,
                "the ledger's entry of this id is of another manifest".to_owned(),
                "keep it as evidence: somebody has put another release in its place",
            ),
            Ok(_) => {}
        }
    }
    for id in logged.keys().filter(|id| !there.contains(*id)) {
        if workspace.staging_dir().join(id).exists() {
            unfinished.push(id.clone());
            continue;
        }
        problem(
            id,
            "the ledger has an entry of this release, and it is not here".to_owned(),
            "restore it from a copy",
        );
    }
    Ok(ReleaseCheck {
        problems,
        unfinished,
    })
}

/// The manifest of every release that the ledger holds and that no later entry aborts.
fn logged(workspace: &Workspace) -> Result<BTreeMap<String, Option<Digest>>, Error> {
    let reader = workspace.ledger_reader()?;
    let mut logged = BTreeMap::new();
    for entry in reader.entries(0..reader.size())? {
        match Entry::from_bytes(&entry?.1).known() {
            Some(Entry::Release(entry)) => {
                logged.insert(entry.id.to_string(), entry.manifest);
            }
            Some(Entry::Abort { id, .. }) => {
                logged.remove(id.as_str());
            }
            _ => {}
        }
    }
    Ok(logged)
}

fn folders(workspace: &Workspace) -> Result<BTreeSet<String>, Error> {
    let releases = workspace.releases_dir();
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(&releases).map_err(Error::io("read", &releases))? {
        let entry = entry.map_err(Error::io("read", &releases))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            folders.insert(name);
        }
    }
    Ok(folders)
}
