//! The rules that a document's terms are held to, one function each.

use std::collections::BTreeSet;

use chancery_model::Place;
use jiff::civil::Date;

use super::deadline::{Ahead, longest_renewal, longest_term};
use super::overlap::{Barred, Basis, Beyond, Case as Disclosures, is_of, is_within};
use super::{Asked, Check, Finding, Outcome, Rule, Severity, State, day, listed, state};
use crate::agreement::{Agreement, ElementList, Item, Read, Required, Role, Sort, Topic};
use crate::{Instrument, LawPack};

/// An instrument with what is known of it.
pub(super) struct Case<'a> {
    pub(super) pack: &'a LawPack,
    pub(super) instrument: &'a Instrument,
    pub(super) asked: &'a Asked,
    pub(super) overlaps: &'a [Barred],
    pub(super) unpermitted: &'a [Disclosures],
    pub(super) beyond: &'a [Beyond],
}

/// What came of every rule.
pub(super) struct Linted {
    pub(super) checks: Vec<Check>,
    pub(super) findings: Vec<Finding>,
}

/// What a rule says: nothing if it does not apply, no draft if it is kept.
type Answer = Option<Vec<Draft>>;

/// A finding without its rule.
#[derive(Default)]
struct Draft {
    /// What it is about, where a rule can have several findings.
    about: Option<String>,
    severity: Option<Severity>,
    clause: Option<String>,
    title: String,
    explanation: String,
    cure: String,
    not_stated: Option<String>,
    place: Option<String>,
}

/// Holds an instrument to every rule.
pub(super) fn check(case: &Case<'_>) -> Linted {
    let mut linted = Linted {
        checks: Vec::new(),
        findings: Vec::new(),
    };
    for rule in Rule::ALL {
        let answer = answer(rule.id, case);
        let outcome = match &answer {
            None => Outcome::NotApplicable,
            Some(drafts) if drafts.is_empty() => Outcome::Met,
            Some(_) => Outcome::NotMet,
        };
        linted.checks.push(Check { rule, outcome });
        let drafts = answer.into_iter().flatten();
        linted
            .findings
            .extend(drafts.map(|draft| finding(case, rule, draft)));
    }
    linted.findings.sort_by_key(|finding| finding.severity);
    linted
}

fn finding(case: &Case<'_>, rule: Rule, draft: Draft) -> Finding {
    let about = draft.about.map(|about| format!("/{about}"));
    Finding {
        id: format!(
            "{}#{}{}",
            case.instrument.id,
            rule.id,
            about.unwrap_or_default()
        ),
        rule: rule.id,
        severity: draft.severity.unwrap_or(Severity::Moderate),
        clause: draft.clause.unwrap_or_else(|| rule.clause.to_owned()),
        title: draft.title,
        explanation: draft.explanation,
        cure: draft.cure,
        not_stated: draft.not_stated,
        place: draft.place,
    }
}

fn answer(rule: &str, case: &Case<'_>) -> Answer {
    let Some(agreement) = &case.instrument.agreement else {
        return (rule == "terms").then(|| vec![no_terms(case)]);
    };
    let said = |topic: Topic| matching(agreement, || said(case, agreement, topic));
    match rule {
        "terms" => Some(Vec::new()),
        "order" => Some(bars(case, Bar::Order)),
        "authority" => authority(case, agreement),
        "statute" => Some(bars(case, Bar::Statute)),
        "permitted" => Some(unpermitted(case)),
        "beyond-document" => beyond(case, agreement),
        "lists" => lists(agreement),
        "vocabulary" => vocabulary(agreement),
        "closed" => closed(agreement),
        "lapse" => lapse(case, agreement),
        "renewal-due" => renewal_due(case, agreement),
        "timeline" => timeline(case, agreement),
        "on-file" => on_file(case, agreement),
        "o1a" => matching(agreement, || purpose_and_authority(case, agreement)),
        "o1b" => said(Topic::Justification),
        "o1c" => matching(agreement, || records(case, agreement)),
        "o1d" => said(Topic::Notice),
        "o1e" => said(Topic::Verification),
        "o1f" => said(Topic::Retention),
        "o1g" => said(Topic::Security),
        "o1h" => said(Topic::Redisclosure),
        "o1i" => said(Topic::UseAndReturn),
        "o1j" => said(Topic::Accuracy),
        "o1k" => said(Topic::GaoAccess),
        "o2-term" => longest(agreement),
        "o2-renewal" => renewals(agreement),
        "criteria" => of_a_state(case, agreement, Topic::Criteria),
        "comparable" => of_a_state(case, agreement, Topic::ComparableStandards),
        "permission" => permission(case, agreement),
        _ => None,
    }
}

