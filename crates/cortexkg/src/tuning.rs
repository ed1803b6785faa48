//! What of a graph can be changed while it lives without changing what it knows: its layers, and which vectors are kept exactly.

use std::collections::BTreeSet;
use std::sync::Arc;

use cortexkg_index::{HnswAllocationIndex, Precision};
use cortexkg_store::Store;

use crate::ballot::Ballot;
use crate::decision::Decision;
use crate::durable::DurableEngine;
use crate::engine::AllocationEngine;
use crate::evidence::Bits;
use crate::graph::{NodeId, NodeIndex};
use crate::journal::Operation;
use crate::layers::{Layers, UNIT};
use crate::operation_error::OperationError;
use crate::quantization::{CLOSE_CALL, QuantizationReport, USE};
use crate::stopwatch::Stopwatch;

/// A link with a lesser margin was a close call.
const CLOSE_CALL_MARGIN: Bits = Bits::whole(4);

/// Nodes that the user wants kept as exactly as can be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins {
    ids: BTreeSet<NodeId>,
    /// Where they are now; those that were merged are where they lead.
    places: BTreeSet<NodeIndex>,
}

impl Pins {
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.ids.iter().copied()
    }
}

impl AllocationEngine {
    /// The layers of the graph.
    pub fn layers(&self) -> &Layers {
        self.vectors.layers()
    }

    /// Changes the layers of the graph from here on, and says why. What is to be built is built beside what there is, a little with
    /// every fact, and takes its place once it is whole. Settings out of range count as the nearest in it.
    pub fn set_layers(&mut self, layers: Layers, reason: &str) {
        let before = *self.layers();
        let operation = Operation::Configure { before, after: layers, reason: reason.to_owned() };
        self.apply_layers(layers);
        self.chain_operation(&operation, &[]);
    }

    /// Keeps the vector of a node as exactly as can be from here on, or no longer. One that was merged into another stands for that.
    pub fn pin(&mut self, node: NodeId, is_pinned: bool) {
        self.apply_pin(node, is_pinned);
        self.chain_operation(&Operation::Pin { node, is_pinned }, &[]);
    }

    /// Whether the vector of a node is kept as exactly as can be: it, or one that was merged into it, is pinned. One that was merged
    /// into another stands for that.
    pub fn is_pinned(&self, node: NodeId) -> bool {
        self.place_of(node).is_some_and(|place| self.pins.places.contains(&place))
    }

    /// Where a node is now, or what it was merged into.
    fn place_of(&self, node: NodeId) -> Option<NodeIndex> {
        self.graph.index_of(self.graph.resolve(node))
    }

    /// Nodes that are pinned, as they were named.
    pub fn pins(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.pins.ids()
    }

    /// Importance of a node, 0 to 1, if the graph keeps account of it: how much it has been used lately. 1 for a pinned one. One that was
    /// merged into another stands for that.
    pub fn importance(&self, node: NodeId) -> Option<f32> {
        let at = self.place_of(node)?;
        let is_pinned = self.pins.places.contains(&at);
        let importance = self.vectors.importance(at, is_pinned, self.graph.mentions.len())?;
        Some(importance as f32 / UNIT as f32)
    }

    /// What the index keeps the vector of a node at; none if there is no index, or it is not in it. One that was merged into another
    /// stands for that.
    pub fn vector_precision(&self, node: NodeId) -> Option<Precision> {
        self.vectors.precision(self.place_of(node)?)
    }

    /// How exactly the vectors of the index are kept, where that is a matter of importance.
    pub fn quantization(&self) -> Option<QuantizationReport> {
        self.vectors.quantization()
    }

    /// The index that finds near vectors, once it is whole.
    pub fn vector_index(&self) -> Option<&HnswAllocationIndex> {
        self.vectors.near_index()
    }

    /// Vectors that are looked for; 0 where they say no more than the words do.
    pub fn vector_count(&self) -> usize {
        self.vectors.count()
    }

    /// Dimensions of the vectors.
    pub fn vector_dimension(&self) -> usize {
        self.vectors.dimension()
    }

    /// Of an index that grows beside what there is: vectors that it has, and that it will have.
    pub fn growing_index(&self) -> Option<(usize, usize)> {
        self.vectors.growing()
    }

    /// From now on compares one of `every` searches in the index with a scan
    /// ([`running_recall`](HnswAllocationIndex::running_recall)); 0 compares none. Decisions stay what they are.
    pub fn set_recall_sampling(&mut self, every: u64) {
        self.vectors.set_recall_sampling(every);
    }

    /// From now on notes which nodes change, for [`take_changed`](Self::take_changed); or no longer.
    pub fn track_changes(&mut self, is_tracked: bool) {
        self.graph.changed = is_tracked.then(Default::default);
    }

