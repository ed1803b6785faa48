//! What is proposed, and when.

use cortexkg_index::{HnswConfig, Method};

use super::observed::Observed;
use crate::config::ScalabilityConfig;

/// What a change is judged by: more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Decisions per second of the engine's own time.
    DecisionsPerSecond,
    /// Share of the nearest vectors that searches find.
    Recall,
    /// Share of reads that memory answers.
    HitRate,
    /// Bytes that are not taken.
    Memory,
}

impl Measure {
    /// Its value; none if it was not measured.
    #[must_use]
    pub fn of(self, observed: &Observed) -> Option<f64> {
        match self {
            Self::DecisionsPerSecond => observed.decisions_per_s,
            Self::Recall => observed.index.filter(|index| index.samples > 0).map(|index| index.recall),
            Self::HitRate => observed.tiers.and_then(|tiers| tiers.hit_rate()),
            Self::Memory => Some(-(observed.memory_bytes as f64)),
        }
    }
}

/// A change that a rule proposes.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// What the layers are to be set to.
    pub config: ScalabilityConfig,
    /// Why: what was measured, with figures.
    pub reason: String,
    /// What the change is judged by.
    pub measure: Measure,
    /// Least gain for it to stay, as a part of the value before: −0.1 lets it cost a tenth.
    pub gain_min: f64,
    /// Part of the time of a decision, or of the memory, that would have grown with the number of vectors, 0 to 1: a graph that has
    /// grown meanwhile is compared with what it would have become.
    pub growing_share: f64,
}

/// Looks at what was measured and proposes another setting.
pub trait AdaptationRule: Send + Sync {
    /// Its name in events and metrics.
    fn name(&self) -> &'static str;

    /// The layer that it sets: `hnsw_indexing`, `multi_tier_cache` or `adaptive_quantization`.
    fn layer(&self) -> &'static str;

    /// What should be set otherwise; none if all is well or nothing can be told.
    fn suggest_adaptation(&self, observed: &Observed, config: &ScalabilityConfig) -> Option<Suggestion>;
}

/// The rules that come with the engine, for memory up to so many bytes, if there is a bound.
#[must_use]
pub fn default_rules(memory_bytes_max: Option<u64>) -> Vec<Box<dyn AdaptationRule>> {
    vec![
        Box::new(IndexWhenScansAreSlow::default()),
        Box::new(SearchToRecallTarget::default()),
        Box::new(PrecisionByMemory { memory_bytes_max }),
        Box::new(TiersByMarginalHits::default()),
    ]
}

/// What a row costs a scan beside its values, in dimensions. From adaptation's own bench: 12,000 vectors of 48 dimensions take as long to scan
/// as a decision's walks.
const ROW_DIMENSIONS: usize = 64;

/// Switches the index on once scans take a good part of the time and walks are known to cost less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndexWhenScansAreSlow {
    /// Part of the time of decisions in which candidates are sought, from which on scans are slow.
    pub recall_share_min: f64,
    /// How many times the vectors that cost as much to scan as a walk there must be: a new node takes walks as well.
    pub walks_per_decision: usize,
    /// Dimensions of the vectors for which the work of scans and walks was counted. Shorter ones are scanned faster, and hardly
    /// walked faster.
    pub dimension_counted: usize,
}

impl Default for IndexWhenScansAreSlow {
    fn default() -> Self {
        Self { recall_share_min: 0.25, walks_per_decision: 2, dimension_counted: 384 }
    }
}

