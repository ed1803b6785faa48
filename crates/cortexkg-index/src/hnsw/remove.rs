//! Leaving the graph so that nobody is cut off.

use super::HnswAllocationIndex;
use super::walk::Walker;
use crate::error::IndexError;
use crate::precision::Precision;
use crate::vector::Vector;

impl HnswAllocationIndex {
    /// Removes a vector. Its neighbours are linked with each other where it had held them together, and its slot is used again.
    ///
    /// # Errors
    ///
    /// [`IndexError::UnknownId`] if the id is not there.
    pub fn remove(&mut self, id: u64) -> Result<(), IndexError> {
        let slot = self.nodes.known(id)?;
        let mut walker = self.walker();
        let layers: Vec<usize> =
            (0..=self.graph.top()).filter(|&layer| self.graph.is_member(layer, slot)).collect();
        let heir = self.heir(slot);
        let mut holds_together = true;
        for &layer in &layers {
            let is_whole = self.leave(layer, slot, &mut walker);
            holds_together &= is_whole || layer > 0;
        }
        self.graph.remove(slot);
        self.nodes.remove(slot);
        if self.entry == Some(slot) {
            self.entry = heir;
        }
        self.changes += 1;
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
        } else {
            let vector = self.nodes.decode(slot);
            self.nodes.set_precision(slot, precision, &vector);
        }
        Ok(())
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

    /// Links nodes that have lost a neighbour they shared: each with those among them that lie in a direction where it has none
    /// nearer, and whatever links they need to hold together by themselves; the shortest first. Returns whether they do.
    fn heal(&mut self, layer: usize, around: &[u32], walker: &mut Walker) -> bool {
        let mut pairs = Vec::new();
        for (i, &a) in around.iter().enumerate() {
            for entry in self.ranked(a, &around[i + 1..], walker) {
                pairs.push((entry.score, self.nodes.codes.id(a), entry.id, a, entry.slot));
            }
        }
        pairs.sort_by_key(|&(score, a, b, ..)| (std::cmp::Reverse(score), a, b));
        let mut parts = Parts::new(around);
        for &a in around {
            for b in self.graph.neighbours(layer, a) {
                parts.join(a, b);
            }
        }
        for &(score, .., a, b) in &pairs {
            if self.graph.is_linked(layer, a, b) {
                continue;
            }
            let is_linked = if parts.are_one(a, b) {
                let has_room = !self.graph.is_full(layer, a) && !self.graph.is_full(layer, b);
                has_room && self.is_news(layer, a, b, score, walker) && self.try_link(layer, a, b, walker)
            } else {
                self.try_link(layer, a, b, walker)
            };
            if is_linked {
                parts.join(a, b);
            }
        }
        parts.are_all_one()
    }

    /// Whether one of two nodes has no neighbour that lies nearer to the other than it does itself. (To ask it of both kept 1 % less
    /// findable after 300,000 steps of churn.)
    fn is_news(&self, layer: usize, a: u32, b: u32, score: crate::Score, walker: &mut Walker) -> bool {
        [(a, b), (b, a)].into_iter().any(|(one, other)| {
            let ends: Vec<u32> = self.graph.neighbours(layer, one).collect();
            self.ranked(other, &ends, walker).first().is_none_or(|nearest| nearest.score < score)
        })
    }
}

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
