//! The parsers.

mod ledger;

mod register;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chancery_dataset::{ColumnMap, Dictionary, Law, scan};
use chancery_law::{Error, LawPack, PackSource};
use chancery_ledger::{Algorithm, SigningKey};
use chancery_model::{Fault, Request};
use chancery_release::{Entry, Envelope, Reading};

use crate::Dice;

/// A parser with sound inputs.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// How many inputs take about a second without optimisation.
    pub rounds: u64,
    sound: fn() -> Vec<Vec<u8>>,
    words: &'static [&'static [u8]],
    /// Whether the input was taken, or what does not hold of it.
    check: fn(&[u8]) -> Result<bool, String>,
}

impl Target {
    /// A mutated input.
    pub fn input(&self, dice: &mut Dice) -> Vec<u8> {
        let one = dice.pick(&self.sound()).cloned().unwrap_or_default();
        dice.mutate(one, self.words)
    }

    /// The sound inputs, which are made once.
    fn sound(&self) -> Arc<Vec<Vec<u8>>> {
        static MADE: Mutex<BTreeMap<&str, Arc<Vec<Vec<u8>>>>> = Mutex::new(BTreeMap::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let sound = made.entry(self.name);
        Arc::clone(sound.or_insert_with(|| Arc::new((self.sound)())))
    }

    /// Whether the parser takes an input.
    ///
    /// # Errors
    ///
    /// What does not hold.
    pub fn check(&self, input: &[u8]) -> Result<bool, String> {
        (self.check)(input)
    }
}

/// Every target.
pub fn all() -> impl Iterator<Item = &'static Target> {
    OTHERS
        .iter()
        .chain(&ledger::LEDGER)
        .chain(&register::REGISTER)
}

const OTHERS: [Target; 7] = [
    Target {
        name: "tmsis",
        rounds: 20_000,
        sound: tmsis_sound,
        words: &[
            b"|",
            b"\n",
            b"ELG00003",
            b"ELG00005",
            b"ELG99999",
            b"V4.0.0",
            b"99991231",
            b"\r\n",
            b"\xff",
        ],
        check: tmsis,
    },
    Target {
        name: "request",
        rounds: 2_000,
        sound: || vec![REQUEST.as_bytes().to_vec()],
        words: &[
            b"recipient",
            b"= \"\"",
            b"[\"*\"]",
            b"[]",
            b"\"\"\"",
            b"format = \"csv\"\n",
            b"#",
        ],
        check: request,
    },
    Target {
        name: "map",
        rounds: 1_000,
        sound: || vec![MAP.as_bytes().to_vec()],
        words: &[
            b"[[column]]\n",
            b"name = ",
            b"plays = \"case_num\"\n",
            b"recode = {",
            b"origin_is = \"06\"\n",
            b"key = true\n",
        ],
        check: map,
    },
    Target {
        name: "law",
        rounds: 12,
        sound: law_sound,
        words: &[
            b"unless {",
            b"when {",
            b"forbid ",
            b"permit ",
            b"resource.presence",
            b" && ",
            b" || ",
            b"!",
            b"@id(\"x\")\n",
            b"[[event]]\n",
            b"[[party]]\n",
            b";",
            b"Agency::\"dhs\"",
            b".contains(",
            b"//",
        ],
        check: law,
    },
    Target {
        name: "entry",
        rounds: 4_000,
        sound: entries,
        words: &[
            b"\"version\":1,",
            b"\"type\":\"recall\",",
            b"\"until\":\"2026-02-09\"",
            b"\"manifest\":null,",
            b"2026-01-10",
            b"900-12-3456",
            b"{\"",
            b"}",
            b"[]",
            b"\\u0041",
            b"\x1b[",
        ],
        check: entry,
    },
    Target {
        name: "envelope",
        rounds: 500,
        sound: envelopes,
        words: &[
            b"\"payload\":",
            b"{",
            b"}",
            b"null",
            b"\"signatures\":[]",
            b"0",
        ],
        check: envelope,
    },
    Target {
        name: "statement",
        rounds: 500,
        sound: || vec![STATEMENT.as_bytes().to_vec(), b"{}".to_vec()],
        words: &[b"\"_type\":", b"{", b"}", b"null", b"[]", b"-1", b"1e999"],
        check: statement,
    },
];

fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

fn equal<T: PartialEq>(a: &T, b: &T, what: &str) -> Result<bool, String> {
    if a == b {
        Ok(true)
    } else {
        Err(format!("{what} is another"))
    }
}

/// A fault that a user can act on lies in the file, within its lines.
fn sound_fault(fault: &Fault, input: &str) -> Result<bool, String> {
    let lines = input.lines().count() + 1;
    if fault.place.line.is_some_and(|line| line > lines) || fault.problem.is_empty() {
        return Err(format!("a fault out of place: {fault}"));
    }
    let _ = fault.to_string();
    Ok(false)
}

