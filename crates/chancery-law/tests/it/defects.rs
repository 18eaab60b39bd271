//! What a law pack is refused for: each defect at its file, its line and its words.

use std::collections::BTreeMap;

use chancery_law::{Error, LawPack, PackSource};
use chancery_model::Fault;

use crate::random::{instrument_toml, vocabulary};

const TOML: &str = "instruments/x/instrument.toml";
const CEDAR: &str = "instruments/x/provisions.cedar";
const EFFECTIVE: &str = "[[event]]\non = \"2025-01-01\"\nkind = \"effective\"\n\
                         [[party]]\norigin = \"06\"\nname = \"p\"\nfrom = \"2025-01-01\"\n";

fn files(more: &str, provisions: &str) -> BTreeMap<String, String> {
    let mut files = vocabulary();
    files.insert(TOML.to_owned(), instrument_toml("x", more));
    files.insert(CEDAR.to_owned(), provisions.to_owned());
    files
}

/// A sound provision, then one with this policy, whose reason speaks of every word on purpose.
fn with(policy: &str) -> BTreeMap<String, String> {
    let reason =
        "To forbid or permit (like, has, <, +, \\\"06\\\", \\\"dhs/icee\\\") is prose; not policy.";
    let provisions = format!(
        "// A comment; with a semicolon and an @id(\"none\").\n\
         @id(\"sound\")\n@clause(\"1\")\n@reason(\"because\")\npermit (principal, action, resource);\n\n\
         // permit like < is a comment\n\
         @id(\"bad\")\n@clause(\"1\")\n@reason(\"{reason}\")\n{policy};\n"
    );
    files(EFFECTIVE, &provisions)
}

fn refused(files: BTreeMap<String, String>) -> Vec<Fault> {
    match LawPack::load(&PackSource::new("law", files)) {
        Ok(_) => panic!("let through"),
        Err(Error::Invalid(faults)) => faults,
        Err(other) => panic!("{other}"),
    }
}

/// The words that a fault points at.
fn words(fault: &Fault) -> String {
    let excerpt = fault.place.excerpt.as_deref().unwrap_or_default();
    let from = excerpt.chars().skip(fault.place.column.unwrap_or(1) - 1);
    let rest: String = from.collect();
    rest.get(..fault.place.length.min(rest.len()))
        .unwrap_or(&rest)
        .to_owned()
}

/// That the first fault is in `file` at the only line with `words`, and says `problem`.
fn check(files: BTreeMap<String, String>, file: &str, expected: &str, problem: &str) {
    let text = files.get(file).cloned().unwrap_or_default();
    let faults = refused(files);
    let fault = &faults[0];
    assert_eq!(fault.place.file, format!("law/{file}"), "{fault}");
    assert!(
        fault.to_string().contains(problem),
        "{fault}\nexpected: {problem}"
    );
    assert_eq!(words(fault), expected, "{fault}");
    let line = fault.place.line.unwrap();
    assert_eq!(
        text.lines().nth(line - 1),
        fault.place.excerpt.as_deref(),
        "{fault}"
    );
}

fn check_policy(policy: &str, expected: &str, problem: &str) {
    let files = with(policy);
    let faults = refused(files.clone());
    check(files, CEDAR, expected, problem);
    // The line of the policy, or of its `@id` where it is refused as a whole.
    let first = faults[0].place.line.unwrap();
    assert!(first == 8 || first >= 11, "{}", faults[0]);
}

fn permit(when: &str) -> String {
    format!("permit (\n  principal,\n  action,\n  resource\n)\nwhen {{ {when} }}")
}

fn forbid(when: &str) -> String {
    format!("forbid (principal, action, resource) when {{ {when} }}")
}

#[test]
fn what_the_defects_are_made_of_is_sound() {
    let sound = with(&permit("resource.presence == Presence::\"lawful\""));
    assert!(LawPack::load(&PackSource::new("law", sound)).is_ok());
    let sound = with(
        "forbid (principal, action, resource) unless { resource.presence == Presence::\"not_lawful\" }",
    );
    assert!(LawPack::load(&PackSource::new("law", sound)).is_ok());
}

