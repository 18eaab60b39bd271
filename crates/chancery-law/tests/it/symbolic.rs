//! The symbolic prover: what it restates means the same, what it finds stands, and what it does not
//! know it does not say. The solver `cvc5` must be there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityUid, Policy, PolicyId,
    PolicySet, Request, RestrictedExpression, Schema,
};
use chancery_law::prove::{Claim, Verdict};
use chancery_law::symbolic::{Errs, Proofs, Restated, Solver, policies_err};
use chancery_law::{Effect, LawPack, Query, SignOff};
use chancery_model::Signature;
use jiff::civil::Date;

use crate::pack::{load, shipped, shipped_files};
use crate::random::{Dice, Pack, Stock, day};

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.parse().unwrap(), EntityId::new(id))
}

/// Restated law, decided by the stock authorizer under the closed schema.
struct Closed {
    schema: Schema,
    policies: PolicySet,
    agencies: BTreeSet<String>,
    types: HashMap<String, String>,
}

impl Closed {
    fn new(restated: &Restated) -> Self {
        let policies = restated.policies.iter().map(|(id, text)| {
            let id = PolicyId::new(id);
            Policy::parse(Some(id), text).unwrap_or_else(|error| panic!("{error}\n{text}"))
        });
        let of = |pointer: &str| restated.schema.pointer(pointer).unwrap();
        let agencies = of("//entityTypes/Agency/enum")
            .as_array()
            .map_or_else(Vec::new, Clone::clone);
        let types = of("//entityTypes/Record/shape/attributes").as_object();
        Self {
            schema: Schema::from_json_value(restated.schema.clone()).unwrap(),
            policies: PolicySet::from_policies(policies).unwrap(),
            agencies: agencies
                .iter()
                .map(|id| id.as_str().unwrap().to_owned())
                .collect(),
            types: types
                .unwrap()
                .iter()
                .map(|(name, kind)| (name.clone(), kind["name"].as_str().unwrap().to_owned()))
                .collect(),
        }
    }

    /// An agency that no provision names is one of the two that stand for its family.
    fn agency(&self, path: &str, other: &str) -> String {
        if self.agencies.contains(path) {
            return path.to_owned();
        }
        let family = path.split('/').next().unwrap();
        let stands = if path <= other { "one" } else { "another" };
        let stands = format!("{family}/{stands}");
        assert!(self.agencies.contains(&stands), "{path}");
        stands
    }

    fn says(
        &self,
        query: &Query,
        action: &str,
        element: &str,
        person: &BTreeMap<String, String>,
    ) -> (bool, BTreeSet<String>) {
        let value = |uid| RestrictedExpression::new_entity_uid(uid);
        let attributes = person
            .iter()
            .map(|(name, id)| (name.clone(), value(uid(&self.types[name], id))));
        let record = Entity::new(uid("Record", "r"), attributes.collect(), HashSet::new()).unwrap();
        let entities = Entities::from_entities([record], Some(&self.schema)).unwrap();
        let (recipient, custodian) = (&query.recipient.path, &query.custodian.path);
        let context = [
            ("purpose", uid("Purpose", &query.purpose.path)),
            ("element", uid("Element", element)),
            (
                "custodian",
                uid("Agency", &self.agency(custodian, recipient)),
            ),
        ];
        let context = context.map(|(name, uid)| (name.to_owned(), value(uid)));
        let request = Request::new(
            uid("Agency", &self.agency(recipient, custodian)),
            uid("Action", action),
            uid("Record", "r"),
            Context::from_pairs(context).unwrap(),
            Some(&self.schema),
        )
        .unwrap();
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        assert_eq!(response.diagnostics().errors().count(), 0);
        let reasons = response.diagnostics().reason();
        (
            response.decision() == Decision::Allow,
            reasons.map(ToString::to_string).collect(),
        )
    }
}

fn random_person(dice: &mut Dice, pack: &LawPack) -> Signature {
    let attributes = pack.domain().attributes().iter();
    let value = |attribute: &chancery_model::Attribute| {
        u8::try_from(dice.below(attribute.values.len())).unwrap()
    };
    Signature::new(attributes.map(value).collect())
}

