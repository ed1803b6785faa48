//! Ablation: the engine without one of its parts, to measure what the part is worth.
//!
//! A part that is left out is replaced by the plainest thing that can stand in its place. `cortexkg evaluate --leave-out` scores what
//! is left.

use serde::{Deserialize, Serialize};

use crate::columns::Column;
use crate::embed::mix;
use crate::perceive::{FeatureClass, PerceivedMention};
use crate::spike::{Spike, SpikePattern, rank_weight};

/// A part of the engine that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ablation {
    /// One column has no vote, in decisions and in consolidation; the tables are learned as ever.
    Column(Column),
    /// Candidates come by MinHash instead of spikes: 24 bands of 2 rows over all features of a mention (Broder, *On the Resemblance
    /// and Containment of Documents*, 1997; Indyk and Motwani, 1998), each band counting the same.
    SpikesForMinHash,
    /// Candidates come by the trigrams of a mention's words instead of spikes, each counting the same.
    SpikesForTrigrams,
    /// The strongest candidate wins if its evidence is above zero, whatever its rivals, and its probability is that against a new
    /// node alone.
    Inhibition,
}

/// Bands of a MinHash signature, and rows of each.
const BANDS: u64 = 24;
const ROWS: u64 = 2;
/// What a neuron counts for where all count the same.
const EVEN_WEIGHT: u32 = 1 << 12;

impl Ablation {
    /// The code of a mention where spikes are left out.
    pub(crate) fn pattern(self, mention: &PerceivedMention) -> Option<SpikePattern> {
        let keys = mention.features.iter();
        let mut neurons: Vec<u64> = match self {
            Self::SpikesForMinHash => {
                let keys: Vec<u64> = keys.map(|feature| feature.key).collect();
                let least =
                    |row: u64| keys.iter().map(|key| mix(key ^ mix(row | 1 << 63))).min().unwrap_or(0);
                let band = |band| (0..ROWS).fold(band, |sum, row| mix(sum ^ least(band * ROWS + row)));
                (0..BANDS).map(band).collect()
            }
            Self::SpikesForTrigrams => {
                let grams = keys.clone().filter(|feature| feature.class == FeatureClass::Gram);
                let grams: Vec<u64> = grams.map(|feature| feature.key).collect();
                // Where no word has three letters, words stand in.
                if grams.is_empty() { keys.map(|feature| feature.key).collect() } else { grams }
            }
            _ => return None,
        };
        neurons.sort_unstable();
        neurons.dedup();
        Some(SpikePattern { spikes: neurons.into_iter().map(|neuron| Spike { tick: 0, neuron }).collect() })
    }

    /// What the neuron of a rank counts for.
    pub(crate) fn weight_of_rank(ablation: Option<Self>, rank: usize) -> u32 {
        match ablation {
            Some(Self::SpikesForMinHash | Self::SpikesForTrigrams) => EVEN_WEIGHT,
            _ => rank_weight(rank),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perceive::Feature;

    fn mention(keys: impl IntoIterator<Item = u64>) -> PerceivedMention {
        let feature = |key| Feature { key: mix(key), value: 0, class: FeatureClass::Gram };
        PerceivedMention { features: keys.into_iter().map(feature).collect(), ..PerceivedMention::default() }
    }

    #[test]
    fn minhash_agrees_as_often_as_sets_overlap() {
        let pattern =
            |from, to| Ablation::SpikesForMinHash.pattern(&mention(from..to)).expect("a code").spikes;
        let shared = |a: &[Spike], b: &[Spike]| a.iter().filter(|spike| b.contains(spike)).count();
        let whole = pattern(0, 400);
        assert_eq!(whole.len() as u64, BANDS);
        assert_eq!(shared(&whole, &pattern(0, 400)), 24);
        // Half of the union is shared: a quarter of the bands of two rows, give or take.
        let half = shared(&whole, &pattern(0, 200));
        assert!((1..=14).contains(&half), "{half}");
        assert_eq!(shared(&whole, &pattern(400, 800)), 0);
    }
}
