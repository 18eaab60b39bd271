use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chancery_model::{Classification, Domain, Fault, Place};
use serde::Serialize;

use crate::catalogue::domain_names;
use crate::classify::{Classified, classify};
use crate::ingest::{Ingested, Origins, file_name};
use crate::map::ColumnMap;
use crate::report::CensusFile;
use crate::store::Build;
use crate::{
    Catalogue, Dataset, Error, Kind, Progress, SourceFile, determinations, ingest, open,
    quarantine, store, tabular, working_copy,
};

/// What to add, and under which name.
#[derive(Clone, Copy, Debug)]
pub struct AddRequest<'a> {
    /// The dataset's name.
    pub name: &'a str,
    /// The form of the files.
    pub kind: Kind,
    /// The files, or folders that hold them.
    pub paths: &'a [PathBuf],
    /// What the columns disclose and which part they play; see [`ColumnMap`].
    pub map: Option<&'a Path>,
    /// Authoritative determinations, in CSV or Parquet.
    pub determinations: Option<&'a Path>,
}

/// What a dataset needs of the law.
#[derive(Clone, Copy, Debug)]
pub struct Law<'a> {
    /// The table that derives attributes from evidence.
    pub classification: &'a Classification,
    /// The attributes.
    pub domain: &'a Domain,
    /// The elements that a map may name.
    pub elements: &'a BTreeSet<String>,
}

/// Adds a dataset: sources → ingest → catalogue → classify → published.
///
/// Either the whole dataset appears under its name, or nothing does.
///
/// # Errors
///
/// [`Error::Exists`] for a name in use, [`Error::Fault`] for a source or map that is wrong,
/// [`Error::Cancelled`], and [`Error::Io`].
pub fn add(
    datasets_dir: &Path,
    request: &AddRequest<'_>,
    law: &Law<'_>,
    progress: &dyn Progress,
) -> Result<Dataset, Error> {
    store::recover(datasets_dir, request.name)?;
    if datasets_dir.join(request.name).exists() {
        return Err(Error::Exists {
            name: request.name.to_owned(),
        });
    }
    let paths = ingest::find(request)?;
    let map = GivenMap::read(request, law)?;
    let origins = Origins::new(law.classification, law.domain);
    let build = Build::start(datasets_dir, request.name)?;
    let dir = build.dir();

    let ingested = match (request.kind, &map.columns) {
        (Kind::Tmsis, _) => working_copy::ingest(&dir, &paths, &origins, progress)?,
        (Kind::Taf, _) => tabular::ingest_taf(&paths, &origins, progress)?,
        (Kind::Table, Some(map)) => tabular::ingest_table(&dir, &paths, map, &origins, progress)?,
        (Kind::Table, None) => return Err(no_map().into()),
    };
    let determinations = request
        .determinations
        .map(|path| determinations::ingest(&dir, path, law, &origins, progress))
        .transpose()?;
    quarantine::join_reports(&dir, ingested.sources.len())?;
    ingested.quarantine.save(&dir)?;

    let mut catalogue = describe(request, map, ingested, determinations);
    let classified = classify(&dir, &catalogue.tables, &catalogue.constants, law, progress)?;
    write_reports(&dir, &mut catalogue, &classified, law)?;
    build.publish()?;
    open(datasets_dir, request.name)
}

/// Classifies the people of a dataset again, after the classification table or the domain has
/// changed. The new attributes replace the old ones at once.
///
/// # Errors
///
/// As [`add`], and [`Error::Absent`].
pub fn reclassify(
    datasets_dir: &Path,
    name: &str,
    law: &Law<'_>,
    progress: &dyn Progress,
) -> Result<Dataset, Error> {
    let dataset = open(datasets_dir, name)?;
    let build = Build::start(datasets_dir, name)?;
    let dir = build.dir();
    link_kept(dataset.dir(), &dir)?;
    let mut catalogue = dataset.catalogue;
    let classified = classify(&dir, &catalogue.tables, &catalogue.constants, law, progress)?;
    write_reports(&dir, &mut catalogue, &classified, law)?;
    build.replace()?;
    open(datasets_dir, name)
}

/// The map, if one was given.
struct GivenMap {
    columns: Option<ColumnMap>,
    constants: BTreeMap<String, String>,
    source: Option<SourceFile>,
}

impl GivenMap {
    fn read(request: &AddRequest<'_>, law: &Law<'_>) -> Result<Self, Error> {
        let mut given = Self {
            columns: None,
            constants: BTreeMap::new(),
            source: None,
        };
        let Some(path) = request.map else {
            return match request.kind {
                Kind::Table => Err(no_map().into()),
                Kind::Tmsis | Kind::Taf => Ok(given),
            };
        };
        let file = path.display().to_string();
        let content = std::fs::read(path).map_err(|error| Error::io(path, "read", error))?;
        let text = std::str::from_utf8(&content)
            .map_err(|_| Error::source(path, "the map is not UTF-8"))?;
        match request.kind {
            Kind::Table => {
                let map = ColumnMap::parse(&file, text, law)?;
                given.constants.clone_from(&map.constants);
                given.columns = Some(map);
            }
            kind @ (Kind::Tmsis | Kind::Taf) => {
                given.constants = ColumnMap::parse_constants(&file, text, kind, law)?;
            }
        }
        let (bytes, sha256) = store::digest_file(path, &crate::progress::Silent)?;
        given.source = Some(SourceFile {
            name: file_name(path),
            path: ingest::absolute(path)?,
            bytes,
            sha256,
            rows: text.lines().count() as u64,
        });
        Ok(given)
    }
}

fn no_map() -> Fault {
    Fault::new(
        Place::file("dataset add"),
        "kind `table` needs a map of its columns",
    )
    .field("map")
    .hint("`--map FILE` names it")
}

fn describe(
    request: &AddRequest<'_>,
    map: GivenMap,
    ingested: Ingested,
    determinations: Option<SourceFile>,
) -> Catalogue {
    Catalogue {
        name: request.name.to_owned(),
        kind: request.kind,
        tables: ingested.tables,
        sources: ingested.sources,
        map: map.source,
        determinations,
        constants: map.constants,
        quarantine: ingested.quarantine.summary,
        classification: String::new(),
        domain: Vec::new(),
        subjects: Vec::new(),
    }
}

fn write_reports(
    dir: &Path,
    catalogue: &mut Catalogue,
    classified: &Classified,
    law: &Law<'_>,
) -> Result<(), Error> {
    catalogue
        .classification
        .clone_from(&law.classification.digest);
    catalogue.domain = domain_names(law.domain);
    catalogue.subjects.clone_from(&classified.subjects);
    catalogue.quarantine.determinations_unmatched = classified.unmatched;
    let census = CensusFile::new(&classified.census, &classified.separability);
    write_json(&dir.join("census.json"), &census)?;
    write_json(&dir.join("dataset.json"), catalogue)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::io(path, "write", std::io::Error::other(error)))?;
    text.push(b'\n');
    store::write_file(path, &text)
}

/// Puts what does not depend on the law into the new folder: tables, determinations, quarantine.
fn link_kept(from: &Path, to: &Path) -> Result<(), Error> {
    let entries = std::fs::read_dir(from).map_err(|error| Error::io(from, "list", error))?;
    for entry in entries {
        let path = entry
            .map_err(|error| Error::io(from, "list", error))?
            .path();
        let name = file_name(&path);
        if ["dataset.json", "census.json", "subjects"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            store::create_dir(&to.join(&name))?;
            link_kept(&path, &to.join(&name))?;
        } else {
            store::link_file(&path, &to.join(&name))?;
        }
    }
    Ok(())
}
