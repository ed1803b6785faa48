//! [`Metrics`]: all that has been measured, at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use cortexkg_tiers::MemoryStatistics;
use serde::Serialize;

use super::latency::LatencyHistogram;
use super::performance::WindowMetrics;

/// All that has been measured, at one moment. What nobody has measured is absent or empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Facts by what became of them.
    pub facts: FactCounts,
    /// Decisions by outcome.
    pub decisions: DecisionCounts,
    /// Time of a decision since the start.
    pub allocation: Option<LatencySummary>,
    /// The same by the way that candidates were found.
    pub allocation_by_method: BTreeMap<&'static str, LatencySummary>,
    /// Time of the stages since the start: of one mention, or, for `store`, of one commit.
    pub stages: BTreeMap<&'static str, LatencySummary>,
    /// What the tiers counted.
    pub tiers: Option<MemoryStatistics>,
    /// Share of the nearest vectors that the index finds, 0 to 1, by its own estimate.
    pub index_recall: Option<f64>,
    /// Share of the true matches that are among the candidates, 0 to 1.
    pub blocking_recall: Option<f64>,
    /// Bytes of every structure, counted.
    pub bytes: BTreeMap<&'static str, u64>,
    /// Bytes of the process that are in memory, by the operating system.
    pub resident_bytes: Option<u64>,
    /// Vectors by precision.
    pub vectors: BTreeMap<&'static str, u64>,
    /// How much is in the graph.
    pub graph: Option<GraphCounts>,
    /// Changes that the engine made to its own settings.
    pub adaptations: Vec<AdaptationCount>,
    /// Mentions that a layer was to be used for and was not.
    pub fallbacks: Vec<FallbackCount>,
    /// How things went lately.
    pub window: Option<WindowMetrics>,
}

impl Metrics {
    /// The time that 99 of 100 decisions stayed within: lately, or since the start if nothing is known of lately.
    #[must_use]
    pub fn allocation_latency_p99(&self) -> Option<Duration> {
        let lately = self.window.as_ref().map(|window| window.allocation_p99_us);
        let us = lately.unwrap_or_else(|| self.allocation.map(|summary| summary.p99_us))?;
        Some(Duration::from_secs_f64(us / 1e6))
    }

    /// Memory of the process, or of all structures where the operating system does not tell; in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.resident_bytes.unwrap_or_else(|| self.bytes.values().sum())
    }

    /// The same in units of 10⁹ bytes.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn memory_usage_gb(&self) -> f64 {
        self.memory_bytes() as f64 / 1e9
    }
}

/// Facts by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FactCounts {
    /// Taken in.
    pub allocated: u64,
    /// Refused: they break a bound.
    pub refused: u64,
    /// In the graph before; nothing was decided.
    pub repeated: u64,
}

/// Decisions by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DecisionCounts {
    /// The mention belongs to a node that was there before.
    pub existing: u64,
    /// It needed a node of its own.
    pub new: u64,
    /// Too close to call.
    pub possible: u64,
}

impl DecisionCounts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.existing + self.new + self.possible
    }
}

/// How much is in a graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GraphCounts {
    /// Nodes.
    pub nodes: u64,
    /// Facts that are not forgotten.
    pub facts: u64,
    /// Edges.
    pub edges: u64,
}

/// How long something takes, in microseconds. Quantiles are at most 1/32 too high; see [`LatencyHistogram`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatencySummary {
    /// How many were timed.
    pub count: u64,
    /// The mean.
    pub mean_us: f64,
    /// Half took no longer.
    pub p50_us: f64,
    /// 9 of 10 took no longer.
    pub p90_us: f64,
    /// 99 of 100 took no longer.
    pub p99_us: f64,
    /// The longest.
    pub max_us: f64,
}

impl LatencySummary {
    /// What a histogram says; `None` if it is empty.
    #[must_use]
    pub fn of(histogram: &LatencyHistogram) -> Option<Self> {
        Some(Self {
            count: histogram.count(),
            mean_us: histogram.mean_us()?,
            p50_us: histogram.quantile_us(0.5)?,
            p90_us: histogram.quantile_us(0.9)?,
            p99_us: histogram.quantile_us(0.99)?,
            max_us: histogram.max_us()?,
        })
    }
}

/// How often one layer's settings were changed by the engine itself, with one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AdaptationCount {
    /// Whose settings.
    pub layer: &'static str,
    /// What became of it: applied, kept or rolled_back.
    pub outcome: &'static str,
    /// How often.
    pub count: u64,
}

/// Mentions that one layer was to be used for and was not, for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FallbackCount {
    /// Which layer was not there.
    pub layer: &'static str,
    /// Why.
    pub reason: &'static str,
    /// How often.
    pub count: u64,
}

/// When a run began and whether it goes on, by the clock of whoever runs it: seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct RunTimes {
    /// Its beginning.
    pub started_s: f64,
    /// This moment.
    pub updated_s: f64,
    /// Whether it is over.
    pub is_ended: bool,
}
