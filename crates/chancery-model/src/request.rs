use serde::{Deserialize, Serialize};

use crate::{Fault, Place};

/// The form of released files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Apache Parquet, zstd-compressed.
    #[default]
    Parquet,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
}

impl Format {
    /// The file name's extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// Who asks for what, from whom and for which purpose: a `REQUEST.toml`.
///
/// ```
/// use chancery_model::Request;
/// let text = r#"
/// recipient = "hhs/oig"
/// purpose = "program-administration/integrity"
/// custodian = "hhs/cms"
/// dataset = "tmsis-2025-12"
/// "#;
/// assert_eq!(Request::parse("request.toml", text).unwrap().elements, ["*"]);
///
/// let refused = Request::parse("request.toml", "recipient = 7").unwrap_err();
/// assert_eq!(refused.place.line, Some(1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The agency that receives, as a path: `dhs/ice` is within `dhs`.
    pub recipient: String,
    /// The purpose, as a path.
    pub purpose: String,
    /// The agency that holds the records and discloses them.
    pub custodian: String,
    /// The dataset's name in the workspace.
    pub dataset: String,
    /// The tables asked for; `*` for all.
    #[serde(default = "everything")]
    pub tables: Vec<String>,
    /// The elements asked for; `*` for all.
    #[serde(default = "everything")]
    pub elements: Vec<String>,
    /// The form of the files.
    #[serde(default)]
    pub format: Format,
    /// The instruments that the requester relies on.
    #[serde(default)]
    pub authority: Vec<String>,
    /// Why, in the requester's words.
    #[serde(default)]
    pub justification: String,
    /// Who asks.
    #[serde(default)]
    pub requested_by: String,
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

impl Request {
    /// Reads a request from `text`, the content of `file`.
    ///
    /// # Errors
    ///
    /// A [`Fault`] with the line of what is missing, misspelt or empty.
    pub fn parse(file: &str, text: &str) -> Result<Self, Fault> {
        let request: Self = toml::from_str(text).map_err(|error| {
            Fault::from_toml(file, text, &error).hint(
                "a request names recipient, purpose, custodian and dataset, and may name tables, \
                 elements, format, authority, justification and requested_by",
            )
        })?;
        request.check(file, text)?;
        Ok(request)
    }

    fn check(&self, file: &str, text: &str) -> Result<(), Fault> {
        let single = [
            ("recipient", &self.recipient),
            ("purpose", &self.purpose),
            ("custodian", &self.custodian),
            ("dataset", &self.dataset),
        ];
        if let Some((field, _)) = single
            .into_iter()
            .find(|(_, value)| value.trim().is_empty())
        {
            return Err(Self::fault(file, text, field, "is empty")
                .hint(format!("`{field} = \"…\"` names one")));
        }
        for (field, list) in [("tables", &self.tables), ("elements", &self.elements)] {
            if list.is_empty() {
                return Err(Self::fault(file, text, field, "asks for nothing")
                    .hint(format!("`{field} = [\"*\"]` asks for all")));
            }
        }
        Ok(())
    }

    /// A fault at the line of `text` that sets `field`.
    pub fn fault(file: &str, text: &str, field: &str, problem: impl Into<String>) -> Fault {
        let mut start = 0;
        let mut place = Place::file(file);
        for line in text.split_inclusive('\n') {
            let rest = line.trim_start();
            let sets = rest
                .strip_prefix(field)
                .is_some_and(|r| r.trim_start().starts_with('='));
            if sets {
                let indent = line.len() - rest.len();
                let end = start + line.trim_end().len();
                place = Place::span(file, text, start + indent..end);
                break;
            }
            start += line.len();
        }
        Fault::new(place, problem).field(field)
    }
}
