use std::collections::BTreeMap;

use cedar_policy::{Entity, PolicySet, RestrictedExpression};
use chancery_model::{LawUsed, UNKNOWN};
use jiff::civil::Date;

use crate::expression::uid;
use crate::{Effect, Error, Instrument, LawPack, Provision};

/// Whose signature the law needs before it lets data leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOff {
    /// A demonstration workspace: unsigned law counts.
    Demonstration,
    /// What lets data leave counts only when signed off; what holds data back counts at once.
    Required,
}

/// The instruments in force on a day, as one Cedar policy set.
pub struct InForce<'a> {
    pub(crate) pack: &'a LawPack,
    on: Date,
    instruments: Vec<&'a Instrument>,
    pub(crate) policies: PolicySet,
    pub(crate) provisions: BTreeMap<String, &'a Provision>,
    /// The instruments as entities, with their parties on the day.
    pub(crate) entities: Vec<Entity>,
    unsigned: Vec<&'a str>,
}

impl LawPack {
    /// Picks the instruments in force on a day.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when Cedar refuses what the pack's validation let through.
    pub fn in_force(&self, on: Date, sign_off: SignOff) -> Result<InForce<'_>, Error> {
        let instruments: Vec<&Instrument> = self
            .instruments()
            .iter()
            .filter(|instrument| instrument.in_force(on))
            .collect();
        let mut provisions = BTreeMap::new();
        let mut unsigned = Vec::new();
        for provision in instruments
            .iter()
            .flat_map(|instrument| &instrument.provisions)
        {
            if sign_off == SignOff::Required && provision.effect == Effect::Permit {
                unsigned.push(provision.id.as_str());
            } else {
                provisions.insert(provision.id.clone(), provision);
            }
        }
        let policies = provisions
            .values()
            .map(|provision| provision.policy.clone());
        let policies =
            PolicySet::from_policies(policies).map_err(|error| Error::Schema(error.to_string()))?;
        let entities = self
            .instruments()
            .iter()
            .map(|instrument| entity(instrument, self.origin_type(), on));
        let entities = entities.collect::<Result<_, _>>().map_err(Error::Schema)?;
        Ok(InForce {
            pack: self,
            on,
            instruments,
            policies,
            provisions,
            entities,
            unsigned,
        })
    }
}

/// An instrument with its parties on a day. `covered` also holds those that sources disagree on
/// and `unknown`: what holds data back must not depend on where a record says it comes from.
fn entity(instrument: &Instrument, origin_type: &str, on: Date) -> Result<Entity, String> {
    let set = |origins: &mut dyn Iterator<Item = &str>| {
        let origins: Result<Vec<_>, String> = origins
            .map(|origin| {
                Ok(RestrictedExpression::new_entity_uid(uid(
                    origin_type,
                    origin,
                )?))
            })
            .collect();
        Ok::<_, String>(RestrictedExpression::new_set(origins?))
    };
    let parties = set(&mut instrument.parties_on(on).into_iter())?;
    let covered = set(&mut instrument.covered_on(on).into_iter().chain([UNKNOWN]))?;
    let attributes = [
        ("parties".to_owned(), parties),
        ("covered".to_owned(), covered),
    ];
    let parents = std::collections::HashSet::new();
    Entity::new(
        uid("Instrument", &instrument.id)?,
        attributes.into(),
        parents,
    )
    .map_err(|error| error.to_string())
}

impl<'a> InForce<'a> {
    /// The day.
    pub fn on(&self) -> Date {
        self.on
    }

    /// The pack.
    pub fn pack(&self) -> &'a LawPack {
        self.pack
    }

    /// The instruments in force.
    pub fn instruments(&self) -> &[&'a Instrument] {
        &self.instruments
    }

    /// Provisions that would let data leave but are not signed off.
    pub fn unsigned(&self) -> &[&'a str] {
        &self.unsigned
    }

    /// What a decision cites as its law.
    pub fn law_used(&self) -> LawUsed {
        LawUsed {
            pack: self.pack.name.clone(),
            digest: self.pack.digest,
            in_force: self
                .instruments
                .iter()
                .map(|instrument| instrument.id.clone())
                .collect(),
            layers: match self.pack.layers.as_slice() {
                [_] => Vec::new(),
                layers => layers.iter().map(crate::PackLayer::used).collect(),
            },
        }
    }
}