fn no_terms(case: &Case<'_>) -> Draft {
    Draft {
        title: "its terms have not been entered".to_owned(),
        explanation: format!(
            "The law pack knows this {}, and nothing of what the document says of itself. None of the \
             other rules can be held against it.",
            case.instrument.kind
        ),
        cure: "Enter the terms in agreement.toml beside instrument.toml.".to_owned(),
        ..Draft::default()
    }
}

fn place(agreement: &Agreement) -> String {
    at(&agreement.place)
}

fn at(place: &Place) -> String {
    match place.line {
        Some(line) => format!("{}:{line}", place.file),
        None => place.file.clone(),
    }
}

/// Something that the law asks for and that is not there.
fn not_stated(case: &Case<'_>, agreement: &Agreement, what: &str, clause_cure: &str) -> Draft {
    let in_part = agreement.read == Read::InPart;
    let (explanation, cure) = if in_part {
        (
            format!(
                "Nothing on {what} is known. The document has not been read in full and may state it."
            ),
            format!(
                "Read the document in full and enter what it says; if it says nothing, {clause_cure}"
            ),
        )
    } else {
        (
            format!("The document says nothing on {what}."),
            sentence(clause_cure),
        )
    };
    let severity = match (in_part, case.instrument.kind.as_str()) {
        (_, "routine") => Severity::Low,
        (true, _) => Severity::Moderate,
        (false, _) => Severity::High,
    };
    Draft {
        severity: Some(severity),
        title: format!("not stated: {what}"),
        explanation,
        cure,
        not_stated: Some(what.to_owned()),
        place: Some(place(agreement)),
        ..Draft::default()
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn matching(agreement: &Agreement, rule: impl FnOnce() -> Vec<Draft>) -> Answer {
    agreement.is_matching().then(rule)
}

fn said(case: &Case<'_>, agreement: &Agreement, topic: Topic) -> Vec<Draft> {
    if agreement.says.contains_key(&topic) {
        return Vec::new();
    }
    vec![not_stated(
        case,
        agreement,
        topic.title(),
        "amend it before any record is matched.",
    )]
}

fn purpose_and_authority(case: &Case<'_>, agreement: &Agreement) -> Vec<Draft> {
    let parts = [
        ("the purpose", agreement.purposes.is_empty()),
        ("the legal authority", agreement.authorities.is_empty()),
    ];
    missing(case, agreement, &parts)
}

fn records(case: &Case<'_>, agreement: &Agreement) -> Vec<Draft> {
    let term = agreement.term.as_ref();
    let parts = [
        ("each data element", agreement.lists.is_empty()),
        ("the number of records", agreement.records.is_none()),
        ("the first day", term.is_none_or(|term| term.from.is_none())),
        ("the last day", term.is_none_or(|term| term.until.is_none())),
    ];
    missing(case, agreement, &parts)
}

fn missing(case: &Case<'_>, agreement: &Agreement, parts: &[(&str, bool)]) -> Vec<Draft> {
    let missing = parts.iter().filter(|(_, is_missing)| *is_missing);
    let missing: Vec<&str> = missing.map(|(what, _)| *what).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let cure = "amend it before any record is matched.";
    vec![not_stated(case, agreement, &listed(missing), cure)]
}

/// A matching agreement lasts at most 18 months.
fn longest(agreement: &Agreement) -> Answer {
    let term = agreement
        .term
        .as_ref()
        .filter(|_| agreement.is_matching())?;
    let (from, until) = (term.from?, term.until?);
    let most = longest_term(from)?;
    if until <= most {
        return Some(Vec::new());
    }
    Some(vec![Draft {
        severity: Some(Severity::High),
        title: "it lasts longer than 18 months".to_owned(),
        explanation: format!(
            "It is for {} to {}; a matching agreement that begins then may last to {} at the longest.",
            day(from),
            day(until),
            day(most)
        ),
        cure: format!("Amend it to end by {}.", day(most)),
        place: Some(at(&term.place)),
        ..Draft::default()
    }])
}

/// A matching agreement is renewed for at most one year, all renewals together.
fn renewals(agreement: &Agreement) -> Answer {
    let term = agreement
        .term
        .as_ref()
        .filter(|_| agreement.is_matching())?;
    let draft = |title: &str, explanation: String, cure: String| Draft {
        severity: Some(Severity::High),
        title: title.to_owned(),
        explanation,
        cure,
        place: Some(at(&term.place)),
        ..Draft::default()
    };
    let mut drafts = Vec::new();
    let most = term.until.and_then(longest_renewal);
    if let (Some(last), Some(most)) = (term.renewals.last(), most)
        && last.until > most
    {
        drafts.push(draft(
            "it was renewed for longer than a year",
            format!(
                "Its renewals run to {}; they may run to {} at the longest.",
                day(last.until),
                day(most)
            ),
            format!("Conclude a new agreement for the time after {}.", day(most)),
        ));
    }
    if let Some(months) = term.renewable_months.filter(|months| *months > 12) {
        let mut long = draft(
            "it can be renewed for longer than a year",
            format!("It says that it can be renewed for {months} months."),
            "Amend it: at most twelve months.".to_owned(),
        );
        long.about = Some("months".to_owned());
        drafts.push(long);
    }
    let applies = !term.renewals.is_empty() || term.renewable_months.is_some();
    applies.then_some(drafts)
}

/// 42 CFR 431.306 binds state agencies as those who give.
fn of_a_state(case: &Case<'_>, agreement: &Agreement, topic: Topic) -> Answer {
    state_gives(agreement).then(|| {
        if agreement.says.contains_key(&topic) {
            return Vec::new();
        }
        let cure = "the state agency lays it down before it releases anything.";
        vec![not_stated(case, agreement, topic.title(), cure)]
    })
}

fn state_gives(agreement: &Agreement) -> bool {
    let mut custodians = agreement.parties(Role::Custodian);
    custodians.any(|party| is_within(&party.agency, "state"))
}

/// Permission is not needed for what runs the plan: eligibility and the amount of assistance.
fn permission(case: &Case<'_>, agreement: &Agreement) -> Answer {
    let own = |purpose: &str| is_within(purpose, "program-administration");
    let mut purposes = agreement.purposes.iter();
    let needed = purposes.any(|stated| !stated.purpose.as_deref().is_some_and(own));
    needed
        .then(|| of_a_state(case, agreement, Topic::Permission))
        .flatten()
}

/// What items of lists amount to: elements of the pack, or words where it has no such element.
fn amounts(list: &ElementList) -> BTreeSet<String> {
    let item = |item: &Item| -> Vec<String> {
        if item.elements.is_empty() {
            vec![format!("“{}”", item.words.trim().to_lowercase())]
        } else {
            item.elements.iter().cloned().collect()
        }
    };
    list.items.iter().flat_map(item).collect()
}

/// Lists of the same thing agree.
fn lists(agreement: &Agreement) -> Answer {
    let lists = &agreement.lists;
    let pairs = lists.iter().enumerate().flat_map(|(at, one)| {
        let others = lists.iter().skip(at + 1);
        others
            .filter(move |other| other.of == one.of)
            .map(move |other| (one, other))
    });
    let pairs: Vec<_> = pairs.collect();
    let drafts = pairs.iter().filter_map(|(one, other)| {
        let (mine, theirs) = (amounts(one), amounts(other));
        (mine != theirs).then(|| contradiction(one, other, &mine, &theirs))
    });
    (!pairs.is_empty()).then(|| drafts.collect())
}

fn contradiction(
    one: &ElementList,
    other: &ElementList,
    mine: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
) -> Draft {
    let names = |names: &mut dyn Iterator<Item = &String>| {
        let names = listed(names.map(String::as_str));
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            names
        }
    };
    Draft {
        about: Some(format!("{}/{}", slug(&one.name), slug(&other.name))),
        severity: Some(Severity::High),
        title: format!(
            "its lists of {} contradict each other: “{}” and “{}”",
            one.of, one.name, other.name
        ),
        explanation: format!(
            "Only on “{}”: {}. Only on “{}”: {}. On both: {}.",
            one.name,
            names(&mut mine.difference(theirs)),
            other.name,
            names(&mut theirs.difference(mine)),
            names(&mut mine.intersection(theirs)),
        ),
        cure:
            "Amend the document so that it has one list. Until then what it covers cannot be told, \
               and no more is given than its authority covers."
                .to_owned(),
        place: Some(at(&other.place)),
        ..Draft::default()
    }
}

/// A name as part of an id.
fn slug(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    name.chars().map(plain).collect()
}

/// Every item is an element of the pack.
fn vocabulary(agreement: &Agreement) -> Answer {
    if agreement.lists.is_empty() {
        return None;
    }
    let drafts = agreement.lists.iter().filter_map(|list| {
        let unknown = list.items.iter();
        let unknown = unknown.filter(|item| item.elements.is_empty() && !item.open);
        let unknown: Vec<&Item> = unknown.collect();
        let first = unknown.first()?;
        let words: Vec<String> = unknown
            .iter()
            .map(|item| format!("“{}”", item.words))
            .collect();
        Some(Draft {
            about: Some(slug(&list.name)),
            severity: Some(Severity::Moderate),
            title: format!(
                "no element of the law pack: {}",
                listed(words.iter().map(String::as_str))
            ),
            explanation: format!(
                "“{}” lists what the records, as the law pack knows them, do not hold. No rule speaks of \
                 it, so none of it can leave.",
                list.name
            ),
            cure: "Strike it from the document; or, if the records do hold it, add the element to the \
                   pack and have its place in every rule reviewed."
                .to_owned(),
            place: Some(at(&first.place)),
            ..Draft::default()
        })
    });
    Some(drafts.collect())
}

/// No list leaves open what is given.
fn closed(agreement: &Agreement) -> Answer {
    if agreement.lists.is_empty() {
        return None;
    }
    let items = agreement.lists.iter().flat_map(|list| &list.items);
    let open = items.filter(|item| item.open).map(|item| Draft {
        about: Some(slug(&item.words)),
        severity: Some(Severity::Moderate),
        title: format!("what is given is left open: “{}”", item.words),
        explanation:
            "Whether no more is given than is needed cannot be told from words that leave \
                      open what is given."
                .to_owned(),
        cure: "List each element. What is decided case by case needs an instrument for the case."
            .to_owned(),
        place: Some(at(&item.place)),
        ..Draft::default()
    });
    Some(open.collect())
}

/// How an instrument comes to bar something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bar {
    /// It is an order.
    Order,
    /// It is what the document rests on.
    Authority,
    /// It is another law.
    Statute,
}

