//! What a change of the law does to every disclosure there could be: what may leave since, and what
//! no longer.
//!
//! Two laws are compared by complete enumeration ([`crate::enumerate`]): every custodian, recipient,
//! purpose and element that either knows, and every combination of attribute values. All recorded law
//! counts as the two [`InForce`] have it.

mod records;

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chancery_model::{Domain, Predicate};
use jiff::civil::Date;

use crate::enumerate::{Answers, At, Cell, Kind, People, Period, Questions};
use crate::{Effect, Error, InForce, LawPack, SignOff};

use records::Records;
use rows::{Flow, Rows};

/// Whether less or more may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No answer changes.
    Same,
    /// Less may leave, and nothing more.
    Stricter,
    /// More may leave, and nothing less.
    Looser,
    /// Some may leave that could not, and some may not that could.
    Both,
}

impl Verdict {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Stricter => "stricter",
            Self::Looser => "looser",
            Self::Both => "both",
        }
    }
}

/// Words, or other named things, that one side has and the other has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// In the new one alone.
    pub added: Vec<String>,
    /// In the old one alone.
    pub removed: Vec<String>,
    /// In both, with other content.
    pub edited: Vec<String>,
}

impl Added {
    /// Whether there is no difference.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.edited.is_empty()
    }

    fn between<T: PartialEq>(old: &BTreeMap<String, T>, new: &BTreeMap<String, T>) -> Self {
        let missing = |from: &BTreeMap<String, T>, other: &BTreeMap<String, T>| {
            let names = from.keys().filter(|name| !other.contains_key(*name));
            names.cloned().collect()
        };
        let edited = new.iter().filter(|(name, content)| {
            let before = old.get(*name);
            before.is_some_and(|before| before != *content)
        });
        Self {
            added: missing(new, old),
            removed: missing(old, new),
            edited: edited.map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// What differs in the words and texts of two packs, whether or not an answer turns on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Agencies, families with a `*`.
    pub agencies: Added,
    /// Purposes.
    pub purposes: Added,
    /// Elements; one is edited if it is in other sets.
    pub elements: Added,
    /// Values of the attributes of a record, as `program is medicaid`.
    pub values: Added,
    /// Instruments; one is edited if an event, a party or anything else of it but its provisions is.
    pub instruments: Added,
    /// Provisions.
    pub provisions: Added,
}

impl Texts {
    /// Each with its name, in the order of reading.
    pub fn each(&self) -> [(&'static str, &Added); 6] {
        [
            ("instruments", &self.instruments),
            ("provisions", &self.provisions),
            ("agencies", &self.agencies),
            ("purposes", &self.purposes),
            ("elements", &self.elements),
            ("values", &self.values),
        ]
    }
}

/// One disclosure that is lawful under one law and not under the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Who discloses.
    pub custodian: String,
    /// Who receives.
    pub recipient: String,
    /// For what.
    pub purpose: String,
    /// What.
    pub element: String,
    /// The record's attributes.
    pub record: BTreeMap<String, String>,
}

/// Disclosures that became lawful, or unlawful, alike: every custodian, recipient, purpose and
/// element here, of the same people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Who discloses.
    pub custodians: Vec<String>,
    /// Who receives.
    pub recipients: Vec<String>,
    /// For what.
    pub purposes: Vec<String>,
    /// What.
    pub elements: Vec<String>,
    /// Whose, as a set.
    pub people: Arc<People>,
    /// Whose, in words.
    pub when: Predicate,
    /// One of them.
    pub example: Example,
    /// The permits that let it go: of the new law for what is gained, of the old for what is lost.
    pub lets_go: BTreeSet<String>,
    /// The forbids that hold it back: of the old law for what is gained, of the new for what is lost.
    pub holds_back: BTreeSet<String>,
    /// On which days; none if two days are compared.
    pub periods: Vec<Period>,
}

/// What a change of the law does.
#[derive(Clone, Debug)]
pub struct Impact {
    /// The attributes of a record, with the values that either law knows.
    pub domain: Domain,
    /// What may leave and could not.
    pub gained: Vec<Difference>,
    /// What could leave and may not.
    pub lost: Vec<Difference>,
    /// What differs in words and texts.
    pub texts: Texts,
    /// How many disclosures were compared: custodians × recipients × purposes × elements ×
    /// combinations of attribute values, in each period.
    pub cases: u128,
}

impl Impact {
    /// Whether less or more may leave.
    pub fn verdict(&self) -> Verdict {
        match (self.lost.is_empty(), self.gained.is_empty()) {
            (true, true) => Verdict::Same,
            (false, true) => Verdict::Stricter,
            (true, false) => Verdict::Looser,
            (false, false) => Verdict::Both,
        }
    }
}

