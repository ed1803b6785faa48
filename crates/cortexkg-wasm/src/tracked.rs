//! The rows of a graph in memory, and which of them have changed since they were last kept elsewhere.

use std::collections::BTreeSet;
use std::ops::Range;

use cortexkg_store::{
    Change, ChangeSet, Decide, MemoryRows, Snapshot, Store, StoreError, Sync, Table, Visit, WriteSnapshot,
};

/// Rows that were put or removed.
pub(crate) type Changed = BTreeSet<(Table, u64)>;

/// A store in memory that remembers what changes.
#[derive(Debug, Default)]
pub(crate) struct Tracked {
    store: MemoryRows,
    changed: Changed,
    /// Everything was written anew: what has changed cannot be told row by row.
    is_rewritten: bool,
}

impl Tracked {
    /// Over rows that are kept elsewhere already.
    pub(crate) fn kept(store: MemoryRows) -> Self {
        Self { store, ..Self::default() }
    }

    /// Whether anything has changed.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_rewritten || !self.changed.is_empty()
    }

    /// The rows that have changed, to be remembered no longer; none if that is all of them.
    pub(crate) fn take(&mut self) -> Option<Changed> {
        let changed = std::mem::take(&mut self.changed);
        (!std::mem::take(&mut self.is_rewritten)).then_some(changed)
    }

    /// Remembers again what was taken, since it was not kept after all.
    pub(crate) fn give_back(&mut self, taken: Option<Changed>) {
        match taken {
            Some(changed) => self.changed.extend(changed),
            None => self.is_rewritten = true,
        }
    }
}

impl Store for Tracked {
    fn get(&self, table: Table, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(table, key)
    }

    fn scan(&self, table: Table, keys: Range<u64>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.store.scan(table, keys, visit)
    }

    fn last_key(&self, table: Table) -> Result<Option<u64>, StoreError> {
        self.store.last_key(table)
    }

    fn commit(&mut self, changes: ChangeSet, sync: Sync) -> Result<(), StoreError> {
        let rows: Vec<_> = changes
            .changes
            .iter()
            .map(|change| match *change {
                Change::Put { table, key, .. } | Change::Delete { table, key } => (table, key),
            })
            .collect();
        self.store.commit(changes, sync)?;
        self.changed.extend(rows);
        Ok(())
    }

    fn rewrite(&mut self, decide: &mut Decide<'_>) -> Result<(), StoreError> {
        self.store.rewrite(decide)?;
        self.is_rewritten = true;
        Ok(())
    }

    fn write_snapshot(&mut self, write: &mut WriteSnapshot<'_>) -> Result<(), StoreError> {
        self.store.write_snapshot(write)
    }

    fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        self.store.snapshot()
    }

    fn remove_snapshot(&mut self) -> Result<(), StoreError> {
        self.store.remove_snapshot()
    }
}
