//! Learning match weights from the stream, without labels.
//!
//! - `u` is counted over random pairs of mentions. True matches among them are few; leaving out what the weights take for
//!   matches would let the weights confirm themselves. Of names that stand alone ([`alone`](crate::columns)) only those count that are met too
//!   often to be slips of each other: where few things are spoken of often, many random pairs are of one thing.
//! - `m` is estimated by expectation maximisation over pairs of a mention and a member of its leading candidate. The prior is
//!   that of the decision, fixed by the number of nodes and never fed back from the estimate: with feedback, EM finds
//!   "same type and city" instead of matches.
//!   What nearness of vectors is worth is believed, not learned: it falls off without a gap from the same to the like, and EM would
//!   take the nearest few for all there is.
//! - Pairs that people have spoken of count as what they were said to be ([`feedback::labels`](crate::feedback)).
//! - `overlap` comes of pairs that agree on one field: how often they agree on another ([`Dependence`]).
//!
//! Everything is computed in a fixed order from logged facts, at positions that the log defines, with `libm`.

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::compare::{Comparison, Level, Names};
use crate::dependence::{Dependence, at_least};
use crate::dictionary::{Dictionary, EMBEDDING, FieldId};
use crate::evidence::Bits;
use crate::feedback::{Label, LinkKind};
use crate::graph::MentionIndex;
use crate::pair::{ComparisonVector, PairVotes};
use crate::profile::FieldKind;
use crate::weights::{FieldWeights, LevelProbabilities, MatchWeights};

/// Most pairs kept for EM; the newest replace the oldest.
const SAMPLES_MAX: usize = 8192;
/// Rounds of EM at every refresh; the tables move on from where they were.
const ROUNDS: usize = 4;
/// Weight of the prior belief about `m` and `u`, in pairs.
const M_PRIOR_PAIRS: f64 = 12.0;
const U_PRIOR_PAIRS: f64 = 8.0;
const OWN_RIGHT_PAIRS: f64 = 16.0;
/// Random pairs of names in their own right from which on it is known how near names are by chance.
const OWN_RIGHT_PAIRS_MIN: f64 = 64.0;
/// Least probability of a match, by all other fields, for a pair to count for `m` of a category. Few values say little of whether a pair is a
/// match, but what they say of matches may be all that holds apart what agrees in much else: doubtful pairs would take that away. And
/// pairs that are sure because they agree on the category would make all matches agree on it.
const SURE: f64 = 0.95;
/// Where matches agree on a category more rarely than this part of chance, "the same" speaks against, and what it makes doubtful does not count.
const SPEAKS_AGAINST: f64 = 1.0 / 2.0;
/// Where they agree more rarely than this part of chance, those that do may be mistakes of ours, as far as chance may have made them so many.
const HARDLY_EVER: f64 = 1.0 / 8.0;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct FieldCounts {
    pub(crate) random: [f64; Level::COUNT],
    /// Random pairs of names with nothing beside them, both met too often to be a slip of the other.
    pub(crate) own_right: [f64; Level::COUNT],
    /// Whether there were enough of them at the last refresh.
    pub(crate) knows_names: bool,
    pub(crate) probabilities: Option<LevelProbabilities>,
    pub(crate) kind: Option<FieldKind>,
}

/// A pair kept for EM.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) of: [MentionIndex; 2],
    pub(crate) pair: ComparisonVector,
}

/// What has been counted so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Learner {
    pub(crate) fields: Vec<FieldCounts>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) next_sample: usize,
    pub(crate) dependence: Dependence,
    /// How many matches `m` of each field was learned from last.
    pub(crate) matches: Vec<f64>,
}

impl Learner {
    fn grow(&mut self, fields: usize) {
        self.fields.resize_with(fields, FieldCounts::default);
        self.dependence.grow(fields);
        self.matches.resize(fields, 0.0);
    }

    /// Counts a random pair.
    pub(crate) fn observe_random(&mut self, pair: &ComparisonVector, weights: &MatchWeights, prior: Bits) {
        self.grow(weights.field_count());
        for &(field, comparison) in pair {
            let counts = &mut self.fields[usize::from(field)];
            counts.random[comparison.level as usize] += 1.0;
            if comparison.names == Names::OwnRight {
                counts.own_right[comparison.level as usize] += 1.0;
            }
        }
        // Votes in full: what is discounted as dependence must not make a match pass for a pair that shows dependence.
        let in_full: Bits =
            weights.known(pair).map(|&(field, comparison)| weights.field(field).vote(comparison)).sum();
        if prior + in_full > Bits::ZERO {
            return;
        }
        self.dependence.observe_random(pair);
    }

