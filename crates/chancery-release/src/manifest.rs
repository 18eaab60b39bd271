//! The manifest: what left, to whom, under which law, and what was withheld, signed.

use std::collections::{BTreeMap, BTreeSet};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chancery_dataset::Dataset;
use chancery_law::{InForce, LawPack, OnRecord, Standing};
use chancery_ledger::{SigningKey, VerifierKey};
use chancery_model::{
    Digest, Fault, Interpretation, LawUsed, LayerUsed, Obligation, Place, Request,
};
use chancery_plan::StagedFile;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::staging::MANIFEST;
use crate::{Answer, Error, Shown};

/// The media type of a manifest's statement.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate: what a manifest says.
const PREDICATE_TYPE: &str = "urn:chancery:release-manifest:v1";

/// A DSSE envelope around a statement, in the form that is signed and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Signature {
    keyid: String,
    sig: String,
}

/// An in-toto Statement v1: the released files, and the manifest about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The statement's own type.
    #[serde(rename = "_type")]
    pub kind: String,
    /// The files.
    pub subject: Vec<Subject>,
    /// The predicate's type.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// The manifest.
    pub predicate: Manifest,
}

/// A released file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its path below the release.
    pub name: String,
    /// Its digests by algorithm, in hexadecimal.
    pub digest: BTreeMap<String, String>,
}

/// What left, to whom, under which law, and what was withheld: no cell of data.
///
/// Counts of what was withheld are suppressed where they are small; see [`Shown`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The request as it was made.
    pub request: Request,
    /// The day whose law applied.
    pub on: Date,
    /// The law.
    pub law: Law,
    /// The recipient as it is accounted for (`45 CFR 164.528(b)(2)(ii)`).
    pub recipient: Party,
    /// Full or partial.
    pub outcome: String,
    /// People.
    pub subjects: Subjects,
    /// The elements asked for.
    pub elements: Vec<Element>,
    /// People who get the same elements released.
    pub classes: Vec<Class>,
    /// The tables asked for.
    pub tables: Vec<Table>,
    /// The files that left.
    pub files: Vec<File>,
    /// The readings relied on.
    pub interpretations: Vec<Reading>,
    /// What recipient and custodian must do.
    pub obligations: Vec<Duty>,
    /// What was read.
    pub dataset: Input,
    /// How small counts are hidden.
    pub suppression: String,
    /// How many decisions the second evaluator took.
    pub confirmed_decisions: u64,
    /// The programs that made it.
    pub versions: BTreeMap<String, String>,
}

/// The law that a manifest cites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Law {
    /// The pack.
    pub pack: String,
    /// Its digest, and that of the overlays.
    pub digest: Digest,
    /// The pack and the overlays on it, from the lowest to the topmost, if there are overlays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerUsed>,
    /// The instruments in force.
    pub in_force: Vec<InstrumentCited>,
    /// The provisions cited below.
    pub provisions: Vec<ProvisionCited>,
    /// Whether it was made in a demonstration, in which law that nobody signed counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demonstration: bool,
    /// The sign-offs relied on: of the instruments that let something go, and of the pack's base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sign_offs: Vec<Signed>,
    /// What was suspended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspended: Vec<Signed>,
}

/// A sign-off, or a suspension, as the ledger holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The entry's index in the ledger.
    pub ledger_index: u64,
    /// The instrument, or the pack for its base.
    pub instrument: String,
    /// The digest of what was signed, or suspended.
    pub digest: Digest,
    /// The agency of who did.
    pub agency: String,
    /// The role of who did.
    pub role: String,
    /// The key of who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl From<&OnRecord> for Signed {
    fn from(one: &OnRecord) -> Self {
        Self {
            ledger_index: one.index,
            instrument: one.unit.clone(),
            digest: one.digest,
            agency: one.agency.clone(),
            role: one.role.clone(),
            key: one.key.clone(),
        }
    }
}

/// An instrument in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentCited {
    /// Its id.
    pub id: String,
    /// Its citation.
    pub citation: String,
    /// How far its encoding has been reviewed.
    pub review: String,
}

