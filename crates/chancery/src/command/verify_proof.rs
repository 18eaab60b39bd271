//! `verify-proof`: a proof, the entry and keys; no ledger, no network.

use std::process::ExitCode;

use chancery_account::{PersonProof, Shown, ShownPerson};
use chancery_ledger::{InclusionProof, Trust, UnverifiedCheckpoint, verify_proof};
use chancery_release::{Entry, Reading};
use serde::Serialize;

use super::{Context, Result, given, json};
use crate::args::{self, Format};
use crate::failure::Failure;
use crate::text;

/// What to do about a file that is no proof.
const NO_PROOF: &str = "give a proof as `chancery ledger prove` prints it, a release's receipt, or a \
                        proof about a person (`chancery account person --prove --proof FILE`)";
/// What to do about a proof that does not hold.
const NO_MATCH: &str = "the proof, the entry (its own, or that of `--entry`) and `--keys` or \
                        `--policy` must be of one log";

#[derive(Serialize)]
struct Report {
    log: String,
    index: u64,
    tree_size: u64,
    root: String,
    /// When the log signed, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    /// What was checked against.
    trusted: &'static str,
    entry: serde_json::Value,
}

pub(crate) fn run(context: &Context, args: &args::VerifyProof) -> Result {
    let proof = given::proof(&args.proof)?;
    if PersonProof::is_one(&proof) {
        return of_person(context, args, &proof);
    }
    let parsed: InclusionProof = proof
        .parse()
        .map_err(|error| given::refused(&args.proof, &error, NO_PROOF).invalid())?;
    let entry = match (&args.entry, &parsed.extra) {
        (Some(file), _) => given::entry(file)?,
        (None, Some(entry)) => entry.clone(),
        (None, None) => {
            return Err(Failure::new("the proof does not bring its entry along")
                .hint("give the entry's bytes with `--entry FILE`"));
        }
    };
    let checked = match (&args.policy, &args.keys) {
        (Some(file), _) => check(&proof, &entry, &given::policy(file)?, "a policy"),
        (None, Some(file)) => check(&proof, &entry, &given::keyring(file)?, "the log's keys"),
        (None, None) => {
            return Err(Failure::new("no keys were given").hint("`--keys FILE` or `--policy FILE`"));
        }
    };
    let report = checked.map_err(|error| given::refused(&args.proof, &error, NO_MATCH))?;
    text::print(&match context.format {
        Format::Json => text::ascii_json(&json(&report)?),
        Format::Text => text::safe(&format!(
            "VERIFIED: entry {} of the log {}, in its tree of {} entries{}, by {}.\n{:#}",
            report.index,
            report.log,
            text::count(report.tree_size),
            signed_at(report.time),
            report.trusted,
            report.entry,
        )),
    });
    Ok(ExitCode::SUCCESS)
}

/// What a proof about a person shows, as programs read it.
#[derive(Serialize)]
struct PersonReport {
    #[serde(flatten)]
    shown: ShownPerson,
    /// What was checked against.
    trusted: &'static str,
    /// What it speaks of, and what not.
    scope: String,
}

/// What a proof about a person shows, release by release.
fn of_person(context: &Context, args: &args::VerifyProof, proof: &str) -> Result {
    let proof: PersonProof = serde_json::from_str(proof).map_err(|_| {
        let file = args.proof.display();
        Failure::new(format!("`{file}` is no proof about a person"))
            .hint("give it as `chancery account person --prove --proof FILE` writes it")
            .invalid()
    })?;
    let (shown, trusted) = match (&args.policy, &args.keys) {
        (Some(file), _) => (proof.check(&given::policy(file)?), "a policy"),
        (None, Some(file)) => (proof.check(&given::keyring(file)?), "the log's keys"),
        (None, None) => {
            return Err(Failure::new("no keys were given").hint("`--keys FILE` or `--policy FILE`"));
        }
    };
    let shown = shown.map_err(|refused| {
        let file = args.proof.display();
        Failure::new(format!("`{file}`: {refused}")).hint(NO_MATCH)
    })?;
    let scope = format!(
        "It speaks of {} only; the log has {}.",
        if shown.releases.len() == 1 {
            "this release"
        } else {
            "these releases"
        },
        entries(shown.tree_size),
    );
    let report = PersonReport {
        shown,
        trusted,
        scope,
    };
    text::print(&match context.format {
        Format::Json => text::ascii_json(&json(&report)?),
        Format::Text => text::safe(&person(&report)),
    });
    Ok(ExitCode::SUCCESS)
}

fn person(report: &PersonReport) -> String {
    let shown = &report.shown;
    let mut lines = vec![format!(
        "VERIFIED: of {}, what the log {} committed to about the person `{}` of origin `{}`, in its tree of \
         {} entries{}, by {}.",
        text::counted(shown.releases.len() as u64, "release"),
        shown.log,
        shown.id,
        shown.origin,
        text::count(shown.tree_size),
        signed_at(shown.time),
        report.trusted,
    )];
    lines.extend(shown.releases.iter().map(|one| {
        let what = match &one.elements {
            Some(elements) => elements.join(", "),
            None => "not in it".to_owned(),
        };
        let Shown {
            on, release, entry, ..
        } = one;
        format!("  {on}  {release} (entry {entry}): {what}")
    }));
    lines.push(report.scope.clone());
    lines.join("\n")
}

fn check(
    proof: &str,
    entry: &[u8],
    trust: &impl Trust,
    trusted: &'static str,
) -> chancery_ledger::Result<Report> {
    let shown = verify_proof(proof, entry, trust)?;
    let parsed: InclusionProof = proof.parse()?;
    let checkpoint: UnverifiedCheckpoint = parsed.checkpoint;
    let checkpoint = checkpoint.verify(trust)?;
    Ok(Report {
        log: checkpoint.origin().to_owned(),
        index: shown.index,
        tree_size: shown.tree_size,
        root: shown
            .root
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        time: checkpoint.timestamp(),
        trusted,
        entry: match Entry::from_bytes(entry) {
            Reading::Known(_) => serde_json::from_slice(entry).unwrap_or_default(),
            // It is in the log, whatever it is: shown without what could steer a terminal.
            Reading::Unknown { .. } | Reading::Unreadable { .. } => {
                serde_json::Value::String(entry.escape_ascii().to_string())
            }
        },
    })
}

fn entries(number: u64) -> String {
    match number {
        1 => "1 entry".to_owned(),
        number => format!("{} entries", text::count(number)),
    }
}

fn signed_at(time: Option<u64>) -> String {
    let time = time.map(|time| format!(", signed at {}", instant(time)));
    time.unwrap_or_default()
}

fn instant(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| seconds.to_string(), |instant| instant.to_string())
}
