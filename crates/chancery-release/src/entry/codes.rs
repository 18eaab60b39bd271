//! The codes of an entry: closed lists, where a person would write words.
//!
//! A new code takes a new version of the entries that use it.

use serde::{Deserialize, Serialize};

/// A closed list whose members are written as they are named, in snake case.
macro_rules! codes {
    ($(#[$doc:meta])* $type:ident { $($(#[$code_doc:meta])* $code:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$code_doc])* #[serde(rename = $text)] $code,)+
        }

        impl $type {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$code,)+];

            /// As it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $text,)+ }
            }
        }

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }
    };
}

codes! {
    /// Why a release was given up. The words say nothing of the error's own text, which may name
    /// files.
    AbortReason {
        /// A crash came before the ledger held it.
        Interrupted = "interrupted",
        /// What a crash left is not what was signed.
        ChangedAfterLogging = "changed after it was logged",
        /// The two evaluators disagree.
        Disagreement = "the two evaluators disagree",
        /// The law pack could not be decided.
        Undecided = "the law pack could not be decided",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// The dataset is not what was registered.
        DatasetChanged = "the dataset has changed",
        /// The dataset could not be read.
        DatasetUnreadable = "the dataset could not be read",
        /// The plan wrote another number of rows than the census counts.
        CountsDisagree = "the plan and the census disagree",
        /// The plan failed.
        PlanFailed = "the plan failed",
        /// The ledger failed.
        LedgerFailed = "the ledger failed",
        /// A file could not be written.
        NotWritten = "a file could not be written",
        /// Anything else.
        NotCarriedOut = "the request could not be carried out",
    }
}

codes! {
    /// The officer who acted. People are never named: who held the office on a day is for the
    /// agency's own files.
    Role {
        /// Answers for privacy (`45 CFR 164.530(a)`).
        PrivacyOfficer = "privacy_officer",
        /// Answers for security (`45 CFR 164.308(a)(2)`).
        SecurityOfficer = "security_officer",
        /// Keeps a system of records (`5 USC 552a`).
        RecordsOfficer = "records_officer",
        /// A lawyer of the agency.
        Counsel = "counsel",
        /// Reviews instruments.
        Reviewer = "reviewer",
        /// Approves requests and releases.
        Approver = "approver",
        /// Runs the system.
        Operator = "operator",
        /// Audits it.
        Auditor = "auditor",
        /// An inspector general's staff.
        Inspector = "inspector",
        /// A court, or an expert whom it appointed.
        Court = "court",
    }
}

codes! {
    /// What a sign-off does.
    SignOffAct {
        /// Stands for the encoding.
        Sign = "sign",
        /// Stands for it once more, to lift a suspension.
        Reinstate = "reinstate",
        /// Withdraws what the same person signed before.
        Revoke = "revoke",
    }
}

codes! {
    /// What an approval is of.
    ApprovalOf {
        /// A request, before it is decided.
        Request = "request",
        /// A release, by its manifest.
        Release = "release",
    }
}

codes! {
    /// What an approver said.
    Verdict {
        /// Yes.
        Approved = "approved",
        /// No.
        Declined = "declined",
    }
}

codes! {
    /// Whether a recipient passed anything on.
    Onward {
        /// To nobody.
        None = "none",
        /// Within its own agency.
        WithinAgency = "within_agency",
        /// To another agency.
        OtherAgency = "other_agency",
        /// To someone else.
        Others = "others",
    }
}

codes! {
    /// Why a release is recalled.
    RecallReason {
        /// A court ordered it.
        CourtOrder = "court_order",
        /// The law, or its reading, has changed.
        LawChanged = "law_changed",
        /// The release was a mistake.
        ReleasedInError = "released_in_error",
        /// It was used for something else than declared.
        Misuse = "misuse",
        /// It was disclosed to someone who may not have it (`45 CFR 164.402`).
        Breach = "breach",
        /// Its agreement has ended.
        AgreementEnded = "agreement_ended",
        /// Its purpose is fulfilled.
        PurposeFulfilled = "purpose_fulfilled",
    }
}

codes! {
    /// What of a release is meant.
    Scope {
        /// The files that left.
        Release = "release",
        /// These, and everything made from them.
        ReleaseAndDerivatives = "release_and_derivatives",
    }
}

codes! {
    /// How media were sanitised, by NIST SP 800-88.
    Sanitisation {
        /// Against ordinary means of recovery.
        Clear = "clear",
        /// Against a laboratory.
        Purge = "purge",
        /// The medium itself is gone.
        Destroy = "destroy",
    }
}

codes! {
    /// How a sanitisation was verified, by NIST SP 800-88.
    Verification {
        /// Every medium.
        Full = "full",
        /// A sample.
        Sampled = "sampled",
        /// Not at all.
        None = "none",
    }
}

codes! {
    /// Why an instrument is suspended.
    SuspensionReason {
        /// A court ordered it.
        CourtOrder = "court_order",
        /// The instrument was stayed, vacated or withdrawn, and the law pack does not know yet.
        LawChanged = "law_changed",
        /// Its encoding is wrong.
        EncodingError = "encoding_error",
        /// It is under review.
        UnderReview = "under_review",
        /// Something went wrong under it.
        Incident = "incident",
    }
}

codes! {
    /// How an agency asked for an accounting to be suspended (`45 CFR 164.528(a)(2)`).
    Statement {
        /// In writing, with a time.
        Written = "written",
        /// By word of mouth: documented, and for 30 days at most.
        Oral = "oral",
    }
}

codes! {
    /// Why the accounting of a person was looked up.
    LookUpReason {
        /// The person asked (`45 CFR 164.528`, `5 USC 552a(c)(3)`).
        IndividualRequest = "individual_request",
        /// A court asked.
        CourtOrder = "court_order",
        /// Oversight asked.
        Oversight = "oversight",
        /// An audit.
        Audit = "audit",
        /// A complaint.
        Complaint = "complaint",
        /// The assessment of a breach (`45 CFR 164.402`).
        BreachAssessment = "breach_assessment",
        /// A correction that must follow the records (`5 USC 552a(c)(4)`).
        Correction = "correction",
    }
}

codes! {
    /// Why a log's keys change.
    RotationReason {
        /// It was time.
        Scheduled = "scheduled",
        /// An algorithm is added or given up.
        Algorithm = "algorithm",
        /// A key may be in other hands.
        Compromised = "compromised",
        /// A key is lost.
        Lost = "lost",
        /// Another custodian takes the log over.
        HandOver = "hand_over",
    }
}
