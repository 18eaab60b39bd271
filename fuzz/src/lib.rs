//! Every parser against mutated input, as a round trip where there is one.
//!
//! 1. [`Dice`]: seeded chance, and the mutation of a sound input;
//! 2. [`targets`]: the parsers, each with sound inputs to start from and what must hold;
//! 3. [`run`]: one target for some rounds or some time.
//!
//! There is no coverage feedback: mutations are cuts, copies, splices of the target's own words and
//! flipped bytes, which reach the inside of formats that plain noise never gets past.

mod dice;

mod memory;

pub mod targets;

use std::time::{Duration, Instant};

pub use dice::Dice;
pub use targets::Target;

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After so many inputs.
    Rounds(u64),
    /// After so long.
    Time(Duration),
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Inputs.
    pub inputs: u64,
    /// Inputs that the parser took.
    pub taken: u64,
}

/// Runs a target; its input is printed before a panic is passed on.
///
/// # Errors
///
/// What does not hold, with the seed of the input and the input.
pub fn run(target: &Target, seed: u64, until: Until) -> Result<Count, String> {
    let start = Instant::now();
    let mut count = Count::default();
    loop {
        let done = match until {
            Until::Rounds(rounds) => count.inputs >= rounds,
            Until::Time(time) => start.elapsed() >= time,
        };
        if done {
            return Ok(count);
        }
        let seed = seed.wrapping_add(count.inputs);
        let input = target.input(&mut Dice::new(seed));
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target.check(&input)));
        match result {
            Ok(Ok(taken)) => count.taken += u64::from(taken),
            Ok(Err(problem)) => return Err(describe(target, seed, &input, &problem)),
            Err(_) => return Err(describe(target, seed, &input, "it panicked")),
        }
        count.inputs += 1;
    }
}

fn describe(target: &Target, seed: u64, input: &[u8], problem: &str) -> String {
    let shown = String::from_utf8_lossy(input);
    format!(
        "{}, seed {seed}: {problem}; the input:\n{shown:?}",
        target.name
    )
}
