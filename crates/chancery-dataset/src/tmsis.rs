//! The lines of a T-MSIS Eligible file: the header, the check of every other line, and whom a bad
//! line is about. Nothing here does I/O.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chancery_model::{Fault, Place};

use crate::Error;
use crate::dictionary::{Dictionary, HEADER, Layout, Segment};
use crate::lines::{Line, Lines, TakesLines};
use crate::quarantine::{About, BadLine, Part, Reason, is_unprintable, strip};

const ID: &str = "msis_identification_num";
const STATE: &str = "submitting_state";
const CASE: &str = "msis_case_num";
/// The segment that has the case number.
const CASES: &[u8] = b"ELG00005";

/// How the fields of a line are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `PSV`: by the character `|`.
    Delimited,
    /// `FLF`: by their positions.
    Fixed,
}

/// What the first line of a file says about the rest.
pub(crate) struct Header<'d> {
    pub(crate) major: u32,
    pub(crate) state: String,
    encoding: Encoding,
    layout: &'d Layout,
}

/// The bytes of one field within a line, without the spaces around its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// The value in `line`; an empty field has none.
    pub(crate) fn of(self, line: &str) -> Option<&str> {
        line.get(self.start..self.end)
            .filter(|value| !value.is_empty())
    }
}

/// Reads the first line of a file.
///
/// # Errors
///
/// The field that shows that the file is no Eligible file of a version this crate knows.
pub(crate) fn header<'d>(
    dictionary: &'d Dictionary,
    file: &str,
    line: &[u8],
) -> Result<Header<'d>, Fault> {
    let fault = |field: &str, problem: &str| {
        Fault::new(Place::line(file, 1), problem)
            .field(field)
            .hint("`--kind tmsis` takes T-MSIS Eligible files, whose first line is ELG00001")
    };
    let line = std::str::from_utf8(trim_line(line))
        .map_err(|_| fault("RECORD-ID", "the first line is not UTF-8"))?;
    if !line.starts_with(HEADER) {
        return Err(fault(
            "RECORD-ID",
            "the first line is not the header `ELG00001`",
        ));
    }
    let is_delimited = line.as_bytes().get(HEADER.len()) == Some(&b'|');
    let field = |delimited: usize, fixed: std::ops::Range<usize>| {
        let value = if is_delimited {
            line.split('|').nth(delimited)
        } else {
            line.get(fixed)
        };
        value.unwrap_or_default().trim_matches(' ')
    };
    let version = field(1, 8..18);
    let Some((major, layout)) = major(version).and_then(|m| Some((m, dictionary.layout(m)?)))
    else {
        return Err(fault(
            "DATA-DICTIONARY-VERSION",
            "expected version 2, 3 or 4 of the data dictionary",
        ));
    };
    let encoding = match (field(3, 19..22), is_delimited) {
        ("PSV", true) => Encoding::Delimited,
        ("FLF", false) => Encoding::Fixed,
        _ => {
            return Err(fault(
                "FILE-ENCODING-SPECIFICATION",
                "expected `PSV` before delimited lines or `FLF` before fixed-length lines",
            ));
        }
    };
    if field(5, 31..39) != "ELIGIBLE" {
        return Err(fault("FILE-NAME", "expected `ELIGIBLE`"));
    }
    let state = field(6, 39..41);
    if !dictionary.is_state(state) {
        return Err(fault(
            "SUBMITTING-STATE",
            "expected the code of a submitting state",
        ));
    }
    Ok(Header {
        major,
        state: state.to_owned(),
        encoding,
        layout,
    })
}

/// `V3.0.0` → 3.
fn major(version: &str) -> Option<u32> {
    let digits = version.strip_prefix(['v', 'V']).unwrap_or(version);
    digits.split('.').next()?.parse().ok()
}

