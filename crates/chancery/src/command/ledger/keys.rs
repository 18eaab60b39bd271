//! `ledger keys`: what signs the ledger, and how that changes.

use std::process::ExitCode;

use chancery_ledger::Keyring;
use chancery_release::{System, Workspace, retire, rotate, write_ledger};
use serde::Serialize;

use super::super::{Context, Result, json};
use crate::args::{Format, LedgerKeys};
use crate::failure::Failure;
use crate::text;

#[derive(Serialize)]
struct Key {
    vkey: String,
    algorithm: String,
    /// Whether it is of the newest pair.
    current: bool,
}

pub(super) fn run(context: &Context, workspace: &Workspace, command: &LedgerKeys) -> Result {
    match command {
        LedgerKeys::List => list(context, &workspace.ledger_keys()?),
        LedgerKeys::Rotate { reason } => {
            let mut book = write_ledger(workspace, &System, &context.progress)?;
            list(context, &rotate(workspace, &mut book, *reason, &System)?)
        }
        LedgerKeys::Retire { reason } => {
            let mut book = write_ledger(workspace, &System, &context.progress)?;
            let keys = retire(workspace, &mut book, *reason, &System);
            list(
                context,
                &keys.map_err(|error| Failure::from(error).failed())?,
            )
        }
        LedgerKeys::Encrypt => {
            let passphrase = context.passphrases.choose()?;
            workspace.encrypt_keys(&passphrase)?;
            text::print("The secret keys are encrypted.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(context: &Context, keys: &Keyring) -> Result {
    let keys: Vec<Key> = keys
        .keys()
        .map(|key| Key {
            vkey: key.to_string(),
            algorithm: key.algorithm().to_string(),
            current: keys.current().contains(key),
        })
        .collect();
    text::print(&match context.format {
        Format::Json => json(&keys)?,
        Format::Text => keys
            .iter()
            .map(|key| {
                let state = if key.current { "current" } else { "older" };
                format!("{state:8}{:10}  {}", key.algorithm, key.vkey)
            })
            .collect::<Vec<_>>()
            .join("\n"),
    });
    Ok(ExitCode::SUCCESS)
}
