use std::path::{Path, PathBuf};

use chancery_dataset::{Dataset, Progress};
use chancery_law::{InForce, LawPack};
use chancery_ledger::{InclusionProof, Keyring, VerifierKey, verify_proof};
use chancery_model::{Decision, Digest};
use chancery_plan::{Job, StagedFile, stage};

use chancery_register::{Recorded, Register, SecretKey};

use crate::entry::CommittedPeople;
use crate::history::History;
use crate::manifest::digest;
use crate::people::{CUSTODY, record, record_file};
use crate::verify::check_files;
use crate::workspace::private_folder;
use crate::{Answer, Book, Clock, Entry, Envelope, Error, Manifest, Statement, Workspace};

pub(crate) const MANIFEST: &str = "manifest.dsse.json";
pub(crate) const RECEIPT: &str = "receipt.tlog-proof";
pub(crate) const DATA: &str = "data";
const SPILL: &str = "spill";

/// What a release is made from.
#[derive(Clone, Copy)]
pub(crate) struct From<'a> {
    pub(crate) answer: &'a Answer,
    pub(crate) law: &'a LawPack,
    pub(crate) dataset: &'a Dataset,
    /// Whom the register knows already.
    pub(crate) register: &'a Register,
    /// The key that records.
    pub(crate) key: &'a SecretKey,
}

/// Files that are written but have not left. Only `Staged::write` makes one.
#[derive(Debug)]
pub struct Staged {
    id: String,
    folder: PathBuf,
    files: Vec<StagedFile>,
    people: CommittedPeople,
}

/// Staged files with their signed manifest. Only `Staged::sign` makes one.
#[derive(Debug)]
pub struct Signed {
    id: String,
    folder: PathBuf,
    manifest: Digest,
}

/// The ledger's word that it holds the entry of a release. Only `Signed::log` and recovery make
/// one.
#[derive(Clone, Debug)]
pub struct Receipt {
    manifest: Digest,
    index: u64,
    proof: String,
}

/// A release that has left.
#[derive(Clone, Debug)]
pub struct Released {
    /// Its id.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The index of its entry in the ledger.
    pub index: u64,
}

/// An id that no release, refusal, abort or staging has or had: the day, the recipient, and a digest of what was
/// asked of what under which law.
pub(crate) fn new_id(workspace: &Workspace, answer: &Answer) -> Result<String, Error> {
    let decision = answer.decision();
    let asked = serde_json::to_vec(&(&decision.request, decision.on, decision.law.digest));
    let asked = digest(&asked.unwrap_or_default()).hex();
    let recipient = decision.request.recipient.replace('/', "-");
    let id = format!(
        "{}-{recipient}-{}",
        decision.on,
        asked.get(..8).unwrap_or_default()
    );
    let history = History::read(&workspace.ledger_reader()?)?;
    let taken = |id: &str| {
        if history.is_given(id) {
            return Ok(true);
        }
        let exists = |dir: PathBuf| {
            let path = dir.join(id);
            path.try_exists().map_err(Error::io("look for", &path))
        };
        Ok::<_, Error>(exists(workspace.releases_dir())? || exists(workspace.staging_dir())?)
    };
    if !taken(&id)? {
        return Ok(id);
    }
    let mut number = 2_u64;
    loop {
        let id = format!("{id}-{number}");
        if !taken(&id)? {
            return Ok(id);
        }
        number += 1;
    }
}

