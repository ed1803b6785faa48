//! What rules look at.

use serde::Serialize;

/// What was measured since the last look, and how things stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Observed {
    /// Decisions since the last look.
    pub decisions: u64,
    /// These per second of the engine's own time; none without a clock.
    pub decisions_per_s: Option<f64>,
    /// Part of the time of decisions in which candidates were sought, 0 to 1; none without a clock.
    pub recall_share: Option<f64>,
    /// Nodes in the graph.
    pub nodes: usize,
    /// Vectors that would be scanned or searched; 0 where vectors say no more than the words.
    pub vectors: usize,
    /// Their dimensions.
    pub dimension: usize,
    /// The index that is in use.
    pub index: Option<IndexState>,
    /// Whether an index is growing beside what there is.
    pub is_growing: bool,
    /// Bytes of all structures of the engine.
    pub memory_bytes: u64,
    /// Bytes of the vectors of the index and their links.
    pub vector_bytes: u64,
    /// Reads of nodes through the tiers since the last look.
    pub tiers: Option<TierReads>,
}

/// An index in use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct IndexState {
    /// Share of the nearest vectors that searches found, 0 to 1, since `ef_search` was changed.
    pub recall: f64,
    /// Searches that this was measured on.
    pub samples: usize,
}

/// Reads through the tiers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TierReads {
    /// Reads.
    pub reads: u64,
    /// Those that memory answered.
    pub hits: u64,
    /// Entries that gave way to others.
    pub evictions: u64,
    /// Bytes that both tiers take.
    pub bytes: u64,
}

impl TierReads {
    /// Share of the reads that memory answered, 0 to 1; none before the first.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        (self.reads > 0).then(|| self.hits as f64 / self.reads as f64)
    }
}
