//! The segments of the Eligible file: which columns they have, in which order, and where.

use std::collections::HashMap;

const V3: &str = include_str!("../../tmsis/eligible_layout.csv");
const V4: &str = include_str!("../../tmsis/eligible_layout_v4.csv");
const POSITIONS: &str = include_str!("../../tmsis/flf_positions.csv");
const ALIASES: &str = include_str!("../../tmsis/element_aliases.csv");

/// The segments have numbers from 1 to this one.
const LAST_SEGMENT: usize = 22;

/// A version of the data dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V3,
    V4,
}

impl Version {
    /// DATA-DICTIONARY-VERSION as a header writes it.
    pub(super) fn written(self) -> &'static str {
        match self {
            Self::V3 => "V3.0.0",
            Self::V4 => "V4.0.0",
        }
    }

    fn tables(self) -> (&'static str, &'static str) {
        match self {
            Self::V3 => (V3, "v3"),
            Self::V4 => (V4, "v4"),
        }
    }
}

/// One column of a segment.
#[derive(Debug)]
pub(super) struct Column {
    /// The name in this version, then the names in other versions.
    names: Vec<String>,
    /// Whether a fixed-length file fills it with zeros from the left.
    pub(super) number: bool,
    /// The bytes it takes in a fixed-length file, if that is known.
    pub(super) bytes: Option<std::ops::Range<usize>>,
    /// Which value of a record it shows, once a record of the segment was seen.
    pub(super) value: Option<usize>,
}

/// One kind of record.
#[derive(Debug, Default)]
pub(super) struct Segment {
    pub(super) columns: Vec<Column>,
    /// The length of a fixed-length record.
    pub(super) length: usize,
    seen: bool,
}

impl Segment {
    /// Finds for every column the value of that name. Every record of a segment names the same
    /// values in the same order, so the first one settles it.
    pub(super) fn settle(&mut self, values: &[&'static str]) {
        if self.seen {
            return;
        }
        self.seen = true;
        for column in &mut self.columns {
            let place = |name: &String| values.iter().position(|value| value == name);
            column.value = column.names.iter().find_map(place);
        }
    }
}

/// The segments of a version, each at the place of its number.
pub(super) fn segments(version: Version) -> Result<Vec<Segment>, csv::Error> {
    let (layout, dictionary) = version.tables();
    let aliases = aliases()?;
    let bytes = bytes(dictionary)?;
    let mut segments: Vec<Segment> = Vec::new();
    segments.resize_with(LAST_SEGMENT + 1, Segment::default);
    for row in csv::Reader::from_reader(layout.as_bytes()).records() {
        let row = row?;
        let field = |position: usize| row.get(position).unwrap_or_default();
        let Some(segment) = segment_number(field(0)).and_then(|n| segments.get_mut(n)) else {
            continue;
        };
        let name = field(4).to_owned();
        let bytes = bytes.get(&(field(0).to_owned(), name.clone())).cloned();
        segment.length = segment
            .length
            .max(bytes.as_ref().map_or(0, |bytes| bytes.end));
        let mut names = vec![name];
        names.extend(aliases.get(field(3)).into_iter().flatten().cloned());
        segment.columns.push(Column {
            names,
            number: field(7) == "number",
            bytes,
            value: None,
        });
    }
    Ok(segments)
}

fn segment_number(id: &str) -> Option<usize> {
    id.strip_prefix("ELG")?.parse().ok()
}

/// The names that an element has had, by its number.
fn aliases() -> Result<HashMap<String, Vec<String>>, csv::Error> {
    let mut aliases: HashMap<String, Vec<String>> = HashMap::new();
    for row in csv::Reader::from_reader(ALIASES.as_bytes()).records() {
        let row = row?;
        let field = |position: usize| row.get(position).unwrap_or_default().to_owned();
        aliases.entry(field(0)).or_default().push(field(1));
    }
    Ok(aliases)
}

/// The bytes of each (segment, element) in fixed-length files of a version.
type Bytes = HashMap<(String, String), std::ops::Range<usize>>;

fn bytes(dictionary: &str) -> Result<Bytes, csv::Error> {
    let mut bytes = Bytes::new();
    for row in csv::Reader::from_reader(POSITIONS.as_bytes()).records() {
        let row = row?;
        let field = |position: usize| row.get(position).unwrap_or_default();
        let (start, stop) = (field(4).parse::<usize>(), field(5).parse::<usize>());
        if let (true, Ok(start), Ok(stop)) = (field(0) == dictionary, start, stop) {
            let key = (field(1).to_owned(), field(3).to_owned());
            bytes.insert(key, start.saturating_sub(1)..stop);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_have_every_segment_but_19() {
        for version in [Version::V3, Version::V4] {
            let segments = segments(version).unwrap();
            for (number, segment) in segments.iter().enumerate() {
                let expected = number != 0 && number != 19;
                assert_eq!(
                    !segment.columns.is_empty(),
                    expected,
                    "{version:?} {number}"
                );
                assert_eq!(segment.length > 0, expected, "{version:?} {number}");
            }
        }
    }
}
