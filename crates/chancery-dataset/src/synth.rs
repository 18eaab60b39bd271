//! Synthetic people: files that look like a state's, about nobody.
//!
//! Every test, example and benchmark runs on them, so they hold what real files hold: codes that
//! contradict each other, codes that no dictionary knows, missing fields, households whose members
//! differ in status, and several spans for one person. Names are invented, social security numbers
//! come from ranges that were never issued, and telephone numbers from the range kept for fiction.
//!
//! The same seed, number of people and states give the same people in both kinds of file, and the
//! same bytes on every machine.
//!
//! ```
//! use chancery_dataset::synth::{Plan, write};
//! let out = tempfile::tempdir()?;
//! let plan = Plan { people: 100, states: vec!["06".to_owned()], ..Plan::default() };
//! let written = write(&plan, out.path(), &|_| ())?;
//! assert_eq!(written.people, 100);
//! assert!(out.path().join("ELIGIBLE-06.psv").exists());
//!
//! // What is already there is never written over.
//! assert!(write(&plan, out.path(), &|_| ()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dice;
mod eligible;
mod evidence;
mod findings;
mod layout;
mod malformed;
mod names;
mod people;
mod record;
mod states;
mod taf;
mod text;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use eligible::Eligible;
use findings::Findings;
use layout::Version;
use people::{People, Person};
use states::State;
use taf::Taf;

/// The most people of one run: ids are unique up to this number in each state.
const MOST_PEOPLE: u64 = 1_000_000_000;

/// How many people are made between two reports of progress.
const PEOPLE_PER_REPORT: u64 = 4_096;

/// Which kind of file to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The Eligible file that states submit: `ELIGIBLE-<FIPS>.psv` and `determinations.csv`.
    #[default]
    Tmsis,
    /// A flat table made from it: `TAF-<FIPS>.parquet` and `determinations.parquet`.
    Taf,
}

/// The data dictionary that T-MSIS files follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DictionaryVersion {
    /// Version 3.
    #[default]
    V3,
    /// Version 4.
    V4,
    /// The first state follows version 3, the second version 4, and so on.
    Mixed,
}

/// How T-MSIS files separate fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// By pipes, in files named `.psv`.
    #[default]
    Psv,
    /// By their position, in files named `.flf`.
    Flf,
}

/// What to write.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The kind of file.
    pub kind: Kind,
    /// How many people, in all states together.
    pub people: u64,
    /// From which everything is drawn.
    pub seed: u64,
    /// The FIPS codes of the states. Empty means the fifty states and the District of Columbia.
    pub states: Vec<String>,
    /// How many malformed lines of each sort every T-MSIS file has. If it has any, its last line
    /// is cut off as well.
    pub malformed: u32,
    /// The data dictionary of T-MSIS files.
    pub version: DictionaryVersion,
    /// The encoding of T-MSIS files.
    pub encoding: Encoding,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The files: states in the order of their FIPS codes, then the determinations.
    pub files: Vec<PathBuf>,
    /// How many people.
    pub people: u64,
    /// How many records or rows about people, without headers and determinations.
    pub rows: u64,
    /// How long the files are together.
    pub bytes: u64,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No state has this code.
    #[error("no state has the FIPS code `{fips}`")]
    UnknownState {
        /// The code.
        fips: String,
    },
    /// No people were asked for.
    #[error("there are no people to write")]
    NoPeople,
    /// Ids would repeat.
    #[error("`{people}` people are more than can be told apart")]
    TooManyPeople {
        /// How many were asked for.
        people: u64,
    },
    /// Every state has at least one person.
    #[error("`{people}` people are too few for `{states}` states")]
    MoreStatesThanPeople {
        /// How many states were asked for.
        states: u64,
        /// How many people were asked for.
        people: u64,
    },
    /// Only T-MSIS files have lines that can be malformed.
    #[error("malformed lines exist in T-MSIS files only")]
    MalformedTaf,
    /// The folder holds such files already.
    #[error("`{}` is there already", path.display())]
    Occupied {
        /// The first such file.
        path: PathBuf,
    },
    /// A file or folder cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A Parquet file cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// A table of the program itself cannot be read.
    #[error("cannot read a built-in table: {0}")]
    Table(#[from] csv::Error),
}

