//! What can be set of the layers.

use cortexkg::{HnswLayer, Layers, QuantizationLayer, UNIT};
use cortexkg_index::Precision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bytes;

/// Which layers are on, and how each works.
///
/// The default is what suits most: the index for large graphs, and the tiers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScalabilityConfig {
    /// Find near vectors by an index once the graph is large.
    pub enable_hnsw_indexing: bool,
    /// Keep nodes that are read often in memory, decoded.
    pub enable_multi_tier_cache: bool,
    /// Ask other partitions, where a cluster is configured.
    pub enable_distributed_processing: bool,
    /// Keep each vector as exactly as its node is important. Takes effect together with the index.
    pub enable_adaptive_quantization: bool,
    /// Settings of the index.
    pub hnsw_config: HnswLayerConfig,
    /// Settings of the tiers.
    pub cache_config: CacheConfig,
    /// Settings of the distribution.
    pub distribution_config: DistributionConfig,
    /// Settings of the precision of vectors.
    pub quantization_config: QuantizationConfig,
}

/// When and how near vectors are found by an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HnswLayerConfig {
    /// Nodes from which on it is used, 0 to 4,294,967,295.
    pub above_nodes: u32,
    /// Share of the facts that it serves, 0 to 100 percent, by a hash of their identifiers.
    pub percent_of_facts: u8,
    /// Neighbours of a vector on the upper layers, 2 to 256; twice as many on the lowest.
    pub max_connections: u32,
    /// Vectors that the search for the place of a new one holds on to, 1 to 65,536.
    pub ef_construction: u32,
    /// Vectors that a search holds on to, 1 to 65,536.
    pub ef_search: u32,
    /// Share of the nearest vectors that searches are to find, 0.5 to 0.999; what `ef_search` is tuned to while the engine adapts.
    pub recall_target: f64,
}

/// Bounds of the tiers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// Most bytes of decoded nodes, up to 1,048,576G; 0 turns the tier off.
    #[serde(deserialize_with = "bytes::size")]
    pub l1_size: u64,
    /// Most bytes of compact nodes, up to 1,048,576G; 0 turns the tier off.
    #[serde(deserialize_with = "bytes::size")]
    pub l2_size: u64,
}

/// When other partitions are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DistributionConfig {
    /// Nodes from which on they are asked, 0 to 4,294,967,295.
    pub above_nodes: u32,
    /// Share of the facts that they are asked for, 0 to 100 percent, by a hash of their identifiers.
    pub percent_of_facts: u8,
}

/// How exactly vectors are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QuantizationConfig {
    /// Importance above which a vector is kept at more bits.
    pub thresholds: Thresholds,
    /// Most bits of a vector: b1, q4, q8, f16 or f32. The engine's own vectors have 8: more buy nothing unless it is asked for.
    #[serde(with = "by_name")]
    #[schemars(with = "String")]
    pub finest: Precision,
    /// Most bytes of the vectors in memory, their links included, up to 1,048,576G; none for as many as importance asks for.
    #[serde(deserialize_with = "bytes::budget")]
    pub vector_budget: Option<u64>,
    /// Mentions after which the use of a node counts half, 1 to 4,294,967,295.
    pub half_life_mentions: u32,
}

/// Importance, 0 to 1, above which a vector is kept at so many bits; at 1 bit below all of them. None may be above the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// 32 bits.
    pub full: f64,
    /// 16 bits.
    pub half: f64,
    /// 8 bits.
    pub eight: f64,
    /// 4 bits.
    pub four: f64,
}

impl Default for ScalabilityConfig {
    fn default() -> Self {
        Self {
            enable_hnsw_indexing: true,
            enable_multi_tier_cache: true,
            enable_distributed_processing: false,
            enable_adaptive_quantization: false,
            hnsw_config: HnswLayerConfig::default(),
            cache_config: CacheConfig::default(),
            distribution_config: DistributionConfig::default(),
            quantization_config: QuantizationConfig::default(),
        }
    }
}

