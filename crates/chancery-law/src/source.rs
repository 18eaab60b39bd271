use std::collections::{BTreeMap, BTreeSet};

use chancery_model::{Digest, Fault, Place};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use toml::Spanned;

/// The files that say what a pack is, apart from its instruments.
const OF_PACK: [&str; 6] = [
    PACK,
    "schema.cedarschema",
    "agencies.toml",
    "purposes.toml",
    "elements.toml",
    "classification.toml",
];
/// The same of an overlay: it has no schema, and every file but the first may be left out.
const OF_OVERLAY: [&str; 5] = [
    OVERLAY,
    "agencies.toml",
    "purposes.toml",
    "elements.toml",
    "classification.toml",
];
const OF_INSTRUMENT: [&str; 4] = [
    "instrument.toml",
    "provisions.cedar",
    "assertions.toml",
    "agreement.toml",
];
/// A folder of what shows how the pack is used. It is no law: it is in no digest, and nothing reads it
/// but whoever makes a workspace.
pub const EXAMPLES: &str = "examples/";
const CEDAR: &str = ".cedar";
const PACK: &str = "pack.toml";
const OVERLAY: &str = "overlay.toml";

/// The files of a law pack and of the overlays on it.
///
/// The pack is the lowest layer; each overlay lies on all before it. A folder of `instruments/` is in
/// one layer alone, or the pack is refused, so that a path below it names one file.
#[derive(Clone, Debug)]
pub struct PackSource {
    pack: Layer,
    overlays: Vec<Layer>,
}

/// The files of a pack or of one overlay, by path within its folder, with `/` between names.
#[derive(Clone, Debug)]
pub struct Layer {
    root: String,
    files: BTreeMap<String, String>,
    is_overlay: bool,
}

/// What a layer says of itself.
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) version: String,
}

/// `overlay.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the description is for the reader of the file")]
struct RawOverlay {
    name: Spanned<String>,
    title: String,
    version: String,
    /// The pack that it is for.
    over: Spanned<String>,
    description: Option<String>,
}

/// What every instrument has in its first file.
#[derive(Deserialize)]
struct RawId {
    id: String,
}

/// What every layer has in its first file.
#[derive(Deserialize)]
struct RawName {
    name: String,
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
    /// Its files by name within it; of an overlay also what it lies on (`below`), and of an
    /// instrument of an overlay its name (`overlay`), as two people sign for that place alone.
    pub files: BTreeMap<String, String>,
}

/// What stands among an overlay's files for the layers below it.
const BELOW: &str = "below";
/// What stands among an instrument's files for the overlay that it is in.
const LAYER: &str = "overlay";

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
        digest(&self.files, |_| true)
    }
}

impl PackSource {
    /// The files of the pack that the user knows as `root`, but for its [`EXAMPLES`].
    pub fn new(root: impl Into<String>, files: BTreeMap<String, String>) -> Self {
        Self {
            pack: Layer {
                root: root.into(),
                files: law(files),
                is_overlay: false,
            },
            overlays: Vec::new(),
        }
    }

    /// The same with an overlay on top, whose folder the user knows as `root`.
    #[must_use]
    pub fn with_overlay(
        mut self,
        root: impl Into<String>,
        files: BTreeMap<String, String>,
    ) -> Self {
        self.overlays.push(Layer {
            root: root.into(),
            files: law(files),
            is_overlay: true,
        });
        self
    }

