//! A disk that is full: the release is given up, said so, and undone.

use std::path::Path;
use std::process::Command;

use crate::refused::limited;
use crate::workbench::{Bench, Ran, chancery};

const REQUEST: &str = r#"recipient = "hhs/oig"
purpose = "program-administration/integrity"
custodian = "hhs/cms"
dataset = "many"
format = "csv"
"#;
const RELEASE: [&str; 4] = ["release", "r.toml", "--on", "2026-01-10"];

/// A workspace with enough people that a release is longer than the room given to it.
fn bench(people: &str) -> Bench {
    let bench = Bench::new();
    bench.file("r.toml", REQUEST);
    let mut synth = chancery();
    synth.args([
        "synth", "s", "--kind", "tmsis", "--states", "06", "--people", people,
    ]);
    synth.current_dir(bench.path());
    Ran::of(synth).expect(0);
    let add = [
        "dataset",
        "add",
        "many",
        "s/ELIGIBLE-06.psv",
        "--kind",
        "tmsis",
    ];
    bench.run(&add).expect(0);
    bench
}

#[test]
fn a_file_that_cannot_grow_ends_the_release_and_the_abort_is_logged() {
    let bench = bench("2000");
    let ran = limited(&bench, 64, &RELEASE).expect(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.starts_with("error: "), "{ran:?}");
    assert_eq!(bench.logged(), ["workspace", "abort"]);
    bench.expect_nothing_left();
    bench.expect_sound();
    bench.run(&RELEASE).expect(0);
}

#[test]
fn a_full_disk_is_said_to_be_full() {
    let bench = bench("2000");
    let small = bench.releases();
    let Some(_mounted) = Mounted::at(&small, "256k") else {
        eprintln!("not run: mounting needs privileges");
        return;
    };
    let error = bench.run(&RELEASE).expect_error(1);
    assert!(
        error.contains("No space left") && error.contains("free space"),
        "{error}"
    );
    assert_eq!(bench.logged(), ["workspace", "abort"]);
    bench.expect_nothing_left();
    bench.expect_sound();
}

/// Room for nothing at all: not even the ledger's entry can be written.
#[test]
fn a_full_disk_under_the_ledger_publishes_nothing() {
    let bench = bench("50");
    let ledger = bench.workspace().join("ledger");
    let aside = bench.path().join("aside");
    std::fs::rename(&ledger, &aside).unwrap();
    std::fs::create_dir(&ledger).unwrap();
    let Some(_mounted) = Mounted::at(&ledger, "64k") else {
        eprintln!("not run: mounting needs privileges");
        return;
    };
    let status = Command::new("cp")
        .arg("-a")
        .arg(aside.join("."))
        .arg(&ledger)
        .status();
    assert!(status.unwrap().success());
    let filler = ledger.join("filler");
    // Fills whatever room is left.
    assert!(std::fs::write(&filler, vec![0; 1 << 20]).is_err());
    bench.run(&RELEASE).expect_error(1);
    assert_eq!(bench.published(), [""; 0]);
    std::fs::remove_file(&filler).unwrap();
    bench.run(&RELEASE).expect(0);
    assert_eq!(bench.staged(), [""; 0]);
    for release in bench.published() {
        bench.run(&["verify", &release]).expect(0);
    }
    bench.expect_sound();
}

/// A small file system in memory, while it lives.
pub(crate) struct Mounted<'p>(&'p Path);

impl<'p> Mounted<'p> {
    pub(crate) fn at(path: &'p Path, size: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args([
            "-t",
            "tmpfs",
            "-o",
            &format!("size={size}"),
            "chancery-test",
        ]);
        let done = mount.arg(path).output().ok()?;
        done.status.success().then_some(Self(path))
    }

    /// Makes it `ro` or `rw`.
    pub(crate) fn remount(&self, how: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{how}")]).arg(self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0).output());
    }
}
