//! The store that ends with the process.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::change::{Change, ChangeSet, Table};
use crate::error::StoreError;
use crate::store::{Decide, Rewrite, Store, Sync, Visit};

/// Rows in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rows: BTreeMap<(Table, u64), Vec<u8>>,
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(&(table, key)).cloned())
    }

    fn scan(&self, table: Table, keys: Range<u64>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let rows = self.rows.range((table, keys.start)..(table, keys.end));
        rows.map(|(&(_, key), value)| visit(key, value)).collect()
    }

    fn last_key(&self, table: Table) -> Result<Option<u64>, StoreError> {
        Ok(self.rows.range((table, 0)..=(table, u64::MAX)).next_back().map(|(&(_, key), _)| key))
    }

    fn commit(&mut self, changes: ChangeSet, _sync: Sync) -> Result<(), StoreError> {
        for change in changes.changes {
            match change {
                Change::Put { table, key, value } => self.rows.insert((table, key), value),
                Change::Delete { table, key } => self.rows.remove(&(table, key)),
            };
        }
        Ok(())
    }

    fn rewrite(&mut self, decide: &mut Decide<'_>) -> Result<(), StoreError> {
        let mut kept = BTreeMap::new();
        for (&(table, key), value) in &self.rows {
            match decide(table, key, value)? {
                Rewrite::Keep => kept.insert((table, key), value.clone()),
                Rewrite::Replace(value) => kept.insert((table, key), value),
                Rewrite::Drop => None,
            };
        }
        self.rows = kept;
        Ok(())
    }
}
