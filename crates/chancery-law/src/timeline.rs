//! What happened when, and what each event changed for one flow of records.

use std::collections::{BTreeMap, BTreeSet};

use chancery_model::{Domain, Predicate};
use jiff::civil::Date;
use serde::Serialize;

use crate::describe::simplest;
use crate::{
    Effect, ElementRuling, Error, Event, EventKind, Instrument, LawPack, Party, Query, Ruling,
    SignOff,
};

/// The kinds of instruments that come and go, where a statute stays.
const PASSING: [&str; 3] = ["order", "agreement", "notice"];

/// Something that the pack dates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Happening {
    /// The instruments, more than one where the same parties joined several.
    pub instruments: Vec<String>,
    /// How they are cited in a line.
    pub short: Vec<String>,
    /// What happened, in the pack's own word: `effective`, `extended` and so on; of parties
    /// `party-joined`, `party-left`, and `party-from` where they are from a day before any event of
    /// the instrument.
    pub what: String,
    /// The day, which for an expiry is the last in force.
    pub dated: Date,
    /// The day on which the pack's keepers had recorded it.
    pub recorded: Date,
    /// The parties that joined or left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<String>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Elements that changed alike: about whom they may leave since, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The elements, in the pack's order.
    pub elements: Vec<String>,
    /// About whom.
    pub when: Predicate,
    /// The permits that let it go: those of now for what is gained, of before for what is lost.
    pub lets_go: BTreeSet<String>,
    /// The forbids that hold it back: those of before for what is gained, of now for what is lost.
    pub holds_back: BTreeSet<String>,
}

/// A day on which something happened or changed.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The first day on which it is so.
    pub on: Date,
    /// What happened.
    pub happenings: Vec<Happening>,
    /// What may leave since.
    pub gained: Vec<Change>,
    /// What may no longer leave.
    pub lost: Vec<Change>,
}

/// Some days under one law: for whom each element may leave.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// For whom, by element.
    pub released_when: BTreeMap<String, Predicate>,
}

/// The events of instruments in order, and what each changed for a flow of records.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The flow.
    pub query: Query,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// The instruments.
    pub instruments: Vec<String>,
    /// The days on which something happened or changed.
    pub moments: Vec<Moment>,
    /// The whole time, cut at every change.
    pub stretches: Vec<Stretch>,
}

/// Which part of the law's history.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// The instruments by id; none stands for all orders, agreements and notices.
    pub instruments: Vec<String>,
    /// The first day; by default some time before the first event.
    pub from: Option<Date>,
    /// The last day; by default some time after the last event.
    pub until: Option<Date>,
}

/// What changed between two rulings of the same query: gained and lost.
pub fn changes(old: &Ruling, new: &Ruling, domain: &Domain) -> (Vec<Change>, Vec<Change>) {
    let mut gained = Vec::new();
    let mut lost = Vec::new();
    for now in &new.elements {
        let Some(before) = old.element(&now.element) else {
            continue;
        };
        if before.released_when == now.released_when {
            continue;
        }
        gather(&mut gained, difference(before, now, Side::Gained, domain));
        gather(&mut lost, difference(before, now, Side::Lost, domain));
    }
    (gained, lost)
}

#[derive(Clone, Copy)]
enum Side {
    Gained,
    Lost,
}

fn difference(
    before: &ElementRuling,
    now: &ElementRuling,
    side: Side,
    domain: &Domain,
) -> Option<Change> {
    let (from, to) = match side {
        Side::Gained => (before, now),
        Side::Lost => (now, before),
    };
    let when = [to.released_when.clone(), from.released_when.negate(domain)];
    let when = simplest(&Predicate::all(when, domain), domain);
    if when == Predicate::Never {
        return None;
    }
    let speaking = |ruling: &ElementRuling, effect: Effect| {
        let hits = ruling.hits.iter().filter(|hit| hit.effect == effect);
        let hits = hits.filter(|hit| {
            let both = Predicate::all([hit.when.clone(), when.clone()], domain);
            simplest(&both, domain) != Predicate::Never
        });
        hits.map(|hit| hit.provision.clone()).collect()
    };
    Some(Change {
        elements: vec![now.element.clone()],
        lets_go: speaking(to, Effect::Permit),
        holds_back: speaking(from, Effect::Forbid),
        when,
    })
}

/// Elements about the same people for the same reasons are one change.
fn gather(changes: &mut Vec<Change>, change: Option<Change>) {
    let Some(change) = change else { return };
    let alike = changes.iter_mut().find(|known| {
        known.when == change.when
            && known.lets_go == change.lets_go
            && known.holds_back == change.holds_back
    });
    match alike {
        Some(known) => known.elements.extend(change.elements),
        None => changes.push(change),
    }
}

