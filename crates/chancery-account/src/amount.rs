use serde::{Serialize, Serializer};

/// A count as an account says it.
///
/// ```
/// use chancery_account::Amount;
/// let json = |amount: Amount| serde_json::to_string(&amount).unwrap();
/// assert_eq!(json(Amount::Exactly(12)), "12");
/// assert_eq!(json(Amount::AtLeast(12)), r#"{"at_least":12}"#);
/// // What may not be shown, and what is not known, are no numbers.
/// assert_eq!(json(Amount::Suppressed), "\"suppressed\"");
/// assert_eq!(json(Amount::Unknown), "\"unknown\"");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// This many.
    Exactly(u64),
    /// This many, and more of which the count is suppressed or not known.
    AtLeast(u64),
    /// None of it may be shown.
    Suppressed,
    /// None of it is known.
    Unknown,
}

/// A part of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Count(u64),
    Hidden,
    Missing,
}

impl Part {
    /// A count that is known, and hidden if it may not be shown.
    pub(crate) fn shown(count: Option<u64>) -> Self {
        count.map_or(Self::Hidden, Self::Count)
    }

    /// A count that may be shown, if it is known.
    pub(crate) fn known(count: Option<u64>) -> Self {
        count.map_or(Self::Missing, Self::Count)
    }
}

impl Amount {
    /// Parts together. A sum says nothing that its shown parts do not say, so no difference of sums
    /// tells a hidden part.
    pub(crate) fn sum(parts: impl IntoIterator<Item = Part>) -> Self {
        let (mut sum, mut hidden, mut missing) = (0_u64, false, false);
        for part in parts {
            match part {
                Part::Count(count) => sum = sum.saturating_add(count),
                Part::Hidden => hidden = true,
                Part::Missing => missing = true,
            }
        }
        match (sum, hidden, missing) {
            (sum, false, false) => Self::Exactly(sum),
            (0, true, _) => Self::Suppressed,
            (0, false, true) => Self::Unknown,
            (sum, ..) => Self::AtLeast(sum),
        }
    }

    /// Amounts together, as if their parts were.
    pub(crate) fn together(amounts: impl IntoIterator<Item = Self>) -> Self {
        let parts = amounts.into_iter().flat_map(|amount| match amount {
            Self::Exactly(count) => [Some(Part::Count(count)), None],
            Self::AtLeast(count) => [Some(Part::Count(count)), Some(Part::Hidden)],
            Self::Suppressed => [Some(Part::Hidden), None],
            Self::Unknown => [Some(Part::Missing), None],
        });
        Self::sum(parts.flatten())
    }

    /// The number that it says, if it says one.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Exactly(count) | Self::AtLeast(count) => Some(count),
            Self::Suppressed | Self::Unknown => None,
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        match self {
            Self::Exactly(count) => serializer.serialize_u64(*count),
            Self::AtLeast(count) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("at_least", count)?;
                map.end()
            }
            Self::Suppressed => serializer.serialize_str("suppressed"),
            Self::Unknown => serializer.serialize_str("unknown"),
        }
    }
}
