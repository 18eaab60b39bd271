//! The letter that answers a person's request for an accounting of disclosures (`45 CFR 164.528`).

mod state;

mod words;

use chancery_law::{Agency, Element, Plain, Purpose};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::typeset::{Template, pdf};
use words::Words;

pub use state::state;

/// The language of a letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Spanish, as written in the United States.
    #[serde(rename = "es")]
    Spanish,
}

impl Language {
    /// An element as a letter says it: in the pack's plain words, or by its title.
    pub fn element(self, element: &Element) -> &str {
        self.plain(element.plain.as_ref()).unwrap_or(&element.title)
    }

    /// A purpose as a letter says it: in the pack's plain words, or by its title.
    pub fn purpose(self, purpose: &Purpose) -> &str {
        self.plain(purpose.plain.as_ref()).unwrap_or(&purpose.title)
    }

    /// An agency as a letter names it.
    pub fn agency(self, agency: &Agency) -> &str {
        match self {
            Self::English => &agency.name,
            Self::Spanish => agency.name_es.as_ref().unwrap_or(&agency.name),
        }
    }

    fn plain(self, plain: Option<&Plain>) -> Option<&str> {
        plain.map(|plain| match self {
            Self::English => plain.en.as_str(),
            Self::Spanish => plain.es.as_str(),
        })
    }
}

/// What a letter says, as plain data.
///
/// There is no place in it for a disclosure whose accounting is suspended (`45 CFR 164.528(a)(2)`):
/// whoever makes the letter leaves it out, and every letter says the same about such cases, so that
/// nobody can tell from one whether there is any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The language; names and plain words below are in it already.
    pub language: Language,
    /// The day it is written.
    pub date: Date,
    /// The day on which the person asked, if it is to be said.
    pub asked: Option<Date>,
    /// The custodian's own number for the letter.
    pub number: String,
    /// Who answers.
    pub custodian: Custodian,
    /// Who asked.
    pub person: Person,
    /// The first and the last day accounted for; at most six years (`45 CFR 164.528(a)(3)`).
    pub period: (Date, Date),
    /// What was disclosed, in the order of the first day.
    pub disclosures: Vec<Disclosure>,
    /// What the list leaves out, and need not have.
    pub exclusions: Vec<Exclusion>,
    /// Who takes complaints besides the custodian.
    pub complaints: Office,
    /// The ledger, so that the letter can be checked.
    pub ledger: Ledger,
    /// A line over the letter, for example that it is a demonstration.
    pub mark: Option<String>,
}

/// Who answers for the records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custodian {
    /// Its name.
    pub name: String,
    /// Its address, a line each.
    pub address: Vec<String>,
    /// Whom to ask.
    pub contact: Contact,
}

/// Whom to ask at the custodian.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The office, such as `Privacy Office`.
    pub office: String,
    /// Its telephone number.
    pub phone: Option<String>,
    /// Its address for electronic mail.
    pub email: Option<String>,
}

/// Who asked, with no more than it takes to know the letter from another's.
///
/// A letter can be opened by others; it has no name, no birth date and no whole number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The state, by name.
    pub state: Option<String>,
    /// The end of the person's identification number.
    pub id: Option<LastFour>,
}

/// The last four characters of an identification number, which is all of it that is printed.
///
/// ```
/// use chancery_account::letter::LastFour;
/// assert_eq!(LastFour::of("CA-904411234").unwrap().to_string(), "1234");
/// // Four characters of a short number would be most of it.
/// assert!(LastFour::of("411234").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LastFour(String);

impl LastFour {
    /// Of an identification number; nothing of one with less than eight letters and digits.
    pub fn of(id: &str) -> Option<Self> {
        let plain: Vec<char> = id.chars().filter(char::is_ascii_alphanumeric).collect();
        let rest = plain.len().checked_sub(4).filter(|rest| *rest >= 4)?;
        Some(Self(plain.into_iter().skip(rest).collect()))
    }
}

impl std::fmt::Display for LastFour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A disclosure, or a series of the same to one recipient for one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// When (`45 CFR 164.528(b)(2)(i)`, `(b)(3)`).
    pub when: When,
    /// Who received (`45 CFR 164.528(b)(2)(ii)`).
    pub recipient: Recipient,
    /// What, in plain words that go on from "they got": `your home address` (`(b)(2)(iii)`).
    pub elements: Vec<String>,
    /// Why, in plain words: `to check who can get Medicaid` (`(b)(2)(iv)`).
    pub purpose: String,
    /// What it was permitted by.
    pub basis: Vec<Basis>,
    /// The releases, with their entries in the ledger.
    pub releases: Vec<(String, u64)>,
}

