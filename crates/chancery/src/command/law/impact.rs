use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chancery_law::enumerate::Period;
use chancery_law::impact::{Added, Difference, Impact, Verdict, impact, impact_of_packs};
use chancery_law::{LawPack, PackSource, SignOff};
use chancery_model::{Census, Domain, Signature};
use chancery_release::{Clock as _, Known, System, Workspace};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{layers, names, overlays};
use crate::args::{Format, LawImpact};
use crate::command::decide::short;
use crate::command::{Context, Result};
use crate::failure::Failure;
use crate::text;

/// One of the two laws: a pack, and a day of it unless every day is meant.
struct Side {
    law: LawPack,
    on: Option<Date>,
    /// What is taken of the pack, if not everything recorded.
    taken: &'static str,
}

pub(super) fn run(context: &Context, args: &LawImpact) -> Result<()> {
    let (old, new) = sides(context, args)?;
    let impact = compared(&old, &new)?;
    let people = args.dataset.as_ref().map(|name| people(context, name));
    let report = Report {
        people: people.transpose()?,
        old,
        new,
        impact,
    };
    text::print(&match context.format {
        // A pack that somebody proposes must not drive the terminal of whoever judges it.
        Format::Json => text::ascii_json(&format!("{:#}", report.json())),
        Format::Text => text::safe(&report.text()),
    });
    Ok(())
}

/// What signing an instrument off would change, for whoever is asked to.
pub(super) fn of_signing(workspace: &Workspace, id: &str) -> Result<String> {
    let law = workspace.law()?;
    let standing = workspace.standing(&law, System.today(), Known::Now)?;
    let side = |law, taken| Side {
        law,
        on: None,
        taken,
    };
    let old = side(
        law.as_signed(&standing, Some(id)),
        "with it as it is signed",
    );
    let new = side(law, "with it as it is recorded");
    let report = Report {
        impact: compared(&old, &new)?,
        people: None,
        old,
        new,
    };
    Ok(text::safe(&report.text()))
}

fn compared(old: &Side, new: &Side) -> Result<Impact> {
    Ok(match (old.on, new.on) {
        (Some(before), Some(after)) => {
            let old = old.law.in_force(before, SignOff::Demonstration)?;
            let new = new.law.in_force(after, SignOff::Demonstration)?;
            impact(&old, &new)?
        }
        _ => impact_of_packs(&old.law, &new.law)?,
    })
}

/// Each is a folder, or a day of the workspace's pack. A day on one side is the day of the other.
fn sides(context: &Context, args: &LawImpact) -> Result<(Side, Side)> {
    let days = [&args.old, &args.new].map(|side| side.parse::<Date>().ok());
    let both_days = days.iter().all(Option::is_some);
    if both_days && args.on.is_some() {
        let failure = Failure::new("both sides are days already");
        return Err(failure.hint("`--on` is the day on which two packs are compared"));
    }
    let [before, after] = days;
    let day = before.or(after).or(args.on);
    Ok((
        side(context, &args.old, before.or(day))?,
        side(context, &args.new, after.or(day))?,
    ))
}

fn side(context: &Context, given: &str, on: Option<Date>) -> Result<Side> {
    let everything = |law| Side { law, on, taken: "" };
    if given == "recorded" || given.parse::<Date>().is_ok() {
        return Ok(everything(context.workspace()?.law()?));
    }
    if given == "signed" {
        return signed(context, on);
    }
    let dir = Path::new(given);
    if !dir.is_dir() {
        let failure = Failure::new(format!("`{given}` is neither a folder nor a day"));
        return Err(failure.hint(
            "name the folder of a law pack or a workspace, a day such as 2026-01-06, `signed` or \
             `recorded`",
        ));
    }
    Ok(everything(if dir.join("chancery.toml").is_file() {
        // A workspace: its pack, with the overlays on it.
        Workspace::find(dir)?.law()?
    } else {
        let files = chancery_release::pack_files(dir)?;
        LawPack::load(&PackSource::new(given, files))?
    }))
}

/// The workspace's law as it is signed off.
fn signed(context: &Context, on: Option<Date>) -> Result<Side> {
    let workspace = context.workspace()?;
    if workspace.is_demonstration() {
        let failure =
            Failure::new("this is a demonstration workspace, where nothing is signed off");
        return Err(failure.hint("here all recorded law counts; compare days or folders"));
    }
    let law = workspace.law()?;
    let day = on.unwrap_or_else(|| System.today());
    let standing = workspace.standing(&law, day, Known::Now)?;
    Ok(Side {
        law: law.as_signed(&standing, None),
        on,
        taken: "as signed off",
    })
}

