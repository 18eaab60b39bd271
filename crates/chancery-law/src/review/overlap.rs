//! Where a document's own terms collide with the law, enumerated: every element that it lists, for
//! every purpose and every combination of attribute values that it covers, on every day.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chancery_model::Domain;
use jiff::civil::Date;
use serde::Serialize;

use crate::agreement::{Agreement, Role};
use crate::describe;
use crate::enumerate::{Answers, At, Cell, Kind, People, Period};
use crate::{Effect, Error, Instrument, LawPack, SignOff};

/// What a document purports to allow and an instrument bars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Barred {
    /// The finding that it comes under.
    pub finding: String,
    /// The instrument that bars it.
    pub instrument: String,
    /// How it is cited in a line.
    pub short: String,
    /// Its kind.
    pub kind: String,
    /// Its provisions that bar it.
    pub provisions: Vec<Citation>,
    /// What.
    #[serde(flatten)]
    pub case: Case,
}

/// A provision as it is cited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Citation {
    /// `<instrument>#<name>`.
    pub provision: String,
    /// The clause.
    pub clause: String,
    /// Why, in plain words.
    pub reason: String,
}

/// A set of disclosures: every combination of what it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Who gives.
    pub custodians: Vec<String>,
    /// Who receives.
    pub recipients: Vec<String>,
    /// For what.
    pub purposes: Vec<String>,
    /// The same in words: what lies within a purpose and is not among them is said.
    pub purposes_words: String,
    /// What, in the pack's order.
    pub elements: Vec<String>,
    /// Whose.
    pub who: Vec<Who>,
    /// Whether they are everybody, wherever the records come from.
    pub everyone: bool,
    /// How many combinations of attribute values that are.
    pub combinations: u64,
    /// The first day.
    pub from: Date,
    /// The last day; none is known if it is absent.
    pub until: Option<Date>,
    /// Why those days.
    pub basis: Basis,
    /// One of them.
    pub example: Example,
}

/// Some of the people, by where their records come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Who {
    /// The origins; empty for every origin.
    pub origins: Vec<String>,
    /// Who of them, in words: `always` for all.
    pub people: String,
}

impl Who {
    /// In words: `everyone, origins 06 48`.
    pub fn words(&self) -> String {
        match self.origins.as_slice() {
            [] => format!("{}, every origin", self.people_words()),
            [one] => format!("{}, origin {one}", self.people_words()),
            many => format!("{}, origins {}", self.people_words(), many.join(" ")),
        }
    }

    /// Who of them, in words.
    pub fn people_words(&self) -> String {
        if self.people == "always" {
            "everyone".to_owned()
        } else {
            format!("those where {}", self.people)
        }
    }
}

/// Why a document speaks of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// It is within the dates that the document states.
    Stated,
    /// It would be if the document were renewed, as it says that it can be.
    IfRenewed,
    /// The document states no first day; the instrument is in force by its timeline.
    Timeline,
}

/// One disclosure about one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Who gives.
    pub custodian: String,
    /// Who receives.
    pub recipient: String,
    /// For what.
    pub purpose: String,
    /// What.
    pub element: String,
    /// The day.
    pub on: Date,
    /// The record's attributes.
    pub record: BTreeMap<String, String>,
}

/// What a document's terms collide with.
#[derive(Clone, Debug, Default)]
pub(super) struct Collisions {
    pub(super) barred: Vec<Barred>,
    pub(super) unpermitted: Vec<Case>,
    pub(super) beyond: Vec<Beyond>,
}

/// What an instrument's own permits let go and the document does not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Beyond {
    /// The permits.
    pub provisions: Vec<Citation>,
    /// The interpretations that they rest on.
    pub interpretations: Vec<String>,
    /// What.
    #[serde(flatten)]
    pub case: Case,
}

/// Days of which a document speaks.
#[derive(Clone, Copy)]
struct Window {
    days: Period,
    basis: Basis,
}

