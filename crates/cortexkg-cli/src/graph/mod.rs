//! The graph in a directory: opening it, naming what is in it, asking its writer for something.

mod change;
pub(crate) mod ckg;
mod failure;
pub(crate) mod flag_requests;
mod fresh;
mod link;
mod memory;
mod names;
mod open;
pub(crate) mod requests;

use cortexkg::DurableEngine;
use cortexkg_store::RedbStore;

pub(crate) use change::{Nothing, tell_change};
pub(crate) use fresh::{check_empty, check_unfilled};
pub use link::PairArgs;
pub(crate) use link::link;
pub use memory::MemoryBudget;
pub use names::{NodeArg, RecordArgs};
pub(crate) use names::{find_source, leads_to, named_live};
pub(crate) use open::{
    Closed, close, directory_of, existing, holds_a_graph, notes_of, to_create, to_read, to_write,
    without_snapshot,
};

/// A graph in a directory.
pub(crate) type Graph = DurableEngine<RedbStore>;
/// Such a graph at one moment.
pub(crate) type GraphView<'a> = cortexkg::View<'a, RedbStore>;