#[test]
fn operators_that_can_err_or_compare_open_values() {
    for (when, word, problem) in [
        (
            "1 + 9223372036854775807 > 2",
            ">",
            "can err or compares open",
        ),
        ("1 < 2", "<", "can err or compares open"),
        ("1 <= 2", "<=", "can err or compares open"),
        ("2 * 3 == 6", "*", "can err or compares open"),
        ("-(1) == 2", "-(1)", "can err"),
        ("1 == 1", "1", "number or text"),
        ("\"a\" == \"b\"", "\"a\"", "number or text"),
        ("\"abc\" like \"a*\"", "like", "matches text"),
        ("resource has presence", " has ", "always there"),
        (
            "datetime(\"2025-01-01\") < datetime(\"2026-01-01\")",
            "<",
            "",
        ),
        ("context.purpose.hasTag(\"x\")", "\"x\"", "can err"),
        ("resource == resource", "resource", "the record itself"),
        (
            "resource.presence == resource.program",
            "resource.program",
            "with each other",
        ),
        (
            "resource.presence == Presence::\"lawful\" && resource.origin == resource.household",
            "resource.household",
            "with each other",
        ),
    ] {
        let faults = refused(with(&permit(when)));
        assert!(
            faults[0].to_string().contains(problem),
            "{when}: {}",
            faults[0]
        );
        let words = words(&faults[0]);
        let line = faults[0].place.line.unwrap();
        assert_eq!((words.as_str(), line), (word, 16), "{when}");
    }
}

#[test]
fn names_that_nothing_declares() {
    for (when, word, problem) in [
        (
            "context.element == Element::\"adress\"",
            "\"adress\"",
            "unknown element `adress`",
        ),
        (
            "context.element in ElementSet::\"the_seven\"",
            "\"the_seven\"",
            "unknown set of elements",
        ),
        (
            "context.custodian in Agency::\"hhs/cm\"",
            "\"hhs/cm\"",
            "unknown agency `hhs/cm`",
        ),
        (
            "context.custodian in Agency::\"state/99/medicaid\"",
            "\"state/99/medicaid\"",
            "unknown agency",
        ),
        (
            "context.purpose in Purpose::\"enforcment\"",
            "\"enforcment\"",
            "unknown purpose",
        ),
        (
            "Instrument::\"y\".covered.contains(resource.origin)",
            "\"y\"",
            "unknown instrument",
        ),
    ] {
        check_policy(&permit(when), word, problem);
    }
    check_policy(
        "permit (principal in Agency::\"dhs/icee\", action, resource)",
        "\"dhs/icee\"",
        "unknown agency `dhs/icee`",
    );
    let outside = refused(with(&permit("resource.presence == Presence::\"lawfull\"")));
    assert!(outside[0].to_string().contains("lawfull"), "{}", outside[0]);
    assert_eq!(outside[0].place.line, Some(16), "{}", outside[0]);
    let attribute = refused(with(&permit("resource.wealth == Presence::\"lawful\"")));
    assert!(
        attribute[0].to_string().contains("wealth"),
        "{}",
        attribute[0]
    );
    let action = refused(with(
        "permit (principal, action == Action::\"disclos\", resource)",
    ));
    assert!(action[0].to_string().contains("disclos"), "{}", action[0]);
}

#[test]
fn a_policy_about_one_record_is_refused() {
    for scope in [
        "resource == Record::\"0\"",
        "resource in Record::\"0\"",
        "resource is Record in Record::\"0\"",
    ] {
        check_policy(
            &format!("forbid (principal, action, {scope})"),
            "Record::\"0\"",
            "one record",
        );
    }
}

#[test]
fn a_policy_that_never_applies_is_refused() {
    let faults = refused(with(&permit(
        "resource.presence == Presence::\"lawful\" && false",
    )));
    assert!(
        faults[0].place.line.is_some_and(|line| line >= 8),
        "{}",
        faults[0]
    );
}

