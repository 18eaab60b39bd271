//! A review as OSCAL assessment results (NIST, version 1.1): one result for each instrument, one
//! finding for each rule that applies, one observation for each thing that is wrong.
//!
//! Every identifier follows from content, so that the same review gives the same bytes.

use chancery_law::review::{Check, Finding, Outcome, Review, Reviewed, Rule};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::super::{Result, json as indented};
use super::{AS_IF_SIGNED, clauses, disclosures, findings, permits, signed, span, tally};
use crate::text;

/// The version of OSCAL that is written.
const VERSION: &str = "1.1.3";
/// The namespace of properties that OSCAL does not define.
const NAMESPACE: &str = "urn:chancery:law-review";

/// The assessment results of a review.
pub(super) fn results(review: &Review) -> Result<String> {
    let at = format!("{}T00:00:00Z", review.on);
    let root = id(review, &["assessment-results"]);
    let plan = id(review, &["plan"]);
    let count = review.findings().count();
    let mut props = vec![
        property("law-pack", &review.pack),
        property("law-pack-digest", &review.digest),
        property("findings", &count.to_string()),
    ];
    props.extend(
        review
            .as_known
            .map(|known| property("as-known", &known.to_string())),
    );
    let report = json!({
        "assessment-results": {
            "uuid": root,
            "metadata": {
                "title": format!("Review of agreements: {}", review.title),
                "last-modified": at,
                "version": format!("{} {}", review.version, review.on),
                "oscal-version": VERSION,
                "props": props,
                // The rules are cited, so that no resource is without a reference.
                "links": [{ "href": format!("#{plan}"), "rel": "reference" }],
                "remarks": remarks(review),
            },
            "import-ap": { "href": format!("#{plan}") },
            "local-definitions": {
                "objectives-and-methods": Rule::ALL.iter().map(objective).collect::<Vec<_>>(),
            },
            "results": review.agreements.iter()
                .map(|reviewed| result(review, reviewed, &at))
                .collect::<Vec<_>>(),
            "back-matter": { "resources": resources(review, &plan) },
        }
    });
    Ok(text::ascii_json(&indented(&report)?))
}

/// What a reader has to know of the whole review.
fn remarks(review: &Review) -> String {
    match review.as_known {
        Some(known) => format!("{AS_IF_SIGNED} Only what had been recorded by {known} counts."),
        None => AS_IF_SIGNED.to_owned(),
    }
}

/// What a rule asks for.
fn objective(rule: &Rule) -> Value {
    json!({
        "control-id": rule.id,
        "description": rule.clause,
        "parts": [{
            "id": format!("{}_obj", rule.id), "name": "assessment-objective", "title": rule.clause,
            "prose": rule.title,
        }],
    })
}

fn result(review: &Review, reviewed: &Reviewed, at: &str) -> Value {
    let applied = |check: &&Check| check.outcome != Outcome::NotApplicable;
    let controls: Vec<Value> = reviewed
        .checks
        .iter()
        .filter(applied)
        .map(|check| json!({ "control-id": check.rule.id }))
        .collect();
    let mut props = vec![
        property("instrument", &reviewed.id),
        property("in-force", if reviewed.in_force { "yes" } else { "no" }),
        property("review-of-encoding", &reviewed.review),
    ];
    if reviewed.sign_off.is_some() {
        props.push(property("sign-off", &signed(reviewed)));
    }
    let resource = id(review, &["resource", &reviewed.id]);
    let mut result = json!({
        "uuid": id(review, &["result", &reviewed.id]),
        "title": reviewed.title,
        "description": format!(
            "{} ({}): {}, {}.",
            reviewed.citation,
            reviewed.kind,
            findings(reviewed.findings.len()),
            tally(reviewed.findings.iter())
        ),
        "start": at,
        "end": at,
        "props": props,
        "links": [{ "href": format!("#{resource}"), "rel": "reference" }],
        "remarks": AS_IF_SIGNED,
        "reviewed-controls": { "control-selections": [{ "include-controls": controls }] },
        "findings": reviewed.checks.iter().filter(applied)
            .map(|check| finding(review, reviewed, check))
            .collect::<Vec<_>>(),
    });
    let observations = observations(review, reviewed, at);
    // OSCAL has no empty lists.
    if let (false, Some(result)) = (observations.is_empty(), result.as_object_mut()) {
        result.insert("observations".to_owned(), observations.into());
    }
    result
}

