use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use cedar_policy::{
    Authorizer, Decision, EvalResult, Policy, PolicySet, Request, RequestEnv, Schema,
};
use cedar_policy_symcc::{CompiledPolicy, CompiledPolicySet, Env};
use chancery_model::Signature;
use jiff::civil::Date;

use super::closed::{AGENCY, Closed, environment};
use super::region::region;
use super::restate::{Restating, fact, one_of, permit};
use super::solver::{Question, Session, Solver, Trial, each};
use crate::expression::{record, uid};
use crate::prove::{Claim, Counterexample, Verdict};
use crate::ruling::{context, facts, principal};
use crate::schema::RECORD;
use crate::{Assertion, AssertionKind, Effect, Instrument, LawPack, Query, SignOff};

/// Whether a policy can err.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errs {
    /// It cannot, whatever the request.
    Never,
    /// It can, as the ordinary authorizer confirmed: this is what it says.
    Sometimes(String),
    /// Nobody knows, for this reason.
    Unproven(String),
}

/// What the solver says of a law pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proofs {
    /// Of each assertion, by its id.
    pub assertions: BTreeMap<String, Verdict>,
    /// Of each provision, by its id. A forbid that errs would be skipped.
    pub errs: BTreeMap<String, Errs>,
    /// How many different laws there are over the days asked about.
    pub laws: usize,
    /// How many questions the solver was asked.
    pub questions: u64,
}

impl LawPack {
    /// Holds the assertions of a claim against the law of every day, as if signed, and every
    /// provision against errors.
    pub fn prove_symbolically(&self, claim: &Claim, solver: &Solver) -> Proofs {
        let session = Session::new(solver);
        let instruments = || {
            let asked = |i: &&Instrument| claim.instrument.as_ref().is_none_or(|id| *id == i.id);
            self.instruments().iter().filter(asked)
        };
        let assertions: Vec<&Assertion> = instruments()
            .flat_map(|instrument| &instrument.assertions)
            .collect();
        let (verdicts, laws) = match Prover::new(self, &assertions, claim.on, &session) {
            Ok(prover) => (prover.verdicts(), prover.laws.len()),
            Err(why) => (vec![Verdict::Unproven { why }; assertions.len()], 0),
        };
        let ids = assertions.iter().map(|assertion| assertion.id.clone());
        let provisions = instruments().flat_map(|instrument| &instrument.provisions);
        let policies: Vec<&Policy> = provisions.map(|provision| &provision.policy).collect();
        Proofs {
            assertions: ids.zip(verdicts).collect(),
            errs: errs(&self.schema, &policies, &session),
            laws,
            questions: session.asked(),
        }
    }
}

/// Whether each policy of a text can err, for any request that the schema admits; policies are
/// called `policy0`, `policy1`, … as they stand. Entities that a policy names are taken to exist:
/// the loader of a law pack sees to that.
///
/// # Errors
///
/// What Cedar says of a text that is no schema, or no policies.
pub fn policies_err(
    schema: &str,
    policies: &str,
    solver: &Solver,
) -> Result<BTreeMap<String, Errs>, String> {
    let (schema, _) = Schema::from_cedarschema_str(schema).map_err(|error| error.to_string())?;
    let set: PolicySet = policies.parse().map_err(|error| format!("{error}"))?;
    let policies: Vec<&Policy> = set.policies().collect();
    Ok(errs(&schema, &policies, &Session::new(solver)))
}

/// The law of some days, restated.
struct Law {
    policies: PolicySet,
    /// Its bars, as permits for just what they bar.
    bars: PolicySet,
    /// For each assertion that speaks while it is the law, the first such day.
    days: BTreeMap<usize, Date>,
    /// Policies and bars, compiled by action.
    compiled: BTreeMap<String, [OnceLock<Compiled>; 2]>,
}

type Compiled = Result<CompiledPolicySet, String>;

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
    session: &'a Session<'a>,
    trial: Trial,
}

