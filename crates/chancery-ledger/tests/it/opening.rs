//! Who may open a ledger, and what a refusal says.

use std::fs;

use chancery_ledger::{Error, Folder, Ledger, LedgerReader, Lock as _, LogKeys, Parts, fsck};

use crate::disk::{Disk, Fault};
use crate::tree::ledger_of;
use crate::{NOW, check, create, create_in, entries, entry, open, open_in, parts, reader, slices};

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = create_in(folder.path()).unwrap();

    let refused = open_in(folder.path()).err().unwrap();
    assert!(matches!(refused, Error::Busy { .. }));
    assert!(refused.to_string().contains(".lock") && refused.hint().is_some());

    ledger.append(b"one").unwrap();
    assert_eq!(
        LedgerReader::open(&folder.path().join("ledger"))
            .unwrap()
            .entry(0)
            .unwrap(),
        b"one"
    );
    drop(ledger);
    let reopened = open_in(folder.path()).unwrap();
    assert_eq!(reopened.size(), 1);
}

#[test]
fn a_reader_keeps_to_the_size_it_was_opened_at() {
    let disk = ledger_of(&[3]);
    let reader = reader(&disk);
    open(&disk).unwrap().append(&entry(3)).unwrap();
    assert_eq!(reader.size(), 3);
    assert!(matches!(
        reader.entry(3),
        Err(Error::NoSuchEntry { index: 3, size: 3 })
    ));
    assert!(matches!(reader.prove(3), Err(Error::NoSuchEntry { .. })));
    assert!(matches!(reader.root_at(4), Err(Error::NoSuchEntry { .. })));
    assert!(matches!(
        reader.prove_consistency(4),
        Err(Error::NoSuchEntry { .. })
    ));
}

#[test]
fn a_ledger_is_not_created_over_another_or_over_its_remains() {
    let folder = tempfile::tempdir().unwrap();
    create_in(folder.path()).unwrap().append(b"one").unwrap();
    assert!(matches!(
        create_in(folder.path()),
        Err(Error::AlreadyExists { .. })
    ));
    fs::remove_file(folder.path().join("ledger/checkpoint")).unwrap();
    assert!(matches!(
        create_in(folder.path()),
        Err(Error::AlreadyExists { .. })
    ));
    assert!(matches!(open_in(folder.path()), Err(Error::Missing { .. })));
}

#[test]
fn a_create_cut_short_anywhere_can_be_repeated() {
    let whole = Disk::default();
    create(&whole).unwrap();
    for call in 0..whole.calls() {
        let disk = Disk::default();
        disk.kill_at(call);
        assert!(create(&disk).is_err());
        disk.restart();
        match create(&disk) {
            Ok(_) => {}
            Err(error) => assert!(matches!(error, Error::AlreadyExists { .. }), "{error}"),
        }
        assert_eq!(open(&disk).unwrap().size(), 0);
    }
}

#[test]
fn another_key_is_refused() {
    let disk = ledger_of(&[1]);
    let keys = LogKeys::generate("agency.example/ledger", &[9; 32]).unwrap();
    let other = Parts {
        known: keys.keyring(),
        keys,
        ..parts(&disk)
    };
    let refused = Ledger::open(other).err().unwrap();
    assert!(matches!(refused, Error::WrongKey { .. }), "{refused}");
}

