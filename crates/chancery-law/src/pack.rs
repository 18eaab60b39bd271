use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};
use chancery_model::{Classification, Digest, Domain, Fault, Place, UNKNOWN};
use serde::Deserialize;

use crate::check::Checker;
use crate::expression::Probe;
use crate::{
    Error, Instrument, PackSource, Vocabulary, assertion, classification, provision, schema,
};

/// A law pack: instruments, vocabulary and classification table, parsed and strictly validated.
///
/// INVARIANT: every provision in it passed Cedar's strict validator without a warning, uses no
/// operator that can err, names only declared things, and, if it forbids, is not escaped by a
/// record with an unknown attribute.
pub struct LawPack {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The digest over its files.
    pub digest: Digest,
    pub(crate) schema: Schema,
    pub(crate) schema_text: String,
    pub(crate) domain: Domain,
    pub(crate) types: Vec<String>,
    /// What may be done with a record, by the schema.
    pub(crate) actions: Vec<String>,
    pub(crate) probe: Probe,
    vocabulary: Vocabulary,
    classification: Classification,
    instruments: Vec<Instrument>,
}

impl std::fmt::Debug for LawPack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LawPack")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the description is for the reader of the file")]
struct RawPack {
    name: String,
    title: String,
    version: String,
    description: Option<String>,
}

impl LawPack {
    /// Parses and validates a pack.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every defect found, each with file, line and span.
    pub fn load(source: &PackSource) -> Result<Self, Error> {
        let one = |fault: Fault| Error::Invalid(vec![fault]);
        let raw: RawPack = source.toml("pack.toml").map_err(one)?;
        let loaded = schema::load(source).map_err(one)?;
        let classification = classification::load(source, &loaded.domain).map_err(one)?;
        let vocabulary = Vocabulary::load(source, &loaded.domain, &classification.origin)
            .map_err(Error::Invalid)?;
        let internal =
            |problem: String| one(Fault::new(Place::file(source.name(schema::FILE)), problem));
        let probe = Probe::new(&loaded.domain, &loaded.types).map_err(internal)?;
        let mut pack = Self {
            name: raw.name,
            title: raw.title,
            version: raw.version,
            digest: source.digest(),
            schema: loaded.schema,
            schema_text: source.text(schema::FILE).map_err(one)?.to_owned(),
            domain: loaded.domain,
            types: loaded.types,
            actions: loaded.actions,
            probe,
            vocabulary,
            classification,
            instruments: Vec::new(),
        };
        let faults = pack.load_instruments(source);
        if faults.is_empty() {
            Ok(pack)
        } else {
            Err(Error::Invalid(faults))
        }
    }

    fn load_instruments(&mut self, source: &PackSource) -> Vec<Fault> {
        let (_, origins) = self
            .domain
            .attribute(&self.classification.origin)
            .map_or((0, &[][..]), |(at, a)| (at, a.values.as_slice()));
        let origins: BTreeSet<String> = origins
            .iter()
            .filter(|origin| *origin != UNKNOWN)
            .cloned()
            .collect();
        let mut faults = source.unread();
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        for folder in source.instruments() {
            match Instrument::load(source, folder, &origins) {
                Ok(instrument) => {
                    if let Some(other) = ids.insert(instrument.id.clone(), folder.to_owned()) {
                        faults.push(same_id(source, &instrument, &other));
                    }
                    self.instruments.push(instrument);
                }
                Err(found) => faults.extend(found),
            }
        }
        let ids: Vec<String> = self.instruments.iter().map(|i| i.id.clone()).collect();
        let mut instruments = std::mem::take(&mut self.instruments);
        for instrument in &mut instruments {
            faults.extend(self.load_provisions(source, instrument, &ids));
            faults.extend(self.load_assertions(source, instrument));
        }
        self.instruments = instruments;
        faults
    }

