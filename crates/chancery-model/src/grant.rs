use std::collections::BTreeMap;

use crate::{Census, Domain, Predicate, Presence, Signature};

/// For whom each element asked for may leave: all that a plan needs to know of the law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The elements asked for.
    pub elements: BTreeMap<String, Predicate>,
    /// For whom a row may exist at all, asked for or not.
    pub existence: Predicate,
}

/// The columns of a table as a grant sees them: name, element and whether it is a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnFacts<'a> {
    /// The column's name.
    pub name: &'a str,
    /// Its element; a column without one is never released.
    pub element: Option<&'a str>,
    /// Whether it only says whose row it is.
    pub key: bool,
}

impl Grant {
    /// For whom a row of a table with these columns leaves: its existence is lawful, and at least
    /// one element of its columns other than the keys.
    pub fn rows<'a>(
        &self,
        columns: impl Iterator<Item = ColumnFacts<'a>>,
        domain: &Domain,
    ) -> Predicate {
        let lawful = columns
            .filter(|column| !column.key)
            .filter_map(|column| self.elements.get(column.element?).cloned());
        Predicate::all(
            [self.existence.clone(), Predicate::any(lawful, domain)],
            domain,
        )
    }

    /// The elements of the grant that are lawful for a combination of attribute values.
    pub fn lawful(&self, signature: &Signature) -> Vec<&str> {
        if !self.existence.holds(signature) {
            return Vec::new();
        }
        let lawful = self
            .elements
            .iter()
            .filter(|(_, when)| when.holds(signature));
        lawful.map(|(element, _)| element.as_str()).collect()
    }
}

/// How many rows and people of a census a predicate over rows lets leave.
impl Census {
    /// Rows of table number `table` for whose signature `rows` holds.
    pub fn rows_where(&self, table: usize, rows: &Predicate) -> u64 {
        let owned = self
            .groups
            .iter()
            .filter(|(group, _)| rows.holds(&group.signature))
            .filter_map(|(_, count)| count.rows.get(table));
        let unowned = self
            .unowned
            .iter()
            .filter(|(signature, _)| rows.holds(signature))
            .filter_map(|(_, counts)| counts.get(table));
        owned.chain(unowned).sum()
    }

    /// People for whom `any` holds, given their attributes and the tables they have rows in.
    pub fn subjects_where(&self, any: impl Fn(&Signature, Presence) -> bool) -> u64 {
        let groups = self
            .groups
            .iter()
            .filter(|(group, _)| any(&group.signature, group.presence));
        groups.map(|(_, count)| count.subjects).sum()
    }
}
