//! How exactly the vector of each node is kept: by how important the node is, within a budget of bytes.
//!
//! Importance is use that fades. A node is used when a mention comes to it, and more so when that was a close call, where exactness
//! tells. Every use counts half as much after a number of mentions (*combined recency and frequency*: Lee et al., LRFU, IEEE
//! Transactions on Computers 50(12), 2001); ties to other nodes count a little:
//!
//! ```text
//! x          = Σ weight · 2^(−age / half life)  +  ½ · log2(1 + edges)      weight: 1, or 3 of a close call
//! importance = x / (x + 3)                                                  1 for a pinned node
//! ```
//!
//! Levels follow from thresholds, and those rise while there are more bytes than the budget allows. Everything happens at places
//! that the log defines: with a mention that is committed, its node is looked at and a few others, in turn.

use cortexkg_index::Precision;
use cortexkg_simd::PartVec;
use serde::{Deserialize, Serialize};

use crate::evidence::log2;
use crate::graph::NodeIndex;
use crate::layers::{QuantizationLayer, UNIT};

/// What a use counts, in 1/256.
pub(crate) const USE: u32 = 256;
/// What a close call counts beside.
pub(crate) const CLOSE_CALL: u32 = 2 * USE;
/// Of what makes importance one half, in 1/256.
const HALFWAY: u64 = 3 * 256;
/// Most that a node's uses count, in 1/256: importance is 0.9995 then.
const USES_MAX: u32 = 6000 * 256;
/// Nodes that are looked at with each mention, and where there are too many bytes.
const LOOKED_AT: u32 = 8;
const LOOKED_AT_IN_NEED: u32 = 64;
/// By how much the pressure rises, in 1/65536, until every node has been looked at once more; how much slower it falls; and what of
/// the budget, in 1/32, must be free before it does.
const PRESSURE_RISES: u64 = UNIT as u64 / 8;
const FALLS_SLOWER: u32 = 16;
const FREE: u64 = 1;

/// How a node has been used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeUse {
    /// Faded uses as of `at`, in 1/256.
    uses: u32,
    /// Mentions there were then.
    at: u32,
    /// Edges there were then.
    edges: u32,
}

/// Scores how important nodes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportanceScorer {
    /// Mentions after which a use counts half, at least 1.
    pub half_life_mentions: u32,
}

impl ImportanceScorer {
    /// What is left of faded uses, in 1/256, after some mentions more: halved for every half life, in a straight line in between.
    #[must_use]
    pub fn faded(self, uses: u32, age: u32) -> u32 {
        let half_life = self.half_life_mentions.max(1);
        let halved = uses.checked_shr(age / half_life).unwrap_or(0);
        let part = u64::from(age % half_life);
        halved - (u64::from(halved) * part / (2 * u64::from(half_life))) as u32
    }

    /// Importance, in 1/65536, of a node with these faded uses, in 1/256, `age` mentions ago, and so many edges.
    #[must_use]
    pub fn score(self, uses: u32, age: u32, edges: u32) -> u32 {
        let ties = log2(1 + u64::from(edges)).0.max(0) as u64 / 2;
        let x = u64::from(self.faded(uses, age)) + ties;
        (x * u64::from(UNIT) / (x + HALFWAY)) as u32
    }
}

/// Chooses the precision of a vector by the importance of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantizationStrategy {
    /// Importance, in 1/65536, above which a vector is kept at 32, 16, 8 and 4 bits.
    pub thresholds: [u32; 4],
    /// Most bits of a vector.
    pub finest: Precision,
    /// By which part of what is left to 1 the thresholds are raised, in 1/65536.
    pub pressure: u32,
}

impl QuantizationStrategy {
    /// The precision for an importance, in 1/65536. A pinned node's is [`UNIT`].
    #[must_use]
    pub fn precision(&self, importance: u32) -> Precision {
        let raised = |threshold: u32| {
            let rest = u64::from(UNIT.saturating_sub(threshold));
            threshold + (rest * u64::from(self.pressure.min(UNIT - 1)) / u64::from(UNIT)) as u32
        };
        let finer = [Precision::Full, Precision::Half, Precision::Eight, Precision::Four];
        let met =
            finer.into_iter().zip(self.thresholds).find(|&(_, threshold)| importance > raised(threshold));
        met.map_or(Precision::One, |(precision, _)| precision.min(self.finest))
    }
}

