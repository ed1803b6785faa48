//! The container of snapshots: whatever is written is read, at random and in order, within bounded memory.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use cortexkg_store::snapshot::FileSource;
use cortexkg_store::{MemoryStore, RedbStore, Snapshot, SnapshotWriter, Store, StoreError};
use proptest::prelude::*;

type Sections = Vec<(String, Vec<Vec<u8>>)>;

fn write(sections: &Sections) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = SnapshotWriter::new(&mut bytes).unwrap();
    for (name, records) in sections {
        writer.section(name).unwrap();
        records.iter().for_each(|record| writer.record(record).unwrap());
    }
    let counted = writer.finish().unwrap();
    assert_eq!(counted, bytes.len() as u64);
    bytes
}

fn assert_reads(snapshot: &Snapshot, sections: &Sections) {
    let names: Vec<&str> = sections.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(snapshot.sections().collect::<Vec<_>>(), names);
    for (name, records) in sections {
        let section = snapshot.section(name).unwrap();
        assert_eq!(section.len(), records.len() as u64);
        assert_eq!(section.bytes(), records.iter().map(|record| record.len() as u64).sum::<u64>());
        let mut found = Vec::new();
        let visit = &mut |at, record: &[u8]| {
            found.push((at, record.to_vec()));
            Ok(())
        };
        section.scan(visit).unwrap();
        assert_eq!(found, (0..).zip(records.iter().cloned()).collect::<Vec<_>>());
        let mut record = Vec::new();
        for at in (0..section.len()).rev() {
            let expected = &records[at as usize];
            section.read(at, &mut record).unwrap();
            assert_eq!(record, *expected);
        }
        assert!(matches!(section.read(section.len(), &mut record), Err(StoreError::Damaged { .. })));
        let (from, to) = (section.len() / 3, section.len() * 2 / 3);
        let mut next = from;
        let visit = &mut |at, record: &[u8]| {
            assert_eq!((at, record), (next, records[at as usize].as_slice()));
            next += 1;
            Ok(())
        };
        section.scan_range(from..to, visit).unwrap();
        assert_eq!(next, to);
    }
    snapshot.check().unwrap();
}

