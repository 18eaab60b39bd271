//! The law that decides, and how far it has been reviewed.

use chancery_law::{Instrument, State};
use maud::{Markup, html};

use super::Report;
use super::page::{capital, counted, day, page as framed, stacked};
use crate::filing::quoted;

pub(super) fn page(report: &Report<'_>) -> String {
    let law = report.law();
    let on = report.site.on;
    let (in_force, others): (Vec<&Instrument>, Vec<&Instrument>) =
        law.instruments().iter().partition(|one| one.in_force(on));
    let lead = html! {
        p { (law.title) ", version " (law.version) ". What follows is in force on " (day(on)) "." }
        p class="soft" { "Digest " code { (law.digest.to_string()) } }
    };
    let heads = ["Instrument", "Kind", "In force since", "Review", "Sign-off"];
    let rows: Vec<Vec<Markup>> = in_force.iter().map(|one| row(report, one)).collect();
    let body = html! {
        section aria-labelledby="in-force" {
            h2 id="in-force" { "In force" }
            (stacked("in-force-table", "Statutes, regulations, orders and agreements in force", &heads, &rows))
        }
        @if !others.is_empty() {
            section aria-labelledby="others" {
                h2 id="others" { "Known, and not in force" }
                ul { @for one in others { li { (one.short) " – " (happened(one)) } } }
            }
        }
        (readings(&in_force))
    };
    framed(report, "law.html", "The law that decides", &lead, &body)
}

fn row(report: &Report<'_>, one: &Instrument) -> Vec<Markup> {
    let url = one.source.url.as_deref();
    let url = url.filter(|url| url.starts_with("https://"));
    vec![
        html! {
            @match url {
                Some(url) => a href=(url) { (one.short) },
                None => (one.short),
            }
            br; span class="soft cite" { (one.citation) }
        },
        html! { (capital(&one.kind)) },
        html! { (since(report, one)) },
        html! { (capital(&one.review.status)) },
        html! { (capital(sign_off(report, one))) },
    ]
}

/// The last day on which it came into force.
fn since(report: &Report<'_>, one: &Instrument) -> String {
    use chancery_law::EventKind::{Effective, StayLifted};
    let events = one.events.iter().filter(|event| event.on <= report.site.on);
    let mut began = events.filter(|event| matches!(event.kind, Effective | StayLifted));
    began
        .next_back()
        .map(|event| day(event.on))
        .unwrap_or_default()
}

fn happened(one: &Instrument) -> String {
    let events = one.events.iter();
    let events: Vec<String> = events
        .map(|event| format!("{} {}", event.kind.as_str(), day(event.on)))
        .collect();
    events.join(", ")
}

fn sign_off(report: &Report<'_>, one: &Instrument) -> &'static str {
    if report.site.standing.is_demonstration() {
        return "none: a demonstration";
    }
    match report.site.standing.state(&one.id) {
        State::Signed => "signed by two people",
        State::Unsigned => "not signed",
        State::SinglySigned => "signed by one person",
        State::Tampered => "changed since it was signed",
        State::Revoked => "withdrawn",
        State::Expired => "lapsed",
        State::Suspended => "suspended",
    }
}

fn readings(instruments: &[&Instrument]) -> Markup {
    let with: Vec<&&Instrument> = instruments
        .iter()
        .filter(|one| !one.interpretations.is_empty())
        .collect();
    html! {
        @if !with.is_empty() {
            section aria-labelledby="readings" {
                h2 id="readings" { "Readings that a lawyer could contest" }
                p { "Where a text can be read in more than one way, this is how it is read here, what else it could \
                     mean, and what the choice does." }
                @for one in with {
                    details {
                        summary { strong { (one.short) } " – " (counted(one.interpretations.len() as u64, "reading")) }
                        dl class="readings" { @for reading in &one.interpretations {
                            dt { (quoted(&reading.question)) }
                            dd {
                                p { (quoted(&reading.reading)) }
                                @if !reading.alternatives.is_empty() {
                                    p class="soft" { "It could also mean:" }
                                    ul class="soft" { @for other in &reading.alternatives { li { (quoted(other)) } } }
                                }
                                p class="soft" { "Effect: " (quoted(&reading.effect)) }
                            }
                        } }
                    }
                }
            }
        }
    }
}