/// Compares two laws, each of a day.
///
/// # Errors
///
/// When a law cannot be enumerated, or the records of the two have so little in common that they
/// cannot be.
pub fn impact(old: &InForce<'_>, new: &InForce<'_>) -> Result<Impact, Error> {
    let pair = Pair::new(old.pack(), new.pack())?;
    let mut rows = Rows::default();
    let cases = pair.compare(old, new, None, &mut rows)?;
    Ok(pair.impact(rows, cases))
}

/// Compares two packs on every day there is.
///
/// # Errors
///
/// As for [`impact`].
pub fn impact_of_packs(old: &LawPack, new: &LawPack) -> Result<Impact, Error> {
    let pair = Pair::new(old, new)?;
    let mut rows = Rows::default();
    let mut cases = 0;
    for period in periods(old, new) {
        let old = old.in_force(period.from, SignOff::Demonstration)?;
        let new = new.in_force(period.from, SignOff::Demonstration)?;
        cases += pair.compare(&old, &new, Some(period), &mut rows)?;
    }
    Ok(pair.impact(rows, cases))
}

/// All of time, cut wherever either pack's law changes.
fn periods(old: &LawPack, new: &LawPack) -> Vec<Period> {
    let starts = [old, new].into_iter().flat_map(LawPack::periods);
    let starts: BTreeSet<Date> = starts.map(|period| period.from).collect();
    let ends = starts.iter().skip(1).map(|start| start.yesterday().ok());
    let ends = ends.chain([None]);
    let periods = starts.iter().zip(ends);
    periods
        .map(|(from, until)| Period { from: *from, until })
        .collect()
}

/// Two packs, ready to be compared on any day.
struct Pair<'a> {
    old: &'a LawPack,
    new: &'a LawPack,
    old_questions: Questions,
    new_questions: Questions,
    records: Records,
}

const ACTION: &str = "disclose";

impl<'a> Pair<'a> {
    fn new(old: &'a LawPack, new: &'a LawPack) -> Result<Self, Error> {
        let old_questions = old.questions(&[])?;
        let new_questions = new.questions(&[])?;
        // An agency of an open family that one of them names is to be told apart in the other too.
        let named = [&old_questions, &new_questions].map(|questions| {
            let agencies = questions
                .agencies()
                .filter(|a| questions.family(a).is_none());
            agencies.map(str::to_owned).collect::<BTreeSet<String>>()
        });
        let [named_by_old, named_by_new] = named;
        let also = |pack: &LawPack, questions: Questions, other: &BTreeSet<String>| {
            let asked: BTreeSet<&str> = questions.agencies().collect();
            let other = other.iter().map(String::as_str);
            let more: Vec<&str> = other
                .filter(|path| !asked.contains(path) && pack.vocabulary().agency(path).is_some())
                .collect();
            if more.is_empty() {
                Ok(questions)
            } else {
                pack.questions(&more)
            }
        };
        Ok(Self {
            old_questions: also(old, old_questions, &named_by_new)?,
            new_questions: also(new, new_questions, &named_by_old)?,
            records: Records::new(old.domain(), new.domain())?,
            old,
            new,
        })
    }

    /// Adds to `rows` what differs on a day; tells how many disclosures that were.
    fn compare(
        &self,
        old: &InForce<'_>,
        new: &InForce<'_>,
        period: Option<Period>,
        rows: &mut Rows,
    ) -> Result<u128, Error> {
        let before = Side::new(old, &self.old_questions)?;
        let after = Side::new(new, &self.new_questions)?;
        let spaces = (before.answers.space(), after.answers.space());
        let custodians = before.refined(&after, &spaces.0.custodians, &spaces.1.custodians);
        let recipients = before.refined(&after, &spaces.0.recipients, &spaces.1.recipients);
        let purposes = before.refined(&after, &spaces.0.purposes, &spaces.1.purposes);
        let elements = before.refined(&after, &spaces.0.elements, &spaces.1.elements);
        let mut day = rows::Day::new(&self.records, period, rows);
        for custodian in &custodians {
            for recipient in &recipients {
                for purpose in &purposes {
                    let flow = Flow {
                        custodians: &custodian.names,
                        recipients: &recipient.names,
                        purposes: &purpose.names,
                    };
                    for element in &elements {
                        let kinds = [custodian, recipient, purpose, element];
                        let old = before.cell(kinds.map(|kind| kind.old));
                        let new = after.cell(kinds.map(|kind| kind.new));
                        day.cell(&flow, &element.names, &old, &new);
                    }
                }
            }
        }
        day.finish(rows);
        let count = |classes: &[Class]| {
            let names = classes.iter().map(|class| class.names.len() as u128);
            names.sum::<u128>()
        };
        let flows = count(&custodians) * count(&recipients) * count(&purposes);
        Ok(flows * count(&elements) * u128::from(self.records.combinations()))
    }

    fn impact(self, rows: Rows, cases: u128) -> Impact {
        let (gained, lost) = rows.differences(&self.records);
        Impact {
            gained,
            lost,
            texts: texts(self.old, self.new),
            cases,
            domain: self.records.into_domain(),
        }
    }
}

