//! The session on the README's first screen gives what it shows.

use std::path::Path;
use std::process::Command;

/// The first fenced block of a kind.
fn block<'a>(text: &'a str, kind: &str) -> &'a str {
    let start = text.find(&format!("```{kind}\n")).expect("a block") + kind.len() + 4;
    let rest = &text[start..];
    &rest[..rest.find("```").expect("its end")]
}

/// Runs one line of the session in `folder`, by a shell that finds the program under test.
pub(crate) fn shell(line: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_chancery"))
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        program.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .expect("a shell");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_session_on_the_first_screen_is_true() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).expect("README.md");
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().join("case");
    chancery_model::Request::parse("README.md", block(&readme, "toml")).expect("the request shown");
    let mut shown = String::new();
    for line in block(&readme, "console").lines() {
        match line.strip_prefix("$ ") {
            Some(line) if !folder.exists() => shown = shell(line, outside.path()),
            Some(line) => shown = shell(line, &folder),
            None => assert!(shown.contains(line), "README shows `{line}`, not:\n{shown}"),
        }
    }
    assert!(
        shown.contains("the same bytes"),
        "the session ends with a replay:\n{shown}"
    );
}

#[test]
fn the_map_in_the_documentation_is_read() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/maps.md");
    let page = std::fs::read_to_string(page).expect("docs/maps.md");
    let outside = tempfile::tempdir().expect("a folder");
    let (folder, file) = (outside.path(), |name: &str| outside.path().join(name));
    std::fs::write(file("map.toml"), block(&page, "toml")).expect("a map");
    let rows = "person,state,citizen,case,street\nP1,06,Y,C1,1 Elm St\n";
    std::fs::write(file("e.csv"), rows).expect("a table");
    shell("chancery init w --demo", folder);
    let added = shell(
        "chancery -C w dataset add d e.csv --kind table --map map.toml",
        folder,
    );
    assert!(
        added.contains("Added d: 1 person, 1 row in 1 table, from 1 file."),
        "{added}"
    );
}
