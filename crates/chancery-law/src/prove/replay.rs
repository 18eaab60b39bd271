//! A counterexample, decided by Cedar's ordinary authorizer on a concrete record.

use cedar_policy::{Authorizer, Decision, Request};
use chancery_model::Signature;

use crate::expression::{record, uid};
use crate::prove::{Counterexample, Verdict};
use crate::ruling::{context, facts, principal};
use crate::schema::RECORD;
use crate::{AssertionKind, Error, LawPack, Query, SignOff};

/// Asks the authorizer about a counterexample: broken, by the provisions that it names, or else
/// unproven, because it decides otherwise.
///
/// # Errors
///
/// [`Error::Schema`] when the counterexample names what the pack does not know.
pub fn replay(
    pack: &LawPack,
    kind: AssertionKind,
    mut example: Counterexample,
) -> Result<Verdict, Error> {
    let schema = |problem: String| Error::Schema(problem);
    let words = pack.vocabulary();
    let agency = |path: &str| {
        let unknown = || schema(format!("`{path}` is not an agency"));
        words.agency(path).ok_or_else(unknown)
    };
    let purpose = words.purpose(&example.purpose);
    let query = Query {
        recipient: agency(&example.recipient)?,
        custodian: agency(&example.custodian)?,
        purpose: purpose
            .cloned()
            .ok_or_else(|| schema(format!("`{}` is not a purpose", example.purpose)))?,
    };
    let law = pack.in_force(example.on, SignOff::Demonstration)?;
    let values = pack
        .domain()
        .attributes()
        .iter()
        .enumerate()
        .map(|(at, attribute)| {
            let value = example.record.get(&attribute.name);
            let value = value.and_then(|value| pack.domain().value(at, value));
            value.ok_or_else(|| schema(format!("`{}` has no such value", attribute.name)))
        });
    let person = Signature::new(values.collect::<Result<_, _>>()?);
    let records = [record("0", &person, pack.domain(), &pack.types).map_err(schema)?];
    let entities = facts(&law, &query).map_err(schema)?;
    let entities = entities
        .add_entities(records, Some(&pack.schema))
        .map_err(|error| schema(error.to_string()))?;
    let request = Request::new(
        principal(&query).map_err(schema)?,
        uid("Action", &example.action).map_err(schema)?,
        uid(RECORD, "0").map_err(schema)?,
        context(&query, &example.element).map_err(schema)?,
        Some(&pack.schema),
    );
    let request = request.map_err(|error| schema(error.to_string()))?;
    let response = Authorizer::new().is_authorized(&request, &law.policies, &entities);
    if let Some(error) = response.diagnostics().errors().next() {
        return Ok(Verdict::Unproven {
            why: format!("a provision errs: {error}"),
        });
    }
    let mut by: Vec<String> = response
        .diagnostics()
        .reason()
        .map(ToString::to_string)
        .collect();
    by.sort();
    let allowed = response.decision() == Decision::Allow;
    let broken = match kind {
        AssertionKind::Never => allowed,
        AssertionKind::Always => !allowed,
        AssertionKind::Barred => allowed || by.is_empty(),
    };
    example.by = by;
    Ok(if broken {
        Verdict::Broken {
            counterexample: Box::new(example),
        }
    } else {
        Verdict::Unproven {
            why: "the authorizer does not agree with the counterexample that was found".to_owned(),
        }
    })
}
