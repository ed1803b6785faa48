//! Recall: which nodes could a mention belong to? Exact key ∪ early spikes ∪ vectors ∪ graph neighbours, capped. In a graph of no more
//! nodes than the cap every one of them: what is rare, and so what is to spike early, has yet to be seen.
//!
//! In the words of record linkage this is blocking. The inverted index keeps, for every neuron, the nodes whose members made
//! it spike early; a mention's own early spikes are looked up in it, strongest first, and each counts by its rank.

use cortexkg_store::StoreError;
use serde::{Deserialize, Serialize};

use crate::ablation::Ablation;
use crate::counters::Counters;
use crate::decision::AllocationMethod;
use crate::evidence::{Bits, log2_ratio};
use crate::graph::{NodeId, NodeIndex};
use crate::image::{ImageReader, ImageWriter};
use crate::paged::EachTable;
use crate::postings::{LIST_NODES_READ_MAX, Postings};
use crate::scores::Scores;
use crate::spike::SpikePattern;

/// What recalled a candidate; several roads may lead to one node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origins(u8);

impl Origins {
    /// It has the same key: identifier, IRI, or whole text.
    pub const EXACT_KEY: Self = Self(1);
    /// Its members made the same neurons spike early.
    pub const SPIKES: Self = Self(2);
    /// Its vector is near.
    pub const VECTOR: Self = Self(4);
    /// It is tied to the other end of the triple in the same way.
    pub const NEIGHBOUR: Self = Self(8);

    /// The graph has so few nodes that all of them are candidates.
    pub const SMALL_GRAPH: Self = Self(16);

    /// Whether all of `other` are among these.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Their names, in a fixed order.
    pub fn names(self) -> Vec<String> {
        [
            (Self::EXACT_KEY, "exact_key"),
            (Self::SPIKES, "spikes"),
            (Self::VECTOR, "vector"),
            (Self::NEIGHBOUR, "neighbour"),
            (Self::SMALL_GRAPH, "small_graph"),
        ]
        .iter()
        .filter(|(origin, _)| self.contains(*origin))
        .map(|(_, name)| (*name).to_owned())
        .collect()
    }
}

/// A node that a mention may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The node.
    pub node: NodeId,
    /// What recalled it.
    pub origins: Origins,
    /// Strength of recall by spikes; the unit has no meaning beyond the order.
    pub spike_score: u32,
}

/// The candidates of one mention, strongest recall first, each node once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidates {
    /// At most [`RecallConfig::candidates_max`].
    pub candidates: Vec<Candidate>,
    /// Whether every node was looked at: all are candidates, or all vectors were scanned (and not only used to score).
    pub is_exhaustive: bool,
    /// The mention's own code, for the index.
    pub pattern: SpikePattern,
}

impl Candidates {
    /// How they were found.
    #[must_use]
    pub fn method(&self) -> AllocationMethod {
        if self.is_exhaustive {
            AllocationMethod::Direct
        } else if self.candidates.iter().any(|candidate| candidate.origins.contains(Origins::VECTOR)) {
            AllocationMethod::Hnsw
        } else {
            AllocationMethod::Recalled
        }
    }
}

/// Bounds of recall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecallConfig {
    /// Most candidates of one mention, 1 to 4,096.
    pub candidates_max: usize,
    /// Most nodes read from the posting list of one neuron, up to 4,096; the newest count.
    pub postings_per_spike_max: usize,
    /// Most nodes read from all posting lists for one mention, spikes in order.
    pub postings_max: usize,
    /// Least spike score of a candidate recalled by spikes alone, as a part of the best score, in 1/256: what shares less than
    /// that with the mention never wins.
    pub spike_share_min: u32,
    /// Vectors that only repeat the words are scanned in graphs of fewer nodes than this. Those that say more are always looked for: by
    /// a scan, or by what [`Layers`](crate::Layers) says.
    pub scan_nodes_max: usize,
    /// Most candidates that the scan of vectors adds.
    pub vector_candidates_max: usize,
    /// Most candidates that graph neighbours add.
    pub neighbours_max: usize,
}

