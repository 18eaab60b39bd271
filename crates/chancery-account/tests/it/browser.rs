//! The report to the public in a real browser: on a phone and on a desktop, in light and dark, by
//! keyboard, and under axe-core.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::case::Case;
use crate::site::{is_page, pages};

/// axe-core, as the lock file names it, fetched once.
fn axe() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    let axe = folder.join("node_modules/axe-core/axe.min.js");
    let lock = std::fs::read(sources.join("package-lock.json")).unwrap();
    let fetched = std::fs::read(folder.join("package-lock.json")).ok();
    if fetched.as_ref() != Some(&lock) || !axe.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(sources.join(name), folder.join(name)).unwrap();
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let fetched = npm.current_dir(&folder).status();
        assert!(
            fetched
                .expect("npm: `make prerequisites` installs it")
                .success(),
            "axe-core could not be fetched"
        );
    }
    axe
}

/// The browser's program: `CHROMIUM`, or the first of its usual names on the path.
fn browser() -> PathBuf {
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return chosen.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let mut programs =
        std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name)));
    programs
        .find(|program| program.is_file())
        .expect("no Chromium: `make prerequisites` installs it")
}

/// What a look at each page finds, on each screen.
fn look(files: &[PathBuf]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/look.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(browser()).arg(axe()).args(files);
    let output = node
        .output()
        .expect("node: `make prerequisites` installs it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn written(folder: &Path, pages: &BTreeMap<String, Vec<u8>>) -> Vec<PathBuf> {
    chancery_account::publish(folder, pages).unwrap();
    let own = pages.keys().filter(|name| is_page(name));
    own.map(|name| folder.join(name)).collect()
}

#[test]
fn everybody_can_read_the_report() {
    let case = Case::with_releases(260);
    let files = written(&case.folder.path().join("report"), &pages(&case.counted()));
    let looks = look(&files);
    assert_eq!(
        looks.len(),
        files.len() * 4,
        "each on two screens, light and dark"
    );
    for found in &looks {
        assert_eq!(found["violations"], Value::Array(Vec::new()), "{found:#}");
        assert_eq!(found["unseen"], Value::Array(Vec::new()), "{found:#}");
        assert_eq!(found["wide"], 0, "{found:#}");
        assert_eq!(
            (&found["scripts"], &found["requests"]),
            (&0.into(), &1.into())
        );
        assert!(found["passes"].as_u64().unwrap() > 20, "{found:#}");
    }
}

#[test]
fn a_page_that_not_everybody_can_read_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("bad.html");
    let html = "<!DOCTYPE html><html><head><title>x</title><style>a { outline: none } p { color: #ccc; width: 90rem }\
        </style></head><body><h3>x</h3><p>Pale.</p><img src=\"data:,\"><a href=\"#x\" style=\"outline: none\">x</a></body></html>";
    std::fs::write(&page, html).unwrap();
    for found in look(&[page]) {
        let violations = found["violations"].as_array().unwrap().iter();
        let ids: Vec<&str> = violations.map(|v| v["id"].as_str().unwrap()).collect();
        for id in ["html-has-lang", "image-alt", "color-contrast"] {
            assert!(ids.contains(&id), "{ids:?}");
        }
        assert!(found["wide"].as_u64().unwrap() > 0);
        assert_ne!(found["unseen"], Value::Array(Vec::new()));
    }
}
