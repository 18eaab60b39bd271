//! Keys against the vectors of Go's `x/mod/sumdb/note`, the C2SP texts, RFC 9881 and a second
//! implementation of ML-DSA-44.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chancery_ledger::{
    Algorithm, Error, LogKeys, SigningKey, UnverifiedCheckpoint, VerifierKey, cosign,
    verify_cosignature,
};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use Algorithm::{Ed25519, Ed25519Cosignature, MlDsa44};

/// See `vectors/cosignatures.mjs`.
const VKEYS: &str = include_str!("vectors/cosignatures.vkeys");
const CHECKPOINT: &str = include_str!("vectors/cosignatures.checkpoint");
const TIME: u64 = 1_679_315_147;

const PETER_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                          then you don't know what your problem is.\n";
const PETER_SIGNATURE: &str =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
const ENOCH_SIGNATURE: &str =
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=";

/// The signature in a line, without the key id before it.
fn signature(base64: &str) -> [u8; 64] {
    BASE64_STANDARD.decode(base64).unwrap()[4..]
        .try_into()
        .unwrap()
}

/// The 32 bytes that count up from `first`.
fn seed(first: u8) -> [u8; 32] {
    std::array::from_fn(|place| first + u8::try_from(place).unwrap())
}

fn vector_keys() -> Vec<SigningKey> {
    let log = "example.com/behind-the-sofa";
    [
        (log, Ed25519, 0),
        (log, MlDsa44, 32),
        ("witness.example.com/w1", Ed25519Cosignature, 64),
        ("witness.example.com/w2", MlDsa44, 96),
    ]
    .map(|(name, algorithm, first)| SigningKey::generate(name, algorithm, seed(first)).unwrap())
    .to_vec()
}

fn vector_checkpoint() -> UnverifiedCheckpoint {
    UnverifiedCheckpoint::parse(CHECKPOINT.as_bytes()).unwrap()
}

#[test]
fn the_vkeys_of_another_implementation_are_ours() {
    let ours: String = vector_keys()
        .iter()
        .map(|key| format!("{}\n", key.verifier()))
        .collect();
    assert_eq!(ours, VKEYS);
    for line in VKEYS.lines() {
        assert_eq!(line.parse::<VerifierKey>().unwrap().to_string(), line);
    }
}

#[test]
fn the_cosignatures_of_another_implementation_are_ours_byte_for_byte() {
    let checkpoint = vector_checkpoint();
    let lines: Vec<&str> = CHECKPOINT.lines().skip(4).collect();
    for (key, line) in vector_keys().iter().zip(&lines).skip(1) {
        let time = verify_cosignature(&key.verifier(), &checkpoint, line).unwrap();
        assert_eq!(time, TIME);
        let ours = cosign(key, &checkpoint, TIME).unwrap();
        assert_eq!(ours, format!("{line}\n"));
    }
}

#[test]
fn the_plain_signature_of_another_implementation_is_ours() {
    let line = CHECKPOINT.lines().nth(4).unwrap();
    let signed = signature(line.rsplit_once(' ').unwrap().1);
    let key = &vector_keys()[0];
    let body = vector_checkpoint().body().to_owned();
    assert_eq!(key.sign(body.as_bytes()).unwrap(), signed);
}

#[test]
fn the_ml_dsa_44_example_of_rfc_9881_gives_its_public_key() {
    let key = SigningKey::generate("a", MlDsa44, seed(0)).unwrap();
    let public = key.verifier().public_key();
    assert_eq!(public.len(), 1312);
    let hash: String = Sha256::digest(public)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        hash,
        "9f107644c1084526af3bc8098680b05499a2325a644e388fb4f970e058d19d46"
    );
}

#[test]
fn the_keys_of_go_are_ours() {
    let peter: VerifierKey = PETER_VKEY.parse().unwrap();
    assert_eq!(peter.to_string(), PETER_VKEY);
    assert_eq!(peter.key_id(), "c74f20a3");
    peter
        .verify(PETER_TEXT.as_bytes(), &signature(PETER_SIGNATURE))
        .unwrap();
    let other = peter.verify(b"If you think", &signature(PETER_SIGNATURE));
    assert!(matches!(other, Err(Error::BadSignature { .. })));

    let enoch = SigningKey::generate("EnochRoot", Ed25519, [0; 32]).unwrap();
    let signed = enoch.sign(PETER_TEXT.as_bytes()).unwrap();
    assert_eq!(signed, signature(ENOCH_SIGNATURE));
    let id = &BASE64_STANDARD.decode(ENOCH_SIGNATURE).unwrap()[..4];
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(enoch.verifier().key_id(), id);
}

#[test]
fn the_example_of_signed_note_verifies() {
    let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let signed = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
    let key: VerifierKey = vkey.parse().unwrap();
    key.verify(b"This is an example message.\n", &signature(signed))
        .unwrap();
}

