//! Accounts out of the register, held against every file of fifty releases under changing law: read line by line, and
//! added up by another program's SQL.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::OnceLock;

use chancery_account::{About, Amount, Copy, Counts, Facts, Found, Group, PersonAccount};
use chancery_release::Outcome;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::case::{Books, Case, ORDER, Person, exactly};

const PEOPLE: u64 = 11_000;
const ASKED: usize = 10_000;
const RELEASES: usize = 50;

/// Who may get something on some day, and for what.
const FLOWS: &[(&str, &str)] = &[
    ("dhs/ice", "immigration-enforcement/civil"),
    ("dhs/ice", "immigration-enforcement/civil"),
    ("dhs/ice", "immigration-enforcement/criminal"),
    ("dhs/uscis", "program-administration/eligibility"),
    ("hhs/oig", "program-administration/integrity"),
    ("hhs/oig", "oversight"),
    ("state/06/medicaid", "program-administration/eligibility"),
];
/// Elements that the synthetic files never leave empty.
const ALWAYS_FILLED: &[&str] = &["enrollment", "medicaid_id", "name", "birth_date"];

fn runner(seed: u8) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    TestRunner::new_with_rng(Config::default(), rng)
}

fn drawn<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// Fifty releases drawn at random, and what was refused on the way.
fn case() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| {
        let case = Case::new(PEOPLE);
        let elements = case.law.vocabulary().elements().iter();
        let names: Vec<String> = elements.map(|one| one.name.clone()).collect();
        // The days on which the agreement, the orders and the notice change the law, and those between.
        let request = (
            prop::sample::select(FLOWS),
            prop_oneof![
                Just(vec!["*".to_owned()]),
                prop::sample::subsequence(names, 1..12)
            ],
            0_i64..215,
        );
        let first = jiff::civil::date(2025, 6, 28);
        let mut runner = runner(5);
        let (mut released, mut asked) = (0, BTreeSet::new());
        while released < RELEASES {
            let ((recipient, purpose), mut elements, day) = drawn(&request, &mut runner);
            if elements != ["*"] && !elements.contains(&"medicaid_id".to_owned()) {
                // Without it, a line of a file does not say whom it is about.
                elements.push("medicaid_id".to_owned());
            }
            let on = first + jiff::ToSpan::days(day);
            // The same on the same day is the same release.
            if !asked.insert((recipient, purpose, elements.clone(), on)) {
                continue;
            }
            let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
            match case.release(recipient, purpose, &elements, &on.to_string()) {
                Outcome::Released(..) => released += 1,
                Outcome::Denied(..) => {}
            }
        }
        case
    })
}

/// Every person who has a line in a release's files, with the elements of which the files say something about them: a
/// bit for each, by its place in the manifest's list.
fn scanned(folder: &Path, elements: &Value) -> HashMap<Person, u64> {
    let mut of: HashMap<&str, usize> = HashMap::new();
    for (number, one) in elements.as_array().unwrap().iter().enumerate() {
        let columns = one["columns"].as_array().unwrap().iter();
        of.extend(columns.map(|column| (column.as_str().unwrap(), number)));
    }
    let mut people: HashMap<Person, u64> = HashMap::new();
    for table in std::fs::read_dir(folder.join("data")).unwrap() {
        let table = table.unwrap();
        let name = table.file_name().into_string().unwrap();
        // The header of a file is about nobody.
        if name == "ELG00001" {
            continue;
        }
        for file in std::fs::read_dir(table.path()).unwrap() {
            let file = file.unwrap().path();
            let origin = file.file_stem().unwrap().to_str().unwrap();
            let mut reader = csv::Reader::from_path(&file).unwrap();
            let header = reader.headers().unwrap();
            let id = header
                .iter()
                .position(|one| one == "msis_identification_num");
            let id = id.unwrap_or_else(|| panic!("{} has no ids", file.display()));
            let bits: Vec<u64> = header
                .iter()
                .map(|column| 1 << of[format!("{name}.{column}").as_str()])
                .collect();
            let mut row = csv::StringRecord::new();
            while reader.read_record(&mut row).unwrap() {
                assert!(
                    !row[id].is_empty(),
                    "a line that does not say whom it is about"
                );
                let said = row.iter().zip(&bits).filter(|(value, _)| !value.is_empty());
                let person = (origin.to_owned(), row[id].to_owned());
                *people.entry(person).or_default() |= said.fold(0, |all, (_, bit)| all | bit);
            }
        }
    }
    people
}

