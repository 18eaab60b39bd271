//! What a change of the law does: on the shipped pack, day by day; on edited packs; and on random
//! ones, against the stock authorizer.

use std::collections::BTreeMap;

use chancery_law::impact::{Difference, Impact, Verdict, impact, impact_of_packs};
use chancery_law::{Effect, Error, LawPack, SignOff, Standing, State};
use chancery_model::{Domain, Signature};
use jiff::civil::Date;

use crate::answers::{PLAINTIFFS, Person, everybody, noncitizen_identity, second_order};
use crate::pack::{load, shipped, shipped_files};
use crate::random::{AGENCIES, ATTRIBUTES, Attributes, Dice, ELEMENTS, PURPOSES, Pack, Stock, day};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn between(pack: &LawPack, old: &str, new: &str) -> Impact {
    let law = |on: &str| pack.in_force(date(on), SignOff::Demonstration).unwrap();
    impact(&law(old), &law(new)).unwrap()
}

/// One disclosure of a kind of record.
struct Asked<'a> {
    flow: [&'a str; 3],
    element: &'a str,
    record: &'a Signature,
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

fn concerns(one: &Difference, asked: &Asked<'_>, domain: &Domain) -> bool {
    let [custodian, recipient, purpose] = asked.flow;
    let named = has(&one.custodians, custodian)
        && has(&one.recipients, recipient)
        && has(&one.purposes, purpose)
        && has(&one.elements, asked.element);
    let holds = named && one.people.holds(asked.record);
    if named {
        assert_eq!(
            holds,
            one.when.holds(asked.record),
            "{}",
            one.when.display(domain)
        );
    }
    holds
}

fn among(differences: &[Difference], asked: &Asked<'_>, domain: &Domain) -> bool {
    differences.iter().any(|one| concerns(one, asked, domain))
}

#[test]
fn each_change_of_the_litigation_is_the_difference_of_the_tables_rows() {
    type Answer = fn(&str, &Person) -> bool;
    let nothing: Answer = |_, _| false;
    // date, answer for a plaintiff, answer for any other origin, further plaintiffs
    let table: [(&str, Answer, Answer, &str); 7] = [
        ("2025-06-01", nothing, nothing, ""),
        ("2025-07-20", noncitizen_identity, noncitizen_identity, ""),
        ("2025-08-12", nothing, noncitizen_identity, ""),
        ("2025-10-01", nothing, nothing, ""),
        ("2025-12-01", nothing, noncitizen_identity, ""),
        ("2026-01-06", second_order, noncitizen_identity, ""),
        ("2026-03-27", second_order, noncitizen_identity, "55 21"),
    ];
    let pack = shipped();
    let answer = |row: &(&str, Answer, Answer, &str), element: &str, person: &Person| {
        let origin = person["origin"].as_str();
        let mut covered = PLAINTIFFS.split(' ').chain(row.3.split(' '));
        if origin == "unknown" || covered.any(|plaintiff| plaintiff == origin) {
            row.1(element, person)
        } else {
            row.2(element, person)
        }
    };
    for rows in table.windows(2) {
        let (old, new) = (&rows[0], &rows[1]);
        let found = between(&pack, old.0, new.0);
        for element in pack.vocabulary().element_names() {
            for (record, person) in everybody(&pack) {
                let before = answer(old, element, person);
                let after = answer(new, element, person);
                let flow = ["hhs/cms", "dhs/ice", "immigration-enforcement/civil"];
                let asked = Asked {
                    flow,
                    element,
                    record,
                };
                let [gained, lost] =
                    [&found.gained, &found.lost].map(|side| among(side, &asked, pack.domain()));
                assert_eq!(
                    (gained, lost),
                    (!before && after, before && !after),
                    "{element} of {person:?} from {} to {}",
                    old.0,
                    new.0
                );
            }
        }
    }
}

#[test]
fn the_first_order_is_stricter_in_one_row_and_says_why() {
    let found = between(&shipped(), "2025-08-11", "2025-08-12");
    assert_eq!(found.verdict(), Verdict::Stricter);
    assert!(found.gained.is_empty() && found.texts.each().iter().all(|(_, t)| t.is_empty()));
    let [lost] = found.lost.as_slice() else {
        panic!("{:#?}", found.lost)
    };
    assert_eq!(lost.custodians, ["hhs/cms"]);
    assert_eq!(lost.recipients, ["dhs/ice"]);
    assert_eq!(
        lost.purposes,
        [
            "immigration-enforcement/civil",
            "immigration-enforcement/criminal"
        ]
    );
    assert_eq!(lost.elements.len(), 8);
    let origins = PLAINTIFFS
        .replace(' ', ", ")
        .replace("23, 25, 24", "23, 24, 25");
    let origins = origins.replace("25, 23, 24, 26", "23, 24, 25, 26");
    assert_eq!(
        lost.when.display(&found.domain).to_string(),
        format!("citizenship is noncitizen and origin is {origins} or unknown")
    );
    let order = "us/cand/3-25-cv-05536/order-2025-08-12#no-sharing";
    assert_eq!(lost.holds_back.iter().collect::<Vec<_>>(), [order]);
    assert!(!lost.lets_go.is_empty());
    assert_eq!(lost.example.record["citizenship"], "noncitizen");
    assert!(lost.example.record.values().all(|value| value != "unknown"));
}

#[test]
fn a_pack_compared_with_itself_is_the_same() {
    let found = impact_of_packs(&shipped(), &shipped()).unwrap();
    assert_eq!(found.verdict(), Verdict::Same);
    assert!(found.texts.each().iter().all(|(_, texts)| texts.is_empty()));
    assert!(found.cases > 1_000_000_000);
}

/// The shipped pack with one text replaced in one file.
fn edited(path: &str, from: &str, to: &str) -> LawPack {
    let mut files = shipped_files();
    let text = files.get_mut(path).unwrap();
    assert!(text.contains(from), "{path}");
    *text = text.replace(from, to);
    load(files).unwrap_or_else(|error| match error {
        Error::Invalid(faults) => panic!("{}", faults[0]),
        other => panic!("{other}"),
    })
}

#[test]
fn an_edit_that_is_stricter_here_and_looser_there_is_both() {
    let path = "instruments/order-2025-12-29/provisions.cedar";
    let new = edited(path, "Program::\"medicaid\"", "Program::\"m_chip\"");
    let found = impact_of_packs(&shipped(), &new).unwrap();
    assert_eq!(found.verdict(), Verdict::Both);
    let name = |value: &str| format!("program is {value}");
    for (side, program) in [(&found.gained, "m_chip"), (&found.lost, "medicaid")] {
        for one in side {
            let words = one.when.display(&found.domain).to_string();
            assert!(words.contains(&name(program)), "{words}");
            assert_eq!(one.recipients, ["dhs/ice"]);
        }
        let mut periods = side.iter().flat_map(|one| &one.periods);
        assert!(periods.any(|period| period.from == date("2026-01-06")));
        assert!(
            side.iter()
                .any(|one| one.periods.last().unwrap().until.is_none())
        );
    }
    let order = "us/cand/3-25-cv-05536/order-2025-12-29";
    assert_eq!(
        found.texts.provisions.edited,
        [
            format!("{order}#medicaid-only"),
            format!("{order}#no-use-beyond")
        ]
    );
    assert!(found.texts.instruments.is_empty());
}

#[test]
fn a_party_that_is_dropped_is_looser_for_its_records_alone() {
    let path = "instruments/order-2025-12-29/instrument.toml";
    let party = "[[party]]\norigin = \"50\"\nname = \"Vermont\"\nfrom = \"2025-07-01\"\ndoubtful = false\nnote = \"Plaintiff at filing. Label S.\"\n";
    let new = edited(path, party, "");
    let found = impact_of_packs(&shipped(), &new).unwrap();
    assert_eq!(found.verdict(), Verdict::Looser);
    for one in &found.gained {
        assert_eq!(one.example.record["origin"], "50");
        let words = one.when.display(&found.domain).to_string();
        assert!(words.contains("origin is 50"), "{words}");
        assert_eq!(one.periods[0].from, date("2026-01-06"));
    }
    assert_eq!(
        found.texts.instruments.edited,
        ["us/cand/3-25-cv-05536/order-2025-12-29"]
    );
}

#[test]
fn signing_an_edition_is_shown_against_the_edition_signed_last() {
    let order = "us/cand/3-25-cv-05536/order-2025-12-29";
    let notice = "us/fr/90-53324";
    let path = "instruments/order-2025-12-29/provisions.cedar";
    let recorded = edited(path, "Program::\"medicaid\"", "Program::\"m_chip\"");
    let all = recorded.instruments().iter().map(|one| one.id.clone());
    let states: BTreeMap<String, State> = all.map(|id| (id, State::Signed)).collect();
    let standing = Standing::new(states.clone(), Vec::new(), Some(shipped()));
    let signed = recorded.as_signed(&standing, Some(order));
    let found = impact_of_packs(&signed, &recorded).unwrap();
    assert_eq!(found.verdict(), Verdict::Both);
    assert_eq!(found.texts.provisions.edited.len(), 2);
    // Another instrument is as it is recorded.
    let other = recorded.as_signed(&standing, Some(notice));
    let provision = |pack: &LawPack| pack.provision(&format!("{order}#medicaid-only")).is_some();
    assert!(provision(&other) && provision(&signed));
    // What nobody signed lets nothing go; what it holds back counts.
    let mut states = states;
    states.insert(notice.to_owned(), State::SinglySigned);
    let standing = Standing::new(states, vec!["base".to_owned()], None);
    let without = recorded.as_signed(&standing, Some(notice));
    assert!(without.instrument(notice).unwrap().provisions.is_empty());
    let found = impact_of_packs(&without, &recorded).unwrap();
    assert_eq!(found.verdict(), Verdict::Looser);
    // As long as the base is not signed, nothing is let go at all.
    let nothing = recorded.as_signed(&standing, None);
    let provisions = nothing.instruments().iter().flat_map(|one| &one.provisions);
    let mut effects = provisions.map(|one| one.effect);
    assert!(effects.all(|effect| effect == Effect::Forbid));
}

#[test]
fn words_that_come_and_go_are_said_and_let_nothing_go_where_they_are_unknown() {
    let more = "\n[[element]]\nname = \"shoe_size\"\ntitle = \"shoe size\"\n";
    let mut files = shipped_files();
    let elements = files.get_mut("elements.toml").unwrap();
    let at = elements.find("\n[[set]]").unwrap();
    elements.insert_str(at, more);
    let agencies = files.get_mut("agencies.toml").unwrap();
    agencies.push_str("\n[[agency]]\npath = \"hhs/cms/oit\"\nname = \"n\"\n");
    let purposes = files.get_mut("purposes.toml").unwrap();
    purposes.push_str("\n[[purpose]]\npath = \"program-administration/audit\"\ntitle = \"t\"\n");
    let new = load(files).unwrap();
    let found = impact_of_packs(&shipped(), &new).unwrap();
    assert_eq!(found.texts.elements.added, ["shoe_size"]);
    assert_eq!(found.texts.agencies.added, ["hhs/cms/oit"]);
    assert_eq!(found.texts.purposes.added, ["program-administration/audit"]);
    assert_eq!(found.verdict(), Verdict::Looser);
    let is_new = |one: &Difference| {
        one.elements == ["shoe_size"]
            || one.purposes == ["program-administration/audit"]
            || one.custodians == ["hhs/cms/oit"]
            || one.recipients == ["hhs/cms/oit"]
    };
    for one in &found.gained {
        assert!(is_new(one), "{one:#?}");
    }
    let back = impact_of_packs(&new, &shipped()).unwrap();
    assert_eq!(back.verdict(), Verdict::Stricter);
    assert_eq!(back.texts.elements.removed, ["shoe_size"]);
}

#[test]
fn a_value_that_comes_or_goes_is_compared_as_unknown_where_it_is_not_known() {
    let schema = &shipped_files()["schema.cedarschema"];
    let presence = schema
        .lines()
        .find(|line| line.contains("entity Presence"))
        .unwrap();
    let more = presence.replace("\"lawful\"", "\"lawful\", \"paroled\"");
    let new = edited("schema.cedarschema", presence, &more);
    let found = impact_of_packs(&shipped(), &new).unwrap();
    assert_eq!(found.texts.values.added, ["presence is paroled"]);
    // No permit turns on it, and every forbid that asks for `not_lawful` holds as for `unknown`.
    assert_eq!(found.verdict(), Verdict::Same, "{:#?}", found.gained);
}

/// What is gained and lost, told apart from how it is grouped.
fn plain(side: &[Difference], domain: &Domain) -> Vec<String> {
    let mut rows: Vec<String> = side
        .iter()
        .map(|one| {
            let when = one.when.display(domain);
            let Difference { custodians, recipients, purposes, elements, periods, .. } = one;
            let (go, hold) = (&one.lets_go, &one.holds_back);
            format!("{custodians:?} {recipients:?} {purposes:?} {elements:?} {when} {periods:?} {go:?} {hold:?}")
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn random_packs_gain_what_the_other_way_round_they_lose_and_the_authorizer_agrees() {
    let mut dice = Dice::new(7);
    let mut refused = Vec::new();
    let mut met = BTreeMap::new();
    for _ in 0..16 {
        let (old, old_pack) = Pack::random(&mut dice).load_what_can_be(&mut refused);
        let (new, new_pack) = Pack::random(&mut dice).load_what_can_be(&mut refused);
        let (before, after) = (day(&mut dice), day(&mut dice));
        let law = |pack, on| LawPack::in_force(pack, on, SignOff::Demonstration).unwrap();
        let (a, b) = (law(&old_pack, before), law(&new_pack, after));
        let forth = impact(&a, &b).unwrap();
        let back = impact(&b, &a).unwrap();
        assert_eq!(
            plain(&forth.gained, &forth.domain),
            plain(&back.lost, &back.domain)
        );
        assert_eq!(
            plain(&forth.lost, &forth.domain),
            plain(&back.gained, &back.domain)
        );
        *met.entry(forth.verdict().as_str()).or_insert(0) += 1;
        for _ in 0..6 {
            let query = crate::random::query(&mut dice, &old_pack);
            let mut said = [
                Stock::new(&old, before, query.clone()),
                Stock::new(&new, after, query.clone()),
            ];
            // The family is one agency to both packs unless one of them names this one.
            let path = |path: &str| match path {
                "research/umich" if !named(&old) && !named(&new) => "research/*".to_owned(),
                other => other.to_owned(),
            };
            let names = [path(&query.custodian.path), path(&query.recipient.path)];
            let flow = [
                names[0].as_str(),
                names[1].as_str(),
                query.purpose.path.as_str(),
            ];
            for _ in 0..24 {
                let element = *dice.pick(&ELEMENTS);
                let (record, attributes) = someone(&mut dice, &forth.domain);
                let [was, is] = [0, 1].map(|at: usize| said[at].says(element, &attributes).0);
                let asked = Asked {
                    flow,
                    element,
                    record: &record,
                };
                assert_eq!(among(&forth.gained, &asked, &forth.domain), !was && is);
                assert_eq!(among(&forth.lost, &asked, &forth.domain), was && !is);
            }
        }
    }
    assert!(met.len() >= 3, "{met:?}");
    assert!(!AGENCIES.is_empty() && !PURPOSES.is_empty());
}

fn named(pack: &Pack) -> bool {
    let mut provisions = pack.instruments.iter().flat_map(|one| &one.provisions);
    provisions.any(|(_, policy)| policy.contains("research/umich"))
}

fn someone(dice: &mut Dice, domain: &Domain) -> (Signature, Attributes) {
    let mut record = Signature::unknown(domain);
    let mut attributes = Attributes::new();
    for (name, _, values) in ATTRIBUTES {
        let value = *dice.pick(values);
        let (at, _) = domain.attribute(name).unwrap();
        record = record.with(at, domain.value(at, value).unwrap());
        attributes.insert(name.to_owned(), value.to_owned());
    }
    (record, attributes)
}

#[test]
fn what_is_gained_is_told_in_the_order_of_time() {
    let mut files = crate::pack::shipped_files();
    for (folder, from, to) in [
        (
            "cms-ice-exchange-agreement-2025-07",
            "2025-07-15",
            "2025-08-01",
        ),
        ("90-fr-53324", "2025-11-25", "2025-12-01"),
    ] {
        let path = format!("instruments/{folder}/instrument.toml");
        let text = files.get_mut(&path).unwrap();
        let on = |day: &str| format!("on = \"{day}\"\nkind = \"effective\"");
        assert!(text.contains(&on(from)), "{text}");
        *text = text.replace(&on(from), &on(to));
    }
    let found = impact_of_packs(&crate::pack::load(files).unwrap(), &shipped()).unwrap();
    let starts = found.gained.iter().map(|one| one.periods[0].from);
    let starts: Vec<String> = starts.map(|day| day.to_string()).collect();
    assert!(starts.is_sorted(), "{starts:?}");
    assert_eq!(starts.first().map(String::as_str), Some("2025-07-15"));
    assert_eq!(starts.last().map(String::as_str), Some("2025-11-25"));
}
