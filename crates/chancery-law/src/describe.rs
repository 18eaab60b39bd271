//! A set of records in words that people read: as few regions as a greedy search finds, where a region
//! is a set of values for each attribute.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chancery_model::{Domain, Predicate, Signature};

use crate::enumerate::People;

impl People {
    /// The predicate that holds for them and nobody else, of few conditions.
    pub fn predicate(&self, domain: &Domain) -> Predicate {
        predicate(self.iter(), domain)
    }
}

/// Values for each attribute that is restricted; that of everybody restricts none.
pub type Region = BTreeMap<usize, BTreeSet<u8>>;

/// The predicate that holds for these records and no others, of few conditions.
///
/// ```
/// use chancery_law::describe::predicate;
/// use chancery_model::{Attribute, Domain, Signature};
/// let attribute = |name: &str, values: [&str; 3]| Attribute {
///     name: name.into(),
///     values: values.map(str::to_owned).into(),
/// };
/// let domain = Domain::new(vec![
///     attribute("presence", ["lawful", "not_lawful", "unknown"]),
///     attribute("program", ["medicaid", "chip", "unknown"]),
/// ]).unwrap();
/// let records = [[1, 0], [1, 1], [1, 2]].map(|values| Signature::new(values.into()));
/// let words = predicate(records, &domain);
/// assert_eq!(words.display(&domain).to_string(), "presence is not_lawful");
/// assert_eq!(predicate([], &domain).display(&domain).to_string(), "never");
/// ```
pub fn predicate(records: impl IntoIterator<Item = Signature>, domain: &Domain) -> Predicate {
    Grid::new(records, domain).predicate(domain)
}

/// A predicate that holds for the same records, of few conditions.
pub fn simplest(when: &Predicate, domain: &Domain) -> Predicate {
    let attributes: Vec<usize> = when.attributes().into_iter().collect();
    let mut records = vec![Signature::unknown(domain)];
    for attribute in &attributes {
        let count = domain.attributes().get(*attribute);
        let count = count.map_or(0, |attribute| attribute.values.len());
        let values = (0..=u8::MAX).take(count);
        let each = |record: &Signature| {
            let record = record.clone();
            let with = move |value| record.with(*attribute, value);
            values.clone().map(with)
        };
        records = records.iter().flat_map(each).collect();
    }
    let grid = Grid::over(attributes, records.iter().filter(|r| when.holds(r)), domain);
    grid.predicate(domain)
}

/// Regions that cover these records and no others; they may overlap.
pub fn regions(records: impl IntoIterator<Item = Signature>, domain: &Domain) -> Vec<Region> {
    Grid::new(records, domain).regions()
}

fn joined(regions: &[Region], domain: &Domain) -> Predicate {
    let part = |one: &Region| {
        let sets = one
            .iter()
            .map(|(attribute, values)| Predicate::within(*attribute, values.iter().copied()));
        Predicate::all(sets, domain)
    };
    Predicate::any(regions.iter().map(part), domain)
}

/// How many questions a reader has to answer.
fn conditions(predicate: &Predicate) -> usize {
    match predicate {
        Predicate::Never | Predicate::Always => 0,
        Predicate::Within { .. } => 1,
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().map(conditions).sum(),
    }
}

/// One attribute of a grid: which of the domain, and which of its values cannot be told apart.
struct Axis {
    attribute: usize,
    /// The values of the attribute, by what the set cannot tell apart.
    classes: Vec<BTreeSet<u8>>,
    /// How far apart neighbours on this axis are in [`Grid::cells`].
    stride: usize,
}

/// A set of records over the attributes that it turns on, the values that it cannot tell apart
/// taken together.
struct Grid {
    axes: Vec<Axis>,
    cells: Vec<bool>,
}

impl Grid {
    fn new(records: impl IntoIterator<Item = Signature>, domain: &Domain) -> Self {
        let all = (0..domain.attributes().len()).collect();
        Self::over(all, records, domain)
    }

    /// Over these attributes, the others being alike in every record.
    fn over(
        attributes: Vec<usize>,
        records: impl IntoIterator<Item = impl std::borrow::Borrow<Signature>>,
        domain: &Domain,
    ) -> Self {
        let size = |at: &usize| domain.attributes().get(*at).map_or(0, |a| a.values.len());
        let sizes: Vec<usize> = attributes.iter().map(size).collect();
        let strides = strides_of(&sizes);
        let mut cells = vec![false; sizes.iter().product()];
        for record in records {
            let at = attributes.iter().zip(&strides).map(|(attribute, stride)| {
                let value = record.borrow().value(*attribute).unwrap_or_default();
                usize::from(value) * stride
            });
            if let Some(cell) = cells.get_mut(at.sum::<usize>()) {
                *cell = true;
            }
        }
        let axes = attributes.into_iter().zip(&sizes).zip(&strides);
        let axes = axes.map(|((attribute, size), stride)| {
            (attribute, *stride, classes(&cells, *size, *stride))
        });
        let axes: Vec<_> = axes.filter(|(_, _, classes)| classes.len() > 1).collect();
        let sizes: Vec<usize> = axes.iter().map(|(_, _, classes)| classes.len()).collect();
        let smaller = strides_of(&sizes);
        let count = sizes.iter().product();
        let cell = |at: usize| {
            let from = axes.iter().zip(&smaller).zip(&sizes);
            let from = from.map(|(((_, stride, classes), smaller), size)| {
                let class = classes.get(at / smaller % size);
                let value = class.and_then(BTreeSet::first).copied();
                usize::from(value.unwrap_or_default()) * stride
            });
            cells.get(from.sum::<usize>()).copied().unwrap_or_default()
        };
        let cells = (0..count).map(cell).collect();
        let axes = axes.into_iter().zip(smaller);
        let axes = axes.map(|((attribute, _, classes), stride)| Axis {
            attribute,
            classes,
            stride,
        });
        Self {
            axes: axes.collect(),
            cells,
        }
    }

