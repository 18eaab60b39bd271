//! A dataset from its first byte on disk to its replacement.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use chancery_dataset::{Error, Kind, Progress, Silent, open, reclassify};

use crate::bench::{Bench, attribute, demographics, eligibility, header, people};

fn sources(bench: &Bench) -> Vec<PathBuf> {
    ["06", "93", "56"]
        .map(|state| {
            let mut file = header("V3.0.0", state);
            for at in 0..50 {
                file += &demographics(state, &format!("P{at}"), ["0", "", "1"]);
                file += &eligibility(state, &format!("P{at}"), &format!("C{}", at / 3));
            }
            bench.file(&format!("{state}.psv"), file)
        })
        .to_vec()
}

fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let within = path.strip_prefix(dir).unwrap().to_owned();
                all.insert(within, std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

#[test]
fn the_same_sources_give_the_same_bytes() {
    let bench = Bench::new();
    let mut files = sources(&bench);
    let first = contents(bench.add(Kind::Tmsis, &files).unwrap().dir());
    files.reverse();
    assert_eq!(
        contents(bench.add(Kind::Tmsis, &files).unwrap().dir()),
        first
    );
    let names: Vec<_> = first.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "census.json",
            "dataset.json",
            "quarantine.csv",
            "subjects/06.parquet",
            "subjects/56.parquet",
            "tables/ELG00001/06.parquet",
            "tables/ELG00001/56.parquet",
            "tables/ELG00003/06.parquet",
            "tables/ELG00003/56.parquet",
            "tables/ELG00005/06.parquet",
            "tables/ELG00005/56.parquet",
        ]
    );
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_dataset() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let dataset = bench.add(Kind::Tmsis, &sources(&bench)).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(dataset.dir()), 0o700);
    for path in contents(dataset.dir()).keys() {
        assert_eq!(mode(&dataset.dir().join(path)), 0o600, "{path:?}");
    }
}

/// Stops after so many reports.
struct Impatient(AtomicU64);

impl Progress for Impatient {
    fn begin(&self, _what: &str, _total_bytes: u64) {}
    fn advance(&self, _bytes: u64) {
        let _ = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
    }
    fn cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

#[test]
fn a_cancelled_add_leaves_nothing() {
    let bench = Bench::new();
    let files = sources(&bench);
    let mut finished = 0;
    for patience in 0..40 {
        let progress = Impatient(AtomicU64::new(patience));
        match bench.add_with(Kind::Tmsis, &files, None, None, &progress) {
            Err(Error::Cancelled) => {
                assert_eq!(std::fs::read_dir(bench.datasets()).unwrap().count(), 0);
            }
            Err(other) => panic!("{other}"),
            Ok(_) => finished += 1,
        }
    }
    assert!((1..40).contains(&finished));
}

#[test]
fn a_name_in_use_is_refused_and_a_leftover_is_not() {
    let bench = Bench::new();
    let files = sources(&bench);
    std::fs::create_dir_all(bench.datasets().join(".d.tmp/tables")).unwrap();
    bench.add(Kind::Tmsis, &files).unwrap();
    let request = chancery_dataset::AddRequest {
        name: "d",
        kind: Kind::Tmsis,
        paths: &files,
        map: None,
        determinations: None,
    };
    let error = chancery_dataset::add(&bench.datasets(), &request, &bench.law.law(), &Silent);
    assert!(matches!(error, Err(Error::Exists { .. })));
    assert!(matches!(
        open(&bench.datasets(), "e"),
        Err(Error::Absent { .. })
    ));
}

#[test]
fn a_new_classification_replaces_the_old_attributes() {
    let mut bench = Bench::new();
    let found = bench.file(
        "determinations.csv",
        "origin,msis_id,determination,source,determined_on\n06,P1,not_lawfully_present,S,\n",
    );
    let dataset = bench
        .add_with(Kind::Tmsis, &sources(&bench), None, Some(&found), &Silent)
        .unwrap();
    let before = people(&dataset);
    assert!(dataset.is_classified_by(&bench.law.law()));
    bench.law.classification.digest = "sha256:other".into();
    bench
        .law
        .classification
        .rules
        .retain(|rule| rule.value != "not_lawful");
    assert!(!dataset.is_classified_by(&bench.law.law()));
    let after = reclassify(&bench.datasets(), "d", &bench.law.law(), &Silent).unwrap();
    assert!(after.is_classified_by(&bench.law.law()));
    assert_eq!(attribute(&after, "06", "P1", "presence"), "unknown");
    let changed = people(&after)
        .into_iter()
        .filter(|(who, now)| before[who] != *now);
    assert_eq!(changed.count(), 1);
    assert_eq!(std::fs::read_dir(bench.datasets()).unwrap().count(), 1);
    after.verify_digests(&["ELG00003"], &Silent).unwrap();
}

#[test]
fn a_changed_file_is_named() {
    let bench = Bench::new();
    let dataset = bench.add(Kind::Tmsis, &sources(&bench)).unwrap();
    dataset
        .verify_digests(&["ELG00003", "ELG00005"], &Silent)
        .unwrap();
    let path = dataset.dir().join("tables/ELG00005/56.parquet");
    let mut content = std::fs::read(&path).unwrap();
    content[40] ^= 1;
    std::fs::write(&path, content).unwrap();
    dataset.verify_digests(&["ELG00003"], &Silent).unwrap();
    let error = dataset.verify_digests(&["ELG00005"], &Silent).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("ELG00005/56.parquet has changed"),
        "{error}"
    );
}

