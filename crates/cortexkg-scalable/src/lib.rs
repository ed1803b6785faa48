//! The engine, with layers that are switched on one by one.
//!
//! | layer | what it does | has a say in decisions |
//! |---|---|---|
//! | HNSW index | finds near vectors without looking at all of them | yes |
//! | adaptive quantization | keeps each vector as exactly as its node is important | yes |
//! | multi-tier cache | keeps nodes that are read often decoded | no |
//! | distribution | asks other partitions for candidates | yes |

pub mod adaptive;
mod backing;
mod config;
mod distribution;
mod engine;
mod nodes;
mod strategy;
mod timing;

pub use backing::{Backing, BatchResults};
pub use config::{
    CacheConfig, DistributionConfig, HnswLayerConfig, QuantizationConfig, ScalabilityConfig, Thresholds,
};
pub use distribution::{Distribution, NotDistributed};
pub use engine::{EngineGuard, ScalableAllocationEngine};
pub use nodes::{NodeReadError, NodeReader, NodeStorageError};
pub use strategy::{AllocationStrategy, Fallback, Fallbacks};
pub use timing::{Clock, SystemClock};
