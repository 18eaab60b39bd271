mod svg;

use std::collections::BTreeSet;

use chancery_law::timeline::{Change, Happening, Timeline, Window};
use chancery_law::{Agency, LawPack, Query, did_you_mean};
use chancery_model::{Domain, Predicate};
use serde_json::{Value, json};

use super::{names, on_day};
use crate::args::{Format, LawTimeline};
use crate::command::{Context, Result};
use crate::failure::Failure;
use crate::text;

pub(super) fn run(context: &Context, law: &LawPack, args: &LawTimeline) -> Result<()> {
    let query = query(law, args)?;
    for id in &args.ids {
        if law.instrument(id).is_none() {
            let known = law
                .instruments()
                .iter()
                .map(|instrument| instrument.id.as_str());
            let failure = Failure::new(format!("unknown instrument `{id}`"));
            return Err(failure.hint(did_you_mean(id, known)).invalid());
        }
    }
    if let (Some(from), Some(to)) = (args.from, args.to)
        && to < from
    {
        let failure = Failure::new(format!("the last day, {to}, is before the first, {from}"));
        return Err(failure
            .hint("`--from` is the first day, `--to` the last")
            .invalid());
    }
    let window = Window {
        instruments: args.ids.clone(),
        from: args.from,
        until: args.to,
    };
    let timeline = law.timeline(&query, &window)?;
    if let Some(file) = &args.svg {
        let drawn = svg::draw(&timeline, law);
        std::fs::write(file, drawn).map_err(|error| Failure::file("write", file, &error))?;
    }
    text::print(&match context.format {
        Format::Json => text::ascii_json(&format!("{:#}", as_json(&timeline, law))),
        Format::Text => text::safe(&as_text(&timeline, law)),
    });
    Ok(())
}

/// The flow asked for; what is not said is as the pack says.
fn query(law: &LawPack, args: &LawTimeline) -> Result<Query> {
    let words = law.vocabulary();
    let usual = law.timeline_flow();
    let missing = |flag: &str| {
        let failure = Failure::new(format!(
            "the law pack names no flow, and no {flag} is given"
        ));
        failure.hint("`--custodian`, `--recipient` and `--purpose` name the flow")
    };
    let agency = |given: &Option<String>, usual: Option<&Agency>, flag: &str| match given {
        None => usual.cloned().ok_or_else(|| missing(flag)),
        Some(path) => words.agency(path).ok_or_else(|| {
            let hint = did_you_mean(path, words.agency_paths());
            Failure::new(format!("unknown agency `{path}`"))
                .hint(hint)
                .invalid()
        }),
    };
    let purpose = match &args.purpose {
        None => usual
            .map(|usual| usual.purpose.clone())
            .ok_or_else(|| missing("--purpose"))?,
        Some(path) => words.purpose(path).cloned().ok_or_else(|| {
            let known = words.purposes().iter().map(|purpose| purpose.path.as_str());
            let hint = did_you_mean(path, known);
            Failure::new(format!("unknown purpose `{path}`"))
                .hint(hint)
                .invalid()
        })?,
    };
    Ok(Query {
        custodian: agency(
            &args.custodian,
            usual.map(|usual| &usual.custodian),
            "--custodian",
        )?,
        recipient: agency(
            &args.recipient,
            usual.map(|usual| &usual.recipient),
            "--recipient",
        )?,
        purpose,
    })
}

fn as_json(timeline: &Timeline, law: &LawPack) -> Value {
    let domain = law.domain();
    let changes = |changes: &[Change]| {
        let changes = changes.iter().map(|change| {
            json!({
                "elements": change.elements,
                "people": change.when.display(domain).to_string(),
                "let_go_by": change.lets_go, "held_back_by": change.holds_back,
            })
        });
        changes.collect::<Vec<_>>()
    };
    let moments = timeline.moments.iter().map(|moment| {
        json!({
            "on": moment.on, "events": moment.happenings,
            "gained": changes(&moment.gained), "lost": changes(&moment.lost),
        })
    });
    let stretches = timeline.stretches.iter().map(|stretch| {
        let released = stretch.released_when.iter();
        let released = released.filter(|(_, when)| **when != Predicate::Never);
        let released = released.map(|(element, when)| {
            (
                element.clone(),
                Value::from(when.display(domain).to_string()),
            )
        });
        json!({
            "from": stretch.from, "until": stretch.until,
            "released": released.collect::<serde_json::Map<_, _>>(),
        })
    });
    json!({
        "pack": law.name, "digest": law.digest.to_string(), "as_known": law.known_by(),
        "custodian": timeline.query.custodian.path, "recipient": timeline.query.recipient.path,
        "purpose": timeline.query.purpose.path, "from": timeline.from, "to": timeline.until,
        "instruments": timeline.instruments, "moments": moments.collect::<Vec<_>>(),
        "periods": stretches.collect::<Vec<_>>(),
    })
}

