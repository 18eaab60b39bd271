use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Texts numbered by first appearance: a person's id or a case number each costs its bytes, an
/// offset and a slot, whatever its length.
#[derive(Default)]
pub(crate) struct Index {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    slots: HashTable<u32>,
    hasher: RandomState,
    last: u32,
}

impl Index {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text with this number.
    pub(crate) fn get(&self, number: u32) -> &[u8] {
        let at = number as usize;
        let start = match at.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(0),
        };
        let span = start.zip(self.ends.get(at).copied());
        span.and_then(|(start, end)| self.bytes.get(start..end))
            .unwrap_or_default()
    }

    /// The number of `text`, a new one if need be.
    pub(crate) fn insert(&mut self, text: &str) -> u32 {
        let text = text.as_bytes();
        // Files list people in the same order table by table, so the same person or the next one
        // is likely, and looking there spares a hash and a cache miss.
        let next = self.last.saturating_add(1);
        for likely in [self.last, next] {
            if (likely as usize) < self.ends.len() && self.get(likely) == text {
                self.last = likely;
                return likely;
            }
        }
        let hash = self.hasher.hash_one(text);
        if let Some(found) = self.slots.find(hash, |slot| self.get(*slot) == text) {
            self.last = *found;
            return *found;
        }
        self.add(hash, text)
    }

    fn add(&mut self, hash: u64, text: &[u8]) -> u32 {
        // INVARIANT: an origin has fewer people than there are numbers; the last number would
        // stand for all beyond it, which makes them one person and never tells two apart wrongly.
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        let rehash = |slot: &u32| {
            let at = *slot as usize;
            let start = at.checked_sub(1).and_then(|before| ends.get(before));
            let end = ends.get(at).copied().unwrap_or_default();
            let text = bytes.get(start.copied().unwrap_or_default()..end);
            hasher.hash_one(text.unwrap_or_default())
        };
        self.slots.insert_unique(hash, number, rehash);
        self.last = number;
        number
    }

    /// The number of `text`, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text.as_bytes());
        let found = self
            .slots
            .find(hash, |slot| self.get(*slot) == text.as_bytes());
        found.copied()
    }

    /// Every text, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let text = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_numbered_by_first_appearance() {
        let mut index = Index::default();
        let numbers: Vec<u32> = ["b", "a", "b", "", "a", "c", ""]
            .into_iter()
            .map(|text| index.insert(text))
            .collect();
        assert_eq!(numbers, [0, 1, 0, 2, 1, 3, 2]);
        assert_eq!(
            index.iter().collect::<Vec<_>>(),
            [&b"b"[..], b"a", b"", b"c"]
        );
        assert_eq!(index.find("c"), Some(3));
        assert_eq!(index.find("d"), None);
    }
}
