//! Vectors of equal codes. One of them is in the graph; the others, its copies, stand behind it.
//!
//! Were all of them in the graph, a walk that meets one would fill its beam with the others, and get no farther; and each would be
//! nearer to the others than to anything else, so that hardly a link would lead away from them.

use fixedbitset::FixedBitSet;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::HnswAllocationIndex;
use super::beam::{Beam, Entry};
use super::walk::Walker;
use crate::rows::CodeRows;
use crate::vector::Vector;

/// Bytes of an entry in the table of places: two numbers and a control byte.
const PLACE_BYTES: usize = 4 + 4 + 1;

/// A node and its copies.
#[derive(Debug, Clone, Default)]
struct Group {
    node: u32,
    /// By id; empty only while the group is free.
    copies: Vec<u32>,
}

/// Who stands behind whom, by slots.
#[derive(Debug, Clone, Default)]
pub(crate) struct Copies {
    /// The groups of nodes that have copies, and of copies. Iterated only where the order does not matter.
    places: HashMap<u32, u32, FxBuildHasher>,
    groups: Vec<Group>,
    free: Vec<u32>,
}

impl Copies {
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn group(&self, slot: u32) -> Option<&Group> {
        self.places.get(&slot).map(|&group| &self.groups[group as usize])
    }

    /// The node that a slot stands behind; itself if it is a node.
    pub(super) fn node(&self, slot: u32) -> u32 {
        self.group(slot).map_or(slot, |group| group.node)
    }

    pub(super) fn is_copy(&self, slot: u32) -> bool {
        self.node(slot) != slot
    }

    /// The copies of a node, by id; none of a copy.
    #[inline]
    pub(super) fn of(&self, node: u32) -> &[u32] {
        self.group(node).filter(|group| group.node == node).map_or(&[], |group| &group.copies)
    }

    fn all(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.copies.is_empty())
    }

    fn add(&mut self, codes: &CodeRows, copy: u32, node: u32) {
        let Some(&group) = self.places.get(&node) else { return self.put(node, vec![copy]) };
        self.places.insert(copy, group);
        let copies = &mut self.groups[group as usize].copies;
        let position = copies.partition_point(|&one| codes.id(one) < codes.id(copy));
        copies.insert(position, copy);
    }

    fn put(&mut self, node: u32, copies: Vec<u32>) {
        let group = self.free.pop().unwrap_or_else(|| {
            self.groups.push(Group::default());
            self.groups.len() as u32 - 1
        });
        self.places.extend(copies.iter().chain([&node]).map(|&slot| (slot, group)));
        self.groups[group as usize] = Group { node, copies };
    }

    /// Forgets a copy; `false` if the slot is none.
    pub(super) fn remove(&mut self, copy: u32) -> bool {
        if !self.is_copy(copy) {
            return false;
        }
        let group = self.places[&copy];
        self.groups[group as usize].copies.retain(|&one| one != copy);
        self.forget(copy, group);
        true
    }

    /// Makes the first copy of a node the node of the others, if it has any, and says which.
    pub(super) fn hand_over(&mut self, node: u32) -> Option<u32> {
        let group = *self.places.get(&node)?;
        let Group { node: front, copies } = &mut self.groups[group as usize];
        *front = copies.remove(0);
        let heir = *front;
        self.forget(node, group);
        Some(heir)
    }

    /// Forgets a slot that its group has let go, and the group if it has no copies any more.
    fn forget(&mut self, slot: u32, group: u32) {
        self.places.remove(&slot);
        let Group { node, copies } = &self.groups[group as usize];
        if copies.is_empty() {
            self.places.remove(node);
            self.groups[group as usize] = Group::default();
            self.free.push(group);
        }
    }

    /// Slot `i` becomes that which was `order[i]`.
    pub(super) fn reorder(&mut self, order: &[u32]) {
        if self.is_empty() {
            return;
        }
        let renamed: HashMap<u32, u32, FxBuildHasher> =
            order.iter().enumerate().map(|(new, &old)| (old, new as u32)).collect();
        for Group { node, copies } in std::mem::take(self).groups {
            if !copies.is_empty() {
                self.put(renamed[&node], copies.iter().map(|copy| renamed[copy]).collect());
            }
        }
    }

    /// Each node that has copies, by slot: the slot, how many, and they.
    pub(crate) fn raw(&self) -> impl Iterator<Item = u32> + '_ {
        let mut groups: Vec<&Group> = self.all().collect();
        groups.sort_unstable_by_key(|group| group.node);
        groups.into_iter().flat_map(|group| {
            [group.node, group.copies.len() as u32].into_iter().chain(group.copies.iter().copied())
        })
    }

    /// What [`raw`](Self::raw) gave; none unless every slot stands once in it and is below `slots`.
    pub(crate) fn from_raw(mut raw: &[u32], slots: usize) -> Option<Self> {
        let mut copies = Self::default();
        let mut met = FixedBitSet::with_capacity(slots);
        while let Some((&[node, count], rest)) = raw.split_first_chunk() {
            let (list, rest) = rest.split_at_checked(count as usize)?;
            let mut is_new = |&slot: &u32| (slot as usize) < slots && !met.put(slot as usize);
            if list.is_empty() || !is_new(&node) || !list.iter().all(is_new) {
                return None;
            }
            copies.put(node, list.to_vec());
            raw = rest;
        }
        raw.is_empty().then_some(copies)
    }

    pub(super) fn bytes(&self) -> usize {
        let copies: usize = self.groups.iter().map(|group| group.copies.capacity() * size_of::<u32>()).sum();
        self.places.capacity() * PLACE_BYTES
            + self.groups.capacity() * size_of::<Group>()
            + self.free.capacity() * size_of::<u32>()
            + copies
    }
}