impl Staged {
    /// Runs the plan into a private folder, and records who it is about. A crash here leaves a folder without a manifest, which
    /// [`crate::recover`] removes.
    pub(crate) fn write(
        workspace: &Workspace,
        folder: &Path,
        id: &str,
        from: &From<'_>,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let From {
            answer,
            law,
            dataset,
            ..
        } = *from;
        let data = folder.join(DATA);
        let spill = folder.join(SPILL);
        private_folder(&data)?;
        private_folder(&spill)?;
        sync(folder.parent().unwrap_or(folder))?;
        let rows = answer.cuts().iter().map(|cut| cut.expected_rows).sum();
        progress.begin("writing what is lawful", rows);
        let job = Job {
            dataset,
            domain: law.domain(),
            law: law.classification(),
            cuts: answer.cuts(),
            format: answer.decision().request.format,
        };
        let files = stage(&job, &data, &workspace.limits(spill.clone()), progress)?;
        std::fs::remove_dir_all(&spill).map_err(Error::io("remove", &spill))?;
        for folder in std::fs::read_dir(&data).map_err(Error::io("read", &data))? {
            sync(&folder.map_err(Error::io("read", &data))?.path())?;
        }
        sync(&data)?;
        let Recorded { root, key } = record(folder, id, from, progress)?;
        sync(&folder.join(CUSTODY))?;
        Ok(Self {
            id: id.to_owned(),
            folder: folder.to_owned(),
            files,
            people: CommittedPeople { root, key },
        })
    }

    /// Who it is about.
    pub(crate) fn people(&self) -> CommittedPeople {
        self.people
    }

    /// The files.
    pub fn files(&self) -> &[StagedFile] {
        &self.files
    }

    /// Writes and signs the manifest. A crash before it is complete leaves no manifest under its
    /// own name; one after it leaves a release that is not in the ledger: both are undone.
    pub(crate) fn sign(
        self,
        workspace: &Workspace,
        answer: &Answer,
        law: &InForce<'_>,
        dataset: &Dataset,
    ) -> Result<Signed, Error> {
        let manifest = Manifest::new(answer, law, dataset, &self.files);
        let statement = manifest.statement(&self.files);
        let key = workspace.custodian_secret()?;
        let path = self.folder.join(MANIFEST);
        let bytes = Envelope::sign(&statement, &key)?.to_bytes()?;
        durable(&path, &bytes)?;
        Ok(Signed {
            id: self.id,
            folder: self.folder,
            manifest: digest(&bytes),
        })
    }
}

impl Signed {
    /// Enters the release in the ledger. A crash before the ledger answers leaves either no entry
    /// (the staging is undone) or the entry (the staging is finished): recovery looks.
    pub(crate) fn log(
        &self,
        decision: &Decision,
        people: CommittedPeople,
        ledger: &mut Book,
        clock: &dyn Clock,
    ) -> Result<Receipt, Error> {
        let entry = Entry::release(&self.id, decision, self.manifest, people, clock)?;
        let receipt = ledger.append(&entry)?;
        Ok(Receipt {
            manifest: self.manifest,
            index: receipt.index(),
            proof: carrying(receipt.proof().clone(), entry.to_bytes()?),
        })
    }

