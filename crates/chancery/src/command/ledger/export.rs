//! `ledger export`: every entry, a line of JSON each.

use std::process::ExitCode;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chancery_release::entry::leaf_hash;
use chancery_release::{Entry, Reading, Workspace};
use serde::Serialize;

use super::Result;
use crate::failure::Failure;
use crate::text;

/// What is at an index. An entry that this program knows stands in its own form, so its bytes are
/// those between `"entry":` and the last brace; any other is given whole, in base64.
#[derive(Serialize)]
pub(super) struct Line {
    index: u64,
    /// The hash of the leaf, in hexadecimal.
    leaf_hash: String,
    #[serde(flatten)]
    content: Content,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content {
    Known {
        entry: Box<Entry>,
    },
    Unknown {
        /// The type and version that it says it has.
        unknown: Head,
        bytes: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    Unreadable {
        /// Why it cannot be read.
        unreadable: String,
        bytes: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

#[derive(Serialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    version: u64,
}

impl Line {
    pub(super) fn new(index: u64, bytes: &[u8], reading: Reading) -> Self {
        let whole = || (BASE64_STANDARD.encode(bytes), as_text(bytes));
        let content = match reading {
            Reading::Known(entry) => Content::Known { entry },
            Reading::Unknown { kind, version } => {
                let (bytes, text) = whole();
                let unknown = Head { kind, version };
                Content::Unknown {
                    unknown,
                    bytes,
                    text,
                }
            }
            Reading::Unreadable { problem } => {
                let (bytes, text) = whole();
                Content::Unreadable {
                    unreadable: problem,
                    bytes,
                    text,
                }
            }
        };
        Self {
            index,
            leaf_hash: leaf_hash(bytes).hex(),
            content,
        }
    }
}

fn as_text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

pub(super) fn run(workspace: &Workspace) -> Result {
    let reader = workspace.ledger_reader()?;
    for entry in reader.entries(0..reader.size())? {
        let (index, bytes) = entry?;
        let reading = Entry::from_bytes(&bytes);
        let line = Line::new(index, &bytes, reading);
        let json = serde_json::to_string(&line).map_err(|error| Failure::new(error.to_string()))?;
        text::print(&text::ascii_json(&json));
    }
    Ok(ExitCode::SUCCESS)
}
