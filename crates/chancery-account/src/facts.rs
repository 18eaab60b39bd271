use chancery_ledger::VerifierKey;
use chancery_model::Digest;
use chancery_release::entry::{
    AbortReason, Destruction, Disclosure, LookUp, Recall, Recorded, Suspension, UseStatement,
};
use chancery_release::manifest::{Class, Element, Manifest};
use chancery_release::{Entry, Error, History, Reading, Workspace, read_manifest};
use jiff::civil::Date;

/// Everything that an account is made from: what the ledger holds, joined with the signed manifest
/// of each release.
///
/// Nothing is left out in silence. A release whose manifest is missing, or is not what was signed and
/// logged, stays with what its entry says of it; an entry that this program cannot read may be about
/// a release, so it is kept as a gap.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The ledger as it was read.
    pub ledger: Ledger,
    /// The releases that stand, in the ledger's order.
    pub releases: Vec<Release>,
    /// What was asked for and denied.
    pub refusals: Vec<At<Disclosure>>,
    /// Releases that were begun and did not leave.
    pub aborts: Vec<At<Abort>>,
    /// What was called back.
    pub recalls: Vec<At<Recall>>,
    /// What recipients certified that they destroyed.
    pub destructions: Vec<At<Destruction>>,
    /// What recipients stated that they did with it.
    pub use_statements: Vec<At<UseStatement>>,
    /// What does not count for a while.
    pub suspensions: Vec<At<Suspension>>,
    /// Who looked at the accounting of a person.
    pub look_ups: Vec<At<LookUp>>,
    /// Entries that this program cannot read.
    pub unread: Vec<Gap>,
}

/// The ledger as it was read: whoever has a checkpoint of it can hold these facts against it.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Its name: the origin line of its checkpoints.
    pub name: String,
    /// How many entries it had.
    pub size: u64,
    /// The root of its tree.
    pub root: Digest,
    /// Its public keys, as `vkey` lines.
    pub keys: String,
    /// The custodian's public key, which manifests are verified with.
    pub custodian_key: String,
}

/// A fact with its place in the ledger.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The entry's index.
    pub entry: u64,
    /// What it says.
    pub fact: T,
}

/// A release that was given up.
#[derive(Clone, Debug)]
pub struct Abort {
    /// When it was recorded.
    pub recorded: Recorded,
    /// The release's id.
    pub id: String,
    /// Why.
    pub reason: AbortReason,
}

/// Something that could not be read, for which an account is incomplete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Gap {
    /// The entry.
    pub entry: u64,
    /// The release, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// What is wrong.
    pub problem: String,
}

/// A release that stands.
#[derive(Clone, Debug)]
pub struct Release {
    /// The index of its entry.
    pub entry: u64,
    /// What the entry says.
    pub logged: Disclosure,
    /// What the signed manifest says, or why there is none to rely on.
    pub manifest: Result<Box<Manifest>, String>,
}

impl Release {
    /// Its id.
    pub fn id(&self) -> &str {
        self.logged.id.as_str()
    }

    /// The day whose law applied: outside a demonstration the day on which it left.
    pub fn on(&self) -> Date {
        self.logged.on
    }

    /// Its manifest, if it can be relied on.
    pub fn signed(&self) -> Option<&Manifest> {
        self.manifest.as_deref().ok()
    }

    /// About how many people at least one row left.
    pub fn people(&self) -> Option<u64> {
        self.signed().map(|manifest| manifest.subjects.released)
    }

    /// How many rows left.
    pub fn rows(&self) -> Option<u64> {
        let files = self.signed()?.files.iter();
        Some(files.map(|file| file.rows).sum())
    }

    /// The elements that left.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        let elements = self.signed().map_or(&[][..], |manifest| &manifest.elements);
        elements.iter().filter(|element| element.subjects > 0)
    }

    /// The classes about which something left, with their number and how many people they are.
    pub fn classes(&self) -> impl Iterator<Item = (u32, &Class, u64)> {
        let classes = self.signed().map_or(&[][..], |manifest| &manifest.classes);
        (0_u32..).zip(classes).filter_map(|(number, class)| {
            let chancery_release::Shown::Count(people) = class.subjects else {
                return None;
            };
            (!class.elements.is_empty()).then_some((number, class, people))
        })
    }

    /// What is not known of it.
    pub fn gap(&self) -> Option<Gap> {
        let problem = self.manifest.as_ref().err()?;
        Some(Gap {
            entry: self.entry,
            release: Some(self.id().to_owned()),
            problem: problem.clone(),
        })
    }
}

