//! No entry says anything of a person: every kind is searched for what the synthetic people's
//! records hold, in the spellings in which it could have come there.

use std::collections::BTreeSet;
use std::path::Path;

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use chancery_release::entry::{Entry, Label, ReleaseId, Url};
use chancery_release::{Fixed, write_ledger};
use serde_json::Value;

use crate::gate::Case;
use crate::samples::every_kind;

/// What a record says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Name,
    FullName,
    Number,
    Address,
    Town,
    Zip,
    BirthDate,
}

/// A value to look for: letters and digits alone, in lower case.
type Needle = (What, String);

fn squeezed(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// What the records of a T-MSIS file say, by the places of the fields in its segments.
fn needles(sources: &Path) -> BTreeSet<Needle> {
    let mut found = BTreeSet::new();
    for state in ["06", "48"] {
        let text = std::fs::read(sources.join(format!("ELIGIBLE-{state}.psv"))).unwrap();
        for line in String::from_utf8_lossy(&text).lines() {
            let fields: Vec<&str> = line.split('|').collect();
            let mut add = |what, value: &str| found.insert((what, squeezed(value)));
            let number = |value: &str| value.trim_start_matches('0').to_owned();
            match fields[0] {
                "ELG00002" => {
                    let (first, last, born) = (fields[4], fields[5], fields[8]);
                    add(What::Name, first);
                    add(What::Name, last);
                    add(What::FullName, &format!("{first}{last}"));
                    add(What::FullName, &format!("{last}{first}"));
                    add(What::Number, &number(fields[3]));
                    let part = |at| born.get(at).unwrap_or_default();
                    let (y, m, d) = (part(0..4), part(4..6), part(6..8));
                    for spelt in [[y, m, d], [m, d, y], [d, m, y]] {
                        add(What::BirthDate, &spelt.concat());
                    }
                }
                "ELG00003" => drop(add(What::Number, &number(fields[6]))),
                "ELG00004" => {
                    add(What::Address, fields[5]);
                    add(What::Town, fields[8]);
                    add(What::Zip, fields[10].get(..5).unwrap_or_default());
                    add(What::Number, &number(fields[12]));
                }
                "ELG00005" => drop(add(What::Number, &number(fields[4]))),
                _ => {}
            }
        }
    }
    found.retain(|(what, value)| value.len() >= shortest(*what));
    found
}

/// Below this a value is found everywhere.
fn shortest(what: What) -> usize {
    match what {
        What::Name => 3,
        What::Town | What::Zip => 5,
        What::Address | What::FullName => 6,
        What::Number => 7,
        What::BirthDate => 8,
    }
}

/// A text to search: its words, and all of it without what stands between letters and digits.
struct Face {
    words: BTreeSet<String>,
    squeezed: String,
}

impl Face {
    fn of(text: &str) -> Self {
        let words = text.split(|c: char| !c.is_alphabetic() && c != '\'' && c != '-');
        let parts = text.split(|c: char| !c.is_alphanumeric());
        let runs = text.split(|c: char| !c.is_ascii_digit());
        Self {
            words: words.chain(parts).chain(runs).map(squeezed).collect(),
            squeezed: squeezed(text),
        }
    }

    fn holds(&self, needle: &Needle) -> bool {
        let (what, value) = needle;
        match what {
            What::Name => {
                self.words.contains(value) || value.len() >= 6 && self.squeezed.contains(value)
            }
            What::Zip => self.words.contains(value),
            What::FullName | What::Number | What::Address | What::Town | What::BirthDate => {
                self.squeezed.contains(value)
            }
        }
    }
}

/// Without the digests and pseudonyms, whose digits are as good as random: a date of birth is
/// among them now and then.
fn without_hashes(text: &str) -> String {
    let mut parts = text.split(':');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let hex = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        let part = if hex == 64 { &part[64..] } else { part };
        kept = kept + ":" + part;
    }
    kept
}

fn decoded(text: &str) -> Vec<String> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabets = [&alphabet::STANDARD, &alphabet::URL_SAFE];
    let engines = alphabets.map(|alphabet| GeneralPurpose::new(alphabet, lenient));
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    let mut found = Vec::new();
    for run in text.split(|c| !is_base64(c)).filter(|run| run.len() >= 4) {
        // It may begin anywhere in the run, and what is left over at its end does not count.
        for start in 0..run.len().min(4) {
            for engine in &engines {
                let rest = &run[start..];
                let whole = &rest[..rest.len() - usize::from(rest.len() % 4 == 1)];
                found.extend(engine.decode(whole));
            }
        }
    }
    for run in text.split(|c: char| !c.is_ascii_hexdigit()) {
        for start in 0..run.len().min(2) {
            let pairs = run.as_bytes()[start..].chunks_exact(2);
            let bytes = pairs
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
            found.push(bytes.collect());
        }
    }
    let texts = found.into_iter();
    texts
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

/// Every text in a value, without JSON's escapes.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                found.push(name.clone());
                texts(value, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What an entry's bytes hold of the needles.
fn scan(bytes: &[u8], needles: &BTreeSet<Needle>) -> Vec<Needle> {
    let text = String::from_utf8_lossy(bytes);
    let plain = without_hashes(&text);
    let mut plain_texts = decoded(&plain);
    plain_texts.push(plain);
    let mut hashes = decoded(&text);
    hashes.push(text.clone().into_owned());
    let mut unescaped = Vec::new();
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        texts(&value, &mut unescaped);
    }
    for text in unescaped {
        let plain = without_hashes(&text);
        plain_texts.extend(decoded(&plain));
        plain_texts.push(plain);
    }
    let faces = |texts: &[String]| texts.iter().map(|text| Face::of(text)).collect::<Vec<_>>();
    let (plain, hashes) = (faces(&plain_texts), faces(&hashes));
    let holds = |needle: &&Needle| {
        plain.iter().any(|face| face.holds(needle))
            || needle.1.len() >= 9 && hashes.iter().any(|face| face.holds(needle))
    };
    needles.iter().filter(holds).cloned().collect()
}

