//! Policies: `c2sp.org/tlog-policy` line by line, and what checkpoints they let pass.

use chancery_ledger::{
    Algorithm, Checkpoint, Error, LogKeys, Policy, SigningKey, UnverifiedCheckpoint, VerifierKey,
    cosign, verify_proof,
};
use proptest::prelude::*;

use Algorithm::{Ed25519, Ed25519Cosignature, MlDsa44};

const TIME: u64 = 1_790_000_000;

fn log() -> LogKeys {
    LogKeys::generate("agency.example/ledger", &[1; 32]).unwrap()
}

fn witness(number: u8) -> SigningKey {
    let algorithm = if number.is_multiple_of(2) {
        MlDsa44
    } else {
        Ed25519Cosignature
    };
    SigningKey::generate(
        &format!("w.example/{number}"),
        algorithm,
        [100 + number; 32],
    )
    .unwrap()
}

fn vkey(number: u8) -> VerifierKey {
    witness(number).verifier()
}

/// A checkpoint that the log and these witnesses have signed.
fn cosigned(witnesses: &[u8]) -> UnverifiedCheckpoint {
    let checkpoint = log().sign(3, [9; 32], TIME).unwrap();
    with_witnesses(&checkpoint, witnesses)
}

fn with_witnesses(checkpoint: &Checkpoint, witnesses: &[u8]) -> UnverifiedCheckpoint {
    let lines: String = witnesses
        .iter()
        .map(|number| cosign(&witness(*number), &checkpoint.clone().into(), TIME + 7).unwrap())
        .collect();
    checkpoint.with_cosignatures(&lines).unwrap().into()
}

/// The log, witnesses 0 to 5 as `X0` to `X5`, and then `rest`.
fn policy(rest: &str) -> Policy {
    policy_text(rest).parse().unwrap()
}

fn policy_text(rest: &str) -> String {
    let mut text = format!("log {}\n", log().keys()[0].verifier());
    for number in 0..6 {
        text += &format!("witness X{number} {}\n", vkey(number));
    }
    text + rest
}

/// Which of the witnesses' cosignatures pass.
fn passes(policy: &Policy, witnesses: &[u8]) -> bool {
    let outcome = policy.check(&cosigned(witnesses));
    if let Err(problem) = &outcome {
        assert!(matches!(problem, Error::NoQuorum { .. }), "{problem}");
    }
    outcome.is_ok()
}

#[test]
fn the_example_of_the_specification_asks_for_two_of_three_and_one_of_three() {
    let policy = policy(
        "\ngroup X-witnesses 2 X0 X1 X2\n\ngroup Y-witnesses any X3 X4 X5\n\n\
         group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n",
    );
    for (witnesses, expected) in [
        (&[][..], false),
        (&[0, 1], false),
        (&[0, 1, 2], false),
        (&[3, 4, 5], false),
        (&[0, 3, 4, 5], false),
        (&[0, 1, 3], true),
        (&[5, 2, 1], true),
        (&[0, 1, 2, 3, 4, 5], true),
    ] {
        assert_eq!(passes(&policy, witnesses), expected, "{witnesses:?}");
    }
    let refused = policy.check(&cosigned(&[0, 3])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the quorum `X-and-Y` has not cosigned: `X1`, `X2`, `X4`, `X5` did not"
    );
    assert!(refused.hint().is_some());
}

#[test]
fn every_kind_of_quorum_counts_as_written() {
    for (rest, witnesses, expected) in [
        ("quorum none\n", &[][..], true),
        ("quorum X2\n", &[2], true),
        ("quorum X2\n", &[1, 3], false),
        ("group g all X0 X1\nquorum g\n", &[0], false),
        ("group g all X0 X1\nquorum g\n", &[0, 1], true),
        ("group g any X0 X1\nquorum g\n", &[1], true),
        ("group g any X0 X1\nquorum g\n", &[2], false),
        ("group g 1 X0\nquorum g\n", &[0], true),
        ("group g 3 X0 X1 X2 X3\nquorum g\n", &[0, 3], false),
        ("group g 3 X0 X1 X2 X3\nquorum g\n", &[0, 3, 1], true),
        // A group may have the name of a keyword, and a quorum be a member, too.
        ("group all all X0\nquorum all\n", &[0], true),
        (
            "group g any X0 X1\ngroup h any g X2\nquorum g\n",
            &[2],
            false,
        ),
        ("group g any X0 X1\nquorum X1\n", &[1], true),
    ] {
        assert_eq!(
            passes(&policy(rest), witnesses),
            expected,
            "{rest} {witnesses:?}"
        );
    }
    assert!(!policy("quorum none\n").asks_for_witnesses());
    assert!(policy("quorum X1\n").asks_for_witnesses());
}

