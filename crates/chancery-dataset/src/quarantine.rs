//! Lines that are left out of a dataset, and the people they are about.
//!
//! A person with a bad line could be anybody the line does not say, so every attribute of theirs
//! is unknown. Their ids are kept in a file of their own and named nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::columnar::{self, TableWriter};
use crate::{Error, QuarantineSummary, store};

const FILE: &str = "quarantined_subjects.parquet";
/// No id or group key is longer.
const MOST_BYTES: usize = 1 << 10;
/// In place of an origin: all of them.
pub(crate) const EVERYWHERE: &str = "";

/// Why a line is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    FieldCount,
    Date,
    UnknownRecord,
    Encoding,
    Truncated,
    MissingId,
    UnknownState,
    OtherState,
    SecondHeader,
    TooLong,
    TooWide,
    Unprintable,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FieldCount => "wrong field count",
            Self::Date => "bad date",
            Self::UnknownRecord => "unknown record id",
            Self::Encoding => "invalid UTF-8",
            Self::Truncated => "truncated last line",
            Self::MissingId => "missing id",
            Self::UnknownState => "unknown submitting state",
            Self::OtherState => "submitting state differs from the header",
            Self::SecondHeader => "second header",
            Self::TooLong => "line too long",
            Self::TooWide => "value longer than its field",
            Self::Unprintable => "character that no code or id has",
        })
    }
}

/// A line that is left out. It names a field and a reason, and holds no value but whom it is
/// about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    pub(crate) line: u64,
    pub(crate) field: String,
    pub(crate) reason: Reason,
    pub(crate) about: About,
}

/// The people whom a bad line may be about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// Their ids; none if the line does not say.
    pub(crate) ids: Vec<Part>,
    /// The line names another origin than its file.
    pub(crate) other_origin: Option<String>,
    /// The groups (case numbers) that the line puts somebody in.
    pub(crate) groups: Vec<Part>,
}

/// A value, or the start of one that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) is_prefix: bool,
}

impl Part {
    /// A value as it stands, and without the odd characters around it.
    pub(crate) fn spellings(bytes: &[u8], is_prefix: bool) -> Vec<Self> {
        if bytes.len() > MOST_BYTES {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(bytes);
        let whole = columnar::trim(&text);
        let mut found = vec![whole, strip(whole)];
        found.dedup();
        // Bytes that are no text are nobody's id.
        found.retain(|text| !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER));
        let part = |text: &str| Self {
            text: text.to_owned(),
            is_prefix,
        };
        found.into_iter().map(part).collect()
    }
}

/// A value without control characters, white space and broken text at its ends.
pub(crate) fn strip(value: &str) -> &str {
    value.trim_matches(|c: char| {
        c.is_control() || c.is_whitespace() || c == char::REPLACEMENT_CHARACTER
    })
}

/// Whether a value has a character that cannot be compared safely: two spellings that look the
/// same would be two people, or no code.
pub(crate) fn is_unprintable(value: &str) -> bool {
    // Without an early end the compiler checks many bytes at a time.
    let odd = |odd: bool, byte: u8| odd | !matches!(byte, 0x20..=0x7e);
    value.bytes().fold(false, odd)
}

/// Somebody of whom nothing can be trusted, or a group that such a person is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quarantined {
    pub(crate) origin: String,
    pub(crate) id: Option<String>,
    /// The id, or the group if there is no id, is only the start of one.
    pub(crate) is_prefix: bool,
    pub(crate) group: Option<String>,
}

impl About {
    /// What cannot be trusted of an origin.
    pub(crate) fn of(&self, origin: &str) -> impl Iterator<Item = Quarantined> {
        let one = |part: &Part, id, group| Quarantined {
            origin: origin.to_owned(),
            id,
            is_prefix: part.is_prefix,
            group,
        };
        let ids = self.ids.iter();
        let ids = ids.map(move |part| one(part, Some(part.text.clone()), None));
        let groups = self.groups.iter();
        ids.chain(groups.map(move |part| one(part, None, Some(part.text.clone()))))
    }
}

/// What one source file, or all of them, left out.
#[derive(Default)]
pub(crate) struct Quarantine {
    pub(crate) summary: QuarantineSummary,
    pub(crate) subjects: BTreeSet<Quarantined>,
}

impl Quarantine {
    /// Counts a bad line of a file with the given origin.
    pub(crate) fn add(&mut self, origin: &str, bad: &BadLine) {
        self.summary.lines += 1;
        let reasons = &mut self.summary.by_reason;
        *reasons.entry(bad.reason.to_string()).or_default() += 1;
        if bad.about.ids.is_empty() {
            self.summary.unattributed += 1;
        }
        self.distrust(origin, &bad.about);
        if let Some(other) = &bad.about.other_origin {
            self.distrust(other, &bad.about);
        }
    }

    /// Notes the people of an origin whom a bad line may be about.
    fn distrust(&mut self, origin: &str, about: &About) {
        self.subjects.extend(about.of(origin));
    }

