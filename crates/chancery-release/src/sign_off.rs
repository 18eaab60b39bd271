//! Who signed what, as the ledger holds it, and how each instrument stands because of it.
//!
//! `docs/design/sign-off.md` has the rules. In short: the entries are read in order; each counts by
//! the roles in force when it was recorded. Nothing is taken from a file that a sign-off's digest
//! does not vouch for.

use std::collections::{BTreeMap, BTreeSet};

use chancery_law::{
    Act, LawPack, OnRecord, PackSource, Person, Roles, Standing, State, Unit, UnitKind,
};
use chancery_ledger::LedgerReader;
use chancery_model::Digest;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::entry::{SignOff, SignOffAct, Suspended, Suspension, SuspensionReason, Version2};
use crate::{Entry, Error, Workspace};

/// Up to when the ledger's entries are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// All there are.
    #[default]
    Now,
    /// Those recorded up to an instant.
    At(Timestamp),
    /// The first so many.
    First(u64),
}

impl Known {
    fn takes(self, index: u64, recorded: Timestamp) -> bool {
        match self {
            Self::Now => true,
            Self::At(last) => recorded <= last,
            Self::First(count) => index < count,
        }
    }
}

/// A sign-off that was valid when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The entry's index in the ledger.
    pub index: u64,
    /// What was done.
    pub act: SignOffAct,
    /// The digest of what was signed.
    pub digest: Digest,
    /// Who did.
    pub person: Person,
    /// In which role.
    pub role: String,
    /// The day it was recorded.
    pub on: Date,
    /// The last day on which it counts.
    pub until: Date,
    after: u64,
    /// By which version of the roles.
    roles: usize,
}

impl Signed {
    fn is_by(&self, other: &Person) -> bool {
        self.person.name == other.name || self.person.key == other.key
    }

    fn on_record(&self, unit: &str) -> OnRecord {
        OnRecord {
            index: self.index,
            unit: unit.to_owned(),
            digest: self.digest,
            agency: self.person.agency.clone(),
            role: self.role.clone(),
            key: Some(self.person.key.clone()),
        }
    }
}

/// A suspension, lifted or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspending {
    /// What the ledger holds.
    pub on_record: OnRecord,
    /// The day it was recorded.
    pub on: Date,
    /// Why it was suspended.
    pub reason: SuspensionReason,
}

/// What the ledger holds of one unit.
#[derive(Debug, Default)]
struct History {
    signed: Vec<Signed>,
    suspensions: Vec<Suspending>,
}

/// How one unit stands on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// The state.
    pub state: State,
    /// The digest of the edition signed last, if that is another than is recorded.
    pub edition: Option<Digest>,
    /// The sign-offs that count, of the edition signed last and of what is recorded.
    pub sign_offs: Vec<Signed>,
    /// The last day on which two of them count.
    pub until: Option<Date>,
}

/// An entry that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Its index in the ledger.
    pub index: u64,
    /// What it is about.
    pub unit: String,
    /// Why not.
    pub why: &'static str,
}

/// Every sign-off and suspension that the ledger holds, up to what is known.
#[derive(Debug)]
pub struct SignOffs {
    log: String,
    entries: u64,
    custodian: Option<String>,
    /// Every version of the roles, the newest last.
    roles: Vec<Roles>,
    units: BTreeMap<String, History>,
    ignored: Vec<Ignored>,
    seen: BTreeSet<Vec<u8>>,
    bases: BTreeSet<String>,
}

impl SignOffs {
    /// Reads the ledger. `bases` are the ids of the law pack's bases.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read, or the text of a version of the roles that was signed is
    /// missing or is another.
    pub fn read(
        workspace: &Workspace,
        bases: BTreeSet<String>,
        known: Known,
    ) -> Result<Self, Error> {
        let reader = workspace.ledger_reader()?;
        let mut all = Self {
            log: workspace.config().ledger.clone(),
            entries: reader.size(),
            custodian: None,
            roles: Vec::new(),
            units: BTreeMap::new(),
            ignored: Vec::new(),
            seen: BTreeSet::new(),
            bases,
        };
        for entry in reader.entries(0..reader.size())? {
            let (index, bytes) = entry?;
            let Some(entry) = Entry::from_bytes(&bytes).known() else {
                continue;
            };
            if known.takes(index, entry.recorded().timestamp()) {
                all.take(workspace, index, entry)?;
            }
        }
        Ok(all)
    }

