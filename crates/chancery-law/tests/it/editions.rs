//! What counts of an instrument in each state, and what of its two editions.

use std::collections::BTreeMap;

use chancery_law::{LawPack, OnRecord, PackSource, Query, SignOff, Standing, State, Why};
use chancery_model::{Predicate, Signature};
use jiff::civil::Date;

use crate::random::{ATTRIBUTES, Dice, Pack, day, instrument_toml, query, vocabulary};

const ON: &str = "2026-01-01";
const ID: &str = "x/1";

pub(crate) fn on() -> Date {
    ON.parse().unwrap()
}

fn party(origin: &str) -> String {
    format!("[[party]]\norigin = \"{origin}\"\nname = \"n\"\nfrom = \"2025-01-01\"\n")
}

fn toml(id: &str, parties: &[&str]) -> String {
    let parties: String = parties.iter().map(|origin| party(origin)).collect();
    let more = format!("[[event]]\non = \"2025-01-01\"\nkind = \"effective\"\n{parties}");
    instrument_toml(id, &more)
}

fn provision(name: &str, policy: &str) -> String {
    format!("@id(\"{name}\")\n@clause(\"1\")\n@reason(\"because\")\n{policy}\n")
}

pub(crate) fn permit(name: &str, when: &str) -> String {
    let policy = format!("permit (principal, action, resource is Record) when {{ {when} }};");
    provision(name, &policy)
}

pub(crate) fn forbid(name: &str, unless: &str) -> String {
    let policy = format!("forbid (principal, action, resource is Record) unless {{ {unless} }};");
    provision(name, &policy)
}

pub(crate) fn origin(code: &str) -> String {
    format!("resource.origin == Origin::\"{code}\"")
}

/// A pack with one instrument of these parties and provisions.
pub(crate) fn pack(parties: &[&str], provisions: &str) -> LawPack {
    let mut files = vocabulary();
    files.insert(
        "instruments/a/instrument.toml".to_owned(),
        toml(ID, parties),
    );
    files.insert(
        "instruments/a/provisions.cedar".to_owned(),
        provisions.to_owned(),
    );
    LawPack::load(&PackSource::new("law", files)).unwrap()
}

pub(crate) fn standing(state: State, signed: Option<LawPack>) -> Standing {
    let states = [("random".to_owned(), State::Signed), (ID.to_owned(), state)];
    Standing::new(states.into(), vec!["random".to_owned()], signed)
}

pub(crate) fn ask(pack: &LawPack) -> Query {
    let words = pack.vocabulary();
    Query {
        recipient: words.agency("dhs").unwrap(),
        custodian: words.agency("hhs/cms").unwrap(),
        purpose: words.purpose("research").unwrap().clone(),
    }
}

/// Every origin; nothing else turns on anything here.
pub(crate) fn people(pack: &LawPack) -> Vec<(String, Signature)> {
    let (at, attribute) = pack.domain().attribute("origin").unwrap();
    let with = |value: usize| {
        let value = u8::try_from(value).unwrap();
        Signature::unknown(pack.domain()).with(at, value)
    };
    let values = attribute.values.iter().enumerate();
    values
        .map(|(value, name)| (name.clone(), with(value)))
        .collect()
}

/// The origins about which `name` leaves, after the stock authorizer agreed.
fn leaves(pack: &LawPack, standing: &Standing) -> Vec<String> {
    let law = pack.in_force(on(), SignOff::Required(standing)).unwrap();
    let people = people(pack);
    let ruling = law.decide(&ask(pack)).unwrap();
    let occurring = people.iter().map(|(_, signature)| signature).collect();
    let confirmed = law.confirm(ruling, &occurring).unwrap();
    let when = &confirmed.ruling().element("name").unwrap().released_when;
    let lawful = people.iter().filter(|(_, signature)| when.holds(signature));
    lawful.map(|(name, _)| name.clone()).collect()
}

