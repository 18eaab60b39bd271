use std::process::ExitCode;

use clap::CommandFactory as _;

use super::Result;
use crate::args::{self, Args};
use crate::failure::Failure;

pub(crate) fn run(args: &args::Man) -> Result {
    let failed = |error: std::io::Error| Failure::new(format!("cannot write the manual: {error}"));
    match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(failed)?;
            clap_mangen::generate_to(Args::command(), dir).map_err(failed)?;
        }
        None => {
            clap_mangen::Man::new(Args::command())
                .render(&mut std::io::stdout())
                .map_err(failed)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
