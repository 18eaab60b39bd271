//! Entries: the facts that the ledger holds, each in exactly one form of bytes.
//!
//! `docs/ledger.md` describes the form for a stranger, with test vectors. In short: an entry is a
//! JSON object without white space, its fields in the order in which the types here declare them,
//! `type` first, then `version`. Reading is strict: what does not come out as the same bytes when it
//! is written again is [`Reading::Unreadable`], and a type or version that this program does not
//! know is [`Reading::Unknown`]. Both are kept and shown.
//!
//! No entry holds a value of a person's record. Codes stand where a person would write words
//! (closed lists), and names have forms that admit no identification number ([`Label`]).

mod codes;
mod facts;
mod text;

use std::collections::BTreeSet;

use chancery_ledger::VerifierKey;
use chancery_model::{Decision, Digest, Fault, Outcome};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use codes::{
    AbortReason, ApprovalOf, LookUpReason, Onward, RecallReason, Role, RotationReason,
    Sanitisation, Scope, SignOffAct, Statement, SuspensionReason, Verdict, Verification,
};
pub use facts::{
    Approval, By, CommittedPeople, Destruction, Disclosure, KeyRotation, LookUp, Recall,
    ReleaseRef, SignOff, Signing, Snapshot, Suspended, Suspension, UseStatement,
};
pub use text::{
    KeySignature, Label, Pseudonym, Recorded, ReleaseId, Url, Version1, Version2, Vkey,
};

use crate::Clock;
use text::fault;

/// The most bytes of an entry: its length is written in two bytes (`c2sp.org/tlog-tiles`).
pub const MOST_BYTES: usize = 65_535;

/// The longest that an accounting is suspended by word of mouth (`45 CFR 164.528(a)(2)(ii)(C)`).
const MOST_ORAL_DAYS: i32 = 30;

/// The furthest that a day which somebody sets is from the day it is recorded.
const MOST_YEARS_APART: i32 = 10;

/// The most users of a release: a number of six digits is nobody's.
const MOST_USERS: u32 = 999_999;

/// A fact in the ledger, without any value of a person's record.
///
/// ```
/// use chancery_ledger::{Algorithm, SigningKey};
/// use chancery_release::Fixed;
/// use chancery_release::entry::{Entry, Reading};
///
/// let clock = Fixed("2026-01-10T12:00:00Z".parse()?);
/// let name = "agency.example/ledger/custodian";
/// let key = SigningKey::generate(name, Algorithm::Ed25519, [7; 32])?.verifier();
/// let entry = Entry::workspace(&key, &clock)?;
/// let bytes = entry.to_bytes()?;
/// assert!(bytes.starts_with(br#"{"type":"workspace","version":1,"recorded":"2026-01-10T12:00:00Z","#));
/// assert_eq!(Entry::from_bytes(&bytes), Reading::from(entry));
///
/// // The same with a space in it is not the entry.
/// let spaced = String::from_utf8(bytes)?.replace(",", ", ");
/// assert!(matches!(Entry::from_bytes(spaced.as_bytes()), Reading::Unreadable { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// The workspace began, with this key for its manifests.
    Workspace {
        /// The version of this form.
        version: Version1,
        /// When it was recorded.
        recorded: Recorded,
        /// The custodian's verifier key.
        custodian_key: Vkey,
    },
    /// Files left, or were about to when this was recorded.
    Release(Disclosure),
    /// A request was denied.
    Refusal(Disclosure),
    /// A release was begun and did not leave.
    Abort {
        /// The version of this form.
        version: Version1,
        /// When it was recorded.
        recorded: Recorded,
        /// The release.
        id: ReleaseId,
        /// Why it was given up.
        reason: AbortReason,
    },
    /// A reviewer stands for an instrument's encoding.
    SignOff(SignOff),
    /// A request or a release was approved, or not.
    Approval(Approval),
    /// A recipient states what it used a release for.
    UseStatement(UseStatement),
    /// The custodian calls a release back.
    Recall(Recall),
    /// A recipient certifies that a release was destroyed.
    Destruction(Destruction),
    /// An instrument, or a person's accounting, is suspended.
    Suspension(Suspension),
    /// Someone looked at the accounting of a person.
    LookUp(LookUp),
    /// A text of the law as it was found.
    Snapshot(Snapshot),
    /// The log's keys change.
    KeyRotation(KeyRotation),
}

