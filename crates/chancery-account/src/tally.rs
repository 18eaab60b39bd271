mod order;

use std::collections::{BTreeMap, BTreeSet};

use chancery_release::entry::{Disclosure, Suspended};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::amount::{Amount, Part};
use crate::facts::{At, Facts, Gap, Release};
use crate::showing::{Counts, OfRelease, Showing};

pub use order::{Law, OrderAccount, Span};

/// What an account is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum About {
    /// What an agency received, and every agency within it.
    Recipient {
        /// Its path.
        agency: String,
    },
    /// What left of the flows that an instrument bars or lets go, before and after it.
    Order {
        /// Its id.
        instrument: String,
    },
    /// One release, or one refusal.
    Release {
        /// Its id.
        id: String,
    },
    /// Everything from one day to another.
    Period {
        /// The first day; the earliest that there is stands for an open start.
        #[serde(serialize_with = "unless_open")]
        from: Date,
        /// The last; the latest that there is stands for an open end.
        #[serde(serialize_with = "unless_open")]
        to: Date,
    },
}

/// A day, or nothing for one that stands for an open start or end.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "Serde calls it so")]
fn unless_open<S: serde::Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    let set = Some(day).filter(|day| ![&Date::MIN, &Date::MAX].contains(day));
    set.serialize(serializer)
}

/// Whose copy an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Copy {
    /// The custodian's own: every count as it is.
    Custodian,
    /// For others: small counts are suppressed, and what would tell them.
    Others,
}

/// A count with what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// How many.
    pub count: Amount,
    /// The entries of the ledger that it rests on.
    pub entries: Vec<u64>,
}

/// What left under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The heading.
    pub key: String,
    /// How many releases.
    pub releases: Figure,
    /// How many people, each counted once in each release: the disclosures that must be accounted for.
    pub disclosures: Figure,
}

/// What left in a month. A heading that is missing is of nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Month {
    /// The month: `2025-07`.
    pub month: String,
    /// By class: the elements that left of the same people.
    pub by_class: Vec<Group>,
    /// By origin, as far as the register counts.
    pub by_origin: Vec<Group>,
}

/// A reading of the law that releases rested on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relied {
    /// `<instrument>#<name>`.
    pub id: String,
    /// The question.
    pub question: String,
    /// The reading taken.
    pub reading: String,
    /// How many releases.
    pub releases: Figure,
}

/// A release in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its entry.
    pub entry: u64,
    /// Its id.
    pub id: String,
    /// The day.
    pub on: Date,
    /// The recipient (`45 CFR 164.528(b)(2)(ii)`).
    pub recipient: Recipient,
    /// The purpose.
    pub purpose: String,
    /// The dataset.
    pub dataset: String,
    /// Full or partial.
    pub outcome: String,
    /// The digest of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// How many people.
    pub people: Amount,
    /// How many rows; in the custodian's copy alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The elements.
    pub elements: Vec<String>,
    /// The provisions that let them go.
    pub permitted_by: Vec<String>,
    /// The provisions that held others back.
    pub barred_by: Vec<String>,
    /// What was done about it since, in the ledger's order.
    pub afterwards: Vec<Afterwards>,
    /// The people of each origin by what of them left, in the account of this one release and as far
    /// as the register counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Cell>,
}

/// Something that was recorded about a release after it left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Afterwards {
    /// Its entry.
    pub entry: u64,
    /// The day on which it was recorded.
    pub recorded: Date,
    /// `recall`, `destruction` or `use_statement`.
    pub kind: &'static str,
    /// The rest, in the ledger's own words.
    pub said: String,
}

/// People of one origin of whom the same elements left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The origin.
    pub origin: String,
    /// The elements.
    pub elements: Vec<String>,
    /// How many people.
    pub people: Amount,
}

/// Who received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// Its path.
    pub agency: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its address, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What was asked for and denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Its entry.
    pub entry: u64,
    /// Its id.
    pub id: String,
    /// The day.
    pub on: Date,
    /// Who asked.
    pub recipient: String,
    /// For what.
    pub purpose: String,
    /// Out of which dataset.
    pub dataset: String,
    /// The provisions that bar this flow under the law of that day; none if the law pack is another by
    /// now, so that it cannot be told here.
    pub barred_by: Option<Vec<String>>,
}

