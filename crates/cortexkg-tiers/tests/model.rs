//! Random operations, one after the other, against a plain map: every read shows the last write, whatever the tiers kept.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(not(feature = "shuttle"))]

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::{DiskGone, System, Versioned, system};
use cortexkg_tiers::TierError;
use proptest::prelude::*;

const KEYS: u64 = 40;

#[derive(Debug, Clone)]
enum Operation {
    Get(u64),
    GetMany(Vec<u64>),
    Prefetch(Vec<u64>),
    Put(u64, usize),
    Remove(u64),
    /// Several changes in one call, some of them to one key.
    Write(Vec<(u64, Option<usize>)>),
    /// The store refuses.
    FailedWrite(Vec<u64>),
    /// Someone writes to the store and tells the tiers.
    Behind(Vec<(u64, Option<usize>)>),
    Clear,
    ResizeL1(u64),
    ResizeL2(u64),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let key = 0..KEYS;
    let keys = prop::collection::vec(0..KEYS, 0..8);
    let bytes = 0_usize..400;
    let changes = prop::collection::vec((0..KEYS, prop::option::of(0_usize..400)), 0..6);
    let operation = prop_oneof![
        8 => key.clone().prop_map(Operation::Get),
        3 => keys.clone().prop_map(Operation::GetMany),
        3 => keys.clone().prop_map(Operation::Prefetch),
        4 => (key.clone(), bytes).prop_map(|(key, bytes)| Operation::Put(key, bytes)),
        2 => key.prop_map(Operation::Remove),
        2 => changes.clone().prop_map(Operation::Write),
        1 => keys.prop_map(Operation::FailedWrite),
        1 => changes.prop_map(Operation::Behind),
        1 => Just(Operation::Clear),
        1 => (0_u64..6_000).prop_map(Operation::ResizeL1),
        1 => (0_u64..6_000).prop_map(Operation::ResizeL2),
    ];
    prop::collection::vec(operation, 1..200)
}

/// The tiers, and what they should say.
struct Pair {
    system: System,
    model: HashMap<u64, Versioned>,
    version: u64,
}

impl Pair {
    fn fresh(&mut self, bytes: usize) -> Versioned {
        self.version += 1;
        Versioned::new(self.version, bytes)
    }

    fn change(&mut self, changes: &[(u64, Option<usize>)]) -> Vec<(u64, Option<Arc<Versioned>>)> {
        let mut fresh = Vec::new();
        for &(key, bytes) in changes {
            let value = bytes.map(|bytes| self.fresh(bytes));
            match value.clone() {
                Some(value) => self.model.insert(key, value),
                None => self.model.remove(&key),
            };
            fresh.push((key, value.map(Arc::new)));
        }
        fresh
    }

    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Get(key) => {
                assert_eq!(self.system.get(*key).unwrap().as_deref(), self.model.get(key));
            }
            Operation::GetMany(keys) => {
                let found = self.system.get_many(keys).unwrap();
                let found: Vec<_> = found.iter().map(Option::as_deref).collect();
                assert_eq!(found, keys.iter().map(|key| self.model.get(key)).collect::<Vec<_>>());
            }
            Operation::Prefetch(keys) => {
                let before = self.system.storage().calls.load(Ordering::Relaxed);
                let asked = self.system.prefetch(keys).unwrap();
                let calls = self.system.storage().calls.load(Ordering::Relaxed) - before;
                assert_eq!(calls, u64::from(asked > 0), "one read, or none");
            }
            Operation::Put(key, bytes) => {
                let value = self.fresh(*bytes);
                self.model.insert(*key, value.clone());
                self.system.put(*key, Arc::new(value)).unwrap();
            }
            Operation::Remove(key) => {
                self.model.remove(key);
                self.system.remove(*key).unwrap();
            }
            Operation::Write(changes) => {
                let changes = self.change(changes);
                self.system.write(changes).unwrap();
            }
            Operation::FailedWrite(keys) => {
                let changes = keys.iter().map(|&key| (key, Some(Arc::new(self.fresh(9))))).collect();
                let error = self.system.write_with(changes, |_, _| Err::<(), _>(DiskGone)).unwrap_err();
                assert!(matches!(error, TierError::Storage(DiskGone)));
            }
            Operation::Behind(changes) => {
                let rows: Vec<_> = self
                    .change(changes)
                    .into_iter()
                    .map(|(key, value)| {
                        let bytes = value
                            .map(|value| [&value.version.to_le_bytes(), value.padding.as_slice()].concat());
                        (key, bytes)
                    })
                    .collect();
                cortexkg_tiers::PersistentStorage::write(self.system.storage(), &rows).unwrap();
                self.system.invalidate(&rows.iter().map(|(key, _)| *key).collect::<Vec<_>>());
            }
            Operation::Clear => {
                self.system.clear();
                assert_eq!(self.system.statistics().l1.entries + self.system.statistics().l2.entries, 0);
            }
            Operation::ResizeL1(bytes) => self.system.set_l1_bytes_max(*bytes),
            Operation::ResizeL2(bytes) => self.system.set_l2_bytes_max(*bytes),
        }
        let statistics = self.system.statistics();
        for tier in [statistics.l1, statistics.l2] {
            assert!(tier.bytes <= tier.bytes_max, "{tier:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_show_the_last_write(
        operations in operations(),
        l1_bytes in 0_u64..6_000,
        l2_bytes in 0_u64..6_000,
    ) {
        let mut pair = Pair { system: system(l1_bytes, l2_bytes, || ()), model: HashMap::new(), version: 0 };
        for operation in &operations {
            pair.apply(operation);
        }
        for key in 0..KEYS {
            pair.apply(&Operation::Get(key));
        }
    }
}
