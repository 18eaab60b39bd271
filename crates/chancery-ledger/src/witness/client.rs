//! The log's side: gets a checkpoint cosigned by as many witnesses as a policy asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::cosignature::verify_cosignature;
use crate::cosigner::Cosigner;
use crate::error::{Error, Result};
use crate::key::VerifierKey;
use crate::keyring::Keyring;
use crate::policy::{Policy, PolicyWitness};
use crate::proof::verify_consistency;
use crate::web::{Reply, Web};
use crate::witness::hash_origin;
use crate::witness::request::{AddCheckpoint, parse_decimal};

/// How long a witness may take to answer, unless the caller says otherwise.
pub const WITNESS_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest answer: a checkpoint at its longest.
const MAX_ANSWER: u64 = 64 * 1024;

/// How often one witness is asked for one checkpoint: it may tell a size, and another log's writer
/// may change that before the next request.
const MAX_REQUESTS: u32 = 3;

/// The witnesses of a policy, asked for their cosignatures until its quorum is met.
///
/// All are asked at once, each by a thread of its own that keeps its connection. A witness that has
/// not answered when the quorum is met may finish by itself; its cosignature is not waited for.
///
/// A witness may be dead, slow or lying: it cannot stop the log unless the quorum needs it, with one
/// exception. A witness that shows a checkpoint of this log, signed with the log's keys, that the
/// log does not have or contradicts, shows that the log was put back to an older copy or forked. Then
/// nothing may be published, whatever the others say: [`Error::AheadOfLog`], [`Error::Diverged`].
pub struct Quorum {
    policy: Policy,
    log: Keyring,
    peers: Vec<Peer>,
    timeout: Duration,
}

/// One URL that answers for one or more keys of the policy.
struct Peer {
    name: String,
    url: String,
    questions: Sender<Question>,
    /// The size that the witness cosigned last, as far as is known.
    known_size: Arc<AtomicU64>,
}

/// What a peer's thread is to do.
struct Question {
    /// `None` to look only.
    request: Option<AddCheckpoint>,
    checkpoint: UnverifiedCheckpoint,
    deadline: Instant,
    /// The place of the peer.
    peer: usize,
    answers: Sender<(usize, Outcome)>,
}

/// What came of it.
enum Outcome {
    /// Cosignature lines that have been verified.
    Cosigned(String),
    /// The witness cosigned a tree of this size last, no larger than the log's.
    Conflict(u64),
    /// The witness did not cosign, for this reason.
    Refused(String),
    /// The witness says that it knows another tree, or was asked to show what it knows.
    Showed {
        reason: String,
        /// The size that it told, and need not have shown.
        told: Option<u64>,
        shown: Option<UnverifiedCheckpoint>,
    },
}

/// The state of one round of questions.
struct Round {
    checkpoint: Checkpoint,
    deadline: Instant,
    answers: Sender<(usize, Outcome)>,
    /// For each peer, why there is no cosignature (yet).
    reasons: Vec<String>,
    /// For each peer, how often it was asked.
    requests: Vec<u32>,
    /// How many answers are still to come.
    open: usize,
    /// Who says without showing it that the log was larger.
    told: Option<(String, u64)>,
}

impl Quorum {
    /// The witnesses of `policy`, for the log with the keys `log`.
    ///
    /// A witness may take `timeout` to answer; [`WITNESS_TIMEOUT`] is a good choice.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] when the quorum asks for witnesses and none of them has a URL.
    pub fn new(policy: Policy, log: Keyring, timeout: Duration) -> Result<Self> {
        let mut peers: Vec<(String, Vec<PolicyWitness>)> = Vec::new();
        for witness in policy.witnesses() {
            let Some(url) = &witness.url else { continue };
            let url = url.trim_end_matches('/');
            match peers.iter_mut().find(|(own, _)| own == url) {
                Some((_, witnesses)) => witnesses.push(witness.clone()),
                None => peers.push((url.to_owned(), vec![witness.clone()])),
            }
        }
        if policy.asks_for_witnesses() && peers.is_empty() {
            return Err(Error::Policy {
                line: 1,
                problem: "it has a quorum, but no witness with a URL".to_owned(),
            });
        }
        let peers = peers
            .into_iter()
            .map(|(url, witnesses)| Peer::start(url, &witnesses));
        Ok(Self {
            policy,
            log,
            peers: peers.collect::<Result<_>>()?,
            timeout,
        })
    }

