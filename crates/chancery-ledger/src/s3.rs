//! A ledger in an S3-compatible object store, where every write says what it expects to find.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, RetryConfig, UpdateVersion};

use crate::error::{Error, Result};
use crate::layout::TILES;
use crate::storage::Storage;

/// The pauses before each try of a write.
const PAUSES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_secs(1),
];

/// How to reach an object store.
///
/// Credentials are those of the environment, as other programs for S3 take them: keys, a web
/// identity, a container's or an instance's role. Nothing else in the environment counts but the
/// region and the endpoint, so that none of it can switch a check off.
///
/// # Example
///
/// ```
/// use chancery_ledger::{Error, S3, S3Options};
///
/// let variables = [("AWS_ACCESS_KEY_ID", "me"), ("AWS_SECRET_ACCESS_KEY", "secret")];
/// let mut options = S3Options::with_variables(variables);
/// S3::open_for_reading("s3://agency-ledger/2026", &options)?;
///
/// options.endpoint = Some("http://store.example".to_owned());
/// let refused = S3::open_for_reading("s3://agency-ledger/2026", &options).unwrap_err();
/// assert!(refused.to_string().contains("it is not encrypted"));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Default)]
pub struct S3Options {
    /// The server's address, such as `https://store.example`; Amazon's if there is none here and
    /// none in the environment.
    pub endpoint: Option<String>,
    /// The region; `us-east-1` if there is none here and none in the environment.
    pub region: Option<String>,
    /// Whether the endpoint may be `http://`, where whoever is on the way can read and change all.
    pub allow_http: bool,
    variables: Vec<(AmazonS3ConfigKey, String)>,
}

impl S3Options {
    /// Takes credentials, region and endpoint from this process's environment.
    pub fn from_environment() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::with_variables(std::env::vars_os().filter_map(text))
    }

    /// As [`S3Options::from_environment`], with the variables given.
    pub fn with_variables<N: AsRef<str>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let known = |(name, value): (N, V)| {
            let name = name.as_ref();
            let key = name.strip_prefix("AWS_").and(Some(name))?;
            let key = key.to_ascii_lowercase().parse().ok()?;
            is_taken_from_environment(key).then(|| (key, value.into()))
        };
        Self {
            variables: variables.into_iter().filter_map(known).collect(),
            ..Self::default()
        }
    }

    fn builder(&self, bucket: &str) -> AmazonS3Builder {
        let mut builder = AmazonS3Builder::new();
        for (key, value) in &self.variables {
            builder = builder.with_config(*key, value);
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
        }
        builder
            .with_bucket_name(bucket)
            .with_allow_http(self.allow_http)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_disable_bulk_delete(true)
    }
}

impl fmt::Debug for S3Options {
    /// Credentials are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("allow_http", &self.allow_http)
            .finish_non_exhaustive()
    }
}

fn is_taken_from_environment(key: AmazonS3ConfigKey) -> bool {
    use AmazonS3ConfigKey as Key;
    matches!(
        key,
        Key::AccessKeyId
            | Key::SecretAccessKey
            | Key::Token
            | Key::Region
            | Key::DefaultRegion
            | Key::Endpoint
            | Key::S3Endpoint
            | Key::WebIdentityTokenFile
            | Key::RoleArn
            | Key::RoleSessionName
            | Key::ContainerCredentialsRelativeUri
            | Key::ContainerCredentialsFullUri
            | Key::ContainerAuthorizationTokenFile
    )
}

/// The objects of a bucket below a prefix.
///
/// A write is durable once the store has answered it. No write is blind: a new file asks for there
/// to be none (`If-None-Match: *`), and a replacement asks for the version which this handle first
/// read or last wrote (`If-Match`), so a writer never overwrites what it did not start from. Reading
/// again does not change that: who was overtaken has to open anew, and to check anew.
///
/// Its calls block. They must not be made on a thread that drives asynchronous tasks.
pub struct S3 {
    address: String,
    endpoint: String,
    prefix: Path,
    /// Tries again by itself, as what it asks for may be asked twice.
    asking: AmazonS3,
    /// Never tries again by itself: a write that failed may have been kept, and the store would
    /// refuse the second try as if another writer had been there.
    writing: Option<AmazonS3>,
    runtime: tokio::runtime::Runtime,
    /// The version, as an `ETag`, in which this handle first read or last wrote a file outside the
    /// tiles; `None` when there was no file.
    seen: Mutex<BTreeMap<String, Option<String>>>,
}

/// A file as it is in the store.
struct Object {
    content: Vec<u8>,
    version: String,
}

/// What came of a conditional write.
enum Written {
    /// The store has it, in this version.
    Kept(String),
    /// Another writer was there before: something else is in the store than was expected.
    Overtaken,
}

