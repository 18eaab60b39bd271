//! Seeded randomness: the same seed gives the same people on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of random numbers and the few ways in which it is used here.
pub(super) trait Dice {
    /// The next 32 random bits.
    fn next(&mut self) -> u32;

    /// A number below `bound`.
    fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next()) * u64::from(bound)) >> 32) as u32
    }

    /// Whether something that happens `per_100_000` times in 100,000 happens.
    fn chance(&mut self, per_100_000: u32) -> bool {
        self.below(100_000) < per_100_000
    }

    /// One of `items`, each as likely.
    fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let bound = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items
            .get(self.below(bound) as usize)
            .copied()
            .unwrap_or_default()
    }

    /// One of `items`, as likely as its weight.
    fn weighted<T: Copy + Default>(&mut self, items: &[(u32, T)]) -> T {
        let mut left = self.below(items.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in items {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        T::default()
    }
}

/// What the people of one state are drawn from: a `ChaCha8` stream of its own for every state, so
/// that states can be generated in any order and at the same time.
pub(super) struct StateDice(ChaCha8Rng);

impl StateDice {
    pub(super) fn new(seed: u64, state: u8) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(u64::from(state));
        Self(generator)
    }

    pub(super) fn salt(&mut self) -> u64 {
        self.0.next_u64()
    }
}

impl Dice for StateDice {
    fn next(&mut self) -> u32 {
        self.0.next_u32()
    }
}

/// What only one kind of file says about a person, drawn from the person's salt (`SplitMix64`):
/// drawing it does not move the state's stream, so both kinds hold the same people.
pub(super) struct SaltDice(u64);

impl SaltDice {
    pub(super) fn new(salt: u64) -> Self {
        Self(salt)
    }
}

impl Dice for SaltDice {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }
}
