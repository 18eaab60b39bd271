//! The people of one origin whom a release was the first to be about, where they lie in its record.
//!
//! They are in the order of their places, then of their tags. A place is 16 bits that everybody can compute from a name, so
//! that the people of a bucket of the commitment lie together; a tag is a keyed hash. Twenty bytes a person: 8 of tag and
//! 12 of pseudonym, and the places besides: two bytes each for few people, a table of 65,537 starts for many.

use std::ops::{Range, RangeInclusive};

use crate::bitmap::partition;
use crate::key::Pseudonym;
use crate::record::Damage;

/// From so many people on the table of starts is the smaller form.
const MANY: usize = 131_072;
/// A number that nobody has: a register that would need it takes nobody more.
const NOBODY: u32 = u32::MAX;
const PLACES: usize = 65_536;
pub(crate) const TAG_BYTES: usize = 8;
pub(crate) const PSEUDONYM_BYTES: usize = 12;

/// A person whom the register did not know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Newcomer {
    pub(crate) place: u16,
    pub(crate) tag: u64,
    pub(crate) pseudonym: Pseudonym,
    pub(crate) class: u16,
}

/// The places of newcomers in their order.
pub(crate) fn places(newcomers: &[Newcomer]) -> Vec<u8> {
    if newcomers.len() < MANY {
        return newcomers
            .iter()
            .flat_map(|one| one.place.to_le_bytes())
            .collect();
    }
    let mut starts = Vec::with_capacity(4 * (PLACES + 1));
    let mut rest = newcomers;
    let mut start = 0_u32;
    for place in 0..=u16::MAX {
        starts.extend_from_slice(&start.to_le_bytes());
        let here = rest.iter().take_while(|one| one.place == place).count();
        rest = rest.get(here..).unwrap_or_default();
        // INVARIANT: a register has fewer people than there are numbers.
        start = start.saturating_add(u32::try_from(here).unwrap_or(u32::MAX));
    }
    starts.extend_from_slice(&start.to_le_bytes());
    starts
}

/// How many bytes the places of so many people take.
pub(crate) fn places_bytes(people: usize) -> usize {
    if people < MANY {
        2 * people
    } else {
        4 * (PLACES + 1)
    }
}

/// Where they lie.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    /// The number of the first.
    pub(crate) first: u32,
    /// How many there are.
    pub(crate) people: u32,
    pub(crate) places: &'a [u8],
    pub(crate) tags: &'a [u8],
    pub(crate) pseudonyms: &'a [u8],
}

impl Segment<'_> {
    /// The numbers of those in these places; nothing if it is damaged.
    pub(crate) fn within(&self, places: &RangeInclusive<u16>) -> Option<Range<u32>> {
        let people = self.people as usize;
        let start = |place: u32| -> Option<u32> {
            if people < MANY {
                let at = |rank: usize| self.places.get(2 * rank..2 * rank + 2)?.try_into().ok();
                let before = |rank| Some(u32::from(u16::from_le_bytes(at(rank)?)) < place);
                u32::try_from(partition(people, before)?).ok()
            } else {
                let at = 4 * place as usize;
                let bytes = self.places.get(at..at + 4)?.try_into().ok()?;
                Some(u32::from_le_bytes(bytes).min(self.people))
            }
        };
        let from = start(u32::from(*places.start()))?;
        let until = start(u32::from(*places.end()) + 1)?;
        Some(self.first + from..self.first + until)
    }

    fn tag(&self, rank: usize) -> Option<u64> {
        let bytes = self.tags.get(TAG_BYTES * rank..TAG_BYTES * (rank + 1))?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// The number of who has this tag at this place.
    pub(crate) fn find(&self, place: u16, tag: u64) -> Result<Option<u32>, Damage> {
        self.search(place, tag)
            .ok_or(Damage)
            .map(|number| (number != NOBODY).then_some(number))
    }

    fn search(&self, place: u16, tag: u64) -> Option<u32> {
        let here = self.within(&(place..=place))?;
        let from = (here.start - self.first) as usize;
        let len = here.len();
        let at = partition(len, |at| Some(self.tag(from + at)? < tag))?;
        let found = at < len && self.tag(from + at)? == tag;
        Some(if found {
            here.start + u32::try_from(at).ok()?
        } else {
            NOBODY
        })
    }

    /// The pseudonym of a number.
    pub(crate) fn pseudonym(&self, number: u32) -> Option<Pseudonym> {
        let rank = number.checked_sub(self.first)? as usize;
        let bytes = self
            .pseudonyms
            .get(PSEUDONYM_BYTES * rank..PSEUDONYM_BYTES * (rank + 1))?;
        bytes.try_into().ok()
    }

    /// The numbers of all.
    pub(crate) fn numbers(&self) -> Range<u32> {
        self.first..self.first + self.people
    }
}
