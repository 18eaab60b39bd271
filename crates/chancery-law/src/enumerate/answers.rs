use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use chancery_model::Domain;

use super::People;
use super::questions::{Interned, Point, Question, Questions, Tree, Variable, Whom};
use crate::{Effect, Error, InForce};

/// Values that no provision in force tells apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The first of them.
    pub example: String,
    /// All of them. An open family such as `research/*` is there as one agency of it.
    pub members: Vec<String>,
    numbers: Vec<usize>,
}

/// The kinds of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Who discloses.
    pub custodians: Vec<Kind>,
    /// Who receives.
    pub recipients: Vec<Kind>,
    /// For what.
    pub purposes: Vec<Kind>,
    /// What.
    pub elements: Vec<Kind>,
}

impl Space {
    /// Every combination of kinds.
    pub fn each(&self) -> impl Iterator<Item = At> + '_ {
        (0..self.custodians.len()).flat_map(move |custodian| {
            (0..self.recipients.len()).flat_map(move |recipient| {
                (0..self.purposes.len()).flat_map(move |purpose| {
                    (0..self.elements.len()).map(move |element| At {
                        custodian,
                        recipient,
                        purpose,
                        element,
                    })
                })
            })
        })
    }

    /// How many combinations of kinds there are.
    pub fn len(&self) -> usize {
        self.custodians.len() * self.recipients.len() * self.purposes.len() * self.elements.len()
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn kinds(&self, variable: Variable) -> &[Kind] {
        match variable {
            Variable::Custodian => &self.custodians,
            Variable::Recipient => &self.recipients,
            Variable::Purpose => &self.purposes,
            Variable::Element => &self.elements,
            Variable::Action => &[],
        }
    }
}

/// One combination of kinds, by their places in [`Space`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Who discloses.
    pub custodian: usize,
    /// Who receives.
    pub recipient: usize,
    /// For what.
    pub purpose: usize,
    /// What.
    pub element: usize,
}

/// What the law of a day says to one combination of kinds.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Those whose element is released: some permit applies and no forbid does.
    pub released: Arc<People>,
    /// For each provision that applies to anyone, by its place in [`Answers::provisions`], to whom.
    pub hits: Vec<(usize, Arc<People>)>,
}

/// What the law of a day says to every question.
#[derive(Debug)]
pub struct Answers {
    space: Space,
    provisions: Vec<(String, Effect)>,
    tables: Vec<Table>,
    /// The last is everybody.
    people: Vec<Arc<People>>,
    nobody: Arc<People>,
    released: Mutex<HashMap<Hits, Arc<People>>>,
}

/// Provisions with the numbers of the people they apply to.
type Hits = Vec<(usize, usize)>;

/// To whom one provision applies: by the class of each variable's kind.
#[derive(Debug)]
struct Table {
    /// For custodian, recipient, purpose and element: the class of each kind.
    classes: [Vec<usize>; 4],
    /// How many classes each has.
    sizes: [usize; 4],
    /// By class, the last variable fastest: people number so-and-so, if anybody.
    whom: Vec<Option<usize>>,
}

const ASKED: [Variable; 4] = [
    Variable::Custodian,
    Variable::Recipient,
    Variable::Purpose,
    Variable::Element,
];

impl InForce<'_> {
    /// What the law of the day says to every question about one action, such as `disclose`.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when the questions are another pack's, or know no such action.
    pub fn answers(&self, questions: &Questions, action: &str) -> Result<Answers, Error> {
        let action = questions
            .actions
            .iter()
            .position(|known| known == action)
            .ok_or_else(|| Error::Schema(format!("`{action}` is not an action")))?;
        let mut people = questions.people.clone();
        let of_day = questions
            .of_day(&self.entities, self.pack, &mut people)
            .map_err(Error::Schema)?;
        let mut builder = Builder {
            questions,
            of_day,
            action,
            people,
            domain: self.pack.domain(),
        };
        let mut provisions = Vec::new();
        let mut raw = Vec::new();
        for (id, provision) in &self.provisions {
            let tree = questions.trees.get(id).ok_or_else(|| {
                Error::Schema(format!("`{id}` is not among the pack's provisions"))
            })?;
            provisions.push((id.clone(), provision.effect));
            raw.push(builder.classes(tree));
        }
        let space = builder.space(&raw);
        let tables = raw.iter().map(|raw| raw.over(&space)).collect();
        let mut people = builder.people.list;
        people.push(Arc::new(People::all(self.pack.domain())));
        Ok(Answers {
            space,
            provisions,
            tables,
            people,
            nobody: Arc::new(People::none(self.pack.domain())),
            released: Mutex::default(),
        })
    }
}

