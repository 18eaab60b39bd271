//! A witness answers as `c2sp.org/tlog-witness` says, and no two things that it cosigned contradict
//! each other, whatever the log, the network and its own process do.
#![expect(clippy::panic, reason = "the helpers are tests, too")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chancery_ledger::witness::{AddCheckpoint, Answer, MAX_PROOF_LINES, Witness, hash_origin};
use chancery_ledger::{
    Algorithm, Checkpoint, Error, LogKeys, Policy, SigningKey, UnverifiedCheckpoint, VerifierKey,
    cosign, verify_cosignature,
};

use crate::child::Process;
use crate::{NOW, entries, keys, oracle};

/// The keys of the logs that a witness knows.
pub(crate) fn logs() -> Vec<VerifierKey> {
    keys().keyring().keys().cloned().collect()
}

/// The keys of a witness: both algorithms under one name.
pub(crate) fn witness_keys(name: &str) -> Vec<SigningKey> {
    let seed = |byte: u8| {
        let mut seed = [byte; 32];
        seed[..name.len().min(31)].copy_from_slice(&name.as_bytes()[..name.len().min(31)]);
        seed
    };
    vec![
        SigningKey::generate(name, Algorithm::MlDsa44, seed(1)).unwrap(),
        SigningKey::generate(name, Algorithm::Ed25519Cosignature, seed(2)).unwrap(),
    ]
}

/// A clock that stands still.
pub(crate) fn now() -> u64 {
    NOW
}

/// A history of the log: it could be any, as a fork shows.
pub(crate) struct History {
    entries: Vec<Vec<u8>>,
    keys: LogKeys,
}

impl History {
    /// The true history, up to a size.
    pub(crate) fn of(size: u64) -> Self {
        Self {
            entries: entries(0..size),
            keys: keys(),
        }
    }

    /// Another history, which differs from entry `fork` on.
    pub(crate) fn forked_at(fork: u64, size: u64) -> Self {
        let mut entries = entries(0..size);
        for entry in &mut entries[usize::try_from(fork).unwrap()..] {
            entry.push(b'!');
        }
        let keys = keys();
        Self { entries, keys }
    }

    fn first(&self, size: u64) -> &[Vec<u8>] {
        &self.entries[..usize::try_from(size).unwrap()]
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        let root = oracle::root(self.first(size));
        self.keys.sign(size, root, NOW).unwrap()
    }

    pub(crate) fn proof(&self, older: u64, size: u64) -> Vec<[u8; 32]> {
        match older {
            0 => Vec::new(),
            _ => oracle::consistency(usize::try_from(older).unwrap(), self.first(size)),
        }
    }

    pub(crate) fn request(&self, old_size: u64, size: u64) -> AddCheckpoint {
        let proof = if old_size > size {
            Vec::new()
        } else {
            self.proof(old_size, size)
        };
        AddCheckpoint {
            old_size,
            proof,
            checkpoint: self.checkpoint(size).into(),
        }
    }

    pub(crate) fn ask(&self, witness: &Witness, old_size: u64, size: u64) -> Answer {
        witness.add_checkpoint(&self.request(old_size, size).to_bytes())
    }
}

/// Opens a witness, new or not.
pub(crate) fn open(dir: &Path) -> Witness {
    if !dir.join("witness.sqlite").exists() {
        Witness::create(dir).unwrap();
    }
    Witness::open(dir, witness_keys("w1.example"), logs(), Box::new(now)).unwrap()
}

fn is_cosigned(answer: &Answer) -> bool {
    matches!(answer, Answer::Cosigned(_))
}

/// Replaces the note of a request.
fn with_note(mut request: AddCheckpoint, note: &str) -> Vec<u8> {
    request.checkpoint = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap();
    request.to_bytes()
}

