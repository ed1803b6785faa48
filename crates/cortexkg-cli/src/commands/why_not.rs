//! `cortexkg why-not`: why a mention does not belong to a node.

use std::path::Path;

use cortexkg::{NodeId, Verdict, WhyNot};
use serde::Serialize;

use crate::console::Console;
use crate::explained;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, RecordArgs, find_source, leads_to, to_read};
use crate::palette::Palette;

/// Options of `cortexkg why-not`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Tells what the decision said of the node, and how the node would be weighed today. Changes nothing.

Example:
  cortexkg why-not r17 n3 --data graph")]
pub struct Args {
    /// Which mention.
    #[command(flatten)]
    pub record: RecordArgs,
    /// The node: n17 or 17. One that was merged into another leads there.
    pub node: NodeArg,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Answer {
    asked: NodeId,
    source: String,
    #[serde(flatten)]
    why_not: WhyNot,
}

/// Prints the verdict.
///
/// # Errors
/// Where there is no such record or node, or the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut graph = to_read(data, console)?;
    let record = &args.record.record;
    let source = find_source(&graph, record, args.record.source.as_deref())?;
    leads_to(&graph.view(None)?, args.node, console);
    let why_not = graph.why_not(Some(&source), record, args.node.0)?;
    if args.json {
        console.print_json(&Answer { asked: args.node.0, source, why_not })?;
    } else {
        console.print(&in_words(record, &why_not, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}

fn in_words(record: &str, why_not: &WhyNot, palette: Palette) -> String {
    let WhyNot { decision, node, verdict, today } = why_not;
    let mut text = match verdict {
        Verdict::Belongs => palette.heading(&format!("{record} does belong to node {node}")),
        Verdict::Lost { candidate, behind_bits } => format!(
            "{}\n{}",
            palette
                .heading(&format!("node {node} competed for {record} and was {behind_bits:.1} bits behind")),
            explained::candidate(candidate, palette).trim_end()
        ),
        Verdict::NotAmongTheStrongest { candidates } => palette.heading(&format!(
            "node {node} was not among the strongest of {candidates} candidates for {record}, or none of them"
        )),
        Verdict::Younger => palette.heading(&format!("node {node} came to be after {record} was decided")),
    };
    text.push_str(&format!("\n\nWhat was decided:\n{}", explained::explanation(decision, palette)));
    if let Some(today) = today {
        text.push_str(&format!("\nHow node {node} would be weighed today:\n"));
        text.push_str(&explained::candidate(today, palette));
    }
    text
}
