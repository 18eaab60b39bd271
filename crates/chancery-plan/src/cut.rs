use chancery_dataset::{Catalogue, Column, Table};
use chancery_model::{Census, Domain, Grant, Predicate, Signature};

/// One column of a cut and for whom its cells leave; for others they are null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnCut {
    /// The column.
    pub name: String,
    /// For whom, among those whose rows leave.
    pub when: Predicate,
}

/// What leaves of one table for one origin.
///
/// INVARIANT: `columns` holds only columns whose element was asked for and is lawful for at least
/// one person whose row leaves; `rows` implies that the row's existence is lawful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The table.
    pub table: String,
    /// The origin.
    pub origin: String,
    /// The columns in the table's order.
    pub columns: Vec<ColumnCut>,
    /// Whose rows leave.
    pub rows: Predicate,
    /// How many rows leave by the census.
    pub expected_rows: u64,
    /// How many rows there are.
    pub all_rows: u64,
    /// How many people the rows that leave are about.
    pub people: u64,
}

impl Cut {
    /// The attributes that the plan must know of a person.
    pub fn attributes(&self) -> std::collections::BTreeSet<usize> {
        let columns = self
            .columns
            .iter()
            .flat_map(|column| column.when.attributes());
        columns.chain(self.rows.attributes()).collect()
    }
}

/// What leaves of the tables asked for, table by table and origin by origin; a table of which
/// nothing leaves for an origin has no cut.
pub fn cuts(
    catalogue: &Catalogue,
    census: &Census,
    domain: &Domain,
    origin: &str,
    grant: &Grant,
    tables: &[String],
) -> Vec<Cut> {
    let Some((attribute, origins)) = domain.attribute(origin) else {
        return Vec::new();
    };
    // Origin by origin, so that each is counted over its own people and not over the nation's.
    let origins: Vec<(u8, &String, Census)> = (0..=u8::MAX)
        .zip(&origins.values)
        .map(|(value, origin)| (value, origin, census.given(attribute, value)))
        .collect();
    let mut cuts = Vec::new();
    for (at, table) in catalogue.tables.iter().enumerate() {
        if !tables.iter().any(|name| name == "*" || *name == table.name) {
            continue;
        }
        for (value, origin, census) in &origins {
            let place = (attribute, *value, *origin);
            cuts.extend(cut(table, at, census, domain, place, grant));
        }
    }
    cuts
}

fn cut(
    table: &Table,
    at: usize,
    census: &Census,
    domain: &Domain,
    (attribute, value, origin): (usize, u8, &String),
    grant: &Grant,
) -> Option<Cut> {
    let here = Predicate::within(attribute, [value]);
    // Of rows that belong to nobody every attribute but the origin is unknown.
    let nobody = Signature::unknown(domain).with(attribute, value);
    let settle = |predicate: &Predicate| match table.id {
        Some(_) => predicate.given(attribute, value, domain),
        None => Predicate::constant(predicate.holds(&nobody)),
    };
    let all_rows = census.rows_where(at, &here);
    let rows = settle(&grant.rows(table.columns.iter().map(Column::facts), domain));
    let leaving = Predicate::all([here, rows.clone()], domain);
    let expected_rows = census.rows_where(at, &leaving);
    if expected_rows == 0 {
        return None;
    }
    let columns = table.columns.iter().filter_map(|column| {
        let when = settle(grant.elements.get(column.element.as_ref()?)?);
        // Barred for every row that leaves: not in the file, not read at all.
        if census.rows_where(at, &Predicate::all([leaving.clone(), when.clone()], domain)) == 0 {
            return None;
        }
        let when = if rows.implies(&when, domain) {
            Predicate::Always
        } else {
            when
        };
        Some(ColumnCut {
            name: column.name.clone(),
            when,
        })
    });
    Some(Cut {
        table: table.name.clone(),
        origin: origin.clone(),
        columns: columns.collect(),
        people: census
            .subjects_where(|s: &Signature, presence| presence.contains(at) && leaving.holds(s)),
        rows,
        expected_rows,
        all_rows,
    })
}
