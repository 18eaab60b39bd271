//! A log of a million entries: one proof, its verification, and `fsck` of the whole.
//!
//! In a test run the log is a small one.

#![allow(missing_docs, reason = "criterion's own functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]
#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::path::Path;
use std::time::Instant;

use chancery_ledger::{
    Folder, Ledger, LedgerReader, LogKeys, Parts, SqliteLock, Storage, fsck, verify_proof,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const ENTRY_BYTES: usize = 400;
const BATCH: u64 = 2_048;

fn entry(index: u64) -> Vec<u8> {
    format!("{index:>ENTRY_BYTES$}").into_bytes()
}

fn log(dir: &Path, keys: &LogKeys, size: u64) {
    let parts = Parts {
        storage: Box::new(Folder::new(dir.join("ledger"))),
        lock: Box::new(SqliteLock::create(&dir.join("lock.db")).unwrap()),
        keys: keys.clone(),
        known: keys.keyring(),
        cosigner: None,
        clock: Box::new(|| 1_800_000_000),
    };
    let mut ledger = Ledger::create(parts).unwrap();
    let start = Instant::now();
    while ledger.size() < size {
        let next = ledger.size();
        let entries: Vec<Vec<u8>> = (next..size.min(next + BATCH)).map(entry).collect();
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        ledger.append_batch(&entries).unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    let folder = Folder::new(dir.join("ledger"));
    let files = folder.list("").unwrap();
    let bytes: usize = files
        .iter()
        .map(|file| folder.read(file).unwrap().unwrap().len())
        .sum();
    println!("appended {size} entries, {BATCH} at a time, in {seconds:.1} s");
    println!("they are {bytes} bytes in {} files", files.len());
}

fn read(c: &mut Criterion) {
    let is_measured = std::env::args().any(|arg| arg == "--bench");
    let size = if is_measured { 1_000_000 } else { 1_000 };
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let keys = LogKeys::random("chancery.example/bench").unwrap();
    log(dir.path(), &keys, size);
    let (folder, keyring) = (dir.path().join("ledger"), keys.keyring());
    let reader = LedgerReader::open_with(Box::new(Folder::new(&folder)), &keyring).unwrap();

    // Steps through the log without a pattern that a cache would like.
    let mut at = 0;
    let mut next = move || {
        at = (at + 618_033_989) % size;
        at
    };
    c.bench_function("prove, a random entry", |b| {
        b.iter_batched(
            &mut next,
            |index| reader.prove(index).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let proof = reader.prove(size / 3).unwrap().to_string();
    let proven = entry(size / 3);
    c.bench_function("verify_proof", |b| {
        b.iter(|| verify_proof(&proof, &proven, &keyring).unwrap());
    });
    let lock = SqliteLock::for_reading(&dir.path().join("lock.db")).unwrap();
    let mut group = c.benchmark_group("fsck");
    group.sample_size(10);
    group.bench_function(format!("{size} entries"), |b| {
        b.iter(|| {
            let report = fsck(&Folder::new(&folder), Some(&keyring), Some(&lock)).unwrap();
            assert!(report.is_sound() && report.entries_verified == size);
        });
    });
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
