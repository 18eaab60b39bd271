//! Letters and an exhibit about nobody, as the data that they are set from.

use chancery_account::exhibit::ExhibitData;
use chancery_account::letter::{Language, Letter};

/// A letter with a disclosure and a series.
pub(crate) fn letter(language: Language) -> Letter {
    let json = match language {
        Language::English => include_str!("samples/letter-en.json"),
        Language::Spanish => include_str!("samples/letter-es.json"),
    };
    serde_json::from_str(json).unwrap()
}

/// An exhibit with something of everything.
pub(crate) fn exhibit() -> ExhibitData {
    serde_json::from_str(include_str!("samples/exhibit.json")).unwrap()
}
