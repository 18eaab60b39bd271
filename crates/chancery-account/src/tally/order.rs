//! An order, before and after each of its events.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chancery_law::{Effect, Error, EventKind, Instrument, LawPack, Query, SignOff};
use chancery_release::entry::Disclosure;
use jiff::civil::Date;
use serde::Serialize;

use super::{Figure, Group, Refused, Tally, cites};
use crate::amount::Amount;
use crate::facts::Release;

/// An order, or another instrument, and what left before and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderAccount {
    /// Its id.
    pub instrument: String,
    /// What it is: `order`, `notice`.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// Its citation.
    pub citation: String,
    /// How far its encoding has been reviewed.
    pub review: String,
    /// The stretches of days between its events, those before the first among them.
    pub spans: Vec<Span>,
}

/// Some days of an order's life, and what left then of the flows that it bars or lets go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The first day; none before the first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day; none after the last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// What happened on the first day.
    pub events: Vec<String>,
    /// Whether it was in force on the first day.
    pub in_force: bool,
    /// What left of these flows.
    pub total: Group,
    /// Of that, the elements that the order holds back from somebody.
    pub covered_elements: Vec<Group>,
    /// The same by class: which of these elements left of the same people.
    pub covered_classes: Vec<Group>,
    /// What left about people of the origins that the order protects, those that were parties when it left or, before the
    /// order took effect, when it did; as far as the register counts.
    pub covered_origins: Vec<Group>,
    /// Requests that were refused and that it bars.
    pub refused: Figure,
}

/// Custodian, recipient and purpose.
type Flow = [String; 3];

/// Answers of the law that are known already.
type Known<K, V> = RefCell<BTreeMap<(K, Flow), V>>;

/// A law pack, and its answers to flows, each looked up once for all accounts.
#[derive(Debug)]
pub struct Law<'a> {
    pack: &'a LawPack,
    /// The days on which something may be otherwise than the day before.
    changes: BTreeSet<Date>,
    barred: Known<String, BTreeSet<String>>,
    barred_by: Known<usize, Vec<String>>,
}

impl<'a> Law<'a> {
    /// The law of a pack.
    pub fn new(pack: &'a LawPack) -> Self {
        let after = |day: Date| day.tomorrow().unwrap_or(day);
        let instruments = pack.instruments().iter();
        let changes = instruments.flat_map(|one| {
            let events = one.events.iter();
            let events = events.flat_map(|event| [event.on, after(event.on)]);
            let parties = one.parties.iter();
            let parties = parties.flat_map(|p| [p.from, p.until.map_or(p.from, after)]);
            events.chain(parties).collect::<Vec<_>>()
        });
        Self {
            pack,
            changes: changes.collect(),
            barred: RefCell::default(),
            barred_by: RefCell::default(),
        }
    }

    /// The pack.
    pub fn pack(&self) -> &'a LawPack {
        self.pack
    }

    /// The elements of a flow that an instrument holds back from somebody, on its first day in force.
    pub(super) fn barred(
        &self,
        instrument: &str,
        logged: &Disclosure,
    ) -> Result<BTreeSet<String>, Error> {
        let key = (instrument.to_owned(), flow(logged));
        if let Some(known) = self.barred.borrow().get(&key) {
            return Ok(known.clone());
        }
        let effective = self.pack.instrument(instrument).and_then(|instrument| {
            let mut events = instrument.events.iter();
            events.find(|event| event.kind == EventKind::Effective)
        });
        let elements = match (effective, self.query(&key.1)) {
            (Some(event), Some(query)) => self.held_back(event.on, &query, instrument)?,
            _ => BTreeSet::new(),
        };
        self.barred.borrow_mut().insert(key, elements.clone());
        Ok(elements)
    }

    fn held_back(
        &self,
        on: Date,
        query: &Query,
        instrument: &str,
    ) -> Result<BTreeSet<String>, Error> {
        // What holds data back counts at once, whoever has signed it.
        let ruling = self
            .pack
            .in_force(on, SignOff::Demonstration)?
            .decide(query)?;
        let elements = ruling.elements.into_iter().filter(|element| {
            let forbids = element
                .hits
                .iter()
                .filter(|hit| hit.effect == Effect::Forbid);
            cites(forbids.map(|hit| &hit.provision), instrument)
        });
        Ok(elements.map(|element| element.element).collect())
    }

    /// The provisions that barred a refused flow on its day, if the law pack is still the same.
    pub(super) fn barred_by(&self, refused: &Disclosure) -> Result<Option<Vec<String>>, Error> {
        if refused.law != self.pack.digest {
            return Ok(None);
        }
        let key = (self.changes.range(..=refused.on).count(), flow(refused));
        if let Some(known) = self.barred_by.borrow().get(&key) {
            return Ok(Some(known.clone()));
        }
        let Some(query) = self.query(&key.1) else {
            return Ok(None);
        };
        let law = self.pack.in_force(refused.on, SignOff::Demonstration)?;
        let ruling = law.decide(&query)?;
        let hits = ruling.elements.into_iter().flat_map(|element| element.hits);
        let forbids = hits.filter(|hit| hit.effect == Effect::Forbid);
        let cited: BTreeSet<String> = forbids.map(|hit| hit.provision).collect();
        let cited: Vec<String> = cited.into_iter().collect();
        self.barred_by.borrow_mut().insert(key, cited.clone());
        Ok(Some(cited))
    }

    /// Who disclosed what to whom and why, in the words of the pack.
    pub(crate) fn query_of(&self, logged: &Disclosure) -> Option<Query> {
        self.query(&flow(logged))
    }

    fn query(&self, [custodian, recipient, purpose]: &Flow) -> Option<Query> {
        let words = self.pack.vocabulary();
        Some(Query {
            recipient: words.agency(recipient)?,
            custodian: words.agency(custodian)?,
            purpose: words.purpose(purpose)?.clone(),
        })
    }
}

