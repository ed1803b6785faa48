//! `cortexkg get`: a node.

use std::path::Path;

use cortexkg::{Inherited, NodeId, NodeView};
use serde::Serialize;

use crate::commands::as_of::AsOf;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, named_live, to_read};
use crate::palette::Palette;
use crate::tables::{CELL_CHARS_MAX, listing, one_line};

/// Options of `cortexkg get`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Under inherited stands what holds for the node because a class that it belongs to says so, by is_a, rdf:type or rdfs:subClassOf;
what it states otherwise stands under `cortexkg exceptions`.

Example:
  cortexkg get n17 --data graph
  cortexkg get n17 --data graph --as-of 1200 --json")]
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
struct Got {
    asked: NodeId,
    /// Position of the last operation that counts.
    position: Option<u64>,
    #[serde(flatten)]
    node: NodeView,
    /// Identifiers that lead here.
    merged: Vec<NodeId>,
    /// What its classes say of it.
    inherited: Vec<Inherited>,
}

/// Prints the node.
///
/// # Errors
/// Where there is no such node, or the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let view = graph.view(args.as_of.position)?;
    let node = named_live(&graph, &view, args.node, console)?;
    let merged = view.merged_into(node.id);
    let inherited = view.inherited(node.id)?;
    let got = Got { asked: args.node.0, position: view.position(), node, merged, inherited };
    if args.json {
        console.print_json(&got)?;
    } else {
        console.print(&in_words(&got, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}

fn in_words(got: &Got, palette: Palette) -> String {
    let NodeView { id, label, properties, members, edges, .. } = &got.node;
    let title = format!("{id}  {}", one_line(label, 2 * CELL_CHARS_MAX));
    let mut text = format!("{}\n", palette.heading(&title));
    if !got.merged.is_empty() {
        let merged: Vec<_> = got.merged.iter().map(ToString::to_string).collect();
        text.push_str(&format!(" merged into it: {}\n", merged.join(", ")));
    }
    let rows = properties
        .iter()
        .map(|(field, value, count)| [field.clone(), one_line(value, CELL_CHARS_MAX), count.to_string()]);
    text.push_str(&format!("\n{}", listing(["field", "value", "members"], rows, &[2], palette)));
    let rows = members
        .iter()
        .map(|member| [&member.record_id, &member.source].map(|name| one_line(name, CELL_CHARS_MAX)));
    text.push_str(&format!("\n{}", listing(["member", "source"], rows, &[], palette)));
    if !edges.is_empty() {
        let rows = edges.iter().map(|(from, predicate, to)| {
            [from.to_string(), one_line(predicate, CELL_CHARS_MAX), to.to_string()]
        });
        text.push_str(&format!("\n{}", listing(["from", "predicate", "to"], rows, &[], palette)));
    }
    if !got.inherited.is_empty() {
        let rows = got.inherited.iter().map(|one| {
            let contested = if one.is_contested { "another class says otherwise" } else { "" };
            let object = format!("{}  {}", one.object, one.object_name);
            let class = format!("{}  {}", one.class, one.class_name);
            [
                one_line(&one.predicate, CELL_CHARS_MAX),
                one_line(&object, CELL_CHARS_MAX),
                one_line(&class, CELL_CHARS_MAX),
                contested.to_owned(),
            ]
        });
        text.push_str(&format!(
            "\n{}",
            listing(["inherited", "object", "from class", ""], rows, &[], palette)
        ));
    }
    text
}
