//! A monitor raises an alarm about everything that is wrong with a log, and never about a sound one.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chancery_ledger::monitor::{Alarm, Expected, Monitor, Report};
use chancery_ledger::witness::Witness;
use chancery_ledger::{
    Appender, Error, Ledger, LogKeys, Policy, Source, SqliteLock, UnverifiedCheckpoint,
    verify_proof,
};

use crate::child::{Process, say};
use crate::quorum::{Served, policy, quorum, receive};
use crate::witness::History;
use crate::{NOW, create_in, entries, entry, folder_parts, keyring, slices};

/// A log in a folder, and a monitor's own folder.
struct Watched {
    dir: tempfile::TempDir,
    ledger: Option<Ledger>,
}

impl Watched {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Some(create_in(dir.path()).unwrap());
        Self { dir, ledger }
    }

    /// A log with other entries from `fork` on.
    fn forked(fork: u64, size: u64) -> Self {
        let mut log = Self::new();
        let mut entries = entries(0..size);
        for entry in &mut entries[usize::try_from(fork).unwrap()..] {
            entry.push(b'!');
        }
        log.append(&entries);
        log
    }

    fn append(&mut self, entries: &[Vec<u8>]) {
        let ledger = self.ledger.as_mut().unwrap();
        ledger.append_batch(&slices(entries)).unwrap();
    }

    /// Appends what any log has, up to a size.
    fn grow(&mut self, size: u64) {
        let own = self.ledger.as_ref().unwrap().size();
        self.append(&entries(own..size));
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("ledger")
    }

    fn own(&self) -> PathBuf {
        self.dir.path().join("monitor")
    }

    fn file(&self, path: &str) -> PathBuf {
        self.log().join(path)
    }

    /// What a monitor that is started for it finds, at the place of the log or another.
    fn look_at(&self, place: &str) -> Report {
        let source = Box::new(Source::open(place));
        let expected = Expected::Keys(keyring());
        let mut monitor = Monitor::open(&self.own(), source, expected).unwrap();
        monitor.follow_once(NOW, Some(60), &|_| true).unwrap()
    }

    fn look(&self) -> Report {
        self.look_at(self.log().to_str().unwrap())
    }

    /// Keeps a copy of the published files.
    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&self.log(), copy.path());
        copy
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy_folder(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

/// The sizes of what a report has, if there is no alarm.
fn quiet(report: &Report) -> (u64, u64) {
    assert_eq!(report.alarms, []);
    (report.size, report.read)
}

fn kinds(report: &Report) -> BTreeSet<&'static str> {
    for alarm in &report.alarms {
        assert!(!alarm.to_string().is_empty() && !alarm.hint().is_empty());
    }
    report.alarms.iter().map(Alarm::kind).collect()
}

/// Serves a folder as any web server would.
fn serve_files(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (line, _) = receive(&mut stream);
            let path = line
                .split(' ')
                .nth(1)
                .unwrap_or("/")
                .trim_start_matches('/')
                .to_owned();
            let (status, content) = match fs::read(folder.join(path)) {
                Ok(content) => (200, content),
                Err(_) => (404, Vec::new()),
            };
            let length = content.len();
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            drop(
                stream
                    .write_all(head.as_bytes())
                    .and_then(|()| stream.write_all(&content)),
            );
        }
    });
    url
}

#[test]
fn a_sound_log_is_followed_from_a_folder_and_from_a_server_with_no_alarm() {
    let mut log = Watched::new();
    let url = serve_files(log.log());
    assert_eq!(quiet(&log.look()), (0, 0));
    for (size, from_server) in [
        (1, true),
        (2, false),
        (255, true),
        (256, true),
        (257, false),
        (700, true),
        (70_000, false),
    ] {
        log.grow(size);
        let report = if from_server {
            log.look_at(&url)
        } else {
            log.look()
        };
        assert_eq!(quiet(&report), (size, size));
        assert_eq!(quiet(&log.look()), (size, size));
    }
}