#[test]
fn forbids_that_a_missing_value_would_escape() {
    for policy in [
        forbid("resource.presence == Presence::\"lawful\""),
        forbid("resource.presence != Presence::\"unknown\""),
        forbid("[Citizenship::\"citizen\", Citizenship::\"national\"].contains(resource.citizenship)"),
        forbid("Instrument::\"x\".parties.contains(resource.origin)"),
        forbid("principal.jurisdiction.contains(resource.origin)"),
        forbid("!Instrument::\"x\".covered.contains(resource.origin)"),
        forbid("context.custodian.jurisdiction.contains(resource.origin) && resource.presence == Presence::\"unknown\""),
        forbid("if resource.program == Program::\"medicaid\" then resource.presence == Presence::\"lawful\" else true"),
        "forbid (principal, action, resource) unless { resource.presence == Presence::\"unknown\" }".to_owned(),
        "forbid (principal, action, resource) unless { resource.presence != Presence::\"lawful\" }".to_owned(),
        "forbid (principal, action, resource) unless { Instrument::\"x\".covered.contains(resource.origin) }".to_owned(),
        // The known answer for `unknown` holds for the bare attribute and the bare set alone.
        forbid("!principal.jurisdiction.contains(if resource.origin == Origin::\"unknown\" then Origin::\"06\" else resource.origin)"),
        forbid("![if principal in Agency::\"dhs\" then Origin::\"unknown\" else Origin::\"06\"].contains(resource.origin)"),
        forbid("!(if resource.origin == Origin::\"unknown\" then Instrument::\"x\".covered else Instrument::\"x\".parties).contains(resource.origin)"),
    ] {
        let faults = refused(with(&policy));
        let fault = &faults[0];
        let known = fault.problem.contains("would escape") || fault.problem.contains("held against a missing");
        assert!(known, "{policy}: {fault}");
        assert_eq!((words(fault).as_str(), fault.place.line), ("@id(\"bad\")", Some(8)), "{fault}");
        assert!(fault.hint.is_some());
    }
}

#[test]
fn provisions_without_their_annotations() {
    let full =
        "@id(\"a\")\n@clause(\"1\")\n@reason(\"r\")\npermit (principal, action, resource);\n";
    for (line, annotation) in [
        ("@id(\"a\")\n", "@id"),
        ("@clause(\"1\")\n", "@clause"),
        ("@reason(\"r\")\n", "@reason"),
    ] {
        let text = format!(
            "{full}{}",
            full.replace("(\"a\")", "(\"b\")")
                .replace(&line.replace("\"a\"", "\"b\""), "")
        );
        let first = text.lines().nth(4).unwrap().to_owned();
        check(
            files(EFFECTIVE, &text),
            CEDAR,
            &first,
            &format!("`{annotation}`"),
        );
    }
    check(
        files(EFFECTIVE, &format!("{full}\n{full}")),
        CEDAR,
        "@id(\"a\")",
        "declared twice",
    );
    let twice = refused(files(EFFECTIVE, &format!("{full}\n{full}")));
    assert_eq!(twice[0].place.line, Some(6));
    let unknown = full.replace("@clause", "@interpretation(\"wide\")\n@clause");
    check(
        files(EFFECTIVE, &unknown),
        CEDAR,
        "@id(\"a\")",
        "no interpretation `wide`",
    );
    let empty = full.replace("\"r\"", "\" \"");
    check(files(EFFECTIVE, &empty), CEDAR, "@id(\"a\")", "@reason");
    let template = full.replace("(principal,", "(principal == ?principal,");
    check(files(EFFECTIVE, &template), CEDAR, "?", "template");
    let broken = full.replace("permit (", "permits (");
    check(files(EFFECTIVE, &broken), CEDAR, "permits", "");
}

