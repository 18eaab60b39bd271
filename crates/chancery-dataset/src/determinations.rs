//! Authoritative determinations: who was found by whom to be what. They are evidence like any
//! other, under the input `determination`, and are kept by origin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringBuilder};
use chancery_model::{Fault, Place, UNKNOWN};

use crate::columnar::{self, BATCH_ROWS, Source, TableWriter, trim};
use crate::ingest::{Origins, absolute, file_name};
use crate::progress::step;
use crate::quarantine::is_unprintable;
use crate::store::{self, Hashing};
use crate::{Error, Law, Progress, SourceFile};

/// The input of the classification that determinations play.
pub(crate) const INPUT: &str = "determination";
const COLUMNS: [&str; 5] = ["origin", ID, "determination", "source", "determined_on"];
/// The column with the person's id; in those about Medicaid records it may be called otherwise.
const ID: &str = "id";
const MSIS_ID: &str = "msis_id";

/// Checks the determinations in `path` and keeps them in `dir`.
pub(crate) fn ingest(
    dir: &Path,
    path: &Path,
    law: &Law<'_>,
    origins: &Origins<'_>,
    progress: &dyn Progress,
) -> Result<SourceFile, Error> {
    let inputs = &law.classification.inputs;
    let Some(input) = inputs.iter().find(|input| input.name == INPUT) else {
        return Err(Error::source(path, "the classification has no input `determination`").into());
    };
    let path = absolute(path)?;
    let mut keeper = Keeper {
        dir,
        file: path.display().to_string(),
        codes: &input.codes,
        origins,
        id: ID,
        kept: BTreeMap::new(),
    };
    let bytes = path.metadata().map_or(0, |metadata| metadata.len());
    progress.begin("reading determinations", bytes);
    let is_csv = path.extension().is_some_and(|extension| extension == "csv");
    let source = if is_csv {
        keeper.read_csv(&path, progress)?
    } else {
        keeper.read_parquet(&path, progress)?
    };
    keeper.finish()?;
    Ok(source)
}

/// Where the determinations of an origin are kept, within the dataset's folder.
pub(crate) fn kept_path(origin: &str) -> PathBuf {
    PathBuf::from(format!("determinations/{origin}.parquet"))
}

/// Passes every kept determination of an origin on: the id and the word.
pub(crate) fn each(
    dir: &Path,
    origin: &str,
    on_one: &mut dyn FnMut(&str, &str),
) -> Result<(), Error> {
    let path = dir.join(kept_path(origin));
    if !path.exists() {
        return Ok(());
    }
    for batch in columnar::read_all(&path)? {
        let batch = batch?;
        let text = |at: usize| {
            batch
                .columns()
                .get(at)
                .and_then(|c| c.as_string_opt::<i32>())
        };
        let (Some(ids), Some(words)) = (text(0), text(1)) else {
            return Err(columnar::misbuilt(&path));
        };
        for (id, word) in ids.iter().zip(words) {
            on_one(id.unwrap_or_default(), word.unwrap_or_default());
        }
    }
    Ok(())
}

struct Keeper<'k> {
    dir: &'k Path,
    file: String,
    codes: &'k [String],
    origins: &'k Origins<'k>,
    /// What the file calls the column with the person's id.
    id: &'static str,
    kept: BTreeMap<String, Kept>,
}

/// The determinations of one origin.
struct Kept {
    ids: StringBuilder,
    words: StringBuilder,
    rows: usize,
    writer: TableWriter,
}

