//! The redb database of a store, and a view of one of its states.

use std::ops::Range;
use std::sync::Arc;

use redb::{
    Builder, Database, ReadOnlyDatabase, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
};

use super::contain::{Boundary, failed};
use super::counted::CountedFile;
use super::tables::{FORMAT_TABLE, Tallies, definition};
use crate::change::Table;
use crate::envelope;
use crate::error::StoreError;
use crate::store::Visit;

/// A database within its boundary.
#[derive(Debug)]
pub(super) struct Contained {
    database: Option<Database>,
    boundary: Arc<Boundary>,
}

impl Contained {
    /// Opens a file, or makes a database in it if it is empty.
    pub(super) fn open(
        boundary: Arc<Boundary>,
        builder: &Builder,
        file: CountedFile,
    ) -> Result<Self, StoreError> {
        let database = boundary.run(|| {
            let database = builder.create_with_backend(file);
            database.map_err(|error| failed(boundary.path(), error))
        })?;
        Ok(Self { database: Some(database), boundary })
    }

    pub(super) fn boundary(&self) -> &Arc<Boundary> {
        &self.boundary
    }

    pub(super) fn database(&self) -> &Database {
        self.database.as_ref().expect("taken out only by drop and close")
    }

    /// Has redb verify all pages and its account of free space. Says whether that was in order.
    pub(super) fn check_integrity(&mut self) -> Result<bool, StoreError> {
        let database = self.database.as_mut().expect("taken out only by drop and close");
        let boundary = &self.boundary;
        boundary.run(|| database.check_integrity().map_err(|error| failed(boundary.path(), error)))
    }

    /// Has redb give back the room that it took ahead, so that the file is about as large as what is in it.
    pub(super) fn shrink(&mut self) -> Result<(), StoreError> {
        let database = self.database.as_mut().expect("taken out only by drop and close");
        let boundary = &self.boundary;
        boundary.run(|| database.compact().map(drop).map_err(|error| failed(boundary.path(), error)))
    }

    /// Closes the database: lazy commits become durable, and the next opening need not recover.
    pub(super) fn close(mut self) -> Result<(), StoreError> {
        self.boundary.check()?;
        let database = self.database.take().expect("taken out only by drop and close");
        self.boundary.run(|| database.close().map_err(|error| failed(self.boundary.path(), error)))
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            self.boundary.end(database);
        }
    }
}

/// A database, open for writing or for reading.
#[derive(Clone)]
pub(super) enum Handle {
    Write(Arc<Contained>),
    Read(Arc<ReadOnlyDatabase>, Arc<Boundary>),
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Write(_) => "Write",
            Self::Read(..) => "Read",
        })
    }
}

impl Handle {
    /// A view of the present state.
    pub(super) fn view(&self) -> Result<View, StoreError> {
        let boundary = match self {
            Self::Write(database) => database.boundary(),
            Self::Read(_, boundary) => boundary,
        };
        boundary.run(|| {
            let transaction = match self {
                Self::Write(database) => database.database().begin_read(),
                Self::Read(database, _) => database.begin_read(),
            };
            View::new(boundary.clone(), &transaction.map_err(|error| failed(boundary.path(), error))?)
        })
    }
}

type Rows = ReadOnlyTable<u64, &'static [u8]>;

/// One state of all tables. While it lives, redb keeps the pages of that state.
pub(super) struct View {
    boundary: Arc<Boundary>,
    format: Rows,
    tables: [Rows; 3],
}

impl View {
    fn new(boundary: Arc<Boundary>, transaction: &ReadTransaction) -> Result<Self, StoreError> {
        let open =
            |definition| transaction.open_table(definition).map_err(|error| failed(boundary.path(), error));
        let [meta, log, facts] = Table::ALL.map(|table| open(definition(table)));
        let (format, tables) = (open(FORMAT_TABLE)?, [meta?, log?, facts?]);
        Ok(Self { boundary, format, tables })
    }

    pub(super) fn rows(&self, table: Table) -> &Rows {
        &self.tables[usize::from(table.number()) - 1]
    }

    /// What the tables must hold.
    pub(super) fn tallies(&self) -> Result<Tallies, StoreError> {
        self.boundary.run(|| Tallies::read(self.boundary.path(), &self.format))
    }

    /// The payload of a row.
    pub(super) fn get(&self, table: Table, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let stored = self.boundary.run(|| {
            let stored = self.rows(table).get(key).map_err(|error| failed(self.boundary.path(), error))?;
            Ok(stored.map(|stored| stored.value().to_vec()))
        })?;
        let Some(mut stored) = stored else {
            return Ok(None);
        };
        let payload_bytes = open(table, key, &stored)?.0.len();
        stored.truncate(payload_bytes);
        Ok(Some(stored))
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
        let path = self.boundary.path();
        let range = || self.rows(table).range(keys.clone()).map_err(|error| failed(path, error));
        let mut rows = self.boundary.run(range)?;
        let mut before = None;
        loop {
            // The visitor runs outside: its panics are no damage. Asking for the bytes inside shows whether they can be had.
            let row = self.boundary.run(|| {
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
        self.boundary.run(|| {
            let last = self.rows(table).last().map_err(|error| failed(self.boundary.path(), error))?;
            Ok(last.map(|(key, _)| key.value()))
        })
    }
}

/// The payload of a row and its check, verified.
pub(super) fn open(table: Table, key: u64, stored: &[u8]) -> Result<(&[u8], u64), StoreError> {
    let opened = envelope::open(table.number(), key, stored);
    opened.ok_or_else(|| StoreError::damaged(table.row(key), "checksum"))
}
