//! An account for people, and as comma-separated values.

use chancery_account::{
    Account, Amount, Cell, Copy, Figure, Gap, Group, Listed, OrderAccount, Refused, Span,
};

use crate::text;

/// An account for people.
pub(super) fn text(account: &Account, title: &str) -> String {
    let mut parts = vec![head(account, title)];
    if !account.incomplete.is_empty() {
        parts.push(gaps(&account.incomplete));
    }
    if account.is_empty() {
        parts.push("Nothing left, and nothing was asked for and refused.".to_owned());
    }
    if let Some(order) = &account.order {
        parts.push(spans(order));
    }
    let groups = [
        ("recipient", &account.by_recipient),
        ("purpose", &account.by_purpose),
        ("dataset", &account.by_dataset),
        ("let go by", &account.by_permitting_instrument),
        ("held back in part by", &account.by_barring_instrument),
        ("origin", &account.by_origin),
        ("element", &account.by_element),
        ("elements of the same people", &account.by_class),
        ("month", &account.by_month),
    ];
    for (header, groups) in groups {
        parts.extend(table_of(header, groups));
    }
    parts.extend(releases(&account.releases));
    parts.extend(account.releases.iter().filter_map(cells));
    parts.extend(refusals(&account.refused));
    parts.extend(aborts(account));
    parts.extend(people(account));
    parts.extend(readings(account));
    if account.copy == Copy::Others {
        parts.push(text::wrap(SUPPRESSED, ""));
    }
    parts.join("\n\n")
}

const SUPPRESSED: &str = "A count from 1 to 10 people is suppressed, and so is any from which it could \
                          be worked out. \"At least\" stands where a part of a sum is suppressed or \
                          not known.";

fn head(account: &Account, title: &str) -> String {
    let total = &account.total;
    let copy = match account.copy {
        Copy::Custodian => "The custodian's own copy: every count as it is.",
        Copy::Others => "A copy for others: small counts are suppressed.",
    };
    let refused = count(account.refused.len());
    [
        title.to_owned(),
        format!(
            "{} release{}, {} disclosures of one person each, {refused} refused request{}",
            amount(total.releases.count),
            plural(total.releases.count),
            amount(total.disclosures.count),
            if account.refused.len() == 1 { "" } else { "s" },
        ),
        copy.to_owned(),
        format!(
            "From {} entries of the ledger, root {}",
            text::count(account.ledger_size),
            account.ledger_root
        ),
    ]
    .join("\n")
}

fn plural(amount: Amount) -> &'static str {
    if amount == Amount::Exactly(1) {
        ""
    } else {
        "s"
    }
}

fn count(number: usize) -> String {
    text::count(number as u64)
}

/// An amount in words.
fn amount(amount: Amount) -> String {
    match amount {
        Amount::Exactly(number) => text::count(number),
        Amount::AtLeast(number) => format!("at least {}", text::count(number)),
        Amount::Suppressed => "suppressed".to_owned(),
        Amount::Unknown => "not known".to_owned(),
    }
}

/// The entries that prove something: `3, 7–9`.
fn entries(figure: &Figure) -> String {
    numbers(&figure.entries)
}

fn numbers(entries: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for entry in entries {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *entry => *last = *entry,
            _ => runs.push((*entry, *entry)),
        }
    }
    let run = |(first, last): (u64, u64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    runs.into_iter().map(run).collect::<Vec<_>>().join(", ")
}

fn gaps(gaps: &[Gap]) -> String {
    let line = |gap: &Gap| {
        let of = gap.release.as_ref().map(|id| format!(" (release {id})"));
        let of = of.unwrap_or_default();
        text::hang(
            &format!("entry {}{of}: {}", gap.entry, gap.problem),
            "  · ",
            "    ",
        )
    };
    let lines = gaps.iter().map(line).collect::<Vec<_>>().join("\n");
    format!("INCOMPLETE: not everything that this needs is here.\n{lines}")
}

fn table_of(header: &str, groups: &[Group]) -> Option<String> {
    if groups.is_empty() {
        return None;
    }
    let row = |group: &Group| {
        vec![
            group.key.clone(),
            amount(group.releases.count),
            amount(group.disclosures.count),
            entries(&group.disclosures),
        ]
    };
    let rows = groups.iter().map(row).collect();
    let header = [header, "releases", "disclosures", "entries"];
    Some(text::table(&header, &[1, 2], rows))
}

