use std::collections::BTreeMap;

use chancery_register::{Person, Register};
use proptest::prelude::*;

use crate::shelf::{Release, Shelf, classes, key};

fn releases() -> impl Strategy<Value = Vec<(Release, bool)>> {
    let person = (
        prop::sample::select(vec!["06", "48", "unknown"]),
        0..60_u32,
        0..3_usize,
    );
    let release = prop::collection::vec(person, 0..60).prop_map(|people| {
        let people = people.into_iter();
        people
            .map(|(origin, id, class)| ((origin.to_owned(), format!("P{id}")), class))
            .collect::<Release>()
    });
    prop::collection::vec((release, prop::bool::weighted(0.2)), 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whoever is asked for was in the releases that a plain list says, under changing keys, by the index and by the index
    /// made anew; and each release's counts are the list's.
    #[test]
    fn the_register_finds_what_a_list_finds(releases in releases()) {
        let mut shelf = Shelf::new();
        let mut keys = vec![key(1)];
        let mut list = Vec::new();
        for (release, rotate) in &releases {
            if *rotate {
                keys.push(key(u8::try_from(keys.len()).unwrap() + 1));
            }
            let id = shelf.add(keys.last().unwrap(), release);
            list.push((id, release));
        }
        let opened = shelf.register();
        let rebuilt = Register::rebuild(&shelf.index(), &shelf.listed).unwrap();
        for register in [&opened, &rebuilt] {
            for origin in ["06", "48", "unknown", "99"] {
                for id in 0..62 {
                    let id = format!("P{id}");
                    let person = Person::new(origin, &id).unwrap();
                    let answer = register.confirm(&keys, &person).unwrap();
                    prop_assert!(answer.unknown.is_empty());
                    let found: Vec<_> = answer.presences.iter().map(|one| (one.release, one.elements.to_vec())).collect();
                    let name = (origin.to_owned(), id.clone());
                    let expected = list.iter().filter_map(|(release, people)| {
                        Some((release.as_str(), classes()[*people.get(&name)?].clone()))
                    });
                    prop_assert_eq!(found, expected.collect::<Vec<_>>());
                }
            }
            for (release, people) in &list {
                let mut expected: BTreeMap<(String, Vec<String>), u64> = BTreeMap::new();
                for ((origin, _), class) in *people {
                    *expected.entry((origin.clone(), classes()[*class].clone())).or_default() += 1;
                }
                let counts = register.counts(release).unwrap().into_iter();
                let counts = counts.map(|c| ((c.origin.to_owned(), c.elements.to_vec()), c.subjects));
                prop_assert_eq!(counts.collect::<BTreeMap<_, _>>(), expected);
            }
        }
    }
}

/// Enough people for tables of places and for several buckets, in releases that follow each other.
#[test]
fn many_people_are_found_too() {
    let mut shelf = Shelf::new();
    let keys = [key(1)];
    let everyone = |every: usize, class: usize| -> Release {
        let ids = (0..140_000_u32).step_by(every);
        ids.map(|id| (("06".to_owned(), format!("P{id}")), class))
            .collect()
    };
    let first = shelf.add(&keys[0], &everyone(7, 0));
    let second = shelf.add(&keys[0], &everyone(1, 1));
    let register = shelf.register();
    for id in (0..140_100_u32).step_by(701) {
        let name = format!("P{id}");
        let person = Person::new("06", &name).unwrap();
        let found = register.find(&keys, &person).unwrap().presences;
        let found: Vec<&str> = found.iter().map(|one| one.release).collect();
        let expected: Vec<&str> = match id {
            140_000.. => vec![],
            _ if id % 7 == 0 => vec![&first, &second],
            _ => vec![&second],
        };
        assert_eq!(found, expected, "{id}");
    }
    for (release, recorded) in [(&first, &shelf.recorded[0]), (&second, &shelf.recorded[1])] {
        for id in ["P0", "P1", "P139999", "P140000"] {
            let person = Person::new("06", id).unwrap();
            let (pseudonym, proof) = register.prove(&keys, &person, release).unwrap();
            let committed = chancery_register::Committed {
                release,
                root: recorded.root,
                key: recorded.key,
            };
            let shown = proof
                .check(&committed, &person, &pseudonym)
                .unwrap()
                .is_some();
            let found = register.find(&keys, &person).unwrap().presences;
            assert_eq!(
                shown,
                found.iter().any(|one| one.release == release),
                "{id} in {release}"
            );
        }
    }
}
