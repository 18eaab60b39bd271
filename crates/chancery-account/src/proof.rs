use std::fmt;

use chancery_ledger::{InclusionProof, Trust, verify_proof};
use chancery_register::{
    Committed, Person, PseudonymProof, PublicKey, Register, ReleaseProof, SecretKey, Unproven,
};
use chancery_release::{Entry, Error, Workspace};
use serde::{Deserialize, Serialize};

use crate::facts::Release;

/// What shows, release by release, whether something about a person left: for whoever has the ledger's
/// keys and nothing else of the custodian (`docs/register.md`).
///
/// It names the person, and shows nothing of anybody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonProof {
    /// `chancery-person-proof/v1`.
    pub format: String,
    /// The person's origin.
    pub origin: String,
    /// The person's id.
    pub id: String,
    /// The person's pseudonym under each key that was used.
    pub pseudonyms: Vec<Pseudonym>,
    /// The releases.
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
    /// `c2sp.org/tlog-proof@v1`, with the entry.
    pub receipt: String,
    /// That the person was, or was not, in it.
    pub people: ReleaseProof,
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
        let mut all = Self {
            format: Self::FORMAT.to_owned(),
            origin: person.origin().to_owned(),
            id: person.id().to_owned(),
            pseudonyms: Vec::new(),
            releases: Vec::with_capacity(releases.len()),
        };
        for release in releases {
            let Some(committed) = release.logged.people else {
                return Err(chancery_register::Error::Unrecorded {
                    release: release.id().to_owned(),
                }
                .into());
            };
            let (proof, people) = register.prove(keys, person, release.id())?;
            if all.pseudonyms.iter().all(|one| one.key != committed.key) {
                let key = committed.key;
                all.pseudonyms.push(Pseudonym { key, proof });
            }
            let receipt = workspace.receipt(release.entry)?;
            all.releases.push(Receipted { receipt, people });
        }
        Ok(all)
    }

    /// What it shows, by the ledger's keys alone.
    ///
    /// # Errors
    ///
    /// [`Refused`] when any part of it does not hold: then nothing of it is shown.
    pub fn check(&self, trust: &impl Trust) -> Result<Vec<Shown>, Refused> {
        let refused = |release: Option<&str>, problem: String| Refused {
            release: release.map(str::to_owned),
            problem,
        };
        if self.format != Self::FORMAT {
            return Err(refused(None, "its form is another".to_owned()));
        }
        let person = Person::new(&self.origin, &self.id);
        let person = person.ok_or_else(|| refused(None, "it names nobody".to_owned()))?;
        let mut shown = Vec::with_capacity(self.releases.len());
        for one in &self.releases {
            let release = one.people.release.as_str();
            let of = |problem: String| refused(Some(release), problem);
            let parsed: InclusionProof = one
                .receipt
                .parse()
                .map_err(|error| of(format!("{error}")))?;
            let bytes = parsed
                .extra
                .ok_or_else(|| of("its receipt has no entry".to_owned()))?;
            let held = verify_proof(&one.receipt, &bytes, trust);
            let held = held.map_err(|error| of(format!("{error}")))?;
            let Some(Entry::Release(entry)) = Entry::from_bytes(&bytes).known() else {
                return Err(of("its receipt is of no release".to_owned()));
            };
            let committed = entry
                .people
                .ok_or_else(|| of("its entry commits to nobody".to_owned()))?;
            let pseudonym = self.pseudonyms.iter().find(|one| one.key == committed.key);
            let pseudonym = pseudonym.ok_or_else(|| of(Unproven::Pseudonym.to_string()))?;
            let committed = Committed {
                release: entry.id.as_str(),
                root: committed.root,
                key: committed.key,
            };
            let elements = one.people.check(&committed, &person, &pseudonym.proof);
            let elements = elements.map_err(|error| of(error.to_string()))?;
            shown.push(Shown {
                release: release.to_owned(),
                on: entry.on,
                recipient: entry.recipient.to_string(),
                entry: held.index,
                elements: elements.map(<[String]>::to_vec),
            });
        }
        Ok(shown)
    }
}