#[test]
fn timelines_that_cannot_be() {
    let event = |on: &str, kind: &str| format!("[[event]]\non = \"{on}\"\nkind = \"{kind}\"\n");
    let sound =
        "@id(\"a\")\n@clause(\"1\")\n@reason(\"r\")\npermit (principal, action, resource);\n";
    for (events, at, problem) in [
        (
            vec![("2025-02-01", "effective"), ("2025-01-01", "expired")],
            1,
            "goes backwards",
        ),
        (
            vec![("2025-02-01", "issued"), ("2025-01-01", "effective")],
            1,
            "goes backwards",
        ),
        (
            vec![
                ("2025-01-01", "effective"),
                ("2025-03-01", "stayed"),
                ("2025-02-01", "stay-lifted"),
            ],
            2,
            "goes backwards",
        ),
        (
            vec![("2025-01-01", "stayed")],
            0,
            "before the instrument is effective",
        ),
        (
            vec![("2025-01-01", "expired")],
            0,
            "before the instrument is effective",
        ),
        (
            vec![("2025-01-01", "issued"), ("2025-02-01", "stay-lifted")],
            1,
            "before the instrument is effective",
        ),
        (
            vec![("2025-01-01", "effective"), ("2025-02-01", "issued")],
            1,
            "issued after",
        ),
        (
            vec![
                ("2025-01-01", "effective"),
                ("2025-02-01", "expired"),
                ("2025-03-01", "modified"),
            ],
            2,
            "follows the end",
        ),
        (
            vec![
                ("2025-01-01", "effective"),
                ("2025-02-01", "vacated"),
                ("2025-03-01", "effective"),
            ],
            2,
            "follows the end",
        ),
        (
            vec![
                ("2025-01-01", "effective"),
                ("2025-02-01", "superseded"),
                ("2025-02-01", "extended"),
            ],
            2,
            "follows the end",
        ),
    ] {
        let text: String = events.iter().map(|(on, kind)| event(on, kind)).collect();
        check(
            files(&text, sound),
            TOML,
            &format!("\"{}\"", events[at].0),
            problem,
        );
        let fault = &refused(files(&text, sound))[0];
        assert_eq!(fault.place.line, Some(14 + 3 * at), "{fault}");
    }
    check(
        files(&event("2025-13-01", "effective"), sound),
        TOML,
        "\"2025-13-01\"",
        "",
    );
    check(
        files(&event("2025-01-01", "revoked"), sound),
        TOML,
        "\"revoked\"",
        "unknown variant",
    );
}

#[test]
fn instruments_that_cannot_be() {
    let sound =
        "@id(\"a\")\n@clause(\"1\")\n@reason(\"r\")\npermit (principal, action, resource);\n";
    let party = "[[party]]\norigin = \"07\"\nname = \"n\"\nfrom = \"2025-01-01\"\n";
    let fault = &refused(files(party, sound))[0];
    assert!(
        fault.to_string().contains("`origin`: is not an origin"),
        "{fault}"
    );
    assert_eq!(fault.place.line, Some(13), "{fault}");
    let unknown = party.replace("07", "unknown");
    assert!(
        refused(files(&unknown, sound))[0]
            .problem
            .contains("not an origin")
    );
    let ends =
        "[[party]]\norigin = \"06\"\nname = \"n\"\nfrom = \"2025-02-01\"\nuntil = \"2025-01-01\"\n";
    assert!(
        refused(files(ends, sound))[0]
            .problem
            .contains("ends before it begins")
    );

    let mut other_text = files(EFFECTIVE, sound);
    let text = other_text[TOML].replace("\"facts\"", "\"other facts\"");
    let digest = text
        .lines()
        .find(|line| line.starts_with("digest"))
        .unwrap()
        .to_owned();
    other_text.insert(TOML.to_owned(), text);
    check(other_text, TOML, &digest, "not the digest");

    let mut twice = files(EFFECTIVE, sound);
    twice.insert(
        "instruments/y/instrument.toml".to_owned(),
        instrument_toml("x", EFFECTIVE),
    );
    twice.insert("instruments/y/provisions.cedar".to_owned(), String::new());
    check(
        twice,
        "instruments/y/instrument.toml",
        "id = \"x\"",
        "also the id of instruments/x",
    );

    let replaced = |from: &str, to: &str| {
        let mut files = files(EFFECTIVE, sound);
        let text = files[TOML].replace(from, to);
        files.insert(TOML.to_owned(), text);
        files
    };
    check(
        replaced("\"order\"", "\"decree\""),
        TOML,
        "\"decree\"",
        "not a kind",
    );
    check(
        replaced("id = \"x\"", "id = \"X y\""),
        TOML,
        "\"X y\"",
        "not a path-like id",
    );
    check(
        replaced("review = \"r\"", "reviewed = \"r\""),
        TOML,
        "reviewed",
        "unknown field",
    );

    let mut lacking = files(EFFECTIVE, sound);
    lacking.remove(CEDAR);
    let fault = &refused(lacking)[0];
    assert!(
        fault.problem.contains("lacks this file") && fault.place.file.ends_with(CEDAR),
        "{fault}"
    );
}

