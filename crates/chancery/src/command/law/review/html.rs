//! A review as one page without anything from elsewhere, which prints well.

use chancery_law::review::{
    Barred, Beyond, Case, Finding, Outcome, Review, Reviewed, Severity, Who,
};
use jiff::civil::Date;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::super::Result;
use super::{
    AS_IF_SIGNED, alike, apart, clauses, ends, example, findings, has_sign_offs, instruments,
    inventory, on_day, outcome, permits, signed, standing, tally,
};
use crate::text;

const STYLE: &str = include_str!("review.css");

/// The page.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every form of a review is made by a function of this shape"
)]
pub(super) fn page(review: &Review) -> Result<String> {
    let title = format!("Review of agreements, {}", on_day(review));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Nothing is loaded or run, whatever the law pack says.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (shown(&title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#main" { "To the review" }
                (head(review, &title))
                main id="main" {
                    (overlap_summary(review))
                    (summary(review))
                    (deadlines(review))
                    @for reviewed in &review.agreements { (one(reviewed)) }
                }
                footer {
                    p class="soft" {
                        "Made by chancery law review. The law pack's encoding is as reviewed as it says \
                         of each instrument; a finding is a reason to look, not a judgment."
                    }
                }
            }
        }
    };
    Ok(page.into_string())
}

/// Text of the law pack: control characters and marks of direction are shown, not obeyed.
fn shown(text: &str) -> String {
    text::safe(text)
}

fn head(review: &Review, title: &str) -> Markup {
    html! {
        header {
            h1 { (shown(title)) }
            p { (shown(&review.title)) }
            div class="facts" {
                span { "Law pack " strong { (shown(&review.pack)) " " (shown(&review.version)) } }
                span { "Reviewed " strong { (instruments(review.agreements.len())) } }
                span { (findings(review.findings().count())) ": " strong { (tally(review.findings())) } }
            }
            p { (AS_IF_SIGNED) }
            p class="soft" { "Digest " code { (shown(&review.digest)) } }
        }
    }
}

/// The id of an instrument's section.
fn anchor(id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("i-{}", id.chars().map(plain).collect::<String>())
}

