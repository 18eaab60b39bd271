//! Signing off, suspending, reinstating and withdrawing: what the ledger then holds.

use std::collections::BTreeMap;

use chancery_dataset::Progress;
use chancery_law::{Act, PackSource, Person, Roles, Unit, UnitKind};
use chancery_ledger::{SigningKey, VerifierKey};
use chancery_model::{Digest, Fault, Place};
use jiff::civil::Date;

use crate::entry::{By, Label, Role, SignOffAct, Signing, SuspensionReason};
use crate::sign_off::{Known, SignOffs};
use crate::staging::durable;
use crate::workspace::private_folder;
use crate::{Book, Clock, Entry, Error, Workspace, recover};

/// What there is to sign.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The unit as it is recorded; without files, it is removed.
    pub unit: Unit,
    /// The edition signed last, if there is one that is another.
    pub before: Option<Unit>,
}

impl Workspace {
    /// Everything that is signed off as a whole: the bases and instruments of the law pack, and the
    /// roles.
    ///
    /// # Errors
    ///
    /// When files cannot be read.
    pub fn units(&self) -> Result<Vec<Unit>, Error> {
        let mut units = self.law_source()?.units()?;
        units.push(self.recorded_roles()?);
        Ok(units)
    }

    /// The roles as the folder has them, signed or not.
    ///
    /// # Errors
    ///
    /// When files cannot be read.
    pub fn recorded_roles(&self) -> Result<Unit, Error> {
        let dir = self.roles_dir();
        let files = if dir.is_dir() {
            crate::pack_files(&dir)?
        } else {
            BTreeMap::new()
        };
        Ok(Unit::new(Roles::UNIT, UnitKind::Roles, files))
    }

    /// Reads who signed what.
    ///
    /// # Errors
    ///
    /// As for [`SignOffs::read`].
    pub fn sign_offs(&self, known: Known) -> Result<SignOffs, Error> {
        let units = self.law_source()?.units()?;
        let bases = units.into_iter().filter(|u| u.kind == UnitKind::Base);
        SignOffs::read(self, bases.map(|unit| unit.id).collect(), known)
    }

    /// The same when it matters more that it is read than that the law pack is sound.
    fn sign_offs_at_any_rate(&self) -> Result<SignOffs, Error> {
        let units = self
            .law_source()
            .ok()
            .and_then(|source| source.units().ok());
        let bases = units.into_iter().flatten();
        let bases = bases.filter(|unit| unit.kind == UnitKind::Base);
        SignOffs::read(self, bases.map(|unit| unit.id).collect(), Known::Now)
    }

    /// What a suspension of this id is of. An id that the law pack lacks will do if somebody signed it,
    /// and any id where the pack cannot be read: what stops data from leaving is not to be stopped
    /// by a broken file.
    ///
    /// # Errors
    ///
    /// When the pack can be read, and neither it nor the ledger knows the id.
    pub fn suspendable(&self, id: &str) -> Result<Unit, Error> {
        let missing = || Unit::new(id, UnitKind::Instrument, BTreeMap::new());
        let Ok(units) = self.units() else {
            return Ok(missing());
        };
        if let Some(unit) = units.iter().find(|unit| unit.id == id) {
            return Ok(unit.clone());
        }
        if !self.sign_offs_at_any_rate()?.signed(id).is_empty() {
            return Ok(missing());
        }
        Err(self.no_unit(id, &units))
    }

    fn no_unit(&self, id: &str, units: &[Unit]) -> Error {
        let known = units.iter().map(|unit| unit.id.as_str());
        let suspended = self.sign_offs_at_any_rate();
        let suspended = suspended.is_ok_and(|all| matches!(all.suspended(id), Ok(Some(_))));
        let fault = Fault::new(
            Place::file(self.law_dir().display().to_string()),
            format!("has no instrument `{id}`"),
        );
        let hint = if suspended {
            "it is suspended, and nobody signed it: put its folder back, and reinstate it"
                .to_owned()
        } else {
            chancery_law::did_you_mean(id, known)
        };
        fault.hint(hint).into()
    }

