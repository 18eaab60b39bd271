use std::collections::{BTreeMap, BTreeSet};

use chancery_ledger::LedgerReader;
use chancery_model::Digest;

use crate::entry::CommittedPeople;
use crate::{Entry, Error};

/// What the ledger says of releases: which of them stand, and which ids were given.
///
/// ```
/// use chancery_release::entry::{AbortReason, Entry};
/// use chancery_release::{Fixed, History};
/// let clock = Fixed("2026-01-10T12:00:00Z".parse()?);
/// let mut history = History::default();
/// let id = "2026-01-10-dhs-ice-5d6b1a90";
/// history.take(7, &Entry::abort(id, AbortReason::Cancelled, &clock));
/// assert!(history.is_given(id));
/// assert!(history.standing(id).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct History {
    standing: BTreeMap<String, Vec<Logged>>,
    given: BTreeSet<String>,
}

/// A release's entry.
#[derive(Clone, Copy, Debug)]
pub struct Logged {
    /// Its index in the ledger.
    pub index: u64,
    /// The digest of the release's manifest.
    pub manifest: Option<Digest>,
    /// Whom it is about.
    pub people: Option<CommittedPeople>,
}

impl History {
    pub(crate) fn read(reader: &LedgerReader) -> Result<Self, Error> {
        let mut history = Self::default();
        for entry in reader.entries(0..reader.size())? {
            let (index, bytes) = entry?;
            if let Some(entry) = Entry::from_bytes(&bytes).known() {
                history.take(index, &entry);
            }
        }
        Ok(history)
    }

    /// An abort takes back what was logged under its id before, and nothing after it.
    pub fn take(&mut self, index: u64, entry: &Entry) {
        match entry {
            Entry::Release(entry) => {
                let id = entry.id.to_string();
                self.given.insert(id.clone());
                let logged = Logged {
                    index,
                    manifest: entry.manifest,
                    people: entry.people,
                };
                self.standing.entry(id).or_default().push(logged);
            }
            Entry::Refusal(entry) => {
                self.given.insert(entry.id.to_string());
            }
            Entry::Abort { id, .. } => {
                self.standing.remove(id.as_str());
                self.given.insert(id.to_string());
            }
            _ => {}
        }
    }

    /// The entries of an id that no later entry aborts: one, unless an id was given twice.
    pub fn standing(&self, id: &str) -> &[Logged] {
        self.standing.get(id).map_or(&[], Vec::as_slice)
    }

    /// Every id that has an entry which stands, with those entries.
    pub fn all(&self) -> impl Iterator<Item = (&str, &[Logged])> {
        let standing = self.standing.iter();
        standing.map(|(id, logged)| (id.as_str(), logged.as_slice()))
    }

    /// The newest entry that stands of each id, in the order of the ledger.
    pub(crate) fn in_order(&self) -> Vec<(&str, Logged)> {
        let newest = |(id, logged): (_, &[Logged])| Some((id, *logged.last()?));
        let mut all: Vec<(&str, Logged)> = self.all().filter_map(newest).collect();
        all.sort_by_key(|(_, logged)| logged.index);
        all
    }

    /// The newest entry that stands of a release.
    pub fn find(&self, id: &str, manifest: Digest) -> Option<Logged> {
        let mut newest_first = self.standing(id).iter().rev();
        let found = newest_first.find(|logged| logged.manifest == Some(manifest));
        found.copied()
    }

    /// Whether a release, a refusal or an abort of this id was logged.
    pub fn is_given(&self, id: &str) -> bool {
        self.given.contains(id)
    }
}
