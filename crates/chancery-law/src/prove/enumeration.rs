//! The prover that looks at every case.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use chancery_model::{Domain, Signature};
use jiff::civil::Date;

use crate::enumerate::{At, Kind, People, Period, Questions};
use crate::prove::cells::{Cells, Class};
use crate::prove::{
    Claim, Counterexample, Finding, Report, Silence, Unasserted, Vacuity, Verdict, Weight, replay,
};
use crate::{Agency, Assertion, AssertionKind, Error, LawPack, PackLayer, Side, SignOff};

impl LawPack {
    /// Holds every assertion against every question that the pack can be asked, as if all of its
    /// instruments were signed off.
    ///
    /// # Errors
    ///
    /// [`Error::Untranslatable`] or [`Error::Schema`] when the pack cannot be enumerated: then
    /// nothing is proved.
    pub fn prove(&self, claim: &Claim) -> Result<Report, Error> {
        let asked = |id: &str| claim.instrument.as_deref().is_none_or(|only| only == id);
        let assertions: Vec<&Assertion> = self
            .instruments()
            .iter()
            .filter(|instrument| asked(&instrument.id))
            .flat_map(|instrument| &instrument.assertions)
            .filter(|assertion| claim.on.is_none_or(|day| assertion.on(day)))
            .collect();
        let named: BTreeSet<&str> = assertions
            .iter()
            .flat_map(|a| a.custodians.paths().chain(a.recipients.paths()))
            .collect();
        let questions = self.questions(&named.into_iter().collect::<Vec<_>>())?;
        let mut periods = self.periods();
        if let Some(day) = claim.on {
            periods.retain(|period| {
                period.from <= day && period.until.is_none_or(|until| day <= until)
            });
        }
        let prover = Prover {
            pack: self,
            questions: &questions,
            agencies: questions
                .every_agency()
                .iter()
                .map(|agency| (agency.path.as_str(), agency))
                .collect(),
            regions: assertions
                .iter()
                .map(|assertion| Region::new(assertion, &questions, self))
                .collect(),
            departments: departments(questions.every_agency()),
            on: claim.on,
            everybody: OnceLock::new(),
        };
        let found = prover.run(&periods)?;
        let mut findings = Vec::new();
        for (assertion, tally) in assertions.iter().zip(&found.tallies) {
            findings.push(prover.finding(assertion, tally)?);
        }
        let (provisions, interpretations) = self.idle(claim, &found.weights)?;
        let actions = questions.actions().len() as u128;
        Ok(Report {
            pack: self.name.clone(),
            version: self.version.clone(),
            digest: self.digest.to_string(),
            layers: self.layers.iter().map(PackLayer::used).collect(),
            on: claim.on,
            cases: questions.cases() * actions * periods.len() as u128,
            periods: periods.len(),
            actions: questions.actions().to_vec(),
            classes: found.classes,
            provers: vec!["enumeration".to_owned()],
            not_asked: None,
            assertions: findings,
            unasserted: self
                .instruments()
                .iter()
                .filter(|instrument| asked(&instrument.id) && instrument.assertions.is_empty())
                .map(|instrument| Unasserted {
                    instrument: instrument.id.clone(),
                    why: if instrument.provisions.is_empty() {
                        Silence::NoProvision
                    } else {
                        Silence::NoAssertion
                    },
                })
                .collect(),
            provisions,
            interpretations,
            errs: None,
        })
    }
}

/// An assertion with what of the vocabulary it speaks of.
struct Region<'a> {
    assertion: &'a Assertion,
    custodians: BTreeSet<&'a str>,
    recipients: BTreeSet<&'a str>,
    purposes: BTreeSet<&'a str>,
    /// The people, by the jurisdictions of custodian and recipient where they depend on them.
    people: BTreeMap<[Option<&'a BTreeSet<String>>; 2], Arc<People>>,
    sides: [Option<Side>; 2],
    /// Which layer of the law it is of.
    layer: usize,
}

