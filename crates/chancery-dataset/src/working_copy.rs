//! T-MSIS text becomes a columnar working copy: one file per segment and origin.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::SchemaRef;
use chancery_model::Fault;

use crate::columnar::{self, BATCH_ROWS, TableWriter};
use crate::dictionary::{Dictionary, HEADER, SegmentTable};
use crate::ingest::{Ingested, Origins};
use crate::lines::{Line, Lines, TakesLines};
use crate::quarantine::{Quarantine, Report};
use crate::store::Hashing;
use crate::tmsis::{self, Header, Row, Scanner};
use crate::{Error, Progress, SourceFile, Table, TableFile, parallel};

/// Reads Eligible files and writes `tables/<SEGMENT>/<origin>.parquet` in `dir`.
pub(crate) fn ingest(
    dir: &Path,
    paths: &[PathBuf],
    origins: &Origins<'_>,
    progress: &dyn Progress,
) -> Result<Ingested, Error> {
    let dictionary = Dictionary::load()?;
    let sources = read_headers(&dictionary, paths, origins)?;
    progress.begin("reading", sources.iter().map(|source| source.bytes).sum());
    let has_later = sources.iter().any(|source| source.header.major == 4);
    let mut jobs: BTreeMap<&str, Vec<&Source<'_>>> = BTreeMap::new();
    for source in &sources {
        jobs.entry(&source.origin).or_default().push(source);
    }
    let jobs: Vec<(&str, Vec<&Source<'_>>)> = jobs.into_iter().collect();
    let weight = |(_, sources): &(&str, Vec<&Source<'_>>)| sources.iter().map(|s| s.bytes).sum();
    let done = parallel::map(&jobs, parallel::cores(), weight, |(origin, sources)| {
        let writers = Writers::new(dir, &dictionary, origin, has_later);
        copy_origin(&dictionary, origins, sources, writers, progress)
    })?;
    collect(&dictionary, has_later, done)
}

/// A file whose first line was read.
struct Source<'d> {
    /// Its position among all.
    at: usize,
    path: PathBuf,
    name: String,
    bytes: u64,
    header: Header<'d>,
    origin: String,
}

fn read_headers<'d>(
    dictionary: &'d Dictionary,
    paths: &[PathBuf],
    origins: &Origins<'_>,
) -> Result<Vec<Source<'d>>, Error> {
    let read = |(at, path): (usize, &PathBuf)| {
        let file = crate::store::open_file(path)?;
        let failed = |error| Error::io(path, "read", error);
        let bytes = file.metadata().map_err(failed)?.len();
        let mut line = Vec::new();
        // No header is as long as this; a file without lines must not be read whole.
        let mut start = BufReader::new(std::io::Read::take(file, 64 << 10));
        start.read_until(b'\n', &mut line).map_err(failed)?;
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let header = tmsis::header(dictionary, &path.display().to_string(), line)?;
        Ok(Source {
            at,
            path: path.clone(),
            name: crate::ingest::file_name(path),
            bytes,
            origin: origins.of(&header.state).to_owned(),
            header,
        })
    };
    paths.iter().enumerate().map(read).collect()
}

/// What copying the files of one origin gave.
struct Copied {
    files: Vec<(usize, TableFile)>,
    sources: Vec<(usize, SourceFile)>,
    quarantine: Quarantine,
}