#[test]
fn a_witness_counts_once_however_often_it_signs() {
    let policy = policy("group g 2 X0 X1 X2\nquorum g\n");
    let checkpoint = log().sign(3, [9; 32], TIME).unwrap();
    let lines: String = (1..6)
        .map(|later| cosign(&witness(0), &checkpoint.clone().into(), TIME + later).unwrap())
        .collect();
    let often = checkpoint.with_cosignatures(&lines).unwrap().into();
    assert!(matches!(policy.check(&often), Err(Error::NoQuorum { .. })));
    let cosigners = policy.cosigners(&often).unwrap();
    assert_eq!(cosigners.len(), 1);
    assert_eq!(
        (cosigners[0].0.name.as_str(), cosigners[0].1),
        ("X0", TIME + 5)
    );
}

#[test]
fn a_policy_gives_out_what_it_lists() {
    let text = format!(
        "# a comment\n \t # another\n\n\t\nlog\t{}   https://log.example/\t \n  witness  W {} \
         https://w.example/p\nquorum W\n",
        log().keys()[1].verifier(),
        vkey(2),
    );
    let policy: Policy = text.parse().unwrap();
    assert_eq!(policy.logs().len(), 1);
    assert_eq!(policy.logs()[0].vkey, log().keys()[1].verifier());
    assert_eq!(
        policy.logs()[0].url.as_deref(),
        Some("https://log.example/")
    );
    let [witness] = policy.witnesses() else {
        panic!()
    };
    assert_eq!((witness.name.as_str(), &witness.vkey), ("W", &vkey(2)));
    assert_eq!(witness.url.as_deref(), Some("https://w.example/p"));
    let checkpoint = policy.check(&cosigned(&[2])).unwrap();
    assert_eq!(checkpoint.timestamp(), Some(TIME));
}

#[test]
fn the_keys_of_one_log_are_alternatives() {
    let [ed25519, ml_dsa] = [0, 1].map(|place| log().keys()[place].verifier());
    let both: Policy = format!("log {ed25519}\nlog {ml_dsa}\nquorum none\n")
        .parse()
        .unwrap();
    let checkpoint = log().sign(3, [9; 32], TIME).unwrap();
    let (body, lines) = checkpoint.as_str().rsplit_once("\n\n").unwrap();
    for (line, time) in lines.lines().zip([None, Some(TIME)]) {
        let half = format!("{body}\n\n{line}\n");
        let half = UnverifiedCheckpoint::parse(half.as_bytes()).unwrap();
        assert_eq!(both.check(&half).unwrap().timestamp(), time);
        // The keyring asks for both.
        assert!(log().keyring().verify(half).is_err());
    }
    let unsigned = lines.lines().next().unwrap().replace("agency", "another");
    let unsigned = format!("{body}\n\n{unsigned}\n");
    let refused = both.check(&UnverifiedCheckpoint::parse(unsigned.as_bytes()).unwrap());
    assert!(matches!(refused, Err(Error::BadSignature { .. })));
}

#[test]
fn a_log_that_is_not_listed_is_refused() {
    let other = LogKeys::generate("agency.example/other", &[1; 32]).unwrap();
    let checkpoint = other.sign(3, [9; 32], TIME).unwrap();
    let refused = policy("quorum none\n")
        .check(&checkpoint.into())
        .unwrap_err();
    assert!(matches!(refused, Error::WrongOrigin { .. }), "{refused}");
    // A listed key does not sign for another origin.
    let note = cosigned(&[]).as_str().replacen("agency", "another", 1);
    let refused =
        policy("quorum none\n").check(&UnverifiedCheckpoint::parse(note.as_bytes()).unwrap());
    assert!(matches!(refused, Err(Error::WrongOrigin { .. })));

    let empty: Policy = "quorum none\n".parse().unwrap();
    assert!(empty.logs().is_empty() && empty.witnesses().is_empty());
    assert!(empty.check(&cosigned(&[])).is_err());
    empty.check_quorum(&cosigned(&[])).unwrap();
}

#[test]
fn the_quorum_can_be_checked_apart_from_the_log() {
    let text = format!("witness W {}\nquorum W\n", vkey(1));
    let policy: Policy = text.parse().unwrap();
    policy.check_quorum(&cosigned(&[1])).unwrap();
    let refused = policy.check_quorum(&cosigned(&[2]));
    assert!(matches!(refused, Err(Error::NoQuorum { .. })));
    assert_eq!(policy.cosigners(&cosigned(&[2])).unwrap(), []);
}