impl Error {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownState { .. } => {
                Some("name the fifty states and DC by two digits, as `06` or `48`")
            }
            Self::NoPeople => Some("ask for at least one person in each state"),
            Self::TooManyPeople { .. } => Some("ask for a thousand million people at most"),
            Self::MoreStatesThanPeople { .. } => Some("ask for more people or name fewer states"),
            Self::MalformedTaf => Some("leave malformed lines out, or write T-MSIS files"),
            Self::Occupied { .. } => {
                Some("choose an empty folder, or remove the files of the earlier run")
            }
            Self::Io { .. } | Self::Parquet { .. } => {
                Some("check that the folder can be written and has room")
            }
            Self::Table(_) => None,
        }
    }

    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    fn parquet(path: &Path, source: parquet::errors::ParquetError) -> Self {
        Self::Parquet {
            path: path.to_owned(),
            source,
        }
    }
}

/// How much one file holds.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    rows: u64,
    bytes: u64,
}

/// Writes the files of `plan` into the folder `out`, which is made if it is not there.
///
/// States are written at the same time on all cores. `progress` is told now and then how many more
/// people are done. If a file cannot be written, those that were begun are removed.
///
/// # Errors
///
/// Refuses what [`Error`] lists, above all a folder that holds such files already: files of two
/// runs would look like one dataset.
pub fn write(plan: &Plan, out: &Path, progress: &(dyn Fn(u64) + Sync)) -> Result<Written, Error> {
    let states = states(plan)?;
    let determinations = out.join(match plan.kind {
        Kind::Tmsis => "determinations.csv",
        Kind::Taf => "determinations.parquet",
    });
    refuse_occupied(out)?;
    fs::create_dir_all(out).map_err(|source| Error::io(out, source))?;
    let jobs = jobs(plan, out, states);
    let written = run(plan, &jobs, progress).and_then(|tallies| {
        let parts: Vec<PathBuf> = jobs.iter().map(|job| job.findings.clone()).collect();
        let bytes = match plan.kind {
            Kind::Tmsis => findings::join_csv(&parts, &determinations)?,
            Kind::Taf => findings::join_parquet(&parts, &determinations)?,
        };
        Ok(sum(plan, &tallies, bytes))
    });
    let files = jobs
        .iter()
        .map(|job| job.file.clone())
        .chain([determinations]);
    match written {
        Ok(written) => Ok(Written {
            files: files.collect(),
            ..written
        }),
        Err(error) => {
            for begun in files.chain(jobs.iter().map(|job| job.findings.clone())) {
                // The first error says what went wrong; a file that was never begun is no news.
                drop(fs::remove_file(begun));
            }
            Err(error)
        }
    }
}

fn states(plan: &Plan) -> Result<Vec<State>, Error> {
    match plan.people {
        0 => return Err(Error::NoPeople),
        people if people > MOST_PEOPLE => return Err(Error::TooManyPeople { people }),
        _ => (),
    }
    if plan.kind == Kind::Taf && plan.malformed > 0 {
        return Err(Error::MalformedTaf);
    }
    states::split(plan.people, &plan.states)
}

/// Refuses a folder with files that would be taken for part of the dataset.
fn refuse_occupied(out: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|source| Error::io(out, source))?,
    };
    let mut taken = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| Error::io(out, source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if ["ELIGIBLE-", "TAF-", "determinations."]
            .iter()
            .any(|start| name.starts_with(start))
        {
            taken.push(entry.path());
        }
    }
    match taken.into_iter().min() {
        Some(path) => Err(Error::Occupied { path }),
        None => Ok(()),
    }
}

/// One state's share of the work.
struct Job {
    state: State,
    version: Version,
    file: PathBuf,
    /// Where the state's determinations wait for those of the others.
    findings: PathBuf,
}

