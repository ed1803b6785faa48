//! Vectors of CortexKG: embeddings as 8-bit codes, and the index that finds the nearest of them.
//!
//! What the engine decides, it decides on integers, so that the same facts give the same graph on every machine. Here
//! an embedding becomes a [`Q8Code`], and the cosine of two codes a [`Similarity`]: an integer that no float, no
//! instruction set and no order of insertion can change.
//!
//! ```
//! use cortexkg_index::{FlatIndex, Hit, Q8Code, Similarity};
//!
//! let mut index = FlatIndex::new(4)?;
//! index.add(7, &Q8Code::from_embedding(&[1.0, 0.0, 0.0, 0.0])?)?;
//! index.add(3, &Q8Code::from_embedding(&[0.0, 2.0, 0.0, 0.0])?)?;
//! index.add(5, &Q8Code::from_embedding(&[0.0, 0.5, 0.0, 0.0])?)?;
//!
//! let query = Q8Code::from_embedding(&[0.0, 9.0, 0.0, 0.0])?;
//! let mut hits = Vec::new();
//! index.search(&query, 2, &mut hits)?;
//! // Best first; 3 and 5 are equally similar, so the smaller id leads.
//! assert_eq!(hits, [3, 5].map(|id| Hit { id, similarity: Similarity::ONE }));
//!
//! index.remove(3)?;
//! index.search(&query, 1, &mut hits)?;
//! assert_eq!(hits[0].id, 5);
//! # Ok::<(), cortexkg_index::IndexError>(())
//! ```
//!
//! # Invariants
//!
//! * Codes, similarities and hits are the same bits on every CPU and at every SIMD level.
//! * SearchOptions order by similarity, then by id; never by slot, age or chance. An index that was filled in another order, or
//!   rebuilt, answers alike.
//! * The index is derived: the store keeps the codes, and the index can be refilled from it at any time.
//!
//! # Where to start reading
//!
//! `codes.rs` for the code of an embedding, `similarity.rs` for the formula and its bounds, `flat.rs` for the exact
//! scan.

mod codes;
mod error;
mod exact;
mod finer;
mod flat;
mod hnsw;
mod memory;
mod nodes;
mod precision;
mod rotation;
mod rows;
mod score;
mod similarity;
mod snapshot;
mod vector;

pub use codes::Q8Code;
pub use error::IndexError;
pub use exact::{ExactIndex, Method, VectorIndex};
pub use flat::{FlatIndex, Hit};
pub use hnsw::{
    Audit, HnswAllocationIndex, HnswConfig, Neighbour, Place, ReadFull, RecallEstimate, SearchOptions,
};
pub use nodes::VECTORS_MAX;
pub use precision::{Precision, UnknownPrecision};
pub use rotation::Rotation;
pub use score::Score;
pub use similarity::Similarity;
pub use snapshot::SnapshotError;
pub use vector::Vector;

/// Most dimensions of an embedding. Bounds every sum of products of codes below 2²⁶.
pub const DIMENSION_MAX: usize = 4096;

/// Checks that a dimension lies in 1..=[`DIMENSION_MAX`].
fn check_dimension(dimension: usize) -> Result<(), IndexError> {
    if (1..=DIMENSION_MAX).contains(&dimension) {
        Ok(())
    } else {
        Err(IndexError::DimensionOutOfRange { dimension })
    }
}
