//! The gate, called as a library: what it refuses, what it logs, what it recovers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod entries;
mod gate;
mod samples;
mod scanner;
mod sign_off;
mod suppression;
mod whole_log;
