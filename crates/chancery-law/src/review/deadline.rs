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
    /// A renewal has to be begun: three months are left.
    RenewalDue,
    /// A renewal has to be concluded: thirty days are left.
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

/// How many days before the end a renewal has to be begun: within three months before it ends a
/// matching agreement can be renewed (5 USC 552a(o)(2)(D)).
pub(super) const DUE_DAYS: i32 = 90;
/// How many days before the end it has to be concluded.
pub(super) const URGENT_DAYS: i32 = 30;

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
        let before = |days: i32| last.checked_sub(days.days()).ok();
        let ends = format!("It ends on {}.", day(last));
        add(
            before(DUE_DAYS),
            DeadlineKind::RenewalDue,
            "begin the renewal",
            format!("{ends} {DUE_DAYS} days are left to renew it or to stop."),
        );
        add(
            before(URGENT_DAYS),
            DeadlineKind::RenewalUrgent,
            "conclude the renewal",
            format!("{ends} {URGENT_DAYS} days are left."),
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

fn limits(term: &Term, add: &mut dyn FnMut(Option<Date>, DeadlineKind, &str, String)) {
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
