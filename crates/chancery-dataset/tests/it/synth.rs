//! Synthetic people, read back as a reader without knowledge of the generator would read them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, a panic is the message"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type};
use chancery_dataset::synth::{DictionaryVersion, Encoding, Error, Kind, Plan, Written, write};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

const LAYOUT: &str = include_str!("../../tmsis/eligible_layout.csv");
const LAYOUT_V4: &str = include_str!("../../tmsis/eligible_layout_v4.csv");
const POSITIONS: &str = include_str!("../../tmsis/flf_positions.csv");
const CODES: &str = include_str!("../../tmsis/codes.csv");

const TAF_COLUMNS: &str = "MSIS_IDENT_NUM SUBMTG_STATE_CD MSIS_CASE_NUM SSN_NUM ELGBL_1ST_NAME \
    ELGBL_LAST_NAME ELGBL_MDL_INITL_NAME BIRTH_DT DEATH_DT SEX_CD MRTL_STUS_CD INCM_CD VET_IND \
    CTZNSHP_IND CTZNSHP_VRFCTN_IND IMGRTN_STUS_CD IMGRTN_VRFCTN_IND IMGRTN_STUS_5_YR_BAR_END_DT \
    OTHR_LANG_HOME_CD HSEHLD_SIZE_CD PRGNT_IND ETHNCTY_CD ELGBL_LINE_1_ADR_HOME \
    ELGBL_LINE_2_ADR_HOME ELGBL_CITY_NAME_HOME ELGBL_ZIP_CD_HOME ELGBL_CNTY_CD_HOME \
    ELGBL_STATE_CD_HOME ELGBL_PHNE_NUM_HOME ELGBLTY_GRP_CD RSTRCTD_BNFTS_CD DUAL_ELGBL_CD CHIP_CD \
    DEAF_DSBL_FLAG ENRLMT_EFF_DT ENRLMT_END_DT";

fn plan(kind: Kind, people: u64, states: &[&str]) -> Plan {
    let states = states.iter().map(|&fips| fips.to_owned()).collect();
    Plan {
        kind,
        people,
        seed: 7,
        states,
        ..Plan::default()
    }
}

fn synth(plan: &Plan) -> (TempDir, Written) {
    let out = tempfile::tempdir().unwrap();
    let written = write(plan, out.path(), &|_| ()).unwrap();
    (out, written)
}

/// The content of every file, by name.
fn contents(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let entry = |entry: fs::DirEntry| {
        (
            entry.file_name().into_string().unwrap(),
            fs::read(entry.path()).unwrap(),
        )
    };
    fs::read_dir(out)
        .unwrap()
        .map(|file| entry(file.unwrap()))
        .collect()
}

type Row = HashMap<String, String>;

fn table(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// The records of all pipe-delimited files, each by the names of its elements.
fn records(out: &Path) -> Vec<Row> {
    let mut layout: HashMap<String, Vec<String>> = HashMap::new();
    for row in table(LAYOUT) {
        layout
            .entry(row["segment_id"].clone())
            .or_default()
            .push(row["element_name"].clone());
    }
    let mut records = Vec::new();
    for (name, bytes) in contents(out) {
        if !name.starts_with("ELIGIBLE-") {
            continue;
        }
        for line in String::from_utf8(bytes).unwrap().lines() {
            let fields: Vec<&str> = line.split('|').collect();
            let names = &layout[fields[0]];
            assert_eq!(fields.len(), names.len(), "{}", fields[0]);
            let field = |(name, value): (&String, &str)| (name.clone(), value.to_owned());
            records.push(names.iter().zip(fields).map(field).collect());
        }
    }
    records
}

fn segment<'a>(records: &'a [Row], id: &str) -> impl Iterator<Item = &'a Row> {
    records
        .iter()
        .filter(move |record| record["RECORD-ID"] == id)
}

fn key(record: &Row) -> (String, String) {
    (
        record["SUBMITTING-STATE"].clone(),
        record["MSIS-IDENTIFICATION-NUM"].clone(),
    )
}

