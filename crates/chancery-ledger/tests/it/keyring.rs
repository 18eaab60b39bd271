//! Keyrings: who has to sign, rotation with overlap, and signed checkpoints that were tampered with.

use chancery_ledger::{
    Algorithm, Checkpoint, Error, Keyring, LogKeys, SigningKey, Trust, UnverifiedCheckpoint,
    cosign, verify_cosignature,
};
use proptest::prelude::*;

const NAME: &str = "agency.example/ledger";
const TIME: u64 = 1_790_000_000;

fn log(seed: u8) -> LogKeys {
    LogKeys::generate(NAME, &[seed; 32]).unwrap()
}

/// Two generations, of which `newer` is in front.
fn overlap(newer: u8, older: u8) -> LogKeys {
    let keys = [log(newer).keys(), log(older).keys()].concat();
    LogKeys::from_keys(keys).unwrap()
}

fn unverified(note: &str) -> UnverifiedCheckpoint {
    UnverifiedCheckpoint::parse(note.as_bytes()).unwrap()
}

/// The body of a checkpoint with those of its signature lines that are chosen.
fn with_lines(checkpoint: &Checkpoint, chosen: &[usize]) -> UnverifiedCheckpoint {
    let (body, lines) = checkpoint.as_str().rsplit_once("\n\n").unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let lines: String = chosen
        .iter()
        .map(|line| format!("{}\n", lines[*line]))
        .collect();
    unverified(&format!("{body}\n\n{lines}"))
}

#[test]
fn a_log_signs_with_both_algorithms_and_states_the_time() {
    let keys = log(1);
    let checkpoint = keys.sign(3, [9; 32], TIME).unwrap();
    assert_eq!(checkpoint.as_str().lines().count(), 4 + 2);
    assert_eq!(checkpoint.origin(), NAME);
    assert_eq!((checkpoint.size(), checkpoint.root()), (3, [9; 32]));
    assert_eq!(checkpoint.timestamp(), Some(TIME));
    assert!(checkpoint.body().ends_with("=\n") && checkpoint.body().starts_with(NAME));
    let again = keys.keyring().verify(checkpoint.clone().into()).unwrap();
    assert_eq!(again, checkpoint);
    assert_eq!(keys.sign(3, [9; 32], TIME).unwrap(), checkpoint);
}

#[test]
fn both_keys_of_a_generation_have_to_sign() {
    let checkpoint = log(1).sign(3, [9; 32], TIME).unwrap();
    let keyring = log(1).keyring();
    for line in [0, 1] {
        let half = with_lines(&checkpoint, &[line]);
        let refused = keyring.verify(half).unwrap_err();
        let absent = &keyring.current()[1 - line];
        assert_eq!(
            refused.to_string(),
            format!("no valid signature by `{NAME}+{}`", absent.key_id())
        );
        assert!(refused.hint().is_some());
    }
    keyring.verify(with_lines(&checkpoint, &[1, 0])).unwrap();
    // The same line twice is no second key.
    assert!(keyring.verify(with_lines(&checkpoint, &[0, 0])).is_err());
    keyring.verify(with_lines(&checkpoint, &[0, 1, 1])).unwrap();
}

#[test]
fn during_a_rotation_old_and_new_verifiers_agree() {
    let checkpoint = overlap(2, 1).sign(3, [9; 32], TIME).unwrap();
    let both = overlap(2, 1).keyring();
    for keyring in [log(1).keyring(), log(2).keyring(), both.clone()] {
        keyring.verify(checkpoint.clone().into()).unwrap();
        keyring.verify_current(checkpoint.clone().into()).unwrap();
    }
    assert!(log(3).keyring().verify(checkpoint.clone().into()).is_err());

    // An older checkpoint is fine as history, not as the present.
    let old = log(1).sign(2, [8; 32], TIME).unwrap();
    both.verify(old.clone().into()).unwrap();
    let refused = both.verify_current(old.into());
    assert!(matches!(refused, Err(Error::BadSignature { .. })));

    // Half of each generation is none.
    assert!(both.verify(with_lines(&checkpoint, &[0, 3])).is_err());
    assert!(both.verify(with_lines(&checkpoint, &[1, 2])).is_err());
    both.verify(with_lines(&checkpoint, &[2, 3])).unwrap();
    assert!(
        both.verify_current(with_lines(&checkpoint, &[2, 3]))
            .is_err()
    );
}

