//! `cortexkg how`: how a node came to be what it is.

use std::path::Path;

use cortexkg::{LogView, NodeId};
use serde::Serialize;

use crate::commands::log;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, leads_to, to_read};

/// Options of `cortexkg how`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Lists what was allocated to the node, and every merge, split, forgetting and undoing that touched it. A node that was merged
into another keeps its own history.

Example:
  cortexkg how n17 --data graph")]
pub struct Args {
    /// The node: n17 or 17.
    pub node: NodeArg,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct How {
    node: NodeId,
    /// Where it leads now; itself if it was not merged.
    leads_to: NodeId,
    operations: Vec<LogView>,
}

/// Prints the history, oldest first.
///
/// # Errors
/// Where there is no such node, or the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let node = args.node.0;
    let operations = graph.how(node)?;
    let leads_to = leads_to(&graph.view(None)?, args.node, console);
    if args.json {
        console.print_json(&How { node, leads_to, operations })?;
    } else {
        console.print(&log::table(&operations, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}
