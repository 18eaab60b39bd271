use serde::{Deserialize, Serialize};

/// A count as it is shown outside the custodian's own copy (CMS cell-size suppression policy).
///
/// ```
/// use chancery_release::Shown;
/// let (total, withheld) = Shown::withheld(1_000, 993);
/// assert_eq!(serde_json::to_string(&withheld).unwrap(), "\"<11\"");
/// // The total would give it away: 1000 − 993.
/// assert_eq!(serde_json::to_string(&total).unwrap(), "\"suppressed\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Shown {
    /// The count itself.
    Count(u64),
    /// `<11` for 1 to 10; `suppressed` where it would give away another.
    Hidden(String),
}

/// The largest count that is not shown.
const LARGEST_SMALL: u64 = 10;

impl Shown {
    /// A count about people, or lines about people, that do not leave.
    pub fn small(count: u64) -> Self {
        if (1..=LARGEST_SMALL).contains(&count) {
            Self::Hidden("<11".to_owned())
        } else {
            Self::Count(count)
        }
    }

    /// What is hidden because another count could be computed from it.
    pub fn complement() -> Self {
        Self::Hidden("suppressed".to_owned())
    }

    /// Total and withheld, where the recipient knows how many were released.
    pub fn withheld(total: u64, released: u64) -> (Self, Self) {
        let withheld = Self::small(total - released);
        match withheld {
            Self::Count(_) => (Self::Count(total), withheld),
            Self::Hidden(_) => (Self::complement(), withheld),
        }
    }

    /// Parts and their sum: if a part is small, the sum is hidden too, and so is every other part
    /// unless two or more are hidden anyway.
    pub fn parts(parts: &[u64]) -> (Self, Vec<Self>) {
        let sum: u64 = parts.iter().sum();
        let hidden = parts
            .iter()
            .filter(|part| (1..=LARGEST_SMALL).contains(part))
            .count();
        if hidden == 0 {
            return (
                Self::Count(sum),
                parts.iter().map(|part| Self::Count(*part)).collect(),
            );
        }
        let shown = parts.iter().map(|part| Self::small(*part)).collect();
        let sum = if parts.len() == hidden {
            Self::small(sum)
        } else {
            Self::complement()
        };
        let sum = if matches!(sum, Self::Count(_)) {
            Self::complement()
        } else {
            sum
        };
        (sum, shown)
    }

    /// Whether it is hidden.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Hidden(_))
    }
}
