//! `law status`: who signed what, what counts, until when.

use std::collections::BTreeSet;

use chancery_law::{Roles, State, Unit, UnitKind};
use chancery_model::Digest;
use chancery_release::{Known, SignOffs, SignedOff, Stand, Suspending, Workspace};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::{Context, Result};
use crate::args::Format;
use crate::failure::Failure;
use crate::text;

/// One unit and how it stands.
struct Line {
    unit: Unit,
    stand: Stand,
    /// Each suspension, with the day on which it was lifted.
    suspensions: Vec<(Suspending, Option<Date>)>,
}

/// Who counts for one edition of a unit.
struct Edition<'a> {
    /// Which.
    name: &'static str,
    digest: Digest,
    /// Each person once, with the last day on which a sign-off of theirs counts.
    people: Vec<(&'a str, Date)>,
}

impl Edition<'_> {
    /// The last day on which two count, or the one that there is.
    fn until(&self) -> Option<Date> {
        let mut days: Vec<Date> = self.people.iter().map(|(_, until)| *until).collect();
        days.sort_unstable();
        days.iter().rev().nth(1).or(days.last()).copied()
    }
}

impl Line {
    /// What is recorded, and the edition signed last, if that is another.
    fn editions(&self) -> Vec<Edition<'_>> {
        let recorded = ("recorded", self.unit.digest());
        let last = self.stand.edition.map(|digest| ("signed last", digest));
        let editions = [recorded].into_iter().chain(last);
        let editions = editions.map(|(name, digest)| {
            let mut people: Vec<(&str, Date)> = Vec::new();
            for signed in &self.stand.sign_offs {
                if signed.digest != digest {
                    continue;
                }
                let name = signed.person.name.as_str();
                match people.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, until)) => *until = signed.until.max(*until),
                    None => people.push((name, signed.until)),
                }
            }
            Edition {
                name,
                digest,
                people,
            }
        });
        editions.collect()
    }

    /// What it comes to, in a sentence.
    fn says(&self) -> String {
        let (id, stand) = (&self.unit.id, &self.stand);
        let edition = stand.edition.map(|edition| edition.to_string());
        match (edition, stand.state) {
            (Some(edition), _) if self.unit.kind == UnitKind::Roles => format!(
                "{id} were changed since they were signed: the roles signed last, {edition}, still \
                 apply until two people of those have signed the change."
            ),
            (Some(_), State::Tampered) if self.unit.files.is_empty() => {
                format!("{id} is removed, and nobody who may sign has signed that.")
            }
            (Some(edition), State::Signed) if self.unit.files.is_empty() => format!(
                "{id} is removed: the bars of the edition {edition} hold until two people have \
                 signed that it is gone."
            ),
            (Some(edition), State::Signed) => format!(
                "{id} {}. It was edited since: the edition {edition} applies as well.",
                stand.state.says()
            ),
            _ => format!("{id} {}.", stand.state.says()),
        }
    }
}

pub(super) fn run(context: &Context, id: Option<&str>, on: Date, known: Known) -> Result<()> {
    let workspace = context.workspace()?;
    let all = workspace.sign_offs(known)?;
    let units = units(&workspace, &all)?;
    if let Some(id) = id
        && !units.iter().any(|unit| unit.id == id)
    {
        let known = units.iter().map(|unit| unit.id.as_str());
        return Err(Failure::new(format!("unknown instrument `{id}`"))
            .hint(chancery_law::did_you_mean(id, known))
            .invalid());
    }
    let mut lines = Vec::new();
    for unit in units
        .into_iter()
        .filter(|unit| id.is_none_or(|id| unit.id == id))
    {
        let stand = stand(&all, &unit, on)?;
        let mut suspensions = Vec::new();
        for one in all.suspensions(&unit.id) {
            let lifted = all.lifted(&unit.id, one)?.map(|signed| signed.on);
            suspensions.push((one.clone(), lifted));
        }
        lines.push(Line {
            unit,
            stand,
            suspensions,
        });
    }
    text::print(&match context.format {
        Format::Json => format!("{:#}", report(&all, &lines, on)),
        Format::Text => shown(&all, &lines, id.is_some(), workspace.config().demonstration),
    });
    Ok(())
}

