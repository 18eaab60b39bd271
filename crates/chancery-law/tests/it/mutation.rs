//! The shipped pack with a slip of the pen in it: whatever changes an answer breaks an assertion.
//!
//! Slips are drawn from a seed. A few are tried in every run, as many as `CHANCERY_MUTATIONS` says if
//! it is set. A slip that the loader refuses is caught there. One that breaks no assertion must change
//! nothing: no answer, and nothing that was barred may be barred no longer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chancery_law::enumerate::{Answers, At, Cell, Kind, People};
use chancery_law::prove::Claim;
use chancery_law::{Effect, Error, LawPack, PackSource, SignOff};

use crate::pack::{shipped, shipped_files};
use crate::random::Dice;

const SEED: u64 = 20_260_106;
/// How many slips are tried if nobody says.
const FEW: usize = 8;

type Files = BTreeMap<String, String>;

/// A kind of slip: its name, the files it is made in, and how.
struct Slip {
    name: &'static str,
    file: fn(&str) -> bool,
    /// Makes one at random; none if there is no place for it.
    make: fn(&str, &mut Dice) -> Option<String>,
}

const SLIPS: [Slip; 21] = [
    Slip {
        name: "a party dropped",
        file: order,
        make: |text, dice| drop_block(text, "[[party]]", dice),
    },
    Slip {
        name: "a party's state altered",
        file: order,
        make: |text, dice| alter_value(text, "origin = ", &ORIGINS, dice),
    },
    Slip {
        name: "a party's date moved",
        file: order,
        make: |text, dice| move_day(text, "from = ", dice),
    },
    Slip {
        name: "a party doubtful, or no longer",
        file: order,
        make: doubtful,
    },
    Slip {
        name: "an event's date moved",
        file: instrument,
        make: |text, dice| move_day(text, "on = ", dice),
    },
    Slip {
        name: "an event dropped",
        file: instrument,
        make: |text, dice| drop_block(text, "[[event]]", dice),
    },
    Slip {
        name: "an event of another kind",
        file: instrument,
        make: |text, dice| alter_value(text, "kind = ", &EVENTS, dice),
    },
    Slip {
        name: "an element left out of a set",
        file: elements,
        make: leave_out,
    },
    Slip {
        name: "an element added to a set",
        file: elements,
        make: add,
    },
    Slip {
        name: "a provision dropped",
        file: provisions,
        make: drop_provision,
    },
    Slip {
        name: "permit and forbid exchanged",
        file: provisions,
        make: |text, dice| {
            swap_words(
                text,
                &[("permit (", "forbid ("), ("forbid (", "permit (")],
                dice,
            )
        },
    },
    Slip {
        name: "an operator turned",
        file: provisions,
        make: |text, dice| swap_words(text, &OPERATORS, dice),
    },
    Slip {
        name: "a condition dropped",
        file: provisions,
        make: drop_condition,
    },
    Slip {
        name: "an exception dropped",
        file: provisions,
        make: drop_unless,
    },
    Slip {
        name: "an exception turned",
        file: provisions,
        make: |text, dice| {
            swap_words(
                text,
                &[("\nunless {", "\nwhen {"), ("\nwhen {", "\nunless {")],
                dice,
            )
        },
    },
    Slip {
        name: "another agency",
        file: provisions,
        make: |text, dice| alter_entity(text, "Agency", &AGENCIES, dice),
    },
    Slip {
        name: "another purpose",
        file: provisions,
        make: |text, dice| alter_entity(text, "Purpose", &PURPOSES, dice),
    },
    Slip {
        name: "another set or value",
        file: provisions,
        make: another_constant,
    },
    Slip {
        name: "everybody instead of one agency",
        file: provisions,
        make: widen,
    },
    Slip {
        name: "parties instead of covered",
        file: provisions,
        make: |text, dice| swap_words(text, &[(".covered.", ".parties.")], dice),
    },
    Slip {
        name: "a condition that can err",
        file: provisions,
        make: |text, dice| {
            swap_words(
                text,
                &[
                    (
                        "context.custodian in",
                        "1 + 9223372036854775807 > 2 && context.custodian in",
                    ),
                    (
                        "context.purpose in",
                        "resource.origin like \"0*\" && context.purpose in",
                    ),
                ],
                dice,
            )
        },
    },
];

