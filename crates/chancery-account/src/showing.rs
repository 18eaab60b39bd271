use std::collections::{BTreeMap, BTreeSet};

use chancery_release::Shown;

use crate::facts::{Facts, Gap, Release};
use crate::suppress::{Place, Table};

/// How many people of an origin are in a class of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The origin.
    pub origin: String,
    /// The class, by its place in the manifest's list of classes, from 0.
    pub class: u32,
    /// How many people.
    pub subjects: u64,
}

/// The register's counts by origin and class, release by release. A release that the register does
/// not know is simply not in it.
///
/// ```
/// use chancery_account::{Count, Counts};
/// let mut counts = Counts::default();
/// assert!(counts.is_empty());
/// let count = Count { origin: "06".to_owned(), class: 0, subjects: 120 };
/// counts.insert("2026-01-10-dhs-ice-5d6b1a90", vec![count]);
/// assert!(!counts.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Counts(BTreeMap<String, Vec<Count>>);

impl Counts {
    /// Takes in the counts of a release.
    pub fn insert(&mut self, release: impl Into<String>, counts: Vec<Count>) {
        self.0.insert(release.into(), counts);
    }

    /// The counts of a release, by class and origin.
    pub(crate) fn of(&self, release: &str) -> Option<BTreeMap<(u32, &str), u64>> {
        let mut by = BTreeMap::new();
        for count in self.0.get(release)? {
            *by.entry((count.class, count.origin.as_str())).or_default() += count.subjects;
        }
        by.retain(|_, subjects| *subjects > 0);
        Some(by)
    }

    /// Whether there are no counts at all: no register, and so none that is incomplete.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The releases of which the register is missing, or says something else than the manifest.
    pub fn gaps(&self, facts: &Facts) -> Vec<Gap> {
        if self.is_empty() {
            return Vec::new();
        }
        let releases = facts.releases.iter().filter(|r| r.signed().is_some());
        releases
            .filter_map(|release| {
                let problem = match self.of(release.id()) {
                    None => "the register does not have it",
                    Some(counts) if !agrees(release, &counts) => {
                        "the register counts other people than its manifest"
                    }
                    Some(_) => return None,
                };
                Some(Gap {
                    entry: release.entry,
                    release: Some(release.id().to_owned()),
                    problem: problem.to_owned(),
                })
            })
            .collect()
    }

    /// The counts of a release, if they are those of its manifest.
    pub(crate) fn agreed(&self, release: &Release) -> Option<BTreeMap<(u32, &str), u64>> {
        let counts = self.of(release.id())?;
        agrees(release, &counts).then_some(counts)
    }
}

fn agrees(release: &Release, counts: &BTreeMap<(u32, &str), u64>) -> bool {
    let mut by_class: BTreeMap<u32, u64> = BTreeMap::new();
    for ((class, _), subjects) in counts {
        *by_class.entry(*class).or_default() += subjects;
    }
    let signed: BTreeMap<u32, u64> = release
        .classes()
        .map(|(number, _, people)| (number, people))
        .filter(|(_, people)| *people > 0)
        .collect();
    signed == by_class
}

/// What of the counts of people may be shown to others than the custodian: the same for every report,
/// so that no two reports tell together what neither tells.
///
/// Of each release by itself, [`Table`] hides small classes and origins, and what would tell them. A
/// release is hidden altogether if it is about 1 to 10 people, if it held back only 1 to 10, or if
/// it differs by 1 to 10 from an earlier release out of the same dataset: who knows the one would learn
/// how many are in the other alone. Sums over releases have only shown parts, so that whatever else
/// is reported, later or under other headings, no difference of sums tells a hidden part. The source
/// is CMS's cell size suppression policy.
#[derive(Clone, Debug, Default)]
pub struct Showing(BTreeMap<u64, OfRelease>);

/// What of one release may be shown; what is not there is hidden.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfRelease {
    pub(crate) people: Option<u64>,
    pub(crate) elements: BTreeMap<String, u64>,
    pub(crate) classes: BTreeMap<u32, u64>,
    pub(crate) origins: BTreeMap<String, u64>,
    pub(crate) cells: BTreeMap<(u32, String), u64>,
}

/// What is shown already of the releases out of one dataset.
#[derive(Default)]
struct Before {
    people: BTreeSet<u64>,
    origins: BTreeMap<String, BTreeSet<u64>>,
}