impl Answers {
    /// The kinds that [`At`] counts.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The provisions in force, with their effects.
    pub fn provisions(&self) -> &[(String, Effect)] {
        &self.provisions
    }

    /// Where an agency, an agency, a purpose and an element are among the kinds.
    pub fn at(&self, custodian: &str, recipient: &str, purpose: &str, element: &str) -> Option<At> {
        let place = |kinds: &[Kind], name: &str| {
            kinds
                .iter()
                .position(|kind| kind.members.iter().any(|member| member == name))
        };
        Some(At {
            custodian: place(&self.space.custodians, custodian)?,
            recipient: place(&self.space.recipients, recipient)?,
            purpose: place(&self.space.purposes, purpose)?,
            element: place(&self.space.elements, element)?,
        })
    }

    /// Whose element is released, and to whom each provision applies.
    pub fn cell(&self, at: At) -> Cell {
        let hits = self.hits(at);
        let released = self.released(&hits);
        let hits = hits
            .into_iter()
            .filter_map(|(provision, whom)| Some((provision, Arc::clone(self.people(whom)?))))
            .collect();
        Cell { released, hits }
    }

    fn people(&self, number: usize) -> Option<&Arc<People>> {
        if number == EVERYBODY {
            self.people.last()
        } else {
            self.people.get(number)
        }
    }

    fn hits(&self, at: At) -> Hits {
        let tables = self.tables.iter().enumerate();
        tables
            .filter_map(|(provision, table)| Some((provision, table.at(at)?)))
            .collect()
    }

    fn released(&self, hits: &[(usize, usize)]) -> Arc<People> {
        let effect = |provision: usize| self.provisions.get(provision).map(|(_, effect)| *effect);
        let of = |wanted: Effect| {
            hits.iter()
                .filter(move |(provision, _)| effect(*provision) == Some(wanted))
                .filter_map(|(_, whom)| self.people(*whom))
        };
        if of(Effect::Permit).next().is_none() {
            return Arc::clone(&self.nobody);
        }
        let known = |key: &[(usize, usize)]| self.released.lock().ok()?.get(key).cloned();
        if let Some(known) = known(hits) {
            return known;
        }
        let permitted = of(Effect::Permit).fold((*self.nobody).clone(), |all, p| all.or(p));
        let released = of(Effect::Forbid).fold(permitted, |left, p| left.without(p));
        let released = Arc::new(released);
        if let Ok(mut known) = self.released.lock() {
            known.insert(hits.to_vec(), Arc::clone(&released));
        }
        released
    }
}

impl Table {
    fn at(&self, at: At) -> Option<usize> {
        let places = [at.custodian, at.recipient, at.purpose, at.element];
        let mut place = 0;
        for ((classes, size), kind) in self.classes.iter().zip(self.sizes).zip(places) {
            place = place * size + classes.get(kind)?;
        }
        self.whom.get(place).copied().flatten()
    }
}

/// A provision's answers by classes of values, before kinds are known.
struct Raw {
    /// For each of [`ASKED`]: the class of every value.
    classes: [Vec<usize>; 4],
    sizes: [usize; 4],
    whom: Vec<Option<usize>>,
}

impl Raw {
    fn over(&self, space: &Space) -> Table {
        let mut classes: [Vec<usize>; 4] = Default::default();
        for ((variable, of_values), slot) in ASKED.iter().zip(&self.classes).zip(&mut classes) {
            let class = |kind: &Kind| {
                let number = kind.numbers.first()?;
                of_values.get(*number).copied()
            };
            *slot = space.kinds(*variable).iter().filter_map(class).collect();
        }
        Table {
            classes,
            sizes: self.sizes,
            whom: self.whom.clone(),
        }
    }

