//! The disk fails, or the process dies, at every single system call of the ledger and of a release:
//! nothing acknowledged is lost, nothing unlogged leaves, and the next command puts all right.
//!
//! A dry run under `strace` lists the calls that change or open a file of the ledger, of its lock or
//! of the releases, each as (call, file, how many-th). `strace` counts calls for each thread and,
//! with `-P`, only those on that file, so `-P FILE -e inject=CALL:…:when=N` meets exactly that call;
//! its trace is then asked whether it did. Each of them fails once with EIO, fails once with ENOSPC,
//! and is once the moment at which the process is killed, just before the call takes effect. Killed
//! just after a call is the same disk as killed just before the next one. (That a call takes effect
//! and reports a failure is for the ledger's own tests, as `strace` cannot do it.)
//!
//! `CHANCERY_FAULTS=all` runs all of them; otherwise it is every so many-th.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chancery_dataset::Silent;
use chancery_ledger::{Folder, Keyring, Lock as _, SqliteLock, UnverifiedCheckpoint, fsck};
use chancery_release::{Entry, Workspace, check_releases};

use crate::workbench::{Bench, Ran, corpus, names};

/// The calls that a fault is put into.
const CALLS: &str = "openat,write,writev,pwrite64,fsync,fdatasync,link,linkat,rename,renameat,\
                     renameat2,mkdir,mkdirat,unlink,unlinkat,rmdir,ftruncate,fallocate";

/// Two people, one table, one file: a release as short as can be.
const REQUEST: &str = r#"recipient = "hhs/oig"
purpose = "program-administration/integrity"
custodian = "hhs/cms"
dataset = "tmsis"
tables = ["ELG00002"]
format = "csv"
"#;

/// What is in the records of those two people, and may be in no message.
const VALUES: [&str; 7] = [
    "Ivo",
    "Ida",
    "WY01",
    "WY02",
    "20170401",
    "20190402",
    "900000001",
];

pub(crate) const RELEASE: &[&str] = &[
    "--format",
    "json",
    "release",
    "r.toml",
    "--on",
    "2026-01-10",
];
const INIT: &[&str] = &["init", WORKSPACE, "--demo"];
const ROTATE: &[&str] = &["ledger", "keys", "rotate"];
const RETIRE: &[&str] = &["ledger", "keys", "retire"];
const REFRESH: &[&str] = &["ledger", "checkpoint", "--refresh"];

/// Stands for the path of the workspace among the arguments.
const WORKSPACE: &str = "{workspace}";

pub(crate) fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("r.toml", REQUEST);
    let people = corpus().join("datasets/tmsis/ELIGIBLE-93.psv");
    let add = [
        "dataset",
        "add",
        "tmsis",
        people.to_str().unwrap(),
        "--kind",
        "tmsis",
    ];
    bench.run(&add).expect(0);
    bench
}

#[test]
fn a_release_survives_a_fault_at_every_call() {
    if is_possible() {
        Table::of(bench(), RELEASE).run(11);
    }
}

#[test]
fn a_change_of_keys_survives_a_fault_at_every_call() {
    if !is_possible() {
        return;
    }
    let bench = bench();
    Table::of(bench.copy(), ROTATE).run(11);
    bench.run(ROTATE).expect(0);
    Table::of(bench, RETIRE).run(11);
}

/// What a crash left is put right by a command that meets a fault itself.
#[test]
fn recovery_survives_a_fault_at_every_call() {
    if !is_possible() {
        return;
    }
    let bench = bench();
    // Killed with the entry decided on and the data staged, but neither published.
    let checkpoint = Point {
        call: "rename".to_owned(),
        file: "ledger/.checkpoint.tmp".to_owned(),
        nth: 1,
    };
    let ran = strike(&bench, RELEASE, &checkpoint, Fault::Kill);
    assert!(ran.struck && ran.ran.code.is_none(), "{ran:?}");
    assert_eq!(bench.staged().len(), 1);
    let table = Table::of(bench, REFRESH);
    assert!(
        table
            .points
            .iter()
            .any(|point| point.file.starts_with("releases/"))
    );
    table.run(11);
}

/// A workspace that is not made to its end is none: whoever tries again is told so, or makes it.
#[test]
fn making_a_workspace_survives_a_fault_at_every_call() {
    if is_possible() {
        Table::of(Bench::empty(), INIT).run(11);
    }
}

/// Whether calls can be traced here; in CI they have to be.
pub(crate) fn is_possible() -> bool {
    let mut strace = Command::new("strace");
    let tried = strace.args(["-f", "-o", "/dev/null", "true"]).output();
    let possible = tried.is_ok_and(|output| output.status.success());
    assert!(possible || !all(), "strace cannot trace here");
    if !possible {
        eprintln!("not run: strace is not there, or may not trace");
    }
    possible
}

