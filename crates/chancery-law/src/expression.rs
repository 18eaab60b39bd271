//! Cedar expressions as boolean combinations of questions about one record attribute each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::pst::{
    ActionConstraint, BinaryOp, Clause, Effect, EntityOrSlot, Expr, Literal, Policy as PstPolicy,
    PrincipalConstraint, ResourceConstraint, StaticPolicy, Template, UnaryOp, Var,
};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy,
    PolicyId, PolicySet, Request, RestrictedExpression,
};
use chancery_model::{Domain, Predicate, Signature};

use crate::schema::RECORD;

/// Decides single questions about a record by asking Cedar for every value of the attribute, so
/// that the meaning of no operator is written twice.
pub(crate) struct Probe {
    records: Entities,
    /// Answers by attribute and text of the question.
    known: std::sync::Mutex<BTreeMap<String, Predicate>>,
}

pub(crate) fn uid(entity_type: &str, id: &str) -> Result<EntityUid, String> {
    let name: EntityTypeName = entity_type.parse().map_err(|error| format!("{error}"))?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

/// A concrete record with the values of a signature.
pub(crate) fn record(
    id: &str,
    signature: &Signature,
    domain: &Domain,
    types: &[String],
) -> Result<Entity, String> {
    let mut attributes = std::collections::HashMap::new();
    for ((attribute, entity), value) in domain
        .attributes()
        .iter()
        .zip(types)
        .zip(signature.values())
    {
        let value = attribute
            .values
            .get(usize::from(*value))
            .ok_or("a value outside its domain")?;
        let value = RestrictedExpression::new_entity_uid(uid(entity, value)?);
        attributes.insert(attribute.name.clone(), value);
    }
    let parents = std::collections::HashSet::new();
    Entity::new(uid(RECORD, id)?, attributes, parents).map_err(|error| error.to_string())
}

impl Probe {
    pub(crate) fn new(domain: &Domain, types: &[String]) -> Result<Self, String> {
        let mut records = Vec::new();
        for (at, attribute) in domain.attributes().iter().enumerate() {
            for value in (0..=u8::MAX).take(attribute.values.len()) {
                let signature = Signature::unknown(domain).with(at, value);
                records.push(record(&format!("{at}={value}"), &signature, domain, types)?);
            }
        }
        let records = Entities::from_entities(records, None).map_err(|error| error.to_string())?;
        Ok(Self {
            records,
            known: std::sync::Mutex::default(),
        })
    }

    /// The values of attribute number `attribute` for which Cedar answers `question` with true.
    fn ask(
        &self,
        question: &Arc<Expr>,
        attribute: usize,
        domain: &Domain,
    ) -> Result<Predicate, String> {
        let key = format!("{attribute} {question}");
        let lock = || {
            self.known
                .lock()
                .map_err(|_| "a prior question failed".to_owned())
        };
        if let Some(known) = lock()?.get(&key) {
            return Ok(known.clone());
        }
        let policies = conditional(question)?;
        let count = domain
            .attributes()
            .get(attribute)
            .map_or(0, |a| a.values.len());
        let mut values = Vec::new();
        for value in (0..=u8::MAX).take(count) {
            if self.holds(&policies, &format!("{attribute}={value}"))? {
                values.push(value);
            }
        }
        let answer = match values.len() {
            0 => Predicate::Never,
            n if n == count => Predicate::Always,
            _ => Predicate::within(attribute, values),
        };
        lock()?.insert(key, answer.clone());
        Ok(answer)
    }

    fn holds(&self, policies: &PolicySet, record: &str) -> Result<bool, String> {
        let any = uid("Action", "disclose")?;
        let request = Request::new(
            any.clone(),
            any,
            uid(RECORD, record)?,
            Context::empty(),
            None,
        )
        .map_err(|error| error.to_string())?;
        let response = Authorizer::new().is_authorized(&request, policies, &self.records);
        match response.diagnostics().errors().next() {
            Some(error) => Err(error.to_string()),
            None => Ok(response.decision() == Decision::Allow),
        }
    }
}

/// `permit (principal, action, resource) when { question }`.
pub(crate) fn conditional(question: &Arc<Expr>) -> Result<PolicySet, String> {
    single(
        PrincipalConstraint::Any,
        ActionConstraint::Any,
        ResourceConstraint::Any,
        Some(Clause::When(Arc::clone(question))),
    )
}

/// `permit` with a scope and no condition.
pub(crate) fn scoped(
    principal: PrincipalConstraint,
    action: ActionConstraint,
    resource: ResourceConstraint,
) -> Result<PolicySet, String> {
    single(principal, action, resource, None)
}

fn single(
    principal: PrincipalConstraint,
    action: ActionConstraint,
    resource: ResourceConstraint,
    clause: Option<Clause>,
) -> Result<PolicySet, String> {
    let template = Template::new(
        cedar_policy::pst::PolicyID("question".into()),
        Effect::Permit,
        principal,
        action,
        resource,
    )
    .try_with_clauses(clause)
    .map_err(|error| error.to_string())?;
    let policy = StaticPolicy::try_from(template).map_err(|error| error.to_string())?;
    let policy = Policy::from_pst(PstPolicy::Static(policy)).map_err(|error| error.to_string())?;
    PolicySet::from_policies([policy.new_id(PolicyId::new("question"))])
        .map_err(|error| error.to_string())
}

/// Turns a residual condition into a predicate, or says what stands in the way.
pub(crate) fn predicate(
    expr: &Arc<Expr>,
    domain: &Domain,
    probe: &Probe,
) -> Result<Predicate, String> {
    let go = |expr: &Arc<Expr>| predicate(expr, domain, probe);
    match &**expr {
        Expr::Literal(Literal::Bool(value)) => Ok(Predicate::constant(*value)),
        Expr::UnaryOp {
            op: UnaryOp::Not,
            expr,
        } => Ok(go(expr)?.negate(domain)),
        Expr::BinaryOp {
            op: BinaryOp::And,
            left,
            right,
        } => Ok(Predicate::all([go(left)?, go(right)?], domain)),
        Expr::BinaryOp {
            op: BinaryOp::Or,
            left,
            right,
        } => Ok(Predicate::any([go(left)?, go(right)?], domain)),
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => {
            let condition = go(cond)?;
            let otherwise = condition.negate(domain);
            let then = Predicate::all([condition, go(then_expr)?], domain);
            let other = Predicate::all([otherwise, go(else_expr)?], domain);
            Ok(Predicate::any([then, other], domain))
        }
        _ => question(expr, domain, probe),
    }
}

fn question(expr: &Arc<Expr>, domain: &Domain, probe: &Probe) -> Result<Predicate, String> {
    let subject = Subject::of(expr)?;
    if subject.beyond_record {
        return Err(format!("`{expr}` turns on more than the record"));
    }
    let mut attributes = subject.attributes.iter();
    match (attributes.next(), attributes.next()) {
        (Some(name), None) => {
            let (at, _) = domain
                .attribute(name)
                .ok_or_else(|| format!("`{name}` is not an attribute of the record"))?;
            probe.ask(expr, at, domain)
        }
        (None, _) => probe.ask(expr, 0, domain),
        (Some(_), Some(_)) => Err(format!(
            "`{expr}` compares record attributes with each other"
        )),
    }
}

/// What an expression turns on.
#[derive(Default)]
pub(crate) struct Subject {
    /// Attributes of the record.
    pub(crate) attributes: BTreeSet<String>,
    /// Whether it also turns on the principal, the context or another entity's attributes.
    pub(crate) beyond_record: bool,
}

impl Subject {
    /// Refuses every operator that can err or has no meaning over closed sets.
    pub(crate) fn of(expr: &Expr) -> Result<Self, String> {
        let mut subject = Self::default();
        subject.visit(expr)?;
        Ok(subject)
    }

    fn visit(&mut self, expr: &Expr) -> Result<(), String> {
        match expr {
            Expr::Literal(Literal::Bool(_) | Literal::EntityUID(_)) => Ok(()),
            Expr::Literal(_) => Err(format!(
                "`{expr}` is a number or text, which has no closed set of values"
            )),
            Expr::Var(Var::Resource) => Err("the record itself is compared".to_owned()),
            Expr::Var(_) => {
                self.beyond_record = true;
                Ok(())
            }
            Expr::GetAttr { expr, attr } if matches!(**expr, Expr::Var(Var::Resource)) => {
                self.attributes.insert(attr.to_string());
                Ok(())
            }
            Expr::GetAttr { expr, .. } => {
                self.beyond_record = true;
                self.visit(expr)
            }
            Expr::UnaryOp {
                op: UnaryOp::Not | UnaryOp::IsEmpty,
                expr,
            } => self.visit(expr),
            Expr::BinaryOp { op, left, right } if allowed(*op) => {
                self.visit(left)?;
                self.visit(right)
            }
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => [cond, then_expr, else_expr]
                .into_iter()
                .try_for_each(|expr| self.visit(expr)),
            Expr::Set(members) => members.iter().try_for_each(|member| self.visit(member)),
            Expr::Is { expr, in_expr, .. } => match (&**expr, in_expr) {
                (Expr::Var(Var::Resource), None) => Ok(()),
                (expr, in_expr) => {
                    self.visit(expr)?;
                    in_expr.iter().try_for_each(|expr| self.visit(expr))
                }
            },
            Expr::ResidualError => Err("it can only err".to_owned()),
            Expr::UnaryOp { op, .. } => Err(format!("the operator `{op:?}` can err")),
            Expr::BinaryOp { op, .. } => Err(format!(
                "the operator `{op:?}` can err or compares open values"
            )),
            Expr::HasAttr { .. } => Err("`has` asks for what is always there".to_owned()),
            Expr::Like { .. } => Err("`like` matches text, which has no closed set".to_owned()),
            // `Expr` is non-exhaustive: what is not known here is refused.
            _ => Err(format!("`{expr}` has no translation")),
        }
    }
}

fn allowed(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Eq
            | BinaryOp::NotEq
            | BinaryOp::In
            | BinaryOp::Contains
            | BinaryOp::ContainsAll
            | BinaryOp::ContainsAny
    )
}