#[test]
fn a_bad_signature_of_an_older_key_refuses_the_note() {
    let good = overlap(2, 1).sign(3, [9; 32], TIME).unwrap();
    let other = overlap(2, 1).sign(4, [9; 32], TIME).unwrap();
    let bad_line = other.as_str().lines().last().unwrap().to_owned();
    let note = format!("{}{bad_line}\n", with_lines(&good, &[0, 1, 2]));
    for outcome in [
        overlap(2, 1).keyring().verify(unverified(&note)),
        overlap(2, 1).keyring().verify_current(unverified(&note)),
        log(1).keyring().verify(unverified(&note)),
    ] {
        assert!(matches!(outcome, Err(Error::BadSignature { .. })));
    }
    // Whoever does not know that key ignores its line.
    log(2).keyring().verify(unverified(&note)).unwrap();
}

#[test]
fn keys_rotate_and_retire() {
    let old = log(1);
    let both = old.rotated().unwrap();
    assert_eq!(both.keys().len(), 4);
    assert_eq!(both.name(), NAME);
    let new = both.retired().unwrap();
    assert_eq!(new.keyring().current(), both.keyring().current());
    assert!(new.keyring().keys().count() == 2 && new.keyring() != old.keyring());

    let published = new.keyring().with_older(&both.keyring()).unwrap();
    assert_eq!(published, both.keyring());
    let first = old.sign(1, [1; 32], TIME).unwrap();
    published.verify(first.into()).unwrap();

    let four = both.rotated().unwrap().rotated().unwrap();
    four.sign(1, [1; 32], TIME).unwrap();
    let refused = four.rotated().unwrap_err();
    assert!(
        refused.to_string().contains("four generations"),
        "{refused}"
    );
    assert!(refused.hint().unwrap().contains("retire"));
}

#[test]
fn keyrings_of_another_log_or_that_overlap_in_part_do_not_merge() {
    let other = LogKeys::generate("agency.example/other", &[9; 32]).unwrap();
    let refused = log(1).keyring().with_older(&other.keyring()).unwrap_err();
    assert!(refused.to_string().contains("differ in name"), "{refused}");

    let ed25519 = Keyring::from(log(1).keys()[0].verifier());
    assert!(log(1).keyring().with_older(&ed25519).is_err());
    let ml_dsa = Keyring::from(log(2).keys()[1].verifier());
    assert!(log(1).keyring().with_older(&ml_dsa).is_err());
    // It would join the Ed25519 key, and then both had to sign.
    assert!(ed25519.with_older(&ml_dsa).is_err());
    let grown = log(2).keyring().with_older(&ed25519).unwrap();
    assert_eq!(grown.to_string().lines().count(), 3);
    assert_eq!(grown.to_string().parse::<Keyring>().unwrap(), grown);
}

#[test]
fn a_single_key_is_a_keyring() {
    let checkpoint = log(1).sign(3, [9; 32], TIME).unwrap();
    for key in log(1).keys() {
        let keyring = Keyring::from(key.verifier());
        assert_eq!(
            key.verifier().to_string().parse::<Keyring>().unwrap(),
            keyring
        );
        keyring.verify_current(checkpoint.clone().into()).unwrap();
        Trust::verify(&key.verifier(), checkpoint.clone().into()).unwrap();
        let verified = unverified(checkpoint.as_str()).verify(&keyring).unwrap();
        let is_timed = key.algorithm() == Algorithm::MlDsa44;
        assert_eq!(verified.timestamp(), is_timed.then_some(TIME));
    }
}

#[test]
fn texts_that_are_no_keyring_are_refused_and_say_why() {
    let line = |seed: u8, place: usize| format!("{}\n", log(seed).keys()[place].verifier());
    let key = |name, algorithm| {
        SigningKey::generate(name, algorithm, [5; 32])
            .unwrap()
            .verifier()
    };
    let twin = format!(
        "{}\n{}\n",
        key(NAME, Algorithm::Ed25519),
        key(NAME, Algorithm::Ed25519Cosignature)
    );
    let cases = [
        (String::new(), "malformed verifier key"),
        ("\n".into(), "malformed verifier key"),
        (format!("{}\n", line(1, 0)), "malformed verifier key"),
        (line(1, 0).replace('\n', "\r\n"), "malformed verifier key"),
        (format!("{}{}", line(1, 0), line(1, 0)), "are one key"),
        (twin, "are one key"),
        (format!("{}{}", line(1, 1), line(2, 1)), "does not follow"),
        (
            format!("{}{}{}", line(1, 0), line(1, 1), line(2, 1)),
            "does not follow",
        ),
        (
            format!("{}{}\n", line(1, 0), key("b", Algorithm::MlDsa44)),
            "differ in name",
        ),
    ];
    for (text, expected) in cases {
        let refused = text.parse::<Keyring>().unwrap_err();
        assert!(refused.to_string().contains(expected), "{text}: {refused}");
        if matches!(refused, Error::Keys { .. }) {
            assert!(refused.hint().is_some());
        }
    }
}