/// What bytes of the ledger say to this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// An entry, in its one form.
    Known(Box<Entry>),
    /// A type, or a version of one, that a later program wrote.
    Unknown {
        /// The type, as it stands there: it may hold any character.
        kind: String,
        /// The version.
        version: u64,
    },
    /// No entry, or one that is not in its one form.
    Unreadable {
        /// Why, in words that repeat nothing of it.
        problem: String,
    },
}

impl Reading {
    /// The entry, if it is known.
    pub fn known(self) -> Option<Entry> {
        match self {
            Self::Known(entry) => Some(*entry),
            Self::Unknown { .. } | Self::Unreadable { .. } => None,
        }
    }
}

impl From<Entry> for Reading {
    fn from(entry: Entry) -> Self {
        Self::Known(Box::new(entry))
    }
}

/// The fields that every version of every type begins with.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    version: u64,
}

impl Entry {
    /// Every type that this program knows, in the order of the documentation.
    pub const KINDS: [&'static str; 13] = [
        "workspace",
        "release",
        "refusal",
        "abort",
        "sign_off",
        "approval",
        "use_statement",
        "recall",
        "destruction",
        "suspension",
        "look_up",
        "snapshot",
        "key_rotation",
    ];

    /// The newest version of a type.
    fn newest(kind: &str) -> u64 {
        match kind {
            "release" | "sign_off" | "suspension" | "look_up" => Version2::Two.into(),
            _ => Version1::NUMBER,
        }
    }

