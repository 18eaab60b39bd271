use std::process::ExitCode;

use clap::CommandFactory as _;

use super::Result;
use crate::args::{self, Args};
use crate::failure::Failure;
use crate::text;

pub(crate) fn run(args: &args::Man) -> Result {
    if let Some(dir) = &args.dir {
        let failed = |error: std::io::Error| Failure::file("write the manual into", dir, &error);
        std::fs::create_dir_all(dir).map_err(failed)?;
        clap_mangen::generate_to(Args::command(), dir).map_err(failed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command())
        .render(&mut page)
        .map_err(|error| Failure::new(format!("cannot write the manual: {error}")))?;
    text::print(String::from_utf8_lossy(&page).trim_end());
    Ok(ExitCode::SUCCESS)
}
