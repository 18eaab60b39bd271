use std::path::{Path, PathBuf};

use chancery_dataset::synth::{Plan, write};
use chancery_dataset::{AddRequest, Dataset, Kind, Silent, add};
use chancery_law::LawPack;
use chancery_model::Request;
use chancery_release::entry::AbortReason;
use chancery_release::{
    Config, Entry, Error, Fixed, Keys, Known, Outcome, Question, ReleaseCheck, Workspace, ask,
    check_releases, dataset_law, elements, pack_files, recover, release, replay, still_held,
    verify, write_ledger,
};

fn clock() -> Fixed {
    Fixed("2026-01-10T12:00:00Z".parse().unwrap())
}

/// A workspace with 300 people of two states, under the shipped law pack.
pub(crate) struct Case {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) workspace: Workspace,
    law: LawPack,
    dataset: Dataset,
}

impl Case {
    pub(crate) fn new(demonstration: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../law/us-medicaid");
        let files = pack_files(&root).unwrap();
        let config = Config {
            demonstration,
            memory_mib: 64,
            ..Config::new("example/ledger", "law")
        };
        let workspace =
            Workspace::init(&folder.path().join("w"), config, &files, None, &clock()).unwrap();
        let law = workspace.law().unwrap();
        let sources = folder.path().join("sources");
        let states = vec!["06".to_owned(), "48".to_owned()];
        let written = write(
            &Plan {
                people: 300,
                seed: 7,
                states,
                ..Plan::default()
            },
            &sources,
            &|_| (),
        );
        let determinations = sources.join("determinations.csv");
        let mut paths = written.unwrap().files;
        paths.retain(|path| *path != determinations);
        let request = AddRequest {
            name: "people",
            kind: Kind::Tmsis,
            paths: &paths,
            map: None,
            determinations: Some(&determinations),
        };
        let names = elements(&law);
        let dataset = add(
            &workspace.datasets_dir(),
            &request,
            &dataset_law(&law, &names),
            &Silent,
        )
        .unwrap();
        Self {
            folder,
            workspace,
            law,
            dataset,
        }
    }

    fn question(&self, recipient: &str, purpose: &str) -> Question {
        let text = format!(
            "recipient = \"{recipient}\"\npurpose = \"{purpose}\"\ncustodian = \"hhs/cms\"\n\
             dataset = \"people\"\n"
        );
        let request = Request::parse("r.toml", &text).unwrap();
        ask("r.toml", &text, request, &self.law, &self.dataset).unwrap()
    }

    pub(crate) fn release(
        &self,
        recipient: &str,
        purpose: &str,
        on: &str,
    ) -> Result<Outcome, Error> {
        let on = on.parse().unwrap();
        let standing = self.workspace.standing(&self.law, on, Known::Now).unwrap();
        let law = self
            .law
            .in_force(on, self.workspace.sign_off(&standing))
            .unwrap();
        let question = self.question(recipient, purpose);
        release(
            &self.workspace,
            question,
            &law,
            &self.dataset,
            &clock(),
            &Silent,
        )
    }

    pub(crate) fn oversight(&self) -> PathBuf {
        match self
            .release("hhs/oig", "program-administration/integrity", "2026-01-10")
            .unwrap()
        {
            Outcome::Released(_, released) => released.folder,
            Outcome::Denied(..) => panic!("denied"),
        }
    }