    fn load_provisions(
        &self,
        source: &PackSource,
        instrument: &mut Instrument,
        instruments: &[String],
    ) -> Vec<Fault> {
        let names = instrument
            .interpretations
            .iter()
            .map(|reading| reading.name.as_str())
            .collect();
        let provisions = provision::load(source, &instrument.folder, &instrument.id, &names);
        instrument.provisions = match provisions {
            Ok(provisions) => provisions,
            Err(faults) => return faults,
        };
        if let Some(fault) = instrument.never_in_force(source) {
            return vec![fault];
        }
        let path = format!("instruments/{}/provisions.cedar", instrument.folder);
        let text = source.text(&path).unwrap_or_default();
        let checker = Checker {
            instrument,
            vocabulary: &self.vocabulary,
            instruments,
            domain: &self.domain,
            probe: &self.probe,
        };
        let mut faults: Vec<Fault> = Vec::new();
        for provision in &instrument.provisions {
            let found = checker.check(provision, text);
            // What Cedar's validator says of an operator that is refused anyway adds nothing.
            faults.extend(if found.is_empty() {
                self.validate(source, &path, provision)
            } else {
                found
            });
        }
        faults
    }

    fn load_assertions(&self, source: &PackSource, instrument: &mut Instrument) -> Vec<Fault> {
        let known = assertion::Known {
            vocabulary: &self.vocabulary,
            domain: &self.domain,
            origin: &self.classification.origin,
            actions: &self.actions,
        };
        match assertion::load(source, &instrument.folder, &instrument.id, &known) {
            Ok(assertions) => {
                instrument.assertions = assertions;
                Vec::new()
            }
            Err(faults) => faults,
        }
    }

    /// Cedar's strict validation; a warning (a clause that can never apply) is a fault too.
    fn validate(
        &self,
        source: &PackSource,
        path: &str,
        provision: &crate::Provision,
    ) -> Vec<Fault> {
        let set = match PolicySet::from_policies([provision.policy.clone()]) {
            Ok(set) => set,
            Err(error) => return vec![Fault::new(provision.place.clone(), error.to_string())],
        };
        let result = Validator::new(self.schema.clone()).validate(&set, ValidationMode::Strict);
        let fault = |problem: String, diagnostic: &dyn miette::Diagnostic| {
            let label = diagnostic.labels().and_then(|mut labels| labels.next());
            let place = label.map_or_else(
                || provision.place.clone(),
                |label| source.span(path, label.offset()..label.offset() + label.len()),
            );
            let fault = Fault::new(place, problem);
            match diagnostic.help() {
                Some(help) => fault.hint(help.to_string()),
                None => fault,
            }
        };
        let errors = result
            .validation_errors()
            .map(|error| fault(error.to_string(), error));
        let warnings = result
            .validation_warnings()
            .map(|warning| fault(warning.to_string(), warning));
        errors.chain(warnings).collect()
    }

    /// The agencies, purposes and elements.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The attributes of a record and their closed domains.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The table that derives a person's attributes.
    pub fn classification(&self) -> &Classification {
        &self.classification
    }

    /// The instruments by folder name.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The instrument with this id.
    pub fn instrument(&self, id: &str) -> Option<&Instrument> {
        self.instruments
            .iter()
            .find(|instrument| instrument.id == id)
    }

    /// The provision with this id, and its instrument.
    pub fn provision(&self, id: &str) -> Option<(&Instrument, &crate::Provision)> {
        let instrument = self.instrument(id.split_once('#')?.0)?;
        Some((
            instrument,
            instrument
                .provisions
                .iter()
                .find(|provision| provision.id == id)?,
        ))
    }
}

fn same_id(source: &PackSource, instrument: &Instrument, other: &str) -> Fault {
    let path = format!("instruments/{}/instrument.toml", instrument.folder);
    let text = source.text(&path).unwrap_or_default();
    chancery_model::Request::fault(
        &source.name(&path),
        text,
        "id",
        format!("`{}` is also the id of instruments/{other}", instrument.id),
    )
    .hint("give each instrument an id of its own")
}
