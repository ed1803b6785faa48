//! What two mentions say of each other, all fields together: every vote once, what they share counted once.

use smallvec::SmallVec;

use crate::compare::{Comparison, Level};
use crate::dictionary::{EMBEDDING, FieldId, RECENCY};
use crate::evidence::Bits;
use crate::weights::MatchWeights;

/// What vectors count for beside the only field, in 1/256.
const VECTOR_SHARE: u32 = 224;

/// Two mentions compared in every field that both have.
pub(crate) type ComparisonVector = Vec<(FieldId, Comparison)>;

/// Sum of the votes over a pair, what they share counted once.
pub(crate) fn total_weight(pair: &ComparisonVector, weights: &MatchWeights) -> Bits {
    PairVotes::of(pair, weights).total(weights, None)
}

/// The votes over a pair in full: before what they share is taken off, which differs where one is left out.
pub(crate) struct PairVotes {
    /// In the order of [`discount`], which then has little to sort.
    votes: SmallVec<[(FieldId, Bits); 24]>,
    /// The fields whose values are the very same.
    same: SmallVec<[FieldId; 24]>,
}

impl PairVotes {
    pub(crate) fn of(pair: &[(FieldId, Comparison)], weights: &MatchWeights) -> Self {
        let known = weights.known(pair);
        let vote =
            |&(field, comparison): &(FieldId, Comparison)| (field, weights.field(field).vote(comparison));
        let mut votes: SmallVec<[_; 24]> = known.clone().map(vote).collect();
        sort_few(&mut votes, strongest_first);
        let same = known.filter(|(field, comparison)| is_the_same(*field, comparison.level));
        Self { votes, same: same.map(|(field, _)| *field).collect() }
    }

    /// Their sum, what they share counted once; by all fields, or by all but one.
    pub(crate) fn total(&self, weights: &MatchWeights, without: Option<FieldId>) -> Bits {
        let is_heard = |field: FieldId| Some(field) != without;
        let mut votes: SmallVec<[_; 24]> = SmallVec::new();
        votes.extend(self.votes.iter().copied().filter(|(field, _)| is_heard(*field)));
        let says_the_same = self.same.iter().any(|field| is_heard(*field));
        discount(&mut votes, weights, says_the_same);
        votes.into_iter().map(|(_, bits)| bits).sum()
    }
}

/// Whether a vote is that a value is the very same.
pub(crate) fn is_the_same(field: FieldId, level: Level) -> bool {
    field > RECENCY && level == Level::Exact
}

/// The order in which votes are heard: that of the vectors comes last.
fn strongest_first(&(field, bits): &(FieldId, Bits)) -> (bool, std::cmp::Reverse<Bits>, FieldId) {
    (field == EMBEDDING, std::cmp::Reverse(bits), field)
}

/// Most votes that are few.
const FEW: usize = 32;

/// Sorts what is mostly few, and often sorted already: one by one. The standard library does so natively; where it is built for size it makes a
/// heap of the fewest, which took a tenth of all time in WebAssembly.
fn sort_few<T: Copy, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    if items.len() > FEW {
        items.sort_unstable_by_key(key);
        return;
    }
    for at in 1..items.len() {
        let (item, mut place) = (items[at], at);
        while place > 0 && key(&item) < key(&items[place - 1]) {
            items[place] = items[place - 1];
            place -= 1;
        }
        items[place] = item;
    }
}

/// Takes from every positive vote what stronger votes have said already. Leaves the votes of fields sorted, strongest first.
///
/// Fields that agree together by nature (a city and its state, a firm and its city) are one piece of evidence, not
/// several: each vote keeps the part `1 - max(overlap)` over the positive votes before it. Vectors are left to [`second_look`].
pub(crate) fn discount(votes: &mut [(FieldId, Bits)], weights: &MatchWeights, says_the_same: bool) {
    sort_few(votes, strongest_first);
    for at in 1..votes.len() {
        let (before, rest) = votes.split_at_mut(at);
        let (field, bits) = &mut rest[0];
        if *bits <= Bits::ZERO || *field == EMBEDDING {
            break;
        }
        let said = before.iter().map(|(given, _)| weights.overlap(*given, *field)).max().unwrap_or(0);
        *bits = bits.scaled(256 - u32::from(said));
    }
    if let Some((&mut (EMBEDDING, ref mut vector), fields)) = votes.split_last_mut() {
        second_look(vector, fields, says_the_same);
    }
}

