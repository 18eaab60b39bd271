//! Who may open a ledger, and what a refusal says.

use std::fs;

use chancery_ledger::{Error, Ledger, LedgerReader, LogKeys, Storage, fsck};

use crate::disk::{Disk, Fault};
use crate::tree::ledger_of;
use crate::{entries, entry, key, slices};

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path(), &key()).unwrap();
    let mut ledger = Ledger::open(folder.path(), &key()).unwrap();

    let refused = Ledger::open(folder.path(), &key()).err().unwrap();
    assert!(matches!(refused, Error::Busy { .. }));
    assert!(refused.to_string().contains(".lock") && refused.hint().is_some());

    ledger.append(b"one").unwrap();
    assert_eq!(
        LedgerReader::open(folder.path()).unwrap().entry(0).unwrap(),
        b"one"
    );
    drop(ledger);
    let reopened = Ledger::open(folder.path(), &key()).unwrap();
    assert_eq!(reopened.size(), 1);
}

#[test]
fn a_reader_keeps_to_the_size_it_was_opened_at() {
    let disk = ledger_of(&[3]);
    let reader = LedgerReader::open_on(Box::new(disk.clone())).unwrap();
    Ledger::open_on(Box::new(disk), &key())
        .unwrap()
        .append(&entry(3))
        .unwrap();
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
    Ledger::create(folder.path(), &key()).unwrap();
    Ledger::open(folder.path(), &key())
        .unwrap()
        .append(b"one")
        .unwrap();
    assert!(matches!(
        Ledger::create(folder.path(), &key()),
        Err(Error::AlreadyExists { .. })
    ));
    fs::remove_file(folder.path().join("checkpoint")).unwrap();
    assert!(matches!(
        Ledger::create(folder.path(), &key()),
        Err(Error::AlreadyExists { .. })
    ));
    assert!(matches!(
        Ledger::open(folder.path(), &key()),
        Err(Error::Missing { .. })
    ));
}

#[test]
fn a_create_cut_short_anywhere_can_be_repeated() {
    let whole = Disk::default();
    Ledger::create_on(&whole, &key()).unwrap();
    for call in 0..whole.calls() {
        let disk = Disk::default();
        disk.kill_at(call);
        Ledger::create_on(&disk, &key()).unwrap_err();
        disk.restart();
        match Ledger::create_on(&disk, &key()) {
            Ok(()) => {}
            Err(error) => assert!(matches!(error, Error::AlreadyExists { .. }), "{error}"),
        }
        assert_eq!(Ledger::open_on(Box::new(disk), &key()).unwrap().size(), 0);
    }
}

#[test]
fn another_key_is_refused() {
    let disk = ledger_of(&[1]);
    let other = LogKeys::generate("agency.example/ledger", &[9; 32]).unwrap();
    let refused = Ledger::open_on(Box::new(disk), &other).err().unwrap();
    assert!(matches!(refused, Error::WrongKey { .. }), "{refused}");
}

#[test]
fn a_folder_without_a_ledger_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let refusals = [
        Ledger::open(folder.path(), &key()).err().unwrap(),
        LedgerReader::open(folder.path()).err().unwrap(),
        fsck(folder.path(), None).unwrap_err(),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Error::Missing { .. }), "{refusal}");
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
    let mut ledger = Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
    let (largest, over) = (vec![1; 65_535], vec![1; 65_536]);
    let refused = ledger.append(&over).unwrap_err();
    assert!(matches!(refused, Error::EntryTooLarge { size: 65_536 }));
    // A refusal is no failure: the ledger goes on, and nothing of the batch is in it.
    assert!(ledger.append_batch(&[b"fine", &over]).is_err());
    assert_eq!(ledger.append(&largest).unwrap().index(), 0);
    assert_eq!(ledger.append(b"").unwrap().index(), 1);
    let reader = LedgerReader::open_on(Box::new(disk)).unwrap();
    assert_eq!(
        (reader.entry(0).unwrap(), reader.entry(1).unwrap()),
        (largest, Vec::new())
    );
}

#[test]
fn an_empty_batch_changes_nothing() {
    let disk = ledger_of(&[2]);
    let mut ledger = Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
    let before = disk.calls();
    assert_eq!(ledger.append_batch(&[]).unwrap(), []);
    assert_eq!((ledger.size(), disk.calls()), (2, before));
}

#[test]
fn a_failed_write_stops_the_ledger_for_good() {
    let base = ledger_of(&[2]);
    let whole = base.fork();
    let mut ledger = Ledger::open_on(Box::new(whole.clone()), &key()).unwrap();
    let opening = whole.calls();
    ledger.append(&entry(2)).unwrap();
    for call in opening..whole.calls() {
        let disk = base.fork();
        disk.fail_at(call, Fault::NotPersisted);
        let mut ledger = Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
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
fn a_read_only_folder_is_named_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ledger");
    Ledger::create(&dir, &key()).unwrap();
    // The administrator may write anywhere, so take away the file instead of the right to it.
    fs::remove_file(dir.join(".lock")).unwrap();
    fs::create_dir(dir.join(".lock")).unwrap();
    let refused = Ledger::open(&dir, &key()).err().unwrap();
    assert!(matches!(refused, Error::Io { .. }) && refused.to_string().contains(".lock"));

    let denied = Error::Io {
        action: "open",
        file: "ledger/.lock".to_owned(),
        reason: std::io::ErrorKind::ReadOnlyFilesystem.into(),
    };
    assert!(denied.hint().unwrap().contains("write access"));
    assert_eq!(
        denied.to_string(),
        "cannot open `ledger/.lock`: read-only filesystem or storage medium"
    );
}

#[test]
fn an_append_left_by_a_killed_process_is_finished_by_the_next() {
    let disk = ledger_of(&[254]).fork();
    let mut ledger = Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
    // Write temporary file, rename, sync folder: after these three the append is decided.
    disk.kill_at(disk.calls() + 3);
    ledger
        .append_batch(&slices(&entries(254..258)))
        .unwrap_err();
    assert!(disk.file(".staged").is_some());
    disk.restart();

    let report = chancery_ledger::fsck_on(&disk, None).unwrap();
    assert_eq!(report.problems.len(), 1);
    assert!(report.problems[0].file.ends_with(".staged"));

    let ledger = Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
    assert_eq!(ledger.size(), 258);
    assert_eq!(disk.file(".staged"), None);
    assert!(chancery_ledger::fsck_on(&disk, None).unwrap().is_sound());
    assert_eq!(
        LedgerReader::open_on(Box::new(disk))
            .unwrap()
            .entry(257)
            .unwrap(),
        entry(257)
    );
}

#[test]
fn a_staged_file_that_was_changed_is_refused_and_nothing_is_signed() {
    let disk = ledger_of(&[3]).fork();
    let mut ledger = Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
    disk.kill_at(disk.calls() + 3);
    ledger.append(&entry(3)).unwrap_err();
    disk.restart();
    let staged = disk.file(".staged").unwrap();
    for position in 0..staged.len() {
        let disk = disk.fork();
        let mut changed = staged.clone();
        changed[position] ^= 1;
        disk.write_synced("x.tmp", &changed).unwrap();
        disk.rename("x.tmp", ".staged").unwrap();
        let refused = Ledger::open_on(Box::new(disk.clone()), &key())
            .err()
            .unwrap();
        assert!(
            matches!(refused, Error::Damaged { .. }),
            "{position}: {refused}"
        );
        assert!(refused.to_string().contains(".staged"));
        assert_eq!(LedgerReader::open_on(Box::new(disk)).unwrap().size(), 3);
    }
}
