//! A folder to add datasets in, and small files to add.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chancery_dataset::{AddRequest, Dataset, Error, Kind, Progress, Silent, add};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::law::{OwnedLaw, shipped};

pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) law: OwnedLaw,
}

/// The attributes of everybody, by origin and id.
pub(crate) type People = BTreeMap<(String, String), BTreeMap<String, String>>;

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            law: shipped(),
        }
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn datasets(&self) -> PathBuf {
        self.dir.path().join("datasets")
    }

    pub(crate) fn add(&self, kind: Kind, paths: &[PathBuf]) -> Result<Dataset, Error> {
        self.add_with(kind, paths, None, None, &Silent)
    }

    pub(crate) fn add_with(
        &self,
        kind: Kind,
        paths: &[PathBuf],
        map: Option<&Path>,
        determinations: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<Dataset, Error> {
        let _ = std::fs::remove_dir_all(self.datasets().join("d"));
        let request = AddRequest {
            name: "d",
            kind,
            paths,
            map,
            determinations,
        };
        add(&self.datasets(), &request, &self.law.law(), progress)
    }
}

pub(crate) fn people(dataset: &Dataset) -> People {
    let mut people = People::new();
    for origin in dataset.origins() {
        let Some(path) = dataset.subjects_file(&origin) else {
            continue;
        };
        for row in rows(&path) {
            let id = row["id"].clone().unwrap();
            let mut attributes = row;
            attributes.remove("id");
            // In which tables there is something about them is held against the census elsewhere.
            attributes.remove("rows in").expect("where there are rows");
            let attributes = attributes
                .into_iter()
                .map(|(name, value)| (name, value.unwrap()))
                .collect();
            assert!(people.insert((origin.clone(), id), attributes).is_none());
        }
    }
    people
}

pub(crate) fn attribute(dataset: &Dataset, origin: &str, id: &str, name: &str) -> String {
    people(dataset)[&(origin.to_owned(), id.to_owned())][name].clone()
}

/// The rows of a Parquet file as text.
pub(crate) fn rows(path: &Path) -> Vec<BTreeMap<String, Option<String>>> {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let first = rows.len();
        rows.resize(first + batch.num_rows(), BTreeMap::new());
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let text = cast(column, &DataType::Utf8).unwrap();
            let text = text.as_string::<i32>();
            for at in 0..text.len() {
                let value = text.is_valid(at).then(|| text.value(at).to_owned());
                rows[first + at].insert(field.name().clone(), value);
            }
        }
    }
    rows
}

pub(crate) fn parquet(path: &Path, columns: &[(&str, Vec<Option<&str>>)]) {
    let arrays = columns.iter().map(|(name, values)| {
        let array: ArrayRef = Arc::new(StringArray::from(values.clone()));
        (*name, array, true)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

pub(crate) fn header(version: &str, state: &str) -> String {
    format!(
        "ELG00001|{version}|C|PSV|MAP1|ELIGIBLE|{state}|20251231|20251201|20251231|P|1|9|0001|\n"
    )
}

pub(crate) fn demographics(state: &str, id: &str, codes: [&str; 3]) -> String {
    let [citizenship, immigration, chip] = codes;
    format!(
        "ELG00003|{state}|1|{id}|||||||{citizenship}||{immigration}|||||||||{chip}|20200101|99991231|\n"
    )
}

pub(crate) fn eligibility(state: &str, id: &str, case: &str) -> String {
    format!("ELG00005|{state}|1|{id}|{case}{}\n", "|".repeat(18))
}
