//! Policies restated over the closed vocabulary.
//!
//! Every question about a hierarchy or an attribute whose answer is known beforehand becomes a
//! comparison with a list of names: `principal in Agency::"dhs"` becomes "the principal is `dhs`,
//! `dhs/ice` or `dhs/uscis`"; an instrument's `covered` becomes the origins covered that day;
//! `principal.jurisdiction.contains(resource.origin)` becomes "the principal is `state/06` or
//! `state/06/medicaid` and the origin is `06`, or …". The restated policy says the same as the
//! original about every request that the vocabulary admits: the request's entities are of the
//! closed lists, the facts that go with a request give each of them just the ancestors and
//! attributes that were written in, and nothing else can be asked. What has no such form is
//! refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::pst::{
    BinaryOp, Clause, Effect, EntityOrSlot, EntityType, EntityUID, Expr, Literal, Name,
    Policy as PstPolicy, PrincipalConstraint, ResourceConstraint, StaticPolicy, Template, UnaryOp,
    Var,
};
use cedar_policy::{EvalResult, Policy};

use super::closed::{AGENCY, CONTEXT, Closed, PURPOSE};
use crate::schema::RECORD;
use crate::{InForce, LawPack, SignOff};

pub(super) type Term = Arc<Expr>;

/// The law of a day over closed lists of agencies, purposes and elements.
///
/// ```
/// # let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../law/us-medicaid");
/// # let mut files = std::collections::BTreeMap::new();
/// # for name in ["pack.toml", "schema.cedarschema", "agencies.toml", "purposes.toml",
/// #     "elements.toml", "classification.toml", "instruments/order-2025-08-12/instrument.toml",
/// #     "instruments/order-2025-08-12/provisions.cedar"] {
/// #     files.insert(name.to_owned(), std::fs::read_to_string(format!("{dir}/{name}")).unwrap());
/// # }
/// # let source = chancery_law::PackSource::new("law", files);
/// # let pack = chancery_law::LawPack::load(&source).unwrap();
/// let law = pack.restated(jiff::civil::date(2025, 9, 1)).unwrap();
/// let (_, order) = law.policies.iter().find(|(id, _)| id.ends_with("#no-sharing")).unwrap();
/// assert!(order.contains(r#"resource["origin"] == Origin::"06""#), "{order}");
/// assert!(!order.contains("covered") && !order.contains(" in "));
/// ```
#[derive(Clone, Debug)]
pub struct Restated {
    /// The schema of the closed lists, in Cedar's JSON form.
    pub schema: serde_json::Value,
    /// The provisions in force, each under its id, in Cedar's text form.
    pub policies: Vec<(String, String)>,
}

impl LawPack {
    /// The law of a day, as if signed, over closed lists.
    ///
    /// # Errors
    ///
    /// The reason why some provision has no such form.
    pub fn restated(&self, on: jiff::civil::Date) -> Result<Restated, String> {
        let closed = Closed::new(self, &BTreeSet::new())?;
        let law = self
            .in_force(on, SignOff::Demonstration)
            .map_err(|error| error.to_string())?;
        let restating = Restating::new(&closed, &law)?;
        let policies = law.provisions.iter().map(|(id, provision)| {
            let policy = restating.policy(&provision.policy)?;
            Ok((id.clone(), policy.to_string()))
        });
        Ok(Restated {
            policies: policies.collect::<Result<_, String>>()?,
            schema: closed.schema_json.clone(),
        })
    }
}

/// A set under each of several conditions, of which exactly one holds.
struct Case {
    when: Term,
    members: Vec<Term>,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Truth,
    Entity(String),
    Set,
}

/// Restates policies of one day.
pub(super) struct Restating<'a> {
    closed: &'a Closed<'a>,
    /// The origins that an instrument's attributes hold that day.
    instruments: BTreeMap<String, BTreeMap<&'static str, Vec<String>>>,
}

impl<'a> Restating<'a> {
    pub(super) fn new(closed: &'a Closed<'a>, law: &InForce<'_>) -> Result<Self, String> {
        let mut instruments = BTreeMap::new();
        for entity in &law.entities {
            let mut sets = BTreeMap::new();
            for name in ["parties", "covered"] {
                sets.insert(name, origins(entity, name)?);
            }
            instruments.insert(entity.uid().id().unescaped().to_owned(), sets);
        }
        Ok(Self {
            closed,
            instruments,
        })
    }

