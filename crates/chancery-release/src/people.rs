//! Who a release is about: its record for the register, and the register over all releases.

use std::path::{Path, PathBuf};

use chancery_dataset::Progress;
use chancery_ledger::LedgerReader;
use chancery_model::Digest;
use chancery_register::{Listed, Person, PublicKey, Register, SecretKey};

use crate::entry::{CommittedPeople, Pseudonym, Recorded};
use crate::history::History;
use crate::staging::{From, carrying, durable};
use crate::workspace::private_folder;
use crate::{Error, Workspace};

/// The part of a release's folder that is the custodian's own: it is not handed over.
pub(crate) const CUSTODY: &str = "custody";
const RECORD: &str = "register";

/// Where a release's record is, in its folder.
pub(crate) fn record_file(folder: &Path) -> PathBuf {
    folder.join(CUSTODY).join(RECORD)
}

impl Workspace {
    /// The register of everybody in the releases that the ledger holds.
    ///
    /// # Errors
    ///
    /// When a record is damaged, or is not what the ledger's entry commits to.
    pub fn register(&self) -> Result<Register, Error> {
        self.register_of(&self.ledger_reader()?)
    }

    /// The same over a ledger that is open already.
    pub(crate) fn register_of(&self, ledger: &LedgerReader) -> Result<Register, Error> {
        let listed = self.listed(&History::read(ledger)?);
        Ok(Register::open(&self.register_dir(), &listed)?)
    }

    /// Makes the register anew, from the releases alone.
    ///
    /// # Errors
    ///
    /// As for [`Workspace::register`].
    pub fn rebuild_register(&self) -> Result<Register, Error> {
        let listed = self.listed(&History::read(&self.ledger_reader()?)?);
        Ok(Register::rebuild(&self.register_dir(), &listed)?)
    }

    /// The proof that the ledger holds the entry at an index, with the entry
    /// (`c2sp.org/tlog-proof@v1`).
    ///
    /// # Errors
    ///
    /// When the ledger does not verify, or has no such entry.
    pub fn receipt(&self, index: u64) -> Result<String, Error> {
        let ledger = self.ledger_reader()?;
        Ok(carrying(ledger.prove(index)?, ledger.entry(index)?))
    }

    fn listed(&self, history: &History) -> Vec<Listed> {
        let releases = history.in_order().into_iter();
        let listed = releases.map(|(id, logged)| Listed {
            release: id.to_owned(),
            people: logged
                .people
                .map(|CommittedPeople { root, key }| chancery_register::Recorded { root, key }),
            record: record_file(&self.releases_dir().join(id)),
        });
        listed.collect()
    }

    /// The keys of the register: the first is the one that records, the others are of before.
    ///
    /// # Errors
    ///
    /// When `keys/register.key` cannot be read.
    pub fn register_keys(&self) -> Result<Vec<SecretKey>, Error> {
        let keys = self.secret_keys("register")?;
        let derived = keys.iter().map(|key| {
            // Ed25519 signs one message in one way: what it gives is as secret as the key.
            let secret = key.sign(b"chancery/register/key/v1\n")?;
            Ok(SecretKey::derive(&secret)?)
        });
        derived.collect()
    }

    /// The key that records, or the one that recorded a release.
    pub(crate) fn register_key(&self, of: Option<(&str, PublicKey)>) -> Result<SecretKey, Error> {
        let mut keys = self.register_keys()?.into_iter();
        let Some((release, public)) = of else {
            return Ok(keys.next().ok_or(chancery_register::Error::Key)?);
        };
        let key = keys.find(|key| key.public() == public);
        Ok(key.ok_or_else(|| chancery_register::Error::KeyMissing {
            release: release.to_owned(),
        })?)
    }
}

/// Words that the custodian keeps, and of which the ledger gets the digest: why somebody was looked
/// up, or what an agency stated.
///
/// The first line is 32 random bytes, in hexadecimal digits, and the digest is over it as well: the
/// ledger is public, and words can be guessed.
#[derive(Clone, Debug)]
pub struct Kept(Vec<u8>);