impl Default for RecallConfig {
    fn default() -> Self {
        Self {
            candidates_max: 64,
            postings_per_spike_max: 2048,
            postings_max: 12_288,
            spike_share_min: 128,
            scan_nodes_max: 4096,
            vector_candidates_max: 8,
            neighbours_max: 16,
        }
    }
}

/// Nodes by neuron and by key, and how often each feature has been seen.
#[derive(Debug, Default)]
pub(crate) struct SpikeIndex {
    postings: Postings,
    keys: Postings,
    counters: Counters,
}

impl SpikeIndex {
    /// Counts a feature of a mention.
    pub(crate) fn count(&mut self, feature: u64) {
        self.counters.add(feature);
    }

    /// Takes back what [`count`](Self::count) counted.
    pub(crate) fn uncount(&mut self, feature: u64) {
        self.counters.take_back(feature);
    }

    /// Asks for the counter of a feature that is about to be read.
    pub(crate) fn ask_for(&self, feature: u64) {
        self.counters.ask_for(feature);
    }

    /// Surprise of a feature in a random one of `mentions` mentions.
    pub(crate) fn information(&self, feature: u64, mentions: u64) -> Bits {
        log2_ratio(mentions + 1, u64::from(self.counters.get(feature).max(1)))
    }

    /// Lists a node under the spikes of a member.
    pub(crate) fn add(&mut self, pattern: &SpikePattern, node: NodeIndex) {
        for spike in &pattern.spikes {
            self.add_neuron(spike.neuron, node);
        }
    }

    /// Lists a node under a neuron.
    pub(crate) fn add_neuron(&mut self, neuron: u64, node: NodeIndex) {
        self.postings.insert(neuron, node);
    }

    /// The newest nodes listed under a neuron, newest first.
    pub(crate) fn with_neuron(&self, neuron: u64, most: usize) -> Vec<NodeIndex> {
        self.postings.newest(neuron, most)
    }

    /// Visits every list; nodes newest first.
    pub(crate) fn scan(&self, mut visit: impl FnMut(u64, &[NodeIndex])) -> Result<(), StoreError> {
        self.postings.scan(&mut visit)?;
        self.keys.scan(&mut visit)
    }

    /// Whether a node is listed under a neuron.
    pub(crate) fn lists(&self, neuron: u64, node: NodeIndex) -> bool {
        self.postings.contains(neuron, node)
    }

    /// Whether a node is listed under a key.
    pub(crate) fn lists_key(&self, key: u64, node: NodeIndex) -> bool {
        self.keys.contains(key, node)
    }

    /// Strikes a node from a neuron's list.
    pub(crate) fn remove(&mut self, neuron: u64, node: NodeIndex) {
        self.postings.remove(neuron, node);
    }

    /// Strikes a node from a key's list.
    pub(crate) fn remove_key(&mut self, key: u64, node: NodeIndex) {
        self.keys.remove(key, node);
    }

    /// Lists a node under a key.
    pub(crate) fn add_key(&mut self, key: u64, node: NodeIndex) {
        self.keys.insert(key, node);
    }

    /// The oldest nodes that have a key, oldest first.
    pub(crate) fn with_key(&self, key: u64, most: usize) -> Vec<NodeIndex> {
        let mut nodes = self.keys.newest(key, usize::MAX);
        nodes.reverse();
        nodes.truncate(most);
        nodes
    }

