//! `ledger monitor`: follows a log, here or anywhere, and says when something is wrong with it.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use chancery_dataset::Progress as _;
use chancery_ledger::Source;
use chancery_ledger::monitor::{Expected, Monitor, Report};
use chancery_release::{Entry, Reading};
use serde::Serialize;

use super::super::{Context, Result, given};
use crate::args::{Format, LedgerMonitor};
use crate::failure::Failure;
use crate::text;

/// How often to look whether the command is to end.
const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Serialize)]
struct Shown<'a> {
    /// The largest tree that continues all that was seen.
    entries: u64,
    read: u64,
    unreadable: u64,
    alarms: Vec<ShownAlarm<'a>>,
}

#[derive(Serialize)]
struct ShownAlarm<'a> {
    kind: &'a str,
    what: String,
    hint: &'a str,
}

pub(super) fn run(context: &Context, args: &LedgerMonitor) -> Result {
    let log = Box::new(Source::open(&args.log));
    let mut monitor = Monitor::open(&args.dir, log, expected(args)?)?;
    let mut before = None;
    loop {
        let report = monitor.follow_once(super::now(), args.max_age, &is_readable)?;
        let code = match report.alarms.as_slice() {
            [] => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        };
        // Who follows for long wants to hear what is new.
        if before.as_ref() != Some(&report) {
            text::print(&show(context.format, &report)?);
        }
        if args.once || !wait(context, Duration::from_secs(args.every)) {
            return Ok(code);
        }
        before = Some(report);
    }
}

fn expected(args: &LedgerMonitor) -> Result<Expected> {
    match (&args.keys, &args.policy) {
        (Some(file), None) => Ok(Expected::Keys(given::keyring(file)?)),
        (None, Some(file)) => Ok(Expected::Policy(given::policy(file)?)),
        _ => Err(
            Failure::new("give the log's keys or a policy, and not both")
                .hint("`--keys FILE` takes the log's `vkey` file, got from somewhere else"),
        ),
    }
}

/// An entry of a type that this version does not know is none that it can read.
fn is_readable(entry: &[u8]) -> bool {
    matches!(Entry::from_bytes(entry), Reading::Known(_))
}

/// Waits, and says whether to go on.
fn wait(context: &Context, time: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < time {
        if context.progress.cancelled() {
            return false;
        }
        thread::sleep(PATIENCE.min(time));
    }
    !context.progress.cancelled()
}

/// One line of JSON, or a few of text: others follow.
fn show(format: Format, report: &Report) -> Result<String> {
    let alarms = report.alarms.iter().map(|alarm| ShownAlarm {
        kind: alarm.kind(),
        what: alarm.to_string(),
        hint: alarm.hint(),
    });
    let shown = Shown {
        entries: report.size,
        read: report.read,
        unreadable: report.unreadable,
        alarms: alarms.collect(),
    };
    match format {
        Format::Json => serde_json::to_string(&shown)
            .map(|line| text::ascii_json(&line))
            .map_err(|error| Failure::new(error.to_string())),
        Format::Text => Ok(text::safe(&summary(&shown))),
    }
}

fn summary(shown: &Shown<'_>) -> String {
    let (entries, read) = (text::count(shown.entries), text::count(shown.read));
    if shown.alarms.is_empty() {
        return format!("SOUND: {entries} entries, {read} read; consistent with all seen before.");
    }
    let alarms = if shown.alarms.len() == 1 {
        "alarm"
    } else {
        "alarms"
    };
    let mut text = format!(
        "ALARM: {} {alarms}; {entries} entries were sound, {read} read.",
        shown.alarms.len()
    );
    for alarm in &shown.alarms {
        text.push_str(&format!(
            "\n  {}: {}\n    hint: {}",
            alarm.kind, alarm.what, alarm.hint
        ));
    }
    if shown.unreadable > 100 {
        let all = text::count(shown.unreadable);
        text.push_str(&format!("\n  In all, {all} entries cannot be read."));
    }
    text
}