#[test]
fn only_signed_permits_count_and_every_forbid() {
    let text = permit("go", "resource is Record") + &forbid("stay", &origin("06"));
    let pack = pack(&[], &text);
    for state in State::ALL {
        let standing = standing(state, None);
        let law = pack.in_force(on(), SignOff::Required(&standing)).unwrap();
        let element = law
            .decide(&ask(&pack))
            .unwrap()
            .element("name")
            .unwrap()
            .clone();
        let signed = state == State::Signed;
        let expected: &[&str] = if signed { &["06"] } else { &[] };
        assert_eq!(leaves(&pack, &standing), expected, "{state:?}");
        let barred = element.hits.iter().any(|hit| hit.provision == "x/1#stay");
        assert!(barred, "the forbid holds when {state:?}");
        let idle: Vec<&str> = element
            .idle
            .iter()
            .map(|hit| hit.provision.as_str())
            .collect();
        let idle_expected: &[&str] = if signed { &[] } else { &["x/1#go"] };
        assert_eq!(idle, idle_expected);
        if !signed {
            assert_eq!(law.why_not("x/1#go"), Why::Instrument(state));
        }
    }
}

#[test]
fn every_state_has_a_message_of_its_own() {
    let mut says: Vec<String> = State::ALL.map(|s| Why::Instrument(s).says("X")).into();
    says.push(Why::Edited.says("X"));
    says.push(Why::Ended(on()).says("X"));
    let (id, state) = ("p".to_owned(), State::Unsigned);
    says.push(Why::Base { id, state }.says("X"));
    let many = says.len();
    says.sort();
    says.dedup();
    assert_eq!(says.len(), many);
}

#[test]
fn nothing_counts_on_a_base_that_is_not_signed() {
    let pack = pack(&[], &permit("go", "resource is Record"));
    let all = [
        ("random".to_owned(), State::Tampered),
        (ID.to_owned(), State::Signed),
    ];
    let tampered = Standing::new(all.clone().into(), vec!["random".to_owned()], None);
    assert_eq!(leaves(&pack, &tampered), [""; 0]);
    // Nor where nobody says what the base is.
    let none = Standing::new(all.into(), Vec::new(), None);
    assert_eq!(leaves(&pack, &none), [""; 0]);
}

#[test]
fn a_term_that_ended_is_said() {
    let mut files = vocabulary();
    let more = "[[event]]\non = \"2025-01-01\"\nkind = \"effective\"\n\
                [[event]]\non = \"2025-06-30\"\nkind = \"expired\"\n";
    files.insert(
        "instruments/a/instrument.toml".to_owned(),
        instrument_toml(ID, more),
    );
    let cedar = permit("go", "resource is Record");
    files.insert("instruments/a/provisions.cedar".to_owned(), cedar);
    let pack = LawPack::load(&PackSource::new("law", files)).unwrap();
    let standing = standing(State::Signed, None);
    let law = pack.in_force(on(), SignOff::Required(&standing)).unwrap();
    let element = law
        .decide(&ask(&pack))
        .unwrap()
        .element("name")
        .unwrap()
        .clone();
    assert_eq!(element.idle.len(), 1);
    assert_eq!(
        law.why_not("x/1#go"),
        Why::Ended("2025-06-30".parse().unwrap())
    );
    assert_eq!(element.released_when, Predicate::Never);
}

#[test]
fn of_two_editions_the_one_that_lets_less_go_applies() {
    let all = "resource is Record";
    for (what, signed, recorded, expected) in [
        (
            "loosened",
            permit("a", &origin("06")),
            permit("a", all),
            &["06"][..],
        ),
        (
            "tightened",
            permit("a", all),
            permit("a", &origin("06")),
            &["06"],
        ),
        (
            "moved",
            permit("a", &origin("06")),
            permit("a", &origin("48")),
            &[],
        ),
        (
            "renamed",
            permit("a", &origin("06")),
            permit("b", &origin("06")),
            &["06"],
        ),
        (
            "split",
            permit("a", &format!("{} || {}", origin("06"), origin("48"))),
            permit("a", &origin("06")) + &permit("b", &origin("48")),
            &["06", "48"],
        ),
        (
            "forbid added",
            permit("a", all),
            permit("a", all) + &forbid("f", &origin("06")),
            &["06"],
        ),
        (
            "forbid dropped",
            permit("a", all) + &forbid("f", &origin("06")),
            permit("a", all),
            &["06"],
        ),
        (
            "forbid moved",
            permit("a", all) + &forbid("f", &origin("06")),
            permit("a", all) + &forbid("f", &origin("48")),
            &[],
        ),
        (
            "permit dropped",
            permit("a", all),
            "// nothing\n".to_owned(),
            &[],
        ),
        (
            "permit new",
            "// nothing\n".to_owned(),
            permit("a", all),
            &[],
        ),
    ] {
        let recorded = pack(&[], &recorded);
        let standing = standing(State::Signed, Some(pack(&[], &signed)));
        assert_eq!(leaves(&recorded, &standing), expected, "{what}");
    }
}

