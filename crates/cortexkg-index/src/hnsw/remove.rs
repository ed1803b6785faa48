//! Leaving the graph so that nobody is cut off.

use std::cmp::Reverse;
use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::HnswAllocationIndex;
use super::walk::Walker;
use crate::error::IndexError;
use crate::precision::Precision;
use crate::score::Score;
use crate::vector::Vector;

impl HnswAllocationIndex {
    /// Removes a vector. Its neighbours are linked with each other where it had held them together, or with a vector of the same code, which
    /// takes its place; its slot is used again.
    ///
    /// # Errors
    ///
    /// [`IndexError::UnknownId`] if the id is not there.
    pub fn remove(&mut self, id: u64) -> Result<(), IndexError> {
        let slot = self.nodes.known(id)?;
        if self.copies.remove(slot) {
            self.nodes.remove(slot);
            self.note_change();
            return Ok(());
        }
        let layers: Vec<usize> =
            (0..=self.graph.top()).filter(|&layer| self.graph.is_member(layer, slot)).collect();
        if let Some(heir) = self.copies.hand_over(slot) {
            self.inherit(&layers, slot, heir);
            self.nodes.remove(slot);
            self.note_change();
            return Ok(());
        }
        let mut walker = self.walker();
        let entry = if self.entry == Some(slot) { self.heir(slot) } else { self.entry };
        let mut holds_together = true;
        for &layer in &layers {
            let is_whole = self.leave(layer, slot, &mut walker);
            holds_together &= is_whole || layer > 0;
        }
        self.graph.remove(slot);
        self.nodes.remove(slot);
        self.entry = entry;
        self.note_change();
        self.keep(walker);
        if !holds_together {
            self.repair();
        }
        Ok(())
    }

    /// Gives a vector another value. What it was kept at stays.
    ///
    /// # Errors
    ///
    /// [`IndexError::UnknownId`] if the id is not there, [`IndexError::DimensionMismatch`] if the vector is not of the dimension of
    /// the index.
    pub fn replace(&mut self, id: u64, vector: &Vector) -> Result<(), IndexError> {
        let slot = self.nodes.known(id)?;
        self.nodes.check(vector)?;
        let precision = self.nodes.precision(slot);
        self.remove(id)?;
        self.add(id, vector)?;
        if precision > self.config.precision {
            self.set_precision(id, precision, Some(vector))?;
        }
        Ok(())
    }

    /// Gives a vector a value near to the one that it has. What it was kept at stays, and so do its links: as cheap as writing the code,
    /// and as good as [`replace`](Self::replace) as long as the same vectors are near.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace).
    pub fn nudge(&mut self, id: u64, vector: &Vector) -> Result<(), IndexError> {
        let slot = self.nodes.known(id)?;
        self.nodes.check(vector)?;
        if self.copies.is_copy(slot) || !self.copies.of(slot).is_empty() {
            // It has been one of several equal ones, and is none any more.
            return self.replace(id, vector);
        }
        self.nodes.rewrite(slot, vector);
        self.note_change();
        Ok(())
    }

    /// Keeps a vector at another precision. Upwards, `vector` says what is to be kept; without it, or downwards, it is made of the
    /// best code that is there, which adds nothing that had been lost.
    ///
    /// # Errors
    ///
    /// [`IndexError::UnknownId`] if the id is not there, [`IndexError::DimensionMismatch`] if the vector is not of the dimension
    /// of the index, [`IndexError::PrecisionTooLow`] if the precision is below that of the index.
    pub fn set_precision(
        &mut self,
        id: u64,
        precision: Precision,
        vector: Option<&Vector>,
    ) -> Result<(), IndexError> {
        let slot = self.nodes.known(id)?;
        if precision < self.config.precision {
            return Err(IndexError::PrecisionTooLow { asked: precision, least: self.config.precision });
        }
        if let Some(vector) = vector {
            self.nodes.check(vector)?;
            self.nodes.set_precision(slot, precision, vector);
        } else if precision != self.nodes.precision(slot) {
            let vector = self.nodes.decode(slot);
            self.nodes.set_precision(slot, precision, &vector);
        }
        Ok(())
    }