fn releases(releases: &[Listed]) -> Option<String> {
    if releases.is_empty() {
        return None;
    }
    let row = |listed: &Listed| {
        let then = listed.afterwards.iter();
        let then: Vec<String> = then
            .map(|one| format!("{} (entry {}): {}", one.kind, one.entry, one.said))
            .map(|line| line.replace('_', " "))
            .collect();
        vec![
            listed.entry.to_string(),
            listed.id.clone(),
            listed.outcome.clone(),
            amount(listed.people),
            listed.rows.map_or_else(String::new, text::count),
            then.join("\n"),
        ]
    };
    let rows = releases.iter().map(row).collect();
    let header = [
        "entry",
        "release",
        "outcome",
        "people",
        "rows",
        "since then",
    ];
    Some(text::table(&header, &[0, 3, 4], rows))
}

fn cells(listed: &Listed) -> Option<String> {
    if listed.cells.is_empty() {
        return None;
    }
    let row = |cell: &Cell| {
        vec![
            cell.origin.clone(),
            amount(cell.people),
            cell.elements.join(", "),
        ]
    };
    let rows = listed.cells.iter().map(row).collect();
    Some(text::table(&["origin", "people", "elements"], &[1], rows))
}

fn people(account: &Account) -> Option<String> {
    let (looked_up, suspended) = (account.looked_up.as_ref()?, account.suspended.as_ref()?);
    if looked_up.entries.is_empty() && suspended.entries.is_empty() {
        return None;
    }
    Some(format!(
        "A person's accounting was looked up {} times and suspended {} times{}.",
        amount(looked_up.count),
        amount(suspended.count),
        proven(looked_up, suspended)
    ))
}

fn refusals(refused: &[Refused]) -> Option<String> {
    if refused.is_empty() {
        return None;
    }
    let row = |refused: &Refused| {
        let barred_by = match &refused.barred_by {
            None => "decided under another edition of the law pack".to_owned(),
            Some(none) if none.is_empty() => "nothing permits it".to_owned(),
            Some(barred_by) => barred_by.join(" "),
        };
        vec![
            refused.entry.to_string(),
            refused.id.clone(),
            refused.on.to_string(),
            refused.recipient.clone(),
            refused.purpose.clone(),
            barred_by,
        ]
    };
    let rows = refused.iter().map(row).collect();
    let header = [
        "entry",
        "refusal",
        "refused on",
        "recipient",
        "purpose",
        "this flow is barred by",
    ];
    Some(text::table(&header, &[0], rows))
}

fn aborts(account: &Account) -> Option<String> {
    if account.aborted.is_empty() {
        return None;
    }
    let rows = account.aborted.iter().map(|aborted| {
        vec![
            aborted.entry.to_string(),
            aborted.recorded.to_string(),
            aborted.id.clone(),
            aborted.reason.clone(),
        ]
    });
    let header = ["entry", "given up on", "release", "why nothing left"];
    Some(text::table(&header, &[0], rows.collect()))
}

fn readings(account: &Account) -> Option<String> {
    if account.interpretations.is_empty() {
        return None;
    }
    let mut lines = vec!["Interpretations relied on".to_owned()];
    for relied in &account.interpretations {
        lines.push(text::hang(&relied.question, "  · ", "    "));
        lines.push(text::wrap(&relied.reading, "    "));
        let proof = format!("{}, entries {}", relied.id, entries(&relied.releases));
        lines.push(text::wrap(&proof, "    "));
    }
    Some(lines.join("\n"))
}

fn spans(order: &OrderAccount) -> String {
    let mut parts = vec![format!("{}\nencoding: {}", order.citation, order.review)];
    for span in &order.spans {
        let mut lines = vec![
            days(span),
            format!(
                "  {} release{} of the flows that it speaks to, {} disclosures, {} refused{}",
                amount(span.total.releases.count),
                plural(span.total.releases.count),
                amount(span.total.disclosures.count),
                amount(span.refused.count),
                proven(&span.total.releases, &span.refused),
            ),
        ];
        let covered = [
            ("element that it covers", &span.covered_elements),
            (
                "elements that it covers, of the same people",
                &span.covered_classes,
            ),
            ("origin that it speaks of", &span.covered_origins),
        ];
        for (header, groups) in covered {
            let table = table_of(header, groups);
            let table = table.iter().flat_map(|table| table.lines());
            lines.extend(table.map(|line| format!("  {line}")));
        }
        parts.push(lines.join("\n"));
    }
    parts.join("\n\n")
}

