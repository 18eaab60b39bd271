//! One flat Parquet file: a row for each person, who is shown as in their latest span.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Builder, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::people::Person;
use super::states::State;
use super::text::Day;
use super::{Error, Tally};

/// The columns, in the order of the file. Those that end in `_DT` are dates, the others text.
pub(super) const COLUMNS: [&str; 36] = [
    "MSIS_IDENT_NUM",
    "SUBMTG_STATE_CD",
    "MSIS_CASE_NUM",
    "SSN_NUM",
    "ELGBL_1ST_NAME",
    "ELGBL_LAST_NAME",
    "ELGBL_MDL_INITL_NAME",
    "BIRTH_DT",
    "DEATH_DT",
    "SEX_CD",
    "MRTL_STUS_CD",
    "INCM_CD",
    "VET_IND",
    "CTZNSHP_IND",
    "CTZNSHP_VRFCTN_IND",
    "IMGRTN_STUS_CD",
    "IMGRTN_VRFCTN_IND",
    "IMGRTN_STUS_5_YR_BAR_END_DT",
    "OTHR_LANG_HOME_CD",
    "HSEHLD_SIZE_CD",
    "PRGNT_IND",
    "ETHNCTY_CD",
    "ELGBL_LINE_1_ADR_HOME",
    "ELGBL_LINE_2_ADR_HOME",
    "ELGBL_CITY_NAME_HOME",
    "ELGBL_ZIP_CD_HOME",
    "ELGBL_CNTY_CD_HOME",
    "ELGBL_STATE_CD_HOME",
    "ELGBL_PHNE_NUM_HOME",
    "ELGBLTY_GRP_CD",
    "RSTRCTD_BNFTS_CD",
    "DUAL_ELGBL_CD",
    "CHIP_CD",
    "DEAF_DSBL_FLAG",
    "ENRLMT_EFF_DT",
    "ENRLMT_END_DT",
];

/// Columns whose values hardly repeat: a dictionary of them would only cost time.
const UNREPEATED: [&str; 4] = [
    "MSIS_IDENT_NUM",
    "MSIS_CASE_NUM",
    "SSN_NUM",
    "ELGBL_LINE_1_ADR_HOME",
];

const ROWS_PER_BATCH: usize = 8_192;
const ROWS_PER_GROUP: usize = 131_072;

/// A Parquet file that is being written.
pub(super) struct Taf<'a> {
    state: &'a State,
    schema: SchemaRef,
    cells: Vec<Cells>,
    waiting: usize,
    rows: u64,
    writer: ArrowWriter<File>,
}

impl<'a> Taf<'a> {
    pub(super) fn create(path: &Path, state: &'a State) -> Result<Self, Error> {
        let kind = |name: &str| {
            if name.ends_with("_DT") {
                DataType::Date32
            } else {
                DataType::Utf8
            }
        };
        let field = |name: &&str| Field::new(*name, kind(name), true);
        let schema = Arc::new(Schema::new(COLUMNS.iter().map(field).collect::<Vec<_>>()));
        let file = File::create_new(path).map_err(|source| Error::io(path, source))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties(&UNREPEATED)))
            .map_err(|source| Error::parquet(path, source))?;
        let cells = schema
            .fields()
            .iter()
            .map(|field| Cells::new(field.data_type()))
            .collect();
        Ok(Self {
            state,
            schema,
            cells,
            waiting: 0,
            rows: 0,
            writer,
        })
    }

    pub(super) fn person(&mut self, person: &Person) -> parquet::errors::Result<()> {
        let mut row = Row(self.cells.iter_mut());
        fill(&mut row, person, &self.state.fips);
        self.rows += 1;
        self.waiting += 1;
        if self.waiting == ROWS_PER_BATCH {
            self.flush()
        } else {
            Ok(())
        }
    }

    pub(super) fn finish(mut self) -> parquet::errors::Result<Tally> {
        self.flush()?;
        self.writer.finish()?;
        Ok(Tally {
            rows: self.rows,
            bytes: self.writer.bytes_written() as u64,
        })
    }

    fn flush(&mut self) -> parquet::errors::Result<()> {
        let columns = self.cells.iter_mut().map(Cells::take).collect();
        self.waiting = 0;
        self.writer
            .write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// How Parquet files are written: compressed with Zstandard, in row groups of a bounded size.
pub(super) fn properties(unrepeated: &[&str]) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP));
    for column in unrepeated {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(*column), false);
    }
    builder.build()
}

/// The cells of one column that wait to be written.
enum Cells {
    Text(StringBuilder),
    Day(Date32Builder),
}

impl Cells {
    fn new(kind: &DataType) -> Self {
        match kind {
            DataType::Date32 => Self::Day(Date32Builder::with_capacity(ROWS_PER_BATCH)),
            _ => Self::Text(StringBuilder::with_capacity(
                ROWS_PER_BATCH,
                ROWS_PER_BATCH * 8,
            )),
        }
    }

    fn take(&mut self) -> ArrayRef {
        match self {
            Self::Text(cells) => Arc::new(cells.finish()),
            Self::Day(cells) => Arc::new(cells.finish()),
        }
    }
}

/// The cells of one row, from left to right.
struct Row<'a>(std::slice::IterMut<'a, Cells>);

impl Row<'_> {
    /// A text, which is null where the state wrote nothing.
    fn text(&mut self, value: &str) -> &mut Self {
        if let Some(Cells::Text(cells)) = self.0.next() {
            cells.append_option((!value.is_empty()).then_some(value));
        }
        self
    }

    fn day(&mut self, day: Option<Day>) -> &mut Self {
        if let Some(Cells::Day(cells)) = self.0.next() {
            cells.append_option(day.map(|day| day.0));
        }
        self
    }
}

/// Puts a person's values into the row, in the order of [`COLUMNS`].
fn fill(row: &mut Row<'_>, person: &Person, state: &str) {
    let Some(span) = person.spans().last() else {
        return;
    };
    let home = &person.home;
    row.text(person.id.as_str())
        .text(state)
        .text(person.case.as_str())
        .text(person.ssn.as_str())
        .text(person.first)
        .text(person.last)
        .text(person.middle)
        .day(Some(person.born))
        .day(person.died)
        .text(person.sex)
        .text(person.marital)
        .text(person.income)
        .text(person.veteran)
        .text(span.codes.0)
        .text(person.citizenship_pending)
        .text(immigration(span.codes.1))
        .text(person.immigration_pending)
        .day(person.bar_ends)
        .text(person.language)
        .text(person.household_size)
        .text(person.pregnant)
        .text(person.ethnicity)
        .text(home.line_1.as_str())
        .text(home.line_2.as_str())
        .text(home.town)
        .text(home.zip.as_str())
        .text(home.county.as_str())
        .text(state)
        .text(home.phone.as_str())
        .text(span.coverage.group)
        .text(span.coverage.restricted)
        .text(span.coverage.dual)
        .text(span.chip)
        .text(if person.deaf { "1" } else { "0" })
        .day(Some(span.from))
        .day(Some(span.to));
}

/// TAF writes 0 where T-MSIS has 8: citizens, to whom no immigration status applies.
fn immigration(code: &'static str) -> &'static str {
    match code {
        "8" => "0",
        "8 " => "0 ",
        other => other,
    }
}