/// When something was disclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Once.
    On(Date),
    /// More than once (`45 CFR 164.528(b)(3)`).
    Series {
        /// The first time.
        first: Date,
        /// The last time.
        last: Date,
        /// How often.
        times: u64,
    },
}

/// Who received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The name.
    pub name: String,
    /// The address, if known.
    pub address: Option<String>,
}

/// What a disclosure was permitted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The instrument's short title.
    pub title: String,
    /// Its clause.
    pub clause: String,
}

/// What an accounting need not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// Treatment, payment and operations: `45 CFR 164.528(a)(1)(i)`.
    Care,
    /// To the person: `(ii)`.
    Yourself,
    /// What another use or disclosure brings with it: `(iii)`.
    Incident,
    /// With the person's authorization: `(iv)`.
    Authorized,
    /// For a directory, or to people who take part in the care: `(v)`.
    Family,
    /// For national security: `(vi)`.
    NationalSecurity,
    /// To those who have the person in custody: `(vii)`.
    Custody,
    /// As part of a limited data set: `(viii)`.
    LimitedDataSet,
}

impl Exclusion {
    /// All of them, in the law's order.
    pub const ALL: [Self; 8] = [
        Self::Care,
        Self::Yourself,
        Self::Incident,
        Self::Authorized,
        Self::Family,
        Self::NationalSecurity,
        Self::Custody,
        Self::LimitedDataSet,
    ];
}

/// An office that takes complaints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Office {
    /// Its name.
    pub name: String,
    /// Its address, a line each.
    pub address: Vec<String>,
    /// Its telephone number.
    pub phone: String,
    /// Its page for complaints.
    pub web: String,
}

impl Office {
    /// The Office for Civil Rights, which enforces `45 CFR 164.528` (`45 CFR 160.306`).
    pub fn civil_rights(language: Language) -> Self {
        let words = Words::of(language);
        Self {
            name: words.civil_rights.to_owned(),
            address: vec![
                "200 Independence Avenue SW, Room 509F".to_owned(),
                "Washington, DC 20201".to_owned(),
            ],
            phone: "1-800-368-1019 (TDD 1-800-537-7697)".to_owned(),
            web: "www.hhs.gov/hipaa/filing-a-complaint".to_owned(),
        }
    }
}

/// The ledger as it was when the letter was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Its name.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The root of its tree, as the checkpoint has it.
    pub root: String,
}

/// Sets a letter: a tagged, archival PDF, the same bytes for the same letter.
///
/// # Errors
///
/// Fails if the letter cannot be set; see [`pdf`].
///
/// # Example
///
/// ```
/// use chancery_account::letter::{Letter, letter};
///
/// # let json = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/samples/letter-en.json"));
/// let mut given: Letter = serde_json::from_str(json)?;
/// assert!(letter(&given)?.starts_with(b"%PDF-1.7"));
/// assert!(given.text().contains("who has received your records"));
/// // Nothing disclosed is an answer too, and says so.
/// given.disclosures.clear();
/// assert!(given.text().contains("We found nothing"));
/// // A letter without its custodian is none.
/// let json = json.replace("custodian", "guardian");
/// assert!(serde_json::from_str::<Letter>(&json).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn letter(letter: &Letter) -> Result<Vec<u8>, Error> {
    pdf(TEMPLATE, &Page::of(letter), letter.date)
}

const TEMPLATE: Template<'_> = Template {
    name: "letter",
    source: include_str!("../templates/letter.typ"),
};

impl Letter {
    /// The letter as plain text, for whoever cannot take a PDF.
    pub fn text(&self) -> String {
        Page::of(self).text()
    }

    /// The letter's own sentences, without names, addresses, digests and numbers of its subject.
    ///
    /// It is what the reading level is measured on.
    pub fn prose(&self) -> Vec<String> {
        Page::of(self).prose()
    }
}