/// The rows of all Parquet files of people, nulls as empty texts, dates as days.
fn rows(out: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for name in contents(out).keys().filter(|name| name.starts_with("TAF-")) {
        let file = File::open(out.join(name)).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file)
            .unwrap()
            .build()
            .unwrap()
        {
            let batch = batch.unwrap();
            for row in 0..batch.num_rows() {
                let cell = |column: &dyn Array| match column.data_type() {
                    _ if column.is_null(row) => String::new(),
                    DataType::Date32 => column.as_primitive::<Date32Type>().value(row).to_string(),
                    _ => column.as_string::<i32>().value(row).to_owned(),
                };
                let schema = batch.schema();
                let cells = schema.fields().iter().zip(batch.columns());
                rows.push(
                    cells
                        .map(|(field, c)| (field.name().clone(), cell(c)))
                        .collect(),
                );
            }
        }
    }
    rows
}

/// Days since 1970-01-01 of `20251231`, or nothing if there is no such day.
fn day(text: &str) -> Option<i64> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (part(0..4), part(4..6), part(6..8));
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = 28 + i64::from(leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *months.get(usize::try_from(month - 1).ok()?)?;
    if day < 1 || day > length {
        return None;
    }
    let before = year - 1;
    let years = before * 365 + before / 4 - before / 100 + before / 400 - 719_162;
    let in_year: i64 = months
        .iter()
        .take(usize::try_from(month - 1).unwrap())
        .sum();
    Some(years + in_year + day - 1)
}

#[test]
fn the_same_plan_writes_the_same_bytes() {
    for kind in [Kind::Tmsis, Kind::Taf] {
        let plan = plan(kind, 3_000, &["01", "06", "48"]);
        let (first, written) = synth(&plan);
        let (second, _) = synth(&plan);
        let contents = contents(first.path());
        assert_eq!(contents, self::contents(second.path()));
        let length: usize = contents.values().map(Vec::len).sum();
        assert_eq!(
            (written.bytes, written.files.len()),
            (length as u64, contents.len())
        );
        let (other, _) = synth(&Plan { seed: 8, ..plan });
        assert_ne!(contents, self::contents(other.path()));
    }
}

#[test]
fn people_are_split_over_all_states() {
    let (out, written) = synth(&plan(Kind::Tmsis, 2_000, &[]));
    assert_eq!((written.people, written.files.len()), (2_000, 52));
    let records = records(out.path());
    let people: BTreeSet<_> = segment(&records, "ELG00002").map(key).collect();
    assert_eq!(people.len(), 2_000);
    let states: BTreeSet<_> = people.iter().map(|(state, _)| state).collect();
    assert_eq!(states.len(), 51);
    assert_eq!(usize::try_from(written.rows).unwrap() + 51, records.len());
}

#[test]
fn taf_columns_are_those_of_the_interface() {
    let (out, _) = synth(&plan(Kind::Taf, 10, &["56"]));
    let file = File::open(out.path().join("TAF-56.parquet")).unwrap();
    let schema = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .schema()
        .clone();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(names, TAF_COLUMNS.split_whitespace().collect::<Vec<_>>());
    for field in schema.fields() {
        let date = field.name().ends_with("_DT");
        assert_eq!(
            field.data_type(),
            if date {
                &DataType::Date32
            } else {
                &DataType::Utf8
            }
        );
    }
}