    fn take(&mut self, workspace: &Workspace, index: u64, entry: Entry) -> Result<(), Error> {
        match entry {
            Entry::Workspace { custodian_key, .. } if self.custodian.is_none() => {
                self.custodian = Some(custodian_key.to_string());
            }
            Entry::SignOff(fact) => {
                let unit = fact.instrument.to_string();
                if let Err(why) = self.take_sign_off(workspace, index, &fact)? {
                    self.ignored.push(Ignored { index, unit, why });
                }
            }
            Entry::Suspension(fact) => self.take_suspension(index, &fact),
            _ => {}
        }
        Ok(())
    }

    /// A suspension counts whoever recorded it: holding data back takes no proof.
    fn take_suspension(&mut self, index: u64, fact: &Suspension) {
        let Suspended::Instrument { id, digest, reason } = &fact.of else {
            return;
        };
        let unit = self.units.entry(id.to_string()).or_default();
        let on_record = OnRecord {
            index,
            unit: id.to_string(),
            digest: *digest,
            agency: fact.agency.to_string(),
            role: fact.role.as_str().to_owned(),
            key: fact.key.as_ref().map(ToString::to_string),
        };
        unit.suspensions.push(Suspending {
            on_record,
            on: fact.recorded.date(),
            reason: *reason,
        });
    }

