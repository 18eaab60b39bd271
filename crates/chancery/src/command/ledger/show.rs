//! `ledger show`: entries for people, all or those asked for.

use std::collections::VecDeque;
use std::process::ExitCode;

use chancery_model::Digest;
use chancery_release::entry::{
    Destruction, Disclosure, Label, Recall, Role, SignOffAct, Suspended, Suspension, UseStatement,
};
use chancery_release::{Entry, Reading, Workspace};
use serde::Serialize;

use super::super::{Context, Result, json};
use super::export::Line;
use crate::args::{Format, LedgerShow};
use crate::command::decide::short;
use crate::text;

/// An entry of the ledger.
struct Row {
    index: u64,
    bytes: Vec<u8>,
    reading: Reading,
}

/// What was asked for.
#[derive(Default)]
struct Shown {
    rows: VecDeque<Row>,
    /// How many fit before only the last were kept.
    found: u64,
    /// Entries that cannot be told from what was asked for, as this program cannot read them.
    untold: u64,
}

#[derive(Serialize)]
struct Report {
    /// The entries in the ledger.
    size: u64,
    /// Those that fit.
    found: u64,
    /// Those that may or may not fit: of a type or version that is not known here, or unreadable.
    untold: u64,
    entries: Vec<Line>,
}

pub(super) fn run(context: &Context, workspace: &Workspace, args: &LedgerShow) -> Result {
    let reader = workspace.ledger_reader()?;
    let mut shown = Shown::default();
    for entry in reader.entries(0..reader.size())? {
        let (index, bytes) = entry?;
        let reading = Entry::from_bytes(&bytes);
        match fits(&reading, args) {
            Some(true) => shown.take(index, bytes, reading, args.last),
            Some(false) => {}
            None => shown.untold += 1,
        }
    }
    text::print(&match context.format {
        Format::Json => {
            let lines = shown.rows.into_iter();
            text::ascii_json(&json(&Report {
                size: reader.size(),
                found: shown.found,
                untold: shown.untold,
                entries: lines
                    .map(|row| Line::new(row.index, &row.bytes, row.reading))
                    .collect(),
            })?)
        }
        Format::Text => listed(&shown, reader.size()),
    });
    Ok(ExitCode::SUCCESS)
}

impl Shown {
    fn take(&mut self, index: u64, bytes: Vec<u8>, reading: Reading, last: Option<usize>) {
        self.found += 1;
        self.rows.push_back(Row {
            index,
            bytes,
            reading,
        });
        if last.is_some_and(|last| self.rows.len() > last) {
            self.rows.pop_front();
        }
    }
}

/// Whether an entry is asked for; of one that cannot be read, only its type can be told.
fn fits(reading: &Reading, args: &LedgerShow) -> Option<bool> {
    let kind = match reading {
        Reading::Known(entry) => entry.kind(),
        Reading::Unknown { kind, .. } => kind,
        Reading::Unreadable { .. } => UNREADABLE,
    };
    if args.kind.as_ref().is_some_and(|asked| asked != kind) {
        return Some(false);
    }
    let Reading::Known(entry) = reading else {
        let any = args.recipient.is_none()
            && args.since.is_none()
            && args.until.is_none()
            && args.id.is_none()
            && args.dataset.is_none();
        return any.then_some(true);
    };
    let about = About::of(entry);
    let day = entry.recorded().date();
    let fits = [
        args.since.is_none_or(|since| since <= day),
        args.until.is_none_or(|until| day <= until),
        named(args.recipient.as_ref(), |asked| {
            about.recipient.is_some_and(|path| is_within(path, asked))
        }),
        named(args.id.as_ref(), |asked| about.ids.contains(&asked)),
        named(args.dataset.as_ref(), |asked| {
            about.dataset.is_some_and(|dataset| *dataset == *asked)
        }),
    ];
    Some(!fits.contains(&false))
}

const UNREADABLE: &str = "unreadable";

fn named(asked: Option<&String>, fits: impl FnOnce(&str) -> bool) -> bool {
    asked.is_none_or(|asked| fits(asked))
}

fn is_within(path: &Label, agency: &str) -> bool {
    let rest = path.as_str().strip_prefix(agency);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What an entry is about.
#[derive(Default)]
struct About<'a> {
    /// The releases and instruments; the first is shown.
    ids: Vec<&'a str>,
    recipient: Option<&'a Label>,
    dataset: Option<&'a Label>,
    /// The rest, in a few words.
    what: String,
}

impl<'a> About<'a> {
    fn of(entry: &'a Entry) -> Self {
        match entry {
            Entry::Workspace { custodian_key, .. } => {
                Self::other(format!("manifests are signed by {}", custodian_key.name()))
            }
            Entry::Release(fact) | Entry::Refusal(fact) => Self::disclosure(fact),
            Entry::Abort { id, reason, .. } => Self::id(id.as_str(), reason.as_str().to_owned()),
            Entry::SignOff(fact) => Self::id(
                fact.instrument.as_str(),
                format!(
                    "{} {} by {}",
                    fact.act.map_or("sign", SignOffAct::as_str),
                    digest(fact.digest),
                    who(&fact.agency, fact.role)
                ),
            ),
            Entry::Approval(fact) => Self::id(
                fact.id.as_str(),
                format!(
                    "{} {} by {}",
                    fact.of.as_str(),
                    fact.verdict.as_str(),
                    who(&fact.agency, fact.role)
                ),
            ),
            Entry::UseStatement(fact) => Self::use_statement(fact),
            Entry::Recall(fact) => Self::recall(fact),
            Entry::Destruction(fact) => Self::destruction(fact),
            Entry::Suspension(fact) => Self::suspension(fact),
            Entry::LookUp(fact) => Self::other(format!(
                "{} by {}",
                match (fact.reason, fact.statement) {
                    (Some(reason), _) => words(reason.as_str()),
                    (None, Some(statement)) => format!("reason {}", digest(statement)),
                    (None, None) => String::new(),
                },
                who(&fact.agency, fact.role)
            )),
            Entry::Snapshot(fact) => Self::id(
                fact.instrument.as_str(),
                format!("{} of {}", digest(fact.sha256), fact.url),
            ),
            Entry::KeyRotation(fact) => Self::other(format!(
                "{}: added {}, retired {}",
                words(fact.reason.as_str()),
                fact.added.len(),
                fact.retired.len()
            )),
        }
    }

