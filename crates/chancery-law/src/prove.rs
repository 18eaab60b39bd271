//! Holds the assertions of a law pack against its provisions, for every record and request there
//! could be.
//!
//! The prover that always runs enumerates: every question that the pack can be asked is answered on
//! every day ([`crate::enumerate`]), and each answer is held against each assertion that speaks of
//! it. A second, symbolic one can be asked as well; then both must agree. What neither could tell is
//! [`Verdict::Unproven`], never [`Verdict::Holds`].
//!
//! A proof says nothing of what the assertions do not say. So it is also reported which of them hold
//! for want of any permission ([`Finding::vacuous`]), and which provisions and interpretations make
//! no difference to any answer.

mod cells;

mod enumeration;

mod replay;

use std::collections::{BTreeMap, BTreeSet};

use chancery_model::LayerUsed;
use jiff::civil::Date;
use serde::Serialize;

pub use replay::replay;

use crate::{AssertionKind, Effect, Error, SignOff};

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
    /// The provisions that decided, as Cedar's authorizer names them: the permits that let it leave;
    /// for `always` the forbids that bar it, or nothing if nothing permits it.
    pub by: Vec<String>,
}

/// An assertion with what was found of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The assertion.
    pub assertion: String,
    /// The clause it restates.
    pub clause: String,
    /// What it says, in plain words.
    pub says: String,
    /// What it says of everything in its scope.
    pub kind: AssertionKind,
    /// How many cases are in its scope: requests for one element of one record, under one law.
    #[serde(serialize_with = "digits")]
    pub cases: u128,
    /// What enumeration says.
    pub enumeration: Verdict,
    /// What the symbolic prover says, if it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbolic: Option<Verdict>,
    /// Why it says less than it seems to, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vacuous: Option<Vacuity>,
    /// Whether a layer above the assertion's own holds back some of what it says always leaves. It
    /// may: an overlay can be stricter.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub narrowed: bool,
}

/// Why an assertion that holds says less than it seems to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vacuity {
    /// No request, record and day is in its scope.
    Empty,
    /// Nothing in its scope is ever permitted: no forbid is put to the test.
    NothingPermitted,
}

/// A provision that makes no difference to what leaves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct IdleProvision {
    /// The provision.
    pub provision: String,
    /// Whether it lets go or holds back.
    pub effect: Effect,
    /// Why it makes none.
    pub why: Idle,
}

/// Why a provision makes no difference to what leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idle {
    /// It applies to nothing, on any day or on the one that was asked about.
    NeverApplies,
    /// A permit: whatever it permits is barred, or permitted by others as well.
    NothingMoreLeaves,
    /// A forbid: whatever it bars is barred by others as well.
    BarredByOthers,
    /// A forbid: nobody else bars all that it bars, but nothing permits that.
    NothingPermitted,
}

/// An interpretation that makes no difference to what leaves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct IdleInterpretation {
    /// `<instrument>#<name>`.
    pub interpretation: String,
    /// The provisions that rest on it, none of which makes a difference; there may be none.
    pub provisions: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The pack.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// Its digest, over the overlays too.
    pub digest: String,
    /// The pack itself and the overlays on it, from the lowest to the topmost.
    pub layers: Vec<LayerUsed>,
    /// The only day that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Date>,
    /// How many concrete cases were covered: custodian × recipient × purpose × element × record ×
    /// action × period.
    #[serde(serialize_with = "digits")]
    pub cases: u128,
    /// How many periods of unchanging law.
    pub periods: usize,
    /// What may be done with a record.
    pub actions: Vec<String>,
    /// How many classes of cases that no provision tells apart were looked at one by one.
    pub classes: u64,
    /// The provers that were asked.
    pub provers: Vec<String>,
    /// Why the symbolic prover, which was wanted, was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_asked: Option<String>,
    /// The assertions.
    pub assertions: Vec<Finding>,
    /// Instruments of which nothing is asserted.
    pub unasserted: Vec<Unasserted>,
    /// Provisions that make no difference to what leaves.
    pub provisions: Vec<IdleProvision>,
    /// Interpretations that make no difference to what leaves.
    pub interpretations: Vec<IdleInterpretation>,
    /// Whether each provision can err, if the symbolic prover was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errs: Option<BTreeMap<String, CanErr>>,
}

