//! Where rows lie that are kept in parts.

/// Bytes of a part, at most (of one row, if that is longer).
pub(crate) const PART_BYTES: usize = 1 << 16;

/// How rows of `stride` items are divided into parts: each but the last has as many rows, a power of two, one row behind the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    stride: usize,
    /// Rows of a part, as a power of two.
    shift: u32,
}

impl Layout {
    /// Rows of so many items, of so many bytes each.
    ///
    /// # Panics
    ///
    /// If there is no item in a row.
    pub(crate) fn new(stride: usize, item_bytes: usize) -> Self {
        assert!(stride > 0, "rows have at least one item");
        let row_bytes = (stride * item_bytes).max(1);
        Self { stride, shift: (PART_BYTES / row_bytes).max(1).ilog2() }
    }

    /// Items of a row.
    #[inline]
    pub(crate) fn stride(self) -> usize {
        self.stride
    }

    /// Items of a part that is full.
    pub(crate) fn part_len(self) -> usize {
        self.stride << self.shift
    }

    /// The part of a row, and where in it the row begins.
    #[inline]
    pub(crate) fn place(self, row: usize) -> (usize, usize) {
        (row >> self.shift, (row & ((1 << self.shift) - 1)) * self.stride)
    }
}
