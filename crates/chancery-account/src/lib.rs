//! The account: what left, to whom, under what.
//!
//! The ledger and the signed manifests are read into [`Facts`]; [`Account`] groups them by recipient,
//! purpose, instrument, origin, element and class, each figure with the entries that prove it;
//! [`Showing`] says which counts of people others than the custodian may see; and [`Site`] is the report to
//! the public. Sources: `45 CFR 164.528`, `5 USC 552a(c)` and CMS's cell size suppression policy.
//!
//! ```
//! use chancery_account::{About, Account, Amount, Copy, Counts, Facts, Law, Showing, Sources};
//! # use chancery_release::{Config, Fixed, Workspace, pack_files};
//! # let parent = std::env::temp_dir().join(format!("account-{}", std::process::id()));
//! # let files = pack_files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../law/us-medicaid"))?;
//! # let clock = Fixed("2026-01-10T12:00:00Z".parse()?);
//! # let config = Config::new("agency.example/ledger", "law");
//! # let workspace = Workspace::init(&parent, config, &files, None, &clock)?;
//! let (facts, counts, pack) = (Facts::read(&workspace)?, Counts::default(), workspace.law()?);
//! let showing = Showing::of(&facts, &counts);
//! let law = Law::new(&pack);
//! let sources = Sources { facts: &facts, counts: &counts, showing: &showing, law: &law };
//!
//! let about = About::Recipient { agency: "dhs/ice".to_owned() };
//! let account = Account::of(&about, Copy::Custodian, sources)?;
//! assert!(account.complete && account.is_empty());
//! assert_eq!(account.total.disclosures.count, Amount::Exactly(0));
//!
//! // A ledger that is not there, or is damaged, is no account of nothing.
//! std::fs::remove_file(workspace.ledger_dir().join("checkpoint"))?;
//! assert!(Facts::read(&workspace).is_err());
//! # std::fs::remove_dir_all(parent)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod facts;

mod amount;

pub mod suppress;

mod showing;

mod tally;

mod person;

mod proof;

mod publish;

pub use amount::Amount;
pub use facts::{Abort, At, Facts, Gap, Ledger, Release};
pub use person::{Disclosure, Due, Found, PersonAccount, Series};
pub use proof::{PersonProof, Pseudonym, Receipted, Refused as RefusedProof, Shown};
pub use publish::{PublishError, Site, publish};
pub use showing::{Count, Counts, Showing};
pub use tally::{
    Aborted, About, Account, Afterwards, Cell, Copy, Figure, Group, Law, Listed, OrderAccount,
    Recipient, Refused, Relied, Sources, Span,
};