impl Bar {
    fn of(instrument: &Instrument, barred: &Barred) -> Self {
        let agreement = instrument.agreement.as_ref();
        let mut named = agreement.into_iter().flat_map(|a| &a.authorities);
        if barred.kind == "order" {
            Self::Order
        } else if named.any(|named| named.instrument.as_ref() == Some(&barred.instrument)) {
            Self::Authority
        } else {
            Self::Statute
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Authority => "authority",
            Self::Statute => "statute",
        }
    }
}

/// The id of the finding that an overlap comes under.
pub(super) fn finding_of(instrument: &Instrument, barred: &Barred) -> String {
    let rule = Bar::of(instrument, barred).rule();
    format!("{}#{rule}/{}", instrument.id, barred.instrument)
}

/// One finding for each instrument that bars something.
fn bars(case: &Case<'_>, wanted: Bar) -> Vec<Draft> {
    let of_rule = case.overlaps.iter();
    let of_rule = of_rule.filter(|barred| Bar::of(case.instrument, barred) == wanted);
    let mut by: Vec<(&str, Vec<&Barred>)> = Vec::new();
    for barred in of_rule {
        match by.iter_mut().find(|(id, _)| *id == barred.instrument) {
            Some((_, list)) => list.push(barred),
            None => by.push((&barred.instrument, vec![barred])),
        }
    }
    by.into_iter()
        .map(|(id, barred)| barred_by(case, id, &barred, wanted))
        .collect()
}

