//! What a store on disk promises while nothing goes wrong: who may open it, what a rewrite and a backup leave behind.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use cortexkg_store::directory::{ROWS_FILE, ROWS_PARTIAL_FILE, SNAPSHOT_FILE, SNAPSHOT_PARTIAL_FILE};
use cortexkg_store::{ChangeSet, RedbStore, Rewrite, Store, StoreError, Sync, Table};

fn put(store: &mut RedbStore, table: Table, key: u64, value: &[u8]) {
    let mut changes = ChangeSet::default();
    changes.put(table, key, value.to_vec());
    store.commit(changes, Sync::Durable).unwrap();
}

fn rows(store: &impl Store, table: Table) -> Vec<(u64, Vec<u8>)> {
    let mut rows = Vec::new();
    let visit = &mut |key, value: &[u8]| {
        rows.push((key, value.to_vec()));
        Ok(())
    };
    store.scan(table, 0..u64::MAX, visit).unwrap();
    rows
}

fn holds(path: &Path, needle: &[u8]) -> bool {
    fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle)
}

#[test]
fn rows_are_there_when_it_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(directory.path()).unwrap();
    put(&mut store, Table::Log, 0, b"zero");
    put(&mut store, Table::Log, u64::MAX, b"last");
    put(&mut store, Table::Facts, 7, b"");
    store.close().unwrap();
    let store = RedbStore::open(directory.path()).unwrap();
    assert_eq!(store.get(Table::Log, 0).unwrap().unwrap(), b"zero");
    assert_eq!(store.get(Table::Facts, 7).unwrap().unwrap(), b"");
    assert_eq!(store.get(Table::Meta, 7).unwrap(), None);
    assert_eq!(store.last_key(Table::Log).unwrap(), Some(u64::MAX));
    assert_eq!(store.last_key(Table::Meta).unwrap(), None);
}

#[test]
fn one_writes_or_several_read() {
    let directory = tempfile::tempdir().unwrap();
    let in_use = |result: Result<RedbStore, StoreError>| matches!(result, Err(StoreError::InUse { .. }));
    {
        let mut store = RedbStore::open(directory.path()).unwrap();
        put(&mut store, Table::Meta, 0, b"here");
        assert!(in_use(RedbStore::open(directory.path())));
        assert!(in_use(RedbStore::open_read_only(directory.path())));
    }
    let mut first = RedbStore::open_read_only(directory.path()).unwrap();
    let second = RedbStore::open_read_only(directory.path()).unwrap();
    assert_eq!(rows(&first, Table::Meta), rows(&second, Table::Meta));
    assert!(in_use(RedbStore::open(directory.path())));
    assert_eq!(first.check().unwrap().rows, [1, 0, 0]);
    let mut changes = ChangeSet::default();
    changes.put(Table::Meta, 1, Vec::new());
    assert!(matches!(first.commit(changes, Sync::Lazy), Err(StoreError::ReadOnly)));
    assert!(matches!(first.write_snapshot(&mut |_| Ok(())), Err(StoreError::ReadOnly)));
    assert!(matches!(first.rewrite(&mut |_, _, _| Ok(Rewrite::Keep)), Err(StoreError::ReadOnly)));
}

#[test]
fn a_store_can_be_shared_between_threads() {
    fn shared<T: Send + std::marker::Sync + 'static>() {}
    shared::<RedbStore>();
}

#[test]
fn readers_need_a_store_that_was_closed() {
    let directory = tempfile::tempdir().unwrap();
    let (store, copy) = (directory.path().join("store"), directory.path().join("copy"));
    let mut open = RedbStore::open(&store).unwrap();
    put(&mut open, Table::Log, 0, b"zero");
    fs::create_dir(&copy).unwrap();
    // As after a crash: the file while it is open.
    fs::copy(store.join(ROWS_FILE), copy.join(ROWS_FILE)).unwrap();
    assert!(matches!(RedbStore::open_read_only(&copy), Err(StoreError::NotClosed { .. })));
    assert_eq!(rows(&RedbStore::open(&copy).unwrap(), Table::Log), rows(&open, Table::Log));
    assert_eq!(rows(&RedbStore::open_read_only(&copy).unwrap(), Table::Log).len(), 1);
}

#[test]
fn readers_need_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let missing = RedbStore::open_read_only(directory.path());
    assert!(
        matches!(missing, Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound)
    );
}

#[test]
fn other_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(ROWS_FILE);
    fs::write(&path, vec![7; 100_000]).unwrap();
    assert!(matches!(RedbStore::open(directory.path()), Err(StoreError::Format { .. })));
    fs::write(&path, b"").unwrap();
    assert!(matches!(RedbStore::open(directory.path()), Err(StoreError::Damaged { .. })));
    fs::remove_file(&path).unwrap();
    redb::Database::create(&path).unwrap();
    assert!(matches!(RedbStore::open(directory.path()), Err(StoreError::Format { .. })));
}

