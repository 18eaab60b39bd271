//! Releases of made-up people, and where their records are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chancery_register::{Listed, Recorded, Register, SecretKey};

pub(crate) struct Shelf {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) listed: Vec<Listed>,
    pub(crate) recorded: Vec<Recorded>,
}

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::derive(&[seed; 32]).unwrap()
}

/// By origin and id, which class.
pub(crate) type Release = BTreeMap<(String, String), usize>;

pub(crate) fn classes() -> Vec<Vec<String>> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    vec![
        names(&["medicaid_id", "address", "phone"]),
        names(&["medicaid_id"]),
        names(&["medicaid_id", "diagnosis"]),
    ]
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            listed: Vec::new(),
            recorded: Vec::new(),
        }
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    pub(crate) fn register(&self) -> Register {
        Register::open(&self.index(), &self.listed).unwrap()
    }

    pub(crate) fn add(&mut self, key: &SecretKey, release: &Release) -> String {
        let id = format!("2026-01-{:02}-dhs-ice", self.listed.len() + 1);
        let record = self.dir.path().join(format!("{id}.record"));
        let register = self.register();
        let mut recording = register.record(key, &id, &record, classes(), 2).unwrap();
        let mut origins: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for ((origin, id), class) in release {
            origins.entry(origin).or_default().push((id, *class));
        }
        for (origin, people) in origins {
            let mut telling = recording.origin(origin).unwrap();
            for (id, class) in people {
                telling.add(id, class).unwrap();
            }
            telling.finish().unwrap();
        }
        let recorded = recording.finish().unwrap();
        self.listed.push(Listed {
            release: id.clone(),
            people: Some(recorded),
            record,
        });
        self.recorded.push(recorded);
        id
    }
}
