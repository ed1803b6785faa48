//! Portable graph files, `.ckg`: all rows of a store in one [`snapshot`](crate::snapshot) container. `docs/format.md` describes them.

use std::io::Write;

use crate::change::{ChangeSet, Table};
use crate::error::StoreError;
use crate::snapshot::{Snapshot, SnapshotWriter};
use crate::store::{Store, Sync};

/// Version of the layout of the sections.
const VERSION: u32 = 1;
const HEAD: &str = "graph";
/// Bytes of a key.
const KEY_BYTES: usize = 8;

/// Writes all rows of a store; gives their number. `told` hears after each how many there are so far.
///
/// # Errors
/// [`StoreError`]: the store cannot be read, or the output not be written.
pub fn write_portable(
    store: &impl Store,
    out: &mut dyn Write,
    told: &mut dyn FnMut(u64),
) -> Result<u64, StoreError> {
    let mut writer = SnapshotWriter::new(out)?;
    writer.section(HEAD)?;
    writer.record(&VERSION.to_le_bytes())?;
    let (mut rows, mut record) = (0, Vec::new());
    for table in Table::ALL {
        writer.section(table.name())?;
        store.scan(table, 0..u64::MAX, &mut |key, value| {
            record.clear();
            record.extend_from_slice(&key.to_le_bytes());
            record.extend_from_slice(value);
            rows += 1;
            told(rows);
            writer.record(&record)
        })?;
    }
    writer.finish()?;
    Ok(rows)
}

/// What a file says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortableKind {
    /// All rows of a store, as this version writes them.
    Graph,
    /// The same by another version.
    OtherVersion,
    /// Something else.
    NoGraph,
}

/// What a file says it is; its rows are not looked at.
///
/// # Errors
/// [`StoreError`] if it cannot be read, or is damaged there.
pub fn portable_kind(file: &Snapshot) -> Result<PortableKind, StoreError> {
    let has_all = Table::ALL.iter().all(|table| file.section(table.name()).is_some());
    let Some(head) = file.section(HEAD).filter(|_| has_all) else { return Ok(PortableKind::NoGraph) };
    let mut version = Vec::new();
    head.read(0, &mut version)?;
    let is_ours = version == VERSION.to_le_bytes();
    Ok(if is_ours { PortableKind::Graph } else { PortableKind::OtherVersion })
}

/// Number of rows in a file.
#[must_use]
pub fn portable_rows(file: &Snapshot) -> u64 {
    let sections = Table::ALL.iter().filter_map(|table| file.section(table.name()));
    sections.map(|section| section.len()).sum()
}

/// Is shown a row: its table, key and value.
pub type VisitRow<'a> = dyn FnMut(Table, u64, &[u8]) -> Result<(), StoreError> + 'a;

/// Visits all rows of a file of this version, in their order: table, key and value.
///
/// # Errors
/// [`StoreError`]: what the visitor says, or the file cannot be read or is damaged.
pub fn scan_portable(file: &Snapshot, place: &str, visit: &mut VisitRow<'_>) -> Result<(), StoreError> {
    for table in Table::ALL {
        let missing = || StoreError::damaged(place, format!("there is no section {}", table.name()));
        file.section(table.name()).ok_or_else(missing)?.scan(&mut |_, record| {
            let (key, value) = record
                .split_first_chunk::<KEY_BYTES>()
                .ok_or_else(|| StoreError::damaged(place, format!("section {}", table.name())))?;
            visit(table, u64::from_le_bytes(*key), value)
        })?;
    }
    Ok(())
}

/// Verifies that a file is a graph of this version, and every byte of it.
///
/// # Errors
/// [`StoreError`]: it is no such file, or damaged, or cannot be read.
pub fn check_portable(file: &Snapshot, place: &str) -> Result<(), StoreError> {
    let refused = |what| Err(StoreError::damaged(place, what));
    match portable_kind(file)? {
        PortableKind::Graph => file.check(),
        PortableKind::OtherVersion => refused("another version wrote it; export it again with this one"),
        PortableKind::NoGraph => refused("is no graph that was exported as .ckg"),
    }
}

/// Puts all rows of a file into a store that is empty, in one commit; gives their number. The whole file is verified first.
///
/// # Errors
/// [`StoreError`]: it is no such file, or damaged, or the store refuses; the store is as it was.
pub fn read_portable(file: &Snapshot, place: &str, store: &mut impl Store) -> Result<u64, StoreError> {
    check_portable(file, place)?;
    let (mut changes, mut rows) = (ChangeSet::default(), 0);
    scan_portable(file, place, &mut |table, key, value| {
        changes.put(table, key, value.to_vec());
        rows += 1;
        Ok(())
    })?;
    store.commit(changes, Sync::Durable)?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    fn written() -> (MemoryStore, Vec<u8>) {
        let mut store = MemoryStore::default();
        let mut changes = ChangeSet::default();
        changes.put(Table::Meta, 7, b"seven".to_vec());
        (0..3_000).for_each(|key| changes.put(Table::Log, key, vec![3; (key % 9) as usize]));
        store.commit(changes, Sync::Durable).unwrap();
        let mut bytes = Vec::new();
        assert_eq!(write_portable(&store, &mut bytes, &mut |_| {}).unwrap(), 3_001);
        (store, bytes)
    }

    fn open(bytes: Vec<u8>) -> Result<Snapshot, StoreError> {
        Snapshot::open(bytes, "a file", 1 << 20)
    }

    #[test]
    fn what_is_written_comes_back() {
        let (store, bytes) = written();
        let mut back = MemoryStore::default();
        assert_eq!(read_portable(&open(bytes.clone()).unwrap(), "a file", &mut back).unwrap(), 3_001);
        assert_eq!(back.get(Table::Meta, 7).unwrap(), store.get(Table::Meta, 7).unwrap());
        let mut again = Vec::new();
        write_portable(&back, &mut again, &mut |_| {}).unwrap();
        assert_eq!(again, bytes);
    }

    #[test]
    fn what_is_damaged_or_something_else_changes_nothing() {
        let (_, bytes) = written();
        for at in (0..bytes.len()).step_by(61) {
            let mut other = bytes.clone();
            other[at] ^= 4;
            let mut store = MemoryStore::default();
            let read = open(other).and_then(|file| read_portable(&file, "a file", &mut store));
            // Padding of blocks is in no record, but in their checks.
            assert!(read.is_err(), "byte {at}");
            assert_eq!(store.last_key(Table::Log).unwrap(), None, "byte {at}");
        }
        let mut other = Vec::new();
        let mut writer = SnapshotWriter::new(&mut other).unwrap();
        writer.section("something").unwrap();
        writer.finish().unwrap();
        let refused = read_portable(&open(other).unwrap(), "a file", &mut MemoryStore::default());
        assert!(refused.unwrap_err().to_string().contains("is no graph that was exported as .ckg"));
    }
}
