use chancery_model::Outcome as Verdict;
use chancery_release::{Known, Outcome, System, release};
use serde::Serialize;

use super::{Context, Result, day, decide, json, read_request};
use crate::args::{self, Format};
use crate::text;

#[derive(Serialize)]
struct Report {
    id: Option<String>,
    path: Option<String>,
    outcome: Verdict,
    manifest: Option<String>,
    ledger_index: u64,
}

pub(crate) fn run(context: &Context, args: &args::Release) -> Result {
    let workspace = context.workspace()?;
    let law = workspace.law()?;
    let (question, dataset) = read_request(&args.request, &workspace, &law)?;
    let standing = workspace.standing(&law, day(args.on), Known::Now)?;
    let in_force = law.in_force(day(args.on), workspace.sign_off(&standing))?;
    let outcome = release(
        &workspace,
        question,
        &in_force,
        &dataset,
        &System,
        &context.progress,
    )?;
    context.progress.finish();
    let (answer, report) = match &outcome {
        Outcome::Released(answer, released) => {
            let report = Report {
                id: Some(released.id.clone()),
                path: Some(released.folder.display().to_string()),
                outcome: answer.decision().outcome,
                manifest: Some(released.manifest.to_string()),
                ledger_index: released.index,
            };
            (answer, report)
        }
        Outcome::Denied(answer, index) => {
            let outcome = Verdict::Denied;
            let report = Report {
                id: None,
                path: None,
                outcome,
                manifest: None,
                ledger_index: *index,
            };
            (answer, report)
        }
    };
    match context.format {
        Format::Json => text::print(&json(&report)?),
        Format::Text => {
            decide::print(Format::Text, answer, &in_force, &dataset)?;
            text::print(&summary(&report));
        }
    }
    Ok(decide::exit(answer.decision()))
}

fn summary(report: &Report) -> String {
    let logged = format!("ledger entry {}", report.ledger_index);
    match (&report.id, &report.path, &report.manifest) {
        (Some(id), Some(path), Some(manifest)) => {
            let manifest = decide::short(manifest);
            format!(
                "\nReleased as {id}\n  files     {path}\n  manifest  {manifest}\n  logged    {logged}"
            )
        }
        _ => format!("\nNothing was released; the refusal is {logged}."),
    }
}
