//! Agreements held against the law: what the shipped ones are found to have, that a clean one has
//! nothing, and each rule on both sides of its line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use chancery_law::enumerate::People;
use chancery_law::review::{Asked, Basis, Outcome, Reliance, Review, Reviewed, Rule, Severity};
use chancery_law::{Effect, ElementRuling, Error, LawPack, Query, SignOff};
use chancery_model::{Fault, Predicate};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use crate::pack::{load, shipped, shipped_files};

const JULY: &str = "us/hhs/cms-ice-exchange-agreement-2025-07";
const NOTICE: &str = "us/fr/90-53324";
const CLEAN: &str = "us/test/clean";
const FOLDER: &str = "instruments/clean";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A matching agreement with Social Security that says everything, for exactly 18 months.
const TERMS: &str = r#"
read = "in full"
label = "S"

[matching]
program = "yes"

[[party]]
agency = "hhs/cms"
role = "custodian"
[[party.signatory]]
name = "A. Example"
title = "Administrator"
on = "2025-06-01"

[[party]]
agency = "ssa"
role = "recipient"

[[authority]]
citation = "42 U.S.C. § 1320b-7(a)"

[[purpose]]
words = "verifying what decides eligibility"
purpose = "program-administration/eligibility"

[[list]]
name = "Attachment A"
of = "what SSA is given"
[[list.item]]
words = "name"
elements = ["name"]
[[list.item]]
words = "date of birth"
elements = ["birth_date"]
[[list.item]]
words = "Social Security number"
elements = ["ssn"]

[people]
words = "Everyone."

[records]
number = 78000000

[term]
signed = "2025-06-01"
from = "2025-07-01"
until = "2026-12-31"

[says]
justification = { at = "II", words = "Savings." }
notice = { words = "On the application." }
verification = { words = "Before any benefit is stopped." }
retention = { words = "Ninety days." }
security = { words = "Encrypted." }
redisclosure = { words = "None." }
use-and-return = { words = "Destroyed." }
accuracy = { words = "Assessed in 2024." }
gao-access = { words = "May see everything." }
"#;

fn instrument(id: &str, kind: &str, events: &str) -> String {
    let text = "A test.";
    let digest: String = Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "id = \"{id}\"\ntitle = \"Clean\"\nshort = \"Clean\"\nkind = \"{kind}\"\n\
         citation = \"None\"\njurisdiction = \"Test\"\nreview = \"unverified sample\"\n\
         [source]\nname = \"test\"\nlabel = \"S\"\ntext = \"{text}\"\ndigest = \"sha256:{digest}\"\n\
         {events}"
    )
}

const EVENTS: &str = "[[event]]\non = \"2025-07-01\"\nkind = \"effective\"\n\
                      [[event]]\non = \"2026-12-31\"\nkind = \"expired\"\n";
/// The routine flow that calls for the clean agreement.
const FLOW: &str = "instruments/routine-ssa-eligibility/agreement.toml";

/// An agreement's folder, without its terms.
fn add(files: &mut BTreeMap<String, String>, folder: &str, id: &str, events: &str) {
    let toml = instrument(id, "agreement", events);
    files.insert(format!("{folder}/instrument.toml"), toml);
    files.insert(
        format!("{folder}/provisions.cedar"),
        "// None.\n".to_owned(),
    );
}

fn files(terms: &str) -> BTreeMap<String, String> {
    let mut files = shipped_files();
    add(&mut files, FOLDER, CLEAN, EVENTS);
    files.insert(format!("{FOLDER}/agreement.toml"), terms.to_owned());
    files
}

fn of(review: &Review, id: &str) -> Found {
    let one = review.agreements.iter().find(|one| one.id == id).unwrap();
    let findings = one.findings.iter();
    findings.map(|f| (f.rule, f.severity)).collect()
}

