//! What an instrument must always bar or always let through, in words of its own: beside the
//! provisions, by someone who read the order and not the policies.

use std::collections::{BTreeMap, BTreeSet};

use chancery_model::{Domain, Fault, Place, Signature};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::vocabulary::did_you_mean;
use crate::{Agency, PackSource, Purpose, Vocabulary};

/// The name of the file in an instrument's folder.
pub(crate) const FILE: &str = "assertions.toml";

/// What an assertion says of everything in its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssertionKind {
    /// None of it is lawful: no permit applies, or a forbid does.
    Never,
    /// A forbid applies to all of it, so that no permit that anybody adds could let it leave.
    Barred,
    /// All of it is lawful, as far as its own layer of the law and those below it go: a layer above
    /// may hold back more.
    Always,
}

/// An agency or a purpose that an assertion speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// It and everything within it.
    Within(String),
    /// The very one: `=dhs`.
    Exactly(String),
}

/// The agencies or purposes that an assertion speaks of: those in `only`, or every one if it is
/// empty, without those in `except`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// Those it speaks of; empty for every one.
    pub only: Vec<Scope>,
    /// Those it leaves out.
    pub except: Vec<Scope>,
}

/// Whose own records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Those of the recipient's jurisdiction.
    Recipient,
    /// Those of the custodian's jurisdiction.
    Custodian,
}

/// One alternative of the people whom an assertion speaks of; all of it must hold of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Where {
    /// Positions of values by position of the attribute in the [`Domain`].
    pub values: BTreeMap<usize, BTreeSet<u8>>,
    /// The origin is (`true`) or is not (`false`) in the jurisdiction of the agency on that side.
    pub own: BTreeMap<Side, bool>,
}

/// What must never, or always, leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// `<instrument>#assert/<name>`.
    pub id: String,
    /// The clause it restates.
    pub clause: String,
    /// What it asserts, in plain words.
    pub says: String,
    /// What it says of everything in its scope.
    pub kind: AssertionKind,
    /// What is done with the records: `disclose`, `use`, …
    pub actions: Vec<String>,
    /// Who holds them.
    pub custodians: Scopes,
    /// Who receives them.
    pub recipients: Scopes,
    /// What for.
    pub purposes: Scopes,
    /// Which elements, by name.
    pub elements: BTreeSet<String>,
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub until: Option<Date>,
    /// Whom it speaks of: anybody to whom one of these applies; everybody if there are none.
    pub people: Vec<Where>,
    /// Where it stands.
    pub place: Place,
}

impl Scope {
    /// Whether `path`, which is within all of `within`, is meant.
    pub fn holds(&self, path: &str, within: &[String]) -> bool {
        match self {
            Self::Exactly(this) => this == path,
            Self::Within(this) => this == path || within.iter().any(|outer| outer == this),
        }
    }

    fn path(&self) -> &str {
        match self {
            Self::Exactly(path) | Self::Within(path) => path,
        }
    }
}

impl Scopes {
    /// Whether `path`, which is within all of `within`, is meant.
    pub fn holds(&self, path: &str, within: &[String]) -> bool {
        let any = |scopes: &[Scope]| scopes.iter().any(|scope| scope.holds(path, within));
        (self.only.is_empty() || any(&self.only)) && !any(&self.except)
    }

    /// The paths that it names.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.only.iter().chain(&self.except).map(Scope::path)
    }
}

impl Assertion {
    /// Whether it speaks of a request for an element.
    pub fn asks(
        &self,
        custodian: &Agency,
        recipient: &Agency,
        purpose: &Purpose,
        element: &str,
    ) -> bool {
        self.elements.contains(element)
            && self.custodians.holds(&custodian.path, &custodian.within)
            && self.recipients.holds(&recipient.path, &recipient.within)
            && self.purposes.holds(&purpose.path, &purpose.within)
    }

    /// Whether it speaks of a day.
    pub fn on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    /// Whether it speaks of a person with these attributes, in a disclosure from one agency to the
    /// other. `origin` is the position of the attribute that tells where a record comes from.
    pub fn speaks_of(
        &self,
        person: &Signature,
        custodian: &Agency,
        recipient: &Agency,
        domain: &Domain,
        origin: usize,
    ) -> bool {
        self.boxes(custodian, recipient, domain, origin)
            .iter()
            .any(|values| {
                values.iter().all(|(attribute, values)| {
                    person
                        .value(*attribute)
                        .is_some_and(|value| values.contains(&value))
                })
            })
    }