impl HnswAllocationIndex {
    /// Has a new vector stand behind one of those near it whose code is the same, if there is one. Returns whether it does.
    pub(super) fn stand_behind(
        &mut self,
        slot: u32,
        vector: &Vector,
        near: &[Entry],
        walker: &mut Walker,
    ) -> bool {
        let own = self.entry_of(vector, slot, walker).score;
        let codes = &self.nodes.codes;
        let same = near.iter().find(|entry| entry.score == own && codes.are_equal(entry.slot, slot));
        if let Some(same) = same {
            self.copies.add(codes, slot, same.slot);
        }
        same.is_some()
    }

    /// Has the beam hold the copies of what it holds as well, as far as they are among the best.
    pub(super) fn offer_copies(&self, beam: &mut Beam) {
        if self.copies.is_empty() {
            return;
        }
        for entry in beam.entries().to_vec() {
            // They are in the order of their ids: no later one ranks before these.
            for &copy in self.copies.of(entry.slot).iter().take(beam.capacity()) {
                beam.offer(Entry::new(entry.score, self.nodes.codes.id(copy), copy));
            }
        }
    }

    /// Faults of the table of copies: slots that are free, copies that have links or another code than their node, and lists that are not
    /// in the order of ids.
    pub(crate) fn broken_copies(&self) -> usize {
        let codes = &self.nodes.codes;
        let is_live = |slot: u32| self.nodes.live.contains(slot as usize);
        let is_copy_of = |copy: u32, node: u32| {
            is_live(copy)
                && codes.are_equal(copy, node)
                && self.graph.degree(0, copy) == 0
                && !self.graph.is_member(1, copy)
                && self.entry != Some(copy)
        };
        let broken = self.copies.all().map(|Group { node, copies }| {
            let is_in_order = is_live(*node) && copies.is_sorted_by(|&a, &b| codes.id(a) < codes.id(b));
            copies.iter().filter(|&&copy| !is_copy_of(copy, *node)).count() + usize::from(!is_in_order)
        });
        broken.sum()
    }
}
