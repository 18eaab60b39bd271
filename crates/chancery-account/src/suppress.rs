//! Which counts of people may be shown to others than the custodian.
//!
//! CMS's cell size suppression policy: no count from 1 to 10 is shown, nor one from which such a count
//! could be worked out (`resdac.org/articles/cms-cell-size-suppression-policy`). So a small count is
//! hidden, and with it as many others as it takes: nobody who knows every figure that is shown, that
//! a zero is never hidden, and how hiding works, can tell that a hidden count lies within 1 to 10, or
//! which count it is.
//!
//! A table with its row totals, column totals and total is a network: a count in a row and a column
//! flows from the row to the column, the totals into and out of them, and the sum of everything back.
//! What a hidden count can be, given what is shown, is what can flow through its place, which the
//! largest flow through the rest of the network tells exactly, in whole numbers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::RangeInclusive;

/// Counts of people that are not shown.
pub const SMALL: RangeInclusive<u64> = 1..=10;

/// Counts beyond this are nobody's.
const MOST: u64 = 1 << 52;

/// A place of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In this row and this column.
    Cell(usize, usize),
    /// The total of a row.
    Row(usize),
    /// The total of a column.
    Column(usize),
    /// The total of everything.
    Total,
}

/// A table of counts of people, with its totals.
///
/// ```
/// use chancery_account::suppress::{Place, Table};
/// let table = Table::new(&[vec![3, 40], vec![50, 60]]).unwrap().protect();
/// assert_eq!(table.shown(Place::Cell(0, 0)), None);
/// // The total of the row would tell it: 43 − 40.
/// assert_eq!(table.shown(Place::Cell(0, 1)), None);
/// assert_eq!(table.shown(Place::Total), Some(153));
///
/// // Nothing is hidden where nothing is small.
/// let table = Table::new(&[vec![0, 40], vec![50, 60]]).unwrap().protect();
/// assert!(table.hidden().is_empty());
///
/// // Rows of unequal length are no table.
/// assert!(Table::new(&[vec![3], vec![50, 60]]).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    rows: usize,
    columns: usize,
    counts: BTreeMap<Place, u64>,
}

impl Table {
    /// A table by its rows; none if they are not of one length, or the total is more than can be.
    pub fn new(rows: &[Vec<u64>]) -> Option<Self> {
        let columns = rows.first().map_or(0, Vec::len);
        let mut counts = BTreeMap::from([(Place::Total, 0_u64)]);
        for (row, cells) in rows.iter().enumerate() {
            if cells.len() != columns {
                return None;
            }
            counts.insert(Place::Row(row), 0);
            for (column, count) in cells.iter().enumerate() {
                let totals = [Place::Row(row), Place::Column(column), Place::Total];
                for place in totals {
                    let total = counts.entry(place).or_default();
                    *total = total.checked_add(*count).filter(|sum| *sum <= MOST)?;
                }
                counts.insert(Place::Cell(row, column), *count);
            }
        }
        Some(Self {
            rows: rows.len(),
            columns,
            counts,
        })
    }

    /// A list of counts and its total: a table with one row.
    pub fn list(counts: Vec<u64>) -> Option<Self> {
        Self::new(&[counts])
    }

    /// The same with what must be hidden hidden.
    pub fn protect(self) -> Protected {
        let mut network = Network::of(&self);
        network.protect();
        let arcs = network.arcs.iter();
        let hidden = arcs.filter(|arc| arc.hidden).map(|arc| arc.place).collect();
        Protected {
            table: self,
            hidden,
            network,
        }
    }
}

/// A table as it may be shown.
#[derive(Clone, Debug)]
pub struct Protected {
    table: Table,
    hidden: BTreeSet<Place>,
    network: Network,
}

impl Protected {
    /// The count of a place, if it may be shown and there is such a place.
    pub fn shown(&self, place: Place) -> Option<u64> {
        let count = self.table.counts.get(&place).copied();
        count.filter(|_| !self.hidden.contains(&place))
    }

    /// What is hidden.
    pub fn hidden(&self) -> &BTreeSet<Place> {
        &self.hidden
    }