impl Showing {
    /// Decides for all releases, in the ledger's order: what was shown once stays shown, and what was
    /// hidden stays hidden.
    pub fn of(facts: &Facts, counts: &Counts) -> Self {
        let mut before: BTreeMap<&str, Before> = BTreeMap::new();
        let releases = facts.releases.iter().map(|release| {
            let before = before.entry(release.logged.dataset.as_str()).or_default();
            let shown = show(release, counts, before).unwrap_or_default();
            before.people.extend(shown.people);
            before.people.extend(shown.elements.values());
            before.people.extend(shown.classes.values());
            for (origin, people) in &shown.origins {
                let origin = before.origins.entry(origin.clone()).or_default();
                origin.insert(*people);
            }
            if let Some(Shown::Count(total)) = release.signed().map(|m| &m.subjects.total) {
                before.people.insert(*total);
            }
            (release.entry, shown)
        });
        Self(releases.collect())
    }

    pub(crate) fn release(&self, entry: u64) -> Option<&OfRelease> {
        self.0.get(&entry)
    }
}

/// Whether two counts of people out of the same records differ by so few that the difference is not
/// to be known.
fn is_near(people: u64, known: &BTreeSet<u64>) -> bool {
    let around = people.saturating_sub(10)..=people.saturating_add(10);
    known.range(around).any(|other| *other != people)
}

/// Nothing, if not even how many people may be shown.
fn show(release: &Release, counts: &Counts, before: &Before) -> Option<OfRelease> {
    let manifest = release.signed()?;
    let people = release.people()?;
    let held_back_few = manifest.subjects.withheld.is_hidden();
    if held_back_few || is_near(people, &before.people) {
        return None;
    }
    let classes: Vec<(u32, u64)> = release
        .classes()
        .map(|(n, _, people)| (n, people))
        .collect();
    let by_origin = counts.agreed(release);
    let origins: BTreeSet<&str> = by_origin
        .iter()
        .flat_map(|counts| counts.keys().map(|(_, origin)| *origin))
        .collect();
    let rows: Vec<Vec<u64>> = classes
        .iter()
        .map(|(class, people)| match &by_origin {
            None => vec![*people],
            Some(counts) => {
                let cell = |origin: &&str| counts.get(&(*class, *origin)).copied().unwrap_or(0);
                origins.iter().map(cell).collect()
            }
        })
        .collect();
    let mut table = Table::new(&rows)?;
    for (column, origin) in origins.iter().enumerate() {
        let here = by_origin.iter().flatten();
        let total: u64 = here.filter(|((_, o), _)| o == origin).map(|(_, n)| n).sum();
        let known = before.origins.get(*origin);
        if known.is_some_and(|known| is_near(total, known)) {
            let around = total.saturating_sub(10).max(1)..=total + 10;
            table = table.guarded(Place::Column(column), around);
        }
    }
    let table = table.protect();
    let mut shown = OfRelease {
        people: Some(table.shown(Place::Total).filter(|total| *total == people)?),
        ..OfRelease::default()
    };
    for (row, (class, _)) in classes.iter().enumerate() {
        shown
            .classes
            .extend(table.shown(Place::Row(row)).map(|n| (*class, n)));
        for (column, origin) in origins.iter().enumerate() {
            let cell = table.shown(Place::Cell(row, column)).filter(|n| *n > 0);
            shown
                .cells
                .extend(cell.map(|n| ((*class, (*origin).to_owned()), n)));
        }
    }
    for (column, origin) in origins.iter().enumerate() {
        let total = table.shown(Place::Column(column));
        shown
            .origins
            .extend(total.map(|n| ((*origin).to_owned(), n)));
    }
    show_elements(release, people, before, &mut shown);
    Some(shown)
}

/// An element's count is the sum of the classes that have it: it is shown where they are, or where it
/// is everybody.
fn show_elements(release: &Release, people: u64, before: &Before, shown: &mut OfRelease) {
    let differs = |count: u64| count != people && is_near(count, &before.people);
    let elements = release.elements().map(|element| element.subjects);
    let classes = release.classes().map(|(_, _, people)| people);
    if elements.chain(classes).any(differs) {
        shown.classes.clear();
        shown.cells.clear();
    }
    for element in release.elements() {
        let mut classes = release.classes();
        let with =
            |class: &chancery_release::manifest::Class| class.elements.contains(&element.element);
        let all_shown =
            classes.all(|(number, class, _)| !with(class) || shown.classes.contains_key(&number));
        if element.subjects == people || all_shown {
            shown
                .elements
                .insert(element.element.clone(), element.subjects);
        }
    }
}
