//! What an index refuses.

use crate::DIMENSION_MAX;

/// Why a vector or a call was refused. Nothing has been changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// A dimension outside 1..=[`DIMENSION_MAX`].
    #[error("embeddings have 1 to {DIMENSION_MAX} dimensions, not {dimension}")]
    DimensionOutOfRange {
        /// The dimension that was given.
        dimension: usize,
    },
    /// A code of another dimension than that of the index, or of the other code.
    #[error(
        "a code of {found} dimensions where {expected} are expected: all embeddings of an index have one dimension"
    )]
    DimensionMismatch {
        /// Dimension that is expected.
        expected: usize,
        /// Dimension of the code.
        found: usize,
    },
    /// A value of an embedding is NaN or infinite.
    #[error("value {position} of the embedding is not a finite number")]
    NotFinite {
        /// Its position, from 0.
        position: usize,
    },
    /// A stored code holds -128, which no code has.
    #[error("value {position} of the code is -128: codes lie in -127..=127, so the data is damaged")]
    CodeOutOfRange {
        /// Its position, from 0.
        position: usize,
    },
    /// The id to add is there already.
    #[error("vector {id} is in the index already: use replace to change it")]
    DuplicateId {
        /// The id.
        id: u64,
    },
    /// The id is not there.
    #[error("vector {id} is not in the index")]
    UnknownId {
        /// The id.
        id: u64,
    },
    /// The index holds as many vectors as it can.
    #[error("the index is full: it holds {} vectors at most", crate::nodes::VECTORS_MAX)]
    Full,
    /// A setting outside its range.
    #[error("{name} is {value}, but must lie in {least}..={most}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The value that was given.
        value: usize,
        /// Least value allowed.
        least: usize,
        /// Largest value allowed.
        most: usize,
    },
    /// A precision below that at which the index keeps all vectors.
    #[error("a vector cannot be kept at {asked}: this index keeps all of them at {least} at least")]
    PrecisionTooLow {
        /// The precision that was asked for.
        asked: crate::Precision,
        /// The one of the index.
        least: crate::Precision,
    },
}