#[test]
fn an_older_copy_is_a_roll_back_and_no_fork_at_any_size() {
    let mut log = Watched::new();
    let mut copies = Vec::new();
    for size in [1, 3, 256, 300, 600] {
        log.grow(size);
        copies.push((size, log.copy()));
    }
    // The monitor has not seen the older trees while they were the newest.
    assert_eq!(quiet(&log.look()), (600, 600));
    for (size, copy) in &copies[..4] {
        let report = log.look_at(copy.path().to_str().unwrap());
        assert_eq!(
            report.alarms,
            [Alarm::RollBack {
                from: 600,
                to: *size
            }]
        );
        assert_eq!(report.size, 600);
    }
    assert_eq!(quiet(&log.look()), (600, 600));
}

#[test]
fn a_fork_is_found_at_every_size_and_both_checkpoints_are_kept_for_good() {
    for (seen, fork, forked_size) in [
        (5, 3, 5),
        (5, 3, 9),
        (300, 2, 400),
        (300, 299, 300),
        (300, 10, 20),
    ] {
        let mut log = Watched::new();
        log.grow(seen);
        assert_eq!(quiet(&log.look()), (seen, seen));
        let forked = Watched::forked(fork, forked_size);
        let report = log.look_at(forked.log().to_str().unwrap());
        assert!(kinds(&report).contains("fork"), "{report:?}");
        assert_eq!(kinds(&report).contains("roll-back"), forked_size < seen);
        assert_eq!(report.size, seen);

        // The log shows the first history again, with more. The fork is not forgotten.
        log.grow(seen + 10);
        let report = log.look();
        let [Alarm::Fork { sizes, evidence }] = &report.alarms[..] else {
            panic!("{report:?}");
        };
        assert_eq!(report.size, seen + 10);
        for (size, file) in sizes.iter().zip(evidence) {
            let note = fs::read(file).unwrap();
            let note = UnverifiedCheckpoint::parse(&note).unwrap();
            assert_eq!(keyring().verify(note).unwrap().size(), *size);
        }
        assert_eq!(
            sizes.iter().copied().collect::<BTreeSet<_>>(),
            BTreeSet::from([seen, forked_size])
        );
    }
}

#[test]
fn a_fork_that_is_shown_before_its_tree_is_found_when_the_tree_is_there() {
    let mut log = Watched::new();
    log.grow(5);
    assert_eq!(quiet(&log.look()), (5, 5));
    // A checkpoint of 7 entries is published without its tree, and then replaced.
    let forked = Watched::forked(6, 7);
    let own = fs::read(log.file("checkpoint")).unwrap();
    fs::copy(forked.file("checkpoint"), log.file("checkpoint")).unwrap();
    let report = log.look();
    assert_eq!(kinds(&report), BTreeSet::from(["damaged"]));
    assert_eq!(report.size, 5);
    fs::write(log.file("checkpoint"), own).unwrap();
    log.grow(9);
    assert_eq!(kinds(&log.look()), BTreeSet::from(["fork"]));
}

#[test]
fn a_checkpoint_that_is_old_or_from_the_future_is_an_alarm() {
    let log = Watched::new();
    let place = log.log();
    let open = |keys| {
        let source = Box::new(Source::open(place.to_str().unwrap()));
        Monitor::open(&log.own(), source, keys).unwrap()
    };
    let at = |monitor: &mut Monitor, now| monitor.follow_once(now, Some(60), &|_| true).unwrap();
    let mut monitor = open(Expected::Keys(keyring()));
    assert_eq!(quiet(&at(&mut monitor, NOW + 60)), (0, 0));
    let report = at(&mut monitor, NOW + 61);
    assert_eq!(
        report.alarms,
        [Alarm::Stale {
            age: 61,
            max_age: 60
        }]
    );
    assert_eq!(quiet(&at(&mut monitor, NOW - 300)), (0, 0));
    assert_eq!(
        at(&mut monitor, NOW - 301).alarms,
        [Alarm::FromTheFuture { by: 301 }]
    );

    // A log that cannot be asked gets old, too.
    fs::rename(log.file("checkpoint"), log.file("gone")).unwrap();
    assert_eq!(
        kinds(&at(&mut monitor, NOW + 61)),
        BTreeSet::from(["stale", "unreachable"])
    );
    fs::rename(log.file("gone"), log.file("checkpoint")).unwrap();
    drop(monitor);

    // Where no key states a time, it is as old as it is known.
    let ed25519 = keyring().current()[0].clone();
    let other = tempfile::tempdir().unwrap();
    let source = Box::new(Source::open(place.to_str().unwrap()));
    let mut monitor = Monitor::open(other.path(), source, Expected::Keys(ed25519.into())).unwrap();
    assert_eq!(quiet(&at(&mut monitor, 1_000)), (0, 0));
    assert_eq!(quiet(&at(&mut monitor, 1_060)), (0, 0));
    assert_eq!(kinds(&at(&mut monitor, 1_061)), BTreeSet::from(["stale"]));
}

