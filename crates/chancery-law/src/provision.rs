use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr as _;

use cedar_policy::{Policy, PolicyId, PolicySet};
use chancery_model::{Fault, Place};
use miette::Diagnostic as _;

use crate::PackSource;

/// Whether a provision lets go or holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Lets go.
    Permit,
    /// Holds back, whatever permits.
    Forbid,
}

/// One clause of an instrument as a Cedar policy.
#[derive(Clone, Debug)]
pub struct Provision {
    /// `<instrument>#<name>`.
    pub id: String,
    /// The clause it encodes.
    pub clause: String,
    /// Why, in plain words.
    pub reason: String,
    /// Whether it lets go or holds back.
    pub effect: Effect,
    /// Names of the instrument's interpretations it rests on.
    pub interpretations: Vec<String>,
    /// Where it stands in the pack.
    pub place: Place,
    pub(crate) policy: Policy,
    /// Its text in the file, from its first annotation to its semicolon.
    pub(crate) span: Range<usize>,
}

/// Reads `provisions.cedar` of an instrument; a file with comments alone has no provisions.
pub(crate) fn load(
    source: &PackSource,
    folder: &str,
    instrument: &str,
    interpretations: &BTreeSet<&str>,
) -> Result<Vec<Provision>, Vec<Fault>> {
    let path = format!("instruments/{folder}/provisions.cedar");
    let text = source.text(&path).map_err(|fault| vec![fault])?;
    let set = PolicySet::from_str(text).map_err(|errors| {
        let fault = |error: &cedar_policy::ParseError| {
            let label = error.labels().and_then(|mut labels| labels.next());
            let place = label.map_or_else(
                || Place::file(source.name(&path)),
                |label| source.span(&path, label.offset()..label.offset() + label.len()),
            );
            Fault::new(place, error.to_string())
        };
        errors.iter().map(fault).collect::<Vec<_>>()
    })?;
    if set.templates().next().is_some() {
        let at = text.find('?').unwrap_or_default();
        return Err(vec![Fault::new(
            source.span(&path, at..at + 1),
            "a provision may not be a template",
        )]);
    }
    let mut policies: Vec<&Policy> = set.policies().collect();
    // Cedar numbers policies in the order of the file: `policy0`, `policy1`, …
    policies.sort_by_key(|policy| {
        policy
            .id()
            .to_string()
            .trim_start_matches("policy")
            .parse::<usize>()
            .unwrap_or(usize::MAX)
    });
    let spans = spans(text);
    let mut provisions: Vec<Provision> = Vec::new();
    let mut faults = Vec::new();
    for (at, policy) in policies.into_iter().enumerate() {
        let span = spans.get(at).cloned().unwrap_or(0..text.len());
        let reader = Reader {
            source,
            path: &path,
            instrument,
            interpretations,
            span,
        };
        match reader.read(policy) {
            Ok(new) if provisions.iter().any(|known| known.id == new.id) => faults.push(
                Fault::new(
                    new.place,
                    format!("provision `{}` is declared twice", new.id),
                )
                .field("@id"),
            ),
            Ok(new) => provisions.push(new),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(provisions)
    } else {
        Err(faults)
    }
}

/// The text of each policy, from its first annotation to its semicolon: Cedar's policies do not
/// tell where they stand.
fn spans(text: &str) -> Vec<Range<usize>> {
    let code = code(text);
    let mut start = 0;
    let ends = code.match_indices(';').map(|(at, _)| at + 1);
    ends.map(|end| {
        let policy = code.get(start..end).unwrap_or_default();
        let begin = start + policy.len() - policy.trim_start().len();
        start = end;
        begin..end
    })
    .collect()
}

/// The text with comments and the content of strings blanked, byte for byte as long.
fn code(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let blank = |blanked: &mut String, c: char| {
        let blank = if c == '\n' { "\n" } else { " " };
        blanked.push_str(&blank.repeat(c.len_utf8()));
    };
    while let Some(c) = rest.next() {
        blanked.push(c);
        if c == '/' && rest.peek() == Some(&'/') {
            blanked.pop();
            blanked.push(' ');
            while let Some(c) = rest.next_if(|c| *c != '\n') {
                blank(&mut blanked, c);
            }
        } else if c == '"' {
            while let Some(c) = rest.next_if(|c| *c != '"') {
                blank(&mut blanked, c);
                if c == '\\'
                    && let Some(escaped) = rest.next()
                {
                    blank(&mut blanked, escaped);
                }
            }
            blanked.extend(rest.next());
        }
    }
    blanked
}

/// Where `word` stands in a policy: in its conditions or else its scope, never in its annotations
/// or comments, and inside a string only if the word is one itself or has one in it.
pub(crate) fn find(policy: &str, word: &str) -> Option<usize> {
    let code = code(policy);
    let scope = scope(&code);
    let conditions = code.get(scope..)?.find('{').map(|at| scope + at);
    let is_code = |at: &usize| code.as_bytes().get(*at) == policy.as_bytes().get(*at);
    let found = || policy.match_indices(word).map(|(at, _)| at).filter(is_code);
    let after = |start: usize| found().find(|at| *at >= start);
    conditions.and_then(after).or_else(|| after(scope))
}

/// Where a policy's annotations end.
fn scope(code: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = code.get(at..).unwrap_or_default();
        let begin = at + rest.len() - rest.trim_start().len();
        let annotation = code.get(begin..).filter(|rest| rest.starts_with('@'));
        match annotation.and_then(|rest| rest.find(')')) {
            Some(end) => at = begin + end + 1,
            None => return begin,
        }
    }
}

