//! Codes of vectors that are kept at more than the precision all have.

use cortexkg_simd::Kernels;
use fixedbitset::FixedBitSet;

use crate::precision::Precision;
use crate::rows::CodeRows;
use crate::vector::Vector;

/// Bits of a place that count rows; those above are the precision.
pub(crate) const ROW_BITS: u32 = 29;
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone)]
struct Shelf {
    rows: CodeRows,
    free: Vec<u32>,
}

/// One shelf of rows for each precision, and for each slot where its row is.
#[derive(Debug, Clone)]
pub(crate) struct FinerCodes {
    /// By precision, in the order of [`Precision::ALL`].
    shelves: [Shelf; 5],
    /// By slot; as long as the last slot that has one.
    places: Vec<u32>,
}

impl FinerCodes {
    pub(crate) fn new(padded: usize) -> Self {
        let shelf = |precision| Shelf { rows: CodeRows::new(precision, padded), free: Vec::new() };
        Self { shelves: Precision::ALL.map(shelf), places: Vec::new() }
    }

    fn place(&self, slot: u32) -> Option<(usize, u32)> {
        let place = *self.places.get(slot as usize).filter(|&&place| place != NONE)?;
        Some(((place >> ROW_BITS) as usize, place & ((1 << ROW_BITS) - 1)))
    }

    pub(crate) fn precision(&self, slot: u32) -> Option<Precision> {
        self.place(slot).map(|(shelf, _)| Precision::ALL[shelf])
    }

    /// The rows that hold a slot's code, and which of them it is.
    pub(crate) fn row(&self, slot: u32) -> Option<(&CodeRows, u32)> {
        self.place(slot).map(|(shelf, row)| (&self.shelves[shelf].rows, row))
    }

    /// The row that a slot has at this precision.
    pub(crate) fn row_at(&self, slot: u32, precision: Precision) -> Option<u32> {
        self.place(slot).filter(|&(shelf, _)| shelf == precision as usize).map(|(_, row)| row)
    }

    /// Whether no slot has one.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(crate) fn clear(&mut self, slot: u32) {
        if let Some((shelf, row)) = self.place(slot) {
            self.shelves[shelf].free.push(row);
            self.places[slot as usize] = NONE;
        }
    }

    /// Writes the code of a slot that has none.
    pub(crate) fn set(
        &mut self,
        kernels: &Kernels,
        slot: u32,
        precision: Precision,
        id: u64,
        vector: &Vector,
    ) {
        let index = precision as usize;
        let shelf = &mut self.shelves[index];
        let row = shelf.free.pop().unwrap_or_else(|| shelf.rows.push());
        shelf.rows.set(kernels, row, id, vector);
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, NONE);
        }
        self.places[slot as usize] = (index as u32) << ROW_BITS | row;
    }

    /// Slot `i` becomes that which was `order[i]`. Rows stay where they are.
    pub(crate) fn reorder(&mut self, order: &[u32]) {
        if !self.is_empty() {
            let place = |&slot: &u32| self.places.get(slot as usize).copied().unwrap_or(NONE);
            self.places = order.iter().map(place).collect();
        }
    }

    /// By slot: where its row is, as a number.
    pub(crate) fn places(&self) -> &[u32] {
        &self.places
    }

    /// The rows of a precision.
    pub(crate) fn shelf(&self, precision: Precision) -> &CodeRows {
        &self.shelves[precision as usize].rows
    }

    /// Takes what [`places`](Self::places) and [`shelf`](Self::shelf) gave, one shelf for each precision.
    pub(crate) fn restore(&mut self, places: Vec<u32>, shelves: Vec<CodeRows>) -> Result<(), &'static str> {
        self.places = places;
        let mut used: Vec<FixedBitSet> =
            shelves.iter().map(|rows| FixedBitSet::with_capacity(rows.len())).collect();
        for slot in 0..self.places.len() as u32 {
            if let Some((shelf, row)) = self.place(slot) {
                let used = used.get_mut(shelf).filter(|used| (row as usize) < used.len());
                if used.is_none_or(|used| used.put(row as usize)) {
                    return Err("a place leads beyond the rows, or to one that is taken");
                }
            }
        }
        for ((shelf, rows), used) in self.shelves.iter_mut().zip(shelves).zip(used) {
            *shelf = Shelf { rows, free: used.zeroes().map(|row| row as u32).collect() };
        }
        Ok(())
    }

    /// Vectors at each precision, in the order of [`Precision::ALL`].
    pub(crate) fn counts(&self) -> [usize; 5] {
        self.shelves.each_ref().map(|shelf| shelf.rows.len() - shelf.free.len())
    }

    pub(crate) fn bytes(&self) -> usize {
        let shelves = self.shelves.iter().map(|shelf| shelf.rows.bytes() + shelf.free.capacity() * 4);
        shelves.sum::<usize>() + self.places.capacity() * 4
    }
}
