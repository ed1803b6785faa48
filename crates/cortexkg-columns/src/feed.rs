//! What has changed, for whoever follows: a store, a page.

use std::collections::VecDeque;

use crate::error::ColumnError;
use crate::grid::ColumnId;

/// Changes that a feed holds if nothing else is said.
pub const CHANGES_MAX_USUAL: u32 = 1 << 16;

/// What happened to a concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It got this column.
    Allocated(ColumnId),
    /// It left this column, and has none any more.
    Freed(ColumnId),
    /// It went from one column to another, with all that belongs to it.
    Moved {
        /// Where it was.
        from: ColumnId,
        /// Where it is.
        to: ColumnId,
    },
    /// The whole pool [grew](crate::ColumnAllocator::grow), and every concept kept its column.
    Grown {
        /// How many columns there are now.
        columns: u32,
        /// Whether columns lie in other cells than before: then all [cells](crate::Grid::cell) are to be read anew.
        cells_moved: bool,
    },
}

/// One entry of the feed.
///
/// Moves of one [`defragment`](crate::ColumnAllocator::defragment) or [`rebalance`](crate::ColumnAllocator::rebalance) share one
/// `tick` and are one step: while it is told, a column may be another's already. Clear all columns that are left, then fill those
/// that are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Change {
    /// Its number; the first of a pool is 0, and none is left out.
    pub sequence: u64,
    /// When, in logical time.
    pub tick: u64,
    /// To whom; 0 if it was the whole pool.
    pub concept: u64,
    /// What.
    pub kind: ChangeKind,
}

/// The last changes, at most so many.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    changes: VecDeque<Change>,
    next: u64,
    max: usize,
}

impl Feed {
    /// An empty feed that goes on from a sequence number.
    pub(crate) fn from(next: u64, max: u32) -> Self {
        Self { changes: VecDeque::new(), next, max: max as usize }
    }

    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn set_max(&mut self, max: u32) {
        self.max = max as usize;
        self.changes.drain(..self.changes.len().saturating_sub(self.max));
    }

    pub(crate) fn push(&mut self, tick: u64, concept: u64, kind: ChangeKind) {
        let change = Change { sequence: self.next, tick, concept, kind };
        self.next += 1;
        if self.max == 0 {
            return;
        }
        if self.changes.len() == self.max {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }

    pub(crate) fn since(&self, since: u64) -> Result<impl ExactSizeIterator<Item = &Change>, ColumnError> {
        let first = self.next - self.changes.len() as u64;
        if !(first..=self.next).contains(&since) {
            return Err(ColumnError::OutOfFeed { since, first, next: self.next });
        }
        Ok(self.changes.range((since - first) as usize..))
    }
}