fn barred_by(case: &Case<'_>, id: &str, barred: &[&Barred], bar: Bar) -> Draft {
    let short = barred.first().map_or(id, |barred| barred.short.as_str());
    let stated: Vec<&Disclosures> = barred
        .iter()
        .map(|barred| &barred.case)
        .filter(|case| case.basis != Basis::IfRenewed)
        .collect();
    let renewed: Vec<&Disclosures> = barred
        .iter()
        .map(|barred| &barred.case)
        .filter(|case| case.basis == Basis::IfRenewed)
        .collect();
    let mut explanation = Vec::new();
    if !stated.is_empty() {
        explanation.push(format!(
            "Within the dates that it has, {}: {}.",
            days(&stated),
            what(case.pack, &stated)
        ));
    }
    if !renewed.is_empty() {
        explanation.push(format!(
            "If it were renewed, {}: {}.",
            days(&renewed),
            what(case.pack, &renewed)
        ));
    }
    let (title, cure) = match bar {
        Bar::Order => (
            format!("it purports to allow what the court bars: {short}"),
            "Give nothing on it that the order bars; amend it to leave out those records, elements and \
             purposes, or suspend it while the order is in force.",
        ),
        Bar::Authority => (
            format!("the authority that it names is narrower: {short}"),
            "Amend it to what its authority covers, or name the authority for the rest.",
        ),
        Bar::Statute => (
            format!("it purports to allow what the law bars: {short}"),
            "Amend it to leave out what is barred.",
        ),
    };
    // What is barred for everybody does not turn on whose records they are.
    let assumed = assumed(case);
    let certain = assumed.is_none() || stated.iter().any(|case| case.everyone);
    let severity = if certain && !stated.is_empty() {
        Severity::High
    } else {
        Severity::Moderate
    };
    explanation.extend(assumed.map(str::to_owned));
    Draft {
        about: Some(id.to_owned()),
        severity: Some(severity),
        clause: Some(clauses(barred)),
        title,
        explanation: explanation.join(" "),
        cure: cure.to_owned(),
        place: case.instrument.agreement.as_ref().map(place),
        ..Draft::default()
    }
}

