use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chancery_dataset::Dataset;
use chancery_law::{LawPack, PackSource, Roles, SignOff, Standing};
use chancery_ledger::keyfile::{self, Passphrase};
use chancery_ledger::witness::{Quorum, WITNESS_TIMEOUT};
use chancery_ledger::{
    Algorithm, Cosigner, Folder, Keyring, Ledger, LedgerReader, LogKeys, Parts, Policy, SigningKey,
    SqliteLock, Storage, VerifierKey,
};
#[cfg(feature = "s3")]
use chancery_ledger::{S3, S3Options};
use chancery_model::{Digest, Fault, Place};
use chancery_plan::Limits;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::entry::Label;
use crate::sign_off::is_unsigned;
use crate::staging::durable;
use crate::{Clock, Entry, Error, Known};

/// `chancery.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The custodian's name for its ledger, without spaces: the origin line of its checkpoints.
    pub ledger: String,
    /// The folder of the law pack, below the workspace.
    pub law: PathBuf,
    /// The folders of the overlays on it, below the workspace, from the lowest to the topmost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<PathBuf>,
    /// A file of the form of `c2sp.org/tlog-policy`, below the workspace: the witnesses, and how many
    /// of them have to cosign a checkpoint before it is published. Without it, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<PathBuf>,
    /// A demonstration: law that nobody signed counts, and a release may be made on any day.
    #[serde(default)]
    pub demonstration: bool,
    /// Memory for joins and sorts, in MiB; beyond it they spill to the release's staging folder.
    #[serde(default = "default_memory")]
    pub memory_mib: usize,
    /// Where the ledger is, if it is not the folder `ledger`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<Bucket>,
    /// Who answers people who ask for an accounting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_office: Option<PrivacyOffice>,
}

/// Who answers people who ask for an accounting of disclosures (`45 CFR 164.528`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyOffice {
    /// The agency: its name and address are the law pack's.
    pub agency: String,
    /// What the office is called.
    pub office: Option<String>,
    /// Its telephone number.
    pub phone: Option<String>,
    /// Its address for electronic mail.
    pub email: Option<String>,
}

fn default_memory() -> usize {
    Config::DEFAULT_MEMORY_MIB
}

impl Config {
    /// A configuration with the defaults.
    pub fn new(ledger: impl Into<String>, law: impl Into<PathBuf>) -> Self {
        Self {
            ledger: ledger.into(),
            law: law.into(),
            overlays: Vec::new(),
            witnesses: None,
            demonstration: false,
            memory_mib: Self::DEFAULT_MEMORY_MIB,
            bucket: None,
            privacy_office: None,
        }
    }

    /// Memory for joins and sorts where the configuration does not say.
    pub const DEFAULT_MEMORY_MIB: usize = 768;
}

/// An S3-compatible object store that holds the ledger. The credentials are those of the
/// environment: `AWS_ACCESS_KEY_ID` and so on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// `s3://bucket/prefix`.
    pub address: String,
    /// The store's URL, if it is not Amazon's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether the endpoint may be asked without encryption, as on a machine's own network.
    #[serde(default)]
    pub allow_http: bool,
}

/// What a bucket is opened for. Before the first write it is tried whether it refuses overwriting.
#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

#[cfg(feature = "s3")]
fn bucket_storage(bucket: &Bucket, access: Access) -> Result<Box<dyn Storage>, Error> {
    let mut options = S3Options::from_environment();
    options.endpoint = bucket.endpoint.clone().or(options.endpoint);
    options.region = bucket.region.clone().or(options.region);
    options.allow_http = bucket.allow_http;
    Ok(Box::new(match access {
        Access::Read => S3::open_for_reading(&bucket.address, &options)?,
        Access::Write => S3::open(&bucket.address, &options)?,
    }))
}

#[cfg(not(feature = "s3"))]
fn bucket_storage(bucket: &Bucket, _: Access) -> Result<Box<dyn Storage>, Error> {
    let fault = Fault::new(
        Place::file(CONFIG),
        format!(
            "the ledger is in `{}`, and this build knows no object stores",
            bucket.address
        ),
    );
    Err(fault.hint("build chancery with `--features s3`").into())
}

/// A custodian's folder: configuration, law, datasets, releases, ledger and keys.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    config: Config,
    ask: Ask,
}

/// How to get the passphrase that opens a key file, if there is a way.
#[derive(Clone, Default)]
struct Ask(Option<Arc<AskPassphrase>>);

/// Gets a passphrase for a key file.
pub type AskPassphrase = dyn Fn(&Path) -> Result<Passphrase, chancery_ledger::Error> + Send + Sync;

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Ask" } else { "Never" })
    }
}

