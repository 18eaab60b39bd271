//! What was asked for and refused.

use maud::{Markup, html};

use super::Report;
use super::page::{counted, day, page as framed, stacked, table};
use crate::tally::Refused;

pub(super) fn page(report: &Report<'_>) -> String {
    let refused = &report.all.refused;
    let lead = html! {
        p { (counted(refused.len() as u64, "request")) @if refused.len() == 1 { " was" } @else { " were" }
            " refused because nothing of what was asked for may lawfully leave. "
            "Other requests were answered in part: what is not lawful was left out." }
    };
    let heads = ["Day", "Who asked", "For", "Barred by", "Ledger entry"];
    let row = |one: &Refused| {
        vec![
            html! { (day(one.on)) },
            html! { (report.law().vocabulary().agency_name(&one.recipient)) },
            html! { (report.purpose(&one.purpose)) },
            html! { (barred_by(report, one)) },
            html! { (one.entry) },
        ]
    };
    let rows: Vec<Vec<Markup>> = refused.iter().map(row).collect();
    let body = html! {
        @if refused.is_empty() { p { "No request was refused." } }
        @else { (stacked("refused-table", "Every refused request, in the order of the ledger", &heads, &rows)) }
        (aborted(report))
    };
    framed(
        report,
        "refused.html",
        "What was asked for and refused",
        &lead,
        &body,
    )
}

fn barred_by(report: &Report<'_>, one: &Refused) -> String {
    match &one.barred_by {
        None => "decided under an earlier edition of the law".to_owned(),
        Some(none) if none.is_empty() => "nothing permits it".to_owned(),
        Some(provisions) => report.shorts(provisions).join("; "),
    }
}

fn aborted(report: &Report<'_>) -> Markup {
    let head = html! { th scope="col" { "Recorded" } th scope="col" { "Why nothing left" } th scope="col" { "Ledger entry" } };
    let rows = html! {
        @for one in &report.all.aborted {
            tr { th scope="row" { (day(one.recorded)) } td { (one.reason) } td { (one.entry) } }
        }
    };
    html! {
        @if !report.all.aborted.is_empty() {
            section aria-labelledby="aborted" {
                h2 id="aborted" { "What was begun and did not leave" }
                (table("aborted-table", "Releases that were given up", &head, &rows))
            }
        }
    }
}