/// On random packs the oracle shares nothing with the crate.
#[test]
fn restated_random_law_decides_as_the_original() {
    let (mut compared, mut lawful) = (0, 0);
    for seed in 0..24 {
        let dice = &mut Dice::new(seed);
        let (pack, law) = Pack::random(dice).load_what_can_be(&mut Vec::new());
        let on = day(dice);
        let closed = Closed::new(&law.restated(on).unwrap());
        for _ in 0..6 {
            let query = crate::random::query(dice, &law);
            let mut stock = Stock::new(&pack, on, query.clone());
            for _ in 0..16 {
                let element = *dice.pick(&crate::random::ELEMENTS);
                let person = law.domain().describe(&random_person(dice, &law));
                let said = closed.says(&query, "disclose", element, &person);
                let expected = stock.says(element, &person);
                assert_eq!(
                    said, expected,
                    "seed {seed}, {query:?}, {element}, {person:?}"
                );
                compared += 1;
                lawful += u32::from(said.0);
            }
        }
    }
    assert!(lawful > compared / 20, "{lawful} of {compared}");
}

/// Every sort of agency, one of them a part of another, and two of an open family.
const AGENCIES: [&str; 14] = [
    "hhs",
    "hhs/cms",
    "hhs/oig",
    "dhs",
    "dhs/ice",
    "dhs/uscis",
    "ssa",
    "state",
    "state/06",
    "state/06/medicaid",
    "state/48/medicaid",
    "research/umich",
    "research/mit",
    "individual",
];

#[test]
fn restated_shipped_law_decides_as_the_original() {
    let pack = shipped();
    let words = pack.vocabulary();
    let dice = &mut Dice::new(7);
    let (mut compared, mut lawful) = (0, 0);
    for on in [
        "2025-07-20",
        "2025-08-20",
        "2025-12-01",
        "2026-01-10",
        "2026-04-01",
    ] {
        let on: Date = on.parse().unwrap();
        let closed = Closed::new(&pack.restated(on).unwrap());
        let law = pack.in_force(on, SignOff::Demonstration).unwrap();
        let pairs = AGENCIES.iter().flat_map(|r| AGENCIES.map(|c| (*r, c)));
        for (recipient, custodian) in pairs {
            // One within the other, always; of the rest, some.
            let within = |one: &str, other: &str| other.starts_with(&format!("{one}/"));
            let related = within(recipient, custodian) || within(custodian, recipient);
            if !related && !dice.one_in(12) {
                continue;
            }
            let query = Query {
                recipient: words.agency(recipient).unwrap(),
                custodian: words.agency(custodian).unwrap(),
                purpose: dice.pick(words.purposes()).clone(),
            };
            let ruling = law.decide(&query).unwrap();
            for _ in 0..6 {
                let element = dice.pick(&ruling.elements);
                let person = random_person(dice, &pack);
                let released = element.released_when.holds(&person);
                let effect = if released {
                    Effect::Permit
                } else {
                    Effect::Forbid
                };
                let hits = element.hits.iter().filter(|hit| hit.effect == effect);
                let by = hits.filter(|hit| hit.when.holds(&person));
                let by = by.map(|hit| hit.provision.clone()).collect();
                let described = pack.domain().describe(&person);
                let said = closed.says(&query, "disclose", &element.element, &described);
                assert_eq!(said, (released, by), "{on}, {query:?}, {}", element.element);
                compared += 1;
                lawful += u32::from(released);
            }
        }
    }
    assert!(lawful > 3, "{lawful} of {compared}");
}

const ASSERTIONS: &str = r#"
[[assertion]]
name = "no-health"
clause = "c"
says = "s"
kind = "never"
recipient = ["dhs"]
purpose = ["immigration-enforcement"]
elements = ["diagnosis", "procedure", "drug", "ssn"]

[[assertion]]
name = "no-citizens"
clause = "c"
says = "s"
kind = "never"
recipient = ["dhs"]
purpose = ["immigration-enforcement"]
[[assertion.where]]
citizenship = ["citizen", "national", "unknown"]

[[assertion]]
name = "not-the-plaintiffs"
clause = "c"
says = "s"
kind = "never"
custodian = ["hhs"]
recipient = ["dhs"]
purpose = ["immigration-enforcement"]
from = "2025-08-12"
until = "2026-01-05"
[[assertion.where]]
origin = ["06", "36", "unknown"]

