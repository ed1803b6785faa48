//! Average linkage: groups whose members agree with each other, not only with their neighbours in a chain.

use crate::evidence::Bits;

/// Match weights between every two of some mentions, in both directions.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    len: usize,
    /// Sums of match weights between groups.
    sums: Vec<i64>,
}

impl Weights {
    pub(super) fn new(len: usize) -> Self {
        Self { len, sums: vec![0; len * len] }
    }

    pub(super) fn set(&mut self, left: usize, right: usize, weight: Bits) {
        self.sums[left * self.len + right] = i64::from(weight.0);
        self.sums[right * self.len + left] = i64::from(weight.0);
    }

    fn sum(&self, left: usize, right: usize) -> i64 {
        self.sums[left * self.len + right]
    }

    fn join(&mut self, into: usize, from: usize) {
        for other in 0..self.len {
            let sum = self.sum(from, other);
            self.sums[into * self.len + other] += sum;
            self.sums[other * self.len + into] += sum;
        }
    }

    /// Joins the two groups whose members agree most on average, as long as the mean of the match weights between them is above
    /// `least` (Sokal and Michener's UPGMA, 1958). Each group by the positions of its members, in order of the first.
    ///
    /// Takes time in proportion to the cube of the number of mentions, which callers keep small.
    pub(super) fn groups(mut self, least: Bits) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = (0..self.len).map(|at| vec![at]).collect();
        loop {
            let mut best: Option<(i64, usize, usize)> = None;
            for left in (0..self.len).filter(|&at| !groups[at].is_empty()) {
                for right in (left + 1..self.len).filter(|&at| !groups[at].is_empty()) {
                    let pairs = (groups[left].len() * groups[right].len()) as i64;
                    let mean = self.sum(left, right).div_euclid(pairs);
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
        let mut weights = Weights::new(len);
        for left in 0..len {
            for right in left + 1..len {
                weights.set(left, right, Bits::whole(weight(left, right)));
            }
        }
        weights.groups(Bits::whole(6))
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
