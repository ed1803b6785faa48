//! Why an operation on a durable graph was refused.

use cortexkg_store::StoreError;
use thiserror::Error;

use crate::error::{FactError, LoadError};
use crate::feedback::LinkKind;
use crate::graph::NodeId;

/// Why an operation on a durable graph was refused. Unless it says otherwise, the graph is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of the snapshot that was looked at is not what was written. The log has everything.
    #[error(
        "{place}: is damaged ({what}); nothing is lost: close the graph, which removes its snapshot, and open it again"
    )]
    Snapshot {
        /// File and block, or section and record.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// The fact cannot be taken in.
    #[error(transparent)]
    Fact(#[from] FactError),
    /// The graph cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store failed before, so that memory may be ahead of it.
    #[error("the store failed before; close the graph and open it again")]
    Broken,
    /// The graph was made under another configuration, and its decisions would not be those of one run.
    #[error(
        "the graph was made with the configuration {found}, not with {wanted}; open it with its own, or begin another"
    )]
    Config {
        /// What the graph was made with.
        found: String,
        /// What it was opened with.
        wanted: String,
    },
    /// Something else was said of a field when the graph was begun.
    #[error(
        "the graph was begun with another configuration: field {field:?} has {found} there, and {wanted} here; leave the \
         configuration out to go on with the graph's own, or begin another graph"
    )]
    Fields {
        /// The first field that differs.
        field: String,
        /// What was said of it when the graph was begun.
        found: String,
        /// What is said of it now.
        wanted: String,
    },
    /// Another share of wrong links was allowed when the graph was begun.
    #[error(
        "the graph was begun with at most {found} of the links wrong, not {wanted}; leave the bound out to go on with the graph's \
         own, or begin another graph"
    )]
    FalseMerges {
        /// The bound when the graph was begun.
        found: f64,
        /// The bound that is asked for.
        wanted: f64,
    },
    /// The graph was made with another embedder.
    #[error(
        "the graph was made with the embedder {found}, not with {wanted}; open it with its own, or begin another graph"
    )]
    Embedder {
        /// Identity of the embedder that the graph was made with.
        found: String,
        /// Identity of the one that it was opened with.
        wanted: String,
    },
    /// Repeating the log gave something else than what was logged.
    #[error(
        "the log's operation {position} gives another graph than it did; the store was changed from outside, or by a version that \
         decides otherwise: restore a backup"
    )]
    Diverged {
        /// The position of the operation.
        position: u64,
    },
    /// There is no node of this identifier.
    #[error("there is no node {node}; `search` finds nodes by what they say")]
    UnknownNode {
        /// The node.
        node: NodeId,
    },
    /// All that was said of the node is forgotten.
    #[error(
        "node {node} is forgotten; what forgot it can be undone until `compact` (`log` tells the position)"
    )]
    ForgottenNode {
        /// The node.
        node: NodeId,
    },
    /// The identifier is that of a node with members, or leads to another already.
    #[error("{node} is a node, or leads to one already")]
    NotFree {
        /// The identifier.
        node: NodeId,
    },
    /// Both identifiers lead to one node.
    #[error("{left} and {right} are one node already")]
    SameNode {
        /// The one.
        left: NodeId,
        /// The other.
        right: NodeId,
    },
    /// Nothing was merged into the node, and it is merged into nothing.
    #[error("node {node} was not merged, so there is nothing to take back")]
    NotMerged {
        /// The node.
        node: NodeId,
    },
    /// A record that is to be split off is not a member.
    #[error("{record} is no member of node {node}; `facts {node}` lists its members")]
    NotAMember {
        /// The mention, as it was named.
        record: String,
        /// The node.
        node: NodeId,
    },
    /// A split must leave something on either side.
    #[error("a split of node {node} must take some of its members and leave some")]
    EmptySplit {
        /// The node.
        node: NodeId,
    },
    /// What somebody has said stands in the way.
    #[error(
        "{left} and {right} are under a {kind} since operation {operation}; `undo {operation}` takes it back"
    )]
    Contradiction {
        /// One of the two records.
        left: String,
        /// The other.
        right: String,
        /// What was said of them.
        kind: LinkKind,
        /// The operation that it came with.
        operation: u64,
    },
    /// The same has been said before.
    #[error("{left} and {right} are under a {kind} already, since operation {operation}")]
    AlreadyLinked {
        /// One of the two records.
        left: String,
        /// The other.
        right: String,
        /// What was said of them.
        kind: LinkKind,
        /// The operation that it came with.
        operation: u64,
    },
    /// A link needs two mentions.
    #[error("{record} is one mention; a link needs two")]
    SameMention {
        /// The mention, as it was named.
        record: String,
    },
    /// There is no such fact.
    #[error("there is no fact {record}; check its identifier and its source")]
    UnknownFact {
        /// The fact, as it was named.
        record: String,
    },
    /// The fact is forgotten.
    #[error(
        "fact {record} is forgotten; what forgot it can be undone until `compact` (`log` tells the position)"
    )]
    ForgottenFact {
        /// The fact, as it was named.
        record: String,
    },
    /// There is no such source.
    #[error("no fact came from the source {source_name}; `stats` lists the sources")]
    UnknownSource {
        /// The source.
        source_name: String,
    },
    /// All facts of the source are forgotten.
    #[error(
        "all facts of the source {source_name} are forgotten; what forgot them can be undone until `compact` (`log` tells the position)"
    )]
    ForgottenSource {
        /// The source.
        source_name: String,
    },
    /// The log has no such position.
    #[error("the log has no operation {position}; {}", end.checked_sub(1).map_or_else(|| "it is empty".to_owned(), |last| format!("its last is {last}")))]
    UnknownPosition {
        /// The position.
        position: u64,
        /// Position behind its last entry.
        end: u64,
    },
    /// The operation was compacted away.
    #[error("operation {position} is forgotten: it was compacted away and cannot be taken back")]
    Compacted {
        /// The position.
        position: u64,
    },
    /// The operation does not stand any more.
    #[error("operation {position} was taken back already{}", by.map_or_else(String::new, |by| format!(", by operation {by}")))]
    AlreadyUndone {
        /// The position.
        position: u64,
        /// The operation that did it, if it was a single one.
        by: Option<u64>,
    },
    /// The operation has no inverse.
    #[error("operation {position} ({what}) cannot be taken back")]
    NoInverse {
        /// The position.
        position: u64,
        /// What it was.
        what: &'static str,
    },
    /// What an inverse needs has changed since.
    #[error("operation {position} cannot be taken back now: {why}")]
    InTheWay {
        /// The position.
        position: u64,
        /// What stands in the way, and what to undo first.
        why: String,
    },
}

impl OperationError {
    /// An error of reading the snapshot.
    pub(crate) fn of_snapshot(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { place, what } => Self::Snapshot { place, what },
            // An unknown version may be a known one with a bit turned over.
            StoreError::Format { path, what } => Self::Snapshot { place: path.display().to_string(), what },
            other => Self::Store(other),
        }
    }
}
