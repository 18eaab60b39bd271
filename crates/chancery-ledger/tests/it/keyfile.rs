//! Key files: private, lasting, encrypted; and no secret in any text but theirs.

use std::fs;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine as _};
use chancery_ledger::keyfile::{self, Passphrase};
use chancery_ledger::{Algorithm, Error, LogKeys, Result, SigningKey};
use tempfile::TempDir;

const PETER: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const WORDS: &str = "granite otter violet staple";

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.key");
    (folder, path)
}

/// Writes a file as its owner's secret.
fn write_private(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    set_mode(path, 0o600);
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn passphrase() -> Passphrase {
    Passphrase::new(WORDS).unwrap()
}

fn ask() -> Result<Passphrase> {
    Passphrase::new(WORDS)
}

/// For files whose passphrase is not to be asked for: what reading it returns shows if it was.
fn no_ask() -> Result<Passphrase> {
    Err(Error::Poisoned)
}

/// The files of a folder, to see that nothing is left behind.
fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn public(keys: &[SigningKey]) -> Vec<String> {
    keys.iter().map(|key| key.verifier().to_string()).collect()
}

#[test]
fn a_plain_file_is_private_and_in_the_form_of_go() {
    let (folder, path) = folder();
    let keys = LogKeys::generate("agency.example/ledger", &[7; 32]).unwrap();
    keyfile::write_new(&path, keys.keys(), None).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(names(&folder), ["ledger.key"]);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.starts_with("PRIVATE+KEY+agency.example/ledger+"));
    assert!(!keyfile::is_file_encrypted(&path).unwrap());

    let read = keyfile::read(&path, Some(&no_ask)).unwrap();
    assert_eq!(public(&read), public(keys.keys()));
    assert_eq!(LogKeys::from_keys(read).unwrap().keyring(), keys.keyring());

    write_private(&path, format!("{PETER}\n"));
    let peter = keyfile::read(&path, None).unwrap();
    assert_eq!(public(&peter), [PETER_VKEY]);
}

#[test]
fn an_encrypted_file_shows_nothing_and_opens_with_its_passphrase_alone() {
    let (folder, path) = folder();
    let keys = LogKeys::generate("agency.example/ledger", &[7; 32]).unwrap();
    keyfile::write_new(&path, keys.keys(), Some(&passphrase())).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(names(&folder), ["ledger.key"]);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
    assert!(!text.contains("PRIVATE") && !text.contains("agency"));
    assert!(keyfile::is_file_encrypted(&path).unwrap());

    let read = keyfile::read(&path, Some(&ask)).unwrap();
    assert_eq!(public(&read), public(keys.keys()));

    let refused = keyfile::read(&path, Some(&|| Passphrase::new("granite"))).unwrap_err();
    assert!(matches!(refused, Error::WrongPassphrase { .. }));
    check_error(&refused, &path);
    let refused = keyfile::read(&path, None).unwrap_err();
    assert!(matches!(refused, Error::PassphraseNeeded { .. }));
    check_error(&refused, &path);
    let refused = keyfile::read(&path, Some(&|| Err(Error::EmptyPassphrase))).unwrap_err();
    assert!(matches!(refused, Error::EmptyPassphrase));
}

