//! The pool: which concept has which column.

use std::num::NonZeroU64;

use crate::error::ColumnError;
use crate::feed::{CHANGES_MAX_USUAL, Change, ChangeKind, Feed};
use crate::free::FreeBits;
use crate::grid::{Cell, ColumnId, Grid};
use crate::index::Index;
use crate::nearness::{Distances, Neighbourhood, RELATED_MAX, Relative, best_cell, kin, mean_distance};
use crate::room::Room;
use crate::slot::{ColumnState, Slot};
use crate::tiles::FreeTiles;

/// Ticks of logical time in which an activation halves, if nothing else is said.
pub const HALF_LIFE_USUAL: u32 = 1_024;

/// A concept to be allocated, with what it is related to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// Any number, 0 too.
    pub concept: u64,
    /// Related concepts and how much each weighs, by [evidence](crate::weight_of_evidence) or by count; at most [`RELATED_MAX`]. Those without a column, of weight 0, and the concept itself
    /// are passed over.
    pub related: &'a [(u64, u32)],
    /// What the caller's clock says, kept and never weighed.
    pub time: u64,
}

/// Where concepts go that are related to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Spread {
    /// The first free column along the curve, so that the taken ones lie together.
    #[default]
    Compact,
    /// The middle of the stretch of the curve with most free columns, so that what is related and comes later finds room beside it. In a pool that is
    /// nearly full it is any free column.
    Roomy,
}

/// Where a concept was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Placement {
    /// Its column.
    pub column: ColumnId,
    /// False if it had it before.
    pub is_new: bool,
    /// How far from where it would best have lain it was put, in cells; 0 if nothing was related.
    pub distance: u32,
}

/// A fixed pool of columns on a grid, each holding at most one concept.
///
/// See the [crate's documentation](crate) for what goes where, and for an example.
#[derive(Debug, Clone)]
pub struct ColumnAllocator {
    pub(crate) grid: Grid,
    /// What each column holds.
    pub(crate) slots: Vec<Option<Slot>>,
    /// The column of each concept.
    index: Index,
    pub(crate) free: FreeBits,
    pub(crate) tiles: FreeTiles,
    /// Where there is room, if anybody wants to know.
    room: Option<Room>,
    pub(crate) feed: Feed,
    /// Logical time: the number of calls that changed or activated something, and what the caller added.
    pub(crate) tick: u64,
    pub(crate) half_life: u32,
}

impl ColumnAllocator {
    /// An empty pool on a grid.
    #[must_use]
    pub fn new(grid: Grid) -> Self {
        Self {
            slots: vec![None; grid.column_count() as usize],
            index: Index::of_columns(grid.column_count()),
            free: FreeBits::all(grid.column_count()),
            tiles: FreeTiles::of(&grid, |_| true),
            room: None,
            feed: Feed::from(0, CHANGES_MAX_USUAL),
            tick: 0,
            half_life: HALF_LIFE_USUAL,
            grid,
        }
    }

    /// An empty pool of so many columns, on a grid that is nearly a square.
    ///
    /// # Errors
    /// If there are to be none or more than [`COLUMNS_MAX`](crate::COLUMNS_MAX).
    pub fn with_columns(columns: u32) -> Result<Self, ColumnError> {
        Grid::of_columns(columns).map(Self::new)
    }

    /// From now on activations halve in so many ticks; 0 is taken as 1.
    pub fn set_half_life(&mut self, ticks: u32) {
        self.half_life = ticks.max(1);
    }

    /// From now on concepts that are related to nothing go there. Nothing moves; those that are [`Compact`](Spread::Compact) are the first of all.
    ///
    /// [`Roomy`](Spread::Roomy) is for families whose members come in any order: of such of 32, pairs lie 4 cells apart on half of 16,384 columns, and
    /// 44 where the first free column was taken (`examples/neighbourhood.rs`). It costs a thousandth of the pool's memory. Takes time proportional to the columns, if it changes something.
    pub fn set_spread(&mut self, spread: Spread) {
        self.room = match spread {
            Spread::Compact => None,
            Spread::Roomy => Some(self.room.take().unwrap_or_else(|| self.counted_room())),
        };
    }

    /// Where concepts go that are related to nothing.
    #[must_use]
    pub fn spread(&self) -> Spread {
        if self.room.is_some() { Spread::Roomy } else { Spread::Compact }
    }

    fn counted_room(&self) -> Room {
        Room::of(self.grid.column_count(), self.free.words())
    }

    /// From now on the feed holds at most so many changes, the newest; 0 turns it off.
    pub fn set_changes_max(&mut self, changes: u32) {
        self.feed.set_max(changes);
    }

    /// Gives a concept a column: the free one nearest to where it would best lie between related concepts, or, where nothing is related, what the
    /// pool's [`Spread`] says: the first free along the curve, or the one with most room. A concept that has a column keeps it, and nothing changes.
    ///
    /// # Errors
    /// [`ColumnError::RelatedTooMany`], [`ColumnError::PoolFull`]; the pool is as it was.
    pub fn allocate(&mut self, concept: u64, related: &[(u64, u32)]) -> Result<Placement, ColumnError> {
        self.allocate_request(&Request { concept, related, time: 0 })
    }

