//! One file per subcommand, and what they share.

pub(crate) mod demo;

mod given;

pub(crate) mod init;

pub(crate) mod synth;

pub(crate) mod dataset;

pub(crate) mod law;

pub(crate) mod decide;

pub(crate) mod release;

pub(crate) mod verify;

pub(crate) mod account;

pub(crate) mod exhibit;

pub(crate) mod ledger;

pub(crate) mod verify_proof;

pub(crate) mod completions;

pub(crate) mod man;

mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use chancery_dataset::Dataset;
use chancery_law::LawPack;
use chancery_model::{Fault, Place, Request};
use chancery_release::{Clock as _, Known, Question, System, Workspace, ask};
use jiff::civil::Date;

use crate::args::{AsKnown, Format};
use crate::failure::Failure;
use crate::passphrase::Passphrases;
use crate::progress::Progress;

/// What every command has.
pub(crate) struct Context {
    pub(crate) workspace: Option<PathBuf>,
    pub(crate) format: Format,
    pub(crate) progress: Progress,
    pub(crate) passphrases: Passphrases,
}

/// What a command comes to.
pub(crate) type Result<T = ExitCode> = std::result::Result<T, Failure>;

impl Context {
    /// The workspace named with `-C`, or the nearest.
    pub(crate) fn workspace(&self) -> Result<Workspace> {
        let from = self.workspace.as_deref().unwrap_or(Path::new("."));
        let passphrases = self.passphrases.clone();
        Ok(Workspace::find(from)?.asking(Arc::new(move |keys| passphrases.get(keys))))
    }
}

/// The day asked for, or today.
pub(crate) fn day(on: Option<Date>) -> Date {
    on.unwrap_or_else(|| System.today())
}

/// What of the ledger is taken account of.
pub(crate) fn known(as_known: Option<AsKnown>) -> Known {
    as_known.map_or(Known::Now, |known| Known::At(known.instant))
}

/// Reads a request and holds it against the law pack and the dataset that it names.
pub(crate) fn read_request(
    path: &Path,
    workspace: &Workspace,
    law: &LawPack,
) -> Result<(Question, Dataset)> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let fault = Fault::new(Place::file(&file), format!("cannot be read: {error}"));
        Failure::from(fault.hint("check the path, and who may read it"))
    })?;
    let request = Request::parse(&file, &text)?;
    let dataset = match workspace.dataset(&request.dataset, law) {
        Err(chancery_release::Error::Dataset(error @ chancery_dataset::Error::Absent { .. })) => {
            let fault = Request::fault(&file, &text, "dataset", error.to_string());
            return Err(fault.hint("`chancery dataset add` adds one").into());
        }
        other => other?,
    };
    let question = ask(&file, &text, request, law, &dataset)?;
    Ok((question, dataset))
}

/// A value as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))
}
