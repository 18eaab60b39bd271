//! Plans: what the columnar engine lets leave is what the stock Cedar authorizer allows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::format_push_string,
    reason = "a test fails by panicking"
)]

mod agree;
mod bench;
mod files;
mod people;
#[path = "../../../chancery-law/tests/it/random.rs"]
mod random;