/// Checks the lines of one file and finds their fields.
pub(crate) struct Scanner<'d> {
    dictionary: &'d Dictionary,
    header: &'d Header<'d>,
    fold: &'d dyn Fn(&str) -> String,
    /// The origin that the header's state stands for.
    origin: String,
    /// The number of fields of a delimited line, by the position of its segment's table.
    counts: BTreeMap<usize, usize>,
    /// The fields that are compared with codes or with other people's, likewise.
    compared: BTreeMap<usize, Vec<usize>>,
    spans: Vec<Span>,
    bars: Vec<usize>,
}

/// A good line.
pub(crate) struct Row<'s> {
    pub(crate) segment: &'s Segment,
    /// One span per field of the segment.
    pub(crate) spans: &'s [Span],
}

impl<'d> Scanner<'d> {
    pub(crate) fn new(
        dictionary: &'d Dictionary,
        header: &'d Header<'d>,
        fold: &'d dyn Fn(&str) -> String,
        plays: &dyn Fn(&str) -> bool,
    ) -> Self {
        let compared = |segment: &Segment| {
            let columns = dictionary.tables().get(segment.table).map(|t| &t.columns);
            let role = |at: usize| columns?.get(at)?.column.role.as_deref();
            let fields = segment.fields.iter().enumerate();
            let wanted = fields.filter(|(_, field)| {
                [ID, STATE].contains(&field.name.as_str()) || role(field.column).is_some_and(plays)
            });
            (segment.table, wanted.map(|(at, _)| at).collect())
        };
        Self {
            compared: header.layout.segments().map(compared).collect(),
            dictionary,
            header,
            fold,
            origin: fold(&header.state),
            counts: BTreeMap::new(),
            spans: Vec::new(),
            bars: Vec::new(),
        }
    }

    /// Settles how many fields the lines of a segment have: as many as most of those lines have in
    /// the content where the segment first appears. A stray `|` makes another number, and the
    /// fields after it would be taken for their neighbours.
    pub(crate) fn ahead(&mut self, content: &[u8]) {
        if self.header.encoding == Encoding::Fixed {
            return;
        }
        let mut tallies: BTreeMap<usize, BTreeMap<usize, u64>> = BTreeMap::new();
        let mut start = 0;
        while start < content.len() {
            let rest = content.get(start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = trim_line(rest.get(..end).unwrap_or_default());
            start += end + 1;
            let Some(segment) = self.header.layout.segment_of(self.record_id(line)) else {
                continue;
            };
            if !self.counts.contains_key(&segment.table)
                && let Some(count) = count_fields(line, segment)
            {
                let tally = tallies.entry(segment.table).or_default();
                *tally.entry(count).or_default() += 1;
            }
        }
        for (table, tally) in tallies {
            let most = tally.iter().rev().max_by_key(|(_, lines)| **lines);
            if let Some((count, _)) = most {
                self.counts.insert(table, *count);
            }
        }
    }

    /// The fields of line number `number`, or what is wrong with it.
    ///
    /// `ended` is false for a last line without an end: if anything is wrong with that one, it
    /// was cut off.
    pub(crate) fn line(
        &mut self,
        line: &str,
        number: u64,
        ended: bool,
    ) -> Result<Row<'_>, BadLine> {
        match self.check(line, number) {
            Ok(segment) => Ok(Row {
                segment,
                spans: &self.spans,
            }),
            Err((field, reason)) => {
                let reason = if ended { reason } else { Reason::Truncated };
                Err(self.bad(line.as_bytes(), number, field, reason))
            }
        }
    }

    /// A line that is bad whatever its fields.
    pub(crate) fn refuse(&self, line: &[u8], number: u64, ended: bool, reason: Reason) -> BadLine {
        let reason = if ended { reason } else { Reason::Truncated };
        self.bad(line, number, Cow::Borrowed(""), reason)
    }

