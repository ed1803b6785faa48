//! Whatever goes wrong with the disk, at whatever operation: what was promised is there, and no part of a change set alone.
//!
//! Each fault is tried at every operation of a run of commits, snapshots and a rewrite. `CORTEXKG_FAULTS=full` makes the run longer
//! and tries more power losses.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use std::sync::Arc;

use cortexkg_store::faults::{Disk, Fault};
use cortexkg_store::{ChangeSet, RedbOptions, RedbStore, Rewrite, Store, StoreError, Sync, Table};

use common::{State, contents, silence_redb};

/// A small cache, so that redb also writes and reads in the middle of transactions.
const OPTIONS: RedbOptions =
    RedbOptions { cache_bytes: 16 << 10, snapshot_cache_bytes: 32 << 10, verify_on_open: false };

fn full() -> bool {
    std::env::var("CORTEXKG_FAULTS").is_ok_and(|value| value == "full")
}

fn open(disk: &Disk) -> Result<RedbStore, StoreError> {
    RedbStore::open_in(Arc::new(disk.clone()), OPTIONS)
}

/// What a run has done, and what must therefore be found.
struct Run {
    /// All states that there were or might have been, in order; the first is the empty one.
    states: Vec<State>,
    /// The last one that is promised to survive.
    durable: usize,
    /// The snapshots that may be found; `None` stands for none.
    snapshots: Vec<Option<u64>>,
    /// Whether something failed.
    failed: bool,
}

impl Run {
    fn last(&self) -> &State {
        self.states.last().unwrap()
    }
}

type Row = (Table, u64, Option<Vec<u8>>);

fn changes(step: u64) -> (ChangeSet, Vec<Row>) {
    let filler = |bytes: u64| vec![step as u8; (bytes % 3000) as usize];
    let mut list = vec![
        (Table::Log, step, Some(format!("operation {step}").into_bytes())),
        (Table::Facts, step, Some(filler(step * 977))),
        (Table::Meta, step % 3, Some(step.to_le_bytes().to_vec())),
    ];
    if step % 4 == 3 {
        list.push((Table::Facts, step - 2, None));
        list.push((Table::Facts, step - 3, Some(filler(step * 31))));
    }
    let mut set = ChangeSet::default();
    for (table, key, value) in &list {
        match value {
            Some(value) => set.put(*table, *key, value.clone()),
            None => set.delete(*table, *key),
        }
    }
    (set, list)
}

fn write_snapshot(store: &mut RedbStore, step: u64) -> Result<(), StoreError> {
    store.write_snapshot(&mut |snapshot| {
        snapshot.section("step")?;
        snapshot.record(&step.to_le_bytes())?;
        snapshot.section("much")?;
        (0..400).try_for_each(|_| snapshot.record(&[step as u8; 90]))
    })
}

/// Drops some facts, and changes some.
fn decide(table: Table, key: u64, value: &[u8]) -> Rewrite {
    match table {
        Table::Facts if key.is_multiple_of(3) => Rewrite::Drop,
        Table::Facts if key.is_multiple_of(2) => {
            Rewrite::Replace(value.iter().map(|byte| byte.wrapping_add(1)).collect())
        }
        _ => Rewrite::Keep,
    }
}

/// Runs until the end or the first failure.
fn run(disk: &Disk, steps: u64) -> Run {
    let mut run = Run { states: vec![State::new()], durable: 0, snapshots: vec![None], failed: true };
    let Ok(mut store) = open(disk) else {
        return run;
    };
    for step in 0..steps {
        let (set, list) = changes(step);
        let mut next = run.last().clone();
        for (table, key, value) in list {
            match value {
                Some(value) => next.insert((table, key), value),
                None => next.remove(&(table, key)),
            };
        }
        run.states.push(next);
        let sync = if step % 3 == 1 { Sync::Lazy } else { Sync::Durable };
        if store.commit(set, sync).is_err() {
            assert_keeps_its_word(&store, &run);
            return run;
        }
        if sync == Sync::Durable {
            run.durable = run.states.len() - 1;
        }
        if step % 5 == 2 {
            run.snapshots.push(Some(step));
            if write_snapshot(&mut store, step).is_err() {
                return run;
            }
            run.snapshots = vec![Some(step)];
        }
        if step % 8 == 6 {
            let rewritten =
                run.last().iter().filter_map(|(&(table, key), value)| match decide(table, key, value) {
                    Rewrite::Keep => Some(((table, key), value.clone())),
                    Rewrite::Replace(value) => Some(((table, key), value)),
                    Rewrite::Drop => None,
                });
            let rewritten = rewritten.collect();
            run.states.push(rewritten);
            run.snapshots.push(None);
            if store.rewrite(&mut |table, key, value| Ok(decide(table, key, value))).is_err() {
                return run;
            }
            run.durable = run.states.len() - 1;
            run.snapshots = vec![None];
        }
    }
    // Closing is a durable commit too.
    if store.close().is_ok() {
        run.durable = run.states.len() - 1;
        run.failed = false;
    }
    run
}

/// After a commit that failed, in the same process: the state before, or an error, never a part.
fn assert_keeps_its_word(store: &RedbStore, run: &Run) {
    if let Ok(found) = contents(store) {
        assert_eq!(found, run.states[run.states.len() - 2], "after a commit that failed");
    }
}