/// Vectors are made of the words that the fields have been compared by: a second look at the same, not a second piece of evidence.
///
/// - Of a single field, both looks estimate one number; the vector, which knows what words mean, counts for seven eighths of it. Where
///   the value is the very same nothing is left to be told.
/// - Of several fields, a vector in favour adds what the fields together have not said.
fn second_look(vector: &mut Bits, fields: &mut [(FieldId, Bits)], says_the_same: bool) {
    let mut fields = fields.iter_mut().filter(|(field, _)| *field > RECENCY);
    match (fields.next(), fields.next()) {
        (None, _) => {}
        (Some(_), None) if says_the_same => *vector = Bits::ZERO,
        (Some((_, words)), None) => {
            *vector = vector.scaled(VECTOR_SHARE);
            *words = words.scaled(256 - VECTOR_SHARE);
        }
        (Some((_, first)), Some((_, second))) => {
            let others: Bits = fields.map(|(_, bits)| (*bits).max(Bits::ZERO)).sum();
            let said = (*first).max(Bits::ZERO) + (*second).max(Bits::ZERO) + others;
            *vector = (*vector).min((*vector - said).max(Bits::ZERO));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::FieldKind;

    #[test]
    fn a_vote_left_out_takes_with_it_what_it_had_said() {
        let mut weights =
            MatchWeights::new([FieldKind::Embedding, FieldKind::Recency, FieldKind::Name, FieldKind::Name]);
        weights.add_field(FieldKind::Category);
        let fields = (0..5).map(|field| *weights.field(field)).collect();
        // What field 2 says, field 3 has said to a half.
        let overlap =
            (0..5).map(|given| (0..5).map(|field| if (given, field) == (2, 3) { 128 } else { 0 }).collect());
        weights.set(fields, overlap.collect());
        let exact = |bits| Comparison::new(Level::Exact, Bits::whole(bits));
        let different = Comparison::new(Level::Different, Bits::ZERO);
        let pair = vec![(EMBEDDING, exact(6)), (2, exact(12)), (3, exact(8)), (4, different)];
        let votes = PairVotes::of(&pair, &weights);
        assert_eq!(votes.total(&weights, None), total_weight(&pair, &weights));
        for field in [EMBEDDING, 2, 3, 4] {
            let others = pair.iter().copied().filter(|(other, _)| *other != field).collect();
            assert_eq!(
                votes.total(&weights, Some(field)),
                total_weight(&others, &weights),
                "without {field}"
            );
        }
        assert!(
            votes.total(&weights, Some(2)) > votes.total(&weights, None) - weights.field(2).vote(exact(12)),
            "what field 3 says counts in full again"
        );
    }

    fn looked_at(vector: i32, fields: &[i32], says_the_same: bool) -> Vec<i32> {
        let mut vector = Bits::whole(vector);
        let mut votes: Vec<_> = (RECENCY..).zip(fields.iter().map(|&bits| Bits::whole(bits))).collect();
        second_look(&mut vector, &mut votes, says_the_same);
        std::iter::once(vector)
            .chain(votes.into_iter().map(|(_, bits)| bits))
            .map(|bits| bits.0 / 32)
            .collect()
    }

    #[test]
    fn a_vector_is_a_second_look_at_the_words() {
        // In eighths of a bit; recency is no word.
        assert_eq!(looked_at(16, &[1], false), [128, 8], "nothing else");
        assert_eq!(looked_at(16, &[1, 8], false), [112, 8, 8], "the mean, weighted");
        assert_eq!(looked_at(16, &[1, -8], false), [112, 8, -8], "also of what speaks against");
        assert_eq!(looked_at(16, &[1, 18], true), [0, 8, 144], "the very same words");
        assert_eq!(
            looked_at(16, &[1, 5, -3, 4], false),
            [56, 8, 40, -24, 32],
            "what the others have not said"
        );
        assert_eq!(looked_at(8, &[1, 5, 4], false), [0, 8, 40, 32]);
        assert_eq!(looked_at(-3, &[1, 5, 4], false), [-24, 8, 40, 32]);
    }
}
