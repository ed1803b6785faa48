//! What one decision was taken on.

use cortexkg::candidates::Candidates;
use cortexkg::evidence::Bits;
use cortexkg::{Ballot, Decision, NodeId};

/// The candidates and the outcome of one mention, as the engine showed them.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// What was recalled.
    pub(crate) recalled: Vec<NodeId>,
    /// The strongest of those that something spoke for.
    pub(crate) leader: Option<Leader>,
    /// The outcome.
    pub(crate) decision: Decision,
}

/// The candidate that led.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leader {
    pub(crate) node: NodeId,
    /// Probability, 0 to 1, that the mention belongs to it.
    pub(crate) probability: f32,
    pub(crate) evidence: Bits,
}

impl Seen {
    pub(crate) fn of(candidates: &Candidates, ballot: &Ballot) -> Self {
        let leader = ballot.competitors.first();
        Self {
            recalled: candidates.candidates.iter().map(|candidate| candidate.node).collect(),
            leader: leader.map(|leader| Leader {
                node: leader.node,
                probability: leader.probability,
                evidence: leader.evidence,
            }),
            decision: ballot.decision,
        }
    }
}
