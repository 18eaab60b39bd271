use std::collections::BTreeSet;

use chancery_model::{Fault, Interpretation, Obligation};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use crate::{Agreement, Assertion, PackSource, Provision};

/// What happened to an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// Made or published; not yet in force.
    Issued,
    /// The first day in force.
    Effective,
    /// The first day of a stay: not in force.
    Stayed,
    /// The first day after a stay.
    StayLifted,
    /// Changed in place; in force as before.
    Modified,
    /// Its end put off; in force as before.
    Extended,
    /// The first day on which another instrument takes its place.
    Superseded,
    /// The first day on which it no longer binds.
    Vacated,
    /// The last day in force.
    Expired,
}

impl EventKind {
    /// Its word in instrument.toml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Effective => "effective",
            Self::Stayed => "stayed",
            Self::StayLifted => "stay-lifted",
            Self::Modified => "modified",
            Self::Extended => "extended",
            Self::Superseded => "superseded",
            Self::Vacated => "vacated",
            Self::Expired => "expired",
        }
    }
}

/// One event of an instrument's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The day.
    pub on: Date,
    /// What happened.
    pub kind: EventKind,
    /// The day on which the pack's keepers had recorded it, if that is another day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Date>,
    /// More about it.
    pub note: Option<String>,
}

/// An origin that an instrument speaks of, such as a party of a lawsuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The origin.
    pub origin: String,
    /// Its name.
    pub name: String,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Option<Date>,
    /// Whether sources disagree: counts where data is held back, never where it is let go.
    #[serde(default)]
    pub doubtful: bool,
    /// The day on which the pack's keepers had recorded it, if that is not its first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Date>,
    /// More about it.
    pub note: Option<String>,
}

impl Event {
    /// The day from which it is known: when it was recorded, or else its own day.
    pub fn known_from(&self) -> Date {
        self.recorded.unwrap_or(self.on)
    }
}

impl Party {
    /// The day from which it is known: when it was recorded, or else its first day.
    pub fn known_from(&self) -> Date {
        self.recorded.unwrap_or(self.from)
    }
}

/// How far an instrument's encoding has been reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Review {
    /// The status, for example `unverified sample`.
    pub status: String,
}

/// An obligation with the disclosures it attaches to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawObligation {
    name: String,
    clause: String,
    text: String,
    custodian: Option<String>,
    recipient: Option<String>,
    purpose: Option<String>,
    #[serde(default)]
    except_purposes: Vec<String>,
    accounting: Option<Accounting>,
}

/// That an obligation is one to account to the person for a disclosure (`45 CFR 164.528`,
/// `5 USC 552a(c)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounting {
    /// For how many years a disclosure is accounted for.
    pub years: u16,
    /// In how many days an accounting is due, if the obligation says.
    pub due_days: Option<u16>,
    /// By how many days that may be put off, once.
    pub extension_days: Option<u16>,
}

/// A duty to account, with what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountingDuty {
    /// The obligation's id, as manifests cite it.
    pub id: String,
    /// The clause.
    pub clause: String,
    /// For how long, and by when.
    pub accounting: Accounting,
}

/// A statute, regulation, order, agreement or notice, as code.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// Its id, for example `us/usc/8/1360-b`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How it is cited in a line.
    pub short: String,
    /// Statute, regulation, order, agreement, notice, rule or routine.
    pub kind: String,
    /// Its full citation.
    pub citation: String,
    /// Where it binds.
    pub jurisdiction: String,
    /// How far its encoding has been reviewed.
    pub review: Review,
    /// The day on which its facts had been recorded, but for those that name a day of their own.
    pub recorded: Option<Date>,
    /// Where the facts were read.
    pub source: SourceRead,
    /// Its timeline, in order.
    pub events: Vec<Event>,
    /// The origins it speaks of.
    pub parties: Vec<Party>,
    /// The readings taken, with their alternatives.
    pub interpretations: Vec<Reading>,
    obligations: Vec<RawObligation>,
    /// Its clauses as policies.
    pub provisions: Vec<Provision>,
    /// What must never or always leave, restated apart from the provisions.
    pub assertions: Vec<Assertion>,
    /// The pack or overlay that it is of.
    pub layer: String,
    /// What the document says of itself, for an agreement, a notice or a routine flow.
    pub agreement: Option<Agreement>,
    pub(crate) folder: String,
}

