//! The law pack's vocabulary as closed lists: every agency, purpose and element that a request can
//! name, and a schema in which each is an enumerated type.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::pst::{Clause, EntityOrSlot, PrincipalConstraint};
use cedar_policy::{EntityTypeName, RequestEnv, Schema};
use chancery_model::UNKNOWN;
use serde_json::json;

use crate::expression::{entities_in, uid};
use crate::schema::RECORD;
use crate::{Agency, LawPack, Vocabulary};

pub(super) const AGENCY: &str = "Agency";
pub(super) const PURPOSE: &str = "Purpose";
pub(super) const ELEMENT: &str = "Element";
pub(super) const ELEMENT_SET: &str = "ElementSet";

/// The facts of a request's context, by type.
pub(super) const CONTEXT: [(&str, &str); 3] = [
    ("purpose", PURPOSE),
    ("element", ELEMENT),
    ("custodian", AGENCY),
];

/// The closed vocabulary of a pack.
///
/// Of an open family such as `research/*` it has the agencies that a provision or assertion names,
/// and two that none names. Two are enough: a question can only compare an agency with one that is
/// named, or the recipient with the custodian, so any two unnamed agencies of a family are told
/// apart by nothing but whether they are the same one.
pub(crate) struct Closed<'a> {
    pub(super) pack: &'a LawPack,
    pub(super) agencies: BTreeMap<String, Agency>,
    pub(super) schema: Schema,
    pub(super) schema_json: serde_json::Value,
}

impl<'a> Closed<'a> {
    /// Closes the vocabulary; `named` are the agencies that assertions name.
    pub(crate) fn new(pack: &'a LawPack, named: &BTreeSet<String>) -> Result<Self, String> {
        let mut named = named.clone();
        for provision in pack.instruments().iter().flat_map(|i| &i.provisions) {
            let pst = provision
                .policy
                .to_pst()
                .map_err(|error| error.to_string())?;
            let mut entities = Vec::new();
            for clause in pst.body().clauses() {
                let (Clause::When(expr) | Clause::Unless(expr)) = clause;
                entities_in(expr, &mut entities);
            }
            if let PrincipalConstraint::Eq(entity)
            | PrincipalConstraint::In(entity)
            | PrincipalConstraint::IsIn(_, entity) = &pst.body().principal
                && let EntityOrSlot::Entity(uid) = entity
            {
                entities.push((uid.ty.to_string(), uid.eid.to_string()));
            }
            let agencies = entities.into_iter().filter(|(kind, _)| kind == AGENCY);
            named.extend(agencies.map(|(_, id)| id));
        }
        let agencies = agencies(pack, &named)?;
        let schema_json = schema(pack, &agencies)?;
        let schema = Schema::from_json_value(schema_json.clone())
            .map_err(|error| format!("the closed schema: {error}"))?;
        Ok(Self {
            pack,
            agencies,
            schema,
            schema_json,
        })
    }

    /// Every id of an entity type, if it is a closed one.
    pub(super) fn ids(&self, kind: &str) -> Option<Vec<&str>> {
        let words = self.pack.vocabulary();
        match kind {
            AGENCY => Some(self.agencies.keys().map(String::as_str).collect()),
            PURPOSE => Some(words.purposes().iter().map(|p| p.path.as_str()).collect()),
            ELEMENT => Some(words.element_names().collect()),
            _ => {
                let at = self.pack.types.iter().position(|known| known == kind)?;
                let attribute = self.pack.domain().attributes().get(at)?;
                Some(attribute.values.iter().map(String::as_str).collect())
            }
        }
    }

    /// The ids of type `kind` that are in the entity `id` of type `parent`.
    pub(super) fn within(&self, kind: &str, parent: &str, id: &str) -> BTreeSet<&str> {
        let words = self.pack.vocabulary();
        let same = |path: &str, within: &[String]| path == id || within.iter().any(|w| w == id);
        match (kind, parent) {
            (AGENCY, AGENCY) => {
                let agencies = self.agencies.values();
                let inside = agencies.filter(|agency| same(&agency.path, &agency.within));
                inside.map(|agency| agency.path.as_str()).collect()
            }
            (PURPOSE, PURPOSE) => {
                let purposes = words.purposes().iter();
                let inside = purposes.filter(|purpose| same(&purpose.path, &purpose.within));
                inside.map(|purpose| purpose.path.as_str()).collect()
            }
            (ELEMENT, ELEMENT_SET) => {
                let sets = words.sets().iter().filter(|set| set.name == id);
                sets.flat_map(|set| set.members.iter().map(String::as_str))
                    .collect()
            }
            (kind, parent) if kind == parent => self
                .ids(kind)
                .into_iter()
                .flatten()
                .filter(|known| *known == id)
                .collect(),
            _ => BTreeSet::new(),
        }
    }
}

/// What is asked of a policy set: one action, on a record, by an agency.
pub(super) fn environment(action: &str) -> Result<RequestEnv, String> {
    let name = |name: &str| name.parse::<EntityTypeName>().map_err(|e| e.to_string());
    Ok(RequestEnv::new(
        name(AGENCY)?,
        uid("Action", action)?,
        name(RECORD)?,
    ))
}

