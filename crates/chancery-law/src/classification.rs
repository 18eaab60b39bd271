use std::collections::BTreeMap;

use chancery_model::{
    Classification, Condition, Correction, Domain, Evidence, Fault, GroupRule, Input, InputFrom,
    Place, Rule,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use crate::PackSource;
use crate::source::Layer;

const FILE: &str = "classification.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    origin: RawOrigin,
    separability: RawSeparability,
    #[serde(default)]
    input: Vec<RawInput>,
    #[serde(default)]
    evidence: Vec<RawEvidence>,
    #[serde(default)]
    rule: Vec<RawRule>,
    #[serde(default)]
    group: Vec<RawGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrigin {
    attribute: Spanned<String>,
    #[serde(default)]
    fold: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSeparability {
    attributes: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the citation is for the reader of the file, and must be there"
)]
struct RawInput {
    name: Spanned<String>,
    codes: Vec<String>,
    #[serde(default)]
    from: RawFrom,
    source: String,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawFrom {
    #[default]
    Columns,
    Declaration,
    Determinations,
}

impl From<RawFrom> for InputFrom {
    fn from(raw: RawFrom) -> Self {
        match raw {
            RawFrom::Columns => Self::Columns,
            RawFrom::Declaration => Self::Declaration,
            RawFrom::Determinations => Self::Determinations,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "letter and citation are for the reader of the file"
)]
struct RawEvidence {
    name: Spanned<String>,
    letter: Option<String>,
    any: Vec<Spanned<String>>,
    cite: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the citation is for the reader of the file, and must be there"
)]
struct RawRule {
    attribute: Spanned<String>,
    value: Spanned<String>,
    #[serde(default)]
    when: Vec<Vec<Spanned<String>>>,
    #[serde(default)]
    unless: Vec<Spanned<String>>,
    reason: Option<String>,
    cite: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the citation is for the reader of the file, and must be there"
)]
struct RawGroup {
    attribute: Spanned<String>,
    key: String,
    value: Spanned<String>,
    otherwise: Spanned<String>,
    any: Vec<Spanned<String>>,
    cite: String,
}

/// What an overlay may add: inputs, evidence, and rules that correct what the pack concludes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOverlay {
    #[serde(default)]
    input: Vec<RawInput>,
    #[serde(default)]
    evidence: Vec<RawEvidence>,
    #[serde(default)]
    rule: Vec<RawCorrection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCorrection {
    attribute: Spanned<String>,
    value: Spanned<String>,
    /// The values that it takes the place of.
    instead_of: Vec<Spanned<String>>,
    when: Vec<Vec<Spanned<String>>>,
    #[serde(default)]
    unless: Vec<Spanned<String>>,
    reason: Option<String>,
    cite: String,
}

/// A change of an attribute's value that an overlay's rules can bring about in a record.
pub(crate) struct Move {
    pub(crate) attribute: usize,
    pub(crate) from: u8,
    pub(crate) to: u8,
    /// The rule.
    pub(crate) place: Place,
}

/// Reads and checks `classification.toml` of every layer.
pub(crate) fn load(
    source: &PackSource,
    domain: &Domain,
) -> Result<(Classification, Vec<Move>), Fault> {
    let mut layers = source.layers();
    let mut table = layers.next().map_or_else(
        || Ok(Classification::default()),
        |pack| of_pack(pack, domain),
    )?;
    let mut moves = Vec::new();
    for overlay in layers.filter(|overlay| overlay.has(FILE)) {
        moves.extend(add(&mut table, overlay, domain)?);
    }
    Ok((table, moves))
}

fn of_pack(layer: &Layer, domain: &Domain) -> Result<Classification, Fault> {
    let raw: Raw = layer.toml(FILE)?;
    let mut table = Classification {
        digest: digest(layer.text(FILE)?),
        origin: raw.origin.attribute.get_ref().clone(),
        fold: raw.origin.fold,
        separability: raw
            .separability
            .attributes
            .iter()
            .map(|a| a.get_ref().clone())
            .collect(),
        ..Classification::default()
    };
    let reader = Reader { layer, domain };
    for name in raw
        .separability
        .attributes
        .iter()
        .chain([&raw.origin.attribute])
    {
        reader.attribute(name)?;
    }
    reader.inputs(&mut table, raw.input)?;
    reader.all_evidence(&mut table, &raw.evidence)?;
    for rule in raw.rule {
        let read = reader.rule(&table, rule)?;
        table.rules.push(read);
    }
    for group in raw.group {
        let read = reader.group(&table, group)?;
        table.groups.push(read);
    }
    Ok(table)
}

/// Adds an overlay's table, and returns what it can change in a record.
fn add(table: &mut Classification, layer: &Layer, domain: &Domain) -> Result<Vec<Move>, Fault> {
    let raw: RawOverlay = layer.toml(FILE)?;
    let reader = Reader { layer, domain };
    for input in &raw.input {
        if matches!(input.from, RawFrom::Determinations) {
            let problem = "findings come in as the pack's input says, not as an overlay's";
            return Err(reader.fault(&input.name, problem));
        }
    }
    reader.inputs(table, raw.input)?;
    reader.all_evidence(table, &raw.evidence)?;
    let mut moves = Vec::new();
    for rule in raw.rule {
        let place = layer.span(FILE, rule.attribute.span());
        let correction = reader.correction(table, rule)?;
        moves.extend(moved(table, &correction, domain, &place));
        table.corrections.push(correction);
    }
    table.digest = digest(&format!("{}\n{}", table.digest, digest(layer.text(FILE)?)));
    Ok(moves)
}

/// What a correction changes: the attribute itself, and what groups conclude from it.
fn moved(
    table: &Classification,
    correction: &Correction,
    domain: &Domain,
    place: &Place,
) -> Vec<Move> {
    let mut moves = Vec::new();
    let mut change = |name: &str, from: &str, to: &str| {
        let attribute = domain.attribute(name).map(|(at, _)| at);
        if let Some(attribute) = attribute
            && let (Some(from), Some(to)) =
                (domain.value(attribute, from), domain.value(attribute, to))
        {
            moves.push(Move {
                attribute,
                from,
                to,
                place: place.clone(),
            });
        }
    };
    let Rule {
        attribute, value, ..
    } = &correction.rule;
    for from in &correction.instead_of {
        change(attribute, from, value);
        for group in &table.groups {
            let meets = |value: &str| {
                group.any.iter().any(|condition| {
                    matches!(condition, Condition::Is { attribute: of, value: is } if of == attribute && is == value)
                })
            };
            match (meets(from), meets(value)) {
                (false, true) => change(&group.attribute, &group.otherwise, &group.value),
                (true, false) => change(&group.attribute, &group.value, &group.otherwise),
                _ => {}
            }
        }
    }
    moves
}

fn digest(text: &str) -> String {
    chancery_model::Digest::from_bytes(Sha256::digest(text).into()).to_string()
}

struct Reader<'a> {
    layer: &'a Layer,
    domain: &'a Domain,
}