impl AdaptationRule for IndexWhenScansAreSlow {
    fn name(&self) -> &'static str {
        "index_when_scans_are_slow"
    }

    fn layer(&self) -> &'static str {
        "hnsw_indexing"
    }

    fn suggest_adaptation(&self, observed: &Observed, config: &ScalabilityConfig) -> Option<Suggestion> {
        let hnsw = &config.hnsw_config;
        let is_in_use = config.enable_hnsw_indexing && observed.nodes >= hnsw.above_nodes as usize;
        let share = observed.recall_share?;
        // By counted work, which is the same everywhere; by measured time, which is what hurts.
        let settings = HnswConfig {
            max_connections: hnsw.max_connections as usize,
            ef_search: hnsw.ef_search as usize,
            ..HnswConfig::new(1)
        };
        let row = |dimension: usize| dimension.saturating_add(ROW_DIMENSIONS);
        let as_counted =
            observed.vectors.saturating_mul(row(observed.dimension)) / row(self.dimension_counted);
        let walk_is_cheaper =
            Method::cheaper(as_counted / self.walks_per_decision.max(1), &settings) == Method::Graph;
        if is_in_use || observed.is_growing || share < self.recall_share_min || !walk_is_cheaper {
            return None;
        }
        let mut to = config.clone();
        to.enable_hnsw_indexing = true;
        to.hnsw_config.above_nodes = hnsw.above_nodes.min(u32::try_from(observed.nodes).unwrap_or(u32::MAX));
        let reason = format!(
            "scans of {} vectors take {:.0} % of the time of decisions, and a walk looks at fewer",
            observed.vectors,
            share * 100.0
        );
        Some(Suggestion {
            config: to,
            reason,
            measure: Measure::DecisionsPerSecond,
            gain_min: -0.1,
            growing_share: share,
        })
    }
}

/// Searches with as much effort as the target of recall asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchToRecallTarget {
    /// Searches that an estimate must rest on.
    pub samples_min: usize,
    /// By how much recall may exceed the target before less is done.
    pub spare: f64,
    /// Least `ef_search`.
    pub ef_min: u32,
}

/// What is below the target by more than this is far off.
const FAR_OFF: f64 = 0.05;

impl Default for SearchToRecallTarget {
    fn default() -> Self {
        Self { samples_min: 32, spare: 0.03, ef_min: 24 }
    }
}

impl AdaptationRule for SearchToRecallTarget {
    fn name(&self) -> &'static str {
        "search_to_recall_target"
    }

    fn layer(&self) -> &'static str {
        "hnsw_indexing"
    }

    fn suggest_adaptation(&self, observed: &Observed, config: &ScalabilityConfig) -> Option<Suggestion> {
        let index = observed.index.filter(|index| index.samples >= self.samples_min)?;
        let (ef, target) = (config.hnsw_config.ef_search, config.hnsw_config.recall_target);
        let (to_ef, measure, gain_min) = if index.recall < target {
            // Far off in large steps.
            let step = if target - index.recall > FAR_OFF { ef } else { ef / 4 + 1 };
            (ef.saturating_add(step).min(HnswConfig::EF_MAX as u32), Measure::Recall, 0.0)
        } else if index.recall > target + self.spare {
            // What less effort costs must leave the target reached.
            ((ef - ef / 5).max(self.ef_min).min(ef), Measure::Recall, target / index.recall - 1.0)
        } else {
            return None;
        };
        if to_ef == ef {
            return None;
        }
        let mut to = config.clone();
        to.hnsw_config.ef_search = to_ef;
        let reason = format!(
            "searches find {:.3} of the nearest, measured on {}, where {target} is asked for",
            index.recall, index.samples
        );
        Some(Suggestion { config: to, reason, measure, gain_min, growing_share: 0.0 })
    }
}

/// Keeps vectors less exactly when memory is short, and more exactly when there is room.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionByMemory {
    /// Most bytes of all structures; none: nothing is short.
    pub memory_bytes_max: Option<u64>,
}

/// Of the memory that may be taken, in percent: above which it is short, below which there is room, and what is aimed at.
const SHORT: u64 = 90;
const ROOM: u64 = 60;
const AIM: u64 = 75;
/// Least bytes that a budget of vectors is moved by, as a part of it.
const STEP_MIN: u64 = 20;