/// An instrument of which nothing is asserted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unasserted {
    /// The instrument.
    pub instrument: String,
    /// Why not.
    pub why: Silence,
}

/// Why nothing is asserted of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Silence {
    /// It has no provision: there is nothing that an assertion could be held against.
    NoProvision,
    /// It has provisions, and nobody has written down what they must do.
    NoAssertion,
}

/// Whether a provision can err; Cedar skips one that does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "errs", rename_all = "lowercase")]
pub enum CanErr {
    /// It cannot, whatever the request.
    Never,
    /// It can.
    Sometimes {
        /// What Cedar says then.
        error: String,
    },
    /// It could not be told.
    Unproven {
        /// Why.
        why: String,
    },
}

impl Verdict {
    /// What two provers say together. They must agree: where one says that an assertion holds and the
    /// other has broken it, nothing is proved. A counterexample stands against a prover that could not
    /// tell, because Cedar's authorizer decided it.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Holds, Self::Holds) => Self::Holds,
            (Self::Broken { .. }, Self::Broken { .. } | Self::Unproven { .. })
            | (Self::Unproven { .. }, Self::Holds) => self.clone(),
            (Self::Unproven { .. }, Self::Broken { .. }) | (Self::Holds, Self::Unproven { .. }) => {
                other.clone()
            }
            (Self::Unproven { why }, Self::Unproven { why: also }) => Self::Unproven {
                why: format!("{why}; {also}"),
            },
            (Self::Holds, Self::Broken { .. }) | (Self::Broken { .. }, Self::Holds) => {
                Self::Unproven {
                    why: "the two provers disagree".to_owned(),
                }
            }
        }
    }
}

impl Finding {
    /// What all provers say together.
    pub fn verdict(&self) -> Verdict {
        match &self.symbolic {
            Some(symbolic) => self.enumeration.and(symbolic),
            None => self.enumeration.clone(),
        }
    }
}

impl Report {
    /// Adds what the symbolic prover says, by the id of the assertion; of what it leaves out, nothing
    /// is proved.
    pub fn add_symbolic(&mut self, mut verdicts: BTreeMap<String, Verdict>) {
        self.provers.push("symbolic".to_owned());
        for finding in &mut self.assertions {
            let left_out = || Verdict::Unproven {
                why: "the symbolic prover did not speak to it".to_owned(),
            };
            let verdict = verdicts.remove(&finding.assertion);
            finding.symbolic = Some(verdict.unwrap_or_else(left_out));
        }
    }

    /// Says of every assertion that the symbolic prover, which was wanted, could not be asked.
    pub fn without_symbolic(&mut self, why: &str) {
        self.not_asked = Some(why.to_owned());
        for finding in &mut self.assertions {
            finding.symbolic = Some(Verdict::Unproven {
                why: why.to_owned(),
            });
        }
    }

    /// Whether there is no assertion to hold against anything: then nothing is proved.
    pub fn is_silent(&self) -> bool {
        self.assertions.is_empty()
    }

    /// Whether an assertion is broken, or a provision can err.
    pub fn is_broken(&self) -> bool {
        let errs = |errs: &CanErr| matches!(errs, CanErr::Sometimes { .. });
        self.broken().next().is_some() || self.errs.iter().flatten().any(|(_, e)| errs(e))
    }

    /// Whether something could not be proved, or nothing was to be.
    pub fn is_unproven(&self) -> bool {
        let errs = |errs: &CanErr| matches!(errs, CanErr::Unproven { .. });
        self.is_silent()
            || self.unproven().next().is_some()
            || self.errs.iter().flatten().any(|(_, e)| errs(e))
    }