impl S3 {
    /// Opens `s3://bucket/prefix` for one writer, after a trial with an object of its own that the
    /// store refuses conditional writes when it has to.
    ///
    /// # Errors
    ///
    /// [`Error::UnfitStore`] when the store takes a write that it should refuse; [`Error::Malformed`]
    /// for an address of another form, or an endpoint without encryption; [`Error::Io`] when the
    /// store does not answer.
    pub fn open(address: &str, options: &S3Options) -> Result<Self> {
        let mut store = Self::open_for_reading(address, options)?;
        let once = RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        };
        let (bucket, _) = parse_address(address)?;
        let writing = options.builder(bucket).with_retry(once).build();
        store.writing = Some(writing.map_err(|problem| store.failed("open", "", &problem))?);
        store.prove_conditions()?;
        Ok(store)
    }

    /// Opens `s3://bucket/prefix` with nothing asked of the store yet; every write fails.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] as for [`S3::open`].
    pub fn open_for_reading(address: &str, options: &S3Options) -> Result<Self> {
        let (bucket, prefix) = parse_address(address)?;
        let retries = RetryConfig {
            max_retries: 3,
            retry_timeout: Duration::from_secs(30),
            ..RetryConfig::default()
        };
        let builder = options.builder(bucket).with_retry(retries);
        let endpoint = endpoint_of(&builder, options)?;
        let address = address.trim_end_matches('/').to_owned();
        let cannot_start = |problem: String| Error::Io {
            action: "open",
            file: address.clone(),
            reason: io::Error::other(problem),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|problem| cannot_start(problem.to_string()))?;
        // The library's own words could repeat what was given to it.
        let asking = builder.build().map_err(|_| {
            cannot_start("the endpoint, the region or the credentials are malformed".to_owned())
        })?;
        Ok(Self {
            address,
            endpoint,
            prefix,
            asking,
            writing: None,
            runtime,
            seen: Mutex::default(),
        })
    }

    /// Asks for what the store must refuse: to create a file twice, and to replace a version that
    /// is not there.
    fn prove_conditions(&self) -> Result<()> {
        let mut random = [0; 8];
        let name = match getrandom::fill(&mut random) {
            Ok(()) => format!(".probe-{:016x}", u64::from_be_bytes(random)),
            Err(problem) => return Err(self.io_failed("open", "", problem.into())),
        };
        let outcome = self.prove_on(&name);
        let removed = self.remove(&name);
        outcome?;
        removed.map_err(|reason| self.io_failed("remove", &name, reason))
    }

    fn prove_on(&self, name: &str) -> Result<()> {
        let unfit = |problem| Error::UnfitStore {
            store: self.address.clone(),
            problem,
        };
        let failed = |reason| self.io_failed("write", name, reason);
        self.create(name, b"first").map_err(failed)?;
        match self.create(name, b"second") {
            Err(reason) if reason.kind() == io::ErrorKind::AlreadyExists => {}
            Err(reason) => return Err(failed(reason)),
            Ok(()) => return Err(unfit("it overwrites a file that should only be created")),
        }
        let other = "\"00000000000000000000000000000000\"";
        match self.put(name, b"third", Some(other)).map_err(failed)? {
            Written::Overtaken => Ok(()),
            Written::Kept(_) => Err(unfit("it replaces a file of another version")),
        }
    }

    /// Writes a file if it is there in the expected version, or is not there if none is expected.
    ///
    /// An error other than a refusal leaves open whether the store has kept the content. So what is
    /// there now decides: ours means that it has; the expected version, that it has not, and trying
    /// again is safe, because at most one of the tries can meet its condition.
    fn put(&self, path: &str, content: &[u8], expected: Option<&str>) -> io::Result<Written> {
        let mut last = None;
        let mut is_in_doubt = false;
        for pause in PAUSES {
            std::thread::sleep(pause);
            let problem = match self.put_once(path, content, expected)? {
                Ok(version) => return Ok(Written::Kept(version)),
                Err(problem) => problem,
            };
            if is_final(&problem) {
                return Err(self.explain(&problem));
            }
            is_in_doubt |= !is_refusal(&problem);
            let Ok(found) = self.get(path) else {
                return Err(self.explain(&problem));
            };
            match found {
                Some(found) if is_in_doubt && found.content == content => {
                    return Ok(Written::Kept(found.version));
                }
                found if found.as_ref().map(|found| found.version.as_str()) != expected => {
                    return Ok(Written::Overtaken);
                }
                _ => last = Some(problem),
            }
        }
        Err(last.map_or_else(|| io::ErrorKind::TimedOut.into(), |p| self.explain(&p)))
    }

    fn put_once(
        &self,
        path: &str,
        content: &[u8],
        expected: Option<&str>,
    ) -> io::Result<object_store::Result<String>> {
        let writing = self.writing.as_ref().ok_or_else(|| {
            let message = "the store was opened for reading only";
            io::Error::new(io::ErrorKind::ReadOnlyFilesystem, message)
        })?;
        let mode = expected.map_or(PutMode::Create, |version| {
            PutMode::Update(UpdateVersion {
                e_tag: Some(version.to_owned()),
                version: None,
            })
        });
        let key = self.key(path)?;
        let put = writing.put_opts(&key, content.to_vec().into(), mode.into());
        match self.runtime.block_on(put) {
            Ok(kept) => Ok(Ok(version_of(kept.e_tag)?)),
            Err(problem) => Ok(Err(problem)),
        }
    }

    fn get(&self, path: &str) -> io::Result<Option<Object>> {
        let key = self.key(path)?;
        let got = self.runtime.block_on(async {
            let answer = self.asking.get(&key).await?;
            let version = answer.meta.e_tag.clone();
            answer.bytes().await.map(|content| (content, version))
        });
        match got {
            Ok((content, version)) => Ok(Some(Object {
                content: content.into(),
                version: version_of(version)?,
            })),
            Err(problem) if is_absent(&problem) => Ok(None),
            Err(problem) => Err(self.explain(&problem)),
        }
    }

    fn key(&self, path: &str) -> io::Result<Path> {
        let key = match (self.prefix.as_ref(), path) {
            ("", path) => path.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}/{path}"),
        };
        Path::parse(key)
            .map_err(|problem| io::Error::new(io::ErrorKind::InvalidInput, problem.to_string()))
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The problem in words of our own: a store's answer can hold a part of the credentials.
    fn explain(&self, problem: &object_store::Error) -> io::Error {
        let (kind, said) = match (answer_to(problem), problem) {
            (Some(answer), problem) => (kind_of(problem), format!("the store answered {answer}")),
            (None, problem) => match transport_problem(problem) {
                Some(HttpErrorKind::Timeout) => (
                    io::ErrorKind::TimedOut,
                    "the store did not answer in time".to_owned(),
                ),
                Some(HttpErrorKind::Connect) => (
                    io::ErrorKind::NotConnected,
                    "the store cannot be reached".to_owned(),
                ),
                Some(_) => (
                    io::ErrorKind::ConnectionAborted,
                    "the connection broke".to_owned(),
                ),
                None => (kind_of(problem), "the store could not be asked".to_owned()),
            },
        };
        io::Error::new(kind, format!("{said} (at {})", self.endpoint))
    }

    fn failed(&self, action: &'static str, path: &str, problem: &object_store::Error) -> Error {
        self.io_failed(action, path, self.explain(problem))
    }

    fn io_failed(&self, action: &'static str, path: &str, reason: io::Error) -> Error {
        Error::Io {
            action,
            file: self.locate(path),
            reason,
        }
    }
}

