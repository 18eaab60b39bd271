//! Random law packs over a small vocabulary, and what the stock Cedar authorizer says of them.
//!
//! The oracle shares nothing with the crate but Cedar itself: it parses the provisions, works out
//! which instruments are in force, and builds every entity on its own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy,
    PolicyId, PolicySet, Request, RestrictedExpression,
};
use chancery_law::{Error, LawPack, PackSource, Query};
use chancery_model::Fault;
use jiff::civil::Date;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Seeded chance.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % end as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

pub(crate) const ATTRIBUTES: [(&str, &str, &[&str]); 6] = [
    (
        "citizenship",
        "Citizenship",
        &["citizen", "national", "noncitizen", "unknown"],
    ),
    ("funding", "Funding", &["federal", "state_only", "unknown"]),
    (
        "household",
        "Household",
        &["has_protected_member", "no_protected_member", "unknown"],
    ),
    ("origin", "Origin", &["06", "48", "53", "56", "unknown"]),
    ("presence", "Presence", &["lawful", "not_lawful", "unknown"]),
    (
        "program",
        "Program",
        &["medicaid", "m_chip", "s_chip", "mixed", "unknown"],
    ),
];

pub(crate) const ELEMENTS: [&str; 8] = [
    "enrollment",
    "medicaid_id",
    "name",
    "address",
    "citizenship",
    "immigration_status",
    "program",
    "diagnosis",
];
const SETS: [(&str, &[&str]); 4] = [
    ("row", &["enrollment"]),
    ("identity", &["medicaid_id", "name", "address"]),
    ("status", &["citizenship", "immigration_status"]),
    ("health", &["diagnosis", "program"]),
];
pub(crate) const AGENCIES: [&str; 8] = [
    "hhs",
    "hhs/cms",
    "dhs",
    "dhs/ice",
    "state/06",
    "state/06/medicaid",
    "state/48/medicaid",
    "research/umich",
];
pub(crate) const PURPOSES: [&str; 5] = [
    "administration",
    "administration/eligibility",
    "enforcement",
    "enforcement/civil",
    "research",
];
/// Days on which something may happen or be asked.
const DAYS: [&str; 8] = [
    "2025-01-01",
    "2025-02-28",
    "2025-03-01",
    "2025-06-30",
    "2025-07-01",
    "2025-12-31",
    "2026-01-01",
    "2026-02-01",
];

pub(crate) fn day(dice: &mut Dice) -> Date {
    dice.pick(&DAYS).parse().unwrap()
}

