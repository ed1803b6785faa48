//! A pool as bytes, and back.
//!
//! All numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `CKCOLUMN` |
//! | 4 | version of the format: 2 |
//! | 4, 4, 4 | cells from left to right, from top to bottom, number of columns |
//! | 4 | which way the curve goes from the left top: 0 to the right, 1 to the bottom |
//! | 4 | where concepts go that are related to nothing: 0 to the first free column, 1 to where there is room |
//! | 4 | ticks in which an activation halves |
//! | 8 | logical time |
//! | 8 | number of the next change |
//! | 4 | number of columns that are taken |
//! | 56 each | [a record](crate::record) of each, in ascending order of columns: column, uses, distance, activation, concept, kin, ticks and time |
//! | 8 | XXH3 of all before |
//!
//! Version 1 has neither the way of the curve nor where such concepts go: the curve goes along the longer side, to the right in a square, and
//! they to the first free column. It is still read.
//!
//! Changes of the feed are not in it: whoever follows begins anew with what is there.

use xxhash_rust::xxh3::xxh3_64;

use crate::allocator::{ColumnAllocator, Spread};
use crate::curve::Along;
use crate::error::ColumnError;
use crate::feed::{CHANGES_MAX_USUAL, Feed};
use crate::grid::Grid;
use crate::reader::Reader;
use crate::record::{self, RECORD, Record};

pub(crate) const MAGIC: &[u8; 8] = b"CKCOLUMN";
const VERSION: u32 = 2;
/// Bytes before the first column, in this version and in the first, and of the checksum.
pub(crate) const HEAD: usize = 56;
const HEAD_1: usize = 48;
pub(crate) const CHECK: usize = 8;

impl ColumnAllocator {
    /// The pool as bytes: 64, and 56 for each column that is taken. The same pool gives the same bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + RECORD * self.allocated_count() as usize + CHECK);
        bytes.extend(self.encoded_head());
        for (column, slot) in self.taken() {
            bytes.extend(record::record(column, &slot));
        }
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        bytes
    }

    /// All before the first column.
    pub(crate) fn encoded_head(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD);
        bytes.extend(MAGIC);
        let (width, height) = (u32::from(self.grid.width()), u32::from(self.grid.height()));
        let along = match self.grid.along() {
            Along::Across => 0,
            Along::Down => 1,
        };
        let spread = match self.spread() {
            Spread::Compact => 0,
            Spread::Roomy => 1,
        };
        let columns = self.grid.column_count();
        for number in [VERSION, width, height, columns, along, spread, self.half_life] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [self.tick, self.next_change()] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.allocated_count().to_le_bytes());
        bytes
    }

    /// A pool of bytes that [`encode`](Self::encode) made, in this version or an earlier one. The feed is empty and goes on counting.
    ///
    /// Memory is taken for as many columns as the bytes say, so `columns_max` should be what the caller can bear.
    ///
    /// # Errors
    /// [`ColumnError::Damaged`] if they are not such bytes, or say something that no pool can be.
    pub fn decode(bytes: &[u8], columns_max: u32) -> Result<Self, ColumnError> {
        let snapshot = Snapshot::of(bytes)?;
        let mut pool = snapshot.empty(columns_max)?;
        let mut free_from = 0;
        for (record, at) in snapshot.places() {
            let (column, slot) =
                record::slot(record, pool.tick).ok_or_else(|| damaged(at, "no such state"))?;
            free_from = next_free_from(column.0, free_from, pool.grid.column_count(), at)?;
            if pool.column_of(slot.concept).is_some() {
                return Err(damaged(at, "the concept has a column already"));
            }
            pool.occupy(column, slot);
        }
        Ok(pool)
    }
}

/// What a snapshot consists of; only its frame is checked: version, length and checksum.
pub(crate) struct Snapshot<'a> {
    version: u32,
    head: &'a [u8],
    pub(crate) records: &'a [Record],
    pub(crate) check: u64,
}

/// Where the head has the number of columns.
const COLUMNS_AT: usize = 20;