    /// What a crash left behind, if its manifest is complete.
    pub(crate) fn left_behind(id: &str, folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(MANIFEST);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(Self {
                id: id.to_owned(),
                folder: folder.to_owned(),
                manifest: digest(&bytes),
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    /// The receipt of this release, if the ledger holds its entry and no later one aborts it.
    pub(crate) fn find_receipt(
        &self,
        history: &History,
        reader: &chancery_ledger::LedgerReader,
    ) -> Result<Option<Receipt>, Error> {
        let Some(logged) = history.find(&self.id, self.manifest) else {
            return Ok(None);
        };
        let index = logged.index;
        if let Some(people) = logged.people {
            let record = record_file(&self.folder);
            // Without its record nobody could be told what this release was about.
            if !Register::is_record(&record, &self.id, people.root) {
                return Ok(None);
            }
        }
        Ok(Some(Receipt {
            manifest: self.manifest,
            index,
            proof: carrying(reader.prove(index)?, reader.entry(index)?),
        }))
    }

    pub(crate) fn manifest(&self) -> Digest {
        self.manifest
    }

    /// What the manifest of a release that a crash left says.
    pub(crate) fn statement(&self, custodian: &VerifierKey) -> Result<Statement, Error> {
        let path = self.folder.join(MANIFEST);
        let text = std::fs::read(&path).map_err(Error::io("read", &path))?;
        Ok(Envelope::open(MANIFEST, &text, custodian)?)
    }

    /// Whether what a crash left is what was signed: a file that was changed or added since must not
    /// leave with it. What was only on its way to being written is removed.
    pub(crate) fn is_intact(&self, custodian: &VerifierKey) -> Result<bool, Error> {
        let spill = self.folder.join(SPILL);
        if spill.exists() {
            std::fs::remove_dir_all(&spill).map_err(Error::io("remove", &spill))?;
        }
        for name in [MANIFEST, RECEIPT] {
            let beside = self.folder.join(name).with_extension("tmp");
            if beside.exists() {
                std::fs::remove_file(&beside).map_err(Error::io("remove", &beside))?;
            }
        }
        let path = self.folder.join(MANIFEST);
        let text = std::fs::read(&path).map_err(Error::io("read", &path))?;
        let Ok(statement) = Envelope::open(MANIFEST, &text, custodian) else {
            return Ok(false);
        };
        match check_files(&self.folder, &statement, &chancery_dataset::Silent) {
            Ok(_) => Ok(true),
            Err(Error::Unverified { .. }) => Ok(false),
            // A file that cannot be read now may be right: to be undone, it has to be wrong.
            Err(error) => Err(error),
        }
    }

    /// Lets the release leave: the receipt is put beside the manifest and the folder takes its
    /// place, in one rename. A crash before the rename is finished by recovery; after it, done.
    ///
    /// # Errors
    ///
    /// When the receipt is of another manifest, does not verify, or the disk refuses.
    pub fn publish(
        self,
        receipt: &Receipt,
        workspace: &Workspace,
        ledger_keys: &Keyring,
    ) -> Result<Released, Error> {
        receipt.check(self.manifest, ledger_keys)?;
        durable(&self.folder.join(RECEIPT), receipt.proof.as_bytes())?;
        sync(&self.folder)?;
        let folder = workspace.releases_dir().join(&self.id);
        std::fs::rename(&self.folder, &folder).map_err(Error::io("publish", &folder))?;
        sync(&workspace.releases_dir())?;
        sync(&workspace.staging_dir())?;
        Ok(Released {
            id: self.id,
            folder,
            manifest: self.manifest,
            index: receipt.index,
        })
    }
}

impl Receipt {
    /// The index of the entry.
    pub fn index(&self) -> u64 {
        self.index
    }

    fn check(&self, manifest: Digest, keys: &Keyring) -> Result<(), Error> {
        let entry = receipt_entry(&self.proof, keys)?;
        let named = match entry {
            Entry::Release(entry) => entry.manifest,
            Entry::Workspace { .. }
            | Entry::Refusal(_)
            | Entry::Abort { .. }
            | Entry::SignOff(_)
            | Entry::Approval(_)
            | Entry::UseStatement(_)
            | Entry::Recall(_)
            | Entry::Destruction(_)
            | Entry::Suspension(_)
            | Entry::LookUp(_)
            | Entry::Snapshot(_)
            | Entry::KeyRotation(_) => None,
        };
        if self.manifest == manifest && named == Some(manifest) {
            return Ok(());
        }
        Err(Error::Unverified {
            file: RECEIPT.to_owned(),
            problem: "names another manifest".to_owned(),
        })
    }
}

/// The entry that a receipt carries, after its proof has been verified.
pub(crate) fn receipt_entry(proof: &str, keys: &Keyring) -> Result<Entry, Error> {
    let unverified = |problem: &str| Error::Unverified {
        file: RECEIPT.to_owned(),
        problem: problem.to_owned(),
    };
    let parsed: InclusionProof = proof.parse()?;
    let bytes = parsed
        .extra
        .ok_or_else(|| unverified("does not carry its ledger entry"))?;
    verify_proof(proof, &bytes, keys)?;
    Entry::from_bytes(&bytes)
        .known()
        .ok_or_else(|| unverified("is of an entry that cannot be read"))
}

/// The proof with the entry itself as its extra data, so that it can be checked alone.
pub(crate) fn carrying(mut proof: InclusionProof, entry: Vec<u8>) -> String {
    proof.extra = Some(entry);
    proof.to_string()
}

/// Writes a file so that it is there, whole, after a crash: beside it, synced, then renamed.
pub(crate) fn durable(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let beside = path.with_extension("tmp");
    let mut file = std::fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(Error::io("create", &beside))?;
    file.write_all(bytes).map_err(Error::io("write", &beside))?;
    file.sync_all().map_err(Error::io("sync", &beside))?;
    std::fs::rename(&beside, path).map_err(Error::io("rename", path))?;
    sync(path.parent().unwrap_or(path))
}

pub(crate) fn sync(folder: &Path) -> Result<(), Error> {
    let open = std::fs::File::open(folder).map_err(Error::io("open", folder))?;
    open.sync_all().map_err(Error::io("sync", folder))
}