/// Whether every fault is asked for.
fn all() -> bool {
    std::env::var("CHANCERY_FAULTS").is_ok_and(|which| which == "all")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Eio,
    Enospc,
    Kill,
}

const FAULTS: [Fault; 3] = [Fault::Eio, Fault::Enospc, Fault::Kill];

/// One system call: the `nth` of its name on a file, which is given relative to the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) call: String,
    pub(crate) file: String,
    pub(crate) nth: usize,
}

/// What came of a command that met a fault.
#[derive(Debug)]
pub(crate) struct Struck {
    pub(crate) ran: Ran,
    /// Whether the fault was met.
    pub(crate) struck: bool,
}

/// A command, the workspace that it starts from, and all the calls it makes there.
struct Table {
    pristine: Bench,
    command: &'static [&'static str],
    points: Vec<Point>,
}

impl Table {
    fn of(pristine: Bench, command: &'static [&'static str]) -> Self {
        let bench = pristine.copy();
        let trace = bench.path().join("trace");
        let mut strace = Command::new("strace");
        strace.args([
            "-f",
            "-y",
            "-qq",
            "-e",
            "signal=none",
            "-e",
            &format!("trace={CALLS}"),
        ]);
        let strace = traced(strace, &bench, &trace, command);
        Ran::of(strace).expect(0);
        let mut counts = BTreeMap::new();
        let mut points = Vec::new();
        for (call, file) in read_calls(&trace, &bench.workspace()) {
            let nth = counts.entry((call.clone(), file.clone())).or_insert(0);
            *nth += 1;
            points.push(Point {
                call,
                file,
                nth: *nth,
            });
        }
        Self {
            pristine,
            command,
            points,
        }
    }

    /// Every fault at every call, or every `step`-th of them.
    fn run(&self, step: usize) {
        let step = if all() { 1 } else { step };
        let cases = self
            .points
            .iter()
            .flat_map(|point| FAULTS.map(|fault| (point, fault)));
        let cases: Vec<_> = cases.step_by(step).collect();
        let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
                scope.spawn(|| {
                    while let Some((point, fault)) = cases.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        let outcome = if self.command == INIT {
                            self.making(point, *fault)
                        } else {
                            self.case(point, *fault)
                        };
                        if let Err(problem) = outcome {
                            let what = format!("{fault:?} at {point:?}: {problem}");
                            wrong.lock().unwrap().push(what);
                        }
                    }
                });
            }
        });
        let wrong = wrong.into_inner().unwrap();
        let (bad, count, points) = (wrong.len(), cases.len(), self.points.len());
        eprintln!("{:?}: {count} faults at {points} calls", self.command);
        assert!(
            bad == 0,
            "{:?}: {bad} of {count} faults:\n\n{}",
            self.command,
            wrong.join("\n\n")
        );
    }

    fn making(&self, point: &Point, fault: Fault) -> Result<(), String> {
        let bench = self.pristine.copy();
        let Struck { ran, struck } = strike(&bench, INIT, point, fault);
        if !struck {
            return Err(format!("it was not met: {ran:#?}"));
        }
        said_what_and_why(&ran, fault)?;
        let again = bench.run(&["init", bench.workspace().to_str().unwrap(), "--demo"]);
        if !again.stderr.contains("chancery.toml: exists already") {
            said_what_and_why(&again, Fault::Eio)?;
        }
        let config = bench.workspace().join("chancery.toml");
        if ran.code == Some(0) && !config.exists() {
            return Err(format!("it is not made: {ran:#?}"));
        }
        let fsck = bench.run(&["ledger", "fsck"]);
        if config.exists() && fsck.code != Some(0) {
            return Err(format!("{ran:#?}\nmade {fsck:#?}"));
        }
        Ok(())
    }

    fn case(&self, point: &Point, fault: Fault) -> Result<(), String> {
        let bench = self.pristine.copy();
        let mut seen = Seen::default();
        seen.look(&bench)?;
        let Struck { ran, struck } = strike(&bench, self.command, point, fault);
        if !struck {
            return Err(format!("it was not met: {ran:#?}"));
        }
        seen.look(&bench)?;
        said_what_and_why(&ran, fault)?;
        let mut acknowledged = BTreeSet::new();
        if ran.code == Some(0) && self.command == RELEASE {
            acknowledged.insert(ran.json()["id"].as_str().unwrap().to_owned());
        }
        let again = bench.run(REFRESH);
        if again.code != Some(0) {
            return Err(format!("{ran:#?}\nwas not recovered from: {again:#?}"));
        }
        seen.look(&bench)?;
        sound(&bench, &acknowledged, &seen)
            .map_err(|problem| format!("{problem}\nafter {ran:#?}"))?;
        // The same again, on what recovery made of it. Retiring may have come to its end.
        if point.nth % 2 == 1 && self.command != RETIRE {
            let again = bench.run(self.command);
            if again.code != Some(0) {
                return Err(format!("{ran:#?}\ncannot be done again: {again:#?}"));
            }
            seen.look(&bench)?;
            sound(&bench, &acknowledged, &seen)?;
        }
        Ok(())
    }
}

