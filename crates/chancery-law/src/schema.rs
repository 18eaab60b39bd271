use std::collections::BTreeMap;

use cedar_policy::{Schema, SchemaFragment};
use chancery_model::{Attribute, Domain, Fault, Place};
use miette::Diagnostic as _;

use crate::PackSource;

pub(crate) const FILE: &str = "schema.cedarschema";

/// The entity type of the records that instruments speak of.
pub(crate) const RECORD: &str = "Record";

/// The schema, the closed domains of a record's attributes, and each attribute's entity type.
pub(crate) struct Loaded {
    pub(crate) schema: Schema,
    pub(crate) domain: Domain,
    /// For each attribute in domain order, the enumerated entity type of its values.
    pub(crate) types: Vec<String>,
    /// What may be done with a record.
    pub(crate) actions: Vec<String>,
}

pub(crate) fn load(source: &PackSource) -> Result<Loaded, Fault> {
    let text = source.text(FILE)?;
    let refused = |error: cedar_policy::CedarSchemaError| {
        let label = error.labels().and_then(|mut labels| labels.next());
        let place = label.map_or_else(
            || Place::file(source.name(FILE)),
            |label| source.span(FILE, label.offset()..label.offset() + label.len()),
        );
        Fault::new(place, error.to_string())
    };
    let (fragment, _) = SchemaFragment::from_cedarschema_str(text).map_err(refused)?;
    let (schema, _) = Schema::from_cedarschema_str(text).map_err(refused)?;
    let json = fragment
        .to_json_value()
        .map_err(|error| Fault::new(Place::file(source.name(FILE)), error.to_string()))?;
    let fault = |problem: String| {
        let at = text.find(&format!("entity {RECORD}")).unwrap_or_default();
        Fault::new(source.span(FILE, at..at + RECORD.len() + 7), problem).hint(
            "declare `entity Record { … }` with required attributes, each of an enumerated \
             entity type that has \"unknown\" among its values",
        )
    };
    let (domain, types) = domain(&json).map_err(fault)?;
    let mut actions: Vec<String> = schema
        .actions()
        .map(|action| action.id().unescaped().to_owned())
        .collect();
    actions.sort();
    Ok(Loaded {
        schema,
        domain,
        types,
        actions,
    })
}

/// Reads the record's attributes from the schema's JSON form.
fn domain(json: &serde_json::Value) -> Result<(Domain, Vec<String>), String> {
    let types = json
        .pointer("/~1/entityTypes")
        .or_else(|| json.pointer("//entityTypes"));
    let types = types.ok_or("the schema declares no entity types outside a namespace")?;
    let shape = types
        .pointer(&format!("/{RECORD}/shape/attributes"))
        .and_then(serde_json::Value::as_object)
        .ok_or_else(|| format!("the schema declares no entity `{RECORD}` with attributes"))?;
    let mut attributes = Vec::new();
    let mut type_of = BTreeMap::new();
    for (name, declared) in shape {
        if declared.get("required") == Some(&serde_json::Value::Bool(false)) {
            return Err(format!("attribute `{name}` is optional"));
        }
        let entity = declared
            .get("name")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        let values = types
            .pointer(&format!("/{entity}/enum"))
            .and_then(serde_json::Value::as_array)
            .ok_or_else(|| format!("attribute `{name}` is not of an enumerated entity type"))?;
        let values = values
            .iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect();
        attributes.push(Attribute {
            name: name.clone(),
            values,
        });
        type_of.insert(name.clone(), entity.to_owned());
    }
    Ok((Domain::new(attributes)?, type_of.into_values().collect()))
}
