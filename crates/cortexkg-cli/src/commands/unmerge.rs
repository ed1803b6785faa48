//! `cortexkg unmerge`: a merge is taken back.

use std::path::Path;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, Nothing, tell_change, to_write};

/// Options of `cortexkg unmerge`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The members that came with the merge go back; those that came later stay.

Example:
  cortexkg unmerge n17 --data graph")]
pub struct Args {
    /// The node that was merged into another; or the other, then the newest merge into it is taken back.
    pub node: NodeArg,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Takes the merge back, and prints the operation.
///
/// # Errors
/// Where the node was not merged, or the graph cannot be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut graph = to_write(data, console)?;
    let position = graph.unmerge(args.node.0)?;
    tell_change(graph, position, Nothing {}, "", args.json, console)
}
