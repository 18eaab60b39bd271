//! The `chancery` command.
//!
//! Data goes to stdout, progress and logs to stderr. Exit codes: 0 done, 1 failure, 2 denied,
//! 3 invalid law pack or request, 4 unproven.

mod args;

mod command;

mod failure;

mod passphrase;

mod progress;

mod text;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return misused(&error),
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
        Command::Ledger(args) => command::ledger::run(&context, args),
        Command::VerifyProof(args) => command::verify_proof::run(&context, args),
        Command::Completions(args) => Ok(command::completions::run(args)),
        Command::Man(args) => command::man::run(args),
    };
    context.progress.finish();
    match result {
        Ok(code) => text::unprinted().map_or(code, |failure| failure.report()),
        Err(failure) => failure.report(),
    }
}

/// Help and version are asked for; anything else is a failure, and not clap's own 2, which here
/// says that a request was denied.
fn misused(error: &clap::Error) -> ExitCode {
    // A closed stream is no further failure.
    drop(error.print());
    if error.use_stderr() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
