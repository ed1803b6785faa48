//! The layers that have a say in decisions: by what near vectors are found, and how exactly each is kept.
//!
//! They belong to the state of a graph, not to its configuration: they may change while it lives. Every change is an operation of its
//! log, so that repeating the log gives the same graph.

use cortexkg_index::{HnswConfig, Precision};
use serde::{Deserialize, Serialize};

/// Importance, thresholds and the like, in 1/65536.
pub const UNIT: u32 = 1 << 16;

/// The layers of a graph. By default none: every vector is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Layers {
    /// An index that finds near vectors without looking at all of them.
    pub hnsw: Option<HnswLayer>,
    /// A precision for every vector of that index; all are kept at 8 bits without it.
    pub quantization: Option<QuantizationLayer>,
}

/// When and how near vectors are found by an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HnswLayer {
    /// Nodes from which on the index is used. It grows from half of them on, so that it is whole by then. 8,192 by default, which suits
    /// vectors of some 384 dimensions: three times as many as cost as much to scan as one walk does with the other defaults
    /// ([`Method::cheaper`](cortexkg_index::Method::cheaper)), as a new node takes two walks more. Shorter vectors are scanned faster.
    pub above_nodes: u32,
    /// Share of the facts that it serves, 0 to 100: those whose identifier hashes below it. The others are served by a scan.
    pub percent_of_facts: u8,
    /// Neighbours of a vector on the upper layers, 2 to 256.
    pub max_connections: u32,
    /// Vectors that the search for the place of a new one holds on to, 1 to 65,536.
    pub ef_construction: u32,
    /// Vectors that a search holds on to, 1 to 65,536.
    pub ef_search: u32,
}

impl Default for HnswLayer {
    fn default() -> Self {
        let usual = HnswConfig::new(1);
        Self {
            above_nodes: 8_192,
            percent_of_facts: 100,
            max_connections: usual.max_connections as u32,
            ef_construction: usual.ef_construction as u32,
            ef_search: usual.ef_search as u32,
        }
    }
}

/// How exactly vectors are kept, by the importance of their nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantizationLayer {
    /// Importance, in 1/65536, above which a vector is kept at 32, 16, 8 and 4 bits; at 1 bit below all of them. Never rising.
    pub thresholds: [u32; 4],
    /// Most bits of a vector.
    #[serde(with = "by_name")]
    pub finest: Precision,
    /// Most bytes of the index; none for as many as importance asks for. What every vector takes at 1 bit, and its links, can
    /// not be saved.
    pub bytes_max: Option<u64>,
    /// Mentions after which the use of a node counts half.
    pub half_life_mentions: u32,
}

impl Default for QuantizationLayer {
    fn default() -> Self {
        let share = |percent: u32| UNIT * percent / 100;
        Self {
            thresholds: [share(90), share(70), share(50), share(30)],
            finest: Precision::Eight,
            bytes_max: None,
            half_life_mentions: 1 << 16,
        }
    }
}

impl Layers {
    /// What graphs had before layers could be chosen.
    pub(crate) fn of_old() -> Self {
        Self { hnsw: Some(HnswLayer { above_nodes: 65_536, ..HnswLayer::default() }), quantization: None }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("plain data has an encoding")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        postcard::from_bytes(bytes).map_err(|error| error.to_string())
    }

    /// What changes from these to others, in words.
    pub(crate) fn difference(&self, to: &Self) -> String {
        let mut changes = Vec::new();
        let is_on = |is_on| if is_on { "on" } else { "off" };
        if self.hnsw.is_some() != to.hnsw.is_some() {
            changes.push(format!("index {}", is_on(to.hnsw.is_some())));
        }
        if let (Some(before), Some(after)) = (self.hnsw, to.hnsw) {
            let parts = [
                ("above_nodes", before.above_nodes, after.above_nodes),
                ("percent_of_facts", before.percent_of_facts.into(), after.percent_of_facts.into()),
                ("max_connections", before.max_connections, after.max_connections),
                ("ef_construction", before.ef_construction, after.ef_construction),
                ("ef_search", before.ef_search, after.ef_search),
            ];
            let differ = parts.into_iter().filter(|(_, before, after)| before != after);
            changes.extend(differ.map(|(name, before, after)| format!("{name} {before} → {after}")));
        }
        if self.quantization.is_some() != to.quantization.is_some() {
            changes.push(format!("quantization {}", is_on(to.quantization.is_some())));
        }
        if let (Some(before), Some(after)) = (self.quantization, to.quantization) {
            let bytes = |most: Option<u64>| most.map_or_else(|| "none".to_owned(), |most| most.to_string());
            if before.bytes_max != after.bytes_max {
                changes.push(format!(
                    "vector budget {} → {}",
                    bytes(before.bytes_max),
                    bytes(after.bytes_max)
                ));
            }
            if (QuantizationLayer { bytes_max: None, ..before })
                != (QuantizationLayer { bytes_max: None, ..after })
            {
                changes.push("precision of vectors".to_owned());
            }
        }
        if changes.is_empty() { "no change".to_owned() } else { changes.join(", ") }
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