#[test]
fn a_rewrite_leaves_nothing_of_what_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(ROWS_FILE);
    let mut store = RedbStore::open(directory.path()).unwrap();
    let secret = |key: u64| format!("secret number {key:05}");
    for key in 0..200 {
        put(&mut store, Table::Facts, key, secret(key).as_bytes());
        put(&mut store, Table::Log, key, b"took it in");
    }
    store
        .write_snapshot(&mut |snapshot| {
            snapshot.section("facts")?;
            snapshot.record(secret(100).as_bytes())
        })
        .unwrap();
    let open = store.snapshot().unwrap().unwrap();
    assert!(holds(&path, b"secret number 00100"));
    store
        .rewrite(&mut |table, key, _| {
            Ok(match table {
                Table::Facts if key % 2 == 0 => Rewrite::Drop,
                Table::Facts if key == 1 => Rewrite::Replace(b"another".to_vec()),
                _ => Rewrite::Keep,
            })
        })
        .unwrap();
    assert!(!holds(&path, b"secret number 00100"));
    assert!(!holds(&path, b"secret number 00001"));
    assert!(holds(&path, b"secret number 00003"));
    assert!(!directory.path().join(SNAPSHOT_FILE).exists());
    assert!(!directory.path().join(ROWS_PARTIAL_FILE).exists());
    let mut record = Vec::new();
    open.section("facts").unwrap().read(0, &mut record).unwrap();
    assert_eq!(record, secret(100).as_bytes());
    assert_eq!(store.get(Table::Facts, 1).unwrap().unwrap(), b"another");
    assert_eq!(store.check().unwrap().rows, [0, 200, 100]);
    // It goes on, and the lock went with it.
    put(&mut store, Table::Log, 200, b"later");
    assert!(matches!(RedbStore::open(directory.path()), Err(StoreError::InUse { .. })));
    drop(store);
    let mut store = RedbStore::open(directory.path()).unwrap();
    assert_eq!(store.check().unwrap().rows, [0, 201, 100]);
}

#[test]
fn a_rewrite_that_is_refused_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(directory.path()).unwrap();
    put(&mut store, Table::Log, 0, b"zero");
    put(&mut store, Table::Log, 1, b"one");
    let refused = store.rewrite(&mut |_, key, _| match key {
        0 => Ok(Rewrite::Drop),
        _ => Err(StoreError::damaged("test", "refused")),
    });
    assert!(matches!(refused, Err(StoreError::Damaged { .. })));
    assert_eq!(rows(&store, Table::Log).len(), 2);
    assert!(!directory.path().join(ROWS_PARTIAL_FILE).exists());
}

#[test]
fn a_visitors_panic_is_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(directory.path()).unwrap();
    put(&mut store, Table::Log, 0, b"zero");
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.scan(Table::Log, 0..1, &mut |_, _| panic!("of the visitor"))
    }));
    assert!(panic.is_err());
    assert_eq!(rows(&store, Table::Log).len(), 1);
}

#[test]
fn leftovers_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    drop(RedbStore::open(directory.path()).unwrap());
    for name in [ROWS_PARTIAL_FILE, SNAPSHOT_PARTIAL_FILE] {
        fs::write(directory.path().join(name), b"half").unwrap();
    }
    drop(RedbStore::open(directory.path()).unwrap());
    let mut names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["cortexkg.lock", "cortexkg.redb"]);
}

#[test]
fn a_backup_is_one_state_while_the_store_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("deep/backup");
    let mut store = RedbStore::open(&directory.path().join("store")).unwrap();
    for key in 0..500 {
        put(&mut store, Table::Log, key, &key.to_le_bytes());
    }
    let source = store.backup_source().unwrap();
    assert_eq!(source.rows(), 500);
    assert!(matches!(store.check(), Err(StoreError::Busy { .. })));
    let copy = std::thread::spawn({
        let target = target.clone();
        move || {
            let mut last = 0;
            source.copy_to(&target, &mut |rows| last = rows).unwrap();
            last
        }
    });
    for key in 500..600 {
        put(&mut store, Table::Log, key, b"later");
    }
    store.rewrite(&mut |_, _, _| Ok(Rewrite::Drop)).unwrap();
    assert_eq!(copy.join().unwrap(), 500);
    let again = store.backup(&target, &mut |_| {});
    assert!(
        matches!(again, Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists)
    );

    let backup = RedbStore::open_read_only(&target).unwrap();
    assert_eq!(rows(&backup, Table::Log).len(), 500);
    drop(backup);
    let mut backup = RedbStore::open(&target).unwrap();
    assert_eq!(backup.check().unwrap().rows, [0, 500, 0]);
    put(&mut backup, Table::Log, 500, b"goes on");
}

#[test]
fn a_source_outlives_its_store() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(&directory.path().join("store")).unwrap();
    put(&mut store, Table::Log, 0, b"zero");
    let source = store.backup_source().unwrap();
    store.close().unwrap();
    source.copy_to(&directory.path().join("backup"), &mut |_| {}).unwrap();
    drop(source);
    let store = RedbStore::open_read_only(&directory.path().join("store")).unwrap();
    let backup = RedbStore::open_read_only(&directory.path().join("backup")).unwrap();
    assert_eq!(rows(&store, Table::Log), rows(&backup, Table::Log));
}

#[test]
fn figures_tell_sizes_and_what_was_moved() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(directory.path()).unwrap();
    for key in 0..100 {
        put(&mut store, Table::Log, key, &[7; 92]);
    }
    store.commit(ChangeSet::default(), Sync::Durable).unwrap();
    let figures = store.figures().unwrap();
    assert_eq!(figures.rows, [0, 100, 0]);
    assert_eq!((figures.live_bytes, figures.committed_bytes, figures.commits), (10_000, 10_000, 100));
    assert!(figures.written_bytes > figures.committed_bytes);
    assert!(figures.syncs >= 100);
    assert_eq!(figures.file_bytes, fs::metadata(directory.path().join(ROWS_FILE)).unwrap().len());
}
