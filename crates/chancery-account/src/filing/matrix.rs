//! What became of each element, for each group of people.
//!
//! A manifest says of whom what left, of what was asked for. Who these people are, and what would have
//! been lawful besides, is decided again under the law of that day, as far as the law pack is the same
//! and says the same as what was signed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chancery_law::LawPack;
use chancery_model::{Domain, Predicate, Signature};
use chancery_release::manifest::{Class, Manifest};
use chancery_release::{Error, Known, Shown, Workspace};

use super::{Words, grouped, long};
use crate::exhibit::{Cell, Fate, Matrix, MatrixGroup, MatrixRow};
use crate::facts::Release;
use crate::tally::{Copy, Sources};

/// What is said where the law of a release is not here.
const NOT_KNOWN: &str = "Who these people are in the words of the law, and what would have been lawful \
                         besides, is not known here: the law pack is not the one of this release any more, \
                         or says something else.";
/// The most groups that have a column.
const MOST_GROUPS: usize = 6;
/// The most origins that are named in place; more are a list of their own.
const FEW_ORIGINS: usize = 4;
/// The most combinations of attribute values that are gone through.
const MOST_POINTS: usize = 200_000;

/// A group of people with a column.
struct Column<'a> {
    class: &'a Class,
    people: Cell,
    /// Who may be in it, as far as that is known.
    members: Vec<&'a Point>,
}

impl Words<'_, '_> {
    pub(super) fn matrix(
        &self,
        workspace: &Workspace,
        release: &Release,
        sources: Sources<'_>,
        copy: Copy,
    ) -> Result<Option<Matrix>, Error> {
        let Some(manifest) = release.signed() else {
            return Ok(None);
        };
        let again = Again::of(workspace, release, manifest, sources)?;
        let columns = largest(release, manifest, sources, copy).into_iter();
        let columns = columns.map(|(class, people)| Column {
            class,
            people,
            members: again
                .iter()
                .flat_map(|again| again.members(class))
                .collect(),
        });
        let columns: Vec<Column<'_>> = columns.collect();
        let mut lists = Lists::default();
        let groups = columns
            .iter()
            .zip('A'..)
            .map(|(column, letter)| MatrixGroup {
                name: format!("Group {letter}"),
                who: self.who(again.as_ref(), column, &mut lists),
                people: column.people.clone(),
            });
        let groups = groups.collect();
        let mut rows = self.asked(manifest, &columns);
        let mut notes = Vec::new();
        match &again {
            Some(again) => {
                let (more, said) = self.not_asked(workspace, again, manifest, &columns);
                rows.extend(more);
                notes.extend(said);
            }
            None => notes.push(NOT_KNOWN.to_owned()),
        }
        notes.extend(match manifest.classes.len() - columns.len() {
            0 => None,
            1 => Some("One group of fewer people is not shown.".to_owned()),
            more => Some(format!("{more} groups of fewer people are not shown.")),
        });
        notes.extend(lists.notes());
        Ok(Some(Matrix {
            title: format!(
                "What became of each element for each group of people on {}, in the release {} to {}.",
                long(release.on()),
                release.id(),
                self.agency(release.logged.recipient.as_str())
            ),
            groups,
            rows,
            notes,
            entries: vec![release.entry],
        }))
    }

