//! Lateral inhibition: the candidates and "a new node" compete; the winner's lead is the confidence.
//!
//! Each competitor *i* has an activity `x_i ≥ 0`, all activities sum to one, and evidence `e_i` (in bits) drives it while the
//! others inhibit it through their mean: `dx_i/dt = x_i · (a_i − Σ_j x_j a_j)` with `a_i = e_i − log2 x_i`. This is
//! replicator dynamics with an entropy term (Hofbauer and Sigmund, *Evolutionary Games and Population Dynamics*, 1998);
//! its only stable fixed point has all `a_i` equal, so
//!
//! ```text
//! x_i = 2^e_i / Σ_j 2^e_j
//! ```
//!
//! which is the posterior probability when `e_i` is a log2 posterior odds against a common alternative. Nothing needs to be
//! simulated; the sum is taken over integers, in a fixed order.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::decision::Decision;
use crate::evidence::{Bits, EXP2_ONE, exp2};

/// Where the three outcomes part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InhibitionConfig {
    /// Least probability of the leading candidate, against that of a new node alone, for [`Decision::Existing`]: 0.5 lets the
    /// strongest of all competitors win. Rivals of the leader do not count here: an entity may have two nodes.
    pub existing_probability_min: f32,
    /// Least probability that the mention belongs to the leading candidate for [`Decision::Possible`]; below it the mention is
    /// [`Decision::New`].
    pub possible_probability_min: f32,
}

/// Least probability that makes the strongest competitor win.
const EVEN: f32 = 0.5;

impl InhibitionConfig {
    /// A bound on the share of links that are wrong, above 0 and at most 0.5: a mention joins a node only where the probability of an
    /// error is at most this. What is likelier than not and less sure than that is [`Decision::Possible`], however many rivals it
    /// has, so that nothing of it is lost to a second look; consolidation asks as much more of a merge. The bound holds as far as the
    /// probabilities come true, which `cortexkg evaluate` measures.
    ///
    /// # Errors
    /// A bound out of range.
    pub fn with_max_false_merge(mut self, bound: f32) -> Result<Self, FalseMergeBoundError> {
        if !(bound > 0.0 && bound <= EVEN) {
            return Err(FalseMergeBoundError { bound });
        }
        self.existing_probability_min = 1.0 - bound;
        Ok(self)
    }

    /// Most of the links that may be wrong, to a millionth.
    pub fn max_false_merge(&self) -> f64 {
        libm::round((1.0 - f64::from(self.existing_probability_min)) * 1e6) / 1e6
    }

    /// Bits by which more is asked of a link than to be likelier than not.
    pub(crate) fn caution(&self) -> Bits {
        let sure = f64::from(self.existing_probability_min).clamp(f64::from(EVEN), 1.0 - 1e-9);
        Bits::from_ratio(sure / (1.0 - sure)).max(Bits::ZERO)
    }
}

/// A bound on wrong links that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("a bound on false merges of {bound} cannot be; give a share above 0 and at most 0.5")]
pub struct FalseMergeBoundError {
    /// What was given.
    pub bound: f32,
}

impl Default for InhibitionConfig {
    fn default() -> Self {
        Self { existing_probability_min: 0.5, possible_probability_min: 0.05 }
    }
}

/// The state in which the competition comes to rest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FixedPoint {
    pub(crate) decision: Decision,
    /// Position of the strongest candidate, if there is one.
    pub(crate) leader: Option<usize>,
    /// Activity of every candidate, 0 to 1.
    pub(crate) activities: Vec<f32>,
    /// Activity of "a new node", 0 to 1.
    pub(crate) new_activity: f32,
    /// Evidence of the outcome minus that of the next best, in bits.
    pub(crate) margin: Bits,
}

/// The competition.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LateralInhibition {
    pub(crate) config: InhibitionConfig,
    /// Whether rivals do not inhibit each other ([`Ablation::Inhibition`](crate::ablation::Ablation)).
    pub(crate) is_left_out: bool,
}

