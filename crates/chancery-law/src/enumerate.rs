//! Every question that a law pack can be asked, answered: who gives which element of whose record
//! to whom, for what.
//!
//! A provision is taken apart at `&&`, `||`, `!` and `if` into questions that turn on one or two of
//! custodian, recipient, purpose, element, action and on at most one attribute of the record. Cedar's
//! ordinary authorizer answers each question for each value of what it turns on ([`Questions`]), so
//! that the meaning of no operator is written here. Under the law of a day ([`Answers`]) the values
//! that no provision tells apart are one [`Kind`]; for each combination of kinds the people whose
//! element is released are a set with one bit for every combination of attribute values ([`People`]).
//!
//! Nothing of this is shared with partial evaluation, which decides requests: the two are held
//! against each other in tests, and each against the authorizer.

mod answers;

mod people;

mod questions;

pub use answers::{Answers, At, Cell, Kind, Space};
pub use people::People;
pub use questions::Questions;

use jiff::civil::Date;

use crate::LawPack;

/// Days under one and the same law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day; none is still to be seen.
    pub until: Option<Date>,
}

impl LawPack {
    /// All of time, cut wherever an event changes which instruments are in force or who is a party.
    pub fn periods(&self) -> Vec<Period> {
        let next = |day: Date| day.tomorrow().ok();
        let mut starts = vec![Date::MIN];
        for instrument in self.instruments() {
            for event in &instrument.events {
                starts.push(event.on);
                starts.extend(next(event.on));
            }
            for party in &instrument.parties {
                starts.push(party.from);
                starts.extend(party.until.and_then(next));
            }
        }
        starts.sort_unstable();
        starts.dedup();
        let law = |on: Date| {
            let standing = |instrument: &crate::Instrument| {
                let owned = |origins: std::collections::BTreeSet<&str>| {
                    origins.into_iter().map(str::to_owned).collect::<Vec<_>>()
                };
                (
                    instrument.in_force(on),
                    owned(instrument.parties_on(on)),
                    owned(instrument.covered_on(on)),
                )
            };
            self.instruments().iter().map(standing).collect::<Vec<_>>()
        };
        starts.dedup_by(|day, before| law(*day) == law(*before));
        let ends = starts.iter().skip(1).map(|start| start.yesterday().ok());
        let ends = ends.chain([None]);
        starts
            .iter()
            .zip(ends)
            .map(|(from, until)| Period { from: *from, until })
            .collect()
    }
}