/// Runs a command of the workspace under `strace`.
fn traced(mut strace: Command, bench: &Bench, trace: &Path, args: &[&str]) -> Command {
    strace
        .arg("-o")
        .arg(trace)
        .arg(env!("CARGO_BIN_EXE_chancery"));
    strace.arg("-C").arg(bench.workspace());
    let workspace = bench.workspace();
    for arg in args {
        match *arg {
            WORKSPACE => strace.arg(&workspace),
            other => strace.arg(other),
        };
    }
    strace.current_dir(bench.path()).stdin(Stdio::null());
    strace.env("NO_COLOR", "1").env_remove("RUST_BACKTRACE");
    strace
}

pub(crate) fn strike(bench: &Bench, args: &[&str], point: &Point, fault: Fault) -> Struck {
    let trace = bench.path().join("trace");
    let (call, nth) = (&point.call, point.nth);
    let what = match fault {
        Fault::Eio => "error=EIO",
        Fault::Enospc => "error=ENOSPC",
        // The call itself is not made: with an error in its place, there is no doubt.
        Fault::Kill => "error=EIO:signal=KILL",
    };
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", &format!("trace={call}"), "-P"]);
    strace.arg(bench.workspace().join(&point.file));
    strace.args(["-e", &format!("inject={call}:{what}:when={nth}")]);
    if fault != Fault::Kill {
        // Much faster; but with it no signal is sent.
        strace.arg("--seccomp-bpf");
    }
    let mut ran = Ran::of(traced(strace, bench, &trace, args));
    // What strace itself has to say of a path.
    let own = |line: &&str| !line.starts_with("strace: Requested path ");
    ran.stderr = ran.stderr.split_inclusive('\n').filter(own).collect();
    let trace = std::fs::read_to_string(&trace).unwrap();
    let mark = if fault == Fault::Kill {
        "killed by SIGKILL"
    } else {
        "(INJECTED)"
    };
    Struck {
        ran,
        struck: trace.contains(mark),
    }
}

/// The calls of a trace on the files in question.
fn read_calls(trace: &Path, workspace: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(trace).unwrap();
    text.lines()
        .filter_map(|line| read_call(line, workspace))
        .collect()
}

fn read_call(line: &str, workspace: &Path) -> Option<(String, String)> {
    let (_, line) = line.split_once(' ')?;
    let (call, args) = line.trim_start().split_once('(')?;
    // A path is an argument of its own, or that of the descriptor which is the first.
    let path = if args.starts_with(|first: char| first.is_ascii_digit()) {
        args.split_once('<')?.1.split_once('>')?.0
    } else {
        args.split('"').nth(1)?
    };
    // As it is written: `ledger/` is another path to strace than `ledger`.
    let file = path.strip_prefix(workspace.to_str()?)?.strip_prefix('/')?;
    // The engine's folder has another name each time.
    let known = !file.contains("/spill/datafusion-");
    let concerned = ["ledger", "keys", "releases"]
        .iter()
        .any(|folder| file.starts_with(folder));
    (known && concerned).then(|| (call.to_owned(), file.to_owned()))
}

/// A failure names a file and what to do, and shows no record; success is fine when the fault came
/// where nothing depends on it.
fn said_what_and_why(ran: &Ran, fault: Fault) -> Result<(), String> {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    // What was finished before the fault may be said first.
    let mut error = ran.stderr.as_str();
    while let Some((_, rest)) = error
        .starts_with("note: ")
        .then(|| error.split_once('\n'))
        .flatten()
    {
        error = rest;
    }
    let hint = ran
        .stderr
        .lines()
        .rev()
        .take(4)
        .any(|line| line.starts_with("hint: "));
    let problem = if all.contains("panicked") {
        "it panicked"
    } else if VALUES.iter().any(|value| ran.stderr.contains(value)) {
        "it shows a value of a record"
    } else if fault == Fault::Kill {
        if ran.code.is_none() {
            return Ok(());
        }
        "it was not killed"
    } else if ran.code == Some(0) {
        return Ok(());
    } else if ran.code != Some(1) {
        "its exit code is not 1"
    } else if !ran.stdout.is_empty() {
        "it failed, and yet printed an answer"
    } else if !error.starts_with("error: ") || !error.contains("/w/") {
        "its message names no file"
    } else if !hint {
        "its message has no hint"
    } else {
        return Ok(());
    };
    Err(format!("{problem}: {ran:#?}"))
}

