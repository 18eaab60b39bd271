//! The answers that the shipped pack must give, table by table.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chancery_law::{InForce, LawPack, Query, Ruling, SignOff, Standing};
use chancery_model::Signature;
use jiff::civil::Date;

use crate::pack::shipped;

const IDENTITY_AND_LOCATION: &str =
    "enrollment medicaid_id name birth_date address phone citizenship immigration_status";
const THE_SIX: &str = "medicaid_id birth_date address phone citizenship immigration_status";
pub(crate) const PLAINTIFFS: &str = "04 06 08 09 10 15 17 25 23 24 26 27 32 34 35 36 41 44 50 53";

fn query(pack: &LawPack, custodian: &str, recipient: &str, purpose: &str) -> Query {
    let words = pack.vocabulary();
    Query {
        recipient: words
            .agency(recipient)
            .unwrap_or_else(|| panic!("{recipient}")),
        custodian: words
            .agency(custodian)
            .unwrap_or_else(|| panic!("{custodian}")),
        purpose: words
            .purpose(purpose)
            .unwrap_or_else(|| panic!("{purpose}"))
            .clone(),
    }
}

fn on(date: &str) -> Date {
    date.parse().unwrap()
}

fn in_force<'a>(pack: &'a LawPack, date: &str) -> InForce<'a> {
    pack.in_force(on(date), SignOff::Demonstration).unwrap()
}

/// Every combination of attribute values; origins are represented by a few of each sort.
fn all_signatures(pack: &LawPack, origins: &[&str]) -> Vec<Signature> {
    let domain = pack.domain();
    let mut all = vec![Signature::unknown(domain)];
    for (at, attribute) in domain.attributes().iter().enumerate() {
        let values: Vec<u8> = (0..u8::try_from(attribute.values.len()).unwrap())
            .filter(|value| {
                attribute.name != "origin"
                    || origins.contains(&attribute.values[usize::from(*value)].as_str())
            })
            .collect();
        all = all
            .iter()
            .flat_map(|s| values.iter().map(move |value| s.with(at, *value)))
            .collect();
    }
    all
}

pub(crate) type Person = BTreeMap<String, String>;

/// Everybody there could be, described once for all tests.
pub(crate) fn everybody(pack: &LawPack) -> &'static [(Signature, Person)] {
    static EVERYBODY: OnceLock<Vec<(Signature, Person)>> = OnceLock::new();
    EVERYBODY.get_or_init(|| {
        let described = |s: Signature| (s.clone(), pack.domain().describe(&s));
        let all = all_signatures(pack, &ORIGINS);
        all.into_iter().map(described).collect()
    })
}

/// Holds a ruling against an independent statement of the answer, for every person there could be.
fn expect(pack: &LawPack, ruling: &Ruling, lawful: &dyn Fn(&str, &Person) -> bool) {
    for element in &ruling.elements {
        for (signature, person) in everybody(pack) {
            assert_eq!(
                element.released_when.holds(signature),
                lawful(&element.element, person),
                "{} on {} for {person:?}: {}",
                element.element,
                ruling.on,
                element.released_when.display(pack.domain()),
            );
        }
    }
}

fn lists(words: &str, word: &str) -> bool {
    words.split(' ').any(|listed| listed == word)
}

fn is(person: &Person, attribute: &str, value: &str) -> bool {
    person[attribute] == value
}

pub(crate) fn noncitizen_identity(element: &str, person: &Person) -> bool {
    lists(IDENTITY_AND_LOCATION, element) && is(person, "citizenship", "noncitizen")
}

pub(crate) fn second_order(element: &str, person: &Person) -> bool {
    let open = lists(THE_SIX, element) || element == "enrollment";
    let contact = ["address", "phone"].contains(&element);
    open && noncitizen_identity(element, person)
        && is(person, "presence", "not_lawful")
        && is(person, "program", "medicaid")
        && (!contact || is(person, "household", "no_protected_member"))
}

const ORIGINS: [&str; 6] = ["06", "53", "48", "55", "21", "unknown"];