impl Kept {
    /// The words, below a line that nobody can guess.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn new(words: &[u8]) -> Result<Self, Error> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|reason| chancery_ledger::Error::Random {
            reason: reason.into(),
        })?;
        let line = format!("{}\n", Digest::from_bytes(salt).hex());
        Ok(Self([line.as_bytes(), words].concat()))
    }

    /// Their digest: that of the file in which they are kept.
    pub fn digest(&self) -> Digest {
        crate::manifest::digest(&self.0)
    }

    /// Writes them to `reasons/<digest>.txt`.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn keep(&self, workspace: &Workspace) -> Result<(), Error> {
        let folder = workspace.root().join("reasons");
        private_folder(&folder)?;
        let name = self.digest().hex();
        durable(&folder.join(name).with_extension("txt"), &self.0)
    }
}

impl Pseudonym {
    /// What stands for a person in an entry of a type that was recorded at a time: see
    /// [`SecretKey::mark`].
    pub fn of(entry: &str, recorded: Recorded, key: &SecretKey, person: &Person<'_>) -> Self {
        Self::from_mac(key.mark(entry, &recorded.to_string(), person))
    }
}

impl Workspace {
    /// Puts a new key before the others: from now on people have other pseudonyms. What was recorded
    /// under the others stays, and is found with them.
    ///
    /// # Errors
    ///
    /// When another process writes to the ledger, or the keys cannot be read or written.
    pub fn rotate_register_key(&self) -> Result<(), Error> {
        let _writer = chancery_ledger::SqliteLock::open(&self.lock_file())?;
        let mut keys = self.secret_keys("register")?;
        let name = format!("{}/register", self.config().ledger);
        let new = chancery_ledger::SigningKey::random(&name, chancery_ledger::Algorithm::Ed25519)?;
        keys.insert(0, new);
        self.replace_keys("register", &keys)
    }
}

/// Records who an answer's release is about, in the custodian's part of its folder.
pub(crate) fn record(
    folder: &Path,
    release: &str,
    from: &From<'_>,
    progress: &dyn Progress,
) -> Result<chancery_register::Recorded, Error> {
    let From {
        answer,
        dataset,
        register,
        key,
        ..
    } = *from;
    private_folder(&folder.join(CUSTODY))?;
    let classes = &answer.decision().classes;
    progress.begin("recording who it is about", answer.decision().total);
    // A class about whom nothing leaves stands last, and nobody of it is recorded.
    let leaving: Vec<Vec<String>> = classes
        .iter()
        .map(|class| class.elements.clone())
        .filter(|elements| !elements.is_empty())
        .collect();
    let numbers: Vec<Option<usize>> = classes
        .iter()
        .map(|class| {
            leaving
                .iter()
                .position(|elements| *elements == class.elements)
        })
        .collect();
    let file = record_file(folder);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut recording = register.record(key, release, &file, leaving, workers)?;
    for origin in dataset.origins_of_people() {
        let mut people = recording.origin(origin)?;
        let mut told = 0_u64;
        dataset.each_person::<Error>(origin, &mut |id, _, group| {
            let class = answer
                .class(group)
                .and_then(|class| numbers.get(class).copied());
            match class {
                Some(Some(class)) => people.add(id, class)?,
                Some(None) => {}
                // The census counted everybody: whom it does not know, nobody decided about.
                None => {
                    return Err(chancery_register::Error::People {
                        origin: origin.to_owned(),
                        problem: "somebody is of no group that was decided",
                    }
                    .into());
                }
            }
            told += 1;
            if told.is_multiple_of(65_536) {
                progress.advance(65_536);
                if progress.cancelled() {
                    return Err(chancery_dataset::Error::Cancelled.into());
                }
            }
            Ok(())
        })?;
        people.finish()?;
    }
    Ok(recording.finish()?)
}
