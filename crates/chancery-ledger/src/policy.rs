//! Which logs and witnesses to trust, and how many witnesses it takes: `c2sp.org/tlog-policy`.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use crate::error::{Error, Result};
use crate::key::{Algorithm, VerifierKey};
use crate::keyring::Trust;

/// Room for hundreds of witnesses with ML-DSA-44 keys.
const MAX_FILE: usize = 1024 * 1024;

/// The quorum that asks for nothing.
const NONE: &[u8] = b"none";

/// A policy: logs, witnesses, and a quorum of witnesses.
///
/// A checkpoint passes when a listed log has signed it and enough witnesses have cosigned it. One
/// log line is enough: where a log is listed with its Ed25519 key and its ML-DSA-44 key, either
/// signature will do, as the specification has it. Whoever wants both uses a
/// [`Keyring`](crate::Keyring) for the log, and the policy for the witnesses
/// ([`Policy::check_quorum`]).
///
/// Stricter than the specification, a key cannot be both a log's and a witness's: a log is not a
/// witness of its own. And the last line must have its line end, as a file that was cut short
/// might ask for less.
///
/// # Example
///
/// ```
/// use chancery_ledger::{Algorithm, Error, LogKeys, Policy, SigningKey, cosign};
///
/// let log = LogKeys::generate("agency.example/ledger", &[7; 32])?;
/// let witness = SigningKey::generate("witness.example/w1", Algorithm::MlDsa44, [8; 32])?;
/// let policy: Policy = format!(
///     "log {}\nwitness W1 {}\nquorum W1\n",
///     log.keyring().current()[0],
///     witness.verifier(),
/// )
/// .parse()?;
///
/// let checkpoint = log.sign(1, [3; 32], 1_790_000_000)?;
/// let refused = policy.check(&checkpoint.clone().into());
/// assert!(matches!(refused, Err(Error::NoQuorum { .. })));
///
/// let line = cosign(&witness, &checkpoint.clone().into(), 1_790_000_001)?;
/// let cosigned = checkpoint.with_cosignatures(&line)?;
/// assert_eq!(policy.check(&cosigned.into())?.size(), 1);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    /// INVARIANT: the members of a group come before it.
    nodes: Vec<Node>,
    /// The place among `nodes`; without one, no witness is asked for.
    quorum: Option<usize>,
}

/// A log that a policy accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLog {
    /// Its key. The key's name is the log's origin.
    pub vkey: VerifierKey,
    /// Where it is.
    pub url: Option<String>,
}

/// A witness that a policy knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyWitness {
    /// Its name within the policy.
    pub name: String,
    /// Its key.
    pub vkey: VerifierKey,
    /// Where it answers.
    pub url: Option<String>,
}

/// A name that a quorum or a group can refer to.
#[derive(Clone, Debug)]
struct Node {
    name: String,
    kind: NodeKind,
}

#[derive(Clone, Debug)]
enum NodeKind {
    /// The place among the witnesses.
    Witness(usize),
    /// How many of the members, given as places among the nodes, have to witness.
    Group {
        threshold: usize,
        members: Vec<usize>,
    },
}

