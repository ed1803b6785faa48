//! The place of a vector: found, and taken.

use super::beam::{Beam, Entry};
use super::walk::Walker;
use super::{HnswAllocationIndex, Neighbour, SearchOptions};
use crate::error::IndexError;
use crate::vector::Vector;

/// What the search for the place of a vector found: its nearest nodes, and what an insertion needs.
#[derive(Debug, Clone)]
pub struct Place {
    /// The nearest nodes, best first.
    pub hits: Vec<Neighbour>,
    /// How many were asked for.
    k: usize,
    near: Vec<Entry>,
    /// What was sought, and the state of which index the search saw: the place is good for these alone.
    vector: u64,
    index: usize,
    changes: u64,
}

impl HnswAllocationIndex {
    /// The nearest `k` nodes of a vector and, found in the same walk, the place where it would be inserted: what an allocation
    /// needs, which decides between them and a node of its own.
    ///
    /// The walk holds on to as many nodes as a search or an insertion would, whichever is more, and to `k` at least. If that is
    /// [`ef_construction`](super::HnswConfig::ef_construction), the place is the one that [`add`](Self::add) finds; else it may be a better one.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if the vector is not of the dimension of the index.
    pub fn find(&self, vector: &Vector, k: usize) -> Result<Place, IndexError> {
        self.nodes.check(vector)?;
        let mut walker = self.walker();
        let mut near = self.near(vector, 0, self.held(k), &mut walker);
        let mut found = std::mem::take(&mut walker.beam);
        self.offer_copies(&mut found);
        let mut hits = Vec::new();
        self.rank(vector, found.entries(), k, &mut SearchOptions::default(), &mut walker, &mut hits);
        walker.beam = found;
        self.keep(walker);
        // What was held for the hits alone is nothing to link with.
        near.truncate(self.config.ef_construction);
        Ok(Place { hits, k, near, vector: vector.fingerprint(), index: self.index, changes: self.changes })
    }

    /// Nodes that the walk for a place holds on to.
    fn held(&self, k: usize) -> usize {
        self.config.ef_construction.max(self.config.ef_search).max(k)
    }

