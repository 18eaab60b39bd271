//! What Cedar's validator does not look for: operators that can err, names that nothing declares,
//! and forbids that a missing value would escape.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::pst::{
    BinaryOp, Clause, EntityOrSlot, Expr, Literal, PrincipalConstraint, ResourceConstraint,
    UnaryOp, Var,
};
use chancery_model::{Domain, Fault, Predicate, Signature};

use crate::classification::Move;
use crate::expression::{Probe, Subject, entities_in, entities_of, predicate};
use crate::vocabulary::did_you_mean;
use crate::{Effect, Instrument, Provision, Vocabulary};

pub(crate) struct Checker<'a> {
    pub(crate) instrument: &'a Instrument,
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) instruments: &'a [String],
    pub(crate) domain: &'a Domain,
    pub(crate) probe: &'a Probe,
}

impl Checker<'_> {
    pub(crate) fn check(&self, provision: &Provision, text: &str) -> Vec<Fault> {
        let refuse = |problem: String| Fault::new(provision.place.clone(), problem);
        let pst = match provision.policy.to_pst() {
            Ok(pst) => pst,
            Err(error) => return vec![refuse(error.to_string())],
        };
        let body = pst.body();
        let mut faults = Vec::new();
        for clause in body.clauses() {
            let (Clause::When(expr) | Clause::Unless(expr)) = clause;
            faults.extend(self.operators(expr, provision, text));
        }
        faults.extend(self.names(&pst, provision, text));
        if let ResourceConstraint::Eq(one)
        | ResourceConstraint::In(one)
        | ResourceConstraint::IsIn(_, one) = &body.resource
        {
            let word = match one {
                EntityOrSlot::Entity(uid) => format!("{}::\"{}\"", uid.ty, uid.eid),
                EntityOrSlot::Slot(_) => String::from("resource"),
            };
            let place = find(provision, text, &word);
            faults.push(
                Fault::new(place, "speaks of one record, which the law does not know")
                    .hint("say `resource is Record` and turn on its attributes"),
            );
        }
        faults.extend(self.own_parties(body.clauses(), provision, text));
        if provision.effect == Effect::Forbid {
            faults.extend(self.whole(&pst, provision, text));
        }
        if faults.is_empty() && provision.effect == Effect::Forbid {
            faults.extend(self.escape(body.clauses()).err().map(|problem| {
                refuse(problem).hint(
                    "forbid unless the record is definitely outside: `unless { resource.presence \
                     == Presence::\"not_lawful\" }`; for parties use `.covered`",
                )
            }));
        }
        faults
    }

    fn operators(&self, expr: &Arc<Expr>, provision: &Provision, text: &str) -> Option<Fault> {
        let problem = leaves(expr).into_iter().find_map(|leaf| {
            let subject = match Subject::of(leaf) {
                Ok(subject) => subject,
                Err(problem) => return Some((leaf, problem)),
            };
            let unknown = subject
                .attributes
                .iter()
                .find(|a| self.domain.attribute(a).is_none());
            match (unknown, subject.attributes.len()) {
                (Some(name), _) => Some((leaf, format!("`{name}` is not an attribute"))),
                (None, 0) => None,
                (None, 1) => self.idle(leaf, &subject).map(|problem| (leaf, problem)),
                _ => Some((
                    leaf,
                    "compares record attributes with each other".to_owned(),
                )),
            }
        });
        let (leaf, problem) = problem?;
        Some(
            Fault::new(find(provision, text, &offending(leaf)), problem).hint(
                "a provision may use && || ! == != in contains containsAny containsAll is if, on \
                 entities and sets alone: nothing that can err, no dates, no text",
            ),
        )
    }

    /// A question about the record that has the same answer for every value asks nothing, and is a
    /// slip of the pen: a presence compared with a program, say.
    fn idle(&self, question: &Arc<Expr>, subject: &Subject) -> Option<String> {
        if subject.beyond_record {
            return None;
        }
        match predicate(question, self.domain, self.probe) {
            Ok(Predicate::Never) => Some("never holds, whatever the record".to_owned()),
            Ok(Predicate::Always) => Some("always holds, whatever the record".to_owned()),
            Ok(_) => None,
            Err(problem) => Some(problem),
        }
    }

    fn names(
        &self,
        pst: &cedar_policy::pst::Policy,
        provision: &Provision,
        text: &str,
    ) -> Vec<Fault> {
        let mut named = Vec::new();
        entities_of(pst, &mut named);
        named
            .iter()
            .filter_map(|(kind, id)| self.name(kind, id, provision, text))
            .collect()
    }

    fn name(&self, kind: &str, id: &str, provision: &Provision, text: &str) -> Option<Fault> {
        let words = self.vocabulary;
        let (known, what, hint) = match kind {
            "Agency" => (words.agency(id).is_some(), "agency", {
                did_you_mean(id, words.agency_paths())
            }),
            "Purpose" => (words.purpose(id).is_some(), "purpose", {
                did_you_mean(
                    id,
                    words.purposes().iter().map(|purpose| purpose.path.as_str()),
                )
            }),
            "Element" => (words.element(id).is_some(), "element", {
                did_you_mean(id, words.element_names())
            }),
            "ElementSet" => (
                words.sets().iter().any(|set| set.name == id),
                "set of elements",
                { did_you_mean(id, words.sets().iter().map(|set| set.name.as_str())) },
            ),
            "Instrument" => (
                self.instruments.iter().any(|known| known == id),
                "instrument",
                { did_you_mean(id, self.instruments.iter().map(String::as_str)) },
            ),
            _ => return None,
        };
        let place = find(provision, text, &format!("\"{id}\""));
        (!known).then(|| Fault::new(place, format!("unknown {what} `{id}`")).hint(hint))
    }

    /// Parties are those of the provision's own instrument: another's may be none.
    fn own_parties(&self, clauses: &[Clause], provision: &Provision, text: &str) -> Option<Fault> {
        let mut named = Vec::new();
        for clause in clauses {
            let (Clause::When(expr) | Clause::Unless(expr)) = clause;
            entities_in(expr, &mut named);
        }
        let own = &self.instrument.id;
        let (_, id) = named.into_iter().find(|(kind, id)| {
            kind == "Instrument" && (id != own || self.instrument.parties.is_empty())
        })?;
        let place = find(provision, text, &format!("\"{id}\""));
        let problem = if id == *own {
            "asks for the parties of an instrument that has none"
        } else {
            "asks for the parties of another instrument"
        };
        let hint = format!("list the parties in instrument.toml and name `{own}`");
        Some(Fault::new(place, problem).hint(hint))
    }

    /// A forbid on an agency or a purpose holds for everything within it: `==` would let the parts
    /// pass.
    fn whole(
        &self,
        pst: &cedar_policy::pst::Policy,
        provision: &Provision,
        text: &str,
    ) -> Option<Fault> {
        let mut compared = Vec::new();
        if let PrincipalConstraint::Eq(EntityOrSlot::Entity(uid)) = &pst.body().principal {
            compared.push((uid.ty.to_string(), uid.eid.to_string()));
        }
        for clause in pst.body().clauses() {
            let (Clause::When(expr) | Clause::Unless(expr)) = clause;
            for leaf in leaves(expr) {
                if let Expr::BinaryOp { op, left, right } = &**leaf
                    && *op != BinaryOp::In
                {
                    members(left, &mut compared);
                    members(right, &mut compared);
                }
            }
        }
        let words = self.vocabulary;
        let has_parts = |kind: &str, id: &str| {
            let below = format!("{id}/");
            match kind {
                "Agency" => words.agency_paths().any(|path| path.starts_with(&below)),
                "Purpose" => words.purposes().iter().any(|p| p.path.starts_with(&below)),
                _ => false,
            }
        };
        let (_, id) = compared
            .into_iter()
            .find(|(kind, id)| has_parts(kind, id))?;
        let place = find(provision, text, &format!("\"{id}\""));
        let problem = format!("compares `{id}` as a whole, and what is within it would pass");
        Some(Fault::new(place, problem).hint("use `in`: it holds for the whole and its parts"))
    }

    /// Whether a record would escape the forbid by one of its attributes turning `unknown`.
    fn escape(&self, clauses: &[Clause]) -> Result<(), String> {
        let (formula, node) = self.formula(clauses)?;
        formula.monotone(&node, self.domain)
    }

    fn formula(&self, clauses: &[Clause]) -> Result<(Formula, Node), String> {
        let mut formula = Formula {
            questions: Vec::new(),
            free: Vec::new(),
        };
        let mut parts = Vec::new();
        for clause in clauses {
            parts.push(match clause {
                Clause::When(expr) => formula.read(expr, self)?,
                Clause::Unless(expr) => Node::Not(Box::new(formula.read(expr, self)?)),
            });
        }
        Ok((formula, Node::All(parts)))
    }

    /// The changes in a record that would let more go under this provision: a permit that applies
    /// only after one, or a forbid that applies only before.
    pub(crate) fn moved(&self, provision: &Provision, moves: &[Move]) -> Vec<Fault> {
        let refuse = |one: &Move, problem: String| {
            Fault::new(one.place.clone(), problem).hint(
                "a rule of an overlay may only protect more: leave the value out of `instead_of`, \
                 or conclude another",
            )
        };
        let pst = provision.policy.to_pst().map_err(|error| error.to_string());
        let read = pst.and_then(|pst| self.formula(pst.body().clauses()));
        let held = |one: &Move| {
            let (formula, node) = read.as_ref().map_err(Clone::clone)?;
            formula.moved(node, one, provision.effect, self.domain)
        };
        let fault = |one: &Move| {
            let id = &provision.id;
            match held(one) {
                Ok(true) => None,
                Ok(false) => {
                    let attribute = self.domain.attributes().get(one.attribute)?;
                    let value = |at: u8| {
                        attribute
                            .values
                            .get(usize::from(at))
                            .map_or("", String::as_str)
                    };
                    let (name, from, to) = (&attribute.name, value(one.from), value(one.to));
                    let problem =
                        format!("`{id}` would let more go where {name} is {to} instead of {from}");
                    Some(refuse(one, problem))
                }
                Err(problem) => Some(refuse(
                    one,
                    format!("cannot be held against `{id}`: {problem}"),
                )),
            }
        };
        moves.iter().filter_map(fault).collect()
    }
}

