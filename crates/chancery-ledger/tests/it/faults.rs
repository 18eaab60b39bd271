//! Every call to the disk fails in every way at every point; then the next process opens the ledger.
//!
//! What must hold: fsck finds nothing; every acknowledged entry is at its index; no index was given
//! twice; and every checkpoint that was ever published is of a prefix of the final tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chancery_ledger::{
    Error, LedgerReader, Lock as _, Receipt, SqliteLock, Storage as _, UnverifiedCheckpoint,
    verify_proof,
};

use crate::disk::{Disk, Fault, HONEST};
use crate::tree::ledger_of;
use crate::{entries, entry, keyring, open, open_in, oracle, reader, slices};

/// Batches that cross the boundary of the first tile: within it, over it, and after it.
const BATCHES: [u64; 3] = [1, 3, 1];
const FIRST: u64 = 254;

/// Entries that were acknowledged, by index.
type Acknowledged = BTreeMap<u64, Vec<u8>>;

fn record(acknowledged: &mut Acknowledged, receipts: Vec<Receipt>, sent: &[Vec<u8>]) {
    assert_eq!(receipts.len(), sent.len());
    for (receipt, entry) in receipts.into_iter().zip(sent) {
        let before = acknowledged.insert(receipt.index(), entry.clone());
        assert_eq!(before, None, "index {} was given twice", receipt.index());
    }
}

/// Appends batch after batch until something fails; texts differ from run to run.
fn run(disk: &Disk, tag: &str, acknowledged: &mut Acknowledged) -> Result<(), Error> {
    let mut ledger = open(disk)?;
    for (number, count) in BATCHES.into_iter().enumerate() {
        let batch: Vec<Vec<u8>> = (0..count)
            .map(|i| format!("{tag} batch {number} entry {i}").into_bytes())
            .collect();
        let receipts = ledger.append_batch(&slices(&batch))?;
        record(acknowledged, receipts, &batch);
    }
    Ok(())
}

/// The number of calls to the disk in a run without faults.
fn calls_in_a_run(base: &Disk) -> usize {
    let disk = base.fork();
    run(&disk, "first", &mut Acknowledged::new()).unwrap();
    disk.calls()
}

fn check(disk: &Disk, acknowledged: &Acknowledged, case: &str) {
    let report = crate::check(disk);
    // A temporary file that a crash left is named, and does no harm.
    let is_harmless = |problem: &chancery_ledger::Problem| problem.what.contains("temporary file");
    assert!(
        report.problems.iter().all(is_harmless),
        "{case}: {:?}",
        report.problems
    );
    let reader = reader(disk);
    let all: Vec<Vec<u8>> = reader
        .entries(0..reader.size())
        .unwrap()
        .map(|read| read.unwrap().1)
        .collect();
    for (index, entry) in acknowledged {
        assert_eq!(
            all.get(usize::try_from(*index).unwrap()),
            Some(entry),
            "{case}: {index}"
        );
    }
    for index in 0..FIRST {
        assert_eq!(all[usize::try_from(index).unwrap()], entry(index), "{case}");
    }
    let roots = oracle::prefix_roots(&all);
    for note in disk.signed() {
        let checkpoint = UnverifiedCheckpoint::parse(&note).unwrap();
        let root = roots.get(usize::try_from(checkpoint.size()).unwrap());
        assert_eq!(
            root,
            Some(&checkpoint.root()),
            "{case}: a fork at {}",
            checkpoint.size()
        );
    }
}

/// Opens again, appends more, and checks.
fn recover_and_go_on(disk: &Disk, acknowledged: &mut Acknowledged, case: &str) {
    let mut ledger = open(disk).expect(case);
    check(disk, acknowledged, case);
    let sent = vec![format!("after {case}").into_bytes()];
    let receipts = ledger.append_batch(&slices(&sent)).expect(case);
    verify_proof(&receipts[0].proof().to_string(), &sent[0], &keyring()).expect(case);
    record(acknowledged, receipts, &sent);
    check(disk, acknowledged, case);
}

/// Which of the changes that were not synced last: none for seed 0, some for the others.
fn pattern(seed: u64, call: usize) -> impl FnMut() -> bool {
    let mut state = (seed << 32) | call as u64;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        seed != 0 && state >> 63 == 1
    }
}

#[test]
fn every_call_fails_in_every_way_and_nothing_acknowledged_is_lost() {
    let base = ledger_of(&[FIRST]);
    for call in 0..calls_in_a_run(&base) {
        for fault in HONEST {
            let disk = base.fork();
            disk.fail_at(call, fault);
            let mut acknowledged = Acknowledged::new();
            let outcome = run(&disk, "first", &mut acknowledged);
            assert!(outcome.is_err(), "a failed call {call} was passed over");
            disk.restart();
            recover_and_go_on(&disk, &mut acknowledged, &format!("{fault:?} at {call}"));
        }
    }
}

