use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chancery_model::{Domain, Signature, UNKNOWN};

use super::records::{Carried, Records};
use super::{Difference, Example, Said};
use crate::Effect;
use crate::enumerate::{People, Period};

/// Names that no law tells apart: who gives to whom, for what.
pub(super) struct Flow<'a> {
    pub(super) custodians: &'a [String],
    pub(super) recipients: &'a [String],
    pub(super) purposes: &'a [String],
}

type Names = BTreeSet<String>;

/// The provisions that speak.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Causes {
    lets_go: Names,
    holds_back: Names,
}

impl Causes {
    fn add(&mut self, other: Self) {
        self.lets_go.extend(other.lets_go);
        self.holds_back.extend(other.holds_back);
    }
}

/// Everything that differs alike, in a product of names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    custodians: Names,
    recipients: Names,
    purposes: Names,
    elements: Names,
    /// By number.
    people: usize,
    causes: Causes,
}

/// Gained or lost.
#[derive(Clone, Copy)]
enum Direction {
    Gained,
    Lost,
}

/// What differs, on all days.
#[derive(Default)]
pub(super) struct Rows {
    people: Vec<Arc<People>>,
    numbers: HashMap<Arc<People>, usize>,
    gained: BTreeMap<Key, Vec<Period>>,
    lost: BTreeMap<Key, Vec<Period>>,
    of_old: Carried,
    of_new: Carried,
}

/// One custodian, recipient and purpose by their classes' names, with what differs by people.
type Flows = BTreeMap<(Names, Names, Names), BTreeMap<Arc<Numbered>, (Names, Causes)>>;

/// People that can be a key: told apart by the order in which they were met.
#[derive(Debug)]
struct Numbered {
    at: usize,
    people: Arc<People>,
}

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Numbered {}

impl PartialOrd for Numbered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Numbered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// Who gains and who loses.
type Differing = [Option<Arc<Numbered>>; 2];

/// What differs on one day.
pub(super) struct Day<'a> {
    records: &'a Records,
    period: Option<Period>,
    of_old: Carried,
    of_new: Carried,
    nobody: Arc<People>,
    /// Who gains and who loses, by the sets that are released before and after.
    known: HashMap<(Arc<People>, Arc<People>), Differing>,
    numbers: HashMap<Arc<People>, Arc<Numbered>>,
    gained: Flows,
    lost: Flows,
}

impl<'a> Day<'a> {
    /// Takes along what `rows` carried over before, until [`Day::finish`].
    pub(super) fn new(records: &'a Records, period: Option<Period>, rows: &mut Rows) -> Self {
        Self {
            nobody: Arc::new(People::none(records.domain())),
            records,
            period,
            of_old: std::mem::take(&mut rows.of_old),
            of_new: std::mem::take(&mut rows.of_new),
            known: HashMap::new(),
            numbers: HashMap::new(),
            gained: Flows::new(),
            lost: Flows::new(),
        }
    }

    /// Compares what two laws say of one flow and one kind of element.
    pub(super) fn cell(
        &mut self,
        flow: &Flow<'_>,
        elements: &[String],
        old: &Said<'_>,
        new: &Said<'_>,
    ) {
        let [gained, lost] = self.differ(old, new);
        if let Some(people) = gained {
            let causes = self.causes(&people, new, old, Direction::Gained);
            add(&mut self.gained, flow, elements, people, causes);
        }
        if let Some(people) = lost {
            let causes = self.causes(&people, old, new, Direction::Lost);
            add(&mut self.lost, flow, elements, people, causes);
        }
    }

