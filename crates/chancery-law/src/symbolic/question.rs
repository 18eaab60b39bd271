use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use cedar_policy::{
    Authorizer, Decision, EvalResult, Policy, PolicySet, Request, RequestEnv, Schema,
};
use cedar_policy_symcc::{CompiledPolicy, CompiledPolicySet, Env};
use chancery_model::Signature;
use jiff::civil::Date;

use super::closed::{AGENCY, Closed};
use super::region::region;
use super::restate::{Restating, fact, one_of, permit};
use super::solver::{Question, Solver, Trial, each};
use crate::expression::{record, uid};
use crate::ruling::{context, facts, principal};
use crate::schema::RECORD;
use crate::{Assertion, AssertionKind, LawPack, Query, SignOff};

/// What is known of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It holds of every request and record there can be.
    Holds,
    /// It does not: here is one.
    Broken(T),
    /// Nobody knows, for this reason.
    Unproven(String),
}

/// A request and a record that break an assertion, as the ordinary authorizer confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The day.
    pub on: Date,
    /// What is done with the record.
    pub action: String,
    /// Who holds it.
    pub custodian: String,
    /// Who receives it.
    pub recipient: String,
    /// What for.
    pub purpose: String,
    /// The element.
    pub element: String,
    /// The record's attribute values.
    pub record: Signature,
    /// The provisions that determined the answer.
    pub provisions: BTreeSet<String>,
}

/// A statement with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof<T> {
    /// The assertion or provision.
    pub of: String,
    /// What is known.
    pub verdict: Verdict<T>,
}

/// What the solver says of a law pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proofs {
    /// Each assertion, in the pack's order.
    pub assertions: Vec<Proof<Counterexample>>,
    /// That each provision never errs; broken, by this request.
    pub never_err: Vec<Proof<String>>,
    /// How many different laws there are over all of time.
    pub laws: usize,
    /// How many questions the solver was asked.
    pub questions: u64,
}

impl Proofs {
    /// Whether everything holds.
    pub fn hold(&self) -> bool {
        let assertions = self.assertions.iter();
        let mut assertions = assertions.map(|proof| proof.verdict == Verdict::Holds);
        let mut never_err = self.never_err.iter();
        assertions.all(|holds| holds) && never_err.all(|proof| proof.verdict == Verdict::Holds)
    }
}

impl LawPack {
    /// Holds every assertion against the law of every day, as if signed, and every provision
    /// against errors.
    pub fn prove_symbolically(&self, solver: &Solver) -> Proofs {
        let assertions: Vec<&Assertion> = self
            .instruments()
            .iter()
            .flat_map(|instrument| &instrument.assertions)
            .collect();
        let asked = AtomicU64::new(0);
        let unproven = |reason: String| vec![Verdict::Unproven(reason); assertions.len()];
        let (verdicts, laws) = match Prover::new(self, &assertions, solver, &asked) {
            Ok(prover) => (prover.verdicts(), prover.laws.len()),
            Err(reason) => (unproven(reason), 0),
        };
        let proof = |(assertion, verdict): (&&Assertion, Verdict<Counterexample>)| Proof {
            of: assertion.id.clone(),
            verdict,
        };
        let provisions = self.instruments().iter().flat_map(|i| &i.provisions);
        let policies: Vec<&Policy> = provisions.map(|provision| &provision.policy).collect();
        Proofs {
            assertions: assertions.iter().zip(verdicts).map(proof).collect(),
            never_err: none_errs(&self.schema, &policies, solver, &asked),
            laws,
            questions: asked.into_inner(),
        }
    }
}

/// Whether each policy of a text can err, for any request that the schema admits: such a forbid
/// would be skipped. Entities that a policy names are taken to exist; the loader of a law pack
/// sees to that.
///
/// # Errors
///
/// What Cedar says of a text that is no schema, or no policies.
pub fn never_errs(
    schema: &str,
    policies: &str,
    solver: &Solver,
) -> Result<Vec<Proof<String>>, String> {
    let (schema, _) = Schema::from_cedarschema_str(schema).map_err(|e| format!("{e:?}"))?;
    let set: PolicySet = policies.parse().map_err(|error| format!("{error}"))?;
    let policies: Vec<&Policy> = set.policies().collect();
    Ok(none_errs(&schema, &policies, solver, &AtomicU64::new(0)))
}

