//! Every question answered at once is what each answers alone.

use std::collections::{BTreeMap, BTreeSet};

use chancery_law::enumerate::{Answers, People};
use chancery_law::{LawPack, Query, SignOff};
use chancery_model::{Predicate, Signature};

use crate::pack::shipped;
use crate::random::{Dice, Pack, day, query};

fn asked(law: &LawPack, answers: &Answers, dice: &mut Dice) -> Query {
    let words = law.vocabulary();
    let mut agency = |kinds: &[chancery_law::enumerate::Kind]| {
        let kind = dice.pick(kinds);
        words.agency(dice.pick::<String>(&kind.members)).unwrap()
    };
    let (custodian, recipient) = (
        agency(&answers.space().custodians),
        agency(&answers.space().recipients),
    );
    Query {
        custodian,
        recipient,
        purpose: dice.pick(words.purposes()).clone(),
    }
}

/// Compares the cells of a query with partial evaluation, and partial evaluation with the
/// authorizer. Returns how many elements are released to some.
fn compare(law: &LawPack, on: jiff::civil::Date, answers: &Answers, query: &Query) -> usize {
    let in_force = law.in_force(on, SignOff::Demonstration).unwrap();
    let ruling = in_force.decide(query).unwrap();
    let mut released = 0;
    for element in &ruling.elements {
        let at = answers
            .at(
                &query.custodian.path,
                &query.recipient.path,
                &query.purpose.path,
                &element.element,
            )
            .unwrap();
        let cell = answers.cell(at);
        let expected = People::of(&element.released_when, law.domain());
        assert!(
            *cell.released == expected,
            "{on} {query:?} {}",
            element.element
        );
        let hits: BTreeMap<&str, &People> = cell
            .hits
            .iter()
            .map(|(provision, people)| {
                (answers.provisions()[*provision].0.as_str(), people.as_ref())
            })
            .collect();
        let said: BTreeSet<&str> = element.hits.iter().map(|h| h.provision.as_str()).collect();
        assert_eq!(hits.keys().copied().collect::<BTreeSet<_>>(), said);
        for hit in &element.hits {
            let expected = People::of(&hit.when, law.domain());
            assert!(
                *hits[hit.provision.as_str()] == expected,
                "{}",
                hit.provision
            );
        }
        released += usize::from(!cell.released.is_empty());
    }
    let some: Vec<Signature> = People::all(law.domain()).iter().step_by(997).collect();
    in_force.confirm(ruling, &some.iter().collect()).unwrap();
    released
}

#[test]
fn the_shipped_pack_answers_alike_all_at_once_and_one_by_one() {
    let law = shipped();
    let questions = law.questions(&[]).unwrap();
    let dice = &mut Dice::new(7);
    let mut released = 0;
    for period in law.periods().iter().rev().take(9) {
        let in_force = law.in_force(period.from, SignOff::Demonstration).unwrap();
        let answers = in_force.answers(&questions, "disclose").unwrap();
        for _ in 0..4 {
            released += compare(&law, period.from, &answers, &asked(&law, &answers, dice));
        }
        for (recipient, purpose) in [
            ("dhs/ice", "immigration-enforcement/civil"),
            ("state/06/medicaid", "program-administration"),
            ("research/any-0", "research"),
        ] {
            let words = law.vocabulary();
            let query = Query {
                custodian: words.agency("hhs/cms").unwrap(),
                recipient: words.agency(recipient).unwrap(),
                purpose: words.purpose(purpose).unwrap().clone(),
            };
            released += compare(&law, period.from, &answers, &query);
        }
    }
    assert!(released > 100, "{released}");
}