    /// Puts a copy, which has no links, into the place of its node, on the layers where that is.
    fn inherit(&mut self, layers: &[usize], slot: u32, heir: u32) {
        self.graph.add(heir, layers.len() - 1);
        for &layer in layers {
            let ends: Vec<u32> = self.graph.neighbours(layer, slot).collect();
            for end in ends {
                self.graph.unlink(layer, slot, end);
                self.graph.link(layer, heir, end);
            }
        }
        self.graph.remove(slot);
        if self.entry == Some(slot) {
            self.entry = Some(heir);
        }
    }

    /// Where searches begin when this node is gone: one of its neighbours on the topmost layer, else any node of the highest layer
    /// that has another; the smallest id among them.
    fn heir(&self, slot: u32) -> Option<u32> {
        let by_id = |slot: &u32| self.nodes.codes.id(*slot);
        for layer in (1..=self.graph.top()).rev() {
            let heir = self.graph.members(layer).filter(|&member| member != slot).min_by_key(by_id);
            if heir.is_some() {
                return heir;
            }
        }
        let neighbour = self.graph.neighbours(0, slot).min_by_key(by_id);
        neighbour.or_else(|| self.nodes.live_slots().find(|&live| live != slot))
    }

    /// Takes a node out of a layer. Returns whether its neighbours are known to hold together without it.
    fn leave(&mut self, layer: usize, slot: u32, walker: &mut Walker) -> bool {
        let around: Vec<u32> =
            self.neighbours_by_rank(layer, slot, walker).iter().map(|entry| entry.slot).collect();
        for &neighbour in &around {
            self.graph.unlink(layer, slot, neighbour);
        }
        self.heal(layer, &around, walker)
    }

    /// Links nodes that have lost a neighbour they shared: each with one or two of those among them, where that is news to one of both,
    /// and whatever links they need to hold together by themselves; the shortest first. Returns whether they are known to hold together,
    /// by themselves or, on the lowest layer, by others.
    fn heal(&mut self, layer: usize, around: &[u32], walker: &mut Walker) -> bool {
        let (codes, kernels) = (&self.nodes.codes, self.nodes.kernels);
        let mut vectors = vec![Vector::blank(self.nodes.rotation.padded()); around.len()];
        let (mut pairs, mut scores) = (Vec::new(), Vec::new());
        for (a, vector) in vectors.iter_mut().enumerate() {
            codes.decode(kernels, around[a], vector);
            codes.score(kernels, vector, &around[a + 1..], &mut walker.scratch, &mut scores);
            pairs.extend(scores.iter().enumerate().map(|(offset, &score)| (score, a, a + 1 + offset)));
        }
        // They are given in an order that does not depend on slots.
        pairs.sort_by_key(|&(score, a, b)| (Reverse(score), a, b));
        let mut parts = Parts::new(around);
        for &slot in around {
            for end in self.graph.neighbours(layer, slot) {
                parts.join(slot, end);
            }
        }
        let mut gained = vec![0; around.len()];
        for (score, a, b) in pairs {
            let (one, other) = (around[a], around[b]);
            let is_needed = !parts.are_one(one, other);
            let is_enough = gained[a].max(gained[b]) >= GAINED_MAX;
            if (is_enough && !is_needed) || self.graph.is_linked(layer, one, other) {
                continue;
            }
            let is_linked = if is_needed {
                self.try_link(layer, one, other, walker)
            } else {
                let has_room = !self.graph.is_full(layer, one) && !self.graph.is_full(layer, other);
                let mut is_news = |from: u32, to: &Vector| {
                    self.nearest_score(layer, from, to, walker).is_none_or(|nearest| nearest < score)
                };
                let is_good = has_room && (is_news(one, &vectors[b]) || is_news(other, &vectors[a]));
                if is_good {
                    self.graph.link(layer, one, other);
                }
                is_good
            };
            if is_linked {
                parts.join(one, other);
                gained[a] += 1;
                gained[b] += 1;
            }
        }
        parts.are_all_one() || (layer == 0 && self.hold_together(parts))
    }

