use std::collections::{BTreeMap, BTreeSet};

use chancery_register::Register;
use chancery_release::Shown;
use chancery_release::manifest::Element;

use crate::facts::{Facts, Gap, Release};
use crate::suppress::{Place, SMALL, Table};

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

/// The register's counts by origin and class, release by release. Before a register was asked there are
/// none, and none is missing.
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
pub struct Counts(Option<BTreeMap<String, Vec<Count>>>);

impl Counts {
    /// What a register says of the releases that it knows, and that have a manifest.
    pub fn read(register: &Register, facts: &Facts) -> Self {
        let mut counts = Self(Some(BTreeMap::new()));
        for release in &facts.releases {
            let Ok(known) = register.counts(release.id()) else {
                continue;
            };
            let classes: Vec<_> = release.classes().collect();
            let counted = known.into_iter().filter_map(|one| {
                let mut classes = classes.iter();
                let (class, ..) = classes.find(|(_, class, _)| class.elements == one.elements)?;
                Some(Count {
                    origin: one.origin.to_owned(),
                    class: *class,
                    subjects: one.subjects,
                })
            });
            counts.insert(release.id(), counted.collect());
        }
        counts
    }

    /// Takes in the counts of a release.
    pub fn insert(&mut self, release: impl Into<String>, counts: Vec<Count>) {
        let all = self.0.get_or_insert_default();
        all.insert(release.into(), counts);
    }

    /// The counts of a release, by class and origin.
    pub(crate) fn of(&self, release: &str) -> Option<BTreeMap<(u32, &str), u64>> {
        let mut by = BTreeMap::new();
        for count in self.0.as_ref()?.get(release)? {
            *by.entry((count.class, count.origin.as_str())).or_default() += count.subjects;
        }
        by.retain(|_, subjects| *subjects > 0);
        Some(by)
    }