/// The message names the file, there is a hint, and no secret is in either.
fn check_error(error: &Error, path: &Path) {
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(path.to_str().unwrap()), "{shown}");
    assert!(error.hint().is_some(), "{shown}");
    for secret in ["AYEK", WORDS, "granite"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_key_is_never_overwritten_by_a_new_one() {
    let (folder, path) = folder();
    let [first, second] = [1, 2].map(|seed| LogKeys::generate("a", &[seed; 32]).unwrap());
    keyfile::write_new(&path, first.keys(), None).unwrap();
    for passphrase in [None, Some(&passphrase())] {
        let refused = keyfile::write_new(&path, second.keys(), passphrase).unwrap_err();
        assert!(matches!(refused, Error::AlreadyExists { .. }));
        check_error(&refused, &path);
    }
    assert_eq!(
        public(&keyfile::read(&path, None).unwrap()),
        public(first.keys())
    );
    assert_eq!(names(&folder), ["ledger.key"]);

    // Neither what is behind a link, even one that leads nowhere.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    let refused = keyfile::write_new(&link, second.keys(), None);
    assert!(matches!(refused, Err(Error::AlreadyExists { .. })));
}

#[test]
fn rotation_replaces_the_file_and_keeps_it_encrypted() {
    let (folder, path) = folder();
    let old = LogKeys::random("agency.example/ledger").unwrap();
    keyfile::write_new(&path, old.keys(), Some(&passphrase())).unwrap();
    let both = old.rotated().unwrap();
    let refused = keyfile::replace(&path, both.keys(), None).unwrap_err();
    assert!(matches!(refused, Error::Unencrypted { .. }));
    check_error(&refused, &path);

    // What a crash has left is no obstacle, whatever its mode.
    let left = folder.path().join("ledger.key.new");
    fs::write(&left, "PRIVATE+KEY+").unwrap();
    set_mode(&left, 0o666);
    let new_passphrase = Passphrase::new("another one").unwrap();
    keyfile::replace(&path, both.keys(), Some(&new_passphrase)).unwrap();
    assert_eq!(
        (names(&folder), mode(&path)),
        (vec!["ledger.key".into()], 0o600)
    );
    let read = keyfile::read(&path, Some(&|| Ok(new_passphrase.clone()))).unwrap();
    assert_eq!(LogKeys::from_keys(read).unwrap().keyring(), both.keyring());
    let refused = keyfile::read(&path, Some(&ask));
    assert!(matches!(refused, Err(Error::WrongPassphrase { .. })));
}

#[test]
fn only_a_file_that_is_there_and_private_is_replaced() {
    let (folder, path) = folder();
    let keys = LogKeys::generate("a", &[1; 32]).unwrap();
    let refused = keyfile::replace(&path, keys.keys(), None).unwrap_err();
    assert!(matches!(refused, Error::Missing { .. }));
    write_private(&path, format!("{PETER}\n"));
    set_mode(&path, 0o640);
    let refused = keyfile::replace(&path, keys.keys(), None).unwrap_err();
    assert!(matches!(refused, Error::ExposedKeyFile { .. }));
    set_mode(&path, 0o600);
    keyfile::replace(&path, keys.keys(), None).unwrap();
    assert_eq!(names(&folder), ["ledger.key"]);
    let refused = keyfile::replace(&path, &[], None).unwrap_err();
    assert!(refused.to_string().contains("no key"));
    assert_eq!(
        public(&keyfile::read(&path, None).unwrap()),
        public(keys.keys())
    );
}

#[test]
fn a_file_that_group_or_others_can_open_is_refused() {
    let (_folder, path) = folder();
    write_private(&path, format!("{PETER}\n"));
    for open in [
        0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o660, 0o666, 0o644,
    ] {
        set_mode(&path, open);
        let refused = keyfile::read(&path, None).unwrap_err();
        assert!(matches!(refused, Error::ExposedKeyFile { .. }), "{open:o}");
        assert!(refused.to_string().contains(&format!("{open:o}")));
        assert!(refused.hint().unwrap().contains("chmod 600"));
        check_error(&refused, &path);
    }
    for private in [0o600, 0o400, 0o700] {
        set_mode(&path, private);
        keyfile::read(&path, None).unwrap();
    }
}

#[test]
fn a_file_that_is_no_key_file_is_refused_and_its_content_not_shown() {
    let (folder, path) = folder();
    let line = |secret: &str| format!("PRIVATE+KEY+PeterNeumann+c74f20a3+{secret}\n");
    let typed = |byte: u8, length: usize| {
        line(&BASE64_STANDARD.encode([vec![byte], vec![7; length]].concat()))
    };
    let cases = [
        (String::new(), "cut short"),
        (PETER.into(), "cut short"),
        ("\n".into(), "PRIVATE+KEY+"),
        ("PRIVATE+KEY+a\n".into(), "PRIVATE+KEY+"),
        (format!("{PETER_VKEY}\n"), "PRIVATE+KEY+"),
        (format!("{PETER}\n\n"), "PRIVATE+KEY+"),
        (format!("{PETER}\r\n"), "base64"),
        (format!(" {PETER}\n"), "PRIVATE+KEY+"),
        (
            format!("{}\n", PETER.replace("c74f20a3", "C74F20A3")),
            "key id",
        ),
        (format!("{}\n", PETER.replace("AYEK", "AYEL")), "key id"),
        (format!("{}\n", PETER.replace("Peter", "Paul")), "key id"),
        (format!("{}\n", PETER.replace("Peter", "Pe er")), "name"),
        (line(""), "empty"),
        (line("?"), "base64"),
        (typed(2, 32), "type byte"),
        (typed(1, 31), "32 bytes"),
        (typed(6, 64), "32 bytes"),
    ];
    for (content, expected) in cases {
        write_private(&path, &content);
        let refused = keyfile::read(&path, None).unwrap_err();
        assert!(matches!(refused, Error::KeyFile { .. }), "{content:?}");
        assert!(
            refused.to_string().contains(expected),
            "{content:?}: {refused}"
        );
        check_error(&refused, &path);
    }
    write_private(&path, [0xff, b'\n']);
    assert!(
        keyfile::read(&path, None)
            .unwrap_err()
            .to_string()
            .contains("not text")
    );
    write_private(&path, vec![b'a'; 64 * 1024 + 1]);
    assert!(
        keyfile::read(&path, None)
            .unwrap_err()
            .to_string()
            .contains("64 KiB")
    );

    let missing = keyfile::read(&folder.path().join("none"), None).unwrap_err();
    assert!(matches!(missing, Error::Missing { .. }) && missing.hint().is_some());
    let no_file = keyfile::read(folder.path(), None).unwrap_err();
    assert!(no_file.to_string().contains("not a file"), "{no_file}");
    let nowhere = folder.path().join("none/ledger.key");
    let keys = LogKeys::generate("a", &[1; 32]).unwrap();
    let refused = keyfile::write_new(&nowhere, keys.keys(), None).unwrap_err();
    assert!(matches!(refused, Error::Io { .. }) && refused.hint().is_some());
}

#[test]
fn an_encrypted_file_that_was_cut_or_changed_is_refused() {
    let (_folder, path) = folder();
    let keys = LogKeys::generate("agency.example/ledger", &[7; 32]).unwrap();
    keyfile::write_new(&path, keys.keys(), Some(&passphrase())).unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();

    // So short that nobody need be asked.
    for count in [1, 2, 3] {
        write_private(&path, lines[..count].join("\n"));
        let refused = keyfile::read(&path, Some(&no_ask)).unwrap_err();
        assert!(matches!(refused, Error::KeyFile { .. }));
        check_error(&refused, &path);
    }
    let last_of_content = lines.len() - 2;
    let mut changed: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let swapped = if changed[last_of_content].starts_with('A') {
        "B"
    } else {
        "A"
    };
    changed[last_of_content].replace_range(..1, swapped);
    let cases = [
        lines[..last_of_content].join("\n"),
        whole.replace("-----END AGE ENCRYPTED FILE-----\n", ""),
        [&lines[..last_of_content], &lines[lines.len() - 1..]]
            .concat()
            .join("\n"),
        changed.join("\n"),
        format!("{whole}PRIVATE"),
    ];
    for content in cases {
        write_private(&path, &content);
        let refused = keyfile::read(&path, Some(&ask)).unwrap_err();
        assert!(
            matches!(refused, Error::KeyFile { .. }),
            "{content}\n{refused}"
        );
        check_error(&refused, &path);
    }
}

#[test]
fn an_age_file_for_a_key_is_told_from_one_for_a_passphrase() {
    let (_folder, path) = folder();
    let recipient = age::x25519::Identity::generate().to_public();
    write_private(&path, age::encrypt_and_armor(&recipient, b"x\n").unwrap());
    let refused = keyfile::read(&path, Some(&no_ask)).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("not encrypted with a passphrase"),
        "{refused}"
    );

    // A file from elsewhere may ask for hours of work.
    let mut recipient = age::scrypt::Recipient::new(WORDS.to_owned().into());
    recipient.set_work_factor(2);
    let cheap = age::encrypt_and_armor(&recipient, format!("{PETER}\n").as_bytes()).unwrap();
    write_private(&path, &cheap);
    assert_eq!(
        public(&keyfile::read(&path, Some(&ask)).unwrap()),
        [PETER_VKEY]
    );
    let binary: String = cheap
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let binary = BASE64_STANDARD.decode(binary).unwrap();
    let end = binary
        .windows(3)
        .position(|bytes| bytes == b" 2\n")
        .unwrap();
    let costly = [&binary[..end], b" 40\n", &binary[end + 3..]].concat();
    let wrapped: String = BASE64_STANDARD
        .encode(costly)
        .as_bytes()
        .chunks(64)
        .map(|line| format!("{}\n", std::str::from_utf8(line).unwrap()))
        .collect();
    let armored =
        format!("-----BEGIN AGE ENCRYPTED FILE-----\n{wrapped}-----END AGE ENCRYPTED FILE-----\n");
    write_private(&path, armored);
    let refused = keyfile::read(&path, Some(&ask)).unwrap_err();
    assert!(refused.to_string().contains("too much work"), "{refused}");
}