/// The facts an instrument was encoded from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRead {
    /// Where it was read.
    pub name: String,
    /// `S` read in a public source, `B` background, unverified.
    pub label: String,
    /// A link.
    pub url: Option<String>,
    /// The facts.
    pub text: String,
    /// The digest of `text`.
    pub digest: String,
}

/// A question that a lawyer could answer in more than one way, and the answer taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Its name within the instrument.
    pub name: String,
    /// The question.
    pub question: String,
    /// The reading taken.
    pub reading: String,
    /// The others.
    pub alternatives: Vec<String>,
    /// What the choice does to a release.
    pub effect: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: Spanned<String>,
    title: String,
    short: String,
    kind: Spanned<String>,
    citation: String,
    jurisdiction: String,
    review: String,
    recorded: Option<Spanned<Date>>,
    source: SourceRead,
    #[serde(default)]
    event: Vec<RawEvent>,
    #[serde(default)]
    party: Vec<Spanned<Party>>,
    #[serde(default)]
    interpretation: Vec<Reading>,
    #[serde(default)]
    obligation: Vec<RawObligation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    on: Spanned<Date>,
    kind: EventKind,
    recorded: Option<Spanned<Date>>,
    note: Option<String>,
}

const KINDS: [&str; 7] = [
    "statute",
    "regulation",
    "order",
    "agreement",
    "notice",
    "rule",
    "routine",
];

impl Instrument {
    /// Reads `instruments/<folder>/instrument.toml`; its provisions come later.
    pub(crate) fn load(
        source: &PackSource,
        folder: &str,
        origins: &BTreeSet<String>,
    ) -> Result<Self, Vec<Fault>> {
        let path = format!("instruments/{folder}/instrument.toml");
        let raw: Raw = source.toml(&path).map_err(|fault| vec![fault])?;
        let faults = check(source, &path, &raw, origins);
        if !faults.is_empty() {
            return Err(faults);
        }
        let recorded = raw.recorded.map(Spanned::into_inner);
        let event = |raw: RawEvent| Event {
            on: raw.on.into_inner(),
            kind: raw.kind,
            recorded: raw.recorded.map(Spanned::into_inner).or(recorded),
            note: raw.note,
        };
        let party = |raw: Spanned<Party>| {
            let party = raw.into_inner();
            Party {
                recorded: party.recorded.or(recorded),
                ..party
            }
        };
        Ok(Self {
            id: raw.id.into_inner(),
            title: raw.title,
            short: raw.short,
            kind: raw.kind.into_inner(),
            citation: raw.citation,
            jurisdiction: raw.jurisdiction,
            review: Review { status: raw.review },
            recorded,
            source: raw.source,
            events: raw.event.into_iter().map(event).collect(),
            parties: raw.party.into_iter().map(party).collect(),
            interpretations: raw.interpretation,
            obligations: raw.obligation,
            provisions: Vec::new(),
            assertions: Vec::new(),
            layer: String::new(),
            agreement: None,
            folder: folder.to_owned(),
        })
    }

    /// A fault if it has provisions that no day could bring into force.
    pub(crate) fn never_in_force(&self, source: &PackSource) -> Option<Fault> {
        let effective = self
            .events
            .iter()
            .any(|event| event.kind == EventKind::Effective);
        (!self.provisions.is_empty() && !effective).then(|| {
            let path = format!("instruments/{}/instrument.toml", self.folder);
            Fault::new(
                chancery_model::Place::file(source.name(&path)),
                "has provisions, but is never in force",
            )
            .field("event")
            .hint("an event of the kind `effective` gives its first day in force")
        })
    }

    /// Everything that it says besides its provisions, to tell whether it was edited.
    pub(crate) fn facts(&self) -> String {
        let without = Self {
            provisions: Vec::new(),
            folder: String::new(),
            layer: String::new(),
            ..self.clone()
        };
        format!("{without:?}")
    }

    /// Forgets the events and parties that were recorded after a day.
    pub(crate) fn forget_after(&mut self, known: Date) {
        self.events.retain(|event| event.known_from() <= known);
        self.parties.retain(|party| party.known_from() <= known);
    }

