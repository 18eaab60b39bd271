use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chancery_model::{Domain, Predicate, Signature};

/// A set of combinations of attribute values: one bit for each combination of a [`Domain`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct People {
    bits: Box<[u64]>,
    shape: Arc<Shape>,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "People({} of {})", self.len(), self.shape.count)
    }
}

/// How many values each attribute has, and how far apart the combinations of neighbours are.
#[derive(PartialEq, Eq, Hash)]
struct Shape {
    strides: Vec<usize>,
    values: Vec<usize>,
    count: usize,
}

impl Shape {
    fn of(domain: &Domain) -> Self {
        let values: Vec<usize> = domain
            .attributes()
            .iter()
            .map(|attribute| attribute.values.len())
            .collect();
        let mut count = 1_usize;
        let mut strides: Vec<usize> = values
            .iter()
            .rev()
            .map(|values| {
                let stride = count;
                count = count.saturating_mul(*values);
                stride
            })
            .collect();
        strides.reverse();
        Self {
            strides,
            values,
            count,
        }
    }

    fn value(&self, at: usize, attribute: usize) -> Option<u8> {
        let stride = self.strides.get(attribute)?;
        let values = self.values.get(attribute)?;
        u8::try_from(at / stride % values).ok()
    }

    fn signature(&self, at: usize) -> Signature {
        let values = (0..self.values.len()).filter_map(|attribute| self.value(at, attribute));
        Signature::new(values.collect())
    }

    fn at(&self, signature: &Signature) -> usize {
        let places = signature.values().iter().zip(&self.strides);
        places
            .map(|(value, stride)| usize::from(*value) * stride)
            .sum()
    }
}

impl People {
    /// How many combinations a domain has; none if they are too many to give each a bit.
    pub fn combinations(domain: &Domain) -> Option<u64> {
        const MOST: usize = 1 << 26;
        let count = Shape::of(domain).count;
        (count <= MOST).then_some(count as u64)
    }

    /// Nobody.
    pub fn none(domain: &Domain) -> Self {
        Self::filled(&Arc::new(Shape::of(domain)), false)
    }

    /// Everybody.
    pub fn all(domain: &Domain) -> Self {
        Self::filled(&Arc::new(Shape::of(domain)), true)
    }

    fn filled(shape: &Arc<Shape>, filled: bool) -> Self {
        let words = shape.count.div_ceil(64);
        let mut bits = vec![if filled { u64::MAX } else { 0 }; words];
        let spare = words * 64 - shape.count;
        if let Some(last) = bits.last_mut() {
            *last >>= spare;
        }
        Self {
            bits: bits.into(),
            shape: Arc::clone(shape),
        }
    }

    /// Those for whom a predicate holds.
    pub fn of(predicate: &Predicate, domain: &Domain) -> Self {
        Self::all(domain).those(predicate)
    }

    fn those(&self, predicate: &Predicate) -> Self {
        let none = || Self::filled(&self.shape, false);
        match predicate {
            Predicate::Never => none(),
            Predicate::Always => self.clone(),
            Predicate::Within { attribute, values } => self.with(*attribute, values),
            Predicate::All(parts) => parts
                .iter()
                .fold(self.clone(), |people, part| people.and(&self.those(part))),
            Predicate::Any(parts) => parts
                .iter()
                .fold(none(), |people, part| people.or(&self.those(part))),
        }
    }

    /// A box: those who have, for each attribute named, one of the values.
    pub fn within(domain: &Domain, values: &BTreeMap<usize, BTreeSet<u8>>) -> Self {
        let all = Self::all(domain);
        values
            .iter()
            .fold(all, |people, (at, values)| people.with(*at, values))
    }

    /// Those of them who have one of the values of attribute number `attribute`.
    #[must_use]
    pub fn with(&self, attribute: usize, values: &BTreeSet<u8>) -> Self {
        let mut kept = self.clone();
        for (word, bits) in kept.bits.iter_mut().enumerate() {
            if *bits == 0 {
                continue;
            }
            for bit in 0..64 {
                let value = self.shape.value(word * 64 + bit, attribute);
                if !value.is_some_and(|value| values.contains(&value)) {
                    *bits &= !(1 << bit);
                }
            }
        }
        kept
    }

    fn joined(&self, other: &Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let pairs = self.bits.iter().zip(&other.bits);
        Self {
            bits: pairs.map(|(a, b)| join(*a, *b)).collect(),
            shape: Arc::clone(&self.shape),
        }
    }

    /// Those in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.joined(other, |a, b| a & b)
    }

    /// Those in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.joined(other, |a, b| a | b)
    }

    /// Those who are not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.joined(other, |a, b| a & !b)
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|bits| *bits == 0)
    }

    /// Whether nobody is in both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.bits.iter().zip(&other.bits).all(|(a, b)| a & b == 0)
    }

    /// How many combinations.
    pub fn len(&self) -> u64 {
        self.bits
            .iter()
            .map(|bits| u64::from(bits.count_ones()))
            .sum()
    }

    /// Whether a combination is among them.
    pub fn holds(&self, signature: &Signature) -> bool {
        let at = self.shape.at(signature);
        let bits = self.bits.get(at / 64);
        bits.is_some_and(|bits| bits & (1 << (at % 64)) != 0)
    }

    /// The first combination in the domain's order.
    pub fn first(&self) -> Option<Signature> {
        self.iter().next()
    }

    /// The combinations in the domain's order.
    pub fn iter(&self) -> impl Iterator<Item = Signature> + '_ {
        let words = self.bits.iter().enumerate();
        let places = words
            .filter(|(_, bits)| **bits != 0)
            .flat_map(|(at, bits)| {
                let set = (0..64).filter(move |bit| bits & (1 << bit) != 0);
                set.map(move |bit| at * 64 + bit)
            });
        places.map(|at| self.shape.signature(at))
    }
}
