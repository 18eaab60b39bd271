use std::collections::BTreeSet;

use chancery_dataset::Dataset;
use chancery_law::{LawPack, Query, did_you_mean};
use chancery_model::{Fault, Request};

use crate::Error;
use crate::entry::Label;

/// A request whose every word is known to the law pack and the dataset. Only [`ask`] makes one.
#[derive(Clone, Debug)]
pub struct Question {
    /// The request as it was made.
    pub request: Request,
    /// Who discloses what to whom and for which purpose.
    pub query: Query,
    /// The elements asked for, in the law pack's order.
    pub elements: Vec<String>,
    /// The tables asked for, in the dataset's order.
    pub tables: Vec<String>,
}

/// Holds a request (`text`, the content of `file`) against the law pack and the dataset.
///
/// # Errors
///
/// A fault with the line of the first word that nothing knows.
pub fn ask(
    file: &str,
    text: &str,
    request: Request,
    law: &LawPack,
    dataset: &Dataset,
) -> Result<Question, Error> {
    let words = law.vocabulary();
    let fault = |field: &str, problem: String| Request::fault(file, text, field, problem);
    let agency = |field: &str, path: &str| {
        words.agency(path).ok_or_else(|| {
            fault(field, format!("unknown agency `{path}`"))
                .hint(did_you_mean(path, words.agency_paths()))
        })
    };
    let query = Query {
        recipient: agency("recipient", &request.recipient)?,
        custodian: agency("custodian", &request.custodian)?,
        purpose: words
            .purpose(&request.purpose)
            .ok_or_else(|| {
                let known = words.purposes().iter().map(|purpose| purpose.path.as_str());
                fault("purpose", format!("unknown purpose `{}`", request.purpose))
                    .hint(did_you_mean(&request.purpose, known))
            })?
            .clone(),
    };
    if let Some(id) = request
        .authority
        .iter()
        .find(|id| law.instrument(id).is_none())
    {
        let known = law
            .instruments()
            .iter()
            .map(|instrument| instrument.id.as_str());
        let fault = fault("authority", format!("unknown instrument `{id}`"));
        return Err(fault.hint(did_you_mean(id, known)).into());
    }
    labels(&request, &fault)?;
    let tables = tables(&request, dataset, &fault)?;
    let elements = elements(&request, law, dataset, &tables, &fault)?;
    Ok(Question {
        request,
        query,
        elements,
        tables,
    })
}

/// What the ledger will say of the request, release or refusal, must be sayable there.
fn labels(request: &Request, fault: &dyn Fn(&str, String) -> Fault) -> Result<(), Fault> {
    let named = [
        ("recipient", &request.recipient),
        ("purpose", &request.purpose),
        ("custodian", &request.custodian),
        ("dataset", &request.dataset),
    ];
    for (field, name) in named {
        name.parse::<Label>().map_err(|problem| {
            let problem = format!("cannot stand in the ledger: {problem}");
            fault(field, problem).hint("rename it; the ledger is public for good")
        })?;
    }
    Ok(())
}

fn tables(
    request: &Request,
    dataset: &Dataset,
    fault: &dyn Fn(&str, String) -> Fault,
) -> Result<Vec<String>, Fault> {
    let known: Vec<&str> = dataset
        .catalogue
        .tables
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    for name in &request.tables {
        if name != "*" && !known.contains(&name.as_str()) {
            let fault = fault("tables", format!("unknown table `{name}`"));
            let hint = format!("dataset `{}` has {}", request.dataset, known.join(", "));
            return Err(fault.hint(hint));
        }
    }
    let asked = |name: &&str| {
        request
            .tables
            .iter()
            .any(|asked| asked == "*" || asked == name)
    };
    Ok(known.into_iter().filter(asked).map(str::to_owned).collect())
}

fn elements(
    request: &Request,
    law: &LawPack,
    dataset: &Dataset,
    tables: &[String],
    fault: &dyn Fn(&str, String) -> Fault,
) -> Result<Vec<String>, Fault> {
    let words = law.vocabulary();
    for name in &request.elements {
        if name != "*" && words.element(name).is_none() {
            let hint = did_you_mean(name, words.element_names());
            return Err(fault("elements", format!("unknown element `{name}`")).hint(hint));
        }
    }
    let all = request.elements.iter().any(|name| name == "*");
    let held: BTreeSet<&str> = dataset
        .catalogue
        .tables
        .iter()
        .filter(|table| tables.contains(&table.name))
        .flat_map(|table| {
            table
                .columns
                .iter()
                .filter_map(|column| column.element.as_deref())
        })
        .collect();
    let asked = |name: &&str| {
        (all && held.contains(name)) || request.elements.iter().any(|asked| asked == name)
    };
    Ok(words
        .element_names()
        .filter(asked)
        .map(str::to_owned)
        .collect())
}
