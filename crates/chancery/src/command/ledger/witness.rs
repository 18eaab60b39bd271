//! `ledger witness`: cosigns the checkpoints of the logs that a policy lists.

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use chancery_dataset::Progress as _;
use chancery_ledger::keyfile::{self, Passphrase};
use chancery_ledger::witness::{Answer, Shutdown, Witness, serve};
use chancery_ledger::{Algorithm, Policy, SigningKey, VerifierKey};
use serde::Serialize;

use super::super::{Context, Result, given, json};
use crate::args::{Format, LedgerWitness};
use crate::failure::Failure;
use crate::text;

/// The key file in a witness's folder.
const KEYS: &str = "witness.key";

/// How much of what is wrong with a request is shown: a stranger sent it.
const MOST_OF_A_PROBLEM: usize = 300;

/// How often to look whether the command is to end.
const PATIENCE: Duration = Duration::from_millis(100);

/// What others need to know of a witness.
#[derive(Serialize)]
struct Introduction {
    /// Where it answers; absent when it was only made.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Its public keys: for a policy, take the first.
    vkeys: Vec<String>,
}

pub(super) fn run(context: &Context, args: &LedgerWitness) -> Result {
    let key_file = args.dir.join(KEYS);
    if let Some(name) = &args.init {
        let passphrase = context.passphrases.offered()?;
        make(&args.dir, &key_file, name, passphrase.as_ref())?;
        if passphrase.is_none() {
            text::warn(&format!(
                "the secret keys in `{}` are not encrypted; a passphrase at `--init` does that",
                key_file.display()
            ));
        }
    }
    let keys = keyfile::read(&key_file, Some(&|| context.passphrases.get(&key_file)))?;
    let vkeys: Vec<String> = keys.iter().map(|key| key.verifier().to_string()).collect();
    let (Some(listen), Some(logs)) = (&args.listen, &args.logs) else {
        return introduce(context, None, vkeys).map(|()| ExitCode::SUCCESS);
    };
    let witness = Witness::open(&args.dir, keys, read_logs(logs)?, Box::new(super::now))?;
    let failed = |error| {
        Failure::new(format!("cannot listen on `{listen}`: {error}"))
            .hint("give an address of this machine and a port that is free, such as `127.0.0.1:0`")
    };
    let listener = TcpListener::bind(listen).map_err(failed)?;
    let url = format!("http://{}", listener.local_addr().map_err(failed)?);
    introduce(context, Some(url), vkeys)?;
    serve_until_cancelled(context, listener, witness)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes a new witness: its memory first, as keys without it must not cosign.
fn make(dir: &Path, key_file: &Path, name: &str, passphrase: Option<&Passphrase>) -> Result<()> {
    Witness::create(dir)?;
    let keys = [Algorithm::MlDsa44, Algorithm::Ed25519Cosignature];
    let keys = keys.map(|algorithm| SigningKey::random(name, algorithm));
    let keys = keys
        .into_iter()
        .collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(keyfile::write_new(key_file, &keys, passphrase)?)
}

/// The keys of the logs that a policy lists. Its witnesses and quorum do not matter here.
fn read_logs(file: &Path) -> Result<Vec<VerifierKey>> {
    let policy: Policy = given::policy(file)?;
    let logs: Vec<VerifierKey> = policy.logs().iter().map(|log| log.vkey.clone()).collect();
    if logs.is_empty() {
        let message = format!("`{}` lists no log", file.display());
        return Err(Failure::new(message)
            .hint("add a line `log <vkey>` for each key of each log, and `quorum none`"));
    }
    Ok(logs)
}

fn introduce(context: &Context, url: Option<String>, vkeys: Vec<String>) -> Result<()> {
    text::print(&match context.format {
        Format::Json => json(&Introduction { url, vkeys })?,
        Format::Text => {
            let url = url
                .map(|url| format!("witness at {url}\n"))
                .unwrap_or_default();
            format!("{url}{}", vkeys.join("\n"))
        }
    });
    Ok(())
}

fn serve_until_cancelled(context: &Context, listener: TcpListener, witness: Witness) -> Result<()> {
    let shutdown = Shutdown::default();
    let stop = shutdown.clone();
    let server = thread::spawn(move || serve(listener, witness, &stop, observe));
    while !server.is_finished() && !context.progress.cancelled() {
        thread::sleep(PATIENCE);
    }
    shutdown.begin();
    let ended = server.join();
    Ok(ended.map_err(|_| Failure::new("the witness's server stopped"))??)
}

/// Tells the operator what was refused, and that something was cosigned.
#[expect(clippy::print_stderr, reason = "the log of a server")]
fn observe(answer: &Answer) {
    let status = answer.status();
    match answer {
        Answer::Cosigned(_) => eprintln!("{status} cosigned"),
        Answer::Conflict(size) => eprintln!("{status} asked from another size than {size}"),
        Answer::BadRequest(problem)
        | Answer::Forbidden(problem)
        | Answer::UnknownLog(problem)
        | Answer::Unprocessable(problem)
        | Answer::Failed(problem) => {
            eprintln!("{status} {}", text::escaped(problem, MOST_OF_A_PROBLEM));
        }
    }
}
