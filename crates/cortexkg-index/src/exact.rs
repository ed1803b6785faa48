//! Exact search: every vector is looked at.

use cortexkg_simd::Kernels;

use crate::error::IndexError;
use crate::hnsw::{HnswAllocationIndex, HnswConfig, Neighbour};
use crate::nodes::Nodes;
use crate::precision::Precision;
use crate::rows::Scratch;
use crate::score::Score;
use crate::vector::Vector;

/// The exact index over the same codes: the right one for small graphs, and the oracle of the approximate one.
///
/// ```
/// use cortexkg_index::{ExactIndex, Precision, VectorIndex};
///
/// let mut index = ExactIndex::new(3, Precision::Full)?;
/// index.add(7, &index.vector(&[1.0, 0.0, 0.0])?)?;
/// index.add(3, &index.vector(&[0.0, 1.0, 0.0])?)?;
/// let mut hits = Vec::new();
/// index.search(&index.vector(&[0.1, 1.0, 0.0])?, 1, &mut hits)?;
/// assert_eq!(hits[0].id, 3);
/// # Ok::<(), cortexkg_index::IndexError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ExactIndex {
    nodes: Nodes,
}

impl ExactIndex {
    /// An empty index for vectors of this dimension, all kept at this precision.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionOutOfRange`] unless it is 1 to [`DIMENSION_MAX`](crate::DIMENSION_MAX).
    pub fn new(dimension: usize, precision: Precision) -> Result<Self, IndexError> {
        Self::with_kernels(dimension, precision, Kernels::active())
    }

    /// The same on given kernels. All give the same answers.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_kernels(
        dimension: usize,
        precision: Precision,
        kernels: &'static Kernels,
    ) -> Result<Self, IndexError> {
        Ok(Self { nodes: Nodes::new(dimension, precision, kernels)? })
    }

    /// The same vectors in an approximate index, inserted in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if the settings are for another dimension, [`IndexError::Setting`] if one of them is outside
    /// its range.
    pub fn to_hnsw(&self, config: HnswConfig) -> Result<HnswAllocationIndex, IndexError> {
        let mut index = HnswAllocationIndex::with_kernels(config, self.nodes.kernels)?;
        let mut slots: Vec<(u64, u32)> =
            self.nodes.live_slots().map(|slot| (self.nodes.codes.id(slot), slot)).collect();
        slots.sort_unstable();
        for (id, slot) in slots {
            index.add(id, &self.nodes.decode(slot))?;
        }
        Ok(index)
    }
}

/// What every index of vectors can do. Ids are the caller's; ties order by id.
pub trait VectorIndex {
    /// Makes an embedding ready for this index.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] or [`IndexError::NotFinite`].
    fn vector(&self, embedding: &[f32]) -> Result<Vector, IndexError>;

    /// Number of vectors.
    fn len(&self) -> usize;

    /// Whether it holds no vector.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a vector of this id is in the index.
    fn contains(&self, id: u64) -> bool;

    /// Adds a vector.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`], [`IndexError::DuplicateId`] or [`IndexError::Full`]; nothing has changed then.
    fn add(&mut self, id: u64, vector: &Vector) -> Result<(), IndexError>;

    /// Gives a vector another value.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] or [`IndexError::UnknownId`]; nothing has changed then.
    fn replace(&mut self, id: u64, vector: &Vector) -> Result<(), IndexError>;

    /// Removes a vector.
    ///
    /// # Errors
    ///
    /// [`IndexError::UnknownId`].
    fn remove(&mut self, id: u64) -> Result<(), IndexError>;

    /// Fills `hits` with the `k` nearest vectors (all, if there are fewer), best first.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`]; `hits` is empty then.
    fn search(&self, vector: &Vector, k: usize, hits: &mut Vec<Neighbour>) -> Result<(), IndexError>;

    /// Bytes of all that it holds.
    fn bytes(&self) -> usize;
}

