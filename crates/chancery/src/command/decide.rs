use std::collections::BTreeSet;
use std::process::ExitCode;

use chancery_dataset::Dataset;
use chancery_law::{InForce, LawPack};
use chancery_model::{Decision, ElementDecision, Outcome, Predicate};
use chancery_plan::{Embedded, Limits};
use chancery_release::{Answer, Audit, AuditedElement, AuditedPeople, Known};

use super::report::Report;
use super::{Context, Result, day, json, read_request};
use crate::args::{self, Format};
use crate::failure::{DENIED, Failure};
use crate::text;

pub(crate) fn run(context: &Context, args: &args::Decide) -> Result {
    let workspace = context.workspace()?;
    let law = workspace.law()?;
    let (question, dataset) = read_request(&args.request, &workspace, &law)?;
    let on = day(args.on);
    let known = args.as_known.map(|known| (known, law.as_known(known.day)));
    let applied = known.as_ref().map_or(&law, |(_, law)| law);
    let standing = workspace.standing(applied, on, super::known(args.as_known))?;
    let in_force = applied.in_force(on, workspace.sign_off(&standing))?;
    let answer = chancery_release::decide(question.clone(), &in_force, &dataset)?;
    if args.plan {
        text::print(&plans(context.format, &answer, &law, &dataset)?);
        return Ok(exit(answer.decision()));
    }
    match known {
        None => print(context.format, &answer, &in_force, &dataset)?,
        Some((known, _)) => {
            let standing = workspace.standing(&law, on, Known::Now)?;
            let today = law.in_force(on, workspace.sign_off(&standing))?;
            let today = chancery_release::decide(question, &today, &dataset)?;
            let audit = chancery_release::audit(known.day, &answer, &today, &law, &dataset);
            text::print(&audited(
                context.format,
                &answer,
                &audit,
                &in_force,
                &dataset,
            )?);
        }
    }
    Ok(exit(answer.decision()))
}

/// A denial is a result, with its own exit code.
pub(crate) fn exit(decision: &Decision) -> ExitCode {
    match decision.outcome {
        Outcome::Full | Outcome::Partial => ExitCode::SUCCESS,
        Outcome::Denied => ExitCode::from(DENIED),
    }
}

pub(crate) fn print(
    format: Format,
    answer: &Answer,
    law: &InForce<'_>,
    dataset: &Dataset,
) -> Result<()> {
    text::print(&match format {
        Format::Json => json(&Report::new(answer, law))?,
        Format::Text => Face {
            answer,
            law,
            origins: origins(law, dataset),
        }
        .text(),
    });
    Ok(())
}

/// A decision for people to read.
pub(crate) fn text(answer: &Answer, law: &InForce<'_>, dataset: &Dataset) -> String {
    Face {
        answer,
        law,
        origins: origins(law, dataset),
    }
    .text()
}

/// A decision by what was known on an earlier day, with what is known since.
fn audited(
    format: Format,
    answer: &Answer,
    audit: &Audit,
    law: &InForce<'_>,
    dataset: &Dataset,
) -> Result<String> {
    match format {
        Format::Json => json(&Report::new(answer, law).with_audit(audit, law.pack())),
        Format::Text => {
            let face = Face {
                answer,
                law,
                origins: origins(law, dataset),
            };
            Ok(format!("{}\n\n{}", face.text(), face.hindsight(audit)))
        }
    }
}

/// The optimised plan of every table and origin, as DataFusion shows it.
fn plans(format: Format, answer: &Answer, law: &LawPack, dataset: &Dataset) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
    let limits = Limits {
        memory: 64 << 20,
        spill: std::env::temp_dir(),
        workers: 1,
    };
    let engine = Embedded::new(&limits).map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| failed(&error))?;
    let mut plans = Vec::new();
    for cut in answer.cuts() {
        let plan = engine.plan(dataset, cut, law.domain(), law.classification());
        let plan = runtime.block_on(plan).map_err(|error| failed(&error))?;
        plans.push((&cut.table, &cut.origin, plan.display_indent().to_string()));
    }
    match format {
        Format::Json => {
            let plan = |(table, origin, plan)| serde_json::json!({ "table": table, "origin": origin, "plan": plan });
            json(
                &plans
                    .into_iter()
                    .map(plan)
                    .collect::<Vec<serde_json::Value>>(),
            )
        }
        Format::Text => {
            let plan = |(table, origin, plan)| format!("{table} {origin}\n{plan}");
            Ok(plans
                .into_iter()
                .map(plan)
                .collect::<Vec<String>>()
                .join("\n\n"))
        }
    }
}

