use chancery_dataset::Dataset;
use chancery_law::{Hindsight, LawPack, Retrospect};
use chancery_model::Predicate;
use jiff::civil::Date;

use crate::Answer;

/// What is known since a decision was taken by what had been recorded by an earlier day.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The day by which it was recorded.
    pub as_known: Date,
    /// The elements asked for, of which something else is known since.
    pub elements: Vec<AuditedElement>,
}

/// One element with whom something else is known of since.
#[derive(Clone, Debug)]
pub struct AuditedElement {
    /// The element.
    pub element: String,
    /// Lawful by what was known then, and unlawful by what is known now.
    pub known_only_later: AuditedPeople,
    /// Unlawful by what was known then, and lawful by what is known now.
    pub lawful_only_later: AuditedPeople,
}

/// People, and how many of them have rows with the element in the tables asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedPeople {
    /// Who.
    pub when: Predicate,
    /// How many.
    pub subjects: u64,
}

/// Holds an answer by what was known then against one to the same question by what is known now.
pub fn audit(
    as_known: Date,
    then: &Answer,
    now: &Answer,
    law: &LawPack,
    dataset: &Dataset,
) -> Audit {
    let retrospect = Retrospect::of(then.confirmed().ruling(), now.confirmed().ruling());
    let question = then.question();
    let people = |element: &str, what: Hindsight| {
        let when = retrospect.people(element, what, law.domain());
        let tables = dataset.catalogue.tables.iter().enumerate();
        let holding: Vec<usize> = tables
            .filter(|(_, table)| question.tables.contains(&table.name))
            .filter(|(_, table)| {
                let mut columns = table.columns.iter();
                columns.any(|column| column.element.as_deref() == Some(element))
            })
            .map(|(at, _)| at)
            .collect();
        let groups = dataset.census.groups.iter().filter(|(group, _)| {
            when.holds(&group.signature) && holding.iter().any(|at| group.presence.contains(*at))
        });
        let subjects = groups.map(|(_, count)| count.subjects).sum();
        AuditedPeople { when, subjects }
    };
    let elements = question.elements.iter().map(|element| AuditedElement {
        element: element.clone(),
        known_only_later: people(element, Hindsight::KnownOnlyLater),
        lawful_only_later: people(element, Hindsight::LawfulOnlyLater),
    });
    let changed = |element: &AuditedElement| {
        element.known_only_later.when != Predicate::Never
            || element.lawful_only_later.when != Predicate::Never
    };
    Audit {
        as_known,
        elements: elements.filter(changed).collect(),
    }
}
