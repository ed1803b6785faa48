//! The ballot: candidates weighed and ranked, ready to be committed, sent elsewhere, or explained.

use serde::{Deserialize, Serialize};

use crate::candidates::Origins;
use crate::columns::Vote;
use crate::decision::{AllocationMethod, Decision};
use crate::evidence::Bits;
use crate::graph::NodeId;
use crate::spike::SpikePattern;

/// A decision on one mention before it is committed.
///
/// Fields and values in its votes are numbers of the engine that made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ballot {
    /// Version of the learned tables that the votes were taken from.
    pub table_version: u32,
    /// The outcome.
    pub decision: Decision,
    /// The strongest candidates, best first; the first is the leader. As many as are kept for explanation.
    pub competitors: Vec<Competitor>,
    /// How many candidates competed.
    pub candidates: u32,
    /// Probability, 0 to 1, that the mention needs a new node.
    pub new_probability: f32,
    /// Evidence by which the outcome beat the next best.
    pub margin: Bits,
    /// How the candidates were found.
    pub method: AllocationMethod,
    /// The mention's code, for the index.
    pub pattern: SpikePattern,
}

/// One candidate with its votes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Competitor {
    /// The node.
    pub node: NodeId,
    /// What recalled it.
    pub origins: Origins,
    /// Log2 prior odds.
    pub prior: Bits,
    /// Prior plus votes.
    pub evidence: Bits,
    /// Probability, 0 to 1, that the mention belongs to it.
    pub probability: f32,
    /// The votes, in the order of the columns.
    pub votes: Vec<Vote>,
}

impl Ballot {
    /// Probability, 0 to 1, that the outcome is right.
    pub fn confidence(&self) -> f32 {
        match self.decision {
            Decision::Existing => self.competitors.first().map_or(0.0, |leader| leader.probability),
            Decision::New | Decision::Possible => self.new_probability,
        }
    }
}