fn flow(logged: &Disclosure) -> Flow {
    [&logged.custodian, &logged.recipient, &logged.purpose].map(ToString::to_string)
}

/// The account of an order, if the law pack has it.
pub(super) fn account(
    tally: &Tally<'_>,
    id: &str,
    law: &Law<'_>,
    refused: &[Refused],
) -> Result<Option<OrderAccount>, Error> {
    let Some(instrument) = law.pack.instrument(id) else {
        return Ok(None);
    };
    let mut starts: Vec<Option<Date>> = instrument.events.iter().map(|e| Some(first(e))).collect();
    starts.push(None);
    starts.sort();
    starts.dedup();
    let mut spans = Vec::new();
    for (at, from) in starts.iter().enumerate() {
        let next = starts.get(at + 1).copied().flatten();
        let until = next.and_then(|next| next.yesterday().ok());
        spans.push(span(tally, instrument, *from, until, law, refused)?);
    }
    Ok(Some(OrderAccount {
        instrument: instrument.id.clone(),
        kind: instrument.kind.clone(),
        title: instrument.title.clone(),
        citation: instrument.citation.clone(),
        review: instrument.review.status.clone(),
        spans,
    }))
}

/// The first day on which it is as an event made it: an expiry names the last day in force.
fn first(event: &chancery_law::Event) -> Date {
    match event.kind {
        EventKind::Expired => event.on.tomorrow().unwrap_or(event.on),
        EventKind::Issued
        | EventKind::Effective
        | EventKind::Stayed
        | EventKind::StayLifted
        | EventKind::Modified
        | EventKind::Extended
        | EventKind::Superseded
        | EventKind::Vacated => event.on,
    }
}

fn span(
    tally: &Tally<'_>,
    instrument: &Instrument,
    from: Option<Date>,
    until: Option<Date>,
    law: &Law<'_>,
    refused: &[Refused],
) -> Result<Span, Error> {
    let is_in =
        |on: Date| from.is_none_or(|from| from <= on) && until.is_none_or(|until| on <= until);
    let releases = tally.releases.iter().copied();
    let releases: Vec<&Release> = releases.filter(|release| is_in(release.on())).collect();
    let mut covered = BTreeSet::new();
    for release in &releases {
        covered.extend(law.barred(&instrument.id, &release.logged)?);
    }
    let here = tally.with(releases);
    let mut covered_elements = here.by_element();
    covered_elements.retain(|group| covered.contains(&group.key));
    let refused: Vec<u64> = refused
        .iter()
        .filter(|refused| is_in(refused.on))
        .map(|refused| refused.entry)
        .collect();
    // Of what left before it took effect: those whom it then protected.
    let mut first_days = instrument.events.iter().map(|event| event.on);
    let effect = first_days.find(|on| instrument.in_force(*on));
    let protects = |release: &Release, origin: &str| {
        let on = effect.map_or(release.on(), |effect| effect.max(release.on()));
        let mut parties = instrument.parties.iter();
        parties.any(|party| {
            party.origin == origin
                && party.from <= on
                && party.until.is_none_or(|until| on <= until)
        })
    };
    let started = |event: &&chancery_law::Event| Some(first(event)) == from;
    let events = instrument.events.iter().filter(started);
    Ok(Span {
        from,
        until,
        events: events.map(|event| event.kind.as_str().to_owned()).collect(),
        in_force: from.is_some_and(|from| instrument.in_force(from)),
        total: here.total("everything"),
        covered_elements,
        covered_classes: here.by_class(|class| {
            let elements = class.elements.iter();
            elements.filter(|e| covered.contains(*e)).cloned().collect()
        }),
        covered_origins: here.by_origin(&protects),
        refused: Figure {
            count: Amount::Exactly(refused.len() as u64),
            entries: refused,
        },
    })
}