const ORIGINS: [&str; 8] = ["06", "48", "12", "21", "55", "53", "01", "56"];
const EVENTS: [&str; 8] = [
    "issued",
    "effective",
    "stayed",
    "stay-lifted",
    "modified",
    "superseded",
    "vacated",
    "expired",
];
const AGENCIES: [&str; 12] = [
    "hhs",
    "hhs/cms",
    "hhs/oig",
    "dhs",
    "dhs/ice",
    "dhs/uscis",
    "ssa",
    "state",
    "state-medicaid",
    "congress",
    "research",
    "individual",
];
const PURPOSES: [&str; 9] = [
    "program-administration",
    "program-administration/eligibility",
    "program-administration/integrity",
    "immigration-enforcement",
    "immigration-enforcement/civil",
    "immigration-enforcement/criminal",
    "law-enforcement",
    "research",
    "individual-access",
];
const OPERATORS: [(&str, &str); 8] = [
    (" == ", " != "),
    (" != ", " == "),
    (" && ", " || "),
    (" || ", " && "),
    (" &&\n", " ||\n"),
    (" ||\n", " &&\n"),
    (" in ", " == "),
    ("{ resource", "{ !(resource"),
];
const CONSTANTS: [(&str, &[&str]); 6] = [
    (
        "ElementSet",
        &[
            "row",
            "identity_and_location",
            "the_six",
            "contact",
            "status_verification",
            "ssa_match",
            "direct_identifiers",
            "law_enforcement_location",
        ],
    ),
    (
        "Citizenship",
        &["citizen", "national", "noncitizen", "unknown"],
    ),
    ("Presence", &["lawful", "not_lawful", "unknown"]),
    (
        "Program",
        &["medicaid", "m_chip", "s_chip", "mixed", "unknown"],
    ),
    (
        "Household",
        &["has_protected_member", "no_protected_member", "unknown"],
    ),
    ("Action", &["disclose", "use", "redisclose", "match"]),
];

fn order(path: &str) -> bool {
    path.contains("/order-") && path.ends_with("instrument.toml")
}

fn instrument(path: &str) -> bool {
    path.ends_with("/instrument.toml")
}

fn elements(path: &str) -> bool {
    path == "elements.toml"
}

fn provisions(path: &str) -> bool {
    path.ends_with("/provisions.cedar")
}

/// Replaces the text at a place.
fn replaced(text: &str, at: std::ops::Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..at.start], &text[at.end..])
}

/// A place of `word` outside comments and annotations.
fn place(text: &str, word: &str, dice: &mut Dice) -> Option<usize> {
    let in_code = |at: &usize| {
        let start = text[..*at].rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..].trim_start();
        !line.starts_with("//") && !line.starts_with('@') && !line.starts_with('#')
    };
    let places: Vec<usize> = text
        .match_indices(word)
        .map(|(at, _)| at)
        .filter(in_code)
        .collect();
    (!places.is_empty()).then(|| *dice.pick(&places))
}

fn swap_words(text: &str, words: &[(&str, &str)], dice: &mut Dice) -> Option<String> {
    let there: Vec<_> = words
        .iter()
        .filter(|(from, _)| text.contains(from))
        .collect();
    if there.is_empty() {
        return None;
    }
    let (from, to) = dice.pick(&there);
    let at = place(text, from, dice)?;
    let mut changed = replaced(text, at..at + from.len(), to);
    if to.ends_with("!(resource") {
        let end = changed[at..].find(" }")? + at;
        changed.insert(end, ')');
    }
    Some(changed)
}

