//! The law pack loader, the decision and its second evaluator.

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
mod answers;
mod defects;
mod describe;
mod editions;
mod enumerate;
mod export;
mod impact;
mod mutation;
mod overlay;
mod pack;
mod prove;
mod random;
mod review;
#[cfg(feature = "symbolic")]
mod symbolic;
mod time;
