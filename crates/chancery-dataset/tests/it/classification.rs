//! Every row of the table, and a second, plain implementation of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use chancery_dataset::{Kind, Silent};
use proptest::prelude::*;

use crate::bench::{Bench, People, attribute, demographics, eligibility, header, parquet, people};

/// One person's codes and determination → citizenship, presence, reason.
const TABLE: [([&str; 2], &[&str], [&str; 2]); 22] = [
    (["", ""], &[], ["unknown", "unknown"]),
    (["", "8"], &[], ["unknown", "unknown"]),
    (["9", "9"], &[], ["unknown", "unknown"]),
    (["1", "8"], &[], ["citizen", "lawful"]),
    (["1", ""], &[], ["citizen", "lawful"]),
    ([" 1 ", ""], &[], ["citizen", "lawful"]),
    (["", ""], &["citizen"], ["citizen", "lawful"]),
    (["2", "8"], &[], ["national", "lawful"]),
    (["2", ""], &["citizen"], ["citizen", "lawful"]),
    (["0", ""], &[], ["noncitizen", "unknown"]),
    (["0", "1"], &[], ["noncitizen", "lawful"]),
    (["0", "2"], &[], ["noncitizen", "lawful"]),
    (["0", "3"], &[], ["noncitizen", "unknown"]),
    (["", "3"], &[], ["noncitizen", "unknown"]),
    (["", ""], &["lawfully_present"], ["noncitizen", "lawful"]),
    (
        ["", ""],
        &["not_lawfully_present"],
        ["noncitizen", "not_lawful"],
    ),
    (
        ["0", "3"],
        &["not_lawfully_present"],
        ["noncitizen", "not_lawful"],
    ),
    (
        ["0", "1"],
        &["not_lawfully_present"],
        ["noncitizen", "unknown"],
    ),
    (["1", "3"], &[], ["unknown", "unknown"]),
    (["1", ""], &["not_lawfully_present"], ["unknown", "unknown"]),
    (["0", ""], &["citizen"], ["unknown", "unknown"]),
    (
        ["0", ""],
        &["lawfully_present", "not_lawfully_present"],
        ["noncitizen", "unknown"],
    ),
];

#[test]
fn every_row_of_the_table_gives_its_value() {
    let bench = Bench::new();
    let mut file = header("V3.0.0", "06");
    let mut found = "origin,msis_id,determination,source,determined_on\n".to_owned();
    for (at, ([citizenship, immigration], determinations, _)) in TABLE.iter().enumerate() {
        let id = format!("P{at}");
        file += &demographics("06", &id, [citizenship, immigration, ""]);
        for word in *determinations {
            writeln!(found, "06,{id},{word},USCIS,2025-01-01").unwrap();
        }
    }
    let file = bench.file("a.psv", file);
    let found = bench.file("determinations.csv", found);
    let dataset = bench
        .add_with(Kind::Tmsis, &[file], None, Some(&found), &Silent)
        .unwrap();
    let people = people(&dataset);
    for (at, (codes, words, [citizenship, presence])) in TABLE.iter().enumerate() {
        let person = &people[&("06".to_owned(), format!("P{at}"))];
        assert_eq!(person["citizenship"], *citizenship, "{codes:?} {words:?}");
        assert_eq!(person["presence"], *presence, "{codes:?} {words:?}");
        assert_eq!(person["funding"], "unknown");
        assert_eq!(person["household"], "unknown");
    }
    let separable: u64 = dataset
        .separability
        .rows
        .iter()
        .map(|row| row.subjects)
        .sum();
    assert_eq!(separable, TABLE.len() as u64);
    let reasons: BTreeSet<_> = dataset
        .separability
        .rows
        .iter()
        .filter_map(|row| row.reason.as_deref())
        .collect();
    assert_eq!(
        reasons.into_iter().collect::<Vec<_>>(),
        [
            "conflicting determination",
            "contradiction",
            "emergency-only code",
            "no evidence",
            "non-citizen with no determination"
        ]
    );
}

#[test]
fn a_program_is_told_only_by_codes_that_agree() {
    let bench = Bench::new();
    let cases: [(&[&str], &str); 8] = [
        (&["1", "1"], "medicaid"),
        (&["2"], "m_chip"),
        (&["3"], "s_chip"),
        (&["4"], "mixed"),
        (&["1", "2"], "mixed"),
        (&["1", "0"], "mixed"),
        (&["1", "9", ""], "medicaid"),
        (&["", "8"], "unknown"),
    ];
    let mut file = header("V3.0.0", "06");
    for (at, (codes, _)) in cases.iter().enumerate() {
        for code in *codes {
            file += &demographics("06", &format!("P{at}"), ["", "", code]);
        }
    }
    let dataset = bench
        .add(Kind::Tmsis, &[bench.file("a.psv", file)])
        .unwrap();
    for (at, (codes, program)) in cases.iter().enumerate() {
        let told = attribute(&dataset, "06", &format!("P{at}"), "program");
        assert_eq!(told, *program, "{codes:?}");
    }
}

