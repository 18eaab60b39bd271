//! The register of who was in which release.
//!
//! Every release leaves a record: whom it was about, by pseudonym, and what left about them. The
//! records together are the register, which answers "in which releases was this person?" from the
//! disk, without loading it; and each commits to one root, which the release's entry in the ledger
//! carries, so that a person's presence *and absence* can be shown to whoever has the ledger's keys.
//!
//! ```
//! use chancery_register::{Committed, Listed, Person, Register, SecretKey};
//! # let folder = tempfile::tempdir().unwrap();
//! # let (index, path) = (folder.path().join("index"), folder.path().join("record"));
//! let key = SecretKey::derive(&[7; 32])?;
//! let elements = vec!["address".to_owned(), "phone".to_owned()];
//!
//! let before = Register::open(&index, &[])?;
//! let mut recording = before.record(&key, "2026-01-10-dhs-ice-1", &path, vec![elements], 2)?;
//! let mut people = recording.origin("06")?;
//! people.add("CA900123456", 0)?;
//! people.finish()?;
//! let recorded = recording.finish()?;
//!
//! let release = "2026-01-10-dhs-ice-1".to_owned();
//! let listed = Listed { release, people: Some(recorded), record: path };
//! let register = Register::open(&index, &[listed])?;
//! let (ana, ben) = (Person::new("06", "CA900123456").unwrap(), Person::new("06", "CA900123457").unwrap());
//! let keys = [key];
//! assert_eq!(register.find(&keys, &ana)?.presences[0].elements, ["address", "phone"]);
//! assert!(register.find(&keys, &ben)?.presences.is_empty());
//!
//! // What Ben is shown, he checks against the entry in the ledger.
//! let committed = Committed { release: "2026-01-10-dhs-ice-1", root: recorded.root, key: recorded.key };
//! let (pseudonym, proof) = register.prove(&keys, &ben, committed.release)?;
//! assert_eq!(proof.check(&committed, &ben, &pseudonym), Ok(None));
//! // It says nothing of Ana.
//! assert!(proof.check(&committed, &ana, &pseudonym).is_err());
//! # Ok::<(), chancery_register::Error>(())
//! ```

mod bitmap;
mod commitment;
mod error;
mod key;
mod map;
mod person;
mod proof;
mod record;
mod recording;
mod register;
mod segment;
mod tree;
mod trie;

pub use commitment::Buckets;
pub use error::Error;
pub use key::{PseudonymProof, PublicKey, SecretKey};
pub use person::Person;
pub use proof::{BucketProof, Committed, Found, Other, ReleaseProof, Unproven};
pub use recording::{People, Recorded, Recording};
pub use register::{Answer, Count, Listed, Presence, Register};
