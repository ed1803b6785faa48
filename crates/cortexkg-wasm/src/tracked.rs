//! The rows of a graph, and which of them have changed since they were last kept by a storage.

use std::ops::Range;

use cortexkg_store::{
    Change, ChangeSet, Decide, Rewrite, Snapshot, Store, StoreError, Sync, Table, Visit, WriteSnapshot,
};

use crate::changed::Changed;
use crate::heap::HeapRows;

/// A store that ends with the page and remembers what changes.
#[derive(Debug, Default)]
pub(crate) struct Tracked {
    rows: HeapRows,
    changed: Changed,
    /// Everything was written anew: what has changed cannot be told row by row.
    is_rewritten: bool,
}

impl Tracked {
    /// Over rows that a storage has already.
    pub(crate) fn kept(rows: HeapRows) -> Self {
        Self { rows, ..Self::default() }
    }

    /// Over rows of which it has none.
    pub(crate) fn new_to_all(rows: HeapRows) -> Self {
        Self { rows, is_rewritten: true, ..Self::default() }
    }

    /// See [`HeapRows::end`].
    pub(crate) fn heap_end(&self) -> u64 {
        self.rows.end()
    }

    /// Bytes of the values of these rows.
    pub(crate) fn bytes_of(&self, changed: &Changed) -> Result<usize, StoreError> {
        let lengths = changed.iter().map(|(table, key)| self.rows.length(table, key));
        lengths.map(|length| length.map(|length| length.unwrap_or(0))).sum()
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
        self.rows.get(table, key)
    }

    fn scan(&self, table: Table, keys: Range<u64>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.rows.scan(table, keys, visit)
    }

    fn last_key(&self, table: Table) -> Result<Option<u64>, StoreError> {
        self.rows.last_key(table)
    }

    fn commit(&mut self, changes: ChangeSet, _sync: Sync) -> Result<(), StoreError> {
        let rows = changes.changes.iter().map(|change| match *change {
            Change::Put { table, key, .. } | Change::Delete { table, key } => (table, key),
        });
        let rows: Vec<_> = rows.collect();
        self.rows.commit(changes)?;
        rows.into_iter().for_each(|(table, key)| self.changed.insert(table, key));
        Ok(())
    }

    fn rewrite(&mut self, decide: &mut Decide<'_>) -> Result<(), StoreError> {
        let mut changes = ChangeSet::default();
        for table in Table::ALL {
            self.rows.scan(table, 0..u64::MAX, &mut |key, value| {
                match decide(table, key, value)? {
                    Rewrite::Keep => {}
                    Rewrite::Drop => changes.delete(table, key),
                    Rewrite::Replace(value) => changes.put(table, key, value),
                }
                Ok(())
            })?;
        }
        self.rows.commit(changes)?;
        self.is_rewritten = true;
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
