use std::collections::BTreeMap;

use chancery_model::{
    Classification, Condition, Domain, Evidence, Fault, GroupRule, Input, InputFrom, Rule,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use crate::PackSource;

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

/// Reads and checks `classification.toml`.
pub(crate) fn load(source: &PackSource, domain: &Domain) -> Result<Classification, Fault> {
    let raw: Raw = source.toml(FILE)?;
    let mut table = Classification {
        digest: digest(source.text(FILE)?),
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
    let reader = Reader { source, domain };
    for name in raw
        .separability
        .attributes
        .iter()
        .chain([&raw.origin.attribute])
    {
        reader.attribute(name)?;
    }
    for input in raw.input {
        if table.input(input.name.get_ref()).is_some() {
            return Err(reader.fault(&input.name, "input is declared twice"));
        }
        table.inputs.push(Input {
            name: input.name.into_inner(),
            codes: input.codes,
            from: input.from.into(),
        });
    }
    for evidence in &raw.evidence {
        let read = reader.evidence(&table, evidence)?;
        table.evidence.push(read);
    }
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

fn digest(text: &str) -> String {
    chancery_model::Digest::from_bytes(Sha256::digest(text).into()).to_string()
}

struct Reader<'a> {
    source: &'a PackSource,
    domain: &'a Domain,
}

impl Reader<'_> {
    fn fault(&self, word: &Spanned<String>, problem: impl Into<String>) -> Fault {
        Fault::new(self.source.span(FILE, word.span()), problem).field(word.get_ref())
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
