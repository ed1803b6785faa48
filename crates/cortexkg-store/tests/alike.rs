//! The store on disk and the one in memory behave alike under any changes, rewrites and reopenings.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use cortexkg_store::{ChangeSet, MemoryStore, RedbStore, Rewrite, Store, Sync, Table};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<(Table, u64, Option<Vec<u8>>)>, Sync),
    Rewrite { modulus: u64, drop: u64, replace: u64 },
    Snapshot(Vec<Vec<u8>>),
    RemoveSnapshot,
    Reopen,
    Check,
}

fn key() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..40_u64, 1 => Just(u64::MAX), 1 => Just(u64::MAX - 1)]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => prop::collection::vec(any::<u8>(), 0..60), 1 => prop::collection::vec(any::<u8>(), 5_000..9_000)]
}

fn step() -> impl Strategy<Value = Step> {
    let change = (prop::sample::select(Table::ALL.to_vec()), key(), prop::option::weighted(0.75, value()));
    let sync = prop::sample::select(vec![Sync::Durable, Sync::Lazy]);
    prop_oneof![
        12 => (prop::collection::vec(change, 0..12), sync).prop_map(|(changes, sync)| Step::Commit(changes, sync)),
        1 => (1..5_u64, 0..5_u64, 0..5_u64)
            .prop_map(|(modulus, drop, replace)| Step::Rewrite { modulus, drop, replace }),
        1 => prop::collection::vec(value(), 0..5).prop_map(Step::Snapshot),
        1 => Just(Step::RemoveSnapshot),
        2 => Just(Step::Reopen),
        1 => Just(Step::Check),
    ]
}

fn take(store: &mut dyn Store, step: &Step) {
    match step {
        Step::Commit(changes, sync) => {
            let mut set = ChangeSet::default();
            for (table, key, value) in changes {
                match value {
                    Some(value) => set.put(*table, *key, value.clone()),
                    None => set.delete(*table, *key),
                }
            }
            store.commit(set, *sync).unwrap();
        }
        &Step::Rewrite { modulus, drop, replace } => store
            .rewrite(&mut |table, key, value| {
                Ok(match key % modulus {
                    rest if rest == drop && table != Table::Meta => Rewrite::Drop,
                    rest if rest == replace => Rewrite::Replace(value.iter().rev().copied().collect()),
                    _ => Rewrite::Keep,
                })
            })
            .unwrap(),
        Step::Snapshot(records) => store
            .write_snapshot(&mut |snapshot| {
                snapshot.section("records")?;
                records.iter().try_for_each(|record| snapshot.record(record))
            })
            .unwrap(),
        Step::RemoveSnapshot => store.remove_snapshot().unwrap(),
        Step::Reopen | Step::Check => {}
    }
}

/// Everything that can be asked of a store.
#[derive(Debug, PartialEq)]
struct Everything {
    rows: Vec<(Table, u64, Vec<u8>)>,
    last: Vec<Option<u64>>,
    snapshot: Option<Vec<Vec<u8>>>,
}

fn everything(store: &dyn Store) -> Everything {
    let mut rows = Vec::new();
    for table in Table::ALL {
        for keys in [0..7, 7..7, 7..u64::MAX] {
            let visit = &mut |key, value: &[u8]| {
                rows.push((table, key, value.to_vec()));
                Ok(())
            };
            store.scan(table, keys, visit).unwrap();
        }
        rows.extend(store.get(table, u64::MAX).unwrap().map(|value| (table, u64::MAX, value)));
    }
    for (table, key, value) in &rows {
        assert_eq!(store.get(*table, *key).unwrap().as_ref(), Some(value));
    }
    let last = Table::ALL.iter().map(|&table| store.last_key(table).unwrap()).collect();
    let snapshot = store.snapshot().unwrap().map(|snapshot| {
        let mut records = Vec::new();
        let visit = &mut |_, record: &[u8]| {
            records.push(record.to_vec());
            Ok(())
        };
        snapshot.section("records").unwrap().scan(visit).unwrap();
        records
    });
    Everything { rows, last, snapshot }
}

fn run(directory: &Path, steps: &[Step]) {
    let mut memory = MemoryStore::default();
    let mut redb = RedbStore::open(directory).unwrap();
    for step in steps {
        take(&mut memory, step);
        match step {
            Step::Reopen => {
                drop(redb);
                redb = RedbStore::open(directory).unwrap();
            }
            Step::Check => {
                redb.check().unwrap();
            }
            _ => take(&mut redb, step),
        }
        assert_eq!(everything(&memory), everything(&redb), "after {step:?}");
    }
    let Everything { rows, .. } = everything(&memory);
    assert_eq!(redb.check().unwrap().rows.iter().sum::<u64>(), rows.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn both_stores_behave_alike(steps in prop::collection::vec(step(), 1..30)) {
        let directory = tempfile::tempdir().unwrap();
        run(directory.path(), &steps);
    }
}
