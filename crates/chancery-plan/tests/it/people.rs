//! Random rows about people, and who they are by the published rules, worked out on its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::random::{Attributes, Dice};

/// A row: its cells by column; a cell may be missing.
pub(crate) type Row = Vec<Option<String>>;

/// The columns: name, element, whether it is a key, what it plays.
pub(crate) const COLUMNS: [(&str, Option<&str>, bool, &str); 14] = [
    ("Person", Some("medicaid_id"), true, ""),
    ("state", Some("enrollment"), true, ""),
    ("row", Some("enrollment"), true, ""),
    ("NAME", Some("name"), false, ""),
    ("street", Some("address"), false, ""),
    ("zip code", Some("address"), false, ""),
    ("citizen", Some("citizenship"), false, "citizenship_ind"),
    (
        "status",
        Some("immigration_status"),
        false,
        "immigration_status",
    ),
    ("chip", Some("program"), false, "chip_code"),
    ("paid_by", Some("program"), false, "funding"),
    ("case", Some("address"), false, "case_num"),
    ("diagnosis", Some("diagnosis"), false, ""),
    ("card", Some("medicaid_id"), false, ""),
    ("comment", None, false, ""),
];

/// The map that says so; `Y`, `N` and `US` stand for the codes of citizenship.
pub(crate) fn map() -> String {
    let mut text = "table = \"PEOPLE\"\nid = \"Person\"\norigin = \"state\"\n".to_owned();
    for (name, element, key, plays) in COLUMNS {
        let Some(element) = element else { continue };
        text += &format!("[[column]]\nname = \"{name}\"\nelement = \"{element}\"\nkey = {key}\n");
        if !plays.is_empty() {
            text += &format!("plays = \"{plays}\"\n");
        }
        if plays == "citizenship_ind" {
            text += "recode = { Y = \"1\", N = \"0\", US = \"2\" }\n";
        }
    }
    text
}

/// Random rows of one file. Half of what is written is padded, missing, unknown or contradictory.
pub(crate) fn rows(dice: &mut Dice, file: usize, count: usize, people: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for at in 0..count {
        let cell = |what: &str| Some(format!("{what}-{file}-{at}"));
        let person = dice.below(people);
        // A person keeps to one way of life, but for one row in eight.
        let life = if dice.one_in(8) {
            dice.below(64)
        } else {
            person
        };
        let spread = |list: &[&str], by: usize| Some(list[(life / by) % list.len()].to_owned());
        let mut row: Row = vec![
            id(dice, person),
            Some(
                (*dice.pick(&[
                    "06", "06 ", " 06", "93", "56", "48", "53", "94", "99", "6", "",
                ]))
                .to_owned(),
            ),
            cell("row"),
            cell("name"),
            cell("street"),
            cell("zip"),
            spread(&["Y", "N", "N", "US", "N", " N "], 1),
            spread(&["8", "1", "2", "3", "3", " 8", "9"], 3),
            spread(&["1", "1", "1", "2", "3", "4", "0"], 5),
            spread(&["federal", "federal", "state_only"], 2),
            Some(format!("C{}", life / 3)),
            cell("diagnosis"),
            cell("card"),
            cell("comment"),
        ];
        let states = ["06", "93", "56", "48"];
        if !dice.one_in(3) {
            row[1] = Some(states[person % states.len()].to_owned());
        }
        // The columns that play a part, and sometimes any other, may be missing or nonsense.
        for column in [6, 7, 8, 9, 10] {
            match dice.below(24) {
                0 => row[column] = None,
                1 => {
                    row[column] =
                        Some((*dice.pick(&["", "  ", "7", "88", "9999", "n", "?"])).to_owned());
                }
                _ => {}
            }
        }
        if dice.one_in(6) {
            let column = 3 + dice.below(11);
            row[column] = dice.one_in(2).then(String::new);
        }
        if dice.one_in(60) {
            row[1] = None;
        }
        rows.push(row);
    }
    rows
}

fn id(dice: &mut Dice, person: usize) -> Option<String> {
    Some(match dice.below(40) {
        0 => return None,
        1 => String::new(),
        2 => "   ".to_owned(),
        3 => "999999999999".to_owned(),
        4 | 5 => format!("p{person}"),
        6..10 => format!(" P{person} "),
        10..14 => format!("P{person}   "),
        _ => format!("P{person}"),
    })
}

/// Whose a row is: origin and id.
pub(crate) type Who = (String, String);