    fn check(&mut self, line: &str, number: u64) -> Result<&'d Segment, (Cow<'d, str>, Reason)> {
        let record_id = self.record_id(line.as_bytes());
        let Some(segment) = self.header.layout.segment_of(record_id) else {
            return Err((Cow::Borrowed("record_id"), Reason::UnknownRecord));
        };
        let is_header = record_id == HEADER.as_bytes();
        if is_header && number > 1 {
            return Err((Cow::Borrowed("record_id"), Reason::SecondHeader));
        }
        let fits = match self.header.encoding {
            Encoding::Delimited => self.split(line, segment),
            Encoding::Fixed => self.slice(line, segment),
        };
        if !fits {
            return Err((Cow::Borrowed(""), Reason::FieldCount));
        }
        if !is_header {
            if is_unprintable(line) {
                self.check_printable(line, segment)?;
            }
            self.check_key(line)?;
        }
        for (field, span) in segment.fields.iter().zip(&self.spans) {
            if field.is_date && !span.of(line).is_none_or(is_date) {
                return Err((Cow::Borrowed(&field.name), Reason::Date));
            }
            if let Some(most) = field.most_chars
                && span.end - span.start > most
                && span
                    .of(line)
                    .is_some_and(|text| text.chars().count() > most && !is_filled(text.as_bytes()))
            {
                return Err((Cow::Borrowed(&field.name), Reason::TooWide));
            }
        }
        Ok(segment)
    }

    fn check_printable(
        &self,
        line: &str,
        segment: &'d Segment,
    ) -> Result<(), (Cow<'d, str>, Reason)> {
        let compared = self.compared.get(&segment.table);
        for at in compared.into_iter().flatten() {
            let value = self.spans.get(*at).and_then(|span| span.of(line));
            if value.is_some_and(is_unprintable) {
                let name = segment.fields.get(*at).map_or("", |field| &field.name);
                return Err((Cow::Borrowed(name), Reason::Unprintable));
            }
        }
        Ok(())
    }

    /// Every segment but the header has the state in its second field and the id in its fourth.
    fn check_key(&self, line: &str) -> Result<(), (Cow<'d, str>, Reason)> {
        let value = |at: usize| self.spans.get(at).and_then(|span| span.of(line));
        if value(3).is_none() {
            return Err((Cow::Borrowed(ID), Reason::MissingId));
        }
        match value(1) {
            Some(state) if state == self.header.state => Ok(()),
            Some(state) if self.dictionary.is_state(state) => {
                if (self.fold)(state) == self.origin {
                    return Ok(());
                }
                Err((Cow::Borrowed(STATE), Reason::OtherState))
            }
            _ => Err((Cow::Borrowed(STATE), Reason::UnknownState)),
        }
    }

    fn record_id<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        let end = match self.header.encoding {
            Encoding::Delimited => memchr::memchr(b'|', line).unwrap_or(line.len()),
            Encoding::Fixed => HEADER.len().min(line.len()),
        };
        line.get(..end).unwrap_or_default().trim_ascii_end()
    }

    /// Finds the fields of a delimited line; false if their number is wrong.
    fn split(&mut self, line: &str, segment: &Segment) -> bool {
        let bytes = line.as_bytes();
        self.bars.clear();
        self.bars.extend(memchr::memchr_iter(b'|', bytes));
        let count = self.bars.len() + 1;
        let settled = self.counts.get(&segment.table);
        if count < segment.required || settled.is_some_and(|settled| *settled != count) {
            return false;
        }
        self.spans.clear();
        let mut start = 0;
        for end in self.bars.iter().copied().chain([bytes.len()]) {
            let span = trim(bytes, start, end);
            if self.spans.len() == segment.fields.len() {
                if span.start < span.end {
                    return false;
                }
            } else {
                self.spans.push(span);
            }
            start = end + 1;
        }
        self.spans.resize(segment.fields.len(), Span::default());
        true
    }

    /// Finds the fields of a fixed-length line; false if its length is wrong.
    fn slice(&mut self, line: &str, segment: &Segment) -> bool {
        let bytes = line.as_bytes();
        let Some(boundaries) = Boundaries::of(line, segment) else {
            return false;
        };
        self.spans.clear();
        for field in &segment.fields {
            let span = field.position.map_or_else(Span::default, |(start, stop)| {
                trim(bytes, boundaries.byte(start), boundaries.byte(stop))
            });
            self.spans.push(span);
        }
        true
    }

    fn bad(&self, line: &[u8], number: u64, field: Cow<'_, str>, reason: Reason) -> BadLine {
        BadLine {
            line: number,
            field: field.into_owned(),
            reason,
            about: self.about(line),
        }
    }

    /// Whom a bad line is about, as far as anything can be told from its bytes.
    fn about(&self, line: &[u8]) -> About {
        let record_id = self.record_id(line);
        if record_id == HEADER.as_bytes() {
            return About::default();
        }
        let parts = |field: Option<(&[u8], bool)>| {
            field.map_or_else(Vec::new, |(value, is_whole)| {
                Part::spellings(value, !is_whole)
            })
        };
        let other_origin = self
            .raw_field(line, 1, 8..10)
            .map(|(state, _)| String::from_utf8_lossy(state))
            .map(|state| strip(&state).to_owned())
            .filter(|state| self.dictionary.is_state(state))
            .map(|state| (self.fold)(&state))
            .filter(|origin| *origin != self.origin);
        About {
            ids: parts(self.raw_field(line, 3, 21..41)),
            other_origin,
            groups: parts(self.case(record_id, line)),
        }
    }

    /// The case number on a bad line of the segment that has one: it still says who lives with
    /// whom.
    fn case<'l>(&self, record_id: &[u8], line: &'l [u8]) -> Option<(&'l [u8], bool)> {
        if !record_id.trim_ascii().eq_ignore_ascii_case(CASES) {
            return None;
        }
        let segment = self.header.layout.segment_of(CASES)?;
        let at = segment.field(CASE)?;
        let (start, stop) = segment.fields.get(at)?.position?;
        self.raw_field(line, at, start..stop)
    }

    /// The bytes of a field of a line that is not known to be whole, and whether the field is.
    fn raw_field<'l>(
        &self,
        line: &'l [u8],
        at: usize,
        fixed: std::ops::Range<usize>,
    ) -> Option<(&'l [u8], bool)> {
        match self.header.encoding {
            Encoding::Delimited => {
                let mut fields = line.split(|byte| *byte == b'|').skip(at);
                let field = fields.next()?;
                Some((field, fields.next().is_some()))
            }
            Encoding::Fixed => match line.get(fixed.clone()) {
                Some(field) => Some((field, true)),
                None => Some((line.get(fixed.start..)?, false)),
            },
        }
    }
}

