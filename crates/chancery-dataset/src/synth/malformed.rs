//! Malformed lines: which kinds there are, and after which people they stand.

use std::collections::VecDeque;

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    TooFewFields,
    BadDate,
    /// No segment has this id.
    UnknownRecord(&'static str),
    InvalidUtf8,
    /// The record names another state than the file's header.
    OtherState,
}

/// The malformed lines of one file, spread evenly over its people.
#[derive(Debug)]
pub(super) struct Flaws {
    /// The place of a person in the file and the flaw that follows, in that order.
    left: VecDeque<(u64, Flaw)>,
    any: bool,
}

impl Flaws {
    /// `each` lines of each sort among `people`.
    pub(super) fn new(each: u32, people: u64) -> Self {
        let mut left = Vec::new();
        for turn in 0..each {
            let unknown = if turn % 2 == 0 {
                "ELG00019"
            } else {
                "ELG99999"
            };
            let sorts = [
                Flaw::TooFewFields,
                Flaw::BadDate,
                Flaw::UnknownRecord(unknown),
                Flaw::InvalidUtf8,
                Flaw::OtherState,
            ];
            let start = u64::from(turn) * people / u64::from(each);
            for (offset, flaw) in (0..).zip(sorts) {
                left.push(((start + offset) % people.max(1), flaw));
            }
        }
        left.sort_by_key(|(place, _)| *place);
        Self {
            any: !left.is_empty(),
            left: left.into(),
        }
    }

    /// Whether the file has malformed lines at all.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    /// The flaws that follow the person at `place`.
    pub(super) fn due(&mut self, place: u64) -> Vec<Flaw> {
        let mut due = Vec::new();
        while let Some((_, flaw)) = self.left.pop_front_if(|(at, _)| *at <= place) {
            due.push(flaw);
        }
        due
    }
}