    /// Whether these parts of the lowest layer hold together by ways that lead over other nodes.
    fn hold_together(&self, mut parts: Parts<'_>) -> bool {
        let Some(&first) = parts.nodes.first() else { return true };
        for &slot in parts.nodes {
            if !parts.are_one(slot, first) {
                if !self.is_way_between(slot, first) {
                    return false;
                }
                parts.join(slot, first);
            }
        }
        true
    }

    /// Whether walks over all links from two nodes meet. They go breadth first and in turn, so that a way is found about halfway, and what
    /// is cut off in the time that the smaller side takes.
    fn is_way_between(&self, a: u32, b: u32) -> bool {
        let begin = |from: u32| (FxHashSet::from_iter([from]), VecDeque::from([from]));
        let (mut one, mut other) = (begin(a), begin(b));
        loop {
            let Some(slot) = one.1.pop_front() else { return false };
            for end in self.graph.neighbours(0, slot).filter(|&end| one.0.insert(end)) {
                if other.0.contains(&end) {
                    return true;
                }
                one.1.push_back(end);
            }
            std::mem::swap(&mut one, &mut other);
        }
    }

    /// How near the nearest neighbour of a node is to a vector.
    fn nearest_score(&self, layer: usize, slot: u32, vector: &Vector, walker: &mut Walker) -> Option<Score> {
        let Walker { batch, scores, scratch, .. } = walker;
        batch.clear();
        self.graph.extend(layer, slot, batch, |_| true);
        self.nodes.codes.score(self.nodes.kernels, vector, batch, scratch, scores);
        scores.iter().copied().max()
    }
}

/// Links that a node is given for one that it lost, beyond those that it needs.
const GAINED_MAX: u32 = 2;

/// Which of a few nodes hold together.
struct Parts<'a> {
    nodes: &'a [u32],
    part: Vec<usize>,
}

impl<'a> Parts<'a> {
    fn new(nodes: &'a [u32]) -> Self {
        Self { nodes, part: (0..nodes.len()).collect() }
    }

    fn of(&self, slot: u32) -> Option<usize> {
        self.nodes.iter().position(|&node| node == slot).map(|position| self.part[position])
    }

    fn are_one(&self, a: u32, b: u32) -> bool {
        self.of(a) == self.of(b)
    }

    fn are_all_one(&self) -> bool {
        self.part.windows(2).all(|pair| pair[0] == pair[1])
    }

    /// Nothing happens if one of them is not among the nodes.
    fn join(&mut self, a: u32, b: u32) {
        if let (Some(a), Some(b)) = (self.of(a), self.of(b)) {
            for part in &mut self.part {
                if *part == b {
                    *part = a;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HnswConfig;
    use crate::rotation::splitmix64;

    /// Only a cut is worth a look at the whole graph: among vectors that lie in all directions, one removal of fourteen took one
    /// because its neighbours did not hold together by themselves.
    #[test]
    fn a_removal_looks_at_the_whole_graph_only_if_it_has_cut_it() {
        let mut state = 7;
        let mut index =
            HnswAllocationIndex::new(HnswConfig { max_connections: 5, ..HnswConfig::new(64) }).unwrap();
        for id in 0..3_000 {
            let embedding: Vec<f32> =
                (0..64).map(|_| (splitmix64(&mut state) >> 40) as f32 / 8_388_608.0 - 1.0).collect();
            let vector = index.vector(&embedding).unwrap();
            index.add(id, &vector).unwrap();
        }
        let mut walker = Walker::default();
        for id in 0..600 {
            let slot = index.nodes.known(id).unwrap();
            let is_whole = index.leave(0, slot, &mut walker);
            // All that is cut off now is what has left.
            assert_eq!(is_whole, index.audit().unreachable.len() <= id as usize + 1, "vector {id}");
        }
    }
}