    /// Whether there are no counts at all.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(BTreeMap::is_empty)
    }

    /// The releases that the register lacks, although their entries commit to one, and those of which it
    /// says something else than the manifest.
    pub fn gaps(&self, facts: &Facts) -> Vec<Gap> {
        if self.0.is_none() {
            return Vec::new();
        }
        let releases = facts.releases.iter().filter(|r| r.signed().is_some());
        releases
            .filter_map(|release| {
                let problem = match self.of(release.id()) {
                    None if release.logged.people.is_some() => "the register does not have it",
                    Some(counts) if !agrees(release, &counts) => {
                        "the register counts other people than its manifest"
                    }
                    // Releases of before there were registers are in none.
                    None | Some(_) => return None,
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
/// how many are in the other alone. So is one that is about as many as were hidden of an earlier one,
/// and one after a release whose manifest is missing, with which it cannot be compared. Its classes and
/// elements, or its origins, are hidden if one of them would tell something in this way. One with all the
/// counts of an earlier one is shown as that was.
///
/// Sums over releases have only shown parts, so that whatever else is reported, later or under other
/// headings, no difference of sums tells a hidden part. The source is CMS's cell size suppression
/// policy.
///
/// Counts of the same records in three or more releases are not held against each other: where each
/// release is about other people, and a reader knows how their groups overlap, adding some and taking
/// others away may tell a small group.
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

/// Counts out of the same records that are shown, or hidden, already.
#[derive(Default)]
struct Known {
    shown: BTreeSet<u64>,
    hidden: BTreeSet<u64>,
}

impl Known {
    /// Whether a count, shown or hidden, would tell something together with those before it: one that
    /// is shown, by differing by few from another that is shown, or by being, or almost being, what
    /// was hidden; one that is hidden to protect another, by being shown already.
    fn tells(&self, count: u64, is_shown: bool) -> bool {
        let around = || count.saturating_sub(FEW)..=count.saturating_add(FEW);
        if is_shown {
            let mut near = self.shown.range(around());
            return near.any(|other| *other != count) || self.hidden.range(around()).any(|_| true);
        }
        !SMALL.contains(&count) && self.shown.range(around()).any(|_| true)
    }

    fn add(&mut self, count: u64, is_shown: bool) {
        if count > 0 && is_shown {
            self.shown.insert(count);
        } else if count > 0 {
            self.hidden.insert(count);
        }
    }
}

/// By how few two counts must not differ.
const FEW: u64 = *SMALL.end();

/// What others can see already of the releases out of one dataset.
#[derive(Default)]
struct Before {
    people: Known,
    origins: BTreeMap<String, Known>,
    /// What is shown of releases, by all their counts: another with the same is shown alike.
    alike: BTreeMap<AllCounts, OfRelease>,
    /// Whether there is a release of which it cannot be told what was shown.
    gap: bool,
}

/// Every count of a release by what it is of: elements, classes, and cells if the register has them.
type AllCounts = Vec<(Vec<String>, String, u64)>;

fn all_counts(release: &Release, counts: &Counts) -> AllCounts {
    let elements = release.elements();
    let elements = elements.map(|e| (vec![e.element.clone()], "element".to_owned(), e.subjects));
    let classes = release.classes();
    let classes = classes.map(|(_, class, n)| (class.elements.clone(), "class".to_owned(), n));
    let cells = counts.agreed(release).unwrap_or_default().into_iter();
    let cells = cells.map(|((class, origin), n)| (vec![class.to_string()], origin.to_owned(), n));
    elements.chain(classes).chain(cells).collect()
}

impl Before {
    /// Takes note of what is shown and hidden of a release.
    fn add(&mut self, release: &Release, counts: &Counts, shown: &OfRelease) {
        for (count, is_shown) in people_figures(release, shown) {
            self.people.add(count, is_shown);
        }
        for (origin, count, is_shown) in origin_figures(release, counts, shown) {
            let origin = self.origins.entry(origin).or_default();
            origin.add(count, is_shown);
        }
        match release.signed() {
            None => self.gap = true,
            Some(manifest) => {
                self.alike
                    .insert(all_counts(release, counts), shown.clone());
                if let Shown::Count(total) = manifest.subjects.total {
                    self.people.add(total, true);
                }
            }
        }
    }
}

/// Every count of a release's people, elements and classes, and whether it is shown. What is as many as
/// everybody is everybody.
fn people_figures(release: &Release, shown: &OfRelease) -> Vec<(u64, bool)> {
    let everybody = |count: u64| shown.people == Some(count);
    let people = release
        .people()
        .map(|people| (people, shown.people.is_some()));
    let elements = release.elements();
    let elements = elements.map(|e| {
        (
            e.subjects,
            everybody(e.subjects) || shown.elements.contains_key(&e.element),
        )
    });
    let classes = release.classes();
    let classes =
        classes.map(|(number, _, n)| (n, everybody(n) || shown.classes.contains_key(&number)));
    people.into_iter().chain(elements).chain(classes).collect()
}

/// Every count of a release's people of one origin, and whether it is shown.
fn origin_figures(
    release: &Release,
    counts: &Counts,
    shown: &OfRelease,
) -> Vec<(String, u64, bool)> {
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    let by_cell = counts.agreed(release).unwrap_or_default();
    for ((_, origin), people) in &by_cell {
        *totals.entry(origin).or_default() += people;
    }
    let totals = totals
        .into_iter()
        .map(|(origin, n)| (origin.to_owned(), n, shown.origins.contains_key(origin)));
    let cells = by_cell.iter().map(|((class, origin), people)| {
        let is_shown = shown.cells.contains_key(&(*class, (*origin).to_owned()));
        ((*origin).to_owned(), *people, is_shown)
    });
    totals.chain(cells).collect()
}

impl Showing {
    /// Decides for all releases, in the ledger's order: what was shown once stays shown, and what was
    /// hidden stays hidden.
    pub fn of(facts: &Facts, counts: &Counts) -> Self {
        let mut before: BTreeMap<&str, Before> = BTreeMap::new();
        let releases = facts.releases.iter().map(|release| {
            let before = before.entry(release.logged.dataset.as_str()).or_default();
            let shown = show(release, counts, before).unwrap_or_default();
            before.add(release, counts, &shown);
            (release.entry, shown)
        });
        Self(releases.collect())
    }

    pub(crate) fn release(&self, entry: u64) -> Option<&OfRelease> {
        self.0.get(&entry)
    }

    /// Whether others may have the manifest of a release as it is: all its counts of people are shown,
    /// and no count of rows is as small as what is not, or differs by so few from the people it could be of.
    pub(crate) fn shows_manifest(&self, release: &Release, counts: &Counts) -> bool {
        let (Some(manifest), Some(shown)) = (release.signed(), self.release(release.entry)) else {
            return false;
        };
        let (Some(by_cell), Some(everybody)) = (counts.agreed(release), release.people()) else {
            return false;
        };
        let tells =
            |rows: u64, of: u64| SMALL.contains(&rows) || SMALL.contains(&rows.abs_diff(of));
        let of_origin = |origin: &str| -> u64 {
            let cells = by_cell.iter().filter(|((_, of), _)| *of == origin);
            cells.map(|(_, people)| people).sum()
        };
        let people = people_figures(release, shown).into_iter();
        let mut people = people.filter(|(count, _)| *count > 0);
        let mut origins = origin_figures(release, counts, shown).into_iter();
        let mut files = manifest.files.iter();
        let mut tables = manifest.tables.iter();
        shown.people.is_some()
            && people.all(|(_, is_shown)| is_shown)
            && origins.all(|(.., is_shown)| is_shown)
            && !files.any(|file| tells(file.rows, of_origin(&file.origin)))
            && !tables.any(|table| tells(table.released_rows, everybody))
    }
}

/// Nothing, if not even how many people may be shown.
fn show(release: &Release, counts: &Counts, before: &Before) -> Option<OfRelease> {
    let manifest = release.signed()?;
    let people = release.people()?;
    let held_back_few = manifest.subjects.withheld.is_hidden();
    if before.gap || held_back_few {
        return None;
    }
    if let Some(alike) = before.alike.get(&all_counts(release, counts)) {
        return Some(alike.clone());
    }
    if before.people.tells(people, true) {
        return None;
    }
    let mut shown = by_class_and_origin(release, counts)?;
    shown.people = shown.people.filter(|total| *total == people);
    shown.people?;
    show_elements(release, people, &mut shown);
    // The count of everybody was looked at already.
    let mut figures = people_figures(release, &shown).into_iter();
    if figures.any(|(count, is_shown)| count != people && before.people.tells(count, is_shown)) {
        shown.classes.retain(|_, count| *count == people);
        shown.cells.clear();
        shown.elements.retain(|_, count| *count == people);
    }
    let mut figures = origin_figures(release, counts, &shown).into_iter();
    let tells = |origin: &str, count, is_shown| {
        let known = before.origins.get(origin);
        known.is_some_and(|known| known.tells(count, is_shown))
    };
    if figures.any(|(origin, count, is_shown)| tells(&origin, count, is_shown)) {
        shown.origins.clear();
        shown.cells.clear();
    }
    Some(shown)
}

/// The classes of a release, by origin if the register counts them, as a table that is protected by
/// itself.
fn by_class_and_origin(release: &Release, counts: &Counts) -> Option<OfRelease> {
    let classes = release.classes();
    let classes: Vec<(u32, u64)> = classes.map(|(number, _, n)| (number, n)).collect();
    let by_origin = counts.agreed(release);
    let origins: BTreeSet<&str> = by_origin
        .iter()
        .flat_map(|counts| counts.keys().map(|(_, origin)| *origin))
        .collect();
    let row = |(class, people): &(u32, u64)| match &by_origin {
        None => vec![*people],
        Some(counts) => {
            let cell = |origin: &&str| counts.get(&(*class, *origin)).copied().unwrap_or(0);
            origins.iter().map(cell).collect()
        }
    };
    let rows: Vec<Vec<u64>> = classes.iter().map(row).collect();
    let table = Table::new(&rows)?.protect();
    let mut shown = OfRelease {
        people: table.shown(Place::Total),
        ..OfRelease::default()
    };
    for (row, (class, _)) in classes.iter().enumerate() {
        let total = table.shown(Place::Row(row));
        shown.classes.extend(total.map(|n| (*class, n)));
        for (column, origin) in origins.iter().enumerate() {
            let cell = table.shown(Place::Cell(row, column)).filter(|n| *n > 0);
            let cell = cell.map(|n| ((*class, (*origin).to_owned()), n));
            shown.cells.extend(cell);
        }
    }
    for (column, origin) in origins.iter().enumerate() {
        let total = table.shown(Place::Column(column));
        shown
            .origins
            .extend(total.map(|n| ((*origin).to_owned(), n)));
    }
    Some(shown)
}

/// An element is shown where the classes that have it are, or where it is everybody's.
///
/// Mostly its count is the sum of these classes. Where not all of them have a row with it, as in a
/// table of a few people's conditions, it is a count of its own: it is hidden if it is small, or
/// differs by few from another count of the release.
fn show_elements(release: &Release, people: u64, shown: &mut OfRelease) {
    let with = |element: &Element| {
        let classes = release.classes();
        let with = classes.filter(|(_, class, _)| class.elements.contains(&element.element));
        with.map(|(number, _, people)| (number, people))
            .collect::<Vec<_>>()
    };
    let sum = |element: &Element| with(element).iter().map(|(_, n)| n).sum::<u64>();
    let elements = release
        .elements()
        .flat_map(|element| [element.subjects, sum(element)]);
    let classes = release.classes().map(|(_, _, people)| people);
    let all: BTreeSet<u64> = elements.chain(classes).chain([people]).collect();
    for element in release.elements() {
        let count = element.subjects;
        let classes_shown = with(element)
            .iter()
            .all(|(n, _)| shown.classes.contains_key(n));
        let around = count.saturating_sub(FEW)..=count.saturating_add(FEW);
        let apart = !SMALL.contains(&count) && all.range(around).all(|other| *other == count);
        if count == people || classes_shown && (count == sum(element) || apart) {
            shown.elements.insert(element.element.clone(), count);
        }
    }
}