/// The people of a dataset, counted, under the attributes by which they were classified. Counts are
/// exact: it is the custodian's own copy.
struct People {
    dataset: String,
    census: Census,
    domain: Domain,
    elements: BTreeSet<String>,
    origin: String,
}

fn people(context: &Context, name: &str) -> Result<People> {
    let workspace = context.workspace()?;
    let law = workspace.law()?;
    let dataset = workspace.dataset(name, &law)?;
    let tables = dataset.catalogue.tables.iter();
    let columns = tables.flat_map(|table| &table.columns);
    Ok(People {
        dataset: name.to_owned(),
        elements: columns
            .filter_map(|column| column.element.clone())
            .collect(),
        census: dataset.census,
        domain: law.domain().clone(),
        origin: law.classification().origin.clone(),
    })
}

impl People {
    /// How many of a difference's people are in the dataset, by origin; nobody if it has none of the
    /// elements.
    fn by_origin(&self, one: &Difference, joint: &Domain) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        if !one
            .elements
            .iter()
            .any(|element| self.elements.contains(element))
        {
            return counts;
        }
        for (group, count) in &self.census.groups {
            let named = self.domain.describe(&group.signature);
            let mut record = Signature::unknown(joint);
            for (name, value) in &named {
                if let Some((at, _)) = joint.attribute(name)
                    && let Some(value) = joint.value(at, value)
                {
                    record = record.with(at, value);
                }
            }
            if one.people.holds(&record) {
                let origin = named.get(&self.origin).cloned().unwrap_or_default();
                *counts.entry(origin).or_default() += count.subjects;
            }
        }
        counts
    }
}

struct Report {
    old: Side,
    new: Side,
    impact: Impact,
    people: Option<People>,
}

impl Report {
    fn json(&self) -> Value {
        let side = |side: &Side| {
            json!({
                "pack": side.law.name, "version": side.law.version,
                "digest": side.law.digest.to_string(), "layers": layers(&side.law), "on": side.on,
                "taken": if side.taken.is_empty() { "recorded" } else { "signed" },
            })
        };
        let differences = |all: &[Difference]| {
            all.iter()
                .map(|one| self.difference_json(one))
                .collect::<Vec<_>>()
        };
        let texts: BTreeMap<&str, Value> = self
            .impact
            .texts
            .each()
            .into_iter()
            .map(
                |(
                    name,
                    Added {
                        added,
                        removed,
                        edited,
                    },
                )| {
                    (
                        name,
                        json!({ "added": added, "removed": removed, "edited": edited }),
                    )
                },
            )
            .collect();
        json!({
            "verdict": self.impact.verdict().as_str(),
            "old": side(&self.old), "new": side(&self.new),
            "compared": self.impact.cases.to_string(),
            "dataset": self.people.as_ref().map(|people| &people.dataset),
            "lost": differences(&self.impact.lost),
            "gained": differences(&self.impact.gained),
            "texts": texts,
        })
    }

    fn difference_json(&self, one: &Difference) -> Value {
        let periods = one.periods.iter();
        let periods = periods.map(|Period { from, until }| {
            json!({ "from": (*from > Date::MIN).then_some(from), "until": until })
        });
        let example = &one.example;
        let mut value = json!({
            "custodians": one.custodians, "recipients": one.recipients,
            "purposes": one.purposes, "elements": one.elements,
            "people": one.when.display(&self.impact.domain).to_string(),
            "combinations": one.people.len(),
            "let_go_by": one.lets_go, "held_back_by": one.holds_back,
            "periods": periods.collect::<Vec<_>>(),
            "example": {
                "custodian": example.custodian, "recipient": example.recipient,
                "purpose": example.purpose, "element": example.element,
                "record": example.record,
            },
        });
        if let (Some(people), Some(object)) = (&self.people, value.as_object_mut()) {
            let parts = people.by_origin(one, &self.impact.domain);
            object.insert("subjects".to_owned(), json!(parts.values().sum::<u64>()));
            object.insert("by_origin".to_owned(), json!(parts));
        }
        value
    }

