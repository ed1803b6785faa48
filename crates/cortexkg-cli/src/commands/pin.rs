//! `cortexkg pin`: a node's vector is kept as exactly as can be.

use std::path::Path;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, Nothing, tell_change, to_write};

/// Options of `cortexkg pin`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where vectors are kept at as many bits as their nodes are important (adaptive quantization), a pinned node counts as important as can be,
whatever the budget. Elsewhere it changes nothing. A node that was merged stands for the one that it leads to. `undo` takes it back.

Example:
  cortexkg pin n17 --data graph
  cortexkg pin n17 --off --data graph")]
pub struct Args {
    /// The node.
    pub node: NodeArg,
    /// Keep it as the others again.
    #[arg(long)]
    pub off: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Pins, and prints the operation.
///
/// # Errors
/// Where there is no such node, it is so already, or the graph cannot be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut graph = to_write(data, console)?;
    match graph.pin(args.node.0, !args.off)? {
        Some(position) => tell_change(graph, position, Nothing {}, "", args.json, console),
        None => {
            let is = if args.off { "not pinned" } else { "pinned already" };
            Err(Failure::Usage(format!("{} is {is}", args.node.0)))
        }
    }
}
