//! `census.json`: how many people there are of each kind, and how many can be told apart.

use chancery_model::{Census, Count, Group, Presence, Signature};
use serde::{Deserialize, Serialize};

/// How many people can be told apart by the attributes that matter, and why the rest cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Separability {
    /// The attributes.
    pub attributes: Vec<String>,
    /// The counts, by origin.
    pub rows: Vec<SeparabilityRow>,
}

/// People of one origin who cannot be told apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeparabilityRow {
    /// The origin.
    pub origin: String,
    /// The value of each of [`Separability::attributes`].
    pub values: Vec<String>,
    /// Why the first of them that is unknown is unknown.
    pub reason: Option<String>,
    /// How many.
    pub subjects: u64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CensusFile {
    tables: Vec<String>,
    groups: Vec<GroupRow>,
    unowned: Vec<UnownedRow>,
    pub(crate) separability: Separability,
}

#[derive(Serialize, Deserialize)]
struct GroupRow {
    values: Vec<u8>,
    presence: u64,
    subjects: u64,
    rows: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct UnownedRow {
    values: Vec<u8>,
    rows: Vec<u64>,
}

impl CensusFile {
    pub(crate) fn new(census: &Census, separability: &Separability) -> Self {
        let group = |(group, count): (&Group, &Count)| GroupRow {
            values: group.signature.values().to_vec(),
            presence: group.presence.0,
            subjects: count.subjects,
            rows: count.rows.clone(),
        };
        let unowned = |(signature, rows): (&Signature, &Vec<u64>)| UnownedRow {
            values: signature.values().to_vec(),
            rows: rows.clone(),
        };
        Self {
            tables: census.tables.clone(),
            groups: census.groups.iter().map(group).collect(),
            unowned: census.unowned.iter().map(unowned).collect(),
            separability: separability.clone(),
        }
    }

    pub(crate) fn into_census(self) -> (Census, Separability) {
        let mut census = Census::new(self.tables);
        for row in self.groups {
            let group = Group {
                signature: Signature::new(row.values),
                presence: Presence(row.presence),
            };
            let count = Count {
                subjects: row.subjects,
                rows: row.rows,
            };
            census.groups.insert(group, count);
        }
        for row in self.unowned {
            census.unowned.insert(Signature::new(row.values), row.rows);
        }
        (census, self.separability)
    }
}
