//! The symbolic prover: assertions held against the law of every day by Cedar's symbolic compiler
//! and an SMT solver (`cvc5`), a child process.
//!
//! It shares no step with enumeration but the files of the law pack. The law of a day is restated
//! over closed lists of agencies, purposes and elements (see [`Restated`]); an assertion becomes a
//! policy that permits just what lies in its region; and the solver is asked for a request and a
//! record inside the region that the law lets go (for `never`) or holds back (for `always`). What
//! it finds is decided again by the ordinary authorizer with the law as it stands in the pack. No
//! answer, for whatever reason, is [`Verdict::Unproven`](crate::prove::Verdict::Unproven).

mod closed;

mod question;

mod region;

mod restate;

mod solver;

pub use question::{Errs, Proofs, policies_err};
pub use restate::Restated;
pub use solver::Solver;
