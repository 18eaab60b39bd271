//! Every call to the disk fails in every way at every point; then the next process opens the ledger.
//!
//! What must hold: fsck finds nothing; every acknowledged entry is at its index; no index was given
//! twice; and every checkpoint that was ever published is of a prefix of the final tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chancery_ledger::{
    Ledger, LedgerReader, Receipt, Storage as _, UnverifiedCheckpoint, fsck, fsck_on, verify_proof,
};

use crate::disk::{Disk, FAULTS, Fault};
use crate::tree::ledger_of;
use crate::{entries, entry, key, oracle};

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
fn run(
    disk: &Disk,
    tag: &str,
    acknowledged: &mut Acknowledged,
) -> Result<(), chancery_ledger::Error> {
    let mut ledger = Ledger::open_on(Box::new(disk.clone()), &key())?;
    for (number, count) in BATCHES.into_iter().enumerate() {
        let batch: Vec<Vec<u8>> = (0..count)
            .map(|i| format!("{tag} batch {number} entry {i}").into_bytes())
            .collect();
        let receipts = ledger.append_batch(&crate::slices(&batch))?;
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
    let report = fsck_on(disk, Some(&key().keyring())).unwrap();
    assert_eq!(report.problems, [], "{case}");
    let reader = LedgerReader::open_on(Box::new(disk.clone())).unwrap();
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
    for note in disk.published() {
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
    let mut ledger = Ledger::open_on(Box::new(disk.clone()), &key()).expect(case);
    check(disk, acknowledged, case);
    let sent = vec![format!("after {case}").into_bytes()];
    let receipts = ledger.append_batch(&crate::slices(&sent)).expect(case);
    verify_proof(receipts[0].proof(), &sent[0], &key().keyring()).expect(case);
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
        for fault in FAULTS {
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
    // Cut short right after staging, over the boundary.
    let staged = base.fork();
    let mut ledger = Ledger::open_on(Box::new(staged.clone()), &key()).unwrap();
    staged.kill_at(staged.calls() + 3);
    ledger
        .append_batch(&crate::slices(&entries(FIRST..FIRST + 4)))
        .unwrap_err();
    let whole = staged.fork();
    Ledger::open_on(Box::new(whole.clone()), &key()).unwrap();

    for call in 0..whole.calls() {
        for fault in [Fault::NotPersisted, Fault::PersistedButReportedFailed] {
            let disk = staged.fork();
            disk.fail_at(call, fault);
            assert!(Ledger::open_on(Box::new(disk.clone()), &key()).is_err());
            disk.restart();
            let ledger = Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
            assert_eq!(ledger.size(), FIRST + 4, "{fault:?} at {call}");
            check(&disk, &Acknowledged::new(), "recovery");
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
        let mut ledger = Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
        let sent = vec![b"acknowledged after recovery".to_vec()];
        record(
            &mut acknowledged,
            ledger.append_batch(&crate::slices(&sent)).unwrap(),
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
            Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
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
fn the_real_folder_recovers_from_every_point_too() {
    let base = ledger_of(&[FIRST]);
    for call in 0..calls_in_a_run(&base) {
        let disk = base.fork();
        disk.kill_at(call);
        let mut acknowledged = Acknowledged::new();
        run(&disk, "first", &mut acknowledged).unwrap_err();

        let folder = tempfile::tempdir().unwrap();
        copy_out(&disk, folder.path());
        let ledger = Ledger::open(folder.path(), &key()).unwrap();
        let report = fsck(folder.path(), Some(&key().keyring())).unwrap();
        assert_eq!(report.problems, [], "killed at {call}");
        let reader = LedgerReader::open(folder.path()).unwrap();
        assert_eq!(reader.checkpoint(), ledger.checkpoint());
        for (index, entry) in &acknowledged {
            assert_eq!(reader.entry(*index).unwrap(), *entry);
        }
    }
}

fn copy_out(disk: &Disk, to: &Path) {
    let mut files = disk.list("tile").unwrap();
    files.extend(
        [
            ".staged",
            ".staged.tmp",
            ".checkpoint.tmp",
            "checkpoint",
            "vkey",
        ]
        .map(str::to_owned),
    );
    for path in files {
        if let Some(content) = disk.file(&path) {
            fs::create_dir_all(to.join(&path).parent().unwrap()).unwrap();
            fs::write(to.join(&path), content).unwrap();
        }
    }
}
