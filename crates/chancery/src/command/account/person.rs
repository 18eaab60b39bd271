//! `account person` and `account suspend`: what left about one person, and what they are not to be
//! told for a time.

use std::path::Path;

use chancery_account::letter::Language;
use chancery_account::{Facts, Found, PersonAccount, PersonProof};
use chancery_law::{LawPack, did_you_mean};
use chancery_model::Digest;
use chancery_register::{Person, Register, SecretKey};
use chancery_release::entry::{By, Label, LookUpReason, Pseudonym, Statement, Suspended};
use chancery_release::{Clock as _, Entry, System, Workspace, keep_reason, write_ledger};
use serde::Serialize;

use super::letter::Answer;
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
    proof: Option<&'a PersonProof>,
}

pub(super) fn run(context: &Context, args: &AccountPerson) -> Result {
    let workspace = context.workspace()?;
    let pack = workspace.law()?;
    let person = whom(&args.whom, &pack)?;
    let keys = workspace.register_keys()?;
    let by = by(&args.whom, &pack)?;
    let entry = look_up(&workspace, &args.reason, &person, &keys, by)?;
    let Told {
        number,
        facts,
        register,
        marks,
        account,
    } = tell(context, &workspace, &pack, &keys, &person, &entry)?;
    let proof = if args.prove && !account.suspended {
        let releases = facts.releases.iter();
        let known = register.find(&keys, &person);
        let unknown = known.map_err(chancery_release::Error::Register)?.unknown;
        let recorded = releases.filter(|one| !unknown.contains(one.id()));
        let recorded: Vec<_> = recorded.collect();
        Some(PersonProof::make(
            &workspace, &register, &keys, &person, &recorded,
        )?)
    } else {
        None
    };
    if args.prove && account.suspended {
        text::warn("nothing is shown while the accounting is suspended: a proof would tell of it");
    }
    if let (Some(file), Some(proof)) = (&args.proof, &proof) {
        write(file, json(proof)?)?;
    }
    if let Some(file) = &args.letter {
        let answer = Answer {
            workspace: &workspace,
            pack: &pack,
            facts: &facts,
            account: &account,
            person: &person,
            number,
        };
        let language = match args.language {
            LetterLanguage::En => Language::English,
            LetterLanguage::Es => Language::Spanish,
        };
        write(file, answer.letter(language)?)?;
    }
    if let Some(file) = &args.calendar {
        write(file, due(&account, &person, &marks))?;
    }
    text::print(&match (args.csv, context.format) {
        (true, _) => csv(&account),
        (false, Format::Json) => {
            let proof = proof.as_ref();
            text::ascii_json(&json(&Report {
                account: &account,
                proof,
            })?)
        }
        (false, Format::Text) => text::safe(&shown(&account, &pack)),
    });
    Ok(if account.complete {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::from(INCOMPLETE)
    })
}

/// What is known of a person, after it was entered that somebody asked.
pub(crate) struct Told {
    /// The entry of the look-up.
    pub(crate) number: u64,
    pub(crate) facts: Facts,
    pub(crate) register: Register,
    pub(crate) marks: Vec<Pseudonym>,
    pub(crate) account: PersonAccount,
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
    let marks = marks(keys, person);
    let unknown = &answer.unknown;
    let account = PersonAccount::of(&facts, pack, &found, unknown, &marks, System.today());
    Ok(Told {
        number,
        facts,
        register,
        marks,
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
    let keys = workspace.register_keys()?;
    let mark = marks(&keys, &person).into_iter().next();
    let mark = mark.ok_or(chancery_release::Error::Register(
        chancery_register::Error::Key,
    ))?;
    let statement = std::fs::read(&args.statement).map_err(|error| {
        Failure::new(format!(
            "cannot read `{}`: {error}",
            args.statement.display()
        ))
        .hint("name the file of the agency's statement, or of the note of what was said")
    })?;
    let of = Suspended::Accounting {
        person: mark,
        agency: Label::of("agency", &agency.path)?,
        basis: if args.oral {
            Statement::Oral
        } else {
            Statement::Written
        },
        statement: digest(&statement),
    };
    let by = by(&args.whom, &pack)?;
    let today = System.today();
    let entry = Entry::suspension(of, by, today.min(args.until), Some(args.until), &System)?;
    let mut book = write_ledger(&workspace, &System, &context.progress)?;
    let index = book.append(&entry)?.index();
    text::print(&match context.format {
        Format::Json => format!(
            "{:#}",
            serde_json::json!({ "ledger_index": index, "agency": agency.path, "until": args.until })
        ),
        Format::Text => format!(
            "Until {} nobody tells the person what left to {}; ledger entry {index}.",
            text::day(args.until),
            agency.name
        ),
    });
    Ok(std::process::ExitCode::SUCCESS)
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
    let person = Person::new(&whom.origin, whom.id.trim_matches(' '));
    person.ok_or_else(|| Failure::new("the id has a NUL in it").invalid())
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
    Ok(By {
        agency: Label::of("by", &whom.by)?,
        role: whom.role,
    })
}

/// What stands for a person in entries, under each key.
fn marks(keys: &[SecretKey], person: &Person<'_>) -> Vec<Pseudonym> {
    let marks = keys.iter().map(|key| Pseudonym::from_mac(key.mark(person)));
    marks.collect()
}

pub(crate) fn look_up(
    workspace: &Workspace,
    reason: &str,
    person: &Person<'_>,
    keys: &[SecretKey],
    by: By,
) -> Result<Entry> {
    if reason.trim().is_empty() {
        return Err(Failure::new("a look-up has a reason").hint("`--reason individual_request`"));
    }
    let mark = marks(keys, person).into_iter().next();
    let mark = mark.ok_or(chancery_release::Error::Register(
        chancery_register::Error::Key,
    ))?;
    let mut codes = LookUpReason::ALL.iter();
    Ok(match codes.find(|code| code.as_str() == reason) {
        Some(code) => Entry::look_up(mark, *code, by, &System)?,
        None => Entry::look_up_for(mark, keep_reason(workspace, reason)?, by, &System)?,
    })
}

fn digest(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest::from_bytes(sha2::Sha256::digest(bytes).into())
}

fn write(file: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    let written = private::write(file, content);
    written.map_err(|error| Failure::file("write", file, &error))
}

fn due(account: &PersonAccount, person: &Person<'_>, marks: &[Pseudonym]) -> String {
    let mark = marks.first().map(ToString::to_string).unwrap_or_default();
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
    let quoted = |cell: &str| {
        // What a spreadsheet would take for a formula is text.
        let cell = if cell.starts_with(['=', '+', '-', '@']) {
            format!("'{cell}")
        } else {
            cell.to_owned()
        };
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
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
        let cells = cells.iter().map(|cell| quoted(&text::safe(cell)));
        lines.push(cells.collect::<Vec<_>>().join(","));
    }
    lines.join("\n")
}

fn shown(account: &PersonAccount, pack: &LawPack) -> String {
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
