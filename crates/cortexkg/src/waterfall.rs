//! Evidence as a walk: from the prior, vote by vote, to what a decision was taken on. Every step says where it leads.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::explain::{CandidateExplanation, VoteExplanation};

/// Shares of a step smaller than this come of rounding: evidence is held in 1/256 bit.
const ROUNDING_BITS: f32 = 1.0 / 256.0;

/// What a step stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Where every node starts: how likely it was before any look at it.
    Prior,
    /// One vote.
    Vote,
    /// What is taken off votes (or put back, where they speak against) because the fact is trusted in part.
    Trust,
}

/// One step of the walk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaterfallStep {
    /// What it stands for.
    pub kind: StepKind,
    /// The field it speaks of, or the name of what is no vote: `prior`, `trust`.
    pub field: String,
    /// How far mention and node agree, in words; for what is no vote, what it means.
    pub agreement: String,
    /// What the mention says, shortened; none if it is about no value.
    pub stated: Option<String>,
    /// What came nearest to it in the node, shortened.
    pub held: Option<String>,
    /// The part of the vote, 0 to 1, that stronger ones had said already and that was taken off.
    pub said_before: f32,
    /// The same in bits; none where everything was taken off.
    pub taken_off_bits: Option<f32>,
    /// By how much it moves the evidence: positive towards the node, negative away from it.
    pub bits: f32,
    /// The evidence behind it, in bits; 0 is where "a new node" stands.
    pub total_bits: f32,
}

impl CandidateExplanation {
    /// The walk from the prior to the evidence. Votes come strongest first, as they were before anything was taken off: what a
    /// vote said in vain was said by one above it. The last total is [`evidence_bits`](Self::evidence_bits).
    ///
    /// ```
    /// # use cortexkg::{AllocationEngine, EngineConfig, Fact};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut engine = AllocationEngine::new(EngineConfig::default());
    /// engine.allocate_fact(Fact::record([("name", "Citrus Grill"), ("phone", "213/857-0034")]).with_id("a"))?;
    /// engine.allocate_fact(Fact::record([("name", "citrus grill"), ("phone", "213-857-0034")]).with_id("b"))?;
    /// let why = engine.explain(None, "b").expect("its ballot is kept");
    /// let steps = why.candidates[0].waterfall();
    /// assert_eq!(steps[0].bits, why.candidates[0].prior_bits);
    /// assert_eq!(steps[steps.len() - 1].total_bits, why.candidates[0].evidence_bits);
    /// # Ok(())
    /// # }
    /// ```
    pub fn waterfall(&self) -> Vec<WaterfallStep> {
        let mut votes: Vec<&VoteExplanation> = self.votes.iter().collect();
        votes.sort_by(|a, b| strength(b).partial_cmp(&strength(a)).unwrap_or(Ordering::Equal));
        let prior = bare(StepKind::Prior, "prior", "before any look at it", self.prior_bits);
        let mut steps = vec![prior];
        steps.extend(votes.iter().map(|vote| WaterfallStep {
            kind: StepKind::Vote,
            field: vote.field.clone(),
            agreement: vote.agreement.clone(),
            stated: vote.stated.clone(),
            held: vote.held.clone(),
            said_before: vote.said_before,
            taken_off_bits: vote.taken_off_bits,
            bits: vote.bits,
            total_bits: 0.0,
        }));
        let said: f32 = self.votes.iter().map(|vote| vote.bits).sum();
        let counted = self.evidence_bits - self.prior_bits;
        if (counted - said).abs() > ROUNDING_BITS {
            let doubt = format!("the source is trusted by {:.0} %", 100.0 * self.trust);
            steps.push(bare(StepKind::Trust, "trust", &doubt, counted - said));
        }
        let mut total = 0.0;
        for step in &mut steps {
            total += step.bits;
            step.total_bits = total;
        }
        if let Some(last) = steps.last_mut() {
            last.total_bits = self.evidence_bits;
        }
        steps
    }
}

/// What a vote would have been worth alone.
fn strength(vote: &VoteExplanation) -> f32 {
    vote.bits + vote.taken_off_bits.unwrap_or(0.0)
}

fn bare(kind: StepKind, field: &str, agreement: &str, bits: f32) -> WaterfallStep {
    WaterfallStep {
        kind,
        field: field.to_owned(),
        agreement: agreement.to_owned(),
        stated: None,
        held: None,
        said_before: 0.0,
        taken_off_bits: Some(0.0),
        bits,
        total_bits: bits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Level;
    use crate::graph::NodeId;

    fn vote(field: &str, bits: f32, taken_off_bits: Option<f32>) -> VoteExplanation {
        VoteExplanation {
            column: "structural".into(),
            field: field.into(),
            level: Level::Exact,
            agreement: "the same".into(),
            stated: None,
            held: None,
            bits,
            said_before: 0.0,
            taken_off_bits,
            reason: String::new(),
        }
    }

    fn candidate(trust: f32, evidence_bits: f32) -> CandidateExplanation {
        CandidateExplanation {
            node: NodeId(0),
            label: String::new(),
            origins: Vec::new(),
            prior_bits: -4.0,
            trust,
            evidence_bits,
            probability: 0.5,
            votes: vec![
                vote("zip", -2.0, Some(0.0)),
                vote("city", 1.0, Some(7.0)),
                vote("name", 5.0, Some(0.0)),
            ],
        }
    }

    fn walk(candidate: &CandidateExplanation) -> Vec<(String, f32, f32)> {
        candidate.waterfall().into_iter().map(|step| (step.field, step.bits, step.total_bits)).collect()
    }

    #[test]
    fn the_walk_goes_from_the_prior_to_the_evidence_strongest_first() {
        let steps = walk(&candidate(1.0, 0.0));
        let expected = [("prior", -4.0, -4.0), ("city", 1.0, -3.0), ("name", 5.0, 2.0), ("zip", -2.0, 0.0)];
        assert_eq!(steps, expected.map(|(field, bits, total)| (field.to_owned(), bits, total)));
    }

    #[test]
    fn half_the_trust_takes_half_of_the_votes_off() {
        let steps = walk(&candidate(0.5, -2.0));
        assert_eq!(steps.last(), Some(&("trust".to_owned(), -2.0, -2.0)));
    }

    #[test]
    fn without_trust_nothing_counts() {
        assert_eq!(walk(&candidate(0.0, -4.0)).last(), Some(&("trust".to_owned(), -4.0, -4.0)));
    }
}
