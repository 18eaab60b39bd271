use std::collections::BTreeSet;
use std::path::Path;

use chancery_dataset::Progress;
use chancery_register::Register;

use crate::book::held_by;
use crate::entry::CommittedPeople;
use crate::history::{History, Logged};
use crate::people::record_file;
use crate::{Error, Keys, Signed, Workspace, verify};

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
/// manifest's signature, the digest of every file, the receipt, the record of who it is about, and that
/// none is missing.
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
    let ledger = workspace.ledger_reader()?;
    let history = History::read(&ledger)?;
    let there = folders(workspace)?;
    let mut found = ReleaseCheck::default();
    let mut published = BTreeSet::new();
    for id in &there {
        let folder = workspace.releases_dir().join(id);
        let outcome = verify(&folder, &keys, progress)
            .and_then(|verified| held_by(&ledger, &folder).map(|()| verified));
        match outcome {
            Err(Error::Dataset(chancery_dataset::Error::Cancelled)) => {
                return Err(chancery_dataset::Error::Cancelled.into());
            }
            Err(error) => {
                let hint = error.hint().unwrap_or_default();
                found.problem(&folder, error.to_string(), &hint);
            }
            Ok(verified) => match history.find(id, verified.manifest) {
                Some(logged) => {
                    published.insert((id.as_str(), Some(verified.manifest)));
                    let record = record_file(&folder);
                    let is_there =
                        |people: CommittedPeople| Register::is_record(&record, id, people.root);
                    if !logged.people.is_none_or(is_there) {
                        found.problem(
                            &record,
                            "the record of who it is about is missing or damaged".to_owned(),
                            "`chancery account rebuild` puts it back if the index has it; else put it back from a copy",
                        );
                    }
                }
                None => found.problem(
                    &folder,
                    "the ledger's entry of this id is of another manifest".to_owned(),
                    "keep it as evidence: somebody has put another release in its place",
                ),
            },
        }
    }
    for (id, logged) in history.all() {
        // Of an id with one entry, a folder that is not its release is named already.
        let is_named = there.contains(id) && logged.len() == 1;
        let missing = logged
            .iter()
            .filter(|entry| !is_named && !published.contains(&(id, entry.manifest)));
        let missing: Vec<Logged> = missing.copied().collect();
        check_missing(workspace, id, &missing, &mut found)?;
    }
    Ok(found)
}

impl ReleaseCheck {
    fn problem(&mut self, folder: &Path, what: String, hint: &str) {
        self.problems.push(Problem {
            file: folder.display().to_string(),
            what,
            hint: hint.to_owned(),
        });
    }
}

/// Releases of an id that are not where they should be: one that is staged as the ledger holds it
/// is unfinished, and nothing else is.
fn check_missing(
    workspace: &Workspace,
    id: &str,
    missing: &[Logged],
    found: &mut ReleaseCheck,
) -> Result<(), Error> {
    let (folder, staged) = (
        workspace.releases_dir().join(id),
        workspace.staging_dir().join(id),
    );
    let manifest = Signed::left_behind(id, &staged)?.map(|signed| signed.manifest());
    let mut is_stray = staged.exists();
    for entry in missing {
        if manifest.is_some() && manifest == entry.manifest && !folder.exists() {
            found.unfinished.push(id.to_owned());
            is_stray = false;
            continue;
        }
        let index = entry.index;
        found.problem(
            &folder,
            format!("the ledger's entry {index} is of this release, and it is not here"),
            "restore it from a copy",
        );
    }
    if is_stray {
        let file = staged.display().to_string();
        let stray = Error::Stray { folder: file };
        let hint = stray.hint().unwrap_or_default();
        found.problem(&staged, stray.to_string(), &hint);
    }
    Ok(())
}

fn folders(workspace: &Workspace) -> Result<BTreeSet<String>, Error> {
    let releases = workspace.releases_dir();
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(&releases).map_err(Error::io("read", &releases))? {
        let entry = entry.map_err(Error::io("read", &releases))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if releases.join(&name) != workspace.staging_dir() {
            folders.insert(name);
        }
    }
    Ok(folders)
}
