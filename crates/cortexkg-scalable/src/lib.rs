//! The engine, with layers that are switched on one by one.
//!
//! | layer | what it does | has a say in decisions |
//! |---|---|---|
//! | HNSW index | finds near vectors without looking at all of them | yes |
//! | adaptive quantization | keeps each vector as exactly as its node is important | yes |
//! | multi-tier cache | keeps nodes that are read often decoded | no |
//! | distribution | asks other partitions for candidates | yes |

mod config;

pub use config::{
    CacheConfig, DistributionConfig, HnswLayerConfig, QuantizationConfig, ScalabilityConfig, Thresholds,
};
