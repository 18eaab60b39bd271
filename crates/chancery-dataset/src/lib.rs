//! Datasets: what a custodian holds, read once, mapped to elements and classified.
//!
//! In the order in which a dataset comes about:
//!
//! 1. sources: T-MSIS Eligible files, TAF Parquet, or any Parquet or CSV with a [`ColumnMap`];
//! 2. ingest: text becomes a columnar working copy, Parquet is read where it lies; lines that
//!    cannot be trusted are left out, and so is everything known of the people they are about;
//! 3. [`Catalogue`]: tables, columns, the element that each column discloses;
//! 4. classify: the codes of all tables become evidence, evidence becomes attributes;
//! 5. [`Dataset`]: subjects with attributes, a [`chancery_model::Census`] of them, and
//!    [`Separability`]: how many can be told apart.
//!
//! [`add`] reads as those steps. A person's data is in a dataset's Parquet files only: no error,
//! report or catalogue holds a value.

mod add;
mod catalogue;
mod classify;
mod columnar;
mod dataset;
mod determinations;
mod dictionary;
mod error;
mod index;
mod ingest;
mod lines;
mod map;
mod parallel;
mod people;
mod progress;
mod quarantine;
mod report;
mod rules;
mod store;
mod tabular;
mod taf;
mod tmsis;
mod working_copy;

pub mod synth;

pub use add::{AddRequest, Law, add, reclassify};
pub use catalogue::{
    AttributeNames, Catalogue, Column, Kind, QuarantineSummary, SourceFile, SubjectsFile, Table,
    TableFile,
};
pub use dataset::{Dataset, ScanFile, open};
pub use dictionary::Dictionary;
pub use error::Error;
pub use map::{ColumnMap, OriginRule};
pub use progress::{Progress, Silent};
pub use report::{Separability, SeparabilityRow};
pub use tmsis::{Scan, scan};
