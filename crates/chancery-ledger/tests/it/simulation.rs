//! Schedules of failures that a seed decides: writes that are torn, lost, reordered, misdirected or
//! reported wrongly, and processes that die, against a naive tree as the model.
//!
//! `CHANCERY_SCHEDULES` says how many; `CHANCERY_SEED` runs the one schedule that failed.

use std::collections::BTreeMap;

use chancery_ledger::{Error, Receipt, UnverifiedCheckpoint, parse_bundle};

use crate::disk::{Disk, Fault, HONEST};
use crate::tree::ledger_of;
use crate::{oracle, slices};

/// Sizes to start from: empty, small, and on either side of a full tile.
const STARTS: [u64; 4] = [0, 3, 254, 511];
/// How many schedules a test run tries.
const SCHEDULES: u64 = 2_000;

/// A generator whose whole state is the seed: `splitmix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, sides: u64) -> u64 {
        self.roll() % sides
    }

    fn index(&mut self, sides: usize) -> usize {
        usize::try_from(self.below(sides as u64)).unwrap()
    }
}

#[derive(Default)]
struct Seen {
    acknowledged: BTreeMap<u64, Vec<u8>>,
    /// Whether the disk has lied: then damage has to be found, and cannot be prevented.
    lied: bool,
    deaths: u64,
    refusals: u64,
    /// Appends that were finished by a later process.
    finished: u64,
    faults: BTreeMap<&'static str, u64>,
}

/// One process: opens the log, appends until it fails or has had enough.
fn run(disk: &Disk, dice: &mut Dice, tag: &str, seen: &mut Seen) -> Result<(), Error> {
    let mut ledger = crate::open(disk)?;
    for batch in 0..=dice.below(3) {
        let count = 1 + dice.below(4);
        let entries: Vec<Vec<u8>> = (0..count)
            .map(|entry| format!("{tag} {batch} {entry}").into_bytes())
            .collect();
        let receipts = ledger.append_batch(&slices(&entries))?;
        note(seen, receipts, &entries);
    }
    Ok(())
}

fn note(seen: &mut Seen, receipts: Vec<Receipt>, entries: &[Vec<u8>]) {
    assert_eq!(receipts.len(), entries.len());
    for (receipt, entry) in receipts.into_iter().zip(entries) {
        let before = seen.acknowledged.insert(receipt.index(), entry.clone());
        assert_eq!(before, None, "index {} was given twice", receipt.index());
    }
}

/// Lets something go wrong at one of the next calls.
fn plan(disk: &Disk, dice: &mut Dice, seen: &mut Seen, may_lie: bool) {
    let call = dice.index(60);
    let (name, fault) = match dice.below(6) {
        0 => ("none", None),
        1 => {
            disk.kill_at(call);
            ("killed", None)
        }
        2 if may_lie => ("lost", Some(Fault::Lost)),
        3 if may_lie => ("misdirected", Some(Fault::Misdirected)),
        _ => {
            let fault = HONEST[dice.index(HONEST.len())];
            let name = match fault {
                Fault::NotPersisted => "not persisted",
                Fault::PersistedButReportedFailed => "reported failed",
                _ => "torn",
            };
            (name, Some(fault))
        }
    };
    seen.lied |= matches!(fault, Some(Fault::Lost | Fault::Misdirected));
    *seen.faults.entry(name).or_default() += 1;
    if let Some(fault) = fault {
        disk.fail_at(call, fault);
    }
}

