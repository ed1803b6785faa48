//! How long decisions take: a histogram of constant size, exact to about 3 %.

use std::time::Duration;

/// Sub-buckets per power of two; the relative error of a quantile is at most 1/32.
const SUB_BITS: u32 = 5;
const SUB_COUNT: usize = 1 << SUB_BITS;

/// Counts of durations in buckets that grow with the duration.
#[derive(Debug, Clone)]
pub struct LatencyHistogram {
    buckets: Vec<u64>,
    count: u64,
    max_ns: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self { buckets: vec![0; (64 - SUB_BITS as usize + 1) * SUB_COUNT], count: 0, max_ns: 0 }
    }
}

impl LatencyHistogram {
    /// Counts `times` decisions that took `each`.
    pub fn record(&mut self, each: Duration, times: u64) {
        let ns = u64::try_from(each.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(ns)) {
            *bucket += times;
            self.count += times;
            self.max_ns = self.max_ns.max(ns);
        }
    }

    /// The duration in microseconds that `share` (0 to 1) of the decisions stay within; `None` if there were none.
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
    }
}
