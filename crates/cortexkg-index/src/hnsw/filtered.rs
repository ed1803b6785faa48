//! A walk that counts some nodes only.

use super::HnswAllocationIndex;
use super::beam::{Beam, Entry};
use super::walk::Walker;
use crate::vector::Vector;

/// How many times `ef` nodes a filtered walk holds on to, so that it gets across regions where nothing passes.
const OPEN_PER_EF: usize = 16;

impl HnswAllocationIndex {
    /// Fills the beam with the `ef` nearest nodes of the lowest layer whose id passes, as far as the walk meets them. If it has
    /// met fewer than `least` of them, it looks at every vector instead: what passes is found.
    pub(super) fn walk_filtered(
        &self,
        vector: &Vector,
        from: &[Entry],
        ef: usize,
        least: usize,
        passes: &mut dyn FnMut(u64) -> bool,
        walker: &mut Walker,
    ) {
        let mut accepted = Beam::default();
        accepted.reset(ef);
        for &entry in from {
            self.offer_passing(entry, passes, &mut accepted);
        }
        self.begin(from, ef.saturating_mul(OPEN_PER_EF), walker);
        while let Some(entry) = walker.beam.take_next() {
            if !accepted.admits(entry.score) {
                break;
            }
            self.score_unmet(vector, 0, entry.slot, walker);
            let Walker { beam, batch, scores, .. } = walker;
            for (&slot, &score) in batch.iter().zip(&*scores) {
                if !accepted.admits(score) {
                    continue;
                }
                let entry = Entry::new(score, self.nodes.codes.id(slot), slot);
                beam.offer(entry);
                self.offer_passing(entry, passes, &mut accepted);
            }
        }
        walker.beam = accepted;
        if walker.beam.entries().len() < least.min(ef) {
            self.scan(vector, ef, Some(passes), walker);
        }
    }

    /// Has the beam hold those that pass of a node and its copies.
    fn offer_passing(&self, node: Entry, passes: &mut dyn FnMut(u64) -> bool, accepted: &mut Beam) {
        for &slot in std::iter::once(&node.slot).chain(self.copies.of(node.slot)) {
            let entry = Entry::new(node.score, self.nodes.codes.id(slot), slot);
            if passes(entry.id) {
                accepted.offer(entry);
            }
        }
    }

    /// Fills the beam with the `ef` nearest of all nodes, or of those whose id passes, by looking at each.
    pub(super) fn scan(
        &self,
        vector: &Vector,
        ef: usize,
        mut passes: Option<&mut dyn FnMut(u64) -> bool>,
        walker: &mut Walker,
    ) {
        let codes = &self.nodes.codes;
        walker.beam.reset(ef);
        codes.scan(self.nodes.kernels, vector, &mut walker.scratch, |slot, score| {
            if walker.beam.admits(score) && self.nodes.live.contains(slot as usize) {
                let entry = Entry::new(score, codes.id(slot), slot);
                if passes.as_mut().is_none_or(|passes| passes(entry.id)) {
                    walker.beam.offer(entry);
                }
            }
        });
    }
}
