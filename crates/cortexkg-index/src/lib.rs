//! Vectors of CortexKG: embeddings as codes of five precisions, exact scans, and a graph that finds what is near without looking
//! at all of them.
//!
//! What the engine decides, it decides on integers, so that the same facts give the same graph on every machine. Here
//! an embedding becomes a code, and the cosine of two of them an integer that no instruction set and no order of insertion can
//! change.
//!
//! ```
//! use cortexkg_index::{HnswAllocationIndex, HnswConfig, Precision, SearchOptions};
//!
//! // One bit per dimension for all; more for those that matter.
//! let config = HnswConfig { precision: Precision::One, ..HnswConfig::new(4) };
//! let mut index = HnswAllocationIndex::new(config)?;
//! for (id, embedding) in [(7, [1.0, 0.0, 0.0, 0.0]), (3, [0.0, 2.0, 0.1, 0.0]), (5, [0.0, 0.5, 0.0, 0.0])] {
//!     let vector = index.vector(&embedding)?;
//!     let place = index.find(&vector, 3)?; // what is near: the engine decides here,
//!     index.insert(id, &vector, &place)?; // and the same walk has found the place
//!     index.set_precision(id, Precision::Eight, Some(&vector))?;
//! }
//! let mut hits = Vec::new();
//! let query = index.vector(&[0.0, 9.0, 0.0, 0.0])?;
//! index.search_with(&query, 1, &mut SearchOptions { ef: Some(16), ..Default::default() }, &mut hits)?;
//! assert_eq!(hits[0].id, 5);
//!
//! index.remove(5)?;
//! index.search(&query, 1, &mut hits)?;
//! assert_eq!(hits[0].id, 3);
//! assert!(index.audit().is_clean());
//! # Ok::<(), cortexkg_index::IndexError>(())
//! ```
//!
//! | index | finds | for |
//! |---|---|---|
//! | [`ExactIndex`] | the nearest, by looking at every vector | small graphs; the oracle of the other |
//! | [`HnswAllocationIndex`] | the nearest that a walk meets | large graphs |
//! | [`FlatIndex`] | as [`ExactIndex`], over [`Q8Code`]s that are not rotated | what the engine decides with today |
//!
//! [`Method::cheaper`] tells which of the first two costs less.
//!
//! # Invariants
//!
//! * Codes, similarities and hits are the same bits on every CPU and at every SIMD level.
//! * Hits order by similarity, then by id; never by slot, age or chance.
//! * Every vector of an [`HnswAllocationIndex`] can be reached at any time, whatever has been added and removed: no step cuts its graph
//!   in two. [`audit`](HnswAllocationIndex::audit) looks.
//! * An index is derived: the store keeps the vectors, and the index can be filled again from it at any time.
//!
//! # Where to start reading
//!
//! `precision.rs` for what codes cost, `rotation.rs`, `vector.rs` and `rows.rs` for how they are made and compared; `hnsw/mod.rs`,
//! then `walk.rs`, `place.rs`, `linking.rs`, `copies.rs` and `remove.rs` for the graph; `snapshot/mod.rs` for the format of its file;
//! `codes.rs`, `similarity.rs` and `flat.rs` for the codes of the engine.

#[cfg(target_endian = "big")]
compile_error!(
    "rows of floats are little-endian, and the kernels read them in the order of the machine: they would have to be turned"
);

mod codes;
mod error;
mod exact;
mod finer;
mod flat;
mod hnsw;
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
    TellIds,
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
