//! Whether probabilities come true.

use serde::Serialize;

use super::ratio;

/// A probability that was given, and what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// The probability that it comes, 0 to 1.
    pub probability: f64,
    /// Whether it came.
    pub has_come: bool,
}

/// Forecasts of like probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// How many.
    pub decisions: u64,
    /// Mean of their probabilities.
    pub probability: f64,
    /// Share of them that came.
    pub share: f64,
}

/// Probabilities beside what came of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// How many forecasts.
    pub decisions: u64,
    /// Expected calibration error, 0 to 1: how far the share is from the probability, bin by bin, averaged over decisions. Chance
    /// alone keeps the two apart in a small bin, so few decisions overstate it; see [`is_rough`](Self::is_rough).
    pub ece: f64,
    /// Forecasts from the least probable up, as many in each bin as in any other, but for one.
    pub bins: Vec<Bin>,
}

impl Reliability {
    /// Bins that are usual, and that figures of others are for.
    pub const BINS: usize = 15;

    /// Decisions per bin below which chance may be most of the error: at even odds it alone makes 0.09 of a bin of 20.
    const ROUGH_BELOW: u64 = 20;

    /// Whether there are so few decisions that the error is overstated.
    pub fn is_rough(&self) -> bool {
        self.decisions < Self::ROUGH_BELOW * Self::BINS as u64
    }

    /// Sorts forecasts into at most [`BINS`](Self::BINS) bins of equal mass and measures their expected calibration error
    /// (Naeini, Cooper & Hauskrecht 2015; equal mass: Nixon et al. 2019). Of equal probabilities the earlier come first.
    pub fn of(mut forecasts: Vec<Forecast>) -> Self {
        forecasts.sort_by(|left, right| left.probability.total_cmp(&right.probability));
        let total = forecasts.len();
        let mut bins = Vec::with_capacity(Self::BINS);
        let mut error = 0.0;
        for at in 0..Self::BINS {
            let bounds = at * total / Self::BINS..(at + 1) * total / Self::BINS;
            let Some(bin) = forecasts.get(bounds).filter(|bin| !bin.is_empty()) else { continue };
            let decisions = bin.len() as u64;
            let sum: f64 = bin.iter().map(|forecast| forecast.probability).sum();
            let come = bin.iter().filter(|forecast| forecast.has_come).count() as u64;
            error += (sum - ratio(come, 1)).abs();
            bins.push(Bin {
                decisions,
                probability: sum / ratio(decisions, 1),
                share: ratio(come, decisions),
            });
        }
        let decisions = total as u64;
        Self { decisions, ece: if total == 0 { 0.0 } else { error / ratio(decisions, 1) }, bins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecasts(of: &[(f64, bool)]) -> Vec<Forecast> {
        of.iter().map(|&(probability, has_come)| Forecast { probability, has_come }).collect()
    }

    #[test]
    fn a_small_case_by_hand() {
        let found = Reliability::of(forecasts(&[(0.9, true), (0.2, false), (0.6, false)]));
        // Each in a bin of its own: (0.1 + 0.2 + 0.6) / 3.
        assert!((found.ece - 0.3).abs() < 1e-12);
        assert_eq!(found.bins.iter().map(|bin| bin.probability).collect::<Vec<_>>(), [0.2, 0.6, 0.9]);
        assert_eq!((found.decisions, Reliability::of(Vec::new()).ece), (3, 0.0));
        assert!(found.is_rough() && !Reliability::of(forecasts(&[(0.5, true); 300])).is_rough());
    }

    #[test]
    fn bins_have_equal_mass_and_errors_within_one_cancel() {
        // 15 bins of two: one of each two comes, at even odds.
        let even: Vec<_> = (0..30).map(|at| (0.5, at % 2 == 0)).collect();
        let found = Reliability::of(forecasts(&even));
        assert_eq!(found.ece, 0.0);
        assert_eq!(found.bins.len(), Reliability::BINS);
        assert!(found.bins.iter().all(|bin| bin.decisions == 2 && bin.share == 0.5));
    }
}
