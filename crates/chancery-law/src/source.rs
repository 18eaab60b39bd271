use std::collections::BTreeMap;

use chancery_model::{Digest, Fault, Place};
use sha2::{Digest as _, Sha256};

/// The files of a law pack, by path within it, with `/` between names.
#[derive(Clone, Debug, Default)]
pub struct PackSource {
    root: String,
    files: BTreeMap<String, String>,
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
        let mut hash = Sha256::new();
        for (path, text) in &self.files {
            for part in [path.as_bytes(), text.as_bytes()] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        Digest::from_bytes(hash.finalize().into())
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
                || matches!(
                    of_instrument,
                    Some("instrument.toml" | "provisions.cedar" | crate::assertion::FILE)
                )
                || path.to_ascii_lowercase().ends_with(".md")
        };
        let unread = self.files.keys().filter(|path| !read(path));
        let fault = |path: &String| {
            Fault::new(
                Place::file(self.name(path)),
                "is no file of a law pack, and would not be read",
            )
            .hint("an instrument has instrument.toml, provisions.cedar and perhaps assertions.toml in a \
                 folder of its own")
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
