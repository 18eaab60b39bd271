//! What an agreement, a notice or a routine flow says of itself: the terms of the document, in its
//! own words, beside what the pack lets go under it.
//!
//! Terms decide nothing. They are what the review holds against the law.

use std::collections::{BTreeMap, BTreeSet};

use chancery_model::{Domain, Fault, Place, Predicate};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::vocabulary::did_you_mean;
use crate::{PackSource, Vocabulary};

/// The file of an instrument's terms, in its folder.
pub(crate) const FILE: &str = "agreement.toml";

/// The kinds of instruments that may have terms.
const KINDS: [&str; 3] = ["agreement", "notice", "routine"];

/// The terms of a document, as far as they are known. What is not known is absent.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// Whether whoever entered the terms has read the whole document.
    pub read: Read,
    /// `S` read in a public source, `B` background, unverified.
    pub label: String,
    /// Whether it serves a computer matching program (5 USC 552a(a)(8)).
    pub matching: Option<Matching>,
    /// The agreements that it calls for or that the law calls for.
    pub requires: Vec<Required>,
    /// Who gives and who receives.
    pub parties: Vec<Participant>,
    /// The legal authority that it names.
    pub authorities: Vec<Authority>,
    /// The purposes that it names.
    pub purposes: Vec<StatedPurpose>,
    /// Its lists of elements.
    pub lists: Vec<ElementList>,
    /// Whose records, if it says so.
    pub people: Option<Whose>,
    /// How many records, if it says so.
    pub records: Option<Records>,
    /// Its dates.
    pub term: Option<Term>,
    /// What else it says, topic by topic.
    pub says: BTreeMap<Topic, Said>,
    /// The file, within the pack.
    pub place: Place,
}

/// How much of the document has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Read {
    /// All of it: what is absent is not stated.
    #[serde(rename = "in full")]
    InFull,
    /// Not all of it: what is absent may be stated in what has not been read.
    #[serde(rename = "in part")]
    InPart,
}

/// Whether it serves a computer matching program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// The answer; what is doubtful is held to the rules of matching.
    pub program: Answer,
    /// Why.
    pub note: Option<String>,
}

/// An answer that may be in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It can be contested.
    Doubtful,
}

/// An agreement that must be on file for a disclosure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Required {
    /// What sort of agreement.
    pub agreement: Sort,
    /// The clause that calls for it.
    pub clause: String,
    /// The words that call for it.
    pub words: String,
}

/// A sort of agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// For computer matching, 5 USC 552a(o).
    Matching,
    /// For a limited data set, 45 CFR 164.514(e)(4).
    DataUse,
    /// Any agreement in writing.
    Written,
}

impl Sort {
    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Matching => "matching agreement",
            Self::DataUse => "data use agreement",
            Self::Written => "written agreement",
        }
    }
}

/// The part that a party plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Gives records.
    Custodian,
    /// Receives records.
    Recipient,
}

/// A party to the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Participant {
    /// Its path; a family such as `state/*/medicaid` stands for each of its agencies.
    pub agency: String,
    /// The part it plays.
    pub role: Role,
    /// Who signed for it.
    pub signatories: Vec<Signatory>,
}

/// Someone who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatory {
    /// The name, if known.
    pub name: Option<String>,
    /// The office.
    pub title: String,
    /// The day.
    pub on: Option<Date>,
}

/// A legal authority that the document names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Authority {
    /// As it is cited.
    pub citation: String,
    /// The instrument of the pack that encodes it.
    pub instrument: Option<String>,
}

/// A purpose as the document states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatedPurpose {
    /// The document's words.
    pub words: String,
    /// The purpose of the pack that they mean; what lies within it is meant as well.
    pub purpose: Option<String>,
}

/// A list of elements as the document states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElementList {
    /// Where it stands, or what it is called.
    pub name: String,
    /// What it says that it lists; two lists of the same thing must agree.
    pub of: String,
    /// Its items.
    pub items: Vec<Item>,
    /// Where it was entered.
    #[serde(skip)]
    pub place: Place,
}

