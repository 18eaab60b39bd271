use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use chancery_account::letter::Language;
use chancery_account::{About, Copy, PersonProof};
use chancery_dataset::Progress as _;
use chancery_dataset::synth::{Kind, Plan, write};
use chancery_dataset::{AddRequest, Dataset, add};
use chancery_law::LawPack;
use chancery_ledger::{SqliteLock, fsck};
use chancery_model::{Decision, Request};
use chancery_register::{Person, SecretKey};
use chancery_release::entry::{By, Label, LookUpReason, Role};
use chancery_release::{
    Keys, Known, Outcome as Gate, System, Workspace, ask, dataset_law, decide, elements, release,
    replay, verify,
};

use super::account::person::{answer, look_up, tell};
use super::account::{Books, publish};
use super::law::prove;
use super::{Context, Result, dataset as datasets, decide as face, exhibit, init};
use crate::args::{self, Format};
use crate::failure::Failure;
use crate::{private, text};

/// Five states: three plaintiffs (one of them since March 2026 only) and two others.
const STATES: [&str; 5] = ["06", "12", "36", "48", "55"];

/// A day before the agreement, in it, and after each change of the litigation.
const DATES: [(&str, &str); 7] = [
    ("2025-06-01", "before the exchange agreement"),
    ("2025-07-20", "under the agreement"),
    ("2025-08-20", "the first order enjoins sharing"),
    ("2025-10-01", "the agreement has lapsed"),
    (
        "2025-12-01",
        "the notice is published; the first order stands",
    ),
    ("2026-01-10", "the second order allows six elements"),
    ("2026-04-01", "two more parties are treated as covered"),
];

/// Days on which the same was asked for before, so that there is a before to account for.
const BEFORE: [&str; 3] = ["2025-07-20", "2025-08-20", "2025-10-01"];

/// The day that is looked at closely and released.
const CLOSE: &str = "2026-01-10";

/// The order under which it is released.
const ORDER: &str = "us/cand/3-25-cv-05536/order-2025-12-29";

const DATASET: &str = "tmsis-2025-12";

pub(crate) fn run(context: &Context, args: &args::Demo) -> Result {
    let begun = Instant::now();
    let dir = &args.dir.clone().unwrap_or_else(unused);
    if dir.exists() {
        return Err(Failure::new(format!("`{}` exists already", dir.display()))
            .hint("name another folder with `--dir`, or remove that one"));
    }
    step(1, "A demonstration workspace");
    let workspace = init::make(dir, true, None, &init::Chosen::default_pack()?, None)?;
    text::print(&format!(
        "  law pack law/us-medicaid, keys, and a ledger whose first entry names the custodian's key\n  \
         in {}",
        workspace.root().display()
    ));

    step(
        2,
        "Synthetic people, in T-MSIS Eligible files as states submit them",
    );
    let law = workspace.law()?;
    let dataset = people(context, args, &workspace, &law)?;
    let added = datasets::added(&dataset);
    text::print(&indent(added.lines().next().unwrap_or_default()));
    text::print("");
    text::print(&indent(&datasets::profile(&dataset)));

    step(3, "One request on seven dates of the litigation");
    text::print(&indent(init::ICE.trim_end()));
    text::print("");
    text::print(&indent(&seven_dates(&workspace, &law, &dataset)?));

    step(4, &format!("That request on {CLOSE}, released"));
    for date in BEFORE {
        before(context, &workspace, &law, &dataset, date)?;
    }
    let folder = released(context, &workspace, &law, &dataset)?;

    step(
        5,
        "Checked: by its folder and two public keys alone, then run again byte for byte",
    );
    checked(context, &workspace, &folder)?;

    step(
        6,
        "The law that decided it, held against what must never leave and what must always flow",
    );
    text::print(&indent(&prove::brief(&law)?));

    step(
        7,
        "The account: a letter to a person in it, an exhibit for a court, a page for the public",
    );
    accounted(context, &workspace, &law, &dataset)?;

    let report = serde_json::json!({
        "workspace": workspace.root(), "release": folder, "people": dataset.census.total(),
    });
    match context.format {
        Format::Json => text::print(&format!("{report:#}")),
        Format::Text => text::print(&closing(&workspace, &folder, begun)),
    }
    Ok(ExitCode::SUCCESS)
}

