//! A pool that gets more columns.

use crate::allocator::ColumnAllocator;
use crate::error::ColumnError;
use crate::feed::ChangeKind;

/// What has become of a pool that [grew](ColumnAllocator::grow).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Growth {
    /// How many columns there were, and are.
    pub columns: (u32, u32),
    /// Whether columns lie in other cells than before.
    pub cells_moved: bool,
}

impl ColumnAllocator {
    /// Gives the pool more columns, all of them free. Every concept keeps its column and all that belongs to it.
    ///
    /// Every column keeps its cell as well, and so every concept its neighbours, wherever a longer curve begins as this one does. So it
    /// is with each pool of [`with_columns`](Self::with_columns), however often it grows, as long as the doubled sides stay within
    /// [`COLUMNS_MAX`](crate::COLUMNS_MAX) cells: on a square whose side is a power of two the first quarter of the next larger Hilbert
    /// curve is this one turned over its diagonal, so the larger one is laid turned over its diagonal too. Otherwise (odd or long rectangles of
    /// [`Grid::rectangle`](crate::Grid::rectangle), some that began with up to 40 columns, and beyond four million columns) the curve is laid anew: columns with near numbers are still near each other,
    /// others may not be, and `cells_moved` says so, also to [followers](ChangeKind::Grown).
    ///
    /// The same number of columns changes nothing. Takes time proportional to the columns.
    ///
    /// # Errors
    /// [`ColumnError::Shrinking`] if there are to be fewer, [`ColumnError::ColumnCount`] if there are to be more than
    /// [`COLUMNS_MAX`](crate::COLUMNS_MAX); the pool is as it was.
    pub fn grow(&mut self, columns: u32) -> Result<Growth, ColumnError> {
        let has = self.grid.column_count();
        if columns < has {
            return Err(ColumnError::Shrinking { columns, has });
        }
        if columns == has {
            return Ok(Growth { columns: (has, has), cells_moved: false });
        }
        let grid = self.grid.grown(columns)?;
        let cells_moved = !grid.begins_as(&self.grid);
        self.grid = grid;
        self.slots.resize(columns as usize, None);
        self.find_concepts();
        self.find_free();
        self.tick = self.tick.saturating_add(1);
        self.feed.push(self.tick, 0, ChangeKind::Grown { columns, cells_moved });
        Ok(Growth { columns: (has, columns), cells_moved })
    }
}
