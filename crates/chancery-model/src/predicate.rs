use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::{Domain, Signature};

/// The people for whom something holds: sets of attribute values joined by all, any and not.
///
/// ```
/// use chancery_model::{Attribute, Domain, Predicate, Signature};
/// let domain = Domain::new(vec![Attribute {
///     name: "presence".into(),
///     values: vec!["lawful".into(), "unknown".into()],
/// }]).unwrap();
/// let lawful = Predicate::within(0, [0]);
/// assert!(lawful.holds(&Signature::new(vec![0])));
/// assert!(!lawful.holds(&Signature::unknown(&domain)));
/// assert_eq!(lawful.display(&domain).to_string(), "presence is lawful");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Predicate {
    /// Nobody.
    Never,
    /// Everybody.
    Always,
    /// Those whose attribute has one of the values.
    Within {
        /// The attribute's position in the [`Domain`].
        attribute: usize,
        /// Positions of its values.
        values: BTreeSet<u8>,
    },
    /// Those for whom every part holds.
    All(BTreeSet<Predicate>),
    /// Those for whom at least one part holds.
    Any(BTreeSet<Predicate>),
}

impl Predicate {
    /// Those whose attribute has one of the values.
    pub fn within(attribute: usize, values: impl IntoIterator<Item = u8>) -> Self {
        Self::Within {
            attribute,
            values: values.into_iter().collect(),
        }
    }

    /// Everybody or nobody.
    pub fn constant(holds: bool) -> Self {
        if holds { Self::Always } else { Self::Never }
    }

