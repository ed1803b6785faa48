//! A column that is taken, as 56 bytes.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | column |
//! | 4 | uses |
//! | 4 | distance |
//! | 4 | activation when it was last activated, as a float |
//! | 8 | concept |
//! | 8 | kin |
//! | 8 | tick of its allocation |
//! | 8 | its time |
//! | 8 | tick of its activation |

use std::num::NonZeroU64;

use crate::grid::ColumnId;
use crate::slot::Slot;

/// Bytes of a record.
pub(crate) const RECORD: usize = 56;

/// One column as bytes.
pub(crate) type Record = [u8; RECORD];

/// The record of a column.
pub(crate) fn record(column: ColumnId, slot: &Slot) -> Record {
    let mut record = [0; RECORD];
    let (narrow, wide) = record.split_at_mut(16);
    let numbers = [column.0, slot.uses, slot.distance, slot.level.to_bits()];
    for (place, number) in narrow.as_chunks_mut().0.iter_mut().zip(numbers) {
        *place = number.to_le_bytes();
    }
    let numbers = [slot.concept, slot.kin, slot.allocated.get(), slot.time, slot.activated];
    for (place, number) in wide.as_chunks_mut().0.iter_mut().zip(numbers) {
        *place = number.to_le_bytes();
    }
    record
}

/// The column and what it holds at a time; none if no column can be so.
pub(crate) fn slot(record: &Record, now: u64) -> Option<(ColumnId, Slot)> {
    let (narrow, wide) = record.split_at_checked(16)?;
    let &[column, uses, distance, level] = narrow.as_chunks().0 else { return None };
    let &[concept, kin, allocated, time, activated] = wide.as_chunks().0 else { return None };
    let level = f32::from_le_bytes(level);
    let allocated = NonZeroU64::new(u64::from_le_bytes(allocated))?;
    let activated = u64::from_le_bytes(activated);
    let is_possible = (0.0..=1.0).contains(&level) && allocated.get() <= activated && activated <= now;
    let slot = Slot {
        concept: u64::from_le_bytes(concept),
        kin: u64::from_le_bytes(kin),
        allocated,
        time: u64::from_le_bytes(time),
        activated,
        level,
        uses: u32::from_le_bytes(uses),
        distance: u32::from_le_bytes(distance),
    };
    is_possible.then_some((ColumnId(u32::from_le_bytes(column)), slot))
}

/// The column of a record, whatever else is in it.
pub(crate) fn column(record: &Record) -> u32 {
    record.first_chunk().map_or(0, |&bytes| u32::from_le_bytes(bytes))
}

/// The concept of a record, whatever else is in it.
pub(crate) fn concept(record: &Record) -> u64 {
    record.get(16..24).and_then(<[u8]>::first_chunk).map_or(0, |&bytes| u64::from_le_bytes(bytes))
}

/// Fields of a record but for its column.
pub(crate) const FIELDS: usize = 8;
/// Which of the fields is the concept.
pub(crate) const CONCEPT: usize = 3;

/// Uses, distance, activation, concept, kin, tick of its allocation, its time, tick of its activation. An activation of 1, which is the usual one, is 0.
pub(crate) fn fields(record: &Record) -> [u64; FIELDS] {
    let (narrow, wide) = record.split_at(16);
    let (narrow, wide) = (narrow.as_chunks().0, wide.as_chunks().0);
    let mut fields = [0; FIELDS];
    for (field, &number) in fields.iter_mut().zip(narrow.iter().skip(1)) {
        *field = u64::from(u32::from_le_bytes(number));
    }
    for (field, &number) in fields.iter_mut().skip(CONCEPT).zip(wide) {
        *field = u64::from_le_bytes(number);
    }
    let [_, _, level, ..] = &mut fields;
    *level ^= ONE;
    fields
}

/// The record of a column with these fields; none if one of the narrow ones is too large.
pub(crate) fn of_fields(column: u32, fields: [u64; FIELDS]) -> Option<Record> {
    let [uses, distance, level, wide @ ..] = fields;
    let mut record = [0; RECORD];
    let (narrow_bytes, wide_bytes) = record.split_at_mut(16);
    let narrow = [u64::from(column), uses, distance, level ^ ONE];
    for (place, number) in narrow_bytes.as_chunks_mut().0.iter_mut().zip(narrow) {
        *place = u32::try_from(number).ok()?.to_le_bytes();
    }
    for (place, number) in wide_bytes.as_chunks_mut().0.iter_mut().zip(wide) {
        *place = number.to_le_bytes();
    }
    Some(record)
}

/// The bits of an activation of 1.
const ONE: u64 = 0x3f80_0000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_come_apart_and_together(column in any::<u32>(), fields in any::<(u32, u32, f32, u64, u64, u64, u64, u64)>()) {
            let (uses, distance, level, concept, kin, allocated, time, activated) = fields;
            let allocated = NonZeroU64::MIN.saturating_add(allocated);
            let slot = Slot { concept, kin, allocated, time, activated, level, uses, distance };
            let bytes = record(ColumnId(column), &slot);
            prop_assert_eq!((self::column(&bytes), self::concept(&bytes)), (column, concept));
            prop_assert_eq!(self::fields(&bytes)[CONCEPT], concept);
            prop_assert_eq!(of_fields(column, self::fields(&bytes)), Some(bytes));
            let possible = (0.0..=1.0).contains(&level) && allocated.get() <= activated;
            prop_assert_eq!(self::slot(&bytes, u64::MAX), possible.then_some((ColumnId(column), slot)));
        }
    }

    #[test]
    fn an_activation_of_one_is_written_as_nothing() {
        assert_eq!(fields(&record(ColumnId(1), &Slot::new(1, 1)))[2], 0);
        assert_eq!(of_fields(0, [u64::MAX; FIELDS]), None);
    }
}
