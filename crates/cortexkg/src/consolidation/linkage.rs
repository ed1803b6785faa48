//! Average linkage: groups whose members agree with each other, not only with their neighbours in a chain.

use crate::evidence::Bits;

/// The match weight between two mentions, in two parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairWeight {
    /// Of groups, the mean over all pairs counts.
    pub(super) together: Bits,
    /// At most zero; of groups, the strongest counts: what no thing repeats is repeated where two of its mentions are
    /// ([`FieldWeights::keeps_apart`](crate::weights::FieldWeights::keeps_apart)).
    pub(super) apart: Bits,
}

impl PairWeight {
    pub(super) fn sum(self) -> Bits {
        self.together + self.apart
    }
}

/// The match weight between two groups, of those between their members, in 1/256 bit; 0 of none.
pub(super) fn weight_between(weights: &[PairWeight]) -> i64 {
    let together: i64 = weights.iter().map(|weight| i64::from(weight.together.0)).sum();
    let apart = weights.iter().map(|weight| weight.apart).min().unwrap_or(Bits::ZERO);
    mean((together, apart), weights.len().max(1))
}

/// The match weight between groups of so many pairs, in 1/256 bit, from the sum of what they have in common and the strongest of what keeps them apart.
fn mean((together, apart): (i64, Bits), pairs: usize) -> i64 {
    together.div_euclid(pairs as i64) + i64::from(apart.0)
}

/// Match weights between every two of some mentions, in both directions.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    len: usize,
    /// Sums of match weights between groups, and what keeps them apart.
    sums: Vec<(i64, Bits)>,
}

impl Weights {
    pub(super) fn new(len: usize) -> Self {
        Self { len, sums: vec![(0, Bits::ZERO); len * len] }
    }

    pub(super) fn set(&mut self, left: usize, right: usize, PairWeight { together, apart }: PairWeight) {
        self.sums[left * self.len + right] = (i64::from(together.0), apart);
        self.sums[right * self.len + left] = (i64::from(together.0), apart);
    }

    fn join(&mut self, into: usize, from: usize) {
        for other in 0..self.len {
            let (together, apart) = self.sums[from * self.len + other];
            for at in [into * self.len + other, other * self.len + into] {
                let sum = &mut self.sums[at];
                *sum = (sum.0 + together, sum.1.min(apart));
            }
        }
    }

    /// Joins the two groups whose members agree most on average, as long as the match weight between them is above
    /// `least` (Sokal and Michener's UPGMA, 1958; but what keeps two apart is not averaged). Each group by the positions of its members, in order of the first.
    ///
    /// Takes time in proportion to the cube of the number of mentions, which callers keep small.
    pub(super) fn groups(mut self, least: Bits) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = (0..self.len).map(|at| vec![at]).collect();
        loop {
            let mut best: Option<(i64, usize, usize)> = None;
            for left in (0..self.len).filter(|&at| !groups[at].is_empty()) {
                for right in (left + 1..self.len).filter(|&at| !groups[at].is_empty()) {
                    let pairs = groups[left].len() * groups[right].len();
                    let mean = mean(self.sums[left * self.len + right], pairs);
                    if mean > i64::from(least.0) && best.is_none_or(|(most, ..)| mean > most) {
                        best = Some((mean, left, right));
                    }
                }
            }
            let Some((_, into, from)) = best else { break };
            self.join(into, from);
            let moved = std::mem::take(&mut groups[from]);
            groups[into].extend(moved);
        }
        groups.retain(|group| !group.is_empty());
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(len: usize, weight: impl Fn(usize, usize) -> i32) -> Vec<Vec<usize>> {
        groups_of(len, |left, right| (weight(left, right), 0))
    }

    fn groups_of(len: usize, weight: impl Fn(usize, usize) -> (i32, i32)) -> Vec<Vec<usize>> {
        let mut weights = Weights::new(len);
        for left in 0..len {
            for right in left + 1..len {
                let (together, apart) = weight(left, right);
                let weight = PairWeight { together: Bits::whole(together), apart: Bits::whole(apart) };
                weights.set(left, right, weight);
            }
        }
        weights.groups(Bits::whole(6))
    }

    #[test]
    fn what_keeps_two_apart_keeps_their_groups_apart() {
        // Two of one source in each pair of neighbours; 0 and 1, 2 and 3 are of two sources each.
        let weight = |left: usize, right: usize| match (left / 2 == right / 2, left % 2 == right % 2) {
            (true, _) => (20, 0),
            (false, true) => (10, -6),
            (false, false) => (10, 0),
        };
        assert_eq!(groups_of(4, weight), [vec![0, 1], vec![2, 3]]);
        let averaged = |left, right| (weight(left, right).0 + weight(left, right).1, 0);
        assert_eq!(groups_of(4, averaged), [vec![0, 1, 2, 3]], "a mean would hide it");
        let all = |left, right| PairWeight {
            together: Bits::whole(weight(left, right).0),
            apart: Bits::whole(weight(left, right).1),
        };
        assert_eq!(weight_between(&[all(0, 2), all(0, 3), all(1, 2), all(1, 3)]), 4 * 256);
        assert_eq!(weight_between(&[]), 0);
    }

    #[test]
    fn a_chain_of_two_namesakes_comes_apart() {
        // 0 to 3 and 4 to 7 are two persons; 3 and 4 share a document.
        let weight = |left: usize, right: usize| match (left / 4 == right / 4, (left, right)) {
            (true, _) => 20,
            (false, (3, 4)) => 18,
            (false, _) => -8,
        };
        let found = groups(8, weight);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|group| group.len() >= 3), "{found:?}");
    }

    #[test]
    fn what_agrees_stays_together_and_what_does_not_falls_apart() {
        assert_eq!(groups(5, |_, _| 9), [vec![0, 1, 2, 3, 4]]);
        assert_eq!(groups(3, |_, _| 6).len(), 3);
        assert_eq!(groups(1, |_, _| 0), [vec![0]]);
        assert!(groups(0, |_, _| 0).is_empty());
    }
}