type Found = Vec<(&'static str, Severity)>;

/// A shipped pack with an agreement for each of these terms and events.
fn pack_of(cases: &[(String, String)]) -> LawPack {
    let mut files = shipped_files();
    for (at, (terms, events)) in cases.iter().enumerate() {
        let folder = format!("{FOLDER}-{at}");
        add(&mut files, &folder, &format!("{CLEAN}-{at}"), events);
        files.insert(format!("{folder}/agreement.toml"), terms.clone());
    }
    load(files).unwrap()
}

/// The rules of which each has findings, of these alone.
fn found_in(pack: &LawPack, cases: usize, on: &str) -> Vec<Found> {
    let ids = (0..cases).map(|at| format!("{CLEAN}-{at}"));
    let asked = Asked {
        only: ids.clone().collect(),
        ..Asked::on(day(on))
    };
    let review = pack.review(&asked).unwrap();
    ids.map(|id| of(&review, &id)).collect()
}

fn found<const N: usize>(terms: [String; N], on: &str) -> [Found; N] {
    let cases = terms.map(|terms| (terms, EVENTS.to_owned()));
    found_in(&pack_of(&cases), N, on).try_into().unwrap()
}

/// The clean terms with one change, which must be one.
fn with(from: &str, to: &str) -> String {
    assert_eq!(TERMS.matches(from).count(), 1, "{from}");
    TERMS.replace(from, to)
}

const NOW: &str = "2026-01-10";
const NONE: Found = Vec::new();

/// The shipped pack on the first of April 2026.
fn april() -> &'static (LawPack, Review) {
    static REVIEWED: OnceLock<(LawPack, Review)> = OnceLock::new();
    REVIEWED.get_or_init(|| {
        let law = shipped();
        let review = law.review(&Asked::on(day("2026-04-01"))).unwrap();
        (law, review)
    })
}

#[test]
fn a_clean_agreement_has_no_findings() {
    let pack = load(files(TERMS)).unwrap();
    let review = pack.review(&Asked::on(day(NOW))).unwrap();
    assert_eq!(of(&review, CLEAN), NONE);
    let clean = review
        .agreements
        .iter()
        .find(|one| one.id == CLEAN)
        .unwrap();
    assert!(clean.overlaps.is_empty() && clean.unpermitted.is_empty());
    assert_eq!(clean.checks.len(), Rule::ALL.len());
    assert!(clean.checks.iter().all(|c| c.outcome != Outcome::NotMet));
    // It is the agreement that the routine flow calls for.
    let low = [("beyond-document", Severity::Low)];
    assert_eq!(of(&review, "us/routine/ssa-eligibility"), low);
    let clean = review.deadlines.iter().filter(|d| d.about == CLEAN);
    let days: Vec<String> = clean
        .map(|d| format!("{} {}", d.on, d.kind.as_str()))
        .collect();
    assert_eq!(
        days,
        [
            "2026-10-02 renewal-due",
            "2026-12-01 renewal-urgent",
            "2026-12-31 expiry",
            "2026-12-31 longest-term",
        ]
    );
}

#[test]
fn the_agreement_of_july_2025_contradicts_itself_has_lapsed_and_meets_both_orders() {
    let (_, review) = april();
    let july = review.agreements.iter().find(|one| one.id == JULY).unwrap();
    let ids: Vec<&str> = july
        .findings
        .iter()
        .map(|f| f.id.strip_prefix(JULY).unwrap())
        .collect();
    let expected = [
        "#authority/us/usc/8/1360-b",
        "#lists/one-list/another-list",
        "#order/us/cand/3-25-cv-05536/order-2025-08-12",
        "#order/us/cand/3-25-cv-05536/order-2025-12-29",
        "#permitted",
        "#beyond-document",
        "#vocabulary/one-list",
        "#lapse",
        "#o1b",
        "#o1c",
        "#o1d",
        "#o1e",
        "#o1f",
        "#o1g",
        "#o1h",
        "#o1i",
        "#o1j",
        "#o1k",
    ];
    assert_eq!(ids, expected);
    let high = july
        .findings
        .iter()
        .filter(|f| f.severity == Severity::High);
    // What does not turn on whose records they are; the orders do.
    assert_eq!(high.count(), 2);
    let lists = &july.findings[1].explanation;
    assert_eq!(
        lists,
        "Only on “one list”: address, phone, ssn, “bank data” and “ip addresses”. Only on “another \
         list”: race_ethnicity and sex. On both: nothing."
    );
    assert_eq!(
        july.findings[7].title,
        "it lapsed on 15 September 2025 and may be relied upon"
    );
    assert!(july.findings[7].explanation.contains("90 FR 53324"));
    let terms = july.terms.as_ref().unwrap();
    assert!(terms.not_stated.contains(&"retention and destruction"));
    assert!(!terms.not_stated.contains(&"users"));
}

/// The sentences of a finding.
fn explained(review: &Review, id: &str) -> String {
    let finding = review.findings().find(|finding| finding.id == id);
    finding.unwrap().explanation.clone()
}