impl LawPack {
    /// What happened in a window of the law's history, and what it changed for a flow.
    ///
    /// All law that is recorded counts as signed off.
    ///
    /// # Errors
    ///
    /// When the law of a day cannot be turned into predicates.
    pub fn timeline(&self, query: &Query, window: &Window) -> Result<Timeline, Error> {
        let instruments = self.followed(&window.instruments);
        let mut happenings: BTreeMap<Date, Vec<Happening>> = BTreeMap::new();
        for instrument in &instruments {
            for (on, happening) in happened(instrument) {
                add(happenings.entry(on).or_default(), happening);
            }
        }
        let (from, until) = frame(window, &happenings);
        let mut days: BTreeSet<Date> = self.turns();
        days.extend(happenings.keys().copied());
        days.retain(|day| from < *day && *day <= until);
        let ruling = |on: Date| self.in_force(on, SignOff::Demonstration)?.decide(query);
        let mut before = ruling(from)?;
        let mut stretches = vec![stretch(from, &before, self.domain())];
        let mut moments = Vec::new();
        // What was already so on the first day is not a change of that day.
        if let Some(happened) = happenings.remove(&from) {
            moments.push(Moment {
                on: from,
                happenings: happened,
                gained: Vec::new(),
                lost: Vec::new(),
            });
        }
        for on in days {
            let now = ruling(on)?;
            let (gained, lost) = changes(&before, &now, self.domain());
            if !gained.is_empty() || !lost.is_empty() {
                stretches.push(stretch(on, &now, self.domain()));
            }
            let happenings = happenings.remove(&on).unwrap_or_default();
            if !happenings.is_empty() || !gained.is_empty() || !lost.is_empty() {
                moments.push(Moment {
                    on,
                    happenings,
                    gained,
                    lost,
                });
            }
            before = now;
        }
        let starts: Vec<Date> = stretches.iter().skip(1).map(|next| next.from).collect();
        for (stretch, next) in stretches.iter_mut().zip(starts) {
            stretch.until = next.yesterday().unwrap_or(next);
        }
        if let Some(last) = stretches.last_mut() {
            last.until = until;
        }
        Ok(Timeline {
            query: query.clone(),
            from,
            until,
            instruments: instruments.iter().map(|i| i.id.clone()).collect(),
            moments,
            stretches,
        })
    }

    fn followed(&self, ids: &[String]) -> Vec<&Instrument> {
        let named = self.instruments().iter();
        let named: Vec<&Instrument> = named.filter(|i| ids.contains(&i.id)).collect();
        if !named.is_empty() {
            return named;
        }
        let passing = self.instruments().iter();
        let passing: Vec<&Instrument> = passing
            .filter(|i| PASSING.contains(&i.kind.as_str()))
            .collect();
        if passing.is_empty() {
            self.instruments().iter().collect()
        } else {
            passing
        }
    }

    /// Every day on which an event or a party may change the law.
    fn turns(&self) -> BTreeSet<Date> {
        let mut days = BTreeSet::new();
        for instrument in self.instruments() {
            days.extend(instrument.events.iter().map(first_day));
            for party in &instrument.parties {
                days.insert(party.from);
                days.extend(party.until.and_then(|until| until.tomorrow().ok()));
            }
        }
        days
    }
}

/// The first day on which an event makes a difference.
fn first_day(event: &Event) -> Date {
    match event.kind {
        EventKind::Expired => event.on.tomorrow().unwrap_or(event.on),
        _ => event.on,
    }
}

fn happened(instrument: &Instrument) -> Vec<(Date, Happening)> {
    let happening = |what: String, dated: Date, recorded: Date| Happening {
        instruments: vec![instrument.id.clone()],
        short: vec![instrument.short.clone()],
        what,
        dated,
        recorded,
        parties: Vec::new(),
        note: None,
    };
    let events = instrument.events.iter().map(|event| {
        let word = event.kind.as_str().to_owned();
        let mut happening = happening(word, event.on, event.known_from());
        happening.note.clone_from(&event.note);
        (first_day(event), happening)
    });
    let mut all: Vec<(Date, Happening)> = events.collect();
    // Parties that join on a day are one happening.
    let mut moves: BTreeMap<(Date, &str, Date, Date), Vec<&Party>> = BTreeMap::new();
    let first = instrument.events.iter().map(|event| event.on).min();
    for party in &instrument.parties {
        let is_before = first.is_some_and(|first| party.from < first);
        let word = if is_before {
            "party-from"
        } else {
            "party-joined"
        };
        let joined = (party.from, word, party.from, party.known_from());
        moves.entry(joined).or_default().push(party);
        if let Some(until) = party.until {
            let first = until.tomorrow().unwrap_or(until);
            let left = (first, "party-left", until, party.known_from());
            moves.entry(left).or_default().push(party);
        }
    }
    for ((on, what, dated, recorded), parties) in moves {
        let mut happening = happening(what.to_owned(), dated, recorded);
        happening.parties = parties.iter().map(|party| party.name.clone()).collect();
        all.push((on, happening));
    }
    all
}

