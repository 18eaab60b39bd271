//! How anybody can check what the report says.

use maud::{Markup, html};

use super::Report;
use super::page::{number, page as framed};

pub(super) fn page(report: &Report<'_>) -> String {
    let lead = html! {
        p { "You need not believe this report. Every figure in it rests on entries of a public ledger, which nobody can \
             change afterwards without being found out." }
    };
    let body = html! {
        (ledger(report))
        (steps())
        (keys(report))
    };
    framed(report, "check.html", "Check it yourself", &lead, &body)
}

fn ledger(report: &Report<'_>) -> Markup {
    let ledger = &report.site.sources.facts.ledger;
    html! {
        section aria-labelledby="ledger" {
            h2 id="ledger" { "The ledger" }
            dl class="facts" {
                dt { "Name" } dd { code { (ledger.name) } }
                dt { "Address" }
                dd {
                    @match report.site.ledger_url {
                        Some(url) if url.starts_with("https://") => a href=(url) { (url) },
                        Some(url) => code { (url) },
                        None => "Ask the custodian: it is not published at an address of its own.",
                    }
                }
                dt { "Entries" } dd { (number(ledger.size)) " when this report was made" }
                dt { "Root" } dd { code { (ledger.root.to_string()) } }
            }
        }
    }
}

fn steps() -> Markup {
    html! {
        section aria-labelledby="steps" {
            h2 id="steps" { "Four ways to check" }
            ol {
                li { strong { "A receipt. " } "Each release has one. "
                     a href="verify.html" { "The verifier" }
                     " checks it in your browser, and sends nothing anywhere." }
                li { strong { "The whole ledger. " } "It is plain files, as described at "
                     a href="https://c2sp.org/tlog-tiles" { "c2sp.org/tlog-tiles" }
                     ". Its size and root above must be those of a signed checkpoint." }
                li { strong { "A figure. " } "The tables name the entries that a figure rests on. Read these entries: \
                     each names the day, the recipient, the purpose, and the digest of the signed manifest." }
                li { strong { "Over time. " } "Keep the root above. Every later state of the ledger must continue it." }
            }
        }
    }
}

fn keys(report: &Report<'_>) -> Markup {
    let ledger = &report.site.sources.facts.ledger;
    html! {
        section aria-labelledby="keys" {
            h2 id="keys" { "The keys" }
            p { "Compare them with what you know from elsewhere, such as a court’s file: keys that come with a report prove \
                 nothing by themselves." }
            h3 { "The ledger’s " a href="ledger.vkey" { "(ledger.vkey)" } }
            @for key in ledger.keys.lines() { p { code class="key" { (shortened(key)) } } }
            h3 { "The custodian’s, for manifests " a href="custodian.vkey" { "(custodian.vkey)" } }
            p { code class="key" { (shortened(&ledger.custodian_key)) } }
        }
    }
}

/// The key's name and id; the rest of a long key is in the file.
fn shortened(key: &str) -> String {
    const MOST: usize = 120;
    match key.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", key.get(..end).unwrap_or_default()),
        None => key.to_owned(),
    }
}
