use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::{Policy, PolicySet, Schema, ValidationMode, Validator};
use chancery_model::{Classification, Digest, Domain, Fault, LayerUsed, Place, UNKNOWN};
use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use crate::check::Checker;
use crate::classification::{self, Move};
use crate::expression::Probe;
use crate::source::Head;
use crate::vocabulary::did_you_mean;
use crate::{
    Agreement, AssertionKind, Effect, Error, Instrument, PackSource, Provision, Query, Scope,
    Vocabulary, agreement, assertion, provision, schema, vocabulary,
};

/// A law pack with the overlays on it: instruments, vocabulary and classification table, parsed and
/// strictly validated.
///
/// An overlay adds. Two things keep what it adds from letting go what the layers below hold back,
/// other than by a permit of its own:
///
/// - its words are known to no provision below it. No agency or purpose of it is within one of a
///   layer below, sets are closed, and each permit of a layer below is made to except them;
/// - its classification rules only correct what the pack concludes, and only so that no provision of
///   any layer lets more go for a record so corrected.
///
/// INVARIANT: every provision in it passed Cedar's strict validator without a warning, uses no
/// operator that can err, names only declared things, and, if it forbids, is not escaped by a
/// record with an unknown attribute. A permit of a layer never applies to a word of a layer above it.
#[derive(Clone)]
pub struct LawPack {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The digest over its files, and those of the overlays.
    pub digest: Digest,
    /// The pack itself and the overlays on it, from the lowest to the topmost.
    pub layers: Vec<PackLayer>,
    pub(crate) schema: Schema,
    pub(crate) schema_text: String,
    pub(crate) domain: Domain,
    pub(crate) types: Vec<String>,
    /// What may be done with a record, by the schema.
    pub(crate) actions: Vec<String>,
    pub(crate) probe: Arc<Probe>,
    vocabulary: Vocabulary,
    classification: Classification,
    instruments: Vec<Instrument>,
    as_known: Option<Date>,
    timeline: Option<Query>,
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
    timeline: Option<RawFlow>,
}

/// The flow that a timeline is about unless it is told otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFlow {
    custodian: Spanned<String>,
    recipient: Spanned<String>,
    purpose: Spanned<String>,
}

/// A pack, or an overlay on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackLayer {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The digest over its own files.
    pub digest: Digest,
    /// The digest over what it says apart from its instruments.
    pub base: Digest,
}

impl PackLayer {
    /// What a decision cites of it.
    pub(crate) fn used(&self) -> LayerUsed {
        LayerUsed {
            name: self.name.clone(),
            version: self.version.clone(),
            digest: self.digest,
        }
    }
}

