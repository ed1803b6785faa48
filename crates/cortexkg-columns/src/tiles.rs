//! The free column nearest to a cell: free cells in tiles of 8 × 8, tiles in tiles of tiles, each a word.
//!
//! A search goes down from the one word on top, nearest child first, and passes over what lies farther away than what it has found
//! (branch and bound). Where a front of free cells is as near everywhere, as it is around what has grown from one place, that alone would look at all of
//! it; so a tile also knows its first column, and, seen from each corner, how far its free cells are at least, which is learnt by looking. Distances are Manhattan distances, so they add up: to a tile, and from where one enters it.

use crate::grid::{Cell, ColumnId, Grid};

/// Cells of a tile's side.
const SIDE: u32 = 1 << SIDE_POWER;
const SIDE_POWER: u32 = 3;
/// Farthest that two cells of a tile can be apart.
const REACH: usize = 14;

/// For each cell of a tile: which cells are at most how far away.
static DISCS: [[u64; REACH + 1]; 64] = discs();

const fn discs() -> [[u64; REACH + 1]; 64] {
    let mut discs = [[0; REACH + 1]; 64];
    let mut from = 0;
    while from < 64 {
        let mut to = 0;
        while to < 64 {
            let mut distance = (from % 8_usize).abs_diff(to % 8) + (from / 8).abs_diff(to / 8);
            while distance <= REACH {
                discs[from][distance] |= 1 << to;
                distance += 1;
            }
            to += 1;
        }
        from += 1;
    }
    discs
}

/// The 64 tiles that lie in one of the level above.
#[derive(Debug, Clone)]
struct Block {
    /// Which cells of each tile are free, or which tiles of it have any.
    words: [u64; 64],
    /// The first column of each tile, free or not.
    firsts: [u32; 64],
}

/// One level of tiles.
#[derive(Debug, Clone)]
struct Level {
    /// Row by row.
    blocks: Vec<Block>,
    /// Of each tile in each of the blocks what is known of its free cells, seen from each side; none of tiles of cells, which are quickly looked through.
    bounds: Vec<[i32; 4]>,
    /// Blocks of a row.
    width: u32,
}

impl Level {
    /// Tiles over so many cells, or tiles, of the level below.
    fn of(width: u32, height: u32) -> Self {
        let (width, height) = (width.div_ceil(SIDE * SIDE), height.div_ceil(SIDE * SIDE));
        let block = Block { words: [0; 64], firsts: [u32::MAX; 64] };
        Self { blocks: vec![block; (width * height) as usize], bounds: Vec::new(), width }
    }

    /// Which block has the tiles of tile (`x`, `y`) of the level above.
    fn block(&self, x: u32, y: u32) -> usize {
        (y * self.width + x) as usize
    }

    /// The tile with cell, or tile of the level below, (`x`, `y`), and its bit there.
    fn place(&mut self, x: u32, y: u32) -> (&mut u64, &mut u32, u64) {
        let (tile_x, tile_y) = (x / SIDE, y / SIDE);
        let block = self.block(tile_x / SIDE, tile_y / SIDE);
        let block = &mut self.blocks[block];
        let tile = place_in_tile(tile_x, tile_y);
        (&mut block.words[tile], &mut block.firsts[tile], 1 << place_in_tile(x, y))
    }

    /// Notes a cell, or a tile of the level below: its first column, and whether it has a free one.
    fn note(&mut self, x: u32, y: u32, column: u32, is_free: bool) {
        let (word, first, bit) = self.place(x, y);
        *first = column.min(*first);
        if is_free {
            *word |= bit;
        }
    }

    /// All tiles that have columns: where they are, which of theirs are free or have any, and their first column.
    fn tiles(&self) -> impl Iterator<Item = (u32, u32, u64, u32)> {
        let blocks = self.blocks.iter().zip((0..).map(|at| (at % self.width, at / self.width)));
        let tiles = blocks.flat_map(|(block, (x, y))| {
            let places = (0..SIDE * SIDE).map(move |tile| (x * SIDE + tile % SIDE, y * SIDE + tile / SIDE));
            places.zip(block.words.iter().zip(&block.firsts))
        });
        let tiles = tiles.map(|((x, y), (&word, &first))| (x, y, word, first));
        tiles.filter(|&(.., first)| first != u32::MAX)
    }
}

fn place_in_tile(x: u32, y: u32) -> usize {
    ((y % SIDE) * SIDE + x % SIDE) as usize
}

/// Free cells of a grid.
#[derive(Debug, Clone)]
pub(crate) struct FreeTiles {
    /// From tiles of cells up to a single tile.
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

impl Search<'_> {
    /// The farthest that a column can be which is not before this one, and better than what is found.
    fn reach(&self, first: u32) -> u32 {
        self.best.0 - u32::from(first > self.best.1)
    }

