//! Hierarchical navigable small worlds (Malkov and Yashunin 2018): nearest vectors without looking at all of them.

mod audit;
mod batch;
mod beam;
mod config;
mod copies;
mod filtered;
mod graph;
mod linking;
mod links;
mod place;
mod query;
mod recall;
mod remove;
mod reorder;
mod walk;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use cortexkg_simd::Kernels;

use crate::error::IndexError;
use crate::nodes::Nodes;
use crate::precision::Precision;
use crate::vector::Vector;
use walk::Walker;

pub use audit::Audit;
pub use config::HnswConfig;
pub(crate) use copies::Copies;
pub(crate) use graph::Graph;
pub use place::Place;
pub use query::{Neighbour, ReadFull, SearchOptions, TellIds};
pub use recall::RecallEstimate;
use recall::RunningRecall;

/// The approximate index: a graph of vectors that a search walks along, from far to near.
///
/// Every vector has a code at the precision of the index, which walks look at, and may have a finer one of its own, which the last
/// ranking looks at. Links go both ways, so that a vector that leaves knows all that pointed to it.
///
/// Of vectors with equal codes, walks look at one; so it does not matter how many times a vector is there.
///
/// The same calls in the same order give the same answers on every machine. Slots never show: ties order by id, and so answers
/// are the same after [`reorder`](Self::reorder).
///
/// ```
/// use cortexkg_index::{HnswAllocationIndex, HnswConfig, Precision};
///
/// let mut index = HnswAllocationIndex::new(HnswConfig::new(3))?;
/// for (id, embedding) in [(7, [1.0, 0.0, 0.0]), (3, [0.0, 1.0, 0.0]), (5, [0.6, 0.8, 0.0])] {
///     let vector = index.vector(&embedding)?;
///     // What is near decides whether it is new; the same walk has found its place.
///     let place = index.find(&vector, 1)?;
///     index.insert(id, &vector, &place)?;
/// }
/// let mut hits = Vec::new();
/// index.search(&index.vector(&[0.0, 9.0, 0.1])?, 2, &mut hits)?;
/// assert_eq!([hits[0].id, hits[1].id], [3, 5]);
///
/// // Kept at more: its score is nearer to the truth.
/// index.set_precision(5, Precision::Full, Some(&index.vector(&[0.6, 0.8, 0.0])?))?;
/// index.remove(3)?;
/// index.search(&index.vector(&[0.0, 1.0, 0.0])?, 2, &mut hits)?;
/// assert!(hits[0].id == 5 && (hits[0].score.cosine() - 0.8).abs() < 1e-6);
/// # Ok::<(), cortexkg_index::IndexError>(())
/// ```
#[derive(Debug)]
pub struct HnswAllocationIndex {
    pub(crate) config: HnswConfig,
    pub(crate) nodes: Nodes,
    pub(crate) graph: Graph,
    pub(crate) copies: Copies,
    /// Where every walk begins: a node of the topmost layer.
    pub(crate) entry: Option<u32>,
    /// Tells it from every other index of the process.
    index: usize,
    /// Counts changes, so that a place is taken only in the state that it was found in.
    changes: u64,
    /// The slots that the last changes have added, one each, the last one last: [`ADDED_MAX`](place::ADDED_MAX) at most.
    added: Vec<u32>,
    recall: RunningRecall,
    /// Memory of walks that have ended.
    walkers: Mutex<Vec<Walker>>,
}

impl HnswAllocationIndex {
    /// An empty index on the kernels of the process ([`Kernels::active`]).
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionOutOfRange`] or [`IndexError::Setting`] if a setting is outside its range.
    pub fn new(config: HnswConfig) -> Result<Self, IndexError> {
        Self::with_kernels(config, Kernels::active())
    }

    /// The same on given kernels. All give the same answers.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_kernels(config: HnswConfig, kernels: &'static Kernels) -> Result<Self, IndexError> {
        config.check()?;
        let nodes = Nodes::new(config.dimension, config.precision, kernels)?;
        let graph = Graph::new(config.max_connections);
        Ok(Self::of_parts(config, nodes, graph, Copies::default(), None))
    }

    pub(crate) fn of_parts(
        config: HnswConfig,
        nodes: Nodes,
        graph: Graph,
        copies: Copies,
        entry: Option<u32>,
    ) -> Self {
        static INDEXES: AtomicUsize = AtomicUsize::new(0);
        let index = INDEXES.fetch_add(1, Ordering::Relaxed);
        let (added, recall, walkers) = Default::default();
        Self { config, nodes, graph, copies, entry, index, changes: 0, added, recall, walkers }
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &HnswConfig {
        &self.config
    }

    /// From now on, a search holds on to this many nodes unless it says otherwise.
    ///
    /// # Errors
    ///
    /// [`IndexError::Setting`] unless it is 1 to [`HnswConfig::EF_MAX`].
    pub fn set_ef_search(&mut self, ef: usize) -> Result<(), IndexError> {
        config::in_range("ef_search", ef, 1, HnswConfig::EF_MAX)?;
        self.config.ef_search = ef;
        Ok(())
    }

    /// Makes an embedding ready for this index: sooner than [`Vector::new`], which prepares the rotation anew.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if it is not of the dimension of the index, [`IndexError::NotFinite`] if a value is NaN or
    /// infinite.
    pub fn vector(&self, embedding: &[f32]) -> Result<Vector, IndexError> {
        Vector::rotated(self.nodes.kernels, &self.nodes.rotation, embedding)
    }

    /// Number of vectors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it holds no vector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a vector of this id is in the index.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.nodes.slot(id).is_some()
    }

    /// What a vector is kept at.
    #[must_use]
    pub fn precision(&self, id: u64) -> Option<Precision> {
        self.nodes.slot(id).map(|slot| self.nodes.precision(slot))
    }

    /// The embedding that the best code of a vector stands for, of length 1 (all zeros if it had no direction), within the error of its
    /// precision.
    #[must_use]
    pub fn embedding(&self, id: u64) -> Option<Vec<f32>> {
        let values = self.nodes.decode(self.nodes.slot(id)?).values;
        Some(self.nodes.rotation.undo(self.nodes.kernels, values))
    }

    /// How many vectors are kept at each precision, in the order of [`Precision::ALL`].
    #[must_use]
    pub fn precisions(&self) -> [usize; 5] {
        let mut counts = self.nodes.finer.counts();
        counts[self.config.precision as usize] += self.len() - counts.iter().sum::<usize>();
        counts
    }

    /// Bytes of all that the index holds: codes, links, ids, and the memory of walks. Room that is allocated ahead of need is not
    /// in it, nor is what [`search`](Self::search) is given.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let walkers: usize = self.walkers().iter().map(Walker::bytes).sum();
        let added = self.added.capacity() * size_of::<u32>();
        self.nodes.bytes() + self.graph.bytes() + self.copies.bytes() + added + walkers
    }

    fn walkers(&self) -> std::sync::MutexGuard<'_, Vec<Walker>> {
        // Only memory to use again: nothing in it can be half done.
        self.walkers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn walker(&self) -> Walker {
        self.walkers().pop().unwrap_or_default()
    }

    fn keep(&self, walker: Walker) {
        // One question for very many leaves nothing behind for good.
        if walker.is_handy() {
            self.walkers().push(walker);
        }
    }
}
