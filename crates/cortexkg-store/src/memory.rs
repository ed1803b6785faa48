//! The stores that end with the process.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::change::{Change, ChangeSet, Table};
use crate::error::StoreError;
use crate::snapshot::{Snapshot, SnapshotWriter};
use crate::store::{Decide, Rewrite, Store, Sync, Visit, WriteSnapshot};

/// Bytes of blocks that a snapshot in memory keeps verified; the blocks themselves are in memory anyway.
const CACHE_BYTES: u64 = 1 << 20;

/// Rows in memory, and no snapshot: none is kept, and there never is one. For programs that must be small, since whatever reads and writes
/// snapshots is left out of them.
#[derive(Debug, Clone, Default)]
pub struct MemoryRows(BTreeMap<(Table, u64), Box<[u8]>>);

impl Store for MemoryRows {
    fn get(&self, table: Table, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&(table, key)).map(|value| value.to_vec()))
    }

    fn scan(&self, table: Table, keys: Range<u64>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut rows = self.0.range((table, keys.start)..(table, keys.end));
        rows.try_for_each(|(&(_, key), value)| visit(key, value))
    }

    fn last_key(&self, table: Table) -> Result<Option<u64>, StoreError> {
        Ok(self.0.range((table, 0)..=(table, u64::MAX)).next_back().map(|(&(_, key), _)| key))
    }

    fn commit(&mut self, changes: ChangeSet, _sync: Sync) -> Result<(), StoreError> {
        changes.check()?;
        for change in changes.changes {
            match change {
                // Without the room that was left for writing it.
                Change::Put { table, key, value } => self.0.insert((table, key), value.into_boxed_slice()),
                Change::Delete { table, key } => self.0.remove(&(table, key)),
            };
        }
        Ok(())
    }

    fn rewrite(&mut self, decide: &mut Decide<'_>) -> Result<(), StoreError> {
        let mut kept = BTreeMap::new();
        for (&(table, key), value) in &self.0 {
            match decide(table, key, value)? {
                Rewrite::Keep => {
                    kept.insert((table, key), value.clone());
                }
                Rewrite::Replace(value) => {
                    table.check_value(key, &value)?;
                    kept.insert((table, key), value.into_boxed_slice());
                }
                Rewrite::Drop => {}
            }
        }
        self.0 = kept;
        Ok(())
    }

    #[inline]
    fn write_snapshot(&mut self, _write: &mut WriteSnapshot<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    #[inline]
    fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    fn remove_snapshot(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Rows in memory, and a snapshot as the bytes that a file would have.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rows: MemoryRows,
    snapshot: Option<Arc<[u8]>>,
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows.get(table, key)
    }

    fn scan(&self, table: Table, keys: Range<u64>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.rows.scan(table, keys, visit)
    }

    fn last_key(&self, table: Table) -> Result<Option<u64>, StoreError> {
        self.rows.last_key(table)
    }

    fn commit(&mut self, changes: ChangeSet, sync: Sync) -> Result<(), StoreError> {
        self.rows.commit(changes, sync)
    }

    fn rewrite(&mut self, decide: &mut Decide<'_>) -> Result<(), StoreError> {
        self.rows.rewrite(decide)?;
        self.snapshot = None;
        Ok(())
    }

    fn write_snapshot(&mut self, write: &mut WriteSnapshot<'_>) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        let mut writer = SnapshotWriter::new(&mut bytes)?;
        write(&mut writer)?;
        writer.finish()?;
        self.snapshot = Some(bytes.into());
        Ok(())
    }

    fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        let open = |bytes: &Arc<[u8]>| Snapshot::open(bytes.clone(), "snapshot in memory", CACHE_BYTES);
        self.snapshot.as_ref().map(open).transpose()
    }

    fn remove_snapshot(&mut self) -> Result<(), StoreError> {
        self.snapshot = None;
        Ok(())
    }
}
