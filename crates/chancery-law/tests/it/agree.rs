//! A ruling is what the stock authorizer says, on every combination of attribute values.

use std::collections::{BTreeMap, BTreeSet};

use chancery_law::{Effect, SignOff};
use chancery_model::Signature;

use crate::random::{ATTRIBUTES, Dice, ELEMENTS, Pack, Stock, day, query};

const PACKS: u64 = 16;

/// Every combination of attribute values.
fn all_signatures() -> Vec<Signature> {
    let mut all = vec![Vec::new()];
    for (_, _, values) in ATTRIBUTES {
        let values = 0..u8::try_from(values.len()).unwrap();
        all = all
            .iter()
            .flat_map(|known| values.clone().map(|value| [&known[..], &[value]].concat()))
            .collect();
    }
    all.into_iter().map(Signature::new).collect()
}

fn some<'a>(dice: &mut Dice, all: &'a [Signature], count: usize) -> Vec<&'a Signature> {
    (0..count).map(|_| dice.pick(all)).collect()
}

#[test]
fn a_ruling_is_what_the_stock_authorizer_says() {
    let everybody = all_signatures();
    let mut refused = Vec::new();
    let (mut provisions, mut compared, mut lawful) = (0, 0, 0);
    for seed in 0..PACKS {
        let dice = &mut Dice::new(seed);
        let (pack, law) = Pack::random(dice).load_what_can_be(&mut refused);
        provisions += pack
            .instruments
            .iter()
            .map(|i| i.provisions.len())
            .sum::<usize>();
        let domain = law.domain();
        for _ in 0..2 {
            let on = day(dice);
            let in_force = law.in_force(on, SignOff::Demonstration).unwrap();
            let query = query(dice, &law);
            let mut stock = Stock::new(&pack, on, query.clone());
            let ruling = in_force.decide(&query).unwrap();
            // The oracle is asked about some, the crate's own second evaluator about everybody.
            let signatures = some(dice, &everybody, 40);
            for (element, signature) in ruling
                .elements
                .iter()
                .flat_map(|element| signatures.iter().map(move |s| (element, *s)))
            {
                let effect = |effect| {
                    let hits = element.hits.iter().filter(move |hit| hit.effect == effect);
                    let hits = hits.filter(|hit| hit.when.holds(signature));
                    hits.map(|hit| hit.provision.clone())
                        .collect::<BTreeSet<_>>()
                };
                let released = element.released_when.holds(signature);
                let by = effect(if released {
                    Effect::Permit
                } else {
                    Effect::Forbid
                });
                let said = stock.says(&element.element, &domain.describe(signature));
                assert_eq!(
                    (released, by),
                    said,
                    "seed {seed}, {on}, {query:?}, {}, {:?}\n{pack:?}",
                    element.element,
                    domain.describe(signature)
                );
                compared += 1;
                lawful += u64::from(released);
            }
            let confirmed = in_force
                .confirm(ruling, &everybody.iter().collect())
                .unwrap();
            assert!(confirmed.decisions() > 0, "seed {seed}");
        }
    }
    println!(
        "{compared} answers compared, {lawful} lawful; {provisions} provisions, {} refused",
        refused.len()
    );
    assert!(
        lawful > compared / 20 && lawful < compared,
        "{lawful} of {compared}"
    );
    assert!(provisions > 80, "{provisions}");
    let reasons: BTreeMap<&str, usize> = refused.iter().fold(BTreeMap::new(), |mut all, fault| {
        *all.entry(fault.problem.as_str()).or_default() += 1;
        all
    });
    assert!(
        reasons.keys().any(|reason| reason.contains("would escape")),
        "{reasons:?}"
    );
}

/// Whoever a forbid bars is still barred when any attribute of theirs turns unknown.
#[test]
fn no_record_escapes_a_forbid_by_turning_unknown() {
    let everybody = all_signatures();
    let mut refused = Vec::new();
    let mut held = 0;
    for seed in 1000..1000 + PACKS {
        let dice = &mut Dice::new(seed);
        let (pack, law) = Pack::random(dice).load_what_can_be(&mut refused);
        let on = day(dice);
        let query = query(dice, &law);
        let mut stock = Stock::new(&pack, on, query);
        for signature in some(dice, &everybody, 8) {
            let person = law.domain().describe(signature);
            for element in ELEMENTS.iter().take(4) {
                let (released, barred_by) = stock.says(element, &person);
                if released || barred_by.is_empty() {
                    continue;
                }
                for (name, _, _) in ATTRIBUTES {
                    let mut less_known = person.clone();
                    less_known.insert(name.to_owned(), "unknown".to_owned());
                    let (_, still) = stock.says(element, &less_known);
                    assert!(
                        barred_by.is_subset(&still),
                        "seed {seed}: {name} of {person:?}\n{pack:?}"
                    );
                    held += 1;
                }
            }
        }
    }
    assert!(held > 100, "{held}");
}