    fn keys(&self) -> Keys {
        Keys {
            custodian: self.workspace.custodian_key().unwrap(),
            ledger: self.workspace.ledger_keys().unwrap(),
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let reader = self.workspace.ledger_reader().unwrap();
        let entries = reader.entries(0..reader.size()).unwrap();
        entries
            .map(|entry| Entry::from_bytes(&entry.unwrap().1).known().unwrap())
            .collect()
    }
}

#[test]
fn a_release_verifies_and_comes_out_the_same_again() {
    let case = Case::new(true);
    let folder = case.oversight();
    let verified = verify(&folder, &case.keys(), &Silent).unwrap();
    replay(&case.workspace, &verified, &Silent).unwrap();
    assert!(matches!(&verified.entry, Entry::Release(entry) if entry.recipient == "hhs/oig"));
}

#[test]
fn the_same_request_twice_is_two_releases() {
    let case = Case::new(true);
    let first = case.oversight();
    let next_day = case.release("hhs/oig", "program-administration/integrity", "2026-01-11");
    let Outcome::Released(_, second) = next_day.unwrap() else {
        panic!("denied");
    };
    let second = second.folder;
    assert_ne!(first, second);
    for folder in [first, second] {
        verify(&folder, &case.keys(), &Silent).unwrap();
    }
}

#[test]
fn a_denial_is_logged_and_writes_nothing() {
    let case = Case::new(true);
    let outcome = case.release("dhs/ice", "treatment", "2026-01-10").unwrap();
    assert!(matches!(outcome, Outcome::Denied(_, 1)));
    assert!(matches!(case.entries().last(), Some(Entry::Refusal(_))));
    assert_eq!(
        std::fs::read_dir(case.workspace.releases_dir())
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn outside_a_demonstration_unsigned_permits_release_nothing() {
    let case = Case::new(false);
    let outcome = case.release("hhs/oig", "program-administration/integrity", "2026-01-10");
    assert!(matches!(outcome.unwrap(), Outcome::Denied(..)));
}

#[test]
fn outside_a_demonstration_only_the_law_of_today_releases() {
    let case = Case::new(false);
    let outcome = case.release("hhs/oig", "program-administration/integrity", "2026-01-09");
    assert!(matches!(outcome, Err(Error::NotToday { .. })));
}

#[test]
fn a_changed_source_aborts_and_the_abort_is_logged() {
    let case = Case::new(true);
    let file = &case.dataset.table_files("ELG00002", "06")[0].path;
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
    let error = case.release("hhs/oig", "program-administration/integrity", "2026-01-10");
    assert!(matches!(
        error,
        Err(Error::Dataset(chancery_dataset::Error::Changed { .. }))
    ));
    assert!(
        matches!(case.entries().last(), Some(Entry::Abort { reason, .. }) if reason == "the dataset has changed")
    );
    let left = std::fs::read_dir(case.workspace.staging_dir()).map_or(0, Iterator::count);
    assert_eq!(left, 0);
}

#[test]
fn what_a_crash_left_before_the_ledger_is_undone_and_logged() {
    let case = Case::new(true);
    let staged = case
        .workspace
        .staging_dir()
        .join("2026-01-10-hhs-oig-00000000");
    std::fs::create_dir_all(staged.join("data/ELG00002")).unwrap();
    std::fs::write(staged.join("data/ELG00002/06.parquet"), "half").unwrap();
    std::fs::write(staged.join("manifest.dsse.json"), "{}").unwrap();
    drop(write_ledger(&case.workspace, &clock(), &Silent).unwrap());
    assert!(!staged.exists());
    assert!(
        matches!(case.entries().last(), Some(Entry::Abort { reason, .. }) if reason == "interrupted")
    );
}

#[test]
fn what_a_crash_left_after_the_ledger_is_published() {
    let case = Case::new(true);
    let folder = case.oversight();
    // As it stood between the ledger's answer and the rename.
    let id = folder.file_name().unwrap().to_owned();
    std::fs::remove_file(folder.join("receipt.tlog-proof")).unwrap();
    let staged = case.workspace.staging_dir().join(&id);
    std::fs::rename(&folder, &staged).unwrap();
    let mut ledger = write_ledger(&case.workspace, &clock(), &Silent).unwrap();
    assert!(!staged.exists());
    verify(&folder, &case.keys(), &Silent).unwrap();
    let (finished, undone) = recover(&case.workspace, &mut ledger, &clock(), &Silent).unwrap();
    assert!(finished.is_empty() && undone.is_empty());
}

#[test]
fn a_second_writer_is_refused() {
    let case = Case::new(true);
    let _writer = write_ledger(&case.workspace, &clock(), &Silent).unwrap();
    let second = case.release("hhs/oig", "program-administration/integrity", "2026-01-10");
    assert!(matches!(
        second,
        Err(Error::Ledger(chancery_ledger::Error::Busy { .. }))
    ));
}

#[test]
fn a_tampered_release_is_refused() {
    let case = Case::new(true);
    let folder = case.oversight();
    let refused = |problem: &str| {
        let error = verify(&folder, &case.keys(), &Silent)
            .unwrap_err()
            .to_string();
        assert!(error.contains(problem), "{error}");
    };
    let file = folder.join("data/ELG00002/06.parquet");
    let bytes = std::fs::read(&file).unwrap();
    let mut flipped = bytes.clone();
    flipped[100] ^= 1;
    std::fs::write(&file, &flipped).unwrap();
    refused("is not what the manifest says it is");
    std::fs::remove_file(&file).unwrap();
    refused("is missing");
    std::fs::write(&file, &bytes).unwrap();
    std::fs::write(folder.join("data/more.csv"), "x").unwrap();
    refused("is not in the manifest");
    std::fs::remove_file(folder.join("data/more.csv")).unwrap();

    let other = case.oversight();
    let receipt = std::fs::read(folder.join("receipt.tlog-proof")).unwrap();
    let ice = case
        .release("dhs/ice", "immigration-enforcement/civil", "2026-01-10")
        .unwrap();
    let Outcome::Released(_, ice) = ice else {
        panic!("denied")
    };
    std::fs::copy(
        ice.folder.join("receipt.tlog-proof"),
        folder.join("receipt.tlog-proof"),
    )
    .unwrap();
    refused("is the receipt of another manifest");
    std::fs::write(folder.join("receipt.tlog-proof"), receipt).unwrap();

    let manifest = std::fs::read_to_string(folder.join("manifest.dsse.json")).unwrap();
    let swapped = manifest.replacen("\"sig\": \"", "\"sig\": \"A", 1);
    std::fs::write(folder.join("manifest.dsse.json"), swapped).unwrap();
    refused("is not signed by the custodian's key");
    std::fs::write(folder.join("manifest.dsse.json"), manifest).unwrap();
    verify(&folder, &case.keys(), &Silent).unwrap();
    verify(&other, &case.keys(), &Silent).unwrap();
    drop(case.folder);
}

#[test]
fn what_was_changed_after_it_was_logged_does_not_leave() {
    let case = Case::new(true);
    let folder = case.oversight();
    let staged = case
        .workspace
        .staging_dir()
        .join(folder.file_name().unwrap());
    std::fs::rename(&folder, &staged).unwrap();
    std::fs::write(staged.join("data/ELG00002/more.csv"), "x").unwrap();
    drop(write_ledger(&case.workspace, &clock(), &Silent).unwrap());
    assert!(!staged.exists() && !folder.exists());
    let last = case.entries().pop();
    assert!(
        matches!(last, Some(Entry::Abort { reason, .. }) if reason == "changed after it was logged")
    );
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &name);
        } else {
            std::fs::copy(&path, &name).unwrap();
        }
    }
}

