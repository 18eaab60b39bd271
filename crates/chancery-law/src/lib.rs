//! Law packs: from a folder of statutes, orders and agreements to a predicate per element.
//!
//! The stages, in order; each is a type that only the stage before can make:
//!
//! 1. [`PackSource`]: the files of a law pack, read by the caller (this crate does no I/O);
//! 2. [`LawPack`]: parsed and strictly validated, or refused with a list of faults;
//! 3. [`InForce`]: the instruments in force on a day, as one Cedar policy set;
//! 4. [`Ruling`]: one type-aware partial evaluation per element, its residuals turned into
//!    [`Predicate`](chancery_model::Predicate)s;
//! 5. [`Confirmed`]: the same ruling after the ordinary Cedar authorizer decided every combination
//!    of attributes that occurs and agreed.
//!
//! Cedar lives in this crate alone, its experimental partial evaluation in [`mod@ruling`] alone.

mod source;

mod vocabulary;

mod classification;

mod instrument;

mod provision;

pub mod agreement;
mod assertion;

mod schema;

mod expression;

mod check;

mod pack;

mod standing;

mod roles;

mod in_force;

pub mod ruling;

mod confirm;

mod hindsight;

pub mod enumerate;

pub mod describe;

pub mod impact;

pub mod timeline;

pub mod prove;

mod export;

#[cfg(feature = "symbolic")]
pub mod symbolic;

pub use assertion::{Assertion, AssertionKind, Scope, Scopes, Side, Where};
pub mod review;

pub use agreement::Agreement;
pub use confirm::Confirmed;
pub use export::{Asked, Bundle};
pub use hindsight::{Hindsight, Retrospect};
pub use in_force::{Edition, InForce, NotCounting};
pub use instrument::{Accounting, AccountingDuty, Event, EventKind, Instrument, Party, Review};
pub use pack::{LawPack, PackLayer};
pub use provision::{Effect, Provision};
pub use roles::{Act, Person, Roles};
pub use ruling::{ElementRuling, Hit, Query, Ruling};
pub use source::{EXAMPLES, Layer, PackSource, Unit, UnitKind};
pub use standing::{OnRecord, SignOff, Standing, State, Why};
pub use vocabulary::{
    Agency, Element, ElementSet, Plain, Purpose, Vocabulary, did_you_mean, nearest,
};

use chancery_model::Fault;

/// Why a law pack or a query of it is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The law pack has defects.
    #[error("the law pack has {} defect{}", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Invalid(Vec<Fault>),
    /// What partial evaluation left of a provision cannot be turned into sets of values.
    #[error("cannot turn what is left of `{provision}` into attribute values: {problem}")]
    Untranslatable {
        /// The provision.
        provision: String,
        /// What stands in the way.
        problem: String,
        /// Where the provision stands.
        place: chancery_model::Place,
    },
    /// Cedar refused a request that the pack's own vocabulary should allow.
    #[error("the law pack's schema does not admit the request: {0}")]
    Schema(String),
    /// The two evaluators disagree.
    #[error(
        "the two evaluators disagree on `{element}` where {attributes}: partial evaluation says \
         {predicate}, the authorizer says {authorizer}"
    )]
    Disagreement {
        /// The element.
        element: String,
        /// The attribute values.
        attributes: String,
        /// What the predicate says.
        predicate: String,
        /// What the authorizer says.
        authorizer: String,
    },
}

impl Error {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "`chancery law check` lists the defects with file and line",
            Self::Untranslatable { .. } => {
                "each condition may compare one record attribute with values known beforehand"
            }
            Self::Schema(_) => "compare the `disclose` action of schema.cedarschema",
            Self::Disagreement { .. } => {
                "nothing was released; keep the law pack as it is and report this"
            }
        }
    }
}
