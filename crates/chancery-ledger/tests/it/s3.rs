//! A log in a bucket: two writers cannot both win, and an answer that got lost costs nothing.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use chancery_ledger::{
    Error, Ledger, LedgerReader, Parts, S3, S3Options, SqliteLock, Storage, fsck, verify_proof,
};

use crate::{NOW, entries, entry, keyring, keys, slices};

const BUCKET: &str = "agency-ledger";
const KEY_ID: &str = "AKIDOFTHETEST";
const SECRET: &str = "secret-of-the-test";

/// The server that speaks S3; it ends with this process.
fn moto() -> u16 {
    static MOTO: OnceLock<(Child, u16)> = OnceLock::new();
    MOTO.get_or_init(|| {
        let (server, port) = start_moto();
        let bucket = format!("PUT /{BUCKET} HTTP/1.1\r\nHost: s3\r\nContent-Length: 0\r\n");
        let answer = ask(
            port,
            format!("{bucket}Connection: close\r\n\r\n").as_bytes(),
        )
        .unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        (server, port)
    })
    .1
}

fn start_moto() -> (Child, u16) {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto");
    let mut server = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/moto/serve"))
        .arg(environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let port = line.trim().parse();
    let port = port.expect("cannot run tests/moto/serve; install `python3` and `python3-venv`");
    (server, port)
}

fn ask(port: u16, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    server.write_all(request)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

fn options(port: u16) -> S3Options {
    let variables = [
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        // These would switch checks off, so they have no say here.
        ("AWS_CONDITIONAL_PUT", "disabled"),
        ("AWS_ALLOW_HTTP", "true"),
    ];
    let mut options = S3Options::with_variables(variables);
    options.endpoint = Some(format!("http://127.0.0.1:{port}"));
    options.allow_http = true;
    options
}

fn open_at(port: u16, prefix: &str) -> Result<S3, Error> {
    S3::open(&format!("s3://{BUCKET}/{prefix}"), &options(port))
}

fn store(prefix: &str) -> S3 {
    open_at(moto(), prefix).unwrap()
}

/// What happens to a PUT between a client and the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    /// The store never hears of it.
    RequestLost,
    /// The store keeps it, and the client never hears of that.
    AnswerLost,
    /// The store is gone, for this request and for all that follow.
    Down,
}

#[derive(Default)]
struct Troubles {
    coming: VecDeque<Trouble>,
    is_down: bool,
}

/// Stands between a client and the store.
struct Between {
    port: u16,
    troubles: Arc<Mutex<Troubles>>,
}

impl Between {
    /// Passes requests on, without the header named.
    fn dropping(header: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let troubles = Arc::<Mutex<Troubles>>::default();
        let (store, shared) = (moto(), Arc::clone(&troubles));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, shared) = (client.unwrap(), Arc::clone(&shared));
                // A client that goes away is its own affair.
                std::thread::spawn(move || pass_on(client, store, &shared, header));
            }
        });
        Self { port, troubles }
    }

    fn new() -> Self {
        Self::dropping("no-such-header")
    }

    /// The next PUTs get into this trouble, one each.
    fn expect(&self, troubles: impl IntoIterator<Item = Trouble>) {
        *self.troubles.lock().unwrap() = Troubles {
            coming: troubles.into_iter().collect(),
            is_down: false,
        };
    }

    /// The store is there again, and nothing is in trouble.
    fn recover(&self) {
        self.expect([]);
    }
}

fn pass_on(
    mut client: TcpStream,
    store: u16,
    troubles: &Mutex<Troubles>,
    dropped: &str,
) -> io::Result<()> {
    let (head, body) = read_request(&client)?;
    let trouble = {
        let mut troubles = troubles.lock().unwrap();
        let next = head[0]
            .starts_with("PUT ")
            .then(|| troubles.coming.pop_front());
        let next = next.flatten().unwrap_or(Trouble::None);
        troubles.is_down |= next == Trouble::Down;
        if troubles.is_down {
            Trouble::Down
        } else {
            next
        }
    };
    if matches!(trouble, Trouble::RequestLost | Trouble::Down) {
        return Ok(());
    }
    let is_kept = |line: &&String| {
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        name != "connection" && name != dropped
    };
    let mut request: String = head.iter().filter(is_kept).map(String::as_str).collect();
    request.push_str("Connection: close\r\n\r\n");
    let answer = ask(store, &[request.as_bytes(), &body].concat())?;
    if trouble == Trouble::AnswerLost {
        return Ok(());
    }
    client.write_all(&answer)
}

/// The lines of a request's head, and its body.
fn read_request(client: &TcpStream) -> io::Result<(Vec<String>, Vec<u8>)> {
    let mut client = BufReader::new(client);
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if client.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    Ok((head, body))
}

