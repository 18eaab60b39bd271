//! What each type of entry says, field by field, in the order in which it is written.

use chancery_ledger::VerifierKey;
use chancery_model::{Digest, Outcome};
use chancery_register::PublicKey;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::codes::{
    ApprovalOf, LookUpReason, Onward, RecallReason, Role, RotationReason, Sanitisation, Scope,
    SignOffAct, Statement, SuspensionReason, Verdict, Verification,
};
use super::text::{
    KeySignature, Label, Pseudonym, Recorded, ReleaseId, Url, Version1, Version2, Vkey,
};

/// Who asked for what, and what came of it: a release, or a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// The version of this form.
    pub version: Version2,
    /// When it was recorded.
    pub recorded: Recorded,
    /// The release's id; the same request refused twice has the same.
    pub id: ReleaseId,
    /// The day whose law applied.
    pub on: Date,
    /// The custodian.
    pub custodian: Label,
    /// The recipient (`45 CFR 164.528(b)(2)(ii)`).
    pub recipient: Label,
    /// The purpose (`45 CFR 164.528(b)(2)(iv)`).
    pub purpose: Label,
    /// The dataset.
    pub dataset: Label,
    /// Full, partial or denied.
    pub outcome: Outcome,
    /// The digest of the law pack.
    pub law: Digest,
    /// The digest of `manifest.dsse.json`; a refusal has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub manifest: Option<Digest>,
    /// Who it was about, by a root; releases of the first form, and refusals, have none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub people: Option<CommittedPeople>,
}

/// What a release's entry binds the custodian to about the people it was about (`docs/register.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommittedPeople {
    /// The root over them.
    pub root: Digest,
    /// The key that tells whose pseudonym is whose, `c2sp.org/vrf-r255`.
    pub key: PublicKey,
}

/// A reviewer stands for an instrument's encoding, or does so no more.
///
/// The second form says what is done, in which log, and how long that was then; the signature is
/// over all of it, so that no copy of an entry passes for another sign-off. Only that form counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOff {
    /// The version of this form.
    pub version: Version2,
    /// When it was recorded.
    pub recorded: Recorded,
    /// The instrument, or what else is signed off as a whole.
    pub instrument: Label,
    /// The digest of its encoding.
    pub digest: Digest,
    /// The reviewer's agency.
    pub agency: Label,
    /// The reviewer's role.
    pub role: Role,
    /// What is done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub act: Option<SignOffAct>,
    /// The log that it is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log: Option<Label>,
    /// How many entries the log had.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<u64>,
    /// The key that signed.
    pub key: Vkey,
    /// Its signature of [`SignOff::message`], or of [`Signing::sign_off`] in the second form.
    pub signature: KeySignature,
}

impl SignOff {
    /// What a sign-off of the first form signs: instrument, digest, agency and role, each on a line,
    /// below a line that no other kind of message begins with.
    ///
    /// ```
    /// use chancery_model::Digest;
    /// use chancery_release::entry::{By, Role, SignOff};
    /// let by = By { agency: "hhs/cms".parse()?, role: Role::Counsel };
    /// let digest = Digest::from_bytes([0; 32]);
    /// let message = SignOff::message(&"us/usc/8/1360-b".parse()?, digest, &by);
    /// assert!(message.starts_with("chancery/sign-off/v1\nus/usc/8/1360-b\nsha256:00"));
    /// assert!(message.ends_with("\nhhs/cms\ncounsel\n"));
    /// # Ok::<(), String>(())
    /// ```
    pub fn message(instrument: &Label, digest: Digest, by: &By) -> String {
        let (agency, role) = (&by.agency, by.role.as_str());
        format!("chancery/sign-off/v1\n{instrument}\n{digest}\n{agency}\n{role}\n")
    }

    /// Whether the signature is of this sign-off and by this key. Whose key it is, and whether it
    /// may sign off, the entry cannot say.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn verify(&self) -> Result<(), chancery_ledger::Error> {
        let by = By {
            agency: self.agency.clone(),
            role: self.role,
        };
        let message = match (self.act, &self.log, self.after) {
            (Some(act), Some(log), Some(after)) => Signing {
                log: log.clone(),
                after,
                unit: self.instrument.clone(),
                digest: self.digest,
                by,
            }
            .sign_off(act),
            _ => Self::message(&self.instrument, self.digest, &by),
        };
        let key: VerifierKey = self.key.verifier()?;
        key.verify(message.as_bytes(), self.signature.as_bytes())
    }
}