    fn asked(&self, manifest: &Manifest, columns: &[Column<'_>]) -> Vec<MatrixRow> {
        let rows = manifest.elements.iter().map(|element| {
            let name = &element.element;
            let fates = columns
                .iter()
                .map(|column| match column.class.elements.contains(name) {
                    true if element.subjects > 0 => Fate::Released,
                    true => Fate::Allowed,
                    false => lawful(&column.members, name),
                });
            MatrixRow {
                element: self.element(name),
                fates: fates.collect(),
            }
        });
        rows.collect()
    }

    /// The elements that the dataset has and nobody asked for: a row for each that was lawful for
    /// somebody, and a sentence on the others.
    fn not_asked(
        &self,
        workspace: &Workspace,
        again: &Again<'_>,
        manifest: &Manifest,
        columns: &[Column<'_>],
    ) -> (Vec<MatrixRow>, Vec<String>) {
        let request = &manifest.request;
        if [&request.elements, &request.tables]
            .iter()
            .all(|all| all.contains(&"*".to_owned()))
        {
            return (Vec::new(), Vec::new());
        }
        let dataset = workspace.dataset(&request.dataset, again.pack).ok();
        let held: Option<BTreeSet<String>> = dataset.map(|dataset| {
            let columns = dataset
                .catalogue
                .tables
                .iter()
                .flat_map(|table| &table.columns);
            columns
                .filter_map(|column| column.element.clone())
                .collect()
        });
        let others = again.elements.iter().filter(|name| {
            !again.asked.contains(*name) && held.as_ref().is_none_or(|held| held.contains(*name))
        });
        let (mut rows, mut nobodys) = (Vec::new(), Vec::new());
        for name in others {
            let fates = columns.iter().map(|column| lawful(&column.members, name));
            let fates: Vec<Fate> = fates.collect();
            if fates.iter().all(|fate| *fate == Fate::Withheld) {
                nobodys.push(self.element(name));
            } else {
                let element = format!("{} (not asked for)", self.element(name));
                rows.push(MatrixRow { element, fates });
            }
        }
        let mut notes = Vec::new();
        if !nobodys.is_empty() {
            let nobodys = nobodys.join("; ");
            notes.push(format!(
                "Not asked for, and not lawful for any of these groups: {nobodys}."
            ));
        }
        if held.is_none() {
            let unknown = "Whether the dataset had what was not asked for is not known here.";
            notes.push(unknown.to_owned());
        }
        (rows, notes)
    }

    fn who(&self, again: Option<&Again<'_>>, column: &Column<'_>, lists: &mut Lists) -> String {
        let Column { class, members, .. } = column;
        if class.elements.is_empty() {
            return "Everybody else: nothing of what was asked for was lawful, or there was no record of it."
                .to_owned();
        }
        let known =
            again.and_then(|again| again.who(members, &|origin| self.origin(origin), lists));
        known.unwrap_or_else(|| {
            let elements = class.elements.iter().map(|name| self.element(name));
            format!(
                "People of whom this left: {}.",
                elements.collect::<Vec<_>>().join("; ")
            )
        })
    }
}

/// The groups that have a column, in the manifest's order, each with how many people it is. Of what is
/// suppressed nobody can tell by the order, or by what is left out, how many they are.
fn largest<'a>(
    release: &Release,
    manifest: &'a Manifest,
    sources: Sources<'_>,
    copy: Copy,
) -> Vec<(&'a Class, Cell)> {
    let shown = sources.showing.release(release.entry);
    let people = |number: u32, class: &Class| match (copy, &class.subjects) {
        (Copy::Custodian, Shown::Count(count)) => Some(*count),
        (Copy::Custodian, Shown::Hidden(_)) => None,
        (Copy::Others, _) => shown.and_then(|shown| shown.classes.get(&number).copied()),
    };
    let numbered = (0_u32..).zip(&manifest.classes);
    let mut ranked: Vec<(u32, &Class, Option<u64>)> = numbered
        .map(|(number, class)| (number, class, people(number, class)))
        .collect();
    ranked.sort_by_key(|(_, class, people)| {
        Reverse((class.elements.is_empty(), people.unwrap_or(0)))
    });
    ranked.truncate(MOST_GROUPS);
    ranked.sort_by_key(|(number, ..)| *number);
    let cells = ranked.into_iter().map(|(_, class, people)| {
        let hidden = if class.elements.is_empty() {
            "not shown"
        } else {
            "suppressed"
        };
        (
            class,
            people.map_or_else(|| Cell::Hidden(hidden.to_owned()), Cell::Count),
        )
    });
    cells.collect()
}

/// What became of an element that did not leave.
fn lawful(members: &[&Point], element: &str) -> Fate {
    let lawful = members
        .iter()
        .filter(|point| point.lawful.contains(element));
    match lawful.count() {
        0 => Fate::Withheld,
        all if all == members.len() => Fate::Allowed,
        _ => Fate::Partly,
    }
}

/// A flow decided again: what is lawful for every combination of attribute values that the law tells
/// apart.
struct Again<'a> {
    pack: &'a LawPack,
    domain: &'a Domain,
    /// Where the origin is among the attributes.
    origin: Option<usize>,
    /// The other attributes that the law turns on here.
    attributes: BTreeSet<usize>,
    /// The origins that the law does not tell apart.
    blocks: Vec<BTreeSet<u8>>,
    elements: Vec<String>,
    asked: BTreeSet<String>,
    points: Vec<Point>,
}