#[test]
fn a_growing_log_is_cosigned_with_both_algorithms() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    let history = History::of(20);
    for (old, size) in [
        (0, 0),
        (0, 1),
        (1, 1),
        (1, 2),
        (2, 7),
        (7, 8),
        (8, 20),
        (20, 20),
    ] {
        let Answer::Cosigned(lines) = history.ask(&witness, old, size) else {
            panic!("{old} to {size} was not cosigned");
        };
        let checkpoint = history.checkpoint(size);
        let lines: Vec<&str> = lines.split_inclusive('\n').collect();
        assert_eq!(lines.len(), 2);
        for (key, line) in witness.verifiers().iter().zip(&lines) {
            let time = verify_cosignature(key, &checkpoint.clone().into(), line).unwrap();
            assert_eq!(time, NOW);
        }

        // What is shown to monitors has the log's signatures and these.
        let shown = witness.checkpoint(&hash_origin("agency.example/ledger"));
        let shown = shown.unwrap().unwrap();
        assert_eq!(
            shown,
            checkpoint
                .with_cosignatures(&lines.concat())
                .unwrap()
                .as_str()
        );
    }
    assert_eq!(
        witness.checkpoint(&hash_origin("another.example")).unwrap(),
        None
    );
}

#[test]
fn what_is_not_of_the_form_is_a_bad_request() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    let history = History::of(3);
    let good = String::from_utf8(history.request(0, 3).to_bytes()).unwrap();
    let hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let with_head = |head: &str| good.replacen("old 0\n", head, 1);
    for bad in [
        String::new(),
        "old 0\n\n".to_owned(),
        with_head("old 00\n"),
        with_head("old +1\n"),
        with_head("old -1\n"),
        with_head("old 01\n"),
        with_head("old  1\n"),
        with_head("old 1 \n"),
        with_head("old 1\r\n"),
        with_head("old 18446744073709551616\n"),
        with_head("Old 0\n"),
        with_head("size 0\n"),
        with_head("old \n"),
        with_head("old 1\nAAAA\n"),
        with_head(&format!("old 1\n{}", hash.replace("FU=", "FV="))),
        with_head(&format!("old 1\n{}", hash.replace('=', ""))),
        with_head(&format!("old 1\n{}", hash.repeat(MAX_PROOF_LINES + 1))),
        good.replacen("\n\n", "\n", 1),
        good.trim_end().to_owned(),
        good.replacen("\n3\n", "\n03\n", 1),
        // Larger than the checkpoint.
        with_head("old 4\n"),
    ] {
        let answer = witness.add_checkpoint(bad.as_bytes());
        assert!(matches!(answer, Answer::BadRequest(_)), "{bad}: {answer:?}");
        assert_eq!(answer.status(), 400);
    }
    let mut not_text = good.clone().into_bytes();
    not_text.push(0xff);
    assert_eq!(witness.add_checkpoint(&not_text).status(), 400);
    // As many proof lines as are allowed are read, and do not prove anything.
    let long = with_head(&format!("old 0\n{}", hash.repeat(MAX_PROOF_LINES)));
    assert_eq!(witness.add_checkpoint(long.as_bytes()).status(), 422);
    assert!(is_cosigned(&witness.add_checkpoint(good.as_bytes())));
}

proptest::proptest! {
    #[test]
    fn a_request_is_printed_as_it_was_parsed(
        cuts in proptest::collection::vec((0_usize..500, proptest::option::of(0_u8..128)), 0..4),
        old_size in 0_u64..30,
    ) {
        let mut body = request_of_30(old_size);
        for (at, byte) in cuts {
            let at = at % body.len();
            match byte {
                Some(byte) => body[at] = byte,
                None => drop(body.remove(at)),
            }
        }
        if let Ok(request) = AddCheckpoint::parse(&body) {
            proptest::prop_assert_eq!(request.to_bytes(), body);
        }
    }
}

/// A request that is of the form, whose checkpoint is made once.
fn request_of_30(old_size: u64) -> Vec<u8> {
    static HISTORY: std::sync::LazyLock<(History, UnverifiedCheckpoint)> =
        std::sync::LazyLock::new(|| {
            let history = History::of(30);
            let checkpoint = history.checkpoint(30).into();
            (history, checkpoint)
        });
    let (history, checkpoint) = &*HISTORY;
    let checkpoint = checkpoint.clone();
    let proof = history.proof(old_size, 30);
    let request = AddCheckpoint {
        old_size,
        proof,
        checkpoint,
    };
    request.to_bytes()
}