#[test]
fn a_file_is_created_once() {
    let store = store("create");
    store.create("tile/0/000", b"one").unwrap();
    for content in [b"two", b"one"] {
        let refused = store.create("tile/0/000", content).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    }
    assert_eq!(store.read("tile/0/000").unwrap().unwrap(), b"one");
}

#[test]
fn of_two_writers_that_have_read_the_same_one_replaces() {
    let (first, second, stranger) = (store("race"), store("race"), store("race"));
    first.replace("checkpoint", b"0").unwrap();
    assert_eq!(second.read("checkpoint").unwrap().unwrap(), b"0");
    first.replace("checkpoint", b"1 of the first").unwrap();

    // Also with the same content: the two would acknowledge one entry as if it were two.
    for content in [&b"1 of the second"[..], b"1 of the first"] {
        let refused = second.replace("checkpoint", content).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy, "{refused}");
        let refused = stranger.replace("checkpoint", content).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy, "{refused}");
    }
    assert_eq!(
        stranger.read("checkpoint").unwrap().unwrap(),
        b"1 of the first"
    );

    first.replace("checkpoint", b"2").unwrap();
    // Reading what the other one wrote is no leave to overwrite it.
    assert_eq!(second.read("checkpoint").unwrap().unwrap(), b"2");
    let refused = second.replace("checkpoint", b"3").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy, "{refused}");
    let third = store("race");
    third.read("checkpoint").unwrap();
    third.replace("checkpoint", b"3").unwrap();
    third.remove("checkpoint").unwrap();
    first.replace("checkpoint", b"3 again").unwrap_err();
    third.replace("checkpoint", b"4").unwrap();
}