/// The checkpoints of a log, published or only signed, as they were seen.
#[derive(Default)]
struct Seen(BTreeSet<Vec<u8>>);

impl Seen {
    fn look(&mut self, bench: &Bench) -> Result<(), String> {
        let published = std::fs::read(bench.workspace().join("ledger/checkpoint"));
        self.0
            .insert(published.map_err(|error| format!("no checkpoint: {error}"))?);
        // Of a copy, as looking at a database may change it.
        let copy = tempfile::tempdir().unwrap();
        for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
            let from = bench.workspace().join("keys").join(name);
            if from.exists() {
                std::fs::copy(from, copy.path().join(name)).unwrap();
            }
        }
        let lock = SqliteLock::for_reading(&copy.path().join("ledger.sqlite"));
        let locked = lock.and_then(|lock| lock.load());
        let locked = locked.map_err(|error| format!("the lock cannot be read: {error}"))?;
        self.0.extend(locked.checkpoint.map(String::into_bytes));
        Ok(())
    }
}

/// Everything that has to hold of a workspace that no command is at work in.
fn sound(bench: &Bench, acknowledged: &BTreeSet<String>, seen: &Seen) -> Result<(), String> {
    let workspace = Workspace::find(&bench.workspace()).map_err(|error| error.to_string())?;
    let keys = checked_log(&workspace)?;
    let found = check_releases(&workspace, &Silent).map_err(|error| error.to_string())?;
    if !(found.problems.is_empty() && found.unfinished.is_empty()) {
        return Err(format!("of the releases: {found:#?}"));
    }
    let mut left = bench.staged();
    let unfinished = |name: &String| ["ledger.key.new", "ledger.change"].contains(&name.as_str());
    left.extend(
        names(&bench.workspace().join("keys"))
            .into_iter()
            .filter(unfinished),
    );
    if !left.is_empty() {
        return Err(format!("left behind: {left:?}"));
    }
    let reader = workspace
        .ledger_reader()
        .map_err(|error| error.to_string())?;
    for note in &seen.0 {
        let seen = UnverifiedCheckpoint::parse(note).and_then(|seen| keys.verify(seen));
        let seen = seen.map_err(|error| format!("a checkpoint: {error}"))?;
        let root = reader
            .root_at(seen.size())
            .map_err(|error| format!("{seen}: {error}"))?;
        if root != seen.root() {
            return Err(format!("two histories:\n{seen}\n{}", reader.checkpoint()));
        }
    }
    let mut released = Vec::new();
    let mut added = BTreeSet::new();
    for entry in reader.entries(0..reader.size()).unwrap() {
        match Entry::from_bytes(&entry.unwrap().1).known().unwrap() {
            Entry::Release(release) => released.push(release.id.to_string()),
            Entry::KeyRotation(change) => {
                added.extend(change.added.iter().map(ToString::to_string));
            }
            _ => {}
        }
    }
    // Only a release that is changed after it was logged would be logged and not be there.
    let mut published = bench.published();
    released.sort();
    published.sort();
    if released != published || !acknowledged.iter().all(|id| released.contains(id)) {
        return Err(format!(
            "{acknowledged:?} acknowledged, {released:?} logged, {published:?} there"
        ));
    }
    let first = keys.keys().count() - 2;
    for key in keys.keys().take(first) {
        if !added.contains(&key.to_string()) {
            return Err(format!("no entry tells of the key {key}"));
        }
    }
    Ok(())
}

/// The log's files are all right, and its keys the same wherever they are written.
fn checked_log(workspace: &Workspace) -> Result<Keyring, String> {
    let keys = workspace.ledger_keys().map_err(|error| error.to_string())?;
    let lock =
        SqliteLock::for_reading(&workspace.lock_file()).map_err(|error| error.to_string())?;
    let storage = Folder::new(workspace.ledger_dir());
    let report = fsck(&storage, Some(&keys), Some(&lock)).map_err(|error| error.to_string())?;
    if !report.is_sound() {
        return Err(format!("of the log: {:#?}", report.problems));
    }
    let published = std::fs::read_to_string(workspace.ledger_dir().join("vkey")).unwrap();
    if published != keys.to_string() {
        return Err(format!(
            "the keys published are\n{published}and not\n{keys}"
        ));
    }
    Ok(keys)
}