/// Everything that is recorded, and what was removed and had been signed.
pub(super) fn units(workspace: &Workspace, all: &SignOffs) -> Result<Vec<Unit>> {
    let mut units = workspace.units()?;
    let recorded: BTreeSet<String> = units.iter().map(|unit| unit.id.clone()).collect();
    for id in all.units().filter(|id| !recorded.contains(*id)) {
        units.push(Unit::new(
            id,
            UnitKind::Instrument,
            std::collections::BTreeMap::new(),
        ));
    }
    Ok(units)
}

/// The roles that apply are those signed last; what is recorded beside them is a proposal.
fn stand(all: &SignOffs, unit: &Unit, on: Date) -> Result<Stand> {
    let mut stand = all.stand(&unit.id, unit.digest(), on)?;
    if unit.kind == UnitKind::Roles {
        let applying = all.roles().map(|roles| roles.digest);
        stand.edition = applying.filter(|digest| *digest != unit.digest());
        stand.state = match (applying, stand.edition) {
            (None, _) => State::Unsigned,
            (Some(_), None) => State::Signed,
            (Some(_), Some(_)) if stand.sign_offs.is_empty() => State::Tampered,
            (Some(_), Some(_)) => State::SinglySigned,
        };
    }
    Ok(stand)
}

fn word(line: &Line) -> &'static str {
    match (line.stand.state, line.stand.edition) {
        (State::Signed | State::Tampered, _) if line.unit.files.is_empty() => "removed",
        (State::Signed, Some(_)) => "edited",
        (state, _) => state.as_str(),
    }
}

fn report(all: &SignOffs, lines: &[Line], on: Date) -> Value {
    let units = lines.iter().map(|line| {
        let sign_offs = line.stand.sign_offs.iter().map(|signed| {
            json!({
                "ledger_index": signed.index, "digest": signed.digest.to_string(),
                "act": signed.act.as_str(), "person": signed.person.name,
                "agency": signed.person.agency, "role": signed.role, "on": signed.on,
                "until": signed.until,
            })
        });
        let editions = line.editions();
        let editions = editions.iter().map(|edition| {
            let people = edition.people.iter();
            let people = people.map(|(name, until)| json!({ "name": name, "until": until }));
            json!({
                "edition": edition.name, "digest": edition.digest.to_string(),
                "until": edition.until(), "people": people.collect::<Vec<_>>(),
            })
        });
        let suspensions = line.suspensions.iter().map(|(one, lifted)| {
            json!({
                "ledger_index": one.on_record.index, "agency": one.on_record.agency,
                "role": one.on_record.role, "on": one.on, "reason": one.reason.as_str(),
                "lifted": lifted,
            })
        });
        let revocations = all.revocations(&line.unit.id);
        let revocations = revocations.iter().map(|(one, withdrawn)| {
            json!({
                "ledger_index": one.index, "person": one.person.name,
                "agency": one.person.agency, "role": one.role, "on": one.on,
                "withdrawn": digests(withdrawn),
            })
        });
        json!({
            "id": line.unit.id, "kind": line.unit.kind.as_str(), "state": word(line),
            "digest": line.unit.digest().to_string(),
            "signed_edition": line.stand.edition.map(|digest| digest.to_string()),
            "until": line.stand.until, "sign_offs": sign_offs.collect::<Vec<_>>(),
            "editions": editions.collect::<Vec<_>>(), "says": line.says(),
            "suspensions": suspensions.collect::<Vec<_>>(),
            "revocations": revocations.collect::<Vec<_>>(),
        })
    });
    let ignored = all
        .ignored()
        .iter()
        .map(|one| json!({ "ledger_index": one.index, "unit": one.unit, "why": one.why }));
    let people = all
        .roles()
        .map_or(&[][..], Roles::people)
        .iter()
        .map(|person| {
            json!({
                "name": person.name, "agency": person.agency, "roles": person.roles,
                "from": person.from, "until": person.until, "vkey": person.key,
            })
        });
    json!({
        "on": on, "ledger_entries": all.entries(), "units": units.collect::<Vec<_>>(),
        "people": people.collect::<Vec<_>>(), "ignored": ignored.collect::<Vec<_>>(),
    })
}

