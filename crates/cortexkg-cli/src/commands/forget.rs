//! `cortexkg forget`: facts leave the graph.

use std::path::Path;

use cortexkg::Forget;
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, RecordArgs, find_source, leads_to, tell_change, to_write};

/// Options of `cortexkg forget`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is forgotten counts for nothing from then on: its mentions leave their nodes. Its contents stay on the disk, so that
`undo` can bring it back, until `cortexkg compact` makes it final.

Example:
  cortexkg forget fact r17 --data graph
  cortexkg forget node n3 --data graph
  cortexkg forget source crm --data graph && cortexkg compact --data graph")]
pub struct Args {
    /// What to forget.
    #[command(subcommand)]
    pub what: What,
    /// Print one JSON object.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to forget.
#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// One fact, with all its mentions.
    Fact(RecordArgs),
    /// All facts that have a mention in a node.
    Node {
        /// The node: n17 or 17. One that was merged into another leads there.
        node: NodeArg,
    },
    /// All facts of a source.
    Source {
        /// Its name.
        name: String,
    },
}

#[derive(Serialize)]
struct Forgotten {
    /// Facts that were forgotten.
    facts: usize,
}

/// Forgets, and prints the operation.
///
/// # Errors
/// Where there is no such fact, node or source, or the graph cannot be written.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut graph = to_write(data, console)?;
    let (position, facts) = match &args.what {
        What::Fact(RecordArgs { record, source }) => {
            let source = find_source(&graph, record, source.as_deref())?;
            // An end of a triple goes with its fact.
            let ends = ["", "#s", "#o"].into_iter().filter_map(|suffix| record.strip_suffix(suffix));
            let mut record_id = record.as_str();
            for id in ends {
                if graph.find(Some(&source), id)?.is_some() {
                    record_id = id;
                    break;
                }
            }
            graph.forget(&Forget::Fact { source: Some(&source), record_id })?
        }
        What::Node { node } => {
            leads_to(&graph.view(None)?, *node, console);
            graph.forget(&Forget::Node(node.0))?
        }
        What::Source { name } => graph.forget(&Forget::Source(name))?,
    };
    if !args.json {
        console.print(&format!("{facts} {} forgotten\n", if facts == 1 { "fact" } else { "facts" }))?;
    }
    tell_change(graph, position, Forgotten { facts }, " until `cortexkg compact`", args.json, console)
}