/// The blocks of a TOML file that begin with `header`.
fn blocks(text: &str, header: &str) -> Vec<std::ops::Range<usize>> {
    let end = |at: usize| {
        text[at + 1..]
            .find("\n[")
            .map_or(text.len(), |end| at + 1 + end + 1)
    };
    text.match_indices(header)
        .map(|(at, _)| at..end(at))
        .collect()
}

fn drop_block(text: &str, header: &str, dice: &mut Dice) -> Option<String> {
    let blocks = blocks(text, header);
    (!blocks.is_empty()).then(|| replaced(text, dice.pick(&blocks).clone(), ""))
}

/// Where the quoted value after `field` stands.
fn value(text: &str, field: &str, dice: &mut Dice) -> Option<std::ops::Range<usize>> {
    let at = place(text, &format!("\n{field}\""), dice)? + field.len() + 2;
    Some(at..at + text[at..].find('"')?)
}

fn alter_value(text: &str, field: &str, values: &[&str], dice: &mut Dice) -> Option<String> {
    let at = value(text, field, dice)?;
    Some(replaced(text, at, dice.pick::<&str>(values)))
}

fn move_day(text: &str, field: &str, dice: &mut Dice) -> Option<String> {
    let at = value(text, field, dice)?;
    let day: jiff::civil::Date = text[at.clone()].parse().ok()?;
    let days = *dice.pick(&[-30_i64, -2, -1, 1, 2, 30]);
    let moved = day.checked_add(jiff::Span::new().days(days)).ok()?;
    Some(replaced(text, at, &moved.to_string()))
}

fn doubtful(text: &str, dice: &mut Dice) -> Option<String> {
    swap_words(
        text,
        &[
            ("doubtful = false", "doubtful = true"),
            ("doubtful = true", "doubtful = false"),
        ],
        dice,
    )
}

/// The members of a set of `elements.toml`, each quoted.
fn members(text: &str, dice: &mut Dice) -> Option<std::ops::Range<usize>> {
    let sets: Vec<_> = text
        .match_indices("members = [")
        .map(|(at, word)| at + word.len())
        .collect();
    let start = *dice.pick(&sets);
    Some(start..start + text[start..].find(']')?)
}

fn leave_out(text: &str, dice: &mut Dice) -> Option<String> {
    let set = members(text, dice)?;
    let mut names: Vec<&str> = text[set.clone()]
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    names.remove(dice.below(names.len()));
    Some(replaced(text, set, &names.join(", ")))
}

fn add(text: &str, dice: &mut Dice) -> Option<String> {
    let set = members(text, dice)?;
    let names: Vec<&str> = text
        .match_indices("[[element]]\nname = ")
        .filter_map(|(at, word)| text[at + word.len()..].lines().next())
        .collect();
    let name = dice.pick(&names);
    (!text[set.clone()].contains(name))
        .then(|| replaced(text, set.start..set.start, &format!("{name}, ")))
}

/// Where the provisions of a file stand, from their `@id` to their semicolon.
fn each_provision(text: &str) -> Vec<std::ops::Range<usize>> {
    let end = |at: usize| {
        text[at..]
            .find("};\n")
            .map_or(text.len(), |end| at + end + 3)
    };
    text.match_indices("@id(")
        .map(|(at, _)| at..end(at))
        .collect()
}

fn drop_provision(text: &str, dice: &mut Dice) -> Option<String> {
    let all = each_provision(text);
    (!all.is_empty()).then(|| replaced(text, dice.pick(&all).clone(), ""))
}

/// A line of a condition with its `&&` or `||`, if it stands by itself.
fn drop_condition(text: &str, dice: &mut Dice) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let alone = |line: &str| line.matches('(').count() == line.matches(')').count();
    let joined = |line: &str| line.ends_with(" &&") || line.ends_with(" ||");
    let can: Vec<usize> = (1..lines.len())
        .filter(|at| {
            let line = lines[*at];
            let code =
                line.starts_with("  ") && !line.trim_start().starts_with("//") && alone(line);
            code && (joined(line) || joined(lines[at - 1]))
        })
        .collect();
    if can.is_empty() {
        return None;
    }
    let at = *dice.pick(&can);
    let mut kept: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if !joined(lines[at]) {
        let before = kept[at - 1].len() - 3;
        kept[at - 1].truncate(before);
    }
    kept.remove(at);
    Some(kept.join("\n") + "\n")
}