    /// The pack, then the overlays from the lowest to the topmost.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.pack).chain(&self.overlays)
    }

    /// The files of the pack by path, without those of overlays.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.pack.files
    }

    /// The digest over paths and contents in path order, each preceded by its length.
    ///
    /// With overlays it is the digest over the digests of all layers in their order, preceded by a
    /// length that no path has and by their number.
    pub fn digest(&self) -> Digest {
        if self.overlays.is_empty() {
            return self.pack.digest();
        }
        let mut hash = Sha256::new();
        hash.update(u64::MAX.to_be_bytes());
        hash.update((self.layers().count() as u64).to_be_bytes());
        for layer in self.layers() {
            hash.update(layer.digest().as_bytes());
        }
        Digest::from_bytes(hash.finalize().into())
    }

    /// The layer that holds a path: the one with that folder of `instruments/`, or else the pack.
    fn layer_of(&self, path: &str) -> &Layer {
        if self.overlays.is_empty() {
            return &self.pack;
        }
        let folder = path
            .strip_prefix("instruments/")
            .and_then(|path| path.split('/').next());
        folder
            .and_then(|folder| {
                self.layers()
                    .find(|layer| layer.instruments().any(|f| f == folder))
            })
            .unwrap_or(&self.pack)
    }

    /// The path as the user knows it.
    pub(crate) fn name(&self, path: &str) -> String {
        self.layer_of(path).name_of(path)
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.layer_of(path).has(path)
    }

    pub(crate) fn text(&self, path: &str) -> Result<&str, Fault> {
        self.layer_of(path).text(path)
    }

    pub(crate) fn toml<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        self.layer_of(path).toml(path)
    }

    pub(crate) fn span(&self, path: &str, span: std::ops::Range<usize>) -> Place {
        self.layer_of(path).span(path, span)
    }

    /// What every layer says of itself, the lowest first; the pack has said this.
    pub(crate) fn heads(&self, pack: Head) -> Result<Vec<Head>, Fault> {
        let mut heads = vec![pack];
        for layer in &self.overlays {
            let head = layer.overlay(&heads)?;
            heads.push(head);
        }
        Ok(heads)
    }

    /// What is signed off: the base of each layer under the layer's name, and each instrument.
    /// Descriptions (`*.md`) are of no unit.
    ///
    /// # Errors
    ///
    /// When a layer has no name, or an instrument no id.
    pub fn units(&self) -> Result<Vec<Unit>, Fault> {
        if let Some(fault) = self.deceiving().into_iter().next() {
            return Err(fault);
        }
        let mut units: Vec<Unit> = Vec::new();
        let mut below: Vec<String> = Vec::new();
        for layer in self.layers() {
            let name = layer.name()?;
            let base = layer.base();
            let base = layer
                .files
                .iter()
                .filter(|(path, _)| base.contains(&path.as_str()));
            let mut base: BTreeMap<String, String> = base
                .map(|(path, text)| (path.clone(), text.clone()))
                .collect();
            if layer.is_overlay {
                base.insert(BELOW.to_owned(), below.join("\n"));
            }
            units.push(Unit::new(&name, UnitKind::Base, base));
            for folder in layer.instruments() {
                let mut files = layer.instrument(folder);
                if layer.is_overlay {
                    files.insert(LAYER.to_owned(), name.clone());
                }
                let path = format!("instruments/{folder}/instrument.toml");
                let id = layer.toml::<RawId>(&path)?.id;
                if let Some(fault) = layer.misnamed(&path, &id, &units) {
                    return Err(fault);
                }
                units.push(Unit::new(id, UnitKind::Instrument, files));
            }
            below.push(name);
        }
        Ok(units)
    }

    /// Characters that a terminal obeys and does not show: a text that holds them can look like another
    /// to whoever signs it.
    pub(crate) fn deceiving(&self) -> Vec<Fault> {
        self.layers().filter_map(Layer::deceiving).collect()
    }

    /// The same layers with these instruments alone, to load editions of them.
    ///
    /// # Errors
    ///
    /// When the overlay of one is not there any more.
    pub fn with_instruments<'a>(
        &self,
        units: impl Iterator<Item = &'a Unit>,
    ) -> Result<Self, Fault> {
        let mut source = self.clone();
        let pack = std::iter::once(&mut source.pack);
        for layer in pack.chain(&mut source.overlays) {
            layer.root = format!("{} as signed", layer.root);
            layer
                .files
                .retain(|path, _| !path.starts_with("instruments/"));
        }
        for (at, unit) in units.enumerate() {
            let layer = match unit.files.get(LAYER) {
                None => &mut source.pack,
                Some(name) => {
                    let mut overlays = source.overlays.iter_mut();
                    let found = overlays.find(|layer| layer.name().as_ref() == Ok(name));
                    found.ok_or_else(|| {
                        Fault::new(
                            Place::file(&unit.id),
                            format!("was signed in the overlay `{name}`, which is not there"),
                        )
                    })?
                }
            };
            // Assertions and terms speak of other instruments, and decide nothing.
            let decides = |name: &str| matches!(name, "instrument.toml" | "provisions.cedar");
            for (name, text) in unit.files.iter().filter(|(name, _)| decides(name)) {
                layer
                    .files
                    .insert(format!("instruments/{at}/{name}"), text.clone());
            }
        }
        Ok(source)
    }

    /// The folders of the instruments, in order, layer by layer.
    pub(crate) fn instruments(&self) -> Vec<&str> {
        self.layers().flat_map(Layer::instruments).collect()
    }

    /// The number of the layer that an instrument's folder is in.
    pub(crate) fn layer_number(&self, folder: &str) -> usize {
        self.layers()
            .position(|layer| layer.instruments().any(|known| known == folder))
            .unwrap_or_default()
    }

    /// Folders of instruments that a layer below has too: an overlay adds, and replaces nothing.
    pub(crate) fn clashes(&self) -> Vec<Fault> {
        let mut seen: BTreeMap<&str, &Layer> = BTreeMap::new();
        let mut faults = Vec::new();
        for layer in self.layers() {
            for folder in layer.instruments() {
                match seen.get(folder) {
                    Some(below) => faults.push(
                        Fault::new(
                            Place::file(layer.name_of(&format!("instruments/{folder}"))),
                            format!(
                                "is also a folder of `{}`, and an overlay may only add",
                                below.root
                            ),
                        )
                        .hint("give the folder a name that no layer below has"),
                    ),
                    None => {
                        seen.insert(folder, layer);
                    }
                }
            }
        }
        faults
    }

    /// Files that the loader would not read: what is not read could be law that binds nobody.
    pub(crate) fn unread(&self) -> Vec<Fault> {
        self.layers().flat_map(Layer::unread).collect()
    }
}