fn replaced(file: &str, from: &str, to: &str) -> BTreeMap<String, String> {
    let mut files = vocabulary();
    let text = &files[file];
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    files.insert(file.to_owned(), text);
    files
}

#[test]
fn schemas_that_leave_a_gap() {
    const FILE: &str = "schema.cedarschema";
    for (from, to, problem) in [
        (
            "  presence: Presence",
            "  presence?: Presence",
            "`presence` is optional",
        ),
        (
            "enum [\"lawful\", \"not_lawful\", \"unknown\"]",
            "enum [\"lawful\", \"not_lawful\"]",
            "has no value `unknown`",
        ),
        (
            "  presence: Presence",
            "  presence: String",
            "not of an enumerated",
        ),
        (
            "  presence: Presence",
            "  presence: Set<Presence>",
            "not of an enumerated",
        ),
        (
            "  presence: Presence",
            "  presence: Agency",
            "not of an enumerated",
        ),
    ] {
        check(replaced(FILE, from, to), FILE, "entity Record", problem);
    }
    let missing = refused(replaced(
        FILE,
        "  presence: Presence",
        "  presence: Presense",
    ));
    assert!(
        missing[0].to_string().contains("Presense"),
        "{}",
        missing[0]
    );
}

#[test]
fn plain_words_that_are_not_there_in_both_languages() {
    let titled = "[[purpose]]\npath = \"research\"\n";
    for (plain, expected, problem) in [
        (
            "{ en = \"your phone number\" }",
            "{ en = \"your phone number\" }",
            "missing field `es`",
        ),
        (
            "{ en = \"your phone number\", es = \" \" }",
            "{ en = \"your phone number\", es = \" \" }",
            "says nothing in one of its languages",
        ),
        (
            "{ en = \"a\", es = \"a\", fr = \"a\" }",
            "fr",
            "unknown field `fr`",
        ),
    ] {
        let said = format!("{titled}plain = {plain}\n");
        check(
            replaced("purposes.toml", titled, &said),
            "purposes.toml",
            expected,
            problem,
        );
    }
}

#[test]
fn vocabularies_that_name_what_is_not_there() {
    check(
        replaced(
            "elements.toml",
            "\"medicaid_id\", \"name\"",
            "\"medicaid_id\", \"nmae\"",
        ),
        "elements.toml",
        "\"nmae\"",
        "unknown element `nmae`",
    );
    check(
        replaced(
            "elements.toml",
            "existence = \"enrollment\"",
            "existence = \"rows\"",
        ),
        "elements.toml",
        "\"rows\"",
        "not an element",
    );
    check(
        replaced("elements.toml", "name = \"address\"", "name = \"name\""),
        "elements.toml",
        "\"name\"",
        "declared twice",
    );
    check(
        replaced(
            "purposes.toml",
            "path = \"research\"",
            "path = \"enforcement\"",
        ),
        "purposes.toml",
        "\"enforcement\"",
        "declared twice",
    );
    check(
        replaced(
            "agencies.toml",
            "in = [\"state-medicaid\"]",
            "in = [\"states\"]",
        ),
        "agencies.toml",
        "\"state/*/medicaid\"",
        "`states` is not an agency",
    );
    check(
        replaced("agencies.toml", "ids = \"any\"\n", ""),
        "agencies.toml",
        "\"research/*\"",
        "what the `*` stands for",
    );
}