#[test]
fn a_verifier_key_with_any_character_changed_is_refused() {
    for vkey in VKEYS.lines().chain([PETER_VKEY]) {
        // Of the long keys a part will do: every character of theirs is under the same hash.
        let step = if vkey.len() > 200 { 29 } else { 1 };
        for position in (0..vkey.len()).step_by(step) {
            let mut bytes = vkey.as_bytes().to_vec();
            bytes[position] = if bytes[position] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(changed.parse::<VerifierKey>().is_err(), "{changed}");
        }
    }
}

#[test]
fn texts_that_are_almost_vkeys_are_refused_and_say_why() {
    let typed = |bytes: &[u8]| {
        let hash = Sha256::digest([b"name\n", bytes].concat());
        let id: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("name+{id}+{}", BASE64_STANDARD.encode(bytes))
    };
    let peter: VerifierKey = PETER_VKEY.parse().unwrap();
    let public = peter.public_key();
    let cases = [
        (String::new(), "is not `<name>"),
        ("+".into(), "is not `<name>"),
        ("++".into(), "name is empty"),
        ("a b+00000000+AA==".into(), "name is empty"),
        ("a\u{1}b+00000000+AA==".into(), "control character"),
        ("name+c74f20a3+".into(), "key is empty"),
        ("name+c74f20a3+?".into(), "not base64"),
        (format!("{PETER_VKEY}\n"), "not base64"),
        (PETER_VKEY[1..].into(), "key id"),
        (PETER_VKEY.to_uppercase(), ""),
        (typed(&[&[2], public.as_slice()].concat()), "type byte"),
        (typed(&[&[1], &public[1..]].concat()), "32 bytes"),
        (typed(&[&[6], public.as_slice()].concat()), "1312 bytes"),
        // The identity, for which anybody can sign, and an encoding of it that is not canonical.
        (typed(&[&[1, 1], [0; 31].as_slice()].concat()), "weak"),
        (
            typed(&[&[4, 0xee], [0xff; 30].as_slice(), &[0x7f]].concat()),
            "weak",
        ),
        (typed(&[&[1], [2; 32].as_slice()].concat()), "no Ed25519"),
    ];
    for (line, expected) in cases {
        let refused = line.parse::<VerifierKey>().unwrap_err().to_string();
        assert!(refused.starts_with("malformed verifier key: "), "{refused}");
        assert!(refused.contains(expected), "{line:?}: {refused}");
    }
}

#[test]
fn names_that_would_break_a_note_are_refused() {
    let long = "a".repeat(256);
    for name in [
        "",
        "a b",
        "a+b",
        "a\nb",
        "a\u{a0}b",
        "a\u{1}b",
        long.as_str(),
    ] {
        for algorithm in [Ed25519, Ed25519Cosignature, MlDsa44] {
            let refused = SigningKey::generate(name, algorithm, [1; 32]).unwrap_err();
            assert!(matches!(refused, Error::KeyName { .. }), "{name:?}");
            assert!(refused.hint().is_some());
        }
        assert!(LogKeys::random(name).is_err());
    }
}

#[test]
fn only_a_plain_key_signs_messages_and_only_a_cosigning_key_cosigns() {
    let key = |algorithm| SigningKey::generate("a", algorithm, [1; 32]).unwrap();
    for algorithm in [Ed25519Cosignature, MlDsa44] {
        let refused = key(algorithm).sign(b"message").unwrap_err();
        assert!(matches!(refused, Error::KeyAlgorithm { .. }));
        assert!(refused.to_string().ends_with("not a plain Ed25519 key"));
        assert!(refused.hint().is_some());
        // Ed25519 keys of both kinds would otherwise stand for each other.
        let signed = key(Ed25519).sign(b"message").unwrap();
        let refused = key(algorithm).verifier().verify(b"message", &signed);
        assert!(matches!(refused, Err(Error::KeyAlgorithm { .. })));
    }
    let refused = cosign(&key(Ed25519), &vector_checkpoint(), TIME).unwrap_err();
    assert!(matches!(refused, Error::KeyAlgorithm { .. }));
    assert!(refused.to_string().ends_with("not a cosigning key"));
    let line = CHECKPOINT.lines().nth(4).unwrap();
    let refused = verify_cosignature(&key(Ed25519).verifier(), &vector_checkpoint(), line);
    assert!(matches!(refused, Err(Error::KeyAlgorithm { .. })));
}

#[test]
fn a_time_that_cannot_be_stated_is_refused() {
    for algorithm in [Ed25519Cosignature, MlDsa44] {
        let key = SigningKey::generate("a", algorithm, [1; 32]).unwrap();
        for time in [0, 1 << 63, u64::MAX] {
            let refused = cosign(&key, &vector_checkpoint(), time).unwrap_err();
            assert!(matches!(refused, Error::Time { .. }));
            assert!(refused.to_string().contains(&time.to_string()));
            assert!(refused.hint().is_some());
        }
        let last = cosign(&key, &vector_checkpoint(), (1 << 63) - 1).unwrap();
        assert_eq!(
            verify_cosignature(&key.verifier(), &vector_checkpoint(), &last).unwrap(),
            (1 << 63) - 1
        );
    }
}