fn named(elements: &Value, bits: u64) -> BTreeSet<&str> {
    let elements = elements.as_array().unwrap().iter().enumerate();
    let said = elements.filter(|(number, _)| bits >> number & 1 == 1);
    said.map(|(_, one)| one["element"].as_str().unwrap())
        .collect()
}

/// The payload of a release's manifest, by its JSON alone.
fn manifest(folder: &Path) -> Value {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let text = std::fs::read_to_string(folder.join("manifest.dsse.json")).unwrap();
    let envelope: Value = serde_json::from_str(&text).unwrap();
    let payload = BASE64_STANDARD.decode(envelope["payload"].as_str().unwrap());
    let statement: Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    statement["predicate"].clone()
}

#[test]
fn ten_thousand_people_are_told_of_the_releases_that_have_a_line_about_them() {
    let case = case();
    let facts = Facts::read(&case.workspace).unwrap();
    assert_eq!(facts.releases.len(), RELEASES);
    let files: BTreeMap<&str, (Value, HashMap<Person, u64>)> = facts
        .releases
        .iter()
        .map(|release| {
            let folder = case.folder_of(release.id());
            let elements = manifest(&folder)["elements"].take();
            let people = scanned(&folder, &elements);
            (release.id(), (elements, people))
        })
        .collect();

    let mut everybody: Vec<Person> = Vec::new();
    for origin in case.dataset.origins_of_people() {
        case.dataset
            .each_person::<chancery_dataset::Error>(origin, &mut |id, _, _| {
                everybody.push((origin.to_owned(), id.to_owned()));
                Ok(())
            })
            .unwrap();
    }
    let asked = drawn(&prop::sample::subsequence(everybody, ASKED), &mut runner(6));
    let register = case.workspace.register().unwrap();
    let keys = case.workspace.register_keys().unwrap();
    let on = "2026-02-01".parse().unwrap();
    let (mut numbers, mut sets) = (BTreeSet::new(), BTreeSet::new());
    for person in &asked {
        let (origin, id) = person;
        let name = chancery_register::Person::new(origin, id).unwrap();
        let found = register.find(&keys, &name).unwrap().presences.into_iter();
        let found: Vec<Found> = found
            .map(|one| Found {
                release: one.release.to_owned(),
                elements: one.elements.to_vec(),
            })
            .collect();
        let account = PersonAccount::of(&facts, &case.law, &found, &BTreeSet::new(), &[], on);
        assert!(account.complete);
        let expected: BTreeMap<&str, BTreeSet<&str>> = files
            .iter()
            .filter_map(|(release, (elements, people))| {
                Some((*release, named(elements, *people.get(person)?)))
            })
            .collect();
        let told: BTreeMap<&str, BTreeSet<&str>> = account
            .disclosures
            .iter()
            .map(|one| {
                let elements = one.elements.iter().map(String::as_str);
                (one.release.as_str(), elements.collect())
            })
            .collect();
        assert_eq!(account.disclosures.len(), told.len());
        let (there, said) = (expected.len(), told.len());
        assert!(
            told.keys().eq(expected.keys()),
            "in {there}, told of {said}"
        );
        for (release, left) in &expected {
            let said = &told[release];
            let untold: Vec<_> = left.difference(said).collect();
            assert!(
                untold.is_empty(),
                "{release}: {untold:?} left and is not told"
            );
            // What is empty in somebody's record leaves no trace in a file.
            let more: Vec<_> = said.difference(left).collect();
            let traceless = more.iter().all(|one| !ALWAYS_FILLED.contains(one));
            assert!(traceless, "{release}: {more:?} did not leave");
        }
        numbers.insert(expected.len());
        sets.extend(told.into_values().map(|set| set.len()));
    }
    assert_eq!(asked.len(), ASKED);
    assert!(numbers.len() > 5 && sets.len() > 5, "{numbers:?} {sets:?}");
}

