//! Recall: which nodes could a mention belong to? Exact key ∪ early spikes ∪ vectors ∪ graph neighbours, capped. In a graph of no more
//! nodes than the cap every one of them: what is rare, and so what is to spike early, has yet to be seen.
//!
//! In the words of record linkage this is blocking. The inverted index keeps, for every neuron, the nodes whose members made
//! it spike early; a mention's own early spikes are looked up in it, strongest first, and each counts by its rank.

use cortexkg_simd::prefetch;
use cortexkg_store::StoreError;
use serde::{Deserialize, Serialize};

use crate::ablation::Ablation;
use crate::decision::AllocationMethod;
use crate::evidence::{Bits, log2_ratio};
use crate::graph::{NodeId, NodeIndex};
use crate::image::{ImageReader, ImageWriter};
use crate::paged::EachTable;
use crate::postings::{LIST_NODES_READ_MAX, Postings};
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

/// Slots of the table that counts features; two features may share one, which only makes both look more common.
const COUNTERS: usize = 1 << 20;
/// Counters in one record of a snapshot.
const COUNTERS_AT_ONCE: usize = 1024;

/// Nodes by neuron and by key, and how often each feature has been seen.
#[derive(Debug)]
pub(crate) struct SpikeIndex {
    postings: Postings,
    keys: Postings,
    counters: Vec<u32>,
}

impl Default for SpikeIndex {
    fn default() -> Self {
        Self { postings: Postings::default(), keys: Postings::default(), counters: vec![0; COUNTERS] }
    }
}

impl SpikeIndex {
    /// Counts a feature of a mention.
    pub(crate) fn count(&mut self, feature: u64) {
        let slot = &mut self.counters[feature as usize % COUNTERS];
        *slot = slot.saturating_add(1);
    }

    /// Takes back what [`count`](Self::count) counted.
    pub(crate) fn uncount(&mut self, feature: u64) {
        let slot = &mut self.counters[feature as usize % COUNTERS];
        *slot = slot.saturating_sub(1);
    }

    /// Asks for the counter of a feature that is about to be read.
    pub(crate) fn ask_for(&self, feature: u64) {
        prefetch(&self.counters[feature as usize % COUNTERS..][..1]);
    }

    /// Surprise of a feature in a random one of `mentions` mentions.
    pub(crate) fn information(&self, feature: u64, mentions: u64) -> Bits {
        log2_ratio(mentions + 1, u64::from(self.counters[feature as usize % COUNTERS].max(1)))
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
        pattern.spikes.iter().for_each(|spike| self.postings.touch(spike.neuron));
        let mut left: u32 = (0..pattern.spikes.len()).map(weight_of).sum();
        for (rank, spike) in pattern.spikes.iter().enumerate() {
            let weight = weight_of(rank);
            let share_left = u64::from(left) * 256;
            let closed = share_left < u64::from(scores.top) * u64::from(config.spike_share_min);
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
        to.section("counters", self.counters.chunks(COUNTERS_AT_ONCE))
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        self.postings = Postings::open("postings", from)?;
        self.keys = Postings::open("keys", from)?;
        self.counters.clear();
        from.section("counters", |part: Vec<u32>| self.counters.extend(part))?;
        let whole = self.counters.len() == COUNTERS;
        if whole { Ok(()) } else { Err(StoreError::damaged("the snapshot", "counters are missing")) }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.postings.bytes() + self.keys.bytes() + self.counters.len() * 4
    }

    pub(crate) fn each_table(&mut self, visit: &mut EachTable<'_>) {
        visit("postings", self.postings.blocks());
        visit("keys", self.keys.blocks());
    }
}

/// How many nodes ahead an entry is asked for that will be added to.
const AHEAD: usize = 16;

/// Bits of an entry that hold its score; those above hold the round.
const SCORE_BITS: u32 = 24;
const SCORE_MAX: u32 = (1 << SCORE_BITS) - 1;
const ROUND_MAX: u32 = u32::MAX >> SCORE_BITS;

/// Scores by node, cleared in no time: an entry counts only in the round that wrote it. Nodes are met in any order, so that of a large graph
/// hardly an entry is near: four bytes each, and asked for ahead.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores {
    round: u32,
    /// Round and score.
    entries: Vec<u32>,
    touched: Vec<NodeIndex>,
    top: u32,
    /// Nodes that were read from a list.
    nodes: Vec<NodeIndex>,
}

impl Scores {
    pub(crate) fn clear(&mut self, nodes: usize) {
        self.entries.resize(nodes, 0);
        self.touched.clear();
        self.top = 0;
        self.round += 1;
        if self.round > ROUND_MAX {
            self.entries.fill(0);
            self.round = 1;
        }
    }

