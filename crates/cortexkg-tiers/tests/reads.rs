//! What is read from where, and what is counted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(not(feature = "shuttle"))]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::{DiskGone, NoVersion, System, Versioned, system};
use cortexkg_tiers::{MemoryStatistics, PersistentStorage as _, TierError};

/// Rows 0 to `count`, each of version key + 1, in no tier.
fn filled(count: u64, l1_bytes: u64, l2_bytes: u64) -> System {
    let system = system(l1_bytes, l2_bytes, || ());
    let rows: Vec<_> = (0..count).map(|key| (key, Some((key + 1).to_le_bytes().to_vec()))).collect();
    system.storage().write(&rows).unwrap();
    system
}

fn calls(system: &System) -> u64 {
    system.storage().calls.load(Ordering::Relaxed)
}

#[test]
fn a_read_goes_down_once_and_is_answered_above_from_then_on() {
    let system = filled(1, 10_000, 10_000);
    for _ in 0..3 {
        assert_eq!(system.get(0).unwrap().unwrap().version, 1);
    }
    let MemoryStatistics { l1, l2, l3 } = system.statistics();
    assert_eq!((l1.hits, l1.misses, l2.hits, l2.misses, l3.calls, l3.rows), (2, 1, 0, 1, 1, 1));
    assert_eq!((l1.entries, l2.entries, l1.promotions), (1, 0, 0), "it is held once");
    assert!((system.statistics().hit_rate() - 2.0 / 3.0).abs() < 1e-9);
    assert!((l2.hit_rate() - 0.0).abs() < 1e-9);

    system.set_l1_bytes_max(0);
    system.set_l1_bytes_max(10_000);
    let MemoryStatistics { l1, l2, .. } = system.statistics();
    assert_eq!((l1.evictions, l1.entries, l2.entries), (1, 0, 1), "what leaves L1 is compact");
    system.get(0).unwrap();
    system.get(0).unwrap();
    let statistics = system.statistics();
    assert_eq!((statistics.l1.promotions, statistics.l2.hits, statistics.l1.hits), (1, 1, 3));
    assert_eq!(calls(&system), 1);
}

#[test]
fn candidates_are_read_in_one_call() {
    let system = filled(100, 100_000, 100_000);
    system.get(3).unwrap();
    assert_eq!(system.prefetch(&[9, 3, 5, 9, 500]).unwrap(), 3);
    assert_eq!(calls(&system), 2);
    let versions: Vec<_> = system
        .get_many(&[5, 9, 500, 3, 7, 5, 8])
        .unwrap()
        .iter()
        .map(|value| value.as_ref().map(|value| value.version))
        .collect();
    assert_eq!(versions, [Some(6), Some(10), None, Some(4), Some(8), Some(6), Some(9)]);
    let l3 = system.statistics().l3;
    assert_eq!((l3.calls, l3.rows, l3.absent, l3.prefetched), (3, 7, 2, 3));
    assert_eq!(system.prefetch(&[5, 9, 3, 7, 8]).unwrap(), 0);
    assert_eq!(calls(&system), 3);
}

#[test]
fn what_was_written_is_read_without_the_store() {
    let system = filled(2, 10_000, 10_000);
    let value = Arc::new(Versioned::new(77, 10));
    system.put(5, value.clone()).unwrap();
    assert!(Arc::ptr_eq(&system.get(5).unwrap().unwrap(), &value));
    system.put(5, Arc::new(Versioned::new(78, 3))).unwrap();
    assert_eq!(system.get(5).unwrap().unwrap().version, 78);
    assert_eq!(calls(&system), 0);
    system.remove(5).unwrap();
    assert_eq!(system.get(5).unwrap(), None);
    assert_eq!((calls(&system), system.statistics().l3.writes), (1, 3));
}

#[test]
fn a_transaction_of_the_caller_sees_the_encoded_changes() {
    let system = filled(2, 10_000, 10_000);
    let changes = vec![(0, Some(Arc::new(Versioned::new(9, 1)))), (1, None)];
    let written = system
        .write_with(changes, |storage, rows| {
            assert_eq!(rows, [(0, Some(vec![9, 0, 0, 0, 0, 0, 0, 0, 9])), (1, None)]);
            storage.write(rows)?;
            Ok(rows.len())
        })
        .unwrap();
    assert_eq!(written, 2);
    assert_eq!(system.get(0).unwrap().unwrap().version, 9);
    assert_eq!(system.get(1).unwrap(), None);
}

#[test]
fn errors_name_the_node_and_leave_nothing_behind() {
    let system = filled(3, 10_000, 10_000);
    system.storage().write(&[(1, Some(vec![1, 2]))]).unwrap();
    let error = system.get(1).unwrap_err();
    assert!(error.to_string().starts_with("node 1:"), "{error}");
    assert!(matches!(error, TierError::Decode { key: 1, .. }));
    assert!(system.get_many(&[0, 1, 2]).is_err());

    let error = system.put(2, Arc::new(Versioned::new(u64::MAX, 0))).unwrap_err();
    assert!(matches!(&error, TierError::Encode { key: 2, source } if source.is::<NoVersion>()));
    assert_eq!(system.get(2).unwrap().unwrap().version, 3);

    system.storage().fails.store(true, Ordering::Relaxed);
    assert!(matches!(system.put(2, Arc::new(Versioned::new(5, 0))), Err(TierError::Storage(DiskGone))));
    // The old value is out of the tiers: whether it is still in the store is for the store to say.
    assert!(matches!(system.get(2), Err(TierError::Storage(DiskGone))));
    system.storage().fails.store(false, Ordering::Relaxed);
    assert_eq!(system.get(2).unwrap().unwrap().version, 3);
}

#[test]
fn a_write_that_panics_leaves_its_keys_readable() {
    let system = filled(1, 10_000, 10_000);
    system.get(0).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let changes = vec![(0, None)];
        system.write_with(changes, |_, _| -> Result<(), DiskGone> { panic!("in the middle of a write") })
    }));
    assert!(panicked.is_err());
    assert_eq!(system.get(0).unwrap().unwrap().version, 1);
    system.get(0).unwrap();
    assert_eq!(calls(&system), 2, "it is kept again");
}

#[test]
fn a_scan_does_not_drive_out_what_is_used() {
    let system = filled(20_000, 40_000, 40_000);
    let used = || (0..100).for_each(|key| assert!(system.get(key).unwrap().is_some()));
    (0..5).for_each(|_| used());
    let before = calls(&system);
    // A hundred times what fits, read once each, among uses of the same hundred.
    for cold in (100..20_000).collect::<Vec<_>>().chunks(1_000) {
        cold.iter().for_each(|&key| assert!(system.get(key).unwrap().is_some()));
        used();
    }
    let read_again = calls(&system) - before - 19_900;
    assert!(read_again < 100, "{read_again} of 2,000 uses went to the store");
}

#[test]
fn statistics_serialise() {
    let system = filled(1, 10_000, 10_000);
    system.get(0).unwrap();
    let statistics = system.statistics();
    let text = serde_json::to_string(&statistics).unwrap();
    assert_eq!(serde_json::from_str::<MemoryStatistics>(&text).unwrap(), statistics);
}
