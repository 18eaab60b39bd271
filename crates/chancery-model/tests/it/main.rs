//! Predicates mean what they say, in whatever form they are put.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod predicates;
mod requests;
mod round_trip;