/// The law of some days, restated.
struct Law {
    policies: PolicySet,
    /// For each assertion that speaks while it is the law, the first such day.
    days: BTreeMap<usize, Date>,
    /// Compiled, by action.
    compiled: BTreeMap<String, OnceLock<Result<CompiledPolicySet, String>>>,
}

/// Assertions of one kind held against one law for one action.
struct Job<'l> {
    law: &'l Law,
    action: &'l str,
    kind: AssertionKind,
    assertions: Vec<usize>,
}

struct Prover<'a> {
    closed: Closed<'a>,
    assertions: &'a [&'a Assertion],
    laws: Vec<Law>,
    solver: &'a Solver,
    trial: Trial,
    asked: &'a AtomicU64,
}

impl<'a> Prover<'a> {
    fn new(
        pack: &'a LawPack,
        assertions: &'a [&'a Assertion],
        solver: &'a Solver,
        asked: &'a AtomicU64,
    ) -> Result<Self, String> {
        let named = assertions.iter().flat_map(|assertion| {
            let custodians = assertion.custodians.paths();
            custodians.chain(assertion.recipients.paths())
        });
        let closed = Closed::new(pack, &named.map(str::to_owned).collect())?;
        Ok(Self {
            trial: trial(&closed)?,
            laws: laws(&closed, assertions)?,
            closed,
            assertions,
            solver,
            asked,
        })
    }

    fn verdicts(&self) -> Vec<Verdict<Counterexample>> {
        // All assertions of a kind in one question per law: as a rule none is broken.
        let merged = self.jobs();
        let answers = self.answers(&merged);
        let mut alone = Vec::new();
        for (job, answer) in merged.iter().zip(answers) {
            if !matches!(answer, Ok(None)) {
                alone.extend(job.assertions.iter().map(|assertion| Job {
                    law: job.law,
                    action: job.action,
                    kind: job.kind,
                    assertions: vec![*assertion],
                }));
            }
        }
        let answers = self.answers(&alone);
        let mut verdicts = vec![Verdict::Holds; self.assertions.len()];
        for (job, answer) in alone.iter().zip(answers) {
            for at in &job.assertions {
                let found = self.verdict(job, *at, &answer);
                if let Some(known) = verdicts.get_mut(*at) {
                    worse(known, found);
                }
            }
        }
        verdicts
    }

    /// What is to be asked, the assertions of a kind together.
    fn jobs(&self) -> Vec<Job<'_>> {
        let mut jobs = Vec::new();
        for law in &self.laws {
            for action in law.compiled.keys() {
                for kind in [AssertionKind::Never, AssertionKind::Always] {
                    let speaks = |at: &&usize| {
                        let assertion = self.assertions.get(**at);
                        assertion.is_some_and(|a| a.kind == kind && a.actions.contains(action))
                    };
                    let assertions: Vec<usize> = law.days.keys().filter(speaks).copied().collect();
                    if !assertions.is_empty() {
                        jobs.push(Job {
                            law,
                            action,
                            kind,
                            assertions,
                        });
                    }
                }
            }
        }
        jobs
    }

    /// For each job a request of its regions that breaks an assertion, none, or why there is no
    /// answer.
    fn answers(&self, jobs: &[Job<'_>]) -> Vec<Result<Option<Env>, String>> {
        let answers = each(self.solver, &self.trial, self.asked, jobs, |asker, job| {
            let environment = self.closed.environment(job.action)?;
            let compile = |set: &PolicySet| {
                CompiledPolicySet::compile(set, &environment, &self.closed.schema)
                    .map_err(|error| error.to_string())
            };
            let law = job.law.compiled.get(job.action);
            let law = law.ok_or("the law lacks the action")?;
            let law = law.get_or_init(|| compile(&job.law.policies));
            let law = law.as_ref().map_err(Clone::clone)?;
            let assertions = job.assertions.iter().filter_map(|at| self.assertions.get(*at));
            let regions = assertions.map(|assertion| region(&self.closed, assertion, job.action));
            let regions = regions.collect::<Result<Vec<_>, _>>()?;
            let regions =
                PolicySet::from_policies(regions).map_err(|error| error.to_string())?;
            let regions = compile(&regions)?;
            asker.ask(&match job.kind {
                AssertionKind::Never => Question::BothAllow(&regions, law),
                AssertionKind::Always => Question::OnlyFirstAllows(&regions, law),
            })
        });
        let lost = || Err("a worker failed".to_owned());
        let answers = answers.into_iter();
        answers
            .map(|answer| answer.unwrap_or_else(lost))
            .collect()
    }

    fn verdict(
        &self,
        job: &Job<'_>,
        at: usize,
        answer: &Result<Option<Env>, String>,
    ) -> Verdict<Counterexample> {
        let found = match answer {
            Ok(None) => return Verdict::Holds,
            Ok(Some(found)) => found,
            Err(reason) => return Verdict::Unproven(reason.clone()),
        };
        let day = job.law.days.get(&at).copied();
        let again = self
            .assertions
            .get(at)
            .zip(day)
            .ok_or_else(|| "the assertion was lost".to_owned())
            .and_then(|(assertion, day)| {
                self.decided_again(assertion, job.action, day, found)
            });
        match again {
            Ok(counterexample) => Verdict::Broken(counterexample),
            Err(reason) => Verdict::Unproven(format!(
                "the solver found a counterexample that does not stand: {reason}"
            )),
        }
    }

    /// Decides what the solver found with the ordinary authorizer and the law as it stands in the
    /// pack.
    fn decided_again(
        &self,
        assertion: &Assertion,
        action: &str,
        on: Date,
        found: &Env,
    ) -> Result<Counterexample, String> {
        let pack = self.closed.pack;
        let (query, element, person) = read(pack, found)?;
        let domain = pack.domain();
        let (origin, _) = domain
            .attribute(&pack.classification().origin)
            .ok_or("records have no origin")?;
        let (custodian, recipient) = (&query.custodian, &query.recipient);
        if !assertion.asks(custodian, recipient, &query.purpose, &element)
            || !assertion.speaks_of(&person, custodian, recipient, domain, origin)
        {
            return Err("the assertion does not speak of it".to_owned());
        }
        let law = pack
            .in_force(on, SignOff::Demonstration)
            .map_err(|error| error.to_string())?;
        let resource = record("record", &person, domain, &pack.types)?;
        let request = Request::new(
            principal(&query)?,
            uid("Action", action)?,
            resource.uid(),
            context(&query, &element)?,
            Some(&pack.schema),
        )
        .map_err(|error| error.to_string())?;
        let entities = facts(&law, &query)?
            .add_entities([resource], Some(&pack.schema))
            .map_err(|error| error.to_string())?;
        let response = Authorizer::new().is_authorized(&request, &law.policies, &entities);
        let diagnostics = response.diagnostics();
        if diagnostics.errors().next().is_some() {
            return Err("the authorizer erred".to_owned());
        }
        let breaks = match assertion.kind {
            AssertionKind::Never => Decision::Allow,
            AssertionKind::Always => Decision::Deny,
        };
        if response.decision() != breaks {
            return Err("the authorizer decides otherwise".to_owned());
        }
        Ok(Counterexample {
            on,
            action: action.to_owned(),
            custodian: query.custodian.path,
            recipient: query.recipient.path,
            purpose: query.purpose.path,
            element,
            record: person,
            provisions: diagnostics.reason().map(ToString::to_string).collect(),
        })
    }
}

