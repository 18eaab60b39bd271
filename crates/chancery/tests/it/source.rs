//! The datasets of the corpus as a reader without the product's code sees them: text, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::workbench::{Bench, Ran, corpus, repository};

/// A column, the element that it discloses, and whether it only identifies the row.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) element: Option<String>,
    pub(crate) key: bool,
}

/// A line of a file.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) origin: String,
    /// The person's id; a file header has none.
    pub(crate) person: Option<String>,
    pub(crate) cells: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
}

/// A person's codes, of all lines and of the determinations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Codes {
    pub(crate) citizenship: BTreeSet<String>,
    pub(crate) immigration: BTreeSet<String>,
    pub(crate) chip: BTreeSet<String>,
    pub(crate) cases: BTreeSet<String>,
    pub(crate) determinations: BTreeSet<String>,
    /// A line about the person cannot be read.
    pub(crate) quarantined: bool,
}

/// Everything that the files of a dataset say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) people: BTreeMap<(String, String), Codes>,
}

fn folder(dataset: &str) -> PathBuf {
    corpus().join("datasets").join(dataset)
}

/// Adds a dataset of the corpus to a workspace.
pub(crate) fn add(bench: &Bench, dataset: &str) {
    let from = folder(dataset);
    let path = |name: &str| from.join(name).to_str().unwrap().to_owned();
    let mut args = vec!["dataset".to_owned(), "add".to_owned(), dataset.to_owned()];
    match dataset {
        "tmsis" => {
            args.extend(["--kind".to_owned(), dataset.to_owned()]);
            args.extend(["06", "48", "55", "93"].map(|s| path(&format!("ELIGIBLE-{s}.psv"))));
            args.extend(["--determinations".to_owned(), path("determinations.csv")]);
        }
        "taf" => {
            let file = bench.path().join("TAF.parquet");
            let (header, rows) = csv(&from.join("TAF.csv"));
            write_parquet(&file, &header, &rows);
            args.extend(["--kind".to_owned(), dataset.to_owned()]);
            args.push(file.to_str().unwrap().to_owned());
            args.extend(["--determinations".to_owned(), path("determinations.csv")]);
        }
        _ => {
            args.extend(["--kind".to_owned(), "table".to_owned()]);
            args.extend([path("enrollees.csv"), "--map".to_owned(), path("map.toml")]);
            args.extend(["--determinations".to_owned(), path("determinations.csv")]);
        }
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Ran::of(bench.command(&args)).expect(0);
}

/// Reads a dataset of the corpus.
pub(crate) fn read(dataset: &str) -> Source {
    let from = folder(dataset);
    let mut source = match dataset {
        "tmsis" => tmsis(&from),
        "taf" => taf(&from),
        _ => table(&from),
    };
    let determinations = from.join("determinations.csv");
    if determinations.exists() {
        let (_, rows) = csv(&determinations);
        for row in rows {
            let who = (row[0].clone(), row[1].clone());
            if let Some(codes) = source.people.get_mut(&who) {
                codes.determinations.insert(row[2].clone());
            }
        }
    }
    source
}

/// Wyoming's separate program and three others submit under codes of their own.
fn origin(state: &str) -> String {
    match state {
        "93" => "56",
        "94" => "30",
        "96" => "19",
        "97" => "42",
        other => other,
    }
    .to_owned()
}

fn code(set: &mut BTreeSet<String>, value: &str, codes: &[&str]) {
    if codes.contains(&value) {
        set.insert(value.to_owned());
    }
}

/// The segments of the Eligible file: field names with their elements.
fn layout() -> BTreeMap<String, Vec<Column>> {
    let tables = repository().join("crates/chancery-dataset/tmsis");
    let (_, elements) = csv(&tables.join("elements.csv"));
    let elements: BTreeMap<(String, String), (String, bool)> = elements
        .into_iter()
        .map(|row| {
            (
                (row[0].clone(), row[1].clone()),
                (row[2].clone(), row[3] == "1"),
            )
        })
        .collect();
    let (header, fields) = csv(&tables.join("eligible_layout.csv"));
    let name = header.iter().position(|h| h == "element_name").unwrap();
    let mut segments: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for field in fields {
        let (element, key) = &elements[&(field[0].clone(), field[name].clone())];
        segments.entry(field[0].clone()).or_default().push(Column {
            name: field[name].to_lowercase().replace('-', "_"),
            element: (!element.is_empty()).then(|| element.clone()),
            key: *key,
        });
    }
    segments
}

fn is_day(value: &str) -> bool {
    let digits = value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    value.is_empty()
        || digits
            && (1..=12).contains(&value[4..6].parse::<u32>().unwrap())
            && (1..=31).contains(&value[6..].parse::<u32>().unwrap())
}

fn tmsis(from: &Path) -> Source {
    let layout = layout();
    let mut source = Source::default();
    let mut unreadable = Vec::new();
    for state in ["06", "48", "55", "93"] {
        let text = std::fs::read_to_string(from.join(format!("ELIGIBLE-{state}.psv"))).unwrap();
        for line in text.lines() {
            let cells: Vec<String> = line.split('|').map(|c| c.trim().to_owned()).collect();
            let columns = &layout[&cells[0]];
            let at = |name: &str| {
                let at = columns.iter().position(|column| column.name == name);
                at.and_then(|at| cells.get(at)).map_or("", String::as_str)
            };
            let person = (cells[0] != "ELG00001").then(|| cells[3].clone());
            let dates = ["date_of_birth", "date_of_death"];
            let readable = cells.len() == columns.len()
                && person.as_deref() != Some("")
                && dates.iter().all(|name| is_day(at(name)));
            let who = person.clone().map(|id| (origin(state), id));
            if !readable {
                unreadable.extend(who);
                continue;
            }
            if let Some(who) = who {
                let codes = source.people.entry(who).or_default();
                code(
                    &mut codes.citizenship,
                    at("citizenship_ind"),
                    &["0", "1", "2"],
                );
                code(
                    &mut codes.immigration,
                    at("immigration_status"),
                    &["1", "2", "3"],
                );
                code(&mut codes.chip, at("chip_code"), &["0", "1", "2", "3", "4"]);
                if !at("msis_case_num").is_empty() {
                    codes.cases.insert(at("msis_case_num").to_owned());
                }
            }
            let table = source.tables.entry(cells[0].clone()).or_default();
            table.columns.clone_from(columns);
            table.rows.push(Row {
                origin: origin(state),
                person,
                cells,
            });
        }
    }
    for who in unreadable {
        if let Some(codes) = source.people.get_mut(&who) {
            codes.quarantined = true;
        }
    }
    source
}

/// What the columns of the analytic files disclose, by meaning.
const TAF: [(&str, &str); 19] = [
    ("MSIS_IDENT_NUM", "medicaid_id"),
    ("SUBMTG_STATE_CD", "enrollment"),
    ("MSIS_CASE_NUM", "household"),
    ("SSN_NUM", "ssn"),
    ("ELGBL_1ST_NAME", "name"),
    ("ELGBL_LAST_NAME", "name"),
    ("BIRTH_DT", "birth_date"),
    ("SEX_CD", "sex"),
    ("INCM_CD", "income"),
    ("CTZNSHP_IND", "citizenship"),
    ("IMGRTN_STUS_CD", "immigration_status"),
    ("ELGBL_LINE_1_ADR_HOME", "address"),
    ("ELGBL_CITY_NAME_HOME", "address"),
    ("ELGBL_ZIP_CD_HOME", "address"),
    ("ELGBL_PHNE_NUM_HOME", "phone"),
    ("PRGNT_IND", "pregnancy"),
    ("CHIP_CD", "program"),
    ("DEAF_DSBL_FLAG", "disability"),
    ("ENRLMT_EFF_DT", "enrollment_span"),
];

fn taf(from: &Path) -> Source {
    let (header, rows) = csv(&from.join("TAF.csv"));
    let columns = header.iter().map(|name| Column {
        name: name.clone(),
        element: TAF
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, element)| (*element).to_owned()),
        key: ["MSIS_IDENT_NUM", "SUBMTG_STATE_CD"].contains(&name.as_str()),
    });
    let mut source = Source::default();
    let mut table = Table {
        columns: columns.collect(),
        rows: Vec::new(),
    };
    for cells in rows {
        let at = |name: &str| cells[header.iter().position(|h| h == name).unwrap()].as_str();
        let (state, id) = (
            origin(at("SUBMTG_STATE_CD")),
            at("MSIS_IDENT_NUM").to_owned(),
        );
        let codes = source
            .people
            .entry((state.clone(), id.clone()))
            .or_default();
        code(&mut codes.citizenship, at("CTZNSHP_IND"), &["0", "1", "2"]);
        code(
            &mut codes.immigration,
            at("IMGRTN_STUS_CD"),
            &["1", "2", "3"],
        );
        code(&mut codes.chip, at("CHIP_CD"), &["0", "1", "2", "3", "4"]);
        if !at("MSIS_CASE_NUM").is_empty() {
            codes.cases.insert(at("MSIS_CASE_NUM").to_owned());
        }
        table.rows.push(Row {
            origin: state,
            person: Some(id),
            cells: cells.clone(),
        });
    }
    source.tables.insert("TAF".to_owned(), table);
    source
}

