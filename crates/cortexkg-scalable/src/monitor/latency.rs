//! How long things take: histograms of constant size.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Sub-buckets per power of two; the relative error of a quantile is at most 1/32.
const SUB_BITS: u32 = 5;
const SUB_COUNT: usize = 1 << SUB_BITS;
const BUCKETS: usize = (64 - SUB_BITS as usize + 1) * SUB_COUNT;

/// Counts of durations in buckets that grow with the duration, 15 KiB whatever is counted.
///
/// A quantile is never too low, and too high by at most 1/32 (3.1 %): buckets are 32 to a power of two of nanoseconds, and the highest
/// duration of a bucket stands for all in it.
#[derive(Debug, Clone)]
pub struct LatencyHistogram {
    buckets: Vec<u64>,
    count: u64,
    sum_ns: u64,
    max_ns: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, sum_ns: 0, max_ns: 0 }
    }
}

impl LatencyHistogram {
    /// Counts `times` durations of `each`.
    pub fn record(&mut self, each: Duration, times: u64) {
        let ns = nanoseconds(each);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(ns)) {
            *bucket += times;
            self.count += times;
            self.sum_ns = self.sum_ns.saturating_add(ns.saturating_mul(times));
            self.max_ns = self.max_ns.max(ns);
        }
    }

    /// The duration in microseconds that `share` (0 to 1) of all stay within; `None` if there were none.
    pub fn quantile_us(&self, share: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = ((share * self.count as f64).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Some(us(highest_of(bucket).min(self.max_ns)));
            }
        }
        Some(us(self.max_ns))
    }

    /// The longest duration in microseconds; `None` if there was none.
    pub fn max_us(&self) -> Option<f64> {
        (self.count > 0).then(|| us(self.max_ns))
    }

    /// The mean in microseconds; `None` if there were none.
    #[allow(clippy::cast_precision_loss)]
    pub fn mean_us(&self) -> Option<f64> {
        (self.count > 0).then(|| us(self.sum_ns) / self.count as f64)
    }

    /// Durations counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// All durations together, in seconds.
    #[allow(clippy::cast_precision_loss)]
    pub fn sum_s(&self) -> f64 {
        self.sum_ns as f64 / 1e9
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        std::iter::zip(&mut self.buckets, &other.buckets).for_each(|(bucket, more)| *bucket += more);
        self.count += other.count;
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// What has been counted since `earlier`, a state of this one. Its longest duration is known as exactly as a quantile.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let buckets: Vec<u64> = std::iter::zip(&self.buckets, &earlier.buckets)
            .map(|(now, then)| now.saturating_sub(*then))
            .collect();
        let highest = buckets.iter().rposition(|&count| count > 0);
        Self {
            count: buckets.iter().sum(),
            sum_ns: self.sum_ns.saturating_sub(earlier.sum_ns),
            max_ns: highest.map_or(0, |bucket| highest_of(bucket).min(self.max_ns)),
            buckets,
        }
    }

    /// The counts in coarser buckets, two to a power of two, each with the highest duration that it holds, in nanoseconds: all
    /// from below 1 µs to 17 s, and a last one for the rest. Exact: no bucket of the histogram is cut.
    pub(crate) fn coarse(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut fine = self.buckets.iter().enumerate().peekable();
        let bounds = COARSE_MAGNITUDES.flat_map(|magnitude| [(3 << magnitude) / 2 - 1, (2 << magnitude) - 1]);
        std::iter::once((1 << COARSE_MAGNITUDES.start) - 1).chain(bounds).chain([u64::MAX]).map(
            move |bound| {
                let mut count = 0;
                while let Some((_, more)) = fine.next_if(|&(bucket, _)| highest_of(bucket) <= bound) {
                    count += more;
                }
                (bound, count)
            },
        )
    }
}

/// From 1,024 ns to 17 s.
const COARSE_MAGNITUDES: std::ops::Range<u32> = 10..34;

/// A [`LatencyHistogram`] that many threads may record in.
#[derive(Debug)]
pub(crate) struct SharedHistogram {
    buckets: Box<[AtomicU64]>,
    sum_ns: AtomicU64,
    max_ns: AtomicU64,
}

impl Default for SharedHistogram {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            sum_ns: AtomicU64::new(0),
            max_ns: AtomicU64::new(0),
        }
    }
}