#[test]
fn a_bad_signature_of_any_listed_key_refuses_the_checkpoint() {
    let policy = policy("quorum X0\n");
    let good = cosigned(&[0]);
    let of_another = with_witnesses(&log().sign(4, [8; 32], TIME).unwrap(), &[1]);
    let bad_line = of_another.as_str().lines().last().unwrap();
    let note = format!("{good}{bad_line}\n");
    let checkpoint = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap();
    for refused in [
        policy.check(&checkpoint).map(drop),
        policy.check_quorum(&checkpoint),
        policy.cosigners(&checkpoint).map(drop),
    ] {
        assert!(matches!(refused, Err(Error::BadSignature { .. })));
    }
}

#[test]
fn a_cosignature_without_a_time_does_not_count() {
    // See `vectors/cosignatures.mjs`.
    let vkeys = include_str!("vectors/cosignatures.vkeys");
    let note = include_str!("vectors/untimed.checkpoint");
    let checkpoint = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap();
    let key = vkeys.lines().nth(1).unwrap();
    let as_log: Policy = format!("log {key}\nquorum none\n").parse().unwrap();
    as_log.check(&checkpoint).unwrap();
    let as_witness: Policy = format!("witness W {key}\nquorum W\n").parse().unwrap();
    let refused = as_witness.check_quorum(&checkpoint);
    assert!(matches!(refused, Err(Error::NoQuorum { .. })));
    assert_eq!(as_witness.cosigners(&checkpoint).unwrap(), []);
}

#[test]
fn a_proof_is_verified_under_a_policy() {
    let root = chancery_root(b"entry");
    let checkpoint = log().sign(1, root, TIME).unwrap();
    let proof = |checkpoint: &UnverifiedCheckpoint| {
        format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{checkpoint}")
    };
    let policy = policy("group g 2 X0 X1 X2\nquorum g\n");
    let witnessed = proof(&with_witnesses(&checkpoint, &[0, 2]));
    assert_eq!(
        verify_proof(&witnessed, b"entry", &policy)
            .unwrap()
            .tree_size,
        1
    );
    verify_proof(&witnessed, b"entry", &log().keyring()).unwrap();
    let other = verify_proof(&witnessed, b"another", &policy);
    assert!(matches!(other, Err(Error::NotProven { .. })));
    let alone = proof(&with_witnesses(&checkpoint, &[0]));
    let refused = verify_proof(&alone, b"entry", &policy);
    assert!(matches!(refused, Err(Error::NoQuorum { .. })));
}

/// The root of a tree with one entry.
fn chancery_root(entry: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest([&[0], entry].concat()).into()
}

