use std::collections::BTreeMap;

use crate::Domain;

/// One combination of attribute values: for each attribute of the [`Domain`], in its order, the
/// position of the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(Vec<u8>);

impl Signature {
    /// The combination with these value positions.
    pub fn new(values: Vec<u8>) -> Self {
        Self(values)
    }

    /// The combination in which every attribute is unknown.
    pub fn unknown(domain: &Domain) -> Self {
        Self(
            (0..domain.attributes().len())
                .map(|attribute| domain.unknown(attribute))
                .collect(),
        )
    }

    /// The value positions.
    pub fn values(&self) -> &[u8] {
        &self.0
    }

    /// The position of the value of attribute number `attribute`.
    pub fn value(&self, attribute: usize) -> Option<u8> {
        self.0.get(attribute).copied()
    }

    /// The same combination but for one attribute.
    #[must_use]
    pub fn with(&self, attribute: usize, value: u8) -> Self {
        let mut values = self.0.clone();
        if let Some(slot) = values.get_mut(attribute) {
            *slot = value;
        }
        Self(values)
    }
}

/// The tables of a dataset in which a person has rows: bit `n` for table number `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Presence(pub u64);

impl Presence {
    /// Whether the person has a row in table number `table`.
    pub fn contains(self, table: usize) -> bool {
        table < 64 && self.0 & (1 << table) != 0
    }

    /// Adds table number `table`.
    pub fn insert(&mut self, table: usize) {
        if table < 64 {
            self.0 |= 1 << table;
        }
    }
}

/// People that a decision cannot tell apart: the same attributes and rows in the same tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Their attributes.
    pub signature: Signature,
    /// The tables that hold rows about them.
    pub presence: Presence,
}

/// How many people a [`Group`] has, and how many rows there are about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// People.
    pub subjects: u64,
    /// Rows by table, in the order of [`Census::tables`].
    pub rows: Vec<u64>,
}

/// Every combination of attribute values that occurs in a dataset, with counts.
///
/// A decision needs nothing else of the people: `decide` never opens the data, and a release is
/// held against these counts after it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The names of the tables.
    pub tables: Vec<String>,
    /// The people.
    pub groups: BTreeMap<Group, Count>,
    /// Rows that belong to no person (file headers) by table; their attributes are all unknown
    /// but the origin.
    pub unowned: BTreeMap<Signature, Vec<u64>>,
}

impl Census {
    /// An empty census over these tables.
    pub fn new(tables: Vec<String>) -> Self {
        Self {
            tables,
            ..Self::default()
        }
    }

    /// All people.
    pub fn total(&self) -> u64 {
        self.groups.values().map(|count| count.subjects).sum()
    }

    /// All rows of table number `table`.
    pub fn rows(&self, table: usize) -> u64 {
        let owned = self
            .groups
            .values()
            .filter_map(|count| count.rows.get(table));
        let unowned = self.unowned.values().filter_map(|rows| rows.get(table));
        owned.chain(unowned).sum()
    }

    /// The people and rows for whom attribute number `attribute` has this value, alone.
    #[must_use]
    pub fn given(&self, attribute: usize, value: u8) -> Self {
        let has = |signature: &Signature| signature.value(attribute) == Some(value);
        let groups = self
            .groups
            .iter()
            .filter(|(group, _)| has(&group.signature));
        let unowned = self.unowned.iter().filter(|(signature, _)| has(signature));
        Self {
            tables: self.tables.clone(),
            groups: groups
                .map(|(g, count)| (g.clone(), count.clone()))
                .collect(),
            unowned: unowned.map(|(s, rows)| (s.clone(), rows.clone())).collect(),
        }
    }

    /// The combinations of attribute values that occur, each once, of people and of rows that
    /// belong to no person.
    pub fn signatures(&self) -> std::collections::BTreeSet<&Signature> {
        self.groups
            .keys()
            .map(|group| &group.signature)
            .chain(self.unowned.keys())
            .collect()
    }
}