/// The entities that an operand of a comparison is, or is the set of.
fn members(operand: &Expr, found: &mut Vec<(String, String)>) {
    match operand {
        Expr::Literal(_) => entities_in(operand, found),
        Expr::Set(set) => set.iter().for_each(|member| members(member, found)),
        _ => {}
    }
}

/// The questions that a condition is built of.
fn leaves(expr: &Arc<Expr>) -> Vec<&Arc<Expr>> {
    match &**expr {
        Expr::UnaryOp {
            op: UnaryOp::Not,
            expr,
        } => leaves(expr),
        Expr::BinaryOp {
            op: BinaryOp::And | BinaryOp::Or,
            left,
            right,
        } => [leaves(left), leaves(right)].concat(),
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => [leaves(cond), leaves(then_expr), leaves(else_expr)].concat(),
        _ => vec![expr],
    }
}

/// A word of the offending expression to point at in the source.
fn offending(expr: &Expr) -> String {
    match expr {
        Expr::BinaryOp { op, left, right } => match op {
            BinaryOp::Less => "<".to_owned(),
            BinaryOp::LessEq => "<=".to_owned(),
            BinaryOp::Greater => ">".to_owned(),
            BinaryOp::GreaterEq => ">=".to_owned(),
            BinaryOp::Add => "+".to_owned(),
            BinaryOp::Sub => "-".to_owned(),
            BinaryOp::Mul => "*".to_owned(),
            _ if Subject::of(left).is_err() => offending(left),
            _ => offending(right),
        },
        Expr::Like { .. } => "like".to_owned(),
        Expr::HasAttr { .. } => " has ".to_owned(),
        Expr::Literal(Literal::String(text)) => format!("\"{text}\""),
        Expr::Literal(Literal::Long(number)) => number.to_string(),
        _ => expr.to_string(),
    }
}

