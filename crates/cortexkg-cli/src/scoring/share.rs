//! A part of a whole, and how large it may be in truth.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::ratio;

/// How many of a number. As JSON with the rate, which is null of nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
}

impl Share {
    /// Counts one more of the whole, and whether it is of the part.
    pub fn note(&mut self, is_part: bool) {
        self.count += u64::from(is_part);
        self.of += 1;
    }

    /// What is left of the whole.
    #[must_use]
    pub fn rest(self) -> Self {
        Self { count: self.of - self.count, of: self.of }
    }

    /// The part, 0 to 1; none of nothing.
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| ratio(self.count, self.of))
    }

    /// The upper bound of the rate in truth, one-sided, at 95 % (Clopper & Pearson 1934): the rate at which no more than
    /// `count` would be seen in only 5 of 100 samples of this size. Never too low; for 0 of `n` it is about `3/n`.
    pub fn upper_bound(self) -> Option<f64> {
        let rate = self.rate()?;
        if self.count == self.of {
            return Some(1.0);
        }
        let (mut low, mut high) = (rate, 1.0);
        // Each step halves what is left: 60 leave less than a float can tell.
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.chance_of_no_more(middle) > 0.05 {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    /// Chance of at most `count` hits in `of` trials that each hit with this probability, strictly between 0 and 1.
    fn chance_of_no_more(self, probability: f64) -> f64 {
        let odds_ln = probability.ln() - (-probability).ln_1p();
        let mut term_ln = ratio(self.of, 1) * (-probability).ln_1p();
        let mut sum = term_ln.exp();
        for hits in 1..=self.count {
            term_ln += ratio(self.of + 1 - hits, hits).ln() + odds_ln;
            sum += term_ln.exp();
        }
        sum
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut share = serializer.serialize_struct("Share", 3)?;
        share.serialize_field("count", &self.count)?;
        share.serialize_field("of", &self.of)?;
        share.serialize_field("rate", &self.rate())?;
        share.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(count: u64, of: u64) -> f64 {
        Share { count, of }.upper_bound().unwrap()
    }

    #[test]
    fn bounds_are_those_of_the_tables() {
        // 1 − 0.05^(1/n) where nothing was seen.
        assert!((bound(0, 100) - (1.0 - 0.05f64.powf(0.01))).abs() < 1e-9);
        assert!((bound(0, 1) - 0.95).abs() < 1e-9);
        // Beta(0.95; 2, 9) and Beta(0.95; 6, 15).
        assert!((bound(1, 10) - 0.394_163).abs() < 1e-5, "{}", bound(1, 10));
        assert!((bound(5, 20) - 0.455_582).abs() < 1e-5, "{}", bound(5, 20));
        assert_eq!(bound(3, 3), 1.0);
        let many = bound(50, 100_000);
        assert!(many > 0.0005 && many < 0.00065, "{many}");
        assert_eq!(Share::default().upper_bound(), None);
    }
}
