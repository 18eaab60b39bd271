//! `account person` and `account suspend`: what left about one person, and what they are not to be
//! told for a time.

use std::collections::BTreeSet;
use std::path::Path;

use chancery_account::letter::Language;
use chancery_account::{Facts, Found, PersonAccount, PersonProof, is_within, withheld};
use chancery_law::{LawPack, did_you_mean};
use chancery_register::{Person, Register, SecretKey};
use chancery_release::entry::{
    By, Label, LookUp, LookUpReason, Pseudonym, Recorded, Role, Statement, Suspended, Suspension,
};
use chancery_release::{Clock as _, Entry, Fixed, Kept, System, Workspace, write_ledger};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use super::letter::Answer;
use super::shown::field;
use super::{Context, INCOMPLETE, Result};
use crate::args::{AccountPerson, AccountSuspend, Format, LetterLanguage, Whom};
use crate::calendar::{Event, calendar};
use crate::command::json;
use crate::failure::Failure;
use crate::{private, text};

/// The account of a person as programs read it.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    account: &'a PersonAccount,
    /// Whether a release or a dataset knows the id.
    known: bool,
    proof: Option<&'a PersonProof>,
}

pub(super) fn run(context: &Context, args: &AccountPerson) -> Result {
    let workspace = context.workspace()?;
    let pack = workspace.law()?;
    let person = whom(&args.whom, &pack)?;
    let keys = workspace.register_keys()?;
    let by = by(&args.whom, &pack)?;
    if args.absence {
        nothing_withheld(&Facts::read(&workspace)?, &keys, &person)?;
    }
    let entry = look_up(&workspace, &args.reason, &person, &keys, by)?;
    let told = tell(context, &workspace, &pack, &keys, &person, &entry)?;
    let known = told.is_recorded || is_in_a_dataset(&workspace, &person);
    let account = &told.account;
    let letter = match &args.letter {
        Some(file) if known || args.whom.unknown_id => {
            let language = match args.language {
                LetterLanguage::En => Language::English,
                LetterLanguage::Es => Language::Spanish,
            };
            Some((
                file,
                answer(&workspace, &pack, &person, &told).letter(language)?,
            ))
        }
        Some(_) => return Err(unknown("no letter is written")),
        None => None,
    };
    let proof = if args.prove {
        proof(&workspace, &told, &keys, &person, args.absence)?
    } else {
        None
    };
    if let (Some(file), Some(proof)) = (&args.proof, &proof) {
        write(file, json(proof)?)?;
    }
    if let Some((file, letter)) = letter {
        write(file, letter)?;
    }
    if let Some(file) = &args.calendar {
        write(file, due(account, &person, &told.mark))?;
    }
    text::print(&match (args.csv, context.format) {
        (true, _) => csv(account),
        (false, Format::Json) => {
            let proof = proof.as_ref();
            text::ascii_json(&json(&Report {
                account,
                known,
                proof,
            })?)
        }
        (false, Format::Text) => text::safe(&shown(account, known, &pack)),
    });
    if !known {
        text::warn(&format!("{UNKNOWN}; {COMPARE}"));
    }
    Ok(if account.complete {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::from(INCOMPLETE)
    })
}

/// Of an id that nothing in the workspace has.
const UNKNOWN: &str = "no release and no dataset of this workspace knows this id";
/// What to do about one.
const COMPARE: &str = "compare upper and lower case, leading zeros and the origin";

fn unknown(what: &str) -> Failure {
    let failure = Failure::new(format!("{UNKNOWN}, and so {what}"));
    failure
        .hint(format!(
            "{COMPARE}; if the id is right, give `--unknown-id`"
        ))
        .invalid()
}

/// Whether a dataset has a person.
fn is_in_a_dataset(workspace: &Workspace, person: &Person<'_>) -> bool {
    /// Why the reading of a dataset ended early.
    enum Ended {
        Found,
        Unread(chancery_dataset::Error),
    }
    impl From<chancery_dataset::Error> for Ended {
        fn from(error: chancery_dataset::Error) -> Self {
            Self::Unread(error)
        }
    }
    let folder = workspace.datasets_dir();
    let names = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = names
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names.iter().any(|name| {
        let read = chancery_dataset::open(&folder, name).map_err(Ended::Unread);
        let searched = read.and_then(|dataset| {
            dataset.each_person::<Ended>(person.origin(), &mut |id, _, _| {
                if id == person.id() {
                    return Err(Ended::Found);
                }
                Ok(())
            })
        });
        match searched {
            Ok(()) => false,
            Err(Ended::Found) => true,
            Err(Ended::Unread(error)) => {
                text::warn(&format!("the dataset `{name}` was not searched: {error}"));
                false
            }
        }
    })
}

