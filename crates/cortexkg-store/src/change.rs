//! What a transaction changes.

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

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Log => "log",
            Self::Facts => "facts",
        }
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

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