    fn predicate(&self, domain: &Domain) -> Predicate {
        let found = joined(&self.regions(), domain);
        // "All but" is often shorter: whichever has fewer conditions is taken.
        let others = joined(&self.complement().regions(), domain).negate(domain);
        if conditions(&others) < conditions(&found) {
            others
        } else {
            found
        }
    }

    fn complement(&self) -> Self {
        let axes = self.axes.iter().map(|axis| Axis {
            attribute: axis.attribute,
            classes: axis.classes.clone(),
            stride: axis.stride,
        });
        Self {
            axes: axes.collect(),
            cells: self.cells.iter().map(|cell| !cell).collect(),
        }
    }

    /// Greedily the region that covers most of what none before it does.
    fn regions(&self) -> Vec<Region> {
        let mut open: BTreeSet<usize> = (0..self.cells.len())
            .filter(|at| self.cells.get(*at).copied().unwrap_or_default())
            .collect();
        let orders = orders(self.axes.len(), self.cells.len());
        let mut found = Vec::new();
        while let Some(start) = open.first().copied() {
            let best = orders
                .iter()
                .map(|order| self.grown(start, order))
                .max_by_key(|classes| {
                    let covers = self.within(classes);
                    let fresh = covers.iter().filter(|at| open.contains(at)).count();
                    let restricted = classes.iter().zip(&self.axes);
                    let free = restricted.filter(|(of, axis)| of.len() == axis.classes.len());
                    (fresh, free.count(), covers.len())
                });
            let Some(best) = best else { break };
            for at in self.within(&best) {
                open.remove(&at);
            }
            found.push(self.values(&best));
        }
        found
    }

    /// The largest region around a cell, grown along the axes in an order.
    fn grown(&self, start: usize, order: &[usize]) -> Vec<BTreeSet<usize>> {
        let own = |axis: &Axis| BTreeSet::from([start / axis.stride % axis.classes.len()]);
        let mut classes: Vec<BTreeSet<usize>> = self.axes.iter().map(own).collect();
        for axis in order {
            let all = self.axes.get(*axis).map_or(0, |axis| axis.classes.len());
            let fits = |class: &usize| {
                let mut slice = classes.clone();
                if let Some(slot) = slice.get_mut(*axis) {
                    *slot = BTreeSet::from([*class]);
                }
                let mut cells = self.within(&slice).into_iter();
                cells.all(|at| self.cells.get(at).copied().unwrap_or_default())
            };
            let grown = (0..all).filter(fits).collect();
            if let Some(slot) = classes.get_mut(*axis) {
                *slot = grown;
            }
        }
        classes
    }

    fn within(&self, classes: &[BTreeSet<usize>]) -> Vec<usize> {
        let mut cells = vec![0];
        for (of, axis) in classes.iter().zip(&self.axes) {
            let further = |at: &usize| {
                let at = *at;
                of.iter().map(move |class| at + class * axis.stride)
            };
            cells = cells.iter().flat_map(further).collect();
        }
        cells
    }

    fn values(&self, classes: &[BTreeSet<usize>]) -> Region {
        let restricted = classes.iter().zip(&self.axes);
        let restricted = restricted.filter(|(of, axis)| of.len() < axis.classes.len());
        let values = restricted.map(|(of, axis)| {
            let values = of.iter().filter_map(|class| axis.classes.get(*class));
            (axis.attribute, values.flatten().copied().collect())
        });
        values.collect()
    }
}

/// Which values of an attribute have the same answer whatever the other attributes are.
fn classes(cells: &[bool], size: usize, stride: usize) -> Vec<BTreeSet<u8>> {
    let mut slices: Vec<Vec<bool>> = vec![Vec::new(); size];
    // The cells of one value stand together, a stride long, and those of the next value follow.
    for block in cells.chunks(stride * size) {
        for (slice, here) in slices.iter_mut().zip(block.chunks(stride)) {
            slice.extend_from_slice(here);
        }
    }
    let mut classes: HashMap<Vec<bool>, BTreeSet<u8>> = HashMap::new();
    for (value, slice) in (0..=u8::MAX).zip(slices) {
        classes.entry(slice).or_default().insert(value);
    }
    let mut classes: Vec<BTreeSet<u8>> = classes.into_values().collect();
    classes.sort();
    classes
}

fn strides_of(sizes: &[usize]) -> Vec<usize> {
    let stride = |at: usize| sizes.iter().skip(at + 1).product();
    (0..sizes.len()).map(stride).collect()
}

/// Every order of so many axes, as long as there are few; beyond that each axis comes first once.
fn orders(axes: usize, cells: usize) -> Vec<Vec<usize>> {
    const MOST_AXES: usize = 5;
    const MOST_CELLS: usize = 1 << 12;
    if axes > MOST_AXES || cells > MOST_CELLS {
        let turned = |by: usize| (0..axes).map(|axis| (axis + by) % axes).collect();
        return (0..axes).map(turned).collect();
    }
    let mut orders = vec![Vec::new()];
    for _ in 0..axes {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (0..axes)
                .filter(|axis| !order.contains(axis))
                .map(|axis| [order.clone(), vec![axis]].concat())
                .collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}
