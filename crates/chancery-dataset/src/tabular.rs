//! Tables of one row per line or record: Parquet read where it lies, CSV turned into Parquet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use chancery_model::{Fault, Place, UNKNOWN};

use crate::columnar::{self, BATCH_ROWS, Source, TableWriter};
use crate::ingest::{Ingested, Origins, file_name};
use crate::map::{ColumnMap, OriginRule};
use crate::progress::step;
use crate::quarantine::{
    About, BadLine, EVERYWHERE, Part, Quarantine, Reason, Report, is_unprintable,
};
use crate::store::{self, Hashing};
use crate::{Column, Error, Progress, SourceFile, Table, TableFile, parallel, taf};

/// Reads analytic files where they lie.
pub(crate) fn ingest_taf(
    paths: &[PathBuf],
    origins: &Origins<'_>,
    progress: &dyn Progress,
) -> Result<Ingested, Error> {
    let known = taf::columns()?;
    let describe = |_: &Path, names: &[String]| {
        let column = |name: &String| {
            let listed = known.get(name).cloned();
            listed.unwrap_or_else(|| Column::plain(name, None, false))
        };
        Ok(names.iter().map(column).collect())
    };
    let shape = Shape {
        table: taf::TABLE,
        id: taf::ID,
        origin: &OriginRule::Column(taf::ORIGIN.to_owned()),
    };
    let sources = paths.iter().map(|path| Opened::at(path.clone()));
    ingest_parquet(
        &shape,
        &sources.collect::<Vec<_>>(),
        &describe,
        origins,
        progress,
    )
}

/// Reads any files by a map; CSV gets a working copy in `dir`.
pub(crate) fn ingest_table(
    dir: &Path,
    paths: &[PathBuf],
    map: &ColumnMap,
    origins: &Origins<'_>,
    progress: &dyn Progress,
) -> Result<Ingested, Error> {
    let bytes = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    progress.begin("reading", paths.iter().map(bytes).sum());
    let jobs: Vec<(usize, &PathBuf)> = paths.iter().enumerate().collect();
    let read = parallel::map(
        &jobs,
        parallel::cores(),
        |(_, p)| bytes(p),
        |(at, path)| {
            if path.extension().is_some_and(|extension| extension == "csv") {
                Csv {
                    dir,
                    at: *at,
                    path,
                    map,
                    origins,
                }
                .copy(progress)
            } else {
                Ok((Opened::at((*path).clone()), Quarantine::default()))
            }
        },
    )?;
    let mut quarantine = Quarantine::default();
    let mut opened = Vec::new();
    for (source, left_out) in read {
        opened.push(source);
        quarantine.merge(left_out);
    }
    let shape = Shape {
        table: &map.table,
        id: &map.id,
        origin: &map.origin,
    };
    let describe = |path: &Path, names: &[String]| map.columns_of(&file_name(path), names);
    let mut ingested = ingest_parquet(&shape, &opened, &describe, origins, progress)?;
    ingested.quarantine = quarantine;
    Ok(ingested)
}

/// What a table is called and which columns say whose a row is.
struct Shape<'s> {
    table: &'s str,
    id: &'s str,
    origin: &'s OriginRule,
}

/// A source file and the Parquet file with its rows: itself, or its working copy.
struct Opened {
    path: PathBuf,
    copy: Option<(PathBuf, PathBuf, SourceFile)>,
}

impl Opened {
    fn at(path: PathBuf) -> Self {
        Self { path, copy: None }
    }

    fn parquet(&self) -> &Path {
        self.copy.as_ref().map_or(&self.path, |(full, _, _)| full)
    }
}

type Describe<'d> = dyn Fn(&Path, &[String]) -> Result<Vec<Column>, Fault> + Sync + 'd;

