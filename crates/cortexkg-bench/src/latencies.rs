//! How long each of many took.

use std::time::{Duration, Instant};

use cortexkg_bench::machine;
use serde::Serialize;

/// Durations, and what the thread did meanwhile.
pub(crate) struct Latencies {
    each: Vec<Duration>,
    start: Instant,
    run_and_wait_ns: (u64, u64),
}

/// What came out.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) per_second: f64,
    pub(crate) mean_us: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) max_us: f64,
    /// Processor time of this thread for one, which others on the machine disturb less.
    pub(crate) cpu_us: f64,
    /// Share of the time that the thread waited for a core.
    pub(crate) waited: f64,
}

impl Latencies {
    pub(crate) fn begin() -> Self {
        Self { each: Vec::new(), start: Instant::now(), run_and_wait_ns: machine::run_and_wait_ns() }
    }

    /// Times `count` that go together, each as long as the others.
    pub(crate) fn time<T>(&mut self, count: usize, act: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = act();
        let each = start.elapsed() / count.max(1) as u32;
        self.each.extend(std::iter::repeat_n(each, count));
        done
    }

    pub(crate) fn end(mut self) -> Summary {
        let elapsed = self.start.elapsed();
        let (run, wait) = machine::run_and_wait_ns();
        let (run, wait) = (run - self.run_and_wait_ns.0, wait - self.run_and_wait_ns.1);
        let count = self.each.len();
        let each = |value: f64| value / count.max(1) as f64;
        let busy: Duration = self.each.iter().sum();
        Summary {
            count,
            per_second: count as f64 / elapsed.as_secs_f64(),
            mean_us: each(busy.as_secs_f64() * 1e6),
            p50_us: percentile_us(&mut self.each, 0.50),
            p99_us: percentile_us(&mut self.each, 0.99),
            max_us: percentile_us(&mut self.each, 1.0),
            cpu_us: each(run as f64 / 1e3),
            waited: wait as f64 / (run + wait).max(1) as f64,
        }
    }
}

/// The least that a share of them does not exceed, in µs; 0 of none.
pub(crate) fn percentile_us(each: &mut [Duration], share: f64) -> f64 {
    each.sort_unstable();
    let rank = (share * each.len() as f64).ceil() as usize;
    each.get(rank.saturating_sub(1)).map_or(0.0, |each| each.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let mut each: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        let rounded = |share| percentile_us(&mut each.clone(), share).round() as u32;
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(rounded), [1, 100, 198, 200]);
        each.clear();
        assert_eq!(percentile_us(&mut each, 0.5), 0.0);
    }
}
