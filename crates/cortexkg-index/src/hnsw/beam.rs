//! The nodes that a search holds on to, best first.

use std::cmp::Ordering;

use crate::score::Score;

/// A node that a search has met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) score: Score,
    pub(super) id: u64,
    pub(super) slot: u32,
    expanded: bool,
}

impl Entry {
    pub(super) fn new(score: Score, id: u64, slot: u32) -> Self {
        Self { score, id, slot, expanded: false }
    }

    /// The better one is the lesser: higher score, then smaller id.
    #[inline]
    pub(super) fn rank(&self, other: &Self) -> Ordering {
        other.score.cmp(&self.score).then(self.id.cmp(&other.id))
    }
}

/// The best nodes met so far, at most `capacity`, in order; those not yet expanded are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Beam {
    entries: Vec<Entry>,
    capacity: usize,
    /// No entry before this one is unexpanded.
    next: usize,
}

impl Beam {
    pub(super) fn reset(&mut self, capacity: usize) {
        self.entries.clear();
        self.capacity = capacity;
        self.next = 0;
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Most entries that it holds.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether an entry of this score might be held.
    #[inline]
    pub(super) fn admits(&self, score: Score) -> bool {
        self.entries.len() < self.capacity || self.entries.last().is_none_or(|last| score >= last.score)
    }

    /// Holds an entry, as one that is not expanded, if it is good enough.
    pub(super) fn offer(&mut self, entry: Entry) {
        let position = self.entries.partition_point(|held| held.rank(&entry) == Ordering::Less);
        if position >= self.capacity {
            return;
        }
        if self.entries.len() == self.capacity {
            self.entries.pop();
        }
        self.entries.insert(position, Entry { expanded: false, ..entry });
        self.next = self.next.min(position);
    }

    /// The best entry that is not expanded, marked as expanded from now on.
    pub(super) fn take_next(&mut self) -> Option<Entry> {
        let offset = self.entries[self.next..].iter().position(|entry| !entry.expanded)?;
        self.next += offset;
        let entry = &mut self.entries[self.next];
        entry.expanded = true;
        Some(*entry)
    }

    /// What [`take_next`](Self::take_next) would take.
    pub(super) fn peek(&self) -> Option<u32> {
        self.entries[self.next..].iter().find(|entry| !entry.expanded).map(|entry| entry.slot)
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}