    /// The least and the most that a place can be by everything that is shown; without a most, there
    /// is no bound.
    pub fn interval(&self, place: Place) -> (u64, Option<u64>) {
        let arcs = &self.network.arcs;
        let Some(at) = arcs.iter().position(|arc| arc.place == place) else {
            return (0, Some(0));
        };
        self.network.interval(at)
    }
}

/// One place as an arc of the network.
#[derive(Clone, Debug)]
struct Arc {
    place: Place,
    from: usize,
    to: usize,
    count: u64,
    hidden: bool,
}

/// Which way through an arc: more of its count, or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    More,
    Less,
}

impl Arc {
    /// Where one comes from and gets to, this way.
    fn ends(&self, way: Way) -> (usize, usize) {
        match way {
            Way::More => (self.from, self.to),
            Way::Less => (self.to, self.from),
        }
    }

    /// By how much the count can change this way, beside the change that is made. Everybody knows that
    /// a hidden count is not zero.
    fn slack(&self, way: Way, change: i128) -> i128 {
        match way {
            Way::More => i128::from(MOST) - change,
            Way::Less => i128::from(self.count) + change - 1,
        }
    }

    /// How much a reader loses with it: a total is worth more than a cell, and a large count more
    /// than a small one.
    fn worth(&self) -> u64 {
        let size = 1_000_000 + self.count.min(999_999);
        match self.place {
            Place::Cell(..) => size,
            Place::Row(_) | Place::Column(_) => size * 20,
            Place::Total => size * 400,
        }
    }
}

/// The places that are not zero. Nodes are the rows, the columns, and the two ends of the total.
#[derive(Clone, Debug)]
struct Network {
    nodes: usize,
    arcs: Vec<Arc>,
    /// The arcs at each node.
    at: Vec<Vec<usize>>,
}

impl Network {
    fn of(table: &Table) -> Self {
        let (rows, columns) = (table.rows, table.columns);
        let (source, sink) = (rows + columns, rows + columns + 1);
        let nodes = sink + 1;
        let mut network = Self {
            nodes,
            arcs: Vec::new(),
            at: vec![Vec::new(); nodes],
        };
        for (place, count) in table.counts.iter().filter(|(_, count)| **count > 0) {
            let (from, to) = match *place {
                Place::Cell(row, column) => (row, rows + column),
                Place::Row(row) => (source, row),
                Place::Column(column) => (rows + column, sink),
                Place::Total => (sink, source),
            };
            for node in [from, to] {
                if let Some(at) = network.at.get_mut(node) {
                    at.push(network.arcs.len());
                }
            }
            network.arcs.push(Arc {
                place: *place,
                from,
                to,
                count: *count,
                hidden: SMALL.contains(count),
            });
        }
        network
    }

    /// Hides more until no small count can be told: until each could as well be more than small, as
    /// everybody knows that it is not zero. Hiding more only ever widens what a hidden count can be, so
    /// one look at each is enough.
    fn protect(&mut self) {
        let small = self.arcs.iter().enumerate().filter(|(_, arc)| arc.hidden);
        let small: Vec<(usize, u64)> = small.map(|(at, arc)| (at, arc.count)).collect();
        for (at, count) in small {
            loop {
                let flow = self.flow(at, Way::More, SMALL.end() + 1 - count);
                if flow.reached || !self.open(at, &flow) {
                    break;
                }
            }
        }
    }

    /// Changes an arc by as much as what is hidden lets it, and at most by `wanted`.
    fn flow(&self, at: usize, way: Way, wanted: u64) -> Flow {
        let mut flow = Flow {
            change: vec![0; self.arcs.len()],
            reached: false,
        };
        let Some(arc) = self.arcs.get(at) else {
            return flow;
        };
        let (back_to, back_from) = arc.ends(way);
        let mut missing = i128::from(wanted);
        // Towards less there is a floor of its own: a hidden count is not zero.
        if way == Way::Less && i128::from(wanted) > arc.slack(way, 0) {
            return flow;
        }
        while missing > 0 {
            let cost = |arc: &Arc| arc.hidden.then_some(0);
            let Some(path) = self.path(at, back_from, back_to, &flow, &cost) else {
                return flow;
            };
            let slacks = path
                .iter()
                .filter_map(|(step, way)| Some(self.arcs.get(*step)?.slack(*way, flow.of(*step))));
            let by = slacks.min().unwrap_or(0).min(missing);
            for (step, way) in path {
                if let Some(change) = flow.change.get_mut(step) {
                    *change += if way == Way::More { by } else { -by };
                }
            }
            missing -= by;
        }
        flow.reached = true;
        flow
    }

