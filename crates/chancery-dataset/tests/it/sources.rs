//! Files of every kind: what is taken, what is quarantined, what is refused.

use std::collections::BTreeMap;
use std::path::Path;

use chancery_dataset::{Dataset, Dictionary, Error, Kind, Silent, scan};
use proptest::prelude::*;

use crate::bench::{Bench, attribute, demographics, eligibility, header, parquet, people, rows};

fn quarantine(dataset: &Dataset) -> Vec<[String; 3]> {
    let text = std::fs::read_to_string(dataset.dir().join("quarantine.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let row = |row: csv::StringRecord| [1, 2, 3].map(|at| row[at].to_owned());
    reader
        .records()
        .map(|record| row(record.unwrap()))
        .collect()
}

/// A good line about P1 and P2, then `line`; returns the reason and whether P1 is quarantined.
fn reason(line: &[u8]) -> (String, String, Dataset, Bench) {
    let bench = Bench::new();
    let mut file = header("V3.0.0", "06").into_bytes();
    for id in ["P1", "P2"] {
        file.extend(demographics("06", id, ["1", "8", "1"]).bytes());
    }
    file.extend_from_slice(line);
    let dataset = bench
        .add(Kind::Tmsis, &[bench.file("a.psv", file)])
        .unwrap();
    let listed = quarantine(&dataset);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0][0], "4");
    let citizenship = attribute(&dataset, "06", "P1", "citizenship");
    (listed[0][2].clone(), citizenship, dataset, bench)
}

#[test]
fn every_sort_of_bad_line_is_left_out_with_its_person() {
    let good = demographics("06", "P1", ["0", "", ""]);
    let bad: [(&str, Vec<u8>); 8] = [
        ("wrong field count", b"ELG00003|06|1|P1|\n".to_vec()),
        (
            "wrong field count",
            good.replace('\n', "||||X\n").into_bytes(),
        ),
        (
            "bad date",
            good.replace("20200101", "20201301").into_bytes(),
        ),
        (
            "unknown record id",
            good.replace("ELG00003", "ELG00019").into_bytes(),
        ),
        (
            "invalid UTF-8",
            good.replace("|0|", "|\u{1}|")
                .bytes()
                .map(|b| if b == 1 { 255 } else { b })
                .collect(),
        ),
        ("truncated last line", b"ELG00003|06|1|P1|".to_vec()),
        (
            "unknown submitting state",
            good.replace("|06|", "|ZZ|").into_bytes(),
        ),
        (
            "submitting state differs from the header",
            good.replace("|06|", "|48|").into_bytes(),
        ),
    ];
    for (expected, line) in bad {
        let (reason, citizenship, dataset, _bench) = reason(&line);
        assert_eq!(
            (reason.as_str(), citizenship.as_str()),
            (expected, "unknown")
        );
        assert_eq!(attribute(&dataset, "06", "P2", "citizenship"), "citizen");
        assert_eq!(dataset.catalogue.quarantine.unattributed, 0);
        let reasons: Vec<_> = dataset
            .separability
            .rows
            .iter()
            .filter_map(|r| r.reason.as_deref())
            .collect();
        assert_eq!(reasons, ["quarantined segment"]);
    }
}

#[test]
fn lines_about_nobody_are_counted() {
    for (expected, line) in [
        ("missing id", demographics("06", " ", ["0", "", ""])),
        ("second header", header("V3.0.0", "06")),
        ("truncated last line", "ELG00003|06".to_owned()),
    ] {
        let (reason, citizenship, dataset, _bench) = reason(line.as_bytes());
        assert_eq!(
            (reason.as_str(), citizenship.as_str()),
            (expected, "citizen")
        );
        assert_eq!(dataset.catalogue.quarantine.unattributed, 1);
    }
}