/// `demo`, or the first of `demo-2`, `demo-3`, … that is not there.
fn unused() -> PathBuf {
    let numbered = (2..).map(|number: u32| PathBuf::from(format!("demo-{number}")));
    std::iter::once(PathBuf::from("demo"))
        .chain(numbered)
        .find(|dir| !dir.exists())
        .unwrap_or_else(|| PathBuf::from("demo"))
}

fn step(number: u8, title: &str) {
    text::print(&format!("\n{number}. {title}\n"));
}

fn indent(text: &str) -> String {
    let lines = text.lines().map(|line| {
        if line.is_empty() {
            String::new()
        } else {
            format!("  {line}")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn people(
    context: &Context,
    args: &args::Demo,
    workspace: &Workspace,
    law: &LawPack,
) -> Result<Dataset> {
    let sources = workspace.root().join("sources");
    let plan = Plan {
        kind: Kind::Tmsis,
        people: args.people,
        seed: args.seed,
        states: STATES.map(str::to_owned).to_vec(),
        malformed: 3,
        ..Plan::default()
    };
    context.progress.begin("making people up", plan.people);
    let written = write(&plan, &sources, &|people| context.progress.advance(people))?;
    let determinations = sources.join("determinations.csv");
    let paths: Vec<_> = written
        .files
        .into_iter()
        .filter(|file| *file != determinations)
        .collect();
    let request = AddRequest {
        name: DATASET,
        kind: chancery_dataset::Kind::Tmsis,
        paths: &paths,
        map: None,
        determinations: Some(&determinations),
    };
    let names = elements(law);
    let dataset = add(
        &workspace.datasets_dir(),
        &request,
        &dataset_law(law, &names),
        &context.progress,
    )?;
    context.progress.finish();
    Ok(dataset)
}

fn decided(
    workspace: &Workspace,
    law: &LawPack,
    dataset: &Dataset,
    date: &str,
) -> Result<Decision> {
    let request = Request::parse("requests/ice.toml", init::ICE)?;
    let question = ask("requests/ice.toml", init::ICE, request, law, dataset)?;
    let standing = workspace.standing(law, parse(date)?, Known::Now)?;
    let in_force = law.in_force(parse(date)?, workspace.sign_off(&standing))?;
    Ok(decide(question, &in_force, dataset)?.decision().clone())
}

fn parse(date: &str) -> Result<jiff::civil::Date> {
    date.parse()
        .map_err(|error: jiff::Error| Failure::new(error.to_string()))
}

fn seven_dates(workspace: &Workspace, law: &LawPack, dataset: &Dataset) -> Result<String> {
    let mut rows = Vec::new();
    for (date, what) in DATES {
        let decision = decided(workspace, law, dataset, date)?;
        let leaving = decision
            .elements
            .iter()
            .filter(|element| element.subjects > 0)
            .count();
        rows.push(vec![
            date.to_owned(),
            what.to_owned(),
            decision.outcome.as_str().to_owned(),
            format!("{leaving} of {}", decision.elements.len()),
            text::count(decision.released),
            text::share(decision.released, decision.total),
        ]);
    }
    let header = [
        "day",
        "what is new",
        "outcome",
        "elements",
        "people",
        "share",
    ];
    Ok(text::table(&header, &[3, 4, 5], rows))
}

/// The same request on a day before, released or refused.
fn before(
    context: &Context,
    workspace: &Workspace,
    law: &LawPack,
    dataset: &Dataset,
    date: &str,
) -> Result<()> {
    let request = Request::parse("requests/ice.toml", init::ICE)?;
    let question = ask("requests/ice.toml", init::ICE, request, law, dataset)?;
    let standing = workspace.standing(law, parse(date)?, Known::Now)?;
    let in_force = law.in_force(parse(date)?, workspace.sign_off(&standing))?;
    let progress = &context.progress;
    let outcome = release(workspace, question, &in_force, dataset, &System, progress)?;
    context.progress.finish();
    text::print(&match outcome {
        Gate::Released(_, released) => format!("  before that: released as {}", released.id),
        Gate::Denied(..) => format!("  before that: refused on {date}"),
    });
    Ok(())
}

fn released(
    context: &Context,
    workspace: &Workspace,
    law: &LawPack,
    dataset: &Dataset,
) -> Result<PathBuf> {
    let request = Request::parse("requests/ice.toml", init::ICE)?;
    let question = ask("requests/ice.toml", init::ICE, request, law, dataset)?;
    let standing = workspace.standing(law, parse(CLOSE)?, Known::Now)?;
    let in_force = law.in_force(parse(CLOSE)?, workspace.sign_off(&standing))?;
    let outcome = release(
        workspace,
        question,
        &in_force,
        dataset,
        &System,
        &context.progress,
    )?;
    context.progress.finish();
    let Gate::Released(answer, released) = outcome else {
        return Err(Failure::new("too few people for a release").hint("ask for more: `--people`"));
    };
    let face = face::text(&answer, &in_force, dataset);
    // The readings and obligations are many; `decide` shows them all.
    let end = face.find("\n\nReadings of the law").unwrap_or(face.len());
    text::print(&indent(face.get(..end).unwrap_or(&face)));
    text::print(&format!(
        "\n  Released as {}: ledger entry {}, manifest {}",
        released.id,
        released.index,
        face::short(&released.manifest.to_string()),
    ));
    Ok(released.folder)
}

fn checked(context: &Context, workspace: &Workspace, folder: &Path) -> Result<()> {
    let keys = Keys {
        custodian: workspace.custodian_key()?,
        ledger: workspace.ledger_keys()?,
    };
    let verified = verify(folder, &keys, &context.progress)?;
    replay(workspace, &verified, &context.progress)?;
    context.progress.finish();
    let lock = SqliteLock::for_reading(&workspace.lock_file())?;
    let report = fsck(
        &*workspace.ledger_storage()?,
        Some(&keys.ledger),
        Some(&lock),
    )?;
    text::print(&format!(
        "  signature  the manifest is the custodian's\n  digests    {} files, and no other\n  inclusion  \
         the ledger holds the manifest\n  replay     the same bytes again\n  ledger     {} entries, {}",
        verified.statement.subject.len(),
        report.entries,
        if report.is_sound() {
            "sound"
        } else {
            "NOT SOUND"
        },
    ));
    Ok(())
}

/// Somebody about whom something left asks; a court asks; and the public is told.
fn accounted(
    context: &Context,
    workspace: &Workspace,
    law: &LawPack,
    dataset: &Dataset,
) -> Result<()> {
    let keys = workspace.register_keys()?;
    let (origin, id) = somebody(workspace, dataset, &keys)?;
    let folder = workspace.root().join("account");
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::new(format!("cannot create `{}`: {error}", folder.display())))?;
    let write = |name: &str, bytes: Vec<u8>| {
        let file = folder.join(name);
        private::write(&file, bytes).map_err(|error| Failure::file("write", &file, &error))
    };
    let person = Person::new(&origin, &id).ok_or_else(|| Failure::new("nobody was released"))?;
    let by = By {
        agency: Label::of("by", "hhs/cms")?,
        role: Role::PrivacyOfficer,
    };
    let entry = look_up(
        workspace,
        LookUpReason::IndividualRequest.as_str(),
        &person,
        &keys,
        by,
    )?;
    let told = tell(context, workspace, law, &keys, &person, &entry)?;
    let answer = answer(workspace, law, &person, &told);
    write("letter-en.pdf", answer.letter(Language::English)?)?;
    write("letter-es.pdf", answer.letter(Language::Spanish)?)?;
    let releases: Vec<_> = told.facts.releases.iter().collect();
    let proof = PersonProof::make(workspace, &told.register, &keys, &person, &releases)?;
    let shown = proof.check(&workspace.ledger_keys()?);
    let shown = shown.map_err(|refused| Failure::new(refused.to_string()))?;
    write("proof.json", super::json(&proof)?.into_bytes())?;

    let books = Books::open(workspace, law, Copy::Others)?;
    let about = About::Order {
        instrument: ORDER.to_owned(),
    };
    let account = books.account(&about)?;
    let (data, evidence) =
        exhibit::demonstration().exhibit(workspace, books.sources(), &account)?;
    let set = |error: chancery_account::Error| Failure::new(error.to_string());
    write(
        "exhibit.zip",
        chancery_account::bundle(&data, &evidence).map_err(set)?,
    )?;
    write(
        "exhibit.pdf",
        chancery_account::exhibit::exhibit(&data).map_err(set)?,
    )?;
    let site = args::AccountPublish {
        dir: folder.join("public"),
        on: None,
        ledger_url: None,
    };
    let pages = publish::write(workspace, &books, &site)?;
    text::print(&format!(
        "  letter-en.pdf, letter-es.pdf   to somebody in the release: {} left about them\n  \
         proof.json                     shows that to whoever has the ledger's keys: {} checked\n  \
         exhibit.pdf, exhibit.zip       what left before and after the order, with the evidence\n  \
         public/                        {} files for any web server: small counts suppressed",
        text::counted(told.account.disclosures.len() as u64, "disclosure"),
        text::counted(shown.releases.len() as u64, "release"),
        pages.len(),
    ));
    Ok(())
}

/// The first person in the dataset whom the newest release is about.
fn somebody(
    workspace: &Workspace,
    dataset: &Dataset,
    keys: &[SecretKey],
) -> Result<(String, String)> {
    let register = workspace.register()?;
    let facts = chancery_account::Facts::read(workspace)?;
    let newest = facts.releases.last().map(chancery_account::Release::id);
    let mut found = None;
    for origin in dataset.origins_of_people() {
        dataset.each_person::<chancery_release::Error>(origin, &mut |id, _, _| {
            if found.is_none()
                && let Some(person) = Person::new(origin, id)
                && let Some(last) = register.find(keys, &person)?.presences.last()
                && Some(last.release) == newest
            {
                found = Some((origin.to_owned(), id.to_owned()));
            }
            Ok(())
        })?;
    }
    found.ok_or_else(|| Failure::new("nobody was released"))
}

fn closing(workspace: &Workspace, folder: &Path, begun: Instant) -> String {
    let root = workspace.root();
    let shown = root.display();
    let id = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    format!(
        "\nDone in {:.1} s. Files are in {shown}\n  releases/{id}/   what left, its manifest and its \
         receipt\n  account/   letters, exhibit and the page for the public\n  ledger/   the tamper-evident ledger   ·   law/   the law pack, to read\n\nTry next:\n  \
         cargo run -- -C {shown} decide {shown}/requests/ice.toml --on 2026-04-01\n  cargo run -- -C {shown} \
         release {shown}/requests/oig.toml\n  cargo run -- -C {shown} law review\n  cargo run -- -C {shown} account recipient dhs\n  \
         cargo run -- verify-proof {shown}/account/proof.json --keys {shown}/keys/ledger.vkey\n  \
         cargo run -- -C {shown} law timeline --svg {shown}/timeline.svg",
        begun.elapsed().as_secs_f64(),
    )
}
