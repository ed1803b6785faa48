//! Bytes counted against bytes allocated.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it measured"
)]
#![cfg(not(feature = "shuttle"))]

mod common;

use common::{Versioned, system};

/// Counted bytes over allocated bytes of full tiers, with values of about this size.
fn counted_share(l1_bytes: u64, l2_bytes: u64, padding_bytes: usize) -> f64 {
    let rows = 40_000_u64;
    let system = system(l1_bytes, l2_bytes, || ());
    // The store's own bytes are allocated before the count begins.
    system
        .storage()
        .rows()
        .extend((0..rows).map(|key| (key, [key.to_le_bytes().as_slice(), &vec![1; padding_bytes]].concat())));
    let allocated = allocation_counter::measure(|| {
        // Some keys come again, so that both queues and the memory of evicted keys are in use.
        for key in (0..rows).flat_map(|key| [key, key / 2, key % 100]) {
            assert_eq!(
                *system.get(key).unwrap().unwrap(),
                Versioned { version: key, padding: vec![1; padding_bytes] }
            );
        }
    });
    let statistics = system.statistics();
    let counted = statistics.l1.bytes + statistics.l2.bytes;
    assert!(counted * 10 > (l1_bytes + l2_bytes) * 9, "the tiers are full: {statistics:?}");
    counted as f64 / allocated.bytes_current as f64
}

#[test]
fn counted_bytes_are_allocated_bytes() {
    for padding_bytes in [20, 100, 400, 2_000] {
        let (l1, l2) = (counted_share(2 << 20, 0, padding_bytes), counted_share(0, 2 << 20, padding_bytes));
        println!("values of {padding_bytes} bytes: counted / allocated is {l1:.3} in L1, {l2:.3} in L2");
        for share in [l1, l2] {
            // Never less, or a budget would be overdrawn; more by what growing vectors may have left over but here do not.
            assert!((0.98..1.5).contains(&share), "values of {padding_bytes} bytes: {share}");
        }
    }
}