    /// [`allocate`](Self::allocate), with the time.
    ///
    /// # Errors
    /// Those of [`allocate`](Self::allocate).
    pub fn allocate_request(&mut self, request: &Request<'_>) -> Result<Placement, ColumnError> {
        let &Request { concept, related, time } = request;
        if let Some(column) = self.column_of(concept) {
            let distance = self.slot(column).map_or(0, |slot| slot.distance);
            return Ok(Placement { column, is_new: false, distance });
        }
        if related.len() > RELATED_MAX {
            return Err(ColumnError::RelatedTooMany { concept, related: related.len() });
        }
        let full = ColumnError::PoolFull { concept, columns: self.grid.column_count() };
        let mut relatives = [Relative::default(); RELATED_MAX];
        let relatives = self.relatives(concept, related, &mut relatives);
        let kin = kin(relatives).unwrap_or(concept);
        let found = match best_cell(relatives) {
            Some(cell) => self.tiles.nearest(&self.grid, cell),
            None => self.unrelated().map(|column| (column, 0)),
        };
        let (column, distance) = found.ok_or(full)?;
        self.tick = self.tick.saturating_add(1);
        let slot = Slot {
            concept,
            kin,
            allocated: NonZeroU64::MIN.saturating_add(self.tick - 1),
            time,
            activated: self.tick,
            level: 1.0,
            uses: 1,
            distance,
        };
        self.occupy(column, slot);
        self.feed.push(self.tick, concept, ChangeKind::Allocated(column));
        Ok(Placement { column, is_new: true, distance })
    }

