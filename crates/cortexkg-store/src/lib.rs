//! Where a graph is kept: the [`Store`] trait and its backends.
//!
//! A store holds the truth about a graph: the log of operations and the facts that they speak of. Everything else (nodes,
//! dictionary, index, learned tables) follows from these two and can be rebuilt; a [`snapshot`] is such a consequence, kept so that
//! opening is quick.

mod change;
mod error;
mod memory;
mod store;

pub use change::{Change, ChangeSet, Table};
pub use error::StoreError;
pub use memory::MemoryStore;
pub use store::{Rewrite, Store, Sync};
