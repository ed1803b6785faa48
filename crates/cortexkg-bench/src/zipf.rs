//! Popularity by Zipf's law.

use crate::random::Random;

/// Draws numbers below a bound, so that the one of popularity rank `r` comes up with a probability in proportion to 1/r. Which number is
/// popular has nothing to do with its size. Takes no memory, by rejection-inversion (Hörmann and Derflinger, 1996).
#[derive(Debug, Clone)]
pub struct Zipf {
    count: u64,
    /// The integral of 1/x from the first rank, less what is certain of it, to the last.
    from: f64,
    to: f64,
    step: u64,
}

impl Zipf {
    /// Over the numbers from 0 to `count` − 1; at least one.
    #[must_use]
    pub fn new(count: u64) -> Self {
        let count = count.max(1);
        let is_coprime = |step: u64| {
            let (mut a, mut b) = (step, count);
            while b > 0 {
                (a, b) = (b, a % b);
            }
            a == 1
        };
        // Far from the ranks' own order, and a permutation.
        let start = (count as f64 * 0.618_033_988_749_894_9) as u64;
        let step = (start..).find(|&step| step > 0 && is_coprime(step)).unwrap_or(1);
        Self { count, from: libm::log(1.5) - 1.0, to: libm::log(count as f64 + 0.5), step }
    }

    /// A number.
    pub fn draw(&self, random: &mut Random) -> u64 {
        loop {
            let u = self.to + random.unit() * (self.from - self.to);
            let x = libm::exp(u);
            let rank = (x + 0.5).floor().clamp(1.0, self.count as f64);
            if u >= libm::log(rank + 0.5) - 1.0 / rank {
                return self.number(rank as u64 - 1);
            }
        }
    }

    /// The number of a rank from 0 on.
    fn number(&self, rank: u64) -> u64 {
        (u128::from(rank) * u128::from(self.step) % u128::from(self.count)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_come_up_as_often_as_the_law_says() {
        let (zipf, mut random) = (Zipf::new(1_000), Random::new(1, 0));
        let (draws, mut counts) = (1_000_000, vec![0_u32; 1_000]);
        (0..draws).for_each(|_| counts[zipf.draw(&mut random) as usize] += 1);
        let sum: f64 = (1..=1_000).map(|rank| 1.0 / f64::from(rank)).sum();
        for rank in [1_u64, 2, 3, 10, 100] {
            let expected = f64::from(draws) / (sum * rank as f64);
            let counted = f64::from(counts[zipf.number(rank - 1) as usize]);
            assert!((counted - expected).abs() < 5.0 * expected.sqrt(), "{rank}: {counted} {expected}");
        }
        assert!(counts.iter().filter(|&&count| count > 0).count() > 950);
    }

    #[test]
    fn every_number_has_a_rank() {
        for count in [1, 2, 3, 10, 97, 1_000] {
            let mut numbers: Vec<u64> = (0..count).map(|rank| Zipf::new(count).number(rank)).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..count).collect::<Vec<_>>());
            assert!(Zipf::new(count).draw(&mut Random::new(2, 0)) < count);
        }
    }
}