    /// The nodes that have changed since this was asked last, in order: what they say, their members or their edges. None if changes
    /// are not tracked. Those that only came to be spelt otherwise, as what was written first was forgotten, are not among them.
    pub fn take_changed(&mut self) -> Option<Vec<NodeId>> {
        let changed = std::mem::take(self.graph.changed.as_mut()?);
        let mut changed: Vec<NodeId> = changed.into_iter().map(|node| self.graph.id(node)).collect();
        changed.sort_unstable();
        Some(changed)
    }

    /// Is watched as another engine was, in whose place it comes: timed, compared with scans, asked what has changed.
    pub(crate) fn watch_as(&mut self, old: Self) {
        self.stopwatch = old.stopwatch;
        self.set_recall_sampling(old.vectors.recall_sampling());
        self.track_changes(old.graph.changed.is_some());
    }

    pub(crate) fn apply_layers(&mut self, layers: Layers) {
        self.vectors.set_layers(layers);
        self.vectors.keep_up(self.graph.live_nodes(), self.config.recall.scan_nodes_max);
    }

    pub(crate) fn apply_pin(&mut self, node: NodeId, is_pinned: bool) {
        if is_pinned {
            self.pins.ids.insert(node);
        } else {
            // And those that were merged into it, on whose account it is pinned.
            let (graph, live) = (&self.graph, self.graph.resolve(node));
            self.pins.ids.retain(|&id| graph.resolve(id) != live);
        }
        self.find_pins();
    }

    /// Takes pins over as they were saved.
    pub(crate) fn set_pins(&mut self, ids: impl IntoIterator<Item = NodeId>) {
        self.pins.ids = ids.into_iter().collect();
        self.find_pins();
    }

    /// Finds the places of pinned nodes anew, after nodes have come to lead elsewhere.
    pub(crate) fn find_pins(&mut self) {
        let places = self.pins.ids.iter().filter_map(|&id| self.graph.index_of(self.graph.resolve(id)));
        self.pins.places = places.collect();
    }

    /// Takes note of which nodes a mention, which is committed, has made use of.
    pub(crate) fn note_use(&mut self, ballot: &Ballot, node: NodeIndex) {
        if self.layers().quantization.is_none() {
            return;
        }
        let leader = ballot.competitors.first().and_then(|leader| self.graph.index_of(leader.node));
        let is_close = match ballot.decision {
            Decision::Possible => true,
            Decision::Existing => ballot.margin < CLOSE_CALL_MARGIN,
            Decision::New => false,
        };
        let edges = |node: NodeIndex| self.graph.node(node).edges.len() as u32;
        let extra = if is_close { CLOSE_CALL } else { 0 };
        let mut used = vec![(node, USE + extra, edges(node))];
        if let Some(leader) = leader.filter(|&leader| is_close && leader != node) {
            used.push((leader, CLOSE_CALL, edges(leader)));
        }
        self.vectors.note_use(&used, &self.pins.places, self.graph.mentions.len());
    }
}

impl<S: Store> DurableEngine<S> {
    /// Changes the layers of the graph from here on ([`AllocationEngine::set_layers`]), and says why: an operation of the log, of which the
    /// position is given. None if they are these already.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub fn set_layers(&mut self, layers: Layers, reason: &str) -> Result<Option<u64>, OperationError> {
        let before = *self.engine.layers();
        if before == layers {
            return Ok(None);
        }
        let operation = Operation::Configure { before, after: layers, reason: reason.to_owned() };
        self.perform(operation, None).map(Some)
    }

    /// Keeps the vector of a node as exactly as can be from here on, or no longer: an operation of the log, of which the position is given.
    /// None if it is so already. A node that was merged into another stands for that.
    ///
    /// # Errors
    /// [`OperationError::UnknownNode`] if there is no such node; [`OperationError::Store`].
    pub fn pin(&mut self, node: NodeId, is_pinned: bool) -> Result<Option<u64>, OperationError> {
        if self.engine.graph.index_of(node).is_none() {
            return Err(OperationError::UnknownNode { node });
        }
        if self.engine.is_pinned(node) == is_pinned {
            return Ok(None);
        }
        self.perform(Operation::Pin { node, is_pinned }, None).map(Some)
    }

    /// As [`AllocationEngine::set_stopwatch`]; hears how long commits to the store take, too.
    pub fn set_stopwatch(&mut self, stopwatch: Option<Arc<dyn Stopwatch>>) {
        self.engine.set_stopwatch(stopwatch);
    }

    /// As [`AllocationEngine::track_changes`].
    pub fn track_changes(&mut self, is_tracked: bool) {
        self.engine.track_changes(is_tracked);
    }

    /// As [`AllocationEngine::take_changed`].
    pub fn take_changed(&mut self) -> Option<Vec<NodeId>> {
        self.engine.take_changed()
    }

    /// As [`AllocationEngine::set_recall_sampling`].
    pub fn set_recall_sampling(&mut self, every: u64) {
        self.engine.set_recall_sampling(every);
    }
}