impl LawPack {
    /// Parses and validates a pack.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every defect found, each with file, line and span.
    pub fn load(source: &PackSource) -> Result<Self, Error> {
        let deceiving = source.deceiving();
        if !deceiving.is_empty() {
            return Err(Error::Invalid(deceiving));
        }
        let one = |fault: Fault| Error::Invalid(vec![fault]);
        let raw: RawPack = source.toml("pack.toml").map_err(one)?;
        let head = Head {
            name: raw.name.clone(),
            title: raw.title.clone(),
            version: raw.version.clone(),
        };
        let heads = source.heads(head).map_err(one)?;
        let loaded = schema::load(source).map_err(one)?;
        let (classification, moves) = classification::load(source, &loaded.domain).map_err(one)?;
        let words = Vocabulary::load(source, &heads, &loaded.domain, &classification.origin)
            .map_err(Error::Invalid)?;
        let internal =
            |problem: String| one(Fault::new(Place::file(source.name(schema::FILE)), problem));
        let probe = Probe::new(&loaded.domain, &loaded.types).map_err(internal)?;
        let layers = heads
            .iter()
            .zip(source.layers())
            .map(|(head, layer)| PackLayer {
                name: head.name.clone(),
                title: head.title.clone(),
                version: head.version.clone(),
                digest: layer.digest(),
                base: layer.base_digest(),
            });
        let layers = layers.collect();
        let mut pack = Self {
            name: raw.name,
            title: raw.title,
            version: raw.version,
            digest: source.digest(),
            layers,
            schema: loaded.schema,
            schema_text: source.text(schema::FILE).map_err(one)?.to_owned(),
            domain: loaded.domain,
            types: loaded.types,
            actions: loaded.actions,
            probe: Arc::new(probe),
            vocabulary: words.last().cloned().unwrap_or_default(),
            classification,
            instruments: Vec::new(),
            as_known: None,
            timeline: None,
        };
        let mut faults = pack.load_instruments(source, &words);
        if let Some(flow) = raw.timeline {
            match pack.flow(source, &flow) {
                Ok(query) => pack.timeline = Some(query),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            faults = pack.check_moves(&words, &moves);
        }
        if faults.is_empty() {
            faults = pack.except_words_above();
        }
        if faults.is_empty() {
            faults.extend(source.units().err());
        }
        if faults.is_empty() {
            Ok(pack)
        } else {
            Err(Error::Invalid(faults))
        }
    }

    fn load_instruments(&mut self, source: &PackSource, words: &[Vocabulary]) -> Vec<Fault> {
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
        let clashes = source.clashes();
        if !clashes.is_empty() {
            faults.extend(clashes);
            return faults;
        }
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        for folder in source.instruments() {
            match Instrument::load(source, folder, &origins) {
                Ok(mut instrument) => {
                    if let Some(other) = ids.insert(instrument.id.clone(), folder.to_owned()) {
                        faults.push(same_id(source, &instrument, &other));
                    }
                    let layer = self.layers.get(source.layer_number(folder));
                    instrument.layer = layer.map(|layer| layer.name.clone()).unwrap_or_default();
                    self.instruments.push(instrument);
                }
                Err(found) => faults.extend(found),
            }
        }
        let mut instruments = std::mem::take(&mut self.instruments);
        // A provision may speak of what its own layer and those below it have.
        let mut ids: Vec<String> = Vec::new();
        for (at, (layer, words)) in self.layers.iter().zip(words).enumerate() {
            let of_layer = || instruments.iter().filter(|i| i.layer == layer.name);
            ids.extend(of_layer().map(|i| i.id.clone()));
            let mut found = Vec::new();
            for instrument in instruments.iter_mut().filter(|i| i.layer == layer.name) {
                found.extend(self.load_provisions(source, instrument, words, &ids));
                found.extend(self.load_assertions(source, instrument, words, at));
                found.extend(self.load_agreement(source, instrument, words, &ids));
            }
            faults.extend(found);
        }
        self.instruments = instruments;
        faults
    }

    /// Holds every provision against what the overlays' classification can change in a record.
    fn check_moves(&self, words: &[Vocabulary], moves: &[Move]) -> Vec<Fault> {
        if moves.is_empty() {
            return Vec::new();
        }
        let ids: Vec<String> = self.instruments.iter().map(|i| i.id.clone()).collect();
        let mut faults = Vec::new();
        for (layer, words) in self.layers.iter().zip(words) {
            for instrument in self.instruments.iter().filter(|i| i.layer == layer.name) {
                let checker = self.checker(instrument, words, &ids);
                let provisions = instrument.provisions.iter();
                faults.extend(provisions.flat_map(|provision| checker.moved(provision, moves)));
            }
        }
        faults
    }

    /// Makes the permits of a layer except every word of the layers above it, which whoever wrote
    /// and signed them could not know.
    fn except_words_above(&mut self) -> Vec<Fault> {
        let names: Vec<String> = self.layers.iter().map(|layer| layer.name.clone()).collect();
        let mut faults = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let above: Vec<&String> = names.iter().skip(at + 1).collect();
            let of_layer = self.instruments.iter_mut().filter(|i| i.layer == *name);
            let provisions = of_layer.flat_map(|instrument| &mut instrument.provisions);
            for provision in provisions.filter(|p| p.effect == Effect::Permit && !above.is_empty())
            {
                let guard = above.iter().map(|overlay| excepted(overlay));
                let guard = guard.collect::<Vec<_>>().join(" || ");
                faults.extend(except(provision, &guard).err());
            }
        }
        faults
    }

