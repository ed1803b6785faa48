//! `cortexkg must-link`: two mentions mean the same thing.

use std::path::Path;

use cortexkg::LinkKind;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{PairArgs, link};

/// Options of `cortexkg must-link`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where A and B are in two nodes, these become one; from then on nothing parts A and B, and the weights learn from it. `undo` takes it
back. What a cannot-link forbids is refused. `merge` and `unmerge`, `split` say the same of the oldest records of both sides.

Example:
  cortexkg must-link r17 r4 --data graph
  cortexkg must-link r17 t5#o --source payroll --source wikidata --data graph")]
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
    link(LinkKind::Must, &args.pair, args.json, data, console)
}
