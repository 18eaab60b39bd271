//! An exhibit for a court: what the ledger and the signed manifests say, in numbered paragraphs.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::tally::Copy;
use crate::typeset::{Template, pdf};

/// What an exhibit says, as plain data. Counts of people are suppressed by whoever fills it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExhibitData {
    /// The day it is made.
    pub date: Date,
    /// The case, and what the exhibit is called in it.
    pub caption: Caption,
    /// A line over every page, for example that it is a demonstration.
    pub mark: Option<String>,
    /// Whose copy it is: the custodian's own has exact counts, and is filed under seal.
    pub copy: Copy,
    /// The facts; their paragraphs are numbered through.
    pub sections: Vec<Section>,
    /// The releases.
    pub releases: Vec<ReleaseRow>,
    /// People over time.
    pub charts: Vec<Chart>,
    /// Which element about which group was lawful, and which left.
    pub matrices: Vec<Matrix>,
    /// The instruments cited.
    pub instruments: Vec<InstrumentRow>,
    /// The readings of them that were taken.
    pub interpretations: Vec<InterpretationRow>,
    /// Who stands for it, if anyone does (`28 USC 1746`).
    pub declaration: Option<Declaration>,
    /// What it is checked with.
    pub appendix: Appendix,
}

/// A case, and what the exhibit is called in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caption {
    /// Counsel and whom they stand for, a line each; nothing if they are not to be named.
    #[serde(default)]
    pub counsel: Vec<String>,
    /// The court, a line each.
    pub court: Vec<String>,
    /// Who sues.
    pub plaintiffs: String,
    /// Who is sued.
    pub defendants: String,
    /// The number of the case.
    pub case_number: String,
    /// The exhibit's mark: `A` or `12`.
    pub exhibit: String,
    /// Its title.
    pub title: String,
}

/// Facts under a heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// The facts.
    pub paragraphs: Vec<Paragraph>,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paragraph {
    /// What is so.
    pub text: String,
    /// The ledger's entries that prove it, by index.
    pub entries: Vec<u64>,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRow {
    /// Its id.
    pub id: String,
    /// The day whose law applied.
    pub date: Date,
    /// Who received.
    pub recipient: String,
    /// Why.
    pub purpose: String,
    /// About how many people.
    pub people: Cell,
    /// Which elements left.
    pub elements: Vec<String>,
    /// The manifest's digest: 64 hexadecimal digits.
    pub manifest: String,
    /// Its entry in the ledger.
    pub entry: u64,
}

/// A count, or what stands for one that is not shown: `suppressed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// The count.
    Count(u64),
    /// What stands for it.
    Hidden(String),
}

/// People over time: a bar for each class in each period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// The same in words, for who cannot see it.
    pub alternative: String,
    /// What the bars of a period are: at most four classes, told apart by pattern.
    pub classes: Vec<String>,
    /// The periods, or periods and origins, in order.
    pub periods: Vec<Period>,
}

/// The bars of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// What stands beside them.
    pub label: String,
    /// A count for each class.
    pub counts: Vec<Cell>,
}

/// Which element about which group was lawful, and which left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// What it shows.
    pub title: String,
    /// The groups, a column each.
    pub groups: Vec<MatrixGroup>,
    /// The elements, a row each.
    pub rows: Vec<MatrixRow>,
    /// What is to be known besides.
    pub notes: Vec<String>,
    /// The entries that prove it.
    pub entries: Vec<u64>,
}

/// People about whom the same left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixGroup {
    /// What stands over its column.
    pub name: String,
    /// Who they are.
    pub who: String,
    /// How many.
    pub people: Cell,
}

/// An element, and what became of it for each group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixRow {
    /// The element.
    pub element: String,
    /// What became of it, a group each.
    pub fates: Vec<Fate>,
}