#[test]
fn a_line_cut_off_within_an_id_is_about_everybody_it_may_be() {
    let (reason, _, dataset, _bench) = reason(b"ELG00003|06|1|P");
    assert_eq!(reason, "truncated last line");
    assert!(
        people(&dataset)
            .values()
            .all(|person| person["citizenship"] == "unknown")
    );
}

#[test]
fn a_bad_line_still_says_who_lives_with_whom() {
    let bench = Bench::new();
    let file = header("V3.0.0", "06")
        + &demographics("06", "P1", ["0", "", ""])
        + &eligibility("06", "P1", "C1")
        + &eligibility("06", "P2", "C1").replace('\n', "||||||||||X\n");
    let found = bench.file(
        "determinations.csv",
        "origin,msis_id,determination,source,determined_on\n06,P1,not_lawfully_present,S,\n",
    );
    let file = bench.file("a.psv", file);
    let dataset = bench
        .add_with(Kind::Tmsis, &[file], None, Some(&found), &Silent)
        .unwrap();
    assert_eq!(attribute(&dataset, "06", "P1", "presence"), "not_lawful");
    assert_eq!(
        attribute(&dataset, "06", "P1", "household"),
        "has_protected_member"
    );
    assert_eq!(dataset.census.total(), 1);
}

#[test]
fn a_state_mismatch_distrusts_the_person_in_both_states() {
    let bench = Bench::new();
    let one = header("V3.0.0", "06") + &demographics("48", "P1", ["0", "", ""]);
    let other = header("V3.0.0", "48") + &demographics("48", "P1", ["1", "", ""]);
    let files = [bench.file("06.psv", one), bench.file("48.psv", other)];
    let dataset = bench.add(Kind::Tmsis, &files).unwrap();
    assert_eq!(attribute(&dataset, "48", "P1", "citizenship"), "unknown");
}

#[test]
fn fillings_and_far_days_are_dates_and_a_last_line_needs_no_end() {
    let bench = Bench::new();
    let line = demographics("06", "P1", ["1", "", ""]);
    let file = header("V3.0.0", "06")
        + &line.replace("20200101", "99999999")
        + &line.replace("20200101", "88888888")
        + &line.replace("20200101", "").replace('\n', "\r\n")
        + line.trim_end();
    let dataset = bench
        .add(Kind::Tmsis, &[bench.file("a.psv", file)])
        .unwrap();
    assert_eq!(dataset.catalogue.quarantine.lines, 0);
    let (at, _) = dataset.catalogue.table("ELG00003").unwrap();
    assert_eq!(dataset.census.rows(at), 4);
}

#[test]
fn lines_of_a_segment_have_as_many_fields_as_most_of_them() {
    let bench = Bench::new();
    let stray = |id: &str| {
        // The citizen's line with a `|` in a free text: the veteran flag stands for citizenship.
        format!("ELG00003|06|1|{id}||sep|arated||||0|1||8|||||||||1|20200101|99991231|\n")
    };
    assert_eq!(stray("P1").matches('|').count(), 25);
    let plain = ["P2", "P3"].map(|id| demographics("06", id, ["0", "", ""]));
    let file = header("V3.0.0", "06") + &plain.concat() + &demographics("06", "P1", ["0", "", ""]);
    let longer = plain.concat().replace('\n', "||||\n");
    let dataset = bench
        .add(Kind::Tmsis, &[bench.file("a.psv", file + &stray("P1"))])
        .unwrap();
    assert_eq!(attribute(&dataset, "06", "P1", "citizenship"), "unknown");
    assert_eq!(attribute(&dataset, "06", "P2", "citizenship"), "noncitizen");
    assert_eq!(
        quarantine(&dataset),
        [["5", "", "wrong field count"].map(String::from)]
    );
    // As many empty fields at the end of every line are as good.
    let file = header("V3.0.0", "06") + &longer + &demographics("06", "P1", ["0", "", ""]);
    let dataset = bench
        .add(Kind::Tmsis, &[bench.file("a.psv", file)])
        .unwrap();
    assert_eq!(attribute(&dataset, "06", "P2", "citizenship"), "noncitizen");
    assert_eq!(
        quarantine(&dataset),
        [["4", "", "wrong field count"].map(String::from)]
    );
    // Of two numbers that are as frequent, the smaller holds.
    let file = header("V3.0.0", "06") + &stray("P1") + &plain[0];
    let dataset = bench
        .add(Kind::Tmsis, &[bench.file("a.psv", file)])
        .unwrap();
    assert_eq!(quarantine(&dataset)[0][0], "2");
}

