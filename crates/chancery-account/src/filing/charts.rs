//! People over time: by what left about them, and by origin.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{Words, cell, said};
use crate::Amount;
use crate::exhibit::{Cell, Chart, Period};
use crate::tally::{Account, Group, Month};

/// The most bars of a period: as many as patterns can tell apart.
const BARS: usize = 4;

/// One bar of each period.
struct Bar<'a> {
    /// What it is, for the key to the chart.
    name: String,
    /// The same in two words.
    short: String,
    /// The headings that it counts together.
    keys: Vec<&'a str>,
}

/// The headings with most people have a bar of their own, and the others one together. What is
/// suppressed counts as nobody, so that the order tells nothing of it.
fn ranked(groups: &[Group]) -> (Vec<&str>, Vec<&str>) {
    let mut groups: Vec<&Group> = groups.iter().collect();
    groups.sort_by_key(|group| Reverse(group.disclosures.count.number().unwrap_or(0)));
    let mut own: Vec<&str> = groups.iter().map(|group| group.key.as_str()).collect();
    let rest = if own.len() > BARS {
        own.split_off(BARS - 1)
    } else {
        Vec::new()
    };
    (own, rest)
}

impl Words<'_, '_> {
    pub(super) fn charts(&self, account: &Account) -> Vec<Chart> {
        let classes = self.classes(&account.by_class);
        let by_class = over_time(
            "People by what left about them, by month",
            account,
            classes,
            |month| &month.by_class,
        );
        let months = account.over_time.len();
        let origins = self.origins(&account.by_origin);
        let crowded = account.by_origin.len() > BARS;
        let by_month = (months > 1)
            .then(|| {
                over_time("People by origin, by month", account, origins, |month| {
                    &month.by_origin
                })
            })
            .flatten();
        let together = (months == 1 || crowded).then(|| self.together(account));
        let all = [by_class, by_month, together.flatten()];
        all.into_iter().flatten().collect()
    }

    /// A bar for each origin, whatever the month.
    fn together(&self, account: &Account) -> Option<Chart> {
        let groups = &account.by_origin;
        let title = match account.over_time.as_slice() {
            [only] => format!("People by origin, {}", month_name(&only.month)),
            _ => "People by origin, all months together".to_owned(),
        };
        let periods = groups.iter().map(|group| Period {
            label: self.origin(&group.key),
            counts: vec![cell(group.disclosures.count)],
        });
        let periods: Vec<Period> = periods.collect();
        let figures = periods.iter().map(|period| {
            let counts = period.counts.iter().map(said);
            format!("{}: {}", period.label, counts.collect::<String>())
        });
        let alternative = format!("{title}. {}.", figures.collect::<Vec<_>>().join("; "));
        (groups.len() > 1 && has_bars(&periods)).then_some(Chart {
            title,
            alternative,
            classes: vec!["People, once in each release".to_owned()],
            periods,
        })
    }

    fn origins<'a>(&self, groups: &'a [Group]) -> Vec<Bar<'a>> {
        let (own, rest) = ranked(groups);
        let bars = own.into_iter().map(|key| Bar {
            name: self.origin(key),
            short: self.origin(key),
            keys: vec![key],
        });
        let others = (!rest.is_empty()).then(|| Bar {
            name: format!("{} other origins", rest.len()),
            short: "other origins".to_owned(),
            keys: rest,
        });
        bars.chain(others).collect()
    }

    /// A class is said by its elements, or by what it lacks of a class before it.
    fn classes<'a>(&self, groups: &'a [Group]) -> Vec<Bar<'a>> {
        let (mut own, rest) = ranked(groups);
        own.sort_by_key(|key| Reverse(key.split(", ").count()));
        let mut before: Vec<BTreeSet<&str>> = Vec::new();
        let mut bars = Vec::new();
        for key in own {
            let number = bars.len() + 1;
            let elements: BTreeSet<&str> = key.split(", ").collect();
            let wider = before.iter().zip(1..).filter_map(|(wider, number)| {
                let lacks = elements.is_subset(wider).then(|| wider - &elements)?;
                (lacks.len() < elements.len()).then_some((lacks, number))
            });
            let what = match wider.min_by_key(|(lacks, _)| lacks.len()) {
                Some((lacks, wider)) => {
                    format!("as class {wider}, without {}", self.list(lacks))
                }
                None => self.list(key.split(", ")),
            };
            bars.push(Bar {
                name: format!("Class {number}: {what}"),
                short: format!("class {number}"),
                keys: vec![key],
            });
            before.push(elements);
        }
        let others = (!rest.is_empty()).then(|| Bar {
            name: format!("All others: {} further classes", rest.len()),
            short: "all others".to_owned(),
            keys: rest,
        });
        bars.extend(others);
        bars
    }

    fn list<'a>(&self, elements: impl IntoIterator<Item = &'a str>) -> String {
        let names = elements.into_iter().map(|name| self.element(name));
        names.collect::<Vec<_>>().join("; ")
    }
}

/// A bar for each class or origin in each month; nothing if there is but one bar.
fn over_time(
    title: &str,
    account: &Account,
    bars: Vec<Bar<'_>>,
    groups: fn(&Month) -> &[Group],
) -> Option<Chart> {
    if bars.is_empty() || bars.len() * account.over_time.len() < 2 {
        return None;
    }
    let periods: Vec<Period> = account
        .over_time
        .iter()
        .map(|month| {
            let lacks = lacks(account, &month.month);
            let count = |bar: &Bar<'_>| {
                let here = groups(month).iter();
                let here = here.filter(|group| bar.keys.contains(&group.key.as_str()));
                let counts = here.map(|group| group.disclosures.count);
                cell(Amount::together(counts.chain(lacks)))
            };
            Period {
                label: month_name(&month.month),
                counts: bars.iter().map(count).collect(),
            }
        })
        .collect();
    let figures = periods.iter().map(|period| {
        let counts = bars.iter().zip(&period.counts);
        let counts = counts.map(|(bar, count)| format!("{} {}", bar.short, said(count)));
        format!(
            "{}: {}",
            period.label,
            counts.collect::<Vec<_>>().join(", ")
        )
    });
    let alternative = format!("{title}. {}.", figures.collect::<Vec<_>>().join("; "));
    has_bars(&periods).then(|| Chart {
        title: title.to_owned(),
        alternative,
        classes: bars.into_iter().map(|bar| bar.name).collect(),
        periods,
    })
}

fn has_bars(periods: &[Period]) -> bool {
    let mut counts = periods.iter().flat_map(|period| &period.counts);
    counts.any(|count| matches!(count, Cell::Count(1..)))
}

/// What has to be added to every count of a month of which a release cannot be counted.
fn lacks(account: &Account, month: &str) -> Option<Amount> {
    let gaps: BTreeSet<u64> = account.incomplete.iter().map(|gap| gap.entry).collect();
    let mut here = account.releases.iter();
    here.any(|one| gaps.contains(&one.entry) && one.on.to_string().starts_with(month))
        .then_some(Amount::Unknown)
}

/// `2025-07` as `July 2025`.
fn month_name(month: &str) -> String {
    let first = format!("{month}-01").parse::<jiff::civil::Date>();
    first.map_or_else(
        |_| month.to_owned(),
        |day| day.strftime("%B %Y").to_string(),
    )
}
