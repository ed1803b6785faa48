//! Pairwise and B-cubed precision, recall and F1.
//!
//! - *Pairwise* (Fellegi–Sunter's view): of all pairs of records put together, how many belong together (precision);
//!   of all pairs that belong together, how many were put together (recall). A node of `n` records counts `n(n−1)/2`.
//! - *B-cubed* (Bagga & Baldwin 1998): the same asked of each record's own node and cluster, averaged over records,
//!   so that a few large clusters do not decide everything.

use serde::Serialize;

use super::error::ScoreError;
use super::grouping::Grouping;
use super::overlap::{Cell, Overlap};
use super::{f1, pairs, part_of, ratio};

/// Precision, recall and F1 by pairs and by B-cubed, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// Pairwise precision.
    pub pair_p: f64,
    /// Pairwise recall.
    pub pair_r: f64,
    /// Pairwise F1.
    pub pair_f1: f64,
    /// B-cubed precision.
    pub b3_p: f64,
    /// B-cubed recall.
    pub b3_r: f64,
    /// B-cubed F1.
    pub b3_f1: f64,
    /// Records assigned.
    pub records: usize,
    /// Records that the truth names.
    pub labelled: usize,
    /// Nodes that records were assigned to.
    pub nodes: usize,
    /// Clusters of the truth.
    pub true_clusters: usize,
}

impl Score {
    /// Scores an allocation against the truth.
    ///
    /// # Errors
    /// Where the truth is empty, or names records that were not assigned.
    pub fn of(nodes: &Grouping, truth: &Grouping) -> Result<Self, ScoreError> {
        Overlap::of(nodes, truth).map(|overlap| Self::from(&overlap))
    }
}

impl From<&Overlap> for Score {
    fn from(overlap: &Overlap) -> Self {
        let Overlap { cells, node_size, labelled_in, cluster_size } = overlap;
        let right: u64 = cells.iter().map(|cell| pairs(cell.records)).sum();
        let predicted: u64 = std::iter::zip(labelled_in, node_size)
            .map(|(&labelled, &size)| pairs(labelled) + labelled * (size - labelled))
            .sum();
        let actual: u64 = cluster_size.iter().map(|&size| pairs(size)).sum();
        let labelled: u64 = cluster_size.iter().sum();
        // In the order of the cells, so that sums of floats come out the same every time.
        let mean = |size_of: &dyn Fn(&Cell) -> u64| {
            let sum: f64 = cells.iter().map(|cell| ratio(cell.records * cell.records, size_of(cell))).sum();
            sum / ratio(labelled, 1)
        };
        let (pair_p, pair_r) = (part_of(right, predicted), part_of(right, actual));
        let (b3_p, b3_r) = (mean(&|cell| node_size[cell.node]), mean(&|cell| cluster_size[cell.cluster]));
        Self {
            pair_p,
            pair_r,
            pair_f1: f1(pair_p, pair_r),
            b3_p,
            b3_r,
            b3_f1: f1(b3_p, b3_r),
            records: node_size.iter().sum::<u64>() as usize,
            labelled: labelled as usize,
            nodes: node_size.len(),
            true_clusters: cluster_size.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{first, grouping};
    use super::*;

    #[test]
    fn a_small_case_by_hand() {
        // Nodes {0,1,2} {3,4}; clusters {0,1} {2,3,4}: 2 of 4 pairs put together are right, of 4 that belong together.
        let score = Score::of(&grouping(&[0, 0, 0, 1, 1]), &grouping(&[0, 0, 1, 1, 1])).unwrap();
        assert_eq!([score.pair_p, score.pair_r, score.pair_f1], [0.5, 0.5, 0.5]);
        // Precision: (2/3 + 2/3 + 1/3 + 1 + 1) / 5; recall: (1 + 1 + 1/3 + 2/3 + 2/3) / 5.
        assert!((score.b3_p - 11.0 / 15.0).abs() < 1e-12);
        assert!((score.b3_r - 11.0 / 15.0).abs() < 1e-12);
    }

    proptest! {
        /// Pairs counted one by one say the same.
        #[test]
        fn pairs_are_those_of_the_slow_way(
            records in prop::collection::vec((0u8..6, 0u8..6), 1..40),
            labelled in 1usize..40,
        ) {
            let (nodes, clusters): (Vec<u8>, Vec<u8>) = records.iter().copied().unzip();
            let labelled = labelled.min(records.len());
            let (mut right, mut predicted, mut actual) = (0u64, 0u64, 0u64);
            for a in 0..records.len() {
                for b in a + 1..records.len() {
                    let together = nodes[a] == nodes[b];
                    let belong = b < labelled && clusters[a] == clusters[b];
                    right += u64::from(together && belong);
                    // A pair counts once one of the two is labelled.
                    predicted += u64::from(together && a < labelled);
                    actual += u64::from(belong);
                }
            }
            let score = Score::of(&grouping(&nodes), &first(&clusters, labelled)).unwrap();
            prop_assert_eq!(score.pair_p, part_of(right, predicted));
            prop_assert_eq!(score.pair_r, part_of(right, actual));
        }
    }
}
