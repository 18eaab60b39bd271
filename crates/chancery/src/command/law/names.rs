use std::collections::BTreeSet;

use chancery_law::LawPack;
use chancery_model::UNKNOWN;

/// The agencies of a list, families of which every state is in it by their pattern.
pub(super) fn agencies(names: &[String], packs: &[&LawPack]) -> String {
    let mut left: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut said: Vec<String> = Vec::new();
    let mut whole = true;
    for pattern in patterns(packs) {
        let members = members(&pattern, packs);
        let (inside, outside): (Vec<&String>, Vec<&String>) = members
            .iter()
            .partition(|member| left.contains(member.as_str()));
        whole &= outside.is_empty();
        // A family with a few exceptions is shorter said by them.
        if members.len() > 1 && inside.len() > outside.len() * 4 {
            for member in &members {
                left.remove(member.as_str());
            }
            let but = outside.iter().map(|path| path.as_str());
            let but = but.collect::<Vec<_>>().join(", ");
            said.push(if but.is_empty() {
                pattern
            } else {
                format!("{pattern} but {but}")
            });
        }
    }
    if whole {
        return "any agency".to_owned();
    }
    let mut all: Vec<String> = left.into_iter().map(str::to_owned).collect();
    all.extend(said);
    all.join(", ")
}

fn patterns(packs: &[&LawPack]) -> BTreeSet<String> {
    let paths = packs
        .iter()
        .flat_map(|pack| pack.vocabulary().agency_paths());
    paths.map(str::to_owned).collect()
}

/// What a pattern stands for: every state, or the family itself where any id will do.
fn members(pattern: &str, packs: &[&LawPack]) -> Vec<String> {
    if !pattern.contains('*') {
        return vec![pattern.to_owned()];
    }
    let mut members = BTreeSet::new();
    for pack in packs {
        let origin = pack.domain().attribute(&pack.classification().origin);
        let values = origin.map_or(&[][..], |(_, attribute)| attribute.values.as_slice());
        let of_any_id = |id: &str| {
            pack.vocabulary()
                .agency(&pattern.replace('*', id))
                .is_some()
        };
        if of_any_id("any-id") {
            members.insert(pattern.to_owned());
        } else {
            let ids = values.iter().filter(|value| *value != UNKNOWN);
            let paths = ids.map(|id| pattern.replace('*', id));
            members.extend(paths.filter(|path| pack.vocabulary().agency(path).is_some()));
        }
    }
    members.into_iter().collect()
}

/// A list of names of which there are `all`: the shorter of those in it and those not in it.
pub(super) fn listed(names: &[String], all: &BTreeSet<String>, every: &str) -> String {
    let missing: Vec<&str> = all
        .iter()
        .filter(|name| !names.contains(name))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        every.to_owned()
    } else if missing.len() * 2 < names.len() {
        format!("{every} but {}", missing.join(", "))
    } else {
        names.join(", ")
    }
}
