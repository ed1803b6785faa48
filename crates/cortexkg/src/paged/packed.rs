//! Records of different lengths side by side in one allocation.

use cortexkg_simd::prefetch_start;

use super::list::{u16_at, u32_at};

/// Bytes of the header: whether ends are wide, and the number of records.
const HEADER_BYTES: usize = 3;

/// A block of records: header, where in the block each record ends, the records. Ends take two bytes each, four in a long block.
/// Nothing is taken apart to be read, and a snapshot holds the same bytes.
#[derive(Debug, Default)]
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    /// Takes over bytes if they are a block.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let packed = Self(bytes.into());
        packed.is_whole().then_some(packed)
    }

    /// A block of these records.
    pub(super) fn from_records<'a>(records: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Self {
        if records.len() == 0 {
            return Self::default();
        }
        let mut writer = Writer::new(records.len(), records.clone().map(<[u8]>::len).sum());
        records.clone().for_each(|record| writer.end_of(record.len()));
        records.for_each(|record| writer.bytes.extend_from_slice(record));
        Self(writer.bytes.into())
    }

    fn is_whole(&self) -> bool {
        let [width, _, _, ..] = *self.0 else { return self.0.is_empty() };
        let mut before = self.body();
        if width > 1 || self.len() == 0 || self.0.len() < before {
            return false;
        }
        let are_in_order = (0..self.len()).all(|at| {
            let end = self.end(at);
            end >= std::mem::replace(&mut before, end)
        });
        are_in_order && before == self.0.len()
    }

    /// The bytes, as they lie in a snapshot.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes that it takes, as the usual allocators count.
    pub(super) fn heap_bytes(&self) -> usize {
        if self.0.is_empty() { 0 } else { (self.0.len() + 8).next_multiple_of(16).max(32) }
    }

    /// Number of records.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match *self.0 {
            [_, low, high, ..] => usize::from(u16::from_le_bytes([low, high])),
            _ => 0,
        }
    }

    /// Where the records begin.
    #[inline]
    fn body(&self) -> usize {
        HEADER_BYTES + self.len() * end_bytes(self.0.first() == Some(&1))
    }

    #[inline]
    fn end(&self, at: usize) -> usize {
        let bytes = &*self.0;
        if bytes[0] == 0 {
            usize::from(u16_at(bytes, HEADER_BYTES + at * 2))
        } else {
            u32_at(bytes, HEADER_BYTES + at * 4) as usize
        }
    }

    #[inline]
    fn start(&self, at: usize) -> usize {
        if at == 0 { self.body() } else { self.end(at - 1) }
    }

    /// A record.
    ///
    /// # Panics
    /// If there is none of this number.
    #[inline]
    pub(super) fn get(&self, at: usize) -> &[u8] {
        let bytes = &*self.0;
        if at == 0 || bytes[0] != 0 {
            return &bytes[self.start(at)..self.end(at)];
        }
        // The ends of this record and of the one before lie side by side.
        let ends = &bytes[HEADER_BYTES + at * 2 - 2..][..4];
        &bytes[usize::from(u16_at(ends, 0))..usize::from(u16_at(ends, 2))]
    }

    /// Asks for the bytes.
    #[inline]
    pub(super) fn touch(&self) {
        touch(&self.0);
    }

    /// Asks for where its records end.
    #[inline]
    pub(super) fn touch_ends(&self) {
        prefetch_start::<1>(&self.0);
    }

    /// A record, to be changed where it lies.
    ///
    /// # Panics
    /// If there is none of this number.
    pub(super) fn get_mut(&mut self, at: usize) -> &mut [u8] {
        let range = self.start(at)..self.end(at);
        &mut self.0[range]
    }

    /// All records, in order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Puts a record in the place of another.
    pub(super) fn replace(&mut self, at: usize, record: &[u8]) {
        if self.get(at).len() == record.len() {
            self.get_mut(at).copy_from_slice(record);
        } else {
            self.splice(at, 1, Some(record), None);
        }
    }

    /// Puts a record before the one of this number; behind all for the number of records.
    pub(super) fn insert(&mut self, at: usize, record: &[u8]) {
        self.splice(at, 0, Some(record), None);
    }

    /// Puts a record before the one of this number, which is not the first, and another one in the place of the first; if there are none, both.
    pub(super) fn insert_with(&mut self, at: usize, record: &[u8], first: &[u8]) {
        if self.len() == 0 {
            *self = Self::from_records([first, record].into_iter());
        } else {
            self.splice(at, 0, Some(record), Some(first));
        }
    }

    /// Takes a record out.
    pub(super) fn remove(&mut self, at: usize) {
        self.splice(at, 1, None, None);
    }

    /// Takes a record out that is not the first, and puts another one in the place of the first; if it is all there is, both go.
    pub(super) fn remove_with(&mut self, at: usize, first: &[u8]) {
        if self.len() == 2 {
            *self = Self::default();
        } else {
            self.splice(at, 1, None, Some(first));
        }
    }

    /// Puts a record, or none, in the place of `gone` others, and one in the place of the first.
    fn splice(&mut self, at: usize, gone: usize, new: Option<&[u8]>, first: Option<&[u8]>) {
        let (count, body) = (self.len(), self.body().min(self.0.len()));
        let new_count = count - gone + usize::from(new.is_some());
        if new_count == 0 {
            *self = Self::default();
            return;
        }
        let start = if at == count { self.0.len() } else { self.start(at) };
        let behind = if gone == 0 { start } else { self.end(at) };
        // Before the place stand the new first one, if there is one, and the old ones from here on.
        let (kept_from, kept_start) = if first.is_some() { (1, self.end(0)) } else { (0, body) };
        let record = new.unwrap_or_default();
        let parts = [first.unwrap_or_default(), &self.0[kept_start..start], record, &self.0[behind..]];
        let mut writer = Writer::new(new_count, parts.iter().map(|part| part.len()).sum());
        first.iter().for_each(|record| writer.end_of(record.len()));
        (kept_from..at).for_each(|kept| writer.end_of(self.end(kept) - self.start(kept)));
        new.iter().for_each(|record| writer.end_of(record.len()));
        (at + gone..count).for_each(|kept| writer.end_of(self.end(kept) - self.start(kept)));
        parts.iter().for_each(|part| writer.bytes.extend_from_slice(part));
        self.0 = writer.bytes.into();
    }
}