    /// The assertions that are broken.
    pub fn broken(&self) -> impl Iterator<Item = (&Finding, Counterexample)> {
        self.assertions
            .iter()
            .filter_map(|finding| match finding.verdict() {
                Verdict::Broken { counterexample } => Some((finding, *counterexample)),
                Verdict::Holds | Verdict::Unproven { .. } => None,
            })
    }

    /// The assertions that could not be proved, and why.
    pub fn unproven(&self) -> impl Iterator<Item = (&Finding, String)> {
        self.assertions
            .iter()
            .filter_map(|finding| match finding.verdict() {
                Verdict::Unproven { why } => Some((finding, why)),
                Verdict::Holds | Verdict::Broken { .. } => None,
            })
    }
}

/// A number that JSON readers would round, in digits.
fn digits<S: serde::Serializer>(number: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// How a provision turned out, over all cases.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    /// It applies to something.
    applies: bool,
    /// Without it something else would leave.
    decides: bool,
    /// A forbid: without it something would no longer be barred.
    alone: bool,
}

impl Weight {
    fn add(&mut self, other: Self) {
        self.applies |= other.applies;
        self.decides |= other.decides;
        self.alone |= other.alone;
    }

    fn idle(self, effect: Effect) -> Option<Idle> {
        match (self, effect) {
            (Self { decides: true, .. }, _) => None,
            (Self { applies: false, .. }, _) => Some(Idle::NeverApplies),
            (_, Effect::Permit) => Some(Idle::NothingMoreLeaves),
            (Self { alone: true, .. }, Effect::Forbid) => Some(Idle::NothingPermitted),
            (Self { alone: false, .. }, Effect::Forbid) => Some(Idle::BarredByOthers),
        }
    }
}

impl crate::LawPack {
    /// The number of the layer that a provision or an assertion is of, the lowest first.
    fn layer_of(&self, id: &str) -> Option<usize> {
        let instrument = self.instrument(id.split_once('#')?.0)?;
        self.layers
            .iter()
            .position(|layer| layer.name == instrument.layer)
    }

    /// What makes no difference; of a day, what is in force on it and makes none.
    fn idle(
        &self,
        claim: &Claim,
        weights: &BTreeMap<String, Weight>,
    ) -> Result<(Vec<IdleProvision>, Vec<IdleInterpretation>), Error> {
        let law = claim
            .on
            .map(|day| self.in_force(day, SignOff::Demonstration))
            .transpose()?;
        let in_force = |id: &str| {
            let known = |law: &crate::InForce<'_>| law.instruments().iter().any(|i| i.id == id);
            law.as_ref().is_none_or(known)
        };
        let asked =
            |id: &str| claim.instrument.as_deref().is_none_or(|only| only == id) && in_force(id);
        let mut provisions = Vec::new();
        let mut interpretations = Vec::new();
        for instrument in self.instruments().iter().filter(|i| asked(&i.id)) {
            let mut idle = BTreeSet::new();
            for provision in &instrument.provisions {
                let weight = weights.get(&provision.id).copied().unwrap_or_default();
                if let Some(why) = weight.idle(provision.effect) {
                    idle.insert(&provision.id);
                    provisions.push(IdleProvision {
                        provision: provision.id.clone(),
                        effect: provision.effect,
                        why,
                    });
                }
            }
            for reading in &instrument.interpretations {
                let resting = instrument
                    .provisions
                    .iter()
                    .filter(|provision| provision.interpretations.contains(&reading.name));
                let resting: Vec<String> = resting.map(|provision| provision.id.clone()).collect();
                if resting.iter().all(|id| idle.contains(id)) {
                    interpretations.push(IdleInterpretation {
                        interpretation: format!("{}#{}", instrument.id, reading.name),
                        provisions: resting,
                    });
                }
            }
        }
        Ok((provisions, interpretations))
    }
}
