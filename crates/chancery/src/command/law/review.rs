//! `law review`: agreements held against the law, as text, JSON, a page, a calendar and OSCAL.

mod calendar;

mod html;

mod oscal;

use std::collections::BTreeMap;
use std::path::Path;

use chancery_law::agreement::{Item, Read, Term};
use chancery_law::review::{
    Asked, Barred, Basis, Beyond, Case, Deadline, DeadlineKind, Finding, Outcome, Reliance, Review,
    Reviewed, Severity, State, Terms, Who, is_reviewed,
};
use chancery_law::{LawPack, State as SignOffState};
use chancery_model::Request;
use chancery_release::Workspace;
use jiff::civil::Date;

use super::super::{Context, Result, day, json};
use crate::args::{Format, LawReview};
use crate::failure::Failure;
use crate::text;

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    law: &LawPack,
    args: &LawReview,
) -> Result<()> {
    known(law, &args.ids)?;
    let (deadlines, sign_offs) = sign_offs(workspace, law, args)?;
    let review = law.review(&Asked {
        only: args.ids.clone(),
        reliances: reliances(workspace.root(), law),
        deadlines,
        sign_offs,
        ..Asked::on(day(args.on))
    })?;
    for (file, render) in [
        (&args.html, html::page as fn(&Review) -> Result<String>),
        (&args.calendar, calendar::calendar),
        (&args.oscal, oscal::results),
    ] {
        if let Some(file) = file {
            write(file, &render(&review)?)?;
        }
    }
    match context.format {
        Format::Json => text::print(&text::ascii_json(&json(&review)?)),
        Format::Text => text::print(&text::safe(&shown(&review))),
    }
    Ok(())
}

/// Refuses what the pack does not have, or what is no agreement.
fn known(law: &LawPack, ids: &[String]) -> Result<()> {
    for id in ids {
        let reviewed = law.instruments().iter().filter(|i| is_reviewed(i));
        let names = reviewed.map(|instrument| instrument.id.as_str());
        let problem = match law.instrument(id) {
            Some(instrument) if is_reviewed(instrument) => continue,
            Some(instrument) => format!(
                "`{id}` is a {}, which is what agreements are held against",
                instrument.kind
            ),
            None => format!("unknown instrument `{id}`"),
        };
        let hint = chancery_law::did_you_mean(id, names);
        return Err(Failure::new(problem).hint(hint).invalid());
    }
    Ok(())
}

/// The requests of the workspace that rely on an instrument. A file that is no request relies on
/// nothing; `decide` says what is wrong with it.
fn reliances(root: &Path, law: &LawPack) -> Vec<Reliance> {
    let folder = std::fs::read_dir(root.join("requests"));
    let files = folder.into_iter().flatten().flatten();
    let mut files: Vec<_> = files.map(|file| file.path()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Ok(content) = std::fs::read_to_string(&file) else {
            continue;
        };
        let Ok(request) = Request::parse(&name, &content) else {
            continue;
        };
        let named = request.authority.into_iter();
        let named = named.filter(|id| law.instrument(id).is_some());
        found.extend(named.map(|instrument| Reliance {
            by: format!("the request requests/{name}"),
            instrument,
        }));
    }
    found
}

/// How far each part of the law is signed off.
type SignedOff = BTreeMap<String, SignOffState>;

/// The last day on which the sign-off of each part of the law counts, and how far each is signed off:
/// not said in a demonstration where nobody has signed anything.
fn sign_offs(
    workspace: &Workspace,
    law: &LawPack,
    args: &LawReview,
) -> Result<(Vec<Deadline>, SignedOff)> {
    let all = workspace.sign_offs(super::super::known(args.as_known))?;
    let kept = !workspace.is_demonstration() || all.units().next().is_some();
    let mut deadlines = Vec::new();
    let mut states = SignedOff::new();
    for unit in workspace.units()? {
        if !(args.ids.is_empty() || args.ids.contains(&unit.id)) {
            continue;
        }
        let stand = all.stand(&unit.id, unit.digest(), day(args.on))?;
        if kept {
            states.insert(unit.id.clone(), stand.state);
        }
        let instrument = law.instrument(&unit.id);
        let name = instrument.map_or(unit.id.as_str(), |instrument| instrument.short.as_str());
        deadlines.extend(stand.until.map(|on| Deadline {
            on,
            about: unit.id.clone(),
            kind: DeadlineKind::SignOff,
            title: format!("{name}: last day of its sign-off"),
            explanation:
                "From the next day nothing leaves on it until two people sign it again.".to_owned(),
        }));
    }
    Ok((deadlines, states))
}