impl<'a> Snapshot<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, ColumnError> {
        let mut read = Reader::of(bytes, 0, damaged);
        if read.take()? != *MAGIC {
            return Err(damaged(0, "it does not begin as one"));
        }
        let version = read.u32()?;
        let head = match version {
            1 => HEAD_1,
            VERSION => HEAD,
            _ => {
                let what = format!("version {version} of the format; this program knows up to {VERSION}");
                return Err(damaged(8, &what));
            }
        };
        let end = bytes.len().saturating_sub(CHECK);
        let (sealed, check) = bytes.split_at_checked(end).unwrap_or_default();
        let check = check.first_chunk().map(|&check| u64::from_le_bytes(check));
        let check = check.filter(|&check| check == xxh3_64(sealed));
        let check =
            check.ok_or_else(|| damaged(end, "the checksum is another: bytes were changed or cut off"))?;
        let (head, records) = sealed.split_at_checked(head).ok_or_else(|| damaged(end, "it ends here"))?;
        let taken = head.last_chunk().map_or(0, |&taken| u32::from_le_bytes(taken));
        let (records, rest) = records.as_chunks();
        if records.len() != taken as usize || !rest.is_empty() {
            return Err(damaged(head.len() - 4, "the number of taken columns does not fit"));
        }
        Ok(Self { version, head, records, check })
    }

    /// That columns are in order, so that two snapshots can be walked side by side.
    pub(crate) fn check_order(&self) -> Result<(), ColumnError> {
        let columns = Reader::of(self.head, COLUMNS_AT, damaged).u32()?;
        let mut free_from = 0;
        for (record, at) in self.places() {
            free_from = next_free_from(record::column(record), free_from, columns, at)?;
        }
        Ok(())
    }

    /// The records, and where they are.
    fn places(&self) -> impl Iterator<Item = (&'a Record, usize)> {
        self.records.iter().zip((self.head.len()..).step_by(RECORD))
    }

    /// An empty pool as the head has it.
    fn empty(&self, columns_max: u32) -> Result<ColumnAllocator, ColumnError> {
        let mut read = Reader::of(self.head, MAGIC.len() + 4, damaged);
        let at = read.at;
        let (width, height, columns) = (read.u32()?, read.u32()?, read.u32()?);
        if columns > columns_max {
            let what = format!("it has {columns} columns, and may have {columns_max}");
            return Err(damaged(at + 8, &what));
        }
        if self.records.len() > columns as usize {
            return Err(damaged(self.head.len() - 4, "more columns are taken than there are"));
        }
        if u64::from(width) * u64::from(height) > 4 * u64::from(columns) {
            return Err(damaged(at, "more cells are empty than on any grid"));
        }
        let mut along = Along::longer(width, height);
        let mut spread = Spread::Compact;
        if self.version > 1 {
            along = match read.u32()? {
                0 => Along::Across,
                1 => Along::Down,
                _ => return Err(damaged(read.at - 4, "there is no such way of the curve")),
            };
            spread = match read.u32()? {
                0 => Spread::Compact,
                1 => Spread::Roomy,
                _ => {
                    return Err(damaged(
                        read.at - 4,
                        "there is no such place for what is related to nothing",
                    ));
                }
            };
        }
        let grid =
            Grid::of_size(width, height, along, columns).map_err(|why| damaged(at, &why.to_string()))?;
        let mut pool = ColumnAllocator::new(grid);
        pool.set_spread(spread);
        let at = read.at;
        let half_life = read.u32()?;
        if half_life == 0 {
            return Err(damaged(at, "activations cannot halve in no time"));
        }
        pool.set_half_life(half_life);
        let at = read.at;
        pool.tick = read.u64()?;
        let next = read.u64()?;
        if next > u64::MAX / 2 {
            return Err(damaged(at, "no pool has changed so often"));
        }
        pool.feed = Feed::from(next, CHANGES_MAX_USUAL);
        Ok(pool)
    }
}

