//! From the files that were given to tables: text becomes a columnar working copy, Parquet is read
//! where it lies.

use std::path::{Path, PathBuf};

use chancery_model::{Classification, Domain, Fault, Place, UNKNOWN};

use crate::quarantine::Quarantine;
use crate::{AddRequest, Error, Kind, SourceFile, Table};

/// What the sources gave.
pub(crate) struct Ingested {
    pub(crate) tables: Vec<Table>,
    pub(crate) sources: Vec<SourceFile>,
    pub(crate) quarantine: Quarantine,
}

/// Which origin a source's spelling stands for.
pub(crate) struct Origins<'l> {
    classification: &'l Classification,
    values: &'l [String],
}

impl<'l> Origins<'l> {
    pub(crate) fn new(classification: &'l Classification, domain: &'l Domain) -> Self {
        let values = domain
            .attribute(&classification.origin)
            .map_or(&[][..], |(_, attribute)| &attribute.values);
        Self {
            classification,
            values,
        }
    }

    /// Whether a column of this role is compared with codes or with other people's.
    pub(crate) fn plays(&self, role: &str) -> bool {
        let mut inputs = self.classification.inputs.iter();
        inputs.any(|input| input.name == role) || self.is_key(role)
    }

    /// Whether a column of this role says who belongs together.
    pub(crate) fn is_key(&self, role: &str) -> bool {
        let mut groups = self.classification.groups.iter();
        groups.any(|rule| rule.key == role)
    }

    /// Every origin that the law knows.
    pub(crate) fn all(&self) -> &[String] {
        self.values
    }

    /// Another spelling of the same place, if the law knows one.
    pub(crate) fn fold<'a>(&'a self, spelling: &'a str) -> &'a str {
        self.classification.fold(spelling)
    }

    /// The value of the origin attribute; `unknown` for a place that the law does not know.
    pub(crate) fn of(&self, spelling: &str) -> &str {
        let folded = self.fold(crate::columnar::trim(spelling));
        let known = self.values.iter().find(|value| *value == folded);
        known.map_or(UNKNOWN, String::as_str)
    }
}

/// A path's last part.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The files that a request names, a folder standing for the files of the kind in it, in path
/// order so that the same files give the same dataset.
pub(crate) fn find(request: &AddRequest<'_>) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for path in request.paths {
        if path.is_dir() {
            found.extend(list(path, request.kind)?);
        } else {
            found.push(absolute(path)?);
        }
    }
    if let Some(aside) = request.determinations {
        let aside = absolute(aside)?;
        found.retain(|path| *path != aside);
    }
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Err(Fault::new(Place::file("sources"), "no file to read")
            .hint("name the dataset's files, or the folder that holds them")
            .into());
    }
    Ok(found)
}

fn list(folder: &Path, kind: Kind) -> Result<Vec<PathBuf>, Error> {
    let extensions: &[&str] = match kind {
        Kind::Tmsis => &["psv", "flf", "txt", "dat"],
        Kind::Taf => &["parquet"],
        Kind::Table => &["parquet", "csv"],
    };
    let failed = |error| Error::io(folder, "list", error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_aside = path
            .file_stem()
            .is_some_and(|stem| stem == "determinations");
        if path.is_file() && !is_aside && extension.is_some_and(|e| extensions.contains(&e)) {
            found.push(absolute(&path)?);
        }
    }
    Ok(found)
}

/// The path by which a file is found again from any folder.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    path.canonicalize()
        .map_err(|error| Error::io(path, "open", error))
}