fn write(file: &Path, content: &str) -> Result<()> {
    std::fs::write(file, content).map_err(|error| Failure::file("write", file, &error))
}

/// `3 high, 1 moderate`.
fn tally<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let findings: Vec<&Finding> = findings.collect();
    let severities = [Severity::High, Severity::Moderate, Severity::Low];
    let counts = severities.map(|severity| {
        let of = findings.iter().filter(|f| f.severity == severity);
        (of.count(), severity.as_str())
    });
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(n, word)| format!("{n} {word}")).collect();
    if counts.is_empty() {
        "none".to_owned()
    } else {
        counts.join(", ")
    }
}

fn findings(count: usize) -> String {
    if count == 1 {
        "1 finding".to_owned()
    } else {
        format!("{count} findings")
    }
}

/// What a reader of a review has to know of sign-offs.
const AS_IF_SIGNED: &str =
    "Permits count as if they were signed off: the question is what the law says.";

/// The day of a review, and by what had been recorded when.
fn on_day(review: &Review) -> String {
    match review.as_known {
        Some(known) => format!("{}, as known on {}", text::day(review.on), text::day(known)),
        None => text::day(review.on),
    }
}

/// Whether a review says how far instruments are signed off.
fn has_sign_offs(review: &Review) -> bool {
    review.agreements.iter().any(|one| one.sign_off.is_some())
}

/// How far an instrument is signed off.
fn signed(reviewed: &Reviewed) -> String {
    let state = reviewed.sign_off.map(SignOffState::as_str);
    state.unwrap_or("–").replace('_', " ")
}

fn shown(review: &Review) -> String {
    let count = review.findings().count();
    let mut parts = vec![format!(
        "{} ({} {}), reviewed on {}\n{} reviewed, {} ({}).\n{AS_IF_SIGNED}",
        review.title,
        review.pack,
        review.version,
        on_day(review),
        instruments(review.agreements.len()),
        findings(count),
        tally(review.findings()),
    )];
    parts.push(summary(review));
    parts.extend(review.agreements.iter().map(one));
    parts.push(deadlines(review));
    parts.join("\n\n")
}

fn instruments(count: usize) -> String {
    if count == 1 {
        "1 instrument".to_owned()
    } else {
        format!("{count} instruments")
    }
}

fn summary(review: &Review) -> String {
    let with_sign_offs = has_sign_offs(review);
    let rows = review.agreements.iter().map(|reviewed| {
        let mut row = vec![
            reviewed.short.clone(),
            reviewed.kind.clone(),
            standing(reviewed),
            ends(reviewed),
            tally(reviewed.findings.iter()),
        ];
        row.extend(with_sign_offs.then(|| signed(reviewed)));
        row
    });
    let mut header = vec!["instrument", "kind", "state", "last day", "findings"];
    header.extend(with_sign_offs.then_some("sign-off"));
    text::table(&header, &[], rows.collect())
}

/// Where the day stands to the document's dates, and whether the law pack lets it count.
fn standing(reviewed: &Reviewed) -> String {
    let state = match reviewed.state {
        State::NotYet => "not yet begun",
        State::Current => "within its dates",
        State::Lapsed => "lapsed",
        State::Open => "no last day",
    };
    let in_force = if reviewed.in_force {
        "in force"
    } else {
        "not in force"
    };
    format!("{in_force}, {state}")
}

fn ends(reviewed: &Reviewed) -> String {
    let term = reviewed
        .terms
        .as_ref()
        .and_then(|terms| terms.term.as_ref());
    let last = term.and_then(Term::last);
    last.map_or_else(|| "–".to_owned(), |last| last.to_string())
}

