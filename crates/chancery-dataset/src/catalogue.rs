use std::collections::BTreeMap;
use std::path::PathBuf;

use chancery_model::{ColumnFacts, Digest, Domain};
use serde::{Deserialize, Serialize};

/// The form of a dataset's sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// T-MSIS Eligible files as states submit them.
    Tmsis,
    /// Parquet files with the columns of the T-MSIS Analytic Files.
    Taf,
    /// Any Parquet or CSV file, with a map.
    Table,
}

/// What a dataset holds and where it came from: `dataset.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The dataset's name.
    pub name: String,
    /// The form of its sources.
    pub kind: Kind,
    /// The tables; a person's [`chancery_model::Presence`] counts them in this order.
    pub tables: Vec<Table>,
    /// The files that were given, in the order in which they were read.
    pub sources: Vec<SourceFile>,
    /// The map that was given.
    pub map: Option<SourceFile>,
    /// The authoritative determinations that were given.
    pub determinations: Option<SourceFile>,
    /// Codes that hold for everybody, by input of the classification.
    pub constants: BTreeMap<String, String>,
    /// What was left out of the tables.
    pub quarantine: QuarantineSummary,
    /// The digest of the classification table that derived the attributes.
    pub classification: String,
    /// The attributes and their values, as positions in `census.json` count them.
    pub domain: Vec<AttributeNames>,
    /// Who is in the dataset, by origin.
    pub subjects: Vec<SubjectsFile>,
}

impl Catalogue {
    /// The columns that hold `element`, with their tables.
    pub fn columns_of<'a>(
        &'a self,
        element: &'a str,
    ) -> impl Iterator<Item = (&'a Table, &'a Column)> {
        self.tables.iter().flat_map(move |table| {
            let held = move |column: &&Column| column.element.as_deref() == Some(element);
            table
                .columns
                .iter()
                .filter(held)
                .map(move |column| (table, column))
        })
    }

    /// The position and content of the table called `name`.
    pub fn table(&self, name: &str) -> Option<(usize, &Table)> {
        self.tables
            .iter()
            .enumerate()
            .find(|(_, table)| table.name == name)
    }
}

/// One attribute of the domain by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeNames {
    /// The attribute.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

/// The names of a domain, to see later whether it is still the same.
pub(crate) fn domain_names(domain: &Domain) -> Vec<AttributeNames> {
    domain
        .attributes()
        .iter()
        .map(|attribute| AttributeNames {
            name: attribute.name.clone(),
            values: attribute.values.clone(),
        })
        .collect()
}

/// A table: rows about people, in one or more Parquet files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns in the order of the files.
    pub columns: Vec<Column>,
    /// The column that names the person; without one, the rows belong to nobody. A subject's id is
    /// its value without ASCII spaces at either end; none is the subject with the empty id.
    pub id: Option<String>,
    /// The column that names the origin, as the source spells it; without one, each file has one
    /// origin.
    pub origin: Option<String>,
    /// The files.
    pub files: Vec<TableFile>,
}

/// A column and what it discloses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it discloses; a column without an element is never released.
    pub element: Option<String>,
    /// Whether it only identifies the row: it alone is no reason for a row to leave.
    pub key: bool,
    /// The input or the group key that it plays in a classification that has one of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The input's code for each of the column's codes; when there are any, others are missing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recode: BTreeMap<String, String>,
}

impl Column {
    /// The column as a grant sees it.
    pub fn facts(&self) -> ColumnFacts<'_> {
        ColumnFacts {
            name: &self.name,
            element: self.element.as_deref(),
            key: self.key,
        }
    }

    /// A column that plays no part in the classification.
    pub(crate) fn plain(name: &str, element: Option<&str>, key: bool) -> Self {
        Self {
            name: name.to_owned(),
            element: element.map(str::to_owned),
            key,
            role: None,
            recode: BTreeMap::new(),
        }
    }
}

/// A Parquet file with rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFile {
    /// Where it is: within the dataset's folder, or absolute if it is read where it lies.
    pub path: PathBuf,
    /// Its rows by origin.
    pub rows_by_origin: BTreeMap<String, u64>,
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// A file that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// The file's name without its folder.
    pub name: String,
    /// Where it was.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
    /// Its lines (text) or rows (Parquet).
    pub rows: u64,
}

/// What was left out of the tables, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineSummary {
    /// Lines left out.
    pub lines: u64,
    /// The same by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// Lines of which nobody can tell whom they are about.
    pub unattributed: u64,
    /// Determinations about nobody in the dataset.
    #[serde(default)]
    pub determinations_unmatched: u64,
}

/// The file with the attributes of the people of one origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectsFile {
    /// The origin.
    pub origin: String,
    /// Where it is within the dataset's folder.
    pub path: PathBuf,
    /// How many people.
    pub subjects: u64,
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}