#[test]
fn unknown_logs_and_untrusted_signatures_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    let stranger = History {
        entries: entries(0..3),
        keys: LogKeys::generate("stranger.example", &[7; 32]).unwrap(),
    };
    assert_eq!(stranger.ask(&witness, 0, 3).status(), 404);

    // The known name, and other keys.
    let impostor = History {
        entries: entries(0..3),
        keys: LogKeys::generate("agency.example/ledger", &[8; 32]).unwrap(),
    };
    assert_eq!(impostor.ask(&witness, 0, 3).status(), 403);

    // One trusted signature is enough, and unknown ones do not matter.
    let history = History::of(3);
    let note = history.checkpoint(3).as_str().to_owned();
    let lines: Vec<&str> = note.split_inclusive('\n').collect();
    let (body, signatures) = lines.split_at(4);
    let unknown = cosign(
        &witness_keys("w2.example")[0],
        &history.checkpoint(3).into(),
        NOW,
    );
    let unknown = unknown.unwrap();
    for line in signatures {
        let note = format!("{}{unknown}{line}", body.concat());
        let fresh = tempfile::tempdir().unwrap();
        let witness = open(fresh.path());
        assert!(is_cosigned(
            &witness.add_checkpoint(&with_note(history.request(0, 3), &note))
        ));
        // The unknown one is not passed on.
        let shown = witness
            .checkpoint(&hash_origin("agency.example/ledger"))
            .unwrap()
            .unwrap();
        assert!(shown.contains(line) && !shown.contains("w2.example"));
    }
    let note = format!("{}{unknown}", body.concat());
    let answer = witness.add_checkpoint(&with_note(history.request(0, 3), &note));
    assert_eq!(answer.status(), 403);

    // A bad signature by a trusted key next to a good one, whichever is bad.
    let other = history.checkpoint(2).as_str().to_owned();
    let other: Vec<&str> = other.split_inclusive('\n').skip(4).collect();
    for mixed in [[signatures[0], other[1]], [other[0], signatures[1]]] {
        let note = format!("{}{}", body.concat(), mixed.concat());
        let answer = witness.add_checkpoint(&with_note(history.request(0, 3), &note));
        assert!(matches!(answer, Answer::Forbidden(_)), "{answer:?}");
    }
    assert_eq!(
        witness
            .checkpoint(&hash_origin("agency.example/ledger"))
            .unwrap(),
        None
    );
}

#[test]
fn another_old_size_is_a_conflict_that_tells_the_size() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    let history = History::of(20);
    assert_eq!(history.ask(&witness, 5, 10), Answer::Conflict(0));
    assert!(is_cosigned(&history.ask(&witness, 0, 10)));
    for (old, size) in [(0, 10), (0, 5), (9, 10), (5, 20), (11, 20)] {
        let answer = history.ask(&witness, old, size);
        assert_eq!(answer, Answer::Conflict(10));
        assert_eq!((answer.status(), answer.body().as_str()), (409, "10\n"));
        assert_eq!(answer.content_type(), "text/x.tlog.size");
    }
    // A roll-back: whatever the log says about the old size, nothing smaller is cosigned.
    for old in 0..=9 {
        assert_eq!(history.ask(&witness, old, 9), Answer::Conflict(10));
    }
    assert_eq!(history.ask(&witness, 10, 9).status(), 400);
    assert!(is_cosigned(&history.ask(&witness, 10, 20)));
}

#[test]
fn what_does_not_continue_the_known_tree_is_unprocessable() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    let history = History::of(30);
    let unprocessable = |request: &AddCheckpoint| {
        let answer = witness.add_checkpoint(&request.to_bytes());
        assert!(matches!(answer, Answer::Unprocessable(_)), "{answer:?}");
        assert_eq!(answer.status(), 422);
    };
    // The empty tree has one root.
    let mut empty = history.request(0, 0);
    empty.checkpoint = keys().sign(0, [1; 32], NOW).unwrap().into();
    unprocessable(&empty);
    // From the empty tree there is nothing to prove.
    let mut request = history.request(0, 10);
    request.proof = vec![[1; 32]];
    unprocessable(&request);
    assert!(is_cosigned(&history.ask(&witness, 0, 10)));

    // Forks: of the same size, and of a larger one.
    for fork in [0, 4, 9] {
        let forked = History::forked_at(fork, 30);
        unprocessable(&forked.request(10, 10));
        unprocessable(&forked.request(10, 25));
        // With the true tree's proof it is no better.
        let mut request = forked.request(10, 25);
        request.proof = history.proof(10, 25);
        unprocessable(&request);
    }
    // A proof cut short, too long, for other sizes, or where none is needed.
    let good = history.request(10, 25);
    for at in 0..good.proof.len() {
        let mut request = good.clone();
        request.proof.remove(at);
        unprocessable(&request);
        let mut request = good.clone();
        request.proof[at][0] ^= 1;
        unprocessable(&request);
        let mut request = good.clone();
        request.proof.insert(at, [1; 32]);
        unprocessable(&request);
    }
    let mut same = history.request(10, 10);
    same.proof = vec![[1; 32]];
    unprocessable(&same);
    assert!(is_cosigned(&witness.add_checkpoint(&good.to_bytes())));
}