fn jobs(plan: &Plan, out: &Path, states: Vec<State>) -> Vec<Job> {
    let (start, end) = match (plan.kind, plan.encoding) {
        (Kind::Taf, _) => ("TAF", "parquet"),
        (Kind::Tmsis, Encoding::Psv) => ("ELIGIBLE", "psv"),
        (Kind::Tmsis, Encoding::Flf) => ("ELIGIBLE", "flf"),
    };
    let job = |(position, state): (usize, State)| Job {
        version: match plan.version {
            DictionaryVersion::V3 => Version::V3,
            DictionaryVersion::Mixed if position % 2 == 0 => Version::V3,
            DictionaryVersion::V4 | DictionaryVersion::Mixed => Version::V4,
        },
        file: out.join(format!("{start}-{}.{end}", state.fips)),
        findings: out.join(format!(".determinations-{}.part", state.fips)),
        state,
    };
    states.into_iter().enumerate().map(job).collect()
}

fn sum(plan: &Plan, tallies: &[Tally], determinations: u64) -> Written {
    Written {
        files: Vec::new(),
        people: plan.people,
        rows: tallies.iter().map(|tally| tally.rows).sum(),
        bytes: determinations + tallies.iter().map(|tally| tally.bytes).sum::<u64>(),
    }
}

/// Does all jobs on all cores, the largest first, so that no core ends with a large one.
fn run(plan: &Plan, jobs: &[Job], progress: &(dyn Fn(u64) + Sync)) -> Result<Vec<Tally>, Error> {
    let mut waiting: Vec<&Job> = jobs.iter().collect();
    waiting.sort_by_key(|job| job.state.people);
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(jobs.len());
    let (waiting, failed) = (Mutex::new(waiting), AtomicBool::new(false));
    let next = || {
        let open = !failed.load(Ordering::Relaxed);
        open.then(|| waiting.lock().ok()?.pop()).flatten()
    };
    let work = || -> Result<Vec<Tally>, Error> {
        let mut tallies = Vec::new();
        while let Some(job) = next() {
            let tally = job.run(plan, progress);
            failed.fetch_or(tally.is_err(), Ordering::Relaxed);
            tallies.push(tally?);
        }
        Ok(tallies)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut tallies = Vec::new();
        for worker in workers {
            match worker.join() {
                Ok(done) => tallies.extend(done?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(tallies)
    })
}

/// The file of a state, of either kind.
enum Sink<'a> {
    Eligible(Eligible<'a>),
    Taf(Taf<'a>),
}

impl Sink<'_> {
    fn person(&mut self, path: &Path, person: &Person) -> Result<(), Error> {
        match self {
            Self::Eligible(file) => file
                .person(person)
                .map_err(|source| Error::io(path, source)),
            Self::Taf(file) => file
                .person(person)
                .map_err(|source| Error::parquet(path, source)),
        }
    }

    fn finish(self, path: &Path, last: Option<&Person>) -> Result<Tally, Error> {
        match self {
            Self::Eligible(file) => file.finish(last).map_err(|source| Error::io(path, source)),
            Self::Taf(file) => file.finish().map_err(|source| Error::parquet(path, source)),
        }
    }
}

impl Job {
    fn run(&self, plan: &Plan, progress: &(dyn Fn(u64) + Sync)) -> Result<Tally, Error> {
        let failed = |source| Error::io(&self.findings, source);
        let mut sink = self.sink(plan)?;
        let mut findings = Findings::create(&self.findings, &self.state).map_err(failed)?;
        let mut people = People::new(&self.state, plan.seed);
        let (mut household, mut last, mut unreported) = (Vec::new(), None, 0);
        while people.next_household(&mut household) {
            for person in &household {
                sink.person(&self.file, person)?;
                findings
                    .person(person, |n| people.stray_id(n))
                    .map_err(failed)?;
            }
            unreported += household.len() as u64;
            if unreported >= PEOPLE_PER_REPORT {
                progress(std::mem::take(&mut unreported));
            }
            last = household.pop();
        }
        progress(unreported);
        findings.finish().map_err(failed)?;
        sink.finish(&self.file, last.as_ref())
    }

    fn sink(&self, plan: &Plan) -> Result<Sink<'_>, Error> {
        match plan.kind {
            Kind::Tmsis => {
                let (version, encoding) = (self.version, plan.encoding);
                Eligible::create(&self.file, &self.state, version, encoding, plan.malformed)
                    .map(Sink::Eligible)
            }
            Kind::Taf => Taf::create(&self.file, &self.state).map(Sink::Taf),
        }
    }
}