    /// From which side a tile is seen whose side is 2 to this power; none if it is entered through an edge.
    fn side(&self, (x, y): (u32, u32), power: u32) -> Option<usize> {
        let side = |at: u32, tile: u32| {
            let low = tile << power;
            if at <= low { Some(0) } else { (at >= low + (1 << power) - 1).then_some(1) }
        };
        Some(side(self.x, x)? | side(self.y, y)? << 1)
    }
}

/// The way to each of the eight tiles of a row, or of a line down, of a tile. In 16 bits, of which a register has eight: places are below 2¹⁵.
struct Axis {
    /// How far away each is.
    away: [i16; SIDE as usize],
    /// Where it is entered, from its edge on.
    entry: [i16; SIDE as usize],
}

impl Axis {
    /// From a place to the tiles that begin at another, each 2 to this power long.
    #[inline]
    fn of(at: u32, begin: u32, power: u32) -> Self {
        let last = (1 << power) - 1;
        let from: [i16; SIDE as usize] =
            std::array::from_fn(|tile| at as i16 - (begin as i16 + ((tile as i16) << power)));
        Self {
            away: from.map(|from| (from - last).max(0) + (-from).max(0)),
            entry: from.map(|from| from.clamp(0, last)),
        }
    }

    /// Which of them is entered first.
    fn first(at: u32, begin: u32, power: u32) -> u32 {
        (at.clamp(begin, begin + (SIDE << power) - 1) - begin) >> power
    }
}

/// How far away a tile is, and in which of its cells it is entered.
#[inline]
fn way(across: &Axis, down: &Axis, x: u32, y: u32) -> (u32, usize) {
    let (x, y) = ((x % SIDE) as usize, (y % SIDE) as usize);
    let away = across.away[x] as u32 + down.away[y] as u32;
    (away, (down.entry[y] as u32 * SIDE + across.entry[x] as u32) as usize)
}

impl FreeTiles {
    /// Those columns of a grid are free that are said to be.
    pub(crate) fn of(grid: &Grid, is_free: impl Fn(u32) -> bool) -> Self {
        let (mut width, mut height) = (u32::from(grid.width()), u32::from(grid.height()));
        let mut cells = Level::of(width, height);
        for (column, cell) in (0..).zip(grid.cells()) {
            cells.note(u32::from(cell.x), u32::from(cell.y), column, is_free(column));
        }
        let mut levels = vec![cells];
        loop {
            (width, height) = (width.div_ceil(SIDE), height.div_ceil(SIDE));
            if (width, height) == (1, 1) {
                return Self { levels };
            }
            let mut level = Level::of(width, height);
            level.bounds = vec![[i32::MIN; 4]; 64 * level.blocks.len()];
            levels.last().into_iter().flat_map(Level::tiles).for_each(|(x, y, word, first)| {
                level.note(x, y, first, word != 0);
            });
            levels.push(level);
        }
    }

    /// Says that the column of a cell is free.
    pub(crate) fn insert(&mut self, cell: Cell) {
        let (mut x, mut y) = (u32::from(cell.x), u32::from(cell.y));
        for level in &mut self.levels {
            let (word, _, bit) = level.place(x, y);
            *word |= bit;
            (x, y) = (x / SIDE, y / SIDE);
            let tile = 64 * level.block(x / SIDE, y / SIDE) + place_in_tile(x, y);
            if let Some(bounds) = level.bounds.get_mut(tile) {
                for (side, bound) in (0..).zip(bounds) {
                    *bound = (*bound).min(seen_from(side, u32::from(cell.x), u32::from(cell.y)));
                }
            }
        }
    }

    /// Says that the column of a cell is taken.
    pub(crate) fn remove(&mut self, cell: Cell) {
        let (mut x, mut y) = (u32::from(cell.x), u32::from(cell.y));
        for level in &mut self.levels {
            let (word, _, bit) = level.place(x, y);
            *word &= !bit;
            if *word != 0 {
                return;
            }
            (x, y) = (x / SIDE, y / SIDE);
        }
    }

    /// The free column nearest to a cell, and how far it is; of equally near ones the first along the curve.
    pub(crate) fn nearest(&mut self, grid: &Grid, to: Cell) -> Option<(ColumnId, u32)> {
        let mut search = Search { grid, x: u32::from(to.x), y: u32::from(to.y), best: (u32::MAX, u32::MAX) };
        let (top, below) = self.levels.split_last_mut()?;
        let word = top.blocks[0].words[0];
        if below.is_empty() {
            let (across, down) = (Axis::of(search.x, 0, SIDE_POWER), Axis::of(search.y, 0, SIDE_POWER));
            let (away, entry) = way(&across, &down, 0, 0);
            look_at_cells(&mut search, (0, 0), word, away, &DISCS[entry]);
        } else {
            look(below, &mut search, (0, 0), word);
        }
        let (distance, column) = search.best;
        (column != u32::MAX).then_some((ColumnId(column), distance))
    }
}

