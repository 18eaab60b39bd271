//! The crates may import each other in path order only, and a large dependency has one home.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate with the crates of ours that it may import.
const MAY_IMPORT: [(&str, &[&str]); 9] = [
    ("chancery-model", &[]),
    ("chancery-law", &["chancery-model"]),
    ("chancery-dataset", &["chancery-model"]),
    ("chancery-plan", &["chancery-model", "chancery-dataset"]),
    ("chancery-ledger", &[]),
    ("chancery-register", &["chancery-model"]),
    (
        "chancery-release",
        &[
            "chancery-model",
            "chancery-law",
            "chancery-dataset",
            "chancery-plan",
            "chancery-ledger",
            "chancery-register",
        ],
    ),
    (
        "chancery-account",
        &[
            "chancery-model",
            "chancery-law",
            "chancery-dataset",
            "chancery-plan",
            "chancery-ledger",
            "chancery-register",
            "chancery-release",
        ],
    ),
    (
        "chancery",
        &[
            "chancery-model",
            "chancery-law",
            "chancery-dataset",
            "chancery-plan",
            "chancery-ledger",
            "chancery-register",
            "chancery-release",
            "chancery-account",
        ],
    ),
];

/// Dependencies with the one crate that may name them.
const ONLY_HOME: [(&str, &str); 19] = [
    ("cedar-policy", "chancery-law"),
    ("cedar-policy-symcc", "chancery-law"),
    ("datafusion", "chancery-plan"),
    ("ballista", "chancery-plan"),
    ("ed25519-dalek", "chancery-ledger"),
    ("ml-dsa", "chancery-ledger"),
    ("age", "chancery-ledger"),
    ("tlog_tiles", "chancery-ledger"),
    ("rusqlite", "chancery-ledger"),
    ("object_store", "chancery-ledger"),
    ("hyper", "chancery-ledger"),
    ("ureq", "chancery-ledger"),
    ("vrf-r255", "chancery-register"),
    ("roaring", "chancery-register"),
    ("memmap2", "chancery-register"),
    ("typst", "chancery-account"),
    ("typst-pdf", "chancery-account"),
    ("zip", "chancery-account"),
    ("clap", "chancery"),
];

fn packages() -> Vec<Value> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .args(["--manifest-path", manifest])
        .output()
        .expect("cargo metadata runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn name(value: &Value) -> String {
    value["name"].as_str().expect("a name").to_owned()
}

/// What each crate depends on outside its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let normal = |package: &Value| {
        let all = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter();
        let normal = all
            .filter(|dependency| dependency["kind"].is_null())
            .map(name)
            .collect();
        (name(package), normal)
    };
    packages().iter().map(normal).collect()
}

#[test]
fn crates_import_each_other_in_path_order_only() {
    let dependencies = dependencies();
    let listed: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    for (name, imports) in &dependencies {
        // What is not listed (benches, fuzz targets) stands beside the path and may import any.
        let Some((_, may)) = MAY_IMPORT.iter().find(|(listed, _)| listed == name) else {
            continue;
        };
        for import in imports
            .iter()
            .filter(|import| listed.contains(import.as_str()))
        {
            assert!(
                may.contains(&import.as_str()),
                "{name} may not import {import}"
            );
        }
    }
    assert!(
        listed.iter().all(|name| dependencies.contains_key(*name)),
        "a crate has gone"
    );
}

#[test]
fn large_dependencies_have_one_home() {
    for (name, imports) in dependencies() {
        for (dependency, home) in ONLY_HOME {
            let at_home = name == home || !imports.contains(dependency);
            assert!(
                at_home,
                "{dependency} is at home in {home}, but {name} imports it"
            );
        }
    }
}

#[test]
fn every_crate_is_in_a_folder_of_its_name() {
    for package in packages() {
        let manifest = package["manifest_path"]
            .as_str()
            .expect("a path")
            .to_owned();
        if manifest.contains("/crates/") {
            assert!(manifest.ends_with(&format!("/crates/{}/Cargo.toml", name(&package))));
        }
    }
}