#[test]
fn files_are_listed_read_and_removed_below_their_prefix_alone() {
    let (store, neighbour) = (store("list/a"), store("list/a2"));
    neighbour.create("tile/0/000", b"neighbour").unwrap();
    assert_eq!(store.list("").unwrap(), [""; 0]);
    assert_eq!(store.read("tile/0/000").unwrap(), None);
    for path in ["tile/entries/000.p/7", "tile/0/x001/000", "vkey", "tiles"] {
        store.create(path, path.as_bytes()).unwrap();
    }
    let tiles = ["tile/0/x001/000", "tile/entries/000.p/7"];
    assert_eq!(store.list("tile").unwrap(), tiles);
    assert_eq!(
        store.list("").unwrap(),
        [&tiles[..], &["tiles", "vkey"]].concat()
    );
    assert_eq!(store.list("none").unwrap(), [""; 0]);
    store.sync("vkey").unwrap();
    store.remove("vkey").unwrap();
    store.remove("vkey").unwrap();
    assert_eq!(store.read("vkey").unwrap(), None);
    assert_eq!(store.locate("vkey"), "s3://agency-ledger/list/a/vkey");
    let bent = store.create("a//b", b"").unwrap_err();
    assert_eq!(bent.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_handle_for_reading_does_not_write() {
    let store = for_reading("reading");
    let refused = store.create("vkey", b"").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ReadOnlyFilesystem);
    assert_eq!(store.list("").unwrap(), [""; 0]);
}

#[test]
fn a_store_that_ignores_a_condition_is_refused() {
    let cases = [
        (
            "if-none-match",
            "it overwrites a file that should only be created",
        ),
        ("if-match", "it replaces a file of another version"),
    ];
    for (header, expected) in cases {
        let prefix = format!("ignores/{header}");
        let refused = open_at(Between::dropping(header).port, &prefix).unwrap_err();
        let is_named =
            matches!(&refused, Error::UnfitStore { problem, .. } if *problem == expected);
        assert!(is_named, "{header}: {refused}");
        assert!(refused.hint().unwrap().contains("If-None-Match"));
        assert_eq!(
            store(&prefix).list("").unwrap(),
            [""; 0],
            "the trial left nothing"
        );
    }
}

#[test]
fn a_write_whose_request_or_answer_is_lost_is_done_once() {
    let between = Between::new();
    let store = open_at(between.port, "lost").unwrap();
    store.replace("checkpoint", b"0").unwrap();
    let troubles = [
        vec![Trouble::RequestLost],
        vec![Trouble::AnswerLost],
        vec![Trouble::RequestLost, Trouble::RequestLost],
        vec![Trouble::RequestLost, Trouble::AnswerLost],
    ];
    for (number, trouble) in troubles.into_iter().enumerate() {
        let (path, content) = (format!("tile/0/{number:03}"), [b'a'; 32]);
        between.expect(trouble.clone());
        store.create(&path, &content).unwrap();
        between.expect(trouble);
        store.replace("checkpoint", path.as_bytes()).unwrap();
        between.recover();
        assert_eq!(store.read(&path).unwrap().unwrap(), content);
        assert_eq!(store.read("checkpoint").unwrap().unwrap(), path.as_bytes());
    }
}

#[test]
fn a_write_that_never_gets_through_is_an_error_and_so_is_one_that_came_too_late() {
    let between = Between::new();
    let (slow, other) = (open_at(between.port, "late").unwrap(), store("late"));
    between.expect([Trouble::RequestLost; 3]);
    slow.create("tile/0/000", b"mine").unwrap_err();
    assert_eq!(other.read("tile/0/000").unwrap(), None);

    other.create("tile/0/000", b"theirs").unwrap();
    other.replace("checkpoint", b"theirs").unwrap();
    between.expect([Trouble::RequestLost]);
    let refused = slow.create("tile/0/000", b"mine").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    between.expect([Trouble::RequestLost]);
    let refused = slow.replace("checkpoint", b"mine").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
    assert_eq!(other.read("checkpoint").unwrap().unwrap(), b"theirs");
}

fn parts(storage: S3, lock: SqliteLock) -> Parts {
    Parts {
        storage: Box::new(storage),
        lock: Box::new(lock),
        keys: keys(),
        known: crate::keyring(),
        cosigner: None,
        clock: Box::new(|| NOW),
    }
}

/// A new log with three entries, and the folder of its lock.
fn log_of_three(prefix: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lock = SqliteLock::create(&folder.path().join("lock.sqlite")).unwrap();
    let mut ledger = Ledger::create(parts(store(prefix), lock)).unwrap();
    ledger.append_batch(&slices(&entries(0..3))).unwrap();
    folder
}

fn reopen(storage: S3, folder: &Path) -> Result<Ledger, Error> {
    Ledger::open(parts(
        storage,
        SqliteLock::open(&folder.join("lock.sqlite"))?,
    ))
}

fn for_reading(prefix: &str) -> S3 {
    S3::open_for_reading(&format!("s3://{BUCKET}/{prefix}"), &options(moto())).unwrap()
}

/// The entries under the published checkpoint.
fn logged(prefix: &str) -> Vec<Vec<u8>> {
    let reader = LedgerReader::open_with(Box::new(for_reading(prefix)), &keyring()).unwrap();
    let entries = reader.entries(0..reader.size()).unwrap();
    entries.map(|entry| entry.unwrap().1).collect()
}

/// As [`logged`], of a log that is found sound.
fn logged_soundly(prefix: &str, folder: &Path) -> Vec<Vec<u8>> {
    let lock = SqliteLock::for_reading(&folder.join("lock.sqlite")).unwrap();
    let report = fsck(&for_reading(prefix), Some(&keyring()), Some(&lock)).unwrap();
    assert_eq!(report.problems, []);
    logged(prefix)
}

#[test]
fn a_log_in_a_bucket_is_made_grown_reopened_and_checked() {
    let folder = log_of_three("log");
    let mut ledger = reopen(store("log"), folder.path()).unwrap();
    let receipts = ledger.append_batch(&slices(&entries(3..600))).unwrap();
    let last = receipts.last().unwrap();
    let shown = verify_proof(&last.proof().to_string(), &entry(599), &keyring()).unwrap();
    assert_eq!((shown.index, shown.tree_size), (599, 600));
    drop(ledger);
    assert_eq!(logged_soundly("log", folder.path()), entries(0..600));
    let again = tempfile::tempdir().unwrap();
    let lock = SqliteLock::create(&again.path().join("lock.sqlite")).unwrap();
    let refused = Ledger::create(parts(store("log"), lock)).err().unwrap();
    assert!(matches!(refused, Error::AlreadyExists { .. }), "{refused}");
}

#[test]
fn a_second_writer_with_a_copy_of_the_lock_gets_no_receipt() {
    // Another entry takes the same place in a tile. The same entry gives the same tile, and two
    // entries give a wider one, so that nothing but the condition on the checkpoint tells.
    let cases = [
        ("two/other", vec![entry(30)]),
        ("two/same", vec![entry(3)]),
        ("two/more", vec![entry(30), entry(31)]),
    ];
    for (prefix, of_second) in cases {
        let folder = log_of_three(prefix);
        let copied = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copied.path().join(file.file_name())).unwrap();
        }
        let mut first = reopen(store(prefix), folder.path()).unwrap();
        let mut second = reopen(store(prefix), copied.path()).unwrap();
        first.append(&entry(3)).unwrap();
        let refused = second.append_batch(&slices(&of_second)).err().unwrap();
        assert!(refused.hint().is_some(), "{refused}");
        assert!(matches!(second.append(&entry(4)), Err(Error::Poisoned)));
        assert_eq!(logged(prefix), entries(0..4));
        // The second has seen the other checkpoint before it wrote a file: nothing is in the way.
        first.append(&entry(4)).unwrap();
        assert_eq!(logged(prefix), entries(0..5));
    }
}

