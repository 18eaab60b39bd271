//! What an operator reads when something is wrong with the disk, another writer is at work, or an
//! old backup was put back: each has its own message, and nothing is lost or let out.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chancery_ledger::SqliteLock;
use serde_json::Value;

use crate::disk::Mounted;
use crate::faults::{Fault, Point, RELEASE, bench, is_possible, strike};
use crate::workbench::{Bench, chancery};

const REFRESH: &[&str] = &["ledger", "checkpoint", "--refresh"];

/// Nothing left, and with the trouble over all is as if there had been none.
fn goes_on(bench: &Bench) {
    bench.run(RELEASE).expect(0);
    assert_eq!(bench.staged(), [""; 0]);
    bench.expect_sound();
    for release in bench.published() {
        bench.run(&["verify", &release]).expect(0);
    }
}

#[test]
fn a_failing_fsync_is_said_of_the_file_it_failed_for() {
    if !is_possible() {
        return;
    }
    let pristine = bench();
    for (file, named, published) in [
        (
            "ledger/tile/entries/000.p/.2.tmp",
            "w/ledger/tile/entries/000.p/2`",
            false,
        ),
        ("ledger/.checkpoint.tmp", "w/ledger/checkpoint`", false),
        ("keys/ledger.sqlite-wal", "w/keys/ledger.sqlite`", false),
        ("releases/.staging", "w/releases/.staging`", false),
        // Logged, and so it leaves: the failure is that nobody knows whether it will last.
        ("releases", "w/releases`", true),
    ] {
        let bench = pristine.copy();
        let point = Point {
            call: "fsync".to_owned(),
            file: file.to_owned(),
            nth: 1,
        };
        let struck = strike(&bench, RELEASE, &point, Fault::Eio);
        assert!(struck.struck, "{file}: {struck:?}");
        let error = struck.ran.expect_error(1);
        assert!(error.contains(named), "{file}: {error}");
        assert!(error.contains("check the disk"), "{file}: {error}");
        assert_eq!(!bench.published().is_empty(), published, "{file}");
        goes_on(&bench);
    }
}

/// A folder of the workspace on a small file system of its own, with its content.
fn moved<'p>(bench: &Bench, folder: &'p Path, size: &str) -> Option<Mounted<'p>> {
    let aside = bench.path().join("aside");
    std::fs::rename(folder, &aside).unwrap();
    std::fs::create_dir(folder).unwrap();
    let mounted = Mounted::at(folder, size);
    if mounted.is_none() {
        eprintln!("not run: mounting needs privileges");
        return None;
    }
    let copied = Command::new("cp")
        .arg("-a")
        .arg(aside.join("."))
        .arg(folder)
        .status();
    assert!(copied.unwrap().success());
    mounted
}

#[test]
fn a_full_disk_under_the_lock_publishes_nothing() {
    let bench = bench();
    let keys = bench.workspace().join("keys");
    let Some(_mounted) = moved(&bench, &keys, "256k") else {
        return;
    };
    let filler = keys.join("filler");
    assert!(std::fs::write(&filler, vec![0; 1 << 20]).is_err());
    let error = bench.run(RELEASE).expect_error(1);
    assert!(
        error.contains("w/keys/ledger.sqlite`") && error.contains("room on it"),
        "{error}"
    );
    assert_eq!(bench.published(), [""; 0]);
    std::fs::remove_file(&filler).unwrap();
    goes_on(&bench);
}

#[test]
fn a_disk_that_is_read_only_is_said_to_be() {
    for folder in ["ledger", "keys", "releases"] {
        let bench = bench();
        let path = bench.workspace().join(folder);
        let Some(mounted) = moved(&bench, &path, "1m") else {
            return;
        };
        mounted.remount("ro");
        let error = bench.run(RELEASE).expect_error(1);
        assert!(error.contains(&format!("/w/{folder}")), "{folder}: {error}");
        assert!(error.contains("writ"), "{folder}: {error}");
        assert_eq!(bench.published(), [""; 0]);
        // Whoever only looks needs no more.
        bench.expect_sound();
        bench.run(&["ledger", "show"]).expect(0);
        mounted.remount("rw");
        goes_on(&bench);
    }
}

#[test]
fn a_second_writer_is_turned_away() {
    let bench = bench();
    let first = SqliteLock::open(&bench.workspace().join("keys/ledger.sqlite")).unwrap();
    for command in [
        RELEASE,
        REFRESH,
        &["ledger", "keys", "rotate"],
        &["ledger", "fsck", "--repair"],
    ] {
        let error = bench.run(command).expect_error(1);
        assert!(
            error.contains("another process is writing") && error.contains("ledger.lock"),
            "{error}"
        );
    }
    // Whoever only looks may.
    bench.expect_sound();
    drop(first);
    goes_on(&bench);
}

#[test]
fn an_answer_that_cannot_be_printed_is_no_success() {
    let bench = bench();
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    for command in [RELEASE, &["ledger", "export"]] {
        let mut command = bench.command(command);
        let output = command
            .stdout(full())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = output.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.contains("No space left") && error.contains("hint: "),
            "{error}"
        );
    }
    goes_on(&bench);
}