    /// The policy over the closed vocabulary, under the same id.
    pub(super) fn policy(&self, policy: &Policy) -> Result<Policy, String> {
        let pst = policy.to_pst().map_err(|error| error.to_string())?;
        self.with_effect(policy, pst.body(), pst.body().effect)
    }

    /// A permit for just what the policy, which forbids, bars.
    pub(super) fn bar(&self, policy: &Policy) -> Result<Policy, String> {
        let pst = policy.to_pst().map_err(|error| error.to_string())?;
        self.with_effect(policy, pst.body(), Effect::Permit)
    }

    fn with_effect(
        &self,
        policy: &Policy,
        body: &Template,
        effect: Effect,
    ) -> Result<Policy, String> {
        let mut clauses = vec![
            Clause::When(self.principal(&body.principal)?),
            Clause::When(resource(&body.resource)?),
        ];
        clauses.retain(|clause| !matches!(clause, Clause::When(expr) if is(expr, true)));
        for clause in body.clauses() {
            clauses.push(match clause {
                Clause::When(expr) => Clause::When(self.truth(expr)?),
                Clause::Unless(expr) => Clause::Unless(self.truth(expr)?),
            });
        }
        let template = Template::new(
            cedar_policy::pst::PolicyID("restated".into()),
            effect,
            PrincipalConstraint::Any,
            body.action.clone(),
            ResourceConstraint::Any,
        );
        build(template, clauses, policy.id().as_ref())
    }

    fn principal(&self, constraint: &PrincipalConstraint) -> Result<Term, String> {
        let principal = || Arc::new(Expr::Var(Var::Principal));
        let is_agency = |kind: &EntityType| truth(kind.to_string() == AGENCY);
        match constraint {
            PrincipalConstraint::Any => Ok(truth(true)),
            PrincipalConstraint::Is(kind) => Ok(is_agency(kind)),
            PrincipalConstraint::Eq(EntityOrSlot::Entity(uid)) => {
                self.equal(principal(), AGENCY, &entity(uid))
            }
            PrincipalConstraint::In(EntityOrSlot::Entity(uid)) => {
                self.inside(&principal(), AGENCY, &entity(uid))
            }
            PrincipalConstraint::IsIn(kind, EntityOrSlot::Entity(uid)) => Ok(all([
                is_agency(kind),
                self.inside(&principal(), AGENCY, &entity(uid))?,
            ])),
            _ => Err("a template has no restatement".to_owned()),
        }
    }

    fn kind(&self, expr: &Expr) -> Result<Kind, String> {
        let entity = |name: &str| Ok(Kind::Entity(name.to_owned()));
        match expr {
            Expr::Literal(Literal::Bool(_))
            | Expr::UnaryOp { .. }
            | Expr::BinaryOp { .. }
            | Expr::Is { .. } => Ok(Kind::Truth),
            Expr::Literal(Literal::EntityUID(uid)) => entity(&uid.ty.to_string()),
            Expr::Var(Var::Principal) => entity(AGENCY),
            Expr::Var(Var::Resource) => entity(RECORD),
            Expr::Var(Var::Action) => entity("Action"),
            Expr::GetAttr { expr: of, attr } => match &**of {
                Expr::Var(Var::Context) => CONTEXT
                    .iter()
                    .find(|(name, _)| name == attr)
                    .map(|(_, kind)| Kind::Entity((*kind).to_owned()))
                    .ok_or_else(|| format!("`{expr}` is not a fact of a request")),
                Expr::Var(Var::Resource) => {
                    let pack = self.closed.pack;
                    let at = pack.domain().attribute(attr).map(|(at, _)| at);
                    let kind = at.and_then(|at| pack.types.get(at));
                    kind.map(|kind| Kind::Entity(kind.clone()))
                        .ok_or_else(|| format!("`{attr}` is not an attribute of the record"))
                }
                _ if matches!(attr.as_str(), "jurisdiction" | "parties" | "covered") => {
                    Ok(Kind::Set)
                }
                _ => Err(format!("`{expr}` has no restatement")),
            },
            Expr::IfThenElse { then_expr, .. } => self.kind(then_expr),
            Expr::Set(_) => Ok(Kind::Set),
            _ => Err(format!("`{expr}` has no restatement")),
        }
    }

