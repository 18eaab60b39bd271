//! A workspace to run the command in, and what the command answered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The command under test.
pub(crate) fn chancery() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chancery"));
    command.env("NO_COLOR", "1").env_remove("RUST_BACKTRACE");
    command
}

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    here.canonicalize().unwrap()
}

pub(crate) fn corpus() -> PathBuf {
    repository().join("corpus")
}

/// What a run of the command answered.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// The same, which must have ended with this exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// An error: nothing on stdout, a message and last a hint on stderr.
    #[track_caller]
    pub(crate) fn expect_error(self, code: i32) -> String {
        let ran = self.expect(code);
        assert_eq!(ran.stdout, "", "an error has no data");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        let last = ran.stderr.trim_end().lines().rev();
        let hint = last.take(4).any(|line| line.starts_with("hint: "));
        assert!(hint, "no hint at the end of:\n{}", ran.stderr);
        ran.stderr
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {self:#?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A demonstration workspace in a folder of its own.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    /// A place for a workspace, without one.
    pub(crate) fn empty() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A workspace without datasets.
    pub(crate) fn new() -> Self {
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let mut init = chancery();
        init.arg("init").arg(bench.workspace()).arg("--demo");
        Ran::of(init).expect(0);
        bench
    }

    /// A workspace with the T-MSIS people of the corpus.
    pub(crate) fn with_people() -> Self {
        let bench = Self::new();
        bench.add_people("tmsis");
        bench
    }

    pub(crate) fn add_people(&self, name: &str) {
        let people = corpus().join("datasets/tmsis");
        let add = [
            "dataset",
            "add",
            name,
            people.to_str().unwrap(),
            "--kind",
            "tmsis",
            "--determinations",
        ];
        let mut command = self.command(&add);
        command.arg(people.join("determinations.csv"));
        Ran::of(command).expect(0);
    }

    /// The same workspace, its files copied.
    pub(crate) fn copy(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy_folder(self.dir.path(), dir.path());
        Self { dir }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.dir.path().join("w")
    }

    pub(crate) fn releases(&self) -> PathBuf {
        self.workspace().join("releases")
    }

    /// Writes a file beside the workspace.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The command in this workspace.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = chancery();
        command.arg("-C").arg(self.workspace()).args(args);
        command.current_dir(self.dir.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args))
    }

    /// The published releases.
    pub(crate) fn published(&self) -> Vec<String> {
        names(&self.releases())
            .into_iter()
            .filter(|name| name != ".staging")
            .collect()
    }

    /// What is left of releases in the making.
    pub(crate) fn staged(&self) -> Vec<String> {
        names(&self.releases().join(".staging"))
    }

    /// The types of the ledger's entries, in their order.
    pub(crate) fn logged(&self) -> Vec<String> {
        self.entries()
            .iter()
            .map(|entry| entry["type"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn entries(&self) -> Vec<Value> {
        let lines = self.run(&["ledger", "export"]).expect(0).stdout;
        let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap()["entry"].clone();
        lines.lines().map(parse).collect()
    }

    /// Nothing was published and nothing is left.
    #[track_caller]
    pub(crate) fn expect_nothing_left(&self) {
        assert_eq!(self.published(), [""; 0]);
        assert_eq!(self.staged(), [""; 0]);
    }

    /// The ledger, open for writing, as another program would open it.
    pub(crate) fn ledger(&self) -> chancery_ledger::Ledger {
        use chancery_ledger::{Folder, Ledger, LogKeys, Parts, SqliteLock, keyfile};
        let keys = self.workspace().join("keys");
        let secrets = keyfile::read(&keys.join("ledger.key"), None).unwrap();
        Ledger::open(Parts {
            storage: Box::new(Folder::new(self.workspace().join("ledger"))),
            lock: Box::new(SqliteLock::open(&keys.join("ledger.sqlite")).unwrap()),
            known: std::fs::read_to_string(keys.join("ledger.vkey"))
                .unwrap()
                .parse()
                .unwrap(),
            keys: LogKeys::from_keys(secrets).unwrap(),
            cosigner: None,
            clock: chancery_release::Clock::seconds(&chancery_release::System),
        })
        .unwrap()
    }

    #[track_caller]
    pub(crate) fn expect_sound(&self) {
        self.run(&["ledger", "fsck"]).expect(0);
    }
}

/// The names in a folder, sorted; none if there is no such folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().to_str().unwrap().to_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// The files below a folder, by their path within it.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            for (below, path) in files(&path) {
                found.insert(format!("{name}/{below}"), path);
            }
        } else {
            found.insert(name, path);
        }
    }
    found
}

fn copy_folder(from: &Path, to: &Path) {
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_folder(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

/// The request for civil enforcement about the people of the corpus.
pub(crate) const CIVIL: &str = r#"recipient = "dhs/ice"
purpose = "immigration-enforcement/civil"
custodian = "hhs/cms"
dataset = "tmsis"
"#;

/// The request of the inspector general, who may have everything.
pub(crate) const INTEGRITY: &str = r#"recipient = "hhs/oig"
purpose = "program-administration/integrity"
custodian = "hhs/cms"
dataset = "tmsis"
"#;