#[test]
fn classifications_that_name_what_is_not_there() {
    const FILE: &str = "classification.toml";
    for (from, to, word) in [
        (
            "any = [\"citizenship_ind=2\"]",
            "any = [\"citizenship_ind=7\"]",
            "\"citizenship_ind=7\"",
        ),
        (
            "any = [\"citizenship_ind=2\"]",
            "any = [\"citizenshp=2\"]",
            "\"citizenshp=2\"",
        ),
        (
            "when = [[\"national\"]]",
            "when = [[\"nationale\"]]",
            "\"nationale\"",
        ),
        (
            "when = [[\"citizenship=unknown\"]]",
            "when = [[\"citizenship=unkown\"]]",
            "\"citizenship=unkown\"",
        ),
        (
            "attribute = \"presence\"\nvalue = \"lawful\"",
            "attribute = \"presense\"\nvalue = \"lawful\"",
            "\"presense\"",
        ),
        (
            "attribute = \"presence\"\nvalue = \"lawful\"",
            "attribute = \"presence\"\nvalue = \"lawfull\"",
            "\"lawfull\"",
        ),
        (
            "otherwise = \"no_protected_member\"",
            "otherwise = \"nobody\"",
            "\"nobody\"",
        ),
        (
            "attributes = [\"citizenship\", \"presence\"]",
            "attributes = [\"citizenship\", \"wealth\"]",
            "\"wealth\"",
        ),
        (
            "attribute = \"origin\"\nfold",
            "attribute = \"origins\"\nfold",
            "\"origins\"",
        ),
        (
            "when = [[\"determined_citizen\"]",
            "when = [[\"household=unknown\"]",
            "\"household=unknown\"",
        ),
        ("name = \"alien\"", "name = \"national\"", "\"national\""),
        (
            "name = \"immigration_status\"",
            "name = \"citizenship_ind\"",
            "\"citizenship_ind\"",
        ),
    ] {
        check(replaced(FILE, from, to), FILE, word, "");
    }
}

#[test]
fn slips_of_the_pen_that_would_hold_nothing_back() {
    let purpose = "Purpose::\"enforcement\"";
    for (policy, words, problem) in [
        (
            permit("resource.presence == Program::\"medicaid\""),
            "Program::\"medicaid\"",
            "never holds",
        ),
        (
            "forbid (principal == Agency::\"dhs\", action, resource)".to_owned(),
            "\"dhs\"",
            "what is within it would pass",
        ),
        (
            forbid(&format!("context.purpose == {purpose}")),
            "\"enforcement\"",
            "what is within it would pass",
        ),
    ] {
        let faults = refused(with(&policy));
        let fault = faults.iter().find(|fault| fault.problem.contains(problem));
        let fault = fault.unwrap_or_else(|| panic!("{policy}: {}", faults[0]));
        assert_eq!(self::words(fault), words, "{fault}");
    }
}

#[test]
fn parties_of_another_instrument_or_of_none() {
    let policy = "@id(\"a\")\n@clause(\"1\")\n@reason(\"r\")\nforbid (principal, action, resource) when \
                  { Instrument::\"x\".covered.contains(resource.origin) };\n";
    let none = "[[event]]\non = \"2025-01-01\"\nkind = \"effective\"\n";
    check(
        files(none, policy),
        CEDAR,
        "\"x\"",
        "an instrument that has none",
    );
    let mut other = files(EFFECTIVE, policy);
    other.insert(
        "instruments/y/instrument.toml".to_owned(),
        instrument_toml("y", EFFECTIVE),
    );
    let borrowed = policy.replace("@id(\"a\")", "@id(\"b\")");
    other.insert("instruments/y/provisions.cedar".to_owned(), borrowed);
    check(
        other,
        "instruments/y/provisions.cedar",
        "\"x\"",
        "parties of another instrument",
    );
}

