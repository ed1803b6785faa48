//! `cortexkg split`: some members of a node get a node of their own.

use std::path::Path;

use cortexkg::NodeId;
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, leads_to, tell_change, to_write};

/// Options of `cortexkg split`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cortexkg split n17 r4 r9 --data graph")]
pub struct Args {
    /// The node that they leave.
    pub node: NodeArg,
    /// Mentions that leave, as `cortexkg get` lists the members: a record's identifier, for the ends of triples with #s or #o.
    /// Of equal ones from several sources all leave.
    #[arg(required = true, value_name = "RECORD")]
    pub records: Vec<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Split {
    /// The node that they got.
    new: NodeId,
}

/// Splits, and prints the operation.
///
/// # Errors
/// Where a record is no member, nothing would stay or leave, or the graph cannot be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut graph = to_write(data, console)?;
    leads_to(&graph.view(None)?, args.node, console);
    let records: Vec<&str> = args.records.iter().map(String::as_str).collect();
    let (position, new) = graph.split(args.node.0, &records)?;
    tell_change(graph, position, Split { new }, "", args.json, console)
}