struct Reader<'a> {
    source: &'a PackSource,
    path: &'a str,
    instrument: &'a str,
    interpretations: &'a BTreeSet<&'a str>,
    span: Range<usize>,
}

impl Reader<'_> {
    fn read(self, policy: &Policy) -> Result<Provision, Fault> {
        let name = self.annotation(policy, "id")?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if !name.chars().all(plain) {
            return Err(Fault::new(self.first_line(), "is no plain name")
                .field("@id")
                .hint("lower-case letters, digits, `-` and `.`, for example `six-elements`"));
        }
        let id = format!("{}#{name}", self.instrument);
        let first_line = self.first_line();
        let mut interpretations = Vec::new();
        for name in policy
            .annotation("interpretation")
            .unwrap_or_default()
            .split(',')
        {
            let name = name.trim();
            if self.interpretations.contains(name) {
                interpretations.push(name.to_owned());
            } else if !name.is_empty() {
                return Err(Fault::new(
                    first_line,
                    format!("instrument.toml has no interpretation `{name}`"),
                )
                .field("@interpretation"));
            }
        }
        Ok(Provision {
            clause: self.annotation(policy, "clause")?,
            reason: self.annotation(policy, "reason")?,
            effect: match policy.effect() {
                cedar_policy::Effect::Permit => Effect::Permit,
                cedar_policy::Effect::Forbid => Effect::Forbid,
            },
            policy: policy.new_id(PolicyId::new(&id)),
            id,
            interpretations,
            place: first_line,
            span: self.span,
        })
    }

    fn annotation(&self, policy: &Policy, name: &str) -> Result<String, Fault> {
        match policy.annotation(name).map(str::trim) {
            Some(text) if text.contains(crate::source::is_deceiving) => Err(Fault::new(
                self.first_line(),
                "holds a character that a terminal obeys and does not show",
            )
            .field(format!("@{name}"))),
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(
                Fault::new(self.first_line(), "the provision lacks this annotation")
                    .field(format!("@{name}"))
                    .hint("every provision has `@id`, `@clause` and `@reason`, the `@id` first"),
            ),
        }
    }

    fn first_line(&self) -> Place {
        let text = self.source.text(self.path).unwrap_or_default();
        let line = text
            .get(self.span.clone())
            .and_then(|text| text.lines().next());
        let length = line.map_or(1, str::len);
        self.source
            .span(self.path, self.span.start..self.span.start + length)
    }
}
