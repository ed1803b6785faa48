//! [`MetricsCollector`]: everything that is counted while an engine runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cortexkg::{AllocationResult, QuantizationReport, Stage};
use cortexkg_index::{HnswAllocationIndex, Precision};
use cortexkg_tiers::MemoryStatistics;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use super::labels::{DECISIONS, METHODS, decision_at, method_at, outcome_name};
use super::latency::{LatencyHistogram, SharedHistogram};
use super::metrics::{
    AdaptationCount, DecisionCounts, FactCounts, FallbackCount, GraphCounts, LatencySummary, Metrics,
    RunTimes,
};
use super::performance::WindowMetrics;
use crate::adaptive::{AdaptationEvent, AdaptationOutcome, AdaptiveConfigManager};
use crate::backing::Backing;
use crate::engine::ScalableAllocationEngine;
use crate::strategy::{Fallback, Fallbacks};

/// Counts and times what an engine does, and tells it as [`Metrics`] or as OpenMetrics text.
///
/// A handle: clones count into the same place, from any thread. Counters run from its making; what is `set_…` is as of the last call, and
/// absent before the first. It has a registry of its own: two engines in one process do not mix.
///
/// Recording a decision with its time takes about 20 ns (`cargo bench -p cortexkg-scalable`), against some 100 µs that a decision takes; it
/// allocates nothing and waits for nobody.
#[derive(Clone)]
pub struct MetricsCollector {
    meters: Arc<Meters>,
    registry: Arc<Registry>,
}

/// Where everything is counted.
#[derive(Debug, Default)]
pub(super) struct Meters {
    pub(super) methods: [SharedHistogram; METHODS.len()],
    pub(super) stages: [SharedHistogram; Stage::ALL.len()],
    pub(super) decisions: [AtomicU64; DECISIONS.len()],
    pub(super) allocated: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) repeated: AtomicU64,
    /// What comes rarely.
    rare: Mutex<Rare>,
}

/// Position in the log, rule and outcome.
type EventKey = (u64, &'static str, &'static str);

/// What is set now and then, and what is counted when it happens, which is not often.
#[derive(Debug, Default, Clone)]
pub(super) struct Rare {
    pub(super) tiers: Option<MemoryStatistics>,
    pub(super) index_recall: Option<f64>,
    pub(super) blocking_recall: Option<f64>,
    pub(super) bytes: BTreeMap<&'static str, u64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) vectors: Option<[u64; 5]>,
    pub(super) quantization: Option<QuantizationReport>,
    pub(super) graph: Option<GraphCounts>,
    pub(super) adaptations: BTreeMap<(&'static str, &'static str), u64>,
    /// The last event of an engine that is counted among the adaptations: position, rule, outcome.
    last_event: Option<EventKey>,
    pub(super) fallbacks: Fallbacks,
    pub(super) window: Option<WindowMetrics>,
    /// Each alert that there could be, with its level, and whether it is firing.
    pub(super) alerts: Vec<(String, &'static str, bool)>,
    pub(super) run: Option<RunTimes>,
}

impl Default for MetricsCollector {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MetricsCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MetricsCollector").field("metrics", &self.collect()).finish_non_exhaustive()
    }
}

impl MetricsCollector {
    /// One that has counted nothing.
    #[must_use]
    pub fn new() -> Self {
        let meters = Arc::new(Meters::default());
        let mut registry = Registry::with_prefix("cortexkg");
        registry.register_collector(Box::new(meters.clone()));
        Self { meters, registry: Arc::new(registry) }
    }

    /// Counts a fact that was taken in, and each of its decisions with the way that its candidates were found. `took` is the time of one
    /// decision, where it is known; the two of a triple have the same. A fact that was in the graph before counts as repeated, and has
    /// no time.
    pub fn record_allocation(&self, result: &AllocationResult, took: Option<Duration>) {
        let meters = &*self.meters;
        if result.repeated {
            meters.repeated.fetch_add(1, Relaxed);
            return;
        }
        meters.allocated.fetch_add(1, Relaxed);
        for mention in result.mentions() {
            meters.decisions[decision_at(mention.decision)].fetch_add(1, Relaxed);
            if let Some(took) = took {
                meters.methods[method_at(mention.method)].record(took);
            }
        }
    }