    /// Counts a pair of mentions that share their value of `given`.
    pub(crate) fn observe_sharing(&mut self, given: FieldId, pair: &ComparisonVector, fields: usize) {
        self.grow(fields);
        self.dependence.observe_sharing(given, pair);
    }

    /// Keeps a pair of a mention and a member of its leading candidate for EM.
    pub(crate) fn observe_candidate(&mut self, of: [MentionIndex; 2], pair: ComparisonVector) {
        let sample = Sample { of, pair };
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push(sample);
        } else {
            self.next_sample %= SAMPLES_MAX;
            self.samples[self.next_sample] = sample;
            self.next_sample += 1;
        }
    }

    /// Forgets what pairs kept for EM say of vectors, for a graph from a time when their levels meant something else.
    pub(crate) fn forget_vectors(&mut self) {
        self.samples.iter_mut().for_each(|sample| sample.pair.retain(|(field, _)| *field != EMBEDDING));
    }

    /// Drops the pairs that a forgotten mention is one of.
    pub(crate) fn forget(&mut self, mention: MentionIndex) {
        self.samples.retain(|sample| !sample.of.contains(&mention));
    }

    /// Forgets what was counted over pairs of mentions; what was learned of it stays until the next refresh.
    pub(crate) fn begin_random_anew(&mut self) {
        for counts in &mut self.fields {
            (counts.random, counts.own_right) = ([0.0; Level::COUNT], [0.0; Level::COUNT]);
        }
        self.dependence.begin_anew();
    }

    /// Gives the mentions of the kept pairs other numbers; a pair of which one has none is dropped.
    pub(crate) fn rename(&mut self, name: impl Fn(MentionIndex) -> Option<MentionIndex>) {
        self.samples.retain_mut(|sample| match sample.of.map(&name) {
            [Some(left), Some(right)] => {
                sample.of = [left, right];
                true
            }
            _ => false,
        });
    }

    /// Forgets what was counted of fields whose kind has changed: their levels mean something else now.
    fn drop_changed(&mut self, dictionary: &Dictionary) {
        self.grow(dictionary.field_count());
        for (at, entry) in dictionary.fields().enumerate() {
            let counts = &mut self.fields[at];
            if counts.kind.is_some_and(|kind| !kind.has_levels_of(entry.kind)) {
                *counts = FieldCounts::default();
                self.samples
                    .iter_mut()
                    .for_each(|sample| sample.pair.retain(|(field, _)| usize::from(*field) != at));
                self.dependence.drop_field(at);
            }
            counts.kind = Some(entry.kind);
        }
    }

    /// Learns the tables anew from all that was counted.
    pub(crate) fn refresh(
        &mut self,
        dictionary: &Dictionary,
        weights: &mut MatchWeights,
        prior: Bits,
        labels: &[Label],
    ) {
        self.drop_changed(dictionary);
        let kinds: Vec<FieldKind> = dictionary.fields().map(|entry| entry.kind).collect();
        let mut tables: Vec<LevelProbabilities> = Vec::with_capacity(kinds.len());
        let rejected = rejected(&self.fields, labels);
        for ((counts, rejected), &kind) in self.fields.iter_mut().zip(&rejected).zip(&kinds) {
            let random = std::array::from_fn(|level| counts.random[level] + rejected[level]);
            let believed = LevelProbabilities::prior(kind);
            let learned = counts.probabilities.filter(|_| kind != FieldKind::Embedding);
            let m = learned.map_or(believed.m, |learned| learned.m);
            let mut u = smoothed(&random, &believed.u, U_PRIOR_PAIRS);
            counts.knows_names =
                kind.is_of_words() && counts.own_right.iter().sum::<f64>() >= OWN_RIGHT_PAIRS_MIN;
            if counts.knows_names {
                u = of_names(u, &counts.own_right);
            }
            tables.push(LevelProbabilities { m, u });
        }
        let overlap = self.dependence.overlap(&tables, &self.matches);
        let unlabelled = self.unlabelled(labels);
        let confirmed = confirmed(kinds.len(), self.samples.len(), labels);
        for _ in 0..ROUNDS {
            self.weigh(&tables, &kinds, &overlap, weights);
            let mut counts = confirmed.clone();
            // Pairs that agree on a category and are sure matches but for that.
            let mut doubted = vec![0.0; kinds.len()];
            for pair in unlabelled.iter() {
                let votes = PairVotes::of(pair, weights);
                let by_all = probability(prior + votes.total(weights, None));
                for &(field, Comparison { level, .. }) in pair {
                    let at = usize::from(field);
                    if kinds[at] != FieldKind::Category {
                        counts[at][level as usize] += by_all;
                        continue;
                    }
                    let by_others = probability(prior + votes.total(weights, Some(field)));
                    if by_others >= SURE {
                        counts[at][level as usize] += by_others;
                        let is_doubted = level == Level::Exact && by_all < SURE;
                        doubted[at] += if is_doubted { by_others } else { 0.0 };
                    }
                }
            }
            self.matches = counts.iter().map(|counts| counts.iter().sum()).collect();
            let learned = counts.into_iter().zip(doubted);
            for ((table, (mut counts, doubted)), &kind) in tables.iter_mut().zip(learned).zip(&kinds) {
                if kind != FieldKind::Embedding {
                    let (believed, pairs) = believed_of_matches(kind);
                    if kind == FieldKind::Category {
                        without_mistakes(&mut counts, doubted, table.u[Level::Exact as usize]);
                    }
                    table.m = smoothed(&counts, &believed, pairs);
                }
            }
        }
        self.weigh(&tables, &kinds, &overlap, weights);
        weights.version += 1;
        for (counts, table) in self.fields.iter_mut().zip(tables) {
            counts.probabilities = Some(table);
        }
    }

    /// The pairs kept for EM that people have not spoken of.
    fn unlabelled(&self, labels: &[Label]) -> Pairs {
        let labelled: FxHashSet<[MentionIndex; 2]> = labels.iter().map(|label| label.of).collect();
        let is_labelled =
            |&[left, right]: &[MentionIndex; 2]| labelled.contains(&[left.min(right), left.max(right)]);
        let mut pairs = Pairs::default();
        for Sample { pair, .. } in self.samples.iter().filter(|sample| !is_labelled(&sample.of)) {
            pairs.comparisons.extend_from_slice(pair);
            pairs.ends.push(pairs.comparisons.len());
        }
        pairs
    }

    /// Makes weights of probabilities.
    fn weigh(
        &self,
        tables: &[LevelProbabilities],
        kinds: &[FieldKind],
        overlap: &[Vec<u16>],
        weights: &mut MatchWeights,
    ) {
        let fields = tables.iter().zip(kinds).map(|(table, &kind)| FieldWeights::new(kind, table));
        weights.set(fields.collect(), overlap.to_vec());
        weights.note_names(|field| self.knows_names(field));
    }

    /// Whether it is known how near names of a field are by chance, as far as they stand alone.
    pub(crate) fn knows_names(&self, field: FieldId) -> bool {
        self.fields.get(usize::from(field)).is_some_and(|counts| counts.knows_names)
    }

    /// The learned probabilities of a field, if it has been refreshed.
    pub(crate) fn probabilities(&self, field: FieldId) -> Option<LevelProbabilities> {
        self.fields.get(usize::from(field)).and_then(|counts| counts.probabilities)
    }

    pub(crate) fn bytes(&self) -> usize {
        let pairs: usize = self
            .samples
            .iter()
            .map(|sample| sample.pair.capacity() * size_of::<(FieldId, Comparison)>())
            .sum();
        pairs + self.samples.capacity() * size_of::<Sample>() + self.dependence.bytes()
    }
}

