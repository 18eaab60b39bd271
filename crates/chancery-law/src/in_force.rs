use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Entity, Policy, PolicyId, PolicySet, RestrictedExpression};
use chancery_model::{LawUsed, UNKNOWN};
use jiff::civil::Date;

use crate::expression::uid;
use crate::{Effect, Error, Instrument, LawPack, Provision, SignOff, Standing, Why};

/// The instruments in force on a day, as one Cedar policy set.
///
/// Where an instrument was edited since it was signed off, both editions are in the set, each seen
/// with the parties of both: see `docs/design/sign-off.md`.
pub struct InForce<'a> {
    pub(crate) pack: &'a LawPack,
    on: Date,
    instruments: Vec<&'a Instrument>,
    pub(crate) policies: PolicySet,
    /// The provisions that count, as they are cited.
    pub(crate) provisions: BTreeMap<String, &'a Provision>,
    /// The same as they are put to Cedar.
    pub(crate) puts: Vec<Put<'a>>,
    /// The instruments as entities, with their parties on the day.
    pub(crate) entities: Vec<Entity>,
    /// The instruments of which two editions apply.
    pub(crate) edited: BTreeSet<&'a str>,
    /// The permits that do not count, as they would be put to Cedar.
    pub(crate) idle: Vec<Put<'a>>,
    pub(crate) idle_policies: PolicySet,
    not_counting: Vec<NotCounting<'a>>,
    standing: Option<&'a Standing>,
}

/// Which edition of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// As it is recorded in the pack.
    Recorded,
    /// As it was signed last.
    Signed,
}

impl Edition {
    /// What follows the id of a provision of this edition where it is cited.
    fn mark(self) -> &'static str {
        match self {
            Self::Recorded => "",
            Self::Signed => "@signed",
        }
    }
}

/// A provision as it is put to Cedar: of one edition, seen with the parties of one.
pub(crate) struct Put<'a> {
    /// How the provision is cited: `<id>`, and `<id>@signed` of the edition signed last.
    pub(crate) cite: String,
    pub(crate) instrument: &'a str,
    pub(crate) edition: Edition,
    pub(crate) provision: &'a Provision,
    pub(crate) policy: Policy,
}

/// A permit in force, or whose term has ended, that does not count.
#[derive(Clone, Debug)]
pub struct NotCounting<'a> {
    /// Its instrument.
    pub instrument: &'a Instrument,
    /// The permit.
    pub provision: &'a Provision,
    /// Why not.
    pub why: Why,
}

/// An instrument in its editions, with what they are seen with.
struct Editions<'a> {
    id: &'a str,
    recorded: Option<&'a Instrument>,
    signed: Option<&'a Instrument>,
}

impl<'a> Editions<'a> {
    /// The editions that are there.
    fn all(&self) -> impl Iterator<Item = (Edition, &'a Instrument)> {
        let recorded = self.recorded.map(|one| (Edition::Recorded, one));
        recorded
            .into_iter()
            .chain(self.signed.map(|one| (Edition::Signed, one)))
    }

    /// The editions whose parties every provision is seen with: one, if the day has the same in both.
    fn worlds(&self, on: Date) -> Vec<(Edition, &'a Instrument)> {
        let mut worlds: Vec<_> = self.all().collect();
        worlds.dedup_by(|(_, later), (_, first)| {
            later.parties_on(on) == first.parties_on(on)
                && later.covered_on(on) == first.covered_on(on)
        });
        worlds
    }

    fn entities(&self, origin_type: &str, on: Date) -> Result<Vec<Entity>, String> {
        let worlds = self.worlds(on).into_iter().enumerate();
        worlds
            .map(|(at, (_, instrument))| {
                entity(&world_id(self.id, at), instrument, origin_type, on)
            })
            .collect()
    }

    /// A provision of one edition, seen with the parties of each.
    fn puts(
        &self,
        edition: Edition,
        provision: &'a Provision,
        on: Date,
    ) -> Result<Vec<Put<'a>>, Error> {
        let cite = format!("{}{}", provision.id, edition.mark());
        let worlds = 0..self.worlds(on).len();
        let put = |world: usize| {
            let policy = seen(&provision.policy, self.id, world).map_err(Error::Schema)?;
            let name = match world {
                0 => cite.clone(),
                _ => format!("{cite} with the parties signed"),
            };
            Ok(Put {
                cite: cite.clone(),
                instrument: self.id,
                edition,
                provision,
                policy: policy.new_id(PolicyId::new(name)),
            })
        };
        worlds.map(put).collect()
    }
}

/// The entity that stands for an instrument with the parties of its first or second edition.
fn world_id(instrument: &str, world: usize) -> String {
    match world {
        0 => instrument.to_owned(),
        _ => format!("{instrument}@signed"),
    }
}

/// A policy that asks for the parties of the instrument in another edition.
fn seen(policy: &Policy, instrument: &str, world: usize) -> Result<Policy, String> {
    if world == 0 {
        return Ok(policy.clone());
    }
    let own = uid("Instrument", instrument)?;
    let other = uid("Instrument", &world_id(instrument, world))?;
    policy
        .sub_entity_literals(BTreeMap::from([(own, other)]))
        .map_err(|error| error.to_string())
}

