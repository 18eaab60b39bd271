//! `law key`, `sign`, `reinstate`, `revoke` and `suspend`: who stands for the law.

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use chancery_law::{Unit, UnitKind};
use chancery_ledger::{Algorithm, SigningKey, keyfile};
use chancery_model::Digest;
use chancery_release::entry::{Label, SignOffAct, SuspensionReason};
use chancery_release::{
    Clock as _, Known, Proposal, SignOffs, System, Workspace, entitled, sign as enter,
    suspend as suspend_in, write_ledger,
};
use serde_json::{Value, json};

use super::super::{Context, Result};
use crate::args::{self, Format};
use crate::failure::Failure;
use crate::text;

/// Makes a key for somebody who signs off.
pub(super) fn key(
    context: &Context,
    file: &Path,
    name: &str,
    passphrase: Option<&Path>,
) -> Result<()> {
    Label::of("name", name)?;
    let passphrase = context.passphrases.offered_own(passphrase)?;
    let key = SigningKey::random(name, Algorithm::Ed25519)?;
    keyfile::write_new(file, std::slice::from_ref(&key), passphrase.as_ref())?;
    if passphrase.is_none() {
        text::warn(
            "the key is not encrypted; name a file with a passphrase: --key-passphrase-file",
        );
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

/// Signs units off, or reinstates them: only what was shown.
pub(super) fn sign(context: &Context, args: &args::Sign, act: SignOffAct) -> Result<()> {
    let workspace = context.workspace()?;
    let key = read(context, &args.own)?;
    let sign_offs = workspace.sign_offs(Known::Now)?;
    let desk = Desk {
        workspace: &workspace,
        sign_offs: &sign_offs,
        key: &key,
        act,
    };
    // Who may not is told so before anything is shown.
    let proposals = if args.all {
        desk.waiting()?
    } else {
        let mut seen = BTreeSet::new();
        let ids = args.ids.iter().filter(|id| seen.insert(id.as_str()));
        ids.map(|id| {
            let proposal = desk.proposal(id)?;
            desk.entitled(&proposal.unit)?;
            Ok(proposal)
        })
        .collect::<Result<Vec<_>>>()?
    };
    if args.digest.is_empty() {
        confirm(&workspace, &proposals, act)?;
    } else {
        were_shown(&proposals, &args.digest)?;
    }
    let mut book = write_ledger(&workspace, &System, &context.progress)?;
    let what = participle(act);
    let mut reports = Vec::new();
    for Proposal { unit, .. } in &proposals {
        let shown = unit.digest();
        let index = enter(&workspace, &mut book, &key, (unit, act), shown, &System)?;
        match context.format {
            Format::Json => reports.push(report(unit, what, index)),
            Format::Text => done(context, unit, what, index),
        }
    }
    if context.format == Format::Json {
        let alone = if args.all || reports.len() > 1 {
            None
        } else {
            reports.pop()
        };
        text::print(&format!("{:#}", alone.unwrap_or_else(|| reports.into())));
    }
    Ok(())
}

/// Withdraws all of one's own sign-offs of a unit, and says which those are.
pub(super) fn revoke(context: &Context, id: &str, own: &args::Own) -> Result<()> {
    let workspace = context.workspace()?;
    let unit = proposal(&workspace, id)?.unit;
    let key = read(context, own)?;
    let mut book = write_ledger(&workspace, &System, &context.progress)?;
    let act = SignOffAct::Revoke;
    let digest = unit.digest();
    let index = enter(&workspace, &mut book, &key, (&unit, act), digest, &System)?;
    drop(book);
    let all = workspace.sign_offs(Known::Now)?;
    let revocations = all.revocations(id);
    let withdrawn = revocations.iter().find(|(one, _)| one.index == index);
    let withdrawn = withdrawn.map_or(&[][..], |(_, withdrawn)| withdrawn);
    text::print(&match context.format {
        Format::Json => {
            let withdrawn = withdrawn.iter().map(|one| {
                json!({
                    "ledger_index": one.index, "digest": one.digest.to_string(),
                    "act": one.act.as_str(), "on": one.on,
                })
            });
            let report = json!({
                "unit": id, "digest": digest.to_string(), "done": "withdrawn from",
                "ledger_index": index, "withdrawn": withdrawn.collect::<Vec<_>>(),
            });
            format!("{report:#}")
        }
        Format::Text => {
            let mut lines = vec![format!("{id} withdrawn from, ledger entry {index}")];
            lines.extend(withdrawn.iter().map(|one| {
                let act = one.act.as_str();
                format!("  entry {}, {act} on {}: {}", one.index, one.on, one.digest)
            }));
            lines.join("\n")
        }
    });
    Ok(())
}

/// Suspends a unit at once.
pub(super) fn suspend(
    context: &Context,
    id: &str,
    own: &args::Own,
    reason: SuspensionReason,
) -> Result<()> {
    let workspace = context.workspace()?;
    let unit = workspace.suspendable(id)?;
    let key = read(context, own)?;
    let index = suspend_in(&workspace, &key, &unit, reason, &System, &context.progress)?;
    done(context, &unit, "suspended", index);
    Ok(())
}

fn proposal(workspace: &Workspace, id: &str) -> Result<Proposal> {
    let sign_offs = workspace.sign_offs(Known::Now)?;
    Ok(workspace.proposal(id, &sign_offs, System.today())?)
}

/// One person with what there is to sign.
struct Desk<'a> {
    workspace: &'a Workspace,
    sign_offs: &'a SignOffs,
    key: &'a SigningKey,
    act: SignOffAct,
}

impl Desk<'_> {
    fn proposal(&self, id: &str) -> Result<Proposal> {
        let today = System.today();
        Ok(self.workspace.proposal(id, self.sign_offs, today)?)
    }

    fn entitled(&self, unit: &Unit) -> Result<()> {
        let (workspace, act) = (self.workspace, self.act);
        entitled(workspace, self.sign_offs, self.key, (unit, act), &System)?;
        Ok(())
    }

    /// What waits for this person.
    fn waiting(&self) -> Result<Vec<Proposal>> {
        let all = self.sign_offs;
        let (mut waiting, mut refused, mut others) = (Vec::new(), None, Vec::new());
        for unit in super::status::units(self.workspace, all)? {
            if !self.waits(&unit)? {
                continue;
            }
            match self.entitled(&unit) {
                Ok(()) => waiting.push(self.proposal(&unit.id)?),
                Err(failure) => {
                    others.push(unit.id);
                    refused = refused.or(Some(failure));
                }
            }
        }
        if waiting.is_empty() {
            return Err(refused.unwrap_or_else(|| {
                Failure::new("nothing waits for the sign-off of this key's holder")
                    .hint("`chancery law status` says who signed what")
            }));
        }
        if !others.is_empty() {
            let others = others.join(", ");
            text::note(&format!(
                "this key's holder may not sign, so left out: {others}"
            ));
        }
        Ok(waiting)
    }

    /// Whether this person has not done to a unit what is to be done.
    fn waits(&self, unit: &Unit) -> Result<bool> {
        let (all, digest) = (self.sign_offs, unit.digest());
        let vkey = self.key.verifier().to_string();
        if self.act == SignOffAct::Reinstate {
            let person = all.roles().and_then(|roles| roles.person(&vkey));
            let done = person.is_some_and(|person| all.has_reinstated(&unit.id, digest, person));
            return Ok(all.suspended(&unit.id)?.is_some() && !done);
        }
        if unit.kind == UnitKind::Roles {
            // Those that apply are signed, be it by the custodian.
            let apply = all.roles().is_some_and(|roles| roles.digest == digest);
            if apply {
                return Ok(false);
            }
        }
        let stand = all.stand(&unit.id, digest, System.today())?;
        // What two people have signed to be gone stays gone.
        let is_gone = unit.files.is_empty() && stand.edition.is_none();
        Ok(!is_gone && !all.has_signed(&unit.id, digest, &vkey, System.today())?)
    }
}

