//! `cortexkg merge`: two nodes become one.

use std::path::Path;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, Nothing, leads_to, tell_change, to_write};

/// Options of `cortexkg merge`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The members of MERGED join KEPT; the identifier of MERGED leads to KEPT from then on. `unmerge` and `undo` take it back.

Example:
  cortexkg merge n3 n17 --data graph")]
pub struct Args {
    /// The node that stays.
    pub kept: NodeArg,
    /// The node that joins it.
    pub merged: NodeArg,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Merges, and prints the operation.
///
/// # Errors
/// Where there are no such nodes, they are one already, or the graph cannot be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut graph = to_write(data, console)?;
    let view = graph.view(None)?;
    for node in [args.kept, args.merged] {
        leads_to(&view, node, console);
    }
    let position = graph.merge(args.kept.0, args.merged.0)?;
    tell_change(graph, position, Nothing {}, "", args.json, console)
}
