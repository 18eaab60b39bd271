//! Each target with a fixed seed, for about a second.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use chancery_fuzz::{Until, run, targets::all};

#[test]
fn no_parser_fails_on_inputs_of_a_fixed_seed() {
    for target in all() {
        let count =
            run(target, 1 << 32, Until::Rounds(target.rounds)).unwrap_or_else(|e| panic!("{e}"));
        println!("{}: {count:?}", target.name);
        let takes_some = count.taken > 0;
        assert!(
            takes_some || ["envelope", "statement"].contains(&target.name),
            "{}",
            target.name
        );
    }
}
