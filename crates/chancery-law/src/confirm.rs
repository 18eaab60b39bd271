use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Authorizer, Decision, Entities, Request};
use chancery_model::{Predicate, Signature};

use crate::expression::{record, uid};
use crate::in_force::{Edition, Put};
use crate::ruling::{context, facts, principal};
use crate::schema::RECORD;
use crate::{Effect, ElementRuling, Error, InForce, Ruling};

/// A ruling that the ordinary Cedar authorizer agreed with, on a concrete record for every
/// combination of attribute values that occurs. Only [`InForce::confirm`] makes one.
#[derive(Clone, Debug)]
pub struct Confirmed {
    ruling: Ruling,
    decisions: u64,
}

impl Confirmed {
    /// The ruling.
    pub fn ruling(&self) -> &Ruling {
        &self.ruling
    }

    /// How many decisions the authorizer took.
    pub fn decisions(&self) -> u64 {
        self.decisions
    }
}

impl InForce<'_> {
    /// Decides every occurring combination again, with the ordinary authorizer on concrete records.
    ///
    /// Combinations that every question of the ruling answers alike are decided once: the questions
    /// were themselves answered by Cedar value by value, and no provision turns on anything else.
    /// Not only the outcome must agree but the provisions that determined it.
    ///
    /// # Errors
    ///
    /// [`Error::Disagreement`] on the first that differs, or that Cedar could not decide.
    pub fn confirm(
        &self,
        ruling: Ruling,
        occurring: &BTreeSet<&Signature>,
    ) -> Result<Confirmed, Error> {
        let representatives = representatives(&ruling, occurring);
        let records = self
            .records(&ruling, &representatives)
            .map_err(Error::Schema)?;
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let share = ruling.elements.len().div_ceil(workers).max(1);
        let results: Vec<Result<u64, Error>> = std::thread::scope(|scope| {
            let workers: Vec<_> = ruling
                .elements
                .chunks(share)
                .map(|elements| {
                    let (ruling, representatives, records) = (&ruling, &representatives, &records);
                    scope.spawn(move || self.agree(ruling, elements, representatives, records))
                })
                .collect();
            let lost = || {
                Err(Error::Schema(
                    "a worker of the second evaluator failed".to_owned(),
                ))
            };
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| lost()))
                .collect()
        });
        let decisions = results.into_iter().sum::<Result<u64, Error>>()?;
        Ok(Confirmed { ruling, decisions })
    }

    fn records(&self, ruling: &Ruling, signatures: &[&Signature]) -> Result<Entities, String> {
        let records = signatures
            .iter()
            .enumerate()
            .map(|(at, s)| record(&at.to_string(), s, self.pack.domain(), &self.pack.types))
            .collect::<Result<Vec<_>, _>>()?;
        facts(self, &ruling.query)?
            .add_entities(records, Some(&self.pack.schema))
            .map_err(|error| error.to_string())
    }

    fn agree(
        &self,
        ruling: &Ruling,
        elements: &[ElementRuling],
        signatures: &[&Signature],
        records: &Entities,
    ) -> Result<u64, Error> {
        let authorizer = Authorizer::new();
        let principal = principal(&ruling.query).map_err(Error::Schema)?;
        let action = uid("Action", "disclose").map_err(Error::Schema)?;
        let mut decisions = 0;
        for element in elements {
            let context = context(&ruling.query, &element.element).map_err(Error::Schema)?;
            for (at, signature) in signatures.iter().enumerate() {
                let resource = uid(RECORD, &at.to_string()).map_err(Error::Schema)?;
                let request = Request::new(
                    principal.clone(),
                    action.clone(),
                    resource,
                    context.clone(),
                    Some(&self.pack.schema),
                )
                .map_err(|error| Error::Schema(error.to_string()))?;
                let response = authorizer.is_authorized(&request, &self.policies, records);
                let said = self.said(&response);
                let expected = Said::by(element, signature);
                if said != expected {
                    return Err(self.disagreement(element, signature, &expected, &said));
                }
                decisions += 1;
            }
        }
        Ok(decisions)
    }

    fn disagreement(
        &self,
        element: &ElementRuling,
        signature: &Signature,
        expected: &Said,
        said: &Said,
    ) -> Error {
        let attributes = self.pack.domain().describe(signature);
        let attributes = attributes
            .iter()
            .map(|(name, value)| format!("{name} is {value}"));
        Error::Disagreement {
            element: element.element.clone(),
            attributes: attributes.collect::<Vec<_>>().join(", "),
            predicate: expected.to_string(),
            authorizer: said.to_string(),
        }
    }
}

