//! The symbolic prover: what it restates means the same, what it finds stands, and what it does not
//! know it does not say. The solver `cvc5` must be there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityUid, Policy, PolicyId,
    PolicySet, Request, RestrictedExpression, Schema,
};
use chancery_law::symbolic::{Proofs, Restated, Solver, Verdict, never_errs};
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
        let attributes = person.iter().map(|(name, id)| {
            (name.clone(), value(uid(&self.types[name], id)))
        });
        let record = Entity::new(uid("Record", "r"), attributes.collect(), HashSet::new()).unwrap();
        let entities = Entities::from_entities([record], Some(&self.schema)).unwrap();
        let (recipient, custodian) = (&query.recipient.path, &query.custodian.path);
        let context = [
            ("purpose", uid("Purpose", &query.purpose.path)),
            ("element", uid("Element", element)),
            ("custodian", uid("Agency", &self.agency(custodian, recipient))),
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
                assert_eq!(said, expected, "seed {seed}, {query:?}, {element}, {person:?}");
                compared += 1;
                lawful += u32::from(said.0);
            }
        }
    }
    assert!(lawful > compared / 20, "{lawful} of {compared}");
}

/// Every sort of agency, one of them a part of another, and two of an open family.
const AGENCIES: [&str; 14] = [
    "hhs", "hhs/cms", "hhs/oig", "dhs", "dhs/ice", "dhs/uscis", "ssa", "state", "state/06",
    "state/06/medicaid", "state/48/medicaid", "research/umich", "research/mit", "individual",
];

