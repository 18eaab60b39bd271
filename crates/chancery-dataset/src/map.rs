use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chancery_model::{Classification, Fault, InputFrom, Place};
use serde::Deserialize;
use toml::Spanned;

use crate::{Column, Kind, Law};

/// What the columns of a table disclose and which part they play: the `--map` file.
///
/// Every column of the file that the map does not name is held back. A map that accompanies
/// T-MSIS or TAF files may only declare constants.
///
/// ```
/// # use chancery_dataset::{ColumnMap, Law};
/// # use chancery_model::{Attribute, Classification, Domain, Input};
/// # let classification = Classification {
/// #     inputs: vec![Input { name: "citizenship_ind".into(), codes: vec!["0".into(), "1".into()],
/// #                          from: chancery_model::InputFrom::Columns },
/// #                  Input { name: "funding".into(), codes: vec!["federal".into()],
/// #                          from: chancery_model::InputFrom::Declaration }],
/// #     ..Classification::default()
/// # };
/// # let domain = Domain::new(vec![]).unwrap();
/// # let elements = ["medicaid_id", "enrollment", "citizenship"].map(String::from).into();
/// # let law = Law { classification: &classification, domain: &domain, elements: &elements };
/// let text = r#"
/// table = "ENROLLEES"
/// id = "person"                    # the column that names the person
/// origin = "state"                 # the column that names the origin, or
/// ## origin_is = "06"               # the one origin of every row
///
/// [constants]                      # codes that hold for everybody, by input
/// funding = "federal"
///
/// [[column]]
/// name = "person"
/// element = "medicaid_id"
/// key = true                       # identifies the row; no reason for it to leave
///
/// [[column]]
/// name = "state"
/// element = "enrollment"
/// key = true
///
/// [[column]]
/// name = "citizen"
/// element = "citizenship"
/// plays = "citizenship_ind"        # an input, or a group key such as case_num
/// recode = { Y = "1", N = "0" }    # other values are missing
/// "#;
/// let map = ColumnMap::parse("map.toml", text, &law).unwrap();
/// assert_eq!(map.columns[2].recode["Y"], "1");
///
/// let twice = text.replace(r#"name = "state""#, r#"name = "person""#);
/// let refused = ColumnMap::parse("map.toml", &twice, &law).unwrap_err();
/// assert_eq!(refused.field.as_deref(), Some("person"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMap {
    /// The table's name.
    pub table: String,
    /// The column that names the person.
    pub id: String,
    /// Where the rows come from.
    pub origin: OriginRule,
    /// The columns that are mapped.
    pub columns: Vec<Column>,
    /// Codes that hold for everybody, by input.
    pub constants: BTreeMap<String, String>,
    /// Where the map names each column.
    spans: BTreeMap<String, Range<usize>>,
    file: String,
    text: String,
}

