//! The vocabulary of disclosure as plain data, with no I/O, no clock and no randomness.
//!
//! Read in the order of a dataset's life:
//!
//! 1. [`Fault`]: what is wrong with an input, where, and what to do about it;
//! 2. [`Domain`]: the attributes of a record that the law turns on, each a closed set of values;
//! 3. [`Request`]: who asks for what, from whom, for which purpose;
//! 4. [`Predicate`]: the people for whom an element is lawful, as sets of attribute values;
//! 5. [`Signature`] and [`Census`]: which combinations of attribute values occur, and how often;
//! 6. [`Classification`]: the cited table that derives the attributes of a person from evidence;
//! 7. [`Grant`] and [`Decision`]: for whom each element may leave, and class by class, why.

mod census;
mod classification;
mod decision;
mod digest;
mod domain;
mod fault;
mod grant;
mod predicate;
mod request;

pub use census::{Census, Count, Group, Presence, Signature};
pub use classification::{
    Classification, Condition, Correction, Evidence, GroupRule, Input, InputFrom, Rule,
};
pub use decision::{
    Class, Decision, ElementDecision, Interpretation, LawUsed, LayerUsed, Obligation, Outcome,
    TableCount,
};
pub use digest::Digest;
pub use domain::{Attribute, Domain, UNKNOWN};
pub use fault::{Fault, Place};
pub use grant::{ColumnFacts, Grant};
pub use predicate::Predicate;
pub use request::{Format, Request};