impl<'a> Region<'a> {
    fn new(assertion: &'a Assertion, questions: &'a Questions, pack: &'a LawPack) -> Self {
        let agencies = |scopes: &crate::Scopes| -> Vec<&'a Agency> {
            let agencies = questions.every_agency().iter();
            agencies
                .filter(|agency| scopes.holds(&agency.path, &agency.within))
                .collect()
        };
        let custodians = agencies(&assertion.custodians);
        let recipients = agencies(&assertion.recipients);
        let sides = [Side::Custodian, Side::Recipient].map(|side| {
            let mut people = assertion.people.iter();
            people
                .any(|one| one.own.contains_key(&side))
                .then_some(side)
        });
        let mut region = Self {
            people: BTreeMap::new(),
            sides,
            layer: pack.layer_of(&assertion.id).unwrap_or_default(),
            custodians: custodians.iter().map(|a| a.path.as_str()).collect(),
            recipients: recipients.iter().map(|a| a.path.as_str()).collect(),
            purposes: pack
                .vocabulary()
                .purposes()
                .iter()
                .filter(|purpose| assertion.purposes.holds(&purpose.path, &purpose.within))
                .map(|purpose| purpose.path.as_str())
                .collect(),
            assertion,
        };
        for custodian in &custodians {
            for recipient in &recipients {
                let key = region.key(custodian, recipient);
                region
                    .people
                    .entry(key)
                    .or_insert_with(|| Arc::new(people(assertion, custodian, recipient, pack)));
            }
        }
        region
    }

    /// The jurisdictions that it matters whose own records they are.
    fn key(
        &self,
        custodian: &'a Agency,
        recipient: &'a Agency,
    ) -> [Option<&'a BTreeSet<String>>; 2] {
        let [of_custodian, of_recipient] = self.sides;
        [
            of_custodian.map(|_| &custodian.jurisdiction),
            of_recipient.map(|_| &recipient.jurisdiction),
        ]
    }
}

/// Those whom an assertion speaks of.
fn people(assertion: &Assertion, custodian: &Agency, recipient: &Agency, pack: &LawPack) -> People {
    let domain = pack.domain();
    let origin = domain.attribute(&pack.classification().origin);
    let origin = origin.map_or(0, |(at, _)| at);
    assertion
        .boxes(custodian, recipient, domain, origin)
        .iter()
        .fold(People::none(domain), |all, values| {
            all.or(&People::within(domain, values))
        })
}

/// Some values of one kind that an assertion speaks of.
struct Place<'a> {
    kind: usize,
    example: &'a str,
    members: u128,
}

/// Everything that is known of an assertion so far.
#[derive(Clone, Default)]
struct Tally {
    cases: u128,
    permitted: bool,
    /// A layer above holds back some of what must always leave.
    narrowed: bool,
    /// The smallest counterexample.
    broken: Option<Broken>,
}

/// A counterexample, in the order of preference: the first day, a record of which the least is known,
/// with the earliest values, and the first request. Of what is to be barred, the first choice is one
/// that leaves, then agencies that are no departments, then the last day.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Broken {
    stays: bool,
    departments: usize,
    last: Option<Reverse<Date>>,
    on: Date,
    known: usize,
    person: Vec<u8>,
    action: usize,
    at: At,
    custodian: String,
    recipient: String,
    purpose: String,
    element: String,
}

#[derive(Default)]
struct Found {
    tallies: Vec<Tally>,
    weights: BTreeMap<String, Weight>,
    classes: u64,
}

struct Prover<'a> {
    pack: &'a LawPack,
    questions: &'a Questions,
    agencies: BTreeMap<&'a str, &'a Agency>,
    /// Agencies that others are within, and that are within none.
    departments: BTreeSet<&'a str>,
    regions: Vec<Region<'a>>,
    on: Option<Date>,
    /// Everybody in the order of preference for a counterexample.
    everybody: OnceLock<Vec<(usize, Signature)>>,
}

