//! What a released file is made of, and what stops a run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use chancery_dataset::{Progress, Silent};
use chancery_law::{LawPack, PackSource};
use chancery_model::{Format, Grant, Predicate};
use chancery_plan::{Embedded, Error};
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use crate::bench::{Bench, bench, read, write_batch, write_csv, write_parquet};
use crate::people::{Row, map, rows};
use crate::random::{Dice, vocabulary};

fn law() -> LawPack {
    LawPack::load(&PackSource::new("law", vocabulary())).unwrap()
}

fn rows_of(seed: u64) -> Vec<Vec<Row>> {
    let dice = &mut Dice::new(seed);
    (0..2).map(|file| rows(dice, file, 300, 80)).collect()
}

fn fill(folder: &Path, extension: &str, files: &[Vec<Row>]) {
    for (at, rows) in files.iter().enumerate() {
        let path = folder.join(format!("{at}.{extension}"));
        match extension {
            "csv" => write_csv(&path, rows),
            _ => write_parquet(&path, rows),
        }
    }
}

fn dataset(law: &LawPack, extension: &str) -> Bench {
    bench(law, &map(), "", |folder| {
        fill(folder, extension, &rows_of(7));
    })
}

fn is(law: &LawPack, attribute: &str, values: &[&str]) -> Predicate {
    let (at, _) = law.domain().attribute(attribute).unwrap();
    Predicate::within(
        at,
        values
            .iter()
            .map(|value| law.domain().value(at, value).unwrap()),
    )
}

/// Names leave about non-citizens, diagnoses about Medicaid alone; rows of those with either.
fn grant(law: &LawPack) -> Grant {
    let elements = [
        ("name", is(law, "citizenship", &["noncitizen", "citizen"])),
        ("diagnosis", is(law, "program", &["medicaid"])),
        ("medicaid_id", is(law, "citizenship", &["noncitizen"])),
        ("address", Predicate::Never),
    ];
    Grant {
        elements: elements.map(|(name, when)| (name.to_owned(), when)).into(),
        existence: is(law, "presence", &["lawful", "not_lawful", "unknown"]),
    }
}