fn as_text(timeline: &Timeline, law: &LawPack) -> String {
    let elements = law
        .vocabulary()
        .element_names()
        .map(str::to_owned)
        .collect();
    let mut parts = vec![format!(
        "{}\n{} to {}\n{}",
        title(timeline),
        text::day(timeline.from),
        on_day(law, timeline.until),
        at_first(timeline, &elements, law),
    )];
    for moment in &timeline.moments {
        let mut lines = vec![text::day(moment.on)];
        for words in phrases(&moment.happenings) {
            lines.push(text::hang(&words, "  · ", "    "));
        }
        let sides = [
            (
                [
                    "may no longer leave",
                    "until then let go by",
                    "held back by",
                ],
                &moment.lost,
            ),
            (
                ["may now leave", "let go by", "until then held back by"],
                &moment.gained,
            ),
        ];
        for (words, changes) in sides {
            for change in changes {
                lines.push(changed(change, words, &elements, law.domain()));
            }
        }
        if moment.lost.is_empty() && moment.gained.is_empty() {
            lines.push("    changes nothing for this flow".to_owned());
        }
        parts.push(lines.join("\n"));
    }
    parts.join("\n\n")
}

/// What may leave on the first day.
fn at_first(timeline: &Timeline, all: &BTreeSet<String>, law: &LawPack) -> String {
    let mut groups: Vec<(&Predicate, Vec<String>)> = Vec::new();
    for element in law.vocabulary().element_names() {
        let first = timeline.stretches.first();
        let when = first.and_then(|stretch| stretch.released_when.get(element));
        let Some(when) = when.filter(|when| **when != Predicate::Never) else {
            continue;
        };
        match groups.iter_mut().find(|(known, _)| *known == when) {
            Some((_, elements)) => elements.push(element.to_owned()),
            None => groups.push((when, vec![element.to_owned()])),
        }
    }
    let group = |(when, elements): (&Predicate, Vec<String>)| {
        let elements = names::listed(&elements, all, "every element");
        match when {
            Predicate::Always if elements == "every element" => "everything may leave".to_owned(),
            Predicate::Always => format!("{elements} may leave"),
            when => {
                let whose = when.display(law.domain());
                format!("{elements} may leave of people whose {whose}")
            }
        }
    };
    let said: Vec<String> = groups.into_iter().map(group).collect();
    if said.is_empty() {
        "At first: nothing may leave".to_owned()
    } else {
        text::hang(&said.join("; "), "At first: ", "  ")
    }
}

fn changed(
    change: &Change,
    [words, let_go, held_back]: [&str; 3],
    all: &BTreeSet<String>,
    domain: &Domain,
) -> String {
    let elements = names::listed(&change.elements, all, "every element");
    let mut lines = vec![
        text::hang(&format!("{words}: {elements}"), "    ", "      "),
        text::hang(
            &format!("whose {}", change.when.display(domain)),
            "      ",
            "        ",
        ),
    ];
    let list = |ids: &BTreeSet<String>| ids.iter().cloned().collect::<Vec<_>>().join(", ");
    let sides = [(let_go, &change.lets_go), (held_back, &change.holds_back)];
    for (verb, ids) in sides {
        if !ids.is_empty() {
            lines.push(text::hang(
                &format!("{verb} {}", list(ids)),
                "      ",
                "        ",
            ));
        }
    }
    lines.join("\n")
}

/// What the timeline is of.
fn title(timeline: &Timeline) -> String {
    let query = &timeline.query;
    format!(
        "Disclosures by {} to {} for {}",
        query.custodian.name, query.recipient.name, query.purpose.title
    )
}

/// What happened on a day in words, a line for each instrument: `Order of 12 Aug 2025: issued, in
/// force`.
fn phrases(happenings: &[Happening]) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>, String)> = Vec::new();
    for happening in happenings {
        let recorded = (happening.recorded != happening.dated)
            .then(|| format!(" (recorded {})", text::day(happening.recorded)));
        let recorded = recorded.unwrap_or_default();
        let short = happening.short.join("; ");
        let what = what(happening);
        match lines.last_mut() {
            Some((known, whats, day)) if *known == short && *day == recorded => whats.push(what),
            _ => lines.push((short, vec![what], recorded)),
        }
    }
    let lines = lines.into_iter();
    lines
        .map(|(short, whats, recorded)| format!("{short}: {}{recorded}", whats.join(", ")))
        .collect()
}

fn what(happening: &Happening) -> String {
    /// More parties than this are counted.
    const MOST_NAMED: usize = 3;
    let parties = match happening.parties.len() {
        n if n > MOST_NAMED => format!("{n} parties"),
        _ => happening.parties.join(", "),
    };
    let last_day = || format!("last day {}", text::day(happening.dated));
    match happening.what.as_str() {
        "effective" => "in force".to_owned(),
        "stay-lifted" => "stay lifted".to_owned(),
        "expired" => format!("expired ({})", last_day()),
        "party-joined" => format!("joined by {parties}"),
        "party-from" if happening.parties.len() > MOST_NAMED => {
            format!("{parties} from that day")
        }
        "party-from" => format!("from that day a party: {parties}"),
        "party-left" => format!("left by {parties} ({})", last_day()),
        other => other.to_owned(),
    }
}