#[test]
fn a_segment_that_appears_late_is_counted_where_it_does() {
    let bench = Bench::new();
    let early = eligibility("06", "P1", "C1");
    let mut file = header("V3.0.0", "06");
    while file.len() < (8 << 20) {
        file += &early;
    }
    file += "ELG00003|06|1|P2||a|b||||0|1||8|||||||||1|20200101|99991231|\n";
    for id in ["P2", "P3", "P1"] {
        file += &demographics("06", id, ["0", "", ""]);
    }
    let dataset = bench
        .add(Kind::Tmsis, &[bench.file("a.psv", file)])
        .unwrap();
    assert_eq!(dataset.catalogue.quarantine.lines, 1);
    assert_eq!(attribute(&dataset, "06", "P2", "citizenship"), "unknown");
    assert_eq!(attribute(&dataset, "06", "P3", "citizenship"), "noncitizen");
}

#[test]
fn a_text_longer_than_its_field_is_bad_and_characters_count() {
    let fits = format!(
        "ELG00002|06|1|P1|{}|L|||19800101||20200101|99991231|\n",
        "é".repeat(30)
    );
    let wide = fits.replace('é', "éé");
    let bench = Bench::new();
    let file = header("V3.0.0", "06") + &fits + &wide;
    let dataset = bench
        .add(Kind::Tmsis, &[bench.file("a.psv", file)])
        .unwrap();
    assert_eq!(
        quarantine(&dataset),
        [["3", "eligible_first_name", "value longer than its field"].map(String::from)]
    );
}

#[test]
fn foreign_headers_are_refused_and_leave_nothing() {
    let bench = Bench::new();
    let good = header("V3.0.0", "06");
    for (field, text) in [
        ("DATA-DICTIONARY-VERSION", header("V5.0.0", "06")),
        ("DATA-DICTIONARY-VERSION", header("1.0", "06")),
        ("FILE-NAME", good.replace("ELIGIBLE", "CLAIM-IP")),
        ("SUBMITTING-STATE", header("V3.0.0", "99")),
        ("FILE-ENCODING-SPECIFICATION", good.replace("PSV", "FLF")),
        ("RECORD-ID", demographics("06", "P1", ["1", "", ""])),
        ("RECORD-ID", String::new()),
    ] {
        let error = bench
            .add(Kind::Tmsis, &[bench.file("a.psv", text)])
            .unwrap_err();
        let Error::Fault(fault) = &error else {
            panic!("{error}")
        };
        assert_eq!(fault.field.as_deref(), Some(field));
        assert!(error.hint().is_some());
        assert_eq!(std::fs::read_dir(bench.datasets()).unwrap().count(), 0);
    }
}

fn fixed(line: &str, positions: &BTreeMap<(String, usize), (usize, usize)>) -> String {
    let mut text = vec![b' '; 0];
    let fields: Vec<&str> = line.trim_end_matches('\n').split('|').collect();
    for (at, value) in fields.iter().enumerate() {
        let value = if *value == "PSV" { "FLF" } else { value };
        let Some((start, stop)) = positions.get(&(fields[0].to_owned(), at)) else {
            continue;
        };
        text.resize(text.len().max(*stop), b' ');
        text[*start - 1..start - 1 + value.len()].copy_from_slice(value.as_bytes());
    }
    String::from_utf8(text).unwrap() + "\n"
}

