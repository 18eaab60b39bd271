//! The law of a day as files that Cedar's own command line tool can decide with.

use std::collections::{BTreeMap, BTreeSet};

use chancery_law::{Asked, Bundle, LawPack, SignOff, Standing, State};
use chancery_model::Signature;

use crate::pack::{civil, shipped};

fn asked(pack: &LawPack, elements: &[&str]) -> Asked {
    Asked {
        query: civil(pack),
        elements: elements.iter().map(ToString::to_string).collect(),
    }
}

fn person(pack: &LawPack, known: &[(&str, &str)]) -> Signature {
    let domain = pack.domain();
    let unknown = Signature::unknown(domain);
    known.iter().fold(unknown, |person, (name, value)| {
        let (at, _) = domain.attribute(name).unwrap();
        person.with(at, domain.value(at, value).unwrap())
    })
}

/// A noncitizen of California whose address may leave, one whose address may not, the same of
/// Texas, and a citizen.
fn people(pack: &LawPack) -> Vec<Signature> {
    let open = [
        ("citizenship", "noncitizen"),
        ("presence", "not_lawful"),
        ("program", "medicaid"),
        ("household", "no_protected_member"),
    ];
    let with = |more: &[(&str, &str)]| person(pack, &[&open[..], more].concat());
    vec![
        with(&[("origin", "06")]),
        with(&[("origin", "06"), ("household", "has_protected_member")]),
        with(&[("origin", "48"), ("presence", "unknown")]),
        with(&[("origin", "06"), ("presence", "lawful")]),
        with(&[("origin", "48"), ("citizenship", "citizen")]),
    ]
}

fn bundle(pack: &LawPack, on: &str, elements: &[&str]) -> Bundle {
    let law = pack
        .in_force(on.parse().unwrap(), SignOff::Demonstration)
        .unwrap();
    let asked = asked(pack, elements);
    let people = people(pack);
    law.export(Some(&asked), &people.iter().collect()).unwrap()
}

const ELEMENTS: [&str; 5] = ["enrollment", "address", "name", "ssn", "diagnosis"];

/// The table's lines without their policies: element, attributes by which the record is known, and
/// answer.
fn answers(pack: &LawPack, bundle: &Bundle) -> BTreeMap<(String, usize), (String, String)> {
    let records: BTreeSet<Signature> = people(pack).into_iter().collect();
    let order: Vec<Signature> = records.into_iter().collect();
    let lines = bundle.files["decisions.csv"].lines().skip(1);
    lines
        .map(|line| {
            let parts: Vec<&str> = line.split(',').collect();
            let at: usize = parts[1].trim_start_matches('r').parse().unwrap();
            let who = people(pack)
                .iter()
                .position(|p| *p == order[at - 1])
                .unwrap();
            (
                (parts[0].to_owned(), who),
                (parts[2].to_owned(), parts[3].to_owned()),
            )
        })
        .collect()
}

#[test]
fn a_bundle_says_what_must_be_answered_and_by_what() {
    let pack = shipped();
    let bundle = bundle(&pack, "2026-01-10", &ELEMENTS);
    let said = answers(&pack, &bundle);
    assert_eq!(said.len(), ELEMENTS.len() * 5);
    let said = |element: &str, who: usize| said[&(element.to_owned(), who)].clone();
    let notice = "us/fr/90-53324#biographical-contact-location";
    let order = "us/cand/3-25-cv-05536/order-2025-12-29";
    assert_eq!(said("address", 0), ("ALLOW".into(), notice.into()));
    assert_eq!(
        said("address", 1),
        ("DENY".into(), format!("{order}#shared-household"))
    );
    assert_eq!(said("enrollment", 1).0, "ALLOW");
    assert_eq!(said("address", 2), ("ALLOW".into(), notice.into()));
    assert!(said("address", 3).1.contains("#unlawfully-present-only"));
    assert!(said("name", 0).1.contains("#six-elements"));
    assert_eq!(said("name", 2).0, "ALLOW");
    for who in 0..5 {
        assert_eq!(said("ssn", who).0, "DENY");
        assert_eq!(said("diagnosis", who).0, "DENY");
    }
    assert_eq!(said("address", 4).0, "DENY");
    assert_eq!((bundle.records, bundle.decisions), (5, 25));
}