/// Pairs one behind the other: rounds of EM go over them again and again.
#[derive(Default)]
struct Pairs {
    comparisons: Vec<(FieldId, Comparison)>,
    ends: Vec<usize>,
}

impl Pairs {
    fn iter(&self) -> impl Iterator<Item = &[(FieldId, Comparison)]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.comparisons[start..end])
    }
}

/// What must-links count for, by field and level.
fn confirmed(fields: usize, samples: usize, labels: &[Label]) -> Vec<[f64; Level::COUNT]> {
    let mut counts = vec![[0.0; Level::COUNT]; fields];
    let pairs = Label::pairs(labels.len(), samples);
    for label in labels.iter().filter(|label| label.kind == LinkKind::Must) {
        for &(field, comparison) in &label.pair {
            counts[usize::from(field)][comparison.level as usize] += pairs;
        }
    }
    counts
}

/// What cannot-links count for among random pairs, by field and level.
fn rejected(fields: &[FieldCounts], labels: &[Label]) -> Vec<[f64; Level::COUNT]> {
    let mut counts = vec![[0.0; Level::COUNT]; fields.len()];
    let rejected = labels.iter().filter(|label| label.kind == LinkKind::Cannot);
    let of = rejected.clone().count();
    for &(field, comparison) in rejected.flat_map(|label| &label.pair) {
        let random = fields[usize::from(field)].random.iter().sum();
        counts[usize::from(field)][comparison.level as usize] += Label::random_pairs(of, random);
    }
    counts
}

