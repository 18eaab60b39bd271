//! A folder with a dataset, and what is staged of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chancery_dataset::{AddRequest, Dataset, Kind, Law, Progress, Silent, add};
use chancery_law::LawPack;
use chancery_model::{Format, Grant};
use chancery_plan::{Cut, Error, Job, Limits, StagedFile, cuts, stage};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::people::{COLUMNS, Row};

pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) dataset: Dataset,
}

pub(crate) fn elements(law: &LawPack) -> BTreeSet<String> {
    law.vocabulary()
        .element_names()
        .map(str::to_owned)
        .collect()
}

/// Adds the files of a folder, which are made by `fill`.
pub(crate) fn bench(law: &LawPack, map: &str, findings: &str, fill: impl FnOnce(&Path)) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let sources = dir.path().join("sources");
    std::fs::create_dir(&sources).unwrap();
    fill(&sources);
    let map_file = dir.path().join("map.toml");
    std::fs::write(&map_file, map).unwrap();
    let determinations = dir.path().join("determinations.csv");
    let head = "origin,msis_id,determination,source,determined_on\n";
    std::fs::write(&determinations, format!("{head}{findings}")).unwrap();
    let request = AddRequest {
        name: "d",
        kind: Kind::Table,
        paths: &[sources],
        map: Some(&map_file),
        determinations: Some(&determinations),
    };
    let names = elements(law);
    let law = Law {
        classification: law.classification(),
        domain: law.domain(),
        elements: &names,
    };
    let dataset = add(&dir.path().join("datasets"), &request, &law, &Silent).unwrap();
    Bench { dir, dataset }
}

pub(crate) fn write_csv(path: &Path, rows: &[Row]) {
    let mut writer = csv::Writer::from_path(path).unwrap();
    writer.write_record(COLUMNS.map(|column| column.0)).unwrap();
    for row in rows {
        writer
            .write_record(row.iter().map(|cell| cell.as_deref().unwrap_or_default()))
            .unwrap();
    }
    writer.flush().unwrap();
}

pub(crate) fn write_parquet(path: &Path, rows: &[Row]) {
    let columns = COLUMNS.iter().enumerate().map(|(at, (name, _, _, _))| {
        let cells: StringArray = rows.iter().map(|row| row[at].as_deref()).collect();
        (*name, Arc::new(cells) as ArrayRef, true)
    });
    write_batch(
        path,
        &RecordBatch::try_from_iter_with_nullable(columns).unwrap(),
    );
}

pub(crate) fn write_batch(path: &Path, batch: &RecordBatch) {
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

impl Bench {
    pub(crate) fn cuts(&self, law: &LawPack, grant: &Grant) -> Vec<Cut> {
        let origin = &law.classification().origin;
        let Dataset {
            catalogue, census, ..
        } = &self.dataset;
        cuts(
            catalogue,
            census,
            law.domain(),
            origin,
            grant,
            &["*".to_owned()],
        )
    }

    pub(crate) fn limits(&self) -> Limits {
        let spill = self.dir.path().join("spill");
        let _ = std::fs::create_dir(&spill);
        Limits {
            memory: 256 << 20,
            spill,
            workers: 2,
        }
    }

    /// Stages cuts into a folder of that name.
    pub(crate) fn stage(
        &self,
        law: &LawPack,
        cuts: &[Cut],
        format: Format,
        out: &str,
        progress: &dyn Progress,
    ) -> Result<(PathBuf, Vec<StagedFile>), Error> {
        let out = self.dir.path().join(out);
        std::fs::create_dir(&out).unwrap();
        let job = Job {
            dataset: &self.dataset,
            domain: law.domain(),
            law: law.classification(),
            cuts,
            format,
        };
        let files = stage(&job, &out, &self.limits(), progress)?;
        Ok((out, files))
    }
}

/// A file's column names and rows, as text.
pub(crate) fn read(path: &Path) -> (Vec<String>, Vec<Row>) {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let names = reader
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let text = batch
            .columns()
            .iter()
            .map(|column| cast(column, &DataType::Utf8).unwrap());
        let text: Vec<ArrayRef> = text.collect();
        for at in 0..batch.num_rows() {
            let cell = |column: &ArrayRef| {
                let column = column.as_string::<i32>();
                column.is_valid(at).then(|| column.value(at).to_owned())
            };
            rows.push(text.iter().map(cell).collect());
        }
    }
    (names, rows)
}

/// What is in a folder of staged files: rows by origin, with every column of the table in order,
/// those that are not in the file as `None`.
pub(crate) type Released = BTreeMap<String, (Vec<String>, Vec<Row>)>;

pub(crate) fn released(out: &Path, files: &[StagedFile]) -> Released {
    let read = |file: &StagedFile| (file.origin.clone(), read(&out.join(&file.path)));
    files.iter().map(read).collect()
}