/// Finds the collisions of each instrument.
pub(super) fn find(pack: &LawPack, instruments: &[&Instrument]) -> Result<Vec<Collisions>, Error> {
    let named: Vec<&str> = instruments
        .iter()
        .filter_map(|instrument| instrument.agreement.as_ref())
        .flat_map(|agreement| &agreement.parties)
        .map(|party| party.agency.as_str())
        .filter(|path| pack.vocabulary().agency(path).is_some())
        .collect();
    let questions = pack.questions(&named)?;
    let periods = pack.periods();
    let mut searches: Vec<Search<'_>> = instruments
        .iter()
        .map(|instrument| Search::new(pack, instrument, &periods))
        .collect();
    for period in periods {
        let looked_at = |search: &Search<'_>| {
            search.speaks_of(period) || search.instrument.in_force(period.from)
        };
        if !searches.iter().any(looked_at) {
            continue;
        }
        let law = pack.in_force(period.from, SignOff::Demonstration)?;
        let answers = law.answers(&questions, "disclose")?;
        for search in &mut searches {
            search.period(period, &answers);
            search.beyond(period, &answers);
        }
    }
    let mut words = Words {
        pack,
        known: HashMap::new(),
    };
    let collisions = searches.into_iter();
    Ok(collisions
        .map(|search| search.collisions(&mut words))
        .collect())
}

/// Sets of people in words, each put into words once.
struct Words<'a> {
    pack: &'a LawPack,
    known: HashMap<Arc<People>, Vec<Who>>,
}

impl Words<'_> {
    fn who(&mut self, people: &Arc<People>) -> Vec<Who> {
        let known = self.known.entry(Arc::clone(people));
        let pack = self.pack;
        let words = || who(people, &pack.classification().origin, pack.domain());
        known.or_insert_with(words).clone()
    }
}

/// Why disclosures are looked at.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Why {
    /// This instrument bars them.
    BarredBy(String),
    /// Nothing bars them, and nothing permits them.
    Unpermitted,
    /// The instrument's own permits let them go, and the document does not name them.
    Beyond,
}

/// Disclosures that are looked at for one reason, before they are put together.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Raw {
    why: Why,
    provisions: BTreeSet<String>,
    people: Arc<People>,
    basis: Basis,
    from: Date,
    until: Option<Date>,
    custodians: BTreeSet<String>,
    recipients: BTreeSet<String>,
    purposes: BTreeSet<String>,
    elements: BTreeSet<String>,
}

struct Search<'a> {
    pack: &'a LawPack,
    instrument: &'a Instrument,
    agreement: Option<&'a Agreement>,
    windows: Vec<Window>,
    stated: Arc<People>,
    /// Whose records they are where they are limited to a recipient's own jurisdiction.
    own: HashMap<BTreeSet<String>, Arc<People>>,
    found: Vec<Raw>,
}

/// What the law of a day has against one cell of what a document covers.
struct Against {
    /// By instrument: its provisions that bar, and whom they bar of those that the document covers.
    barred: Vec<(String, BTreeSet<String>, Arc<People>)>,
    /// Those whom nothing bars and nothing permits.
    left: Arc<People>,
}

impl Against {
    fn of(need: &Arc<People>, cell: &Cell, answers: &Answers) -> Self {
        let mut barred: BTreeMap<&str, (BTreeSet<String>, People)> = BTreeMap::new();
        let mut left = need.without(&cell.released);
        for (provision, whom) in &cell.hits {
            let Some((id, Effect::Forbid)) = answers.provisions().get(*provision) else {
                continue;
            };
            let whom = need.and(whom);
            if whom.is_empty() {
                continue;
            }
            left = left.without(&whom);
            let instrument = id.split_once('#').map_or(id.as_str(), |(id, _)| id);
            barred
                .entry(instrument)
                .and_modify(|(provisions, people)| {
                    provisions.insert(id.clone());
                    *people = people.or(&whom);
                })
                .or_insert_with(|| (BTreeSet::from([id.clone()]), whom));
        }
        let barred = barred.into_iter();
        Self {
            barred: barred
                .map(|(by, (provisions, people))| (by.to_owned(), provisions, Arc::new(people)))
                .collect(),
            left: Arc::new(left),
        }
    }
}