/// A release that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aborted {
    /// Its entry.
    pub entry: u64,
    /// Its id.
    pub id: String,
    /// The day on which that was recorded.
    pub recorded: Date,
    /// Why.
    pub reason: String,
}

/// What left, for one recipient, order, release or period, each figure with the entries that prove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// What it is of.
    #[serde(flatten)]
    pub about: About,
    /// Whose copy it is.
    pub copy: Copy,
    /// How far the ledger was read.
    pub ledger_size: u64,
    /// The root of the ledger's tree then.
    pub ledger_root: String,
    /// Whether everything that it needs was there.
    pub complete: bool,
    /// What was not.
    pub incomplete: Vec<Gap>,
    /// Everything together.
    pub total: Group,
    /// By the recipient's path.
    pub by_recipient: Vec<Group>,
    /// By purpose.
    pub by_purpose: Vec<Group>,
    /// By dataset.
    pub by_dataset: Vec<Group>,
    /// By the instruments that let something go.
    pub by_permitting_instrument: Vec<Group>,
    /// By the instruments that held something of the same people back.
    pub by_barring_instrument: Vec<Group>,
    /// By element.
    pub by_element: Vec<Group>,
    /// By class: the elements that left of the same people.
    pub by_class: Vec<Group>,
    /// By origin, as far as the register counts.
    pub by_origin: Vec<Group>,
    /// By month.
    pub by_month: Vec<Group>,
    /// Each month by class and by origin.
    pub over_time: Vec<Month>,
    /// The order, before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderAccount>,
    /// The releases.
    pub releases: Vec<Listed>,
    /// What was asked for and denied.
    pub refused: Vec<Refused>,
    /// What was begun and did not leave.
    pub aborted: Vec<Aborted>,
    /// How often somebody looked at a person's accounting: of a period, in the custodian's copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_up: Option<Figure>,
    /// How often a person's accounting was suspended: of a period, in the custodian's copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Figure>,
    /// The readings relied on.
    pub interpretations: Vec<Relied>,
}

/// All that an account is made from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The ledger and the manifests.
    pub facts: &'a Facts,
    /// The register's counts.
    pub counts: &'a Counts,
    /// What others may see of them: [`Showing::of`] these facts and counts.
    pub showing: &'a Showing,
    /// The law, for what refusals and orders rest on.
    pub law: &'a Law<'a>,
}

impl Sources<'_> {
    /// Everything for which an account of all of it is incomplete.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = self.facts.gaps();
        gaps.extend(self.counts.gaps(self.facts));
        gaps.sort();
        gaps
    }
}

impl Account {
    /// Makes an account.
    ///
    /// # Errors
    ///
    /// When the law pack's answer to a flow cannot be had.
    pub fn of(
        about: &About,
        copy: Copy,
        sources: Sources<'_>,
    ) -> Result<Self, chancery_law::Error> {
        let law = sources.law;
        let facts = sources.facts;
        let order = match about {
            About::Order { instrument } => Some(instrument.as_str()),
            _ => None,
        };
        let mut releases = Vec::new();
        for release in &facts.releases {
            if concerns(about, &release.logged, Some(release), law)? {
                releases.push(release);
            }
        }
        let tally = Tally {
            copy,
            counts: sources.counts,
            showing: sources.showing,
            releases,
        };
        let mut refused = Vec::new();
        let mut gaps: Vec<Gap> = tally.releases.iter().filter_map(|r| r.gap()).collect();
        gaps.extend(facts.unread.iter().cloned());
        for refusal in &facts.refusals {
            if order.is_none() && !concerns(about, &refusal.fact, None, law)? {
                continue;
            }
            let listed = refused_of(refusal, law)?;
            let Some(order) = order else {
                refused.push(listed);
                continue;
            };
            match &listed.barred_by {
                Some(barred_by) if cites(barred_by.iter(), order) => refused.push(listed),
                Some(_) => {}
                None => gaps.push(Gap {
                    entry: listed.entry,
                    release: None,
                    problem:
                        "was refused under another edition of the law pack, which is not here: \
                              whether this order barred it cannot be told"
                            .to_owned(),
                }),
            }
        }
        let here: BTreeSet<u64> = tally.releases.iter().map(|r| r.entry).collect();
        let counts = sources.counts.gaps(facts).into_iter();
        gaps.extend(counts.filter(|gap| here.contains(&gap.entry)));
        let order = order
            .map(|id| order::account(&tally, id, law, &refused))
            .transpose()?
            .flatten();
        let aborted = aborted(about, facts);
        Ok(Self {
            about: about.clone(),
            copy,
            ledger_size: facts.ledger.size,
            ledger_root: facts.ledger.root.to_string(),
            complete: gaps.is_empty(),
            incomplete: gaps,
            total: tally.total("everything"),
            by_recipient: tally.by(|release| one(release.logged.recipient.as_str())),
            by_purpose: tally.by(|release| one(release.logged.purpose.as_str())),
            by_dataset: tally.by(|release| one(release.logged.dataset.as_str())),
            by_permitting_instrument: tally.by_instrument(|class| &class.permitted_by),
            by_barring_instrument: tally.by_instrument(|class| &class.barred_by),
            by_element: tally.by_element(),
            by_class: tally.by_class(|class| class.elements.clone()),
            by_origin: tally.by_origin(&|_, _| true),
            by_month: tally.by(|release| one(&month(release))),
            over_time: tally.over_time(),
            order,
            releases: tally.listed(facts, matches!(about, About::Release { .. })),
            refused,
            aborted,
            looked_up: people_of(about, copy, looked_up(facts)),
            suspended: people_of(about, copy, suspended(facts)),
            interpretations: tally.interpretations(),
        })
    }