#[test]
fn what_is_not_signed_by_the_log_is_not_its_checkpoint() {
    let mut log = Watched::new();
    log.grow(3);
    assert_eq!(quiet(&log.look()), (3, 3));
    let good = fs::read_to_string(log.file("checkpoint")).unwrap();
    let sign = |name, seed| {
        let keys = LogKeys::generate(name, &[seed; 32]).unwrap();
        keys.sign(9, [1; 32], NOW).unwrap().as_str().to_owned()
    };
    let half = good.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    for bad in [
        String::new(),
        "garbage".to_owned(),
        half,
        good.replacen("\n3\n", "\n4\n", 1),
        sign("agency.example/ledger", 8),
        sign("another.example/ledger", 7),
        good.repeat(2),
    ] {
        fs::write(log.file("checkpoint"), &bad).unwrap();
        let report = log.look();
        assert!(
            kinds(&report).contains("bad-signature"),
            "{bad}: {report:?}"
        );
        assert_eq!(report.size, 3);
    }
    fs::remove_file(log.file("checkpoint")).unwrap();
    assert_eq!(kinds(&log.look()), BTreeSet::from(["unreachable"]));
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let report = log.look_at(&format!("http://{nobody}"));
    assert_eq!(kinds(&report), BTreeSet::from(["unreachable"]));
    fs::write(log.file("checkpoint"), &good).unwrap();
    assert_eq!(quiet(&log.look()), (3, 3));
}

#[test]
fn an_entry_that_cannot_be_read_is_an_alarm_until_it_can() {
    let mut log = Watched::new();
    log.grow(300);
    let follow = |readable: &dyn Fn(&[u8]) -> bool| {
        let source = Box::new(Source::open(log.log().to_str().unwrap()));
        let mut monitor = Monitor::open(&log.own(), source, Expected::Keys(keyring())).unwrap();
        monitor.follow_once(NOW, None, readable).unwrap()
    };
    let without = |indices: &'static [u64]| {
        move |content: &[u8]| !indices.iter().any(|index| entry(*index) == content)
    };
    let unreadable = |index| Alarm::UnreadableEntry { index };
    let report = follow(&without(&[7, 290]));
    assert_eq!(report.alarms, [unreadable(7), unreadable(290)]);
    assert_eq!((report.size, report.read, report.unreadable), (300, 300, 2));
    // A new version can read one of them.
    assert_eq!(follow(&without(&[290])).alarms, [unreadable(290)]);
    assert_eq!(quiet(&follow(&without(&[]))), (300, 300));

    // There may be many; the first are named, and all are counted.
    let mut log = Watched::new();
    log.grow(300);
    let source = Box::new(Source::open(log.log().to_str().unwrap()));
    let mut monitor = Monitor::open(&log.own(), source, Expected::Keys(keyring())).unwrap();
    let report = monitor.follow_once(NOW, None, &|_| false).unwrap();
    assert_eq!((report.alarms.len(), report.unreadable), (100, 300));
}

