//! Pools that have been lived in, for benchmarks.
#![allow(dead_code, reason = "not everything is used by everyone")]

use cortexkg_columns::{ColumnAllocator, Spread};

/// A number that looks random, from a position.
pub(crate) fn draw(position: u64) -> u64 {
    let mut z = position.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// A pool with this share of its columns taken, in groups of 32 related concepts that came in a mixed order, a tenth of them gone again.
pub(crate) fn filled(columns: u32, percent: u64, spread: Spread) -> ColumnAllocator {
    let mut pool = ColumnAllocator::with_columns(columns).unwrap();
    pool.set_changes_max(0);
    pool.set_spread(spread);
    let wanted = u64::from(columns) * percent / 100;
    let groups = groups(columns, percent);
    let mut concept = 0;
    while u64::from(pool.allocated_count()) < wanted {
        let group = draw(concept) % groups;
        pool.allocate(concept, &[(hub(group), 1)]).unwrap();
        if pool.column_of(hub(group)).is_none() && pool.free_count() > 0 {
            pool.allocate(hub(group), &[(concept, 1)]).unwrap();
        }
        if concept % 10 == 9 {
            pool.deallocate(draw(concept + 7) % concept);
        }
        concept += 1;
    }
    pool
}

/// Groups of a filling.
pub(crate) fn groups(columns: u32, percent: u64) -> u64 {
    (u64::from(columns) * percent / 100 / 29).max(1)
}

/// The concept that those of a group come beside.
pub(crate) fn hub(group: u64) -> u64 {
    (1 << 40) | group
}
