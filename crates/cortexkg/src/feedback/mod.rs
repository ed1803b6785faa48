//! Feedback: what people say of two mentions is honoured from then on, repairs what it touches, and teaches the weights.
//!
//! A *link* says that two mentions mean the same thing (must-link) or do not (cannot-link). These are the pairwise constraints of
//! constrained clustering (Wagstaff, Cardie, Rogers and Schrödl, "Constrained K-means clustering with background knowledge", 2001).
//! Where links come from:
//!
//! | what a user does | what it says |
//! |---|---|
//! | `must-link A B`, `cannot-link A B` | just that |
//! | `merge A B` | the oldest members of both must be linked |
//! | `unmerge`, `split` | the oldest members of both sides cannot be |
//! | `undo` of a merge that nobody asked for | cannot; of a split that nobody asked for: must |
//! | `undo` of anything above | the link is taken back, or stands again |
//!
//! What consolidation does says nothing: it is the engine's opinion, not a user's.
//!
//! # What holds
//!
//! - No operation leaves a standing link violated. One that would is refused with [`OperationError::Contradiction`], which names the
//!   operation that the link came with; consolidation leaves such a step out. Only what merges and splits by hand said gives way to
//!   the opposite by hand: somebody changed their mind.
//! - A link speaks of *records*. While one of its records is forgotten it has no effect; when the record comes back, restored or taken
//!   in again under its name, so does the link. A decision on such a record passes over nodes that it cannot be in, and takes the one
//!   that it must be in. Where both is asked for, because those were put together meanwhile, it stays apart.
//! - Links are part of the graph: of the state hash, of snapshots, of what a log starts from after a compaction.
//!
//! # How it stands in the log
//!
//! An entry carries [notes](Note): which link stands after it, and which does not any more. A link is known by the position of the
//! operation that it came with first, its *origin*; undoing turns each note of an entry round. So what a link is worth at any
//! position follows from the log alone. `must-link` and `cannot-link` are entries of their own; the merge or split that they need goes
//! before them in the same transaction, and they name its position.

mod check;
mod labels;
mod links;
mod operations;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use labels::Label;
pub(crate) use links::Links;

use crate::journal::MentionRef;

/// What a link says of two mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// They mean the same thing: they are members of one node.
    Must,
    /// They do not: they are members of different nodes.
    Cannot,
}

impl fmt::Display for LinkKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Must => "must-link",
            Self::Cannot => "cannot-link",
        })
    }
}

/// What was said of two mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) kind: LinkKind,
    pub(crate) left: MentionRef,
    pub(crate) right: MentionRef,
}

impl Link {
    /// Whether the link is broken where its mentions are in these nodes.
    pub(crate) fn is_broken<T: PartialEq>(self, left: &T, right: &T) -> bool {
        (self.kind == LinkKind::Must) != (left == right)
    }

    fn is_of(self, one: MentionRef, other: MentionRef) -> bool {
        [self.left, self.right] == [one, other] || [self.right, self.left] == [one, other]
    }
}

/// What an entry of the log says of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// Position of the operation that the link came with first.
    pub(crate) origin: u64,
    pub(crate) link: Link,
    /// Whether it stands from here on.
    pub(crate) stands: bool,
}

impl Note {
    pub(crate) fn turned(self) -> Self {
        Self { stands: !self.stands, ..self }
    }
}

/// A mention as people name it: by its source, and by the record's identifier, for the ends of triples with `#s` or `#o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MentionName<'a> {
    /// The source; none for facts that named none.
    pub source: Option<&'a str>,
    /// The record.
    pub record: &'a str,
}

/// A record of a fact that named no source.
impl<'a> From<&'a str> for MentionName<'a> {
    fn from(record: &'a str) -> Self {
        Self { source: None, record }
    }
}

/// Source and record.
impl<'a> From<(&'a str, &'a str)> for MentionName<'a> {
    fn from((source, record): (&'a str, &'a str)) -> Self {
        Self { source: Some(source), record }
    }
}

/// What [`must_link`](crate::DurableEngine::must_link) or [`cannot_link`](crate::DurableEngine::cannot_link) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// Position of the operation that the link came with.
    pub position: u64,
    /// Position of the merge or split that it made necessary.
    pub repair: Option<u64>,
}

/// A link that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// Position of the operation that it came with first.
    pub position: u64,
    /// What it says.
    pub kind: LinkKind,
    /// Its mentions: the log positions of their facts, and which mention of it.
    pub mentions: [MentionRef; 2],
    /// The same as records; none where the fact is forgotten, which leaves the link without effect.
    pub records: [Option<String>; 2],
}