/// Where the rows of a mapped table come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginRule {
    /// A column says.
    Column(String),
    /// All from one place.
    Constant(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapText {
    table: Option<Spanned<String>>,
    id: Option<Spanned<String>>,
    origin: Option<Spanned<String>>,
    origin_is: Option<Spanned<String>>,
    #[serde(default)]
    constants: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    column: Vec<ColumnText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnText {
    name: Spanned<String>,
    element: Option<Spanned<String>>,
    #[serde(default)]
    key: bool,
    plays: Option<Spanned<String>>,
    #[serde(default)]
    recode: BTreeMap<String, Spanned<String>>,
}

/// Makes faults that point into the map.
struct Reader<'r> {
    file: &'r str,
    text: &'r str,
    law: &'r Law<'r>,
}

impl ColumnMap {
    /// Reads a map of a table from `text`, the content of `file`.
    ///
    /// # Errors
    ///
    /// A [`Fault`] at the line of what is missing, named twice or unknown to the law.
    pub fn parse(file: &str, text: &str, law: &Law<'_>) -> Result<Self, Fault> {
        let reader = Reader { file, text, law };
        let map = reader.parse()?;
        let constants = reader.constants(&map.constants)?;
        let id = map.id.ok_or_else(|| {
            Fault::new(
                Place::file(file),
                "the map names no column with the person's id",
            )
            .field("id")
            .hint("`id = \"…\"` names it")
        })?;
        let origin = reader.origin(map.origin, map.origin_is)?;
        let mut spans = BTreeMap::from([(id.get_ref().clone(), id.span())]);
        if let (OriginRule::Column(name), span) = &origin {
            spans.insert(name.clone(), span.clone());
        }
        let mut columns = Vec::new();
        let mut named = BTreeSet::new();
        for column in map.column {
            let name = column.name.get_ref().clone();
            if !named.insert(name.clone()) {
                return Err(reader
                    .fault(column.name.span(), "the map names this column twice")
                    .field(name)
                    .hint("keep one of the two"));
            }
            spans.insert(name, column.name.span());
            columns.push(reader.column(column)?);
        }
        Ok(Self {
            table: reader.table(map.table)?,
            id: id.into_inner(),
            origin: origin.0,
            columns,
            constants,
            spans,
            file: file.to_owned(),
            text: text.to_owned(),
        })
    }

    /// Reads a map that only declares constants, for files whose columns are known.
    ///
    /// # Errors
    ///
    /// A [`Fault`] if it says anything else.
    pub fn parse_constants(
        file: &str,
        text: &str,
        kind: Kind,
        law: &Law<'_>,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let reader = Reader { file, text, law };
        let map = reader.parse()?;
        let other = [map.table, map.id, map.origin, map.origin_is]
            .into_iter()
            .flatten()
            .map(|value| value.span())
            .chain(map.column.into_iter().map(|column| column.name.span()))
            .next();
        if let Some(span) = other {
            let kind = match kind {
                Kind::Tmsis => "tmsis",
                Kind::Taf => "taf",
                Kind::Table => "table",
            };
            return Err(reader
                .fault(
                    span,
                    format!("the columns of kind `{kind}` are known already"),
                )
                .hint("a map for this kind may only have `[constants]`"));
        }
        reader.constants(&map.constants)
    }

    /// Whether the map names a column.
    pub(crate) fn names(&self, column: &str) -> bool {
        self.spans.contains_key(column)
    }

    /// The columns of a file in its order; those that the map does not name disclose nothing.
    ///
    /// # Errors
    ///
    /// A [`Fault`] for the first column that the map names and the file lacks.
    pub fn columns_of(&self, file: &str, names: &[String]) -> Result<Vec<Column>, Fault> {
        if let Some((name, span)) = self.spans.iter().find(|(name, _)| !names.contains(name)) {
            let place = Place::span(&self.file, &self.text, span.clone());
            return Err(Fault::new(place, format!("`{file}` has no such column"))
                .field(name)
                .hint("the names of columns are case-sensitive"));
        }
        let column = |name: &String| {
            let mapped = self.columns.iter().find(|column| column.name == *name);
            mapped
                .cloned()
                .unwrap_or_else(|| Column::plain(name, None, false))
        };
        Ok(names.iter().map(column).collect())
    }
}

impl Reader<'_> {
    fn parse(&self) -> Result<MapText, Fault> {
        toml::from_str(self.text).map_err(|error| {
            Fault::from_toml(self.file, self.text, &error).hint(
                "a map has table, id, origin or origin_is, [constants], and [[column]] with name, \
                 element, key, plays and recode",
            )
        })
    }

    fn fault(&self, span: Range<usize>, problem: impl Into<String>) -> Fault {
        Fault::new(Place::span(self.file, self.text, span), problem)
    }

    fn table(&self, name: Option<Spanned<String>>) -> Result<String, Fault> {
        let Some(name) = name else {
            return Err(
                Fault::new(Place::file(self.file), "the map does not name the table")
                    .field("table")
                    .hint("`table = \"…\"` names it"),
            );
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.get_ref().is_empty() || !name.get_ref().chars().all(plain) {
            return Err(self
                .fault(name.span(), "expected letters, digits, `_` and `-`")
                .field("table"));
        }
        Ok(name.into_inner())
    }

    fn origin(
        &self,
        column: Option<Spanned<String>>,
        constant: Option<Spanned<String>>,
    ) -> Result<(OriginRule, Range<usize>), Fault> {
        match (column, constant) {
            (Some(column), None) => {
                let span = column.span();
                Ok((OriginRule::Column(column.into_inner()), span))
            }
            (None, Some(constant)) => {
                let span = constant.span();
                Ok((OriginRule::Constant(constant.into_inner()), span))
            }
            (Some(_), Some(constant)) => Err(self
                .fault(constant.span(), "the map has both `origin` and `origin_is`")
                .field("origin_is")
                .hint("keep one of the two")),
            (None, None) => Err(Fault::new(
                Place::file(self.file),
                "the map does not say where rows come from",
            )
            .field("origin")
            .hint("`origin = \"…\"` names a column, `origin_is = \"…\"` one origin for all")),
        }
    }

    fn constants(
        &self,
        constants: &BTreeMap<Spanned<String>, Spanned<String>>,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let mut checked = BTreeMap::new();
        for (input, code) in constants {
            let codes = self.codes(input, &[InputFrom::Declaration])?;
            self.check_code(codes, code, input.get_ref())?;
            checked.insert(input.get_ref().clone(), code.get_ref().clone());
        }
        Ok(checked)
    }

    fn column(&self, text: ColumnText) -> Result<Column, Fault> {
        let name = text.name.into_inner();
        if let Some(element) = &text.element
            && !self.law.elements.contains(element.get_ref())
        {
            return Err(self
                .fault(element.span(), "the law knows no such element")
                .field(name)
                .hint("`chancery law list` names the elements"));
        }
        let mut recode = BTreeMap::new();
        if let Some(plays) = &text.plays {
            if is_group_key(self.law.classification, plays.get_ref()) {
                if let Some(code) = text.recode.values().next() {
                    return Err(self
                        .fault(code.span(), "a group key has no codes to recode")
                        .field(name));
                }
            } else {
                let codes = self.codes(plays, &[InputFrom::Columns, InputFrom::Declaration])?;
                for (value, code) in text.recode {
                    self.check_code(codes, &code, &name)?;
                    recode.insert(value, code.into_inner());
                }
            }
        } else if let Some(code) = text.recode.values().next() {
            return Err(self
                .fault(code.span(), "`recode` needs `plays`")
                .field(name)
                .hint("`plays = \"…\"` names the input"));
        }
        Ok(Column {
            name,
            element: text.element.map(Spanned::into_inner),
            key: text.key,
            role: text.plays.map(Spanned::into_inner),
            recode,
        })
    }

    /// The codes of an input that may come from where the map would have it come from.
    fn codes(&self, input: &Spanned<String>, from: &[InputFrom]) -> Result<&[String], Fault> {
        let inputs = &self.law.classification.inputs;
        let fault = |problem: &str| self.fault(input.span(), problem).field(input.get_ref());
        match inputs.iter().find(|known| known.name == *input.get_ref()) {
            Some(known) if from.contains(&known.from) => Ok(&known.codes),
            Some(known) => Err(match known.from {
                InputFrom::Determinations => {
                    fault("comes from the table of determinations and nothing else")
                        .hint("`--determinations FILE` names it")
                }
                InputFrom::Columns | InputFrom::Declaration => {
                    fault("is a fact of each person, and cannot be declared for everybody")
                        .hint("name the column that plays it")
                }
            }),
            None => {
                let names: Vec<&str> = inputs.iter().map(|known| known.name.as_str()).collect();
                Err(fault("the classification has no such input")
                    .hint(format!("its inputs are {}", names.join(", "))))
            }
        }
    }

    fn check_code(
        &self,
        codes: &[String],
        code: &Spanned<String>,
        field: &str,
    ) -> Result<(), Fault> {
        if codes.contains(code.get_ref()) {
            return Ok(());
        }
        Err(self
            .fault(code.span(), "the input has no such code")
            .field(field)
            .hint(format!("its codes are {}", codes.join(", "))))
    }
}

fn is_group_key(classification: &Classification, name: &str) -> bool {
    classification.groups.iter().any(|rule| rule.key == name)
}
