//! The classification table at work: codes become evidence, evidence becomes attributes.

use std::collections::BTreeMap;

use chancery_model::{Condition, Correction, Domain, Fault, GroupRule, Place, Rule, UNKNOWN};

use crate::Law;

/// What is known of people with the same evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The value of each attribute of the domain.
    pub(crate) values: Vec<u8>,
    /// Why an attribute is unknown.
    pub(crate) reasons: Vec<Option<String>>,
    /// No rule applies any more: nothing about these people can be trusted.
    pub(crate) is_final: bool,
}

/// A classification whose names were found in the domain.
pub(crate) struct Rules<'l> {
    law: &'l Law<'l>,
    attributes: Vec<usize>,
}

/// Which bits of evidence each code of a column gives.
#[derive(Default)]
pub(crate) struct CodeBits {
    single: Vec<u32>,
    longer: BTreeMap<String, u32>,
}

impl CodeBits {
    fn add(&mut self, value: &str, bits: u32) {
        match value.as_bytes() {
            [byte] => {
                self.single.resize(256, 0);
                if let Some(slot) = self.single.get_mut(usize::from(*byte)) {
                    *slot = bits;
                }
            }
            _ => {
                self.longer.insert(value.to_owned(), bits);
            }
        }
    }

    /// The evidence that a trimmed value gives; none if it is no code of the input.
    pub(crate) fn of(&self, value: &str) -> u32 {
        match value.as_bytes() {
            [] => 0,
            [byte] => self.single.get(usize::from(*byte)).copied().unwrap_or(0),
            _ => self.longer.get(value).copied().unwrap_or(0),
        }
    }
}

impl<'l> Rules<'l> {
    /// Finds the names of the table in the domain.
    pub(crate) fn new(law: &'l Law<'l>) -> Result<Self, Fault> {
        let fault = |name: &str| {
            Fault::new(
                Place::file("classification"),
                "the domain has no such attribute or value",
            )
            .field(name)
        };
        let table = law.classification;
        if table.evidence.len() > 32 {
            return Err(Fault::new(
                Place::file("classification"),
                "more than 32 kinds of evidence",
            ));
        }
        let origin = table.origin.as_str();
        law.domain.attribute(origin).ok_or_else(|| fault(origin))?;
        for name in &table.separability {
            law.domain.attribute(name).ok_or_else(|| fault(name))?;
        }
        for rule in &table.groups {
            for value in [&rule.value, &rule.otherwise] {
                position(law.domain, &rule.attribute, value).ok_or_else(|| fault(value))?;
            }
        }
        for correction in &table.corrections {
            for value in correction.instead_of.iter().chain([&correction.rule.value]) {
                let attribute = &correction.rule.attribute;
                position(law.domain, attribute, value).ok_or_else(|| fault(value))?;
            }
        }
        let mut attributes = Vec::new();
        for rule in &table.rules {
            let (attribute, _) = position(law.domain, &rule.attribute, &rule.value)
                .ok_or_else(|| fault(&rule.attribute))?;
            attributes.push(attribute);
        }
        Ok(Self { law, attributes })
    }

    /// The evidence that the codes of a column give, which plays `input`.
    pub(crate) fn bits(&self, input: &str, recode: &BTreeMap<String, String>) -> Option<CodeBits> {
        let at = self.law.classification.input(input)?;
        let codes = &self.law.classification.inputs.get(at)?.codes;
        let mut bits = CodeBits::default();
        if recode.is_empty() {
            for code in codes {
                bits.add(code, self.evidence(at, code));
            }
        } else {
            for (value, code) in recode {
                bits.add(value, self.evidence(at, code));
            }
        }
        Some(bits)
    }

    fn evidence(&self, input: usize, code: &str) -> u32 {
        let table = self.law.classification;
        let codes = table.inputs.get(input).map(|input| &input.codes);
        let Some(code) = codes.and_then(|codes| codes.iter().position(|known| known == code))
        else {
            return 0;
        };
        let gives = |codes: &Vec<(usize, usize)>| u32::from(codes.contains(&(input, code)));
        let kinds = table.evidence.iter().enumerate();
        kinds.fold(0, |bits, (at, kind)| bits | gives(&kind.codes) << at)
    }