#[test]
fn recovery_itself_fails_at_every_call_and_the_next_one_succeeds() {
    let base = ledger_of(&[FIRST]);
    // Cut short right after the checkpoint got into the lock, over the boundary of a tile.
    let batch = entries(FIRST..FIRST + 4);
    let decided = (0..).find_map(|call| {
        let disk = base.fork();
        disk.kill_at(call);
        drop(open(&disk).and_then(|mut ledger| ledger.append_batch(&slices(&batch))));
        disk.restart();
        let locked = disk.load().unwrap().checkpoint.unwrap();
        locked
            .contains(&format!("\n{}\n", FIRST + 4))
            .then_some(disk)
    });
    let staged = decided.unwrap();
    let whole = staged.fork();
    open(&whole).unwrap();

    for call in 0..whole.calls() {
        for fault in [Fault::NotPersisted, Fault::PersistedButReportedFailed] {
            let disk = staged.fork();
            disk.fail_at(call, fault);
            assert!(open(&disk).is_err());
            disk.restart();
            let ledger = open(&disk).unwrap();
            assert_eq!(ledger.size(), FIRST + 4, "{fault:?} at {call}");
            check(&disk, &Acknowledged::new(), "recovery");
        }
    }
}

#[test]
fn a_staged_append_that_was_lost_is_not_taken_for_an_older_one() {
    let base = ledger_of(&[3]);
    for call in 0..30 {
        // An append that was staged and not decided, then one whose own staging is lost.
        let disk = base.fork();
        disk.kill_at(call);
        drop(open(&disk).and_then(|mut ledger| ledger.append(b"first")));
        disk.restart();
        let Ok(mut ledger) = open(&disk) else {
            continue;
        };
        let next = disk.calls();
        disk.fail_at(next, Fault::Lost);
        if let Ok(receipt) = ledger.append(b"second") {
            let proof = receipt.proof().to_string();
            verify_proof(&proof, b"second", &keyring()).unwrap();
        }
    }
}

#[test]
fn power_fails_at_every_call_and_nothing_acknowledged_is_lost() {
    let base = ledger_of(&[FIRST]);
    for call in 0..calls_in_a_run(&base) {
        for seed in 0..4_u64 {
            let disk = base.fork();
            disk.kill_at(call);
            let mut acknowledged = Acknowledged::new();
            assert!(run(&disk, "first", &mut acknowledged).is_err());
            disk.lose_power(pattern(seed, call));
            recover_and_go_on(&disk, &mut acknowledged, &format!("power {seed} at {call}"));
        }
    }
}

#[test]
fn power_fails_again_right_after_recovery() {
    let base = ledger_of(&[FIRST]);
    for call in 0..calls_in_a_run(&base) {
        let disk = base.fork();
        disk.fail_at(call, Fault::PersistedButReportedFailed);
        let mut acknowledged = Acknowledged::new();
        assert!(run(&disk, "first", &mut acknowledged).is_err());
        disk.restart();
        let mut ledger = open(&disk).unwrap();
        let sent = vec![b"acknowledged after recovery".to_vec()];
        record(
            &mut acknowledged,
            ledger.append_batch(&slices(&sent)).unwrap(),
            &sent,
        );
        drop(ledger);
        disk.lose_power(|| false);
        recover_and_go_on(
            &disk,
            &mut acknowledged,
            &format!("second power failure, {call}"),
        );
    }
}

#[test]
fn power_fails_right_after_an_opening_that_appends_nothing() {
    let base = ledger_of(&[FIRST]);
    for call in 0..calls_in_a_run(&base) {
        for seed in 0..4 {
            let disk = base.fork();
            disk.fail_at(call, Fault::PersistedButReportedFailed);
            let mut acknowledged = Acknowledged::new();
            assert!(run(&disk, "first", &mut acknowledged).is_err());
            disk.restart();
            open(&disk).unwrap();
            disk.lose_power(pattern(seed, call));
            recover_and_go_on(
                &disk,
                &mut acknowledged,
                &format!("opened, {seed} at {call}"),
            );
        }
    }
}

#[test]
fn the_real_folder_and_database_recover_from_every_point_too() {
    let base = ledger_of(&[FIRST]);
    for call in 0..calls_in_a_run(&base) {
        let disk = base.fork();
        disk.kill_at(call);
        let mut acknowledged = Acknowledged::new();
        run(&disk, "first", &mut acknowledged).unwrap_err();

        let folder = tempfile::tempdir().unwrap();
        copy_out(&disk, folder.path());
        let ledger = open_in(folder.path()).unwrap();
        let dir = folder.path().join("ledger");
        let lock = SqliteLock::for_reading(&folder.path().join("lock.sqlite")).unwrap();
        let storage = chancery_ledger::Folder::new(&dir);
        let report = chancery_ledger::fsck(&storage, Some(&keyring()), Some(&lock)).unwrap();
        assert!(
            report.is_sound() || report.is_unfinished(),
            "{call}: {:?}",
            report.problems
        );
        let reader = LedgerReader::open(&dir).unwrap();
        assert_eq!(reader.checkpoint(), ledger.checkpoint());
        for (index, entry) in &acknowledged {
            assert_eq!(reader.entry(*index).unwrap(), *entry);
        }
    }
}

fn copy_out(disk: &Disk, to: &Path) {
    for path in disk.folder().list("").unwrap() {
        let file = to.join("ledger").join(&path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, disk.file(&path).unwrap()).unwrap();
    }
    let (lock, held) = (
        SqliteLock::create(&to.join("lock.sqlite")).unwrap(),
        disk.load().unwrap(),
    );
    lock.stage(&held.staged.unwrap_or_default()).unwrap();
    lock.swap(None, &held.checkpoint.unwrap()).unwrap();
}