#[test]
fn random_packs_answer_alike_all_at_once_and_one_by_one() {
    let mut refused = Vec::new();
    let mut released = 0;
    for seed in 0..24 {
        let dice = &mut Dice::new(seed);
        let (_, law) = Pack::random(dice).load_what_can_be(&mut refused);
        for _ in 0..3 {
            let on = day(dice);
            let query = query(dice, &law);
            let also = [query.custodian.path.as_str(), &query.recipient.path];
            let questions = law.questions(&also).unwrap();
            let in_force = law.in_force(on, SignOff::Demonstration).unwrap();
            let answers = in_force.answers(&questions, "disclose").unwrap();
            released += compare(&law, on, &answers, &query);
            released += compare(&law, on, &answers, &asked(&law, &answers, dice));
        }
    }
    assert!(released > 50, "{released}");
}

/// Nothing that a kind's members are asked differs between them.
#[test]
fn members_of_a_kind_are_answered_alike() {
    let law = shipped();
    let questions = law.questions(&[]).unwrap();
    let on = "2026-01-10".parse().unwrap();
    let in_force = law.in_force(on, SignOff::Demonstration).unwrap();
    let answers = in_force.answers(&questions, "disclose").unwrap();
    let (space, words) = (answers.space(), law.vocabulary());
    assert!(
        space.custodians.len() < 12 && space.elements.len() < 20,
        "{space:?}"
    );
    let total = |kinds: &[chancery_law::enumerate::Kind]| {
        kinds.iter().map(|kind| kind.members.len()).sum::<usize>() as u128
    };
    assert_eq!(
        questions.cases(),
        total(&space.custodians)
            * total(&space.recipients)
            * total(&space.purposes)
            * total(&space.elements)
            * u128::from(questions.combinations())
    );
    for kind in &space.custodians {
        let ruling = |custodian: &str| {
            let query = Query {
                custodian: words.agency(custodian).unwrap(),
                recipient: words.agency("dhs/ice").unwrap(),
                purpose: words
                    .purpose("immigration-enforcement/civil")
                    .unwrap()
                    .clone(),
            };
            in_force.decide(&query).unwrap().elements
        };
        let first = ruling(&kind.example);
        for other in kind.members.iter().skip(1).step_by(9) {
            assert_eq!(first, ruling(other), "{other}");
        }
    }
}

#[test]
fn periods_part_at_every_change_of_the_law_and_at_no_other_day() {
    let law = shipped();
    let periods = law.periods();
    let starts: Vec<String> = periods.iter().map(|p| p.from.to_string()).collect();
    for day in [
        "2025-07-15",
        "2025-08-12",
        "2025-09-16",
        "2025-11-25",
        "2026-01-06",
        "2026-03-27",
    ] {
        assert!(starts.iter().any(|start| start == day), "{day} {starts:?}");
    }
    // Issued, extended: the law stays as it is.
    for day in ["2025-07-09", "2025-12-29"] {
        assert!(!starts.iter().any(|start| start == day), "{day}");
    }
    for (period, next) in periods.iter().zip(&periods[1..]) {
        assert_eq!(period.until.unwrap().tomorrow().unwrap(), next.from);
    }
    assert_eq!(periods.last().unwrap().until, None);
}

#[test]
fn people_are_sets() {
    let law = shipped();
    let domain = law.domain();
    let (at, attribute) = domain.attribute("citizenship").unwrap();
    let citizen = domain.value(at, "citizen").unwrap();
    let citizens = Predicate::within(at, [citizen]);
    let people = People::of(&citizens, domain);
    let all = People::all(domain);
    assert_eq!(Some(all.len()), People::combinations(domain));
    assert_eq!(people.len() * attribute.values.len() as u64, all.len());
    assert!(people.iter().all(|signature| citizens.holds(&signature)));
    assert!(people.iter().all(|signature| people.holds(&signature)));
    let others = all.without(&people);
    assert!(others.is_disjoint(&people) && others.or(&people) == all);
    assert_eq!(others, People::of(&citizens.negate(domain), domain));
    assert!(People::none(domain).is_empty() && People::none(domain).first().is_none());
    let within = BTreeMap::from([(at, BTreeSet::from([citizen]))]);
    assert!(People::within(domain, &within) == people);
}
