use std::collections::BTreeMap;
use std::path::Path;

use chancery_law::{Error, LawPack, PackSource, Query};

fn collect(dir: &Path, root: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, files);
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

pub(crate) fn shipped_files() -> BTreeMap<String, String> {
    files_of("us-medicaid")
}

/// The files of a folder of `law/`.
pub(crate) fn files_of(folder: &str) -> BTreeMap<String, String> {
    let law = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../law");
    let root = law.join(folder);
    let mut files = BTreeMap::new();
    collect(&root, &root, &mut files);
    files
}

pub(crate) fn load(files: BTreeMap<String, String>) -> Result<LawPack, Error> {
    LawPack::load(&PackSource::new("law", files))
}

pub(crate) fn shipped() -> LawPack {
    match load(shipped_files()) {
        Ok(pack) => pack,
        Err(Error::Invalid(faults)) => {
            for fault in faults {
                eprintln!(
                    "{fault}\n  hint: {}",
                    fault.hint.clone().unwrap_or_default()
                );
            }
            panic!("the shipped law pack is refused");
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_shipped_pack_loads() {
    assert_eq!(shipped().name, "us-medicaid");
}

/// A domain of its own, with which nothing but the form is shared.
#[test]
fn the_pack_on_tax_information_loads() {
    let pack = load(files_of("us-tax-information")).unwrap();
    assert_eq!(pack.name, "us-tax-information");
    assert!(
        pack.provision("us/usc/26/6103-i-2#written-request")
            .is_some()
    );
}

#[test]
fn examples_are_no_law_and_hold_no_rule() {
    let mut files = shipped_files();
    files.insert("examples/people.csv".to_owned(), "id\n1\n".to_owned());
    let pack = load(files.clone()).unwrap();
    assert_eq!(pack.digest, shipped().digest);
    files.insert("examples/provisions.cedar".to_owned(), String::new());
    let chancery_law::Error::Invalid(faults) = load(files).unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(faults.len(), 1, "{faults:?}");
}

/// What immigration enforcement asks.
pub(crate) fn civil(pack: &LawPack) -> Query {
    let words = pack.vocabulary();
    Query {
        recipient: words.agency("dhs/ice").unwrap(),
        custodian: words.agency("hhs/cms").unwrap(),
        purpose: words
            .purpose("immigration-enforcement/civil")
            .unwrap()
            .clone(),
    }
}