/// Two cells of one day with the same key have the same against them. The sets are shared, so that
/// where they lie in memory tells them apart.
fn known_by(need: &Arc<People>, cell: &Cell) -> (usize, usize, Vec<(usize, usize)>) {
    let at = |people: &Arc<People>| Arc::as_ptr(people).addr();
    let hits = cell.hits.iter();
    let hits = hits.map(|(provision, whom)| (*provision, at(whom)));
    (at(need), at(&cell.released), hits.collect())
}

impl<'a> Search<'a> {
    fn new(pack: &'a LawPack, instrument: &'a Instrument, periods: &[Period]) -> Self {
        let agreement = instrument.agreement.as_ref();
        let whose = agreement.and_then(|agreement| agreement.people.as_ref());
        let stated = whose.map_or_else(
            || People::all(pack.domain()),
            |whose| People::of(&whose.who, pack.domain()),
        );
        Self {
            pack,
            instrument,
            agreement,
            windows: agreement.map_or_else(Vec::new, |a| windows(instrument, a, periods)),
            stated: Arc::new(stated),
            own: HashMap::new(),
            found: Vec::new(),
        }
    }

    fn speaks_of(&self, period: Period) -> bool {
        let mut windows = self.windows.iter();
        windows.any(|window| shared(window.days, period).is_some())
    }

    fn period(&mut self, period: Period, answers: &Answers) {
        let Some(agreement) = self.agreement else {
            return;
        };
        let days: Vec<Window> = self
            .windows
            .iter()
            .filter_map(|window| {
                Some(Window {
                    days: shared(window.days, period)?,
                    basis: window.basis,
                })
            })
            .collect();
        if days.is_empty() {
            return;
        }
        let questions = Questions::new(agreement, answers);
        // What the law says is alike for most cells of a day. The cell is kept with it, so that its sets
        // stay where they are.
        let mut known: HashMap<_, (Cell, Against)> = HashMap::new();
        for (custodian, custodians) in &questions.custodians {
            for (recipient, recipients) in &questions.recipients {
                let need = self.need(agreement, recipients);
                for (purpose, purposes) in &questions.purposes {
                    for (element, elements) in &questions.elements {
                        let at = At {
                            custodian: *custodian,
                            recipient: *recipient,
                            purpose: *purpose,
                            element: *element,
                        };
                        let raw = Raw {
                            why: Why::Unpermitted,
                            provisions: BTreeSet::new(),
                            people: Arc::clone(&need),
                            basis: Basis::Stated,
                            from: period.from,
                            until: period.until,
                            custodians: custodians.clone(),
                            recipients: recipients.clone(),
                            purposes: purposes.clone(),
                            elements: elements.clone(),
                        };
                        let cell = answers.cell(at);
                        let key = known_by(&need, &cell);
                        let (_, against) = known.entry(key).or_insert_with(|| {
                            let against = Against::of(&need, &cell, answers);
                            (cell, against)
                        });
                        self.cell(&raw, &days, against);
                    }
                }
            }
        }
    }

    /// Records what the instrument's own permits let go between its parties and the document does
    /// not name. A document that lists nothing says nothing of what goes.
    fn beyond(&mut self, period: Period, answers: &Answers) {
        let agreement = self.agreement.filter(|a| !a.lists.is_empty());
        let (Some(agreement), true) = (agreement, self.instrument.in_force(period.from)) else {
            return;
        };
        let questions = Questions::new(agreement, answers);
        let stated = agreement.elements();
        let purposes = named(&answers.space().purposes, &|_| true);
        let elements = named(&answers.space().elements, &|_| true);
        for (custodian, custodians) in &questions.custodians {
            for (recipient, recipients) in &questions.recipients {
                let need = self.need(agreement, recipients);
                for (purpose, purposes) in &purposes {
                    for (element, elements) in &elements {
                        let cell = answers.cell(At {
                            custodian: *custodian,
                            recipient: *recipient,
                            purpose: *purpose,
                            element: *element,
                        });
                        let Some((provisions, gone)) = self.own(&cell, answers) else {
                            continue;
                        };
                        let more = gone.without(&need);
                        for purpose in purposes {
                            for element in elements {
                                let is_named = (agreement.purposes.is_empty()
                                    || has_purpose(agreement, purpose))
                                    && stated.contains(element.as_str());
                                let people = if is_named { &more } else { &gone };
                                if people.is_empty() {
                                    continue;
                                }
                                self.found.push(Raw {
                                    why: Why::Beyond,
                                    provisions: provisions.clone(),
                                    people: Arc::new(people.clone()),
                                    basis: Basis::Timeline,
                                    from: period.from,
                                    until: period.until,
                                    custodians: custodians.clone(),
                                    recipients: recipients.clone(),
                                    purposes: BTreeSet::from([purpose.clone()]),
                                    elements: BTreeSet::from([element.clone()]),
                                });
                            }
                        }
                    }
                }
            }
        }
    }

