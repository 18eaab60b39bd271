//! Deadlines as iCalendar: RFC 5545, whole days, nothing that depends on the clock.

use jiff::civil::Date;

/// A calendar of these deadlines.
pub(crate) fn calendar(product: &str, name: &str, events: &[Event]) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        format!("PRODID:-//Chancery//{product}//EN"),
        "CALSCALE:GREGORIAN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        format!("X-WR-CALNAME:{}", escaped(name)),
    ];
    lines.extend(events.iter().flat_map(event));
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|line| folded(line)).collect()
}

/// A deadline.
pub(crate) struct Event {
    /// The same for the same deadline in every review, so that a calendar replaces it.
    pub(crate) uid: String,
    pub(crate) on: Date,
    pub(crate) stamp: Date,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) category: &'static str,
    pub(crate) days_before: Option<u8>,
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
