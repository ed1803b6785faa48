//! Which of the nodes near it a node is linked with.

use super::HnswAllocationIndex;
use super::beam::Entry;
use super::walk::Walker;
use crate::score::Score;
use crate::vector::Vector;

impl HnswAllocationIndex {
    /// Links a node that has no neighbours on this layer with the best of those near it.
    pub(super) fn connect(&mut self, layer: usize, slot: u32, near: &[Entry], walker: &mut Walker) {
        for neighbour in self.choose(near, self.config.max_connections, walker) {
            self.offer_link(layer, neighbour.slot, slot, neighbour.score, walker);
        }
        if self.graph.degree(layer, slot) == 0
            && let Some(nearest) = near.first()
        {
            self.force_link(layer, nearest.slot, slot, walker);
        }
    }

    /// Links a node with another, unless it has nearer ones in that direction. If it has too many then, those go that
    /// another is nearer to.
    pub(super) fn offer_link(
        &mut self,
        layer: usize,
        slot: u32,
        new: u32,
        score: Score,
        walker: &mut Walker,
    ) {
        if self.graph.is_full(layer, slot) {
            let mut all = self.neighbours_by_rank(layer, slot, walker);
            all.push(Entry::new(score, self.nodes.codes.id(new), new));
            all.sort_by(Entry::rank);
            let chosen = self.choose(&all, self.graph.width(layer), walker);
            let mut is_wanted = false;
            let mut chosen = chosen.iter().map(|entry| entry.slot).peekable();
            for entry in &all {
                // Both are in the same order.
                let is_chosen = chosen.next_if_eq(&entry.slot).is_some();
                if entry.slot == new {
                    is_wanted = is_chosen;
                } else if !is_chosen && self.graph.degree(layer, entry.slot) > 1 {
                    self.graph.unlink(layer, slot, entry.slot);
                }
            }
            if !is_wanted || self.graph.is_full(layer, slot) {
                return;
            }
        }
        self.graph.link(layer, slot, new);
    }

    /// Links two nodes, whatever they have: where one is full, its farthest neighbour that has others makes room.
    pub(super) fn force_link(&mut self, layer: usize, a: u32, b: u32, walker: &mut Walker) {
        for slot in [a, b] {
            if self.graph.is_full(layer, slot) {
                let all = self.neighbours_by_rank(layer, slot, walker);
                let shares = |entry: &&Entry| self.share_a_neighbour(layer, slot, entry.slot);
                let gone = all.iter().rev().find(shares).or(all.last());
                let gone = gone.expect("a full list is not empty").slot;
                self.graph.unlink(layer, slot, gone);
            }
        }
        if !self.graph.is_linked(layer, a, b) {
            self.graph.link(layer, a, b);
        }
    }

    fn share_a_neighbour(&self, layer: usize, a: u32, b: u32) -> bool {
        self.graph.neighbours(layer, a).any(|end| self.graph.is_linked(layer, end, b))
    }

    /// The neighbours of a node, the nearest first.
    pub(super) fn neighbours_by_rank(&self, layer: usize, slot: u32, walker: &mut Walker) -> Vec<Entry> {
        let ends: Vec<u32> = self.graph.neighbours(layer, slot).collect();
        self.ranked(slot, &ends, walker)
    }

    /// These nodes, those nearest to another first.
    pub(super) fn ranked(&self, slot: u32, ends: &[u32], walker: &mut Walker) -> Vec<Entry> {
        let codes = &self.nodes.codes;
        let (mut vector, mut scores) = (Vector::blank(self.nodes.rotation.padded()), Vec::new());
        codes.decode(self.nodes.kernels, slot, &mut vector);
        codes.score(self.nodes.kernels, &vector, ends, &mut walker.scratch, &mut scores);
        let entries = ends.iter().zip(&scores);
        let mut ranked: Vec<Entry> =
            entries.map(|(&slot, &score)| Entry::new(score, codes.id(slot), slot)).collect();
        ranked.sort_by(Entry::rank);
        ranked
    }

    /// Of nodes in the order of their nearness to another: those that none chosen before is nearer to, so that they lie in many
    /// directions (Malkov and Yashunin 2018, algorithm 4). At most `width`, in the same order.
    pub(super) fn choose(&self, near: &[Entry], width: usize, walker: &mut Walker) -> Vec<Entry> {
        let (mut chosen, mut slots) = (Vec::with_capacity(width), Vec::with_capacity(width));
        let (mut vector, mut scores) = (Vector::blank(self.nodes.rotation.padded()), Vec::new());
        for entry in near {
            if chosen.len() == width {
                break;
            }
            self.nodes.codes.decode(self.nodes.kernels, entry.slot, &mut vector);
            let codes = &self.nodes.codes;
            codes.score(self.nodes.kernels, &vector, &slots, &mut walker.scratch, &mut scores);
            if scores.iter().all(|&score| score < entry.score) {
                slots.push(entry.slot);
                chosen.push(*entry);
            }
        }
        chosen
    }
}
