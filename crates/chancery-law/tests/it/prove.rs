//! Assertions held against provisions, case by case.

use std::collections::BTreeMap;

use chancery_law::prove::{Claim, Counterexample, Idle, Report, Silence, Vacuity, Verdict};
use chancery_law::{AssertionKind, LawPack, PackSource};
use serde_json::json;

use crate::pack::{files_of, load, shipped, shipped_files};
use crate::random::{instrument_toml, vocabulary};

fn prove(law: &LawPack) -> Report {
    law.prove(&Claim::default()).unwrap()
}

/// What is found of the shipped pack with words of one file replaced.
fn changed(path: &str, from: &str, to: &str) -> Report {
    let mut files = shipped_files();
    let text = files.get_mut(path).unwrap();
    assert!(text.contains(from), "{from}");
    *text = text.replace(from, to);
    prove(&load(files).unwrap())
}

fn counterexample(report: &Report, assertion: &str) -> Counterexample {
    let of = report.broken().find(|(f, _)| f.assertion == assertion);
    let (_, example) = of.unwrap_or_else(|| panic!("{assertion} is not broken"));
    example
}

/// Nothing is asserted of so many instruments alone, and they have no provision.
fn no_provision_is_unasserted(report: &Report, count: usize) {
    let unasserted = &report.unasserted;
    assert_eq!(unasserted.len(), count, "{unasserted:?}");
    assert!(
        unasserted.iter().all(|one| one.why == Silence::NoProvision),
        "{unasserted:?}"
    );
}

