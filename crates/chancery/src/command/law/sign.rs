//! `law key`, `sign`, `reinstate`, `revoke` and `suspend`: who stands for the law.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use chancery_law::{Unit, UnitKind};
use chancery_ledger::{Algorithm, SigningKey, keyfile};
use chancery_model::Digest;
use chancery_release::entry::{Label, SignOffAct, SuspensionReason};
use chancery_release::{
    Clock as _, Known, Proposal, System, Workspace, sign as enter, suspend as suspend_in,
    write_ledger,
};
use serde_json::json;

use super::super::{Context, Result};
use crate::args::{self, Format};
use crate::failure::Failure;
use crate::text;

/// Makes a key for somebody who signs off.
pub(super) fn key(context: &Context, file: &Path, name: &str) -> Result<()> {
    Label::of("name", name)?;
    let passphrase = context.passphrases.offered()?;
    let key = SigningKey::random(name, Algorithm::Ed25519)?;
    keyfile::write_new(file, std::slice::from_ref(&key), passphrase.as_ref())?;
    if passphrase.is_none() {
        text::warn("the key is not encrypted; name a file with a passphrase: --passphrase-file");
    }
    let vkey = key.verifier().to_string();
    text::print(&match context.format {
        Format::Json => format!(
            "{:#}",
            json!({ "file": file.display().to_string(), "vkey": vkey })
        ),
        Format::Text => vkey,
    });
    Ok(())
}

/// Signs a unit off, or reinstates it: only what was shown.
pub(super) fn sign(context: &Context, args: &args::Sign, act: SignOffAct) -> Result<()> {
    let workspace = context.workspace()?;
    let proposal = proposal(&workspace, &args.id)?;
    let digest = proposal.unit.digest();
    let shown = match args.digest {
        Some(shown) => shown,
        None => confirm(&workspace, &proposal, act)?,
    };
    if shown != digest {
        return Err(chancery_release::Error::NotShown {
            unit: args.id.clone(),
            digest,
        }
        .into());
    }
    act_on(context, &workspace, &args.key, &proposal.unit, act, shown)
}

/// Withdraws an own sign-off of a unit as it is recorded.
pub(super) fn revoke(context: &Context, id: &str, key: &Path) -> Result<()> {
    let workspace = context.workspace()?;
    let unit = proposal(&workspace, id)?.unit;
    let digest = unit.digest();
    act_on(context, &workspace, key, &unit, SignOffAct::Revoke, digest)
}

/// Suspends a unit at once.
pub(super) fn suspend(
    context: &Context,
    id: &str,
    key: &Path,
    reason: SuspensionReason,
) -> Result<()> {
    let workspace = context.workspace()?;
    let unit = workspace.suspendable(id)?;
    let key = read(context, key)?;
    let index = suspend_in(&workspace, &key, &unit, reason, &System, &context.progress)?;
    done(context, &unit, "suspended", index);
    Ok(())
}

fn proposal(workspace: &Workspace, id: &str) -> Result<Proposal> {
    let sign_offs = workspace.sign_offs(Known::Now)?;
    Ok(workspace.proposal(id, &sign_offs, System.today())?)
}

fn act_on(
    context: &Context,
    workspace: &Workspace,
    key: &Path,
    unit: &Unit,
    act: SignOffAct,
    shown: Digest,
) -> Result<()> {
    let key = read(context, key)?;
    let mut book = write_ledger(workspace, &System, &context.progress)?;
    let index = enter(workspace, &mut book, &key, (unit, act), shown, &System)?;
    let what = match act {
        SignOffAct::Sign => "signed",
        SignOffAct::Reinstate => "reinstated",
        SignOffAct::Revoke => "withdrawn from",
    };
    done(context, unit, what, index);
    Ok(())
}

fn read(context: &Context, file: &Path) -> Result<SigningKey> {
    let passphrases = context.passphrases.clone();
    let owned = file.to_owned();
    let ask = move || passphrases.get(&owned);
    let key = keyfile::read(file, Some(&ask))?.into_iter().next();
    key.ok_or_else(|| {
        Failure::new(format!("`{}` has no key", file.display())).hint("name a key file")
    })
}

fn done(context: &Context, unit: &Unit, what: &str, index: u64) {
    let digest = unit.digest().to_string();
    text::print(&match context.format {
        Format::Json => format!(
            "{:#}",
            json!({ "unit": unit.id, "digest": digest, "done": what, "ledger_index": index })
        ),
        Format::Text => format!("{} {what}, ledger entry {index}\n  {digest}", unit.id),
    });
}

/// Shows what is to be signed and asks for a yes.
fn confirm(workspace: &Workspace, proposal: &Proposal, act: SignOffAct) -> Result<Digest> {
    let digest = proposal.unit.digest();
    let hint = format!("`--digest {digest}` signs it");
    text::print(&change(proposal));
    if proposal.unit.kind == UnitKind::Instrument {
        text::print(&super::impact::of_signing(workspace, &proposal.unit.id)?);
    }
    if !std::io::stdin().is_terminal() {
        let failure = Failure::new("nobody is at the terminal to say whether this is to be signed");
        return Err(failure.hint(hint));
    }
    let question = format!("Type yes to {} {digest}: ", act.as_str());
    let asked = std::io::stderr().write_all(question.as_bytes());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if asked.is_ok() && read.is_ok() && answer.trim() == "yes" {
        return Ok(digest);
    }
    Err(Failure::new("nothing was signed").hint(hint))
}

/// What is to be signed: the digest, and what changed since the edition signed last.
fn change(proposal: &Proposal) -> String {
    let unit = &proposal.unit;
    let kind = match unit.kind {
        UnitKind::Instrument => "the instrument",
        UnitKind::Base => "the base of the law pack",
        UnitKind::Roles => "the roles",
    };
    let mut lines = vec![format!(
        "To be signed: {kind} {}\n  {}",
        unit.id,
        unit.digest()
    )];
    if unit.files.is_empty() {
        lines.push("It is removed.".to_owned());
    }
    let Some(before) = &proposal.before else {
        lines.push("It was not signed off in another edition before. Its files:".to_owned());
        for (name, text) in &unit.files {
            lines.push(format!("--- {name}"));
            lines.push(text.trim_end().to_owned());
        }
        return lines.join("\n");
    };
    lines.push(format!("Changed since {} was signed:", before.digest()));
    let names = before.files.keys().chain(unit.files.keys());
    let names: std::collections::BTreeSet<&String> = names.collect();
    for name in names {
        let text = |unit: &Unit| unit.files.get(name).cloned().unwrap_or_default();
        let (old, new) = (text(before), text(unit));
        if old != new {
            lines.push(format!("--- {name}"));
            lines.extend(differing(&old, &new));
        }
    }
    lines.join("\n")
}

/// The lines of two texts that the other lacks, `-` before `+`, in their order; what they have in
/// common at the beginning and the end is left out.
fn differing(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = |lines: &[&str]| lines.len() - begin;
    let most = rest(&old).min(rest(&new));
    let end = old.iter().rev().zip(new.iter().rev()).take(most);
    let end = end.take_while(|(a, b)| a == b).count();
    let middle = |lines: &[&str], mark: &str| {
        let lines = lines.iter().take(lines.len() - end).skip(begin);
        lines
            .map(|line| format!("{mark} {line}"))
            .collect::<Vec<_>>()
    };
    let mut lines = vec![format!("@@ line {} @@", begin + 1)];
    lines.extend(middle(&old, "-"));
    lines.extend(middle(&new, "+"));
    lines
}
