//! One bit of a file turned over: what is read is right, or an error; and a row that is silently missing is caught by `check`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use std::sync::Arc;

use cortexkg_store::directory::ROWS_FILE;
use cortexkg_store::faults::Disk;
use cortexkg_store::{
    ChangeSet, RedbOptions, RedbStore, Snapshot, SnapshotWriter, Store, StoreError, Sync, Table,
};

use common::{State, contents, silence_redb};

const PAGE_BYTES: usize = 4096;

/// Writes a store of some hundred pages. Gives all its states, and its file as it was closed or while it was open.
fn written(closed: bool) -> (Vec<State>, Vec<u8>) {
    let disk = Disk::new();
    let mut store = RedbStore::open_in(Arc::new(disk.clone()), RedbOptions::default()).unwrap();
    let mut states = vec![State::new()];
    for commit in 0..30_u64 {
        let mut changes = ChangeSet::default();
        let mut state = states.last().unwrap().clone();
        let mut put = |table, key, value: Vec<u8>| {
            changes.put(table, key, value.clone());
            state.insert((table, key), value);
        };
        put(Table::Meta, 0, commit.to_le_bytes().to_vec());
        for row in 0..25 {
            let key = commit * 25 + row;
            put(Table::Log, key, format!("operation {key}").into_bytes());
            put(Table::Facts, key, vec![key as u8; (key * 37 % 400) as usize]);
        }
        // One that takes pages of its own.
        put(Table::Facts, commit * 25, vec![commit as u8; 9_000]);
        store.commit(changes, Sync::Durable).unwrap();
        states.push(state);
    }
    if closed {
        store.close().unwrap();
        return (states, disk.read_file(ROWS_FILE).unwrap());
    }
    let file = disk.after_exit().read_file(ROWS_FILE).unwrap();
    (states, file)
}

#[derive(Debug, PartialEq)]
enum Found {
    /// Everything is as it was written.
    Right,
    /// An error said so.
    Named,
    /// Reading gave less, and `check` said so.
    CaughtByCheck,
    /// The store shows an earlier state, whole, and nothing says so.
    Earlier,
}

fn open_and_read(states: &[State], file: &[u8], what: &str) -> Found {
    let disk = Disk::new();
    disk.write_file(ROWS_FILE, file.to_vec());
    let last = states.last().unwrap();
    let opened = RedbStore::open_in(Arc::new(disk), RedbOptions::default());
    let read = opened.and_then(|store| {
        let found = contents(&store)?;
        for (&(table, key), value) in last {
            let value_found = store.get(table, key)?;
            // A lookup takes the same way as the scan, unless a branch page leads them apart; both are right, or miss it.
            assert!(value_found.is_none_or(|found| found == *value) || states.contains(&found), "{what}");
        }
        for table in Table::ALL {
            store.last_key(table)?;
        }
        Ok((store, found))
    });
    let (mut store, found) = match read {
        Ok(read) => read,
        Err(StoreError::Damaged { .. } | StoreError::Format { .. }) => {
            return Found::Named;
        }
        Err(error) => panic!("{what}: {error}"),
    };
    let checked = store.check();
    if found == *last {
        return Found::Right;
    }
    if let Some(earlier) = states.iter().position(|state| *state == found) {
        return if checked.is_ok() { Found::Earlier } else { panic!("{what}: state {earlier}, {checked:?}") };
    }
    for (row, value) in &found {
        assert_eq!(last.get(row), Some(value), "{what}: a wrong row");
    }
    assert!(matches!(checked, Err(StoreError::Damaged { .. })), "{what}: {checked:?}");
    Found::CaughtByCheck
}

/// Which bits are turned over: one of every byte of the header, and eight per page.
fn bits(file: &[u8]) -> impl Iterator<Item = usize> {
    let header = (0..512).map(|byte| byte * 8 + byte % 8);
    let pages = (0..file.len() / (PAGE_BYTES / 8)).map(|piece| {
        let mixed = (piece as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        piece * PAGE_BYTES + mixed as usize % PAGE_BYTES
    });
    header.chain(pages)
}

fn flip_all(states: &[State], file: &[u8]) -> [usize; 4] {
    silence_redb();
    let mut counts = [0; 4];
    for bit in bits(file) {
        let mut flipped = file.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let found = open_and_read(states, &flipped, &format!("bit {bit}, page {}", bit / 8 / PAGE_BYTES));
        counts[found as usize] += 1;
    }
    let [right, named, caught, earlier] = counts;
    println!("{right} right, {named} named, {caught} caught by check, {earlier} an earlier state");
    counts
}

#[test]
fn a_bit_of_a_closed_store() {
    let (states, file) = written(true);
    assert_eq!(open_and_read(&states, &file, "whole"), Found::Right);
    let [right, named, _, earlier] = flip_all(&states, &file);
    assert!(named > right / 2, "most pages hold rows");
    assert_eq!(earlier, 0);
}

/// One bad row does not cost the others: the store stays open, takes commits, and opens again.
#[test]
fn a_bad_row_among_good_ones() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(ROWS_FILE);
    let commit = |store: &mut RedbStore, key: u64| {
        let mut changes = ChangeSet::default();
        changes.put(Table::Facts, key, format!("fact {key:05}").repeat(400).into_bytes());
        store.commit(changes, Sync::Durable).unwrap();
    };
    let mut store = RedbStore::open(directory.path()).unwrap();
    (0..50).for_each(|key| commit(&mut store, key));
    store.close().unwrap();
    let mut file = std::fs::read(&path).unwrap();
    let needle = b"fact 00007";
    let at: Vec<usize> =
        (0..file.len() - needle.len()).filter(|&at| file[at..].starts_with(needle)).collect();
    at.into_iter().for_each(|at| file[at] ^= 1);
    std::fs::write(&path, file).unwrap();

    let mut store = RedbStore::open(directory.path()).unwrap();
    for round in 0..2 {
        let error = store.get(Table::Facts, 7).unwrap_err();
        assert!(error.to_string().contains("table facts, row 7"), "{error}");
        assert!(store.get(Table::Facts, 8).unwrap().is_some());
        assert!(contents(&store).is_err());
        commit(&mut store, 50 + round);
        store.close().unwrap();
        store = RedbStore::open(directory.path()).unwrap();
    }
    assert!(matches!(store.check(), Err(StoreError::Damaged { .. })));
}

