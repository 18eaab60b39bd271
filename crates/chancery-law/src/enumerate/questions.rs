use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::pst::{
    ActionConstraint, BinaryOp, Clause, Expr, PrincipalConstraint, ResourceConstraint, UnaryOp, Var,
};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use chancery_model::Domain;

use super::People;
use crate::expression::{
    Subject, conditional, entities_in, entities_of, predicate, record, scoped, uid,
};
use crate::ruling::{agency, hierarchy, named_first};
use crate::schema::RECORD;
use crate::{Agency, Error, LawPack, Provision};

/// What a question can turn on besides the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Variable {
    Custodian,
    Recipient,
    Purpose,
    Element,
    Action,
}

/// A value of each variable by number, in the order of [`Variable`].
pub(super) type Point = [usize; 5];

/// For whom a question is answered with yes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Whom {
    Nobody,
    Everybody,
    /// People number so-and-so.
    Some(usize),
}

/// A provision as a combination of questions.
#[derive(Debug)]
pub(super) enum Tree {
    Question(usize),
    Not(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

impl Tree {
    pub(super) fn questions(&self, found: &mut BTreeSet<usize>) {
        match self {
            Self::Question(at) => {
                found.insert(*at);
            }
            Self::Not(tree) => tree.questions(found),
            Self::All(trees) | Self::Any(trees) => {
                for tree in trees {
                    tree.questions(found);
                }
            }
        }
    }
}

/// A question and, if it does not turn on the day, its answers.
#[derive(Debug)]
pub(super) struct Question {
    ask: PolicySet,
    /// What it turns on, in the order of [`Variable`].
    pub(super) turns_on: Vec<Variable>,
    /// The attribute of the record that it turns on.
    attribute: Option<usize>,
    /// Whether it asks for the parties of an instrument, who change.
    pub(super) by_day: bool,
    /// By the values of `turns_on`, the last fastest; none as long as the day is not known.
    answers: Vec<Whom>,
}

/// The questions that a law pack's provisions ask, answered for every agency, purpose, element and
/// action that it knows. They do not depend on the day but for those about parties.
#[derive(Debug)]
pub struct Questions {
    pub(super) agencies: Vec<Agency>,
    /// For each agency the family that it stands for, if any id will do.
    families: Vec<Option<String>>,
    pub(super) purposes: Vec<String>,
    pub(super) elements: Vec<String>,
    pub(super) actions: Vec<String>,
    pub(super) trees: BTreeMap<String, Tree>,
    pub(super) questions: Vec<Question>,
    pub(super) people: Interned,
    entities: Entities,
    combinations: u64,
}

/// Sets of people by number, so that equal ones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Interned {
    pub(super) list: Vec<Arc<People>>,
    known: HashMap<Arc<People>, usize>,
}

impl Interned {
    pub(super) fn whom(&mut self, people: People, domain: &Domain) -> Whom {
        if people.is_empty() {
            return Whom::Nobody;
        }
        if People::combinations(domain) == Some(people.len()) {
            return Whom::Everybody;
        }
        let people = Arc::new(people);
        let at = *self.known.entry(Arc::clone(&people)).or_insert_with(|| {
            self.list.push(people);
            self.list.len() - 1
        });
        Whom::Some(at)
    }

