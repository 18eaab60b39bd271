//! The T-MSIS data dictionary: the segments of the Eligible file, their fields and what each
//! discloses, from the tables in `tmsis/`.

use std::collections::{BTreeMap, BTreeSet};

use chancery_model::{Fault, Place};

use crate::catalogue::Column;

/// The segment that heads a file.
pub(crate) const HEADER: &str = "ELG00001";
const NOTATION: &str = "state_notation";

/// Elements of columns that only the dictionary's fourth version has, by the start of their names.
const LATER_ELEMENTS: [(&str, &str); 4] = [
    ("eligibility_redetermination", "eligibility"),
    ("eligibility_extension", "eligibility"),
    ("continuous_eligibility", "eligibility"),
    ("income_standard", "income"),
];

/// Both versions of the layout, and the tables they fill.
pub struct Dictionary {
    /// Versions 2 and 3.
    third: Layout,
    /// Version 4.
    fourth: Layout,
    /// The tables, by segment.
    tables: Vec<SegmentTable>,
    states: BTreeSet<String>,
}

/// A version of the layout: the segments by the number in their name.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    segments: BTreeMap<u8, Segment>,
}

/// The fields of a segment in the order of a pipe-delimited line.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    /// Position of the segment's table.
    pub(crate) table: usize,
    pub(crate) fields: Vec<Field>,
    /// The fewest fields of a pipe-delimited line: all up to the state's notes.
    pub(crate) required: usize,
    /// The fewest bytes of a fixed-length line.
    pub(crate) least_bytes: usize,
    /// The most bytes of a fixed-length line other than spaces, where all positions are known.
    pub(crate) most_bytes: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) is_date: bool,
    /// The most characters of a free text.
    pub(crate) most_chars: Option<usize>,
    /// The bytes of a fixed-length line.
    pub(crate) position: Option<(usize, usize)>,
    /// The column of the segment's table.
    pub(crate) column: usize,
}

/// The table that a segment fills, whichever version its lines come in.
pub(crate) struct SegmentTable {
    pub(crate) name: String,
    pub(crate) columns: Vec<SegmentColumn>,
}

pub(crate) struct SegmentColumn {
    pub(crate) column: Column,
    /// Its values are codes of a short list.
    pub(crate) is_code: bool,
    /// Only the fourth version has it.
    pub(crate) is_later: bool,
    number: String,
}

#[derive(serde::Deserialize)]
struct LayoutRow {
    segment_id: String,
    de_number: String,
    element_name: String,
    max_len: Option<usize>,
    #[serde(rename = "type")]
    class: String,
}

#[derive(serde::Deserialize)]
struct ElementRow {
    segment_id: String,
    element_name: String,
    element: String,
    key: u8,
}

#[derive(serde::Deserialize)]
struct PositionRow {
    dd_version: String,
    segment_id: String,
    element_name: String,
    flf_start: Option<usize>,
    flf_stop: Option<usize>,
}

#[derive(serde::Deserialize)]
struct CodeRow {
    code_set: String,
    code: String,
}

type Elements = BTreeMap<(String, String), (String, bool)>;
type Positions = BTreeMap<(String, String), (usize, usize)>;

impl Dictionary {
    /// Reads the tables that are compiled in.
    pub fn load() -> Result<Self, Fault> {
        let elements = elements()?;
        let mut tables = Vec::new();
        let third = Layout::build(
            &rows(
                "eligible_layout.csv",
                include_str!("../tmsis/eligible_layout.csv"),
            )?,
            &positions("v3")?,
            &elements,
            &mut tables,
            false,
        );
        let fourth = Layout::build(
            &rows(
                "eligible_layout_v4.csv",
                include_str!("../tmsis/eligible_layout_v4.csv"),
            )?,
            &positions("v4")?,
            &elements,
            &mut tables,
            true,
        );
        let codes: Vec<CodeRow> = rows("codes.csv", include_str!("../tmsis/codes.csv"))?;
        let states = codes
            .into_iter()
            .filter(|row| row.code_set == "SUBMITTING-STATE")
            .map(|row| row.code)
            .collect();
        Ok(Self {
            third,
            fourth,
            tables,
            states,
        })
    }