impl VectorIndex for ExactIndex {
    fn vector(&self, embedding: &[f32]) -> Result<Vector, IndexError> {
        Vector::rotated(self.nodes.kernels, &self.nodes.rotation, embedding)
    }

    fn len(&self) -> usize {
        self.nodes.len()
    }

    fn contains(&self, id: u64) -> bool {
        self.nodes.slot(id).is_some()
    }

    fn add(&mut self, id: u64, vector: &Vector) -> Result<(), IndexError> {
        self.nodes.check_new(id, vector)?;
        self.nodes.add(id, vector);
        Ok(())
    }

    fn replace(&mut self, id: u64, vector: &Vector) -> Result<(), IndexError> {
        let slot = self.nodes.known(id)?;
        self.nodes.check(vector)?;
        self.nodes.codes.set(self.nodes.kernels, slot, id, vector);
        Ok(())
    }

    fn remove(&mut self, id: u64) -> Result<(), IndexError> {
        let slot = self.nodes.known(id)?;
        self.nodes.remove(slot);
        Ok(())
    }

    fn search(&self, vector: &Vector, k: usize, hits: &mut Vec<Neighbour>) -> Result<(), IndexError> {
        hits.clear();
        self.nodes.check(vector)?;
        if k == 0 {
            return Ok(());
        }
        let mut least = Score::MIN;
        let codes = &self.nodes.codes;
        codes.scan(self.nodes.kernels, vector, &mut Scratch::default(), |slot, score| {
            if score < least || !self.nodes.live.contains(slot as usize) {
                return;
            }
            hits.push(Neighbour { id: codes.id(slot), score });
            // Cut back only now and then, which costs less than to keep them in order.
            if hits.len() >= k.max(64).saturating_mul(2) {
                hits.select_nth_unstable(k - 1);
                hits.truncate(k);
                least = hits[k - 1].score;
            }
        });
        hits.sort_unstable();
        hits.truncate(k);
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.nodes.bytes()
    }
}

impl VectorIndex for HnswAllocationIndex {
    fn vector(&self, embedding: &[f32]) -> Result<Vector, IndexError> {
        self.vector(embedding)
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn contains(&self, id: u64) -> bool {
        self.contains(id)
    }

    fn add(&mut self, id: u64, vector: &Vector) -> Result<(), IndexError> {
        self.add(id, vector)
    }

    fn replace(&mut self, id: u64, vector: &Vector) -> Result<(), IndexError> {
        self.replace(id, vector)
    }

    fn remove(&mut self, id: u64) -> Result<(), IndexError> {
        self.remove(id)
    }

    fn search(&self, vector: &Vector, k: usize, hits: &mut Vec<Neighbour>) -> Result<(), IndexError> {
        self.search(vector, k, hits)
    }

    fn bytes(&self) -> usize {
        self.bytes()
    }
}

/// How to look for the nearest vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Look at every vector.
    Exact,
    /// Walk along a graph.
    Graph,
}

/// Rows of a scan that cost as much as one vector that a walk meets, which lies anywhere in memory and has to be looked up
/// first. Measured with 8-bit and 4-bit codes of 256 and 384 dimensions: 2.2 to 3.4.
const ROWS_PER_VISIT: usize = 3;

/// Vectors that a walk meets for each node that it holds on to, per connection of the lowest layer. Measured on 30,000 and
/// 110,000 texts at ef 64: 0.38 to 0.46.
const VISITS_PER_CONNECTION_PERCENT: usize = 42;

impl Method {
    /// The cheaper way to search among so many vectors, by counted work alone: the same on every machine.
    #[must_use]
    pub fn cheaper(vectors: usize, config: &HnswConfig) -> Self {
        let links = config.max_connections.saturating_mul(2);
        let visits =
            config.ef_search.saturating_mul(links).saturating_mul(VISITS_PER_CONNECTION_PERCENT) / 100;
        if vectors <= visits.saturating_mul(ROWS_PER_VISIT) { Self::Exact } else { Self::Graph }
    }
}