    fn differ(&mut self, old: &Said<'_>, new: &Said<'_>) -> Differing {
        if let (Some(before), Some(after)) = (old.released(), new.released())
            && self.records.are_same()
            && before == after
        {
            return [None, None];
        }
        let before = match old.released() {
            Some(people) => self.records.of_old(people, &mut self.of_old),
            None => Arc::clone(&self.nobody),
        };
        let after = match new.released() {
            Some(people) => self.records.of_new(people, &mut self.of_new),
            None => Arc::clone(&self.nobody),
        };
        if before == after {
            return [None, None];
        }
        let key = (Arc::clone(&before), Arc::clone(&after));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let found = [after.without(&before), before.without(&after)];
        let found = found.map(|people| (!people.is_empty()).then(|| self.numbered(people)));
        self.known.insert(key, found.clone());
        found
    }

    fn numbered(&mut self, people: People) -> Arc<Numbered> {
        let people = Arc::new(people);
        let at = self.numbers.len();
        let numbered = self.numbers.entry(Arc::clone(&people));
        Arc::clone(numbered.or_insert_with(|| Arc::new(Numbered { at, people })))
    }

    /// The permits of the law that lets it go, and the forbids of the one that does not.
    fn causes(
        &mut self,
        people: &Numbered,
        letting: &Said<'_>,
        holding: &Said<'_>,
        direction: Direction,
    ) -> Causes {
        let mut speaking = |said: &Said<'_>, effect: Effect, is_old: bool| {
            let mut names = Names::new();
            for (id, whom) in said.speaking(effect) {
                let whom = if is_old {
                    self.records.of_old(whom, &mut self.of_old)
                } else {
                    self.records.of_new(whom, &mut self.of_new)
                };
                if !whom.is_disjoint(&people.people) {
                    names.insert(id.to_owned());
                }
            }
            names
        };
        let letting_is_old = matches!(direction, Direction::Lost);
        Causes {
            lets_go: speaking(letting, Effect::Permit, letting_is_old),
            holds_back: speaking(holding, Effect::Forbid, !letting_is_old),
        }
    }

    /// Adds the day to all days, grouped for reading.
    pub(super) fn finish(self, rows: &mut Rows) {
        rows.of_old = self.of_old;
        rows.of_new = self.of_new;
        for (flows, direction) in [
            (self.gained, Direction::Gained),
            (self.lost, Direction::Lost),
        ] {
            for (people, product) in grouped(flows) {
                let Product {
                    custodians,
                    recipients,
                    purposes,
                    elements,
                    causes,
                } = product;
                let key = Key {
                    custodians,
                    recipients,
                    purposes,
                    elements,
                    people: rows.number(&people.people),
                    causes,
                };
                let side = match direction {
                    Direction::Gained => &mut rows.gained,
                    Direction::Lost => &mut rows.lost,
                };
                side.entry(key).or_default().extend(self.period);
            }
        }
    }
}

/// Adds elements of a flow that differ.
fn add(
    flows: &mut Flows,
    flow: &Flow<'_>,
    elements: &[String],
    people: Arc<Numbered>,
    causes: Causes,
) {
    let names = |names: &[String]| names.iter().cloned().collect::<Names>();
    let key = (
        names(flow.custodians),
        names(flow.recipients),
        names(flow.purposes),
    );
    let entry = flows.entry(key).or_default().entry(people).or_default();
    entry.0.extend(elements.iter().cloned());
    entry.1.add(causes);
}

/// A product of names.
struct Product {
    custodians: Names,
    recipients: Names,
    purposes: Names,
    elements: Names,
    causes: Causes,
}

/// Flows about the same people and elements in as few products of names as merging one dimension
/// after the other finds.
fn grouped(flows: Flows) -> Vec<(Arc<Numbered>, Product)> {
    let mut products: Vec<(Arc<Numbered>, Product)> = Vec::new();
    for ((custodians, recipients, purposes), by_people) in flows {
        for (people, (elements, causes)) in by_people {
            let product = Product {
                custodians: custodians.clone(),
                recipients: recipients.clone(),
                purposes: purposes.clone(),
                elements,
                causes,
            };
            products.push((people, product));
        }
    }
    let products = merged(products, |product| &mut product.purposes);
    let products = merged(products, |product| &mut product.recipients);
    merged(products, |product| &mut product.custodians)
}