/// A provision that permitted or barred something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionCited {
    /// Its id.
    pub id: String,
    /// The clause.
    pub clause: String,
    /// Why, in plain words.
    pub reason: String,
}

/// A recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its path.
    pub agency: String,
    /// Its name.
    pub name: String,
    /// Its address, if known.
    pub address: Option<String>,
}

/// People in the dataset, released and withheld.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subjects {
    /// All.
    pub total: Shown,
    /// About whom at least one row left.
    pub released: u64,
    /// About whom nothing left.
    pub withheld: Shown,
}

/// An element asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    /// Its name.
    pub element: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// For whom it is lawful.
    pub released_when: String,
    /// About how many people it left.
    pub subjects: u64,
    /// The provisions that permit it.
    pub permitted_by: Vec<String>,
    /// The provisions that bar it.
    pub barred_by: Vec<String>,
}

/// People who get the same elements released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// How many.
    pub subjects: Shown,
    /// The elements.
    pub elements: Vec<String>,
    /// The provisions that permit them.
    pub permitted_by: Vec<String>,
    /// The provisions that bar the others.
    pub barred_by: Vec<String>,
}

/// A table asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub table: String,
    /// All rows.
    pub rows: Shown,
    /// Rows that left.
    pub released_rows: u64,
}

/// A file that left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its path below the release.
    pub path: String,
    /// Its table.
    pub table: String,
    /// Its origin.
    pub origin: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
}

/// A reading relied on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// `<instrument>#<name>`.
    pub id: String,
    /// The question.
    pub question: String,
    /// The reading taken.
    pub reading: String,
}

/// An obligation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// `<instrument>#<name>`.
    pub id: String,
    /// The clause.
    pub clause: String,
    /// What must be done.
    pub text: String,
}

/// The dataset that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// The digest of the classification table that derived the attributes.
    pub classification: String,
    /// Its files.
    pub sources: Vec<Source>,
    /// Lines that were left out because they are malformed.
    pub quarantined_lines: Shown,
    /// The same by reason.
    pub quarantined_by_reason: BTreeMap<String, Shown>,
    /// Lines of which nobody can tell whom they are about.
    pub quarantined_unattributed: Shown,
}

/// A file of the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

impl Manifest {
    /// The manifest of an answer whose files are staged.
    pub(crate) fn new(
        answer: &Answer,
        in_force: &InForce<'_>,
        dataset: &Dataset,
        files: &[StagedFile],
    ) -> Self {
        let decision = answer.decision();
        let law = in_force.pack();
        let (total, withheld) = Shown::withheld(decision.total, decision.released);
        // A person has many rows: where the count of people is hidden, so is every count of rows.
        let hide_rows = withheld.is_hidden();
        let recipient = &answer.question().query.recipient;
        Self {
            request: decision.request.clone(),
            on: decision.on,
            law: law_cited(&decision.law, in_force, answer),
            recipient: Party {
                agency: recipient.path.clone(),
                name: recipient.name.clone(),
                address: recipient.address.clone(),
            },
            outcome: decision.outcome.as_str().to_owned(),
            subjects: Subjects {
                total,
                released: decision.released,
                withheld,
            },
            elements: decision.elements.iter().map(|e| element(e, law)).collect(),
            classes: decision.classes.iter().map(class).collect(),
            tables: decision
                .tables
                .iter()
                .map(|t| table(t, hide_rows))
                .collect(),
            files: files.iter().map(file).collect(),
            interpretations: decision.interpretations.iter().map(reading).collect(),
            obligations: decision.obligations.iter().map(duty).collect(),
            dataset: input(dataset),
            suppression: "counts of withheld people, rows and lines from 1 to 10 are shown as \
                          \"<11\"; what would give them away is \"suppressed\""
                .to_owned(),
            confirmed_decisions: answer.confirmed().decisions(),
            versions: versions(),
        }
    }

