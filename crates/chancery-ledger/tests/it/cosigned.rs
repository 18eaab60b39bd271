//! With witnesses, nothing is published that they have not cosigned, whichever way it came to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chancery_ledger::{
    Algorithm, Checkpoint, Cosigner, Error, Ledger, Parts, Policy, SigningKey, cosign, repair,
};

use crate::disk::Disk;
use crate::tree::ledger_of;
use crate::{NOW, check, entry, keyring, open, parts};

/// A witness that needs no network, and that can be away.
#[derive(Clone)]
struct Nearby {
    key: SigningKey,
    is_away: Arc<AtomicBool>,
}

impl Nearby {
    fn new() -> Self {
        let key = SigningKey::generate("witness.example/w1", Algorithm::MlDsa44, [9; 32]);
        Self {
            key: key.unwrap(),
            is_away: Arc::default(),
        }
    }

    fn policy(&self) -> Policy {
        let text = format!("witness w1 {}\nquorum w1\n", self.key.verifier());
        Policy::parse(text.as_bytes()).unwrap()
    }

    fn parts(&self, disk: &Disk, time: u64) -> Parts {
        Parts {
            cosigner: Some(Box::new(self.clone())),
            clock: Box::new(move || time),
            ..parts(disk)
        }
    }
}

impl Cosigner for Nearby {
    fn cosign(
        &self,
        checkpoint: &Checkpoint,
        _: &dyn Fn(u64) -> Result<Vec<[u8; 32]>, Error>,
    ) -> Result<Checkpoint, Error> {
        let missing = match self.policy().check_quorum(&checkpoint.clone().into()) {
            Ok(()) => return Ok(checkpoint.clone()),
            Err(missing) => missing,
        };
        if self.is_away.load(Ordering::SeqCst) {
            return Err(missing);
        }
        let line = cosign(&self.key, &checkpoint.clone().into(), NOW)?;
        checkpoint.with_cosignatures(&line)
    }

    fn look(
        &self,
        _: &Checkpoint,
        _: &dyn Fn(u64) -> Result<Vec<[u8; 32]>, Error>,
    ) -> Result<(), Error> {
        Ok(())
    }
}

#[track_caller]
fn expect_cosigned(witness: &Nearby, disk: &Disk) {
    let note = disk.file("checkpoint").unwrap();
    let note = chancery_ledger::UnverifiedCheckpoint::parse(&note).unwrap();
    witness.policy().check_quorum(&note).unwrap();
    assert!(check(disk).is_sound());
}

#[test]
fn every_checkpoint_from_the_first_on_is_cosigned() {
    let (disk, witness) = (Disk::default(), Nearby::new());
    let mut ledger = Ledger::create(witness.parts(&disk, NOW)).unwrap();
    expect_cosigned(&witness, &disk);
    let receipt = ledger.append(&entry(0)).unwrap();
    assert!(receipt.proof().to_string().contains("witness.example/w1"));
    expect_cosigned(&witness, &disk);
    drop(ledger);
    Ledger::open(witness.parts(&disk, NOW + 60))
        .unwrap()
        .refresh()
        .unwrap();
    expect_cosigned(&witness, &disk);
}

#[test]
fn a_log_that_had_no_witnesses_gets_their_cosignatures_before_anything_else() {
    let (disk, witness) = (ledger_of(&[3]), Nearby::new());
    witness.is_away.store(true, Ordering::SeqCst);
    let refused = Ledger::open(witness.parts(&disk, NOW)).err().unwrap();
    assert!(matches!(refused, Error::NoQuorum { .. }), "{refused}");
    witness.is_away.store(false, Ordering::SeqCst);
    Ledger::open(witness.parts(&disk, NOW)).unwrap();
    expect_cosigned(&witness, &disk);
}

#[test]
fn an_entry_without_a_quorum_is_published_once_there_is_one() {
    let (disk, witness) = (Disk::default(), Nearby::new());
    let mut ledger = Ledger::create(witness.parts(&disk, NOW)).unwrap();
    witness.is_away.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let refused = ledger.append(&entry(0)).unwrap_err();
        assert!(matches!(refused, Error::NoQuorum { .. }), "{refused}");
        assert_eq!(ledger.size(), 0);
    }
    assert!(check(&disk).is_unfinished());
    // The log stays open: the same writer goes on when the witness is back.
    witness.is_away.store(false, Ordering::SeqCst);
    assert_eq!(ledger.append(&entry(1)).unwrap().index(), 1);
    expect_cosigned(&witness, &disk);
}

#[test]
fn a_checkpoint_that_was_repaired_is_cosigned_before_anything_else() {
    let (disk, witness) = (Disk::default(), Nearby::new());
    let mut ledger = Ledger::create(witness.parts(&disk, NOW)).unwrap();
    ledger.append(&entry(0)).unwrap();
    drop(ledger);
    disk.put("checkpoint", b"damaged");
    assert!(open(&disk).is_err());
    let done = repair(&disk.folder(), &disk, &keyring()).unwrap();
    assert!(
        done.iter()
            .any(|repair| repair.file.ends_with("checkpoint"))
    );
    witness.is_away.store(true, Ordering::SeqCst);
    assert!(Ledger::open(witness.parts(&disk, NOW)).is_err());
    witness.is_away.store(false, Ordering::SeqCst);
    Ledger::open(witness.parts(&disk, NOW)).unwrap();
    expect_cosigned(&witness, &disk);
}