    /// The text of a unit that was signed with this digest.
    pub(crate) fn signed_text(
        &self,
        id: &str,
        kind: UnitKind,
        digest: Digest,
    ) -> Result<Unit, Error> {
        let dir = self.signed_dir(digest);
        let refuse = |problem: &str| Error::SignedText {
            unit: id.to_owned(),
            folder: dir.display().to_string(),
            problem: problem.to_owned(),
        };
        if !dir.is_dir() {
            return Err(refuse("is missing"));
        }
        let unit = Unit::new(id, kind, crate::pack_files(&dir)?);
        if unit.digest() == digest {
            return Ok(unit);
        }
        Err(refuse("is not what was signed"))
    }

    /// Whether a text that somebody signed is the base of a pack or overlay.
    pub(crate) fn is_text_of_base(&self, digest: Digest) -> bool {
        let text = self.signed_text("", UnitKind::Base, digest);
        text.is_ok_and(|unit| {
            let says = |file: &str| unit.files.contains_key(file);
            says("overlay.toml") || says("pack.toml")
        })
    }

    pub(crate) fn signed_roles(&self, digest: Digest) -> Result<Roles, Error> {
        let unit = self.signed_text(Roles::UNIT, UnitKind::Roles, digest)?;
        let root = self.signed_dir(digest).display().to_string();
        Ok(Roles::load(&PackSource::new(root, unit.files))?)
    }

    /// Keeps a text by its digest, so that it can be applied and shown after it is edited.
    fn keep(&self, unit: &Unit) -> Result<(), Error> {
        let digest = unit.digest();
        let dir = self.signed_dir(digest);
        if self.signed_text(&unit.id, unit.kind, digest).is_ok() {
            return Ok(());
        }
        private_folder(&dir)?;
        for (name, text) in &unit.files {
            let path = dir.join(name);
            private_folder(path.parent().unwrap_or(&dir))?;
            durable(&path, text.as_bytes())?;
        }
        self.signed_text(&unit.id, unit.kind, digest).map(drop)
    }

    /// What there is to sign of a unit.
    ///
    /// # Errors
    ///
    /// When nothing has this id, or nothing of it can be read.
    pub fn proposal(&self, id: &str, sign_offs: &SignOffs, on: Date) -> Result<Proposal, Error> {
        let units = self.units()?;
        let unit = match units.iter().find(|unit| unit.id == id) {
            Some(unit) => unit.clone(),
            None if !sign_offs.signed(id).is_empty() => {
                Unit::new(id, UnitKind::Instrument, BTreeMap::new())
            }
            None => return Err(self.no_unit(id, &units)),
        };
        let before = if id == Roles::UNIT {
            sign_offs.roles().map(|roles| roles.digest)
        } else {
            sign_offs.stand(id, unit.digest(), on)?.edition
        };
        let before = before.filter(|digest| *digest != unit.digest());
        let removed = Unit::new(id, unit.kind, BTreeMap::new());
        let before = match before {
            Some(digest) if digest == removed.digest() => Some(removed),
            Some(digest) => Some(self.signed_text(id, unit.kind, digest)?),
            None => None,
        };
        Ok(Proposal { unit, before })
    }
}

