//! `cortexkg search`: nodes by what they say.

use std::path::Path;

use cortexkg::SearchHit;
use serde::Serialize;

use crate::commands::as_of::AsOf;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::to_read;
use crate::tables::{CELL_CHARS_MAX, listing, one_line};

/// Options of `cortexkg search`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Words are looked for in every field, misspelt ones too; a rare word counts for more than a common one.

Example:
  cortexkg search \"art's delicatessen\" --data graph --limit 5")]
pub struct Args {
    /// What to look for: words, or an identifier or IRI as a whole.
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub text: String,
    /// Nodes to print at most.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = limit)]
    pub limit: usize,
    /// When.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(limit) if limit > 0 => Ok(limit),
        _ => Err("a number from 1 on; without --limit the best 10 are printed".into()),
    }
}

#[derive(Serialize)]
struct Found<'a> {
    text: &'a str,
    /// Position of the last operation that counts.
    position: Option<u64>,
    hits: Vec<SearchHit>,
}

/// Prints what was found, best first.
///
/// # Errors
/// Where the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let view = graph.view(args.as_of.position)?;
    let hits = view.search(&args.text, args.limit)?;
    if args.json {
        console.print_json(&Found { text: &args.text, position: view.position(), hits })?;
        return Ok(Outcome::Complete);
    }
    if hits.is_empty() {
        console.tell("note: nothing was found");
    }
    let rows = hits.iter().map(|hit| {
        [
            hit.node.to_string(),
            format!("{:.1}", hit.score_bits),
            one_line(&hit.label, CELL_CHARS_MAX),
            one_line(&hit.matched.join(", "), CELL_CHARS_MAX),
        ]
    });
    console.print(&listing(["node", "bits", "label", "matched"], rows, &[1], console.out_palette))?;
    Ok(Outcome::Complete)
}
