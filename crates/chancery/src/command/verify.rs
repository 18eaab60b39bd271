use std::path::PathBuf;
use std::process::ExitCode;

use chancery_release::{Entry, Keys, Verified, Workspace, replay, still_held, verify};
use serde::Serialize;

use super::{Context, Result, given, json};
use crate::args::{self, Format};
use crate::failure::Failure;
use crate::text;

#[derive(Serialize)]
struct Report {
    release: String,
    manifest: String,
    signed_by: String,
    files: usize,
    bytes: u64,
    entry: Entry,
    replayed: bool,
}

pub(crate) fn run(context: &Context, args: &args::Verify) -> Result {
    let workspace = context.workspace();
    let keys = keys(args, &workspace)?;
    if let [release] = args.releases.as_slice() {
        let (report, verified) = check(context, args, &keys, release)?;
        context.progress.finish();
        text::print(&match context.format {
            Format::Json => json(&report)?,
            Format::Text => summary(&report, &verified),
        });
        return Ok(ExitCode::SUCCESS);
    }
    let (mut reports, mut worst) = (Vec::new(), None);
    for release in &args.releases {
        let checked = check(context, args, &keys, release);
        context.progress.finish();
        match (checked, context.format) {
            (Ok((report, _)), Format::Json) => reports.push(serde_json::json!(report)),
            (Ok((report, verified)), Format::Text) => text::print(&summary(&report, &verified)),
            (Err(failure), format) => {
                // A release that does not hold, exit code 1, is worse than one that cannot be run again.
                worst = Some(worst.map_or(failure.code(), |worst| failure.code().min(worst)));
                match format {
                    Format::Json => reports.push(
                        serde_json::json!({ "release": release, "error": failure.message() }),
                    ),
                    Format::Text => text::print(&text::safe(&format!("FAILED {release}"))),
                }
                failure.report();
            }
        }
    }
    if context.format == Format::Json {
        text::print(&json(&reports)?);
    }
    Ok(worst.map_or(ExitCode::SUCCESS, ExitCode::from))
}

fn keys(args: &args::Verify, workspace: &Result<Workspace>) -> Result<Keys> {
    let unnamed = || {
        Failure::new("outside a workspace the keys must be named")
            .hint("`--custodian-key FILE --ledger-key FILE`, as the custodian published them")
    };
    Ok(Keys {
        custodian: match (&args.custodian_key, workspace) {
            (Some(file), _) => given::key(file)?,
            (None, Ok(workspace)) => workspace.custodian_key()?,
            (None, Err(_)) => return Err(unnamed()),
        },
        ledger: match (&args.ledger_key, workspace) {
            (Some(file), _) => given::keyring(file)?,
            (None, Ok(workspace)) => workspace.ledger_keys()?,
            (None, Err(_)) => return Err(unnamed()),
        },
    })
}

fn check(
    context: &Context,
    args: &args::Verify,
    keys: &Keys,
    release: &str,
) -> Result<(Report, Verified)> {
    let workspace = context.workspace();
    let folder = folder(release, workspace.as_ref().ok());
    let verified =
        verify(&folder, keys, &context.progress).map_err(|error| Failure::from(error).failed())?;
    // In the custodian's own workspace the ledger itself is there to be asked.
    if let (Ok(workspace), None) = (&workspace, &args.ledger_key) {
        still_held(workspace, &folder)?;
    }
    if args.replay {
        replay(&context.workspace()?, &verified, &context.progress)?;
    }
    let report = Report {
        release: folder.display().to_string(),
        manifest: verified.manifest.to_string(),
        signed_by: keys.custodian.to_string(),
        files: verified.statement.subject.len(),
        bytes: verified.bytes,
        entry: verified.entry.clone(),
        replayed: args.replay,
    };
    Ok((report, verified))
}

/// A folder, from here or from the workspace, or the id of a release in the workspace.
fn folder(release: &str, workspace: Option<&Workspace>) -> PathBuf {
    let here = PathBuf::from(release);
    let Some(workspace) = workspace else {
        return here;
    };
    let below = workspace.root().join(release);
    let is_release = |folder: &PathBuf| folder.join("manifest.dsse.json").exists();
    let named = workspace.releases_dir().join(release);
    [here, below].into_iter().find(is_release).unwrap_or(named)
}

fn summary(report: &Report, verified: &Verified) -> String {
    let replayed = if report.replayed {
        "\n  replay     the same request under the same law gives the same bytes"
    } else {
        ""
    };
    let demonstration = if verified.statement.predicate.law.demonstration {
        "\nIt was made in a demonstration, where law that nobody signed counts."
    } else {
        ""
    };
    format!(
        "VERIFIED {}\n  signature  the manifest is signed by {}\n  digests    {} files, {} bytes, and \
         no other file\n  inclusion  the ledger holds this manifest{replayed}\nWhat left: {} of {} \
         asked by {}; records of {}.{demonstration}",
        report.release,
        report.signed_by,
        report.files,
        text::count(report.bytes),
        verified
            .statement
            .predicate
            .elements
            .iter()
            .filter(|e| e.subjects > 0)
            .count(),
        verified.statement.predicate.elements.len(),
        verified.statement.predicate.recipient.name,
        text::people(verified.statement.predicate.subjects.released),
    )
}