    /// The layout of a version, by its major number.
    pub(crate) fn layout(&self, major: u32) -> Option<&Layout> {
        match major {
            2 | 3 => Some(&self.third),
            4 => Some(&self.fourth),
            _ => None,
        }
    }

    pub(crate) fn tables(&self) -> &[SegmentTable] {
        &self.tables
    }

    /// Whether `code` is a submitting state.
    pub(crate) fn is_state(&self, code: &str) -> bool {
        self.states.contains(code)
    }

    /// The column that an element of the dictionary fills, under whichever of its names.
    pub(crate) fn column(&self, segment: &str, element_name: &str) -> Option<&Column> {
        let table = self.tables.iter().find(|table| table.name == segment)?;
        let name = snake_case(element_name);
        let layout = self.fourth.segment(segment)?;
        let at = match layout.fields.iter().find(|field| field.name == name) {
            Some(field) => field.column,
            None => table.columns.iter().position(|c| c.column.name == name)?,
        };
        table.columns.get(at).map(|found| &found.column)
    }
}

impl Layout {
    fn build(
        rows: &[LayoutRow],
        positions: &Positions,
        elements: &Elements,
        tables: &mut Vec<SegmentTable>,
        is_later: bool,
    ) -> Self {
        let mut layout = Self::default();
        for row in rows {
            let Some(number) = segment_number(row.segment_id.as_bytes()) else {
                continue;
            };
            let table = table_of(tables, &row.segment_id);
            let segment = layout.segments.entry(number).or_default();
            segment.table = table;
            let key = (row.segment_id.clone(), row.element_name.clone());
            let Some(table) = tables.get_mut(table) else {
                continue;
            };
            segment.fields.push(Field {
                name: snake_case(&row.element_name),
                is_date: row.class == "date",
                most_chars: row
                    .max_len
                    .filter(|_| row.class == "text" || row.class == "code"),
                position: positions.get(&key).copied(),
                column: table.column_of(row, elements, is_later),
            });
        }
        for segment in layout.segments.values_mut() {
            segment.measure();
        }
        layout
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.values()
    }

    /// The segment called `id`.
    pub(crate) fn segment(&self, id: &str) -> Option<&Segment> {
        self.segments.get(&segment_number(id.as_bytes())?)
    }

    /// The segment that a record id names.
    pub(crate) fn segment_of(&self, record_id: &[u8]) -> Option<&Segment> {
        self.segments.get(&segment_number(record_id)?)
    }
}

impl Segment {
    fn measure(&mut self) {
        let notation = self.fields.iter().position(|field| field.name == NOTATION);
        self.required = notation.map_or(self.fields.len(), |at| at + 1);
        let before = self.fields.iter().take(self.required.saturating_sub(1));
        let stop = |field: &Field| field.position.map(|(_, stop)| stop);
        self.least_bytes = before.filter_map(stop).max().unwrap_or_default();
        let all_known = self.fields.iter().all(|field| field.position.is_some());
        self.most_bytes = all_known
            .then(|| self.fields.iter().filter_map(stop).max())
            .flatten();
    }

    /// The position of a field.
    pub(crate) fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

impl SegmentTable {
    /// The column of a field; names that mean the same element share one.
    fn column_of(&mut self, row: &LayoutRow, elements: &Elements, is_later: bool) -> usize {
        let name = snake_case(&row.element_name);
        let same = |known: &SegmentColumn| {
            known.column.name == name
                || (!row.de_number.is_empty() && known.number == row.de_number)
        };
        if let Some(at) = self.columns.iter().position(same) {
            return at;
        }
        let known = elements.get(&(row.segment_id.clone(), row.element_name.clone()));
        let (element, key) = match known {
            Some((element, key)) => (Some(element.as_str()), *key),
            None => (later_element(&name), false),
        };
        let mut column = Column::plain(&name, element, key);
        column.role = role(&name, row.class == "code");
        self.columns.push(SegmentColumn {
            column,
            is_code: row.class == "code",
            is_later,
            number: row.de_number.clone(),
        });
        self.columns.len() - 1
    }
}

/// What a column can play in a classification: a coded field plays the input of its name.
fn role(name: &str, is_code: bool) -> Option<String> {
    match name {
        "msis_case_num" => Some("case_num".to_owned()),
        "record_id" | "submitting_state" => None,
        _ => is_code.then(|| name.to_owned()),
    }
}

fn later_element(name: &str) -> Option<&'static str> {
    LATER_ELEMENTS
        .iter()
        .find(|(start, _)| name.starts_with(start))
        .map(|(_, element)| *element)
}

