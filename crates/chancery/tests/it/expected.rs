//! What must leave, worked out anew: the classification and the answers of the law written out
//! plainly, for every cell of every line. It shares no code with the product.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::source::{Codes, Row, Source, Table};

/// What a request says.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Asked {
    pub(crate) custodian: String,
    pub(crate) recipient: String,
    pub(crate) purpose: String,
    #[serde(default)]
    tables: Vec<String>,
    #[serde(default)]
    elements: Vec<String>,
    #[serde(default)]
    format: String,
}

impl Asked {
    pub(crate) fn extension(&self) -> &'static str {
        if self.format == "csv" {
            "csv"
        } else {
            "parquet"
        }
    }

    fn wants(list: &[String], name: &str) -> bool {
        list.is_empty() || list.iter().any(|asked| asked == "*" || asked == name)
    }
}

/// What the law turns on.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    origin: String,
    citizenship: &'static str,
    presence: &'static str,
    program: &'static str,
    household: &'static str,
}

impl Person {
    /// Somebody of whom nothing is known but who submitted the record.
    fn unknown(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            citizenship: "unknown",
            presence: "unknown",
            program: "unknown",
            household: "unknown",
        }
    }
}

/// A released file: its columns and its rows, sorted.
pub(crate) type Cells = (Vec<String>, Vec<Vec<String>>);

/// What must leave.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// Files by table and origin.
    pub(crate) files: BTreeMap<(String, String), Cells>,
    /// People in the dataset.
    pub(crate) total: u64,
    /// About how many people each element leaves.
    pub(crate) elements: BTreeMap<String, u64>,
    /// People by what may leave about them, were there a line for it; nothing if no line leaves.
    pub(crate) classes: BTreeMap<BTreeSet<String>, u64>,
    /// Rows and rows that leave, by table.
    pub(crate) rows: BTreeMap<String, (u64, u64)>,
    pub(crate) outcome: &'static str,
}

/// Everybody's attributes.
fn classify(source: &Source) -> BTreeMap<(String, String), Person> {
    let mut people: BTreeMap<(String, String), Person> = source
        .people
        .iter()
        .map(|(who, codes)| (who.clone(), alone(&who.0, codes)))
        .collect();
    let presence: BTreeMap<_, _> = people
        .iter()
        .map(|(who, p)| (who.clone(), p.presence))
        .collect();
    for (who, codes) in &source.people {
        if codes.quarantined || codes.cases.is_empty() {
            continue;
        }
        let protected = source.people.iter().any(|(other, theirs)| {
            other.0 == who.0
                && !theirs.cases.is_disjoint(&codes.cases)
                && presence[other] != "not_lawful"
        });
        people.get_mut(who).unwrap().household = if protected {
            "has_protected_member"
        } else {
            "no_protected_member"
        };
    }
    people
}

fn alone(origin: &str, codes: &Codes) -> Person {
    let mut person = Person::unknown(origin);
    if codes.quarantined {
        return person;
    }
    let found = |word: &str| codes.determinations.contains(word);
    let citizen = codes.citizenship.contains("1") || found("citizen");
    let national = codes.citizenship.contains("2");
    let alien = codes.citizenship.contains("0");
    let qualified = codes.immigration.contains("1");
    let lawful = codes.immigration.contains("2") || found("lawfully_present");
    let emergency = codes.immigration.contains("3");
    let unlawful = found("not_lawfully_present");
    let foreign = alien || qualified || lawful || emergency || unlawful;
    person.citizenship = match (citizen, national, foreign) {
        (false, false, false) | (true, _, true) | (_, true, true) => "unknown",
        (true, _, false) => "citizen",
        (false, true, false) => "national",
        (false, false, true) => "noncitizen",
    };
    person.presence = match person.citizenship {
        "unknown" => "unknown",
        "citizen" | "national" => "lawful",
        _ if unlawful && (qualified || lawful) => "unknown",
        _ if qualified || lawful => "lawful",
        _ if unlawful => "not_lawful",
        _ => "unknown",
    };
    let chips: Vec<&str> = codes.chip.iter().map(String::as_str).collect();
    person.program = match chips.as_slice() {
        ["1"] => "medicaid",
        ["2"] => "m_chip",
        ["3"] => "s_chip",
        [] | ["0"] => "unknown",
        _ => "mixed",
    };
    person
}