#[test]
fn fixed_length_lines_say_the_same_as_delimited_ones() {
    let mut positions = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let table = include_str!("../../tmsis/flf_positions.csv");
    for row in csv::Reader::from_reader(table.as_bytes())
        .records()
        .map(Result::unwrap)
    {
        if &row[0] == "v3" {
            let at = counts.entry(row[1].to_owned()).or_default();
            positions.insert(
                (row[1].to_owned(), *at),
                (row[4].parse().unwrap(), row[5].parse().unwrap()),
            );
            *at += 1;
        }
    }
    let bench = Bench::new();
    let lines = [
        header("V3.0.0", "06"),
        demographics("06", "P1", ["0", "1", "2"]),
        demographics("06", "P2", ["1", "", ""]).replace("20200101", "20200132"),
        eligibility("06", "P1", "C1"),
        demographics("06", "P2", ["2", "", ""]),
    ];
    let psv: String = lines.concat();
    let flf: String = lines.iter().map(|line| fixed(line, &positions)).collect();
    let psv = bench.add(Kind::Tmsis, &[bench.file("a.psv", psv)]).unwrap();
    let of_psv = (people(&psv), psv.census.clone(), quarantine(&psv));
    let rows_of = |dataset: &Dataset| rows(&dataset.table_files("ELG00003", "06")[0].path);
    let psv_rows = rows_of(&psv);
    let flf = bench.add(Kind::Tmsis, &[bench.file("a.psv", flf)]).unwrap();
    assert_eq!((people(&flf), flf.census.clone(), quarantine(&flf)), of_psv);
    assert_eq!(rows_of(&flf), psv_rows);
}

#[test]
fn versions_three_and_four_give_the_same_people() {
    let bench = Bench::new();
    let third = header("v3.34", "06")
        + &demographics("06", "P1", ["0", "2", "3"])
        + &eligibility("06", "P1", "C1");
    let fourth = header("4.0.0", "06")
        + &demographics("06", "P1", ["0", "2", "3"]).replace('\n', "|\n")
        + &format!(
            "ELG00005|06|1|P1|C1{}|20300101|001||002||||\n",
            "|".repeat(15)
        );
    let third = people(
        &bench
            .add(Kind::Tmsis, &[bench.file("a.psv", third)])
            .unwrap(),
    );
    let dataset = bench
        .add(Kind::Tmsis, &[bench.file("a.psv", fourth)])
        .unwrap();
    assert_eq!(
        dataset.catalogue.quarantine.lines,
        0,
        "{:?}",
        quarantine(&dataset)
    );
    assert_eq!(people(&dataset), third);
    let columns: Vec<_> = dataset
        .catalogue
        .columns_of("income")
        .map(|(_, c)| c.name.as_str())
        .collect();
    assert!(columns.contains(&"income_standard_code"), "{columns:?}");
    let row = &rows(&dataset.table_files("ELG00005", "06")[0].path)[0];
    assert_eq!(
        row["eligibility_redetermination_date"].as_deref(),
        Some("20300101")
    );
    assert_eq!(row["medicaid_basis_of_eligibility"], None);
}

#[test]
fn odd_characters_distrust_the_person_under_both_ids() {
    let good = demographics("06", "P1", ["0", "", ""]);
    for (field, line) in [
        ("msis_identification_num", good.replace("P1", "P1\t")),
        ("msis_identification_num", good.replace("P1", "P1\u{a0}")),
        ("submitting_state", good.replace("|06|", "|06\t|")),
        ("citizenship_ind", good.replace("|0|", "|1\t|")),
        ("citizenship_ind", good.replace("|0|", "|\u{ff11}|")),
        ("msis_case_num", eligibility("06", "P1", "C1\0")),
    ] {
        let (reason, citizenship, dataset, _bench) = reason(line.as_bytes());
        assert_eq!(reason, "character that no code or id has", "{field}");
        assert_eq!(citizenship, "unknown", "{field}");
        assert_eq!(quarantine(&dataset)[0][1], field);
        assert_eq!(attribute(&dataset, "06", "P2", "citizenship"), "citizen");
    }
    // A name may be written as it is.
    let bench = Bench::new();
    let name = "ELG00002|06|1|P1|Zoé|L|||19800101||20200101|99991231|\n";
    let file = bench.file("a.psv", header("V3.0.0", "06") + name);
    let dataset = bench.add(Kind::Tmsis, &[file]).unwrap();
    assert_eq!(dataset.catalogue.quarantine.lines, 0);
}

