//! The classification table of CLASSIFY.md, and the domain that goes with it.

use std::collections::{BTreeMap, BTreeSet};

use chancery_dataset::Law;
use chancery_model::{
    Attribute, Classification, Condition, Domain, Evidence, GroupRule, Input, InputFrom, Rule,
};

pub(crate) struct OwnedLaw {
    pub(crate) classification: Classification,
    pub(crate) domain: Domain,
    pub(crate) elements: BTreeSet<String>,
}

impl OwnedLaw {
    pub(crate) fn law(&self) -> Law<'_> {
        Law {
            classification: &self.classification,
            domain: &self.domain,
            elements: &self.elements,
        }
    }
}

pub(crate) fn shipped() -> OwnedLaw {
    OwnedLaw {
        classification: classification(),
        domain: domain(),
        elements: [
            "medicaid_id",
            "enrollment",
            "citizenship",
            "household",
            "name",
        ]
        .map(String::from)
        .into(),
    }
}

fn domain() -> Domain {
    let attribute = |name: &str, values: &[&str]| Attribute {
        name: name.into(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    Domain::new(vec![
        attribute(
            "citizenship",
            &["citizen", "national", "noncitizen", "unknown"],
        ),
        attribute("presence", &["lawful", "not_lawful", "unknown"]),
        attribute(
            "program",
            &["medicaid", "m_chip", "s_chip", "mixed", "unknown"],
        ),
        attribute("origin", &["06", "19", "30", "42", "48", "56", "unknown"]),
        attribute("funding", &["federal", "state_only", "unknown"]),
        attribute(
            "household",
            &["has_protected_member", "no_protected_member", "unknown"],
        ),
    ])
    .unwrap()
}

const EVIDENCE: [(&str, &[&str]); 14] = [
    ("C", &["citizenship_ind=1", "determination=citizen"]),
    ("N", &["citizenship_ind=2"]),
    ("A", &["citizenship_ind=0"]),
    ("Q", &["immigration_status=1"]),
    (
        "L",
        &["immigration_status=2", "determination=lawfully_present"],
    ),
    ("M", &["immigration_status=3"]),
    ("U", &["determination=not_lawfully_present"]),
    ("chip0", &["chip_code=0"]),
    ("chip1", &["chip_code=1"]),
    ("chip2", &["chip_code=2"]),
    ("chip3", &["chip_code=3"]),
    ("chip4", &["chip_code=4"]),
    ("federal", &["funding=federal"]),
    ("state_only", &["funding=state_only"]),
];

/// Attribute, value, every one of these lists must hold, none of these, reason.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const RULES: [Row; 18] = [
    (
        "citizenship",
        "unknown",
        "C N & A Q L M U",
        "",
        "contradiction",
    ),
    ("citizenship", "citizen", "C", "", ""),
    ("citizenship", "national", "N", "", ""),
    ("citizenship", "noncitizen", "A Q L M U", "", ""),
    ("citizenship", "unknown", "", "", "no evidence"),
    (
        "presence",
        "unknown",
        "citizenship=unknown & C N",
        "",
        "contradiction",
    ),
    (
        "presence",
        "unknown",
        "citizenship=unknown",
        "",
        "no evidence",
    ),
    (
        "presence",
        "unknown",
        "U & Q L",
        "",
        "conflicting determination",
    ),
    (
        "presence",
        "lawful",
        "citizenship=citizen citizenship=national Q L",
        "",
        "",
    ),
    ("presence", "not_lawful", "U", "", ""),
    ("presence", "unknown", "M", "", "emergency-only code"),
    (
        "presence",
        "unknown",
        "A",
        "",
        "non-citizen with no determination",
    ),
    ("program", "mixed", "chip4", "", ""),
    ("program", "medicaid", "chip1", "chip0 chip2 chip3", ""),
    ("program", "m_chip", "chip2", "chip0 chip1 chip3", ""),
    ("program", "s_chip", "chip3", "chip0 chip1 chip2", ""),
    ("program", "mixed", "chip1 chip2 chip3", "", ""),
    ("funding", "federal", "federal", "state_only", ""),
];

fn classification() -> Classification {
    let inputs = [
        ("citizenship_ind", "0 1 2"),
        ("immigration_status", "1 2 3 8"),
        ("chip_code", "0 1 2 3 4"),
        (
            "determination",
            "citizen lawfully_present not_lawfully_present",
        ),
        ("funding", "federal state_only"),
    ];
    let inputs: Vec<Input> = inputs
        .into_iter()
        .map(|(name, codes)| Input {
            name: name.into(),
            codes: codes.split(' ').map(String::from).collect(),
            from: match name {
                "funding" => InputFrom::Declaration,
                "determination" => InputFrom::Determinations,
                _ => InputFrom::Columns,
            },
        })
        .collect();
    let code = |text: &&str| {
        let (input, code) = text.split_once('=').unwrap();
        let at = inputs.iter().position(|known| known.name == input).unwrap();
        let code = inputs[at].codes.iter().position(|known| known == code);
        (at, code.unwrap())
    };
    let evidence = EVIDENCE
        .iter()
        .map(|(name, codes)| Evidence {
            name: (*name).into(),
            codes: codes.iter().map(code).collect(),
        })
        .collect();
    let mut rules: Vec<Rule> = RULES.iter().map(rule).collect();
    rules.push(rule(&(
        "funding",
        "state_only",
        "state_only",
        "federal",
        "",
    )));
    Classification {
        corrections: Vec::new(),
        digest: "sha256:test".into(),
        origin: "origin".into(),
        fold: BTreeMap::from(
            [("93", "56"), ("94", "30"), ("96", "19"), ("97", "42")]
                .map(|(from, to)| (from.into(), to.into())),
        ),
        evidence,
        rules,
        groups: vec![GroupRule {
            attribute: "household".into(),
            key: "case_num".into(),
            value: "has_protected_member".into(),
            otherwise: "no_protected_member".into(),
            any: vec![condition("presence=lawful"), condition("presence=unknown")],
        }],
        separability: vec!["citizenship".into(), "presence".into()],
        inputs,
    }
}

fn rule((attribute, value, when, unless, reason): &Row) -> Rule {
    let list = |text: &str| text.split_whitespace().map(condition).collect::<Vec<_>>();
    Rule {
        attribute: (*attribute).into(),
        value: (*value).into(),
        when: when
            .split('&')
            .map(list)
            .filter(|any| !any.is_empty())
            .collect(),
        unless: list(unless),
        reason: (!reason.is_empty()).then(|| (*reason).into()),
    }
}

fn condition(text: &str) -> Condition {
    match text.split_once('=') {
        Some((attribute, value)) => Condition::Is {
            attribute: attribute.into(),
            value: value.into(),
        },
        None => Condition::Has(EVIDENCE.iter().position(|(name, _)| *name == text).unwrap()),
    }
}
