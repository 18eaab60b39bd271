//! The account: what left, to whom, under what.
//!
//! The ledger and the signed manifests are read into [`Facts`]; [`Account`] groups them by recipient,
//! purpose, instrument, origin, element and class, each figure with the entries that prove it;
//! [`Suppression`] decides which counts of people may be shown to others than the custodian, and
//! [`Site`] is the report to the public.

pub mod suppress;