    /// The instrument's permits that apply to a cell, and whose element leaves by them.
    fn own(&self, cell: &Cell, answers: &Answers) -> Option<(BTreeSet<String>, People)> {
        let mut provisions = BTreeSet::new();
        let mut gone: Option<People> = None;
        for (provision, whom) in &cell.hits {
            let Some((id, Effect::Permit)) = answers.provisions().get(*provision) else {
                continue;
            };
            let own = id
                .split_once('#')
                .is_some_and(|(of, _)| of == self.instrument.id);
            let leaves = cell.released.and(whom);
            if own && !leaves.is_empty() {
                provisions.insert(id.clone());
                gone = Some(gone.map_or_else(|| leaves.clone(), |gone| gone.or(&leaves)));
            }
        }
        gone.map(|gone| (provisions, gone))
    }

    /// Whose records the document is about.
    fn need(&mut self, agreement: &Agreement, recipients: &BTreeSet<String>) -> Arc<People> {
        let own = agreement.people.as_ref().is_some_and(|p| p.of_recipient);
        let origin = self.pack.classification().origin.as_str();
        let (true, Some((at, _))) = (own, self.pack.domain().attribute(origin)) else {
            return Arc::clone(&self.stated);
        };
        if let Some(known) = self.own.get(recipients) {
            return Arc::clone(known);
        }
        let agencies = recipients
            .iter()
            .filter_map(|path| self.pack.vocabulary().agency(path));
        let values = agencies
            .flat_map(|agency| agency.jurisdiction)
            .filter_map(|origin| self.pack.domain().value(at, &origin));
        let need = Arc::new(self.stated.with(at, &values.collect()));
        self.own.insert(recipients.clone(), Arc::clone(&need));
        need
    }

    /// Records what one cell of the law bars, or does not permit, of what the document covers.
    fn cell(&mut self, raw: &Raw, days: &[Window], against: &Against) {
        for window in days {
            let on = |raw: Raw| Raw {
                basis: window.basis,
                from: window.days.from,
                until: window.days.until,
                ..raw
            };
            for (by, provisions, people) in &against.barred {
                // A statute bars a renewal as it bars the first term: said once.
                let order = self.pack.instrument(by).is_some_and(|i| i.kind == "order");
                if window.basis == Basis::IfRenewed && !order {
                    continue;
                }
                self.found.push(on(Raw {
                    why: Why::BarredBy(by.clone()),
                    provisions: provisions.clone(),
                    people: Arc::clone(people),
                    ..raw.clone()
                }));
            }
            if window.basis != Basis::IfRenewed && !against.left.is_empty() {
                self.found.push(on(Raw {
                    people: Arc::clone(&against.left),
                    ..raw.clone()
                }));
            }
        }
    }

