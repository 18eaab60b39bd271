//! `law`: the pack, what counts of it, and who signs it off.

mod export;

mod impact;

mod names;

pub(crate) mod prove;

mod review;

mod sign;

mod status;

mod timeline;

use std::process::ExitCode;

use chancery_law::{Effect, Instrument, LawPack, PackLayer, State};
use chancery_release::entry::SignOffAct;
use jiff::civil::Date;
use serde_json::json;

use super::{Context, Result, day};
use crate::args::{self, Format, LawCommand};
use crate::failure::Failure;
use crate::text;

pub(crate) fn run(context: &Context, args: &args::Law) -> Result {
    match &args.command {
        LawCommand::Prove(args) => return prove::run(context, args),
        // Two packs can be compared without a workspace.
        LawCommand::Impact(args) => impact::run(context, args)?,
        LawCommand::Status { id, on, as_known } => {
            let known = super::known(*as_known);
            status::run(context, id.as_deref(), day(*on), known)?;
        }
        LawCommand::Key {
            file,
            name,
            key_passphrase_file,
        } => sign::key(context, file, name, key_passphrase_file.as_deref())?,
        LawCommand::Sign(args) => sign::sign(context, args, SignOffAct::Sign)?,
        LawCommand::Reinstate(args) => sign::sign(context, args, SignOffAct::Reinstate)?,
        LawCommand::Revoke { id, own } => sign::revoke(context, id, own)?,
        LawCommand::Suspend { id, own, reason } => sign::suspend(context, id, own, *reason)?,
        _ => look(context, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What only looks at the law pack.
fn look(context: &Context, args: &args::Law) -> Result<()> {
    let workspace = context.workspace()?;
    let law = workspace.law()?;
    match &args.command {
        LawCommand::Export(args) => export::run(context, &workspace, &law, args)?,
        LawCommand::Timeline(args) => timeline::run(context, &known(law, args.as_known), args)?,
        LawCommand::Review(args) => {
            let law = known(law, args.as_known.map(|known| known.day));
            review::run(context, &workspace, &law, args)?;
        }
        LawCommand::List { on, as_known } => list(context, &known(law, *as_known), day(*on)),
        LawCommand::Show { id, on, as_known } => {
            show(context, &known(law, *as_known), id, day(*on))?;
        }
        LawCommand::Check { on, as_known } => {
            let law = known(law, as_known.map(|known| known.day));
            let standing = workspace.standing(&law, day(*on), super::known(*as_known))?;
            let in_force = law.in_force(day(*on), workspace.sign_off(&standing))?;
            check(context, &law, &in_force);
        }
        // The others are not for looking.
        _ => {}
    }
    Ok(())
}

/// The pack as known on a day, or with everything that is recorded.
pub(super) fn known(law: LawPack, as_known: Option<Date>) -> LawPack {
    match as_known {
        Some(known) => law.as_known(known),
        None => law,
    }
}

/// A day of the law in words, with the day as known on which it stands.
fn on_day(law: &LawPack, on: Date) -> String {
    match law.known_by() {
        Some(known) => format!("{}, as known on {}", text::day(on), text::day(known)),
        None => text::day(on),
    }
}

fn list(context: &Context, law: &LawPack, on: Date) {
    match context.format {
        Format::Json => {
            let instruments = law.instruments().iter().map(|instrument| {
                json!({
                    "id": instrument.id, "title": instrument.title, "kind": instrument.kind,
                    "citation": instrument.citation, "in_force": instrument.in_force(on),
                    "review": instrument.review.status, "layer": instrument.layer,
                    "provisions": instrument.provisions.len(),
                })
            });
            let words = law.vocabulary();
            let report = json!({
                "pack": law.name, "version": law.version, "digest": law.digest.to_string(), "on": on,
                "as_known": law.known_by(),
                "layers": layers(law),
                "instruments": instruments.collect::<Vec<_>>(),
                "agencies": words.agency_paths().collect::<Vec<_>>(),
                "purposes": words.purposes().iter().map(|p| p.path.as_str()).collect::<Vec<_>>(),
                "elements": words.element_names().collect::<Vec<_>>(),
            });
            text::print(&format!("{report:#}"));
        }
        Format::Text => text::print(&listed(law, on)),
    }
}

/// The pack and the overlays on it, from the lowest to the topmost.
fn layers(law: &LawPack) -> Vec<serde_json::Value> {
    let layer = |layer: &PackLayer| {
        json!({
            "name": layer.name, "title": layer.title, "version": layer.version,
            "digest": layer.digest.to_string(), "base": layer.base.to_string(),
        })
    };
    law.layers.iter().map(layer).collect()
}

fn listed(law: &LawPack, on: Date) -> String {
    let has_overlays = law.layers.len() > 1;
    let rows = law.instruments().iter().map(|instrument| {
        let state = if instrument.in_force(on) {
            "in force"
        } else {
            "–"
        };
        let effects = |effect: Effect| {
            instrument
                .provisions
                .iter()
                .filter(|p| p.effect == effect)
                .count()
                .to_string()
        };
        let mut row = vec![
            instrument.id.clone(),
            instrument.short.clone(),
            state.to_owned(),
            effects(Effect::Permit),
            effects(Effect::Forbid),
        ];
        row.extend(has_overlays.then(|| instrument.layer.clone()));
        row
    });
    let mut header = vec!["instrument", "cited as", "state", "lets go", "holds back"];
    header.extend(has_overlays.then_some("layer"));
    let table = text::table(&header, &[3, 4], rows.collect());
    let words = law.vocabulary();
    let list = |names: Vec<&str>| text::wrap(&names.join(", "), "  ");
    format!(
        "{} ({} {}), on {}{}\n{table}\nAgencies:\n{}\nPurposes:\n{}\nElements:\n{}",
        law.title,
        law.name,
        law.version,
        on_day(law, on),
        overlays(law),
        list(words.agency_paths().collect()),
        list(
            words
                .purposes()
                .iter()
                .map(|purpose| purpose.path.as_str())
                .collect()
        ),
        list(words.element_names().collect()),
    )
}

/// A line for each overlay.
fn overlays(law: &LawPack) -> String {
    let overlays = law.layers.iter().skip(1);
    overlays
        .map(|layer| {
            format!(
                "\nwith the overlay {} ({} {})",
                layer.title, layer.name, layer.version
            )
        })
        .collect()
}

fn show(context: &Context, law: &LawPack, id: &str, on: Date) -> Result<()> {
    let instrument = law.instrument(id).ok_or_else(|| {
        let known = law
            .instruments()
            .iter()
            .map(|instrument| instrument.id.as_str());
        Failure::new(format!("unknown instrument `{id}`"))
            .hint(chancery_law::did_you_mean(id, known))
            .invalid()
    })?;
    match context.format {
        Format::Json => text::print(&format!("{:#}", shown_json(law, instrument, on))),
        Format::Text => text::print(&shown(law, instrument, on)),
    }
    Ok(())
}

fn shown_json(law: &LawPack, instrument: &Instrument, on: Date) -> serde_json::Value {
    let provisions = instrument.provisions.iter().map(|provision| {
        json!({
            "id": provision.id, "clause": provision.clause, "reason": provision.reason,
            "effect": effect(provision.effect), "interpretations": provision.interpretations,
        })
    });
    json!({
        "id": instrument.id, "title": instrument.title, "kind": instrument.kind,
        "citation": instrument.citation, "jurisdiction": instrument.jurisdiction, "layer": instrument.layer,
        "review": instrument.review.status, "source": instrument.source, "on": on,
        "as_known": law.known_by(),
        "in_force": instrument.in_force(on), "events": instrument.events,
        "parties": instrument.parties, "covered": instrument.covered_on(on),
        "interpretations": instrument.interpretations, "provisions": provisions.collect::<Vec<_>>(),
    })
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Permit => "permit",
        Effect::Forbid => "forbid",
    }
}

fn shown(law: &LawPack, instrument: &Instrument, on: Date) -> String {
    let state = if instrument.in_force(on) {
        "in force"
    } else {
        "not in force"
    };
    let mut text = format!(
        "{}\n{} – {}, {}\nof {}; {state} on {}; review: {}\nread in: {} [{}]\n{}",
        instrument.title,
        instrument.id,
        instrument.citation,
        instrument.jurisdiction,
        instrument.layer,
        on_day(law, on),
        instrument.review.status,
        instrument.source.name,
        instrument.source.label,
        text::wrap(&instrument.source.text, "  "),
    );
    text.push_str("\n\nTimeline");
    for event in &instrument.events {
        let kind = serde_json::to_value(event.kind).ok();
        let kind = kind
            .as_ref()
            .and_then(|kind| kind.as_str())
            .unwrap_or_default();
        let note = event.note.as_deref().unwrap_or_default();
        let recorded = event.recorded.filter(|recorded| *recorded != event.on);
        let recorded = recorded.map_or(String::new(), |day| format!(" (recorded {day})"));
        text.push_str(&format!("\n  {}  {kind:<12} {note}{recorded}", event.on));
    }
    let covered = instrument.covered_on(on);
    if !covered.is_empty() {
        let covered: Vec<&str> = covered.into_iter().collect();
        text.push_str(&format!(
            "\n\nCovers on that day\n{}",
            text::wrap(&covered.join(" "), "  ")
        ));
    }
    for provision in &instrument.provisions {
        let verb = match provision.effect {
            Effect::Permit => "lets go",
            Effect::Forbid => "holds back",
        };
        let reason = text::wrap(&provision.reason, "  ");
        text.push_str(&format!(
            "\n\n{} ({verb})\n  {}\n{reason}",
            provision.id, provision.clause
        ));
    }
    for reading in &instrument.interpretations {
        text.push_str(&format!("\n\nReading `{}`", reading.name));
        text.push_str(&format!("\n{}", text::wrap(&reading.question, "  ")));
        text.push_str(&format!(
            "\n{}",
            text::wrap(&format!("Taken: {}", reading.reading), "  ")
        ));
        for other in &reading.alternatives {
            text.push_str(&format!("\n{}", text::wrap(&format!("Or: {other}"), "  ")));
        }
    }
    text
}

fn check(context: &Context, law: &LawPack, in_force: &chancery_law::InForce<'_>) {
    let provisions: usize = law.instruments().iter().map(|i| i.provisions.len()).sum();
    let idle = in_force.not_counting();
    let ids: Vec<&str> = idle.iter().map(|one| one.provision.id.as_str()).collect();
    let mut report = json!({
        "pack": law.name, "digest": law.digest.to_string(), "on": in_force.on(), "as_known": law.known_by(),
        "layers": layers(law),
        "instruments": law.instruments().len(), "provisions": provisions,
        "in_force": in_force.instruments().len(), "unsigned": ids, "valid": true,
    });
    if let (Some(report), true) = (report.as_object_mut(), in_force.standing().is_some()) {
        let idle = idle.iter().map(|one| {
            json!({
                "provision": one.provision.id, "state": one.why.as_str(),
                "message": one.why.says(&one.instrument.short),
            })
        });
        report.insert("not_counting".to_owned(), idle.collect());
        let (edited, removed): (Vec<&str>, Vec<&str>) = in_force
            .edited()
            .partition(|id| law.instrument(id).is_some());
        report.insert("edited".to_owned(), edited.into());
        report.insert("removed".to_owned(), removed.into());
    }
    text::print(&match context.format {
        Format::Json => format!("{report:#}"),
        Format::Text => format!(
            "VALID: {} {}, {} instruments with {provisions} provisions, {} in force on {}.{}\n{}",
            law.name,
            law.digest,
            law.instruments().len(),
            in_force.instruments().len(),
            on_day(law, in_force.on()),
            overlays(law),
            counting(in_force),
        ),
    });
}

/// The instruments in force whose bars no signature binds to the pack.
fn loose<'a>(law: &chancery_law::InForce<'a>) -> Vec<&'a str> {
    let Some(standing) = law.standing() else {
        return Vec::new();
    };
    let unsigned = [State::Unsigned, State::SinglySigned];
    let instruments = law.instruments().iter();
    let loose = instruments.filter(|instrument| {
        let mut provisions = instrument.provisions.iter();
        provisions.any(|provision| provision.effect == Effect::Forbid)
            && unsigned.contains(&standing.state(&instrument.id))
    });
    loose.map(|instrument| instrument.short.as_str()).collect()
}