impl Policy {
    /// Parses a policy file, in which names and comments may be any bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] with the line.
    pub fn parse(file: &[u8]) -> Result<Self> {
        if file.len() > MAX_FILE {
            return Err(at(1, "the policy is longer than 1 MiB"));
        }
        let Some(text) = file.strip_suffix(b"\n") else {
            let last = file.split(|byte| *byte == b'\n').count();
            return Err(at(
                last,
                "the last line has no line end: is the file whole?",
            ));
        };
        let mut parser = Parser::default();
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            parser.line = number;
            parser.parse_line(line)?;
        }
        parser.finish()
    }

    /// The logs, in the order of the file. There may be none.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses, in the order of the file.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Whether the quorum asks for any witness at all.
    pub fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Checks that a listed log has signed and that the quorum has cosigned.
    ///
    /// # Errors
    ///
    /// [`Error::WrongOrigin`] when no log with that origin is listed, [`Error::Policy`] when no log
    /// is listed at all, [`Error::BadSignature`] when none of its keys has signed, or when any
    /// signature by any key of the policy is bad, and [`Error::NoQuorum`] when too few witnesses
    /// have cosigned.
    pub fn check(&self, checkpoint: &UnverifiedCheckpoint) -> Result<Checkpoint> {
        let of_log: Vec<&VerifierKey> = self.keys_of(checkpoint.origin());
        let Some(first) = of_log.first() else {
            return Err(self.unknown_log(checkpoint));
        };
        let signed = checkpoint.verify_known(&self.keys())?;
        let by_log = signed.iter().filter(|(key, _)| of_log.contains(key));
        if by_log.clone().next().is_none() {
            return Err(first.bad_signature());
        }
        self.expect_quorum(&signed)?;
        let timestamp = by_log.filter_map(|(_, time)| *time).max();
        Ok(Checkpoint::verified(checkpoint.clone(), timestamp))
    }

    /// Checks that a listed log has signed, whoever has cosigned.
    ///
    /// # Errors
    ///
    /// As for [`Policy::check`], without [`Error::NoQuorum`].
    pub(crate) fn check_log(&self, checkpoint: &UnverifiedCheckpoint) -> Result<Checkpoint> {
        Self {
            quorum: None,
            ..self.clone()
        }
        .check(checkpoint)
    }

    /// Checks that the quorum has cosigned, whatever log it is.
    ///
    /// For whoever has verified the log's own signatures, with its keyring.
    ///
    /// # Errors
    ///
    /// [`Error::NoQuorum`] when too few witnesses have cosigned, [`Error::BadSignature`] when any
    /// signature by any key of the policy is bad.
    pub fn check_quorum(&self, checkpoint: &UnverifiedCheckpoint) -> Result<()> {
        self.expect_quorum(&checkpoint.verify_known(&self.keys())?)
    }

    /// The witnesses that have cosigned, with their times in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Error::BadSignature`] when any signature by any key of the policy is bad.
    pub fn cosigners(
        &self,
        checkpoint: &UnverifiedCheckpoint,
    ) -> Result<Vec<(&PolicyWitness, u64)>> {
        let signed = checkpoint.verify_known(&self.keys())?;
        let time_of = |witness: &PolicyWitness| {
            let own = signed.iter().filter(|(key, _)| **key == witness.vkey);
            own.filter_map(|(_, time)| *time).max()
        };
        let cosigned = self.witnesses.iter();
        Ok(cosigned
            .filter_map(|witness| Some((witness, time_of(witness)?)))
            .collect())
    }

    fn keys(&self) -> Vec<&VerifierKey> {
        let logs = self.logs.iter().map(|log| &log.vkey);
        let witnesses = self.witnesses.iter().map(|witness| &witness.vkey);
        logs.chain(witnesses).collect()
    }

    fn keys_of(&self, origin: &str) -> Vec<&VerifierKey> {
        let keys = self.logs.iter().map(|log| &log.vkey);
        keys.filter(|key| key.name() == origin).collect()
    }

    fn unknown_log(&self, checkpoint: &UnverifiedCheckpoint) -> Error {
        let mut names: Vec<&str> = self.logs.iter().map(|log| log.vkey.name()).collect();
        if names.is_empty() {
            return at(1, "neither this line nor any other lists a log");
        }
        names.sort_unstable();
        names.dedup();
        Error::WrongOrigin {
            expected: names.join("` or `"),
            found: checkpoint.origin().to_owned(),
        }
    }

    fn expect_quorum(&self, signed: &[(&VerifierKey, Option<u64>)]) -> Result<()> {
        let Some(quorum) = self.quorum else {
            return Ok(());
        };
        // A signature without a time does not say that the tree was the largest.
        let has_cosigned = |witness: &PolicyWitness| {
            let mut timed = signed.iter().filter(|(_, time)| time.is_some());
            timed.any(|(key, _)| **key == witness.vkey)
        };
        let cosigned: Vec<bool> = self.witnesses.iter().map(has_cosigned).collect();
        let witnessed = self.witnessed(&cosigned);
        if witnessed.get(quorum) == Some(&true) {
            return Ok(());
        }
        Err(self.no_quorum(quorum, &cosigned))
    }

    /// Whether the quorum could be met if all these witnesses cosigned.
    pub(crate) fn expect_quorum_of(&self, is_there: impl Fn(&PolicyWitness) -> bool) -> Result<()> {
        let Some(quorum) = self.quorum else {
            return Ok(());
        };
        let there: Vec<bool> = self.witnesses.iter().map(is_there).collect();
        if self.witnessed(&there).get(quorum) == Some(&true) {
            return Ok(());
        }
        Err(self.no_quorum(quorum, &there))
    }

    /// Which nodes have witnessed, given which witnesses have cosigned.
    fn witnessed(&self, cosigned: &[bool]) -> Vec<bool> {
        let mut witnessed: Vec<bool> = Vec::with_capacity(self.nodes.len());
        let is_true = |values: &[bool], place: usize| values.get(place) == Some(&true);
        for node in &self.nodes {
            let has = match &node.kind {
                NodeKind::Witness(place) => is_true(cosigned, *place),
                NodeKind::Group { threshold, members } => {
                    let have = members.iter().filter(|place| is_true(&witnessed, **place));
                    have.count() >= *threshold
                }
            };
            witnessed.push(has);
        }
        witnessed
    }

    fn no_quorum(&self, quorum: usize, cosigned: &[bool]) -> Error {
        // The quorum and all below it. Members come before their group.
        let mut matters = vec![false; self.nodes.len()];
        let mut lacking = Vec::new();
        for (place, node) in self.nodes.iter().enumerate().rev() {
            if place != quorum && matters.get(place) != Some(&true) {
                continue;
            }
            match &node.kind {
                NodeKind::Witness(witness) if cosigned.get(*witness) == Some(&false) => {
                    lacking.push(format!("`{}`", node.name));
                }
                NodeKind::Witness(_) => {}
                NodeKind::Group { members, .. } => members.iter().for_each(|member| {
                    if let Some(matters) = matters.get_mut(*member) {
                        *matters = true;
                    }
                }),
            }
        }
        lacking.reverse();
        let name = self.nodes.get(quorum).map(|node| node.name.clone());
        Error::NoQuorum {
            quorum: name.unwrap_or_default(),
            lacking: lacking.join(", "),
        }
    }
}