#[test]
fn both_kinds_hold_the_same_people() {
    let states = ["06", "36", "50"];
    let (tmsis, _) = synth(&plan(Kind::Tmsis, 4_000, &states));
    let (taf, _) = synth(&plan(Kind::Taf, 4_000, &states));
    let records = records(tmsis.path());
    let rows = rows(taf.path());
    assert_eq!(rows.len(), 4_000);
    // Later records of a person take the place of earlier ones, as TAF shows the latest span; the
    // primary home and the primary case are the first of their segment.
    let mut latest: HashMap<(String, String), Row> = HashMap::new();
    for record in records
        .iter()
        .filter(|record| record["RECORD-ID"] != "ELG00001")
    {
        let person = latest.entry(key(record)).or_default();
        let mail = record
            .get("ELIGIBLE-ADDR-TYPE")
            .is_some_and(|kind| kind == "06");
        let second = record
            .get("PRIMARY-ELIGIBILITY-GROUP-IND")
            .is_some_and(|kind| kind == "0");
        if !mail && !second {
            person.extend(record.clone());
        }
    }
    let texts = [
        ("MSIS_CASE_NUM", "MSIS-CASE-NUM"),
        ("SSN_NUM", "SSN"),
        ("ELGBL_1ST_NAME", "ELIGIBLE-FIRST-NAME"),
        ("ELGBL_LAST_NAME", "ELIGIBLE-LAST-NAME"),
        ("ELGBL_MDL_INITL_NAME", "ELIGIBLE-MIDDLE-INIT"),
        ("SEX_CD", "SEX"),
        ("MRTL_STUS_CD", "MARITAL-STATUS"),
        ("INCM_CD", "INCOME-CODE"),
        ("VET_IND", "VETERAN-IND"),
        ("CTZNSHP_IND", "CITIZENSHIP-IND"),
        ("CTZNSHP_VRFCTN_IND", "CITIZENSHIP-VERIFICATION-FLAG"),
        ("IMGRTN_VRFCTN_IND", "IMMIGRATION-VERIFICATION-FLAG"),
        ("OTHR_LANG_HOME_CD", "PRIMARY-LANGUAGE-CODE"),
        ("HSEHLD_SIZE_CD", "HOUSEHOLD-SIZE"),
        ("PRGNT_IND", "PREGNANCY-IND"),
        ("ETHNCTY_CD", "ETHNICITY-CODE"),
        ("ELGBL_LINE_1_ADR_HOME", "ELIGIBLE-ADDR-LN1"),
        ("ELGBL_LINE_2_ADR_HOME", "ELIGIBLE-ADDR-LN2"),
        ("ELGBL_CITY_NAME_HOME", "ELIGIBLE-CITY"),
        ("ELGBL_ZIP_CD_HOME", "ELIGIBLE-ZIP-CODE"),
        ("ELGBL_CNTY_CD_HOME", "ELIGIBLE-COUNTY-CODE"),
        ("ELGBL_STATE_CD_HOME", "ELIGIBLE-STATE"),
        ("ELGBL_PHNE_NUM_HOME", "ELIGIBLE-PHONE-NUM"),
        ("ELGBLTY_GRP_CD", "ELIGIBILITY-GROUP"),
        ("RSTRCTD_BNFTS_CD", "RESTRICTED-BENEFITS-CODE"),
        ("DUAL_ELGBL_CD", "DUAL-ELIGIBLE-CODE"),
        ("CHIP_CD", "CHIP-CODE"),
    ];
    let dates = [
        ("BIRTH_DT", "DATE-OF-BIRTH"),
        ("DEATH_DT", "DATE-OF-DEATH"),
        (
            "IMGRTN_STUS_5_YR_BAR_END_DT",
            "IMMIGRATION-STATUS-FIVE-YEAR-BAR-END-DATE",
        ),
        ("ENRLMT_EFF_DT", "ENROLLMENT-EFF-DATE"),
        ("ENRLMT_END_DT", "ENROLLMENT-END-DATE"),
    ];
    for row in &rows {
        let person = &latest[&(
            row["SUBMTG_STATE_CD"].clone(),
            row["MSIS_IDENT_NUM"].clone(),
        )];
        for (column, element) in texts {
            assert_eq!(row[column], person[element], "{column}");
        }
        for (column, element) in dates {
            let expected = day(&person[element]).map_or(String::new(), |day| day.to_string());
            assert_eq!(row[column], expected, "{column}");
        }
        let immigration = match person["IMMIGRATION-STATUS"].as_str() {
            "8" => "0",
            "8 " => "0 ",
            other => other,
        };
        assert_eq!(row["IMGRTN_STUS_CD"], immigration);
        let deaf = person
            .get("DISABILITY-TYPE-CODE")
            .is_some_and(|kind| kind == "01");
        assert_eq!(row["DEAF_DSBL_FLAG"], if deaf { "1" } else { "0" });
    }
}

#[test]
fn every_value_is_in_its_code_set_or_meant_not_to_be() {
    let (out, _) = synth(&plan(Kind::Tmsis, 6_000, &["06", "12"]));
    let mut codes: HashMap<String, BTreeSet<String>> = HashMap::new();
    for row in table(CODES) {
        codes
            .entry(row["code_set"].clone())
            .or_default()
            .insert(row["code"].clone());
    }
    let odd: BTreeSet<&str> = ["CITIZENSHIP-IND", "IMMIGRATION-STATUS", "CHIP-CODE"].into();
    let mut types: HashMap<(String, String), Row> = HashMap::new();
    for row in table(LAYOUT) {
        types.insert(
            (row["segment_id"].clone(), row["element_name"].clone()),
            row,
        );
    }
    for record in records(out.path()) {
        for (element, value) in &record {
            let column = &types[&(record["RECORD-ID"].clone(), element.clone())];
            let set = codes.get(&column["code_set"]);
            if let (Some(set), false) = (set, value.is_empty() || odd.contains(element.as_str())) {
                assert!(set.contains(value), "{element} {value:?}");
            }
            if column["type"] == "date" && !value.is_empty() {
                assert!(day(value).is_some(), "{element} {value:?}");
            }
            let most = column["max_len"].parse().unwrap_or(usize::MAX);
            let wide = odd.contains(element.as_str()) || value.ends_with(' ');
            assert!(wide || value.len() <= most, "{element} {value:?}");
            assert!(element != "CHIP-CODE" || value != "0");
        }
    }
}