/// A sentence for each way in which instruments are no more as they were signed.
pub(super) fn edited(law: &chancery_law::InForce<'_>) -> Vec<String> {
    let says = |id: &str| {
        let state = law.standing().map(|standing| standing.state(id));
        match (law.pack().instrument(id), state) {
            (None, _) => {
                "Removed since it was signed off: none of its permits counts, and its bars hold \
                 until two people have signed that it is gone"
            }
            (_, Some(State::Signed)) => {
                "Edited since it was signed off, so that both editions apply, whichever lets less go"
            }
            (_, Some(State::Tampered)) => {
                "Changed, and nobody who may sign has signed the change: none of its permits counts \
                 until one does; the bars of both editions hold"
            }
            _ => {
                "Changed since it was signed off: none of its permits counts; the bars of both \
                 editions hold"
            }
        }
    };
    let mut sentences: Vec<(&str, Vec<&str>)> = Vec::new();
    for id in law.edited() {
        let says = says(id);
        match sentences.iter_mut().find(|(known, _)| *known == says) {
            Some((_, ids)) => ids.push(id),
            None => sentences.push((says, vec![id])),
        }
    }
    let sentences = sentences.into_iter();
    sentences
        .map(|(says, ids)| format!("{says}: {}.", ids.join(", ")))
        .collect()
}

