mod export;

use std::process::ExitCode;

use chancery_law::{Effect, Instrument, LawPack};
use jiff::civil::Date;
use serde_json::json;

use super::{Context, Result, day};
use crate::args::{self, Format, LawCommand};
use crate::failure::Failure;
use crate::text;

pub(crate) fn run(context: &Context, args: &args::Law) -> Result {
    let workspace = context.workspace()?;
    let law = workspace.law()?;
    match &args.command {
        LawCommand::List { on } => list(context, &law, day(*on)),
        LawCommand::Show { id, on } => show(context, &law, id, day(*on))?,
        LawCommand::Export(args) => export::run(context, args)?,
        LawCommand::Check { on } => {
            let in_force = law.in_force(day(*on), workspace.sign_off())?;
            check(context, &law, &in_force);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context, law: &LawPack, on: Date) {
    match context.format {
        Format::Json => {
            let instruments = law.instruments().iter().map(|instrument| {
                json!({
                    "id": instrument.id, "title": instrument.title, "kind": instrument.kind,
                    "citation": instrument.citation, "in_force": instrument.in_force(on),
                    "review": instrument.review.status,
                    "provisions": instrument.provisions.len(),
                })
            });
            let words = law.vocabulary();
            let report = json!({
                "pack": law.name, "version": law.version, "digest": law.digest.to_string(), "on": on,
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

fn listed(law: &LawPack, on: Date) -> String {
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
        vec![
            instrument.id.clone(),
            instrument.short.clone(),
            state.to_owned(),
            effects(Effect::Permit),
            effects(Effect::Forbid),
        ]
    });
    let header = ["instrument", "cited as", "state", "lets go", "holds back"];
    let table = text::table(&header, &[3, 4], rows.collect());
    let words = law.vocabulary();
    let list = |names: Vec<&str>| text::wrap(&names.join(", "), "  ");
    format!(
        "{} ({} {}), on {}\n{table}\nAgencies:\n{}\nPurposes:\n{}\nElements:\n{}",
        law.title,
        law.name,
        law.version,
        text::day(on),
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
        Format::Json => text::print(&format!("{:#}", shown_json(instrument, on))),
        Format::Text => text::print(&shown(instrument, on)),
    }
    Ok(())
}

fn shown_json(instrument: &Instrument, on: Date) -> serde_json::Value {
    let provisions = instrument.provisions.iter().map(|provision| {
        json!({
            "id": provision.id, "clause": provision.clause, "reason": provision.reason,
            "effect": effect(provision.effect), "interpretations": provision.interpretations,
        })
    });
    json!({
        "id": instrument.id, "title": instrument.title, "kind": instrument.kind,
        "citation": instrument.citation, "jurisdiction": instrument.jurisdiction,
        "review": instrument.review.status, "source": instrument.source, "on": on,
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

fn shown(instrument: &Instrument, on: Date) -> String {
    let state = if instrument.in_force(on) {
        "in force"
    } else {
        "not in force"
    };
    let mut text = format!(
        "{}\n{} – {}, {}\n{state} on {}; review: {}\nread in: {} [{}]\n{}",
        instrument.title,
        instrument.id,
        instrument.citation,
        instrument.jurisdiction,
        text::day(on),
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
        text.push_str(&format!("\n  {}  {kind:<12} {note}", event.on));
    }
    let covered = instrument.covered_on(on);
    if !covered.is_empty() {
        let covered: Vec<&str> = covered.into_iter().collect();
        text.push_str(&format!(
            "\n\nCovers (FIPS) on that day\n{}",
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
    let report = json!({
        "pack": law.name, "digest": law.digest.to_string(), "on": in_force.on(),
        "instruments": law.instruments().len(), "provisions": provisions,
        "in_force": in_force.instruments().len(), "unsigned": in_force.unsigned(), "valid": true,
    });
    text::print(&match context.format {
        Format::Json => format!("{report:#}"),
        Format::Text => format!(
            "VALID: {} {}, {} instruments with {provisions} provisions, {} in force on {}.\n{}",
            law.name,
            law.digest,
            law.instruments().len(),
            in_force.instruments().len(),
            text::day(in_force.on()),
            if in_force.unsigned().is_empty() {
                "Unsigned law counts: this is a demonstration workspace.".to_owned()
            } else {
                format!(
                    "{} provisions that would let data go are not signed off and do not count.",
                    in_force.unsigned().len()
                )
            },
        ),
    });
}
