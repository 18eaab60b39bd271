use std::collections::{BTreeMap, BTreeSet};

use chancery_dataset::{Column, Dataset, Progress, Table};
use chancery_law::{Confirmed, Effect, InForce, LawPack, Ruling};
use chancery_model::{
    Census, Class, Decision, ElementDecision, Grant, Group, Outcome, Predicate, Signature,
    TableCount,
};
use chancery_plan::{Cut, cuts};

use crate::{Error, Question};

/// What a question may have: decided, confirmed by the second evaluator, and counted.
#[derive(Clone, Debug)]
pub struct Answer {
    question: Question,
    confirmed: Confirmed,
    decision: Decision,
    cuts: Vec<Cut>,
    classes: BTreeMap<Group, usize>,
    idle: BTreeSet<String>,
}

impl Answer {
    /// The question.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The decision, counted.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The ruling that both evaluators agree on.
    pub fn confirmed(&self) -> &Confirmed {
        &self.confirmed
    }

    /// Holds every file that a release of this answer reads against its digest.
    pub(crate) fn verify_inputs(
        &self,
        dataset: &Dataset,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let tables: BTreeSet<&str> = self.cuts.iter().map(|cut| cut.table.as_str()).collect();
        let tables: Vec<&str> = tables.into_iter().collect();
        Ok(dataset.verify_digests(&tables, progress)?)
    }

    /// The permits that would let something go that was asked for, about someone in the dataset, and
    /// do not count or not for everyone; [`InForce::why_not`] says why.
    pub fn idle(&self) -> &BTreeSet<String> {
        &self.idle
    }

    /// Which of the decision's classes a group is in.
    pub(crate) fn class(&self, group: &Group) -> Option<usize> {
        self.classes.get(group).copied()
    }

    /// What leaves, table by table and origin by origin.
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
    }
}

/// Decides, confirms and counts: the dry run, which a release goes through word for word.
///
/// # Errors
///
/// When the law cannot be turned into predicates, or the two evaluators disagree.
pub fn decide(question: Question, law: &InForce<'_>, dataset: &Dataset) -> Result<Answer, Error> {
    let ruling = law.decide(&question.query)?;
    let confirmed = law.confirm(ruling, &dataset.census.signatures())?;
    Ok(answer(question, confirmed, law.pack(), dataset))
}

/// Counts a confirmed ruling over the people of a dataset.
pub fn answer(
    question: Question,
    confirmed: Confirmed,
    law: &LawPack,
    dataset: &Dataset,
) -> Answer {
    let ruling = confirmed.ruling();
    let existence = law.vocabulary().existence();
    let lawful = |name: &str| {
        ruling
            .element(name)
            .map_or(Predicate::Never, |element| element.released_when.clone())
    };
    let grant = Grant {
        elements: question
            .elements
            .iter()
            .map(|name| (name.clone(), lawful(name)))
            .collect(),
        existence: lawful(existence),
    };
    let cuts = cuts(
        &dataset.catalogue,
        &dataset.census,
        law.domain(),
        &law.classification().origin,
        &grant,
        &question.tables,
    );
    let tally = Tally::new(&question, ruling, &grant, law, dataset);
    let decision = tally.decision(&cuts);
    let classes = tally.numbered(&decision.classes);
    let idle = idle(&question, ruling, &dataset.census);
    Answer {
        question,
        confirmed,
        decision,
        cuts,
        classes,
        idle,
    }
}

fn idle(question: &Question, ruling: &Ruling, census: &Census) -> BTreeSet<String> {
    let signatures = census.signatures();
    let elements = question.elements.iter();
    let hits = elements
        .filter_map(|name| ruling.element(name))
        .flat_map(|element| &element.idle);
    let hits = hits.filter(|hit| signatures.iter().any(|s| hit.when.holds(s)));
    hits.map(|hit| hit.provision.clone()).collect()
}

/// A table asked for, with whose rows leave.
struct TableTally<'a> {
    at: usize,
    table: &'a Table,
    rows: Predicate,
}

struct Tally<'a> {
    question: &'a Question,
    ruling: &'a Ruling,
    grant: &'a Grant,
    census: &'a Census,
    tables: Vec<TableTally<'a>>,
}

impl<'a> Tally<'a> {
    fn new(
        question: &'a Question,
        ruling: &'a Ruling,
        grant: &'a Grant,
        law: &LawPack,
        dataset: &'a Dataset,
    ) -> Self {
        let tables = dataset.catalogue.tables.iter().enumerate();
        let tables = tables.filter(|(_, table)| question.tables.contains(&table.name));
        let tables = tables.map(|(at, table)| TableTally {
            at,
            table,
            rows: grant.rows(table.columns.iter().map(Column::facts), law.domain()),
        });
        Self {
            question,
            ruling,
            grant,
            census: &dataset.census,
            tables: tables.collect(),
        }
    }

    fn decision(&self, cuts: &[Cut]) -> Decision {
        let classes = self.classes();
        let total = self.census.total();
        let withheld: u64 = classes
            .iter()
            .filter(|c| c.elements.is_empty())
            .map(|c| c.subjects)
            .sum();
        Decision {
            request: self.question.request.clone(),
            on: self.ruling.on,
            law: self.ruling.law.clone(),
            outcome: self.outcome(cuts),
            total,
            released: total - withheld,
            elements: self
                .question
                .elements
                .iter()
                .map(|name| self.element(name))
                .collect(),
            classes,
            tables: self.tables.iter().map(|tally| self.table(tally)).collect(),
            interpretations: self.ruling.interpretations.clone(),
            obligations: self.ruling.obligations.clone(),
        }
    }