    /// Counts the time of a stage: of one mention, or, for [`Stage::Store`], of one commit.
    pub fn record_stage(&self, stage: Stage, took: Duration) {
        self.meters.stages[stage as usize].record(took);
    }

    /// Counts a fact that was refused; the graph is as it was.
    pub fn record_refused(&self) {
        self.meters.refused.fetch_add(1, Relaxed);
    }

    /// Counts a mention that a layer was to be used for and was not. Not beside [`observe`](Self::observe), where the engine counts them.
    pub fn record_fallback(&self, fallback: Fallback) {
        *self.meters.rare().fallbacks.entry(fallback).or_default() += 1;
    }

    /// Counts a change to the settings of a layer, or what became of one. [`observe`](Self::observe) counts those of an engine.
    pub fn record_adaptation(&self, layer: &'static str, outcome: AdaptationOutcome) {
        *self.meters.rare().adaptations.entry((layer, outcome_name(outcome))).or_default() += 1;
    }

    /// Asks an engine for all that it counts by itself: nodes, facts, edges, bytes, vectors, recall of the index, tiers, fallbacks,
    /// adaptations. For once in a second or so, not for once in a fact; always the same engine.
    pub fn observe<E: Backing>(&self, engine: &ScalableAllocationEngine<E>) {
        self.meters.rare().tiers = engine.tier_statistics();
        self.set_fallbacks(engine.fallbacks());
        self.count_events(engine.adaptation().into_iter().flat_map(AdaptiveConfigManager::events));
        let core = engine.engine();
        self.set_bytes(&core.memory());
        self.set_graph(GraphCounts {
            nodes: core.node_count() as u64,
            facts: core.fact_count() as u64,
            edges: core.edge_count() as u64,
        });
        self.set_quantization(core.quantization());
        // Of an index that is gone, or tiers that are, nothing is told any more.
        let index = core.vector_index();
        let recall = index.map(HnswAllocationIndex::running_recall).filter(|recall| recall.searches > 0);
        let mut rare = self.meters.rare();
        rare.vectors = index.map(|index| index.precisions().map(|count| count as u64));
        rare.index_recall = recall.map(|recall| recall.recall());
    }

