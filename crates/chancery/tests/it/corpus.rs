//! The answers of the law, case by case: each folder of `corpus/` with a `case.toml` is one.
//!
//! `CHANCERY_CORPUS=accept cargo test -p chancery corpus` writes the snapshots anew; read the diff.
//! What leaves is in any case held against [`crate::expected`], which no run can rewrite.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Deserialize;
use serde_json::Value;

use crate::expected::{Asked, Expected, expected};
use crate::source;
use crate::workbench::{Bench, corpus, files, names};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The folder in `corpus/datasets/`.
    dataset: String,
    /// The day whose law applies.
    on: String,
    /// What is to be expected, in words.
    expect: String,
}

const SNAPSHOTS: [&str; 5] = [
    "decision.txt",
    "decision.json",
    "plan.txt",
    "output.txt",
    "manifest.json",
];

#[test]
fn every_case_gives_what_the_law_gives() {
    let root = corpus();
    let cases = names(&root).into_iter().map(|name| root.join(name));
    let cases: VecDeque<PathBuf> = cases.filter(|dir| dir.join("case.toml").exists()).collect();
    assert!(cases.len() >= 30, "the corpus has lost cases");
    let queue = Mutex::new(cases);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let bench = Bench::new();
                for dataset in names(&root.join("datasets")) {
                    source::add(&bench, &dataset);
                }
                loop {
                    let Some(case) = queue.lock().unwrap().pop_front() else {
                        break;
                    };
                    if let Err(failure) = check(&bench, &case) {
                        let name = case.file_name().unwrap().to_str().unwrap();
                        failures
                            .lock()
                            .unwrap()
                            .push(format!("== {name}\n{failure}"));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Runs a case and compares everything that it gives.
fn check(bench: &Bench, dir: &Path) -> Result<(), String> {
    let case = std::fs::read_to_string(dir.join("case.toml")).unwrap();
    let case: Case = toml::from_str(&case).map_err(|error| error.to_string())?;
    let request = dir.join("request.toml");
    let text = std::fs::read_to_string(&request).unwrap();
    let asked: Asked = toml::from_str(&text).map_err(|error| error.to_string())?;
    let must = expected(&source::read(&case.dataset), &asked, &case.on);
    if case.expect.trim().is_empty() {
        return Err("case.toml does not say what to expect".to_owned());
    }
    let code = if must.outcome == "denied" { 2 } else { 0 };
    let run = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend([request.to_str().unwrap(), "--on", &case.on]);
        let ran = bench.run(&all);
        if ran.code == Some(code) {
            Ok(ran)
        } else {
            Err(format!("{args:?} did not end with {code}: {ran:#?}"))
        }
    };
    let text = run(&["decide"])?.stdout;
    let mut decision = run(&["decide", "--format", "json"])?.json();
    let plan = run(&["decide", "--plan"])?.stdout;
    let report = run(&["release", "--format", "json"])?.json();
    agree(&must, &decision)?;
    let digest = decision["law"]["digest"].as_str().unwrap().to_owned();
    decision["law"]["digest"] = "[law pack]".into();
    let short = &digest[.."sha256:".len() + 12];
    let mut now = BTreeMap::from([
        (
            "decision.txt",
            text.replace(&digest, "[law pack]")
                .replace(short, "[law pack]"),
        ),
        ("decision.json", format!("{decision:#}\n")),
        ("plan.txt", plan),
    ]);
    if let Some(release) = report["path"].as_str() {
        let release = Path::new(release);
        let id = report["id"].as_str().unwrap();
        let verified = bench.run(&["verify", id, "--replay"]);
        if verified.code != Some(0) {
            return Err(format!("the release does not verify: {verified:#?}"));
        }
        compare_cells(&must, &asked, release)?;
        now.insert("output.txt", printed(&release.join("data")));
        now.insert("manifest.json", manifest(release));
    } else if !must.files.is_empty() {
        return Err("nothing was released".to_owned());
    }
    compare_snapshots(dir, &now)
}

/// Holds the counts of a decision against what must leave.
fn agree(must: &Expected, decision: &Value) -> Result<(), String> {
    let mut problems = String::new();
    let mut same = |what: &str, expected: Value, found: &Value| {
        if expected != *found {
            writeln!(
                problems,
                "{what}: expected {expected}, the decision says {found}"
            )
            .unwrap();
        }
    };
    let nothing = must.classes.get(&BTreeSet::new()).copied().unwrap_or(0);
    same("outcome", must.outcome.into(), &decision["outcome"]);
    same("total", must.total.into(), &decision["subjects"]["total"]);
    same(
        "withheld",
        nothing.into(),
        &decision["subjects"]["withheld"],
    );
    same(
        "released",
        (must.total - nothing).into(),
        &decision["subjects"]["released"],
    );
    for element in decision["elements"].as_array().unwrap() {
        let name = element["element"].as_str().unwrap();
        let people = must.elements.get(name).copied().unwrap_or(0);
        same(name, people.into(), &element["subjects"]);
    }
    let mut classes = BTreeMap::new();
    for class in decision["classes"].as_array().unwrap() {
        let elements: BTreeSet<String> = serde_json::from_value(class["elements"].clone()).unwrap();
        classes.insert(elements, class["subjects"].as_u64().unwrap());
    }
    same(
        "classes",
        format!("{:?}", must.classes).into(),
        &format!("{classes:?}").into(),
    );
    let mut tables = BTreeMap::new();
    for table in decision["tables"].as_array().unwrap() {
        let rows = (
            table["rows"].as_u64().unwrap(),
            table["released_rows"].as_u64().unwrap(),
        );
        tables.insert(table["table"].as_str().unwrap().to_owned(), rows);
    }
    same(
        "tables",
        format!("{:?}", must.rows).into(),
        &format!("{tables:?}").into(),
    );
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Holds every released cell against what must leave.
fn compare_cells(must: &Expected, asked: &Asked, release: &Path) -> Result<(), String> {
    let data = release.join("data");
    let there: Vec<String> = files(&data).into_keys().collect();
    let expected: Vec<String> = must
        .files
        .keys()
        .map(|(table, origin)| format!("{table}/{origin}.{}", asked.extension()))
        .collect();
    if there != expected {
        return Err(format!("expected the files {expected:?}, not {there:?}"));
    }
    for ((_, cells), name) in must.files.iter().zip(&there) {
        let (columns, mut rows) = source::released(&data.join(name));
        rows.sort();
        if (&columns, &rows) != (&cells.0, &cells.1) {
            let diff = diff(&table(&cells.0, &cells.1), &table(&columns, &rows));
            return Err(format!("{name} is not what the law lets go:\n{diff}"));
        }
    }
    Ok(())
}

/// The released files, cell by cell; `·` is a cell that is missing or withheld.
fn printed(data: &Path) -> String {
    let mut text = String::new();
    for (name, path) in files(data) {
        let (columns, rows) = source::released(&path);
        writeln!(text, "{name}\n{}", table(&columns, &rows)).unwrap();
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn table(columns: &[String], rows: &[Vec<String>]) -> String {
    let shown = |cell: &String| {
        if cell.is_empty() {
            "·".to_owned()
        } else {
            cell.clone()
        }
    };
    let lines: Vec<Vec<String>> = std::iter::once(columns.to_vec())
        .chain(rows.iter().map(|row| row.iter().map(shown).collect()))
        .collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| {
            lines
                .iter()
                .map(|line| line[at].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(text, "  {}", cells.join(" | ").trim_end()).unwrap();
    }
    text
}

/// The signed statement, without what changes with a comment in the law pack or a version.
fn manifest(release: &Path) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let envelope = std::fs::read(release.join("manifest.dsse.json")).unwrap();
    let envelope: Value = serde_json::from_slice(&envelope).unwrap();
    let payload = BASE64_STANDARD
        .decode(envelope["payload"].as_str().unwrap())
        .unwrap();
    let mut statement: Value = serde_json::from_slice(&payload).unwrap();
    let manifest = &mut statement["predicate"];
    manifest["law"]["digest"] = "[law pack]".into();
    manifest["dataset"]["classification"] = "[classification]".into();
    manifest["versions"] = "[versions]".into();
    format!("{statement:#}\n")
}

fn compare_snapshots(dir: &Path, now: &BTreeMap<&str, String>) -> Result<(), String> {
    let accept = std::env::var("CHANCERY_CORPUS").is_ok_and(|value| value == "accept");
    let mut problems = String::new();
    for name in SNAPSHOTS {
        let path = dir.join(name);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let after = now.get(name).map_or("", String::as_str);
        if before == after {
            continue;
        }
        if !accept {
            writeln!(problems, "{name} has changed:\n{}", diff(&before, after)).unwrap();
        } else if after.is_empty() {
            std::fs::remove_file(&path).unwrap();
        } else {
            std::fs::write(&path, after).unwrap();
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// The lines that differ, between those that are the same at either end.
fn diff(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = old.iter().zip(&new).take_while(same).count();
    let tail = old[head..]
        .iter()
        .rev()
        .zip(new[head..].iter().rev())
        .take_while(same)
        .count();
    let mut text = format!("@@ line {} @@\n", head + 1);
    for line in &old[head..old.len() - tail] {
        writeln!(text, "- {line}").unwrap();
    }
    for line in &new[head..new.len() - tail] {
        writeln!(text, "+ {line}").unwrap();
    }
    text
}

#[test]
fn a_diff_shows_the_lines_that_differ() {
    assert_eq!(diff("a\nb\nc\n", "a\nx\nc\n"), "@@ line 2 @@\n- b\n+ x\n");
}
