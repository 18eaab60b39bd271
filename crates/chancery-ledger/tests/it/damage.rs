//! A flipped bit, a missing file, a file too many: fsck finds each, and `open` those on its way.

use chancery_ledger::{Error, Ledger, LedgerReader, LogKeys, Storage, fsck_on};

use crate::disk::Disk;
use crate::tree::ledger_of;
use crate::{entry, key};

fn put(disk: &Disk, path: &str, content: &[u8]) {
    disk.write_synced("x.tmp", content).unwrap();
    disk.remove(path).unwrap();
    disk.rename("x.tmp", path).unwrap();
}

/// A copy of the disk with one bit of one file flipped.
fn flipped(disk: &Disk, path: &str, position: usize) -> Disk {
    let disk = disk.fork();
    let mut content = disk.file(path).unwrap();
    content[position] ^= 1 << (position % 8);
    put(&disk, path, &content);
    disk
}

/// Positions all over a file: its ends and some between.
fn positions(length: usize) -> Vec<usize> {
    vec![0, 1, length / 3, length / 2, length - 2, length - 1]
}

fn all_files(disk: &Disk) -> Vec<String> {
    let mut files = disk.list("tile").unwrap();
    files.extend(["checkpoint", "vkey"].map(str::to_owned));
    files
}

#[test]
fn a_flipped_bit_in_any_file_is_found_by_fsck() {
    let disk = ledger_of(&[200, 60, 255]);
    assert!(fsck_on(&disk, None).unwrap().is_sound());
    let files = all_files(&disk);
    assert_eq!(files.len(), 14, "{files:?}");
    for path in files {
        for position in positions(disk.file(&path).unwrap().len()) {
            let damaged = flipped(&disk, &path, position);
            let report = fsck_on(&damaged, Some(&key().keyring())).unwrap();
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
            let refused = Ledger::open_on(Box::new(damaged), &key()).err().unwrap();
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
            assert!(
                Ledger::open_on(Box::new(damaged), &key()).is_err(),
                "{path}"
            );
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
            let reader = LedgerReader::open_on(Box::new(damaged)).unwrap();
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
    let reader = LedgerReader::open_on(Box::new(flipped(&disk, "tile/entries/000", 1000))).unwrap();
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
        damaged.remove(&path).unwrap();
        let report = fsck_on(&damaged, Some(&key().keyring())).unwrap();
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
    for path in disk.list("tile").unwrap() {
        let content = disk.file(&path).unwrap();
        let cut = content[..content.len() - 1].to_vec();
        let longer = [content.clone(), vec![0; 32]].concat();
        for changed in [cut, longer, Vec::new()] {
            let damaged = disk.fork();
            put(&damaged, &path, &changed);
            assert!(
                !fsck_on(&damaged, None).unwrap().is_sound(),
                "{path} {}",
                changed.len()
            );
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
        ".staged.tmp",
    ];
    for path in strays {
        let damaged = disk.fork();
        put(&damaged, path, &disk.file("tile/0/000.p/3").unwrap());
        let report = fsck_on(&damaged, None).unwrap();
        assert_eq!(report.problems.len(), 1, "{path}: {:?}", report.problems);
        assert_eq!(report.problems[0].file, format!("disk/{path}"));
    }
}

#[test]
fn an_older_checkpoint_put_back_is_found_and_cannot_be_built_upon() {
    let disk = ledger_of(&[3]);
    let old_checkpoint = disk.file("checkpoint").unwrap();
    let mut ledger = Ledger::open_on(Box::new(disk.clone()), &key()).unwrap();
    ledger.append(&entry(3)).unwrap();
    put(&disk, "checkpoint", &old_checkpoint);

    let report = fsck_on(&disk, None).unwrap();
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.hint.contains("witness"))
    );

    let mut ledger = Ledger::open_on(Box::new(disk), &key()).unwrap();
    let refused = ledger.append(b"another entry in its place").unwrap_err();
    assert!(matches!(refused, Error::Conflict { .. }), "{refused}");
}

#[test]
fn a_ledger_replaced_whole_is_found_with_the_key_known_from_elsewhere() {
    let disk = Disk::default();
    let forger = LogKeys::generate("agency.example/ledger", &[66; 32]).unwrap();
    Ledger::create_on(&disk, &forger).unwrap();
    assert!(fsck_on(&disk, None).unwrap().is_sound());
    let report = fsck_on(&disk, Some(&key().keyring())).unwrap();
    assert_eq!(report.problems.len(), 2, "{:?}", report.problems);
}