    /// Takes a sign-off, or says why it does not count.
    fn take_sign_off(
        &mut self,
        workspace: &Workspace,
        index: u64,
        fact: &SignOff,
    ) -> Result<Result<(), &'static str>, Error> {
        let (Version2::Two, Some(act), Some(log), Some(after)) =
            (fact.version, fact.act, &fact.log, fact.after)
        else {
            return Ok(Err("it is of the first form, which could be a copy"));
        };
        if *log != self.log {
            return Ok(Err("it is for another ledger"));
        }
        if after > index {
            return Ok(Err("it names entries that were not there yet"));
        }
        if fact.verify().is_err() {
            return Ok(Err("its signature is not its key's"));
        }
        if !self.seen.insert(fact.signature.as_bytes().to_vec()) {
            return Ok(Err("it is a copy of an earlier one"));
        }
        let unit = fact.instrument.to_string();
        // A base that is not recorded any more is one still: its overlay's bars went with it.
        if workspace.is_text_of_base(fact.digest) {
            self.bases.insert(unit.clone());
        }
        let day = fact.recorded.date();
        let Some(roles) = self.roles.last() else {
            return self.genesis(workspace, &unit, act, fact);
        };
        let Some(person) = roles.person(fact.key.as_str()) else {
            return Ok(Err("its key is nobody's who has a role"));
        };
        if fact.agency != person.agency {
            return Ok(Err("it names another agency than the roles do"));
        }
        let role = fact.role.as_str();
        let of = (unit.as_str(), self.kind(&unit));
        if !roles.may(action(act), person, role, of, day)? {
            return Ok(Err("who signed might not, on that day, in that role"));
        }
        let signed = Signed {
            index,
            act,
            digest: fact.digest,
            person: person.clone(),
            role: role.to_owned(),
            on: day,
            until: roles.lapses(day),
            after,
            roles: self.roles.len() - 1,
        };
        self.units
            .entry(unit.clone())
            .or_default()
            .signed
            .push(signed);
        if unit == Roles::UNIT {
            self.change_roles(workspace)?;
        }
        Ok(Ok(()))
    }

    /// The first roles are the custodian's to sign.
    fn genesis(
        &mut self,
        workspace: &Workspace,
        unit: &str,
        act: SignOffAct,
        fact: &SignOff,
    ) -> Result<Result<(), &'static str>, Error> {
        let by_custodian = self.custodian.as_deref() == Some(fact.key.as_str());
        if unit != Roles::UNIT || act != SignOffAct::Sign || !by_custodian {
            return Ok(Err(
                "nobody had a role yet, and it is not the custodian's of the roles",
            ));
        }
        let roles = workspace.signed_roles(fact.digest)?;
        self.roles.push(roles);
        Ok(Ok(()))
    }

    /// New roles apply once two of those of before have signed them.
    fn change_roles(&mut self, workspace: &Workspace) -> Result<(), Error> {
        let epoch = self.epoch(Roles::UNIT)?;
        let newest = self.roles.last().map(|roles| roles.digest);
        if let Some(digest) = epoch.current.filter(|digest| Some(*digest) != newest) {
            let roles = workspace.signed_roles(digest)?;
            self.roles.push(roles);
        }
        Ok(())
    }

    fn kind(&self, unit: &str) -> UnitKind {
        if unit == Roles::UNIT {
            UnitKind::Roles
        } else if self.bases.contains(unit) {
            UnitKind::Base
        } else {
            UnitKind::Instrument
        }
    }

    /// The roles in force, once the custodian has signed the first.
    pub fn roles(&self) -> Option<&Roles> {
        self.roles.last()
    }

    /// The custodian's key, which signs the first roles.
    pub fn custodian(&self) -> Option<&str> {
        self.custodian.as_deref()
    }

    /// How many entries the ledger had.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// What does not count, and why.
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// Every sign-off of a unit that was valid when it was recorded.
    pub fn signed(&self, unit: &str) -> &[Signed] {
        self.units.get(unit).map_or(&[], |history| &history.signed)
    }

    /// Every suspension of a unit.
    pub fn suspensions(&self, unit: &str) -> &[Suspending] {
        self.units
            .get(unit)
            .map_or(&[], |history| &history.suspensions)
    }

    /// Whether the person of a key has signed this text of a unit, and the sign-off counts.
    ///
    /// # Errors
    ///
    /// As for [`SignOffs::stand`].
    pub fn has_signed(
        &self,
        unit: &str,
        digest: Digest,
        key: &str,
        on: Date,
    ) -> Result<bool, Error> {
        let Some(person) = self.roles().and_then(|roles| roles.person(key)) else {
            return Ok(false);
        };
        let stand = self.stand(unit, digest, on)?;
        let mut own = stand.sign_offs.iter().filter(|one| one.is_by(person));
        Ok(own.any(|signed| signed.digest == digest))
    }

    /// Whether a person has reinstated this text since its suspension.
    pub fn has_reinstated(&self, unit: &str, digest: Digest, person: &Person) -> bool {
        let last = self.suspensions(unit).last();
        let last = last.map_or(0, |last| last.on_record.index);
        let mut own = self.signed(unit).iter().filter(|one| one.is_by(person));
        own.any(|one| {
            one.act == SignOffAct::Reinstate
                && one.digest == digest
                && one.after > last
                && self.is_live(unit, one)
        })
    }

    /// A person's sign-offs of a unit that they have not withdrawn, whether they count or not.
    pub(crate) fn not_withdrawn(&self, unit: &str, person: &Person) -> Vec<&Signed> {
        let own = self.signed(unit).iter().filter(|one| one.is_by(person));
        own.filter(|one| self.is_live(unit, one)).collect()
    }

    /// Who withdrew from a unit, and which sign-offs.
    pub fn revocations(&self, unit: &str) -> Vec<(&Signed, Vec<&Signed>)> {
        let all = self.signed(unit);
        let revoked = all.iter().filter(|one| one.act == SignOffAct::Revoke);
        let with_theirs = revoked.map(|revoked| {
            let before = all.iter().take_while(|one| one.index < revoked.index);
            let own = before.filter(|one| revoked.is_by(&one.person));
            let earlier: Vec<&Signed> = own
                .clone()
                .filter(|one| one.act == SignOffAct::Revoke)
                .collect();
            let own = own.filter(|one| {
                let is_live = earlier.iter().all(|earlier| earlier.index < one.after);
                one.act != SignOffAct::Revoke && is_live
            });
            (revoked, own.collect())
        });
        with_theirs.collect()
    }

    /// The units that somebody signed or suspended.
    pub fn units(&self) -> impl Iterator<Item = &str> {
        self.units.keys().map(String::as_str)
    }

    /// The same of what had been recorded before it.
    fn is_live_then(&self, unit: &str, signed: &Signed) -> bool {
        let before = self
            .signed(unit)
            .iter()
            .take_while(|one| one.index < signed.index);
        let mut revoked =
            before.filter(|one| one.act == SignOffAct::Revoke && signed.is_by(&one.person));
        revoked.all(|revoked| revoked.index < signed.after)
    }

    /// Whether nothing that the same person did later, and no copy of it, undoes a sign-off.
    fn is_live(&self, unit: &str, signed: &Signed) -> bool {
        let all = self.signed(unit).iter();
        let mut revoked = all.filter(|r| r.act == SignOffAct::Revoke && signed.is_by(&r.person));
        signed.act != SignOffAct::Revoke && revoked.all(|revoked| revoked.index < signed.after)
    }

    /// Whether two of these sign-offs of the same text count together.
    fn suffice(&self, unit: &str, signed: &[&Signed]) -> Result<bool, Error> {
        let of = (unit, self.kind(unit));
        for (at, second) in signed.iter().enumerate() {
            let Some(roles) = self.roles.get(second.roles) else {
                continue;
            };
            let part = |s: &Signed| (s.person.clone(), s.role.clone(), s.on);
            for first in signed.iter().take(at) {
                let (first, last) = (part(first), part(second));
                let (first, last) = (
                    (&first.0, first.1.as_str(), first.2),
                    (&last.0, last.1.as_str(), last.2),
                );
                if roles.suffice(first, last, of)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Goes through what was signed of a unit, to the edition that two people signed last.
    fn epoch(&self, unit: &str) -> Result<Epoch<'_>, Error> {
        let mut epoch = Epoch::default();
        for signed in self.signed(unit) {
            if signed.act == SignOffAct::Revoke {
                // What was withdrawn before it had a pair never makes one.
                epoch.pending.retain(|one| !one.is_by(&signed.person));
                continue;
            }
            if epoch.current == Some(signed.digest) {
                epoch.of_current.push(signed);
                continue;
            }
            // What was signed before the edition of now was complete is not against that one, and
            // what was signed before its signer withdrew is withdrawn, whenever it is recorded.
            let is_stale = epoch.completed.is_some_and(|index| signed.after <= index);
            if is_stale || !self.is_live_then(unit, signed) {
                continue;
            }
            epoch.pending.push(signed);
            let same = epoch.pending.iter();
            let same = same.filter(|one| one.digest == signed.digest && one.until >= signed.on);
            let same: Vec<&Signed> = same.copied().collect();
            if self.suffice(unit, &same)? {
                // What else was proposed was proposed against the edition of before.
                epoch = Epoch {
                    current: Some(signed.digest),
                    completed: Some(signed.index),
                    of_current: same,
                    pending: Vec::new(),
                };
            }
        }
        Ok(epoch)
    }

    /// How a unit with this digest stands on a day; without a digest, it is removed.
    ///
    /// # Errors
    ///
    /// When the roles' schema does not admit the question whether two sign-offs suffice.
    pub fn stand(&self, unit: &str, recorded: Digest, on: Date) -> Result<Stand, Error> {
        let epoch = self.epoch(unit)?;
        let live = |signed: &&&Signed| self.is_live(unit, signed);
        let lasting = |signed: &&&Signed| on <= signed.until;
        let of_current: Vec<&Signed> = epoch.of_current.iter().filter(live).copied().collect();
        let counting: Vec<&Signed> = of_current.iter().filter(lasting).copied().collect();
        let pending = epoch.pending.iter().filter(|one| one.digest == recorded);
        let pending: Vec<&Signed> = pending.copied().collect();
        let proposed: Vec<&Signed> = pending
            .iter()
            .filter(live)
            .filter(lasting)
            .copied()
            .collect();
        let (proposals, withdrawn) = (pending.len(), self.withdrawn(unit, recorded));
        let state = if self.suspended(unit)?.is_some() {
            State::Suspended
        } else {
            match epoch.current {
                None if !proposed.is_empty() => State::SinglySigned,
                None if withdrawn => State::Revoked,
                None if proposals > 0 => State::Expired,
                None => State::Unsigned,
                Some(_) if !self.suffice(unit, &of_current)? => State::Revoked,
                Some(_) if !self.suffice(unit, &counting)? => State::Expired,
                Some(current) if current == recorded => State::Signed,
                // Nothing rests on a base but what two people signed; and where two people signed
                // that there is no text, there is no edition to hold another against.
                Some(current)
                    if (self.kind(unit) != UnitKind::Instrument || current == removed())
                        && !proposed.is_empty() =>
                {
                    State::SinglySigned
                }
                Some(_) if !proposed.is_empty() => State::Signed,
                Some(_) => State::Tampered,
            }
        };
        let mut until: Vec<Date> = counting.iter().map(|signed| signed.until).collect();
        until.sort_unstable();
        let sign_offs = counting.iter().chain(&proposed);
        Ok(Stand {
            state,
            edition: epoch.current.filter(|current| *current != recorded),
            sign_offs: sign_offs.map(|signed| (*signed).clone()).collect(),
            until: until.iter().rev().nth(1).copied(),
        })
    }

    /// Whether somebody signed this text and withdrew.
    fn withdrawn(&self, unit: &str, digest: Digest) -> bool {
        let all = self.signed(unit).iter();
        let mut signed = all.filter(|s| s.act != SignOffAct::Revoke && s.digest == digest);
        signed.any(|signed| !self.is_live(unit, signed))
    }

    /// The suspension that two people have not lifted yet.
    ///
    /// # Errors
    ///
    /// As for [`SignOffs::stand`].
    pub fn suspended(&self, unit: &str) -> Result<Option<&OnRecord>, Error> {
        match self.suspensions(unit).last() {
            Some(last) if self.lifted(unit, last)?.is_none() => Ok(Some(&last.on_record)),
            _ => Ok(None),
        }
    }

    /// The second of the two sign-offs that lifted a suspension.
    ///
    /// # Errors
    ///
    /// As for [`SignOffs::stand`].
    pub fn lifted(&self, unit: &str, suspended: &Suspending) -> Result<Option<&Signed>, Error> {
        let mut lifting: BTreeMap<Digest, Vec<&Signed>> = BTreeMap::new();
        // What two people lifted stays so: who withdraws later withdraws a sign-off.
        for signed in self
            .signed(unit)
            .iter()
            .filter(|one| one.after > suspended.on_record.index)
        {
            match signed.act {
                SignOffAct::Revoke => {
                    for others in lifting.values_mut() {
                        others.retain(|one| !one.is_by(&signed.person));
                    }
                }
                SignOffAct::Reinstate if self.is_live_then(unit, signed) => {
                    let same = lifting.entry(signed.digest).or_default();
                    same.push(signed);
                    if self.suffice(unit, same)? {
                        return Ok(Some(signed));
                    }
                }
                SignOffAct::Reinstate | SignOffAct::Sign => {}
            }
        }
        Ok(None)
    }

    /// How a law pack stands on a day. `source` are the files of `law`.
    ///
    /// # Errors
    ///
    /// When the text of an edition that was signed is missing, is another than was signed, or cannot
    /// be read beside what is recorded: nothing is decided then.
    pub fn standing(
        &self,
        workspace: &Workspace,
        source: &PackSource,
        on: Date,
    ) -> Result<Standing, Error> {
        let recorded = source.units()?;
        let mut digests: BTreeMap<&str, Digest> = BTreeMap::new();
        for unit in self.units().filter(|unit| *unit != Roles::UNIT) {
            digests.insert(unit, removed());
        }
        digests.extend(
            recorded
                .iter()
                .map(|unit| (unit.id.as_str(), unit.digest())),
        );
        let (mut states, mut editions) = (BTreeMap::new(), Vec::new());
        let (mut sign_offs, mut suspensions) = (Vec::new(), Vec::new());
        let mut gone = Vec::new();
        for (id, digest) in digests {
            let stand = self.stand(id, digest, on)?;
            let is_instrument = self.kind(id) == UnitKind::Instrument;
            if let Some(edition) = stand.edition.filter(|d| is_instrument && *d != removed()) {
                editions.push(workspace.signed_text(id, UnitKind::Instrument, edition)?);
            }
            states.insert(id.to_owned(), stand.state);
            sign_offs.extend(stand.sign_offs.iter().map(|signed| signed.on_record(id)));
            let suspended = self.suspended(id)?;
            // No edition of it was ever signed by two people, so nobody can tell what it barred.
            if suspended.is_some() && digest == removed() && self.epoch(id)?.current.is_none() {
                gone.push(id.to_owned());
            }
            suspensions.extend(suspended.cloned());
        }
        let signed = match editions.as_slice() {
            [] => None,
            editions => {
                let source = source.with_instruments(editions.iter());
                let source = source.map_err(|fault| invalid(vec![fault]))?;
                Some(LawPack::load(&source).map_err(Error::SignedEdition)?)
            }
        };
        sign_offs.sort();
        suspensions.sort();
        let base = self.bases.iter().cloned().collect();
        let standing = Standing::new(states, base, signed).without(gone);
        Ok(standing.on_record(sign_offs, suspensions, self.entries))
    }
}

/// The digest of a unit that is no more: of a text without files.
fn removed() -> Digest {
    Unit::new("", UnitKind::Instrument, BTreeMap::new()).digest()
}

fn invalid(faults: Vec<chancery_model::Fault>) -> Error {
    Error::SignedEdition(chancery_law::Error::Invalid(faults))
}

pub(crate) fn action(act: SignOffAct) -> Act {
    match act {
        SignOffAct::Sign => Act::Sign,
        SignOffAct::Reinstate => Act::Reinstate,
        SignOffAct::Revoke => Act::Revoke,
    }
}

/// The edition that two people signed last, and what is proposed since.
#[derive(Default)]
struct Epoch<'a> {
    current: Option<Digest>,
    /// The entry that made it so.
    completed: Option<u64>,
    of_current: Vec<&'a Signed>,
    pending: Vec<&'a Signed>,
}

