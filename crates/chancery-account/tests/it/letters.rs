use chancery_account::{Language, Letter, letter};

use crate::reading::{Measure, english, spanish};
use crate::samples;

#[test]
fn look() {
    for language in [Language::English, Language::Spanish] {
        let start = std::time::Instant::now();
        let bytes = letter(&samples::letter(language)).unwrap();
        eprintln!("{:?} {:?}", language, start.elapsed());
        std::fs::write(format!("/tmp/docs-letter-{language:?}.pdf"), bytes).unwrap();
    }
}

/// Both forms of the list, so that every sentence is measured.
fn prose(language: Language) -> Vec<String> {
    let full = samples::letter(language);
    let empty = Letter { disclosures: Vec::new(), ..full.clone() };
    let mut prose = full.prose();
    prose.extend(empty.prose().into_iter().filter(|text| !full.prose().contains(text)));
    prose
}

#[test]
fn english_takes_six_years_of_school() {
    let measure = Measure::of(&prose(Language::English), english);
    let grade = measure.flesch_kincaid();
    eprintln!("Flesch-Kincaid grade {grade:.2}, {measure:?}");
    assert!(grade <= 6.9, "{grade:.2}");
}

#[test]
fn spanish_is_easy_enough_for_all() {
    let measure = Measure::of(&prose(Language::Spanish), spanish);
    let (huerta, inflesz) = (measure.fernandez_huerta(), measure.inflesz());
    eprintln!("Fernández Huerta {huerta:.1}, INFLESZ {inflesz:.1}, {measure:?}");
    assert!(huerta >= 65.0 && inflesz >= 65.0, "{huerta:.1} {inflesz:.1}");
}