    /// Allocates one concept after the other; each lies beside those before it. One outcome per request, in their order: one that
    /// fails leaves the others as they are.
    pub fn allocate_batch<'a>(
        &mut self,
        requests: impl IntoIterator<Item = Request<'a>>,
    ) -> Vec<(u64, Result<Placement, ColumnError>)> {
        requests.into_iter().map(|request| (request.concept, self.allocate_request(&request))).collect()
    }

    /// Takes a concept's column from it, with all that belongs to it. The column that is free now; none if it had none.
    pub fn deallocate(&mut self, concept: u64) -> Option<ColumnId> {
        let slots = &self.slots;
        let column = self.index.remove(concept, |column| holds(slots, column))?;
        self.tick = self.tick.saturating_add(1);
        if let Some(slot) = self.slots.get_mut(column.0 as usize) {
            *slot = None;
        }
        self.free.insert(column.0);
        self.tiles.insert(self.cell(column));
        if let Some(room) = &mut self.room {
            room.insert(column.0);
        }
        self.feed.push(self.tick, concept, ChangeKind::Freed(column));
        Some(column)
    }

    /// Notes that a concept was used, and activates its column at least as much as this, from 0 to 1.
    ///
    /// # Errors
    /// [`ColumnError::NotAllocated`], [`ColumnError::Activation`].
    pub fn activate(&mut self, concept: u64, activation: f32) -> Result<(), ColumnError> {
        if !(0.0..=1.0).contains(&activation) {
            return Err(ColumnError::Activation { concept });
        }
        let (now, half_life) = (self.tick.saturating_add(1), self.half_life);
        let column = self.column_of(concept).ok_or(ColumnError::NotAllocated { concept })?;
        let slot = self.slots.get_mut(column.0 as usize).and_then(Option::as_mut);
        let slot = slot.ok_or(ColumnError::NotAllocated { concept })?;
        slot.level = slot.activation(now, half_life).max(activation);
        slot.activated = now;
        slot.uses = slot.uses.saturating_add(1);
        self.tick = now;
        Ok(())
    }

    /// Lets logical time pass, so that activations fade.
    pub fn advance(&mut self, ticks: u64) {
        self.tick = self.tick.saturating_add(ticks);
    }

    /// Logical time: the number of calls that changed or activated something, and what [`advance`](Self::advance) added.
    #[must_use]
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// The column of a concept.
    #[must_use]
    pub fn column_of(&self, concept: u64) -> Option<ColumnId> {
        self.index.get(concept, |column| holds(&self.slots, column))
    }

    /// The concept of a column; none if it is free, or if there is no such column.
    #[must_use]
    pub fn concept_of(&self, column: ColumnId) -> Option<u64> {
        self.slot(column).map(|slot| slot.concept)
    }

    /// A column with all that belongs to it; none if it is free, or if there is no such column.
    #[must_use]
    pub fn state(&self, column: ColumnId) -> Option<ColumnState> {
        let slot = self.slot(column)?;
        Some(ColumnState {
            column,
            cell: self.cell(column),
            concept: slot.concept,
            activation: slot.activation(self.tick, self.half_life),
            uses: slot.uses,
            allocated: slot.allocated.get(),
            time: slot.time,
            distance: slot.distance,
        })
    }

    /// All columns that are taken, along the curve.
    pub fn states(&self) -> impl Iterator<Item = ColumnState> {
        (0..self.grid.column_count()).filter_map(|column| self.state(ColumnId(column)))
    }

    /// Where the columns lie.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// How many columns are free.
    #[must_use]
    pub fn free_count(&self) -> u32 {
        self.free.count()
    }

    /// How many columns are taken.
    #[must_use]
    pub fn allocated_count(&self) -> u32 {
        self.grid.column_count() - self.free.count()
    }

    /// The number that the next change gets.
    #[must_use]
    pub fn next_change(&self) -> u64 {
        self.feed.next()
    }

    /// The changes from one on, the oldest first. Ask with 0 first, then with one more than the last that was seen.
    ///
    /// # Errors
    /// [`ColumnError::OutOfFeed`] if some of them are gone: then [`states`](Self::states) says how things are, and
    /// [`next_change`](Self::next_change) where to go on.
    pub fn changes_since(&self, since: u64) -> Result<impl ExactSizeIterator<Item = &Change>, ColumnError> {
        self.feed.since(since)
    }

    /// How near those pairs lie of which both have a column.
    pub fn neighbourhood(&self, pairs: impl IntoIterator<Item = (u64, u64, u32)>) -> Neighbourhood {
        let mut distances = Distances::default();
        for (a, b, weight) in pairs {
            if let (Some(a), Some(b), 1..) = (self.column_of(a), self.column_of(b), weight) {
                distances.add(self.cell(a), self.cell(b), weight);
            }
        }
        distances.beside(mean_distance(&self.grid, &self.slots))
    }

    /// [`neighbourhood`](Self::neighbourhood) of each concept and the one that weighed most when it was allocated.
    #[must_use]
    pub fn own_neighbourhood(&self) -> Neighbourhood {
        self.neighbourhood(self.kin_pairs())
    }

    /// Each concept and the one that weighed most when it was allocated.
    pub(crate) fn kin_pairs(&self) -> impl Iterator<Item = (u64, u64, u32)> {
        let kin = self.slots.iter().flatten().filter(|slot| slot.kin != slot.concept);
        kin.map(|slot| (slot.concept, slot.kin, 1))
    }

    /// What a column holds.
    pub(crate) fn slot(&self, column: ColumnId) -> Option<&Slot> {
        self.slots.get(column.0 as usize)?.as_ref()
    }

    /// Where a column of this pool lies.
    pub(crate) fn cell(&self, column: ColumnId) -> Cell {
        self.grid.cell(column).unwrap_or_default()
    }

    /// Puts a concept that has no column into a free one.
    pub(crate) fn occupy(&mut self, column: ColumnId, slot: Slot) {
        if let Some(place) = self.slots.get_mut(column.0 as usize) {
            *place = Some(slot);
            self.index.insert(slot.concept, column);
            self.free.remove(column.0);
            self.tiles.remove(self.cell(column));
            if let Some(room) = &mut self.room {
                room.remove(column.0);
            }
        }
    }

    /// The column for a concept that is related to nothing.
    fn unrelated(&self) -> Option<ColumnId> {
        match &self.room {
            Some(room) => room.roomiest(self.free.words()),
            None => self.free.first(),
        }
        .map(ColumnId)
    }

    /// Finds out anew which columns are free.
    pub(crate) fn find_free(&mut self) {
        self.free = FreeBits::all(self.grid.column_count());
        (0..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.is_some())
            .for_each(|(column, _)| self.free.remove(column));
        self.tiles = FreeTiles::of(&self.grid, |column| self.free.contains(column));
        if self.room.is_some() {
            self.room = Some(self.counted_room());
        }
    }

    /// Finds out anew which column has which concept.
    pub(crate) fn find_concepts(&mut self) {
        self.index = Index::of_columns(self.grid.column_count());
        for (column, slot) in (0..).map(ColumnId).zip(&self.slots) {
            if let Some(slot) = slot {
                self.index.insert(slot.concept, column);
            }
        }
    }

    /// Related concepts that count and have a column.
    fn relatives<'a>(
        &self,
        concept: u64,
        related: &[(u64, u32)],
        room: &'a mut [Relative; RELATED_MAX],
    ) -> &'a [Relative] {
        let found = related.iter().filter_map(|&(other, weight)| {
            let column = Some(other).filter(|_| weight > 0 && other != concept);
            let cell = self.cell(self.column_of(column?)?);
            Some(Relative { concept: other, cell, weight })
        });
        let mut count = 0;
        for (relative, place) in found.zip(room.iter_mut()) {
            *place = relative;
            count += 1;
        }
        room.get(..count).unwrap_or_default()
    }
}

/// Which concept a column holds.
fn holds(slots: &[Option<Slot>], column: ColumnId) -> Option<u64> {
    slots.get(column.0 as usize)?.as_ref().map(|slot| slot.concept)
}