    pub(super) fn get(&self, at: usize) -> Option<&Arc<People>> {
        self.list.get(at)
    }
}

impl LawPack {
    /// Takes the pack's provisions apart and answers their questions.
    ///
    /// The agencies are those of the vocabulary, families of states in full; a family of any id is
    /// one agency, told apart from those that a provision or `also` names.
    ///
    /// # Errors
    ///
    /// [`Error::Untranslatable`] when a provision cannot be taken apart, [`Error::Schema`] when
    /// there are more combinations of attribute values than can be enumerated.
    pub fn questions(&self, also: &[&str]) -> Result<Questions, Error> {
        let combinations = People::combinations(self.domain()).ok_or_else(|| {
            Error::Schema("a record has too many combinations of values to enumerate".to_owned())
        })?;
        let mut reader = Reader {
            pack: self,
            questions: Vec::new(),
            known: HashMap::new(),
        };
        let mut trees = BTreeMap::new();
        let provisions = self.instruments().iter().flat_map(|i| &i.provisions);
        for provision in provisions {
            trees.insert(provision.id.clone(), reader.provision(provision)?);
        }
        let (agencies, families): (Vec<_>, Vec<_>) = self.agencies(also).into_iter().unzip();
        let mut questions = Questions {
            families,
            purposes: self
                .vocabulary()
                .purposes()
                .iter()
                .map(|purpose| purpose.path.clone())
                .collect(),
            elements: self
                .vocabulary()
                .element_names()
                .map(str::to_owned)
                .collect(),
            actions: self.actions(),
            trees,
            questions: reader.questions,
            people: Interned::default(),
            entities: self.known(&agencies).map_err(Error::Schema)?,
            agencies,
            combinations,
        };
        questions.answer(self).map_err(Error::Schema)?;
        Ok(questions)
    }

    /// Every agency, with the family that it stands for.
    fn agencies(&self, also: &[&str]) -> Vec<(Agency, Option<String>)> {
        let mut named: Vec<(String, String)> = Vec::new();
        for provision in self.instruments().iter().flat_map(|i| &i.provisions) {
            if let Ok(pst) = provision.policy.to_pst() {
                entities_of(&pst, &mut named);
            }
        }
        let named: BTreeSet<&str> = named
            .iter()
            .filter(|(kind, _)| kind == "Agency")
            .map(|(_, id)| id.as_str())
            .chain(also.iter().copied())
            .collect();
        let mut every = self.vocabulary().every_agency(&named);
        let known: BTreeSet<String> = every
            .iter()
            .map(|(agency, _)| agency.path.clone())
            .collect();
        let others = named.iter().filter(|path| !known.contains(**path));
        every.extend(others.filter_map(|path| Some((self.vocabulary().agency(path)?, None))));
        every
    }

    /// The actions of the schema, by name.
    fn actions(&self) -> Vec<String> {
        let mut actions: Vec<String> = self
            .schema
            .actions()
            .map(|action| action.id().unescaped().to_owned())
            .collect();
        actions.sort();
        actions
    }

    /// Everything that can be asked about, but the instruments of a day.
    fn known(&self, agencies: &[Agency]) -> Result<Entities, String> {
        let agencies = agencies.iter().map(|one| agency(one, self.origin_type()));
        let mut entities = named_first(agencies)?;
        let words = self.vocabulary();
        let purposes = words.purposes().iter();
        entities.extend(named_first(
            purposes.map(|purpose| hierarchy("Purpose", &purpose.path, &purpose.within)),
        )?);
        entities.extend(crate::ruling::elements(words)?);
        let domain = self.domain();
        for (at, attribute) in domain.attributes().iter().enumerate() {
            for value in (0..=u8::MAX).take(attribute.values.len()) {
                let signature = chancery_model::Signature::unknown(domain).with(at, value);
                let name = format!("{at}={value}");
                entities.push(record(&name, &signature, domain, &self.types)?);
            }
        }
        let mut seen = BTreeSet::new();
        entities.retain(|entity: &Entity| seen.insert(entity.uid()));
        Entities::from_entities(entities, None).map_err(|error| error.to_string())
    }
}

impl Questions {
    /// How many questions there are: custodians × recipients × purposes × elements × combinations of
    /// attribute values. A family of any id counts once.
    pub fn cases(&self) -> u128 {
        let agencies = self.agencies.len() as u128;
        let named = (self.purposes.len() * self.elements.len()) as u128;
        agencies * agencies * named * u128::from(self.combinations)
    }

    /// How many combinations of attribute values there are.
    pub fn combinations(&self) -> u64 {
        self.combinations
    }

    /// The actions that the schema knows, such as `disclose`.
    pub fn actions(&self) -> &[String] {
        &self.actions
    }

