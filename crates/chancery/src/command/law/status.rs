//! `law status`: who signed what, what counts, until when.

use std::collections::BTreeSet;

use chancery_law::{Roles, State, Unit, UnitKind};
use chancery_release::{Known, SignOffs, Stand, Workspace};
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
        lines.push(Line { unit, stand });
    }
    text::print(&match context.format {
        Format::Json => format!("{:#}", report(&all, &lines, on)),
        Format::Text => shown(&all, &lines, id.is_some(), workspace.config().demonstration),
    });
    Ok(())
}

/// Everything that is recorded, and what was removed and had been signed.
fn units(workspace: &Workspace, all: &SignOffs) -> Result<Vec<Unit>> {
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
        let suspensions = all.suspensions(&line.unit.id).iter().map(|one| {
            json!({
                "ledger_index": one.index, "agency": one.agency, "role": one.role,
            })
        });
        json!({
            "id": line.unit.id, "kind": line.unit.kind.as_str(), "state": word(line),
            "digest": line.unit.digest().to_string(),
            "signed_edition": line.stand.edition.map(|digest| digest.to_string()),
            "until": line.stand.until, "sign_offs": sign_offs.collect::<Vec<_>>(),
            "suspensions": suspensions.collect::<Vec<_>>(),
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

fn shown(all: &SignOffs, lines: &[Line], whole: bool, demonstration: bool) -> String {
    let rows = lines.iter().map(|line| {
        let until = line
            .stand
            .until
            .map_or_else(String::new, |until| until.to_string());
        let by = line
            .stand
            .sign_offs
            .iter()
            .map(|signed| signed.person.name.as_str());
        vec![
            line.unit.id.clone(),
            word(line).to_owned(),
            until,
            by.collect::<Vec<_>>().join(", "),
        ]
    });
    let table = text::table(
        &["what", "state", "until", "signed by"],
        &[],
        rows.collect(),
    );
    let mut parts = vec![table];
    if demonstration {
        parts.push("Unsigned law counts: this is a demonstration workspace.".to_owned());
    }
    for line in lines.iter().filter(|_| whole) {
        let stand = &line.stand;
        let mut text = format!("{} {}.", line.unit.id, stand.state.says());
        if stand.state == State::Signed
            && let Some(edition) = stand.edition
        {
            text.push_str(&format!(
                " It was edited since: the edition {edition} applies as well."
            ));
        }
        let mut text = text::wrap(&text, "");
        text.push_str(&format!("\n  {}", line.unit.digest()));
        for signed in &stand.sign_offs {
            text.push_str(&format!(
                "\n  entry {}: {} {} as {} of {} on {}, counts until {}",
                signed.index,
                signed.act.as_str(),
                signed.person.name,
                signed.role,
                signed.person.agency,
                signed.on,
                signed.until
            ));
        }
        for one in all.suspensions(&line.unit.id) {
            text.push_str(&format!(
                "\n  entry {}: suspended by the {} of {}",
                one.index, one.role, one.agency
            ));
        }
        parts.push(text);
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
