//! One type-aware partial evaluation per element: the only module that uses Cedar's experimental
//! `tpe` feature.

use std::collections::BTreeSet;

use cedar_policy::pst::Clause;
use cedar_policy::{
    Context, Entities, Entity, EntityTypeName, EntityUid, PartialEntities, PartialEntityUid,
    PartialRequest, Policy, PolicySet, RestrictedExpression,
};
use chancery_model::{Interpretation, LawUsed, Obligation, Predicate};
use jiff::civil::Date;

use crate::expression::{predicate, uid};
use crate::in_force::{Edition, Put};
use crate::schema::RECORD;
use crate::{Agency, Effect, Error, InForce, Provision, Purpose, Vocabulary};

/// Who discloses what to whom and for which purpose, in words that the law pack knows.
#[derive(Clone, Debug)]
pub struct Query {
    /// The recipient.
    pub recipient: Agency,
    /// The custodian.
    pub custodian: Agency,
    /// The purpose.
    pub purpose: Purpose,
}

/// What one provision says about one element: for whom it applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The provision.
    pub provision: String,
    /// Whether it lets go or holds back.
    pub effect: Effect,
    /// For whom.
    pub when: Predicate,
}

/// One element under the law of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementRuling {
    /// The element.
    pub element: String,
    /// The provisions that speak to it for this query, permits first.
    pub hits: Vec<Hit>,
    /// For whom it is lawful: some permit applies and no forbid does.
    pub released_when: Predicate,
    /// The permits that would apply and do not count, or not for all of these people: see
    /// [`InForce::why_not`].
    pub idle: Vec<Hit>,
}

/// What the law of a day says to a query, element by element. Only [`InForce::decide`] makes one.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// The day.
    pub on: Date,
    /// The law.
    pub law: LawUsed,
    /// The query.
    pub query: Query,
    /// Every element of the law pack, in its order.
    pub elements: Vec<ElementRuling>,
    /// The readings that provisions which speak to the query rest on.
    pub interpretations: Vec<Interpretation>,
    /// The obligations that attach to the disclosure.
    pub obligations: Vec<Obligation>,
}

impl Ruling {
    /// The ruling on one element.
    pub fn element(&self, name: &str) -> Option<&ElementRuling> {
        self.elements.iter().find(|ruling| ruling.element == name)
    }
}

