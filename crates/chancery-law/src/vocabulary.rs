use std::collections::BTreeSet;

use chancery_model::{Domain, Fault, UNKNOWN};
use serde::Deserialize;
use toml::Spanned;

use crate::PackSource;

/// An agency, or whoever else discloses or receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agency {
    /// Its path: `dhs/ice` is within `dhs`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its postal address, where known (`45 CFR 164.528(b)(2)(ii)`).
    pub address: Option<String>,
    /// Everything it is within, nearest first.
    pub within: Vec<String>,
    /// The origins whose records it submits or administers itself.
    pub jurisdiction: BTreeSet<String>,
}

/// A purpose of disclosure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// Its path.
    pub path: String,
    /// In plain words.
    pub title: String,
    /// The purposes it is within, nearest first.
    pub within: Vec<String>,
}

/// A data element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// In plain words.
    pub title: String,
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
}

/// The agencies, purposes and elements that the pack's instruments speak of.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    agencies: Vec<RawAgency>,
    /// FIPS origins, for agencies of a family such as `state/*`.
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
    address: Option<String>,
    #[serde(default)]
    ids: Ids,
    #[serde(default, rename = "in")]
    also_in: Vec<String>,
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elements {
    existence: Spanned<String>,
    element: Vec<RawElement>,
    #[serde(default)]
    set: Vec<RawSet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawElement {
    name: Spanned<String>,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSet {
    name: Spanned<String>,
    title: String,
    members: Vec<Spanned<String>>,
}

impl Vocabulary {
    pub(crate) fn load(
        source: &PackSource,
        domain: &Domain,
        origin: &str,
    ) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut keep = |result: Result<(), Fault>| faults.extend(result.err());
        let mut vocabulary = Self::default();
        keep(vocabulary.load_agencies(source, domain, origin));
        keep(vocabulary.load_purposes(source));
        keep(vocabulary.load_elements(source));
        if faults.is_empty() {
            Ok(vocabulary)
        } else {
            Err(faults)
        }
    }

    fn load_agencies(
        &mut self,
        source: &PackSource,
        domain: &Domain,
        origin: &str,
    ) -> Result<(), Fault> {
        const FILE: &str = "agencies.toml";
        self.agencies = source.toml::<Agencies>(FILE)?.agency;
        if let Some((_, attribute)) = domain.attribute(origin) {
            self.origins = attribute
                .values
                .iter()
                .filter(|v| *v != UNKNOWN)
                .cloned()
                .collect();
        }
        unique(
            source,
            FILE,
            "agency",
            self.agencies.iter().map(|agency| &agency.path),
        )?;
        for agency in &self.agencies {
            let family = agency.path.get_ref().split('/').any(|name| name == "*");
            if family != (agency.ids != Ids::None) {
                return Err(Fault::new(
                    source.span(FILE, agency.path.span()),
                    "a path with `*` says what the `*` stands for, and only such a path",
                )
                .field("ids")
                .hint("`ids = \"origin\"` or `ids = \"any\"`"));
            }
            if let Some(parent) = agency
                .also_in
                .iter()
                .find(|path| self.agency(path).is_none())
            {
                return Err(Fault::new(
                    source.span(FILE, agency.path.span()),
                    format!("`{parent}` is not an agency of this pack"),
                )
                .field("in"));
            }
        }
        Ok(())
    }

    fn load_purposes(&mut self, source: &PackSource) -> Result<(), Fault> {
        const FILE: &str = "purposes.toml";
        let raw = source.toml::<Purposes>(FILE)?.purpose;
        unique(
            source,
            FILE,
            "purpose",
            raw.iter().map(|purpose| &purpose.path),
        )?;
        self.purposes = raw
            .into_iter()
            .map(|RawPurpose { path, title }| {
                let path = path.into_inner();
                Purpose {
                    within: prefixes(&path),
                    path,
                    title,
                }
            })
            .collect();
        Ok(())
    }

    fn load_elements(&mut self, source: &PackSource) -> Result<(), Fault> {
        const FILE: &str = "elements.toml";
        let raw = source.toml::<Elements>(FILE)?;
        unique(
            source,
            FILE,
            "element",
            raw.element.iter().map(|element| &element.name),
        )?;
        unique(source, FILE, "set", raw.set.iter().map(|set| &set.name))?;
        self.elements = raw
            .element
            .into_iter()
            .map(|RawElement { name, title }| Element {
                name: name.into_inner(),
                title,
            })
            .collect();
        self.existence.clone_from(raw.existence.get_ref());
        if self.element(&self.existence).is_none() {
            let place = source.span(FILE, raw.existence.span());
            return Err(Fault::new(place, "is not an element of this pack").field("existence"));
        }
        for RawSet {
            name,
            title,
            members,
        } in raw.set
        {
            for member in &members {
                if self.element(member.get_ref()).is_none() {
                    return Err(Fault::new(
                        source.span(FILE, member.span()),
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
            });
        }
        Ok(())
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
        within.extend(raw.also_in.iter().cloned());
        let jurisdiction = match raw.ids {
            Ids::Origin => BTreeSet::from([id.to_owned()]),
            Ids::None | Ids::Any => BTreeSet::new(),
        };
        let name = raw.name.replace('*', id);
        Some(Agency {
            path: path.to_owned(),
            name,
            address: raw.address.clone(),
            within,
            jurisdiction,
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

fn unique<'a>(
    source: &PackSource,
    file: &str,
    what: &str,
    names: impl Iterator<Item = &'a Spanned<String>>,
) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.get_ref()) {
            return Err(Fault::new(
                source.span(file, name.span()),
                format!("{what} `{}` is declared twice", name.get_ref()),
            ));
        }
    }
    Ok(())
}

/// A hint that names the nearest known word, or where to find them all.
pub fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    if word.contains('*') {
        return "`*` stands for one of many: name it, as `state/06` is one of `state/*`".to_owned();
    }
    let nearest = known
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().max(word.len()) / 2);
    match nearest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => "`chancery law list` names what the law pack knows".to_owned(),
    }
}
