//! [`PerformanceMonitor`]: how things went lately.

use std::collections::VecDeque;
use std::time::Duration;

use cortexkg_tiers::{MemoryStatistics, TierStatistics};
use serde::Serialize;

use super::collector::MetricsCollector;
use super::latency::LatencyHistogram;
use super::metrics::{DecisionCounts, FactCounts};

/// States of a window that are kept: it slides in steps of a tenth of its length.
const STEPS: u32 = 10;

/// What a [`MetricsCollector`] has counted within a window that slides along with time.
///
/// It looks at a collector whenever it is told to, and tells the difference between the last look and that one which is about a window older.
/// It holds eleven states of 15 KiB. Time comes from outside, as the time since any one moment; a clock that stands still or goes back
/// does no harm.
#[derive(Debug, Clone)]
pub struct PerformanceMonitor {
    window: Duration,
    /// Oldest first, at least a step apart.
    steps: VecDeque<State>,
    last: Option<State>,
}

/// What had been counted at one moment.
#[derive(Debug, Clone)]
struct State {
    at: Duration,
    allocation: LatencyHistogram,
    decisions: DecisionCounts,
    facts: FactCounts,
    fallbacks: u64,
    tiers: Option<MemoryStatistics>,
    index_recall: Option<f64>,
    bytes: u64,
    resident_bytes: Option<u64>,
}

/// How things went within a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct WindowMetrics {
    /// Length of the window in seconds; shorter at the beginning of a run.
    pub window_s: f64,
    /// Decisions in it.
    pub decisions: u64,
    /// These per second.
    pub decisions_per_s: f64,
    /// Half of the decisions took no longer, in microseconds; at most 1/32 too high. Absent if none was timed.
    pub allocation_p50_us: Option<f64>,
    /// 9 of 10 took no longer.
    pub allocation_p90_us: Option<f64>,
    /// 99 of 100 took no longer.
    pub allocation_p99_us: Option<f64>,
    /// Share of the facts that were refused, 0 to 1. Absent if none came.
    pub refused_share: Option<f64>,
    /// Share of all reads that the first tier answered, 0 to 1. Absent if nothing was read.
    pub l1_hit_rate: Option<f64>,
    /// Share of the reads that came to the second tier and were answered there, 0 to 1.
    pub l2_hit_rate: Option<f64>,
    /// Share of all reads that needed no store, 0 to 1.
    pub tier_hit_rate: Option<f64>,
    /// Mentions that a layer was to be used for and was not.
    pub fallbacks: u64,
    /// Share of the nearest vectors that the index finds, 0 to 1, as last estimated.
    pub index_recall: Option<f64>,
    /// Bytes of all structures at its end.
    pub bytes: u64,
    /// Bytes of the process that are in memory at its end.
    pub resident_bytes: Option<u64>,
}

impl Default for PerformanceMonitor {
    /// A window of a minute.
    fn default() -> Self {
        Self::new(Duration::from_secs(60))
    }
}

impl PerformanceMonitor {
    /// A window of that length.
    #[must_use]
    pub fn new(window: Duration) -> Self {
        Self { window, steps: VecDeque::new(), last: None }
    }

    /// Looks at a collector, always the same one, at a moment: the time since any one moment.
    pub fn observe(&mut self, now: Duration, collector: &MetricsCollector) {
        let state = State::of(now, collector);
        let is_due = self.steps.back().is_none_or(|step| now.saturating_sub(step.at) >= self.window / STEPS);
        if is_due {
            self.steps.push_back(state.clone());
        }
        // The one that is kept is as old as the window, or the youngest that is older.
        while self.steps.get(1).is_some_and(|second| now.saturating_sub(second.at) >= self.window) {
            self.steps.pop_front();
        }
        self.last = Some(state);
    }

    /// How things went in the window that ends with the last look. `None` before there have been two looks with time between them.
    #[must_use]
    pub fn window(&self) -> Option<WindowMetrics> {
        let (first, last) = (self.steps.front()?, self.last.as_ref()?);
        let length = last.at.checked_sub(first.at).filter(|length| !length.is_zero())?;
        Some(last.since(first, length))
    }
}

