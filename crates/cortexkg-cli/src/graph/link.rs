//! What `must-link` and `cannot-link` have in common.

use std::path::Path;

use cortexkg::{LinkKind, MentionName};
use serde::Serialize;

use super::{find_source, tell_change, to_write};
use crate::console::Console;
use crate::failure::{Failure, Outcome};

/// Two records, or ends of triples.
#[derive(Debug, clap::Args)]
pub struct PairArgs {
    /// Identifier of a record; for the ends of a triple with #s (subject) or #o (object) behind it.
    #[arg(value_name = "A")]
    pub left: String,
    /// Identifier of another, or another end.
    #[arg(value_name = "B")]
    pub right: String,
    /// Source that both came from; given twice, the source of A and that of B. Needed only where several sources have a record of
    /// that name.
    #[arg(long, value_name = "NAME")]
    pub source: Vec<String>,
}

#[derive(Serialize)]
struct Repaired {
    /// Position of the merge or split that it made necessary.
    repair: Option<u64>,
}

/// Links two mentions, and prints the operation.
///
/// # Errors
/// Where there are no such records, something that was said before forbids it, or the graph cannot be written.
pub(crate) fn link(
    kind: LinkKind,
    pair: &PairArgs,
    json: bool,
    data: Option<&Path>,
    console: &mut Console<'_>,
) -> Result<Outcome, Failure> {
    let [left, right] = match &pair.source[..] {
        [] => [None, None],
        [both] => [Some(both), Some(both)],
        [left, right] => [Some(left), Some(right)],
        more => {
            let what = format!(
                "--source was given {} times; it names one source, or that of A and of B",
                more.len()
            );
            return Err(Failure::Usage(what));
        }
    };
    let mut graph = to_write(data, console)?;
    let sources = [
        find_source(&graph, &pair.left, left.map(String::as_str))?,
        find_source(&graph, &pair.right, right.map(String::as_str))?,
    ];
    let left = MentionName { source: Some(&sources[0]), record: &pair.left };
    let right = MentionName { source: Some(&sources[1]), record: &pair.right };
    let linked = match kind {
        LinkKind::Must => graph.must_link(left, right)?,
        LinkKind::Cannot => graph.cannot_link(left, right)?,
    };
    tell_change(graph, linked.position, Repaired { repair: linked.repair }, "", json, console)
}
