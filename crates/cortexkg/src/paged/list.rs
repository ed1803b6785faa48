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

impl Fixed for u64 {
    const BYTES: usize = 8;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        u64_at(bytes, 0)
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

// Byte by byte, since every level of optimisation makes one read of it; a copy of a slice is a call where size counts.

#[inline]
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let bytes = &bytes[at..at + 2];
    u16::from_le_bytes([bytes[0], bytes[1]])
}

#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let bytes = &bytes[at..at + 4];
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[inline]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let bytes = &bytes[at..at + 8];
    u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
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

    /// Those before the first that something holds for, and the others; of a list whose order is such that it holds for all behind that one.
    pub(crate) fn split_where(self, holds: impl Fn(T) -> bool) -> (Self, Self) {
        self.split_at(self.iter().take_while(|item| !holds(*item)).count())
    }

    pub(crate) fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    #[inline]
    pub(crate) fn iter(self) -> Iter<'a, T> {
        Iter(self.0.chunks_exact(T::BYTES), PhantomData)
    }

    pub(crate) fn to_vec(self) -> Vec<T> {
        self.iter().collect()
    }
}

impl<'a, T: Fixed> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[inline]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Walks through a [`List`].
#[derive(Debug, Clone)]
pub(crate) struct Iter<'a, T>(std::slice::ChunksExact<'a, u8>, PhantomData<T>);

impl<T: Fixed> Iterator for Iter<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.0.next().map(T::read)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T: Fixed> DoubleEndedIterator for Iter<'_, T> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        self.0.next_back().map(T::read)
    }
}

impl<T: Fixed> ExactSizeIterator for Iter<'_, T> {}

/// Appends all of a list.
pub(crate) fn write_all<T: Fixed>(items: impl IntoIterator<Item = T>, into: &mut Vec<u8>) {
    items.into_iter().for_each(|item| item.write(into));
}
