//! The account against real workspaces, and against those who would work out what it hides.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod case;

mod suppression;

mod attack;

mod totals;

mod site;

mod browser;

mod bundles;

mod exhibits;

mod filings;

mod hostile;

mod letters;

mod pages;
mod people;

mod reading;

mod samples;

mod scan;