impl Default for HnswLayerConfig {
    fn default() -> Self {
        let HnswLayer { above_nodes, percent_of_facts, max_connections, ef_construction, ef_search } =
            HnswLayer::default();
        Self {
            above_nodes,
            percent_of_facts,
            max_connections,
            ef_construction,
            ef_search,
            recall_target: 0.95,
        }
    }
}

impl Default for CacheConfig {
    fn default() -> Self {
        let usual = cortexkg_tiers::MemoryConfig::default();
        Self { l1_size: usual.l1.bytes_max, l2_size: usual.l2.bytes_max }
    }
}

impl Default for DistributionConfig {
    fn default() -> Self {
        Self { above_nodes: 1_000_000, percent_of_facts: 100 }
    }
}

impl Default for QuantizationConfig {
    fn default() -> Self {
        let QuantizationLayer { finest, bytes_max, half_life_mentions, .. } = QuantizationLayer::default();
        Self { thresholds: Thresholds::default(), finest, vector_budget: bytes_max, half_life_mentions }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { full: 0.9, half: 0.7, eight: 0.5, four: 0.3 }
    }
}

impl ScalabilityConfig {
    /// Only the tiers: every decision is that of the plain engine.
    #[must_use]
    pub fn development_defaults() -> Self {
        Self { enable_hnsw_indexing: false, ..Self::default() }
    }

    /// Everything on. Distribution takes effect only where a cluster is configured.
    #[must_use]
    pub fn production_optimized() -> Self {
        Self { enable_distributed_processing: true, enable_adaptive_quantization: true, ..Self::default() }
    }

    /// No layer at all.
    #[must_use]
    pub fn plain() -> Self {
        Self { enable_multi_tier_cache: false, ..Self::development_defaults() }
    }

    /// The same, but what has a say in decisions as a graph has it.
    #[must_use]
    pub fn adopting(mut self, layers: &Layers) -> Self {
        self.enable_hnsw_indexing = layers.hnsw.is_some();
        if let Some(hnsw) = layers.hnsw {
            let HnswLayer { above_nodes, percent_of_facts, max_connections, ef_construction, ef_search } =
                hnsw;
            let recall_target = self.hnsw_config.recall_target;
            self.hnsw_config = HnswLayerConfig {
                above_nodes,
                percent_of_facts,
                max_connections,
                ef_construction,
                ef_search,
                recall_target,
            };
        }
        self.enable_adaptive_quantization = layers.quantization.is_some();
        if let Some(QuantizationLayer { thresholds, finest, bytes_max, half_life_mentions }) =
            layers.quantization
        {
            let [full, half, eight, four] =
                thresholds.map(|threshold| f64::from(threshold) / f64::from(UNIT));
            self.quantization_config = QuantizationConfig {
                thresholds: Thresholds { full, half, eight, four },
                finest,
                vector_budget: bytes_max,
                half_life_mentions,
            };
        }
        self
    }

    /// What of it has a say in decisions. To be [checked](Self::check) before; what is out of range counts as the nearest in it.
    #[must_use]
    pub fn layers(&self) -> Layers {
        let HnswLayerConfig {
            above_nodes,
            percent_of_facts,
            max_connections,
            ef_construction,
            ef_search,
            ..
        } = self.hnsw_config;
        let hnsw = HnswLayer { above_nodes, percent_of_facts, max_connections, ef_construction, ef_search };
        let Thresholds { full, half, eight, four } = self.quantization_config.thresholds;
        let quantization = QuantizationLayer {
            thresholds: [full, half, eight, four]
                .map(|share| (share.clamp(0.0, 1.0) * f64::from(UNIT)).round() as u32),
            finest: self.quantization_config.finest,
            bytes_max: self.quantization_config.vector_budget,
            half_life_mentions: self.quantization_config.half_life_mentions.max(1),
        };
        Layers {
            hnsw: self.enable_hnsw_indexing.then_some(hnsw),
            quantization: self.enable_adaptive_quantization.then_some(quantization),
        }
    }
}

/// Precisions by their names.
mod by_name {
    use cortexkg_index::Precision;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(precision: &Precision, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(precision.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Precision, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