fn ingest_parquet(
    shape: &Shape<'_>,
    sources: &[Opened],
    describe: &Describe<'_>,
    origins: &Origins<'_>,
    progress: &dyn Progress,
) -> Result<Ingested, Error> {
    let bytes = |source: &Opened| source.parquet().metadata().map_or(0, |m| m.len());
    progress.begin("checking", sources.iter().map(bytes).sum());
    let read = parallel::map(sources, parallel::cores(), bytes, |source| {
        read_parquet(shape, source, describe, origins, progress)
    })?;
    let mut columns: Vec<(Column, arrow::datatypes::DataType)> = Vec::new();
    let mut ingested = Ingested {
        tables: Vec::new(),
        sources: Vec::new(),
        quarantine: Quarantine::default(),
    };
    let mut files = Vec::new();
    for (source, read) in sources.iter().zip(read) {
        for (column, kind) in read.columns {
            match columns.iter().find(|(known, _)| known.name == column.name) {
                None => columns.push((column, kind)),
                Some((_, known)) if *known == kind => {}
                Some(_) => {
                    return Err(Error::source(
                        &source.path,
                        "another file has this column with another type",
                    )
                    .field(column.name)
                    .hint("the files of one table need the same types")
                    .into());
                }
            }
        }
        files.push(read.file);
        ingested.sources.push(read.source);
    }
    ingested.tables.push(Table {
        name: shape.table.to_owned(),
        columns: columns.into_iter().map(|(column, _)| column).collect(),
        id: Some(shape.id.to_owned()),
        origin: match shape.origin {
            OriginRule::Column(name) => Some(name.clone()),
            OriginRule::Constant(_) => None,
        },
        files,
    });
    Ok(ingested)
}

/// What a Parquet file holds.
struct ReadFile {
    columns: Vec<(Column, arrow::datatypes::DataType)>,
    file: TableFile,
    source: SourceFile,
}

fn read_parquet(
    shape: &Shape<'_>,
    opened: &Opened,
    describe: &Describe<'_>,
    origins: &Origins<'_>,
    progress: &dyn Progress,
) -> Result<ReadFile, Error> {
    let parquet = Source::open(opened.parquet())?;
    let names: Vec<String> = parquet.fields().iter().map(|f| f.name().clone()).collect();
    let columns = describe(&opened.path, &names)?;
    // Whether the id can be read shows only when its first values are.
    let _ = parquet.texts(&[shape.id])?;
    let rows_by_origin = match shape.origin {
        OriginRule::Column(name) => count_origins(&parquet, name, origins)?,
        OriginRule::Constant(origin) => {
            BTreeMap::from([(origins.of(origin).to_owned(), parquet.rows())])
        }
    };
    let (bytes, sha256) = store::digest_file(opened.parquet(), progress)?;
    let source = match &opened.copy {
        Some((_, _, source)) => source.clone(),
        None => SourceFile {
            name: file_name(&opened.path),
            path: opened.path.clone(),
            bytes,
            sha256,
            rows: parquet.rows(),
        },
    };
    let path = opened
        .copy
        .as_ref()
        .map_or(&opened.path, |(_, within, _)| within);
    let kinds = parquet
        .fields()
        .iter()
        .map(|field| field.data_type().clone());
    Ok(ReadFile {
        columns: columns.into_iter().zip(kinds).collect(),
        file: TableFile {
            path: path.clone(),
            rows_by_origin,
            bytes,
            sha256,
        },
        source,
    })
}

fn count_origins(
    source: &Source,
    column: &str,
    origins: &Origins<'_>,
) -> Result<BTreeMap<String, u64>, Error> {
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    let mut last: (String, u64) = (String::new(), 0);
    for batch in source.texts(&[column])? {
        for spelling in batch?.iter().flatten() {
            let spelling = spelling.unwrap_or_default();
            if spelling != last.0 {
                let (done, count) = std::mem::replace(&mut last, (spelling.to_owned(), 0));
                *rows.entry(origins.of(&done).to_owned()).or_default() += count;
            }
            last.1 += 1;
        }
    }
    *rows.entry(origins.of(&last.0).to_owned()).or_default() += last.1;
    rows.retain(|_, count| *count > 0);
    Ok(rows)
}

/// A CSV file to be copied.
struct Csv<'c> {
    dir: &'c Path,
    at: usize,
    path: &'c Path,
    map: &'c ColumnMap,
    origins: &'c Origins<'c>,
}