pub(crate) fn who(row: &Row) -> Who {
    let text = |at: usize| row[at].as_deref().unwrap_or_default().trim_matches(' ');
    let origin = match text(1) {
        "93" => "56",
        known @ ("06" | "48" | "53" | "56") => known,
        // 94 is 30, which this law pack does not know.
        _ => "unknown",
    };
    (origin.to_owned(), text(0).to_owned())
}

#[derive(Default)]
struct Evidence {
    codes: BTreeSet<String>,
    cases: BTreeSet<String>,
}

fn filled(text: &str) -> bool {
    text.bytes().all(|b| b == b'8') || text.bytes().all(|b| b == b'9')
}

/// Everybody's attributes by the rules of the shipped classification table.
pub(crate) fn attributes(rows: &[Row], findings: &[(Who, &str)]) -> BTreeMap<Who, Attributes> {
    let mut people: BTreeMap<Who, Evidence> = BTreeMap::new();
    for row in rows {
        let person = people.entry(who(row)).or_default();
        for (column, (_, _, _, plays)) in COLUMNS.iter().enumerate() {
            let Some(value) = row[column].as_deref().map(|value| value.trim_matches(' ')) else {
                continue;
            };
            match *plays {
                "" => {}
                "case_num" => {
                    if !value.is_empty() && !filled(value) {
                        person.cases.insert(value.to_owned());
                    }
                }
                plays => {
                    person.codes.insert(format!("{plays}={value}"));
                }
            }
        }
    }
    for (who, finding) in findings {
        if let Some(person) = people.get_mut(who) {
            person.codes.insert((*finding).to_owned());
        }
    }
    let nobody = |id: &str| id.is_empty() || (id.len() >= 9 && filled(id));
    let mut known: BTreeMap<Who, Attributes> = BTreeMap::new();
    for (who, person) in &people {
        let own = if nobody(&who.1) {
            &BTreeSet::new()
        } else {
            &person.codes
        };
        let mut attributes = alone(own);
        attributes.insert("origin".to_owned(), who.0.clone());
        known.insert(who.clone(), attributes);
    }
    let mut protected: BTreeSet<(&String, &String)> = BTreeSet::new();
    for (who, person) in &people {
        if known[who]["presence"] != "not_lawful" {
            protected.extend(person.cases.iter().map(|case| (&who.0, case)));
        }
    }
    for (who, person) in &people {
        let household = if nobody(&who.1) || person.cases.is_empty() {
            "unknown"
        } else if person
            .cases
            .iter()
            .any(|case| protected.contains(&(&who.0, case)))
        {
            "has_protected_member"
        } else {
            "no_protected_member"
        };
        let attributes = known.get_mut(who).unwrap();
        attributes.insert("household".to_owned(), household.to_owned());
    }
    known
}

fn alone(codes: &BTreeSet<String>) -> Attributes {
    let any = |of: &[&str]| of.iter().any(|code| codes.contains(*code));
    let citizen = any(&["citizenship_ind=Y", "citizen"]);
    let national = any(&["citizenship_ind=US"]);
    let alien = any(&["citizenship_ind=N"]);
    let qualified = any(&["immigration_status=1"]);
    let lawful = any(&["immigration_status=2", "lawfully_present"]);
    let emergency = any(&["immigration_status=3"]);
    let not_lawful = any(&["not_lawfully_present"]);
    let other = alien || qualified || lawful || emergency || not_lawful;
    let citizenship = match (citizen, national, other) {
        (_, _, true) if citizen || national => "unknown",
        (true, _, _) => "citizen",
        (_, true, _) => "national",
        (_, _, true) => "noncitizen",
        _ => "unknown",
    };
    let presence = if citizenship == "unknown" || (not_lawful && (qualified || lawful)) {
        "unknown"
    } else if citizenship != "noncitizen" || qualified || lawful {
        "lawful"
    } else if not_lawful {
        "not_lawful"
    } else {
        "unknown"
    };
    let chips = ["0", "1", "2", "3", "4"].map(|code| codes.contains(&format!("chip_code={code}")));
    let program = match chips {
        [_, _, _, _, true] => "mixed",
        [false, true, false, false, _] => "medicaid",
        [false, false, true, false, _] => "m_chip",
        [false, false, false, true, _] => "s_chip",
        [_, false, false, false, _] => "unknown",
        _ => "mixed",
    };
    let funding = match (any(&["funding=federal"]), any(&["funding=state_only"])) {
        (true, false) => "federal",
        (false, true) => "state_only",
        _ => "unknown",
    };
    [
        ("citizenship", citizenship),
        ("presence", presence),
        ("program", program),
        ("funding", funding),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
