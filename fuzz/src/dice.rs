use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// Seeded chance.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.0.next_u64() % end).unwrap_or_default()
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// A piece of `input`; more often than by chance at one of its ends.
    fn piece(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let start = match self.below(8) {
            0 => 0,
            1 => input.len(),
            _ => self.below(input.len() + 1),
        };
        let length = match self.below(3) {
            0 => self.below(4),
            1 => self.below(40),
            _ => self.below(input.len() + 1),
        };
        start..(start + length).min(input.len())
    }

    /// A few changes to a sound input; `words` are spliced in as they are.
    pub fn mutate(&mut self, mut input: Vec<u8>, words: &[&[u8]]) -> Vec<u8> {
        for _ in 0..self.below(5) {
            let piece = self.piece(&input);
            match self.below(8) {
                0 => drop(input.drain(piece)),
                1 => {
                    let copy = input.get(piece.clone()).unwrap_or_default().to_vec();
                    input.splice(piece.end..piece.end, copy);
                }
                2 => {
                    let byte = u8::try_from(self.below(256)).unwrap_or_default();
                    if let Some(slot) = input.get_mut(piece.start) {
                        *slot = byte;
                    }
                }
                3 => {
                    let noise: Vec<u8> = (0..self.below(9))
                        .map(|_| u8::try_from(self.below(256)).unwrap_or_default())
                        .collect();
                    input.splice(piece, noise);
                }
                4 => {
                    let digits = self.below(1 << 40).to_string();
                    input.splice(piece.start..piece.start, digits.into_bytes());
                }
                5 => {
                    let text = [
                        "é", "\u{0}", "\"", "\n", "\r\n", "\\", "|", "\u{2028}", "]]", "''",
                    ];
                    let text = self.pick(&text).copied().unwrap_or_default();
                    input.splice(piece.start..piece.start, text.bytes());
                }
                _ => {
                    let word = self.pick(words).copied().unwrap_or_default().to_vec();
                    let end = if self.below(2) == 0 {
                        piece.end
                    } else {
                        piece.start
                    };
                    input.splice(piece.start..end, word);
                }
            }
        }
        input
    }
}
