//! Records of different lengths side by side in one allocation.

/// Bytes of the header: whether ends are wide, and the number of records.
const HEADER_BYTES: usize = 3;

/// A block of records: header, where each record ends, the records. Ends take two bytes each, four where the records are long.
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
        let body: usize = records.clone().map(<[u8]>::len).sum();
        let (count, is_wide) = (records.len(), body > usize::from(u16::MAX));
        let mut bytes = Vec::with_capacity(HEADER_BYTES + count * end_bytes(is_wide) + body);
        bytes.push(u8::from(is_wide));
        bytes.extend_from_slice(&(count as u16).to_le_bytes());
        let mut end = 0;
        for record in records.clone() {
            end += record.len();
            match is_wide {
                false => bytes.extend_from_slice(&(end as u16).to_le_bytes()),
                true => bytes.extend_from_slice(&(end as u32).to_le_bytes()),
            }
        }
        records.for_each(|record| bytes.extend_from_slice(record));
        Self(bytes.into())
    }

    fn is_whole(&self) -> bool {
        if self.0.is_empty() {
            return true;
        }
        if self.0.len() < HEADER_BYTES || self.0[0] > 1 || self.0.len() < self.body() {
            return false;
        }
        let mut before = 0;
        (0..self.len()).all(|at| {
            let end = self.end(at);
            end >= std::mem::replace(&mut before, end)
        }) && self.body() + before == self.0.len()
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

    fn is_wide(&self) -> bool {
        self.0.first() == Some(&1)
    }

    /// Where the records begin.
    #[inline]
    fn body(&self) -> usize {
        HEADER_BYTES + self.len() * end_bytes(self.is_wide())
    }

    #[inline]
    fn end(&self, at: usize) -> usize {
        if self.is_wide() {
            let from = HEADER_BYTES + at * 4;
            u32::from_le_bytes([self.0[from], self.0[from + 1], self.0[from + 2], self.0[from + 3]]) as usize
        } else {
            let from = HEADER_BYTES + at * 2;
            usize::from(u16::from_le_bytes([self.0[from], self.0[from + 1]]))
        }
    }

    #[inline]
    fn range(&self, at: usize) -> std::ops::Range<usize> {
        let body = self.body();
        let start = if at == 0 { 0 } else { self.end(at - 1) };
        body + start..body + self.end(at)
    }

    /// A record.
    ///
    /// # Panics
    /// If there is none of this number.
    #[inline]
    pub(super) fn get(&self, at: usize) -> &[u8] {
        &self.0[self.range(at)]
    }

    /// A record, to be changed where it lies.
    ///
    /// # Panics
    /// If there is none of this number.
    pub(super) fn get_mut(&mut self, at: usize) -> &mut [u8] {
        let range = self.range(at);
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
            self.splice(at, 1, Some(record));
        }
    }

    /// Puts a record before the one of this number; behind all for the number of records.
    pub(super) fn insert(&mut self, at: usize, record: &[u8]) {
        self.splice(at, 0, Some(record));
    }

    /// Takes a record out.
    pub(super) fn remove(&mut self, at: usize) {
        self.splice(at, 1, None);
    }

    fn splice(&mut self, at: usize, gone: usize, new: Option<&[u8]>) {
        let (count, old_body) = (self.len(), self.body().min(self.0.len()));
        let start = if at == 0 { 0 } else { self.end(at - 1) };
        let old_end = if gone == 0 { start } else { self.end(at) };
        let new_bytes = new.map_or(0, <[u8]>::len);
        let body = self.0.len() - old_body - (old_end - start) + new_bytes;
        let new_count = count - gone + usize::from(new.is_some());
        if new_count == 0 {
            *self = Self::default();
            return;
        }
        let is_wide = body > usize::from(u16::MAX);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + new_count * end_bytes(is_wide) + body);
        bytes.push(u8::from(is_wide));
        bytes.extend_from_slice(&(new_count as u16).to_le_bytes());
        let mut put = |end: usize| match is_wide {
            false => bytes.extend_from_slice(&(end as u16).to_le_bytes()),
            true => bytes.extend_from_slice(&(end as u32).to_le_bytes()),
        };
        (0..at).for_each(|before| put(self.end(before)));
        if new.is_some() {
            put(start + new_bytes);
        }
        (at + gone..count).for_each(|behind| put(self.end(behind) - old_end + start + new_bytes));
        bytes.extend_from_slice(&self.0[old_body..old_body + start]);
        bytes.extend_from_slice(new.unwrap_or_default());
        bytes.extend_from_slice(&self.0[old_body + old_end..]);
        self.0 = bytes.into();
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
            steps in prop::collection::vec((0_u8..4, any::<prop::sample::Index>(), 0_usize..300, any::<u8>()), 0..200),
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