    /// Merges classes whose answers are the same throughout, and forgets what applies to nobody.
    fn merged(mut self) -> Self {
        for place in 0..ASKED.len() {
            let Some(size) = self.sizes.get(place).copied() else {
                continue;
            };
            let inner: usize = self.sizes.iter().skip(place + 1).product();
            let slice = |class: usize| {
                let rows = self
                    .whom
                    .chunks(inner * size)
                    .flat_map(move |chunk| chunk.iter().skip(class * inner).take(inner).copied());
                rows.collect::<Vec<_>>()
            };
            let mut seen: HashMap<Vec<Option<usize>>, usize> = HashMap::new();
            let mut first = Vec::new();
            let mut now = Vec::new();
            for class in 0..size {
                let next = seen.len();
                let merged = *seen.entry(slice(class)).or_insert_with(|| {
                    first.push(class);
                    next
                });
                now.push(merged);
            }
            let kept = self.whom.chunks(inner * size).flat_map(|chunk| {
                first
                    .iter()
                    .flat_map(move |class| chunk.iter().skip(class * inner).take(inner).copied())
            });
            self.whom = kept.collect();
            if let Some(classes) = self.classes.get_mut(place) {
                for class in classes {
                    *class = now.get(*class).copied().unwrap_or_default();
                }
            }
            if let Some(size) = self.sizes.get_mut(place) {
                *size = first.len();
            }
        }
        self
    }
}

struct Builder<'a> {
    questions: &'a Questions,
    of_day: BTreeMap<usize, Vec<Whom>>,
    action: usize,
    people: Interned,
    domain: &'a Domain,
}

/// The number of everybody.
const EVERYBODY: usize = usize::MAX;