#[test]
fn odd_characters_in_parquet_distrust_the_person_and_the_household() {
    let bench = Bench::new();
    let path = bench.dir.path().join("a.parquet");
    let all = |values: [&'static str; 6]| values.map(Some).to_vec();
    parquet(
        &path,
        &[
            (
                "MSIS_IDENT_NUM",
                all(["P1", "P1\t", "P2", "P3", "P4", "P5"]),
            ),
            (
                "SUBMTG_STATE_CD",
                all(["06", "06", "06", "06", "06", "06\n"]),
            ),
            ("CTZNSHP_IND", all(["0", "1", "1\t", "0", "0", "1"])),
            ("MSIS_CASE_NUM", all(["C1", "C2", "C3", "C4", "C3", "C5"])),
        ],
    );
    let found = bench.file(
        "determinations.csv",
        "origin,msis_id,determination,source,determined_on\n06,P4,not_lawfully_present,S,\n",
    );
    let dataset = bench
        .add_with(Kind::Taf, &[path], None, Some(&found), &Silent)
        .unwrap();
    let told = |origin: &str, id: &str| attribute(&dataset, origin, id, "citizenship");
    assert_eq!(told("06", "P1"), "unknown");
    assert_eq!(told("06", "P1\t"), "unknown");
    assert_eq!(told("06", "P2"), "unknown");
    assert_eq!(told("06", "P3"), "noncitizen");
    assert_eq!(told("unknown", "P5"), "unknown");
    assert_eq!(
        attribute(&dataset, "06", "P4", "household"),
        "has_protected_member"
    );
}

/// P1, found not to be lawfully present, in case C12; returns the household after `line`.
fn household(line: &[u8]) -> String {
    let bench = Bench::new();
    let mut file = header("V3.0.0", "06") + &demographics("06", "P1", ["0", "", ""]);
    file += &eligibility("06", "P1", "C12");
    let mut file = file.into_bytes();
    file.extend_from_slice(line);
    let found = bench.file(
        "determinations.csv",
        "origin,msis_id,determination,source,determined_on\n06,P1,not_lawfully_present,S,\n",
    );
    let file = bench.file("a.psv", file);
    let dataset = bench
        .add_with(Kind::Tmsis, &[file], None, Some(&found), &Silent)
        .unwrap();
    attribute(&dataset, "06", "P1", "household")
}

#[test]
fn a_bad_line_without_an_id_still_says_who_lives_together() {
    let blank = eligibility("06", "", "C12");
    let broken: Vec<u8> = eligibility("06", "#", "C12")
        .bytes()
        .map(|byte| if byte == b'#' { 0xff } else { byte })
        .collect();
    for line in [
        blank.as_bytes(),
        &broken,
        b"elg00005|06|1|P9|C12|\n",
        eligibility("06", "P9", "C12\t").as_bytes(),
        b"ELG00005|06|1|P9|C12",
        b"ELG00005|06|1|P9|C1",
        b"ELG00005|06|1|P9|C",
    ] {
        let text = String::from_utf8_lossy(line);
        assert_eq!(household(line), "has_protected_member", "{text}");
    }
    assert_eq!(household(b"ELG00005|06|1|P9|C2"), "no_protected_member");
}

#[test]
fn a_case_number_of_any_length_may_be_a_filling() {
    for (case, expected) in [
        ("8", "unknown"),
        ("888", "unknown"),
        ("99999", "unknown"),
        ("898", "no_protected_member"),
    ] {
        let bench = Bench::new();
        let file = header("V3.0.0", "06")
            + &demographics("06", "P1", ["0", "", ""])
            + &eligibility("06", "P1", case);
        let found = bench.file(
            "determinations.csv",
            "origin,msis_id,determination,source,determined_on\n06,P1,not_lawfully_present,S,\n",
        );
        let file = bench.file("a.psv", file);
        let dataset = bench
            .add_with(Kind::Tmsis, &[file], None, Some(&found), &Silent)
            .unwrap();
        assert_eq!(attribute(&dataset, "06", "P1", "household"), expected);
    }
}

#[test]
fn a_record_of_another_length_may_be_about_any_of_its_values() {
    let bench = Bench::new();
    let map = bench.file("map.toml", MAP);
    let head =
        "person,state,citizen,case,note\nP1,06,N,C1,\nP2,48,N,C2,\nP3,06,N,C3,\nP4,06,N,C2,\n";
    let found = bench.file(
        "determinations.csv",
        "origin,msis_id,determination,source,determined_on\n48,P2,not_lawfully_present,S,\n",
    );
    let add = |tail: &str| {
        let file = bench.file("a.csv", head.to_owned() + tail);
        bench
            .add_with(Kind::Table, &[file], Some(&map), Some(&found), &Silent)
            .unwrap()
    };
    for tail in ["Doe, Ann,P1,06,Y,C2\n", "x,\"\nP1,06,Y,C2,\nP9,06,Y,C2,\n"] {
        let dataset = add(tail);
        assert_eq!(attribute(&dataset, "06", "P1", "citizenship"), "unknown");
        assert_eq!(attribute(&dataset, "06", "P3", "citizenship"), "noncitizen");
        assert_eq!(
            attribute(&dataset, "48", "P2", "household"),
            "has_protected_member"
        );
    }
    let dataset = add("P1\t,06,Y,C9,\nP2,06\t,Y,C9,\n");
    let reasons = &dataset.catalogue.quarantine.by_reason;
    assert_eq!(reasons["character that no code or id has"], 2);
    for (origin, id) in [("06", "P1"), ("48", "P2")] {
        assert_eq!(attribute(&dataset, origin, id, "citizenship"), "unknown");
    }
    // Who has no id at all still lives with somebody.
    let dataset = add("\u{0},48\t,Y,C2,\n");
    assert_eq!(
        attribute(&dataset, "48", "P2", "household"),
        "has_protected_member"
    );
}

const MAP: &str = r#"
table = "ENROLLEES"
id = "person"
origin = "state"
[[column]]
name = "person"
element = "medicaid_id"
key = true
[[column]]
name = "citizen"
element = "citizenship"
plays = "citizenship_ind"
recode = { Y = "1", N = "0" }
[[column]]
name = "case"
element = "household"
plays = "case_num"
"#;

#[test]
fn a_map_turns_csv_into_a_dataset() {
    let bench = Bench::new();
    let csv =
        "person,state,citizen,case,note\nP1,06,Y,C1,a\nP2,93,N,C1,b\nP2\nP1,06,N,C1,\n,06,Y,,\n";
    let (file, map) = (bench.file("a.csv", csv), bench.file("map.toml", MAP));
    let dataset = bench
        .add_with(Kind::Table, &[file], Some(&map), None, &Silent)
        .unwrap();
    assert_eq!(dataset.origins(), ["06", "56"]);
    assert_eq!(attribute(&dataset, "06", "P1", "citizenship"), "unknown");
    assert_eq!(attribute(&dataset, "56", "P2", "citizenship"), "unknown");
    assert_eq!(attribute(&dataset, "06", "", "citizenship"), "unknown");
    assert_eq!(dataset.census.total(), 3);
    assert_eq!(
        quarantine(&dataset),
        [["4", "", "wrong field count"].map(String::from)]
    );
    assert!(!dataset.table_files("ENROLLEES", "06")[0].single_origin);
    assert_eq!(dataset.table("ENROLLEES").unwrap().columns[4].element, None);
}

#[test]
fn maps_that_are_wrong_are_refused_where_they_are() {
    let bench = Bench::new();
    let file = bench.file("a.csv", "person,state,citizen,case\n");
    for (line, field, map) in [
        (
            Some(10),
            "person",
            MAP.replace("name = \"citizen\"", "name = \"person\""),
        ),
        (
            Some(15),
            "cases",
            MAP.replace("name = \"case\"", "name = \"cases\""),
        ),
        (
            Some(11),
            "citizen",
            MAP.replace("\"citizenship\"", "\"wealth\""),
        ),
        (Some(12), "wealth", MAP.replace("citizenship_ind", "wealth")),
        (Some(13), "citizen", MAP.replace("N = \"0\"", "N = \"7\"")),
        (None, "id", MAP.replace("id = \"person\"", "")),
        (None, "origin", MAP.replace("origin = \"state\"", "")),
    ] {
        let map = bench.file("map.toml", map);
        let error = bench
            .add_with(
                Kind::Table,
                std::slice::from_ref(&file),
                Some(&map),
                None,
                &Silent,
            )
            .unwrap_err();
        let Error::Fault(fault) = error else {
            panic!("{error}")
        };
        assert_eq!(
            (fault.place.line, fault.field.as_deref()),
            (line, Some(field)),
            "{fault}"
        );
        assert!(fault.hint.is_some(), "{fault}");
    }
}

fn taf(path: &Path, ids: &[Option<&str>]) {
    let same = |value| vec![Some(value); ids.len()];
    parquet(
        path,
        &[
            ("MSIS_IDENT_NUM", ids.to_vec()),
            ("SUBMTG_STATE_CD", same("06")),
            ("CTZNSHP_IND", same("1")),
            ("X", same("x")),
        ],
    );
}

#[test]
fn broken_parquet_is_refused() {
    let bench = Bench::new();
    let path = bench.dir.path().join("a.parquet");
    taf(&path, &[Some("P1"), Some("P2")]);
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 4, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = bench
            .add(Kind::Taf, std::slice::from_ref(&path))
            .unwrap_err();
        assert!(matches!(&error, Error::Fault(_)), "{error}");
        assert!(error.hint().is_some() && error.to_string().contains("a.parquet"));
    }
    parquet(&path, &[("MSIS_IDENT_NUM", vec![Some("P1")])]);
    let error = bench.add(Kind::Taf, &[path]).unwrap_err();
    assert!(error.to_string().contains("`SUBMTG_STATE_CD`"), "{error}");
}

