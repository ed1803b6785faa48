//! The trait that every backend has.

use std::ops::Range;

use crate::change::{ChangeSet, Table};
use crate::error::StoreError;

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

/// Visits rows in order of their keys.
pub type Visit<'a> = dyn FnMut(u64, &[u8]) -> Result<(), StoreError> + 'a;
/// Decides what becomes of a row.
pub type Decide<'a> = dyn FnMut(Table, u64, &[u8]) -> Result<Rewrite, StoreError> + 'a;

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

    /// Carries out a change set: all of it, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::ReadOnly`]; then nothing of it has happened.
    fn commit(&mut self, changes: ChangeSet, sync: Sync) -> Result<(), StoreError>;

    /// Writes everything anew and lets the new take the place of the old: what is dropped leaves no byte behind.
    ///
    /// # Errors
    /// [`StoreError::Io`], and those of `decide`; then the store is as it was.
    fn rewrite(&mut self, decide: &mut Decide<'_>) -> Result<(), StoreError>;
}
