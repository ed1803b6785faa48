//! What comes out: where a fact went, how sure the engine is, and by which road the candidates were found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::graph::NodeId;

/// The three outcomes of the competition between the candidates and "a new node".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The fact belongs to a node that was there before.
    Existing,
    /// The fact needed a node of its own.
    New,
    /// Too close to call: the fact has a node of its own, tied to the leading candidate by a `possibly_same` edge.
    Possible,
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Existing => "existing",
            Self::New => "new",
            Self::Possible => "possible",
        })
    }
}

/// How the candidates were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllocationMethod {
    /// Every node was looked at: all of them in a very small graph, or every node's vector.
    Direct,
    /// Exact keys, spikes and graph neighbours recalled the candidates, vectors only scored them.
    Recalled,
    /// As before, and the nearest vectors that an approximate index found.
    Hnsw,
    /// As before, and what other partitions of a cluster found.
    Distributed,
}

impl fmt::Display for AllocationMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Direct => "direct",
            Self::Recalled => "recalled",
            Self::Hnsw => "hnsw",
            Self::Distributed => "distributed",
        })
    }
}

/// Where one mention went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllocationResult {
    /// The mention: the record's identifier; for the ends of a triple followed by `#s` or `#o`.
    pub record_id: String,
    /// The node that the mention belongs to now.
    pub allocated_node: NodeId,
    /// The outcome.
    pub decision: Decision,
    /// Probability, 0 to 1, that `allocated_node` is right: that of the leading candidate for
    /// [`Decision::Existing`], that of "a new node" otherwise.
    pub confidence: f32,
    /// Evidence, in bits, by which the outcome beat the next best. Never negative.
    pub margin_bits: f32,
    /// How candidates were found.
    pub method: AllocationMethod,
    /// How many candidates competed.
    pub candidates: u32,
    /// Position in the log of facts, counted from 0.
    pub log_position: u64,
    /// Whether the fact was there before: nothing was decided, and the standing assignment is repeated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// For a triple: where its object went. The result itself speaks of the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Box<AllocationResult>>,
}

impl AllocationResult {
    /// This result and, for a triple, that of its object: one per mention.
    pub fn mentions(&self) -> impl Iterator<Item = &AllocationResult> {
        std::iter::once(self).chain(self.object.as_deref())
    }
}
