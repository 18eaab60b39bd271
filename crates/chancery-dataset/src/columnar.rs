//! Parquet files: written as working copies, read column by column as text.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chancery_model::{Digest, Fault};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::Error;
use crate::store::{self, Hashing};

/// Rows of a row group in files that this crate writes.
const GROUP_ROWS: usize = 128 << 10;
/// Rows that are handled at a time.
pub(crate) const BATCH_ROWS: usize = 8 << 10;

/// A Parquet file being written.
pub(crate) struct TableWriter {
    path: PathBuf,
    writer: ArrowWriter<Hashing<File>>,
}

/// A Parquet file that was written.
pub(crate) struct Written {
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
}

impl TableWriter {
    /// Starts a file; the values of `coded` columns repeat so much that a list of them pays.
    pub(crate) fn create(path: &Path, schema: SchemaRef, coded: &[&str]) -> Result<Self, Error> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(Some(GROUP_ROWS));
        for column in coded {
            let column = ColumnPath::new(vec![(*column).to_owned()]);
            properties = properties.set_column_dictionary_enabled(column, true);
        }
        // Without the embedded schema every reader sees plain text columns.
        let options = ArrowWriterOptions::new()
            .with_properties(properties.build())
            .with_skip_arrow_metadata(true);
        let file = Hashing::new(store::create_file(path)?);
        let writer =
            ArrowWriter::try_new_with_options(file, schema, options).map_err(|_| misbuilt(path))?;
        Ok(Self {
            path: path.to_owned(),
            writer,
        })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.writer
            .write(batch)
            .map_err(|error| Error::io(&self.path, "write", std::io::Error::other(error)))
    }

    /// Completes the file and makes it durable.
    pub(crate) fn finish(self) -> Result<Written, Error> {
        let path = self.path;
        let hashing = self
            .writer
            .into_inner()
            .map_err(|error| Error::io(&path, "write", std::io::Error::other(error)))?;
        let (file, bytes, sha256) = hashing.finish();
        file.sync_all()
            .map_err(|error| Error::io(&path, "sync", error))?;
        Ok(Written { bytes, sha256 })
    }
}

/// Columns of this crate's own making that do not fit together.
pub(crate) fn misbuilt(path: &Path) -> Error {
    Error::Damaged {
        file: path.display().to_string(),
        problem: "its columns do not fit together",
    }
}

/// A schema of nullable text columns.
pub(crate) fn text_schema<'n>(names: impl IntoIterator<Item = &'n str>) -> SchemaRef {
    let fields: Vec<Field> = names
        .into_iter()
        .map(|name| Field::new(name, DataType::Utf8, true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// A Parquet file that was found to be readable.
pub(crate) struct Source {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
}

impl Source {
    /// Opens a file and reads what it says of its columns.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = store::open_file(path)?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|_| unreadable(path))?;
        let rows = metadata.metadata().file_metadata().num_rows();
        if rows < 0 {
            return Err(unreadable(path).into());
        }
        let source = Self {
            path: path.to_owned(),
            metadata,
        };
        source.check_names()?;
        Ok(source)
    }

    fn check_names(&self) -> Result<(), Error> {
        let mut seen = std::collections::BTreeSet::new();
        for field in self.metadata.schema().fields() {
            if !seen.insert(field.name()) {
                return Err(
                    Error::source(&self.path, "the file has two columns of this name")
                        .field(field.name())
                        .hint("rename one of them")
                        .into(),
                );
            }
        }
        Ok(())
    }

    pub(crate) fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or_default()
    }

    /// The columns and their types.
    pub(crate) fn fields(&self) -> &arrow::datatypes::Fields {
        self.metadata.schema().fields()
    }

    /// The batches of the named columns as text, in the order of the names; a column that the
    /// file lacks is refused.
    pub(crate) fn texts<'s>(&'s self, names: &'s [&'s str]) -> Result<Texts<'s>, Error> {
        for name in names {
            self.check_text(name)?;
        }
        let roots = self.metadata.schema().fields().iter().enumerate();
        let wanted: Vec<usize> = roots
            .filter(|(_, field)| names.contains(&field.name().as_str()))
            .map(|(at, _)| at)
            .collect();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), wanted);
        let options = ArrowReaderOptions::new().with_schema(self.views());
        let metadata = ArrowReaderMetadata::try_new(self.metadata.metadata().clone(), options)
            .map_err(|_| unreadable(&self.path))?;
        let file = store::open_file(&self.path)?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|_| unreadable(&self.path))?;
        Ok(Texts {
            source: self,
            names,
            reader,
        })
    }

    /// The schema that has text read without copying it.
    fn views(&self) -> SchemaRef {
        let schema = self.metadata.schema();
        let view = |field: &Field| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => {
                field.clone().with_data_type(DataType::Utf8View)
            }
            _ => field.clone(),
        };
        let fields: Vec<Field> = schema.fields().iter().map(|field| view(field)).collect();
        Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
    }

    fn check_text(&self, name: &str) -> Result<(), Error> {
        let field = self.fields().iter().find(|field| field.name() == name);
        let Some(field) = field else {
            return Err(Error::source(&self.path, "the file has no such column")
                .field(name)
                .hint("the names of columns are case-sensitive")
                .into());
        };
        if is_texty(field.data_type()) {
            return Ok(());
        }
        Err(Error::source(&self.path, "expected text or whole numbers")
            .field(name)
            .hint("write the column as text")
            .into())
    }
}