#[test]
fn no_entry_holds_anything_of_a_person() {
    let case = Case::new(true);
    let needles = needles(&case.folder.path().join("sources"));
    for what in [
        What::Name,
        What::FullName,
        What::Number,
        What::Address,
        What::Town,
        What::Zip,
        What::BirthDate,
    ] {
        let many = needles.iter().filter(|needle| needle.0 == what).count();
        assert!(many > 10, "{many} of {what:?}");
    }
    case.oversight();
    case.release("dhs/ice", "immigration-enforcement/civil", "2026-01-10")
        .unwrap();
    case.release("dhs/ice", "treatment", "2026-01-10").unwrap();
    // A folder that a crash, or a hand, left in the staging area and that a person names.
    let staging = case.workspace.staging_dir();
    let (_, name) = needles.iter().find(|n| n.0 == What::FullName).unwrap();
    std::fs::create_dir_all(staging.join(name)).unwrap();
    let clock = Fixed("2026-01-10T12:00:00Z".parse().unwrap());
    drop(write_ledger(&case.workspace, &clock, &chancery_dataset::Silent).unwrap());

    let reader = case.workspace.ledger_reader().unwrap();
    let logged = reader.entries(0..reader.size()).unwrap();
    let mut entries: Vec<Vec<u8>> = logged.map(|entry| entry.unwrap().1).collect();
    let kinds = entries
        .iter()
        .map(|e| Entry::from_bytes(e).known().unwrap().kind());
    let kinds: Vec<&str> = kinds.collect();
    assert_eq!(
        kinds,
        ["workspace", "release", "release", "refusal", "abort"]
    );
    entries.extend(
        every_kind()
            .iter()
            .map(|(_, entry)| entry.to_bytes().unwrap()),
    );
    for entry in entries {
        let found = scan(&entry, &needles);
        assert!(
            found.is_empty(),
            "{found:?} in {}",
            String::from_utf8_lossy(&entry)
        );
    }
}

/// Spellings that the scanner must see through.
fn spellings(value: &str) -> Vec<String> {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    let spaced = |mark: &str| {
        let chars: Vec<String> = value.chars().map(String::from).collect();
        chars
            .chunks(3)
            .map(<[String]>::concat)
            .collect::<Vec<_>>()
            .join(mark)
    };
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let escaped = value.chars().map(|c| format!("\\u{:04x}", c as u32));
    vec![
        value.to_owned(),
        value.to_uppercase(),
        value.to_lowercase(),
        escaped.collect(),
        BASE64_STANDARD.encode(value),
        BASE64_STANDARD.encode(format!("x{value}")),
        format!("xy{}", BASE64_URL_SAFE_NO_PAD.encode(format!("xy{value}"))),
        hex.clone(),
        hex.to_uppercase(),
        format!("a{hex}"),
        spaced("-"),
        spaced(" "),
        spaced("/"),
    ]
}

#[test]
fn the_scanner_finds_what_is_planted() {
    let case = Case::new(true);
    let needles = needles(&case.folder.path().join("sources"));
    let kinds = [
        What::Name,
        What::FullName,
        What::Number,
        What::Address,
        What::Town,
        What::BirthDate,
    ];
    for what in kinds {
        // A name in pieces is letters; the others are found in pieces too.
        let (least, pieces) = if what == What::Name { (6, 10) } else { (0, 13) };
        let planted = needles
            .iter()
            .filter(|(kind, value)| *kind == what && value.len() >= least && value.is_ascii());
        for (_, value) in planted.step_by(37).take(6) {
            for spelt in spellings(value).into_iter().take(pieces) {
                let entry = format!(r#"{{"type":"note","version":1,"text":"{spelt}"}}"#);
                let found = scan(entry.as_bytes(), &needles);
                assert!(
                    found.contains(&(what, value.clone())),
                    "{what:?} in {entry}"
                );
            }
        }
    }
    let (_, zip) = needles.iter().find(|needle| needle.0 == What::Zip).unwrap();
    let entry = format!(r#"{{"type":"note","version":1,"text":"near {zip}"}}"#);
    assert!(scan(entry.as_bytes(), &needles).contains(&(What::Zip, zip.clone())));
}

/// The forms of an entry's texts refuse every number of every synthetic person.
#[test]
fn no_number_of_a_person_fits_a_field() {
    let case = Case::new(true);
    let needles = needles(&case.folder.path().join("sources"));
    let digits = |number: &str| number.bytes().filter(u8::is_ascii_digit).count();
    let numbers = needles.iter().filter(|needle| needle.0 == What::Number);
    // Fewer are an id without its leading zeros, which is not how it is spelt.
    for (_, number) in numbers.filter(|needle| digits(&needle.1) >= 9) {
        let groups = |sizes: [usize; 2]| {
            let (a, rest) = number.split_at(sizes[0].min(number.len()));
            let (b, c) = rest.split_at(sizes[1].min(rest.len()));
            format!("{a}-{b}-{c}")
        };
        for spelt in [number.clone(), groups([3, 2]), groups([3, 3])] {
            assert!(spelt.parse::<Label>().is_err(), "{spelt}");
            assert!(format!("case-{spelt}").parse::<Label>().is_err(), "{spelt}");
            assert!(
                format!("2026-01-10-{spelt}").parse::<ReleaseId>().is_err(),
                "{spelt}"
            );
            assert!(
                format!("https://example.gov/{spelt}")
                    .parse::<Url>()
                    .is_err(),
                "{spelt}"
            );
        }
    }
}
