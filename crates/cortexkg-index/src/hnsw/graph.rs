//! Who is linked with whom, layer by layer.
//!
//! **Invariant:** a link goes both ways. So whoever leaves knows all that pointed to it, and what is found is found from either end.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::links::Links;

/// Bytes of an entry in the table of a layer: two numbers and a control byte.
const TABLE_ENTRY_BYTES: usize = 4 + 4 + 1;

/// A layer above the lowest: some of the nodes.
#[derive(Debug, Clone)]
struct Layer {
    /// The places of its nodes among the links, by slot. Iterated only where the order does not matter.
    places: HashMap<u32, u32, FxBuildHasher>,
    links: Links,
    free: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct Graph {
    /// The lowest layer, by slot.
    base: Links,
    /// Those above it, from below.
    upper: Vec<Layer>,
    connections: usize,
}

impl Graph {
    pub(crate) fn new(connections: usize) -> Self {
        Self { base: Links::new(2 * connections), upper: Vec::new(), connections }
    }

    /// The number of the topmost layer.
    pub(crate) fn top(&self) -> usize {
        self.upper.len()
    }

    /// Most neighbours of a node of a layer.
    pub(super) fn width(&self, layer: usize) -> usize {
        if layer == 0 { self.base.width() } else { self.connections }
    }

    fn at(&self, layer: usize, slot: u32) -> (&Links, u32) {
        match layer.checked_sub(1) {
            None => (&self.base, slot),
            Some(upper) => (&self.upper[upper].links, self.upper[upper].places[&slot]),
        }
    }

    fn at_mut(&mut self, layer: usize, slot: u32) -> (&mut Links, u32) {
        match layer.checked_sub(1) {
            None => (&mut self.base, slot),
            Some(upper) => {
                let Layer { places, links, .. } = &mut self.upper[upper];
                (links, places[&slot])
            }
        }
    }

    /// The neighbours of a node.
    #[inline]
    pub(super) fn neighbours(&self, layer: usize, slot: u32) -> impl Iterator<Item = u32> + '_ {
        let (links, place) = self.at(layer, slot);
        links.of(place)
    }

    /// Appends to `batch` the neighbours of a node that `is_new` accepts.
    #[inline]
    pub(super) fn extend(
        &self,
        layer: usize,
        slot: u32,
        batch: &mut Vec<u32>,
        is_new: impl FnMut(u32) -> bool,
    ) {
        let (links, place) = self.at(layer, slot);
        links.extend(place, batch, is_new);
    }

    pub(crate) fn degree(&self, layer: usize, slot: u32) -> usize {
        self.neighbours(layer, slot).count()
    }

    pub(super) fn is_linked(&self, layer: usize, a: u32, b: u32) -> bool {
        self.neighbours(layer, a).any(|end| end == b)
    }

    pub(super) fn is_full(&self, layer: usize, slot: u32) -> bool {
        self.degree(layer, slot) == self.width(layer)
    }

    #[inline]
    pub(super) fn prefetch(&self, slot: u32) {
        self.base.prefetch(slot);
    }

    /// Links two nodes, which have room for it and are not linked.
    pub(super) fn link(&mut self, layer: usize, a: u32, b: u32) {
        debug_assert!(a != b && !self.is_linked(layer, a, b));
        for (one, other) in [(a, b), (b, a)] {
            let (links, place) = self.at_mut(layer, one);
            let added = links.add(place, other);
            debug_assert!(added);
        }
    }

    /// Takes the link of two nodes away.
    pub(super) fn unlink(&mut self, layer: usize, a: u32, b: u32) {
        for (one, other) in [(a, b), (b, a)] {
            let (links, place) = self.at_mut(layer, one);
            links.remove(place, other);
        }
    }

    /// Adds a node without neighbours to the layers up to this one.
    pub(super) fn add(&mut self, slot: u32, level: usize) {
        while self.base.len() <= slot as usize {
            self.base.push();
        }
        while self.upper.len() < level {
            let links = Links::new(self.connections);
            self.upper.push(Layer { places: HashMap::default(), links, free: Vec::new() });
        }
        for layer in &mut self.upper[..level] {
            let place = layer.free.pop().unwrap_or_else(|| layer.links.push());
            layer.places.insert(slot, place);
        }
    }

