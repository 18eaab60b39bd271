//! How hard a text is to read, by the formulas that agencies use.

/// A text's sentences, words and syllables.
#[derive(Debug, Default)]
pub(crate) struct Measure {
    sentences: f64,
    words: f64,
    syllables: f64,
}

impl Measure {
    /// Of paragraphs and points; each ends a sentence, as does a full stop.
    pub(crate) fn of(prose: &[String], syllables: fn(&str) -> usize) -> Self {
        let mut measure = Self::default();
        for text in prose {
            for sentence in text.split_inclusive(['.', '?', '!']) {
                let words: Vec<&str> = sentence
                    .split(|c: char| !c.is_alphabetic() && c != '\'')
                    .filter(|word| !word.is_empty())
                    .collect();
                if words.is_empty() {
                    continue;
                }
                measure.sentences += 1.0;
                for word in words {
                    measure.words += 1.0;
                    measure.syllables += f64::from(u32::try_from(syllables(word)).unwrap());
                }
            }
        }
        measure
    }

    /// Flesch-Kincaid grade level: the school year that it takes (English).
    pub(crate) fn flesch_kincaid(&self) -> f64 {
        0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59
    }

    /// Fernández Huerta's ease of reading: 60 to 70 is plain (Spanish).
    pub(crate) fn fernandez_huerta(&self) -> f64 {
        206.84 - 60.0 * self.syllables / self.words - 1.02 * self.words / self.sentences
    }

    /// Szigriszt's ease of reading on the INFLESZ scale: above 65 is easy enough for all (Spanish).
    pub(crate) fn inflesz(&self) -> f64 {
        206.835 - 62.3 * self.syllables / self.words - self.words / self.sentences
    }
}

/// Syllables of an English word: groups of vowels, without those that are not spoken.
pub(crate) fn english(word: &str) -> usize {
    let word = word.to_lowercase();
    let word = word.trim_end_matches("'s");
    // Where the letters mislead.
    let known = [
        ("medicaid", 3),
        ("medicare", 3),
        ("something", 2),
        ("someone", 2),
        ("somewhere", 2),
        ("people", 2),
        ("cfr", 3),
        ("usc", 3),
        ("id", 2),
        ("being", 2),
        ("area", 3),
        ("does", 1),
        ("safe", 1),
        ("idea", 3),
        ("science", 2),
        ("create", 2),
        ("every", 2),
        ("business", 2),
        ("homeland", 2),
        ("statement", 2),
        ("management", 3),
        ("enforcement", 3),
        ("records", 2),
        ("chancery", 3),
        ("internet", 3),
        ("really", 2),
        ("doing", 2),
        ("going", 2),
        ("trial", 2),
    ];
    if let Some((_, count)) = known.iter().find(|(known, _)| *known == word) {
        return *count;
    }
    let letters: Vec<char> = word.chars().collect();
    let vowel = |at: usize| matches!(letters[at], 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let mut count = 0;
    for at in 0..letters.len() {
        if vowel(at) && (at == 0 || !vowel(at - 1)) {
            count += 1;
        }
    }
    // Two vowels that are two syllables: media, various, violation, continuous.
    for pair in letters.windows(3) {
        let end: String = pair.iter().collect();
        let apart = matches!(
            end.as_str(),
            "iat" | "ial" | "ian" | "iou" | "uou" | "uat" | "ium" | "ior" | "ien" | "iet"
        ) && !word.contains("tion")
            && !word.contains("cial")
            && !word.contains("tial");
        count += usize::from(apart);
    }
    let ends = |end: &str| word.ends_with(end);
    let consonant = |back: usize| {
        letters.len() > back
            && !matches!(
                letters[letters.len() - 1 - back],
                'a' | 'e' | 'i' | 'o' | 'u' | 'y'
            )
    };
    let silent_e = ends("e") && consonant(1) && !(ends("le") && consonant(2));
    let mute_es = ends("es")
        && consonant(2)
        && !["ses", "zes", "ces", "ges", "xes", "ches", "shes"]
            .iter()
            .any(|e| ends(e))
        && !(ends("les") && consonant(3));
    let unspoken_ed = ends("ed") && consonant(2) && !ends("ted") && !ends("ded");
    if (silent_e || mute_es || unspoken_ed) && count > 1 {
        count -= 1;
    }
    count.max(1)
}

/// Syllables of a Spanish word: every strong or accented vowel, and every weak one that stands alone.
pub(crate) fn spanish(word: &str) -> usize {
    let word = word
        .to_lowercase()
        .replace("qu", "q")
        .replace("gue", "ge")
        .replace("gui", "gi")
        .replace("gué", "gé")
        .replace("guí", "gí");
    if matches!(word.as_str(), "cfr" | "usc") {
        return 3;
    }
    let letters: Vec<char> = word.chars().collect();
    let strong = |c: char| matches!(c, 'a' | 'e' | 'o' | 'á' | 'é' | 'ó' | 'í' | 'ú');
    let weak = |at: usize| match letters[at] {
        'i' | 'u' | 'ü' => true,
        'y' => at + 1 == letters.len(),
        _ => false,
    };
    let mut count = 0;
    for at in 0..letters.len() {
        let beside = |c: char| strong(c);
        if strong(letters[at]) {
            count += 1;
        } else if weak(at) {
            let before = at > 0 && (beside(letters[at - 1]) || weak(at - 1));
            let after = at + 1 < letters.len() && beside(letters[at + 1]);
            count += usize::from(!before && !after);
        }
    }
    count.max(1)
}

#[test]
fn syllables_are_counted_as_they_are_spoken() {
    for (word, count) in [
        ("records", 2),
        ("shared", 1),
        ("asked", 1),
        ("needed", 2),
        ("people", 2),
        ("services", 3),
        ("received", 2),
        ("covers", 2),
        ("file", 1),
        ("files", 1),
        ("table", 2),
        ("changes", 2),
        ("information", 4),
        ("immigration", 4),
        ("social", 2),
        ("privacy", 3),
        ("benefits", 3),
        ("various", 3),
        ("number", 2),
        ("complaint", 2),
        ("enrollment", 3),
        ("disclosures", 3),
        ("security", 4),
        ("eligible", 4),
        ("time", 1),
        ("times", 1),
        ("the", 1),
        ("police", 2),
    ] {
        assert_eq!(english(word), count, "{word}");
    }
    for (word, count) in [
        ("usted", 2),
        ("quién", 1),
        ("atención", 3),
        ("ley", 1),
        ("día", 2),
        ("guerra", 2),
        ("ciudadanía", 5),
        ("situación", 3),
        ("muy", 1),
        ("oficina", 4),
        ("recibió", 3),
        ("dirección", 3),
        ("leer", 2),
        ("cuidar", 2),
        ("pueda", 2),
        ("país", 2),
        ("y", 1),
        ("vergüenza", 3),
        ("registro", 3),
    ] {
        assert_eq!(spanish(word), count, "{word}");
    }
}
