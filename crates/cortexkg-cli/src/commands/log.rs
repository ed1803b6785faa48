//! `cortexkg log`: the operations on the graph.

use std::path::Path;

use cortexkg::LogView;
use serde::Serialize;

use crate::clock;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{Graph, to_read};
use crate::palette::Palette;
use crate::tables::{listing, one_line};

/// Entries shown where nothing else is asked for.
const SHOWN: u64 = 20;
/// Most characters of what an operation did.
const WHAT_CHARS_MAX: usize = 100;

/// Options of `cortexkg log`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Positions are counted from 0 and stay as they are; those that were compacted away are missing. `undo POSITION` takes an
operation back, `--as-of POSITION` of the reading commands shows the graph right after it.

Example:
  cortexkg log --data graph
  cortexkg log --data graph --from 100 --to 120 --json")]
pub struct Args {
    /// First position.
    #[arg(long, value_name = "POSITION")]
    pub from: Option<u64>,
    /// Last position.
    #[arg(long, value_name = "POSITION")]
    pub to: Option<u64>,
    /// Only the last N [default: 20 where neither --from nor --to is given, else all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub last: Option<u64>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Log {
    /// Position that the next operation gets.
    end: u64,
    operations: Vec<LogView>,
}

/// Prints the operations, oldest first.
///
/// # Errors
/// Where the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let end = graph.position();
    let from = args.from.unwrap_or(0);
    let to = args.to.map_or(end, |to| to.saturating_add(1)).min(end);
    if from > to {
        return Err(Failure::Usage(format!(
            "there is nothing from {from} to {}; the log ends before {end}",
            args.to.map_or_else(|| "its end".to_owned(), |to| to.to_string())
        )));
    }
    let is_bounded = args.from.is_some() || args.to.is_some();
    let operations = match args.last.or(Some(SHOWN).filter(|_| !is_bounded)) {
        Some(last) => last_entries(&graph, from, to, last)?,
        None => graph.log_entries(from, to)?,
    };
    if args.json {
        console.print_json(&Log { end, operations })?;
    } else {
        console.print(&table(&operations, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}

/// The last so many entries of a range; some positions in between may be empty.
fn last_entries(graph: &Graph, from: u64, to: u64, last: u64) -> Result<Vec<LogView>, Failure> {
    let mut window = last;
    loop {
        let start = to.saturating_sub(window).max(from);
        let mut entries = graph.log_entries(start, to)?;
        if entries.len() as u64 >= last || start == from {
            let surplus = entries.len().saturating_sub(usize::try_from(last).unwrap_or(usize::MAX));
            entries.drain(..surplus);
            return Ok(entries);
        }
        window = window.saturating_mul(4);
    }
}

/// Operations as a table.
pub(crate) fn table(operations: &[LogView], palette: Palette) -> String {
    let rows = operations.iter().map(|entry| {
        let note = match (entry.undoes, entry.undone_by) {
            (_, Some(by)) => format!("undone by {by}"),
            (Some(of), None) => format!("undoes {of}"),
            (None, None) => String::new(),
        };
        [
            entry.position.to_string(),
            entry.recorded_s.map_or_else(String::new, clock::iso),
            entry.operation.clone(),
            one_line(&entry.what, WHAT_CHARS_MAX),
            note,
        ]
    });
    listing(["position", "recorded", "operation", "what", ""], rows, &[0], palette)
}