/// What became of an element for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It was lawful and left.
    Released,
    /// It was lawful and did not leave: nobody asked for it, or there was none.
    Allowed,
    /// It was lawful for some of them, and did not leave.
    Partly,
    /// It was not lawful, and did not leave.
    Withheld,
}

/// An instrument cited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentRow {
    /// Its citation.
    pub citation: String,
    /// Its title.
    pub title: String,
    /// What it does here: what it permits or bars, and from when to when.
    pub effect: String,
    /// How far its encoding has been reviewed.
    pub review: String,
}

/// A reading of an instrument that a lawyer could contest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpretationRow {
    /// The instrument's citation.
    pub instrument: String,
    /// The question.
    pub question: String,
    /// The reading that was taken.
    pub reading: String,
    /// The readings that were not.
    pub alternatives: Vec<String>,
    /// What turns on it.
    pub effect: String,
}

/// Who stands for the exhibit under penalty of perjury.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The name.
    pub name: String,
    /// The office.
    pub title: String,
}

/// What an exhibit is checked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appendix {
    /// The ledger's name.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The root of its tree: base64, as the checkpoint has it.
    pub root: String,
    /// When the checkpoint was signed, if it says.
    pub signed: Option<String>,
    /// The entries relied on.
    pub entries: Vec<EntryRow>,
    /// The public keys.
    pub keys: Vec<KeyRow>,
    /// The files that are handed over with the exhibit.
    pub files: Vec<FileRow>,
}

/// An entry, with its place in the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRow {
    /// Its index.
    pub index: u64,
    /// When it was recorded.
    pub recorded: String,
    /// What it says, in a few words.
    pub says: String,
    /// Its leaf hash: 64 hexadecimal digits.
    pub leaf: String,
    /// The hashes from the leaf to the root, base64; empty if they are in the files alone.
    pub path: Vec<String>,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// What it signs.
    pub signs: String,
    /// The key, as a verifier key line; a long one by its digest.
    pub key: String,
}

/// A file that is handed over with the exhibit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// Its path in the bundle.
    pub path: String,
    /// What it is.
    pub what: String,
    /// Its SHA-256: 64 hexadecimal digits.
    pub digest: String,
}

/// Sets an exhibit: a tagged, archival PDF, the same bytes for the same data.
///
/// # Errors
///
/// Fails if a chart or a matrix has a row with too few or too many cells, or as [`pdf`] does.
///
/// # Example
///
/// ```
/// use chancery_account::exhibit::{ExhibitData, Period, exhibit};
///
/// # let json = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/samples/exhibit.json"));
/// let mut data: ExhibitData = serde_json::from_str(json)?;
/// assert!(exhibit(&data)?.starts_with(b"%PDF-1.7"));
/// // A period without a count for each class would be read wrongly.
/// let period = Period { label: "May 2026".to_owned(), counts: Vec::new() };
/// data.charts[0].periods.push(period);
/// assert!(exhibit(&data).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn exhibit(data: &ExhibitData) -> Result<Vec<u8>, Error> {
    for chart in &data.charts {
        let classes = chart.classes.len();
        if classes > PATTERNS {
            return Err(Error::Shape("a chart has more classes than patterns"));
        }
        if chart
            .periods
            .iter()
            .any(|period| period.counts.len() != classes)
        {
            return Err(Error::Shape(
                "a chart's period has not one count for each class",
            ));
        }
    }
    let groups = |matrix: &Matrix| {
        let uneven = |row: &MatrixRow| row.fates.len() != matrix.groups.len();
        matrix.rows.iter().any(uneven)
    };
    if data.matrices.iter().any(groups) {
        return Err(Error::Shape(
            "a row of a matrix has not one cell for each group",
        ));
    }
    pdf(TEMPLATE, data, data.date)
}

/// Classes that a chart can tell apart in black and white.
const PATTERNS: usize = 4;

const TEMPLATE: Template<'_> = Template {
    name: "exhibit",
    source: include_str!("../templates/exhibit.typ"),
};