fn clauses(barred: &[&Barred]) -> String {
    let cited = barred.iter().flat_map(|barred| &barred.provisions);
    let clauses: BTreeSet<&str> = cited.map(|cited| cited.clause.as_str()).collect();
    clauses.into_iter().collect::<Vec<_>>().join("; ")
}

/// From the first day to the last of several sets of disclosures.
fn days(cases: &[&Disclosures]) -> String {
    let from = cases.iter().map(|case| case.from).min();
    let from = from.filter(|from| *from > Date::MIN).map(day);
    let last = cases.iter().try_fold(Date::MIN, |last, case| {
        case.until.map(|until| until.max(last))
    });
    let from = from.map_or_else(|| "always".to_owned(), |from| format!("from {from}"));
    match last {
        Some(last) => format!("{from} to {}", day(last)),
        None => format!("{from} on"),
    }
}

/// What a reader has to know where the document does not say whose records it is about.
fn assumed(case: &Case<'_>) -> Option<&'static str> {
    let agreement = case.instrument.agreement.as_ref()?;
    agreement
        .people
        .is_none()
        .then_some("It does not state whose records; everyone is assumed.")
}

/// Several sets of disclosures in words: which elements, of whom and for what, each group of elements
/// with its own people.
fn what(pack: &LawPack, cases: &[&Disclosures]) -> String {
    let count = pack.vocabulary().element_names().count();
    let mut groups: Vec<(String, Vec<&Disclosures>)> = Vec::new();
    for case in cases {
        let elements = if case.elements.len() == count {
            "every element".to_owned()
        } else {
            listed(case.elements.iter().map(String::as_str))
        };
        let words = format!("{elements} of {{}}, for {}", case.purposes_words);
        let whom: Vec<String> = case.who.iter().map(super::Who::people_words).collect();
        let words = words.replacen("{}", &whom.join(" or of "), 1);
        match groups.iter_mut().find(|(known, _)| *known == words) {
            Some((_, alike)) => alike.push(case),
            None => groups.push((words, vec![case])),
        }
    }
    let all = days(cases);
    let words = groups.iter().map(|(words, alike)| {
        let origins = origins(alike).map(|origins| format!(" ({origins})"));
        let of_group = Some(days(alike)).filter(|days| *days != all);
        let of_group = of_group.map(|days| format!(", {days}"));
        format!(
            "{words}{}{}",
            origins.unwrap_or_default(),
            of_group.unwrap_or_default()
        )
    });
    words.collect::<Vec<_>>().join("; ")
}

/// From how many origins the records are, if not from every one.
fn origins(cases: &[&Disclosures]) -> Option<String> {
    let counts = cases.iter().map(|case| {
        let named = case.who.iter().map(|who| who.origins.len());
        let every = case.who.iter().any(|who| who.origins.is_empty());
        (!every).then(|| named.sum::<usize>())
    });
    let counts: BTreeSet<usize> = counts.collect::<Option<_>>()?;
    match (counts.first()?, counts.last()?) {
        (1, 1) => Some("of one origin".to_owned()),
        (least, most) if least == most => Some(format!("of {least} origins")),
        (least, most) => Some(format!("of {least} to {most} origins, by the day")),
    }
}

/// What it names as its authority covers what it allows.
fn authority(case: &Case<'_>, agreement: &Agreement) -> Answer {
    let mut named = agreement.authorities.iter();
    let known = named.any(|authority| authority.instrument.is_some());
    known.then(|| bars(case, Bar::Authority))
}

fn unpermitted(case: &Case<'_>) -> Vec<Draft> {
    let needs: Vec<&Disclosures> = case.unpermitted.iter().collect();
    if needs.is_empty() {
        return Vec::new();
    }
    vec![Draft {
        severity: Some(Severity::Moderate),
        title: "it needs what nothing permits".to_owned(),
        explanation: format!(
            "Nothing bars the following, and nothing permits it either, so none of it leaves, {}: {}.{}",
            days(&needs),
            what(case.pack, &needs),
            assumed(case)
                .map(|assumed| format!(" {assumed}"))
                .unwrap_or_default()
        ),
        cure:
            "Amend the document to what is permitted; or have a permission drafted, reviewed and \
               signed off."
                .to_owned(),
        place: case.instrument.agreement.as_ref().map(place),
        ..Draft::default()
    }]
}

/// What the instrument's own permits let go, and the document does not name.
fn beyond(case: &Case<'_>, agreement: &Agreement) -> Answer {
    if agreement.lists.is_empty() {
        return None;
    }
    let more: Vec<&Disclosures> = case.beyond.iter().map(|beyond| &beyond.case).collect();
    if more.is_empty() {
        return Some(Vec::new());
    }
    let existence = case.pack.vocabulary().existence();
    let mut elements = more.iter().flat_map(|case| &case.elements);
    let existence_alone = elements.all(|element| element == existence);
    let names: BTreeSet<&str> = case
        .beyond
        .iter()
        .flat_map(|beyond| &beyond.interpretations)
        .map(String::as_str)
        .collect();
    let readings = case.instrument.interpretations.iter();
    let readings: Vec<String> = readings
        .filter(|reading| names.contains(reading.name.as_str()))
        .map(|reading| format!("`{}` ({})", reading.name, reading.question.trim()))
        .collect();
    let (rests, severity) = if readings.is_empty() {
        ("No interpretation explains it.".to_owned(), Severity::High)
    } else {
        let readings = listed(readings.iter().map(String::as_str));
        let rests = format!("What explains it, if anything, are the interpretations {readings}.");
        (rests, Severity::Moderate)
    };
    let (severity, note) = if existence_alone {
        (
            Severity::Low,
            " Whatever leaves about a person says that there is a record.",
        )
    } else {
        (severity, "")
    };
    let permits = case.beyond.iter().flat_map(|beyond| &beyond.provisions);
    let permits: BTreeSet<&str> = permits.map(|cited| cited.provision.as_str()).collect();
    Some(vec![Draft {
        severity: Some(severity),
        title: if existence_alone {
            format!("its permit lets go `{existence}`, which no list names")
        } else {
            "its permit lets go more than the document names".to_owned()
        },
        explanation: format!(
            "By {}, {}: {}.{note} {rests}",
            listed(permits),
            days(&more),
            what(case.pack, &more)
        ),
        cure:
            "Narrow the permit to what the document names; or amend the document; or enter what it \
               says that the lists leave out."
                .to_owned(),
        place: Some(place(agreement)),
        ..Draft::default()
    }])
}

/// Who relies on an instrument: requests and documents in force that name it.
fn relied_on_by(case: &Case<'_>) -> Vec<String> {
    let on = case.asked.on;
    let reliances = case.asked.reliances.iter();
    let said = reliances
        .filter(|reliance| reliance.instrument == case.instrument.id)
        .map(|reliance| reliance.by.clone());
    let documents = case.pack.instruments().iter();
    let documents = documents.filter(|other| {
        let terms = other.agreement.as_ref().filter(|_| other.in_force(on));
        let mut named = terms.into_iter().flat_map(|terms| &terms.authorities);
        named.any(|named| named.instrument.as_ref() == Some(&case.instrument.id))
    });
    let documents = documents.map(|other| format!("{} (it names it as authority)", other.short));
    said.chain(documents).collect()
}

/// Who may rely on an instrument: whoever calls for an agreement that no other one could be.
fn called_for_by(case: &Case<'_>, agreement: &Agreement) -> Vec<String> {
    let on = case.asked.on;
    let calls = case.pack.instruments().iter().filter(|other| {
        let terms = other.agreement.as_ref().filter(|_| other.in_force(on));
        terms.is_some_and(|terms| {
            let mut sorts = terms.requires.iter();
            sorts.any(|required| {
                serves(agreement, required.agreement, terms)
                    && candidates(case.pack, required, terms).all(|c| !counts(c, on))
            })
        })
    });
    let calls = calls.map(|other| {
        format!(
            "{} (it calls for an agreement between the same parties, and no other is on file)",
            other.short
        )
    });
    calls.collect()
}

fn lapse(case: &Case<'_>, agreement: &Agreement) -> Answer {
    let last = agreement.term.as_ref()?.last()?;
    let on = case.asked.on;
    if on <= last {
        return Some(Vec::new());
    }
    let relied = relied_on_by(case);
    let called = called_for_by(case, agreement);
    let ended = format!(
        "Its last day was {}, and no renewal after it is known.",
        day(last)
    );
    let by = |who: &[String]| listed(who.iter().map(String::as_str));
    let (severity, title, more, cure) = if !relied.is_empty() {
        (
            Severity::High,
            " and is still relied upon",
            format!(" It is relied upon by {}.", by(&relied)),
            "Give nothing on it; conclude a new agreement, or enter the renewal if there is one.",
        )
    } else if !called.is_empty() {
        (
            Severity::Moderate,
            " and may be relied upon",
            format!(
                " It may be relied upon by {}; nothing names it.",
                by(&called)
            ),
            "Give nothing on it; conclude a new agreement, or enter the renewal if there is one.",
        )
    } else {
        (
            Severity::Moderate,
            "",
            String::new(),
            "Give nothing under it; have what was given returned or destroyed as it says.",
        )
    };
    Some(vec![Draft {
        severity: Some(severity),
        title: format!("it lapsed on {}{title}", day(last)),
        explanation: format!("{ended}{more}"),
        cure: cure.to_owned(),
        place: agreement.term.as_ref().map(|term| at(&term.place)),
        ..Draft::default()
    }])
}

fn renewal_due(case: &Case<'_>, agreement: &Agreement) -> Answer {
    let term = agreement.term.as_ref()?;
    let last = term.last()?;
    let left = (last - case.asked.on).get_days();
    if left < 0 {
        return None;
    }
    let ahead = Ahead::of(term);
    if left > ahead.due {
        return Some(Vec::new());
    }
    let severity = if left <= ahead.urgent {
        Severity::High
    } else {
        Severity::Moderate
    };
    Some(vec![Draft {
        severity: Some(severity),
        title: format!("it ends in {left} days"),
        explanation: format!("Its last day is {}.", day(last)),
        cure: "Renew it before then, or stop what is given under it on that day.".to_owned(),
        place: Some(at(&term.place)),
        ..Draft::default()
    }])
}

/// The pack lets the instrument count on no day that the document does not cover.
fn timeline(case: &Case<'_>, agreement: &Agreement) -> Answer {
    let term = agreement.term.as_ref()?;
    let outside = [
        term.from.and_then(|from| from.yesterday().ok()),
        term.last().and_then(|last| last.tomorrow().ok()),
    ];
    let beyond: Vec<String> = outside
        .into_iter()
        .flatten()
        .filter(|on| case.instrument.in_force(*on))
        .map(day)
        .collect();
    if beyond.is_empty() {
        return Some(Vec::new());
    }
    Some(vec![Draft {
        severity: Some(Severity::High),
        title: "the law pack lets it count beyond its dates".to_owned(),
        explanation: format!(
            "By its timeline it is in force on {}, by its own dates it is not.",
            listed(beyond.iter().map(String::as_str))
        ),
        cure: "Correct the events in instrument.toml, or the dates in agreement.toml.".to_owned(),
        place: Some(at(&term.place)),
        ..Draft::default()
    }])
}

/// The instruments that could be the agreement that is called for.
fn candidates<'a>(
    pack: &'a LawPack,
    required: &Required,
    flow: &Agreement,
) -> impl Iterator<Item = &'a Instrument> {
    let sort = required.agreement;
    pack.instruments().iter().filter(move |instrument| {
        let terms = instrument.agreement.as_ref();
        instrument.kind == "agreement" && terms.is_some_and(|terms| serves(terms, sort, flow))
    })
}