#[test]
fn law_that_nobody_reads_or_that_is_never_in_force() {
    let policy = permit("resource.presence == Presence::\"lawful\"");
    let mut stray = with(&policy);
    stray.insert(
        "instruments/x/more.cedar".to_owned(),
        "forbid (principal, action, resource);".to_owned(),
    );
    assert!(refused(stray)[0].to_string().contains("would not be read"));
    let issued = EFFECTIVE.replace("effective", "issued");
    let mut never = with(&policy);
    never.insert(TOML.to_owned(), instrument_toml("x", &issued));
    assert!(refused(never)[0].to_string().contains("never in force"));
    let late = EFFECTIVE.replace("from = \"2025", "from = \"2052");
    let mut never = with(&policy);
    never.insert(TOML.to_owned(), instrument_toml("x", &late));
    assert!(refused(never)[0].to_string().contains("years after"));
}

const ASSERTIONS: &str = "instruments/x/assertions.toml";

fn asserted(lines: &str) -> BTreeMap<String, String> {
    let mut files = with(&permit("resource.presence == Presence::\"lawful\""));
    let head = "# `never` is a word of this comment\n[[assertion]]\nname = \"a\"\nclause = \"c\"\nsays = \"s\"\n";
    files.insert(ASSERTIONS.to_owned(), format!("{head}{lines}\n"));
    files
}

#[test]
fn assertions_that_say_nothing_or_speak_of_what_is_not_there() {
    let sound = asserted(
        "kind = \"never\"\nrecipient = [\"dhs\", \"=hhs\"]\nelements = [\"name\"]\nfrom = \"2025-01-01\"\n\
         [[assertion.where]]\norigin_of = [\"recipient\"]\npresence = [\"unknown\"]",
    );
    LawPack::load(&PackSource::new("law", sound)).unwrap();
    for (lines, words, problem) in [
        ("kind = \"seldom\"", "\"seldom\"", "unknown variant"),
        (
            "kind = \"never\"\nrecipients = [\"dhs\"]",
            "recipients",
            "unknown field",
        ),
        (
            "kind = \"never\"\nrecipient = [\"dhs/icee\"]",
            "\"dhs/icee\"",
            "unknown agency `dhs/icee`",
        ),
        (
            "kind = \"never\"\nrecipient = [\"=dsh\"]",
            "\"=dsh\"",
            "unknown agency `dsh`",
        ),
        (
            "kind = \"never\"\nrecipient = [\"state/*\"]",
            "\"state/*\"",
            "unknown agency",
        ),
        (
            "kind = \"never\"\nexcept_custodian = [\"hss\"]",
            "\"hss\"",
            "unknown agency `hss`",
        ),
        ("kind = \"never\"\ncustodian = []", "[]", "names nothing"),
        (
            "kind = \"never\"\npurpose = [\"enforcment\"]",
            "\"enforcment\"",
            "unknown purpose",
        ),
        (
            "kind = \"never\"\nexcept_purpose = [\"x\"]",
            "\"x\"",
            "unknown purpose",
        ),
        (
            "kind = \"never\"\nelements = [\"adress\"]",
            "\"adress\"",
            "unknown element",
        ),
        (
            "kind = \"never\"\nelements = [\"identity\"]",
            "\"identity\"",
            "unknown element",
        ),
        (
            "kind = \"never\"\nelements = [\"name\"]\nexcept_elements = [\"address\"]",
            "[\"address\"]",
            "stands beside",
        ),
        (
            "kind = \"never\"\nexcept_elements = [\"enrollment\", \"medicaid_id\", \"name\", \"address\", \"citizenship\", \"immigration_status\", \"program\", \"diagnosis\"]",
            "[\"enrollment\", \"medicaid_id\", \"name\", \"address\", \"citizenship\", \"immigration_status\", \"program\", \"diagnosis\"]",
            "leaves no element",
        ),
        (
            "kind = \"never\"\naction = [\"disclos\"]",
            "\"disclos\"",
            "unknown action",
        ),
        (
            "kind = \"never\"\nfrom = \"2025-13-01\"",
            "\"2025-13-01\"",
            "",
        ),
        (
            "kind = \"never\"\nfrom = \"2025-02-02\"\nuntil = \"2025-02-01\"",
            "\"2025-02-01\"",
            "ends before it begins",
        ),
        (
            "kind = \"never\"\n[[assertion.where]]",
            "[[assertion.where]]",
            "is empty",
        ),
        (
            "kind = \"never\"\n[[assertion.where]]\nwealth = [\"x\"]",
            "wealth",
            "unknown attribute",
        ),
        (
            "kind = \"never\"\n[[assertion.where]]\npresence = [\"lawfull\"]",
            "\"lawfull\"",
            "unknown value",
        ),
        (
            "kind = \"never\"\n[[assertion.where]]\npresence = []",
            "[]",
            "names nothing",
        ),
        (
            "kind = \"never\"\n[[assertion.where]]\norigin_of = [\"dhs\"]",
            "\"dhs\"",
            "unknown side",
        ),
        (
            "kind = \"never\"\n[[assertion.where]]\norigin_of = [\"recipient\"]\norigin_not_of = [\"recipient\"]",
            "\"recipient\"",
            "is named twice",
        ),
    ] {
        let files = asserted(lines);
        check_at(&files, lines, words, problem);
    }
    let twice = "kind = \"never\"\n[[assertion]]\nname = \"a\"\nclause = \"c\"\nsays = \"s\"\nkind = \"never\"";
    check_at(&asserted(twice), twice, "\"a\"", "declared twice");
    let blank = asserted("kind = \"never\"");
    for (from, to, words, problem) in [
        ("says = \"s\"", "says = \" \"", "\" \"", "is empty"),
        (
            "name = \"a\"",
            "name = \"A b\"",
            "\"A b\"",
            "is not a plain name",
        ),
    ] {
        let mut files = blank.clone();
        let text = files.get_mut(ASSERTIONS).unwrap();
        *text = text.replace(from, to);
        check_at(&files, "", words, problem);
    }
}