/// An outcome with the provisions that determined it.
#[derive(PartialEq, Eq)]
enum Said {
    Released(BTreeSet<String>),
    /// Barred, or by default; then with the permits of single editions, which do not suffice.
    Withheld(BTreeSet<String>),
    Erred,
}

impl InForce<'_> {
    /// What the authorizer's answer comes to. Of an instrument with two editions, what it lets go
    /// takes a permit of each, and a permit is one that applies with the parties of either.
    fn said(&self, response: &cedar_policy::Response) -> Said {
        if response.diagnostics().errors().next().is_some() {
            return Said::Erred;
        }
        let reasons: BTreeSet<String> = response
            .diagnostics()
            .reason()
            .map(ToString::to_string)
            .collect();
        if self.edited.is_empty() {
            return match response.decision() {
                Decision::Allow => Said::Released(reasons),
                Decision::Deny => Said::Withheld(reasons),
            };
        }
        let applies = |put: &&Put<'_>| {
            let id: &str = put.policy.id().as_ref();
            reasons.contains(id)
        };
        let (applying, others): (Vec<_>, Vec<_>) = self.puts.iter().partition(applies);
        let cites = |puts: &[&Put<'_>]| {
            let cites = puts.iter().map(|put| put.cite.clone());
            cites.collect::<BTreeSet<String>>()
        };
        if response.decision() == Decision::Deny {
            return Said::Withheld(cites(&applying));
        }
        let not_with_all = cites(&others);
        let permits = applying
            .into_iter()
            .filter(|put| !not_with_all.contains(&put.cite));
        let permits: Vec<&Put<'_>> = permits.collect();
        let lets_go = |put: &&Put<'_>| {
            let has = |edition: Edition| {
                let mut own = permits.iter().filter(|p| p.instrument == put.instrument);
                own.any(|p| p.edition == edition)
            };
            !self.edited.contains(put.instrument) || has(Edition::Recorded) && has(Edition::Signed)
        };
        if permits.iter().any(lets_go) {
            Said::Released(cites(&permits))
        } else {
            Said::Withheld(cites(&permits))
        }
    }
}

impl Said {
    fn by(element: &ElementRuling, signature: &Signature) -> Self {
        let of = |effect: Effect| {
            let hits = element.hits.iter().filter(move |hit| hit.effect == effect);
            hits.filter(|hit| hit.when.holds(signature))
                .map(|hit| hit.provision.clone())
                .collect::<BTreeSet<String>>()
        };
        let forbids = of(Effect::Forbid);
        if element.released_when.holds(signature) {
            Self::Released(of(Effect::Permit))
        } else if forbids.is_empty() {
            Self::Withheld(of(Effect::Permit))
        } else {
            Self::Withheld(forbids)
        }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            Self::Released(permits) => write!(f, "released by {}", list(permits)),
            Self::Withheld(by) if by.is_empty() => write!(f, "withheld by default"),
            Self::Withheld(by) => write!(f, "withheld by {}", list(by)),
            Self::Erred => write!(f, "an error"),
        }
    }
}

/// One occurring combination for each pattern of answers to the questions of the ruling.
fn representatives<'a>(ruling: &Ruling, occurring: &BTreeSet<&'a Signature>) -> Vec<&'a Signature> {
    let mut questions = BTreeSet::new();
    for hit in ruling.elements.iter().flat_map(|element| &element.hits) {
        questions_of(&hit.when, &mut questions);
    }
    let mut patterns: BTreeMap<Vec<bool>, &Signature> = BTreeMap::new();
    for signature in occurring {
        let pattern = questions
            .iter()
            .map(|question| question.holds(signature))
            .collect();
        patterns.entry(pattern).or_insert(signature);
    }
    patterns.into_values().collect()
}

fn questions_of<'a>(predicate: &'a Predicate, found: &mut BTreeSet<&'a Predicate>) {
    match predicate {
        Predicate::Never | Predicate::Always => {}
        Predicate::Within { .. } => {
            found.insert(predicate);
        }
        Predicate::All(parts) | Predicate::Any(parts) => {
            for part in parts {
                questions_of(part, found);
            }
        }
    }
}
