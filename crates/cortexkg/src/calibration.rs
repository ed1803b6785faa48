//! Evidence to probability, as the stream itself shows it, without labels.
//!
//! Evidence says how likely a match is if the model holds; fields that depend on each other in ways that no table knows make it
//! say too much or too little. How often the leading candidate is wrong can be seen all the same: where a mention's leader is certain,
//! its *second* candidate is certainly wrong, and so the best that chance had to offer. How the evidence of such rivals is distributed is
//! the null distribution `f0` of the leader of a mention whose node is not in the graph. With the distribution `f` of all leaders and the
//! share `π0` of mentions without a node, the leader at evidence `e` is right with probability `1 − π0 f0(e) / f(e)`, one minus
//! the *local false discovery rate* (Efron, *Large-Scale Simultaneous Hypothesis Testing*, 2004; competing with a decoy, as
//! in the target-decoy search of Elias and Gygi, 2007). `π0` is what makes both agree where nothing is a match.
//!
//! The curve is made monotone by pooling adjacent violators (Ayer et al. 1955) and leans on the model where little has been seen.

use serde::{Deserialize, Serialize};

use crate::ballot::Ballot;
use crate::evidence::Bits;

/// Bins of one bit, the lowest at −40.
const BINS: usize = 64;
const LOWEST: i32 = -40;
/// Evidence from which on a leader is taken to be right, and below which to be wrong.
const CERTAIN: Bits = Bits::whole(10);
const HOPELESS: Bits = Bits::whole(-14);
/// Certain leaders before anything is said.
const CERTAIN_MIN: u32 = 64;
/// Weight of the model's own probability in a bin, in decisions.
const MODEL_DECISIONS: f64 = 8.0;
/// Most by which the curve may differ from the model: where candidates are few and poor, rivals are no fair sample of chance.
const CORRECTION_MAX: Bits = Bits::whole(4);
/// Least share of mentions without a node.
const NEW_SHARE_MIN: f64 = 0.02;

/// What has been seen, and the curve that came of it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calibration {
    decisions: u32,
    /// Decisions by the evidence of their leader.
    leaders: Vec<u32>,
    /// Decisions whose leader is certain; of these, by the evidence of the second.
    certain: u32,
    rivals: Vec<u32>,
    /// Calibrated log2 odds by bin; empty before the first refresh that had enough to go by.
    curve: Vec<Bits>,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { decisions: 0, leaders: vec![0; BINS], certain: 0, rivals: vec![0; BINS], curve: Vec::new() }
    }
}

fn bin(evidence: Bits) -> usize {
    (evidence.0.div_euclid(Bits::PER_BIT) - LOWEST).clamp(0, BINS as i32 - 1) as usize
}

/// Probability of log2 odds.
fn probability(odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp2(-odds.clamp(-60.0, 60.0)))
}

impl Calibration {
    /// Counts a decision.
    pub(crate) fn observe(&mut self, ballot: &Ballot) {
        self.decisions = self.decisions.saturating_add(1);
        let Some(leader) = ballot.competitors.first() else { return };
        self.leaders[bin(leader.evidence)] += 1;
        if leader.evidence >= CERTAIN {
            self.certain += 1;
            if let Some(rival) = ballot.competitors.get(1) {
                self.rivals[bin(rival.evidence)] += 1;
            }
        }
    }

    /// Draws the curve anew from all that was counted.
    pub(crate) fn refresh(&mut self) {
        if self.certain < CERTAIN_MIN {
            return;
        }
        let below = bin(HOPELESS);
        let seen: u32 = self.leaders.iter().sum();
        let without_leader = self.decisions.saturating_sub(seen);
        let without_rival = self.certain - self.rivals.iter().sum::<u32>();
        let low = |counts: &[u32], none: u32| f64::from(counts[..below].iter().sum::<u32>() + none);
        let chance = low(&self.rivals, without_rival) / f64::from(self.certain);
        let lone = low(&self.leaders, without_leader);
        let mentions = f64::from(self.decisions);
        let new_share =
            if chance > 0.0 { (lone / (mentions * chance)).clamp(NEW_SHARE_MIN, 1.0) } else { 1.0 };
        // Each bin: probability, and how much rests on it.
        let points = (0..BINS).map(|at| {
            let leaders = f64::from(self.leaders[at]);
            let wrong = new_share * mentions * f64::from(self.rivals[at]) / f64::from(self.certain);
            let model = probability(f64::from(LOWEST + at as i32) + 0.5);
            let right = (leaders - wrong).max(0.0) + MODEL_DECISIONS * model;
            (right / (leaders + MODEL_DECISIONS), leaders + MODEL_DECISIONS)
        });
        self.curve = pooled(points).into_iter().map(log_odds).collect();
    }

    /// Log2 odds that the leader is the true node, given its evidence.
    pub(crate) fn log_odds(&self, evidence: Bits) -> Bits {
        match self.curve.get(bin(evidence)) {
            Some(&calibrated) if evidence < CERTAIN => {
                calibrated.clamp(evidence - CORRECTION_MAX, evidence + CORRECTION_MAX)
            }
            _ => evidence,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        2 * BINS * size_of::<u32>() + self.curve.len() * size_of::<Bits>()
    }
}

fn log_odds(probability: f64) -> Bits {
    let sure = probability.clamp(1.0 / 65_536.0, 1.0 - 1.0 / 65_536.0);
    Bits::from_ratio(sure / (1.0 - sure))
}

/// The nearest rising sequence, by weighted least squares: pools adjacent violators.
fn pooled(points: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(BINS);
    for (value, weight) in points {
        let mut pool = (value, weight, 1);
        while let Some(&(before, its_weight, count)) = pools.last().filter(|before| before.0 >= pool.0) {
            pools.pop();
            let sum = its_weight + pool.1;
            pool = ((before * its_weight + pool.0 * pool.1) / sum, sum, count + pool.2);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_gives_a_rising_sequence_of_the_same_mean() {
        let found = pooled([(0.1, 1.0), (0.5, 1.0), (0.3, 3.0), (0.9, 1.0), (0.8, 1.0)].into_iter());
        assert_eq!(found.len(), 5);
        assert!(found.is_sorted(), "{found:?}");
        assert!((found[1] - 0.35).abs() < 1e-12 && (found[4] - 0.85).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn rivals_of_the_certain_tell_how_often_a_leader_is_wrong() {
        let mut calibration = Calibration { decisions: 2000, certain: 1000, ..Calibration::default() };
        calibration.leaders[bin(Bits::whole(30))] = 1000;
        // Half of all mentions are new. Chance offers 4 bits to one in ten, little to the others.
        calibration.rivals[bin(Bits::whole(4))] = 100;
        calibration.rivals[bin(Bits::whole(-30))] = 900;
        calibration.leaders[bin(Bits::whole(-30))] = 900;
        calibration.leaders[bin(Bits::whole(4))] = 200;
        calibration.refresh();
        let right = probability(calibration.log_odds(Bits::whole(4)).as_f64());
        assert!((right - 0.5).abs() < 0.05, "100 of 200 are chance: {right}");
        assert_eq!(calibration.log_odds(Bits::whole(30)), Bits::whole(30));
        assert!(calibration.log_odds(Bits::whole(-30)) < Bits::whole(-3));
    }

    #[test]
    fn before_enough_is_seen_evidence_stands() {
        let mut calibration = Calibration::default();
        calibration.refresh();
        assert_eq!(calibration.log_odds(Bits::whole(3)), Bits::whole(3));
    }
}