/// Every entity that a policy names.
pub(crate) fn entities_of(pst: &PstPolicy, found: &mut Vec<(String, String)>) {
    for clause in pst.body().clauses() {
        let (Clause::When(expr) | Clause::Unless(expr)) = clause;
        entities_in(expr, found);
    }
    if let PrincipalConstraint::Eq(entity)
    | PrincipalConstraint::In(entity)
    | PrincipalConstraint::IsIn(_, entity) = &pst.body().principal
        && let EntityOrSlot::Entity(uid) = entity
    {
        found.push((uid.ty.to_string(), uid.eid.to_string()));
    }
}

/// Every entity that an expression names.
pub(crate) fn entities_in(expr: &Expr, found: &mut Vec<(String, String)>) {
    match expr {
        Expr::Literal(Literal::EntityUID(uid)) => {
            found.push((uid.ty.to_string(), uid.eid.to_string()));
        }
        Expr::UnaryOp { expr, .. } | Expr::GetAttr { expr, .. } => entities_in(expr, found),
        Expr::BinaryOp { left, right, .. } => {
            entities_in(left, found);
            entities_in(right, found);
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => {
            for expr in [cond, then_expr, else_expr] {
                entities_in(expr, found);
            }
        }
        Expr::Set(members) => members.iter().for_each(|member| entities_in(member, found)),
        Expr::Is { expr, in_expr, .. } => {
            entities_in(expr, found);
            if let Some(parent) = in_expr {
                entities_in(parent, found);
            }
        }
        // Everything else is refused by `Subject::of` before its entities matter.
        _ => {}
    }
}