/// What of the law counts, and why the rest does not.
fn counting(law: &chancery_law::InForce<'_>) -> String {
    if law.standing().is_none() {
        return "Unsigned law counts: this is a demonstration workspace.".to_owned();
    }
    let mut lines = Vec::new();
    let edited = edited(law);
    lines.extend(edited.iter().map(|line| text::wrap(line, "")));
    let loose = loose(law);
    if !loose.is_empty() {
        let line = format!(
            "The bars of {} hold, but nobody has signed them: taken out of the pack they would be \
             missed by nobody. Have them signed.",
            loose.join(", ")
        );
        lines.push(text::wrap(&line, ""));
    }
    let idle = law.not_counting();
    lines.push(match idle.len() {
        0 => "Everything that lets data go is signed off.".to_owned(),
        1 => "1 provision that would let data go does not count.".to_owned(),
        n => format!("{n} provisions that would let data go do not count."),
    });
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for one in idle {
        let why = one.why.says(&one.instrument.short);
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, provisions)) => provisions.push(&one.provision.id),
            None => reasons.push((why, vec![&one.provision.id])),
        }
    }
    for (why, provisions) in reasons {
        lines.push(text::hang(&why, "  · ", "    "));
        lines.extend(provisions.iter().map(|id| format!("    [{id}]")));
    }
    lines.join("\n")
}