    fn text(&self) -> String {
        let verdict = match self.impact.verdict() {
            Verdict::Same => "SAME: no answer changes.",
            Verdict::Stricter => "STRICTER: less may leave, and nothing more.",
            Verdict::Looser => "LOOSER: more may leave, and nothing less.",
            Verdict::Both => "STRICTER AND LOOSER: some may no longer leave, and some may now.",
        };
        let mut parts = vec![format!(
            "Old: {}\nNew: {}",
            described(&self.old),
            described(&self.new)
        )];
        parts.push(format!(
            "{verdict}\n{}",
            text::wrap(
                &format!(
                    "Compared, each by complete enumeration: {} disclosures (who gives which \
                     element of which record to whom, for what).",
                    grouped(self.impact.cases)
                ),
                ""
            )
        ));
        let sides = [
            ("Lost: could leave, and may not", "LOST", &self.impact.lost),
            (
                "Gained: could not leave, and may",
                "GAINED",
                &self.impact.gained,
            ),
        ];
        for (title, word, differences) in sides {
            if differences.is_empty() {
                continue;
            }
            let mut text = title.to_owned();
            for (at, alike) in self.alike(differences).iter().enumerate() {
                let Some(one) = alike.first() else { continue };
                text.push_str(&format!("\n\n{}", self.difference(one, word, at + 1)));
                if alike.len() > 1 {
                    let words = format!(
                        "for {} others, each with its own {}",
                        alike.len() - 1,
                        self.new.law.classification().origin
                    );
                    text.push_str(&format!("\n  {:<12}{words}", "likewise"));
                }
            }
            parts.push(text);
        }
        parts.extend(self.texts());
        parts.join("\n\n")
    }

