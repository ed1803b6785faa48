//! A pool as bytes, and back.
//!
//! All numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `CKCOLUMN` |
//! | 4 | version of the format: 1 |
//! | 4, 4, 4 | cells from left to right, from top to bottom, number of columns |
//! | 4 | ticks in which an activation halves |
//! | 8 | logical time |
//! | 8 | number of the next change |
//! | 4 | number of columns that are taken |
//! | 56 each | column (4), uses (4), distance (4), activation as a float (4), concept, kin, tick of its allocation, its time, tick of its activation (8 each); columns in ascending order |
//! | 8 | XXH3 of all before |
//!
//! Changes of the feed are not in it: whoever follows begins anew with what is there.

use std::num::NonZeroU64;

use xxhash_rust::xxh3::xxh3_64;

use crate::allocator::ColumnAllocator;
use crate::error::ColumnError;
use crate::feed::{CHANGES_MAX_USUAL, Feed};
use crate::grid::{ColumnId, Grid};
use crate::slot::Slot;

const MAGIC: &[u8; 8] = b"CKCOLUMN";
const VERSION: u32 = 1;
/// Bytes before the first column, of a column, and of the checksum.
const HEAD: usize = 48;
const RECORD: usize = 56;
const CHECK: usize = 8;

impl ColumnAllocator {
    /// The pool as bytes: 56, and 56 for each column that is taken. The same pool gives the same bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + RECORD * self.allocated_count() as usize + CHECK);
        bytes.extend(MAGIC);
        let (width, height) = (u32::from(self.grid.width()), u32::from(self.grid.height()));
        for number in [VERSION, width, height, self.grid.column_count(), self.half_life] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [self.tick, self.next_change()] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.allocated_count().to_le_bytes());
        for (column, slot) in self.taken() {
            for number in [column.0, slot.uses, slot.distance, slot.level.to_bits()] {
                bytes.extend(number.to_le_bytes());
            }
            for number in [slot.concept, slot.kin, slot.allocated.get(), slot.time, slot.activated] {
                bytes.extend(number.to_le_bytes());
            }
        }
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        bytes
    }

    /// A pool of bytes that [`encode`](Self::encode) made. The feed is empty and goes on counting.
    ///
    /// Memory is taken for as many columns as the bytes say, so `columns_max` should be what the caller can bear.
    ///
    /// # Errors
    /// [`ColumnError::Damaged`] if they are not such bytes, or say something that no pool can be.
    pub fn decode(bytes: &[u8], columns_max: u32) -> Result<Self, ColumnError> {
        let mut read = Reader { bytes, at: 0 };
        if read.take::<8>()? != *MAGIC {
            return Err(damaged(0, "it does not begin as one"));
        }
        let version = read.u32()?;
        if version != VERSION {
            let what = format!("version {version} of the format; this program knows {VERSION}");
            return Err(ColumnError::Damaged { at: 8, what });
        }
        let end = bytes.len().saturating_sub(CHECK);
        let check = bytes.get(end..).and_then(|check| check.first_chunk());
        if check.is_none_or(|&check| u64::from_le_bytes(check) != xxh3_64(&bytes[..end])) {
            return Err(damaged(end, "the checksum is another: bytes were changed or cut off"));
        }
        let mut pool = head(&mut read, columns_max)?;
        let taken = read.u32()?;
        if taken > pool.grid.column_count() || read.at + taken as usize * RECORD != end {
            return Err(damaged(HEAD - 4, "the number of taken columns does not fit"));
        }
        let mut free_from = 0;
        for _ in 0..taken {
            let at = read.at;
            let (column, slot) = read.record(pool.tick).ok_or_else(|| damaged(at, "no such state"))?;
            if column.0 < free_from || column.0 >= pool.grid.column_count() {
                return Err(damaged(at, "the column is out of order, or there is no such column"));
            }
            free_from = column.0 + 1;
            if pool.columns.insert(slot.concept, column).is_some() {
                return Err(damaged(at, "the concept has a column already"));
            }
            pool.occupy(column, slot);
        }
        Ok(pool)
    }
}

/// An empty pool as the head has it.
fn head(read: &mut Reader<'_>, columns_max: u32) -> Result<ColumnAllocator, ColumnError> {
    let at = read.at;
    let (width, height, columns) = (read.u32()?, read.u32()?, read.u32()?);
    if columns > columns_max {
        let what = format!("it has {columns} columns, and may have {columns_max}");
        return Err(ColumnError::Damaged { at: at + 8, what });
    }
    let grid = Grid::of_size(width, height, columns).map_err(|why| damaged(at, &why.to_string()))?;
    let mut pool = ColumnAllocator::new(grid);
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

fn damaged(at: usize, what: &str) -> ColumnError {
    ColumnError::Damaged { at, what: what.to_owned() }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ColumnError> {
        let found = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk());
        let found = *found.ok_or_else(|| damaged(self.at, "it ends here"))?;
        self.at += N;
        Ok(found)
    }

    fn u32(&mut self) -> Result<u32, ColumnError> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ColumnError> {
        self.take().map(u64::from_le_bytes)
    }

    /// One column; none if no column can be so.
    fn record(&mut self, now: u64) -> Option<(ColumnId, Slot)> {
        let column = ColumnId(self.u32().ok()?);
        let (uses, distance) = (self.u32().ok()?, self.u32().ok()?);
        let level = f32::from_bits(self.u32().ok()?);
        let (concept, kin) = (self.u64().ok()?, self.u64().ok()?);
        let allocated = NonZeroU64::new(self.u64().ok()?)?;
        let (time, activated) = (self.u64().ok()?, self.u64().ok()?);
        let is_possible = (0.0..=1.0).contains(&level) && allocated.get() <= activated && activated <= now;
        let slot = Slot { concept, kin, allocated, time, activated, level, uses, distance };
        is_possible.then_some((column, slot))
    }
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
        let forgeries: [(&str, usize, &[u8]); 11] = [
            ("version", 8, &2_u32.to_le_bytes()),
            ("width", 12, &0_u32.to_le_bytes()),
            ("columns", 20, &99_999_u32.to_le_bytes()),
            ("half-life", 24, &0_u32.to_le_bytes()),
            ("next change", 36, &u64::MAX.to_le_bytes()),
            ("taken", 44, &3_u32.to_le_bytes()),
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