/// Refuses what would tell a person that something is kept from them, while something is.
fn nothing_withheld(facts: &Facts, keys: &[SecretKey], person: &Person<'_>) -> Result<()> {
    if withheld(&facts.suspensions_of(keys, person), System.today()).is_empty() {
        return Ok(());
    }
    let failure = Failure::new(
        "which releases the person was not in is not shown while an agency has asked that the \
         person not be told",
    );
    Err(failure.hint(
        "leave out `--absence`: `--prove` shows the disclosures that the account lists, and looks \
         the same for everybody",
    ))
}

/// What shows the disclosures that an account lists; with absence, also the releases that the person
/// was not in. Nothing, if there is nothing to show.
fn proof(
    workspace: &Workspace,
    told: &Told,
    keys: &[SecretKey],
    person: &Person<'_>,
    absence: bool,
) -> Result<Option<PersonProof>> {
    let listed = |id: &str| {
        let mut disclosures = told.account.disclosures.iter();
        disclosures.any(|one| one.release == id)
    };
    let recorded = |id: &str| !told.unknown.contains(id);
    let releases = told.facts.releases.iter();
    let releases: Vec<_> = releases
        .filter(|one| listed(one.id()) || absence && recorded(one.id()))
        .collect();
    if releases.is_empty() {
        text::warn("nothing is listed, and so there is nothing to prove");
        return Ok(None);
    }
    let register = &told.register;
    let proof = PersonProof::make(workspace, register, keys, person, &releases)?;
    Ok(Some(proof))
}

/// What is known of a person, after it was entered that somebody asked.
pub(crate) struct Told {
    /// The entry of the look-up.
    pub(crate) number: u64,
    pub(crate) facts: Facts,
    pub(crate) register: Register,
    /// What stands for the person in the entry of the look-up.
    mark: String,
    /// Whether the person was in any release.
    is_recorded: bool,
    /// The releases of which the register cannot say whether they were in them.
    unknown: BTreeSet<String>,
    pub(crate) account: PersonAccount,
}

/// What a letter to the person is made from.
pub(crate) fn answer<'a>(
    workspace: &'a Workspace,
    pack: &'a LawPack,
    person: &'a Person<'a>,
    told: &'a Told,
) -> Answer<'a> {
    Answer {
        workspace,
        pack,
        facts: &told.facts,
        account: &told.account,
        person,
        number: told.number,
    }
}

/// Enters that somebody asks, and then answers.
pub(crate) fn tell(
    context: &Context,
    workspace: &Workspace,
    pack: &LawPack,
    keys: &[SecretKey],
    person: &Person<'_>,
    entry: &Entry,
) -> Result<Told> {
    let mut book = write_ledger(workspace, &System, &context.progress)?;
    let number = book.append(entry)?.index();
    drop(book);
    let facts = Facts::read(workspace)?;
    let register = workspace.register()?;
    // Nobody is told what the ledger does not bear out.
    let answer = register.confirm(keys, person);
    let answer = answer.map_err(chancery_release::Error::Register)?;
    let found = answer.presences.iter().map(|one| Found {
        release: one.release.to_owned(),
        elements: one.elements.to_vec(),
    });
    let found: Vec<Found> = found.collect();
    let suspensions = facts.suspensions_of(keys, person);
    let unknown: BTreeSet<String> = answer.unknown.iter().map(|id| (*id).to_owned()).collect();
    let today = System.today();
    let account = PersonAccount::of(&facts, pack, &found, &answer.unknown, &suspensions, today);
    let mark = match entry {
        Entry::LookUp(fact) => fact.person.to_string(),
        _ => String::new(),
    };
    Ok(Told {
        number,
        is_recorded: !found.is_empty(),
        unknown,
        facts,
        register,
        mark,
        account,
    })
}