#[test]
fn what_a_permit_gives_and_the_document_does_not_list_is_found() {
    let (law, review) = april();
    let july = review.agreements.iter().find(|one| one.id == JULY).unwrap();
    let expected = [
        "enrollment",
        "medicaid_id",
        "name",
        "birth_date",
        "citizenship",
        "immigration_status",
    ];
    assert!(!july.beyond.is_empty());
    for beyond in &july.beyond {
        assert_eq!(beyond.case.elements, expected);
        let parts = ["civil", "criminal"].map(|part| format!("immigration-enforcement/{part}"));
        assert_eq!(beyond.case.purposes, parts);
        assert!(
            beyond
                .case
                .who
                .iter()
                .all(|who| who.people == "citizenship is noncitizen")
        );
    }
    let text = explained(review, &format!("{JULY}#beyond-document"));
    assert!(text.contains("`contradicting-element-lists`"), "{text}");
    // What leaves, neither more nor less, by partial evaluation.
    let words = law.vocabulary();
    for on in ["2025-07-20", "2025-08-20"].map(day) {
        let query = Query {
            custodian: words.agency("hhs/cms").unwrap(),
            recipient: words.agency("dhs/ice").unwrap(),
            purpose: words
                .purpose("immigration-enforcement/civil")
                .unwrap()
                .clone(),
        };
        let law_of_day = law.in_force(on, SignOff::Demonstration).unwrap();
        let ruling = law_of_day.decide(&query).unwrap();
        for element in expected {
            let released = &ruling.element(element).unwrap().released_when;
            let here = july
                .beyond
                .iter()
                .map(|beyond| &beyond.case)
                .filter(|case| case.from <= on && case.until.is_none_or(|until| on <= until));
            let here: u64 = here.map(|case| case.combinations).sum();
            assert_eq!(
                here,
                People::of(released, law.domain()).len(),
                "{on} {element}"
            );
        }
    }
    // What the lists name is not beyond them, and an agreement without provisions lets nothing go.
    let notice = review
        .agreements
        .iter()
        .find(|one| one.id == NOTICE)
        .unwrap();
    assert!(notice.beyond.is_empty());
}

#[test]
fn a_permit_beyond_the_document_is_grave_unless_an_interpretation_explains_it() {
    let folder = "instruments/cms-ice-exchange-agreement-2025-07";
    let severity = |from: &str, to: &str, path: &str| {
        let mut files = shipped_files();
        let path = format!("{folder}/{path}");
        assert!(files[&path].contains(from), "{from}");
        let changed = files[&path].replace(from, to);
        files.insert(path, changed);
        let asked = Asked {
            only: vec![JULY.to_owned()],
            ..Asked::on(day("2026-04-01"))
        };
        let review = load(files).unwrap().review(&asked).unwrap();
        let found = of(&review, JULY);
        let found = found
            .into_iter()
            .find(|(rule, _)| *rule == "beyond-document");
        found.map(|(_, severity)| severity)
    };
    let reads =
        "@interpretation(\"contradicting-element-lists,not-renewed,stands-for-the-request\")\n";
    assert_eq!(
        severity(reads, "", "provisions.cedar"),
        Some(Severity::High)
    );
    let all = "elements = [\"address\"]";
    let named = "elements = [\"address\", \"medicaid_id\", \"name\", \"birth_date\", \"citizenship\", \
                 \"immigration_status\"]";
    assert_eq!(severity(all, named, "agreement.toml"), Some(Severity::Low));
    let whole = named.replace("\"name\"", "\"name\", \"enrollment\"");
    assert_eq!(severity(all, &whole, "agreement.toml"), None);
    let people =
        "[people]\nwords = \"x\"\n[[people.where]]\nprogram = [\"medicaid\"]\n[says.users]";
    assert_eq!(
        severity("[says.users]", people, "agreement.toml"),
        Some(Severity::Moderate)
    );
}