fn tmsis_sound() -> Vec<Vec<u8>> {
    let psv = "ELG00001|V3.0.0|C|PSV|MAP1|ELIGIBLE|06|20251231|20251201|20251231|P|1|9|0001|\n\
               ELG00003|06|1|P1|||||||1||8|||||||||1|20200101|99991231|\n\
               ELG00005|06|2|P1|C1||||||||||||||||||\n";
    let fixed = "ELG00001V3.0.0    CFLFMAP1     ELIGIBLE06\nELG0000306\n";
    vec![
        psv.into(),
        psv.replace("V3.0.0", "V4.0.0").into(),
        fixed.into(),
    ]
}

fn tmsis(input: &[u8]) -> Result<bool, String> {
    static DICTIONARY: OnceLock<Option<Dictionary>> = OnceLock::new();
    let dictionary = DICTIONARY.get_or_init(|| Dictionary::load().ok());
    let dictionary = dictionary.as_ref().ok_or("the dictionary does not load")?;
    match scan(dictionary, input) {
        Ok(found) => {
            // Every line after the header is either a row or bad, and bad ones are in order.
            let lines = input.split(|byte| *byte == b'\n').count() as u64;
            let bad = found.bad.len() as u64;
            let ordered = found
                .bad
                .iter()
                .zip(found.bad.iter().skip(1))
                .all(|(a, b)| a.0 < b.0);
            if found.rows + bad > lines || !ordered || found.bad.iter().any(|b| b.0 > lines) {
                return Err(format!(
                    "{} rows and {bad} bad lines of {lines}",
                    found.rows
                ));
            }
            Ok(true)
        }
        Err(fault) => sound_fault(&fault, &String::from_utf8_lossy(input)),
    }
}

const REQUEST: &str = r#"recipient = "hhs/oig"
purpose = "program-administration/integrity"
custodian = "hhs/cms"
dataset = "d"
tables = ["ELG00003"]
elements = ["name", "address"]
format = "parquet"
authority = ["us/usc/8/1360-b"]
justification = """because
of it"""
requested_by = "a \"b\" c"
"#;

fn request(input: &[u8]) -> Result<bool, String> {
    let Some(input) = text(input) else {
        return Ok(false);
    };
    match Request::parse("request.toml", input) {
        Ok(request) => {
            let printed = toml::to_string(&request).map_err(|error| error.to_string())?;
            let again = Request::parse("request.toml", &printed).map_err(|e| e.to_string())?;
            equal(&request, &again, "the printed request")
        }
        Err(fault) => sound_fault(&fault, input),
    }
}

const MAP: &str = r#"table = "T"
id = "person"
origin = "state"
[constants]
funding = "federal"
[[column]]
name = "person"
element = "medicaid_id"
key = true
[[column]]
name = "citizen"
element = "citizenship"
plays = "citizenship_ind"
recode = { Y = "1", N = "0" }
[[column]]
name = "case"
plays = "case_num"
"#;

fn folder(dir: &Path, within: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = format!("{within}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            folder(&entry.path(), &format!("{name}/"), files);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.insert(name, text);
        }
    }
}

/// The shipped pack's vocabulary, and the instruments whose provisions are mutated.
fn files() -> &'static BTreeMap<String, String> {
    static FILES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut files = BTreeMap::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../law/us-medicaid");
        folder(&root, "", &mut files);
        files.retain(|path, _| {
            !path.starts_with("instruments/")
                || path.starts_with(&format!("instruments/{MUTATED}/"))
        });
        files
    })
}

const MUTATED: &str = "order-2025-12-29";

fn pack() -> Result<&'static LawPack, String> {
    static PACK: OnceLock<Option<LawPack>> = OnceLock::new();
    let load = || LawPack::load(&PackSource::new("law", files().clone())).ok();
    PACK.get_or_init(load)
        .as_ref()
        .ok_or_else(|| "the shipped pack does not load".to_owned())
}

fn map(input: &[u8]) -> Result<bool, String> {
    let Some(input) = text(input) else {
        return Ok(false);
    };
    let pack = pack()?;
    let elements: BTreeSet<String> = pack
        .vocabulary()
        .element_names()
        .map(str::to_owned)
        .collect();
    let law = Law {
        classification: pack.classification(),
        domain: pack.domain(),
        elements: &elements,
    };
    match ColumnMap::parse("map.toml", input, &law) {
        Ok(map) => {
            let known = map
                .columns
                .iter()
                .filter_map(|column| column.element.as_ref());
            if known.clone().any(|element| !elements.contains(element)) {
                return Err("an element that the law does not know".to_owned());
            }
            let names: Vec<String> = map
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect();
            let _ = map.columns_of("file", &names);
            let again = ColumnMap::parse("map.toml", input, &law).map_err(|e| e.to_string())?;
            equal(&map, &again, "the same map")
        }
        Err(fault) => sound_fault(&fault, input),
    }
}