fn proven(releases: &Figure, refused: &Figure) -> String {
    let all: Vec<u64> = [&releases.entries[..], &refused.entries[..]].concat();
    if all.is_empty() {
        return String::new();
    }
    format!(" (entries {})", numbers(&all))
}

fn days(span: &Span) -> String {
    let state = if span.in_force {
        "in force"
    } else {
        "not in force"
    };
    let what = match (span.from, span.until) {
        (None, Some(until)) => return format!("Until {}, before it was issued", text::day(until)),
        (None, None) => return "All of the time".to_owned(),
        (Some(from), Some(until)) => format!("{} to {}", text::day(from), text::day(until)),
        (Some(from), None) => format!("Since {}", text::day(from)),
    };
    let events = span.events.join(", ");
    format!("{what}: {events}; {state}")
}

/// A line for each figure: section, key, measure, count and the entries that prove it.
pub(super) fn csv(account: &Account) -> String {
    let mut lines = vec!["section,key,measure,count,bound,entries".to_owned()];
    let groups = [
        ("total", std::slice::from_ref(&account.total)),
        ("recipient", &account.by_recipient),
        ("purpose", &account.by_purpose),
        ("dataset", &account.by_dataset),
        ("permitting_instrument", &account.by_permitting_instrument),
        ("barring_instrument", &account.by_barring_instrument),
        ("origin", &account.by_origin),
        ("element", &account.by_element),
        ("class", &account.by_class),
        ("month", &account.by_month),
    ];
    for (section, groups) in groups {
        lines.extend(
            groups
                .iter()
                .flat_map(|group| rows(section, &group.key, group)),
        );
    }
    for month in &account.over_time {
        let of = |what: &str| format!("month {} {what}", month.month);
        for group in &month.by_class {
            lines.extend(rows(&of("class"), &group.key, group));
        }
        for group in &month.by_origin {
            lines.extend(rows(&of("origin"), &group.key, group));
        }
    }
    for span in account.order.iter().flat_map(|order| &order.spans) {
        let day =
            |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let key = format!("{}/{}", day(span.from), day(span.until));
        lines.extend(rows("order", &key, &span.total));
        lines.push(row("order", &key, "refused", &span.refused));
        for group in &span.covered_elements {
            lines.extend(rows(&format!("order {key} element"), &group.key, group));
        }
        for group in &span.covered_classes {
            lines.extend(rows(&format!("order {key} class"), &group.key, group));
        }
        for group in &span.covered_origins {
            lines.extend(rows(&format!("order {key} origin"), &group.key, group));
        }
    }
    for listed in &account.releases {
        let figure = Figure {
            count: listed.people,
            entries: vec![listed.entry],
        };
        lines.push(row("release", &listed.id, "people", &figure));
    }
    for refused in &account.refused {
        let figure = Figure {
            count: Amount::Exactly(1),
            entries: vec![refused.entry],
        };
        lines.push(row("refused", &refused.id, "requests", &figure));
    }
    for relied in &account.interpretations {
        lines.push(row(
            "interpretation",
            &relied.id,
            "releases",
            &relied.releases,
        ));
    }
    for gap in &account.incomplete {
        let figure = Figure {
            count: Amount::Unknown,
            entries: vec![gap.entry],
        };
        lines.push(row("incomplete", &gap.problem, "", &figure));
    }
    lines.join("\r\n")
}

fn rows(section: &str, key: &str, group: &Group) -> [String; 2] {
    [
        row(section, key, "releases", &group.releases),
        row(section, key, "disclosures", &group.disclosures),
    ]
}

fn row(section: &str, key: &str, measure: &str, figure: &Figure) -> String {
    let number = |number: u64| number.to_string();
    let (count, bound) = match figure.count {
        Amount::Exactly(count) => (number(count), "exact"),
        Amount::AtLeast(count) => (number(count), "at_least"),
        Amount::Suppressed => (String::new(), "suppressed"),
        Amount::Unknown => (String::new(), "unknown"),
    };
    let entries: Vec<String> = figure.entries.iter().copied().map(number).collect();
    let fields = [section, key, measure, &count, bound, &entries.join(" ")];
    fields.map(field).join(",")
}

/// A field by RFC 4180; one that a spreadsheet would take for a formula is taken for text.
pub(super) fn field(text: &str) -> String {
    let text = match text.chars().next() {
        Some('=' | '+' | '-' | '@') => format!("'{text}"),
        _ => text.to_owned(),
    };
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}