/// Whether the ledger has grown by a sign-off or a suspension since it had so many entries.
pub(crate) fn has_changed(reader: &LedgerReader, since: u64) -> Result<bool, Error> {
    if reader.size() <= since {
        return Ok(false);
    }
    for entry in reader.entries(since..reader.size())? {
        let (_, bytes) = entry?;
        let entry = Entry::from_bytes(&bytes).known();
        if entry.is_some_and(|entry| is_of_law(&entry)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether nobody had signed or suspended anything of the law, as far as is known.
pub(crate) fn is_unsigned(reader: &LedgerReader, known: Known) -> Result<bool, Error> {
    for entry in reader.entries(0..reader.size())? {
        let (index, bytes) = entry?;
        let Some(entry) = Entry::from_bytes(&bytes).known() else {
            continue;
        };
        if known.takes(index, entry.recorded().timestamp()) && is_of_law(&entry) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether an entry is a sign-off, or suspends an instrument.
fn is_of_law(entry: &Entry) -> bool {
    match entry {
        Entry::SignOff(_) => true,
        Entry::Suspension(fact) => matches!(fact.of, Suspended::Instrument { .. }),
        _ => false,
    }
}

/// What was suspended by the entries from an index on.
pub(crate) fn suspended_since(
    reader: &LedgerReader,
    since: u64,
) -> Result<BTreeSet<String>, Error> {
    let mut suspended = BTreeSet::new();
    for entry in reader.entries(since..reader.size())? {
        let (_, bytes) = entry?;
        if let Some(Entry::Suspension(fact)) = Entry::from_bytes(&bytes).known()
            && let Suspended::Instrument { id, .. } = fact.of
        {
            suspended.insert(id.to_string());
        }
    }
    Ok(suspended)
}