#[test]
fn a_log_that_does_not_serve_the_tree_it_signed_is_an_alarm() {
    let mut log = Watched::new();
    log.grow(3);
    assert_eq!(quiet(&log.look()), (3, 3));
    log.grow(600);
    for file in [
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/0/001",
        "tile/entries/001",
    ] {
        let file = log.file(file);
        let good = fs::read(&file).unwrap();
        let mut bad = good.clone();
        bad[40] ^= 1;
        for bad in [
            Some(bad),
            Some(good[..good.len() - 1].to_vec()),
            Some(Vec::new()),
            None,
        ] {
            let damaged = match &bad {
                Some(bad) => fs::write(&file, bad),
                None => fs::remove_file(&file),
            };
            damaged.unwrap();
            let report = log.look();
            assert_eq!(
                kinds(&report),
                BTreeSet::from(["damaged"]),
                "{}",
                file.display()
            );
            assert!(report.read < 600);
            let [alarm] = &report.alarms[..] else {
                panic!("{report:?}");
            };
            assert!(
                alarm
                    .to_string()
                    .contains(file.file_name().unwrap().to_str().unwrap())
            );
            fs::write(&file, &good).unwrap();
        }
    }
    assert_eq!(quiet(&log.look()), (600, 600));
}

/// A policy with the log's keys and witnesses.
fn with_log(policy_of: &[(&str, &str)], threshold: usize) -> Policy {
    let mut text = String::new();
    for key in keyring().keys() {
        text += &format!("log {key}\n");
    }
    for (name, url) in policy_of {
        let key = crate::witness::witness_keys(name)[0].verifier();
        text += &format!("witness {name} {key} {url}\n");
    }
    let names: Vec<&str> = policy_of.iter().map(|(name, _)| *name).collect();
    text += &format!(
        "group all-of-them {threshold} {}\nquorum all-of-them\n",
        names.join(" ")
    );
    text.parse().unwrap()
}

#[test]
fn with_a_policy_the_quorum_has_to_have_cosigned_and_witnesses_are_asked_what_they_saw() {
    let witness_dir = tempfile::tempdir().unwrap();
    let served = Served::start(witness_dir.path(), "w1");
    let witnesses = [("w1", served.url.as_str())];
    let mut log = Watched::new();
    log.grow(3);
    let look = || {
        let source = Box::new(Source::open(log.log().to_str().unwrap()));
        let expected = Expected::Policy(with_log(&witnesses, 1));
        let mut monitor = Monitor::open(&log.own(), source, expected).unwrap();
        monitor.follow_once(NOW, None, &|_| true).unwrap()
    };
    let report = look();
    assert_eq!(kinds(&report), BTreeSet::from(["not-witnessed"]));
    assert!(report.alarms[0].to_string().contains("w1"));

    // The log shows the witness another tree than us.
    let forked = History::forked_at(1, 3);
    crate::witness::post(&served.url, &forked.request(0, 2)).unwrap();
    assert_eq!(kinds(&look()), BTreeSet::from(["fork", "not-witnessed"]));
}

#[test]
fn a_second_monitor_on_one_folder_is_refused() {
    let log = Watched::new();
    let open = || {
        let source = Box::new(Source::open(log.log().to_str().unwrap()));
        Monitor::open(&log.own(), source, Expected::Keys(keyring()))
    };
    let mut first = open().unwrap();
    first.follow_once(NOW, None, &|_| true).unwrap();
    let refused = open().err().unwrap();
    assert!(matches!(refused, Error::Database { .. }), "{refused}");
    drop(first);
    open().unwrap();
}

/// The part of another process: follows a log until it is killed, and says what it finds.
pub(crate) fn follow(log: &str, dir: &Path) {
    let expected = match fs::read_to_string(dir.join("policy")) {
        Ok(policy) => Expected::Policy(policy.parse().unwrap()),
        Err(_) => Expected::Keys(keyring()),
    };
    let source = Box::new(Source::open(log));
    let mut monitor = Monitor::open(&dir.join("own"), source, expected).unwrap();
    loop {
        let report = monitor.follow_once(NOW, None, &|_| true).unwrap();
        let alarms: Vec<String> = report.alarms.iter().map(ToString::to_string).collect();
        say(&format!(
            "{} {} {}",
            report.size,
            report.read,
            alarms.join("; ")
        ));
    }
}