#[test]
fn a_clock_that_is_put_back_does_not_put_back_the_time() {
    let dir = tempfile::tempdir().unwrap();
    Witness::create(dir.path()).unwrap();
    let times = Mutex::new(vec![500, 0, 1, 600, 700]);
    let clock = move || times.lock().unwrap().pop().unwrap();
    let keys = witness_keys("w1.example");
    let witness = Witness::open(dir.path(), keys.clone(), logs(), Box::new(clock)).unwrap();
    let history = History::of(5);
    let mut stated = Vec::new();
    for size in 0..4 {
        let Answer::Cosigned(lines) = history.ask(&witness, u64::saturating_sub(size, 1), size)
        else {
            panic!("size {size} was not cosigned");
        };
        let line = lines.split_inclusive('\n').next().unwrap();
        let checkpoint = history.checkpoint(size).into();
        stated.push(verify_cosignature(&keys[0].verifier(), &checkpoint, line).unwrap());
    }
    assert_eq!(stated, [700, 700, 700, 700]);
    drop(witness);

    // Without any time nothing is cosigned, as 0 would say that there is no time.
    let other = tempfile::tempdir().unwrap();
    Witness::create(other.path()).unwrap();
    let witness = Witness::open(other.path(), keys, logs(), Box::new(|| 0)).unwrap();
    assert_eq!(history.ask(&witness, 0, 1).status(), 500);
    assert_eq!(history.ask(&witness, 1, 1), Answer::Conflict(0));
}

#[test]
fn a_witness_without_its_memory_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let open_it = |keys| Witness::open(dir.path(), keys, logs(), Box::new(now)).err();
    let keys = || witness_keys("w1.example");
    assert!(matches!(open_it(keys()), Some(Error::Missing { .. })));
    Witness::create(dir.path()).unwrap();
    // A witness that has cosigned nothing may be made again.
    Witness::create(dir.path()).unwrap();
    assert!(is_cosigned(&History::of(1).ask(&open(dir.path()), 0, 1)));
    let refused = Witness::create(dir.path()).unwrap_err();
    assert!(matches!(refused, Error::AlreadyExists { .. }) && refused.hint().is_some());

    assert!(matches!(open_it(Vec::new()), Some(Error::Keys { .. })));
    let plain = SigningKey::generate("w1.example", Algorithm::Ed25519, [1; 32]).unwrap();
    assert!(matches!(
        open_it(vec![plain]),
        Some(Error::KeyAlgorithm { .. })
    ));
    std::fs::write(dir.path().join("witness.sqlite"), "not a database").unwrap();
    assert!(matches!(open_it(keys()), Some(Error::Database { .. })));
}

#[test]
fn what_was_cosigned_is_known_after_a_restart_between_any_two_requests() {
    let dir = tempfile::tempdir().unwrap();
    let (history, forked) = (History::of(40), History::forked_at(3, 40));
    let mut size = 0;
    for next in [1, 2, 3, 5, 8, 13, 21, 34] {
        assert!(is_cosigned(&history.ask(&open(dir.path()), size, next)));
        assert_eq!(
            history.ask(&open(dir.path()), size, next),
            Answer::Conflict(next)
        );
        if next > 3 {
            assert_eq!(forked.ask(&open(dir.path()), next, 40).status(), 422);
        }
        size = next;
    }
}