/// The request and record of a model, in the pack's words.
fn read(pack: &LawPack, found: &Env) -> Result<(Query, String, Signature), String> {
    let words = pack.vocabulary();
    let context = found.request.context().ok_or("it has no context")?;
    let named = |name: &str| match context.get(name) {
        Some(EvalResult::EntityUid(uid)) => Ok(uid.id().unescaped().to_owned()),
        _ => Err(format!("it has no {name}")),
    };
    let agency = |path: &str| {
        let agency = words.agency(path);
        agency.ok_or_else(|| "it has an agency that is not of the pack".to_owned())
    };
    let principal = found.request.principal().ok_or("it has no recipient")?;
    let purpose = words.purpose(&named("purpose")?);
    let query = Query {
        recipient: agency(principal.id().unescaped())?,
        custodian: agency(&named("custodian")?)?,
        purpose: purpose.ok_or("it has no purpose of the pack")?.clone(),
    };
    let element = named("element")?;
    let resource = found.request.resource().ok_or("it has no record")?;
    let resource = found.entities.get(resource).ok_or("its record is lost")?;
    let mut values = Vec::new();
    for (at, attribute) in pack.domain().attributes().iter().enumerate() {
        let value = match resource.attr(&attribute.name) {
            Some(Ok(EvalResult::EntityUid(uid))) => {
                pack.domain().value(at, uid.id().unescaped())
            }
            _ => None,
        };
        values.push(value.ok_or_else(|| format!("its record lacks `{}`", attribute.name))?);
    }
    Ok((query, element, Signature::new(values)))
}

