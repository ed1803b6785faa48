//! What can be wrong with what comes in, and what to do about it.

use thiserror::Error;

use crate::feedback::LinkKind;
use crate::graph::NodeId;

/// A fact that cannot be taken in. Nothing of it has reached the graph; the next fact is unaffected.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum FactError {
    /// A name, value or identifier is longer than its bound in [`limits`](crate::fact::limits).
    #[error(
        "record {record}, field {field}: {bytes} bytes, at most {limit} are taken; shorten or split the value"
    )]
    TooLong {
        /// Identifier of the record.
        record: String,
        /// Name of the field (its first 64 characters).
        field: String,
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Something that must have a value is empty.
    #[error("record {record}, field {field}: is empty; give it a value or leave it out")]
    Empty {
        /// Identifier of the record.
        record: String,
        /// Name of the field.
        field: String,
    },
    /// No field of the record has a value, so nothing can be decided from it.
    #[error("record {record}: no field has a value; remove the record or fill at least one field")]
    NoValue {
        /// Identifier of the record.
        record: String,
    },
    /// A field has no name.
    #[error("record {record}: field {position} has no name; name it")]
    UnnamedField {
        /// Identifier of the record.
        record: String,
        /// Position of the field, counted from 1.
        position: usize,
    },
    /// Two fields of one record have the same name.
    #[error("record {record}, field {field}: stands twice; give a list, or two names")]
    RepeatedField {
        /// Identifier of the record.
        record: String,
        /// Name of the field.
        field: String,
    },
    /// More fields than one record may have, or than one graph may know.
    #[error(
        "record {record}: {count} fields, at most {limit} are taken; leave out what does not describe the thing"
    )]
    TooManyFields {
        /// Identifier of the record.
        record: String,
        /// Fields found.
        count: usize,
        /// Fields allowed.
        limit: usize,
    },
    /// More items than one list may have.
    #[error(
        "record {record}, field {field}: a list of {count} items, at most {limit} are taken; split the record"
    )]
    TooManyItems {
        /// Identifier of the record.
        record: String,
        /// Name of the field.
        field: String,
        /// Items found.
        count: usize,
        /// Items allowed.
        limit: usize,
    },
    /// A NUL character, which no text of a record contains: the input is binary or damaged.
    #[error(
        "record {record}, field {field}: NUL character at byte {position}; the input looks binary or damaged"
    )]
    NulByte {
        /// Identifier of the record.
        record: String,
        /// Name of the field.
        field: String,
        /// Byte offset within the value.
        position: usize,
    },
    /// The confidence of the source is no probability.
    #[error("record {record}, field confidence: {value} is not between 0 and 1")]
    Confidence {
        /// Identifier of the record.
        record: String,
        /// Value found.
        value: f32,
    },
    /// The embedding has another dimension than the engine's.
    #[error(
        "record {record}, field embedding: {found} dimensions, expected {expected}; use one model per graph"
    )]
    EmbeddingDimension {
        /// Identifier of the record.
        record: String,
        /// Dimensions found.
        found: usize,
        /// Dimensions expected.
        expected: String,
    },
    /// The embedding holds NaN or infinity.
    #[error("record {record}, field embedding: value {position} is {value}; every value must be finite")]
    EmbeddingNotFinite {
        /// Identifier of the record.
        record: String,
        /// Position of the value, counted from 0.
        position: usize,
        /// Value found.
        value: f32,
    },
    /// The embedding has no direction.
    #[error("record {record}, field embedding: all values are 0, so it has no direction; leave it out")]
    EmbeddingZero {
        /// Identifier of the record.
        record: String,
    },
    /// The embedder has no vector for the fact, which brings none.
    #[error("record {record}: has no vector: {source}")]
    NotEmbedded {
        /// Identifier of the record.
        record: String,
        /// Why.
        source: crate::embed::EmbedError,
    },
    /// The graph has no identifier left for another node, or no place for another mention.
    #[error("record {record}: the graph is full; start another one")]
    GraphFull {
        /// Identifier of the record.
        record: String,
    },
    /// A fact that comes with its nodes has not one for each of its mentions.
    #[error("record {record}: {found} nodes for {expected} mentions; give one per mention")]
    Nodes {
        /// Identifier of the record.
        record: String,
        /// Nodes given, of those that are known.
        found: usize,
        /// Mentions of the fact.
        expected: usize,
    },
    /// A fact that comes with its nodes is of a record that was forgotten, and these nodes would break a link of it.
    #[error(
        "record {record}: would break its {kind} with {other}, of operation {operation}; undo that operation, or let \
         `allocate` find its node"
    )]
    Linked {
        /// Identifier of the record.
        record: String,
        /// What was said of it.
        kind: LinkKind,
        /// The record that it was said with.
        other: String,
        /// The operation that the link came with.
        operation: u64,
    },
    /// The same source has given this identifier before.
    #[error("record {record}: stands twice in source {source_name}; identifiers are unique within a source")]
    DuplicateId {
        /// Identifier of the record.
        record: String,
        /// Name of the source.
        source_name: String,
    },
}

/// Ballots that cannot be committed. The graph is as it was.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The fact itself cannot be taken in.
    #[error(transparent)]
    Fact(#[from] FactError),
    /// The learned tables have moved on since the ballot was made.
    #[error("the ballot was made with tables of version {ballot}, now {now} are in force; decide again")]
    Stale {
        /// Version that the ballot names.
        ballot: u32,
        /// Version in force.
        now: u32,
    },
    /// Not one ballot per mention.
    #[error("{found} ballots for {expected} mentions; give one ballot per mention, in their order")]
    Ballots {
        /// Mentions of the fact.
        expected: usize,
        /// Ballots given.
        found: usize,
    },
    /// The ballot speaks of what this engine does not know: it was made elsewhere, or damaged on the way.
    #[error("the ballot holds {what}; recall and decide here")]
    Damaged {
        /// What is wrong with it.
        what: String,
    },
    /// The ballot elects a node that is not in this graph.
    #[error("the ballot elects node {node}, which is not in this graph; recall and decide here")]
    UnknownNode {
        /// The node.
        node: NodeId,
    },
}

/// A graph that cannot be loaded. The engine's own graph is as it was.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// An identifier is taken, out of order or out of range.
    #[error("node {node}: identifiers must rise, be free, and lie between {least} and {max}; renumber or leave them out", max = NodeId::MAX)]
    Id {
        /// The identifier found.
        node: NodeId,
        /// Least identifier that is free.
        least: NodeId,
    },
    /// A node says nothing.
    #[error("node {node}: has neither properties nor aliases, so nothing could ever be allocated to it")]
    Empty {
        /// The node.
        node: NodeId,
    },
    /// A node's properties, aliases or embedding break a bound.
    #[error("node {node}: {source}")]
    Node {
        /// The node.
        node: NodeId,
        /// What is wrong.
        source: FactError,
    },
    /// A name that a member of a loaded node would get is taken by a fact.
    #[error("node {node}: a fact is named {record} already; give the node another identifier")]
    Taken {
        /// The node.
        node: NodeId,
        /// The name.
        record: String,
    },
    /// An edge's predicate breaks a bound.
    #[error("edge {position}: {source}")]
    Predicate {
        /// Position of the edge, counted from 0.
        position: usize,
        /// What is wrong.
        source: FactError,
    },
    /// An edge leads nowhere.
    #[error("edge {position}: node {node} is neither in this graph nor loaded before")]
    Edge {
        /// Position of the edge, counted from 0.
        position: usize,
        /// The node that is missing.
        node: NodeId,
    },
}
