//! Walking the graph towards a vector.

use fixedbitset::FixedBitSet;

use super::HnswAllocationIndex;
use super::beam::{Beam, Entry};
use crate::rows::Scratch;
use crate::score::Score;
use crate::vector::Vector;

/// Nodes that a walk over an upper layer holds on to. With one, it is lost where vectors lie in clusters far apart: of 200,000 such
/// vectors, one bit each, ef 32 met .81 of the nearest with 1, .91 with 8, .93 with 16; on texts 16 cost a fifth more time than 8.
const EF_ABOVE: usize = 8;

/// Memory of one walk, used again and again.
#[derive(Debug, Clone, Default)]
pub(super) struct Walker {
    visited: FixedBitSet,
    /// What is set in `visited`.
    met: Vec<u32>,
    pub(super) beam: Beam,
    pub(super) batch: Vec<u32>,
    pub(super) scores: Vec<Score>,
    pub(super) scratch: Scratch,
}

/// Most memory that a walk leaves for the next one, beside a bit for each slot: that of ten thousand nodes held on to.
const HANDY_BYTES_MAX: usize = 1 << 20;

impl Walker {
    fn forget(&mut self, slots: usize) {
        for &slot in &self.met {
            self.visited.remove(slot as usize);
        }
        self.met.clear();
        self.visited.grow(slots);
    }

    /// Whether its memory is worth keeping.
    pub(super) fn is_handy(&self) -> bool {
        self.bytes() - self.visited.len().div_ceil(8) <= HANDY_BYTES_MAX
    }

    pub(super) fn bytes(&self) -> usize {
        self.visited.len().div_ceil(8) + (self.met.capacity() + self.batch.capacity()) * 4 + self.beam.bytes()
    }
}

impl HnswAllocationIndex {
    pub(super) fn entry_of(&self, vector: &Vector, slot: u32, walker: &mut Walker) -> Entry {
        let nodes = &self.nodes;
        let score = nodes.codes.score_one(nodes.kernels, vector, slot, &mut walker.scratch);
        Entry::new(score, nodes.codes.id(slot), slot)
    }

    /// Where to begin on a layer: the nearest few nodes that walks over the layers above it reach, from the top. Empty if the index is.
    pub(super) fn descend(&self, vector: &Vector, layer: usize, walker: &mut Walker) -> Vec<Entry> {
        let Some(entry) = self.entry else { return Vec::new() };
        let mut starts = vec![self.entry_of(vector, entry, walker)];
        for layer in (layer + 1..=self.graph.top()).rev() {
            self.walk(vector, layer, &starts, EF_ABOVE, walker);
            starts.clear();
            starts.extend_from_slice(walker.beam.entries());
        }
        starts
    }

    /// Fills the beam with the `ef` nearest nodes of a layer that the walk from these meets.
    pub(super) fn walk(&self, vector: &Vector, layer: usize, from: &[Entry], ef: usize, walker: &mut Walker) {
        self.begin(from, ef, walker);
        while let Some(entry) = walker.beam.take_next() {
            self.score_unmet(vector, layer, entry.slot, walker);
            let Walker { beam, batch, scores, .. } = walker;
            for (&slot, &score) in batch.iter().zip(&*scores) {
                if beam.admits(score) {
                    beam.offer(Entry::new(score, self.nodes.codes.id(slot), slot));
                }
            }
            if layer == 0
                && let Some(next) = beam.peek()
            {
                self.graph.prefetch(next);
            }
        }
    }

    /// Begins a walk that holds on to `ef` nodes.
    pub(super) fn begin(&self, from: &[Entry], ef: usize, walker: &mut Walker) {
        walker.forget(self.nodes.slots());
        walker.beam.reset(ef);
        for &entry in from {
            walker.beam.offer(entry);
            walker.visited.insert(entry.slot as usize);
            walker.met.push(entry.slot);
        }
    }

    /// Scores the neighbours of a node that the walk has not met before: `batch`, and `scores` in its order.
    pub(super) fn score_unmet(&self, vector: &Vector, layer: usize, slot: u32, walker: &mut Walker) {
        let Walker { visited, met, batch, scores, scratch, .. } = walker;
        batch.clear();
        self.graph.extend(layer, slot, batch, |end| !visited.put(end as usize));
        met.extend_from_slice(batch);
        self.nodes.codes.score(self.nodes.kernels, vector, batch, scratch, scores);
    }
}