/// Whether these digests are those of the units, one for each, in any order.
fn were_shown(proposals: &[Proposal], shown: &[Digest]) -> Result<()> {
    let mut shown = shown.to_vec();
    for Proposal { unit, .. } in proposals {
        let digest = unit.digest();
        let Some(at) = shown.iter().position(|shown| *shown == digest) else {
            let unit = unit.id.clone();
            return Err(chancery_release::Error::NotShown { unit, digest }.into());
        };
        shown.swap_remove(at);
    }
    match shown.first() {
        None => Ok(()),
        Some(digest) => Err(Failure::new(format!(
            "{digest} is the digest of nothing that is to be signed"
        ))
        .hint("give `--digest` once for each id")),
    }
}

fn read(context: &Context, own: &args::Own) -> Result<SigningKey> {
    let passphrases = context.passphrases.clone();
    let (file, named) = (own.key.clone(), own.key_passphrase_file.clone());
    let ask = move || passphrases.get_own(&file, named.as_deref());
    let key = keyfile::read(&own.key, Some(&ask))?.into_iter().next();
    key.ok_or_else(|| {
        Failure::new(format!("`{}` has no key", own.key.display())).hint("name a key file")
    })
}

fn report(unit: &Unit, what: &str, index: u64) -> Value {
    let digest = unit.digest().to_string();
    json!({ "unit": unit.id, "digest": digest, "done": what, "ledger_index": index })
}

