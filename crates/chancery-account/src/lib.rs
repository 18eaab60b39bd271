//! The account: what left, to whom, under what.
//!
//! The ledger and the signed manifests are read into [`Facts`]; [`Account`] groups them by recipient,
//! purpose, instrument, origin, element and class, each figure with the entries that prove it;
//! [`Showing`] says which counts of people others than the custodian may see; and [`Site`] is the report to
//! the public.

mod facts;

mod amount;

pub mod suppress;

mod showing;

mod tally;

mod publish;

pub use amount::Amount;
pub use facts::{Abort, At, Facts, Gap, Ledger, Release};
pub use publish::{PublishError, Site, publish};
pub use showing::{Count, Counts, Showing};
pub use tally::{
    Aborted, About, Account, Afterwards, Cell, Copy, Figure, Group, Law, Listed, OrderAccount,
    Recipient, Refused, Relied, Sources, Span,
};
