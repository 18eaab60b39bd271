use std::collections::BTreeMap;

/// One input of a classification: a coded field, with the closed set of its codes.
///
/// A value outside the set is missing: it is evidence of nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name, for example `citizenship_ind`; element maps say which column plays it.
    pub name: String,
    /// The codes.
    pub codes: Vec<String>,
    /// Where its codes may come from.
    pub from: InputFrom,
}

/// Where the codes of an [`Input`] may come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputFrom {
    /// Columns of the people's own records.
    #[default]
    Columns,
    /// Columns, or a declaration that holds for the whole dataset.
    Declaration,
    /// The table of authoritative determinations and nothing else: what a finding turns on is never
    /// a code in a file, nor what a map says of everybody.
    Determinations,
}

/// One piece of evidence: any of these codes on any segment or span of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Its name, for example `qualified_noncitizen`.
    pub name: String,
    /// Position of the input in [`Classification::inputs`] and of the code in [`Input::codes`].
    pub codes: Vec<(usize, usize)>,
}

/// A condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The person has this evidence (position in [`Classification::evidence`]).
    Has(usize),
    /// An attribute decided by an earlier rule has this value.
    Is {
        /// The attribute's name.
        attribute: String,
        /// Its value.
        value: String,
    },
}

/// One row of the table: the first rule of an attribute that matches gives its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The attribute.
    pub attribute: String,
    /// The value it gets.
    pub value: String,
    /// Every inner list must have at least one condition that holds.
    pub when: Vec<Vec<Condition>>,
    /// None of these may hold.
    pub unless: Vec<Condition>,
    /// Why the attribute cannot be told, for `separability`; only on rules that give `unknown`.
    pub reason: Option<String>,
}

/// A rule that corrects what the rules before it concluded, for people whose attribute has one of
/// some values.
///
/// Only what comes on top of a table corrects it, and only so that no provision lets more go; who
/// loads the table sees to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// What the attribute becomes, and when.
    pub rule: Rule,
    /// The values that it takes the place of.
    pub instead_of: Vec<String>,
}

/// A rule over the people who share a group, such as a household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRule {
    /// The attribute.
    pub attribute: String,
    /// The key that the people share, for example `case_num`; element maps name its column.
    pub key: String,
    /// The value for a person when any member of any of the person's groups meets `any`.
    pub value: String,
    /// The value otherwise; a person with no group stays `unknown`.
    pub otherwise: String,
    /// The conditions on members.
    pub any: Vec<Condition>,
}

/// The table that derives the attributes of a person from evidence.
///
/// Data, reviewed and cited like law. All segments and spans of a person count; nothing matched
/// means `unknown`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classification {
    /// The digest of its source.
    pub digest: String,
    /// The attribute that names where a record comes from, and which is never derived from
    /// evidence; one released file holds one origin.
    pub origin: String,
    /// Spellings of an origin that mean another (`93` → `56`).
    pub fold: BTreeMap<String, String>,
    /// The coded fields.
    pub inputs: Vec<Input>,
    /// The evidence; at most 32.
    pub evidence: Vec<Evidence>,
    /// The rules in order.
    pub rules: Vec<Rule>,
    /// The corrections in order, after all rules and before the groups.
    pub corrections: Vec<Correction>,
    /// The rules over groups.
    pub groups: Vec<GroupRule>,
    /// The attributes whose unknowns `separability` explains, in order.
    pub separability: Vec<String>,
}

impl Classification {
    /// The position of the input called `name`.
    pub fn input(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|input| input.name == name)
    }

    /// The origin that a source's spelling stands for.
    pub fn fold<'a>(&'a self, origin: &'a str) -> &'a str {
        self.fold.get(origin).map_or(origin, String::as_str)
    }
}