    /// Whether there is nothing in it: no release, no refusal, nothing that was given up.
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty() && self.refused.is_empty() && self.aborted.is_empty()
    }
}

fn month(release: &Release) -> String {
    release.on().strftime("%Y-%m").to_string()
}

fn one(key: &str) -> Vec<String> {
    vec![key.to_owned()]
}

/// Whether `path` is `agency`, or within it.
///
/// ```
/// use chancery_account::is_within;
/// assert!(is_within("dhs/ice", "dhs"));
/// assert!(!is_within("dhsx", "dhs"));
/// ```
pub fn is_within(path: &str, agency: &str) -> bool {
    let rest = path.strip_prefix(agency);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether one of these provisions is of an instrument.
fn cites<'a>(mut provisions: impl Iterator<Item = &'a String>, instrument: &str) -> bool {
    provisions.any(|provision| instrument_of(provision) == instrument)
}

fn instrument_of(provision: &str) -> &str {
    provision.split('#').next().unwrap_or(provision)
}

/// Whether an account speaks of a release or a refusal.
fn concerns(
    about: &About,
    logged: &Disclosure,
    release: Option<&Release>,
    law: &Law<'_>,
) -> Result<bool, chancery_law::Error> {
    Ok(match about {
        About::Recipient { agency } => is_within(logged.recipient.as_str(), agency),
        About::Release { id } => logged.id.as_str() == id,
        About::Period { from, to } => (*from..=*to).contains(&logged.on),
        About::Order { instrument } => {
            let elements = release.into_iter().flat_map(Release::elements);
            let mut cited = elements.flat_map(|e| e.permitted_by.iter().chain(&e.barred_by));
            cited.any(|provision| instrument_of(provision) == instrument)
                || !law.barred(instrument, logged)?.is_empty()
        }
    })
}

fn refused_of(refusal: &At<Disclosure>, law: &Law<'_>) -> Result<Refused, chancery_law::Error> {
    let At { entry, fact } = refusal;
    Ok(Refused {
        entry: *entry,
        id: fact.id.to_string(),
        on: fact.on,
        recipient: fact.recipient.to_string(),
        purpose: fact.purpose.to_string(),
        dataset: fact.dataset.to_string(),
        barred_by: law.barred_by(fact)?,
    })
}

fn aborted(about: &About, facts: &Facts) -> Vec<Aborted> {
    let aborts = facts.aborts.iter().map(|At { entry, fact }| Aborted {
        entry: *entry,
        id: fact.id.clone(),
        recorded: fact.recorded.date(),
        reason: fact.reason.as_str().to_owned(),
    });
    // An abort says neither to whom nor for what.
    let concerns = |abort: &Aborted| match about {
        About::Period { from, to } => (*from..=*to).contains(&abort.recorded),
        About::Release { id } => abort.id == *id,
        About::Recipient { .. } | About::Order { .. } => false,
    };
    aborts.filter(concerns).collect()
}

