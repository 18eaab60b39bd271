//! `account rebuild` and `account rotate-key`.

use std::process::ExitCode;

use chancery_release::Workspace;

use super::{Context, INCOMPLETE, Result};
use crate::args::Format;
use crate::text;

/// Makes the register anew, and says what it holds.
pub(super) fn rebuild(context: &Context, workspace: &Workspace) -> Result {
    let register = workspace.rebuild_register()?;
    let people: u64 = register.keys().iter().map(|key| register.people(key)).sum();
    let missing: Vec<&str> = register.unrecorded().collect();
    text::print(&match context.format {
        Format::Json => format!(
            "{:#}",
            serde_json::json!({
                "releases": register.releases(), "pseudonyms": people, "bytes": register.bytes(),
                "unrecorded": missing,
            })
        ),
        Format::Text => {
            let mut lines = vec![format!(
                "The register holds {} with {}, in {} bytes.",
                text::counted(register.releases() as u64, "release"),
                text::counted(people, "pseudonym"),
                text::count(register.bytes()),
            )];
            lines.extend(
                missing
                    .iter()
                    .map(|id| format!("Not recorded who was in {id}.")),
            );
            text::safe(&lines.join("\n"))
        }
    });
    Ok(if missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(INCOMPLETE)
    })
}

/// Begins with a new key.
pub(super) fn rotate(context: &Context, workspace: &Workspace) -> Result {
    workspace.rotate_register_key()?;
    let keys = workspace.register_keys()?;
    text::print(&match context.format {
        Format::Json => format!("{:#}", serde_json::json!({ "keys": keys.len() })),
        Format::Text => format!(
            "From now on people have other pseudonyms; {} in keys/register.key.",
            text::counted(keys.len() as u64, "key")
        ),
    });
    Ok(ExitCode::SUCCESS)
}