    /// The attributes that evidence gives: of each attribute, the first rule that matches, then
    /// every correction that applies.
    pub(crate) fn evaluate(&self, evidence: u32, origin: u8) -> Outcome {
        let mut outcome = self.nothing_known(origin, "no rule matched");
        outcome.is_final = false;
        let mut decided = vec![false; outcome.values.len()];
        let rules = self.law.classification.rules.iter().zip(&self.attributes);
        for (rule, &attribute) in rules {
            let Some(done) = decided.get_mut(attribute).filter(|done| !**done) else {
                continue;
            };
            if self.applies(rule, evidence, &outcome) {
                *done = true;
                let value = self.law.domain.value(attribute, &rule.value);
                self.set(&mut outcome, attribute, value, rule.reason.as_deref());
            }
        }
        for Correction { rule, instead_of } in &self.law.classification.corrections {
            let is = |value: &String| {
                let found = position(self.law.domain, &rule.attribute, value);
                found.is_some_and(|(at, value)| outcome.values.get(at) == Some(&value))
            };
            if instead_of.iter().any(is)
                && self.applies(rule, evidence, &outcome)
                && let Some((at, value)) = position(self.law.domain, &rule.attribute, &rule.value)
            {
                self.set(&mut outcome, at, Some(value), rule.reason.as_deref());
            }
        }
        outcome
    }

    fn applies(&self, rule: &Rule, evidence: u32, outcome: &Outcome) -> bool {
        let holds = |condition: &Condition| self.holds(condition, evidence, outcome);
        rule.when.iter().all(|any| any.iter().any(holds)) && !rule.unless.iter().any(holds)
    }

    /// People of whom nothing is known but the origin.
    pub(crate) fn nothing_known(&self, origin: u8, reason: &str) -> Outcome {
        let attributes = 0..self.law.domain.attributes().len();
        let mut outcome = Outcome {
            values: attributes
                .clone()
                .map(|a| self.law.domain.unknown(a))
                .collect(),
            reasons: attributes.map(|_| Some(reason.to_owned())).collect(),
            is_final: true,
        };
        if let Some((at, _)) = self.law.domain.attribute(&self.law.classification.origin) {
            self.set(&mut outcome, at, Some(origin), None);
        }
        outcome
    }

    /// Whether a member of a group with this outcome meets the group's rule.
    pub(crate) fn meets(&self, rule: &GroupRule, evidence: u32, outcome: &Outcome) -> bool {
        rule.any
            .iter()
            .any(|condition| self.holds(condition, evidence, outcome))
    }

    /// The outcome of people who are in a group of which somebody, or nobody, meets the rule.
    pub(crate) fn in_group(&self, rule: &GroupRule, outcome: &Outcome, is_met: bool) -> Outcome {
        let value = if is_met { &rule.value } else { &rule.otherwise };
        let mut outcome = outcome.clone();
        if let Some((attribute, value)) = position(self.law.domain, &rule.attribute, value) {
            self.set(&mut outcome, attribute, Some(value), None);
        }
        outcome
    }

    fn set(
        &self,
        outcome: &mut Outcome,
        attribute: usize,
        value: Option<u8>,
        reason: Option<&str>,
    ) {
        let unknown = self.law.domain.unknown(attribute);
        let value = value.unwrap_or(unknown);
        if let Some(slot) = outcome.values.get_mut(attribute) {
            *slot = value;
        }
        if let Some(slot) = outcome.reasons.get_mut(attribute) {
            let stated = reason.unwrap_or("no reason stated").to_owned();
            *slot = (value == unknown).then_some(stated);
        }
    }

    fn holds(&self, condition: &Condition, evidence: u32, outcome: &Outcome) -> bool {
        match condition {
            Condition::Has(at) => {
                u32::try_from(*at).is_ok_and(|at| evidence.checked_shr(at).unwrap_or(0) & 1 == 1)
            }
            Condition::Is { attribute, value } => position(self.law.domain, attribute, value)
                .is_some_and(|(attribute, value)| outcome.values.get(attribute) == Some(&value)),
        }
    }

    /// The value of the origin attribute.
    pub(crate) fn origin(&self, origin: &str) -> u8 {
        let known = position(self.law.domain, &self.law.classification.origin, origin)
            .or_else(|| position(self.law.domain, &self.law.classification.origin, UNKNOWN));
        known.map_or(0, |(_, value)| value)
    }
}

fn position(domain: &Domain, attribute: &str, value: &str) -> Option<(usize, u8)> {
    let (at, _) = domain.attribute(attribute)?;
    Some((at, domain.value(at, value)?))
}