    /// Brings a place up to the present state of the index. If vectors have been added since it was found, some thousands at most, and
    /// nothing else has happened, it looks at all of these, and the walk holds; else it looks again. For places that were
    /// sought together ([`find_batch`](Self::find_batch)): each vector is to meet those before it.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub fn renew(&self, vector: &Vector, place: &mut Place) -> Result<(), IndexError> {
        self.nodes.check(vector)?;
        let is_of_these = (place.index, place.vector) == (self.index, vector.fingerprint());
        let Some(added) = self.added_since(place.changes).filter(|_| is_of_these) else {
            *place = self.find(vector, place.k)?;
            return Ok(());
        };
        if added.is_empty() {
            return Ok(());
        }
        let mut walker = self.walker();
        let found = self.nearest_of(vector, &[], added, self.held(place.k), &mut walker);
        self.rank(vector, &found, place.k, &mut SearchOptions::default(), &mut walker, &mut place.hits);
        place.hits.sort_unstable();
        place.hits.truncate(place.k);
        let nodes: Vec<u32> = added.iter().copied().filter(|&slot| !self.copies.is_copy(slot)).collect();
        place.near.extend(if nodes.len() == added.len() {
            found
        } else {
            self.nearest_of(vector, &[], &nodes, self.config.ef_construction, &mut walker)
        });
        place.near.sort_unstable_by(Entry::rank);
        place.near.truncate(self.config.ef_construction);
        place.changes = self.changes;
        self.keep(walker);
        Ok(())
    }

    /// The slots that have been added since a state of the index, if it is known that nothing else has happened since.
    fn added_since(&self, changes: u64) -> Option<&[u32]> {
        let count = usize::try_from(self.changes.checked_sub(changes)?).ok()?;
        self.added.get(self.added.len().checked_sub(count)?..)
    }

    /// Notes that something else has changed than that a vector was added.
    pub(super) fn note_change(&mut self) {
        self.changes += 1;
        self.added.clear();
    }

    fn note_added(&mut self, slot: u32) {
        self.changes += 1;
        if self.added.len() == ADDED_MAX {
            self.added.drain(..ADDED_MAX / 2);
        }
        self.added.push(slot);
    }

    /// The nearest of what was found before and of these slots.
    pub(super) fn nearest_of(
        &self,
        vector: &Vector,
        before: &[Entry],
        slots: &[u32],
        ef: usize,
        walker: &mut Walker,
    ) -> Vec<Entry> {
        let codes = &self.nodes.codes;
        codes.score(self.nodes.kernels, vector, slots, &mut walker.scratch, &mut walker.scores);
        let mut beam = Beam::default();
        beam.reset(ef);
        before.iter().for_each(|&entry| beam.offer(entry));
        for (&slot, &score) in slots.iter().zip(&walker.scores) {
            if beam.admits(score) {
                beam.offer(Entry::new(score, codes.id(slot), slot));
            }
        }
        beam.entries().to_vec()
    }

    pub(super) fn near(&self, vector: &Vector, layer: usize, ef: usize, walker: &mut Walker) -> Vec<Entry> {
        let starts = self.descend(vector, layer, walker);
        self.walk(vector, layer, &starts, ef, walker);
        walker.beam.entries().to_vec()
    }

    /// Adds a vector where [`find`](Self::find) has been. If the index has changed since, or the place is that of another vector or of
    /// another index, it looks again.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if the vector is not of the dimension of the index, [`IndexError::DuplicateId`] if the id
    /// is there already, [`IndexError::Full`] if the index can hold no more.
    pub fn insert(&mut self, id: u64, vector: &Vector, place: &Place) -> Result<(), IndexError> {
        self.nodes.check_new(id, vector)?;
        if (place.index, place.changes) != (self.index, self.changes) || place.vector != vector.fingerprint()
        {
            return self.add(id, vector);
        }
        self.take_place(id, vector, &place.near);
        Ok(())
    }

    /// Adds a vector.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn add(&mut self, id: u64, vector: &Vector) -> Result<(), IndexError> {
        self.nodes.check_new(id, vector)?;
        let mut walker = self.walker();
        let near = self.near(vector, 0, self.config.ef_construction, &mut walker);
        self.keep(walker);
        self.take_place(id, vector, &near);
        Ok(())
    }

    /// Adds a vector that is not there yet, and links it with those near it, or has it stand behind one of them.
    pub(super) fn take_place(&mut self, id: u64, vector: &Vector, near: &[Entry]) -> u32 {
        let mut walker = self.walker();
        let slot = self.nodes.add(id, vector);
        if self.stand_behind(slot, vector, near, &mut walker) {
            self.graph.add(slot, 0);
        } else {
            self.enter(id, slot, vector, near, &mut walker);
        }
        self.note_added(slot);
        self.keep(walker);
        slot
    }

    /// Puts a new node into the graph.
    fn enter(&mut self, id: u64, slot: u32, vector: &Vector, near: &[Entry], walker: &mut Walker) {
        let level = self.level(id);
        let old_top = self.graph.top();
        // Sought before anything leads to the node, so that it does not find itself.
        let upper: Vec<Vec<Entry>> = (1..=level.min(old_top))
            .map(|layer| self.near(vector, layer, self.config.ef_construction, walker))
            .collect();
        self.graph.add(slot, level);
        for (layer, near) in upper.iter().enumerate() {
            self.connect(layer + 1, slot, near, walker);
        }
        self.connect(0, slot, near, walker);
        if self.entry.is_none() || level > old_top {
            self.entry = Some(slot);
        }
    }

    /// The topmost layer of a node, from its id alone: each layer holds about one of `max_connections` nodes of the one below.
    pub(super) fn level(&self, id: u64) -> usize {
        let connections = self.config.max_connections as u64;
        let mut random = crate::rotation::hash(id ^ LEVEL_SEED);
        let mut level = 0;
        while level < LEVEL_MAX && random.is_multiple_of(connections) {
            random /= connections;
            level += 1;
        }
        level
    }
}

/// Most vectors that a place is compared with when it is renewed: about as much work as the walk that it spares.
pub(super) const ADDED_MAX: usize = 1 << 12;

const LEVEL_SEED: u64 = 0x6c65_7665_6c00_0001;

/// The highest layer: 2³¹ nodes at two connections reach no higher.
const LEVEL_MAX: usize = 31;
