//! Deadlines as iCalendar: RFC 5545, whole days, nothing that depends on the clock.

use chancery_law::review::{Deadline, Review};
use jiff::civil::Date;

use super::super::super::Result;
use super::{findings, tally};

/// The calendar of a review: its deadlines, and the review itself.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every form of a review is made by a function of this shape"
)]
pub(super) fn calendar(review: &Review) -> Result<String> {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Chancery//law review//EN".to_owned(),
        "CALSCALE:GREGORIAN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        format!("X-WR-CALNAME:{}", escaped("Agreements: deadlines")),
    ];
    let count = review.findings().count();
    lines.extend(event(&Event {
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
    }));
    for deadline in &review.deadlines {
        lines.extend(event(&of(review, deadline)));
    }
    lines.push("END:VCALENDAR".to_owned());
    Ok(lines.iter().map(|line| folded(line)).collect())
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

struct Event {
    /// The same for the same deadline in every review, so that a calendar replaces it.
    uid: String,
    on: Date,
    stamp: Date,
    title: String,
    text: String,
    category: &'static str,
    days_before: Option<u8>,
}

fn event(event: &Event) -> Vec<String> {
    let date = |date: Date| date.strftime("%Y%m%d").to_string();
    let next = event.on.tomorrow().unwrap_or(event.on);
    let mut lines = vec![
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@chancery", escaped(&event.uid)),
        // Whoever publishes a calendar says when: the day of the review, not the clock's.
        format!("DTSTAMP:{}T000000Z", date(event.stamp)),
        format!("DTSTART;VALUE=DATE:{}", date(event.on)),
        format!("DTEND;VALUE=DATE:{}", date(next)),
        format!("SUMMARY:{}", escaped(&event.title)),
        format!("DESCRIPTION:{}", escaped(&event.text)),
        format!("CATEGORIES:{}", escaped(event.category)),
        "TRANSP:TRANSPARENT".to_owned(),
    ];
    if let Some(days) = event.days_before {
        lines.extend([
            "BEGIN:VALARM".to_owned(),
            "ACTION:DISPLAY".to_owned(),
            format!("DESCRIPTION:{}", escaped(&event.title)),
            format!("TRIGGER:-P{days}D"),
            "END:VALARM".to_owned(),
        ]);
    }
    lines.push("END:VEVENT".to_owned());
    lines
}

/// Text as RFC 5545 section 3.3.11 has it; control characters have no place in it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A line as RFC 5545 section 3.1 has it: at most 75 bytes, continued behind a space, no character cut.
fn folded(line: &str) -> String {
    const MOST: usize = 75;
    let mut folded = String::with_capacity(line.len() + 2);
    let mut length = 0;
    for character in line.chars() {
        if length + character.len_utf8() > MOST {
            folded.push_str("\r\n ");
            length = 1;
        }
        folded.push(character);
        length += character.len_utf8();
    }
    folded.push_str("\r\n");
    folded
}

#[cfg(test)]
mod tests {
    use super::{escaped, folded};

    #[test]
    fn text_is_escaped_and_cannot_end_its_line() {
        assert_eq!(
            escaped("a;b,c\\d\r\nEND:VEVENT"),
            "a\\;b\\,c\\\\d \\nEND:VEVENT"
        );
    }

    #[test]
    fn lines_are_folded_between_characters() {
        let line = format!("SUMMARY:{}", "é".repeat(80));
        let folded = folded(&line);
        assert!(folded.split("\r\n").all(|line| line.len() <= 75));
        assert_eq!(folded.replace("\r\n ", "").trim_end(), line);
    }
}
