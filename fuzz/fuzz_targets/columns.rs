//! Snapshots of a pool of columns and deltas between them: whatever the bytes, reading them ends and nothing panics; what decodes can be used, and is
//! written alike; deltas lead from one to the other.
#![no_main]

use cortexkg_columns::{ColumnAllocator, apply_delta};
use libfuzzer_sys::fuzz_target;
use xxhash_rust::xxh3::xxh3_64;

const COLUMNS_MAX: u32 = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let _ = ColumnAllocator::decode(data, COLUMNS_MAX);
    put_on(data);
    // With a checksum that is right, so that what it protects is reached.
    let mut bytes = data.to_vec();
    bytes.extend(xxh3_64(data).to_le_bytes());
    let Ok(mut pool) = ColumnAllocator::decode(&bytes, COLUMNS_MAX) else { return };
    // The first version is not written any more.
    assert!(pool.encode() == bytes || bytes[8] == 1);
    let first = bytes;
    let taken: Vec<_> = pool.states().collect();
    for state in &taken {
        assert_eq!(pool.column_of(state.concept), Some(state.column));
        assert!(pool.activate(state.concept, 0.5).is_ok());
    }
    pool.rebalance(&[]);
    pool.defragment();
    assert_eq!(pool.allocated_count() as usize, taken.len());
    assert!(pool.grow(pool.grid().column_count().saturating_add(taken.len() as u32)).is_ok());
    assert_eq!(pool.free_count() == 0, pool.grid().column_count() as usize == taken.len());
    let related: Vec<_> = taken.iter().take(8).map(|state| (state.concept, 1)).collect();
    let _ = pool.allocate(u64::MAX, &related);
    let delta = pool.encode_since(&first).expect("it is a snapshot");
    assert_eq!(apply_delta(&first, &delta).expect("it was made from it"), pool.encode());
});

/// Puts a delta of these bytes on a snapshot that they fit, with a checksum that is right.
fn put_on(data: &[u8]) {
    let mut pool = ColumnAllocator::with_columns(100).expect("a pool can be so large");
    (0..40).for_each(|concept| assert!(pool.allocate(concept, &[(concept / 3, 1)]).is_ok()));
    let before = pool.encode();
    let _ = apply_delta(&before, data);
    let (_, check) = before.split_at(before.len() - 8);
    let Some((front, rest)) = data.split_at_checked(12) else { return };
    let mut delta = [front, check, rest].concat();
    delta.extend(xxh3_64(&delta).to_le_bytes());
    if let Ok(after) = apply_delta(&before, &delta) {
        let _ = ColumnAllocator::decode(&after, COLUMNS_MAX);
    }
    assert!(apply_delta(data, &delta).is_err());
}