impl<'a> Prover<'a> {
    fn new(
        pack: &'a LawPack,
        assertions: &'a [&'a Assertion],
        on: Option<Date>,
        session: &'a Session<'a>,
    ) -> Result<Self, String> {
        let named = assertions.iter().flat_map(|assertion| {
            let custodians = assertion.custodians.paths();
            custodians.chain(assertion.recipients.paths())
        });
        let closed = Closed::new(pack, &named.map(str::to_owned).collect())?;
        Ok(Self {
            trial: trial(&closed)?,
            laws: laws(&closed, assertions, on)?,
            closed,
            assertions,
            session,
        })
    }

    fn verdicts(&self) -> Vec<Verdict> {
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
                for kind in [
                    AssertionKind::Never,
                    AssertionKind::Barred,
                    AssertionKind::Always,
                ] {
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
        each(self.session, &self.trial, jobs, |asker, job| {
            let requests = environment(job.action)?;
            let compile = |set: &PolicySet| {
                CompiledPolicySet::compile(set, &requests, &self.closed.schema)
                    .map_err(|error| error.to_string())
            };
            let compiled = job.law.compiled.get(job.action);
            let [policies, bars] = compiled.ok_or("the law lacks the action")?;
            let law = match job.kind {
                AssertionKind::Never | AssertionKind::Always => {
                    policies.get_or_init(|| compile(&job.law.policies))
                }
                AssertionKind::Barred => bars.get_or_init(|| compile(&job.law.bars)),
            };
            let law = law.as_ref().map_err(Clone::clone)?;
            let assertions = job
                .assertions
                .iter()
                .filter_map(|at| self.assertions.get(*at));
            let regions = assertions.map(|assertion| region(&self.closed, assertion, job.action));
            let regions = regions.collect::<Result<Vec<_>, _>>()?;
            let regions = PolicySet::from_policies(regions).map_err(|error| error.to_string())?;
            let regions = compile(&regions)?;
            asker.ask(&match job.kind {
                AssertionKind::Never => Question::BothAllow(&regions, law),
                AssertionKind::Always | AssertionKind::Barred => {
                    Question::OnlyFirstAllows(&regions, law)
                }
            })
        })
    }

    fn verdict(&self, job: &Job<'_>, at: usize, answer: &Result<Option<Env>, String>) -> Verdict {
        let found = match answer {
            Ok(None) => return Verdict::Holds,
            Ok(Some(found)) => found,
            Err(why) => return Verdict::Unproven { why: why.clone() },
        };
        let day = job.law.days.get(&at).copied();
        let again = self
            .assertions
            .get(at)
            .zip(day)
            .ok_or_else(|| "the assertion was lost".to_owned())
            .and_then(|(assertion, day)| self.decided_again(assertion, job.action, day, found));
        match again {
            Ok(counterexample) => Verdict::Broken {
                counterexample: Box::new(counterexample),
            },
            Err(why) => Verdict::Unproven {
                why: format!("the solver found a counterexample that does not stand: {why}"),
            },
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
        let by: BTreeSet<String> = diagnostics.reason().map(ToString::to_string).collect();
        let allowed = response.decision() == Decision::Allow;
        let breaks = match assertion.kind {
            AssertionKind::Never => allowed,
            AssertionKind::Barred => allowed || by.is_empty(),
            AssertionKind::Always => !allowed,
        };
        if !breaks {
            return Err("the authorizer decides otherwise".to_owned());
        }
        Ok(Counterexample {
            on,
            action: action.to_owned(),
            custodian: query.custodian.path,
            recipient: query.recipient.path,
            purpose: query.purpose.path,
            element,
            record: domain.describe(&person),
            by: by.into_iter().collect(),
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
            Some(Ok(EvalResult::EntityUid(uid))) => pack.domain().value(at, uid.id().unescaped()),
            _ => None,
        };
        values.push(value.ok_or_else(|| format!("its record lacks `{}`", attribute.name))?);
    }
    Ok((query, element, Signature::new(values)))
}

/// Broken is worse than unproven, unproven than holding; of two days the first counts.
fn worse(known: &mut Verdict, found: Verdict) {
    let replaces = match (&*known, &found) {
        (
            Verdict::Broken {
                counterexample: known,
            },
            Verdict::Broken {
                counterexample: found,
            },
        ) => found.on < known.on,
        (Verdict::Holds | Verdict::Unproven { .. }, Verdict::Broken { .. })
        | (Verdict::Holds, Verdict::Unproven { .. }) => true,
        _ => false,
    };
    if replaces {
        *known = found;
    }
}

/// Every different law over all of time, with the assertions that speak while it stands.
fn laws(
    closed: &Closed<'_>,
    assertions: &[&Assertion],
    on: Option<Date>,
) -> Result<Vec<Law>, String> {
    let pack = closed.pack;
    let mut laws: Vec<Law> = Vec::new();
    let mut known: BTreeMap<Vec<(String, String)>, usize> = BTreeMap::new();
    let actions: BTreeSet<&String> = assertions.iter().flat_map(|a| &a.actions).collect();
    let days = on.map_or_else(|| days(pack, assertions), |on| BTreeSet::from([on]));
    for day in days {
        let law = pack
            .in_force(day, SignOff::Demonstration)
            .map_err(|error| error.to_string())?;
        let restating = Restating::new(closed, &law)?;
        let (mut policies, mut bars, mut text) = (Vec::new(), Vec::new(), Vec::new());
        for (id, provision) in &law.provisions {
            let refused = |problem: String| format!("`{id}`: {problem}");
            let policy = restating.policy(&provision.policy).map_err(refused)?;
            if provision.effect == Effect::Forbid {
                bars.push(restating.bar(&provision.policy).map_err(refused)?);
            }
            text.push((id.clone(), policy.to_string()));
            policies.push(policy);
        }
        let at = *known.entry(text).or_insert(laws.len());
        if at == laws.len() {
            let none = |action: &&String| {
                let none = [OnceLock::new(), OnceLock::new()];
                ((*action).clone(), none)
            };
            let set =
                |policies| PolicySet::from_policies(policies).map_err(|error| error.to_string());
            laws.push(Law {
                policies: set(policies)?,
                bars: set(bars)?,
                days: BTreeMap::new(),
                compiled: actions.iter().map(none).collect(),
            });
        }
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
    let mut days = BTreeSet::new();
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
    // All of time before has no first day: its last one stands for it.
    let before = days
        .first()
        .map_or(Ok(Date::MIN), |first| first.yesterday());
    days.extend(before);
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
    let requests = environment(action)?;
    let set = |of: Option<&str>, agency: &str| {
        let when = one_of(&fact(of), AGENCY, [agency])?;
        let set = PolicySet::from_policies([permit("trial", action, when)?]);
        let set = set.map_err(|error| error.to_string())?;
        CompiledPolicySet::compile(&set, &requests, &closed.schema)
            .map_err(|error| error.to_string())
    };
    Ok(Trial {
        some: (set(None, one)?, set(Some("custodian"), other)?),
        none: (set(None, one)?, set(None, other)?),
    })
}

fn errs(schema: &Schema, policies: &[&Policy], session: &Session<'_>) -> BTreeMap<String, Errs> {
    let environments: Vec<RequestEnv> = schema.request_envs().collect();
    let ids = policies.iter().map(|policy| policy.id().to_string());
    let trial = match trial_of_errors() {
        Ok(trial) => trial,
        Err(why) => return ids.map(|id| (id, Errs::Unproven(why.clone()))).collect(),
    };
    let answers = each(session, &trial, policies, |asker, policy| {
        for environment in &environments {
            let found = CompiledPolicy::compile(policy, environment, schema)
                .map_err(|error| error.to_string())
                .and_then(|compiled| asker.ask(&Question::Errs(&compiled)));
            match found {
                Ok(None) => {}
                Ok(Some(found)) => return Ok(erred(policy, &found)),
                Err(why) => return Err(why),
            }
        }
        Ok(Errs::Never)
    });
    let answers = answers.into_iter();
    ids.zip(answers.map(|answer| answer.unwrap_or_else(Errs::Unproven)))
        .collect()
}

/// Whether the ordinary authorizer errs as well.
fn erred(policy: &Policy, found: &Env) -> Errs {
    let response = PolicySet::from_policies([policy.clone()])
        .map(|set| Authorizer::new().is_authorized(&found.request, &set, &found.entities));
    let problem = match &response {
        Ok(response) => {
            let mut errors = response.diagnostics().errors();
            errors.next().map(ToString::to_string)
        }
        Err(error) => Some(error.to_string()),
    };
    problem.map_or_else(
        || Errs::Unproven("the solver found an error that does not stand".to_owned()),
        Errs::Sometimes,
    )
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