fn drop_unless(text: &str, dice: &mut Dice) -> Option<String> {
    let at = place(text, "\nunless {", dice)?;
    let end = at + text[at..].find("};")? + 1;
    Some(replaced(text, at..end, ""))
}

fn alter_entity(text: &str, kind: &str, values: &[&str], dice: &mut Dice) -> Option<String> {
    let word = format!("{kind}::\"");
    let at = place(text, &word, dice)? + word.len();
    let end = at + text[at..].find('"')?;
    Some(replaced(text, at..end, dice.pick::<&str>(values)))
}

fn another_constant(text: &str, dice: &mut Dice) -> Option<String> {
    let there: Vec<_> = CONSTANTS
        .iter()
        .filter(|(kind, _)| text.contains(&format!("{kind}::\"")))
        .collect();
    if there.is_empty() {
        return None;
    }
    let (kind, values) = dice.pick(&there);
    alter_entity(text, kind, values, dice)
}

fn widen(text: &str, dice: &mut Dice) -> Option<String> {
    let at = place(text, "principal in Agency::", dice)?;
    let end = at + text[at..].find(",\n")?;
    Some(replaced(text, at..end, "principal"))
}

/// What became of a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Refused,
    Caught,
    Equivalent,
    Survived,
}

/// A pack with a slip: the kind of slip, the file, and what the file says now.
fn slip(files: &Files, dice: &mut Dice) -> (&'static str, String, String) {
    loop {
        let slip = dice.pick(&SLIPS);
        let paths: Vec<&String> = files.keys().filter(|path| (slip.file)(path)).collect();
        let path = *dice.pick(&paths);
        match (slip.make)(&files[path], dice) {
            Some(text) if text != files[path] => return (slip.name, path.clone(), text),
            _ => {}
        }
    }
}

fn fate(law: &LawPack, files: Files) -> Fate {
    let changed = match LawPack::load(&PackSource::new("law", files)) {
        Ok(changed) => changed,
        Err(Error::Invalid(_)) => return Fate::Refused,
        Err(other) => panic!("{other}"),
    };
    let report = changed.prove(&Claim::default()).unwrap();
    assert_eq!(report.unproven().count(), 0);
    if report.broken().next().is_some() {
        Fate::Caught
    } else if says_the_same(law, &changed) {
        Fate::Equivalent
    } else {
        Fate::Survived
    }
}

/// Whether the same leaves, on every day and for every action, and everything barred is still barred.
fn says_the_same(old: &LawPack, new: &LawPack) -> bool {
    let questions = [old.questions(&[]).unwrap(), new.questions(&[]).unwrap()];
    let days: BTreeSet<_> = old
        .periods()
        .into_iter()
        .chain(new.periods())
        .map(|period| period.from)
        .collect();
    let actions = questions[0].actions().to_vec();
    days.into_iter().all(|day| {
        actions.iter().all(|action| {
            let answers = |pack: &LawPack, of: &chancery_law::enumerate::Questions| {
                pack.in_force(day, SignOff::Demonstration)
                    .unwrap()
                    .answers(of, action)
                    .unwrap()
            };
            same(
                &answers(old, &questions[0]),
                &answers(new, &questions[1]),
                old,
            )
        })
    })
}

/// Pairs of kinds that have a member in common.
fn pairs(old: &[Kind], new: &[Kind]) -> BTreeSet<(usize, usize)> {
    let of: HashMap<&String, usize> = new
        .iter()
        .enumerate()
        .flat_map(|(at, kind)| kind.members.iter().map(move |m| (m, at)))
        .collect();
    let mut pairs = BTreeSet::new();
    for (at, kind) in old.iter().enumerate() {
        pairs.extend(kind.members.iter().map(|member| (at, of[member])));
    }
    pairs
}