    fn collisions(self, words: &mut Words<'_>) -> Collisions {
        let parts: [fn(&mut Raw) -> &mut BTreeSet<String>; 4] = [
            |raw| &mut raw.elements,
            |raw| &mut raw.purposes,
            |raw| &mut raw.custodians,
            |raw| &mut raw.recipients,
        ];
        // First within each period, as kinds differ from one to the next; then over days; then what
        // has become alike by that.
        let mut found = parts.into_iter().fold(self.found, merged);
        found = joined(found);
        found = parts.into_iter().fold(found, merged);
        let mut collisions = Collisions::default();
        for raw in found {
            let Some(case) = case(self.pack, words, &raw) else {
                continue;
            };
            match &raw.why {
                Why::BarredBy(by) => {
                    let by = self.pack.instrument(by);
                    collisions.barred.extend(by.map(|by| Barred {
                        finding: String::new(),
                        instrument: by.id.clone(),
                        short: by.short.clone(),
                        kind: by.kind.clone(),
                        provisions: citations(self.pack, &raw.provisions),
                        case,
                    }));
                }
                Why::Unpermitted => collisions.unpermitted.push(case),
                Why::Beyond => collisions.beyond.push(Beyond {
                    provisions: citations(self.pack, &raw.provisions),
                    interpretations: interpretations(self.pack, &raw.provisions),
                    case,
                }),
            }
        }
        let key = |case: &Case| {
            let size = std::cmp::Reverse(case.elements.len());
            let names = (case.elements.clone(), case.purposes.clone());
            (case.basis, case.from, size, names, case.recipients.clone())
        };
        collisions.unpermitted.sort_by_key(key);
        collisions.beyond.sort_by_key(|beyond| key(&beyond.case));
        collisions
            .barred
            .sort_by_key(|barred| (barred.instrument.clone(), key(&barred.case)));
        collisions
    }
}

/// The kinds that a document names, each with those of its members that the document names.
struct Questions {
    custodians: Vec<(usize, BTreeSet<String>)>,
    recipients: Vec<(usize, BTreeSet<String>)>,
    purposes: Vec<(usize, BTreeSet<String>)>,
    elements: Vec<(usize, BTreeSet<String>)>,
}

impl Questions {
    fn new(agreement: &Agreement, answers: &Answers) -> Self {
        let space = answers.space();
        let party = |role: Role| {
            move |path: &str| {
                let mut parties = agreement.parties(role);
                parties.any(|party| is_of(path, &party.agency))
            }
        };
        let purpose = |path: &str| has_purpose(agreement, path);
        let elements = agreement.elements();
        let element = |name: &str| elements.contains(name);
        let mut recipients = named(&space.recipients, &party(Role::Recipient));
        if agreement.people.as_ref().is_some_and(|p| p.of_recipient) {
            // Whose records they are differs from one recipient to the next.
            let single = recipients.iter().flat_map(|(at, members)| {
                let one = |member: &String| (*at, BTreeSet::from([member.clone()]));
                members.iter().map(one)
            });
            recipients = single.collect();
        }
        Self {
            custodians: named(&space.custodians, &party(Role::Custodian)),
            recipients,
            purposes: named(&space.purposes, &purpose),
            elements: named(&space.elements, &element),
        }
    }
}

/// Whether a document names a purpose, or one that it lies within.
fn has_purpose(agreement: &Agreement, path: &str) -> bool {
    let mut stated = agreement.purposes.iter();
    stated.any(|stated| {
        let stated = stated.purpose.as_deref();
        stated.is_some_and(|stated| is_within(path, stated))
    })
}

fn named(kinds: &[Kind], is_named: &dyn Fn(&str) -> bool) -> Vec<(usize, BTreeSet<String>)> {
    let members = |kind: &Kind| -> BTreeSet<String> {
        let members = kind.members.iter();
        members.filter(|m| is_named(m)).cloned().collect()
    };
    kinds
        .iter()
        .map(members)
        .enumerate()
        .filter(|(_, members)| !members.is_empty())
        .collect()
}

/// Whether an agency is the one at `party`, or one of the family `party`.
pub(super) fn is_of(path: &str, party: &str) -> bool {
    let mut names = path.split('/');
    let alike = party.split('/').all(|pattern| {
        names
            .next()
            .is_some_and(|name| pattern == "*" || pattern == name)
    });
    alike && names.next().is_none()
}