const CONFIG: &str = "chancery.toml";

impl Workspace {
    /// Makes a workspace in `root`: folders, configuration, law pack, keys and an empty ledger.
    ///
    /// With a passphrase, the keys are encrypted at rest; without one they are files that only their
    /// owner may read.
    ///
    /// # Errors
    ///
    /// When there is one already, or it cannot be written.
    pub fn init(
        root: &Path,
        config: Config,
        law: &BTreeMap<String, String>,
        passphrase: Option<&Passphrase>,
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
            ask: passphrase.cloned().map_or_else(Ask::default, |passphrase| {
                Ask(Some(Arc::new(move |_: &Path| Ok(passphrase.clone()))))
            }),
        };
        for folder in ["datasets", "requests", "releases", "keys", "index"] {
            private_folder(&root.join(folder))?;
        }
        write_pack(&workspace.law_dir(), law)?;
        private_folder(&workspace.roles_dir())?;
        for (name, text) in Roles::shipped() {
            let path = workspace.roles_dir().join(name);
            std::fs::write(&path, text).map_err(Error::io("write", &path))?;
        }
        let name = &workspace.config.ledger;
        let ledger = LogKeys::random(name)?;
        let custodian = SigningKey::random(&format!("{name}/custodian"), Algorithm::Ed25519)?;
        workspace.write_keys("ledger", ledger.keys(), passphrase)?;
        workspace.write_keys("custodian", std::slice::from_ref(&custodian), passphrase)?;
        let register = SigningKey::random(&format!("{name}/register"), Algorithm::Ed25519)?;
        workspace.write_keys("register", &[register], passphrase)?;
        let public = ledger.keyring().to_string();
        durable(&workspace.public_file("ledger"), public.as_bytes())?;
        let public = format!("{}\n", custodian.verifier());
        durable(&workspace.public_file("custodian"), public.as_bytes())?;
        let lock = SqliteLock::create(&workspace.lock_file())?;
        let mut book = Ledger::create(workspace.parts(lock, ledger, clock)?)?;
        book.append(&Entry::workspace(&custodian.verifier(), clock)?.to_bytes()?)?;
        // The configuration comes last: a folder without it is no workspace.
        let text = toml::to_string(&workspace.config).map_err(|error| {
            Fault::new(Place::file(file.display().to_string()), error.to_string())
        })?;
        durable(&file, text.as_bytes())?;
        Ok(workspace)
    }

    fn write_keys(
        &self,
        name: &str,
        keys: &[SigningKey],
        passphrase: Option<&Passphrase>,
    ) -> Result<(), Error> {
        Ok(keyfile::write_new(
            &self.secret_file(name),
            keys,
            passphrase,
        )?)
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
            ask: Ask::default(),
        })
    }

    /// The same workspace, with a way to open key files that are encrypted.
    #[must_use]
    pub fn asking(mut self, ask: Arc<AskPassphrase>) -> Self {
        self.ask = Ask(Some(ask));
        self
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How the law stands with those who sign off, on a day, as far as was known. In a
    /// demonstration nobody asks; but a ledger that holds sign-offs or suspensions is no
    /// demonstration's, whatever the configuration says.
    ///
    /// # Errors
    ///
    /// When the ledger or what was signed cannot be read, or the pack's files are not `law`'s any
    /// more.
    pub fn standing(&self, law: &LawPack, on: Date, known: Known) -> Result<Standing, Error> {
        if self.config.demonstration && is_unsigned(&self.ledger_reader()?, known)? {
            return Ok(Standing::demonstration());
        }
        let source = self.law_source()?;
        if source.digest() != law.digest {
            return Err(Error::LawChanged);
        }
        let standing = self.sign_offs(known)?.standing(self, &source, on)?;
        Ok(match law.known_by() {
            Some(day) => standing.as_known(day),
            None => standing,
        })
    }

    /// Whether it is configured as a demonstration, in which unsigned law counts.
    pub fn is_demonstration(&self) -> bool {
        self.config.demonstration
    }

    /// Whose signature counts, if the law stands like this.
    pub fn sign_off<'a>(&self, standing: &'a Standing) -> SignOff<'a> {
        if standing.is_demonstration() {
            SignOff::Demonstration
        } else {
            SignOff::Required(standing)
        }
    }

    /// The folder of the roles.
    pub fn roles_dir(&self) -> PathBuf {
        self.root.join("roles")
    }

    /// Where the text of this digest, which somebody signed, is kept.
    pub fn signed_dir(&self, digest: Digest) -> PathBuf {
        self.root.join("signed").join(digest.hex())
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

    /// The folders of the overlays, from the lowest to the topmost.
    pub fn overlay_dirs(&self) -> Vec<PathBuf> {
        let overlays = self.config.overlays.iter();
        overlays.map(|overlay| self.root.join(overlay)).collect()
    }

    /// Reads the files of the law pack and of the overlays on it.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is not text; an overlay that is not there.
    pub fn law_source(&self) -> Result<PackSource, Error> {
        let dir = self.law_dir();
        let files = pack_files(&dir)?;
        let mut source = PackSource::new(dir.display().to_string(), files);
        for dir in self.overlay_dirs() {
            if !dir.is_dir() {
                return Err(self.no_overlay(&dir).into());
            }
            source = source.with_overlay(dir.display().to_string(), pack_files(&dir)?);
        }
        Ok(source)
    }

    /// Without a layer that is asked for, nothing is decided: it may hold back what the rest lets go.
    fn no_overlay(&self, dir: &Path) -> Fault {
        let file = self.root.join(CONFIG);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let file = file.display().to_string();
        let problem = format!("there is no folder `{}`", dir.display());
        chancery_model::Request::fault(&file, &text, "overlays", problem)
            .hint("put the overlay back, or take it out of the list on purpose")
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
        let keys = self.ledger_keys()?;
        Ok(LedgerReader::open_with(self.ledger_storage()?, &keys)?)
    }

    /// Where the ledger is published, to read it there.
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub fn ledger_storage(&self) -> Result<Box<dyn Storage>, Error> {
        match &self.config.bucket {
            None => Ok(Box::new(Folder::new(self.ledger_dir()))),
            Some(bucket) => bucket_storage(bucket, Access::Read),
        }
    }

    /// Where the ledger is published, to write there.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or is a store that overwrites what it must not.
    pub fn writable_ledger_storage(&self) -> Result<Box<dyn Storage>, Error> {
        match &self.config.bucket {
            None => self.ledger_storage(),
            Some(bucket) => bucket_storage(bucket, Access::Write),
        }
    }

    /// The ledger's lock, with the last checkpoint that was signed.
    pub fn lock_file(&self) -> PathBuf {
        self.keys_dir().join("ledger.sqlite")
    }

    /// Which witnesses have to cosign a checkpoint before it is published; `None` when none has to.
    ///
    /// # Errors
    ///
    /// When the file that the configuration names cannot be read, or is no policy.
    pub fn witnesses(&self) -> Result<Option<Policy>, Error> {
        let Some(file) = &self.config.witnesses else {
            return Ok(None);
        };
        let file = self.root.join(file);
        let text = std::fs::read(&file).map_err(Error::io("read", &file))?;
        let policy = Policy::parse(&text).map_err(|error| {
            let fault = Fault::new(Place::file(file.display().to_string()), error.to_string());
            fault.hint("the form is that of `c2sp.org/tlog-policy`")
        })?;
        Ok(Some(policy))
    }

    fn cosigner(&self, keys: &Keyring) -> Result<Option<Box<dyn Cosigner>>, Error> {
        let Some(policy) = self.witnesses()? else {
            return Ok(None);
        };
        let quorum = Quorum::new(policy, keys.clone(), WITNESS_TIMEOUT)?;
        Ok(Some(Box::new(quorum)))
    }

    /// What the ledger's writer needs.
    pub(crate) fn ledger_parts(&self, clock: &dyn Clock) -> Result<Parts, Error> {
        let lock = SqliteLock::open(&self.lock_file())?;
        self.parts(lock, self.log_keys()?, clock)
    }

    fn parts(&self, lock: SqliteLock, keys: LogKeys, clock: &dyn Clock) -> Result<Parts, Error> {
        let known = match self.ledger_keys() {
            Ok(known) => keys.keyring().with_older(&known)?,
            Err(_) => keys.keyring(),
        };
        Ok(Parts {
            storage: self.writable_ledger_storage()?,
            lock: Box::new(lock),
            cosigner: self.cosigner(&known)?,
            known,
            keys,
            clock: clock.seconds(),
        })
    }

    fn keys_dir(&self) -> PathBuf {
        self.root.join("keys")
    }

    pub(crate) fn secret_file(&self, name: &str) -> PathBuf {
        self.keys_dir().join(format!("{name}.key"))
    }

    /// The register's own files, which can be made anew.
    pub(crate) fn register_dir(&self) -> PathBuf {
        self.root.join("index").join("register")
    }

    pub(crate) fn public_file(&self, name: &str) -> PathBuf {
        self.keys_dir().join(format!("{name}.vkey"))
    }

    /// A change of the ledger's keys that is announced and not done yet.
    pub(crate) fn change_file(&self) -> PathBuf {
        self.keys_dir().join("ledger.change")
    }

    /// Puts keys in the place of others, encrypted if those were.
    pub(crate) fn replace_keys(&self, name: &str, keys: &[SigningKey]) -> Result<(), Error> {
        let file = self.secret_file(name);
        let ask = self
            .ask
            .0
            .as_ref()
            .filter(|_| keyfile::is_file_encrypted(&file).unwrap_or(true));
        let passphrase = ask.map(|ask| ask(&file)).transpose()?;
        Ok(keyfile::replace(&file, keys, passphrase.as_ref())?)
    }

    /// Encrypts the secret keys, which may be encrypted with another passphrase so far.
    ///
    /// # Errors
    ///
    /// When another process writes to the ledger, or a key file cannot be read or written.
    pub fn encrypt_keys(&self, passphrase: &Passphrase) -> Result<(), Error> {
        // A change of keys meanwhile would be overwritten with the keys of before.
        let _writer = SqliteLock::open(&self.lock_file())?;
        for name in ["ledger", "custodian", "register"] {
            let keys = self.secret_keys(name)?;
            keyfile::replace(&self.secret_file(name), &keys, Some(passphrase))?;
        }
        Ok(())
    }

    pub(crate) fn secret_keys(&self, name: &str) -> Result<Vec<SigningKey>, Error> {
        let file = self.secret_file(name);
        let ask = self.ask.0.as_ref().map(|ask| move || ask(&file.clone()));
        let file = self.secret_file(name);
        Ok(match &ask {
            Some(ask) => keyfile::read(&file, Some(ask))?,
            None => keyfile::read(&file, None)?,
        })
    }

    pub(crate) fn log_keys(&self) -> Result<LogKeys, Error> {
        Ok(LogKeys::from_keys(self.secret_keys("ledger")?)?)
    }

    /// The key that signs manifests.
    pub(crate) fn custodian_secret(&self) -> Result<SigningKey, Error> {
        let file = self.secret_file("custodian").display().to_string();
        let key = self.secret_keys("custodian")?.into_iter().next();
        Ok(key.ok_or(chancery_ledger::Error::Missing { file })?)
    }

    /// The key that manifests are verified with.
    ///
    /// # Errors
    ///
    /// When `keys/custodian.vkey` is missing or malformed.
    pub fn custodian_key(&self) -> Result<VerifierKey, Error> {
        Ok(self.public_text("custodian")?.trim().parse()?)
    }

    /// The keys that the ledger is verified with.
    ///
    /// # Errors
    ///
    /// When `keys/ledger.vkey` is missing or malformed.
    pub fn ledger_keys(&self) -> Result<Keyring, Error> {
        Ok(self.public_text("ledger")?.parse()?)
    }

    fn public_text(&self, name: &str) -> Result<String, Error> {
        let path = self.public_file(name);
        std::fs::read_to_string(&path).map_err(Error::io("read", &path))
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

/// Writes the files of a law pack or of an overlay into a folder, by path below it.
///
/// # Errors
///
/// When the folder cannot be written.
pub fn write_pack(dir: &Path, files: &BTreeMap<String, String>) -> Result<(), Error> {
    for (name, text) in files {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        std::fs::write(&path, text).map_err(Error::io("write", &path))?;
    }
    Ok(())
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

/// More than this is no text of a law pack.
const MOST_BYTES: u64 = 16 << 20;

fn collect(dir: &Path, root: &Path, files: &mut BTreeMap<String, String>) -> Result<(), Error> {
    for entry in std::fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let path = entry.map_err(Error::io("read", dir))?.path();
        let refuse = |problem: &str| {
            Fault::new(Place::file(path.display().to_string()), problem)
                .hint("a law pack is folders and text files; move everything else out of it")
        };
        // What a link leads to can change between two looks, and a pipe never ends.
        let meta = std::fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        if meta.is_dir() {
            collect(&path, root, files)?;
            continue;
        }
        if !meta.is_file() {
            return Err(refuse("is neither a file nor a folder").into());
        }
        if meta.len() > MOST_BYTES {
            return Err(refuse("is too large").into());
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let name = path.strip_prefix(root).unwrap_or(&path);
        let names = name.components().map(|part| part.as_os_str().to_str());
        let name = names
            .map(|part| part.filter(|part| !part.contains('\\')))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| refuse("has a name that is no plain text"))?
            .join("/");
        files.insert(name, text);
    }
    Ok(())
}