    /// The agencies, by path.
    pub fn agencies(&self) -> impl Iterator<Item = &str> {
        self.agencies.iter().map(|agency| agency.path.as_str())
    }

    /// The same with what they are within and whose records they administer.
    pub(crate) fn every_agency(&self) -> &[Agency] {
        &self.agencies
    }

    /// The open family, such as `research/*`, for which an agency stands here.
    pub fn family(&self, agency: &str) -> Option<&str> {
        let at = self
            .agencies
            .iter()
            .position(|known| known.path == agency)?;
        self.families.get(at)?.as_deref()
    }

    /// How many values a variable has.
    pub(super) fn size(&self, variable: Variable) -> usize {
        match variable {
            Variable::Custodian | Variable::Recipient => self.agencies.len(),
            Variable::Purpose => self.purposes.len(),
            Variable::Element => self.elements.len(),
            Variable::Action => self.actions.len(),
        }
    }

    fn answer(&mut self, pack: &LawPack) -> Result<(), String> {
        for at in 0..self.questions.len() {
            let Some(question) = self.questions.get(at) else {
                continue;
            };
            if question.by_day {
                continue;
            }
            let mut people = std::mem::take(&mut self.people);
            let answers = self.table(question, &self.entities, pack, &mut people);
            self.people = people;
            let answers = answers?;
            if let Some(question) = self.questions.get_mut(at) {
                question.answers = answers;
            }
        }
        Ok(())
    }

    /// The answers to the questions about parties on a day, by the number of the question.
    pub(super) fn of_day(
        &self,
        instruments: &[Entity],
        pack: &LawPack,
        people: &mut Interned,
    ) -> Result<BTreeMap<usize, Vec<Whom>>, String> {
        let entities = self
            .entities
            .clone()
            .add_entities(instruments.to_vec(), None)
            .map_err(|error| error.to_string())?;
        let by_day = self
            .questions
            .iter()
            .enumerate()
            .filter(|(_, question)| question.by_day);
        by_day
            .map(|(at, question)| Ok((at, self.table(question, &entities, pack, people)?)))
            .collect()
    }

    /// The answers to a question for every value of what it turns on.
    fn table(
        &self,
        question: &Question,
        entities: &Entities,
        pack: &LawPack,
        people: &mut Interned,
    ) -> Result<Vec<Whom>, String> {
        let mut points: Vec<Point> = vec![[0; 5]];
        for variable in &question.turns_on {
            let place = *variable as usize;
            points = points
                .iter()
                .flat_map(|point| {
                    (0..self.size(*variable)).map(move |value| {
                        let mut point = *point;
                        if let Some(slot) = point.get_mut(place) {
                            *slot = value;
                        }
                        point
                    })
                })
                .collect();
        }
        points
            .iter()
            .map(|point| self.ask(question, point, entities, pack, people))
            .collect()
    }

