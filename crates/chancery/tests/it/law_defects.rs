//! Law packs with a defect: each is refused with its file, line and span, and nothing leaves.

use std::path::PathBuf;

use crate::workbench::{Bench, INTEGRITY, names};

const PROVISIONS: &str = "instruments/order-2025-12-29/provisions.cedar";
const INSTRUMENT: &str = "instruments/order-2025-12-29/instrument.toml";
const PERSON: &str = "unless { resource.presence == Presence::\"not_lawful\" };";

/// A text of the shipped pack, what stands there instead, and what is said of it.
struct Defect {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    says: &'static str,
}

const fn defect(
    file: &'static str,
    from: &'static str,
    to: &'static str,
    says: &'static str,
) -> Defect {
    Defect {
        file,
        from,
        to,
        says,
    }
}

const DEFECTS: [Defect; 23] = [
    defect(
        PROVISIONS,
        PERSON,
        "unless { 9223372036854775807 + 1 == 2 };",
        "+",
    ),
    defect(PROVISIONS, PERSON, "unless { 1 < 2 };", "<"),
    defect(PROVISIONS, PERSON, "unless { \"a\" like \"a*\" };", "like"),
    defect(
        PROVISIONS,
        PERSON,
        "unless { resource has presence };",
        "has",
    ),
    defect(
        PROVISIONS,
        PERSON,
        "unless { resource.presence == Presence::\"unlawful\" };",
        "unlawful",
    ),
    defect(
        PROVISIONS,
        PERSON,
        "unless { resource.presense == Presence::\"not_lawful\" };",
        "presense",
    ),
    defect(
        PROVISIONS,
        PERSON,
        "when { resource.presence == Presence::\"lawful\" };",
        "would escape this forbid",
    ),
    defect(
        PROVISIONS,
        PERSON,
        "unless { resource.presence != Presence::\"lawful\" };",
        "would escape this forbid",
    ),
    defect(
        PROVISIONS,
        PERSON,
        "unless { resource.presence == };",
        "unexpected",
    ),
    defect(
        PROVISIONS,
        "context.element in ElementSet::\"the_six\" ||",
        "context.element in ElementSet::\"the_sixty\" ||",
        "`the_sixty`",
    ),
    defect(
        PROVISIONS,
        "context.element in ElementSet::\"the_six\" ||",
        "context.element == Element::\"adress\" ||",
        "unknown element `adress`",
    ),
    defect(
        PROVISIONS,
        "principal in Agency::\"dhs\"",
        "principal in Agency::\"dhhs\"",
        "unknown agency `dhhs`",
    ),
    defect(
        PROVISIONS,
        "principal in Agency::\"dhs\"",
        "principal in ?principal",
        "template",
    ),
    defect(
        PROVISIONS,
        "Purpose::\"immigration-enforcement/civil\"",
        "Purpose::\"immigration-enforcement/cvil\"",
        "unknown purpose",
    ),
    defect(
        PROVISIONS,
        "@id(\"medicaid-only\")",
        "@id(\"six-elements\")",
        "six-elements",
    ),
    defect(PROVISIONS, "@id(\"medicaid-only\")\n", "", "@id"),
    defect(
        PROVISIONS,
        "@reason(\"Only Medicaid records were left open by the court. This person has other coverage, or it cannot be told.\")\n",
        "",
        "@reason",
    ),
    defect(
        PROVISIONS,
        "medicaid-program-only,records",
        "medicaid-program-alone,records",
        "medicaid-program-alone",
    ),
    defect(
        INSTRUMENT,
        "on = \"2026-01-06\"",
        "on = \"2025-12-28\"",
        "backwards",
    ),
    defect(
        INSTRUMENT,
        "Effective 6 January 2026, for",
        "Effective 7 January 2026, for",
        "digest",
    ),
    defect(
        INSTRUMENT,
        "origin = \"06\"",
        "origin = \"03\"",
        "is not an origin",
    ),
    defect(
        INSTRUMENT,
        "kind = \"effective\"",
        "kind = \"affective\"",
        "affective",
    ),
    defect(
        "elements.toml",
        "members = [\"medicaid_id\", \"birth_date\",",
        "members = [\"medicaid_id\", \"birthdate\",",
        "birthdate",
    ),
];

fn pack(bench: &Bench) -> PathBuf {
    bench.workspace().join("law/us-medicaid")
}

/// Where `error` says that the fault lies: a line and a column of `file`, with the text marked.
fn points_into(error: &str, file: &str) -> bool {
    error.lines().any(|line| {
        let place = line
            .split(file)
            .nth(1)
            .and_then(|rest| rest.strip_prefix(':'));
        let mut parts = place.unwrap_or_default().split(':');
        let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
        number().is_some() && number().is_some()
    }) && error.contains('^')
}

#[test]
fn every_defect_is_refused_where_it_stands() {
    let bench = Bench::with_people();
    bench.file("r.toml", INTEGRITY);
    let mut problems = Vec::new();
    for Defect {
        file,
        from,
        to,
        says,
    } in DEFECTS
    {
        let path = pack(&bench).join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "the shipped pack has no `{from}`");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        for args in [
            &["law", "check"][..],
            &["release", "r.toml", "--on", "2026-01-10"],
        ] {
            let ran = bench.run(args);
            let sound = ran.code == Some(3)
                && ran.stdout.is_empty()
                && ran.stderr.contains(says)
                && ran.stderr.contains("hint: ")
                && points_into(&ran.stderr, file);
            if !sound {
                problems.push(format!(
                    "{args:?} with `{to}` (should say `{says}`): {ran:#?}"
                ));
                break;
            }
        }
        std::fs::write(&path, text).unwrap();
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    bench.expect_nothing_left();
    assert_eq!(bench.logged(), ["workspace"]);
    bench
        .run(&["release", "r.toml", "--on", "2026-01-10"])
        .expect(0);
}

#[test]
fn two_instruments_with_one_id_are_refused() {
    let bench = Bench::new();
    let instruments = pack(&bench).join("instruments");
    let twin = instruments.join("twin");
    std::fs::create_dir(&twin).unwrap();
    for name in names(&instruments.join("order-2025-12-29")) {
        let from = instruments.join("order-2025-12-29").join(&name);
        std::fs::copy(from, twin.join(&name)).unwrap();
    }
    let error = bench.run(&["law", "check"]).expect_error(3);
    assert!(
        error.contains("us/cand/3-25-cv-05536/order-2025-12-29"),
        "{error}"
    );
    assert!(points_into(&error, "instrument.toml"), "{error}");
}

/// What the dataset was classified by is no longer what the pack says.
#[test]
fn a_dataset_classified_by_another_table_is_refused() {
    let bench = Bench::with_people();
    bench.file("r.toml", INTEGRITY);
    let path = pack(&bench).join("classification.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replacen(
            "codes = [\"0\", \"1\", \"2\"]",
            "codes = [\"0\", \"1\", \"2\", \"3\"]",
            1,
        ),
    )
    .unwrap();
    let error = bench
        .run(&["release", "r.toml", "--on", "2026-01-10"])
        .expect_error(1);
    assert!(error.contains("chancery dataset classify tmsis"), "{error}");
    bench.expect_nothing_left();
    bench.run(&["dataset", "classify", "tmsis"]).expect(0);
    bench
        .run(&["release", "r.toml", "--on", "2026-01-10"])
        .expect(0);
}