#[test]
fn a_declaration_of_funding_holds_for_everybody() {
    let bench = Bench::new();
    let file = bench.file(
        "a.psv",
        header("V3.0.0", "06") + &demographics("06", "P", ["1", "", ""]),
    );
    let map = bench.file("map.toml", "[constants]\nfunding = \"federal\"\n");
    let dataset = bench
        .add_with(Kind::Tmsis, &[file], Some(&map), None, &Silent)
        .unwrap();
    assert_eq!(attribute(&dataset, "06", "P", "funding"), "federal");
}

/// A line of a random file: state, person, and what the line says.
#[derive(Clone, Debug)]
struct Said {
    state: &'static str,
    person: u8,
    line: Line,
}

#[derive(Clone, Debug)]
enum Line {
    Codes([&'static str; 3]),
    Case(u8),
    /// A bad date.
    Bad,
}

type Found = (&'static str, u8, &'static str);

fn said() -> impl Strategy<Value = Said> {
    let codes = (
        prop::sample::select(vec!["", "0", "0", "0", "1", "2", "9"]),
        prop::sample::select(vec!["", "", "1", "2", "3", "8", "9"]),
        prop::sample::select(vec!["", "0", "1", "2", "3", "4", "8"]),
    );
    let line = prop_oneof![
        5 => codes.prop_map(|(a, b, c)| Line::Codes([a, b, c])),
        4 => (0..4_u8).prop_map(Line::Case),
        1 => Just(Line::Bad),
    ];
    let state = prop::sample::select(vec!["06", "56", "93"]);
    (state, 0..8_u8, line).prop_map(|(state, person, line)| Said {
        state,
        person,
        line,
    })
}

fn found() -> impl Strategy<Value = Found> {
    let word = prop::sample::select(vec![
        "citizen",
        "lawfully_present",
        "not_lawfully_present",
        "not_lawfully_present",
        "not_lawfully_present",
    ]);
    (prop::sample::select(vec!["06", "56", "93"]), 0..8_u8, word)
}

fn fold(state: &str) -> &str {
    if state == "93" { "56" } else { state }
}

/// CLASSIFY.md, word by word.
fn reference(all: &[Said], determinations: &[Found]) -> People {
    let key = |state: &str, person: u8| (fold(state).to_owned(), format!("P{person}"));
    let mut evidence: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    let mut cases: BTreeMap<_, BTreeSet<u8>> = BTreeMap::new();
    let mut bad = BTreeSet::new();
    for said in all {
        let who = key(said.state, said.person);
        match &said.line {
            Line::Codes([citizenship, immigration, chip]) => {
                let evidence = evidence.entry(who).or_default();
                evidence.insert(format!("citizenship{citizenship}"));
                evidence.insert(format!("immigration{immigration}"));
                evidence.insert(format!("chip{chip}"));
            }
            Line::Case(case) => {
                evidence.entry(who.clone()).or_default();
                cases.entry(who).or_default().insert(*case);
            }
            Line::Bad => {
                bad.insert(who);
            }
        }
    }
    for (state, person, word) in determinations {
        if let Some(evidence) = evidence.get_mut(&key(state, *person)) {
            evidence.insert((*word).to_owned());
        }
    }
    let mut people = People::new();
    for (who, evidence) in &evidence {
        let attributes = if bad.contains(who) {
            ["unknown"; 3]
        } else {
            individual(evidence)
        };
        let names = ["citizenship", "presence", "program"];
        let mut person: BTreeMap<String, String> = names
            .into_iter()
            .zip(attributes)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        person.insert("origin".to_owned(), who.0.clone());
        person.insert("funding".to_owned(), "unknown".to_owned());
        people.insert(who.clone(), person);
    }
    let presence: BTreeMap<_, String> = people
        .iter()
        .map(|(who, person)| (who.clone(), person["presence"].clone()))
        .collect();
    for (who, person) in &mut people {
        let mine = cases.get(who).filter(|_| !bad.contains(who));
        let household = match mine {
            None => "unknown",
            Some(mine) => {
                let protects = |other: &(String, String)| {
                    let shares = cases.get(other).is_some_and(|its| !its.is_disjoint(mine));
                    other.0 == who.0 && shares && presence[other] != "not_lawful"
                };
                if presence.keys().any(protects) {
                    "has_protected_member"
                } else {
                    "no_protected_member"
                }
            }
        };
        person.insert("household".to_owned(), household.to_owned());
    }
    people
}

#[expect(clippy::many_single_char_names, reason = "the letters of CLASSIFY.md")]
fn individual(evidence: &BTreeSet<String>) -> [&'static str; 3] {
    let has = |name: &str| evidence.contains(name);
    let c = has("citizenship1") || has("citizen");
    let n = has("citizenship2");
    let a = has("citizenship0");
    let q = has("immigration1");
    let l = has("immigration2") || has("lawfully_present");
    let m = has("immigration3");
    let u = has("not_lawfully_present");
    let alien = a || q || l || m || u;
    let citizenship = match (c || n, alien) {
        (true, true) | (false, false) => "unknown",
        (true, false) if c => "citizen",
        (true, false) => "national",
        (false, true) => "noncitizen",
    };
    let presence = if citizenship == "unknown" || (u && (q || l)) {
        "unknown"
    } else if citizenship != "noncitizen" || q || l {
        "lawful"
    } else if u {
        "not_lawful"
    } else {
        "unknown"
    };
    let chips: Vec<u8> = (0..=4).filter(|code| has(&format!("chip{code}"))).collect();
    let program = match chips.as_slice() {
        [1] => "medicaid",
        [2] => "m_chip",
        [3] => "s_chip",
        [] | [0] => "unknown",
        _ => "mixed",
    };
    [citizenship, presence, program]
}

fn write(bench: &Bench, all: &[Said]) -> Vec<std::path::PathBuf> {
    ["06", "56", "93"]
        .map(|state| {
            let mut file = header("v3.0.0", state);
            for said in all.iter().filter(|said| said.state == state) {
                let id = format!("P{}", said.person);
                file += &match &said.line {
                    Line::Codes(codes) => demographics(state, &id, *codes),
                    Line::Case(case) => eligibility(state, &id, &format!("C{case}")),
                    Line::Bad => {
                        demographics(state, &id, ["1", "", ""]).replace("20200101", "20200230")
                    }
                };
            }
            bench.file(&format!("{state}.psv"), file)
        })
        .to_vec()
}

fn write_determinations(bench: &Bench, all: &[Found]) -> std::path::PathBuf {
    let mut file = "origin,msis_id,determination,source,determined_on\n".to_owned();
    for (state, person, word) in all {
        writeln!(file, "{state}, P{person} ,{word},USCIS,2025-01-01").unwrap();
    }
    bench.file("determinations.csv", file)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plain_implementation_agrees(
        all in prop::collection::vec(said(), 0..40),
        determinations in prop::collection::vec(found(), 0..12),
    ) {
        let bench = Bench::new();
        let files = write(&bench, &all);
        let found = write_determinations(&bench, &determinations);
        let dataset = bench.add_with(Kind::Tmsis, &files, None, Some(&found), &Silent).unwrap();
        let people = people(&dataset);
        prop_assert_eq!(&people, &reference(&all, &determinations));
        prop_assert_eq!(dataset.census.total(), people.len() as u64);
        let good = all.iter().filter(|said| !matches!(said.line, Line::Bad)).count();
        let rows: u64 = (0..dataset.census.tables.len()).map(|table| dataset.census.rows(table)).sum();
        prop_assert_eq!(rows, good as u64 + 3);
    }

    #[test]
    fn analytic_files_agree_with_submitted_ones(
        rows in prop::collection::vec((said(), 0..4_u8), 1..30),
        determinations in prop::collection::vec(found(), 0..8),
    ) {
        let bench = Bench::new();
        let rows: Vec<(Said, u8)> = rows
            .into_iter()
            .filter(|(said, _)| matches!(said.line, Line::Codes(_)))
            .collect();
        prop_assume!(!rows.is_empty());
        let mut all = Vec::new();
        let mut columns: [Vec<String>; 6] = Default::default();
        for (said, case) in &rows {
            let Line::Codes([citizenship, immigration, chip]) = said.line else { continue };
            let immigration = if immigration == "8" { "0" } else { immigration };
            let case_num = format!("C{case}");
            let id = format!("P{} ", said.person);
            for (column, value) in columns.iter_mut().zip([&id, said.state, citizenship, immigration, chip, &case_num]) {
                column.push(value.to_owned());
            }
            all.push(said.clone());
            all.push(Said { line: Line::Case(*case), ..said.clone() });
        }
        let names = ["MSIS_IDENT_NUM", "SUBMTG_STATE_CD", "CTZNSHP_IND", "IMGRTN_STUS_CD", "CHIP_CD", "MSIS_CASE_NUM"];
        let columns: Vec<(&str, Vec<Option<&str>>)> = names
            .into_iter()
            .zip(&columns)
            .map(|(name, values)| (name, values.iter().map(|value| Some(value.as_str())).collect()))
            .collect();
        let path = bench.dir.path().join("taf.parquet");
        parquet(&path, &columns);
        let found = write_determinations(&bench, &determinations);
        let taf = bench.add_with(Kind::Taf, &[path], None, Some(&found), &Silent).unwrap();
        prop_assert_eq!(people(&taf), reference(&all, &determinations));
    }
}