/// The lowest column that can follow one.
fn next_free_from(column: u32, free_from: u32, columns: u32, at: usize) -> Result<u32, ColumnError> {
    if !(free_from..columns).contains(&column) {
        return Err(damaged(at, "the column is out of order, or there is no such column"));
    }
    Ok(column + 1)
}

pub(crate) fn damaged(at: usize, what: &str) -> ColumnError {
    ColumnError::Damaged { at, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> ColumnAllocator {
        let mut pool = ColumnAllocator::with_columns(100).unwrap();
        pool.allocate(0, &[]).unwrap();
        pool.allocate(7, &[(0, 2)]).unwrap();
        pool.allocate(u64::MAX, &[(7, 1)]).unwrap();
        pool.deallocate(7);
        pool.activate(0, 0.5).unwrap();
        pool.advance(9);
        pool
    }

    /// Bytes with another number at a place, and a checksum that fits.
    fn forged(mut bytes: Vec<u8>, at: usize, number: &[u8]) -> Vec<u8> {
        bytes[at..at + number.len()].copy_from_slice(number);
        let end = bytes.len() - CHECK;
        let check = xxh3_64(&bytes[..end]).to_le_bytes();
        bytes[end..].copy_from_slice(&check);
        bytes
    }

    #[test]
    fn a_pool_comes_back_as_it_was_and_goes_on_alike() {
        let mut pool = pool();
        let bytes = pool.encode();
        let mut back = ColumnAllocator::decode(&bytes, 100).unwrap();
        assert_eq!(back.encode(), bytes);
        assert!(back.states().eq(pool.states()));
        assert_eq!(back.changes_since(4).unwrap().len(), 0);
        assert_eq!(back.allocate(9, &[(0, 1)]), pool.allocate(9, &[(0, 1)]));
        assert_eq!(back.changes_since(4).unwrap().next(), pool.changes_since(4).unwrap().next());
    }

    #[test]
    fn every_damage_is_told() {
        let bytes = pool().encode();
        for cut in 0..bytes.len() {
            assert!(ColumnAllocator::decode(&bytes[..cut], 100).is_err(), "{cut} bytes");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x10;
            assert!(
                matches!(ColumnAllocator::decode(&other, 100), Err(ColumnError::Damaged { .. })),
                "byte {at}"
            );
        }
    }

    #[test]
    fn what_no_pool_can_be_is_refused_though_its_checksum_fits() {
        let bytes = pool().encode();
        let second = HEAD + RECORD;
        let forgeries: [(&str, usize, &[u8]); 15] = [
            ("version", 8, &3_u32.to_le_bytes()),
            ("the first version", 8, &1_u32.to_le_bytes()),
            ("width", 12, &0_u32.to_le_bytes()),
            ("far too large a grid", 12, &4_000_u32.to_le_bytes()),
            ("columns", 20, &99_999_u32.to_le_bytes()),
            ("way of the curve", 24, &2_u32.to_le_bytes()),
            ("spread", 28, &2_u32.to_le_bytes()),
            ("half-life", 32, &0_u32.to_le_bytes()),
            ("next change", 44, &u64::MAX.to_le_bytes()),
            ("taken", HEAD - 4, &3_u32.to_le_bytes()),
            ("column twice", second, &0_u32.to_le_bytes()),
            ("no such column", second, &100_u32.to_le_bytes()),
            ("activation", HEAD + 12, &f32::NAN.to_bits().to_le_bytes()),
            ("concept twice", second + 16, &0_u64.to_le_bytes()),
            ("tick of nothing", HEAD + 32, &0_u64.to_le_bytes()),
        ];
        for (name, at, number) in forgeries {
            let refused = ColumnAllocator::decode(&forged(bytes.clone(), at, number), 100);
            assert!(matches!(refused, Err(ColumnError::Damaged { .. })), "{name}: {refused:?}");
        }
        let few = ColumnAllocator::decode(&bytes, 99).unwrap_err();
        assert!(few.to_string().contains("it has 100 columns, and may have 99"), "{few}");
    }
}