/// Ledger and released files as tables of a database, by their bytes alone.
fn database(case: &Case) -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    db.execute_batch(
        "create table entry (kind, id, day, custodian, recipient, purpose, outcome);
         create table element (release, number, name);
         create table person (release, origin, id, bits);",
    )
    .unwrap();
    let all = db.transaction().unwrap();
    let reader = case.workspace.ledger_reader().unwrap();
    for index in 0..reader.size() {
        let entry: Value = serde_json::from_slice(&reader.entry(index).unwrap()).unwrap();
        let text = |name: &str| entry[name].as_str().map(str::to_owned);
        let fields = [
            "type",
            "id",
            "on",
            "custodian",
            "recipient",
            "purpose",
            "outcome",
        ]
        .map(text);
        let insert = "insert into entry values (?, ?, ?, ?, ?, ?, ?)";
        all.execute(insert, fields).unwrap();
        if entry["type"] != "release" {
            continue;
        }
        let id = entry["id"].as_str().unwrap();
        let folder = case.folder_of(id);
        let elements = manifest(&folder)["elements"].take();
        for (number, one) in (0_i64..).zip(elements.as_array().unwrap()) {
            let row = params![id, number, one["element"].as_str()];
            all.execute("insert into element values (?, ?, ?)", row)
                .unwrap();
        }
        let mut person = all
            .prepare("insert into person values (?, ?, ?, ?)")
            .unwrap();
        for ((origin, name), bits) in scanned(&folder, &elements) {
            let bits = bits.cast_signed();
            person.execute(params![id, origin, name, bits]).unwrap();
        }
    }
    all.commit().unwrap();
    db
}

/// The order of 29 December 2025, effective on 6 January 2026: information that HHS has about people of the plaintiff states, to
/// DHS, for immigration enforcement; of them it protects somebody from every element.
#[test]
fn the_account_of_an_order_is_what_sql_makes_of_ledger_and_files() {
    let case = case();
    let about = About::Order {
        instrument: ORDER.to_owned(),
    };
    let facts = Facts::read(&case.workspace).unwrap();
    let counts = Counts::read(&case.workspace.register().unwrap(), &facts);
    let account = Books::new(case, counts).account(&about, Copy::Custodian);
    assert!(account.complete, "{:?}", account.incomplete);
    let order = account.order.unwrap();
    let db = database(case);
    db.execute_batch(
        "create view flow as select *, case when day < '2025-12-29' then 0 when day < '2026-01-06' then 1 else 2 end as span
           from entry
          where (recipient = 'dhs' or recipient like 'dhs/%') and (custodian = 'hhs' or custodian like 'hhs/%')
            and (purpose = 'immigration-enforcement' or purpose like 'immigration-enforcement/%');
         create view told as select person.*, span from person join flow on flow.id = release where kind = 'release';",
    )
    .unwrap();
    let one = |sql: &str, span: u32| -> u64 {
        db.query_row(sql, [span], |row| row.get::<_, i64>(0))
            .unwrap()
            .try_into()
            .unwrap()
    };
    let groups = |sql: &str, span: u32| -> BTreeMap<String, u64> {
        let mut asked = db.prepare(sql).unwrap();
        let rows = asked.query_map([span], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
        let rows = rows.unwrap().map(Result::unwrap);
        rows.map(|(key, count)| (key, count.try_into().unwrap()))
            .collect()
    };
    let said = |groups: &[Group]| -> BTreeMap<String, u64> {
        groups
            .iter()
            .map(|one| (one.key.clone(), exactly(one)))
            .collect()
    };
    assert_eq!(order.spans.len(), 3);
    let mut releases = 0;
    for (number, span) in (0_u32..).zip(&order.spans) {
        let count = "select count(*) from flow where kind = 'release' and span = ?";
        assert_eq!(
            span.total.releases.count,
            Amount::Exactly(one(count, number))
        );
        // What it bars of every flow, it bars once it is in force.
        let count = "select count(*) from flow where kind = 'refusal' and span = ? and span = 2";
        assert_eq!(span.refused.count, Amount::Exactly(one(count, number)));
        let count = "select count(*) from told where span = ?";
        assert_eq!(exactly(&span.total), one(count, number));
        let by_origin =
            "select origin, count(*) from told where span = ? and origin = '06' group by origin";
        assert_eq!(said(&span.covered_origins), groups(by_origin, number));
        let by_element = "select name, count(*) from told join element using (release)
            where span = ? and (bits >> number) & 1 group by name";
        let (elements, counted) = (said(&span.covered_elements), groups(by_element, number));
        for (element, count) in &counted {
            let filled = ALWAYS_FILLED.contains(&element.as_str());
            let told = elements[element];
            // Cells that are empty in the source left, and are not seen in the file.
            assert!(
                told == *count || !filled && told > *count,
                "{element}: {told} is not {count}"
            );
        }
        let by_class: u64 = span.covered_classes.iter().map(exactly).sum();
        assert_eq!(by_class, exactly(&span.total));
        releases += one(
            "select count(*) from flow where kind = 'release' and span = ?",
            number,
        );
    }
    assert!(releases > 5, "{releases}");
    assert_eq!(account.releases.len() as u64, releases);
}
