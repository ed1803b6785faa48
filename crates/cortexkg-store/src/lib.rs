//! Where a graph is kept: the [`Store`] trait and its backends.
//!
//! A store holds the truth about a graph: the log of operations and the facts that they speak of. Everything else (nodes,
//! dictionary, index, learned tables) follows from these two and can be rebuilt; a [`snapshot`] is such a consequence, kept so that
//! opening is quick.
//!
//! ```
//! use cortexkg_store::{ChangeSet, RedbStore, Store, Sync, Table};
//!
//! # fn main() -> Result<(), cortexkg_store::StoreError> {
//! # let directory = tempfile::tempdir().expect("a temporary directory");
//! # let directory = directory.path();
//! let mut store = RedbStore::open(directory)?;
//! let mut changes = ChangeSet::default();
//! changes.put(Table::Log, 0, b"take in".to_vec());
//! changes.put(Table::Facts, 0, b"what was said".to_vec());
//! store.commit(changes, Sync::Durable)?; // survives a loss of power from here on
//!
//! store.write_snapshot(&mut |snapshot| {
//!     snapshot.section("nodes")?;
//!     snapshot.record(b"the first node")
//! })?;
//! let nodes = store.snapshot()?.and_then(|snapshot| snapshot.section("nodes")).expect("just written");
//! let mut node = Vec::new();
//! nodes.read(0, &mut node)?;
//! assert_eq!(node, b"the first node");
//! # Ok(())
//! # }
//! ```
//!
//! - [`RedbStore`] keeps everything in a directory of files; [`MemoryStore`] ends with the process. They behave alike.
//!   [`MemoryRows`] is the latter without snapshots.
//! - [`snapshot`] is the container of snapshots and of portable graph files; it works over any bytes.
//! - [`write_portable`] and [`read_portable`] make one file of a store, and a store of it.
//! - [`directory`] is the seam between a store and its files. With the feature `faults` there is a directory in memory whose disk
//!   fails on demand, for the tests of whoever builds on a store.
//!
//! What the files look like, what holds after a crash and who notices which damage stands in `docs/format.md`. Damage that makes
//! redb panic is reported as [`StoreError::Damaged`]; the panic's message still reaches the process's panic hook.

mod change;
pub mod directory;
mod envelope;
mod error;
#[cfg(feature = "faults")]
pub mod faults;
mod memory;
mod portable;
mod rows;
pub mod snapshot;
mod store;

pub use change::{Change, ChangeSet, Table};
pub use error::StoreError;
pub use memory::{MemoryRows, MemoryStore};
pub use portable::{
    PortableKind, VisitRow, check_portable, portable_kind, portable_rows, read_portable, scan_portable,
    write_portable,
};
pub use rows::{BackupSource, CheckReport, Figures, RedbOptions, RedbStore};
pub use snapshot::{Section, Snapshot, SnapshotWriter};
pub use store::{Decide, Rewrite, Store, Sync, VALUE_BYTES_MAX, Visit, WriteSnapshot};