#[test]
fn an_empty_passphrase_is_refused() {
    let refused = Passphrase::new("").unwrap_err();
    assert!(matches!(refused, Error::EmptyPassphrase) && refused.hint().is_some());
    Passphrase::new(" ").unwrap();
}

/// The ways in which a seed could be printed.
fn spellings(seed: &[u8]) -> Vec<String> {
    let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    let decimal = format!("{seed:?}");
    let mut spellings = vec![
        hex.to_uppercase(),
        hex,
        decimal.trim_matches(['[', ']']).to_owned(),
    ];
    // Base64 spells bytes in three ways, after the place they start at.
    for before in 0..3 {
        let text = BASE64_STANDARD_NO_PAD.encode([vec![0; before], seed.to_vec()].concat());
        spellings.push(text[4..text.len() - 2].to_owned());
    }
    spellings
}

#[test]
fn no_secret_is_in_any_text_but_the_key_file() {
    let seed: [u8; 32] = std::array::from_fn(|place| 0xc1 ^ (u8::try_from(place).unwrap() * 5));
    let spelled = spellings(&seed);
    let (_folder, path) = folder();
    let mut shown = String::new();
    for algorithm in [
        Algorithm::Ed25519,
        Algorithm::Ed25519Cosignature,
        Algorithm::MlDsa44,
    ] {
        let key = SigningKey::generate("agency.example/key", algorithm, seed).unwrap();
        let keys = std::slice::from_ref(&key);
        write_private(&path, "");
        fs::remove_file(&path).unwrap();
        keyfile::write_new(&path, keys, None).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        let is_spelled = |text: &str| {
            spelled
                .iter()
                .any(|spelling| text.contains(spelling.as_str()))
        };
        assert!(is_spelled(&written), "the test would find nothing");

        shown += &format!("{key:?} {key:#?} {:?} {}", key.verifier(), key.verifier());
        shown += &format!("{:?}", keyfile::read(&path, None).unwrap());
        shown += &format!("{:?}", LogKeys::from_keys(vec![key.clone()]).unwrap_err());
        shown += &format!(
            "{:?}",
            LogKeys::from_keys(vec![key.clone(), key.clone()]).map_err(|e| e.to_string())
        );
        shown += &format!("{:?}", key.sign(b"message"));
        shown += &format!("{:?}", SigningKey::generate("a b", algorithm, seed));
        for broken in [
            written.trim_end().to_owned(),
            written.replace("agency", "agencies"),
            written.replace("PRIVATE", "PUBLIC"),
            written.replace('\n', "=\n"),
            format!("{written}{written}x\n"),
            written.to_lowercase(),
        ] {
            write_private(&path, broken);
            let refused = keyfile::read(&path, None).unwrap_err();
            shown += &format!("{refused} {refused:?} {:?}", refused.hint());
        }
        let refused = written
            .trim_end()
            .parse::<chancery_ledger::VerifierKey>()
            .unwrap_err();
        shown += &format!("{refused} {refused:?}");
        let refused = written.parse::<chancery_ledger::Keyring>().unwrap_err();
        shown += &format!("{refused} {refused:?}");
        let refused = format!("log {written}")
            .parse::<chancery_ledger::Policy>()
            .unwrap_err();
        shown += &format!("{refused} {refused:?}");
        set_mode(&path, 0o644);
        shown += &format!("{:?}", keyfile::read(&path, None).unwrap_err());
    }
    let keys = LogKeys::generate("agency.example/ledger", &seed).unwrap();
    shown += &format!("{keys:?} {keys:#?} {:?}", passphrase());
    shown += keys.sign(1, [1; 32], 1).unwrap().as_str();
    for secret in spelled
        .iter()
        .map(String::as_str)
        .chain([WORDS, "PRIVATE+KEY+agency"])
    {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert!(shown.contains("SigningKey(agency.example/key+"));
}
