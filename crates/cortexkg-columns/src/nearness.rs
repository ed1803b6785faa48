//! Where a concept would best lie, and how well a neighbourhood has come out.

use crate::grid::{Cell, Grid};
use crate::slot::Slot;

/// Most related concepts that are looked at for one allocation.
pub const RELATED_MAX: usize = 64;

/// A related concept that has a column.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Relative {
    pub(crate) concept: u64,
    pub(crate) cell: Cell,
    pub(crate) weight: u32,
}

/// The related concept that weighs most; of several the first.
pub(crate) fn kin(relatives: &[Relative]) -> Option<u64> {
    relatives.iter().rev().max_by_key(|relative| relative.weight).map(|relative| relative.concept)
}

/// Evidence of one bit.
const BIT: i32 = 256;
/// A weight for certain.
const CERTAIN: u32 = 1 << 16;

/// What a relative weighs for which there is so much evidence, in 1/256 bit: 65,536 times the probability that it is one.
///
/// ```text
/// 2¹⁶ / (1 + 2^(−evidence / 256))
/// ```
///
/// One bit doubles the odds; without evidence they are even. With these weights a concept goes to where the sum of distances that is to be
/// expected is least. Whole bits are exact to the nearest whole number, those between are on straight lines, at most 1/128 of a certain weight too
/// low or too high; all in whole numbers. From 17 bits against it on it is 0, and the relative is passed over.
#[must_use]
pub fn weight_of_evidence(evidence: i32) -> u32 {
    let (bits, part) = (evidence.div_euclid(BIT), evidence.rem_euclid(BIT) as u32);
    let (low, high) = (weight_of_bits(bits), weight_of_bits(bits + 1));
    low + ((high - low) * part + BIT as u32 / 2) / BIT as u32
}

/// The weight of whole bits.
fn weight_of_bits(bits: i32) -> u32 {
    let odds_against = 1_u32 << bits.unsigned_abs().min(20);
    let unlikely = (CERTAIN + odds_against / 2) / (1 + odds_against);
    if bits < 0 { unlikely } else { CERTAIN - unlikely }
}

/// The cell from which the weighted sum of Manhattan distances to the given ones is least.
///
/// ```text
/// argmin over (x, y) of Σ wᵢ · (|x − xᵢ| + |y − yᵢ|)
/// ```
///
/// The axes can be looked at apart: it is the weighted median of each, the lower one where there are two. Unlike a centroid, a few
/// relatives on the other side of the grid do not draw it into the void between.
pub(crate) fn best_cell(relatives: &[Relative]) -> Option<Cell> {
    if let [one] = relatives {
        return Some(one.cell);
    }
    let half = relatives.iter().map(|relative| u64::from(relative.weight)).sum::<u64>().div_ceil(2);
    let median = |axis: fn(Cell) -> u16| {
        // Where it lies and what it weighs in one number, which is quickly sorted.
        let mut places = [0_u64; RELATED_MAX];
        let places = places.get_mut(..relatives.len())?;
        for (place, relative) in places.iter_mut().zip(relatives) {
            *place = u64::from(axis(relative.cell)) << 32 | u64::from(relative.weight);
        }
        places.sort_unstable();
        let mut below = 0;
        places.iter().find_map(|&place| {
            below += u64::from(place as u32);
            (below >= half).then_some((place >> 32) as u16)
        })
    };
    Some(Cell { x: median(|cell| cell.x)?, y: median(|cell| cell.y)? })
}

/// How near related concepts lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbourhood {
    /// Pairs of related concepts of which both have a column.
    pub pairs: u64,
    /// The weighted mean of their Manhattan distances; 0 without pairs.
    pub distance_mean: f64,
    /// The mean Manhattan distance of any two different concepts of the pool: what it would be if everything lay anywhere.
    pub distance_random: f64,
}

impl Neighbourhood {
    /// `1 − distance_mean / distance_random`: 1 if related concepts lay all in one place, 0 if they lie as chance would have it, less if
    /// they avoid each other. 0 where there are no pairs, or fewer than two concepts.
    #[must_use]
    pub fn quality(&self) -> f64 {
        if self.pairs == 0 || self.distance_random == 0.0 {
            return 0.0;
        }
        1.0 - self.distance_mean / self.distance_random
    }
}

