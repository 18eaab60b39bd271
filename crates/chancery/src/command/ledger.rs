mod monitor;
mod witness;

use std::path::Path;
use std::process::ExitCode;

use chancery_ledger::{LedgerReader, Policy, fsck};
use chancery_release::{Clock as _, Entry, System, Workspace};
use serde::Serialize;

use super::{Context, Result, json};
use crate::args::{self, Format, LedgerCommand};
use crate::failure::Failure;
use crate::text;

pub(crate) fn run(context: &Context, args: &args::Ledger) -> Result {
    match &args.command {
        LedgerCommand::Checkpoint => checkpoint(&context.workspace()?),
        LedgerCommand::Prove { id } => prove(&context.workspace()?, id),
        LedgerCommand::Fsck => check(context, &context.workspace()?),
        LedgerCommand::Export => export(&context.workspace()?),
        // These run where there is no workspace: the custodian has no say in them.
        LedgerCommand::Witness(args) => witness::run(context, args),
        LedgerCommand::Monitor(args) => monitor::run(context, args),
    }
}

/// The time, in seconds since 1970.
fn now() -> u64 {
    u64::try_from(System.now().as_second()).unwrap_or_default()
}

fn read_text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", file.display())))
}

fn read_policy(file: &Path) -> Result<Policy> {
    let content = std::fs::read(file)
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", file.display())))?;
    Ok(Policy::parse(&content)?)
}

fn checkpoint(workspace: &Workspace) -> Result {
    text::print(
        workspace
            .ledger_reader()?
            .checkpoint()
            .to_string()
            .trim_end(),
    );
    Ok(ExitCode::SUCCESS)
}

fn prove(workspace: &Workspace, id: &str) -> Result {
    let reader = workspace.ledger_reader()?;
    let index = find(&reader, id)?.ok_or_else(|| {
        Failure::new(format!("the ledger has no release `{id}`"))
            .hint("`chancery ledger export` lists the entries; an index will do as well")
    })?;
    text::print(reader.prove(index)?.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn find(reader: &LedgerReader, id: &str) -> Result<Option<u64>> {
    if let Ok(index) = id.parse() {
        return Ok(Some(index).filter(|index| *index < reader.size()));
    }
    for entry in reader.entries(0..reader.size())? {
        let (index, bytes) = entry?;
        if matches!(Entry::from_bytes(&bytes), Some(Entry::Release(entry)) if entry.id == id) {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

#[derive(Serialize)]
struct Report {
    sound: bool,
    /// A crash left an append unfinished, and the next command that logs finishes it.
    unfinished: bool,
    entries: u64,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    file: String,
    what: String,
    hint: String,
}

fn check(context: &Context, workspace: &Workspace) -> Result {
    let report = fsck(
        &workspace.ledger_dir(),
        Some(&workspace.public_key("ledger")?),
    )?;
    let rolled_back = chancery_release::rolled_back(workspace)?;
    let rolled_back = rolled_back.iter().map(|error| Problem {
        file: "ledger".to_owned(),
        what: error.to_string(),
        hint: error.hint().unwrap_or_default(),
    });
    let rolled_back: Vec<Problem> = rolled_back.collect();
    let continued = rolled_back.is_empty();
    let problems = report.problems.iter().map(|problem| Problem {
        file: problem.file.clone(),
        what: problem.what.clone(),
        hint: problem.hint.clone(),
    });
    let shown = Report {
        sound: continued && (report.is_sound() || report.is_unfinished()),
        unfinished: report.is_unfinished(),
        entries: report.entries,
        problems: problems.chain(rolled_back).collect(),
    };
    text::print(&match context.format {
        Format::Json => json(&shown)?,
        Format::Text => summary(&shown),
    });
    Ok(if shown.sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn summary(report: &Report) -> String {
    if report.sound {
        let unfinished = if report.unfinished {
            "\nA crash cut an append short; the next command that logs finishes it."
        } else {
            ""
        };
        return format!(
            "SOUND: {} entries, every hash and signature checked.{unfinished}",
            report.entries
        );
    }
    let mut text = format!("NOT SOUND: {} problems.", report.problems.len());
    for problem in &report.problems {
        text.push_str(&format!(
            "\n  {}: {}\n    hint: {}",
            problem.file, problem.what, problem.hint
        ));
    }
    text
}

fn export(workspace: &Workspace) -> Result {
    let reader = workspace.ledger_reader()?;
    for entry in reader.entries(0..reader.size())? {
        let (index, bytes) = entry?;
        // An entry of a type that this version does not know is shown as it stands.
        let entry: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            serde_json::Value::String(String::from_utf8_lossy(&bytes).into_owned())
        });
        let line = serde_json::json!({ "index": index, "entry": entry });
        text::print(&line.to_string());
    }
    Ok(ExitCode::SUCCESS)
}
