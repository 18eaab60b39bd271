//! How results look to people: readable without colour, and aloud.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, Table, TableComponent, presets,
};

use crate::failure::Failure;

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    big(u128::from(number))
}

/// The same for a number of cases.
pub(crate) fn big(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 person`, `2 people`.
pub(crate) fn people(number: u64) -> String {
    if number == 1 {
        "1 person".to_owned()
    } else {
        format!("{} people", count(number))
    }
}

/// `12 January 2026`.
pub(crate) fn day(date: jiff::civil::Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}

/// `part` of `whole` in percent.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "–".to_owned();
    }
    let permille = (part * 1_000 + whole / 2) / whole;
    if permille == 0 {
        return "<0.1 %".to_owned();
    }
    format!("{}.{} %", permille / 10, permille % 10)
}

/// A table with a header and a rule; the columns in `numbers` stand to the right.
pub(crate) fn table(header: &[&str], numbers: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(100)
        .set_header(header);
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // What has no space in it, such as an id, is not broken over lines.
    let whole = |column: &usize| {
        rows.iter()
            .all(|row| row.get(*column).is_some_and(|cell| !cell.contains(' ')))
    };
    let columns: Vec<usize> = (0..header.len()).filter(whole).collect();
    for row in rows {
        table.add_row(row);
    }
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// How wide text may be.
const WIDTH: usize = 100;

/// Wraps prose, each line behind `indent`.
pub(crate) fn wrap(text: &str, indent: &str) -> String {
    hang(text, indent, indent)
}

/// Wraps prose, the first line behind `first` and the others behind `indent`.
pub(crate) fn hang(text: &str, first: &str, indent: &str) -> String {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines.join("\n")
}

/// Text of unknown origin, safe to show: whatever is not printable ASCII is escaped, as a control
/// character could drive the terminal and a mark of direction could turn words around. It is cut
/// off after about `most` characters.
pub(crate) fn escaped(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() >= most {
            shown.push('…');
            break;
        }
        if character == ' ' || character.is_ascii_graphic() {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}

/// Lines of our own that may hold names of unknown origin, safe to show: a control character could
/// drive the terminal and a mark of direction could turn words around. Lines stay lines, and
/// letters of any script stay as they are.
pub(crate) fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let is_layout = matches!(character, '\n' | '\t');
        if is_layout || !(character.is_control() || is_unseen(character)) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}

/// Marks of direction, separators of lines, and characters without a width.
pub(crate) fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The same JSON in printable ASCII alone: JSON itself escapes only the first 32 characters.
pub(crate) fn ascii_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || character == ' ' || character.is_ascii_graphic() {
            text.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// Why an answer is not where it should be, if it is not.
static UNPRINTED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints to stdout; a reader that closed the pipe is no failure, and any other is kept for
/// [`unprinted`].
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let printed = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    if let Err(reason) = printed
        && reason.kind() != io::ErrorKind::BrokenPipe
    {
        let mut unprinted = UNPRINTED.lock().unwrap_or_else(PoisonError::into_inner);
        unprinted.get_or_insert(reason);
    }
}

/// The failure to print an answer: half an export must not pass for a whole one.
pub(crate) fn unprinted() -> Option<Failure> {
    let unprinted = UNPRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    let reason = unprinted.as_ref()?;
    let message = format!("what was printed is cut short: standard output: {reason}");
    Some(Failure::new(message).hint(
        "free space where it goes, then look before doing it again: what was asked for is done",
    ))
}

/// "1 provision", "2 provisions".
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Tells the operator what was done besides what was asked for.
pub(crate) fn note(what: &str) {
    tell(&format!("note: {}", safe(what)));
}

/// Tells the operator something that does not keep the command from its result.
pub(crate) fn warn(warning: &str) {
    tell(&format!("warning: {}", safe(warning)));
}

/// A line on standard error. Nobody is left to tell where that is closed.
pub(crate) fn tell(line: &str) {
    use std::io::Write as _;
    let told = std::io::stderr().write_all(format!("{line}\n").as_bytes());
    drop(told);
}