fn agencies(pack: &LawPack, named: &BTreeSet<String>) -> Result<BTreeMap<String, Agency>, String> {
    let words = pack.vocabulary();
    let mut agencies = BTreeMap::new();
    for pattern in words.agency_paths() {
        let found = match pattern.matches('*').count() {
            0 => words.agency(pattern).into_iter().collect(),
            1 => family(pack, words, pattern, named)?,
            _ => return Err(format!("the family `{pattern}` has more than one `*`")),
        };
        agencies.extend(
            found
                .into_iter()
                .map(|agency| (agency.path.clone(), agency)),
        );
    }
    for name in named {
        let agency = words.agency(name);
        let agency = agency.ok_or_else(|| format!("`{name}` is not an agency of the law pack"))?;
        agencies.insert(name.clone(), agency);
    }
    Ok(agencies)
}

/// The agencies of a family: one for each origin, or two of any name.
fn family(
    pack: &LawPack,
    words: &Vocabulary,
    pattern: &str,
    named: &BTreeSet<String>,
) -> Result<Vec<Agency>, String> {
    let agency = |id: &str| words.agency(&pattern.replace('*', id));
    let origin = &pack.classification().origin;
    let origins = pack.domain().attribute(origin);
    let origins = origins.map_or(&[][..], |(_, attribute)| &attribute.values);
    let of_origins: Vec<Agency> = origins
        .iter()
        .filter(|id| *id != UNKNOWN)
        .filter_map(|id| agency(id))
        .filter(|agency| !agency.jurisdiction.is_empty())
        .collect();
    if !of_origins.is_empty() {
        return Ok(of_origins);
    }
    let fresh = ["one", "another", "any-1", "any-2", "any-3", "any-4"];
    let free = (0u32..).map(|at| format!("x{at}"));
    let ids = fresh.iter().map(ToString::to_string).chain(free);
    let unnamed: Vec<Agency> = ids
        .take(named.len() + fresh.len() + 2)
        .filter_map(|id| agency(&id))
        .filter(|agency| !named.iter().any(|name| touches(name, &agency.path)))
        .take(2)
        .collect();
    match unnamed.len() {
        2 => Ok(unnamed),
        _ => Err(format!("no agency of the family `{pattern}` is unnamed")),
    }
}

/// Whether one path is the other or a part of it.
fn touches(one: &str, other: &str) -> bool {
    let within = |path: &str, whole: &str| {
        path.strip_prefix(whole)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    one == other || within(one, other)
}

fn schema(
    pack: &LawPack,
    agencies: &BTreeMap<String, Agency>,
) -> Result<serde_json::Value, String> {
    let words = pack.vocabulary();
    let agencies: Vec<&String> = agencies.keys().collect();
    let purposes: Vec<&str> = words.purposes().iter().map(|p| p.path.as_str()).collect();
    let elements: Vec<&str> = words.element_names().collect();
    let mut types = serde_json::Map::new();
    types.insert(AGENCY.to_owned(), json!({ "enum": agencies }));
    types.insert(PURPOSE.to_owned(), json!({ "enum": purposes }));
    types.insert(ELEMENT.to_owned(), json!({ "enum": elements }));
    let mut attributes = serde_json::Map::new();
    let declared = pack.domain().attributes().iter().zip(&pack.types);
    for (attribute, kind) in declared {
        types.insert(kind.clone(), json!({ "enum": attribute.values }));
        attributes.insert(
            attribute.name.clone(),
            json!({ "type": "Entity", "name": kind }),
        );
    }
    types.insert(
        RECORD.to_owned(),
        json!({ "shape": { "type": "Record", "attributes": attributes } }),
    );
    let entities = pack
        .schema
        .action_entities()
        .map_err(|error| error.to_string())?;
    if entities.ancestors_of_any() {
        return Err("the schema has groups of actions".to_owned());
    }
    let context: serde_json::Map<String, serde_json::Value> = CONTEXT
        .iter()
        .map(|(name, kind)| {
            (
                (*name).to_owned(),
                json!({ "type": "Entity", "name": kind }),
            )
        })
        .collect();
    let applies = json!({
        "principalTypes": [AGENCY],
        "resourceTypes": [RECORD],
        "context": { "type": "Record", "attributes": context },
    });
    let actions: serde_json::Map<String, serde_json::Value> = pack
        .schema
        .actions()
        .map(|action| {
            let name = action.id().unescaped().to_owned();
            (name, json!({ "appliesTo": applies }))
        })
        .collect();
    Ok(json!({ "": { "entityTypes": types, "actions": actions } }))
}

/// Whether any entity lies within another.
trait Grouped {
    fn ancestors_of_any(&self) -> bool;
}

impl Grouped for cedar_policy::Entities {
    fn ancestors_of_any(&self) -> bool {
        self.iter().any(|entity| {
            let mut ancestors = self.ancestors(&entity.uid()).into_iter().flatten();
            ancestors.next().is_some()
        })
    }
}