impl State {
    fn of(at: Duration, collector: &MetricsCollector) -> Self {
        let meters = collector.meters();
        let rare = meters.rare();
        Self {
            at,
            allocation: collector.allocation_histogram(),
            decisions: meters.decisions(),
            facts: meters.facts(),
            fallbacks: rare.fallbacks.values().sum(),
            tiers: rare.tiers,
            index_recall: rare.index_recall,
            bytes: rare.bytes.values().sum(),
            resident_bytes: rare.resident_bytes,
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn since(&self, first: &Self, length: Duration) -> WindowMetrics {
        let allocation = self.allocation.since(&first.allocation);
        let decisions = self.decisions.total().saturating_sub(first.decisions.total());
        let all = |facts: &FactCounts| facts.allocated + facts.refused + facts.repeated;
        let refused = self.facts.refused.saturating_sub(first.facts.refused);
        let (l1, l2) = (self.reads(first, |tiers| tiers.l1), self.reads(first, |tiers| tiers.l2));
        WindowMetrics {
            window_s: length.as_secs_f64(),
            decisions,
            decisions_per_s: decisions as f64 / length.as_secs_f64(),
            allocation_p50_us: allocation.quantile_us(0.5),
            allocation_p90_us: allocation.quantile_us(0.9),
            allocation_p99_us: allocation.quantile_us(0.99),
            refused_share: share(refused, all(&self.facts).saturating_sub(all(&first.facts))),
            l1_hit_rate: share(l1.0, l1.0 + l1.1),
            l2_hit_rate: share(l2.0, l2.0 + l2.1),
            tier_hit_rate: share(l1.0 + l2.0, l1.0 + l1.1),
            fallbacks: self.fallbacks.saturating_sub(first.fallbacks),
            index_recall: self.index_recall,
            bytes: self.bytes,
            resident_bytes: self.resident_bytes,
        }
    }

    /// Hits and misses of a tier since an earlier state.
    fn reads(&self, first: &Self, tier: impl Fn(&MemoryStatistics) -> TierStatistics) -> (u64, u64) {
        let [now, then] =
            [self, first].map(|state| state.tiers.as_ref().map_or_else(TierStatistics::default, &tier));
        (now.hits.saturating_sub(then.hits), now.misses.saturating_sub(then.misses))
    }
}

#[allow(clippy::cast_precision_loss)]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::tests::{decision, repeated};

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_window_forgets_what_is_older() {
        let collector = MetricsCollector::new();
        let mut monitor = PerformanceMonitor::new(s(10));
        assert_eq!(monitor.window(), None);
        monitor.observe(s(0), &collector);
        assert_eq!(monitor.window(), None, "no time has passed");
        for second in 1..=60 {
            // Slow and few in the first half, fast and many in the second.
            let (each_us, times) = if second <= 30 { (5_000, 10) } else { (100, 100) };
            for _ in 0..times {
                collector.record_allocation(&decision(), Some(Duration::from_micros(each_us)));
            }
            monitor.observe(s(second), &collector);
            if second == 5 {
                assert_eq!(monitor.window().unwrap().window_s, 5.0, "shorter at the beginning");
            }
            if second == 30 {
                let window = monitor.window().unwrap();
                assert_eq!((window.window_s, window.decisions_per_s), (10.0, 10.0));
                assert!(window.allocation_p50_us.unwrap() >= 5_000.0);
            }
        }
        let window = monitor.window().unwrap();
        assert_eq!((window.window_s, window.decisions, window.decisions_per_s), (10.0, 1_000, 100.0));
        let p99 = window.allocation_p99_us.unwrap();
        assert!((100.0..104.0).contains(&p99), "{p99}");
        assert!(monitor.steps.len() <= STEPS as usize + 1);
    }

    #[test]
    fn shares_are_those_of_the_window() {
        let collector = MetricsCollector::new();
        let mut monitor = PerformanceMonitor::new(s(10));
        let tiers = |l1: (u64, u64), l2: (u64, u64)| {
            let tier = |(hits, misses)| TierStatistics { hits, misses, ..TierStatistics::default() };
            MemoryStatistics { l1: tier(l1), l2: tier(l2), ..MemoryStatistics::default() }
        };
        collector.set_tiers(&tiers((1_000, 0), (0, 0)));
        collector.record_refused();
        monitor.observe(s(0), &collector);
        collector.set_tiers(&tiers((1_060, 40), (30, 10)));
        collector.record_refused();
        collector.record_allocation(&repeated(), None);
        collector.record_fallback(crate::Fallback::INDEX_GROWS);
        collector.set_bytes(&[("graph", 10), ("vectors", 20)]);
        monitor.observe(s(4), &collector);
        let window = monitor.window().unwrap();
        assert_eq!(window.l1_hit_rate, Some(0.6));
        assert_eq!(window.l2_hit_rate, Some(0.75));
        assert_eq!(window.tier_hit_rate, Some(0.9));
        assert_eq!(window.refused_share, Some(0.5));
        assert_eq!((window.fallbacks, window.bytes, window.allocation_p99_us), (1, 30, None));
    }

    #[test]
    fn a_clock_that_goes_back_does_no_harm() {
        let collector = MetricsCollector::new();
        let mut monitor = PerformanceMonitor::new(s(10));
        for second in [5, 3, 3, 0, 20, 1] {
            monitor.observe(s(second), &collector);
            let _ = monitor.window();
        }
    }
}
