//! What a transaction changes.

use crate::error::StoreError;
use crate::store::VALUE_BYTES_MAX;

/// What is kept under which kind of key. Keys are numbers in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Facts about the graph as a whole, by a number that the engine gives them.
    Meta,
    /// The operations, by their position, counted from 0. Positions of what was compacted away are missing.
    Log,
    /// What was said, as received, by the log position of the operation that took it in.
    Facts,
}

impl Table {
    /// All tables, in the order in which files hold them.
    pub const ALL: [Self; 3] = [Self::Meta, Self::Log, Self::Facts];

    /// Its number in files.
    pub const fn number(self) -> u8 {
        match self {
            Self::Meta => 1,
            Self::Log => 2,
            Self::Facts => 3,
        }
    }

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Log => "log",
            Self::Facts => "facts",
        }
    }

    /// A row of it, for people.
    pub fn row(self, key: u64) -> String {
        format!("table {}, row {key}", self.name())
    }

    /// Refuses a value that no store takes.
    pub(crate) fn check_value(self, key: u64, value: &[u8]) -> Result<(), StoreError> {
        if value.len() > VALUE_BYTES_MAX {
            let (bytes, bytes_max) = (value.len() as u64, VALUE_BYTES_MAX as u64);
            return Err(StoreError::TooLarge { place: self.row(key), bytes, bytes_max });
        }
        Ok(())
    }
}

/// One change to one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The row has this value from now on.
    Put {
        /// The table.
        table: Table,
        /// The row.
        key: u64,
        /// Its value.
        value: Vec<u8>,
    },
    /// The row is gone.
    Delete {
        /// The table.
        table: Table,
        /// The row.
        key: u64,
    },
}

/// The changes of one transaction, in their order: all of them happen, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// The changes.
    pub changes: Vec<Change>,
}

impl ChangeSet {
    /// Gives a row a value.
    pub fn put(&mut self, table: Table, key: u64, value: Vec<u8>) {
        self.changes.push(Change::Put { table, key, value });
    }

    /// Removes a row.
    pub fn delete(&mut self, table: Table, key: u64) {
        self.changes.push(Change::Delete { table, key });
    }

    /// Refuses values that no store takes.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`].
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        for change in &self.changes {
            if let Change::Put { table, key, value } = change {
                table.check_value(*key, value)?;
            }
        }
        Ok(())
    }

    /// The value that a row is to have, if it is given one.
    pub fn value(&self, table: Table, key: u64) -> Option<&[u8]> {
        self.changes.iter().rev().find_map(|change| match change {
            Change::Put { table: known, key: row, value } if (*known, *row) == (table, key) => Some(&**value),
            _ => None,
        })
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
