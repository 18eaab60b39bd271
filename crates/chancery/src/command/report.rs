//! A decision in the shape of `decide --format json`.

use std::collections::BTreeMap;

use chancery_law::{InForce, LawPack};
use chancery_model::{LayerUsed, Outcome, Request};
use chancery_release::{Answer, Audit};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Report<'a> {
    request: &'a Request,
    on: jiff::civil::Date,
    law: Law<'a>,
    outcome: Outcome,
    subjects: Subjects,
    elements: Vec<Element<'a>>,
    classes: Vec<Class<'a>>,
    tables: Vec<Table<'a>>,
    interpretations: &'a [chancery_model::Interpretation],
    obligations: &'a [chancery_model::Obligation],
    /// Clause and reason of each provision cited above.
    provisions: BTreeMap<&'a str, Provision<'a>>,
    /// Instruments that were edited since they were signed off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edited: Vec<&'a str>,
    /// Permits that would let something go and do not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_counting: Vec<Idle<'a>>,
    /// What is known since, if it was decided by what was known on an earlier day.
    #[serde(skip_serializing_if = "Option::is_none")]
    hindsight: Option<Hindsight<'a>>,
}

#[derive(Serialize)]
struct Idle<'a> {
    provision: &'a str,
    /// `unsigned`, `singly_signed`, `tampered`, `revoked`, `expired`, `suspended`, `base`, `edited` or
    /// `ended`.
    state: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Hindsight<'a> {
    as_known: jiff::civil::Date,
    elements: Vec<HindsightElement<'a>>,
}

#[derive(Serialize)]
struct HindsightElement<'a> {
    element: &'a str,
    known_only_later: People,
    lawful_only_later: People,
}

#[derive(Serialize)]
struct People {
    when: String,
    subjects: u64,
}

#[derive(Serialize)]
struct Law<'a> {
    pack: &'a str,
    digest: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    layers: &'a [LayerUsed],
    in_force: &'a [String],
}

#[derive(Serialize)]
struct Subjects {
    total: u64,
    released: u64,
    withheld: u64,
}

#[derive(Serialize)]
struct Element<'a> {
    element: &'a str,
    columns: &'a [String],
    released_when: String,
    subjects: u64,
    permitted_by: &'a [String],
    barred_by: &'a [String],
}

#[derive(Serialize)]
struct Class<'a> {
    subjects: u64,
    elements: &'a [String],
    permitted_by: &'a [String],
    barred_by: &'a [String],
}

#[derive(Serialize)]
struct Table<'a> {
    table: &'a str,
    rows: u64,
    released_rows: u64,
}

#[derive(Serialize)]
struct Provision<'a> {
    clause: &'a str,
    reason: &'a str,
}

impl<'a> Report<'a> {
    pub(crate) fn new(answer: &'a Answer, in_force: &'a InForce<'_>) -> Self {
        let (decision, law) = (answer.decision(), in_force.pack());
        let idle = answer.idle().iter().map(|cite| {
            let why = in_force.why_not(cite);
            let short = in_force
                .provision(cite)
                .map_or(cite.as_str(), |(i, _)| &i.short);
            Idle {
                provision: cite,
                state: why.as_str(),
                message: why.says(short),
            }
        });
        let cited = decision
            .classes
            .iter()
            .flat_map(|c| c.permitted_by.iter().chain(&c.barred_by));
        let cited = cited.filter_map(|id| Some((id.as_str(), in_force.provision(id)?.1)));
        let provisions = cited.map(|(id, provision)| {
            (
                id,
                Provision {
                    clause: &provision.clause,
                    reason: &provision.reason,
                },
            )
        });
        Self {
            request: &decision.request,
            on: decision.on,
            law: Law {
                pack: &decision.law.pack,
                digest: decision.law.digest.to_string(),
                layers: &decision.law.layers,
                in_force: &decision.law.in_force,
            },
            outcome: decision.outcome,
            subjects: Subjects {
                total: decision.total,
                released: decision.released,
                withheld: decision.withheld(),
            },
            elements: decision
                .elements
                .iter()
                .map(|element| self::element(element, law))
                .collect(),
            classes: decision.classes.iter().map(class).collect(),
            tables: decision.tables.iter().map(table).collect(),
            interpretations: &decision.interpretations,
            obligations: &decision.obligations,
            provisions: provisions.collect(),
            edited: in_force.edited().collect(),
            not_counting: idle.collect(),
            hindsight: None,
        }
    }

    /// The same with what is known since.
    pub(crate) fn with_audit(self, audit: &'a Audit, law: &LawPack) -> Self {
        let people = |people: &chancery_release::AuditedPeople| People {
            when: people.when.display(law.domain()).to_string(),
            subjects: people.subjects,
        };
        let elements = audit.elements.iter().map(|element| HindsightElement {
            element: &element.element,
            known_only_later: people(&element.known_only_later),
            lawful_only_later: people(&element.lawful_only_later),
        });
        Self {
            hindsight: Some(Hindsight {
                as_known: audit.as_known,
                elements: elements.collect(),
            }),
            ..self
        }
    }
}

fn element<'a>(element: &'a chancery_model::ElementDecision, law: &LawPack) -> Element<'a> {
    Element {
        element: &element.element,
        columns: &element.columns,
        released_when: element
            .released_when
            .describe(&law.classification().origin, law.domain()),
        subjects: element.subjects,
        permitted_by: &element.permitted_by,
        barred_by: &element.barred_by,
    }
}

fn class(class: &chancery_model::Class) -> Class<'_> {
    Class {
        subjects: class.subjects,
        elements: &class.elements,
        permitted_by: &class.permitted_by,
        barred_by: &class.barred_by,
    }
}

fn table(table: &chancery_model::TableCount) -> Table<'_> {
    Table {
        table: &table.table,
        rows: table.rows,
        released_rows: table.released_rows,
    }
}
