//! A flipped bit, a missing file, a file too many: fsck finds each, and `open` those on its way.

use chancery_ledger::{Error, Ledger, Lock as _, LogKeys, Parts, Storage as _, fsck, repair};

use crate::disk::Disk;
use crate::tree::ledger_of;
use crate::{check, entry, keyring, keys, open, parts, reader};

/// A copy of the disk with one bit of one file flipped.
fn flipped(disk: &Disk, path: &str, position: usize) -> Disk {
    let disk = disk.fork();
    let mut content = disk.file(path).unwrap();
    content[position] ^= 1 << (position % 8);
    disk.put(path, &content);
    disk
}

/// Positions all over a file: its ends and some between.
fn positions(length: usize) -> Vec<usize> {
    vec![0, 1, length / 3, length / 2, length - 2, length - 1]
}

fn all_files(disk: &Disk) -> Vec<String> {
    let mut files = disk.folder().list("tile").unwrap();
    files.extend(["checkpoint", "vkey"].map(str::to_owned));
    files
}

#[test]
fn a_flipped_bit_in_any_file_is_found_by_fsck() {
    let disk = ledger_of(&[200, 60, 255]);
    assert!(check(&disk).is_sound());
    let files = all_files(&disk);
    assert_eq!(files.len(), 14, "{files:?}");
    for path in files {
        for position in positions(disk.file(&path).unwrap().len()) {
            let damaged = flipped(&disk, &path, position);
            let report = check(&damaged);
            assert!(!report.is_sound(), "{path} at {position}");
            let named = format!("disk/{path}");
            let is_named = |text: &str| text.contains(&named);
            let found = report
                .problems
                .iter()
                .any(|p| is_named(&p.file) || is_named(&p.what));
            assert!(found, "{path} at {position}: {:?}", report.problems);
            assert!(
                report
                    .problems
                    .iter()
                    .all(|problem| !problem.hint.is_empty())
            );
        }
    }
}

#[test]
fn a_flipped_bit_on_the_right_edge_keeps_the_ledger_shut() {
    let disk = ledger_of(&[515]);
    let edge = [
        "checkpoint",
        "vkey",
        "tile/0/002.p/3",
        "tile/1/000.p/2",
        "tile/entries/002.p/3",
    ];
    for path in edge {
        for position in positions(disk.file(path).unwrap().len()) {
            let damaged = flipped(&disk, path, position);
            let refused = open(&damaged).err().unwrap();
            let is_named = matches!(refused, Error::Damaged { .. } | Error::WrongKey { .. });
            assert!(
                is_named && refused.hint().is_some(),
                "{path} at {position}: {refused}"
            );
        }
    }
    for size in [256, 512] {
        let full = ledger_of(&[size]);
        let last = format!("tile/entries/{:03}", size / 256 - 1);
        for path in [last, format!("tile/1/000.p/{}", size / 256)] {
            let damaged = flipped(&full, &path, 5);
            assert!(open(&damaged).is_err(), "{path}");
        }
    }
}

#[test]
fn a_reader_hands_out_nothing_from_a_damaged_tile_or_bundle() {
    // 511 entries have nine subtrees on the right edge but only two tiles: `tlog_tiles`' own reader
    // takes the tile `tile/0/000` as it finds it.
    let disk = ledger_of(&[511]);
    for path in ["tile/0/000", "tile/0/001.p/255", "tile/1/000.p/1"] {
        for position in [0, 31] {
            let damaged = flipped(&disk, path, position);
            let reader = reader(&damaged);
            for index in [0, 1, 100] {
                assert!(
                    matches!(reader.entry(index), Err(Error::Damaged { .. })),
                    "{path}"
                );
                assert!(
                    matches!(reader.prove(index), Err(Error::Damaged { .. })),
                    "{path}"
                );
            }
        }
    }
    let reader = reader(&flipped(&disk, "tile/entries/000", 1000));
    assert!(matches!(reader.entry(0), Err(Error::Damaged { .. })));
    assert_eq!(reader.entry(300).unwrap(), entry(300));
    let mut rest = reader.entries(0..511).unwrap();
    assert!(rest.next().unwrap().is_err() && rest.next().is_none());
}

#[test]
fn a_missing_file_is_found_and_named() {
    let disk = ledger_of(&[515]);
    for path in all_files(&disk)
        .into_iter()
        .filter(|path| path != "checkpoint")
    {
        let damaged = disk.fork();
        damaged.delete(&path);
        let report = check(&damaged);
        let named = format!("disk/{path}");
        assert!(
            report.problems.iter().any(|problem| problem.file == named),
            "{path}"
        );
    }
}

