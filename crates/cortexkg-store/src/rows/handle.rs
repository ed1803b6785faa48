//! The redb database of a store, and a view of one of its states.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, ReadOnlyDatabase, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable};

use super::contain::{contain, contain_drop, failed};
use super::tables::{FORMAT_TABLE, Tallies, definition};
use crate::change::Table;
use crate::envelope;
use crate::error::StoreError;
use crate::store::Visit;

/// A database whose end cannot panic.
#[derive(Debug)]
pub(super) struct Contained(Option<Database>);

impl Contained {
    pub(super) fn new(database: Database) -> Self {
        Self(Some(database))
    }

    pub(super) fn database(&self) -> &Database {
        self.0.as_ref().expect("taken out only by drop and close")
    }

    pub(super) fn database_mut(&mut self) -> &mut Database {
        self.0.as_mut().expect("taken out only by drop and close")
    }

    /// Closes the database: lazy commits become durable, and the next opening need not recover.
    pub(super) fn close(mut self, path: &Path) -> Result<(), StoreError> {
        let database = self.0.take().expect("taken out only by drop and close");
        contain(path, || database.close().map_err(|error| failed(path, error)))
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        contain_drop(self.0.take());
    }
}

/// A database, open for writing or for reading.
#[derive(Clone)]
pub(super) enum Handle {
    Write(Arc<Contained>),
    Read(Arc<ReadOnlyDatabase>),
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Write(_) => "Write",
            Self::Read(_) => "Read",
        })
    }
}

impl Handle {
    /// A view of the present state.
    pub(super) fn view(&self, path: &Path) -> Result<View, StoreError> {
        contain(path, || {
            let transaction = match self {
                Self::Write(database) => database.database().begin_read(),
                Self::Read(database) => database.begin_read(),
            };
            View::new(path, &transaction.map_err(|error| failed(path, error))?)
        })
    }
}

type Rows = ReadOnlyTable<u64, &'static [u8]>;

/// One state of all tables. While it lives, redb keeps the pages of that state.
pub(super) struct View {
    path: PathBuf,
    format: Rows,
    tables: [Rows; 3],
}

impl View {
    fn new(path: &Path, transaction: &ReadTransaction) -> Result<Self, StoreError> {
        let open = |definition| transaction.open_table(definition).map_err(|error| failed(path, error));
        let [meta, log, facts] = Table::ALL.map(|table| open(definition(table)));
        Ok(Self { path: path.to_owned(), format: open(FORMAT_TABLE)?, tables: [meta?, log?, facts?] })
    }

    pub(super) fn rows(&self, table: Table) -> &Rows {
        &self.tables[usize::from(table.number()) - 1]
    }

    /// What the tables must hold.
    pub(super) fn tallies(&self) -> Result<Tallies, StoreError> {
        contain(&self.path, || Tallies::read(&self.path, &self.format))
    }

    /// The payload of a row.
    pub(super) fn get(&self, table: Table, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        contain(&self.path, || {
            let stored = self.rows(table).get(key).map_err(|error| failed(&self.path, error))?;
            let Some(stored) = stored else {
                return Ok(None);
            };
            let (payload, _) = open(table, key, stored.value())?;
            Ok(Some(payload.to_vec()))
        })
    }

    /// Visits payloads.
    pub(super) fn scan(
        &self,
        table: Table,
        keys: Range<u64>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.scan_stored(table, keys.start..=keys.end - 1, &mut |key, stored| {
            visit(key, open(table, key, stored)?.0)
        })
    }

    /// Visits what is stored, envelopes included and not verified.
    pub(super) fn scan_stored(
        &self,
        table: Table,
        keys: std::ops::RangeInclusive<u64>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let path = &self.path;
        let range = || self.rows(table).range(keys.clone()).map_err(|error| failed(path, error));
        let mut rows = contain(path, range)?;
        let mut before = None;
        loop {
            // The visitor runs outside: its panics are no damage. Asking for the bytes inside shows whether they can be had.
            let row = contain(path, || {
                let row = rows.next().transpose().map_err(|error| failed(path, error))?;
                Ok(row.map(|(key, value)| {
                    let _ = value.value();
                    (key.value(), value)
                }))
            })?;
            let Some((key, value)) = row else {
                return Ok(());
            };
            if before.is_some_and(|before| before >= key) || !keys.contains(&key) {
                return Err(StoreError::damaged(table.row(key), "out of order"));
            }
            before = Some(key);
            visit(key, value.value())?;
        }
    }

    /// The largest key.
    pub(super) fn last_key(&self, table: Table) -> Result<Option<u64>, StoreError> {
        contain(&self.path, || {
            let last = self.rows(table).last().map_err(|error| failed(&self.path, error))?;
            Ok(last.map(|(key, _)| key.value()))
        })
    }
}

/// The payload of a row and its check, verified.
pub(super) fn open(table: Table, key: u64, stored: &[u8]) -> Result<(&[u8], u64), StoreError> {
    let opened = envelope::open(table.number(), key, stored);
    opened.ok_or_else(|| StoreError::damaged(table.row(key), "checksum"))
}