impl Layer {
    /// The folder as the user knows it.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Whether it is an overlay.
    pub fn is_overlay(&self) -> bool {
        self.is_overlay
    }

    /// The files by path.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The name of the pack or of the overlay.
    ///
    /// # Errors
    ///
    /// When the file that says so is missing or malformed.
    pub fn name(&self) -> Result<String, Fault> {
        let head = if self.is_overlay { OVERLAY } else { PACK };
        Ok(self.toml::<RawName>(head)?.name)
    }

    /// The digest over paths and contents in path order, each preceded by its length.
    pub fn digest(&self) -> Digest {
        digest(&self.files, |_| true)
    }

    /// The digest over what the layer says apart from its instruments: the words, the schema and the
    /// classification that its instruments rest on.
    pub fn base_digest(&self) -> Digest {
        digest(&self.files, |path| self.base().contains(&path))
    }

    /// The folders of its instruments, in order.
    pub fn instruments(&self) -> impl Iterator<Item = &str> {
        let folders: BTreeSet<&str> = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix("instruments/")?.split_once('/'))
            .map(|(folder, _)| folder)
            .collect();
        folders.into_iter()
    }

    /// The files of an instrument by name.
    fn instrument(&self, folder: &str) -> BTreeMap<String, String> {
        let folder = format!("instruments/{folder}/");
        let files = self.files.iter();
        let files = files.filter_map(|(path, text)| Some((path.strip_prefix(&folder)?, text)));
        files
            .filter(|(name, _)| OF_INSTRUMENT.contains(name))
            .map(|(name, text)| (name.to_owned(), text.clone()))
            .collect()
    }

    fn deceiving(&self) -> Option<Fault> {
        self.files.iter().find_map(|(path, text)| {
            if let Some(at) = text.find(is_deceiving).or_else(|| lone_return(text)) {
                let end = at + text.get(at..)?.chars().next()?.len_utf8();
                let place = Place::span(self.name_of(path), text, at..end);
                return Some(deceived(place));
            }
            let is_toml = std::path::Path::new(path)
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
            let value = is_toml.then(|| toml::from_str::<toml::Value>(text).ok())??;
            says_deceiving(&value).then(|| deceived(Place::file(self.name_of(path))))
        })
    }

    /// An instrument whose id names something else that is signed off: they would stand for each
    /// other.
    fn misnamed(&self, path: &str, id: &str, units: &[Unit]) -> Option<Fault> {
        let problem = if id == crate::Roles::UNIT {
            "is the name of the roles"
        } else if units.iter().any(|unit| unit.id == id) {
            "is the id of something else in the law pack"
        } else {
            return None;
        };
        let place = Place::file(self.name_of(path));
        Some(Fault::new(place, format!("`{id}` {problem}")).field("id"))
    }

    fn base(&self) -> &'static [&'static str] {
        if self.is_overlay {
            &OF_OVERLAY
        } else {
            &OF_PACK
        }
    }

    /// What an overlay says of itself, if it can lie on these.
    fn overlay(&self, below: &[Head]) -> Result<Head, Fault> {
        let raw: RawOverlay = self.toml(OVERLAY)?;
        let fault = |field: &str, word: &Spanned<String>, problem: String| {
            Fault::new(self.span(OVERLAY, word.span()), problem).field(field)
        };
        if !is_plain(raw.name.get_ref()) {
            return Err(fault("name", &raw.name, "is no plain name".to_owned())
                .hint("lower-case letters, digits and `-`, for example `ca-dhcs`"));
        }
        if below.iter().any(|head| head.name == *raw.name.get_ref()) {
            return Err(
                fault("name", &raw.name, "is the name of a layer below".to_owned())
                    .hint("list each overlay once, and give each a name of its own"),
            );
        }
        if let Some(pack) = below
            .first()
            .filter(|pack| pack.name != *raw.over.get_ref())
        {
            let problem = format!("is an overlay on another pack than `{}`", pack.name);
            return Err(fault("over", &raw.over, problem)
                .hint("`overlays` in chancery.toml lists overlays on the workspace's own pack"));
        }
        Ok(Head {
            name: raw.name.into_inner(),
            title: raw.title,
            version: raw.version,
        })
    }

    /// The path as the user knows it.
    pub(crate) fn name_of(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    pub(crate) fn text(&self, path: &str) -> Result<&str, Fault> {
        self.files.get(path).map(String::as_str).ok_or_else(|| {
            let what = if self.is_overlay {
                "overlay"
            } else {
                "law pack"
            };
            let place = Place::file(self.name_of(path));
            Fault::new(place, format!("the {what} lacks this file")).hint(if self.is_overlay {
                "an overlay has at least overlay.toml: name, title, version and over"
            } else {
                "`chancery init` writes a complete law pack to start from"
            })
        })
    }

    pub(crate) fn toml<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let text = self.text(path)?;
        toml::from_str(text).map_err(|error| Fault::from_toml(&self.name_of(path), text, &error))
    }

    pub(crate) fn span(&self, path: &str, span: std::ops::Range<usize>) -> Place {
        Place::span(
            self.name_of(path),
            self.files.get(path).map_or("", String::as_str),
            span,
        )
    }

    fn unread(&self) -> Vec<Fault> {
        let read = |path: &str| {
            let of_instrument = path
                .strip_prefix("instruments/")
                .and_then(|path| path.split_once('/'));
            self.base().contains(&path)
                || of_instrument.is_some_and(|(_, file)| OF_INSTRUMENT.contains(&file))
                || path.to_ascii_lowercase().ends_with(".md")
        };
        let unread = self.files.keys().filter(|path| !read(path));
        let fault = |path: &String| {
            let fault = Fault::new(
                Place::file(self.name_of(path)),
                if self.is_overlay {
                    "is no file of an overlay, and would not be read"
                } else {
                    "is no file of a law pack, and would not be read"
                },
            );
            if self.is_overlay && OF_PACK.contains(&path.as_str()) {
                return fault.hint(
                    "an overlay adds to a pack: it has an overlay.toml, and no schema of its own",
                );
            }
            fault.hint(
                "an instrument has instrument.toml and provisions.cedar in a folder of its own, and \
                 perhaps assertions.toml and agreement.toml",
            )
        };
        unread.map(fault).collect()
    }
}