/// What a column discloses is for the dictionary to say, not for a file beside the data.
#[test]
fn a_column_that_was_given_another_meaning_is_refused() {
    let bench = Bench::new();
    let files = sources(&bench);
    let dataset = bench.add(Kind::Tmsis, &files).unwrap();
    let file = dataset.dir().join("dataset.json");
    let genuine = std::fs::read_to_string(&file).unwrap();
    for (from, to) in [
        ("\"element\": \"ssn\"", "\"element\": \"birth_date\""),
        ("\"element\": \"medicaid_id\"", "\"element\": \"name\""),
        ("\"key\": true", "\"key\": false"),
        (
            "\"role\": \"immigration_status\"",
            "\"role\": \"citizenship_ind\"",
        ),
    ] {
        let changed = genuine.replacen(from, to, 1);
        assert!(changed != genuine, "{from}");
        std::fs::write(&file, changed).unwrap();
        let refused = open(&bench.datasets(), "d").unwrap_err();
        assert!(
            matches!(refused, Error::Damaged { .. }),
            "{from}: {refused}"
        );
    }
    std::fs::write(&file, genuine).unwrap();
    assert!(open(&bench.datasets(), "d").is_ok());
}

/// Everybody is told once, in the group by which the census counts them.
#[test]
fn everybody_is_told_with_the_group_that_the_census_counts() {
    let bench = Bench::new();
    let dataset = bench.add(Kind::Tmsis, &sources(&bench)).unwrap();
    let mut told: BTreeMap<chancery_model::Group, u64> = BTreeMap::new();
    let mut names = std::collections::BTreeSet::new();
    for origin in dataset.origins_of_people() {
        let mut numbers = BTreeMap::new();
        let tell = &mut |id: &str, number: usize, group: &chancery_model::Group| {
            assert!(names.insert((origin.to_owned(), id.to_owned())));
            assert_eq!(
                numbers.entry(number).or_insert_with(|| group.clone()),
                group
            );
            *told.entry(group.clone()).or_default() += 1;
            Ok::<(), Error>(())
        };
        dataset.each_person(origin, tell).unwrap();
    }
    let counted = dataset.census.groups.iter();
    let counted = counted.filter(|(_, count)| count.subjects > 0);
    let counted: BTreeMap<_, _> = counted
        .map(|(group, count)| (group.clone(), count.subjects))
        .collect();
    assert_eq!(told, counted);
    let nobody = dataset.each_person("99", &mut |_, _, _| Err(Error::Cancelled));
    assert!(nobody.is_ok());
    let refused = dataset.each_person("06", &mut |_, _, _| Err(Error::Cancelled));
    assert!(matches!(refused, Err(Error::Cancelled)));
}
