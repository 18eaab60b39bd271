//! Keys, proofs that travel, witnesses, monitors and repairs, as an operator meets them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::workbench::{Bench, CIVIL, Ran, chancery, files};

const RELEASE: [&str; 4] = ["release", "civil.toml", "--on", "2026-01-10"];

fn bench() -> Bench {
    let bench = Bench::with_people();
    bench.file("civil.toml", CIVIL);
    bench
}

/// The command outside every workspace.
fn outside(args: &[&str]) -> Ran {
    let mut command = chancery();
    command.args(args).current_dir(std::env::temp_dir());
    Ran::of(command)
}

/// One look of a monitor at a log.
fn look_once(ledger: &Path, keys: &Path, dir: &Path, format: &str) -> Ran {
    let mut monitor = chancery();
    monitor.args(["ledger", "monitor", "--once", "--format", format]);
    monitor
        .arg(ledger)
        .arg("--keys")
        .arg(keys)
        .arg("--dir")
        .arg(dir);
    Ran::of(monitor)
}

fn text(path: PathBuf) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn keys_are_encrypted_and_nothing_is_signed_without_the_passphrase() {
    let bench = bench();
    let keys =
        ["ledger.key", "custodian.key"].map(|name| bench.workspace().join("keys").join(name));
    let secrets: Vec<String> = keys
        .iter()
        .flat_map(|file| {
            text(file.clone())
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .map(|line| line.splitn(5, '+').last().unwrap().to_owned())
        .collect();
    assert_eq!(secrets.len(), 3);
    assert!(secrets.iter().all(|secret| secret.len() >= 44));
    let passphrase = bench.file("passphrase", "correct horse battery staple\n");
    let passphrase = ["--passphrase-file", passphrase.to_str().unwrap()];
    let encrypt = [&["ledger", "keys", "encrypt"][..], &passphrase].concat();
    bench.run(&encrypt).expect(0);
    for file in &keys {
        assert!(text(file.clone()).starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    }

    let error = bench.run(&RELEASE).expect_error(1);
    assert!(error.contains("passphrase"), "{error}");
    let wrong = bench.file("wrong", "correct horse\n");
    let wrong = [
        &RELEASE[..],
        &["--passphrase-file", wrong.to_str().unwrap()],
    ]
    .concat();
    let error = bench.run(&wrong).expect_error(1);
    assert!(
        error.contains("passphrase") && !error.contains("horse"),
        "{error}"
    );
    bench.expect_nothing_left();

    let ran = bench.run(&[&RELEASE[..], &passphrase].concat()).expect(0);
    bench
        .run(&[&["ledger", "keys", "rotate"][..], &passphrase].concat())
        .expect(0);
    assert!(text(keys[0].clone()).starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    // Who only reads needs no passphrase.
    bench.expect_sound();
    let exported = bench.run(&["ledger", "export"]).expect(0).stdout;
    let published: Vec<String> = files(&bench.workspace().join("ledger"))
        .into_values()
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
        .collect();
    for secret in secrets {
        for place in [&ran.stdout, &ran.stderr, &exported]
            .into_iter()
            .chain(&published)
        {
            assert!(!place.contains(&secret), "a secret key got out");
        }
    }
}

#[test]
fn a_new_workspace_can_have_its_keys_encrypted_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passphrase");
    std::fs::write(&file, "correct horse battery staple\n").unwrap();
    let dir = folder.path().join("w");
    let ran = outside(&[
        "init",
        dir.to_str().unwrap(),
        "--passphrase-file",
        file.to_str().unwrap(),
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for name in ["ledger", "custodian"] {
        let key = text(dir.join(format!("keys/{name}.key")));
        assert!(key.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
        assert!(!text(dir.join(format!("keys/{name}.vkey"))).contains("PRIVATE"));
    }
    std::fs::write(&file, "\n").unwrap();
    let dir = folder.path().join("other");
    let empty = [
        "init",
        dir.to_str().unwrap(),
        "--passphrase-file",
        file.to_str().unwrap(),
    ];
    outside(&empty).expect_error(1);
    assert!(!dir.join("keys/ledger.key").exists());
}

#[test]
fn keys_rotate_with_an_overlap_and_what_older_ones_signed_stays_verifiable() {
    let bench = bench();
    bench.run(&RELEASE).expect(0);
    let first = bench.published().remove(0);
    let vkey = bench.workspace().join("ledger/vkey");
    let old = bench.file("old.vkey", text(vkey.clone()));
    let with_old = |release: &str| {
        let custodian = bench.workspace().join("keys/custodian.vkey");
        let release = bench.releases().join(release);
        outside(&[
            "verify",
            release.to_str().unwrap(),
            "--ledger-key",
            old.to_str().unwrap(),
            "--custodian-key",
            custodian.to_str().unwrap(),
        ])
    };
    let released = || {
        let before = bench.published();
        bench.run(&RELEASE).expect(0);
        let mut after = bench.published();
        after.retain(|id| !before.contains(id));
        after.remove(0)
    };

    let error = bench.run(&["ledger", "keys", "retire"]).expect_error(1);
    assert!(error.contains("no older key"), "{error}");
    let listed = bench.run(&["ledger", "keys", "rotate"]).expect(0).stdout;
    assert_eq!(
        listed
            .lines()
            .filter(|line| line.starts_with("current"))
            .count(),
        2
    );
    assert_eq!(
        listed
            .lines()
            .filter(|line| line.starts_with("older"))
            .count(),
        2
    );
    assert_eq!(text(vkey.clone()).lines().count(), 4);
    assert_eq!(
        text(vkey.clone()),
        text(bench.workspace().join("keys/ledger.vkey"))
    );
    assert_eq!(
        text(bench.workspace().join("keys/ledger.key"))
            .lines()
            .count(),
        4
    );
    bench.expect_sound();

    // Both sign: whoever knows only the older keys still verifies.
    let in_overlap = released();
    with_old(&in_overlap).expect(0);
    bench
        .run(&["ledger", "keys", "retire", "--reason", "compromised"])
        .expect(0);
    assert_eq!(
        text(bench.workspace().join("keys/ledger.key"))
            .lines()
            .count(),
        2
    );
    assert_eq!(text(vkey).lines().count(), 4);
    bench.expect_sound();
    let after = released();
    with_old(&after).expect_error(1);
    for release in [&first, &in_overlap, &after] {
        bench.run(&["verify", release]).expect(0);
    }
    with_old(&first).expect(0);
    let logged = bench.logged();
    assert_eq!(
        logged.iter().filter(|kind| *kind == "key_rotation").count(),
        2
    );
    bench
        .run(&["ledger", "keys", "rotate", "--reason", "boredom"])
        .expect(1);
}

#[test]
fn a_proof_travels_and_is_checked_offline() {
    let bench = bench();
    bench.run(&RELEASE).expect(0);
    let id = bench.published().remove(0);
    let proof = bench.path().join("x.tlog-proof");
    let proof = proof.to_str().unwrap();
    bench.run(&["ledger", "prove", &id, "-o", proof]).expect(0);
    let keys = bench.workspace().join("ledger/vkey");
    let keys = keys.to_str().unwrap();

    let ran = outside(&["verify-proof", proof, "--keys", keys]).expect(0);
    assert!(
        ran.stdout.starts_with("VERIFIED: entry 1 of the log"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains(&id) && ran.stdout.contains("signed at 20"));
    let json = ["verify-proof", proof, "--keys", keys, "--format", "json"];
    let json = outside(&json).expect(0).json();
    assert_eq!(json["entry"]["type"], "release");

    // With the entry's bytes given, and a policy in place of the keys.
    let exported = bench.run(&["ledger", "export"]).expect(0).stdout;
    let line: serde_json::Value = serde_json::from_str(exported.lines().nth(1).unwrap()).unwrap();
    assert_eq!(line["entry"]["id"], id.as_str());
    let policy: String = text(keys.into())
        .lines()
        .map(|key| format!("log {key}\n"))
        .collect();
    let policy = bench.file("policy", format!("{policy}quorum none\n"));
    outside(&["verify-proof", proof, "--policy", policy.to_str().unwrap()]).expect(0);

    let other = bench.file("entry", "another entry");
    let other = [
        "verify-proof",
        proof,
        "--keys",
        keys,
        "--entry",
        other.to_str().unwrap(),
    ];
    let error = outside(&other).expect(1).stderr;
    assert!(error.contains("does not hold"), "{error}");
    outside(&["verify-proof", proof]).expect(1);
    let bent = bench.file("bent", text(proof.into()).replace("index 1", "index 0"));
    outside(&["verify-proof", bent.to_str().unwrap(), "--keys", keys]).expect(1);
    bench
        .run(&["ledger", "prove", "no-such-release"])
        .expect_error(1);
}

/// A witness in a process of its own, which ends with this value.
struct Witness {
    child: Child,
    url: String,
    vkey: String,
}

impl Witness {
    fn start(bench: &Bench, name: &str, is_new: bool) -> Self {
        let log = text(bench.workspace().join("ledger/vkey"));
        Self::start_for(bench, name, is_new, &log)
    }

    /// A witness of the log with these keys.
    fn start_for(bench: &Bench, name: &str, is_new: bool, log: &str) -> Self {
        let dir = bench.path().join(name);
        let logs: String = log.lines().map(|key| format!("log {key}\n")).collect();
        let logs = bench.file(&format!("{name}.logs"), format!("{logs}quorum none\n"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_chancery"));
        command.args(["ledger", "witness", "--listen", "127.0.0.1:0", "--dir"]);
        command.arg(dir).arg("--logs").arg(logs);
        if is_new {
            command.args(["--init", &format!("witness.example/{name}")]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let url = line().strip_prefix("witness at ").unwrap().to_owned();
        Self {
            child,
            url,
            vkey: line(),
        }
    }

    fn line(&self, name: &str) -> String {
        format!("witness {name} {} {}\n", self.vkey, self.url)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Names the witnesses in the workspace's configuration.
fn require(bench: &Bench, policy: &str) {
    std::fs::write(bench.workspace().join("keys/witnesses"), policy).unwrap();
    let config = bench.workspace().join("chancery.toml");
    let before = text(config.clone());
    if !before.contains("witnesses") {
        std::fs::write(&config, format!("witnesses = \"keys/witnesses\"\n{before}")).unwrap();
    }
}

#[test]
fn without_the_quorum_nothing_leaves_and_with_it_the_release_is_finished() {
    let bench = bench();
    let (one, two) = (
        Witness::start(&bench, "one", true),
        Witness::start(&bench, "two", true),
    );
    let policy = |one: &Witness, two: &Witness| {
        format!(
            "{}{}group both all one two\nquorum both\n",
            one.line("one"),
            two.line("two")
        )
    };
    require(&bench, &policy(&one, &two));
    bench.run(&RELEASE).expect(0);
    bench.expect_sound();
    // Without their lines the checkpoint is the log's own word alone.
    let checkpoint = bench.workspace().join("ledger/checkpoint");
    let whole = text(checkpoint.clone());
    let own = whole
        .split_inclusive('\n')
        .filter(|line| !line.contains("witness.example"));
    std::fs::write(&checkpoint, own.collect::<String>()).unwrap();
    let found = bench.run(&["ledger", "fsck"]).expect(1).stdout;
    assert!(found.contains("cosigned"), "{found}");
    std::fs::write(&checkpoint, whole).unwrap();
    let first = bench.published().remove(0);
    let receipt = text(bench.releases().join(&first).join("receipt.tlog-proof"));
    for name in ["one", "two"] {
        assert!(
            receipt.contains(&format!("\u{2014} witness.example/{name} ")),
            "{receipt}"
        );
    }

    // A witness that cannot be asked: nothing is so much as signed.
    drop(two);
    let error = bench.run(&RELEASE).expect_error(1);
    assert!(error.contains("two"), "{error}");
    assert_eq!(
        (bench.published(), bench.staged()),
        (vec![first.clone()], vec![])
    );

    // A witness that can be asked and does not cosign: the release waits for it.
    let stranger = text(bench.workspace().join("keys/custodian.vkey"));
    let two = Witness::start_for(&bench, "two", false, &stranger);
    require(&bench, &policy(&one, &two));
    let error = bench.run(&RELEASE).expect_error(1);
    assert!(error.contains("two"), "{error}");
    assert_eq!(bench.published(), [first.as_str()]);
    assert_eq!(bench.staged().len(), 1);
    drop(two);
    // What is only read is not held up.
    bench.expect_sound();
    bench.run(&["verify", &first]).expect(0);

    let two = Witness::start(&bench, "two", false);
    require(&bench, &policy(&one, &two));
    let ran = bench.run(&["ledger", "checkpoint", "--refresh"]).expect(0);
    assert_eq!(bench.published().len(), 2);
    let finished = bench.published().into_iter().find(|id| *id != first);
    let finished = format!("note: finished the release {}, ", finished.unwrap());
    assert!(ran.stderr.contains(&finished), "{ran:?}");
    assert!(!ran.stdout.contains("finished"), "{ran:?}");
    bench.expect_sound();
    for release in bench.published() {
        bench.run(&["verify", &release]).expect(0);
    }
}

#[test]
fn what_a_crash_left_half_made_is_undone_aloud() {
    let bench = Bench::new();
    let id = "2026-01-10-hhs-oig-00000000";
    std::fs::create_dir_all(bench.releases().join(".staging").join(id)).unwrap();
    let ran = bench.run(&["ledger", "checkpoint", "--refresh"]).expect(0);
    let undone = format!("note: undid the release {id}, which was left staged: interrupted");
    assert!(ran.stderr.contains(&undone), "{ran:?}");
    let again = bench.run(&["ledger", "checkpoint", "--refresh"]).expect(0);
    assert_eq!(again.stderr, "");
}

#[test]
fn a_monitor_follows_the_ledger_and_alarms_when_it_is_put_back() {
    let bench = bench();
    let (ledger, dir) = (
        bench.workspace().join("ledger"),
        bench.path().join("monitor"),
    );
    let keys = bench.file("trusted.vkey", text(ledger.join("vkey")));
    let look = || look_once(&ledger, &keys, &dir, "text");
    look().expect(0);
    let older = text(ledger.join("checkpoint"));
    bench.run(&RELEASE).expect(0);
    look().expect(0);
    std::fs::write(ledger.join("checkpoint"), older).unwrap();
    let alarm = look().expect(1);
    assert!(
        format!("{}{}", alarm.stdout, alarm.stderr)
            .to_lowercase()
            .contains("roll"),
        "{alarm:?}"
    );
}

#[test]
fn what_can_be_computed_is_repaired_and_what_cannot_is_named() {
    let bench = bench();
    bench.run(&RELEASE).expect(0);
    let ledger = bench.workspace().join("ledger");
    let pristine = files(&ledger);
    let pristine: Vec<(PathBuf, Vec<u8>)> = pristine
        .into_values()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    let (mut repaired, mut lost) = (0, 0);
    for (path, content) in &pristine {
        // A partial tile of an earlier size may go, and may not change.
        std::fs::write(path, b"damaged").unwrap();
        let found = bench.run(&["ledger", "fsck"]).expect(1);
        assert!(
            found.stdout.contains(path.to_str().unwrap()),
            "{path:?}: {found:?}"
        );
        let ran = bench.run(&["ledger", "fsck", "--repair"]);
        if ran.code == Some(0) {
            assert!(ran.stdout.contains("repaired"), "{ran:?}");
            repaired += 1;
        } else {
            assert!(
                ran.stdout.contains("hint: ") || ran.stderr.contains("hint: "),
                "{ran:?}"
            );
            lost += 1;
        }
        std::fs::write(path, content).unwrap();
        bench.expect_sound();
    }
    assert!(repaired >= 3 && lost >= 1, "{repaired} {lost}");
}

/// Nothing that could drive a terminal or turn words around.
#[track_caller]
fn expect_harmless(ran: &Ran) {
    let text = format!("{}{}", ran.stdout, ran.stderr);
    let harmful = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.contains(harmful), "{text:?}");
}

#[test]
fn names_of_files_and_logs_cannot_drive_the_terminal() {
    let bench = Bench::new();
    let ledger = bench.workspace().join("ledger");
    let (keys, dir) = (
        bench.workspace().join("keys/ledger.vkey"),
        bench.path().join("monitor"),
    );
    let monitor = |format: &str| {
        let (ledger, keys, dir) = (&ledger, &keys, &dir);
        look_once(ledger, keys, dir, format)
    };
    for name in ["\u{1b}[31mX", "\u{9b}31mX", "\u{202e}X"] {
        std::fs::write(ledger.join(name), "").unwrap();
        let shown: String = name.chars().next().unwrap().escape_unicode().collect();
        let found = bench.run(&["ledger", "fsck"]).expect(1);
        expect_harmless(&found);
        assert!(found.stdout.contains(&shown), "{found:?}");
        let found = bench.run(&["ledger", "fsck", "--format", "json"]).expect(1);
        expect_harmless(&found);
        assert!(
            found.json()["problems"][0]["file"]
                .as_str()
                .unwrap()
                .contains(name)
        );
        let missing = bench.path().join(name);
        let verify = |proof: &PathBuf| {
            let (proof, keys) = (proof.to_str().unwrap(), keys.to_str().unwrap());
            outside(&["verify-proof", proof, "--keys", keys])
        };
        let error = verify(&missing).expect(1);
        expect_harmless(&error);
        assert!(error.stderr.contains(&shown), "{error:?}");
        std::fs::remove_file(ledger.join(name)).unwrap();

        // A log that calls itself so.
        let checkpoint = text(ledger.join("checkpoint"));
        let origin = checkpoint.lines().next().unwrap();
        let named = checkpoint.replace(origin, &format!("log/{name}"));
        let proof = bench.run(&["ledger", "prove", "0"]).expect(0).stdout;
        let proof = bench.file("proof", proof.replace(origin, &format!("log/{name}")));
        std::fs::write(ledger.join("checkpoint"), named).unwrap();
        // Under some of the names it is no checkpoint.
        let verified = verify(&proof);
        assert!(matches!(verified.code, Some(1 | 3)), "{verified:?}");
        expect_harmless(&verified);
        for ran in [
            bench.run(&["ledger", "fsck"]),
            bench.run(&["ledger", "export"]),
            monitor("text"),
            monitor("json"),
        ] {
            expect_harmless(&ran.expect(1));
        }
        std::fs::write(ledger.join("checkpoint"), checkpoint).unwrap();
        bench.expect_sound();
    }
}

#[test]
fn what_a_verifier_is_given_is_named_when_it_is_refused() {
    let bench = Bench::new();
    let path = |file: PathBuf| file.to_str().unwrap().to_owned();
    let keys = path(bench.workspace().join("keys/ledger.vkey"));
    let proof = bench.run(&["ledger", "prove", "0"]).expect(0).stdout;
    let proof = path(bench.file("proof", proof));
    let malformed = path(bench.file("malformed", "no such thing\n"));
    let binary = path(bench.file("binary", [0xff, 0xfe]));
    let large = path(bench.file("large", vec![b'x'; (1 << 20) + 1]));
    let large_entry = path(bench.file("large-entry", vec![b'x'; 65_536]));
    let refused = |args: &[&str], file: &str, what: &str| {
        // A proof that is none is an invalid request; keys that are none are a failure.
        let is_none = args[0] == file && what != "does not hold";
        let code = if is_none { 3 } else { 1 };
        let error = outside(&[&["verify-proof"], args].concat()).expect_error(code);
        let named = error.contains(&format!("`{file}`")) && error.contains(what);
        assert!(named, "{args:?}: {error}");
    };
    outside(&["verify-proof", &proof, "--keys", &keys]).expect(0);
    for (file, what) in [
        (&malformed, "malformed"),
        (&binary, "not text"),
        (&large, "limit of 1,048,576 bytes"),
    ] {
        refused(&[file, "--keys", &keys], file, what);
        refused(&[&proof, "--keys", file], file, what);
    }
    refused(&[&proof, "--policy", &malformed], &malformed, "line 1");
    refused(
        &[&proof, "--policy", &large],
        &large,
        "limit of 1,048,576 bytes",
    );
    let entry = [&proof, "--keys", &keys, "--entry", &large_entry];
    refused(&entry, &large_entry, "limit of 65,535 bytes");
    let entry = [&proof, "--keys", &keys, "--entry", &malformed];
    refused(&entry, &proof, "does not hold");
}

#[test]
fn keys_are_not_encrypted_while_somebody_writes() {
    let bench = Bench::new();
    let passphrase = bench.file("passphrase", "correct horse battery staple\n");
    let passphrase = passphrase.to_str().unwrap();
    let encrypt = ["ledger", "keys", "encrypt", "--passphrase-file", passphrase];
    let key = bench.workspace().join("keys/ledger.key");
    let before = text(key.clone());
    let writer = bench.ledger();
    let error = bench.run(&encrypt).expect_error(1);
    assert!(error.contains("another process"), "{error}");
    assert_eq!(text(key.clone()), before);
    drop(writer);
    bench.run(&encrypt).expect(0);
    assert_ne!(text(key), before);
}

#[test]
fn a_new_witness_says_whether_its_keys_are_encrypted() {
    let bench = Bench::empty();
    let passphrase = bench.file("passphrase", "correct horse battery staple\n");
    let init = |name: &str, more: &[&str]| {
        let dir = bench.path().join(name);
        let init = ["ledger", "witness", "--init", "witness.example/w", "--dir"];
        let ran = outside(&[&init[..], &[dir.to_str().unwrap()], more].concat()).expect(0);
        (
            ran.stderr,
            text(dir.join("witness.key")).starts_with("-----BEGIN AGE"),
        )
    };
    let (warning, is_encrypted) = init("plain", &[]);
    assert!(
        warning.starts_with("warning: ") && warning.contains("not encrypted"),
        "{warning}"
    );
    assert!(!is_encrypted);
    let named = ["--passphrase-file", passphrase.to_str().unwrap()];
    assert_eq!(init("secret", &named), (String::new(), true));
}