impl Builder<'_> {
    fn size(&self, variable: Variable) -> usize {
        self.questions.size(variable)
    }

    fn question(&self, number: usize) -> Option<&Question> {
        self.questions.questions.get(number)
    }

    fn classes(&mut self, tree: &Tree) -> Raw {
        let mut asked = BTreeSet::new();
        tree.questions(&mut asked);
        let mut classes: [Vec<usize>; 4] = Default::default();
        let mut examples: [Vec<usize>; 4] = Default::default();
        for (at, variable) in ASKED.iter().enumerate() {
            let mut seen: HashMap<Vec<&Whom>, usize> = HashMap::new();
            let mut of_values = Vec::new();
            let mut first = Vec::new();
            for value in 0..self.size(*variable) {
                let next = seen.len();
                let class = *seen
                    .entry(self.row(&asked, *variable, value))
                    .or_insert_with(|| {
                        first.push(value);
                        next
                    });
                of_values.push(class);
            }
            if let (Some(classes), Some(examples)) = (classes.get_mut(at), examples.get_mut(at)) {
                *classes = of_values;
                *examples = first;
            }
        }
        let [custodians, recipients, purposes, elements] = &examples;
        let sizes = [
            custodians.len(),
            recipients.len(),
            purposes.len(),
            elements.len(),
        ];
        let mut whom = Vec::with_capacity(sizes.iter().product());
        for custodian in custodians {
            for recipient in recipients {
                for purpose in purposes {
                    for element in elements {
                        let point = [*custodian, *recipient, *purpose, *element, self.action];
                        whom.push(self.whom(tree, &point));
                    }
                }
            }
        }
        let raw = Raw {
            classes,
            sizes,
            whom,
        };
        raw.merged()
    }

    /// What the questions say of one value, over all values of what else they turn on.
    fn row(&self, asked: &BTreeSet<usize>, variable: Variable, value: usize) -> Vec<&Whom> {
        let mut row = Vec::new();
        for number in asked {
            let Some(question) = self.question(*number) else {
                continue;
            };
            if !question.turns_on.contains(&variable) {
                continue;
            }
            let mut point = [0, 0, 0, 0, self.action];
            set(&mut point, variable, value);
            let mut points = vec![point];
            for other in &question.turns_on {
                if *other != variable && *other != Variable::Action {
                    points = points
                        .iter()
                        .flat_map(|point| {
                            (0..self.size(*other)).map(move |value| {
                                let mut point = *point;
                                set(&mut point, *other, value);
                                point
                            })
                        })
                        .collect();
                }
            }
            row.extend(points.iter().map(|point| self.answer(*number, point)));
        }
        row
    }

    fn answer(&self, number: usize, point: &Point) -> &Whom {
        let sizes = |variable: Variable| self.questions.size(variable);
        self.question(number).map_or(&Whom::Nobody, |question| {
            question.at(number, point, &self.of_day, &sizes)
        })
    }

    /// To whom a provision applies at a point.
    fn whom(&mut self, tree: &Tree, point: &Point) -> Option<usize> {
        match self.value(tree, point) {
            Value::Nobody => None,
            Value::Everybody => Some(EVERYBODY),
            Value::Some(people) => {
                let people = Arc::unwrap_or_clone(people);
                match self.people.whom(people, self.domain) {
                    Whom::Nobody => None,
                    Whom::Everybody => Some(EVERYBODY),
                    Whom::Some(at) => Some(at),
                }
            }
        }
    }

    fn value(&self, tree: &Tree, point: &Point) -> Value {
        match tree {
            Tree::Question(number) => match self.answer(*number, point) {
                Whom::Nobody => Value::Nobody,
                Whom::Everybody => Value::Everybody,
                Whom::Some(at) => self
                    .people
                    .get(*at)
                    .map_or(Value::Nobody, |people| Value::Some(Arc::clone(people))),
            },
            Tree::Not(tree) => match self.value(tree, point) {
                Value::Nobody => Value::Everybody,
                Value::Everybody => Value::Nobody,
                Value::Some(people) => {
                    Value::Some(Arc::new(People::all(self.domain).without(&people)))
                }
            },
            Tree::All(trees) => {
                let mut all = Value::Everybody;
                for tree in trees {
                    all = match (all, self.value(tree, point)) {
                        (Value::Nobody, _) | (_, Value::Nobody) => return Value::Nobody,
                        (Value::Everybody, value) | (value, Value::Everybody) => value,
                        (Value::Some(a), Value::Some(b)) => Value::Some(Arc::new(a.and(&b))),
                    };
                }
                all
            }
            Tree::Any(trees) => {
                let mut any = Value::Nobody;
                for tree in trees {
                    any = match (any, self.value(tree, point)) {
                        (Value::Everybody, _) | (_, Value::Everybody) => return Value::Everybody,
                        (Value::Nobody, value) | (value, Value::Nobody) => value,
                        (Value::Some(a), Value::Some(b)) => Value::Some(Arc::new(a.or(&b))),
                    };
                }
                any
            }
        }
    }

    /// Values that are of the same class for every provision are one kind.
    fn space(&self, raw: &[Raw]) -> Space {
        let kinds = |at: usize, names: &dyn Fn(usize) -> Option<String>, count: usize| {
            let mut kinds: Vec<Kind> = Vec::new();
            let mut seen: HashMap<Vec<usize>, usize> = HashMap::new();
            for value in 0..count {
                let Some(name) = names(value) else { continue };
                let key: Vec<usize> = raw
                    .iter()
                    .filter_map(|raw| raw.classes.get(at)?.get(value).copied())
                    .collect();
                let next = kinds.len();
                let place = *seen.entry(key).or_insert(next);
                if place == next {
                    kinds.push(Kind {
                        example: name.clone(),
                        members: Vec::new(),
                        numbers: Vec::new(),
                    });
                }
                if let Some(kind) = kinds.get_mut(place) {
                    kind.members.push(name);
                    kind.numbers.push(value);
                }
            }
            kinds
        };
        let questions = self.questions;
        let agency = |at: usize| Some(questions.agencies.get(at)?.path.clone());
        let purpose = |at: usize| questions.purposes.get(at).cloned();
        let element = |at: usize| questions.elements.get(at).cloned();
        Space {
            custodians: kinds(0, &agency, questions.agencies.len()),
            recipients: kinds(1, &agency, questions.agencies.len()),
            purposes: kinds(2, &purpose, questions.purposes.len()),
            elements: kinds(3, &element, questions.elements.len()),
        }
    }
}

fn set(point: &mut Point, variable: Variable, value: usize) {
    if let Some(slot) = point.get_mut(variable as usize) {
        *slot = value;
    }
}

/// To whom a condition applies, at a point.
enum Value {
    Nobody,
    Everybody,
    Some(Arc<People>),
}