#[test]
fn an_append_survives_the_loss_of_any_request_or_answer() {
    let between = Between::new();
    let folder = log_of_three("faults");
    let mut ledger = reopen(open_at(between.port, "faults").unwrap(), folder.path()).unwrap();
    // An append writes a bundle, a tile and the checkpoint.
    for call in 0..3 {
        for trouble in [Trouble::RequestLost, Trouble::AnswerLost] {
            between.expect([vec![Trouble::None; call], vec![trouble]].concat());
            let index = ledger.size();
            assert_eq!(ledger.append(&entry(index)).unwrap().index(), index);
            assert!(between.troubles.lock().unwrap().coming.is_empty());
        }
    }
    drop(ledger);
    assert_eq!(logged_soundly("faults", folder.path()), entries(0..9));
}

#[test]
fn a_store_that_goes_down_stops_the_writer_and_opening_finishes() {
    let between = Between::new();
    let folder = log_of_three("down");
    for call in 0..3 {
        let storage = open_at(between.port, "down").unwrap();
        let mut ledger = reopen(storage, folder.path()).unwrap();
        let index = ledger.size();
        between.expect([vec![Trouble::None; call], vec![Trouble::Down]].concat());
        let refused = ledger.append(&entry(index)).unwrap_err();
        assert!(matches!(refused, Error::Io { .. }), "{refused}");
        assert!(matches!(ledger.append(b"more"), Err(Error::Poisoned)));
        between.recover();
        drop(ledger);
        // Decided before anything was uploaded, so it is in the log.
        let storage = open_at(between.port, "down").unwrap();
        let ledger = reopen(storage, folder.path()).unwrap();
        assert_eq!(ledger.size(), index + 1);
    }
    assert_eq!(logged_soundly("down", folder.path()), entries(0..6));
}

#[test]
fn a_server_that_was_killed_is_told_from_a_file_that_is_missing() {
    let (mut server, port) = start_moto();
    server.kill().unwrap();
    server.wait().unwrap();
    let address = format!("s3://{BUCKET}/killed");
    let store = S3::open_for_reading(&address, &options(port)).unwrap();
    let refused = store.read("checkpoint").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::NotConnected, "{refused}");
    assert!(matches!(open_at(port, "killed"), Err(Error::Io { .. })));

    let elsewhere = S3::open_for_reading("s3://no-such-bucket/log", &options(moto())).unwrap();
    let refused = elsewhere.read("checkpoint").unwrap_err();
    assert!(refused.to_string().contains("NoSuchBucket"), "{refused}");
}

/// A server that gives one answer to everything.
fn answering(answer: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            if read_request(&client).is_ok() {
                let _ = client.write_all(answer.as_bytes());
            }
        }
    });
    port
}

#[test]
fn no_part_of_a_credential_is_shown() {
    let body = format!(
        "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId>\
         <StringToSign>{SECRET}</StringToSign></Error>"
    );
    for status in ["403 Forbidden", "400 Bad Request", "503 Slow Down"] {
        let length = body.len();
        let port = answering(format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ));
        let refused = open_at(port, "denied").unwrap_err();
        let code = &status[..3];
        let text = format!("{refused} {refused:?} {:?}", options(port));
        assert!(
            text.contains(&format!("{code} SignatureDoesNotMatch")),
            "{text}"
        );
        assert!(!text.contains(KEY_ID) && !text.contains(SECRET), "{text}");
    }
    let text = format!("{:?}", store("debug"));
    assert!(!text.contains(KEY_ID) && !text.contains(SECRET), "{text}");
}

#[test]
fn addresses_and_endpoints_of_another_form_are_refused() {
    for address in [
        "agency-ledger",
        "s3://",
        "s3:///log",
        "s3://a b/log",
        "s3://b/a//b",
        "s3://b/a/../b",
    ] {
        let refused = S3::open_for_reading(address, &options(1)).unwrap_err();
        assert!(
            matches!(refused, Error::Malformed { .. }),
            "{address}: {refused}"
        );
    }
    for endpoint in [
        "http://store.example",
        "ftp://store.example",
        "store.example",
        "https://me:pw@store.example",
    ] {
        let mut options = options(1);
        options.endpoint = Some(endpoint.to_owned());
        options.allow_http = false;
        let refused = S3::open_for_reading("s3://bucket/log", &options).unwrap_err();
        assert!(
            matches!(refused, Error::Malformed { .. }),
            "{endpoint}: {refused}"
        );
        assert!(!refused.to_string().contains("pw"), "{refused}");
    }
    S3::open_for_reading("s3://bucket", &options(1)).unwrap();
    S3::open_for_reading("s3://bucket/log/", &options(1)).unwrap();
}
