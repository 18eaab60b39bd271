use std::process::ExitCode;
use std::time::{Duration, Instant};

use chancery_law::prove::{
    Claim, Counterexample, Finding, Idle, IdleProvision, Report, Silence, Unasserted, Vacuity,
    Verdict,
};
use chancery_law::{AssertionKind, Effect, LawPack};

use crate::args::{Format, LawProve};
use crate::command::{Context, Result, json};
use crate::failure::Failure;
use crate::text;

/// Exit code: an assertion is broken.
const BROKEN: u8 = 1;
/// Exit code: something could not be proved, or nothing is asserted.
const UNPROVEN: u8 = 4;

pub(super) fn run(context: &Context, args: &LawProve) -> Result {
    let law = &context.workspace()?.law()?;
    if let Some(id) = &args.instrument
        && law.instrument(id).is_none()
    {
        let known = law.instruments().iter().map(|i| i.id.as_str());
        let failure = Failure::new(format!("unknown instrument `{id}`")).invalid();
        return Err(failure.hint(chancery_law::did_you_mean(id, known)));
    }
    let claim = Claim {
        on: args.on,
        instrument: args.instrument.clone(),
    };
    let start = Instant::now();
    let mut report = law.prove(&claim)?;
    if args.symbolic {
        symbolic(law, &claim, &mut report);
    }
    text::print(&match context.format {
        Format::Json => json(&report)?,
        Format::Text => Face {
            report: &report,
            law,
            took: start.elapsed(),
        }
        .text(),
    });
    Ok(if report.is_broken() {
        ExitCode::from(BROKEN)
    } else if report.is_unproven() {
        ExitCode::from(UNPROVEN)
    } else {
        ExitCode::SUCCESS
    })
}

/// The verdict on a law pack and what it covers, for a summary.
pub(crate) fn brief(law: &LawPack) -> Result<String> {
    let start = Instant::now();
    let report = &law.prove(&Claim::default())?;
    let face = Face {
        report,
        law,
        took: start.elapsed(),
    };
    let parts = [Some(face.verdict()), face.covered()];
    Ok(parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}

#[cfg(feature = "symbolic")]
fn symbolic(law: &LawPack, claim: &Claim, report: &mut Report) {
    use chancery_law::prove::CanErr;
    use chancery_law::symbolic::{Errs, Solver};

    let proofs = law.prove_symbolically(claim, &Solver::cvc5());
    report.add_symbolic(proofs.assertions);
    report.errs = Some(
        proofs
            .errs
            .into_iter()
            .map(|(provision, errs)| {
                let errs = match errs {
                    Errs::Never => CanErr::Never,
                    Errs::Sometimes(error) => CanErr::Sometimes { error },
                    Errs::Unproven(why) => CanErr::Unproven { why },
                };
                (provision, errs)
            })
            .collect(),
    );
}

#[cfg(not(feature = "symbolic"))]
fn symbolic(_: &LawPack, _: &Claim, report: &mut Report) {
    report.without_symbolic(
        "no solver was asked: this program was built without the feature `symbolic`; build it with \
         `--features symbolic`",
    );
}

/// A report for people to read.
struct Face<'a> {
    report: &'a Report,
    law: &'a LawPack,
    took: Duration,
}

