//! How right an allocation is, and how sure the engine may be of it: against known clusters.
//!
//! - [`Grouping`]: records in groups, read from a table; [`Overlap`]: how the groups of two such overlap;
//! - [`Score`]: pairwise and B-cubed precision, recall and F1;
//! - [`adjusted_rand_index`]: agreement of two groupings, corrected for chance;
//! - [`Bootstrap`]: how far those figures would differ with other clusters of the same kind;
//! - [`Reliability`]: whether probabilities come true;
//! - [`Share`]: a part of a whole, and how large it may be in truth.
//!
//! Records that the truth does not name are unlabelled: a pair of two of them is not counted, but a labelled record
//! put together with an unlabelled one is an error, since labelled clusters are complete.

mod bootstrap;
mod error;
mod grouping;
mod overlap;
mod rand_index;
mod random;
mod reliability;
mod score;
mod share;

pub use self::bootstrap::{Bootstrap, Interval};
pub use self::error::ScoreError;
pub use self::grouping::Grouping;
pub use self::overlap::{Cell, Overlap};
pub use self::rand_index::adjusted_rand_index;
pub use self::random::Random;
pub use self::reliability::{Bin, Forecast, Reliability};
pub use self::score::Score;
pub use self::share::Share;

/// Pairs of `count` things.
fn pairs(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}

#[allow(clippy::cast_precision_loss)]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// The part of a whole; of nothing, all.
fn part_of(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { ratio(part, whole) }
}

/// Harmonic mean of precision and recall.
fn f1(precision: f64, recall: f64) -> f64 {
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}

/// Groupings of a few records, for tests.
#[cfg(test)]
mod samples {
    use super::Grouping;

    /// Record `i` in group `groups[i]`.
    pub(super) fn grouping(groups: &[u8]) -> Grouping {
        let mut grouping = Grouping::default();
        for (record, group) in groups.iter().enumerate() {
            assert!(grouping.insert(&record.to_string(), &group.to_string()));
        }
        grouping
    }

    /// The first `labelled` records of a grouping.
    pub(super) fn first(groups: &[u8], labelled: usize) -> Grouping {
        grouping(groups.get(..labelled).unwrap_or(groups))
    }
}
