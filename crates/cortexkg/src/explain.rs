//! Why a mention went where it went: the stored ballot in words that can be printed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decision::AllocationResult;
use crate::graph::NodeId;

/// Everything that decided one mention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The outcome.
    pub result: AllocationResult,
    /// The mention in one line.
    pub mention: String,
    /// The competitors that were kept, strongest first; empty if nothing resembled the mention.
    pub candidates: Vec<CandidateExplanation>,
    /// Probability, 0 to 1, that the mention needs a new node.
    pub new_probability: f32,
}

/// One competitor of the ballot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateExplanation {
    /// The node.
    pub node: NodeId,
    /// The node in one line.
    pub label: String,
    /// What recalled it: `exact_key`, `spikes`, `vector`, `neighbour`.
    pub origins: Vec<String>,
    /// Log2 prior odds that a mention belongs to this node, in bits.
    pub prior_bits: f32,
    /// Prior plus all votes, in bits.
    pub evidence_bits: f32,
    /// Probability, 0 to 1, that the mention belongs to it.
    pub probability: f32,
    /// One line per vote, in the order of the columns.
    pub votes: Vec<VoteExplanation>,
}

/// One vote of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteExplanation {
    /// `semantic`, `structural`, `temporal` or `exception`.
    pub column: String,
    /// The field it speaks of.
    pub field: String,
    /// Match weight in bits: positive speaks for the node, negative against.
    pub bits: f32,
    /// The reason in words.
    pub reason: String,
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = &self.result;
        writeln!(formatter, "{}  {}", result.record_id, self.mention)?;
        writeln!(
            formatter,
            "  {} → node {}   confidence {:.4}   margin {:.1} bits   P(new) {:.4}",
            result.decision,
            result.allocated_node,
            result.confidence,
            result.margin_bits,
            self.new_probability
        )?;
        if self.candidates.is_empty() {
            return writeln!(formatter, "  nothing in the graph resembled it");
        }
        for candidate in &self.candidates {
            writeln!(
                formatter,
                "  node {}  {}\n    evidence {:+.1} bits (prior {:+.1})   probability {:.4}   found by {}",
                candidate.node,
                candidate.label,
                candidate.evidence_bits,
                candidate.prior_bits,
                candidate.probability,
                candidate.origins.join(", ")
            )?;
            for vote in &candidate.votes {
                writeln!(
                    formatter,
                    "    {:+7.1}  {:<10}  {:<16}  {}",
                    vote.bits, vote.column, vote.field, vote.reason
                )?;
            }
        }
        Ok(())
    }
}