/// The texts that somebody withdrew from, each once.
fn digests(withdrawn: &[&SignedOff]) -> Vec<String> {
    let digests: BTreeSet<Digest> = withdrawn.iter().map(|one| one.digest).collect();
    digests.iter().map(ToString::to_string).collect()
}

/// A row for each edition of each unit.
fn rows(lines: &[Line]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for line in lines {
        let editions = line.editions();
        let alone = editions.len() == 1;
        for (at, edition) in editions.iter().enumerate() {
            let once = |text: &str| if at == 0 { text } else { "" }.to_owned();
            let until = edition.until();
            // One person's sign-off of what nobody signed before lets nothing go.
            let until = until.filter(|_| !alone || edition.people.len() > 1);
            let by: Vec<&str> = edition.people.iter().map(|(name, _)| *name).collect();
            rows.push(vec![
                once(&line.unit.id),
                once(word(line)),
                if alone { "" } else { edition.name }.to_owned(),
                until.map_or_else(String::new, |until| until.to_string()),
                by.join(", "),
            ]);
        }
    }
    rows
}

/// Everything about one unit.
fn told(all: &SignOffs, line: &Line) -> String {
    let mut lines = vec![text::wrap(&line.says(), "")];
    for edition in line.editions() {
        lines.push(format!("{}: {}", edition.name, edition.digest));
        let stand = &line.stand.sign_offs;
        for signed in stand.iter().filter(|one| one.digest == edition.digest) {
            lines.push(format!(
                "  entry {}: {} {} as {} of {} on {}, counts until {}",
                signed.index,
                signed.act.as_str(),
                signed.person.name,
                signed.role,
                signed.person.agency,
                signed.on,
                signed.until
            ));
        }
    }
    for (one, lifted) in &line.suspensions {
        let lifted = lifted.map_or_else(
            || "not lifted".to_owned(),
            |lifted| format!("lifted on {lifted}"),
        );
        let record = &one.on_record;
        lines.push(format!(
            "entry {}: suspended by the {} of {} on {} ({}), {lifted}",
            record.index,
            record.role,
            record.agency,
            one.on,
            one.reason.as_str()
        ));
    }
    for (one, withdrawn) in all.revocations(&line.unit.id) {
        lines.push(format!(
            "entry {}: {} withdrew as {} of {} on {} from {}",
            one.index,
            one.person.name,
            one.role,
            one.person.agency,
            one.on,
            digests(&withdrawn).join(", ")
        ));
    }
    lines.join("\n")
}

fn shown(all: &SignOffs, lines: &[Line], whole: bool, demonstration: bool) -> String {
    let header = ["what", "state", "edition", "until", "signed by"];
    let mut parts = vec![text::table(&header, &[], rows(lines))];
    if demonstration {
        parts.push("Unsigned law counts: this is a demonstration workspace.".to_owned());
    }
    if whole {
        parts.extend(lines.iter().map(|line| told(all, line)));
    } else {
        let changed = lines
            .iter()
            .filter(|line| line.unit.kind == UnitKind::Roles && line.stand.edition.is_some());
        parts.extend(changed.map(|line| text::wrap(&line.says(), "")));
        let withdrawn = lines.iter().flat_map(|line| {
            let revocations = all.revocations(&line.unit.id).into_iter();
            revocations.map(|(one, _)| {
                format!(
                    "  entry {}: {} from {} on {}",
                    one.index, one.person.name, line.unit.id, one.on
                )
            })
        });
        let withdrawn: Vec<String> = withdrawn.collect();
        if !withdrawn.is_empty() {
            parts.push(format!("Withdrawn\n{}", withdrawn.join("\n")));
        }
    }
    let ignored = all.ignored().iter();
    let ignored = ignored.filter(|one| !whole || lines.iter().any(|l| l.unit.id == one.unit));
    let ignored: Vec<String> = ignored
        .map(|one| format!("  entry {} of {}: {}", one.index, one.unit, one.why))
        .collect();
    if !ignored.is_empty() {
        parts.push(format!(
            "Sign-offs that do not count\n{}",
            ignored.join("\n")
        ));
    }
    parts.join("\n\n")
}
