//! How a store is opened, and what it says about itself.

/// How a [`RedbStore`](super::RedbStore) is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedbOptions {
    /// Bytes of pages that redb keeps in memory. 64 MiB if not given.
    pub cache_bytes: usize,
    /// Bytes of blocks that an open snapshot keeps in memory. 64 MiB if not given.
    pub snapshot_cache_bytes: u64,
    /// Whether opening for writing reads the whole store file and verifies redb's pages, as it does after a crash: roughly a second
    /// per gigabyte. Without it, damage of the pages on which redb itself relies is found when it stumbles over them, which can
    /// end the process (see `docs/format.md`). Not if not given.
    pub verify_on_open: bool,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, snapshot_cache_bytes: 64 << 20, verify_on_open: false }
    }
}

/// Sizes, and what was moved since the store was opened. The write amplification of the store is
/// `written_bytes / committed_bytes`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of the store file.
    pub file_bytes: u64,
    /// Bytes of the values in it, with 8 bytes of envelope each.
    pub live_bytes: u64,
    /// Rows per table, in the order of [`Table::ALL`](crate::Table::ALL).
    pub rows: [u64; 3],
    /// Bytes of keys (8 each) and values handed to commits that succeeded.
    pub committed_bytes: u64,
    /// Commits that succeeded.
    pub commits: u64,
    /// Bytes written to the store file, by commits and rewrites.
    pub written_bytes: u64,
    /// Bytes read from the store file.
    pub read_bytes: u64,
    /// How often the store file was synced.
    pub syncs: u64,
}

/// What a check of a whole store found in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Rows read and verified per table, in the order of [`Table::ALL`](crate::Table::ALL).
    pub rows: [u64; 3],
    /// Bytes of their values, with envelopes.
    pub bytes: u64,
    /// Whether redb's account of free space was wrong and has been put right. No row was concerned.
    pub repaired: bool,
}
