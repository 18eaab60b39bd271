//! Roots, proofs and files against the tree by its definition.

use chancery_ledger::{parse_bundle, verify_consistency, verify_proof};

use crate::disk::Disk;
use crate::{check, create, entries, entry, keyring, open, oracle, reader, slices};

/// A ledger in memory with this many entries, appended in batches of these sizes.
pub(crate) fn ledger_of(batches: &[u64]) -> Disk {
    let disk = Disk::default();
    let mut ledger = create(&disk).unwrap();
    for batch in batches {
        let size = ledger.size();
        ledger
            .append_batch(&slices(&entries(size..size + batch)))
            .unwrap();
    }
    disk
}

fn hex(bytes: [u8; 32]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn roots_are_those_of_rfc_6962() {
    // The inputs and roots which certificate-transparency's own tests use.
    let inputs: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let disk = ledger_of(&[]);
    let mut ledger = open(&disk).unwrap();
    assert_eq!(hex(ledger.checkpoint().root()), roots[0]);
    for (input, root) in inputs.iter().zip(&roots[1..]) {
        let receipt = ledger.append(input).unwrap();
        assert_eq!(hex(receipt.checkpoint().root()), *root);
    }
}

#[test]
fn every_size_to_600_has_the_root_and_the_paths_of_the_definition() {
    let all = entries(0..600);
    let roots = oracle::prefix_roots(&all);
    let disk = ledger_of(&[]);
    let mut ledger = open(&disk).unwrap();
    for (size, entry) in (1..).zip(&all) {
        let receipt = ledger.append(entry).unwrap();
        assert_eq!(receipt.index(), size - 1);
        assert_eq!(
            receipt.checkpoint().root(),
            roots[usize::try_from(size).unwrap()]
        );
        let is_verified = size % 16 < 2;
        if is_verified {
            let shown = verify_proof(&receipt.proof().to_string(), entry, &keyring()).unwrap();
            assert_eq!((shown.index, shown.tree_size), (size - 1, size));
        }
    }

    let reader = reader(&disk);
    for index in (0..600).step_by(7).chain([255, 256, 511, 512, 599]) {
        assert_eq!(
            reader.prove(index).unwrap().hashes,
            oracle::path(usize::try_from(index).unwrap(), &all)
        );
        assert_eq!(reader.entry(index).unwrap(), entry(index));
    }
    for size in (0..=600).step_by(5) {
        assert_eq!(
            reader.root_at(size).unwrap(),
            roots[usize::try_from(size).unwrap()]
        );
    }
    let report = check(&disk);
    assert_eq!(report.problems, []);
    assert_eq!(
        (
            report.entries,
            report.entries_verified,
            report.bundles,
            report.tiles
        ),
        (600, 600, 3, 4)
    );
}

#[test]
fn batches_give_the_tree_that_single_entries_give() {
    let one_by_one = oracle::prefix_roots(&entries(0..1300));
    for batches in [
        vec![1300],
        vec![255, 1, 1, 255, 512, 276],
        vec![256, 256, 788],
        vec![700, 600],
    ] {
        let disk = ledger_of(&batches);
        let reader = reader(&disk);
        assert_eq!(reader.checkpoint().root(), one_by_one[1300], "{batches:?}");
        assert!(check(&disk).is_sound(), "{batches:?}");
    }
}

#[test]
fn a_tree_of_three_levels_is_read_proven_and_checked() {
    let size = 256 * 256 + 3;
    let disk = ledger_of(&[40_000, size - 40_000]);
    let reader = reader(&disk);
    for index in [0, 255, 256, 39_999, 40_000, 65_535, 65_536, size - 1] {
        let proof = reader.prove(index).unwrap();
        verify_proof(&proof.to_string(), &entry(index), &keyring()).unwrap();
    }
    assert!(disk.file("tile/2/000.p/1").is_some() && disk.file("tile/1/000").is_some());
    let report = check(&disk);
    assert_eq!(report.problems, []);
    assert_eq!(report.entries_verified, size);
}

#[test]
fn files_are_laid_out_as_tlog_tiles_says() {
    let disk = ledger_of(&[254, 2, 1]);
    assert_eq!(disk.file("tile/0/000").unwrap().len(), 8192);
    assert_eq!(disk.file("tile/0/001.p/1").unwrap().len(), 32);
    assert_eq!(disk.file("tile/1/000.p/1").unwrap().len(), 32);
    assert!(disk.file("tile/0/000.p/254").is_some());
    let bundle = disk.file("tile/entries/001.p/1").unwrap();
    assert_eq!(parse_bundle(&bundle).unwrap(), [b"entry 256"]);
    let checkpoint = String::from_utf8(disk.file("checkpoint").unwrap()).unwrap();
    assert!(
        checkpoint.starts_with("agency.example/ledger\n257\n"),
        "{checkpoint}"
    );
    assert_eq!(
        disk.file("vkey").unwrap(),
        keyring().to_string().into_bytes()
    );
}

#[test]
fn every_pair_of_sizes_is_consistent_and_no_other_root_is() {
    let disk = ledger_of(&[]);
    let mut ledger = open(&disk).unwrap();
    let mut checkpoints = vec![ledger.checkpoint().clone()];
    for index in 0..20 {
        checkpoints.push(ledger.append(&entry(index)).unwrap().checkpoint().clone());
        let reader = reader(&disk);
        for (size, older) in (0..).zip(&checkpoints) {
            let proof = reader.prove_consistency(size).unwrap();
            verify_consistency(older, reader.checkpoint(), &proof).unwrap();
            for newer in checkpoints
                .iter()
                .filter(|other| older.size() > 0 && *other != reader.checkpoint())
            {
                let is_shown = verify_consistency(older, newer, &proof).is_ok();
                assert!(
                    !is_shown || older == newer && proof.is_empty(),
                    "{size} {}",
                    newer.size()
                );
            }
        }
    }
}

#[test]
fn entries_are_iterated_over_any_range() {
    let reader = reader(&ledger_of(&[600]));
    for range in [
        0..600,
        0..0,
        255..257,
        256..256,
        511..900,
        599..600,
        600..601,
        700..800,
    ] {
        let read: Vec<_> = reader
            .entries(range.clone())
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let wanted: Vec<_> = range
            .filter(|index| *index < 600)
            .map(|index| (index, entry(index)))
            .collect();
        assert_eq!(read, wanted);
    }
}

#[test]
fn a_deleted_partial_tile_is_read_from_the_full_one() {
    let disk = ledger_of(&[254]);
    let old_reader = reader(&disk);
    let mut ledger = open(&disk).unwrap();
    ledger.append_batch(&slices(&entries(254..300))).unwrap();
    for partial in ["tile/0/000.p/254", "tile/entries/000.p/254"] {
        disk.delete(partial);
    }
    assert_eq!(old_reader.entry(253).unwrap(), entry(253));
    let proof = old_reader.prove(0).unwrap().to_string();
    verify_proof(&proof, &entry(0), &keyring()).unwrap();
}