    /// Asks every witness what it cosigned last, and compares that with `checkpoint`, the log's own.
    ///
    /// For the start of a writer, which must not go on from an older copy. It gives the witnesses
    /// that could not be asked, each with the reason.
    ///
    /// # Errors
    ///
    /// [`Error::AheadOfLog`] and [`Error::Diverged`] when a witness shows that the log was larger or
    /// another one.
    pub fn unseen(
        &self,
        checkpoint: &Checkpoint,
        prove: &dyn Fn(u64) -> Result<Vec<[u8; 32]>>,
    ) -> Result<Vec<String>> {
        let unseen = self.ask_all(checkpoint, prove)?;
        Ok(unseen.into_iter().map(describe).collect())
    }

    /// Those who did not show what they cosigned last, each with the reason.
    fn ask_all(
        &self,
        checkpoint: &Checkpoint,
        prove: &dyn Fn(u64) -> Result<Vec<[u8; 32]>>,
    ) -> Result<Vec<(&Peer, String)>> {
        let (mut round, answers) = self.begin(checkpoint);
        for peer in 0..self.peers.len() {
            self.ask(&mut round, peer, None);
        }
        let mut seen = vec![false; self.peers.len()];
        while let Some((place, outcome)) = next(&mut round, &answers) {
            let Some(peer) = self.peers.get(place) else {
                continue;
            };
            match outcome {
                Outcome::Showed { reason, shown, .. } => {
                    if let Some(shown) = shown {
                        self.compare(peer, shown, checkpoint, prove)?;
                    }
                    round.refuse(place, reason);
                    seen.iter_mut()
                        .skip(place)
                        .take(1)
                        .for_each(|seen| *seen = true);
                }
                Outcome::Refused(reason) => round.refuse(place, reason),
                Outcome::Cosigned(_) | Outcome::Conflict(_) => {}
            }
        }
        let unseen = self.peers.iter().zip(round.reasons).zip(seen);
        let unseen = unseen.filter(|(_, seen)| !seen);
        Ok(unseen.map(|(unseen, _)| unseen).collect())
    }

    fn begin(&self, checkpoint: &Checkpoint) -> (Round, Receiver<(usize, Outcome)>) {
        let (answers, receiver) = mpsc::channel();
        let silence = format!("did not answer within {:?}", self.timeout);
        let round = Round {
            checkpoint: checkpoint.clone(),
            deadline: Instant::now() + self.timeout,
            answers,
            reasons: vec![silence; self.peers.len()],
            requests: vec![0; self.peers.len()],
            open: 0,
            told: None,
        };
        (round, receiver)
    }

    fn ask(&self, round: &mut Round, peer: usize, request: Option<AddCheckpoint>) {
        let question = Question {
            request,
            checkpoint: round.checkpoint.clone().into(),
            deadline: round.deadline,
            peer,
            answers: round.answers.clone(),
        };
        let asked = self
            .peers
            .get(peer)
            .map(|peer| peer.questions.send(question));
        match asked {
            Some(Ok(())) => round.open += 1,
            _ => round.refuse(peer, "its thread has ended".to_owned()),
        }
    }