impl Storage for S3 {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        if is_only_created(path) {
            return Ok(self.get(path)?.map(|found| found.content));
        }
        let mut seen = self.seen();
        let found = self.get(path)?;
        seen.entry(path.to_owned())
            .or_insert_with(|| found.as_ref().map(|found| found.version.clone()));
        Ok(found.map(|found| found.content))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let dir = self.key(dir)?;
        let found = self.asking.list(Some(&dir)).try_collect::<Vec<_>>();
        let found = self
            .runtime
            .block_on(found)
            .map_err(|problem| self.explain(&problem))?;
        let relative = |key: &str| {
            let path = key.strip_prefix(self.prefix.as_ref())?;
            Some(path.trim_start_matches('/').to_owned())
        };
        let mut files: Vec<String> = found
            .iter()
            .filter_map(|object| relative(object.location.as_ref()))
            .collect();
        files.sort();
        Ok(files)
    }

    fn create(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let mut seen = (!is_only_created(path)).then(|| self.seen());
        match self.put(path, content, None)? {
            Written::Kept(version) => {
                if let Some(seen) = &mut seen {
                    seen.insert(path.to_owned(), Some(version));
                }
                Ok(())
            }
            Written::Overtaken => {
                let message = "there is a file already";
                Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
            }
        }
    }

    fn replace(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let mut seen = self.seen();
        match self.put(path, content, seen.get(path).and_then(Option::as_deref))? {
            Written::Kept(version) => {
                seen.insert(path.to_owned(), Some(version));
                Ok(())
            }
            Written::Overtaken => {
                let message = "another writer has changed it since this one read it";
                Err(io::Error::new(io::ErrorKind::ResourceBusy, message))
            }
        }
    }

    fn sync(&self, _path: &str) -> io::Result<()> {
        // What the store shows, it has.
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut seen = (!is_only_created(path)).then(|| self.seen());
        let key = self.key(path)?;
        match self.runtime.block_on(self.asking.delete(&key)) {
            Err(problem) if !is_absent(&problem) => return Err(self.explain(&problem)),
            _ => {}
        }
        if let Some(seen) = &mut seen {
            seen.insert(path.to_owned(), None);
        }
        Ok(())
    }

    fn locate(&self, path: &str) -> String {
        match path {
            "" => self.address.clone(),
            path => format!("{}/{path}", self.address),
        }
    }
}

