//! Columns put into a better order: without gaps, and what is used much together.

use crate::allocator::ColumnAllocator;
use crate::feed::ChangeKind;
use crate::grid::ColumnId;
use crate::nearness::{Distances, Neighbourhood, mean_distance};
use crate::slot::Slot;

/// Share of the neighbourhood's quality that [`ColumnAllocator::rebalance`] must leave: nine tenths.
pub const QUALITY_LEFT_MIN: f64 = 0.9;
/// Share of all uses that is to lie together: four fifths.
const HOT_USES: (u64, u64) = (4, 5);
/// Largest share of the concepts that counts as hot: one in so many.
const HOT_ONE_IN: usize = 4;
/// Columns of a block: as many as a word has bits, a square of 8 by 8 where the grid is a power of two.
pub const BLOCK: usize = 64;
/// Narrowest window: four blocks.
const WINDOW_MIN: usize = 4 * BLOCK;

/// A concept that has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Move {
    /// Which.
    pub concept: u64,
    /// Where it was.
    pub from: ColumnId,
    /// Where it is.
    pub to: ColumnId,
}

/// What a [`rebalance`](ColumnAllocator::rebalance) has done.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rebalance {
    /// What has moved, along the curve as it is now.
    pub moves: Vec<Move>,
    /// Columns within which concepts were moved; 0 if nothing was.
    pub window: u32,
    /// How near related concepts lay before, and lie now.
    pub neighbourhood: (Neighbourhood, Neighbourhood),
    /// The fewest blocks of [`BLOCK`] columns that hold four fifths of all uses, before and now. Their ratio is the gain in locality:
    /// so much less has to be looked at to find what is asked for.
    pub blocks: (u32, u32),
}

impl ColumnAllocator {
    /// Moves all concepts to the front of the curve, in their order, each with its state: afterwards the taken columns are the first, and
    /// the free ones lie together. Returns the moves, in the order of the curve. Takes time proportional to the columns.
    ///
    /// Neighbours along the curve stay neighbours or become so; two that were apart by a gap come nearer.
    pub fn defragment(&mut self) -> Vec<Move> {
        let order: Vec<(ColumnId, Slot)> = self.taken().collect();
        let targets = (0..).map(ColumnId);
        let moves = self.rearrange(&order, targets);
        if !moves.is_empty() {
            self.find_free();
        }
        moves
    }

    /// Brings concepts that are used much together, and says what it gained.
    ///
    /// Hot are the most used, until they have four fifths of all uses, but no more than a quarter of the concepts. Within windows of the curve,
    /// the hot ones move to the front of the taken columns and the others behind them, both in their order; so nothing goes farther than its window
    /// is wide. The window is the whole pool, or a quarter of it, or a sixteenth, down to 256 columns: the widest that
    /// leaves [`QUALITY_LEFT_MIN`] of the neighbourhood's quality and needs fewer blocks for four fifths of the uses. If none does, nothing moves.
    ///
    /// The neighbourhood is that of the given pairs, or, without any, that of
    /// [`own_neighbourhood`](Self::own_neighbourhood). Uses are halved afterwards, so that old ones count less at the next time.
    pub fn rebalance(&mut self, pairs: &[(u64, u64, u32)]) -> Rebalance {
        let order: Vec<(ColumnId, Slot)> = self.taken().collect();
        let pairs = self.resolved(pairs);
        // Which columns are taken stays as it is, and so does what chance would make of them.
        let random = mean_distance(&self.grid, &self.slots);
        let before = self.measured(&pairs, random, ColumnId::clone);
        let blocks_before = blocks(self.slots.len(), order.iter().map(|(column, slot)| (*column, slot.uses)));
        let mut done = Rebalance {
            moves: Vec::new(),
            window: 0,
            neighbourhood: (before, before),
            blocks: (blocks_before, blocks_before),
        };
        let hot = self.hot();
        let targets: Vec<ColumnId> = order.iter().map(|&(column, _)| column).collect();
        let least = before.quality() - before.quality().abs() * (1.0 - QUALITY_LEFT_MIN);
        let narrower = |&window: &usize| (window / 4 >= WINDOW_MIN).then_some(window / 4);
        for window in std::iter::successors(Some(self.slots.len()).filter(|_| !hot.is_empty()), narrower) {
            let trial = in_windows(&order, &hot, window);
            let mut goes_to = vec![ColumnId(0); self.slots.len()];
            for (&(from, _), &to) in trial.iter().zip(&targets) {
                if let Some(place) = goes_to.get_mut(from.0 as usize) {
                    *place = to;
                }
            }
            let after =
                self.measured(&pairs, random, |from| goes_to.get(from.0 as usize).copied().unwrap_or(*from));
            let uses = trial.iter().zip(&targets).map(|((_, slot), &to)| (to, slot.uses));
            let blocks_after = blocks(self.slots.len(), uses);
            if after.quality() >= least && blocks_after < blocks_before {
                done.moves = self.rearrange(&trial, targets.into_iter());
                done.window = window as u32;
                done.neighbourhood.1 = after;
                done.blocks.1 = blocks_after;
                break;
            }
        }
        self.slots.iter_mut().flatten().for_each(|slot| slot.uses /= 2);
        done
    }