impl Trust for Policy {
    fn verify(&self, checkpoint: UnverifiedCheckpoint) -> Result<Checkpoint> {
        self.check(&checkpoint)
    }
}

impl FromStr for Policy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text.as_bytes())
    }
}

/// What has been read so far.
#[derive(Default)]
struct Parser {
    /// The line that is being read, from 1.
    line: usize,
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    nodes: Vec<Node>,
    /// The line with the quorum, and the place of its node.
    quorum: Option<(usize, Option<usize>)>,
    /// The place of each name, and the line that defines it.
    names: BTreeMap<Vec<u8>, (usize, usize)>,
    /// The line that lists each node as a member.
    listed: BTreeMap<usize, usize>,
    /// The line of each public key, and of each pair of name and id.
    public_keys: BTreeMap<Vec<u8>, usize>,
    ids: BTreeMap<(String, u32), usize>,
}

impl Parser {
    fn parse_line(&mut self, line: &[u8]) -> Result<()> {
        if line
            .iter()
            .any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f)
        {
            return Err(self.wrong("a control character other than tab; are its line ends LF?"));
        }
        let items: Vec<&[u8]> = line
            .split(|byte| *byte == b' ' || *byte == b'\t')
            .filter(|item| !item.is_empty())
            .collect();
        match items.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", vkey] => self.log(vkey, None),
            [b"log", vkey, url] => self.log(vkey, Some(url)),
            [b"log", ..] => Err(self.wrong("expected `log <vkey> [<url>]`")),
            [b"witness", name, vkey] => self.witness(name, vkey, None),
            [b"witness", name, vkey, url] => self.witness(name, vkey, Some(url)),
            [b"witness", ..] => Err(self.wrong("expected `witness <name> <vkey> [<url>]`")),
            [b"group", name, threshold, members @ ..] if !members.is_empty() => {
                self.group(name, threshold, members)
            }
            [b"group", ..] => Err(self.wrong("expected `group <name> all|any|<k> <name>...`")),
            [b"quorum", name] => self.quorum(name),
            [b"quorum", ..] => Err(self.wrong("expected `quorum <name>`")),
            [other, ..] => {
                let other = shown(other);
                Err(self.wrong(format!(
                    "`{other}` is none of `log`, `witness`, `group` and `quorum`"
                )))
            }
        }
    }

    fn log(&mut self, vkey: &[u8], url: Option<&&[u8]>) -> Result<()> {
        let vkey = self.vkey(vkey)?;
        let url = url.map(|url| shown(url));
        self.logs.push(PolicyLog { vkey, url });
        Ok(())
    }

    fn witness(&mut self, name: &[u8], vkey: &[u8], url: Option<&&[u8]>) -> Result<()> {
        let vkey = self.vkey(vkey)?;
        if vkey.algorithm() == Algorithm::Ed25519 {
            return Err(self.wrong(
                "a plain Ed25519 key (0x01) cannot cosign; a witness has a key of 0x04 or 0x06",
            ));
        }
        self.define(name, NodeKind::Witness(self.witnesses.len()))?;
        self.witnesses.push(PolicyWitness {
            name: shown(name),
            vkey,
            url: url.map(|url| shown(url)),
        });
        Ok(())
    }

    fn group(&mut self, name: &[u8], threshold: &[u8], members: &[&[u8]]) -> Result<()> {
        let count = members.len();
        let threshold = match threshold {
            b"all" => Some(count),
            b"any" => Some(1),
            digits => decimal(digits).filter(|k| (1..=count).contains(k)),
        };
        let threshold = threshold.ok_or_else(|| {
            self.wrong(format!(
                "expected `all`, `any` or a number from 1 to {count}"
            ))
        })?;
        let places = members.iter().map(|member| self.list(member));
        let members = places.collect::<Result<Vec<_>>>()?;
        self.define(name, NodeKind::Group { threshold, members })
    }

    fn quorum(&mut self, name: &[u8]) -> Result<()> {
        if let Some((line, _)) = self.quorum {
            return Err(self.wrong(format!("the quorum is on line {line} already")));
        }
        let place = if name == NONE {
            None
        } else {
            Some(self.find(name)?)
        };
        self.quorum = Some((self.line, place));
        Ok(())
    }

    fn finish(self) -> Result<Policy> {
        let Some((_, quorum)) = self.quorum else {
            return Err(at(self.line, "no `quorum` line up to here"));
        };
        Ok(Policy {
            logs: self.logs,
            witnesses: self.witnesses,
            nodes: self.nodes,
            quorum,
        })
    }

    /// Parses a key that no other line has.
    fn vkey(&mut self, vkey: &[u8]) -> Result<VerifierKey> {
        let key = std::str::from_utf8(vkey).map_err(|_| self.wrong("the vkey is not UTF-8"))?;
        let key: VerifierKey = key
            .parse()
            .map_err(|problem: Error| self.wrong(problem.to_string()))?;
        let id = (key.name().to_owned(), key.id());
        let same_key = self.public_keys.insert(key.public_key(), self.line);
        let same_id = self.ids.insert(id, self.line);
        match same_key.or(same_id) {
            None => Ok(key),
            Some(line) => Err(self.wrong(format!("the key, or its id, is on line {line} already"))),
        }
    }

    fn define(&mut self, name: &[u8], kind: NodeKind) -> Result<()> {
        if name == NONE {
            return Err(self.wrong("`none` is a name of the policy language itself"));
        }
        let place = self.nodes.len();
        if let Some((_, line)) = self.names.insert(name.to_vec(), (place, self.line)) {
            return Err(self.wrong(format!("`{}` is on line {line} already", shown(name))));
        }
        let name = shown(name);
        self.nodes.push(Node { name, kind });
        Ok(())
    }

    fn find(&self, name: &[u8]) -> Result<usize> {
        let found = self.names.get(name).map(|(place, _)| *place);
        found.ok_or_else(|| {
            let name = shown(name);
            self.wrong(format!(
                "`{name}` is no witness or group of an earlier line"
            ))
        })
    }

    /// Finds a member of a group, each of which is listed once in the whole policy.
    fn list(&mut self, name: &[u8]) -> Result<usize> {
        let place = self.find(name)?;
        match self.listed.insert(place, self.line) {
            None => Ok(place),
            Some(line) => {
                let name = shown(name);
                Err(self.wrong(format!("`{name}` is a member already, by line {line}")))
            }
        }
    }

    fn wrong(&self, problem: impl Into<String>) -> Error {
        at(self.line, problem)
    }
}

fn at(line: usize, problem: impl Into<String>) -> Error {
    Error::Policy {
        line,
        problem: problem.into(),
    }
}

/// Bytes as messages show them.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn decimal(digits: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(digits).ok()?;
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal.then(|| digits.parse().ok()).flatten()
}
