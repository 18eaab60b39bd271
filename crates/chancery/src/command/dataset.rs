use std::collections::BTreeMap;
use std::process::ExitCode;

use chancery_dataset::{AddRequest, Dataset, Kind, add, reclassify};
use chancery_release::{dataset_law, elements};
use serde_json::json;

use super::{Context, Result};
use crate::args::{self, DatasetCommand, DatasetKind, Format};
use crate::text;

pub(crate) fn run(context: &Context, args: &args::Dataset) -> Result {
    let workspace = context.workspace()?;
    let law = workspace.law()?;
    let names = elements(&law);
    let needed = dataset_law(&law, &names);
    let datasets = workspace.datasets_dir();
    match &args.command {
        DatasetCommand::Add {
            name,
            paths,
            kind,
            map,
            determinations,
        } => {
            let request = AddRequest {
                name,
                kind: match kind {
                    DatasetKind::Tmsis => Kind::Tmsis,
                    DatasetKind::Taf => Kind::Taf,
                    DatasetKind::Table => Kind::Table,
                },
                paths,
                map: map.as_deref(),
                determinations: determinations.as_deref(),
            };
            let dataset = add(&datasets, &request, &needed, &context.progress)?;
            context.progress.finish();
            show(context, &dataset, &added(&dataset));
        }
        DatasetCommand::Classify { name } => {
            let dataset = reclassify(&datasets, name, &needed, &context.progress)?;
            context.progress.finish();
            show(context, &dataset, &profile(&dataset));
        }
        DatasetCommand::Show { name } => {
            let dataset = workspace.dataset(name, &law)?;
            show(context, &dataset, &described(&dataset));
        }
        DatasetCommand::Profile { name } => {
            let dataset = workspace.dataset(name, &law)?;
            show(context, &dataset, &profile(&dataset));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context, dataset: &Dataset, text: &str) {
    match context.format {
        Format::Text => text::print(text),
        Format::Json => {
            let catalogue = &dataset.catalogue;
            let report = json!({
                "name": catalogue.name, "kind": catalogue.kind, "subjects": dataset.census.total(),
                "tables": catalogue.tables, "sources": catalogue.sources,
                "determinations": catalogue.determinations, "quarantine": catalogue.quarantine,
                "classification": catalogue.classification, "separability": dataset.separability,
            });
            text::print(&format!("{report:#}"));
        }
    }
}

pub(crate) fn added(dataset: &Dataset) -> String {
    let catalogue = &dataset.catalogue;
    let rows: u64 = (0..catalogue.tables.len())
        .map(|at| dataset.census.rows(at))
        .sum();
    format!(
        "Added {}: {}, {} in {}, from {}.\n{}",
        catalogue.name,
        text::people(dataset.census.total()),
        text::counted(rows, "row"),
        text::counted(catalogue.tables.len() as u64, "table"),
        text::counted(catalogue.sources.len() as u64, "file"),
        quarantine(dataset),
    )
}

fn quarantine(dataset: &Dataset) -> String {
    let unmatched = dataset.catalogue.quarantine.determinations_unmatched;
    let lines = malformed(dataset);
    if unmatched == 0 {
        return lines;
    }
    format!(
        "{lines}\n{} determinations are about nobody in the dataset.",
        text::count(unmatched)
    )
}

fn malformed(dataset: &Dataset) -> String {
    let summary = &dataset.catalogue.quarantine;
    if summary.lines == 0 {
        return "No line is malformed.".to_owned();
    }
    let reasons = summary.by_reason.iter();
    let reasons: Vec<String> = reasons
        .map(|(reason, lines)| format!("{} {reason}", text::count(*lines)))
        .collect();
    let mut text = format!(
        "{} malformed lines were left out ({}); everything about the people on them is unknown, so \
         protected.\nSee {}",
        text::count(summary.lines),
        reasons.join(", "),
        dataset.dir().join("quarantine.csv").display(),
    );
    if summary.unattributed > 0 {
        text.push_str(&format!(
            "\nOf {} of them nobody can tell whom they are about: mend the file, or ask for it again.",
            text::count(summary.unattributed)
        ));
    }
    text
}

fn described(dataset: &Dataset) -> String {
    let mut parts = vec![added(dataset).replacen("Added ", "", 1)];
    for table in &dataset.catalogue.tables {
        let at = dataset.catalogue.table(&table.name).map_or(0, |(at, _)| at);
        let mut by_element: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for column in &table.columns {
            let element = column.element.as_deref().unwrap_or("(never released)");
            by_element.entry(element).or_default().push(&column.name);
        }
        let rows = by_element
            .into_iter()
            .map(|(e, columns)| vec![e.to_owned(), columns.join(", ")]);
        let rows = text::table(&["element", "columns"], &[], rows.collect());
        parts.push(format!(
            "{}, {} rows\n{rows}",
            table.name,
            text::count(dataset.census.rows(at))
        ));
    }
    parts.join("\n\n")
}

/// Who can be told apart, and why the rest cannot.
pub(crate) fn profile(dataset: &Dataset) -> String {
    let separability = &dataset.separability;
    let mut counts: BTreeMap<(Vec<String>, String), u64> = BTreeMap::new();
    for row in &separability.rows {
        let reason = row.reason.clone().unwrap_or_default();
        *counts.entry((row.values.clone(), reason)).or_default() += row.subjects;
    }
    let total = dataset.census.total();
    let told: u64 = counts
        .iter()
        .filter(|((_, why), _)| why.is_empty())
        .map(|(_, n)| n)
        .sum();
    let rows = counts.into_iter().map(|((values, reason), subjects)| {
        let mut row = values;
        row.extend([text::count(subjects), text::share(subjects, total), reason]);
        row
    });
    let mut header: Vec<&str> = separability.attributes.iter().map(String::as_str).collect();
    header.extend(["people", "share", "why it cannot be told"]);
    let numbers = [
        separability.attributes.len(),
        separability.attributes.len() + 1,
    ];
    let all = text::table(&header, &numbers, rows.collect());
    format!(
        "{}: {} of {} can be told apart by {} ({}).\n{all}\n{}\n{}",
        dataset.catalogue.name,
        text::count(told),
        text::people(total),
        separability.attributes.join(" and "),
        text::share(told, total),
        by_origin(dataset),
        quarantine(dataset),
    )
}

fn by_origin(dataset: &Dataset) -> String {
    let mut origins: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for row in &dataset.separability.rows {
        let (all, unknown) = origins.entry(&row.origin).or_default();
        *all += row.subjects;
        if row.reason.is_some() {
            *unknown += row.subjects;
        }
    }
    let rows = origins.into_iter().map(|(origin, (all, unknown))| {
        let told = all - unknown;
        vec![
            origin.to_owned(),
            text::count(all),
            text::count(told),
            text::share(told, all),
        ]
    });
    text::table(
        &["origin", "people", "can be told apart", "share"],
        &[1, 2, 3],
        rows.collect(),
    )
}