impl AdaptationRule for PrecisionByMemory {
    fn name(&self) -> &'static str {
        "precision_by_memory"
    }

    fn layer(&self) -> &'static str {
        "adaptive_quantization"
    }

    fn suggest_adaptation(&self, observed: &Observed, config: &ScalabilityConfig) -> Option<Suggestion> {
        let most = self.memory_bytes_max?;
        let percent = observed.memory_bytes.saturating_mul(100) / most.max(1);
        let (is_short, has_room) = (percent >= SHORT, percent < ROOM);
        let budget = config.quantization_config.vector_budget.filter(|_| config.enable_adaptive_quantization);
        if observed.is_growing || observed.index.is_none() || !(is_short || (has_room && budget.is_some())) {
            return None;
        }
        let others = observed.memory_bytes.saturating_sub(observed.vector_bytes);
        let aim = (most / 100 * AIM).saturating_sub(others).max(1);
        let before = budget.unwrap_or(observed.vector_bytes);
        if before.abs_diff(aim) < before / STEP_MIN || (is_short && aim > before) {
            return None;
        }
        let mut to = config.clone();
        to.enable_adaptive_quantization = true;
        to.quantization_config.vector_budget = Some(aim);
        let reason = format!(
            "{} of {most} bytes of memory are taken, {} of them by vectors",
            observed.memory_bytes, observed.vector_bytes
        );
        // More exact vectors take more memory: that is what the room is for.
        let gain_min = if is_short { 0.0 } else { f64::NEG_INFINITY };
        // All of it grows with the graph.
        Some(Suggestion { config: to, reason, measure: Measure::Memory, gain_min, growing_share: 1.0 })
    }
}

/// Gives the tiers more memory as long as that answers more reads, and takes back what they do not fill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TiersByMarginalHits {
    /// Reads that a rate must rest on.
    pub reads_min: u64,
    /// Hit rate above which more memory is not worth a trial.
    pub hit_rate_max: f64,
    /// Least gain in hit rate, as a part of it, for twice the memory.
    pub gain_min: f64,
    /// Most bytes of both tiers.
    pub bytes_max: u64,
}

impl Default for TiersByMarginalHits {
    fn default() -> Self {
        Self { reads_min: 1000, hit_rate_max: 0.98, gain_min: 0.01, bytes_max: 1 << 30 }
    }
}

