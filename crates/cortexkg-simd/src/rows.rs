//! Codes of many vectors, one row each, and the walk over some of them.

use crate::arch::prefetch::prefetch;
use crate::layout::Layout;
use crate::parts::Part;

/// Bytes that a walk asks the memory for ahead of their use.
///
/// Measured on Zen 5, 384 dimensions, rows from anywhere in a table far beyond the caches, 32 at once: with 2 KiB an `i8` row
/// takes 34 ns, with 6 KiB 25 ns, with 12 KiB the same; one by one by the kernel of a pair 70 to 90 ns. Row after row, four at
/// a time, the hardware sees no order in the reads: a scan reaches 46 % of the speed of plain reading without asking, and all of
/// it with 6 KiB.
const BYTES_AHEAD: usize = 6144;
/// Most rows that a walk asks for ahead: 32 rows of nibbles or bits take 18 and 15 ns each, where 16 take 22 and 19.
const ROWS_AHEAD_MAX: usize = 32;

/// Bytes up to which rows in order are not asked for.
const SHORT: usize = 64;
/// So far ahead that there is no such row.
const NEVER: usize = usize::MAX;

/// Codes of one format: one row per vector, `stride` bytes apart, each row starting with its code.
///
/// What follows a code, up to the next row, is whatever the caller keeps there. The last row may end with its code.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    memory: Memory<'a>,
    stride: usize,
}

/// Where rows lie.
#[derive(Debug, Clone, Copy)]
enum Memory<'a> {
    Whole(&'a [u8]),
    /// In parts, `len` rows in all.
    Parts {
        parts: &'a [Part],
        layout: Layout,
        len: usize,
    },
}

impl<'a> Rows<'a> {
    /// Rows that start at the multiples of `stride`.
    ///
    /// # Panics
    ///
    /// If `stride` is 0.
    #[must_use]
    pub fn new(bytes: &'a [u8], stride: usize) -> Self {
        assert!(stride > 0, "rows are at least one byte apart");
        Self { memory: Memory::Whole(bytes), stride }
    }

    pub(crate) fn in_parts(parts: &'a [Part], layout: Layout, len: usize) -> Self {
        Self { memory: Memory::Parts { parts, layout, len }, stride: layout.stride() }
    }

    /// Number of rows, the last one included if it ends with the slice.
    #[must_use]
    pub fn len(self) -> usize {
        match self.memory {
            Memory::Whole(bytes) => bytes.len().div_ceil(self.stride),
            Memory::Parts { len, .. } => len,
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Number of rows that hold a code of this length, which is at most the stride.
    fn whole(self, code_len: usize) -> usize {
        match self.memory {
            Memory::Whole(bytes) => {
                bytes.len().checked_sub(code_len).map_or(0, |last| (last / self.stride + 1).min(self.len()))
            }
            Memory::Parts { len, .. } => len,
        }
    }

    /// The first bytes of a row.
    ///
    /// # Panics
    ///
    /// If there is none of this number, or it has fewer.
    #[inline]
    pub(crate) fn row(&self, number: usize, bytes: usize) -> &'a [u8] {
        if number >= self.len() {
            self.no_such_row(number, bytes);
        }
        self.code(number, bytes)
    }

    #[inline]
    fn code(&self, number: usize, bytes: usize) -> &'a [u8] {
        match self.memory {
            Memory::Whole(all) => &all[number * self.stride..][..bytes],
            Memory::Parts { parts, layout, .. } => {
                let (part, from) = layout.place(number);
                &parts[part].kept()[from..][..bytes]
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn no_such_row(&self, number: usize, bytes: usize) -> ! {
        panic!("there is no row {number}: {} rows hold a code of {bytes} bytes", self.whole(bytes))
    }
}

/// The rows that a kernel compares with its query, in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk<'a> {
    rows: Rows<'a>,
    /// Bytes of a row that a kernel reads.
    code_len: usize,
    /// Rows that have as many.
    whole: usize,
    order: Order<'a>,
    /// How many rows before its use one is asked for.
    ahead: usize,
}

#[derive(Debug, Clone, Copy)]
enum Order<'a> {
    Picked(&'a [u32]),
    From(usize),
}

impl<'a> Walk<'a> {
    /// The rows of these numbers.
    pub(crate) fn picked(rows: Rows<'a>, code_len: usize, at: &'a [u32]) -> Self {
        Self::new(rows, code_len, Order::Picked(at))
    }

    /// The rows from this one on. Short ones are asked for by the hardware, which sees that they follow each other.
    pub(crate) fn from(rows: Rows<'a>, code_len: usize, first: usize) -> Self {
        let walk = Self::new(rows, code_len, Order::From(first));
        Self { ahead: if code_len <= SHORT { NEVER } else { walk.ahead }, ..walk }
    }

    fn new(rows: Rows<'a>, code_len: usize, order: Order<'a>) -> Self {
        assert!(
            code_len <= rows.stride,
            "codes of {code_len} bytes do not fit rows that are {} bytes apart",
            rows.stride
        );
        let ahead = (BYTES_AHEAD / code_len.max(1)).clamp(1, ROWS_AHEAD_MAX);
        Self { rows, code_len, whole: rows.whole(code_len), order, ahead }
    }

    /// Asks the memory for the first rows. `count` is the length of the walk.
    #[inline]
    pub(crate) fn start(&self, count: usize) {
        if let Order::Picked(at) = self.order {
            for number in &at[..self.ahead.min(count)] {
                self.prefetch(*number as usize);
            }
        }
    }

    /// The code of the row at this place of the walk. Asks for a later one.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[inline]
    pub(crate) fn row(&self, place: usize) -> &'a [u8] {
        let number = match self.order {
            Order::Picked(at) => {
                if let Some(&number) = at.get(place + self.ahead) {
                    self.prefetch(number as usize);
                }
                at[place] as usize
            }
            Order::From(first) => {
                let number = first.saturating_add(place);
                self.prefetch(number.saturating_add(self.ahead));
                number
            }
        };
        if number >= self.whole {
            self.rows.no_such_row(number, self.code_len);
        }
        self.rows.code(number, self.code_len)
    }

    #[inline]
    fn prefetch(&self, number: usize) {
        if number < self.whole {
            prefetch(self.rows.code(number, self.code_len));
        }
    }
}