fn check_at(files: &BTreeMap<String, String>, lines: &str, expected: &str, problem: &str) {
    let faults = refused(files.clone());
    let fault = &faults[0];
    assert_eq!(fault.place.file, format!("law/{ASSERTIONS}"), "{fault}");
    assert!(
        fault.to_string().contains(problem),
        "{fault}\nexpected: {problem}"
    );
    assert_eq!(words(fault), expected, "{lines}: {fault}");
}

/// Whoever signs a text sees it on a terminal: what a terminal obeys and does not show is refused.
#[test]
fn texts_that_look_like_another_text() {
    let problem = |files: BTreeMap<String, String>| refused(files)[0].problem.clone();
    let hidden = "holds a character that a terminal obeys";
    for (name, text) in [
        ("escape", "\u{1b}[8m"),
        ("reversed", "\u{202e}"),
        ("isolate", "\u{2066}"),
        ("return", "\r"),
        ("next line", "\u{85}"),
    ] {
        for file in [CEDAR, "elements.toml"] {
            let mut files = with(&permit("true"));
            let comment = if file.ends_with("toml") { "#" } else { "//" };
            let old = files.get(file).unwrap();
            files.insert(file.to_owned(), format!("{old}\n{comment} {text} x\n"));
            assert!(problem(files).starts_with(hidden), "{name} in {file}");
        }
    }
    // Written as escapes, they are in the file as plain text, and in the title as themselves.
    let mut files = with(&permit("true"));
    let pack = files.get("pack.toml").unwrap();
    let title = pack.replacen("title = \"", "title = \"\\u001b[2J", 1);
    assert_ne!(&title, pack);
    files.insert("pack.toml".to_owned(), title);
    assert!(problem(files).starts_with(hidden));
    let mut files = with(&permit("true"));
    let provisions = files.get(CEDAR).unwrap();
    let provisions = provisions.replacen("@reason(\"", "@reason(\"\\u{1b}[2J", 1);
    files.insert(CEDAR.to_owned(), provisions);
    assert!(problem(files).starts_with(hidden));
    // Lines that end as on Windows are plain text.
    let mut files = with(&permit("true"));
    let elements = files.get("elements.toml").unwrap().replace('\n', "\r\n");
    files.insert("elements.toml".to_owned(), elements);
    assert!(LawPack::load(&PackSource::new("law", files)).is_ok());
}
