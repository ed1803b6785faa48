//! Files that earlier versions wrote are opened by this one.
//!
//! `cargo test -p cortexkg-store --test fixtures -- --ignored` writes those of the present version, if they are not there yet.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use cortexkg_store::directory::{ROWS_FILE, SNAPSHOT_FILE};
use cortexkg_store::{ChangeSet, RedbStore, Store, Sync, Table};

fn fixture(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/version-{version}"))
}

fn operation(key: u64) -> Vec<u8> {
    format!("operation {key}").into_bytes()
}

#[test]
#[ignore = "writes the fixture of the present version"]
fn write() {
    let directory = fixture(1);
    assert!(!directory.join(ROWS_FILE).exists(), "a fixture that was released stays as it is");
    let mut store = RedbStore::open(&directory).unwrap();
    let mut changes = ChangeSet::default();
    changes.put(Table::Meta, 3, b"about the graph".to_vec());
    for key in 0..20 {
        changes.put(Table::Log, key, operation(key));
        changes.put(Table::Facts, key, vec![key as u8; key as usize]);
    }
    store.commit(changes, Sync::Durable).unwrap();
    let mut changes = ChangeSet::default();
    changes.delete(Table::Facts, 5);
    store.commit(changes, Sync::Lazy).unwrap();
    store
        .write_snapshot(&mut |snapshot| {
            snapshot.section("operations")?;
            (0..100).try_for_each(|key| snapshot.record(&operation(key)))?;
            snapshot.section("nothing")?;
            snapshot.section("long")?;
            snapshot.record(&[7; 70_000])
        })
        .unwrap();
    store.close().unwrap();
    fs::remove_file(directory.join("cortexkg.lock")).unwrap();
}

#[test]
fn version_1() {
    let directory = tempfile::tempdir().unwrap();
    for name in [ROWS_FILE, SNAPSHOT_FILE] {
        fs::copy(fixture(1).join(name), directory.path().join(name)).unwrap();
    }
    let mut store = RedbStore::open(directory.path()).unwrap();
    assert_eq!(store.check().unwrap().rows, [1, 20, 19]);
    assert_eq!(store.get(Table::Meta, 3).unwrap().unwrap(), b"about the graph");
    for key in 0..20 {
        assert_eq!(store.get(Table::Log, key).unwrap().unwrap(), operation(key));
        let fact = (key != 5).then(|| vec![key as u8; key as usize]);
        assert_eq!(store.get(Table::Facts, key).unwrap(), fact);
    }
    let snapshot = store.snapshot().unwrap().unwrap();
    snapshot.check().unwrap();
    assert_eq!(snapshot.sections().collect::<Vec<_>>(), ["operations", "nothing", "long"]);
    let mut record = Vec::new();
    for key in 0..100 {
        snapshot.section("operations").unwrap().read(key, &mut record).unwrap();
        assert_eq!(record, operation(key));
    }
    assert_eq!(snapshot.section("nothing").unwrap().len(), 0);
    snapshot.section("long").unwrap().read(0, &mut record).unwrap();
    assert_eq!(record, [7; 70_000]);
}
