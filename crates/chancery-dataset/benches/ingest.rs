//! From sources to a dataset: T-MSIS text scanned, text copied and classified, Parquet classified.

#![allow(missing_docs, reason = "criterion's own functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use chancery_dataset::synth::{self, Plan};
use chancery_dataset::{AddRequest, Dictionary, Kind, Law, Silent, add, scan};
use chancery_model::{Attribute, Classification, Domain};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const PEOPLE: u64 = 5_000;

/// Synthetic people of two states, and how long the files are.
fn people(dir: &Path, kind: synth::Kind) -> (PathBuf, u64) {
    let out = dir.join(format!("{kind:?}"));
    let plan = Plan {
        kind,
        people: PEOPLE,
        seed: 1,
        states: vec!["06".to_owned(), "48".to_owned()],
        ..Plan::default()
    };
    let written = synth::write(&plan, &out, &|_| ()).unwrap();
    (out, written.bytes)
}

/// A table without rules: everybody is read and counted, nobody is told apart.
fn law() -> (Classification, Domain) {
    let attribute = |name: &str, values: &[&str]| Attribute {
        name: name.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let domain = Domain::new(vec![
        attribute("origin", &["06", "48", "unknown"]),
        attribute("program", &["unknown"]),
    ]);
    let classification = Classification {
        origin: "origin".to_owned(),
        ..Classification::default()
    };
    (classification, domain.unwrap())
}

fn ingest(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let (text, text_bytes) = people(dir.path(), synth::Kind::Tmsis);
    let (parquet, parquet_bytes) = people(dir.path(), synth::Kind::Taf);

    let dictionary = Dictionary::load().unwrap();
    let file = std::fs::read(text.join("ELIGIBLE-06.psv")).unwrap();
    let mut group = c.benchmark_group("T-MSIS");
    group.throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("scan", |b| {
        b.iter(|| scan(&dictionary, black_box(&file)).unwrap());
    });
    group.finish();

    let (classification, domain) = law();
    let elements = BTreeSet::new();
    let law = Law {
        classification: &classification,
        domain: &domain,
        elements: &elements,
    };
    let datasets = dir.path().join("datasets");
    let mut group = c.benchmark_group("add and classify");
    for (name, kind, folder, bytes) in [
        ("T-MSIS", Kind::Tmsis, text, text_bytes),
        ("TAF", Kind::Taf, parquet, parquet_bytes),
    ] {
        let paths = [folder];
        let request = AddRequest {
            name: "people",
            kind,
            paths: &paths,
            map: None,
            determinations: None,
        };
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(name, |b| {
            b.iter_batched(
                || drop(std::fs::remove_dir_all(datasets.join("people"))),
                |()| add(&datasets, &request, &law, &Silent).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = ingest
}
criterion_main!(benches);
