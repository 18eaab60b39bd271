//! How long the law part of a decision takes, and what the same decision would take if the
//! ordinary Cedar authorizer were asked about every person and element.
//!
//! The rate of the authorizer is that of the second evaluator: the same policies, entities and
//! requests, on the records that stand for the combinations that occur, in as many threads.
//!
//!     law_part WORKSPACE REQUEST.toml DAY

#![allow(clippy::print_stdout, reason = "what the benchmark reads")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use chancery_model::Request;
use chancery_release::{Known, Workspace, answer, ask};

const REPEAT: u32 = 20;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workspace, request, day] = arguments.as_slice() else {
        return Err("law_part WORKSPACE REQUEST.toml DAY".into());
    };
    let workspace = Workspace::find(Path::new(workspace))?;
    let (law, load) = timed(|| Ok(workspace.law()?))?;
    let text = std::fs::read_to_string(request)?;
    let asked = Request::parse(request, &text)?;
    let (dataset, open) = timed(|| Ok(workspace.dataset(&asked.dataset, &law)?))?;
    let question = ask(request, &text, asked, &law, &dataset)?;
    let day = day.parse()?;
    let standing = workspace.standing(&law, day, Known::Now)?;
    let (in_force, force) = timed(|| Ok(law.in_force(day, workspace.sign_off(&standing))?))?;
    let (ruling, rule) = timed(|| Ok(in_force.decide(&question.query)?))?;
    let occurring = dataset.census.signatures();
    let (confirmed, confirm) = timed(|| Ok(in_force.confirm(ruling.clone(), &occurring)?))?;
    let decisions = confirmed.decisions();
    let elements = question.elements.len() as u64;
    let people = dataset.census.total();
    let (_, count) = timed(|| {
        let confirmed = confirmed.clone();
        Ok(answer(question.clone(), confirmed, &law, &dataset))
    })?;
    let each = confirm.as_secs_f64() / f64::from(u32::try_from(decisions)?);
    let asked = f64::from(u32::try_from(people)?) * f64::from(u32::try_from(elements)?);
    let mine = force + rule + confirm + count;
    println!(
        "law pack loaded and validated {load:.1?}, dataset opened {open:.1?}, instruments in force {force:.1?}"
    );
    println!(
        "law part: {} elements partially evaluated and turned into predicates {rule:.1?}",
        ruling.elements.len()
    );
    println!("second evaluator: {decisions} decisions {confirm:.1?}; people counted {count:.1?}");
    println!(
        "record by record (extrapolated): {people} people x {elements} elements x {:.1} us = {:.0} s, {:.0} times the decision here ({mine:.1?})",
        each * 1e6,
        asked * each,
        asked * each / mine.as_secs_f64()
    );
    Ok(())
}

/// The result and the best time of several.
fn timed<T>(mut work: impl FnMut() -> Result<T>) -> Result<(T, Duration)> {
    let mut best = None;
    for _ in 0..REPEAT {
        let start = Instant::now();
        let done = work()?;
        let took = start.elapsed();
        if best.as_ref().is_none_or(|(_, least)| took < *least) {
            best = Some((done, took));
        }
    }
    best.ok_or_else(|| "nothing was measured".into())
}
