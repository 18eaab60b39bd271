//! A witness: cosigns a log's checkpoints as long as each continues the one before it.
//!
//! A log could show one history to an expert and another to everybody else. Whoever asks for the
//! cosignatures of witnesses can rule that out: a witness cosigns a checkpoint only with a proof that
//! its tree begins with the tree that it cosigned last, so no two checkpoints that it cosigned
//! contradict each other. The protocol is `c2sp.org/tlog-witness`, so logs and witnesses of others
//! fit, too.

pub(crate) mod request;

mod state;

mod server;

mod client;

use std::path::Path;

use sha2::{Digest as _, Sha256};
use signed_note::Signature;
use tlog_tiles::{EMPTY_HASH, Hash};

use crate::checkpoint::UnverifiedCheckpoint;
use crate::cosignature::{cosign, is_by, verify_cosignature};
use crate::error::{Error, Result};
use crate::key::{SigningKey, VerifierKey};

pub use self::client::{Quorum, WITNESS_TIMEOUT};
pub use self::request::{AddCheckpoint, MAX_PROOF_LINES};
pub use self::server::{MAX_BODY, Shutdown, serve};
use self::state::{Latest, State};

/// The database in a witness's folder.
const DATABASE: &str = "witness.sqlite";

/// The time, in seconds since 1970 UTC.
pub type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

/// A witness: its keys, the logs that it knows and what it cosigned last.
///
/// # Example
///
/// ```
/// use chancery_ledger::witness::{AddCheckpoint, Answer, Witness};
/// use chancery_ledger::{Algorithm, LogKeys, SigningKey};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let dir = folder.path();
/// let log = LogKeys::generate("agency.example/ledger", &[7; 32])?;
/// let key = SigningKey::generate("witness.example/w1", Algorithm::MlDsa44, [8; 32])?;
/// Witness::create(dir)?;
/// let logs = log.keyring().keys().cloned().collect();
/// let witness = Witness::open(dir, vec![key], logs, Box::new(|| 1_790_000_000))?;
///
/// let ask = |old_size, size, root| -> Result<Answer, chancery_ledger::Error> {
///     let checkpoint = log.sign(size, root, 1_790_000_000)?.into();
///     let request = AddCheckpoint { old_size, proof: Vec::new(), checkpoint };
///     Ok(witness.add_checkpoint(&request.to_bytes()))
/// };
/// assert!(matches!(ask(0, 1, [3; 32])?, Answer::Cosigned(_)));
///
/// // The log goes back to an empty tree, and then to another first entry.
/// assert_eq!(ask(0, 1, [4; 32])?, Answer::Conflict(1));
/// assert!(matches!(ask(1, 1, [4; 32])?, Answer::Unprocessable(_)));
/// # Ok::<(), chancery_ledger::Error>(())
/// ```
pub struct Witness {
    keys: Vec<SigningKey>,
    logs: Vec<VerifierKey>,
    state: State,
    clock: Clock,
}

/// What a witness answers to `add-checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200: the cosignature lines. The checkpoint is remembered.
    Cosigned(String),
    /// 400: the request is not of the form, or the old size is larger than the checkpoint's.
    BadRequest(String),
    /// 403: no trusted key of the log signed, or one of its signatures is bad.
    Forbidden(String),
    /// 404: the log is not known here.
    UnknownLog(String),
    /// 409: the old size is not that of the latest cosigned checkpoint, which is this.
    Conflict(u64),
    /// 422: the checkpoint does not continue the latest cosigned one, or nobody has shown that.
    Unprocessable(String),
    /// 500: the witness itself failed.
    Failed(String),
}

impl Answer {
    /// The status code of HTTP.
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::BadRequest(_) => 400,
            Self::Forbidden(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::Conflict(_) => 409,
            Self::Unprocessable(_) => 422,
            Self::Failed(_) => 500,
        }
    }

    /// The `Content-Type` of HTTP.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "text/x.tlog.size",
            _ => "text/plain; charset=utf-8",
        }
    }

    /// The body.
    pub fn body(&self) -> String {
        match self {
            Self::Cosigned(lines) => lines.clone(),
            Self::Conflict(size) => format!("{size}\n"),
            Self::BadRequest(problem)
            | Self::Forbidden(problem)
            | Self::UnknownLog(problem)
            | Self::Unprocessable(problem)
            | Self::Failed(problem) => format!("{problem}\n"),
        }
    }
}