#[test]
fn parties_count_in_both_editions() {
    let own = "Instrument::\"x/1\".parties.contains(resource.origin)";
    let outside = "!Instrument::\"x/1\".covered.contains(resource.origin)";
    for (what, provisions, signed, recorded, expected) in [
        (
            "permit, one joins",
            permit("a", own),
            &["06"][..],
            &["06", "48"][..],
            &["06"][..],
        ),
        (
            "permit, one leaves",
            permit("a", own),
            &["06", "48"],
            &["06"],
            &["06"],
        ),
        (
            "forbid, one joins",
            permit("a", "resource is Record") + &forbid("f", outside),
            &["06"],
            &["06", "48"],
            &["53", "56"],
        ),
        (
            "forbid, one leaves",
            permit("a", "resource is Record") + &forbid("f", outside),
            &["06", "48"],
            &["06"],
            &["53", "56"],
        ),
    ] {
        let after = pack(recorded, &provisions);
        let standing = standing(State::Signed, Some(pack(signed, &provisions)));
        assert_eq!(leaves(&after, &standing), expected, "{what}");
    }
}

#[test]
fn a_removed_instrument_still_holds_back() {
    let mut files = vocabulary();
    files.insert("instruments/b/instrument.toml".to_owned(), toml("x/2", &[]));
    let cedar = permit("go", "resource is Record");
    files.insert("instruments/b/provisions.cedar".to_owned(), cedar);
    let recorded = LawPack::load(&PackSource::new("law", files)).unwrap();
    let removed = pack(
        &[],
        &(permit("go", "resource is Record") + &forbid("f", &origin("06"))),
    );
    let states: BTreeMap<String, State> = ["random", "x/1", "x/2"]
        .map(|id| (id.to_owned(), State::Signed))
        .into();
    let base = vec!["random".to_owned()];
    let standing = Standing::new(states, base, Some(removed));
    assert_eq!(leaves(&recorded, &standing), ["06"]);
    let law = recorded
        .in_force(on(), SignOff::Required(&standing))
        .unwrap();
    let element = law
        .decide(&ask(&recorded))
        .unwrap()
        .element("name")
        .unwrap()
        .clone();
    let hits: Vec<&str> = element
        .hits
        .iter()
        .map(|hit| hit.provision.as_str())
        .collect();
    assert_eq!(hits, ["x/1#go@signed", "x/2#go", "x/1#f@signed"]);
    let (instrument, provision) = law.provision("x/1#f@signed").unwrap();
    assert_eq!(
        (instrument.id.as_str(), provision.id.as_str()),
        ("x/1", "x/1#f")
    );
}

#[test]
fn a_pack_that_nobody_edited_is_ruled_as_before() {
    let dice = &mut Dice::new(5);
    let (_, law) = Pack::random(dice).load_what_can_be(&mut Vec::new());
    let query = query(dice, &law);
    let ids = law
        .instruments()
        .iter()
        .map(|i| (i.id.clone(), State::Signed));
    let mut states: BTreeMap<String, State> = ids.collect();
    states.insert("random".to_owned(), State::Signed);
    let record = OnRecord {
        index: 3,
        unit: "random".to_owned(),
        digest: law.digest,
        agency: "a".to_owned(),
        role: "counsel".to_owned(),
        key: None,
    };
    let standing = Standing::new(states, vec!["random".to_owned()], None).on_record(
        vec![record],
        Vec::new(),
        4,
    );
    for _ in 0..4 {
        let on = day(dice);
        let plain = law.in_force(on, SignOff::Demonstration).unwrap();
        let signed = law.in_force(on, SignOff::Required(&standing)).unwrap();
        let (plain, signed) = (
            plain.decide(&query).unwrap(),
            signed.decide(&query).unwrap(),
        );
        for (a, b) in plain.elements.iter().zip(&signed.elements) {
            assert_eq!((&a.hits, &a.released_when), (&b.hits, &b.released_when));
        }
    }
}

