//! Exact search: every code, row after row.

use std::cmp::Ordering;
use std::collections::HashMap;

use cortexkg_simd::Kernels;
use rustc_hash::FxBuildHasher;

use crate::check_dimension;
use crate::codes::Q8Code;
use crate::error::IndexError;
use crate::similarity::{InverseNorm, Similarity};

/// Rows whose dot products are computed at once: their 1 KiB stays on the stack, so that a search needs no memory of
/// its own.
const ROWS_AT_ONCE: usize = 256;

/// Bytes of a vector beside its codes: id, inverse norm, and its entry in the map (id, slot, control byte).
const BYTES_BESIDE_CODES: usize = 8 + 4 + 17;

/// A vector that a search found.
///
/// Orders as results do: the better hit is the lesser one, so that sorted hits come best first. Higher similarity is
/// better, and at equal similarity the smaller id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hit {
    /// The id that the vector was added under.
    pub id: u64,
    /// Its similarity to the query.
    pub similarity: Similarity,
}

impl Ord for Hit {
    fn cmp(&self, other: &Self) -> Ordering {
        other.similarity.cmp(&self.similarity).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The exact index: a search compares the query with every vector. The right one up to tens of thousands of vectors,
/// and the oracle of the approximate ones beyond.
///
/// The codes lie in one block, row after row, in slots that removals fill from the end; slots never show.
#[derive(Debug, Clone)]
pub struct FlatIndex {
    kernels: &'static Kernels,
    dimension: usize,
    /// `dimension` codes per slot.
    codes: Vec<i8>,
    /// By slot, as are the ids.
    inverse_norms: Vec<InverseNorm>,
    ids: Vec<u64>,
    /// Never iterated: its order is nobody's business.
    slots: HashMap<u64, usize, FxBuildHasher>,
}

impl FlatIndex {
    /// An empty index for codes of this dimension, on the kernels of the process ([`Kernels::active`]).
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionOutOfRange`] unless it is 1 to [`DIMENSION_MAX`](crate::DIMENSION_MAX).
    pub fn new(dimension: usize) -> Result<Self, IndexError> {
        Self::with_kernels(dimension, Kernels::active())
    }

    /// The same on given kernels. All give the same hits.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_kernels(dimension: usize, kernels: &'static Kernels) -> Result<Self, IndexError> {
        check_dimension(dimension)?;
        let (codes, inverse_norms, ids, slots) = Default::default();
        Ok(Self { kernels, dimension, codes, inverse_norms, ids, slots })
    }

    /// Dimension of every code in it.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of vectors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it holds no vector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Bytes that its vectors take: `dimension + 29` each. Counted from their number alone, so that it is the same on
    /// every machine and decisions may rest on it; memory that is allocated ahead of need, or kept after removals, is
    /// not in it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.len() * (self.dimension + BYTES_BESIDE_CODES)
    }

    /// Whether a vector of this id is in the index.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.slots.contains_key(&id)
    }

    /// The [values](Q8Code::values) of the code of this id. The index keeps no scale: similarity does not need it.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&[i8]> {
        self.slots.get(&id).map(|&slot| &self.codes[self.row(slot)])
    }

    /// The ids of all vectors, in no particular order.
    #[must_use]
    pub fn ids(&self) -> &[u64] {
        &self.ids
    }

    /// Adds a vector.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if the code is not of the dimension of the index, [`IndexError::DuplicateId`]
    /// if the id is there already.
    pub fn add(&mut self, id: u64, code: &Q8Code) -> Result<(), IndexError> {
        code.check_dimension(self.dimension)?;
        if self.contains(id) {
            return Err(IndexError::DuplicateId { id });
        }
        self.slots.insert(id, self.ids.len());
        self.ids.push(id);
        self.inverse_norms.push(code.inverse_norm());
        self.codes.extend_from_slice(code.values());
        Ok(())
    }

    /// Gives a vector another code.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if the code is not of the dimension of the index, [`IndexError::UnknownId`] if
    /// the id is not there.
    pub fn replace(&mut self, id: u64, code: &Q8Code) -> Result<(), IndexError> {
        code.check_dimension(self.dimension)?;
        let slot = self.slot(id)?;
        let row = self.row(slot);
        self.codes[row].copy_from_slice(code.values());
        self.inverse_norms[slot] = code.inverse_norm();
        Ok(())
    }

    /// Removes a vector. The last one moves into its slot, so this takes the same time in an index of any size.
    ///
    /// # Errors
    ///
    /// [`IndexError::UnknownId`] if the id is not there.
    pub fn remove(&mut self, id: u64) -> Result<(), IndexError> {
        let slot = self.slot(id)?;
        self.slots.remove(&id);
        self.ids.swap_remove(slot);
        self.inverse_norms.swap_remove(slot);
        if let Some(&moved) = self.ids.get(slot) {
            self.slots.insert(moved, slot);
        }
        let last = self.row(self.len());
        self.codes.copy_within(last.clone(), slot * self.dimension);
        self.codes.truncate(last.start);
        Ok(())
    }

    /// The similarity of one vector to a query: what [`search`](Self::search) would say of it.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if the query is not of the dimension of the index, [`IndexError::UnknownId`] if
    /// the id is not there.
    pub fn similarity(&self, id: u64, query: &Q8Code) -> Result<Similarity, IndexError> {
        query.check_dimension(self.dimension)?;
        let slot = self.slot(id)?;
        let dot = self.kernels.dot_i8(query.values(), &self.codes[self.row(slot)]);
        Ok(Similarity::of(dot, query.inverse_norm(), self.inverse_norms[slot]))
    }

    /// Fills `hits` with the `k` vectors most similar to the query (all, if there are fewer), best first, equal ones by
    /// their id. What `hits` held before is dropped, its memory used again.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if the query is not of the dimension of the index; `hits` is empty then.
    pub fn search(&self, query: &Q8Code, k: usize, hits: &mut Vec<Hit>) -> Result<(), IndexError> {
        hits.clear();
        query.check_dimension(self.dimension)?;
        if k == 0 {
            return Ok(());
        }
        let query_norm = query.inverse_norm();
        let mut best = BestHits::new(std::mem::take(hits), k, query_norm);
        let mut dots = [0; ROWS_AT_ONCE];
        let blocks = self.codes.chunks(ROWS_AT_ONCE * self.dimension);
        let norms = self.inverse_norms.chunks(ROWS_AT_ONCE).zip(self.ids.chunks(ROWS_AT_ONCE));
        for (codes, (norms, ids)) in blocks.zip(norms) {
            let dots = &mut dots[..ids.len()];
            self.kernels.dot_i8_many(query.values(), codes, dots);
            for ((&dot, &norm), &id) in dots.iter().zip(norms).zip(ids) {
                let weighted = norm.weigh(dot);
                if weighted >= best.least_weighted {
                    best.take(Hit { id, similarity: Similarity::of_weighted(weighted, query_norm) });
                }
            }
        }
        *hits = best.into_sorted();
        Ok(())
    }

    fn slot(&self, id: u64) -> Result<usize, IndexError> {
        self.slots.get(&id).copied().ok_or(IndexError::UnknownId { id })
    }

    /// Where the codes of a slot lie.
    fn row(&self, slot: usize) -> std::ops::Range<usize> {
        slot * self.dimension..(slot + 1) * self.dimension
    }
}

/// The best `k` of the hits that were taken.
///
/// Takes up to `limit` hits before it sorts out the best `k` of them: on small `k` several times cheaper than a heap,
/// whose every entry is a walk.
struct BestHits {
    hits: Vec<Hit>,
    k: usize,
    limit: usize,
    query_norm: InverseNorm,
    /// A weighted dot product below this cannot be among the best: one comparison turns most of them away.
    least_weighted: i64,
}

impl BestHits {
    /// Uses the memory of an empty vector; `k` is at least 1.
    fn new(hits: Vec<Hit>, k: usize, query_norm: InverseNorm) -> Self {
        let limit = k.saturating_mul(2).max(32);
        Self { hits, k, limit, query_norm, least_weighted: i64::MIN }
    }

    #[inline]
    fn take(&mut self, hit: Hit) {
        self.hits.push(hit);
        if self.hits.len() >= self.limit {
            self.keep_best();
        }
    }

    #[cold]
    fn keep_best(&mut self) {
        if self.hits.len() > self.k {
            let (_, worst, _) = self.hits.select_nth_unstable(self.k - 1);
            self.least_weighted = worst.similarity.least_weighted(self.query_norm);
            self.hits.truncate(self.k);
        }
    }

    fn into_sorted(mut self) -> Vec<Hit> {
        self.keep_best();
        self.hits.sort_unstable();
        self.hits
    }
}
