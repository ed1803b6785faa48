//! The pool beside one that is slow and plain: the same columns, counts, states and errors, whatever is called in whatever order.
#![allow(clippy::unwrap_used, reason = "a test stops on errors")]

use std::collections::BTreeMap;

use cortexkg_columns::{Cell, ChangeKind, ColumnAllocator, ColumnError, ColumnId, Grid, Move, Spread};
use proptest::prelude::*;

use crate::calls::{Call, calls};

mod calls;

/// What each column holds: a concept and how often it was used.
struct Plain {
    grid: Grid,
    columns: Vec<Option<(u64, u32)>>,
}

impl Plain {
    fn column_of(&self, concept: u64) -> Option<usize> {
        self.columns.iter().position(|held| held.is_some_and(|(other, _)| other == concept))
    }

    fn cell(&self, column: usize) -> Cell {
        self.grid.cell(ColumnId(column as u32)).unwrap()
    }

    /// The cell of least cost, found by trying all; of several the one with the lowest x, then y.
    fn best_cell(&self, concept: u64, related: &[(u64, u32)]) -> Option<Cell> {
        let relatives: Vec<(Cell, u32)> = related
            .iter()
            .filter(|&&(other, weight)| weight > 0 && other != concept)
            .filter_map(|&(other, weight)| Some((self.cell(self.column_of(other)?), weight)))
            .collect();
        let cost = |cell: Cell| relatives.iter().map(|&(to, weight)| cell.distance(to) * weight).sum::<u32>();
        let all = (0..self.grid.width()).flat_map(|x| (0..self.grid.height()).map(move |y| Cell { x, y }));
        if relatives.is_empty() { None } else { all.min_by_key(|&cell| (cost(cell), cell.x, cell.y)) }
    }

    /// Where there is most room is not for this one to say: it is given, and must be free.
    fn allocate(
        &mut self,
        concept: u64,
        related: &[(u64, u32)],
        roomy: Option<usize>,
    ) -> Option<(usize, bool)> {
        if let Some(column) = self.column_of(concept) {
            return Some((column, false));
        }
        let best = self.best_cell(concept, related);
        let free = (0..self.columns.len()).filter(|&column| self.columns[column].is_none());
        let free = free.filter(|&column| roomy.is_none_or(|roomy| roomy == column));
        let column =
            free.min_by_key(|&column| (best.map(|best| best.distance(self.cell(column))), column))?;
        self.columns[column] = Some((concept, 1));
        Some((column, true))
    }

    fn follow(&mut self, moves: &[Move]) {
        let held: Vec<_> = moves.iter().map(|step| self.columns[step.from.0 as usize].take()).collect();
        for (step, held) in moves.iter().zip(held) {
            assert_eq!(held.unwrap().0, step.concept);
            assert!(self.columns[step.to.0 as usize].replace(held.unwrap()).is_none());
        }
    }
}

