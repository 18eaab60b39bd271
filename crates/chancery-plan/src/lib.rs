//! A grant and a dataset as DataFusion plans, and the engine that runs them.
//!
//! 1. [`cuts`]: for each table and origin, which columns leave for whom: pure, from the catalogue,
//!    the census and the grant;
//! 2. [`compile`]: a cut as a logical plan of DataFusion's own nodes and expressions: pure;
//! 3. [`Embedded`]: opens the sources and runs the plan in this process, streaming, within a
//!    memory limit;
//! 4. [`stage`]: every cut run, on all cores, each into a file written afresh.

mod cut;

mod compile;

mod engine;

mod write;

mod stage;

pub use compile::{Sources, compile};
pub use cut::{ColumnCut, Cut, cuts};
pub use engine::{Embedded, Limits};
pub use stage::{Job, StagedFile, stage};

/// Why a plan could not be made or run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine refused or failed.
    #[error("table `{table}`, origin {origin}: {problem}")]
    Engine {
        /// The table.
        table: String,
        /// The origin.
        origin: String,
        /// What the engine says; it names columns and files, never values.
        problem: String,
    },
    /// The plan wrote another number of rows than the census counts.
    #[error(
        "table `{table}`, origin {origin}: expected {expected} rows to leave, the plan wrote {written}"
    )]
    Count {
        /// The table.
        table: String,
        /// The origin.
        origin: String,
        /// Rows by the census.
        expected: u64,
        /// Rows written.
        written: u64,
    },
    /// A file could not be written.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The user asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Engine { .. } => "nothing was released; see whether the dataset still verifies",
            Self::Count { .. } => "nothing was released; add the dataset again from its sources",
            Self::Io { .. } => "nothing was released; free space or mend permissions, then retry",
            Self::Cancelled => "nothing was released",
        }
    }
}
