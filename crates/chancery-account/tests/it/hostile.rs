//! Text that would like to be something else.

use chancery_account::exhibit::{Cell, exhibit};
use chancery_account::letter::{Language, letter};
use chancery_account::typeset::{Template, pdf};
use jiff::civil::date;

use crate::pages::Pages;
use crate::samples;

/// What would be markup, code, a field of JSON or another order of letters, if it were let.
const HOSTILE: &str =
    "#panic(\"x\") *b* _e_ @ref <label> $x^2$ `raw` = h \\ // /* ~ -- ... \"q\" 'q' {{x}} \\u{41}";

/// Each with what is shown in its place.
const INVISIBLE: [(&str, &str); 5] = [
    ("abc\u{202e}def", "abc[U+202E]def"),
    ("zero\u{200b}width", "zero[U+200B]width"),
    ("bell\u{7}", "bell[U+0007]"),
    ("\u{1f600}", "[U+1F600]"),
    ("\u{6f22}", "[U+6F22]"),
];

#[test]
fn text_of_a_letter_is_never_markup() {
    let mut hostile = samples::letter(Language::English);
    hostile.custodian.name = HOSTILE.to_owned();
    hostile.disclosures[0].recipient.name = HOSTILE.to_owned();
    hostile.disclosures[0].purpose = "{reach} #x".to_owned();
    hostile.number = INVISIBLE.map(|(given, _)| given).join(" ");
    let text = Pages::of(&letter(&hostile).unwrap()).text();
    // Quotation marks are set as a person would; all else is as it was.
    for part in [
        "#panic(",
        "*b* _e_ @ref <label> $x^2$",
        "`raw` = h \\ // /* ~ --",
        "{{x}} \\u{41}",
        "{reach} #x",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    for (_, shown) in INVISIBLE {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
}

#[test]
fn text_of_an_exhibit_is_never_markup() {
    let mut hostile = samples::exhibit();
    hostile.caption.title = HOSTILE.to_owned();
    hostile.sections[0].paragraphs[0].text = HOSTILE.to_owned();
    hostile.releases[0].recipient = HOSTILE.to_owned();
    hostile.releases[0].people = Cell::Hidden("#1/0".to_owned());
    hostile.charts[0].periods[0].label = HOSTILE.to_owned();
    hostile.matrices[0].groups[0].who = HOSTILE.to_owned();
    hostile.appendix.origin = INVISIBLE.map(|(given, _)| given).join(" ");
    let pages = Pages::of(&exhibit(&hostile).unwrap());
    let text = pages.text();
    assert!(text.matches("#panic(").count() >= 5, "{text}");
    assert!(text.contains("#1/0"));
    for (_, shown) in INVISIBLE {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
}

#[test]
fn the_longest_word_stays_on_the_page() {
    let word = "W".repeat(500);
    let mut long = samples::letter(Language::Spanish);
    long.custodian.name.clone_from(&word);
    long.disclosures[0].elements[0].clone_from(&word);
    long.disclosures[0].recipient.address = Some(word.clone());
    let pages = Pages::of(&letter(&long).unwrap());
    pages.check("Con quién compartimos sus datos", "es-US");

    let mut long = samples::exhibit();
    long.caption.counsel[0].clone_from(&word);
    long.releases[0].recipient.clone_from(&word);
    long.releases[0].purpose.clone_from(&word);
    long.instruments[0].citation.clone_from(&word);
    long.charts[0].periods[0].label = "W".repeat(60);
    long.matrices[0].groups[0].who = "W".repeat(60);
    let pages = Pages::of(&exhibit(&long).unwrap());
    pages.check(&pages.info("Title"), "en-US");
}

#[test]
fn letters_of_spanish_and_of_names_are_all_there() {
    let all = "ÁÉÍÓÚÜÑ áéíóúüñ ¿? ¡! «» ª º € § – — “” ’ Zoë Žižek Łukasz Şule Ōno Nguyễn";
    let mut given = samples::letter(Language::Spanish);
    given.number = all.to_owned();
    let text = Pages::of(&letter(&given).unwrap()).text();
    assert!(!text.contains("[U+"), "{text}");
    assert!(text.contains("¿? ¡! «» ª º € §"), "{text}");
}

#[test]
fn a_template_sees_nothing_but_its_data() {
    let set = |source: &str| {
        let template = Template {
            name: "note",
            source,
        };
        let wrong = pdf(template, &serde_json::json!({ "a": 1 }), date(2026, 1, 10)).unwrap_err();
        wrong.to_string()
    };
    for (source, line, problem) in [
        ("= T\n\n#read(\"/etc/passwd\")", 3, "failed to load file"),
        (
            "#import \"@preview/cetz:0.4.0\": *",
            1,
            "failed to load file",
        ),
        ("#include \"other.typ\"", 1, "failed to load file"),
        ("= T\n#undefined", 2, "unknown variable"),
        (
            "#set document(title: \"t\")\n#set text(font: \"Arial\")\nx",
            2,
            "unknown font family",
        ),
        ("no title", 0, "title"),
    ] {
        let said = set(source);
        let at = format!("cannot typeset template `note`, line {line}: ");
        assert!(
            said.starts_with(&at) && said.contains(problem),
            "{said}\nexpected {at}{problem}"
        );
        assert!(!said.contains("root:"), "{said}");
    }
}

#[test]
fn today_is_the_day_that_was_given() {
    let source = "#set document(title: \"t\")\n#datetime.today().display()";
    let template = Template {
        name: "note",
        source,
    };
    let document = pdf(template, &(), date(2026, 1, 10)).unwrap();
    assert_eq!(Pages::of(&document).text(), "2026-01-10");
}