    /// Adds up, for every node listed under a spike, the weight of the spike's rank.
    ///
    /// Once what is left of the code could not lift a new node to the least share of the best score, only nodes found before are
    /// scored further.
    pub(crate) fn score(
        &self,
        pattern: &SpikePattern,
        config: &RecallConfig,
        ablation: Option<Ablation>,
        scores: &mut Scores,
    ) {
        let mut budget = config.postings_max;
        let weight_of = |rank| Ablation::weight_of_rank(ablation, rank);
        self.postings.touch(pattern.spikes.iter().map(|spike| spike.neuron));
        let mut left: u32 = (0..pattern.spikes.len()).map(weight_of).sum();
        for (rank, spike) in pattern.spikes.iter().enumerate() {
            let weight = weight_of(rank);
            let share_left = u64::from(left) * 256;
            let closed = share_left < u64::from(scores.top()) * u64::from(config.spike_share_min);
            left -= weight;
            let most = config.postings_per_spike_max.min(LIST_NODES_READ_MAX).min(budget);
            let mut nodes = std::mem::take(&mut scores.nodes);
            self.postings.read_newest(spike.neuron, most, &mut nodes);
            if closed {
                budget -= scores.add_to_found(&nodes, weight).min(budget);
            } else {
                scores.add_all(&nodes, weight);
                budget -= nodes.len();
            }
            scores.nodes = nodes;
        }
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        self.postings.save("postings", to)?;
        self.keys.save("keys", to)?;
        self.counters.save(to)
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        self.postings = Postings::open("postings", from)?;
        self.keys = Postings::open("keys", from)?;
        self.counters = Counters::load(from)?;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.postings.bytes() + self.keys.bytes() + self.counters.bytes()
    }

    pub(crate) fn each_table(&mut self, visit: &mut EachTable<'_>) {
        visit("postings", self.postings.blocks());
        visit("keys", self.keys.blocks());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spike::{Spike, rank_weight};

    fn pattern(neurons: &[u64]) -> SpikePattern {
        SpikePattern {
            spikes: neurons.iter().zip(0..).map(|(&neuron, tick)| Spike { tick, neuron }).collect(),
        }
    }

    proptest! {
        #[test]
        fn the_best_are_those_of_all_lists_read_whole(
            lists in prop::collection::vec(prop::collection::btree_set(0_u32..2000, 0..600), 1..48),
            share in 0_u32..=256,
        ) {
            let mut index = SpikeIndex::default();
            let mut expected = vec![0; 2000];
            for (rank, list) in lists.iter().enumerate() {
                for &node in list {
                    index.add_neuron(rank as u64, node);
                    expected[node as usize] += rank_weight(rank);
                }
            }
            let neurons: Vec<_> = (0..lists.len() as u64).collect();
            let config =
                RecallConfig { spike_share_min: share, postings_max: usize::MAX, ..RecallConfig::default() };
            let mut scores = Scores::default();
            scores.clear(2000);
            index.score(&pattern(&neurons), &config, None, &mut scores);
            prop_assert_eq!(scores.top(), expected.iter().copied().max().unwrap());
            let weakest = (scores.top() / 256 * share).max(1);
            let mut best: Vec<_> = (0..2000).filter(|&node| expected[node as usize] >= weakest).collect();
            best.sort_by_key(|&node| (std::cmp::Reverse(expected[node as usize]), node));
            best.truncate(64);
            prop_assert!(best.iter().all(|&node| scores.get(node) == expected[node as usize]));
            prop_assert_eq!(scores.best(64, weakest), best);
        }
    }

    #[test]
    fn nodes_are_ranked_by_the_spikes_they_share() {
        let mut index = SpikeIndex::default();
        index.add(&pattern(&[1, 2, 3]), 0);
        index.add(&pattern(&[3, 4]), 1);
        index.add(&pattern(&[3, 4]), 1);
        index.add(&pattern(&[9]), 2);
        let mut scores = Scores::default();
        for _ in 0..2 {
            scores.clear(3);
            index.score(&pattern(&[1, 3, 4]), &RecallConfig::default(), None, &mut scores);
            assert_eq!(scores.best(8, 0), [0, 1]);
            assert_eq!(scores.get(1), rank_weight(1) + rank_weight(2), "a node listed twice counts once");
            assert_eq!(scores.get(2), 0);
        }
    }

    #[test]
    fn reading_is_bounded_and_the_newest_are_read() {
        let mut index = SpikeIndex::default();
        for node in 0..1000 {
            index.add(&pattern(&[7]), node);
        }
        let config = RecallConfig { postings_per_spike_max: 10, ..RecallConfig::default() };
        let mut scores = Scores::default();
        scores.clear(1000);
        index.score(&pattern(&[7]), &config, None, &mut scores);
        assert_eq!(scores.best(64, 0), (990..1000).collect::<Vec<_>>());
    }
}
