//! The law part of a decision: the pack loaded, every element partially evaluated, the predicates
//! asked about records, and the same asked of the ordinary authorizer.

#![allow(missing_docs, reason = "criterion's own functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::path::Path;

use chancery_law::{LawPack, PackSource, Query, SignOff};
use chancery_model::Signature;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn collect(dir: &Path, root: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn shipped() -> PackSource {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../law/us-medicaid");
    let mut files = BTreeMap::new();
    collect(&root, &root, &mut files);
    PackSource::new("law/us-medicaid", files)
}

/// Every combination of attribute values.
fn all_signatures(pack: &LawPack) -> Vec<Signature> {
    let mut all = vec![Signature::unknown(pack.domain())];
    for (at, attribute) in pack.domain().attributes().iter().enumerate() {
        let values = 0..u8::try_from(attribute.values.len()).unwrap();
        all = all
            .iter()
            .flat_map(|s| values.clone().map(move |value| s.with(at, value)))
            .collect();
    }
    all
}

fn decide(c: &mut Criterion) {
    let source = shipped();
    c.bench_function("load and validate the law pack", |b| {
        b.iter(|| LawPack::load(black_box(&source)).unwrap());
    });
    let pack = LawPack::load(&source).unwrap();
    let law = pack
        .in_force("2026-01-10".parse().unwrap(), SignOff::Demonstration)
        .unwrap();
    let words = pack.vocabulary();
    let query = Query {
        recipient: words.agency("dhs/ice").unwrap(),
        custodian: words.agency("hhs/cms").unwrap(),
        purpose: words
            .purpose("immigration-enforcement/civil")
            .unwrap()
            .clone(),
    };
    c.bench_function("decide every element", |b| {
        b.iter(|| law.decide(black_box(&query)).unwrap());
    });

    let ruling = law.decide(&query).unwrap();
    let records = all_signatures(&pack);
    let asked = u64::try_from(records.len() * ruling.elements.len()).unwrap();
    let mut group = c.benchmark_group("one element of one record");
    group.throughput(Throughput::Elements(asked));
    group.bench_function("by its predicate", |b| {
        b.iter(|| {
            let hold = |record| {
                let elements = ruling.elements.iter();
                elements.filter(|e| e.released_when.holds(record)).count()
            };
            records.iter().map(hold).sum::<usize>()
        });
    });
    let occurring: BTreeSet<&Signature> = records.iter().collect();
    let decisions = law.confirm(ruling.clone(), &occurring).unwrap().decisions();
    group.throughput(Throughput::Elements(decisions));
    group.bench_function("by the authorizer (second evaluator)", |b| {
        b.iter(|| law.confirm(ruling.clone(), &occurring).unwrap());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = decide
}
criterion_main!(benches);