/// Names that neither law tells apart, with the kinds that they are in each; none where it does not
/// know them.
struct Class {
    names: Vec<String>,
    old: Option<usize>,
    new: Option<usize>,
}

/// One of the two laws.
struct Side<'a> {
    answers: Answers,
    questions: &'a Questions,
}

/// What a law says of one combination; nothing if it does not know a word of it.
struct Said<'a> {
    cell: Option<Cell>,
    provisions: &'a [(String, Effect)],
}

impl Said<'_> {
    /// Whose is released.
    fn released(&self) -> Option<&Arc<People>> {
        self.cell.as_ref().map(|cell| &cell.released)
    }

    /// The provisions of one effect, with whom they speak of.
    fn speaking(&self, effect: Effect) -> impl Iterator<Item = (&str, &Arc<People>)> {
        let hits = self.cell.iter().flat_map(|cell| &cell.hits);
        hits.filter_map(move |(provision, people)| {
            let (id, of) = self.provisions.get(*provision)?;
            (*of == effect).then_some((id.as_str(), people))
        })
    }
}

impl<'a> Side<'a> {
    fn new(law: &InForce<'_>, questions: &'a Questions) -> Result<Self, Error> {
        Ok(Self {
            answers: law.answers(questions, ACTION)?,
            questions,
        })
    }

    /// An agency of a family of any id stands for the family.
    fn name(&self, member: &str) -> String {
        self.questions.family(member).unwrap_or(member).to_owned()
    }

    fn refined(&self, after: &Side<'_>, old: &[Kind], new: &[Kind]) -> Vec<Class> {
        let mut places: BTreeMap<String, (Option<usize>, Option<usize>)> = BTreeMap::new();
        for (at, kind) in old.iter().enumerate() {
            for member in &kind.members {
                places.entry(self.name(member)).or_default().0 = Some(at);
            }
        }
        for (at, kind) in new.iter().enumerate() {
            for member in &kind.members {
                places.entry(after.name(member)).or_default().1 = Some(at);
            }
        }
        let mut classes: BTreeMap<(Option<usize>, Option<usize>), Vec<String>> = BTreeMap::new();
        for (name, place) in places {
            classes.entry(place).or_default().push(name);
        }
        let classes = classes.into_iter();
        classes
            .map(|((old, new), names)| Class { names, old, new })
            .collect()
    }

    /// A law that does not know a word lets nothing go.
    fn cell(&self, [custodian, recipient, purpose, element]: [Option<usize>; 4]) -> Said<'_> {
        let at = || {
            Some(At {
                custodian: custodian?,
                recipient: recipient?,
                purpose: purpose?,
                element: element?,
            })
        };
        Said {
            cell: at().map(|at| self.answers.cell(at)),
            provisions: self.answers.provisions(),
        }
    }
}

/// What differs in the words and texts of two packs.
fn texts(old: &LawPack, new: &LawPack) -> Texts {
    let agencies = |pack: &LawPack| {
        let paths = pack.vocabulary().agency_paths();
        paths.map(|path| (path.to_owned(), ())).collect()
    };
    let purposes = |pack: &LawPack| {
        let purposes = pack.vocabulary().purposes().iter();
        purposes.map(|purpose| (purpose.path.clone(), ())).collect()
    };
    let elements = |pack: &LawPack| {
        let words = pack.vocabulary();
        let sets = |element: &str| {
            let sets = words
                .sets()
                .iter()
                .filter(|set| set.members.contains(element));
            sets.map(|set| set.name.clone()).collect::<BTreeSet<_>>()
        };
        let names = words.element_names();
        names.map(|name| (name.to_owned(), sets(name))).collect()
    };
    let values = |pack: &LawPack| {
        let attributes = pack.domain().attributes().iter();
        let values = attributes.flat_map(|attribute| {
            let values = attribute.values.iter();
            values.map(|value| (format!("{} is {value}", attribute.name), ()))
        });
        values.collect()
    };
    let instruments = |pack: &LawPack| {
        let instruments = pack.instruments().iter();
        instruments
            .map(|one| (one.id.clone(), one.facts()))
            .collect()
    };
    let provisions = |pack: &LawPack| {
        let instruments = pack.instruments().iter();
        let provisions = instruments.flat_map(|one| &one.provisions);
        let content = |one: &crate::Provision| {
            let policy = one.policy.to_string();
            (one.clause.clone(), one.reason.clone(), policy)
        };
        provisions
            .map(|one| (one.id.clone(), content(one)))
            .collect()
    };
    Texts {
        agencies: Added::between::<()>(&agencies(old), &agencies(new)),
        purposes: Added::between::<()>(&purposes(old), &purposes(new)),
        elements: Added::between(&elements(old), &elements(new)),
        values: Added::between::<()>(&values(old), &values(new)),
        instruments: Added::between(&instruments(old), &instruments(new)),
        provisions: Added::between(&provisions(old), &provisions(new)),
    }
}
