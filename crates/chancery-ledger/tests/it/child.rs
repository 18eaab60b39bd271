//! Other processes: this test binary again, which plays a part until its standard input ends.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "the parts are tests, too"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use chancery_ledger::witness::{Shutdown, Witness, serve};

use crate::witness::{logs, witness_keys};

/// The part to play; without it the test does nothing.
const PART: &str = "CHANCERY_TEST_PART";

/// A process that is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a part, with words for it.
    pub(crate) fn start(words: &[&str]) -> Self {
        Self::spawn(Command::new(std::env::current_exe().unwrap()), words)
    }

    /// As [`Process::start`], with a limit to the size of files, over which writes fail.
    pub(crate) fn start_with_small_files(words: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 300; exec \"$0\" \"$@\""]);
        shell.arg(std::env::current_exe().unwrap());
        Self::spawn(shell, words)
    }

    fn spawn(mut command: Command, words: &[&str]) -> Self {
        let mut child = command
            .args(["--exact", "child::part", "--nocapture"])
            .env(PART, words.join("\n"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// The next line that the part says with [`say`].
    pub(crate) fn hear(&mut self) -> String {
        for line in self.output.by_ref().lines() {
            let line = line.unwrap();
            if let Some((_, said)) = line.split_once("SAYS ") {
                return said.to_owned();
            }
        }
        panic!("the process has ended without a word");
    }

    /// Kills it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) {
        self.child.wait().unwrap();
    }

    /// Lets it end by itself.
    pub(crate) fn end(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Tells the process that started this one.
pub(crate) fn say(words: &str) {
    println!("SAYS {words}");
    std::io::stdout().flush().unwrap();
}

/// A part that other tests start; started by nobody, it has nothing to do.
#[test]
fn part() {
    let Ok(words) = std::env::var(PART) else {
        return;
    };
    let words: Vec<&str> = words.split('\n').collect();
    match words[..] {
        ["witness", dir, name] => witness(Path::new(dir), name),
        ["monitor", log, dir] => crate::monitor::follow(log, Path::new(dir)),
        _ => panic!("no such part: {words:?}"),
    }
}

/// Serves a witness until standard input ends.
fn witness(dir: &Path, name: &str) {
    let witness = Witness::open(
        dir,
        witness_keys(name),
        logs(),
        Box::new(crate::witness::now),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    say(&format!("http://{}", listener.local_addr().unwrap()));
    let shutdown = Shutdown::default();
    let stdin_ended = shutdown.clone();
    std::thread::spawn(move || {
        drop(std::io::stdin().read(&mut [0]));
        stdin_ended.begin();
    });
    match serve(listener, witness.unwrap(), &shutdown, |_| ()) {
        Ok(()) => say("ended"),
        Err(error) => say(&error.to_string()),
    }
}
