//! Whether every node can be reached.

use fixedbitset::FixedBitSet;

use super::HnswAllocationIndex;

/// What [`audit`](HnswAllocationIndex::audit) found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Vectors in the index.
    pub nodes: usize,
    /// Ids, ascending, that no walk over the lowest layer reaches from the entry, neither themselves nor what they are copies of.
    pub unreachable: Vec<u64>,
    /// Links that lead to a free slot, to the node itself, twice to the same, or only one way, and copies that are none: a fault of the
    /// program or of the memory.
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
        let mut audit = Audit { nodes: self.len(), broken_links: self.broken_copies(), ..Audit::default() };
        for slot in self.nodes.live_slots() {
            if !self.is_met(slot, &reached) {
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

    /// Links every part of the graph that cannot be reached with what can, near to it if there is room, and says how many parts there
    /// were. Nothing is cut off by it: where no node has room, a link goes that closes a circle.
    pub fn repair(&mut self) -> usize {
        let mut repaired = 0;
        let mut walker = self.walker();
        let Some(entry) = self.entry else { return 0 };
        let mut reached = FixedBitSet::with_capacity(self.nodes.slots());
        self.reach(entry, &mut reached);
        let mut lost: Vec<u32> =
            self.nodes.live_slots().filter(|&slot| !self.is_met(slot, &reached)).collect();
        lost.sort_by_key(|&slot| self.nodes.codes.id(slot));
        for slot in lost {
            if reached.contains(slot as usize) || self.copies.is_copy(slot) {
                continue;
            }
            let mut part = FixedBitSet::with_capacity(self.nodes.slots());
            self.reach(slot, &mut part);
            let outer = self.with_room(slot, &part);
            let vector = self.nodes.decode(outer);
            let near = self.near(&vector, 0, self.config.ef_construction, &mut walker);
            // The way from above may have led into the part itself.
            let with_room = near
                .iter()
                .find(|entry| reached.contains(entry.slot as usize) && !self.graph.is_full(0, entry.slot));
            let inner = with_room.map_or_else(|| self.with_room(entry, &reached), |entry| entry.slot);
            self.graph.link(0, outer, inner);
            reached.union_with(&part);
            repaired += 1;
            self.note_change();
        }
        self.keep(walker);
        repaired
    }

    /// A node of a part of the graph that has room for a neighbour; if none has, one gets it by giving up a link that closes a circle.
    fn with_room(&mut self, from: u32, part: &FixedBitSet) -> u32 {
        let free = part.ones().map(|slot| slot as u32).filter(|&slot| !self.graph.is_full(0, slot));
        if let Some(slot) = free.min_by_key(|&slot| self.nodes.codes.id(slot)) {
            return slot;
        }
        let circle = self.reach(from, &mut FixedBitSet::with_capacity(self.nodes.slots()));
        let (slot, end) = circle.expect("a part whose nodes all have two neighbours or more has a circle");
        self.graph.unlink(0, slot, end);
        slot
    }

    fn reached(&self) -> FixedBitSet {
        let mut reached = FixedBitSet::with_capacity(self.nodes.slots());
        if let Some(entry) = self.entry {
            self.reach(entry, &mut reached);
        }
        reached
    }

    /// Whether a slot, or the node that it stands behind, is among these.
    fn is_met(&self, slot: u32, met: &FixedBitSet) -> bool {
        met.contains(self.copies.node(slot) as usize)
    }

    /// Adds what can be reached from a slot. Returns a link that closes a circle, the first that the walk meets: without it, as much
    /// can be reached.
    fn reach(&self, from: u32, reached: &mut FixedBitSet) -> Option<(u32, u32)> {
        let mut circle = None;
        let mut open = vec![(from, from)];
        reached.insert(from as usize);
        while let Some((slot, came_from)) = open.pop() {
            for end in self.graph.neighbours(0, slot) {
                if !reached.put(end as usize) {
                    open.push((end, slot));
                } else if end != came_from {
                    circle = circle.or(Some((slot, end)));
                }
            }
        }
        circle
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
