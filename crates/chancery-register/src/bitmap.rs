//! Sets of numbers, read where they lie: [`roaring`] writes them, in the portable form that every implementation reads
//! (`github.com/RoaringBitmap/RoaringFormatSpec`), and nothing of them is loaded.

use std::ops::Range;

/// A serialized bitmap.
#[derive(Clone, Copy)]
pub(crate) struct Bitmap<'a> {
    bytes: &'a [u8],
    /// How many containers of up to 65,536 numbers it has.
    containers: usize,
    has_runs: bool,
}

const WITH_RUNS: u32 = 12_347;
const WITHOUT_RUNS: u32 = 12_346;
/// Below this a bitmap with runs has no offsets.
const FEW: usize = 4;
const LARGEST_ARRAY: usize = 4_096;

/// The numbers of one container.
enum Container<'a> {
    /// In order, two bytes each.
    Array(&'a [u8]),
    /// 65,536 bits.
    Bits(&'a [u8]),
    /// First number and how many follow it, in order, four bytes each.
    Runs(&'a [u8]),
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..at + 2)?
        .try_into()
        .ok()
        .map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .try_into()
        .ok()
        .map(u32::from_le_bytes)
}

impl<'a> Bitmap<'a> {
    /// Nothing, if the bytes are no bitmap.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let cookie = u32_at(bytes, 0)?;
        let (containers, has_runs) = if cookie & 0xFFFF == WITH_RUNS {
            ((cookie >> 16) as usize + 1, true)
        } else if cookie == WITHOUT_RUNS {
            (u32_at(bytes, 4)? as usize, false)
        } else {
            return None;
        };
        let bitmap = Self {
            bytes,
            containers,
            has_runs,
        };
        (containers <= 65_536 && bytes.len() >= bitmap.offsets()).then_some(bitmap)
    }

    fn flags(&self) -> usize {
        if self.has_runs { 4 } else { 8 }
    }

    fn keys(&self) -> usize {
        let flags = if self.has_runs {
            self.containers.div_ceil(8)
        } else {
            0
        };
        self.flags() + flags
    }

    fn offsets(&self) -> usize {
        self.keys() + 4 * self.containers
    }

    fn key(&self, number: usize) -> Option<u16> {
        u16_at(self.bytes, self.keys() + 4 * number)
    }

    fn cardinality(&self, number: usize) -> Option<usize> {
        Some(usize::from(u16_at(self.bytes, self.keys() + 4 * number + 2)?) + 1)
    }

    fn is_run(&self, number: usize) -> Option<bool> {
        if !self.has_runs {
            return Some(false);
        }
        let byte = self.bytes.get(self.flags() + number / 8)?;
        Some(byte >> (number % 8) & 1 == 1)
    }

    fn length(&self, number: usize, at: usize) -> Option<usize> {
        if self.is_run(number)? {
            return Some(2 + 4 * usize::from(u16_at(self.bytes, at)?));
        }
        let cardinality = self.cardinality(number)?;
        Some(if cardinality > LARGEST_ARRAY {
            8_192
        } else {
            2 * cardinality
        })
    }

    fn container(&self, number: usize) -> Option<Container<'a>> {
        let at = if self.has_runs && self.containers < FEW {
            let mut at = self.offsets();
            for before in 0..number {
                at += self.length(before, at)?;
            }
            at
        } else {
            u32_at(self.bytes, self.offsets() + 4 * number)? as usize
        };
        let bytes = self.bytes.get(at..at + self.length(number, at)?)?;
        Some(if self.is_run(number)? {
            Container::Runs(bytes.get(2..)?)
        } else if self.cardinality(number)? > LARGEST_ARRAY {
            Container::Bits(bytes)
        } else {
            Container::Array(bytes)
        })
    }

    /// The first container whose key is `key` or more.
    fn find(&self, key: u16) -> Option<usize> {
        let (mut low, mut high) = (0, self.containers);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.key(middle)? < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Some(low)
    }

    /// Whether it holds a number; nothing if it is damaged there.
    pub(crate) fn contains(&self, number: u32) -> Option<bool> {
        let (key, low) = split(number);
        let at = self.find(key)?;
        if at == self.containers || self.key(at)? != key {
            return Some(false);
        }
        self.container(at)?.contains(low)
    }

    /// Tells every number in a range, in order; nothing if it is damaged there.
    pub(crate) fn each(&self, range: Range<u32>, tell: &mut dyn FnMut(u32)) -> Option<()> {
        if range.is_empty() {
            return Some(());
        }
        let (first, _) = split(range.start);
        for at in self.find(first)?..self.containers {
            let base = u32::from(self.key(at)?) << 16;
            if base >= range.end {
                break;
            }
            self.container(at)?.each(&mut |low| {
                let number = base | u32::from(low);
                if range.contains(&number) {
                    tell(number);
                }
            })?;
        }
        Some(())
    }
}

