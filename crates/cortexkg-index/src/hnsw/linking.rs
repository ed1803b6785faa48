//! Which of the nodes near it a node is linked with.
//!
//! **Invariant:** no step here cuts the graph in two. A link is given up only if its ends have a neighbour in common, or get one by a
//! link that is made in its place.

use super::HnswAllocationIndex;
use super::beam::Entry;
use super::walk::Walker;
use crate::score::Score;
use crate::vector::Vector;

/// What became of a candidate.
#[derive(Debug, Clone, Copy)]
pub(super) enum Choice {
    Chosen,
    /// This slot was chosen before and is nearer to it than the owner is.
    Behind(u32),
    /// There were enough.
    Beyond,
}

impl HnswAllocationIndex {
    /// Links a node that has no neighbours on this layer with the best of those near it.
    pub(super) fn connect(&mut self, layer: usize, slot: u32, near: &[Entry], walker: &mut Walker) {
        let choices = self.choose(near, self.config.max_connections, walker);
        for (neighbour, choice) in near.iter().zip(choices) {
            if matches!(choice, Choice::Chosen) {
                self.offer_link(layer, neighbour.slot, slot, neighbour.score, walker);
            }
        }
        if self.graph.degree(layer, slot) == 0
            && let Some(nearest) = near.first()
        {
            self.insist(layer, nearest.slot, slot, walker);
        }
    }

    /// Links a node with a new one, unless it has nearer ones in that direction. If it has too many then, those go that another is
    /// nearer to.
    fn offer_link(&mut self, layer: usize, slot: u32, new: u32, score: Score, walker: &mut Walker) {
        if self.graph.is_linked(layer, slot, new) {
            return;
        }
        if self.graph.is_full(layer, slot) {
            let mut all = self.neighbours_by_rank(layer, slot, walker);
            all.push(Entry::new(score, self.nodes.codes.id(new), new));
            all.sort_by(Entry::rank);
            let choices = self.choose(&all, self.graph.width(layer), walker);
            let is_wanted = all
                .iter()
                .zip(&choices)
                .any(|(entry, choice)| entry.slot == new && matches!(choice, Choice::Chosen));
            // Those behind the new one go only if it comes.
            let goes = |choice: Choice| match choice {
                Choice::Chosen => false,
                Choice::Behind(by) => by != new || is_wanted,
                Choice::Beyond => is_wanted,
            };
            for (entry, choice) in all.iter().zip(choices).rev() {
                if entry.slot != new && goes(choice) {
                    self.give_up(layer, slot, entry.slot, choice);
                }
            }
            if !is_wanted || self.graph.is_full(layer, slot) || self.graph.is_linked(layer, slot, new) {
                return;
            }
        }
        self.graph.link(layer, slot, new);
    }

    /// Takes a link away, if that cuts nobody off.
    fn give_up(&mut self, layer: usize, slot: u32, end: u32, choice: Choice) {
        if self.share_a_neighbour(layer, slot, end) {
            self.graph.unlink(layer, slot, end);
        } else if let Choice::Behind(by) = choice
            && !self.graph.is_full(layer, by)
            && self.graph.is_linked(layer, slot, by)
        {
            self.graph.unlink(layer, slot, end);
            self.graph.link(layer, by, end);
        }
    }

    /// Links a node with a new one that has room for two neighbours at least, whatever it has itself.
    fn insist(&mut self, layer: usize, slot: u32, new: u32, walker: &mut Walker) {
        if !self.make_room(layer, slot, walker) {
            // The new one comes between the node and its nearest neighbour.
            let nearest = self.neighbours_by_rank(layer, slot, walker)[0].slot;
            self.graph.unlink(layer, slot, nearest);
            self.graph.link(layer, new, nearest);
        }
        self.graph.link(layer, slot, new);
    }

    /// Links two nodes that are there already, if that cuts nobody off. Returns whether it did.
    pub(super) fn try_link(&mut self, layer: usize, a: u32, b: u32, walker: &mut Walker) -> bool {
        let has_room = self.make_room(layer, a, walker) && self.make_room(layer, b, walker);
        if has_room {
            self.graph.link(layer, a, b);
        }
        has_room
    }

    /// Sees that a node has room for a neighbour: if it is full, the farthest goes that is a neighbour of another. Returns whether
    /// there is room.
    fn make_room(&mut self, layer: usize, slot: u32, walker: &mut Walker) -> bool {
        if !self.graph.is_full(layer, slot) {
            return true;
        }
        let all = self.neighbours_by_rank(layer, slot, walker);
        let spare = all.iter().rev().find(|entry| self.share_a_neighbour(layer, slot, entry.slot));
        if let Some(spare) = spare {
            self.graph.unlink(layer, slot, spare.slot);
        }
        spare.is_some()
    }

    fn share_a_neighbour(&self, layer: usize, a: u32, b: u32) -> bool {
        self.graph.neighbours(layer, a).any(|end| end != b && self.graph.is_linked(layer, end, b))
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

    /// Of nodes in the order of their nearness to another: chosen are those that none chosen before is nearer to, so that they lie in
    /// many directions (Malkov and Yashunin 2018, algorithm 4), at most `width`. One choice for each.
    fn choose(&self, near: &[Entry], width: usize, walker: &mut Walker) -> Vec<Choice> {
        let codes = &self.nodes.codes;
        let mut chosen = Vec::with_capacity(width);
        let (mut vector, mut scores) = (Vector::blank(self.nodes.rotation.padded()), Vec::new());
        let choices = near.iter().map(|entry| {
            if chosen.len() == width {
                return Choice::Beyond;
            }
            codes.decode(self.nodes.kernels, entry.slot, &mut vector);
            codes.score(self.nodes.kernels, &vector, &chosen, &mut walker.scratch, &mut scores);
            if let Some(nearer) = scores.iter().position(|&score| score >= entry.score) {
                return Choice::Behind(chosen[nearer]);
            }
            chosen.push(entry.slot);
            Choice::Chosen
        });
        choices.collect()
    }
}
