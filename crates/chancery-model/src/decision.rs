use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Digest, Predicate, Request};

/// What a request may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything asked for, about everyone.
    Full,
    /// Something.
    Partial,
    /// Nothing.
    Denied,
}

impl Outcome {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Denied => "denied",
        }
    }
}

/// The law that a decision was made under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LawUsed {
    /// The law pack's name.
    pub pack: String,
    /// The digest over its files, and those of the overlays.
    pub digest: Digest,
    /// The instruments in force on the day, by id.
    pub in_force: Vec<String>,
    /// The pack and the overlays on it, from the lowest to the topmost; empty where there are no
    /// overlays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerUsed>,
}

/// A pack or an overlay that a decision was made under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerUsed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest over its own files.
    pub digest: Digest,
}

/// A reading of an instrument that a lawyer could contest, as it was taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Interpretation {
    /// `<instrument>#<name>`.
    pub id: String,
    /// The question.
    pub question: String,
    /// The reading taken.
    pub reading: String,
}

/// What the recipient or the custodian must do with what is released.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Obligation {
    /// `<instrument>#<name>`.
    pub id: String,
    /// The clause.
    pub clause: String,
    /// What must be done.
    pub text: String,
}

/// One element: for whom it is released and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementDecision {
    /// The element.
    pub element: String,
    /// Its columns in the tables asked for, as `<table>.<column>`.
    pub columns: Vec<String>,
    /// For whom it is lawful.
    pub released_when: Predicate,
    /// How many people it leaves about.
    pub subjects: u64,
    /// The provisions that permit it for someone in the dataset.
    pub permitted_by: Vec<String>,
    /// The provisions that bar it for someone in the dataset.
    pub barred_by: Vec<String>,
}

/// People who get the same elements released, and why these and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// How many.
    pub subjects: u64,
    /// The elements released; empty for those about whom nothing leaves.
    pub elements: Vec<String>,
    /// The provisions that permit them.
    pub permitted_by: Vec<String>,
    /// The provisions that bar the others asked for.
    pub barred_by: Vec<String>,
}

/// The rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableCount {
    /// The table.
    pub table: String,
    /// All rows.
    pub rows: u64,
    /// Rows that leave.
    pub released_rows: u64,
}

/// What a request may have under the law of a day, from a dataset: the answer of `decide`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The request.
    pub request: Request,
    /// The day whose law applies.
    pub on: Date,
    /// The law.
    pub law: LawUsed,
    /// Full, partial or denied.
    pub outcome: Outcome,
    /// People in the dataset.
    pub total: u64,
    /// People about whom at least one row leaves.
    pub released: u64,
    /// The elements asked for, in the law pack's order.
    pub elements: Vec<ElementDecision>,
    /// The classes, most elements first.
    pub classes: Vec<Class>,
    /// The tables asked for.
    pub tables: Vec<TableCount>,
    /// The readings relied on.
    pub interpretations: Vec<Interpretation>,
    /// The obligations that travel with the release.
    pub obligations: Vec<Obligation>,
}

impl Decision {
    /// People about whom nothing leaves.
    pub fn withheld(&self) -> u64 {
        self.total - self.released
    }
}