impl From<Error> for Answer {
    /// Anything that is not foreseen is the witness's own failure, and nothing is cosigned.
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Witness {
    /// Makes the memory of a new witness in its folder; one that remembers nothing yet is fine.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] when a witness there has cosigned something, [`Error::Database`]
    /// or [`Error::Io`] when it cannot be made.
    pub fn create(dir: &Path) -> Result<()> {
        std::fs::create_dir_all(dir).map_err(|reason| Error::Io {
            action: "create",
            file: dir.display().to_string(),
            reason,
        })?;
        State::create(&dir.join(DATABASE))
    }

    /// Opens a witness on what it remembers in its folder.
    ///
    /// It cosigns with all of `keys`, checkpoints of the logs that have one of the keys `logs`,
    /// which are several of one name when a log has several.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when it remembers nothing: with the keys of an old witness and without
    /// its memory, a new one would cosign a second history. [`Error::KeyAlgorithm`] when a key is
    /// not a cosigning key, [`Error::Keys`] when there is none.
    pub fn open(
        dir: &Path,
        keys: Vec<SigningKey>,
        logs: Vec<VerifierKey>,
        clock: Clock,
    ) -> Result<Self> {
        if keys.is_empty() {
            let problem = "a witness needs a cosigning key".to_owned();
            return Err(Error::Keys { problem });
        }
        keys.iter()
            .try_for_each(|key| crate::cosignature::expect_cosigner(key.public()))?;
        let state = State::open(&dir.join(DATABASE))?;
        Ok(Self {
            keys,
            logs,
            state,
            clock,
        })
    }

    /// The keys that it cosigns with.
    pub fn verifiers(&self) -> Vec<VerifierKey> {
        self.keys.iter().map(SigningKey::verifier).collect()
    }

    /// Answers one `add-checkpoint` request. What it cosigns it has durably remembered.
    ///
    /// The checks are those of `c2sp.org/tlog-witness`, in its order.
    pub fn add_checkpoint(&self, body: &[u8]) -> Answer {
        match self.try_add_checkpoint(body) {
            Ok(lines) => Answer::Cosigned(lines),
            Err(answer) => answer,
        }
    }

    fn try_add_checkpoint(&self, body: &[u8]) -> std::result::Result<String, Answer> {
        let request =
            AddCheckpoint::parse(body).map_err(|error| Answer::BadRequest(error.to_string()))?;
        let signed = self.verify(&request.checkpoint)?;
        let (old_size, size) = (request.old_size, request.checkpoint.size());
        if old_size > size {
            return Err(Answer::BadRequest(format!(
                "the old size {old_size} is larger than the checkpoint's size {size}"
            )));
        }
        self.state.advance(request.checkpoint.origin(), |latest| {
            check_growth(&request, latest)?;
            self.cosign(&request.checkpoint, latest, &signed)
        })
    }

    /// The latest cosigned checkpoint of a log, by the SHA-256 of its origin in lower-case hex.
    ///
    /// `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] when it cannot be read.
    pub fn checkpoint(&self, origin_hash: &str) -> Result<Option<String>> {
        let mut origins = self.logs.iter().map(VerifierKey::name);
        let Some(origin) = origins.find(|name| hash_origin(name) == origin_hash) else {
            return Ok(None);
        };
        Ok(self.state.latest(origin)?.map(|latest| latest.note))
    }

    /// Whether it failed to remember something, so that it cosigns nothing until a new start.
    pub fn has_failed(&self) -> bool {
        self.state.has_failed()
    }

    /// Checks origin and signatures, and gives the signature lines of the log's trusted keys.
    fn verify(&self, checkpoint: &UnverifiedCheckpoint) -> std::result::Result<String, Answer> {
        let origin = checkpoint.origin();
        let keys = self.logs.iter().filter(|key| key.name() == origin);
        let keys: Vec<&VerifierKey> = keys.collect();
        if keys.is_empty() {
            return Err(Answer::UnknownLog(format!(
                "the log `{origin}` is not known"
            )));
        }
        let signed = checkpoint
            .verify_known(&keys)
            .map_err(|error| Answer::Forbidden(error.to_string()))?;
        let is_trusted =
            |signature: &Signature| signed.iter().any(|(key, _)| is_by(key, signature));
        let lines = checkpoint.signatures()?.into_iter().filter(is_trusted);
        let lines: Vec<u8> = lines.flat_map(|signature| signature.to_bytes()).collect();
        if lines.is_empty() {
            let problem = format!("no trusted key of the log `{origin}` signed the checkpoint");
            return Err(Answer::Forbidden(problem));
        }
        // Signature lines are text: they were cut from one.
        Ok(String::from_utf8_lossy(&lines).into_owned())
    }

    /// Makes the cosignature lines, and what to remember.
    fn cosign(
        &self,
        checkpoint: &UnverifiedCheckpoint,
        latest: Option<&Latest>,
        signed: &str,
    ) -> std::result::Result<(Latest, String), Answer> {
        // A clock that was put back would make an older tree look like the newer one.
        let time = (self.clock)().max(latest.map_or(0, |latest| latest.time));
        let mut lines = String::new();
        for key in &self.keys {
            let line = cosign(key, checkpoint, time)?;
            // A signature that a fault has bent can give away an Ed25519 key. It does not leave here.
            verify_cosignature(key.public(), checkpoint, &line)?;
            lines.push_str(&line);
        }
        let next = Latest {
            size: checkpoint.size(),
            root: checkpoint.root(),
            time,
            note: format!("{}\n{signed}{lines}", checkpoint.body()),
        };
        Ok((next, lines))
    }
}

/// Checks that a checkpoint continues the one that was cosigned last.
fn check_growth(
    request: &AddCheckpoint,
    latest: Option<&Latest>,
) -> std::result::Result<(), Answer> {
    let refuse = |problem: &str| Err(Answer::Unprocessable(problem.to_owned()));
    let (known_size, known_root) =
        latest.map_or((0, EMPTY_HASH), |latest| (latest.size, Hash(latest.root)));
    let (size, root) = (request.checkpoint.size(), Hash(request.checkpoint.root()));
    if request.old_size != known_size {
        return Err(Answer::Conflict(known_size));
    }
    if size == 0 && root != EMPTY_HASH {
        return refuse("the root is not that of the empty tree");
    }
    if known_size == 0 {
        // Every tree begins with the empty one.
        return match request.proof.as_slice() {
            [] => Ok(()),
            _ => refuse("the proof is not empty, and the old size is 0"),
        };
    }
    if size == known_size && root != known_root {
        return refuse("another tree of the same size was cosigned");
    }
    let proof = request.proof.iter().copied().map(Hash).collect();
    tlog_tiles::check_tree(&proof, size, root, known_size, known_root)
        .or_else(|_| refuse("the proof does not show that the tree continues the one before"))
}

/// How the protocol names a log in a URL: the SHA-256 of its origin, in lower-case hex.
pub fn hash_origin(origin: &str) -> String {
    let hash = Sha256::digest(origin.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
