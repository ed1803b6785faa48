//! `cortexkg exceptions`: contradictions that the graph keeps.

use std::path::Path;

use cortexkg::{KeptException, NodeId};
use serde::Serialize;

use crate::commands::as_of::AsOf;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, named_live, to_read};
use crate::report::grouped;
use crate::tables::{CELL_CHARS_MAX, listing, one_line};

/// Most characters of a value, a field or a name in the list.
const VALUE_CHARS_MAX: usize = 32;
/// Most characters of a reason.
const REASON_CHARS_MAX: usize = 200;

/// Options of `cortexkg exceptions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Two kinds are kept: a record joined a node in spite of a conflict with it, and a thing states otherwise than a class that it
belongs to (by is_a, rdf:type or rdfs:subClassOf). A class counts as contradicted only by predicates of which things have one
object each, as far as the graph shows. With --as-of, conflicts of records that were forgotten since are missing.

Example:
  cortexkg exceptions --data graph
  cortexkg exceptions --data graph --node n17 --json")]
pub struct Args {
    /// Only those of this node: n17 or 17. One that was merged into another leads there.
    #[arg(long, value_name = "NODE")]
    pub node: Option<NodeArg>,
    /// Print no more than this many.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// When.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Kept {
    /// The node asked for, as it is known now.
    node: Option<NodeId>,
    /// Position of the last operation that counts.
    position: Option<u64>,
    /// How many there are, printed or not.
    total: usize,
    exceptions: Vec<KeptException>,
}

/// Prints the contradictions.
///
/// # Errors
/// Where there is no such node, or the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let view = graph.view(args.as_of.position)?;
    let node = match args.node {
        Some(asked) => Some(named_live(&graph, &view, asked, console)?.id),
        None => None,
    };
    let mut exceptions = view.exceptions(node)?;
    let total = exceptions.len();
    exceptions.truncate(args.limit.unwrap_or(usize::MAX));
    if args.json {
        console.print_json(&Kept { node, position: view.position(), total, exceptions })?;
        return Ok(Outcome::Complete);
    }
    if total == 0 {
        console.tell("note: nothing is contradicted");
    } else if exceptions.len() < total {
        let (shown, total) = (grouped(exceptions.len() as u64), grouped(total as u64));
        console.tell(&format!("note: {shown} of {total}; --limit says how many"));
    }
    let rows = exceptions.iter().map(|one| {
        let [field, held, stated] =
            [&one.field, &one.held, &one.stated].map(|text| one_line(text, VALUE_CHARS_MAX));
        let record = one.record_id.as_deref().unwrap_or_default();
        let bits = one.bits.map_or_else(String::new, |bits| format!("{bits:+.1}"));
        let reason = one_line(&one.reason, REASON_CHARS_MAX);
        [one.node.to_string(), field, held, stated, one_line(record, CELL_CHARS_MAX), bits, reason]
    });
    let header = ["node", "field", "held", "stated", "by", "bits", "reason"];
    console.print(&listing(header, rows, &[5], console.out_palette))?;
    Ok(Outcome::Complete)
}
