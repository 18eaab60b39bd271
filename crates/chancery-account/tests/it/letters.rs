use std::collections::BTreeMap;
use std::path::Path;

use chancery_account::letter::{Exclusion, Language, LastFour, Letter, letter};
use chancery_law::{LawPack, PackSource, Vocabulary};

use crate::pages::Pages;
use crate::reading::{Measure, english, spanish};
use crate::samples;

const LANGUAGES: [(Language, &str, &str); 2] = [
    (Language::English, "Who got your records from us", "en-US"),
    (
        Language::Spanish,
        "Con quién compartimos sus datos",
        "es-US",
    ),
];

#[test]
fn a_letter_is_an_archival_and_accessible_document() {
    for (language, title, code) in LANGUAGES {
        let pages = Pages::of(&letter(&samples::letter(language)).unwrap());
        pages.check(title, code);
        let structure = pages.structure();
        for tag in ["H1", "H2", "H3", "TH", "TD", "LBody"] {
            assert!(structure.contains(tag), "{tag} is not in {structure}");
        }
    }
}

#[test]
fn the_same_letter_is_the_same_bytes() {
    for (language, ..) in LANGUAGES {
        let given = samples::letter(language);
        let bytes = letter(&given).unwrap();
        assert_eq!(bytes, letter(&given.clone()).unwrap());
        let other = Letter {
            number: "2".to_owned(),
            ..given
        };
        assert_ne!(bytes, letter(&other).unwrap());
    }
}

#[test]
fn a_letter_says_everything_that_an_accounting_must() {
    let given = samples::letter(Language::English);
    let text = Pages::of(&letter(&given).unwrap()).text();
    for part in [
        // 45 CFR 164.528(b)(2)(i), (ii), (iii), (iv); (b)(3).
        "January 10, 2026",
        "U.S. Immigration and Customs Enforcement 500 12th Street SW, Washington, DC 20536",
        "your home and mailing address",
        "To enforce immigration law, but not for a crime",
        "14 times. The first was on February 3, 2025. The last was on March 2, 2026.",
        // By what law, and how it can be checked.
        "8 USC 1360(b)",
        "Entry 27, release 2026-01-10-dhs-ice-0732b3bd",
        "Entries 30–43",
        "Office for Civil Rights",
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
        "chancery verify-proof",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    // The plain text says the same.
    assert!(given.text().contains("Entries 30–43"));
}

#[test]
fn a_letter_with_nothing_to_list_says_so() {
    for (language, _, said) in [
        (
            Language::English,
            "",
            "We found nothing about you that we must list now.",
        ),
        (
            Language::Spanish,
            "",
            "No encontramos nada sobre usted que debamos poner hoy en la lista.",
        ),
    ] {
        let given = Letter {
            disclosures: Vec::new(),
            ..samples::letter(language)
        };
        let text = Pages::of(&letter(&given).unwrap()).text();
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn what_is_suspended_leaves_no_trace() {
    for (language, ..) in LANGUAGES {
        let full = samples::letter(language);
        let mut without = full.clone();
        without.disclosures.remove(0);
        let text = without.text();
        // Neither a gap in the numbers nor a word about who was left out.
        assert!(text.contains("1. Social Security Administration"));
        for trace in [
            "2. ",
            "ICE",
            "Immigration and Customs",
            "0732b3bd",
            "27",
            "inmigración",
        ] {
            assert!(!text.contains(trace), "{trace} is in {text}");
        }
        // What every letter says of such cases is the same, whatever it lists.
        let said = |given: &Letter| {
            let prose = given.prose();
            let waiting =
                |text: &&String| text.contains("police, or an") || text.contains("vigila");
            prose.iter().find(waiting).cloned().unwrap()
        };
        let none = Letter {
            disclosures: Vec::new(),
            exclusions: vec![Exclusion::Care],
            ..full.clone()
        };
        assert_eq!(said(&full), said(&without));
        assert_eq!(said(&full), said(&none));
    }
}

#[test]
fn no_more_of_a_person_is_printed_than_it_takes() {
    assert_eq!(LastFour::of("904411237A").unwrap().to_string(), "237A");
    assert_eq!(LastFour::of("CA 90441-1237").unwrap().to_string(), "1237");
    for short in ["", "1234", "123-4567", "ñññññññññ"] {
        assert!(LastFour::of(short).is_none(), "{short}");
    }
    let given = samples::letter(Language::English);
    assert!(given.text().contains("237A") && !given.text().contains("904411"));
}

/// Every sentence that a letter may have: with a list and without, and in what words they are said.
fn prose(language: Language) -> Vec<String> {
    let full = samples::letter(language);
    let none = Letter {
        disclosures: Vec::new(),
        ..full.clone()
    };
    let mut prose = full.prose();
    prose.extend(
        none.prose()
            .into_iter()
            .filter(|text| !full.prose().contains(text)),
    );
    prose
}

/// What the shipped packs call elements and purposes.
fn plain_words(language: Language) -> Vec<String> {
    let mut said = Vec::new();
    for pack in ["us-medicaid", "us-tax-information"] {
        let words = vocabulary(pack);
        for element in words.elements() {
            assert!(
                element.plain.is_some(),
                "{pack}: {} has no plain words",
                element.name
            );
            said.push(language.element(element).to_owned());
        }
        for purpose in words.purposes() {
            assert!(
                purpose.plain.is_some(),
                "{pack}: {} has no plain words",
                purpose.path
            );
            said.push(language.purpose(purpose).to_owned());
        }
    }
    said
}

fn vocabulary(pack: &str) -> Vocabulary {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../law")
        .join(pack);
    let mut files = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read_to_string(path).unwrap());
        }
    }
    let source = PackSource::new("law", files);
    LawPack::load(&source).unwrap().vocabulary().clone()
}

#[test]
fn english_takes_six_years_of_school_at_most() {
    let grade = Measure::of(&prose(Language::English), english).flesch_kincaid();
    let words = Measure::of(&plain_words(Language::English), english).flesch_kincaid();
    eprintln!("Flesch-Kincaid grade: {grade:.2}; plain words {words:.2}");
    assert!(grade <= 6.9 && words <= 6.9, "{grade:.2} {words:.2}");
}

#[test]
fn spanish_is_easy_enough_for_all() {
    let measure = Measure::of(&prose(Language::Spanish), spanish);
    let (huerta, inflesz) = (measure.fernandez_huerta(), measure.inflesz());
    let words = Measure::of(&plain_words(Language::Spanish), spanish).inflesz();
    eprintln!("Fernández Huerta {huerta:.1}, INFLESZ {inflesz:.1}; plain words {words:.1}");
    assert!(huerta >= 65.0 && inflesz >= 65.0 && words >= 65.0);
}

#[test]
fn spanish_names_of_agencies_are_used_where_there_are_any() {
    let words = vocabulary("us-medicaid");
    let ice = words.agency("dhs/ice").unwrap();
    assert_eq!(
        Language::English.agency(&ice),
        "U.S. Immigration and Customs Enforcement"
    );
    assert!(
        Language::Spanish
            .agency(&ice)
            .starts_with("Servicio de Inmigración")
    );
    let research = words.agency("state").unwrap();
    assert_eq!(Language::Spanish.agency(&research), research.name);
}