    fn ask(
        &self,
        question: &Question,
        point: &Point,
        entities: &Entities,
        pack: &LawPack,
        people: &mut Interned,
    ) -> Result<Whom, String> {
        let [custodian, recipient, purpose, element, action] = point;
        let name = |names: &[String], at: &usize| names.get(*at).cloned().unwrap_or_default();
        let path = |at: &usize| self.agencies.get(*at).map(|agency| agency.path.as_str());
        let pairs = [
            ("custodian", "Agency", path(custodian).unwrap_or_default()),
            ("purpose", "Purpose", &name(&self.purposes, purpose)),
            ("element", "Element", &name(&self.elements, element)),
        ];
        let pairs = pairs
            .into_iter()
            .map(|(key, kind, id)| {
                let value = RestrictedExpression::new_entity_uid(uid(kind, id)?);
                Ok((key.to_owned(), value))
            })
            .collect::<Result<Vec<_>, String>>()?;
        let context = Context::from_pairs(pairs).map_err(|error| error.to_string())?;
        let principal = uid("Agency", path(recipient).unwrap_or_default())?;
        let action = uid("Action", &name(&self.actions, action))?;
        let holds = |record: String| -> Result<bool, String> {
            let resource: EntityUid = uid(RECORD, &record)?;
            let request = Request::new(
                principal.clone(),
                action.clone(),
                resource,
                context.clone(),
                None,
            )
            .map_err(|error| error.to_string())?;
            let response = Authorizer::new().is_authorized(&request, &question.ask, entities);
            match response.diagnostics().errors().next() {
                Some(error) => Err(error.to_string()),
                None => Ok(response.decision() == Decision::Allow),
            }
        };
        let Some(attribute) = question.attribute else {
            return Ok(if holds("0=0".to_owned())? {
                Whom::Everybody
            } else {
                Whom::Nobody
            });
        };
        let domain = pack.domain();
        let count = domain
            .attributes()
            .get(attribute)
            .map_or(0, |attribute| attribute.values.len());
        let mut values = BTreeSet::new();
        for value in (0..=u8::MAX).take(count) {
            if holds(format!("{attribute}={value}"))? {
                values.insert(value);
            }
        }
        // Most agencies have no jurisdiction: nobody is soon told.
        if values.is_empty() {
            return Ok(Whom::Nobody);
        }
        let box_of_one = BTreeMap::from([(attribute, values)]);
        Ok(people.whom(People::within(domain, &box_of_one), domain))
    }
}

impl Question {
    /// The answer at a point; the tables of a day come before the question's own.
    pub(super) fn at<'a>(
        &'a self,
        number: usize,
        point: &Point,
        of_day: &'a BTreeMap<usize, Vec<Whom>>,
        sizes: &dyn Fn(Variable) -> usize,
    ) -> &'a Whom {
        let place = self.turns_on.iter().fold(0, |place, variable| {
            let value = point.get(*variable as usize).copied().unwrap_or_default();
            place * sizes(*variable) + value
        });
        let table = of_day.get(&number).unwrap_or(&self.answers);
        table.get(place).unwrap_or(&Whom::Nobody)
    }
}

/// Takes provisions apart; equal questions are one.
struct Reader<'a> {
    pack: &'a LawPack,
    questions: Vec<Question>,
    known: HashMap<String, usize>,
}

