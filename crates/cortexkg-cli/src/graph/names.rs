//! How nodes and records are named on the command line.

use std::str::FromStr;

use cortexkg::{NodeId, NodeView, OperationError};

use super::{Graph, GraphView};
use crate::console::Console;
use crate::failure::Failure;

/// A node: `n17`, or `17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeArg(pub NodeId);

impl FromStr for NodeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('n').unwrap_or(text);
        // A sign is no digit, though numbers may have one.
        let number = if digits.starts_with('+') { None } else { digits.parse().ok() };
        let node = number.map(NodeId).filter(|&node| node <= NodeId::MAX);
        node.map(Self).ok_or_else(|| format!("a node is written n17 or 17, up to {}", NodeId::MAX))
    }
}

/// A record, or an end of a triple.
#[derive(Debug, clap::Args)]
pub struct RecordArgs {
    /// Identifier of the record; for the ends of a triple with #s (subject) or #o (object) behind it.
    pub record: String,
    /// Source that the record came from. Needed only where several sources have a record of that name.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
}

/// The source of a record: the one that was named, or the only one that has such a record.
///
/// # Errors
/// Where no source has it, or several.
pub(crate) fn find_source(graph: &Graph, record: &str, named: Option<&str>) -> Result<String, Failure> {
    if let Some(source) = named {
        return Ok(source.to_owned());
    }
    let ends = ["#s", "#o"].into_iter().filter_map(|suffix| record.strip_suffix(suffix));
    let ids: Vec<&str> = std::iter::once(record).chain(ends).collect();
    let mut found = Vec::new();
    let sources: Vec<String> = graph.sources().map(str::to_owned).collect();
    for source in &sources {
        for id in &ids {
            if graph.find(Some(source), id)?.is_some() {
                found.push(source.clone());
                break;
            }
        }
    }
    match &mut found[..] {
        [source] => Ok(std::mem::take(source)),
        [] => Err(missing(graph, record, &sources)),
        several => Err(Failure::Usage(format!(
            "{} sources have a record {record}; choose one with --source: {}",
            several.len(),
            several.join(", ")
        ))),
    }
}

/// Why no source has a record: it may be forgotten.
fn missing(graph: &Graph, record: &str, sources: &[String]) -> Failure {
    let forgotten = sources.iter().find_map(|source| match graph.why(Some(source), record) {
        Err(error @ OperationError::ForgottenFact { .. }) => Some(error),
        _ => None,
    });
    forgotten.unwrap_or_else(|| OperationError::UnknownFact { record: record.to_owned() }).into()
}

/// The node that an identifier leads to at the moment of a view; says so if it is another.
pub(crate) fn leads_to(view: &GraphView<'_>, node: NodeArg, console: &mut Console<'_>) -> NodeId {
    let live = view.resolve(node.0);
    if live != node.0 {
        console.tell(&format!("note: {} leads to {live}", node.0));
    }
    live
}

/// As [`leads_to`], with the node.
///
/// # Errors
/// Where there is no such node, or it had no members then.
pub(crate) fn named_live(
    graph: &Graph,
    view: &GraphView<'_>,
    node: NodeArg,
    console: &mut Console<'_>,
) -> Result<NodeView, Failure> {
    let live = leads_to(view, node, console);
    if let Some(found) = view.node(live)? {
        return Ok(found);
    }
    // Tells a node that never was from one without members.
    graph.how(live)?;
    match graph.engine().node(graph.engine().resolve(live)) {
        Some(_) => Err(Failure::Usage(format!(
            "node {live} had no members after operation {}; choose a later one with --as-of",
            view.position().unwrap_or_default()
        ))),
        None => Err(OperationError::ForgottenNode { node: live }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_written_with_an_n_or_without() {
        assert_eq!("n17".parse(), Ok(NodeArg(NodeId(17))));
        assert_eq!("17".parse(), Ok(NodeArg(NodeId(17))));
        for wrong in ["", "n", "nn1", "x1", "-1", "n-1", "+1", "1.5", "n281474976710656"] {
            assert!(wrong.parse::<NodeArg>().is_err(), "{wrong}");
        }
    }
}