#[test]
fn a_ledger_put_back_to_an_older_copy_takes_no_entry() {
    let case = Case::new(true);
    let (ledger, older) = (
        case.workspace.ledger_dir(),
        case.folder.path().join("older"),
    );
    copy(&ledger, &older);
    let release = case.oversight();
    still_held(&case.workspace, &release).unwrap();
    std::fs::remove_dir_all(&ledger).unwrap();
    copy(&older, &ledger);
    // One append behind: its entries are still staged beside the lock, and it is finished again.
    still_held(&case.workspace, &release).unwrap_err();
    drop(write_ledger(&case.workspace, &clock(), &Silent).unwrap());
    still_held(&case.workspace, &release).unwrap();
    assert_eq!(
        check_releases(&case.workspace, &Silent).unwrap(),
        ReleaseCheck::default()
    );

    case.oversight();
    std::fs::remove_dir_all(&ledger).unwrap();
    copy(&older, &ledger);
    let refused = case.release("hhs/oig", "program-administration/integrity", "2026-01-10");
    let refused = refused.unwrap_err();
    let expected = matches!(
        refused,
        Error::Ledger(chancery_ledger::Error::RolledBack { .. })
    );
    assert!(expected, "{refused}");
    assert!(matches!(
        still_held(&case.workspace, &release),
        Err(Error::RolledBack { .. })
    ));
    let problems = check_releases(&case.workspace, &Silent).unwrap().problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn a_release_that_was_moved_away_or_put_in_the_place_of_another_is_found() {
    let case = Case::new(true);
    let first = case.oversight();
    let next_day = case.release("hhs/oig", "program-administration/integrity", "2026-01-11");
    let Outcome::Released(_, second) = next_day.unwrap() else {
        panic!("denied");
    };
    let second = second.folder;
    assert_eq!(
        check_releases(&case.workspace, &Silent).unwrap(),
        ReleaseCheck::default()
    );
    std::fs::remove_dir_all(&second).unwrap();
    copy(&first, &second);
    let problems = check_releases(&case.workspace, &Silent).unwrap().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].what.contains("another manifest"));
    std::fs::remove_dir_all(&second).unwrap();
    let problems = check_releases(&case.workspace, &Silent).unwrap().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].what.contains("it is not here"));
}

#[test]
fn a_folder_without_a_file_is_refused() {
    let case = Case::new(true);
    let folder = case.oversight();
    std::fs::create_dir(folder.join("data/a-name")).unwrap();
    let error = verify(&folder, &case.keys(), &Silent).unwrap_err();
    assert!(error.to_string().contains("is an empty folder"));
}

/// The release as a crash leaves it between the ledger's answer and the rename.
fn unpublish(case: &Case, folder: &Path) -> PathBuf {
    let staged = case
        .workspace
        .staging_dir()
        .join(folder.file_name().unwrap());
    std::fs::remove_file(folder.join("receipt.tlog-proof")).unwrap();
    std::fs::rename(folder, &staged).unwrap();
    staged
}