#[derive(Clone, Debug)]
pub(crate) struct Instrument {
    pub(crate) id: String,
    events: Vec<(Date, &'static str)>,
    /// Origin, first day, last day, doubtful.
    parties: Vec<(&'static str, Date, Option<Date>, bool)>,
    /// Names and policies without annotations.
    pub(crate) provisions: Vec<(String, String)>,
}

/// A random law pack, as data and as files.
#[derive(Clone, Debug)]
pub(crate) struct Pack {
    pub(crate) instruments: Vec<Instrument>,
}

fn schema() -> String {
    let mut text = String::from(
        "entity Agency in [Agency] { jurisdiction: Set<Origin> };\nentity Purpose in [Purpose];\n\
         entity ElementSet;\nentity Element in [ElementSet];\n\
         entity Instrument { parties: Set<Origin>, covered: Set<Origin> };\n",
    );
    for (_, kind, values) in ATTRIBUTES {
        text += &format!("entity {kind} enum [\"{}\"];\n", values.join("\", \""));
    }
    let attributes = ATTRIBUTES.map(|(name, kind, _)| format!("  {name}: {kind}"));
    text += &format!("entity Record {{\n{}\n}};\n", attributes.join(",\n"));
    text + "action disclose, use appliesTo { principal: Agency, resource: Record, \
           context: { purpose: Purpose, element: Element, custodian: Agency } };\n"
}

fn agencies() -> String {
    let mut text = String::new();
    for path in [
        "hhs",
        "hhs/cms",
        "dhs",
        "dhs/ice",
        "state",
        "state-medicaid",
        "research",
    ] {
        text += &format!("[[agency]]\npath = \"{path}\"\nname = \"{path}\"\n");
    }
    text + "[[agency]]\npath = \"state/*\"\nname = \"s\"\nids = \"origin\"\n\
            [[agency]]\npath = \"state/*/medicaid\"\nname = \"m\"\nids = \"origin\"\nin = [\"state-medicaid\"]\n\
            [[agency]]\npath = \"research/*\"\nname = \"r\"\nids = \"any\"\n"
}

fn elements() -> String {
    let mut text = String::from("existence = \"enrollment\"\n");
    for name in ELEMENTS {
        text += &format!("[[element]]\nname = \"{name}\"\ntitle = \"{name}\"\n");
    }
    for (name, members) in SETS {
        let members = members.join("\", \"");
        text += &format!("[[set]]\nname = \"{name}\"\ntitle = \"t\"\nmembers = [\"{members}\"]\n");
    }
    text
}

/// The vocabulary without instruments; the classification is the shipped one.
pub(crate) fn vocabulary() -> BTreeMap<String, String> {
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../law/us-medicaid");
    let classification = std::fs::read_to_string(shipped.join("classification.toml")).unwrap();
    let mut purposes = String::new();
    for path in PURPOSES {
        purposes += &format!("[[purpose]]\npath = \"{path}\"\ntitle = \"{path}\"\n");
    }
    let pack = "name = \"random\"\ntitle = \"t\"\nversion = \"1\"\n".to_owned();
    [
        ("pack.toml", pack),
        ("schema.cedarschema", schema()),
        ("agencies.toml", agencies()),
        ("purposes.toml", purposes),
        ("elements.toml", elements()),
        ("classification.toml", classification),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into()
}

/// The `instrument.toml` of an instrument that has these lines besides what every one has.
pub(crate) fn instrument_toml(id: &str, more: &str) -> String {
    let digest = {
        use sha2::Digest as _;
        chancery_model::Digest::from_bytes(sha2::Sha256::digest(b"facts").into())
    };
    format!(
        "id = \"{id}\"\ntitle = \"t\"\nshort = \"s\"\nkind = \"order\"\ncitation = \"c\"\n\
         jurisdiction = \"j\"\nreview = \"r\"\n[source]\nname = \"n\"\nlabel = \"S\"\n\
         text = \"facts\"\ndigest = \"{digest}\"\n{more}"
    )
}

impl Pack {
    pub(crate) fn random(dice: &mut Dice) -> Self {
        let count = 1 + dice.below(4);
        let ids: Vec<String> = (0..count).map(|at| format!("x/{at}")).collect();
        let instruments = ids.iter().map(|id| Instrument::random(dice, id, &ids));
        Self {
            instruments: instruments.collect(),
        }
    }

    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let mut files = vocabulary();
        for instrument in &self.instruments {
            let folder = instrument.id.replace('/', "-");
            let toml = instrument_toml(&instrument.id, &instrument.more());
            files.insert(format!("instruments/{folder}/instrument.toml"), toml);
            let cedar = format!("instruments/{folder}/provisions.cedar");
            files.insert(cedar, instrument.provisions_cedar());
        }
        files
    }

    pub(crate) fn load(&self) -> Result<LawPack, Vec<Fault>> {
        match LawPack::load(&PackSource::new("law", self.files())) {
            Ok(pack) => Ok(pack),
            Err(Error::Invalid(faults)) => Err(faults),
            Err(other) => panic!("{other}"),
        }
    }

    /// Loads the pack; provisions that are refused are counted, must be refused for a reason at
    /// their own place, and leave.
    pub(crate) fn load_what_can_be(mut self, refused: &mut Vec<Fault>) -> (Self, LawPack) {
        loop {
            let faults = match self.load() {
                Ok(pack) => return (self, pack),
                Err(faults) => faults,
            };
            let before: usize = self.instruments.iter().map(|i| i.provisions.len()).sum();
            for instrument in &mut self.instruments {
                instrument.drop_refused(&faults);
            }
            let after: usize = self.instruments.iter().map(|i| i.provisions.len()).sum();
            assert!(
                after < before,
                "refused for something else: {faults:?}\n{self:?}"
            );
            refused.extend(faults);
        }
    }
}

impl Instrument {
    fn random(dice: &mut Dice, id: &str, ids: &[String]) -> Self {
        let shapes: [&[&'static str]; 8] = [
            &["effective"],
            &["issued", "effective"],
            &["effective", "stayed", "stay-lifted"],
            &["effective", "expired"],
            &["issued", "effective", "modified", "vacated"],
            &["effective", "extended", "superseded"],
            &["effective", "stayed"],
            &["effective", "stayed", "expired"],
        ];
        let shape = shapes[dice.below(12).saturating_sub(4)];
        let mut days: Vec<Date> = shape.iter().map(|_| day(dice)).collect();
        days.sort();
        if !dice.one_in(4) {
            days[0] = DAYS[0].parse().unwrap();
        }
        let mut parties: Vec<(&'static str, Date, Option<Date>, bool)> = Vec::new();
        for origin in ["06", "48", "53", "56"] {
            if dice.one_in(2) {
                let from = day(dice);
                let until = Some(day(dice)).filter(|until| *until >= from && dice.one_in(2));
                parties.push((origin, from, until, dice.one_in(4)));
            }
        }
        let provisions = (0..2 + dice.below(4)).map(|at| (format!("p{at}"), policy(dice, ids)));
        Self {
            id: id.to_owned(),
            events: days.into_iter().zip(shape.iter().copied()).collect(),
            parties,
            provisions: provisions.collect(),
        }
    }

    fn more(&self) -> String {
        let mut text = String::new();
        for (on, kind) in &self.events {
            text += &format!("[[event]]\non = \"{on}\"\nkind = \"{kind}\"\n");
        }
        for (origin, from, until, doubtful) in &self.parties {
            let until = until.map_or(String::new(), |until| format!("until = \"{until}\"\n"));
            text += &format!(
                "[[party]]\norigin = \"{origin}\"\nname = \"n\"\nfrom = \"{from}\"\n{until}doubtful = {doubtful}\n"
            );
        }
        text
    }

    /// A provision has four lines: id, clause, reason, policy.
    fn provisions_cedar(&self) -> String {
        let lines = self.provisions.iter().map(|(name, policy)| {
            format!("@id(\"{name}\")\n@clause(\"1\")\n@reason(\"because\")\n{policy};\n")
        });
        lines.collect()
    }

    fn drop_refused(&mut self, faults: &[Fault]) {
        let file = format!(
            "law/instruments/{}/provisions.cedar",
            self.id.replace('/', "-")
        );
        let text = self.provisions_cedar();
        let mut at = 0;
        self.provisions.retain(|_| {
            let lines = at * 4 + 1..at * 4 + 5;
            at += 1;
            let here = |fault: &&Fault| {
                fault.place.file == file && lines.contains(&fault.place.line.unwrap_or_default())
            };
            let mut mine = faults.iter().filter(here).peekable();
            let kept = mine.peek().is_none();
            for fault in mine {
                let line = text.lines().nth(fault.place.line.unwrap() - 1);
                assert_eq!(fault.place.excerpt.as_deref(), line);
                assert!(!fault.problem.is_empty());
            }
            kept
        });
    }

    fn in_force(&self, on: Date) -> bool {
        let turns = self.events.iter().filter_map(|(day, kind)| match *kind {
            "effective" | "stay-lifted" if *day <= on => Some(true),
            "stayed" | "superseded" | "vacated" if *day <= on => Some(false),
            "expired" if *day < on => Some(false),
            _ => None,
        });
        turns.fold(false, |_, now| now)
    }
}

/// A random policy, mostly of the kinds that a law pack may have.
fn policy(dice: &mut Dice, ids: &[String]) -> String {
    let forbids = dice.one_in(3);
    let principal = match dice.below(6) {
        0 => format!("principal == Agency::\"{}\"", dice.pick(&AGENCIES)),
        1 => format!("principal in Agency::\"{}\"", dice.pick(&AGENCIES)),
        2 => "principal in Agency::\"state-medicaid\"".to_owned(),
        3 => "principal is Agency".to_owned(),
        _ => "principal".to_owned(),
    };
    let action = *dice.pick(&[
        "action == Action::\"disclose\"",
        "action == Action::\"disclose\"",
        "action in [Action::\"disclose\", Action::\"use\"]",
        "action",
    ]);
    let resource = *dice.pick(&["resource", "resource is Record"]);
    let effect = if forbids { "forbid" } else { "permit" };
    let scope = format!("{effect} ({principal}, {action}, {resource})");
    if dice.one_in(24) {
        return scope;
    }
    if !forbids && dice.one_in(2) {
        // What tells people and elements apart, so that cells of one row differ.
        let element = match dice.below(2) {
            0 => format!("context.element in ElementSet::\"{}\"", dice.pick(&SETS).0),
            _ => format!("context.element == Element::\"{}\"", dice.pick(&ELEMENTS)),
        };
        let mut who = about_record(dice);
        if dice.one_in(2) {
            who = format!("({who} || {})", about_record(dice));
        }
        let scope = format!("permit (principal, {action}, {resource})");
        return match dice.below(3) {
            0 => format!("{scope} when {{ {who} }} unless {{ {element} }}"),
            _ => format!("{scope} when {{ {element} && {who} }}"),
        };
    }
    if forbids && !dice.one_in(4) {
        // The form that holds: barred unless certainly outside.
        let asks = condition(dice, ids, 1, false);
        let outside: Vec<String> = (0..=dice.below(2)).map(|_| outside(dice)).collect();
        let how = *dice.pick(&[" && ", " || "]);
        return format!(
            "{scope} when {{ {asks} }} unless {{ {} }}",
            outside.join(how)
        );
    }
    let when = condition(dice, ids, 2, true);
    match dice.below(3) {
        0 => format!(
            "{scope} when {{ {when} }} unless {{ {} }}",
            condition(dice, ids, 1, true)
        ),
        1 => format!("{scope} unless {{ {when} }}"),
        _ => format!("{scope} when {{ {when} }}"),
    }
}

fn outside(dice: &mut Dice) -> String {
    let (name, kind, values) = dice.pick(&ATTRIBUTES);
    let known = &values[..values.len() - 1];
    match dice.below(3) {
        0 => format!("resource.{name} == {kind}::\"{}\"", dice.pick(known)),
        1 => format!(
            "[{kind}::\"{}\", {kind}::\"{}\"].contains(resource.{name})",
            dice.pick(known),
            dice.pick(known)
        ),
        _ => format!("context.element == Element::\"{}\"", dice.pick(&ELEMENTS)),
    }
}

fn condition(dice: &mut Dice, ids: &[String], depth: usize, on_record: bool) -> String {
    if depth == 0 || dice.one_in(4) {
        return question(dice, ids, on_record);
    }
    let mut part = || condition(dice, ids, depth - 1, on_record);
    let (a, b) = (part(), part());
    match dice.below(8) {
        0..=2 => format!("({a} && {b})"),
        3..=5 => format!("({a} || {b})"),
        6 => format!("!({a})"),
        _ => format!("(if {a} then {b} else {})", question(dice, ids, on_record)),
    }
}

fn question(dice: &mut Dice, ids: &[String], on_record: bool) -> String {
    if on_record && dice.one_in(2) {
        return about_record(dice);
    }
    let agency = dice.pick::<&str>(&AGENCIES);
    let purpose = dice.pick::<&str>(&PURPOSES);
    let element = dice.pick::<&str>(&ELEMENTS);
    let id = dice.pick(ids).clone();
    match dice.below(14) {
        0 => format!("context.element == Element::\"{element}\""),
        1 | 2 => format!("context.element in ElementSet::\"{}\"", dice.pick(&SETS).0),
        3 => format!("[Element::\"{element}\", Element::\"name\"].contains(context.element)"),
        4 | 5 => format!("context.purpose in Purpose::\"{purpose}\""),
        6 => format!("context.purpose != Purpose::\"{purpose}\""),
        7 => format!("context.custodian in Agency::\"{agency}\""),
        8 => format!("principal in Agency::\"{agency}\""),
        9 | 10 => format!("Instrument::\"{id}\".covered.contains(resource.origin)"),
        11 if on_record => format!("Instrument::\"{id}\".parties.contains(resource.origin)"),
        12 if on_record => "principal.jurisdiction.contains(resource.origin)".to_owned(),
        13 => format!("Instrument::\"{id}\".covered.containsAny(principal.jurisdiction)"),
        _ => "context.custodian.jurisdiction.isEmpty()".to_owned(),
    }
}

fn about_record(dice: &mut Dice) -> String {
    let (name, kind, values) = dice.pick(&ATTRIBUTES);
    let (value, other) = (dice.pick(values), dice.pick(values));
    match dice.below(6) {
        0 => format!("resource.{name} != {kind}::\"{value}\""),
        1 => format!("[{kind}::\"{value}\", {kind}::\"{other}\"].contains(resource.{name})"),
        2 => format!("resource.{name} in [{kind}::\"{value}\", {kind}::\"{other}\"]"),
        // Now and then what must be refused.
        3 if dice.one_in(6) => "resource.presence == resource.presence && 1 < 2".to_owned(),
        4 if dice.one_in(6) => format!("resource.{name} == {kind}::\"elsewhere\""),
        _ => format!("resource.{name} == {kind}::\"{value}\""),
    }
}

/// A random query in the words of the vocabulary.
pub(crate) fn query(dice: &mut Dice, pack: &LawPack) -> Query {
    let words = pack.vocabulary();
    Query {
        recipient: words.agency(dice.pick::<&str>(&AGENCIES)).unwrap(),
        custodian: words.agency(dice.pick::<&str>(&AGENCIES)).unwrap(),
        purpose: words.purpose(dice.pick::<&str>(&PURPOSES)).unwrap().clone(),
    }
}

/// A person's attributes, by name.
pub(crate) type Attributes = BTreeMap<String, String>;

/// The stock authorizer over the policies in force on a day.
pub(crate) struct Stock {
    policies: PolicySet,
    entities: Entities,
    query: Query,
    known: HashMap<(String, Attributes), Said>,
}

/// The outcome and the provisions that determined it.
pub(crate) type Said = (bool, BTreeSet<String>);

fn uid(kind: &str, id: &str) -> EntityUid {
    let kind: EntityTypeName = kind.parse().unwrap();
    EntityUid::from_type_name_and_id(kind, EntityId::new(id))
}

fn origins<'a>(origins: impl IntoIterator<Item = &'a str>) -> RestrictedExpression {
    let uids = origins.into_iter().map(|o| uid("Origin", o));
    RestrictedExpression::new_set(uids.map(RestrictedExpression::new_entity_uid))
}

fn within(kind: &str, path: &str) -> HashSet<EntityUid> {
    let parts: Vec<&str> = path.split('/').collect();
    let mut parents: HashSet<EntityUid> = (1..parts.len())
        .map(|n| uid(kind, &parts[..n].join("/")))
        .collect();
    if let ["state", _, "medicaid"] = parts.as_slice() {
        parents.insert(uid(kind, "state-medicaid"));
    }
    parents
}

impl Stock {
    pub(crate) fn new(pack: &Pack, on: Date, query: Query) -> Self {
        let mut policies = PolicySet::new();
        let mut entities = Vec::new();
        for instrument in &pack.instruments {
            let today = || {
                let parties = instrument.parties.iter();
                parties.filter(|(_, from, until, _)| *from <= on && until.is_none_or(|u| u >= on))
            };
            let sure = origins(today().filter(|party| !party.3).map(|party| party.0));
            let covered = origins(today().map(|party| party.0).chain(["unknown"]));
            let attributes = [("parties", sure), ("covered", covered)];
            let attributes = attributes
                .map(|(name, value)| (name.to_owned(), value))
                .into();
            let me = uid("Instrument", &instrument.id);
            entities.push(Entity::new(me, attributes, HashSet::new()).unwrap());
            for (name, text) in instrument
                .provisions
                .iter()
                .filter(|_| instrument.in_force(on))
            {
                let id = PolicyId::new(format!("{}#{name}", instrument.id));
                policies
                    .add(Policy::parse(Some(id), format!("{text};")).unwrap())
                    .unwrap();
            }
        }
        for path in AGENCIES
            .into_iter()
            .chain(["state", "state-medicaid", "research"])
        {
            let own = path
                .split('/')
                .nth(1)
                .filter(|_| path.starts_with("state/"));
            let attributes = [("jurisdiction".to_owned(), origins(own))].into();
            let agency = Entity::new(uid("Agency", path), attributes, within("Agency", path));
            entities.push(agency.unwrap());
        }
        for path in PURPOSES {
            let parents = within("Purpose", path);
            entities.push(Entity::new_no_attrs(uid("Purpose", path), parents));
        }
        for name in ELEMENTS {
            let sets = SETS.iter().filter(|(_, members)| members.contains(&name));
            let parents = sets.map(|(set, _)| uid("ElementSet", set)).collect();
            entities.push(Entity::new_no_attrs(uid("Element", name), parents));
        }
        Self {
            policies,
            entities: Entities::from_entities(entities, None).unwrap(),
            query,
            known: HashMap::new(),
        }
    }

    /// Whether the element of a person with these attributes is lawful, and by what; a provision
    /// that errs is none that a law pack may have.
    pub(crate) fn says(&mut self, element: &str, attributes: &Attributes) -> Said {
        let key = (element.to_owned(), attributes.clone());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let typed = ATTRIBUTES.map(|(name, kind, _)| {
            let value = uid(kind, &attributes[name]);
            (name.to_owned(), RestrictedExpression::new_entity_uid(value))
        });
        let record = Entity::new(uid("Record", "r"), typed.into(), HashSet::new()).unwrap();
        let entities = self.entities.clone().add_entities([record], None).unwrap();
        let context = [
            ("purpose", uid("Purpose", &self.query.purpose.path)),
            ("element", uid("Element", element)),
            ("custodian", uid("Agency", &self.query.custodian.path)),
        ];
        let context =
            context.map(|(name, uid)| (name.to_owned(), RestrictedExpression::new_entity_uid(uid)));
        let request = Request::new(
            uid("Agency", &self.query.recipient.path),
            uid("Action", "disclose"),
            uid("Record", "r"),
            Context::from_pairs(context).unwrap(),
            None,
        );
        let response =
            Authorizer::new().is_authorized(&request.unwrap(), &self.policies, &entities);
        let errors: Vec<_> = response.diagnostics().errors().collect();
        assert!(
            errors.is_empty(),
            "a provision that was let through errs: {errors:?}"
        );
        let reasons = response.diagnostics().reason();
        let said = (
            response.decision() == Decision::Allow,
            reasons.map(ToString::to_string).collect(),
        );
        self.known.insert(key, said.clone());
        said
    }
}