impl Prover<'_> {
    /// Looks at every period and action, on all processors.
    fn run(&self, periods: &[Period]) -> Result<Found, Error> {
        let jobs: Vec<(Period, usize)> = periods
            .iter()
            .flat_map(|period| (0..self.questions.actions().len()).map(|action| (*period, action)))
            .collect();
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Found {
            tallies: vec![Tally::default(); self.regions.len()],
            ..Found::default()
        });
        let lost = || Error::Schema("a worker of the prover failed".to_owned());
        let work = || {
            while let Some((period, action)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let part = self.look(*period, *action)?;
                let mut all = found.lock().map_err(|_| lost())?;
                all.add(part);
            }
            Ok(())
        };
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let results: Vec<Result<(), Error>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| Err(lost())))
                .collect()
        });
        results.into_iter().collect::<Result<(), Error>>()?;
        found.into_inner().map_err(|_| lost())
    }

    /// Looks at every case of a period and an action.
    fn look(&self, period: Period, action: usize) -> Result<Found, Error> {
        let day = self.on.unwrap_or(match period.until {
            // All of the past has no first day; the last one stands for it.
            Some(until) if period.from == Date::MIN => until,
            _ => period.from,
        });
        let name = self.questions.actions().get(action).map_or("", |a| a);
        let law = self.pack.in_force(day, SignOff::Demonstration)?;
        let cells = Cells::new(law.answers(self.questions, name)?, self.pack);
        let mut found = Found {
            classes: cells.classes.len() as u64,
            weights: cells.weights(self.pack).into_iter().collect(),
            ..Found::default()
        };
        for region in &self.regions {
            let mut tally = Tally::default();
            let first = self.first_day(region.assertion, period, day);
            if let Some(on) = first
                && region.assertion.actions.iter().any(|known| known == name)
            {
                let case = Case {
                    prover: self,
                    cells: &cells,
                    region,
                    on,
                    action,
                };
                case.look(&mut tally);
            }
            found.tallies.push(tally);
        }
        Ok(found)
    }

    /// The person of whom the least is known, and of how many attributes something is.
    fn least(&self, people: &People) -> Option<(usize, &Signature)> {
        if people.is_empty() {
            return None;
        }
        let everybody = self
            .everybody
            .get_or_init(|| by_knowledge(self.pack.domain()));
        let mut everybody = everybody.iter();
        let (known, person) = everybody.find(|(_, person)| people.holds(person))?;
        Some((*known, person))
    }

    /// The first day of a period of which an assertion speaks.
    fn first_day(&self, assertion: &Assertion, period: Period, day: Date) -> Option<Date> {
        if self.on.is_some() {
            return assertion.on(day).then_some(day);
        }
        let from = assertion.from.map_or(period.from, |f| f.max(period.from));
        let over = period.until.is_some_and(|until| until < from)
            || assertion.until.is_some_and(|until| until < from);
        let last = [period.until, assertion.until].into_iter().flatten().min();
        let first = match last {
            Some(last) if from == Date::MIN => last,
            _ => from,
        };
        (!over).then_some(first)
    }

    fn finding(&self, assertion: &Assertion, tally: &Tally) -> Result<Finding, Error> {
        let enumeration = match &tally.broken {
            Some(broken) => {
                let example = self.example(broken);
                replay(self.pack, assertion.kind, example)?
            }
            None => Verdict::Holds,
        };
        let vacuous = match (&enumeration, assertion.kind) {
            _ if tally.cases == 0 => Some(Vacuity::Empty),
            (Verdict::Holds, AssertionKind::Never) if !tally.permitted => {
                Some(Vacuity::NothingPermitted)
            }
            _ => None,
        };
        Ok(Finding {
            assertion: assertion.id.clone(),
            clause: assertion.clause.clone(),
            says: assertion.says.clone(),
            kind: assertion.kind,
            cases: tally.cases,
            enumeration,
            symbolic: None,
            vacuous,
            narrowed: tally.narrowed,
        })
    }

    fn example(&self, broken: &Broken) -> Counterexample {
        let person = Signature::new(broken.person.clone());
        Counterexample {
            on: broken.on,
            action: self
                .questions
                .actions()
                .get(broken.action)
                .cloned()
                .unwrap_or_default(),
            custodian: broken.custodian.clone(),
            recipient: broken.recipient.clone(),
            purpose: broken.purpose.clone(),
            element: broken.element.clone(),
            record: self.pack.domain().describe(&person),
            by: Vec::new(),
        }
    }
}

