//! Time-to-first-spike code: what is most telling about a mention spikes first, and only the earliest spikes count.
//!
//! Each feature of a mention is an input neuron. Its *intensity* is the information it carries (`log2(1 / frequency)`, in
//! bits) times how far its field can be relied on; strong neurons reach threshold early, so latency falls linearly with
//! intensity. k-winner-take-all keeps the earliest few. The neurons of one field share a *refractory period*: after one
//! has fired, the next must wait, so that one long field cannot fill the whole code.
//!
//! Sources: S. Thorpe and J. Gautrais, *Rank Order Coding* (1998), for coding by order of first spikes and for the similarity;
//! W. Maass, *On the Computational Power of Winner-Take-All* (2000), for k-WTA. Every latency is an integer tick.

use serde::{Deserialize, Serialize};

use crate::evidence::Bits;

/// Parameters of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpikeConfig {
    /// Most spikes in one pattern (the *k* of k-winner-take-all), 1 to 1,024. The neurons are all features that could
    /// occur; against a population of 2^20 even 1,024 are 0.1 % active.
    pub spikes_max: usize,
    /// Ticks that the neurons of one field wait after one of them has fired.
    pub refractory_ticks: u16,
}

impl Default for SpikeConfig {
    fn default() -> Self {
        Self { spikes_max: 48, refractory_ticks: 6 }
    }
}

/// Latest tick of a spike: that of a neuron with no intensity, which does not fire.
pub const TICKS: u16 = 384;
/// Intensity at which a neuron fires at tick 0.
const INTENSITY_FULL: Bits = Bits::whole(24);

/// One neuron's first spike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Spike {
    /// Latency, 0 (strongest) to [`TICKS`] − 1.
    pub tick: u16,
    /// The neuron: a hash of field, class and content of a feature.
    pub neuron: u64,
}

/// The earliest spikes of a mention, in order of time, then of neuron.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpikePattern {
    /// At most [`SpikeConfig::spikes_max`] spikes, each of another neuron.
    pub spikes: Vec<Spike>,
}

/// An input to the encoder: a feature with its intensity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stimulus {
    /// The neuron it drives.
    pub neuron: u64,
    /// Neurons of one group share the refractory period; the engine groups by field.
    pub group: u16,
    /// How telling it is. Nothing at or below zero fires.
    pub intensity: Bits,
}

/// Encodes stimuli as the order of first spikes.
///
/// ```
/// use cortexkg::evidence::Bits;
/// use cortexkg::spike::{SpikeConfig, Stimulus, TtfsSpikeEncoder};
///
/// let encoder = TtfsSpikeEncoder::new(SpikeConfig::default());
/// let stimulus = |neuron, bits| Stimulus { neuron, group: neuron as u16, intensity: Bits::whole(bits) };
/// let pattern = encoder.encode(&mut [stimulus(1, 3), stimulus(2, 12)]);
/// assert_eq!(pattern.spikes[0].neuron, 2, "the rarer feature fires first");
/// assert_eq!(pattern.similarity(&pattern), 65_536);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct TtfsSpikeEncoder {
    config: SpikeConfig,
}

impl TtfsSpikeEncoder {
    /// An encoder. Parameters out of range are brought into it.
    pub fn new(mut config: SpikeConfig) -> Self {
        config.spikes_max = config.spikes_max.clamp(1, 1024);
        Self { config }
    }

    /// Latency of an intensity: linear, [`TICKS`] for none, 0 from 24 bits on.
    pub fn latency(intensity: Bits) -> u16 {
        let missing = INTENSITY_FULL.0 - intensity.0.clamp(0, INTENSITY_FULL.0);
        (missing / (INTENSITY_FULL.0 / i32::from(TICKS))) as u16
    }

    /// Encodes; the order of the stimuli does not matter, and they are left in another one.
    pub fn encode(&self, stimuli: &mut [Stimulus]) -> SpikePattern {
        stimuli.sort_by_key(|s| (s.group, std::cmp::Reverse(s.intensity), s.neuron));
        let mut spikes = Vec::with_capacity(stimuli.len());
        let mut group = None;
        let mut ready = 0;
        for stimulus in stimuli.iter().filter(|stimulus| stimulus.intensity > Bits::ZERO) {
            if group != Some(stimulus.group) {
                group = Some(stimulus.group);
                ready = 0;
            }
            let tick = Self::latency(stimulus.intensity).max(ready);
            if tick < TICKS {
                spikes.push(Spike { tick, neuron: stimulus.neuron });
                ready = tick + self.config.refractory_ticks;
            }
        }
        // A neuron spikes once, the first time.
        spikes.sort_by_key(|spike| (spike.neuron, spike.tick));
        spikes.dedup_by_key(|spike| spike.neuron);
        spikes.sort();
        spikes.truncate(self.config.spikes_max);
        SpikePattern { spikes }
    }
}

