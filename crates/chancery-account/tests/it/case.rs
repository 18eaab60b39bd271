//! A workspace with synthetic people and a few releases, and what of them can be read out of the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chancery_account::{
    About, Account, Amount, Copy, Count, Counts, Facts, Group, Law, Showing, Sources,
};
use chancery_dataset::synth::{Plan, write};
use chancery_dataset::{AddRequest, Dataset, Kind, Silent, add};
use chancery_law::LawPack;
use chancery_model::Request;
use chancery_release::manifest::Class;
use chancery_release::{
    Config, Fixed, Known, Outcome, Workspace, ask, dataset_law, elements, pack_files, release,
};

pub(crate) const ORDER: &str = "us/cand/3-25-cv-05536/order-2025-12-29";

pub(crate) fn clock() -> Fixed {
    Fixed("2026-02-01T12:00:00Z".parse().unwrap())
}

/// A demonstration workspace with people of a plaintiff state and of another.
pub(crate) struct Case {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) workspace: Workspace,
    pub(crate) law: LawPack,
    pub(crate) dataset: Dataset,
}

impl Case {
    pub(crate) fn new(people: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../law/us-medicaid");
        let files = pack_files(&root).unwrap();
        let config = Config {
            demonstration: true,
            memory_mib: 64,
            ..Config::new("agency.example/ledger", "law")
        };
        let root = folder.path().join("w");
        let workspace = Workspace::init(&root, config, &files, None, &clock()).unwrap();
        let law = workspace.law().unwrap();
        let sources = folder.path().join("sources");
        let states = vec!["06".to_owned(), "48".to_owned()];
        let plan = Plan {
            people,
            seed: 7,
            states,
            ..Plan::default()
        };
        let mut paths = write(&plan, &sources, &|_| ()).unwrap().files;
        let determinations = sources.join("determinations.csv");
        paths.retain(|path| *path != determinations);
        let request = AddRequest {
            name: "people",
            kind: Kind::Tmsis,
            paths: &paths,
            map: None,
            determinations: Some(&determinations),
        };
        let names = elements(&law);
        let of = dataset_law(&law, &names);
        let dataset = add(&workspace.datasets_dir(), &request, &of, &Silent).unwrap();
        Self {
            folder,
            workspace,
            law,
            dataset,
        }
    }

    /// With a release to the immigration authorities before and after the order, two to the inspector
    /// general, and a request that was refused.
    pub(crate) fn with_releases(people: u64) -> Self {
        let case = Self::new(people);
        case.immigration("2025-06-01");
        case.immigration("2025-07-20");
        case.oversight("2025-09-01");
        case.immigration("2026-01-10");
        case.oversight("2026-01-12");
        case
    }

    pub(crate) fn immigration(&self, on: &str) -> Outcome {
        self.release("dhs/ice", "immigration-enforcement/civil", &["*"], on)
    }

    /// The immigration authorities ask for some elements alone.
    pub(crate) fn immigration_for(&self, elements: &[&str], on: &str) -> Outcome {
        self.release("dhs/ice", "immigration-enforcement/civil", elements, on)
    }

    pub(crate) fn oversight(&self, on: &str) -> Outcome {
        let purpose = "program-administration/integrity";
        self.release("hhs/oig", purpose, &["medicaid_id", "birth_date"], on)
    }

    /// Everything that the inspector general may have, of which little is about everybody.
    pub(crate) fn all_oversight(&self, on: &str) -> Outcome {
        self.release("hhs/oig", "program-administration/integrity", &["*"], on)
    }

    pub(crate) fn release(
        &self,
        recipient: &str,
        purpose: &str,
        elements: &[&str],
        on: &str,
    ) -> Outcome {
        let text = format!(
            "recipient = \"{recipient}\"\npurpose = \"{purpose}\"\ncustodian = \"hhs/cms\"\n\
             dataset = \"people\"\nformat = \"csv\"\nelements = {elements:?}\n"
        );
        let request = Request::parse("r.toml", &text).unwrap();
        let question = ask("r.toml", &text, request, &self.law, &self.dataset).unwrap();
        let on = on.parse().unwrap();
        let standing = self.workspace.standing(&self.law, on, Known::Now).unwrap();
        let sign_off = self.workspace.sign_off(&standing);
        let law = self.law.in_force(on, sign_off).unwrap();
        let (workspace, dataset) = (&self.workspace, &self.dataset);
        release(workspace, question, &law, dataset, &clock(), &Silent).unwrap()
    }

