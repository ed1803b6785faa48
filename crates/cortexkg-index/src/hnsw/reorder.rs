//! Neighbours side by side in memory.

use std::collections::VecDeque;

use fixedbitset::FixedBitSet;

use super::HnswAllocationIndex;

impl HnswAllocationIndex {
    /// Puts the slots into the order in which a walk over all links meets them, breadth first, so that what is read together lies together,
    /// and gives back what removals have left free. Answers stay as they are. Takes time and memory for a copy.
    pub fn reorder(&mut self) {
        let mut order = Vec::with_capacity(self.len());
        let mut met = FixedBitSet::with_capacity(self.nodes.slots());
        let starts: Vec<u32> = self.entry.into_iter().chain(self.nodes.live_slots()).collect();
        let mut open = VecDeque::new();
        for start in starts {
            if met.put(start as usize) {
                continue;
            }
            open.push_back(start);
            while let Some(slot) = open.pop_front() {
                order.push(slot);
                order.extend(self.copies.of(slot).iter().filter(|&&copy| !met.put(copy as usize)));
                open.extend(self.graph.neighbours(0, slot).filter(|&end| !met.put(end as usize)));
            }
        }
        let entry_id = self.entry.map(|slot| self.nodes.codes.id(slot));
        self.nodes.reorder(&order);
        self.graph.reorder(&order);
        self.copies.reorder(&order);
        self.entry = entry_id.and_then(|id| self.nodes.slot(id));
        // Places hold slots.
        self.note_change();
    }
}