    /// Its type, as it is written.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Workspace { .. } => "workspace",
            Self::Release(_) => "release",
            Self::Refusal(_) => "refusal",
            Self::Abort { .. } => "abort",
            Self::SignOff(_) => "sign_off",
            Self::Approval(_) => "approval",
            Self::UseStatement(_) => "use_statement",
            Self::Recall(_) => "recall",
            Self::Destruction(_) => "destruction",
            Self::Suspension(_) => "suspension",
            Self::LookUp(_) => "look_up",
            Self::Snapshot(_) => "snapshot",
            Self::KeyRotation(_) => "key_rotation",
        }
    }

    /// When it was recorded.
    pub fn recorded(&self) -> Recorded {
        match self {
            Self::Workspace { recorded, .. } | Self::Abort { recorded, .. } => *recorded,
            Self::Release(fact) | Self::Refusal(fact) => fact.recorded,
            Self::SignOff(fact) => fact.recorded,
            Self::Approval(fact) => fact.recorded,
            Self::UseStatement(fact) => fact.recorded,
            Self::Recall(fact) => fact.recorded,
            Self::Destruction(fact) => fact.recorded,
            Self::Suspension(fact) => fact.recorded,
            Self::LookUp(fact) => fact.recorded,
            Self::Snapshot(fact) => fact.recorded,
            Self::KeyRotation(fact) => fact.recorded,
        }
    }

    /// Its bytes in the ledger.
    ///
    /// # Errors
    ///
    /// A fault when its fields contradict each other, or it is over [`MOST_BYTES`]: what could not
    /// be read back is not written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Fault> {
        self.check()?;
        let bytes = serde_json::to_vec(self)
            .map_err(|_| fault(self.kind(), "cannot be written as JSON"))?;
        if bytes.len() > MOST_BYTES {
            let problem = format!(
                "is {} bytes long, and an entry has {MOST_BYTES} at most",
                bytes.len()
            );
            return Err(fault(self.kind(), problem).hint("record it in several entries"));
        }
        Ok(bytes)
    }

    /// Reads what the ledger holds at an index. Nothing is an error: what this program cannot read
    /// is in the ledger all the same.
    pub fn from_bytes(bytes: &[u8]) -> Reading {
        let unreadable = |problem: String| Reading::Unreadable { problem };
        if bytes.len() > MOST_BYTES {
            return unreadable(format!("is over {MOST_BYTES} bytes"));
        }
        let Ok(Head { kind, version }) = serde_json::from_slice(bytes) else {
            return unreadable("is no JSON object with a `type` and a `version`".to_owned());
        };
        let Some(known) = Self::KINDS.iter().find(|known| **known == kind) else {
            return Reading::Unknown { kind, version };
        };
        if !(Version1::NUMBER..=Self::newest(known)).contains(&version) {
            return Reading::Unknown { kind, version };
        }
        match serde_json::from_slice::<Self>(bytes) {
            Err(_) => unreadable(format!(
                "does not have the fields of version {version} of `{known}`"
            )),
            Ok(entry) => match entry.to_bytes() {
                Err(fault) => {
                    let field = fault.field.unwrap_or_default();
                    unreadable(format!(
                        "contradicts itself in `{field}`: {}",
                        fault.problem
                    ))
                }
                Ok(again) if again != bytes => unreadable("is not in canonical form".to_owned()),
                Ok(_) => entry.into(),
            },
        }
    }

    /// Whether the fields agree with each other.
    fn check(&self) -> Result<(), Fault> {
        let recorded = self.recorded().date();
        match self {
            Self::Workspace { .. } | Self::Abort { .. } | Self::Approval(_) | Self::Snapshot(_) => {
                Ok(())
            }
            Self::LookUp(fact) => {
                let by_code = fact.version == Version2::One;
                let agrees =
                    fact.reason.is_some() == by_code && fact.statement.is_none() == by_code;
                agree(
                    agrees,
                    "reason",
                    "version 1 has a `reason`, version 2 a `statement`",
                )
            }
            Self::SignOff(fact) => {
                let second = [fact.act.is_some(), fact.log.is_some(), fact.after.is_some()];
                of_version(fact.version, &second)
            }
            Self::Release(fact) => {
                let released = fact.outcome != Outcome::Denied && fact.manifest.is_some();
                let rule = "a release has one, and an outcome that is not denied";
                agree(released, "manifest", rule)?;
                let there = fact.version == Version2::Two;
                let rule = "`people` comes with version 2";
                agree(fact.people.is_some() == there, "people", rule)
            }
            Self::Refusal(fact) => {
                let refused = fact.outcome == Outcome::Denied && fact.manifest.is_none();
                agree(
                    refused && fact.version == Version2::One && fact.people.is_none(),
                    "manifest",
                    "a refusal has none, and the outcome denied",
                )
            }
            Self::UseStatement(fact) => check_use(fact, recorded),
            Self::Recall(fact) => near("due", fact.due, recorded),
            Self::Destruction(fact) => near("on", fact.on, recorded),
            Self::Suspension(fact) => check_suspension(fact, recorded),
            Self::KeyRotation(fact) => check_rotation(fact),
        }
    }
}

fn agree(agrees: bool, field: &str, rule: &str) -> Result<(), Fault> {
    if agrees {
        return Ok(());
    }
    Err(fault(field, rule).hint("correct the entry's fields; nothing was recorded"))
}

fn in_order(field: &str, first: Date, last: Option<Date>) -> Result<(), Fault> {
    let ordered = last.is_none_or(|last| first <= last);
    agree(ordered, field, "the last day is not before the first")
}

/// A day that somebody sets has to do with the day it is recorded: most people's dates of birth do
/// not.
fn near(field: &str, day: Date, recorded: Date) -> Result<(), Fault> {
    let apart = i32::from(day.year()) - i32::from(recorded.year());
    let rule = "the day is within ten years of the day it is recorded";
    agree(apart.abs() <= MOST_YEARS_APART, field, rule)
}

