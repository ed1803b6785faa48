//! Time, as the caller brings it.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cortexkg::{Stage, Stopwatch};

use crate::monitor::MetricsCollector;

/// Tells how much time has passed. The engine has no clock of its own: browsers and tests bring theirs.
pub trait Clock: Debug + Send + Sync {
    /// Time since any fixed moment; never goes back.
    fn now(&self) -> Duration;
}

/// The clock of the system, from when it was made.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// Begins at zero.
    #[must_use]
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Adds up where the time goes.
#[derive(Debug)]
pub(crate) struct Timing {
    clock: Arc<dyn Clock>,
    /// Nanoseconds of each stage.
    stages: [AtomicU64; Stage::ALL.len()],
    /// What else is told.
    metrics: Option<MetricsCollector>,
}

impl Timing {
    pub(crate) fn new(clock: Arc<dyn Clock>, metrics: Option<MetricsCollector>) -> Self {
        Self { clock, stages: Default::default(), metrics }
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Time that a stage has taken so far.
    pub(crate) fn of(&self, stage: Stage) -> Duration {
        Duration::from_nanos(self.stages[stage as usize].load(Ordering::Relaxed))
    }

    /// Time that all have.
    pub(crate) fn all(&self) -> Duration {
        Stage::ALL.into_iter().map(|stage| self.of(stage)).sum()
    }
}

impl Stopwatch for Timing {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn took(&self, stage: Stage, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.stages[stage as usize].fetch_add(nanos, Ordering::Relaxed);
        if let Some(metrics) = &self.metrics {
            metrics.record_stage(stage, time);
        }
    }
}