#[test]
fn headers_count_their_records() {
    let (out, _) = synth(&plan(Kind::Tmsis, 500, &["02", "44"]));
    for (name, bytes) in contents(out.path()) {
        let text = String::from_utf8(bytes).unwrap();
        if let Some(header) = text
            .lines()
            .next()
            .filter(|_| name.starts_with("ELIGIBLE-"))
        {
            let fields: Vec<&str> = header.split('|').collect();
            assert_eq!(&fields[..2], ["ELG00001", "V3.0.0"]);
            assert_eq!((fields[3], fields[5]), ("PSV", "ELIGIBLE"));
            assert_eq!(
                fields[12].parse::<usize>().unwrap(),
                text.lines().count() - 1
            );
            let numbers = text
                .lines()
                .skip(1)
                .map(|line| line.split('|').nth(2).unwrap());
            assert!(
                numbers
                    .zip(1_u64..)
                    .all(|(number, place)| number == place.to_string())
            );
        }
    }
}

/// CITIZENSHIP-IND, IMMIGRATION-STATUS and CHIP-CODE of one span.
type Codes<'a> = (&'a str, &'a str, &'a str);

/// The codes of every person, span by span.
type Spans<'a> = HashMap<(String, String), Vec<Codes<'a>>>;

/// How large a share of `total` is, in thousandths of a per cent.
fn share(count: usize, total: usize) -> usize {
    count * 100_000 / total
}

