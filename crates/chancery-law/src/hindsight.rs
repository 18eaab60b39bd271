//! What an audit asks of a decision of the past: was it unlawful by what was known, or is it only
//! known later that it was?

use std::collections::BTreeMap;

use chancery_model::{Domain, Predicate, Signature};
use serde::Serialize;

use crate::Ruling;
use crate::describe::simplest;

/// What is to be said of one element of one record under the law of a day, by what was known then
/// and by what is known now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hindsight {
    /// Lawful by what was known then, and still.
    Lawful,
    /// Unlawful by what was known then, and still.
    Unlawful,
    /// Lawful by what was known then; only later was it recorded that it was not.
    KnownOnlyLater,
    /// Unlawful by what was known then; only later was it recorded that it was lawful.
    LawfulOnlyLater,
}

impl Hindsight {
    /// From whether it was lawful by what was known then, and whether it is by what is known now.
    pub fn of(then: bool, now: bool) -> Self {
        match (then, now) {
            (true, true) => Self::Lawful,
            (false, false) => Self::Unlawful,
            (true, false) => Self::KnownOnlyLater,
            (false, true) => Self::LawfulOnlyLater,
        }
    }
}

/// The same query under the law of the same day, by what was known then and by what is known now.
#[derive(Clone, Debug)]
pub struct Retrospect {
    /// For whom each element was lawful then and is now.
    elements: BTreeMap<String, (Predicate, Predicate)>,
}

impl Retrospect {
    /// Compares two rulings.
    pub fn of(then: &Ruling, now: &Ruling) -> Self {
        let elements = now.elements.iter().map(|element| {
            let before = then.element(&element.element);
            let before = before.map_or(Predicate::Never, |before| before.released_when.clone());
            let both = (before, element.released_when.clone());
            (element.element.clone(), both)
        });
        Self {
            elements: elements.collect(),
        }
    }

    /// What is to be said of an element of a record.
    pub fn cell(&self, element: &str, record: &Signature) -> Hindsight {
        let (then, now) = match self.elements.get(element) {
            Some((then, now)) => (then.holds(record), now.holds(record)),
            None => (false, false),
        };
        Hindsight::of(then, now)
    }

    /// For whom `what` is to be said of an element.
    pub fn people(&self, element: &str, what: Hindsight, domain: &Domain) -> Predicate {
        let Some((then, now)) = self.elements.get(element) else {
            return Predicate::constant(what == Hindsight::Unlawful);
        };
        let (then, now) = match what {
            Hindsight::Lawful => (then.clone(), now.clone()),
            Hindsight::Unlawful => (then.negate(domain), now.negate(domain)),
            Hindsight::KnownOnlyLater => (then.clone(), now.negate(domain)),
            Hindsight::LawfulOnlyLater => (then.negate(domain), now.clone()),
        };
        simplest(&Predicate::all([then, now], domain), domain)
    }
}
