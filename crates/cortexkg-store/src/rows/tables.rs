//! The tables of the store file: their definitions, the format row, the tallies. See `docs/format.md`.

use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::contain::{damaged, failed};
use crate::change::Table;
use crate::envelope;
use crate::error::StoreError;
use std::path::Path;

/// Keys and values of every table, for redb.
pub(super) type Definition = TableDefinition<'static, u64, &'static [u8]>;

/// The table that says what the file is.
pub(super) const FORMAT_TABLE: Definition = TableDefinition::new("cortexkg");
/// Its number in envelopes.
pub(super) const FORMAT_NUMBER: u8 = 0;
/// The row with the format version.
const FORMAT_KEY: u64 = 0;
const FORMAT_MAGIC: [u8; 8] = *b"CortexKG";

/// A table, for redb.
pub(super) const fn definition(table: Table) -> Definition {
    TableDefinition::new(table.name())
}

/// What a table must hold, kept apart from the tree that finds it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many rows.
    pub(super) rows: u64,
    /// Bytes of their values with envelopes.
    pub(super) bytes: u64,
    /// Sum of their checks, modulo 2^64.
    pub(super) sum: u64,
}

impl Tally {
    /// One more row.
    pub(super) fn add(&mut self, bytes: usize, check: u64) {
        self.rows = self.rows.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(bytes as u64);
        self.sum = self.sum.wrapping_add(check);
    }

    /// One row less. Wraps, since a damaged store may take away more than there was; `check` tells.
    pub(super) fn subtract(&mut self, bytes: usize, check: u64) {
        self.rows = self.rows.wrapping_sub(1);
        self.bytes = self.bytes.wrapping_sub(bytes as u64);
        self.sum = self.sum.wrapping_sub(check);
    }

    fn encode(&self) -> Vec<u8> {
        [self.rows, self.bytes, self.sum].iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (chunks, []) = bytes.as_chunks::<8>() else {
            return None;
        };
        let &[rows, bytes, sum] = chunks else {
            return None;
        };
        Some(Self {
            rows: u64::from_le_bytes(rows),
            bytes: u64::from_le_bytes(bytes),
            sum: u64::from_le_bytes(sum),
        })
    }
}

/// The tallies of all tables, in the order of [`Table::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tallies([Tally; 3]);

impl Tallies {
    /// That of a table.
    pub(super) fn of(&self, table: Table) -> &Tally {
        &self.0[usize::from(table.number()) - 1]
    }

    /// That of a table, to change it.
    pub(super) fn of_mut(&mut self, table: Table) -> &mut Tally {
        &mut self.0[usize::from(table.number()) - 1]
    }

    /// Reads them.
    pub(super) fn read<T>(path: &Path, format: &T) -> Result<Self, StoreError>
    where
        T: ReadableTable<u64, &'static [u8]>,
    {
        let mut tallies = Self::default();
        for table in Table::ALL {
            let key = u64::from(table.number());
            let payload = read_row(path, format, key)?;
            let tally = payload.and_then(|payload| Tally::decode(&payload));
            *tallies.of_mut(table) =
                tally.ok_or_else(|| damaged(path, &format!("no tally of table {}", table.name())))?;
        }
        Ok(tallies)
    }

    /// Writes those that differ from what is there.
    pub(super) fn write(
        &self,
        path: &Path,
        transaction: &WriteTransaction,
        there: Option<&Self>,
    ) -> Result<(), StoreError> {
        let mut format = transaction.open_table(FORMAT_TABLE).map_err(|error| failed(path, error))?;
        for table in Table::ALL {
            let tally = self.of(table);
            if there.is_some_and(|there| there.of(table) == tally) {
                continue;
            }
            let key = u64::from(table.number());
            let (stored, _) = envelope::seal(FORMAT_NUMBER, key, tally.encode());
            format.insert(key, stored.as_slice()).map_err(|error| failed(path, error))?;
        }
        Ok(())
    }
}

/// Writes the format version.
pub(super) fn write_version(
    path: &Path,
    transaction: &WriteTransaction,
    version: u32,
) -> Result<(), StoreError> {
    let mut format = transaction.open_table(FORMAT_TABLE).map_err(|error| failed(path, error))?;
    let payload = [FORMAT_MAGIC.as_slice(), &version.to_le_bytes()].concat();
    let (stored, _) = envelope::seal(FORMAT_NUMBER, FORMAT_KEY, payload);
    format.insert(FORMAT_KEY, stored.as_slice()).map_err(|error| failed(path, error))?;
    Ok(())
}

/// Reads the format version.
pub(super) fn read_version<T>(path: &Path, format: &T) -> Result<u32, StoreError>
where
    T: ReadableTable<u64, &'static [u8]>,
{
    let payload = read_row(path, format, FORMAT_KEY)?;
    let version = payload.as_deref().and_then(|payload| payload.strip_prefix(&FORMAT_MAGIC));
    let version = version.and_then(|version| version.try_into().ok()).map(u32::from_le_bytes);
    version.ok_or_else(|| damaged(path, "no format version"))
}

fn read_row<T>(path: &Path, format: &T, key: u64) -> Result<Option<Vec<u8>>, StoreError>
where
    T: ReadableTable<u64, &'static [u8]>,
{
    let Some(stored) = format.get(key).map_err(|error| failed(path, error))? else {
        return Ok(None);
    };
    let payload = envelope::open(FORMAT_NUMBER, key, stored.value());
    let place = || StoreError::damaged(format!("table cortexkg, row {key}"), "checksum");
    payload.map(|(payload, _)| Some(payload.to_vec())).ok_or_else(place)
}