    fn disclosure(fact: &'a Disclosure) -> Self {
        let (outcome, recipient) = (fact.outcome.as_str(), &fact.recipient);
        Self {
            ids: vec![fact.id.as_str()],
            recipient: Some(recipient),
            dataset: Some(&fact.dataset),
            what: format!(
                "{outcome}: {} to {recipient} for {}",
                fact.dataset, fact.purpose
            ),
        }
    }

    fn use_statement(fact: &'a UseStatement) -> Self {
        let (from, to, onward) = (fact.from, fact.to, words(fact.onward.as_str()));
        Self {
            recipient: Some(&fact.recipient),
            ..Self::id(
                fact.release.as_str(),
                format!(
                    "{} by {}, {from} to {to}; passed on: {onward}",
                    fact.purpose, fact.recipient
                ),
            )
        }
    }

    fn recall(fact: &'a Recall) -> Self {
        let (reason, scope) = (words(fact.reason.as_str()), words(fact.scope.as_str()));
        let (release, recipient) = (fact.release.as_str(), &fact.recipient);
        let instrument = fact.instrument.as_ref().map(Label::as_str);
        Self {
            ids: [release].into_iter().chain(instrument).collect(),
            recipient: Some(recipient),
            what: format!("{reason}: {scope} from {recipient} by {}", fact.due),
            ..Self::default()
        }
    }

    fn destruction(fact: &'a Destruction) -> Self {
        let (method, scope) = (fact.method.as_str(), words(fact.scope.as_str()));
        let (verified, on) = (fact.verification.as_str(), fact.on);
        Self {
            recipient: Some(&fact.recipient),
            ..Self::id(
                fact.release.as_str(),
                format!(
                    "{method}: {scope} by {} on {on}; verified: {verified}",
                    fact.recipient
                ),
            )
        }
    }

    fn suspension(fact: &'a Suspension) -> Self {
        let until = fact.until.map(|day| day.to_string());
        let until = until.unwrap_or_else(|| "further notice".to_owned());
        let days = format!("{} until {until}", fact.from);
        match &fact.of {
            Suspended::Instrument { id, reason, .. } => {
                Self::id(id.as_str(), format!("{}: {days}", words(reason.as_str())))
            }
            Suspended::Accounting { agency, basis, .. } => Self::other(format!(
                "a person's accounting, on a statement of {agency} ({}): {days}",
                basis.as_str()
            )),
        }
    }

    fn id(id: &'a str, what: String) -> Self {
        Self {
            ids: vec![id],
            what,
            ..Self::default()
        }
    }

    fn other(what: String) -> Self {
        Self {
            what,
            ..Self::default()
        }
    }
}

fn digest(digest: Digest) -> String {
    short(&digest.to_string())
}

fn who(agency: &Label, role: Role) -> String {
    format!("{} of {agency}", words(role.as_str()))
}

/// A code as words.
fn words(code: &str) -> String {
    code.replace('_', " ")
}

/// How much is shown of what nobody vouches for.
const MOST_OF_A_TYPE: usize = 24;
const MOST_OF_BYTES: usize = 40;

fn listed(shown: &Shown, size: u64) -> String {
    let mut text = if shown.rows.is_empty() {
        format!("None of {} fits.", entries(size))
    } else {
        let header = ["entry", "recorded", "type", "what"];
        text::table(&header, &[0], shown.rows.iter().map(cells).collect())
    };
    let kept = shown.rows.len() as u64;
    if kept < shown.found {
        text.push_str(&format!(
            "\n\nThe last {} of {} that fit.",
            text::count(kept),
            text::count(shown.found)
        ));
    }
    if shown.untold > 0 {
        text.push_str(&format!(
            "\n\n{} may fit as well: this program cannot read what is in them. Without a filter they \
             are listed.",
            entries(shown.untold)
        ));
    }
    text
}

fn entries(number: u64) -> String {
    if number == 1 {
        "1 entry".to_owned()
    } else {
        format!("{} entries", text::count(number))
    }
}

fn cells(row: &Row) -> Vec<String> {
    let bytes = text::count(row.bytes.len() as u64);
    let (recorded, kind, what) = match &row.reading {
        Reading::Known(entry) => {
            let about = About::of(entry);
            let id = about.ids.first().map(|id| format!("{id}\n"));
            (
                entry.recorded().to_string(),
                entry.kind().to_owned(),
                id.unwrap_or_default() + &about.what,
            )
        }
        Reading::Unknown { kind, version } => (
            "–".to_owned(),
            text::escaped(kind, MOST_OF_A_TYPE),
            format!("version {version}, not known to this program; {bytes} bytes"),
        ),
        Reading::Unreadable { problem } => {
            let content = String::from_utf8_lossy(&row.bytes);
            (
                "–".to_owned(),
                UNREADABLE.to_owned(),
                format!(
                    "{problem}; {bytes} bytes\n{}",
                    text::escaped(&content, MOST_OF_BYTES)
                ),
            )
        }
    };
    vec![row.index.to_string(), recorded, kind, what]
}
