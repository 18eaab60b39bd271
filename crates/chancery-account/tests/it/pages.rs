//! A document as other programs read it: poppler's tools and qpdf (`make prerequisites`).

use std::path::{Path, PathBuf};
use std::process::Command;

/// A document on disk.
pub(crate) struct Pages {
    folder: tempfile::TempDir,
}

impl Pages {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("document.pdf"), bytes).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("document.pdf")
    }

    fn run(&self, tool: &str, before: &[&str], after: &[&str]) -> String {
        let output = Command::new(tool)
            .args(before)
            .arg(self.path())
            .args(after)
            .current_dir(self.folder.path())
            .output()
            .unwrap_or_else(|_| panic!("`{tool}` is not here; `make prerequisites` installs it"));
        assert!(output.status.success(), "{tool}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What stands after `Name:` in what `pdfinfo` says.
    pub(crate) fn info(&self, name: &str) -> String {
        let info = self.run("pdfinfo", &[], &[]);
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    }

    /// The metadata that says which standards it keeps.
    pub(crate) fn metadata(&self) -> String {
        self.run("pdfinfo", &["-meta"], &[])
    }

    /// Its tags, an element a line.
    pub(crate) fn structure(&self) -> String {
        self.run("pdfinfo", &["-struct-text"], &[])
    }

    /// Its text in reading order, without how it is broken into lines.
    pub(crate) fn text(&self) -> String {
        let text = self.run("pdftotext", &[], &["-"]);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// That qpdf finds nothing wrong, that it is what it says it is, and that every page has ink.
    pub(crate) fn check(&self, title: &str, language: &str) {
        let checked = self.run("qpdf", &["--check"], &[]);
        assert!(
            checked.contains("No syntax or stream encoding errors"),
            "{checked}"
        );
        assert_eq!(self.info("Title"), title);
        assert_eq!(self.info("Tagged"), "yes");
        assert_eq!(self.info("JavaScript"), "no");
        let metadata = self.metadata();
        for mark in [
            "<pdfaid:part>2</pdfaid:part>",
            "<pdfaid:conformance>A</pdfaid:conformance>",
            "<pdfuaid:part>1</pdfuaid:part>",
            &format!("<rdf:li>{language}</rdf:li>"),
        ] {
            assert!(metadata.contains(mark), "{mark} is not in {metadata}");
        }
        let pages: usize = self.info("Pages").parse().unwrap();
        self.run("pdftoppm", &["-gray", "-r", "40"], &["page"]);
        let mut seen = 0;
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|end| end == "pgm") {
                seen += 1;
                check_ink(&std::fs::read(path).unwrap());
            }
        }
        assert_eq!(seen, pages);
    }
}

/// A page at 40 dots to the inch has ink, and none within half an inch of its sides.
fn check_ink(pgm: &[u8]) {
    const WIDTH: usize = 340;
    const HEIGHT: usize = 440;
    let pixels = &pgm[pgm.len() - WIDTH * HEIGHT..];
    let is_ink = |at: &usize| pixels[*at] < 200;
    let ink: Vec<usize> = (0..pixels.len()).filter(is_ink).collect();
    assert!(ink.len() > 200, "an empty page");
    for at in ink {
        let (x, y) = (at % WIDTH, at / WIDTH);
        assert!(
            (20..WIDTH - 20).contains(&x) && (16..HEIGHT - 16).contains(&y),
            "ink at {x}, {y}"
        );
    }
}

/// Writes the samples where they can be looked at: `cargo test -p chancery-account look -- --ignored`.
#[test]
#[ignore = "writes files to be looked at"]
fn look() {
    use chancery_account::exhibit::exhibit;
    use chancery_account::letter::{Language, letter};
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, language) in [
        ("letter-en", Language::English),
        ("letter-es", Language::Spanish),
    ] {
        let bytes = letter(&crate::samples::letter(language)).unwrap();
        std::fs::write(folder.join(name).with_extension("pdf"), bytes).unwrap();
    }
    let bytes = exhibit(&crate::samples::exhibit()).unwrap();
    std::fs::write(folder.join("exhibit.pdf"), bytes).unwrap();
}