impl ElementList {
    /// The elements of the pack that it names.
    pub fn elements(&self) -> BTreeSet<&str> {
        let elements = self.items.iter().flat_map(|item| &item.elements);
        elements.map(String::as_str).collect()
    }
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The document's words.
    pub words: String,
    /// The elements of the pack that they mean; none if the pack has no such element.
    pub elements: BTreeSet<String>,
    /// Whether the words leave open what is given.
    pub open: bool,
    /// Where it was entered.
    #[serde(skip)]
    pub place: Place,
}

/// Whose records the document says are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// The document's words.
    pub words: String,
    /// The same as attributes.
    pub who: Predicate,
    /// Whether they are limited to the recipient's own jurisdiction.
    pub of_recipient: bool,
}

/// How many records the document says are given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// About how many.
    pub number: u64,
    /// The document's words.
    pub words: Option<String>,
}

/// The dates of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    /// The day of the last signature.
    pub signed: Option<Date>,
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub until: Option<Date>,
    /// For how many months at a time it can be renewed.
    pub renewable_months: Option<u8>,
    /// More about them.
    pub note: Option<String>,
    /// The renewals that took place.
    pub renewals: Vec<Renewal>,
    /// Where they were entered.
    #[serde(skip)]
    pub place: Place,
}

impl Term {
    /// The last day, renewals included.
    pub fn last(&self) -> Option<Date> {
        let renewed = self.renewals.last().map(|renewal| renewal.until);
        renewed.or(self.until)
    }
}

/// A renewal that took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The day of the last signature.
    pub signed: Option<Date>,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// More about it.
    pub note: Option<String>,
}

/// What a document may have to say something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Why it is done, and what is expected of it.
    Justification,
    /// Notice to those concerned.
    Notice,
    /// How what is found is verified.
    Verification,
    /// How long records are kept, and how they are destroyed.
    Retention,
    /// How records are kept secure.
    Security,
    /// Limits on copying and passing on.
    Redisclosure,
    /// What the recipient may do with the records, and their return.
    UseAndReturn,
    /// What is known of their accuracy.
    Accuracy,
    /// Access for the Comptroller General.
    GaoAccess,
    /// Who may see them.
    Users,
    /// The criteria for release and use.
    Criteria,
    /// That the recipient keeps comparable standards of confidentiality.
    ComparableStandards,
    /// Permission of, or notice to, the person before an answer to an outside request.
    Permission,
    /// What the recipient of a limited data set promises.
    DataUse,
    /// That no more is given than is needed.
    MinimumNecessary,
}

impl Topic {
    /// Every topic, in the order of an inventory.
    pub const ALL: [Self; 15] = [
        Self::Justification,
        Self::Users,
        Self::MinimumNecessary,
        Self::Notice,
        Self::Permission,
        Self::Verification,
        Self::Retention,
        Self::Security,
        Self::Redisclosure,
        Self::UseAndReturn,
        Self::Accuracy,
        Self::GaoAccess,
        Self::Criteria,
        Self::ComparableStandards,
        Self::DataUse,
    ];

    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Justification => "justification and expected results",
            Self::Notice => "notice to those concerned",
            Self::Verification => "verification",
            Self::Retention => "retention and destruction",
            Self::Security => "security",
            Self::Redisclosure => "duplication and redisclosure",
            Self::UseAndReturn => "use and return",
            Self::Accuracy => "accuracy",
            Self::GaoAccess => "access for the Comptroller General",
            Self::Users => "users",
            Self::Criteria => "criteria for release and use",
            Self::ComparableStandards => "comparable standards of confidentiality",
            Self::Permission => "permission of the person, or notice",
            Self::DataUse => "data use agreement",
            Self::MinimumNecessary => "minimum necessary",
        }
    }
}

