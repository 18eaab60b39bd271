//! Law pack → in force → decide → confirm → grant → cuts → engine, against the stock authorizer
//! asked about every cell.

use std::collections::{BTreeMap, BTreeSet};

use chancery_dataset::Silent;
use chancery_law::{InForce, LawPack, PackSource, Query, Ruling, SignOff};
use chancery_model::{Format, Grant, Predicate};

use crate::bench::{self, Bench, bench, released, write_csv, write_parquet};
use crate::people::{COLUMNS, Row, Who, attributes, map, rows, who};
use crate::random::{Attributes, Dice, Pack, Stock, day, query, vocabulary};

/// Datasets, law packs for each, requests for each pack.
const DATASETS: u64 = 4;
const PACKS: u64 = 3;
const REQUESTS: usize = 3;

/// A dataset and, worked out apart from it, its rows in order and everybody's attributes.
struct World {
    bench: Bench,
    rows: Vec<Row>,
    people: BTreeMap<Who, Attributes>,
    /// Copies and files that are read where they lie come in the order of their paths, whatever
    /// the order of the sources.
    mixed: bool,
}

fn world(seed: u64) -> World {
    let dice = &mut Dice::new(seed);
    let plain = LawPack::load(&PackSource::new("law", vocabulary())).unwrap();
    let mut all = Vec::new();
    let files: Vec<Vec<Row>> = (0..2 + dice.below(3))
        .map(|at| rows(dice, at, 700, 400))
        .collect();
    let as_csv: Vec<bool> = files.iter().map(|_| dice.one_in(2)).collect();
    let fill = |folder: &std::path::Path| {
        for (at, (rows, is_csv)) in files.iter().zip(&as_csv).enumerate() {
            if *is_csv {
                write_csv(&folder.join(format!("{at}.csv")), rows);
            } else {
                write_parquet(&folder.join(format!("{at}.parquet")), rows);
            }
        }
    };
    let mut findings: Vec<(Who, &str)> = Vec::new();
    for _ in 0..250 {
        let words = [
            "not_lawfully_present",
            "not_lawfully_present",
            "lawfully_present",
            "citizen",
        ];
        let origin = *dice.pick(&["06", "48", "56"]);
        let id = format!("P{}", dice.below(400));
        findings.push(((origin.to_owned(), id), *dice.pick(&words)));
    }
    let lines = findings
        .iter()
        .map(|((origin, id), word)| format!("{origin}, {id},{word},S,\n"));
    let bench = bench(&plain, &map(), &lines.collect::<String>(), fill);
    let mixed = as_csv.contains(&true) && as_csv.contains(&false);
    for (rows, is_csv) in files.into_iter().zip(as_csv) {
        // CSV has no way to write an empty text: such a cell is missing.
        let cell = |cell: Option<String>| cell.filter(|cell| !is_csv || !cell.is_empty());
        all.extend(
            rows.into_iter()
                .map(|row| row.into_iter().map(cell).collect()),
        );
    }
    let people = attributes(&all, &findings);
    World {
        bench,
        rows: all,
        people,
        mixed,
    }
}

/// What must leave, by asking about each cell of each row.
fn expected(world: &World, stock: &mut Stock, asked: &BTreeSet<String>) -> bench::Released {
    let mut leaving: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in &world.rows {
        let who = who(row);
        let person = &world.people[&who];
        let lawful: Vec<bool> = COLUMNS
            .iter()
            .map(|(_, element, _, _)| {
                element
                    .is_some_and(|element| asked.contains(element) && stock.says(element, person).0)
            })
            .collect();
        let more_than_keys = COLUMNS
            .iter()
            .zip(&lawful)
            .any(|(column, lawful)| !column.2 && *lawful);
        if more_than_keys && stock.says("enrollment", person).0 {
            let cells = row.iter().zip(&lawful).enumerate();
            // A cell that may leave and is empty must not be taken for one that may not.
            let cells = cells.map(|(at, (cell, lawful))| {
                lawful.then(|| format!("{at}={}", cell.as_deref().unwrap_or("missing")))
            });
            leaving.entry(who.0).or_default().push(cells.collect());
        }
    }
    leaving
        .into_iter()
        .map(|(origin, rows)| (origin, shown(&rows)))
        .collect()
}

/// The columns in which some cell may leave, with their names.
fn shown(rows: &[Row]) -> (Vec<String>, Vec<Row>) {
    let kept: Vec<usize> = (0..COLUMNS.len())
        .filter(|at| rows.iter().any(|row| row[*at].is_some()))
        .collect();
    let names = kept.iter().map(|at| COLUMNS[*at].0.to_owned()).collect();
    let plain = |cell: &str| cell.split_once('=').unwrap().1.to_owned();
    let row = |row: &Row| {
        let cells = kept
            .iter()
            .map(|at| row[*at].as_deref().map(plain).filter(|c| c != "missing"));
        cells.collect()
    };
    (names, rows.iter().map(row).collect())
}

fn grant(law: &LawPack, ruling: &Ruling, asked: &BTreeSet<String>) -> Grant {
    let lawful = |name: &str| {
        ruling
            .element(name)
            .map_or(Predicate::Never, |e| e.released_when.clone())
    };
    Grant {
        elements: asked
            .iter()
            .map(|name| (name.clone(), lawful(name)))
            .collect(),
        existence: lawful(law.vocabulary().existence()),
    }
}

