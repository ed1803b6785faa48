//! What an engine does, how fast, with what, and whether that is as it should be.
//!
//! - [`MetricsCollector`] counts and times; it tells all of it as [`Metrics`] or as OpenMetrics text.
//! - [`PerformanceMonitor`] tells how things went lately: what an engine that sets itself looks at, and what alerts are about.
//! - [`AlertManager`] holds that against [rules](AlertRules) and tells [sinks](AlertSink).
//! - [`ScalabilityMonitor`] is the three of them together.
//!
//! **Invariants**
//! - Nothing here reads a clock, starts a thread or touches files and the network. Time comes in as the time since any one moment.
//! - Whoever measures has no say: no decision depends on what is counted here.
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use cortexkg::{EngineConfig, Fact, OperationError};
//! use cortexkg_scalable::{LogSink, ScalabilityConfig, ScalabilityMonitor, ScalableAllocationEngine};
//!
//! let config = ScalabilityConfig::production_optimized();
//! let mut engine = ScalableAllocationEngine::new(EngineConfig::default(), config);
//! let mut monitor = ScalabilityMonitor::default();
//! monitor.alert_manager.add_sink(LogSink::new(std::io::stderr()));
//!
//! let started = Instant::now();
//! let result = engine.allocate_fact(Fact::text("Ada Lovelace").with_id("a"))?;
//! monitor.metrics_collector.record_allocation(&result, Some(started.elapsed()));
//!
//! // Every second or so:
//! monitor.metrics_collector.observe(&engine);
//! let metrics = monitor.monitor_performance(started.elapsed());
//! assert_eq!(metrics.decisions.new, 1);
//! assert!(metrics.allocation_latency_p99().is_some_and(|p99| p99 < Duration::from_secs(1)));
//! # Ok::<(), OperationError>(())
//! ```

mod alert;
mod alert_manager;
mod alert_rule;
mod collector;
mod encode;
mod labels;
mod latency;
mod metrics;
mod performance;

use std::time::Duration;

pub use alert::{Alert, AlertEvent, AlertLevel, AlertSink, LogSink};
pub use alert_manager::AlertManager;
pub use alert_rule::{AlertMetric, AlertRule, AlertRuleError, AlertRules};
pub use collector::MetricsCollector;
pub use latency::LatencyHistogram;
pub use metrics::{
    AdaptationCount, DecisionCounts, FactCounts, FallbackCount, GraphCounts, LatencySummary, Metrics,
    RunTimes,
};
pub use performance::{PerformanceMonitor, WindowMetrics};

/// Watches over an engine that runs.
#[derive(Debug, Default)]
pub struct ScalabilityMonitor {
    /// Where whoever runs the engine counts and times.
    pub metrics_collector: MetricsCollector,
    /// How things went lately.
    pub performance_monitor: PerformanceMonitor,
    /// Who is told if that is not as it should be.
    pub alert_manager: AlertManager,
    told: Vec<Alert>,
}

impl ScalabilityMonitor {
    /// One that watches these rules.
    ///
    /// # Errors
    /// Where a rule cannot be.
    pub fn new(rules: AlertRules) -> Result<Self, AlertRuleError> {
        Ok(Self { alert_manager: AlertManager::new(rules)?, ..Self::default() })
    }

    /// Looks at how things stand: to be called about every second, with the time since any one moment. Takes some 10 µs.
    ///
    /// Gives everything measured, with what happened lately; tells the sinks of the alert manager what is not as it should be, and the
    /// collector both, so that they are in its text.
    pub fn monitor_performance(&mut self, now: Duration) -> Metrics {
        let metrics = self.look(now);
        let told = self.alert_manager.check(now, &metrics);
        self.note_alerts(told);
        metrics
    }

    /// What the last look told the sinks.
    #[must_use]
    pub fn told(&self) -> &[Alert] {
        &self.told
    }

    /// As [`monitor_performance`](Self::monitor_performance), for the last time: every alert that is firing is over.
    pub fn end(&mut self, now: Duration) -> Metrics {
        let metrics = self.look(now);
        let told = self.alert_manager.end(now, &metrics);
        self.note_alerts(told);
        metrics
    }

    fn look(&mut self, now: Duration) -> Metrics {
        self.performance_monitor.observe(now, &self.metrics_collector);
        self.metrics_collector.set_window(self.performance_monitor.window());
        self.metrics_collector.collect()
    }

