//! What was asked for and refused.

use maud::{Markup, html};

use super::Report;
use super::page::{counted, day, page as framed, table};
use crate::tally::Refused;

pub(super) fn page(report: &Report<'_>) -> String {
    let refused = &report.all.refused;
    let lead = html! {
        p { (counted(refused.len() as u64, "request")) @if refused.len() == 1 { " was" } @else { " were" }
            " refused because nothing of what was asked for may lawfully leave. "
            "Other requests were answered in part: what is not lawful was left out." }
    };
    let head = html! {
        th scope="col" { "Day" } th scope="col" { "Who asked" } th scope="col" { "For" }
        th scope="col" { "Barred by" } th scope="col" { "Ledger entry" }
    };
    let rows = html! {
        @for one in refused {
            tr {
                th scope="row" class="day" { (day(one.on)) }
                td { (report.law().vocabulary().agency_name(&one.recipient)) }
                td { (report.purpose(&one.purpose)) }
                td { (barred_by(report, one)) }
                td { (one.entry) }
            }
        }
    };
    let body = html! {
        @if refused.is_empty() { p { "No request was refused." } }
        @else { (table("refused-table", "Every refused request, in the order of the ledger", &head, &rows)) }
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
            tr { th scope="row" class="day" { (day(one.recorded)) } td { (one.reason) } td { (one.entry) } }
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