/// Where `word` stands in the provision, or else the provision.
fn find(provision: &Provision, text: &str, word: &str) -> chancery_model::Place {
    let start = provision.span.start;
    let policy = text.get(provision.span.clone()).unwrap_or_default();
    match crate::provision::find(policy, word) {
        Some(at) => {
            let at = start + at;
            chancery_model::Place::span(provision.place.file.clone(), text, at..at + word.len())
        }
        None => provision.place.clone(),
    }
}

/// A condition over questions; those about the record are answered value by value, the others
/// (who asks, for what) are free: both answers are tried.
struct Formula {
    questions: Vec<Predicate>,
    free: Vec<String>,
}

enum Node {
    Question(usize),
    /// A free answer, but for records whose attribute is unknown: there the answer is known.
    Free {
        bit: usize,
        unknown: Option<(usize, bool)>,
    },
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// More free answers and values than this are too many to try.
const MOST_COMBINATIONS: usize = 1 << 18;

impl Formula {
    fn read(&mut self, expr: &Arc<Expr>, checker: &Checker<'_>) -> Result<Node, String> {
        match &**expr {
            Expr::UnaryOp {
                op: UnaryOp::Not,
                expr,
            } => Ok(Node::Not(Box::new(self.read(expr, checker)?))),
            Expr::BinaryOp {
                op: BinaryOp::And,
                left,
                right,
            } => Ok(Node::All(vec![
                self.read(left, checker)?,
                self.read(right, checker)?,
            ])),
            Expr::BinaryOp {
                op: BinaryOp::Or,
                left,
                right,
            } => Ok(Node::Any(vec![
                self.read(left, checker)?,
                self.read(right, checker)?,
            ])),
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => {
                let not = Node::Not(Box::new(self.read(cond, checker)?));
                let then = Node::All(vec![
                    self.read(cond, checker)?,
                    self.read(then_expr, checker)?,
                ]);
                let other = Node::All(vec![not, self.read(else_expr, checker)?]);
                Ok(Node::Any(vec![then, other]))
            }
            _ => self.leaf(expr, checker),
        }
    }