/// Whether an agreement is between the parties of a flow, for one of its purposes, and of the sort
/// that is called for.
fn serves(agreement: &Agreement, sort: Sort, flow: &Agreement) -> bool {
    let of_sort = match sort {
        Sort::Matching => agreement.is_matching(),
        Sort::DataUse => agreement.says.contains_key(&Topic::DataUse),
        Sort::Written => true,
    };
    let shared = |role: Role| {
        agreement.parties(role).any(|mine| {
            let mut theirs = flow.parties(role);
            theirs.any(|theirs| {
                is_of(&mine.agency, &theirs.agency) || is_of(&theirs.agency, &mine.agency)
            })
        })
    };
    let mut purposes = agreement.purposes.iter().filter_map(|p| p.purpose.as_ref());
    let purpose = purposes.any(|mine| {
        let mut theirs = flow.purposes.iter().filter_map(|p| p.purpose.as_ref());
        theirs.any(|theirs| is_within(mine, theirs) || is_within(theirs, mine))
    });
    of_sort && purpose && shared(Role::Custodian) && shared(Role::Recipient)
}

/// Whether an agreement is within its own dates and in force.
fn counts(instrument: &Instrument, on: Date) -> bool {
    instrument.in_force(on) && matches!(state(instrument, on), State::Current | State::Open)
}