/// Who acts, as the roles know them: the person of the key, in the first role that may.
fn actor(
    roles: Option<&Roles>,
    key: &SigningKey,
    act: Act,
    unit: &Unit,
    clock: &dyn Clock,
) -> Result<(Person, By), Error> {
    let refuse = |problem: &str, hint: &str| Error::NotEntitled {
        key: key.name().to_owned(),
        problem: problem.to_owned(),
        hint: hint.to_owned(),
    };
    let roles = roles.ok_or_else(|| {
        refuse(
            "has no role: no roles are signed yet",
            "the custodian signs the first: `chancery law sign roles --key keys/custodian.key`",
        )
    })?;
    let person = roles.person(&key.verifier().to_string()).ok_or_else(|| {
        let hint = "list it in roles/people.toml, and have the roles signed";
        refuse("is nobody's in the roles that were signed last", hint)
    })?;
    let day = crate::entry::Recorded::now(clock).date();
    for code in Role::ALL {
        let of = (unit.id.as_str(), unit.kind);
        if person.roles.contains(code.as_str()) && roles.may(act, person, code.as_str(), of, day)? {
            let agency = Label::of("agency", &person.agency)?;
            return Ok((
                person.clone(),
                By {
                    agency,
                    role: *code,
                },
            ));
        }
    }
    let problem = format!("has no role today in which it may {} this", act.as_str());
    Err(refuse(
        &problem,
        "roles/policies.cedar says who may, roles/people.toml who is what",
    ))
}

/// Signs a unit off, reinstates it, or withdraws, and enters that. `shown` is the digest that the
/// person was shown: nothing else is signed.
///
/// # Errors
///
/// When the unit is another by now, and as for [`entitled`].
pub fn sign(
    workspace: &Workspace,
    book: &mut Book,
    key: &SigningKey,
    (unit, act): (&Unit, SignOffAct),
    shown: Digest,
    clock: &dyn Clock,
) -> Result<u64, Error> {
    let now = workspace.units()?;
    let now = now.iter().find(|now| now.id == unit.id);
    let recorded = now.map_or_else(
        || Unit::new(&unit.id, unit.kind, BTreeMap::new()),
        Clone::clone,
    );
    if recorded.digest() != shown {
        return Err(Error::NotShown {
            unit: unit.id.clone(),
            digest: recorded.digest(),
        });
    }
    let all = workspace.sign_offs(Known::Now)?;
    let by = entitled(workspace, &all, key, (&recorded, act), clock)?;
    workspace.keep(&recorded)?;
    let signing = signing(workspace, &all, &recorded, by)?;
    let signature = key.sign(signing.sign_off(act).as_bytes())?;
    let entry = Entry::sign_off_in_log(signing, act, &key.verifier(), &signature, clock)?;
    Ok(book.append(&entry)?.index())
}

/// Whether the key's holder may do this with a unit, and has not done it before: as whom.
///
/// # Errors
///
/// When the key's holder may not, has signed or reinstated this very text before, or has nothing to
/// withdraw.
pub fn entitled(
    workspace: &Workspace,
    all: &SignOffs,
    key: &SigningKey,
    (unit, act): (&Unit, SignOffAct),
    clock: &dyn Clock,
) -> Result<By, Error> {
    let vkey = key.verifier().to_string();
    let genesis = unit.kind == UnitKind::Roles && all.custodian() == Some(vkey.as_str());
    if genesis && all.roles().is_none() && act == SignOffAct::Sign {
        check_roles(workspace, unit, clock)?;
        return Ok(By {
            agency: Label::of("agency", "custodian")?,
            role: Role::Operator,
        });
    }
    let refuse = |problem: &str, hint: &str| {
        Err(Error::NotEntitled {
            key: key.name().to_owned(),
            problem: problem.to_owned(),
            hint: hint.to_owned(),
        })
    };
    let (wanted, digest) = (crate::sign_off::action(act), unit.digest());
    let (person, by) = actor(all.roles(), key, wanted, unit, clock)?;
    match act {
        SignOffAct::Sign => {
            if unit.kind == UnitKind::Roles {
                check_roles(workspace, unit, clock)?;
            }
            let today = crate::entry::Recorded::now(clock).date();
            if all.has_signed(&unit.id, digest, &vkey, today)? {
                return refuse(
                    "has signed this already",
                    "the second sign-off is another person's, with another key",
                );
            }
        }
        SignOffAct::Reinstate => {
            if all.suspended(&unit.id)?.is_none() {
                return refuse(
                    "has nothing to reinstate: it is not suspended",
                    "`chancery law sign` signs it off",
                );
            }
            if all.has_reinstated(&unit.id, digest, &person) {
                return refuse(
                    "has reinstated this already",
                    "the second is another person, with another key",
                );
            }
        }
        SignOffAct::Revoke => {
            if all.not_withdrawn(&unit.id, &person).is_empty() {
                return refuse(
                    "has nothing to withdraw: no sign-off of this stands under its name",
                    "`chancery law status` lists who signed and who withdrew",
                );
            }
        }
    }
    Ok(by)
}