    /// Whether it holds for a combination of attribute values; an attribute that the signature
    /// lacks makes it false.
    pub fn holds(&self, signature: &Signature) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::Within { attribute, values } => signature
                .value(*attribute)
                .is_some_and(|value| values.contains(&value)),
            Self::All(parts) => parts.iter().all(|part| part.holds(signature)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(signature)),
        }
    }

    /// Those for whom all of the parts hold, in canonical form.
    pub fn all(parts: impl IntoIterator<Item = Self>, domain: &Domain) -> Self {
        join(parts, domain, &CONJUNCTION)
    }

    /// Those for whom at least one of the parts holds, in canonical form.
    pub fn any(parts: impl IntoIterator<Item = Self>, domain: &Domain) -> Self {
        join(parts, domain, &DISJUNCTION)
    }

    /// Those for whom it does not hold.
    #[must_use]
    pub fn negate(&self, domain: &Domain) -> Self {
        match self {
            Self::Never => Self::Always,
            Self::Always => Self::Never,
            Self::Within { attribute, values } => {
                let all = domain
                    .attributes()
                    .get(*attribute)
                    .map_or(0, |a| a.values.len());
                let others = (0..=u8::MAX)
                    .take(all)
                    .filter(|value| !values.contains(value));
                set(*attribute, others.collect(), domain)
            }
            Self::All(parts) => Self::any(parts.iter().map(|part| part.negate(domain)), domain),
            Self::Any(parts) => Self::all(parts.iter().map(|part| part.negate(domain)), domain),
        }
    }

    /// The attributes it turns on.
    pub fn attributes(&self) -> BTreeSet<usize> {
        match self {
            Self::Never | Self::Always => BTreeSet::new(),
            Self::Within { attribute, .. } => BTreeSet::from([*attribute]),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().flat_map(Self::attributes).collect()
            }
        }
    }

    /// The predicate that is left when attribute number `attribute` is known to be `value`.
    #[must_use]
    pub fn given(&self, attribute: usize, value: u8, domain: &Domain) -> Self {
        match self {
            Self::Within {
                attribute: mine,
                values,
            } if *mine == attribute => Self::constant(values.contains(&value)),
            Self::Never | Self::Always | Self::Within { .. } => self.clone(),
            Self::All(parts) => Self::all(
                parts
                    .iter()
                    .map(|part| part.given(attribute, value, domain)),
                domain,
            ),
            Self::Any(parts) => Self::any(
                parts
                    .iter()
                    .map(|part| part.given(attribute, value, domain)),
                domain,
            ),
        }
    }

    /// Whether everyone it holds for also meets `other`.
    pub fn implies(&self, other: &Self, domain: &Domain) -> bool {
        if *self == Self::Never || *other == Self::Always {
            return true;
        }
        let mut signatures = vec![Signature::unknown(domain)];
        for attribute in self.attributes().union(&other.attributes()) {
            let count = domain
                .attributes()
                .get(*attribute)
                .map_or(0, |a| a.values.len());
            let values = (0..=u8::MAX).take(count);
            signatures = signatures
                .iter()
                .flat_map(|signature| {
                    values
                        .clone()
                        .map(move |value| signature.with(*attribute, value))
                })
                .collect();
        }
        signatures
            .iter()
            .all(|signature| !self.holds(signature) || other.holds(signature))
    }

    /// What is left of it for each value of one attribute, with the values for which that is so.
    pub fn by_value(&self, attribute: usize, domain: &Domain) -> BTreeMap<Self, BTreeSet<u8>> {
        let count = domain
            .attributes()
            .get(attribute)
            .map_or(0, |a| a.values.len());
        let mut parts: BTreeMap<Self, BTreeSet<u8>> = BTreeMap::new();
        for value in (0..=u8::MAX).take(count) {
            parts
                .entry(self.given(attribute, value, domain))
                .or_default()
                .insert(value);
        }
        parts
    }

    /// In words, told apart by one attribute where that is shorter to read: `origin is 06:
    /// presence is not_lawful; any other origin: always`.
    pub fn describe(&self, by: &str, domain: &Domain) -> String {
        let Some((attribute, declared)) = domain.attribute(by) else {
            return self.display(domain).to_string();
        };
        let mut parts: Vec<(Self, BTreeSet<u8>)> =
            self.by_value(attribute, domain).into_iter().collect();
        parts.sort_by_key(|(_, values)| values.len());
        let rest = match parts.pop() {
            Some((rest, _)) if !parts.is_empty() => rest,
            _ => return self.display(domain).to_string(),
        };
        let mut words = Vec::new();
        for (part, values) in parts {
            let values = Self::Within { attribute, values };
            words.push(format!(
                "{}: {}",
                values.display(domain),
                part.display(domain)
            ));
        }
        words.push(format!(
            "any other {}: {}",
            declared.name,
            rest.display(domain)
        ));
        words.join("; ")
    }

    /// In words, with the names of the domain.
    pub fn display<'a>(&'a self, domain: &'a Domain) -> impl fmt::Display + 'a {
        Words {
            predicate: self,
            domain,
            nested: false,
        }
    }
}

/// The two ways of joining, so that their one algorithm is written once.
struct Joining {
    /// The part that changes nothing.
    neutral: Predicate,
    /// The part that decides alone.
    absorbing: Predicate,
    /// How two sets of values of one attribute combine.
    combine: fn(&BTreeSet<u8>, &BTreeSet<u8>) -> BTreeSet<u8>,
    /// The parts of the same joining, which are taken apart.
    parts: fn(Predicate) -> Result<BTreeSet<Predicate>, Predicate>,
    /// Puts them together.
    build: fn(BTreeSet<Predicate>) -> Predicate,
}

const CONJUNCTION: Joining = Joining {
    neutral: Predicate::Always,
    absorbing: Predicate::Never,
    combine: |a, b| a & b,
    parts: |part| match part {
        Predicate::All(parts) => Ok(parts),
        other => Err(other),
    },
    build: Predicate::All,
};

const DISJUNCTION: Joining = Joining {
    neutral: Predicate::Never,
    absorbing: Predicate::Always,
    combine: |a, b| a | b,
    parts: |part| match part {
        Predicate::Any(parts) => Ok(parts),
        other => Err(other),
    },
    build: Predicate::Any,
};