pub(super) fn suspend(context: &Context, args: &AccountSuspend) -> Result {
    let workspace = context.workspace()?;
    let pack = workspace.law()?;
    let person = whom(&args.whom, &pack)?;
    let agency = pack.vocabulary().agency(&args.agency);
    let agency = agency.ok_or_else(|| {
        let known = pack.vocabulary().agency_paths();
        Failure::new(format!("`{}` is no agency of the law pack", args.agency))
            .hint(did_you_mean(&args.agency, known))
            .invalid()
    })?;
    let by = by(&args.whom, &pack)?;
    let clock = Fixed(System.now());
    let today = clock.today();
    if args.until < today {
        let failure = Failure::new(format!("the last day, {}, is past", args.until));
        return Err(failure
            .hint("`--until` with today's date ends an earlier suspension with this day")
            .invalid());
    }
    let statement = statement(&args.statement)?;
    let keys = workspace.register_keys()?;
    let register = workspace.register()?;
    let found = register.find(&keys, &person);
    let found = found.map_err(chancery_release::Error::Register)?;
    if found.presences.is_empty() && !args.whom.unknown_id && !is_in_a_dataset(&workspace, &person)
    {
        return Err(unknown("nothing is suspended"));
    }
    let facts = Facts::read(&workspace)?;
    can_ask(&agency.path, &facts)?;
    let before = facts.suspensions_of(&keys, &person);
    if args.oral {
        once_by_word_of_mouth(&before, &agency.path, args.until, today)?;
    }
    let is_over =
        args.until == today && withheld(&before, today).contains_key(agency.path.as_str());
    let kept = Kept::new(&statement)?;
    let of = Suspended::Accounting {
        person: mark(Suspension::KIND, &keys, &person, &clock)?,
        agency: Label::of("agency", &agency.path)?,
        basis: if args.oral {
            Statement::Oral
        } else {
            Statement::Written
        },
        statement: kept.digest(),
    };
    let entry = Entry::suspension(of, by, today, Some(args.until), &clock)?;
    kept.keep(&workspace)?;
    let mut book = write_ledger(&workspace, &System, &context.progress)?;
    let index = book.append(&entry)?.index();
    text::print(&match context.format {
        Format::Json => format!(
            "{:#}",
            serde_json::json!({ "ledger_index": index, "agency": agency.path, "until": args.until })
        ),
        Format::Text if is_over => format!(
            "The suspension ends with this day, {}: from tomorrow the person is told what left to \
             {}; ledger entry {index}.",
            text::day(args.until),
            agency.name
        ),
        Format::Text => format!(
            "Until {} nobody tells the person what left to {}; ledger entry {index}.",
            text::day(args.until),
            agency.name
        ),
    });
    Ok(std::process::ExitCode::SUCCESS)
}

/// Refuses a suspension for who is no health oversight agency or law enforcement official
/// (`45 CFR 164.528(a)(2)(i)`): the custodian, and the people themselves.
fn can_ask(agency: &str, facts: &Facts) -> Result<()> {
    let mut custodians = facts.releases.iter().map(|one| &one.logged.custodian);
    let who = if custodians.any(|custodian| is_within(agency, custodian.as_str())) {
        "is the custodian"
    } else if is_within(agency, "individual") {
        "stands for the people themselves"
    } else {
        return Ok(());
    };
    let failure = Failure::new(format!("`{agency}` {who}, for whom nothing is suspended"));
    Err(failure
        .hint(
            "name the health oversight agency or the law enforcement official who asked for it \
             (45 CFR 164.528(a)(2)(i))",
        )
        .invalid())
}

/// What an agency stated, which says something.
fn statement(file: &Path) -> Result<Vec<u8>> {
    let statement = std::fs::read(file).map_err(|error| {
        Failure::new(format!("cannot read `{}`: {error}", file.display()))
            .hint("name the file of the agency's statement, or of the note of what was said")
    })?;
    if statement.trim_ascii().is_empty() {
        let failure = Failure::new(format!("`{}` is empty", file.display()));
        return Err(failure
            .hint(
                "the statement says how telling the person would impede the agency, and until when",
            )
            .invalid());
    }
    Ok(statement)
}

/// Refuses another suspension by word of mouth: after 30 days it takes a written statement
/// (`45 CFR 164.528(a)(2)(ii)`). One that is in force can be made shorter.
fn once_by_word_of_mouth(
    before: &[&Suspension],
    agency: &str,
    until: Date,
    today: Date,
) -> Result<()> {
    let a_year_ago = today.saturating_sub(1.year());
    let is_oral = |fact: &&&Suspension| {
        matches!(&fact.of, Suspended::Accounting { agency: of, basis: Statement::Oral, .. }
            if *of == agency && fact.from > a_year_ago)
    };
    let in_force = withheld(before, today).get(agency).copied();
    match before.iter().find(is_oral) {
        Some(first) if in_force.is_none_or(|last| until > last) => {
            let failure = Failure::new(format!(
                "the accounting was suspended by word of mouth on {} already",
                first.from
            ));
            Err(failure
                .hint("get the agency's written statement, and leave out `--oral`")
                .invalid())
        }
        _ => Ok(()),
    }
}