    /// The in-toto statement over the staged files.
    pub(crate) fn statement(self, files: &[StagedFile]) -> Statement {
        let subject = |file: &StagedFile| Subject {
            name: format!("data/{}", file.path),
            digest: BTreeMap::from([("sha256".to_owned(), file.sha256.hex())]),
        };
        Statement {
            kind: STATEMENT_TYPE.to_owned(),
            subject: files.iter().map(subject).collect(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: self,
        }
    }
}

fn versions() -> BTreeMap<String, String> {
    let pairs = [
        ("chancery", env!("CARGO_PKG_VERSION")),
        ("cedar-language", "4.4"),
        ("cedar-policy", "4.14.1"),
        ("datafusion", "55.2.0"),
    ];
    pairs
        .into_iter()
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect()
}

fn law_cited(used: &LawUsed, law: &InForce<'_>, answer: &Answer) -> Law {
    let in_force = used
        .in_force
        .iter()
        .filter_map(|id| law.pack().instrument(id))
        .map(|instrument| InstrumentCited {
            id: instrument.id.clone(),
            citation: instrument.citation.clone(),
            review: instrument.review.status.clone(),
        });
    let decision = answer.decision();
    let elements = decision
        .elements
        .iter()
        .flat_map(|e| e.permitted_by.iter().chain(&e.barred_by));
    let cited: BTreeSet<&String> = elements.collect();
    let provisions = cited
        .into_iter()
        .filter_map(|id| Some((id, law.provision(id)?)))
        .map(|(id, (_, provision))| ProvisionCited {
            id: id.clone(),
            clause: provision.clause.clone(),
            reason: provision.reason.clone(),
        });
    Law {
        pack: used.pack.clone(),
        digest: used.digest,
        layers: used.layers.clone(),
        in_force: in_force.collect(),
        provisions: provisions.collect(),
        demonstration: law.standing().is_none(),
        sign_offs: relied_on(law, answer),
        suspended: law
            .standing()
            .map_or(&[][..], Standing::suspensions)
            .iter()
            .map(Signed::from)
            .collect(),
    }
}

fn relied_on(law: &InForce<'_>, answer: &Answer) -> Vec<Signed> {
    let Some(standing) = law.standing() else {
        return Vec::new();
    };
    let elements = &answer.decision().elements;
    let permits = elements.iter().flat_map(|element| &element.permitted_by);
    let instruments = permits.filter_map(|cite| law.provision(cite));
    let mut units: BTreeSet<&str> = instruments.map(|(one, _)| one.id.as_str()).collect();
    units.extend(standing.base().iter().map(String::as_str));
    let relied_on = standing.sign_offs().iter();
    let relied_on = relied_on.filter(|one| units.contains(one.unit.as_str()));
    relied_on.map(Signed::from).collect()
}

fn element(element: &chancery_model::ElementDecision, law: &LawPack) -> Element {
    Element {
        element: element.element.clone(),
        columns: element.columns.clone(),
        released_when: element
            .released_when
            .describe(&law.classification().origin, law.domain()),
        subjects: element.subjects,
        permitted_by: element.permitted_by.clone(),
        barred_by: element.barred_by.clone(),
    }
}

fn class(class: &chancery_model::Class) -> Class {
    let withheld = class.elements.is_empty();
    Class {
        subjects: if withheld {
            Shown::small(class.subjects)
        } else {
            Shown::Count(class.subjects)
        },
        elements: class.elements.clone(),
        permitted_by: class.permitted_by.clone(),
        barred_by: class.barred_by.clone(),
    }
}

fn table(table: &chancery_model::TableCount, hide: bool) -> Table {
    let (rows, _) = Shown::withheld(table.rows, table.released_rows);
    let all_left = table.rows == table.released_rows;
    Table {
        table: table.table.clone(),
        rows: if hide && !all_left {
            Shown::complement()
        } else {
            rows
        },
        released_rows: table.released_rows,
    }
}

fn file(file: &StagedFile) -> File {
    File {
        path: format!("data/{}", file.path),
        table: file.table.clone(),
        origin: file.origin.clone(),
        columns: file.columns.clone(),
        rows: file.rows,
        bytes: file.bytes,
    }
}

fn reading(reading: &Interpretation) -> Reading {
    Reading {
        id: reading.id.clone(),
        question: reading.question.clone(),
        reading: reading.reading.clone(),
    }
}

fn duty(duty: &Obligation) -> Duty {
    Duty {
        id: duty.id.clone(),
        clause: duty.clause.clone(),
        text: duty.text.clone(),
    }
}

fn input(dataset: &Dataset) -> Input {
    let catalogue = &dataset.catalogue;
    let sources = catalogue
        .sources
        .iter()
        .chain(&catalogue.map)
        .chain(&catalogue.determinations);
    let counts: Vec<u64> = catalogue.quarantine.by_reason.values().copied().collect();
    let (lines, shown) = Shown::parts(&counts);
    // One more figure about the same lines: hidden with them.
    let unattributed = match &lines {
        Shown::Count(_) => Shown::small(catalogue.quarantine.unattributed),
        Shown::Hidden(_) => Shown::complement(),
    };
    Input {
        name: catalogue.name.clone(),
        classification: catalogue.classification.clone(),
        sources: sources
            .map(|source| Source {
                name: source.name.clone(),
                bytes: source.bytes,
                sha256: source.sha256,
            })
            .collect(),
        quarantined_lines: lines,
        quarantined_by_reason: catalogue
            .quarantine
            .by_reason
            .keys()
            .cloned()
            .zip(shown)
            .collect(),
        quarantined_unattributed: unattributed,
    }
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::io("write", std::path::Path::new(MANIFEST))(error.into())
}

impl Envelope {
    /// Signs a statement (`github.com/secure-systems-lab/dsse`).
    pub(crate) fn sign(statement: &Statement, key: &SigningKey) -> Result<Self, Error> {
        let payload = serde_json::to_vec(statement).map_err(unwritable)?;
        let sig = key.sign(&pre_authentication(PAYLOAD_TYPE, &payload))?;
        Ok(Self {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: BASE64_STANDARD.encode(payload),
            signatures: vec![Signature {
                keyid: key.verifier().key_id(),
                sig: BASE64_STANDARD.encode(sig),
            }],
        })
    }