    /// Asks one witness to cosign, with the proof from what it cosigned last.
    fn ask_to_cosign(
        &self,
        round: &mut Round,
        place: usize,
        prove: &dyn Fn(u64) -> Result<Vec<[u8; 32]>>,
    ) -> Result<()> {
        let Some(peer) = self.peers.get(place) else {
            return Ok(());
        };
        if let Some(requests) = round.requests.get_mut(place) {
            *requests += 1;
            if *requests > MAX_REQUESTS {
                round.refuse(place, "tells another size with every request".to_owned());
                return Ok(());
            }
        }
        let size = round.checkpoint.size();
        // A size that is larger than the log's own was told by a witness: it has to tell it again.
        let old_size = Some(peer.known_size.load(Ordering::SeqCst)).filter(|known| *known <= size);
        let old_size = old_size.unwrap_or(0);
        let proof = match old_size {
            0 => Vec::new(),
            _ => prove(old_size)?,
        };
        let checkpoint = round.checkpoint.clone().into();
        let request = AddCheckpoint {
            old_size,
            proof,
            checkpoint,
        };
        self.ask(round, place, Some(request));
        Ok(())
    }

    /// Compares what a witness shows with the log's own checkpoint.
    fn compare(
        &self,
        peer: &Peer,
        shown: UnverifiedCheckpoint,
        own: &Checkpoint,
        prove: &dyn Fn(u64) -> Result<Vec<[u8; 32]>>,
    ) -> Result<()> {
        // What the log did not sign shows nothing.
        let Ok(shown) = self.log.verify(shown) else {
            return Ok(());
        };
        let (witness, size) = (peer.name.clone(), shown.size());
        if size > own.size() {
            let own = own.size();
            return Err(Error::AheadOfLog { witness, size, own });
        }
        let proof = match size {
            0 => Vec::new(),
            _ => prove(size)?,
        };
        verify_consistency(&shown, own, &proof).map_err(|_| Error::Diverged { witness, size })
    }

    /// The reasons why there is no quorum.
    fn no_quorum(&self, round: &Round, error: Error) -> Error {
        let own = round.checkpoint.size();
        if let Some((witness, size)) = round.told.clone() {
            // Not shown, but with the witnesses that there are nothing can be published anyway.
            return Error::AheadOfLog { witness, size, own };
        }
        let Error::NoQuorum { quorum, .. } = error else {
            return error;
        };
        let cosigned = self.policy.cosigners(&round.checkpoint.clone().into());
        let cosigned = cosigned.unwrap_or_default();
        let has_cosigned = |witness: &PolicyWitness| cosigned.iter().any(|(w, _)| *w == witness);
        let lacking = self.policy.witnesses().iter().filter(|w| !has_cosigned(w));
        let lacking = lacking.map(|witness| {
            let reason = self
                .reason(round, witness)
                .unwrap_or("it has no URL in the policy");
            format!("`{}` ({reason})", witness.name)
        });
        Error::NoQuorum {
            quorum,
            lacking: lacking.collect::<Vec<_>>().join(", "),
        }
    }

    fn reason<'a>(&self, round: &'a Round, witness: &PolicyWitness) -> Option<&'a str> {
        let url = witness.url.as_deref()?.trim_end_matches('/');
        let place = self.peers.iter().position(|peer| peer.url == url)?;
        round.reasons.get(place).map(String::as_str)
    }
}

fn describe((peer, reason): (&Peer, String)) -> String {
    format!("`{}` ({reason})", peer.name)
}

impl Cosigner for Quorum {
    fn look(
        &self,
        checkpoint: &Checkpoint,
        prove: &dyn Fn(u64) -> Result<Vec<[u8; 32]>>,
    ) -> Result<()> {
        let unseen = self.ask_all(checkpoint, prove)?;
        let is_seen = |witness: &PolicyWitness| {
            let url = witness.url.as_deref().map(|url| url.trim_end_matches('/'));
            url.is_some_and(|url| unseen.iter().all(|(peer, _)| peer.url != url))
        };
        // Nothing is signed while too few can say whether the log is the latest: a checkpoint that
        // contradicts a later one could not be taken back.
        match self.policy.expect_quorum_of(is_seen) {
            Err(Error::NoQuorum { quorum, .. }) => {
                let lacking: Vec<String> = unseen.into_iter().map(describe).collect();
                let lacking = lacking.join(", ");
                Err(Error::NoQuorum { quorum, lacking })
            }
            other => other,
        }
    }

