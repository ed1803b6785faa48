//! Where the time of facts goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cortexkg::{Stage, Stopwatch};

/// Adds up what stages take.
#[derive(Debug)]
pub(crate) struct StageTimes {
    start: Instant,
    ns: [AtomicU64; Stage::ALL.len()],
}

impl StageTimes {
    pub(crate) fn begin() -> Self {
        Self { start: Instant::now(), ns: Default::default() }
    }

    /// Microseconds of every stage for each of so many facts, by its name.
    pub(crate) fn each_us(&self, facts: usize) -> Vec<(&'static str, f64)> {
        let us = |ns: &AtomicU64| ns.load(Ordering::Relaxed) as f64 / 1e3 / facts.max(1) as f64;
        Stage::ALL.iter().map(|stage| stage.name()).zip(self.ns.iter().map(us)).collect()
    }
}

impl Stopwatch for StageTimes {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn took(&self, stage: Stage, time: Duration) {
        if let Some(ns) = self.ns.get(stage as usize) {
            ns.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
        }
    }
}
