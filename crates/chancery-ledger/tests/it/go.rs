//! Go's own note and tlog packages find what this crate wrote, and nothing that was changed since.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use chancery_ledger::InclusionProof;

use crate::{NOW, create_in, entries, entry, keys, slices};

/// Where Debian's `golang-golang-x-mod-dev` puts `golang.org/x/mod`.
const GO_PATH: &str = "/usr/share/gocode";
const NEEDED: &str = "install the packages `golang-go` and `golang-golang-x-mod-dev`";
const SIZE: u64 = 10_000;

/// A checker built once, from `tests/go/check.go`.
fn checker() -> &'static Path {
    static CHECKER: OnceLock<PathBuf> = OnceLock::new();
    CHECKER.get_or_init(|| {
        let work = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = work.join("check-with-go");
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg("check.go")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go"))
            .env("GO111MODULE", "off")
            .env("GOPATH", GO_PATH)
            .env("GOCACHE", work.join("go-cache"))
            .output()
            .expect(NEEDED);
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{NEEDED}: {said}");
        program
    })
}

fn check(arguments: &[&Path]) -> Output {
    Command::new(checker()).args(arguments).output().unwrap()
}

fn accepted(arguments: &[&Path]) -> String {
    let output = check(arguments);
    let refusal = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {refusal}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the checker says against it.
fn refused(arguments: &[&Path]) -> String {
    let output = check(arguments);
    let refusal = String::from_utf8(output.stderr).unwrap();
    let is_refused = output.status.code() == Some(1) && refusal.starts_with("refused: ");
    assert!(is_refused, "{arguments:?}: {refusal}");
    refusal
}

/// A ledger of 10,000 entries in batches that end on, before and after the borders of tiles, with
/// every checkpoint that was published on the way and the receipt of each batch's last entry.
struct Logged {
    folder: tempfile::TempDir,
    checkpoints: Vec<PathBuf>,
    receipts: Vec<InclusionProof>,
}

impl Logged {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut logged = Self {
            folder,
            checkpoints: Vec::new(),
            receipts: Vec::new(),
        };
        let dir = logged.ledger();
        let mut ledger = create_in(logged.folder.path()).unwrap();
        let batches = [1, 1, 253, 1, 1, 254, 3, 510, 1000, 24, 2048, 1, 1999, 777];
        for batch in batches.into_iter().cycle() {
            let kept = logged.folder.path().join(format!("at-{}", ledger.size()));
            fs::copy(dir.join("checkpoint"), &kept).unwrap();
            logged.checkpoints.push(kept);
            let batch = entries(ledger.size()..SIZE.min(ledger.size() + batch));
            let Some(last) = ledger.append_batch(&slices(&batch)).unwrap().pop() else {
                return logged;
            };
            logged.receipts.push(last.proof().clone());
        }
        unreachable!("`cycle` never ends");
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// What the checker says against the ledger as it is after `change`, which is undone.
    fn refused_after(&self, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
        let path = self.ledger().join(file);
        let content = fs::read(&path).unwrap();
        let mut changed = content.clone();
        change(&mut changed);
        fs::write(&path, changed).unwrap();
        let refusal = refused(&[Path::new("log"), &self.ledger()]);
        fs::write(&path, content).unwrap();
        refusal
    }
}

#[test]
fn go_verifies_a_log_of_ten_thousand_entries_and_refuses_each_damaged_copy() {
    let logged = Logged::new();
    let dir = logged.ledger();
    let older: Vec<&Path> = logged.checkpoints.iter().map(PathBuf::as_path).collect();
    let arguments = [&[Path::new("log"), &dir], older.as_slice()].concat();
    let said = format!(
        "10000 entries included, 1540 pairs of sizes consistent, {} older checkpoints consistent\n",
        older.len()
    );
    assert_eq!(accepted(&arguments), said);

    go_refuses_damage(&logged);
    go_refuses_a_fork(&logged);
    go_verifies_receipts(&logged);
    assert_eq!(accepted(&arguments), said, "every change was undone");
}

fn go_refuses_damage(logged: &Logged) {
    let files = [
        // The log's name, the size and the root; the name, the id and the key.
        ("checkpoint", [0, 23, 40]),
        ("vkey", [0, 23, 40]),
        ("tile/0/000", [0, 4000, 8191]),
        ("tile/0/021", [0, 4000, 8191]),
        ("tile/0/039.p/16", [0, 300, 511]),
        ("tile/1/000.p/39", [0, 600, 1247]),
        // A length and two entries.
        ("tile/entries/000", [1, 2, 1000]),
        ("tile/entries/021", [1, 2, 1000]),
        ("tile/entries/039.p/16", [1, 2, 100]),
    ];
    for (file, positions) in files {
        for position in positions {
            logged.refused_after(file, |content| content[position] ^= 1);
        }
        logged.refused_after(file, |content| content.truncate(40));
    }
    let swapped = logged.refused_after("tile/entries/000", |content| {
        let first = content[..9].to_vec();
        content.copy_within(9..18, 0);
        content[9..18].copy_from_slice(&first);
    });
    assert!(swapped.contains("entry 0: "), "{swapped}");
}

/// A checkpoint by the same keys that this log does not continue.
fn go_refuses_a_fork(logged: &Logged) {
    let fork = logged.folder.path().join("fork");
    fs::write(&fork, keys().sign(1, [7; 32], NOW).unwrap().as_str()).unwrap();
    refused(&[Path::new("log"), &logged.ledger(), &fork]);
}

fn go_verifies_receipts(logged: &Logged) {
    let work = logged.folder.path();
    let (vkey, logged_entry) = (logged.ledger().join("vkey"), work.join("entry"));
    let receipt = work.join("receipt.tlog-proof");
    let arguments = [Path::new("proof"), &vkey, &logged_entry, &receipt];
    for (number, proof) in logged.receipts.iter().enumerate() {
        let mut proof = proof.clone();
        proof.extra = (number % 2 == 1).then(|| b"context".to_vec());
        let index = proof.index;
        fs::write(&logged_entry, entry(index)).unwrap();
        fs::write(&receipt, proof.to_string()).unwrap();
        let said = format!("entry {index} is included in the tree of {}\n", index + 1);
        assert_eq!(accepted(&arguments), said);
        fs::write(&logged_entry, entry(index + 1)).unwrap();
        refused(&arguments);
    }
}
