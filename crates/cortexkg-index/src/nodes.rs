//! The vectors of an index by id: a slot for each, its code in that slot, and finer codes for those that are kept at more.

use cortexkg_simd::Kernels;
use fixedbitset::FixedBitSet;
use hashbrown::HashTable;

use crate::check_dimension;
use crate::error::IndexError;
use crate::finer::FinerCodes;
use crate::precision::Precision;
use crate::rotation::{Rotation, hash};
use crate::rows::{CodeRows, Scratch};
use crate::score::Score;
use crate::vector::Vector;

/// Most vectors of an index: rows of finer codes fit 29 bits.
pub const VECTORS_MAX: usize = 1 << crate::finer::ROW_BITS;

/// Bytes that the table of ids takes for each slot it has room for: a slot and a control byte.
const TABLE_ENTRY_BYTES: usize = 4 + 1;

#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    pub(crate) kernels: &'static Kernels,
    pub(crate) rotation: Rotation,
    /// By slot. Holds the id as well.
    pub(crate) codes: CodeRows,
    pub(crate) finer: FinerCodes,
    /// Slots by id; never iterated.
    table: HashTable<u32>,
    pub(crate) live: FixedBitSet,
    free: Vec<u32>,
    len: usize,
}

impl Nodes {
    pub(crate) fn new(
        dimension: usize,
        precision: Precision,
        kernels: &'static Kernels,
    ) -> Result<Self, IndexError> {
        check_dimension(dimension)?;
        let rotation = Rotation::new(dimension);
        let codes = CodeRows::new(precision, rotation.padded());
        let finer = FinerCodes::new(rotation.padded());
        let (table, live) = (HashTable::new(), FixedBitSet::new());
        Ok(Self { kernels, rotation, codes, finer, table, live, free: Vec::new(), len: 0 })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Slots in use and free.
    pub(crate) fn slots(&self) -> usize {
        self.codes.len()
    }

    pub(crate) fn slot(&self, id: u64) -> Option<u32> {
        self.table.find(hash(id), |&slot| self.codes.id(slot) == id).copied()
    }

    pub(crate) fn known(&self, id: u64) -> Result<u32, IndexError> {
        self.slot(id).ok_or(IndexError::UnknownId { id })
    }

    /// The slots in use, ascending.
    pub(crate) fn live_slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.live.ones().map(|slot| slot as u32)
    }

    pub(crate) fn check(&self, vector: &Vector) -> Result<(), IndexError> {
        let (expected, found) = (self.rotation.dimension(), vector.dimension());
        if expected == found { Ok(()) } else { Err(IndexError::DimensionMismatch { expected, found }) }
    }

    /// Checks that a vector may be added under an id.
    pub(crate) fn check_new(&self, id: u64, vector: &Vector) -> Result<(), IndexError> {
        self.check(vector)?;
        if self.slot(id).is_some() {
            return Err(IndexError::DuplicateId { id });
        }
        if self.len == VECTORS_MAX {
            return Err(IndexError::Full);
        }
        Ok(())
    }

    /// Adds a vector that [`check_new`](Self::check_new) has let pass.
    pub(crate) fn add(&mut self, id: u64, vector: &Vector) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| self.codes.push());
        self.codes.set(self.kernels, slot, id, vector);
        self.live.grow(self.codes.len());
        self.enter(slot);
        slot
    }

    /// Takes a slot into use, whose row holds its code and id.
    fn enter(&mut self, slot: u32) {
        let codes = &self.codes;
        self.table.insert_unique(hash(codes.id(slot)), slot, |&slot| hash(codes.id(slot)));
        self.live.insert(slot as usize);
        self.len += 1;
    }

    /// Forgets a vector; its slot may be used again. Its code stays readable until then.
    pub(crate) fn remove(&mut self, slot: u32) {
        let id = self.codes.id(slot);
        if let Ok(entry) = self.table.find_entry(hash(id), |&one| one == slot) {
            entry.remove();
        }
        self.finer.clear(slot);
        self.live.remove(slot as usize);
        self.free.push(slot);
        self.len -= 1;
    }

    pub(crate) fn precision(&self, slot: u32) -> Precision {
        self.finer.precision(slot).unwrap_or(self.codes.precision())
    }

    /// Gives a vector another value, kept at the same precision.
    pub(crate) fn rewrite(&mut self, slot: u32, vector: &Vector) {
        let (id, precision) = (self.codes.id(slot), self.precision(slot));
        self.codes.set(self.kernels, slot, id, vector);
        self.set_precision(slot, precision, vector);
    }

    /// Keeps a vector at another precision, at least that of all codes.
    pub(crate) fn set_precision(&mut self, slot: u32, precision: Precision, vector: &Vector) {
        self.finer.clear(slot);
        if precision > self.codes.precision() {
            let id = self.codes.id(slot);
            self.finer.set(self.kernels, slot, precision, id, vector);
        }
    }

    /// The best code of a vector, decoded; rotated and of length 1 within the error of its precision.
    pub(crate) fn decode(&self, slot: u32) -> Vector {
        let values = match self.finer.row(slot) {
            Some((rows, row)) => rows.values(self.kernels, row),
            None => self.codes.values(self.kernels, slot),
        };
        Vector::of_rotated(self.kernels, self.rotation.dimension(), values)
    }

    /// Replaces the scores of those slots that have finer codes by what these say; `scores` is in the order of `slots`.
    pub(crate) fn refine(&self, slots: &[u32], vector: &Vector, scores: &mut [Score], scratch: &mut Scratch) {
        let (mut places, mut rows, mut finer) = (Vec::new(), Vec::new(), Vec::new());
        for precision in Precision::ALL {
            places.clear();
            rows.clear();
            for (place, &slot) in slots.iter().enumerate() {
                rows.extend(self.finer.row_at(slot, precision).inspect(|_| places.push(place)));
            }
            if !rows.is_empty() {
                self.finer.shelf(precision).score(self.kernels, vector, &rows, scratch, &mut finer);
                places.iter().zip(&finer).for_each(|(&place, &score)| scores[place] = score);
            }
        }
    }

    /// Puts the slots into another order: slot `i` becomes that which was `order[i]`, every live slot once. Free ones are gone.
    pub(crate) fn reorder(&mut self, order: &[u32]) {
        self.codes = self.codes.picked(order);
        self.finer.reorder(order);
        self.free.clear();
        self.live = FixedBitSet::with_capacity(order.len());
        self.table.clear();
        self.len = 0;
        (0..order.len() as u32).for_each(|slot| self.enter(slot));
    }

    /// Fills in what follows from the codes, once they are there: of each slot, whether it is in use. `false` if an id stands twice.
    pub(crate) fn restore(&mut self, is_live: impl Iterator<Item = bool>) -> bool {
        self.live.grow(self.slots());
        for (slot, is_live) in is_live.enumerate() {
            let slot = slot as u32;
            if !is_live {
                self.free.push(slot);
                continue;
            }
            if self.slot(self.codes.id(slot)).is_some() {
                return false;
            }
            self.enter(slot);
        }
        true
    }

    pub(crate) fn bytes(&self) -> usize {
        self.codes.bytes()
            + self.finer.bytes()
            + self.table.capacity() * TABLE_ENTRY_BYTES
            + self.live.len().div_ceil(8)
            + self.free.capacity() * size_of::<u32>()
    }
}