impl InForce<'_> {
    /// Decides every element of the pack for a query.
    ///
    /// # Errors
    ///
    /// [`Error::Untranslatable`] when a residual has no translation: nothing is approximated.
    pub fn decide(&self, query: &Query) -> Result<Ruling, Error> {
        let known = facts(self, query).map_err(Error::Schema)?;
        let partial = PartialEntities::from_concrete(known, &self.pack.schema)
            .map_err(|error| Error::Schema(error.to_string()))?;
        let elements = self.pack.vocabulary().elements().iter();
        let elements = elements
            .map(|element| self.decide_element(query, &element.name, &partial))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Ruling {
            on: self.on(),
            law: self.law_used(),
            interpretations: self.interpretations(&elements),
            obligations: self.obligations(query),
            query: query.clone(),
            elements,
        })
    }

    fn decide_element(
        &self,
        query: &Query,
        element: &str,
        known: &PartialEntities,
    ) -> Result<ElementRuling, Error> {
        let schema = |error: &dyn std::fmt::Display| Error::Schema(error.to_string());
        let record: EntityTypeName = RECORD.parse().map_err(|error| schema(&error))?;
        let request = PartialRequest::new(
            PartialEntityUid::from_concrete(principal(query).map_err(Error::Schema)?),
            uid("Action", "disclose").map_err(Error::Schema)?,
            PartialEntityUid::new(record, None),
            Some(context(query, element).map_err(Error::Schema)?),
            &self.pack.schema,
        )
        .map_err(|error| schema(&error))?;
        let hits = self.hits(&self.puts, &self.policies, &request, known)?;
        let mut idle = self.hits(&self.idle, &self.idle_policies, &request, known)?;
        idle.extend(self.held_by_edits(&hits));
        Ok(ElementRuling {
            element: element.to_owned(),
            released_when: self.released_when(&hits),
            hits,
            idle,
        })
    }

    /// For whom each provision applies. Of one that is seen with the parties of two editions, a
    /// permit must apply with both, a forbid with either.
    fn hits(
        &self,
        puts: &[Put<'_>],
        policies: &PolicySet,
        request: &PartialRequest,
        known: &PartialEntities,
    ) -> Result<Vec<Hit>, Error> {
        if puts.is_empty() {
            return Ok(Vec::new());
        }
        let schema = |error: &dyn std::fmt::Display| Error::Schema(error.to_string());
        let response = policies
            .tpe(request, known, &self.pack.schema)
            .map_err(|error| schema(&error))?;
        let mut hits: Vec<Hit> = Vec::new();
        for put in puts {
            let residual = response
                .get_policy(put.policy.id())
                .ok_or_else(|| schema(&"partial evaluation dropped a provision"))?;
            let when = self.translate(put.provision, &residual)?;
            let effect = put.provision.effect;
            match hits.last_mut().filter(|last| last.provision == put.cite) {
                Some(seen) => {
                    let both = [seen.when.clone(), when];
                    seen.when = match effect {
                        Effect::Permit => Predicate::all(both, self.pack.domain()),
                        Effect::Forbid => Predicate::any(both, self.pack.domain()),
                    };
                }
                None => hits.push(Hit {
                    provision: put.cite.clone(),
                    effect,
                    when,
                }),
            }
        }
        hits.retain(|hit| hit.when != Predicate::Never);
        hits.sort_by_key(|hit| hit.effect);
        Ok(hits)
    }

    /// For whom it is lawful: some instrument lets go, in each of its editions, and nothing of any
    /// edition holds back.
    fn released_when(&self, hits: &[Hit]) -> Predicate {
        let domain = self.pack.domain();
        let of = |effect: Effect| hits.iter().filter(move |hit| hit.effect == effect);
        let plain = of(Effect::Permit).filter(|hit| self.edition_of(hit).is_none());
        let plain = plain.map(|hit| hit.when.clone());
        let edited = self.edited.iter().map(|id| {
            let editions = [Edition::Recorded, Edition::Signed];
            let editions = editions.map(|edition| self.permitted(hits, id, edition));
            Predicate::all(editions, domain)
        });
        let permitted = Predicate::any(plain.chain(edited), domain);
        let barred = Predicate::any(of(Effect::Forbid).map(|hit| hit.when.clone()), domain);
        Predicate::all([permitted, barred.negate(domain)], domain)
    }

    /// The instrument and edition of a provision, if its instrument has two.
    fn edition_of(&self, hit: &Hit) -> Option<(&str, Edition)> {
        if self.edited.is_empty() {
            return None;
        }
        let put = self.puts.iter().find(|put| put.cite == hit.provision)?;
        let edited = self.edited.contains(put.instrument);
        edited.then_some((put.instrument, put.edition))
    }

    /// For whom one edition of an instrument lets go.
    fn permitted(&self, hits: &[Hit], instrument: &str, edition: Edition) -> Predicate {
        let permits = hits.iter().filter(|hit| hit.effect == Effect::Permit);
        let own = permits.filter(|hit| self.edition_of(hit) == Some((instrument, edition)));
        Predicate::any(own.map(|hit| hit.when.clone()), self.pack.domain())
    }

    /// The permits of edited instruments that let go what the other edition does not.
    fn held_by_edits(&self, hits: &[Hit]) -> Vec<Hit> {
        let domain = self.pack.domain();
        let permits = hits.iter().filter(|hit| hit.effect == Effect::Permit);
        let held = permits.filter_map(|hit| {
            let (instrument, edition) = self.edition_of(hit)?;
            let other = match edition {
                Edition::Recorded => Edition::Signed,
                Edition::Signed => Edition::Recorded,
            };
            let other = self.permitted(hits, instrument, other).negate(domain);
            let when = Predicate::all([hit.when.clone(), other], domain);
            (when != Predicate::Never).then(|| Hit {
                when,
                ..hit.clone()
            })
        });
        held.collect()
    }

    fn translate(&self, provision: &Provision, residual: &Policy) -> Result<Predicate, Error> {
        let refuse = |problem: String| Error::Untranslatable {
            provision: provision.id.clone(),
            problem,
            place: provision.place.clone(),
        };
        let pst = residual
            .to_pst()
            .map_err(|error| refuse(error.to_string()))?;
        let domain = self.pack.domain();
        let mut parts = Vec::new();
        for clause in pst.body().clauses() {
            parts.push(match clause {
                Clause::When(expr) => predicate(expr, domain, &self.pack.probe).map_err(refuse)?,
                Clause::Unless(expr) => predicate(expr, domain, &self.pack.probe)
                    .map_err(refuse)?
                    .negate(domain),
            });
        }
        Ok(Predicate::all(parts, domain))
    }

    fn interpretations(&self, elements: &[ElementRuling]) -> Vec<Interpretation> {
        let cited: BTreeSet<&str> = elements
            .iter()
            .flat_map(|ruling| &ruling.hits)
            .map(|hit| hit.provision.as_str())
            .collect();
        let readings = cited
            .into_iter()
            .filter_map(|id| self.provision(id))
            .flat_map(|(instrument, provision)| {
                provision
                    .interpretations
                    .iter()
                    .filter_map(|name| instrument.interpretation(name))
            });
        readings.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn obligations(&self, query: &Query) -> Vec<Obligation> {
        let agency = |agency: &Agency, path: &str| {
            agency.path == path || agency.within.iter().any(|within| within == path)
        };
        let custodian = |path: &str| agency(&query.custodian, path);
        let recipient = |path: &str| agency(&query.recipient, path);
        let purpose = |path: &str| {
            query.purpose.path == path || query.purpose.within.iter().any(|p| p == path)
        };
        let obligations = self
            .every_edition()
            .flat_map(|instrument| instrument.obligations(&custodian, &recipient, &purpose));
        let mut obligations: Vec<Obligation> = obligations.collect();
        obligations.sort();
        if !self.edited.is_empty() {
            obligations.dedup();
        }
        obligations
    }
}

pub(crate) fn principal(query: &Query) -> Result<EntityUid, String> {
    uid("Agency", &query.recipient.path)
}

/// The request's facts for one element.
pub(crate) fn context(query: &Query, element: &str) -> Result<Context, String> {
    let entity = |kind: &str, id: &str| {
        Ok::<_, String>(RestrictedExpression::new_entity_uid(uid(kind, id)?))
    };
    let pairs = [
        (
            "purpose".to_owned(),
            entity("Purpose", &query.purpose.path)?,
        ),
        ("element".to_owned(), entity("Element", element)?),
        (
            "custodian".to_owned(),
            entity("Agency", &query.custodian.path)?,
        ),
    ];
    Context::from_pairs(pairs).map_err(|error| error.to_string())
}

/// Everything that is known before a record is looked at.
pub(crate) fn facts(law: &InForce<'_>, query: &Query) -> Result<Entities, String> {
    let mut entities = law.entities.clone();
    let agencies = [&query.recipient, &query.custodian];
    let agencies = agencies.map(|agency| self::agency(agency, law.pack.origin_type()));
    entities.extend(named_first(agencies)?);
    entities.extend(hierarchy(
        "Purpose",
        &query.purpose.path,
        &query.purpose.within,
    )?);
    entities.extend(elements(law.pack.vocabulary())?);
    // Recipient and custodian may be the same agency or share what they are within.
    let mut seen = BTreeSet::new();
    entities.retain(|entity| seen.insert(entity.uid()));
    Entities::from_entities(entities, Some(&law.pack.schema)).map_err(|error| error.to_string())
}

/// Entities, each followed by what it is within, with those that are named before those that others
/// are within: of the latter nothing else is said, and where both are the same the former counts.
pub(crate) fn named_first(
    groups: impl IntoIterator<Item = Result<Vec<Entity>, String>>,
) -> Result<Vec<Entity>, String> {
    let (mut entities, mut within) = (Vec::new(), Vec::new());
    for group in groups {
        let mut group = group?.into_iter();
        entities.extend(group.next());
        within.extend(group);
    }
    entities.extend(within);
    Ok(entities)
}

/// The elements and the sets that they are in.
pub(crate) fn elements(words: &Vocabulary) -> Result<Vec<Entity>, String> {
    let mut entities = Vec::new();
    for set in words.sets() {
        entities.push(Entity::with_uid(uid("ElementSet", &set.name)?));
    }
    for element in words.elements() {
        let sets = words
            .sets()
            .iter()
            .filter(|set| set.members.contains(&element.name));
        let parents = sets
            .map(|set| uid("ElementSet", &set.name))
            .collect::<Result<_, _>>()?;
        entities.push(Entity::new_no_attrs(
            uid("Element", &element.name)?,
            parents,
        ));
    }
    Ok(entities)
}

pub(crate) fn agency(agency: &Agency, origin_type: &str) -> Result<Vec<Entity>, String> {
    let with = |path: &str, parents: &[String], jurisdiction: &BTreeSet<String>| {
        let origins: Result<Vec<_>, String> = jurisdiction
            .iter()
            .map(|origin| {
                Ok(RestrictedExpression::new_entity_uid(uid(
                    origin_type,
                    origin,
                )?))
            })
            .collect();
        let attributes = [(
            "jurisdiction".to_owned(),
            RestrictedExpression::new_set(origins?),
        )];
        let parents = parents
            .iter()
            .map(|path| uid("Agency", path))
            .collect::<Result<_, _>>()?;
        Entity::new(uid("Agency", path)?, attributes.into(), parents)
            .map_err(|error| error.to_string())
    };
    let mut entities = vec![with(&agency.path, &agency.within, &agency.jurisdiction)?];
    for path in &agency.within {
        entities.push(with(path, &[], &BTreeSet::new())?);
    }
    Ok(entities)
}

pub(crate) fn hierarchy(kind: &str, path: &str, within: &[String]) -> Result<Vec<Entity>, String> {
    let parents = within
        .iter()
        .map(|path| uid(kind, path))
        .collect::<Result<_, _>>()?;
    let mut entities = vec![Entity::new_no_attrs(uid(kind, path)?, parents)];
    for path in within {
        entities.push(Entity::with_uid(uid(kind, path)?));
    }
    Ok(entities)
}