#[test]
fn a_truncated_or_lengthened_file_is_found() {
    let disk = ledger_of(&[200, 315]);
    for path in disk.folder().list("tile").unwrap() {
        let content = disk.file(&path).unwrap();
        let cut = content[..content.len() - 1].to_vec();
        let longer = [content.clone(), vec![0; 32]].concat();
        for changed in [cut, longer, Vec::new()] {
            let damaged = disk.fork();
            damaged.put(&path, &changed);
            assert!(!check(&damaged).is_sound(), "{path} {}", changed.len());
        }
    }
}

#[test]
fn files_that_no_tree_of_this_size_has_are_found() {
    let disk = ledger_of(&[3]);
    let strays = [
        "tile/0/000.p/4",
        "tile/0/000.p/0",
        "tile/0/000.p/00",
        "tile/0/000.p/256",
        "tile/0/001",
        "tile/1/000.p/1",
        "tile/64/000.p/1",
        "tile/0/x001/000",
        "tile/0/0",
        "tile/entries/000",
        "tile/0/.000.tmp",
        "tile/notes.txt",
        "notes.txt",
    ];
    for path in strays {
        let damaged = disk.fork();
        damaged.put(path, &disk.file("tile/0/000.p/3").unwrap());
        let report = check(&damaged);
        assert_eq!(report.problems.len(), 1, "{path}: {:?}", report.problems);
        assert_eq!(report.problems[0].file, format!("disk/{path}"));
    }
}

#[test]
fn an_older_checkpoint_put_back_is_found_and_cannot_be_built_upon() {
    let disk = ledger_of(&[3]);
    let old_checkpoint = disk.file("checkpoint").unwrap();
    let mut ledger = open(&disk).unwrap();
    ledger.append(&entry(3)).unwrap();
    disk.put("checkpoint", &old_checkpoint);

    // One append behind, with its files all there: opening finishes it again.
    assert!(check(&disk).is_unfinished());
    assert_eq!(open(&disk).unwrap().size(), 4);

    open(&disk).unwrap().append(&entry(4)).unwrap();
    disk.put("checkpoint", &old_checkpoint);
    let report = check(&disk);
    let has_hint = |hint| {
        report
            .problems
            .iter()
            .any(|problem| problem.hint.contains(hint))
    };
    assert!(has_hint("witness") && !report.is_unfinished());
    let refused = open(&disk).err().unwrap();
    let expected = matches!(
        refused,
        Error::RolledBack {
            published: 3,
            locked: 5,
            ..
        }
    );
    assert!(expected, "{refused}");
}

#[test]
fn a_ledger_replaced_whole_is_found_with_the_key_known_from_elsewhere() {
    let disk = Disk::default();
    let keys = LogKeys::generate("agency.example/ledger", &[66; 32]).unwrap();
    Ledger::create(chancery_ledger::Parts {
        known: keys.keyring(),
        keys,
        ..parts(&disk)
    })
    .unwrap();
    assert!(fsck(&disk.folder(), None, None).unwrap().is_sound());
    let report = check(&disk);
    let files: Vec<&str> = report
        .problems
        .iter()
        .map(|problem| problem.file.as_str())
        .collect();
    assert_eq!(
        files,
        ["disk/vkey", "disk/checkpoint", "disk/lock"],
        "{report:?}"
    );
}

#[test]
fn the_lock_is_held_against_what_is_published() {
    let disk = ledger_of(&[3]);
    let old = chancery_ledger::Lock::load(&disk).unwrap();
    open(&disk).unwrap().append(&entry(3)).unwrap();
    let problem = |disk: &Disk, what: &str| {
        let report = check(disk);
        assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
        assert!(
            report.problems[0].what.contains(what),
            "{:?}",
            report.problems
        );
        report.problems[0].file.clone()
    };

    disk.set_lock(old);
    assert_eq!(
        problem(&disk, "4 entries are published, and 3 were signed"),
        "disk/lock"
    );
    let refused = open(&disk).err().unwrap();
    let expected = matches!(
        refused,
        Error::LockBehind {
            published: 4,
            locked: 3,
            ..
        }
    );
    assert!(expected, "{refused}");

    let other = ledger_of(&[]);
    let mut forked = open(&other).unwrap();
    for text in ["other", "entries", "and", "four"] {
        forked.append(text.as_bytes()).unwrap();
    }
    disk.set_lock(chancery_ledger::Lock::load(&other).unwrap());
    assert_eq!(problem(&disk, "another tree"), "disk/checkpoint");
    assert!(matches!(
        open(&disk).err().unwrap(),
        Error::Forked { size: 4, .. }
    ));
    let repaired = repair(&disk.folder(), &disk, &keyring());
    assert!(matches!(repaired, Err(Error::Forked { size: 4, .. })));

    disk.set_lock(chancery_ledger::Locked::default());
    assert_eq!(problem(&disk, "missing"), "disk/lock");
    assert!(matches!(
        open(&disk).err().unwrap(),
        Error::LockMissing { .. }
    ));
}