fn one(reviewed: &Reviewed) -> String {
    let mut lines = vec![
        format!("{} ({})", reviewed.title, reviewed.kind),
        format!("{} – {}", reviewed.id, reviewed.citation),
    ];
    if let Some(terms) = &reviewed.terms {
        lines.extend(inventory(terms).into_iter().map(|(title, content)| {
            let first = format!("  {title:<12}");
            text::hang(&content.join("; "), &first, &" ".repeat(14))
        }));
    }
    lines.push(format!(
        "  {}: {}",
        findings(reviewed.findings.len()),
        tally(reviewed.findings.iter())
    ));
    let (stated, missing) = apart(reviewed);
    for (at, finding) in stated.iter().enumerate() {
        let severity = finding.severity.as_str();
        let first = format!("  {:>2}. {severity}: ", at + 1);
        let indent = " ".repeat(6);
        lines.push(text::hang(
            &format!("{} [{}]", finding.title, finding.clause),
            &first,
            &indent,
        ));
        lines.push(text::wrap(&finding.explanation, &indent));
        lines.push(text::hang(&finding.cure, "      Cure: ", &indent));
    }
    for group in missing {
        lines.push(not_stated(&group));
    }
    if !reviewed.overlaps.is_empty() {
        lines.push("  What it purports to allow and the law bars:".to_owned());
        lines.extend(alike(&reviewed.overlaps, |b| &b.case).iter().map(barred));
    }
    if !reviewed.unpermitted.is_empty() {
        lines.push("  What it needs and nothing permits:".to_owned());
        let groups = alike(&reviewed.unpermitted, |case| case);
        lines.extend(groups.iter().map(|group| {
            let first = format!("  - {}: ", group.days());
            text::hang(&disclosures(group.case), &first, &" ".repeat(6))
        }));
    }
    if !reviewed.beyond.is_empty() {
        lines.push("  What its own permits let go and it does not name:".to_owned());
        let groups = alike(&reviewed.beyond, |beyond| &beyond.case);
        lines.extend(groups.iter().map(|group| {
            let first = format!("  - {}: ", group.days());
            let content = format!("{} [{}]", disclosures(group.case), permits(group.one));
            text::hang(&content, &first, &" ".repeat(6))
        }));
    }
    lines.join("\n")
}

/// The findings, and apart from them those of what is not stated, by what would cure them.
fn apart(reviewed: &Reviewed) -> (Vec<&Finding>, Vec<Vec<&Finding>>) {
    let (missing, stated): (Vec<&Finding>, Vec<&Finding>) = reviewed
        .findings
        .iter()
        .partition(|finding| finding.not_stated.is_some());
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in missing {
        let alike = |group: &&mut Vec<&Finding>| {
            let first = group.first();
            first.is_some_and(|f| f.cure == finding.cure && f.severity == finding.severity)
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    (stated, groups)
}

fn not_stated(group: &[&Finding]) -> String {
    let indent = " ".repeat(6);
    let severity = group.first().map_or("", |first| first.severity.as_str());
    let cure = group.first().map_or("", |first| first.cure.as_str());
    let missing: Vec<String> = group
        .iter()
        .filter_map(|f| Some(format!("{} [{}]", f.not_stated.as_deref()?, f.clause)))
        .collect();
    let first = format!("   –  {severity}, {} times not stated: ", group.len());
    let missing = text::hang(&missing.join("; "), &first, &indent);
    let cure = text::hang(cure, "      Cure: ", &indent);
    format!("{missing}\n{cure}")
}

/// What a clause says beyond the name of its instrument.
fn clauses(barred: &Barred) -> String {
    let clause = |clause: &str| {
        let rest = clause.strip_prefix(&barred.short);
        let rest = rest.map(|rest| rest.trim_start_matches([':', ' ']));
        rest.filter(|rest| !rest.is_empty())
            .unwrap_or(clause)
            .to_owned()
    };
    let cited = barred.provisions.iter().map(|cited| clause(&cited.clause));
    cited.collect::<Vec<_>>().join("; ")
}

/// Sets of disclosures that differ in their days alone.
struct Group<'a, T> {
    /// The first.
    one: &'a T,
    case: &'a Case,
    /// The days of each.
    spans: Vec<String>,
}

impl<T> Group<'_, T> {
    fn days(&self) -> String {
        self.spans.join("; ")
    }
}

