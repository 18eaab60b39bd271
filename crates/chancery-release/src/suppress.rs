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

    /// Parts and their sum: if a part is small, the sum is hidden too.
    ///
    /// ```
    /// use chancery_release::Shown;
    /// let (sum, parts) = Shown::parts(&[3, 40]);
    /// assert!(sum.is_hidden() && parts[0].is_hidden());
    /// assert_eq!(parts[1], Shown::Count(40));
    /// // Ten parts of which each is at least 1 would be told by a sum of at most 10.
    /// assert_eq!(Shown::parts(&[1; 10]).0, Shown::complement());
    /// ```
    pub fn parts(parts: &[u64]) -> (Self, Vec<Self>) {
        let sum: u64 = parts.iter().sum();
        let is_small = |part: &u64| (1..=LARGEST_SMALL).contains(part);
        let shown_sum = if parts.iter().any(is_small) {
            Self::complement()
        } else {
            Self::Count(sum)
        };
        let shown = parts.iter().map(|part| Self::small(*part)).collect();
        (shown_sum, shown)
    }

    /// Whether it is hidden.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Hidden(_))
    }
}