/// The files that are law. A rule among the examples stays, to be refused: it would bind nobody.
fn law(mut files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    files.retain(|path, _| !path.starts_with(EXAMPLES) || path.ends_with(CEDAR));
    files
}

fn digest(files: &BTreeMap<String, String>, is_in: impl Fn(&str) -> bool) -> Digest {
    let mut hash = Sha256::new();
    for (path, text) in files.iter().filter(|(path, _)| is_in(path)) {
        for part in [path.as_bytes(), text.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    Digest::from_bytes(hash.finalize().into())
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(plain)
}

/// Controls but line ends and tabs, and what turns the direction of writing.
pub(crate) fn is_deceiving(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// Where a carriage return stands that ends no line.
fn lone_return(text: &str) -> Option<usize> {
    let mut returns = text.match_indices('\r');
    returns
        .find(|(at, _)| text.get(at + 1..at + 2) != Some("\n"))
        .map(|(at, _)| at)
}

fn says_deceiving(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => text.contains(is_deceiving),
        toml::Value::Array(values) => values.iter().any(says_deceiving),
        toml::Value::Table(table) => table
            .iter()
            .any(|(key, value)| key.contains(is_deceiving) || says_deceiving(value)),
        _ => false,
    }
}

fn deceived(place: Place) -> Fault {
    Fault::new(
        place,
        "holds a character that a terminal obeys and does not show",
    )
    .hint("a law pack is plain text: leave out control characters and marks of writing direction")
}