fn columnar(
    world: &World,
    in_force: &InForce<'_>,
    query: &Query,
    asked: &BTreeSet<String>,
    out: &str,
) -> (bench::Released, usize) {
    let law = in_force.pack();
    let ruling = in_force.decide(query).unwrap();
    let confirmed = in_force
        .confirm(ruling, &world.bench.dataset.census.signatures())
        .unwrap();
    let grant = grant(law, confirmed.ruling(), asked);
    let cuts = world.bench.cuts(law, &grant);
    let (out, files) = world
        .bench
        .stage(law, &cuts, Format::Parquet, out, &Silent)
        .unwrap();
    let released = released(&out, &files);
    std::fs::remove_dir_all(out).unwrap();
    let columns = cuts.iter().flat_map(|cut| &cut.columns);
    let masks = columns
        .filter(|column| column.when != Predicate::Always)
        .count();
    (released, masks)
}

#[derive(Default)]
struct Tally {
    cells: usize,
    present: usize,
    rows: usize,
    rows_left: usize,
    masks: usize,
    refused: usize,
}

#[test]
fn every_cell_leaves_if_and_only_if_the_stock_authorizer_allows_it() {
    let mut tally = Tally::default();
    let start = std::time::Instant::now();
    for seed in seeds() {
        let world = world(seed);
        let signatures: BTreeSet<&Attributes> = world.people.values().collect();
        assert!(signatures.len() > 100, "{}", signatures.len());
        for pack in 0..PACKS {
            one_pack(&world, seed * 1_000 + pack, &mut tally);
        }
    }
    println!(
        "{} cells compared, {} left; {} rows, {} left; {} masks; {} provisions refused; {:?}",
        tally.cells,
        tally.present,
        tally.rows,
        tally.rows_left,
        tally.masks,
        tally.refused,
        start.elapsed(),
    );
    if std::env::var_os(SEEDS).is_some() {
        return;
    }
    assert!(tally.cells >= 1_000_000, "{}", tally.cells);
    assert!(
        tally.present * 20 > tally.cells && tally.present * 2 < tally.cells,
        "{}",
        tally.present
    );
    assert!(tally.masks >= 50, "{}", tally.masks);
}

/// For more than the suite compares: `CHANCERY_SEEDS=100..200` takes other seeds, and as many.
const SEEDS: &str = "CHANCERY_SEEDS";

fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var(SEEDS).ok();
    let range = asked.as_deref().and_then(|asked| asked.split_once(".."));
    range.map_or(0..DATASETS, |(from, to)| {
        from.parse().unwrap()..to.parse().unwrap()
    })
}

fn one_pack(world: &World, seed: u64, tally: &mut Tally) {
    let dice = &mut Dice::new(seed);
    let mut refused = Vec::new();
    let (pack, law) = Pack::random(dice).load_what_can_be(&mut refused);
    tally.refused += refused.len();
    for at in 0..REQUESTS {
        let on = day(dice);
        let query = query(dice, &law);
        let all = dice.one_in(2);
        let asked = bench::elements(&law)
            .into_iter()
            .filter(|_| all || dice.one_in(2))
            .collect();
        let in_force = law.in_force(on, SignOff::Demonstration).unwrap();
        let mut stock = Stock::new(&pack, on, query.clone());
        let mut expected = expected(world, &mut stock, &asked);
        let (mut released, masks) = columnar(
            world,
            &in_force,
            &query,
            &asked,
            &format!("out-{seed}-{at}"),
        );
        if world.mixed {
            let all = expected.values_mut().chain(released.values_mut());
            all.for_each(|(_, rows)| rows.sort());
        }
        let about = || format!("seed {seed}, request {at}: {asked:?} on {on} {query:?}\n{pack:?}");
        assert_eq!(
            released.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "{}",
            about()
        );
        for (origin, (names, rows)) in &expected {
            let (released_names, released_rows) = &released[origin];
            assert_eq!(released_names, names, "{origin}: {}", about());
            assert_eq!(released_rows.len(), rows.len(), "{origin}: {}", about());
            for (line, (released, expected)) in released_rows.iter().zip(rows).enumerate() {
                assert_eq!(released, expected, "{origin}, row {line}: {}", about());
            }
            tally.rows_left += rows.len();
            let present = rows.iter().flatten().filter(|cell| cell.is_some()).count();
            tally.present += present;
        }
        tally.masks += masks;
        tally.rows += world.rows.len();
        tally.cells += world.rows.len() * COLUMNS.len();
    }
}

#[test]
fn people_are_who_the_published_rules_say() {
    for seed in 0..2 {
        let world = world(seed);
        let dataset = &world.bench.dataset;
        let mut found = BTreeMap::new();
        for origin in dataset.origins() {
            let (columns, rows) = bench::read(&dataset.subjects_file(&origin).unwrap());
            for values in rows {
                let mut named: Attributes = columns
                    .iter()
                    .cloned()
                    .zip(values.into_iter().map(Option::unwrap))
                    .collect();
                let id = named.remove("id").unwrap();
                named.remove("rows in").unwrap();
                assert!(found.insert((origin.clone(), id), named).is_none());
            }
        }
        for (who, attributes) in &world.people {
            assert_eq!(found.get(who), Some(attributes), "{who:?}, seed {seed}");
        }
        assert_eq!(found.len(), world.people.len());
    }
}
