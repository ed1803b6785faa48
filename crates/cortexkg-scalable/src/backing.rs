//! The engine beneath the layers: in memory, or over a store.

use std::sync::Arc;

use cortexkg::{
    AllocationEngine, AllocationResult, DurableEngine, Fact, FactError, KnowledgeGraph, Layers, NodeId,
    OperationError, Stopwatch,
};
use cortexkg_store::{Store, Sync};

/// What came of the facts of a batch, in their order.
pub type BatchResults = Vec<Result<AllocationResult, FactError>>;

/// An engine that layers can be put around: [`AllocationEngine`] in memory, [`DurableEngine`] over a store.
pub trait Backing {
    /// The engine itself, to look at.
    fn engine(&self) -> &AllocationEngine;

    /// Allocates facts one after the other and commits them together.
    ///
    /// # Errors
    /// [`OperationError::Store`]: nothing of the batch is acknowledged. Never, in memory.
    fn allocate_batch(&mut self, facts: Vec<Fact>, sync: Sync) -> Result<BatchResults, OperationError>;

    /// The same, perceiving on the threads of a pool.
    ///
    /// # Errors
    /// As [`allocate_batch`](Self::allocate_batch).
    fn allocate_batch_in(
        &mut self,
        pool: &rayon::ThreadPool,
        facts: Vec<Fact>,
        sync: Sync,
    ) -> Result<BatchResults, OperationError>;

    /// Takes in a graph that is there already; gives the node of each of its nodes.
    ///
    /// # Errors
    /// [`OperationError::Load`], [`OperationError::Store`].
    fn load_graph(&mut self, graph: &KnowledgeGraph) -> Result<Vec<NodeId>, OperationError>;

    /// Changes the layers from here on, and says why. Nothing if they are these already.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    fn set_layers(&mut self, layers: Layers, reason: &str) -> Result<(), OperationError>;

    /// Keeps the vector of a node as exactly as can be, or no longer.
    ///
    /// # Errors
    /// [`OperationError::UnknownNode`], [`OperationError::Store`].
    fn pin(&mut self, node: NodeId, is_pinned: bool) -> Result<(), OperationError>;

    /// As [`AllocationEngine::set_recall_sampling`].
    fn set_recall_sampling(&mut self, every: u64);

    /// As [`AllocationEngine::set_stopwatch`].
    fn set_stopwatch(&mut self, stopwatch: Option<Arc<dyn Stopwatch>>);

    /// As [`AllocationEngine::track_changes`].
    fn track_changes(&mut self, is_tracked: bool);

    /// As [`AllocationEngine::take_changed`].
    fn take_changed(&mut self) -> Option<Vec<NodeId>>;
}

impl Backing for AllocationEngine {
    fn engine(&self) -> &AllocationEngine {
        self
    }

    fn allocate_batch(&mut self, facts: Vec<Fact>, _: Sync) -> Result<BatchResults, OperationError> {
        Ok(AllocationEngine::allocate_batch(self, facts))
    }

    fn allocate_batch_in(
        &mut self,
        pool: &rayon::ThreadPool,
        facts: Vec<Fact>,
        _: Sync,
    ) -> Result<BatchResults, OperationError> {
        Ok(AllocationEngine::allocate_batch_in(self, pool, facts))
    }

    fn load_graph(&mut self, graph: &KnowledgeGraph) -> Result<Vec<NodeId>, OperationError> {
        Ok(AllocationEngine::load_graph(self, graph)?)
    }

    fn set_layers(&mut self, layers: Layers, reason: &str) -> Result<(), OperationError> {
        if *self.layers() != layers {
            AllocationEngine::set_layers(self, layers, reason);
        }
        Ok(())
    }

    fn pin(&mut self, node: NodeId, is_pinned: bool) -> Result<(), OperationError> {
        let is_known = self.node(self.resolve(node)).is_some();
        if !is_known {
            return Err(OperationError::UnknownNode { node });
        }
        if self.is_pinned(node) != is_pinned {
            AllocationEngine::pin(self, node, is_pinned);
        }
        Ok(())
    }

    fn set_recall_sampling(&mut self, every: u64) {
        AllocationEngine::set_recall_sampling(self, every);
    }

    fn set_stopwatch(&mut self, stopwatch: Option<Arc<dyn Stopwatch>>) {
        AllocationEngine::set_stopwatch(self, stopwatch);
    }

    fn track_changes(&mut self, is_tracked: bool) {
        AllocationEngine::track_changes(self, is_tracked);
    }

    fn take_changed(&mut self) -> Option<Vec<NodeId>> {
        AllocationEngine::take_changed(self)
    }
}

impl<S: Store> Backing for DurableEngine<S> {
    fn engine(&self) -> &AllocationEngine {
        DurableEngine::engine(self)
    }

    fn allocate_batch(&mut self, facts: Vec<Fact>, sync: Sync) -> Result<BatchResults, OperationError> {
        DurableEngine::allocate_batch(self, facts, sync)
    }

    fn allocate_batch_in(
        &mut self,
        pool: &rayon::ThreadPool,
        facts: Vec<Fact>,
        sync: Sync,
    ) -> Result<BatchResults, OperationError> {
        DurableEngine::allocate_batch_in(self, pool, facts, sync)
    }

    fn load_graph(&mut self, graph: &KnowledgeGraph) -> Result<Vec<NodeId>, OperationError> {
        DurableEngine::load_graph(self, graph)
    }

    fn set_layers(&mut self, layers: Layers, reason: &str) -> Result<(), OperationError> {
        DurableEngine::set_layers(self, layers, reason).map(|_| ())
    }

    fn pin(&mut self, node: NodeId, is_pinned: bool) -> Result<(), OperationError> {
        DurableEngine::pin(self, node, is_pinned).map(|_| ())
    }

    fn set_recall_sampling(&mut self, every: u64) {
        DurableEngine::set_recall_sampling(self, every);
    }

    fn set_stopwatch(&mut self, stopwatch: Option<Arc<dyn Stopwatch>>) {
        DurableEngine::set_stopwatch(self, stopwatch);
    }

    fn track_changes(&mut self, is_tracked: bool) {
        DurableEngine::track_changes(self, is_tracked);
    }

    fn take_changed(&mut self) -> Option<Vec<NodeId>> {
        DurableEngine::take_changed(self)
    }
}