fn check_use(fact: &UseStatement, recorded: Date) -> Result<(), Fault> {
    near("from", fact.from, recorded)?;
    near("to", fact.to, recorded)?;
    in_order("to", fact.from, Some(fact.to))?;
    let few = fact.users <= MOST_USERS;
    agree(few, "users", "no agency has more than 999,999 users")
}

/// Whether the fields that only the second version has are all there in it, and none in the first.
fn of_version(version: Version2, second: &[bool]) -> Result<(), Fault> {
    let there = version == Version2::Two;
    let rule = "`act`, `log`, `after` and a suspension's `key` come with version 2, all of them";
    agree(second.iter().all(|has| *has == there), "version", rule)
}

fn check_suspension(fact: &Suspension, recorded: Date) -> Result<(), Fault> {
    let second = [
        fact.log.is_some(),
        fact.after.is_some(),
        fact.key.is_some(),
        fact.signature.is_some(),
    ];
    of_version(fact.version, &second)?;
    if fact.version == Version2::Two {
        let of_instrument = matches!(fact.of, Suspended::Instrument { .. });
        let rule = "version 2 is an instrument's, and it has no last day: two people end it";
        agree(of_instrument && fact.until.is_none(), "of", rule)?;
    }
    near("from", fact.from, recorded)?;
    in_order("until", fact.from, fact.until)?;
    if let Some(until) = fact.until {
        near("until", until, recorded)?;
    }
    let Suspended::Accounting { basis, .. } = &fact.of else {
        return Ok(());
    };
    let ends = fact.until.is_some();
    agree(
        ends,
        "until",
        "the suspension of an accounting has a last day",
    )?;
    let latest = match basis {
        Statement::Written => None,
        Statement::Oral => fact.from.checked_add(MOST_ORAL_DAYS.days()).ok(),
    };
    agree(
        latest.is_none_or(|latest| fact.until <= Some(latest)),
        "until",
        "by word of mouth an accounting is suspended for 30 days at most",
    )
}

fn check_rotation(fact: &KeyRotation) -> Result<(), Fault> {
    let named: Vec<&Vkey> = fact.added.iter().chain(&fact.retired).collect();
    let distinct: BTreeSet<&Vkey> = named.iter().copied().collect();
    let some = !named.is_empty();
    agree(some, "added", "a rotation adds or retires a key")?;
    let own = named.iter().all(|key| fact.log == *key.name());
    agree(own, "added", "a key of the log has the log's name")?;
    let once = named.len() == distinct.len();
    agree(once, "retired", "a key is named once")
}

/// The hash of an entry's leaf in the tree: SHA-256 of a zero byte and the entry (RFC 6962).
pub fn leaf_hash(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest([&[0], bytes].concat()).into())
}

/// One constructor for each type. All refuse what [`Entry::to_bytes`] would refuse.
impl Entry {
    /// The workspace begins with this key for its manifests.
    ///
    /// # Errors
    ///
    /// When the key's name is no [`Label`].
    pub fn workspace(custodian: &VerifierKey, clock: &dyn Clock) -> Result<Self, Fault> {
        Self::Workspace {
            version: Version1,
            recorded: Recorded::now(clock),
            custodian_key: Vkey::of("custodian_key", &custodian.to_string())?,
        }
        .checked()
    }

    /// A release, before it leaves.
    ///
    /// # Errors
    ///
    /// When a name in the request is no [`Label`], or the decision denies.
    pub fn release(
        id: &str,
        decision: &Decision,
        manifest: Digest,
        people: CommittedPeople,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::Release(Disclosure {
            version: Version2::Two,
            manifest: Some(manifest),
            people: Some(people),
            ..disclosure(id, decision, clock)?
        })
        .checked()
    }

    /// A refusal.
    ///
    /// # Errors
    ///
    /// When a name in the request is no [`Label`], or the decision does not deny.
    pub fn refusal(id: &str, decision: &Decision, clock: &dyn Clock) -> Result<Self, Fault> {
        Self::Refusal(disclosure(id, decision, clock)?).checked()
    }