fn copy_origin(
    dictionary: &Dictionary,
    origins: &Origins<'_>,
    sources: &[&Source<'_>],
    mut writers: Writers<'_>,
    progress: &dyn Progress,
) -> Result<Copied, Error> {
    let mut copied = Copied {
        files: Vec::new(),
        sources: Vec::new(),
        quarantine: Quarantine::default(),
    };
    for source in sources {
        let read = copy_file(
            dictionary,
            origins,
            source,
            &mut writers,
            &mut copied.quarantine,
            progress,
        )?;
        copied.sources.push((source.at, read));
    }
    copied.files = writers.finish()?;
    Ok(copied)
}

fn copy_file(
    dictionary: &Dictionary,
    origins: &Origins<'_>,
    source: &Source<'_>,
    writers: &mut Writers<'_>,
    quarantine: &mut Quarantine,
    progress: &dyn Progress,
) -> Result<SourceFile, Error> {
    let fold = |state: &str| origins.fold(state).to_owned();
    let mut reader = Hashing::new(crate::store::open_file(&source.path)?);
    let mut copying = Copying {
        scanner: Scanner::new(dictionary, &source.header, &fold, &|role| {
            origins.plays(role)
        }),
        report: Report::new(writers.dir, source.at),
        origins,
        source,
        writers,
        quarantine,
    };
    let lines = Lines::default().read(&source.path, &mut reader, progress, &mut copying)?;
    copying.report.finish()?;
    let (_, bytes, sha256): (File, _, _) = reader.finish();
    Ok(SourceFile {
        name: source.name.clone(),
        path: source.path.clone(),
        bytes,
        sha256,
        rows: lines,
    })
}

/// A file being copied line by line.
struct Copying<'c, 'w> {
    scanner: Scanner<'c>,
    report: Report,
    origins: &'c Origins<'c>,
    source: &'c Source<'c>,
    writers: &'c mut Writers<'w>,
    quarantine: &'c mut Quarantine,
}

impl TakesLines for Copying<'_, '_> {
    fn ahead(&mut self, content: &[u8]) {
        self.scanner.ahead(content);
    }

    fn line(&mut self, line: Line<'_>, number: u64, ended: bool) -> Result<(), Error> {
        match tmsis::check(&mut self.scanner, line, number, ended) {
            Ok(row) => match line {
                Line::Text(text) => self.writers.add(&row, text),
                Line::Bytes(_) | Line::Long(_) => Ok(()),
            },
            Err(mut bad) => {
                self.report.add(&self.source.name, &bad)?;
                let other = bad.about.other_origin.take();
                bad.about.other_origin = other.map(|origin| self.origins.of(&origin).to_owned());
                self.quarantine.add(&self.source.origin, &bad);
                Ok(())
            }
        }
    }
}

/// The tables of one origin, each begun with its first row.
struct Writers<'w> {
    dir: &'w Path,
    dictionary: &'w Dictionary,
    origin: &'w str,
    has_later: bool,
    tables: Vec<Option<SegmentWriter>>,
}

impl<'w> Writers<'w> {
    fn new(dir: &'w Path, dictionary: &'w Dictionary, origin: &'w str, has_later: bool) -> Self {
        Self {
            dir,
            dictionary,
            origin,
            has_later,
            tables: dictionary.tables().iter().map(|_| None).collect(),
        }
    }