    /// Counts events, oldest first, that have not been counted before.
    fn count_events<'a>(&self, events: impl Iterator<Item = &'a AdaptationEvent>) {
        let key = |event: &AdaptationEvent| (event.position, event.rule, outcome_name(event.outcome));
        let events: Vec<_> = events.collect();
        let mut rare = self.meters.rare();
        let known = events.iter().rposition(|event| rare.last_event == Some(key(event)));
        for event in events.iter().skip(known.map_or(0, |at| at + 1)) {
            *rare.adaptations.entry((event.layer, outcome_name(event.outcome))).or_default() += 1;
            rare.last_event = Some(key(event));
        }
    }

    /// How often each layer was to be used and was not, since the start: what the engine counts.
    pub fn set_fallbacks(&self, fallbacks: &Fallbacks) {
        self.meters.rare().fallbacks.clone_from(fallbacks);
    }

    /// What the tiers counted since their start.
    pub fn set_tiers(&self, tiers: &MemoryStatistics) {
        self.meters.rare().tiers = Some(*tiers);
    }

    /// Share of the truly nearest vectors that the index finds, 0 to 1, by its own estimate.
    pub fn set_index_recall(&self, share: f64) {
        self.meters.rare().index_recall = Some(share);
    }

    /// Share of the true matches that are among the candidates, 0 to 1. Whoever knows the truth can measure it.
    pub fn set_blocking_recall(&self, share: f64) {
        self.meters.rare().blocking_recall = Some(share);
    }

    /// Bytes of every structure, by name. Those that were set before and are not named are gone.
    pub fn set_bytes(&self, structures: &[(&'static str, usize)]) {
        self.meters.rare().bytes = structures.iter().map(|&(name, bytes)| (name, bytes as u64)).collect();
    }

    /// Bytes of the process that are in memory, by the operating system.
    pub fn set_resident_bytes(&self, bytes: u64) {
        self.meters.rare().resident_bytes = Some(bytes);
    }

    /// How many vectors are kept at each precision, in the order of [`Precision::ALL`].
    pub fn set_vectors(&self, counts: [usize; 5]) {
        self.meters.rare().vectors = Some(counts.map(|count| count as u64));
    }

    /// What precision by importance costs and saves; none where there is none.
    pub fn set_quantization(&self, report: Option<QuantizationReport>) {
        self.meters.rare().quantization = report;
    }

    /// How much is in the graph.
    pub fn set_graph(&self, graph: GraphCounts) {
        self.meters.rare().graph = Some(graph);
    }

    /// When the run began, and whether it goes on.
    pub fn set_run(&self, run: RunTimes) {
        self.meters.rare().run = Some(run);
    }

    /// How things went lately; [`ScalabilityMonitor`](super::ScalabilityMonitor) sees to it.
    pub fn set_window(&self, window: Option<WindowMetrics>) {
        self.meters.rare().window = window;
    }

    /// Each alert that there could be, with its level, and whether it is firing; [`ScalabilityMonitor`](super::ScalabilityMonitor) sees
    /// to it.
    pub fn set_alerts(&self, alerts: Vec<(String, &'static str, bool)>) {
        self.meters.rare().alerts = alerts;
    }

    /// Everything as it stands. Takes some 5 µs.
    #[must_use]
    pub fn collect(&self) -> Metrics {
        let meters = &*self.meters;
        let rare = meters.rare().clone();
        let mut all = LatencyHistogram::default();
        let mut allocation_by_method = BTreeMap::new();
        for (method, histogram) in METHODS.iter().zip(&meters.methods) {
            let histogram = histogram.snapshot();
            if let Some(summary) = LatencySummary::of(&histogram) {
                allocation_by_method.insert(*method, summary);
            }
            all.merge(&histogram);
        }
        let stage = |stage: &Stage| {
            let summary = LatencySummary::of(&meters.stages[*stage as usize].snapshot())?;
            Some((stage.name(), summary))
        };
        let adaptation = |((layer, outcome), count)| AdaptationCount { layer, outcome, count };
        let fallback = |(Fallback { layer, reason }, count)| FallbackCount { layer, reason, count };
        Metrics {
            facts: meters.facts(),
            decisions: meters.decisions(),
            allocation: LatencySummary::of(&all),
            allocation_by_method,
            stages: Stage::ALL.iter().filter_map(stage).collect(),
            tiers: rare.tiers,
            index_recall: rare.index_recall,
            blocking_recall: rare.blocking_recall,
            bytes: rare.bytes,
            resident_bytes: rare.resident_bytes,
            vectors: precisions(&rare.vectors).collect(),
            graph: rare.graph,
            adaptations: rare.adaptations.into_iter().map(adaptation).collect(),
            fallbacks: rare.fallbacks.into_iter().map(fallback).collect(),
            window: rare.window,
        }
    }

    /// Everything as it stands, as [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) text.
    ///
    /// All names begin with `cortexkg_`. There is no metric of type `info`, so that the textfile collector of node_exporter, which reads
    /// the older format, takes the text as well.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(64 * 1024);
        // A string takes whatever is written.
        let _ = text::encode(&mut text, &self.registry);
        text
    }

    /// The times of all decisions, by whatever method.
    pub(super) fn allocation_histogram(&self) -> LatencyHistogram {
        let mut all = LatencyHistogram::default();
        self.meters.methods.iter().for_each(|histogram| all.merge(&histogram.snapshot()));
        all
    }

    pub(super) fn meters(&self) -> &Meters {
        &self.meters
    }
}

impl Meters {
    /// What comes rarely. A thread that panicked has left nothing half done: each change is one assignment.
    pub(super) fn rare(&self) -> MutexGuard<'_, Rare> {
        self.rare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn facts(&self) -> FactCounts {
        FactCounts {
            allocated: self.allocated.load(Relaxed),
            refused: self.refused.load(Relaxed),
            repeated: self.repeated.load(Relaxed),
        }
    }

    pub(super) fn decisions(&self) -> DecisionCounts {
        let [existing, new, possible] = self.decisions.each_ref().map(|count| count.load(Relaxed));
        DecisionCounts { existing, new, possible }
    }
}

/// Vectors at each precision, with its name.
pub(super) fn precisions(counts: &Option<[u64; 5]>) -> impl Iterator<Item = (&'static str, u64)> {
    let counts = counts.as_ref().map_or(&[][..], |counts| counts);
    Precision::ALL.iter().map(|precision| precision.name()).zip(counts.iter().copied())
}