impl Reader<'_> {
    fn fault(&self, word: &Spanned<String>, problem: impl Into<String>) -> Fault {
        Fault::new(self.layer.span(FILE, word.span()), problem).field(word.get_ref())
    }

    fn inputs(&self, table: &mut Classification, inputs: Vec<RawInput>) -> Result<(), Fault> {
        for input in inputs {
            let name = input.name.get_ref();
            if table.input(name).is_some() || table.groups.iter().any(|group| group.key == *name) {
                return Err(self.fault(&input.name, "input is declared twice"));
            }
            table.inputs.push(Input {
                name: input.name.into_inner(),
                codes: input.codes,
                from: input.from.into(),
            });
        }
        Ok(())
    }

    fn all_evidence(
        &self,
        table: &mut Classification,
        evidence: &[RawEvidence],
    ) -> Result<(), Fault> {
        for evidence in evidence {
            let read = self.evidence(table, evidence)?;
            table.evidence.push(read);
        }
        Ok(())
    }

    fn correction(&self, table: &Classification, raw: RawCorrection) -> Result<Correction, Fault> {
        let attribute = self.attribute(&raw.attribute)?;
        let of_group = |group: &GroupRule| group.attribute == *raw.attribute.get_ref();
        if table.groups.iter().any(of_group) {
            return Err(self
                .fault(&raw.attribute, "is concluded from everybody in a group")
                .hint("correct an attribute that the group's rule turns on"));
        }
        let mut instead_of = Vec::new();
        for value in raw.instead_of {
            self.value(attribute, &value)?;
            instead_of.push(value.into_inner());
        }
        if raw.when.is_empty() {
            let problem = "corrects everybody: a rule of an overlay says when it applies";
            return Err(self.fault(&raw.attribute, problem));
        }
        let rule = RawRule {
            attribute: raw.attribute,
            value: raw.value,
            when: raw.when,
            unless: raw.unless,
            reason: raw.reason,
            cite: raw.cite,
        };
        Ok(Correction {
            rule: self.rule(table, rule)?,
            instead_of,
        })
    }

    fn attribute(&self, name: &Spanned<String>) -> Result<usize, Fault> {
        match self.domain.attribute(name.get_ref()) {
            Some((at, _)) => Ok(at),
            None => Err(self.fault(name, "is not an attribute of the schema's Record")),
        }
    }

    fn value(&self, attribute: usize, value: &Spanned<String>) -> Result<(), Fault> {
        match self.domain.value(attribute, value.get_ref()) {
            Some(_) => Ok(()),
            None => Err(self.fault(value, "is not a value of that attribute")),
        }
    }

    fn evidence(&self, table: &Classification, raw: &RawEvidence) -> Result<Evidence, Fault> {
        if table
            .evidence
            .iter()
            .any(|known| known.name == *raw.name.get_ref())
        {
            return Err(self.fault(&raw.name, "evidence is declared twice"));
        }
        if table.evidence.len() == 32 {
            return Err(self.fault(&raw.name, "a table may have 32 pieces of evidence at most"));
        }
        let code = |text: &Spanned<String>| {
            let expected = || self.fault(text, "expected `<input>=<code>`, both declared above");
            let (input, code) = text.get_ref().split_once('=').ok_or_else(expected)?;
            let input = table.input(input).ok_or_else(expected)?;
            let codes = table
                .inputs
                .get(input)
                .map_or(&[][..], |input| &input.codes);
            Ok((
                input,
                codes
                    .iter()
                    .position(|known| known == code)
                    .ok_or_else(expected)?,
            ))
        };
        let codes = raw.any.iter().map(code).collect::<Result<_, _>>()?;
        Ok(Evidence {
            name: raw.name.get_ref().clone(),
            codes,
        })
    }

    fn rule(&self, table: &Classification, raw: RawRule) -> Result<Rule, Fault> {
        let attribute = self.attribute(&raw.attribute)?;
        self.value(attribute, &raw.value)?;
        if raw.attribute.get_ref() == &table.origin {
            return Err(self.fault(&raw.attribute, "the origin is never derived from evidence"));
        }
        let list = |words: &Vec<Spanned<String>>| {
            words
                .iter()
                .map(|word| self.condition(table, word))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Rule {
            when: raw.when.iter().map(list).collect::<Result<_, _>>()?,
            unless: list(&raw.unless)?,
            attribute: raw.attribute.into_inner(),
            value: raw.value.into_inner(),
            reason: raw.reason,
        })
    }

    fn group(&self, table: &Classification, raw: RawGroup) -> Result<GroupRule, Fault> {
        let attribute = self.attribute(&raw.attribute)?;
        self.value(attribute, &raw.value)?;
        self.value(attribute, &raw.otherwise)?;
        let any = raw.any.iter().map(|word| self.condition(table, word));
        Ok(GroupRule {
            any: any.collect::<Result<_, _>>()?,
            attribute: raw.attribute.into_inner(),
            key: raw.key,
            value: raw.value.into_inner(),
            otherwise: raw.otherwise.into_inner(),
        })
    }

    fn condition(
        &self,
        table: &Classification,
        word: &Spanned<String>,
    ) -> Result<Condition, Fault> {
        let text = word.get_ref();
        if let Some(at) = table
            .evidence
            .iter()
            .position(|evidence| evidence.name == *text)
        {
            return Ok(Condition::Has(at));
        }
        let expected = || {
            self.fault(
                word,
                "expected evidence declared above, or `<attribute>=<value>`",
            )
        };
        let (attribute, value) = text.split_once('=').ok_or_else(expected)?;
        let (at, _) = self.domain.attribute(attribute).ok_or_else(expected)?;
        self.domain.value(at, value).ok_or_else(expected)?;
        if !table.rules.iter().any(|rule| rule.attribute == attribute) {
            return Err(self.fault(word, "no rule above decides this attribute"));
        }
        Ok(Condition::Is {
            attribute: attribute.to_owned(),
            value: value.to_owned(),
        })
    }
}