[[assertion]]
name = "states-submit"
clause = "c"
says = "s"
kind = "always"
custodian = ["state-medicaid"]
except_custodian = ["=state-medicaid"]
recipient = ["=hhs/cms"]
purpose = ["program-administration"]
from = "2025-01-01"

[[assertion]]
name = "to-the-own-state"
clause = "c"
says = "s"
kind = "always"
custodian = ["hhs/cms"]
recipient = ["state-medicaid"]
purpose = ["program-administration"]
from = "2025-01-01"
[[assertion.where]]
origin_of = ["recipient"]

[[assertion]]
name = "to-no-other-state"
clause = "c"
says = "s"
kind = "never"
custodian = ["hhs"]
recipient = ["state"]
[[assertion.where]]
origin_not_of = ["recipient"]

[[assertion]]
name = "researchers-get-no-names"
clause = "c"
says = "s"
kind = "never"
recipient = ["research"]
elements = ["name", "ssn", "address"]
"#;

const FIRST_ORDER: &str = "instruments/order-2025-08-12";
const ID: &str = "us/cand/3-25-cv-05536/order-2025-08-12";

/// The shipped pack with these assertions in place of its own, and one file changed.
fn with(assertions: &str, file: &str, change: impl Fn(&str) -> String) -> LawPack {
    let mut files = shipped_files();
    files.retain(|name, _| !name.ends_with("assertions.toml"));
    files.insert(
        format!("{FIRST_ORDER}/assertions.toml"),
        assertions.to_owned(),
    );
    let text = change(&files[file]);
    files.insert(file.to_owned(), text);
    load(files).unwrap()
}

fn unchanged(assertions: &str) -> LawPack {
    with(assertions, "pack.toml", str::to_owned)
}

fn verdicts(proofs: &Proofs) -> BTreeMap<&str, String> {
    let said = proofs.assertions.iter().map(|(id, verdict)| {
        let name = id.rsplit_once('/').unwrap().1;
        let verdict = match verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Broken { counterexample } => {
                format!("broken on {} by {:?}", counterexample.on, counterexample.by)
            }
            Verdict::Unproven { why } => format!("unproven: {why}"),
        };
        (name, verdict)
    });
    said.collect()
}

fn holds(proofs: &Proofs) -> bool {
    verdicts(proofs).values().all(|verdict| verdict == "holds")
        && proofs.errs.values().all(|errs| *errs == Errs::Never)
}

/// Everything that the shipped pack asserts, on every day, and that no provision can err.
#[test]
fn the_shipped_pack_is_proved() {
    let pack = shipped();
    let started = Instant::now();
    let proofs = pack.prove_symbolically(&Claim::default(), &Solver::cvc5());
    println!(
        "{} assertions, {} provisions, {} laws, {} questions, {:?}",
        proofs.assertions.len(),
        proofs.errs.len(),
        proofs.laws,
        proofs.questions,
        started.elapsed()
    );
    for (id, verdict) in &proofs.assertions {
        assert_eq!(*verdict, Verdict::Holds, "{id}");
    }
    assert!(holds(&proofs), "{:?}", proofs.errs);
    assert!(proofs.assertions.len() > 20);
}

#[test]
fn what_holds_is_proved() {
    let pack = unchanged(ASSERTIONS);
    let started = Instant::now();
    let proofs = pack.prove_symbolically(&Claim::default(), &Solver::cvc5());
    println!(
        "{} laws, {} questions, {:?}",
        proofs.laws,
        proofs.questions,
        started.elapsed()
    );
    assert_eq!(proofs.assertions.len(), 7);
    assert!(proofs.errs.len() > 20);
    assert!(proofs.laws > 5, "{}", proofs.laws);
    assert!(holds(&proofs), "{proofs:?}");
}

