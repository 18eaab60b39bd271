use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chancery_model::{Census, Digest};

use crate::catalogue::domain_names;
use crate::dictionary::Dictionary;
use crate::report::CensusFile;
use crate::{
    Catalogue, Column, Error, Kind, Law, Progress, Separability, Table, parallel, store, taf,
};

/// A dataset on disk.
#[derive(Clone, Debug)]
pub struct Dataset {
    dir: PathBuf,
    /// What it holds.
    pub catalogue: Catalogue,
    /// Who is in it.
    pub census: Census,
    /// How many of them can be told apart.
    pub separability: Separability,
}

/// A file to scan for the rows of one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanFile {
    /// Where it is.
    pub path: PathBuf,
    /// All its rows have the origin; otherwise the table's origin column tells.
    pub single_origin: bool,
}

/// Opens the dataset called `name`.
///
/// # Errors
///
/// [`Error::Absent`] if there is none, [`Error::Damaged`] if its own files cannot be read.
pub fn open(datasets_dir: &Path, name: &str) -> Result<Dataset, Error> {
    store::recover(datasets_dir, name)?;
    let dir = datasets_dir.join(name);
    if !dir.join("dataset.json").exists() {
        return Err(Error::Absent {
            name: name.to_owned(),
        });
    }
    let catalogue: Catalogue = read_json(&dir.join("dataset.json"))?;
    if !meant_as_listed(&catalogue)? {
        return Err(Error::Damaged {
            file: dir.join("dataset.json").display().to_string(),
            problem: "gives a column another meaning than the dictionary of its kind",
        });
    }
    let census: CensusFile = read_json(&dir.join("census.json"))?;
    let (census, separability) = census.into_census();
    Ok(Dataset {
        dir,
        catalogue,
        census,
        separability,
    })
}

/// Whether every column of a kind whose dictionary is known is what the dictionary says: what
/// discloses what is not for a file beside the data to say.
fn meant_as_listed(catalogue: &Catalogue) -> Result<bool, Error> {
    let all = |listed: &dyn Fn(&Table, &Column) -> bool| {
        let mut tables = catalogue.tables.iter();
        tables.all(|table| table.columns.iter().all(|column| listed(table, column)))
    };
    match catalogue.kind {
        Kind::Table => Ok(true),
        Kind::Tmsis => {
            let dictionary = Dictionary::load()?;
            Ok(all(&|table, column| {
                let mut tables = dictionary.tables().iter();
                let known = tables.find(|known| known.name == table.name);
                known.is_some_and(|known| known.columns.iter().any(|one| one.column == *column))
            }))
        }
        Kind::Taf => {
            let flat = taf::columns()?;
            Ok(all(&|_, column| match flat.get(&column.name) {
                Some(known) => known == column,
                None => *column == Column::plain(&column.name, None, false),
            }))
        }
    }
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let content = std::fs::read(path).map_err(|error| Error::io(path, "read", error))?;
    serde_json::from_slice(&content).map_err(|_| Error::Damaged {
        file: path.display().to_string(),
        problem: "not as this version writes it",
    })
}

impl Dataset {
    /// The dataset's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The table called `name`.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.catalogue.table(name).map(|(_, table)| table)
    }

    /// The origins of its people and rows, in order.
    pub fn origins(&self) -> Vec<String> {
        let tables = self.catalogue.tables.iter();
        let origins: BTreeSet<&String> = tables
            .flat_map(|table| &table.files)
            .flat_map(|file| file.rows_by_origin.keys())
            .collect();
        origins.into_iter().cloned().collect()
    }

    /// The origins of its people, in order.
    pub fn origins_of_people(&self) -> Vec<&str> {
        let files = self.catalogue.subjects.iter();
        let origins: BTreeSet<&str> = files.map(|file| file.origin.as_str()).collect();
        origins.into_iter().collect()
    }

    /// The file with the attributes of an origin's people: the column `id`, then one text column
    /// per attribute of the domain, then a bit for each table with rows about them.
    pub fn subjects_file(&self, origin: &str) -> Option<PathBuf> {
        let mut files = self.catalogue.subjects.iter();
        let found = files.find(|file| file.origin == origin)?;
        Some(self.dir.join(&found.path))
    }

    /// The files that hold rows of a table about an origin, in a fixed order.
    pub fn table_files(&self, table: &str, origin: &str) -> Vec<ScanFile> {
        let files = self.table(table).map_or(&[][..], |table| &table.files);
        files
            .iter()
            .filter(|file| file.rows_by_origin.contains_key(origin))
            .map(|file| ScanFile {
                path: self.dir.join(&file.path),
                single_origin: file.rows_by_origin.len() == 1,
            })
            .collect()
    }

    /// Whether its people were classified by this law; if not, [`crate::reclassify`].
    pub fn is_classified_by(&self, law: &Law<'_>) -> bool {
        self.catalogue.classification == law.classification.digest
            && self.catalogue.domain == domain_names(law.domain)
    }

    /// Reads every file that a release of these tables reads, and holds it against its digest.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] with the first file that is not what it was.
    pub fn verify_digests(&self, tables: &[&str], progress: &dyn Progress) -> Result<(), Error> {
        let of_tables = tables.iter().filter_map(|name| self.table(name));
        let rows = of_tables
            .flat_map(|table| &table.files)
            .map(|file| (&file.path, file.bytes, file.sha256));
        let subjects = self.catalogue.subjects.iter();
        let subjects = subjects.map(|file| (&file.path, file.bytes, file.sha256));
        let files: Vec<(&PathBuf, u64, Digest)> = rows.chain(subjects).collect();
        progress.begin("verifying", files.iter().map(|(_, bytes, _)| bytes).sum());
        let check = |(path, bytes, sha256): &(&PathBuf, u64, Digest)| {
            let path = self.dir.join(path);
            let changed = || Error::Changed {
                file: path.display().to_string(),
                dataset: self.catalogue.name.clone(),
            };
            if !path.exists() || store::digest_file(&path, progress)? != (*bytes, *sha256) {
                return Err(changed());
            }
            Ok(())
        };
        parallel::map(&files, parallel::cores(), |(_, bytes, _)| *bytes, check)?;
        Ok(())
    }
}