struct Point {
    block: usize,
    signature: Signature,
    lawful: BTreeSet<String>,
}

impl<'a> Again<'a> {
    /// Nothing if the law pack is another by now, or says something else than what was signed.
    fn of(
        workspace: &Workspace,
        release: &Release,
        manifest: &Manifest,
        sources: Sources<'a>,
    ) -> Result<Option<Self>, Error> {
        let pack = sources.law.pack();
        let query = sources.law.query_of(&release.logged);
        let (true, Some(query)) = (manifest.law.digest == pack.digest, query) else {
            return Ok(None);
        };
        let standing = workspace.standing(pack, release.on(), Known::First(release.entry))?;
        let in_force = pack.in_force(release.on(), workspace.sign_off(&standing))?;
        let ruling = in_force.decide(&query)?;
        let (domain, by) = (pack.domain(), pack.classification().origin.as_str());
        let same = manifest.elements.iter().all(|signed| {
            let ruled = ruling.element(&signed.element);
            ruled.is_some_and(|ruled| {
                ruled.released_when.describe(by, domain) == signed.released_when
            })
        });
        let ruled = ruling.elements.into_iter();
        let ruled: Vec<(String, Predicate)> = ruled.map(|r| (r.element, r.released_when)).collect();
        let asked = manifest
            .elements
            .iter()
            .map(|e| e.element.clone())
            .collect();
        Ok(if same {
            Self::over(pack, ruled, asked)
        } else {
            None
        })
    }

    fn over(
        pack: &'a LawPack,
        ruled: Vec<(String, Predicate)>,
        asked: BTreeSet<String>,
    ) -> Option<Self> {
        let domain = pack.domain();
        let origin = domain
            .attribute(&pack.classification().origin)
            .map(|(at, _)| at);
        let mut blocks: BTreeMap<Vec<Predicate>, BTreeSet<u8>> = BTreeMap::new();
        for value in values(domain, origin) {
            let given = |(_, when): &(String, Predicate)| match origin {
                Some(at) => when.given(at, value, domain),
                None => when.clone(),
            };
            blocks
                .entry(ruled.iter().map(given).collect())
                .or_default()
                .insert(value);
        }
        let attributes: BTreeSet<usize> = blocks
            .keys()
            .flatten()
            .flat_map(Predicate::attributes)
            .collect();
        let signatures = signatures(domain, &attributes)?;
        let existence = pack.vocabulary().existence();
        let mut points = Vec::new();
        for (block, predicates) in blocks.keys().enumerate() {
            for signature in &signatures {
                let holds = ruled
                    .iter()
                    .zip(predicates)
                    .filter(|(_, when)| when.holds(signature));
                let mut lawful: BTreeSet<String> =
                    holds.map(|((name, _), _)| name.clone()).collect();
                // Nothing is lawful of whom not even this is.
                if !lawful.contains(existence) {
                    lawful.clear();
                }
                points.push(Point {
                    block,
                    signature: signature.clone(),
                    lawful,
                });
            }
        }
        Some(Self {
            pack,
            domain,
            origin,
            attributes,
            blocks: blocks.into_values().collect(),
            elements: ruled.into_iter().map(|(name, _)| name).collect(),
            asked,
            points,
        })
    }

    /// The combinations of whom just these elements left.
    fn members(&self, class: &Class) -> Vec<&Point> {
        let left: BTreeSet<String> = class.elements.iter().cloned().collect();
        let points = self.points.iter();
        let just = points
            .clone()
            .filter(|point| &point.lawful & &self.asked == left);
        let just: Vec<&Point> = just.collect();
        if just.is_empty() {
            // Something else was lawful of them too, and there was no record of it.
            return points
                .filter(|point| point.lawful.is_superset(&left))
                .collect();
        }
        just
    }

