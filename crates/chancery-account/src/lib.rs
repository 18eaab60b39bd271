//! The account: what left, to whom, under what.
//!
//! The ledger and the signed manifests are read into [`Facts`]; [`Account`] groups them by recipient,
//! purpose, instrument, origin, element and class, each figure with the entries that prove it;
//! [`Showing`] says which counts of people others than the custodian may see; and [`Site`] is the report to
//! the public. [`PersonAccount`] is what left about one person and [`PersonProof`] what shows it; a
//! [`letter`] tells the person, an [`exhibit`] a court. Sources: `45 CFR 164.528`, `5 USC 552a(c)` and CMS's cell size suppression policy.
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

pub mod typeset;

pub mod letter;

pub mod exhibit;

mod bundle;

mod filing;

pub use amount::Amount;
pub use bundle::bundle;
pub use facts::{Abort, At, Facts, Gap, Ledger, Release};
pub use filing::Filing;
pub use person::{Disclosure, Due, Found, PersonAccount, Series, withheld};
pub use proof::{PersonProof, Pseudonym, Receipted, Refused as RefusedProof, Shown, ShownPerson};
pub use publish::{PublishError, Site, publish};
pub use showing::{Count, Counts, Showing};
pub use tally::{
    Aborted, About, Account, Afterwards, Cell, Copy, Figure, Group, Law, Listed, Month,
    OrderAccount, Recipient, Refused, Relied, Sources, Span, is_within,
};

/// Why a document could not be made. None of these has a data value in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A template is wrong, or cannot set what it was given.
    #[error("cannot typeset template `{template}`, line {line}: {problem}")]
    Template {
        /// The template's name.
        template: String,
        /// The line in it; 0 if it is not one line's.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// What was to be typeset is not plain data.
    #[error("cannot typeset: the data is not JSON")]
    Data(#[source] serde_json::Error),
    /// A date that a document cannot carry.
    #[error("cannot typeset: `{0}` is not a date that a document can carry")]
    Date(jiff::civil::Date),
    /// The rows of a table or chart do not fit each other.
    #[error("cannot typeset: {0}")]
    Shape(&'static str),
    /// A file of a bundle may not be called that.
    #[error("cannot bundle `{path}`: {problem}")]
    Path {
        /// What it was called.
        path: String,
        /// Why not.
        problem: &'static str,
    },
    /// A bundle could not be written.
    #[error("cannot write the bundle")]
    Bundle(#[from] zip::result::ZipError),
}
