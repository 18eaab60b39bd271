//! `exhibit`: an account as a court is given it.

use std::path::Path;
use std::process::ExitCode;

use chancery_account::exhibit::{Caption, Declaration, exhibit};
use chancery_account::{About, Copy, Filing, bundle};
use chancery_model::Fault;
use chancery_release::{Clock as _, System};
use serde::Deserialize;

use super::account::{Books, order};
use super::{Context, Result};
use crate::args::{Exhibit as Args, ExhibitOf, Format};
use crate::failure::Failure;
use crate::{private, text};

/// The file with what a court asks for on the first page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    caption: Caption,
    declaration: Option<Declaration>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result {
    let is_zip = is_zip(&args.output)?;
    let workspace = context.workspace()?;
    let pack = workspace.law()?;
    let copy = if args.sealed {
        Copy::Custodian
    } else {
        Copy::Others
    };
    let books = Books::open(&workspace, &pack, copy)?;
    let about = match &args.of {
        ExhibitOf::Order { instrument } => About::Order {
            instrument: order::known(&books, instrument)?.id.clone(),
        },
        ExhibitOf::Recipient { agency } => About::Recipient {
            agency: agency.clone(),
        },
        ExhibitOf::Period { from, to } => About::Period {
            from: *from,
            to: *to,
        },
    };
    let account = books.account(&about)?;
    if account.is_empty() {
        let failure = Failure::new("the ledger holds nothing that this exhibit would be of");
        return Err(failure
            .hint("`chancery account` says what it holds")
            .invalid());
    }
    let case = case(&args.caption)?;
    let filing = Filing {
        date: args.on.unwrap_or_else(|| System.today()),
        caption: case.caption,
        declaration: case.declaration,
        mark: mark(workspace.config().demonstration),
    };
    let (data, evidence) = filing.exhibit(&workspace, books.sources(), &account)?;
    let set = |error: chancery_account::Error| Failure::new(error.to_string());
    let bytes = if is_zip {
        bundle(&data, &evidence).map_err(set)?
    } else {
        exhibit(&data).map_err(set)?
    };
    let written = private::write(&args.output, &bytes);
    written.map_err(|error| Failure::file("write", &args.output, &error))?;
    text::print(&match context.format {
        Format::Json => format!(
            "{:#}",
            serde_json::json!({
                "file": args.output, "bytes": bytes.len(), "releases": account.releases.len(),
                "complete": account.complete,
            })
        ),
        Format::Text => format!(
            "Wrote {}: {}, {} refused.{}",
            args.output.display(),
            text::counted(account.releases.len() as u64, "release"),
            account.refused.len(),
            if account.complete {
                ""
            } else {
                " The account is not complete, and says so."
            }
        ),
    });
    Ok(if account.complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(super::account::INCOMPLETE)
    })
}

/// Whether it is to be the bundle and not the document alone, by the file's name.
fn is_zip(output: &Path) -> Result<bool> {
    let is = |ending: &str| {
        let extension = output.extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
    };
    if is("zip") || is("pdf") {
        return Ok(is("zip"));
    }
    let failure = Failure::new(format!("`{}` is neither a PDF nor a zip", output.display()));
    let hint = "name a file that ends in `.pdf`, or in `.zip` for the exhibit with its evidence";
    Err(failure.hint(hint).invalid())
}

fn case(file: &Path) -> Result<Case> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::new(format!("cannot read `{}`: {error}", file.display()))
            .hint("docs/account.md has a caption to begin with")
    })?;
    let parsed = toml::from_str(&text);
    Ok(parsed.map_err(|error| {
        Fault::from_toml(&file.display().to_string(), &text, &error)
            .hint("docs/account.md has a caption to begin with")
    })?)
}

fn mark(demonstration: bool) -> Option<String> {
    demonstration.then(|| "DEMONSTRATION: SYNTHETIC PEOPLE, UNSIGNED LAW".to_owned())
}

/// The exhibit of a demonstration.
pub(crate) fn demonstration() -> Filing {
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    Filing {
        date: System.today(),
        caption: Caption {
            counsel: lines(&["A. Sample", "Office of a State's Attorney General"]),
            court: lines(&[
                "United States District Court",
                "Northern District of California",
            ]),
            plaintiffs: "STATE OF CALIFORNIA, et al.".to_owned(),
            defendants: "U.S. DEPARTMENT OF HEALTH AND HUMAN SERVICES, et al.".to_owned(),
            case_number: "3:25-cv-05536".to_owned(),
            exhibit: "A".to_owned(),
            title: "Account of the Medicaid records disclosed".to_owned(),
        },
        declaration: None,
        mark: mark(true),
    }
}
