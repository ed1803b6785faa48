//! Rows of embeddings, handled as one batch.

use crate::kernels::Kernels;

/// Normalises and scores batches of embeddings: `rows · dimension` floats, row after row.
///
/// Each embedding is normalised by itself and over its whole length, whatever the width of a register.
///
/// ```
/// use cortexkg_simd::SimdBatchProcessor;
///
/// let processor = SimdBatchProcessor::new(3)?;
/// let mut batch = [3.0, 0.0, 4.0, /* */ 0.0, 0.0, 0.0, /* */ 0.0, 2.0, 0.0];
/// assert_eq!(processor.normalize(&mut batch)?, [1], "embedding 1 has no direction");
/// assert_eq!(batch, [0.6, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
///
/// let mut scores = [0.0; 3];
/// processor.score(&[0.0, 1.0, 0.0], &batch, &mut scores)?;
/// assert_eq!(scores, [0.0, 0.0, 1.0]);
/// # Ok::<(), cortexkg_simd::BatchError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SimdBatchProcessor {
    dimension: usize,
    kernels: &'static Kernels,
}

/// Why a batch was refused. Nothing has been written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Embeddings must have at least one dimension.
    #[error("embeddings need at least one dimension")]
    NoDimension,
    /// The batch does not hold whole embeddings.
    #[error("a batch of {len} floats does not hold whole embeddings of dimension {dimension}")]
    PartialEmbedding {
        /// Floats in the batch.
        len: usize,
        /// Dimension of the processor.
        dimension: usize,
    },
    /// The query is not of the dimension of the batch.
    #[error("the query has {len} dimensions, the batch has {dimension}")]
    QueryLength {
        /// Floats in the query.
        len: usize,
        /// Dimension of the processor.
        dimension: usize,
    },
    /// There is not one place for each score.
    #[error("{len} places for the scores of {rows} embeddings")]
    ScoresLength {
        /// Places that were given.
        len: usize,
        /// Embeddings in the batch.
        rows: usize,
    },
}

impl SimdBatchProcessor {
    /// A processor for embeddings of `dimension` floats, on the kernels of this process ([`Kernels::active`]).
    ///
    /// # Errors
    ///
    /// [`BatchError::NoDimension`] if `dimension` is 0.
    pub fn new(dimension: usize) -> Result<Self, BatchError> {
        Self::with_kernels(dimension, Kernels::active())
    }

    /// The same on given kernels.
    ///
    /// # Errors
    ///
    /// [`BatchError::NoDimension`] if `dimension` is 0.
    pub fn with_kernels(dimension: usize, kernels: &'static Kernels) -> Result<Self, BatchError> {
        if dimension == 0 { Err(BatchError::NoDimension) } else { Ok(Self { dimension, kernels }) }
    }

    /// Floats in an embedding.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Scales each embedding of the batch to length 1, as [`Kernels::normalize_f32`] does.
    ///
    /// Returns the row numbers, ascending, of those that it left as they were: zero, or not finite.
    ///
    /// # Errors
    ///
    /// [`BatchError::PartialEmbedding`] if the batch does not hold whole embeddings.
    pub fn normalize(&self, batch: &mut [f32]) -> Result<Vec<usize>, BatchError> {
        self.rows(batch)?;
        let mut without_direction = Vec::new();
        for (row, embedding) in batch.chunks_exact_mut(self.dimension).enumerate() {
            if !self.kernels.normalize_f32(embedding) {
                without_direction.push(row);
            }
        }
        Ok(without_direction)
    }

    /// Writes the dot product of the query with each embedding of the batch: their cosine, if all are normalised.
    ///
    /// # Errors
    ///
    /// [`BatchError::QueryLength`], [`BatchError::PartialEmbedding`] or [`BatchError::ScoresLength`] if the shapes do
    /// not fit.
    pub fn score(&self, query: &[f32], batch: &[f32], scores: &mut [f32]) -> Result<(), BatchError> {
        if query.len() != self.dimension {
            return Err(BatchError::QueryLength { len: query.len(), dimension: self.dimension });
        }
        let rows = self.rows(batch)?;
        if scores.len() != rows {
            return Err(BatchError::ScoresLength { len: scores.len(), rows });
        }
        for (score, embedding) in scores.iter_mut().zip(batch.chunks_exact(self.dimension)) {
            *score = self.kernels.dot_f32(query, embedding);
        }
        Ok(())
    }

    /// Number of embeddings in the batch.
    fn rows(&self, batch: &[f32]) -> Result<usize, BatchError> {
        if batch.len().is_multiple_of(self.dimension) {
            Ok(batch.len() / self.dimension)
        } else {
            Err(BatchError::PartialEmbedding { len: batch.len(), dimension: self.dimension })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_that_do_not_fit_are_refused_and_change_nothing() {
        assert_eq!(SimdBatchProcessor::new(0).unwrap_err(), BatchError::NoDimension);
        let processor = SimdBatchProcessor::new(3).unwrap();
        let mut batch = [2.0; 7];
        let partial = BatchError::PartialEmbedding { len: 7, dimension: 3 };
        assert_eq!(processor.normalize(&mut batch), Err(partial.clone()));
        assert_eq!(batch, [2.0; 7]);
        let query = [1.0; 3];
        assert_eq!(processor.score(&query, &batch, &mut [0.0; 2]), Err(partial));
        let places = BatchError::ScoresLength { len: 1, rows: 2 };
        assert_eq!(processor.score(&query, &batch[..6], &mut [0.0]), Err(places));
        let length = BatchError::QueryLength { len: 2, dimension: 3 };
        assert_eq!(processor.score(&query[..2], &batch[..6], &mut [0.0; 2]), Err(length));
    }

    #[test]
    fn an_empty_batch_is_fine() {
        let processor = SimdBatchProcessor::new(3).unwrap();
        assert_eq!(processor.normalize(&mut []), Ok(Vec::new()));
        assert_eq!(processor.score(&[1.0; 3], &[], &mut []), Ok(()));
    }

    #[test]
    fn every_embedding_gets_its_own_length_and_the_tail_counts() {
        for dimension in [1, 3, 7, 65, 384] {
            let processor = SimdBatchProcessor::new(dimension).unwrap();
            let mut batch: Vec<f32> =
                (0..5 * dimension).map(|i| (i as f32 + 1.0) * 10_f32.powi(i as i32 % 3)).collect();
            assert_eq!(processor.normalize(&mut batch), Ok(Vec::new()));
            for embedding in batch.chunks_exact(dimension) {
                let norm: f64 = embedding.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
                assert!((norm - 1.0).abs() < 1e-6, "dimension {dimension}: squared norm {norm}");
            }
        }
    }
}
