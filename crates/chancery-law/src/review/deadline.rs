use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use super::day;
use crate::Instrument;
use crate::agreement::Term;

/// A day by which something must be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Deadline {
    /// The day.
    pub on: Date,
    /// What it is about, such as an instrument's id.
    pub about: String,
    /// What is due.
    pub kind: DeadlineKind,
    /// In a line.
    pub title: String,
    /// More about it.
    pub explanation: String,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadlineKind {
    /// A renewal has to be begun: 90 days are left, or a third of a time shorter than 180 days.
    RenewalDue,
    /// A renewal has to be concluded: a third of that is left.
    RenewalUrgent,
    /// The last day of a document.
    Expiry,
    /// The last day that the law lets a matching agreement last.
    LongestTerm,
    /// The last day that the law lets a matching agreement be renewed for.
    LongestRenewal,
    /// The last day of a sign-off.
    SignOff,
}

impl DeadlineKind {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RenewalDue => "renewal-due",
            Self::RenewalUrgent => "renewal-urgent",
            Self::Expiry => "expiry",
            Self::LongestTerm => "longest-term",
            Self::LongestRenewal => "longest-renewal",
            Self::SignOff => "sign-off",
        }
    }
}

/// When a renewal has to be begun and concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ahead {
    /// How many days before the end it has to be begun. Within three months before it ends a matching
    /// agreement can be renewed (5 USC 552a(o)(2)(D)).
    pub(super) due: i32,
    /// How many days before the end it has to be concluded.
    pub(super) urgent: i32,
}

impl Ahead {
    /// A time of less than 180 days leaves a third of it, so that nothing is due before it begins.
    pub(super) fn of(term: &Term) -> Self {
        const DUE: i32 = 90;
        let renewed = term.renewals.last().map(|last| (last.from, last.until));
        let current = renewed.or_else(|| Some((term.from?, term.until?)));
        let days = current.map(|(from, until)| (until - from).get_days() + 1);
        let due = days
            .filter(|days| *days < 2 * DUE)
            .map_or(DUE, |days| days / 3);
        Self {
            due,
            urgent: due / 3,
        }
    }
}

/// The last day of a matching agreement that begins on a day: 18 months.
pub(super) fn longest_term(from: Date) -> Option<Date> {
    from.checked_add(18.months()).ok()?.yesterday().ok()
}

/// The last day of the renewal of a matching agreement that ends on a day: one year.
pub(super) fn longest_renewal(until: Date) -> Option<Date> {
    until.checked_add(1.year()).ok()
}

/// The deadlines that follow from an instrument's own dates.
pub(super) fn of(instrument: &Instrument) -> Vec<Deadline> {
    let Some(agreement) = &instrument.agreement else {
        return Vec::new();
    };
    let Some(term) = &agreement.term else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut add = |on: Option<Date>, kind, title: &str, explanation: String| {
        found.extend(on.map(|on| Deadline {
            on,
            about: instrument.id.clone(),
            kind,
            title: format!("{}: {title}", instrument.short),
            explanation,
        }));
    };
    if let Some(last) = term.last() {
        let ahead = Ahead::of(term);
        let before = |days: i32| last.checked_sub(days.days()).ok();
        let ends = format!("It ends on {}.", day(last));
        add(
            before(ahead.due),
            DeadlineKind::RenewalDue,
            "begin the renewal",
            format!("{ends} {} days are left to renew it or to stop.", ahead.due),
        );
        add(
            before(ahead.urgent),
            DeadlineKind::RenewalUrgent,
            "conclude the renewal",
            format!("{ends} {} days are left.", ahead.urgent),
        );
        add(
            Some(last),
            DeadlineKind::Expiry,
            "last day",
            "Nothing is given under it from the next day, unless it has been renewed.".to_owned(),
        );
    }
    if agreement.is_matching() {
        limits(term, &mut add);
    }
    found
}

/// Takes a day, if there is one, what is due, a title and an explanation.
type Add<'a> = dyn FnMut(Option<Date>, DeadlineKind, &str, String) + 'a;

fn limits(term: &Term, add: &mut Add<'_>) {
    let within = |limit: &Date| term.last().is_none_or(|last| last >= *limit);
    add(
        term.from.and_then(longest_term).filter(within),
        DeadlineKind::LongestTerm,
        "18 months are over",
        "A matching agreement lasts at most 18 months: 5 USC 552a(o)(2)(C).".to_owned(),
    );
    add(
        term.until.and_then(longest_renewal).filter(within),
        DeadlineKind::LongestRenewal,
        "one year of renewal is over",
        "A matching agreement is renewed for at most one year: 5 USC 552a(o)(2)(D).".to_owned(),
    );
}