/// What a backup of the workspace holds, put back on its own.
fn put_back(bench: &Bench, backup: &Bench, names: &[&str]) {
    for name in names {
        let (from, to) = (backup.workspace().join(name), bench.workspace().join(name));
        let command = if to.is_dir() { "-r" } else { "-f" };
        if to.exists() {
            assert!(
                Command::new("rm")
                    .arg("-r")
                    .arg(command)
                    .arg(&to)
                    .status()
                    .unwrap()
                    .success()
            );
        }
        assert!(
            Command::new("cp")
                .arg("-a")
                .arg(&from)
                .arg(&to)
                .status()
                .unwrap()
                .success()
        );
    }
}

#[test]
fn an_old_backup_of_the_ledger_is_refused() {
    let bench = bench();
    let oldest = bench.copy();
    bench.run(RELEASE).expect(0);
    // One append behind is what a crash leaves as well: the lock still has it, and it is made good.
    put_back(&bench, &oldest, &["ledger"]);
    goes_on(&bench);
    assert_eq!(bench.published().len(), 2);
    let backup = oldest;
    put_back(&bench, &backup, &["ledger"]);
    let error = bench.run(RELEASE).expect_error(1);
    assert!(
        error.contains("w/ledger/checkpoint` is of an older log"),
        "{error}"
    );
    assert!(error.contains("restore the latest one"), "{error}");
    let fsck = bench.run(&["ledger", "fsck"]).expect(1);
    assert!(
        fsck.stdout
            .contains("1 entries are published, and 3 were signed"),
        "{fsck:?}"
    );
}

#[test]
fn an_old_backup_of_the_lock_is_refused_and_can_be_brought_up_to_date() {
    let bench = bench();
    let backup = bench.copy();
    bench.run(RELEASE).expect(0);
    put_back(&bench, &backup, &["keys/ledger.sqlite"]);
    let error = bench.run(RELEASE).expect_error(1);
    assert!(
        error.contains("w/keys/ledger.sqlite` is older than the log"),
        "{error}"
    );
    assert!(error.contains("fsck --repair"), "{error}");
    bench.run(&["ledger", "fsck"]).expect(1);
    bench.run(&["ledger", "fsck", "--repair"]).expect(0);
    goes_on(&bench);
}

/// A process that cosigns; it ends with the test.
struct Witness(Child);

impl Drop for Witness {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts a witness of the workspace's log, and has the workspace ask for its cosignature.
fn witnessed(bench: &Bench) -> Witness {
    let vkeys = std::fs::read_to_string(bench.workspace().join("ledger/vkey")).unwrap();
    let logs: String = vkeys.lines().map(|vkey| format!("log {vkey}\n")).collect();
    let file = bench.file("logs.policy", format!("{logs}quorum none\n"));
    let mut command = chancery();
    command.args([
        "--format",
        "json",
        "ledger",
        "witness",
        "--listen",
        "127.0.0.1:0",
    ]);
    command
        .args(["--init", "witness.example/w1", "--dir"])
        .arg(bench.path().join("witness"));
    command
        .arg("--logs")
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut witness = Witness(command.stderr(Stdio::null()).spawn().unwrap());
    let mut said = String::new();
    let mut lines = BufReader::new(witness.0.stdout.take().unwrap());
    while !said.trim_end().ends_with('}') {
        assert!(
            lines.read_line(&mut said).unwrap() > 0,
            "the witness ended: {said}"
        );
    }
    let said: Value = serde_json::from_str(&said).unwrap();
    let (vkey, url) = (
        said["vkeys"][0].as_str().unwrap(),
        said["url"].as_str().unwrap(),
    );
    let policy = format!("{logs}witness W1 {vkey} {url}\nquorum W1\n");
    std::fs::write(bench.workspace().join("witnesses.policy"), policy).unwrap();
    let config = bench.workspace().join("chancery.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, format!("witnesses = \"witnesses.policy\"\n{text}")).unwrap();
    witness
}

/// Of a backup of everything, only somebody else can tell that it is old.
#[test]
fn an_old_backup_of_everything_is_refused_by_the_witness() {
    let bench = bench();
    let witness = witnessed(&bench);
    let backup = bench.copy();
    bench.run(RELEASE).expect(0);
    let policy = bench.workspace().join("witnesses.policy");
    let monitor = |bench: &Bench| {
        let mut command = bench.command(&["ledger", "monitor", "--once", "--policy"]);
        command
            .arg(&policy)
            .arg("--dir")
            .arg(bench.path().join("monitor"));
        crate::workbench::Ran::of({
            command.arg(bench.workspace().join("ledger"));
            command
        })
    };
    monitor(&bench).expect(0);
    // What is signed once more without an entry has to be cosigned, too.
    bench.run(REFRESH).expect(0);
    monitor(&bench).expect(0);
    bench.run(&["ledger", "keys", "rotate"]).expect(0);
    put_back(&bench, &backup, &["ledger", "keys", "releases"]);
    for command in [RELEASE, REFRESH] {
        let error = bench.run(command).expect_error(1);
        assert!(
            error.contains("witness") && error.contains("older copy"),
            "{error}"
        );
    }
    assert_eq!(bench.published(), [""; 0]);
    drop(witness);
    // And while nobody can tell, nothing goes out.
    let error = bench.run(RELEASE).expect_error(1);
    assert!(error.contains("W1"), "{error}");
    assert_eq!(bench.published(), [""; 0]);
}
