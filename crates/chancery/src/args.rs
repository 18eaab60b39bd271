use std::path::PathBuf;

use chancery_model::Digest;
use chancery_release::entry::{RotationReason, SuspensionReason};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// The gate that protected records pass before they leave a custodian, and the book that proves
/// what left.
#[derive(Debug, Parser)]
#[command(
    name = "chancery",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(crate) struct Args {
    /// The workspace; by default the nearest parent that has `chancery.toml`.
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub(crate) workspace: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
    pub(crate) format: Format,
    /// A file with the passphrase of the secret keys in its first line; otherwise
    /// `CHANCERY_PASSPHRASE_FILE` names it, or it is asked for.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything below, once, on synthetic people.
    Demo(Demo),
    /// Make a workspace: configuration, keys, law pack and an empty ledger.
    Init(Init),
    /// Write synthetic people as a state or CMS would hold them.
    Synth(Synth),
    /// Add a dataset, or show one.
    Dataset(Dataset),
    /// Look at the law pack, and sign it off.
    Law(Law),
    /// Say what would leave, why, and what not; writes nothing.
    Decide(Decide),
    /// Let what is lawful leave, signed and logged.
    Release(Release),
    /// Check releases: signature, digests and ledger inclusion.
    Verify(Verify),
    /// Say what left, to whom, under what.
    Account(Account),
    /// Set an account as an exhibit for a court: PDF, or a zip with the evidence.
    Exhibit(Exhibit),
    /// Look at the ledger.
    Ledger(Ledger),
    /// Check a proof offline, with nothing but the log's keys: of an entry, or about a person.
    VerifyProof(VerifyProof),
    /// Print completions for a shell.
    Completions(Completions),
    /// Print the manual page (roff), or write one for each command into a folder.
    Man(Man),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The folder to use, which must not exist yet; by default `demo`, or `demo-2` and so on.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// How many people.
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    pub(crate) people: u64,
    /// The seed.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// The folder.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Mark it as a demonstration, in which unsigned law counts and a release may be made on any
    /// day.
    #[arg(long)]
    pub(crate) demo: bool,
    /// The ledger's name, without spaces: the origin line of its checkpoints.
    #[arg(long, value_name = "NAME")]
    pub(crate) ledger: Option<String>,
    /// The law pack: one that is shipped (`us-medicaid`, `us-tax-information`), or a folder to copy.
    #[arg(long, value_name = "NAME|PATH", default_value = "us-medicaid")]
    pub(crate) law: String,
    /// An overlay on the law pack, one that is shipped (`ca-dhcs`) or a folder to copy; each further
    /// one lies on those before it.
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) overlay: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SynthKind {
    /// T-MSIS Eligible files, one a state, and determinations.csv.
    Tmsis,
    /// TAF-shaped Parquet, one file a state, and determinations.parquet.
    Taf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dictionary {
    /// Data dictionary version 3.
    V3,
    /// Data dictionary version 4.
    V4,
    /// Both, state by state.
    Mixed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// Pipe-delimited.
    Psv,
    /// Fixed-length.
    Flf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Synth {
    /// The folder to write into.
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// The form of the files.
    #[arg(long, value_enum)]
    pub(crate) kind: SynthKind,
    /// How many people.
    #[arg(long, value_name = "N")]
    pub(crate) people: u64,
    /// The seed; the same seed gives the same bytes.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The states by FIPS code; by default all fifty and the District of Columbia.
    #[arg(long, value_name = "06,48,…", value_delimiter = ',')]
    pub(crate) states: Vec<String>,
    /// Malformed lines of each sort in each file (T-MSIS alone): wrong field count, bad date,
    /// unknown record id, invalid UTF-8, another state's code, and a last line cut off.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) malformed: u32,
    /// The data dictionary (T-MSIS alone).
    #[arg(long, value_enum, default_value_t = Dictionary::V3)]
    pub(crate) dictionary: Dictionary,
    /// How fields are told apart (T-MSIS alone).
    #[arg(long, value_enum, default_value_t = Encoding::Psv)]
    pub(crate) encoding: Encoding,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Dataset {
    #[command(subcommand)]
    pub(crate) command: DatasetCommand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DatasetKind {
    /// T-MSIS Eligible files as states submit them.
    Tmsis,
    /// Parquet with the columns of the T-MSIS Analytic Files.
    Taf,
    /// Any Parquet or CSV, with a map.
    Table,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DatasetCommand {
    /// Read files, map their columns to elements, and classify the people in them.
    Add {
        /// The dataset's name.
        name: String,
        /// Files, or folders that hold them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// The form of the files.
        #[arg(long, value_enum)]
        kind: DatasetKind,
        /// What the columns disclose and which part they play.
        #[arg(long, value_name = "FILE")]
        map: Option<PathBuf>,
        /// Authoritative determinations, in CSV or Parquet.
        #[arg(long, value_name = "FILE")]
        determinations: Option<PathBuf>,
    },
    /// Show a dataset's tables, columns and elements.
    Show {
        /// The dataset's name.
        name: String,
    },
    /// Show who is in a dataset and how many can be told apart.
    Profile {
        /// The dataset's name.
        name: String,
    },
    /// Classify a dataset again, after the law pack's table has changed.
    Classify {
        /// The dataset's name.
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Law {
    #[command(subcommand)]
    pub(crate) command: LawCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LawCommand {
    /// List the instruments, and whether they are in force.
    List {
        /// The day.
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        /// Only what had been recorded by this day.
        #[arg(long, value_name = "DATE")]
        as_known: Option<Date>,
    },
    /// Show an instrument: events, parties, provisions, readings.
    Show {
        /// The instrument's id.
        id: String,
        /// The day.
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        /// Only what had been recorded by this day.
        #[arg(long, value_name = "DATE")]
        as_known: Option<Date>,
    },
    /// Write the law of a day as files that Cedar's own command line tool can decide with.
    Export(LawExport),
    /// Say what a change of the law does to every disclosure there could be.
    Impact(LawImpact),
    /// Hold what must never, or always, leave against the provisions, for every case there could be.
    Prove(LawProve),
    /// Show what happened when, and what each event changed for a flow of records.
    Timeline(LawTimeline),
    /// Hold agreements, notices and routine flows against the law.
    Review(LawReview),
    /// Validate the law pack strictly, and say what of it counts.
    Check {
        /// The day.
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        /// Only what had been recorded by then.
        #[arg(long, value_name = "DATE|TIMESTAMP")]
        as_known: Option<AsKnown>,
    },
    /// Say who signed what, what counts and until when.
    Status {
        /// One instrument, the law pack by its name for its base, or `roles`; all by default.
        id: Option<String>,
        /// The day.
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        /// As far as sign-offs and suspensions had been recorded by then.
        #[arg(long, value_name = "DATE|TIMESTAMP")]
        as_known: Option<AsKnown>,
    },
    /// Make a key for somebody who signs off, and print its vkey line for roles/people.toml.
    Key {
        /// The file to write, which must not exist yet.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The key's name: the office, not the person.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// A file with the key's passphrase, as for `law sign`.
        #[arg(long, value_name = "FILE")]
        key_passphrase_file: Option<PathBuf>,
    },
    /// Sign off instruments as they are recorded: with two people's sign-offs their permits count.
    Sign(Sign),
    /// Suspend an instrument at once: none of its permits counts until two people reinstate it.
    Suspend {
        /// The instrument's id; the law pack's name suspends everything.
        id: String,
        #[command(flatten)]
        own: Own,
        /// Why, for the ledger.
        #[arg(
            long,
            value_name = "REASON",
            default_value = "under_review",
            value_parser = suspension_reasons()
        )]
        reason: SuspensionReason,
    },
    /// Reinstate instruments after a suspension, as they are recorded; it takes two people.
    Reinstate(Sign),
    /// Withdraw all of one's own sign-offs of an instrument.
    Revoke {
        /// The instrument's id.
        id: String,
        #[command(flatten)]
        own: Own,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sign {
    /// Instruments' ids, the law pack's name for its base, or `roles`.
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,
    /// Everything that waits for this person: what they have not signed as it is recorded, or not
    /// reinstated.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) own: Own,
    /// A digest to sign, as it was shown, one for each id in any order; without any, everything is
    /// shown and asked for.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) digest: Vec<Digest>,
}

/// The key of one person.
#[derive(Debug, clap::Args)]
pub(crate) struct Own {
    /// The key file of who does it; the first roles are signed with `keys/custodian.key`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// A file with the passphrase of this key in its first line; otherwise
    /// `CHANCERY_KEY_PASSPHRASE_FILE` names it, or it is that of the other keys.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_passphrase_file: Option<PathBuf>,
}

/// Until when something had been recorded: the end of a day (UTC), or an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsKnown {
    /// The last instant.
    pub(crate) instant: Timestamp,
    /// Its day.
    pub(crate) day: Date,
}

impl std::str::FromStr for AsKnown {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(instant) = text.parse::<Timestamp>() {
            let day = instant.to_zoned(TimeZone::UTC).date();
            return Ok(Self { instant, day });
        }
        let day: Date = text
            .parse()
            .map_err(|_| "expected a day, `2026-01-10`, or `2026-01-10T12:00:00Z`".to_owned())?;
        let end = day.to_datetime(Time::MAX).to_zoned(TimeZone::UTC);
        let instant = end.map_err(|error| error.to_string())?.timestamp();
        Ok(Self { instant, day })
    }
}

/// The reasons in the ledger's own words.
fn suspension_reasons() -> impl TypedValueParser<Value = SuspensionReason> {
    let words = SuspensionReason::ALL.iter().map(|reason| reason.as_str());
    PossibleValuesParser::new(words).try_map(|word| suspension_reason(&word))
}

/// A reason in the ledger's own word for it.
fn suspension_reason(text: &str) -> Result<SuspensionReason, String> {
    let mut all = SuspensionReason::ALL.iter();
    all.find(|reason| reason.as_str() == text)
        .copied()
        .ok_or_else(|| {
            let words = SuspensionReason::ALL.iter().map(|reason| reason.as_str());
            format!("one of {}", words.collect::<Vec<_>>().join(", "))
        })
}

#[derive(Debug, clap::Args)]
pub(crate) struct LawExport {
    /// A request: its decisions are written as well, for every record that its dataset has.
    #[arg(value_name = "REQUEST.toml")]
    pub(crate) request: Option<PathBuf>,
    /// The day whose law applies; today by default.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
    /// A further record by its attributes; those not named are unknown.
    #[arg(long, value_name = "ATTRIBUTE=VALUE,…")]
    pub(crate) record: Vec<String>,
    /// The folder to write, which must not be there.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LawImpact {
    /// The old law: the folder of a law pack or of a workspace, a day of this workspace's
    /// law, or `signed`: what is signed off of it.
    #[arg(value_name = "OLD")]
    pub(crate) old: String,
    /// The new law: the folder of a law pack or of a workspace, a day of this workspace's
    /// law, or `recorded`: all of it.
    #[arg(value_name = "NEW")]
    pub(crate) new: String,
    /// The day on which two packs are compared; by default every day.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
    /// Count the people concerned in this dataset, by origin.
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LawProve {
    /// The only day to look at; by default all of time.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
    /// The only instrument whose assertions to prove, by id.
    #[arg(long, value_name = "ID")]
    pub(crate) instrument: Option<String>,
    /// Ask the solver `cvc5` as well; both provers must agree.
    #[arg(long)]
    pub(crate) symbolic: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LawTimeline {
    /// The instruments by id; by default all orders, agreements and notices.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// The first day; by default three weeks before the first event.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<Date>,
    /// The last day; by default three weeks after the last event.
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<Date>,
    /// Only what had been recorded by this day.
    #[arg(long, value_name = "DATE")]
    pub(crate) as_known: Option<Date>,
    /// Who discloses; by default as the pack says.
    #[arg(long, value_name = "AGENCY")]
    pub(crate) custodian: Option<String>,
    /// Who receives; by default as the pack says.
    #[arg(long, value_name = "AGENCY")]
    pub(crate) recipient: Option<String>,
    /// For what; by default as the pack says.
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<String>,
    /// Also draw it into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LawReview {
    /// The instruments to review; by default every agreement, notice and routine flow.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// The day of the review; today by default.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
    /// Only what had been recorded by this day.
    #[arg(long, value_name = "DATE")]
    pub(crate) as_known: Option<AsKnown>,
    /// Write the review as a page that prints.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the deadlines as a calendar (iCalendar, RFC 5545).
    #[arg(long, value_name = "FILE.ics")]
    pub(crate) calendar: Option<PathBuf>,
    /// Write the findings as OSCAL assessment results.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) oscal: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Decide {
    /// The request.
    #[arg(value_name = "REQUEST.toml")]
    pub(crate) request: PathBuf,
    /// The day whose law applies; today by default.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
    /// Only what had been recorded by then; then what is known since is shown beside it.
    #[arg(long, value_name = "DATE|TIMESTAMP")]
    pub(crate) as_known: Option<AsKnown>,
    /// Print the optimised plan of each table instead.
    #[arg(long)]
    pub(crate) plan: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Release {
    /// The request.
    #[arg(value_name = "REQUEST.toml")]
    pub(crate) request: PathBuf,
    /// The day whose law applies; another than today only in a demonstration workspace.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// A release's folder, or its id in the workspace; of several each is checked.
    #[arg(value_name = "RELEASE", required = true)]
    pub(crate) releases: Vec<String>,
    /// Run it again and compare every byte.
    #[arg(long)]
    pub(crate) replay: bool,
    /// The custodian's verifier key (a vkey line in a file); by default the workspace's.
    #[arg(long, value_name = "FILE")]
    pub(crate) custodian_key: Option<PathBuf>,
    /// The ledger's verifier key (a vkey line in a file); by default the workspace's.
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger_key: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Account {
    #[command(subcommand)]
    pub(crate) command: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Say what left about one person, and to whom. That it was asked is itself entered in the ledger.
    Person(AccountPerson),
    /// Withhold from a person, for a time, what left to an agency that asked for it (45 CFR 164.528(a)(2)).
    Suspend(AccountSuspend),
    /// Make the register anew from the releases, each record held against the ledger.
    Rebuild,
    /// Give people other pseudonyms from now on.
    RotateKey,
    /// Say what an agency received, and every agency within it.
    Recipient(AccountRecipient),
    /// Say what left before and after an order, of the flows that it bars or lets go.
    Order(AccountOrder),
    /// Say what one release gave, or that a request was refused.
    Release(AccountRelease),
    /// Say what left from one day to another.
    Period(AccountPeriod),
    /// Write the report to the public: a folder of pages that any web server can serve.
    Publish(AccountPublish),
}

/// Who is asked about, and who asks.
#[derive(Debug, clap::Args)]
pub(crate) struct Whom {
    /// The person's origin, such as a state's FIPS code.
    #[arg(long, value_name = "FIPS")]
    pub(crate) origin: String,
    /// The person's id there.
    #[arg(long, value_name = "MSIS_ID")]
    pub(crate) id: String,
    /// The agency of who asks.
    #[arg(long, value_name = "AGENCY", default_value = "custodian")]
    pub(crate) by: String,
    /// The role of who asks.
    #[arg(long, value_name = "ROLE", default_value = "privacy_officer")]
    pub(crate) role: String,
    /// Go on although no release and no dataset of the workspace knows the id.
    #[arg(long)]
    pub(crate) unknown_id: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountPerson {
    #[command(flatten)]
    pub(crate) whom: Whom,
    /// Why: a code such as `individual_request`, or words, of which the ledger gets the digest.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// With what shows the disclosures listed here, and nothing else, to whoever has the ledger's keys.
    #[arg(long)]
    pub(crate) prove: bool,
    /// Also show which releases the person was not in. That is refused while an agency has asked that
    /// something not be told, and the refusal tells of that: for a court's order.
    #[arg(long, requires = "prove")]
    pub(crate) absence: bool,
    /// Also write the proof to a file, for `chancery verify-proof`.
    #[arg(long, value_name = "FILE", requires = "prove")]
    pub(crate) proof: Option<PathBuf>,
    /// As comma-separated values.
    #[arg(long)]
    pub(crate) csv: bool,
    /// Also write the letter that answers the person: PDF, for print and for screen readers.
    #[arg(long, value_name = "FILE")]
    pub(crate) letter: Option<PathBuf>,
    /// The letter's language.
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t = LetterLanguage::En)]
    pub(crate) language: LetterLanguage,
    /// Also write the days on which the accounting is due, as a calendar.
    #[arg(long, value_name = "FILE")]
    pub(crate) calendar: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Exhibit {
    #[command(subcommand)]
    pub(crate) of: ExhibitOf,
    /// The file with the case: caption, and who declares it.
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        default_value = "caption.toml"
    )]
    pub(crate) caption: PathBuf,
    /// Where it goes: `.pdf` for the exhibit alone, `.zip` with the evidence and how to check it.
    #[arg(
        short,
        long,
        value_name = "FILE",
        global = true,
        default_value = "exhibit.pdf"
    )]
    pub(crate) output: PathBuf,
    /// The day it bears; today by default.
    #[arg(long, value_name = "DATE", global = true)]
    pub(crate) on: Option<Date>,
    /// For filing under seal: exact counts, the small ones too.
    #[arg(long, global = true)]
    pub(crate) sealed: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExhibitOf {
    /// What left before and after an order, of the flows that it bars.
    Order {
        /// The instrument's id.
        #[arg(value_name = "INSTRUMENT")]
        instrument: String,
    },
    /// What an agency received.
    Recipient {
        /// The agency's path.
        #[arg(value_name = "AGENCY")]
        agency: String,
    },
    /// What left from one day to another.
    Period {
        /// The first day.
        #[arg(value_name = "FROM")]
        from: Date,
        /// The last day.
        #[arg(value_name = "TO")]
        to: Date,
    },
}

/// The language of a letter.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LetterLanguage {
    /// English.
    En,
    /// Spanish.
    Es,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountSuspend {
    #[command(flatten)]
    pub(crate) whom: Whom,
    /// The agency that asked, and within which disclosures are withheld.
    #[arg(long, value_name = "AGENCY")]
    pub(crate) agency: String,
    /// Its statement, or the note of what was said: it is kept, and the ledger gets the digest.
    #[arg(long, value_name = "FILE")]
    pub(crate) statement: PathBuf,
    /// Whether it was made by word of mouth: then for 30 days at most, and once in a year.
    #[arg(long)]
    pub(crate) oral: bool,
    /// The last day; it ends by itself. Today ends an earlier suspension with this day.
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Date,
}

/// How an account is printed.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountForm {
    /// For others than the custodian: small counts of people are suppressed, and what would tell them.
    #[arg(long)]
    pub(crate) for_others: bool,
    /// As comma-separated values: a line for each figure.
    #[arg(long)]
    pub(crate) csv: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountRecipient {
    /// The agency's path; `dhs` stands for `dhs/ice` as well.
    #[arg(value_name = "AGENCY")]
    pub(crate) agency: String,
    #[command(flatten)]
    pub(crate) form: AccountForm,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountOrder {
    /// The instrument's id.
    #[arg(value_name = "INSTRUMENT")]
    pub(crate) instrument: String,
    #[command(flatten)]
    pub(crate) form: AccountForm,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountRelease {
    /// The release's id, or a refusal's.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) form: AccountForm,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountPeriod {
    /// The first day.
    #[arg(value_name = "FROM")]
    pub(crate) from: Date,
    /// The last day.
    #[arg(value_name = "TO")]
    pub(crate) to: Date,
    #[command(flatten)]
    pub(crate) form: AccountForm,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountPublish {
    /// The folder: a new or an empty one, or one that this command wrote before.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The day of the report; today by default.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
    /// Where the ledger is published.
    #[arg(long, value_name = "URL")]
    pub(crate) ledger_url: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    pub(crate) command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Print the signed checkpoint.
    Checkpoint {
        /// Sign the tree as it is once more, with the time of now.
        #[arg(long)]
        refresh: bool,
    },
    /// Print the inclusion proof of a release, or of an entry by its index, with the entry itself.
    Prove {
        /// The release's id, or the entry's index.
        id: String,
        /// Write it to this file instead, such as `x.tlog-proof`.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Check every hash and signature of the ledger, its lock, and every release against its entry.
    Fsck {
        /// First put right what can be computed from what else is there.
        #[arg(long)]
        repair: bool,
    },
    /// List entries, all or those asked for.
    Show(LedgerShow),
    /// Print every entry, a line of JSON each.
    Export,
    /// List the keys that sign the ledger, or change them.
    Keys {
        #[command(subcommand)]
        command: LedgerKeys,
    },
    /// Cosign the checkpoints of logs, each as long as it continues the one before.
    Witness(LedgerWitness),
    /// Follow a log, and raise an alarm when it contradicts itself.
    Monitor(LedgerMonitor),
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerKeys {
    /// List the public keys, the current ones first, as the `vkey` file has them.
    List,
    /// Add a new pair of keys. The older ones sign as well until they are retired.
    Rotate {
        /// Why, for the ledger.
        #[arg(long, value_name = "REASON", default_value = "scheduled", value_parser = reason)]
        reason: RotationReason,
    },
    /// Let only the newest pair sign, and destroy the older secrets.
    Retire {
        /// Why, for the ledger.
        #[arg(long, value_name = "REASON", default_value = "scheduled", value_parser = reason)]
        reason: RotationReason,
    },
    /// Encrypt the secret keys with a passphrase, if they are not, or with another one.
    Encrypt,
}

/// A reason in the ledger's own word for it.
fn reason(text: &str) -> Result<RotationReason, String> {
    let mut all = RotationReason::ALL.iter();
    all.find(|reason| reason.as_str() == text)
        .copied()
        .ok_or_else(|| {
            let words = RotationReason::ALL.iter().map(|reason| reason.as_str());
            format!("one of {}", words.collect::<Vec<_>>().join(", "))
        })
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyProof {
    /// The proof: a `.tlog-proof` file, or one about a person, which `account person --prove --proof
    /// FILE` wrote.
    #[arg(value_name = "FILE")]
    pub(crate) proof: PathBuf,
    /// The entry it is about; by default the one that the proof brings along.
    #[arg(long, value_name = "FILE")]
    pub(crate) entry: Option<PathBuf>,
    /// The log's keys: its `vkey` file, which you should have from somewhere else.
    #[arg(long, value_name = "FILE", required_unless_present = "policy")]
    pub(crate) keys: Option<PathBuf>,
    /// A policy (`c2sp.org/tlog-policy`) with the logs' keys and the quorum of witnesses.
    #[arg(long, value_name = "FILE", conflicts_with = "keys")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LedgerWitness {
    /// The witness's folder: its keys, and what it has cosigned. Never put back an older copy.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The address to listen on, such as `127.0.0.1:8080`.
    #[arg(
        long,
        value_name = "ADDR",
        required_unless_present = "init",
        requires = "logs"
    )]
    pub(crate) listen: Option<String>,
    /// A policy file with a `log` line for each key of each log to cosign.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) logs: Option<PathBuf>,
    /// Make a new witness of this name first, and print its keys.
    #[arg(long, value_name = "NAME")]
    pub(crate) init: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LedgerMonitor {
    /// The log: a folder, or the URL where it is published.
    #[arg(value_name = "PATH|URL")]
    pub(crate) log: String,
    /// The log's keys: its `vkey` file, which you should have from somewhere else.
    #[arg(long, value_name = "FILE", required_unless_present = "policy")]
    pub(crate) keys: Option<PathBuf>,
    /// A policy, with the log's keys and the quorum of witnesses that has to have cosigned.
    #[arg(long, value_name = "FILE", conflicts_with = "keys")]
    pub(crate) policy: Option<PathBuf>,
    /// The monitor's folder: all checkpoints that it saw, and the evidence of forks.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// How long to wait between looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) every: u64,
    /// Look once; the exit code is 1 when there is an alarm.
    #[arg(long)]
    pub(crate) once: bool,
    /// Raise an alarm when the checkpoint is older than this.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) max_age: Option<u64>,
}

/// Which entries; those that fit everything said here.
#[derive(Debug, clap::Args)]
pub(crate) struct LedgerShow {
    /// Of this type: `release`, `refusal`, `abort`, `recall` and so on, or `unreadable`.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// About this recipient, or one within it: `dhs` takes in `dhs/ice`.
    #[arg(long, value_name = "AGENCY")]
    pub(crate) recipient: Option<String>,
    /// Recorded on this day (UTC) or later.
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<Date>,
    /// Recorded on this day (UTC) or earlier.
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<Date>,
    /// About this release or instrument.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// From this dataset.
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: Option<String>,
    /// Of these, the last N.
    #[arg(long, value_name = "N")]
    pub(crate) last: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// A folder to write `chancery.1` and one page for each command into.
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