/// What of the vectors is kept how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QuantizationReport {
    /// Vectors at 1, 4, 8, 16 and 32 bits.
    pub vectors: [usize; 5],
    /// Bytes of vectors and links, as their numbers say.
    pub bytes: u64,
    /// Most bytes they are to take.
    pub bytes_max: Option<u64>,
    /// By which part of what is left to 1 thresholds are raised to stay within the budget, in 1/65536.
    pub pressure: u32,
    /// Vectors that were made finer, and coarser, in this process.
    pub made_finer: u64,
    /// The same for coarser.
    pub made_coarser: u64,
    /// Coarse vectors of which the exact one was read again, in this process.
    pub read_again: u64,
}

/// Keeps account of what nodes are used for, and says what each is to be kept at.
#[derive(Debug)]
pub(crate) struct AdaptiveQuantizationEngine {
    layer: QuantizationLayer,
    /// By place of the node.
    uses: PartVec<NodeUse>,
    pressure: u32,
    /// The node that is looked at next.
    next: NodeIndex,
    /// Measurements, no state.
    pub(crate) made_finer: u64,
    pub(crate) made_coarser: u64,
}

/// What of it a snapshot keeps beside the uses.
pub(crate) type Saved = (u32, NodeIndex);

impl AdaptiveQuantizationEngine {
    pub(crate) fn new(layer: QuantizationLayer) -> Self {
        Self { layer, uses: PartVec::default(), pressure: 0, next: 0, made_finer: 0, made_coarser: 0 }
    }

    pub(crate) fn load(layer: QuantizationLayer, uses: PartVec<NodeUse>, (pressure, next): Saved) -> Self {
        Self { uses, pressure, next, ..Self::new(layer) }
    }

    pub(crate) fn saved(&self) -> (&PartVec<NodeUse>, Saved) {
        (&self.uses, (self.pressure, self.next))
    }

    /// From now on by these settings.
    pub(crate) fn set_layer(&mut self, layer: QuantizationLayer) {
        self.layer = layer;
    }

    fn scorer(&self) -> ImportanceScorer {
        ImportanceScorer { half_life_mentions: self.layer.half_life_mentions }
    }

    /// Takes note of a use of a node with so many edges, when there are `now` mentions; `weight` in 1/256.
    pub(crate) fn note(&mut self, node: NodeIndex, weight: u32, edges: u32, now: u32) {
        let scorer = self.scorer();
        self.uses.grow_to(node as usize + 1, NodeUse::default());
        let of = &mut self.uses[node as usize];
        let faded = scorer.faded(of.uses, now.saturating_sub(of.at));
        *of = NodeUse { uses: faded.saturating_add(weight).min(USES_MAX), at: now, edges };
    }

    /// Importance of a node when there are `now` mentions, in 1/65536.
    pub(crate) fn importance(&self, node: NodeIndex, is_pinned: bool, now: u32) -> u32 {
        let NodeUse { uses, at, edges } = self.uses.get(node as usize).copied().unwrap_or_default();
        if is_pinned { UNIT } else { self.scorer().score(uses, now.saturating_sub(at), edges) }
    }

    /// What a vector of this importance is to be kept at.
    pub(crate) fn precision(&self, importance: u32) -> Precision {
        let QuantizationLayer { thresholds, finest, .. } = self.layer;
        QuantizationStrategy { thresholds, finest, pressure: self.pressure }.precision(importance)
    }

    /// Whether the index may take so many bytes.
    pub(crate) fn fits(&self, bytes: u64) -> bool {
        self.layer.bytes_max.is_none_or(|most| bytes <= most)
    }

    /// The nodes of `places` places that it is the turn of.
    pub(crate) fn turn(&mut self, places: NodeIndex, bytes: u64) -> impl Iterator<Item = NodeIndex> + use<> {
        let count = if self.fits(bytes) { LOOKED_AT } else { LOOKED_AT_IN_NEED }.min(places);
        let first = if self.next < places { self.next } else { 0 };
        self.next = if places == 0 { 0 } else { (first + count) % places };
        (0..count).map(move |at| (first + at) % places)
    }