/// A bar that no longer names the purpose it bars, a permit without its limit, and a flow that is
/// cut: each is found, on the first day it breaks, with the provisions that decide.
#[test]
fn what_is_broken_is_found_and_stands() {
    let open = |text: &str| {
        text.replace(
            "Purpose::\"immigration-enforcement\"",
            "Purpose::\"treatment\"",
        )
    };
    let order = format!("{FIRST_ORDER}/provisions.cedar");
    let proofs =
        with(ASSERTIONS, &order, open).prove_symbolically(&Claim::default(), &Solver::cvc5());
    let said = verdicts(&proofs);
    assert_eq!(
        said["not-the-plaintiffs"],
        "broken on 2025-08-12 by [\"us/hhs/cms-ice-exchange-agreement-2025-07#identity-and-location\"]"
    );
    assert_eq!(
        said.values().filter(|verdict| *verdict == "holds").count(),
        6,
        "{said:?}"
    );

    let flow = "instruments/routine-tmsis-submission/provisions.cedar";
    let cut = |text: &str| {
        text.replace(
            "context.custodian in Agency::\"state\" &&",
            "!(context.custodian in Agency::\"state/48\") &&",
        )
    };
    let proofs = with(ASSERTIONS, flow, cut).prove_symbolically(&Claim::default(), &Solver::cvc5());
    let broken = format!("{ID}#assert/states-submit");
    let Some(Verdict::Broken {
        counterexample: example,
    }) = proofs.assertions.get(&broken)
    else {
        panic!("{:?}", verdicts(&proofs));
    };
    assert_eq!(example.custodian, "state/48/medicaid");
    assert_eq!(example.recipient, "hhs/cms");
    assert!(example.by.is_empty(), "withheld by default");
}

/// The law as it is shipped with one slip of the pen, on one day: both provers say the same of every
/// assertion, and something is broken.
#[test]
fn both_provers_find_the_same_slips() {
    let slips = [
        // A purpose is mistaken.
        (
            "2025-09-01",
            format!("{FIRST_ORDER}/provisions.cedar"),
            "Purpose::\"immigration-enforcement\"",
            "Purpose::\"treatment\"",
        ),
        // An element too many in a list.
        (
            "2026-01-10",
            "elements.toml".to_owned(),
            "members = [\"medicaid_id\", \"birth_date\",",
            "members = [\"medicaid_id\", \"name\", \"birth_date\",",
        ),
        // A condition turned.
        (
            "2026-04-01",
            "instruments/routine-state-return/provisions.cedar".to_owned(),
            "resource.origin != Origin::\"unknown\"",
            "resource.origin != Origin::\"06\"",
        ),
    ];
    for (on, file, text, slip) in slips {
        let mut files = shipped_files();
        assert!(files[&file].contains(text), "{file}");
        files.insert(file.clone(), files[&file].replace(text, slip));
        let pack = load(files).unwrap();
        let claim = Claim {
            on: on.parse().ok(),
            ..Claim::default()
        };
        let symbolic = pack.prove_symbolically(&claim, &Solver::cvc5());
        let mut report = pack.prove(&claim).unwrap();
        assert!(report.assertions.len() > 50);
        report.add_symbolic(symbolic.assertions);
        let broken = report.broken().count();
        println!("{file}: {broken} broken");
        assert!(broken > 0, "{file}");
        for finding in &report.assertions {
            let other = finding.symbolic.as_ref().unwrap();
            let same = std::mem::discriminant(&finding.enumeration);
            assert_eq!(same, std::mem::discriminant(other), "{file}: {finding:?}");
        }
    }
}

/// A program that stands in for the solver.
fn fake(script: &str) -> (tempfile::TempDir, Solver) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("solver");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_mode(0o755);
    std::fs::set_permissions(&path, permissions).unwrap();
    let solver = Solver {
        program: path.into(),
        ..Solver::cvc5()
    };
    (dir, solver)
}

/// One assertion that holds, and nobody can tell.
fn nobody_can_tell(pack: &LawPack, solver: &Solver, reason: &str) {
    let proofs = pack.prove_symbolically(&Claim::default(), solver);
    for (name, verdict) in verdicts(&proofs) {
        let told = verdict.starts_with("unproven") && verdict.contains(reason);
        assert!(told, "{name}: {verdict}, not {reason}");
    }
    let unproven = |errs: &Errs| matches!(errs, Errs::Unproven(_));
    assert!(proofs.errs.values().all(unproven), "{:?}", proofs.errs);
    assert!(!holds(&proofs));
}

