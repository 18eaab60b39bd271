use chancery_model::Digest;
use chancery_register::{Committed, Found, Person, Recorded, ReleaseProof, Unproven};

use crate::shelf::{Release, Shelf, classes, key};

fn people(ids: impl IntoIterator<Item = u32>, origin: &str) -> Release {
    let ids = ids.into_iter();
    ids.map(|id| ((origin.to_owned(), format!("P{id}")), (id % 3) as usize))
        .collect()
}

fn committed<'a>(release: &'a str, recorded: &Recorded) -> Committed<'a> {
    Committed {
        release,
        root: recorded.root,
        key: recorded.key,
    }
}

/// What anybody is shown is true of them, of nobody else, and of no other release.
#[test]
fn a_proof_shows_its_person_in_its_release_and_nothing_else() {
    let mut shelf = Shelf::new();
    let keys = [key(1)];
    let mut first = people((0..200).step_by(2), "06");
    first.extend(people(0..3, "48"));
    let first = (shelf.add(&keys[0], &first), first);
    let second = people(50..90, "06");
    let second = (shelf.add(&keys[0], &second), second);
    let register = shelf.register();
    for ((release, list), recorded) in [&first, &second].into_iter().zip(&shelf.recorded) {
        for origin in ["06", "48", "56"] {
            for id in 0..210 {
                let id = format!("P{id}");
                let person = Person::new(origin, &id).unwrap();
                let (pseudonym, proof) = register.prove(&keys, &person, release).unwrap();
                let committed = committed(release, recorded);
                let shown = proof.check(&committed, &person, &pseudonym).unwrap();
                let class = list.get(&(origin.to_owned(), id.clone()));
                let expected = class.map(|class| classes()[*class].clone());
                assert_eq!(shown.map(<[String]>::to_vec), expected, "{origin} {id}");

                let text = serde_json::to_string(&proof).unwrap();
                assert_eq!(serde_json::from_str::<ReleaseProof>(&text).unwrap(), proof);

                let stranger = Person::new(origin, "P999").unwrap();
                let refused = proof.check(&committed, &stranger, &pseudonym);
                assert_eq!(refused, Err(Unproven::Pseudonym));
                let mut of_another = committed;
                of_another.root = Digest::from_bytes([9; 32]);
                assert!(proof.check(&of_another, &person, &pseudonym).is_err());
                let mut of_another = committed;
                of_another.release = "2026-02-02-dhs-ice";
                assert_eq!(
                    proof.check(&of_another, &person, &pseudonym),
                    Err(Unproven::Release)
                );
                let mut of_another = committed;
                of_another.key = key(2).public();
                assert!(proof.check(&of_another, &person, &pseudonym).is_err());
            }
        }
    }
}

/// Every part of a proof that is changed, by itself, shows nothing.
#[test]
fn a_forged_proof_shows_nothing() {
    let mut shelf = Shelf::new();
    let keys = [key(1)];
    let release = shelf.add(&keys[0], &people((0..100).step_by(2), "06"));
    let other = shelf.add(&keys[0], &people((0..100).step_by(3), "06"));
    let register = shelf.register();
    let committed = committed(&release, &shelf.recorded[0]);
    for id in ["P10", "P11"] {
        let person = Person::new("06", id).unwrap();
        let (pseudonym, proof) = register.prove(&keys, &person, &release).unwrap();
        let genuine = serde_json::to_value(&proof).unwrap();
        let mut forged = 0;
        let mut paths = Vec::new();
        leaves(&genuine, String::new(), &mut paths);
        for path in paths {
            let mut value = genuine.clone();
            let at = value.pointer_mut(&path).unwrap();
            *at = match at.clone() {
                serde_json::Value::String(text) if text.starts_with("sha256:") => {
                    let last = if text.ends_with('0') { "1" } else { "0" };
                    serde_json::Value::String(format!("{}{last}", &text[..text.len() - 1]))
                }
                serde_json::Value::String(text) => serde_json::Value::String(format!("{text}x")),
                serde_json::Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
                other => other,
            };
            let Ok(proof) = serde_json::from_value::<ReleaseProof>(value) else {
                continue;
            };
            let shown = proof.check(&committed, &person, &pseudonym);
            assert!(shown.is_err(), "{id}: {path} was changed");
            forged += 1;
        }
        assert!(forged > 8, "{forged}");
        // What shows it of one release shows nothing of another.
        let (_, elsewhere) = register.prove(&keys, &person, &other).unwrap();
        assert!(elsewhere.check(&committed, &person, &pseudonym).is_err());
        let stale = ReleaseProof {
            release: release.clone(),
            ..elsewhere
        };
        assert!(stale.check(&committed, &person, &pseudonym).is_err());
    }
    // What is where somebody absent would be does not hide somebody present, nor the other way round.
    let (present, absent) = (
        Person::new("06", "P10").unwrap(),
        Person::new("06", "P11").unwrap(),
    );
    let (name, shown) = register.prove(&keys, &present, &release).unwrap();
    let (_, not) = register.prove(&keys, &absent, &release).unwrap();
    assert!(not.check(&committed, &present, &name).is_err());
    let (name, _) = register.prove(&keys, &absent, &release).unwrap();
    assert!(shown.check(&committed, &absent, &name).is_err());
}

fn leaves(value: &serde_json::Value, at: String, paths: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                leaves(item, format!("{at}/{number}"), paths);
            }
        }
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                leaves(field, format!("{at}/{name}"), paths);
            }
        }
        _ => paths.push(at),
    }
}

/// What strangers are shown of a bucket says no more of how many people there are than that they are sixteen at most.
#[test]
fn a_proof_tells_no_small_count() {
    for count in [1_u32, 5, 10, 16] {
        let mut shelf = Shelf::new();
        let keys = [key(1)];
        let release = shelf.add(&keys[0], &people(0..count, "56"));
        let register = shelf.register();
        let mut seen = std::collections::BTreeSet::new();
        for stranger in 0..400 {
            let name = format!("X{stranger}");
            let person = Person::new("56", &name).unwrap();
            let (_, proof) = register.prove(&keys, &person, &release).unwrap();
            assert_eq!(proof.origins.len(), 1);
            if let Found::Other(other) = proof.bucket.unwrap().found {
                seen.insert(other.label.to_string());
            }
        }
        assert!((11..=16).contains(&seen.len()), "{count}: {}", seen.len());
    }
}

/// Two releases of the same people have no label in common.
#[test]
fn releases_cannot_be_linked_by_their_proofs() {
    let mut shelf = Shelf::new();
    let keys = [key(1)];
    let list = people(0..16, "56");
    let ids = [shelf.add(&keys[0], &list), shelf.add(&keys[0], &list)];
    let register = shelf.register();
    let mut seen = std::collections::BTreeSet::new();
    let mut labels = 0;
    for id in &ids {
        let mut here = std::collections::BTreeSet::new();
        for stranger in 0..300 {
            let name = format!("X{stranger}");
            let person = Person::new("56", &name).unwrap();
            let (_, proof) = register.prove(&keys, &person, id).unwrap();
            match proof.bucket.unwrap().found {
                Found::Other(other) => {
                    here.extend([other.label.to_string(), other.class.to_string()]);
                }
                Found::Nothing => {}
                Found::Elements(_) => panic!("there"),
            }
        }
        labels += here.len();
        seen.extend(here);
    }
    assert_eq!(seen.len(), labels);
    assert!(labels > 40, "{labels}");
}