#[test]
fn civil_enforcement_on_every_date_of_the_table() {
    type Answer = fn(&str, &Person) -> bool;
    let pack = shipped();
    let nothing: Answer = |_, _| false;
    // date, answer for a plaintiff, answer for any other origin, further plaintiffs
    let table: [(&str, Answer, Answer, &str); 7] = [
        ("2025-06-01", nothing, nothing, ""),
        ("2025-07-20", noncitizen_identity, noncitizen_identity, ""),
        ("2025-08-20", nothing, noncitizen_identity, ""),
        ("2025-10-01", nothing, nothing, ""),
        ("2025-12-01", nothing, noncitizen_identity, ""),
        ("2026-01-10", second_order, noncitizen_identity, ""),
        ("2026-04-01", second_order, noncitizen_identity, "55 21"),
    ];
    for (date, plaintiff, other, more) in table {
        let law = in_force(&pack, date);
        for purpose in ["civil", "criminal"] {
            let purpose = format!("immigration-enforcement/{purpose}");
            let ruling = law
                .decide(&query(&pack, "hhs/cms", "dhs/ice", &purpose))
                .unwrap();
            expect(&pack, &ruling, &|element, person| {
                let origin = person["origin"].as_str();
                let covered = PLAINTIFFS
                    .split(' ')
                    .chain(more.split(' '))
                    .any(|p| p == origin);
                // An origin that cannot be told is treated as covered.
                let answer = if covered || origin == "unknown" {
                    plaintiff
                } else {
                    other
                };
                answer(element, person)
            });
        }
    }
}

#[test]
fn boundaries_are_inclusive() {
    let pack = shipped();
    let lawful_anywhere = |date: &str, origin: &str| {
        let law = in_force(&pack, date);
        let purpose = "immigration-enforcement/civil";
        let ruling = law
            .decide(&query(&pack, "hhs/cms", "dhs/ice", purpose))
            .unwrap();
        let name = ruling.element("name").unwrap().released_when.clone();
        let six = ruling.element("citizenship").unwrap().released_when.clone();
        let people = all_signatures(&pack, &[origin]);
        (
            people.iter().any(|p| name.holds(p)),
            people.iter().any(|p| six.holds(p)),
        )
    };
    let both = (true, true);
    let neither = (false, false);
    for (date, plaintiff, other) in [
        ("2025-07-14", neither, neither),
        ("2025-07-15", both, both),
        ("2025-08-11", both, both),
        ("2025-08-12", neither, both),
        ("2025-09-15", neither, both),
        ("2025-09-16", neither, neither),
        ("2025-11-24", neither, neither),
        ("2025-11-25", neither, both),
        ("2026-01-05", neither, both),
        ("2026-01-06", (false, true), both),
    ] {
        assert_eq!(lawful_anywhere(date, "06"), plaintiff, "06 on {date}");
        assert_eq!(lawful_anywhere(date, "48"), other, "48 on {date}");
    }
    for (date, wisconsin) in [("2026-03-26", both), ("2026-03-27", (false, true))] {
        assert_eq!(lawful_anywhere(date, "55"), wisconsin, "55 on {date}");
        assert_eq!(lawful_anywhere(date, "21"), wisconsin, "21 on {date}");
    }
}

const DATES: [&str; 7] = [
    "2025-06-01",
    "2025-07-20",
    "2025-08-20",
    "2025-10-01",
    "2025-12-01",
    "2026-01-10",
    "2026-04-01",
];

#[test]
fn no_other_purpose_gives_immigration_enforcement_anything() {
    let pack = shipped();
    for date in DATES {
        let law = in_force(&pack, date);
        for purpose in pack.vocabulary().purposes() {
            let path = purpose.path.as_str();
            if [
                "immigration-enforcement/civil",
                "immigration-enforcement/criminal",
            ]
            .contains(&path)
            {
                continue;
            }
            for custodian in ["hhs/cms", "hhs", "state/06/medicaid", "state/48/medicaid"] {
                let ruling = law
                    .decide(&query(&pack, custodian, "dhs/ice", path))
                    .unwrap();
                expect(&pack, &ruling, &|_, _| false);
            }
        }
    }
}