#[test]
fn rows_without_an_id_are_one_person_of_whom_nothing_is_known() {
    let bench = Bench::new();
    let path = bench.dir.path().join("a.parquet");
    taf(
        &path,
        &[Some("P1 "), None, Some("  "), Some("999999999999")],
    );
    let dataset = bench.add(Kind::Taf, &[path]).unwrap();
    assert_eq!(dataset.census.total(), 3);
    assert_eq!(attribute(&dataset, "06", "P1", "citizenship"), "citizen");
    assert_eq!(attribute(&dataset, "06", "", "citizenship"), "unknown");
    assert_eq!(
        attribute(&dataset, "06", "999999999999", "citizenship"),
        "unknown"
    );
    assert_eq!(dataset.table("TAF").unwrap().columns[3].element, None);
}

#[test]
fn determinations_that_are_wrong_are_refused_where_they_are() {
    let bench = Bench::new();
    let file = bench.file(
        "a.psv",
        header("V3.0.0", "06") + &demographics("06", "P1", ["1", "", ""]),
    );
    let head = "origin,msis_id,determination,source,determined_on\n";
    for (place, text) in [
        (
            ":3: `determination`",
            format!("{head}06,P1,citizen,S,\n06,P1,maybe,S,\n"),
        ),
        (":2: `origin`", format!("{head}ZZ,P1,citizen,S,\n")),
        (":2: `origin`", format!("{head}06\t,P1,citizen,S,\n")),
        (":2: `msis_id`", format!("{head}06,P1\t,citizen,S,\n")),
        (
            ":2: `determination`",
            format!("{head}06,P1,citizen\u{a0},S,\n"),
        ),
        (
            ":1: `source`",
            "origin,msis_id,determination,determined_on\n".to_owned(),
        ),
    ] {
        let found = bench.file("determinations.csv", text);
        let error = bench
            .add_with(
                Kind::Tmsis,
                std::slice::from_ref(&file),
                None,
                Some(&found),
                &Silent,
            )
            .unwrap_err();
        assert!(error.to_string().contains(place), "{error}");
        assert!(!error.to_string().contains("maybe"));
    }
}