/// What came of a rule.
fn finding(review: &Review, reviewed: &Reviewed, check: &Check) -> Value {
    let rule = check.rule;
    let own = reviewed.findings.iter().filter(|f| f.rule == rule.id);
    let own: Vec<&Finding> = own.collect();
    let state = match check.outcome {
        Outcome::Met | Outcome::NotApplicable => "satisfied",
        Outcome::NotMet => "not-satisfied",
    };
    let titles: Vec<&str> = own.iter().map(|finding| finding.title.as_str()).collect();
    let description = if titles.is_empty() {
        format!("Met: {}.", rule.title)
    } else {
        format!("{}.", titles.join("; "))
    };
    let mut value = json!({
        "uuid": id(review, &["finding", &reviewed.id, rule.id]),
        "title": format!("{}: {}", rule.clause, rule.title),
        "description": description,
        "target": {
            "type": "objective-id",
            "target-id": format!("{}_obj", rule.id),
            "status": { "state": state },
        },
    });
    let mut related: Vec<Value> = own
        .iter()
        .map(|finding| observation_of(review, &["observation", &finding.id]))
        .collect();
    related.extend(
        overlaps(reviewed)
            .filter(|(_, finding, _)| own.iter().any(|own| own.id == *finding))
            .map(|(at, _, _)| observation_of(review, &["overlap", &reviewed.id, &at.to_string()])),
    );
    if let (false, Some(value)) = (related.is_empty(), value.as_object_mut()) {
        value.insert("related-observations".to_owned(), related.into());
    }
    value
}

fn observation_of(review: &Review, parts: &[&str]) -> Value {
    json!({ "observation-uuid": id(review, parts) })
}

/// The overlaps, the needs and what goes beyond the document, with a number, the finding that each comes under, and its words.
fn overlaps(reviewed: &Reviewed) -> impl Iterator<Item = (usize, String, String)> + '_ {
    let barred = reviewed.overlaps.iter().map(|barred| {
        let words = format!(
            "Barred by {} ({}), {}: {}",
            barred.short,
            clauses(barred),
            span(&barred.case),
            disclosures(&barred.case)
        );
        (barred.finding.clone(), words)
    });
    let needs = reviewed.unpermitted.iter().map(|case| {
        let words = format!(
            "Permitted by nothing, {}: {}",
            span(case),
            disclosures(case)
        );
        (format!("{}#permitted", reviewed.id), words)
    });
    let beyond = reviewed.beyond.iter().map(|beyond| {
        let words = format!(
            "Let go by {} and not named, {}: {}",
            permits(beyond),
            span(&beyond.case),
            disclosures(&beyond.case)
        );
        (format!("{}#beyond-document", reviewed.id), words)
    });
    let all = barred.chain(needs).chain(beyond).enumerate();
    all.map(|(at, (finding, words))| (at, finding, words))
}

fn observations(review: &Review, reviewed: &Reviewed, at: &str) -> Vec<Value> {
    let evidence = json!([{
        "href": format!("#{}", id(review, &["resource", &reviewed.id])),
        "description": reviewed.citation,
    }]);
    let mut observations: Vec<Value> = reviewed
        .findings
        .iter()
        .map(|finding| {
            let mut props = vec![
                property("finding", &finding.id),
                property("severity", finding.severity.as_str()),
            ];
            props.extend(finding.place.iter().map(|place| property("place", place)));
            json!({
                "uuid": id(review, &["observation", &finding.id]),
                "title": finding.title,
                "description": format!("{}: {}", finding.clause, finding.explanation),
                "props": props,
                "methods": ["EXAMINE"],
                "types": ["finding"],
                "relevant-evidence": evidence,
                "collected": at,
                "remarks": format!("Cure: {}", finding.cure),
            })
        })
        .collect();
    observations.extend(overlaps(reviewed).map(|(number, finding, words)| {
        json!({
            "uuid": id(review, &["overlap", &reviewed.id, &number.to_string()]),
            "title": "Exactly what, whose and when",
            "description": words,
            "props": [property("finding", &finding)],
            "methods": ["EXAMINE"],
            "types": ["finding"],
            "relevant-evidence": evidence,
            "collected": at,
        })
    }));
    observations
}

fn resources(review: &Review, plan: &str) -> Vec<Value> {
    let mut resources = vec![json!({
        "uuid": plan,
        "title": "The rules of the review",
        "description": "The rules are the objectives of this document, held against the law pack named in \
                        its metadata.",
    })];
    resources.extend(review.agreements.iter().map(|reviewed| {
        json!({
            "uuid": id(review, &["resource", &reviewed.id]),
            "title": reviewed.title,
            "citation": { "text": reviewed.citation },
        })
    }));
    resources
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": name, "ns": NAMESPACE, "value": value.trim() })
}

/// An identifier that follows from content, of the form of RFC 9562 version 5 but by SHA-256.
fn id(review: &Review, parts: &[&str]) -> String {
    let day = review.on.to_string();
    let known = review.as_known.map(|known| known.to_string());
    let root = [NAMESPACE, review.digest.as_str(), day.as_str()];
    let root = root.into_iter().chain(known.as_deref());
    let mut hash = Sha256::new();
    for part in root.chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    // The digit of the variant is one of 8, 9, a and b.
    let variant = match part(16..17) {
        "0" | "4" | "8" | "c" => "8",
        "1" | "5" | "9" | "d" => "9",
        "2" | "6" | "a" | "e" => "a",
        _ => "b",
    };
    format!(
        "{}-{}-5{}-{variant}{}-{}",
        part(0..8),
        part(8..12),
        part(13..16),
        part(17..20),
        part(20..32)
    )
}