fn on_file(case: &Case<'_>, agreement: &Agreement) -> Answer {
    let on = case.asked.on;
    if agreement.requires.is_empty() || !case.instrument.in_force(on) {
        return None;
    }
    let drafts = agreement.requires.iter().filter_map(|required| {
        let known: Vec<&Instrument> = candidates(case.pack, required, agreement).collect();
        let any = known.iter().any(|candidate| counts(candidate, on));
        (!any).then(|| none_on_file(case, agreement, required, &known))
    });
    Some(drafts.collect())
}

fn none_on_file(
    case: &Case<'_>,
    agreement: &Agreement,
    required: &Required,
    known: &[&Instrument],
) -> Draft {
    let sort = required.agreement.title();
    let parties = |role: Role| listed(agreement.parties(role).map(|p| p.agency.as_str()));
    let mut explanation = format!(
        "It calls for one (“{}”). No {sort} between {} and {} is on file that counts on {}.",
        required.words.trim().trim_end_matches('.'),
        parties(Role::Custodian),
        parties(Role::Recipient),
        day(case.asked.on)
    );
    for candidate in known {
        let last = candidate
            .agreement
            .as_ref()
            .and_then(|a| a.term.as_ref()?.last());
        let ended = last.map_or_else(
            || "does not count on that day".to_owned(),
            |last| format!("ended on {}", day(last)),
        );
        explanation.push_str(&format!(" The {} {ended}.", candidate.short));
    }
    let severity = if case.instrument.kind == "routine" {
        Severity::Moderate
    } else {
        Severity::High
    };
    Draft {
        about: Some(slug(sort)),
        severity: Some(severity),
        clause: Some(required.clause.clone()),
        title: format!("no {sort} is on file"),
        explanation,
        cure: format!(
            "Conclude a {sort}, or enter the one that there is as an instrument of its own."
        ),
        place: Some(place(agreement)),
        ..Draft::default()
    }
}
