//! What was known on a day: facts recorded later do not count, and hindsight tells which.

use chancery_law::{Error, Hindsight, LawPack, PackSource, Retrospect, SignOff};
use chancery_model::Signature;
use jiff::civil::Date;

use crate::pack::{civil, shipped, shipped_files};
use crate::random::{instrument_toml, vocabulary};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// A record with these attributes, of which every other is unknown.
fn record(pack: &LawPack, attributes: &[(&str, &str)]) -> Signature {
    let domain = pack.domain();
    let unknown = Signature::unknown(domain);
    attributes.iter().fold(unknown, |record, (name, value)| {
        let (at, _) = domain.attribute(name).unwrap();
        record.with(at, domain.value(at, value).unwrap())
    })
}

fn retrospect(on: &str, known: &str) -> (LawPack, Retrospect) {
    let pack = shipped();
    let then = pack.as_known(date(known));
    let then = then.in_force(date(on), SignOff::Demonstration).unwrap();
    let then = then.decide(&civil(&pack)).unwrap();
    let now = pack.in_force(date(on), SignOff::Demonstration).unwrap();
    let now = now.decide(&civil(&pack)).unwrap();
    let retrospect = Retrospect::of(&then, &now);
    (pack, retrospect)
}

#[test]
fn wisconsin_just_joined_is_known_only_later_and_california_was_unlawful_then() {
    let (pack, audit) = retrospect("2026-03-28", "2026-03-28");
    let noncitizen = ("citizenship", "noncitizen");
    let from = |origin| record(&pack, &[noncitizen, ("origin", origin)]);
    let later = Hindsight::KnownOnlyLater;
    assert_eq!(audit.cell("name", &from("55")), later);
    assert_eq!(audit.cell("birth_date", &from("21")), later);
    assert_eq!(audit.cell("name", &from("06")), Hindsight::Unlawful);
    assert_eq!(audit.cell("name", &from("48")), Hindsight::Lawful);
    assert_eq!(audit.cell("diagnosis", &from("48")), Hindsight::Unlawful);
    let certain = [
        noncitizen,
        ("presence", "not_lawful"),
        ("program", "medicaid"),
    ];
    let open = record(&pack, &[&certain[..], &[("origin", "55")]].concat());
    assert_eq!(audit.cell("birth_date", &open), Hindsight::Lawful);
    assert_eq!(audit.cell("address", &open), later);
    let people = audit.people("name", later, pack.domain());
    assert_eq!(
        people.display(pack.domain()).to_string(),
        "citizenship is noncitizen and origin is 21 or 55"
    );
}

#[test]
fn once_recorded_nothing_is_known_only_later() {
    let (pack, audit) = retrospect("2026-03-28", "2026-03-31");
    for element in pack.vocabulary().element_names() {
        for what in [Hindsight::KnownOnlyLater, Hindsight::LawfulOnlyLater] {
            let people = audit.people(element, what, pack.domain());
            assert_eq!(people, chancery_model::Predicate::Never, "{element}");
        }
    }
}

#[test]
fn what_was_not_recorded_yet_lets_nothing_go_and_holds_nothing_back() {
    let pack = shipped();
    let then = pack.as_known(date("2025-07-01"));
    assert_eq!(then.known_by(), Some(date("2025-07-01")));
    assert_eq!(then.digest, pack.digest);
    let agreement = then.instrument("us/hhs/cms-ice-exchange-agreement-2025-07");
    assert!(!agreement.unwrap().in_force(date("2025-07-20")));
    let law = then
        .in_force(date("2025-07-20"), SignOff::Demonstration)
        .unwrap();
    let ruling = law.decide(&civil(&pack)).unwrap();
    assert!(
        ruling
            .elements
            .iter()
            .all(|e| e.released_when == chancery_model::Predicate::Never)
    );
    // What is known never grows by looking from an earlier day.
    let later = then.as_known(date("2026-03-31"));
    assert_eq!(later.known_by(), Some(date("2025-07-01")));
}

#[test]
fn facts_are_known_from_their_own_day_their_instruments_or_the_day_they_name() {
    let toml = "[[event]]\non = \"2025-01-01\"\nkind = \"effective\"\n\
                [[event]]\non = \"2025-06-01\"\nkind = \"stayed\"\nrecorded = \"2025-06-20\"\n\
                [[party]]\norigin = \"06\"\nname = \"p\"\nfrom = \"2025-02-01\"\n";
    let load = |own: &str| {
        let mut files = vocabulary();
        let text = instrument_toml("x", toml);
        let text = text.replace("[source]", &format!("{own}[source]"));
        files.insert("instruments/x/instrument.toml".to_owned(), text);
        files.insert("instruments/x/provisions.cedar".to_owned(), String::new());
        LawPack::load(&PackSource::new("law", files)).unwrap()
    };
    let state = |pack: &LawPack, on: &str, known: &str| {
        let pack = pack.as_known(date(known));
        let x = pack.instrument("x").unwrap().clone();
        (x.in_force(date(on)), x.covered_on(date(on)).len())
    };
    let plain = load("");
    assert_eq!(state(&plain, "2025-06-02", "2024-12-31"), (false, 0));
    assert_eq!(state(&plain, "2025-06-02", "2025-01-01"), (true, 0));
    assert_eq!(state(&plain, "2025-06-02", "2025-02-01"), (true, 1));
    assert_eq!(state(&plain, "2025-06-02", "2025-06-19"), (true, 1));
    assert_eq!(state(&plain, "2025-06-02", "2025-06-20"), (false, 1));
    let late = load("recorded = \"2025-03-01\"\n");
    assert_eq!(state(&late, "2025-06-02", "2025-02-28"), (false, 0));
    assert_eq!(state(&late, "2025-06-02", "2025-03-01"), (true, 1));
    assert_eq!(state(&late, "2025-06-02", "2025-06-20"), (false, 1));
}

#[test]
fn a_day_of_recording_that_cannot_be_is_refused_at_its_line() {
    let order = "instruments/order-2025-12-29/instrument.toml";
    for (from, to, problem) in [
        (
            "recorded = \"2026-03-31\"",
            "recorded = \"2025-12-28\"",
            "before the first event",
        ),
        (
            "recorded = \"2026-03-31\"",
            "recorded = \"2062-03-31\"",
            "years after the last event",
        ),
        (
            "kind = \"effective\"",
            "kind = \"effective\"\nrecorded = \"2025-01-06\"",
            "before the first event",
        ),
        (
            "review =",
            "recorded = \"2020-01-01\"\nreview =",
            "before the first event",
        ),
        ("recorded = \"2026-03-31\"", "recorded = \"soon\"", "year"),
    ] {
        let mut files = shipped_files();
        let text = files.get_mut(order).unwrap();
        assert!(text.contains(from));
        *text = text.replacen(from, to, 1);
        let Err(Error::Invalid(faults)) = LawPack::load(&PackSource::new("law", files)) else {
            panic!("let through: {to}");
        };
        assert!(faults[0].to_string().contains(problem), "{}", faults[0]);
        assert_eq!(faults[0].place.file, format!("law/{order}"));
        assert!(faults[0].place.line.is_some(), "{}", faults[0]);
    }
}