fn summary(review: &Review) -> Markup {
    html! {
        section aria-labelledby="summary" {
            h2 id="summary" { "Inventory" }
            div class="scroll" tabindex="0" role="region" aria-labelledby="summary" {
                table {
                    caption { "Every agreement, notice and routine flow that was reviewed" }
                    thead { tr {
                        th scope="col" { "Instrument" } th scope="col" { "Kind" }
                        th scope="col" { "State" } th scope="col" { "Last day" }
                        th scope="col" { "Findings" }
                        @if has_sign_offs(review) { th scope="col" { "Sign-off" } }
                    } }
                    tbody {
                        @for reviewed in &review.agreements {
                            tr {
                                th scope="row" {
                                    a href={ "#" (anchor(&reviewed.id)) } { (shown(&reviewed.short)) }
                                }
                                td { (shown(&reviewed.kind)) }
                                td { (standing(reviewed)) }
                                td class="day" { (ends(reviewed)) }
                                td { (counts(reviewed)) }
                                @if has_sign_offs(review) { td { (signed(reviewed)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What documents purport to allow and the law bars, a row for each document and law.
fn overlap_summary(review: &Review) -> Markup {
    let overlapping: Vec<&Reviewed> = review
        .agreements
        .iter()
        .filter(|reviewed| !reviewed.overlaps.is_empty())
        .collect();
    html! {
        section aria-labelledby="overlaps" {
            h2 id="overlaps" { "Overlaps with the law" }
            @if overlapping.is_empty() { p class="clean" { "No document allows what the law bars." } }
            @else {
                div class="scroll" tabindex="0" role="region" aria-labelledby="overlaps" {
                    table {
                        caption { "What documents purport to allow and the law bars" }
                        thead { tr {
                            th scope="col" { "Instrument" } th scope="col" { "Barred by" }
                            th scope="col" { "Elements" } th scope="col" { "Days" }
                            th scope="col" { "Severity" }
                        } }
                        tbody {
                            @for reviewed in overlapping {
                                @for row in overlap_rows(reviewed) {
                                    tr {
                                        th scope="row" {
                                            a href={ "#" (anchor(&reviewed.id)) } { (shown(&reviewed.short)) }
                                        }
                                        td { (shown(row.by)) }
                                        td { (shown(&row.elements.join(", "))) }
                                        td class="day" {
                                            (super::first_day(row.from))
                                            @match row.until {
                                                Some(until) => { " to " (until) }
                                                None => { " on" }
                                            }
                                        }
                                        td { @if let Some(grave) = row.severity { (severity(grave)) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What one law bars of what a document allows, on the whole.
struct OverlapRow<'a> {
    by: &'a str,
    elements: Vec<String>,
    from: Date,
    until: Option<Date>,
    severity: Option<Severity>,
}

fn overlap_rows(reviewed: &Reviewed) -> Vec<OverlapRow<'_>> {
    let mut rows: Vec<(&str, OverlapRow<'_>)> = Vec::new();
    for barred in &reviewed.overlaps {
        let case = &barred.case;
        if let Some((_, row)) = rows.iter_mut().find(|(id, _)| *id == barred.instrument) {
            let more = case.elements.iter();
            let more = more.filter(|name| !row.elements.contains(name)).cloned();
            let more: Vec<String> = more.collect();
            row.elements.extend(more);
            row.from = row.from.min(case.from);
            row.until = match (row.until, case.until) {
                (Some(one), Some(other)) => Some(one.max(other)),
                _ => None,
            };
        } else {
            let mut findings = reviewed.findings.iter();
            let finding = findings.find(|finding| finding.id == barred.finding);
            rows.push((
                &barred.instrument,
                OverlapRow {
                    by: &barred.short,
                    elements: case.elements.clone(),
                    from: case.from,
                    until: case.until,
                    severity: finding.map(|finding| finding.severity),
                },
            ));
        }
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

fn counts(reviewed: &Reviewed) -> Markup {
    html! {
        @if reviewed.findings.is_empty() { span class="clean" { "none" } }
        @else { (tally(reviewed.findings.iter())) }
    }
}

fn deadlines(review: &Review) -> Markup {
    html! {
        section aria-labelledby="deadlines" {
            h3 id="deadlines" { "Deadlines" }
            @if review.deadlines.is_empty() { p { "None." } }
            @else {
                table {
                    caption { "Days on which something ends or must be done" }
                    thead { tr {
                        th scope="col" { "Day" } th scope="col" { "What" } th scope="col" { "More" }
                    } }
                    tbody {
                        @for deadline in &review.deadlines {
                            tr class=[(deadline.on < review.on).then_some("past")] {
                                td class="day" {
                                    (deadline.on)
                                    @if deadline.on < review.on { " (past)" }
                                }
                                td { (shown(&deadline.title)) }
                                td { (shown(&deadline.explanation)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn one(reviewed: &Reviewed) -> Markup {
    let id = anchor(&reviewed.id);
    let (stated, unstated) = apart(reviewed);
    html! {
        section class="one" aria-labelledby=(id) {
            h2 id=(id) { (shown(&reviewed.title)) }
            p { span class="id" { (shown(&reviewed.id)) } " · " (shown(&reviewed.citation)) }
            p class="soft" {
                (standing(reviewed)) " · encoding: " (shown(&reviewed.review))
            }
            @if let Some(terms) = &reviewed.terms {
                h3 { "What it says of itself" }
                dl {
                    @for (title, content) in inventory(terms) {
                        dt { (title) }
                        dd {
                            @if let [only] = content.as_slice() { (shown(only)) }
                            @else { ul { @for line in &content { li { (shown(line)) } } } }
                        }
                    }
                }
            }
            h3 { "Findings" }
            @if reviewed.findings.is_empty() { p class="clean" { "No findings." } }
            @else {
                ol class="findings" {
                    @for finding in &stated { (found(finding)) }
                    @for group in &unstated { (missing(group)) }
                }
            }
            @if !reviewed.overlaps.is_empty() { (overlaps(&reviewed.overlaps)) }
            @if !reviewed.unpermitted.is_empty() { (needs(&reviewed.unpermitted)) }
            @if !reviewed.beyond.is_empty() { (more(&reviewed.beyond)) }
            (checks(reviewed))
        }
    }
}

fn severity(severity: Severity) -> Markup {
    html! { span class={ "severity " (severity.as_str()) } { (severity.as_str()) } }
}

fn found(finding: &Finding) -> Markup {
    html! {
        li class=(finding.severity.as_str()) {
            h4 { (severity(finding.severity)) (shown(&finding.title)) }
            p class="soft" { (shown(&finding.clause)) }
            p { (shown(&finding.explanation)) }
            p { strong { "Cure: " } (shown(&finding.cure)) }
            p class="soft" {
                span class="id" { (shown(&finding.id)) }
                @if let Some(place) = &finding.place { " · " span class="id" { (shown(place)) } }
            }
        }
    }
}

fn chips(words: &[String]) -> Markup {
    html! { ul class="chips" { @for word in words { li { (shown(word)) } } } }
}

fn people(who: &[Who]) -> Markup {
    html! {
        @for group in who { p { (shown(&group.words())) } }
    }
}

/// What a set of disclosures is, topic by topic.
fn disclosures(case: &Case) -> Markup {
    html! {
        dt { "Elements" } dd { (chips(&case.elements)) }
        dt { "Whose" } dd { (people(&case.who)) }
        dt { "Between" }
        dd { (shown(&case.custodians.join(", "))) " and " (shown(&case.recipients.join(", "))) }
        dt { "For" } dd { (shown(&case.purposes_words)) }
        dt { "For example" } dd { (shown(&example(case))) }
    }
}

fn overlaps(barred: &[Barred]) -> Markup {
    html! {
        h3 { "What it purports to allow and the law bars" }
        p class="soft" { "Enumerated over every element, purpose, day and combination of attribute values." }
        ol class="cases" {
            @for group in alike(barred, |barred| &barred.case) {
                li {
                    h4 { (shown(&group.one.short)) span class="days" { (group.days()) } }
                    dl {
                        dt { "Clauses" } dd { (shown(&clauses(group.one))) }
                        (disclosures(group.case))
                    }
                }
            }
        }
    }
}

fn needs(cases: &[Case]) -> Markup {
    html! {
        h3 { "What it needs and nothing permits" }
        p class="soft" { "Nothing bars it, and nothing lets it go either." }
        ol class="cases" {
            @for group in alike(cases, |case| case) {
                li {
                    h4 { "Permitted by nothing" span class="days" { (group.days()) } }
                    dl { (disclosures(group.case)) }
                }
            }
        }
    }
}

fn more(beyond: &[Beyond]) -> Markup {
    html! {
        h3 { "What its own permits let go and it does not name" }
        ol class="cases" {
            @for group in alike(beyond, |beyond| &beyond.case) {
                li {
                    h4 { "Let go, not named" span class="days" { (group.days()) } }
                    dl {
                        dt { "Permits" } dd { (shown(&permits(group.one))) }
                        (disclosures(group.case))
                    }
                }
            }
        }
    }
}

/// Every rule by what came of it.
fn checks(reviewed: &Reviewed) -> Markup {
    let of = |wanted: Outcome| {
        let checks = reviewed.checks.iter();
        let checks = checks.filter(move |check| check.outcome == wanted);
        let words = checks.map(|check| format!("{} ({})", check.rule.title, check.rule.clause));
        words.collect::<Vec<_>>()
    };
    html! {
        h3 { "Every rule" }
        dl {
            @for wanted in [Outcome::Met, Outcome::NotMet, Outcome::NotApplicable] {
                @let rules = of(wanted);
                @if !rules.is_empty() {
                    dt { (outcome(wanted)) }
                    dd { (rules.join("; ")) }
                }
            }
        }
    }
}

fn missing(group: &[&Finding]) -> Markup {
    html! {
        @if let Some(first) = group.first() {
            li class=(first.severity.as_str()) {
                h4 { (severity(first.severity)) "not stated, " (group.len()) @if group.len() == 1 { " time" } @else { " times" } }
                table {
                    caption { (shown(&first.cure)) }
                    thead { tr { th scope="col" { "What" } th scope="col" { "Asked for by" } } }
                    tbody {
                        @for finding in group {
                            tr {
                                td { (shown(finding.not_stated.as_deref().unwrap_or_default())) }
                                td { (shown(&finding.clause)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