const PLAINTIFFS: [&str; 20] = [
    "04", "06", "08", "09", "10", "15", "17", "25", "23", "24", "26", "27", "32", "34", "35", "36",
    "41", "44", "50", "53",
];
const IDENTITY_AND_LOCATION: [&str; 8] = [
    "enrollment",
    "medicaid_id",
    "name",
    "birth_date",
    "address",
    "phone",
    "citizenship",
    "immigration_status",
];

/// The table of answers for immigration enforcement. Days are text, which sorts as days do.
fn enforcement(on: &str, element: &str, person: &Person) -> bool {
    let agreement = ("2025-07-15"..="2025-09-15").contains(&on);
    let notice = on >= "2025-11-25";
    let identity = IDENTITY_AND_LOCATION.contains(&element) && person.citizenship == "noncitizen";
    let late = ["55", "21"].contains(&person.origin.as_str()) && on >= "2026-03-27";
    let covered = PLAINTIFFS.contains(&person.origin.as_str()) || late;
    if !(agreement || notice) || !identity {
        return false;
    }
    if !covered || on < "2025-08-12" {
        return true;
    }
    if on <= "2026-01-05" {
        return false;
    }
    // The second order: the six, and the row they stand in.
    element != "name"
        && person.presence == "not_lawful"
        && person.program == "medicaid"
        && (!["address", "phone"].contains(&element) || person.household == "no_protected_member")
}

/// Whether the law lets an element about a person go.
fn lawful(asked: &Asked, on: &str, element: &str, person: &Person) -> bool {
    let is = |custodian: &str, recipient: &str, purpose: &str| {
        asked.custodian == custodian && asked.recipient == recipient && asked.purpose == purpose
    };
    let any = |elements: &[&str]| elements.contains(&element);
    if is("hhs/cms", "dhs/ice", "immigration-enforcement/civil")
        || is("hhs/cms", "dhs/ice", "immigration-enforcement/criminal")
    {
        return enforcement(on, element, person);
    }
    if is("hhs/cms", "hhs/oig", "program-administration/integrity") {
        return true;
    }
    if is("hhs/cms", "dhs/uscis", "program-administration/eligibility") {
        let status = [
            "name",
            "birth_date",
            "other_identifier",
            "immigration_status",
        ];
        return (any(&status) || any(&["medicaid_id", "enrollment"]))
            && ["noncitizen", "unknown"].contains(&person.citizenship);
    }
    if is("hhs/cms", "ssa", "program-administration/eligibility") {
        return any(&["name", "birth_date", "ssn", "enrollment"]);
    }
    if asked.custodian == "hhs/cms"
        && asked.recipient.starts_with("research/")
        && asked.purpose == "research"
    {
        let direct = [
            "name",
            "ssn",
            "address",
            "phone",
            "medicaid_id",
            "other_identifier",
        ];
        return !any(&direct) && element != "administrative";
    }
    if asked.purpose.starts_with("program-administration") {
        let medicaid = |agency: &str| {
            let state = agency
                .strip_prefix("state/")
                .and_then(|a| a.strip_suffix("/medicaid"));
            state.map(str::to_owned)
        };
        if medicaid(&asked.custodian).is_some() && asked.recipient == "hhs/cms" {
            return true;
        }
        if asked.custodian == "hhs/cms" {
            return medicaid(&asked.recipient) == Some(person.origin.clone());
        }
    }
    false
}

