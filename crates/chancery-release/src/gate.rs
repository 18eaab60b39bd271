use chancery_dataset::{Dataset, Progress};
use chancery_law::InForce;
use chancery_model::Outcome as Verdict;

use crate::entry::{AbortReason, CommittedPeople};
use crate::history::History;
use crate::sign_off::{has_changed, suspended_since};
use crate::staging::{From, new_id, sync};
use crate::{
    Answer, Book, Clock, Entry, Error, Known, Question, Released, Signed, Staged, Workspace, decide,
};

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// Files left.
    Released(Box<Answer>, Released),
    /// Nothing is lawful: logged as the ledger's entry number `index`.
    Denied(Box<Answer>, u64),
}

/// The gate: decide, confirm, stage, sign, log, publish.
///
/// # Errors
///
/// Any failure before the ledger holds the release aborts it: what was staged is removed, the
/// abort is logged, and nothing has left.
pub fn release(
    workspace: &Workspace,
    question: Question,
    law: &InForce<'_>,
    dataset: &Dataset,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<Outcome, Error> {
    today_or_demonstration(law, clock)?;
    let mut ledger = write_ledger(workspace, clock, progress)?;
    // From here on nobody else can record anything: the lock is held until this is over.
    stands(workspace, law)?;
    let query = (question.request.recipient.clone(), law.on());
    let answer = match decide(question, law, dataset) {
        Ok(answer) => answer,
        Err(error) => {
            let id = format!("{}-{}", query.1, query.0.replace('/', "-"));
            return Err(abort(&id, error, None, &mut ledger, clock));
        }
    };
    let id = new_id(workspace, &answer)?;
    if answer.decision().outcome == Verdict::Denied {
        let entry = Entry::refusal(&id, answer.decision(), clock)?;
        let index = ledger.append(&entry)?.index();
        return Ok(Outcome::Denied(Box::new(answer), index));
    }
    let signed = answer
        .verify_inputs(dataset, progress)
        .and_then(|()| sign(workspace, &id, &answer, law, dataset, progress))
        .and_then(|signed| unchanged(workspace, law).map(|()| signed));
    let (signed, people) = match signed {
        Ok(signed) => signed,
        Err(error) => return Err(abort(&id, error, Some(workspace), &mut ledger, clock)),
    };
    // From here on the ledger decides: an entry that it holds is finished by the next start.
    let receipt = signed.log(answer.decision(), people, &mut ledger, clock)?;
    let released = signed.publish(&receipt, workspace, &workspace.ledger_keys()?)?;
    // The register can be made anew from the releases: what hinders it now is for the next to say.
    if let Err(error) = workspace.register() {
        progress.note(&format!("the register was not brought up to date: {error}"));
    }
    Ok(Outcome::Released(Box::new(answer), released))
}

/// Whether the law stands as it was taken to stand: by all the sign-offs and suspensions that the
/// ledger holds, of the texts that are recorded.
fn stands(workspace: &Workspace, law: &InForce<'_>) -> Result<(), Error> {
    let now = workspace.standing(law.pack(), law.on(), Known::Now)?;
    let Some(taken) = law.standing() else {
        // Unsigned law counts in a demonstration alone.
        return if now.is_demonstration() {
            Ok(())
        } else {
            Err(Error::LawChanged)
        };
    };
    let same = now.states() == taken.states()
        && now.sign_offs() == taken.sign_offs()
        && now.suspensions() == taken.suspensions()
        && now.base() == taken.base()
        && now.gone() == taken.gone();
    if same { Ok(()) } else { Err(Error::LawChanged) }
}

/// Whether nothing was signed or suspended since then, for a ledger whose lock somebody broke.
fn unchanged(workspace: &Workspace, law: &InForce<'_>) -> Result<(), Error> {
    let Some(standing) = law.standing() else {
        return Ok(());
    };
    if has_changed(&workspace.ledger_reader()?, standing.entries())? {
        return Err(Error::LawChanged);
    }
    Ok(())
}

fn sign(
    workspace: &Workspace,
    id: &str,
    answer: &Answer,
    law: &InForce<'_>,
    dataset: &Dataset,
    progress: &dyn Progress,
) -> Result<(Signed, CommittedPeople), Error> {
    let register = workspace.register()?;
    // Whoever a damaged record hides would be taken for somebody new.
    register.check()?;
    let key = workspace.register_key(None)?;
    let folder = workspace.staging_dir().join(id);
    let staged = Staged::write(
        workspace,
        &folder,
        id,
        &From {
            answer,
            law: law.pack(),
            dataset,
            register: &register,
            key: &key,
        },
        progress,
    )?;
    let people = staged.people();
    Ok((staged.sign(workspace, answer, law, dataset)?, people))
}

fn today_or_demonstration(law: &InForce<'_>, clock: &dyn Clock) -> Result<(), Error> {
    let (today, on) = (clock.today(), law.on());
    if on == today || law.standing().is_none() {
        return Ok(());
    }
    Err(Error::NotToday { today, asked: on })
}

/// Removes what was staged, logs why, and gives the error back.
fn abort(
    id: &str,
    error: Error,
    staged: Option<&Workspace>,
    ledger: &mut Book,
    clock: &dyn Clock,
) -> Error {
    // The data first: on a full disk this is what makes room for the entry. A crash in between
    // leaves the empty folder, and recovery logs the abort.
    let folder = staged.map(|workspace| workspace.staging_dir().join(id));
    let emptied = folder.as_ref().map_or(Ok(()), |folder| empty(folder));
    let logged = ledger.append(&Entry::abort(id, reason(&error), clock));
    if emptied.is_ok() && logged.is_ok() {
        let removed = folder
            .filter(|folder| folder.exists())
            .map(std::fs::remove_dir_all);
        drop(removed);
    }
    error
}

/// Why, in words that hold no value: an error's own text may name files, so only its kind is kept.
fn reason(error: &Error) -> AbortReason {
    match error {
        Error::Law(chancery_law::Error::Disagreement { .. }) => AbortReason::Disagreement,
        Error::Law(_) => AbortReason::Undecided,
        Error::Dataset(chancery_dataset::Error::Cancelled)
        | Error::Plan(chancery_plan::Error::Cancelled) => AbortReason::Cancelled,
        Error::Dataset(chancery_dataset::Error::Changed { .. }) => AbortReason::DatasetChanged,
        Error::Dataset(_) => AbortReason::DatasetUnreadable,
        Error::Plan(chancery_plan::Error::Count { .. }) => AbortReason::CountsDisagree,
        Error::Plan(_) => AbortReason::PlanFailed,
        Error::Ledger(_) | Error::RolledBack { .. } => AbortReason::LedgerFailed,
        Error::Io { .. } | Error::Register(chancery_register::Error::Io { .. }) => {
            AbortReason::NotWritten
        }
        Error::Input(_)
        | Error::NoWorkspace(_)
        | Error::NotToday { .. }
        | Error::Stale(_)
        | Error::SignedText { .. }
        | Error::SignedEdition(_)
        | Error::NotEntitled { .. }
        | Error::NotShown { .. }
        | Error::LawChanged
        | Error::Stray { .. }
        | Error::Register(_)
        | Error::Unverified { .. } => AbortReason::NotCarriedOut,
    }
}

fn empty(folder: &std::path::Path) -> std::io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            std::fs::remove_dir_all(path)?;
        } else {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Opens the ledger for writing, after finishing or undoing what a crash left, and notes what that
/// was.
///
/// # Errors
///
/// When another process writes, or the ledger does not verify.
pub fn write_ledger(
    workspace: &Workspace,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<Book, Error> {
    let mut ledger = Book::open(workspace, clock)?;
    recover(workspace, &mut ledger, clock, progress)?;
    Ok(ledger)
}

/// Finishes every staged release that the ledger holds, and undoes every other, by the calls that
/// a release itself makes. Gives back what it finished and what it undid.
///
/// # Errors
///
/// When the workspace cannot be read or written; what is left is for the next start. A staged release
/// whose files are not what was signed is undone, though the ledger holds it. [`Error::Stray`] when
/// something else is staged under the id of a release that the ledger holds.
pub fn recover(
    workspace: &Workspace,
    ledger: &mut Book,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<(Vec<Released>, Vec<String>), Error> {
    let (mut finished, mut undone) = (Vec::new(), Vec::new());
    let ids = staged(workspace)?;
    if ids.is_empty() {
        return Ok((finished, undone));
    }
    let history = History::read(&workspace.ledger_reader()?)?;
    for id in ids {
        match finish(workspace, &history, &id)? {
            Recovery::Finished(released) => {
                progress.note(&format!(
                    "finished the release {id}, which a crash or missing witnesses had left staged"
                ));
                finished.push(released);
            }
            Recovery::Undo(reason) => {
                undo(workspace, &id, reason, ledger, clock)?;
                let reason = reason.as_str();
                progress.note(&format!(
                    "undid the release {id}, which was left staged: {reason}"
                ));
                undone.push(id);
            }
        }
    }
    Ok((finished, undone))
}

/// The ids of what is staged.
fn staged(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let staging = workspace.staging_dir();
    let mut ids = Vec::new();
    if !staging.exists() {
        return Ok(ids);
    }
    for entry in std::fs::read_dir(&staging).map_err(Error::io("read", &staging))? {
        let entry = entry.map_err(Error::io("read", &staging))?;
        ids.push(entry.file_name().to_string_lossy().into_owned());
    }
    ids.sort();
    Ok(ids)
}

/// What becomes of something staged.
enum Recovery {
    Finished(Released),
    Undo(AbortReason),
}

/// Publishes what is staged if the ledger holds it, and says why to undo it otherwise.
fn finish(workspace: &Workspace, history: &History, id: &str) -> Result<Recovery, Error> {
    let folder = workspace.staging_dir().join(id);
    let signed = Signed::left_behind(id, &folder)?;
    if history.standing(id).is_empty() {
        return Ok(Recovery::Undo(AbortReason::Interrupted));
    }
    let receipt = match &signed {
        Some(signed) => signed.find_receipt(history, &workspace.ledger_reader()?)?,
        None => None,
    };
    // An abort here would take back a release that has left, or that only its folder is missing of.
    let (Some(signed), Some(receipt), false) =
        (signed, receipt, workspace.releases_dir().join(id).exists())
    else {
        return Err(Error::Stray {
            folder: folder.display().to_string(),
        });
    };
    if !signed.is_intact(&workspace.custodian_key()?)? {
        return Ok(Recovery::Undo(AbortReason::ChangedAfterLogging));
    }
    if is_suspended_since(workspace, &signed, receipt.index())? {
        return Ok(Recovery::Undo(AbortReason::NotCarriedOut));
    }
    let released = signed.publish(&receipt, workspace, &workspace.ledger_keys()?)?;
    Ok(Recovery::Finished(released))
}

/// Whether something that a release relies on was suspended after the ledger held it.
fn is_suspended_since(workspace: &Workspace, signed: &Signed, index: u64) -> Result<bool, Error> {
    let relied_on = signed
        .statement(&workspace.custodian_key()?)?
        .predicate
        .law
        .sign_offs;
    if relied_on.is_empty() {
        return Ok(false);
    }
    let suspended = suspended_since(&workspace.ledger_reader()?, index)?;
    Ok(relied_on
        .iter()
        .any(|one| suspended.contains(&one.instrument)))
}

fn undo(
    workspace: &Workspace,
    id: &str,
    reason: AbortReason,
    ledger: &mut Book,
    clock: &dyn Clock,
) -> Result<(), Error> {
    let staging = workspace.staging_dir();
    let folder = staging.join(id);
    let is_logged = matches!(
        reason,
        AbortReason::ChangedAfterLogging | AbortReason::NotCarriedOut
    );
    // What the ledger holds is taken back there first: a crash in between must not leave an empty
    // folder that passes for something else. Of the rest the data goes first: on a full disk this
    // is what makes room for the entry.
    if !is_logged {
        empty(&folder).map_err(Error::io("empty", &folder))?;
    }
    ledger.append(&Entry::abort(id, reason, clock))?;
    std::fs::remove_dir_all(&folder).map_err(Error::io("remove", &folder))?;
    sync(&staging)
}