#[test]
fn a_bundle_is_whole_and_the_same_each_time() {
    let pack = shipped();
    let one = bundle(&pack, "2026-01-10", &ELEMENTS);
    assert_eq!(one, bundle(&shipped(), "2026-01-10", &ELEMENTS));
    assert_ne!(one, bundle(&pack, "2025-12-01", &ELEMENTS));
    let sums: Vec<&str> = one.files["SHA256SUMS"].lines().collect();
    assert_eq!(sums.len(), one.files.len() - 1, "of every other file");
    let policies = &one.files["policies.cedar"];
    assert_eq!(policies.matches("@id(\"us/").count(), one.policies);
    assert_eq!(policies.matches("@clause(").count(), one.policies);
    assert_eq!(policies.matches("@reason(").count(), one.policies);
    assert!(
        !policies.contains("order-2025-08-12#"),
        "no longer in force"
    );
    assert!(one.files["contexts/address.json"].contains("immigration-enforcement/civil"));
    for text in [
        "cedar validate",
        "cedar authorize",
        "2026-01-10",
        "order-2025-12-29",
        "unverified sample",
        "| `presence` | `lawful`, `not_lawful`, `unknown` | Whether the person resides lawfully.",
        "big-endian",
        "tenths of a second",
    ] {
        assert!(one.files["README.md"].contains(text), "{text}");
    }
}