#[test]
fn a_folder_without_a_ledger_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let refusals = [
        open_in(folder.path()).err().unwrap(),
        LedgerReader::open(&folder.path().join("ledger"))
            .err()
            .unwrap(),
        fsck(&Folder::new(folder.path()), None, None).unwrap_err(),
    ];
    for refusal in refusals {
        assert!(
            matches!(refusal, Error::Missing { .. } | Error::LockMissing { .. }),
            "{refusal}"
        );
        assert!(
            refusal
                .to_string()
                .contains(folder.path().to_str().unwrap())
        );
        assert!(refusal.hint().is_some());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn entries_up_to_65535_bytes_are_taken_and_one_byte_more_is_not() {
    let disk = ledger_of(&[]);
    let mut ledger = open(&disk).unwrap();
    let (largest, over) = (vec![1; 65_535], vec![1; 65_536]);
    let refused = ledger.append(&over).unwrap_err();
    assert!(matches!(refused, Error::EntryTooLarge { size: 65_536 }));
    // A refusal is no failure: the ledger goes on, and nothing of the batch is in it.
    assert!(ledger.append_batch(&[b"fine", &over]).is_err());
    assert_eq!(ledger.append(&largest).unwrap().index(), 0);
    assert_eq!(ledger.append(b"").unwrap().index(), 1);
    let reader = reader(&disk);
    assert_eq!(
        (reader.entry(0).unwrap(), reader.entry(1).unwrap()),
        (largest, Vec::new())
    );
}

#[test]
fn an_empty_batch_changes_nothing() {
    let disk = ledger_of(&[2]);
    let mut ledger = open(&disk).unwrap();
    let before = disk.calls();
    assert_eq!(ledger.append_batch(&[]).unwrap(), []);
    assert_eq!((ledger.size(), disk.calls()), (2, before));
}

#[test]
fn a_failed_write_stops_the_ledger_for_good() {
    let base = ledger_of(&[2]);
    let whole = base.fork();
    let mut ledger = open(&whole).unwrap();
    let opening = whole.calls();
    ledger.append(&entry(2)).unwrap();
    for call in opening..whole.calls() {
        let disk = base.fork();
        disk.fail_at(call, Fault::NotPersisted);
        let mut ledger = open(&disk).unwrap();
        assert!(
            matches!(ledger.append(&entry(2)), Err(Error::Io { .. })),
            "{call}"
        );
        let calls = disk.calls();
        for _ in 0..2 {
            assert!(
                matches!(ledger.append(&entry(2)), Err(Error::Poisoned)),
                "{call}"
            );
        }
        assert_eq!(
            disk.calls(),
            calls,
            "a poisoned ledger does not touch the disk"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    create_in(folder.path()).unwrap();
    // The administrator may write anywhere, so take away the file instead of the right to it.
    fs::remove_file(folder.path().join("lock.lock")).unwrap();
    fs::create_dir(folder.path().join("lock.lock")).unwrap();
    let refused = open_in(folder.path()).err().unwrap();
    assert!(matches!(refused, Error::Io { .. }) && refused.to_string().contains("lock.lock"));

    let denied = Error::Io {
        action: "open",
        file: "ledger/checkpoint".to_owned(),
        reason: std::io::ErrorKind::ReadOnlyFilesystem.into(),
    };
    assert!(denied.hint().unwrap().contains("write access"));
    assert_eq!(
        denied.to_string(),
        "cannot open `ledger/checkpoint`: read-only filesystem or storage medium"
    );
}

/// Kills an append at every call and gives the disks on which it was decided and not published.
fn cut_short(base: &Disk, batch: &[Vec<u8>]) -> Vec<Disk> {
    let whole = base.fork();
    open(&whole).unwrap().append_batch(&slices(batch)).unwrap();
    let calls = whole.calls();
    let size = |text: &str| text.lines().nth(1).unwrap().parse::<u64>().unwrap();
    (0..calls)
        .map(|call| {
            let disk = base.fork();
            disk.kill_at(call);
            drop(open(&disk).and_then(|mut ledger| ledger.append_batch(&slices(batch))));
            disk.restart();
            disk
        })
        .filter(|disk| {
            let published = String::from_utf8(disk.file("checkpoint").unwrap()).unwrap();
            let locked = disk.load().unwrap().checkpoint.unwrap();
            size(&published) < size(&locked)
        })
        .collect()
}

#[test]
fn an_append_left_by_a_killed_process_is_finished_by_the_next() {
    let disks = cut_short(&ledger_of(&[254]), &entries(254..258));
    assert!(disks.len() > 10, "{}", disks.len());
    for disk in disks {
        let report = check(&disk);
        assert!(report.is_unfinished(), "{:?}", report.problems);
        assert_eq!(reader(&disk).size(), 254);

        assert_eq!(open(&disk).unwrap().size(), 258);
        assert!(check(&disk).is_sound());
        assert_eq!(reader(&disk).entry(257).unwrap(), entry(257));
    }
}

#[test]
fn a_staged_append_that_was_changed_is_refused_and_nothing_is_published() {
    let disk = cut_short(&ledger_of(&[3]), &entries(3..4)).remove(0);
    let locked = disk.load().unwrap();
    let staged = locked.staged.clone().unwrap();
    for position in 0..staged.len() {
        let disk = disk.fork();
        let mut changed = staged.clone();
        changed[position] ^= 1;
        disk.set_lock(chancery_ledger::Locked {
            staged: Some(changed),
            ..locked.clone()
        });
        let refused = open(&disk).err().unwrap();
        let expected = matches!(refused, Error::Damaged { .. } | Error::RolledBack { .. });
        assert!(expected, "{position}: {refused}");
        assert_eq!(reader(&disk).size(), 3);
    }
}

#[test]
fn a_clock_that_goes_back_signs_nothing_until_it_is_right() {
    let disk = ledger_of(&[1]);
    let at = |time: u64| {
        Ledger::open(Parts {
            clock: Box::new(move || time),
            ..parts(&disk)
        })
        .unwrap()
    };
    let refused = at(NOW - 301).append(&entry(1)).unwrap_err();
    assert!(matches!(refused, Error::ClockBehind { .. }) && refused.hint().is_some());
    // What a time service may put right is let through, and the time in the signature stands still.
    let receipt = at(NOW - 300).append(&entry(1)).unwrap();
    assert_eq!(receipt.checkpoint().timestamp(), Some(NOW));
    let receipt = at(NOW + 10).append(&entry(2)).unwrap();
    assert_eq!(receipt.checkpoint().timestamp(), Some(NOW + 10));
    // A refusal leaves the log open.
    let mut ledger = at(NOW);
    ledger.append(&entry(3)).unwrap();
    assert!(check(&disk).is_sound());
}

#[test]
fn a_refreshed_checkpoint_is_of_the_same_tree_and_a_later_time() {
    let disk = ledger_of(&[5]);
    let before = reader(&disk).checkpoint().clone();
    let later = Parts {
        clock: Box::new(|| NOW + 3600),
        ..parts(&disk)
    };
    Ledger::open(later).unwrap().refresh().unwrap();
    let after = reader(&disk).checkpoint().clone();
    assert_eq!((before.size(), before.root()), (after.size(), after.root()));
    assert_eq!(after.timestamp(), Some(NOW + 3600));
    assert!(check(&disk).is_sound());
}
