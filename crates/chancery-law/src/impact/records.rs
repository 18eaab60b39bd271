use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chancery_model::{Attribute, Domain};

use crate::Error;
use crate::describe::{Region, regions};
use crate::enumerate::People;

/// The records that either of two laws knows.
///
/// Where one of them lacks an attribute, its answers do not turn on it; where it lacks a value, a
/// record with that value is to it one of which the attribute is unknown, as its classification
/// would have made it.
pub(super) struct Records {
    joint: Domain,
    /// How to carry sets of records over from each law; none if it has the same records.
    old: Option<Domain>,
    new: Option<Domain>,
}

/// Sets of records that were carried over before.
pub(super) type Carried = HashMap<Arc<People>, Arc<People>>;

impl Records {
    pub(super) fn new(old: &Domain, new: &Domain) -> Result<Self, Error> {
        let joint = joint(old, new)?;
        if People::combinations(&joint).is_none() {
            return Err(Error::Schema(
                "the records of the two packs have too little in common to be compared".to_owned(),
            ));
        }
        let other = |domain: &Domain| (*domain != joint).then(|| domain.clone());
        Ok(Self {
            old: other(old),
            new: other(new),
            joint,
        })
    }

    pub(super) fn domain(&self) -> &Domain {
        &self.joint
    }

    pub(super) fn into_domain(self) -> Domain {
        self.joint
    }

    /// Whether both laws have the same records.
    pub(super) fn are_same(&self) -> bool {
        self.old.is_none() && self.new.is_none()
    }

    pub(super) fn combinations(&self) -> u64 {
        People::combinations(&self.joint).unwrap_or_default()
    }

    pub(super) fn of_old(&self, people: &Arc<People>, known: &mut Carried) -> Arc<People> {
        self.carried(self.old.as_ref(), people, known)
    }

    pub(super) fn of_new(&self, people: &Arc<People>, known: &mut Carried) -> Arc<People> {
        self.carried(self.new.as_ref(), people, known)
    }

    fn carried(
        &self,
        from: Option<&Domain>,
        people: &Arc<People>,
        known: &mut Carried,
    ) -> Arc<People> {
        let Some(from) = from else {
            return Arc::clone(people);
        };
        if let Some(known) = known.get(people) {
            return Arc::clone(known);
        }
        let none = People::none(&self.joint);
        let all = regions(people.iter(), from)
            .into_iter()
            .fold(none, |all, region| {
                all.or(&People::within(&self.joint, &self.region(from, &region)))
            });
        let all = Arc::new(all);
        known.insert(Arc::clone(people), Arc::clone(&all));
        all
    }

    fn region(&self, from: &Domain, region: &Region) -> Region {
        let mut carried: Region = BTreeMap::new();
        for (attribute, values) in region {
            let Some(declared) = from.attributes().get(*attribute) else {
                continue;
            };
            let Some((at, joint)) = self.joint.attribute(&declared.name) else {
                continue;
            };
            let inside = |value: &String| match from.value(*attribute, value) {
                Some(value) => values.contains(&value),
                None => values.contains(&from.unknown(*attribute)),
            };
            let inside = (0..=u8::MAX).zip(&joint.values).filter(|(_, v)| inside(v));
            carried.insert(at, inside.map(|(at, _)| at).collect());
        }
        carried
    }
}

fn joint(old: &Domain, new: &Domain) -> Result<Domain, Error> {
    if old == new {
        return Ok(new.clone());
    }
    let mut attributes: Vec<Attribute> = new.attributes().to_vec();
    for before in old.attributes() {
        match attributes.iter_mut().find(|now| now.name == before.name) {
            None => attributes.push(before.clone()),
            Some(now) => {
                let known: BTreeSet<String> = now.values.iter().cloned().collect();
                let gone = before.values.iter().filter(|value| !known.contains(*value));
                now.values.extend(gone.cloned());
            }
        }
    }
    Domain::new(attributes).map_err(Error::Schema)
}
