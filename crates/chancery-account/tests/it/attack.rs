//! An attack on all that others see of several releases together: every way in which there could be
//! as many people as there are is tried, and those that fit everything shown are kept.

use std::path::Path;
use std::sync::LazyLock;

use chancery_account::suppress::SMALL;
use chancery_account::{
    About, Account, Amount, Copy, Counts, Facts, Law, Ledger, Release, Showing, Sources,
};
use chancery_law::{LawPack, PackSource};
use chancery_model::Digest;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Groups of people that the law could tell apart.
const GROUPS: usize = 3;
/// A group is looked for up to here.
const MOST: u64 = 40;
const ELEMENTS: [&str; 3] = ["address", "name", "phone"];

static LAW: LazyLock<LawPack> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../law/us-medicaid");
    let files = chancery_release::pack_files(&root).unwrap();
    LawPack::load(&PackSource::new("law", files)).unwrap()
});

/// Which elements left of each group, as bits.
type Given = [usize; GROUPS];

fn elements(bits: usize) -> Vec<&'static str> {
    let named = ELEMENTS.iter().enumerate();
    let named = named.filter(|(at, _)| bits & (1 << at) != 0);
    named.map(|(_, name)| *name).collect()
}

/// The groups that something is about: a mask of groups.
fn where_(given: &Given, fits: impl Fn(usize) -> bool) -> usize {
    let groups = given.iter().enumerate();
    let groups = groups.filter(|(_, bits)| fits(**bits));
    groups.map(|(group, _)| 1 << group).sum()
}

fn sum(people: &[u64; GROUPS], groups: usize) -> u64 {
    let people = people.iter().enumerate();
    let people = people.filter(|(group, _)| groups & (1 << group) != 0);
    people.map(|(_, n)| n).sum()
}

fn release(entry: u64, people: &[u64; GROUPS], given: &Given) -> Release {
    let id = format!("2026-01-{:02}-dhs-ice-{entry:08x}", entry + 1);
    let digest = Digest::from_bytes([0; 32]).to_string();
    let common = json!({
        "recipient": "dhs/ice", "purpose": "immigration-enforcement/civil", "custodian": "hhs/cms",
        "dataset": "people",
    });
    let mut logged = common.clone();
    let more = json!({
        "version": 1, "recorded": "2026-01-10T12:00:00Z", "id": id, "on": "2026-01-10",
        "outcome": "partial", "law": digest, "manifest": digest,
    });
    let map = logged.as_object_mut().unwrap();
    map.extend(more.as_object().unwrap().clone());
    let total: u64 = people.iter().sum();
    let released = sum(people, where_(given, |bits| bits != 0));
    let (shown_total, withheld) = chancery_release::Shown::withheld(total, released);
    let mut kinds: Vec<usize> = given.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    let class = |bits: &usize| {
        let count = sum(people, where_(given, |own| own == *bits));
        let count = if *bits == 0 {
            json!("<11")
        } else {
            json!(count)
        };
        json!({"subjects": count, "elements": elements(*bits), "permitted_by": ["us/fr/90-53324#x"], "barred_by": []})
    };
    let element = |at: usize| {
        json!({
            "element": ELEMENTS[at], "columns": [], "released_when": "",
            "subjects": sum(people, where_(given, |bits| bits & (1 << at) != 0)),
            "permitted_by": [], "barred_by": [],
        })
    };
    let manifest = json!({
        "request": common, "on": "2026-01-10",
        "law": {"pack": "p", "digest": digest, "in_force": [], "provisions": []},
        "recipient": {"agency": "dhs/ice", "name": "ICE", "address": null}, "outcome": "partial",
        "subjects": {"total": shown_total, "released": released, "withheld": withheld},
        "elements": (0..ELEMENTS.len()).map(element).collect::<Vec<_>>(),
        "classes": kinds.iter().map(class).collect::<Vec<Value>>(),
        "tables": [], "files": [], "interpretations": [], "obligations": [],
        "dataset": {"name": "people", "classification": "", "sources": [], "quarantined_lines": 0,
            "quarantined_by_reason": {}, "quarantined_unattributed": 0},
        "suppression": "", "confirmed_decisions": 0, "versions": {},
    });
    Release {
        entry,
        logged: serde_json::from_value(logged).unwrap(),
        manifest: Ok(Box::new(serde_json::from_value(manifest).unwrap())),
    }
}

fn facts(releases: Vec<Release>) -> Facts {
    Facts {
        ledger: Ledger {
            name: "l".to_owned(),
            size: 9,
            root: Digest::from_bytes([0; 32]),
            keys: String::new(),
            custodian_key: String::new(),
        },
        releases,
        refusals: Vec::new(),
        aborts: Vec::new(),
        recalls: Vec::new(),
        destructions: Vec::new(),
        use_statements: Vec::new(),
        suspensions: Vec::new(),
        look_ups: Vec::new(),
        unread: Vec::new(),
    }
}

/// What is said about groups: how many they are together, times how often they are counted.
type Said = (Vec<usize>, Amount);

