use chancery_account::{Language, letter};

use crate::samples;

#[test]
fn look() {
    for language in [Language::English, Language::Spanish] {
        let start = std::time::Instant::now();
        let bytes = letter(&samples::letter(language)).unwrap();
        eprintln!("{:?} {:?}", language, start.elapsed());
        std::fs::write(format!("/tmp/docs-letter-{language:?}.pdf"), bytes).unwrap();
    }
    eprintln!("{}", samples::letter(Language::English).text());
}