    fn cosign(
        &self,
        checkpoint: &Checkpoint,
        prove: &dyn Fn(u64) -> Result<Vec<[u8; 32]>>,
    ) -> Result<Checkpoint> {
        let (mut round, answers) = self.begin(checkpoint);
        let mut quorum = self.policy.check_quorum(&checkpoint.clone().into());
        if quorum.is_ok() {
            return Ok(round.checkpoint);
        }
        for place in 0..self.peers.len() {
            self.ask_to_cosign(&mut round, place, prove)?;
        }
        while let Some((place, outcome)) = next(&mut round, &answers) {
            let Some(peer) = self.peers.get(place) else {
                continue;
            };
            match outcome {
                Outcome::Cosigned(lines) => {
                    peer.known_size.store(checkpoint.size(), Ordering::SeqCst);
                    round.checkpoint = round.checkpoint.with_cosignatures(&lines)?;
                    quorum = self.policy.check_quorum(&round.checkpoint.clone().into());
                    if quorum.is_ok() {
                        return Ok(round.checkpoint);
                    }
                    round.refuse(place, "cosigned with other keys than this".to_owned());
                }
                Outcome::Conflict(size) => {
                    peer.known_size.store(size, Ordering::SeqCst);
                    self.ask_to_cosign(&mut round, place, prove)?;
                }
                Outcome::Refused(reason) => round.refuse(place, reason),
                Outcome::Showed {
                    reason,
                    told,
                    shown,
                } => {
                    if let Some(shown) = shown {
                        self.compare(peer, shown, checkpoint, prove)?;
                    }
                    if let Some(size) = told.filter(|size| *size > checkpoint.size()) {
                        round.told = Some((peer.name.clone(), size));
                    }
                    round.refuse(place, reason);
                }
            }
        }
        quorum.map_err(|error| self.no_quorum(&round, error))?;
        Ok(round.checkpoint)
    }
}

impl Round {
    fn refuse(&mut self, peer: usize, reason: String) {
        if let Some(own) = self.reasons.get_mut(peer) {
            *own = reason;
        }
    }
}

/// The next answer; `None` when all have answered or the time is over.
fn next(round: &mut Round, answers: &Receiver<(usize, Outcome)>) -> Option<(usize, Outcome)> {
    if round.open == 0 {
        return None;
    }
    let left = round.deadline.saturating_duration_since(Instant::now());
    let answer = answers.recv_timeout(left).ok()?;
    round.open -= 1;
    Some(answer)
}

impl Peer {
    fn start(url: String, witnesses: &[PolicyWitness]) -> Result<Self> {
        let (questions, asked) = mpsc::channel();
        let known_size = Arc::new(AtomicU64::new(0));
        let names: Vec<&str> = witnesses.iter().map(|w| w.name.as_str()).collect();
        let line = Line {
            web: Web::new(),
            url: url.clone(),
            keys: witnesses.iter().map(|w| w.vkey.clone()).collect(),
            known_size: Arc::clone(&known_size),
        };
        thread::Builder::new()
            .name("witness".to_owned())
            .spawn(move || line.answer_all(&asked))
            .map_err(|reason| Error::Io {
                action: "start a thread for",
                file: url.clone(),
                reason,
            })?;
        Ok(Self {
            name: names.join("/"),
            url,
            questions,
            known_size,
        })
    }
}

/// The line to one witness: what its thread has.
struct Line {
    web: Web,
    url: String,
    keys: Vec<VerifierKey>,
    known_size: Arc<AtomicU64>,
}

impl Line {
    fn answer_all(&self, asked: &Receiver<Question>) {
        while let Ok(mut question) = asked.recv() {
            // Those who asked before have stopped waiting.
            while let Ok(newer) = asked.try_recv() {
                question = newer;
            }
            let outcome = self.answer(&question);
            if let (Outcome::Cosigned(_), Some(request)) = (&outcome, &question.request) {
                // Also when nobody waits for it any more: the next proof begins here.
                let size = request.checkpoint.size();
                self.known_size.store(size, Ordering::SeqCst);
            }
            // Nobody may be waiting any more.
            drop(question.answers.send((question.peer, outcome)));
        }
    }