fn join(
    parts: impl IntoIterator<Item = Predicate>,
    domain: &Domain,
    joining: &Joining,
) -> Predicate {
    let mut sets: BTreeMap<usize, BTreeSet<u8>> = BTreeMap::new();
    let mut others = BTreeSet::new();
    let mut pending: Vec<Predicate> = parts.into_iter().collect();
    while let Some(part) = pending.pop() {
        match (joining.parts)(part) {
            Ok(inner) => pending.extend(inner),
            Err(part) if part == joining.neutral => {}
            Err(part) if part == joining.absorbing => return part,
            Err(Predicate::Within { attribute, values }) => {
                sets.entry(attribute)
                    .and_modify(|known| *known = (joining.combine)(known, &values))
                    .or_insert(values);
            }
            Err(other) => {
                others.insert(other);
            }
        }
    }
    for (attribute, values) in sets {
        let part = set(attribute, values, domain);
        if part == joining.absorbing {
            return part;
        }
        if part != joining.neutral {
            others.insert(part);
        }
    }
    absorb(&mut others, joining);
    match others.len() {
        0 => joining.neutral.clone(),
        1 => others
            .pop_first()
            .unwrap_or_else(|| joining.neutral.clone()),
        _ => (joining.build)(others),
    }
}

/// Drops what another part makes idle: in `a and (a or b)` the second part adds nothing.
fn absorb(parts: &mut BTreeSet<Predicate>, joining: &Joining) {
    let simple: Vec<Predicate> = parts.iter().cloned().collect();
    parts.retain(|part| match (part, &joining.neutral) {
        (Predicate::Any(inner), Predicate::Always) | (Predicate::All(inner), Predicate::Never) => {
            !simple.iter().any(|other| inner.contains(other))
        }
        _ => true,
    });
}

fn set(attribute: usize, values: BTreeSet<u8>, domain: &Domain) -> Predicate {
    let all = domain
        .attributes()
        .get(attribute)
        .map_or(0, |a| a.values.len());
    if values.is_empty() {
        Predicate::Never
    } else if values.len() == all {
        Predicate::Always
    } else {
        Predicate::Within { attribute, values }
    }
}

struct Words<'a> {
    predicate: &'a Predicate,
    domain: &'a Domain,
    nested: bool,
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.predicate {
            Predicate::Never => write!(f, "never"),
            Predicate::Always => write!(f, "always"),
            Predicate::Within { attribute, values } => self.set(f, *attribute, values),
            Predicate::All(parts) => self.joined(f, parts, " and "),
            Predicate::Any(parts) => self.joined(f, parts, " or "),
        }
    }
}

impl Words<'_> {
    fn set(
        &self,
        f: &mut fmt::Formatter<'_>,
        attribute: usize,
        values: &BTreeSet<u8>,
    ) -> fmt::Result {
        let Some(attribute) = self.domain.attributes().get(attribute) else {
            return write!(f, "never");
        };
        let (listed, verb) = if values.len() * 2 > attribute.values.len() + 1 {
            let others = (0..=u8::MAX).take(attribute.values.len());
            (
                others.filter(|value| !values.contains(value)).collect(),
                "is not",
            )
        } else {
            (values.clone(), "is")
        };
        let mut names: Vec<&str> = listed
            .iter()
            .filter_map(|value| attribute.values.get(usize::from(*value)))
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        let last = names.pop().unwrap_or_default();
        write!(f, "{} {verb} ", attribute.name)?;
        if !names.is_empty() {
            write!(f, "{} or ", names.join(", "))?;
        }
        write!(f, "{last}")
    }

    fn joined(
        &self,
        f: &mut fmt::Formatter<'_>,
        parts: &BTreeSet<Predicate>,
        word: &str,
    ) -> fmt::Result {
        if self.nested {
            write!(f, "(")?;
        }
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                write!(f, "{word}")?;
            }
            let inner = Words {
                predicate: part,
                domain: self.domain,
                nested: true,
            };
            write!(f, "{inner}")?;
        }
        if self.nested {
            write!(f, ")")?;
        }
        Ok(())
    }
}