/// Two files of an instrument in one input, told apart by their first byte.
fn law_sound() -> Vec<Vec<u8>> {
    let of = |tag: char, file: &str| {
        let text = files()
            .get(&format!("instruments/{MUTATED}/{file}"))
            .cloned();
        format!("{tag}{}", text.unwrap_or_default()).into_bytes()
    };
    vec![of('t', "instrument.toml"), of('c', "provisions.cedar")]
}

fn law(input: &[u8]) -> Result<bool, String> {
    let Some(input) = text(input) else {
        return Ok(false);
    };
    let (file, content) = match input.strip_prefix('t') {
        Some(rest) => ("instrument.toml", rest),
        None => ("provisions.cedar", input.strip_prefix('c').unwrap_or(input)),
    };
    let mut mutated = files().clone();
    mutated.insert(format!("instruments/{MUTATED}/{file}"), content.to_owned());
    match LawPack::load(&PackSource::new("law", mutated)) {
        // What loads can be put in force.
        Ok(pack) => {
            let day = jiff::civil::date(2026, 2, 1);
            let law = pack.in_force(day, chancery_law::SignOff::Demonstration);
            law.map(|_| true).map_err(|error| error.to_string())
        }
        Err(Error::Invalid(faults)) if !faults.is_empty() => {
            let mutated = |fault: &&Fault| fault.place.file.ends_with(file);
            let first = faults.iter().find(mutated);
            first.map_or(Ok(false), |fault| sound_fault(fault, content))
        }
        Err(other) => Err(other.to_string()),
    }
}

fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    #[expect(
        clippy::expect_used,
        reason = "the name is sound, as every run of a target shows"
    )]
    KEY.get_or_init(|| {
        SigningKey::generate("agency.example/custodian", Algorithm::Ed25519, [7; 32])
            .expect("a sound name")
    })
}

/// The test vectors of the documentation: every kind, and what is refused.
fn entries() -> Vec<Vec<u8>> {
    static FOUND: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let read = || {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/vectors/ledger");
        let mut files = BTreeMap::new();
        folder(&vectors, "", &mut files);
        files.into_values().map(String::into_bytes).collect()
    };
    FOUND.get_or_init(read).clone()
}

/// What is read as an entry is its only form, and has nothing that a terminal would act on.
fn entry(input: &[u8]) -> Result<bool, String> {
    let Reading::Known(entry) = Entry::from_bytes(input) else {
        return Ok(false);
    };
    if input.iter().any(|byte| !(b' '..=b'~').contains(byte)) {
        return Err("an entry has more than printable ASCII".to_owned());
    }
    let again = entry.to_bytes().map_err(|fault| fault.to_string())?;
    equal(&again.as_slice(), &input, "the entry that is written again")
}

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}"#;

/// An envelope around a payload, rightly signed: what is inside must be refused on its own.
fn signed(payload: &[u8], payload_type: &str) -> Vec<u8> {
    let mut message = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    message.extend_from_slice(payload);
    let envelope = serde_json::json!({
        "payloadType": payload_type,
        "payload": BASE64_STANDARD.encode(payload),
        "signatures": [{
            "keyid": key().verifier().key_id(),
            "sig": BASE64_STANDARD.encode(key().sign(&message).unwrap_or([0; 64])),
        }],
    });
    envelope.to_string().into_bytes()
}

fn envelopes() -> Vec<Vec<u8>> {
    vec![
        signed(STATEMENT.as_bytes(), PAYLOAD_TYPE),
        signed(b"{}", "text/plain"),
    ]
}

fn envelope(input: &[u8]) -> Result<bool, String> {
    match Envelope::open("manifest", input, &key().verifier()) {
        Ok(_) => Err("a statement that nobody signed".to_owned()),
        Err(fault) => sound_fault(&fault, &String::from_utf8_lossy(input)),
    }
}

fn statement(input: &[u8]) -> Result<bool, String> {
    let bytes = signed(input, PAYLOAD_TYPE);
    match Envelope::open("manifest", &bytes, &key().verifier()) {
        Ok(statement) => {
            let printed = serde_json::to_vec(&statement).map_err(|error| error.to_string())?;
            let again = Envelope::open("m", &signed(&printed, PAYLOAD_TYPE), &key().verifier());
            let again = again.map_err(|fault| fault.to_string())?;
            let again = serde_json::to_vec(&again).map_err(|error| error.to_string())?;
            equal(&printed, &again, "the printed statement")
        }
        Err(fault) => sound_fault(&fault, ""),
    }
}
