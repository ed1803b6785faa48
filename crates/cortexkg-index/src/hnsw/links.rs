//! Neighbour lists of fixed width, in whole cache lines.

use cortexkg_simd::PartVec;

/// Neighbours in one cache line.
const LINE: usize = 16;

/// The end of a list that is not full.
const EMPTY: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([u32; LINE]);

/// The neighbour lists of one layer: node `i` has up to `width` neighbours, the first of its lines and on.
#[derive(Debug, Clone)]
pub(super) struct Links {
    width: usize,
    /// A row for each list.
    lists: PartVec<Line>,
}

impl Links {
    pub(super) fn new(width: usize) -> Self {
        Self { width, lists: PartVec::of_rows(width.div_ceil(LINE)) }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn len(&self) -> usize {
        self.lists.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.lists.bytes()
    }

    /// Places of a list, filled up to whole lines.
    pub(super) fn padded_width(&self) -> usize {
        self.width.next_multiple_of(LINE)
    }

    /// A list as it lies in memory, its free places included.
    pub(super) fn raw(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        self.list(at).iter().flat_map(|line| line.0)
    }

    /// Adds a list at the end, as [`raw`](Self::raw) gave it; `false` if it cannot be one.
    pub(super) fn push_raw(&mut self, raw: &[u32], slots: usize) -> bool {
        let degree = raw.iter().position(|&end| end == EMPTY).unwrap_or(raw.len());
        let (ends, free) = raw.split_at(degree);
        if degree > self.width
            || ends.iter().any(|&end| end as usize >= slots)
            || free.iter().any(|&end| end != EMPTY)
        {
            return false;
        }
        let at = self.push();
        self.set(at, ends.iter().copied());
        true
    }

    /// Adds an empty list at the end.
    pub(super) fn push(&mut self) -> u32 {
        self.lists.push(Line([EMPTY; LINE]));
        self.len() as u32 - 1
    }

    #[inline]
    fn list(&self, at: u32) -> &[Line] {
        self.lists.row(at as usize)
    }

    fn list_mut(&mut self, at: u32) -> &mut [Line] {
        self.lists.row_mut(at as usize)
    }

    /// The neighbours of a node.
    #[inline]
    pub(super) fn of(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        self.list(at).iter().flat_map(|line| line.0).take_while(|&end| end != EMPTY)
    }

    /// Appends to `batch` the neighbours of a node that `is_new` accepts.
    #[inline]
    pub(super) fn extend(&self, at: u32, batch: &mut Vec<u32>, mut is_new: impl FnMut(u32) -> bool) {
        // A place for each, so that the loop has no branch but that for the end of the list.
        let mut len = batch.len();
        batch.resize(len + self.width, 0);
        'lines: for line in self.list(at) {
            for end in line.0 {
                if end == EMPTY {
                    break 'lines;
                }
                batch[len] = end;
                len += usize::from(is_new(end));
            }
        }
        batch.truncate(len);
    }

    fn degree(&self, at: u32) -> usize {
        self.of(at).count()
    }

    fn place(&mut self, at: u32, position: usize) -> &mut u32 {
        &mut self.list_mut(at)[position / LINE].0[position % LINE]
    }

    /// Writes a whole list.
    pub(super) fn set(&mut self, at: u32, ends: impl IntoIterator<Item = u32>) {
        self.list_mut(at).fill(Line([EMPTY; LINE]));
        for (position, end) in ends.into_iter().enumerate() {
            debug_assert!(position < self.width);
            *self.place(at, position) = end;
        }
    }

    /// Adds a neighbour; `false`, and nothing done, if the list is full.
    pub(super) fn add(&mut self, at: u32, end: u32) -> bool {
        let degree = self.degree(at);
        if degree == self.width {
            return false;
        }
        *self.place(at, degree) = end;
        true
    }

    /// Removes a neighbour, if it is there.
    pub(super) fn remove(&mut self, at: u32, end: u32) -> bool {
        let Some(position) = self.of(at).position(|one| one == end) else { return false };
        let last = self.degree(at) - 1;
        *self.place(at, position) = *self.place(at, last);
        *self.place(at, last) = EMPTY;
        true
    }

    #[inline]
    pub(super) fn prefetch(&self, at: u32) {
        for line in self.list(at) {
            cortexkg_simd::prefetch(&line.0);
        }
    }
}