/// Who is asked about: of an origin that the law pack knows.
fn whom<'a>(whom: &'a Whom, pack: &LawPack) -> Result<Person<'a>> {
    let origin = &pack.classification().origin;
    let known = pack.domain().attribute(origin);
    let known = known.map_or(&[][..], |(_, attribute)| attribute.values.as_slice());
    if !known.contains(&whom.origin) {
        let failure = Failure::new("the law pack knows no such origin");
        return Err(failure
            .hint("an origin is given as the law pack spells it, such as `06`")
            .invalid());
    }
    is_an_id(&whom.id)?;
    let person = Person::new(&whom.origin, &whom.id);
    person.ok_or_else(|| {
        Failure::new("the id has a NUL in it")
            .hint(COMPARE)
            .invalid()
    })
}

/// Whether a text can be an id. It is not repeated: it may be somebody's.
fn is_an_id(id: &str) -> Result<()> {
    let problem = if id.trim().is_empty() {
        "is empty"
    } else if id.trim() != id {
        "begins or ends with a space"
    } else if id.contains(|c: char| c.is_control() || text::is_unseen(c)) {
        "has a character in it that cannot be seen"
    } else {
        return Ok(());
    };
    let failure = Failure::new(format!("the id {problem}"));
    Err(failure
        .hint("give the id as the state assigned it, typed rather than pasted")
        .invalid())
}

fn by(whom: &Whom, pack: &LawPack) -> Result<By> {
    if whom.by != "custodian" && pack.vocabulary().agency(&whom.by).is_none() {
        let known = pack.vocabulary().agency_paths();
        return Err(
            Failure::new(format!("`{}` is no agency of the law pack", whom.by))
                .hint(did_you_mean(&whom.by, known))
                .invalid(),
        );
    }
    let role = Role::ALL.iter().find(|role| role.as_str() == whom.role);
    let role = role.ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        Failure::new(format!("`{}` is no role", whom.role))
            .hint(format!("one of {}", known.join(", ")))
            .invalid()
    })?;
    Ok(By {
        agency: Label::of("by", &whom.by)?,
        role: *role,
    })
}

/// What stands for a person in an entry that the clock dates, under the key that records.
fn mark(entry: &str, keys: &[SecretKey], person: &Person<'_>, clock: &Fixed) -> Result<Pseudonym> {
    let key = keys.first();
    let key = key.ok_or(chancery_release::Error::Register(
        chancery_register::Error::Key,
    ))?;
    let recorded = Recorded::now(clock);
    Ok(Pseudonym::of(entry, recorded, key, person))
}

/// The entry of a look-up. A reason in words is kept.
pub(crate) fn look_up(
    workspace: &Workspace,
    reason: &str,
    person: &Person<'_>,
    keys: &[SecretKey],
    by: By,
) -> Result<Entry> {
    let clock = Fixed(System.now());
    let mark = mark(LookUp::KIND, keys, person, &clock)?;
    if let Some(code) = code(reason)? {
        return Ok(Entry::look_up(mark, code, by, &clock)?);
    }
    let kept = Kept::new(reason.as_bytes())?;
    let entry = Entry::look_up_for(mark, kept.digest(), by, &clock)?;
    kept.keep(workspace)?;
    Ok(entry)
}

/// The code that a reason is; none, if it is in words. One that is nearly a code is refused: it would
/// be kept as words.
fn code(reason: &str) -> Result<Option<LookUpReason>> {
    let words = reason.trim();
    if words.is_empty() {
        let failure = Failure::new("a look-up has a reason");
        return Err(failure.hint("`--reason individual_request`").invalid());
    }
    let spelt = words.to_lowercase().replace(['-', ' '], "_");
    let distance = |code: &LookUpReason| strsim::damerau_levenshtein(&spelt, code.as_str());
    let nearest = LookUpReason::ALL.iter().min_by_key(|code| distance(code));
    match nearest {
        Some(code) if code.as_str() == reason => Ok(Some(*code)),
        Some(code) if distance(code) <= 2 => {
            let failure = Failure::new(format!("the reason `{words}` is nearly a code"));
            let hint = format!(
                "did you mean `{}`? Other words are taken as they are",
                code.as_str()
            );
            Err(failure.hint(hint).invalid())
        }
        _ => Ok(None),
    }
}

fn write(file: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    let written = private::write(file, content);
    written.map_err(|error| Failure::file("write", file, &error))
}

