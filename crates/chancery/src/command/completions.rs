use std::process::ExitCode;

use clap::CommandFactory as _;

use super::Result;
use crate::args::{self, Args};

pub(crate) fn run(args: &args::Completions) -> Result {
    clap_complete::generate(
        args.shell,
        &mut Args::command(),
        "chancery",
        &mut std::io::stdout(),
    );
    Ok(ExitCode::SUCCESS)
}
