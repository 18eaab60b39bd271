use std::collections::BTreeSet;

use chancery_model::{Domain, Fault, UNKNOWN};
use serde::Deserialize;
use toml::Spanned;

use crate::PackSource;
use crate::source::{Head, Layer};

/// How a word of the pack is said to the people whom records are about; both languages, or neither.
///
/// ```
/// let plain: chancery_law::Plain =
///     toml::from_str("en = 'your phone number'\nes = 'su número de teléfono'")?;
/// assert_eq!(plain.es, "su número de teléfono");
/// assert!(toml::from_str::<chancery_law::Plain>(r#"en = "your phone number""#).is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plain {
    /// In English.
    pub en: String,
    /// In Spanish.
    pub es: String,
}

impl Plain {
    /// Texts that say nothing are refused.
    fn check(plain: Option<&Spanned<Self>>, words: &Words<'_>, file: &str) -> Result<(), Fault> {
        let Some(plain) = plain else { return Ok(()) };
        let Self { en, es } = plain.get_ref();
        if [en, es].iter().all(|text| !text.trim().is_empty()) {
            return Ok(());
        }
        let place = words.layer.span(file, plain.span());
        Err(Fault::new(place, "says nothing in one of its languages")
            .field("plain")
            .hint("give both `en` and `es`, or leave `plain` out, and the title is used"))
    }
}

/// An agency, or whoever else discloses or receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agency {
    /// Its path: `dhs/ice` is within `dhs`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its name in Spanish, for letters to the people whom records are about.
    pub name_es: Option<String>,
    /// Its postal address, where known (`45 CFR 164.528(b)(2)(ii)`).
    pub address: Option<String>,
    /// Everything it is within, nearest first.
    pub within: Vec<String>,
    /// The origins whose records it submits or administers itself.
    pub jurisdiction: BTreeSet<String>,
    /// The pack or overlay that declares it.
    pub layer: String,
}

/// A purpose of disclosure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// Its path.
    pub path: String,
    /// In plain words.
    pub title: String,
    /// As a letter says it, going on from "why": `to check who can get Medicaid`.
    pub plain: Option<Plain>,
    /// The purposes it is within, nearest first.
    pub within: Vec<String>,
    /// The pack or overlay that declares it.
    pub layer: String,
}

/// A data element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// In plain words.
    pub title: String,
    /// As a letter says it, going on from "what they got": `your phone number`.
    pub plain: Option<Plain>,
    /// The pack or overlay that declares it.
    pub layer: String,
}

/// A named set of elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementSet {
    /// Its name.
    pub name: String,
    /// In plain words.
    pub title: String,
    /// Its elements.
    pub members: BTreeSet<String>,
    /// The pack or overlay that declares it.
    pub layer: String,
}

/// The agencies, purposes and elements that the pack's instruments speak of.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    agencies: Vec<RawAgency>,
    /// The origins, for agencies of a family such as `state/*`.
    origins: BTreeSet<String>,
    purposes: Vec<Purpose>,
    elements: Vec<Element>,
    sets: Vec<ElementSet>,
    existence: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAgency {
    path: Spanned<String>,
    name: String,
    name_es: Option<String>,
    address: Option<String>,
    #[serde(default)]
    ids: Ids,
    #[serde(default, rename = "in")]
    also_in: Vec<Spanned<String>>,
    #[serde(skip)]
    layer: String,
    /// What stands for everything that its overlay adds; nothing of the pack's own.
    #[serde(skip)]
    marker: Option<String>,
}