/// Lines of memory that a touch asks for; most records and half of the blocks have no more.
const TOUCHED_LINES: usize = 4;

/// Asks for bytes that are about to be read, for the first of them if they are many.
#[inline]
pub(super) fn touch(bytes: &[u8]) {
    prefetch_start::<TOUCHED_LINES>(bytes);
}

/// Writes a block, ends first.
struct Writer {
    bytes: Vec<u8>,
    is_wide: bool,
    end: usize,
}

impl Writer {
    fn new(records: usize, bytes: usize) -> Self {
        let of = |is_wide| HEADER_BYTES + records * end_bytes(is_wide) + bytes;
        let is_wide = of(false) > usize::from(u16::MAX);
        let mut block = Vec::with_capacity(of(is_wide));
        block.push(u8::from(is_wide));
        block.extend_from_slice(&(records as u16).to_le_bytes());
        Self { bytes: block, is_wide, end: HEADER_BYTES + records * end_bytes(is_wide) }
    }

    /// The next record has so many bytes.
    #[inline]
    fn end_of(&mut self, bytes: usize) {
        self.end += bytes;
        if self.is_wide {
            self.bytes.extend_from_slice(&(self.end as u32).to_le_bytes());
        } else {
            self.bytes.extend_from_slice(&(self.end as u16).to_le_bytes());
        }
    }
}

fn end_bytes(is_wide: bool) -> usize {
    if is_wide { 4 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn behaves_like_a_list_of_byte_strings(
            steps in prop::collection::vec((0_u8..6, any::<prop::sample::Index>(), 0_usize..300, any::<u8>()), 0..200),
        ) {
            let mut packed = Packed::default();
            let mut model: Vec<Vec<u8>> = Vec::new();
            for (step, at, length, byte) in steps {
                // Some are long enough for wide ends.
                let record = vec![byte; if length == 299 { 70_000 } else { length }];
                match step {
                    0 | 1 => {
                        let at = at.index(model.len() + 1);
                        packed.insert(at, &record);
                        model.insert(at, record);
                    }
                    2 if !model.is_empty() => {
                        let at = at.index(model.len());
                        packed.replace(at, &record);
                        model[at] = record;
                    }
                    3 if !model.is_empty() => {
                        let at = at.index(model.len());
                        packed.remove(at);
                        model.remove(at);
                    }
                    4 if !model.is_empty() => {
                        let at = 1 + at.index(model.len());
                        packed.insert_with(at, &record, &[7, 7]);
                        model.insert(at, record);
                        model[0] = vec![7, 7];
                    }
                    4 => {
                        packed.insert_with(1, &record, &[7]);
                        model = vec![vec![7], record];
                    }
                    5 if model.len() > 1 => {
                        let at = 1 + at.index(model.len() - 1);
                        packed.remove_with(at, &[8; 9]);
                        model.remove(at);
                        model[0] = vec![8; 9];
                        if model.len() == 1 {
                            model.clear();
                        }
                    }
                    _ => {}
                }
            }
            prop_assert!(packed.iter().eq(model.iter().map(Vec::as_slice)));
            let rebuilt = Packed::from_records(model.iter().map(Vec::as_slice));
            prop_assert_eq!(rebuilt.as_bytes(), packed.as_bytes());
            prop_assert!(Packed::from_bytes(packed.as_bytes()).is_some());
        }

        #[test]
        fn any_bytes_are_a_block_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(packed) = Packed::from_bytes(&bytes) {
                prop_assert!(packed.iter().map(<[u8]>::len).sum::<usize>() <= bytes.len());
            }
        }
    }
}