    /// A release that was given up. An id that is none is not repeated: see
    /// [`ReleaseId::of_folder`].
    pub fn abort(id: &str, reason: AbortReason, clock: &dyn Clock) -> Self {
        Self::Abort {
            version: Version1,
            recorded: Recorded::now(clock),
            id: ReleaseId::of_folder(id),
            reason,
        }
    }

    /// A sign-off: `signature` is `key`'s, of [`SignOff::message`].
    ///
    /// # Errors
    ///
    /// When the signature does not verify.
    pub fn sign_off(
        instrument: Label,
        digest: Digest,
        by: By,
        key: &VerifierKey,
        signature: &[u8; 64],
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        let fact = SignOff {
            version: Version2::One,
            recorded: Recorded::now(clock),
            instrument,
            digest,
            agency: by.agency,
            role: by.role,
            act: None,
            log: None,
            after: None,
            key: Vkey::of("key", &key.to_string())?,
            signature: KeySignature::from_bytes(*signature),
        };
        let verified = fact.verify().is_ok();
        agree(verified, "signature", "is not the key's, of this sign-off")?;
        Self::SignOff(fact).checked()
    }

    /// A sign-off in its second form: `signature` is `key`'s, of [`Signing::sign_off`].
    ///
    /// # Errors
    ///
    /// When the signature does not verify.
    pub fn sign_off_in_log(
        signing: Signing,
        act: SignOffAct,
        key: &VerifierKey,
        signature: &[u8; 64],
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        let fact = SignOff {
            version: Version2::Two,
            recorded: Recorded::now(clock),
            instrument: signing.unit,
            digest: signing.digest,
            agency: signing.by.agency,
            role: signing.by.role,
            act: Some(act),
            log: Some(signing.log),
            after: Some(signing.after),
            key: Vkey::of("key", &key.to_string())?,
            signature: KeySignature::from_bytes(*signature),
        };
        let verified = fact.verify().is_ok();
        agree(verified, "signature", "is not the key's, of this sign-off")?;
        Self::SignOff(fact).checked()
    }

    /// The suspension of an instrument in its second form, from a day on: `signature` is `key`'s, of
    /// [`Signing::suspension`].
    ///
    /// # Errors
    ///
    /// When the signature does not verify.
    pub fn suspension_in_log(
        signing: Signing,
        reason: SuspensionReason,
        from: Date,
        key: &VerifierKey,
        signature: &[u8; 64],
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        let fact = Suspension {
            version: Version2::Two,
            recorded: Recorded::now(clock),
            of: Suspended::Instrument {
                id: signing.unit,
                digest: signing.digest,
                reason,
            },
            agency: signing.by.agency,
            role: signing.by.role,
            from,
            until: None,
            log: Some(signing.log),
            after: Some(signing.after),
            key: Some(Vkey::of("key", &key.to_string())?),
            signature: Some(KeySignature::from_bytes(*signature)),
        };
        agree(
            fact.is_verified(),
            "signature",
            "is not the key's, of this suspension",
        )?;
        Self::Suspension(fact).checked()
    }