#[test]
fn a_cosignature_with_any_byte_flipped_is_refused() {
    let checkpoint = vector_checkpoint();
    for (key, line) in vector_keys().iter().zip(CHECKPOINT.lines().skip(4)).skip(1) {
        let (head, base64) = line.rsplit_once(' ').unwrap();
        let bytes = BASE64_STANDARD.decode(base64).unwrap();
        let step = if bytes.len() > 200 { 37 } else { 1 };
        for position in (0..bytes.len()).step_by(step) {
            let mut bytes = bytes.clone();
            bytes[position] ^= 1;
            let line = format!("{head} {}", BASE64_STANDARD.encode(&bytes));
            let refused = verify_cosignature(&key.verifier(), &checkpoint, &line);
            assert!(matches!(refused, Err(Error::BadSignature { .. })));
        }
        for length in [5, 11, 12, bytes.len() - 1] {
            let line = format!("{head} {}", BASE64_STANDARD.encode(&bytes[..length]));
            let refused = verify_cosignature(&key.verifier(), &checkpoint, &line);
            assert!(matches!(refused, Err(Error::BadSignature { .. })));
        }
        for broken in ["", "x", &format!("{line}\n\n"), &format!("{line} "), head] {
            let refused = verify_cosignature(&key.verifier(), &checkpoint, broken);
            assert!(matches!(refused, Err(Error::Malformed { .. })), "{broken}");
        }
    }
}

#[test]
fn an_origin_too_long_for_ml_dsa_44_is_refused_and_not_cut() {
    let note = CHECKPOINT.replacen("example.com", &"e".repeat(255), 1);
    let checkpoint = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap();
    let refused = cosign(&vector_keys()[3], &checkpoint, TIME).unwrap_err();
    assert!(refused.to_string().contains("255 bytes"), "{refused}");
    cosign(&vector_keys()[2], &checkpoint, TIME).unwrap();
}

#[test]
fn random_keys_differ() {
    for algorithm in [Ed25519, MlDsa44] {
        let [a, b] = [(), ()].map(|()| SigningKey::random("a", algorithm).unwrap().verifier());
        assert_ne!(a, b);
    }
}

#[test]
fn the_two_keys_of_a_generation_share_no_seed() {
    let keys = LogKeys::generate("a", &[7; 32]).unwrap();
    let same = SigningKey::generate("a", Ed25519, [7; 32]).unwrap();
    assert!(keys.keyring().keys().all(|key| *key != same.verifier()));
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![Just(Ed25519), Just(Ed25519Cosignature), Just(MlDsa44)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_vkey_prints_and_parses_to_itself(
        seed in any::<[u8; 32]>(), name in "[a-z./0-9é]{1,20}", algorithm in algorithm(),
    ) {
        let key = SigningKey::generate(&name, algorithm, seed).unwrap().verifier();
        let line = key.to_string();
        prop_assert_eq!(line.parse::<VerifierKey>().unwrap(), key.clone());
        prop_assert_eq!(key.algorithm(), algorithm);
        // One key has one spelling: the key id is in lower case.
        let id = key.key_id();
        if id != id.to_uppercase() {
            prop_assert!(line.replacen(&id, &id.to_uppercase(), 1).parse::<VerifierKey>().is_err());
        }
    }

    #[test]
    fn a_cosignature_verifies_for_its_checkpoint_alone(
        seed in any::<[u8; 32]>(), size in 0_u64..1 << 56, root in any::<[u8; 32]>(),
        time in 1_u64..1 << 63, is_post_quantum in any::<bool>(),
    ) {
        let algorithm = if is_post_quantum { MlDsa44 } else { Ed25519Cosignature };
        let log = LogKeys::generate("log.example", &[1; 32]).unwrap();
        let checkpoint = log.sign(size, root, 1).unwrap().into();
        let key = SigningKey::generate("witness.example", algorithm, seed).unwrap();
        let line = cosign(&key, &checkpoint, time).unwrap();
        prop_assert_eq!(verify_cosignature(&key.verifier(), &checkpoint, &line).unwrap(), time);
        let other = log.sign(size ^ 1, root, 1).unwrap().into();
        prop_assert!(verify_cosignature(&key.verifier(), &other, &line).is_err());
        let renamed = SigningKey::generate("witness.example/2", algorithm, seed).unwrap();
        prop_assert!(verify_cosignature(&renamed.verifier(), &checkpoint, &line).is_err());
    }

    #[test]
    fn any_text_is_parsed_as_a_key_without_panic(text in any::<String>(), line in "[a-f+0-9A-Z=]{0,60}") {
        let _ = text.parse::<VerifierKey>();
        let _ = line.parse::<VerifierKey>();
        let _ = text.parse::<chancery_ledger::Keyring>();
        let _ = text.parse::<chancery_ledger::Policy>();
        let _ = format!("{text}\n").parse::<chancery_ledger::Policy>();
    }
}