/// A letter in words: what the template lays out.
#[derive(Serialize)]
struct Page {
    lang: &'static str,
    date: String,
    title: &'static str,
    subtitle: &'static str,
    page: &'static str,
    of: &'static str,
    mark: Option<String>,
    sender: Vec<String>,
    to: Vec<String>,
    about: Vec<(&'static str, String)>,
    greeting: &'static str,
    opening: Vec<String>,
    list: Heading,
    items: Vec<Item>,
    sections: Vec<Heading>,
    closing: &'static str,
    signed: Vec<String>,
}

/// A part of a letter.
#[derive(Default, Serialize)]
struct Heading {
    heading: &'static str,
    paragraphs: Vec<String>,
    points: Vec<String>,
    /// An address.
    address: Vec<String>,
    /// What to type.
    command: Option<&'static str>,
    /// What is compared and not read.
    rows: Vec<(&'static str, String)>,
    after: Vec<String>,
}

/// A disclosure.
#[derive(Serialize)]
struct Item {
    heading: String,
    rows: Vec<(&'static str, Vec<String>)>,
}

impl Page {
    fn of(letter: &Letter) -> Self {
        let words = Words::of(letter.language);
        let day = |date| words.day(date);
        let Custodian {
            name,
            address,
            contact,
        } = &letter.custodian;
        let mut sender = vec![name.clone(), contact.office.clone()];
        sender.extend(address.iter().cloned());
        let mut to = vec![words.to.to_owned()];
        to.extend(
            letter
                .person
                .id
                .as_ref()
                .map(|id| fill(words.id_ends, &[("id", &id.0)])),
        );
        to.extend(letter.person.state.clone());
        let mut about = Vec::new();
        about.extend(letter.asked.map(|asked| (words.asked, day(asked))));
        about.push((words.number, letter.number.clone()));
        let (first, last) = letter.period;
        let dates = [("first", day(first)), ("last", day(last))];
        let dates: Vec<(&str, &str)> = dates.iter().map(|(n, v)| (*n, v.as_str())).collect();
        Self {
            lang: words.code,
            date: day(letter.date),
            title: words.title,
            subtitle: words.subtitle,
            page: words.page,
            of: words.of,
            mark: letter.mark.clone(),
            sender,
            to,
            about,
            greeting: words.greeting,
            opening: words
                .opening
                .iter()
                .map(|text| fill(text, &dates))
                .collect(),
            list: list(letter, words),
            items: items(letter, words),
            sections: vec![
                left_out(letter, words),
                next(letter, words),
                check(letter, words),
            ],
            closing: words.closing,
            signed: vec![contact.office.clone(), name.clone()],
        }
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut block = |given: &[String]| {
            lines.extend(given.iter().cloned());
            lines.push(String::new());
        };
        block(&self.mark.clone().into_iter().collect::<Vec<_>>());
        block(&self.sender);
        block(std::slice::from_ref(&self.date));
        block(&self.to);
        let about = |(label, text): &(&str, String)| format!("{label}: {text}");
        block(&self.about.iter().map(about).collect::<Vec<_>>());
        block(&[self.title.to_uppercase(), self.subtitle.to_owned()]);
        block(&[self.greeting.to_owned()]);
        for paragraph in &self.opening {
            block(std::slice::from_ref(paragraph));
        }
        block(&self.list.text());
        for item in &self.items {
            let row =
                |(label, lines): &(&str, Vec<String>)| format!("  {label}: {}", lines.join("; "));
            let mut text = vec![item.heading.clone()];
            text.extend(item.rows.iter().map(row));
            block(&text);
        }
        for section in &self.sections {
            block(&section.text());
        }
        block(&[self.closing.to_owned()]);
        block(&self.signed);
        let text = lines.join("\n");
        format!("{}\n", text.trim())
    }

