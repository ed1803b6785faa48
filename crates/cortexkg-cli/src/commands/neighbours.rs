//! `cortexkg neighbours`: what a node is tied to.

use std::path::Path;

use cortexkg::{Neighbour, NodeId};
use serde::Serialize;

use crate::commands::as_of::AsOf;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, named_live, to_read};
use crate::tables::{CELL_CHARS_MAX, listing, one_line};

/// Options of `cortexkg neighbours`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
An edge comes from a triple, from a loaded graph, or, as possibly_same, from a close call.

Example:
  cortexkg neighbours n17 --data graph")]
pub struct Args {
    /// The node: n17 or 17. One that was merged into another leads there.
    pub node: NodeArg,
    /// When.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Neighbours {
    asked: NodeId,
    node: NodeId,
    /// Position of the last operation that counts.
    position: Option<u64>,
    neighbours: Vec<Neighbour>,
}

/// Prints the edges.
///
/// # Errors
/// Where there is no such node, or the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let view = graph.view(args.as_of.position)?;
    let node = named_live(&graph, &view, args.node, console)?.id;
    let neighbours = view.neighbours(node)?;
    if args.json {
        let position = view.position();
        console.print_json(&Neighbours { asked: args.node.0, node, position, neighbours })?;
        return Ok(Outcome::Complete);
    }
    if neighbours.is_empty() {
        console.tell(&format!("note: node {node} has no edges"));
    }
    let rows = neighbours.iter().map(|edge| {
        let predicate = one_line(&edge.predicate, CELL_CHARS_MAX);
        [edge.from.to_string(), predicate, edge.to.to_string(), one_line(&edge.label, CELL_CHARS_MAX)]
    });
    console.print(&listing(["from", "predicate", "to", "other end"], rows, &[], console.out_palette))?;
    Ok(Outcome::Complete)
}