impl Csv<'_> {
    fn copy(&self, progress: &dyn Progress) -> Result<(Opened, Quarantine), Error> {
        let reading = Hashing::new(store::open_file(self.path)?);
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(reading);
        let names = self.names(&mut reader)?;
        let within = PathBuf::from(format!("tables/{}/{:04}.parquet", self.map.table, self.at));
        let full = self.dir.join(&within);
        let mut copy = CsvCopy::create(&full, &names, self.compared(&names))?;
        let mut quarantine = Quarantine::default();
        let mut report = Report::new(self.dir, self.at);
        let mut record = csv::ByteRecord::new();
        let (mut rows, mut seen) = (0, 0);
        while self.next(&mut reader, &mut record)? {
            rows += 1;
            if let Err((field, reason)) = copy.add(&record) {
                let bad = self.bad(&names, &record, field, reason);
                report.add(&file_name(self.path), &bad)?;
                self.distrust(&names, &record, &bad, &mut quarantine);
            }
            copy.flush_full()?;
            if rows % 8192 == 0 {
                let now = reader.get_ref().bytes();
                step(progress, now - seen)?;
                seen = now;
            }
        }
        report.finish()?;
        copy.finish()?;
        let (_, bytes, sha256) = reader.into_inner().finish();
        step(progress, bytes - seen)?;
        let source = SourceFile {
            name: file_name(self.path),
            path: self.path.to_owned(),
            bytes,
            sha256,
            rows,
        };
        let copy = Some((full, within, source));
        Ok((
            Opened {
                path: self.path.to_owned(),
                copy,
            },
            quarantine,
        ))
    }

    fn names(
        &self,
        reader: &mut csv::Reader<Hashing<std::fs::File>>,
    ) -> Result<Vec<String>, Error> {
        let place = || Place::line(self.path.display().to_string(), 1);
        let header = reader
            .headers()
            .map_err(|_| Fault::new(place(), "the header is not UTF-8"))?;
        let names: Vec<String> = header.iter().map(str::to_owned).collect();
        self.map.columns_of(&file_name(self.path), &names)?;
        for (at, name) in names.iter().enumerate() {
            if names.iter().skip(at + 1).any(|other| other == name) {
                // What the map does not name may be somebody's value in a file without a header.
                let shown = if self.map.names(name) {
                    name.clone()
                } else {
                    format!("column {}", at + 1)
                };
                return Err(Fault::new(place(), "the file has two columns of this name")
                    .field(shown)
                    .hint("rename one of them")
                    .into());
            }
        }
        let shown = names.into_iter().enumerate().map(|(at, name)| {
            if self.map.names(&name) {
                return name;
            }
            let mut shown = format!("column_{}", at + 1);
            while self.map.names(&shown) {
                shown.push('_');
            }
            shown
        });
        Ok(shown.collect())
    }

    fn next(
        &self,
        reader: &mut csv::Reader<Hashing<std::fs::File>>,
        record: &mut csv::ByteRecord,
    ) -> Result<bool, Error> {
        reader
            .read_byte_record(record)
            .map_err(|error| Error::io(self.path, "read", std::io::Error::other(error)))
    }

    /// The columns that are compared with codes or with other people's, and the values that the
    /// map gives a meaning.
    fn compared(&self, names: &[String]) -> Vec<(usize, Vec<String>)> {
        let mut compared = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let column = self.map.columns.iter().find(|column| column.name == *name);
            let role = column.and_then(|column| column.role.as_deref());
            let is_origin =
                matches!(&self.map.origin, OriginRule::Column(origin) if origin == name);
            if *name == self.map.id || is_origin {
                compared.push((at, Vec::new()));
            } else if role.is_some_and(|role| self.origins.plays(role)) {
                let meant = column.map(|column| column.recode.keys().cloned().collect());
                compared.push((at, meant.unwrap_or_default()));
            }
        }
        compared
    }

    fn bad(
        &self,
        names: &[String],
        record: &csv::ByteRecord,
        field: usize,
        reason: Reason,
    ) -> BadLine {
        let parts = |column: &str| {
            let at = names.iter().position(|name| name == column);
            let value = at.and_then(|at| record.get(at)).unwrap_or_default();
            Part::spellings(value, false)
        };
        let is_key = |role: &str| self.origins.is_key(role);
        let columns = self.map.columns.iter();
        let grouping = columns.filter(|column| column.role.as_deref().is_some_and(is_key));
        let mut about = About {
            ids: parts(&self.map.id),
            other_origin: None,
            groups: grouping.flat_map(|column| parts(&column.name)).collect(),
        };
        if reason == Reason::FieldCount {
            // Any value may stand in any column.
            about.ids = anything(record);
            about.groups.clone_from(&about.ids);
        }
        BadLine {
            line: record.position().map_or(0, csv::Position::line),
            field: names.get(field).cloned().unwrap_or_default(),
            reason,
            about,
        }
    }

    /// Counts a bad record. One that does not say where it comes from is about the person of that
    /// id everywhere.
    fn distrust(
        &self,
        names: &[String],
        record: &csv::ByteRecord,
        bad: &BadLine,
        quarantine: &mut Quarantine,
    ) {
        let spelling = match &self.map.origin {
            OriginRule::Constant(origin) => Some(origin.clone()),
            OriginRule::Column(column) => value(names, record, column),
        };
        let spelling = spelling.filter(|_| bad.reason != Reason::FieldCount);
        let origin = self.origins.of(spelling.as_deref().unwrap_or_default());
        let origin = Some(origin).filter(|origin| *origin != UNKNOWN);
        quarantine.add(origin.unwrap_or(EVERYWHERE), bad);
    }
}