/// The same parties of several instruments are one happening.
fn add(happenings: &mut Vec<Happening>, new: Happening) {
    let same = happenings.iter_mut().find(|known| {
        !new.parties.is_empty()
            && (&known.what, known.dated, known.recorded, &known.parties)
                == (&new.what, new.dated, new.recorded, &new.parties)
    });
    match same {
        Some(known) => {
            known.instruments.extend(new.instruments);
            known.short.extend(new.short);
        }
        None => happenings.push(new),
    }
}

/// The window's first and last day: by default three weeks around what happened.
fn frame(window: &Window, happenings: &BTreeMap<Date, Vec<Happening>>) -> (Date, Date) {
    let margin = jiff::Span::new().days(21);
    let first = happenings.keys().next().copied().unwrap_or(Date::ZERO);
    let last = happenings.keys().last().copied().unwrap_or(first);
    let from = window
        .from
        .unwrap_or_else(|| first.checked_sub(margin).unwrap_or(first));
    let until = window
        .until
        .unwrap_or_else(|| last.checked_add(margin).unwrap_or(last));
    (from, until.max(from))
}

fn stretch(from: Date, ruling: &Ruling, domain: &Domain) -> Stretch {
    let released = ruling.elements.iter().map(|element| {
        let when = simplest(&element.released_when, domain);
        (element.element.clone(), when)
    });
    Stretch {
        from,
        until: from,
        released_when: released.collect(),
    }
}

/// Origins of which the same may leave on every day.
#[derive(Clone, Debug)]
pub struct Panel {
    /// The origins, by their places in the domain.
    pub origins: BTreeSet<u8>,
    /// What ever leaves of them.
    pub rows: Vec<Row>,
}

/// Elements that may leave about the same people on every day.
#[derive(Clone, Debug)]
pub struct Row {
    /// The elements, in the pack's order.
    pub elements: Vec<String>,
    /// About whom, day by day.
    pub spans: Vec<Span>,
}

/// Some days on which an element may leave about the same people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// About whom, given the origin.
    pub when: Predicate,
}

impl Timeline {
    /// The whole time told apart by one attribute, the origin; the origins of which least leaves
    /// first.
    pub fn panels(&self, origin: usize, elements: &[&str], domain: &Domain) -> Vec<Panel> {
        let count = domain.attributes().get(origin);
        let count = count.map_or(0, |attribute| attribute.values.len());
        let mut by_course: BTreeMap<Vec<Vec<Predicate>>, BTreeSet<u8>> = BTreeMap::new();
        for value in (0..=u8::MAX).take(count) {
            let course = |element: &&str| {
                let stretches = self.stretches.iter();
                stretches
                    .map(|stretch| {
                        let when = stretch.released_when.get(*element);
                        when.map_or(Predicate::Never, |when| when.given(origin, value, domain))
                    })
                    .collect()
            };
            let courses = elements.iter().map(course).collect();
            by_course.entry(courses).or_default().insert(value);
        }
        let panels = by_course.into_iter().map(|(courses, origins)| Panel {
            origins,
            rows: self.rows(elements, courses),
        });
        let mut panels: Vec<Panel> = panels.collect();
        panels.sort_by_key(Panel::openness);
        panels
    }

    fn rows(&self, elements: &[&str], courses: Vec<Vec<Predicate>>) -> Vec<Row> {
        let mut rows: Vec<(Vec<Predicate>, Vec<String>)> = Vec::new();
        for (element, course) in elements.iter().zip(courses) {
            if course.iter().all(|when| *when == Predicate::Never) {
                continue;
            }
            match rows.iter_mut().find(|(known, _)| *known == course) {
                Some((_, elements)) => elements.push((*element).to_owned()),
                None => rows.push((course, vec![(*element).to_owned()])),
            }
        }
        let rows = rows.into_iter();
        rows.map(|(course, elements)| Row {
            elements,
            spans: self.spans(course),
        })
        .collect()
    }

    fn spans(&self, course: Vec<Predicate>) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for (stretch, when) in self.stretches.iter().zip(course) {
            match spans.last_mut() {
                Some(last) if last.when == when => last.until = stretch.until,
                _ => spans.push(Span {
                    from: stretch.from,
                    until: stretch.until,
                    when,
                }),
            }
        }
        spans
    }
}

impl Panel {
    /// How much may leave: elements times days.
    fn openness(&self) -> i64 {
        let open = |row: &Row| {
            let spans = row.spans.iter();
            let spans = spans.filter(|span| span.when != Predicate::Never);
            let days = spans.map(|span| (span.until - span.from).get_days() + 1);
            i64::from(days.sum::<i32>()) * i64::try_from(row.elements.len()).unwrap_or(i64::MAX)
        };
        self.rows.iter().map(open).sum()
    }
}