/// Where the positions of a fixed-length line fall in its bytes.
///
/// The layout counts bytes of a file that has one per character. A line with other characters is
/// taken only if its length shows which of the two its writer counted.
enum Boundaries {
    Bytes,
    Characters(Vec<usize>),
}

impl Boundaries {
    fn of(line: &str, segment: &Segment) -> Option<Self> {
        let bytes = line.trim_end_matches(' ').len();
        let fits = |length: usize, used: usize| {
            length >= segment.least_bytes && segment.most_bytes.is_none_or(|most| used <= most)
        };
        if line.is_ascii() {
            return fits(line.len(), bytes).then_some(Self::Bytes);
        }
        let characters = line.chars().count();
        match segment.most_bytes {
            Some(most) if characters == most => {
                let mut starts: Vec<usize> = line.char_indices().map(|(at, _)| at).collect();
                starts.push(line.len());
                Some(Self::Characters(starts))
            }
            Some(most) if line.len() == most => {
                let whole = segment
                    .fields
                    .iter()
                    .filter_map(|field| field.position)
                    .all(|(start, stop)| {
                        line.is_char_boundary(start) && line.is_char_boundary(stop)
                    });
                whole.then_some(Self::Bytes)
            }
            _ => None,
        }
    }

    fn byte(&self, position: usize) -> usize {
        match self {
            Self::Bytes => position,
            Self::Characters(starts) => starts
                .get(position)
                .or(starts.last())
                .copied()
                .unwrap_or_default(),
        }
    }
}