/// The look-ups, each with its day.
fn looked_up(facts: &Facts) -> impl Iterator<Item = (u64, Date)> {
    let look_ups = facts.look_ups.iter();
    look_ups.map(|at| (at.entry, at.fact.recorded.date()))
}

/// The suspensions of people's accountings, each with its day.
fn suspended(facts: &Facts) -> impl Iterator<Item = (u64, Date)> {
    let suspensions = facts.suspensions.iter();
    let people = suspensions.filter(|at| matches!(at.fact.of, Suspended::Accounting { .. }));
    people.map(|at| (at.entry, at.fact.recorded.date()))
}

/// A figure of entries that are about a person each: not for others, as it would be a small count.
fn people_of(
    about: &About,
    copy: Copy,
    entries: impl Iterator<Item = (u64, Date)>,
) -> Option<Figure> {
    let (About::Period { from, to }, Copy::Custodian) = (about, copy) else {
        return None;
    };
    let entries = entries.filter(|(_, day)| (*from..=*to).contains(day));
    let entries: Vec<u64> = entries.map(|(entry, _)| entry).collect();
    Some(Figure {
        count: Amount::Exactly(entries.len() as u64),
        entries,
    })
}

/// What the ledger holds about a release after it left.
fn afterwards(release: &Release, facts: &Facts) -> Vec<Afterwards> {
    let of = |id: &str, manifest| release.id() == id && release.logged.manifest == Some(manifest);
    let recalls = facts.recalls.iter();
    let recalls = recalls.filter(|at| of(at.fact.release.as_str(), at.fact.manifest));
    let recalls = recalls.map(|At { entry, fact }| Afterwards {
        entry: *entry,
        recorded: fact.recorded.date(),
        kind: "recall",
        said: format!(
            "{}, {}, due {}",
            fact.reason.as_str(),
            fact.scope.as_str(),
            fact.due
        ),
    });
    let destructions = facts.destructions.iter();
    let destructions = destructions.filter(|at| of(at.fact.release.as_str(), at.fact.manifest));
    let destructions = destructions.map(|At { entry, fact }| Afterwards {
        entry: *entry,
        recorded: fact.recorded.date(),
        kind: "destruction",
        said: format!(
            "{} of {} on {}, verified: {}",
            fact.method.as_str(),
            fact.scope.as_str(),
            fact.on,
            fact.verification.as_str()
        ),
    });
    let uses = facts.use_statements.iter();
    let uses = uses.filter(|at| of(at.fact.release.as_str(), at.fact.manifest));
    let uses = uses.map(|At { entry, fact }| Afterwards {
        entry: *entry,
        recorded: fact.recorded.date(),
        kind: "use_statement",
        said: format!(
            "{} from {} to {}, passed on: {}",
            fact.purpose,
            fact.from,
            fact.to,
            fact.onward.as_str()
        ),
    });
    let mut all: Vec<Afterwards> = recalls.chain(destructions).chain(uses).collect();
    all.sort_by_key(|one| one.entry);
    all
}

/// Some releases, for one copy.
struct Tally<'a> {
    copy: Copy,
    counts: &'a Counts,
    showing: &'a Showing,
    releases: Vec<&'a Release>,
}

/// The entries and the parts of what stands under one heading.
#[derive(Default)]
struct Under {
    entries: BTreeSet<u64>,
    parts: Vec<Part>,
}

impl Under {
    fn group(self, key: String) -> Group {
        let entries: Vec<u64> = self.entries.into_iter().collect();
        Group {
            key,
            releases: Figure {
                count: Amount::Exactly(entries.len() as u64),
                entries: entries.clone(),
            },
            disclosures: Figure {
                count: Amount::sum(self.parts),
                entries,
            },
        }
    }
}

/// The headings in their order, with what stands under each.
#[derive(Default)]
struct Headings(BTreeMap<String, Under>);

impl Headings {
    fn add(&mut self, key: String, release: &Release, part: Part) {
        let under = self.0.entry(key).or_default();
        under.entries.insert(release.entry);
        under.parts.push(part);
    }

