//! A review as one page without anything from elsewhere, which prints well.

use chancery_law::review::{Barred, Basis, Case, Finding, Review, Reviewed, Severity, Who};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::super::Result;
use super::{ends, example, findings, instruments, inventory, outcome, span, standing, tally};
use crate::text;

const STYLE: &str = include_str!("review.css");

/// The page.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every form of a review is made by a function of this shape"
)]
pub(super) fn page(review: &Review) -> Result<String> {
    let title = format!("Review of agreements, {}", text::day(review.on));
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
                            }
                        }
                    }
                }
            }
        }
    }
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
            @else { ol class="findings" { @for finding in &reviewed.findings { (found(finding)) } } }
            @if !reviewed.overlaps.is_empty() { (overlaps(&reviewed.overlaps)) }
            @if !reviewed.unpermitted.is_empty() { (needs(&reviewed.unpermitted)) }
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
        @for group in who {
            p {
                @if group.people == "always" { "everyone" }
                @else { "those where " (shown(&group.people)) }
                @if group.origins.is_empty() { ", every origin" }
                @else { ", origins " (shown(&group.origins.join(" "))) }
            }
        }
    }
}

/// The cells that a set of disclosures has in either table.
fn disclosures(case: &Case) -> Markup {
    html! {
        td class="day" {
            @match case.basis {
                Basis::IfRenewed => { (span(case).replace(" if renewed", "")) br; "if renewed" }
                Basis::Stated | Basis::Timeline => { (span(case)) }
            }
        }
        td { (chips(&case.elements)) }
        td {
            (people(&case.who))
            p class="soft" {
                (shown(&case.custodians.join(", "))) " to " (shown(&case.recipients.join(", ")))
                " for " (shown(&case.purposes.join(", ")))
            }
            p class="example" { "For example: " (shown(&example(case))) "." }
        }
    }
}

fn overlaps(barred: &[Barred]) -> Markup {
    html! {
        h3 { "What it purports to allow and the law bars" }
        table {
            caption { "Enumerated over every element, purpose, day and combination of attribute values" }
            thead { tr {
                th scope="col" { "Barred by" } th scope="col" { "Days" }
                th scope="col" { "Elements" } th scope="col" { "Whose, and between whom" }
            } }
            tbody {
                @for barred in barred {
                    tr {
                        th scope="row" {
                            (shown(&barred.short))
                            @for cited in &barred.provisions { p class="soft" { (shown(&cited.clause)) } }
                        }
                        (disclosures(&barred.case))
                    }
                }
            }
        }
    }
}

fn needs(cases: &[Case]) -> Markup {
    html! {
        h3 { "What it needs and nothing permits" }
        table {
            caption { "Nothing bars it, and nothing lets it go either" }
            thead { tr {
                th scope="col" { "Days" } th scope="col" { "Elements" }
                th scope="col" { "Whose, and between whom" }
            } }
            tbody { @for case in cases { tr { (disclosures(case)) } } }
        }
    }
}

fn checks(reviewed: &Reviewed) -> Markup {
    html! {
        h3 { "Every rule" }
        table {
            caption { "What came of each rule" }
            thead { tr {
                th scope="col" { "Clause" } th scope="col" { "Rule" } th scope="col" { "Outcome" }
            } }
            tbody {
                @for check in &reviewed.checks {
                    @let words = outcome(check.outcome);
                    tr {
                        td { (check.rule.clause) }
                        td { (check.rule.title) }
                        td class={ "outcome-" (words.replace(' ', "-")) } { (words) }
                    }
                }
            }
        }
    }
}