/// The number of fields of a delimited line, if the segment may have so many: none is missing, and
/// those that it does not have are empty.
fn count_fields(line: &[u8], segment: &Segment) -> Option<usize> {
    let mut fields = line.split(|byte| *byte == b'|');
    let known = fields.by_ref().take(segment.fields.len()).count();
    let mut count = known;
    for field in fields {
        if field.iter().any(|byte| *byte != b' ') {
            return None;
        }
        count += 1;
    }
    (known >= segment.required).then_some(count)
}

/// The span `start..end` of `bytes` without the spaces at either end.
fn trim(bytes: &[u8], start: usize, end: usize) -> Span {
    let start = start.min(bytes.len());
    let end = end.min(bytes.len());
    let field = bytes.get(start..end).unwrap_or_default();
    let left = field.iter().take_while(|byte| **byte == b' ').count();
    if left == field.len() {
        return Span::default();
    }
    let right = field.iter().rev().take_while(|byte| **byte == b' ').count();
    Span {
        start: start + left,
        end: end - right,
    }
}

/// A line without the carriage returns at its end.
pub(crate) fn trim_line(line: &[u8]) -> &[u8] {
    let mut line = line;
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line
}

/// Whether a date field's value is a day, or one of the fillings that stand for none.
fn is_date(value: &str) -> bool {
    let bytes = value.as_bytes();
    is_day(bytes) || is_filled(bytes)
}

/// Whether a value is nothing but 8s or nothing but 9s, which T-MSIS writes for "not applicable"
/// and "unknown".
pub(crate) fn is_filled(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b'8') || bytes.iter().all(|byte| *byte == b'9')
}

fn is_day(bytes: &[u8]) -> bool {
    if bytes.len() != 8 || !bytes.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = bytes
        .iter()
        .fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

/// What reading a whole file in memory found: the entry point of fuzzers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Good lines.
    pub rows: u64,
    /// Bad lines: their numbers, fields and reasons.
    pub bad: Vec<(u64, String, String)>,
}

/// Reads `file`, the bytes of an Eligible file, without writing anything.
///
/// # Errors
///
/// A [`Fault`] if the first line heads no Eligible file.
pub fn scan(dictionary: &Dictionary, file: &[u8]) -> Result<Scan, Fault> {
    let first = file.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header = header(dictionary, "file", first)?;
    let fold = |state: &str| state.to_owned();
    let mut scan = Scanning {
        scanner: Scanner::new(dictionary, &header, &fold, &|_| true),
        found: Scan::default(),
    };
    match Lines::default().block(file, &mut scan) {
        Ok(()) => Ok(scan.found),
        Err(error) => Err(Fault::new(Place::file("file"), error.to_string())),
    }
}

struct Scanning<'s> {
    scanner: Scanner<'s>,
    found: Scan,
}

impl TakesLines for Scanning<'_> {
    fn ahead(&mut self, content: &[u8]) {
        self.scanner.ahead(content);
    }

    fn line(&mut self, line: Line<'_>, number: u64, ended: bool) -> Result<(), Error> {
        match check(&mut self.scanner, line, number, ended) {
            Ok(_) => self.found.rows += 1,
            Err(bad) => {
                let bad = (bad.line, bad.field, bad.reason.to_string());
                self.found.bad.push(bad);
            }
        }
        Ok(())
    }
}

/// Checks a line in whatever encoding it comes.
pub(crate) fn check<'s>(
    scanner: &'s mut Scanner<'_>,
    line: Line<'_>,
    number: u64,
    ended: bool,
) -> Result<Row<'s>, BadLine> {
    match line {
        Line::Text(text) => scanner.line(text, number, ended),
        Line::Bytes(bytes) => Err(scanner.refuse(bytes, number, ended, Reason::Encoding)),
        Line::Long(bytes) => Err(scanner.refuse(bytes, number, ended, Reason::TooLong)),
    }
}