#[test]
fn when_it_cannot_remember_it_does_not_cosign() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::of(5);
    let witness = open(dir.path());
    assert!(is_cosigned(&history.ask(&witness, 0, 1)));

    let database = rusqlite::Connection::open(dir.path().join("witness.sqlite")).unwrap();
    let refuse =
        "CREATE TRIGGER refuse BEFORE UPDATE ON latest BEGIN SELECT RAISE(ABORT, 'no'); END";
    database.execute_batch(refuse).unwrap();
    assert_eq!(history.ask(&witness, 1, 2).status(), 500);
    // After that, it takes a new start to know what is remembered.
    database.execute_batch("DROP TRIGGER refuse").unwrap();
    assert!(witness.has_failed());
    assert_eq!(history.ask(&witness, 1, 2).status(), 500);
    assert!(is_cosigned(&history.ask(&open(dir.path()), 1, 2)));
}

/// What many askers were cosigned: from which size to which.
#[derive(Default)]
struct Steps(Mutex<Vec<(u64, u64)>>);

impl Steps {
    /// Asks until the size is reached, in steps that race with those of others.
    fn race(&self, step: u64, size: u64, ask: impl Fn(u64, u64) -> Answer) {
        let mut known = 0;
        while known < size {
            let next = (known + step).min(size);
            match ask(known, next) {
                Answer::Cosigned(_) => {
                    self.0.lock().unwrap().push((known, next));
                    known = next;
                }
                Answer::Conflict(latest) => {
                    assert!(latest > known, "rolled back from {known} to {latest}");
                    known = latest;
                }
                other => panic!("{known} to {next}: {other:?}"),
            }
        }
    }

    /// The race in the specification ends in two steps from one size, or in a step to an older one.
    fn check(self, size: u64) {
        let mut steps = self.0.into_inner().unwrap();
        steps.sort_unstable();
        let mut at = 0;
        for (from, to) in steps {
            assert_eq!(
                from, at,
                "two steps from one size, or a step from one that was never reached"
            );
            at = to;
        }
        assert_eq!(at, size);
    }
}

#[test]
fn the_race_of_the_specification_is_won_by_one_of_two_threads() {
    let dir = tempfile::tempdir().unwrap();
    let (witness, history) = (open(dir.path()), History::of(60));
    let steps = Steps::default();
    std::thread::scope(|scope| {
        for step in 1..=4 {
            let ask = |old, size| history.ask(&witness, old, size);
            let steps = &steps;
            scope.spawn(move || steps.race(step, 60, ask));
        }
    });
    steps.check(60);
}

#[test]
fn the_race_of_the_specification_is_won_by_one_of_two_processes_with_one_database() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let words = ["witness", dir.path().to_str().unwrap(), "w1.example"];
    let mut processes = [Process::start(&words), Process::start(&words)];
    let urls = processes.each_mut().map(Process::hear);
    let history = History::of(60);
    let steps = Steps::default();
    std::thread::scope(|scope| {
        for (step, url) in [(1, &urls[0]), (2, &urls[1]), (3, &urls[0]), (4, &urls[1])] {
            let (steps, history) = (&steps, &history);
            scope.spawn(move || {
                steps.race(step, 60, |old, size| {
                    post(url, &history.request(old, size)).unwrap()
                });
            });
        }
    });
    steps.check(60);
    processes.into_iter().for_each(Process::end);
}

#[test]
fn a_witness_killed_at_any_moment_remembers_what_it_cosigned() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let words = ["witness", dir.path().to_str().unwrap(), "w1.example"];
    let (history, forked) = (History::of(200), History::forked_at(0, 200));
    let (asked, cosigned) = (AtomicU64::new(0), AtomicU64::new(0));
    for round in 0..6 {
        let mut process = Process::start(&words);
        let url = process.hear();
        // What was cosigned is remembered; what was only asked may be.
        let Ok(Answer::Conflict(latest)) = post(&url, &forked.request(199, 200)) else {
            panic!("a fork was not refused");
        };
        assert!((cosigned.load(Ordering::SeqCst)..=asked.load(Ordering::SeqCst)).contains(&latest));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut size = latest;
                while size < 200 {
                    asked.store(size + 1, Ordering::SeqCst);
                    match post(&url, &history.request(size, size + 1)) {
                        Ok(Answer::Cosigned(_)) => size += 1,
                        Ok(other) => panic!("{other:?}"),
                        Err(_) => return,
                    }
                    cosigned.store(size, Ordering::SeqCst);
                }
            });
            std::thread::sleep(Duration::from_millis(40 + 37 * round));
            process.kill();
        });
    }
    assert!(cosigned.load(Ordering::SeqCst) > 0);
}

