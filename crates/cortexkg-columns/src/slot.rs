//! What a column that is taken holds.

use std::num::NonZeroU64;

use crate::grid::{Cell, ColumnId};

/// The concept of a column with all that moves along with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slot {
    pub(crate) concept: u64,
    /// The related concept that weighed most when this one came; the concept itself if there was none.
    pub(crate) kin: u64,
    /// When it came, in logical time, which begins at 1: so a column without a concept takes no room of its own.
    pub(crate) allocated: NonZeroU64,
    /// What the caller's clock said then.
    pub(crate) time: u64,
    /// When it was last activated, and how much then.
    pub(crate) activated: u64,
    pub(crate) level: f32,
    /// How often it was activated; halved at each rebalancing.
    pub(crate) uses: u32,
    /// How far from where it would best have lain, in cells.
    pub(crate) distance: u32,
}

impl Slot {
    #[cfg(test)]
    pub(crate) fn new(concept: u64, uses: u32) -> Self {
        Self {
            concept,
            kin: concept,
            allocated: NonZeroU64::MIN,
            time: 0,
            activated: 1,
            level: 1.0,
            uses,
            distance: 0,
        }
    }

    /// The activation that is left: `level · 2^(−(now − activated) / half_life)`.
    pub(crate) fn activation(&self, now: u64, half_life: u32) -> f32 {
        let halvings = now.saturating_sub(self.activated) as f64 / f64::from(half_life.max(1));
        // From libm: the same bits on every platform.
        self.level * libm::exp2(-halvings) as f32
    }
}

/// A column that is taken, as it is now.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ColumnState {
    /// Its number.
    pub column: ColumnId,
    /// Where it lies.
    pub cell: Cell,
    /// The concept it holds.
    pub concept: u64,
    /// How active it is, from 0 to 1, after what has faded since it was last activated.
    pub activation: f32,
    /// How often it was activated; halved at each rebalancing.
    pub uses: u32,
    /// When the concept was allocated, in logical time.
    pub allocated: u64,
    /// What the caller's clock said then.
    pub time: u64,
    /// How far from where it would best have lain it was put, in cells; 0 if nothing was related.
    pub distance: u32,
}