/// What `map.toml` says of the columns of `enrollees.csv`.
const ENROLLEES: [Option<&str>; 10] = [
    Some("medicaid_id"),
    Some("enrollment"),
    Some("household"),
    Some("citizenship"),
    Some("immigration_status"),
    Some("program"),
    Some("birth_date"),
    Some("address"),
    Some("phone"),
    None,
];

fn table(from: &Path) -> Source {
    let (header, rows) = csv(&from.join("enrollees.csv"));
    let columns = header.iter().zip(ENROLLEES).enumerate();
    let columns = columns.map(|(at, (name, element))| Column {
        name: name.clone(),
        element: element.map(str::to_owned),
        key: at < 2,
    });
    let mut source = Source::default();
    let mut table = Table {
        columns: columns.collect(),
        rows: Vec::new(),
    };
    let mut unreadable = Vec::new();
    for cells in rows {
        let who = (cells[1].clone(), cells[0].clone());
        if cells.len() != header.len() {
            unreadable.push(who);
            continue;
        }
        let codes = source.people.entry(who.clone()).or_default();
        let recoded = |at: usize, to: &[(&str, &str)]| {
            let found = to.iter().find(|(from, _)| *from == cells[at]);
            found.map(|(_, to)| (*to).to_owned())
        };
        codes
            .citizenship
            .extend(recoded(3, &[("Y", "1"), ("N", "0")]));
        codes.chip.extend(recoded(5, &[("XIX", "1"), ("XXI", "2")]));
        codes.cases.insert(cells[2].clone());
        table.rows.push(Row {
            origin: who.0,
            person: Some(who.1),
            cells,
        });
    }
    for who in unreadable {
        if let Some(codes) = source.people.get_mut(&who) {
            codes.quarantined = true;
        }
    }
    source.tables.insert("ENROLLEES".to_owned(), table);
    source
}