fn record() -> impl Strategy<Value = Vec<u8>> {
    let edge = prop::sample::select(vec![0, 1, 16_383, 16_384, 16_385, 65_534, 65_535, 65_536, 150_000]);
    prop_oneof![
        40 => prop::collection::vec(any::<u8>(), 0..120),
        1 => (edge, any::<u8>()).prop_map(|(bytes, fill)| vec![fill; bytes]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(
        records in prop::collection::vec(prop::collection::vec(record(), 0..300), 0..4),
        cache_bytes in prop::sample::select(vec![0_u64, 1 << 15, 1 << 22]),
    ) {
        let sections: Sections =
            (0..).map(|at: u32| format!("section {at}")).zip(records).collect();
        assert_reads(&Snapshot::open(write(&sections), "test", cache_bytes).unwrap(), &sections);
    }
}

/// Puts the checks right after something was changed, as somebody might who sends us a file.
fn seal(file: &mut [u8]) {
    use xxhash_rust::xxh3::xxh3_64_with_seed;
    let footer = file.len() - 64;
    let (blocks, footer) = file[16..].split_at_mut(footer - 16);
    for (number, block) in (0..).zip(blocks.chunks_mut(16_392)) {
        let (payload, check) = block.split_at_mut(block.len() - 8);
        check.copy_from_slice(&xxh3_64_with_seed(payload, number).to_le_bytes());
    }
    let check = xxh3_64_with_seed(&footer[..56], 0);
    footer[56..].copy_from_slice(&check.to_le_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_forged_file_gives_an_error_or_other_records_but_no_panic(
        records in prop::collection::vec(record(), 0..150),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        let mut file = write(&vec![("one".to_owned(), records), ("two".to_owned(), vec![vec![1]])]);
        for (at, byte, late) in changes {
            // Directory, places and footer are at the end.
            let from = if late { file.len().saturating_sub(250).max(16) } else { 16 };
            let at = from + at.index(file.len() - from);
            file[at] = byte;
        }
        seal(&mut file);
        let read_all = |file: Vec<u8>| -> Result<(), StoreError> {
            let snapshot = Snapshot::open(file, "forged", 1 << 16)?;
            for name in snapshot.sections() {
                let section = snapshot.section(name).unwrap();
                let mut record = Vec::new();
                for at in 0..section.len().min(1_000) {
                    if section.read(at, &mut record).is_err() {
                        break;
                    }
                }
                section.scan_range(0..1_000, &mut |_, _| Ok(()))?;
            }
            snapshot.check()
        };
        let _ = read_all(file);
    }
}

#[test]
fn a_file_and_any_bytes_are_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("graph.ckg");
    let sections = vec![("words".to_owned(), (0..1000_u32).map(|at| at.to_string().into_bytes()).collect())];
    std::fs::write(&path, write(&sections)).unwrap();
    let snapshot = Snapshot::open(FileSource::open(&path).unwrap(), "graph.ckg", 1 << 20).unwrap();
    assert_reads(&snapshot, &sections);
    assert!(snapshot.section("sentences").is_none());
}

#[test]
fn names_are_used_once_and_records_need_one() {
    let mut bytes = Vec::new();
    let mut writer = SnapshotWriter::new(&mut bytes).unwrap();
    assert!(writer.record(b"lost").is_err());
    writer.section("once").unwrap();
    writer.section("twice").unwrap();
    assert!(writer.section("once").is_err());
}

#[test]
fn other_versions_and_files_are_told_apart() {
    let mut bytes = write(&vec![("words".to_owned(), vec![b"one".to_vec()])]);
    let open = |bytes: &[u8]| Snapshot::open(bytes.to_vec(), "graph.ckg", 0).map(drop);
    let footer = bytes.len() - 64;
    bytes[8] = 2;
    assert!(matches!(open(&bytes), Err(StoreError::Damaged { .. })), "the footer says otherwise");
    bytes[footer + 8] = 2;
    assert!(matches!(open(&bytes), Err(StoreError::Format { what, .. }) if what.contains("version 2")));
    assert!(matches!(open(&[b'x'; 1000]), Err(StoreError::Format { .. })));
    assert!(matches!(open(b""), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_block_of_another_file_is_noticed_by_the_check() {
    let records = |fill: u8| vec![("words".to_owned(), vec![vec![fill; 100]; 1000])];
    let (mut ours, theirs) = (write(&records(1)), write(&records(2)));
    ours[16..16 + 16_392].copy_from_slice(&theirs[16..16 + 16_392]);
    let snapshot = Snapshot::open(ours, "graph.ckg", 0).unwrap();
    assert!(matches!(snapshot.check(), Err(StoreError::Damaged { .. })));
}

#[test]
fn the_cache_is_bounded_and_scans_leave_it_alone() {
    let sections =
        vec![("words".to_owned(), (0..200_000_u32).map(|at| at.to_le_bytes().repeat(12)).collect())];
    let snapshot = Snapshot::open(write(&sections), "test", 1 << 20).unwrap();
    let section = snapshot.section("words").unwrap();
    let before = snapshot.cache_stats();
    section.scan(&mut |_, _| Ok(())).unwrap();
    assert_eq!(snapshot.cache_stats(), before);
    let mut record = Vec::new();
    for at in (0..200_000).step_by(77).chain((0..200_000).step_by(77)) {
        section.read(at, &mut record).unwrap();
        let stats = snapshot.cache_stats();
        assert!(stats.bytes <= stats.bytes_max && stats.bytes_max == 1 << 20);
    }
    let stats = snapshot.cache_stats();
    assert!(stats.misses > 500 && stats.hits > stats.misses, "{stats:?}");
    assert!(stats.bytes > 1 << 19, "{stats:?}");
}

fn takes_its_place(store: &mut dyn Store) {
    let write = |store: &mut dyn Store, text: &str, fails: bool| {
        store.write_snapshot(&mut |snapshot| {
            snapshot.section("text")?;
            snapshot.record(text.as_bytes())?;
            if fails { Err(StoreError::damaged("test", "half way")) } else { Ok(()) }
        })
    };
    let read = |snapshot: &Snapshot| {
        let mut text = Vec::new();
        snapshot.section("text").unwrap().read(0, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    assert!(store.snapshot().unwrap().is_none());
    write(store, "first", false).unwrap();
    let first = store.snapshot().unwrap().unwrap();
    assert!(write(store, "second", true).is_err());
    assert_eq!(read(&store.snapshot().unwrap().unwrap()), "first");
    write(store, "third", false).unwrap();
    assert_eq!(read(&store.snapshot().unwrap().unwrap()), "third");
    assert_eq!(read(&first), "first", "one that is open stays readable");
    store.remove_snapshot().unwrap();
    assert!(store.snapshot().unwrap().is_none());
    store.remove_snapshot().unwrap();
}

#[test]
fn a_snapshot_takes_the_place_of_the_one_before_when_it_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    takes_its_place(&mut MemoryStore::default());
    takes_its_place(&mut RedbStore::open(directory.path()).unwrap());
    assert!(!directory.path().join(Path::new("cortexkg.snapshot.partial")).exists());
}

#[test]
fn sections_are_read_by_several_threads() {
    let sections: Sections =
        vec![("words".to_owned(), (0..5_000_u32).map(|at| at.to_le_bytes().to_vec()).collect())];
    let snapshot = Snapshot::open(write(&sections), "test", 1 << 16).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_reads(&snapshot, &sections));
        }
    });
}
