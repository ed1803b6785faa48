//! Whether every node can be reached.

use fixedbitset::FixedBitSet;

use super::HnswAllocationIndex;

/// What [`audit`](HnswAllocationIndex::audit) found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Vectors in the index.
    pub nodes: usize,
    /// Ids, ascending, that no walk over the lowest layer reaches from the entry.
    pub unreachable: Vec<u64>,
    /// Links that lead to a free slot, to the node itself, twice to the same, or only one way: a fault of the program or of the
    /// memory.
    pub broken_links: usize,
    /// Links of the lowest layer, each counted from both ends.
    pub links: usize,
}

impl Audit {
    /// Whether all is as it must be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.unreachable.is_empty() && self.broken_links == 0
    }
}

impl HnswAllocationIndex {
    /// Looks at every link, and whether every vector can be reached. Changes nothing; takes time and an eighth of a byte per vector.
    #[must_use]
    pub fn audit(&self) -> Audit {
        let reached = self.reached();
        let mut audit = Audit { nodes: self.len(), ..Audit::default() };
        for slot in self.nodes.live_slots() {
            if !reached.contains(slot as usize) {
                audit.unreachable.push(self.nodes.codes.id(slot));
            }
            audit.links += self.graph.degree(0, slot);
            audit.broken_links += self.broken_links(0, slot);
        }
        for layer in 1..=self.graph.top() {
            for slot in self.graph.members(layer) {
                audit.broken_links += self.broken_links(layer, slot);
            }
        }
        audit.unreachable.sort_unstable();
        audit
    }

    /// Links every vector that cannot be reached with the nearest that can, and says how many there were.
    pub fn repair(&mut self) -> usize {
        let mut repaired = 0;
        let mut walker = self.walker();
        let mut reached = self.reached();
        let mut lost: Vec<u32> =
            self.nodes.live_slots().filter(|&slot| !reached.contains(slot as usize)).collect();
        lost.sort_by_key(|&slot| self.nodes.codes.id(slot));
        for slot in lost {
            if reached.contains(slot as usize) {
                continue;
            }
            let vector = self.nodes.decode(slot);
            let Some(entry) = self.descend(&vector, 0, &mut walker) else { break };
            self.walk(&vector, 0, entry, self.config.ef_construction, &mut walker);
            let near = walker.beam.entries().to_vec();
            let with_room = near.iter().find(|entry| !self.graph.is_full(0, entry.slot));
            let Some(neighbour) = with_room.or(near.first()) else { break };
            self.force_link(0, neighbour.slot, slot, &mut walker);
            self.reach(slot, &mut reached);
            repaired += 1;
            self.changes += 1;
        }
        self.keep(walker);
        repaired
    }

    fn reached(&self) -> FixedBitSet {
        let mut reached = FixedBitSet::with_capacity(self.nodes.slots());
        if let Some(entry) = self.entry {
            self.reach(entry, &mut reached);
        }
        reached
    }

    /// Adds what can be reached from a slot.
    fn reach(&self, from: u32, reached: &mut FixedBitSet) {
        let mut open = vec![from];
        reached.insert(from as usize);
        while let Some(slot) = open.pop() {
            open.extend(self.graph.neighbours(0, slot).filter(|&end| !reached.put(end as usize)));
        }
    }

    fn broken_links(&self, layer: usize, slot: u32) -> usize {
        let ends: Vec<u32> = self.graph.neighbours(layer, slot).collect();
        let is_broken = |(position, &end): (usize, &u32)| {
            end == slot
                || !self.nodes.live.contains(end as usize)
                || !self.graph.is_member(layer, end)
                || ends[..position].contains(&end)
                || !self.graph.is_linked(layer, end, slot)
        };
        ends.iter().enumerate().filter(|&end| is_broken(end)).count()
    }
}