    /// Whether it is in force on a day.
    pub fn in_force(&self, on: Date) -> bool {
        let mut in_force = false;
        for event in self.events.iter().filter(|event| event.on <= on) {
            in_force = match event.kind {
                EventKind::Issued | EventKind::Modified | EventKind::Extended => in_force,
                EventKind::Effective | EventKind::StayLifted => true,
                EventKind::Stayed | EventKind::Superseded | EventKind::Vacated => false,
                EventKind::Expired => in_force && event.on == on,
            };
        }
        in_force
    }

    /// The last day of its term, if that is over on a day.
    pub fn ended(&self, on: Date) -> Option<Date> {
        let last = self.events.iter().rfind(|event| event.on <= on)?;
        let ended = last.kind == EventKind::Expired && !self.in_force(on);
        ended.then_some(last.on)
    }

    /// The origins that are parties on a day, without the doubtful ones.
    pub fn parties_on(&self, on: Date) -> BTreeSet<&str> {
        self.on(on)
            .filter(|party| !party.doubtful)
            .map(|party| party.origin.as_str())
            .collect()
    }

    /// The origins that are parties on a day, with the doubtful ones.
    pub fn covered_on(&self, on: Date) -> BTreeSet<&str> {
        self.on(on).map(|party| party.origin.as_str()).collect()
    }

    fn on(&self, on: Date) -> impl Iterator<Item = &Party> {
        self.parties
            .iter()
            .filter(move |party| party.from <= on && party.until.is_none_or(|until| on <= until))
    }

    /// The reading called `name`, as it is cited.
    pub fn interpretation(&self, name: &str) -> Option<Interpretation> {
        let reading = self
            .interpretations
            .iter()
            .find(|reading| reading.name == name)?;
        Some(Interpretation {
            id: format!("{}#{}", self.id, reading.name),
            question: reading.question.clone(),
            reading: reading.reading.clone(),
        })
    }

    /// Its obligations to account to the person.
    pub fn accounting(&self) -> impl Iterator<Item = AccountingDuty> + '_ {
        let obligations = self.obligations.iter();
        obligations.filter_map(|raw| {
            Some(AccountingDuty {
                id: format!("{}#{}", self.id, raw.name),
                clause: raw.clause.clone(),
                accounting: raw.accounting?,
            })
        })
    }

    /// The obligations that attach to a disclosure; `within` says whether a path is within another.
    pub(crate) fn obligations<'a>(
        &'a self,
        custodian: &'a dyn Fn(&str) -> bool,
        recipient: &'a dyn Fn(&str) -> bool,
        purpose: &'a dyn Fn(&str) -> bool,
    ) -> impl Iterator<Item = Obligation> + 'a {
        let attaches = move |raw: &&RawObligation| {
            raw.custodian.as_deref().is_none_or(custodian)
                && raw.recipient.as_deref().is_none_or(recipient)
                && raw.purpose.as_deref().is_none_or(purpose)
                && !raw.except_purposes.iter().any(|except| purpose(except))
        };
        self.obligations
            .iter()
            .filter(attaches)
            .map(|raw| Obligation {
                id: format!("{}#{}", self.id, raw.name),
                clause: raw.clause.clone(),
                text: raw.text.clone(),
            })
    }
}

