//! The product's proof: the workspace's shape, the corpus, and the command as a user runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod arrows;
mod readme;

mod workbench;

mod overlays;

mod source;

mod tax;

mod expected;

mod corpus;

mod cli;

mod refused;

mod review;
mod sign_off;

mod law_defects;

mod ledger;

mod custody;
mod damage;

mod disk;

mod killed;

mod faults;

mod account;
mod exhibit;
mod outages;
mod person;
mod prove;

mod time;
