//! The trait that every backend has.

use std::ops::Range;

use crate::change::{ChangeSet, Table};
use crate::error::StoreError;
use crate::snapshot::{Snapshot, SnapshotWriter};

/// Bytes that the value of a row may have: 1 GiB.
pub const VALUE_BYTES_MAX: usize = 1 << 30;

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sync {
    /// When the commit returns, its changes and those of all commits before it survive a loss of power.
    Durable,
    /// The changes are visible; a crash may lose them, and all commits since the last durable one with them, never a part.
    Lazy,
}

/// What becomes of a row when a store is rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewrite {
    /// It stays.
    Keep,
    /// It goes, and its bytes with it.
    Drop,
    /// It gets another value.
    Replace(Vec<u8>),
}

/// Visits rows in order of their keys, or records in order of their numbers.
pub type Visit<'a> = dyn FnMut(u64, &[u8]) -> Result<(), StoreError> + 'a;
/// Decides what becomes of a row. Rows come table by table in the order of [`Table::ALL`], in order of their keys.
pub type Decide<'a> = dyn FnMut(Table, u64, &[u8]) -> Result<Rewrite, StoreError> + 'a;
/// Writes the sections of a snapshot.
pub type WriteSnapshot<'a> = dyn FnMut(&mut SnapshotWriter<'_>) -> Result<(), StoreError> + 'a;

/// Rows by number in a few tables; change sets that happen whole or not at all. A store never reads a clock.
pub trait Store: Send {
    /// The value of a row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is not what was written; [`StoreError::Io`].
    fn get(&self, table: Table, key: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits the rows with keys in a range, in order. An error of the visitor ends it.
    ///
    /// # Errors
    /// As [`get`](Self::get), and those of the visitor.
    fn scan(&self, table: Table, keys: Range<u64>, visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The largest key of a table.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn last_key(&self, table: Table) -> Result<Option<u64>, StoreError>;

    /// Carries out a change set: all of it, or nothing. An empty one with [`Sync::Durable`] makes the lazy ones before it
    /// durable.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] for a value of more than [`VALUE_BYTES_MAX`], [`StoreError::ReadOnly`], [`StoreError::Io`],
    /// [`StoreError::Damaged`]; then nothing of it is visible. After the latter two the store is to be closed and opened again;
    /// the change set is then there whole or not at all.
    fn commit(&mut self, changes: ChangeSet, sync: Sync) -> Result<(), StoreError>;

    /// Writes everything anew and lets the new take the place of the old: what is dropped leaves no byte behind. The snapshot is
    /// removed, since it may hold what is dropped; one that is open can still be read until it is let go.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::ReadOnly`], [`StoreError::TooLarge`], [`StoreError::Damaged`], and those of `decide`;
    /// then the rows are as they were (the snapshot may be gone). Only if the very last step fails, which makes the new file's name
    /// durable, the new rows are what is seen; the store then takes no more commits until it is opened again.
    fn rewrite(&mut self, decide: &mut Decide<'_>) -> Result<(), StoreError>;

    /// Writes a snapshot; it takes the place of the one before when it is whole. A snapshot that is open stays readable. A store that
    /// keeps none does nothing.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::ReadOnly`], and those of `write`; then the snapshot before is still there.
    fn write_snapshot(&mut self, write: &mut WriteSnapshot<'_>) -> Result<(), StoreError>;

    /// Opens the snapshot, if there is one. Takes the same time whatever its size.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if header, footer or directory are not what was written; [`StoreError::Format`] if a newer
    /// version wrote it; [`StoreError::Io`].
    fn snapshot(&self) -> Result<Option<Snapshot>, StoreError>;

    /// Removes the snapshot, if there is one. One that is open stays readable until it is let go.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::ReadOnly`].
    fn remove_snapshot(&mut self) -> Result<(), StoreError>;
}