#[test]
fn restated_shipped_law_decides_as_the_original() {
    let pack = shipped();
    let words = pack.vocabulary();
    let dice = &mut Dice::new(7);
    let (mut compared, mut lawful) = (0, 0);
    for on in ["2025-07-20", "2025-08-20", "2025-12-01", "2026-01-10", "2026-04-01"] {
        let on: Date = on.parse().unwrap();
        let closed = Closed::new(&pack.restated(on).unwrap());
        let law = pack.in_force(on, SignOff::Demonstration).unwrap();
        for (recipient, custodian) in AGENCIES.iter().flat_map(|r| AGENCIES.map(|c| (*r, c))) {
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
                let effect = if released { Effect::Permit } else { Effect::Forbid };
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
    assert!(lawful > 20, "{lawful} of {compared}");
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

/// The shipped pack with these assertions in place of its own, and one file changed.
fn with(assertions: &str, file: &str, change: impl Fn(&str) -> String) -> LawPack {
    let mut files = shipped_files();
    files.retain(|name, _| !name.ends_with("assertions.toml"));
    files.insert(format!("{FIRST_ORDER}/assertions.toml"), assertions.to_owned());
    let text = change(&files[file]);
    files.insert(file.to_owned(), text);
    load(files).unwrap()
}

fn unchanged(assertions: &str) -> LawPack {
    with(assertions, "pack.toml", str::to_owned)
}

fn verdicts(proofs: &Proofs) -> BTreeMap<&str, String> {
    let said = proofs.assertions.iter().map(|proof| {
        let name = proof.of.rsplit_once('/').unwrap().1;
        let verdict = match &proof.verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Broken(example) => format!("broken on {} by {:?}", example.on, example.provisions),
            Verdict::Unproven(reason) => format!("unproven: {reason}"),
        };
        (name, verdict)
    });
    said.collect()
}

#[test]
fn what_holds_is_proved() {
    let pack = unchanged(ASSERTIONS);
    let started = Instant::now();
    let proofs = pack.prove_symbolically(&Solver::cvc5());
    println!(
        "{} laws, {} questions, {:?}",
        proofs.laws,
        proofs.questions,
        started.elapsed()
    );
    assert_eq!(proofs.assertions.len(), 7);
    assert!(proofs.never_err.len() > 20);
    assert!(proofs.laws > 5, "{}", proofs.laws);
    assert!(proofs.hold(), "{proofs:?}");
}

/// A bar that no longer names the purpose it bars, a permit without its limit, and a flow that is
/// cut: each is found, on the first day it breaks, with the provisions that decide.
#[test]
fn what_is_broken_is_found_and_stands() {
    let open = |text: &str| text.replace("Purpose::\"immigration-enforcement\"", "Purpose::\"treatment\"");
    let order = format!("{FIRST_ORDER}/provisions.cedar");
    let proofs = with(ASSERTIONS, &order, open).prove_symbolically(&Solver::cvc5());
    let said = verdicts(&proofs);
    assert_eq!(
        said["not-the-plaintiffs"],
        "broken on 2025-08-12 by {\"us/hhs/cms-ice-exchange-agreement-2025-07#identity-and-location\"}"
    );
    assert_eq!(said.values().filter(|verdict| *verdict == "holds").count(), 6, "{said:?}");

    let notice = "instruments/90-fr-53324/provisions.cedar";
    let wide = |text: &str| text.replace("resource.citizenship == Citizenship::\"noncitizen\"", "resource.citizenship != Citizenship::\"citizen\"");
    let twice = "instruments/8-usc-1360-b/provisions.cedar";
    let pack = with(ASSERTIONS, notice, wide);
    let proofs = pack.prove_symbolically(&Solver::cvc5());
    // Another bar still holds the others back: nothing is broken.
    assert!(proofs.hold(), "{:?}", verdicts(&proofs));

    let mut files = shipped_files();
    files.retain(|name, _| !name.ends_with("assertions.toml"));
    files.insert(format!("{FIRST_ORDER}/assertions.toml"), ASSERTIONS.to_owned());
    for file in [notice, twice] {
        let text = files[file].replace("resource.citizenship == Citizenship::\"noncitizen\"", "resource.citizenship != Citizenship::\"citizen\"");
        files.insert(file.to_owned(), text);
    }
    match load(files) {
        // The bar would be escaped: the loader refuses it already.
        Err(chancery_law::Error::Invalid(faults)) => assert_eq!(faults.len(), 1),
        other => panic!("{other:?}"),
    }

    let flow = "instruments/routine-tmsis-submission/provisions.cedar";
    let cut = |text: &str| text.replace("context.custodian in Agency::\"state\" &&", "!(context.custodian in Agency::\"state/48\") &&");
    let proofs = with(ASSERTIONS, flow, cut).prove_symbolically(&Solver::cvc5());
    let broken = proofs.assertions.iter().find(|proof| proof.of.ends_with("/states-submit"));
    let Some(Verdict::Broken(example)) = broken.map(|proof| &proof.verdict) else {
        panic!("{:?}", verdicts(&proofs));
    };
    assert_eq!(example.custodian, "state/48/medicaid");
    assert_eq!(example.recipient, "hhs/cms");
    assert!(example.provisions.is_empty(), "withheld by default");
}

/// A program that stands in for the solver.
fn fake(dir: &tempfile::TempDir, script: &str) -> Solver {
    let path = dir.path().join("solver");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_mode(0o755);
    std::fs::set_permissions(&path, permissions).unwrap();
    Solver {
        program: path.into(),
        limit: Duration::from_millis(200),
        workers: 2,
    }
}

/// Answers the two questions whose answers are known as cvc5 would, then goes on as told. The first
/// needs a model, so cvc5 itself is asked.
fn honest_at_first(then: &str) -> String {
    let mut script = String::from("n=0\ncoproc=\n");
    let _ = write!(
        script,
        "exec awk -v then='{then}' 'BEGIN {{ cvc = \"cvc5 --lang smt --incremental\" }} {{ exit 1 }}'"
    );
    script
}

/// Nothing that a solver fails to say is taken for a proof.
#[test]
fn no_answer_is_no_proof() {
    let pack = unchanged(ASSERTIONS);
    let dir = tempfile::tempdir().unwrap();
    let missing = Solver {
        program: dir.path().join("nowhere").into(),
        ..Solver::cvc5()
    };
    let mut solvers = vec![(missing, "the solver cannot be started")];
    let answering = |answer: &str| {
        format!("while read -r line; do case \"$line\" in *check-sat*) echo {answer};; esac; done")
    };
    for (script, reason) in [
        (answering("unknown"), "the solver answered `unknown`"),
        (answering("unsat"), "is wrong about a question whose answer is known"),
        (answering("nonsense"), "the solver failed: unrecognized solver output"),
        ("exit 3".to_owned(), "the solver failed"),
        ("read -r line; kill -9 $$".to_owned(), "the solver failed"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let solver = fake(&dir, &script);
        let proofs = pack.prove_symbolically(&solver);
        drop(dir);
        for verdict in verdicts(&proofs).values() {
            assert!(verdict.starts_with("unproven") && verdict.contains(reason), "{script}: {verdict}");
        }
        for proof in &proofs.never_err {
            assert!(matches!(&proof.verdict, Verdict::Unproven(_)), "{script}: {proof:?}");
        }
        assert!(!proofs.hold());
    }
    let (solver, reason) = solvers.remove(0);
    let proofs = pack.prove_symbolically(&solver);
    for verdict in verdicts(&proofs).values() {
        assert!(verdict.starts_with("unproven") && verdict.contains(reason), "{verdict}");
    }
}
