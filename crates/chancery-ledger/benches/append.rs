//! Appending from many threads to a folder on the local disk: how many, and how long each waits.
//!
//! Each writer appends one entry, waits until it is published, and appends the next. Without
//! `--bench`, as in a test run, every number of writers appends for a moment only.

#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]
#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use chancery_ledger::{Appender, Folder, Ledger, LogKeys, Parts, SqliteLock};

/// About the length of a release's entry.
const ENTRY_BYTES: usize = 400;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let is_measured = args.iter().any(|arg| arg == "--bench");
    let seconds = if is_measured { 10.0 } else { 0.1 };
    let asked: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let writers = if asked.is_empty() {
        vec![1, 16, 256, 1_024]
    } else {
        asked
    };
    println!("| writers | entries/s | p50 ms | p99 ms | longest ms |");
    println!("|--:|--:|--:|--:|--:|");
    for writers in writers {
        measure(writers, Duration::from_secs_f64(seconds));
    }
}

fn measure(writers: usize, time: Duration) {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (appender, writer) = Appender::start(ledger(dir.path())).unwrap();
    let start = Instant::now();
    let threads: Vec<_> = (0..writers)
        .map(|number| {
            let appender = appender.clone();
            thread::spawn(move || append(&appender, number, start + time))
        })
        .collect();
    drop(appender);
    let mut waits: Vec<Duration> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    let seconds = start.elapsed().as_secs_f64();
    let ledger = writer.join().unwrap();
    assert_eq!(ledger.size(), waits.len() as u64);

    waits.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let rate = waits.len() as f64 / seconds;
    let per_mille = |part: usize| {
        let wait = waits.get((waits.len() * part / 1_000).min(waits.len() - 1));
        wait.unwrap().as_secs_f64() * 1_000.0
    };
    println!(
        "| {writers} | {rate:.0} | {:.1} | {:.1} | {:.1} |",
        per_mille(500),
        per_mille(990),
        per_mille(1_000)
    );
}

fn ledger(dir: &Path) -> Ledger {
    let keys = LogKeys::random("chancery.example/bench").unwrap();
    let parts = Parts {
        storage: Box::new(Folder::new(dir.join("ledger"))),
        lock: Box::new(SqliteLock::create(&dir.join("lock.db")).unwrap()),
        known: keys.keyring(),
        keys,
        cosigner: None,
        clock: Box::new(|| 1_800_000_000),
    };
    Ledger::create(parts).unwrap()
}

/// How long each append took, until `end`; at least one is made.
fn append(appender: &Appender, writer: usize, end: Instant) -> Vec<Duration> {
    let mut waits = Vec::new();
    loop {
        let start = Instant::now();
        let entry = format!("{:>ENTRY_BYTES$}", format!("{writer} {}", waits.len()));
        appender.append(entry.into_bytes()).unwrap();
        waits.push(start.elapsed());
        if Instant::now() >= end {
            return waits;
        }
    }
}