/// What is believed of `m` before anything is seen, and for how many pairs that counts. A category may be one that matches agree on or one
/// that tells them apart (two sources, each of which names everything once): that half of them differ is believed for one pair.
fn believed_of_matches(kind: FieldKind) -> ([f64; Level::COUNT], f64) {
    let mut m = LevelProbabilities::prior(kind).m;
    if kind != FieldKind::Category {
        return (m, M_PRIOR_PAIRS);
    }
    let half = (m[Level::Exact as usize] + m[Level::Different as usize]) / 2.0;
    (m[Level::Exact as usize], m[Level::Different as usize]) = (half, half);
    (m, 1.0)
}

/// Takes matches that agree on a category off that hardly any match agrees on, as far as they may be mistakes.
fn without_mistakes(counts: &mut [f64; Level::COUNT], doubted: f64, chance: f64) {
    let expected = chance * counts.iter().sum::<f64>();
    let exact = &mut counts[Level::Exact as usize];
    if *exact < expected * SPEAKS_AGAINST {
        *exact = (*exact - doubted).max(0.0);
    }
    if *exact < expected * HARDLY_EVER {
        *exact = at_least(*exact);
    }
}

/// How near random pairs are that differ, from names that stand alone and are no slips of each other, as far as those are known: among
/// others of few things that are often spoken of, many are.
fn of_names(u: [f64; Level::COUNT], own_right: &[f64; Level::COUNT]) -> [f64; Level::COUNT] {
    let exact = u[Level::Exact as usize];
    let mut believed = u.map(|part| part / (1.0 - exact));
    believed[Level::Exact as usize] = 0.0;
    let mut u = smoothed(own_right, &believed, OWN_RIGHT_PAIRS).map(|part| part * (1.0 - exact));
    u[Level::Exact as usize] = exact;
    u
}

fn smoothed(counts: &[f64; Level::COUNT], believed: &[f64; Level::COUNT], pairs: f64) -> [f64; Level::COUNT] {
    let total: f64 = counts.iter().sum::<f64>() + pairs;
    std::array::from_fn(|level| (counts[level] + pairs * believed[level]) / total)
}

fn probability(evidence: Bits) -> f64 {
    1.0 / (1.0 + libm::exp2(-evidence.as_f64().clamp(-60.0, 60.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_that_matches_hardly_repeat_is_cleared_of_mistakes() {
        let cleared = |exact: f64, doubted| {
            let mut counts = [exact, 0.0, 0.0, 0.0, 100.0 - exact];
            without_mistakes(&mut counts, doubted, 0.5);
            counts[0]
        };
        assert_eq!(cleared(40.0, 20.0), 40.0, "nearly as often as by chance: what is doubted counts");
        assert_eq!(cleared(16.0, 4.0), 12.0, "more rarely: it does not");
        assert_eq!(cleared(16.0, 12.0), 2.0, "hardly ever: a standard deviation may be mistakes");
        assert_eq!(cleared(1.0, 0.0), 0.0);
        assert_eq!(cleared(1.0, 2.0), 0.0);
    }

    #[test]
    fn nearness_by_chance_is_that_of_names_in_their_own_right() {
        let random = [0.25, 0.25, 0.0, 0.0, 0.5];
        assert_eq!(of_names(random, &[0.0; Level::COUNT]), random, "none are known");
        let [exact, close, .., different] = of_names(random, &[0.0, 0.0, 0.0, 0.0, 8.0 * OWN_RIGHT_PAIRS]);
        assert_eq!(exact, 0.25, "how often names are the same is another matter");
        assert!((close - 0.75 / 27.0).abs() < 1e-12 && (close + different - 0.75).abs() < 1e-12, "{close}");
    }
}
