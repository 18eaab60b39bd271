use std::collections::BTreeSet;
use std::fmt;

use chancery_ledger::{Checkpoint, Trust, UnverifiedCheckpoint, verify_inclusion};
use chancery_model::Digest;
use chancery_register::{
    Committed, Person, PseudonymProof, PublicKey, Register, ReleaseProof, SecretKey, Unproven,
};
use chancery_release::{Entry, Error, Workspace};
use serde::{Deserialize, Serialize};

use crate::facts::Release;

/// What shows, release by release, whether something about a person left: for whoever has the ledger's
/// keys and nothing else of the custodian (`docs/register.md`).
///
/// It names the person, and shows nothing of anybody else. Of releases that are not in it, it says
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonProof {
    /// `chancery-person-proof/v1`.
    pub format: String,
    /// The person's origin.
    pub origin: String,
    /// The person's id.
    pub id: String,
    /// The ledger's checkpoint, which all the paths lead to (`c2sp.org/tlog-checkpoint`).
    pub checkpoint: String,
    /// The person's pseudonym under each key that was used.
    pub pseudonyms: Vec<Pseudonym>,
    /// The releases, in the ledger's order.
    pub releases: Vec<Receipted>,
}

/// The proof of a person's pseudonym under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pseudonym {
    /// The key, as the releases' entries name it.
    pub key: PublicKey,
    /// The proof.
    pub proof: PseudonymProof,
}

/// A release, with the proof that the ledger holds its entry and what that entry commits to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipted {
    /// The index of its entry.
    pub index: u64,
    /// The entry, as the ledger holds it.
    pub entry: String,
    /// The hashes from the entry's sibling up to the child of the checkpoint's root.
    pub path: Vec<Digest>,
    /// That the person was, or was not, in it.
    pub people: ReleaseProof,
}

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownPerson {
    /// The person's origin.
    pub origin: String,
    /// The person's id.
    pub id: String,
    /// The log.
    pub log: String,
    /// How many entries it had.
    pub tree_size: u64,
    /// The root over them.
    pub root: Digest,
    /// When the log signed, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
    /// The releases; it says nothing of others.
    pub releases: Vec<Shown>,
}

/// What a proof shows of one release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The release.
    pub release: String,
    /// The day whose law applied.
    pub on: jiff::civil::Date,
    /// Who received it.
    pub recipient: String,
    /// The index of its entry.
    pub entry: u64,
    /// What left about the person; nothing, if they were not in it.
    pub elements: Option<Vec<String>>,
}

/// Why a proof shows nothing.
#[derive(Debug)]
pub struct Refused {
    /// Of which release, if it is of one.
    pub release: Option<String>,
    /// Why.
    pub problem: String,
}

impl Refused {
    fn all(problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self {
            release: None,
            problem,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.release {
            Some(release) => write!(
                f,
                "of release `{release}` it shows nothing: {}",
                self.problem
            ),
            None => write!(f, "it shows nothing: {}", self.problem),
        }
    }
}

impl std::error::Error for Refused {}

impl PersonProof {
    const FORMAT: &'static str = "chancery-person-proof/v1";

    /// Whether a text may be one of these.
    pub fn is_one(text: &str) -> bool {
        text.trim_start().starts_with('{') && text.contains(Self::FORMAT)
    }

    /// What shows in which of these releases a person was, and in which not.
    ///
    /// # Errors
    ///
    /// When the register does not know one of them, or lacks its key.
    pub fn make(
        workspace: &Workspace,
        register: &Register,
        keys: &[SecretKey],
        person: &Person<'_>,
        releases: &[&Release],
    ) -> Result<Self, Error> {
        let ledger = workspace.ledger_reader()?;
        let mut all = Self {
            format: Self::FORMAT.to_owned(),
            origin: person.origin().to_owned(),
            id: person.id().to_owned(),
            checkpoint: ledger.checkpoint().to_string(),
            pseudonyms: Vec::new(),
            releases: Vec::with_capacity(releases.len()),
        };
        for release in releases {
            let unrecorded = || chancery_register::Error::Unrecorded {
                release: release.id().to_owned(),
            };
            let committed = release.logged.people.ok_or_else(unrecorded)?;
            let (proof, people) = register.prove(keys, person, release.id())?;
            if all.pseudonyms.iter().all(|one| one.key != committed.key) {
                let key = committed.key;
                all.pseudonyms.push(Pseudonym { key, proof });
            }
            let hashes = ledger.prove(release.entry)?.hashes;
            let entry = ledger.entry(release.entry)?;
            all.releases.push(Receipted {
                index: release.entry,
                entry: String::from_utf8_lossy(&entry).into_owned(),
                path: hashes.into_iter().map(Digest::from_bytes).collect(),
                people,
            });
        }
        all.releases.sort_by_key(|one| one.index);
        Ok(all)
    }