#[test]
fn retired_keys_that_are_put_back_sign_nothing() {
    let disk = ledger_of(&[3]);
    let both = keys().rotated().unwrap();
    let mut ledger = open(&disk).unwrap();
    ledger.change_keys(both.clone()).unwrap();
    ledger.change_keys(both.retired().unwrap()).unwrap();
    drop(ledger);
    let signed = disk.signed();

    let refused = Ledger::open(Parts {
        known: both.keyring(),
        ..parts(&disk)
    });
    let refused = refused.err().unwrap();
    assert!(matches!(refused, Error::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("disk/lock"), "{refused}");
    assert_eq!(disk.signed(), signed);

    Ledger::open(Parts {
        known: both.keyring(),
        keys: both.retired().unwrap(),
        ..parts(&disk)
    })
    .unwrap()
    .append(&entry(3))
    .unwrap();
}

#[test]
fn a_repair_does_not_move_the_lock_to_what_a_retired_key_signed() {
    let disk = ledger_of(&[3]);
    let both = keys().rotated().unwrap();
    // Somebody goes on with the retired key, on a copy.
    let copy = disk.fork();
    open(&copy).unwrap().append(b"forged").unwrap();

    let mut ledger = open(&disk).unwrap();
    ledger.change_keys(both.clone()).unwrap();
    ledger.change_keys(both.retired().unwrap()).unwrap();
    let known = ledger.keyring().clone();
    drop(ledger);
    let lock = disk.load().unwrap();
    for path in copy.folder().list("").unwrap() {
        disk.put(&path, &copy.file(&path).unwrap());
    }

    let refused = repair(&disk.folder(), &disk, &known).unwrap_err();
    assert!(refused.to_string().contains("disk/checkpoint"), "{refused}");
    assert_eq!(disk.load().unwrap(), lock);
}

#[test]
fn older_copies_laid_over_newer_tiles_take_no_entry() {
    for (before, later) in [(1, 1), (3, 2), (255, 1), (256, 1), (256, 300), (300, 5)] {
        let disk = ledger_of(&[before]);
        let (checkpoint, lock) = (disk.file("checkpoint").unwrap(), disk.load().unwrap());
        let mut ledger = open(&disk).unwrap();
        for index in before..before + later {
            ledger.append(&entry(index)).unwrap();
        }
        drop(ledger);
        let signed = disk.signed();

        disk.put("checkpoint", &checkpoint);
        disk.set_lock(lock);
        let refused = open(&disk).err().unwrap();
        let is_older =
            matches!(refused, Error::RolledBack { published, .. } if published == before);
        assert!(is_older, "{refused}");

        // Nor is the older checkpoint put in the place of one that was lost.
        disk.delete("checkpoint");
        let refused = repair(&disk.folder(), &disk, &keyring()).unwrap_err();
        assert!(matches!(refused, Error::LockBehind { .. }), "{refused}");
        assert!(disk.file("checkpoint").is_none());
        assert_eq!(disk.signed(), signed);
    }
}

#[test]
fn a_key_that_is_listed_only_where_the_log_is_published_is_not_believed() {
    let disk = ledger_of(&[3]);
    let foreign = LogKeys::generate("agency.example/ledger", &[66; 32]).unwrap();
    let both = format!("{}{}", keyring(), foreign.keyring());
    disk.put("vkey", both.as_bytes());
    let report = check(&disk);
    let files: Vec<&str> = report
        .problems
        .iter()
        .map(|problem| problem.file.as_str())
        .collect();
    assert_eq!(files, ["disk/vkey"]);
    assert!(!report.is_sound() && !report.is_unfinished());
    let refused = open(&disk).err().unwrap();
    assert!(matches!(refused, Error::WrongKey { .. }), "{refused}");
}
