//! Where each column lies.

use crate::curve::{self, Along};
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
    along: Along,
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
        Self::of_size(width, height, Along::longer(width, height), width.saturating_mul(height))
    }

    /// The smallest grid for so many columns that is nearly a square. Its longer side is even, so that every column is beside the one
    /// before; the cells at the end of the curve that no column is left for stay empty.
    ///
    /// # Errors
    /// If there are to be none or more than [`COLUMNS_MAX`].
    pub fn of_columns(columns: u32) -> Result<Self, ColumnError> {
        let (width, height) = sides(columns)?;
        Self::of_size(width, height, Along::longer(width, height), columns)
    }

    /// The first so many cells of the curve through a rectangle along one of its sides.
    pub(crate) fn of_size(width: u32, height: u32, along: Along, count: u32) -> Result<Self, ColumnError> {
        let sides = 1..=SIDE_MAX;
        if !sides.contains(&width) || !sides.contains(&height) || width * height > COLUMNS_MAX + SIDE_MAX {
            return Err(ColumnError::GridSize { width, height });
        }
        if count == 0 || count > COLUMNS_MAX || count > width * height {
            return Err(ColumnError::ColumnCount { columns: count });
        }
        let mut cells = Vec::with_capacity(count as usize);
        let mut columns = vec![NONE; (width * height) as usize];
        curve::walk(width as u16, height as u16, along, &mut |x, y| {
            let column = cells.len() as u32;
            if column < count {
                columns[y as usize * width as usize + x as usize] = column;
                cells.push(Cell { x, y });
            }
        });
        Ok(Self { width: width as u16, height: height as u16, along, cells, columns })
    }

    /// A grid for more columns. The columns of this one keep their cells wherever a curve through a larger rectangle begins as this one does; the
    /// first is taken of: this very rectangle, if it has empty cells enough; that of [`of_columns`](Self::of_columns), along either side if both are even; this one with
    /// its sides doubled until there is room, the curve turned each time, for the first quarter of Hilbert's curve is the next smaller one turned.
    /// If none begins so, it is that of `of_columns`, and columns move to other cells.
    pub(crate) fn grown(&self, columns: u32) -> Result<Self, ColumnError> {
        let (width, height) = sides(columns)?;
        let along = Along::longer(width, height);
        let mine = (u32::from(self.width), u32::from(self.height), self.along);
        let doubled = std::iter::successors(Some(mine), |&(width, height, along)| {
            (width < SIDE_MAX && height < SIDE_MAX).then_some((width * 2, height * 2, along.turned()))
        });
        let doubled = doubled.into_iter().find(|&(width, height, _)| width * height >= columns);
        // Along an odd side the curve has a step across a corner.
        let turned = (width % 2 + height % 2 == 0).then_some((width, height, along.turned()));
        let candidates = [Some(mine), Some((width, height, along)), turned, doubled];
        candidates
            .into_iter()
            .flatten()
            .filter_map(|(width, height, along)| Self::of_size(width, height, along, columns).ok())
            .find(|grid| grid.begins_as(self))
            .map_or_else(|| Self::of_columns(columns), Ok)
    }

    /// Whether all columns of another grid lie in the same cells here.
    pub(crate) fn begins_as(&self, other: &Self) -> bool {
        self.cells.starts_with(&other.cells)
    }

    /// Which way the curve goes.
    pub(crate) fn along(&self) -> Along {
        self.along
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

/// Sides of the smallest rectangle for so many columns that is nearly a square, the longer one even.
fn sides(columns: u32) -> Result<(u32, u32), ColumnError> {
    if columns == 0 || columns > COLUMNS_MAX {
        return Err(ColumnError::ColumnCount { columns });
    }
    let root = columns.isqrt();
    let width = (root + u32::from(root * root < columns)).next_multiple_of(2);
    Ok((width, columns.div_ceil(width)))
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
    fn growing_keeps_cells() {
        for (few, step) in (1..70).map(|few| (few, 1)).chain([(1_000, 97), (1_023, 211), (4_096, 1_003)]) {
            let grid = Grid::of_columns(few).unwrap();
            for columns in (few..20 * few).step_by(step) {
                let grown = grid.grown(columns).unwrap();
                assert_eq!(grown.column_count(), columns);
                assert!(
                    grown.cells().windows(2).all(|pair| pair[0].distance(pair[1]) == 1),
                    "{few} → {columns}"
                );
                // Up to 40 columns a grid may be more than half as long again as it is wide, and then it is doubled but once.
                assert!(grown.begins_as(&grid) || few <= 40 && columns > 4 * few, "{few} → {columns}");
                let again = grown.grown(2 * columns + 1).unwrap();
                assert!(again.begins_as(&grown) || few <= 40, "{few} → {columns} → {}", 2 * columns + 1);
            }
        }
    }

    #[test]
    fn hilberts_curve_begins_as_the_smaller_one_turned() {
        let cells = |columns: u32, side: u32, along| Grid::of_size(side, side, along, columns).unwrap().cells;
        for side in [2, 4, 32, 128] {
            let small = cells(side * side, side, Along::Across);
            assert_eq!(cells(side * side, 2 * side, Along::Down), small);
            let turned = cells(side * side, 2 * side, Along::Across);
            assert!(turned.iter().zip(&small).all(|(to, from)| (to.x, to.y) == (from.y, from.x)));
        }
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