/// `(15/16)^rank` in 1/65536: what the spike of a given rank counts for.
pub fn rank_weight(rank: usize) -> u32 {
    const LEN: usize = 256;
    const WEIGHTS: [u32; LEN] = {
        let mut weights = [65_536; LEN];
        let mut rank = 1;
        while rank < LEN {
            weights[rank] = weights[rank - 1] * 15 / 16;
            rank += 1;
        }
        weights
    };
    WEIGHTS.get(rank).copied().unwrap_or(0)
}

impl SpikePattern {
    /// Rank-order similarity in 1/65536: `Σ γ^(r+s) / Σ γ^2i` over the neurons that fire in both, with ranks *r* and *s*,
    /// γ = 15/16, and *i* over the ranks of the shorter pattern. 65,536 for the same order, 0 for nothing in common.
    ///
    /// Thorpe and Gautrais's response of a neuron tuned to one order when it hears another, made symmetric.
    pub fn similarity(&self, other: &Self) -> u32 {
        let mut mine: Vec<_> = self.spikes.iter().map(|spike| spike.neuron).zip(0..).collect();
        mine.sort_unstable();
        let product = |r, s| u64::from(rank_weight(r)) * u64::from(rank_weight(s));
        let shared: u64 = other
            .spikes
            .iter()
            .enumerate()
            .filter_map(|(s, spike)| {
                let at = mine.binary_search_by_key(&spike.neuron, |(neuron, _)| *neuron).ok()?;
                Some(product(mine[at].1, s))
            })
            .sum();
        let full: u64 = (0..self.spikes.len().min(other.spikes.len())).map(|i| product(i, i)).sum();
        (shared * 65_536).checked_div(full).map_or(0, |similarity| similarity.min(65_536) as u32)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stimuli(raw: Vec<(u64, u16, i32)>) -> Vec<Stimulus> {
        raw.into_iter().map(|(neuron, group, i)| Stimulus { neuron, group, intensity: Bits(i) }).collect()
    }

    proptest! {
        #[test]
        fn the_code_is_sparse_ordered_and_blind_to_input_order(
            raw in prop::collection::vec((0u64..500, 0u16..4, -100i32..7000), 0..120)
        ) {
            let encoder = TtfsSpikeEncoder::new(SpikeConfig { spikes_max: 20, refractory_ticks: 5 });
            let mut forward = stimuli(raw.clone());
            let mut backward = stimuli(raw.into_iter().rev().collect());
            let pattern = encoder.encode(&mut forward);
            prop_assert_eq!(&pattern, &encoder.encode(&mut backward));
            prop_assert!(pattern.spikes.len() <= 20);
            prop_assert!(pattern.spikes.is_sorted());
            prop_assert!(pattern.spikes.iter().all(|spike| spike.tick < TICKS));
        }

        #[test]
        fn similarity_is_symmetric_and_bounded(
            left in prop::collection::vec((0u64..40, 0u16..40, 1i32..6000), 0..30),
            right in prop::collection::vec((0u64..40, 0u16..40, 1i32..6000), 0..30),
        ) {
            let encoder = TtfsSpikeEncoder::default();
            let [a, b] = [left, right].map(|raw| encoder.encode(&mut stimuli(raw)));
            prop_assert_eq!(a.similarity(&b), b.similarity(&a));
            prop_assert!(a.similarity(&b) <= 65_536);
        }
    }

    #[test]
    fn neurons_of_one_field_wait_for_each_other() {
        let encoder = TtfsSpikeEncoder::new(SpikeConfig { spikes_max: 3, refractory_ticks: 50 });
        let raw = vec![(1, 0, 5000), (2, 0, 4990), (3, 0, 4980), (4, 1, 4000), (5, 2, 4000)];
        let neurons: Vec<_> =
            encoder.encode(&mut stimuli(raw)).spikes.iter().map(|spike| spike.neuron).collect();
        assert_eq!(neurons, [1, 2, 4], "the third of field 0 comes too late");
    }

    #[test]
    fn the_order_of_spikes_matters() {
        let pattern = |order: &[u64]| SpikePattern {
            spikes: order.iter().zip(0..).map(|(&neuron, tick)| Spike { tick, neuron }).collect(),
        };
        let (a, b, c) = (pattern(&[1, 2, 3, 4]), pattern(&[1, 2, 4, 3]), pattern(&[4, 3, 2, 1]));
        assert!(a.similarity(&b) > a.similarity(&c));
        assert_eq!(a.similarity(&pattern(&[7, 8])), 0);
    }
}