impl SharedHistogram {
    pub(crate) fn record(&self, each: Duration) {
        let ns = nanoseconds(each);
        if let Some(bucket) = self.buckets.get(bucket_of(ns)) {
            bucket.fetch_add(1, Relaxed);
            self.sum_ns.fetch_add(ns, Relaxed);
            // Rarely so, and reading is cheaper than writing.
            if ns > self.max_ns.load(Relaxed) {
                self.max_ns.fetch_max(ns, Relaxed);
            }
        }
    }

    /// What has been counted. While others record, the sum may be a few durations ahead of the counts or behind them.
    pub(crate) fn snapshot(&self) -> LatencyHistogram {
        let buckets: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        LatencyHistogram {
            count: buckets.iter().sum(),
            buckets,
            sum_ns: self.sum_ns.load(Relaxed),
            max_ns: self.max_ns.load(Relaxed),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[allow(clippy::cast_precision_loss)]
fn us(ns: u64) -> f64 {
    ns as f64 / 1000.0
}

fn bucket_of(ns: u64) -> usize {
    let magnitude = (64 - ns.leading_zeros()).saturating_sub(SUB_BITS + 1);
    let sub = usize::try_from(ns >> magnitude).unwrap_or(usize::MAX);
    magnitude as usize * SUB_COUNT + sub
}

fn highest_of(bucket: usize) -> u64 {
    if bucket < 2 * SUB_COUNT {
        return bucket as u64;
    }
    let magnitude = bucket / SUB_COUNT - 1;
    let sub = (bucket - magnitude * SUB_COUNT) as u64;
    (sub << magnitude) | ((1 << magnitude) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_what_they_say() {
        for ns in (0..5000).chain((0..58).map(|shift| (1u64 << shift) + (1 << shift) / 3)).chain([u64::MAX]) {
            let highest = highest_of(bucket_of(ns));
            assert!(highest >= ns && highest - ns <= ns / 32, "{ns} {highest}");
        }
        for ns in 1..5000 {
            assert!(bucket_of(ns) - bucket_of(ns - 1) <= 1);
        }
    }

    #[test]
    fn quantiles() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.quantile_us(0.5), None);
        for us in 1..=1000 {
            histogram.record(Duration::from_micros(us), 1);
        }
        let near = |share, expected: f64| {
            let found = histogram.quantile_us(share).unwrap();
            assert!((found / expected - 1.0).abs() < 0.04, "{found} {expected}");
        };
        near(0.5, 500.0);
        near(0.99, 990.0);
        assert_eq!(histogram.quantile_us(1.0), Some(1000.0));
        assert_eq!(histogram.max_us(), Some(1000.0));
        assert_eq!(histogram.mean_us(), Some(500.5));
    }

    #[test]
    fn a_shared_one_counts_the_same_and_a_later_state_tells_what_came_between() {
        let shared = SharedHistogram::default();
        shared.record(Duration::from_secs(9));
        let before = shared.snapshot();
        (1..=100).for_each(|us| shared.record(Duration::from_micros(us)));
        let between = shared.snapshot().since(&before);
        let mut alone = LatencyHistogram::default();
        (1..=100).for_each(|us| alone.record(Duration::from_micros(us), 1));
        assert_eq!((between.count(), between.sum_s()), (100, alone.sum_s()));
        for share in [0.01, 0.5, 0.9] {
            assert_eq!(between.quantile_us(share), alone.quantile_us(share), "{share}");
        }
        let max = between.max_us().unwrap();
        assert!((100.0..104.0).contains(&max), "not the nine seconds before: {max}");
        let mut all = before;
        all.merge(&between);
        assert_eq!((all.count(), all.max_us()), (101, Some(9e6)));
    }

    #[test]
    fn coarse_buckets_count_exactly() {
        let mut histogram = LatencyHistogram::default();
        let durations = [0, 1, 1023, 1024, 1535, 1536, 2047, 2048, 1 << 33, (1 << 34) - 1, 1 << 34, u64::MAX];
        for ns in durations {
            histogram.record(Duration::from_nanos(ns), 1);
        }
        let coarse: Vec<_> = histogram.coarse().collect();
        assert_eq!(coarse.len(), 50);
        let mut lower = None;
        for (bound, count) in coarse {
            let within = |ns: &&u64| **ns <= bound && lower.is_none_or(|lower| **ns > lower);
            assert_eq!(count, durations.iter().filter(within).count() as u64, "{bound}");
            lower = Some(bound);
        }
    }
}