/// Whether a purpose is `stated` or within it.
pub(super) fn is_within(path: &str, stated: &str) -> bool {
    path.strip_prefix(stated)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The days of which a document speaks.
fn windows(instrument: &Instrument, agreement: &Agreement, periods: &[Period]) -> Vec<Window> {
    let term = agreement.term.as_ref();
    let Some((from, term)) = term.and_then(|term| Some((term.from?, term))) else {
        let in_force = periods.iter().filter(|p| instrument.in_force(p.from));
        return in_force
            .map(|period| Window {
                days: *period,
                basis: Basis::Timeline,
            })
            .collect();
    };
    let until = term.last();
    let mut windows = vec![Window {
        days: Period { from, until },
        basis: Basis::Stated,
    }];
    let next = until.and_then(|until| until.tomorrow().ok());
    if let (Some(_), Some(next)) = (term.renewable_months, next) {
        windows.push(Window {
            days: Period {
                from: next,
                until: None,
            },
            basis: Basis::IfRenewed,
        });
    }
    windows
}

/// The days that are in both.
fn shared(one: Period, other: Period) -> Option<Period> {
    let from = one.from.max(other.from);
    let until = match (one.until, other.until) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    until
        .is_none_or(|until| from <= until)
        .then_some(Period { from, until })
}

/// Joins what is alike on days that follow each other.
fn joined(found: Vec<Raw>) -> Vec<Raw> {
    let mut alike: HashMap<Raw, Vec<Period>> = HashMap::new();
    for raw in found {
        let days = Period {
            from: raw.from,
            until: raw.until,
        };
        let key = Raw {
            from: Date::MIN,
            until: None,
            ..raw
        };
        alike.entry(key).or_default().push(days);
    }
    let mut joined = Vec::new();
    for (raw, mut days) in alike {
        days.sort_unstable();
        let mut spans: Vec<Period> = Vec::new();
        for day in days {
            match spans.last_mut() {
                Some(last) if last.until.and_then(|u| u.tomorrow().ok()) == Some(day.from) => {
                    last.until = day.until;
                }
                _ => spans.push(day),
            }
        }
        joined.extend(spans.into_iter().map(|span| Raw {
            from: span.from,
            until: span.until,
            ..raw.clone()
        }));
    }
    joined
}

/// Joins what is alike but for one part.
fn merged(found: Vec<Raw>, part: fn(&mut Raw) -> &mut BTreeSet<String>) -> Vec<Raw> {
    let mut alike: HashMap<Raw, BTreeSet<String>> = HashMap::new();
    for mut raw in found {
        let own = std::mem::take(part(&mut raw));
        alike.entry(raw).or_default().extend(own);
    }
    alike
        .into_iter()
        .map(|(mut raw, own)| {
            *part(&mut raw) = own;
            raw
        })
        .collect()
}

fn case(pack: &LawPack, words: &mut Words<'_>, raw: &Raw) -> Option<Case> {
    let elements = pack.vocabulary().element_names();
    let elements = elements.filter(|name| raw.elements.contains(*name));
    let record = raw.people.first()?;
    let example = Example {
        custodian: raw.custodians.first()?.clone(),
        recipient: raw.recipients.first()?.clone(),
        purpose: raw.purposes.first()?.clone(),
        element: raw.elements.first()?.clone(),
        on: raw.from,
        record: pack.domain().describe(&record),
    };
    Some(Case {
        custodians: agencies(pack, &raw.custodians),
        recipients: agencies(pack, &raw.recipients),
        purposes: raw.purposes.iter().cloned().collect(),
        purposes_words: purposes_words(pack, &raw.purposes),
        elements: elements.map(str::to_owned).collect(),
        who: words.who(&raw.people),
        everyone: *raw.people == People::all(pack.domain()),
        combinations: raw.people.len(),
        from: raw.from,
        until: raw.until,
        basis: raw.basis,
        example,
    })
}

/// Purposes in words: one with all that lies within it by its path alone, one without with what of it
/// is not meant.
fn purposes_words(pack: &LawPack, purposes: &BTreeSet<String>) -> String {
    let within = |path: &str| {
        let all = pack.vocabulary().purposes().iter();
        let within = all.filter(|other| other.path != path && is_within(&other.path, path));
        within.map(|other| other.path.clone()).collect::<Vec<_>>()
    };
    let short = |path: &str, of: &str| path.strip_prefix(of).unwrap_or(path).to_owned();
    let is_whole = |path: &str| within(path).iter().all(|part| purposes.contains(part));
    let under = |path: &str| {
        let mut others = purposes.iter();
        others.any(|other| other != path && is_within(path, other))
    };
    let words: Vec<String> = purposes
        .iter()
        .filter(|path| !under(path))
        .map(|path| {
            let parts = within(path);
            if parts.is_empty() || is_whole(path) {
                return path.clone();
            }
            let (meant, not): (Vec<&String>, Vec<&String>) =
                parts.iter().partition(|part| purposes.contains(*part));
            let names = |parts: Vec<&String>, last: &str| {
                let names: Vec<String> = parts.into_iter().map(|part| short(part, path)).collect();
                match names.split_last() {
                    Some((end, rest)) if !rest.is_empty() => {
                        format!("{} {last} {end}", rest.join(", "))
                    }
                    _ => names.join(", "),
                }
            };
            let and = if meant.is_empty() {
                String::new()
            } else {
                format!(" and {}", names(meant, "and"))
            };
            format!("{path} itself{and}, not {}", names(not, "or"))
        })
        .collect();
    words.join("; ")
}

/// The agencies, a whole family by its path.
fn agencies(pack: &LawPack, agencies: &BTreeSet<String>) -> Vec<String> {
    let words = pack.vocabulary();
    let mut left = agencies.clone();
    let mut named = Vec::new();
    for family in words.agency_paths().filter(|path| path.contains('*')) {
        let members = words.family(family);
        let is_whole = if members.is_empty() {
            left.iter().any(|path| is_of(path, family))
        } else {
            members.iter().all(|member| left.contains(member))
        };
        if is_whole && (left.len() > 1 || members.is_empty()) {
            left.retain(|path| !is_of(path, family));
            named.push(family.to_owned());
        }
    }
    named.extend(left);
    named
}

/// People in words, by where their records come from.
fn who(people: &People, origin: &str, domain: &Domain) -> Vec<Who> {
    let predicate = describe::predicate(people.iter(), domain);
    let Some((at, declared)) = domain.attribute(origin) else {
        let people = predicate.display(domain).to_string();
        let origins = Vec::new();
        return vec![Who { origins, people }];
    };
    let mut by: BTreeMap<_, BTreeSet<u8>> = BTreeMap::new();
    for (part, values) in predicate.by_value(at, domain) {
        let part = describe::simplest(&part, domain);
        if part != chancery_model::Predicate::Never {
            by.entry(part).or_default().extend(values);
        }
    }
    let all = declared.values.len();
    let mut who: Vec<Who> = by
        .into_iter()
        .map(|(part, values)| {
            let names = values
                .iter()
                .filter_map(|v| declared.values.get(usize::from(*v)));
            let origins = if values.len() == all {
                Vec::new()
            } else {
                names.cloned().collect()
            };
            Who {
                origins,
                people: part.display(domain).to_string(),
            }
        })
        .collect();
    who.sort_by(|a, b| a.origins.cmp(&b.origins));
    who
}

fn interpretations(pack: &LawPack, provisions: &BTreeSet<String>) -> Vec<String> {
    let cited = provisions.iter().filter_map(|id| pack.provision(id));
    let names: BTreeSet<String> = cited
        .flat_map(|(_, provision)| provision.interpretations.iter().cloned())
        .collect();
    names.into_iter().collect()
}

fn citations(pack: &LawPack, provisions: &BTreeSet<String>) -> Vec<Citation> {
    let cited = provisions.iter().filter_map(|id| pack.provision(id));
    cited
        .map(|(_, provision)| Citation {
            provision: provision.id.clone(),
            clause: provision.clause.clone(),
            reason: provision.reason.clone(),
        })
        .collect()
}
