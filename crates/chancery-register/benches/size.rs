//! The register at size: how fast it grows, how large it is, how long a look-up and a proof take.
//!
//!     cargo bench -p chancery-register --bench size -- FOLDER PEOPLE RELEASES
//!
//! People live in 57 origins of unlike sizes. Of sixty releases one is about everybody, one about three in ten, three about
//! one in eight, ten about one in fifty in two classes, and the others about one origin, everybody or one in eight. Three
//! in ten people come to be known only over time. Who is in a release is random: no release is like another, which is the
//! worst case for sets. Nobody is real.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chancery_register::{Committed, Error, Listed, Person, Register, SecretKey};

const ORIGINS: u64 = 57;
const ASKED: u64 = 10_000;
const PROVEN: u64 = 200;
const CONFIRMED: u64 = 20;

struct Nation {
    people: u64,
    releases: u64,
    /// Whether to drop the system's caches before the first look-ups.
    cold: bool,
}

impl Nation {
    /// An origin's people: a few origins have most of them.
    fn of(&self, origin: u64) -> u64 {
        let weight = |origin: u64| ORIGINS * ORIGINS / (origin + 1);
        let all: u64 = (0..ORIGINS).map(weight).sum();
        self.people * weight(origin) / all
    }

    /// The class of a person in a release, if they are in it.
    fn class(&self, release: u64, origin: u64, number: u64) -> Option<usize> {
        let known = 70 + 30 * release / self.releases.max(1);
        if mixed(origin, number, 0) % 100 >= known {
            return None;
        }
        let dice = mixed(origin, number, release + 1);
        match release % 60 {
            0 => Some(0),
            1 => (dice % 10 < 3).then_some(0),
            2..=4 => dice.is_multiple_of(8).then_some(0),
            5..=14 => dice
                .is_multiple_of(50)
                .then(|| usize::from(dice.is_multiple_of(3))),
            15..=36 => (origin == release % ORIGINS).then_some(0),
            _ => (origin == release % ORIGINS && dice.is_multiple_of(8)).then_some(0),
        }
    }
}

