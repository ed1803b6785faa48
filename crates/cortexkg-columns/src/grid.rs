//! Where each column lies.

use crate::curve;
use crate::error::ColumnError;

/// Most columns of a pool: 16 Mi.
pub const COLUMNS_MAX: u32 = 1 << 24;
/// Longest side of a grid.
pub const SIDE_MAX: u32 = 1 << 15;

/// The number of a column: its place along the curve, from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub u32);

/// A cell of the grid: how far from the left, and from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Cell {
    /// From the left.
    pub x: u16,
    /// From the top.
    pub y: u16,
}

impl Cell {
    /// Steps from cell to cell between the two, never across a corner (Manhattan distance).
    #[must_use]
    pub fn distance(self, other: Self) -> u32 {
        u32::from(self.x.abs_diff(other.x)) + u32::from(self.y.abs_diff(other.y))
    }
}

/// Columns on a rectangle, along a generalised Hilbert curve. 8 bytes for each cell.
#[derive(Debug, Clone)]
pub struct Grid {
    width: u16,
    height: u16,
    /// The cell of each column.
    cells: Vec<Cell>,
    /// The column of each cell, row by row; [`NONE`] behind the last column.
    columns: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Grid {
    /// A grid that is full of columns.
    ///
    /// # Errors
    /// If a side is 0 or beyond [`SIDE_MAX`], or there are more than [`COLUMNS_MAX`] cells.
    pub fn rectangle(width: u32, height: u32) -> Result<Self, ColumnError> {
        Self::of_size(width, height, width.saturating_mul(height))
    }

    /// The smallest grid for so many columns that is nearly a square. Its longer side is even, so that every column is beside the one
    /// before; the cells at the end of the curve that no column is left for stay empty.
    ///
    /// # Errors
    /// If there are to be none or more than [`COLUMNS_MAX`].
    pub fn of_columns(columns: u32) -> Result<Self, ColumnError> {
        if columns == 0 || columns > COLUMNS_MAX {
            return Err(ColumnError::ColumnCount { columns });
        }
        let root = columns.isqrt();
        let width = (root + u32::from(root * root < columns)).next_multiple_of(2);
        Self::of_size(width, columns.div_ceil(width), columns)
    }

    /// The first so many cells of the curve through a rectangle.
    pub(crate) fn of_size(width: u32, height: u32, count: u32) -> Result<Self, ColumnError> {
        let sides = 1..=SIDE_MAX;
        if !sides.contains(&width) || !sides.contains(&height) || width * height > COLUMNS_MAX + SIDE_MAX {
            return Err(ColumnError::GridSize { width, height });
        }
        if count == 0 || count > COLUMNS_MAX || count > width * height {
            return Err(ColumnError::ColumnCount { columns: count });
        }
        let mut cells = Vec::with_capacity(count as usize);
        let mut columns = vec![NONE; (width * height) as usize];
        curve::walk(width as u16, height as u16, &mut |x, y| {
            let column = cells.len() as u32;
            if column < count {
                columns[y as usize * width as usize + x as usize] = column;
                cells.push(Cell { x, y });
            }
        });
        Ok(Self { width: width as u16, height: height as u16, cells, columns })
    }

    /// Cells from left to right.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Cells from top to bottom.
    #[must_use]
    pub fn height(&self) -> u16 {
        self.height
    }

    /// How many columns there are.
    #[must_use]
    pub fn column_count(&self) -> u32 {
        self.cells.len() as u32
    }

    /// Where a column lies; none if there is no such column.
    #[must_use]
    pub fn cell(&self, column: ColumnId) -> Option<Cell> {
        self.cells.get(column.0 as usize).copied()
    }

    /// The column of a cell; none if the cell has none.
    #[must_use]
    pub fn column(&self, cell: Cell) -> Option<ColumnId> {
        if cell.x >= self.width || cell.y >= self.height {
            return None;
        }
        let column =
            *self.columns.get(usize::from(cell.y) * usize::from(self.width) + usize::from(cell.x))?;
        (column != NONE).then_some(ColumnId(column))
    }

    /// The farthest that two cells can be apart.
    #[must_use]
    pub fn diameter(&self) -> u32 {
        u32::from(self.width) + u32::from(self.height) - 2
    }

    /// The cells of all columns, in their order.
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_columns_name_each_other() {
        for count in [1, 2, 3, 5, 64, 100, 1_000, 4_096, 10_001] {
            let grid = Grid::of_columns(count).unwrap();
            assert_eq!(grid.column_count(), count);
            for column in (0..count).map(ColumnId) {
                assert_eq!(grid.column(grid.cell(column).unwrap()), Some(column));
            }
            let steps = grid.cells().windows(2).all(|pair| pair[0].distance(pair[1]) == 1);
            assert!(steps, "{count} columns");
            let (width, height) = (u32::from(grid.width()), u32::from(grid.height()));
            assert!(width * height < count + width, "{count} columns on {width}×{height}");
        }
        assert_eq!(Grid::of_columns(2).unwrap().cell(ColumnId(2)), None);
        assert_eq!(Grid::of_columns(2).unwrap().column(Cell { x: 0, y: 9 }), None);
    }

    #[test]
    fn sizes_out_of_bounds_are_refused() {
        assert_eq!(Grid::of_columns(0).unwrap_err(), ColumnError::ColumnCount { columns: 0 });
        let many = COLUMNS_MAX + 1;
        assert_eq!(Grid::of_columns(many).unwrap_err(), ColumnError::ColumnCount { columns: many });
        for (width, height) in [(0, 5), (5, 0), (SIDE_MAX + 1, 1), (1 << 14, 1 << 14), (u32::MAX, u32::MAX)] {
            assert_eq!(Grid::rectangle(width, height).unwrap_err(), ColumnError::GridSize { width, height });
        }
    }
}