/// Broken is worse than unproven, unproven than holding; of two days the first counts.
fn worse(known: &mut Verdict<Counterexample>, found: Verdict<Counterexample>) {
    let replaces = match (&*known, &found) {
        (Verdict::Broken(known), Verdict::Broken(found)) => found.on < known.on,
        (Verdict::Holds | Verdict::Unproven(_), Verdict::Broken(_))
        | (Verdict::Holds, Verdict::Unproven(_)) => true,
        _ => false,
    };
    if replaces {
        *known = found;
    }
}

/// Every different law over all of time, with the assertions that speak while it stands.
fn laws(closed: &Closed<'_>, assertions: &[&Assertion]) -> Result<Vec<Law>, String> {
    let pack = closed.pack;
    let mut laws: Vec<Law> = Vec::new();
    let mut known: BTreeMap<Vec<(String, String)>, usize> = BTreeMap::new();
    let actions: BTreeSet<&String> = assertions.iter().flat_map(|a| &a.actions).collect();
    for day in days(pack, assertions) {
        let law = pack
            .in_force(day, SignOff::Demonstration)
            .map_err(|error| error.to_string())?;
        let restating = Restating::new(closed, &law)?;
        let mut policies = Vec::new();
        let mut text = Vec::new();
        for (id, provision) in &law.provisions {
            let policy = restating
                .policy(&provision.policy)
                .map_err(|problem| format!("`{id}`: {problem}"))?;
            text.push((id.clone(), policy.to_string()));
            policies.push(policy);
        }
        let at = match known.get(&text) {
            Some(at) => *at,
            None => {
                let policies =
                    PolicySet::from_policies(policies).map_err(|error| error.to_string())?;
                let compiled = actions.iter();
                let compiled = compiled.map(|action| ((*action).clone(), OnceLock::new()));
                laws.push(Law {
                    policies,
                    days: BTreeMap::new(),
                    compiled: compiled.collect(),
                });
                known.insert(text, laws.len() - 1);
                laws.len() - 1
            }
        };
        if let Some(law) = laws.get_mut(at) {
            for (at, assertion) in assertions.iter().enumerate() {
                if assertion.on(day) {
                    law.days.entry(at).or_insert(day);
                }
            }
        }
    }
    Ok(laws)
}

/// A day of every stretch of time in which neither the law nor what assertions speak of changes.
fn days(pack: &LawPack, assertions: &[&Assertion]) -> BTreeSet<Date> {
    // The day after: a last day is still of the stretch before.
    let after = |day: Date| day.tomorrow().ok();
    let mut days = BTreeSet::from([Date::MIN]);
    for instrument in pack.instruments() {
        for event in &instrument.events {
            days.insert(event.on);
            days.extend(after(event.on));
        }
        for party in &instrument.parties {
            days.insert(party.from);
            days.extend(party.until.and_then(after));
        }
    }
    for assertion in assertions {
        days.extend(assertion.from);
        days.extend(assertion.until.and_then(after));
    }
    days
}

