//! A small release from end to end: decided, confirmed, written, signed, logged and published.

#![allow(missing_docs, reason = "criterion's own functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::path::Path;

use chancery_dataset::synth::{self, Plan};
use chancery_dataset::{AddRequest, Kind, Silent, add};
use chancery_model::Request;
use chancery_release::{
    Config, Fixed, Known, Outcome, Workspace, ask, dataset_law, decide, elements, pack_files,
    release,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const PEOPLE: u64 = 2_000;
const REQUESTS: [(&str, &str, &str); 2] = [
    ("narrow", "dhs/ice", "immigration-enforcement/civil"),
    ("wide", "hhs/oig", "program-administration/integrity"),
];

fn workspace(root: &Path, clock: Fixed) -> Workspace {
    let law = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../law/us-medicaid");
    let files = pack_files(&law).unwrap();
    let config = Config {
        demonstration: true,
        ..Config::new("chancery.example/bench", "law/us-medicaid")
    };
    Workspace::init(root, config, &files, None, &clock).unwrap()
}

fn request(recipient: &str, purpose: &str) -> String {
    format!(
        "recipient = \"{recipient}\"\npurpose = \"{purpose}\"\ncustodian = \"hhs/cms\"\n\
         dataset = \"people\"\ntables = [\"*\"]\nelements = [\"*\"]\nformat = \"parquet\"\n\
         authority = []\njustification = \"measured\"\nrequested_by = \"bench\"\n"
    )
}

fn end_to_end(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let clock = Fixed("2026-01-10T12:00:00Z".parse().unwrap());
    let workspace = workspace(&dir.path().join("workspace"), clock);
    let plan = Plan {
        kind: synth::Kind::Taf,
        people: PEOPLE,
        seed: 1,
        states: vec!["06".to_owned(), "48".to_owned()],
        ..Plan::default()
    };
    let sources = dir.path().join("people");
    let determinations = synth::write(&plan, &sources, &|_| ()).unwrap().files.pop();
    let pack = workspace.law().unwrap();
    let known = elements(&pack);
    let added = AddRequest {
        name: "people",
        kind: Kind::Taf,
        paths: &[sources],
        map: None,
        determinations: determinations.as_deref(),
    };
    let law = dataset_law(&pack, &known);
    let dataset = add(&workspace.datasets_dir(), &added, &law, &Silent).unwrap();
    let on = "2026-01-10".parse().unwrap();
    let standing = workspace.standing(&pack, on, Known::Now).unwrap();
    let in_force = pack.in_force(on, workspace.sign_off(&standing)).unwrap();

    for (name, recipient, purpose) in REQUESTS {
        let text = request(recipient, purpose);
        let question = || {
            let request = Request::parse(name, &text).unwrap();
            ask(name, &text, request, &pack, &dataset).unwrap()
        };
        c.bench_function(&format!("decide, {name}"), |b| {
            b.iter(|| decide(question(), &in_force, &dataset).unwrap());
        });
        c.bench_function(&format!("release, {name}"), |b| {
            b.iter_batched(
                || {
                    for left in std::fs::read_dir(workspace.releases_dir()).unwrap() {
                        std::fs::remove_dir_all(left.unwrap().path()).unwrap();
                    }
                },
                |()| {
                    let outcome =
                        release(&workspace, question(), &in_force, &dataset, &clock, &Silent);
                    assert!(matches!(outcome.unwrap(), Outcome::Released(..)));
                },
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = end_to_end
}
criterion_main!(benches);
