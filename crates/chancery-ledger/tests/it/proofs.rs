//! A proof shows one entry at one index in one signed tree, and nothing else.

use chancery_ledger::{Error, InclusionProof, LogKeys, verify_proof};

use crate::tree::ledger_of;
use crate::{entry, keyring, reader};

fn proof_of(size: u64, index: u64) -> String {
    let proof = reader(&ledger_of(&[size])).prove(index);
    proof.unwrap().to_string()
}

#[test]
fn a_proof_with_any_bit_flipped_is_refused() {
    let proof = proof_of(5, 2);
    verify_proof(&proof, &entry(2), &keyring()).unwrap();
    for position in 0..proof.len() {
        let mut bytes = proof.clone().into_bytes();
        bytes[position] ^= 1 << (position % 7);
        // What is not text never reaches the parser.
        if let Ok(flipped) = String::from_utf8(bytes) {
            let outcome = verify_proof(&flipped, &entry(2), &keyring());
            assert!(outcome.is_err(), "position {position}:\n{flipped}");
        }
    }
}

#[test]
fn another_entry_is_refused() {
    let proof = proof_of(300, 270);
    let mut wrong = vec![
        entry(271),
        entry(0),
        Vec::new(),
        [entry(270), vec![0]].concat(),
    ];
    wrong.extend((0..entry(270).len()).map(|position| {
        let mut entry = entry(270);
        entry[position] ^= 1;
        entry
    }));
    for entry in wrong {
        let outcome = verify_proof(&proof, &entry, &keyring());
        assert!(matches!(outcome, Err(Error::NotProven { .. })), "{entry:?}");
    }
}

#[test]
fn a_proof_with_hashes_moved_dropped_or_added_is_refused() {
    let proof: InclusionProof = proof_of(300, 270).parse().unwrap();
    let refused = |change: &dyn Fn(&mut InclusionProof)| {
        let mut changed = proof.clone();
        change(&mut changed);
        let outcome = verify_proof(&changed.to_string(), &entry(270), &keyring());
        assert!(matches!(outcome, Err(Error::NotProven { .. })), "{changed}");
    };
    for position in 0..proof.hashes.len() {
        refused(&|proof| {
            proof.hashes.remove(position);
        });
        refused(&|proof| proof.hashes.insert(position, [0; 32]));
    }
    refused(&|proof| proof.hashes.swap(0, 1));
    refused(&|proof| proof.hashes.clear());
    for index in [0, 14, 269, 271, 299, 300, u64::MAX] {
        refused(&|proof| proof.index = index);
    }
}

#[test]
fn a_proof_under_another_key_or_name_is_refused() {
    let proof = proof_of(3, 1);
    let other_key = LogKeys::generate("agency.example/ledger", &[8; 32]).unwrap();
    let outcome = verify_proof(&proof, &entry(1), &other_key.keyring());
    assert!(matches!(outcome, Err(Error::BadSignature { .. })));
    let other_name = LogKeys::generate("agency.example/other", &[7; 32]).unwrap();
    let outcome = verify_proof(&proof, &entry(1), &other_name.keyring());
    assert!(matches!(outcome, Err(Error::WrongOrigin { .. })));
}

#[test]
fn signatures_of_unknown_witnesses_are_ignored_and_a_bad_own_one_is_not() {
    let proof = proof_of(3, 1);
    let line = proof.lines().last().unwrap().to_owned();
    let witness = line.replace("agency.example/ledger", "witness.example/w1");
    let witnessed = format!("{proof}{}", format!("{witness}\n").repeat(16));
    verify_proof(&witnessed, &entry(1), &keyring()).unwrap();

    let only_witnessed = proof.replace(&line, &witness);
    let outcome = verify_proof(&only_witnessed, &entry(1), &keyring());
    assert!(matches!(outcome, Err(Error::BadSignature { .. })));
}

#[test]
fn extra_data_is_carried_and_not_trusted() {
    let mut proof: InclusionProof = proof_of(3, 1).parse().unwrap();
    proof.extra = Some(b"context".to_vec());
    let text = proof.to_string();
    assert!(
        text.starts_with("c2sp.org/tlog-proof@v1\nextra Y29udGV4dA==\nindex 1\n"),
        "{text}"
    );
    assert_eq!(text.parse::<InclusionProof>().unwrap(), proof);
    verify_proof(&text, &entry(1), &keyring()).unwrap();
}

#[test]
fn texts_that_are_almost_proofs_are_refused() {
    let proof = proof_of(3, 1);
    let wrong = [
        String::new(),
        proof.replace("@v1", "@v2"),
        proof.replace("index 1", "index 01"),
        proof.replace("index 1", "index +1"),
        proof.replace("index 1\n", ""),
        proof.replace("index 1\n", "index 1\n\n"),
        proof.replace("index 1\n", "index 1\nextra AA==\n"),
        proof.replace("index 1\n", "extra A\nindex 1\n"),
        proof.replace('\n', "\r\n"),
        format!("{proof}\n"),
        proof.trim_end().to_owned(),
        proof.replace(
            "index 1\n",
            &format!("index 1\n{}", format!("{}=\n", "A".repeat(43)).repeat(70)),
        ),
    ];
    for text in wrong {
        let outcome = verify_proof(&text, &entry(1), &keyring());
        assert!(matches!(outcome, Err(Error::Malformed { .. })), "{text}");
    }
}