    /// Adds to the scores of these nodes.
    ///
    /// Whether a node has a score cannot be foretold: a branch on it would cost more than writing what is not needed.
    fn add_all(&mut self, nodes: &[NodeIndex], weight: u32) {
        let Self { round, entries, touched, top, .. } = self;
        let start = *round << SCORE_BITS;
        let mut found = touched.len();
        touched.resize(found + nodes.len(), 0);
        for (at, &node) in nodes.iter().enumerate() {
            ask_for(entries, nodes.get(at + AHEAD));
            let entry = &mut entries[node as usize];
            let is_new = *entry < start;
            let before = if is_new { 0 } else { *entry & SCORE_MAX };
            let score = (before + weight).min(SCORE_MAX);
            *entry = start | score;
            *top = (*top).max(score);
            touched[found] = node;
            found += usize::from(is_new);
        }
        touched.truncate(found);
    }

    /// Adds to those of `nodes` (newest first) that have a score already. Returns how many nodes were looked at.
    fn add_to_found(&mut self, nodes: &[NodeIndex], weight: u32) -> usize {
        let Self { round, entries, touched, top, .. } = self;
        let start = *round << SCORE_BITS;
        let mut most = start | *top;
        let mut add = |entry: &mut u32| {
            let score = start | ((*entry & SCORE_MAX) + weight).min(SCORE_MAX);
            *entry = if *entry >= start { score } else { *entry };
            most = most.max(*entry);
        };
        let looked_at = if touched.len() * 8 < nodes.len() {
            let is_listed = |node: &NodeIndex| nodes.binary_search_by(|known| node.cmp(known)).is_ok();
            touched.iter().filter(|node| is_listed(node)).for_each(|&node| add(&mut entries[node as usize]));
            touched.len()
        } else {
            for (at, &node) in nodes.iter().enumerate() {
                ask_for(entries, nodes.get(at + AHEAD));
                add(&mut entries[node as usize]);
            }
            nodes.len()
        };
        *top = most & SCORE_MAX;
        looked_at
    }

    pub(crate) fn get(&self, node: NodeIndex) -> u32 {
        let entry = self.entries[node as usize];
        if entry >> SCORE_BITS == self.round { entry & SCORE_MAX } else { 0 }
    }

    /// The highest score.
    pub(crate) fn top(&self) -> u32 {
        self.top
    }

    /// The best `count` nodes of those whose score is at least `least`: highest score first, of equals the oldest first.
    pub(crate) fn best(&mut self, count: usize, least: u32) -> &[NodeIndex] {
        let Self { round, entries, touched, .. } = self;
        let least = *round << SCORE_BITS | least.min(SCORE_MAX);
        touched.retain(|node| entries[*node as usize] >= least);
        let order = |node: &NodeIndex| (std::cmp::Reverse(entries[*node as usize]), *node);
        if touched.len() > count {
            touched.select_nth_unstable_by_key(count, order);
            touched.truncate(count);
        }
        touched.sort_unstable_by_key(order);
        touched
    }

    pub(crate) fn bytes(&self) -> usize {
        (self.entries.capacity() + self.touched.capacity() + self.nodes.capacity()) * 4
    }
}

/// Asks for the entry of a node that comes later.
#[inline]
fn ask_for(entries: &[u32], node: Option<&NodeIndex>) {
    if let Some(&node) = node {
        prefetch(&entries[node as usize..][..1]);
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

    #[test]
    fn a_round_sees_nothing_of_those_before_it() {
        let mut scores = Scores::default();
        for round in 1..=1_000 {
            scores.clear(64);
            let nodes = [round % 64, (round * 7 + 1) % 64, (round * 13 + 2) % 64];
            let mut expected = [0_u32; 64];
            for weight in [round, 5] {
                scores.add_all(&nodes, weight);
                nodes.iter().for_each(|&node| expected[node as usize] += weight);
            }
            let all: Vec<_> = (0..64).rev().collect();
            assert!(scores.add_to_found(&all, 3) <= 3, "few are looked up in the list");
            expected.iter_mut().filter(|score| **score > 0).for_each(|score| *score += 3);
            let many: Vec<_> = (0..64).filter(|node| (node + round) % 3 > 0).collect();
            scores.add_all(&many, 1);
            many.iter().for_each(|&node| expected[node as usize] += 1);
            assert_eq!(scores.add_to_found(&all, 7), 64, "for many all of it is gone through");
            expected.iter_mut().filter(|score| **score > 0).for_each(|score| *score += 7);
            assert!((0..64).all(|node| scores.get(node) == expected[node as usize]), "round {round}");
            assert_eq!(scores.top(), expected.into_iter().max().unwrap());
            let mut best = scores.best(64, 1).to_vec();
            best.sort_unstable();
            assert!(best.iter().copied().eq((0..64).filter(|&node| expected[node as usize] > 0)));
        }
        scores.clear(64);
        (0..300).for_each(|_| scores.add_all(&[9], 1 << 20));
        assert_eq!(scores.get(9), SCORE_MAX, "no score runs into the round");
        scores.add_to_found(&[9], 1 << 20);
        assert_eq!((scores.get(9), scores.top()), (SCORE_MAX, SCORE_MAX));
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
