//! Numbers and pairs of numbers, read where they lie.

use std::marker::PhantomData;

/// What has an encoding of one length, little-endian.
pub(crate) trait Fixed: Copy {
    /// That length.
    const BYTES: usize;
    /// Reads one; there are as many bytes as it takes.
    fn read(bytes: &[u8]) -> Self;
    /// Appends one.
    fn write(self, into: &mut Vec<u8>);
}

impl Fixed for u32 {
    const BYTES: usize = 4;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        u32_at(bytes, 0)
    }

    fn write(self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.to_le_bytes());
    }
}

/// A field with a value of it.
impl Fixed for (u16, u32) {
    const BYTES: usize = 6;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        (u16_at(bytes, 0), u32_at(bytes, 2))
    }

    fn write(self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.0.to_le_bytes());
        into.extend_from_slice(&self.1.to_le_bytes());
    }
}

#[inline]
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Such things one behind the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<'a, T>(&'a [u8], PhantomData<T>);

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        Self(&[], PhantomData)
    }
}

impl<'a, T: Fixed> List<'a, T> {
    /// All that these bytes hold.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes, PhantomData)
    }

    pub(crate) fn len(self) -> usize {
        self.0.len() / T::BYTES
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.len() < T::BYTES
    }

    pub(crate) fn get(self, at: usize) -> Option<T> {
        let start = at.checked_mul(T::BYTES)?;
        self.0.get(start..start + T::BYTES).map(T::read)
    }

    pub(crate) fn first(self) -> Option<T> {
        self.get(0)
    }

    pub(crate) fn last(self) -> Option<T> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The first so many, and the others.
    pub(crate) fn split_at(self, at: usize) -> (Self, Self) {
        let (left, right) = self.0.split_at(at * T::BYTES);
        (Self::new(left), Self::new(right))
    }

    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator + Clone + use<'a, T> {
        self.0.chunks_exact(T::BYTES).map(T::read)
    }

    pub(crate) fn to_vec(self) -> Vec<T> {
        self.iter().collect()
    }
}

impl<'a, T: Fixed + 'a> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = std::iter::Map<std::slice::ChunksExact<'a, u8>, fn(&[u8]) -> T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.chunks_exact(T::BYTES).map(T::read as fn(&[u8]) -> T)
    }
}

/// Appends all of a list.
pub(crate) fn write_all<T: Fixed>(items: impl IntoIterator<Item = T>, into: &mut Vec<u8>) {
    items.into_iter().for_each(|item| item.write(into));
}
