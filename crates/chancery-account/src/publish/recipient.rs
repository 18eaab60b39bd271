//! A recipient's page.

use maud::{Markup, html};

use super::page::{amount, counted, day, entries, page as framed, stacked, table};
use super::{Link, Report};
use crate::filing::quoted;
use crate::tally::{Account, Afterwards, Group, Listed};

pub(super) fn page(report: &Report<'_>, link: &Link, account: &Account) -> String {
    let own = |listed: &&Listed| listed.recipient.agency == link.agency;
    let address = account.releases.iter().rfind(own);
    let address = address.and_then(|listed| listed.recipient.address.as_deref());
    let within = account.releases.iter().any(|listed| !own(&listed));
    let lead = html! {
        @if let Some(address) = address { p { (address) } }
        p { (counted(account.releases.len() as u64, "release")) ", "
            (amount(account.total.disclosures.count)) " disclosures of one person each, and "
            (counted(account.refused.len() as u64, "refused request")) "."
            @if within { " Agencies within it are counted with it." } }
    };
    let body = html! {
        (releases(report, account))
        (groups("items", "What kind of information", super::ITEMS, "Item", &account.by_element, &|key| report.element(key)))
        (groups("kinds", "The same people’s items together", "How many people’s records held rows of which items", "Items", &account.by_class, &|key| report.class(key)))
        (groups("origins", "Where the records come from", "People by the state or territory that submitted the records", "Origin", &account.by_origin, &|key| origin(report, key)))
        (readings(account))
    };
    framed(report, &link.file, &link.name, &lead, &body)
}

/// The name of an origin, where an instrument gives one.
fn origin(report: &Report<'_>, code: &str) -> String {
    let parties = report
        .law()
        .instruments()
        .iter()
        .flat_map(|one| &one.parties);
    let mut named = parties.filter(|party| party.origin == code);
    named
        .next()
        .map_or_else(|| code.to_owned(), |party| party.name.clone())
}

fn releases(report: &Report<'_>, account: &Account) -> Markup {
    let any_since = account
        .releases
        .iter()
        .any(|listed| !since(listed).is_empty());
    let mut heads = vec!["Day", "For", "People", "Let go by", "Held back in part by"];
    if any_since {
        heads.push("Since then");
    }
    heads.push("Ledger entry");
    let row = |listed: &Listed| {
        let mut row = vec![
            html! { (day(listed.on)) },
            html! { (report.purpose(&listed.purpose)) },
            html! { (amount(listed.people)) },
            html! { (report.shorts(&listed.permitted_by).join("; ")) },
            html! { (report.shorts(&listed.barred_by).join("; ")) },
        ];
        if any_since {
            row.push(html! { (since(listed)) });
        }
        row.push(html! { (listed.entry) " " code { (listed.id) } });
        row
    };
    let rows: Vec<Vec<Markup>> = account.releases.iter().map(row).collect();
    html! {
        section aria-labelledby="releases" {
            h2 id="releases" { "Each release" }
            (stacked("releases-table", "Every release, in the order of the ledger", &heads, &rows))
        }
    }
}

fn since(listed: &Listed) -> String {
    let words = |one: &Afterwards| {
        let what = match one.kind {
            "recall" => "recalled",
            "destruction" => "certified as destroyed",
            _ => "use stated",
        };
        format!("{what} {} (entry {})", day(one.recorded), one.entry)
    };
    let all: Vec<String> = listed.afterwards.iter().map(words).collect();
    all.join("; ")
}

fn groups(
    id: &str,
    title: &str,
    caption: &str,
    header: &str,
    groups: &[Group],
    name: &dyn Fn(&str) -> String,
) -> Markup {
    let mut named: Vec<(String, &Group)> = groups.iter().map(|g| (name(&g.key), g)).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let head = html! {
        th scope="col" { (header) } th scope="col" class="n" { "Releases" } th scope="col" class="n" { "People" }
    };
    let rows = html! {
        @for (title, group) in &named {
            tr {
                th scope="row" { (title) }
                td class="n" { (amount(group.releases.count)) }
                td class="n" { (amount(group.disclosures.count)) }
            }
        }
    };
    html! {
        @if !groups.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (title) }
                (table(&format!("{id}-table"), caption, &head, &rows))
            }
        }
    }
}

fn readings(account: &Account) -> Markup {
    html! {
        @if !account.interpretations.is_empty() {
            section aria-labelledby="readings" {
                h2 id="readings" { "Readings of the law relied on" }
                p { "A lawyer could contest each of these." }
                dl class="readings" { @for relied in &account.interpretations {
                    dt { (quoted(&relied.question)) }
                    dd { (quoted(&relied.reading)) " " span class="soft" { @if relied.releases.entries.len() == 1 { "Release: entry " } @else { "Releases: entries " }
                        (entries(&relied.releases.entries)) "." } }
                } }
            }
        }
    }
}