impl LateralInhibition {
    /// Lets candidates compete with each other and with a new node, whose evidence is zero by definition. Of equal candidates
    /// the first leads.
    pub(crate) fn compete(&self, evidence: &[Bits]) -> FixedPoint {
        let top = evidence.iter().copied().max().unwrap_or(Bits::ZERO).max(Bits::ZERO);
        let masses: Vec<u64> = evidence.iter().map(|&bits| exp2(bits - top)).collect();
        let new_mass = exp2(Bits::ZERO - top);
        let mut leader: Option<usize> = None;
        for (at, bits) in evidence.iter().enumerate() {
            if leader.is_none_or(|best| *bits > evidence[best]) {
                leader = Some(at);
            }
        }
        // Thresholds as integers, so that the decision is one of integers.
        let threshold = |probability: f32| (f64::from(probability) * EXP2_ONE as f64) as u128;
        let reaches = |mass: u64, of: u64, probability: f32| {
            u128::from(mass) * u128::from(EXP2_ONE) >= threshold(probability) * u128::from(of)
        };
        let leader_mass = leader.map_or(0, |at| masses[at]);
        let existing = if self.is_left_out { leader_mass } else { masses.iter().sum() };
        let total = existing + new_mass;
        let share = |mass: u64| mass as f32 / total as f32;
        let decision = if leader.is_some()
            && reaches(leader_mass, leader_mass + new_mass, self.config.existing_probability_min)
        {
            Decision::Existing
        } else if leader.is_some()
            && (reaches(leader_mass, leader_mass + new_mass, EVEN)
                || reaches(leader_mass, total, self.config.possible_probability_min))
        {
            Decision::Possible
        } else {
            Decision::New
        };
        let best = leader.map_or(Bits::whole(-64), |at| evidence[at]);
        let second =
            evidence.iter().enumerate().filter(|(at, _)| Some(*at) != leader).map(|(_, &bits)| bits).max();
        let margin = match decision {
            Decision::Existing => best - second.unwrap_or(Bits::ZERO).max(Bits::ZERO),
            Decision::New | Decision::Possible => Bits::ZERO - best,
        };
        FixedPoint {
            decision,
            leader,
            activities: masses.iter().map(|&mass| share(mass)).collect(),
            new_activity: share(new_mass),
            margin: margin.max(Bits::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compete(bits: &[f64]) -> FixedPoint {
        let evidence: Vec<_> = bits.iter().map(|&bits| Bits::from_f64(bits)).collect();
        LateralInhibition::default().compete(&evidence)
    }

    #[test]
    fn a_clear_leader_wins_with_confidence() {
        let point = compete(&[12.0, 1.0, -8.0]);
        assert_eq!((point.decision, point.leader), (Decision::Existing, Some(0)));
        assert!(point.activities[0] > 0.99);
        assert_eq!(point.margin, Bits::whole(11));
    }

    #[test]
    fn nothing_near_means_new_and_a_close_call_is_possible() {
        assert_eq!(compete(&[]).decision, Decision::New);
        assert_eq!(compete(&[-9.0]).decision, Decision::New);
        assert_eq!(compete(&[-1.0]).decision, Decision::Possible);
        assert_eq!(compete(&[-9.0]).margin, Bits::whole(9));
        assert_eq!(compete(&[]).new_activity, 1.0);
    }

    #[test]
    fn a_bound_on_false_merges_widens_the_band_of_the_possible() {
        let config = InhibitionConfig::default();
        let bounded = config.with_max_false_merge(0.01).expect("in range");
        let decide = |config, bits: &[f64]| {
            let evidence: Vec<_> = bits.iter().map(|&bits| Bits::from_f64(bits)).collect();
            LateralInhibition { config, is_left_out: false }.compete(&evidence).decision
        };
        for (bits, expected) in
            [(7.0, Decision::Existing), (6.0, Decision::Possible), (0.5, Decision::Possible)]
        {
            assert_eq!(decide(config, &[bits]), Decision::Existing);
            assert_eq!(decide(bounded, &[bits]), expected, "{bits}");
        }
        // However many rivals there are.
        assert_eq!(decide(bounded, &[2.0; 64]), Decision::Possible);
        assert_eq!(decide(bounded, &[-9.0]), Decision::New);
        assert_eq!((config.caution(), bounded.caution().0 / 256), (Bits::ZERO, 6));
        for bound in [0.0, -1.0, 0.51, f32::NAN] {
            assert!(config.with_max_false_merge(bound).is_err(), "{bound}");
        }
    }

    proptest! {
        /// The closed form is where the dynamics come to rest.
        #[test]
        fn the_fixed_point_is_that_of_the_dynamics(bits in prop::collection::vec(-6.0f64..6.0, 1..6)) {
            let point = compete(&bits);
            let mut drive = bits.clone();
            drive.push(0.0);
            let mut x = vec![1.0 / drive.len() as f64; drive.len()];
            for _ in 0..4000 {
                let a: Vec<f64> = drive.iter().zip(&x).map(|(e, x)| e - x.log2()).collect();
                let mean: f64 = a.iter().zip(&x).map(|(a, x)| a * x).sum();
                for (x, a) in x.iter_mut().zip(&a) {
                    *x *= 1.0 + 0.02 * (a - mean);
                }
                let sum: f64 = x.iter().sum();
                x.iter_mut().for_each(|x| *x /= sum);
            }
            for (ours, theirs) in point.activities.iter().chain([&point.new_activity]).zip(&x) {
                prop_assert!((f64::from(*ours) - theirs).abs() < 0.01, "{ours} {theirs}");
            }
        }

        #[test]
        fn activities_sum_to_one(bits in prop::collection::vec(-80.0f64..80.0, 0..64)) {
            let point = compete(&bits);
            let sum: f32 = point.activities.iter().sum::<f32>() + point.new_activity;
            prop_assert!((sum - 1.0).abs() < 1e-4);
            prop_assert!(point.margin >= Bits::ZERO);
        }
    }
}
