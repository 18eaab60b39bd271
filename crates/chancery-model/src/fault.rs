use std::fmt;

/// Where in an input a [`Fault`] lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user named it.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
    /// The length of the span in bytes, for underlining.
    pub length: usize,
    /// The text of the line, when it holds no person's data (law packs, requests, maps).
    pub excerpt: Option<String>,
}

impl Place {
    /// A whole file.
    pub fn file(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            ..Self::default()
        }
    }

    /// A line of a file.
    pub fn line(file: impl Into<String>, line: usize) -> Self {
        Self {
            file: file.into(),
            line: Some(line),
            ..Self::default()
        }
    }

    /// The byte span `start..end` of `text`, which is the content of `file`.
    ///
    /// ```
    /// let place = chancery_model::Place::span("a.toml", "x = 1\ny = 2\n", 6..7);
    /// assert_eq!((place.line, place.column), (Some(2), Some(1)));
    /// ```
    pub fn span(file: impl Into<String>, text: &str, span: std::ops::Range<usize>) -> Self {
        let start = floor_char_boundary(text, span.start);
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let excerpt = rest.lines().next().unwrap_or_default().to_owned();
        Self {
            file: file.into(),
            line: Some(line),
            column: Some(before.get(line_start..).unwrap_or_default().chars().count() + 1),
            length: span.end.saturating_sub(span.start).max(1),
            excerpt: Some(excerpt),
        }
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        Ok(())
    }
}

/// What is wrong with an input: the place, the field, what was expected, and how to mend it.
///
/// A fault never carries a value of a person's record: only names of files, fields and codes.
///
/// ```
/// use chancery_model::{Fault, Place};
/// let fault = Fault::new(Place::line("request.toml", 3), "expected an agency")
///     .field("recipient")
///     .hint("`chancery law list` names the agencies");
/// assert!(fault.to_string().starts_with("request.toml:3: `recipient`: expected an agency"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// The field, in the input's own words.
    pub field: Option<String>,
    /// What is wrong and what was expected.
    pub problem: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault at `place`.
    pub fn new(place: Place, problem: impl Into<String>) -> Self {
        Self {
            place,
            field: None,
            problem: problem.into(),
            hint: None,
        }
    }

    /// Names the field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A fault from a TOML error in `text`, the content of `file`.
    pub fn from_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let place = error
            .span()
            .map_or_else(|| Place::file(file), |span| Place::span(file, text, span));
        Self::new(place, error.message().trim_end().replace('\n', "; "))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(field) = &self.field {
            write!(f, "`{field}`: ")?;
        }
        write!(f, "{}", self.problem)?;
        if let (Some(excerpt), Some(column)) = (&self.place.excerpt, self.place.column) {
            let left = excerpt.chars().count().saturating_sub(column - 1).max(1);
            let carets = "^".repeat(self.place.length.clamp(1, left));
            let pad: String = excerpt
                .chars()
                .take(column - 1)
                .map(|c| if c == '\t' { c } else { ' ' })
                .collect();
            write!(f, "\n  | {excerpt}\n  | {pad}{carets}")?;
        }
        Ok(())
    }
}