impl Facts {
    /// Reads the ledger of a workspace and the manifests of its releases, each verified with the
    /// custodian's key and held against its entry.
    ///
    /// # Errors
    ///
    /// When the ledger does not verify, or a key cannot be read. What is wrong with a release is
    /// among the facts: see [`Facts::gaps`].
    pub fn read(workspace: &Workspace) -> Result<Self, Error> {
        let reader = workspace.ledger_reader()?;
        let key = workspace.custodian_key()?;
        let checkpoint = reader.checkpoint();
        let mut facts = Self {
            ledger: Ledger {
                name: checkpoint.origin().to_owned(),
                size: checkpoint.size(),
                root: Digest::from_bytes(checkpoint.root()),
                keys: reader.keys().to_string(),
                custodian_key: key.to_string(),
            },
            releases: Vec::new(),
            refusals: Vec::new(),
            aborts: Vec::new(),
            recalls: Vec::new(),
            destructions: Vec::new(),
            use_statements: Vec::new(),
            suspensions: Vec::new(),
            look_ups: Vec::new(),
            unread: Vec::new(),
        };
        let mut history = History::default();
        let mut logged = Vec::new();
        for entry in reader.entries(0..reader.size())? {
            let (index, bytes) = entry?;
            match Entry::from_bytes(&bytes) {
                Reading::Known(entry) => {
                    history.take(index, &entry);
                    logged.extend(facts.take(index, *entry));
                }
                Reading::Unknown { version, .. } => facts.unread(
                    index,
                    format!("is of a type or version {version} that this program does not know"),
                ),
                Reading::Unreadable { problem } => facts.unread(index, problem),
            }
        }
        for At { entry, fact } in logged {
            let standing = history.standing(fact.id.as_str());
            if standing.iter().any(|stands| stands.index == entry) {
                facts.releases.push(release(workspace, entry, fact, &key));
            }
        }
        Ok(facts)
    }

    /// Sorts an entry in; a release is given back, as a later entry may take it back.
    fn take(&mut self, entry: u64, fact: Entry) -> Option<At<Disclosure>> {
        match fact {
            Entry::Release(fact) => return Some(At { entry, fact }),
            Entry::Refusal(fact) => self.refusals.push(At { entry, fact }),
            Entry::Abort {
                recorded,
                id,
                reason,
                ..
            } => {
                let fact = Abort {
                    recorded,
                    id: id.to_string(),
                    reason,
                };
                self.aborts.push(At { entry, fact });
            }
            Entry::UseStatement(fact) => self.use_statements.push(At { entry, fact }),
            Entry::Recall(fact) => self.recalls.push(At { entry, fact }),
            Entry::Destruction(fact) => self.destructions.push(At { entry, fact }),
            Entry::Suspension(fact) => self.suspensions.push(At { entry, fact }),
            Entry::LookUp(fact) => self.look_ups.push(At { entry, fact }),
            Entry::Workspace { .. }
            | Entry::SignOff(_)
            | Entry::Approval(_)
            | Entry::Snapshot(_)
            | Entry::KeyRotation(_) => {}
        }
        None
    }

    fn unread(&mut self, entry: u64, problem: String) {
        self.unread.push(Gap {
            entry,
            release: None,
            problem,
        });
    }

    /// Everything for which an account of all of it is incomplete.
    pub fn gaps(&self) -> Vec<Gap> {
        let releases = self.releases.iter().filter_map(Release::gap);
        releases.chain(self.unread.iter().cloned()).collect()
    }
}

fn release(workspace: &Workspace, entry: u64, logged: Disclosure, key: &VerifierKey) -> Release {
    let folder = workspace.releases_dir().join(logged.id.as_str());
    let manifest = match read_manifest(&folder, &logged, key) {
        Ok(statement) => Ok(Box::new(statement.predicate)),
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Err("its manifest is not here".to_owned())
        }
        Err(Error::Io { .. }) => Err("its manifest cannot be read".to_owned()),
        Err(Error::Unverified { problem, .. }) => Err(format!("its manifest {problem}")),
        Err(Error::Input(fault)) => Err(format!("its manifest {}", fault.problem)),
        Err(_) => Err("its manifest cannot be verified".to_owned()),
    };
    Release {
        entry,
        logged,
        manifest,
    }
}