fn known(example: &Counterexample) -> Vec<(&str, &str)> {
    let known = example
        .record
        .iter()
        .filter(|(_, value)| *value != "unknown");
    known
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[test]
fn the_shipped_pack_does_what_its_instruments_say() {
    let law = shipped();
    let report = prove(&law);
    let broken: Vec<_> = report.broken().collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(report.unproven().count(), 0);
    assert!(report.assertions.len() > 120, "{}", report.assertions.len());
    no_provision_is_unasserted(&report, 3);
    // Nothing that applies to nothing, and no permit that lets nothing go.
    for idle in &report.provisions {
        let held = [Idle::BarredByOthers, Idle::NothingPermitted];
        assert!(held.contains(&idle.why), "{idle:?}");
    }
    let empty = report
        .assertions
        .iter()
        .filter(|f| f.vacuous == Some(Vacuity::Empty));
    assert_eq!(empty.count(), 0);
    let questions = law.questions(&[]).unwrap();
    let cases = questions.cases() * questions.actions().len() as u128 * law.periods().len() as u128;
    assert_eq!(report.cases, cases);
    assert!(
        report
            .assertions
            .iter()
            .all(|finding| finding.cases <= cases)
    );
}

#[test]
fn a_counterexample_is_the_first_day_and_the_least_known_record() {
    let report = changed(
        "instruments/order-2025-08-12/provisions.cedar",
        "forbid (\n  principal in Agency::\"dhs\",\n  action == Action::\"disclose\",",
        "forbid (\n  principal in Agency::\"dhs/uscis\",\n  action == Action::\"disclose\",",
    );
    let order = "us/cand/3-25-cv-05536/order-2025-08-12";
    let leaves = counterexample(&report, &format!("{order}#assert/nothing-leaves"));
    assert_eq!(leaves.on.to_string(), "2025-08-12");
    assert_eq!(known(&leaves), [("citizenship", "noncitizen")]);
    assert_eq!(
        leaves.by,
        ["us/hhs/cms-ice-exchange-agreement-2025-07#identity-and-location"]
    );
    assert_eq!(
        [leaves.custodian, leaves.recipient, leaves.purpose],
        ["hhs/cms", "dhs/ice", "immigration-enforcement/civil"]
    );
    // What is no longer barred is shown where it leaves, and as late as it does.
    let shared = counterexample(&report, &format!("{order}#assert/nothing-shared"));
    assert_eq!(
        (shared.on.to_string().as_str(), known(&shared)),
        ("2025-11-25", vec![("citizenship", "noncitizen")])
    );
    assert_eq!(shared.by, ["us/fr/90-53324#biographical-contact-location"]);
    assert_eq!([shared.custodian, shared.recipient], ["hhs/cms", "dhs/ice"]);
}

#[test]
fn a_flow_that_stops_breaks_an_assertion() {
    let report = changed(
        "instruments/routine-ssa-eligibility/provisions.cedar",
        "permit (",
        "forbid (",
    );
    let stopped = counterexample(&report, "us/routine/ssa-eligibility#assert/verification");
    assert_eq!(stopped.by, ["us/routine/ssa-eligibility#cms-to-ssa"]);
    assert_eq!(
        (stopped.on.to_string().as_str(), known(&stopped)),
        ("1988-10-01", vec![])
    );

    let report = changed(
        "elements.toml",
        "\"address\", \"phone\", \"citizenship\"",
        "\"address\", \"citizenship\"",
    );
    let phone = counterexample(
        &report,
        "us/cand/3-25-cv-05536/order-2025-12-29#assert/open-contact",
    );
    assert_eq!(
        phone.by,
        ["us/cand/3-25-cv-05536/order-2025-12-29#six-elements"]
    );
    assert_eq!(phone.element, "phone");

    // The agreement that nobody may be given anything under before it runs.
    let report = changed(
        "instruments/cms-ice-exchange-agreement-2025-07/instrument.toml",
        "on = \"2025-07-15\"",
        "on = \"2025-07-16\"",
    );
    let late = counterexample(
        &report,
        "us/hhs/cms-ice-exchange-agreement-2025-07#assert/identity-and-location",
    );
    assert_eq!(late.on.to_string(), "2025-07-15");
    assert!(late.by.is_empty(), "{:?}", late.by);
}

#[test]
fn a_bar_that_nothing_tests_is_still_asserted() {
    let report = changed(
        "instruments/5-usc-552a-b/provisions.cedar",
        "principal in Agency::\"congress\"",
        "principal in Agency::\"court\"",
    );
    let congress = counterexample(&report, "us/usc/5/552a-b#assert/congress");
    assert_eq!(congress.recipient, "congress");
    assert!(congress.by.is_empty());
    // Of two days on which nothing lets it go, the last.
    assert_eq!(congress.on.to_string(), "2026-03-27");
    // Nothing leaves for it, and what says only that still holds.
    let figures = report
        .assertions
        .iter()
        .find(|f| f.assertion.ends_with("#assert/congress-gets-figures"));
    assert_eq!(figures.unwrap().enumeration, Verdict::Holds);
}

#[test]
fn records_of_another_state_are_told_from_the_recipients_own() {
    let report = changed(
        "instruments/routine-state-return/provisions.cedar",
        "  resource.origin != Origin::\"unknown\" &&\n  principal.jurisdiction.contains(resource.origin)",
        "  resource.origin != Origin::\"unknown\"",
    );
    let other = counterexample(&report, "us/routine/state-return#assert/own-records-only");
    let of = other.record["origin"].as_str();
    assert!(
        !other.recipient.contains(of) && of != "unknown",
        "{other:?}"
    );
}

const EFFECTIVE: &str = "[[event]]\non = \"2025-01-01\"\nkind = \"effective\"\n";

fn small(provisions: &str, assertions: &str) -> LawPack {
    let mut files = vocabulary();
    let more = format!(
        "{EFFECTIVE}[[interpretation]]\nname = \"idle\"\nquestion = \"q\"\nreading = \"r\"\nalternatives = []\neffect = \"e\"\n"
    );
    files.insert(
        "instruments/x/instrument.toml".to_owned(),
        instrument_toml("x", &more),
    );
    files.insert(
        "instruments/x/provisions.cedar".to_owned(),
        provisions.to_owned(),
    );
    files.insert(
        "instruments/x/assertions.toml".to_owned(),
        assertions.to_owned(),
    );
    load(files).unwrap()
}

fn assertion(name: &str, kind: &str, more: &str) -> String {
    format!(
        "[[assertion]]\nname = \"{name}\"\nclause = \"1\"\nsays = \"s\"\nkind = \"{kind}\"\n{more}\n"
    )
}

fn provision(name: &str, policy: &str) -> String {
    format!("@id(\"{name}\")\n@clause(\"1\")\n@reason(\"r\")\n{policy};\n")
}

#[test]
fn an_assertion_that_says_little_is_found_out() {
    let law = small(
        &[
            provision("flow", "permit (principal in Agency::\"hhs\", action == Action::\"disclose\", resource)"),
            provision("again", "permit (principal in Agency::\"hhs/cms\", action == Action::\"disclose\", resource)"),
            provision("idle", "forbid (principal in Agency::\"dhs/ice\", action, resource)"),
            provision("all", "forbid (principal in Agency::\"dhs\", action, resource)"),
        ]
        .concat(),
        &[
            assertion("nobody", "never", "custodian = [\"hhs\"]\n[[assertion.where]]\norigin_of = [\"custodian\"]"),
            assertion("over", "never", "recipient = [\"hhs\"]\naction = [\"use\"]"),
            assertion("untested", "never", "recipient = [\"dhs\"]"),
            assertion("tested", "barred", "recipient = [\"dhs\"]\nfrom = \"2025-01-01\""),
            assertion("flows", "always", "recipient = [\"hhs\"]\nfrom = \"2025-01-01\""),
        ]
        .concat(),
    );
    let report = prove(&law);
    assert_eq!(report.broken().count() + report.unproven().count(), 0);
    let vacuous: Vec<_> = report
        .assertions
        .iter()
        .map(|finding| finding.vacuous)
        .collect();
    let nothing = Some(Vacuity::NothingPermitted);
    assert_eq!(
        vacuous,
        [Some(Vacuity::Empty), nothing, nothing, None, None]
    );
    let idle: Vec<_> = report
        .provisions
        .iter()
        .map(|idle| (idle.provision.as_str(), idle.why))
        .collect();
    assert_eq!(
        idle,
        [
            ("x#again", Idle::NothingMoreLeaves),
            ("x#idle", Idle::BarredByOthers),
            ("x#all", Idle::NothingPermitted)
        ]
    );
    assert_eq!(report.interpretations[0].interpretation, "x#idle");
    assert!(report.interpretations[0].provisions.is_empty());
}

#[test]
fn an_agency_that_an_assertion_names_is_told_from_its_family() {
    let permit = provision(
        "flow",
        "permit (principal in Agency::\"research\", action == Action::\"disclose\", resource)",
    );
    let never = assertion(
        "others",
        "never",
        "recipient = [\"research\"]\nexcept_recipient = [\"research/umich\"]",
    );
    let law = small(&permit, &never);
    let example = counterexample(&prove(&law), "x#assert/others");
    assert_eq!(example.recipient, "research");
    let permit = permit.replace("Agency::\"research\"", "Agency::\"research/umich\"");
    assert_eq!(prove(&small(&permit, &never)).broken().count(), 0);
    let never = assertion("one", "never", "recipient = [\"research/umich\"]");
    let example = counterexample(&prove(&small(&permit, &never)), "x#assert/one");
    assert_eq!(example.recipient, "research/umich");
}

#[test]
fn one_day_and_one_instrument_can_be_asked_about() {
    let law = shipped();
    let claim = Claim {
        on: Some("2026-01-10".parse().unwrap()),
        instrument: Some("us/fr/90-53324".to_owned()),
    };
    let report = law.prove(&claim).unwrap();
    assert_eq!(report.periods, 1);
    assert!(
        report
            .assertions
            .iter()
            .all(|f| f.assertion.starts_with("us/fr/90-53324#assert/"))
    );
    assert_eq!(report.assertions.len(), 6);
    let claim = Claim {
        on: Some("2025-06-01".parse().unwrap()),
        ..claim
    };
    // What begins later is not asked.
    assert_eq!(law.prove(&claim).unwrap().assertions.len(), 4);
}

#[test]
fn provers_must_agree() {
    let example = Counterexample {
        on: "2026-01-10".parse().unwrap(),
        action: "disclose".to_owned(),
        custodian: "hhs".to_owned(),
        recipient: "dhs".to_owned(),
        purpose: "p".to_owned(),
        element: "e".to_owned(),
        record: BTreeMap::new(),
        by: Vec::new(),
    };
    let broken = Verdict::Broken {
        counterexample: Box::new(example),
    };
    let unproven = |why: &str| Verdict::Unproven {
        why: why.to_owned(),
    };
    let disagree = unproven("the two provers disagree");
    for (one, other, both) in [
        (Verdict::Holds, Verdict::Holds, Verdict::Holds),
        (broken.clone(), broken.clone(), broken.clone()),
        (Verdict::Holds, broken.clone(), disagree.clone()),
        (broken.clone(), Verdict::Holds, disagree),
        (Verdict::Holds, unproven("time"), unproven("time")),
        (unproven("time"), Verdict::Holds, unproven("time")),
        (broken.clone(), unproven("time"), broken.clone()),
        (unproven("time"), broken.clone(), broken),
        (unproven("a"), unproven("b"), unproven("a; b")),
    ] {
        assert_eq!(one.and(&other), both);
    }
}

#[test]
fn a_solver_that_is_missing_proves_nothing() {
    let permit = provision(
        "flow",
        "permit (principal in Agency::\"hhs\", action == Action::\"disclose\", resource)",
    );
    let assertions = [
        assertion("a", "never", "recipient = [\"dhs\"]"),
        assertion("b", "never", "recipient = [\"dhs/ice\"]"),
    ];
    let mut report = prove(&small(&permit, &assertions.concat()));
    assert!(!report.is_unproven());
    report.without_symbolic("no solver");
    assert!(report.is_unproven() && !report.is_broken());
    assert_eq!(report.unproven().count(), 2);
    // What the second prover says nothing of is not proved either.
    let mut report = prove(&small(&permit, &assertions.concat()));
    report.add_symbolic(BTreeMap::from([("x#assert/a".to_owned(), Verdict::Holds)]));
    let unproven: Vec<_> = report
        .unproven()
        .map(|(finding, _)| finding.assertion.as_str())
        .collect();
    assert_eq!(unproven, ["x#assert/b"]);
}

#[test]
fn the_report_as_data() {
    let law = small(
        &provision(
            "flow",
            "permit (principal in Agency::\"hhs/cms\", action == Action::\"disclose\", resource)",
        ),
        &[
            assertion(
                "bars",
                "barred",
                "recipient = [\"dhs/ice\"]\nelements = [\"name\"]\nfrom = \"2025-02-01\"",
            ),
            assertion(
                "flows",
                "always",
                "recipient = [\"hhs/cms\"]\nfrom = \"2025-01-01\"",
            ),
        ]
        .concat(),
    );
    let first = prove(&law);
    assert_eq!(first.assertions[0].kind, AssertionKind::Barred);
    let first = serde_json::to_value(first).unwrap();
    assert_eq!(first, serde_json::to_value(prove(&law)).unwrap());
    let agencies = law.questions(&[]).unwrap().agencies().count() as u64;
    let each = agencies * agencies * 5 * 8 * law.questions(&[]).unwrap().combinations();
    let mut expected = json!({
        "pack": "random", "version": law.version, "digest": law.digest.to_string(),
        "layers": [{
            "name": "random", "version": law.version, "digest": law.digest.to_string(),
        }],
        "cases": (each * 2 * 2).to_string(), "periods": 2, "actions": ["disclose", "use"],
        "classes": first["classes"], "provers": ["enumeration"],
        "assertions": [
            {
                "assertion": "x#assert/bars", "clause": "1", "says": "s", "kind": "barred",
                "cases": (each / agencies / 8).to_string(),
                "enumeration": {"verdict": "broken", "counterexample": {
                    "on": "2025-02-01", "action": "disclose", "custodian": "hhs/cms", "recipient": "dhs/ice",
                    "purpose": "administration", "element": "name", "by": [],
                }},
            },
            {
                "assertion": "x#assert/flows", "clause": "1", "says": "s", "kind": "always",
                "cases": (each / agencies).to_string(), "enumeration": {"verdict": "holds"},
            },
        ],
        "unasserted": [], "provisions": [],
        "interpretations": [{"interpretation": "x#idle", "provisions": []}],
    });
    let record: BTreeMap<&str, &str> = [
        "citizenship",
        "funding",
        "household",
        "origin",
        "presence",
        "program",
    ]
    .map(|name| (name, "unknown"))
    .into();
    expected["assertions"][0]["enumeration"]["counterexample"]["record"] = json!(record);
    assert_eq!(first, expected, "{first:#}");
}

/// An overlay may hold back more than the pack below says always leaves, and adds words of which that
/// says nothing. What must never leave holds for both.
#[test]
fn an_overlay_may_be_stricter_than_what_always_leaves() {
    let over = |files| {
        let source = PackSource::new("law", shipped_files());
        let source = source.with_overlay("law/overlays/ca-dhcs", files);
        LawPack::load(&source).unwrap()
    };
    let files = files_of("overlays/ca-dhcs");
    let report = prove(&over(files.clone()));
    let broken: Vec<_> = report.broken().collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(report.unproven().count(), 0);
    let layers: Vec<&str> = report.layers.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(layers, ["us-medicaid", "ca-dhcs"]);
    let narrowed: Vec<&str> = report
        .assertions
        .iter()
        .filter(|finding| finding.narrowed)
        .map(|finding| finding.assertion.as_str())
        .collect();
    let ice = "us/cand/3-25-cv-05536/order-2025-12-29#assert/open-elements";
    let submission = "us/routine/tmsis-submission#assert/everything";
    assert!(
        narrowed.contains(&ice) && !narrowed.contains(&submission),
        "{narrowed:?}"
    );

    let mut loose = files;
    let text = loose
        .get_mut("instruments/ca-county-administration/provisions.cedar")
        .unwrap();
    *text = text.replace("eligibility", "integrity");
    let report = prove(&over(loose));
    assert!(report.is_broken());
    // What the overlay permits to an agency of its own is no business of the pack below, unless that
    // bars it for all.
    let own = |id: &str| id.starts_with("us/ca/");
    assert!(report.broken().all(|(finding, _)| own(&finding.assertion)));
}

#[test]
fn another_domain_is_proved_alike() {
    let report = prove(&load(files_of("us-tax-information")).unwrap());
    let broken: Vec<_> = report.broken().collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(report.unproven().count(), 0);
    no_provision_is_unasserted(&report, 2);
}