impl fmt::Debug for S3 {
    /// Credentials are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("address", &self.address)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// The bucket and the prefix of `s3://bucket/prefix`.
fn parse_address(address: &str) -> Result<(&str, Path)> {
    let malformed = || Error::malformed("store address", "it is not `s3://bucket/prefix`");
    let rest = address.strip_prefix("s3://").ok_or_else(malformed)?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if bucket.is_empty() || !bucket.bytes().all(is_name) {
        return Err(malformed());
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    Ok((bucket, Path::parse(prefix).map_err(|_| malformed())?))
}

/// Where requests go, as messages show it.
fn endpoint_of(builder: &AmazonS3Builder, options: &S3Options) -> Result<String> {
    let endpoint = builder
        .get_config_value(&AmazonS3ConfigKey::S3Endpoint)
        .or_else(|| builder.get_config_value(&AmazonS3ConfigKey::Endpoint));
    let Some(endpoint) = endpoint else {
        return Ok("Amazon S3".to_owned());
    };
    let malformed = |problem| Err(Error::malformed("endpoint", problem));
    if endpoint.contains('@') {
        return malformed("it holds a user name; credentials belong in the environment");
    }
    match endpoint.split_once("://") {
        Some(("https", _)) => Ok(endpoint),
        Some(("http", _)) if options.allow_http => Ok(endpoint),
        Some(("http", _)) => malformed("it is not encrypted; use `https://`, or allow `http://`"),
        _ => malformed("it is not an `https://` address"),
    }
}

/// Whether a file is never replaced, so that its version need not be kept.
fn is_only_created(path: &str) -> bool {
    path.strip_prefix(TILES)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn version_of(e_tag: Option<String>) -> io::Result<String> {
    let missing = || io::Error::new(io::ErrorKind::InvalidData, "the store gave no `ETag`");
    e_tag.ok_or_else(missing)
}

/// The store has weighed the condition and did not write.
fn is_refusal(problem: &object_store::Error) -> bool {
    use object_store::Error as Problem;
    matches!(
        problem,
        Problem::AlreadyExists { .. } | Problem::Precondition { .. }
    )
}

/// Nothing was written, and nothing would be on another try.
fn is_final(problem: &object_store::Error) -> bool {
    use object_store::Error as Problem;
    matches!(
        problem,
        Problem::NotFound { .. }
            | Problem::PermissionDenied { .. }
            | Problem::Unauthenticated { .. }
            | Problem::NotImplemented { .. }
    )
}

fn is_absent(problem: &object_store::Error) -> bool {
    let is_bucket = || error_code(&problem.to_string()) == Some("NoSuchBucket");
    matches!(problem, object_store::Error::NotFound { .. }) && !is_bucket()
}

fn kind_of(problem: &object_store::Error) -> io::ErrorKind {
    use object_store::Error as Problem;
    match problem {
        Problem::NotFound { .. } => io::ErrorKind::NotFound,
        Problem::PermissionDenied { .. } | Problem::Unauthenticated { .. } => {
            io::ErrorKind::PermissionDenied
        }
        Problem::AlreadyExists { .. } | Problem::Precondition { .. } => io::ErrorKind::ResourceBusy,
        _ => io::ErrorKind::Other,
    }
}

/// The status of the store's answer and its code for the error, as in `403 AccessDenied`.
///
/// The library tells them in its message alone, next to what must not be repeated.
fn answer_to(problem: &object_store::Error) -> Option<String> {
    let message = problem.to_string();
    let status = message.split_once("status code: ").map(|(_, rest)| rest);
    let status = status
        .and_then(|rest| rest.get(..3))
        .filter(|status| is_word(status));
    match (status, error_code(&message)) {
        (Some(status), Some(code)) => Some(format!("{status} {code}")),
        (status, code) => status.or(code).map(str::to_owned),
    }
}

/// The one word of an error document that is no part of the request.
fn error_code(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    is_word(code).then_some(code)
}

fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn transport_problem(problem: &object_store::Error) -> Option<HttpErrorKind> {
    let http = causes(problem).find_map(|cause| cause.downcast_ref::<HttpError>());
    http.map(HttpError::kind)
}

fn causes<'a>(
    problem: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(problem), |cause| cause.source())
}