    /// Adds what another file left out.
    pub(crate) fn merge(&mut self, other: Self) {
        self.summary.lines += other.summary.lines;
        self.summary.unattributed += other.summary.unattributed;
        for (reason, lines) in other.summary.by_reason {
            *self.summary.by_reason.entry(reason).or_default() += lines;
        }
        self.subjects.extend(other.subjects);
    }

    /// Writes the ids where only the classification reads them.
    pub(crate) fn save(&self, dir: &Path) -> Result<(), Error> {
        if self.subjects.is_empty() {
            return Ok(());
        }
        let column = |name: &str, kind: DataType| Field::new(name, kind, true);
        let schema = Arc::new(Schema::new(vec![
            column("origin", DataType::Utf8),
            column("id", DataType::Utf8),
            column("is_prefix", DataType::Boolean),
            column("group", DataType::Utf8),
        ]));
        let all: Vec<&Quarantined> = self.subjects.iter().collect();
        let text = |of: fn(&Quarantined) -> Option<&str>| {
            Arc::new(all.iter().map(|who| of(who)).collect::<StringArray>())
        };
        let prefixes: BooleanArray = all.iter().map(|who| Some(who.is_prefix)).collect();
        let path = dir.join(FILE);
        let mut writer = TableWriter::create(&path, schema.clone(), &[])?;
        let batch = RecordBatch::try_new(
            schema,
            vec![
                text(|who| Some(&who.origin)),
                text(|who| who.id.as_deref()),
                Arc::new(prefixes),
                text(|who| who.group.as_deref()),
            ],
        );
        writer.write(&batch.map_err(|_| columnar::misbuilt(&path))?)?;
        writer.finish().map(|_| ())
    }
}

/// The people of whom nothing can be trusted, by origin.
pub(crate) fn load(dir: &Path) -> Result<BTreeMap<String, Vec<Quarantined>>, Error> {
    let path = dir.join(FILE);
    let mut by_origin: BTreeMap<String, Vec<Quarantined>> = BTreeMap::new();
    if !path.exists() {
        return Ok(by_origin);
    }
    let damaged = || Error::Damaged {
        file: path.display().to_string(),
        problem: "not the list of quarantined people",
    };
    for batch in columnar::read_all(&path)? {
        let batch = batch?;
        let text = |at: usize| {
            batch
                .columns()
                .get(at)
                .and_then(|c| c.as_string_opt::<i32>())
        };
        let (Some(origins), Some(ids), Some(groups)) = (text(0), text(1), text(3)) else {
            return Err(damaged());
        };
        let prefixes = batch.columns().get(2).and_then(|c| c.as_boolean_opt());
        let prefixes = prefixes.ok_or_else(damaged)?;
        for at in 0..batch.num_rows() {
            let who = Quarantined {
                origin: origins.value(at).to_owned(),
                id: ids.is_valid(at).then(|| ids.value(at).to_owned()),
                is_prefix: prefixes.value(at),
                group: groups.is_valid(at).then(|| groups.value(at).to_owned()),
            };
            by_origin.entry(who.origin.clone()).or_default().push(who);
        }
    }
    Ok(by_origin)
}

/// The list of bad lines of one source file, created with its first.
pub(crate) struct Report {
    path: PathBuf,
    writer: Option<csv::Writer<File>>,
}

impl Report {
    pub(crate) fn new(dir: &Path, source: usize) -> Self {
        Self {
            path: dir.join(format!(".quarantine-{source}.csv")),
            writer: None,
        }
    }

    pub(crate) fn add(&mut self, file: &str, bad: &BadLine) -> Result<(), Error> {
        if self.writer.is_none() {
            let file = store::create_file(&self.path)?;
            self.writer = Some(csv::Writer::from_writer(file));
        }
        let (line, reason) = (bad.line.to_string(), bad.reason.to_string());
        let row = [file, &line, &bad.field, &reason];
        match &mut self.writer {
            Some(writer) => writer
                .write_record(row)
                .map_err(|error| Error::io(&self.path, "write", std::io::Error::other(error))),
            None => Ok(()),
        }
    }

    pub(crate) fn finish(self) -> Result<(), Error> {
        let Some(mut writer) = self.writer else {
            return Ok(());
        };
        writer
            .flush()
            .map_err(|error| Error::io(&self.path, "write", error))
    }
}

/// Joins the lists of all sources, in their order, to `quarantine.csv`.
pub(crate) fn join_reports(dir: &Path, sources: usize) -> Result<(), Error> {
    let path = dir.join("quarantine.csv");
    let mut file = store::create_file(&path)?;
    let failed = |error| Error::io(&path, "write", error);
    std::io::Write::write_all(&mut file, b"file,line,field,reason\n").map_err(failed)?;
    for source in 0..sources {
        let part = Report::new(dir, source).path;
        if part.exists() {
            let mut from = store::open_file(&part)?;
            std::io::copy(&mut from, &mut file).map_err(failed)?;
            std::fs::remove_file(&part).map_err(|error| Error::io(&part, "remove", error))?;
        }
    }
    file.sync_all().map_err(failed)
}