fn answering(answer: &str) -> String {
    format!("while read -r line; do case $line in *check-sat*) echo '{answer}';; esac; done")
}

#[test]
fn a_solver_that_cannot_answer_proves_nothing() {
    let pack = unchanged(ASSERTIONS);
    let missing = Solver {
        program: "/nowhere/cvc5".into(),
        ..Solver::cvc5()
    };
    nobody_can_tell(
        &pack,
        &missing,
        "the solver cannot be started: No such file",
    );
    for (script, reason) in [
        (answering("unknown"), "the solver answered `unknown`"),
        // What it says is not so.
        (
            answering("unsat"),
            "is wrong about a question whose answer is known",
        ),
        (answering("nonsense"), "unrecognized solver output"),
        ("exit 3".to_owned(), "the solver failed"),
        ("read -r line; kill -9 $$".to_owned(), "the solver failed"),
    ] {
        let (_dir, solver) = fake(&script);
        nobody_can_tell(&pack, &solver, reason);
    }
}

/// The real solver answers the questions whose answers are known; then something happens.
fn failing_later(what: &str) -> String {
    format!(
        "exec 3>&1; n=0\nwhile IFS= read -r line; do\n  case $line in *check-sat*) n=$((n+1))\n    \
         if [ $n -gt 2 ]; then {what}; continue; fi;; esac\n  printf '%s\\n' \"$line\"\ndone | cvc5 --lang smt"
    )
}

#[test]
fn a_solver_that_fails_later_proves_nothing() {
    let one = ASSERTIONS.split_inclusive("\n\n").next().unwrap();
    let mut files = shipped_files();
    files.retain(|name, _| !name.ends_with("assertions.toml"));
    files.insert(format!("{FIRST_ORDER}/assertions.toml"), one.to_owned());
    let pack = load(files).unwrap();
    for (what, reason) in [
        ("echo unknown >&3", "the solver answered `unknown`"),
        ("echo '(error \"Parse Error: no\")' >&3", "Parse Error: no"),
        ("exit 1", "the solver failed"),
        (
            "exec 3>&-; sleep 2",
            "the solver gave no answer within 50ms",
        ),
    ] {
        let (_dir, mut solver) = fake(&failing_later(what));
        let claim = Claim {
            on: "2025-09-01".parse().ok(),
            instrument: Some(ID.to_owned()),
        };
        solver.limit = Duration::from_millis(50);
        let proofs = pack.prove_symbolically(&claim, &solver);
        let said = verdicts(&proofs);
        assert!(said["no-health"].contains(reason), "{what}: {said:?}");
        assert!(!holds(&proofs));
    }
}

#[test]
fn the_time_for_all_questions_is_limited() {
    let (_dir, mut solver) = fake("exec sleep 5");
    solver.total = Duration::from_millis(300);
    let proofs = unchanged(ASSERTIONS).prove_symbolically(&Claim::default(), &solver);
    let up = |verdict: &String| verdict.starts_with("unproven");
    assert!(verdicts(&proofs).values().all(up), "{proofs:?}");
    assert!(
        verdicts(&proofs)
            .values()
            .any(|why| why.contains("the time for all questions is up")),
        "{proofs:?}"
    );
}

/// A forbid that overflows is skipped: Cedar then says Allow. The validator finds nothing in it.
#[test]
fn a_policy_that_can_err_is_found() {
    let schema = "entity Agency; entity Record { dob_year: Long }; \
                  action disclose appliesTo { principal: Agency, resource: Record };";
    let policies = "permit (principal, action, resource);\n\
                    forbid (principal, action, resource) when { resource.dob_year + 18 < 2026 };\n\
                    forbid (principal, action, resource) when { resource.dob_year < 2008 };";
    let errs = policies_err(schema, policies, &Solver::cvc5()).unwrap();
    assert_eq!(errs["policy0"], Errs::Never);
    assert!(
        matches!(&errs["policy1"], Errs::Sometimes(error) if error.contains("overflow")),
        "{errs:?}"
    );
    assert_eq!(errs["policy2"], Errs::Never);
    assert!(policies_err("entity", policies, &Solver::cvc5()).is_err());
}
