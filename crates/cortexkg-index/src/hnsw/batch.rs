//! Many vectors at once, on as many threads as the caller has.

use rustc_hash::FxHashSet;

use super::walk::Walker;
use super::{HnswAllocationIndex, Neighbour, Place};
use crate::error::IndexError;
use crate::vector::Vector;

/// Who looks for the places of a batch.
trait Workers {
    /// `each(i)` for every i below `count`, in this order.
    fn map<T: Send>(&self, count: usize, each: impl Fn(usize) -> T + Send + Sync) -> Vec<T>;
}

/// The thread that calls.
struct Caller;

impl Workers for Caller {
    fn map<T: Send>(&self, count: usize, each: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
        (0..count).map(each).collect()
    }
}

#[cfg(feature = "parallel")]
impl Workers for rayon::ThreadPool {
    fn map<T: Send>(&self, count: usize, each: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
        use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
        self.install(|| (0..count).into_par_iter().map(each).collect())
    }
}

impl HnswAllocationIndex {
    /// Adds vectors whose places are sought together: each among those that were there before the batch, by walking, and among those
    /// that come before it in the batch, by looking at all of them. Then they are linked in their order. So the result depends on where
    /// batches begin, not on the number of threads. The time for what is in the batch grows with the square of its length: some
    /// thousands at once are many.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add), for the first vector that cannot be added, with its position; none has been added then.
    pub fn add_batch(&mut self, batch: &[(u64, Vector)]) -> Result<(), (usize, IndexError)> {
        self.add_by(batch, &Caller)
    }

    /// [`add_batch`](Self::add_batch) on the threads of a pool, with the same result.
    ///
    /// # Errors
    ///
    /// As [`add_batch`](Self::add_batch).
    #[cfg(feature = "parallel")]
    pub fn add_batch_in(
        &mut self,
        pool: &rayon::ThreadPool,
        batch: &[(u64, Vector)],
    ) -> Result<(), (usize, IndexError)> {
        self.add_by(batch, pool)
    }

    fn add_by(&mut self, batch: &[(u64, Vector)], workers: &impl Workers) -> Result<(), (usize, IndexError)> {
        let mut ids = FxHashSet::default();
        for (position, &(id, ref vector)) in batch.iter().enumerate() {
            self.nodes.check_new(id, vector).map_err(|error| (position, error))?;
            if self.len() + position >= crate::nodes::VECTORS_MAX {
                return Err((position, IndexError::Full));
            }
            if !ids.insert(id) {
                return Err((position, IndexError::DuplicateId { id }));
            }
        }
        let ef = self.config.ef_construction;
        let before = workers.map(batch.len(), |position| {
            let mut walker = self.walker();
            let near = self.near(&batch[position].1, 0, ef, &mut walker);
            self.keep(walker);
            near
        });
        let mut slots = Vec::with_capacity(batch.len());
        let mut walker = Walker::default();
        for ((id, vector), before) in batch.iter().zip(&before) {
            let near = self.nearest_of(vector, before, &slots, ef, &mut walker);
            let slot = self.take_place(*id, vector, &near);
            if !self.copies.is_copy(slot) {
                slots.push(slot);
            }
        }
        Ok(())
    }

    /// The place of each of these vectors, as [`find`](Self::find) finds it: the costly part of many allocations, done at once. Then, one
    /// after the other, [`renew`](Self::renew) has each meet those that have been added before it, and [`insert`](Self::insert) takes the place.
    ///
    /// ```
    /// use cortexkg_index::{HnswAllocationIndex, HnswConfig};
    ///
    /// let mut index = HnswAllocationIndex::new(HnswConfig::new(2))?;
    /// let vectors = [index.vector(&[1.0, 0.0])?, index.vector(&[0.0, 1.0])?, index.vector(&[1.0, 0.0])?];
    /// let places = index.find_batch(&vectors, 1).map_err(|(_, error)| error)?;
    /// for ((id, vector), mut place) in (0..).zip(&vectors).zip(places) {
    ///     index.renew(vector, &mut place)?;
    ///     if place.hits.first().is_none_or(|hit| hit.score.cosine() < 0.9) {
    ///         index.insert(id, vector, &place)?;
    ///     }
    /// }
    /// assert_eq!(index.len(), 2);
    /// # Ok::<(), cortexkg_index::IndexError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] for the first vector that is not of the dimension of the index, with its position.
    pub fn find_batch(&self, vectors: &[Vector], k: usize) -> Result<Vec<Place>, (usize, IndexError)> {
        self.find_by(vectors, k, &Caller)
    }

    /// [`find_batch`](Self::find_batch) on the threads of a pool, with the same result.
    ///
    /// # Errors
    ///
    /// As [`find_batch`](Self::find_batch).
    #[cfg(feature = "parallel")]
    pub fn find_batch_in(
        &self,
        pool: &rayon::ThreadPool,
        vectors: &[Vector],
        k: usize,
    ) -> Result<Vec<Place>, (usize, IndexError)> {
        self.find_by(vectors, k, pool)
    }

    fn find_by(
        &self,
        vectors: &[Vector],
        k: usize,
        workers: &impl Workers,
    ) -> Result<Vec<Place>, (usize, IndexError)> {
        let found = workers.map(vectors.len(), |at| self.find(&vectors[at], k).map_err(|error| (at, error)));
        found.into_iter().collect()
    }

    /// The nearest `k` of each of these vectors, as [`search`](Self::search) finds them.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] for the first vector that is not of the dimension of the index, with its position.
    pub fn search_batch(
        &self,
        vectors: &[Vector],
        k: usize,
    ) -> Result<Vec<Vec<Neighbour>>, (usize, IndexError)> {
        self.search_by(vectors, k, &Caller)
    }

    /// [`search_batch`](Self::search_batch) on the threads of a pool, with the same result.
    ///
    /// # Errors
    ///
    /// As [`search_batch`](Self::search_batch).
    #[cfg(feature = "parallel")]
    pub fn search_batch_in(
        &self,
        pool: &rayon::ThreadPool,
        vectors: &[Vector],
        k: usize,
    ) -> Result<Vec<Vec<Neighbour>>, (usize, IndexError)> {
        self.search_by(vectors, k, pool)
    }

    fn search_by(
        &self,
        vectors: &[Vector],
        k: usize,
        workers: &impl Workers,
    ) -> Result<Vec<Vec<Neighbour>>, (usize, IndexError)> {
        for (position, vector) in vectors.iter().enumerate() {
            self.nodes.check(vector).map_err(|error| (position, error))?;
        }
        let found = workers.map(vectors.len(), |position| {
            let mut hits = Vec::new();
            self.search(&vectors[position], k, &mut hits).map(|()| hits).map_err(|error| (position, error))
        });
        found.into_iter().collect()
    }
}