fn check(source: &PackSource, path: &str, raw: &Raw, origins: &BTreeSet<String>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !KINDS.contains(&raw.kind.get_ref().as_str()) {
        faults.push(
            Fault::new(
                source.span(path, raw.kind.span()),
                "is not a kind of instrument",
            )
            .field("kind")
            .hint(format!("one of {}", KINDS.join(", "))),
        );
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/-.".contains(c);
    if raw.id.get_ref().is_empty() || !raw.id.get_ref().chars().all(plain) {
        faults.push(
            Fault::new(source.span(path, raw.id.span()), "is not a path-like id")
                .field("id")
                .hint(
                    "lower-case letters, digits, `/`, `-` and `.`, for example `us/usc/8/1360-b`",
                ),
        );
    }
    faults.extend(check_digest(source, path, &raw.source));
    faults.extend(check_recorded(source, path, raw));
    faults.extend(check_timeline(source, path, &raw.event));
    for party in &raw.party {
        let place = || source.span(path, party.span());
        if !origins.contains(&party.get_ref().origin) {
            faults.push(
                Fault::new(place(), "is not an origin of the schema")
                    .field("origin")
                    .hint(crate::did_you_mean(
                        &party.get_ref().origin,
                        origins.iter().map(String::as_str),
                    )),
            );
        }
        if let Some(last) = raw.event.iter().map(|event| *event.on.get_ref()).max()
            && party.get_ref().from.year() > last.year() + MOST_YEARS_AHEAD
        {
            faults.push(
                Fault::new(
                    place(),
                    "joins years after the last event of the instrument",
                )
                .field("from")
                .hint("is the year mistyped?"),
            );
        }
        if party
            .get_ref()
            .until
            .is_some_and(|until| until < party.get_ref().from)
        {
            faults.push(Fault::new(place(), "ends before it begins").field("until"));
        }
    }
    faults
}

/// A party that joins later than this after an instrument's last event is a slip of the pen, which
/// would leave the party's records unprotected until then.
const MOST_YEARS_AHEAD: i16 = 3;

fn check_digest(source: &PackSource, path: &str, read: &SourceRead) -> Option<Fault> {
    let digest = chancery_model::Digest::from_bytes(Sha256::digest(&read.text).into());
    (digest.to_string() != read.digest).then(|| {
        let text = source.text(path).unwrap_or_default();
        chancery_model::Request::fault(
            &source.name(path),
            text,
            "digest",
            "is not the digest of the source's text",
        )
        .hint(format!(
            "the text's digest is `{digest}`: has the text changed since the review?"
        ))
    })
}

/// What was recorded before the instrument was there, or years after its last event, is a slip of
/// the pen: an audit would take it for what was known, or for what was not.
fn check_recorded(source: &PackSource, path: &str, raw: &Raw) -> Vec<Fault> {
    let days = || raw.event.iter().map(|event| *event.on.get_ref());
    let (Some(first), Some(last)) = (days().min(), days().max()) else {
        return Vec::new();
    };
    let judge = |recorded: Date, place: &dyn Fn() -> chancery_model::Place| {
        let fault = |problem: String| Fault::new(place(), problem).field("recorded");
        if recorded < first {
            let problem = format!("is before the first event of the instrument, {first}");
            Some(fault(problem).hint("nobody records a fact of what is not there yet"))
        } else if recorded.year() > last.year() + MOST_YEARS_AHEAD {
            let fault = fault("is years after the last event of the instrument".to_owned());
            Some(fault.hint("is the year mistyped?"))
        } else {
            None
        }
    };
    let own = raw.recorded.iter();
    let events = raw.event.iter().filter_map(|event| event.recorded.as_ref());
    let dated = own
        .chain(events)
        .filter_map(|recorded| judge(*recorded.get_ref(), &|| source.span(path, recorded.span())));
    let parties = raw.party.iter().filter_map(|party| {
        judge(party.get_ref().recorded?, &|| {
            source.span(path, party.span())
        })
    });
    dated.chain(parties).collect()
}

fn check_timeline(source: &PackSource, path: &str, events: &[RawEvent]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |event: &RawEvent, problem: &str, hint: &str| {
        let place = source.span(path, event.on.span());
        faults.push(Fault::new(place, problem).field("event").hint(hint));
    };
    for (before, after) in events.iter().zip(events.iter().skip(1)) {
        if after.on.get_ref() < before.on.get_ref() {
            fault(
                after,
                "the timeline goes backwards",
                "list the events in date order",
            );
        }
    }
    let mut effective = false;
    let mut ended = false;
    for event in events {
        let needs_force = !matches!(event.kind, EventKind::Issued | EventKind::Effective);
        if ended {
            fault(
                event,
                "follows the end of the instrument",
                "give the new instrument its own id",
            );
        } else if needs_force && !effective {
            fault(
                event,
                "comes before the instrument is effective",
                "add an `effective` event",
            );
        } else if event.kind == EventKind::Issued && effective {
            fault(
                event,
                "is issued after it is effective",
                "an `issued` event comes first",
            );
        }
        effective |= event.kind == EventKind::Effective;
        ended |= matches!(
            event.kind,
            EventKind::Superseded | EventKind::Vacated | EventKind::Expired
        );
    }
    faults
}