/// The values of a record, and their pieces: a quotation mark that is never closed makes one value
/// of many.
fn anything(record: &csv::ByteRecord) -> Vec<Part> {
    let mut found = Vec::new();
    for value in record {
        found.extend(Part::spellings(value, false));
        let pieces = value.split(|byte| b",;\"\t\r\n".contains(byte));
        found.extend(pieces.flat_map(|piece| Part::spellings(piece, false)));
    }
    found
}

/// The trimmed text of a record's field, if it is there and is text.
fn value(names: &[String], record: &csv::ByteRecord, column: &str) -> Option<String> {
    let at = names.iter().position(|name| name == column)?;
    let text = columnar::trim(std::str::from_utf8(record.get(at)?).ok()?);
    (!text.is_empty()).then(|| text.to_owned())
}

/// The working copy of a CSV file.
struct CsvCopy {
    path: PathBuf,
    schema: arrow::datatypes::SchemaRef,
    compared: Vec<(usize, Vec<String>)>,
    builders: Vec<StringBuilder>,
    rows: usize,
    writer: TableWriter,
}

impl CsvCopy {
    fn create(
        path: &Path,
        names: &[String],
        compared: Vec<(usize, Vec<String>)>,
    ) -> Result<Self, Error> {
        let schema = columnar::text_schema(names.iter().map(String::as_str));
        Ok(Self {
            path: path.to_owned(),
            writer: TableWriter::create(path, schema.clone(), &[])?,
            schema,
            compared,
            builders: names.iter().map(|_| StringBuilder::new()).collect(),
            rows: 0,
        })
    }

    /// Adds a record, or says which field is wrong.
    fn add(&mut self, record: &csv::ByteRecord) -> Result<(), (usize, Reason)> {
        if record.len() != self.builders.len() {
            return Err((usize::MAX, Reason::FieldCount));
        }
        let bad = record
            .iter()
            .position(|value| std::str::from_utf8(value).is_err());
        if let Some(field) = bad {
            return Err((field, Reason::Encoding));
        }
        for (at, meant) in &self.compared {
            let value = record.get(*at).and_then(|v| std::str::from_utf8(v).ok());
            let value = columnar::trim(value.unwrap_or_default());
            if is_unprintable(value) && !meant.iter().any(|code| code == value) {
                return Err((*at, Reason::Unprintable));
            }
        }
        for (builder, value) in self.builders.iter_mut().zip(record) {
            let text = std::str::from_utf8(value).ok();
            builder.append_option(text.filter(|text| !text.is_empty()));
        }
        self.rows += 1;
        Ok(())
    }

    fn flush_full(&mut self) -> Result<(), Error> {
        if self.rows < BATCH_ROWS {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Error> {
        let columns: Vec<ArrayRef> = self
            .builders
            .iter_mut()
            .map(|builder| Arc::new(builder.finish()) as ArrayRef)
            .collect();
        let batch = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|_| columnar::misbuilt(&self.path))?;
        self.rows = 0;
        self.writer.write(&batch)
    }

    fn finish(mut self) -> Result<(), Error> {
        self.flush()?;
        self.writer.finish().map(|_| ())
    }
}