/// Merges products that differ in one dimension alone.
fn merged(
    products: Vec<(Arc<Numbered>, Product)>,
    dimension: fn(&mut Product) -> &mut Names,
) -> Vec<(Arc<Numbered>, Product)> {
    type Rest = (Arc<Numbered>, Names, Names, Names, Names);
    let mut known: BTreeMap<Rest, (Names, Causes)> = BTreeMap::new();
    let mut order: Vec<Rest> = Vec::new();
    for (people, mut product) in products {
        let names = std::mem::take(dimension(&mut product));
        let rest = (
            people,
            product.custodians,
            product.recipients,
            product.purposes,
            product.elements,
        );
        let entry = known.entry(rest.clone()).or_insert_with(|| {
            order.push(rest);
            Default::default()
        });
        entry.0.extend(names);
        entry.1.add(product.causes);
    }
    let rebuilt = order.into_iter().filter_map(|rest| {
        let (names, causes) = known.remove(&rest)?;
        let (people, custodians, recipients, purposes, elements) = rest;
        let mut product = Product {
            custodians,
            recipients,
            purposes,
            elements,
            causes,
        };
        *dimension(&mut product) = names;
        Some((people, product))
    });
    rebuilt.collect()
}

impl Rows {
    fn number(&mut self, people: &Arc<People>) -> usize {
        let next = self.people.len();
        let at = *self.numbers.entry(Arc::clone(people)).or_insert(next);
        if at == next {
            self.people.push(Arc::clone(people));
        }
        at
    }

    /// What is gained and what is lost, most people first.
    pub(super) fn differences(self, records: &Records) -> (Vec<Difference>, Vec<Difference>) {
        let domain = records.domain();
        let words: Vec<_> = self
            .people
            .iter()
            .map(|people| people.predicate(domain))
            .collect();
        let side = |rows: BTreeMap<Key, Vec<Period>>| {
            let found = rows.into_iter().filter_map(|(key, periods)| {
                let people = self.people.get(key.people)?;
                let first = |names: &Names| names.first().cloned();
                let example = Example {
                    custodian: first(&key.custodians)?,
                    recipient: first(&key.recipients)?,
                    purpose: first(&key.purposes)?,
                    element: first(&key.elements)?,
                    record: domain.describe(&plainest(people, domain)?),
                };
                Some(Difference {
                    when: words.get(key.people)?.clone(),
                    people: Arc::clone(people),
                    example,
                    custodians: key.custodians.into_iter().collect(),
                    recipients: key.recipients.into_iter().collect(),
                    purposes: key.purposes.into_iter().collect(),
                    elements: key.elements.into_iter().collect(),
                    lets_go: key.causes.lets_go,
                    holds_back: key.causes.holds_back,
                    periods: joined(periods),
                })
            });
            let mut found: Vec<Difference> = found.collect();
            // In the order of time; what is of the same days by how many it is about.
            found.sort_by_key(|one| {
                let days = one.periods.iter().map(|period| (period.from, period.until));
                (
                    days.collect::<Vec<_>>(),
                    std::cmp::Reverse(one.people.len()),
                )
            });
            found
        };
        let lost = side(self.lost);
        (side(self.gained), lost)
    }
}

/// The combination of which least is unknown.
fn plainest(people: &People, domain: &Domain) -> Option<Signature> {
    let unknown = |record: &Signature| {
        let values = domain.describe(record);
        values.values().filter(|value| *value == UNKNOWN).count()
    };
    people.iter().min_by_key(unknown)
}

/// Periods that follow each other are one.
fn joined(mut periods: Vec<Period>) -> Vec<Period> {
    periods.sort_unstable();
    let mut joined: Vec<Period> = Vec::new();
    for period in periods {
        let follows = |last: &Period| last.until.and_then(|day| day.tomorrow().ok());
        match joined.last_mut() {
            Some(last) if follows(last) == Some(period.from) => last.until = period.until,
            _ => joined.push(period),
        }
    }
    joined
}