/// What the `*` of a family stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ids {
    #[default]
    None,
    Origin,
    Any,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agencies {
    agency: Vec<RawAgency>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Purposes {
    purpose: Vec<RawPurpose>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPurpose {
    path: Spanned<String>,
    title: String,
    plain: Option<Spanned<Plain>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elements {
    existence: Option<Spanned<String>>,
    #[serde(default)]
    element: Vec<RawElement>,
    #[serde(default)]
    set: Vec<RawSet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawElement {
    name: Spanned<String>,
    title: String,
    plain: Option<Spanned<Plain>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSet {
    name: Spanned<String>,
    title: String,
    members: Vec<Spanned<String>>,
}

/// A layer whose words are read.
struct Words<'a> {
    layer: &'a Layer,
    name: &'a str,
    /// What stands for everything that it adds, if it is an overlay.
    marker: Option<String>,
}

/// The agency, purpose and set of elements that everything which an overlay adds is within.
///
/// What a layer below permits is never permitted of these, so that an overlay's words widen nothing.
pub(crate) fn marker(overlay: &str) -> String {
    format!("{MARKER}{overlay}")
}

const MARKER: &str = "overlay:";

impl Vocabulary {
    /// The words of every layer, each with those of the layers below it.
    pub(crate) fn load(
        source: &PackSource,
        heads: &[Head],
        domain: &Domain,
        origin: &str,
    ) -> Result<Vec<Self>, Vec<Fault>> {
        let mut words = Self::default();
        if let Some((_, attribute)) = domain.attribute(origin) {
            words.origins = attribute
                .values
                .iter()
                .filter(|v| *v != UNKNOWN)
                .cloned()
                .collect();
        }
        let mut layers = Vec::new();
        for (layer, head) in source.layers().zip(heads) {
            words.add(&Words {
                layer,
                name: &head.name,
                marker: layer.is_overlay().then(|| marker(&head.name)),
            })?;
            layers.push(words.clone());
        }
        Ok(layers)
    }

    fn add(&mut self, words: &Words<'_>) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        let mut keep = |result: Result<(), Fault>| faults.extend(result.err());
        // An overlay may leave out what it adds nothing to.
        let adds = |file: &str| words.marker.is_none() || words.layer.has(file);
        if adds(AGENCIES) {
            keep(self.load_agencies(words));
        }
        if adds(PURPOSES) {
            keep(self.load_purposes(words));
        }
        if adds(ELEMENTS) {
            keep(self.load_elements(words));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    fn load_agencies(&mut self, words: &Words<'_>) -> Result<(), Fault> {
        let mut added = words.layer.toml::<Agencies>(AGENCIES)?.agency;
        let place = |name: &Spanned<String>| words.layer.span(AGENCIES, name.span());
        let paths = || added.iter().map(|agency| &agency.path);
        unique(words, AGENCIES, "agency", paths())?;
        for path in paths() {
            if let Some(known) = self
                .agencies
                .iter()
                .find(|a| overlap(a.path.get_ref(), path.get_ref()))
            {
                let problem = format!("is `{}` of `{}` already", known.path.get_ref(), known.layer);
                return Err(Fault::new(place(path), problem)
                    .field("path")
                    .hint(ONLY_ADDS));
            }
            let first = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
            let root = first(path.get_ref());
            if let Some(known) = self
                .agencies
                .iter()
                .find(|a| first(a.path.get_ref()) == root)
            {
                return Err(within(place(path), "path", &root, &known.layer));
            }
        }
        for agency in &mut added {
            words.name.clone_into(&mut agency.layer);
            agency.marker.clone_from(&words.marker);
        }
        let below = self.agencies.len();
        self.agencies.extend(added);
        for agency in self.agencies.iter().skip(below) {
            let family = agency.path.get_ref().split('/').any(|name| name == "*");
            if family != (agency.ids != Ids::None) {
                return Err(Fault::new(
                    place(&agency.path),
                    "a path with `*` says what the `*` stands for, and only such a path",
                )
                .field("ids")
                .hint("`ids = \"origin\"` or `ids = \"any\"`"));
            }
            for group in &agency.also_in {
                let Some(known) = self.agency(group.get_ref()) else {
                    let problem = format!("`{}` is not an agency of this pack", group.get_ref());
                    return Err(Fault::new(place(&agency.path), problem).field("in"));
                };
                if known.layer != words.name {
                    return Err(within(place(group), "in", group.get_ref(), &known.layer));
                }
            }
        }
        Ok(())
    }

    fn load_purposes(&mut self, words: &Words<'_>) -> Result<(), Fault> {
        let raw = words.layer.toml::<Purposes>(PURPOSES)?.purpose;
        let place = |name: &Spanned<String>| words.layer.span(PURPOSES, name.span());
        unique(
            words,
            PURPOSES,
            "purpose",
            raw.iter().map(|purpose| &purpose.path),
        )?;
        let mut added = Vec::new();
        for RawPurpose { path, title, plain } in raw {
            Plain::check(plain.as_ref(), words, PURPOSES)?;
            let first = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
            let root = first(path.get_ref());
            if let Some(known) = self
                .purposes
                .iter()
                .find(|known| known.path == *path.get_ref())
            {
                let problem = format!("is a purpose of `{}` already", known.layer);
                return Err(Fault::new(place(&path), problem)
                    .field("path")
                    .hint(ONLY_ADDS));
            }
            if let Some(known) = self
                .purposes
                .iter()
                .find(|known| first(&known.path) == root)
            {
                return Err(within(place(&path), "path", &root, &known.layer));
            }
            let path = path.into_inner();
            let mut within = prefixes(&path);
            within.extend(words.marker.clone());
            added.push(Purpose {
                within,
                path,
                title,
                plain: plain.map(Spanned::into_inner),
                layer: words.name.to_owned(),
            });
        }
        self.purposes.extend(added);
        Ok(())
    }

    fn load_elements(&mut self, words: &Words<'_>) -> Result<(), Fault> {
        let raw = words.layer.toml::<Elements>(ELEMENTS)?;
        let place = |name: &Spanned<String>| words.layer.span(ELEMENTS, name.span());
        unique(
            words,
            ELEMENTS,
            "element",
            raw.element.iter().map(|element| &element.name),
        )?;
        unique(words, ELEMENTS, "set", raw.set.iter().map(|set| &set.name))?;
        let is_known = |layer: &str, name: &Spanned<String>| {
            let problem = format!("is declared by `{layer}` already");
            Fault::new(place(name), problem).field(name.get_ref())
        };
        for RawElement { name, plain, .. } in &raw.element {
            Plain::check(plain.as_ref(), words, ELEMENTS)?;
            if let Some(known) = self.element(name.get_ref()) {
                return Err(is_known(&known.layer, name).hint(ONLY_ADDS));
            }
        }
        for RawSet { name, .. } in &raw.set {
            if let Some(known) = self.sets.iter().find(|set| set.name == *name.get_ref()) {
                return Err(is_known(&known.layer, name).hint(
                    "a set is closed: its provisions were read for its elements and no others; \
                     give the new set a name of its own",
                ));
            }
        }
        self.elements.extend(
            raw.element
                .into_iter()
                .map(|RawElement { name, title, plain }| Element {
                    name: name.into_inner(),
                    title,
                    plain: plain.map(Spanned::into_inner),
                    layer: words.name.to_owned(),
                }),
        );
        self.set_existence(words, raw.existence)?;
        for RawSet {
            name,
            title,
            members,
        } in raw.set
        {
            for member in &members {
                if self.element(member.get_ref()).is_none() {
                    return Err(Fault::new(
                        place(member),
                        format!("unknown element `{}`", member.get_ref()),
                    )
                    .field("members")
                    .hint(did_you_mean(member.get_ref(), self.element_names())));
                }
            }
            let members = members.into_iter().map(Spanned::into_inner).collect();
            self.sets.push(ElementSet {
                name: name.into_inner(),
                title,
                members,
                layer: words.name.to_owned(),
            });
        }
        if let Some(marker) = &words.marker {
            let added = self
                .elements
                .iter()
                .filter(|element| element.layer == words.name);
            self.sets.push(ElementSet {
                name: marker.clone(),
                title: format!("what the overlay {} adds", words.name),
                members: added.map(|element| element.name.clone()).collect(),
                layer: words.name.to_owned(),
            });
        }
        Ok(())
    }

    /// What a row's existence discloses is the pack's to say.
    fn set_existence(
        &mut self,
        words: &Words<'_>,
        existence: Option<Spanned<String>>,
    ) -> Result<(), Fault> {
        let place = |span| words.layer.span(ELEMENTS, span);
        match (existence, &words.marker) {
            (Some(name), Some(_)) => {
                let problem = format!("is said by the pack: `{}`", self.existence);
                Err(Fault::new(place(name.span()), problem)
                    .field("existence")
                    .hint(ONLY_ADDS))
            }
            (None, Some(_)) => Ok(()),
            (None, None) => Err(Fault::new(
                chancery_model::Place::file(words.layer.name_of(ELEMENTS)),
                "does not say what a row's existence discloses",
            )
            .field("existence")
            .hint("`existence = \"…\"` names the element")),
            (Some(name), None) => {
                self.existence.clone_from(name.get_ref());
                if self.element(&self.existence).is_none() {
                    let problem = "is not an element of this pack";
                    return Err(Fault::new(place(name.span()), problem).field("existence"));
                }
                Ok(())
            }
        }
    }

    /// The agency at `path`, which may be of a family: `research/umich` is of `research/*`.
    ///
    /// ```
    /// fn check(words: &chancery_law::Vocabulary) {
    ///     assert!(words.agency("state/06/medicaid").is_some());
    ///     assert!(words.agency("state/Calif./medicaid").is_none());
    /// }
    /// # let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../law/us-medicaid");
    /// # let names = ["pack.toml", "schema.cedarschema", "agencies.toml", "purposes.toml",
    /// #     "elements.toml", "classification.toml"];
    /// # let read = |name: &str| std::fs::read_to_string(format!("{dir}/{name}")).unwrap();
    /// # let files = names.iter().map(|name| (name.to_string(), read(name))).collect();
    /// # let source = chancery_law::PackSource::new("law", files);
    /// # check(chancery_law::LawPack::load(&source).unwrap().vocabulary());
    /// ```
    pub fn agency(&self, path: &str) -> Option<Agency> {
        let (raw, id) = self
            .agencies
            .iter()
            .find_map(|raw| Some((raw, self.matches(raw, path)?)))?;
        let mut within = prefixes(path);
        within.extend(raw.also_in.iter().map(|group| group.get_ref().clone()));
        within.extend(raw.marker.clone());
        let jurisdiction = match raw.ids {
            Ids::Origin => BTreeSet::from([id.to_owned()]),
            Ids::None | Ids::Any => BTreeSet::new(),
        };
        let name = raw.name.replace('*', id);
        Some(Agency {
            path: path.to_owned(),
            name,
            name_es: raw.name_es.as_ref().map(|name| name.replace('*', id)),
            address: raw.address.clone(),
            within,
            jurisdiction,
            layer: raw.layer.clone(),
        })
    }

    /// What the `*` of an entry stands for in `path`, if the path is of the entry; nothing in one
    /// without.
    fn matches<'a>(&self, raw: &RawAgency, path: &'a str) -> Option<&'a str> {
        let mut id = "";
        let mut names = path.split('/');
        for pattern in raw.path.get_ref().split('/') {
            let name = names.next()?;
            match (pattern, raw.ids) {
                ("*", Ids::Origin) if self.origins.contains(name) => id = name,
                ("*", Ids::Any) if is_id(name) => id = name,
                ("*", _) => return None,
                _ if pattern == name => {}
                _ => return None,
            }
        }
        names.next().is_none().then_some(id)
    }

    /// The paths of the agencies, families with a `*`.
    pub fn agency_paths(&self) -> impl Iterator<Item = &str> {
        self.agencies
            .iter()
            .map(|agency| agency.path.get_ref().as_str())
    }

    /// Every agency, a family of origins in full; of a family of any id one agency that is not
    /// `taken`, with the family's path.
    pub(crate) fn every_agency(&self, taken: &BTreeSet<&str>) -> Vec<(Agency, Option<String>)> {
        let paths = self.agencies.iter().flat_map(|raw| {
            let path = raw.path.get_ref();
            match raw.ids {
                Ids::None => vec![(path.clone(), None)],
                Ids::Origin => self
                    .origins
                    .iter()
                    .map(|origin| (path.replace('*', origin), None))
                    .collect(),
                Ids::Any => {
                    let any = (0..).map(|n| path.replace('*', &format!("any-{n}")));
                    let free = any.filter(|path| !taken.contains(path.as_str()));
                    free.take(1).map(|one| (one, Some(path.clone()))).collect()
                }
            }
        });
        paths
            .filter_map(|(path, family)| Some((self.agency(&path)?, family)))
            .collect()
    }

    /// The name of an agency or of a family of them; the path itself if it is unknown.
    pub fn agency_name(&self, path: &str) -> String {
        let family = self.agencies.iter().find(|raw| raw.path.get_ref() == path);
        let name = family.map(|raw| raw.name.clone());
        let agency = || self.agency(path).map(|agency| agency.name);
        name.or_else(agency).unwrap_or_else(|| path.to_owned())
    }

    /// Every agency of a family of origins such as `state/*`; none of a family of any id.
    pub fn family(&self, path: &str) -> BTreeSet<String> {
        let raw = self.agencies.iter().find(|raw| raw.path.get_ref() == path);
        match raw.map(|raw| raw.ids) {
            Some(Ids::Origin) => self
                .origins
                .iter()
                .map(|origin| path.replace('*', origin))
                .collect(),
            _ => BTreeSet::new(),
        }
    }

    /// The purpose at `path`.
    pub fn purpose(&self, path: &str) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.path == path)
    }

    /// The purposes in the pack's order.
    pub fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    /// The element called `name`.
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// The elements in the pack's order.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The names of the elements.
    pub fn element_names(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().map(|element| element.name.as_str())
    }

    /// The element that a row's existence discloses: a row leaves only where it is lawful.
    pub fn existence(&self) -> &str {
        &self.existence
    }

    /// The sets of elements.
    pub fn sets(&self) -> &[ElementSet] {
        &self.sets
    }
}

/// `a/b/c` is within `a/b` and `a`.
fn prefixes(path: &str) -> Vec<String> {
    path.rmatch_indices('/')
        .map(|(at, _)| path.split_at(at).0.to_owned())
        .collect()
}

fn is_id(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
}

const AGENCIES: &str = "agencies.toml";
const PURPOSES: &str = "purposes.toml";
const ELEMENTS: &str = "elements.toml";

const ONLY_ADDS: &str = "an overlay adds to the layers below, and changes nothing in them";

/// A provision of a layer below may except an agency or a purpose of its own with all within it:
/// whatever an overlay put there would slip through the exception.
fn within(place: chancery_model::Place, field: &str, root: &str, layer: &str) -> Fault {
    let problem = format!("would be within `{root}` of `{layer}`, whose provisions do not know it");
    Fault::new(place, problem)
        .field(field)
        .hint("begin the path with a name of your own, for example `ca-dhcs/contractor`")
}

/// Whether two paths, of which either may be a family, can stand for the same agency.
fn overlap(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('/'), other.split('/'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == "*" || b == "*" => {}
            _ => return false,
        }
    }
}

fn unique<'a>(
    words: &Words<'_>,
    file: &str,
    what: &str,
    names: impl Iterator<Item = &'a Spanned<String>>,
) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for name in names {
        let problem = if name.get_ref().starts_with(MARKER) {
            format!(
                "no {what} may be called `{MARKER}…`, which stands for all that an overlay adds"
            )
        } else if !seen.insert(name.get_ref()) {
            format!("{what} `{}` is declared twice", name.get_ref())
        } else {
            continue;
        };
        return Err(Fault::new(words.layer.span(file, name.span()), problem));
    }
    Ok(())
}

/// A hint that names the nearest known word, or where to find them all.
pub fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    if word.contains('*') {
        return "`*` stands for one of many: name it, as `state/06` is one of `state/*`".to_owned();
    }
    match nearest(word, known) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "`chancery law list` names what the law pack knows".to_owned(),
    }
}

/// The known word that is nearest to a word, if one is near.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().max(word.len()) / 2)
        .map(|(_, known)| known)
}