/// Sums up pairs.
#[derive(Debug, Default)]
pub(crate) struct Distances {
    pairs: u64,
    weights: u64,
    sum: u128,
}

impl Distances {
    pub(crate) fn add(&mut self, a: Cell, b: Cell, weight: u32) {
        self.pairs += 1;
        self.weights = self.weights.saturating_add(u64::from(weight));
        self.sum += u128::from(a.distance(b)) * u128::from(weight);
    }

    pub(crate) fn beside(self, distance_random: f64) -> Neighbourhood {
        let distance_mean = if self.weights == 0 { 0.0 } else { self.sum as f64 / self.weights as f64 };
        Neighbourhood { pairs: self.pairs, distance_mean, distance_random }
    }
}

/// The mean Manhattan distance of two different columns that are taken: exact, from how many there are in each row and in each line down.
pub(crate) fn mean_distance(grid: &Grid, slots: &[Option<Slot>]) -> f64 {
    let mut across = vec![0_u64; usize::from(grid.width())];
    let mut down = vec![0_u64; usize::from(grid.height())];
    let mut taken = 0_u64;
    for (cell, _) in grid.cells().iter().zip(slots).filter(|(_, slot)| slot.is_some()) {
        across[usize::from(cell.x)] += 1;
        down[usize::from(cell.y)] += 1;
        taken += 1;
    }
    if taken < 2 {
        return 0.0;
    }
    // Between two neighbouring lines pass as many pairs as there are before times after it.
    let crossed = |lines: &[u64]| {
        let mut before = 0;
        lines
            .iter()
            .map(|&here| {
                before += here;
                u128::from(before) * u128::from(taken - before)
            })
            .sum::<u128>()
    };
    let pairs = u128::from(taken) * u128::from(taken - 1) / 2;
    (crossed(&across) + crossed(&down)) as f64 / pairs as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_cell_is_better(given in prop::collection::vec((0_u16..12, 0_u16..12, 1_u32..9), 1..12)) {
            let relatives: Vec<_> = given.iter().map(|&(x, y, weight)| Relative { concept: 0, cell: Cell { x, y }, weight }).collect();
            let cost = |relatives: &[Relative], to: Cell| {
                relatives.iter().map(|relative| relative.cell.distance(to) * relative.weight).sum::<u32>()
            };
            let best = best_cell(&relatives).unwrap();
            let least = (0..144).map(|n| cost(&relatives, Cell { x: n % 12, y: n / 12 })).min().unwrap();
            prop_assert_eq!(cost(&relatives, best), least);
        }

        #[test]
        fn the_mean_distance_is_that_of_all_pairs(taken in prop::collection::vec(any::<bool>(), 1..90)) {
            let grid = Grid::of_columns(taken.len() as u32).unwrap();
            let slots: Vec<_> = taken.iter().map(|&taken| taken.then(|| Slot::new(0, 0))).collect();
            let cells: Vec<_> =
                grid.cells().iter().zip(&taken).filter(|(_, taken)| **taken).map(|(cell, _)| *cell).collect();
            let mut all = Distances::default();
            for (n, &a) in cells.iter().enumerate() {
                cells[..n].iter().for_each(|&b| all.add(a, b, 1));
            }
            let expected = all.beside(0.0).distance_mean;
            prop_assert!((mean_distance(&grid, &slots) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn evidence_weighs_as_its_probability() {
        for (bits, weight) in
            [(0, 32_768), (1, 43_691), (3, 58_254), (-3, 7_282), (24, 65_536), (-14, 4), (-17, 0)]
        {
            assert_eq!(weight_of_evidence(256 * bits), weight, "{bits} bits");
        }
        let weights: Vec<u32> = (-20 * 256..20 * 256).map(weight_of_evidence).collect();
        assert!(weights.is_sorted());
        for (evidence, &weight) in (-20 * 256..).zip(&weights) {
            let exact = 65_536.0 / (1.0 + libm::exp2(-f64::from(evidence) / 256.0));
            assert!((f64::from(weight) - exact).abs() < 512.0, "{evidence}: {weight}, {exact}");
        }
        assert_eq!((weight_of_evidence(i32::MIN), weight_of_evidence(i32::MAX)), (0, CERTAIN));
    }

    #[test]
    fn relatives_without_a_cell_give_none() {
        assert_eq!(best_cell(&[]), None);
    }
}