    /// In words; nothing if it takes too many.
    fn who(
        &self,
        members: &[&Point],
        name: &dyn Fn(&str) -> String,
        lists: &mut Lists,
    ) -> Option<String> {
        let mut parts = Vec::new();
        for (block, origins) in self.blocks.iter().enumerate() {
            let here: Vec<&Signature> = members
                .iter()
                .filter(|point| point.block == block)
                .map(|point| &point.signature)
                .collect();
            if !here.is_empty() {
                let what = self.product(&here)?;
                parts.push(match self.place(origins, name, lists) {
                    Some(place) => format!("{place} ({what})."),
                    None => format!("{}.", capital(&what)),
                });
            }
        }
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// Which values of each attribute these are, if they are all combinations of them.
    fn product(&self, signatures: &[&Signature]) -> Option<String> {
        let mut combinations = 1;
        let mut words = Vec::new();
        for attribute in &self.attributes {
            let of = signatures.iter().filter_map(|s| s.value(*attribute));
            let of: BTreeSet<u8> = of.collect();
            combinations *= of.len();
            let declared = self.domain.attributes().get(*attribute)?;
            if of.len() < declared.values.len() {
                let named = of
                    .iter()
                    .filter_map(|at| declared.values.get(usize::from(*at)));
                let named: Vec<String> = named.map(|value| value.replace('_', " ")).collect();
                words.push(format!("{}: {}", declared.name, named.join(" or ")));
            }
        }
        if words.is_empty() {
            words.push("everybody".to_owned());
        }
        (combinations == signatures.len()).then(|| words.join("; "))
    }

    /// Where these people's records are from; nothing if the law makes no difference.
    fn place(
        &self,
        origins: &BTreeSet<u8>,
        name: &dyn Fn(&str) -> String,
        lists: &mut Lists,
    ) -> Option<String> {
        let all = &self.domain.attributes().get(self.origin?)?.values;
        let mut words = |origins: &BTreeSet<u8>| {
            let names = origins.iter().filter_map(|at| all.get(usize::from(*at)));
            let names: Vec<String> = names.map(|code| name(code)).collect();
            if names.len() > FEW_ORIGINS {
                format!("the origins of list {}", lists.number(names))
            } else {
                names.join(" or ")
            }
        };
        match self.blocks.as_slice() {
            [] | [_] => None,
            [one, other] | [other, one] if one == origins && one.len() > other.len() => {
                Some(format!("From anywhere but {}", words(other)))
            }
            _ => Some(format!("From {}", words(origins))),
        }
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Long lists of origins, printed once.
#[derive(Default)]
struct Lists(Vec<Vec<String>>);

impl Lists {
    fn number(&mut self, names: Vec<String>) -> usize {
        let known = self.0.iter().position(|list| *list == names);
        let at = known.unwrap_or_else(|| {
            self.0.push(names);
            self.0.len() - 1
        });
        at + 1
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        let numbered = self.0.iter().zip(1..);
        numbered.map(|(names, number)| {
            let count = grouped(names.len() as u64);
            format!("List {number}, {count} origins: {}.", names.join(", "))
        })
    }
}

fn values(domain: &Domain, attribute: Option<usize>) -> impl Iterator<Item = u8> + use<> {
    let declared = attribute.and_then(|at| domain.attributes().get(at));
    (0..=u8::MAX).take(declared.map_or(1, |declared| declared.values.len()))
}

/// Every combination of the values of some attributes, unless they are too many.
fn signatures(domain: &Domain, attributes: &BTreeSet<usize>) -> Option<Vec<Signature>> {
    let mut all = vec![Signature::unknown(domain)];
    for attribute in attributes {
        let values: Vec<u8> = values(domain, Some(*attribute)).collect();
        if all.len() * values.len() > MOST_POINTS {
            return None;
        }
        let wider = all.iter().flat_map(|signature| {
            values
                .iter()
                .map(|value| signature.with(*attribute, *value))
        });
        all = wider.collect();
    }
    Some(all)
}