    fn truth(&self, expr: &Term) -> Result<Term, String> {
        match &**expr {
            Expr::Literal(Literal::Bool(value)) => Ok(truth(*value)),
            Expr::UnaryOp {
                op: UnaryOp::Not,
                expr,
            } => Ok(not(self.truth(expr)?)),
            Expr::UnaryOp {
                op: UnaryOp::IsEmpty,
                expr,
            } => {
                let cases = self.set(expr)?.into_iter();
                Ok(any(cases
                    .filter(|case| case.members.is_empty())
                    .map(|case| case.when)))
            }
            Expr::BinaryOp { op, left, right } => self.binary(*op, left, right),
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => {
                let cond = self.truth(cond)?;
                let then = all([Arc::clone(&cond), self.truth(then_expr)?]);
                let other = all([not(cond), self.truth(else_expr)?]);
                Ok(any([then, other]))
            }
            Expr::Is {
                expr,
                entity_type,
                in_expr,
            } => {
                let Kind::Entity(kind) = self.kind(expr)? else {
                    return Err(format!("`{expr}` is no entity"));
                };
                let is = truth(kind == entity_type.to_string());
                match in_expr {
                    Some(parent) => Ok(all([is, self.inside(expr, &kind, parent)?])),
                    None => Ok(is),
                }
            }
            other => Err(format!("`{other}` has no restatement")),
        }
    }

    fn binary(&self, op: BinaryOp, left: &Term, right: &Term) -> Result<Term, String> {
        match op {
            BinaryOp::And => Ok(all([self.truth(left)?, self.truth(right)?])),
            BinaryOp::Or => Ok(any([self.truth(left)?, self.truth(right)?])),
            BinaryOp::NotEq => Ok(not(self.binary(BinaryOp::Eq, left, right)?)),
            BinaryOp::Eq => match (self.kind(left)?, self.kind(right)?) {
                (Kind::Truth, Kind::Truth) => {
                    let (left, right) = (self.truth(left)?, self.truth(right)?);
                    let both = all([Arc::clone(&left), Arc::clone(&right)]);
                    Ok(any([both, all([not(left), not(right)])]))
                }
                (Kind::Set, Kind::Set) => Ok(all([
                    self.contains_all(left, right)?,
                    self.contains_all(right, left)?,
                ])),
                (Kind::Entity(kind), Kind::Entity(_)) => {
                    let left = self.entity(left)?;
                    self.equal(left, &kind, right)
                }
                _ => Err(format!("`{left}` and `{right}` are not alike")),
            },
            BinaryOp::In => match self.kind(left)? {
                Kind::Entity(kind) => self.inside(left, &kind, right),
                _ => Err(format!("`{left}` is no entity")),
            },
            BinaryOp::Contains => {
                let set = self.set(left)?;
                self.has(&set, right)
            }
            BinaryOp::ContainsAll => self.contains_all(left, right),
            BinaryOp::ContainsAny => self.contains_any(left, right),
            op => Err(format!("the operator `{op:?}` has no restatement")),
        }
    }

    /// `left` is already restated and of type `kind`.
    fn equal(&self, left: Term, kind: &str, right: &Term) -> Result<Term, String> {
        match self.kind(right)? {
            Kind::Entity(other) if other == kind => Ok(equal(left, self.entity(right)?)),
            Kind::Entity(_) => Ok(truth(false)),
            _ => Err(format!("`{right}` is no entity")),
        }
    }

