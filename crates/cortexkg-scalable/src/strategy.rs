//! Which way a fact goes.

use std::collections::BTreeMap;
use std::fmt;

use cortexkg::{Fact, hundredth};
use serde::{Deserialize, Serialize};

/// Which way a fact goes through the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllocationStrategy {
    /// The plain engine: every vector is looked at.
    Direct,
    /// An index finds the near vectors.
    Hierarchical,
    /// The partitions of a cluster are asked.
    Distributed,
}

impl fmt::Display for AllocationStrategy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Direct => "direct",
            Self::Hierarchical => "hierarchical",
            Self::Distributed => "distributed",
        })
    }
}

/// A layer that was to be used and was not, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Fallback {
    /// The layer: `hnsw` or `distribution`.
    pub layer: &'static str,
    /// What stood in the way.
    pub reason: &'static str,
}

impl Fallback {
    /// The index is not whole yet.
    pub const INDEX_GROWS: Self = Self { layer: "hnsw", reason: "index is growing" };
    /// No cluster is configured.
    pub const NO_CLUSTER: Self = Self { layer: "distribution", reason: "no cluster is configured" };
}

/// How often each layer was to be used and was not, in mentions.
pub type Fallbacks = BTreeMap<Fallback, u64>;

/// Whether a fact is in the first so many hundredths of all. One without a name will have that of its position in the log.
pub(crate) fn is_in_share(fact: &Fact, position: u64, percent: u8) -> bool {
    let source = fact.source.as_deref().unwrap_or_default();
    let hundredth = || match &fact.record_id {
        Some(id) => hundredth(source, id),
        None => hundredth(source, &format!("#{position}")),
    };
    percent >= 100 || hundredth() < percent
}