#[test]
fn keys_that_cannot_sign_for_a_log_are_refused() {
    let [ed25519, ml_dsa] = [0, 1].map(|place| log(1).keys()[place].clone());
    let cases: [&[SigningKey]; 5] = [
        &[],
        std::slice::from_ref(&ed25519),
        &[ml_dsa.clone(), ed25519.clone()],
        &[ed25519.clone(), ed25519.clone()],
        &[
            ed25519.clone(),
            ml_dsa.clone(),
            ed25519.clone(),
            ml_dsa.clone(),
        ],
    ];
    for keys in cases {
        let refused = LogKeys::from_keys(keys.to_vec());
        assert!(matches!(refused, Err(Error::Keys { .. })), "{keys:?}");
    }
}

#[test]
fn another_origin_is_refused_before_any_signature() {
    let other = LogKeys::generate("agency.example/other", &[1; 32]).unwrap();
    let checkpoint = other.sign(1, [1; 32], TIME).unwrap();
    let refused = log(1).keyring().verify(checkpoint.into()).unwrap_err();
    assert!(matches!(refused, Error::WrongOrigin { .. }));
    assert!(refused.to_string().contains("agency.example/other"));
}

#[test]
fn a_time_or_a_size_that_cannot_be_signed_is_refused() {
    assert!(matches!(
        log(1).sign(1, [1; 32], 0),
        Err(Error::Time { .. })
    ));
    assert!(matches!(
        log(1).sign(1, [1; 32], u64::MAX),
        Err(Error::Time { .. })
    ));
    assert!(matches!(
        log(1).sign(1 << 56, [1; 32], 1),
        Err(Error::Malformed { .. })
    ));
}

#[test]
fn cosignatures_are_appended_once_and_leave_the_rest_as_it_is() {
    let checkpoint = log(1).sign(3, [9; 32], TIME).unwrap();
    let witness = |name, algorithm| SigningKey::generate(name, algorithm, [5; 32]).unwrap();
    let lines: String = [
        witness("w.example/1", Algorithm::MlDsa44),
        witness("w.example/2", Algorithm::Ed25519Cosignature),
    ]
    .iter()
    .map(|key| cosign(key, &checkpoint.clone().into(), TIME + 1).unwrap())
    .collect();
    let cosigned = checkpoint.with_cosignatures(&lines).unwrap();
    assert_eq!(cosigned.as_str(), format!("{checkpoint}{lines}"));
    assert_eq!(cosigned.timestamp(), Some(TIME));
    assert_eq!(cosigned.with_cosignatures(&lines).unwrap(), cosigned);
    assert_eq!(checkpoint.with_cosignatures("").unwrap(), checkpoint);
    assert_eq!(
        checkpoint.with_cosignatures(lines.trim_end()).unwrap(),
        cosigned
    );
    log(1).keyring().verify(cosigned.into()).unwrap();

    for wrong in [
        "\n",
        "x\n",
        "— w.example/1 AAAA\n",
        &lines.replace('\n', "\n\n"),
    ] {
        let refused = checkpoint.with_cosignatures(wrong);
        assert!(matches!(refused, Err(Error::Malformed { .. })), "{wrong:?}");
    }
    let own = checkpoint.as_str().lines().last().unwrap();
    let refused = checkpoint.with_cosignatures(own).unwrap_err();
    assert!(
        refused.to_string().contains("of the log itself"),
        "{refused}"
    );
}