    fn add(&mut self, row: &Row<'_>, line: &str) -> Result<(), Error> {
        let at = row.segment.table;
        let (Some(slot), Some(table)) = (self.tables.get_mut(at), self.dictionary.tables().get(at))
        else {
            return Ok(());
        };
        if slot.is_none() {
            let writer = SegmentWriter::create(self.dir, table, self.origin, self.has_later)?;
            *slot = Some(writer);
        }
        match slot {
            Some(writer) => writer.add(row, line),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<Vec<(usize, TableFile)>, Error> {
        let started = self.tables.into_iter().enumerate();
        started
            .filter_map(|(at, writer)| Some((at, writer?)))
            .map(|(at, writer)| Ok((at, writer.finish(self.origin)?)))
            .collect()
    }
}

struct SegmentWriter {
    path: PathBuf,
    schema: SchemaRef,
    builders: Vec<StringBuilder>,
    /// Rows in the builders.
    rows: usize,
    total: u64,
    writer: TableWriter,
}

impl SegmentWriter {
    fn create(
        dir: &Path,
        table: &SegmentTable,
        origin: &str,
        has_later: bool,
    ) -> Result<Self, Error> {
        let columns = || {
            let shown = table.columns.iter();
            shown.filter(move |column| has_later || !column.is_later)
        };
        let schema = columnar::text_schema(columns().map(|c| c.column.name.as_str()));
        let coded: Vec<&str> = columns()
            .filter(|column| column.is_code)
            .map(|column| column.column.name.as_str())
            .collect();
        let path = table_path(&table.name, origin);
        Ok(Self {
            writer: TableWriter::create(&dir.join(&path), schema.clone(), &coded)?,
            builders: schema
                .fields()
                .iter()
                .map(|_| StringBuilder::new())
                .collect(),
            path,
            schema,
            rows: 0,
            total: 0,
        })
    }

    fn add(&mut self, row: &Row<'_>, line: &str) -> Result<(), Error> {
        for (field, span) in row.segment.fields.iter().zip(row.spans) {
            if let Some(builder) = self.builders.get_mut(field.column) {
                builder.append_option(span.of(line));
            }
        }
        self.rows += 1;
        if row.segment.fields.len() < self.builders.len() {
            self.fill();
        }
        if self.rows == BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    /// Gives the columns that this version of the layout lacks no value in the present row.
    fn fill(&mut self) {
        for builder in &mut self.builders {
            if arrow::array::ArrayBuilder::len(builder) < self.rows {
                builder.append_null();
            }
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let columns: Vec<ArrayRef> = self
            .builders
            .iter_mut()
            .map(|builder| Arc::new(builder.finish()) as ArrayRef)
            .collect();
        let batch = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|_| columnar::misbuilt(&self.path))?;
        self.total += self.rows as u64;
        self.rows = 0;
        self.writer.write(&batch)
    }

    fn finish(mut self, origin: &str) -> Result<TableFile, Error> {
        if self.rows > 0 {
            self.flush()?;
        }
        let written = self.writer.finish()?;
        Ok(TableFile {
            path: self.path,
            rows_by_origin: BTreeMap::from([(origin.to_owned(), self.total)]),
            bytes: written.bytes,
            sha256: written.sha256,
        })
    }
}

/// Where the working copy of an origin's rows of a table is, within the dataset's folder.
pub(crate) fn table_path(table: &str, origin: &str) -> PathBuf {
    PathBuf::from(format!("tables/{table}/{origin}.parquet"))
}

fn collect(dictionary: &Dictionary, has_later: bool, done: Vec<Copied>) -> Result<Ingested, Error> {
    let mut files: BTreeMap<usize, Vec<TableFile>> = BTreeMap::new();
    let mut sources = BTreeMap::new();
    let mut quarantine = Quarantine::default();
    for copied in done {
        for (table, file) in copied.files {
            files.entry(table).or_default().push(file);
        }
        sources.extend(copied.sources);
        quarantine.merge(copied.quarantine);
    }
    let used: BTreeSet<usize> = files.keys().copied().collect();
    let tables: Vec<Table> = dictionary
        .tables()
        .iter()
        .enumerate()
        .filter(|(at, _)| used.contains(at))
        .map(|(at, table)| describe(table, has_later, files.remove(&at).unwrap_or_default()))
        .collect();
    if tables.is_empty() {
        return Err(Fault::new(
            chancery_model::Place::file("sources"),
            "no line could be read",
        )
        .into());
    }
    Ok(Ingested {
        tables,
        sources: sources.into_values().collect(),
        quarantine,
    })
}

fn describe(table: &SegmentTable, has_later: bool, files: Vec<TableFile>) -> Table {
    let shown = table.columns.iter();
    let columns = shown
        .filter(|column| has_later || !column.is_later)
        .map(|column| column.column.clone())
        .collect();
    let id = (table.name != HEADER).then(|| "msis_identification_num".to_owned());
    Table {
        name: table.name.clone(),
        columns,
        id,
        origin: Some("submitting_state".to_owned()),
        files,
    }
}