    fn checker<'a>(
        &'a self,
        instrument: &'a Instrument,
        vocabulary: &'a Vocabulary,
        instruments: &'a [String],
    ) -> Checker<'a> {
        Checker {
            instrument,
            vocabulary,
            instruments,
            domain: &self.domain,
            probe: &self.probe,
        }
    }

    fn load_provisions(
        &self,
        source: &PackSource,
        instrument: &mut Instrument,
        vocabulary: &Vocabulary,
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
        let checker = self.checker(instrument, vocabulary, instruments);
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

    fn load_agreement(
        &self,
        source: &PackSource,
        instrument: &mut Instrument,
        vocabulary: &Vocabulary,
        instruments: &[String],
    ) -> Vec<Fault> {
        let known = agreement::Known {
            vocabulary,
            domain: &self.domain,
            instruments,
        };
        match Agreement::load(source, &instrument.folder, &instrument.kind, &known) {
            Ok(agreement) => {
                instrument.agreement = agreement;
                Vec::new()
            }
            Err(faults) => faults,
        }
    }

    /// What an assertion says of every element is said of all layers' where it must never leave, and
    /// where it must always leave of its own layer, which has this number, and those below it. So
    /// are agencies and purposes.
    fn load_assertions(
        &self,
        source: &PackSource,
        instrument: &mut Instrument,
        of_layer: &Vocabulary,
        layer: usize,
    ) -> Vec<Fault> {
        let above = self.layers.iter().skip(layer + 1);
        let above: Vec<Scope> = above
            .map(|layer| Scope::Within(vocabulary::marker(&layer.name)))
            .collect();
        let known = assertion::Known {
            vocabulary: &self.vocabulary,
            of_layer,
            domain: &self.domain,
            origin: &self.classification.origin,
            actions: &self.actions,
        };
        match assertion::load(source, &instrument.folder, &instrument.id, &known) {
            Ok(mut assertions) => {
                for assertion in &mut assertions {
                    if assertion.kind == AssertionKind::Always {
                        assertion.custodians.except.extend(above.clone());
                        assertion.recipients.except.extend(above.clone());
                        assertion.purposes.except.extend(above.clone());
                    }
                }
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

    /// The pack as it was known on a day: without the events and parties that were recorded later.
    ///
    /// Its instruments, its provisions and its digest are those of the pack: an instrument of which
    /// nothing had been recorded is in force on no day.
    #[must_use]
    pub fn as_known(&self, known: Date) -> Self {
        let mut pack = self.clone();
        for instrument in &mut pack.instruments {
            instrument.forget_after(known);
        }
        pack.as_known = Some(pack.as_known.map_or(known, |before| before.min(known)));
        pack
    }

    /// The day as known on which it stands; `None` when everything recorded counts.
    pub fn known_by(&self) -> Option<Date> {
        self.as_known
    }

    fn flow(&self, source: &PackSource, flow: &RawFlow) -> Result<Query, Fault> {
        let words = &self.vocabulary;
        let unknown = |field: &str, word: &Spanned<String>, hint: String| {
            let place = source.span("pack.toml", word.span());
            let problem = format!("`{}` is not in the pack's vocabulary", word.get_ref());
            Fault::new(place, problem).field(field).hint(hint)
        };
        let agency = |field: &str, path: &Spanned<String>| {
            words.agency(path.get_ref()).ok_or_else(|| {
                let hint = did_you_mean(path.get_ref(), words.agency_paths());
                unknown(field, path, hint)
            })
        };
        let purpose = words.purpose(flow.purpose.get_ref()).ok_or_else(|| {
            let known = words.purposes().iter().map(|purpose| purpose.path.as_str());
            let hint = did_you_mean(flow.purpose.get_ref(), known);
            unknown("purpose", &flow.purpose, hint)
        })?;
        Ok(Query {
            recipient: agency("recipient", &flow.recipient)?,
            custodian: agency("custodian", &flow.custodian)?,
            purpose: purpose.clone(),
        })
    }

    /// The flow that a timeline of the pack is about unless it is told otherwise.
    pub fn timeline_flow(&self) -> Option<&Query> {
        self.timeline.as_ref()
    }

    /// The agencies, purposes and elements.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The attributes of a record and their closed domains.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The entity type of the values of the attribute that names where a record comes from.
    pub(crate) fn origin_type(&self) -> &str {
        let origin = self.domain.attribute(&self.classification.origin);
        let found = origin.and_then(|(at, _)| self.types.get(at));
        found.map_or("Origin", String::as_str)
    }

    /// The table that derives a person's attributes.
    pub fn classification(&self) -> &Classification {
        &self.classification
    }

    /// The instruments, layer by layer and by folder name.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    pub(crate) fn instruments_mut(&mut self) -> &mut Vec<Instrument> {
        &mut self.instruments
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

/// Whether a request has to do with a word of an overlay, as a Cedar expression.
fn excepted(overlay: &str) -> String {
    let marker = vocabulary::marker(overlay);
    format!(
        "principal in Agency::\"{marker}\" || context.custodian in Agency::\"{marker}\" || \
         context.purpose in Purpose::\"{marker}\" || context.element in ElementSet::\"{marker}\""
    )
}

fn except(provision: &mut Provision, guard: &str) -> Result<(), Fault> {
    let fault = |problem: String| Fault::new(provision.place.clone(), problem);
    let text = provision.policy.to_string();
    let body = text.trim_end().strip_suffix(';');
    let body = body.ok_or_else(|| fault("the provision does not end with `;`".to_owned()))?;
    let guarded = format!("{body}\nunless {{ {guard} }};");
    let policy = Policy::parse(Some(provision.policy.id().clone()), guarded);
    provision.policy = policy.map_err(|error| fault(error.to_string()))?;
    Ok(())
}
