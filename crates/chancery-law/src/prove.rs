//! Holds the assertions of a law pack against its provisions, for every record and request there
//! could be.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

/// What is to be proved of a law pack.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// On this day alone.
    pub on: Option<Date>,
    /// The assertions, provisions and interpretations of this instrument alone.
    pub instrument: Option<String>,
}

/// What a prover says of an assertion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// It holds for every record and request there could be, on every day.
    Holds,
    /// It does not: this breaks it.
    Broken {
        /// A smallest record and request that break it.
        counterexample: Box<Counterexample>,
    },
    /// It could not be told: never taken for `Holds`.
    Unproven {
        /// Why.
        why: String,
    },
}

/// A concrete record and request that break an assertion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Counterexample {
    /// The day.
    pub on: Date,
    /// What is done with the record.
    pub action: String,
    /// Who holds it.
    pub custodian: String,
    /// Who asks for it.
    pub recipient: String,
    /// What for.
    pub purpose: String,
    /// The element asked for.
    pub element: String,
    /// The record's attributes.
    pub record: BTreeMap<String, String>,
    /// The permits that let it leave; for `always` the forbids that bar it, or nothing if nothing
    /// permits it.
    pub by: Vec<String>,
}

impl Verdict {
    /// What two provers say together. They must agree: one that finds a counterexample breaks the
    /// assertion only if the other does not claim that it holds.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Holds, Self::Holds) => Self::Holds,
            (Self::Broken { .. }, Self::Broken { .. } | Self::Unproven { .. }) => self.clone(),
            (Self::Unproven { .. }, Self::Broken { .. }) => other.clone(),
            (Self::Unproven { why }, Self::Unproven { why: also }) => Self::Unproven {
                why: format!("{why}; {also}"),
            },
            (Self::Unproven { .. }, Self::Holds) => self.clone(),
            (Self::Holds, Self::Unproven { .. }) => other.clone(),
            (Self::Holds, Self::Broken { .. }) | (Self::Broken { .. }, Self::Holds) => {
                Self::Unproven {
                    why: "the two provers disagree".to_owned(),
                }
            }
        }
    }
}
