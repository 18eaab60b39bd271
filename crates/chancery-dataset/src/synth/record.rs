//! Records of an Eligible file and how they are encoded as lines.

use super::Encoding;
use super::layout::Segment;
use super::text::Day;

/// The values of one record, by the names of their elements.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) segment: usize,
    names: Vec<&'static str>,
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Record {
    /// Begins a record of the segment of this number, forgetting the one before.
    pub(super) fn begin(&mut self, segment: usize) {
        self.segment = segment;
        self.names.clear();
        self.ends.clear();
        self.bytes.clear();
    }

    pub(super) fn put(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.put_bytes(name, value.as_bytes())
    }

    pub(super) fn put_bytes(&mut self, name: &'static str, value: &[u8]) -> &mut Self {
        self.names.push(name);
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
        self
    }

    pub(super) fn day(&mut self, name: &'static str, day: Day) -> &mut Self {
        self.put(name, day.compact().as_str())
    }

    pub(super) fn day_if_any(&mut self, name: &'static str, day: Option<Day>) -> &mut Self {
        match day {
            Some(day) => self.day(name, day),
            None => self.put(name, ""),
        }
    }

    /// Writes the record as a line, with its line feed, into `line`.
    pub(super) fn encode(&self, segment: &mut Segment, encoding: Encoding, line: &mut Vec<u8>) {
        segment.settle(&self.names);
        line.clear();
        match encoding {
            Encoding::Psv => self.separate(segment, line),
            Encoding::Flf => self.place(segment, line),
        }
        line.push(b'\n');
    }

    fn separate(&self, segment: &Segment, line: &mut Vec<u8>) {
        for (position, column) in segment.columns.iter().enumerate() {
            if position > 0 {
                line.push(b'|');
            }
            line.extend_from_slice(self.value(column.value));
        }
    }

    /// Puts every value at its bytes, cut to their number, between blanks or after zeros.
    fn place(&self, segment: &Segment, line: &mut Vec<u8>) {
        line.resize(segment.length, b' ');
        for column in &segment.columns {
            let value = self.value(column.value);
            let bytes = column.bytes.clone().and_then(|bytes| line.get_mut(bytes));
            let (Some(bytes), false) = (bytes, value.is_empty()) else {
                continue;
            };
            let zeros = if column.number {
                bytes.len().saturating_sub(value.len())
            } else {
                0
            };
            let (left, right) = bytes.split_at_mut(zeros);
            left.fill(b'0');
            for (byte, of_value) in right.iter_mut().zip(value) {
                *byte = *of_value;
            }
        }
    }

    fn value(&self, position: Option<usize>) -> &[u8] {
        let Some(position) = position else { return &[] };
        let start = position
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let end = self.ends.get(position).copied().unwrap_or_default();
        self.bytes
            .get(start.copied().unwrap_or_default()..end)
            .unwrap_or_default()
    }
}