fn policy_set(puts: &[Put<'_>]) -> Result<PolicySet, Error> {
    let policies = puts.iter().map(|put| put.policy.clone());
    PolicySet::from_policies(policies).map_err(|error| Error::Schema(error.to_string()))
}

impl LawPack {
    /// Picks the instruments in force on a day.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when Cedar refuses what the pack's validation let through.
    pub fn in_force<'a>(&'a self, on: Date, sign_off: SignOff<'a>) -> Result<InForce<'a>, Error> {
        let standing = match sign_off {
            SignOff::Demonstration => None,
            SignOff::Required(standing) => Some(standing),
        };
        let instruments = self.instruments().iter();
        let mut law = InForce {
            pack: self,
            on,
            instruments: instruments.filter(|i| i.in_force(on)).collect(),
            policies: PolicySet::new(),
            provisions: BTreeMap::new(),
            puts: Vec::new(),
            entities: Vec::new(),
            edited: BTreeSet::new(),
            idle: Vec::new(),
            idle_policies: PolicySet::new(),
            not_counting: Vec::new(),
            standing,
        };
        for editions in self.editions(standing) {
            law.add(&editions)?;
        }
        law.puts.sort_by(|a, b| a.cite.cmp(&b.cite));
        law.policies = policy_set(&law.puts)?;
        law.idle_policies = policy_set(&law.idle)?;
        Ok(law)
    }

    /// Every instrument that is recorded, or was until its edition signed last.
    fn editions<'a>(&'a self, standing: Option<&'a Standing>) -> Vec<Editions<'a>> {
        let signed = standing.and_then(Standing::signed);
        let recorded = self.instruments().iter().map(|instrument| Editions {
            id: &instrument.id,
            recorded: Some(instrument),
            signed: signed.and_then(|signed| signed.instrument(&instrument.id)),
        });
        let removed = signed.map_or(&[][..], LawPack::instruments).iter();
        let removed = removed.filter(|instrument| self.instrument(&instrument.id).is_none());
        let removed = removed.map(|instrument| Editions {
            id: &instrument.id,
            recorded: None,
            signed: Some(instrument),
        });
        recorded.chain(removed).collect()
    }
}

/// An instrument with its parties on a day. `covered` also holds those that sources disagree on
/// and `unknown`: what holds data back must not depend on where a record says it comes from.
fn entity(
    id: &str,
    instrument: &Instrument,
    origin_type: &str,
    on: Date,
) -> Result<Entity, String> {
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
    Entity::new(uid("Instrument", id)?, attributes.into(), parents)
        .map_err(|error| error.to_string())
}

impl<'a> InForce<'a> {
    fn add(&mut self, editions: &Editions<'a>) -> Result<(), Error> {
        let on = self.on;
        self.entities.extend(
            editions
                .entities(self.pack.origin_type(), on)
                .map_err(Error::Schema)?,
        );
        if editions.signed.is_some() {
            self.edited.insert(editions.id);
        }
        let unsigned = self.standing.and_then(|standing| standing.why(editions.id));
        for (edition, instrument) in editions.all() {
            let ended = instrument.ended(on).filter(|_| self.standing.is_some());
            let why = ended.map(Why::Ended).or_else(|| unsigned.clone());
            let in_force = instrument.in_force(on);
            for provision in &instrument.provisions {
                let puts = || editions.puts(edition, provision, on);
                let permits = provision.effect == Effect::Permit;
                let held = permits && (ended.is_some() || in_force);
                if let Some(why) = why.as_ref().filter(|_| held) {
                    // One edition tells the reader enough.
                    if edition == Edition::Recorded {
                        self.idle.extend(puts()?);
                        self.not_counting.push(NotCounting {
                            instrument,
                            provision,
                            why: why.clone(),
                        });
                    }
                } else if in_force {
                    for put in puts()? {
                        self.provisions.insert(put.cite.clone(), provision);
                        self.puts.push(put);
                    }
                }
            }
        }
        Ok(())
    }

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

    /// Permits in force that do not count, and those whose instrument's term has ended.
    pub fn not_counting(&self) -> &[NotCounting<'a>] {
        &self.not_counting
    }

    /// How the law stands with those who sign off; in a demonstration nobody does.
    pub fn standing(&self) -> Option<&'a Standing> {
        self.standing
    }

    /// The instruments of which two editions apply, by id.
    pub fn edited(&self) -> impl Iterator<Item = &'a str> {
        self.edited.iter().copied()
    }

    /// The provision that is cited like this, and its instrument in the same edition.
    pub fn provision(&self, cite: &str) -> Option<(&'a Instrument, &'a Provision)> {
        match cite.strip_suffix(Edition::Signed.mark()) {
            Some(id) => self.standing?.signed()?.provision(id),
            None => self.pack.provision(cite),
        }
    }

    /// Why a permit that would apply does not count; [`Why::Edited`] of one that counts in part.
    pub fn why_not(&self, cite: &str) -> Why {
        let found = self.not_counting.iter().find(|n| n.provision.id == cite);
        found.map_or(Why::Edited, |found| found.why.clone())
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
                .chain(self.signed_in_force())
                .collect(),
            layers: match self.pack.layers.as_slice() {
                [_] => Vec::new(),
                layers => layers.iter().map(crate::PackLayer::used).collect(),
            },
        }
    }

    /// The editions signed last that are in force beside what is recorded.
    fn signed_in_force(&self) -> impl Iterator<Item = String> {
        let signed = self.standing.and_then(Standing::signed);
        let instruments = signed.map_or(&[][..], LawPack::instruments).iter();
        let mark = Edition::Signed.mark();
        let in_force = instruments.filter(|instrument| instrument.in_force(self.on));
        in_force.map(move |instrument| format!("{}{mark}", instrument.id))
    }

    /// The instruments in force in every edition, as recorded first.
    pub(crate) fn every_edition(&self) -> impl Iterator<Item = &'a Instrument> {
        let signed = self.standing.and_then(Standing::signed);
        let instruments = signed.map_or(&[][..], LawPack::instruments).iter();
        let on = self.on;
        let recorded = self.instruments.clone().into_iter();
        recorded.chain(instruments.filter(move |instrument| instrument.in_force(on)))
    }
}
