//! Lists that grow by parts.

use std::ops::{Index, IndexMut};

use crate::layout::Layout;

/// A list in parts of up to 64 KiB. What is there never moves, but for the first part while that is not full: growing takes no more memory than the
/// new items, where a `Vec` that doubles has up to as much again in reserve, and both while it grows.
///
/// It may be one of rows, each of which lies together; an index then means a row.
///
/// ```
/// use cortexkg_simd::PartVec;
///
/// let mut squares: PartVec<u64> = (0..100_000).map(|number| number * number).collect();
/// squares[7] = 0;
/// assert_eq!((squares.len(), squares[7], squares[99_999]), (100_000, 0, 9_999_800_001));
/// assert_eq!(squares.partition_point(|&square| square < 100), 10);
///
/// let mut pairs = PartVec::of_rows(2);
/// pairs.push(1);
/// pairs.row_mut(0)[1] = 5;
/// assert_eq!(pairs.row(0), [1, 5]);
/// ```
#[derive(Debug)]
pub struct PartVec<T> {
    layout: Layout,
    /// Rows.
    len: usize,
    parts: Vec<Vec<T>>,
    /// Items that the parts have room for.
    reserved: usize,
}

impl<T> Default for PartVec<T> {
    fn default() -> Self {
        Self::of_rows(1)
    }
}

impl<T> PartVec<T> {
    /// No rows, of so many items each.
    ///
    /// # Panics
    ///
    /// If `stride` is 0.
    #[must_use]
    pub fn of_rows(stride: usize) -> Self {
        Self { layout: Layout::new(stride, size_of::<T>()), len: 0, parts: Vec::new(), reserved: 0 }
    }

    /// Number of rows.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A row.
    ///
    /// # Panics
    ///
    /// If there is none of this number.
    #[inline]
    #[must_use]
    pub fn row(&self, at: usize) -> &[T] {
        let (part, from) = self.layout.place(at);
        &self.parts[part][from..from + self.layout.stride()]
    }

    /// A row, to be changed.
    ///
    /// # Panics
    ///
    /// If there is none of this number.
    #[inline]
    pub fn row_mut(&mut self, at: usize) -> &mut [T] {
        let (part, from) = self.layout.place(at);
        &mut self.parts[part][from..from + self.layout.stride()]
    }

    /// An item, if there is one.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&T> {
        let (part, from) = self.layout.place(at);
        self.parts.get(part)?.get(from)
    }

    /// All items in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.parts.iter().flatten()
    }

    /// All items in order, so many at once, and fewer where a part ends.
    pub fn chunks(&self, items: usize) -> impl Iterator<Item = &[T]> {
        self.parts.iter().flat_map(move |part| part.chunks(items))
    }

    /// How many items come first for which something holds, in a list (not one of rows) in which it holds for none behind those.
    #[must_use]
    pub fn partition_point(&self, holds: impl Fn(&T) -> bool) -> usize {
        debug_assert_eq!(self.layout.stride(), 1, "rows have no order of their own");
        let part = self.parts.partition_point(|part| part.last().is_some_and(&holds));
        // All but the last are full.
        let before = (part * self.layout.part_len()).min(self.len);
        before + self.parts.get(part).map_or(0, |part| part.partition_point(holds))
    }

    /// Bytes in memory, those included that are not in use yet.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.reserved * size_of::<T>() + self.parts.capacity() * size_of::<Vec<T>>()
    }
}

impl<T: Copy> PartVec<T> {
    /// Adds a row in which each item is this one.
    pub fn push(&mut self, item: T) {
        let stride = self.layout.stride();
        let (at, _) = self.layout.place(self.len);
        if at == self.parts.len() {
            self.parts.push(Vec::new());
        }
        let part = &mut self.parts[at];
        let before = part.capacity();
        if part.len() == before {
            // The first one is as long as it must be: many have few rows.
            let most = self.layout.part_len();
            let items = if at == 0 { (2 * before).clamp(stride, most) } else { most };
            part.reserve_exact(items - before);
            self.reserved += part.capacity() - before;
        }
        (0..stride).for_each(|_| part.push(item));
        self.len += 1;
    }

    /// Adds rows in which each item is this one until there are so many.
    pub fn grow_to(&mut self, len: usize, item: T) {
        while self.len < len {
            self.push(item);
        }
    }
}

impl<T: Copy> Clone for PartVec<T> {
    fn clone(&self) -> Self {
        // A copy has room for as much.
        let parts = self.parts.iter().map(|part| {
            let mut copy = Vec::with_capacity(part.capacity());
            copy.extend_from_slice(part);
            copy
        });
        Self { parts: parts.collect(), ..*self }
    }
}

impl<T: Copy> Extend<T> for PartVec<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.push(item));
    }
}

impl<T: Copy> FromIterator<T> for PartVec<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut list = Self::default();
        list.extend(items);
        list
    }
}

impl<T> Index<usize> for PartVec<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        let (part, from) = self.layout.place(at);
        &self.parts[part][from]
    }
}

impl<T> IndexMut<usize> for PartVec<T> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        let (part, from) = self.layout.place(at);
        &mut self.parts[part][from]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::PART_BYTES;

    fn assert_is(list: &PartVec<u32>, items: &[u32]) {
        assert_eq!((list.len(), list.is_empty()), (items.len(), items.is_empty()));
        assert!(list.iter().eq(items));
        assert!(list.chunks(1_000).flatten().eq(items));
        assert!((0..items.len()).all(|at| list[at] == items[at] && list.get(at) == items.get(at)));
        assert_eq!(list.get(items.len()), None);
    }

    #[test]
    fn holds_what_a_vec_holds() {
        let mut list = PartVec::default();
        assert_is(&list, &[]);
        for count in [1, 1_000, PART_BYTES / 4, PART_BYTES / 4 + 1, 200_000] {
            list.extend(list.len() as u32..count as u32);
            let items: Vec<u32> = (0..count as u32).collect();
            assert_is(&list, &items);
            assert_is(&list.clone(), &items);
            for least in [0, 1, 65_535, 65_536, 65_537, 150_000, u32::MAX] {
                let before = list.partition_point(|&item| item < least);
                assert_eq!(before, items.partition_point(|&item| item < least));
            }
        }
        list.grow_to(300_000, 7);
        list.grow_to(5, 8);
        assert_eq!((list.len(), list[299_999]), (300_000, 7));
        // Of the last part all may be in reserve, and no more.
        let mut list = list.clone();
        list.push(1);
        assert!((1_200_000..=1_200_000 + PART_BYTES + 1_000).contains(&list.bytes()), "{}", list.bytes());
    }

    #[test]
    fn rows_lie_together_and_do_not_move() {
        for stride in [1, 2, 3, 48, PART_BYTES, PART_BYTES + 1] {
            let rows = (4 * PART_BYTES / stride).max(3);
            let mut list = PartVec::of_rows(stride);
            let mut places = Vec::new();
            for row in 0..rows {
                list.push(0_u8);
                list.row_mut(row).fill(row as u8);
                places.push(list.row(row).as_ptr());
            }
            assert!((0..rows).all(|row| list.row(row).iter().all(|&item| item == row as u8)), "{stride}");
            let first = (PART_BYTES / stride).max(1);
            assert!((first..rows).all(|row| list.row(row).as_ptr() == places[row]), "{stride}");
        }
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn what_is_not_there_is_not_read() {
        let _ = PartVec::from_iter([1, 2, 3])[3];
    }
}
