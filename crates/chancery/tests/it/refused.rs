//! Bad input: each is refused for what it is, and nothing leaves.

use std::process::Command;

use crate::workbench::{Bench, CIVIL, INTEGRITY, Ran, corpus};

const ON: [&str; 2] = ["--on", "2026-01-10"];

#[test]
fn requests_that_name_what_nothing_knows_are_refused_where_they_stand() {
    let bench = Bench::with_people();
    let before = bench.logged();
    for (request, line, words) in [
        (
            CIVIL.replace("dhs/ice", "dhs/ise"),
            1,
            "unknown agency `dhs/ise`",
        ),
        (
            CIVIL.replace("hhs/cms", "hhs/cmz"),
            3,
            "unknown agency `hhs/cmz`",
        ),
        (CIVIL.replace("/civil", "/cvil"), 2, "unknown purpose"),
        (
            CIVIL.replace("tmsis", "tmsys"),
            4,
            "no dataset is called `tmsys`",
        ),
        (
            format!("{CIVIL}elements = [\"addres\"]\n"),
            5,
            "unknown element `addres`",
        ),
        (
            format!("{CIVIL}tables = [\"ELG00099\"]\n"),
            5,
            "unknown table `ELG00099`",
        ),
        (
            format!("{CIVIL}authority = [\"us/usc/8/1361\"]\n"),
            5,
            "unknown instrument",
        ),
        (
            format!("{CIVIL}element = [\"*\"]\n"),
            5,
            "unknown field `element`",
        ),
        (
            format!("{CIVIL}format = \"xlsx\"\n"),
            5,
            "unknown variant `xlsx`",
        ),
        (format!("{CIVIL}elements = []\n"), 5, "asks for nothing"),
        (CIVIL.replace("\"dhs/ice\"", "\"\""), 1, "is empty"),
        (CIVIL.replace("\"dhs/ice\"", "\"dhs/ice"), 1, "string"),
    ] {
        bench.file("r.toml", &request);
        for command in ["decide", "release"] {
            let error = bench
                .run(&[command, "r.toml", ON[0], ON[1]])
                .expect_error(3);
            assert!(error.contains(&format!("r.toml:{line}:")), "{error}");
            assert!(error.contains(words), "{error}");
            assert!(error.contains('^'), "no span: {error}");
        }
    }
    bench.run(&["release", "absent.toml"]).expect(3);
    assert_eq!(bench.logged(), before);
    bench.expect_nothing_left();
}

fn add(bench: &Bench, file: &str, kind: &str, map: Option<&str>) -> String {
    let mut args = vec!["dataset", "add", "d", file, "--kind", kind];
    args.extend(map.into_iter().flat_map(|map| ["--map", map]));
    let error = bench.run(&args).expect_error(1);
    assert!(
        error.contains(file) || map.is_some_and(|map| error.contains(map)),
        "{error}"
    );
    assert!(!bench.workspace().join("datasets/d").exists());
    let left = crate::workbench::names(&bench.workspace().join("datasets"));
    assert_eq!(left, [""; 0], "{error}");
    error
}

