//! How strongly each node is recalled, added up over the lists that it is in.

use cortexkg_simd::prefetch;

use crate::graph::NodeIndex;
use crate::postings::find;

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
    pub(crate) nodes: Vec<NodeIndex>,
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
    pub(crate) fn add_all(&mut self, nodes: &[NodeIndex], weight: u32) {
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
    pub(crate) fn add_to_found(&mut self, nodes: &[NodeIndex], weight: u32) -> usize {
        let Self { round, entries, touched, top, .. } = self;
        let start = *round << SCORE_BITS;
        let mut most = start | *top;
        let mut add = |entry: &mut u32| {
            let score = start | ((*entry & SCORE_MAX) + weight).min(SCORE_MAX);
            *entry = if *entry >= start { score } else { *entry };
            most = most.max(*entry);
        };
        let looked_at = if touched.len() * 8 < nodes.len() {
            let is_listed = |node: &NodeIndex| find(nodes, *node).is_ok();
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
    use super::*;

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
}