    /// Takes a node without neighbours away, and with it the layers that are empty then.
    pub(super) fn remove(&mut self, slot: u32) {
        for layer in &mut self.upper {
            if let Some(place) = layer.places.remove(&slot) {
                layer.free.push(place);
            }
        }
        while self.upper.last().is_some_and(|layer| layer.places.is_empty()) {
            self.upper.pop();
        }
    }

    pub(crate) fn is_member(&self, layer: usize, slot: u32) -> bool {
        layer == 0 || self.upper.get(layer - 1).is_some_and(|upper| upper.places.contains_key(&slot))
    }

    /// The nodes of an upper layer, in any order.
    pub(crate) fn members(&self, layer: usize) -> impl Iterator<Item = u32> + '_ {
        self.upper[layer - 1].places.keys().copied()
    }

    /// Slot `i` becomes that which was `order[i]`.
    pub(super) fn reorder(&mut self, order: &[u32]) {
        let mut renamed = vec![u32::MAX; self.base.len()];
        for (new, &old) in order.iter().enumerate() {
            renamed[old as usize] = new as u32;
        }
        let rename = |slot: u32| renamed[slot as usize];
        let mut base = Links::new(self.base.width());
        for &old in order {
            let place = base.push();
            base.set(place, self.base.of(old).map(rename));
        }
        self.base = base;
        for layer in &mut self.upper {
            let mut links = Links::new(layer.links.width());
            let mut places = HashMap::default();
            for (new, &old) in order.iter().enumerate() {
                if let Some(&at) = layer.places.get(&old) {
                    let place = links.push();
                    links.set(place, layer.links.of(at).map(rename));
                    places.insert(new as u32, place);
                }
            }
            (layer.links, layer.places) = (links, places);
            layer.free.clear();
        }
    }

    /// The lists of the lowest layer as they lie in memory.
    pub(crate) fn base_raw(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.base.len() as u32).flat_map(|slot| self.base.raw(slot))
    }

    /// Each node of an upper layer by slot: the slot, and its list.
    pub(crate) fn layer_raw(&self, layer: usize) -> impl Iterator<Item = u32> + '_ {
        let Layer { places, links, .. } = &self.upper[layer - 1];
        let mut slots: Vec<(u32, u32)> = places.iter().map(|(&slot, &place)| (slot, place)).collect();
        slots.sort_unstable();
        slots.into_iter().flat_map(|(slot, place)| std::iter::once(slot).chain(links.raw(place)))
    }

    /// Takes the lists of the lowest layer from what [`base_raw`](Self::base_raw) gave.
    pub(crate) fn restore_base(&mut self, slots: usize, raw: &[[u8; 4]]) -> Result<(), &'static str> {
        let width = self.base.padded_width();
        if raw.len() != slots * width {
            return Err("it does not hold one list for each slot");
        }
        // List by list: numbers of all of them would take as much memory again as the links do.
        let mut list = Vec::with_capacity(width);
        let is_whole = raw.chunks_exact(width).all(|bytes| {
            list.clear();
            list.extend(bytes.iter().map(|&bytes| u32::from_le_bytes(bytes)));
            self.base.push_raw(&list, slots)
        });
        is_whole.then_some(()).ok_or("a list leads beyond the slots")
    }

    /// Adds the next layer from what [`layer_raw`](Self::layer_raw) gave.
    pub(crate) fn restore_layer(&mut self, slots: usize, raw: &[u32]) -> Result<(), &'static str> {
        let mut links = Links::new(self.connections);
        let mut places = HashMap::default();
        let nodes = raw.chunks_exact(1 + links.padded_width());
        if raw.is_empty() || !nodes.remainder().is_empty() {
            return Err("its nodes are not whole");
        }
        for node in nodes {
            let (slot, list) = (node[0], &node[1..]);
            let place = links.len() as u32;
            if slot as usize >= slots || places.insert(slot, place).is_some() {
                return Err("a node of it is no slot, or stands twice");
            }
            if !links.push_raw(list, slots) {
                return Err("a list leads beyond the slots");
            }
        }
        self.upper.push(Layer { places, links, free: Vec::new() });
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        let upper = self.upper.iter().map(|layer| {
            layer.links.bytes() + layer.places.capacity() * TABLE_ENTRY_BYTES + layer.free.capacity() * 4
        });
        self.base.bytes() + upper.sum::<usize>()
    }
}
