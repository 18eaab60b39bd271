//! Sets of records as predicates: exact, and short.

use chancery_law::describe::{predicate, regions};
use chancery_model::{Attribute, Domain, Predicate, Signature};

use crate::random::Dice;

fn domain(sizes: &[usize]) -> Domain {
    let attribute = |(at, size): (usize, &usize)| Attribute {
        name: format!("a{at}"),
        values: (1..*size)
            .map(|v| format!("v{v}"))
            .chain(["unknown".to_owned()])
            .collect(),
    };
    Domain::new(sizes.iter().enumerate().map(attribute).collect()).unwrap()
}

fn everybody(domain: &Domain) -> Vec<Signature> {
    let mut all = vec![Signature::unknown(domain)];
    for (at, attribute) in domain.attributes().iter().enumerate() {
        let values = 0..u8::try_from(attribute.values.len()).unwrap();
        all = all
            .iter()
            .flat_map(|s| values.clone().map(|v| s.with(at, v)))
            .collect();
    }
    all
}

#[test]
fn it_holds_for_the_set_and_for_nobody_else() {
    let mut dice = Dice::new(1);
    for round in 0..60 {
        let sizes: Vec<usize> = (0..=dice.below(6)).map(|_| 2 + dice.below(3)).collect();
        let domain = domain(&sizes);
        let all = everybody(&domain);
        // Now and then a set without any structure, else one that is made of a few questions.
        let set: Vec<Signature> = if round % 4 == 0 && sizes.len() < 5 {
            all.iter().filter(|_| dice.one_in(2)).cloned().collect()
        } else {
            let when = random(&mut dice, &domain, 3);
            all.iter().filter(|s| when.holds(s)).cloned().collect()
        };
        let found = predicate(set.clone(), &domain);
        let regions = regions(set.clone(), &domain);
        for one in &all {
            let inside = set.contains(one);
            assert_eq!(found.holds(one), inside, "round {round}");
            let covered = regions.iter().any(|region| {
                region
                    .iter()
                    .all(|(at, values)| values.contains(&one.value(*at).unwrap()))
            });
            assert_eq!(covered, inside, "round {round}");
        }
    }
}

fn random(dice: &mut Dice, domain: &Domain, depth: usize) -> Predicate {
    if depth == 0 {
        let at = dice.below(domain.attributes().len());
        let value = dice.below(domain.attributes()[at].values.len());
        return Predicate::within(at, [u8::try_from(value).unwrap()]);
    }
    let parts = [
        random(dice, domain, depth - 1),
        random(dice, domain, depth - 1),
    ];
    match dice.below(3) {
        0 => Predicate::all(parts, domain),
        1 => Predicate::any(parts, domain),
        _ => Predicate::all(parts, domain).negate(domain),
    }
}

#[test]
fn a_box_is_one_condition_an_attribute_and_its_complement_is_as_short() {
    let pack = crate::pack::shipped();
    let domain = pack.domain();
    let at = |name: &str| domain.attribute(name).unwrap().0;
    let value = |name: &str, value: &str| domain.value(at(name), value).unwrap();
    let box_of = Predicate::all(
        [
            Predicate::within(at("presence"), [value("presence", "not_lawful")]),
            Predicate::within(at("origin"), [value("origin", "06"), value("origin", "53")]),
        ],
        domain,
    );
    let all = everybody(domain);
    let of = |when: &Predicate| {
        all.iter()
            .filter(|s| when.holds(s))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(predicate(of(&box_of), domain), box_of);
    let others = box_of.negate(domain);
    assert_eq!(predicate(of(&others), domain), others);
    assert_eq!(predicate(of(&Predicate::Always), domain), Predicate::Always);
    assert_eq!(predicate(of(&Predicate::Never), domain), Predicate::Never);
}