impl Reader<'_> {
    fn provision(&mut self, provision: &Provision) -> Result<Tree, Error> {
        let refuse = |problem: String| Error::Untranslatable {
            provision: provision.id.clone(),
            problem,
            place: provision.place.clone(),
        };
        let pst = provision
            .policy
            .to_pst()
            .map_err(|error| refuse(error.to_string()))?;
        let body = pst.body();
        let mut parts = vec![
            self.scope(
                body.principal.clone(),
                ActionConstraint::Any,
                &ResourceConstraint::Any,
                &[Variable::Recipient],
            ),
            self.scope(
                PrincipalConstraint::Any,
                body.action.clone(),
                &body.resource,
                &[Variable::Action],
            ),
        ];
        for clause in body.clauses() {
            parts.push(match clause {
                Clause::When(expr) => self.tree(expr),
                Clause::Unless(expr) => self.tree(expr).map(|tree| Tree::Not(Box::new(tree))),
            });
        }
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>();
        parts.map(Tree::All).map_err(refuse)
    }

    fn scope(
        &mut self,
        principal: PrincipalConstraint,
        action: ActionConstraint,
        resource: &ResourceConstraint,
        turns_on: &[Variable],
    ) -> Result<Tree, String> {
        let text = format!("{principal:?} {action:?} {resource:?}");
        let ask = scoped(principal, action, resource.clone())?;
        Ok(Tree::Question(self.number(text, || {
            Ok(Question {
                ask,
                turns_on: turns_on.to_vec(),
                attribute: None,
                by_day: false,
                answers: Vec::new(),
            })
        })?))
    }

    fn number(
        &mut self,
        text: String,
        question: impl FnOnce() -> Result<Question, String>,
    ) -> Result<usize, String> {
        if let Some(at) = self.known.get(&text) {
            return Ok(*at);
        }
        self.questions.push(question()?);
        let at = self.questions.len() - 1;
        self.known.insert(text, at);
        Ok(at)
    }

    fn tree(&mut self, expr: &Arc<Expr>) -> Result<Tree, String> {
        let mut pair = |left: &Arc<Expr>, right: &Arc<Expr>| {
            Ok::<_, String>(vec![self.tree(left)?, self.tree(right)?])
        };
        match &**expr {
            Expr::UnaryOp {
                op: UnaryOp::Not,
                expr,
            } => Ok(Tree::Not(Box::new(self.tree(expr)?))),
            Expr::BinaryOp {
                op: BinaryOp::And,
                left,
                right,
            } => pair(left, right).map(Tree::All),
            Expr::BinaryOp {
                op: BinaryOp::Or,
                left,
                right,
            } => pair(left, right).map(Tree::Any),
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => {
                let then = Tree::All(pair(cond, then_expr)?);
                let not = Tree::Not(Box::new(self.tree(cond)?));
                let other = Tree::All(vec![not, self.tree(else_expr)?]);
                Ok(Tree::Any(vec![then, other]))
            }
            _ => self.question(expr).map(Tree::Question),
        }
    }

    fn question(&mut self, expr: &Arc<Expr>) -> Result<usize, String> {
        let pack = self.pack;
        self.number(expr.to_string(), || {
            let subject = Subject::of(expr)?;
            let mut attributes = subject.attributes.iter();
            let attribute = attributes.next();
            if attributes.next().is_some() {
                return Err(format!(
                    "`{expr}` compares record attributes with each other"
                ));
            }
            let attribute = attribute
                .map(|name| {
                    let found = pack.domain().attribute(name);
                    found
                        .map(|(at, _)| at)
                        .ok_or_else(|| format!("`{name}` is not an attribute of the record"))
                })
                .transpose()?;
            let mut turns_on = BTreeSet::new();
            variables(expr, &mut turns_on)?;
            let mut named = Vec::new();
            entities_in(expr, &mut named);
            // The same refusals as where requests are decided.
            if turns_on.is_empty() && !named.iter().any(|(kind, _)| kind == "Instrument") {
                predicate(expr, pack.domain(), &pack.probe)?;
            }
            Ok(Question {
                ask: conditional(expr)?,
                turns_on: turns_on.into_iter().collect(),
                attribute,
                by_day: named.iter().any(|(kind, _)| kind == "Instrument"),
                answers: Vec::new(),
            })
        })
    }
}

/// What an expression turns on besides the record.
fn variables(expr: &Expr, found: &mut BTreeSet<Variable>) -> Result<(), String> {
    match expr {
        Expr::Literal(_) | Expr::Var(Var::Resource) => Ok(()),
        Expr::Var(Var::Principal) => {
            found.insert(Variable::Recipient);
            Ok(())
        }
        Expr::Var(Var::Action) => {
            found.insert(Variable::Action);
            Ok(())
        }
        Expr::GetAttr { expr: of, attr } if matches!(**of, Expr::Var(Var::Context)) => {
            found.insert(match attr.as_str() {
                "custodian" => Variable::Custodian,
                "purpose" => Variable::Purpose,
                "element" => Variable::Element,
                _ => return Err(format!("`{expr}` is no part of a request")),
            });
            Ok(())
        }
        Expr::GetAttr { expr, .. } | Expr::UnaryOp { expr, .. } => variables(expr, found),
        Expr::BinaryOp { left, right, .. } => {
            variables(left, found)?;
            variables(right, found)
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => [cond, then_expr, else_expr]
            .into_iter()
            .try_for_each(|expr| variables(expr, found)),
        Expr::Set(members) => members
            .iter()
            .try_for_each(|member| variables(member, found)),
        Expr::Is { expr, in_expr, .. } => {
            variables(expr, found)?;
            in_expr.iter().try_for_each(|expr| variables(expr, found))
        }
        _ => Err(format!("`{expr}` cannot be taken apart")),
    }
}