fn snapshot_step(store: &RedbStore) -> Result<Option<u64>, StoreError> {
    let Some(snapshot) = store.snapshot()? else {
        return Ok(None);
    };
    snapshot.check()?;
    let mut step = Vec::new();
    snapshot.section("step").unwrap().read(0, &mut step)?;
    let step = u64::from_le_bytes(step.try_into().unwrap());
    let much = snapshot.section("much").unwrap();
    assert_eq!(much.len(), 400);
    much.scan(&mut |_, record| {
        assert_eq!(record, [step as u8; 90]);
        Ok(())
    })?;
    Ok(Some(step))
}

/// What survives is what was promised, and can be built on.
fn assert_survived(disk: &Disk, run: &Run, what: &str) {
    let mut store = open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = contents(&store).unwrap_or_else(|error| panic!("{what}: {error}"));
    let state = run.states[run.durable..].iter().rposition(|state| *state == found);
    assert!(state.is_some(), "{what}: found {} rows, which is no state since {}", found.len(), run.durable);
    let snapshot = snapshot_step(&store).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(run.snapshots.contains(&snapshot), "{what}: snapshot {snapshot:?} of {:?}", run.snapshots);
    let report = store.check().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(report.rows.iter().sum::<u64>(), found.len() as u64, "{what}");
    let mut more = ChangeSet::default();
    more.put(Table::Log, 1_000_000, b"goes on".to_vec());
    store.commit(more, Sync::Durable).unwrap();
    // Before it is closed, since it is durable already.
    let left = disk.after_power_loss(found.len() as u64);
    drop(store);
    for disk in [&left, disk] {
        let store = open(disk).unwrap_or_else(|error| panic!("{what}, again: {error}"));
        assert_eq!(contents(&store).unwrap().len(), found.len() + 1, "{what}, again");
    }
}

fn steps() -> u64 {
    if full() { 60 } else { 20 }
}

fn seeds() -> u64 {
    if full() { 12 } else { 1 }
}

/// How many operations the run has without faults.
fn operations() -> u64 {
    let disk = Disk::new();
    let run = run(&disk, steps());
    assert!(!run.failed);
    assert_survived(&disk.after_exit(), &run, "without faults");
    disk.operations()
}

fn at_every_operation(fault: Fault, mut assert: impl FnMut(&Disk, &Run, u64)) {
    silence_redb();
    let operations = operations();
    assert!(operations > 300, "{operations} operations are no test");
    let mut failed = 0;
    for at in 0..operations {
        let disk = Disk::new();
        disk.fail(at, fault);
        let run = run(&disk, steps());
        failed += u64::from(run.failed);
        assert(&disk, &run, at);
    }
    assert!(fault == Fault::LostSync || fault == Fault::LostSyncs || failed > operations / 2);
}

fn survives(fault: Fault) {
    at_every_operation(fault, |disk, run, at| {
        assert_survived(&disk.after_exit(), run, &format!("{fault:?} at {at}"));
        for seed in 0..seeds() {
            let left = disk.after_power_loss(at * 1_000 + seed);
            assert_survived(&left, run, &format!("{fault:?} at {at}, then power loss {seed}"));
        }
    });
}

#[test]
fn a_failing_operation() {
    survives(Fault::Failure);
}

#[test]
fn a_full_disk() {
    survives(Fault::DiskFull);
}

#[test]
fn a_short_write() {
    survives(Fault::ShortWrite);
}

#[test]
fn a_torn_write() {
    survives(Fault::TornWrite);
}

#[test]
fn a_loss_of_power() {
    at_every_operation(Fault::PowerLoss, |disk, run, at| {
        for seed in 0..2 * seeds() {
            let left = disk.after_power_loss(at * 1_000 + seed);
            assert_survived(&left, run, &format!("power loss {seed} at {at}"));
        }
    });
}

/// A disk that lies cannot be trusted with durability, but what is found is a state that there was, or damage that is named.
fn lies(fault: Fault) {
    let (mut states, mut named) = (0, 0);
    at_every_operation(fault, |disk, run, at| {
        for seed in 0..seeds() {
            let left = disk.after_power_loss(at * 1_000 + seed);
            // What such a disk leaves looks as if it was closed; only reading it all tells.
            let options = RedbOptions { verify_on_open: true, ..OPTIONS };
            let found = RedbStore::open_in(Arc::new(left), options).and_then(|mut store| {
                let found = contents(&store)?;
                store.check()?;
                Ok(found)
            });
            match found {
                Ok(found) => {
                    states += 1;
                    assert!(run.states.contains(&found), "{fault:?} at {at}, power loss {seed}: no state");
                }
                Err(StoreError::Damaged { .. } | StoreError::Format { .. }) => named += 1,
                Err(error) => panic!("{fault:?} at {at}, power loss {seed}: {error}"),
            }
        }
    });
    println!("{fault:?}: {states} times a state that there was, {named} times damage by its name");
}

#[test]
fn a_lost_sync() {
    lies(Fault::LostSync);
}

#[test]
fn no_syncs_at_all() {
    lies(Fault::LostSyncs);
}