    /// An approval: `digest` is that of the request's text, or of the manifest.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn approval(
        of: ApprovalOf,
        id: ReleaseId,
        digest: Digest,
        verdict: Verdict,
        by: By,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::Approval(Approval {
            version: Version1,
            recorded: Recorded::now(clock),
            of,
            id,
            digest,
            verdict,
            agency: by.agency,
            role: by.role,
        })
        .checked()
    }

    /// A recipient's statement of use for the days `days.0` to `days.1`, of which `statement` is
    /// the digest.
    ///
    /// # Errors
    ///
    /// When the last day is before the first.
    pub fn use_statement(
        of: ReleaseRef,
        purpose: Label,
        days: (Date, Date),
        users: u32,
        onward: Onward,
        statement: Digest,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::UseStatement(UseStatement {
            version: Version1,
            recorded: Recorded::now(clock),
            release: of.release,
            manifest: of.manifest,
            recipient: of.recipient,
            purpose,
            from: days.0,
            to: days.1,
            users,
            onward,
            statement,
        })
        .checked()
    }

    /// A recall, to be answered by a certificate of destruction until `due`.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn recall(
        of: ReleaseRef,
        reason: RecallReason,
        instrument: Option<Label>,
        scope: Scope,
        due: Date,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::Recall(Recall {
            version: Version1,
            recorded: Recorded::now(clock),
            release: of.release,
            manifest: of.manifest,
            recipient: of.recipient,
            reason,
            instrument,
            scope,
            due,
        })
        .checked()
    }

    /// A certificate of destruction, of which `certificate` is the digest.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn destruction(
        of: ReleaseRef,
        method: Sanitisation,
        verification: Verification,
        scope: Scope,
        on: Date,
        certificate: Digest,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::Destruction(Destruction {
            version: Version1,
            recorded: Recorded::now(clock),
            release: of.release,
            manifest: of.manifest,
            recipient: of.recipient,
            method,
            verification,
            scope,
            on,
            certificate,
        })
        .checked()
    }

    /// A suspension from one day until another, both included.
    ///
    /// # Errors
    ///
    /// When the last day is before the first, or the suspension of an accounting has no last day or
    /// one that the law does not allow.
    pub fn suspension(
        of: Suspended,
        by: By,
        from: Date,
        until: Option<Date>,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::Suspension(Suspension {
            version: Version2::One,
            recorded: Recorded::now(clock),
            of,
            agency: by.agency,
            role: by.role,
            from,
            until,
            log: None,
            after: None,
            key: None,
            signature: None,
        })
        .checked()
    }

    /// A look-up of a person's accounting.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn look_up(
        person: Pseudonym,
        reason: LookUpReason,
        by: By,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::LookUp(LookUp {
            version: Version2::One,
            recorded: Recorded::now(clock),
            person,
            reason: Some(reason),
            statement: None,
            agency: by.agency,
            role: by.role,
        })
        .checked()
    }

    /// The same for a reason in words, of which the entry has the digest.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn look_up_for(
        person: Pseudonym,
        statement: Digest,
        by: By,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::LookUp(LookUp {
            version: Version2::Two,
            recorded: Recorded::now(clock),
            person,
            reason: None,
            statement: Some(statement),
            agency: by.agency,
            role: by.role,
        })
        .checked()
    }

    /// A snapshot of an instrument's text.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn snapshot(
        instrument: Label,
        url: Url,
        sha256: Digest,
        fetched: Recorded,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::Snapshot(Snapshot {
            version: Version1,
            recorded: Recorded::now(clock),
            instrument,
            url,
            sha256,
            fetched,
        })
        .checked()
    }

    /// A change of the log's keys.
    ///
    /// # Errors
    ///
    /// When no key changes, one is not the log's or is named twice, or there are too many for one
    /// entry.
    pub fn key_rotation(
        log: Label,
        reason: RotationReason,
        added: Vec<Vkey>,
        retired: Vec<Vkey>,
        clock: &dyn Clock,
    ) -> Result<Self, Fault> {
        Self::KeyRotation(KeyRotation {
            version: Version1,
            recorded: Recorded::now(clock),
            log,
            reason,
            added,
            retired,
        })
        .checked()
    }

    fn checked(self) -> Result<Self, Fault> {
        self.to_bytes().map(|_| self)
    }
}

fn disclosure(id: &str, decision: &Decision, clock: &dyn Clock) -> Result<Disclosure, Fault> {
    let request = &decision.request;
    Ok(Disclosure {
        version: Version2::One,
        recorded: Recorded::now(clock),
        id: ReleaseId::of("id", id)?,
        on: decision.on,
        custodian: Label::of("custodian", &request.custodian)?,
        recipient: Label::of("recipient", &request.recipient)?,
        purpose: Label::of("purpose", &request.purpose)?,
        dataset: Label::of("dataset", &request.dataset)?,
        outcome: decision.outcome,
        law: decision.law.digest,
        manifest: None,
        people: None,
    })
}
