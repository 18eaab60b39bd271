use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::{BatchCoalescer, cast};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use chancery_model::{Digest, Format};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest as _, Sha256};

/// Rows per Parquet row group: fixed, so that nothing in a file's form follows from what was
/// withheld.
const ROWS_PER_GROUP: usize = 131_072;
/// Rows per write: fixed, so that no page of a file begins where the engine began a batch. It is
/// the batch that the engine makes when nothing is withheld, which is then written as it is.
pub(crate) const ROWS_PER_WRITE: usize = 16_384;

/// Values that tell whether those of a column repeat.
const ROWS_SAMPLED: usize = 2_048;

/// A released file in the making: written afresh, with nothing of its source's form.
pub(crate) struct FileWriter {
    body: Body,
    buffered: BatchCoalescer,
    schema: SchemaRef,
    rows: u64,
}

enum Body {
    /// A Parquet file whose first rows are yet to come.
    Opened(Box<Hashed>),
    Parquet(Box<ArrowWriter<Hashed>>),
    Csv(Box<csv::Writer<Hashed>>),
}

/// What was written.
pub(crate) struct Finished {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> std::io::Error {
    std::io::Error::other(error)
}

impl FileWriter {
    pub(crate) fn create(path: &Path, schema: &SchemaRef, format: Format) -> std::io::Result<Self> {
        let out = Hashed::create(path)?;
        let schema = plain(schema);
        let body = match format {
            Format::Parquet => Body::Opened(Box::new(out)),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer
                    .write_record(schema.fields().iter().map(|field| field.name()))
                    .map_err(other)?;
                Body::Csv(Box::new(writer))
            }
        };
        let buffered = BatchCoalescer::new(Arc::clone(&schema), ROWS_PER_WRITE);
        Ok(Self {
            body,
            buffered,
            schema,
            rows: 0,
        })
    }

    pub(crate) fn write(mut self, batch: &RecordBatch) -> std::io::Result<Self> {
        self.rows += batch.num_rows() as u64;
        let columns = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| cast(column, field.data_type()))
            .collect::<Result<_, _>>()
            .map_err(other)?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(other)?;
        if self.buffered.is_empty() && batch.num_rows() == ROWS_PER_WRITE {
            self.body = self.body.put(&batch)?;
            return Ok(self);
        }
        self.buffered.push_batch(batch).map_err(other)?;
        self.flush()
    }

    fn flush(mut self) -> std::io::Result<Self> {
        while let Some(batch) = self.buffered.next_completed_batch() {
            self.body = self.body.put(&batch)?;
        }
        Ok(self)
    }

    /// Ends the file and makes it durable.
    pub(crate) fn finish(mut self) -> std::io::Result<Finished> {
        self.buffered.finish_buffered_batch().map_err(other)?;
        let Self {
            body, schema, rows, ..
        } = self.flush()?;
        let out = match body {
            Body::Opened(out) => parquet(*out, &RecordBatch::new_empty(schema))?
                .into_inner()
                .map_err(other)?,
            Body::Parquet(writer) => writer.into_inner().map_err(other)?,
            Body::Csv(writer) => writer
                .into_inner()
                .map_err(csv::IntoInnerError::into_error)?,
        };
        let (bytes, sha256) = out.finish()?;
        Ok(Finished {
            rows,
            bytes,
            sha256,
        })
    }
}

impl Body {
    fn put(self, batch: &RecordBatch) -> std::io::Result<Self> {
        match self {
            Self::Opened(out) => Self::Parquet(Box::new(parquet(*out, batch)?)).put(batch),
            Self::Parquet(mut writer) => {
                writer.write(batch).map_err(other)?;
                Ok(Self::Parquet(writer))
            }
            Self::Csv(mut writer) => {
                write_csv(&mut writer, batch)?;
                Ok(Self::Csv(writer))
            }
        }
    }
}

/// The columns' names and types alone: no metadata, text as text whatever its form in memory.
fn plain(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let data_type = match field.data_type() {
            DataType::Dictionary(_, values) => values.as_ref().clone(),
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            other => other.clone(),
        };
        arrow::datatypes::Field::new(field.name(), data_type, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A Parquet file that will begin with these rows.
fn parquet(out: Hashed, first: &RecordBatch) -> std::io::Result<ArrowWriter<Hashed>> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties(first))
        .with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(out, first.schema(), options).map_err(other)
}

/// Of the released rows alone: fixed settings, and a dictionary but for the columns whose first
/// values hardly repeat, where it would only cost time. No smallest and largest value of a column
/// stands in the file's footer.
fn properties(first: &RecordBatch) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("chancery".to_owned())
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    let schema = first.schema();
    for (field, column) in schema.fields().iter().zip(first.columns()) {
        if !repeats(column) {
            let column = ColumnPath::new(vec![field.name().clone()]);
            properties = properties.set_column_dictionary_enabled(column, false);
        }
    }
    properties.build()
}

/// Whether a text column's first values repeat: at least a third of them are not new.
fn repeats(column: &ArrayRef) -> bool {
    let Some(text) = column.as_string_view_opt() else {
        return true;
    };
    let first = || text.iter().flatten().take(ROWS_SAMPLED);
    let distinct: HashSet<&str> = first().collect();
    distinct.len() * 3 <= first().count() * 2
}

fn write_csv(writer: &mut csv::Writer<Hashed>, batch: &RecordBatch) -> std::io::Result<()> {
    let text = batch
        .columns()
        .iter()
        .map(|column| cast(column, &DataType::Utf8))
        .collect::<Result<Vec<_>, _>>()
        .map_err(other)?;
    let text: Vec<&arrow::array::StringArray> = text
        .iter()
        .filter_map(|column| column.as_any().downcast_ref())
        .collect();
    for row in 0..batch.num_rows() {
        for column in &text {
            use arrow::array::Array as _;
            let cell = if column.is_null(row) {
                ""
            } else {
                column.value(row)
            };
            writer.write_field(cell).map_err(other)?;
        }
        writer.write_record(None::<&[u8]>).map_err(other)?;
    }
    Ok(())
}

/// A file that is hashed as it is written.
struct Hashed {
    out: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Hashed {
    fn create(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut options = File::options();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self {
            out: BufWriter::with_capacity(1 << 18, file),
            hash: Sha256::new(),
            bytes: 0,
        })
    }

    fn finish(mut self) -> std::io::Result<(u64, Digest)> {
        self.out.flush()?;
        let file = self
            .out
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok((self.bytes, Digest::from_bytes(self.hash.finalize().into())))
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
