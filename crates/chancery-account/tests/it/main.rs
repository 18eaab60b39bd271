//! Documents as the public sees them: their bytes, their words and their pages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod bundles;
mod exhibits;
mod hostile;
mod letters;
mod pages;
mod reading;
mod samples;