    fn outcome(&self, cuts: &[Cut]) -> Outcome {
        if cuts.is_empty() {
            return Outcome::Denied;
        }
        let signatures = self.census.signatures();
        let everything = self.grant.elements.values().chain([&self.grant.existence]);
        let mut everything = everything.flat_map(|when| signatures.iter().map(|s| when.holds(s)));
        if everything.all(|lawful| lawful) {
            Outcome::Full
        } else {
            Outcome::Partial
        }
    }

    /// The tables in which a row about this group leaves.
    fn leaving(&self, group: &Group) -> impl Iterator<Item = &TableTally<'a>> {
        self.tables
            .iter()
            .filter(|tally| group.presence.contains(tally.at) && tally.rows.holds(&group.signature))
    }

    fn element(&self, name: &str) -> ElementDecision {
        let ruling = self.ruling.element(name);
        let columns = self.tables.iter().flat_map(|tally| {
            let held = tally
                .table
                .columns
                .iter()
                .filter(|c| c.element.as_deref() == Some(name));
            held.map(|column| format!("{}.{}", tally.table.name, column.name))
        });
        let released_when = self
            .grant
            .elements
            .get(name)
            .cloned()
            .unwrap_or(Predicate::Never);
        let holds = |tally: &TableTally<'_>| {
            tally
                .table
                .columns
                .iter()
                .any(|c| c.element.as_deref() == Some(name))
        };
        let groups = self.census.groups.iter().filter(|(group, _)| {
            released_when.holds(&group.signature) && self.leaving(group).any(holds)
        });
        let subjects = groups.map(|(_, count)| count.subjects).sum();
        let signatures = self.census.signatures();
        let cited = |effect: Effect| {
            let hits = ruling.map_or(&[][..], |ruling| &ruling.hits).iter();
            let hits = hits.filter(|hit| hit.effect == effect);
            let hits = hits.filter(|hit| signatures.iter().any(|s| hit.when.holds(s)));
            hits.map(|hit| hit.provision.clone()).collect()
        };
        ElementDecision {
            element: name.to_owned(),
            columns: columns.collect(),
            subjects,
            permitted_by: cited(Effect::Permit),
            barred_by: cited(Effect::Forbid),
            released_when,
        }
    }

    fn classes(&self) -> Vec<Class> {
        #[derive(Default)]
        struct Members<'b> {
            subjects: u64,
            signatures: BTreeSet<&'b Signature>,
        }
        let mut classes: BTreeMap<Vec<String>, Members<'_>> = BTreeMap::new();
        for (group, count) in &self.census.groups {
            let members = classes.entry(self.class(group)).or_default();
            members.subjects += count.subjects;
            members.signatures.insert(&group.signature);
        }
        let mut classes: Vec<Class> = classes
            .into_iter()
            .map(|(elements, members)| Class {
                subjects: members.subjects,
                permitted_by: self.cited(Effect::Permit, &members.signatures, &|element| {
                    elements.iter().any(|released| released == element)
                }),
                barred_by: self.cited(Effect::Forbid, &members.signatures, &|element| {
                    !elements.iter().any(|released| released == element)
                }),
                elements,
            })
            .collect();
        classes.sort_by_key(|class| std::cmp::Reverse((class.elements.len(), class.subjects)));
        classes
    }

    /// The number of the class that each group is in.
    fn numbered(&self, classes: &[Class]) -> BTreeMap<Group, usize> {
        let groups = self.census.groups.keys();
        let numbered = groups.filter_map(|group| {
            let elements = self.class(group);
            let number = classes
                .iter()
                .position(|class| class.elements == elements)?;
            Some((group.clone(), number))
        });
        numbered.collect()
    }

    /// The elements that leave about a group, in the order asked; nothing if no row leaves.
    fn class(&self, group: &Group) -> Vec<String> {
        if self.leaving(group).next().is_none() {
            return Vec::new();
        }
        let lawful: BTreeSet<&str> = self.grant.lawful(&group.signature).into_iter().collect();
        let held = |name: &&String| {
            lawful.contains(name.as_str())
                && self.tables.iter().any(|tally| {
                    tally.rows.holds(&group.signature)
                        && tally
                            .table
                            .columns
                            .iter()
                            .any(|c| c.element.as_ref() == Some(name))
                })
        };
        self.question
            .elements
            .iter()
            .filter(held)
            .cloned()
            .collect()
    }

    fn cited(
        &self,
        effect: Effect,
        signatures: &BTreeSet<&Signature>,
        of: &dyn Fn(&str) -> bool,
    ) -> Vec<String> {
        let elements = self.question.elements.iter().filter(|name| of(name));
        let hits = elements
            .filter_map(|name| self.ruling.element(name))
            .flat_map(|ruling| &ruling.hits)
            .filter(|hit| hit.effect == effect)
            .filter(|hit| signatures.iter().any(|s| hit.when.holds(s)));
        hits.map(|hit| hit.provision.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    fn table(&self, tally: &TableTally<'_>) -> TableCount {
        TableCount {
            table: tally.table.name.clone(),
            rows: self.census.rows(tally.at),
            released_rows: self.census.rows_where(tally.at, &tally.rows),
        }
    }
}
