//! How an index is built and searched.

use crate::check_dimension;
use crate::error::IndexError;
use crate::precision::Precision;

/// How an [`HnswAllocationIndex`](super::HnswAllocationIndex) is built and searched.
///
/// ```
/// use cortexkg_index::{HnswConfig, Precision};
///
/// let config = HnswConfig { precision: Precision::Four, ..HnswConfig::new(384) };
/// assert_eq!(config.max_connections, 16);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HnswConfig {
    /// Dimensions of every embedding, 1 to [`DIMENSION_MAX`](crate::DIMENSION_MAX).
    pub dimension: usize,
    /// Neighbours of a node on the upper layers, 2 to 256; twice as many on the lowest. More find more and cost more: 4 bytes
    /// for each, and time.
    pub max_connections: usize,
    /// Nodes that the search for the place of a new one holds on to, 1 to 65,536. More make a better graph, slowlier.
    pub ef_construction: usize,
    /// Nodes that a search holds on to unless it says otherwise, 1 to 65,536.
    pub ef_search: usize,
    /// What is kept of every vector, and looked at on the way. Single vectors can be kept at more.
    pub precision: Precision,
}

impl HnswConfig {
    /// Most neighbours on an upper layer.
    pub const CONNECTIONS_MAX: usize = 256;
    /// Most nodes that a search may hold on to.
    pub const EF_MAX: usize = 1 << 16;

    /// Settings that suit most embeddings of models: 16 connections, ef 64 for both, 8-bit codes.
    #[must_use]
    pub fn new(dimension: usize) -> Self {
        let precision = Precision::Eight;
        Self { dimension, max_connections: 16, ef_construction: 64, ef_search: 64, precision }
    }

    pub(crate) fn check(&self) -> Result<(), IndexError> {
        check_dimension(self.dimension)?;
        in_range("max_connections", self.max_connections, 2, Self::CONNECTIONS_MAX)?;
        in_range("ef_construction", self.ef_construction, 1, Self::EF_MAX)?;
        in_range("ef_search", self.ef_search, 1, Self::EF_MAX)
    }
}

pub(super) fn in_range(
    name: &'static str,
    value: usize,
    least: usize,
    most: usize,
) -> Result<(), IndexError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(IndexError::Setting { name, value, least, most })
    }
}