impl Keeper<'_> {
    fn read_csv(&mut self, path: &Path, progress: &dyn Progress) -> Result<SourceFile, Error> {
        let reading = Hashing::new(store::open_file(path)?);
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(reading);
        let header = reader
            .byte_headers()
            .map_err(|_| self.fault(1, "origin", "the header cannot be read"))?
            .clone();
        let mut columns = [0; COLUMNS.len()];
        for (slot, name) in columns.iter_mut().zip(COLUMNS) {
            let find = |name: &str| header.iter().position(|column| column == name.as_bytes());
            if name == ID && find(ID).is_none() && find(MSIS_ID).is_some() {
                self.id = MSIS_ID;
            }
            let found = find(if name == ID { self.id } else { name });
            *slot = found.ok_or_else(|| self.missing(name))?;
        }
        let [origin, id, word, ..] = columns;
        let mut record = csv::ByteRecord::new();
        let (mut rows, mut seen) = (0, 0);
        while reader
            .read_byte_record(&mut record)
            .map_err(|error| Error::io(path, "read", std::io::Error::other(error)))?
        {
            rows += 1;
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != header.len() {
                return Err(self.fault(line, "origin", "wrong field count").into());
            }
            let value = |at: usize| record.get(at).and_then(|v| std::str::from_utf8(v).ok());
            self.add(line, [value(origin), value(id), value(word)])?;
            if rows % 65_536 == 0 {
                let now = reader.get_ref().bytes();
                step(progress, now - seen)?;
                seen = now;
            }
        }
        let (_, bytes, sha256) = reader.into_inner().finish();
        step(progress, bytes - seen)?;
        Ok(SourceFile {
            name: file_name(path),
            path: path.to_owned(),
            bytes,
            sha256,
            rows,
        })
    }

    fn read_parquet(&mut self, path: &Path, progress: &dyn Progress) -> Result<SourceFile, Error> {
        let source = Source::open(path)?;
        let has = |name: &str| source.fields().iter().any(|field| field.name() == name);
        if !has(ID) && has(MSIS_ID) {
            self.id = MSIS_ID;
        }
        for name in COLUMNS {
            if !has(if name == ID { self.id } else { name }) {
                return Err(self.missing(name).into());
            }
        }
        let mut row = 0;
        for batch in source.texts(&["origin", self.id, "determination"])? {
            let batch = batch?;
            let [origins, ids, words] = batch.as_slice() else {
                return Err(columnar::misbuilt(path));
            };
            for ((origin, id), word) in origins.iter().zip(ids).zip(words) {
                row += 1;
                self.add(row, [origin, id, word])?;
            }
            step(progress, 0)?;
        }
        let (bytes, sha256) = store::digest_file(path, progress)?;
        Ok(SourceFile {
            name: file_name(path),
            path: path.to_owned(),
            bytes,
            sha256,
            rows: source.rows(),
        })
    }

    fn add(&mut self, line: u64, values: [Option<&str>; 3]) -> Result<(), Error> {
        let [origin, id, word] = values.map(|value| trim(value.unwrap_or_default()));
        for (field, value) in [("origin", origin), (self.id, id), (INPUT, word)] {
            if is_unprintable(value) {
                let problem = "a control character or one beyond ASCII cannot be compared safely";
                let fault = self.fault(line, field, problem);
                return Err(fault.hint("write the value in printable ASCII").into());
            }
        }
        let known = self.origins.of(origin);
        if known == UNKNOWN {
            return Err(self
                .fault(line, "origin", "the law knows no such origin")
                .into());
        }
        if id.is_empty() {
            return Err(self.fault(line, self.id, "expected a person's id").into());
        }
        if !self.codes.iter().any(|code| code == word) {
            let expected = format!("expected one of {}", self.codes.join(", "));
            return Err(self.fault(line, "determination", expected).into());
        }
        if !self.kept.contains_key(known) {
            let kept = Kept::create(&self.dir.join(kept_path(known)))?;
            self.kept.insert(known.to_owned(), kept);
        }
        match self.kept.get_mut(known) {
            Some(kept) => kept.add(id, word),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<(), Error> {
        for (_, mut kept) in self.kept {
            kept.flush()?;
            kept.writer.finish()?;
        }
        Ok(())
    }

    fn missing(&self, column: &str) -> Fault {
        Fault::new(Place::line(&self.file, 1), "the file has no such column")
            .field(column)
            .hint(format!(
                "a determinations file has the columns {}",
                COLUMNS.join(", ")
            ))
    }

    fn fault(&self, line: u64, field: &str, problem: impl Into<String>) -> Fault {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        Fault::new(Place::line(&self.file, line), problem).field(field)
    }
}

impl Kept {
    fn create(path: &Path) -> Result<Self, Error> {
        let schema = columnar::text_schema(["id", INPUT]);
        Ok(Self {
            ids: StringBuilder::new(),
            words: StringBuilder::new(),
            rows: 0,
            writer: TableWriter::create(path, schema, &[INPUT])?,
        })
    }

    fn add(&mut self, id: &str, word: &str) -> Result<(), Error> {
        self.ids.append_value(id);
        self.words.append_value(word);
        self.rows += 1;
        if self.rows == BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.rows = 0;
        let columns: Vec<ArrayRef> =
            vec![Arc::new(self.ids.finish()), Arc::new(self.words.finish())];
        let batch = RecordBatch::try_new(columnar::text_schema(["id", INPUT]), columns)
            .map_err(|_| columnar::misbuilt(Path::new(INPUT)))?;
        self.writer.write(&batch)
    }
}