/// Everything that is said in an account of some releases.
fn said(account: &Account, given: &[Given]) -> Vec<Said> {
    let of = |entries: &[u64], fits: &dyn Fn(usize) -> bool| {
        let entries = entries
            .iter()
            .map(|entry| &given[usize::try_from(*entry).unwrap()]);
        entries.map(|given| where_(given, fits)).collect::<Vec<_>>()
    };
    let any = |bits: usize| bits != 0;
    let mut all = Vec::new();
    for groups in [
        &account.by_recipient,
        &account.by_month,
        &account.by_permitting_instrument,
    ] {
        for group in groups {
            all.push((
                of(&group.disclosures.entries, &any),
                group.disclosures.count,
            ));
        }
    }
    for group in &account.by_element {
        let at = ELEMENTS.iter().position(|name| *name == group.key).unwrap();
        let with = |bits: usize| bits & (1 << at) != 0;
        all.push((
            of(&group.disclosures.entries, &with),
            group.disclosures.count,
        ));
    }
    for group in &account.by_class {
        let is = |bits: usize| elements(bits).join(", ") == group.key;
        all.push((of(&group.disclosures.entries, &is), group.disclosures.count));
    }
    for month in &account.over_time {
        for group in &month.by_class {
            let is = |bits: usize| elements(bits).join(", ") == group.key;
            all.push((of(&group.disclosures.entries, &is), group.disclosures.count));
        }
    }
    for listed in &account.releases {
        all.push((of(&[listed.entry], &any), listed.people));
    }
    all
}

/// Whether everything that is said of the groups is true of these people.
fn fits(people: &[u64; GROUPS], said: &[Said]) -> bool {
    said.iter().all(|(groups, amount)| {
        let count: u64 = groups.iter().map(|groups| sum(people, *groups)).sum();
        match amount {
            Amount::Exactly(shown) => count == *shown,
            Amount::AtLeast(shown) => count >= *shown,
            Amount::Suppressed | Amount::Unknown => true,
        }
    })
}

/// Whether these groups are whole: no group in them is always given what one out of them is given.
fn is_told_apart(groups: usize, given: &[Given]) -> bool {
    let alike = |a: usize, b: usize| given.iter().all(|given| given[a] == given[b]);
    let is_in = |group: usize| groups & (1 << group) != 0;
    let pairs = (0..GROUPS).flat_map(|a| (0..GROUPS).map(move |b| (a, b)));
    pairs
        .into_iter()
        .all(|(a, b)| is_in(a) == is_in(b) || !alike(a, b))
}

fn counts() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 1..=10_u64, 4 => 11..=36_u64]
}

fn givens() -> impl Strategy<Value = Vec<Given>> {
    let bits = 0..1_usize << ELEMENTS.len();
    let given = prop::array::uniform3(bits);
    let given = given.prop_filter("nothing leaves", |given| {
        given.iter().any(|bits| *bits != 0)
    });
    prop::collection::vec(given, 1..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn who_tries_all_people_that_there_could_be_finds_no_small_group(
        people in prop::array::uniform3(counts()),
        given in givens(),
    ) {
        let releases = (0_u64..).zip(&given);
        let releases = releases.map(|(entry, given)| release(entry, &people, given)).collect();
        let facts = facts(releases);
        let counts = Counts::default();
        let showing = Showing::of(&facts, &counts);
        let law = Law::new(&LAW);
        let sources = Sources { facts: &facts, counts: &counts, showing: &showing, law: &law };
        let mut all = Vec::new();
        for release in &facts.releases {
            let about = About::Release { id: release.id().to_owned() };
            all.extend(said(&Account::of(&about, Copy::Others, sources).unwrap(), &given));
        }
        let about = About::Recipient { agency: "dhs".to_owned() };
        all.extend(said(&Account::of(&about, Copy::Others, sources).unwrap(), &given));
        prop_assert!(fits(&people, &all), "what is shown is not true");
        // What somebody could be after: each group that left, or was held back, and each together.
        let wanted = (1..1_usize << GROUPS)
            .filter(|groups| is_told_apart(*groups, &given) && SMALL.contains(&sum(&people, *groups)));
        // Each with the counts that it could be, for who knows nothing of what is hidden, and for who
        // knows that nothing that is hidden is nobody.
        let mut found: Vec<(usize, bool, Option<u64>)> =
            wanted.map(|groups| (groups, false, None)).collect();
        let mut several = vec![false; found.len()];
        for a in 0..=MOST {
            for b in 0..=MOST {
                for c in 0..=MOST {
                    let tried = [a, b, c];
                    if !fits(&tried, &all) {
                        continue;
                    }
                    let nobody_is_nobody = !tried.contains(&0);
                    for ((groups, wide, first), several) in found.iter_mut().zip(&mut several) {
                        let count = sum(&tried, *groups);
                        *wide |= !SMALL.contains(&count);
                        if nobody_is_nobody {
                            *several |= *first.get_or_insert(count) != count;
                        }
                    }
                }
            }
        }
        for ((groups, wide, _), several) in found.iter().zip(several) {
            prop_assert!(*wide, "groups {groups:b} are known to be 1 to 10: {all:?}");
            prop_assert!(several, "the count of groups {groups:b} is known: {all:?}");
        }
    }
}