fn some_people(dice: &mut Dice, count: usize) -> Vec<Signature> {
    let one = |dice: &mut Dice| {
        let values =
            ATTRIBUTES.map(|(_, _, values)| u8::try_from(dice.below(values.len())).unwrap());
        Signature::new(values.to_vec())
    };
    (0..count).map(|_| one(dice)).collect()
}

/// Whatever was edited: nothing is released that any choice of editions would withhold, and both
/// evaluators agree.
#[test]
fn what_two_editions_release_every_choice_of_editions_releases() {
    let (mut compared, mut lawful, mut edited) = (0, 0, 0);
    for seed in 0..8 {
        let dice = &mut Dice::new(2000 + seed);
        let refused = &mut Vec::new();
        let (before, signed) = Pack::random(dice).load_what_can_be(refused);
        let (after, recorded) = Pack::random(dice).load_what_can_be(refused);
        // An instrument of each pack by its id: edited, removed, or new and signed as it is.
        let mut states: BTreeMap<String, State> = BTreeMap::new();
        for pack in [&signed, &recorded] {
            let ids = pack.instruments().iter();
            states.extend(ids.map(|i| (i.id.clone(), State::Signed)));
        }
        states.insert("random".to_owned(), State::Signed);
        if dice.one_in(3) {
            let state = *dice.pick(&State::ALL);
            states.insert("x/0".to_owned(), state);
        }
        let standing = Standing::new(states, vec!["random".to_owned()], Some(signed));
        let choices = choices(&before, &after);
        let people = some_people(dice, 40);
        for _ in 0..2 {
            let (on, query) = (day(dice), query(dice, &recorded));
            let law = recorded.in_force(on, SignOff::Required(&standing)).unwrap();
            let ruling = law.decide(&query).unwrap();
            let ruling = law.confirm(ruling, &people.iter().collect()).unwrap();
            for choice in &choices {
                let choice = choice.in_force(on, SignOff::Demonstration).unwrap();
                let other = choice.decide(&query).unwrap();
                for (ours, theirs) in ruling.ruling().elements.iter().zip(&other.elements) {
                    for person in &people {
                        let ours = ours.released_when.holds(person);
                        lawful += u64::from(ours);
                        compared += 1;
                        assert!(
                            !ours || theirs.released_when.holds(person),
                            "seed {seed}, {on}, {query:?}, {}",
                            theirs.element
                        );
                    }
                }
            }
            edited += law.edited().count();
        }
    }
    println!("{compared} answers compared, {lawful} lawful, {edited} edited instruments");
    assert!(
        edited > 10 && lawful > 200,
        "{edited} edited, {lawful} lawful"
    );
}

/// Every pack that has of each instrument the one edition or the other.
fn choices(before: &Pack, after: &Pack) -> Vec<LawPack> {
    let mut choices = vec![Pack {
        instruments: Vec::new(),
    }];
    let ids = before.instruments.iter().chain(&after.instruments);
    let mut ids: Vec<&str> = ids.map(|instrument| instrument.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let editions = [before, after].map(|pack| {
            let mut instruments = pack.instruments.iter();
            instruments.find(|instrument| instrument.id == id).cloned()
        });
        // What is new and signed as it is has one edition.
        let editions: Vec<_> = match &editions {
            [None, Some(_)] => editions[1..].to_vec(),
            _ => editions.to_vec(),
        };
        let with = |pack: &Pack, edition: &Option<crate::random::Instrument>| {
            let mut pack = pack.clone();
            pack.instruments.extend(edition.clone());
            pack
        };
        choices = choices
            .iter()
            .flat_map(|pack| editions.iter().map(move |edition| with(pack, edition)))
            .collect();
    }
    choices.iter().map(|pack| pack.load().unwrap()).collect()
}
