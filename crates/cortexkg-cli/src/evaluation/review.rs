//! The decisions that somebody should look at first.

use cortexkg::{CandidateExplanation, Decision, Explanation, NodeId};
use serde::Serialize;

use super::Graph;
use super::seen::Seen;
use crate::failure::Failure;

/// Votes told on either side.
const VOTES_TOLD: usize = 3;
/// Votes below this many bits say nothing.
const BITS_MIN: f32 = 0.05;

/// The least certain decisions: those whose leading candidate is nearest to even odds of being the true node.
pub(crate) struct Review {
    /// Least certain first; of equals, the earlier.
    doubts: Vec<Doubt>,
    doubts_max: usize,
}

/// A decision that could as well have gone the other way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Doubt {
    /// The mention.
    pub record_id: String,
    /// The mention in one line.
    pub record: String,
    /// What was decided.
    pub decision: Decision,
    /// The leading candidate.
    pub node: NodeId,
    /// It in one line, as it stood after the decision.
    pub label: String,
    /// Probability, 0 to 1, that the mention belongs to it.
    pub confidence: f32,
    /// What speaks for it, strongest first.
    pub speaks_for: Vec<Argument>,
    /// What speaks against it, strongest first; what is known before any look at it included.
    pub speaks_against: Vec<Argument>,
}

/// One vote.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Argument {
    /// The field, or `prior`.
    pub field: String,
    /// Bits of evidence.
    pub bits: f32,
}

impl Review {
    pub(crate) fn new(doubts_max: usize) -> Self {
        Self { doubts: Vec::new(), doubts_max }
    }

    /// Notes a decision, right after it was taken.
    pub(crate) fn note(
        &mut self,
        graph: &Graph,
        source: Option<&str>,
        record_id: &str,
        seen: &Seen,
    ) -> Result<(), Failure> {
        let Some(leader) = seen.leader else { return Ok(()) };
        let distance = from_even(leader.probability);
        let place = self.doubts.partition_point(|doubt| from_even(doubt.confidence) <= distance);
        if place < self.doubts_max {
            // Only now: an explanation has to be read and put into words.
            let explanation = graph.why(source, record_id)?;
            if let Some(doubt) = Doubt::of(&explanation) {
                self.doubts.insert(place, doubt);
                self.doubts.truncate(self.doubts_max);
            }
        }
        Ok(())
    }

    pub(crate) fn into_doubts(self) -> Vec<Doubt> {
        self.doubts
    }
}

fn from_even(probability: f32) -> f32 {
    (probability - 0.5).abs()
}

impl Doubt {
    fn of(explanation: &Explanation) -> Option<Self> {
        let leader = explanation.candidates.first()?;
        Some(Self {
            record_id: explanation.result.record_id.clone(),
            record: explanation.mention.clone(),
            decision: explanation.result.decision,
            node: leader.node,
            label: leader.label.clone(),
            confidence: leader.probability,
            speaks_for: arguments(leader, |bits| bits >= BITS_MIN),
            speaks_against: arguments(leader, |bits| bits <= -BITS_MIN),
        })
    }
}

/// The strongest votes of one side.
fn arguments(leader: &CandidateExplanation, is_meant: impl Fn(f32) -> bool) -> Vec<Argument> {
    let votes = leader.votes.iter().map(|vote| (vote.field.trim_start_matches('@'), vote.bits));
    let mut found: Vec<_> = votes
        .chain([("prior", leader.prior_bits)])
        .filter(|(_, bits)| is_meant(*bits))
        .map(|(field, bits)| Argument { field: field.to_owned(), bits })
        .collect();
    found.sort_by(|left, right| right.bits.abs().total_cmp(&left.bits.abs()));
    found.truncate(VOTES_TOLD);
    found
}
