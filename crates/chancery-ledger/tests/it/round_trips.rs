//! Parsers against arbitrary input: what is parsed prints as it was, and nothing panics.

use chancery_ledger::{
    Algorithm, InclusionProof, SigningKey, UnverifiedCheckpoint, VerifierKey, parse_bundle,
    verify_proof, write_bundle,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::keys;

/// A checkpoint note of any content, with a signature that need not verify.
fn note() -> impl Strategy<Value = String> {
    (0_u64..1 << 56, any::<[u8; 32]>(), vec("[a-z]{1,9}", 0..3)).prop_map(|(size, root, more)| {
        let extensions = more
            .iter()
            .fold(String::new(), |lines, line| lines + line + "\n");
        let signature = base64(&[&[1; 4], [2; 64].as_slice()].concat());
        let (name, root) = ("agency.example/ledger", base64(&root));
        format!("{name}\n{size}\n{root}\n{extensions}\n— {name} {signature}\n")
    })
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes)
}

fn proof() -> impl Strategy<Value = InclusionProof> {
    let extra = proptest::option::of(vec(any::<u8>(), 0..40));
    (extra, any::<u64>(), vec(any::<[u8; 32]>(), 0..20), note()).prop_map(
        |(extra, index, hashes, note)| {
            let checkpoint = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap();
            InclusionProof {
                extra,
                index,
                hashes,
                checkpoint,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_checkpoint_prints_as_it_was_parsed(note in note()) {
        let parsed = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap();
        prop_assert_eq!(parsed.to_string(), note);
    }

    #[test]
    fn a_proof_prints_and_parses_to_itself(proof in proof()) {
        let text = proof.to_string();
        let parsed: InclusionProof = text.parse().unwrap();
        prop_assert_eq!(parsed.to_string(), text);
        prop_assert_eq!(parsed, proof);
    }

    #[test]
    fn a_proof_with_a_piece_replaced_is_refused_or_prints_as_it_is(
        proof in proof(), at in any::<prop::sample::Index>(), piece in "[ -~\n]{0,4}",
    ) {
        let mut text = proof.to_string();
        let cuts: Vec<usize> = text.char_indices().map(|(position, _)| position).collect();
        text.insert_str(*at.get(&cuts), &piece);
        if let Ok(parsed) = text.parse::<InclusionProof>() {
            prop_assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_parsed_without_panic(text in any::<String>(), bytes in vec(any::<u8>(), 0..400)) {
        let _ = text.parse::<VerifierKey>();
        let _ = verify_proof(&text, &bytes, &keys().keyring());
        let _ = verify_proof(&format!("c2sp.org/tlog-proof@v1\nindex 0\n{text}"), &bytes, &keys().keyring());
        let _ = UnverifiedCheckpoint::parse(&bytes);
        if let Ok(entries) = parse_bundle(&bytes) {
            prop_assert_eq!(write_bundle(&entries).unwrap(), bytes);
        }
    }

    #[test]
    fn a_bundle_parses_to_what_was_written(entries in vec(vec(any::<u8>(), 0..300), 0..20)) {
        let bundle = write_bundle(&entries).unwrap();
        prop_assert_eq!(parse_bundle(&bundle).unwrap(), entries);
        for cut in 1..bundle.len().min(3) {
            // A cut that falls between two entries is a shorter bundle, which fsck counts.
            let _ = parse_bundle(&bundle[..bundle.len() - cut]);
        }
    }

    #[test]
    fn a_verifier_key_prints_and_parses_to_itself(seed in any::<[u8; 32]>(), name in "[a-z./0-9é]{1,20}") {
        let key = SigningKey::generate(&name, Algorithm::Ed25519, seed).unwrap().verifier();
        let line = key.to_string();
        prop_assert_eq!(line.parse::<VerifierKey>().unwrap(), key.clone());
        // One key has one spelling: the key id is in lower case.
        let id = key.key_id();
        if id != id.to_uppercase() {
            prop_assert!(line.replacen(&id, &id.to_uppercase(), 1).parse::<VerifierKey>().is_err());
        }
    }
}
