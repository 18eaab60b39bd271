use chancery_ledger::VerifierKey;
use chancery_model::{Decision, Digest};
use serde::{Deserialize, Serialize};

use crate::Clock;

/// A fact in the ledger: one line of JSON, without any value of a person's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// The workspace began, with this key for its manifests.
    Workspace {
        /// The version of this form.
        version: u32,
        /// When it was recorded.
        recorded: String,
        /// The custodian's verifier key.
        custodian_key: String,
    },
    /// Files left, or were about to when this was recorded.
    Release(Disclosure),
    /// A request was denied.
    Refusal(Disclosure),
    /// A release was begun and did not leave.
    Abort {
        /// The version of this form.
        version: u32,
        /// When it was recorded.
        recorded: String,
        /// The release.
        id: String,
        /// Why it was given up.
        reason: String,
    },
}

/// Who asked for what, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// The version of this form.
    pub version: u32,
    /// When it was recorded.
    pub recorded: String,
    /// The release's id; the same request refused twice has the same.
    pub id: String,
    /// The day whose law applied.
    pub on: jiff::civil::Date,
    /// The custodian.
    pub custodian: String,
    /// The recipient.
    pub recipient: String,
    /// The purpose.
    pub purpose: String,
    /// The dataset.
    pub dataset: String,
    /// Full, partial or denied.
    pub outcome: chancery_model::Outcome,
    /// The digest of the law pack.
    pub law: Digest,
    /// The digest of `manifest.dsse.json`; a refusal has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub manifest: Option<Digest>,
}

const VERSION: u32 = 1;

impl Entry {
    pub(crate) fn workspace(custodian: &VerifierKey, clock: &dyn Clock) -> Self {
        Self::Workspace {
            version: VERSION,
            recorded: clock.now().to_string(),
            custodian_key: custodian.to_string(),
        }
    }

    pub(crate) fn release(
        id: &str,
        decision: &Decision,
        manifest: Digest,
        clock: &dyn Clock,
    ) -> Self {
        Self::Release(disclosure(id, decision, Some(manifest), clock))
    }

    pub(crate) fn refusal(id: &str, decision: &Decision, clock: &dyn Clock) -> Self {
        Self::Refusal(disclosure(id, decision, None, clock))
    }

    pub(crate) fn abort(id: &str, reason: &str, clock: &dyn Clock) -> Self {
        Self::Abort {
            version: VERSION,
            recorded: clock.now().to_string(),
            id: id.to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// Its bytes in the ledger.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads an entry; one of a type that this version does not know is `None`, never an error.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

fn disclosure(
    id: &str,
    decision: &Decision,
    manifest: Option<Digest>,
    clock: &dyn Clock,
) -> Disclosure {
    let request = &decision.request;
    Disclosure {
        version: VERSION,
        recorded: clock.now().to_string(),
        id: id.to_owned(),
        on: decision.on,
        custodian: request.custodian.clone(),
        recipient: request.recipient.clone(),
        purpose: request.purpose.clone(),
        dataset: request.dataset.clone(),
        outcome: decision.outcome,
        law: decision.law.digest,
        manifest,
    }
}