#[test]
fn every_mix_occurs_among_twenty_thousand() {
    let (out, written) = synth(&plan(Kind::Tmsis, 20_000, &[]));
    let records = records(out.path());
    let per_person = usize::try_from(written.rows).unwrap() / 20_000;
    assert!(
        (10..14).contains(&per_person),
        "{per_person} records a person"
    );

    let segments: BTreeSet<&str> = records
        .iter()
        .map(|record| &record["RECORD-ID"][..])
        .collect();
    assert_eq!(segments.len(), 21);

    let mut spans: Spans<'_> = HashMap::new();
    for record in segment(&records, "ELG00003") {
        let codes = ["CITIZENSHIP-IND", "IMMIGRATION-STATUS", "CHIP-CODE"];
        let [citizen, immigration, chip] = codes.map(|element| record[element].trim());
        spans
            .entry(key(record))
            .or_default()
            .push((citizen, immigration, chip));
    }
    let among = |range: std::ops::Range<usize>, what: &str, count: usize| {
        let share = share(count, 20_000);
        assert!(range.contains(&share), "{what}: {share} in 100,000");
    };
    let count =
        |test: &dyn Fn(&[Codes<'_>]) -> bool| spans.values().filter(|spans| test(spans)).count();
    let last = |citizen: &str, immigration: &str| {
        count(&|spans| {
            spans
                .last()
                .is_some_and(|span| (span.0, span.1) == (citizen, immigration))
        })
    };
    among(84_000..90_000, "citizens", last("1", "8"));
    among(150..500, "nationals", last("2", "8"));
    among(4_000..6_000, "qualified", last("0", "1"));
    among(1_000..1_800, "lawfully present", last("0", "2"));
    among(2_100..3_300, "emergency only", last("0", "3"));
    among(
        100..500,
        "citizens with an immigration status",
        last("1", "1"),
    );
    among(
        15_000..30_000,
        "several spans",
        count(&|spans| spans.len() > 1),
    );
    let contradictory = |spans: &[Codes<'_>]| {
        spans.iter().any(|span| span.0 == "1") && spans.iter().any(|span| span.0 == "0")
    };
    among(250..900, "contradictory spans", count(&contradictory));
    let chips = |spans: &[Codes<'_>]| {
        spans
            .iter()
            .map(|span| span.2)
            .collect::<BTreeSet<_>>()
            .len()
            > 1
    };
    among(50..2_000, "several CHIP-CODEs", count(&chips));
    for chip in ["1", "2", "3", "4", "", "9"] {
        let found = count(&|spans| spans.iter().any(|span| span.2 == chip));
        assert!(found > 10, "CHIP-CODE {chip:?}: {found}");
    }
    for odd in ["7", "9", "99", "88", "888", "X", ""] {
        let found = count(&|spans| spans.iter().any(|span| span.0 == odd || span.1 == odd));
        assert!(found > 0, "code {odd:?}");
    }
    assert!(segment(&records, "ELG00003").any(|record| record["CITIZENSHIP-IND"] == "1 "));

    households_are_mixed(&records, &spans);
    determinations_are_mixed(out.path(), &spans);
}

fn households_are_mixed(records: &[Row], spans: &Spans<'_>) {
    let among = |range: std::ops::Range<usize>, what: &str, count: usize| {
        let share = share(count, 20_000);
        assert!(range.contains(&share), "{what}: {share} in 100,000");
    };
    let cases = segment(records, "ELG00005").map(|r| (key(r), r["MSIS-CASE-NUM"].trim()));
    let mut of_person: HashMap<_, BTreeSet<&str>> = HashMap::new();
    let mut of_case: HashMap<(String, &str), BTreeSet<String>> = HashMap::new();
    for ((state, id), case) in cases {
        of_person
            .entry((state.clone(), id.clone()))
            .or_default()
            .insert(case);
        if !case.is_empty() {
            of_case.entry((state, case)).or_default().insert(id);
        }
    }
    let none = of_person
        .values()
        .filter(|cases| cases.contains(""))
        .count();
    among(600..1_500, "no case", none);
    let two = of_person.values().filter(|cases| cases.len() > 1).count();
    among(100..600, "two cases", two);

    let has = |state: &String, id: &String, code: &str| {
        spans[&(state.clone(), id.clone())]
            .iter()
            .any(|span| span.0 == code)
    };
    let (mut with_aliens, mut mixed) = (0, 0);
    for ((state, _), ids) in &of_case {
        if ids.iter().any(|id| has(state, id, "0")) {
            with_aliens += 1;
            mixed += usize::from(ids.iter().any(|id| has(state, id, "1")));
        }
    }
    let share = share(mixed, with_aliens);
    assert!(
        (50_000..70_000).contains(&share),
        "mixed households: {share} in 100,000"
    );
}

fn determinations_are_mixed(out: &Path, people: &Spans<'_>) {
    let rows = table(&fs::read_to_string(out.join("determinations.csv")).unwrap());
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in &rows {
        assert!(day(&row["determined_on"].replace('-', "")).is_some());
        let key = (row["origin"].clone(), row["msis_id"].clone());
        found
            .entry(key)
            .or_default()
            .insert(row["determination"].clone());
    }
    assert!(
        (200..450).contains(&found.len()),
        "{} people with determinations",
        found.len()
    );
    let emergency = |key: &(String, String)| {
        people
            .get(key)
            .is_some_and(|spans| spans.iter().any(|span| span.1 == "3"))
    };
    let absent = |found: &BTreeSet<String>| found.contains("not_lawfully_present");
    let expected = found
        .iter()
        .filter(|(key, found)| emergency(key) && absent(found))
        .count();
    assert!(share(expected, found.len()) > 55_000);
    assert!(
        found
            .values()
            .any(|found| found.contains("lawfully_present"))
    );
    assert!(found.values().any(|found| found.contains("citizen")));
    assert!(
        found.values().any(|found| found.len() > 1),
        "conflicting findings"
    );
    assert!(
        found.keys().any(|key| !people.contains_key(key)),
        "ids that no file holds"
    );
    let citizen = |key: &(String, String)| {
        people
            .get(key)
            .is_some_and(|spans| spans.iter().all(|span| span.0 == "1"))
    };
    assert!(
        found
            .iter()
            .any(|(key, found)| citizen(key) && absent(found)),
        "contradictions"
    );
}

#[test]
fn no_number_could_be_a_real_person_s() {
    let (out, _) = synth(&plan(Kind::Taf, 20_000, &[]));
    let (mut areas, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for row in rows(out.path()) {
        assert!(ids.insert((
            row["SUBMTG_STATE_CD"].clone(),
            row["MSIS_IDENT_NUM"].clone()
        )));
        assert!((1..=20).contains(&row["MSIS_IDENT_NUM"].len()));
        let phone = &row["ELGBL_PHNE_NUM_HOME"];
        assert!(
            phone.is_empty() || (phone.len() == 10 && &phone[3..8] == "55501"),
            "{phone}"
        );
        let ssn = &row["SSN_NUM"];
        if ssn.is_empty() {
            continue;
        }
        let (area, group) = (&ssn[..3], ssn[3..5].parse::<u32>().unwrap());
        assert!(
            ssn.len() == 9 && ("900"..="999").contains(&area) || ["666", "000"].contains(&area)
        );
        assert!(
            area < "900" || group < 50,
            "{ssn} could be a taxpayer number"
        );
        areas.insert(area.to_owned());
    }
    assert!(areas.contains("666") && areas.contains("000") && areas.contains("950"));
}

#[test]
fn malformed_lines_are_added_and_change_nothing_else() {
    let good = plan(Kind::Tmsis, 400, &["06", "30"]);
    let (clean, _) = synth(&good);
    for malformed in [1, 4, 500] {
        let (out, _) = synth(&Plan {
            malformed,
            ..good.clone()
        });
        for fips in ["06", "30"] {
            let name = format!("ELIGIBLE-{fips}.psv");
            let bytes = fs::read(out.path().join(&name)).unwrap();
            assert_ne!(bytes.last(), Some(&b'\n'));
            let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            let unknown =
                |line: &&&[u8]| line.starts_with(b"ELG00019|") || line.starts_with(b"ELG99999|");
            let count = |test: &dyn Fn(&&&[u8]) -> bool| lines.iter().filter(test).count();
            let n = malformed as usize;
            assert_eq!(count(&unknown), n);
            assert_eq!(count(&|line| std::str::from_utf8(line).is_err()), n);
            assert_eq!(
                count(&|line| line.windows(10).any(|w| w == b"|20251345|")),
                n
            );
            // The line that is cut off is the last one, and may have as few fields.
            let whole = lines.iter().rev().skip(1);
            let short = |line: &&&[u8]| line.split(|byte| *byte == b'|').count() == 5;
            assert_eq!(whole.filter(short).count(), n);
            let state = |line: &[u8]| line.split(|byte| *byte == b'|').nth(1).unwrap().to_owned();
            assert_eq!(
                count(&|line| !line.starts_with(b"ELG00001") && state(line) != fips.as_bytes()),
                n
            );
            let records = fs::read(clean.path().join(&name)).unwrap();
            let records = records.split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(lines.len(), records + 5 * n + 1);
        }
    }
}

#[test]
fn fixed_length_files_put_values_at_their_bytes() {
    let plan = Plan {
        encoding: Encoding::Flf,
        version: DictionaryVersion::Mixed,
        ..plan(Kind::Tmsis, 300, &["04", "32"])
    };
    let (out, _) = synth(&plan);
    let (separated, _) = synth(&Plan {
        encoding: Encoding::Psv,
        ..plan
    });
    for (fips, version, layout) in [("04", "v3", LAYOUT), ("32", "v4", LAYOUT_V4)] {
        let fixed = fs::read(out.path().join(format!("ELIGIBLE-{fips}.flf"))).unwrap();
        let text =
            fs::read_to_string(separated.path().join(format!("ELIGIBLE-{fips}.psv"))).unwrap();
        let mut columns: HashMap<String, Vec<String>> = HashMap::new();
        for row in table(layout) {
            columns
                .entry(row["segment_id"].clone())
                .or_default()
                .push(row["element_name"].clone());
        }
        let positions = table(POSITIONS);
        let mut places = HashMap::new();
        for row in positions.iter().filter(|row| row["dd_version"] == version) {
            let bytes = (
                row["flf_start"].parse::<usize>(),
                row["flf_stop"].parse::<usize>(),
            );
            if let (Ok(start), Ok(stop)) = bytes {
                places.insert(
                    (row["segment_id"].as_str(), row["element_name"].as_str()),
                    start - 1..stop,
                );
            }
        }
        let lines: Vec<&[u8]> = fixed.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), text.lines().count() + 1);
        for (line, record) in lines.iter().zip(text.lines()) {
            let fields: Vec<&str> = record.split('|').collect();
            let names = &columns[fields[0]];
            assert_eq!(names.len(), fields.len());
            for (name, field) in names.iter().zip(&fields) {
                let Some(place) = places.get(&(fields[0], name.as_str())) else {
                    continue;
                };
                let value = String::from_utf8(line[place.clone()].to_vec()).unwrap();
                let expected = match name.as_str() {
                    "FILE-ENCODING-SPECIFICATION" => "FLF",
                    _ => field.trim_end(),
                };
                let expected = expected.get(..place.len().min(expected.len())).unwrap();
                let value = value.trim_end();
                assert!(
                    value.trim_start_matches('0') == expected.trim_start_matches('0'),
                    "{name}"
                );
            }
        }
    }
    let header = fs::read_to_string(separated.path().join("ELIGIBLE-32.psv")).unwrap();
    assert!(header.starts_with("ELG00001|V4.0.0|"));
}

#[test]
fn determinations_of_both_kinds_are_equal() {
    let (tmsis, _) = synth(&plan(Kind::Tmsis, 9_000, &["06", "56"]));
    let (taf, _) = synth(&plan(Kind::Taf, 9_000, &["06", "56"]));
    let csv = fs::read_to_string(tmsis.path().join("determinations.csv")).unwrap();
    let file = File::open(taf.path().join("determinations.parquet")).unwrap();
    let mut lines = vec!["origin,msis_id,determination,source,determined_on".to_owned()];
    for batch in ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap()
    {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|column| column.as_string::<i32>().value(row));
            lines.push(cells.collect::<Vec<_>>().join(","));
        }
    }
    assert!(lines.len() > 50);
    assert_eq!(csv.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn what_cannot_be_written_is_refused_with_a_hint() {
    let out = tempfile::tempdir().unwrap();
    let refused = |plan: &Plan| {
        let error = write(plan, out.path(), &|_| ()).unwrap_err();
        assert!(error.hint().is_some(), "{error}");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
        error
    };
    assert!(matches!(refused(&plan(Kind::Taf, 0, &[])), Error::NoPeople));
    assert!(matches!(
        refused(&plan(Kind::Taf, 50, &[])),
        Error::MoreStatesThanPeople { .. }
    ));
    let unknown = refused(&plan(Kind::Tmsis, 100, &["06", "93"]));
    assert_eq!(unknown.to_string(), "no state has the FIPS code `93`");
    assert!(matches!(
        refused(&plan(Kind::Taf, u64::MAX, &[])),
        Error::TooManyPeople { .. }
    ));
    let malformed = Plan {
        malformed: 1,
        ..plan(Kind::Taf, 100, &["06"])
    };
    assert!(matches!(refused(&malformed), Error::MalformedTaf));
}

#[test]
fn a_folder_with_such_files_is_refused() {
    for name in ["ELIGIBLE-56.psv", "TAF-01.parquet", "determinations.csv"] {
        let out = tempfile::tempdir().unwrap();
        fs::write(out.path().join(name), "mine").unwrap();
        let error = write(&plan(Kind::Tmsis, 10, &["06"]), out.path(), &|_| ()).unwrap_err();
        assert!(matches!(&error, Error::Occupied { path } if path.ends_with(name)));
        assert!(error.hint().unwrap().contains("empty folder"));
        assert_eq!(contents(out.path())[name], b"mine");
    }
}

#[test]
fn a_folder_with_other_files_is_used() {
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("notes.txt"), "mine").unwrap();
    write(&plan(Kind::Taf, 10, &["06"]), out.path(), &|_| ()).unwrap();
    let names: Vec<String> = contents(out.path()).into_keys().collect();
    assert_eq!(
        names,
        ["TAF-06.parquet", "determinations.parquet", "notes.txt"]
    );
}

#[test]
fn progress_adds_up_to_all_people() {
    let done = std::sync::atomic::AtomicU64::new(0);
    let out = tempfile::tempdir().unwrap();
    let plan = plan(Kind::Taf, 12_345, &["06", "48", "56"]);
    let count = |people| {
        done.fetch_add(people, std::sync::atomic::Ordering::Relaxed);
    };
    write(&plan, out.path(), &count).unwrap();
    assert_eq!(done.into_inner(), 12_345);
}
