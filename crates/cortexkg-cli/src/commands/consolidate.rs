//! `cortexkg consolidate`: early decisions are looked at again.

use std::path::Path;

use cortexkg::Consolidation;
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{close, to_write};
use crate::progress::Progress;
use crate::report::grouped;
use crate::tables::pairs;

/// Options of `cortexkg consolidate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A decision sees only what came before it. This looks again in the light of everything: nodes whose members do not agree with each
other come apart, and close calls that turn out to be the same become one. Each split and merge is an operation of its own that
`cortexkg log` lists and `cortexkg undo` takes back; identifiers stay, and those of merged nodes lead on. Close calls
are looked at once.

Example:
  cortexkg allocate people.csv --data graph && cortexkg consolidate --data graph
  cortexkg assignments --data graph")]
pub struct Args {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Consolidated {
    /// Position of the operation in the log; those of splits and merges follow.
    position: u64,
    #[serde(flatten)]
    done: Consolidation,
    state_hash: String,
}

/// Looks again, and prints what was repaired.
///
/// # Errors
/// Where the graph cannot be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut graph = to_write(data, console)?;
    let progress = Progress::new(console.draws_progress, None);
    progress.step("looking again at nodes and close calls");
    let position = graph.position();
    let done = graph.consolidate();
    progress.finish();
    let done = done?;
    let state_hash = graph.state_hash()?.to_string();
    close(graph)?.told(console);
    if args.json {
        console.print_json(&Consolidated { position, done, state_hash })?;
        return Ok(Outcome::Complete);
    }
    let rows = [
        ("nodes compared", done.nodes_compared as u64),
        ("close calls compared", done.pairs_compared as u64),
        ("splits", done.splits as u64),
        ("merges", done.merges as u64),
        ("operation", position),
    ];
    console.print(&pairs(rows.map(|(name, count)| (name.to_owned(), grouped(count)))))?;
    Ok(Outcome::Complete)
}
