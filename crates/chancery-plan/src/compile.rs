use std::sync::Arc;

use arrow::datatypes::DataType;
use chancery_dataset::Table;
use chancery_model::{Classification, Domain, Predicate, UNKNOWN};
use datafusion::common::{Column, Result, TableReference};
use datafusion::functions::expr_fn::{btrim, coalesce};
use datafusion::logical_expr::{
    Expr, JoinType, LogicalPlan, LogicalPlanBuilder, TableSource, cast, lit, when,
};

use crate::Cut;

/// The opened sources of a cut.
pub struct Sources {
    /// The table's rows.
    pub records: Arc<dyn TableSource>,
    /// The people of the origin with their attributes, when the plan turns on any.
    pub people: Arc<dyn TableSource>,
    /// Whether the rows may be of several origins.
    pub many_origins: bool,
}

const RECORDS: &str = "records";
const PEOPLE: &str = "people";

/// A cut as a plan: scan, filter, join, mask. No I/O; nothing but DataFusion's own nodes.
///
/// # Errors
///
/// What DataFusion says of a plan that does not fit its sources.
pub fn compile(
    cut: &Cut,
    table: &Table,
    sources: &Sources,
    domain: &Domain,
    law: &Classification,
) -> Result<LogicalPlan> {
    let mut plan = LogicalPlanBuilder::scan(RECORDS, Arc::clone(&sources.records), None)?;
    if let (true, Some(origin)) = (sources.many_origins, &table.origin) {
        let spelled = text(origin, sources);
        plan = plan.filter(of_origin(spelled, &cut.origin, domain, law))?;
    }
    let turns_on_people = !cut.attributes().is_empty();
    if let (true, Some(id)) = (turns_on_people, &table.id) {
        let rows = expression(&cut.rows, domain)?;
        let people = LogicalPlanBuilder::scan(PEOPLE, Arc::clone(&sources.people), None)?
            .filter(rows)?
            .build()?;
        // The people are the left side, which is held in memory: they are the fewer, and the
        // records stream past them in their own order.
        plan = LogicalPlanBuilder::from(people).join_with_expr_keys(
            plan.build()?,
            JoinType::Inner,
            (vec![column(PEOPLE, "id")], vec![subject(text(id, sources))]),
            None,
        )?;
    } else if turns_on_people {
        // Rows that belong to nobody: every attribute is unknown.
        plan = plan.filter(lit(holds_for_nobody_known(&cut.rows, domain)))?;
    }
    let cells = cut.columns.iter().map(|cell| {
        let value = column(RECORDS, &cell.name);
        let cell_value = match &cell.when {
            Predicate::Always => value,
            mask => when(expression(mask, domain)?, value).end()?,
        };
        Ok(cell_value.alias(&cell.name))
    });
    plan.project(cells.collect::<Result<Vec<_>>>()?)?.build()
}

/// The id of the person that a row is about: without the spaces that pad it, none is the empty id.
fn subject(id: Expr) -> Expr {
    coalesce(vec![btrim(vec![id]), lit("")])
}

/// A column of the records as text: an id or an origin may also be a whole number, or bytes.
fn text(name: &str, sources: &Sources) -> Expr {
    let schema = sources.records.schema();
    let kind = schema
        .field_with_name(name)
        .map(arrow::datatypes::Field::data_type);
    match kind {
        Ok(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => column(RECORDS, name),
        _ => cast(column(RECORDS, name), DataType::Utf8View),
    }
}

fn holds_for_nobody_known(rows: &Predicate, domain: &Domain) -> bool {
    rows.holds(&chancery_model::Signature::unknown(domain))
}

/// A row's origin is `origin` in one of its spellings; an unknown spelling is the unknown origin.
fn of_origin(spelled: Expr, origin: &str, domain: &Domain, law: &Classification) -> Expr {
    let spelled = btrim(vec![spelled]);
    let known = domain
        .attribute(&law.origin)
        .map_or(&[][..], |(_, a)| a.values.as_slice());
    let spellings = |of: &dyn Fn(&str) -> bool| -> Vec<Expr> {
        let plain = known.iter().filter(|value| *value != UNKNOWN && of(value));
        let folded = law
            .fold
            .iter()
            .filter(|(_, to)| known.contains(to) && of(to))
            .map(|(from, _)| from);
        plain
            .chain(folded)
            .map(|spelling| lit(spelling.as_str()))
            .collect()
    };
    if origin == UNKNOWN {
        let all = spellings(&|_| true);
        spelled.clone().is_null().or(spelled.in_list(all, true))
    } else {
        spelled.in_list(spellings(&|value| law.fold(value) == origin), false)
    }
}

/// `"name"` as it is: DataFusion folds the case of an unquoted name.
fn column(relation: &str, name: &str) -> Expr {
    Expr::Column(Column::new(Some(TableReference::bare(relation)), name))
}

/// A predicate over the people's attributes.
fn expression(predicate: &Predicate, domain: &Domain) -> Result<Expr> {
    let join = |parts: &std::collections::BTreeSet<Predicate>, with: fn(Expr, Expr) -> Expr| {
        let mut parts = parts.iter().map(|part| expression(part, domain));
        let first = parts.next().unwrap_or_else(|| Ok(lit(false)))?;
        parts.try_fold(first, |all, part| Ok(with(all, part?)))
    };
    match predicate {
        Predicate::Always => Ok(lit(true)),
        Predicate::Never => Ok(lit(false)),
        Predicate::All(parts) => join(parts, Expr::and),
        Predicate::Any(parts) => join(parts, Expr::or),
        Predicate::Within { attribute, values } => {
            let declared = domain.attributes().get(*attribute).ok_or_else(|| {
                datafusion::common::DataFusionError::Plan("an attribute outside the domain".into())
            })?;
            let names = values
                .iter()
                .filter_map(|value| declared.values.get(usize::from(*value)));
            let names: Vec<Expr> = names.map(|name| lit(name.as_str())).collect();
            let person = column(PEOPLE, &declared.name);
            Ok(match <[Expr; 1]>::try_from(names) {
                Ok([name]) => person.eq(name),
                Err(names) => person.in_list(names, false),
            })
        }
    }
}
