use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chancery_dataset::Dataset;
use chancery_law::{LawPack, PackSource, SignOff};
use chancery_ledger::{Ledger, LedgerReader, SigningKey, VerifierKey};
use chancery_model::{Fault, Place};
use chancery_plan::Limits;
use serde::{Deserialize, Serialize};

use crate::entry::Label;
use crate::{Book, Clock, Entry, Error};

/// `chancery.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The custodian's name for its ledger, without spaces: the origin line of its checkpoints.
    pub ledger: String,
    /// The folder of the law pack, below the workspace.
    pub law: PathBuf,
    /// A demonstration: law that nobody signed counts, and a release may be made on any day.
    #[serde(default)]
    pub demonstration: bool,
    /// Memory for joins and sorts, in MiB; beyond it they spill to the release's staging folder.
    #[serde(default = "default_memory")]
    pub memory_mib: usize,
}

fn default_memory() -> usize {
    Config::DEFAULT_MEMORY_MIB
}

impl Config {
    /// Memory for joins and sorts where the configuration does not say.
    pub const DEFAULT_MEMORY_MIB: usize = 768;
}

/// A custodian's folder: configuration, law, datasets, releases, ledger and keys.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    config: Config,
}

const CONFIG: &str = "chancery.toml";

impl Workspace {
    /// Makes a workspace in `root`: folders, configuration, law pack, keys and an empty ledger.
    ///
    /// # Errors
    ///
    /// When there is one already, or it cannot be written.
    pub fn init(
        root: &Path,
        config: Config,
        law: &BTreeMap<String, String>,
        clock: &dyn Clock,
    ) -> Result<Self, Error> {
        let file = root.join(CONFIG);
        if file.exists() {
            return Err(
                Fault::new(Place::file(file.display().to_string()), "exists already")
                    .hint("use the workspace that is there, or name another folder")
                    .into(),
            );
        }
        // The first entry names a key that is named after the ledger.
        Label::of("ledger", &format!("{}/custodian", config.ledger))?;
        let workspace = Self {
            root: root.to_owned(),
            config,
        };
        for folder in ["datasets", "requests", "releases", "keys", "index"] {
            private_folder(&root.join(folder))?;
        }
        for (name, text) in law {
            let path = workspace.law_dir().join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
            }
            std::fs::write(&path, text).map_err(Error::io("write", &path))?;
        }
        let ledger = workspace.key_file("ledger", || workspace.config.ledger.clone())?;
        let custodian = workspace.key_file("custodian", || {
            format!("{}/custodian", workspace.config.ledger)
        })?;
        Ledger::create(&workspace.ledger_dir(), &ledger)?;
        let first = Entry::workspace(&custodian.verifier(), clock)?;
        let receipt = Ledger::open(&workspace.ledger_dir(), &ledger)?.append(&first.to_bytes()?)?;
        Book::begin(&workspace, receipt.checkpoint())?;
        // The configuration comes last: a folder without it is no workspace.
        let text = toml::to_string(&workspace.config).map_err(|error| {
            Fault::new(Place::file(file.display().to_string()), error.to_string())
        })?;
        std::fs::write(&file, text).map_err(Error::io("write", &file))?;
        Ok(workspace)
    }

    fn key_file(&self, name: &str, key: impl FnOnce() -> String) -> Result<SigningKey, Error> {
        let path = self.root.join("keys").join(format!("{name}.key"));
        let signing = SigningKey::create_file(&path, &key())?;
        let public = self.root.join("keys").join(format!("{name}.vkey"));
        std::fs::write(&public, format!("{}\n", signing.verifier()))
            .map_err(Error::io("write", &public))?;
        Ok(signing)
    }

    /// Opens the workspace at `from` or the nearest parent that has one.
    ///
    /// # Errors
    ///
    /// [`Error::NoWorkspace`], or a fault in `chancery.toml`.
    pub fn find(from: &Path) -> Result<Self, Error> {
        let absolute = std::path::absolute(from).map_err(Error::io("find", from))?;
        let root = absolute
            .ancestors()
            .find(|folder| folder.join(CONFIG).is_file());
        let root = root.ok_or_else(|| Error::NoWorkspace(from.display().to_string()))?;
        let file = root.join(CONFIG);
        let text = std::fs::read_to_string(&file).map_err(Error::io("read", &file))?;
        let config = toml::from_str(&text)
            .map_err(|error| Fault::from_toml(&file.display().to_string(), &text, &error))?;
        Ok(Self {
            root: root.to_owned(),
            config,
        })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether unsigned law counts.
    pub fn sign_off(&self) -> SignOff {
        if self.config.demonstration {
            SignOff::Demonstration
        } else {
            SignOff::Required
        }
    }

    /// The folder of the law pack.
    pub fn law_dir(&self) -> PathBuf {
        self.root.join(&self.config.law)
    }

    /// The folder of the datasets.
    pub fn datasets_dir(&self) -> PathBuf {
        self.root.join("datasets")
    }

    /// The folder of the ledger.
    pub fn ledger_dir(&self) -> PathBuf {
        self.root.join("ledger")
    }

    /// The folder of the releases.
    pub fn releases_dir(&self) -> PathBuf {
        self.root.join("releases")
    }

    /// Where releases are made before they are published.
    pub fn staging_dir(&self) -> PathBuf {
        self.releases_dir().join(".staging")
    }

    /// Reads the law pack's files.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is not text.
    pub fn law_source(&self) -> Result<PackSource, Error> {
        let dir = self.law_dir();
        let files = pack_files(&dir)?;
        Ok(PackSource::new(dir.display().to_string(), files))
    }

    /// Loads the law pack.
    ///
    /// # Errors
    ///
    /// Its defects.
    pub fn law(&self) -> Result<LawPack, Error> {
        Ok(LawPack::load(&self.law_source()?)?)
    }

    /// Opens a dataset whose classification is that of the law pack.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] when the law pack's classification table has changed since.
    pub fn dataset(&self, name: &str, law: &LawPack) -> Result<Dataset, Error> {
        let dataset = chancery_dataset::open(&self.datasets_dir(), name)?;
        let elements = elements(law);
        if !dataset.is_classified_by(&dataset_law(law, &elements)) {
            return Err(Error::Stale(name.to_owned()));
        }
        Ok(dataset)
    }

    /// Opens the ledger for reading.
    ///
    /// # Errors
    ///
    /// When its checkpoint does not verify.
    pub fn ledger_reader(&self) -> Result<LedgerReader, Error> {
        Ok(LedgerReader::open_with(
            &self.ledger_dir(),
            &self.public_key("ledger")?,
        )?)
    }

    pub(crate) fn secret_key(&self, name: &str) -> Result<SigningKey, Error> {
        Ok(SigningKey::load(
            &self.root.join("keys").join(format!("{name}.key")),
        )?)
    }

    /// The public half of a key: `ledger` or `custodian`.
    ///
    /// # Errors
    ///
    /// When `keys/<name>.vkey` is missing or malformed.
    pub fn public_key(&self, name: &str) -> Result<VerifierKey, Error> {
        let path = self.root.join("keys").join(format!("{name}.vkey"));
        let text = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        Ok(text.trim().parse()?)
    }

    pub(crate) fn limits(&self, spill: PathBuf) -> Limits {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // Each worker has a pool of its own.
        let memory = (self.config.memory_mib << 20) / cores;
        Limits {
            memory,
            spill,
            workers: cores,
        }
    }
}

/// The names of a law pack's elements.
pub fn elements(law: &LawPack) -> BTreeSet<String> {
    law.vocabulary()
        .element_names()
        .map(str::to_owned)
        .collect()
}

/// What a dataset needs of a law pack.
pub fn dataset_law<'a>(
    law: &'a LawPack,
    elements: &'a BTreeSet<String>,
) -> chancery_dataset::Law<'a> {
    chancery_dataset::Law {
        classification: law.classification(),
        domain: law.domain(),
        elements,
    }
}

/// A folder for its owner alone.
pub(crate) fn private_folder(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(Error::io("create", path))
}

/// Reads the files of a law pack's folder, by path below it.
///
/// # Errors
///
/// A file that cannot be read, or is not text.
pub fn pack_files(dir: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut files = BTreeMap::new();
    collect(dir, dir, &mut files)?;
    Ok(files)
}

fn collect(dir: &Path, root: &Path, files: &mut BTreeMap<String, String>) -> Result<(), Error> {
    for entry in std::fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let path = entry.map_err(Error::io("read", dir))?.path();
        if path.is_dir() {
            collect(&path, root, files)?;
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        files.insert(name, text);
    }
    Ok(())
}