impl Found {
    fn add(&mut self, part: Self) {
        self.classes += part.classes;
        for (id, weight) in part.weights {
            self.weights.entry(id).or_default().add(weight);
        }
        for (all, part) in self.tallies.iter_mut().zip(part.tallies) {
            all.add(part);
        }
    }
}

impl Tally {
    fn add(&mut self, part: Self) {
        self.cases += part.cases;
        self.permitted |= part.permitted;
        self.narrowed |= part.narrowed;
        self.broken = match (self.broken.take(), part.broken) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// One assertion under the law of a period.
struct Case<'a> {
    prover: &'a Prover<'a>,
    cells: &'a Cells,
    region: &'a Region<'a>,
    on: Date,
    action: usize,
}

/// For each class of cells that was met, the request where it was met first; for what is to be barred
/// the first with the fewest departments, of which this is the number.
type Met<'a> = BTreeMap<usize, (usize, At, [&'a str; 4])>;

impl<'a> Case<'a> {
    fn look(&self, tally: &mut Tally) {
        let space = self.cells.answers.space();
        let region = self.region;
        let [of_custodian, of_recipient] = region.sides;
        let custodians = self.agencies(&space.custodians, &region.custodians, of_custodian);
        let recipients = self.agencies(&space.recipients, &region.recipients, of_recipient);
        let purposes = places(&space.purposes, |name| region.purposes.contains(name));
        let elements = places(&space.elements, |name| {
            region.assertion.elements.contains(name)
        });
        let members = |places: &[Place]| places.iter().map(|place| place.members).sum::<u128>();
        let named = members(&purposes) * members(&elements);
        let mut met: BTreeMap<*const People, (&Arc<People>, Met<'a>)> = BTreeMap::new();
        for custodian in &custodians {
            for recipient in &recipients {
                let Some(people) = self.people(custodian.example, recipient.example) else {
                    continue;
                };
                tally.cases +=
                    custodian.members * recipient.members * named * u128::from(people.len());
                let (_, met) = met
                    .entry(Arc::as_ptr(people))
                    .or_insert((people, Met::new()));
                let departments =
                    self.departments(custodian.example) + self.departments(recipient.example);
                for purpose in &purposes {
                    for element in &elements {
                        let at = At {
                            custodian: custodian.kind,
                            recipient: recipient.kind,
                            purpose: purpose.kind,
                            element: element.kind,
                        };
                        if let Some(class) = self.cells.class(at) {
                            let request = || {
                                let request = [custodian, recipient, purpose, element];
                                (departments, at, request.map(|place| place.example))
                            };
                            let known = met.entry(class).or_insert_with(request);
                            if departments < known.0 {
                                *known = request();
                            }
                        }
                    }
                }
            }
        }
        for (people, met) in met.values() {
            self.hold(met, people, tally);
        }
    }

    /// One for a department of which it matters that it is one: of what is to be barred.
    fn departments(&self, agency: &str) -> usize {
        usize::from(
            self.region.assertion.kind == AssertionKind::Barred
                && self.prover.departments.contains(agency),
        )
    }

    fn people(&self, custodian: &str, recipient: &str) -> Option<&'a Arc<People>> {
        let agencies = &self.prover.agencies;
        let key = self
            .region
            .key(agencies.get(custodian)?, agencies.get(recipient)?);
        self.region.people.get(&key)
    }