/// After a crash redb takes damage in what was written last for a commit that did not happen, and shows the one before.
#[test]
fn a_bit_of_a_store_that_was_not_closed() {
    let (states, file) = written(false);
    assert_eq!(open_and_read(&states, &file, "whole"), Found::Right);
    let [_, named, ..] = flip_all(&states, &file);
    assert!(named > 0);
}

/// Rows that are gone without a trace in redb's own structure, as after a page that led to them was replaced by an older one.
#[test]
fn a_missing_row_and_a_stale_row() {
    type Rows = redb::TableDefinition<'static, u64, &'static [u8]>;
    type Meddle<'a> = dyn Fn(&mut redb::Table<'_, u64, &'static [u8]>) + 'a;
    let directory = tempfile::tempdir().unwrap();
    let commit = |value: &str| {
        let mut store = RedbStore::open(directory.path()).unwrap();
        let mut changes = ChangeSet::default();
        (0..3).for_each(|key| changes.put(Table::Log, key, format!("{value} {key}").into_bytes()));
        store.commit(changes, Sync::Durable).unwrap();
    };
    let meddle = |meddle: &Meddle<'_>| {
        let database = redb::Database::open(directory.path().join(ROWS_FILE)).unwrap();
        let transaction = database.begin_write().unwrap();
        meddle(&mut transaction.open_table(Rows::new("log")).unwrap());
        transaction.commit().unwrap();
    };
    let check = || {
        let mut store = RedbStore::open(directory.path()).unwrap();
        contents(&store).unwrap();
        store.check().map_err(|error| error.to_string())
    };
    commit("first");
    let stale = std::cell::RefCell::new(Vec::new());
    meddle(&|rows| stale.replace(rows.remove(1).unwrap().unwrap().value().to_vec()).clear());
    assert!(check().unwrap_err().contains("has 2 rows, 3 were written"));
    meddle(&|rows| drop(rows.insert(1, stale.borrow().as_slice()).unwrap()));
    assert_eq!(check().unwrap().rows, [0, 3, 0]);
    commit("second");
    meddle(&|rows| drop(rows.insert(1, stale.borrow().as_slice()).unwrap()));
    assert!(check().unwrap_err().contains("another state"));
}

#[test]
fn a_bit_of_a_snapshot() {
    let mut file = Vec::new();
    let mut writer = SnapshotWriter::new(&mut file).unwrap();
    let record = |at: u64| vec![at as u8; (at * 131 % 300) as usize];
    writer.section("small").unwrap();
    (0..700).for_each(|at| writer.record(&record(at)).unwrap());
    writer.section("large").unwrap();
    writer.record(&vec![3; 100_000]).unwrap();
    writer.finish().unwrap();

    let read_all = |file: Vec<u8>| -> Result<(), StoreError> {
        let snapshot = Snapshot::open(file, "flipped", 1 << 20)?;
        let small = snapshot.section("small").unwrap();
        assert_eq!(small.len(), 700);
        small.scan(&mut |at, found| {
            assert_eq!(found, record(at));
            Ok(())
        })?;
        let mut found = Vec::new();
        for at in 0..700 {
            small.read(at, &mut found)?;
            assert_eq!(found, record(at));
        }
        snapshot.section("large").unwrap().read(0, &mut found)?;
        assert_eq!(found, vec![3; 100_000]);
        snapshot.check()
    };
    read_all(file.clone()).unwrap();
    for byte in (0..file.len()).filter(|byte| byte % 97 == 0 || *byte < 16 || *byte > file.len() - 300) {
        let mut flipped = file.clone();
        flipped[byte] ^= 1 << (byte % 8);
        let error = read_all(flipped).expect_err("every byte is covered by a checksum");
        assert!(matches!(error, StoreError::Damaged { .. }), "byte {byte}: {error}");
    }
    for length in (0..file.len()).step_by(997) {
        let error = read_all(file[..length].to_vec()).expect_err("cut off");
        assert!(matches!(error, StoreError::Damaged { .. } | StoreError::Format { .. }), "{length}: {error}");
    }
}
