//! Agreements held against the law: what they lack, where they contradict themselves, what they
//! purport to allow that an order or a statute bars, and what they need that nothing permits.
//!
//! The document's own terms ([`Agreement`](crate::Agreement)) are compared with the pack's
//! provisions, counted as if all of them were signed off: the question is what the law says, not who
//! has read it. Which records, elements, purposes and days collide is enumerated, never sampled.

mod deadline;

mod lint;

mod overlap;

mod rule;

mod terms;

pub use deadline::{Deadline, DeadlineKind};
pub use overlap::{Barred, Basis, Beyond, Case, Citation, Example, Who};
pub use rule::Rule;
pub use terms::{Participants, StatedPeople, Terms};

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::{Error, Instrument, LawPack, State as SignOffState};

/// What to review.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The day on which it is reviewed.
    pub on: Date,
    /// The instruments to review; every one with terms if none is named.
    pub only: Vec<String>,
    /// Who relies on which instrument, beyond what the pack says.
    pub reliances: Vec<Reliance>,
    /// Deadlines that are known from elsewhere.
    pub deadlines: Vec<Deadline>,
    /// How far each instrument is signed off, where sign-offs are kept.
    pub sign_offs: BTreeMap<String, SignOffState>,
}

impl Asked {
    /// Everything, on a day.
    pub fn on(on: Date) -> Self {
        Self {
            on,
            only: Vec::new(),
            reliances: Vec::new(),
            deadlines: Vec::new(),
            sign_offs: BTreeMap::new(),
        }
    }
}

/// Someone relies on an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reliance {
    /// Who or what.
    pub by: String,
    /// The instrument.
    pub instrument: String,
}

/// The review of a law pack's agreements on a day.
#[derive(Clone, Debug, Serialize)]
pub struct Review {
    /// The law pack.
    pub pack: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The digest over its files.
    pub digest: String,
    /// The day.
    pub on: Date,
    /// Only what had been recorded by this day counts; everything if it is absent.
    pub as_known: Option<Date>,
    /// Permits count as if they were signed off.
    pub as_if_signed: bool,
    /// Agreements first, then notices, then routine flows.
    pub agreements: Vec<Reviewed>,
    /// What is due, by day.
    pub deadlines: Vec<Deadline>,
}

impl Review {
    /// Every finding.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> + Clone {
        self.agreements
            .iter()
            .flat_map(|reviewed| &reviewed.findings)
    }
}

/// The review of one instrument.
#[derive(Clone, Debug, Serialize)]
pub struct Reviewed {
    /// The instrument's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How it is cited in a line.
    pub short: String,
    /// Agreement, notice or routine.
    pub kind: String,
    /// Its full citation.
    pub citation: String,
    /// How far its encoding has been reviewed.
    pub review: String,
    /// Whether the pack lets it count on the day.
    pub in_force: bool,
    /// How far it is signed off, where sign-offs are kept. The review does not turn on it.
    pub sign_off: Option<SignOffState>,
    /// Where the day stands to the document's own dates.
    pub state: State,
    /// What the document says of itself; none if nobody has entered it.
    pub terms: Option<Terms>,
    /// Every rule with what came of it.
    pub checks: Vec<Check>,
    /// What is wrong, gravest first.
    pub findings: Vec<Finding>,
    /// What it purports to allow and the law bars.
    pub overlaps: Vec<Barred>,
    /// What it needs and nothing permits.
    pub unpermitted: Vec<Case>,
    /// What its own permits let go and it does not name.
    pub beyond: Vec<Beyond>,
}

/// Where a day stands to a document's own dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Before its first day.
    NotYet,
    /// Within its dates.
    Current,
    /// After its last day.
    Lapsed,
    /// It names no last day, or no day at all.
    Open,
}

/// What came of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is kept.
    Met,
    /// It is not.
    NotMet,
    /// It does not apply.
    NotApplicable,
}

/// A rule with what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// What came of it.
    pub outcome: Outcome,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The law bars it, or the document has no force: nothing may be given on it.
    High,
    /// It must be settled before the document is relied upon.
    Moderate,
    /// To be looked at.
    Low,
}