    fn answer(&self, question: &Question) -> Outcome {
        let Some(request) = &question.request else {
            return self.show(question, "showed what it knows".to_owned(), None);
        };
        let url = format!("{}/add-checkpoint", self.url);
        let body = request.to_bytes();
        let mut problem = "was still busy with an earlier request".to_owned();
        // The second time on a new connection: the witness may have closed the one that was kept.
        // To ask twice does no harm, as it remembers what it cosigned.
        for _ in 0..2 {
            let Some(left) = left(question) else { break };
            match self.web.post(&url, &body, MAX_ANSWER, left) {
                Err(reason) => problem = format!("cannot be asked: {reason}"),
                Ok(reply) => return self.read(question, request, &reply),
            }
        }
        Outcome::Refused(problem)
    }

    fn read(&self, question: &Question, request: &AddCheckpoint, reply: &Reply) -> Outcome {
        let size = request.checkpoint.size();
        match reply.status {
            200 => self.read_cosignatures(request, &reply.body),
            409 => match read_size(reply) {
                Some(told) if told > size => {
                    let reason = format!("says that it has seen {told} entries of this log");
                    self.show(question, reason, Some(told))
                }
                Some(told) if told != request.old_size => Outcome::Conflict(told),
                _ => Outcome::Refused("answered 409 without another size".to_owned()),
            },
            422 => {
                let reason = format!("answered 422: {}", first_line(&reply.body));
                self.show(question, reason, None)
            }
            status => Outcome::Refused(format!("answered {status}: {}", first_line(&reply.body))),
        }
    }

    /// Keeps the lines that verify under this witness's keys; others are ignored.
    fn read_cosignatures(&self, request: &AddCheckpoint, body: &[u8]) -> Outcome {
        let Ok(body) = std::str::from_utf8(body) else {
            return Outcome::Refused("answered with what is not text".to_owned());
        };
        let is_valid = |line: &&str| {
            let verify = |key| verify_cosignature(key, &request.checkpoint, line).is_ok();
            self.keys.iter().any(verify)
        };
        let lines: String = body.split_inclusive('\n').filter(is_valid).collect();
        if lines.is_empty() {
            let reason = "answered without a valid cosignature by the key in the policy";
            return Outcome::Refused(reason.to_owned());
        }
        Outcome::Cosigned(lines)
    }

    /// Asks for the checkpoint that the witness cosigned last.
    fn show(&self, question: &Question, reason: String, told: Option<u64>) -> Outcome {
        let hash = hash_origin(question.checkpoint.origin());
        let url = format!("{}/{hash}/checkpoint", self.url);
        let reply = match left(question) {
            Some(left) => self.web.get(&url, MAX_ANSWER, left),
            None => return Outcome::Refused(reason),
        };
        match reply {
            Err(problem) if question.request.is_none() => {
                Outcome::Refused(format!("cannot be asked: {problem}"))
            }
            Ok(reply) if reply.status == 200 => Outcome::Showed {
                reason,
                told,
                shown: UnverifiedCheckpoint::parse(&reply.body).ok(),
            },
            Ok(_) | Err(_) => Outcome::Showed {
                reason,
                told,
                shown: None,
            },
        }
    }
}

/// The time that is left for an answer.
fn left(question: &Question) -> Option<Duration> {
    let left = question.deadline.saturating_duration_since(Instant::now());
    Some(left).filter(|left| !left.is_zero())
}

fn read_size(reply: &Reply) -> Option<u64> {
    if reply.content_type.as_deref() != Some("text/x.tlog.size") {
        return None;
    }
    let body = std::str::from_utf8(&reply.body).ok()?;
    parse_decimal(body.strip_suffix('\n')?)
}

/// What a witness says, short and without control characters, to put into a message.
fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}
