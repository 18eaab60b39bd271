use std::collections::BTreeMap;

/// The value that every attribute has for "cannot be told": always in the domain, never missing.
pub const UNKNOWN: &str = "unknown";

/// One attribute of a record and the closed set of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name in the law pack's schema, for example `presence`.
    pub name: String,
    /// Its values in the schema's order.
    pub values: Vec<String>,
}

/// The attributes of a record, in name order, as the law pack's schema declares them.
///
/// INVARIANT: every attribute has [`UNKNOWN`] among its values, at most 255 values, and no value
/// twice; attribute names are unique and sorted.
///
/// ```
/// use chancery_model::{Attribute, Domain};
/// let presence = |values: &[&str]| Attribute {
///     name: "presence".into(),
///     values: values.iter().map(|v| v.to_string()).collect(),
/// };
/// assert!(Domain::new(vec![presence(&["lawful", "unknown"])]).is_ok());
/// assert!(Domain::new(vec![presence(&["lawful"])]).is_err()); // nothing stands for doubt
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    attributes: Vec<Attribute>,
}

impl Domain {
    /// Checks the invariant.
    ///
    /// # Errors
    ///
    /// A sentence that names the attribute which breaks it.
    pub fn new(mut attributes: Vec<Attribute>) -> Result<Self, String> {
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        for attribute in &attributes {
            check(attribute)?;
        }
        let twice = attributes
            .iter()
            .zip(attributes.iter().skip(1))
            .find(|(a, b)| a.name == b.name);
        match twice {
            Some((a, _)) => Err(format!("attribute `{}` is declared twice", a.name)),
            None => Ok(Self { attributes }),
        }
    }

    /// The attributes in name order.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The attribute called `name`, with its position.
    pub fn attribute(&self, name: &str) -> Option<(usize, &Attribute)> {
        self.attributes
            .iter()
            .enumerate()
            .find(|(_, attribute)| attribute.name == name)
    }

    /// The position of `value` among the values of attribute number `attribute`.
    pub fn value(&self, attribute: usize, value: &str) -> Option<u8> {
        let values = &self.attributes.get(attribute)?.values;
        values
            .iter()
            .position(|v| v == value)
            .and_then(|at| u8::try_from(at).ok())
    }

    /// The position of [`UNKNOWN`] among the values of attribute number `attribute`.
    pub fn unknown(&self, attribute: usize) -> u8 {
        self.value(attribute, UNKNOWN).unwrap_or_default()
    }

    /// A signature's values by attribute name, for people.
    pub fn describe(&self, signature: &crate::Signature) -> BTreeMap<String, String> {
        let named = |(attribute, value): (&Attribute, &u8)| {
            let value = attribute.values.get(usize::from(*value))?;
            Some((attribute.name.clone(), value.clone()))
        };
        self.attributes
            .iter()
            .zip(signature.values())
            .filter_map(named)
            .collect()
    }
}

fn check(attribute: &Attribute) -> Result<(), String> {
    let Attribute { name, values } = attribute;
    if !values.iter().any(|value| value == UNKNOWN) {
        return Err(format!("attribute `{name}` has no value `{UNKNOWN}`"));
    }
    if values.len() > 255 {
        return Err(format!("attribute `{name}` has more than 255 values"));
    }
    let mut sorted: Vec<_> = values.iter().collect();
    sorted.sort();
    match sorted
        .iter()
        .zip(sorted.iter().skip(1))
        .find(|(a, b)| a == b)
    {
        Some((value, _)) => Err(format!("attribute `{name}` has the value `{value}` twice")),
        None => Ok(()),
    }
}