fn table_of(tables: &mut Vec<SegmentTable>, name: &str) -> usize {
    if let Some(at) = tables.iter().position(|table| table.name == name) {
        return at;
    }
    tables.push(SegmentTable {
        name: name.to_owned(),
        columns: Vec::new(),
    });
    tables.len() - 1
}

/// `1115A-EFF-DATE` → `1115a_eff_date`.
pub(crate) fn snake_case(element_name: &str) -> String {
    element_name.to_ascii_lowercase().replace('-', "_")
}

/// `ELG00021` → 21.
fn segment_number(record_id: &[u8]) -> Option<u8> {
    let digits = record_id.strip_prefix(b"ELG000")?;
    match digits {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

fn elements() -> Result<Elements, Fault> {
    let listed: Vec<ElementRow> = rows("elements.csv", include_str!("../tmsis/elements.csv"))?;
    Ok(listed
        .into_iter()
        .map(|row| {
            (
                (row.segment_id, row.element_name),
                (row.element, row.key == 1),
            )
        })
        .collect())
}

fn positions(version: &str) -> Result<Positions, Fault> {
    let listed: Vec<PositionRow> = rows(
        "flf_positions.csv",
        include_str!("../tmsis/flf_positions.csv"),
    )?;
    let known = |row: PositionRow| {
        let span = (row.flf_start?.checked_sub(1)?, row.flf_stop?);
        (row.dd_version == version).then_some(((row.segment_id, row.element_name), span))
    };
    Ok(listed.into_iter().filter_map(known).collect())
}

/// The rows of a table that is compiled in.
pub(crate) fn rows<T: serde::de::DeserializeOwned>(
    file: &str,
    text: &str,
) -> Result<Vec<T>, Fault> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .enumerate()
        .map(|(at, row)| {
            row.map_err(|_| Fault::new(Place::line(file, at + 2), "not a row of this table"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_element_share_a_column() {
        let dictionary = Dictionary::load().unwrap();
        let column = dictionary
            .column("ELG00005", "ELIGIBILITY-TERMINATION-REASON")
            .unwrap();
        assert_eq!(column.name, "eligibility_change_reason");
        let column = dictionary
            .column("ELG00003", "PREFERRED-LANGUAGE-CODE")
            .unwrap();
        assert_eq!(column.name, "primary_language_code");
        assert_eq!(column.element.as_deref(), Some("language"));
    }

    #[test]
    fn later_columns_are_appended_and_mapped() {
        let dictionary = Dictionary::load().unwrap();
        let table = &dictionary.tables()[4];
        assert_eq!(table.name, "ELG00005");
        assert_eq!(table.columns.iter().filter(|c| c.is_later).count(), 7);
        assert!(table.columns[..23].iter().all(|c| !c.is_later));
        assert!(
            dictionary
                .tables()
                .iter()
                .flat_map(|table| &table.columns)
                .all(|column| column.column.element.is_some())
        );
        assert_eq!(table.columns[28].column.element.as_deref(), Some("income"));
    }

    #[test]
    fn every_third_version_field_but_two_has_a_position() {
        let dictionary = Dictionary::load().unwrap();
        let layout = dictionary.layout(3).unwrap();
        let unplaced: Vec<_> = layout
            .segments
            .values()
            .flat_map(|segment| &segment.fields)
            .filter(|field| field.position.is_none())
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(
            unplaced,
            [
                "eligible_federal_poverty_level_percentage",
                "locked_in_srvcs"
            ]
        );
        assert_eq!(layout.segment("ELG00003").unwrap().least_bytes, 166);
    }
}