    /// The agencies in scope: one place for each kind, and for each jurisdiction where it matters
    /// whose own records they are.
    fn agencies(
        &self,
        kinds: &'a [Kind],
        scope: &BTreeSet<&str>,
        own: Option<Side>,
    ) -> Vec<Place<'a>> {
        if own.is_none() {
            let mut found = places(kinds, |name| scope.contains(name));
            for place in &mut found {
                let members = kinds.get(place.kind).map_or(&[][..], |kind| &kind.members);
                let mut members = members.iter().filter(|name| scope.contains(name.as_str()));
                if let Some(plain) = members.find(|name| self.departments(name) == 0) {
                    place.example = plain;
                }
            }
            return found;
        }
        let mut found = Vec::new();
        for (kind, one) in kinds.iter().enumerate() {
            let mut by: BTreeMap<Option<&BTreeSet<String>>, Place<'a>> = BTreeMap::new();
            for name in one
                .members
                .iter()
                .filter(|name| scope.contains(name.as_str()))
            {
                let agency = self.prover.agencies.get(name.as_str());
                let place = by
                    .entry(agency.map(|agency| &agency.jurisdiction))
                    .or_insert(Place {
                        kind,
                        example: name,
                        members: 0,
                    });
                place.members += 1;
            }
            found.extend(by.into_values());
        }
        found
    }

    fn domain(&self) -> &Domain {
        self.prover.pack.domain()
    }

    /// Holds the assertion against the classes that were met.
    fn hold(&self, met: &Met<'_>, people: &People, tally: &mut Tally) {
        for (class, (departments, at, names)) in met {
            let Some(class) = self.cells.classes.get(*class) else {
                continue;
            };
            tally.permitted |= !class.permitted.is_disjoint(people);
            let kind = self.region.assertion.kind;
            let against = against(kind, class, self.region.layer, people);
            tally.narrowed |= kind == AssertionKind::Always
                && against.is_empty()
                && !people.without(&class.released).is_empty();
            // What nothing bars and a permit lets go weighs more than what nobody may have anyway.
            let leaving = match kind {
                AssertionKind::Barred => against.and(&class.released),
                AssertionKind::Never | AssertionKind::Always => People::none(self.domain()),
            };
            let stays = leaving.is_empty();
            let least = self.prover.least(if stays { &against } else { &leaving });
            if let Some((known, person)) = least {
                let [custodian, recipient, purpose, element] = names.map(str::to_owned);
                let broken = Broken {
                    stays,
                    departments: *departments,
                    last: (kind == AssertionKind::Barred).then_some(Reverse(self.on)),
                    on: self.on,
                    known,
                    person: person.values().to_vec(),
                    action: self.action,
                    at: *at,
                    custodian,
                    recipient,
                    purpose,
                    element,
                };
                tally.add(Tally {
                    broken: Some(broken),
                    ..Tally::default()
                });
            }
        }
    }
}

/// Agencies that others are within, and that are within none.
fn departments(agencies: &[Agency]) -> BTreeSet<&str> {
    let outer = agencies.iter().flat_map(|agency| &agency.within);
    let outer: BTreeSet<&str> = outer.map(String::as_str).collect();
    let paths = agencies.iter().filter(|agency| agency.within.is_empty());
    let paths = paths.map(|agency| agency.path.as_str());
    paths.filter(|path| outer.contains(path)).collect()
}

fn places<'a>(kinds: &'a [Kind], within: impl Fn(&str) -> bool) -> Vec<Place<'a>> {
    let place = |(kind, one): (usize, &'a Kind)| {
        let mut members = one.members.iter().filter(|name| within(name));
        let example = members.next()?;
        Some(Place {
            kind,
            example,
            members: 1 + members.count() as u128,
        })
    };
    kinds.iter().enumerate().filter_map(place).collect()
}

/// Those of `people` for whom the assertion does not hold.
fn against(kind: AssertionKind, class: &Class, layer: usize, people: &People) -> People {
    match kind {
        AssertionKind::Never => people.and(&class.released),
        AssertionKind::Barred => people.without(&class.barred),
        AssertionKind::Always => people.without(&class.released_up_to(layer)),
    }
}

/// Everybody, those of whom the least is known first, then by the earliest values.
fn by_knowledge(domain: &Domain) -> Vec<(usize, Signature)> {
    let known = |person: &Signature| {
        let values = person.values().iter().enumerate();
        values
            .filter(|(at, value)| domain.unknown(*at) != **value)
            .count()
    };
    let all = People::all(domain);
    let mut everybody: Vec<(usize, Signature)> =
        all.iter().map(|person| (known(&person), person)).collect();
    everybody.sort_by(|(a, one), (b, other)| (a, one.values()).cmp(&(b, other.values())));
    everybody
}