/// Random, and always the same (splitmix64).
fn mixed(a: u64, b: u64, c: u64) -> u64 {
    let mut z = a.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b.wrapping_mul(0xD1B5_4A32_D192_ED03) ^ c;
    for _ in 0..2 {
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
    }
    z
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let small = tempfile::tempdir();
    let (folder, people, releases) = match (args.as_slice(), &small) {
        ([folder, people, releases], _) => {
            (PathBuf::from(folder), people.parse(), releases.parse())
        }
        // Run as a test: that it runs.
        (_, Ok(small)) => (small.path().to_owned(), Ok(20_000), Ok(20)),
        (_, Err(error)) => return failed(&error.to_string()),
    };
    let (Ok(people), Ok(releases)) = (people, releases) else {
        return failed("PEOPLE and RELEASES are numbers");
    };
    let nation = Nation {
        people,
        releases,
        cold: !args.is_empty(),
    };
    match run(&folder, &nation) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a bench tells its failures")]
fn failed(problem: &str) -> ExitCode {
    eprintln!("error: {problem}");
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn say(what: &str) {
    println!("{what}");
}

fn run(folder: &Path, nation: &Nation) -> Result<(), Error> {
    let key = SecretKey::derive(b"a key for synthetic people, for the bench alone")?;
    let index = folder.join("index");
    let mut listed = Vec::new();
    let (mut told, mut took) = (0_u64, Duration::ZERO);
    let mut first = Duration::ZERO;
    for release in 0..nation.releases {
        let before = Register::open(&index, &listed)?;
        let known = before.people(&key.public());
        let start = Instant::now();
        let (one, count) = record(folder, nation, &before, &key, release)?;
        let elapsed = start.elapsed();
        if release == 0 {
            first = elapsed;
            say(&format!("first release: {count} people in {elapsed:.1?}"));
        }
        told += count;
        took += elapsed;
        listed.push(one);
        if release % 25 == 24 {
            say(&format!(
                "{} releases, {known} people known, {told} told, {took:.0?}",
                release + 1
            ));
        }
    }
    let register = Register::open(&index, &listed)?;
    let known = register.people(&key.public());
    say(&format!(
        "size: {:.3} GB for {known} people and {} releases ({told} disclosures)",
        gigabytes(register.bytes()),
        nation.releases
    ));
    say(&format!(
        "built in {took:.0?} ({first:.0?} of them the first), {:.0} disclosures/s",
        rate(told, took)
    ));
    drop(register);
    let start = Instant::now();
    let register = Register::rebuild(&index, &listed)?;
    say(&format!(
        "rebuilt, each byte checked, in {:.1?}",
        start.elapsed()
    ));
    drop(register);

    let cold = nation.cold && std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok();
    let start = Instant::now();
    let register = Register::open(&index, &listed)?;
    say(&format!(
        "opened in {:.1?}{}",
        start.elapsed(),
        if cold { ", cold" } else { "" }
    ));
    let keys = [key];
    if cold {
        asked(
            nation,
            &register,
            &keys,
            100,
            "cold, each the first of its pages",
        )?;
    }
    asked(nation, &register, &keys, ASKED, "to warm")?;
    asked(nation, &register, &keys, ASKED, "warm")?;
    proven(nation, &register, &keys, &listed)?;
    confirmed(nation, &register, &keys)?;
    say(&format!(
        "own memory at most: {} MiB of it anonymous",
        anonymous()
    ));
    Ok(())
}

fn record(
    folder: &Path,
    nation: &Nation,
    before: &Register,
    key: &SecretKey,
    release: u64,
) -> Result<(Listed, u64), Error> {
    let id = format!("2026-01-10-bench-{release:08}");
    let file: PathBuf = folder.join(format!("{id}.record"));
    let classes = vec![
        vec!["address".to_owned(), "phone".to_owned()],
        vec!["phone".to_owned()],
    ];
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut recording = before.record(key, &id, &file, classes, cores)?;
    let mut told = 0;
    for origin in 0..ORIGINS {
        let mut people = recording.origin(&format!("{origin:02}"))?;
        for number in 0..nation.of(origin) {
            if let Some(class) = nation.class(release, origin, number) {
                people.add(&name(origin, number), class)?;
                told += 1;
            }
        }
        people.finish()?;
    }
    let recorded = recording.finish()?;
    let listed = Listed {
        release: id,
        people: Some(recorded),
        record: file,
    };
    Ok((listed, told))
}

fn name(origin: u64, number: u64) -> String {
    format!("{origin:02}{number:09}")
}

fn asked(
    nation: &Nation,
    register: &Register,
    keys: &[SecretKey],
    count: u64,
    how: &str,
) -> Result<(), Error> {
    let mut times = Vec::new();
    for dice in 0..count {
        let (origin, number) = someone(nation, dice);
        let (place, id) = (format!("{origin:02}"), name(origin, number));
        let Some(person) = Person::new(&place, &id) else {
            continue;
        };
        let start = Instant::now();
        let found = register.find(keys, &person)?;
        times.push(start.elapsed());
        // Every tenth answer is held against who was told.
        if dice.is_multiple_of(10) {
            let expected =
                (0..nation.releases).filter(|r| nation.class(*r, origin, number).is_some());
            assert_eq!(
                found.presences.len(),
                expected.count(),
                "a look-up is wrong"
            );
        }
    }
    times.sort_unstable();
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    say(&format!(
        "{count} look-ups, {how}: p50 {:.2?}, p99 {:.2?}",
        at(50),
        at(99)
    ));
    Ok(())
}

fn someone(nation: &Nation, dice: u64) -> (u64, u64) {
    let origin = mixed(dice, 1, 77) % ORIGINS;
    (origin, mixed(dice, 2, 77) % nation.of(origin).max(1))
}

fn proven(
    nation: &Nation,
    register: &Register,
    keys: &[SecretKey],
    listed: &[Listed],
) -> Result<(), Error> {
    let (mut made, mut checked, mut number) = (Duration::ZERO, Duration::ZERO, 0_u32);
    for dice in 0..PROVEN {
        let Some(one) =
            listed.get(usize::try_from(mixed(dice, 3, 77)).unwrap_or(0) % listed.len().max(1))
        else {
            continue;
        };
        let (origin, id) = someone(nation, dice);
        let (place, id) = (format!("{origin:02}"), name(origin, id));
        let (Some(person), Some(people)) = (Person::new(&place, &id), one.people) else {
            continue;
        };
        let start = Instant::now();
        let (pseudonym, proof) = register.prove(keys, &person, &one.release)?;
        made += start.elapsed();
        let committed = Committed {
            release: &one.release,
            root: people.root,
            key: people.key,
        };
        let start = Instant::now();
        let shown = proof.check(&committed, &person, &pseudonym);
        checked += start.elapsed();
        assert!(shown.is_ok(), "a proof does not check");
        number += 1;
    }
    let each = number.max(1);
    say(&format!(
        "proofs of presence or absence: made in {:.2?}, checked in {:.2?}",
        made / each,
        checked / each
    ));
    Ok(())
}

/// What somebody is told: all releases, each held against its root.
fn confirmed(nation: &Nation, register: &Register, keys: &[SecretKey]) -> Result<(), Error> {
    let (mut took, mut number) = (Duration::ZERO, 0);
    for dice in 0..CONFIRMED {
        let (origin, id) = someone(nation, dice);
        let (place, id) = (format!("{origin:02}"), name(origin, id));
        let Some(person) = Person::new(&place, &id) else {
            continue;
        };
        let start = Instant::now();
        register.confirm(keys, &person)?;
        took += start.elapsed();
        number += 1;
    }
    say(&format!(
        "an answer held against the roots of {} releases: {:.2?}",
        register.releases(),
        took / number.max(1)
    ));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}

/// Anonymous memory now, in MiB: what is mapped from files is the system's cache.
fn anonymous() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or_default() / 1024
}
