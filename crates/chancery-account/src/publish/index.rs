//! What left, to whom, under what.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::page::{amount, entries, month, months, number, page as framed, table};
use super::{Link, Report, chart};
use crate::amount::Amount;
use crate::tally::Group;

pub(super) fn page(report: &Report<'_>) -> String {
    let lead = html! {
        p { "Records about people left this custodian only through a gate that decides, person by person and \
             item by item, what the law of the day allows. This is what left, to whom, and under what." }
    };
    let body = html! {
        (figures(report))
        (recipients(report))
        (over_time(report))
        (instruments(report))
        (data())
    };
    framed(
        report,
        "index.html",
        "What left, to whom, under what",
        &lead,
        &body,
    )
}

fn figures(report: &Report<'_>) -> Markup {
    let all = &report.all;
    html! {
        dl class="figures" {
            div { dt { "Releases" } dd { (amount(all.total.releases.count)) } }
            div { dt { "Disclosures: people, once for each release" } dd { (amount(all.total.disclosures.count)) } }
            div { dt { "Recipients" } dd { (number(report.recipients.len() as u64)) } }
            div { dt { "Requests refused" } dd { (number(all.refused.len() as u64)) } }
        }
    }
}

fn recipients(report: &Report<'_>) -> Markup {
    let head = html! {
        th scope="col" { "Recipient" }
        th scope="col" class="n" { "Releases" } th scope="col" class="n" { "People" }
    };
    let rows = html! {
        @for (link, group) in report.recipients.iter().zip(&report.all.by_recipient) {
            tr {
                th scope="row" { a href=(link.file) { (link.name) } br; span class="soft cite" { (purposes(report, link)) } }
                td class="n" { (amount(group.releases.count)) }
                td class="n" { (amount(group.disclosures.count)) }
            }
        }
    };
    html! {
        section aria-labelledby="recipients" {
            h2 id="recipients" { "Who received records" }
            @if report.recipients.is_empty() { p { "Nobody has received records." } }
            @else { (table("recipients-table", "Each recipient, with what it asked for records for", &head, &rows)) }
        }
    }
}

fn purposes(report: &Report<'_>, link: &Link) -> String {
    let releases = report.all.releases.iter();
    let own = releases.filter(|listed| listed.recipient.agency == link.agency);
    let purposes: BTreeSet<&str> = own.map(|listed| report.purpose(&listed.purpose)).collect();
    purposes.into_iter().collect::<Vec<_>>().join("; ")
}

fn over_time(report: &Report<'_>) -> Markup {
    let mut refused: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for one in &report.all.refused {
        let month = one.on.strftime("%Y-%m").to_string();
        refused.entry(month).or_default().insert(one.entry);
    }
    let left: BTreeMap<&str, &Group> = report
        .all
        .by_month
        .iter()
        .map(|group| (group.key.as_str(), group))
        .collect();
    let known = left
        .keys()
        .copied()
        .chain(refused.keys().map(String::as_str));
    let months = months(known);
    let released = |key: &str| {
        left.get(key)
            .map_or(Amount::Exactly(0), |g| g.releases.count)
    };
    let people = |key: &str| {
        left.get(key)
            .map_or(Amount::Exactly(0), |g| g.disclosures.count)
    };
    let refusals = |key: &str| refused.get(key).map_or(0, |all| all.len() as u64);
    let proven = |key: &str| {
        let mut all = refused.get(key).cloned().unwrap_or_default();
        all.extend(
            left.get(key)
                .into_iter()
                .flat_map(|g| &g.disclosures.entries),
        );
        entries(&all.into_iter().collect::<Vec<_>>())
    };
    let head = html! {
        th scope="col" { "Month" } th scope="col" class="n" { "Releases" } th scope="col" class="n" { "People" }
        th scope="col" class="n" { "Refused" } th scope="col" class="n" { "Entries" }
    };
    let rows = html! {
        @for key in &months {
            tr {
                th scope="row" class="month" { (month(key)) }
                td class="n" { (amount(released(key))) }
                td class="n" { (amount(people(key))) }
                td class="n" { (number(refusals(key))) }
                td class="n entries" { (proven(key)) }
            }
        }
    };
    let bars: Vec<(String, Amount)> = months.iter().map(|key| (month(key), people(key))).collect();
    html! {
        section aria-labelledby="time" {
            h2 id="time" { "Over time" }
            @if months.is_empty() { p { "Nothing has left, and nothing was refused." } }
            @else {
                (chart::bars("Disclosures by month", &bars))
                (table("time-table", "Month by month, with the entries of releases and refusals in the ledger", &head, &rows))
            }
        }
    }
}

fn instruments(report: &Report<'_>) -> Markup {
    let head = html! {
        th scope="col" { "Law or agreement" } th scope="col" class="n" { "Releases" } th scope="col" class="n" { "People" }
    };
    let rows = |groups: &[Group]| {
        html! { @for group in groups {
            tr {
                th scope="row" { (report.short(&group.key)) }
                td class="n" { (amount(group.releases.count)) }
                td class="n" { (amount(group.disclosures.count)) }
            }
        } }
    };
    let element_head = html! {
        th scope="col" { "Item" } th scope="col" class="n" { "Releases" } th scope="col" class="n" { "People" }
    };
    let mut elements: Vec<(String, &Group)> = report
        .all
        .by_element
        .iter()
        .map(|group| (report.element(&group.key), group))
        .collect();
    elements.sort_by(|a, b| a.0.cmp(&b.0));
    let element_rows = html! { @for (title, group) in &elements {
        tr {
            th scope="row" { (title) }
            td class="n" { (amount(group.releases.count)) }
            td class="n" { (amount(group.disclosures.count)) }
        }
    } };
    let (permits, bars) = (
        &report.all.by_permitting_instrument,
        &report.all.by_barring_instrument,
    );
    html! {
        @if !permits.is_empty() {
            section aria-labelledby="under" {
                h2 id="under" { "Under what" }
                (table("permits-table", "What let it go", &head, &rows(permits)))
                @if !bars.is_empty() {
                    (table("bars-table", "What held other items about the same people back", &head, &rows(bars)))
                }
                p { a href="law.html" { "The law in force, and how far it has been reviewed" } }
            }
        }
        @if !report.all.by_element.is_empty() {
            section aria-labelledby="items" {
                h2 id="items" { "What kind of information" }
                (table("items-table", super::ITEMS, &element_head, &element_rows))
            }
        }
    }
}

fn data() -> Markup {
    html! {
        section aria-labelledby="data" {
            h2 id="data" { "The same as data" }
            p { "The figures of this report, each with the entries that prove it: "
                a href="account.json" { "account.json" } "." }
        }
    }
}