fn is_texty(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_texty(values),
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Null => true,
        other => other.is_integer(),
    }
}

fn unreadable(path: &Path) -> Fault {
    Error::source(
        path,
        "not a readable Parquet file: truncated, damaged or another format",
    )
    .hint("copy the file again from where it came")
}

/// The batches of some columns of a file as text.
pub(crate) struct Texts<'s> {
    source: &'s Source,
    names: &'s [&'s str],
    reader: ParquetRecordBatchReader,
}

impl Iterator for Texts<'_> {
    type Item = Result<Vec<StringViewArray>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(match batch {
            Ok(batch) => self.columns(&batch),
            Err(_) => Err(self.damaged(self.names.first().copied().unwrap_or_default())),
        })
    }
}

impl Texts<'_> {
    fn columns(&self, batch: &RecordBatch) -> Result<Vec<StringViewArray>, Error> {
        let column = |name: &&str| {
            let array = batch.column_by_name(name);
            array.and_then(as_text).ok_or_else(|| self.damaged(name))
        };
        self.names.iter().map(column).collect()
    }

    fn damaged(&self, column: &str) -> Error {
        unreadable(&self.source.path).field(column).into()
    }
}

fn as_text(array: &ArrayRef) -> Option<StringViewArray> {
    if let Some(view) = array.as_string_view_opt() {
        return Some(view.clone());
    }
    let text = cast(array, &DataType::Utf8).ok()?;
    // Text that is not UTF-8 casts to null: a value must not vanish unseen.
    if text.null_count() != array.logical_null_count() {
        return None;
    }
    let view = cast(&text, &DataType::Utf8View).ok()?;
    view.as_string_view_opt().cloned()
}

/// All batches of one of this crate's own files.
pub(crate) fn read_all(
    path: &Path,
) -> Result<impl Iterator<Item = Result<RecordBatch, Error>>, Error> {
    let damaged = || Error::Damaged {
        file: path.display().to_string(),
        problem: "not a readable Parquet file",
    };
    let reader = ParquetRecordBatchReaderBuilder::try_new(store::open_file(path)?)
        .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
        .map_err(|_| damaged())?;
    let path = path.to_owned();
    Ok(reader.map(move |batch| {
        batch.map_err(|_| Error::Damaged {
            file: path.display().to_string(),
            problem: "not a readable Parquet file",
        })
    }))
}

/// A value without the ASCII spaces at either end.
pub(crate) fn trim(value: &str) -> &str {
    let bytes = value.as_bytes();
    if bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ') {
        value.trim_matches(' ')
    } else {
        value
    }
}
