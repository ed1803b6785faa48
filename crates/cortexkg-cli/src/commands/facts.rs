//! `cortexkg facts`: what was said of a node.

use std::path::Path;

use cortexkg::{Fact, FactContent, FieldValue, MemberFact, NodeId};
use serde::Serialize;

use crate::clock;
use crate::commands::as_of::AsOf;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, named_live, to_read};
use crate::tables::{CELL_CHARS_MAX, listing, one_line};

/// Options of `cortexkg facts`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cortexkg facts n17 --data graph
  cortexkg facts n17 --data graph --json | jq '.facts[].fact'")]
pub struct Args {
    /// The node: n17 or 17. One that was merged into another leads there.
    pub node: NodeArg,
    /// When.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Print one JSON object; it holds every fact as it was received.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Facts {
    asked: NodeId,
    node: NodeId,
    /// Position of the last operation that counts.
    position: Option<u64>,
    facts: Vec<MemberFact>,
}

/// Prints the facts.
///
/// # Errors
/// Where there is no such node, or the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let view = graph.view(args.as_of.position)?;
    let node = named_live(&graph, &view, args.node, console)?.id;
    let facts = Facts { asked: args.node.0, node, position: view.position(), facts: view.facts(node)? };
    if args.json {
        console.print_json(&facts)?;
        return Ok(Outcome::Complete);
    }
    let rows = facts.facts.iter().map(|member| {
        let source = member.fact.as_ref().and_then(|fact| fact.source.as_deref());
        [
            member.position.to_string(),
            one_line(&member.mention, CELL_CHARS_MAX),
            one_line(source.unwrap_or_default(), CELL_CHARS_MAX),
            member.recorded_s.map_or_else(String::new, clock::iso),
            member.fact.as_ref().map_or_else(|| "forgotten".to_owned(), said),
        ]
    });
    let header = ["position", "mention", "source", "recorded", "said"];
    console.print(&listing(header, rows, &[0], console.out_palette))?;
    Ok(Outcome::Complete)
}

/// A fact in one line.
fn said(fact: &Fact) -> String {
    let line = match &fact.content {
        FactContent::Text(text) => text.clone(),
        FactContent::Triple { subject, predicate, object } => {
            format!("{} — {predicate} → {}", subject.as_str(), object.as_str())
        }
        FactContent::Record(fields) => {
            let fields = fields.iter().map(|field| match &field.value {
                FieldValue::Text(text) => format!("{}: {text}", field.name),
                FieldValue::List(items) => format!("{}: {}", field.name, items.join("; ")),
            });
            fields.collect::<Vec<_>>().join(" · ")
        }
    };
    one_line(&line, 2 * CELL_CHARS_MAX)
}
