//! Memory for many rows that grows by parts.

use crate::layout::Layout;
use crate::rows::Rows;

/// A line of the processor's cache.
const LINE: usize = 64;

/// Rows of bytes in parts, as in a [`PartVec`](crate::PartVec), for kernels: the first row of each part lies at the start of a cache line.
#[derive(Debug, Clone)]
pub struct RowParts {
    layout: Layout,
    len: usize,
    parts: Vec<Part>,
    /// Bytes that the parts have room for.
    reserved: usize,
}

/// What lies together.
#[derive(Debug)]
pub(crate) struct Part {
    /// `start` unused bytes, then what is kept.
    bytes: Vec<u8>,
    start: usize,
}

impl RowParts {
    /// No rows, of so many bytes each.
    ///
    /// # Panics
    ///
    /// If `stride` is 0.
    #[must_use]
    pub fn new(stride: usize) -> Self {
        Self { layout: Layout::new(stride, 1), len: 0, parts: Vec::new(), reserved: 0 }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a row of zeros.
    pub fn push(&mut self) {
        let (at, _) = self.layout.place(self.len);
        if at == self.parts.len() {
            // The first one is as long as it must be: many have few rows.
            let bytes = if at == 0 { 0 } else { self.layout.part_len() };
            self.parts.push(Part::with_capacity(bytes));
            self.reserved += self.parts[at].bytes.capacity();
        }
        let part = &mut self.parts[at];
        let before = part.bytes.capacity();
        part.grow(self.layout.stride());
        self.reserved += part.bytes.capacity() - before;
        self.len += 1;
    }

    /// Adds the rows of another place, one after the other.
    ///
    /// # Panics
    ///
    /// If the last one is not whole.
    pub fn extend(&mut self, rows: &[u8]) {
        assert!(rows.len().is_multiple_of(self.layout.stride()), "the last row is not whole");
        for row in rows.chunks_exact(self.layout.stride()) {
            self.push();
            self.row_mut(self.len - 1).copy_from_slice(row);
        }
    }

    /// A row.
    ///
    /// # Panics
    ///
    /// If there is none of this number.
    #[inline]
    #[must_use]
    pub fn row(&self, number: usize) -> &[u8] {
        self.rows().row(number, self.layout.stride())
    }

    /// A row, to be changed.
    ///
    /// # Panics
    ///
    /// If there is none of this number.
    pub fn row_mut(&mut self, number: usize) -> &mut [u8] {
        let (part, from) = self.layout.place(number);
        let part = &mut self.parts[part];
        &mut part.bytes[part.start + from..][..self.layout.stride()]
    }

    /// The rows, for kernels.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows::in_parts(&self.parts, self.layout, self.len)
    }

    /// All rows in order, as many at once as lie together.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.parts.iter().map(Part::kept)
    }

    /// Bytes in memory, those included that are not in use yet.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.parts.capacity() * size_of::<Part>() + self.reserved
    }
}

impl Part {
    /// With room for so many bytes, wherever they begin.
    fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(if bytes == 0 { 0 } else { bytes + 2 * LINE }), start: 0 }
    }

    #[inline]
    pub(crate) fn kept(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Adds zeros at the end.
    fn grow(&mut self, by: usize) {
        let Self { bytes, start } = self;
        // Room for any start, so that nothing moves once the start is known.
        bytes.reserve(by + LINE);
        let kept = *start..bytes.len();
        let aligned = bytes.as_ptr().align_offset(LINE).min(LINE - 1);
        let len = kept.len();
        if aligned != *start {
            bytes.resize(bytes.len().max(aligned + len), 0);
            bytes.copy_within(kept, aligned);
            bytes.truncate(aligned + len);
            *start = aligned;
        }
        bytes.resize(aligned + len + by, 0);
    }
}

impl Clone for Part {
    fn clone(&self) -> Self {
        let kept = self.kept();
        // A copy lies elsewhere, and has room for as much.
        let mut copy = Self { bytes: Vec::with_capacity(self.bytes.capacity()), start: 0 };
        copy.grow(kept.len());
        let start = copy.start;
        copy.bytes[start..].copy_from_slice(kept);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::PART_BYTES;

    fn filled(stride: usize, count: usize) -> RowParts {
        let mut rows = RowParts::new(stride);
        for number in 0..count {
            rows.push();
            rows.row_mut(number).fill(number as u8);
        }
        rows
    }

    fn assert_holds(rows: &RowParts, stride: usize, count: usize) {
        assert_eq!((rows.len(), rows.rows().len()), (count, count));
        for number in 0..count {
            assert!(rows.row(number).iter().all(|&byte| byte == number as u8), "row {number}");
        }
        let mut number = 0;
        for part in rows.parts() {
            assert_eq!(part.as_ptr().align_offset(LINE), 0);
            for row in part.chunks(stride) {
                assert_eq!(row, rows.row(number));
                number += 1;
            }
        }
        assert_eq!(number, count);
        // Of the first part as much again may be in reserve, of the last one all of it.
        let kept = stride * count;
        assert!(
            (kept..=kept + kept / 100 + 2 * PART_BYTES.max(stride) + 1_000).contains(&rows.bytes()),
            "{}",
            rows.bytes()
        );
    }

    #[test]
    fn rows_stay_what_they_are_while_there_are_more() {
        for (stride, count) in
            [(1, 300_000), (60, 5_000), (396, 2_000), (PART_BYTES, 3), (PART_BYTES + 1, 3), (7, 0)]
        {
            let rows = filled(stride, count);
            assert_holds(&rows, stride, count);
            let mut copy = rows.clone();
            copy.push();
            assert_eq!(copy.row(count), vec![0; stride]);
            assert_holds(&rows, stride, count);
            let mut whole = RowParts::new(stride);
            whole.extend(&rows.parts().flatten().copied().collect::<Vec<_>>());
            assert_holds(&whole, stride, count);
        }
    }

    /// What is there stays where it is.
    #[test]
    fn no_part_but_the_first_moves() {
        let mut rows = filled(100, 4_000);
        let at: Vec<_> = rows.parts().map(<[u8]>::as_ptr).collect();
        for _ in 0..20_000 {
            rows.push();
        }
        assert!(at.len() > 1);
        assert!(rows.parts().map(<[u8]>::as_ptr).zip(at).skip(1).all(|(now, before)| now == before));
    }

    #[test]
    #[should_panic(expected = "there is no row 3")]
    fn what_is_not_there_is_not_read() {
        let _ = filled(8, 3).row(3);
    }
}