#[cfg(unix)]
#[test]
fn a_witness_on_a_full_disk_ends_and_has_cosigned_nothing_that_it_forgets() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let words = ["witness", dir.path().to_str().unwrap(), "w1.example"];
    let mut process = Process::start_with_small_files(&words);
    let url = process.hear();
    let history = History::of(200);
    let mut cosigned = 0;
    let last = loop {
        match post(&url, &history.request(cosigned, cosigned + 1)).unwrap() {
            Answer::Cosigned(_) => cosigned += 1,
            other => break other,
        }
    };
    assert_eq!(last.status(), 500);
    assert!(cosigned > 0);
    assert!(process.hear().contains("stopped after a failed write"));
    process.wait();
    let answer = history.ask(&open(dir.path()), 199, 200);
    assert!(answer == Answer::Conflict(cosigned) || answer == Answer::Conflict(cosigned + 1));
}

/// Asks over HTTP, with no help from the code under test.
pub(crate) fn post(url: &str, request: &AddCheckpoint) -> Result<Answer, std::io::Error> {
    let body = request.to_bytes();
    let head = format!(
        "POST /add-checkpoint HTTP/1.1\r\nContent-Length: {}",
        body.len()
    );
    let (status, kind, body) = exchange(url, &head, &body)?;
    Ok(match status {
        200 => Answer::Cosigned(body),
        400 => Answer::BadRequest(body),
        403 => Answer::Forbidden(body),
        404 => Answer::UnknownLog(body),
        409 => {
            assert_eq!(kind, "text/x.tlog.size");
            Answer::Conflict(body.strip_suffix('\n').unwrap().parse().unwrap())
        }
        422 => Answer::Unprocessable(body),
        500 => Answer::Failed(body),
        other => panic!("status {other}: {body}"),
    })
}

/// One request and its answer: status, content type, body.
pub(crate) fn exchange(
    url: &str,
    head: &str,
    body: &[u8],
) -> Result<(u16, String, String), std::io::Error> {
    use std::io::{Read, Write};
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "{head}\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    let headers: BTreeMap<String, &str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    if body.len() < length {
        return Err(cut());
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok((status, headers["content-type"].to_owned(), body.to_owned()))
}

#[test]
fn the_server_answers_what_is_no_request_of_the_protocol() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let mut process = Process::start(&["witness", dir.path().to_str().unwrap(), "w1.example"]);
    let url = process.hear();
    let status = |head: &str, body: &[u8]| exchange(&url, head, body).unwrap().0;
    assert_eq!(status("GET / HTTP/1.1", b""), 404);
    assert_eq!(status("GET /add-checkpoint HTTP/1.1", b""), 405);
    let origin = hash_origin("agency.example/ledger");
    assert_eq!(
        status(&format!("GET /{origin}/checkpoint HTTP/1.1"), b""),
        404
    );
    assert_eq!(
        status(
            &format!("POST /{origin}/checkpoint HTTP/1.1\r\nContent-Length: 0"),
            b""
        ),
        405
    );
    let long = vec![b'a'; 64 * 1024 + 1];
    let head = format!(
        "POST /add-checkpoint HTTP/1.1\r\nContent-Length: {}",
        long.len()
    );
    assert_eq!(status(&head, &long), 413);

    let history = History::of(2);
    assert_eq!(post(&url, &history.request(0, 2)).unwrap().status(), 200);
    assert_eq!(
        post(&url, &history.request(0, 2)).unwrap(),
        Answer::Conflict(2)
    );
    let (status, _, note) =
        exchange(&url, &format!("GET /{origin}/checkpoint HTTP/1.1"), b"").unwrap();
    let note = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap();
    keys().keyring().verify(note.clone()).unwrap();
    let policy: Policy = format!(
        "witness w1 {}\nquorum w1\n",
        witness_keys("w1.example")[0].verifier()
    )
    .parse()
    .unwrap();
    policy.check_quorum(&note).unwrap();
    assert_eq!((status, note.size()), (200, 2));
    process.end();
}
