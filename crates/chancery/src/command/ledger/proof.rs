//! `ledger prove`: a proof that travels without the ledger.

use std::path::Path;
use std::process::ExitCode;

use chancery_ledger::LedgerReader;
use chancery_release::{Entry, Workspace};

use super::Result;
use crate::failure::Failure;
use crate::text;

pub(super) fn prove(workspace: &Workspace, id: &str, output: Option<&Path>) -> Result {
    let reader = workspace.ledger_reader()?;
    let index = find(&reader, id)?.ok_or_else(|| {
        Failure::new(format!("the ledger has no release `{id}`"))
            .hint("`chancery ledger show` lists the entries; an index will do as well")
    })?;
    let mut proof = reader.prove(index)?;
    // The entry comes along, so that the proof can be checked alone.
    proof.extra = Some(reader.entry(index)?);
    let proof = proof.to_string();
    match output {
        Some(file) => {
            std::fs::write(file, proof).map_err(|error| Failure::file("write", file, &error))?;
        }
        None => text::print(proof.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

fn find(reader: &LedgerReader, id: &str) -> Result<Option<u64>> {
    if let Ok(index) = id.parse() {
        return Ok(Some(index).filter(|index| *index < reader.size()));
    }
    for entry in reader.entries(0..reader.size())? {
        let (index, bytes) = entry?;
        if matches!(Entry::from_bytes(&bytes).known(), Some(Entry::Release(entry)) if entry.id == id)
        {
            return Ok(Some(index));
        }
    }
    Ok(None)
}
