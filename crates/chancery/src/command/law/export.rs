//! `law export`: the law of a day as files, for Cedar's own command line tool.

use std::collections::BTreeSet;
use std::path::Path;

use chancery_law::{Asked, Bundle, LawPack};
use chancery_model::Signature;
use chancery_release::Workspace;
use serde_json::json;

use crate::args::{self, Format};
use crate::command::{Context, Result, day, known, read_request};
use crate::failure::Failure;
use crate::text;

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    law: &LawPack,
    args: &args::LawExport,
) -> Result<()> {
    let output = &args.output;
    if output.symlink_metadata().is_ok() {
        return Err(
            Failure::new(format!("`{}` is already there", output.display()))
                .hint("name a folder that is not there yet: nothing is overwritten"),
        );
    }
    let on = day(args.on);
    let standing = workspace.standing(law, on, known(None))?;
    let in_force = law.in_force(on, workspace.sign_off(&standing))?;
    let named = args.record.iter().map(|record| parsed(record, law));
    let named = named.collect::<Result<Vec<_>>>()?;
    let mut records: BTreeSet<&Signature> = named.iter().collect();
    let request = args.request.as_deref();
    let request = request.map(|path| read_request(path, workspace, law));
    let request = request.transpose()?;
    let asked = request.as_ref().map(|(question, dataset)| {
        records.extend(dataset.census.signatures());
        Asked {
            query: question.query.clone(),
            elements: question.elements.clone(),
        }
    });
    let unknown = Signature::unknown(law.domain());
    if records.is_empty() {
        records.insert(&unknown);
    }
    let bundle = in_force.export(asked.as_ref(), &records)?;
    write(output, &bundle)?;
    text::print(&match context.format {
        Format::Json => format!(
            "{:#}",
            json!({
                "folder": output, "on": in_force.on(), "files": bundle.files.len(),
                "policies": bundle.policies, "records": bundle.records,
                "decisions": bundle.decisions,
            })
        ),
        Format::Text => format!(
            "Wrote the law of {} to {}: {}, {}, {}.\n\
             Its README.md says how to decide again with Cedar's own tool.",
            text::day(in_force.on()),
            output.display(),
            match bundle.policies {
                1 => "1 policy".to_owned(),
                many => format!("{} policies", text::count(many as u64)),
            },
            text::counted(bundle.records as u64, "record"),
            text::counted(bundle.decisions as u64, "decision"),
        ),
    });
    Ok(())
}

/// A record by its attributes: `citizenship=noncitizen,origin=06`.
fn parsed(text: &str, law: &LawPack) -> Result<Signature> {
    let domain = law.domain();
    let mut record = Signature::unknown(domain);
    for part in text.split(',') {
        let refused = |problem: String, hint: String| {
            Err(Failure::new(format!("--record: {problem}"))
                .hint(hint)
                .invalid())
        };
        let Some((name, value)) = part.split_once('=') else {
            let problem = "an attribute and its value are joined by `=`".to_owned();
            return refused(
                problem,
                "for example `citizenship=noncitizen,origin=06`".into(),
            );
        };
        let Some((at, attribute)) = domain.attribute(name) else {
            let known = domain.attributes().iter().map(|a| a.name.as_str());
            let hint = chancery_law::did_you_mean(name, known);
            return refused(format!("unknown attribute `{name}`"), hint);
        };
        let Some(value) = domain.value(at, value) else {
            let values = format!("one of {}", attribute.values.join(", "));
            return refused(format!("`{name}` has no such value"), values);
        };
        record = record.with(at, value);
    }
    Ok(record)
}

fn write(folder: &Path, bundle: &Bundle) -> Result<()> {
    let made = |made: std::io::Result<()>, path: &Path| {
        made.map_err(|error| Failure::file("make", path, &error))
    };
    made(std::fs::create_dir(folder), folder)?;
    for (name, text) in &bundle.files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            made(std::fs::create_dir_all(parent), parent)?;
        }
        std::fs::write(&path, text).map_err(|error| Failure::file("write", &path, &error))?;
    }
    Ok(())
}