/// The size, the entries read and the alarms that the other process says.
fn heard(words: &str) -> (u64, u64, &str) {
    let mut words = words.splitn(3, ' ');
    let mut number = || words.next().unwrap().parse().unwrap();
    (number(), number(), words.next().unwrap())
}

#[test]
fn a_monitor_killed_at_any_moment_goes_on_from_there() {
    let mut log = Watched::new();
    let own = tempfile::tempdir().unwrap();
    let place = log.log();
    let words = [
        "monitor",
        place.to_str().unwrap(),
        own.path().to_str().unwrap(),
    ];
    let mut read = 0;
    for round in 1..=6 {
        log.grow(round * 1_000);
        let mut process = Process::start(&words);
        let report = process.hear();
        let (_, now_read, alarms) = heard(&report);
        assert!(alarms.is_empty() && now_read >= read, "{report}");
        read = now_read;
        log.grow(round * 1_000 + 500);
        std::thread::sleep(Duration::from_millis(13 * round));
        process.kill();
    }
    let mut process = Process::start(&words);
    assert_eq!(heard(&process.hear()), (6_500, 6_500, ""));
}

#[test]
fn two_witnesses_and_a_monitor_run_beside_a_log_under_load() {
    // Three other processes: two witnesses and a monitor, which asks both and knows the quorum.
    let dir = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = dir.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let [one, other] = ["w1", "w2"].map(|name| {
        let folder = folder(name);
        Witness::create(&folder).unwrap();
        let mut process = Process::start(&["witness", folder.to_str().unwrap(), name]);
        let url = process.hear();
        (process, url)
    });
    let witnesses = [("w1", one.1.as_str()), ("w2", other.1.as_str())];
    let own = folder("monitor");
    let mut text = String::new();
    for key in keyring().keys() {
        text += &format!("log {key}\n");
    }
    for (name, url) in witnesses {
        let key = crate::witness::witness_keys(name)[0].verifier();
        text += &format!("witness {name} {key} {url}\n");
    }
    text += "group both all w1 w2\nquorum both\n";
    fs::write(own.join("policy"), text).unwrap();

    // The log, in this process: many threads append.
    let with_witnesses = |lock: SqliteLock| {
        let mut parts = folder_parts(dir.path(), lock);
        parts.cosigner = Some(Box::new(quorum(&witnesses, 2)));
        parts
    };
    let lock = dir.path().join("lock.sqlite");
    let ledger = Ledger::create(with_witnesses(SqliteLock::create(&lock).unwrap())).unwrap();
    let url = serve_files(dir.path().join("ledger"));
    let mut monitor = Process::start(&["monitor", &url, own.to_str().unwrap()]);
    let (appender, writer) = Appender::start(ledger).unwrap();
    let (threads, each) = (8, 40);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let appender = appender.clone();
            scope.spawn(move || {
                for number in 0..each {
                    let entry = entry(thread * 1_000 + number);
                    let receipt = appender.append(entry.clone()).unwrap();
                    // Both witnesses are in every receipt.
                    let proof = receipt.proof().to_string();
                    verify_proof(&proof, &entry, &keyring()).unwrap();
                }
            });
        }
    });
    drop(appender);
    let ledger = writer.join().unwrap();
    let size = threads * each;
    assert_eq!(ledger.size(), size);
    policy(&witnesses, 2)
        .check_quorum(&ledger.checkpoint().clone().into())
        .unwrap();
    drop(ledger);

    // The monitor read along and had nothing to say.
    loop {
        let report = monitor.hear();
        let (_, read, alarms) = heard(&report);
        assert!(alarms.is_empty(), "{report}");
        if read == size {
            break;
        }
    }
    // Both witnesses know the last size, and the log goes on after a restart.
    for (_, url) in witnesses {
        let answer = crate::witness::post(url, &History::of(1).request(0, 1)).unwrap();
        assert_eq!(answer, chancery_ledger::witness::Answer::Conflict(size));
    }
    let mut ledger = Ledger::open(with_witnesses(SqliteLock::open(&lock).unwrap())).unwrap();
    ledger.append(b"one more").unwrap();
    drop(ledger);
    monitor.kill();
    one.0.end();
    other.0.end();
}
