//! `ledger fsck`: everything that can be checked, and what can be put right.

use std::process::ExitCode;

use chancery_ledger::{FsckReport, SqliteLock, fsck, repair};
use chancery_release::{Workspace, check_releases};
use serde::Serialize;

use super::super::{Context, Result, json};
use crate::args::Format;
use crate::text;

#[derive(Serialize)]
struct Report {
    sound: bool,
    /// A crash left an append or a release unfinished, and the next command that logs finishes it.
    unfinished: bool,
    entries: u64,
    problems: Vec<Problem>,
    /// What `--repair` did.
    repaired: Vec<Repaired>,
}

#[derive(Serialize)]
struct Problem {
    file: String,
    what: String,
    hint: String,
}

#[derive(Serialize)]
struct Repaired {
    file: String,
    what: String,
}

pub(super) fn run(context: &Context, workspace: &Workspace, repairing: bool) -> Result {
    let repaired = if repairing {
        put_right(workspace)?
    } else {
        Vec::new()
    };
    let mut report = check(workspace)?;
    report.repaired = repaired;
    // Of a ledger that is not sound, the entries say nothing about the releases.
    if report.sound {
        let releases = check_releases(workspace, &context.progress)?;
        context.progress.finish();
        report.sound = releases.problems.is_empty();
        report.unfinished |= !releases.unfinished.is_empty();
        report
            .problems
            .extend(releases.problems.into_iter().map(|problem| Problem {
                file: problem.file,
                what: problem.what,
                hint: problem.hint,
            }));
    }
    text::print(&match context.format {
        Format::Json => text::ascii_json(&json(&report)?),
        Format::Text => text::safe(&summary(&report)),
    });
    Ok(if report.sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn check(workspace: &Workspace) -> Result<Report> {
    let storage = workspace.ledger_storage()?;
    let keys = workspace.ledger_keys()?;
    let lock = SqliteLock::for_reading(&workspace.lock_file());
    let report: FsckReport = match &lock {
        Ok(lock) => fsck(&*storage, Some(&keys), Some(lock))?,
        Err(_) => fsck(&*storage, Some(&keys), None)?,
    };
    let problems = report.problems.iter().map(|problem| Problem {
        file: problem.file.clone(),
        what: problem.what.clone(),
        hint: problem.hint.clone(),
    });
    let unreadable = lock.as_ref().err().map(|error| Problem {
        file: workspace.lock_file().display().to_string(),
        what: error.to_string(),
        hint: error.hint().unwrap_or_default().to_owned(),
    });
    let unwitnessed = unwitnessed(workspace)?;
    Ok(Report {
        sound: lock.is_ok()
            && unwitnessed.is_none()
            && (report.is_sound() || report.is_unfinished()),
        unfinished: report.is_unfinished(),
        entries: report.entries,
        problems: problems.chain(unreadable).chain(unwitnessed).collect(),
        repaired: Vec::new(),
    })
}

/// Whether the published checkpoint lacks the cosignatures that this workspace asks for.
fn unwitnessed(workspace: &Workspace) -> Result<Option<Problem>> {
    let Some(policy) = workspace.witnesses()? else {
        return Ok(None);
    };
    // What cannot be read is a problem already.
    let Ok(reader) = workspace.ledger_reader() else {
        return Ok(None);
    };
    let missing = policy.check_quorum(&reader.checkpoint().clone().into());
    Ok(missing.err().map(|error| Problem {
        file: workspace
            .ledger_dir()
            .join("checkpoint")
            .display()
            .to_string(),
        what: error.to_string(),
        hint: "any command that logs asks the witnesses again".to_owned(),
    }))
}

fn put_right(workspace: &Workspace) -> Result<Vec<Repaired>> {
    let lock = SqliteLock::open(&workspace.lock_file())?;
    let done = repair(
        &*workspace.writable_ledger_storage()?,
        &lock,
        &workspace.ledger_keys()?,
    )?;
    let done = done.into_iter().map(|repair| Repaired {
        file: repair.file,
        what: repair.what.to_owned(),
    });
    Ok(done.collect())
}

fn summary(report: &Report) -> String {
    let mut text = String::new();
    for repaired in &report.repaired {
        text.push_str(&format!("repaired {}: {}\n", repaired.file, repaired.what));
    }
    if report.sound {
        text.push_str(&format!(
            "SOUND: {} entries, every hash and signature checked; every release is what its entry says.",
            report.entries
        ));
        if report.unfinished {
            text.push_str("\nSomething was cut short, by a crash or for want of witnesses; the next command that logs finishes it.");
        }
        return text;
    }
    text.push_str(&match report.problems.len() {
        1 => "NOT SOUND: 1 problem.".to_owned(),
        count => format!("NOT SOUND: {count} problems."),
    });
    for problem in &report.problems {
        text.push_str(&format!(
            "\n  {}: {}\n    hint: {}",
            problem.file, problem.what, problem.hint
        ));
    }
    text
}
