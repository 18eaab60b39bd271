//! What was disclosed about one person (`45 CFR 164.528`, `5 USC 552a(c)`).

use std::collections::{BTreeMap, BTreeSet};

use chancery_law::{AccountingDuty, LawPack};
use chancery_register::{Person, SecretKey};
use chancery_release::entry::{Pseudonym, Suspended, Suspension};
use chancery_release::manifest::{Manifest, Party, Reading};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use crate::facts::{Facts, Gap, Release};
use crate::tally::is_within;

/// A release that a person was in, by the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The release.
    pub release: String,
    /// What left about them.
    pub elements: Vec<String>,
}

/// Everything that was disclosed about a person, as it may be told on a day.
#[derive(Clone, Debug, Serialize)]
pub struct PersonAccount {
    /// Every release in which anything about the person left, in the order of the days, but for those
    /// whose accounting is suspended.
    pub disclosures: Vec<Disclosure>,
    /// Whether something is left out, and not to be told, for as long as an agency has asked
    /// (`45 CFR 164.528(a)(2)`).
    pub suspended: bool,
    /// The day on which the longest of the duties to account begins.
    pub from: Date,
    /// The day for which it is told.
    pub on: Date,
    /// When it is due, if somebody asked today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Due>,
    /// Whether it is all that there is.
    pub complete: bool,
    /// What could not be read, if it is not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// One disclosure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disclosure {
    /// The release.
    pub release: String,
    /// The day on which it left.
    pub on: Date,
    /// Who received it.
    pub recipient: Party,
    /// What left about the person.
    pub elements: Vec<String>,
    /// Why.
    pub purpose: String,
    /// The provisions that permitted it.
    pub permitted_by: Vec<String>,
    /// Their clauses.
    pub clauses: Vec<String>,
    /// What the recipient said that it is for, and on which authority.
    pub justification: String,
    /// The instruments that the request names.
    pub authority: Vec<String>,
    /// The readings relied on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interpretations: Vec<Reading>,
    /// The ledger's entry that proves it.
    pub entry: u64,
    /// The duties by which it is accounted for; none, if the section leaves it out
    /// (`45 CFR 164.528(a)(1)`) or its years are over.
    pub accounted_by: Vec<String>,
}

/// When an accounting that was asked for on a day is due (`45 CFR 164.528(c)(1)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The day it was asked for.
    pub asked: Date,
    /// The last day.
    pub by: Date,
    /// The last day if it was put off, once, with the reasons in writing.
    pub extended: Option<Date>,
}

/// Disclosures to the same recipient, for a single purpose and on one authority, of the same elements,
/// told as one (`45 CFR 164.528(b)(3)`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series<'a> {
    /// The first.
    pub first: &'a Disclosure,
    /// The day of the last.
    pub last: Date,
    /// How many there were.
    pub number: usize,
    /// The releases, in order.
    pub releases: Vec<&'a str>,
}

impl Facts {
    /// The suspensions of a person's accounting, in the ledger's order: in each stands another pseudonym
    /// of theirs, under one of the register's keys.
    pub fn suspensions_of(&self, keys: &[SecretKey], person: &Person<'_>) -> Vec<&Suspension> {
        let all = self.suspensions.iter().map(|one| &one.fact);
        all.filter(|fact| match &fact.of {
            Suspended::Accounting { person: mark, .. } => keys
                .iter()
                .any(|key| *mark == Pseudonym::of(Suspension::KIND, fact.recorded, key, person)),
            Suspended::Instrument { .. } => false,
        })
        .collect()
    }
}

/// The agencies of which a person is not to be told on a day, with the last day of that: the last of
/// the person's suspensions for each counts, from its first day to its last.
pub fn withheld<'a>(suspensions: &[&'a Suspension], on: Date) -> BTreeMap<&'a str, Date> {
    let mut withheld = BTreeMap::new();
    for fact in suspensions {
        if let (Suspended::Accounting { agency, .. }, Some(until)) = (&fact.of, fact.until) {
            if fact.from <= on && on <= until {
                withheld.insert(agency.as_str(), until);
            } else {
                withheld.remove(agency.as_str());
            }
        }
    }
    withheld
}

impl PersonAccount {
    /// Puts together what the register found with what the releases' manifests say. `suspensions` are
    /// those of the person's accounting; `unknown` are the releases of which the register cannot say
    /// whether they were in them.
    pub fn of(
        facts: &Facts,
        law: &LawPack,
        found: &[Found],
        unknown: &BTreeSet<&str>,
        suspensions: &[&Suspension],
        on: Date,
    ) -> Self {
        let duties: Vec<AccountingDuty> = law
            .instruments()
            .iter()
            .flat_map(|one| one.accounting().collect::<Vec<_>>())
            .collect();
        let withheld = withheld(suspensions, on);
        let mut gaps: Vec<Gap> = facts.unread.clone();
        gaps.extend(unknown.iter().map(|release| Gap {
            entry: entry_of(facts, release),
            release: Some((*release).to_owned()),
            problem: "the register cannot say who was in it".to_owned(),
        }));
        let (mut disclosures, mut suspended) = (Vec::new(), false);
        for one in found {
            let Some(release) = facts
                .releases
                .iter()
                .find(|release| release.id() == one.release)
            else {
                continue;
            };
            if withheld
                .keys()
                .any(|agency| is_within(release.logged.recipient.as_str(), agency))
            {
                suspended = true;
                continue;
            }
            gaps.extend(release.gap());
            disclosures.push(disclosure(release, one, &duties, on));
        }
        disclosures.sort_by_key(|one| (one.on, one.entry));
        gaps.sort();
        gaps.dedup();
        Self {
            disclosures,
            suspended,
            from: duties
                .iter()
                .map(|duty| years_before(on, duty))
                .min()
                .unwrap_or(on),
            on,
            due: due(&duties, on),
            complete: gaps.is_empty(),
            gaps,
        }
    }