/// The entries that the log has decided on, from the lock's history alone; every checkpoint that was
/// ever signed has to be the root of a prefix of them.
fn model(disk: &Disk, case: &str) -> Vec<Vec<u8>> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for (note, staged) in disk.decided() {
        let checkpoint = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap();
        if position(checkpoint.size()) > entries.len() {
            let bundle = staged.splitn(7, |byte| *byte == b'\n').nth(6).unwrap();
            entries.extend(
                parse_bundle(bundle)
                    .unwrap()
                    .into_iter()
                    .map(<[u8]>::to_vec),
            );
        }
        assert_eq!(
            position(checkpoint.size()),
            entries.len(),
            "{case}: a place was given twice"
        );
    }
    let roots = oracle::prefix_roots(&entries);
    for note in disk.signed() {
        // A disk that lies may leave half a checkpoint in place, which nobody signed.
        if let Ok(checkpoint) = UnverifiedCheckpoint::parse(&note) {
            let root = roots.get(position(checkpoint.size()));
            assert_eq!(root, Some(&checkpoint.root()), "{case}: a fork");
        }
    }
    entries
}

fn position(index: u64) -> usize {
    usize::try_from(index).unwrap()
}

fn schedule(number: u64, bases: &[Disk]) -> Seen {
    let case = format!("CHANCERY_SEED={number}");
    let mut dice = Dice(number);
    let disk = bases[dice.index(bases.len())].fork();
    let may_lie = dice.below(3) == 0;
    let mut seen = Seen::default();
    for process in 0..=dice.below(4) {
        plan(&disk, &mut dice, &mut seen, may_lie);
        if run(&disk, &mut dice, &format!("{number} {process}"), &mut seen).is_err() {
            seen.deaths += 1;
        }
        if dice.below(2) == 0 {
            disk.restart();
        } else {
            // Any of what was not synced lasts, in any order.
            disk.lose_power(|| dice.below(2) == 0);
        }
    }
    settle(&disk, &mut seen, &case);
    seen
}

/// A last process on a disk that works: what must hold after all that.
fn settle(disk: &Disk, seen: &mut Seen, case: &str) {
    let decided = model(disk, case);
    let outcome = crate::open(disk);
    if let Err(error) = &outcome {
        assert!(seen.lied, "{case}: {error}");
        seen.refusals += 1;
        return;
    }
    drop(outcome);
    let report = crate::check(disk);
    let is_harmless = |problem: &chancery_ledger::Problem| problem.what.contains("temporary file");
    if !report.problems.iter().all(is_harmless) {
        assert!(seen.lied, "{case}: {:?}", report.problems);
        seen.refusals += 1;
        return;
    }
    // Sound: then it holds all that was decided, and all that was acknowledged was decided.
    let reader = crate::reader(disk);
    assert_eq!(position(reader.size()), decided.len(), "{case}");
    let entries = reader.entries(0..reader.size()).unwrap();
    let entries: Vec<Vec<u8>> = entries.map(|entry| entry.unwrap().1).collect();
    assert_eq!(entries, decided, "{case}");
    for (index, entry) in &seen.acknowledged {
        assert_eq!(&entries[position(*index)], entry, "{case}: {index} is lost");
    }
    seen.finished += u64::from(entries.len() > seen.acknowledged.len());
}

#[test]
fn no_schedule_of_failures_loses_an_entry_or_forks_the_log() {
    let bases = STARTS.map(|start| match start {
        0 => ledger_of(&[]),
        start => ledger_of(&[start]),
    });
    let setting = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    if let Some(seed) = setting("CHANCERY_SEED") {
        schedule(seed, &bases);
        return;
    }
    let count = setting("CHANCERY_SCHEDULES").unwrap_or(SCHEDULES);
    let next = std::sync::atomic::AtomicU64::new(0);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let seen = std::sync::Mutex::new(Seen::default());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let one = schedule(number, &bases);
                    let mut all = seen.lock().unwrap();
                    all.deaths += one.deaths;
                    all.refusals += one.refusals;
                    all.finished += one.finished;
                    for (name, times) in one.faults {
                        *all.faults.entry(name).or_default() += times;
                    }
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    println!(
        "{count} schedules: {:?}; {} processes died, {} logs were refused",
        seen.faults, seen.deaths, seen.refusals
    );
    // Every kind of failure has happened, often enough to mean something.
    assert_eq!(seen.faults.len(), 7);
    assert!(seen.deaths > count / 4 && seen.refusals > 0 && seen.finished > 0);
}
