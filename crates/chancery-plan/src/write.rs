use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{BatchCoalescer, cast};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use chancery_model::{Digest, Format};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use sha2::{Digest as _, Sha256};

/// Rows per Parquet row group and per write: fixed, so that nothing in a file's form follows from
/// what was withheld or from how the engine cut its batches.
const ROWS_PER_GROUP: usize = 131_072;

/// A released file in the making: written afresh, with nothing of its source's form.
pub(crate) struct FileWriter {
    body: Body,
    buffered: BatchCoalescer,
    schema: SchemaRef,
    rows: u64,
}

enum Body {
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
            Format::Parquet => {
                let options = ArrowWriterOptions::new()
                    .with_properties(properties())
                    .with_skip_arrow_metadata(true);
                let writer = ArrowWriter::try_new_with_options(out, Arc::clone(&schema), options);
                Body::Parquet(Box::new(writer.map_err(other)?))
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer
                    .write_record(schema.fields().iter().map(|field| field.name()))
                    .map_err(other)?;
                Body::Csv(Box::new(writer))
            }
        };
        let buffered = BatchCoalescer::new(Arc::clone(&schema), ROWS_PER_GROUP);
        Ok(Self {
            body,
            buffered,
            schema,
            rows: 0,
        })
    }

    pub(crate) fn write(&mut self, batch: RecordBatch) -> std::io::Result<()> {
        self.rows += batch.num_rows() as u64;
        let columns = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| cast(column, field.data_type()))
            .collect::<Result<_, _>>()
            .map_err(other)?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(other)?;
        self.buffered.push_batch(batch).map_err(other)?;
        self.flush()
    }

    fn flush(&mut self) -> std::io::Result<()> {
        while let Some(batch) = self.buffered.next_completed_batch() {
            match &mut self.body {
                Body::Parquet(writer) => writer.write(&batch).map_err(other)?,
                Body::Csv(writer) => write_csv(writer, &batch)?,
            }
        }
        Ok(())
    }

    /// Ends the file and makes it durable.
    pub(crate) fn finish(mut self) -> std::io::Result<Finished> {
        self.buffered.finish_buffered_batch().map_err(other)?;
        self.flush()?;
        let out = match self.body {
            Body::Parquet(writer) => writer.into_inner().map_err(other)?,
            Body::Csv(writer) => writer.into_inner().map_err(|error| error.into_error())?,
        };
        let (bytes, sha256) = out.finish()?;
        Ok(Finished {
            rows: self.rows,
            bytes,
            sha256,
        })
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

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("chancery".to_owned())
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .build()
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
        let file = File::options().write(true).create_new(true).open(path)?;
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