/// The header and the records of a CSV file.
pub(crate) fn csv(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut records = records(&text).into_iter();
    (records.next().unwrap(), records.collect())
}

/// RFC 4180, character by character.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let record = records.last_mut().unwrap();
        let cell = record.last_mut().unwrap();
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => records.push(vec![String::new()]),
            other => cell.push(other),
        }
    }
    if records.last().is_some_and(|last| *last == [""]) {
        records.pop();
    }
    records
}

/// The columns and the rows of a released file; a missing cell is empty.
pub(crate) fn released(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    if path.extension().is_some_and(|extension| extension == "csv") {
        return csv(path);
    }
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let names = reader.schema().fields().iter().map(|f| f.name().clone());
    let names: Vec<String> = names.collect();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .map(|column| cast(column, &DataType::Utf8).unwrap())
            .collect();
        for at in 0..batch.num_rows() {
            let cell = |column: &ArrayRef| {
                let text = column.as_string::<i32>();
                let value = text.is_valid(at).then(|| text.value(at));
                value.unwrap_or_default().to_owned()
            };
            rows.push(columns.iter().map(cell).collect());
        }
    }
    (names, rows)
}

/// Writes text columns as Parquet; an empty cell is missing.
pub(crate) fn write_parquet(path: &Path, header: &[String], rows: &[Vec<String>]) {
    let columns = header.iter().enumerate().map(|(at, name)| {
        let cells = rows
            .iter()
            .map(|row| Some(row[at].as_str()).filter(|c| !c.is_empty()));
        let array: ArrayRef = Arc::new(cells.collect::<StringArray>());
        (name, array, true)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
