//! Snapshots of a pool of columns: whatever the bytes, decoding ends and nothing panics; what decodes can be used, and is written alike.
#![no_main]

use cortexkg_columns::ColumnAllocator;
use libfuzzer_sys::fuzz_target;
use xxhash_rust::xxh3::xxh3_64;

const COLUMNS_MAX: u32 = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let _ = ColumnAllocator::decode(data, COLUMNS_MAX);
    // With a checksum that is right, so that what it protects is reached.
    let mut bytes = data.to_vec();
    bytes.extend(xxh3_64(data).to_le_bytes());
    let Ok(mut pool) = ColumnAllocator::decode(&bytes, COLUMNS_MAX) else { return };
    assert_eq!(pool.encode(), bytes);
    let taken: Vec<_> = pool.states().collect();
    for state in &taken {
        assert_eq!(pool.column_of(state.concept), Some(state.column));
        assert!(pool.activate(state.concept, 0.5).is_ok());
    }
    pool.rebalance(&[]);
    pool.defragment();
    assert_eq!(pool.allocated_count() as usize, taken.len());
    assert_eq!(pool.free_count() == 0, pool.grid().column_count() as usize == taken.len());
    let related: Vec<_> = taken.iter().take(8).map(|state| (state.concept, 1)).collect();
    let _ = pool.allocate(u64::MAX, &related);
});