    /// The columns of pairs of which both have one; without any pairs, those of each concept and its kin.
    fn resolved(&self, pairs: &[(u64, u64, u32)]) -> Vec<(ColumnId, ColumnId, u32)> {
        let resolve =
            |(a, b, weight): (u64, u64, u32)| Some((self.column_of(a)?, self.column_of(b)?, weight));
        if pairs.is_empty() {
            return self.kin_pairs().filter_map(resolve).collect();
        }
        pairs.iter().copied().filter(|&(.., weight)| weight > 0).filter_map(resolve).collect()
    }

    /// How near pairs lie once everything has gone where it goes.
    fn measured(
        &self,
        pairs: &[(ColumnId, ColumnId, u32)],
        random: f64,
        goes_to: impl Fn(&ColumnId) -> ColumnId,
    ) -> Neighbourhood {
        let mut distances = Distances::default();
        for (a, b, weight) in pairs {
            distances.add(self.cell(goes_to(a)), self.cell(goes_to(b)), *weight);
        }
        distances.beside(random)
    }

    /// Columns that are taken, with what they hold, along the curve.
    pub(crate) fn taken(&self) -> impl Iterator<Item = (ColumnId, Slot)> {
        (0..).map(ColumnId).zip(&self.slots).filter_map(|(column, slot)| Some((column, (*slot)?)))
    }

    /// Which columns hold hot concepts; empty if nothing is hotter than the rest.
    fn hot(&self) -> Vec<bool> {
        let mut used: Vec<(u32, u32)> =
            self.taken().map(|(column, slot)| (slot.uses, column.0)).filter(|&(uses, _)| uses > 0).collect();
        let all: u64 = used.iter().map(|&(uses, _)| u64::from(uses)).sum();
        used.sort_unstable_by_key(|&(uses, column)| (std::cmp::Reverse(uses), column));
        if used.first().map(|most| most.0) == used.last().map(|least| least.0) {
            return Vec::new();
        }
        let mut hot = vec![false; self.slots.len()];
        let mut found = 0;
        for &(uses, column) in used.iter().take((self.allocated_count() as usize).div_ceil(HOT_ONE_IN)) {
            if found * HOT_USES.1 >= all * HOT_USES.0 {
                break;
            }
            found += u64::from(uses);
            if let Some(hot) = hot.get_mut(column as usize) {
                *hot = true;
            }
        }
        hot
    }

    /// Puts what is listed into the targets, one after the other, tells the feed, and returns what has moved. What is free is for the caller
    /// to say, if that changes.
    fn rearrange(
        &mut self,
        order: &[(ColumnId, Slot)],
        targets: impl Iterator<Item = ColumnId>,
    ) -> Vec<Move> {
        let moves: Vec<(Move, Slot)> = order
            .iter()
            .zip(targets)
            .filter(|&(&(from, _), to)| from != to)
            .map(|(&(from, slot), to)| (Move { concept: slot.concept, from, to }, slot))
            .collect();
        if moves.is_empty() {
            return Vec::new();
        }
        self.tick = self.tick.saturating_add(1);
        for (step, _) in &moves {
            if let Some(place) = self.slots.get_mut(step.from.0 as usize) {
                *place = None;
            }
        }
        for &(Move { concept, from, to }, slot) in &moves {
            if let Some(place) = self.slots.get_mut(to.0 as usize) {
                *place = Some(slot);
            }
            self.feed.push(self.tick, concept, ChangeKind::Moved { from, to });
        }
        self.find_concepts();
        moves.into_iter().map(|(step, _)| step).collect()
    }
}

/// In each window of the curve the hot first, then the others, both in their order.
fn in_windows(order: &[(ColumnId, Slot)], hot: &[bool], window: usize) -> Vec<(ColumnId, Slot)> {
    let is_hot = |&&(column, _): &&(ColumnId, Slot)| hot.get(column.0 as usize).is_some_and(|&hot| hot);
    order
        .chunk_by(|a, b| a.0.0 as usize / window == b.0.0 as usize / window)
        .flat_map(|part| part.iter().filter(is_hot).chain(part.iter().filter(move |taken| !is_hot(taken))))
        .copied()
        .collect()
}

/// The fewest blocks of so many columns that hold four fifths of all uses.
fn blocks(columns: usize, uses: impl Iterator<Item = (ColumnId, u32)>) -> u32 {
    let mut of_block = vec![0_u64; columns.div_ceil(BLOCK)];
    for (column, uses) in uses {
        if let Some(sum) = of_block.get_mut(column.0 as usize / BLOCK) {
            *sum += u64::from(uses);
        }
    }
    let all: u64 = of_block.iter().sum();
    of_block.sort_unstable_by(|a, b| b.cmp(a));
    let mut found = 0;
    let enough = of_block.iter().take_while(|&&uses| {
        let more = found * HOT_USES.1 < all * HOT_USES.0;
        found += uses;
        more
    });
    enough.count() as u32
}