    /// The people it speaks of in a disclosure from one agency to the other, as alternatives of
    /// values by attribute; an attribute that is not there may have any value. Nobody is no
    /// alternative at all, everybody one without attributes.
    pub fn boxes(
        &self,
        custodian: &Agency,
        recipient: &Agency,
        domain: &Domain,
        origin: usize,
    ) -> Vec<BTreeMap<usize, BTreeSet<u8>>> {
        if self.people.is_empty() {
            return vec![BTreeMap::new()];
        }
        let all: BTreeSet<u8> = domain
            .attributes()
            .get(origin)
            .map_or(0..0, |a| 0..u8::try_from(a.values.len()).unwrap_or(u8::MAX))
            .collect();
        let resolve = |one: &Where| {
            let mut values = one.values.clone();
            for (side, own) in &one.own {
                let agency = match side {
                    Side::Recipient => recipient,
                    Side::Custodian => custodian,
                };
                let jurisdiction: BTreeSet<u8> = agency
                    .jurisdiction
                    .iter()
                    .filter_map(|value| domain.value(origin, value))
                    .collect();
                let meant = if *own {
                    jurisdiction
                } else {
                    &all - &jurisdiction
                };
                let known = values.entry(origin).or_insert_with(|| all.clone());
                *known = &*known & &meant;
            }
            values
        };
        self.people
            .iter()
            .map(resolve)
            .filter(|values| values.values().all(|values| !values.is_empty()))
            .collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    assertion: Vec<Spanned<Raw>>,
}

type Words = Vec<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Spanned<String>,
    clause: Spanned<String>,
    says: Spanned<String>,
    kind: AssertionKind,
    action: Option<Spanned<Words>>,
    custodian: Option<Spanned<Words>>,
    except_custodian: Option<Spanned<Words>>,
    recipient: Option<Spanned<Words>>,
    except_recipient: Option<Spanned<Words>>,
    purpose: Option<Spanned<Words>>,
    except_purpose: Option<Spanned<Words>>,
    elements: Option<Spanned<Words>>,
    except_elements: Option<Spanned<Words>>,
    from: Option<Spanned<Date>>,
    until: Option<Spanned<Date>>,
    #[serde(default, rename = "where")]
    people: Vec<Spanned<BTreeMap<Spanned<String>, Spanned<Words>>>>,
}

/// What the words of an assertion may be.
pub(crate) struct Known<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    /// What the assertion's own layer and those below it know: what must always leave can be no
    /// element that a layer above adds.
    pub(crate) of_layer: &'a Vocabulary,
    pub(crate) domain: &'a Domain,
    /// The attribute that tells where a record comes from.
    pub(crate) origin: &'a str,
    pub(crate) actions: &'a [String],
}

/// Reads `assertions.toml` of an instrument, if it has one.
pub(crate) fn load(
    source: &PackSource,
    folder: &str,
    instrument: &str,
    known: &Known<'_>,
) -> Result<Vec<Assertion>, Vec<Fault>> {
    let path = format!("instruments/{folder}/{FILE}");
    if !source.has(&path) {
        return Ok(Vec::new());
    }
    let file: File = source.toml(&path).map_err(|fault| vec![fault])?;
    let reader = Reader {
        source,
        path: &path,
        instrument,
        known,
    };
    let mut assertions = Vec::new();
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for raw in file.assertion {
        let name = raw.get_ref().name.clone();
        if !names.insert(name.get_ref().clone()) {
            let problem = format!("assertion `{}` is declared twice", name.get_ref());
            faults.push(reader.fault(&name, "name", problem));
        }
        match reader.read(raw.into_inner()) {
            Ok(assertion) => assertions.push(assertion),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(assertions)
    } else {
        Err(faults)
    }
}

struct Reader<'a> {
    source: &'a PackSource,
    path: &'a str,
    instrument: &'a str,
    known: &'a Known<'a>,
}

