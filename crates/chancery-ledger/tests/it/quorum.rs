//! A log gets its checkpoints cosigned over the network, by witnesses that may be dead, slow or lying.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chancery_ledger::witness::{Answer, Quorum, Shutdown, Witness, serve};
use chancery_ledger::{
    Checkpoint, Cosigner, Error, Ledger, LedgerReader, Policy, SqliteLock, cosign,
};

use crate::witness::{History, logs, now, open, witness_keys};
use crate::{entry, folder_parts, keyring};

/// A witness that is served by a thread of this process.
pub(crate) struct Served {
    pub(crate) url: String,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(crate) fn start(dir: &Path, name: &str) -> Self {
        Self::start_at(dir, name, "127.0.0.1:0")
    }

    fn start_at(dir: &Path, name: &str, address: &str) -> Self {
        if !dir.join("witness.sqlite").exists() {
            Witness::create(dir).unwrap();
        }
        let witness = Witness::open(dir, witness_keys(name), logs(), Box::new(now)).unwrap();
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = Shutdown::default();
        let stop = shutdown.clone();
        let thread = std::thread::spawn(move || serve(listener, witness, &stop, |_| ()).unwrap());
        Self {
            url,
            shutdown,
            thread: Some(thread),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.begin();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A server that answers every request as `answer` says, from its first line and its body.
fn lying(answer: impl Fn(&str, &[u8]) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (line, body) = receive(&mut stream);
            drop(stream.write_all(answer(&line, &body).as_bytes()));
        }
    });
    url
}

pub(crate) fn receive(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return (
                    head.lines().next().unwrap().to_owned(),
                    body.as_bytes().to_vec(),
                );
            }
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => received.extend_from_slice(&buffer[..count]),
            _ => return (String::new(), Vec::new()),
        }
    }
}

pub(crate) fn http(status: u16, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: \
         close\r\n\r\n{body}"
    )
}

/// A policy of witnesses, each with its name and URL.
pub(crate) fn policy(witnesses: &[(&str, &str)], threshold: usize) -> Policy {
    let mut text = String::new();
    let mut names = Vec::new();
    for (name, url) in witnesses {
        text += &format!(
            "witness {name} {} {url}\n",
            witness_keys(name)[0].verifier()
        );
        names.push(*name);
    }
    text += &format!(
        "group all-of-them {threshold} {}\nquorum all-of-them\n",
        names.join(" ")
    );
    text.parse().unwrap()
}

pub(crate) fn quorum(witnesses: &[(&str, &str)], threshold: usize) -> Quorum {
    let timeout = Duration::from_secs(3);
    Quorum::new(policy(witnesses, threshold), keyring(), timeout).unwrap()
}

/// Lets the witnesses cosign one size of a history.
fn ask(quorum: &Quorum, history: &History, size: u64) -> Result<Checkpoint, Error> {
    quorum.cosign(&history.checkpoint(size), &|older| {
        Ok(history.proof(older, size))
    })
}

/// The address of nobody.
fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn two_witnesses_cosign_a_growing_log_with_one_request_each() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let one = Served::start(dirs[0].path(), "w1");
    let other = Served::start(dirs[1].path(), "w2");
    let witnesses = [("w1", one.url.as_str()), ("w2", other.url.as_str())];
    let history = History::of(30);
    let first = quorum(&witnesses, 2);
    for size in [0, 1, 2, 10, 10, 30] {
        let cosigned = ask(&first, &history, size).unwrap();
        policy(&witnesses, 2)
            .check_quorum(&cosigned.clone().into())
            .unwrap();
        assert_eq!(cosigned.size(), size);
    }
    // After a restart the client knows no sizes, and is told.
    let second = quorum(&witnesses, 2);
    ask(&second, &history, 30).unwrap();
}

/// Witnesses that do not cosign 5 entries as they should, each with what is said about it.
fn lies(history: &History) -> Vec<(&'static str, String)> {
    let line = |key: &str, size| {
        cosign(
            &witness_keys(key)[0],
            &history.checkpoint(size).into(),
            now(),
        )
        .unwrap()
    };
    let always = |status, kind: &'static str, body: &str| {
        let answer = http(status, kind, body);
        lying(move |_, _| answer.clone())
    };
    let (text, size) = ("text/plain", "text/x.tlog.size");
    let asked = AtomicUsize::new(0);
    let changing = lying(move |_, _| {
        let told = asked.fetch_add(1, Ordering::SeqCst) % 4 + 1;
        http(409, size, &format!("{told}\n"))
    });
    let slow = lying(|_, _| {
        std::thread::sleep(Duration::from_secs(20));
        String::new()
    });
    let no_cosignature = "without a valid cosignature";
    vec![
        (no_cosignature, always(200, text, &line("stranger", 5))),
        (no_cosignature, always(200, text, &line("w3", 4))),
        (no_cosignature, always(200, text, "garbage\n— x\n")),
        (no_cosignature, always(200, text, "")),
        ("cannot be asked", always(200, text, &"a".repeat(100_000))),
        (
            "cannot be asked",
            lying(|_, _| "garbage\r\n\r\n".to_owned()),
        ),
        ("cannot be asked", lying(|_, _| String::new())),
        (
            "answered 500",
            always(500, text, "out\u{1b}[31m of order\n"),
        ),
        ("answered 403", always(403, text, "no\n")),
        ("answered 422: no", always(422, text, "no\n")),
        ("409 without", always(409, text, "3\n")),
        ("409 without", always(409, size, "03\n")),
        ("409 without", always(409, size, "0\n")),
        ("another size with every request", changing),
        ("did not answer within", slow),
        ("cannot be asked", dead()),
    ]
}