    fn leaf(&mut self, expr: &Arc<Expr>, checker: &Checker<'_>) -> Result<Node, String> {
        let subject = Subject::of(expr)?;
        let Some(attribute) = subject.attributes.first() else {
            return Ok(Node::Free {
                bit: self.bit(expr),
                unknown: None,
            });
        };
        if !subject.beyond_record {
            self.questions
                .push(predicate(expr, checker.domain, checker.probe)?);
            return Ok(Node::Question(self.questions.len() - 1));
        }
        let (attribute, _) = checker
            .domain
            .attribute(attribute)
            .ok_or("an attribute that nothing declares")?;
        let Some(covered) = membership(expr) else {
            return Err(format!("`{expr}` cannot be held against a missing value"));
        };
        Ok(Node::Free {
            bit: self.bit(expr),
            unknown: Some((attribute, covered)),
        })
    }

    fn bit(&mut self, expr: &Expr) -> usize {
        let text = expr.to_string();
        self.free
            .iter()
            .position(|known| *known == text)
            .unwrap_or_else(|| {
                self.free.push(text);
                self.free.len() - 1
            })
    }

    /// Tries every combination: where the forbid holds, it must still hold when any one attribute
    /// is unknown instead.
    fn monotone(&self, node: &Node, domain: &Domain) -> Result<(), String> {
        let representatives = self.representatives(node, domain);
        let signatures = self.signatures(&representatives, domain)?;
        for free in 0..1_usize << self.free.len() {
            for signature in &signatures {
                if !self.holds(node, signature, free, domain) {
                    continue;
                }
                for attribute in representatives.keys() {
                    let unknown = signature.with(*attribute, domain.unknown(*attribute));
                    if !self.holds(node, &unknown, free, domain) {
                        let name = domain.attributes().get(*attribute).map_or("", |a| &a.name);
                        return Err(format!(
                            "a record whose `{name}` is unknown would escape this forbid"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Every combination of representative values, if they are not too many.
    fn signatures(
        &self,
        representatives: &BTreeMap<usize, Vec<u8>>,
        domain: &Domain,
    ) -> Result<Vec<Signature>, String> {
        let combinations = representatives
            .values()
            .fold(1_usize << self.free.len().min(20), |product, values| {
                product.saturating_mul(values.len())
            });
        if combinations > MOST_COMBINATIONS {
            return Err("the condition is too large to be held against missing values".to_owned());
        }
        let mut signatures = vec![Signature::unknown(domain)];
        for (attribute, values) in representatives {
            signatures = signatures
                .iter()
                .flat_map(|s| values.iter().map(|value| s.with(*attribute, *value)))
                .collect();
        }
        Ok(signatures)
    }

    /// Tries every combination: whether none lets more go after a change than before.
    fn moved(
        &self,
        node: &Node,
        one: &Move,
        effect: Effect,
        domain: &Domain,
    ) -> Result<bool, String> {
        let representatives = self.representatives(node, domain);
        let signatures = self.signatures(&representatives, domain)?;
        let lets_more = |signature: &Signature, free: usize| {
            let holds =
                |value: u8| self.holds(node, &signature.with(one.attribute, value), free, domain);
            match effect {
                Effect::Permit => holds(one.to) && !holds(one.from),
                Effect::Forbid => holds(one.from) && !holds(one.to),
            }
        };
        let mut answers = 0..1_usize << self.free.len();
        Ok(answers.all(|free| !signatures.iter().any(|s| lets_more(s, free))))
    }

    /// For each attribute asked about, one value per pattern of answers, and `unknown`.
    fn representatives(&self, node: &Node, domain: &Domain) -> BTreeMap<usize, Vec<u8>> {
        let mut attributes: Vec<usize> = self
            .questions
            .iter()
            .flat_map(Predicate::attributes)
            .collect();
        attributes_of(node, &mut attributes);
        attributes.sort_unstable();
        attributes.dedup();
        let pick = |attribute: usize| {
            let count = domain
                .attributes()
                .get(attribute)
                .map_or(0, |a| a.values.len());
            let mut patterns = BTreeMap::new();
            for value in (0..=u8::MAX).take(count) {
                let signature = Signature::unknown(domain).with(attribute, value);
                let pattern: Vec<bool> = self
                    .questions
                    .iter()
                    .map(|question| question.holds(&signature))
                    .collect();
                let is_unknown = value == domain.unknown(attribute);
                patterns.entry((pattern, is_unknown)).or_insert(value);
            }
            (attribute, patterns.into_values().collect())
        };
        attributes.into_iter().map(pick).collect()
    }

    fn holds(&self, node: &Node, signature: &Signature, free: usize, domain: &Domain) -> bool {
        let go = |node: &Node| self.holds(node, signature, free, domain);
        match node {
            Node::Question(at) => self.questions.get(*at).is_some_and(|q| q.holds(signature)),
            Node::Free {
                unknown: Some((attribute, answer)),
                ..
            } if signature.value(*attribute) == Some(domain.unknown(*attribute)) => *answer,
            Node::Free { bit, .. } => free & (1 << bit) != 0,
            Node::Not(node) => !go(node),
            Node::All(nodes) => nodes.iter().all(go),
            Node::Any(nodes) => nodes.iter().any(go),
        }
    }
}

/// Whether the expression asks if a known set holds a record's very attribute, and then whether
/// the set holds `unknown`: `.covered` always does, `.parties` and `.jurisdiction` never do.
fn membership(expr: &Expr) -> Option<bool> {
    let Expr::BinaryOp {
        op: BinaryOp::Contains,
        left,
        right,
    } = expr
    else {
        return None;
    };
    let Expr::GetAttr { expr: of, attr } = &**left else {
        return None;
    };
    let fixed = Subject::of(of).ok()?.attributes.is_empty();
    let bare = matches!(&**right, Expr::GetAttr { expr, .. } if matches!(&**expr, Expr::Var(Var::Resource)));
    match attr.as_str() {
        "covered" if fixed && bare => Some(true),
        "parties" | "jurisdiction" if fixed && bare => Some(false),
        _ => None,
    }
}

fn attributes_of(node: &Node, found: &mut Vec<usize>) {
    match node {
        Node::Question(_) | Node::Free { unknown: None, .. } => {}
        Node::Free {
            unknown: Some((attribute, _)),
            ..
        } => found.push(*attribute),
        Node::Not(node) => attributes_of(node, found),
        Node::All(nodes) | Node::Any(nodes) => {
            for node in nodes {
                attributes_of(node, found);
            }
        }
    }
}
