mod export;
mod fsck;
mod keys;
mod monitor;
mod proof;
mod show;
mod witness;

use std::process::ExitCode;

use chancery_release::{Clock as _, System, write_ledger};

use super::{Context, Result};
use crate::args::{self, LedgerCommand};
use crate::text;

pub(crate) fn run(context: &Context, args: &args::Ledger) -> Result {
    match &args.command {
        LedgerCommand::Checkpoint { refresh } => checkpoint(context, *refresh),
        LedgerCommand::Prove { id, output } => {
            proof::prove(&context.workspace()?, id, output.as_deref())
        }
        LedgerCommand::Fsck { repair } => fsck::run(context, &context.workspace()?, *repair),
        LedgerCommand::Show(args) => show::run(context, &context.workspace()?, args),
        LedgerCommand::Export => export::run(&context.workspace()?),
        LedgerCommand::Keys { command } => keys::run(context, &context.workspace()?, command),
        // These run where there is no workspace: the custodian has no say in them.
        LedgerCommand::Witness(args) => witness::run(context, args),
        LedgerCommand::Monitor(args) => monitor::run(context, args),
    }
}

/// The time, in seconds since 1970.
fn now() -> u64 {
    u64::try_from(System.now().as_second()).unwrap_or_default()
}

fn checkpoint(context: &Context, refresh: bool) -> Result {
    let workspace = context.workspace()?;
    if refresh {
        write_ledger(&workspace, &System, &context.progress)?.refresh()?;
    }
    text::print(
        workspace
            .ledger_reader()?
            .checkpoint()
            .to_string()
            .trim_end(),
    );
    Ok(ExitCode::SUCCESS)
}