    fn inside(&self, left: &Term, kind: &str, right: &Term) -> Result<Term, String> {
        if let Expr::Set(parents) = &**right {
            let parents = parents.iter();
            let inside = parents.map(|parent| self.inside(left, kind, parent));
            return Ok(any(inside.collect::<Result<Vec<_>, _>>()?));
        }
        if kind == "Action" {
            // Actions are not in groups: the closed schema has none.
            return self.equal(Arc::clone(left), kind, right);
        }
        if let Expr::Literal(Literal::EntityUID(uid)) = &**left
            && matches!(kind, AGENCY | PURPOSE)
        {
            // The facts of a request hold the agencies and purposes of that request alone.
            return Err(format!("`{uid}` is asked for, not the request's own"));
        }
        let left = self.entity(left)?;
        if let Expr::Literal(Literal::EntityUID(uid)) = &**right {
            let ids = self
                .closed
                .within(kind, &uid.ty.to_string(), uid.eid.as_ref());
            return one_of(&left, kind, ids);
        }
        let Kind::Entity(parent) = self.kind(right)? else {
            return Err(format!("`{right}` is no entity"));
        };
        let right = self.entity(right)?;
        let parents = self.closed.ids(&parent);
        let parents = parents.ok_or_else(|| format!("`{parent}` is not a closed type"))?;
        let mut cases = Vec::new();
        for id in parents {
            let inside = one_of(&left, kind, self.closed.within(kind, &parent, id))?;
            cases.push(all([
                equal(Arc::clone(&right), literal(&parent, id)?),
                inside,
            ]));
        }
        Ok(any(cases))
    }

    fn entity(&self, expr: &Term) -> Result<Term, String> {
        match &**expr {
            Expr::Literal(Literal::EntityUID(uid)) => {
                let kind = uid.ty.to_string();
                let known = kind == "Action"
                    || self
                        .closed
                        .ids(&kind)
                        .is_some_and(|ids| ids.contains(&uid.eid.as_ref()));
                if known {
                    Ok(Arc::clone(expr))
                } else {
                    Err(format!("`{uid}` is not of a closed list"))
                }
            }
            Expr::Var(Var::Principal | Var::Resource | Var::Action) => Ok(Arc::clone(expr)),
            Expr::GetAttr { .. } => match self.kind(expr)? {
                Kind::Entity(_) => Ok(Arc::clone(expr)),
                _ => Err(format!("`{expr}` is no entity")),
            },
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => Ok(Arc::new(Expr::IfThenElse {
                cond: self.truth(cond)?,
                then_expr: self.entity(then_expr)?,
                else_expr: self.entity(else_expr)?,
            })),
            other => Err(format!("`{other}` has no restatement")),
        }
    }

    fn set(&self, expr: &Term) -> Result<Vec<Case>, String> {
        let always = |members: Vec<Term>| {
            vec![Case {
                when: truth(true),
                members,
            }]
        };
        match &**expr {
            Expr::Set(members) => {
                let members = members.iter().map(|member| self.entity(member));
                Ok(always(members.collect::<Result<_, _>>()?))
            }
            Expr::GetAttr { expr: of, attr } => match (&**of, attr.as_str()) {
                (Expr::Literal(Literal::EntityUID(uid)), "parties" | "covered") => {
                    let instrument = self.instruments.get(uid.eid.as_str());
                    let origins = instrument.and_then(|sets| sets.get(attr.as_str()));
                    let origins = origins.ok_or_else(|| format!("`{uid}` is no instrument"))?;
                    Ok(always(self.origins(origins)?))
                }
                (Expr::Literal(Literal::EntityUID(uid)), "jurisdiction") => {
                    Err(format!("`{uid}` is asked for, not the request's own"))
                }
                (_, "jurisdiction") => self.jurisdiction(of),
                _ => Err(format!("`{expr}` has no restatement")),
            },
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => {
                let cond = self.truth(cond)?;
                let given = |cond: &Term, cases: Vec<Case>| {
                    let case = |case: Case| Case {
                        when: all([Arc::clone(cond), case.when]),
                        members: case.members,
                    };
                    cases.into_iter().map(case).collect::<Vec<_>>()
                };
                let mut cases = given(&cond, self.set(then_expr)?);
                cases.extend(given(&not(cond), self.set(else_expr)?));
                Ok(cases)
            }
            other => Err(format!("`{other}` has no restatement")),
        }
    }