#[test]
fn a_dead_and_a_lying_witness_do_not_matter_unless_the_quorum_needs_them() {
    let history = History::of(9);
    let dir = tempfile::tempdir().unwrap();
    let honest = Served::start(dir.path(), "w1");
    let nobody = dead();
    for (reason, url) in &lies(&history) {
        let witnesses = [
            ("w1", honest.url.as_str()),
            ("w2", nobody.as_str()),
            ("w3", url),
        ];
        // One of three is enough, and the slow ones are not waited for.
        let start = Instant::now();
        let cosigned = ask(&quorum(&witnesses, 1), &history, 5).unwrap();
        assert!(start.elapsed() < Duration::from_secs(2));
        policy(&witnesses, 1)
            .check_quorum(&cosigned.into())
            .unwrap();

        let refused = ask(&quorum(&witnesses, 2), &history, 5).unwrap_err();
        let message = refused.to_string();
        assert!(matches!(refused, Error::NoQuorum { .. }), "{message}");
        assert!(refused.may_be_tried_again() && refused.hint().is_some());
        assert!(message.contains("`w2` (cannot be asked"), "{message}");
        assert!(
            message.contains("`w3` (") && message.contains(reason),
            "{message}"
        );
        assert!(
            !message.contains("`w1`") && !message.contains('\u{1b}'),
            "{message}"
        );
    }
}

#[test]
fn a_log_that_was_put_back_is_not_cosigned_whatever_the_quorum() {
    let dir = tempfile::tempdir().unwrap();
    let seen = Served::start(dir.path(), "w1");
    let history = History::of(30);
    ask(&quorum(&[("w1", &seen.url)], 1), &history, 20).unwrap();

    // The other witness has seen nothing and would be enough, but is slower.
    let slow = lying(|_, _| {
        std::thread::sleep(Duration::from_secs(2));
        String::new()
    });
    let witnesses = [("w1", seen.url.as_str()), ("w2", slow.as_str())];
    let refused = ask(&quorum(&witnesses, 1), &history, 10).unwrap_err();
    let Error::AheadOfLog { witness, size, own } = &refused else {
        panic!("{refused}");
    };
    assert_eq!((witness.as_str(), *size, *own), ("w1", 20, 10));
    assert!(!refused.may_be_tried_again() && refused.hint().is_some());

    // Another tree, larger than what the witness has seen: a fork.
    let forked = History::forked_at(5, 30);
    let refused = ask(&quorum(&witnesses, 1), &forked, 30).unwrap_err();
    assert!(
        matches!(refused, Error::Diverged { size: 20, .. }),
        "{refused}"
    );
    assert!(!refused.may_be_tried_again() && refused.hint().is_some());

    // The same when a writer looks before it starts; and it is told who could not be asked.
    let nobody = dead();
    let look = quorum(&[("w1", &seen.url), ("w2", &nobody)], 1);
    let at = |history: &History, size| {
        look.unseen(&history.checkpoint(size), &|older| {
            Ok(history.proof(older, size))
        })
    };
    let unasked = at(&history, 25).unwrap();
    assert!(
        unasked.len() == 1 && unasked[0].contains("w2"),
        "{unasked:?}"
    );
    assert!(matches!(at(&history, 19), Err(Error::AheadOfLog { .. })));
    assert!(matches!(at(&forked, 25), Err(Error::Diverged { .. })));
    assert!(matches!(at(&forked, 20), Err(Error::Diverged { .. })));
}

#[test]
fn a_witness_that_only_says_that_it_has_seen_more_cannot_stop_a_log() {
    let says = |size: &'static str| lying(move |_, _| http(409, "text/x.tlog.size", size));
    // It shows what another log signed.
    let shows = lying(|line, _| {
        if line.starts_with("POST") {
            return http(409, "text/x.tlog.size", "1000\n");
        }
        let keys = chancery_ledger::LogKeys::generate("agency.example/ledger", &[9; 32]).unwrap();
        http(
            200,
            "text/plain",
            keys.sign(1000, [1; 32], now()).unwrap().as_str(),
        )
    });
    let dir = tempfile::tempdir().unwrap();
    let honest = Served::start(dir.path(), "w1");
    let history = History::of(5);
    for lie in [says("1000\n"), says("18446744073709551615\n"), shows] {
        let witnesses = [("w1", honest.url.as_str()), ("w2", lie.as_str())];
        ask(&quorum(&witnesses, 1), &history, 5).unwrap();
        // Where its cosignature is needed, the doubt stops the log for good.
        let refused = ask(&quorum(&witnesses, 2), &history, 5).unwrap_err();
        assert!(matches!(refused, Error::AheadOfLog { .. }), "{refused}");
    }
}

