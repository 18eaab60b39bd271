use std::collections::BTreeMap;

use chancery_model::{Digest, Fault, Place};
use sha2::{Digest as _, Sha256};

/// The files of a law pack, by path within it, with `/` between names.
#[derive(Clone, Debug, Default)]
pub struct PackSource {
    root: String,
    files: BTreeMap<String, String>,
}

/// What a unit is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitKind {
    /// An instrument: its folder.
    Instrument,
    /// The base of a law pack: its vocabulary, schema and classification, on which every provision
    /// rests.
    Base,
    /// Who may sign off, and by which rules.
    Roles,
}

impl UnitKind {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instrument => "instrument",
            Self::Base => "base",
            Self::Roles => "roles",
        }
    }
}

/// What is signed off as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The instrument's id, or the pack's name.
    pub id: String,
    /// What it is of.
    pub kind: UnitKind,
    /// Its files by name within it.
    pub files: BTreeMap<String, String>,
}

impl Unit {
    /// The unit of these files.
    pub fn new(id: impl Into<String>, kind: UnitKind, files: BTreeMap<String, String>) -> Self {
        Self {
            id: id.into(),
            kind,
            files,
        }
    }

    /// The digest of its files, in the way of [`PackSource::digest`]. What is removed is a unit
    /// without files.
    pub fn digest(&self) -> Digest {
        digest(&self.files)
    }
}

fn digest(files: &BTreeMap<String, String>) -> Digest {
    let mut hash = Sha256::new();
    for (path, text) in files {
        for part in [path.as_bytes(), text.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    Digest::from_bytes(hash.finalize().into())
}

impl PackSource {
    /// The files of the pack that the user knows as `root`.
    pub fn new(root: impl Into<String>, files: BTreeMap<String, String>) -> Self {
        Self {
            root: root.into(),
            files,
        }
    }

    /// The files by path.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The digest over paths and contents in path order, each preceded by its length.
    pub fn digest(&self) -> Digest {
        digest(&self.files)
    }

    /// What is signed off in it: its base under the pack's name, and each instrument. Descriptions
    /// (`*.md`) are of no unit.
    ///
    /// # Errors
    ///
    /// When the pack has no name, or an instrument no id.
    pub fn units(&self) -> Result<Vec<Unit>, Fault> {
        let is_law = |path: &str| !path.to_ascii_lowercase().ends_with(".md");
        let below = |folder: &str| {
            let files = self.files.iter().filter_map(|(path, text)| {
                let name = path.strip_prefix("instruments/")?.strip_prefix(folder)?;
                Some((name.strip_prefix('/')?.to_owned(), text.clone()))
            });
            files.filter(|(name, _)| is_law(name)).collect()
        };
        let base = self
            .files
            .iter()
            .filter(|(path, _)| is_law(path) && !path.starts_with("instruments/"));
        let base = base.map(|(path, text)| (path.clone(), text.clone()));
        let mut units = vec![Unit::new(
            self.named("pack.toml", "name")?,
            UnitKind::Base,
            base.collect(),
        )];
        for folder in self.instruments() {
            let id = self.named(&format!("instruments/{folder}/instrument.toml"), "id")?;
            units.push(Unit::new(id, UnitKind::Instrument, below(folder)));
        }
        Ok(units)
    }

    fn named(&self, path: &str, field: &str) -> Result<String, Fault> {
        let table: toml::Table = self.toml(path)?;
        let name = table.get(field).and_then(toml::Value::as_str);
        name.map(str::to_owned).ok_or_else(|| {
            Fault::new(Place::file(self.name(path)), "is missing, or no text").field(field)
        })
    }

    /// The pack with the base of this one and these instruments alone, to load editions of them.
    #[must_use]
    pub fn with_instruments<'a>(&self, units: impl Iterator<Item = &'a Unit>) -> Self {
        let base = self.files.iter();
        let base = base.filter(|(path, _)| !path.starts_with("instruments/"));
        let mut files: BTreeMap<String, String> = base
            .map(|(path, text)| (path.clone(), text.clone()))
            .collect();
        for (at, unit) in units.enumerate() {
            for (name, text) in &unit.files {
                files.insert(format!("instruments/{at}/{name}"), text.clone());
            }
        }
        Self {
            root: "signed".to_owned(),
            files,
        }
    }

    /// The path as the user knows it.
    pub(crate) fn name(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }

    pub(crate) fn text(&self, path: &str) -> Result<&str, Fault> {
        self.files.get(path).map(String::as_str).ok_or_else(|| {
            Fault::new(Place::file(self.name(path)), "the law pack lacks this file")
                .hint("`chancery init` writes a complete law pack to start from")
        })
    }

    /// The folders of the instruments, in order.
    pub(crate) fn instruments(&self) -> Vec<&str> {
        let mut folders: Vec<&str> = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix("instruments/")?.split_once('/'))
            .map(|(folder, _)| folder)
            .collect();
        folders.dedup();
        folders
    }

    /// Files that the loader would not read: what is not read could be law that binds nobody.
    pub(crate) fn unread(&self) -> Vec<Fault> {
        const READ: [&str; 6] = [
            "pack.toml",
            "schema.cedarschema",
            "agencies.toml",
            "purposes.toml",
            "elements.toml",
            "classification.toml",
        ];
        let read = |path: &str| {
            let of_instrument = path
                .strip_prefix("instruments/")
                .and_then(|path| path.split_once('/'));
            let of_instrument = of_instrument.map(|(_, file)| file);
            READ.contains(&path)
                || matches!(of_instrument, Some("instrument.toml" | "provisions.cedar"))
                || path.to_ascii_lowercase().ends_with(".md")
        };
        let unread = self.files.keys().filter(|path| !read(path));
        let fault = |path: &String| {
            Fault::new(
                Place::file(self.name(path)),
                "is no file of a law pack, and would not be read",
            )
            .hint("an instrument has instrument.toml and provisions.cedar in a folder of its own")
        };
        unread.map(fault).collect()
    }

    pub(crate) fn toml<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let text = self.text(path)?;
        toml::from_str(text).map_err(|error| Fault::from_toml(&self.name(path), text, &error))
    }

    pub(crate) fn span(&self, path: &str, span: std::ops::Range<usize>) -> Place {
        Place::span(
            self.name(path),
            self.files.get(path).map_or("", String::as_str),
            span,
        )
    }
}