/// Looks into tile (`x`, `y`) of the level above the given ones, whose tiles with free cells are those of the word.
fn look(levels: &mut [Level], search: &mut Search<'_>, (x, y): (u32, u32), mut word: u64) {
    let power = SIDE_POWER * levels.len() as u32;
    let Some((level, below)) = levels.split_last_mut() else { return };
    let at = level.block(x, y);
    let block = &level.blocks[at];
    let (left, top) = (x << (power + SIDE_POWER), y << (power + SIDE_POWER));
    let (across, down) = (Axis::of(search.x, left, power), Axis::of(search.y, top, power));
    let (first_x, first_y) = (Axis::first(search.x, left, power), Axis::first(search.y, top, power));
    let (away, _) = way(&across, &down, first_x, first_y);
    for (ring, &disc) in (0..).zip(&DISCS[(first_y * SIDE + first_x) as usize]) {
        // Nothing of this ring is nearer: a child that is n away in one direction begins n − 1 sides and a step away.
        let least = if ring < 2 { ring } else { ((ring - 2) << power) + 2 };
        if word == 0 || away + least > search.best.0 {
            return;
        }
        let mut hits = word & disc;
        word ^= hits;
        while hits != 0 {
            let bit = hits.trailing_zeros();
            hits &= hits - 1;
            let child = (x * SIDE + bit % SIDE, y * SIDE + bit / SIDE);
            let (away, entry) = way(&across, &down, bit, bit / SIDE);
            let to_child = search.reach(block.firsts[bit as usize]);
            let Some(reach) = to_child.checked_sub(away) else { continue };
            let cells = block.words[bit as usize];
            if below.is_empty() {
                // Most tiles have nothing within reach, and this one step says so.
                let discs = &DISCS[entry];
                if cells & discs[REACH.min(reach as usize)] != 0 {
                    look_at_cells(search, child, cells, away, discs);
                }
                continue;
            }
            let Some(side) = search.side(child, power) else {
                look(below, search, child, cells);
                continue;
            };
            let bound = &mut level.bounds[64 * at + bit as usize][side];
            let here = seen_from(side, search.x, search.y);
            if bound.saturating_sub(here) <= to_child.min(i32::MAX as u32) as i32 {
                look(below, search, child, cells);
                // All its free cells are at least as far as the best now, wherever that is.
                *bound = (*bound).max(here + search.best.0 as i32);
            }
        }
    }
}

/// Where a cell lies on the diagonal along which one looks from a side: from left and top (0), right and top, left and bottom, right and bottom (3). For
/// what is seen from a corner, distances are differences of these.
fn seen_from(side: usize, x: u32, y: u32) -> i32 {
    let (x, y) = (x as i32, y as i32);
    (if side & 1 == 0 { x } else { -x }) + (if side & 2 == 0 { y } else { -y })
}

/// Looks into tile (`x`, `y`) of cells, which is so far away: at all its nearest free cells, which are those of the word. The discs are those around
/// the cell in which it is entered.
fn look_at_cells(
    search: &mut Search<'_>,
    (x, y): (u32, u32),
    word: u64,
    away: u32,
    discs: &[u64; REACH + 1],
) {
    let mut rings = (away..).zip(discs.iter().map(|disc| word & disc));
    let Some((distance, mut hits)) = rings.find(|&(_, hits)| hits != 0) else { return };
    while hits != 0 {
        let bit = hits.trailing_zeros();
        hits &= hits - 1;
        let cell = Cell { x: (x * SIDE + bit % SIDE) as u16, y: (y * SIDE + bit / SIDE) as u16 };
        if let Some(column) = search.grid.column(cell) {
            search.best = search.best.min((distance, column.0));
        }
    }
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
            let mut tiles = FreeTiles::of(&grid, |_| true);
            let mut free = vec![true; columns as usize];
            for column in 0..columns {
                // Also with one stretch that is wholly taken.
                let draw = column.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 8;
                if draw % 1000 >= sparse || column.abs_diff(seed % columns) < columns / 5 {
                    free[column as usize] = false;
                    tiles.remove(grid.cell(ColumnId(column)).unwrap());
                }
            }
            // What is found is taken, and some of it given back, so that what was learnt about tiles grows old.
            for (round, (x, y)) in (0..).zip(targets.iter().cycle().take(60)) {
                let (x, y) = (x.wrapping_add(round / 7), y.wrapping_add(round % 7));
                let to = Cell { x: x % grid.width(), y: y % grid.height() };
                let found = tiles.nearest(&grid, to);
                prop_assert_eq!(found, by_looking_at_all(&grid, &free, to));
                if let Some((column, _)) = found {
                    free[column.0 as usize] = false;
                    tiles.remove(grid.cell(column).unwrap());
                }
                let column = u32::from(x) * 257 % columns;
                if round % 3 == 0 && !free[column as usize] {
                    free[column as usize] = true;
                    tiles.insert(grid.cell(ColumnId(column)).unwrap());
                }
            }
        }
    }
}