    /// The bytes of `manifest.dsse.json`.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(unwritable)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads an envelope and verifies its signature before anything in it is believed.
    ///
    /// # Errors
    ///
    /// What is wrong with the form, the signature or the statement.
    pub fn open(file: &str, bytes: &[u8], key: &VerifierKey) -> Result<Statement, Fault> {
        let fault = |problem: &str| {
            Fault::new(Place::file(file), problem)
                .hint("do not rely on this release; ask the custodian for what its ledger holds")
        };
        let envelope: Self =
            serde_json::from_slice(bytes).map_err(|_| fault("is not a DSSE envelope"))?;
        let payload = BASE64_STANDARD
            .decode(&envelope.payload)
            .map_err(|_| fault("has a payload that is not base64"))?;
        let message = pre_authentication(&envelope.payload_type, &payload);
        let signed = envelope.signatures.iter().any(|signature| {
            let sig = BASE64_STANDARD.decode(&signature.sig).ok();
            let sig = sig.and_then(|sig| <[u8; 64]>::try_from(sig).ok());
            sig.is_some_and(|sig| key.verify(&message, &sig).is_ok())
        });
        if !signed {
            return Err(fault("is not signed by the custodian's key")
                .hint("ask the custodian for its verifier key by another way, and compare"));
        }
        let statement: Statement = serde_json::from_slice(&payload)
            .map_err(|_| fault("does not hold a release manifest of this version"))?;
        if envelope.payload_type != PAYLOAD_TYPE
            || statement.kind != STATEMENT_TYPE
            || statement.predicate_type != PREDICATE_TYPE
        {
            return Err(fault("holds a statement of another type"));
        }
        Ok(statement)
    }
}

/// DSSE's PAE: what is signed, so that no payload can be taken for one of another type.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    message.extend_from_slice(payload);
    message
}

/// The digest of a file's bytes.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}