    /// Raises or lowers the pressure by a little, for an index of so many bytes in a graph of so many places. So it is spread over as
    /// many mentions as it takes to look at every node: it does not rise before it has told.
    pub(crate) fn press(&mut self, bytes: u64, places: NodeIndex) {
        let step = (PRESSURE_RISES * u64::from(LOOKED_AT_IN_NEED) / u64::from(places.max(LOOKED_AT_IN_NEED)))
            .max(1) as u32;
        self.pressure = match self.layer.bytes_max {
            None => 0,
            Some(most) if bytes > most => (self.pressure + step).min(UNIT - 1),
            Some(most) if bytes < most - most / 32 * FREE => {
                self.pressure.saturating_sub((step / FALLS_SLOWER).max(1))
            }
            Some(_) => self.pressure,
        };
    }

    pub(crate) fn report(&self, vectors: [usize; 5], bytes: u64, read_again: u64) -> QuantizationReport {
        QuantizationReport {
            vectors,
            bytes,
            bytes_max: self.layer.bytes_max,
            pressure: self.pressure,
            made_finer: self.made_finer,
            made_coarser: self.made_coarser,
            read_again,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.uses.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORER: ImportanceScorer = ImportanceScorer { half_life_mentions: 1000 };

    #[test]
    fn importance_rises_with_use_and_fades() {
        assert_eq!(SCORER.score(0, 0, 0), 0);
        assert_eq!(SCORER.score(3 * USE, 0, 0), UNIT / 2);
        assert_eq!(SCORER.score(6 * USE, 1000, 0), UNIT / 2);
        assert_eq!(SCORER.score(0, 0, 63), UNIT / 2, "six doublings of edges, half of each");
        let mut last = SCORER.score(100 * USE, 0, 0);
        for age in (1..20_000).step_by(37) {
            let now = SCORER.score(100 * USE, age, 0);
            assert!(now <= last, "{age}");
            last = now;
        }
        assert_eq!(last, 0);
        assert!(SCORER.score(USES_MAX, 0, u32::MAX) < UNIT);
    }

    #[test]
    fn a_straight_line_lies_near_the_curve() {
        for age in 0..4000 {
            let exact = 65_536.0 * (-f64::from(age) / 1000.0).exp2();
            let faded = f64::from(SCORER.faded(65_536, age));
            assert!((faded / exact - 1.0).abs() < 0.07, "{age}: {faded} {exact}");
        }
    }

    #[test]
    fn thresholds_part_the_precisions_and_pressure_raises_them() {
        let layer = QuantizationLayer { finest: Precision::Full, ..QuantizationLayer::default() };
        let strategy =
            |pressure| QuantizationStrategy { thresholds: layer.thresholds, finest: layer.finest, pressure };
        let at = |pressure, percent: u32| strategy(pressure).precision(UNIT * percent / 100);
        let levels = [0, 30, 31, 50, 51, 70, 71, 90, 91, 100].map(|percent| at(0, percent).bits());
        assert_eq!(levels, [1, 1, 4, 4, 8, 8, 16, 16, 32, 32]);
        let pressed = [31, 65, 66, 91, 95, 96].map(|percent| at(UNIT / 2, percent).bits());
        assert_eq!(pressed, [1, 1, 4, 16, 16, 32]);
        assert_eq!(at(UNIT, 100).bits(), 32, "what is pinned stays");
        assert_eq!(at(UNIT, 99).bits(), 1);
        let capped = QuantizationStrategy { finest: Precision::Eight, ..strategy(0) };
        assert_eq!(capped.precision(UNIT), Precision::Eight);
    }

    #[test]
    fn every_node_has_its_turn() {
        let mut engine = AdaptiveQuantizationEngine::new(QuantizationLayer::default());
        let mut seen = vec![0; 21];
        for _ in 0..21 {
            engine.turn(21, 0).for_each(|node| seen[node as usize] += 1);
        }
        assert!(seen.iter().all(|&count| count == 8), "{seen:?}");
        assert_eq!(engine.turn(3, 0).count(), 3);
        assert_eq!(engine.turn(0, 0).count(), 0);
    }
}