impl Severity {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Moderate => "moderate",
            Self::Low => "low",
        }
    }
}

/// Something that is wrong with an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `<instrument>#<rule>`, with what it is about behind it where a rule has several findings.
    pub id: String,
    /// The rule.
    pub rule: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// The clause that asks for it.
    pub clause: String,
    /// What is wrong, in a line.
    pub title: String,
    /// More of it.
    pub explanation: String,
    /// What would cure it.
    pub cure: String,
    /// What is not stated, where that is what is wrong.
    pub not_stated: Option<String>,
    /// Where the terms were entered, within the law pack.
    pub place: Option<String>,
}

impl LawPack {
    /// Holds agreements, notices and routine flows against the law.
    ///
    /// # Errors
    ///
    /// Those of enumerating the pack's answers; an instrument of [`Asked::only`] that the pack does
    /// not have, or that is none of the three, is passed over.
    pub fn review(&self, asked: &Asked) -> Result<Review, Error> {
        let on = asked.on;
        let mut instruments: Vec<&Instrument> = self
            .instruments()
            .iter()
            .filter(|instrument| is_reviewed(instrument))
            .filter(|instrument| asked.only.is_empty() || asked.only.contains(&instrument.id))
            .collect();
        instruments.sort_by_key(|instrument| (place(&instrument.kind), instrument.id.as_str()));
        let collisions = overlap::find(self, &instruments)?;
        let mut deadlines = asked.deadlines.clone();
        let mut agreements = Vec::new();
        for (instrument, mut collisions) in instruments.into_iter().zip(collisions) {
            for barred in &mut collisions.barred {
                barred.finding = lint::finding_of(instrument, barred);
            }
            deadlines.extend(deadline::of(instrument));
            let linted = lint::check(&lint::Case {
                pack: self,
                instrument,
                asked,
                overlaps: &collisions.barred,
                unpermitted: &collisions.unpermitted,
                beyond: &collisions.beyond,
            });
            agreements.push(Reviewed {
                id: instrument.id.clone(),
                title: instrument.title.clone(),
                short: instrument.short.clone(),
                kind: instrument.kind.clone(),
                citation: instrument.citation.clone(),
                review: instrument.review.status.clone(),
                in_force: instrument.in_force(on),
                sign_off: asked.sign_offs.get(&instrument.id).copied(),
                state: state(instrument, on),
                terms: terms::of(self, instrument),
                checks: linted.checks,
                findings: linted.findings,
                overlaps: collisions.barred,
                unpermitted: collisions.unpermitted,
                beyond: collisions.beyond,
            });
        }
        deadlines.sort();
        Ok(Review {
            pack: self.name.clone(),
            title: self.title.clone(),
            version: self.version.clone(),
            digest: self.digest.to_string(),
            on,
            as_known: self.known_by(),
            as_if_signed: true,
            agreements,
            deadlines,
        })
    }
}

/// Whether an instrument is of a kind that is reviewed.
pub fn is_reviewed(instrument: &Instrument) -> bool {
    matches!(instrument.kind.as_str(), "agreement" | "notice" | "routine")
}

fn place(kind: &str) -> usize {
    match kind {
        "agreement" => 0,
        "notice" => 1,
        _ => 2,
    }
}

fn state(instrument: &Instrument, on: Date) -> State {
    let term = instrument.agreement.as_ref();
    let Some(term) = term.and_then(|agreement| agreement.term.as_ref()) else {
        return State::Open;
    };
    match (term.from, term.last()) {
        (Some(from), _) if on < from => State::NotYet,
        (_, Some(last)) if last < on => State::Lapsed,
        (_, Some(_)) => State::Current,
        (_, None) => State::Open,
    }
}

/// `12 January 2026`.
fn day(date: Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}

/// `a`, `a and b`, `a, b and c`.
fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = words.into_iter().collect();
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last.to_owned(),
        Some(last) => format!("{} and {last}", words.join(", ")),
    }
}