/// What is said of a set of disclosures besides its days.
trait Said: PartialEq + Clone {
    /// The same without its days and its example.
    fn undated(&self) -> Self;
}

impl Said for Case {
    fn undated(&self) -> Self {
        Self {
            from: Date::MIN,
            until: None,
            basis: Basis::Stated,
            example: chancery_law::review::Example {
                on: Date::MIN,
                ..self.example.clone()
            },
            ..self.clone()
        }
    }
}

impl Said for Barred {
    fn undated(&self) -> Self {
        Self {
            case: self.case.undated(),
            ..self.clone()
        }
    }
}

impl Said for Beyond {
    fn undated(&self) -> Self {
        Self {
            case: self.case.undated(),
            ..self.clone()
        }
    }
}

/// Puts together what differs in its days alone.
fn alike<T: Said>(all: &[T], case: fn(&T) -> &Case) -> Vec<Group<'_, T>> {
    let mut groups: Vec<(T, Group<'_, T>)> = Vec::new();
    for one in all {
        let undated = one.undated();
        let days = span(case(one));
        match groups.iter_mut().find(|(known, _)| *known == undated) {
            Some((_, group)) => group.spans.push(days),
            None => groups.push((
                undated,
                Group {
                    one,
                    case: case(one),
                    spans: vec![days],
                },
            )),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn barred(group: &Group<'_, Barred>) -> String {
    let first = format!("  - {}, {}: ", group.one.short, group.days());
    let content = format!("{} [{}]", disclosures(group.case), clauses(group.one));
    text::hang(&content, &first, &" ".repeat(6))
}

/// The permits that let go what a document does not name.
fn permits(beyond: &Beyond) -> String {
    let cited = beyond
        .provisions
        .iter()
        .map(|cited| cited.provision.as_str());
    cited.collect::<Vec<_>>().join("; ")
}

fn disclosures(case: &Case) -> String {
    format!(
        "{} of {}, from {} to {}, for {}. For example {}.",
        case.elements.join(", "),
        case.who
            .iter()
            .map(Who::words)
            .collect::<Vec<_>>()
            .join("; "),
        case.custodians.join(", "),
        case.recipients.join(", "),
        case.purposes_words,
        example(case),
    )
}

fn example(case: &Case) -> String {
    let example = &case.example;
    let attributes = example.record.iter();
    let attributes: Vec<String> = attributes.map(|(name, v)| format!("{name} {v}")).collect();
    format!(
        "{} of a record with {}, {} to {} for {} on {}",
        example.element,
        attributes.join(", "),
        example.custodian,
        example.recipient,
        example.purpose,
        first_day(example.on),
    )
}

/// The days of a set of disclosures.
fn span(case: &Case) -> String {
    let days = match case.until {
        Some(until) => format!("{} to {until}", first_day(case.from)),
        None => format!("from {}", first_day(case.from)),
    };
    match case.basis {
        Basis::Stated | Basis::Timeline => days,
        Basis::IfRenewed => format!("{days} if renewed"),
    }
}

fn first_day(day: Date) -> String {
    if day == Date::MIN {
        "the beginning".to_owned()
    } else {
        day.to_string()
    }
}

/// A document's terms, topic by topic.
fn inventory(terms: &Terms) -> Vec<(&'static str, Vec<String>)> {
    let mut rows = vec![
        ("Custodian", terms.custodians.iter().map(party).collect()),
        ("Recipient", terms.recipients.iter().map(party).collect()),
        (
            "Authority",
            terms
                .authorities
                .iter()
                .map(|a| a.citation.clone())
                .collect(),
        ),
        ("Purpose", terms.purposes.iter().map(purpose).collect()),
        ("Dates", terms.term.as_ref().map(dates).unwrap_or_default()),
    ];
    for list in &terms.lists {
        let items: Vec<String> = list.items.iter().map(item).collect();
        rows.push((
            "Elements",
            vec![format!("{}: {}", list.name, items.join(", "))],
        ));
    }
    if let Some(people) = &terms.people {
        rows.push(("People", vec![people_of(people)]));
    }
    if let Some(records) = &terms.records {
        rows.push(("Records", vec![text::count(records.number)]));
    }
    if let Some(matching) = &terms.matching {
        rows.push(("Matching", vec![answer(matching)]));
    }
    for required in &terms.requires {
        let sort = required.agreement.title();
        rows.push(("Calls for", vec![format!("a {sort} ({})", required.clause)]));
    }
    for (topic, said) in &terms.says {
        let at = said.at.as_ref().map(|at| format!(" ({at})"));
        let said = format!(
            "{}: {}{}",
            topic.title(),
            said.words,
            at.unwrap_or_default()
        );
        rows.push(("States", vec![said]));
    }
    if !terms.not_stated.is_empty() {
        let read = match terms.read {
            Read::InFull => "",
            Read::InPart => "in what has been read: ",
        };
        let missing = format!("{read}{}", terms.not_stated.join(", "));
        rows.push(("Not stated", vec![missing]));
    }
    rows.retain(|(_, content): &(_, Vec<String>)| !content.is_empty());
    rows
}

fn answer(matching: &chancery_law::agreement::Matching) -> String {
    use chancery_law::agreement::Answer;
    let program = match matching.program {
        Answer::Yes => "a computer matching program",
        Answer::No => "no computer matching program",
        Answer::Doubtful => "doubtful, so held to the rules of a computer matching program",
    };
    let note = matching.note.as_ref().map(|note| format!(": {note}"));
    format!("{program}{}", note.unwrap_or_default())
}

fn party(party: &chancery_law::review::Participants) -> String {
    let signed = party.signatories.iter().map(|who| {
        let name = who.name.as_ref().map(|name| format!("{name}, "));
        let on = who.on.map(|on| format!(" on {on}"));
        format!(
            "; signed by {}{}{}",
            name.unwrap_or_default(),
            who.title,
            on.unwrap_or_default()
        )
    });
    format!(
        "{} ({}){}",
        party.name,
        party.agency,
        signed.collect::<String>()
    )
}

fn purpose(purpose: &chancery_law::agreement::StatedPurpose) -> String {
    match &purpose.purpose {
        Some(path) => format!("“{}” ({path})", purpose.words),
        None => format!("“{}” (no purpose of the law pack)", purpose.words),
    }
}

fn item(item: &Item) -> String {
    const MOST: usize = 8;
    let names: Vec<&str> = item.elements.iter().map(String::as_str).collect();
    let means = match names.len() {
        0 if item.open => "left open".to_owned(),
        0 => "no element of the law pack".to_owned(),
        1..=MOST => names.join(", "),
        many => format!("{many} elements"),
    };
    format!("“{}” ({means})", item.words.trim())
}

fn people_of(people: &chancery_law::review::StatedPeople) -> String {
    let own = if people.of_recipient {
        ", of the recipient's own jurisdiction"
    } else {
        ""
    };
    format!("“{}” ({}{own})", people.words, people.who)
}

fn dates(term: &Term) -> Vec<String> {
    let day = |title: &str, day: Option<Date>| day.map(|day| format!("{title} {}", text::day(day)));
    let mut dates: Vec<String> = [
        day("signed", term.signed),
        day("from", term.from),
        day("to", term.until),
    ]
    .into_iter()
    .flatten()
    .collect();
    dates.extend(term.renewals.iter().map(|renewal| {
        let (from, until) = (text::day(renewal.from), text::day(renewal.until));
        format!("renewed from {from} to {until}")
    }));
    if let Some(months) = term.renewable_months {
        dates.push(format!("renewable by {months} months at a time"));
    }
    dates
}

fn deadlines(review: &Review) -> String {
    if review.deadlines.is_empty() {
        return "No deadlines.".to_owned();
    }
    let rows = review.deadlines.iter().map(|deadline| {
        let when = if deadline.on < review.on { "past" } else { "" };
        vec![
            deadline.on.to_string(),
            when.to_owned(),
            deadline.title.clone(),
        ]
    });
    let table = text::table(&["day", "", "deadline"], &[], rows.collect());
    format!("Deadlines\n{table}")
}

/// What came of a rule, in words.
fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Met => "met",
        Outcome::NotMet => "not met",
        Outcome::NotApplicable => "not applicable",
    }
}
