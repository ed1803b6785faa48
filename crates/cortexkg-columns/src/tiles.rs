//! The free column nearest to a cell: free cells in tiles of 8 × 8, tiles in tiles of tiles, each a word.
//!
//! A search goes down from the one word on top, nearest child first, and passes over what lies farther away than what it has found
//! (branch and bound). Distances are Manhattan distances, so they add up: to a tile, and from where one enters it.

use crate::grid::{Cell, ColumnId, Grid};

/// Cells of a tile's side.
const SIDE: u32 = 8;
/// Farthest that two cells of a tile can be apart.
const REACH: usize = 14;

/// For each cell of a tile: which cells are how far away.
static RINGS: [[u64; REACH + 1]; 64] = rings();

const fn rings() -> [[u64; REACH + 1]; 64] {
    let mut rings = [[0; REACH + 1]; 64];
    let mut from = 0;
    while from < 64 {
        let mut to = 0;
        while to < 64 {
            let distance = (from % 8_usize).abs_diff(to % 8) + (from / 8).abs_diff(to / 8);
            rings[from][distance] |= 1 << to;
            to += 1;
        }
        from += 1;
    }
    rings
}

/// One level of tiles, row by row.
#[derive(Debug, Clone)]
struct Level {
    words: Vec<u64>,
    /// Tiles of a row.
    width: u32,
}

impl Level {
    fn of(width: u32, height: u32) -> Self {
        let (width, height) = (width.div_ceil(SIDE), height.div_ceil(SIDE));
        Self { words: vec![0; (width * height) as usize], width }
    }

    fn place(&self, x: u32, y: u32) -> (usize, u64) {
        (((y / SIDE) * self.width + x / SIDE) as usize, 1 << ((y % SIDE) * SIDE + x % SIDE))
    }
}

/// Free cells of a grid.
#[derive(Debug, Clone)]
pub(crate) struct FreeTiles {
    levels: Vec<Level>,
}

/// What a search looks for, and what it has found.
struct Search<'a> {
    grid: &'a Grid,
    x: u32,
    y: u32,
    /// Distance and number: the nearest, and of equally near ones the first along the curve.
    best: (u32, u32),
}

impl FreeTiles {
    /// All columns of a grid are free.
    pub(crate) fn all(grid: &Grid) -> Self {
        let mut levels = Vec::new();
        let (mut width, mut height) = (u32::from(grid.width()), u32::from(grid.height()));
        loop {
            levels.push(Level::of(width, height));
            (width, height) = (width.div_ceil(SIDE), height.div_ceil(SIDE));
            if (width, height) == (1, 1) {
                break;
            }
        }
        let mut tiles = Self { levels };
        for &cell in grid.cells() {
            tiles.insert(cell);
        }
        tiles
    }

    /// Says that the column of a cell is free.
    pub(crate) fn insert(&mut self, cell: Cell) {
        let (mut x, mut y) = (u32::from(cell.x), u32::from(cell.y));
        for level in &mut self.levels {
            let (at, bit) = level.place(x, y);
            let had = level.words[at] != 0;
            level.words[at] |= bit;
            if had {
                return;
            }
            (x, y) = (x / SIDE, y / SIDE);
        }
    }

    /// Says that the column of a cell is taken.
    pub(crate) fn remove(&mut self, cell: Cell) {
        let (mut x, mut y) = (u32::from(cell.x), u32::from(cell.y));
        for level in &mut self.levels {
            let (at, bit) = level.place(x, y);
            level.words[at] &= !bit;
            if level.words[at] != 0 {
                return;
            }
            (x, y) = (x / SIDE, y / SIDE);
        }
    }

    /// The free column nearest to a cell, and how far it is; of equally near ones the first along the curve.
    pub(crate) fn nearest(&self, grid: &Grid, to: Cell) -> Option<(ColumnId, u32)> {
        let mut search = Search { grid, x: u32::from(to.x), y: u32::from(to.y), best: (u32::MAX, u32::MAX) };
        self.look(&mut search, self.levels.len() - 1, 0, 0);
        let (distance, column) = search.best;
        (column != u32::MAX).then_some((ColumnId(column), distance))
    }

    /// Looks into tile (`x`, `y`) of a level.
    fn look(&self, search: &mut Search<'_>, depth: usize, x: u32, y: u32) {
        let level = &self.levels[depth];
        let word = level.words[(y * level.width + x) as usize];
        // Cells of a child's side; the child in which the tile is entered.
        let side = SIDE.pow(depth as u32);
        let enter = |at: u32, tile: u32| {
            let (low, high) = (tile * SIDE * side, (tile + 1) * SIDE * side - 1);
            let entry = at.clamp(low, high);
            ((entry - low) / side, at.abs_diff(entry))
        };
        let ((child_x, away_x), (child_y, away_y)) = (enter(search.x, x), enter(search.y, y));
        let away = away_x + away_y;
        for (ring, &mask) in (0..).zip(&RINGS[(child_y * SIDE + child_x) as usize]) {
            // Nothing of this ring is nearer: a child that is n away in one direction begins n − 1 sides and a step away.
            let least = if depth == 0 || ring < 2 { ring } else { (ring - 2) * side + 2 };
            if away + least > search.best.0 {
                return;
            }
            let mut hits = word & mask;
            while hits != 0 {
                let bit = hits.trailing_zeros();
                hits &= hits - 1;
                let (child_x, child_y) = (x * SIDE + bit % SIDE, y * SIDE + bit / SIDE);
                if depth == 0 {
                    let cell = Cell { x: child_x as u16, y: child_y as u16 };
                    if let Some(column) = search.grid.column(cell) {
                        search.best = search.best.min((away + ring, column.0));
                    }
                } else if gap(search.x, child_x, side) + gap(search.y, child_y, side) <= search.best.0 {
                    self.look(search, depth - 1, child_x, child_y);
                }
            }
        }
    }
}

/// How far a place is from the tile with this number, along one axis.
fn gap(at: u32, tile: u32, side: u32) -> u32 {
    at.abs_diff(at.clamp(tile * side, (tile + 1) * side - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_looking_at_all(grid: &Grid, free: &[bool], to: Cell) -> Option<(ColumnId, u32)> {
        let distance = |column: u32| grid.cell(ColumnId(column)).unwrap().distance(to);
        (0..grid.column_count())
            .filter(|&column| free[column as usize])
            .min_by_key(|&column| (distance(column), column))
            .map(|column| (ColumnId(column), distance(column)))
    }

    proptest! {
        #[test]
        fn the_nearest_is_that_of_looking_at_all(
            columns in 1_u32..20_000,
            sparse in prop::sample::select(vec![0_u32, 1, 50, 500, 1000]),
            seed in any::<u32>(),
            targets in prop::collection::vec(any::<(u16, u16)>(), 1..20),
        ) {
            let grid = Grid::of_columns(columns).unwrap();
            let mut tiles = FreeTiles::all(&grid);
            let mut free = vec![true; columns as usize];
            for column in 0..columns {
                // Also with one stretch that is wholly taken.
                let draw = column.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 8;
                if draw % 1000 >= sparse || column.abs_diff(seed % columns) < columns / 5 {
                    free[column as usize] = false;
                    tiles.remove(grid.cell(ColumnId(column)).unwrap());
                }
            }
            for (x, y) in targets {
                let to = Cell { x: x % grid.width(), y: y % grid.height() };
                prop_assert_eq!(tiles.nearest(&grid, to), by_looking_at_all(&grid, &free, to));
            }
        }
    }
}