/// Follows the feed alone, as a page would.
fn follow_feed(pool: &ColumnAllocator, seen: &mut u64, follower: &mut BTreeMap<u32, u64>) {
    let changes: Vec<_> = pool.changes_since(*seen).unwrap().copied().collect();
    for change in &changes {
        match change.kind {
            ChangeKind::Freed(from) | ChangeKind::Moved { from, .. } => {
                follower.remove(&from.0).unwrap();
            }
            ChangeKind::Grown { .. } => {}
            ChangeKind::Allocated(to) => assert_eq!(follower.insert(to.0, change.concept), None),
            _ => unreachable!(),
        }
    }
    for change in &changes {
        if let ChangeKind::Moved { to, .. } = change.kind {
            assert_eq!(follower.insert(to.0, change.concept), None);
        }
    }
    *seen = pool.next_change();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn it_does_what_the_plain_one_does(columns in 1_u32..50, calls in calls()) {
        let mut pool = ColumnAllocator::with_columns(columns).unwrap();
        let mut plain = Plain { grid: pool.grid().clone(), columns: vec![None; columns as usize] };
        let (mut seen, mut follower) = (0, BTreeMap::new());
        for call in calls {
            match call {
                Call::Allocate(concept, related) => {
                    let mut anew = ColumnAllocator::decode(&pool.encode(), plain.columns.len() as u32).unwrap();
                    let placed = pool.allocate(concept, &related);
                    prop_assert_eq!(&anew.allocate(concept, &related), &placed);
                    let is_roomy = pool.spread() == Spread::Roomy && plain.best_cell(concept, &related).is_none();
                    let roomy = placed.as_ref().ok().filter(|_| is_roomy).map(|placed| placed.column.0 as usize);
                    match (placed, plain.allocate(concept, &related, roomy)) {
                    (Ok(placed), Some(expected)) => {
                        prop_assert_eq!((placed.column.0 as usize, placed.is_new), expected);
                    }
                    (refused, None) => prop_assert_eq!(refused, Err(ColumnError::PoolFull { concept, columns: pool.grid().column_count() })),
                    (Err(error), Some(_)) => panic!("{error}"),
                    }
                }
                Call::Spread(spread) => pool.set_spread(spread),
                Call::Deallocate(concept) => {
                    let expected = plain.column_of(concept);
                    if let Some(column) = expected { plain.columns[column] = None; }
                    prop_assert_eq!(pool.deallocate(concept).map(|column| column.0 as usize), expected);
                }
                Call::Activate(concept, level) => match plain.column_of(concept) {
                    Some(column) => {
                        pool.activate(concept, level).unwrap();
                        prop_assert!(pool.state(ColumnId(column as u32)).unwrap().activation >= level);
                        plain.columns[column].as_mut().unwrap().1 += 1;
                    }
                    None => prop_assert_eq!(pool.activate(concept, level), Err(ColumnError::NotAllocated { concept })),
                },
                Call::Defragment => {
                    plain.columns.sort_by_key(Option::is_none); // stable: the order is kept
                    pool.defragment();
                }
                Call::Rebalance => {
                    let done = pool.rebalance(&[]);
                    let (before, after) = done.neighbourhood;
                    prop_assert!(after.quality() >= before.quality() - 0.1 * before.quality().abs() - 1e-12);
                    prop_assert!(done.blocks.1 <= done.blocks.0);
                    prop_assert_eq!(pool.own_neighbourhood(), after);
                    plain.follow(&done.moves);
                    plain.columns.iter_mut().flatten().for_each(|(_, uses)| *uses /= 2);
                }
                Call::Grow(more) => {
                    let has = plain.columns.len() as u32;
                    let grown = pool.grow(has + more).unwrap();
                    prop_assert_eq!(grown.columns, (has, has + more));
                    plain.columns.resize(grown.columns.1 as usize, None);
                    let before = std::mem::replace(&mut plain.grid, pool.grid().clone());
                    let stays = |column| plain.grid.cell(column) == before.cell(column);
                    prop_assert_eq!(grown.cells_moved, !(0..has).map(ColumnId).all(stays));
                    if more > 0 {
                        let change = ChangeKind::Grown { columns: has + more, cells_moved: grown.cells_moved };
                        prop_assert_eq!(pool.changes_since(seen).unwrap().next().unwrap().kind, change);
                    }
                }
                Call::Reload => pool = {
                    let bytes = pool.encode();
                    follow_feed(&pool, &mut seen, &mut follower);
                    ColumnAllocator::decode(&bytes, plain.columns.len() as u32).unwrap()
                },
            }
            follow_feed(&pool, &mut seen, &mut follower);
            let taken = plain.columns.iter().flatten().count() as u32;
            prop_assert_eq!((pool.allocated_count(), pool.free_count()), (taken, plain.columns.len() as u32 - taken));
            for (column, held) in (0..).zip(&plain.columns) {
                let state = pool.state(ColumnId(column));
                prop_assert_eq!(state.map(|state| (state.concept, state.uses)), *held);
                prop_assert_eq!(follower.get(&column).copied(), held.map(|(concept, _)| concept));
                if let Some((concept, _)) = held {
                    prop_assert_eq!(pool.column_of(*concept), Some(ColumnId(column)));
                }
            }
        }
    }
}
