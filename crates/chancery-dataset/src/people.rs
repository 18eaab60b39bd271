use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt8Type, UInt64Type};
use chancery_model::{Group, Presence, Signature};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::classify::PRESENCE;
use crate::{Dataset, Error};

/// Rows read at a time.
const ROWS: usize = 64 << 10;

impl Dataset {
    /// Tells of every person of an origin: the id, a number for the group, and the group. People of
    /// one group have one number.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] when the file of its people is not as this version writes it; what `tell`
    /// refuses with.
    pub fn each_person<E: From<Error>>(
        &self,
        origin: &str,
        tell: &mut dyn FnMut(&str, usize, &Group) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(path) = self.subjects_file(origin) else {
            return Ok(());
        };
        let failed = |error| Error::io(&path, "read", error);
        let file = File::open(&path).map_err(failed)?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(|builder| builder.with_batch_size(ROWS).build());
        let reader = reader.map_err(|_| damaged(&path))?;
        let mut groups = Groups::default();
        for batch in reader {
            let batch = batch.map_err(|_| damaged(&path))?;
            let numbers = groups.of(&batch, self).ok_or_else(|| damaged(&path))?;
            let ids = batch.column_by_name("id").ok_or_else(|| damaged(&path))?;
            let ids = ids.as_string_opt::<i32>().ok_or_else(|| damaged(&path))?;
            for (id, number) in ids.iter().zip(numbers) {
                let (Some(id), Some(group)) = (id, groups.groups.get(number)) else {
                    return Err(damaged(&path).into());
                };
                tell(id, number, group)?;
            }
        }
        Ok(())
    }
}

fn damaged(path: &Path) -> Error {
    Error::Damaged {
        file: path.display().to_string(),
        problem: "not as this version writes it",
    }
}

/// The groups that occurred.
#[derive(Default)]
struct Groups {
    groups: Vec<Group>,
    numbers: HashMap<(u64, u64), usize>,
}

impl Groups {
    /// The number of each row's group; nothing when a column is not there.
    fn of(&mut self, batch: &RecordBatch, dataset: &Dataset) -> Option<Vec<usize>> {
        let domain = &dataset.catalogue.domain;
        let mut attributes = Vec::with_capacity(domain.len());
        for attribute in domain {
            let column = batch.column_by_name(&attribute.name)?;
            // The file holds each name once; its readers give them as text.
            let kind = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
            let column = cast(column, &kind).ok()?;
            let column = column.as_dictionary_opt::<UInt8Type>()?.clone();
            let names = column.values().as_string_opt::<i32>()?;
            let position = |name: Option<&str>| {
                let at = attribute
                    .values
                    .iter()
                    .position(|value| Some(value.as_str()) == name)?;
                u8::try_from(at).ok()
            };
            let positions: Vec<Option<u8>> = names.iter().map(position).collect();
            attributes.push((column, positions, attribute.values.len() as u64));
        }
        let presence = batch.column_by_name(PRESENCE)?;
        let presence = presence.as_primitive_opt::<UInt64Type>()?;
        let mut values = vec![0_u8; attributes.len()];
        let mut numbers = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            // All the values as one number, in mixed radix: domains are small.
            let mut packed = 0_u64;
            for ((column, positions, size), value) in attributes.iter().zip(&mut values) {
                let key = column.key(row)?;
                *value = (*positions.get(key)?)?;
                packed = packed.checked_mul(*size)?.checked_add(u64::from(*value))?;
            }
            let tables = presence.values().get(row).copied()?;
            let groups = &mut self.groups;
            numbers.push(*self.numbers.entry((packed, tables)).or_insert_with(|| {
                groups.push(Group {
                    signature: Signature::new(values.clone()),
                    presence: Presence(tables),
                });
                groups.len() - 1
            }));
        }
        Some(numbers)
    }
}
