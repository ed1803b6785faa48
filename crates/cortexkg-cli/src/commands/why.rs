//! `cortexkg why`: what decided a mention.

use std::path::Path;

use cortexkg::Explanation;
use serde::Serialize;

use crate::console::Console;
use crate::explained;
use crate::failure::{Failure, Outcome};
use crate::graph::{RecordArgs, find_source, to_read};

/// Options of `cortexkg why`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The account is that of the decision, as the log keeps it. The node named is where the mention belongs now.

Example:
  cortexkg why r17 --data graph
  cortexkg why t5#o --source wikidata --data graph")]
pub struct Args {
    /// Which mention.
    #[command(flatten)]
    pub record: RecordArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Why {
    source: String,
    #[serde(flatten)]
    explanation: Explanation,
}

/// Prints the explanation.
///
/// # Errors
/// Where there is no such record, or the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let source = find_source(&graph, &args.record.record, args.record.source.as_deref())?;
    let explanation = graph.why(Some(&source), &args.record.record)?;
    if args.json {
        console.print_json(&Why { source, explanation })?;
    } else {
        console.print(&explained::explanation(&explanation, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}