    /// Differences that are the same but for the origin that they are about, such as those of each
    /// state's own agency and records.
    fn alike<'a>(&self, differences: &'a [Difference]) -> Vec<Vec<&'a Difference>> {
        let mut alike: Vec<(String, Vec<&Difference>)> = Vec::new();
        for one in differences {
            let shape = self.shape(one);
            match alike.iter_mut().find(|(known, _)| *known == shape) {
                Some((_, all)) => all.push(one),
                None => alike.push((shape, vec![one])),
            }
        }
        alike.into_iter().map(|(_, all)| all).collect()
    }

    /// A difference in words, with a star for the origin if it is about one alone.
    fn shape(&self, one: &Difference) -> String {
        let when = one.when.display(&self.impact.domain).to_string();
        let name = &self.new.law.classification().origin;
        let at = self.impact.domain.attribute(name).map(|(at, _)| at);
        let origin_of = |record: &Signature| at.and_then(|at| record.value(at));
        let first = one.people.first().and_then(|record| origin_of(&record));
        let is_of_one = one.people.iter().all(|record| origin_of(&record) == first);
        let origin = one.example.record.get(name).filter(|_| is_of_one);
        let path = |path: &String| {
            let names = path.split('/').map(|name| match origin {
                Some(origin) if name == origin.as_str() => "*",
                _ => name,
            });
            names.collect::<Vec<_>>().join("/")
        };
        let paths = |paths: &[String]| paths.iter().map(path).collect::<Vec<_>>();
        let when = match origin {
            Some(origin) => when.replace(&format!("{name} is {origin}"), &format!("{name} is *")),
            None => when,
        };
        format!(
            "{:?} {:?} {:?} {:?} {when} {:?} {:?} {:?}",
            paths(&one.custodians),
            paths(&one.recipients),
            one.purposes,
            one.elements,
            one.periods,
            one.lets_go,
            one.holds_back
        )
    }

    fn all(&self, names: fn(&LawPack) -> Vec<String>) -> BTreeSet<String> {
        let packs = [&self.old.law, &self.new.law];
        packs.into_iter().flat_map(names).collect()
    }

    fn difference(&self, one: &Difference, word: &str, number: usize) -> String {
        let packs = [&self.old.law, &self.new.law];
        let purposes = self.all(|law| {
            let purposes = law.vocabulary().purposes().iter();
            purposes.map(|purpose| purpose.path.clone()).collect()
        });
        let elements = self.all(|law| {
            law.vocabulary()
                .element_names()
                .map(str::to_owned)
                .collect()
        });
        let mut lines = Vec::new();
        let heading = format!("{word} {number}  ");
        let mut line = |label: &str, words: &str| {
            let first = format!("  {label:<12}");
            lines.push(text::hang(words, &first, &" ".repeat(14)));
        };
        line("from", &names::agencies(&one.custodians, &packs));
        line("to", &names::agencies(&one.recipients, &packs));
        line(
            "for",
            &names::listed(&one.purposes, &purposes, "every purpose"),
        );
        line(
            "what",
            &names::listed(&one.elements, &elements, "every element"),
        );
        line("whose", &one.when.display(&self.impact.domain).to_string());
        if !one.periods.is_empty() {
            line("when", &periods(&one.periods));
        }
        line("for example", &example(one));
        let is_lost = word == "LOST";
        let (then, now) = if is_lost {
            ("before", "now")
        } else {
            ("now", "before")
        };
        line(
            then,
            &self.because(&one.lets_go, "let go by", "nothing permits it"),
        );
        line(
            now,
            &self.because(&one.holds_back, "held back by", "nothing permits it"),
        );
        if let Some(people) = &self.people {
            let counts = people.by_origin(one, &self.impact.domain);
            let parts = counts
                .iter()
                .map(|(origin, count)| format!("{origin}: {}", text::count(*count)));
            let parts = parts.collect::<Vec<_>>().join(", ");
            let words = if parts.is_empty() {
                format!("nobody in {}", people.dataset)
            } else {
                let sum = text::count(counts.values().sum());
                format!("{sum} in {} ({parts})", people.dataset)
            };
            line("people", &words);
        }
        format!("{}\n{}", heading.trim_end(), lines.join("\n"))
    }

    fn because(&self, provisions: &BTreeSet<String>, verb: &str, otherwise: &str) -> String {
        if provisions.is_empty() {
            return otherwise.to_owned();
        }
        let cited = provisions.iter().map(|id| {
            let known = [&self.new.law, &self.old.law];
            let known = known.into_iter().find_map(|law| law.provision(id));
            match known {
                Some((instrument, _)) => format!("{} [{id}]", instrument.short),
                None => id.clone(),
            }
        });
        format!("{verb} {}", cited.collect::<Vec<_>>().join("; "))
    }

    /// What was edited, an answer turning on it or not.
    fn texts(&self) -> Option<String> {
        let mut lines = Vec::new();
        for (what, texts) in self.impact.texts.each() {
            let sides = [
                ("added", &texts.added),
                ("removed", &texts.removed),
                ("edited", &texts.edited),
            ];
            for (verb, names) in sides {
                if !names.is_empty() {
                    let first = format!("  {what} {verb}: ");
                    lines.push(text::hang(&names.join(", "), &first, "    "));
                }
            }
        }
        (!lines.is_empty()).then(|| {
            format!(
                "Texts and words that differ, whether or not an answer turns on them\n{}",
                lines.join("\n")
            )
        })
    }
}

/// A side in words.
fn described(side: &Side) -> String {
    let on = side.on.map_or("on every day".to_owned(), |on| {
        format!("on {}", text::day(on))
    });
    let digest = short(&side.law.digest.to_string());
    let taken = match side.taken {
        "" => String::new(),
        taken => format!(", {taken}"),
    };
    format!(
        "{} {} ({digest}){taken}, {on}{}",
        side.law.name,
        side.law.version,
        overlays(&side.law).replace('\n', "\n     ")
    )
}

/// One of the disclosures in words.
fn example(one: &Difference) -> String {
    let example = &one.example;
    let record = example.record.iter();
    let record = record.map(|(name, value)| format!("{name} {value}"));
    format!(
        "`{}` of a record with {}; {} to {} for {}",
        example.element,
        record.collect::<Vec<_>>().join(", "),
        example.custodian,
        example.recipient,
        example.purpose,
    )
}

fn grouped(number: u128) -> String {
    u64::try_from(number).map_or_else(|_| number.to_string(), text::count)
}

fn periods(periods: &[Period]) -> String {
    let words = periods.iter().map(|period| {
        let from = (period.from > Date::MIN).then(|| text::day(period.from));
        match (from, period.until.map(text::day)) {
            (None, None) => "on every day".to_owned(),
            (None, Some(until)) => format!("until {until}"),
            (Some(from), None) => format!("since {from}"),
            (Some(from), Some(until)) => format!("{from} to {until}"),
        }
    });
    words.collect::<Vec<_>>().join("; ")
}
