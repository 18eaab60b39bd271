//! What every page has.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Report;
use crate::amount::Amount;
use crate::facts::Gap;

const STYLE: &str = include_str!("style.css");

/// The pages of the menu.
const MENU: [(&str, &str); 4] = [
    ("index.html", "What left"),
    ("refused.html", "What was refused"),
    ("law.html", "The law"),
    ("check.html", "Check it yourself"),
];

/// A page: its file, its title, the words below the title, and the rest.
pub(super) fn page(
    report: &Report<'_>,
    file: &str,
    title: &str,
    lead: &Markup,
    body: &Markup,
) -> String {
    let root = "../".repeat(file.matches('/').count());
    let name = &report.site.sources.facts.ledger.name;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Nothing is loaded or run.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
                meta name="referrer" content="no-referrer";
                title { (title) " – " (name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#main" { "Skip to the content" }
                header {
                    div class="wide" {
                        p class="site" { a href={ (root) "index.html" } { "Register of disclosures" } }
                        nav aria-label="Pages" {
                            ul { @for (target, words) in MENU {
                                li {
                                    @if target == file { a href={ (root) (target) } aria-current="page" { (words) } }
                                    @else { a href={ (root) (target) } { (words) } }
                                }
                            } }
                        }
                    }
                }
                main id="main" tabindex="-1" {
                    @if report.site.demonstration {
                        p class="notice" { strong { "A demonstration." } " Nobody in it is real." }
                    }
                    h1 { (title) }
                    div class="lead" { (lead) }
                    @if !report.gaps.is_empty() { (gaps(&report.gaps)) }
                    (body)
                }
                footer {
                    div class="wide" {
                        p { "Ledger " code { (name) } ", " (number(report.all.ledger_size)) " entries. "
                            "As of " (day(report.site.on)) "." }
                        p { (SUPPRESSED) }
                    }
                }
            }
        }
    };
    page.into_string()
}

pub(super) const SUPPRESSED: &str = "People are counted once for each release that they were in. Counts \
    from 1 to 10 people are suppressed, and so are counts from which one could be worked out (CMS cell \
    size suppression policy). Sums with a suppressed part say “at least”.";

fn gaps(gaps: &[Gap]) -> Markup {
    html! {
        section class="notice" aria-labelledby="incomplete" {
            h2 id="incomplete" { "This report is incomplete" }
            p { "Something that it needs was not there when it was made. The sums that lack it say “at least” or “not known”." }
            ul { @for gap in gaps {
                li { "Entry " (gap.entry) @if let Some(release) = &gap.release { ", release " code { (release) } } ": " (gap.problem) "." }
            } }
        }
    }
}

/// A table that scrolls by itself where it is too wide, by keyboard as well.
pub(super) fn table(id: &str, caption: &str, head: &Markup, rows: &Markup) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-labelledby=(id) {
            table {
                caption id=(id) { (caption) }
                thead { tr { (head) } }
                tbody { (rows) }
            }
        }
    }
}

/// A table whose rows stand below one another on a narrow screen, each cell behind its heading; the
/// first cell of a row is its heading. Its roles are said, as such a screen shows no table.
pub(super) fn stacked(id: &str, caption: &str, heads: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        table class="stack" role="table" aria-labelledby=(id) {
            caption id=(id) { (caption) }
            thead role="rowgroup" { tr role="row" {
                @for head in heads { th scope="col" role="columnheader" class=[number_class(head)] { (head) } }
            } }
            tbody role="rowgroup" {
                @for row in rows {
                    tr role="row" {
                        @for (at, (head, cell)) in heads.iter().zip(row).enumerate() {
                            @if at == 0 { th scope="row" role="rowheader" { (cell) } }
                            @else { td role="cell" data-label=(head) class=[number_class(head)] { span { (cell) } } }
                        }
                    }
                }
            }
        }
    }
}

/// Numbers stand to the right.
fn number_class(head: &str) -> Option<&'static str> {
    (head == "People").then_some("n")
}

/// An amount in words.
pub(super) fn amount(amount: Amount) -> String {
    match amount {
        Amount::Exactly(count) => number(count),
        Amount::AtLeast(count) => format!("at least {}", number(count)),
        Amount::Suppressed => "suppressed".to_owned(),
        Amount::Unknown => "not known".to_owned(),
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12 January 2026`.
pub(super) fn day(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}

/// `Jan 2026` out of `2026-01`.
pub(super) fn month(month: &str) -> String {
    let first: Option<Date> = format!("{month}-01").parse().ok();
    first.map_or_else(|| month.to_owned(), |day| day.strftime("%b %Y").to_string())
}

/// The entries that prove something: `3, 7–9`.
pub(super) fn entries(entries: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for entry in entries {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *entry => *last = *entry,
            _ => runs.push((*entry, *entry)),
        }
    }
    let run = |(first, last): (u64, u64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    runs.into_iter().map(run).collect::<Vec<_>>().join(", ")
}

/// `birth_date` as `birth date`.
pub(super) fn words(name: &str) -> String {
    name.replace(['-', '_'], " ")
}

/// With a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(rest).collect()
    })
}

/// `1 release`, `2 releases`.
pub(super) fn counted(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {what}{s}", number(count))
}

/// Every month from the first to the last: `2026-01`.
pub(super) fn months<'a>(known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let first = |month: &str| format!("{month}-01").parse::<Date>().ok();
    let known: BTreeSet<Date> = known.filter_map(first).collect();
    let (Some(from), Some(to)) = (known.first(), known.last()) else {
        return Vec::new();
    };
    let all = from.series(1.month()).take_while(|day| day <= to);
    all.map(|day| day.strftime("%Y-%m").to_string()).collect()
}