/// To whom nothing may be given, by the provisions that apply.
struct Bars<'a> {
    answers: &'a Answers,
    pack: &'a LawPack,
    known: HashMap<Vec<(usize, *const People)>, People>,
}

impl Bars<'_> {
    fn of(&mut self, cell: &Cell) -> People {
        let key = cell
            .hits
            .iter()
            .map(|(at, people)| (*at, Arc::as_ptr(people)))
            .collect();
        let (answers, pack) = (self.answers, self.pack);
        let bars = self.known.entry(key).or_insert_with(|| {
            let forbids = cell
                .hits
                .iter()
                .filter(|(at, _)| answers.provisions()[*at].1 == Effect::Forbid);
            forbids.fold(People::none(pack.domain()), |all, (_, people)| {
                all.or(people)
            })
        });
        bars.clone()
    }
}

fn same(old: &Answers, new: &Answers, pack: &LawPack) -> bool {
    let bars = |answers| Bars {
        answers,
        pack,
        known: HashMap::new(),
    };
    let (mut old_bars, mut new_bars) = (bars(old), bars(new));
    let (a, b) = (old.space(), new.space());
    let custodians = pairs(&a.custodians, &b.custodians);
    let recipients = pairs(&a.recipients, &b.recipients);
    let purposes = pairs(&a.purposes, &b.purposes);
    let elements = pairs(&a.elements, &b.elements);
    custodians.iter().all(|custodian| {
        recipients.iter().all(|recipient| {
            purposes.iter().all(|purpose| {
                elements.iter().all(|element| {
                    let at = |side: fn(&(usize, usize)) -> usize| At {
                        custodian: side(custodian),
                        recipient: side(recipient),
                        purpose: side(purpose),
                        element: side(element),
                    };
                    let (before, now) = (old.cell(at(|pair| pair.0)), new.cell(at(|pair| pair.1)));
                    *before.released == *now.released
                        && old_bars.of(&before).without(&new_bars.of(&now)).is_empty()
                })
            })
        })
    })
}

#[test]
fn every_slip_of_the_pen_that_changes_an_answer_breaks_an_assertion() {
    let count = std::env::var("CHANCERY_MUTATIONS").map_or(FEW, |count| count.parse().unwrap());
    let (law, files) = (shipped(), shipped_files());
    let dice = &mut Dice::new(SEED);
    let mut seen = BTreeSet::new();
    let mut score: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut survivors = Vec::new();
    while seen.len() < count {
        let (name, path, text) = slip(&files, dice);
        if !seen.insert((path.clone(), text.clone())) {
            continue;
        }
        let mut changed = files.clone();
        changed.insert(path.clone(), text.clone());
        let fate = fate(&law, changed);
        score.entry(name).or_default()[fate as usize] += 1;
        if matches!(fate, Fate::Survived | Fate::Equivalent) {
            let told = format!(
                "{fate:?}: {name} in {path}\n{}",
                difference(&files[&path], &text)
            );
            println!("{told}");
            if fate == Fate::Survived {
                survivors.push(told);
            }
        }
    }
    println!("{:<34} refused  caught  equivalent  survived", "slip");
    let mut total = [0; 4];
    for (name, fates) in &score {
        let [refused, caught, equivalent, survived] = fates;
        println!("{name:<34} {refused:>7} {caught:>7} {equivalent:>11} {survived:>9}");
        total
            .iter_mut()
            .zip(fates)
            .for_each(|(all, one)| *all += one);
    }
    println!(
        "{:<34} {:>7} {:>7} {:>11} {:>9}",
        "all", total[0], total[1], total[2], total[3]
    );
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

/// The lines that differ.
fn difference(old: &str, new: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let end = a[start..]
        .iter()
        .rev()
        .zip(b[start..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let side = |sign: &str, lines: &[&str]| {
        lines
            .iter()
            .map(|line| format!("  {sign} {line}\n"))
            .collect::<String>()
    };
    side("-", &a[start..a.len() - end]) + &side("+", &b[start..b.len() - end])
}