    fn note_alerts(&mut self, told: Vec<Alert>) {
        self.told = told;
        let standing = self.alert_manager.standing();
        let standing = standing.map(|(name, level, fires)| (name.to_owned(), level.name(), fires)).collect();
        self.metrics_collector.set_alerts(standing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adaptive::AdaptationOutcome;
    use crate::{Fallback, ScalabilityConfig, ScalableAllocationEngine};
    use cortexkg::{AllocationEngine, AllocationResult, EngineConfig, Fact, Stage};
    use cortexkg_tiers::MemoryStatistics;

    /// One decision.
    pub(super) fn decision() -> AllocationResult {
        let mut engine = AllocationEngine::new(EngineConfig::default());
        engine.allocate_fact(Fact::text("Ada Lovelace").with_id("a")).unwrap()
    }

    /// A fact that was there before.
    pub(super) fn repeated() -> AllocationResult {
        AllocationResult { repeated: true, ..decision() }
    }

    #[test]
    fn counts_are_in_the_metrics_and_in_the_text() {
        let mut monitor = ScalabilityMonitor::default();
        let collector = monitor.metrics_collector.clone();
        let mut engine = AllocationEngine::new(EngineConfig::default());
        let triple =
            engine.allocate_fact(Fact::triple("Ada Lovelace", "worked with", "Charles Babbage")).unwrap();
        monitor.monitor_performance(Duration::ZERO);
        collector.record_allocation(&triple, Some(Duration::from_micros(80)));
        collector.record_allocation(&repeated(), Some(Duration::from_secs(1)));
        collector.record_refused();
        collector.record_stage(Stage::Recall, Duration::from_micros(30));
        collector.record_fallback(Fallback::INDEX_GROWS);
        collector.record_fallback(Fallback::INDEX_GROWS);
        collector.record_adaptation("tiers", AdaptationOutcome::RolledBack);
        collector.set_tiers(&MemoryStatistics::default());
        collector.set_index_recall(0.97);
        collector.set_blocking_recall(0.99);
        collector.set_bytes(&[("graph", 1_000), ("spike index", 500)]);
        collector.set_resident_bytes(51_000_000_000);
        collector.set_vectors([1, 2, 3, 4, 5]);
        collector.set_graph(GraphCounts { nodes: 2, facts: 1, edges: 1 });
        collector.set_run(RunTimes { started_s: 1.0, updated_s: 2.5, is_ended: false });
        let metrics = monitor.monitor_performance(Duration::from_secs(40));
        assert_eq!(metrics.facts, FactCounts { allocated: 1, refused: 1, repeated: 1 });
        assert_eq!(metrics.decisions, DecisionCounts { existing: 0, new: 2, possible: 0 });
        assert_eq!(metrics.allocation.unwrap().count, 2, "what was there before has no time");
        assert_eq!(metrics.stages["recall"].count, 1);
        assert_eq!(metrics.window.unwrap().decisions_per_s, 2.0 / 40.0);
        assert_eq!(metrics.memory_usage_gb(), 51.0);
        let text = collector.encode();
        for line in [
            "cortexkg_facts_total{outcome=\"repeated\"} 1",
            "cortexkg_decisions_total{decision=\"new\"} 2",
            "cortexkg_allocation_duration_seconds_count{method=\"direct\"} 2",
            "cortexkg_allocation_duration_seconds_bucket{le=\"0.000098303\",method=\"direct\"} 2",
            "cortexkg_stage_duration_seconds_count{stage=\"recall\"} 1",
            "cortexkg_stage_duration_seconds_count{stage=\"store\"} 0",
            "cortexkg_fallbacks_total{layer=\"hnsw\",reason=\"index is growing\"} 2",
            "cortexkg_adaptations_total{layer=\"tiers\",outcome=\"rolled_back\"} 1",
            "cortexkg_structure_bytes{structure=\"spike index\"} 500",
            "cortexkg_vectors{precision=\"b1\"} 1",
            "cortexkg_index_recall_ratio 0.97",
            "cortexkg_window_decisions_per_second 0.05",
            "cortexkg_run_update_time_seconds 2.5",
            "cortexkg_alert_firing{alert=\"MemoryHigh\",level=\"critical\"} 0",
            "# TYPE cortexkg_decisions counter",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line:?} in\n{text}");
        }
        monitor.monitor_performance(Duration::from_secs(70));
        let firing = "cortexkg_alert_firing{alert=\"MemoryHigh\",level=\"critical\"} 1\n";
        assert!(collector.encode().contains(firing));
        monitor.end(Duration::from_secs(71));
        assert!(!collector.encode().contains(firing));
        assert!(serde_json::to_string(&metrics).unwrap().contains("\"index_recall\":0.97"));
    }

    #[test]
    fn an_engine_is_asked_for_what_it_counts_by_itself() {
        let config = ScalabilityConfig::production_optimized();
        let mut engine = ScalableAllocationEngine::new(EngineConfig::default(), config);
        engine.allocate_fact(Fact::triple("Ada Lovelace", "worked with", "Charles Babbage")).unwrap();
        let collector = MetricsCollector::new();
        collector.observe(&engine);
        let metrics = collector.collect();
        assert_eq!(metrics.graph, Some(GraphCounts { nodes: 2, facts: 1, edges: 1 }));
        assert!(metrics.memory_bytes() > 0 && metrics.tiers.is_some());
        assert_eq!((metrics.fallbacks.len(), metrics.index_recall), (0, None));
    }
}