/// One side of what is known since.
type Side = fn(&AuditedElement) -> &AuditedPeople;

/// The decision as a privacy officer reads it, aloud if need be.
struct Face<'a> {
    answer: &'a Answer,
    law: &'a InForce<'a>,
    origins: BTreeSet<u8>,
}

impl Face<'_> {
    fn decision(&self) -> &Decision {
        self.answer.decision()
    }

    fn text(&self) -> String {
        let mut parts = vec![self.heading(), self.verdict()];
        if self.decision().outcome != Outcome::Denied {
            parts.extend([self.elements(), self.for_whom(), self.classes()]);
        }
        parts.push(self.never());
        if self.decision().outcome != Outcome::Denied {
            parts.push(self.rows());
        }
        parts.extend([self.why(), self.idle(), self.readings(), self.duties()]);
        parts.retain(|part| !part.is_empty());
        parts.join("\n\n")
    }

    fn heading(&self) -> String {
        let query = &self.answer.question().query;
        let decision = self.decision();
        let mut text = format!(
            "{} asks {} for the dataset {}.\nPurpose: {}.\nDecided under the law of {} ({}, {}).",
            query.recipient.name,
            query.custodian.name,
            decision.request.dataset,
            query.purpose.title,
            text::day(decision.on),
            decision.law.pack,
            short(&decision.law.digest.to_string()),
        );
        if let Some(known) = self.law.pack().known_by() {
            let known = text::day(known);
            text.push_str(&format!("\nOnly what had been recorded by {known} counts."));
        }
        let idle = self.law.not_counting().len();
        if idle > 0 {
            text.push_str(&format!(
                "\n{} that would let data go {} not count; `chancery law check` says why.",
                text::counted(idle as u64, "provision"),
                if idle == 1 { "does" } else { "do" },
            ));
        }
        for line in super::law::edited(self.law) {
            text.push_str(&format!("\n{}", text::wrap(&line, "")));
        }
        text
    }

    /// What is known since, where it makes a difference.
    fn hindsight(&self, audit: &Audit) -> String {
        let sides: [(&str, &str, Side); 2] = [
            ("fewer", "known only later to be unlawful", |element| {
                &element.known_only_later
            }),
            ("more", "known only later to be lawful", |element| {
                &element.lawful_only_later
            }),
        ];
        let counted = sides.map(|(word, _, side)| {
            let changed = audit.elements.iter().map(side);
            let changed = changed.filter(|people| people.when != Predicate::Never);
            let most = changed.clone().map(|people| people.subjects).max();
            match (changed.count(), most) {
                (0, _) | (_, None) => format!("none {word}"),
                (1, Some(most)) => format!("1 element {word}, of {}", text::people(most)),
                (n, Some(most)) => {
                    format!(
                        "{n} elements {word}, each of at most {}",
                        text::people(most)
                    )
                }
            }
        });
        let mut text = format!("With what is known today: {}.", counted.join("; "));
        for (_, what, side) in sides {
            let mut by_people: Vec<(&AuditedPeople, Vec<&String>)> = Vec::new();
            for element in &audit.elements {
                let people = side(element);
                let known = by_people.iter_mut().find(|(known, _)| *known == people);
                match known {
                    _ if people.when == Predicate::Never => {}
                    Some((_, elements)) => elements.push(&element.element),
                    None => by_people.push((people, vec![&element.element])),
                }
            }
            for (people, elements) in by_people {
                let titles = self.titles(elements.into_iter());
                let when = people.when.display(self.law.pack().domain());
                let line = format!("{what}, of {}: {when}", text::people(people.subjects));
                text.push_str(&format!(
                    "\n{}\n{}",
                    text::hang(&titles, "  · ", "    "),
                    text::hang(&line, "      ", "        ")
                ));
            }
        }
        text
    }

    fn verdict(&self) -> String {
        let decision = self.decision();
        let asked = decision.elements.len();
        let leaving = decision
            .elements
            .iter()
            .filter(|element| element.subjects > 0)
            .count();
        match decision.outcome {
            Outcome::Full => format!(
                "FULL: everything asked for may leave, about {}.",
                text::people(decision.total)
            ),
            Outcome::Denied => format!(
                "DENIED: nothing may leave; the dataset is about {}.",
                text::people(decision.total)
            ),
            Outcome::Partial => format!(
                "PARTIAL: {leaving} of {asked} elements may leave, about {} ({}); nothing leaves \
                 about {}.",
                text::people(decision.released),
                text::share(decision.released, decision.total),
                text::people(decision.withheld()),
            ),
        }
    }

    fn title(&self, element: &str) -> String {
        let known = self.law.pack().vocabulary().element(element);
        known.map_or_else(|| element.to_owned(), |element| element.title.clone())
    }

    fn titles<'b>(&self, elements: impl Iterator<Item = &'b String>) -> String {
        elements
            .map(|element| self.title(element))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn leaving(&self) -> impl Iterator<Item = &ElementDecision> {
        self.decision()
            .elements
            .iter()
            .filter(|element| element.subjects > 0)
    }

    fn elements(&self) -> String {
        let total = self.decision().total;
        let rows = self.leaving().map(|element| {
            vec![
                self.title(&element.element),
                text::count(element.subjects),
                text::share(element.subjects, total),
            ]
        });
        text::table(&["what leaves", "people", "share"], &[1, 2], rows.collect())
    }

    /// The conditions, each once, told apart by origin.
    fn for_whom(&self) -> String {
        let mut by_predicate: Vec<(&Predicate, Vec<&String>)> = Vec::new();
        for element in self.leaving() {
            let known = by_predicate
                .iter_mut()
                .find(|(when, _)| **when == element.released_when);
            match known {
                Some((_, elements)) => elements.push(&element.element),
                None => by_predicate.push((&element.released_when, vec![&element.element])),
            }
        }
        let parts = by_predicate.into_iter().map(|(when, elements)| {
            let titles = self.titles(elements.into_iter());
            format!(
                "{}\n{}",
                text::hang(&titles, "  · ", "    "),
                self.conditions(when)
            )
        });
        format!("For whom\n{}", parts.collect::<Vec<_>>().join("\n"))
    }

    fn conditions(&self, when: &Predicate) -> String {
        let domain = self.law.pack().domain();
        let origin = &self.law.pack().classification().origin;
        let Some((attribute, declared)) = domain.attribute(origin) else {
            return String::new();
        };
        let mut lines = Vec::new();
        for (part, values) in when.by_value(attribute, domain) {
            let here = values
                .intersection(&self.origins)
                .filter_map(|v| declared.values.get(usize::from(*v)));
            let here: Vec<&str> = here.map(String::as_str).collect();
            if !here.is_empty() {
                let text = format!("{origin} {}: {}", here.join(", "), part.display(domain));
                lines.push(text::hang(&text, "      ", "        "));
            }
        }
        lines.join("\n")
    }

    fn classes(&self) -> String {
        let decision = self.decision();
        if decision.classes.len() < 2 {
            return String::new();
        }
        let rows = decision.classes.iter().map(|class| {
            let what = match class.elements.len() {
                0 => "nothing".to_owned(),
                n if n == decision.elements.len() => "everything asked for".to_owned(),
                _ => self.titles(class.elements.iter()),
            };
            vec![
                text::count(class.subjects),
                text::share(class.subjects, decision.total),
                what,
            ]
        });
        text::table(
            &["people", "share", "about whom leaves"],
            &[0, 1],
            rows.collect(),
        )
    }

    /// The elements asked for that leave about nobody, and those that the tables asked for lack.
    fn never(&self) -> String {
        let listed = |title: &str, lacking: bool| {
            let elements =
                self.decision().elements.iter().filter(|element| {
                    element.subjects == 0 && element.columns.is_empty() == lacking
                });
            let names: Vec<&String> = elements.map(|element| &element.element).collect();
            if names.is_empty() {
                return String::new();
            }
            let text = format!("{}.", self.titles(names.into_iter()));
            format!("{title}\n{}", text::wrap(&text, "  "))
        };
        let parts = [
            listed("Leaves about nobody", false),
            listed("Not in the tables asked for", true),
        ];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("\n\n")
    }

    fn why(&self) -> String {
        let decision = self.decision();
        let cited = |of: &dyn Fn(&ElementDecision) -> &Vec<String>| {
            decision
                .elements
                .iter()
                .flat_map(|e| of(e).clone())
                .collect::<BTreeSet<String>>()
        };
        let permits = cited(&|element| &element.permitted_by);
        let forbids = cited(&|element| &element.barred_by);
        let mut text = String::from("Why");
        if permits.is_empty() {
            let nothing = if self.answer.idle().is_empty() {
                "Nothing in force on that day permits it"
            } else {
                "Nothing that counts on that day permits it"
            };
            text.push_str(&format!(
                "\n  {nothing}, and what nothing permits is withheld."
            ));
        }
        for (title, ids) in [("What lets go", permits), ("What holds back", forbids)] {
            if !ids.is_empty() {
                text.push_str(&format!("\n\n  {title}"));
            }
            for id in ids {
                text.push_str(&self.provision(&id));
            }
        }
        text
    }

    fn provision(&self, id: &str) -> String {
        let Some((instrument, provision)) = self.law.provision(id) else {
            return format!("\n  {id}");
        };
        let cited = if provision.clause.starts_with(&instrument.short) {
            provision.clause.clone()
        } else {
            format!("{}: {}", instrument.short, provision.clause)
        };
        format!(
            "\n{}\n{}\n    [{id}]",
            text::hang(&cited, "  · ", "    "),
            text::wrap(&provision.reason, "    "),
        )
    }

    /// What would let go and does not count, each with the reason.
    fn idle(&self) -> String {
        let idle = self.answer.idle().iter().map(|cite| {
            let short = self
                .law
                .provision(cite)
                .map_or(cite.as_str(), |(i, _)| &i.short);
            let why = self.law.why_not(cite).says(short);
            format!("{}\n    [{cite}]", text::hang(&why, "  · ", "    "))
        });
        let idle: Vec<String> = idle.collect();
        if idle.is_empty() {
            return String::new();
        }
        format!("What would let go and does not count\n{}", idle.join("\n"))
    }

    fn readings(&self) -> String {
        let readings = &self.decision().interpretations;
        if readings.is_empty() {
            return String::new();
        }
        let readings = readings.iter().map(|reading| {
            let text = format!("{} Taken: {}", reading.question, reading.reading);
            format!(
                "{}\n    [{}]",
                text::hang(&text, "  · ", "    "),
                reading.id
            )
        });
        let readings: Vec<String> = readings.collect();
        format!(
            "Readings of the law that this rests on (none reviewed by a lawyer unless the \
                 instrument says so)\n{}",
            readings.join("\n")
        )
    }

    fn duties(&self) -> String {
        let duties = &self.decision().obligations;
        if duties.is_empty() || self.decision().outcome == Outcome::Denied {
            return String::new();
        }
        let duties = duties.iter().map(|duty| {
            let text = format!("{} ({})", duty.text, duty.clause);
            format!("{}\n    [{}]", text::hang(&text, "  · ", "    "), duty.id)
        });
        let duties: Vec<String> = duties.collect();
        format!("Obligations that travel with it\n{}", duties.join("\n"))
    }

    fn rows(&self) -> String {
        let tables = self
            .decision()
            .tables
            .iter()
            .filter(|table| table.released_rows > 0);
        let rows = tables.map(|table| {
            vec![
                table.table.clone(),
                text::count(table.rows),
                text::count(table.released_rows),
                text::share(table.released_rows, table.rows),
            ]
        });
        text::table(
            &["table", "rows", "leave", "share"],
            &[1, 2, 3],
            rows.collect(),
        )
    }
}

/// The origins that occur in a dataset, as positions in the domain.
fn origins(law: &InForce<'_>, dataset: &Dataset) -> BTreeSet<u8> {
    let domain = law.pack().domain();
    let attribute = domain
        .attribute(&law.pack().classification().origin)
        .map(|(at, _)| at);
    let signatures = dataset.census.signatures();
    attribute.map_or_else(BTreeSet::new, |at| {
        signatures.iter().filter_map(|s| s.value(at)).collect()
    })
}

/// A digest short enough to read aloud.
pub(crate) fn short(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}
