use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::args::{self, Args};
use crate::text;

pub(crate) fn run(args: &args::Completions) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "chancery", &mut script);
    text::print(String::from_utf8_lossy(&script).trim_end());
    ExitCode::SUCCESS
}
