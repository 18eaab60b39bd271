//! A process that dies, at whichever moment: the ledger is sound, nothing half is to be seen, and
//! the next run finishes or undoes what was left. (At each single call: see the faults.)

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::workbench::{Bench, CIVIL, Ran, chancery, files};

const RELEASE: [&str; 4] = ["release", "civil.toml", "--on", "2026-01-10"];

#[test]
fn a_release_killed_at_any_moment_is_finished_or_undone() {
    let pristine = Bench::with_people();
    pristine.file("civil.toml", CIVIL);
    let begun = Instant::now();
    pristine.copy().run(&RELEASE).expect(0);
    let whole = begun.elapsed();
    for moment in 0..12 {
        let bench = pristine.copy();
        kill(&bench, whole * moment / 12);
        recovers(&bench, &format!("killed at {moment}/12"));
    }
}

/// Runs a release and kills it after a while.
fn kill(bench: &Bench, after: Duration) {
    let mut child = quiet(bench.command(&RELEASE)).spawn().unwrap();
    let until = Instant::now() + after;
    while Instant::now() < until && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn quiet(mut command: Command) -> Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// The ledger is right at once, every release that can be seen is whole, and the next run leaves
/// nothing unfinished.
fn recovers(bench: &Bench, what: &str) {
    let fsck = bench.run(&["ledger", "fsck"]);
    assert_eq!(fsck.code, Some(0), "{what}: {fsck:#?}");
    all_verify(bench, what);
    let before = bench.published().len();
    let ran = bench.run(&RELEASE);
    assert_eq!(ran.code, Some(0), "{what}: {ran:#?}");
    assert_eq!(bench.staged(), [""; 0], "{what}");
    assert!(bench.published().len() > before, "{what}");
    all_verify(bench, what);
    let fsck = bench.run(&["ledger", "fsck"]);
    assert_eq!(fsck.code, Some(0), "{what}: {fsck:#?}");
    assert!(
        !fsck.stdout.contains("cut an append short"),
        "{what}: {fsck:#?}"
    );
    // What is to be seen is what the ledger holds, no more and no less.
    let logged = bench.logged();
    let logged = logged.iter().filter(|kind| *kind == "release").count();
    assert_eq!(logged, bench.published().len(), "{what}");
}

fn all_verify(bench: &Bench, what: &str) {
    for release in bench.published() {
        let ran = bench.run(&["verify", &release]);
        assert_eq!(ran.code, Some(0), "{what}: {ran:#?}");
    }
}

#[test]
fn an_interrupted_release_leaves_nothing_but_a_logged_abort() {
    let bench = Bench::new();
    let mut synth = chancery();
    synth.args([
        "synth", "s", "--kind", "tmsis", "--states", "06", "--people", "30000",
    ]);
    Ran::of({
        synth.current_dir(bench.path());
        synth
    })
    .expect(0);
    bench
        .run(&[
            "dataset",
            "add",
            "many",
            "s/ELIGIBLE-06.psv",
            "--kind",
            "tmsis",
        ])
        .expect(0);
    bench.file(
        "r.toml",
        crate::workbench::INTEGRITY.replace("tmsis", "many"),
    );
    let mut release = bench.command(&["release", "r.toml", "--on", "2026-01-10"]);
    let mut child = release
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let staging = bench.releases().join(".staging");
    let until = Instant::now() + Duration::from_mins(1);
    while !holds_data(&staging) {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the release ended before it was interrupted"
        );
        assert!(Instant::now() < until, "nothing was staged");
        std::thread::yield_now();
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("cancelled"), "{ran:?}");
    bench.expect_nothing_left();
    bench.expect_sound();
    let entries = bench.entries();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (&entries[1]["type"], &entries[1]["reason"]),
        (&"abort".into(), &"cancelled".into())
    );
}

fn holds_data(staging: &Path) -> bool {
    // Folders come and go beneath the walk; a file with something in it is enough.
    std::fs::read_dir(staging).is_ok_and(|mut entries| entries.next().is_some())
        && files(staging).keys().any(|name| name.contains("/data/"))
}