fn due(account: &PersonAccount, person: &Person<'_>, mark: &str) -> String {
    let event = |kind: &'static str, on, title: &str, words: &str| Event {
        uid: format!("account/{mark}/{}/{kind}", account.on),
        on,
        stamp: account.on,
        title: title.to_owned(),
        text: format!(
            "{words} Asked on {}; origin {}.",
            account.on,
            person.origin()
        ),
        category: kind,
        days_before: Some(7),
    };
    let mut events = Vec::new();
    if let Some(due) = account.due {
        events.push(event(
            "accounting-due",
            due.by,
            "Accounting of disclosures: last day",
            "45 CFR 164.528(c)(1)(i).",
        ));
        events.extend(due.extended.map(|by| {
            event(
                "accounting-extended",
                by,
                "Accounting of disclosures: last day if it was put off",
                "45 CFR 164.528(c)(1)(ii): once, and the person is told why in writing.",
            )
        }));
    }
    calendar("account", "Accounting of disclosures", &events)
}

fn csv(account: &PersonAccount) -> String {
    let mut lines = vec![
        "on,release,recipient,recipient_name,recipient_address,purpose,elements,permitted_by,clauses,entry,accounted_by"
            .to_owned(),
    ];
    for one in &account.disclosures {
        let cells = [
            one.on.to_string(),
            one.release.clone(),
            one.recipient.agency.clone(),
            one.recipient.name.clone(),
            one.recipient.address.clone().unwrap_or_default(),
            one.purpose.clone(),
            one.elements.join(" "),
            one.permitted_by.join(" "),
            one.clauses.join("; "),
            one.entry.to_string(),
            one.accounted_by.join("; "),
        ];
        let cells = cells.iter().map(|cell| field(&text::safe(cell)));
        lines.push(cells.collect::<Vec<_>>().join(","));
    }
    lines.join("\n")
}

fn shown(account: &PersonAccount, known: bool, pack: &LawPack) -> String {
    let vocabulary = pack.vocabulary();
    let mut lines = vec![format!(
        "What left about the person from {} to {}",
        text::day(account.from),
        text::day(account.on)
    )];
    let series = account.series();
    if series.is_empty() {
        lines.push("\nNothing that is to be accounted for.".to_owned());
    }
    if !known {
        lines.push(format!("\nFor the custodian: {UNKNOWN}; {COMPARE}."));
    }
    for one in &series {
        let first = one.first;
        let when = match one.number {
            1 => text::day(first.on),
            many => format!(
                "{many} times, from {} to {}",
                text::day(first.on),
                text::day(one.last)
            ),
        };
        lines.push(format!("\n{when}"));
        let to = [
            Some(first.recipient.name.clone()),
            first.recipient.address.clone(),
        ];
        let to: Vec<String> = to.into_iter().flatten().collect();
        lines.push(text::hang(&to.join(", "), "  to       ", "           "));
        let what = first.elements.iter().map(|name| {
            vocabulary
                .element(name)
                .map_or(name.as_str(), |element| element.title.as_str())
        });
        let what: Vec<&str> = what.collect();
        lines.push(text::hang(&what.join("; "), "  what     ", "           "));
        let purpose = vocabulary.purpose(&first.purpose);
        let purpose = purpose.map_or(first.purpose.as_str(), |purpose| purpose.title.as_str());
        lines.push(text::hang(purpose, "  for      ", "           "));
        lines.push(text::hang(
            &first.clauses.join("; "),
            "  under    ",
            "           ",
        ));
        if !first.justification.is_empty() {
            lines.push(text::hang(
                &first.justification,
                "  request  ",
                "           ",
            ));
        }
        lines.push(text::hang(
            &one.releases.join(", "),
            "  releases ",
            "           ",
        ));
    }
    let left_out = account.left_out().count();
    if left_out > 0 {
        lines.push(format!(
            "\n{} that nobody has to account for; `--format json` lists {}.",
            text::counted(left_out as u64, "disclosure"),
            if left_out == 1 { "it" } else { "them" }
        ));
    }
    if account.suspended {
        lines.push(
            "\nFor the custodian alone: an agency has asked that the person not be told of what left \
             to it, and that is left out."
                .to_owned(),
        );
    }
    if let Some(due) = account.due {
        lines.push(format!(
            "\nAsked for today, it is due by {}{}.",
            text::day(due.by),
            due.extended
                .map(|by| format!(", or once put off by {}", text::day(by)))
                .unwrap_or_default()
        ));
    }
    if !account.complete {
        lines.push("\nThis is not all:".to_owned());
        lines.extend(account.gaps.iter().map(|gap| {
            let of = gap.release.as_deref().unwrap_or("an entry");
            text::hang(
                &format!("{of}, entry {}: {}", gap.entry, gap.problem),
                "  · ",
                "    ",
            )
        }));
    }
    lines.join("\n")
}