#[test]
fn a_witness_that_was_restarted_is_asked_again_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path(), "w1");
    let url = served.url.clone();
    let quorum = quorum(&[("w1", url.as_str())], 1);
    let history = History::of(9);
    for size in 1..=9 {
        ask(&quorum, &history, size).unwrap();
        drop(served);
        served = Served::start_at(dir.path(), "w1", url.strip_prefix("http://").unwrap());
    }
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    let asked = AtomicUsize::new(0);
    let forgetful = lying(move |_, body| {
        let answer = witness.add_checkpoint(body);
        // Every second answer gets lost on the way.
        match asked.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => String::new(),
            _ => http(answer.status(), answer.content_type(), &answer.body()),
        }
    });
    let key = witness_keys("w1.example")[0].verifier();
    let policy: Policy = format!("witness w1 {key} {forgetful}\nquorum w1\n")
        .parse()
        .unwrap();
    let quorum = Quorum::new(policy, keyring(), Duration::from_secs(3)).unwrap();
    let history = History::of(9);
    for size in 1..=9 {
        ask(&quorum, &history, size).unwrap();
    }
}

#[test]
fn a_slow_witness_is_caught_up_with_and_not_swamped() {
    let dir = tempfile::tempdir().unwrap();
    let honest = Served::start(dir.path(), "w1");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let slow = lying(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(500));
        http(500, "text/plain", "busy\n")
    });
    let quorum = quorum(&[("w1", honest.url.as_str()), ("w2", slow.as_str())], 1);
    let history = History::of(20);
    for size in 1..=20 {
        ask(&quorum, &history, size).unwrap();
    }
    assert!(asked.load(Ordering::SeqCst) < 10);
}

#[test]
fn a_policy_without_addresses_is_refused_and_without_a_quorum_asks_nobody() {
    let key = witness_keys("w1")[0].verifier();
    let timeout = Duration::from_secs(1);
    let without: Policy = format!("witness w1 {key}\nquorum w1\n").parse().unwrap();
    let refused = Quorum::new(without, keyring(), timeout).err().unwrap();
    assert!(matches!(refused, Error::Policy { .. }) && refused.hint().is_some());

    let none: Policy = format!("witness w1 {key} {}\nquorum none\n", dead())
        .parse()
        .unwrap();
    let quorum = Quorum::new(none, keyring(), timeout).unwrap();
    let history = History::of(1);
    assert_eq!(ask(&quorum, &history, 1).unwrap(), history.checkpoint(1));
}

#[test]
fn a_log_publishes_nothing_without_its_quorum_and_goes_on_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let witness_dir = tempfile::tempdir().unwrap();
    let nobody = dead();
    let with = |url: &str, lock: SqliteLock| {
        let mut parts = folder_parts(dir.path(), lock);
        parts.cosigner = Some(Box::new(quorum(&[("w1", url)], 1)));
        parts
    };
    let lock = dir.path().join("lock.sqlite");
    let served = Served::start(witness_dir.path(), "w1");
    let mut ledger = Ledger::create(with(&served.url, SqliteLock::create(&lock).unwrap())).unwrap();
    let receipt = ledger.append(&entry(0)).unwrap();
    let policy = policy(&[("w1", &served.url)], 1);
    policy
        .check_quorum(&receipt.checkpoint().clone().into())
        .unwrap();
    drop(served);

    // The witness is away: the entry is not published.
    let refused = ledger.append(&entry(1)).unwrap_err();
    assert!(refused.may_be_tried_again(), "{refused}");
    drop(ledger);
    let published = || {
        LedgerReader::open(&dir.path().join("ledger"))
            .unwrap()
            .size()
    };
    assert_eq!(published(), 1);
    assert!(Ledger::open(with(&nobody, SqliteLock::open(&lock).unwrap())).is_err());
    assert_eq!(published(), 1);

    // It is back, under another address.
    let served = Served::start(witness_dir.path(), "w1");
    let mut ledger = Ledger::open(with(&served.url, SqliteLock::open(&lock).unwrap())).unwrap();
    assert_eq!(published(), 2);
    ledger.append(&entry(2)).unwrap();
    assert_eq!(published(), 3);
    drop((ledger, served));

    let answer = History::of(3).ask(&open(witness_dir.path()), 0, 3);
    assert_eq!(answer, Answer::Conflict(3));
}
