//! Putting a report into a folder, whole or not at all.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use chancery_model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Why a report could not be put into a folder.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The folder holds something that is no report's.
    #[error("`{folder}` holds `{file}`, which is not of a report")]
    Foreign {
        /// The folder.
        folder: String,
        /// The first such file.
        file: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{file}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
}

impl PublishError {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Foreign { .. } => {
                "name a new or an empty folder, or one that `chancery account publish` wrote"
            }
            Self::Io { .. } => {
                "check the path, the space, and who may write there; what was published before stays"
            }
        }
    }

    fn io(action: &'static str, file: &Path) -> impl FnOnce(io::Error) -> Self {
        let file = file.display().to_string();
        move |source| Self::Io {
            action,
            file,
            source,
        }
    }
}

/// The file by which a report's folder is known.
const LIST: &str = "site.json";
const MADE_BY: &str = "chancery account publish";

/// What is in a report's folder.
#[derive(Serialize, Deserialize)]
struct List {
    made_by: String,
    /// The digest of each file.
    files: BTreeMap<String, Digest>,
}

/// Puts the files of a report into a folder, in place of the report that is there.
///
/// Whoever looks sees the report of before or the new one. A crash leaves one of them, or at worst
/// none, with the older one beside it under a name that ends in `.before`: the next call puts that back
/// first.
///
/// # Errors
///
/// [`PublishError::Foreign`] when something else is in the folder, or in what is beside it under the
/// names that this takes.
///
/// ```
/// use std::collections::BTreeMap;
/// use chancery_account::{PublishError, publish};
/// let parent = std::env::temp_dir().join(format!("publish-{}", std::process::id()));
/// let folder = parent.join("report");
/// let pages = BTreeMap::from([("index.html".to_owned(), b"<!DOCTYPE html>".to_vec())]);
/// publish(&folder, &pages)?;
/// publish(&folder, &pages)?;
///
/// std::fs::write(folder.join("thesis.txt"), "mine")?;
/// let refused = publish(&folder, &pages);
/// assert!(matches!(refused, Err(PublishError::Foreign { file, .. }) if file == "thesis.txt"));
/// # std::fs::remove_dir_all(parent)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn publish(folder: &Path, pages: &BTreeMap<String, Vec<u8>>) -> Result<(), PublishError> {
    is_ours(folder)?;
    // A folder that is named by a link, or as `.`, is replaced where it is.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let (next, before) = (beside(&folder, "next"), beside(&folder, "before"));
    is_ours(&next)?;
    is_ours(&before)?;
    if !folder.exists() && before.exists() {
        // A crash stopped the last call between its two moves.
        std::fs::rename(&before, &folder).map_err(PublishError::io("move", &before))?;
    }
    remove(&next)?;
    remove(&before)?;
    write(&next, pages)?;
    let there = folder.exists();
    if there {
        std::fs::rename(&folder, &before).map_err(PublishError::io("move", &folder))?;
    }
    if let Err(error) = std::fs::rename(&next, &folder) {
        if there {
            drop(std::fs::rename(&before, &folder));
        }
        return Err(PublishError::io("write", &folder)(error));
    }
    sync(folder.parent().unwrap_or(&folder))?;
    remove(&before)
}

/// Whether a folder is new, empty, or holds a report and nothing else.
fn is_ours(folder: &Path) -> Result<(), PublishError> {
    let mut there = Vec::new();
    match files(folder, "", &mut there) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read.map_err(PublishError::io("read", folder))?,
    }
    there.sort();
    let list = std::fs::read(folder.join(LIST)).ok();
    let list: Option<List> = list.and_then(|list| serde_json::from_slice(&list).ok());
    let list = list.filter(|list| list.made_by == MADE_BY);
    let known = |file: &str| {
        let mut lists = list.iter();
        lists.any(|list| file == LIST || list.files.contains_key(file))
    };
    match there.into_iter().find(|file| !known(file)) {
        None => Ok(()),
        Some(file) => Err(PublishError::Foreign {
            folder: folder.display().to_string(),
            file,
        }),
    }
}

/// The files below a folder; anything but a folder counts as one, and so does an empty folder in it.
fn files(folder: &Path, below: &str, found: &mut Vec<String>) -> io::Result<()> {
    let mut empty = true;
    for entry in std::fs::read_dir(folder.join(below))? {
        let entry = entry?;
        empty = false;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        if entry.file_type()?.is_dir() {
            files(folder, &path, found)?;
        } else {
            found.push(path);
        }
    }
    if empty && !below.is_empty() {
        found.push(below.to_owned());
    }
    Ok(())
}

/// `report` with a suffix, hidden beside it.
fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{suffix}"))
}

fn remove(folder: &Path) -> Result<(), PublishError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(PublishError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

fn write(folder: &Path, pages: &BTreeMap<String, Vec<u8>>) -> Result<(), PublishError> {
    let digest = |bytes: &Vec<u8>| Digest::from_bytes(Sha256::digest(bytes).into());
    let list = List {
        made_by: MADE_BY.to_owned(),
        files: pages
            .iter()
            .map(|(name, bytes)| (name.clone(), digest(bytes)))
            .collect(),
    };
    let list = serde_json::to_vec_pretty(&list)
        .map_err(|error| PublishError::io("write", &folder.join(LIST))(error.into()))?;
    let list = [(LIST.to_owned(), list)];
    // First, so that whatever a crash leaves is known by it.
    let list = list.iter().map(|(name, list)| (name, list));
    let all = list.chain(pages);
    for (name, bytes) in all {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(PublishError::io("create", parent))?;
        std::fs::write(&file, bytes).map_err(PublishError::io("write", &file))?;
        sync(&file)?;
        sync(parent)?;
    }
    Ok(())
}

fn sync(path: &Path) -> Result<(), PublishError> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let file = std::fs::File::open(path).map_err(PublishError::io("open", path))?;
    file.sync_all().map_err(PublishError::io("write", path))
}