/// Works out what must leave.
pub(crate) fn expected(source: &Source, asked: &Asked, on: &str) -> Expected {
    let people = classify(source);
    let mut expected = Expected {
        total: people.len() as u64,
        ..Expected::default()
    };
    let mut leaves: BTreeMap<&(String, String), BTreeSet<String>> =
        people.keys().map(|who| (who, BTreeSet::new())).collect();
    let mut may: BTreeMap<&(String, String), BTreeSet<String>> = leaves.clone();
    let mut everything = true;
    for (name, table) in &source.tables {
        if !Asked::wants(&asked.tables, name) {
            continue;
        }
        let person = |row: &Row| match &row.person {
            Some(id) => people[&(row.origin.clone(), id.clone())].clone(),
            None => Person::unknown(&row.origin),
        };
        let open_to = |person: &Person, at: usize| {
            let element = table.columns[at].element.as_deref();
            element.is_some_and(|element| {
                Asked::wants(&asked.elements, element) && lawful(asked, on, element, person)
            })
        };
        let leaves_about = |person: &Person| {
            let mut columns = 0..table.columns.len();
            lawful(asked, on, "enrollment", person)
                && columns.any(|at| !table.columns[at].key && open_to(person, at))
        };
        let leaving: Vec<&Row> = table
            .rows
            .iter()
            .filter(|row| leaves_about(&person(row)))
            .collect();
        everything &= leaving.len() == table.rows.len();
        expected.rows.insert(
            name.clone(),
            (table.rows.len() as u64, leaving.len() as u64),
        );
        let asked_columns = || {
            table.columns.iter().enumerate().filter_map(|(at, column)| {
                let element = column
                    .element
                    .as_ref()
                    .filter(|e| Asked::wants(&asked.elements, e))?;
                Some((at, element))
            })
        };
        for row in &leaving {
            let Some(id) = &row.person else { continue };
            let who = (row.origin.clone(), id.clone());
            for (at, element) in asked_columns() {
                if open_to(&people[&who], at) {
                    leaves.get_mut(&who).unwrap().insert(element.clone());
                } else {
                    everything = false;
                }
            }
        }
        for (who, person) in people.iter().filter(|(_, person)| leaves_about(person)) {
            let open = asked_columns().filter(|(at, _)| open_to(person, *at));
            may.get_mut(who)
                .unwrap()
                .extend(open.map(|(_, element)| element.clone()));
        }
        let origins: BTreeSet<&String> = leaving.iter().map(|row| &row.origin).collect();
        for origin in origins {
            let rows: Vec<&Row> = leaving
                .iter()
                .filter(|r| r.origin == *origin)
                .copied()
                .collect();
            let cells = cut(table, &rows, &|row, at| open_to(&person(row), at));
            expected.files.insert((name.clone(), origin.clone()), cells);
        }
    }
    for (who, elements) in leaves {
        let class = if elements.is_empty() {
            BTreeSet::new()
        } else {
            may[who].clone()
        };
        *expected.classes.entry(class).or_default() += 1;
        for element in elements {
            *expected.elements.entry(element).or_default() += 1;
        }
    }
    expected.outcome = match (expected.files.is_empty(), everything) {
        (true, _) => "denied",
        (false, true) => "full",
        (false, false) => "partial",
    };
    expected
}

/// The columns that leave for somebody, and of each row the cells that leave.
fn cut(table: &Table, rows: &[&Row], open: &dyn Fn(&Row, usize) -> bool) -> Cells {
    let columns = 0..table.columns.len();
    let kept: Vec<usize> = columns
        .filter(|at| rows.iter().any(|row| open(row, *at)))
        .collect();
    let cell = |row: &Row, at: usize| {
        if open(row, at) {
            row.cells[at].clone()
        } else {
            String::new()
        }
    };
    let mut cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| kept.iter().map(|at| cell(row, *at)).collect())
        .collect();
    cells.sort();
    (
        kept.iter()
            .map(|at| table.columns[*at].name.clone())
            .collect(),
        cells,
    )
}