fn split(number: u32) -> (u16, u16) {
    let [a, b, c, d] = number.to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

impl Container<'_> {
    fn contains(&self, low: u16) -> Option<bool> {
        match self {
            Self::Array(bytes) => {
                let at = partition(bytes.len() / 2, |at| Some(u16_at(bytes, 2 * at)? < low))?;
                Some(u16_at(bytes, 2 * at) == Some(low))
            }
            Self::Bits(bytes) => {
                let byte = bytes.get(usize::from(low / 8))?;
                Some(byte >> (low % 8) & 1 == 1)
            }
            Self::Runs(bytes) => {
                let after = partition(bytes.len() / 4, |at| Some(u16_at(bytes, 4 * at)? <= low))?;
                let Some(at) = after.checked_sub(1) else {
                    return Some(false);
                };
                let (first, more) = (u16_at(bytes, 4 * at)?, u16_at(bytes, 4 * at + 2)?);
                Some(low - first <= more)
            }
        }
    }

    fn each(&self, tell: &mut dyn FnMut(u16)) -> Option<()> {
        match self {
            Self::Array(bytes) => {
                for at in 0..bytes.len() / 2 {
                    tell(u16_at(bytes, 2 * at)?);
                }
            }
            Self::Bits(bytes) => {
                for (word, base) in bytes.chunks_exact(8).zip((0_u16..).step_by(64)) {
                    let mut word = u64::from_le_bytes(word.try_into().ok()?);
                    while word != 0 {
                        // A word has 64 bits.
                        tell(base + u16::try_from(word.trailing_zeros()).ok()?);
                        word &= word - 1;
                    }
                }
            }
            Self::Runs(bytes) => {
                for at in 0..bytes.len() / 4 {
                    let (first, more) = (u16_at(bytes, 4 * at)?, u16_at(bytes, 4 * at + 2)?);
                    (first..=first.checked_add(more)?).for_each(&mut *tell);
                }
            }
        }
        Some(())
    }
}

/// The first of `len` for which `before` does not hold, where it holds up to some point.
pub(crate) fn partition(len: usize, before: impl Fn(usize) -> Option<bool>) -> Option<usize> {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = usize::midpoint(low, high);
        if before(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roaring::RoaringBitmap;

    use super::*;

    fn numbers() -> impl Strategy<Value = RoaringBitmap> {
        let few = prop::collection::vec(0..400_000_u32, 0..40);
        let runs = prop::collection::vec((0..400_000_u32, 0..90_000_u32), 0..4);
        let step = (1..9_u32, 0..200_000_u32);
        (few, runs, step, any::<bool>()).prop_map(|(few, runs, (step, most), optimise)| {
            let mut bitmap: RoaringBitmap = few.into_iter().collect();
            for (from, length) in runs {
                bitmap.insert_range(from..from + length);
            }
            bitmap.extend((0..most).step_by(step as usize * 3));
            if optimise {
                bitmap.optimize();
            }
            bitmap
        })
    }

    proptest! {
        #[test]
        fn what_lies_in_a_file_is_what_was_written(
            bitmap in numbers(),
            asked in prop::collection::vec(0..500_000_u32, 50),
            (from, length) in (0..400_000_u32, 0..200_000_u32),
        ) {
            let mut bytes = Vec::new();
            bitmap.serialize_into(&mut bytes).unwrap();
            let mapped = Bitmap::new(&bytes).unwrap();
            for number in asked {
                prop_assert_eq!(mapped.contains(number), Some(bitmap.contains(number)));
            }
            let range = from..from + length;
            let mut told = Vec::new();
            mapped.each(range.clone(), &mut |number| told.push(number)).unwrap();
            let expected: Vec<u32> = bitmap.iter().filter(|n| range.contains(n)).collect();
            prop_assert_eq!(told, expected);
        }

        #[test]
        fn no_bytes_bring_it_down(mut bytes in prop::collection::vec(any::<u8>(), 0..200), runs in any::<bool>()) {
            let cookie = if runs { WITH_RUNS } else { WITHOUT_RUNS };
            if bytes.len() > 4 {
                bytes[..2].copy_from_slice(&cookie.to_le_bytes()[..2]);
            }
            if let Some(bitmap) = Bitmap::new(&bytes) {
                let _ = bitmap.contains(7);
                let _ = bitmap.each(0..u32::MAX, &mut |_| ());
            }
        }
    }
}