#[test]
fn a_file_without_a_header_shows_nobodys_values() {
    let bench = Bench::new();
    let map = bench.file("map.toml", MAP);
    for (text, field) in [
        ("SECRET,SECRET,06,Y,C1\n", "case"),
        ("person,state,citizen,case,SECRET,SECRET\n", "column 5"),
    ] {
        let file = bench.file("a.csv", text);
        let error = bench
            .add_with(Kind::Table, &[file], Some(&map), None, &Silent)
            .unwrap_err();
        let shown = error.to_string();
        assert!(
            shown.contains(field) && !shown.contains("SECRET"),
            "{shown}"
        );
    }
    let file = bench.file("a.csv", "person,state,citizen,case,SECRET\nP1,06,Y,C1,x\n");
    let dataset = bench
        .add_with(Kind::Table, &[file], Some(&map), None, &Silent)
        .unwrap();
    let columns = &dataset.table("ENROLLEES").unwrap().columns;
    assert_eq!(columns[4].name, "column_5");
    let listed = std::fs::read_to_string(dataset.dir().join("dataset.json")).unwrap();
    assert!(!listed.contains("SECRET"));
}

#[test]
fn determinations_about_nobody_are_counted() {
    let bench = Bench::new();
    let file = header("V3.0.0", "06") + &demographics("06", "P1", ["1", "", ""]);
    let head = "origin,msis_id,determination,source,determined_on\n";
    let text = format!("{head}06,P1,citizen,S,\n06,P2,citizen,S,\n48,P1,citizen,S,\n");
    let found = bench.file("determinations.csv", text);
    let file = bench.file("a.psv", file);
    let dataset = bench
        .add_with(Kind::Tmsis, &[file], None, Some(&found), &Silent)
        .unwrap();
    assert_eq!(dataset.catalogue.quarantine.determinations_unmatched, 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_break_the_reader(tail in prop::collection::vec(any::<u8>(), 0..200), cut in 0..400_usize, fixed: bool) {
        let dictionary = Dictionary::load().unwrap();
        let mut file = header("V3.0.0", "06").into_bytes();
        if fixed {
            file = b"ELG00001V3.0.0    CFLFMAP1     ELIGIBLE06\nELG0000306".to_vec();
        }
        file.extend(demographics("06", "P1", ["1", "", ""]).bytes());
        file.truncate(cut.max(90));
        file.extend(tail);
        let _ = scan(&dictionary, &file);
    }

    #[test]
    fn no_text_breaks_the_map_parser(text in "(?s).{0,80}", at in 0..200_usize) {
        let bench = Bench::new();
        let mut map = MAP.to_owned();
        map.insert_str(at, &text);
        let _ = chancery_dataset::ColumnMap::parse("map.toml", &map, &bench.law.law());
    }
}
