//! Synthetic people told in every form are the same people.

use std::path::PathBuf;

use chancery_dataset::synth::{self, DictionaryVersion, Encoding, Plan};
use chancery_dataset::{Dataset, Kind, Silent};

use crate::bench::{Bench, People, parquet, people};

fn plan() -> Plan {
    Plan {
        people: 2_000,
        seed: 7,
        states: vec!["06".to_owned(), "48".to_owned()],
        ..Plan::default()
    }
}

fn dataset(bench: &Bench, plan: &Plan, kind: Kind, folder: &str) -> Dataset {
    let out: PathBuf = bench.dir.path().join(folder);
    let written = synth::write(plan, &out, &|_| ()).unwrap();
    let determinations = written.files.last().unwrap();
    let dataset = bench
        .add_with(kind, &[out], None, Some(determinations), &Silent)
        .unwrap();
    assert_eq!(dataset.census.total(), written.people);
    dataset
}

#[test]
fn every_encoding_and_version_tells_the_same() {
    let bench = Bench::new();
    let first = dataset(&bench, &plan(), Kind::Tmsis, "a");
    assert_eq!(first.catalogue.quarantine.lines, 0);
    let expected: People = people(&first);
    for (at, (version, encoding)) in [
        (DictionaryVersion::V3, Encoding::Flf),
        (DictionaryVersion::V4, Encoding::Psv),
        (DictionaryVersion::V4, Encoding::Flf),
        (DictionaryVersion::Mixed, Encoding::Psv),
    ]
    .into_iter()
    .enumerate()
    {
        let plan = Plan {
            version,
            encoding,
            ..plan()
        };
        let other = dataset(&bench, &plan, Kind::Tmsis, &format!("b{at}"));
        assert_eq!(other.catalogue.quarantine.lines, 0, "{plan:?}");
        assert!(people(&other) == expected, "{plan:?}");
        assert_eq!(other.census.tables, first.census.tables);
    }
}

#[test]
fn malformed_lines_touch_only_the_people_they_are_about() {
    let bench = Bench::new();
    let expected = people(&dataset(&bench, &plan(), Kind::Tmsis, "a"));
    let plan = Plan {
        malformed: 3,
        ..plan()
    };
    let broken = dataset(&bench, &plan, Kind::Tmsis, "b");
    assert!(broken.catalogue.quarantine.by_reason.len() >= 5);
    let quarantined: u64 = broken
        .separability
        .rows
        .iter()
        .filter(|row| row.reason.as_deref() == Some("quarantined segment"))
        .map(|row| row.subjects)
        .sum();
    assert!((1..400).contains(&quarantined), "{quarantined}");
    let changed = people(&broken).into_iter().filter(|(who, now)| {
        expected
            .get(who)
            .is_none_or(|then| then["presence"] != now["presence"])
    });
    for (who, now) in changed {
        assert_eq!(now["presence"], "unknown", "{who:?}");
    }
}

#[test]
fn the_flat_form_has_the_same_people_with_less_evidence() {
    let bench = Bench::new();
    let submitted = people(&dataset(&bench, &plan(), Kind::Tmsis, "a"));
    let plan = Plan {
        kind: synth::Kind::Taf,
        ..plan()
    };
    let flat = people(&dataset(&bench, &plan, Kind::Taf, "b"));
    assert!(flat.keys().eq(submitted.keys()));
    let same = flat
        .iter()
        .filter(|(who, person)| submitted[*who]["citizenship"] == person["citizenship"])
        .count();
    assert!(same * 10 > flat.len() * 8, "{same} of {}", flat.len());
}

#[test]
fn one_file_of_many_origins_tells_the_same_as_one_file_each() {
    let bench = Bench::new();
    let (mut ids, mut states, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    let names: Vec<String> = (0..60).map(|at| format!("P{}", at % 17)).collect();
    for (at, name) in names.iter().enumerate() {
        ids.push(Some(name.as_str()));
        states.push(Some(["06", "48", "93", "56", "ZZ"][at % 5]));
        codes.push(Some(["0", "1"][at % 2]));
    }
    let write = |file: &str, wanted: &dyn Fn(usize) -> bool| {
        let pick = |all: &[Option<&'static str>]| -> Vec<Option<&'static str>> {
            let kept = all.iter().enumerate().filter(|(at, _)| wanted(*at));
            kept.map(|(_, value)| *value).collect()
        };
        let kept = ids.iter().enumerate().filter(|(at, _)| wanted(*at));
        let path = bench.dir.path().join(file);
        parquet(
            &path,
            &[
                ("MSIS_IDENT_NUM", kept.map(|(_, id)| *id).collect()),
                ("SUBMTG_STATE_CD", pick(&states)),
                ("CTZNSHP_IND", pick(&codes)),
            ],
        );
        path
    };
    let all = write("all.parquet", &|_| true);
    let mixed = bench.add(Kind::Taf, &[all]).unwrap();
    let (together, census) = (people(&mixed), mixed.census.clone());
    let each: Vec<PathBuf> = (0..5)
        .map(|state| write(&format!("{state}.parquet"), &|at| at % 5 == state))
        .collect();
    let apart = bench.add(Kind::Taf, &each).unwrap();
    assert_eq!(people(&apart), together);
    assert_eq!(apart.census, census);
    assert_eq!(apart.origins(), ["06", "48", "56", "unknown"]);
}
