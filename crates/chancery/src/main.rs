//! The `chancery` command.
//!
//! Data goes to stdout, progress and logs to stderr. Exit codes: 0 done, 1 failure, 2 denied,
//! 3 invalid law pack or request, 4 unproven.

mod args;
mod calendar;

mod command;

mod failure;

mod passphrase;

mod private;

mod progress;

mod text;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use args::{Args, Command};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return misused(error),
    };
    let context = command::Context {
        workspace: args.workspace.clone(),
        format: args.format,
        progress: progress::Progress::new(),
        passphrases: passphrase::Passphrases::new(args.passphrase_file.clone()),
    };
    let result = match &args.command {
        Command::Demo(args) => command::demo::run(&context, args),
        Command::Init(args) => command::init::run(&context, args),
        Command::Synth(args) => command::synth::run(&context, args),
        Command::Dataset(args) => command::dataset::run(&context, args),
        Command::Law(args) => command::law::run(&context, args),
        Command::Decide(args) => command::decide::run(&context, args),
        Command::Release(args) => command::release::run(&context, args),
        Command::Verify(args) => command::verify::run(&context, args),
        Command::Account(args) => command::account::run(&context, args),
        Command::Exhibit(args) => command::exhibit::run(&context, args),
        Command::Ledger(args) => command::ledger::run(&context, args),
        Command::VerifyProof(args) => command::verify_proof::run(&context, args),
        Command::Completions(args) => Ok(command::completions::run(args)),
        Command::Man(args) => command::man::run(args),
    };
    context.progress.finish();
    match result {
        Ok(code) => text::unprinted().map_or(code, |failure| failure.report()),
        Err(failure) => failure.knowing(&context.passphrases).report(),
    }
}

/// Whether it is `--key` that was left out.
fn lacks_key(error: &clap::Error) -> bool {
    let missing = error.get(ContextKind::InvalidArg);
    error.kind() == ErrorKind::MissingRequiredArgument
        && matches!(missing, Some(ContextValue::Strings(names))
            if names.iter().any(|name| name.starts_with("--key ")))
}

/// Help and version are asked for; anything else is a failure, and not clap's own 2, which here
/// says that a request was denied.
fn misused(mut error: clap::Error) -> ExitCode {
    if lacks_key(&error) {
        let tip = "`--key` names the key file of who signs; the first roles are signed with \
                   `--key keys/custodian.key`";
        let tip = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tip);
    }
    // A closed stream is no further failure.
    drop(error.print());
    if error.use_stderr() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