    pub(crate) fn folder_of(&self, id: &str) -> PathBuf {
        self.workspace.releases_dir().join(id)
    }

    pub(crate) fn books(&self) -> Books<'_> {
        Books::new(self, Counts::default())
    }

    /// With the register's counts, as the released files have them.
    pub(crate) fn counted(&self) -> Books<'_> {
        let facts = Facts::read(&self.workspace).unwrap();
        let mut counts = Counts::default();
        for release in &facts.releases {
            let left = Left::read(&self.folder_of(release.id()));
            counts.insert(
                release.id(),
                left.counts(&release.signed().unwrap().classes),
            );
        }
        Books::new(self, counts)
    }
}

pub(crate) struct Books<'a> {
    pub(crate) law: Law<'a>,
    pub(crate) facts: Facts,
    pub(crate) counts: Counts,
    pub(crate) showing: Showing,
}

impl<'a> Books<'a> {
    pub(crate) fn new(case: &'a Case, counts: Counts) -> Self {
        let facts = Facts::read(&case.workspace).unwrap();
        Self {
            law: Law::new(&case.law),
            showing: Showing::of(&facts, &counts),
            facts,
            counts,
        }
    }

    pub(crate) fn sources(&self) -> Sources<'_> {
        Sources {
            facts: &self.facts,
            counts: &self.counts,
            showing: &self.showing,
            law: &self.law,
        }
    }

    pub(crate) fn account(&self, about: &About, copy: Copy) -> Account {
        Account::of(about, copy, self.sources()).unwrap()
    }

    pub(crate) fn everything(&self, copy: Copy) -> Account {
        let about = About::Period {
            from: "2025-01-01".parse().unwrap(),
            to: "2026-12-31".parse().unwrap(),
        };
        self.account(&about, copy)
    }
}

/// The disclosures of a group that are told exactly.
pub(crate) fn exactly(group: &Group) -> u64 {
    match group.disclosures.count {
        Amount::Exactly(count) => count,
        other => panic!("{}: {other:?}", group.key),
    }
}

/// A person, by origin and number.
pub(crate) type Person = (String, String);

/// What a release's files hold, read without anything of the crates.
#[derive(Default)]
pub(crate) struct Left {
    pub(crate) rows: u64,
    pub(crate) people: BTreeSet<Person>,
    /// Who has a row in a file that has this column.
    pub(crate) columns: BTreeMap<String, BTreeSet<Person>>,
}

impl Left {
    pub(crate) fn read(release: &Path) -> Self {
        let mut left = Self::default();
        for table in std::fs::read_dir(release.join("data")).unwrap() {
            for file in std::fs::read_dir(table.unwrap().path()).unwrap() {
                left.read_file(&file.unwrap().path());
            }
        }
        left
    }

    fn read_file(&mut self, file: &Path) {
        let origin = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut reader = csv::Reader::from_path(file).unwrap();
        let columns: Vec<String> = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        let id = columns
            .iter()
            .position(|name| name == "msis_identification_num");
        for row in reader.records() {
            let row = row.unwrap();
            let person = (origin.clone(), row[id.unwrap()].to_owned());
            self.rows += 1;
            self.people.insert(person.clone());
            for column in &columns {
                let with = self.columns.entry(column.clone()).or_default();
                with.insert(person.clone());
            }
        }
    }

    pub(crate) fn with(&self, column: &str) -> BTreeSet<Person> {
        self.columns.get(column).cloned().unwrap_or_default()
    }

    /// How many of each origin are in each class, told by who has a name and who has an address.
    fn counts(&self, classes: &[Class]) -> Vec<Count> {
        let (named, located) = (self.with("eligible_first_name"), self.with("eligible_city"));
        let mut counts: BTreeMap<(String, u32), u64> = BTreeMap::new();
        for person in &self.people {
            let has = |class: &Class, element: &str| class.elements.iter().any(|e| e == element);
            let fits = |class: &Class| {
                !class.elements.is_empty()
                    && has(class, "name") == named.contains(person)
                    && has(class, "address") == located.contains(person)
            };
            let class = classes.iter().position(fits).unwrap();
            let class = u32::try_from(class).unwrap();
            *counts.entry((person.0.clone(), class)).or_default() += 1;
        }
        let counts = counts.into_iter();
        counts
            .map(|((origin, class), subjects)| Count {
                origin,
                class,
                subjects,
            })
            .collect()
    }
}
