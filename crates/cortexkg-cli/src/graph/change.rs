//! What is said of an operation that changed the graph.

use cortexkg::LogView;
use serde::Serialize;

use super::{Graph, close};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::tables::one_line;

/// Most characters of what an operation did.
const WHAT_CHARS_MAX: usize = 200;

/// An operation, with what a command has to add.
#[derive(Serialize)]
struct Told<'a, T> {
    #[serde(flatten)]
    operation: &'a LogView,
    #[serde(flatten)]
    more: T,
}

/// Closes the graph after an operation and tells what it did. `more` goes into the JSON, `until` behind the advice.
///
/// # Errors
/// Where the graph cannot be closed, or the log not be read.
pub(crate) fn tell_change<T: Serialize>(
    graph: Graph,
    position: u64,
    more: T,
    until: &str,
    json: bool,
    console: &mut Console<'_>,
) -> Result<Outcome, Failure> {
    let views = graph.log_entries(position, position + 1)?;
    close(graph)?.told(console);
    let Some(operation) = views.first() else {
        return Err(Failure::Run(format!("the log has no operation {position}; run `cortexkg verify`")));
    };
    if json {
        console.print_json(&Told { operation, more })?;
    } else {
        let palette = console.out_palette;
        let undoes = operation.undoes.map_or_else(String::new, |of| format!(", which undoes {of}"));
        let what = one_line(&operation.what, WHAT_CHARS_MAX);
        console.print(&format!(
            "{} {what}\noperation {position}{undoes}; {}\n",
            palette.heading(&operation.operation),
            palette.faint(&format!("`cortexkg undo {position}` takes it back{until}")),
        ))?;
    }
    Ok(Outcome::Complete)
}

/// Nothing to add.
#[derive(Serialize)]
pub(crate) struct Nothing {}
