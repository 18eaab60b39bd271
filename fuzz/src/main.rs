//! `chancery-fuzz SECONDS SEED [TARGET …]`: runs targets one after another and prints counts;
//! `chancery-fuzz names` prints their names.

use std::process::ExitCode;
use std::time::Duration;

use chancery_fuzz::{Until, run, targets::all};

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command prints"
)]
fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    if args.peek().is_some_and(|first| first == "names") {
        all().for_each(|target| println!("{}", target.name));
        return ExitCode::SUCCESS;
    }
    let mut number = |default: u64| {
        args.next()
            .and_then(|arg| arg.parse().ok())
            .unwrap_or(default)
    };
    let (seconds, seed) = (number(60), number(1));
    let wanted: Vec<String> = args.collect();
    let mut code = ExitCode::SUCCESS;
    if let Some(unknown) = wanted
        .iter()
        .find(|name| all().all(|target| target.name != **name))
    {
        eprintln!("there is no target `{unknown}`");
        return ExitCode::FAILURE;
    }
    for target in all() {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == target.name) {
            continue;
        }
        match run(target, seed, Until::Time(Duration::from_secs(seconds))) {
            Ok(count) => println!(
                "{:<12} {} inputs, {} taken",
                target.name, count.inputs, count.taken
            ),
            Err(problem) => {
                eprintln!("{problem}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