fn id_of(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_logged_release_is_not_aborted_for_a_stray_folder_of_its_name() {
    let case = Case::new(true);
    let folder = case.oversight();
    let staged = case.workspace.staging_dir().join(id_of(&folder));
    let entries = case.entries().len();
    let aside = case.folder.path().join("aside");
    let refused = |problems: usize| {
        let check = check_releases(&case.workspace, &Silent).unwrap();
        assert_eq!(check.problems.len(), problems, "{check:?}");
        assert!(check.unfinished.is_empty(), "{check:?}");
        let Err(error) = write_ledger(&case.workspace, &clock(), &Silent) else {
            panic!("the stray folder was taken for an unfinished release");
        };
        assert!(matches!(error, Error::Stray { .. }), "{error}");
        assert!(error.to_string().contains(staged.to_str().unwrap()));
        assert!(error.hint().unwrap().contains("restore"));
        assert_eq!(case.entries().len(), entries);
        assert!(staged.exists());
    };

    // Beside the release.
    std::fs::create_dir_all(&staged).unwrap();
    refused(1);
    std::fs::remove_dir(&staged).unwrap();
    copy(&folder, &staged);
    refused(1);
    // In its place: empty, and with another manifest.
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::write(staged.join("manifest.dsse.json"), "{}").unwrap();
    refused(2);
    std::fs::remove_dir_all(&staged).unwrap();
    std::fs::create_dir_all(&staged).unwrap();
    refused(2);

    std::fs::remove_dir(&staged).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    drop(write_ledger(&case.workspace, &clock(), &Silent).unwrap());
    assert_eq!(
        check_releases(&case.workspace, &Silent).unwrap(),
        ReleaseCheck::default()
    );
}

#[test]
fn a_logged_release_that_is_still_staged_is_unfinished() {
    let case = Case::new(true);
    let folder = case.oversight();
    unpublish(&case, &folder);
    let check = check_releases(&case.workspace, &Silent).unwrap();
    assert_eq!(check.unfinished, [id_of(&folder)]);
    assert!(check.problems.is_empty(), "{check:?}");
}

#[test]
fn an_aborted_release_is_not_published() {
    let case = Case::new(true);
    let folder = case.oversight();
    let id = id_of(&folder);
    let mut ledger = write_ledger(&case.workspace, &clock(), &Silent).unwrap();
    let staged = unpublish(&case, &folder);
    let abort = Entry::abort(&id, AbortReason::ChangedAfterLogging, &clock());
    ledger.append(&abort).unwrap();
    let (finished, undone) = recover(&case.workspace, &mut ledger, &clock(), &Silent).unwrap();
    assert!(finished.is_empty(), "{finished:?}");
    assert_eq!(undone, [id]);
    assert!(!staged.exists() && !folder.exists());
}

#[test]
fn an_id_that_the_ledger_holds_is_not_given_again() {
    let case = Case::new(true);
    let first = case.oversight();
    std::fs::remove_dir_all(&first).unwrap();
    let second = case.oversight();
    assert_eq!(id_of(&second), format!("{}-2", id_of(&first)));
    // Aborted: it is not given again either.
    let staged = unpublish(&case, &second);
    std::fs::write(staged.join("data/ELG00002/more.csv"), "x").unwrap();
    drop(write_ledger(&case.workspace, &clock(), &Silent).unwrap());
    assert!(!staged.exists());
    assert_eq!(id_of(&case.oversight()), format!("{}-3", id_of(&first)));
}

#[test]
fn two_entries_of_one_id_are_both_checked() {
    let case = Case::new(true);
    case.oversight();
    let Some(Entry::Release(mut entry)) = case.entries().pop() else {
        panic!("no release");
    };
    entry.manifest = Some(chancery_model::Digest::from_bytes([7; 32]));
    let mut ledger = write_ledger(&case.workspace, &clock(), &Silent).unwrap();
    ledger.append(&Entry::Release(entry)).unwrap();
    let problems = check_releases(&case.workspace, &Silent).unwrap().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].what.contains("entry 2") && problems[0].what.contains("it is not here"),
        "{problems:?}"
    );
}

#[test]
fn a_hidden_folder_among_the_releases_is_found() {
    let case = Case::new(true);
    let folder = case.oversight();
    let hidden = case.workspace.releases_dir().join(".hidden");
    copy(&folder, &hidden);
    let problems = check_releases(&case.workspace, &Silent).unwrap().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].file, hidden.display().to_string());
}