#[test]
fn datasets_that_are_not_what_they_should_be_are_refused() {
    let bench = Bench::new();
    let (header, rows) = crate::source::csv(&corpus().join("datasets/taf/TAF.csv"));
    let whole = bench.path().join("whole.parquet");
    crate::source::write_parquet(&whole, &header, &rows);
    let bytes = std::fs::read(&whole).unwrap();
    bench.file("cut.parquet", &bytes[..bytes.len() * 2 / 3]);
    add(&bench, "cut.parquet", "taf", None);

    let people = corpus().join("datasets/tmsis/ELIGIBLE-06.psv");
    let text = std::fs::read_to_string(people).unwrap();
    bench.file("claims.psv", text.replacen("ELG00001", "CIP00001", 1));
    let error = add(&bench, "claims.psv", "tmsis", None);
    assert!(error.contains("claims.psv:1: `RECORD-ID`"), "{error}");
    bench.file("future.psv", text.replacen("V3.0.0", "V9.0.0", 1));
    let error = add(&bench, "future.psv", "tmsis", None);
    assert!(
        error.contains("future.psv:1: `DATA-DICTIONARY-VERSION`"),
        "{error}"
    );
    bench.file("empty.psv", "");
    add(&bench, "empty.psv", "tmsis", None);

    let map = std::fs::read_to_string(corpus().join("datasets/table/map.toml")).unwrap();
    let rows = std::fs::read(corpus().join("datasets/table/enrollees.csv")).unwrap();
    bench.file("e.csv", rows);
    bench.file(
        "twice.toml",
        map.replace("name = \"phone\"", "name = \"street\""),
    );
    let error = add(&bench, "e.csv", "table", Some("twice.toml"));
    assert!(
        error.contains("names this column twice") && error.contains('^'),
        "{error}"
    );
    bench.file(
        "lacks.toml",
        map.replace("name = \"phone\"", "name = \"fax\""),
    );
    let error = add(&bench, "e.csv", "table", Some("lacks.toml"));
    assert!(error.contains("no such column"), "{error}");
    bench.file(
        "wealth.toml",
        map.replace("element = \"phone\"", "element = \"wealth\""),
    );
    let error = add(&bench, "e.csv", "table", Some("wealth.toml"));
    assert!(error.contains("no such element"), "{error}");
}

#[test]
fn a_source_that_changed_after_it_was_added_is_refused_and_the_abort_is_logged() {
    let bench = Bench::new();
    crate::source::add(&bench, "taf");
    bench.file("r.toml", INTEGRITY.replace("tmsis", "taf"));
    let file = bench.path().join("TAF.parquet");
    let (header, mut rows) = crate::source::csv(&corpus().join("datasets/taf/TAF.csv"));
    rows[0][4] = "Ade".to_owned();
    crate::source::write_parquet(&file, &header, &rows);
    let error = bench
        .run(&["release", "r.toml", ON[0], ON[1]])
        .expect_error(1);
    assert!(error.contains("TAF.parquet has changed"), "{error}");
    assert_eq!(bench.logged(), ["workspace", "abort"]);
    bench.expect_nothing_left();
    bench.expect_sound();
}

#[test]
fn a_second_writer_is_kept_out() {
    let bench = Bench::with_people();
    bench.file("r.toml", INTEGRITY);
    let first = bench.ledger();
    bench
        .run(&["release", "r.toml", ON[0], ON[1]])
        .expect_error(1);
    // Who only reads is not kept out.
    bench.run(&["decide", "r.toml", ON[0], ON[1]]).expect(0);
    bench.expect_sound();
    assert_eq!(bench.logged(), ["workspace"]);
    bench.expect_nothing_left();
    drop(first);
    bench.run(&["release", "r.toml", ON[0], ON[1]]).expect(0);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_the_abort_is_logged() {
    let bench = Bench::with_people();
    bench.file("r.toml", INTEGRITY);
    let releases = bench.releases();
    std::fs::remove_dir_all(&releases).unwrap();
    std::fs::write(&releases, "").unwrap();
    let ran = bench.run(&["release", "r.toml", ON[0], ON[1]]).expect(1);
    assert!(ran.stderr.contains("releases"), "{ran:?}");
    assert_eq!(ran.stdout, "");
    std::fs::remove_file(&releases).unwrap();
    std::fs::create_dir(&releases).unwrap();
    bench.expect_sound();
    bench.run(&["release", "r.toml", ON[0], ON[1]]).expect(0);
    assert_eq!(bench.published().len(), 1);
    assert_eq!(bench.staged(), [""; 0]);
}

/// The command, which may write no file longer than so many bytes: what a full disk looks like
/// to a process without privileges.
pub(crate) fn limited(bench: &Bench, blocks: u32, args: &[&str]) -> Ran {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_chancery"), "-C"]);
    command
        .arg(bench.workspace())
        .args(args)
        .current_dir(bench.path());
    Ran::of(command)
}
