//! `cortexkg undo`: an operation is taken back.

use std::path::Path;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{Nothing, tell_change, to_write};

/// Options of `cortexkg undo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
An operation is taken back by another one, its inverse, which can be undone as well. Undoing an allocation forgets its fact.
Later operations stay; where one of them is in the way, it is named.

Example:
  cortexkg log --data graph
  cortexkg undo 1207 --data graph")]
pub struct Args {
    /// Position of the operation in the log.
    pub position: u64,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Takes the operation back, and prints what did it.
///
/// # Errors
/// Where it cannot be taken back, or the graph cannot be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut graph = to_write(data, console)?;
    let position = graph.undo(args.position)?;
    tell_change(graph, position, Nothing {}, "", args.json, console)
}
