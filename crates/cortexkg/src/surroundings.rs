//! Where a vector lies among others: how many of them would be as near to it by chance.
//!
//! A cosine by itself says little. Some vectors lie in a crowd in which everything is near, others have nothing near them at all,
//! and every model spreads its cosines in another way. What can be told without labels is how *surprising* a cosine is. The nodes
//! nearest to a mention when it comes are the tail of its cosines; tails fall off exponentially beyond a high threshold (Balkema and
//! de Haan, *Residual Life Time at Great Age*, 1974; Pickands, 1975), so that a node is as near as `c` by chance with probability
//!
//! ```text
//! P(c) = (k / n) · exp(−(c − t) / excess)       t = mean of the k nearest of n − excess
//! ```
//!
//! where `excess`, by how much cosines beyond the threshold exceed it on average, is learned from all mentions. Seen from both ends
//! of a pair, `−log2 P` is cross-domain similarity local scaling (Conneau et al., *Word Translation Without Parallel Data*, 2018) in
//! bits.

use cortexkg_simd::PartVec;
use serde::{Deserialize, Serialize};

use crate::evidence::{Bits, log2_ratio};

/// Nodes that are a mention's surroundings.
pub(crate) const NEAREST: usize = 16;
/// Nodes before the nearest of them are a tail.
const NODES_MIN: usize = 16 * NEAREST;
/// `1 / ln 2` in 1/256: from natural logarithms to bits.
const BITS_PER_NAT: i64 = 369;

/// What the nodes nearest to a mention were like when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Surroundings {
    /// Mean cosine of the nearest, in 1/65536.
    mean: i32,
    /// By how much it exceeds that of the last of them.
    excess: i32,
    /// Which part of all they were: `log2(n / k)`.
    rarity: Bits,
}

impl Surroundings {
    /// From the cosines of the nearest of `nodes`, best first; none where these are too few to tell.
    pub(crate) fn of(nearest: impl ExactSizeIterator<Item = i32>, nodes: usize) -> Option<Self> {
        if nearest.len() < NEAREST || nodes < NODES_MIN {
            return None;
        }
        let (mut sum, mut last) = (0, 0);
        for cosine in nearest.take(NEAREST) {
            (sum, last) = (sum + cosine, cosine);
        }
        let mean = sum.div_euclid(NEAREST as i32);
        Some(Self { mean, excess: mean - last, rarity: log2_ratio(nodes as u64, NEAREST as u64) })
    }

    /// How surprising it is that something is as near as `cosine`.
    fn surprise(self, cosine: i32, excess: i32) -> Bits {
        let beyond = i64::from(cosine) - i64::from(self.mean) + i64::from(excess);
        self.rarity + Bits((beyond * BITS_PER_NAT).div_euclid(i64::from(excess)) as i32)
    }
}

/// Surroundings of all mentions that have them, and what they have in common.
#[derive(Debug, Default)]
pub(crate) struct AllSurroundings {
    /// By place of the mention.
    of: PartVec<Option<Surroundings>>,
    excess_sum: u64,
    count: u64,
    /// Mean excess as of the last refresh, in 1/65536 and more than 0; 0 before anything is known.
    excess: i32,
}

/// What a snapshot keeps beside the surroundings themselves.
pub(crate) type Common = (u64, u64, i32);

impl AllSurroundings {
    pub(crate) fn load(of: PartVec<Option<Surroundings>>, (excess_sum, count, excess): Common) -> Self {
        Self { of, excess_sum, count, excess }
    }

    pub(crate) fn common(&self) -> Common {
        (self.excess_sum, self.count, self.excess)
    }

    pub(crate) fn all(&self) -> &PartVec<Option<Surroundings>> {
        &self.of
    }

    /// Notes where a new mention lies.
    pub(crate) fn set(&mut self, mention: u32, found: Surroundings) {
        self.of.grow_to(mention as usize + 1, None);
        self.of[mention as usize] = Some(found);
        self.excess_sum += u64::from(found.excess.unsigned_abs());
        self.count += 1;
    }

    pub(crate) fn get(&self, mention: u32) -> Option<Surroundings> {
        self.of.get(mention as usize).copied().flatten()
    }

    /// Takes over what has been learned of all.
    pub(crate) fn refresh(&mut self) {
        if let Some(mean) = self.excess_sum.checked_div(self.count) {
            self.excess = (mean as i32).max(1);
        }
    }

    /// How surprising it is that two mentions are as near to each other as `cosine`: the mean of what it is for either.
    pub(crate) fn surprise(&self, cosine: i32, of: [Option<Surroundings>; 2]) -> Option<Bits> {
        if self.excess == 0 {
            return None;
        }
        let [left, right] = of.map(|one| one.map(|one| one.surprise(cosine, self.excess).0));
        match (left, right) {
            (Some(left), Some(right)) => Some(Bits((left + right).div_euclid(2))),
            (one, other) => one.or(other).map(Bits),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.of.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(nearest: i32, step: i32, nodes: usize) -> Option<Surroundings> {
        Surroundings::of((0..NEAREST as i32).map(|at| nearest - at * step), nodes)
    }

    #[test]
    fn what_is_near_in_a_crowd_is_no_surprise() {
        let mut all = AllSurroundings::default();
        let [crowd, desert] = [60_000, 20_000].map(|nearest| around(nearest, 800, 4096));
        assert_eq!(all.surprise(60_000, [crowd, desert]), None, "nothing has been learned yet");
        all.set(3, crowd.expect("enough nodes"));
        all.refresh();
        assert_eq!((all.get(3), all.get(2), all.get(9)), (crowd, None, None));
        let surprise = |of| all.surprise(60_000, of).expect("known");
        // The nearest of all nodes is about as surprising as one in all nodes.
        let nearest = surprise([crowd, crowd]);
        assert!((nearest.as_f64() - 12.0).abs() < 1.5, "{nearest}");
        assert!(surprise([desert, desert]) > nearest + Bits::whole(8));
        assert_eq!(surprise([crowd, desert]), surprise([desert, crowd]));
        assert_eq!(surprise([crowd, None]), nearest, "one end is enough");
        assert_eq!(all.surprise(60_000, [None, None]), None);
    }

    #[test]
    fn a_few_nodes_are_no_tail() {
        assert_eq!(around(60_000, 800, NODES_MIN - 1), None);
        assert!(around(60_000, 800, NODES_MIN).is_some());
        assert_eq!(Surroundings::of([9, 8, 7].into_iter(), 4096), None);
        // Vectors that are all the same tell nothing, and divide by nothing.
        let mut all = AllSurroundings::default();
        all.set(0, around(65_536, 0, 4096).expect("enough nodes"));
        all.refresh();
        assert!(all.surprise(65_536, [all.get(0), None]).is_some());
    }
}
