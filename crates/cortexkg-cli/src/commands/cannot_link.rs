//! `cortexkg cannot-link`: two mentions do not mean the same thing.

use std::path::Path;

use cortexkg::LinkKind;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{PairArgs, link};

/// Options of `cortexkg cannot-link`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where A and B are in one node, it becomes two, and every member goes with the one that it agrees with more; from then on nothing puts
A and B into one node, and the weights learn from it. `undo` takes it back. What a must-link forbids is refused.

Example:
  cortexkg cannot-link r17 r4 --data graph
  cortexkg cannot-link r17 t5#o --source payroll --source wikidata --data graph")]
pub struct Args {
    /// Which mentions.
    #[command(flatten)]
    pub pair: PairArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Links, and prints the operation.
///
/// # Errors
/// Where there are no such records, something that was said before forbids it, or the graph cannot be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    link(LinkKind::Cannot, &args.pair, args.json, data, console)
}
