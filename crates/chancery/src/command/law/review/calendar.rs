//! A review's deadlines as a calendar.

use chancery_law::review::{Deadline, Review};

use super::super::super::Result;
use super::{findings, tally};
use crate::calendar::{Event, calendar as in_calendar};

/// The calendar of a review: its deadlines, and the review itself.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every form of a review is made by a function of this shape"
)]
pub(super) fn calendar(review: &Review) -> Result<String> {
    let count = review.findings().count();
    let mut events = vec![Event {
        uid: format!("review/{}/{}", review.pack, review.on),
        on: review.on,
        stamp: review.on,
        title: format!("Agreements reviewed: {}", findings(count)),
        text: format!(
            "{} {}, {}. Findings: {}.{}",
            review.pack,
            review.version,
            review.digest,
            tally(review.findings()),
            review
                .as_known
                .map(|known| format!(" As known on {known}."))
                .unwrap_or_default()
        ),
        category: "review",
        days_before: None,
    }];
    events.extend(review.deadlines.iter().map(|one| of(review, one)));
    Ok(in_calendar("law review", "Agreements: deadlines", &events))
}

fn of(review: &Review, deadline: &Deadline) -> Event {
    Event {
        uid: format!(
            "{}/{}/{}",
            deadline.about,
            deadline.kind.as_str(),
            review.pack
        ),
        on: deadline.on,
        stamp: review.on,
        title: deadline.title.clone(),
        text: format!("{} {}", deadline.explanation, deadline.about),
        category: deadline.kind.as_str(),
        days_before: (deadline.on >= review.on).then_some(1),
    }
}
