//! The engine, with layers that are switched on one by one.
//!
//! | layer | what it does | has a say in decisions |
//! |---|---|---|
//! | HNSW index | finds near vectors without looking at all of them | yes |
//! | adaptive quantization | keeps each vector as exactly as its node is important | yes |
//! | multi-tier cache | keeps nodes that are read often decoded | no |
//! | distribution | asks other partitions for candidates | yes |
//!
//! What they can be set to is a [`ScalabilityConfig`]. It is put together of sources, each overriding the one before, and remembers
//! where each value came from:
//!
//! ```
//! use cortexkg_scalable::{ConfigSource, Origin, Resolved};
//!
//! let file = ConfigSource::file("layers.toml", "profile = \"production\"\n[hnsw_config]\nef_search = 96\n")?;
//! let environment = ConfigSource::environment([("CORTEXKG_HNSW_CONFIG__EF_SEARCH".into(), "128".into())])?;
//! let resolved = Resolved::of([&file, &environment])?;
//! assert_eq!(resolved.config.hnsw_config.ef_search, 128);
//! let variable = "CORTEXKG_HNSW_CONFIG__EF_SEARCH".to_owned();
//! assert_eq!(resolved.origins.get("hnsw_config.ef_search"), Some(&Origin::Environment { variable }));
//! # Ok::<(), cortexkg_scalable::SourceError>(())
//! ```
//!
//! **Invariant:** a configuration that came of sources is within its ranges, and says of every value where it came from. Nothing here
//! reads the environment of the process or a file: who has them brings them.

pub mod adaptive;
mod backing;
mod bytes;
mod check;
mod config;
mod distribution;
mod engine;
mod fields;
mod flags;
pub mod monitor;
mod near;
mod nodes;
mod origin;
mod profile;
mod resolve;
mod schema;
mod source;
mod strategy;
mod timing;

pub use backing::{Backing, BatchResults};
pub use bytes::bytes_of;
pub use check::ConfigError;
pub use config::{
    CacheConfig, DistributionConfig, HnswLayerConfig, QuantizationConfig, ScalabilityConfig, Thresholds,
};
pub use distribution::{Distribution, NotDistributed};
pub use engine::{EngineGuard, ScalableAllocationEngine, create_production_engine};
pub use flags::{Feature, FeatureFlags, FlagError, Rollout};
pub use monitor::{
    Alert, AlertEvent, AlertLevel, AlertManager, AlertMetric, AlertRule, AlertRuleError, AlertRules,
    AlertSink, GraphCounts, LatencyHistogram, LogSink, Metrics, MetricsCollector, PerformanceMonitor,
    RunTimes, ScalabilityMonitor, WindowMetrics,
};
pub use nodes::{NodeReadError, NodeReader, NodeStorageError};
pub use origin::Origin;
pub use profile::{Profile, UnknownProfile};
pub use resolve::{Origins, Resolved, Setting};
pub use schema::json_schema;
pub use source::{ConfigSource, SourceError, VARIABLE_PREFIX, line_of};
pub use strategy::{AllocationStrategy, Fallback, Fallbacks};
pub use timing::{Clock, SystemClock};

/// The examples of the project's README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
