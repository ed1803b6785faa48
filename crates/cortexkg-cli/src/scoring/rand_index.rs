//! The adjusted Rand index: agreement of two groupings over pairs, corrected for chance.

use super::overlap::Overlap;
use super::pairs;

/// The adjusted Rand index over labelled records (Hubert & Arabie, *Comparing Partitions*, 1985, with their expectation
/// under random groupings of the same sizes): 1 where nodes and clusters are the same, about 0 where they agree no more
/// than by chance, below 0 where less.
///
/// With `I` pairs together in both, `A` in nodes, `B` in clusters and `T` in all: `(I − AB/T) / ((A + B)/2 − AB/T)`.
pub fn adjusted_rand_index(overlap: &Overlap) -> f64 {
    let sum = |sizes: &mut dyn Iterator<Item = u64>| i128::from(sizes.map(pairs).sum::<u64>());
    let both = sum(&mut overlap.cells.iter().map(|cell| cell.records));
    let in_nodes = sum(&mut overlap.labelled_in.iter().copied());
    let in_clusters = sum(&mut overlap.cluster_size.iter().copied());
    let all = i128::from(pairs(overlap.cluster_size.iter().sum()));
    // Both sides times 2T, so that everything up to the division is exact.
    let above = 2 * (both * all - in_nodes * in_clusters);
    let below = (in_nodes + in_clusters) * all - 2 * in_nodes * in_clusters;
    // Nothing is left to chance: both put everything together, or nothing.
    if below == 0 { 1.0 } else { quotient(above, below) }
}

#[allow(clippy::cast_precision_loss)]
fn quotient(above: i128, below: i128) -> f64 {
    above as f64 / below as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{first, grouping};
    use super::*;

    fn index(nodes: &[u8], clusters: &[u8]) -> f64 {
        adjusted_rand_index(&Overlap::of(&grouping(nodes), &grouping(clusters)).unwrap())
    }

    #[test]
    fn small_cases_by_hand() {
        assert_eq!(index(&[0, 0, 1, 1], &[5, 5, 4, 4]), 1.0);
        assert_eq!(index(&[0, 1, 2], &[0, 1, 2]), 1.0);
        assert_eq!(index(&[0, 0, 0], &[1, 1, 1]), 1.0);
        // I = 0, A = B = 2, T = 6: (0 − 4/6) / (2 − 4/6) = −1/2.
        assert_eq!(index(&[0, 0, 1, 1], &[0, 1, 0, 1]), -0.5);
        // I = 2, A = B = 4, T = 10: (2 − 1.6) / (4 − 1.6) = 1/6.
        assert!((index(&[0, 0, 0, 1, 1], &[0, 0, 1, 1, 1]) - 1.0 / 6.0).abs() < 1e-12);
    }

    proptest! {
        /// The definition by pairs: 2(ad − bc) / ((a+b)(b+d) + (a+c)(c+d)), counted one by one.
        #[test]
        fn the_index_is_that_of_the_slow_way(
            records in prop::collection::vec((0u8..6, 0u8..6), 1..40),
            labelled in 1usize..40,
        ) {
            let (nodes, clusters): (Vec<u8>, Vec<u8>) = records.iter().copied().unzip();
            let labelled = labelled.min(records.len());
            let (mut a, mut b, mut c, mut d) = (0i64, 0i64, 0i64, 0i64);
            for left in 0..labelled {
                for right in left + 1..labelled {
                    match (nodes[left] == nodes[right], clusters[left] == clusters[right]) {
                        (true, true) => a += 1,
                        (true, false) => b += 1,
                        (false, true) => c += 1,
                        (false, false) => d += 1,
                    }
                }
            }
            let below = (a + b) * (b + d) + (a + c) * (c + d);
            let slow = if below == 0 { 1.0 } else { 2.0 * (a * d - b * c) as f64 / below as f64 };
            let overlap = Overlap::of(&grouping(&nodes), &first(&clusters, labelled)).unwrap();
            prop_assert!((adjusted_rand_index(&overlap) - slow).abs() < 1e-12);
        }
    }
}