impl Reader<'_> {
    fn read(&self, raw: Raw) -> Result<Assertion, Fault> {
        for (field, text) in [
            ("name", &raw.name),
            ("clause", &raw.clause),
            ("says", &raw.says),
        ] {
            if text.get_ref().trim().is_empty() {
                return Err(self.fault(text, field, "is empty"));
            }
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !raw.name.get_ref().chars().all(plain) {
            return Err(self
                .fault(&raw.name, "name", "is not a plain name")
                .hint("lower-case letters, digits and `-`"));
        }
        if let (Some(from), Some(until)) = (&raw.from, &raw.until)
            && until.get_ref() < from.get_ref()
        {
            return Err(self.fault(until, "until", "ends before it begins"));
        }
        let people = raw.people.iter().map(|one| self.people(one));
        Ok(Assertion {
            id: format!("{}#assert/{}", self.instrument, raw.name.get_ref()),
            place: self.source.span(self.path, raw.name.span()),
            kind: raw.kind,
            actions: self.actions(raw.action)?,
            custodians: self.agencies(
                ("custodian", raw.custodian),
                ("except_custodian", raw.except_custodian),
            )?,
            recipients: self.agencies(
                ("recipient", raw.recipient),
                ("except_recipient", raw.except_recipient),
            )?,
            purposes: self.purposes(raw.purpose, raw.except_purpose)?,
            elements: self.elements(raw.kind, raw.elements, raw.except_elements)?,
            from: raw.from.map(Spanned::into_inner),
            until: raw.until.map(Spanned::into_inner),
            people: people.collect::<Result<_, _>>()?,
            clause: raw.clause.into_inner(),
            says: raw.says.into_inner(),
        })
    }

    fn actions(&self, words: Option<Spanned<Words>>) -> Result<Vec<String>, Fault> {
        let Some(words) = self.words("action", words)? else {
            return Ok(vec!["disclose".to_owned()]);
        };
        let known = || self.known.actions.iter().map(String::as_str);
        for word in &words {
            if !known().any(|action| action == word.get_ref()) {
                return Err(self.unknown(word, "action", "action", known()));
            }
        }
        Ok(words.into_iter().map(Spanned::into_inner).collect())
    }

    fn agencies(
        &self,
        only: (&str, Option<Spanned<Words>>),
        except: (&str, Option<Spanned<Words>>),
    ) -> Result<Scopes, Fault> {
        let vocabulary = self.known.vocabulary;
        let read = |(field, words): (&str, Option<Spanned<Words>>)| {
            self.scopes(
                (field, "agency"),
                words,
                &|path| vocabulary.agency(path).is_some(),
                &|path| did_you_mean(path, vocabulary.agency_paths()),
            )
        };
        Ok(Scopes {
            only: read(only)?,
            except: read(except)?,
        })
    }

    fn purposes(
        &self,
        only: Option<Spanned<Words>>,
        except: Option<Spanned<Words>>,
    ) -> Result<Scopes, Fault> {
        let vocabulary = self.known.vocabulary;
        let paths = || vocabulary.purposes().iter().map(|p| p.path.as_str());
        let read = |field, words| {
            self.scopes(
                (field, "purpose"),
                words,
                &|path| vocabulary.purpose(path).is_some(),
                &|path| did_you_mean(path, paths()),
            )
        };
        Ok(Scopes {
            only: read("purpose", only)?,
            except: read("except_purpose", except)?,
        })
    }

    fn scopes(
        &self,
        (field, what): (&str, &str),
        words: Option<Spanned<Words>>,
        known: &dyn Fn(&str) -> bool,
        hint: &dyn Fn(&str) -> String,
    ) -> Result<Vec<Scope>, Fault> {
        let scope = |word: Spanned<String>| {
            let text = word.get_ref();
            let scope = match text.strip_prefix('=') {
                Some(path) => Scope::Exactly(path.to_owned()),
                None => Scope::Within(text.clone()),
            };
            if known(scope.path()) {
                Ok(scope)
            } else {
                let problem = format!("unknown {what} `{}`", scope.path());
                Err(self.fault(&word, field, problem).hint(hint(scope.path())))
            }
        };
        let words = self.words(field, words)?.unwrap_or_default();
        words.into_iter().map(scope).collect()
    }

    fn elements(
        &self,
        kind: AssertionKind,
        only: Option<Spanned<Words>>,
        except: Option<Spanned<Words>>,
    ) -> Result<BTreeSet<String>, Fault> {
        if let (Some(_), Some(except)) = (&only, &except) {
            return Err(self
                .fault(except, "except_elements", "stands beside `elements`")
                .hint("name the elements, or those left out, not both"));
        }
        let all = || self.known.vocabulary.element_names();
        let read = |field, words| -> Result<Option<BTreeSet<String>>, Fault> {
            let Some(words) = self.words(field, words)? else {
                return Ok(None);
            };
            for word in &words {
                if !all().any(|name| name == word.get_ref()) {
                    return Err(self.unknown(word, field, "element", all()));
                }
            }
            Ok(Some(words.into_iter().map(Spanned::into_inner).collect()))
        };
        let except_span = except.as_ref().map(Spanned::span);
        if let Some(only) = read("elements", only)? {
            return Ok(only);
        }
        let except = read("except_elements", except)?.unwrap_or_default();
        let every = match kind {
            AssertionKind::Always => self.known.of_layer,
            AssertionKind::Never | AssertionKind::Barred => self.known.vocabulary,
        };
        let elements: BTreeSet<String> = every
            .element_names()
            .filter(|name| !except.contains(*name))
            .map(str::to_owned)
            .collect();
        match except_span {
            Some(span) if elements.is_empty() => {
                let place = self.source.span(self.path, span);
                Err(Fault::new(place, "leaves no element").field("except_elements"))
            }
            _ => Ok(elements),
        }
    }

    fn people(
        &self,
        one: &Spanned<BTreeMap<Spanned<String>, Spanned<Words>>>,
    ) -> Result<Where, Fault> {
        let mut people = Where::default();
        if one.get_ref().is_empty() {
            return Err(self
                .fault(one, "where", "is empty")
                .hint("an assertion without `where` speaks of everybody"));
        }
        for (attribute, words) in one.get_ref() {
            let words = self
                .words(attribute.get_ref(), Some(words.clone()))?
                .unwrap_or_default();
            let of = format!("{}_of", self.known.origin);
            let not_of = format!("{}_not_of", self.known.origin);
            if *attribute.get_ref() == of || *attribute.get_ref() == not_of {
                for word in &words {
                    let side = match word.get_ref().as_str() {
                        "recipient" => Side::Recipient,
                        "custodian" => Side::Custodian,
                        _ => {
                            let sides = ["recipient", "custodian"].into_iter();
                            return Err(self.unknown(word, attribute.get_ref(), "side", sides));
                        }
                    };
                    if people
                        .own
                        .insert(side, *attribute.get_ref() == of)
                        .is_some()
                    {
                        return Err(self.fault(word, attribute.get_ref(), "is named twice"));
                    }
                }
            } else {
                let (at, values) = self.values(attribute, &words)?;
                people.values.insert(at, values);
            }
        }
        Ok(people)
    }

    fn values(
        &self,
        attribute: &Spanned<String>,
        words: &Words,
    ) -> Result<(usize, BTreeSet<u8>), Fault> {
        let domain = self.known.domain;
        let Some((at, declared)) = domain.attribute(attribute.get_ref()) else {
            let names = domain.attributes().iter().map(|a| a.name.as_str());
            return Err(self.unknown(attribute, "where", "attribute", names));
        };
        let value = |word: &Spanned<String>| {
            domain.value(at, word.get_ref()).ok_or_else(|| {
                let values = declared.values.iter().map(String::as_str);
                self.unknown(word, &declared.name, "value", values)
            })
        };
        let values = words.iter().map(value).collect::<Result<_, _>>()?;
        Ok((at, values))
    }

    /// A list that is there names something.
    fn words(&self, field: &str, words: Option<Spanned<Words>>) -> Result<Option<Words>, Fault> {
        match words {
            Some(words) if words.get_ref().is_empty() => Err(self
                .fault(&words, field, "names nothing")
                .hint("leave it out to speak of every one")),
            Some(words) => Ok(Some(words.into_inner())),
            None => Ok(None),
        }
    }

    fn unknown<'k>(
        &self,
        word: &Spanned<String>,
        field: &str,
        what: &str,
        known: impl Iterator<Item = &'k str>,
    ) -> Fault {
        let problem = format!("unknown {what} `{}`", word.get_ref());
        self.fault(word, field, problem)
            .hint(did_you_mean(word.get_ref(), known))
    }

    fn fault<T>(&self, at: &Spanned<T>, field: &str, problem: impl Into<String>) -> Fault {
        Fault::new(self.source.span(self.path, at.span()), problem).field(field)
    }
}