/// Roles that could not be read, or in which no two people may sign, would lock everybody out: the
/// next roles take two people of these.
fn check_roles(workspace: &Workspace, unit: &Unit, clock: &dyn Clock) -> Result<(), Error> {
    let dir = workspace.roles_dir();
    let roles = Roles::load(&PackSource::new(
        dir.display().to_string(),
        unit.files.clone(),
    ))?;
    let fault = |problem: String| {
        let file = dir.join("people.toml").display().to_string();
        Fault::new(Place::file(file), problem)
    };
    let codes: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    for person in roles.people() {
        let of = |problem: &str| fault(format!("`{}` {problem}", person.name));
        if person.key.parse::<VerifierKey>().is_err() {
            let fault = of("has a vkey that is no verifier key").field("vkey");
            let hint = "`chancery law key FILE --name NAME` makes a key and prints its vkey";
            return Err(fault.hint(hint).into());
        }
        if let Some(role) = person
            .roles
            .iter()
            .find(|role| !codes.contains(&role.as_str()))
        {
            let fault = of(&format!("has a role `{role}` that there is not")).field("roles");
            return Err(fault
                .hint(format!("the roles are {}", codes.join(", ")))
                .into());
        }
        Label::of("agency", &person.agency)?;
    }
    let today = crate::entry::Recorded::now(clock).date();
    for (what, of) in [
        ("the roles", (Roles::UNIT, UnitKind::Roles)),
        ("the base of a law pack", ("a-pack", UnitKind::Base)),
        ("an instrument", ("an-instrument", UnitKind::Instrument)),
    ] {
        if !roles.completes(of, &codes, today)? {
            let fault = fault(format!("has no two people who could sign {what} off today"));
            let hint = "list two people at least, with roles that roles/policies.cedar lets sign";
            return Err(fault.hint(hint).into());
        }
    }
    Ok(())
}

/// Suspends a unit at once: no permit that rests on it counts any more. A release that a crash left
/// staged is looked at after that: one that rests on the unit is undone.
///
/// # Errors
///
/// When the key's holder may not.
pub fn suspend(
    workspace: &Workspace,
    key: &SigningKey,
    unit: &Unit,
    reason: SuspensionReason,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<u64, Error> {
    if unit.kind == UnitKind::Roles {
        return Err(Error::NotEntitled {
            key: key.name().to_owned(),
            problem: "cannot suspend the roles".to_owned(),
            hint: "suspend the law pack by its name: nothing leaves then".to_owned(),
        });
    }
    let mut book = Book::open(workspace, clock)?;
    let all = workspace.sign_offs_at_any_rate()?;
    let (_, by) = actor(all.roles(), key, Act::Suspend, unit, clock)?;
    let signing = signing(workspace, &all, unit, by)?;
    let from = crate::entry::Recorded::now(clock).date();
    let signature = key.sign(signing.suspension(reason, from).as_bytes())?;
    let entry =
        Entry::suspension_in_log(signing, reason, from, &key.verifier(), &signature, clock)?;
    let index = book.append(&entry)?.index();
    recover(workspace, &mut book, clock, progress)?;
    Ok(index)
}

fn signing(workspace: &Workspace, all: &SignOffs, unit: &Unit, by: By) -> Result<Signing, Error> {
    Ok(Signing {
        log: Label::of("log", &workspace.config().ledger)?,
        after: all.entries(),
        unit: Label::of("instrument", &unit.id)?,
        digest: unit.digest(),
        by,
    })
}