/// What somebody signs about a unit of law, for one place in one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// The log.
    pub log: Label,
    /// How many entries it has.
    pub after: u64,
    /// The instrument, or what else is signed off as a whole.
    pub unit: Label,
    /// The digest of its encoding.
    pub digest: Digest,
    /// Who signs.
    pub by: By,
}

impl Signing {
    fn lines(&self) -> String {
        let Self {
            log,
            after,
            unit,
            digest,
            by,
        } = self;
        let (agency, role) = (&by.agency, by.role.as_str());
        format!("{log}\n{after}\n{unit}\n{digest}\n{agency}\n{role}\n")
    }

    /// What is signed to sign off, reinstate or withdraw: a line that no other kind of message
    /// begins with, log, number of entries, unit, digest, agency, role and what is done.
    ///
    /// ```
    /// use chancery_model::Digest;
    /// use chancery_release::entry::{By, Role, SignOffAct, Signing};
    /// let signing = Signing {
    ///     log: "agency.example/ledger".parse()?,
    ///     after: 17,
    ///     unit: "us/usc/8/1360-b".parse()?,
    ///     digest: Digest::from_bytes([0; 32]),
    ///     by: By { agency: "hhs/cms".parse()?, role: Role::Counsel },
    /// };
    /// let message = signing.sign_off(SignOffAct::Sign);
    /// assert!(message.starts_with("chancery/sign-off/v2\nagency.example/ledger\n17\nus/usc/8/"));
    /// assert!(message.ends_with("\nhhs/cms\ncounsel\nsign\n"));
    /// # Ok::<(), String>(())
    /// ```
    pub fn sign_off(&self, act: SignOffAct) -> String {
        let (lines, act) = (self.lines(), act.as_str());
        format!("chancery/sign-off/v2\n{lines}{act}\n")
    }

    /// What is signed to suspend: the same with the reason, and the first day.
    pub fn suspension(&self, reason: SuspensionReason, from: Date) -> String {
        let (lines, reason) = (self.lines(), reason.as_str());
        format!("chancery/suspension/v2\n{lines}{reason}\n{from}\n")
    }
}

/// Who acted: a role in an agency. Never a person's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The agency.
    pub agency: Label,
    /// The role.
    pub role: Role,
}

/// A request or a release was approved, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The version of this form.
    pub version: Version1,
    /// When it was recorded.
    pub recorded: Recorded,
    /// What it is of.
    pub of: ApprovalOf,
    /// The id of the release that was, or would be, made.
    pub id: ReleaseId,
    /// The digest of what was approved: of the request's text, or of `manifest.dsse.json`.
    pub digest: Digest,
    /// Yes or no.
    pub verdict: Verdict,
    /// The approver's agency.
    pub agency: Label,
    /// The approver's role.
    pub role: Role,
}

/// A release, by what its entry says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRef {
    /// Its id.
    pub release: ReleaseId,
    /// The digest of its `manifest.dsse.json`.
    pub manifest: Digest,
    /// Its recipient.
    pub recipient: Label,
}

/// A recipient states what it used a release for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseStatement {
    /// The version of this form.
    pub version: Version1,
    /// When it was recorded.
    pub recorded: Recorded,
    /// The release.
    pub release: ReleaseId,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The recipient.
    pub recipient: Label,
    /// The purpose that it was used for.
    pub purpose: Label,
    /// The first day that the statement speaks of.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// How many people of the recipient had access.
    pub users: u32,
    /// Whether it was passed on.
    pub onward: Onward,
    /// The digest of the signed statement.
    pub statement: Digest,
}

/// The custodian calls a release back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// The version of this form.
    pub version: Version1,
    /// When it was recorded.
    pub recorded: Recorded,
    /// The release.
    pub release: ReleaseId,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The recipient.
    pub recipient: Label,
    /// Why.
    pub reason: RecallReason,
    /// The instrument that demands it, if one does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instrument: Option<Label>,
    /// What is to be destroyed.
    pub scope: Scope,
    /// The day by which the recipient is to certify that it has.
    pub due: Date,
}