    fn groups(self) -> Vec<Group> {
        let groups = self.0.into_iter();
        groups.map(|(key, under)| under.group(key)).collect()
    }
}

impl<'a> Tally<'a> {
    fn with(&self, releases: Vec<&'a Release>) -> Self {
        Self { releases, ..*self }
    }

    /// What others may see of a release.
    fn shown(&self, release: &Release) -> Option<&'a OfRelease> {
        self.showing.release(release.entry)
    }

    /// A part of a release: as it is for the custodian, as far as it may be shown for others.
    fn part(
        &self,
        release: &Release,
        count: Option<u64>,
        shown: impl FnOnce(&OfRelease) -> Option<u64>,
    ) -> Part {
        match (self.copy, count) {
            (_, None) => Part::Missing,
            (Copy::Custodian, count) => Part::known(count),
            (Copy::Others, Some(0)) => Part::Count(0),
            (Copy::Others, Some(_)) => Part::shown(self.shown(release).and_then(shown)),
        }
    }

    fn people(&self, release: &Release) -> Part {
        self.part(release, release.people(), |shown| shown.people)
    }

    fn total(&self, key: &str) -> Group {
        let mut under = Under::default();
        for release in &self.releases {
            under.entries.insert(release.entry);
            under.parts.push(self.people(release));
        }
        under.group(key.to_owned())
    }

    /// By something that the entry says.
    fn by(&self, keys: impl Fn(&Release) -> Vec<String>) -> Vec<Group> {
        let mut headings = Headings::default();
        for release in &self.releases {
            for key in keys(release) {
                headings.add(key, release, self.people(release));
            }
        }
        headings.groups()
    }

    fn by_element(&self) -> Vec<Group> {
        let mut headings = Headings::default();
        for release in &self.releases {
            for element in release.elements() {
                let part = self.part(release, Some(element.subjects), |shown| {
                    shown.elements.get(&element.element).copied()
                });
                headings.add(element.element.clone(), release, part);
            }
        }
        headings.groups()
    }

    fn class_part(&self, release: &Release, number: u32, people: u64) -> Part {
        self.part(release, Some(people), |shown| {
            shown.classes.get(&number).copied()
        })
    }

    /// By what is said of classes together, such as the elements of each.
    fn by_class(
        &self,
        elements: impl Fn(&chancery_release::manifest::Class) -> Vec<String>,
    ) -> Vec<Group> {
        let mut headings = Headings::default();
        for release in &self.releases {
            for (number, class, people) in release.classes().filter(|(_, _, n)| *n > 0) {
                let elements = elements(class);
                if !elements.is_empty() {
                    let part = self.class_part(release, number, people);
                    headings.add(elements.join(", "), release, part);
                }
            }
        }
        headings.groups()
    }

    /// By the instruments of the provisions that each class cites.
    fn by_instrument(
        &self,
        provisions: impl Fn(&chancery_release::manifest::Class) -> &Vec<String>,
    ) -> Vec<Group> {
        let mut headings = Headings::default();
        for release in &self.releases {
            // Where every class cites an instrument, the people are those of the release.
            let mut by: BTreeMap<&str, Vec<(u32, u64)>> = BTreeMap::new();
            let classes: Vec<_> = release.classes().filter(|(_, _, n)| *n > 0).collect();
            for (number, class, people) in &classes {
                let cited = provisions(class).iter().map(|cite| instrument_of(cite));
                for instrument in cited.collect::<BTreeSet<_>>() {
                    by.entry(instrument).or_default().push((*number, *people));
                }
            }
            for (instrument, citing) in by {
                if citing.len() == classes.len() {
                    headings.add(instrument.to_owned(), release, self.people(release));
                    continue;
                }
                for (number, people) in citing {
                    let part = self.class_part(release, number, people);
                    headings.add(instrument.to_owned(), release, part);
                }
            }
        }
        headings.groups()
    }

    /// By origin, of those that count for a release.
    fn by_origin(&self, counts_for: &dyn Fn(&Release, &str) -> bool) -> Vec<Group> {
        let mut headings = Headings::default();
        for release in &self.releases {
            let mut by: BTreeMap<&str, u64> = BTreeMap::new();
            let counts = self.counts.agreed(release).unwrap_or_default();
            for ((_, origin), people) in counts {
                *by.entry(origin).or_default() += people;
            }
            by.retain(|origin, _| counts_for(release, origin));
            for (origin, people) in by {
                let part = self.part(release, Some(people), |shown| {
                    shown.origins.get(origin).copied()
                });
                headings.add(origin.to_owned(), release, part);
            }
        }
        headings.groups()
    }

    fn over_time(&self) -> Vec<Month> {
        let mut months: BTreeMap<String, Vec<&'a Release>> = BTreeMap::new();
        for release in &self.releases {
            months.entry(month(release)).or_default().push(release);
        }
        let months = months.into_iter().map(|(month, releases)| {
            let here = self.with(releases);
            Month {
                month,
                by_class: here.by_class(|class| class.elements.clone()),
                by_origin: here.by_origin(&|_, _| true),
            }
        });
        months.collect()
    }

    fn interpretations(&self) -> Vec<Relied> {
        let mut relied: BTreeMap<(&str, &str, &str), BTreeSet<u64>> = BTreeMap::new();
        for release in &self.releases {
            let signed = release.signed().into_iter();
            for reading in signed.flat_map(|manifest| &manifest.interpretations) {
                let key = (
                    reading.id.as_str(),
                    reading.question.as_str(),
                    reading.reading.as_str(),
                );
                relied.entry(key).or_default().insert(release.entry);
            }
        }
        let relied = relied.into_iter();
        relied
            .map(|((id, question, reading), entries)| Relied {
                id: id.to_owned(),
                question: question.to_owned(),
                reading: reading.to_owned(),
                releases: Figure {
                    count: Amount::Exactly(entries.len() as u64),
                    entries: entries.into_iter().collect(),
                },
            })
            .collect()
    }

    fn listed(&self, facts: &Facts, with_cells: bool) -> Vec<Listed> {
        let releases = self.releases.iter();
        releases
            .map(|release| Listed {
                cells: if with_cells {
                    self.cells(release)
                } else {
                    Vec::new()
                },
                ..self.list(release, facts)
            })
            .collect()
    }

    fn cells(&self, release: &Release) -> Vec<Cell> {
        let counts = self.counts.agreed(release).unwrap_or_default();
        let classes = release.classes();
        let elements: BTreeMap<u32, &Vec<String>> = classes
            .map(|(number, class, _)| (number, &class.elements))
            .collect();
        let cells = counts.into_iter().map(|((class, origin), people)| {
            let part = self.part(release, Some(people), |shown| {
                shown.cells.get(&(class, origin.to_owned())).copied()
            });
            Cell {
                origin: origin.to_owned(),
                elements: elements.get(&class).copied().cloned().unwrap_or_default(),
                people: Amount::sum([part]),
            }
        });
        cells.collect()
    }

    fn list(&self, release: &Release, facts: &Facts) -> Listed {
        let logged = &release.logged;
        let party = release.signed().map(|manifest| &manifest.recipient);
        let cited = |of: fn(&chancery_release::manifest::Element) -> &Vec<String>| {
            let asked = release.signed().into_iter().flat_map(|m| &m.elements);
            let cited: BTreeSet<&String> = asked.flat_map(of).collect();
            cited.into_iter().cloned().collect()
        };
        Listed {
            entry: release.entry,
            id: release.id().to_owned(),
            on: release.on(),
            recipient: Recipient {
                agency: logged.recipient.to_string(),
                name: party.map(|party| party.name.clone()),
                address: party.and_then(|party| party.address.clone()),
            },
            purpose: logged.purpose.to_string(),
            dataset: logged.dataset.to_string(),
            outcome: logged.outcome.as_str().to_owned(),
            manifest: logged.manifest.map(|digest| digest.to_string()),
            people: Amount::sum([self.people(release)]),
            rows: release.rows().filter(|_| self.copy == Copy::Custodian),
            elements: release.elements().map(|e| e.element.clone()).collect(),
            permitted_by: cited(|element| &element.permitted_by),
            barred_by: cited(|element| &element.barred_by),
            afterwards: afterwards(release, facts),
            cells: Vec::new(),
        }
    }
}
