//! The account of what was released: documents for the people whom records are about, and for courts.
//!
//! A [`Letter`] answers a person's request for an accounting of disclosures (`45 CFR 164.528`); an
//! [`ExhibitData`] becomes an exhibit that a court can check, alone or as a [`bundle`] with its
//! evidence. Both are set by [`typeset`], offline and the same to the byte wherever they are set.

pub mod typeset;

mod letter;

mod exhibit;

mod bundle;

pub use bundle::bundle;
pub use exhibit::{
    Appendix, Caption, Cell, Chart, Declaration, EntryRow, ExhibitData, Fate, FileRow,
    InstrumentRow, InterpretationRow, KeyRow, Matrix, MatrixRow, Paragraph, Period, ReleaseRow,
    Section, exhibit,
};

pub use letter::{
    Basis, Contact, Custodian, Disclosure, Exclusion, Language, LastFour, Ledger, Letter, Office,
    Person, Recipient, When, letter,
};

/// Why a document could not be made. None of these has a data value in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A template is wrong, or cannot set what it was given.
    #[error("cannot typeset template `{template}`, line {line}: {problem}")]
    Template {
        /// The template's name.
        template: String,
        /// The line in it; 0 if it is not one line's.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// What was to be typeset is not plain data.
    #[error("cannot typeset: the data is not JSON")]
    Data(#[source] serde_json::Error),
    /// A date that a document cannot carry.
    #[error("cannot typeset: `{0}` is not a date that a document can carry")]
    Date(jiff::civil::Date),
    /// The rows of a table or chart do not fit each other.
    #[error("cannot typeset: {0}")]
    Shape(&'static str),
    /// A file of a bundle may not be called that.
    #[error("cannot bundle `{path}`: {problem}")]
    Path {
        /// What it was called.
        path: String,
        /// Why not.
        problem: &'static str,
    },
    /// A bundle could not be written.
    #[error("cannot write the bundle")]
    Bundle(#[from] zip::result::ZipError),
}
