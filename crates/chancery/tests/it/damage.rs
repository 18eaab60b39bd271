//! What was written and is no longer what it was: a ledger with a flipped bit, a tampered release.

use std::path::Path;

use crate::workbench::{Bench, CIVIL, INTEGRITY, files};

const ON: [&str; 2] = ["--on", "2026-01-10"];

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// A workspace with two releases and what they are called.
fn bench() -> (Bench, String, String) {
    let bench = Bench::with_people();
    bench.file("civil.toml", CIVIL);
    bench.file("all.toml", INTEGRITY);
    let release = |request: &str| {
        let ran = bench.run(&["release", request, ON[0], ON[1], "--format", "json"]);
        ran.expect(0).json()["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (release("civil.toml"), release("all.toml"));
    (bench, first, second)
}

#[test]
fn a_flipped_bit_in_any_file_of_the_ledger_is_found() {
    let (bench, ..) = bench();
    let ledger = bench.workspace().join("ledger");
    let files = files(&ledger);
    let kinds = ["checkpoint", "vkey", "tile/0/", "tile/entries/"];
    for kind in kinds {
        assert!(
            files.keys().any(|name| name.starts_with(kind)),
            "no {kind}: {files:?}"
        );
    }
    for (name, path) in files.iter().filter(|(name, _)| *name != ".lock") {
        let bytes = std::fs::read(path).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 2] {
            flip(path, at);
            let ran = bench.run(&["ledger", "fsck"]).expect(1);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            let kind = name.split('/').next_back().unwrap();
            assert!(
                said.contains(kind) && said.contains("hint: "),
                "{name} at {at}: {said}"
            );
            flip(path, at);
        }
    }
    bench.expect_sound();
}

#[test]
fn nothing_is_released_into_a_damaged_ledger() {
    let (bench, ..) = bench();
    let before = bench.published();
    let ledger = bench.workspace().join("ledger");
    let tiles = files(&ledger);
    let newest = |kind: &str| {
        let mut names: Vec<&String> = tiles.keys().filter(|n| n.starts_with(kind)).collect();
        names.sort();
        tiles[*names.last().unwrap()].clone()
    };
    for path in [
        ledger.join("checkpoint"),
        newest("tile/0/"),
        newest("tile/entries/"),
    ] {
        let middle = std::fs::read(&path).unwrap().len() / 2;
        flip(&path, middle);
        bench
            .run(&["release", "civil.toml", ON[0], ON[1]])
            .expect_error(1);
        assert_eq!(bench.published(), before, "{}", path.display());
        assert_eq!(bench.staged(), [""; 0]);
        flip(&path, middle);
    }
    bench.expect_sound();
    bench
        .run(&["release", "civil.toml", ON[0], ON[1]])
        .expect(0);
}

#[test]
fn a_tampered_release_is_refused() {
    let (bench, first, second) = bench();
    let (first, second) = (bench.releases().join(first), bench.releases().join(second));
    let verify = || bench.run(&["verify", first.to_str().unwrap()]);
    verify().expect(0);
    let refused = |name: &str| {
        let error = verify().expect_error(1);
        assert!(error.contains(name), "{error}");
    };
    let data = files(&first.join("data"));
    for (name, path) in &data {
        let length = std::fs::read(path).unwrap().len();
        for at in [0, length / 2, length - 1] {
            flip(path, at);
            refused(name);
            flip(path, at);
        }
    }
    let (name, path) = data.first_key_value().unwrap();
    let aside = bench.path().join("aside");
    std::fs::rename(path, &aside).unwrap();
    refused(name);
    std::fs::create_dir(path).unwrap();
    refused(name);
    std::fs::remove_dir(path).unwrap();
    std::os::unix::fs::symlink(&aside, path).unwrap();
    refused(name);
    std::fs::remove_file(path).unwrap();
    std::fs::rename(&aside, path).unwrap();
    for extra in ["data/ELG00002/extra.parquet", "notes.txt", "data/.hidden"] {
        std::fs::write(first.join(extra), "x").unwrap();
        refused(extra);
        std::fs::remove_file(first.join(extra)).unwrap();
    }
    for name in ["manifest.dsse.json", "receipt.tlog-proof"] {
        let own = std::fs::read(first.join(name)).unwrap();
        std::fs::copy(second.join(name), first.join(name)).unwrap();
        verify().expect_error(1);
        for at in 0..own.len() {
            // Every byte of these two counts; a sample of them is tried.
            if at % 97 != 0 {
                continue;
            }
            std::fs::write(first.join(name), &own).unwrap();
            flip(&first.join(name), at);
            assert_eq!(verify().code, Some(1), "{name} with byte {at} changed");
        }
        std::fs::remove_file(first.join(name)).unwrap();
        assert_eq!(verify().code, Some(1), "without {name}");
        std::fs::write(first.join(name), own).unwrap();
    }
    verify().expect(0);
    // A whole release of another custodian: right in itself, and signed by nobody known here.
    let other = Bench::with_people();
    let keys = other.workspace().join("keys");
    let key = |name: &str| keys.join(name).to_str().unwrap().to_owned();
    let ran = bench.run(&[
        "verify",
        first.to_str().unwrap(),
        "--custodian-key",
        &key("custodian.vkey"),
    ]);
    ran.expect_error(1);
    let ran = bench.run(&[
        "verify",
        first.to_str().unwrap(),
        "--ledger-key",
        &key("ledger.vkey"),
    ]);
    ran.expect_error(1);
}

/// One that is tampered with does not keep the others from being checked.
#[test]
fn each_of_several_releases_is_verified() {
    let (bench, first, second) = bench();
    let said = bench.run(&["verify", &first, &second]).expect(0).stdout;
    assert_eq!(said.matches("VERIFIED ").count(), 2, "{said}");
    let manifest = bench.releases().join(&first).join("manifest.dsse.json");
    flip(&manifest, 40);
    let ran = bench.run(&["verify", &first, &second]).expect(1);
    assert!(
        ran.stdout
            .starts_with(&format!("FAILED {first}\nVERIFIED ")),
        "{ran:?}"
    );
    assert!(ran.stderr.starts_with("error: "), "{ran:?}");
    let ran = bench.run(&["verify", &second, &first, "--format", "json"]);
    let reports = ran.expect(1).json();
    assert_eq!(reports[0]["entry"]["id"], second.as_str());
    assert_eq!(reports[1]["release"], first.as_str());
    assert!(reports[1]["error"].is_string(), "{reports}");
}

#[test]
fn a_replay_under_another_law_is_refused() {
    let (bench, first, _) = bench();
    bench.run(&["verify", &first, "--replay"]).expect(0);
    let path = bench.workspace().join("law/us-medicaid/purposes.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + "\n# read again\n").unwrap();
    bench.run(&["verify", &first]).expect(0);
    let error = bench.run(&["verify", &first, "--replay"]).expect_error(1);
    assert!(error.contains("another law pack"), "{error}");
}