/// A recipient certifies that a release was destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destruction {
    /// The version of this form.
    pub version: Version1,
    /// When it was recorded.
    pub recorded: Recorded,
    /// The release.
    pub release: ReleaseId,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The recipient.
    pub recipient: Label,
    /// How (NIST SP 800-88).
    pub method: Sanitisation,
    /// How that was verified.
    pub verification: Verification,
    /// What was destroyed.
    pub scope: Scope,
    /// The day.
    pub on: Date,
    /// The digest of the signed certificate.
    pub certificate: Digest,
}

/// Something does not count for a while: an instrument, or the account of disclosures to an
/// agency in one person's accounting.
///
/// The last suspension of a person's accounting counts; one that ends on or before the day it is
/// recorded lifts it. An instrument's stands until two people reinstate the instrument
/// ([`SignOffAct::Reinstate`]), whatever its last day.
///
/// The second form is an instrument's, signed over the log and how long that was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// The version of this form.
    pub version: Version2,
    /// When it was recorded.
    pub recorded: Recorded,
    /// What is suspended.
    pub of: Suspended,
    /// The agency of who suspends.
    pub agency: Label,
    /// The role of who suspends.
    pub role: Role,
    /// The first day.
    pub from: Date,
    /// The last day, after which it ends by itself; an instrument's may be open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Date>,
    /// The log that it is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log: Option<Label>,
    /// How many entries the log had.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<u64>,
    /// The key that signed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<Vkey>,
    /// Its signature of [`Signing::suspension`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<KeySignature>,
}

impl Suspension {
    /// The type of its entry.
    pub const KIND: &'static str = "suspension";

    /// Whether the signature of the second form is of this suspension and by this key.
    pub(super) fn is_verified(&self) -> bool {
        let Suspended::Instrument { id, digest, reason } = &self.of else {
            return false;
        };
        let (Some(log), Some(after), Some(key), Some(signature)) =
            (&self.log, self.after, &self.key, &self.signature)
        else {
            return false;
        };
        let signing = Signing {
            log: log.clone(),
            after,
            unit: id.clone(),
            digest: *digest,
            by: By {
                agency: self.agency.clone(),
                role: self.role,
            },
        };
        let message = signing.suspension(*reason, self.from);
        let verify = |key: VerifierKey| key.verify(message.as_bytes(), signature.as_bytes());
        key.verifier().and_then(verify).is_ok()
    }
}

/// What is suspended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspended {
    /// An instrument: its permits do not count.
    Instrument {
        /// The instrument.
        id: Label,
        /// The digest of its encoding.
        digest: Digest,
        /// Why.
        reason: SuspensionReason,
    },
    /// A person's right to an account of disclosures to an agency (`45 CFR 164.528(a)(2)`).
    Accounting {
        /// The person.
        person: Pseudonym,
        /// The agency that asked.
        agency: Label,
        /// How it asked.
        basis: Statement,
        /// The digest of its statement, or of the note of what was said.
        statement: Digest,
    },
}

/// Someone looked at the accounting of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookUp {
    /// The version of this form.
    pub version: Version2,
    /// When it was recorded.
    pub recorded: Recorded,
    /// The person.
    pub person: Pseudonym,
    /// Why, in the first form.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<LookUpReason>,
    /// Why, in the second form: the digest of the words that were given, which the custodian keeps.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statement: Option<Digest>,
    /// The agency of who asked.
    pub agency: Label,
    /// The role of who asked.
    pub role: Role,
}

impl LookUp {
    /// The type of its entry.
    pub const KIND: &'static str = "look_up";
}

/// A text of the law as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version of this form.
    pub version: Version1,
    /// When it was recorded.
    pub recorded: Recorded,
    /// The instrument whose text it is.
    pub instrument: Label,
    /// Where it was found.
    pub url: Url,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// When it was fetched.
    pub fetched: Recorded,
}

/// The log's keys change, or the log changes hands.
///
/// The checkpoint that first holds this entry is signed by the keys of before and of after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRotation {
    /// The version of this form.
    pub version: Version1,
    /// When it was recorded.
    pub recorded: Recorded,
    /// The log: the origin line of its checkpoints.
    pub log: Label,
    /// Why.
    pub reason: RotationReason,
    /// The keys that sign from now on.
    pub added: Vec<Vkey>,
    /// The keys that sign no more.
    pub retired: Vec<Vkey>,
}