/// What the document says on a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Where: article, section, page.
    pub at: Option<String>,
    /// The document's words, or what is reported of them.
    pub words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    read: Read,
    label: Spanned<String>,
    matching: Option<Matching>,
    #[serde(default)]
    requires: Vec<Spanned<Required>>,
    #[serde(default)]
    party: Vec<RawParty>,
    #[serde(default)]
    authority: Vec<RawAuthority>,
    #[serde(default)]
    purpose: Vec<RawPurpose>,
    #[serde(default)]
    list: Vec<Spanned<RawList>>,
    people: Option<Spanned<RawPeople>>,
    records: Option<Spanned<Records>>,
    term: Option<Spanned<RawTerm>>,
    #[serde(default)]
    says: BTreeMap<Topic, Spanned<Said>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParty {
    agency: Spanned<String>,
    role: Role,
    #[serde(default)]
    signatory: Vec<Signatory>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAuthority {
    citation: Spanned<String>,
    instrument: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPurpose {
    words: Spanned<String>,
    purpose: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    name: Spanned<String>,
    of: String,
    #[serde(default)]
    item: Vec<Spanned<RawItem>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem {
    words: Spanned<String>,
    #[serde(default)]
    elements: Vec<Spanned<String>>,
    all_but: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    open: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPeople {
    words: String,
    #[serde(default)]
    of_recipient: bool,
    #[serde(default, rename = "where")]
    who: Vec<BTreeMap<Spanned<String>, Vec<Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerm {
    signed: Option<Date>,
    from: Option<Date>,
    until: Option<Date>,
    renewable_months: Option<Spanned<u8>>,
    note: Option<String>,
    #[serde(default)]
    renewal: Vec<Spanned<Renewal>>,
}

/// What the terms may name.
pub(crate) struct Known<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) domain: &'a Domain,
    /// The ids of the pack's instruments.
    pub(crate) instruments: &'a [String],
}

impl Agreement {
    /// Reads `instruments/<folder>/agreement.toml`, if there is one.
    pub(crate) fn load(
        source: &PackSource,
        folder: &str,
        kind: &str,
        known: &Known<'_>,
    ) -> Result<Option<Self>, Vec<Fault>> {
        let path = format!("instruments/{folder}/{FILE}");
        if !source.has(&path) {
            return Ok(None);
        }
        let raw: Raw = source.toml(&path).map_err(|fault| vec![fault])?;
        let mut reader = Reader {
            source,
            path: &path,
            known,
            faults: Vec::new(),
        };
        if !KINDS.contains(&kind) {
            let place = Place::file(source.name(&path));
            let problem = format!("a {kind} has no terms of its own");
            reader.faults.push(Fault::new(place, problem).hint(format!(
                "{FILE} belongs to instruments of the kinds {}",
                KINDS.join(", ")
            )));
        }
        let agreement = reader.read(raw);
        if reader.faults.is_empty() {
            Ok(Some(agreement))
        } else {
            Err(reader.faults)
        }
    }

    /// The parties that play a part.
    pub fn parties(&self, role: Role) -> impl Iterator<Item = &Participant> {
        self.parties.iter().filter(move |party| party.role == role)
    }

    /// Every element that one of its lists names.
    pub fn elements(&self) -> BTreeSet<&str> {
        self.lists.iter().flat_map(ElementList::elements).collect()
    }

    /// Whether the rules of computer matching are held against it.
    pub fn is_matching(&self) -> bool {
        let program = self.matching.as_ref().map(|matching| matching.program);
        matches!(program, Some(Answer::Yes | Answer::Doubtful))
    }
}

struct Reader<'a> {
    source: &'a PackSource,
    path: &'a str,
    known: &'a Known<'a>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn read(&mut self, raw: Raw) -> Agreement {
        if !matches!(raw.label.get_ref().as_str(), "S" | "B" | "S/B") {
            self.fault(&raw.label, "label", "is not a label")
                .hint("`S` read in a public source, `B` background, `S/B` both");
        }
        let agreement = Agreement {
            read: raw.read,
            label: raw.label.into_inner(),
            matching: raw.matching,
            requires: self.requires(raw.requires),
            parties: self.parties(raw.party),
            authorities: self.authorities(raw.authority),
            purposes: self.purposes(raw.purpose),
            lists: self.lists(raw.list),
            people: raw.people.and_then(|people| self.people(people)),
            records: raw.records.map(|records| self.records(records)),
            term: raw.term.map(|term| self.term(term)),
            says: self.says(raw.says),
            place: Place::file(self.path),
        };
        for role in [Role::Custodian, Role::Recipient] {
            if agreement.parties(role).next().is_none() {
                let word = match role {
                    Role::Custodian => "custodian",
                    Role::Recipient => "recipient",
                };
                let problem = format!("names no {word}");
                self.faults.push(
                    Fault::new(Place::file(self.source.name(self.path)), problem)
                        .field("party")
                        .hint(format!(
                            "`[[party]]` with `agency = \"…\"` and `role = \"{word}\"`"
                        )),
                );
            }
        }
        agreement
    }

    fn place<T>(&self, at: &Spanned<T>) -> Place {
        self.source.span(self.path, at.span())
    }

    /// A place within the pack, the same wherever the pack lies.
    fn within<T>(&self, at: &Spanned<T>) -> Place {
        Place {
            file: self.path.to_owned(),
            ..self.place(at)
        }
    }

    /// Records a fault, and gives it back for a hint.
    fn fault<T>(&mut self, at: &Spanned<T>, field: &str, problem: impl Into<String>) -> Hint<'_> {
        let fault = Fault::new(self.place(at), problem).field(field);
        self.faults.push(fault);
        Hint(self.faults.last_mut())
    }

    fn words(&mut self, words: &Spanned<String>, field: &str) {
        if words.get_ref().trim().is_empty() {
            self.fault(words, field, "is empty")
                .hint("give the document's words");
        }
    }

    fn requires(&mut self, raw: Vec<Spanned<Required>>) -> Vec<Required> {
        for required in &raw {
            let Required { clause, words, .. } = required.get_ref();
            if clause.trim().is_empty() || words.trim().is_empty() {
                self.fault(required, "requires", "says neither where nor what")
                    .hint("give `clause` and `words`");
            }
        }
        raw.into_iter().map(Spanned::into_inner).collect()
    }

    fn parties(&mut self, raw: Vec<RawParty>) -> Vec<Participant> {
        let mut parties: Vec<Participant> = Vec::new();
        for party in raw {
            let path = party.agency.get_ref();
            let words = self.known.vocabulary;
            if words.agency(path).is_none() && !words.agency_paths().any(|known| known == path) {
                let nearest = did_you_mean(path, words.agency_paths());
                self.fault(
                    &party.agency,
                    "agency",
                    format!("unknown agency `{}`", party.agency.get_ref()),
                )
                .hint(nearest);
            }
            let twice = parties
                .iter()
                .any(|known| known.agency == *party.agency.get_ref() && known.role == party.role);
            if twice {
                self.fault(&party.agency, "agency", "is a party twice in one role")
                    .hint("name each party once, with all of its signatories");
            }
            if party
                .signatory
                .iter()
                .any(|who| who.title.trim().is_empty())
            {
                self.fault(
                    &party.agency,
                    "signatory",
                    "has a signatory without a title",
                )
                .hint("give the office that signed");
            }
            parties.push(Participant {
                agency: party.agency.into_inner(),
                role: party.role,
                signatories: party.signatory,
            });
        }
        parties
    }

    fn authorities(&mut self, raw: Vec<RawAuthority>) -> Vec<Authority> {
        let mut authorities = Vec::new();
        for authority in raw {
            self.words(&authority.citation, "citation");
            if let Some(id) = &authority.instrument
                && !self.known.instruments.contains(id.get_ref())
            {
                let ids = self.known.instruments.iter().map(String::as_str);
                let nearest = did_you_mean(id.get_ref(), ids);
                self.fault(
                    id,
                    "instrument",
                    format!("unknown instrument `{}`", id.get_ref()),
                )
                .hint(nearest);
            }
            authorities.push(Authority {
                citation: authority.citation.into_inner(),
                instrument: authority.instrument.map(Spanned::into_inner),
            });
        }
        authorities
    }

    fn purposes(&mut self, raw: Vec<RawPurpose>) -> Vec<StatedPurpose> {
        let mut purposes = Vec::new();
        for stated in raw {
            self.words(&stated.words, "words");
            if let Some(path) = &stated.purpose
                && self.known.vocabulary.purpose(path.get_ref()).is_none()
            {
                let known = self.known.vocabulary.purposes().iter();
                let nearest = did_you_mean(path.get_ref(), known.map(|p| p.path.as_str()));
                let problem = format!("unknown purpose `{}`", path.get_ref());
                self.fault(path, "purpose", problem).hint(nearest);
            }
            purposes.push(StatedPurpose {
                words: stated.words.into_inner(),
                purpose: stated.purpose.map(Spanned::into_inner),
            });
        }
        purposes
    }

    fn lists(&mut self, raw: Vec<Spanned<RawList>>) -> Vec<ElementList> {
        let mut lists: Vec<ElementList> = Vec::new();
        for list in raw {
            let place = self.within(&list);
            let list = list.into_inner();
            self.words(&list.name, "name");
            if lists.iter().any(|known| known.name == *list.name.get_ref()) {
                self.fault(&list.name, "name", "is the name of another list")
                    .hint("give each list a name of its own, such as where it stands");
            }
            if list.item.is_empty() {
                self.fault(&list.name, "item", "lists nothing")
                    .hint("leave out a list whose items are not known");
            }
            lists.push(ElementList {
                name: list.name.into_inner(),
                of: list.of,
                items: list.item.into_iter().map(|item| self.item(item)).collect(),
                place,
            });
        }
        lists
    }

    fn item(&mut self, raw: Spanned<RawItem>) -> Item {
        let place = self.within(&raw);
        let raw = raw.into_inner();
        self.words(&raw.words, "words");
        let named = self.elements(&raw.elements);
        let elements = match &raw.all_but {
            None => named,
            Some(_) if !named.is_empty() => {
                self.fault(&raw.words, "all_but", "stands beside `elements`")
                    .hint("say either which elements, or all but which");
                named
            }
            Some(except) => {
                let except = self.elements(except);
                let all = self.known.vocabulary.element_names().map(str::to_owned);
                all.filter(|name| !except.contains(name)).collect()
            }
        };
        Item {
            words: raw.words.into_inner(),
            elements,
            open: raw.open,
            place,
        }
    }

    fn elements(&mut self, names: &[Spanned<String>]) -> BTreeSet<String> {
        for name in names {
            if self.known.vocabulary.element(name.get_ref()).is_none() {
                let known = self.known.vocabulary.element_names();
                let nearest = did_you_mean(name.get_ref(), known);
                let problem = format!("unknown element `{}`", name.get_ref());
                self.fault(name, "elements", problem).hint(format!(
                    "{nearest} leave `elements` out if the pack has no such element"
                ));
            }
        }
        names.iter().map(|name| name.get_ref().clone()).collect()
    }

    fn people(&mut self, raw: Spanned<RawPeople>) -> Option<Whose> {
        let place = self.place(&raw);
        let raw = raw.into_inner();
        if raw.words.trim().is_empty() {
            let fault = Fault::new(place, "does not say whose records").field("people");
            self.faults.push(fault.hint("give the document's words"));
        }
        let domain = self.known.domain;
        let mut who = Vec::new();
        for alternative in &raw.who {
            let mut parts = Vec::new();
            for (name, values) in alternative {
                parts.push(self.attribute(name, values)?);
            }
            who.push(Predicate::all(parts, domain));
        }
        let who = if who.is_empty() {
            Predicate::Always
        } else {
            Predicate::any(who, domain)
        };
        Some(Whose {
            words: raw.words,
            who,
            of_recipient: raw.of_recipient,
        })
    }

    fn attribute(
        &mut self,
        name: &Spanned<String>,
        values: &[Spanned<String>],
    ) -> Option<Predicate> {
        let domain = self.known.domain;
        let Some((at, attribute)) = domain.attribute(name.get_ref()) else {
            let names = domain.attributes().iter().map(|a| a.name.as_str());
            let nearest = did_you_mean(name.get_ref(), names);
            let problem = format!("unknown attribute `{}`", name.get_ref());
            self.fault(name, "where", problem).hint(nearest);
            return None;
        };
        if values.is_empty() {
            self.fault(name, "where", "has no value, so it is about nobody")
                .hint("leave the attribute out if it does not matter");
            return None;
        }
        let mut positions = BTreeSet::new();
        for value in values {
            let Some(position) = domain.value(at, value.get_ref()) else {
                let known = attribute.values.iter().map(String::as_str);
                let nearest = did_you_mean(value.get_ref(), known);
                let problem = format!("`{}` is no value of `{}`", value.get_ref(), attribute.name);
                self.fault(value, "where", problem).hint(nearest);
                return None;
            };
            positions.insert(position);
        }
        Some(Predicate::all(
            [Predicate::within(at, positions)],
            self.known.domain,
        ))
    }

    fn records(&mut self, raw: Spanned<Records>) -> Records {
        if raw.get_ref().number == 0 {
            self.fault(&raw, "number", "is no number of records")
                .hint("leave `[records]` out if the number is not known");
        }
        raw.into_inner()
    }

    fn term(&mut self, raw: Spanned<RawTerm>) -> Term {
        let place = self.within(&raw);
        if let RawTerm {
            from: Some(from),
            until: Some(until),
            ..
        } = raw.get_ref()
            && until < from
        {
            self.fault(&raw, "until", "ends before it begins")
                .hint("`from` is the first day and `until` the last");
        }
        let raw = raw.into_inner();
        if let Some(months) = &raw.renewable_months
            && *months.get_ref() == 0
        {
            self.fault(months, "renewable_months", "is no time")
                .hint("leave it out if it cannot be renewed");
        }
        let mut last = raw.until;
        for renewal in &raw.renewal {
            let Renewal { from, until, .. } = renewal.get_ref();
            if until < from {
                self.fault(renewal, "renewal", "ends before it begins")
                    .hint("`from` is the first day and `until` the last");
            }
            match last {
                Some(last) if *from > last => {}
                Some(_) => {
                    self.fault(renewal, "renewal", "begins before the time before it ends")
                        .hint(
                            "list the renewals in order; each begins after the last day before it",
                        );
                }
                None => {
                    self.fault(renewal, "renewal", "renews what has no last day")
                        .hint("give the last day of the first term as `until`");
                }
            }
            last = Some(*until);
        }
        Term {
            signed: raw.signed,
            from: raw.from,
            until: raw.until,
            renewable_months: raw.renewable_months.map(Spanned::into_inner),
            note: raw.note,
            renewals: raw.renewal.into_iter().map(Spanned::into_inner).collect(),
            place,
        }
    }

    fn says(&mut self, raw: BTreeMap<Topic, Spanned<Said>>) -> BTreeMap<Topic, Said> {
        for said in raw.values() {
            if said.get_ref().words.trim().is_empty() {
                self.fault(said, "words", "says nothing")
                    .hint("leave the topic out if it is not known what the document says");
            }
        }
        raw.into_iter()
            .map(|(topic, said)| (topic, said.into_inner()))
            .collect()
    }
}

/// The fault just recorded, to be given what to do about it.
struct Hint<'a>(Option<&'a mut Fault>);

impl Hint<'_> {
    fn hint(self, hint: impl Into<String>) {
        if let Some(fault) = self.0 {
            fault.hint = Some(hint.into());
        }
    }
}
