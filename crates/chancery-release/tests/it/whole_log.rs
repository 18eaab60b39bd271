//! The log that `docs/ledger.md` shows: made again, byte for byte, and read back.

use std::path::{Path, PathBuf};

use chancery_ledger::{
    Folder, Ledger, LedgerReader, LogKeys, Parts, SqliteLock, Storage as _, fsck, verify_proof,
};

/// One more than a full tile and its first neighbour hold.
const ENTRIES: usize = 260;
/// The entry that the example's proof is of.
const PROVEN: u64 = 258;

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/vectors")
        .join(name)
}

fn entries() -> Vec<Vec<u8>> {
    let dir = std::fs::read_dir(docs("ledger")).unwrap();
    let mut files: Vec<PathBuf> = dir.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.retain(|file| {
        let is_entry = file.extension().is_some_and(|e| e == "json");
        // The log is of version 1 throughout.
        let is_second = file
            .file_stem()
            .is_some_and(|stem| stem.to_string_lossy().ends_with("-2"));
        is_entry && !is_second
    });
    let vectors: Vec<Vec<u8>> = files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    assert!(vectors.len() > 10, "{files:?}");
    vectors.into_iter().cycle().take(ENTRIES).collect()
}

fn log(dir: &Path) -> LogKeys {
    let keys = LogKeys::generate("agency.example/ledger", &[7; 32]).unwrap();
    let mut ledger = Ledger::create(Parts {
        storage: Box::new(Folder::new(dir.join("ledger"))),
        lock: Box::new(SqliteLock::create(&dir.join("lock.sqlite")).unwrap()),
        keys: keys.clone(),
        known: keys.keyring(),
        cosigner: None,
        clock: Box::new(|| 1_800_000_000),
    })
    .unwrap();
    let entries = entries();
    let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    ledger.append_batch(&slices).unwrap();
    keys
}

#[test]
fn the_documented_log_is_what_the_code_writes() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    let made = dir.path().join("ledger");
    let proof = LedgerReader::open(&made).unwrap().prove(PROVEN).unwrap();
    std::fs::write(made.join(format!("{PROVEN}.tlog-proof")), proof.to_string()).unwrap();
    let (made, shown) = (Folder::new(&made), Folder::new(docs("log")));
    let files = made.list("").unwrap();
    if std::env::var("CHANCERY_VECTORS").is_ok_and(|value| value == "write") {
        for path in &files {
            shown
                .replace(path, &made.read(path).unwrap().unwrap())
                .unwrap();
        }
    }
    assert_eq!(shown.list("").unwrap(), files);
    for path in files {
        let is_same = shown.read(&path).unwrap() == made.read(&path).unwrap();
        assert!(
            is_same,
            "docs/vectors/log/{path} is not what the code writes"
        );
    }
}

#[test]
fn the_documented_log_is_sound_and_its_proof_holds() {
    let dir = docs("log");
    let reader = LedgerReader::open(&dir).unwrap();
    let proof = std::fs::read_to_string(dir.join(format!("{PROVEN}.tlog-proof"))).unwrap();
    let entry = reader.entry(PROVEN).unwrap();
    let shown = verify_proof(&proof, &entry, reader.keys()).unwrap();
    assert_eq!((shown.index, shown.tree_size), (PROVEN, ENTRIES as u64));
    verify_proof(&proof, b"another entry", reader.keys()).unwrap_err();
    // The proof lies beside the log, and is no part of it.
    let problems = fsck(&Folder::new(&dir), Some(reader.keys()), None)
        .unwrap()
        .problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].file.contains("tlog-proof"));
}