    /// A case for each jurisdiction that some agency has.
    fn jurisdiction(&self, of: &Term) -> Result<Vec<Case>, String> {
        match self.kind(of)? {
            Kind::Entity(kind) if kind == AGENCY => {}
            _ => return Err(format!("`{of}` is no agency")),
        }
        let of = self.entity(of)?;
        let mut agencies: BTreeMap<&BTreeSet<String>, BTreeSet<&str>> = BTreeMap::new();
        for agency in self.closed.agencies.values() {
            let same = agencies.entry(&agency.jurisdiction).or_default();
            same.insert(&agency.path);
        }
        let cases = agencies.into_iter().map(|(origins, agencies)| {
            Ok(Case {
                when: one_of(&of, AGENCY, agencies)?,
                members: self.origins(origins)?,
            })
        });
        cases.collect()
    }

    fn origins<'o>(
        &self,
        origins: impl IntoIterator<Item = &'o String>,
    ) -> Result<Vec<Term>, String> {
        let pack = self.closed.pack;
        let at = pack.domain().attribute(&pack.classification().origin);
        let kind = at.and_then(|(at, _)| pack.types.get(at));
        let kind = kind.ok_or("records have no origin")?;
        let origins = origins.into_iter().map(|origin| literal(kind, origin));
        let origins = origins.collect::<Result<Vec<_>, _>>()?;
        origins.iter().map(|origin| self.entity(origin)).collect()
    }

    fn has(&self, set: &[Case], member: &Term) -> Result<Term, String> {
        let Kind::Entity(_) = self.kind(member)? else {
            return Err(format!("`{member}` is no entity"));
        };
        let member = self.entity(member)?;
        let cases = set.iter().map(|case| {
            let members = case.members.iter();
            let equals = members.map(|known| self.alike(Arc::clone(known), Arc::clone(&member)));
            Ok(all([
                Arc::clone(&case.when),
                any(equals.collect::<Result<Vec<_>, String>>()?),
            ]))
        });
        Ok(any(cases.collect::<Result<Vec<_>, String>>()?))
    }

    fn alike(&self, left: Term, right: Term) -> Result<Term, String> {
        match (self.kind(&left)?, self.kind(&right)?) {
            (Kind::Entity(one), Kind::Entity(other)) if one == other => Ok(equal(left, right)),
            _ => Ok(truth(false)),
        }
    }

    fn contains_all(&self, left: &Term, right: &Term) -> Result<Term, String> {
        let set = self.set(left)?;
        let mut cases = Vec::new();
        for case in self.set(right)? {
            let members = case.members.iter().map(|member| self.has(&set, member));
            let every = all(members.collect::<Result<Vec<_>, _>>()?);
            cases.push(all([case.when, every]));
        }
        Ok(any(cases))
    }

    fn contains_any(&self, left: &Term, right: &Term) -> Result<Term, String> {
        let set = self.set(left)?;
        let mut cases = Vec::new();
        for case in self.set(right)? {
            let members = case.members.iter().map(|member| self.has(&set, member));
            let some = any(members.collect::<Result<Vec<_>, _>>()?);
            cases.push(all([case.when, some]));
        }
        Ok(any(cases))
    }
}

fn resource(constraint: &ResourceConstraint) -> Result<Term, String> {
    match constraint {
        ResourceConstraint::Any => Ok(truth(true)),
        ResourceConstraint::Is(kind) => Ok(truth(kind.to_string() == RECORD)),
        _ => Err("it speaks of one record".to_owned()),
    }
}

fn origins(entity: &cedar_policy::Entity, name: &str) -> Result<Vec<String>, String> {
    let missing = || format!("an instrument lacks its `{name}`");
    match entity.attr(name) {
        Some(Ok(EvalResult::Set(set))) => set
            .iter()
            .map(|origin| match origin {
                EvalResult::EntityUid(uid) => Ok(uid.id().unescaped().to_owned()),
                _ => Err(missing()),
            })
            .collect(),
        _ => Err(missing()),
    }
}

/// `permit (principal, action == Action::"…", resource) when { … }`.
pub(super) fn permit(id: &str, action: &str, when: Term) -> Result<Policy, String> {
    let action = uid_of("Action", action)?;
    let template = Template::new(
        cedar_policy::pst::PolicyID("region".into()),
        Effect::Permit,
        PrincipalConstraint::Any,
        cedar_policy::pst::ActionConstraint::Eq(action),
        ResourceConstraint::Any,
    );
    build(template, vec![Clause::When(when)], id)
}