impl Face<'_> {
    fn text(&self) -> String {
        let parts = [
            Some(self.verdict()),
            self.broken(),
            self.unproven(),
            self.table(),
            self.narrowed(),
            self.vacuous(),
            self.provisions(),
            self.interpretations(),
            self.unasserted(),
            self.covered(),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }

    fn verdict(&self) -> String {
        let report = self.report;
        let (broken, unproven) = (report.broken().count(), report.unproven().count());
        let total = report.assertions.len();
        let of = format!(
            "{} {} {}{}",
            self.law.name,
            self.law.version,
            report.digest,
            super::overlays(self.law)
        );
        let on = match report.on {
            Some(on) => format!("on {}", text::day(on)),
            None => "on every day".to_owned(),
        };
        let verdict = if report.is_broken() {
            format!("BROKEN: {broken} of {total} assertions")
        } else if report.is_silent() {
            "NOTHING ASSERTED: there is nothing to prove, and nothing is proved".to_owned()
        } else if report.is_unproven() {
            format!("UNPROVEN: {unproven} of {total} assertions")
        } else if total == 1 {
            "HOLDS: the one assertion".to_owned()
        } else {
            let vacuous = report.assertions.iter().filter(|one| one.vacuous.is_some());
            match vacuous.count() {
                0 => format!("HOLDS: all {total} assertions"),
                vacuous => format!(
                    "HOLDS: all {total} assertions, {vacuous} of them for want of any permission"
                ),
            }
        };
        format!("{verdict}, {on}\n{of}")
    }

    fn broken(&self) -> Option<String> {
        let one = |(finding, example): (&Finding, Counterexample)| {
            format!(
                "Broken: {}\n{}\n  [{}]\n{}",
                finding.assertion,
                text::wrap(&finding.says, "  "),
                finding.clause,
                self.example(finding.kind, &example),
            )
        };
        let errs = self.report.errs.iter().flatten();
        let errs = errs.filter_map(|(provision, errs)| match errs {
            chancery_law::prove::CanErr::Sometimes { error } => Some(format!(
                "Can err, and is skipped then: {provision}\n  {error}"
            )),
            _ => None,
        });
        listed(self.report.broken().map(one).chain(errs))
    }

    fn example(&self, kind: AssertionKind, example: &Counterexample) -> String {
        let Counterexample {
            on,
            action,
            custodian,
            recipient,
            purpose,
            element,
            record,
            by,
        } = example;
        let record: Vec<String> = record
            .iter()
            .map(|(attribute, value)| format!("{attribute} {value}"))
            .collect();
        let happens = match (kind, by.is_empty()) {
            (AssertionKind::Never, _) => "It leaves, permitted by",
            (AssertionKind::Barred, true) => "It is not permitted, but nothing bars it.",
            (AssertionKind::Barred, false) => "Nothing bars it, and it leaves, permitted by",
            (AssertionKind::Always, true) => "It does not leave: nothing permits it.",
            (AssertionKind::Always, false) => "It does not leave: it is barred by",
        };
        let by = by.iter().map(|id| {
            let clause = self.law.provision(id).map(|(_, p)| p.clause.as_str());
            format!("\n    {id} [{}]", clause.unwrap_or_default())
        });
        format!(
            "  For example, on {}: {action} `{element}` from {custodian} to {recipient}\n  \
             for {purpose}, of a record with\n{}\n  {happens}{}",
            text::day(*on),
            text::wrap(&record.join(", "), "    "),
            by.collect::<String>(),
        )
    }

    fn unproven(&self) -> Option<String> {
        let mut by_reason: std::collections::BTreeMap<String, Vec<&str>> =
            std::collections::BTreeMap::new();
        for (finding, why) in self.report.unproven() {
            by_reason.entry(why).or_default().push(&finding.assertion);
        }
        for (provision, errs) in self.report.errs.iter().flatten() {
            if let chancery_law::prove::CanErr::Unproven { why } = errs {
                let why = format!("whether a provision can err: {why}");
                by_reason.entry(why).or_default().push(provision);
            }
        }
        let one = |(why, ids): (String, Vec<&str>)| {
            format!("Unproven: {why}\n{}", text::wrap(&ids.join(" "), "  "))
        };
        listed(by_reason.into_iter().map(one))
    }

    fn table(&self) -> Option<String> {
        let rows = self.law.instruments().iter().filter_map(|instrument| {
            let own = format!("{}#", instrument.id);
            let findings: Vec<&Finding> = self
                .report
                .assertions
                .iter()
                .filter(|finding| finding.assertion.starts_with(&own))
                .collect();
            let count = |kind| findings.iter().filter(|f| f.kind == kind).count();
            let vacuous = findings.iter().filter(|f| f.vacuous.is_some()).count();
            (!findings.is_empty()).then(|| {
                [
                    count(AssertionKind::Barred),
                    count(AssertionKind::Never),
                    count(AssertionKind::Always),
                    vacuous,
                ]
                .iter()
                .fold(vec![instrument.id.clone()], |mut row, count| {
                    row.push(count.to_string());
                    row
                })
            })
        });
        let header = ["assertions of", "barred", "never", "always", "vacuous"];
        (!self.report.is_silent()).then(|| text::table(&header, &[1, 2, 3, 4], rows.collect()))
    }

    fn narrowed(&self) -> Option<String> {
        let findings = self.report.assertions.iter();
        let ids: String = findings
            .filter(|finding| finding.narrowed)
            .map(|finding| format!("\n    {}", finding.assertion))
            .collect();
        (!ids.is_empty()).then(|| {
            format!(
                "Narrowed: an overlay holds back some of what these say always leaves, as it may{ids}"
            )
        })
    }

    fn vacuous(&self) -> Option<String> {
        let of = |vacuity: Vacuity| {
            let findings = self.report.assertions.iter();
            let ids: Vec<&str> = findings
                .filter(|finding| finding.vacuous == Some(vacuity))
                .map(|finding| finding.assertion.as_str())
                .collect();
            ids
        };
        let parts = [
            ("Nothing at all is in their scope:", of(Vacuity::Empty)),
            (
                "Nothing in their scope is ever permitted, so no bar is put to the test; they \
                 would be broken by a permission that somebody adds:",
                of(Vacuity::NothingPermitted),
            ),
        ];
        named("Vacuous: they hold, and say little", &parts)
    }

    fn provisions(&self) -> Option<String> {
        let one = |idle: &IdleProvision| {
            let why = match (idle.why, idle.effect) {
                (Idle::NeverApplies, _) if self.report.on.is_some() => {
                    "applies to nothing that day"
                }
                (Idle::NeverApplies, _) => "applies to nothing, on any day",
                (Idle::NothingMoreLeaves, _) => "lets go what is barred, or goes anyway",
                (Idle::BarredByOthers, _) => "others bar all that it bars",
                (Idle::NothingPermitted, _) => "bars what nothing permits",
            };
            let effect = match idle.effect {
                Effect::Permit => "lets go",
                Effect::Forbid => "holds back",
            };
            vec![idle.provision.clone(), effect.to_owned(), why.to_owned()]
        };
        let rows: Vec<_> = self.report.provisions.iter().map(one).collect();
        (!rows.is_empty()).then(|| {
            let header = ["provision", "effect", "why"];
            format!(
                "Provisions without which the same would leave\n{}",
                text::table(&header, &[], rows)
            )
        })
    }

    fn interpretations(&self) -> Option<String> {
        let ids = |with: bool| {
            let idle = self.report.interpretations.iter();
            let ids: Vec<&str> = idle
                .filter(|idle| idle.provisions.is_empty() != with)
                .map(|idle| idle.interpretation.as_str())
                .collect();
            ids
        };
        let parts = [
            (
                "Only provisions of the table above rest on them:",
                ids(true),
            ),
            (
                "No provision rests on them; what they decide is that there is none:",
                ids(false),
            ),
        ];
        named("Interpretations that have no effect on what leaves", &parts)
    }

    fn unasserted(&self) -> Option<String> {
        let one = |one: &Unasserted| {
            let why = match one.why {
                Silence::NoProvision => "has no provision: it permits and bars nothing",
                Silence::NoAssertion => "has provisions, and no assertions.toml with an assertion",
            };
            vec![one.instrument.clone(), why.to_owned()]
        };
        let rows: Vec<_> = self.report.unasserted.iter().map(one).collect();
        (!rows.is_empty()).then(|| {
            format!(
                "Instruments of which nothing is asserted\n{}",
                text::table(&["instrument", "why"], &[], rows)
            )
        })
    }

    /// What the proof covers, if there is one.
    fn covered(&self) -> Option<String> {
        let report = self.report;
        if report.is_silent() {
            return None;
        }
        let periods = if report.periods == 1 {
            "one period".to_owned()
        } else {
            format!("{} periods", report.periods)
        };
        let provers = match (&report.not_asked, report.provers.len()) {
            (Some(_), _) => {
                let by_enumeration = report.assertions.iter();
                let by_enumeration = by_enumeration.filter(|f| f.enumeration == Verdict::Holds);
                format!(
                    "Only enumeration was run, by which {} of {} hold; no solver was asked.",
                    by_enumeration.count(),
                    report.assertions.len()
                )
            }
            (None, 1) => "Only enumeration was run; `--symbolic` asks a solver as well.".to_owned(),
            (None, _) => "Both provers were asked: enumeration, and the solver.".to_owned(),
        };
        let classes = format!(
            "Covered: {} cases (custodian × recipient × purpose × element × record × {} × {periods} \
             of unchanging law), in {} classes that the provisions tell apart, in {:.1} s.",
            text::big(report.cases),
            report.actions.join("/"),
            text::count(report.classes),
            self.took.as_secs_f64(),
        );
        let limits = "This holds the provisions against the assertions, as if every instrument were \
                      signed. Whether the assertions say what the law says is for a person to judge.";
        let lines = [classes.as_str(), provers.as_str(), limits];
        Some(lines.map(|text| text::wrap(text, "")).join("\n"))
    }
}

/// What has a name, under a title and in parts that say what is so of it; a part without any is left out.
fn named(title: &str, parts: &[(&str, Vec<&str>)]) -> Option<String> {
    let parts = parts.iter().filter(|(_, ids)| !ids.is_empty());
    let parts = parts.map(|(says, ids)| {
        let ids: String = ids.iter().map(|id| format!("\n    {id}")).collect();
        format!("\n{}{ids}", text::wrap(says, "  "))
    });
    let parts: String = parts.collect();
    (!parts.is_empty()).then(|| format!("{title}{parts}"))
}

fn listed(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}