/// The page names every file, and gives each permit that does not count its own reason.
#[test]
fn the_page_of_a_bundle_lists_its_files_and_reasons() {
    let pack = shipped();
    let whole = bundle(&pack, "2026-01-10", &ELEMENTS);
    let page = &whole.files["README.md"];
    for name in whole.files.keys() {
        let name = name.split_inclusive('/').next().unwrap();
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
    let nobody = Standing::default();
    let law = pack
        .in_force("2025-09-01".parse().unwrap(), SignOff::Required(&nobody))
        .unwrap();
    let unknown = Signature::unknown(pack.domain());
    let bundle = law.export(None, &BTreeSet::from([&unknown])).unwrap();
    let page = &bundle.files["README.md"];
    for idle in law.not_counting() {
        let why = idle.why.says(&idle.instrument.short);
        let line = format!("- `{}`: {why}\n", idle.provision.id);
        assert!(page.contains(&line), "{line}");
    }
    assert!(!page.contains("`rerun.sh` |"), "{page}");
}

/// Without a request there is the law, and a record of whom nothing is known.
#[test]
fn a_bundle_without_a_request_is_the_law_alone() {
    let pack = shipped();
    let nobody = Standing::default();
    let law = pack
        .in_force("2025-09-01".parse().unwrap(), SignOff::Required(&nobody))
        .unwrap();
    let unknown = Signature::unknown(pack.domain());
    let bundle = law.export(None, &BTreeSet::from([&unknown])).unwrap();
    assert_eq!(bundle.decisions, 0);
    assert!(!bundle.files.contains_key("decisions.csv"));
    assert!(bundle.files["entities.json"].contains("state/06/medicaid"));
    assert!(
        !bundle.files["policies.cedar"].contains("permit ("),
        "nothing is signed"
    );
    assert!(bundle.files["README.md"].contains("is unsigned: nobody has signed it off."));
}

/// An edited instrument is exported in both editions. Less leaves than Cedar alone would allow.
#[test]
fn an_edited_instrument_is_there_in_both_editions() {
    use crate::editions::{ask, forbid, on, origin, pack, people, permit, standing};
    let either = format!("{} || {}", origin("06"), origin("48"));
    let signed = pack(&[], &permit("go", &either));
    let edited = format!("{} || {}", origin("06"), origin("53"));
    let recorded = pack(&[], &(permit("go", &edited) + &forbid("stay", &edited)));
    let standing = standing(State::Signed, Some(signed));
    let law = recorded
        .in_force(on(), SignOff::Required(&standing))
        .unwrap();
    let asked = Asked {
        query: ask(&recorded),
        elements: vec!["name".to_owned()],
    };
    let people = people(&recorded);
    let records = people.iter().map(|(_, signature)| signature).collect();
    let bundle = law.export(Some(&asked), &records).unwrap();
    assert!(bundle.files["policies.cedar"].contains("@id(\"x/1#go@signed\")"));
    assert!(bundle.files["README.md"].contains("apply in both editions"));
    let lines: Vec<&str> = bundle.files["decisions.csv"].lines().skip(1).collect();
    // Records are in the order of their origins: 06, 48, 53, 56, unknown.
    assert_eq!(
        lines,
        [
            "name,r1,ALLOW,x/1#go x/1#go@signed,yes",
            "name,r2,DENY,x/1#stay,no",
            "name,r3,ALLOW,x/1#go,no",
            "name,r4,DENY,x/1#stay,no",
            "name,r5,DENY,x/1#stay,no",
        ]
    );
}

#[cfg(feature = "stock-cedar")]
mod stock {
    use std::path::Path;
    use std::process::{Command, Output};

    use super::{Bundle, ELEMENTS, bundle};
    use crate::pack::shipped;

    fn written(bundle: &Bundle) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in &bundle.files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    fn tool() -> String {
        std::env::var("CEDAR").expect("CEDAR names Cedar's command line tool")
    }

    fn run(dir: &Path, program: &str, args: &[&str]) -> Output {
        let output = Command::new(program).args(args).current_dir(dir).output();
        output.unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// Every command of the bundle's README, as it stands there.
    fn readme(dir: &Path) -> String {
        let text = std::fs::read_to_string(dir.join("README.md")).unwrap();
        let blocks = text.split("```sh\n").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap());
        blocks
            .collect::<String>()
            .replace("cedar ", &format!("{} ", tool()))
    }

    #[test]
    fn cedars_own_tool_decides_as_the_bundle_says() {
        let pack = shipped();
        for on in ["2025-07-20", "2025-12-01", "2026-01-10"] {
            let dir = written(&bundle(&pack, on, &ELEMENTS));
            let mut rerun = Command::new("sh");
            rerun.arg("rerun.sh").env("CEDAR", tool());
            let output = rerun.current_dir(dir.path()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{on}: {said}");
            assert!(said.ends_with("25 decisions, 0 differ\n"), "{on}: {said}");
        }
    }

    #[test]
    fn the_commands_of_the_readme_work() {
        let dir = written(&bundle(&shipped(), "2026-01-10", &["address", "name"]));
        let script = format!("export CEDAR='{}'\n{}", tool(), readme(dir.path()));
        let output = run(dir.path(), "sh", &["-c", &script]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}{wrong}");
        assert!(said.contains("policy set validation passed"), "{said}");
        assert!(said.contains("5 decisions, 0 differ"), "{said}");
    }

    /// A policy that was tampered with answers otherwise, and the digests tell.
    #[test]
    fn tampering_is_seen() {
        let dir = written(&bundle(&shipped(), "2026-01-10", &["address"]));
        let path = dir.path().join("policies.cedar");
        let text = std::fs::read_to_string(&path).unwrap();
        let weaker = text.replace("no_protected_member", "has_protected_member");
        assert_ne!(text, weaker);
        std::fs::write(&path, weaker).unwrap();
        let mut rerun = Command::new("sh");
        rerun
            .arg("rerun.sh")
            .env("CEDAR", tool())
            .current_dir(dir.path());
        let output = rerun.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(
            said.contains("address of r") && said.contains("5 decisions, 3 differ"),
            "{said}"
        );
        let sums = run(
            dir.path(),
            "sha256sum",
            &["--check", "--strict", "SHA256SUMS"],
        );
        assert!(!sums.status.success());
    }
}