fn build(template: Template, clauses: Vec<Clause>, id: &str) -> Result<Policy, String> {
    let template = template
        .try_with_clauses(clauses)
        .map_err(|error| error.to_string())?;
    let policy = StaticPolicy::try_from(template).map_err(|error| error.to_string())?;
    let policy = Policy::from_pst(PstPolicy::Static(policy)).map_err(|error| error.to_string())?;
    Ok(policy.new_id(cedar_policy::PolicyId::new(id)))
}

/// The fact of a request called `name`, or the principal.
pub(super) fn fact(name: Option<&str>) -> Term {
    match name {
        None => Arc::new(Expr::Var(Var::Principal)),
        Some(name) => attribute(Var::Context, name),
    }
}

/// An attribute of the record.
pub(super) fn of_record(name: &str) -> Term {
    attribute(Var::Resource, name)
}

fn attribute(of: Var, name: &str) -> Term {
    Arc::new(Expr::GetAttr {
        expr: Arc::new(Expr::Var(of)),
        attr: name.into(),
    })
}

/// Whether an entity is one of those named.
pub(super) fn one_of<'i>(
    entity: &Term,
    kind: &str,
    ids: impl IntoIterator<Item = &'i str>,
) -> Result<Term, String> {
    let equals = ids
        .into_iter()
        .map(|id| Ok(equal(Arc::clone(entity), literal(kind, id)?)));
    Ok(any(equals.collect::<Result<Vec<_>, String>>()?))
}

fn uid_of(kind: &str, id: &str) -> Result<EntityUID, String> {
    let name = Name::unqualified(kind).map_err(|error| error.to_string())?;
    Ok(EntityUID {
        ty: EntityType::from_name(name),
        eid: id.into(),
    })
}

fn literal(kind: &str, id: &str) -> Result<Term, String> {
    Ok(Arc::new(Expr::Literal(Literal::EntityUID(uid_of(
        kind, id,
    )?))))
}

fn entity(uid: &EntityUID) -> Term {
    Arc::new(Expr::Literal(Literal::EntityUID(uid.clone())))
}

fn truth(value: bool) -> Term {
    Arc::new(Expr::Literal(Literal::Bool(value)))
}

fn is(expr: &Expr, value: bool) -> bool {
    matches!(expr, Expr::Literal(Literal::Bool(known)) if *known == value)
}

pub(super) fn not(expr: Term) -> Term {
    match &*expr {
        Expr::Literal(Literal::Bool(value)) => truth(!value),
        _ => Arc::new(Expr::UnaryOp {
            op: UnaryOp::Not,
            expr,
        }),
    }
}

fn equal(left: Term, right: Term) -> Term {
    if left == right {
        return truth(true);
    }
    Arc::new(Expr::BinaryOp {
        op: BinaryOp::Eq,
        left,
        right,
    })
}

pub(super) fn all(parts: impl IntoIterator<Item = Term>) -> Term {
    join(parts, BinaryOp::And, true)
}

pub(super) fn any(parts: impl IntoIterator<Item = Term>) -> Term {
    join(parts, BinaryOp::Or, false)
}

/// A balanced tree, so that long lists are not deep. `unit` changes nothing, its opposite decides.
fn join(parts: impl IntoIterator<Item = Term>, op: BinaryOp, unit: bool) -> Term {
    let mut parts: Vec<Term> = parts.into_iter().filter(|part| !is(part, unit)).collect();
    if parts.iter().any(|part| is(part, !unit)) {
        return truth(!unit);
    }
    while parts.len() > 1 {
        let mut pairs = parts.into_iter();
        let mut joined = Vec::new();
        while let Some(left) = pairs.next() {
            joined.push(match pairs.next() {
                Some(right) => Arc::new(Expr::BinaryOp { op, left, right }),
                None => left,
            });
        }
        parts = joined;
    }
    parts.pop().unwrap_or_else(|| truth(unit))
}