    /// Hides what is worth least of what would let an arc grow further.
    fn open(&mut self, at: usize, flow: &Flow) -> bool {
        let Some(arc) = self.arcs.get(at) else {
            return false;
        };
        let cost = |arc: &Arc| Some(if arc.hidden { 0 } else { arc.worth() });
        let Some(path) = self.path(at, arc.to, arc.from, flow, &cost) else {
            return false;
        };
        for (step, _) in path {
            if let Some(arc) = self.arcs.get_mut(step) {
                arc.hidden = true;
            }
        }
        true
    }

    /// The cheapest way between two nodes through arcs that can still change, but for one arc.
    fn path(
        &self,
        without: usize,
        from: usize,
        to: usize,
        flow: &Flow,
        cost: &dyn Fn(&Arc) -> Option<u64>,
    ) -> Option<Vec<(usize, Way)>> {
        let mut best = vec![u64::MAX; self.nodes];
        let mut came: Vec<Option<(usize, Way, usize)>> = vec![None; self.nodes];
        let mut queue = BinaryHeap::from([Reverse((0, from))]);
        *best.get_mut(from)? = 0;
        while let Some(Reverse((so_far, node))) = queue.pop() {
            if node == to {
                break;
            }
            if best.get(node).is_none_or(|best| *best < so_far) {
                continue;
            }
            for (step, way, next, further) in self.steps(node, without, flow, cost) {
                let reached = so_far.saturating_add(further);
                if let Some(known) = best.get_mut(next)
                    && reached < *known
                {
                    *known = reached;
                    *came.get_mut(next)? = Some((step, way, node));
                    queue.push(Reverse((reached, next)));
                }
            }
        }
        let mut path = Vec::new();
        let mut node = to;
        while node != from {
            let (step, way, before) = (*came.get(node)?)?;
            path.push((step, way));
            node = before;
        }
        Some(path)
    }

    /// The arcs that lead on from a node, which way, where to, and at what cost.
    fn steps<'a>(
        &'a self,
        node: usize,
        without: usize,
        flow: &'a Flow,
        cost: &'a dyn Fn(&Arc) -> Option<u64>,
    ) -> impl Iterator<Item = (usize, Way, usize, u64)> + 'a {
        let here = self.at.get(node).into_iter().flatten();
        here.filter(move |step| **step != without)
            .flat_map(|step| [Way::More, Way::Less].map(|way| (*step, way)))
            .filter_map(move |(step, way)| {
                let arc = self.arcs.get(step)?;
                let (from, next) = arc.ends(way);
                let open = from == node && arc.slack(way, flow.of(step)) > 0;
                Some((step, way, next, cost(arc).filter(|_| open)?))
            })
    }

    fn interval(&self, at: usize) -> (u64, Option<u64>) {
        let Some(arc) = self.arcs.get(at) else {
            return (0, Some(0));
        };
        if !arc.hidden {
            return (arc.count, Some(arc.count));
        }
        // More than everything else together is no bound any more.
        let enough = 4 * self.arcs.iter().map(|arc| arc.count).sum::<u64>();
        let furthest = |way: Way, most: u64| {
            let (mut can, mut cannot) = (0, most + 1);
            while cannot - can > 1 {
                let middle = can + (cannot - can) / 2;
                if self.flow(at, way, middle).reached {
                    can = middle;
                } else {
                    cannot = middle;
                }
            }
            can
        };
        let more = furthest(Way::More, enough);
        let less = furthest(Way::Less, arc.count.saturating_sub(1));
        (
            arc.count - less,
            (more < enough).then_some(arc.count + more),
        )
    }
}

/// By how much each arc is changed, so that the table still adds up.
struct Flow {
    change: Vec<i128>,
    /// Whether it is as much as was wanted.
    reached: bool,
}

impl Flow {
    fn of(&self, arc: usize) -> i128 {
        self.change.get(arc).copied().unwrap_or(0)
    }
}
