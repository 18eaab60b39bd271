//! `account publish`: the report to the public.

use std::collections::BTreeMap;
use std::process::ExitCode;

use chancery_account::Site;
use chancery_release::Workspace;

use super::{Books, Context, INCOMPLETE, Result, json};
use crate::args::{AccountPublish, Format};
use crate::command::day;
use crate::failure::Failure;
use crate::text;

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    books: &Books<'_>,
    args: &AccountPublish,
) -> Result {
    let pages = write(workspace, books, args)?;
    let gaps = books.sources().gaps();
    let folder = args.dir.display();
    text::print(&match context.format {
        Format::Json => text::ascii_json(&json(&serde_json::json!({
            "folder": folder.to_string(), "files": pages.keys().collect::<Vec<_>>(),
            "complete": gaps.is_empty(), "incomplete": gaps,
        }))?),
        Format::Text => text::safe(&format!(
            "{} files in {folder}: open index.html there, or let a web server serve them.",
            pages.len(),
        )),
    });
    if gaps.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    text::warn(
        "the report is incomplete, and says so: a release's manifest or record is missing or is not what \
         was signed, or an entry cannot be read",
    );
    Ok(ExitCode::from(INCOMPLETE))
}

/// Writes the pages, and gives them back.
pub(crate) fn write(
    workspace: &Workspace,
    books: &Books<'_>,
    args: &AccountPublish,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let on = day(args.on);
    let standing = workspace.standing(books.law.pack(), on, chancery_release::Known::Now)?;
    let site = Site {
        sources: books.sources(),
        standing: &standing,
        on,
        ledger_url: args.ledger_url.as_deref(),
        demonstration: workspace.is_demonstration(),
    };
    let pages = site.pages()?;
    chancery_account::publish(&args.dir, &pages).map_err(|error| {
        let hint = error.hint();
        Failure::new(error.to_string()).hint(hint)
    })?;
    Ok(pages)
}
