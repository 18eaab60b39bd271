//! `verify-proof`: a proof, the entry and keys; no ledger, no network.

use std::process::ExitCode;

use chancery_ledger::{InclusionProof, Keyring, Trust, UnverifiedCheckpoint, verify_proof};
use chancery_release::{Entry, Reading};
use serde::Serialize;

use super::ledger::{read_policy, read_text};
use super::{Context, Result, json};
use crate::args::{self, Format};
use crate::failure::Failure;
use crate::text;

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
    let proof = read_text(&args.proof)?;
    let parsed: InclusionProof = proof.parse()?;
    let entry = match (&args.entry, &parsed.extra) {
        (Some(file), _) => {
            std::fs::read(file).map_err(|error| Failure::file("read", file, &error))?
        }
        (None, Some(entry)) => entry.clone(),
        (None, None) => {
            return Err(Failure::new("the proof does not bring its entry along")
                .hint("give the entry's bytes with `--entry FILE`"));
        }
    };
    let report = match (&args.policy, &args.keys) {
        (Some(policy), _) => check(&proof, &entry, &read_policy(policy)?, "a policy"),
        (None, Some(keys)) => {
            let keys: Keyring = read_text(keys)?.parse()?;
            check(&proof, &entry, &keys, "the log's keys")
        }
        (None, None) => {
            Err(Failure::new("no keys were given").hint("`--keys FILE` or `--policy FILE`"))
        }
    }?;
    text::print(&match context.format {
        Format::Json => text::ascii_json(&json(&report)?),
        Format::Text => text::safe(&format!(
            "VERIFIED: entry {} of the log {}, in its tree of {} entries{}, by {}.\n{:#}",
            report.index,
            report.log,
            text::count(report.tree_size),
            report
                .time
                .map(|time| format!(", signed at {}", instant(time)))
                .unwrap_or_default(),
            report.trusted,
            report.entry,
        )),
    });
    Ok(ExitCode::SUCCESS)
}

fn check(proof: &str, entry: &[u8], trust: &impl Trust, trusted: &'static str) -> Result<Report> {
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

fn instant(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| seconds.to_string(), |instant| instant.to_string())
}