    /// What it shows, by the ledger's keys alone.
    ///
    /// # Errors
    ///
    /// [`Refused`] when any part of it does not hold, or there is no release in it: then nothing of it
    /// is shown.
    pub fn check(&self, trust: &impl Trust) -> Result<ShownPerson, Refused> {
        if self.format != Self::FORMAT {
            return Err(Refused::all("its form is another"));
        }
        let named = [&self.origin, &self.id]
            .into_iter()
            .all(|name| is_plain(name));
        let person = Person::new(&self.origin, &self.id).filter(|_| named);
        let person = person.ok_or_else(|| Refused::all("it names nobody"))?;
        self.check_lists()?;
        let checkpoint = UnverifiedCheckpoint::parse(self.checkpoint.as_bytes())
            .and_then(|checkpoint| checkpoint.verify(trust))
            .map_err(|error| Refused::all(error.to_string()))?;
        let releases = self.releases.iter().map(|one| {
            self.check_release(one, &checkpoint, &person)
                .map_err(|problem| Refused {
                    release: Some(one.people.release.clone()),
                    problem,
                })
        });
        Ok(ShownPerson {
            origin: self.origin.clone(),
            id: self.id.clone(),
            releases: releases.collect::<Result<_, _>>()?,
            log: checkpoint.origin().to_owned(),
            tree_size: checkpoint.size(),
            root: Digest::from_bytes(checkpoint.root()),
            time: checkpoint.timestamp(),
        })
    }

    /// Whether there are releases, each once and in the ledger's order, and each key once.
    fn check_lists(&self) -> Result<(), Refused> {
        if self.releases.is_empty() {
            return Err(Refused::all("no release is in it"));
        }
        let mut ids = BTreeSet::new();
        let mut releases = self.releases.iter().map(|one| one.people.release.as_str());
        if let Some(twice) = releases.find(|id| !ids.insert(*id)) {
            let problem = format!("the release `{twice}` is in it twice");
            return Err(Refused::all(problem));
        }
        if !self.releases.is_sorted_by(|a, b| a.index < b.index) {
            return Err(Refused::all("its releases are not in the ledger's order"));
        }
        let keys: BTreeSet<PublicKey> = self.pseudonyms.iter().map(|one| one.key).collect();
        if keys.len() != self.pseudonyms.len() {
            return Err(Refused::all("a key is in it twice"));
        }
        Ok(())
    }

    fn check_release(
        &self,
        one: &Receipted,
        checkpoint: &Checkpoint,
        person: &Person<'_>,
    ) -> Result<Shown, String> {
        let bytes = one.entry.as_bytes();
        let path: Vec<[u8; 32]> = one.path.iter().map(|hash| *hash.as_bytes()).collect();
        verify_inclusion(checkpoint, bytes, one.index, &path).map_err(|error| error.to_string())?;
        let Some(Entry::Release(entry)) = Entry::from_bytes(bytes).known() else {
            return Err("its entry is of no release".to_owned());
        };
        let people = entry.people.ok_or("its entry commits to nobody")?;
        let mut pseudonyms = self.pseudonyms.iter();
        let pseudonym = pseudonyms.find(|one| one.key == people.key);
        let pseudonym = pseudonym.ok_or_else(|| Unproven::Pseudonym.to_string())?;
        let committed = Committed {
            release: entry.id.as_str(),
            root: people.root,
            key: people.key,
        };
        let elements = one.people.check(&committed, person, &pseudonym.proof);
        let elements = elements.map_err(|error| error.to_string())?;
        Ok(Shown {
            release: one.people.release.clone(),
            on: entry.on,
            recipient: entry.recipient.to_string(),
            entry: one.index,
            elements: elements.map(<[String]>::to_vec),
        })
    }
}

/// Whether a text says something, and holds no control character.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}
