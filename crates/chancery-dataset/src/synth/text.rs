//! Short texts, numbers and dates without allocation: they are written for every cell.

use std::fmt;

/// The longest text that a [`Text`] holds.
const CAPACITY: usize = 46;

/// A short text held in place. What does not fit is cut off.
#[derive(Clone, Copy)]
pub(super) struct Text {
    bytes: [u8; CAPACITY],
    length: u8,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            bytes: [0; CAPACITY],
            length: 0,
        }
    }
}

impl Text {
    pub(super) fn of(text: &str) -> Self {
        Self::default().text(text)
    }

    /// Appends `text`.
    #[must_use]
    pub(super) fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            self.push(byte);
        }
        self
    }

    /// Appends `number` in at least `width` digits.
    #[must_use]
    pub(super) fn number(mut self, number: u64, width: usize) -> Self {
        let mut digits = [b'0'; 20];
        let mut left = number;
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            if left == 0 && used >= width.max(1) {
                break;
            }
            *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
            left /= 10;
            used += 1;
        }
        for digit in digits.iter().skip(20 - used) {
            self.push(*digit);
        }
        self
    }

    pub(super) fn as_str(&self) -> &str {
        let bytes = self
            .bytes
            .get(..usize::from(self.length))
            .unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(usize::from(self.length)) {
            *slot = byte;
            self.length += 1;
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A day, counted from 1970-01-01 as Arrow counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(pub(super) i32);

impl Day {
    /// 9999-12-31: the end of what has not ended.
    pub(super) const OPEN: Self = Self(2_932_896);
    /// 2025-12-31, the last day of the files' reporting period.
    pub(super) const LAST: Self = Self(20_453);

    pub(super) fn minus(self, days: u32) -> Self {
        Self(self.0 - i32::try_from(days).unwrap_or_default())
    }

    pub(super) fn plus(self, days: u32) -> Self {
        Self(self.0 + i32::try_from(days).unwrap_or_default())
    }

    /// Days from `earlier` to this day, none if it is not earlier.
    pub(super) fn since(self, earlier: Self) -> u32 {
        u32::try_from(self.0 - earlier.0).unwrap_or_default()
    }

    /// Year, month and day of the Gregorian calendar, by Howard Hinnant's `civil_from_days`.
    fn civil(self) -> (u64, u64, u64) {
        let days = u64::try_from(i64::from(self.0) + 719_468).unwrap_or_default();
        let era_day = days % 146_097;
        let year_of_era = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
        let year_day = era_day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * year_day + 2) / 153;
        let day = year_day - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        (
            year_of_era + days / 146_097 * 400 + u64::from(month <= 2),
            month,
            day,
        )
    }

    /// `20251231`, as T-MSIS writes it.
    pub(super) fn compact(self) -> Text {
        let (year, month, day) = self.civil();
        Text::default().number(year * 10_000 + month * 100 + day, 8)
    }

    /// `2025-12-31`.
    pub(super) fn dashed(self) -> Text {
        let (year, month, day) = self.civil();
        let text = Text::default().number(year, 4).text("-").number(month, 2);
        text.text("-").number(day, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_dates() {
        assert_eq!(Day::OPEN.compact().as_str(), "99991231");
        assert_eq!(Day::LAST.dashed().as_str(), "2025-12-31");
        assert_eq!(Day(0).compact().as_str(), "19700101");
        assert_eq!(Day(-1).compact().as_str(), "19691231");
        assert_eq!(Day(19_782).compact().as_str(), "20240229");
    }

    #[test]
    fn numbers_are_padded_to_their_width() {
        assert_eq!(Text::of("A").number(7, 3).as_str(), "A007");
        assert_eq!(Text::default().number(0, 0).as_str(), "0");
        assert_eq!(Text::default().number(1234, 2).as_str(), "1234");
    }
}
