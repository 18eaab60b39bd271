//! What lies on a pack adds to it, and changes nothing in it.

use std::collections::{BTreeMap, BTreeSet};

use chancery_law::{Error, LawPack, PackSource, Query, SignOff};
use chancery_model::{Fault, Signature};

use crate::pack::{files_of, shipped, shipped_files};

type Files = BTreeMap<String, String>;

const HEAD: &str = "name = \"here\"\ntitle = \"t\"\nversion = \"1\"\nover = \"us-medicaid\"\n";

fn sample() -> Files {
    files_of("overlays/ca-dhcs")
}

/// An overlay with these files.
fn overlay(files: &[(&str, &str)]) -> Files {
    let head = std::iter::once(&("overlay.toml", HEAD));
    let files = head.chain(files);
    files
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

/// An overlay with one instrument.
fn instrument(id: &str, provisions: &str, more: &[(&str, &str)]) -> Files {
    let mut files = overlay(more);
    let party = "[[event]]\non = \"2000-01-01\"\nkind = \"effective\"\n\
                 [[party]]\norigin = \"06\"\nname = \"p\"\nfrom = \"2000-01-01\"\n";
    let toml = crate::random::instrument_toml(id, party);
    files.insert("instruments/here/instrument.toml".to_owned(), toml);
    files.insert(
        "instruments/here/provisions.cedar".to_owned(),
        provisions.to_owned(),
    );
    files
}

fn source(overlays: &[Files]) -> PackSource {
    let pack = PackSource::new("law", shipped_files());
    overlays
        .iter()
        .enumerate()
        .fold(pack, |source, (at, files)| {
            source.with_overlay(format!("over{at}"), files.clone())
        })
}

fn load(overlays: &[Files]) -> LawPack {
    match LawPack::load(&source(overlays)) {
        Ok(pack) => pack,
        Err(Error::Invalid(faults)) => panic!("{faults:#?}"),
        Err(other) => panic!("{other}"),
    }
}

fn refused(overlays: &[Files]) -> Vec<Fault> {
    match LawPack::load(&source(overlays)) {
        Ok(_) => panic!("let through"),
        Err(Error::Invalid(faults)) => faults,
        Err(other) => panic!("{other}"),
    }
}

/// That one overlay is refused at a line of one of its files that has `line`.
#[track_caller]
fn refuse(files: Files, file: &str, line: &str, problem: &str) {
    let fault = refused(&[files]).remove(0);
    assert_eq!(fault.place.file, format!("over0/{file}"), "{fault}");
    assert!(
        fault.to_string().contains(problem),
        "{fault}\nexpected: {problem}"
    );
    if !line.is_empty() {
        assert_eq!(fault.place.excerpt.as_deref(), Some(line), "{fault}");
    }
    assert!(
        fault.hint.is_some() || fault.place.line.is_some(),
        "{fault}"
    );
}

fn on() -> jiff::civil::Date {
    "2026-01-10".parse().unwrap()
}

fn query(pack: &LawPack, custodian: &str, recipient: &str, purpose: &str) -> Query {
    let words = pack.vocabulary();
    Query {
        custodian: words.agency(custodian).unwrap(),
        recipient: words.agency(recipient).unwrap(),
        purpose: words.purpose(purpose).unwrap().clone(),
    }
}

/// The elements that a request may have about somebody of an origin, both evaluators agreeing on
/// people of several kinds.
fn lawful(pack: &LawPack, flow: [&str; 3], origin: &str) -> BTreeSet<String> {
    let [custodian, recipient, purpose] = flow;
    let in_force = pack.in_force(on(), SignOff::Demonstration).unwrap();
    let ruling = in_force
        .decide(&query(pack, custodian, recipient, purpose))
        .unwrap();
    let domain = pack.domain();
    let (at, _) = domain.attribute("origin").unwrap();
    let unknown = Signature::unknown(domain).with(at, domain.value(at, origin).unwrap());
    let (citizenship, _) = domain.attribute("citizenship").unwrap();
    let citizen = unknown.with(citizenship, domain.value(citizenship, "citizen").unwrap());
    let elements = ruling
        .elements
        .iter()
        .filter(|e| e.released_when.holds(&citizen));
    let elements = elements.map(|e| e.element.clone()).collect();
    in_force
        .confirm(ruling, &[&unknown, &citizen].into())
        .unwrap();
    elements
}

#[test]
fn the_digest_covers_every_layer_and_is_that_of_the_pack_without_overlays() {
    let alone = source(&[]);
    let pack = alone.layers().next().unwrap();
    assert_eq!(alone.digest(), pack.digest());
    assert_eq!(shipped().digest, alone.digest());
    let (a, b) = (overlay(&[]), overlay(&[("README.md", "b")]));
    let digests: BTreeSet<_> = [
        vec![],
        vec![a.clone()],
        vec![b.clone()],
        vec![a.clone(), b.clone()],
        vec![b, a.clone()],
        vec![a.clone(), a],
    ]
    .iter()
    .map(|overlays| source(overlays).digest())
    .collect();
    assert_eq!(digests.len(), 6, "two different laws have one digest");
}

/// What is signed apart from the instruments: the words, not the prose.
#[test]
fn the_base_of_a_layer_is_its_files_but_for_instruments_and_prose() {
    let base = |files: Files| source(&[files]).layers().nth(1).unwrap().base_digest();
    let before = base(sample());
    let mut files = sample();
    files.insert("README.md".to_owned(), "text".to_owned());
    files.retain(|path, _| !path.starts_with("instruments/"));
    assert_eq!(base(files), before);
    let mut files = sample();
    files.get_mut("elements.toml").unwrap().push_str("# more\n");
    assert_ne!(base(files), before);
    let pack = load(&[sample()]);
    let names: Vec<&str> = pack
        .layers
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(names, ["us-medicaid", "ca-dhcs"]);
    assert_eq!(pack.layers[1].base, before);
    let source = source(&[sample()]);
    let names: Vec<_> = source.layers().map(|layer| layer.name().unwrap()).collect();
    assert_eq!(names, ["us-medicaid", "ca-dhcs"]);
}

/// Every question about words of the pack has the answer it has without the overlay, and every other
/// question the answer that nothing leaves: whoever wrote a permit did not know the new word.
#[test]
fn words_alone_change_no_answer() {
    let words = overlay(&[
        (
            "agencies.toml",
            "[[agency]]\npath = \"new/unit\"\nname = \"n\"\n\
             [[agency]]\npath = \"new\"\nname = \"n\"\n\
             [[agency]]\npath = \"newer/*\"\nname = \"n\"\nids = \"any\"\nin = [\"new\"]\n",
        ),
        (
            "purposes.toml",
            "[[purpose]]\npath = \"fresh/part\"\ntitle = \"t\"\n[[purpose]]\npath = \"fresh\"\ntitle = \"t\"\n",
        ),
        (
            "elements.toml",
            "[[element]]\nname = \"e\"\ntitle = \"t\"\n\
             [[set]]\nname = \"s\"\ntitle = \"t\"\nmembers = [\"e\", \"ssn\"]\n",
        ),
    ]);
    let (before, after) = (shipped(), load(&[words]));
    let (asked_before, asked) = (
        before.questions(&[]).unwrap(),
        after.questions(&[]).unwrap(),
    );
    let (mut same, mut new) = (0, 0);
    for day in ["2025-12-01", "2026-01-10"] {
        let day = day.parse().unwrap();
        let law = |pack: &LawPack, questions: &chancery_law::enumerate::Questions| {
            let in_force = pack.in_force(day, SignOff::Demonstration).unwrap();
            in_force.answers(questions, "disclose").unwrap()
        };
        let (old, now) = (law(&before, &asked_before), law(&after, &asked));
        let is_new = |name: &String| {
            ["new", "newer", "fresh", "e"].contains(&name.split('/').next().unwrap())
        };
        // Of what no provision tells apart, the first word of the pack and the first that is new.
        let words_of = |kind: &chancery_law::enumerate::Kind| -> Vec<String> {
            let old = kind.members.iter().find(|name| !is_new(name));
            let new = kind.members.iter().find(|name| is_new(name));
            old.into_iter().chain(new).cloned().collect()
        };
        let space = now.space();
        for at in space.each() {
            let released = now.cell(at).released;
            for custodian in words_of(&space.custodians[at.custodian]) {
                for recipient in words_of(&space.recipients[at.recipient]) {
                    for purpose in words_of(&space.purposes[at.purpose]) {
                        for element in words_of(&space.elements[at.element]) {
                            if let Some(at) = old.at(&custodian, &recipient, &purpose, &element) {
                                same += 1;
                                assert!(*old.cell(at).released == *released);
                            } else {
                                new += 1;
                                assert!(
                                    released.is_empty(),
                                    "{custodian} gives {recipient} {element} for {purpose}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(same > 10_000 && new > 10_000, "{same} {new}");
}

/// The second evaluator sees the same: an agency that is named and that another is within.
#[test]
fn a_word_of_an_overlay_is_one_as_custodian_of_what_is_within_it_too() {
    let pack = load(&[overlay(&[(
        "agencies.toml",
        "[[agency]]\npath = \"new\"\nname = \"n\"\n[[agency]]\npath = \"new/unit\"\nname = \"n\"\n",
    )])]);
    for purpose in ["program-administration", "treatment", "research"] {
        assert!(lawful(&pack, ["new", "new/unit", purpose], "48").is_empty());
        assert!(lawful(&pack, ["new", "hhs/cms", purpose], "48").is_empty());
        assert!(lawful(&pack, ["state/48/medicaid", "new", purpose], "48").is_empty());
    }
}

#[test]
fn the_sample_adds_a_flow_and_a_bar() {
    let (before, after) = (shipped(), load(&[sample()]));
    let county = [
        "state/06/medicaid",
        "ca-county/los-angeles",
        "program-administration/eligibility",
    ];
    let given = lawful(&after, county, "06");
    assert!(
        given.contains("county_case") && given.contains("address"),
        "{given:?}"
    );
    assert!(
        !given.contains("ssn") && !given.contains("confidential_address"),
        "{given:?}"
    );
    assert!(lawful(&after, county, "48").is_empty());
    // The pack's own flow of everything is of everything that the pack knows.
    let submitted = ["state/06/medicaid", "hhs/cms", "program-administration"];
    let all = lawful(&before, submitted, "06");
    assert_eq!(all.len(), before.vocabulary().elements().len());
    assert_eq!(lawful(&after, submitted, "06"), all);
    // The statute bars what the pack permits, for California alone.
    let research = ["hhs/cms", "research/umich", "research"];
    assert!(!lawful(&before, research, "06").is_empty());
    assert!(lawful(&after, research, "06").is_empty());
    assert_eq!(
        lawful(&after, research, "48"),
        lawful(&before, research, "48")
    );
    let instrument = after.instrument("us/ca/wic/14100-2").unwrap();
    assert_eq!(instrument.layer, "ca-dhcs");
    assert_eq!(
        after.instrument("us/usc/8/1360-b").unwrap().layer,
        "us-medicaid"
    );
    let in_force = after.in_force(on(), SignOff::Demonstration).unwrap();
    let used = in_force.law_used();
    assert_eq!(used.digest, after.digest);
    assert_eq!(used.layers.len(), 2);
    assert_eq!(used.layers[1].digest, after.layers[1].digest);
    let alone = before.in_force(on(), SignOff::Demonstration).unwrap();
    assert!(alone.law_used().layers.is_empty());
}

#[test]
fn a_permit_of_an_overlay_gives_way_to_every_forbid() {
    let permit = "@id(\"p\")\n@clause(\"1\")\n@reason(\"r\")\npermit (principal in Agency::\"dhs\", \
                  action, resource is Record);\n";
    let pack = load(&[instrument("x/p", permit, &[])]);
    let civil = ["hhs/cms", "dhs/ice", "immigration-enforcement/civil"];
    assert!(
        lawful(&pack, civil, "06").is_empty(),
        "about a citizen of a plaintiff state"
    );
    assert!(lawful(&pack, civil, "48").is_empty(), "about a citizen");
    // It counts like any other where nothing forbids.
    let administration = ["ssa", "dhs/ice", "program-administration"];
    assert!(!lawful(&pack, administration, "48").is_empty());
}

/// The lower of two overlays does not know the upper's words either.
#[test]
fn overlays_lie_on_each_other_in_order() {
    let words = "[[element]]\nname = \"e\"\ntitle = \"t\"\n";
    let permit = "@id(\"p\")\n@clause(\"1\")\n@reason(\"r\")\npermit (principal in Agency::\"ssa\", \
                  action, resource is Record);\n";
    let lower = instrument("x/p", permit, &[]);
    let named = HEAD.replace("here", "there");
    let mut upper = overlay(&[("elements.toml", words)]);
    upper.insert("overlay.toml".to_owned(), named);
    let flow = ["hhs/cms", "ssa", "program-administration"];
    let held = lawful(&load(&[lower.clone(), upper.clone()]), flow, "48");
    assert!(held.contains("ssn") && !held.contains("e"), "{held:?}");
    let known = lawful(&load(&[upper, lower]), flow, "48");
    assert!(known.contains("e"), "{known:?}");
}

#[test]
fn overlays_that_are_not_for_this_pack() {
    let head = |text: &str| Files::from([("overlay.toml".to_owned(), text.to_owned())]);
    refuse(
        head(&HEAD.replace("us-medicaid", "us-tax-information")),
        "overlay.toml",
        "over = \"us-tax-information\"",
        "another pack than `us-medicaid`",
    );
    refuse(
        head(&HEAD.replace("here", "us-medicaid")),
        "overlay.toml",
        "name = \"us-medicaid\"",
        "layer below",
    );
    refuse(
        head(&HEAD.replace("here", "He\\\"re")),
        "overlay.toml",
        "name = \"He\\\"re\"",
        "no plain name",
    );
    refuse(
        head(&HEAD.replace("over =", "under =")),
        "overlay.toml",
        "under = \"us-medicaid\"",
        "",
    );
    refuse(Files::new(), "overlay.toml", "", "lacks this file");
    let twice = refused(&[overlay(&[]), overlay(&[])]);
    assert_eq!(twice[0].place.file, "over1/overlay.toml");
    for extra in [
        "schema.cedarschema",
        "pack.toml",
        "notes.txt",
        "instruments/x/more.toml",
    ] {
        let faults = refused(&[overlay(&[(extra, "name = \"x\"\n")])]);
        let named = faults
            .iter()
            .any(|fault| fault.place.file == format!("over0/{extra}"));
        assert!(named, "{faults:?}");
    }
}

#[test]
fn what_an_overlay_may_not_touch() {
    let agency = |path: &str, more: &str| {
        overlay(&[(
            "agencies.toml",
            &format!("[[agency]]\npath = \"{path}\"\nname = \"n\"\n{more}"),
        )])
    };
    for (path, more, line, problem) in [
        (
            "hhs/cms",
            "",
            "path = \"hhs/cms\"",
            "of `us-medicaid` already",
        ),
        (
            "research/umich",
            "",
            "path = \"research/umich\"",
            "is `research/*` of `us-medicaid`",
        ),
        (
            "hhs/new",
            "",
            "path = \"hhs/new\"",
            "within `hhs` of `us-medicaid`",
        ),
        (
            "state/06/county",
            "",
            "path = \"state/06/county\"",
            "within `state`",
        ),
        (
            "new",
            "in = [\"dhs\"]\n",
            "in = [\"dhs\"]",
            "within `dhs` of `us-medicaid`",
        ),
        (
            "new",
            "in = [\"nobody\"]\n",
            "path = \"new\"",
            "not an agency",
        ),
        ("*", "ids = \"any\"\n", "path = \"*\"", "already"),
        (
            "overlay:x",
            "",
            "path = \"overlay:x\"",
            "stands for all that an overlay adds",
        ),
    ] {
        refuse(agency(path, more), "agencies.toml", line, problem);
    }
    let purpose = |path: &str| {
        overlay(&[(
            "purposes.toml",
            &format!("[[purpose]]\npath = \"{path}\"\ntitle = \"t\"\n"),
        )])
    };
    for (path, problem) in [
        ("treatment", "a purpose of `us-medicaid` already"),
        (
            "program-administration/new",
            "within `program-administration`",
        ),
    ] {
        refuse(
            purpose(path),
            "purposes.toml",
            &format!("path = \"{path}\""),
            problem,
        );
    }
    for (text, line, problem) in [
        (
            "[[element]]\nname = \"ssn\"\ntitle = \"t\"\n",
            "name = \"ssn\"",
            "by `us-medicaid` already",
        ),
        (
            "[[element]]\nname = \"e\"\ntitle = \"t\"\n[[set]]\nname = \"the_six\"\ntitle = \"t\"\nmembers = [\"e\"]\n",
            "name = \"the_six\"",
            "by `us-medicaid` already",
        ),
        (
            "[[set]]\nname = \"s\"\ntitle = \"t\"\nmembers = [\"none\"]\n",
            "members = [\"none\"]",
            "unknown element",
        ),
        (
            "existence = \"ssn\"\n",
            "existence = \"ssn\"",
            "said by the pack",
        ),
        (
            "[[set]]\nname = \"overlay:x\"\ntitle = \"t\"\nmembers = []\n",
            "name = \"overlay:x\"",
            "stands for",
        ),
    ] {
        refuse(
            overlay(&[("elements.toml", text)]),
            "elements.toml",
            line,
            problem,
        );
    }
    let forbid = "@id(\"p\")\n@clause(\"1\")\n@reason(\"r\")\nforbid (principal, action, resource is Record);\n";
    refuse(
        instrument("us/usc/8/1360-b", forbid, &[]),
        "instruments/here/instrument.toml",
        "id = \"us/usc/8/1360-b\"",
        "also the id of instruments/8-usc-1360-b",
    );
    let mut files = overlay(&[]);
    for (path, text) in instrument("x/y", forbid, &[]) {
        files.insert(path.replace("/here/", "/8-usc-1360-b/"), text);
    }
    refuse(
        files,
        "instruments/8-usc-1360-b",
        "",
        "an overlay may only add",
    );
}

/// A provision speaks of its own layer's words and those below: the pack's rules are complete
/// without what happens to lie on it.
#[test]
fn no_provision_knows_what_lies_above_it() {
    let forbid = "@id(\"p\")\n@clause(\"1\")\n@reason(\"r\")\nforbid (principal, action, resource is Record)\n\
                  when { context.element == Element::\"e\" };\n";
    let lower = instrument("x/p", forbid, &[]);
    let mut upper = overlay(&[(
        "elements.toml",
        "[[element]]\nname = \"e\"\ntitle = \"t\"\n",
    )]);
    upper.insert("overlay.toml".to_owned(), HEAD.replace("here", "there"));
    load(&[upper.clone(), lower.clone()]);
    let faults = refused(&[lower, upper]);
    assert!(
        faults[0].to_string().contains("unknown element `e`"),
        "{}",
        faults[0]
    );
    assert_eq!(
        faults[0].place.file,
        "over0/instruments/here/provisions.cedar"
    );
}

/// What must flow is asserted of the words that were known; what must never leave, must not go to a
/// word above either.
#[test]
fn an_assertion_speaks_of_what_its_layer_knows() {
    let forbid = "@id(\"p\")\n@clause(\"1\")\n@reason(\"r\")\nforbid (principal, action, resource is Record);\n";
    let mut lower = instrument("x/p", forbid, &[]);
    let assertion = |kind: &str| {
        format!(
            "[[assertion]]\nname = \"{kind}\"\nclause = \"1\"\nsays = \"s\"\nkind = \"{kind}\"\n"
        )
    };
    let both = assertion("always") + &assertion("never");
    lower.insert("instruments/here/assertions.toml".to_owned(), both);
    let mut upper = overlay(&[
        (
            "agencies.toml",
            "[[agency]]\npath = \"new\"\nname = \"n\"\n",
        ),
        (
            "purposes.toml",
            "[[purpose]]\npath = \"fresh\"\ntitle = \"t\"\n",
        ),
        (
            "elements.toml",
            "[[element]]\nname = \"e\"\ntitle = \"t\"\n",
        ),
    ]);
    upper.insert("overlay.toml".to_owned(), HEAD.replace("here", "there"));
    let pack = load(&[lower, upper]);
    let [always, never] = pack.instrument("x/p").unwrap().assertions.as_slice() else {
        panic!("two assertions");
    };
    for (flow, element, of_both) in [
        (["hhs/cms", "hhs/oig", "treatment"], "ssn", true),
        (["hhs/cms", "new", "treatment"], "ssn", false),
        (["new", "hhs/cms", "treatment"], "ssn", false),
        (["hhs/cms", "hhs/oig", "fresh"], "ssn", false),
    ] {
        let Query {
            custodian,
            recipient,
            purpose,
        } = query(&pack, flow[0], flow[1], flow[2]);
        assert_eq!(
            always.asks(&custodian, &recipient, &purpose, element),
            of_both,
            "{flow:?}"
        );
        assert!(
            never.asks(&custodian, &recipient, &purpose, element),
            "{flow:?}"
        );
        assert!(
            !always.asks(&custodian, &recipient, &purpose, "e"),
            "{flow:?}"
        );
    }
}

fn rule(attribute: &str, value: &str, instead_of: &str) -> Files {
    let text = format!(
        "[[rule]]\nattribute = \"{attribute}\"\nvalue = \"{value}\"\ninstead_of = [\"{instead_of}\"]\n\
         when = [[\"chip_4\"]]\ncite = \"c\"\n"
    );
    overlay(&[("classification.toml", &text)])
}

/// What a rule of an overlay may conclude is settled by every provision of every layer.
#[test]
fn a_correction_may_only_protect_more() {
    for (attribute, value, instead_of) in [
        ("presence", "unknown", "not_lawful"),
        ("presence", "lawful", "not_lawful"),
        ("presence", "lawful", "unknown"),
        ("citizenship", "citizen", "noncitizen"),
        ("citizenship", "national", "unknown"),
        ("program", "s_chip", "medicaid"),
    ] {
        let pack = load(&[rule(attribute, value, instead_of)]);
        assert_eq!(pack.classification().corrections.len(), 1);
        assert_ne!(
            pack.classification().digest,
            shipped().classification().digest
        );
    }
    for (attribute, value, instead_of, problem) in [
        // Opens the order's gate.
        (
            "presence",
            "not_lawful",
            "unknown",
            "order-2025-12-29#unlawfully-present-only` would let more go",
        ),
        (
            "citizenship",
            "noncitizen",
            "unknown",
            "8/1360-b#noncitizens-only` would let more go",
        ),
        (
            "program",
            "medicaid",
            "mixed",
            "order-2025-12-29#medicaid-only` would let more go",
        ),
        // Unknown is not protected everywhere: a status may be verified of whoever is not known to be
        // a citizen.
        (
            "citizenship",
            "unknown",
            "citizen",
            "cms-to-uscis` would let more go where citizenship is unknown instead of citizen",
        ),
        // Nobody in the household would count as protected any more.
        ("presence", "not_lawful", "lawful", "would let more go"),
    ] {
        let line = format!("attribute = \"{attribute}\"");
        let faults = refused(&[rule(attribute, value, instead_of)]);
        assert!(
            faults.iter().any(|fault| fault.problem.contains(problem)),
            "{attribute} {value}: {faults:#?}"
        );
        assert!(
            faults
                .iter()
                .all(|fault| fault.place.excerpt.as_deref() == Some(&line))
        );
        assert_eq!(faults[0].place.file, "over0/classification.toml");
    }
    // So does a permit of an overlay itself, whichever of the two lies on the other.
    let permit = "@id(\"p\")\n@clause(\"1\")\n@reason(\"r\")\npermit (principal in Agency::\"ssa\", action, \
                  resource is Record)\nwhen { resource.presence == Presence::\"lawful\" };\n";
    let mut above = instrument("x/p", permit, &[]);
    above.insert("overlay.toml".to_owned(), HEAD.replace("here", "there"));
    let faults = refused(&[rule("presence", "lawful", "unknown"), above]);
    assert!(
        faults[0].problem.contains("x/p#p` would let more go"),
        "{}",
        faults[0]
    );
}

#[test]
fn classifications_that_an_overlay_may_not_add() {
    let check = |text: &str, line: &str, problem: &str| {
        refuse(
            overlay(&[("classification.toml", text)]),
            "classification.toml",
            line,
            problem,
        );
    };
    let input = "[[input]]\nname = \"i\"\ncodes = [\"1\"]\nsource = \"s\"\n";
    check(
        "[origin]\nattribute = \"origin\"\n",
        "[origin]",
        "unknown field `origin`",
    );
    check(
        "[[group]]\nattribute = \"household\"\n",
        "[[group]]",
        "unknown field `group`",
    );
    check(
        &input.replace("\"i\"", "\"chip_code\""),
        "name = \"chip_code\"",
        "declared twice",
    );
    check(
        &input.replace("\"i\"", "\"case_num\""),
        "name = \"case_num\"",
        "declared twice",
    );
    check(
        &format!("{input}from = \"determinations\"\n"),
        "name = \"i\"",
        "findings come in",
    );
    check(
        "[[evidence]]\nname = \"citizen\"\nany = [\"chip_code=1\"]\ncite = \"c\"\n",
        "name = \"citizen\"",
        "declared twice",
    );
    let rule = "[[rule]]\nattribute = \"presence\"\nvalue = \"unknown\"\ninstead_of = [\"not_lawful\"]\n\
                when = [[\"chip_4\"]]\ncite = \"c\"\n";
    load(&[overlay(&[("classification.toml", rule)])]);
    check(
        &rule.replace("instead_of = [\"not_lawful\"]\n", ""),
        "[[rule]]",
        "instead_of",
    );
    check(
        &rule.replace("[\"not_lawful\"]", "[\"none\"]"),
        "instead_of = [\"none\"]",
        "not a value",
    );
    check(
        &rule.replace("[[\"chip_4\"]]", "[]"),
        "attribute = \"presence\"",
        "says when it applies",
    );
    let household = rule
        .replace("presence", "household")
        .replace("not_lawful", "no_protected_member");
    check(
        &household,
        "attribute = \"household\"",
        "everybody in a group",
    );
    let origin = rule
        .replace("presence", "origin")
        .replace("not_lawful", "48");
    check(
        &origin,
        "attribute = \"origin\"",
        "never derived from evidence",
    );
}