fn contents(out: &Path, files: &[chancery_plan::StagedFile]) -> BTreeMap<String, Vec<u8>> {
    files
        .iter()
        .map(|file| {
            (
                file.path.clone(),
                std::fs::read(out.join(&file.path)).unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_same_cuts_give_the_same_bytes() {
    let law = law();
    let bench = dataset(&law, "parquet");
    let cuts = bench.cuts(&law, &grant(&law));
    for format in [Format::Parquet, Format::Csv] {
        let name = format.extension();
        let (out, files) = bench
            .stage(&law, &cuts, format, &format!("a-{name}"), &Silent)
            .unwrap();
        let (again, same) = bench
            .stage(&law, &cuts, format, &format!("b-{name}"), &Silent)
            .unwrap();
        assert_eq!(files, same);
        assert!(files.len() > 1 && contents(&out, &files) == contents(&again, &same));
    }
}

#[test]
fn csv_and_parquet_hold_the_same_cells() {
    let law = law();
    let bench = dataset(&law, "csv");
    let cuts = bench.cuts(&law, &grant(&law));
    let (parquet, files) = bench
        .stage(&law, &cuts, Format::Parquet, "p", &Silent)
        .unwrap();
    let (csv, texts) = bench.stage(&law, &cuts, Format::Csv, "c", &Silent).unwrap();
    for (file, text) in files.iter().zip(&texts) {
        let (names, rows) = read(&parquet.join(&file.path));
        let mut reader = csv::Reader::from_path(csv.join(&text.path)).unwrap();
        let header: Vec<String> = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        assert_eq!(header, names);
        let records = reader.records().map(Result::unwrap);
        let records: Vec<Vec<String>> = records
            .map(|record| record.iter().map(str::to_owned).collect())
            .collect();
        let rows: Vec<Vec<String>> = rows
            .into_iter()
            .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
            .collect();
        assert!(records == rows && !rows.is_empty(), "{}", file.path);
    }
}

#[test]
fn masks_hide_cells_and_the_row_rule_hides_rows() {
    let law = law();
    let bench = dataset(&law, "parquet");
    let cuts = bench.cuts(&law, &grant(&law));
    let (out, files) = bench
        .stage(&law, &cuts, Format::Parquet, "out", &Silent)
        .unwrap();
    let mut masked = 0;
    for file in &files {
        let (names, rows) = read(&out.join(&file.path));
        // Nothing that was not asked for, nothing that is barred for all; keys without their element.
        for barred in ["street", "state", "row", "comment", "citizen", "chip"] {
            assert!(!names.iter().any(|name| name == barred), "{barred}");
        }
        let at = |name: &str| names.iter().position(|known| known == name);
        for row in &rows {
            // The reason for a row to leave is a name, a diagnosis or a card: never its key.
            let cell = |name: &str| at(name).and_then(|at| row[at].as_deref());
            masked +=
                usize::from(cell("NAME").is_none()) + usize::from(cell("diagnosis").is_none());
        }
        assert_eq!(rows.len() as u64, file.rows);
    }
    assert!(masked > 50, "{masked}");
    let mut none = grant(&law);
    none.existence = Predicate::Never;
    assert!(bench.cuts(&law, &none).is_empty());
    let only_keys = Grant {
        elements: [("enrollment".to_owned(), Predicate::Always)].into(),
        existence: Predicate::Always,
    };
    assert!(bench.cuts(&law, &only_keys).is_empty());
}

struct Stop;

impl Progress for Stop {
    fn begin(&self, _what: &str, _total_bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn a_cancelled_run_is_an_error() {
    let law = law();
    let bench = dataset(&law, "parquet");
    let cuts = bench.cuts(&law, &grant(&law));
    let stopped = bench.stage(&law, &cuts, Format::Parquet, "out", &Stop);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
}

#[test]
fn rows_that_the_census_does_not_count_stop_the_run() {
    let law = law();
    let mut bench = dataset(&law, "parquet");
    let group = bench
        .dataset
        .census
        .groups
        .iter_mut()
        .find(|(group, count)| {
            grant(&law).existence.holds(&group.signature)
                && grant(&law).elements["name"].holds(&group.signature)
                && count.rows[0] > 0
        });
    group.unwrap().1.rows[0] += 1;
    let cuts = bench.cuts(&law, &grant(&law));
    let staged = bench.stage(&law, &cuts, Format::Parquet, "out", &Silent);
    let Err(Error::Count {
        expected, written, ..
    }) = staged
    else {
        panic!("{staged:?}")
    };
    assert_eq!(expected, written + 1);
}

#[test]
fn a_join_that_sorts_gives_the_same_rows() {
    let law = law();
    let bench = dataset(&law, "parquet");
    let cuts = bench.cuts(&law, &grant(&law));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let engine = Embedded::new(&bench.limits()).unwrap();
    for cut in &cuts {
        let mut many = cut.clone();
        many.people = u64::MAX;
        let mut both = [cut, &many].map(|cut| {
            runtime.block_on(async {
                let law = law.classification();
                let domain = &self::law();
                let plan = engine
                    .plan(&bench.dataset, cut, domain.domain(), law)
                    .await
                    .unwrap();
                let stream = engine.run(&plan, cut).await.unwrap();
                let batches: Vec<RecordBatch> =
                    futures::TryStreamExt::try_collect(stream).await.unwrap();
                let shown = arrow::util::pretty::pretty_format_batches(&batches)
                    .unwrap()
                    .to_string();
                shown.lines().map(str::to_owned).collect::<Vec<_>>()
            })
        });
        for lines in &mut both {
            lines.sort();
        }
        let [hashed, sorted] = both;
        assert!(hashed.len() > 5 && hashed == sorted, "{}", cut.origin);
    }
}

#[test]
fn a_released_file_has_nothing_of_its_sources_form() {
    let law = law();
    let bench = dataset(&law, "parquet");
    let cuts = bench.cuts(&law, &grant(&law));
    let (out, files) = bench
        .stage(&law, &cuts, Format::Parquet, "out", &Silent)
        .unwrap();
    for file in &files {
        let bytes = std::fs::File::open(out.join(&file.path)).unwrap();
        let reader = SerializedFileReader::new(bytes).unwrap();
        let metadata = reader.metadata();
        assert_eq!(metadata.file_metadata().created_by(), Some("chancery"));
        assert!(
            metadata
                .file_metadata()
                .key_value_metadata()
                .is_none_or(Vec::is_empty)
        );
        assert_eq!(metadata.num_row_groups(), 1);
        let (names, rows) = read(&out.join(&file.path));
        for (group, name, at) in metadata.row_groups().iter().flat_map(|group| {
            names
                .iter()
                .enumerate()
                .map(move |(at, name)| (group, name, at))
        }) {
            assert_eq!(group.num_rows().cast_unsigned(), file.rows);
            let column = group.column(at);
            assert!(column.bloom_filter_offset().is_none());
            let Some(statistics) = column.statistics() else {
                continue;
            };
            // Statistics speak of what is in the file, and of nothing else.
            let cells: Vec<&str> = rows.iter().filter_map(|row| row[at].as_deref()).collect();
            for (bound, extreme) in [
                (statistics.min_bytes_opt(), cells.iter().min()),
                (statistics.max_bytes_opt(), cells.iter().max()),
            ] {
                assert_eq!(bound, extreme.map(|cell| cell.as_bytes()), "{name}");
            }
        }
    }
}

/// Ids and origins that are numbers or dictionaries join as the text they are read as.
#[test]
fn ids_that_are_not_plain_text_join() {
    let law = law();
    let columns = |batch: RecordBatch| {
        bench(
            &law,
            "table = \"T\"\nid = \"id\"\norigin_is = \"06\"\n[[column]]\nname = \"id\"\nelement = \"medicaid_id\"\nkey = true\n\
             [[column]]\nname = \"c\"\nelement = \"citizenship\"\nplays = \"citizenship_ind\"\n",
            "",
            |folder| write_batch(&folder.join("a.parquet"), &batch),
        )
    };
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), Some(8), None]));
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some(" 7"), Some("8 "), None]));
    let kinds = [
        arrow::datatypes::DataType::LargeUtf8,
        arrow::datatypes::DataType::Utf8View,
        arrow::datatypes::DataType::Binary,
        arrow::datatypes::DataType::Dictionary(
            Box::new(arrow::datatypes::DataType::Int32),
            Box::new(arrow::datatypes::DataType::Utf8),
        ),
    ];
    let casts = kinds.map(|kind| arrow::compute::cast(&text, &kind).unwrap());
    let grant = Grant {
        elements: [(
            "citizenship".to_owned(),
            is(&law, "citizenship", &["citizen"]),
        )]
        .into(),
        existence: Predicate::Always,
    };
    for ids in [numbers].into_iter().chain(casts) {
        let kind = ids.data_type().clone();
        let codes: ArrayRef = Arc::new(StringArray::from(vec!["1", "0", "1"]));
        let batch =
            RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("c", codes, true)]);
        let bench = columns(batch.unwrap());
        let cuts = bench.cuts(&law, &grant);
        let staged = bench.stage(&law, &cuts, Format::Parquet, "out", &Silent);
        let (out, files) = staged.unwrap_or_else(|error| panic!("{kind}: {error}"));
        let (names, rows) = read(&out.join(&files[0].path));
        assert_eq!(
            (names, rows),
            (vec!["c".to_owned()], vec![vec![Some("1".to_owned())]]),
            "{kind}"
        );
    }
}
