//! The table of determinations, which is gathered state by state and joined at the end.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;

use super::Error;
use super::dice::{Dice, SaltDice};
use super::evidence::{Finding, STRAY};
use super::people::Person;
use super::states::State;
use super::taf::properties;
use super::text::{Day, Text};

const HEADER: [&str; 5] = [
    "origin",
    "msis_id",
    "determination",
    "source",
    "determined_on",
];

const ROWS_PER_BATCH: usize = 8_192;

/// One finding in so many people is about an id that no file holds.
const PEOPLE_PER_STRAY: u64 = 4_000;

/// What is found of the people of one state, in a file that lasts until all states are done.
pub(super) struct Findings<'a> {
    state: &'a State,
    out: BufWriter<File>,
    people: u64,
}

impl<'a> Findings<'a> {
    pub(super) fn create(path: &Path, state: &'a State) -> io::Result<Self> {
        Ok(Self {
            state,
            out: BufWriter::new(File::create(path)?),
            people: 0,
        })
    }

    /// Writes what is found of a person and, rarely, of `stray`, an id that nobody has.
    pub(super) fn person(
        &mut self,
        person: &Person,
        stray: impl Fn(u64) -> Text,
    ) -> io::Result<()> {
        let mut day = Day::LAST.minus(SaltDice::new(!person.salt).below(700));
        for finding in person.findings {
            self.line(person.id, *finding, day)?;
            day = day.minus(31);
        }
        self.people += 1;
        if self.people % PEOPLE_PER_STRAY == PEOPLE_PER_STRAY / 20 {
            self.line(stray(self.people), STRAY, day)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn line(&mut self, id: Text, (found, source): Finding, day: Day) -> io::Result<()> {
        let state = self.state.fips.as_str();
        let day = day.dashed();
        for (position, cell) in [state, id.as_str(), found, source, day.as_str()]
            .iter()
            .enumerate()
        {
            if position > 0 {
                self.out.write_all(b",")?;
            }
            self.out.write_all(cell.as_bytes())?;
        }
        self.out.write_all(b"\n")
    }
}

/// Joins the parts into one CSV file and removes them. Returns its length.
pub(super) fn join_csv(parts: &[PathBuf], path: &Path) -> Result<u64, Error> {
    let csv = || -> io::Result<u64> {
        let mut out = File::create_new(path)?;
        let header = HEADER.join(",") + "\n";
        out.write_all(header.as_bytes())?;
        let mut bytes = header.len() as u64;
        for part in parts {
            bytes += io::copy(&mut File::open(part)?, &mut out)?;
            fs::remove_file(part)?;
        }
        Ok(bytes)
    };
    csv().map_err(|source| Error::io(path, source))
}

/// Joins the parts into one Parquet file and removes them. Returns its length.
pub(super) fn join_parquet(parts: &[PathBuf], path: &Path) -> Result<u64, Error> {
    let failed = |source| Error::parquet(path, source);
    let field = |name: &&str| Field::new(*name, DataType::Utf8, true);
    let schema = Arc::new(Schema::new(HEADER.iter().map(field).collect::<Vec<_>>()));
    let file = File::create_new(path).map_err(|source| Error::io(path, source))?;
    let properties = properties(&["msis_id"]);
    let mut writer =
        ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(failed)?;
    for part in parts {
        let mut lines = open(part)?.lines();
        loop {
            let columns = columns(&mut lines).map_err(|source| Error::io(part, source))?;
            if columns.first().is_none_or(|column| column.is_empty()) {
                break;
            }
            let batch = RecordBatch::try_new(Arc::clone(&schema), columns);
            writer
                .write(&batch.map_err(|source| failed(source.into()))?)
                .map_err(failed)?;
        }
        fs::remove_file(part).map_err(|source| Error::io(part, source))?;
    }
    writer.finish().map_err(failed)?;
    Ok(writer.bytes_written() as u64)
}

fn open(part: &Path) -> Result<BufReader<File>, Error> {
    File::open(part)
        .map(BufReader::new)
        .map_err(|source| Error::io(part, source))
}

/// The next lines as columns, all empty when there are no more.
fn columns(lines: &mut io::Lines<BufReader<File>>) -> io::Result<Vec<ArrayRef>> {
    let mut cells: Vec<StringBuilder> = HEADER.iter().map(|_| StringBuilder::new()).collect();
    for line in lines.take(ROWS_PER_BATCH) {
        let line = line?;
        for (column, cell) in cells.iter_mut().zip(line.split(',')) {
            column.append_value(cell);
        }
    }
    Ok(cells
        .iter_mut()
        .map(|column| Arc::new(column.finish()) as ArrayRef)
        .collect())
}