#[test]
fn sixteen_ml_dsa_44_signatures_fit_and_a_note_over_64_kib_does_not() {
    let mut checkpoint = log(1).sign(3, [9; 32], TIME).unwrap();
    for number in 0..14 {
        let name = format!("witness.example.com/number-{number}");
        let key = SigningKey::generate(&name, Algorithm::MlDsa44, [number; 32]).unwrap();
        let line = cosign(&key, &checkpoint.clone().into(), TIME).unwrap();
        checkpoint = checkpoint.with_cosignatures(&line).unwrap();
    }
    assert_eq!(checkpoint.as_str().lines().count(), 4 + 16);
    log(1).keyring().verify(checkpoint.clone().into()).unwrap();

    let line = checkpoint.as_str().lines().last().unwrap();
    let more = |count: u32| (0..count).map(|n| line.replace("number", &n.to_string()) + "\n");
    let refused = checkpoint.with_cosignatures(&more(8).collect::<String>());
    assert!(refused.unwrap_err().to_string().contains("64 KiB"));
}

#[test]
fn every_flipped_byte_of_a_signed_checkpoint_is_refused_or_in_a_line_that_is_ignored() {
    let checkpoint = log(1).sign(3, [9; 32], TIME).unwrap();
    let keyring = log(1).keyring();
    let bytes = checkpoint.as_str().as_bytes();
    for position in 0..bytes.len() {
        for flip in [0x01, 0x20] {
            let mut flipped = bytes.to_vec();
            flipped[position] ^= flip;
            let outcome =
                UnverifiedCheckpoint::parse(&flipped).and_then(|note| keyring.verify(note));
            assert!(outcome.is_err(), "byte {position} with {flip}");
        }
    }
    // Of a witness that is not known, the line may be anything.
    let witness =
        SigningKey::generate("w.example", Algorithm::Ed25519Cosignature, [5; 32]).unwrap();
    let line = cosign(&witness, &checkpoint.clone().into(), TIME).unwrap();
    let note = checkpoint.with_cosignatures(&line).unwrap();
    for position in bytes.len()..note.as_str().len() {
        let mut flipped = note.as_str().as_bytes().to_vec();
        flipped[position] ^= 1;
        if let Ok(parsed) = UnverifiedCheckpoint::parse(&flipped) {
            assert_eq!(keyring.verify(parsed).unwrap().size(), 3);
        }
    }
}

#[test]
fn extension_lines_are_covered_by_the_ed25519_signature() {
    let checkpoint = log(1).sign(3, [9; 32], TIME).unwrap();
    let extended = checkpoint.as_str().replacen("\n\n", "\nextension\n\n", 1);
    let refused = log(1).keyring().verify(unverified(&extended));
    assert!(matches!(refused, Err(Error::BadSignature { .. })));
}

#[test]
fn a_log_that_states_no_time_with_ml_dsa_44_is_verified_without_one() {
    // Some logs do so: the specification lets a signer of subtrees state no time.
    // See `vectors/cosignatures.mjs`.
    let note = include_str!("vectors/untimed.checkpoint");
    let vkey = include_str!("vectors/cosignatures.vkeys").lines().nth(1);
    let keyring: Keyring = vkey.unwrap().parse().unwrap();
    let checkpoint = keyring.verify(unverified(note)).unwrap();
    assert_eq!(checkpoint.timestamp(), None);

    // A witness has to state one.
    let line = note.lines().last().unwrap();
    let refused = verify_cosignature(&keyring.current()[0], &checkpoint.into(), line);
    assert!(matches!(refused, Err(Error::BadSignature { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_keyring_prints_and_parses_to_itself(seeds in prop::collection::btree_set(any::<u8>(), 1..5)) {
        let rings: Vec<Keyring> = seeds.iter().map(|seed| log(*seed).keyring()).collect();
        let mut ring = rings[0].clone();
        for older in &rings[1..] {
            ring = ring.with_older(older).unwrap();
        }
        let text = ring.to_string();
        prop_assert_eq!(text.parse::<Keyring>().unwrap(), ring.clone());
        prop_assert_eq!(text.trim_end().parse::<Keyring>().unwrap(), ring.clone());
        prop_assert_eq!(ring.keys().count(), 2 * seeds.len());
        prop_assert_eq!(ring.current(), rings[0].current());
        for seed in seeds {
            let checkpoint = log(seed).sign(1, [seed; 32], TIME).unwrap();
            prop_assert!(ring.verify(checkpoint.into()).is_ok());
        }
    }
}
