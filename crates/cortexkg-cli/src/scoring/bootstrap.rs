//! How far precision and recall would differ with other clusters of the same kind.

use serde::Serialize;

use super::overlap::Overlap;
use super::random::Random;
use super::{f1, part_of, ratio};

/// Times that clusters are drawn.
const ROUNDS: usize = 1000;
/// Rounds left out at either end: 2.5 of 100, so that 95 are within.
const TAIL: usize = ROUNDS / 40;
/// The same draws every time.
const SEED: u64 = 1979;

/// Bounds, the lower first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// 2.5 of 100 rounds gave less.
    pub low: f64,
    /// 2.5 of 100 rounds gave more.
    pub high: f64,
}

/// 95 % intervals of the figures of a [`Score`](super::Score), by the cluster bootstrap (Efron 1979, percentiles; Field &
/// Welsh 2007 for clusters as what is drawn).
///
/// Records of one cluster are not independent of each other, and a few large clusters may hold most pairs. So true clusters
/// are drawn, with replacement and as many as there are, and the figures are computed over what each brings with it: its
/// pairs, and half of the pairs that it makes with records of other labelled clusters (the other half is theirs; Binette et
/// al., *Estimating the Performance of Entity Resolution Algorithms*, 2022). Over all clusters, once each, that is the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Pairwise precision, recall and F1.
    pub pairwise: [Interval; 3],
    /// B-cubed precision, recall and F1.
    pub b_cubed: [Interval; 3],
}

/// What one cluster brings to the figures; several add up.
#[derive(Debug, Default, Clone, Copy)]
struct Brought {
    records: u64,
    /// Pairs are counted from either end, so that halves are whole numbers.
    right: u64,
    predicted: u64,
    actual: u64,
    b3_p: f64,
    b3_r: f64,
}

impl Brought {
    fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.right += other.right;
        self.predicted += other.predicted;
        self.actual += other.actual;
        self.b3_p += other.b3_p;
        self.b3_r += other.b3_r;
    }

    /// Pairwise, then B-cubed precision, recall and F1.
    fn figures(&self) -> [f64; 6] {
        let (pair_p, pair_r) = (part_of(self.right, self.predicted), part_of(self.right, self.actual));
        let records = ratio(self.records, 1);
        let (b3_p, b3_r) = (self.b3_p / records, self.b3_r / records);
        [pair_p, pair_r, f1(pair_p, pair_r), b3_p, b3_r, f1(b3_p, b3_r)]
    }
}

impl Bootstrap {
    /// Draws the clusters of a table 1,000 times. The same table gives the same intervals.
    pub fn of(overlap: &Overlap) -> Self {
        let clusters = brought(overlap);
        let mut random = Random::new(SEED);
        let mut rounds: [Vec<f64>; 6] = Default::default();
        for _ in 0..ROUNDS {
            let mut drawn = Brought::default();
            for _ in &clusters {
                drawn.add(&clusters[random.below(clusters.len())]);
            }
            for (figures, figure) in rounds.iter_mut().zip(drawn.figures()) {
                figures.push(figure);
            }
        }
        let [pair_p, pair_r, pair_f1, b3_p, b3_r, b3_f1] = rounds.map(|mut figures| {
            figures.sort_by(f64::total_cmp);
            Interval { low: figures[TAIL], high: figures[ROUNDS - 1 - TAIL] }
        });
        Self { pairwise: [pair_p, pair_r, pair_f1], b_cubed: [b3_p, b3_r, b3_f1] }
    }
}

/// What each cluster brings.
fn brought(overlap: &Overlap) -> Vec<Brought> {
    let mut clusters: Vec<_> = overlap
        .cluster_size
        .iter()
        .map(|&size| Brought { records: size, actual: size * (size - 1), ..Brought::default() })
        .collect();
    for cell in &overlap.cells {
        let (n, size) = (cell.records, overlap.node_size[cell.node]);
        let labelled = overlap.labelled_in[cell.node];
        let cluster = &mut clusters[cell.cluster];
        cluster.right += n * (n - 1);
        // A pair with an unlabelled record is this cluster's alone.
        cluster.predicted += n * (n - 1) + n * (labelled - n) + 2 * n * (size - labelled);
        cluster.b3_p += ratio(n * n, size);
        cluster.b3_r += ratio(n * n, cluster.records);
    }
    clusters
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Score;
    use super::super::samples::{first, grouping};
    use super::*;

    #[test]
    fn what_never_differs_has_no_width() {
        let overlap = Overlap::of(&grouping(&[0, 0, 1, 1]), &grouping(&[0, 0, 1, 1])).unwrap();
        let found = Bootstrap::of(&overlap);
        let sure = Interval { low: 1.0, high: 1.0 };
        assert_eq!((found.pairwise, found.b_cubed), ([sure; 3], [sure; 3]));
    }

    #[test]
    fn two_clusters_by_hand() {
        // {0,1} is whole, {2,3} is torn: recall is 1, ½ or 0, a quarter of the rounds at either end.
        let overlap = Overlap::of(&grouping(&[0, 0, 1, 2]), &grouping(&[0, 0, 1, 1])).unwrap();
        let found = Bootstrap::of(&overlap);
        assert_eq!(found.pairwise[1], Interval { low: 0.0, high: 1.0 });
        assert_eq!(found.pairwise[0], Interval { low: 1.0, high: 1.0 });
        assert_eq!(found.b_cubed[1], Interval { low: 0.5, high: 1.0 });
        assert_eq!(found, Bootstrap::of(&overlap), "the same draws");
    }

    proptest! {
        #[test]
        fn all_clusters_together_bring_the_score(
            records in prop::collection::vec((0u8..6, 0u8..6), 1..40),
            labelled in 1usize..40,
        ) {
            let (nodes, clusters): (Vec<u8>, Vec<u8>) = records.iter().copied().unzip();
            let overlap = Overlap::of(&grouping(&nodes), &first(&clusters, labelled)).unwrap();
            let mut all = Brought::default();
            brought(&overlap).iter().for_each(|cluster| all.add(cluster));
            let score = Score::from(&overlap);
            let expected = [score.pair_p, score.pair_r, score.pair_f1, score.b3_p, score.b3_r, score.b3_f1];
            for (found, expected) in all.figures().iter().zip(expected) {
                prop_assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }
}