impl AdaptationRule for TiersByMarginalHits {
    fn name(&self) -> &'static str {
        "tiers_by_marginal_hits"
    }

    fn layer(&self) -> &'static str {
        "multi_tier_cache"
    }

    fn suggest_adaptation(&self, observed: &Observed, config: &ScalabilityConfig) -> Option<Suggestion> {
        let tiers = observed.tiers.filter(|tiers| tiers.reads >= self.reads_min)?;
        let rate = tiers.hit_rate()?;
        let cache = &config.cache_config;
        let size = cache.l1_size.saturating_add(cache.l2_size);
        let resized = |parts: u64, of: u64| {
            let mut to = config.clone();
            to.cache_config.l1_size = cache.l1_size / of * parts;
            to.cache_config.l2_size = cache.l2_size / of * parts;
            to
        };
        if tiers.evictions > 0 && rate < self.hit_rate_max && size.saturating_mul(2) <= self.bytes_max {
            let reason =
                format!("memory answers {:.1} % of the reads, and {size} bytes are full", rate * 100.0);
            let gain_min = self.gain_min;
            return Some(Suggestion {
                config: resized(2, 1),
                reason,
                measure: Measure::HitRate,
                gain_min,
                growing_share: 0.0,
            });
        }
        if tiers.evictions == 0 && tiers.bytes < size / 4 && size / 2 >= 1 << 20 {
            let reason = format!("{} of {size} bytes are filled", tiers.bytes);
            return Some(Suggestion {
                config: resized(1, 2),
                reason,
                measure: Measure::HitRate,
                gain_min: -0.01,
                growing_share: 0.0,
            });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::observed::{IndexState, TierReads};
    use super::*;

    fn observed() -> Observed {
        Observed {
            decisions: 1024,
            decisions_per_s: Some(1000.0),
            recall_share: Some(0.6),
            nodes: 20_000,
            vectors: 20_000,
            dimension: 384,
            ..Observed::default()
        }
    }

    #[test]
    fn an_index_is_proposed_where_scans_are_slow_and_walks_cheaper() {
        let rule = IndexWhenScansAreSlow::default();
        let config = ScalabilityConfig::development_defaults();
        let to = rule.suggest_adaptation(&observed(), &config).unwrap();
        assert!(to.config.enable_hnsw_indexing && to.config.hnsw_config.above_nodes <= 20_000);
        assert!(to.reason.contains("20000 vectors") && to.reason.contains("60 %"), "{}", to.reason);
        for (what, not) in [
            ("fast", Observed { recall_share: Some(0.1), ..observed() }),
            ("short", Observed { dimension: 48, ..observed() }),
            ("few", Observed { nodes: 3_000, vectors: 3_000, ..observed() }),
            ("without vectors", Observed { vectors: 0, ..observed() }),
            ("growing", Observed { is_growing: true, ..observed() }),
            ("without a clock", Observed { recall_share: None, ..observed() }),
        ] {
            assert_eq!(rule.suggest_adaptation(&not, &config), None, "{what}");
        }
        assert_eq!(rule.suggest_adaptation(&observed(), &to.config), None, "it is on");
    }

    #[test]
    fn effort_follows_recall() {
        let rule = SearchToRecallTarget::default();
        let config = ScalabilityConfig::default();
        let ef = |recall, samples| {
            let index = Some(IndexState { recall, samples });
            let to = rule.suggest_adaptation(&Observed { index, ..observed() }, &config)?;
            Some(to.config.hnsw_config.ef_search)
        };
        assert_eq!([ef(0.92, 100), ef(0.8, 100)], [Some(81), Some(128)]);
        assert_eq!(ef(0.999, 100), Some(52));
        assert_eq!([ef(0.96, 100), ef(0.5, 3)], [None, None]);
    }

    #[test]
    fn tiers_grow_by_what_more_would_answer() {
        let rule = TiersByMarginalHits::default();
        let config = ScalabilityConfig::default();
        let size = |hits, evictions, bytes| {
            let tiers = Some(TierReads { reads: 10_000, hits, evictions, bytes });
            let to = rule.suggest_adaptation(&Observed { tiers, ..observed() }, &config)?;
            Some(to.config.cache_config.l1_size >> 20)
        };
        assert_eq!(size(8_000, 50, 200 << 20), Some(128));
        assert_eq!(size(9_900, 50, 200 << 20), None, "good enough");
        assert_eq!(size(9_900, 0, 5 << 20), Some(32));
        let large = ScalabilityConfig {
            cache_config: crate::CacheConfig { l1_size: 1 << 29, l2_size: 1 << 29 },
            ..config.clone()
        };
        let tiers = Some(TierReads { reads: 10_000, hits: 0, evictions: 50, bytes: 1 << 30 });
        assert_eq!(rule.suggest_adaptation(&Observed { tiers, ..observed() }, &large), None, "bounded");
    }

    #[test]
    fn precision_gives_way_to_memory_and_comes_back() {
        let rule = PrecisionByMemory { memory_bytes_max: Some(1_000_000) };
        let config = ScalabilityConfig::default();
        let index = Some(IndexState { recall: 1.0, samples: 0 });
        let short = Observed { index, memory_bytes: 950_000, vector_bytes: 500_000, ..observed() };
        let to = rule.suggest_adaptation(&short, &config).unwrap().config;
        assert_eq!(
            (to.enable_adaptive_quantization, to.quantization_config.vector_budget),
            (true, Some(300_000))
        );
        let roomy = Observed { memory_bytes: 500_000, vector_bytes: 200_000, ..short };
        let back = rule.suggest_adaptation(&roomy, &to).unwrap().config;
        assert_eq!(back.quantization_config.vector_budget, Some(450_000));
        assert_eq!(rule.suggest_adaptation(&roomy, &config), None, "nothing was taken");
        assert_eq!(
            rule.suggest_adaptation(&Observed { memory_bytes: 800_000, ..short }, &to),
            None,
            "between"
        );
        assert_eq!(PrecisionByMemory { memory_bytes_max: None }.suggest_adaptation(&short, &config), None);
    }
}
