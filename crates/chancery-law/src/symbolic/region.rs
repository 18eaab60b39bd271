//! What an assertion speaks of, as a policy that permits just that.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Policy;

use super::closed::{AGENCY, Closed, ELEMENT, PURPOSE};
use super::restate::{Term, all, any, fact, not, of_record, one_of, permit};
use crate::{Agency, Assertion, Side, Where};

/// A policy that permits an action for just the requests and records that the assertion speaks of.
pub(super) fn region(
    closed: &Closed<'_>,
    assertion: &Assertion,
    action: &str,
) -> Result<Policy, String> {
    let words = closed.pack.vocabulary();
    let agencies = |holds: &dyn Fn(&Agency) -> bool| {
        let agencies = closed.agencies.values().filter(|agency| holds(agency));
        agencies.map(|agency| agency.path.as_str()).collect()
    };
    let custodians = agencies(&|agency| assertion.custodians.holds(&agency.path, &agency.within));
    let recipients = agencies(&|agency| assertion.recipients.holds(&agency.path, &agency.within));
    let purposes = words.purposes().iter();
    let purposes =
        purposes.filter(|purpose| assertion.purposes.holds(&purpose.path, &purpose.within));
    let purposes = purposes.map(|purpose| purpose.path.as_str()).collect();
    let elements = assertion.elements.iter().map(String::as_str).collect();
    let mut parts = vec![
        among(closed, &fact(Some("custodian")), AGENCY, &custodians)?,
        among(closed, &fact(None), AGENCY, &recipients)?,
        among(closed, &fact(Some("purpose")), PURPOSE, &purposes)?,
        among(closed, &fact(Some("element")), ELEMENT, &elements)?,
    ];
    if !assertion.people.is_empty() {
        let people = assertion.people.iter().map(|one| people(closed, one));
        parts.push(any(people.collect::<Result<Vec<_>, _>>()?));
    }
    permit(&assertion.id, action, all(parts))
}

/// Whether a fact is one of the ids; no question if every id of its type is among them.
fn among(
    closed: &Closed<'_>,
    fact: &Term,
    kind: &str,
    ids: &BTreeSet<&str>,
) -> Result<Term, String> {
    let every = closed.ids(kind).unwrap_or_default();
    if every.iter().all(|id| ids.contains(id)) {
        return Ok(all([]));
    }
    one_of(fact, kind, ids.iter().copied())
}

fn people(closed: &Closed<'_>, one: &Where) -> Result<Term, String> {
    let mut parts = Vec::new();
    for (at, values) in &one.values {
        parts.push(attribute(closed, *at, values)?);
    }
    for (side, own) in &one.own {
        let agency = match side {
            Side::Recipient => fact(None),
            Side::Custodian => fact(Some("custodian")),
        };
        let is_own = own_record(closed, &agency)?;
        parts.push(if *own { is_own } else { not(is_own) });
    }
    Ok(all(parts))
}

/// Whether the attribute at a position has one of the values at these positions.
fn attribute(closed: &Closed<'_>, at: usize, values: &BTreeSet<u8>) -> Result<Term, String> {
    let pack = closed.pack;
    let attribute = pack.domain().attributes().get(at);
    let kind = pack.types.get(at);
    let (attribute, kind) = attribute
        .zip(kind)
        .ok_or("an attribute that is not there")?;
    let values = values
        .iter()
        .filter_map(|value| attribute.values.get(usize::from(*value)));
    one_of(
        &of_record(&attribute.name),
        kind,
        values.map(String::as_str),
    )
}

/// Whether the record's origin is of the agency's jurisdiction.
fn own_record(closed: &Closed<'_>, agency: &Term) -> Result<Term, String> {
    let pack = closed.pack;
    let (at, _) = pack
        .domain()
        .attribute(&pack.classification().origin)
        .ok_or("records have no origin")?;
    let mut of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for known in closed.agencies.values() {
        for origin in &known.jurisdiction {
            of.entry(origin).or_default().insert(&known.path);
        }
    }
    let cases = of.into_iter().map(|(origin, agencies)| {
        let value = pack.domain().value(at, origin).into_iter().collect();
        Ok(all([
            one_of(agency, AGENCY, agencies)?,
            attribute(closed, at, &value)?,
        ]))
    });
    Ok(any(cases.collect::<Result<Vec<_>, String>>()?))
}