#[test]
fn findings_say_whose_records_and_what_part_of_a_purpose() {
    let (_, review) = april();
    let order = format!("{NOTICE}#order/us/cand/3-25-cv-05536/order-2025-12-29");
    let text = explained(review, &order);
    // Some of it is open: what is barred is said of these people alone.
    for words in [
        "those where household is has_protected_member or unknown or presence is lawful or unknown",
        "immigration-enforcement itself, not /civil or /criminal",
        "It does not state whose records; everyone is assumed.",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = explained(review, &format!("{NOTICE}#permitted"));
    assert!(
        text.contains("immigration-enforcement itself, not /civil or /criminal"),
        "{text}"
    );
    let notice = review
        .agreements
        .iter()
        .find(|one| one.id == NOTICE)
        .unwrap();
    let high = notice
        .findings
        .iter()
        .filter(|f| f.severity == Severity::High);
    let high: Vec<&str> = high.map(|finding| finding.rule).collect();
    assert_eq!(high, ["on-file"]);
}

#[test]
fn a_review_says_by_what_was_known_and_that_permits_count() {
    let law = shipped().as_known(day("2026-01-31"));
    let asked = Asked {
        only: vec![NOTICE.to_owned()],
        ..Asked::on(day("2026-04-01"))
    };
    let json = serde_json::to_value(law.review(&asked).unwrap()).unwrap();
    assert_eq!(json["as_known"], "2026-01-31");
    assert_eq!(json["as_if_signed"], true);
    assert!(april().1.as_known.is_none());
}

#[test]
fn no_renewal_is_due_before_a_document_begins() {
    let (_, review) = april();
    let july = review.deadlines.iter().filter(|d| d.about == JULY);
    let days: Vec<String> = july
        .map(|d| format!("{} {}", d.on, d.kind.as_str()))
        .collect();
    assert_eq!(
        days,
        [
            "2025-08-25 renewal-due",
            "2025-09-08 renewal-urgent",
            "2025-09-15 expiry"
        ]
    );
}

#[test]
fn before_its_end_the_agreement_was_due_for_renewal() {
    let (law, _) = april();
    for (on, severity) in [
        ("2025-08-25", Severity::Moderate),
        ("2025-09-08", Severity::High),
    ] {
        let asked = Asked {
            only: vec![JULY.to_owned()],
            ..Asked::on(day(on))
        };
        let july = of(&law.review(&asked).unwrap(), JULY);
        assert!(july.contains(&("renewal-due", severity)), "{july:?}");
        assert!(!july.iter().any(|(rule, _)| *rule == "lapse"));
    }
}

#[test]
fn the_other_shipped_instruments_have_what_is_known_of_them() {
    let (_, review) = april();
    let rules = |id: &str| -> Vec<&str> { of(review, id).into_iter().map(|(r, _)| r).collect() };
    assert_eq!(
        rules(NOTICE),
        [
            "on-file",
            "order",
            "order",
            "authority",
            "permitted",
            "closed"
        ]
    );
    // That there is a record at all, which no list names.
    let both = ["on-file", "beyond-document"];
    assert_eq!(rules("us/routine/status-verification"), both);
    assert_eq!(rules("us/routine/ssa-eligibility"), both);
    assert_eq!(rules("us/routine/research-limited-data-set"), ["on-file"]);
    assert_eq!(rules("us/routine/program-integrity"), [] as [&str; 0]);
    assert_eq!(rules("us/routine/state-return"), [] as [&str; 0]);
    assert_eq!(
        rules("us/routine/tmsis-submission"),
        ["criteria", "comparable"]
    );
}

/// How many combinations of attribute values each instrument bars from an element, by partial
/// evaluation.
fn barred(law: &LawPack, ruling: &ElementRuling) -> BTreeMap<String, u64> {
    let mut by: BTreeMap<String, Vec<Predicate>> = BTreeMap::new();
    for hit in ruling
        .hits
        .iter()
        .filter(|hit| hit.effect == Effect::Forbid)
    {
        let (instrument, _) = hit.provision.split_once('#').unwrap();
        let all = by.entry(instrument.to_owned()).or_default();
        all.push(hit.when.clone());
    }
    let count = |when: Vec<Predicate>| {
        let any = Predicate::any(when, law.domain());
        People::of(&any, law.domain()).len()
    };
    let by = by.into_iter().map(|(id, when)| (id, count(when)));
    by.filter(|(_, count)| *count > 0).collect()
}

/// The same by the overlaps of a review.
fn overlapping(one: &Reviewed, on: Date, purpose: &str, element: &str) -> BTreeMap<String, u64> {
    let mut by: BTreeMap<String, u64> = BTreeMap::new();
    for barred in &one.overlaps {
        let case = &barred.case;
        let here = case.from <= on
            && case.until.is_none_or(|until| on <= until)
            && case.purposes.iter().any(|name| name == purpose)
            && case.elements.iter().any(|name| name == element);
        if here {
            *by.entry(barred.instrument.clone()).or_default() += case.combinations;
        }
    }
    by
}

#[test]
fn overlaps_are_exactly_what_partial_evaluation_bars() {
    let (law, review) = april();
    let words = law.vocabulary();
    let days = [
        "2025-08-11",
        "2025-08-12",
        "2025-09-15",
        "2025-12-01",
        "2026-01-06",
        "2026-04-01",
    ];
    let purposes = ["/civil", "/criminal", ""].map(|part| format!("immigration-enforcement{part}"));
    let mut compared = 0;
    for on in days.map(day) {
        let law_of_day = law.in_force(on, SignOff::Demonstration).unwrap();
        for purpose in &purposes {
            let query = Query {
                custodian: words.agency("hhs/cms").unwrap(),
                recipient: words.agency("dhs/ice").unwrap(),
                purpose: words.purpose(purpose).unwrap().clone(),
            };
            let ruling = law_of_day.decide(&query).unwrap();
            for id in [JULY, NOTICE] {
                let one = review.agreements.iter().find(|one| one.id == id).unwrap();
                let agreement = law.instrument(id).unwrap().agreement.as_ref().unwrap();
                let term = agreement.term.as_ref().unwrap();
                let began = term.from.unwrap() <= on;
                let stated = began && term.last().is_none_or(|last| on <= last);
                for element in agreement.elements() {
                    let mut expected = barred(law, ruling.element(element).unwrap());
                    // After its last day the orders are held against it, if it were renewed.
                    expected.retain(|id, _| {
                        stated || began && law.instrument(id).unwrap().kind == "order"
                    });
                    let seen = overlapping(one, on, purpose, element);
                    assert_eq!(seen, expected, "{id} {on} {purpose} {element}");
                    compared += seen.len();
                }
            }
        }
    }
    assert!(compared > 200, "{compared}");
    let elsewhere = review.agreements.iter().flat_map(|one| &one.overlaps);
    let mut elsewhere = elsewhere.flat_map(|barred| &barred.case.purposes);
    assert!(elsewhere.all(|purpose| purposes.contains(purpose)));
}

#[test]
fn examples_are_barred_or_not_permitted_themselves() {
    let (law, review) = april();
    let words = law.vocabulary();
    let mut renewed = BTreeSet::new();
    for one in &review.agreements {
        let barred = one.overlaps.iter().map(|b| (&b.case, Some(&b.instrument)));
        let needs = one.unpermitted.iter().map(|case| (case, None));
        for (case, by) in barred.chain(needs) {
            renewed.insert(case.basis == Basis::IfRenewed);
            let example = &case.example;
            let query = Query {
                custodian: words.agency(&example.custodian).unwrap(),
                recipient: words.agency(&example.recipient).unwrap(),
                purpose: words.purpose(&example.purpose).unwrap().clone(),
            };
            let values = law.domain().attributes().iter().enumerate();
            let values = values.map(|(at, attribute)| {
                law.domain()
                    .value(at, &example.record[&attribute.name])
                    .unwrap()
            });
            let record = chancery_model::Signature::new(values.collect());
            let law_of_day = law.in_force(example.on, SignOff::Demonstration).unwrap();
            let ruling = law_of_day.decide(&query).unwrap();
            let element = ruling.element(&example.element).unwrap();
            assert!(!element.released_when.holds(&record));
            let hit = element.hits.iter().any(|hit| {
                hit.effect == Effect::Forbid
                    && hit.when.holds(&record)
                    && by.is_none_or(|by| hit.provision.starts_with(by.as_str()))
            });
            assert_eq!(hit, by.is_some(), "{example:?}");
        }
    }
    assert_eq!(renewed.len(), 2);
}

/// Each rule that a change of the clean terms breaks, alone.
#[test]
fn each_rule_fires_on_its_own_side_of_the_line() {
    let high = Severity::High;
    let moderate = Severity::Moderate;
    let unsaid = |topic: &str| {
        let start = TERMS.find(&format!("\n{topic} = ")).unwrap();
        let end = TERMS[start + 1..].find('\n').unwrap() + start + 1;
        format!("{}{}", &TERMS[..start], &TERMS[end..])
    };
    let cases = [
        (
            "o1a",
            high,
            with("[[authority]]\ncitation = \"42 U.S.C. § 1320b-7(a)\"\n", ""),
        ),
        ("o1b", high, unsaid("justification")),
        ("o1c", high, with("[records]\nnumber = 78000000\n", "")),
        ("o1d", high, unsaid("notice")),
        ("o1e", high, unsaid("verification")),
        ("o1f", high, unsaid("retention")),
        ("o1g", high, unsaid("security")),
        ("o1h", high, unsaid("redisclosure")),
        ("o1i", high, unsaid("use-and-return")),
        ("o1j", high, unsaid("accuracy")),
        ("o1k", high, unsaid("gao-access")),
        (
            "o2-term",
            high,
            with("until = \"2026-12-31\"", "until = \"2027-01-01\""),
        ),
        (
            "permitted",
            moderate,
            with("elements = [\"name\"]", "elements = [\"name\", \"sex\"]"),
        ),
        ("vocabulary", moderate, with("elements = [\"name\"]", "")),
        (
            "closed",
            moderate,
            with("elements = [\"name\"]", "open = true"),
        ),
    ];
    let terms = cases.clone().map(|(_, _, terms)| terms);
    for ((rule, severity, _), found) in cases.into_iter().zip(found(terms, NOW)) {
        assert_eq!(found, [(rule, severity)], "{rule}");
    }
    // Read in part: what is absent may be there. No matching program: none of its rules.
    let part = unsaid("notice").replace("in full", "in part");
    let none = unsaid("notice").replace("program = \"yes\"", "program = \"no\"");
    assert_eq!(found([part, none], NOW), [vec![("o1d", moderate)], NONE]);
}

#[test]
fn lists_of_one_thing_agree_and_of_two_need_not() {
    let second = |of: &str, element: &str| {
        format!(
            "{TERMS}\n[[list]]\nname = \"Attachment B\"\nof = \"{of}\"\n[[list.item]]\n\
             words = \"all\"\nelements = [\"name\", \"birth_date\", \"{element}\"]\n"
        )
    };
    let terms = [
        second("what SSA is given", "ssn"),
        second("what SSA answers", "enrollment"),
        second("what SSA is given", "enrollment"),
    ];
    let contradiction = vec![("lists", Severity::High)];
    assert_eq!(found(terms, NOW), [NONE, NONE, contradiction]);
}

#[test]
fn renewals_last_a_year_at_most() {
    let renewed = |until: &str| {
        let renewal =
            format!("[[term.renewal]]\nfrom = \"2027-01-01\"\nuntil = \"{until}\"\n[says]");
        let events = EVENTS.replace("2026-12-31", until);
        (with("[says]", &renewal), events)
    };
    let months = |months: u8| {
        let terms = with("[says]", &format!("renewable_months = {months}\n[says]"));
        (terms, EVENTS.to_owned())
    };
    let cases = [
        renewed("2027-12-31"),
        renewed("2028-01-01"),
        months(12),
        months(13),
    ];
    let long = vec![("o2-renewal", Severity::High)];
    assert_eq!(
        found_in(&pack_of(&cases), 4, NOW),
        [NONE, long.clone(), NONE, long]
    );
}

#[test]
fn an_end_is_announced_and_a_lapse_is_said() {
    let pack = pack_of(&[(TERMS.to_owned(), EVENTS.to_owned())]);
    let found = |on: &str| found_in(&pack, 1, on).remove(0);
    assert_eq!(found("2026-10-01"), NONE);
    assert_eq!(found("2026-10-02"), [("renewal-due", Severity::Moderate)]);
    assert_eq!(found("2026-12-01"), [("renewal-due", Severity::High)]);
    assert_eq!(found("2026-12-31"), [("renewal-due", Severity::High)]);
    // The routine flow calls for it, and there is no other; but nothing names it.
    assert_eq!(found("2027-01-01"), [("lapse", Severity::Moderate)]);
}

#[test]
fn a_lapse_is_grave_where_someone_relies_on_it() {
    let mut files = files(TERMS);
    let flow = files[FLOW].replace("agreement = \"matching\"", "agreement = \"data-use\"");
    files.insert(FLOW.to_owned(), flow);
    let pack = load(files).unwrap();
    let mut asked = Asked {
        only: vec![CLEAN.to_owned()],
        ..Asked::on(day("2027-01-01"))
    };
    let review = pack.review(&asked).unwrap();
    assert_eq!(of(&review, CLEAN), [("lapse", Severity::Moderate)]);
    asked.reliances.push(Reliance {
        by: "a request".to_owned(),
        instrument: CLEAN.to_owned(),
    });
    let review = pack.review(&asked).unwrap();
    assert_eq!(of(&review, CLEAN), [("lapse", Severity::High)]);
    let finding = &review.agreements[0].findings[0];
    assert!(finding.explanation.contains("a request"));
    assert!(finding.title.ends_with("is still relied upon"));
    assert_eq!(review.agreements.len(), 1);
}

#[test]
fn an_instrument_counts_within_its_own_dates_alone_and_has_terms() {
    let events = EVENTS.replace("2026-12-31", "2027-01-01");
    let mut files = files(TERMS);
    add(&mut files, FOLDER, CLEAN, &events);
    add(&mut files, "instruments/bare", "us/test/bare", EVENTS);
    let asked = Asked {
        only: vec![CLEAN.to_owned(), "us/test/bare".to_owned()],
        ..Asked::on(day(NOW))
    };
    let review = load(files).unwrap().review(&asked).unwrap();
    assert_eq!(of(&review, CLEAN), [("timeline", Severity::High)]);
    assert_eq!(of(&review, "us/test/bare"), [("terms", Severity::Moderate)]);
}

/// An agreement with ICE from April 2026, about these people and elements.
fn with_ice(people: &str, elements: &str, authority: &str) -> (String, String) {
    let terms = format!(
        "read = \"in full\"\nlabel = \"S\"\n\
         [[party]]\nagency = \"hhs/cms\"\nrole = \"custodian\"\n\
         [[party]]\nagency = \"dhs/ice\"\nrole = \"recipient\"\n\
         [[authority]]\ncitation = \"8 USC 1360(b)\"\n{authority}\n\
         [[purpose]]\nwords = \"civil\"\npurpose = \"immigration-enforcement/civil\"\n\
         [[list]]\nname = \"A\"\nof = \"a\"\n[[list.item]]\nwords = \"x\"\nelements = [{elements}]\n\
         [people]\nwords = \"those\"\n[[people.where]]\n{people}\n\
         [term]\nfrom = \"2026-04-01\"\nuntil = \"2026-12-31\"\n"
    );
    (terms, EVENTS.replace("2025-07-01", "2026-04-01"))
}

#[test]
fn orders_and_statutes_are_held_against_what_it_allows() {
    let texas = "citizenship = [\"noncitizen\"]\norigin = [\"48\"]";
    let everywhere = "citizenship = [\"noncitizen\"]";
    let citizens = "origin = [\"48\"]";
    let open = "citizenship = [\"noncitizen\"]\norigin = [\"06\"]\npresence = [\"not_lawful\"]\n\
                program = [\"medicaid\"]\nhousehold = [\"no_protected_member\"]";
    let six = "\"birth_date\", \"address\"";
    let authority = "instrument = \"us/usc/8/1360-b\"";
    let cases = [
        with_ice(texas, six, authority),
        with_ice(everywhere, six, authority),
        with_ice(open, six, authority),
        with_ice(citizens, six, authority),
        with_ice(texas, "\"ssn\"", authority),
        with_ice(texas, "\"ssn\"", ""),
    ];
    let one = |rule: &'static str| vec![(rule, Severity::High)];
    assert_eq!(
        found_in(&pack_of(&cases), cases.len(), "2026-04-01"),
        [
            NONE,
            one("order"),
            NONE,
            one("authority"),
            one("authority"),
            one("statute")
        ]
    );
}

#[test]
fn a_state_that_gives_has_criteria_and_asks_for_comparable_standards() {
    let terms = |says: &str, purpose: &str| {
        format!(
            "read = \"in full\"\nlabel = \"S\"\n\
             [[party]]\nagency = \"state/06/medicaid\"\nrole = \"custodian\"\n\
             [[party]]\nagency = \"hhs/cms\"\nrole = \"recipient\"\n\
             [[purpose]]\nwords = \"p\"\npurpose = \"{purpose}\"\n{says}"
        )
    };
    let own = "program-administration";
    let both = "[says]\ncriteria = { words = \"c\" }\ncomparable-standards = { words = \"s\" }\n";
    let all = format!("{both}permission = {{ words = \"p\" }}\n");
    let cases = [
        terms(both, own),
        terms("", own),
        // Permission of the person where it is for more than running the plan.
        terms(both, "research"),
        terms(&all, "research"),
    ];
    let high = |rule: &'static str| (rule, Severity::High);
    assert_eq!(
        found(cases, NOW),
        [
            NONE,
            vec![high("criteria"), high("comparable")],
            vec![high("permission")],
            NONE
        ]
    );
}

/// A change of the clean terms, and what it is refused for.
const REFUSED: [(&str, &str, &str); 21] = [
    ("label = \"S\"", "label = \"X\"", "is not a label"),
    ("read = \"in full\"", "read = \"half\"", "unknown variant"),
    (
        "role = \"recipient\"",
        "role = \"custodian\"",
        "names no recipient",
    ),
    (
        "agency = \"ssa\"",
        "agency = \"ssx\"",
        "unknown agency `ssx`",
    ),
    (
        "title = \"Administrator\"",
        "title = \"\"",
        "has a signatory without a title",
    ),
    (
        "citation = \"42 U.S.C. § 1320b-7(a)\"",
        "citation = \" \"",
        "is empty",
    ),
    (
        "citation = \"42 U.S.C. § 1320b-7(a)\"",
        "citation = \"x\"\ninstrument = \"us/none\"",
        "unknown instrument `us/none`",
    ),
    (
        "purpose = \"program-administration/eligibility\"",
        "purpose = \"eligibility\"",
        "unknown purpose `eligibility`",
    ),
    (
        "elements = [\"name\"]",
        "elements = [\"nam\"]",
        "unknown element `nam`",
    ),
    (
        "elements = [\"name\"]",
        "elements = [\"name\"]\nall_but = []",
        "stands beside `elements`",
    ),
    ("words = \"date of birth\"", "words = \"\"", "is empty"),
    (
        "words = \"Everyone.\"",
        "words = \"x\"\n[[people.where]]\ncitizen = [\"citizen\"]",
        "unknown attribute `citizen`",
    ),
    (
        "words = \"Everyone.\"",
        "words = \"x\"\n[[people.where]]\ncitizenship = [\"alien\"]",
        "`alien` is no value of `citizenship`",
    ),
    (
        "words = \"Everyone.\"",
        "words = \"x\"\n[[people.where]]\ncitizenship = []",
        "about nobody",
    ),
    ("number = 78000000", "number = 0", "is no number of records"),
    (
        "until = \"2026-12-31\"",
        "until = \"2025-06-30\"",
        "ends before it begins",
    ),
    (
        "until = \"2026-12-31\"",
        "until = \"2026-12-31\"\nrenewable_months = 0",
        "is no time",
    ),
    (
        "[says]",
        "[[term.renewal]]\nfrom = \"2026-12-31\"\nuntil = \"2027-06-30\"\n[says]",
        "begins before the time before it ends",
    ),
    ("words = \"Savings.\"", "words = \"\"", "says nothing"),
    ("accuracy =", "acuracy =", "unknown variant `acuracy`"),
    ("[records]", "[record]", "unknown field `record`"),
];

#[test]
fn terms_are_refused_with_place_and_hint() {
    let cases = REFUSED;
    let mut files = shipped_files();
    for (at, (from, to, _)) in cases.iter().enumerate() {
        let folder = format!("{FOLDER}-{at:02}");
        add(&mut files, &folder, &format!("{CLEAN}-{at}"), EVENTS);
        files.insert(format!("{folder}/agreement.toml"), with(from, to));
    }
    let Err(Error::Invalid(faults)) = load(files) else {
        panic!("let through");
    };
    for (at, (from, _, problem)) in cases.into_iter().enumerate() {
        let file = format!("law/{FOLDER}-{at:02}/agreement.toml");
        let fault: &Fault = faults.iter().find(|f| f.place.file == file).expect(from);
        assert!(
            fault.to_string().contains(problem),
            "{fault}\nexpected: {problem}"
        );
        let serde = problem.starts_with("unknown variant") || problem.starts_with("unknown field");
        assert!(serde || fault.hint.is_some(), "no hint: {fault}");
        let whole = problem.starts_with("names no");
        assert!(whole || fault.place.line.is_some(), "no line: {fault}");
    }
}

#[test]
fn a_statute_has_no_terms() {
    let mut files = files(TERMS);
    files.insert(
        format!("{FOLDER}/instrument.toml"),
        instrument(CLEAN, "statute", EVENTS),
    );
    let Err(Error::Invalid(faults)) = load(files) else {
        panic!("let through");
    };
    assert!(
        faults[0]
            .to_string()
            .contains("a statute has no terms of its own")
    );
}

#[test]
fn terms_decide_nothing() {
    let mut without = shipped_files();
    without.retain(|path, _| !path.ends_with("agreement.toml"));
    let (with, without) = (&april().0, load(without).unwrap());
    let words = with.vocabulary();
    for on in ["2025-07-20", "2026-01-10"].map(day) {
        let query = Query {
            custodian: words.agency("hhs/cms").unwrap(),
            recipient: words.agency("dhs/ice").unwrap(),
            purpose: words
                .purpose("immigration-enforcement/civil")
                .unwrap()
                .clone(),
        };
        let elements = |law: &LawPack| {
            let law_of_day = law.in_force(on, SignOff::Demonstration).unwrap();
            law_of_day.decide(&query).unwrap().elements
        };
        assert_eq!(elements(with), elements(&without));
    }
}