#[test]
fn each_wrong_line_is_named_with_its_number() {
    let key = |name: &str, algorithm, seed| {
        SigningKey::generate(name, algorithm, [seed; 32])
            .unwrap()
            .verifier()
    };
    let log_key = log().keys()[0].verifier();
    let same_as_log = SigningKey::generate("w", Ed25519, [70; 32])
        .unwrap()
        .verifier();
    let twin = key("twin", Ed25519Cosignature, 70);
    let cases = [
        ("nonsense\n".to_owned(), 8, "`nonsense` is none of"),
        ("LOG x\n".into(), 8, "`LOG` is none of"),
        ("log\n".into(), 8, "expected `log <vkey> [<url>]`"),
        (
            format!("log {} a b\n", key("l", Ed25519, 50)),
            8,
            "expected `log",
        ),
        ("log x+y\n".into(), 8, "malformed verifier key"),
        (format!("log {log_key}\n"), 8, "on line 1 already"),
        (format!("log {}\n", vkey(3)), 8, "on line 5 already"),
        (
            format!("\n\nlog {same_as_log}\nlog {twin}\n"),
            11,
            "on line 10 already",
        ),
        (format!("witness W {log_key}\n"), 8, "on line 1 already"),
        (format!("witness W {}\n", vkey(2)), 8, "on line 4 already"),
        (
            format!("witness W {}\n", key("w", Ed25519, 51)),
            8,
            "cannot cosign",
        ),
        (format!("witness none {}\n", vkey(9)), 8, "`none` is a name"),
        (
            format!("witness X1 {}\n", vkey(9)),
            8,
            "`X1` is on line 3 already",
        ),
        (
            "witness W\n".into(),
            8,
            "expected `witness <name> <vkey> [<url>]`",
        ),
        ("group\n".into(), 8, "expected `group"),
        ("group g all\n".into(), 8, "expected `group"),
        ("group g 0 X0 X1\n".into(), 8, "from 1 to 2"),
        ("group g 3 X0 X1\n".into(), 8, "from 1 to 2"),
        ("group g +1 X0 X1\n".into(), 8, "from 1 to 2"),
        ("group g -1 X0 X1\n".into(), 8, "from 1 to 2"),
        ("group g one X0 X1\n".into(), 8, "from 1 to 2"),
        (
            "group g 99999999999999999999999 X0\n".into(),
            8,
            "from 1 to 1",
        ),
        ("group g any X0 X9\n".into(), 8, "`X9` is no witness"),
        ("group g any g\n".into(), 8, "`g` is no witness"),
        ("group g any none\n".into(), 8, "`none` is no witness"),
        (
            "group g any X0 X0\n".into(),
            8,
            "`X0` is a member already, by line 8",
        ),
        (
            "group g any X0\ngroup h any X0\n".into(),
            9,
            "`X0` is a member already, by line 8",
        ),
        ("group X1 any X0\n".into(), 8, "`X1` is on line 3 already"),
        ("group none any X0\n".into(), 8, "`none` is a name"),
        ("quorum\n".into(), 8, "expected `quorum <name>`"),
        ("quorum X0 X1\n".into(), 8, "expected `quorum <name>`"),
        ("quorum g\ngroup g any X0\n".into(), 8, "`g` is no witness"),
        ("quorum X0\nquorum X0\n".into(), 9, "on line 8 already"),
        ("quorum none\nquorum none\n".into(), 9, "on line 8 already"),
        ("group g any X0\n".into(), 8, "no `quorum` line"),
        ("quorum X0".into(), 8, "no line end"),
        ("quorum X0\r\n".into(), 8, "control character"),
        ("quorum\u{b}X0\n".into(), 8, "control character"),
        ("# \u{7f}\nquorum X0\n".into(), 8, "control character"),
        // Only space and tab are whitespace.
        ("quorum\u{a0}X0\n".into(), 8, "is none of"),
    ];
    for (rest, number, expected) in cases {
        let refused = policy_text(&rest).parse::<Policy>().unwrap_err();
        let Error::Policy { line, problem } = &refused else {
            panic!("{rest:?}: {refused}");
        };
        assert_eq!(*line, number, "{rest:?}: {problem}");
        assert!(problem.contains(expected), "{rest:?}: {problem}");
        assert!(
            refused
                .to_string()
                .starts_with(&format!("line {number} of the policy: "))
        );
        assert!(refused.hint().is_some());
    }
    assert!("".parse::<Policy>().is_err());
    assert!(Policy::parse(&vec![b'\n'; 1024 * 1024 + 1]).is_err());
}

#[test]
fn names_and_comments_may_be_any_bytes() {
    let mut file = b"# caf\xe9 \xff\n".to_vec();
    file.extend(format!("witness K {}\nwitness \u{212a} {}\n", vkey(0), vkey(1)).bytes());
    file.extend(
        [
            b"witness \xff ".as_slice(),
            vkey(2).to_string().as_bytes(),
            b"\n",
        ]
        .concat(),
    );
    file.extend(b"group \xfe 2 K \xff\nquorum \xfe\n");
    let policy = Policy::parse(&file).unwrap();
    policy.check_quorum(&cosigned(&[0, 2])).unwrap();
    assert!(policy.check_quorum(&cosigned(&[0, 1])).is_err());
}

#[test]
fn a_long_chain_of_groups_is_followed_without_a_deep_stack() {
    let mut text = format!("witness W {}\ngroup g0 any W\n", vkey(1));
    for number in 1..20_000 {
        text += &format!("group g{number} any g{}\n", number - 1);
    }
    let policy: Policy = (text + "quorum g19999\n").parse().unwrap();
    policy.check_quorum(&cosigned(&[1])).unwrap();
    assert!(policy.check_quorum(&cosigned(&[2])).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_threshold_counts_distinct_listed_witnesses(
        threshold in 1_usize..=6, signers in prop::collection::btree_set(0_u8..9, 0..9),
    ) {
        let policy = policy(&format!("group g {threshold} X0 X1 X2 X3 X4 X5\nquorum g\n"));
        let signers: Vec<u8> = signers.into_iter().collect();
        let listed = signers.iter().filter(|number| **number < 6).count();
        prop_assert_eq!(passes(&policy, &signers), listed >= threshold);
    }

    #[test]
    fn a_policy_that_was_cut_never_passes(cut in any::<prop::sample::Index>()) {
        let whole = policy_text("group g 2 X0 X1 X2\nquorum g\n");
        // A cut in the middle of a line, or before the quorum.
        let short = &whole[..cut.index(whole.len())];
        prop_assert!(short.parse::<Policy>().is_err());
    }
}
