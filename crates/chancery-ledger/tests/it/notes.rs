//! Keys and notes against the vectors of Go's `x/mod/sumdb/note` and the C2SP texts.

use std::fs;

use chancery_ledger::{Error, SigningKey, UnverifiedCheckpoint, VerifierKey};

const PETER_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SKEY: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                          then you don't know what your problem is.\n";
const PETER_SIGNATURE: &str =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

fn peter() -> SigningKey {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, format!("{PETER_SKEY}\n")).unwrap();
    SigningKey::load(&path).unwrap()
}

#[test]
fn the_go_key_loads_and_prints_as_go_prints_it() {
    let vkey: VerifierKey = PETER_VKEY.parse().unwrap();
    assert_eq!(vkey.to_string(), PETER_VKEY);
    assert_eq!(vkey.key_id(), "c74f20a3");
    assert_eq!(peter().verifier(), vkey);
}

#[test]
fn the_go_note_verifies_and_is_signed_identically() {
    let signature = peter().sign(PETER_TEXT.as_bytes());
    let in_go = [&[0xc7, 0x4f, 0x20, 0xa3], signature.as_slice()].concat();
    let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, in_go);
    assert_eq!(base64, PETER_SIGNATURE);

    let vkey: VerifierKey = PETER_VKEY.parse().unwrap();
    vkey.verify(PETER_TEXT.as_bytes(), &signature).unwrap();
    let other = vkey.verify(b"If you think", &signature);
    assert!(matches!(other, Err(Error::BadSignature { .. })));
}

#[test]
fn a_verifier_key_with_any_character_changed_is_refused() {
    for position in 0..PETER_VKEY.len() {
        let mut bytes = PETER_VKEY.as_bytes().to_vec();
        bytes[position] = if bytes[position] == b'a' { b'b' } else { b'a' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(changed.parse::<VerifierKey>().is_err(), "{changed}");
    }
    for wrong in [
        "",
        "+",
        "++",
        "name+c74f20a3+",
        &format!("{PETER_VKEY}\n"),
        &PETER_VKEY[1..],
    ] {
        assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_checkpoint_note_with_a_blank_or_bent_line_is_refused() {
    let body = "example.com/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let note = |body: &str| format!("{body}\n— PeterNeumann {PETER_SIGNATURE}\n");
    UnverifiedCheckpoint::parse(note(body).as_bytes()).unwrap();
    let bent = [
        body.replace("\n1\n", "\n01\n"),
        body.replace("\n1\n", "\n-1\n"),
        body.replace("\n1\n", "\n72057594037927936\n"),
        body.replace("example.com/log\n", "\n"),
        body.replace("I=\n", "J=\n"),
        body.replace("I=\n", "=\n"),
        body.replace('\n', "\r\n"),
        format!("{body}\u{1}\n"),
    ];
    for body in bent {
        assert!(
            UnverifiedCheckpoint::parse(note(&body).as_bytes()).is_err(),
            "{body:?}"
        );
    }
    for wrong in [
        body.to_owned(),
        format!("{body}\n"),
        note(body).trim_end().to_owned(),
    ] {
        assert!(
            UnverifiedCheckpoint::parse(wrong.as_bytes()).is_err(),
            "{wrong:?}"
        );
    }
}

#[test]
fn names_that_would_break_a_note_are_refused() {
    for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{1}b"] {
        let refused = SigningKey::generate(name, [1; 32]);
        assert!(matches!(refused, Err(Error::KeyName { .. })), "{name:?}");
    }
}

#[test]
fn a_key_file_is_private_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.key");
    let key = SigningKey::create_file(&path, "agency.example/ledger").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert_eq!(SigningKey::load(&path).unwrap().verifier(), key.verifier());
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .starts_with("PRIVATE+KEY+agency.example/ledger+")
    );

    let again = SigningKey::create_file(&path, "agency.example/ledger");
    assert!(matches!(again, Err(Error::AlreadyExists { .. })));
    assert_eq!(SigningKey::load(&path).unwrap().verifier(), key.verifier());
}

#[test]
fn a_secret_is_not_in_the_debug_text() {
    let shown = format!("{:?}", peter());
    assert!(
        shown.contains("PeterNeumann") && !shown.contains("AYEKFALVFGyNhP"),
        "{shown}"
    );
}

#[test]
fn a_damaged_key_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    for wrong in [
        "",
        "PRIVATE+KEY+a",
        PETER_VKEY,
        &PETER_SKEY.replace("AYEK", "AYEL"),
    ] {
        fs::write(&path, wrong).unwrap();
        let refused = SigningKey::load(&path).unwrap_err();
        assert!(matches!(refused, Error::Malformed { .. }), "{wrong:?}");
        assert!(
            refused.to_string().contains(path.to_str().unwrap()),
            "{refused}"
        );
    }
    assert!(matches!(
        SigningKey::load(folder.path()),
        Err(Error::Io { .. })
    ));
}