    /// What the person is told: disclosures that are accounted for, those of a series together.
    pub fn series(&self) -> Vec<Series<'_>> {
        let mut all: Vec<Series<'_>> = Vec::new();
        for one in self
            .disclosures
            .iter()
            .filter(|one| !one.accounted_by.is_empty())
        {
            let same = |series: &&mut Series<'_>| {
                let first = series.first;
                first.recipient == one.recipient
                    && first.purpose == one.purpose
                    && first.elements == one.elements
                    && first.permitted_by == one.permitted_by
                    && first.justification == one.justification
                    && first.authority == one.authority
            };
            if let Some(series) = all.iter_mut().find(same) {
                series.last = one.on;
                series.number += 1;
                series.releases.push(&one.release);
            } else {
                all.push(Series {
                    first: one,
                    last: one.on,
                    number: 1,
                    releases: vec![&one.release],
                });
            }
        }
        all
    }

    /// Disclosures that nobody has to account for to the person.
    pub fn left_out(&self) -> impl Iterator<Item = &Disclosure> {
        self.disclosures
            .iter()
            .filter(|one| one.accounted_by.is_empty())
    }
}

fn entry_of(facts: &Facts, release: &str) -> u64 {
    let found = facts.releases.iter().find(|one| one.id() == release);
    found.map_or(0, |release| release.entry)
}

fn disclosure(release: &Release, found: &Found, duties: &[AccountingDuty], on: Date) -> Disclosure {
    let signed = release.signed();
    let logged = &release.logged;
    let permitted_by = signed.map_or_else(Vec::new, |manifest| permitted_by(manifest, found));
    let clauses = signed.map_or_else(Vec::new, |manifest| {
        let cited = manifest.law.provisions.iter();
        let cited = cited.filter(|provision| permitted_by.contains(&provision.id));
        let clauses: BTreeSet<String> = cited.map(|provision| provision.clause.clone()).collect();
        clauses.into_iter().collect()
    });
    Disclosure {
        release: found.release.clone(),
        on: release.on(),
        recipient: signed.map_or_else(
            || Party {
                agency: logged.recipient.to_string(),
                name: logged.recipient.to_string(),
                address: None,
            },
            |manifest| manifest.recipient.clone(),
        ),
        elements: found.elements.clone(),
        purpose: logged.purpose.to_string(),
        permitted_by,
        clauses,
        justification: signed.map_or_else(String::new, |one| one.request.justification.clone()),
        authority: signed.map_or_else(Vec::new, |one| one.request.authority.clone()),
        interpretations: signed.map_or_else(Vec::new, |one| one.interpretations.clone()),
        entry: release.entry,
        accounted_by: accounted_by(signed, release.on(), duties, on),
    }
}

fn permitted_by(manifest: &Manifest, found: &Found) -> Vec<String> {
    let mut classes = manifest.classes.iter();
    let class = classes.find(|class| class.elements == found.elements);
    class.map_or_else(Vec::new, |class| class.permitted_by.clone())
}

/// The clauses of the duties that a release falls under and whose years are not over. Where the manifest
/// cannot be relied on, all of them: it is told rather than left out.
fn accounted_by(
    manifest: Option<&Manifest>,
    left: Date,
    duties: &[AccountingDuty],
    on: Date,
) -> Vec<String> {
    let falls = |duty: &&AccountingDuty| {
        let attached = manifest.is_none_or(|manifest| {
            manifest
                .obligations
                .iter()
                .any(|obligation| obligation.id == duty.id)
        });
        attached && years_before(on, duty) <= left
    };
    duties
        .iter()
        .filter(falls)
        .map(|duty| duty.clause.clone())
        .collect()
}

fn years_before(on: Date, duty: &AccountingDuty) -> Date {
    on.checked_sub(i64::from(duty.accounting.years).years())
        .unwrap_or(Date::MIN)
}

fn due(duties: &[AccountingDuty], asked: Date) -> Option<Due> {
    let after = |days: u16| asked.checked_add(i64::from(days).days()).ok();
    let due = duties.iter().filter_map(|duty| {
        let days = duty.accounting.due_days?;
        Some(Due {
            asked,
            by: after(days)?,
            extended: duty
                .accounting
                .extension_days
                .and_then(|more| after(days + more)),
        })
    });
    due.min_by_key(|due| due.by)
}