    fn prose(&self) -> Vec<String> {
        let mut prose = vec![format!("{}.", self.title)];
        prose.extend(self.opening.iter().cloned());
        for part in std::iter::once(&self.list).chain(&self.sections) {
            prose.push(format!("{}.", part.heading.trim_end_matches(['?', '.'])));
            prose.extend(part.paragraphs.iter().cloned());
            prose.extend(part.points.iter().cloned());
            prose.extend(part.after.iter().cloned());
        }
        prose
    }
}

impl Heading {
    fn text(&self) -> Vec<String> {
        let mut text = vec![self.heading.to_uppercase()];
        text.extend(self.paragraphs.iter().cloned());
        text.extend(self.points.iter().map(|point| format!("  - {point}")));
        text.extend(self.address.iter().map(|line| format!("    {line}")));
        text.extend(self.command.map(|line| format!("    {line}")));
        let row = |(label, text): &(&str, String)| format!("    {label}: {text}");
        text.extend(self.rows.iter().map(row));
        text.extend(self.after.iter().cloned());
        text
    }
}

/// What was disclosed, or that nothing was.
fn list(letter: &Letter, words: &'static Words) -> Heading {
    let said = if letter.disclosures.is_empty() {
        words.nothing
    } else {
        words.something
    };
    Heading {
        heading: words.list,
        paragraphs: own(said),
        ..Heading::default()
    }
}

fn items(letter: &Letter, words: &'static Words) -> Vec<Item> {
    let item = |(at, given): (usize, &Disclosure)| {
        let mut recipient = vec![given.recipient.name.clone()];
        recipient.push(match &given.recipient.address {
            Some(address) => address.clone(),
            None => words.no_address.to_owned(),
        });
        let basis = |basis: &Basis| match (&*basis.title, &*basis.clause) {
            (title, clause) if clause.contains(title) => clause.to_owned(),
            (title, clause) => format!("{title} ({clause})"),
        };
        Item {
            heading: format!("{}. {}", at + 1, given.recipient.name),
            rows: vec![
                (words.when, when(given.when, words)),
                (words.who, recipient),
                (words.what, given.elements.clone()),
                (words.why, vec![capitalised(&given.purpose)]),
                (words.law, given.basis.iter().map(basis).collect()),
                (words.log, entries(&given.releases, words)),
            ],
        }
    };
    letter.disclosures.iter().enumerate().map(item).collect()
}

/// The entries that say so; of a series their numbers alone.
fn entries(releases: &[(String, u64)], words: &Words) -> Vec<String> {
    if releases.len() > FEW {
        let mut numbers: Vec<u64> = releases.iter().map(|(_, entry)| *entry).collect();
        numbers.sort_unstable();
        return vec![fill(words.entries, &[("entries", &runs(&numbers))])];
    }
    let entry = |(release, entry): &(String, u64)| {
        let entry = entry.to_string();
        fill(words.entry, &[("release", release), ("entry", &entry)])
    };
    releases.iter().map(entry).collect()
}

/// More releases than this are named by their entries alone.
const FEW: usize = 3;

/// Sorted numbers, those that follow each other drawn together: `3, 5–8`.
fn runs(numbers: &[u64]) -> String {
    let follows = |one: &u64, next: &u64| one + 1 == *next;
    let run = |run: &[u64]| match run {
        [one] => one.to_string(),
        [first, .., last] => format!("{first}–{last}"),
        [] => String::new(),
    };
    let runs: Vec<String> = numbers.chunk_by(follows).map(run).collect();
    runs.join(", ")
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

fn when(when: When, words: &Words) -> Vec<String> {
    match when {
        When::On(date) => vec![words.day(date)],
        When::Series { first, last, times } => {
            let (first, last) = (words.day(first), words.day(last));
            let times = times.to_string();
            let given = [("first", &*first), ("last", &*last), ("times", &*times)];
            vec![fill(words.series, &given)]
        }
    }
}

fn left_out(letter: &Letter, words: &'static Words) -> Heading {
    let point = |exclusion: &Exclusion| words.exclusion(*exclusion).to_owned();
    let mut points: Vec<String> = letter.exclusions.iter().map(point).collect();
    // INVARIANT: in every letter, so that it says nothing about this one.
    points.push(words.waiting.to_owned());
    Heading {
        heading: words.left_out,
        paragraphs: own(words.left_out_is),
        points,
        ..Heading::default()
    }
}

fn next(letter: &Letter, words: &'static Words) -> Heading {
    let Contact { phone, email, .. } = &letter.custodian.contact;
    let reach = [phone.clone(), email.clone()];
    let reach: Vec<String> = reach.into_iter().flatten().collect();
    let mut points = vec![if reach.is_empty() {
        words.ask_by_mail.to_owned()
    } else {
        fill(words.ask, &[("reach", &reach.join(words.or))])
    }];
    points.extend(own(words.next_points));
    let office = &letter.complaints;
    let mut address = vec![office.name.clone()];
    address.extend(office.address.iter().cloned());
    address.extend([office.phone.clone(), office.web.clone()]);
    Heading {
        heading: words.next,
        points,
        address,
        after: vec![words.no_harm.to_owned()],
        ..Heading::default()
    }
}

fn check(letter: &Letter, words: &'static Words) -> Heading {
    let Ledger { origin, size, root } = &letter.ledger;
    let size = size.to_string();
    let given = [("origin", &**origin), ("size", &*size), ("root", &**root)];
    let row = |(label, text)| (label, fill(text, &given));
    Heading {
        heading: words.check,
        paragraphs: own(words.check_is),
        command: Some(words.command),
        rows: words.check_rows.map(row).into(),
        ..Heading::default()
    }
}

fn own(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// A text with values for its `{names}`; a value's own braces stay as they are.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}