#[test]
fn flows_that_must_keep_working() {
    let pack = shipped();
    for date in DATES {
        let law = in_force(&pack, date);
        let decide = |custodian: &str, recipient: &str, purpose: &str| {
            law.decide(&query(&pack, custodian, recipient, purpose))
                .unwrap()
        };
        for purpose in ["", "/eligibility", "/federal-funding", "/integrity"] {
            let purpose = format!("program-administration{purpose}");
            let submission = decide("state/06/medicaid", "hhs/cms", &purpose);
            expect(&pack, &submission, &|_, _| true);
            let back = decide("hhs/cms", "state/06/medicaid", &purpose);
            expect(&pack, &back, &|_, person| is(person, "origin", "06"));
        }
        let integrity = decide("hhs/cms", "hhs/oig", "program-administration/integrity");
        expect(&pack, &integrity, &|_, _| true);
        let uscis = decide("hhs/cms", "dhs/uscis", "program-administration/eligibility");
        let status = "name birth_date other_identifier immigration_status medicaid_id enrollment";
        expect(&pack, &uscis, &|element, person| {
            lists(status, element)
                && (is(person, "citizenship", "noncitizen") || is(person, "citizenship", "unknown"))
        });
        assert!(
            uscis
                .obligations
                .iter()
                .any(|duty| duty.id.ends_with("#no-enforcement-use"))
        );
        let ssa = decide("hhs/cms", "ssa", "program-administration/eligibility");
        expect(&pack, &ssa, &|element, _| {
            lists("name birth_date ssn enrollment", element)
        });
        let research = decide("hhs/cms", "research/umich", "research");
        let direct = "name ssn address phone medicaid_id other_identifier administrative";
        expect(&pack, &research, &|element, _| !lists(direct, element));
        for recipient in ["congress", "hhs/oig", "research/umich", "ssa", "individual"] {
            let ruling = decide("hhs/cms", recipient, "public-reporting");
            expect(&pack, &ruling, &|_, _| false);
        }
        for purpose in pack.vocabulary().purposes() {
            let ruling = decide("hhs/cms", "congress", &purpose.path);
            expect(&pack, &ruling, &|_, _| false);
        }
    }
}

#[test]
fn unsigned_permits_count_in_a_demonstration_alone() {
    let pack = shipped();
    let nobody = Standing::default();
    let required = SignOff::Required(&nobody);
    let law = pack.in_force(on("2026-01-10"), required).unwrap();
    let query = query(
        &pack,
        "hhs/cms",
        "hhs/oig",
        "program-administration/integrity",
    );
    expect(&pack, &law.decide(&query).unwrap(), &|_, _| false);
    assert!(!law.not_counting().is_empty());
}

#[test]
fn the_stock_authorizer_agrees_on_every_combination() {
    let pack = shipped();
    let signatures = all_signatures(&pack, &ORIGINS);
    let occurring = signatures.iter().collect();
    for date in DATES {
        let law = in_force(&pack, date);
        for (recipient, purpose) in [
            ("dhs/ice", "immigration-enforcement/civil"),
            ("dhs/uscis", "program-administration/eligibility"),
            ("state/06/medicaid", "program-administration"),
        ] {
            let ruling = law
                .decide(&query(&pack, "hhs/cms", recipient, purpose))
                .unwrap();
            let confirmed = law.confirm(ruling, &occurring).unwrap();
            assert!(confirmed.decisions() > 0);
        }
    }
}

#[test]
fn a_predicate_that_says_more_than_the_law_is_found_out() {
    let pack = shipped();
    let law = in_force(&pack, "2026-01-10");
    let query = query(&pack, "hhs/cms", "dhs/ice", "immigration-enforcement/civil");
    let signatures = all_signatures(&pack, &ORIGINS);
    let mut ruling = law.decide(&query).unwrap();
    let name = ruling
        .elements
        .iter_mut()
        .find(|ruling| ruling.element == "ssn")
        .unwrap();
    name.released_when = chancery_model::Predicate::Always;
    let refused = law.confirm(ruling, &signatures.iter().collect());
    assert!(matches!(
        refused,
        Err(chancery_law::Error::Disagreement { element, .. }) if element == "ssn"
    ));
}