fn done(context: &Context, unit: &Unit, what: &str, index: u64) {
    text::print(&match context.format {
        Format::Json => format!("{:#}", report(unit, what, index)),
        Format::Text => format!(
            "{} {what}, ledger entry {index}\n  {}",
            unit.id,
            unit.digest()
        ),
    });
}

/// Shows what is to be signed, and asks for one yes to all of it.
fn confirm(workspace: &Workspace, proposals: &[Proposal], act: SignOffAct) -> Result<()> {
    let is_terminal = std::io::stdin().is_terminal();
    for proposal in proposals {
        text::print(&text::safe(&change(proposal, act, is_terminal)));
        if proposal.unit.kind == UnitKind::Instrument {
            text::print(&super::impact::of_signing(workspace, &proposal.unit.id)?);
        }
    }
    let digests = proposals.iter().map(|one| one.unit.digest().to_string());
    let digests: Vec<String> = digests.collect();
    let hint = digests
        .iter()
        .map(|digest| format!("\n  --digest {digest}"));
    let hint = format!(
        "what was shown is {} by the same command with{}",
        participle(act),
        hint.collect::<String>()
    );
    if !is_terminal {
        let failure = Failure::new(format!(
            "nobody is at the terminal to say whether this is to be {}",
            participle(act)
        ));
        return Err(failure.hint(hint));
    }
    let what = match digests.as_slice() {
        [digest] => digest.clone(),
        all => {
            for Proposal { unit, .. } in proposals {
                text::print(&format!("{}\n  {}", unit.id, unit.digest()));
            }
            format!("all {} of these", all.len())
        }
    };
    let question = format!("Type yes to {} {what}: ", act.as_str());
    let asked = std::io::stderr().write_all(question.as_bytes());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if asked.is_ok() && read.is_ok() && answer.trim() == "yes" {
        return Ok(());
    }
    Err(Failure::new(format!("nothing was {}", participle(act))).hint(hint))
}

fn participle(act: SignOffAct) -> &'static str {
    match act {
        SignOffAct::Sign => "signed",
        SignOffAct::Reinstate => "reinstated",
        SignOffAct::Revoke => "withdrawn from",
    }
}

/// What is to be signed: the digest, and what changed since the edition signed last. A text that
/// was never signed is shown whole only to somebody who reads it.
fn change(proposal: &Proposal, act: SignOffAct, whole: bool) -> String {
    let unit = &proposal.unit;
    let what = match unit.kind {
        UnitKind::Instrument => format!("the instrument {}", unit.id),
        UnitKind::Base => format!("the base of the law pack {}", unit.id),
        UnitKind::Roles => "the roles".to_owned(),
    };
    let done = participle(act);
    let mut lines = vec![format!("To be {done}: {what}\n  {}", unit.digest())];
    if unit.files.is_empty() {
        lines.push("It is removed.".to_owned());
    }
    let Some(before) = &proposal.before else {
        lines.push("No other edition of it was signed off last. Its files:".to_owned());
        for (name, text) in &unit.files {
            if !whole {
                let count = text::count(text.lines().count() as u64);
                lines.push(format!("--- {name}, {count} lines"));
                continue;
            }
            lines.push(format!("--- {name}"));
            lines.push(text.trim_end().to_owned());
        }
        return lines.join("\n");
    };
    lines.push(format!("Changed since {} was signed:", before.digest()));
    let names = before.files.keys().chain(unit.files.keys());
    let names: BTreeSet<&String> = names.collect();
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