/// Two agencies: a request may have the one as recipient and the other as custodian, and cannot
/// have both as recipient.
fn trial(closed: &Closed<'_>) -> Result<Trial, String> {
    let mut agencies = closed.agencies.keys().map(String::as_str);
    let (Some(one), Some(other)) = (agencies.next(), agencies.next()) else {
        return Err("the law pack has fewer than two agencies".to_owned());
    };
    let actions = closed.pack.actions.first();
    let action = actions.ok_or("the law pack has no action")?;
    let environment = closed.environment(action)?;
    let set = |of: Option<&str>, agency: &str| {
        let when = one_of(&fact(of), AGENCY, [agency])?;
        let set = PolicySet::from_policies([permit("trial", action, when)?]);
        let set = set.map_err(|error| error.to_string())?;
        CompiledPolicySet::compile(&set, &environment, &closed.schema)
            .map_err(|error| error.to_string())
    };
    Ok(Trial {
        some: (set(None, one)?, set(Some("custodian"), other)?),
        none: (set(None, one)?, set(None, other)?),
    })
}

fn none_errs(
    schema: &Schema,
    policies: &[&Policy],
    solver: &Solver,
    asked: &AtomicU64,
) -> Vec<Proof<String>> {
    let environments: Vec<RequestEnv> = schema.request_envs().collect();
    let proof = |policy: &Policy, verdict| Proof {
        of: policy.id().to_string(),
        verdict,
    };
    let trial = match trial_of_errors() {
        Ok(trial) => trial,
        Err(reason) => {
            let unproven = |policy: &&Policy| proof(policy, Verdict::Unproven(reason.clone()));
            return policies.iter().map(unproven).collect();
        }
    };
    let verdicts = each(solver, &trial, asked, policies, |asker, policy| {
        for environment in &environments {
            let found = CompiledPolicy::compile(policy, environment, schema)
                .map_err(|error| error.to_string())
                .and_then(|compiled| asker.ask(&Question::Errs(&compiled)));
            match found {
                Ok(None) => {}
                Ok(Some(found)) => return erred(policy, &found),
                Err(reason) => return Verdict::Unproven(reason),
            }
        }
        Verdict::Holds
    });
    let lost = || Verdict::Unproven("a worker failed".to_owned());
    let verdicts = verdicts.into_iter().map(|v| v.unwrap_or_else(lost));
    let proofs = policies.iter().zip(verdicts);
    proofs.map(|(policy, verdict)| proof(policy, verdict)).collect()
}

/// Whether the ordinary authorizer errs as well.
fn erred(policy: &Policy, found: &Env) -> Verdict<String> {
    let response = PolicySet::from_policies([policy.clone()])
        .map(|set| Authorizer::new().is_authorized(&found.request, &set, &found.entities));
    let problem = match &response {
        Ok(response) => response.diagnostics().errors().next().map(ToString::to_string),
        Err(error) => Some(error.to_string()),
    };
    match problem {
        Some(problem) => Verdict::Broken(problem),
        None => Verdict::Unproven("the solver found an error that does not stand".to_owned()),
    }
}

/// A trial that needs no law pack.
fn trial_of_errors() -> Result<Trial, String> {
    let schema = format!(
        "entity Agency enum [\"one\", \"other\"]; entity {RECORD} {{ origin: Agency }}; \
         action disclose appliesTo {{ principal: Agency, resource: {RECORD} }};"
    );
    let (schema, _) = Schema::from_cedarschema_str(&schema).map_err(|error| error.to_string())?;
    let environment = schema.request_envs().next();
    let environment = environment.ok_or("the trial has no request")?;
    let set = |who: &str| {
        let policy = format!("permit (principal, action, resource) when {{ {who} }};");
        let set: PolicySet = policy.parse().map_err(|error| format!("{error}"))?;
        CompiledPolicySet::compile(&set, &environment, &schema).map_err(|error| error.to_string())
    };
    let one = "principal == Agency::\"one\"";
    Ok(Trial {
        some: (set(one)?, set("resource.origin == Agency::\"other\"")?),
        none: (set(one)?, set("principal == Agency::\"other\"")?),
    })
}
